"""Units as data: what laboratories use, in SI, and how vendors spell it.

This is enough for nearly every file, so that Pint (1.9 s to import) is asked only for the rare word. A test
holds every line against Pint; where the two differ on purpose, it is said here.
"""

from __future__ import annotations

import math

#: A unit is ``factor`` times these base units, as powers: ``{"m": 1, "s": -1}``.
Powers = dict[str, float]

#: What SI has not, yet must never be compared with anything else: its own dimension, not a plain number.
#: (Pint counts an angle as a number, and a decibel as 1.26.)
OWN_DIMENSIONS = ("rad", "count", "arb", "dB", "decade", "pixel")
BASE = ("kg", "m", "s", "A", "K", "mol", "cd", *OWN_DIMENSIONS)

PREFIXES = {
    "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "c": 1e-2, "d": 1e-1,
    "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
}  # fmt: skip

#: Name → factor and base units. These take prefixes.
PREFIXED: dict[str, tuple[float, str]] = {
    "m": (1.0, "m"),
    "g": (1e-3, "kg"),
    "s": (1.0, "s"),
    "A": (1.0, "A"),
    "K": (1.0, "K"),
    "mol": (1.0, "mol"),
    "rad": (1.0, "rad"),
    "Hz": (1.0, "s-1"),
    "N": (1.0, "kg m s-2"),
    "Pa": (1.0, "kg m-1 s-2"),
    "J": (1.0, "kg m2 s-2"),
    "W": (1.0, "kg m2 s-3"),
    "C": (1.0, "A s"),
    "V": (1.0, "kg m2 s-3 A-1"),
    "F": (1.0, "kg-1 m-2 s4 A2"),
    "ohm": (1.0, "kg m2 s-3 A-2"),
    "S": (1.0, "kg-1 m-2 s3 A2"),
    "H": (1.0, "kg m2 s-2 A-2"),
    "T": (1.0, "kg s-2 A-1"),
    "Wb": (1.0, "kg m2 s-2 A-1"),
    "eV": (1.602176634e-19, "kg m2 s-2"),
    "Ah": (3600.0, "A s"),
    "Wh": (3600.0, "kg m2 s-2"),
    "cal": (4.184, "kg m2 s-2"),
    "l": (1e-3, "m3"),
    "bar": (1e5, "kg m-1 s-2"),
    "torr": (101325 / 760, "kg m-1 s-2"),
    "Da": (1.66053906892e-27, "kg"),
    "count": (1.0, "count"),
    # Magnetism in Gaussian units. Pint's have dimensions of their own; these are the SI quantities that the
    # same measurement has: moment in A·m², field strength in A/m, flux density in T.
    "emu": (1e-3, "A m2"),
    "Oe": (1000 / (4 * math.pi), "A m-1"),
    "gauss": (1e-4, "kg s-2 A-1"),
}

#: These do not take prefixes.
PLAIN: dict[str, tuple[float, str]] = {
    "min": (60.0, "s"),
    "h": (3600.0, "s"),
    "d": (86400.0, "s"),
    "hPa": (100.0, "kg m-1 s-2"),
    "atm": (101325.0, "kg m-1 s-2"),
    "psi": (6894.757293168361, "kg m-1 s-2"),
    "mmHg": (133.322387415, "kg m-1 s-2"),
    "deg": (math.pi / 180, "rad"),
    "mdeg": (math.pi / 180e3, "rad"),
    "steradian": (1.0, "rad2"),
    "arcmin": (math.pi / 10800, "rad"),
    "arcsec": (math.pi / 648000, "rad"),
    "rpm": (math.pi / 30, "rad s-1"),
    "angstrom": (1e-10, "m"),
    "inch": (0.0254, "m"),
    "cd": (1.0, "cd"),
    "u": (1.66053906892e-27, "kg"),
    "dyn": (1e-5, "kg m s-2"),
    "erg": (1e-7, "kg m2 s-2"),
    "cP": (1e-3, "kg m-1 s-1"),
    "percent": (1e-2, ""),
    "permille": (1e-3, ""),
    "ppm": (1e-6, ""),
    "ppb": (1e-9, ""),
    # Liquid chromatographs' absorbance and refractive index, not Pint's. ("AU" alone may be an arbitrary unit.)
    "mAU": (1e-3, ""),
    "nRIU": (1e-9, ""),
    "arb": (1.0, "arb"),
    "dB": (1.0, "dB"),
    "decade": (1.0, "decade"),
    "pixel": (1.0, "pixel"),
    # Differences of temperature, which have no zero to be counted from.
    "delta_degC": (1.0, "K"),
    "delta_degF": (5 / 9, "K"),
}

