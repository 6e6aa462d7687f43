"""A channel of a JPK segment: how its raw numbers become volts, and volts metres and newtons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import make_name, units
from zairyo.readers._api import ReadError
from zairyo.readers._jpk_properties import Shared, number

Floats = NDArray[np.float64]

#: JPK's word for how the numbers are stored → NumPy's; all are big-endian. The second word is the encoder's.
_STORED = {"short": 2, "integer": 4, "long": 8}
_FLOATS = {"float": ">f4", "double": ">f8"}
_COMPUTED = ("raster", "constant")
_MOST_SLOTS = 16

#: JPK's channels → the vocabulary; every other channel is called as the file calls it.
_NAMES = {
    "hDeflection": "lateral_deflection",
    "measuredHeight": "height_measured",
    "height": "height",
    "error": "error",
    "phase": "phase",
    "amplitude": "amplitude",
    "time": "time",
    "seriesTime": "series_time",
}
#: What the deflection is called once it is in this unit.
_DEFLECTIONS = {"N": "force"}
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Channel:
    """What a segment's header says of a channel: ``value = raw * factor + offset``, in ``unit``.

    ``dtype`` is empty where the numbers are not stored but computed from ``start`` and ``step``.
    ``slots`` are the factors of the calibrations on the way, by JPK's names (``distance``, ``force``).
    """

    name: str
    title: str
    dtype: str
    factor: float
    offset: float
    unit: str | None
    slots: Mapping[str, float]

    def decode(self, raw: bytes, what: str) -> Floats:
        item = np.dtype(self.dtype).itemsize
        if len(raw) % item:
            raise ReadError(
                f"{what} has {len(raw)} bytes, which is no whole number of values; the file is damaged"
            )
        values: Floats = np.frombuffer(raw, self.dtype) * self.factor
        values += self.offset
        return values


def describe(properties: Mapping[str, str], shared: Shared, vendor_name: str, warnings: list[str]) -> Channel:
    """A channel from its segment's header, following the conversions from the encoder to the calibrated unit.

    Raises
    ------
    ReadError
        How it is stored is unknown; the channel cannot be read.
    """
    own = shared.resolve(properties, f"channel.{vendor_name}")
    encoder = "data.encoder" if "data.encoder.type" in own else "encoder"
    raw = _scaling(own, encoder)
    if raw is None:
        raise ReadError(
            f"channel {vendor_name} is scaled by {own[f'{encoder}.scaling.type']!r} in an unknown way"
        )
    factor, offset = raw
    unit = own.get(f"{encoder}.scaling.unit.unit", own.get("unit.unit"))
    slots: dict[str, float] = {}
    title = ""
    for slot in _chain(own, vendor_name):
        at = f"conversion-set.conversion.{slot}"
        m, b = _scaling(own, at) or (1.0, 0.0)
        factor, offset, slots[slot] = factor * m, offset * m + b, m
        unit = own.get(f"{at}.scaling.unit.unit", unit)
        title = own.get(f"{at}.name", "")
    known = units.normalise(unit) if unit else None
    if unit and known is None:
        warnings.append(f"The unit {unit!r} of channel {vendor_name} is unknown; it is kept as it is.")
    unit = known or unit
    return Channel(
        name=channel_name(vendor_name, unit),
        title=f"{vendor_name} ({title})" if title else vendor_name,
        dtype=_dtype(own, vendor_name),
        factor=factor,
        offset=offset,
        unit=unit,
        slots=slots,
    )


def channel_name(vendor_name: str, unit: str | None) -> str:
    """The vocabulary's name of a channel whose values are in this unit."""
    if vendor_name == "vDeflection":
        return _DEFLECTIONS.get(unit or "", "deflection")
    return _NAMES.get(vendor_name) or make_name(_WORDS.sub("_", vendor_name))


def _dtype(own: Mapping[str, str], vendor_name: str) -> str:
    kind = own.get("type", own.get("data.type", "")).removesuffix("-data")
    if kind in _COMPUTED:
        return ""
    if kind in _FLOATS:
        return _FLOATS[kind]
    encoder = own.get("encoder.type", own.get("data.encoder.type", "signed"))
    if kind not in _STORED:
        raise ReadError(
            f"channel {vendor_name} is stored as {kind or 'nothing known'!r}, which is unknown here"
        )
    return f">{'u' if encoder.startswith('unsigned') else 'i'}{_STORED[kind]}"


def _chain(own: Mapping[str, str], vendor_name: str) -> list[str]:
    """The conversions from the encoder's unit to the one to show, in the order they apply."""
    base = own.get("conversion-set.conversions.base", "")
    wanted = [own.get("conversion-set.conversions.default", base)]
    if vendor_name == "vDeflection":  # the force where the cantilever is calibrated, whatever was shown last
        wanted = ["force", "distance", *wanted]
    for slot in wanted:
        chain: list[str] = []
        while slot and slot != base and len(chain) < _MOST_SLOTS:
            at = f"conversion-set.conversion.{slot}"
            if own.get(f"{at}.defined") != "true" or _scaling(own, at) is None:
                break
            chain.insert(0, slot)
            slot = own.get(f"{at}.base-calibration-slot", base)
        else:
            if chain and slot in ("", base):
                return chain
    return []


def _scaling(own: Mapping[str, str], at: str) -> tuple[float, float] | None:
    """Factor and offset of one step; 1 and 0 where it has none, None where it is no straight line."""
    kind = own.get(f"{at}.scaling.type")
    if kind is None or kind == "null":
        return 1.0, 0.0
    if kind != "linear" or own.get(f"{at}.scaling.style", "offsetmultiplier") != "offsetmultiplier":
        return None
    factor, offset = number(own, f"{at}.scaling.multiplier"), number(own, f"{at}.scaling.offset")
    return None if factor is None or offset is None else (factor, offset)


def computed(properties: Mapping[str, str], vendor_name: str, points: int) -> NDArray[Any]:
    """A channel that is not stored: a ramp from ``start`` in ``step``, or one value."""
    at = f"channel.{vendor_name}.data"
    start = number(properties, f"{at}.start")
    start = number(properties, f"{at}.value") if start is None else start
    return (start or 0.0) + np.arange(points) * (number(properties, f"{at}.step") or 0.0)
