"""Gwyddion Simple Field, ``.gsf``: one image after a header of ``name = value`` lines.

Facts: the Gwyddion user guide, "Gwyddion Simple Field files". Microscopes write it too (neaSNOM).
"""

from __future__ import annotations

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._neaspec_channels import near_field_name

_START = b"Gwyddion Simple Field 1.0"
_MOST_HEADER = 1024**2


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head.startswith(_START) else NO


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    end = data.find(b"\0", 0, _MOST_HEADER)
    if end < 0:
        raise ReadError(f"the header has no end (a NUL) among {len(data)} bytes; the file is cut off")
    header = _header(_spm.decode(data[:end]))
    start = end + 4 - end % 4  # one to four NULs, so that the numbers begin at a multiple of four
    warnings: list[str] = []
    columns, rows = _count(header, "XRes"), _count(header, "YRes")
    if start + 4 * columns * rows > len(data):
        raise ReadError(
            f"{columns} × {rows} numbers should end at byte {start + 4 * columns * rows}, but the file has "
            f"{len(data)}; it is cut off. Copy it again."
        )
    values = np.frombuffer(data, "<f4", columns * rows, start)
    lateral = _spm.known_unit(header.get("XYUnits", ""), "the image's sides", warnings)
    unit = _spm.known_unit(header.get("ZUnits", ""), "the values", warnings)
    title = header.get("Title", "").strip()
    near_field = near_field_name(title)
    name = near_field or _spm.channel_name(title or "value")
    x, y = (_spm.number(header.get(f"{a}Real")) or 0.0 for a in "XY")
    along = _spm.pixels("x", columns, x, lateral)
    if rows == 1:
        axes, over = (along,), ("x",)
    else:
        axes, over = (_spm.pixels("y", rows, y, lateral, downward=True), along), ("y", "x")  # type: ignore[assignment]
        values = values.reshape(rows, columns)
    (signal,) = _spm.unique([Signal(name, values, unit, over, title)])
    sizes = {f"scan_size_{a}": Quantity(v, lateral) for a, v in (("x", x), ("y", y)) if v > 0 and lateral}
    places = {
        f"position_{a}": _spm.quantity(f"{header.get(f'{a.upper()}Offset', '')} {lateral or ''}")
        for a in "xy"
    }
    entry: Entry = _spm.made(
        "the field", Entry, "image" if rows > 1 else "line", "snom" if near_field else "spm", axes, (signal,),
        title=title, conditions=_spm.told(**sizes, **places),
    )  # fmt: skip
    return _spm.measurement([entry], warnings, title=src.name, original_metadata=tidy_metadata(header))


def _header(text: str) -> dict[str, str]:
    header = {}
    for line in text.splitlines()[1:]:
        key, equals, value = line.partition("=")
        if equals:
            header[key.strip()] = value.strip()
    return header


def _count(header: dict[str, str], key: str) -> int:
    text = header.get(key, "")
    if not text.isdecimal() or not 0 < int(text[:12]) < 2**31:
        raise ReadError(f"{key!r} is {text[:20]!r} in the header, no count of pixels; the file is damaged")
    return int(text)


READER = Reader(
    name="gwyddion_gsf",
    version="1",
    techniques=("spm", "snom"),
    vendor="Gwyddion",
    format="Simple Field (GSF)",
    endings=(".gsf",),
    sniff=sniff,
    read=read,
    notes="Images, and single lines. Pixels are numbered where the file gives no lengths.",
)
