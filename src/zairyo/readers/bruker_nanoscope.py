"""Bruker (Veeco, Digital Instruments) NanoScope, ``.spm``, ``.000``, ``.001`` …: all channels of a scan or force curve.

A text header of sections (``\\*Ciao image list``), closed by ``\\*File list end``, then each image as whole numbers.
``\\@2:Z scale: V [Sens. Zsens] (0.0019 V/LSB) 127.9 V`` says that the range of the numbers is 127.9 V and that
``\\@Sens. Zsens: V 4.27 nm/V`` turns volts into nanometres. Facts: NanoScope 8.10 user's guide, "File format".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, Quantity, Signal, clean_text, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._nanoscope_force import curve_entry
from zairyo.readers._nanoscope_header import (
    CHOICE,
    Section,
    calibrated,
    count_of,
    lengths_of,
    metadata_of,
    parse_sections,
    value_of,
)

_START, _FORCE = b"\\*File list", b"\\*Force file list"
_END = re.compile(rb"\\\*(?:Force )?[Ff]ile list end[^\n]*\n?")
_MOST_HEADER, _MOST_PIXELS = 16 * 1024**2, 100_000
_IMAGE, _CURVE = "ciao image list", "ciao force image list"


def sniff(src: RawInput) -> float:
    head = src.head
    return CERTAIN if head.startswith((_START, _FORCE)) and b"\\Version: 0x" in head[:400] else NO


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    end = _END.search(data, 0, _MOST_HEADER)
    if end is None:
        raise ReadError(
            f"{src.name} has no end of its header ('\\*File list end'); it is cut off. Copy it again."
        )
    sections = parse_sections(_spm.decode(data[: end.start()]))
    images = [section for name, section in sections if name == _IMAGE]
    curves = [section for name, section in sections if name == _CURVE]
    if not images and not curves:
        if any("ciao" not in name and "image list" in name for name, _ in sections):
            raise ReadError(
                f"{src.name} is of before NanoScope 4.3, which is not read; export it from NanoScope Analysis as text"
            )
        raise ReadError(
            f"{src.name} holds no image; it was saved before anything was measured, or is damaged"
        )
    settings: Section = {}
    for name, section in sections:
        if name not in (_IMAGE, _CURVE):
            settings = section | settings
    warnings: list[str] = []
    ramp = next((section for name, section in sections if name == "ciao force list"), {})
    if images:
        entries = _images(data, images, settings, src.name, warnings)
        if curves:
            warnings.append(
                "The force curves at the points of the image (force volume, PeakForce capture) are not read; export "
                "them from NanoScope Analysis as text."
            )
    else:
        entries = [curve_entry(data, curves, ramp, settings, src.name, warnings)]
    return _spm.measurement(
        entries,
        warnings,
        title=src.name,
        instrument=f"Bruker {clean_text(settings.get('description', ''))}".strip(),
        original_metadata=tidy_metadata(metadata_of(sections)),
    )


def _images(
    data: bytes, images: list[Section], settings: Section, name: str, warnings: list[str]
) -> list[Entry]:
    """An entry for the images of each size."""
    named = _spm.unique([_signal(data, section, settings, name, warnings) for section in images])
    scanned = settings | images[0]
    entries: list[Entry] = []
    for shape in dict.fromkeys(signal.values.shape for signal in named):
        alike = tuple(signal for signal in named if signal.values.shape == shape)
        image = next(i for i, signal in zip(images, named, strict=True) if signal.values.shape == shape)
        entries.append(_entry("image" if not entries else f"image_{len(entries) + 1}", alike, image, scanned))
    return entries


# --- numbers ------------------------------------------------------------------------------------------------


def _signal(data: bytes, image: Section, settings: Section, name: str, warnings: list[str]) -> Signal:
    choice = CHOICE.match(image.get("image data", ""))
    label = clean_text((choice[2] or choice[1] or "") if choice else "").strip() or "channel"
    raw = _numbers(data, image, f"image {label!r} of {name}")
    scale = value_of(image.get("z scale", ""))
    if scale is None:
        warnings.append(
            f"The file does not say what the numbers of {label!r} are; they are kept as they are."
        )
        return Signal(_name(label, image), raw, None, ("y", "x"), label)
    steps = 256.0 ** count_of(image, "bytes/pixel", 2, 4)
    factor, unit = calibrated(scale, settings, label, warnings)
    return Signal(_name(label, image), raw * (factor / steps), unit, ("y", "x"), label)


def _name(label: str, image: Section) -> str:
    """The vocabulary's name; ``DMTModulus`` has no blank between its words."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", label)
    back = "_retrace" if image.get("line direction", "").casefold() == "retrace" else ""
    return _spm.channel_name(words)[:50] + back


