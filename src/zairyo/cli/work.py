"""``zairyo work``: a further translation worker."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

import click

from zairyo.cli.serve import LOG_LEVELS, server_options, settings_of


@click.command()
@server_options
@click.option("--workers", type=int, help="Child processes that translate [default: cores; ZAIRYO_WORKERS].")
@click.option("--log-level", type=click.Choice(LOG_LEVELS), help="[default: info]")
def work(**given: Any) -> None:
    """Translate what waits, beside the server or where its data folder and database can be reached.

    Any number may run; each takes what no other has, and what one leaves when it is killed the others take.
    """
    settings = settings_of(**given)
    if not settings.workers:
        raise click.ClickException("with 0 workers there is nothing to run; give --workers 1 or more.")
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)

    from zairyo.server.db import DatabaseError
    from zairyo.server.platform import open_platform

    try:
        platform = open_platform(settings)
    except (DatabaseError, OSError) as e:
        raise click.ClickException(str(e)) from None
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    platform.translation.start()
    click.echo(f"Translating with {settings.workers} processes for {settings.data}. Ctrl-C stops it.")
    # In steps: on Windows a wait without end does not let a signal through.
    while not ended.wait(1.0):
        pass
    platform.translation.stop()
    platform.objects.close()
    platform.db.close()
