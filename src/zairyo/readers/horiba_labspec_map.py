"""HORIBA LabSpec text of maps and series: a row of positions along the spectra, then a row a spectrum.

The first row begins with as many empty fields as a spectrum's row has places (time; x and y; …) before its values.
LabSpec 6 writes its settings above, each behind ``#``; exports without them are read too, their places by number.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    Quantity,
    Signal,
    clean_text,
    make_name,
    tidy_metadata,
)
from zairyo.readers._api import CERTAIN, NO, POSSIBLE, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._optical_bytes import unique_key

_MOST_BYTES = 1024**3
_SETTING = re.compile(r"#\s*([^=\t]+?)\s*=\s*(.*?)\s*\Z")
_POSITIONS = re.compile(rb"^(\t{1,4})-?\d[\d.,eE+-]*(?:\t-?\d[\d.,eE+-]*){3,}", re.MULTILINE)
_COMMENTS = re.compile(rb"(?:#[^\n]*\n|[^\S\n]*\n)*")
_SPECTRAL = {
    "cm-1": ("raman_shift", "1/cm"),
    "1/cm": ("raman_shift", "1/cm"),
    "nm": ("wavelength", "nm"),
    "ev": ("photon_energy", "eV"),
}
_PLACES = {"x": "x", "y": "y", "z": "z", "t": "time", "time": "time"}
_UNITS = {
    "µm": "um",
    "um": "um",
    "μm": "um",
    "mm": "mm",
    "nm": "nm",
    "s": "s",
    "sec": "s",
    "min": "min",
    "°c": "degC",
    "k": "K",
}
_DATES = (
    "%d.%m.%Y %H:%M:%S",
    "%Y.%m.%d %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%y %H:%M:%S",
    "%d.%m.%Y %H:%M",
)
_ENDINGS = (".txt", "")
_HEADERLESS = POSSIBLE + 0.1  # a tie with a plain table, which this is not


def sniff(src: RawInput) -> float:
    head = src.text_head
    start = _COMMENTS.match(head)
    match = _POSITIONS.match(head, start.end()) if start else None
    if not match:
        return NO
    above = head[: match.start()]
    if b"#Acq. time" in above or b"#Exposition" in above:
        return CERTAIN
    bare = match[1] in (b"\t", b"\t\t") and not above.strip()
    # Such a table says nothing of itself: of a name that LabSpec does not give (.SIA …) it may be any other series.
    return _HEADERLESS if bare and src.path.suffix.lower() in _ENDINGS else NO


def read(src: RawInput) -> Measurement:
    lines = decode_legacy(src.read_bytes(_MOST_BYTES)).splitlines()
    told: dict[str, Any] = {}
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith("#")):
        if match := _SETTING.match(lines[at]):
            told[unique_key(match[1], told)] = match[2]
        at += 1
    if at >= len(lines):
        raise ReadError(f"{src.name} holds no spectrum below its settings; it is cut off")
    leading = len(lines[at]) - len(lines[at].lstrip("\t"))
    spectral = _numbers(lines[at].split(), at + 1, src.name)
    rows = [line for line in lines[at + 1 :] if line.strip()]
    width = leading + len(spectral)
    values = _numbers(" ".join(rows).split(), at + 2, src.name) if rows else np.empty(0)
    if not leading or not rows or values.size != width * len(rows):
        wrong = next((i for i, row in enumerate(rows) if len(row.split()) != width), 0)
        raise ReadError(
            f"{src.name}: line {at + 2 + wrong} should have {leading} places and {len(spectral)} values; the file is "
            "cut off or damaged"
        )
    warnings: list[str] = []
    table = values.reshape(len(rows), width)
    entry = _entry(table[:, :leading], table[:, leading:], spectral, told, warnings)
    return Measurement(
        entries=(entry,),
        title=clean_text(str(told.get("Title", ""))),
        sample=clean_text(str(told.get("Sample", ""))),
        instrument=clean_text(str(told.get("Instrument", ""))) or ("HORIBA" if told else ""),
        original_metadata=tidy_metadata(told),
        warnings=tuple(warnings),
    )


def _numbers(words: list[str], line: int, name: str) -> NDArray[np.float64]:
    """Numbers of a row, with a decimal point or, where the computer was set so, a comma."""
    try:
        return np.array(words, dtype=float)
    except ValueError:
        pass
    try:
        return np.array([word.replace(",", ".") for word in words], dtype=float)
    except ValueError as e:
        raise ReadError(f"{name}: from line {line} on there is something that is no number: {e}") from None


# --- axes ---------------------------------------------------------------------------------------------------


def _entry(
    at: NDArray[np.float64],
    spectra: NDArray[np.float64],
    spectral: NDArray[np.float64],
    told: dict[str, Any],
    warnings: list[str],
) -> Entry:
    name, unit = _SPECTRAL.get(str(told.get("AxisUnit[1]", "cm-1")).casefold(), ("raman_shift", "1/cm"))
    if not told:
        warnings.append("The file names no units; the spectra were taken as Raman, in 1/cm.")
    places = _named(at, told)
    axes, order = _grid(places)
    extras: tuple[Signal, ...] = ()
    if order is None:
        axes = (Axis("spectrum", np.arange(len(at)), ""),)
        extras = tuple(Signal(n, v, u, ("spectrum",)) for n, v, u in places)
    else:
        spectra = spectra[order].reshape(*(len(a.values) for a in axes), spectra.shape[1])
    over = (*(a.name for a in axes), name)
    rate = str(told.get("AxisUnit[0]", "")).casefold() == "cnt/sec"
    signal = Signal("intensity", spectra, ("count/s" if rate else "counts") if told else None, over)
    is_map = {"x", "y"} & {n for n, _, _ in places}
    return Entry(
        name="map" if is_map else "series",
        technique="raman" if name == "raman_shift" else "photoluminescence",
        axes=(*axes, Axis(name, spectral, unit)),
        signals=(signal, *extras),
        title=clean_text(str(told.get("Title", ""))),
        conditions=_conditions(told),
        started=_started(told),
    )


def _named(
    at: NDArray[np.float64], told: dict[str, Any]
) -> list[tuple[str, NDArray[np.float64], str | None]]:
    """Each column of places with its name and unit; without settings one is the number, two are x and y."""
    count = at.shape[1]
    usual = (("time", "s"),) if count == 1 else (("x", "um"), ("y", "um"), ("z", "um"), ("time", "s"))
    found: list[tuple[str, NDArray[np.float64], str | None]] = []
    for i in range(count):
        stated = str(told.get(f"AxisType[{i + 2}]", "")).strip()
        said = str(told.get(f"AxisUnit[{i + 2}]", "")).strip()
        name = _PLACES.get(stated.casefold(), make_name(stated) if stated else usual[i][0])
        unit: str | None = _UNITS.get(said.casefold(), clean_text(said)) if said else None
        if not stated and told:
            unit = usual[i][1]
        while name in {n for n, _, _ in found} | {"intensity", "raman_shift"}:
            name += "_2"
        found.append((name, at[:, i], unit))
    return found


def _grid(
    places: list[tuple[str, NDArray[np.float64], str | None]],
) -> tuple[tuple[Axis, ...], NDArray[np.int64] | None]:
    """The axes, slow one first, and the spectra's order on them; (…, None) where places are missing or repeat."""
    kept = [(name, values, unit) for name, values, unit in places if len(np.unique(values)) > 1] or places[:1]
    slow_first = sorted(kept, key=lambda p: -_PRIORITY.get(p[0], 9))
    corners = [np.unique(values, return_inverse=True) for _, values, _ in slow_first]
    shape = tuple(len(values) for values, _ in corners)
    number = np.ravel_multi_index([index.reshape(-1) for _, index in corners], shape)
    if int(np.prod(shape)) != len(number) or len(np.unique(number)) != len(number):
        return (), None
    axes = tuple(
        Axis(name, values, unit) for (name, _, unit), (values, _) in zip(slow_first, corners, strict=True)
    )
    return axes, np.argsort(number, kind="stable")


