"""``zairyo demo``: the platform with three instruments whose files arrive."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from zairyo.demo.laboratory import Laboratory


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=Path("demo-data"), show_default=True,
    help="Where the demo keeps everything; the next start goes on from there.",
)  # fmt: skip
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--fresh", is_flag=True, help="Begin anew: what an earlier demo kept in the folder is deleted.")
@click.option(
    "--seconds",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0),
    help="The first files arrive over so many seconds.",
)
def demo(data: Path, port: int, fresh: bool, seconds: float) -> None:
    """Run the platform with an X-ray diffractometer, a thermal analyser and a battery cycler.

    Real instrument files drop into the instruments' folders; real agents find and send them; the pages in the
    browser show each as it comes. Ctrl-C stops everything and keeps the data.
    """
    from zairyo.demo.laboratory import DemoError, Laboratory

    stop = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), lambda *_: stop.set())
    laboratory = Laboratory(data, f"http://127.0.0.1:{port}")
    if not _is_free(port):
        raise click.ClickException(
            f"Port {port} is in use. Stop what uses it, or choose another with --port."
        )
    try:
        laboratory.claim(fresh=fresh)
        laboratory.set_up()
        _run(laboratory, port, seconds, stop)
    except DemoError as e:
        raise click.ClickException(str(e)) from None
    click.echo(f"Stopped. Everything is kept in {laboratory.folder}; the next start goes on from there.")


def _run(laboratory: Laboratory, port: int, seconds: float, stop: threading.Event) -> None:
    from zairyo.demo.laboratory import STATIONS, Processes, write_slowly

    password = laboratory.password()
    with Processes(laboratory.folder / "logs") as processes:
        processes.start("server", "serve", "--data", str(laboratory.data), "--port", str(port))
        processes.wait_for(laboratory.url, stop.is_set)
        for station in STATIONS:
            if stop.is_set():
                return
            laboratory.pair(station)
            folder = str(laboratory.agent_folder(station))
            processes.start(f"agent-{station.slug}", "agent", "run", "-v", "--state", folder)
        files = laboratory.arrivals()
        _tell(laboratory, password, len(files), seconds)
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


def _tell(laboratory: Laboratory, password: str, files: int, seconds: float) -> None:
    from zairyo.demo.laboratory import EMAIL

    click.echo(f"\n  Zairyo      {click.style(laboratory.url, bold=True)}")
    click.echo(
        f"  sign in     {click.style(EMAIL, bold=True)}   password   {click.style(password, bold=True)}"
    )
    click.echo(f"  instruments {laboratory.folder / 'instruments'}")
    click.echo(f"  kept in     {laboratory.folder}   (Ctrl-C stops and keeps it)\n")
    if files:
        click.echo(f"{files} real files arrive over {seconds:g} s; watch the page Measurements.")


def _is_free(port: int) -> bool:
    with socket.socket() as s:
        if sys.platform != "win32":  # there it would take a port that is in use
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
