"""``zairyo describe``: files → named numbers with unit, uncertainty and method."""

from __future__ import annotations

import csv
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from zairyo.descriptors import CannotDescribe, Descriptors, compute
from zairyo.measurement import Measurement, MeasurementError, nexus
from zairyo.readers import registry
from zairyo.readers._api import RawInput
from zairyo.readers.limits import Limits
from zairyo.readers.sandbox import Sandbox, SandboxError, Translated

_COLUMNS = (
    "path", "entry", "item", "name", "value", "uncertainty", "unit", "method", "method_version", "parameters",
    "warnings",
)  # fmt: skip


class _Failed(Exception):
    """An input that gives no numbers: the kind of the problem, and the message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@click.command(short_help="Numbers from measurements: peaks, enthalpies, capacities, fits.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--method", metavar="NAME", help="Only this method; each that fits the technique if not given.")
@click.option("--entry", metavar="NAME", help="Only this entry of a measurement.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter, as low=100 or low='373 K'."
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each input, on standard output.")
@click.option("--csv", "as_csv", is_flag=True, help="One table of all inputs, on standard output.")
@click.option("--reader", metavar="NAME", help="Use this reader instead of finding one.")
@click.option(
    "--seconds", type=click.FloatRange(min=0.1), default=Limits.seconds, help="Limit for reading one file."
)
def command(
    paths: tuple[Path, ...],
    method: str | None,
    entry: str | None,
    settings: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    reader: str | None,
    seconds: float,
) -> None:
    """Derive named numbers from measurements, each with unit, uncertainty, method and limits.

    FILE is an instrument's file, a folder of them, or a standard-form file (.nxs). The methods, what they give and
    their parameters are in the documentation (Descriptors). A number that the data do not give is refused, with
    the reason. Instruments' files are read in a child process that cannot do harm.

    The exit status is 0 if every input gave numbers, else 1.
    """
    if as_json and as_csv:
        raise click.UsageError("give --json or --csv, not both")
    parameters = _parameters(settings)
    write = _Csv() if as_csv else _Json() if as_json else _Text()
    total = failed = 0
    try:
        with Sandbox(Limits(seconds=seconds)) as sandbox:
            for raw in registry.inputs(paths):
                total += 1
                try:
                    found = compute(_measurement(sandbox, raw, reader), method, entry=entry, **parameters)
                except CannotDescribe as e:
                    failed += 1
                    write.failed(str(raw.path), "cannot_describe", str(e))
                except _Failed as e:
                    failed += 1
                    write.failed(str(raw.path), e.kind, str(e))
                else:
                    write.found(str(raw.path), found)
    except SandboxError as e:
        raise click.ClickException(str(e)) from None
    if not total:
        raise click.ClickException("there is no file to describe")
    sys.exit(1 if failed else 0)


def _parameters(settings: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip().isidentifier():
            raise click.UsageError(f"--set {setting!r}: write KEY=VALUE, as low=100")
        if key.strip() in ("measurement", "method", "entry", "registry"):
            raise click.UsageError(f"--set {setting!r}: {key.strip()} is no parameter")
        found[key.strip()] = value.strip()
    return found


def _measurement(sandbox: Sandbox, raw: RawInput, reader: str | None) -> Measurement:
    """The standard form of an input; what a raw file becomes is kept no longer than needed."""
    try:
        if reader is None and registry.is_standard_form(raw.path):
            nexus.check(raw.path)
            return nexus.read(raw.path)
        with tempfile.TemporaryDirectory(prefix="zairyo-describe-") as folder:
            result = sandbox.translate(
                raw.path, Path(folder), parts=raw.parts, reader=reader, name="described.nxs", group=""
            )
            if not isinstance(result, Translated):
                raise _Failed(result.kind, result.message)
            return nexus.read(result.path)
    except (OSError, MeasurementError) as e:
        raise _Failed("unreadable", f"{raw.path.name} cannot be read: {e}") from None


class _Text:
    def found(self, path: str, found: Descriptors) -> None:
        click.echo(f"{path}: {found!r}")

    def failed(self, path: str, kind: str, message: str) -> None:
        click.secho(f"✗ {path}: {message}", fg="red", err=True)


class _Json(_Text):
    def found(self, path: str, found: Descriptors) -> None:
        refused = [{"entry": r.entry, "method": r.method, "message": r.message} for r in found.refused]
        line = {"path": path, "descriptors": [d.as_dict() for d in found], "refused": refused}
        click.echo(json.dumps(line, ensure_ascii=False))

    def failed(self, path: str, kind: str, message: str) -> None:
        click.echo(
            json.dumps({"path": path, "error": {"kind": kind, "message": message}}, ensure_ascii=False)
        )


class _Csv(_Text):
    """A table on standard output; what failed is told beside it."""

    def __init__(self) -> None:
        self._row(_COLUMNS)

    def found(self, path: str, found: Descriptors) -> None:
        for d in found:
            told: dict[str, Any] = {"path": path, **d.as_dict()}
            told["parameters"] = json.dumps(told["parameters"], ensure_ascii=False)
            told["warnings"] = " ".join(told["warnings"])
            self._row(["" if told[c] is None else told[c] for c in _COLUMNS])

    def _row(self, cells: Any) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        click.echo(text.getvalue(), nl=False)
