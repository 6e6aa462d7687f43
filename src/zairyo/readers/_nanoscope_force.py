"""A single force curve of a NanoScope file → an entry.

Facts: a channel (``\\*Ciao force image list``) holds the approach, its last point first, then the retraction, then what
was held in between. ``Z scale`` tells what one step of its numbers is worth in volts, ``Ramp size`` how far the piezo
was driven. Points of an approach that a trigger did not need were never measured: they hold the smallest number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Quantity, Signal, clean_text, table
from zairyo.readers import _spm
from zairyo.readers._api import ReadError
from zairyo.readers._nanoscope_header import (
    CHOICE,
    Section,
    calibrated,
    count_of,
    lengths_of,
    unit_of,
    value_of,
)

Array = NDArray[Any]
_MOST_POINTS = 2**24
_EXPORT = "export it from NanoScope Analysis as text"


@dataclass(frozen=True)
class _Parts:
    """How many points each part of the curve has."""

    approach: int
    held: int
    retract: int

    @property
    def points(self) -> int:
        return self.approach + self.held + self.retract

    def in_time(self, stored: Array) -> Array:
        """The points in the order in which they were measured."""
        ends = (self.approach, self.approach + self.retract)
        return np.concatenate((stored[: ends[0]][::-1], stored[ends[1] :], stored[ends[0] : ends[1]]))

    def names(self) -> Array:
        return np.repeat(["approach", "pause", "retract"], [self.approach, self.held, self.retract])


def curve_entry(
    data: bytes, curves: list[Section], ramp: Section, settings: Section, name: str, warnings: list[str]
) -> Entry:
    """The curve as a table, its points in the order of time, told apart by ``segment``.

    Raises
    ------
    ReadError
        Something else than the height was ramped, approach and retraction differ in length, or the file is cut off.
    """
    over = CHOICE.match(ramp.get("ramp channel", ""))
    channel = (over[2] or over[1] or "Z") if over else "Z"
    if channel != "Z":
        raise ReadError(f"{name} holds a ramp of {channel[:60]!r}, not a force curve; {_EXPORT}")
    parts = _parts(ramp, curves[0], name)
    raw = [parts.in_time(_numbers(data, curve, parts.points, name)) for curve in curves]
    unmeasured = np.logical_and.reduce([_is_filled(numbers) for numbers in raw])
    first = int(np.argmin(unmeasured)) if not unmeasured.all() else parts.points
    if first >= parts.approach:
        raise ReadError(f"{name} holds no point of an approach; the acquisition may have been stopped")
    if first:
        warnings.append(f"{first} points before the approach were not measured and are left out.")
    columns = [Signal("segment", parts.names(), None, long_name="Segment")]
    told: dict[str, Quantity] = {}
    if (piezo := _piezo(parts, curves[0], ramp, settings, warnings)) is not None:
        columns.append(piezo)
        told["curve_length"] = Quantity(float(np.max(piezo.values)), piezo.unit)
    for curve, numbers in zip(curves, raw, strict=True):
        columns += _channel(curve, numbers, settings, told, warnings)
    columns = [replace(c, values=c.values[first:]) for c in _spm.unique(columns)]
    names = [c.name for c in columns[1:]]
    entry: Entry = _spm.made(
        "the force curve", table, "force_curve", "afm_force", columns,
        x=next((n for n in ("height_measured", "piezo") if n in names), names[-1]),
        default=next((n for n in ("force", "deflection", "deflection_voltage") if n in names), names[-1]),
        title="Force curve: " + ", ".join(dict.fromkeys(columns[0].values.tolist())),
        conditions=told | _conditions(ramp, settings),
        started=_spm.moment(settings.get("date", ""), "%I:%M:%S %p %a %b %d %Y"),
    )  # fmt: skip
    return entry


def _parts(ramp: Section, curve: Section, name: str) -> _Parts:
    """Two counts where approach and retraction may differ; which is which the software's versions do not agree on."""
    counts = (ramp.get("samps/line") or curve.get("samps/line", "")).split()[:2]
    if not counts or not all(c.isdecimal() and 0 < int(c) <= _MOST_POINTS for c in counts):
        raise ReadError(f"{name} does not say how many points its curve has; the file is damaged")
    if len(set(counts)) > 1:
        raise ReadError(
            f"{name} has {' and '.join(counts)} points in approach and retraction, and it is not known which has "
            f"which; {_EXPORT}"
        )
    points = int(counts[0])
    return _Parts(points, count_of(ramp, "hold samples", 0, _MOST_POINTS), points)


