"""Images in Bruker's maps: electron images of the mapped area, and overviews in which it lies."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Quantity, Signal, clean_text
from zairyo.readers._bruker_eds import instance, instances, moment, number, quantity
from zairyo.readers._microscope_values import free_name
from zairyo.readers._xml import text

_TYPES = {1: "u1", 2: "<u2", 4: "<u4"}
_MOST_PIXELS = 2**28
#: Images that are no pictures: how often each pixel was measured, and for how long.
_COUNTERS = ("Counter", "PixelTimes")


def image_entries(
    database: Element,
    technique: str,
    conditions: dict[str, Quantity],
    arrays: list[bytes],
    warnings: list[str],
) -> list[Entry]:
    """An entry for every plane of every image that is not blank."""
    sem = instance(database, "TRTSEMData")
    entries: list[Entry] = []
    taken: set[str] = set()
    overviews = {
        id(image)
        for container in instances(database, "TRTContainerClass")
        if container.get("Name") == "OverviewImages"
        for image in instances(container, "TRTImageData")
    }
    for image in instances(database, "TRTImageData"):
        if image.get("Name") in _COUNTERS:
            continue
        steps = [number(image, "XCalibration") or 0.0, number(image, "YCalibration") or 0.0]
        own = conditions | _header_conditions(image)
        for plane in (e for e in image if re.fullmatch(r"Plane\d+", e.tag)):
            pixels = plane_pixels(image, plane, arrays, warnings)
            if pixels is None:
                continue
            if not all(steps):
                steps = [number(sem, "DX") or 0.0, number(sem, "DY") or 0.0]
            axes = (place_axis("y", pixels.shape[0], steps[1]), place_axis("x", pixels.shape[1], steps[0]))
            title = clean_text(text(plane, "Description") or text(plane, "Name")) or "Image"
            entries.append(
                Entry(
                    name=free_name("overview" if id(image) in overviews else "image", taken),
                    technique=technique,
                    axes=axes,
                    signals=(Signal("intensity", pixels, None, ("y", "x")),),
                    title=title,
                    conditions=own | {"detector": Quantity(title)},
                    started=moment(image),
                )
            )
    return entries


def plane_pixels(
    image: Element, plane: Element, arrays: list[bytes], warnings: list[str]
) -> NDArray[Any] | None:
    """The numbers of one plane, shape (rows, columns); None if it is blank or, with a warning, not all there."""
    told = text(plane, "Data")
    place = int(told[1:]) if told[:1] == "#" and told[1:].isdecimal() and len(told) < 10 else len(arrays)
    columns, rows, size = (int(number(image, n) or 0) for n in ("Width", "Height", "ItemSize"))
    dtype = _TYPES.get(size)
    if place >= len(arrays) or dtype is None or not 0 < columns * rows <= _MOST_PIXELS or columns < 0:
        return None
    if not arrays[place].strip(b"A=\r\n"):
        return None  # zeros
    try:
        raw = base64.b64decode(arrays[place])
        if len(raw) != columns * rows * size and raw[:1] == b"x":
            raw = zlib.decompressobj().decompress(raw, columns * rows * size + 1)
    except (binascii.Error, ValueError, zlib.error):
        raw = b""
    if len(raw) != columns * rows * size:
        title = clean_text(text(plane, "Description"))[:40]
        warnings.append(
            f"The image {title!r} of {columns} × {rows} pixels is not all there and was left out."
        )
        return None
    return np.frombuffer(raw, dtype).reshape(rows, columns)


def _header_conditions(image: Element) -> dict[str, Quantity]:
    """What an image says of its own microscope settings."""
    header = instance(image, "TRTREMHeader")
    found = {
        "accelerating_voltage": quantity(header, "Energy", "kV"),
        "magnification": quantity(header, "Magnification", ""),
        "working_distance": quantity(header, "WorkingDistance", "mm"),
    }
    return {name: value for name, value in found.items() if value is not None}


def place_axis(name: str, size: int, step: float, binning: int = 1) -> Axis:
    """Positions in µm from the first pixel's; of sums over ``binning`` pixels their middle. Pixels without a step."""
    places = np.arange(size) * float(binning) + (binning - 1) / 2
    return Axis(name, places * step, "um") if 1e-9 < step < 1e9 else Axis(name, places, "pixel")
