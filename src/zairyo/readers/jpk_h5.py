"""JPK NanoWizard images and videos of fast scans, ``.h5-jpk``: HDF5, a group a measurement, in it one a channel.

Facts from public readers: ``Measurement_000`` has the grid and the line rate as attributes that are named like JPK's
properties; ``Channel_000`` the channel's name, whether it is the retrace, and the scaling of its numbers to a unit; its
dataset a column a frame, the pixels of the lowest line first. Newer software keeps a small picture beside it,
``thumbnail``, and when each frame began, in ms since 1970, under ``meta-data``.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, clean_text, tidy_metadata, units
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._hdf5_file import attribute, dataset, group_at, members, open_hdf5, root_names
from zairyo.readers._jpk_channels import channel_name
from zairyo.readers._jpk_properties import moment

_MEASUREMENT, _CHANNEL, _PICTURE = "Measurement_", "Channel_", "thumbnail"
_SCALING = "net-encoder.scaling."
_GRID = "position-pattern.grid."
_CALIBRATION = "environment.cantilever-calibration-info."
_MOST_CHANNELS, _MOST_PIXELS = 200, 100_000
_MOST_BYTES = 512 * 1024**2


def sniff(src: RawInput) -> float:
    if not any(name.startswith(_MEASUREMENT) for name in root_names(src)):
        return NO
    try:
        with open_hdf5(src) as file:
            return CERTAIN if any(_channels(group) for _, group in _measurements(file)) else NO
    except ReadError:
        return NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    entries: list[Entry] = []
    told: dict[str, Any] = {}
    with open_hdf5(src) as file:
        for name, group in _measurements(file):
            channels = _channels(group)
            told[name] = _attributes(group) | {key: _attributes(channel) for key, channel in channels}
            if channels:
                entries.append(_entry(name, group, [channel for _, channel in channels], warnings))
    if not entries:
        raise ReadError(f"{src.name} holds no channel; it was saved before anything was measured")
    return _spm.measurement(
        entries,
        warnings,
        title=src.name,
        instrument="JPK NanoWizard",
        operator=told[next(iter(told))].get("description.user-name") or "",
        original_metadata=tidy_metadata(told),
    )


def _measurements(file: Any) -> list[tuple[str, Any]]:
    found = ((name, group_at(file, name)) for name in sorted(members(file)) if name.startswith(_MEASUREMENT))
    return [(name, group) for name, group in found if group is not None]


def _channels(group: Any) -> list[tuple[str, Any]]:
    names = [name for name in sorted(members(group)) if name.startswith(_CHANNEL)][:_MOST_CHANNELS]
    found = ((name, group_at(group, name)) for name in names)
    return [(n, channel) for n, channel in found if channel is not None and "channel.name" in channel.attrs]


def _attributes(group: Any) -> dict[str, Any]:
    return {clean_text(str(name)): attribute(group, name) for name in list(group.attrs)[:2000]}


def _number(group: Any, name: str) -> float | None:
    value = attribute(group, name)
    if isinstance(value, str):
        return _spm.number(value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _entry(name: str, group: Any, channels: list[Any], warnings: list[str]) -> Entry:
    columns, rows = (int(_number(group, f"{_GRID}{side}length") or 0) for side in "ij")
    if not (0 < columns <= _MOST_PIXELS and 0 < rows <= _MOST_PIXELS):
        raise ReadError(f"{name} does not say how many pixels its images have; the file is damaged")
    signals = _spm.unique([_signal(channel, name, rows, columns, warnings) for channel in channels])
    frames = max(signal.values.shape[0] for signal in signals)
    if any(signal.values.shape[0] != frames for signal in signals):
        raise ReadError(
            f"the channels of {name} differ in how many frames they have; the acquisition was stopped"
        )
    width, height = (_number(group, f"{_GRID}{side}length") or 0.0 for side in "uv")
    axes: tuple[Axis, ...] = (_spm.pixels("y", rows, height, "m"), _spm.pixels("x", columns, width, "m"))
    started = moment(_text(group, "start-time"))
    times = _times(group, frames)
    if frames == 1:
        signals = tuple(Signal(s.name, s.values[0], s.unit, ("y", "x"), s.long_name) for s in signals)
    elif times is not None:
        signals = tuple(replace(s, axes=("time", "y", "x")) for s in signals)
        axes = (Axis("time", times, "s", "Start of the frame"), *axes)
    else:
        axes = (Axis("frame", np.arange(frames), ""), *axes)
    angle = _number(group, f"{_GRID}theta")
    wanted = ("height_measured", "height", "height_measured_retrace", "height_retrace")
    entry: Entry = _spm.made(
        "the image", Entry, "image" if name.endswith("000") else f"image_{name[-3:]}", "afm", axes, signals,
        default=_spm.first_of(signals, wanted),
        title=name.replace("_", " "),
        conditions=_spm.told(
            scan_size_x=_spm.with_unit(width or None, "m"),
            scan_size_y=_spm.with_unit(height or None, "m"),
            position_x=_spm.with_unit(_number(group, f"{_GRID}xcenter"), "m"),
            position_y=_spm.with_unit(_number(group, f"{_GRID}ycenter"), "m"),
            scan_angle=None if angle is None else Quantity(math.degrees(angle) + 0.0, "deg"),
            scan_rate=_spm.with_unit(_number(group, "timing-settings.scanRate"), "Hz"),
            spring_constant=_in(group, "spring-constant", "N/m"),
            imaging_mode=_text(group, "environment.feedback-mode.name"),
        ),
        started=started,
    )  # fmt: skip
    return entry


def _text(group: Any, name: str) -> str:
    value = attribute(group, name)
    return clean_text(value).strip() if isinstance(value, str) else ""


def _in(group: Any, name: str, unit: str) -> Quantity | None:
    """What the calibration of the cantilever says, ``197.984 mN/m``, in the unit; None if it was not calibrated."""
    number, _, stated = _text(group, f"{_CALIBRATION}{name}").partition(" ")
    value, known = _spm.number(number), units.normalise(stated.strip())
    if value is None or known is None or not units.same_dimension(known, unit):
        return None
    return Quantity(float(units.convert(value, known, unit)), unit)


def _times(group: Any, frames: int) -> NDArray[np.float64] | None:
    """When each frame began, in s since the first; None where that is not told or not in order."""
    told = group_at(group, "meta-data")
    found = None if told is None else dataset(told, "start-times", 8 * _MOST_PIXELS)
    if found is None or found.dtype.kind not in "iuf" or found.size != frames:
        return None
    milliseconds = np.asarray(found[()], float).ravel()
    seconds = (milliseconds - milliseconds[0]) / 1000
    return seconds if np.isfinite(seconds).all() and (np.diff(seconds) > 0).all() else None


def _signal(channel: Any, where: str, rows: int, columns: int, warnings: list[str]) -> Signal:
    """A channel's frames, shape (frames, rows, columns), in the unit of its scaling."""
    label = clean_text(str(attribute(channel, "channel.name"))).strip() or "channel"
    stored = [
        found
        for name in members(channel)
        if name != _PICTURE and (found := _frames(channel, name)) is not None
    ]
    if len(stored) != 1:
        raise ReadError(
            f"channel {label!r} of {where} has {len(stored)} sets of frames where one is expected"
        )
    raw = stored[0] if stored[0].ndim == 2 else stored[0][:, np.newaxis]
    if raw.shape[0] != rows * columns:
        raise ReadError(
            f"channel {label!r} of {where} has {raw.shape[0]} pixels, not {columns} × {rows}; the file is damaged"
        )
    frames = np.ascontiguousarray(raw.T).reshape(-1, rows, columns)
    factor, offset = _number(channel, _SCALING + "multiplier"), _number(channel, _SCALING + "offset")
    unit = attribute(channel, _SCALING + "unit.unit")
    if factor is None:
        warnings.append(
            f"The file does not say what the numbers of channel {label!r} are; they are kept as they are."
        )
        values, unit = frames, None
    else:
        values = frames * factor + (offset or 0.0)
    known = _spm.known_unit(unit, f"channel {label!r}", warnings) if isinstance(unit, str) else None
    back = str(attribute(channel, "retrace")).strip().casefold() in ("true", "1")
    name = channel_name(label, known)[:50] + ("_retrace" if back else "")
    return Signal(name, values, known, ("frame", "y", "x"), label)


def _frames(channel: Any, name: str) -> NDArray[Any] | None:
    found = dataset(channel, name, _MOST_BYTES)
    if found is None or found.ndim not in (1, 2) or found.dtype.kind not in "iuf" or not found.size:
        return None
    values: NDArray[Any] = found[()]
    return values


READER = Reader(
    name="jpk_h5",
    version="2",
    techniques=("afm",),
    vendor="JPK (Bruker)",
    format="image or video (HDF5)",
    endings=(".h5-jpk",),
    sniff=sniff,
    read=read,
    notes="From public descriptions of the format. Every channel of a fast scan over its frames, trace and retrace; "
    "the first row is the lowest. Force data of this kind are not read.",
)
