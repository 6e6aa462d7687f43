"""JPK NanoWizard images ``.jpk`` and ``.jpk-qi-image``: a TIFF page a channel, and what it means in tags of its own.

The numbers are integers; a page has several scalings of them ("slots": volts, metres …) and names the one that the
program shows. Facts: the tags themselves, and JPK's published list of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, Quantity, Signal, clean_text, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._jpk_channels import channel_name
from zairyo.readers._tiff_image import opened, pixels

_MAGIC = (b"II*\0", b"MM\0*")
#: Tags of the first page: the frame, and how it was scanned.
_VERSION, _NAME, _COMMENT, _STARTED, _USER, _INSTRUMENT = 0x8000, 0x8004, 0x8005, 0x8003, 0x8009, 0x8016
_FEEDBACK, _DRIVE_HZ = 0x8030, 0x8037
_X, _Y, _WIDTH, _HEIGHT, _ANGLE, _RATE_HZ = 0x8040, 0x8041, 0x8042, 0x8043, 0x8044, 0x8049
#: Tags of a channel's page, and of each slot (from ``_SLOT`` on, ``_SLOT_STEP`` apart).
_CHANNEL, _IS_RETRACE, _LABEL, _SLOTS, _DEFAULT_SLOT = 0x8050, 0x8051, 0x8052, 0x8080, 0x8081
_SLOT, _SLOT_STEP = 0x8090, 0x30
_SLOT_UNIT, _SLOT_SCALING, _SLOT_FACTOR, _SLOT_OFFSET = 0x12, 0x13, 0x14, 0x15
_MOST_SLOTS, _MOST_PAGES = 64, 500
_TOLD_NAMES = {
    _VERSION: "version", _NAME: "name", _COMMENT: "comment", _STARTED: "start", _USER: "user",
    _INSTRUMENT: "instrument", _FEEDBACK: "feedback mode", _DRIVE_HZ: "drive frequency (Hz)", _X: "x (m)",
    _Y: "y (m)", _WIDTH: "width (m)", _HEIGHT: "height (m)", _ANGLE: "angle (rad)", _RATE_HZ: "scan rate (Hz)",
}  # fmt: skip
Tags = Mapping[int, Any]


def sniff(src: RawInput) -> float:
    if src.head[:4] not in _MAGIC:
        return NO
    try:
        with opened(src) as file:
            codes = {tag.code for tag in file.pages[0].tags}
    except ReadError:
        return NO
    return CERTAIN if {_VERSION, _X, _WIDTH, _HEIGHT} <= codes else NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    with opened(src) as file:
        frame = _tags(file.pages[0])
        channels = [
            (tags, pixels(page, f"channel {_text(tags, _CHANNEL)!r}"))
            for page in file.pages[:_MOST_PAGES]
            if _text(tags := _tags(page), _CHANNEL) not in ("", "thumbnail")
        ]
    if not channels:
        raise ReadError(
            f"{src.name} holds no channel, only a thumbnail; it was saved before anything was measured"
        )
    shapes = dict.fromkeys(values.shape for _, values in channels)
    entries: list[Entry] = []
    for shape in shapes:
        signals = [_signal(tags, values, warnings) for tags, values in channels if values.shape == shape]
        name = "image" if not entries else f"image_{len(entries) + 1}"
        entries.append(_entry(name, shape, frame, signals))
    told = {_TOLD_NAMES.get(code, f"{code:#06x}"): value for code, value in frame.items() if code >= _VERSION}
    model = _text(frame, _INSTRUMENT)
    return _spm.measurement(
        entries,
        warnings,
        title=_text(frame, _NAME) or src.name,
        instrument=f"JPK {model}".strip(),
        operator=_text(frame, _USER),
        original_metadata=tidy_metadata({"image": told, "channels": [_told(tags) for tags, _ in channels]}),
    )


def _tags(page: Any) -> dict[int, Any]:
    return {tag.code: tag.value for tag in page.tags}


def _told(tags: Tags) -> dict[str, Any]:
    return {f"{code:#06x}": value for code, value in tags.items() if code >= _VERSION}


def _text(tags: Tags, code: int) -> str:
    value = tags.get(code)
    text = clean_text(value).strip() if isinstance(value, str) else ""
    return "" if text == "<empty>" else text


def _number(tags: Tags, code: int) -> float | None:
    value = tags.get(code)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _signal(tags: Tags, raw: NDArray[Any], warnings: list[str]) -> Signal:
    """A channel in the unit that the program shows it in."""
    label = _text(tags, _CHANNEL)
    if raw.ndim != 2 or raw.dtype.kind not in "iuf":
        raise ReadError(f"channel {label!r} is no image of numbers; the file is damaged")
    factor, offset, unit = _scaling(tags)
    if factor is None:
        warnings.append(
            f"The file does not say what the numbers of channel {label!r} are; they are kept as they are."
        )
        values: NDArray[Any] = raw
    else:
        values = raw * factor + offset
    known = _spm.known_unit(unit, f"channel {label!r}", warnings) if unit else None
    way = "_retrace" if tags.get(_IS_RETRACE) else ""
    return Signal(
        channel_name(label, known)[:50] + way,
        values,
        known,
        ("y", "x"),
        clean_text(_text(tags, _LABEL) or label),
    )


def _scaling(tags: Tags) -> tuple[float | None, float, str]:
    """Factor, offset and unit of the slot that is shown; of the last that has them if that one has none."""
    count = min(int(_number(tags, _SLOTS) or 0), _MOST_SLOTS)
    slots = [_SLOT + _SLOT_STEP * n for n in range(count)]
    linear = [at for at in slots if _text(tags, at + _SLOT_SCALING) == "LinearScaling"]
    shown = [at for at in linear if _text(tags, at) == _text(tags, _DEFAULT_SLOT)]
    for at in (*shown, *reversed(linear)):
        factor, offset = _number(tags, at + _SLOT_FACTOR), _number(tags, at + _SLOT_OFFSET)
        if factor is not None:
            return factor, offset or 0.0, _text(tags, at + _SLOT_UNIT)
    return None, 0.0, ""


def _entry(name: str, shape: tuple[int, ...], frame: Tags, signals: list[Signal]) -> Entry:
    """The first row is the lowest: rows go along the frame's second axis, away from its origin."""
    named = _spm.unique(signals)
    sizes = [(_number(frame, code) or 0.0) for code in (_HEIGHT, _WIDTH)]
    axes = tuple(
        _spm.pixels(n, count, size, "m") for n, count, size in zip(("y", "x"), shape, sizes, strict=True)
    )
    angle = _number(frame, _ANGLE)
    drive = _number(frame, _DRIVE_HZ)
    entry: Entry = _spm.made(
        "the image", Entry, name, "afm", axes, named,
        default=_spm.first_of(named, ("height_measured", "height", "height_measured_retrace", "height_retrace")),
        title=_text(frame, _NAME),
        conditions=_spm.told(
            scan_size_x=_spm.with_unit(sizes[1] or None, "m"),
            scan_size_y=_spm.with_unit(sizes[0] or None, "m"),
            position_x=_spm.with_unit(_number(frame, _X), "m"),
            position_y=_spm.with_unit(_number(frame, _Y), "m"),
            scan_angle=None if angle is None else Quantity(math.degrees(angle), "deg"),
            scan_rate=_spm.with_unit(_number(frame, _RATE_HZ) or None, "Hz"),
            imaging_mode=_text(frame, _FEEDBACK),
            drive_frequency=_spm.with_unit(drive, "Hz") if drive else None,
            comment=_text(frame, _COMMENT),
        ),
        started=_started(_text(frame, _STARTED)),
    )  # fmt: skip
    return entry


def _started(text: str) -> datetime | None:
    """``2017-01-16 16:00:32.334 GMT`` or with ``+0100``; other names of zones say nothing sure and are left out."""
    moment, _, zone = text.rpartition(" ")
    if zone in ("GMT", "UTC"):
        zone = "+0000"
    return _spm.moment(f"{moment} {zone}", "%Y-%m-%d %H:%M:%S.%f %z", "%Y-%m-%d %H:%M:%S %z") or _spm.moment(
        moment, "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"
    )


READER = Reader(
    name="jpk_image",
    version="1",
    techniques=("afm",),
    vendor="JPK (Bruker)",
    format="image (TIFF)",
    endings=(".jpk", ".jpk-qi-image"),
    sniff=sniff,
    read=read,
    notes="Every channel, trace and retrace, in the unit that the program shows; the first row is the lowest.",
)
