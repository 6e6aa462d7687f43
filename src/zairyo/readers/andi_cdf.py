"""ANDI/AIA ``.cdf`` (ASTM E1947 chromatography, E2077 mass spectrometry): exchange files that most software writes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, Signal, clean_text, table, tidy_metadata
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._netcdf3 import NetCdf
from zairyo.readers._separation import (
    Scans,
    mass_run,
    moment,
    number_condition,
    optics,
    quantity_of,
    text_condition,
    trace,
    unit_of,
)

_MARKS = (b"ordinate_values", b"scan_acquisition_time")
_PEAKS = (
    ("peak_retention_time", "retention_time", True),
    ("peak_start_time", "peak_start", True),
    ("peak_end_time", "peak_end", True),
    ("peak_area", "peak_area", False),
    ("peak_height", "peak_height", False),
    ("peak_width", "peak_width", True),
    ("peak_area_percent", "area_fraction", False),
    ("peak_amount", "concentration", False),
)
_IN_MINUTES = dict.fromkeys(("s", "sec", "second", "seconds"), 1 / 60) | dict.fromkeys(
    ("min", "minute", "minutes"), 1.0
)


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head[:3] == b"CDF" and any(mark in src.head for mark in _MARKS) else NO


def read(src: RawInput) -> Measurement:
    file = NetCdf(src.read_bytes(), src.name)
    told = file.attributes
    warnings: list[str] = []
    shared: dict[str, Any] = {"conditions": _conditions(told), "started": _started(told)}
    if "scan_acquisition_time" in file.variables:
        entries = _scans(file, shared)
    else:
        entries = _chromatogram(file, shared, warnings)
    sample = _text(told, "sample_name") or _text(told, "experiment_title")
    return Measurement(
        entries=tuple(entries),
        title=_text(told, "experiment_title") or sample or src.name,
        sample=sample,
        operator=_text(told, "operator_name"),
        instrument=_instrument(file),
        original_metadata=tidy_metadata(
            {
                "attributes": told,
                "variables": {v.name: v.attributes for v in file.variables.values() if v.attributes},
            }
        ),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _text(told: dict[str, Any], name: str) -> str:
    value = told.get(name, "")
    return clean_text(value).strip() if isinstance(value, str) else ""


def _number(told: dict[str, Any], name: str) -> float | None:
    value = told.get(name)
    try:
        return float(value) if isinstance(value, (int, float)) or (isinstance(value, str) and value) else None
    except ValueError:
        return None


def _started(told: dict[str, Any]) -> datetime | None:
    for name in ("injection_date_time_stamp", "experiment_date_time_stamp", "dataset_date_time_stamp"):
        if match := re.match(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\s*([+-]\d{4})?", _text(told, name)):
            year, month, day, hour, minute, second, zone = match.groups()
            return moment(f"{year}-{month}-{day} {hour}:{minute}:{second} {zone or ''}")
    return None


def _instrument(file: NetCdf) -> str:
    for name in ("instrument_mfr", "instrument_model"):
        if name not in file.variables or not file.variables[name].shape:
            return ""
    maker, model = (" ".join(file.text(name)[:1]) for name in ("instrument_mfr", "instrument_model"))
    text = f"{maker} {model}".strip()
    return text if text.isprintable() else ""


def _conditions(told: dict[str, Any]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    text_condition(found, "method", re.split(r"[\\/]", _text(told, "detection_method_name"))[-1])
    text_condition(found, "detector", _text(told, "detector_name"))
    number_condition(found, "injection_volume", _number(told, "sample_injection_volume"), "ul")
    ionisation = _text(told, "test_ionization_mode")
    short = {"electron impact": "EI", "chemical ionization": "CI", "electrospray ionization": "ESI"}
    text_condition(found, "ionisation", short.get(ionisation.lower(), ionisation))
    polarity = _text(told, "test_ionization_polarity").lower()
    if polarity.startswith(("pos", "neg")):
        found["ion_polarity"] = Quantity("positive" if polarity.startswith("pos") else "negative")
    return found


# --- chromatography -----------------------------------------------------------------------------------------


def _chromatogram(file: NetCdf, shared: dict[str, Any], warnings: list[str]) -> list[Entry]:
    told = file.attributes
    values = file.read("ordinate_values").astype(float).ravel()
    if not len(values):
        raise ReadError("the chromatogram has no point in it; nothing was acquired")
    to_minutes = _IN_MINUTES.get(_text(told, "retention_unit").lower().strip(". "))
    if to_minutes is None:
        to_minutes = 1 / 60
        if _text(told, "retention_unit"):
            warnings.append(
                f"The unit of times {told['retention_unit']!r} is not known; they were taken as seconds."
            )
    times = _times(file, len(values)) * to_minutes
    stated = _text(told, "detector_unit")
    unit = unit_of(stated, warnings)
    detector = _text(told, "detector_name")
    conditions = {**shared["conditions"], **optics(detector)}
    technique = (
        "lc"
        if unit in ("mAU", "nRIU") or stated.upper() == "AU"
        else "gc"
        if unit == "pA"
        else "chromatography"
    )
    entries = [
        trace(
            "chromatogram",
            technique,
            times,
            values,
            unit=unit,
            signal=quantity_of(unit, stated, detector),
            title=detector or "Chromatogram",
            **{**shared, "conditions": conditions},
        )
    ]
    peaks = _peaks(file, to_minutes)
    if peaks:
        x, default = (
            "retention_time",
            "peak_area" if any(p.name == "peak_area" for p in peaks) else peaks[-1].name,
        )
        entries.append(table("peaks", technique, peaks, x=x, default=default, title="Peaks", **shared))
    return entries


def _times(file: NetCdf, count: int) -> Array:
    """The points' own times where they are given, else from the delay and the sampling interval."""
    if "raw_data_retention" in file.variables:
        times = file.read("raw_data_retention").astype(float).ravel()
        if len(times) == count and np.isfinite(times).all() and (np.diff(times) > 0).all():
            return times
    interval, delay = (_scalar(file, name) for name in ("actual_sampling_interval", "actual_delay_time"))
    if interval is None or interval <= 0:
        raise ReadError(
            "the file gives no sampling interval (actual_sampling_interval), so no times; it is damaged"
        )
    return (delay or 0.0) + interval * np.arange(count)


