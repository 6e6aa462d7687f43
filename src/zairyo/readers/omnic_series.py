"""Thermo OMNIC ``.map`` and ``.srs``: spectra over places, and over time (rapid scan, TGA-IR, GC-IR)."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers import _omnic_sections as omnic
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._omnic_sections import Section
from zairyo.readers._optical_bytes import Fields

#: Before the spectra: a copy of the header and of the acquisition parameters; before each: 16 bytes, then its
#: name in 84.
_BEFORE_SPECTRA = 140 + 56
_LEAD, _PREFIX = 16, 84
_LABELS_AT = (156, 222)
_UNITS = {
    "micrometers": "um",
    "minutes": "min",
    "seconds": "s",
    "millimeters": "mm",
    "°c": "degC",
}
_IN_BRACKETS = re.compile(r"\(([^)]*)\)")
_PLACE = re.compile(r"X\s*=\s*(-?\d+(?:\.\d*)?)[\s,;]*Y\s*=\s*(-?\d+(?:\.\d*)?)")


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head.startswith(omnic.EXTENDED) else NO


def read(src: RawInput) -> Measurement:
    fields = Fields(src.read_bytes(), src.name)
    sections = omnic.sections_of(fields)
    warnings: list[str] = []
    values = _first(sections, omnic.SERIES_VALUES)
    settings = _first(sections, omnic.SERIES_SETTINGS)
    if values is None or settings is None:
        raise ReadError(f"{fields.name} has no sections of a series; it is damaged or of a version not known")
    header = omnic.header_of(fields, values.start)
    spectra, names = _spectra(fields, values, header.points, warnings)
    told: dict[str, Any] = dict(header.told) | omnic.acquisition_of(
        fields, Section(0, values.start + 140, 56)
    )
    told["series"] = series = _settings(fields, settings)
    places, extras = _places(series, names, warnings)
    axis = header.axis(warnings, rising=True)
    name, unit, label = header.signal(warnings)
    is_map = all(place.name in ("x", "y") for place in places)
    over = (*(p.name for p in places), axis.name)
    shaped = spectra.reshape(*(len(p.values) for p in places), header.points)
    title = series["title"]
    started = omnic.written_moment(title) or omnic.moment(fields.unpack("<I", 296, "the time")[0])
    history = [t for s in sections if s.key == omnic.HISTORY and (t := omnic.text_of(fields, s))]
    conditions = omnic.conditions_of(told) | _temperatures(series, is_map=is_map)
    entry = Entry(
        name="map" if is_map else "series",
        technique=header.technique,
        axes=(*places, axis),
        signals=(Signal(name, shaped, unit, over, label), *extras),
        title=title,
        conditions=conditions,
        started=started,
    )
    return Measurement(
        entries=(entry,),
        title=fields.text(30, 256) or title,
        original_metadata=tidy_metadata({"header": told, "history": history, "names": names[:1000]}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _first(sections: list[Section], key: int) -> Section | None:
    return next((s for s in sections if s.key == key), None)


def _spectra(
    fields: Fields, section: Section, points: int, warnings: list[str]
) -> tuple[NDArray[Any], list[str]]:
    """All spectra, shape (spectra, points), and their names."""
    stride = _LEAD + _PREFIX + 4 * points
    room = section.size - _BEFORE_SPECTRA
    count = room // stride
    if count < 1:
        raise ReadError(
            f"{fields.name}: the section of spectra has {section.size} bytes; not one of {points} points fits"
        )
    if room % stride:
        warnings.append(f"Behind the {count} spectra there are {room % stride} bytes that are not read.")
    at = section.start + _BEFORE_SPECTRA
    records = fields.array("u1", at, count * stride, "the spectra").reshape(count, stride)
    names = [fields.text(at + i * stride + _LEAD, _PREFIX) for i in range(count)]
    return records[:, _LEAD + _PREFIX :].view("<f4"), names


def _settings(fields: Fields, section: Section) -> dict[str, Any]:
    """Each axis' first and last value and step, slow one first; how many spectra; the labels."""
    start = section.start
    numbers = fields.unpack("<6f", start + 66, "the settings of the series")
    (count,) = fields.unpack("<I", start + 90, "the settings of the series")
    flow_cell, transfer_line = fields.unpack("<2f", start + 100, "the settings of the series")
    labels = [fields.text(start + at, 32) if at < section.size else "" for at in _LABELS_AT]
    return {
        "title": fields.text(start + 2, 64),
        "slow": list(numbers[:3]),
        "fast": list(numbers[3:]),
        "spectra": count,
        "flow_cell_temperature": flow_cell,
        "transfer_line_temperature": transfer_line,
        "labels": labels,
    }


def _places(
    series: dict[str, Any], names: list[str], warnings: list[str]
) -> tuple[tuple[Axis, ...], tuple[Signal, ...]]:
    """The axes before the spectral one: (y, x) of a map, the time of a series."""
    count = len(names)
    if series["spectra"] not in (count, 0):
        warnings.append(f"The file announces {series['spectra']} spectra and holds {count}.")
    slow = series["labels"][0]
    unit = _unit(slow)
    if "position" in slow.casefold():
        stated = [_PLACE.search(name) for name in names]
        x, y = _steps(*series["fast"]), _steps(*series["slow"])
        if len(x) * len(y) == count:
            return (Axis("y", y, unit), Axis("x", x, unit)), ()
        warnings.append(
            f"The map's grid of {len(x)} × {len(y)} does not fit {count} spectra; they are in a row."
        )
        if all(stated):
            at = np.array([[float(v) for v in s.groups()] for s in stated if s])
            here = (
                Signal("x", at[:, 0], unit, ("spectrum",)),
                Signal("y", at[:, 1], unit, ("spectrum",)),
            )
            return (Axis("spectrum", np.arange(count), ""),), here
        return (Axis("spectrum", np.arange(count), ""),), ()
    first, _, step = series["slow"]
    if np.isfinite([first, step]).all() and step > 0:
        if unit is None:
            unit = "min"
            warnings.append("The file does not name the unit of its series; OMNIC's series are in minutes.")
        name = "time" if unit in ("min", "s") else "series"
        return (Axis(name, first + step * np.arange(count, dtype=float), unit),), ()
    return (Axis("spectrum", np.arange(count), ""),), ()


def _unit(label: str) -> str | None:
    match = _IN_BRACKETS.search(label)
    return _UNITS.get(match[1].casefold()) if match else None


def _steps(first: float, last: float, step: float) -> NDArray[Any]:
    if not (np.isfinite([first, last, step]).all() and step):
        return np.array([first if np.isfinite(first) else 0.0])
    count = round(abs((last - first) / step)) + 1
    return np.linspace(first, last, count) if count <= 10_000_000 else np.array([first])


def _temperatures(series: dict[str, Any], *, is_map: bool) -> dict[str, Quantity]:
    cell = series["flow_cell_temperature"]
    is_stated = not is_map and np.isfinite(cell) and 10 < cell < 1000
    return {"temperature": Quantity(cell, "degC")} if is_stated else {}


READER = Reader(
    name="omnic_series",
    version="1",
    techniques=("ir", "raman"),
    vendor="Thermo Fisher",
    format="OMNIC map or series",
    endings=(".map", ".srs"),
    sniff=sniff,
    read=read,
    notes="Maps with their places, series in time with their spectra or interferograms. Not read: the video image, "
    "profiles that OMNIC computed, the background of a series.",
)
