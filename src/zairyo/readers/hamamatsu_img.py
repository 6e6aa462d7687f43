"""Hamamatsu HPD-TA ``.img`` and TIFF: images of a streak camera, over wavelength and time.

A head of 64 bytes; a comment of sections (``[Camera],Name="…",…``); the pixels, row by row; tables of positions, where
the comment says so (``ScalingXScalingFile="#byte,count"``).
"""

from __future__ import annotations

import re
import struct
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Signal, clean_text, tidy_metadata
from zairyo.measurement.units import normalise, same_dimension
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._mapped import map_bytes
from zairyo.readers._microscope_values import conditions, number
from zairyo.readers._tiff_image import opened, pixels

_HEAD = struct.Struct("<2sHHHHHHi")
_HEAD_BYTES = 64
_DATES = tuple(f"{day} %H:%M:%S" for day in ("%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y-%m-%d", "%m/%d/%Y"))
_DESCRIPTION = 270  # the TIFF's tag
_DTYPES = {0: "u1", 2: "<u2", 3: "<u4"}
_PACKED = 1
_BEGINNING = b"[Application]"
_TOKEN = re.compile(r'\[([^\]]*)\]\s*,?|([^=,\[\]\r\n"]+)=(?:"([^"]*)"|([^,\[\r\n]*)),?')
_TABLE = re.compile(r"#(\d+),(\d+)\Z")
_CONDITIONS = {
    "Acquisition/ExposureTime": ("exposure_time", "s", 1.0),
    "Acquisition/NrExposure": ("repetitions", "", 1.0),
    "Camera/CameraName": ("detector", None, 1.0),
    "Spectrograph/Grating": ("grating", None, 1.0),
    "Spectrograph/Wavelength": ("central_wavelength", "nm", 1.0),
    "Streak camera/Mode": ("scan_mode", None, 1.0),
    "Streak camera/Time Range": ("time_range", "ns", 1.0),
    "Streak camera/MCP Gain": ("gain", "", 1.0),
    "Application/Software": ("software", None, 1.0),
    "Application/SoftwareVersion": ("software_version", None, 1.0),
    "Camera/SerialNumber": ("instrument_serial", None, 1.0),
    "Comment/UserComment": ("comment", None, 1.0),
}


def _sniff(src: RawInput) -> float:
    head = src.head
    return CERTAIN if head[:2] == b"IM" and head[_HEAD_BYTES:][: len(_BEGINNING)] == _BEGINNING else NO


def _read(src: RawInput) -> Measurement:
    data = map_bytes(src)
    if len(data) < _HEAD_BYTES or data[:2] != b"IM":
        raise ReadError(f"{src.name} is not an HPD-TA image: it does not begin with 'IM'")
    _, length, width, height, _, _, kind, _ = _HEAD.unpack_from(data)
    if kind == _PACKED:
        raise ReadError(f"{src.name} is a packed image; save it in HPD-TA with 16 or 32 bits a pixel")
    if kind not in _DTYPES or not width or not height:
        raise ReadError(f"{src.name} announces {height} × {width} pixels of type {kind}; it is damaged")
    dtype, at = np.dtype(_DTYPES[kind]), _HEAD_BYTES + length
    needed = at + width * height * dtype.itemsize
    if needed > len(data):
        raise ReadError(
            f"{src.name} is cut off: its pixels end at byte {needed}, and it has {len(data)}. Copy it again."
        )
    told = sections(decode_legacy(bytes(data[_HEAD_BYTES:at])))
    return _measurement(
        src, data, told, np.frombuffer(data, dtype, width * height, at).reshape(height, width)
    )


def _sniff_tiff(src: RawInput) -> float:
    if src.head[:4] not in (b"II*\0", b"MM\0*") or _BEGINNING not in src.head:
        return NO
    return CERTAIN if b"HPD-TA" in src.head or b"HiPic" in src.head else NO


def _read_tiff(src: RawInput) -> Measurement:
    with opened(src) as file:
        page = file.pages[0]
        comment = page.tags.get(_DESCRIPTION)
        told = sections(comment.value if comment is not None and isinstance(comment.value, str) else "")
        if "Scaling" not in told:
            raise ReadError(f"{src.name} does not say how HPD-TA scaled it; it is another TIFF, or damaged")
        image = pixels(page, src.name)
    if image.ndim != 2:
        raise ReadError(f"{src.name} is a picture in colours, no streak image; save the data in HPD-TA")
    return _measurement(src, src.read_bytes(), told, image)


