"""``zairyo demo``: the platform with three instruments whose files arrive."""

from __future__ import annotations

import shutil
import signal
import socket
import threading
from pathlib import Path

import click


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=Path("demo-data"), show_default=True,
    help="Where the demo keeps everything; the next start goes on from there.",
)  # fmt: skip
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--fresh", is_flag=True, help="Begin anew: what an earlier demo kept in the folder is deleted.")
@click.option(
    "--seconds", default=60.0, show_default=True, help="The first files arrive over so many seconds."
)
def demo(data: Path, port: int, fresh: bool, seconds: float) -> None:
    """Run the platform with an X-ray diffractometer, a thermal analyser and a battery cycler.

    Real instrument files drop into the instruments' folders; real agents find and send them; the pages in the
    browser show each as it comes. Ctrl-C stops everything and keeps the data.
    """
    from zairyo.demo.laboratory import EMAIL, STATIONS, DemoError, Laboratory, Processes, write_slowly

    laboratory = Laboratory(data, f"http://127.0.0.1:{port}")
    if fresh and (laboratory.password_file.exists() or laboratory.data.exists()):
        shutil.rmtree(laboratory.folder)
    if not _is_free(port):
        raise click.ClickException(
            f"Port {port} is in use. Stop what uses it, or choose another with --port."
        )
    stop = threading.Event()
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), lambda *_: stop.set())
    try:
        laboratory.set_up()
        with Processes(laboratory.folder / "logs") as processes:
            processes.start("server", "serve", "--data", str(laboratory.data), "--port", str(port))
            processes.wait_for(laboratory.url)
            for station in STATIONS:
                laboratory.pair(station)
                processes.start(
                    f"agent-{station.slug}",
                    "agent",
                    "run",
                    "-v",
                    "--state",
                    str(laboratory.agent_folder(station)),
                )
            files = laboratory.arrivals()
            _tell(
                laboratory.url,
                EMAIL,
                laboratory.password_file.read_text().strip(),
                laboratory.folder,
                len(files),
            )
            for pause in write_slowly(files, seconds):
                if stop.wait(pause):
                    break
                processes.check()
            if files and not stop.is_set():
                click.echo(
                    "All files have arrived. Drop others into the instruments' folders, or stop with Ctrl-C."
                )
            while not stop.wait(1.0):
                processes.check()
            click.echo("\nStopping …")
    except DemoError as e:
        raise click.ClickException(str(e)) from None
    click.echo(f"Stopped. Everything is kept in {laboratory.folder}; the next start goes on from there.")


def _tell(url: str, email: str, password: str, folder: Path, files: int) -> None:
    click.echo(f"\n  Zairyo      {click.style(url, bold=True)}")
    click.echo(
        f"  sign in     {click.style(email, bold=True)}   password   {click.style(password, bold=True)}"
    )
    click.echo(f"  instruments {folder / 'instruments'}")
    click.echo(f"  kept in     {folder}   (Ctrl-C stops and keeps it)\n")
    if files:
        click.echo(f"{files} real files arrive over the first minute; watch the page Measurements.")


def _is_free(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
