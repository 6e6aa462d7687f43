"""VAMAS' words for techniques, units and variables → the vocabulary's."""

from __future__ import annotations

import re

from zairyo.measurement import make_name
from zairyo.readers._vamas_blocks import Block

_TECHNIQUES = {
    "xps": "xps",
    "ups": "ups",
    "aes": "aes",
    "aes diff": "aes",
    "aes dir": "aes",
    "els": "els",
    "eels": "els",
    "iss": "iss",
    "leis": "iss",
    "edx": "eds",
    "xrf": "xrf",
    "sims": "sims",
    "sims energy spec": "sims",
    "snms": "sims",
    "snms energy spec": "sims",
    "fabms": "sims",
    "fabms energy spec": "sims",
    "tof-sims": "sims",
}

#: The standard's tokens, then what programs write besides. ``d`` is a mere number, ``n`` "not defined here".
UNITS: dict[str, str | None] = {
    "c/s": "count/s",
    "d": "",
    "degree": "deg",
    "ev": "eV",
    "k": "K",
    "micro c": "uC",
    "micro m": "um",
    "m/s": "m/s",
    "n": None,
    "na": "nA",
    "ps": "ps",
    "s": "s",
    "u": "u",
    "v": "V",
    "": None,
    "counts/s": "count/s",
    "count/s": "count/s",
    "counts per second": "count/s",
    "cps": "count/s",
    "counts": "counts",
    "c": "counts",
    "degrees": "deg",
    "deg": "deg",
    "degc": "degC",
    "a": "A",
    "ua": "uA",
    "w": "W",
    "mm": "mm",
    "um": "um",
    "nm": "nm",
    "min": "min",
    "ms": "ms",
    "kev": "keV",
    "amu": "u",
    "arb. u.": "arb",
    "arbitrary units": "arb",
}

_NAMES = {
    "kinetic energy": "kinetic_energy",
    "ke": "kinetic_energy",
    "binding energy": "binding_energy",
    "be": "binding_energy",
    "energy loss": "energy_loss",
    "photon energy": "photon_energy",
    "mass": "mass_to_charge",
    "m/z": "mass_to_charge",
    "transmission": "transmission",
    "transmission function": "transmission",
    "etch time": "etch_time",
    "etchtime": "etch_time",
    "etching time": "etch_time",
    "sputter time": "etch_time",
    "sputtering time": "etch_time",
    "temp": "temperature",
    "sample temperature": "temperature",
}
_INTENSITY = re.compile(
    r"(intensity|counts?|count rate|cps|counts (per|/) s(ec|econd)?|counts?/s(ec)?|n\(e\)|signal|y)\Z"
)
_PER_SECOND = re.compile(r"cps|per s|/s|rate")


def name_of(label: str) -> str:
    text = " ".join(label.casefold().split())
    return "intensity" if _INTENSITY.match(text) else _NAMES.get(text, make_name(text, "value"))


def unit_of(token: str, label: str, signal_mode: str, warnings: list[str]) -> str | None:
    """Pint's spelling of a unit token; an unknown one is kept as it is."""
    key = " ".join(token.casefold().split())
    if key not in UNITS:
        warnings.append(f"The unit {token!r} of {label!r} is not one of ISO 14976; it was kept as it is.")
        return token
    unit = UNITS[key]
    if unit == "" and name_of(label) == "intensity":
        # "d" is "just a number, e.g. counts per channel"; only pulse counting makes an intensity counts.
        if _PER_SECOND.search(label.casefold()):
            return "count/s"
        if "count" in label.casefold() or signal_mode.casefold() == "pulse counting":
            return "counts"
    return unit


def technique_of(block: Block, warnings: list[str]) -> str:
    stated = block.text("technique")
    known = _TECHNIQUES.get(stated.casefold())
    if known is None:
        warnings.append(
            f"The technique {stated!r} is not one of ISO 14976; its entries are left unspecified."
        )
    return known or "unspecified"
