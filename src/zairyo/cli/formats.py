"""``zairyo formats``: what can be read, and the draft of a description for what cannot yet."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click


@click.group(invoke_without_command=True, short_help="List the formats that can be read; draft a new one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List the formats that can be read, by technique, vendor and ending.

    Files are recognised by what is in them; the ending only helps where text does not say what it is.
    """
    if context.invoked_subcommand:
        return
    from zairyo.measurement.techniques import TECHNIQUES
    from zairyo.readers.registry import default_registry

    registry = default_registry()
    readers = sorted(registry.readers.values(), key=lambda r: (r.vendor.casefold(), r.format.casefold()))
    if as_json:
        fields = ("name", "version", "techniques", "vendor", "format", "endings", "notes")
        listed = [{f: getattr(reader, f) for f in fields} for reader in readers]
        click.echo(json.dumps(listed, ensure_ascii=False))
    else:
        for key, technique in TECHNIQUES.items():
            mine = [r for r in readers if key in r.techniques]
            if not mine:
                continue
            click.secho(technique.title, bold=True)
            for reader in mine:
                what = f"{reader.vendor} {reader.format}".strip()
                click.echo(f"  {what:<46} {' '.join(reader.endings):<22} {reader.name}")
    for problem in registry.problems:
        click.secho(f"not loaded: {problem.where}: {problem.message}", fg="red", err=True)


@command.command(short_help="Draft the description of a text format from one of its files.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where the description goes, - for standard output.  [default: the folder where Zairyo looks for yours]",
)
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: take what can be seen, and remark on the rest.")
@click.option("--force", is_flag=True, help="Replace a description that is there.")
def new(file: Path, output: Path | None, yes: bool, force: bool) -> None:
    """Draft the description of a text format from one of its files.

    Looks where the table is, how numbers, dates and the header are written, and which names of the vocabulary the
    columns are; asks what the file does not say; writes the description and tries it on FILE.
    """
    from zairyo.readers._api import RawInput, ReadError
    from zairyo.readers._draft import draft
    from zairyo.readers._draft_look import look

    try:
        seen = look(RawInput(file))
    except ReadError as e:
        raise click.ClickException(str(e)) from None
    click.echo(_told(seen), err=True)
    made = draft(seen, file.name, _default if yes or not sys.stdin.isatty() else _ask)
    text = made.to_yaml()
    if str(output) == "-":
        click.echo(text, nl=False)
        return
    path = output or _own_folder() / f"{made.name}.yaml"
    if path.exists() and not force:
        raise click.ClickException(f"{path} is there already. --force replaces it, -o names another file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as e:
        raise click.ClickException(f"{path}: {e.strerror}") from None
    click.echo(f"Written to {path}", err=True)
    _try(path, file)


def _told(seen: object) -> str:
    from zairyo.readers._draft_look import Look
    from zairyo.readers.delimited_text import DELIMITERS

    assert isinstance(seen, Look)
    by = next(name for name, mark in DELIMITERS.items() if mark == seen.delimiter)
    marks = "decimal commas" if seen.decimal == "," else "decimal points"
    marks += f", {seen.thousands!r} between thousands" if seen.thousands else ""
    return (
        f"A table of {len(seen.columns)} columns between {by}s, {marks}, in {seen.encoding.upper()}; "
        f"{len(seen.pairs)} keys and values above it."
    )


def _default(_question: str, _choices: Sequence[str], default: str) -> str:
    return default


def _ask(question: str, choices: Sequence[str], default: str) -> str:
    if choices:
        shown = ", ".join(choices[:8]) + (", …" if len(choices) > 8 else "")
        question = f"{question} ({shown})"
    while True:
        answer: str = click.prompt(question, default=default, show_default=bool(default), err=True).strip()
        if not choices or answer in choices:
            return answer
        click.secho(f"  {answer!r} is none of {', '.join(choices)}", fg="red", err=True)


def _own_folder() -> Path:
    from platformdirs import user_config_path

    return user_config_path("zairyo") / "formats"


def _try(path: Path, file: Path) -> None:
    """Read the file by the new description alone, and say what else would take it."""
    from zairyo.measurement import MeasurementError
    from zairyo.readers import invariants, registry
    from zairyo.readers._api import RawInput, ReadError
    from zairyo.readers.delimited import DescriptionError, load_reader

    raw = RawInput(file)
    try:
        reader = load_reader(path)
        measurement = invariants.check(reader.read(raw), reader)
    except (DescriptionError, ReadError, MeasurementError) as e:
        raise click.ClickException(
            f"{e}\nThe draft does not read {file.name} yet: change it in {path}."
        ) from None
    if reader.sniff(raw) <= 0:
        raise click.ClickException(f"The draft does not recognise {file.name}: change `recognise` in {path}.")
    click.echo(f"\n{measurement!r}\n", err=True)
    try:
        other = registry.find(raw)
    except ReadError:
        return
    if other.name != reader.name and other.surest >= reader.surest:
        click.echo(
            f"{other.vendor} {other.format} ({other.name}) takes this file too. To have it read by the new "
            "description, say `sure: certain` under `recognise`.".lstrip(),
            err=True,
        )
