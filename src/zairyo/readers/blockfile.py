"""NanoMegas ASTAR block files ``.blo``: a scanned diffraction pattern at every place (4D-STEM), 8 bits a pixel.

A head of 240 bytes with a note behind it, the virtual bright-field image, then the patterns, each behind 6 bytes of
its own (a mark and its number).
"""

from __future__ import annotations

import math
import struct
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._mapped import map_bytes
from zairyo.readers._microscope_values import even_axis

_MAGIC = b"IMGBLO\x02\x01"
_HEAD = struct.Struct("<8sIIIHHHHHddIHId22d")
_FIELDS = (
    *(
        "MAGIC",
        "Data_offset_1",
        "Data_offset_2",
        "Flags",
        "DP_SZ",
        "DP_rotation",
        "NX",
        "NY",
        "Scan_rotation",
    ),
    *("SX", "SY", "Beam_energy", "SDP", "Camera_length", "Acquisition_time"),
    *(f"Centering_N{i}" for i in range(8)),
    *(f"Distortion_N{i:02d}" for i in range(14)),
)
_PATTERN_HEAD = 6
_DAY_ZERO = datetime(1899, 12, 30)  # of serial dates


def _sniff(src: RawInput) -> float:
    return CERTAIN if src.head[:8] == _MAGIC else NO


def _read(src: RawInput) -> Measurement:
    data = map_bytes(src)
    if data[:8] != _MAGIC or len(data) < _HEAD.size:
        raise ReadError(f"{src.name} is not a NanoMegas block file, or is cut off in its head")
    head = dict(zip(_FIELDS, _HEAD.unpack_from(data), strict=True))
    columns, rows, size = head["NX"], head["NY"], head["DP_SZ"]
    bright, first = head["Data_offset_1"], head["Data_offset_2"]
    if not columns or not rows or not size:
        raise ReadError(
            f"{src.name} announces {rows} × {columns} patterns of {size} × {size}: nothing was acquired"
        )
    stride = _PATTERN_HEAD + size * size
    needed = first + rows * columns * stride
    if needed > len(data) or bright + rows * columns > len(data):
        raise ReadError(
            f"{src.name} is cut off: {rows * columns} patterns of {size} × {size} need {needed} bytes, and it has "
            f"{len(data)}. Copy it again."
        )
    patterns = np.ndarray(
        (rows, columns, size, size),
        np.uint8,
        data,
        first + _PATTERN_HEAD,
        (columns * stride, stride, size, 1),
    )
    y, x = (
        even_axis(n, 0.0, step, count, "nm")
        for n, step, count in (("y", head["SY"], rows), ("x", head["SX"], columns))
    )
    angles = _angles(head["SDP"], head["Camera_length"], size)
    note = clean_text(bytes(data[_HEAD.size : bright]).split(b"\0")[0].decode("latin-1")).strip()
    told = {k: v for k, v in head.items() if k != "MAGIC"} | {"Note": note}
    conditions, started = _conditions(head), _moment(head["Acquisition_time"])
    entries = [
        Entry(
            name="patterns",
            technique="stem_4d",
            axes=(y, x, *angles),
            signals=(Signal("intensity", patterns, None, (y.name, x.name, *(a.name for a in angles))),),
            title="Diffraction patterns",
            original_metadata=tidy_metadata(told),
            conditions=conditions,
            started=started,
        )
    ]
    if bright >= _HEAD.size:
        image = np.frombuffer(data, np.uint8, rows * columns, bright).reshape(rows, columns)
        entries.append(
            Entry(
                name="virtual_bright_field",
                technique="stem",
                axes=(y, x),
                signals=(Signal("intensity", image, None, ("y", "x")),),
                title="Virtual bright field",
                conditions=conditions,
                started=started,
            )
        )
    return Measurement(tuple(entries), title=PurePosixPath(src.name).stem)


def _angles(dots: int, length: int, size: int) -> tuple[Axis, Axis]:
    """The patterns' axes: scattering angles by the size of a pixel on the screen (1000/dots mm) and the camera length
    (0.1 mm); pixels if either is not stated."""
    step = 1e3 * (1e3 / dots) / (length / 10) if dots and length else 0.0  # mrad
    y, x = (even_axis(n, 0.0, step, size, "mrad") for n in ("angle_y", "angle_x"))
    return y, x


def _conditions(head: dict[str, float]) -> dict[str, Quantity]:
    found = {}
    if head["Beam_energy"]:
        found["accelerating_voltage"] = Quantity(head["Beam_energy"] / 1e3, "kV")
    if head["Camera_length"]:
        found["camera_length"] = Quantity(head["Camera_length"] / 10, "mm")
    if head["Scan_rotation"]:
        found["scan_rotation"] = Quantity(head["Scan_rotation"] / 100, "deg")
    if head["SDP"]:
        found["pixel_size"] = Quantity(1e3 / head["SDP"], "mm")
    return found


def _moment(serial: float) -> datetime | None:
    if not math.isfinite(serial) or not 1 < serial < 100_000:
        return None
    return (_DAY_ZERO + timedelta(days=serial)).replace(microsecond=0)


READER = Reader(
    name="blockfile",
    version="1",
    techniques=("stem_4d", "stem"),
    vendor="NanoMegas",
    format="block file",
    endings=(".blo",),
    sniff=_sniff,
    read=_read,
    notes="All patterns, the virtual bright-field image and the head. The patterns' axes are scattering angles, by the "
    "pixels' size on the screen and the camera length that the head states.",
)
