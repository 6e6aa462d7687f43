"""Optics11 Life indenters (Chiaro, Piuma, Pavone): one text file an indentation, a zip of them for a series."""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, Quantity, Signal, make_name, table, tidy_metadata, units
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError

_TABLE = re.compile(rb"^Time \(s\)\tLoad \(", re.MULTILINE)
_TITLE = re.compile(r"(.+?)(?:\s*\(([^()]*)\))?")
_LINE = re.compile(r"(?P<key>[^\t:]+?)\s*(?:[\t:]\s*)(?P<value>.*)")
_NAMES = {
    "Time": "time",
    "Load": "force",
    "Indentation": "depth",
    "Cantilever": "cantilever_bending",
    "Piezo": "piezo_displacement",
}
_MOST_ENTRIES = 2000


def sniff(src: RawInput) -> float:
    head = _spm.first_lines(src)[:8192]
    # The first programs of the Piuma write no status.
    mine = head.startswith(b"Date\t") and b"Tip radius (" in head
    return CERTAIN if mine and (b"\tStatus\t" in head[:200] or _TABLE.search(head)) else NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    found = _spm.contents(src, (".txt",))
    entries: list[Entry] = []
    metadata: dict[str, dict[str, str]] = {}
    for name, data in found[:_MOST_ENTRIES]:
        if not _TABLE.search(data):
            if len(found) == 1:
                raise ReadError(
                    "there is no table ('Time (s)	Load …'); the file is cut off or nothing was measured"
                )
            warnings.append(f"{name} of the archive holds no indentation.")
            continue
        entry, header = _indentation(name, data, f"indentation_{len(entries) + 1}", warnings)
        entries.append(entry)
        metadata[name] = header
    if not entries:
        raise ReadError("none of the archive's texts is an indentation")
    header = next(iter(metadata.values()))
    return _spm.measurement(
        entries,
        warnings,
        title=src.name,
        sample=header.get("Sample", ""),
        instrument=f"Optics11 {header['Device']}" if header.get("Device") else "Optics11",
        original_metadata=tidy_metadata(metadata if len(metadata) > 1 else header),
    )


def _indentation(
    name: str, data: bytes, entry_name: str, warnings: list[str]
) -> tuple[Entry, dict[str, str]]:
    at = _TABLE.search(data)
    assert at is not None
    header = _header(_spm.decode(data[: at.start()]).splitlines())
    first, _, body = data[at.start() :].partition(b"\n")
    titles = [t.strip() for t in _spm.decode(first).split("\t") if t.strip()]
    values = _quick(body, len(titles))
    if values is None:
        values = _careful(body, len(titles), name, warnings)
    if data[-1:] not in b"\r\n":
        raise ReadError(f"the last line of {name} does not end; the file is cut off. Copy it again.")
    columns = []
    for title, column in zip(titles, values.T, strict=True):
        match = _TITLE.fullmatch(title)
        plain, unit = (match[1], match[2] or "") if match else (title, "")
        own = _NAMES.get(plain) or make_name(plain)
        columns.append(Signal(own, column.copy(), _spm.known_unit(unit, title, warnings), long_name=plain))
    named = _spm.unique(columns)
    names = [c.name for c in named]
    moved = "depth" in names and bool(np.nanmax(np.abs(values[:, names.index("depth")]), initial=0))
    x = "depth" if moved else "piezo_displacement" if "piezo_displacement" in names else names[0]
    entry: Entry = _spm.made(
        "the table", table, entry_name, "nanoindentation", named, x=x, default=_spm.first_of(named, ("force",)),
        title=name, conditions=_conditions(header), started=_started(header, warnings),
    )  # fmt: skip
    return entry, header


def _quick(body: bytes, width: int) -> NDArray[np.float64] | None:
    """The table, shape (rows, columns), if every cell is a number; else None."""
    rows = body.count(b"\n")
    if body.count(b"\t") != rows * (width - 1):
        return None
    values = _spm.rows_of_floats(body)
    return values if values is not None and values.shape == (rows, width) else None


def _careful(body: bytes, width: int, name: str, warnings: list[str]) -> NDArray[np.float64]:
    """The table, shape (rows, columns): a gap for every cell that is no number."""
    rows = [line.rstrip("\t").split("\t") for line in _spm.decode(body).splitlines() if line.strip()]
    short = next((i for i, row in enumerate(rows) if len(row) != width), -1)
    if short >= 0 or not rows:
        raise ReadError(
            f"row {short + 1} of the table in {name} does not have {width} values; it is cut off or damaged"
        )
    values = np.array([[_spm.number(cell) for cell in row] for row in rows], float)
    if not np.isfinite(values).all():
        warnings.append(f"Some cells of the table in {name} are no numbers; they are gaps.")
    return values


def _header(lines: list[str]) -> dict[str, str]:
    """``key<tab>value`` and ``key: value`` lines; the first two lines hold several pairs, and the sample's name."""
    header: dict[str, str] = {}
    for i, line in enumerate(line for line in lines if line.strip()):
        cells = line.split("\t")
        if len(cells) > 2:
            header.update(
                zip((c.strip() for c in cells[::2]), (c.strip() for c in cells[1::2]), strict=False)
            )
        elif match := _LINE.fullmatch(line.strip()):
            header[match["key"].strip()] = match["value"].strip()
        elif i == 1:
            header["Sample"] = line.strip()
        else:
            key, _, value = line.strip().rpartition(" ")
            header[key or value] = value if key else ""
    return header


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    def value(start: str, default_unit: str) -> Quantity | None:
        """A key with its unit in brackets: ``Tip radius (um)``."""
        for key, text in header.items():
            if key.startswith(start) and (number := _spm.number(text)) is not None:
                unit = key.partition("(")[2].partition(")")[0]
                return Quantity(number, units.normalise(unit.replace("\ufffd", "u")) or default_unit)
        return None

    ratio = next((m[1] for k in header if (m := re.fullmatch(r"E\[v=([\d.,]+)\].*", k))), None)
    return _spm.told(
        spring_constant=value("k (", "N/m"),
        tip_radius=value("Tip radius", "um"),
        maximum_force=value("Max load", "uN"),
        youngs_modulus=value("E[v=", "Pa"),
        poisson_ratio=_spm.with_unit(_spm.number(ratio), ""),
        position_x=value("X-position", "um"),
        position_y=value("Y-position", "um"),
        comment=header.get("Comment"),
        software_version=header.get("Software version"),
    )


def _started(header: dict[str, str], warnings: list[str]) -> datetime | None:
    text = f"{header.get('Date', '')} {header.get('Time', '')}"
    day, month = (_spm.moment(text, form) for form in ("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"))
    if day and month and day != month:
        warnings.append(
            f"The date {header['Date']} may begin with the day or the month, as the computer was set; the start is "
            "left out."
        )
        return None
    return day or month or _spm.moment(text, "%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S")


READER = Reader(
    name="optics11",
    version="2",
    techniques=("nanoindentation",),
    vendor="Optics11 Life",
    format="indentation (text)",
    endings=(".txt", ".zip"),
    sniff=sniff,
    read=read,
    notes="Load, indentation depth, bending and piezo over time; a zip of such texts is one entry a text.",
)