def _numbers(data: bytes, curve: Section, points: int, name: str) -> Array:
    start, size = (count_of(curve, key, 0, 2**62) for key in ("data offset", "data length"))
    width = size // points
    if not start or width not in (2, 4) or size != width * points:
        raise ReadError(
            f"{name} has {size} bytes for a curve of {points} points; it is a force volume, which is not read, or "
            f"damaged: {_EXPORT}"
        )
    if start + size > len(data):
        raise ReadError(
            f"a curve of {name} should end at byte {start + size}, but the file has {len(data)}; it is cut off. Copy "
            "it again."
        )
    return np.frombuffer(data, f"<i{width}", points, start)


def _is_filled(numbers: Array) -> Array:
    """Where nothing was measured: the smallest number of two bytes or of four stands there."""
    filled: Array = (numbers == -(2**15)) | (numbers == -(2**31))
    return filled


def _piezo(
    parts: _Parts, curve: Section, ramp: Section, settings: Section, warnings: list[str]
) -> Signal | None:
    """How far the piezo was driven towards the sample; None where the file does not say."""
    size = value_of(curve.get("ramp size", "")) or value_of(ramp.get("ramp size zsweep", ""))
    if size is None or not size.number:
        return None
    length, unit = calibrated(size, settings, "Ramp size", warnings)
    steps = np.arange(parts.approach) / parts.approach
    driven = np.concatenate((steps, np.ones(parts.held), 1 - steps)) * abs(length)
    return Signal("piezo", driven, unit, long_name="Piezo displacement, from the ramp")


def _channel(
    curve: Section, numbers: Array, settings: Section, told: dict[str, Quantity], warnings: list[str]
) -> list[Signal]:
    """A channel in the unit of its sensitivity; the deflection also as a force."""
    choice = CHOICE.match(curve.get("image data", ""))
    inner, label = (choice[1] or "", clean_text(choice[2] or choice[1] or "")) if choice else ("", "")
    label = label.strip() or "Channel"
    scale = value_of(curve.get("z scale", ""))
    if scale is None:
        warnings.append(
            f"The file does not say what the numbers of {label!r} are; they are kept as they are."
        )
        return [Signal(_spm.channel_name(label)[:50], numbers, None, long_name=label)]
    # The range is the recorder's, not always the numbers': what one step is worth is told beside it.
    one = scale.of_one_step()
    if one is None:
        steps = 256.0 ** count_of(curve, "bytes/pixel", 2, 4)
        one = replace(scale, number=scale.number / steps)
    factor, unit = calibrated(one, settings, label, warnings)
    values = numbers * factor
    if not inner.startswith("Deflection") and not label.startswith("Deflection"):
        return [Signal(_spm.channel_name(label)[:50], values, unit, long_name=label)]
    if unit == unit_of("V", label, warnings):
        return [Signal("deflection_voltage", values, unit, long_name=label)]
    found = [Signal("deflection", values, unit, long_name=label)]
    told["deflection_sensitivity"] = Quantity(factor / one.number, f"{unit}/{one.unit}")
    stiffness = _spm.number(curve.get("spring constant", "").split(" ")[0])
    if stiffness is not None and stiffness > 0 and unit == "nm":
        told["spring_constant"] = Quantity(stiffness, "N/m")
        found.insert(0, Signal("force", values * stiffness, "nN", long_name="Force, from the deflection"))
    return found


def _conditions(ramp: Section, settings: Section) -> dict[str, Quantity]:
    def length(key: str) -> Quantity | None:
        numbers, unit = lengths_of(settings.get(key, ""))
        return Quantity(numbers[0], unit) if numbers else None

    return _spm.told(
        position_x=length("x offset"),
        position_y=length("y offset"),
        scan_rate=_spm.with_unit(_spm.number(ramp.get("scan rate")), "Hz"),
        software_version=settings.get("version"),
        comment=settings.get("note"),
    )