#: Temperatures on a scale with another zero: factor and offset to K. Within a compound they are differences.
SCALES = {"degC": (1.0, 273.15), "degF": (5 / 9, 459.67 * 5 / 9)}

#: Vendors' words for one unit, in any case of letters (three letters or more, or no other meaning).
WORDS = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "mins": "min", "minute": "min", "minutes": "min",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "day": "d", "days": "d",
    "msec": "ms", "usec": "us",
    "kelvin": "K", "kelvins": "K", "celsius": "degC", "centigrade": "degC", "fahrenheit": "degF",
    "°c": "degC", "°f": "degF", "°": "deg", "degc": "degC", "degf": "degF",
    "deg": "deg", "degs": "deg", "degree": "deg", "degrees": "deg",
    "radian": "rad", "radians": "rad",
    "%": "percent", "pct": "percent", "‰": "permille",
    "cts": "count", "cnt": "count", "cnts": "count", "counts": "count",
    "arb.": "arb", "ohms": "ohm", "å": "angstrom", "angstroms": "angstrom",
    "meter": "m", "meters": "m", "metre": "m", "metres": "m", "micron": "um", "microns": "um",
    "gram": "g", "grams": "g", "liter": "l", "litre": "l", "liters": "l", "litres": "l",
    "volt": "V", "volts": "V", "amp": "A", "amps": "A", "ampere": "A", "amperes": "A",
    "watt": "W", "watts": "W", "joule": "J", "joules": "J", "newton": "N", "newtons": "N",
    "pascal": "Pa", "tesla": "T", "hertz": "Hz", "coulomb": "C", "farad": "F", "siemens": "S",
    "oersted": "Oe", "mbar": "mbar", "amu": "u", "dalton": "Da", "daltons": "Da",
    "px": "pixel", "pixels": "pixel", "decades": "decade",
    "moles": "mol", "mole": "mol", "inches": "inch",
}  # fmt: skip

#: Spellings whose case of letters, or whose dots, matter.
EXACT = {
    "G": "gauss", "Gs": "gauss", "kG": "kgauss", "mG": "mgauss", "in": "inch",
    "a.u.": "arb", "a.u": "arb", "A.U.": "arb", "a. u.": "arb",
    "Grad": "deg", "grad": "deg",
}  # fmt: skip

#: Endings that vendors write, after a prefix or alone.
ENDINGS = {"L": "l", "Torr": "torr", "Ohm": "ohm", "Bar": "bar"}

#: Whole texts, in any case of letters, spaces, dots and brackets left out.
PHRASES = {
    "cps": "count/s", "c/s": "count/s", "cts/s": "count/s", "kcps": "kcount/s",
    "countspersecond": "count/s", "countsperstep": "counts",
    "arbu": "arb", "arbunit": "arb", "arbunits": "arb", "arbitrary": "arb",
    "arbitraryunit": "arb", "arbitraryunits": "arb",
    "2thdeg": "deg", "°2th": "deg", "2theta": "deg", "°2theta": "deg", "2theta°": "deg", "2thetadeg": "deg",
    "2th°": "deg", "2θ": "deg", "°2θ": "deg", "2θ°": "deg", "deg2th": "deg", "deg2theta": "deg",
    "2θ/°": "deg", "2theta/°": "deg", "omegadeg": "deg",
    "degc": "degC", "degreec": "degC", "degreesc": "degC", "degcelsius": "degC", "degreecelsius": "degC",
    "degreescelsius": "degC", "gradc": "degC", "gradcelsius": "degC", "℃": "degC",
    "degf": "degF", "degreef": "degF", "degreesf": "degF", "℉": "degF",
    "wavenumber": "1/cm", "wavenumbers": "1/cm", "dimensionless": "", "1": "",
    "wt%": "percent", "millibar": "mbar",
}  # fmt: skip
