"""A wave of Igor that Scienta SES or PEAK wrote → an entry: scaled axes, the settings in the note.

SES writes ``[SES]`` and ``key=value`` lines, PEAK a JSON object.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry
from zairyo.readers import _scienta
from zairyo.readers._api import ReadError
from zairyo.readers._igor import Wave

#: PEAK's names → those of SES, which ``_scienta`` knows.
_PEAK = {
    "Name": "Region Name",
    "LensMode": "Lens Mode",
    "PassEnergy": "Pass Energy",
    "AcquisitionMode": "Acquisition Mode",
    "AcquisitionLoopCount": "Number of Sweeps",
    "DwellTime": "Dwell Time [s]",
    "AnalyserWorkFunction": "Work Function",
    "ImageDetector": "Detector Mode",
    "Instrument": "Instrument",
    "Date": "Date",
    "Time": "Time",
}


def speaks_scienta(note: bytes) -> bool:
    is_peak = note.lstrip()[:1] == b"{" and (b'"ElementSet"' in note or b'"ImageSource"' in note)
    return is_peak or b"[SES]" in note


def is_measured(wave: Wave) -> bool:
    """Whether SES wrote it: a wave that Igor made of others may have their note, and no energies."""
    titles = [unit or label for unit, label in zip(wave.axis_units, wave.axis_labels, strict=True)]
    return "[SES]" in wave.note and any(_scienta.is_energy(title) for title in titles)


def entry_of(wave: Wave, taken: set[str], warnings: list[str]) -> tuple[Entry, dict[str, str]]:
    """The region, and its settings by the names of SES."""
    note, info = _settings(wave.note, warnings)
    if wave.data.dtype.kind not in "fiu" or wave.data.size == 0:
        raise ReadError("the wave holds no spectrum: its values are texts, complex, or there are none")
    named: set[str] = set()
    axes = [_axis(wave, d, named, warnings) for d in range(wave.data.ndim)]
    kept = [i for i, axis in enumerate(axes) if i == 0 or len(axis.values) > 1]
    values = np.ascontiguousarray(wave.data.reshape([wave.data.shape[i] for i in kept], order="F").T)
    name = info.get("Region Name") or wave.name or "region"
    unit = _scienta.intensity_unit(wave.unit, warnings)
    entry = _scienta.entry(name, [axes[i] for i in reversed(kept)], values, unit, info, note, taken, warnings)
    return entry, info


def _axis(wave: Wave, dimension: int, taken: set[str], warnings: list[str]) -> Axis:
    title = wave.axis_units[dimension] or wave.axis_labels[dimension] or f"dimension {dimension + 1}"
    return _scienta.axis(title, wave.axis(dimension), taken, warnings)


def _settings(note: str, warnings: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The note as it is nested, and its settings by the names of SES."""
    if not note.lstrip().startswith("{"):
        found: dict[str, Any] = dict(_scienta.sections(note))
        return {k: v for k, v in found.items() if v}, found.get("SES", {})
    try:
        told = json.loads(note)
    except (ValueError, RecursionError):
        warnings.append("The note of PEAK is damaged; its settings are kept as one text.")
        return {"note": note}, {}
    info = {ses: _text(told.get(peak)) for peak, ses in _PEAK.items()}
    source = told.get("ExcitationSource")
    energy = source.get("ExcitationSourceEnergyInformation") if isinstance(source, dict) else None
    if isinstance(energy, dict):
        info["Excitation Energy"] = _text(energy.get("Energy") or energy.get("TargetEnergy"))
        info["Excitation Source"] = _text(energy.get("SourceType"))
    sample = told.get("Sample")
    if isinstance(sample, dict):
        info["Sample"] = _text(sample.get("Name"))
    return told, {k: v for k, v in info.items() if v}


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value)