def _measurement(
    src: RawInput, data: Any, told: dict[str, dict[str, str]], image: NDArray[Any]
) -> Measurement:
    """The image over the positions that ``told`` says, some of them in tables at bytes of ``data``."""
    warnings: list[str] = []
    height, width = image.shape
    axes = (_axis(data, told, "Y", height, warnings), _axis(data, told, "X", width, warnings))
    acquisition = told.get("Acquisition", {})
    unit = "counts" if str(acquisition.get("ZAxisUnit", "")).casefold().startswith("count") else None
    found = conditions(_CONDITIONS, lambda path: _at(told, path))
    entry = Entry(
        name="image",
        technique="photoluminescence",
        axes=axes,
        signals=(Signal("intensity", image, unit, tuple(a.name for a in axes)),),
        title="Streak image" if axes[0].name == "time" else "Spectrograph's image",
        conditions=found,
        original_metadata=tidy_metadata(told),
        started=_moment(told.get("Application", {}), warnings),
    )
    camera = clean_text(str(_at(told, "Streak camera/DeviceName") or "")).strip()
    return Measurement(
        (entry,),
        title=PurePosixPath(src.name).stem,
        instrument=f"Hamamatsu {camera}" if camera else "",
        warnings=tuple(warnings),
    )


def sections(comment: str) -> dict[str, dict[str, str]]:
    """``[Name],key=value,key="value, with commas"`` …, the sections on lines of their own or not."""
    found: dict[str, dict[str, str]] = {}
    here = found.setdefault("", {})
    for name, key, quoted, plain in _TOKEN.findall(clean_text(comment)):
        if key:
            here[key.strip()] = quoted or plain.strip()
        else:
            here = found.setdefault(name.strip(), {})
    if not found[""]:
        del found[""]
    return found


def _at(told: dict[str, dict[str, str]], path: str) -> str | None:
    section, _, key = path.partition("/")
    return told.get(section, {}).get(key) or None


def _axis(data: Any, told: dict[str, dict[str, str]], letter: str, size: int, warnings: list[str]) -> Axis:
    """Positions by their table or by an even step; row or column numbers where there is neither."""
    scaling = told.get("Scaling", {})
    unit = (
        normalise(scaling.get(f"Scaling{letter}Unit", "") or "")
        or scaling.get(f"Scaling{letter}Unit")
        or None
    )
    table = _TABLE.match(scaling.get(f"Scaling{letter}ScalingFile", ""))
    values = None
    if table and scaling.get(f"Scaling{letter}Type") == "2":
        start, count = int(table[1]), int(table[2])
        if count != size or start + 4 * count > len(data):
            warnings.append(f"The table of positions along {letter} is not in the file; pixels are numbered.")
        else:
            values = np.frombuffer(data, "<f4", count, start)
    elif unit and (step := number(scaling.get(f"Scaling{letter}Scale"))):
        values = step * np.arange(size)
    row = "detector_row" if letter == "Y" else "detector_column"
    if values is None or not unit or not np.isfinite(values).all():
        return Axis(row, np.arange(size), "pixel")
    name = next((n for n, u in (("wavelength", "nm"), ("time", "s")) if same_dimension(unit, u)), row)
    return Axis(name, values, unit)


def _moment(application: dict[str, str], warnings: list[str]) -> datetime | None:
    """Date and time as the computer's country writes them; months by name are not read."""
    text = f"{application.get('Date', '')} {application.get('Time', '').split('.')[0]}"
    return in_forms(text, _DATES, warnings)


READERS = (
    Reader(
        name="hamamatsu_img",
        version="1",
        techniques=("photoluminescence",),
        vendor="Hamamatsu",
        format="HPD-TA image",
        endings=(".img",),
        sniff=_sniff,
        read=_read,
        notes="Streak images (time, wavelength) and images in focus mode, of 8, 16 and 32 bits, with their positions. "
        "Packed images are not read.",
    ),
    Reader(
        name="hamamatsu_tiff",
        version="1",
        techniques=("photoluminescence",),
        vendor="Hamamatsu",
        format="HPD-TA TIFF",
        endings=(".tif", ".tiff"),
        sniff=_sniff_tiff,
        read=_read_tiff,
        notes="The same images saved as data in a TIFF, with their positions; not its pictures in colours.",
    ),
)
