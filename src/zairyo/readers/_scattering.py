"""What readers of small-angle scattering share: units as the field writes them, columns → an entry, the last check."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    MeasurementError,
    Quantity,
    Signal,
    clean_text,
    units,
)
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import ReadError

Floats = NDArray[np.float64]

#: In this field A is the ångström.
_ANGSTROM = re.compile(r"(?<![A-Za-z])(A|Ang|ang|AA)(?![A-Za-z])")
_UNITS = {
    "none": "",
    "unitless": "",
    "fraction": "",
    "degree": "deg",
    "degrees": "deg",
    "c": "degC",
    "a.u.": "arb",
    "arbitrary": "arb",
    "relative": "arb",
    "counts": "counts",
    "cm2/cm3": "1/cm",
    "cm^2/cm^3": "1/cm",
    "1/cm/sr": "1/cm/sr",
}
_PER_STERADIAN = re.compile(r"1/\(?(cm|m)[ *·/]*sr\)?\Z")
_LABELS = {
    "intensity": "Intensity",
    "q_resolution": "Resolution in q",
    "q_mean": "Mean q",
    "shadow_factor": "Beam-stop shadow factor",
    "slit_length": "Slit length in q",
    "slit_width": "Slit width in q",
    "transmission": "Transmission",
    "mask": "Mask",
}


def unit_of(token: str | None, what: str, warnings: list[str]) -> str | None:
    """Pint's spelling of a unit; an unknown one verbatim with a warning, None if none is stated."""
    text = clean_text(token or "").strip()
    if not text:
        return None
    key = text.casefold()
    if key in _UNITS:
        return _UNITS[key]
    if match := _PER_STERADIAN.match(text):
        return f"1/{match[1]}/sr"
    normal = units.normalise(_ANGSTROM.sub("angstrom", text))
    if normal is None:
        warnings.append(f"The unit {text!r} of {what} is not known; it was kept as it is.")
        return text
    return normal


def technique_of(radiation: str) -> str:
    """By what was scattered; ``sas`` if that is not said."""
    word = radiation.casefold()
    if "neutron" in word:
        return "sans"
    return "saxs" if re.search(r"x.?ray|synchrotron|photon", word) else "sas"


@dataclass(frozen=True)
class Column:
    """Values along q (or over qx and qy), with the unit as the file spells it."""

    name: str
    values: NDArray[Any]
    unit: str | None = None


def curve(
    name: str,
    technique: str,
    axis: Column,
    columns: Sequence[Column],
    errors: NDArray[Any] | None,
    *,
    conditions: Mapping[str, Quantity | None],
    metadata: Mapping[str, Any],
    warnings: list[str],
    title: str = "",
) -> Entry:
    """One curve: the first column is the intensity (``errors`` are its), or the transmission, over the axis.

    Raises
    ------
    ReadError
        If the axis has gaps or the columns have other lengths.
    """
    if not len(axis.values) or not np.all(np.isfinite(axis.values)):
        raise ReadError(f"{title or name}: values of {axis.name} are missing or are not numbers")
    over = Axis(axis.name, axis.values, unit_of(axis.unit, axis.name, warnings), _long(axis.name))
    signals = []
    for index, column in enumerate(columns):
        unit = unit_of(column.unit, column.name, warnings)
        uncertainty = errors if index == 0 else None
        long_name = _LABELS.get(column.name, column.name.replace("_", " "))
        signals.append(Signal(column.name, column.values, unit, (axis.name,), long_name, uncertainty))
    try:
        return Entry(
            name=name,
            technique=technique,
            axes=(over,),
            signals=tuple(signals),
            title=clean_text(title).strip(),
            conditions={k: q for k, q in conditions.items() if q is not None},
            original_metadata=tidy_metadata(metadata),
        )
    except MeasurementError as e:
        raise ReadError(f"{title or name}: the parts do not fit together: {e}") from None


def _long(name: str) -> str:
    return {"q": "q", "wavelength": "Wavelength"}.get(name, name.replace("_", " "))


def measurement(entries: Iterable[Entry], warnings: Iterable[str], **about: Any) -> Measurement:
    """Entries and what the file says about itself → the measurement.

    Raises
    ------
    ReadError
        If there is nothing to show or the parts do not fit together.
    """
    made = tuple(entries)
    if not made:
        raise ReadError("the file holds no scattering data; there is nothing to read")
    for key in ("title", "sample", "instrument", "operator"):
        about[key] = clean_text(str(about.get(key) or "")).strip()
    about["original_metadata"] = tidy_metadata(about.get("original_metadata") or {})
    told = tuple(dict.fromkeys(clean_text(w) for w in warnings))
    try:
        return Measurement(made, warnings=told, **about)
    except MeasurementError as e:
        raise ReadError(f"the file's parts do not fit together: {e}") from None