#: Axes with a higher number vary more slowly in an entry: (time, z, y, x).
_PRIORITY = {"x": 0, "y": 1, "z": 2, "time": 3}


# --- conditions ---------------------------------------------------------------------------------------------


def _conditions(told: dict[str, Any]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    numbers: tuple[tuple[str, tuple[str, ...], str], ...] = (
        ("exposure_time", ("Acq. time (s)", "Exposition"), "s"),
        ("repetitions", ("Accumulations", "Accumulation"), ""),
        ("laser_wavelength", ("Laser (nm)", "Laser", "Excitation"), "nm"),
    )
    for name, keys, unit in numbers:
        text = next((str(told[key]) for key in keys if told.get(key)), "")
        match = re.match(r"\d+(\.\d+)?", text)
        if match and float(match[0]) > 0:
            found[name] = Quantity(int(match[0]) if name == "repetitions" else float(match[0]), unit)
    texts: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("objective", ("Objective", "Objectiv")),
        ("grating", ("Grating",)),
        ("detector", ("Detector",)),
        ("comment", ("Remark",)),
    )
    for name, names in texts:
        text = next((str(told[key]) for key in names if told.get(key)), "")
        if text:
            found[name] = Quantity(clean_text(text))
    return found


def _started(told: dict[str, Any]) -> datetime | None:
    stated = str(told.get("Acquired") or told.get("Date") or "").strip()
    return in_forms(stated, _DATES)


READER = Reader(
    name="horiba_labspec_map",
    version="2",
    techniques=("raman", "photoluminescence"),
    vendor="HORIBA",
    format="LabSpec text of a map or series",
    endings=(".txt",),
    sniff=sniff,
    read=read,
    notes="Maps, depth profiles and time series as LabSpec exports them, on a grid where their places fill one.",
)
