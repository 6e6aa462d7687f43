"""``zairyo serve``: the platform in one process."""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from zairyo.server.platform import Platform
    from zairyo.server.settings import Settings

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")
#: Requests still running when the server is told to stop get so long, in seconds.
GRACE_SECONDS = 10

Command = TypeVar("Command", bound=Callable[..., Any])


def server_options(command: Command) -> Command:
    """``--data`` and ``--database``, which every command that opens the platform has."""
    for option in (
        click.option(
            "--database", help="SQLAlchemy URL [default: SQLite in the data folder; ZAIRYO_DATABASE]."
        ),
        click.option(
            "--data",
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder of objects and catalogue [default: the user's data folder; ZAIRYO_DATA].",
        ),
    ):
        command = option(command)
    return command


def settings_of(**given: Any) -> Settings:
    """Settings from flags and the environment; a mistake ends the command with a sentence."""
    from zairyo.server.settings import SettingsError, from_environment

    try:
        return from_environment(**given)
    except SettingsError as e:
        raise click.ClickException(str(e)) from None


@click.command()
@server_options
@click.option("--host", help="Address to listen at [default: 127.0.0.1; ZAIRYO_HOST].")
@click.option("--port", type=int, help="Port to listen at [default: 8000; ZAIRYO_PORT].")
@click.option("--workers", type=int, help="Child processes that translate [default: cores; ZAIRYO_WORKERS].")
@click.option("--public-url", help="How browsers and agents reach it, e.g. https://zairyo.example.org.")
@click.option("--log-level", type=click.Choice(LOG_LEVELS), help="[default: info]")
@click.option(
    "--allow-http", is_flag=True, help="Listen for other machines without https (a closed network)."
)
def serve(allow_http: bool, **given: Any) -> None:
    """Run the platform: web, API, intake and translation."""
    settings = settings_of(**given)
    _refuse_open_passwords(settings, allow_http)
    listener = _listen(settings)
    _log_to_terminal(settings.log_level)

    from zairyo.server.api.app import create_app
    from zairyo.server.db import DatabaseError

    try:
        app = create_app(settings)
    except (DatabaseError, OSError) as e:
        listener.close()
        raise click.ClickException(str(e)) from None
    _run(app, settings, listener)


def _run(app: Any, settings: Settings, listener: socket.socket) -> None:
    import uvicorn

    platform: Platform = app.state.platform

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                _greet(platform, settings, listener.getsockname()[1])

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Open pages hold a stream of events each, which would otherwise be waited for.
            platform.events.close_streams()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning" if settings.log_level == "info" else settings.log_level,
        access_log=settings.log_level == "debug",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=65,  # longer than agents pause between files and proxies keep theirs
    )
    server = Server(config)
    # After it has stopped cleanly, uvicorn raises the signal again for who was there before it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        sys.exit(3)


def _greet(platform: Platform, settings: Settings, port: int) -> None:
    from zairyo import __version__
    from zairyo.server.admin import has_accounts

    url = settings.public_url or settings.url.rsplit(":", 1)[0] + f":{port}"
    click.echo(f"Zairyo {__version__} is ready: {url}")
    click.echo(f"Its data is in {settings.data}. Ctrl-C stops it.")
    with platform.db.read() as session:
        if has_accounts(session):
            return
    where = "".join(
        f" --{name} '{value}'"
        for name, value in (("data", settings.data), ("database", settings.database))
        if value
    )
    click.echo("\nNobody can sign in yet. In another terminal, make the first account:")
    click.echo(f"  zairyo admin{where} account add you@example.org --name 'Your Name' --admin")


def _refuse_open_passwords(settings: Settings, allow_http: bool) -> None:
    if allow_http or settings.secure or _is_loopback(settings.host):
        return
    raise click.ClickException(
        f"at {settings.host} other machines would send their passwords in the open. Put a proxy with https in front "
        "and name its address with --public-url https://…, or, in a closed network, add --allow-http."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(settings: Settings) -> socket.socket:
    """Take the port first, so that a second server stops before it touches the database."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as stack:
            listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            if sys.platform != "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(2048)
            stack.pop_all()
            return listener
    except OSError as e:
        raise click.ClickException(
            f"cannot listen at {settings.host}:{settings.port}: {e.strerror or e}. Is a server running there already? "
            "Choose another port with --port."
        ) from None


def _log_to_terminal(level: str) -> None:
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if level == "info":
        logging.getLogger("alembic").setLevel(logging.WARNING)