def _numbers(data: bytes, image: Section, what: str) -> NDArray[Any]:
    """The stored numbers, shape (rows, columns); from version 9.2 on in four bytes even where two are told of."""
    columns, rows = (count_of(image, key, 0, _MOST_PIXELS) for key in ("samps/line", "number of lines"))
    start, size = (count_of(image, key, 0, 2**62) for key in ("data offset", "data length"))
    if not (columns and rows and start and size):
        raise ReadError(f"{what} does not say how many pixels it has and where they are; the file is damaged")
    width = size // (columns * rows)
    if width not in (2, 4):
        raise ReadError(f"{what} has {size} bytes for {columns} × {rows} pixels; the file is damaged")
    if start + width * columns * rows > len(data):
        raise ReadError(
            f"{what} should end at byte {start + size}, but the file has {len(data)}; it is cut off. Copy it again."
        )
    return np.frombuffer(data, f"<i{width}", rows * columns, start).reshape(rows, columns)


# --- entries ------------------------------------------------------------------------------------------------


def _entry(name: str, signals: tuple[Signal, ...], image: Section, settings: Section) -> Entry:
    """The first row is the lowest, whichever way the frame was scanned."""
    rows, columns = signals[0].values.shape
    sizes, unit = lengths_of(image.get("scan size") or settings.get("scan size", ""))
    width, height = (sizes * 2)[:2] if sizes else (0.0, 0.0)
    entry: Entry = _spm.made(
        "the image", Entry, name, "stm" if image.get("data type") == "STM" else "afm",
        (_spm.pixels("y", rows, height, unit), _spm.pixels("x", columns, width, unit)), signals,
        default=_spm.first_of(
            signals, [n + way for n in ("height_measured", "height", "current") for way in ("", "_retrace")]
        ),
        title=", ".join(dict.fromkeys(signal.long_name for signal in signals))[:200],
        conditions=_conditions(settings, width, height, unit),
        started=_spm.moment(settings.get("date", ""), "%I:%M:%S %p %a %b %d %Y"),
    )  # fmt: skip
    return entry


def _conditions(settings: Mapping[str, str], width: float, height: float, unit: str) -> dict[str, Quantity]:
    def length(key: str) -> Quantity | None:
        numbers, of = lengths_of(settings.get(key, ""))
        return Quantity(numbers[0], of) if numbers else None

    mode = CHOICE.match(settings.get("microscopelist", ""))
    return _spm.told(
        scan_size_x=Quantity(width, unit) if width else None,
        scan_size_y=Quantity(height, unit) if height else None,
        position_x=length("x offset"),
        position_y=length("y offset"),
        scan_rate=_spm.with_unit(_spm.number(settings.get("scan rate")), "Hz"),
        imaging_mode=(mode[2] or mode[1]) if mode else None,
        scan_direction={"up": "up", "down": "down"}.get(settings.get("frame direction", "").casefold()),
        software_version=settings.get("version"),
        comment=settings.get("note"),
    )


READER = Reader(
    name="bruker_nanoscope",
    version="2",
    techniques=("afm", "stm", "afm_force"),
    vendor="Bruker (Veeco, Digital Instruments)",
    format="NanoScope image and force curve",
    endings=(".spm", ".000", ".001", ".002"),
    sniff=sniff,
    read=read,
    notes="Every channel of an image of NanoScope 4.3 and newer, in the unit of its sensitivity; offsets of the height "
    "are left out. Single force curves, in newtons where the cantilever was calibrated; of force volumes only the "
    "image.",
)
