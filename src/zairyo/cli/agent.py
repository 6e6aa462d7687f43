"""``zairyo agent``: beside an instrument."""

from __future__ import annotations

import json
import logging
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

_STATE = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="ZAIRYO_AGENT",
    help="The agent's own folder (spool, receipts, token). One for each instrument.",
)


@click.group()
def agent() -> None:
    """Send an instrument's files by themselves."""


@agent.command()
@click.argument("url")
@click.argument("code")
@click.option(
    "--folder",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder that the instrument writes to.",
)
@_STATE
def pair(url: str, code: str, folder: Path, state: Path | None) -> None:
    """Make this machine the agent of the instrument that shows CODE at the server URL."""
    from zairyo.agent.run import pair as do_pair

    paired = _or_exit(do_pair, url, code, folder, _folder(state))
    click.echo(f"Paired: this machine sends the files of {paired.name} in {paired.folder} to {paired.url}.")
    click.echo("Now run: zairyo agent run" + (f" --state {state}" if state else ""))


@agent.command()
@click.option(
    "--once", is_flag=True, help="Look and send once, then end; status 1 if something still waits or failed."
)
@click.option("-v", "--verbose", is_flag=True, help="Tell what happens.")
@_STATE
def run(once: bool, verbose: bool, state: Path | None) -> None:
    """Watch the folder and send, until stopped."""
    from zairyo.agent.run import Agent, only_one
    from zairyo.agent.state import AgentError

    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    folder = _folder(state)
    try:
        with only_one(folder):
            worker = Agent(folder)
            for name in ("SIGTERM", "SIGINT"):
                signal.signal(getattr(signal, name), lambda *_: worker.stop())
            if once:
                worker.heartbeat()
                worker.look()
                worker.send_all()
                counts = worker.spool.counts()
                click.echo(_summary(counts))
                sys.exit(1 if counts["waiting"] or counts["failed"] else 0)
            worker.run()
    except AgentError as e:
        raise click.ClickException(str(e)) from None


@agent.command()
@click.option("-n", "count", default=10, show_default=True, help="So many of the last files.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@_STATE
def status(count: int, as_json: bool, state: Path | None) -> None:
    """Tell what waits, what failed and why, and the receipts of what was sent."""
    from zairyo.agent.spool import Spool
    from zairyo.agent.state import load

    folder = _folder(state)
    known = _or_exit(load, folder)
    spool = Spool(folder)
    counts, recent, failed = spool.counts(), spool.recent(count), spool.failed(count)
    if as_json:
        said: dict[str, Any] = {
            "server": known.url, "instrument": known.instrument, "folder": known.folder, **counts,
            "recent": [{name: getattr(item, name) for name in _TOLD} for item in recent],
            "notes": [{"at": at, "text": text} for at, text in spool.notes(count)],
        }  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    click.echo(f"{known.name} ({known.instrument}): {known.folder} → {known.url}")
    click.echo(_summary(counts))
    for item in failed:
        click.echo(f"  not taken  {item.path}: {item.error}")
    for item in recent:
        for receipt in item.receipts:
            when = (
                datetime.fromtimestamp(item.sent_at or time.time()).astimezone().strftime("%Y-%m-%d %H:%M:%S")
            )
            again = "  (was there already)" if receipt.get("duplicate") else ""
            click.echo(
                f"  {when}  {item.path}  sha256 {str(receipt['sha256'])[:16]}…  → {receipt['measurement']}{again}"
            )
    for at, text in spool.notes(5):
        click.echo(f"  {datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S}  {text}")


@agent.command()
@_STATE
def retry(state: Path | None) -> None:
    """Let the files that were not taken be sent again."""
    from zairyo.agent.spool import Spool
    from zairyo.agent.state import load

    folder = _folder(state)
    _or_exit(load, folder)
    click.echo(f"{Spool(folder).retry()} files wait again.")


_TOLD = ("path", "size", "state", "error", "sent_at", "receipts")


def _folder(state: Path | None) -> Path:
    from zairyo.agent.state import default_folder

    return state.expanduser().absolute() if state else default_folder()


def _summary(counts: dict[str, int]) -> str:
    return f"{counts['sent']} sent, {counts['waiting']} waiting, {counts['failed']} not taken"


def _or_exit(function: Any, *values: Any) -> Any:
    from zairyo.agent.state import AgentError

    try:
        return function(*values)
    except AgentError as e:
        raise click.ClickException(str(e)) from None
