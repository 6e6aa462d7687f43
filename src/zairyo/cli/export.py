"""``zairyo export``: measurements in the forms that others take."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from zairyo.exports import FORMS, Content, ExportError, Parcel, export, sha256_of, write_folder, write_zip
from zairyo.measurement import Measurement, MeasurementError, nexus
from zairyo.readers import registry
from zairyo.readers._api import RawInput
from zairyo.readers.sandbox import Sandbox, SandboxError, Translated


@click.command(short_help="Hand measurements on as RDE, MaiML or RO-Crate.")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="FILE..."
)
@click.option("--to", "form", type=click.Choice(list(FORMS)), required=True, help="The form.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="Folder for the results; made if missing.  [default: the current folder]",
)
@click.option("--zip", "as_zip", is_flag=True, help="A zip archive rather than a folder.")
@click.option(
    "--raw",
    type=click.Path(path_type=Path, exists=True),
    help="For a standard-form FILE: the raw file, or the folder with the raw files, that it was read from.",
)
@click.option("--license", "licence", metavar="URL", default="", help="A licence; RO-Crate says it.")
@click.option("--reader", metavar="NAME", help="Read with this reader; see `zairyo formats`.")
def command(
    paths: tuple[Path, ...],
    form: str,
    output: Path,
    as_zip: bool,
    raw: Path | None,
    licence: str,
    reader: str | None,
) -> None:
    """Hand measurements on in a form that others take.

    FILE is an instrument's file (or a folder or set that is one measurement), which is translated first, or a
    standard-form file (.nxs). The result of scan.xrdml is the folder scan.xrdml-ro-crate, or the archive
    scan.xrdml.ro-crate.zip. The raw file goes with it; of a standard-form file only if --raw says where it is.

    The exit status is 0 if all were exported, else 1.
    """
    if raw is not None and (len(paths) != 1 or not registry.is_standard_form(paths[0])):
        raise click.UsageError("--raw goes with one standard-form file")
    output.mkdir(parents=True, exist_ok=True)
    failed = False
    try:
        with Sandbox() as sandbox, tempfile.TemporaryDirectory(prefix="zairyo-export-") as folder:
            for found in registry.inputs(paths):
                name = found.path.absolute().name
                name = name.removesuffix(".nxs") if registry.is_standard_form(found.path) else name
                target = output / f"{name}{f'.{form}.zip' if as_zip else f'-{form}'}"
                try:
                    parcel = _parcel(
                        found, name, raw, licence, lambda r: _translated(sandbox, r, reader, Path(folder))
                    )
                    _write(export(parcel, form), target, as_zip)
                    click.echo(f"✓ {found.path} → {target}")
                except (ExportError, MeasurementError) as e:
                    failed = True
                    click.secho(f"✗ {found.path}: {e}", fg="red", err=True)
    except SandboxError as e:
        raise click.ClickException(str(e)) from None
    except OSError as e:
        raise click.ClickException(f"{e.filename or output}: {e.strerror or e}") from None
    sys.exit(1 if failed else 0)


def _parcel(
    found: RawInput, name: str, raw: Path | None, licence: str, translated: Callable[[RawInput], Path]
) -> Parcel:
    """What is exported of one input."""
    at = datetime.now(UTC).replace(microsecond=0)
    if registry.is_standard_form(found.path):
        measurement = nexus.read(found.path)
        given = {} if raw is None else _raw_files(measurement, RawInput(raw))
        return Parcel(measurement, name, at, given, found.path, licence)
    standard = translated(found)
    given = {m: found.member_path(m) for m in found.members} if found.is_folder else {name: found.path}
    return Parcel(nexus.read(standard), name, at, given, standard, licence)


def _translated(sandbox: Sandbox, found: RawInput, reader: str | None, folder: Path) -> Path:
    result = sandbox.translate(found.path, folder, parts=found.parts, reader=reader, group="")
    if not isinstance(result, Translated):
        raise ExportError(result.message)
    return result.path


def _raw_files(measurement: Measurement, raw: RawInput) -> dict[str, Content]:
    """The raw files of a measurement, by the names that it knows them by: what is in them says which is which."""
    paths = [raw.member_path(name) for name in raw.members] if raw.is_folder else [raw.path]
    by_hash: Mapping[str, Path] = {sha256_of(path): path for path in paths}
    known = measurement.source.raw_files if measurement.source else ()
    found: dict[str, Content] = {f.name: by_hash[f.sha256] for f in known if f.sha256 in by_hash}
    if not found:
        said = ", ".join(f.name for f in known) or "no file that is known"
        raise ExportError(f"it was read from {said}, which is not what is in {raw.path}")
    return found


def _write(files: Mapping[str, Content], target: Path, as_zip: bool) -> None:
    """Write an export whole or not at all."""
    if target.exists():
        raise ExportError(f"{target} is there already. Remove it, or name another folder with -o.")
    part = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        (write_zip if as_zip else write_folder)(files, part)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        part.unlink(missing_ok=True)
        raise
