"""``zairyo agent``: beside an instrument."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

_STATE = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="ZAIRYO_AGENT",
    help="The agent's own folder (spool, receipts, token); one for each instrument. [ZAIRYO_AGENT]",
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
    from zairyo.agent.pairing import pair as do_pair

    with _in_words():
        paired = do_pair(url, code, folder, _folder(state))
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
    from zairyo.agent.run import Agent
    from zairyo.agent.state import only_one

    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    folder = _folder(state)
    with _in_words(), only_one(folder), Agent(folder) as worker:
        for name in ("SIGTERM", "SIGINT"):
            signal.signal(getattr(signal, name), lambda *_: worker.stop())
        if not once:
            worker.run()
            return
        worker.heartbeat()
        worker.look()
        worker.send_all()
        counts, problems = worker.spool.counts(), worker.troubles()
        if why := worker.barred or worker.away:
            problems.append(f"Files wait: {why}")
        unfinished = worker.unfinished
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(_summary(counts) + (f", {unfinished} not finished yet" if unfinished else ""))
    if counts["waiting"] or counts["failed"] or unfinished or problems:
        sys.exit(1)


@agent.command()
@click.option("-n", "count", default=10, show_default=True, help="So many of the last files.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@_STATE
def status(count: int, as_json: bool, state: Path | None) -> None:
    """Tell what waits, what failed and why, and the receipts of what was sent."""
    from zairyo.agent.spool import Spool
    from zairyo.agent.state import load

    folder = _folder(state)
    with _in_words():
        known = load(folder)
        spool = Spool(folder)
    try:
        counts, sent, notes = spool.counts(), spool.recent(count), spool.notes(count)
        failed, stuck = spool.failed(count), spool.stuck(count)
    finally:
        spool.close()
    if as_json:
        said: dict[str, Any] = {
            "server": known.url, "instrument": known.instrument, "name": known.name, "folder": known.folder,
            **counts,
            "recent": [{name: getattr(item, name) for name in _TOLD} for item in (*failed, *stuck, *sent)],
            "notes": [{"at": at, "text": text} for at, text in notes],
        }  # fmt: skip
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    click.echo(f"{known.name} ({known.instrument}): {known.folder} → {known.url}")
    click.echo(_summary(counts))
    for item in failed:
        click.echo(f"  not taken  {item.path}: {item.error}")
    for item in stuck:
        click.echo(f"  waits      {item.path}: {item.error}")
    for item in sent:
        for receipt in item.receipts:
            again = "  (was there already)" if receipt.get("duplicate") else ""
            name = item.path if not item.is_folder else f"{item.path}/{receipt['name']}"
            to = f"sha256 {receipt['sha256'][:16]}…  → {receipt['measurement']}{again}"
            click.echo(f"  {_local(item.sent_at)}  {name}  {to}")
    for at, text in notes:
        click.echo(f"  {_local(at)}  {text}")


@agent.command()
@_STATE
def retry(state: Path | None) -> None:
    """Let the files that were not taken be sent again."""
    from zairyo.agent.spool import Spool
    from zairyo.agent.state import load

    folder = _folder(state)
    with _in_words():
        load(folder)
        spool = Spool(folder)
    try:
        click.echo(f"Files that wait again: {spool.retry()}")
    finally:
        spool.close()


_TOLD = ("path", "size", "state", "error", "sent_at", "receipts")


def _folder(state: Path | None) -> Path:
    from zairyo.agent.state import default_folder

    return state.expanduser().absolute() if state else default_folder()


def _summary(counts: dict[str, int]) -> str:
    return f"{counts['sent']} sent, {counts['waiting']} waiting, {counts['failed']} not taken"


def _local(at: float | None) -> str:
    return f"{datetime.fromtimestamp(at or 0).astimezone():%Y-%m-%d %H:%M:%S}"


@contextmanager
def _in_words() -> Iterator[None]:
    from zairyo.agent.state import AgentError

    try:
        yield
    except AgentError as e:
        raise click.ClickException(str(e)) from None
