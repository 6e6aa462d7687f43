"""DESY's text of a scan, ``.fio``: of PETRA III, where Sardana writes it, and of DORIS, where Online did.

Facts: lines with ``!`` are remarks; under ``%c`` stand comments, under ``%p`` parameters as ``name = value`` (of newer
files also ``name@unit = …``), under ``%d`` the columns as `` Col 1 name TYPE`` and then the rows. Sardana's first
comment is the command of the scan, its second ``user … Acquisition started at`` a date; a file of a multichannel
analyser says ``Position …, Index …`` instead and has no axis. Of DORIS' columns all begin with the scan's name; the
first two have nothing behind it.

Which counters DORIS' absorption scans measured with is not said. It shows in the numbers: where the second column is
ln(C1/C2) all along, C1 stood before the sample and C2 behind it; REF is ln(C2/C3) of the reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, clean_text, table
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import columns_of, head_text, read_lines, rules, signals_of

_SECTION = re.compile(r"%[cpd]\s*\Z")
_HEAD = re.compile(r"\A\s*!.*\n(?:!.*\n)*%c\s*\n", re.IGNORECASE)
_COLUMN = re.compile(r"\s*Col\s+\d+\s+(?P<name>\S.*?)\s+(?P<type>FLOAT|DOUBLE|INTEGER|STRING|BOOLEAN)\s*\Z")
_PARAMETER = re.compile(r"\s*(?P<name>[^=]+?)\s*=\s*(?P<value>.*?)\s*\Z")
_EXAFS = re.compile(r"EXAFS-Scan started at\s+(?P<start>\S.*)")
_SARDANA = re.compile(r"user\s+(?P<user>\S*)\s*Acquisition started at\s+(?P<start>\S.*)")
_CHANNELS = re.compile(r"Position\s+\S+,\s*Index\s+\d+")
_CURRENT = re.compile(r"ring current I_\w+\s*=\s*([\d.]+)\s*mA")
_FORMS = ("%d-%b-%Y %H:%M:%S", "%a %b %d %H:%M:%S %Y")
_COLUMNS = rules(
    ("photon energy", "photon_energy"),
    ("sample_time", "time_per_point"),
    ("hhtheta", "monochromator_angle"),
)
_UNITS = {"photon_energy": "eV", "time_per_point": "s", "monochromator_angle": "deg"}
_BESIDE = ("timestamp", "time_stamp", "delta", "steps", "sample_time")


@dataclass
class _Scan:
    """What the sections say."""

    comments: list[str] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    columns: list[tuple[str, str]] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    begin: int = 0


def _sniff(source: RawInput) -> float:
    head = head_text(source, 4000)
    return CERTAIN if _HEAD.match(head) and re.search(r"^%[pd]\s*$", head, re.MULTILINE) else NO


def _scan(lines: list[str]) -> _Scan:
    scan, section = _Scan(), ""
    for at, line in enumerate(lines, 1):
        text = line.strip()
        if _SECTION.match(text):
            section = text
        elif not text or text.startswith("!"):
            continue
        elif section == "%c":
            scan.comments.append(clean_text(text))
        elif section == "%p" and (parameter := _PARAMETER.match(text)):
            scan.parameters[clean_text(parameter["name"])] = clean_text(parameter["value"])
        elif section == "%d" and not scan.rows and (column := _COLUMN.match(text)):
            scan.columns.append((clean_text(column["name"]), column["type"]))
        elif section == "%d":
            scan.begin = scan.begin or at
            scan.rows.append(text)
    return scan


def _names(scan: _Scan, is_exafs: bool) -> list[str]:
    """The columns' names without the scan's, which all of DORIS' begin with."""
    names = [name for name, _ in scan.columns]
    prefix = names[0]
    if len(names) < 2 or names[1] != prefix or not all(name.startswith(prefix) for name in names):
        return names
    short = [name.removeprefix(prefix).strip("_") for name in names]
    return ["Photon energy" if is_exafs else "Position", "Value", *short[2:]]


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    scan = _scan(lines)
    if not scan.columns or not scan.rows:
        missing = "no columns" if not scan.columns else "no points"
        raise ReadError(
            f"{source.name} has {missing}; it is cut off, or the scan was stopped before the first."
        )
    warnings: list[str] = []
    width = len(scan.columns)
    if len(scan.rows) > 1 and len(scan.rows[-1].split()) < width:
        warnings.append(
            "The last point is not whole and was left out: the file is cut off, or still written."
        )
        del scan.rows[-1]
    exafs = next((m for text in scan.comments if (m := _EXAFS.search(text))), None)
    names = _names(scan, exafs is not None)
    columns = columns_of(scan.rows, " ", width, warnings, line=scan.begin, decimal=".")
    for (name, kind), values in zip(scan.columns, columns, strict=True):
        if kind not in ("STRING", "BOOLEAN") and values.dtype.kind not in "iuf":
            raise ReadError(
                f"{source.name}: the column {name} has points that are no numbers; it is damaged."
            )
    units = [
        scan.parameters.get(f"{name}@unit", scan.parameters.get(f"{name}@units")) for name, _ in scan.columns
    ]
    signals = signals_of(names, units, columns, _COLUMNS, warnings, usual=_UNITS)
    if any(_CHANNELS.match(text) for text in scan.comments):
        signals.insert(0, Signal("channel", np.arange(len(scan.rows)), "", long_name="Channel"))
    if exafs:
        signals = _absorption(signals)
    return _measurement(source, scan, exafs, signals, warnings)


