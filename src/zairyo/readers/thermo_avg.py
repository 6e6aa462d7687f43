"""Thermo Avantage's text of a data space, ``.avg``: properties, axes and the values, energy by energy.

Facts: ``DS_NAME : VT_R4 = value`` (a title may stand between); ``$DATAAXES=n`` with a line ``0= first, last, space
axes`` each; ``$SPACEAXES=n`` with ``0= start, width, points, ENERGY, LINEAR, 'E', 'eV', 'Energy'``; positions that are
not equidistant as ``$AXISVALUE= DATAXIS=1 SPACEAXIS=1 … POINT=0 VALUE=…;``; then for each spectrum ``$DATA=*,i,j`` (the
place along the slower axes) and ``LIST@ 0= …`` with four values a line, ``#empty#`` where there is none.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Measurement
from zairyo.measurement.text import clean_text
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._avantage import MOST_VALUES, DataSpace, SpaceAxis, spectrum
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._tokens import number

_MOST_BYTES = 1024**3
_PROPERTY = re.compile(
    r"^[ \t]*(DS_\w+(?:\[\d+\])?)[ \t]*:[^\n]*?\b(VT_\w+)[ \t]*=[ \t]*(.*?)[ \t]*\r?$", re.M
)
_SECTION = re.compile(
    r"^\$(DATAAXES|SPACEAXES)=[ \t]*(\d+)[^\n]*\n((?:[ \t]*\d+[ \t]*=[^\n]*\n|[ \t]*;[^\n]*\n)*)", re.M
)
_ROW = re.compile(r"^[ \t]*(\d+)[ \t]*=[ \t]*(.*?)[ \t]*\r?$", re.M)
_AXIS_VALUE = re.compile(
    r"^\$AXISVALUE=[^\n]*?\bSPACEAXIS=(\d+)[^\n]*?\bPOINT=(\d+)[^\n]*?\bVALUE=[ \t]*([^;\n]*)", re.M
)
_DATA = re.compile(r"^\$DATA=\*?,?[ \t]*([\d ,\t]*)\r?$", re.M)
_DATES = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M:%S")


def sniff(src: RawInput) -> float:
    head = src.text_head
    return CERTAIN if b"\n$SPACEAXES=" in head or (b"$FORMAT=" in head[:4000] and b"DS_" in head) else NO


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes(_MOST_BYTES)).replace("\r\n", "\n")
    begin = _DATA.search(text)
    head = text[: begin.start()] if begin else text
    about = {key: _value(kind, value) for key, kind, value in _PROPERTY.findall(head)}
    sections = {m[1]: dict(_ROW.findall(m[3])) for m in _SECTION.finditer(head)}
    counts = {m[1]: int(m[2]) for m in _SECTION.finditer(head)}
    if begin is None:
        raise ReadError(f"{src.name} holds no $DATA: it was saved empty, or is cut off.")
    space = _axes(sections.get("SPACEAXES", {}), counts.get("SPACEAXES", 0), text, src)
    groups = _groups(sections.get("DATAAXES", {}), space)
    shape = [len(group[0].values) for group in groups]
    warnings: list[str] = []
    values = _values(text, shape, src, warnings)
    created = " ".join(
        str(about.get("DS_ACPROPID_START_TIME") or about.get("DS_EXT_SUPROPID_CREATED") or "").split()
    )
    return spectrum(DataSpace(groups, values, about, in_forms(created, _DATES)), src.name, warnings)


def _value(kind: str, text: str) -> Any:
    text = clean_text(text.strip().strip("'"))
    return number(text) if kind in ("VT_R4", "VT_R8", "VT_I2", "VT_I4") and number(text) is not None else text


def _axes(rows: dict[str, str], announced: int, text: str, src: RawInput) -> list[SpaceAxis]:
    listed: dict[int, dict[int, str]] = {}
    for axis, point, value in _AXIS_VALUE.findall(text):
        listed.setdefault(int(axis), {})[int(point)] = value.strip().strip("'")
    made: list[SpaceAxis] = []
    for index in range(announced):
        cells = [c.strip().strip("'") for c in rows.get(str(index), "").split(",")]
        if len(cells) < 5:
            raise ReadError(
                f"{src.name} announces {announced} axes and defines {index}; it is cut off or damaged"
            )
        start, width, points = (number(c) for c in cells[:3])
        if start is None or width is None or points is None or not 0 < points <= MOST_VALUES:
            raise ReadError(f"{src.name}: the axis {rows[str(index)][:60]!r} cannot be understood")
        values: Any = start + width * np.arange(int(points))
        own = listed.get(index, {})
        if len(own) == int(points) and sorted(own) == list(range(int(points))):
            told = [own[i] for i in range(int(points))]
            numbers = [number(t) for t in told]
            values = told if None in numbers else np.array(numbers, np.float64)
        unit, label = (cells[k] if k < len(cells) else "" for k in (6, 7))
        made.append(SpaceAxis(cells[3].upper(), values, clean_text(unit), clean_text(label)))
    if not made:
        raise ReadError(f"{src.name} defines no axes; it was saved empty, or is cut off.")
    return made


def _groups(rows: dict[str, str], space: list[SpaceAxis]) -> list[list[SpaceAxis]]:
    """The space axes of each data axis; where the file does not say, those of one length in a row."""
    stated = [[number(c) for c in rows[k].split(",")] for k in sorted(rows, key=int)]
    shares = [int(row[2] or 0) for row in stated if len(row) > 2]
    groups: list[list[SpaceAxis]] = []
    if shares and sum(shares) == len(space) and min(shares) > 0:
        left = list(space)
        for share in shares:
            groups.append(left[:share])
            left = left[share:]
    else:
        groups = [[axis] for axis in space]
    for group in groups:
        if len({len(axis.values) for axis in group}) > 1:
            raise ReadError(
                "space axes of one data axis differ in their number of points; the file is damaged"
            )
    return groups


def _without_index(line: str) -> str:
    return line.partition("=")[2] if "LIST@" in line else line


def _values(text: str, shape: list[int], src: RawInput, warnings: list[str]) -> np.ndarray[Any, Any]:
    blocks = list(_DATA.finditer(text))
    total = int(np.prod(shape, dtype=object))
    if total > MOST_VALUES:
        raise ReadError(f"{src.name} announces {total} values, more than this reader takes")
    values = np.full([*shape[:0:-1], shape[0]], np.nan)
    ends = [b.start() for b in blocks[1:]] + [len(text)]
    for at, (block, end) in enumerate(zip(blocks, ends, strict=True)):
        words = [
            word
            for line in text[block.end() : end].split("\n")
            if not line.startswith("$")
            for word in _without_index(line).replace(";", " ").replace(",", " ").split()
        ]
        place = [int(p) for p in block[1].replace(" ", "").split(",") if p]
        if not place and len(shape) > 1 and at < values[..., 0].size:  # in the order of the data
            place = [int(p) for p in np.unravel_index(at, shape[:0:-1])[::-1]]
        if (
            len(words) != shape[0]
            or len(place) != len(shape) - 1
            or any(not 0 <= p < n for p, n in zip(place, shape[1:], strict=False))
        ):
            raise ReadError(
                f"{src.name}: spectrum {at + 1} of {total // shape[0]} has {len(words)} of {shape[0]} values; it "
                "is cut off or damaged. Copy it again."
            )
        numbers = [number(w) for w in words]
        odd = sum(n is None for n, w in zip(numbers, words, strict=True) if w != "#empty#")
        if odd * 10 > len(words):
            raise ReadError(
                f"{src.name}: {odd} of the {len(words)} values of spectrum {at + 1} are no numbers"
            )
        if odd:
            warnings.append(f"Spectrum {at + 1}: {odd} values are no numbers and are left empty.")
        values[tuple(place[::-1])] = [np.nan if n is None else n for n in numbers]
    if len(blocks) * shape[0] < total:
        warnings.append(
            f"{len(blocks)} of {total // shape[0]} spectra are there; the others are empty (NaN)."
        )
    return values


READER = Reader(
    name="thermo_avg",
    version="1",
    techniques=("xps", "ups", "iss"),
    vendor="Thermo Scientific",
    format="Avantage text (.avg)",
    endings=(".avg",),
    sniff=sniff,
    read=read,
    notes="Spectra, depth profiles, line scans and maps. Images and tables of values are refused.",
)
