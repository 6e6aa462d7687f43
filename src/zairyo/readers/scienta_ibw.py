"""Igor binary waves that Scienta SES or PEAK wrote: the numbers with scaled axes, the settings in the note.

SES writes ``[SES]`` and ``key=value`` lines, PEAK a JSON object.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

from zairyo.measurement import Measurement
from zairyo.readers import _scienta
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._igor import Wave, is_wave, read_wave
from zairyo.readers._photoemission import measurement

_MOST_BYTES = 1024**3
#: How far into a compressed file a sniff unpacks.
_MOST_AHEAD = 64 << 20
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


def sniff(src: RawInput) -> float:
    return CERTAIN if is_wave(src.head) and _speaks_scienta(_note(src)) else NO


def _note(src: RawInput) -> bytes:
    """The note's beginning, which stands behind the numbers: of a map that is beyond the head."""
    head = src.head
    order = ">" if head[0] == 0 else "<"
    if struct.unpack_from(order + "h", head)[0] != 5:
        return head[-4096:]  # SES always wrote version 5
    wave, formula = struct.unpack_from(order + "2i", head, 4)
    at = 64 + wave + max(formula, 0)
    if at + 64 <= len(head) or wave < 0:
        return head[max(at, 0) : max(at, 0) + 4096]
    if at > _MOST_AHEAD and src.name != src.path.name:
        return b""  # to seek there would unpack all that is before
    try:
        with src.open() as f:
            f.seek(at)
            return f.read(4096)
    except (OSError, EOFError, ValueError):
        return b""


def _speaks_scienta(note: bytes) -> bool:
    is_peak = note.lstrip()[:1] == b"{" and (b'"ElementSet"' in note or b'"ImageSource"' in note)
    return is_peak or b"[SES]" in note


def read(src: RawInput) -> Measurement:
    wave = read_wave(src.read_bytes(_MOST_BYTES))
    warnings: list[str] = []
    note, info = _settings(wave.note, warnings)
    if wave.data.dtype.kind not in "fiu" or wave.data.size == 0:
        raise ReadError("the wave holds no spectrum: its values are texts, complex, or there are none")
    taken: set[str] = set()
    axes = [_axis(wave, d, taken, warnings) for d in range(wave.data.ndim)]
    kept = [i for i, axis in enumerate(axes) if i == 0 or len(axis.values) > 1]
    values = np.ascontiguousarray(wave.data.reshape([wave.data.shape[i] for i in kept], order="F").T)
    name = info.get("Region Name") or wave.name or "region"
    unit = _scienta.intensity_unit(wave.unit, warnings)
    entry = _scienta.entry(name, [axes[i] for i in reversed(kept)], values, unit, info, note, set())
    told = _scienta.about([info])
    return measurement([entry], warnings, **(told | {"title": told["title"] or name}))


def _axis(wave: Wave, dimension: int, taken: set[str], warnings: list[str]) -> Any:
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


READER = Reader(
    name="scienta_ibw",
    version="1",
    techniques=("xps", "ups", "arpes"),
    vendor="Scienta Omicron",
    format="SES / PEAK Igor wave",
    endings=(".ibw",),
    sniff=sniff,
    read=read,
    notes="Spectra, angle-resolved maps and cubes. Other Igor waves have a reader of their own.",
)
