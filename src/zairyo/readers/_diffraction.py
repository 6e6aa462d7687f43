"""Words and numbers of diffraction files: vendors' axis names, units, dates, slits → the vocabulary's."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Quantity
from zairyo.measurement.text import clean_text, make_name
from zairyo.readers._api import ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._whole_numbers import whole_numbers

Floats = NDArray[np.float64]

#: Vendors' names, letters and digits only, lower case → the vocabulary's. Coupled scans are named after the
#: angle their first word moves, which is what the vendors plot them along.
_AXES = {
    "2theta": "two_theta",
    "twotheta": "two_theta",
    "2thetatheta": "two_theta",
    "twothetatheta": "two_theta",
    "theta2theta": "two_theta",
    "thetatwotheta": "two_theta",
    "2thetaomega": "two_theta",
    "twothetaomega": "two_theta",
    "gonio": "two_theta",
    "psdscan": "two_theta",
    "psdfixedscan": "two_theta",
    "theta": "omega",
    "omega": "omega",
    "omega2theta": "omega",
    "omegatwotheta": "omega",
    "2thetachi": "two_theta_chi",
    "twothetachi": "two_theta_chi",
    "2thetachiphi": "two_theta_chi",
    "twothetachiphi": "two_theta_chi",
    "chi": "chi",
    "khi": "chi",
    "psi": "psi",
    "phi": "phi",
    "x": "x",
    "y": "y",
    "z": "z",
    "xdrive": "x",
    "ydrive": "y",
    "zdrive": "z",
    "time": "time",
    "temperature": "temperature",
}
#: What was scanned, as one word across vendors; a single axis is named as such.
_COUPLED = {
    "gonio": "two_theta/theta",
    "2thetatheta": "two_theta/theta",
    "twothetatheta": "two_theta/theta",
    "theta2theta": "two_theta/theta",
    "lockedcoupled": "two_theta/theta",
    "2thetaomega": "two_theta/omega",
    "twothetaomega": "two_theta/omega",
    "unlockedcoupled": "two_theta/omega",
    "unlockedcoupledhrxrd": "two_theta/omega",
    "omega2theta": "omega/two_theta",
    "omegatwotheta": "omega/two_theta",
}
_UNITS = {
    "°": "deg",
    "deg": "deg",
    "deg.": "deg",
    "degree": "deg",
    "degrees": "deg",
    "mm": "mm",
    "s": "s",
    "sec": "s",
    "seconds": "s",
    "k": "K",
    "kelvin": "K",
    "celsius": "degC",
    "c": "degC",
    "°c": "degC",
    "degc": "degC",
    "degreecelsius": "degC",
    "å": "angstrom",
    "angstrom": "angstrom",
    "counts": "counts",
    "count": "counts",
    "cts": "counts",
    "cps": "count/s",
    "cts/s": "count/s",
    "c/s": "count/s",
    "counts per second": "count/s",
    "counts/s": "count/s",
    "kcps": "kcount/s",
    "kv": "kV",
    "ma": "mA",
    "kw": "kW",
    "deg/min": "deg/min",
    "°/min": "deg/min",
    "deg/s": "deg/s",
    "deg/sec": "deg/s",
    "mm/min": "mm/min",
    "rad": "rad",
    "um": "um",
    "µm": "um",
    "/min": "rpm",
    "rpm": "rpm",
    "%": "percent",
}
_MOMENTS = (
    "%m/%d/%y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y %H:%M",
)
_ANGLES = frozenset("two_theta two_theta_chi omega omega_offset chi psi phi".split())  # noqa: SIM905


_GREEK = str.maketrans({"θ": "theta", "ω": "omega", "φ": "phi", "χ": "chi", "ψ": "psi"})


def _key(vendor_name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", vendor_name.casefold().translate(_GREEK))


def axis_name(vendor_name: str) -> str:
    """The vocabulary's name of an axis or drive; a made name where it has none."""
    return _AXES.get(_key(vendor_name)) or make_name(vendor_name, "axis")


def scan_axis(vendor_name: str) -> Quantity | None:
    """What was scanned: ``two_theta/theta`` and its like for coupled scans, else the axis; None if unsaid."""
    if not vendor_name.strip():
        return None
    return Quantity(_COUPLED.get(_key(vendor_name)) or axis_name(vendor_name))


def unit(vendor_unit: str | None) -> str | None:
    """A unit as Pint spells it; verbatim if unknown, None if empty."""
    stripped = clean_text(vendor_unit or "").strip()
    return _UNITS.get(stripped.casefold(), stripped) or None


def default_unit(axis: str) -> str | None:
    """The unit of an axis whose file states none because the format fixes it."""
    return "deg" if axis in _ANGLES else "mm" if axis in ("x", "y", "z") else None


def number(token: Any) -> float | None:
    """A finite number, decimal comma allowed; None for anything else."""
    try:
        value = float(str(token).strip().replace(",", "."))
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def numbers(text: str, what: str, warnings: list[str]) -> Floats:
    """Numbers separated by white space; an odd token becomes NaN and is told verbatim.

    Raises
    ------
    ReadError
        If more than one token in ten is odd.
    """
    if (counts := whole_numbers(text)) is not None:
        return counts
    tokens = text.split()
    try:
        return np.array(tokens, dtype=np.float64)
    except ValueError:
        pass
    values = [number(t) for t in tokens]
    odd = [t for t, v in zip(tokens, values, strict=True) if v is None]
    if len(odd) * 10 > len(tokens):
        raise ReadError(f"{what}: {len(odd)} of {len(tokens)} values are not numbers, e.g. {odd[0][:40]!r}")
    if odd:
        shown = ", ".join(repr(t[:40]) for t in odd[:5])
        warnings.append(f"{what}: {len(odd)} values are not numbers and are left empty (NaN): {shown}.")
    return np.array([np.nan if v is None else v for v in values])


def when(*texts: str, warnings: list[str] | None = None) -> datetime | None:
    """The moment that ISO or the vendors' American date and time say; None if they say none, told in ``warnings``."""
    text = " ".join(t.strip() for t in texts if t.strip())
    iso = re.sub(r"(\.\d{6})\d+", r"\1", text)  # .NET writes seven decimals
    moment = in_forms(iso, _MOMENTS, warnings)
    return moment if moment is not None and moment.year > 1900 else None


def quantity(value: Any, unit_name: str | None) -> Quantity | None:
    """A condition from a vendor's token; None if it is no finite number."""
    found = number(value)
    return None if found is None else Quantity(found, unit(unit_name) if unit_name else unit_name)


def text_or_none(value: str) -> Quantity | None:
    """A condition that is a text; None if it is empty."""
    stripped = clean_text(value).strip()
    return Quantity(stripped) if stripped else None


def slit_angle(text: str) -> Quantity | None:
    """The opening that a slit's name states, e.g. ``Fixed slit 1/8°``, ``Soller_slit_2.5deg``."""
    found = re.search(r"(\d+(?:\.\d+)?)(?:/(\d+))?\s*(?:°|deg)", text)
    if not found or found[2] == "0":
        return None
    return Quantity(float(found[1]) / float(found[2] or 1), "deg")
