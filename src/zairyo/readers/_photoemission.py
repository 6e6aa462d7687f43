"""What photoemission readers share: techniques, energy axes, names that are taken once, the last check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

Floats = NDArray[np.floating[Any]]

#: Photons below this energy come from gas lamps, lasers and their like, not from X-ray tubes.
_ULTRAVIOLET_EV = 100.0

_TECHNIQUES = {
    "xps": "xps",
    "esca": "xps",
    "xpd": "xps",
    "haxpes": "xps",
    "ups": "ups",
    "arups": "arpes",
    "arpes": "arpes",
    "aes": "aes",
    "sam": "aes",
    "eels": "els",
    "reels": "els",
    "els": "els",
    "hreels": "els",
    "iss": "iss",
    "leis": "iss",
    "sims": "sims",
    "xas": "nexafs",
    "nexafs": "nexafs",
}

#: Spellings of these programs that the table of units does not have.
_UNITS = {
    "c/s": "count/s",
    "cps": "count/s",
    "counts/s": "count/s",
    "counts per second": "count/s",
    "counts": "counts",
    "count": "counts",
    "c/s * ev": "count*eV/s",
    "c/s*ev": "count*eV/s",
    "s": "s",
    "ev": "eV",
    "d": "deg",
    "angle": "deg",
    "c": "degC",
    "a.u.": "arb",
    "arbitrary": "arb",
}


def technique_of(stated: str, excitation: float | None, warnings: list[str]) -> str:
    """The vocabulary's technique for a program's word; by the photon energy where the program says none."""
    word = stated.strip().casefold()
    if known := _TECHNIQUES.get(word):
        return known
    if word:
        warnings.append(
            f"The technique {stated.strip()!r} is not known here; it was taken for photoemission."
        )
    return "ups" if excitation is not None and 0 < excitation < _ULTRAVIOLET_EV else "xps"


def unit_of(token: str | None, what: str, warnings: list[str]) -> str | None:
    """Pint's spelling of a unit; an unknown one verbatim with a warning, None if none is stated."""
    text = clean_text(token or "").strip()
    if not text:
        return None
    if found := _UNITS.get(" ".join(text.casefold().split())):
        return found
    normal = units.normalise(text)
    if normal is None:
        warnings.append(f"The unit {text!r} of {what} is not known; it was kept as it is.")
    return normal if normal is not None else text


def known(conditions: Mapping[str, Quantity | None]) -> dict[str, Quantity]:
    """The conditions that the file does state."""
    return {name: quantity for name, quantity in conditions.items() if quantity is not None}


def energy_axis(kinetic: Floats, excitation: float | None, technique: str) -> tuple[Axis, tuple[Signal, ...]]:
    """The axis of a spectrum whose file gives kinetic energies, eV.

    Photoelectrons get the binding energy, excitation − kinetic energy as given, with the kinetic energy as a
    signal beside it; everything else, or without a stated excitation energy, the kinetic energy.
    """
    if technique not in ("xps", "ups", "arpes") or excitation is None or excitation <= 0:
        return Axis("kinetic_energy", kinetic, "eV", "Kinetic energy"), ()
    axis = Axis("binding_energy", excitation - kinetic, "eV", "Binding energy")
    return axis, (Signal("kinetic_energy", kinetic, "eV", ("binding_energy",), "Kinetic energy"),)


def measurement(entries: Iterable[Entry], warnings: Iterable[str], **about: Any) -> Measurement:
    """Entries and what the file says about itself → the measurement.

    Raises
    ------
    ReadError
        If there is nothing to show or the parts do not fit together.
    """
    made = tuple(entries)
    if not made:
        raise ReadError("the file holds no spectrum; there is nothing to read")
    for key in ("title", "sample", "instrument", "operator"):
        about[key] = clean_text(str(about.get(key) or "")).strip()
    about["original_metadata"] = tidy_metadata(about.get("original_metadata") or {})
    try:
        told = tuple(dict.fromkeys(clean_text(w) for w in warnings))
        return Measurement(made, warnings=told, **about)
    except MeasurementError as e:
        raise ReadError(f"the file's parts do not fit together: {e}") from None
