"""Structuring programs of NIMS's Research Data Express (RDE) as readers, unchanged.

Such a program is a folder with a function ``dataset(srcpaths, resource_paths)`` and ``tasksupport/``; a YAML file
beside the descriptions of text formats plugs it in. It is run by ``rdetoolkit``'s own workflow in a scratch folder;
the tables it writes into ``structured/`` are read as any delimited text is, and its ``metadata.json`` is to them
what a header is to a text file.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zairyo.measurement import Measurement
from zairyo.readers import _rde_run as run
from zairyo.readers import delimited
from zairyo.readers._api import NO, RawInput, Reader
from zairyo.readers._rde_results import measurement_of
from zairyo.readers.delimited_description import (
    SURE,
    Description,
    DescriptionError,
    Pattern,
    Recognise,
    load_as,
)


@dataclass(frozen=True)
class RecogniseInput(Recognise):
    """How to know a program's input, which need not be text.

    Attributes
    ----------
    magic
        The file begins with these characters; a byte that is no ASCII is written ``\\xNN`` in double quotes.
    members
        Each must match a name in the folder, the set or the zip archive.
    """

    magic: str = ""
    members: tuple[Pattern, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProgramDescription(Description):
    """A structuring program, and what its input looks like.

    Attributes
    ----------
    rde
        Folder of the program: absolute, or relative to the YAML file.
    function
        ``module:name`` of the function. One without parameters is the program's own main.
    tasksupport
        Its folder of that name, relative to ``rde``, where there are several.
    invoice
        What the invoice says, beyond what ``invoice.schema.json`` makes it say.
    """

    rde: str
    function: str = "modules.datasets_process:dataset"
    tasksupport: str = ""
    invoice: Mapping[str, Any] = field(default_factory=dict)
    recognise: RecogniseInput


def load_program(path: Path) -> Reader:
    """The reader that a YAML file with the key ``rde`` declares.

    Raises
    ------
    DescriptionError
        The description is wrong, the program is not there, or ``rdetoolkit`` is not installed.
    """
    d = load_as(path, ProgramDescription)
    try:
        _check(d)
        program = run.find(path.parent / Path(d.rde).expanduser(), d.function, d.tasksupport)
    except run.ProgramError as e:
        raise DescriptionError(f"{path}: {e}") from None
    return Reader(
        name=d.name,
        version=d.version,
        techniques=(d.technique,),
        vendor=d.vendor,
        format=d.format,
        endings=d.endings,
        sniff=lambda raw: _sniff(d, raw),
        read=lambda raw: _read(d, program, raw),
        notes=d.notes,
        surest=SURE[d.recognise.sure],
        needs=(program.folder,),
        prepare=lambda: run.prepare(program),
    )


def _check(d: ProgramDescription) -> None:
    r = d.recognise
    if not (r.lines or r.magic or r.members or r.ending or r.columns):
        raise run.ProgramError("recognise: say by what, with lines, magic, members, columns or ending")
    if not r.magic.isascii() and max(map(ord, r.magic)) > 0xFF:
        raise run.ProgramError(f"recognise.magic: {r.magic!r} has characters that are no bytes")
    if importlib.util.find_spec("rdetoolkit") is None:
        raise run.ProgramError("rde: this needs rdetoolkit; `pip install 'zairyo[rde]'` adds it")


def _sniff(d: ProgramDescription, raw: RawInput) -> float:
    r = d.recognise
    if r.ending and raw.suffix not in d.endings:
        return NO
    if not raw.head.startswith(r.magic.encode("latin-1")):
        return NO
    if not all(any(p.search(name) for name in raw.members) for p in r.members):
        return NO
    if r.lines or r.without or r.columns:
        return delimited.sniff(d, raw)
    return SURE[r.sure]


def _read(d: ProgramDescription, program: run.Program, raw: RawInput) -> Measurement:
    with tempfile.TemporaryDirectory(prefix="zairyo-rde-") as folder:
        warnings = run.run(program, raw, Path(folder), d.invoice)
        return measurement_of(d, raw, Path(folder), program.definitions(), warnings)
