"""Digital Surf's SURF file: one object after the other, each a head of 512 bytes, a comment, and its points.

Facts: Digital Surf's published description of the format (also of MountainsMap, SPIP of Digital Surf, Attolight).
"""

from __future__ import annotations

import mmap
import struct
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import clean_text
from zairyo.readers._api import ReadError

PLAIN, PACKED = b"DIGITAL SURF", b"DSCOMPRESSED"
_HEAD_BYTES = 512
_MOST_BYTES = 2 * 1024**3
_MOST_OBJECTS = 20_000
_MOST_PARTS = 4096
_LAYOUT = struct.Struct("<12shhhh30s30s5hfihiiiii3f16s16s16s16s16s16s16s16s16s3f3h12x7hfI6xHH128s5f13s13s")
_FIELDS = (
    *("Signature", "Format", "Number_of_Objects", "Version", "Object_Type", "Object_Name", "Operator_Name"),
    *("P_Size", "Acquisition_Type", "Range_Type", "Special_Points", "Absolute", "Gauge_Resolution", "W_Size"),
    *("Size_of_Points", "Zmin", "Zmax", "Number_of_Points", "Number_of_Lines", "Total_Nb_of_Pts"),
    *("X_Spacing", "Y_Spacing", "Z_Spacing", "Name_of_X_Axis", "Name_of_Y_Axis", "Name_of_Z_Axis"),
    *("X_Step_Unit", "Y_Step_Unit", "Z_Step_Unit", "X_Length_Unit", "Y_Length_Unit", "Z_Length_Unit"),
    *("X_Unit_Ratio", "Y_Unit_Ratio", "Z_Unit_Ratio", "Imprint", "Inverted", "Levelled"),
    *("Seconds", "Minutes", "Hours", "Day", "Month", "Year", "Day_of_week", "Measurement_duration"),
    *("Compressed_data_size", "Comment_size", "Private_size", "Client_zone"),
    *("X_Offset", "Y_Offset", "Z_Offset", "T_Spacing", "T_Offset", "T_Axis_Name", "T_Step_Unit"),
)
TYPES = (
    *("unknown", "profile", "surface", "binary image", "profiles", "surfaces", "meridian disc"),
    *("multilayer profile", "multilayer surface", "parallel disc", "intensity image", "intensity surface"),
    *("RGB image", "RGB surface", "force curve", "force curves", "RGB intensity surface", "contour profile"),
    *("RGB images", "", "spectrum", "hyperspectral map"),
)


@dataclass(frozen=True)
class Line:
    """Even positions along an axis, as the head has them."""

    name: str
    first: float
    step: float
    unit: str


@dataclass(frozen=True)
class SurfObject:
    """One object: its head by its fields' names, its comment, its points as stored: shape (lines, points, spectral)."""

    head: dict[str, Any]
    comment: str
    points: NDArray[Any]
    lines: dict[str, Line] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        number = self.head["Object_Type"]
        return TYPES[number] if 0 <= number < len(TYPES) else "unknown"

    @property
    def levels(self) -> NDArray[Any]:
        """The points in the unit of z; NaN where nothing was measured. Whole numbers where steps and offset are."""
        head = self.head
        step, offset, least = (
            head["Z_Spacing"] * (head["Z_Unit_Ratio"] or 1.0),
            head["Z_Offset"],
            head["Zmin"],
        )
        missing = self.points < least if head["Special_Points"] else None
        if step == 1.0 and offset == 0.0 and not (missing is not None and missing.any()):
            whole: NDArray[Any] = self.points.astype("i4" if self.points.dtype.itemsize == 2 else "i8")
            whole -= least
            return whole
        values: NDArray[Any] = (self.points.astype(np.float64) - least) * step + offset
        if missing is not None:
            values[missing] = np.nan
        return values

    @property
    def started(self) -> datetime | None:
        head = self.head
        try:
            return datetime(*(head[n] for n in ("Year", "Month", "Day", "Hours", "Minutes", "Seconds")))
        except ValueError:
            return None


def read_objects(data: bytes | mmap.mmap, name: str) -> list[SurfObject]:
    """All objects of a file.

    Raises
    ------
    ReadError
        If it is no such file, is cut off, or has points of a kind that is not known.
    """
    found: list[SurfObject] = []
    at = 0
    while at < len(data):
        if data[at : at + 12] not in (PLAIN, PACKED):
            if found:
                break  # what other programs put behind
            raise ReadError(f"{name} is not a Digital Surf file: it does not begin as one")
        if len(found) >= _MOST_OBJECTS:
            raise ReadError(f"{name} has more than {_MOST_OBJECTS} objects; it is damaged")
        made, at = _object(data, at, name)
        found.append(made)
    if not found:
        raise ReadError(f"{name} is empty")
    return found


