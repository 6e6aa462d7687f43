"""Agilent MicroLab ``.asp``: an infrared spectrum as one number a line.

Lines: number of points, first and last wavenumber, what x and y are (in SPC's numbers), the resolution, the values.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers._api import LIKELY, NO, POSSIBLE, RawInput, Reader, ReadError
from zairyo.readers._spc_kinds import AXES, SIGNALS

_MOST_BYTES = 64 * 1024**2
_HEAD = re.compile(
    rb"\s*(\d{1,8})\s*\r?\n\s*([-+\d.eE]+)\s*\r?\n\s*([-+\d.eE]+)\s*\r?\n\s*(\d{1,3})\s*\r?\n\s*(\d{1,3})\s*\r?\n"
    rb"\s*([\d.]+)\s*\r?\n\s*[-+\d.eE]+\s*\r?\n"
)
#: MicroLab writes transmission and reflectance in percent.
_PERCENT = frozenset({"transmittance", "reflectance"})


def sniff(src: RawInput) -> float:
    match = _HEAD.match(src.head.replace(b",", b"."))
    if not match or int(match[4]) not in AXES or int(match[5]) not in SIGNALS:
        return NO
    whole = len(src.head.split())
    fits = whole == int(match[1]) + 6 or len(src.head) == 65536
    return LIKELY if fits and src.suffix == ".asp" else POSSIBLE if fits else NO


def read(src: RawInput) -> Measurement:
    data = src.read_bytes(_MOST_BYTES).replace(b",", b".")
    match = _HEAD.match(data)
    if not match:
        raise ReadError(f"{src.name} does not begin with the six lines of a MicroLab spectrum")
    words = data.split()
    points = int(match[1])
    if len(words) != points + 6 or not points:
        raise ReadError(
            f"{src.name} announces {points} points on line 1, but {max(len(words) - 6, 0)} follow; it is cut off "
            "or damaged"
        )
    try:
        values = np.array(words[6:], dtype="S").astype(float)
        first, last, resolution = (float(match[i]) for i in (2, 3, 6))
    except ValueError as e:
        raise ReadError(f"{src.name} holds something that is no number: {e}") from None
    x_kind, y_kind = int(match[4]), int(match[5])
    warnings = []
    if x_kind not in AXES or y_kind not in SIGNALS:
        warnings.append(f"The kinds {x_kind} of x and {y_kind} of y on lines 4 and 5 are not known.")
    name, unit = AXES.get(x_kind, ("spectral_position", None))
    y_name, y_unit, label = SIGNALS.get(y_kind, ("intensity", None, "Intensity"))
    axis = Axis(name, np.linspace(first, last, points), unit)
    signal = Signal(y_name, values, "percent" if y_name in _PERCENT else y_unit, (name,), label)
    told = {
        "points": points,
        "first": first,
        "last": last,
        "x_kind": x_kind,
        "y_kind": y_kind,
        "resolution": resolution,
    }
    conditions = {"resolution": Quantity(resolution, "1/cm")} if resolution > 0 and unit == "1/cm" else {}
    entry = Entry("spectrum", "ir", axes=(axis,), signals=(signal,), conditions=conditions)
    return Measurement((entry,), original_metadata=tidy_metadata(told), warnings=tuple(warnings))


READER = Reader(
    name="agilent_asp",
    version="1",
    techniques=("ir",),
    vendor="Agilent",
    format="MicroLab ASP",
    endings=(".asp",),
    sniff=sniff,
    read=read,
    notes="The spectrum with its axis and resolution; the file tells nothing more.",
    surest=LIKELY,
)
