"""Rigaku SmartLab ``.ras``: text, one or several ranges, each with its header.

``*RAS_HEADER_START``, lines ``*KEY "value"``, ``*RAS_HEADER_END``, ``*RAS_INT_START``, rows of position,
intensity and attenuation factor (or of intensities alone, from ``*MEAS_SCAN_START`` in equal steps),
``*RAS_INT_END``; the whole between ``*RAS_DATA_START`` and ``*RAS_DATA_END``.
The header's encoding is that of the instrument's computer: UTF-8, cp932 or Latin-1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import Floats, number, numbers
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._rigaku import english, rows_of, scan

_MOST = 512 * 1024**2
_LINE = re.compile(r'^\*(\S+)[ \t]+"?(.*?)"?\s*$', re.MULTILINE)
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
_JAPANESE = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff00-\uff60]")


def _sniff(src: RawInput) -> float:
    head = src.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    # With an XRD-DSC attachment, the thermal settings come first.
    return CERTAIN if head.startswith((b"*RAS_", b"*DSC_")) and b"*RAS_" in head else NO


def _decode(header: bytes) -> str:
    """Text in whichever of the encodings the instruments' computers use."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            decoded = header.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Western accents happen to be half-width katakana in cp932; those do not come without kanji
        if encoding != "cp932" or not _HALF_WIDTH.search(decoded) or _JAPANESE.search(decoded):
            return decoded
    return header.decode("latin-1")


def _ranges(data: bytes, name: str) -> Iterator[tuple[str, str, int]]:
    """Header, rows and number of the line on which the rows begin, of each range."""
    position, line = 0, 1
    while (start := data.find(b"*RAS_INT_START", position)) >= 0:
        begin = data.find(b"\n", start) + 1
        end = data.find(b"*RAS_INT_END", start)
        header = data[position:start]
        line += header.count(b"\n") + 1
        if begin == 0 or end < begin:
            raise ReadError(
                f"{name} ends inside the rows that begin on line {line}, without *RAS_INT_END; it is cut off. "
                "Copy it again from the instrument."
            )
        yield _decode(header), data[begin:end].decode("latin-1"), line
        line += data.count(b"\n", begin, end)
        position = end
    rest = data[position:]
    cut = b"*RAS_HEADER_START" in rest or (b"*RAS_DATA_START" in data[:64] and b"*RAS_DATA_END" not in rest)
    if position and cut:
        raise ReadError(
            f"{name} ends after line {line} without *RAS_DATA_END: further ranges may be missing. "
            "Copy it again from the instrument."
        )


def _keys(header: str) -> dict[str, str]:
    """Header lines as they stand: key without its star → value without its quotes."""
    return {key: value for key, value in _LINE.findall(header) if not key.startswith("RAS_")}


def _axes(keys: dict[str, str]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for key, name in keys.items():
        stem, _, index = key.rpartition("-")
        if stem == "MEAS_COND_AXIS_NAME" and index.isdecimal():
            internal = keys.get(f"MEAS_COND_AXIS_NAME_INTERNAL-{index}") or english(name)
            position = keys.get(f"MEAS_COND_AXIS_POSITION-{index}", "")
            found.setdefault(internal, (position, keys.get(f"MEAS_COND_AXIS_UNIT-{index}", "")))
    return found


def _stepped(keys: dict[str, str], intensities: Floats, what: str) -> Floats:
    """Rows of position and intensity, shape (n, 2), where the file states the positions' start and step only."""
    start, step, stop = (number(keys.get(f"MEAS_SCAN_{key}")) for key in ("START", "STEP", "STOP"))
    unequal = keys.get("MEAS_SCAN_UNEQUALY_SPACED", "").casefold() == "true"
    if start is None or not step or unequal or not len(intensities):
        raise ReadError(
            f"{what} holds intensities alone, and no start and step of equal steps; it is damaged."
        )
    positions = np.round(start + step * np.arange(len(intensities)), 9)
    if stop is not None and (positions[-1] - stop) / step > 1:
        raise ReadError(
            f"{what}: {len(intensities)} points from {start:g} by {step:g} go beyond {stop:g}; it is damaged."
        )
    return np.column_stack([positions, intensities])


def _read(src: RawInput) -> Measurement:
    data = src.read_bytes(_MOST)
    warnings: list[str] = []
    scans: list[Scan] = []
    first: dict[str, str] = {}
    for header, block, line in _ranges(data, src.name):
        keys = _keys(header)
        first = first or keys
        what = f"range {len(scans) + 1} (from line {line})"
        if not block.strip():
            warnings.append(f"{what} has no points; the measurement was stopped before it.")
            continue
        columns = len(block.lstrip().split("\n", 1)[0].split())
        values = numbers(block, what, warnings)
        rows = _stepped(keys, values, what) if columns == 1 else rows_of(values, columns, what)
        scans.append(scan(keys, _axes(keys), rows, keys, what, warnings))
    if not scans:
        raise ReadError(f"{src.name} has a Rigaku header but no *RAS_INT_START with data; it may be cut off.")
    return measurement(
        scans,
        warnings,
        sample=first.get("FILE_SAMPLE"),
        title=first.get("FILE_SAMPLE"),
        operator=first.get("FILE_OPERATOR"),
        instrument=english(first.get("FILE_SYSTEM_NAME") or first.get("HW_GONIOMETER_NAME") or ""),
    )


READER = Reader(
    name="rigaku_ras",
    version="3",
    techniques=("xrd",),
    vendor="Rigaku",
    format="RAS",
    endings=(".ras",),
    sniff=_sniff,
    read=_read,
    notes=(
        "One or several ranges, also packed with gzip or bzip2; ranges that step a further axis become one map. "
        "Intensities are multiplied by the attenuation factors."
    ),
)
