"""``zairyo admin``: accounts, projects, instruments, tokens, backup. Works on the data, with or without a server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zairyo.cli.serve import server_options, settings_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from zairyo.server.db import Database
    from zairyo.server.objects import LocalObjects
    from zairyo.server.settings import Settings

ROLES = ("viewer", "contributor", "steward")
SCOPES = ("read", "upload", "write", "admin")


class Place:
    """Where the data is, opened when a command needs it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[Database]:
        """The catalogue; its errors, and what may not be done, end the command with a sentence."""
        from zairyo.server.admin import Refused
        from zairyo.server.backup import BackupError
        from zairyo.server.db import Database, DatabaseError, migrate
        from zairyo.server.passwords import PasswordError

        try:
            self.settings.data.mkdir(parents=True, exist_ok=True)
            database = Database(self.settings.database_url)
            try:
                if migrated:
                    migrate(database)
                yield database
            finally:
                database.close()
        except (DatabaseError, BackupError, Refused, PasswordError, OSError) as e:
            raise click.ClickException(str(e)) from None

    @contextmanager
    def change(self) -> Iterator[Session]:
        """A transaction on the catalogue."""
        with self.database() as database, database.write() as session:
            yield session

    @contextmanager
    def objects(self) -> Iterator[LocalObjects]:
        """The object store."""
        from zairyo.server.objects import LocalObjects

        store = LocalObjects(self.settings.objects_folder)
        try:
            yield store
        finally:
            store.close()


@click.group()
@server_options
@click.pass_context
def admin(context: click.Context, /, **given: Any) -> None:
    """Accounts, projects, instruments, tokens, backup and restore of a platform."""
    context.obj = Place(settings_of(**given))


# --- accounts --------------------------------------------------------------------------------------------------


@admin.group()
def account() -> None:
    """People who can sign in."""


