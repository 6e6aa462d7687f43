"""Agilent (Varian) Cary WinUV and Cary Eclipse CSV: spectra, kinetics and excitation-emission maps.

Facts: a line of the samples' names, each above two columns; a line of headings (``Wavelength (nm),Abs``); rows in
which a shorter sample's cells are blank; a blank line; then, for each sample, its name and its settings (``Collection
Time:``, keys and values some blanks apart, ``[Excitation (nm)] , 430.0000``). The Eclipse names the spectra of a map
``name_EX_220.00``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, make_name
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers import _day_or_month
from zairyo.readers._api import LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._text_export import cells_of, columns_of, decimal_of, head_lines, number, read_lines

_X = (
    (re.compile(r"Wavelength \(nm\)", re.I), "wavelength", "nm"),
    (re.compile(r"Wavenumber \(cm-1\)", re.I), "wavenumber", "1/cm"),
    (re.compile(r"Time \(min\)", re.I), "time", "min"),
    (re.compile(r"Time \(sec\)", re.I), "time", "s"),
    (re.compile(r"Temperature \(°?C\)", re.I), "temperature", "degC"),
)
_Y = (
    (re.compile(r"Abs(orbance)?", re.I), "absorbance", ""),
    (re.compile(r"%\s?T", re.I), "transmittance", "percent"),
    (re.compile(r"%\s?R", re.I), "reflectance", "percent"),
    (re.compile(r"Intensity( \(a\.u\.\))?", re.I), "intensity", "arb"),
)
_HEADINGS = re.compile(
    rf'"?({"|".join(p.pattern for p, _, _ in _X)})"?(?P<delimiter>[,;\t])"?[A-Za-z%]', re.I
)
_ROW = re.compile(r'[\s\d.,;+\-eE"]*\d[\s\d.,;+\-eE"]*\Z')
_SETTING = (
    re.compile(r"(?P<key>\S.*\S)\s{3,}(?P<value>[^:\s].*)"),
    re.compile(r"\[(?P<key>[^\]]+)\]\s*,(?P<value>.*)"),
    re.compile(r"(?P<key>[^:]*[^:\s])\s*:(?P<value>.*)"),
)
#: A spectrum of a map: the name, which monochromator stood still, where.
_OF_MAP = re.compile(r"(?P<name>.*)_(?P<fixed>EX|EM)_(?P<at>\d+(?:\.\d+)?)\Z")
_FIXED = {
    "EX": ("excitation_wavelength", "emission_wavelength"),
    "EM": ("emission_wavelength", "excitation_wavelength"),
}
#: Settings, in lower case → condition, unit; of a map, that of one of its spectra says nothing.
_CONDITIONS = {
    "scan rate (nm/min)": ("scan_speed", "nm/min"),
    "uv-vis scan rate (nm/min)": ("scan_speed", "nm/min"),
    "averaging time (s)": ("exposure_time", "s"),
    "ave. time (sec)": ("exposure_time", "s"),
    "uv-vis ave. time (sec)": ("exposure_time", "s"),
    "sbw (nm)": ("spectral_bandwidth", "nm"),
    "uv-vis sbw (nm)": ("spectral_bandwidth", "nm"),
    "ex. wavelength (nm)": ("excitation_wavelength", "nm"),
    "em. wavelength (nm)": ("emission_wavelength", "nm"),
    "scan mode": ("scan_mode", None),
    "instrument serial number": ("instrument_serial", None),
}  # fmt: skip


class _Sample(NamedTuple):
    """One pair of columns, without the rows that are blank in it, and its settings."""

    name: str
    headings: tuple[str, str]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    said: dict[str, str]

    def value(self, key: str) -> str:
        return next((v for k, v in self.said.items() if k.casefold() == key), "")


def _sniff(source: RawInput) -> float:
    lines = head_lines(source, 2)
    m = _HEADINGS.match(lines[1]) if len(lines) == 2 else None
    if m is None or m["delimiter"] not in lines[0]:
        return NO
    names = cells_of(lines[0], m["delimiter"])
    return LIKELY if names[0] and not any(names[1::2]) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    m = _HEADINGS.match(lines[1]) if len(lines) > 1 else None
    if m is None:
        raise ReadError(f"{source.name} ends before its headings; it is cut off. Copy it again.")
    warnings: list[str] = []
    samples = _samples(source.name, lines, m["delimiter"], warnings)
    dates = [
        v
        for s in samples
        for k, v in s.said.items()
        if k.casefold() in ("collection time", "date/time stamp")
    ]
    entries = _map(samples, dates, warnings) or [
        _entry(name, sample, dates, warnings)
        for name, sample in zip(_names([s.name for s in samples]), samples, strict=True)
    ]
    if not entries:
        raise ReadError(f"{source.name} holds no numbers; nothing was measured, or it is cut off.")
    titles = list(dict.fromkeys(e.title for e in entries))
    return Measurement(
        tuple(entries),
        title=titles[0] if len(titles) == 1 else source.path.stem,
        sample=titles[0] if len(titles) == 1 else "",
        instrument=clean_text(next((v for s in samples if (v := s.value("instrument"))), "Agilent Cary")),
        operator=clean_text(next((v for s in samples if (v := s.value("operator name"))), "")),
        original_metadata=tidy_metadata({"samples": [{"name": s.name, **s.said} for s in samples if s.said]}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


# --- columns ------------------------------------------------------------------------------------------------------


def _samples(name: str, lines: list[str], delimiter: str, warnings: list[str]) -> list[_Sample]:
    titles, headings = (cells_of(line, delimiter) for line in lines[:2])
    while headings and not headings[-1]:
        headings.pop()
    end = next((k for k in range(2, len(lines)) if not _ROW.match(lines[k])), len(lines))
    rows = lines[2:end]
    if not rows or len(headings) % 2:
        raise ReadError(f"{name} holds no pairs of columns; nothing was measured, or it is cut off.")
    if end == len(lines) and rows[-1].count(delimiter) < rows[0].count(delimiter):
        raise ReadError(f"{name} ends within line {end}; it is cut off. Copy it again.")
    decimal = decimal_of(rows, delimiter) if delimiter != "," else "."
    columns = columns_of(rows, delimiter, len(headings), warnings, line=3, decimal=decimal)
    if any(c.dtype.kind != "f" for c in columns):
        raise ReadError(f"{name} has words among its numbers; it is damaged.")
    titles = [titles[k] if k < len(titles) else "" for k in range(0, len(headings), 2)]
    said = _settings(lines[end:], titles)
    found = []
    for k, title in enumerate(titles):
        x, y = columns[2 * k], columns[2 * k + 1]
        there = np.isfinite(x) & np.isfinite(y)
        if there.any():
            pair = (headings[2 * k], headings[2 * k + 1])
            found.append(_Sample(clean_text(title) or f"sample {k + 1}", pair, x[there], y[there], said[k]))
    return found


def _settings(lines: list[str], titles: list[str]) -> list[dict[str, str]]:
    """What is said below the rows of each sample, shape (samples,): a block begins with the sample's name."""
    blocks: list[tuple[str, dict[str, str]]] = []
    for line in lines:
        bare = line.strip(" ,;\t")
        if bare in titles and not (blocks and blocks[-1] == (bare, {})):
            blocks.append((bare, {}))
        elif blocks and (m := next((m for p in _SETTING if (m := p.match(line.strip()))), None)):
            blocks[-1][1].setdefault(clean_text(m["key"]), clean_text(m["value"].strip(" ,;")))
    filled = [b for b in blocks if b[1]]
    if [b[0] for b in filled] == titles:
        return [said for _, said in filled]
    by_name = dict(reversed(filled))
    return [by_name.get(title, {}) for title in titles]


