"""HyperSpy's ``.hspy``: HDF5 with calibrated arrays, in which electron microscopists keep what they work on.

Facts: HyperSpy's user guide and file format (versions 1.2 to 3.3). Below ``Experiments`` each signal is a group with
``data``, a group ``axis-0`` … for each of its dimensions (``offset``, ``scale``, ``units``, ``navigate``) and groups of
attributes in which ``_None_`` stands for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Signal, clean_text, make_name, tidy_metadata
from zairyo.measurement.units import normalise
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._hdf5_file import MAGIC, attribute, dataset, group_at, members, open_hdf5, root_names
from zairyo.readers._microscope_values import Table, conditions, free_name
from zairyo.readers._trees import at, text_at

_DEEPEST, _MOST = 12, 2000
#: HyperSpy's type of signal → technique, and what the last axis is where it is a spectrum's.
_TYPES = {
    "EELS": ("eels", "energy_loss"),
    "EDS_TEM": ("eds", "energy"),
    "EDS_SEM": ("eds", "energy"),
    "electron_diffraction": ("electron_diffraction", ""),
    "diffraction": ("electron_diffraction", ""),
    "hologram": ("electron_holography", ""),
    "EBSD": ("ebsd", ""),
    "CL": ("cathodoluminescence", "wavelength"),
    "CL_SEM": ("cathodoluminescence", "wavelength"),
    "CL_STEM": ("cathodoluminescence", "wavelength"),
    "CLSEM": ("cathodoluminescence", "wavelength"),
}
_NAMES = {"energy loss": "energy_loss", "eloss": "energy_loss", "width": "x", "height": "y", "projections": "tilt",
          "kx": "k_x", "ky": "k_y", "dx": "k_x", "dy": "k_y"}  # fmt: skip
#: Below ``Acquisition_instrument/TEM`` (or ``SEM``).
_CONDITIONS: Table = {
    "beam_energy": ("accelerating_voltage", "kV", 1.0),
    "beam_current": ("beam_current", "nA", 1.0),
    "magnification": ("magnification", "", 1.0),
    "camera_length": ("camera_length", "mm", 1.0),
    "convergence_angle": ("convergence_angle", "mrad", 1.0),
    "working_distance": ("working_distance", "mm", 1.0),
    "acquisition_mode": ("operating_mode", None, 1.0),
    "Stage/tilt_alpha": ("tilt_alpha", "deg", 1.0),
    "Stage/tilt_beta": ("tilt_beta", "deg", 1.0),
    "Stage/rotation": ("stage_rotation", "deg", 1.0),
    "Stage/x": ("stage_x", "mm", 1.0),
    "Stage/y": ("stage_y", "mm", 1.0),
    "Stage/z": ("stage_z", "mm", 1.0),
    "Detector/EELS/collection_angle": ("collection_angle", "mrad", 1.0),
    "Detector/EELS/exposure": ("exposure_time", "s", 1.0),
    "Detector/EELS/dwell_time": ("dwell_time", "s", 1.0),
    "Detector/EELS/spectrometer": ("spectrometer", None, 1.0),
    "Detector/EDS/live_time": ("live_time", "s", 1.0),
    "Detector/EDS/real_time": ("real_time", "s", 1.0),
    "Detector/EDS/elevation_angle": ("elevation_angle", "deg", 1.0),
    "Detector/EDS/azimuth_angle": ("azimuth_angle", "deg", 1.0),
    "Detector/EDS/energy_resolution_MnKa": ("energy_resolution", "eV", 1.0),
}


@dataclass(frozen=True)
class _Dimension:
    """One dimension as the file says it; ``units`` and ``name`` empty where it does not."""

    group: Any
    name: str
    units: str
    is_navigation: bool


def _sniff(src: RawInput) -> float:
    if src.head[:8] != MAGIC or "Experiments" not in root_names(src):
        return NO
    try:
        with open_hdf5(src) as file:
            return CERTAIN if str(attribute(file, "file_format")).casefold() == "hyperspy" else NO
    except ReadError:
        return NO


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    taken: set[str] = set()
    entries: list[Entry] = []
    trees: dict[str, Any] = {}
    with open_hdf5(src) as file:
        experiments = group_at(file, "Experiments")
        for name in members(experiments)[:_MOST] if experiments is not None else []:
            group = group_at(experiments, name)
            if group is None:
                continue
            tree = _tree(group_at(group, "metadata"))
            made = _entry(group, name, tree, taken, warnings)
            if made is not None:
                entries.append(made)
                trees[made.name] = tree
    if not entries:
        raise ReadError(f"{src.name} holds no array that can be read: {' '.join(warnings) or 'it is empty'}")
    first = trees[entries[0].name]
    return Measurement(
        tuple(entries),
        title=text_at(first, "General/title") or src.path.stem,
        sample=text_at(first, "Sample/description"),
        instrument=text_at(first, *(f"Acquisition_instrument/{k}/microscope" for k in ("TEM", "SEM"))),
        operator=text_at(first, "General/authors"),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _entry(group: Any, name: str, tree: dict[str, Any], taken: set[str], warnings: list[str]) -> Entry | None:
    data = dataset(group, "data")
    if data is None or data.dtype.kind not in "biufc" or not data.ndim or 0 in data.shape:
        warnings.append(f"{clean_text(name)[:80]!r} holds no array of numbers; it was not read.")
        return None
    kind = str(at(tree, "Signal/signal_type") or "").strip()
    technique, last = _TYPES.get(kind, ("", ""))
    dimensions = [_dimension(group, i) for i in range(data.ndim)]
    axes: list[Axis] = []
    for i, one in enumerate(dimensions):
        is_last_of_spectrum = i == data.ndim - 1 and (i == 0 or dimensions[i - 1].is_navigation)
        fallback = (last or "channel") if is_last_of_spectrum else _place(dimensions, i)
        made = _axis(one, data.shape[i], fallback, is_last_of_spectrum and bool(last), warnings)
        if made.name in {a.name for a in axes}:
            made = Axis(f"{made.name[:50]}_{i + 1}", made.values, made.unit, made.long_name)
        axes.append(made)
    if technique == "electron_diffraction" and data.ndim == 4:
        technique = "stem_4d"
    microscope = next((k for k in ("TEM", "SEM") if at(tree, f"Acquisition_instrument/{k}")), "")
    instrument = at(tree, f"Acquisition_instrument/{microscope}") if microscope else {}
    scans = microscope == "TEM" and text_at(instrument, "acquisition_mode").upper() == "STEM"
    technique = technique or ("stem" if scans else microscope.lower()) or "unspecified"
    title = text_at(tree, "General/title") or ("" if name.startswith("__") else clean_text(name))
    unit = text_at(tree, "Signal/quantity")
    unit = unit[unit.find("(") + 1 : -1].strip() if unit.endswith(")") else ""
    told = conditions(_CONDITIONS, lambda field: at(instrument, field))
    return Entry(
        name=free_name(make_name(title, "signal"), taken, "signal"),
        technique=technique,
        axes=tuple(axes),
        signals=(Signal("intensity", data[()], _unit(unit), tuple(a.name for a in axes)),),
        title=title,
        conditions=told if technique != "unspecified" else {},
        original_metadata=tidy_metadata(tree),
    )


def _dimension(group: Any, number: int) -> _Dimension:
    axis = group_at(group, f"axis-{number}")
    if axis is None:
        return _Dimension(None, "", "", False)
    stated = {k: str(v) if (v := attribute(axis, k)) is not None else "" for k in ("name", "units")}
    stated = {k: "" if v in ("_None_", "<undefined>", "None") else v.strip() for k, v in stated.items()}
    return _Dimension(axis, stated["name"], stated["units"], bool(attribute(axis, "navigate")))


def _place(dimensions: list[_Dimension], number: int) -> str:
    """What a dimension is called that has no name: of a map or a picture the last is x."""
    alike = [i for i, one in enumerate(dimensions) if one.is_navigation == dimensions[number].is_navigation]
    from_last = len(alike) - 1 - alike.index(number)
    is_reciprocal = (
        dimensions[number].units.replace(" ", "").startswith("1/") or "^-1" in dimensions[number].units
    )
    if from_last < 2 and not dimensions[number].is_navigation and is_reciprocal:
        return ("k_x", "k_y")[from_last]
    return ("x", "y", "z")[from_last] if from_last < 3 else f"dimension_{number + 1}"


def _axis(one: _Dimension, size: int, fallback: str, is_named: bool, warnings: list[str]) -> Axis:
    if one.group is None:
        return Axis(fallback, np.arange(size), "pixel")
    key = one.name.casefold()
    name = fallback if is_named or not one.name else _NAMES.get(key, make_name(one.name, fallback))
    stored = dataset(one.group, "axis")
    if stored is not None and stored.shape == (size,) and stored.dtype.kind in "iuf":
        values = np.asarray(stored[()], dtype=float)
    else:
        offset, scale = (attribute(one.group, k) for k in ("offset", "scale"))
        numeric = all(isinstance(v, int | float | np.number) for v in (offset, scale))
        values = offset + scale * np.arange(size) if numeric and scale else np.full(size, np.nan)
    if not np.isfinite(values).all():
        warnings.append(
            f"The positions along {clean_text(one.name) or name} are not stored as numbers; they are numbered."
        )
        return Axis(name, np.arange(size), None, clean_text(one.name))
    return Axis(name, values, _unit(one.units), clean_text(one.name))


def _unit(stated: str) -> str | None:
    if not stated:
        return None
    text = {"px": "pixel", "A": "angstrom", "$A^{-1}$": "1/angstrom", "A^-1": "1/angstrom"}.get(
        stated, stated
    )
    return normalise(text) or clean_text(text)


def _tree(group: Any, depth: int = 0) -> dict[str, Any]:
    """Attributes and groups of attributes; what stands for nothing is left out."""
    if group is None or depth > _DEEPEST:
        return {}
    found: dict[str, Any] = {}
    for key in list(group.attrs)[:_MOST]:
        value = attribute(group, key)
        if value is not None and not (isinstance(value, str) and value == "_None_"):
            found[key] = value
    for name in members(group)[:_MOST]:
        inner = group_at(group, name)
        if inner is not None:
            found[name] = _tree(inner, depth + 1)
    return found


READER = Reader(
    name="hyperspy_hspy",
    version="1",
    techniques=("eels", "eds", "tem", "stem", "sem", "stem_4d", "electron_diffraction", "electron_holography", "ebsd",
                "cathodoluminescence", "unspecified"),
    vendor="HyperSpy",
    format="HyperSpy (.hspy)",
    endings=(".hspy", ".hdf5"),
    sniff=_sniff,
    read=_read,
    notes="Every signal with its calibrated axes and metadata. Not: models, markers, ragged lists, colours.",
)  # fmt: skip