def _ask_password(password: str | None, stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return (
        password
        if password is not None
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )


def password_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a command is given a password: asked for, unless one of these says otherwise."""
    command = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")(
        command
    )
    return click.option("--password", help="The password; other users may see it in the list of processes.")(
        command
    )


@account.command("add")
@click.argument("email")
@click.option("--name", help="The person's name [default: what stands before the @].")
@click.option("--admin", "is_admin", is_flag=True, help="May manage accounts, projects and instruments.")
@password_options
@click.pass_obj
def account_add(
    place: Place, email: str, name: str | None, is_admin: bool, password: str | None, password_stdin: bool
) -> None:
    """Add an account; its password is asked for."""
    from zairyo.server import admin as service
    from zairyo.server import passwords

    chosen = _ask_password(password, password_stdin)
    with place.database() as database:
        password_hash = passwords.hash_password(chosen)
        with database.write() as session:
            made = service.add_account(
                session, email, name or email.split("@")[0], password_hash=password_hash, is_admin=is_admin
            )
    click.echo(f"{made.email} can sign in now" + (", as an administrator." if is_admin else "."))


@account.command("list")
@click.pass_obj
def account_list(place: Place) -> None:
    """List the accounts."""
    from sqlalchemy import select

    from zairyo.server.models import Account

    with place.database() as database, database.read() as session:
        for a in session.scalars(select(Account).order_by(Account.email)):
            notes = [
                word for word, holds in (("administrator", a.is_admin), ("disabled", not a.active)) if holds
            ]
            click.echo("\t".join([a.email, a.name, ", ".join(notes)]).rstrip())


@account.command("password")
@click.argument("email")
@password_options
@click.pass_obj
def account_password(place: Place, email: str, password: str | None, password_stdin: bool) -> None:
    """Change an account's password and sign its browsers out."""
    from zairyo.server import admin as service
    from zairyo.server import passwords

    chosen = _ask_password(password, password_stdin)
    with place.database() as database:
        password_hash = passwords.hash_password(chosen)
        with database.write() as session:
            service.set_password(session, service.account_by_email(session, email), password_hash)
    click.echo(f"{email} has a new password; its browsers are signed out.")


@account.command("disable")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Let the account in again.")
@click.pass_obj
def account_disable(place: Place, email: str, undo: bool) -> None:
    """Let an account in nowhere any more; what it uploaded stays."""
    from zairyo.server import admin as service

    with place.change() as session:
        found = service.account_by_email(session, email)
        if undo:
            found.active = True
        else:
            service.disable(session, found)
    click.echo(f"{email} is {'enabled' if undo else 'disabled'}.")


# --- projects --------------------------------------------------------------------------------------------------


@admin.group()
def project() -> None:
    """Projects and their members."""


@project.command("add")
@click.argument("name")
@click.option("--slug", help="Its name in addresses [default: made of the name].")
@click.option("--steward", metavar="EMAIL", help="Its first steward.")
@click.pass_obj
def project_add(place: Place, name: str, slug: str | None, steward: str | None) -> None:
    """Add a project."""
    from zairyo.server import admin as service

    with place.change() as session:
        first = service.account_by_email(session, steward) if steward else None
        made = service.add_project(session, name, slug, steward=first)
    click.echo(made.slug)


@project.command("member")
@click.argument("slug")
@click.argument("email")
@click.argument("role", type=click.Choice((*ROLES, "none")))
@click.pass_obj
def project_member(place: Place, slug: str, email: str, role: str) -> None:
    """Give somebody a role in a project; ``none`` ends their membership."""
    from zairyo.server import admin as service
    from zairyo.server.models import Membership

    with place.change() as session:
        found, person = service.project_by_slug(session, slug), service.account_by_email(session, email)
        if role != "none":
            service.set_role(session, found, person, role)
        elif (member := session.get(Membership, (found.id, person.id))) is not None:
            service.remove_member(session, member)
    click.echo(f"{email} is {'no member' if role == 'none' else role} of {slug}.")


# --- instruments -----------------------------------------------------------------------------------------------


@admin.group()
def instrument() -> None:
    """Instruments and their agents."""


@instrument.command("add")
@click.argument("name")
@click.option("--project", "project_slug", required=True, help="Slug of the project its files go to.")
@click.option("--slug", help="Its name in addresses [default: made of the name].")
@click.option("--place", "where", default="", help="Where it stands.")
@click.option("--timezone", default="", help="Of its clock, e.g. Asia/Tokyo [default: the server's].")
@click.pass_obj
def instrument_add(
    place: Place, name: str, project_slug: str, slug: str | None, where: str, timezone: str
) -> None:
    """Add an instrument."""
    from zairyo.server import admin as service

    with place.change() as session:
        into = service.project_by_slug(session, project_slug)
        made = service.add_instrument(session, into, name, slug=slug, place=where, timezone=timezone)
    click.echo(made.slug)


@instrument.command("pair")
@click.argument("slug")
@click.pass_obj
def instrument_pair(place: Place, slug: str) -> None:
    """Print the command with which its agent pairs, once, within 15 minutes."""
    from zairyo.server import admin as service

    with place.change() as session:
        pairing = service.new_pairing(service.instrument_by_slug(session, slug))
    click.echo(service.pairing_command(place.settings.url, pairing.code))


# --- tokens ----------------------------------------------------------------------------------------------------


@admin.group()
def token() -> None:
    """Tokens for programs."""


@token.command("add")
@click.argument("email")
@click.option("--name", default="zairyo admin", help="What it is for.")
@click.option(
    "--scope", "scopes", type=click.Choice(SCOPES), multiple=True, default=("read",), show_default=True
)
@click.option("--days", type=int, help="How long it lasts [default: until it is revoked].")
@click.pass_obj
def token_add(place: Place, email: str, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a token of somebody's and print it, this once."""
    from zairyo.server import admin as service

    with place.change() as session:
        person = service.account_by_email(session, email)
        _, secret = service.add_token(session, person.id, name, scopes, days)
    click.echo(secret)


@token.command("revoke")
@click.argument("text_or_uid")
@click.pass_obj
def token_revoke(place: Place, text_or_uid: str) -> None:
    """Revoke a token, by its text (a leaked one) or its uid."""
    from zairyo.server import admin as service

    with place.change() as session:
        name = service.revoke_token(session, text_or_uid)
    click.echo(f"The token {name!r} is revoked.")


# --- backup ----------------------------------------------------------------------------------------------------


def _progress() -> Callable[[str, int, int], None]:
    """Tell of progress on standard error, in place."""
    last = ""

    def report(what: str, done: int, of: int) -> None:
        nonlocal last
        line = f"{what}: {done} of {of}"
        if sys.stderr.isatty() and line != last:
            click.echo(f"\r{line:<60}" + ("\n" if done == of else ""), nl=False, err=True)
        last = line

    return report


@admin.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def backup(place: Place, folder: Path) -> None:
    """Write catalogue and objects into a new FOLDER; the server may go on running."""
    from zairyo.server import backup as service

    with place.database() as database, place.objects() as objects:
        made = service.backup(database, objects, folder, _progress())
    rows = sum(table.rows for table in made.tables)
    click.echo(f"{folder}: {rows} rows and {made.objects} objects ({made.bytes / 1e6:.1f} MB), all verified.")


@admin.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_obj
def restore(place: Place, folder: Path) -> None:
    """Put a backup's FOLDER back, into an empty data folder and database; SQLite or PostgreSQL."""
    from zairyo.server import restore as service

    with place.database(migrated=False) as database, place.objects() as objects:
        made = service.restore(folder, database, objects, _progress())
    rows = sum(table.rows for table in made.tables)
    click.echo(
        f"{rows} rows and {made.objects} objects of {made.made_at:%Y-%m-%d %H:%M} are back, all verified."
    )


@admin.command()
@click.pass_obj
def verify(place: Place) -> None:
    """Read every object and compare it with the catalogue; exit status 1 if one is missing or damaged."""
    from zairyo.server import backup as service

    with place.database() as database, place.objects() as objects:
        found = service.verify(database, objects, _progress())
    for word, names in (("missing", found.missing), ("damaged", found.damaged)):
        for sha256 in names:
            click.echo(f"{word}\t{sha256}")
    click.echo(
        f"{found.objects} objects ({found.bytes / 1e6:.1f} MB): {len(found.missing)} missing, "
        f"{len(found.damaged)} damaged; {found.unnamed} more that nothing names."
    )
    if not found.good:
        raise SystemExit(1)
