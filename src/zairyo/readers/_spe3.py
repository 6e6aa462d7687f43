"""Princeton Instruments SPE 3 (LightField): what the XML behind the frames says.

``DataFormat`` has one block of frames (how many, of how many bytes, of what numbers), in it the regions one behind
the other; behind them each frame's own values (``MetaFormat``). ``Calibrations`` map the sensor to wavelengths.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError
from zairyo.readers._optical_bytes import Fields
from zairyo.readers._xml import attribute, find, find_all, local, parse_xml, text

FIRST_FRAME = 4100
_NUMBERS = {
    "MonochromeUnsigned16": "<u2",
    "MonochromeUnsigned32": "<u4",
    "MonochromeFloating32": "<f4",
}
_MOST_XML = 64 * 1024**2


@dataclass(frozen=True)
class Region:
    """One region of the sensor: frames of (height, width), and where on the sensor it is."""

    values: NDArray[Any]
    x: int
    x_binning: int
    y: int
    y_binning: int


@dataclass
class Spe3:
    root: Any
    regions: list[Region] = field(default_factory=list)
    times: NDArray[np.float64] | None = None
    wavelengths: NDArray[np.float64] | None = None


def read_spe3(fields: Fields, xml_at: int, warnings: list[str]) -> Spe3:
    if not FIRST_FRAME <= xml_at < len(fields) or len(fields) - xml_at > _MOST_XML:
        raise ReadError(
            f"{fields.name}: the description should be at byte {xml_at}, but the file has {len(fields)}; it is cut off"
        )
    root = parse_xml(fields.data[xml_at:].strip(b"\0 \r\n"), fields.name)
    frame = find(root, "DataFormat/DataBlock")
    if frame is None or attribute(frame, "type") != "Frame":
        raise ReadError(f"{fields.name}: the description tells of no frames")
    pixel = attribute(frame, "pixelFormat")
    if pixel not in _NUMBERS:
        raise ReadError(f"{fields.name}: pixels of the kind {pixel!r} are not read")
    count, size, stride = (whole(attribute(frame, n), n, fields.name) for n in ("count", "size", "stride"))
    if count < 1 or not 0 < size <= stride or stride * count > xml_at - FIRST_FRAME:
        raise ReadError(
            f"{fields.name}: {count} frames of {stride} bytes do not fit before byte {xml_at}; the file is damaged"
        )
    rows = fields.array("u1", FIRST_FRAME, count * stride, "the frames").reshape(count, stride)
    spe = Spe3(root)
    spe.times = _times(root, rows[:, size:])
    spe.wavelengths = _wavelengths(root, warnings)
    mappings = {attribute(m, "id"): m for m in find_all(root, "Calibrations/SensorMapping")}
    at = 0
    for block in find_all(frame, "DataBlock"):
        region, at = _region(rows, at, block, np.dtype(_NUMBERS[pixel]), mappings, size, fields.name)
        spe.regions.append(region)
    if not spe.regions:
        raise ReadError(f"{fields.name}: the description tells of no region")
    return spe


def whole(stated: str, what: str, name: str) -> int:
    if not stated.isdecimal() or len(stated) > 15:
        raise ReadError(f"{name}: the description's {what} {stated[:20]!r} is no whole number")
    return int(stated)


def _region(
    rows: NDArray[Any],
    at: int,
    block: Any,
    dtype: np.dtype[Any],
    mappings: dict[str, Any],
    size: int,
    name: str,
) -> tuple[Region, int]:
    width, height = (whole(attribute(block, n), n, name) for n in ("width", "height"))
    stop = at + width * height * dtype.itemsize
    if not width * height or stop > size:
        raise ReadError(
            f"{name}: a region of {width} × {height} does not fit into its frame; the file is damaged"
        )
    values = np.ascontiguousarray(rows[:, at:stop]).view(dtype).reshape(len(rows), height, width)
    ids = attribute(block, "calibrations").split(",")
    mapping = next((mappings[i] for i in ids if i in mappings), None)

    def place(key: str, default: int) -> int:
        stated = attribute(mapping, key)
        return int(stated) if stated.isdecimal() and len(stated) < 9 else default

    region = Region(values, place("x", 0), place("xBinning", 1), place("y", 0), place("yBinning", 1))
    return region, stop


def _times(root: Any, meta: NDArray[Any]) -> NDArray[np.float64] | None:
    """When each frame's exposure began, s, if the frames carry it."""
    at = 0
    block = find(root, "MetaFormat/MetaBlock")
    for item in () if block is None else block:
        bits = attribute(item, "bitDepth") or "64"
        if not bits.isdecimal() or bits not in ("8", "16", "32", "64"):
            return None
        if local(item.tag) == "TimeStamp" and attribute(item, "event") == "ExposureStarted":
            resolution = attribute(item, "resolution")
            if at + 8 > meta.shape[1] or attribute(item, "type") != "Int64" or not resolution.isdecimal():
                return None
            ticks = np.ascontiguousarray(meta[:, at : at + 8]).view("<i8")[:, 0]
            return ticks / float(resolution) if float(resolution) else None
        at += int(bits) // 8
    return None


def _wavelengths(root: Any, warnings: list[str]) -> NDArray[np.float64] | None:
    """Wavelengths along the sensor, nm: a list, or pairs with their errors."""
    for name, step in (("Wavelength", 1), ("WavelengthError", 2)):
        stated = text(root, f"Calibrations/WavelengthMapping/{name}")
        if stated:
            try:
                values = np.array(stated.replace(" ", ",").split(","), dtype=float)[::step]
            except ValueError:
                warnings.append("The list of wavelengths is no list of numbers; the axis is in pixels.")
                return None
            return values if np.isfinite(values).all() else None
    return None
