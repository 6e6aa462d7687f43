"""What Thermo's Avantage keeps in a data space, whether as ``.vgd`` or as its text ``.avg``, and its spectra.

A data space has data axes, the energy first and fastest; each has one or more space axes along it, such as the etch
time and the etch level. Energies are kinetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, tidy_metadata
from zairyo.readers._api import ReadError
from zairyo.readers._photoemission import Floats, energy_axis, known, measurement, unit_of
from zairyo.readers._tokens import amount, number, unique, word

MOST_VALUES = 200_000_000
_NAMES = {
    "ETCHTIME": "etch_time",
    "ETCHLEVEL": "etch_level",
    "ANGLE": "angle",
    "POSITION": "position",
    "TIME": "time",
    "TEMPERATURE": "temperature",
    "X": "x",
    "Y": "y",
    "Z": "z",
    "LEVEL": "level",
}
#: Which of several space axes a data axis is drawn over.
_ORDER = ("etch_time", "time", "temperature", "angle", "x", "y", "z", "position", "level", "etch_level")
_TECHNIQUES = {1: "xps", 6: "iss"}


@dataclass(frozen=True)
class SpaceAxis:
    """Positions along a data axis: numbers, or texts such as ``Pt #001``."""

    kind: str
    values: Floats | list[str]
    unit: str = ""
    label: str = ""


@dataclass
class DataSpace:
    """``axes`` are those of each data axis, the energy first; ``values`` has their shape, the energy last."""

    axes: list[list[SpaceAxis]]
    values: NDArray[np.float64]
    properties: dict[str, Any] = field(default_factory=dict)
    started: datetime | None = None


def spectrum(space: DataSpace, name: str, warnings: list[str]) -> Measurement:
    """The data space's spectrum, or spectra over whatever varied.

    Raises
    ------
    ReadError
        It holds no spectra, but an image or a table.
    """
    about = space.properties
    energies = space.axes[0][0] if space.axes and space.axes[0] else None
    if energies is None or energies.kind != "ENERGY" or isinstance(energies.values, list):
        kinds = ", ".join(a.kind.lower() for group in space.axes for a in group) or "nothing"
        raise ReadError(
            f"{name} holds {about.get('DS_GEPROPID_VALUE_LABEL') or 'values'} over {kinds}, no spectra over an energy; "
            "only spectra are read"
        )
    stated = number(about.get("DS_GEPROPID_TECHNIQUE"))
    technique = _TECHNIQUES.get(int(stated), "") if stated is not None else "xps"
    excitation = number(about.get("DS_SOPROPID_ENERGY"))
    if not technique or (technique == "xps" and excitation is not None and 0 < excitation < 100):
        technique = "ups" if excitation is not None and 0 < excitation < 100 else "xps"
    axis, beside = energy_axis(energies.values, excitation, technique)
    taken = {axis.name, "intensity", *(s.name for s in beside)}
    outer: list[Axis] = []
    signals: list[Signal] = []
    for group in reversed(space.axes[1:]):
        made, others = _outer(group, taken, warnings)
        outer.append(made)
        signals += others
    over = tuple(a.name for a in (*outer, axis))
    title = str(about.get("DS_EXT_SUPROPID_TITLE") or "").strip()
    try:
        entry = Entry(
            name=unique(title, set(), "spectrum"),
            technique=technique,
            axes=(*outer, axis),
            signals=(
                Signal("intensity", space.values, _unit(about, warnings), over, "Intensity"),
                *signals,
                *beside,
            ),
            title=title,
            conditions=known(_conditions(about, energies.values, title)),
            started=space.started,
        )
    except MeasurementError as e:
        raise ReadError(f"the file's parts do not fit together: {e}") from None
    return measurement(
        [entry],
        warnings,
        title=title,
        sample=about.get("DS_EXT_SUPROPID_SUBJECT"),
        instrument=about.get("DS_GEPROPID_INSTRUMENT"),
        operator=about.get("DS_EXT_SUPROPID_AUTHOR"),
        original_metadata=tidy_metadata(about),
    )


def _outer(group: list[SpaceAxis], taken: set[str], warnings: list[str]) -> tuple[Axis, list[Signal]]:
    """The axis of one data axis, and what else varies along it."""
    length = len(group[0].values)
    named = [(_NAMES.get(a.kind, a.kind.lower() or "index"), a) for a in group]
    named.sort(key=lambda pair: _ORDER.index(pair[0]) if pair[0] in _ORDER else len(_ORDER))
    chosen: Axis | None = None
    signals: list[Signal] = []
    left: list[tuple[str, SpaceAxis]] = []
    for name, space in named:
        steps = np.diff(space.values) if not isinstance(space.values, list) else np.zeros(1)
        if chosen is None and length and (np.all(steps > 0) or np.all(steps < 0)):
            unit = "" if name.endswith("level") else unit_of(space.unit, space.label, warnings)
            chosen = Axis(
                unique(name, taken, "region"), np.asarray(space.values, np.float64), unit, space.label
            )
        else:
            left.append((name, space))
    if chosen is None:
        chosen = Axis(unique("index", taken), np.arange(length))
    for name, space in left:
        along = np.array(space.values)
        unit = unit_of(space.unit, space.label, warnings) if along.dtype.kind == "f" else None
        signals.append(Signal(unique(name, taken, "region"), along, unit, (chosen.name,), space.label))
    return chosen, signals


def _unit(about: Mapping[str, Any], warnings: list[str]) -> str | None:
    unit, label = (str(about.get(f"DS_GEPROPID_VALUE_{k}") or "").strip() for k in ("UNIT", "LABEL"))
    if unit:
        return unit_of(unit, "the intensity", warnings)
    return unit_of(label, "the intensity", []) if label.casefold().startswith("count") else None


def _conditions(about: Mapping[str, Any], energies: Floats, title: str) -> dict[str, Quantity | None]:
    step = np.abs(np.diff(energies))
    sweeps = number(about.get("DS_ACPROPID_PERIODS"))
    return {
        "excitation_energy": amount(about.get("DS_SOPROPID_ENERGY"), "eV"),
        "pass_energy": amount(about.get("DS_ANPROPID_PASS"), "eV"),
        "work_function": amount(about.get("DS_ANPROPID_WORK_FTN"), "eV"),
        "energy_step": Quantity(float(f"{np.median(step):.9g}"), "eV") if len(step) else None,
        "dwell_time": amount(about.get("DS_ACPROPID_ACQ_TIME"), "s"),
        "repetitions": Quantity(int(sweeps), "") if sweeps is not None and sweeps >= 1 else None,
        "lens_mode": word(about.get("DS_ANPROPID_LENS_MODE_NAME")),
        "analysed_region": word(title),
    }