def _object(data: bytes | mmap.mmap, at: int, name: str) -> tuple[SurfObject, int]:
    if at + _HEAD_BYTES > len(data):
        raise ReadError(f"{name} is cut off at byte {len(data)}, in the head of an object. Copy it again.")
    head = dict(zip(_FIELDS, _LAYOUT.unpack_from(data, at), strict=True))
    head.pop("Client_zone")
    packed = head.pop("Signature") == PACKED
    for key, value in head.items():
        if isinstance(value, bytes):
            head[key] = clean_text(value.split(b"\0")[0].decode("cp1252", "replace")).strip()
    if head["Format"] not in (0, 1):
        raise ReadError(f"{name} is of format {head['Format']}; only those written on a PC are read")
    start = at + _HEAD_BYTES
    comment = bytes(data[start : start + head["Comment_size"]])
    start += head["Comment_size"] + head["Private_size"]
    columns, rows, channels = head["Number_of_Points"], head["Number_of_Lines"], max(head["W_Size"], 1)
    bits = head["Size_of_Points"]
    if min(columns, rows) < 1 or bits not in (16, 32):
        raise ReadError(
            f"{name} has {rows} × {columns} points of {bits} bits in the object at byte {at}; it is damaged"
        )
    size = rows * columns * channels * bits // 8
    if size > _MOST_BYTES:
        raise ReadError(f"{name} announces an object of {size} bytes, more than is read ({_MOST_BYTES})")
    if packed:
        raw, end = _unpack(data, start, size, name)
        end = max(end, start + head["Compressed_data_size"])
    else:
        raw, end = data[start : start + size], start + size
    if len(raw) != size:
        raise ReadError(
            f"{name} is cut off: its points need {size} bytes at byte {start}, {len(raw)} are there. Copy it again."
        )
    points = np.frombuffer(raw, f"<i{bits // 8}").reshape(rows, columns, channels)
    text = clean_text(comment.decode("cp1252", "replace"))
    return SurfObject(head, text, points, _lines(head)), end


def _lines(head: dict[str, Any]) -> dict[str, Line]:
    lines = {
        axis.lower(): Line(
            head[f"Name_of_{axis}_Axis"],
            head[f"{axis}_Offset"],
            head[f"{axis}_Spacing"],
            head[f"{axis}_Step_Unit"],
        )
        for axis in "XY"
    }
    lines["t"] = Line(head["T_Axis_Name"], head["T_Offset"], head["T_Spacing"], head["T_Step_Unit"])
    return lines


def _unpack(data: bytes | mmap.mmap, at: int, size: int, name: str) -> tuple[bytes, int]:
    """The parts of packed points, and the byte behind them."""
    if at + 4 > len(data):
        raise ReadError(f"{name} is cut off at byte {len(data)}, before its points. Copy it again.")
    (count,) = struct.unpack_from("<I", data, at)
    if not 0 < count <= _MOST_PARTS or at + 4 + 8 * count > len(data):
        raise ReadError(f"{name} is damaged: it announces {count} packed parts at byte {at}")
    sizes = struct.unpack_from(f"<{2 * count}I", data, at + 4)
    at += 4 + 8 * count
    parts: list[bytes] = []
    room = size
    for plain, packed in zip(sizes[::2], sizes[1::2], strict=True):
        if at + packed > len(data):
            raise ReadError(
                f"{name} is cut off: a packed part at byte {at} should have {packed} bytes. Copy it again."
            )
        try:
            parts.append(zlib.decompressobj().decompress(data[at : at + packed], min(plain, room) + 1))
        except zlib.error as e:
            raise ReadError(f"{name} is damaged: its points at byte {at} cannot be unpacked ({e})") from None
        room -= len(parts[-1])
        at += packed
        if room < 0:
            raise ReadError(
                f"{name} is damaged: its points unpack to more than the {size} bytes that its head announces"
            )
    return b"".join(parts), at


def told(comment: str) -> dict[str, Any]:
    """A comment's ``$key = value`` pairs by their ``$_SECTION``; other lines as they are."""
    root: dict[str, Any] = {}
    section, lines = root, []
    for part in comment.replace("$", "\n$").splitlines():
        words = part.strip()
        if words.startswith("$_"):
            section = root.setdefault(words[2:].strip(), {})
            if not isinstance(section, dict):
                section = root
        elif words.startswith("$") and "=" in words:
            key, _, value = words[1:].partition("=")
            section[key.strip()] = value.strip()
        elif words:
            lines.append(words)
    return root | ({"Lines": lines} if lines else {})