def _absorption(signals: list[Signal]) -> list[Signal]:
    """The logarithms and the counters that they are of, where the numbers show it."""
    by_name: dict[str, Any] = {signal.name: signal for signal in signals}
    renamed: dict[str, str] = {}
    if _is_logarithm(by_name, "value", "c1", "c2"):
        renamed |= {"value": "absorption", "c1": "incident_intensity", "c2": "transmitted_intensity"}
        if _is_logarithm(by_name, "ref", "c2", "c3"):
            renamed |= {"ref": "absorption_reference", "c3": "reference_intensity"}
    unit = {"absorption": "", "absorption_reference": ""}
    title = {"absorption": "ln(C1/C2)"}
    return [
        Signal(new := renamed[s.name], s.values, unit.get(new, s.unit), long_name=title.get(new, s.long_name))
        if s.name in renamed
        else s
        for s in signals
    ]


def _is_logarithm(signals: dict[str, Any], name: str, before: str, behind: str) -> bool:
    if not {name, before, behind} <= signals.keys():
        return False
    with np.errstate(all="ignore"):
        expected = np.log(signals[before].values / signals[behind].values)
    return bool(np.allclose(signals[name].values, expected, rtol=0, atol=1e-4))


def _measurement(
    source: RawInput, scan: _Scan, exafs: re.Match[str] | None, signals: list[Signal], warnings: list[str]
) -> Measurement:
    sardana = next((m for text in scan.comments if (m := _SARDANA.match(text))), None)
    command = scan.comments[0] if sardana and scan.comments[0] != sardana.string else ""
    words = {word.casefold() for word in command.split()}
    found = [s.name for s in signals]
    if len(found) < 2:
        raise ReadError(
            f"{source.name} has one column, {found[0] if found else 'blank'}; nothing is over it."
        )
    x, others = found[0], [s for s in signals[1:] if s.long_name.casefold() not in words]
    counting = [s for s in others if s.name not in _BESIDE] or signals[1:]
    varying = [s for s in counting if s.values.dtype.kind in "iuf" and (s.values != s.values[0]).any()]
    started = next((m["start"] for m in (exafs, sardana) if m), "")
    remarks = [
        text for text in scan.comments if not (_EXAFS.search(text) or _SARDANA.match(text) or text == command)
    ]
    conditions: dict[str, Quantity] = {}
    if exafs and (current := _CURRENT.search(" ".join(remarks))) and float(current[1]):
        conditions["ring_current"] = Quantity(float(current[1]), "mA")
    if exafs and remarks:
        conditions["comment"] = Quantity(" ".join(remarks))
    entry = table(
        "scan",
        "xafs" if exafs else "unspecified",
        signals,
        x=x,
        default=(varying or counting)[0].name,
        title=command or source.path.stem,
        conditions=conditions,
        started=in_forms(started, _FORMS, warnings) if started else None,
    )
    return Measurement(
        (entry,),
        title=source.path.stem,
        operator=sardana["user"] if sardana else "",
        original_metadata=tidy_metadata(
            {"comments": "\n".join(scan.comments), "parameters": scan.parameters}
        ),
        warnings=tuple(warnings),
    )


READER = Reader(
    name="desy_fio",
    version="1",
    techniques=("xafs", "unspecified"),
    vendor="DESY",
    format="fio",
    endings=(".fio",),
    sniff=_sniff,
    read=_read,
    notes="Every column; the first is what was scanned. Absorption scans of DORIS are told from their comment; of "
    "other scans the file does not say what they measure.",
)
