"""``zairyo translate``: instrument files → standard-form files, one result an input."""

from __future__ import annotations

import filecmp
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from zairyo.readers import registry
from zairyo.readers._api import RawInput
from zairyo.readers.limits import Limits
from zairyo.readers.sandbox import Sandbox, SandboxError, Translated


@click.command(short_help="Translate instrument files into the standard form.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="Folder for the results; made if missing.  [default: the current folder]",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each input, on standard output.")
@click.option(
    "--reader", metavar="NAME", help="Use this reader instead of finding one; see `zairyo formats`."
)
@click.option("--force", is_flag=True, help="Replace results of the same name that differ.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=Limits.seconds, help="Limit for one file.")
def command(
    paths: tuple[Path, ...], output: Path, as_json: bool, reader: str | None, force: bool, seconds: float
) -> None:
    """Translate instrument files into NeXus/HDF5 files in the standard form.

    PATH is a file, a folder that is one measurement (such as .D), or a folder whose files are all translated,
    without those that are hidden. Files that belong together (map.emi, map_1.ser) are one input. The result of
    scan.xrdml is scan.xrdml.nxs. Two inputs of one name give scan.xrdml.nxs and scan.xrdml-2.nxs; a file that was
    there before and differs is kept, and the input fails, unless --force is given. Files are read in a child
    process that cannot do harm.

    The exit status is 0 if all were translated, else 1.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise click.ClickException(f"{output}: {e.strerror}") from None
    names = _Names(output, force)
    total = failed = 0
    show = _show_json if as_json else _show
    try:
        with _heeding_ctrl_c() as check, Sandbox(Limits(seconds=seconds)) as sandbox:
            for raw in _inputs(paths):
                check()
                total += 1
                _progress(f"{total}: {raw.path.name}")
                outcome = _translate(sandbox, raw, reader, names)
                _progress("")
                failed += "error" in outcome
                show(outcome)
    except SandboxError as e:
        raise click.ClickException(str(e)) from None
    except OSError as e:
        raise click.ClickException(f"{output}: {e.strerror or e}") from None
    if not total:
        raise click.ClickException("there is no file to translate")
    if not as_json and total > 1:
        click.echo(f"{total - failed} of {total} translated", err=True)
    sys.exit(1 if failed else 0)


@contextmanager
def _heeding_ctrl_c() -> Iterator[Callable[[], None]]:
    """What is given raises Ctrl-C again: Python drops the exception where it comes within a destructor."""
    pressed = False

    def note(*_: object) -> None:
        nonlocal pressed
        pressed = True
        raise KeyboardInterrupt

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield check
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _inputs(paths: tuple[Path, ...]) -> Iterator[RawInput]:
    """The inputs, without standard-form files that were found in a folder: an earlier run put them there."""
    for raw in registry.inputs(paths):
        if raw.path in paths or not registry.is_standard_form(raw.path):
            yield raw


class _Names:
    """Names for the results of one run."""

    def __init__(self, folder: Path, force: bool) -> None:
        self.folder = folder
        self._force = force
        self._given: set[str] = set()

    def next(self, raw: RawInput) -> Path:
        stem, number = raw.path.absolute().name, 1
        name = f"{stem}.nxs"
        while name.casefold() in self._given:
            number += 1
            name = f"{stem}-{number}.nxs"
        self._given.add(name.casefold())
        return self.folder / name

    def place(self, made: Path, target: Path) -> bool:
        """Move ``made`` to ``target``; False, and ``made`` removed, if another file is there."""
        if target.exists() and not self._force and not filecmp.cmp(made, target, shallow=False):
            made.unlink()
            return False
        os.replace(made, target)
        return True


def _translate(sandbox: Sandbox, raw: RawInput, reader: str | None, names: _Names) -> dict[str, Any]:
    target = names.next(raw)
    path = str(raw.path)
    made = f".{os.getpid()}.{target.name}"
    result = sandbox.translate(raw.path, names.folder, parts=raw.parts, reader=reader, name=made, group="")
    if not isinstance(result, Translated):
        return {"path": path, "error": {"kind": result.kind, "message": result.message}}
    if not names.place(result.path, target):
        message = f"{target} is there already and differs. --force replaces it, -o names another folder."
        return {"path": path, "error": {"kind": "exists", "message": message}}
    summary = result.summary
    entries = summary["entries"]
    drawn = next(entry for entry in entries if entry["name"] == summary["default"])
    return {
        "path": path,
        "reader": result.reader,
        "reader_version": result.reader_version,
        "technique": summary["technique"],
        "entries": [entry["name"] for entry in entries],
        "signals": [
            {"entry": entry["name"], "name": s["name"], "unit": s["unit"], "shape": s["shape"]}
            for entry in entries
            for s in entry["signals"]
        ],
        "default": {"entry": drawn["name"], "signal": drawn["default"]},
        "warnings": summary["warnings"],
        "output": str(target),
        "seconds": round(result.seconds, 4),
    }


def _show_json(outcome: dict[str, Any]) -> None:
    said = {key: value for key, value in outcome.items() if key != "default"}
    click.echo(json.dumps(said, ensure_ascii=False))


def _show(outcome: dict[str, Any]) -> None:
    if "error" in outcome:
        click.secho(f"✗ {outcome['path']}: {outcome['error']['message']}", fg="red", err=True)
        return
    entries = len(outcome["entries"])
    drawn = outcome["default"]
    signal = next(
        s for s in outcome["signals"] if (s["entry"], s["name"]) == (drawn["entry"], drawn["signal"])
    )
    shape = " × ".join(map(str, signal["shape"]))
    what = f"{outcome['reader']}, {outcome['technique']}, {entries} {'entry' if entries == 1 else 'entries'}"
    click.echo(f"✓ {outcome['path']} → {outcome['output']}  ({what}, {signal['name']} {shape})")
    for warning in outcome["warnings"]:
        click.secho(f"  {warning}", fg="yellow", err=True)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)