def _scalar(file: NetCdf, name: str) -> float | None:
    if name not in file.variables:
        return None
    values = file.read(name).ravel()
    value = float(values[0]) if len(values) and values.dtype.kind in "fiu" else np.nan
    return value if np.isfinite(value) and abs(value) < 1e12 else None


def _peaks(file: NetCdf, to_minutes: float) -> list[Signal]:
    found: list[Signal] = []
    rows: int | None = None
    for name, column, is_time in _PEAKS:
        if name not in file.variables:
            continue
        values = file.read(name).astype(float).ravel()
        if rows is None:
            if column != "retention_time" or not len(values):
                return []
            rows = len(values)
        if len(values) == rows:
            unit = "min" if is_time else "percent" if column == "area_fraction" else None
            found.append(Signal(column, values * to_minutes if is_time else values, unit))
    if rows and "peak_name" in file.variables:
        names = file.text("peak_name")
        if len(names) == rows:
            found.append(Signal("compound", np.array(names)))
    return found


# --- mass spectrometry --------------------------------------------------------------------------------------


def _scans(file: NetCdf, shared: dict[str, Any]) -> list[Entry]:
    times = file.read("scan_acquisition_time").astype(float).ravel() / 60
    if not np.isfinite(times).all():
        raise ReadError("the scans have times that are no numbers; the file is damaged")
    counts = file.read("point_count").astype(np.int64).ravel()
    masses = _scaled(file, "mass_values")
    intensities = _scaled(file, "intensity_values")
    there = min(len(masses), len(intensities))
    if len(counts) != len(times) or (counts < 0).any() or counts.sum() > there:
        raise ReadError(
            f"{len(times)} scans announce {counts.clip(0).sum()} points, but {there} are there; "
            "the file is cut off or damaged"
        )
    starts = file.read("scan_index").astype(np.int64).ravel() if "scan_index" in file.variables else None
    if (
        starts is not None
        and len(starts) == len(counts)
        and (starts[counts > 0] != _begins(counts)[counts > 0]).any()
    ):
        if (starts < 0).any() or (starts + counts > len(masses)).any():
            raise ReadError("the scans' index points outside the points; the file is damaged")
        chosen = np.concatenate([np.arange(s, s + n) for s, n in zip(starts, counts, strict=True)])
        masses, intensities = masses[chosen], intensities[chosen]
    total = int(counts.sum())
    ionisation = shared["conditions"].get("ionisation", Quantity("")).value
    inlet = _text(file.attributes, "test_ms_inlet").lower()
    technique = (
        "gc_ms" if ionisation in ("EI", "CI") or "gas" in inlet or inlet.startswith("gc") or "capillary" in inlet
        else "lc_ms" if ionisation == "ESI" or "liquid" in inlet or "lc" in inlet
        else "mass_spectrometry"
    )  # fmt: skip
    totals = (
        file.read("total_intensity").astype(float).ravel() if "total_intensity" in file.variables else None
    )
    numbers = (
        file.read("actual_scan_number").astype(np.int32).ravel()
        if "actual_scan_number" in file.variables
        else None
    )
    usable = (
        totals is not None and len(totals) == len(times) and np.isfinite(totals).all() and (totals > 0).any()
    )
    named = numbers is not None and len(numbers) == len(times) and (np.diff(numbers) > 0).all()
    scans = Scans(
        times,
        counts,
        masses[:total],
        intensities[:total],
        total=totals if usable else None,
        numbers=numbers if named else None,
        is_profile="continuum" in _text(file.attributes, "experiment_type").lower(),
    )
    return mass_run(technique, scans, title=_text(file.attributes, "experiment_title"), **shared)


def _begins(counts: Array) -> Array:
    begins: Array = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return begins


def _scaled(file: NetCdf, name: str) -> Array:
    """A variable's values times its factor and plus its offset, where it has them."""
    values = file.read(name).ravel()
    attributes = file.variables[name].attributes
    factor, offset = (_number(attributes, key) for key in ("scale_factor", "add_offset"))
    scaled: Array = values
    if (factor is not None and factor != 1) or offset:
        scaled = values * (1.0 if factor is None else factor) + (offset or 0.0)
    if scaled.dtype.kind == "f" and not np.isfinite(scaled).all():
        raise ReadError(f"{name} has values that are no numbers; the file is damaged")
    return scaled


READER = Reader(
    name="andi_cdf",
    version="1",
    techniques=("chromatography", "gc", "lc", "gc_ms", "lc_ms", "mass_spectrometry"),
    vendor="ASTM",
    format="ANDI (AIA) NetCDF",
    endings=(".cdf", ".nc"),
    sniff=sniff,
    read=read,
    notes="Chromatograms with their tables of peaks (ASTM E1947) and runs of mass spectrometers (E2077), in NetCDF's "
    "classic format.",
)