# --- entries ------------------------------------------------------------------------------------------------------


def _names(titles: list[str]) -> list[str]:
    found: list[str] = []
    for title in titles:
        name = make_name(title, "sample")[:50]
        found.append(name if name not in found else f"{name}_{len(found) + 1}")
    return found


def _entry(name: str, sample: _Sample, dates: list[str], warnings: list[str]) -> Entry:
    axis = next((Axis(n, sample.x, u) for p, n, u in _X if p.fullmatch(sample.headings[0])), None)
    axis = axis or Axis("spectral_position", sample.x, long_name=clean_text(sample.headings[0]))
    return Entry(
        name,
        _technique(sample),
        axes=(axis,),
        signals=(_signal(sample, sample.y, (axis.name,)),),
        title=sample.name,
        conditions=_conditions(sample),
        started=_started(sample, dates, warnings),
    )


def _map(samples: list[_Sample], dates: list[str], warnings: list[str]) -> list[Entry]:
    """Intensity over excitation and emission, if all spectra are those of one map."""
    found = [m for s in samples if (m := _OF_MAP.match(s.name))]
    if len(samples) < 2 or len(found) < len(samples):
        return []
    first = samples[0]
    kinds = {(m["name"], m["fixed"]) for m in found}
    at = np.array([float(m["at"]) for m in found])
    if len(kinds) > 1 or len(np.unique(at)) < len(at):
        return []
    if not all(np.array_equal(s.x, first.x) and s.headings == first.headings for s in samples):
        return []
    fixed, moved = _FIXED[found[0]["fixed"]]
    order = np.argsort(at)
    conditions = _conditions(first)
    conditions.pop(fixed, None)
    return [
        Entry(
            "map",
            _technique(first),
            axes=(Axis(fixed, at[order], "nm"), Axis(moved, first.x, "nm")),
            signals=(_signal(first, np.stack([samples[k].y for k in order]), (fixed, moved)),),
            title=found[0]["name"],
            conditions=conditions,
            started=_started(first, dates, warnings),
        )
    ]


def _signal(sample: _Sample, values: NDArray[np.float64], axes: tuple[str, ...]) -> Signal:
    heading = sample.headings[1]
    for pattern, name, unit in _Y:
        if pattern.fullmatch(heading):
            return Signal(name, values, unit, axes)
    return Signal(make_name(heading, "value"), values, None, axes, long_name=clean_text(heading))


def _technique(sample: _Sample) -> str:
    is_light = (
        sample.headings[1].casefold().startswith("intensity")
        or "eclipse" in sample.value("instrument").casefold()
    )
    return "fluorescence" if is_light else "uv_vis"


def _conditions(sample: _Sample) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, text in sample.said.items():
        name, unit = _CONDITIONS.get(key.casefold(), ("", None))
        value = number(text) if unit is not None else text
        if name and value not in (None, "") and name not in found:
            found[name] = Quantity(value, unit)
    if at := number(sample.value("excitation (nm)")):
        found["excitation_wavelength"] = Quantity(at, "nm")
    return found


def _started(sample: _Sample, dates: list[str], warnings: list[str]) -> datetime | None:
    return _day_or_month.moment(sample.value("collection time"), dates, warnings)


READER = Reader(
    name="agilent_cary_csv",
    version="2",
    techniques=("uv_vis", "fluorescence"),
    vendor="Agilent",
    format="Cary WinUV / Cary Eclipse CSV",
    endings=(".csv",),
    sniff=_sniff,
    read=_read,
    surest=LIKELY,
    notes="Each sample is an entry with its settings; the spectra of an excitation-emission map are one.",
)
