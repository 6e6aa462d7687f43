"""TIA's series and objects → entries: which technique, which axes, what the microscope's settings were."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Quantity, Signal, make_name, tidy_metadata
from zairyo.readers._microscope_values import conditions, even_axis, length_scale, quantity
from zairyo.readers._tia_emi import DocumentObject
from zairyo.readers._tia_ser import Calibration, Dimension, Series
from zairyo.readers._xml import text, tree

#: Label of TIA's description → condition, usual unit (the file states one), factor.
_DESCRIPTION: dict[str, tuple[str, str | None, float]] = {
    "High tension": ("accelerating_voltage", "kV", 1),
    "Magnification": ("magnification", "", 1),
    "Camera length": ("camera_length", "m", 1),
    "Defocus": ("defocus", "um", 1),
    "STEM Defocus": ("defocus", "um", 1),
    "Spot size": ("spot_size", "", 1),
    "Emission": ("emission_current", "uA", 1),
    "Gun type": ("electron_source", None, 1),
    "Mode": ("operating_mode", None, 1),
    "Stem rotation": ("scan_rotation", "deg", 1),
    "Stage X": ("stage_x", "um", 1),
    "Stage Y": ("stage_y", "um", 1),
    "Stage Z": ("stage_z", "um", 1),
    "Stage A": ("tilt_alpha", "deg", 1),
    "Stage B": ("tilt_beta", "deg", 1),
}
_ACQUISITION: dict[str, tuple[str, str | None, float]] = {
    "ExperimentalConditions/MicroscopeConditions/AcceleratingVoltage": ("accelerating_voltage", "kV", 1e-3),
    "AcquireInfo/CameraNamePath": ("detector", None, 1),
    "AcquireInfo/Binning": ("binning", None, 1),
    "AcquireInfo/FrameTime": ("frame_time", "s", 1),
    "AcquireInfo/IntegrationTime": ("exposure_time", "s", 1),
    "AcquireInfo/ShapingTime": ("process_time", "us", 1),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"\w{3} (\w{3}) +(\d+) (\d+):(\d+):(\d+) (\d{4})\Z")
#: An energy axis of coarser channels is an X-ray spectrum's, of finer ones a loss spectrum's (eV).
_COARSE_CHANNEL = 2.0
#: No profile's step is as long (m), and no spectrum's as short (eV).
_LONGEST_STEP = 1e-3


@dataclass(frozen=True)
class _Kind:
    """What an element is: its technique, and its axes' names (slowest first) with TIA's SI unit of them."""

    technique: str
    axes: tuple[str, ...]
    unit: str


def series_entry(
    series: Series, told: DocumentObject | None, name: str, file_name: str, warnings: list[str]
) -> Entry:
    """The entry of a ``.ser``; ``told`` is what its document says of it."""
    kind = _kind(told, series.calibrations, len(series.dimensions))
    values, axes, extras = _series_axes(series, file_name, warnings)
    values, inner = _upright(kind, series.calibrations, values)
    started = _started(told)
    if started is None and series.seconds is not None and series.seconds[0] > 0:
        started = datetime.fromtimestamp(int(series.seconds[0]), UTC)
    return _entry(kind, told, name, values, (*axes, *inner), extras, started, _about(series))


def object_entry(shown: DocumentObject, name: str, values: NDArray[Any]) -> Entry:
    """The entry of what a document itself holds of an object."""
    kind = _kind(shown, shown.calibrations, 0)
    values, axes = _upright(kind, shown.calibrations, values)
    return _entry(kind, shown, name, values, tuple(axes), (), _started(shown), {})


def _entry(
    kind: _Kind,
    told: DocumentObject | None,
    name: str,
    values: NDArray[Any],
    axes: tuple[Axis, ...],
    extras: tuple[Signal, ...],
    started: datetime | None,
    about: dict[str, Any],
) -> Entry:
    digital = told is not None and told.unit == "DN" and told.name != "Live Time"
    unit = "counts" if kind.technique == "eds" or digital else None
    metadata = dict(about)
    if told is not None and told.info is not None:
        described = tree(told.info)
        metadata |= described if isinstance(described, dict) else {}
    if told is not None and told.space:
        metadata["Space"] = told.space
    return Entry(
        name=name,
        technique=kind.technique,
        axes=axes,
        signals=(Signal("intensity", values, unit, tuple(a.name for a in axes)), *extras),
        title=told.name if told else "",
        conditions=_conditions(told, kind),
        original_metadata=tidy_metadata(metadata),
        started=started,
    )


def _kind(told: DocumentObject | None, calibrations: tuple[Calibration, ...], dimensions: int) -> _Kind:
    space = told.space.casefold() if told else ""
    maker = text(told.info, "Manufacturer").casefold() if told else ""
    step = max(abs(c.step) for c in calibrations)
    if len(calibrations) == 1:
        words = space + maker
        if any(w in words for w in ("edx", "eds")):
            return _Kind("eds", ("energy",), "eV")
        if any(w in words for w in ("eels", "loss", "filter", "pels", "gif")):
            return _Kind("eels", ("energy_loss",), "eV")
        if space.startswith("real"):
            return (
                _Kind("stem", ("distance",), "m") if step < _LONGEST_STEP else _Kind("stem", ("frame",), "")
            )
        if step < _LONGEST_STEP:
            return _Kind("stem", ("distance",), "m")
        if step >= _COARSE_CHANNEL:
            return _Kind("eds", ("energy",), "eV")
        return _Kind("eels", ("energy_loss",), "eV")
    if space.startswith("reciprocal") or (not space and step > 1):
        return _Kind("stem_4d" if dimensions > 1 else "electron_diffraction", ("k_y", "k_x"), "1/m")
    words = f"{maker} {told.name} {told.labels.get('Mode', ('', ''))[0]}" if told else ""
    stem = "stem" in words.casefold() or dimensions > 1
    return _Kind("stem" if stem else "tem", ("y", "x"), "m")


def _upright(
    kind: _Kind, calibrations: tuple[Calibration, ...], values: NDArray[Any]
) -> tuple[NDArray[Any], list[Axis]]:
    """The elements' axes; images with their first row at the top, as everybody's: TIA's y points up, and it stores
    the lowest row first."""
    sizes = values.shape[-len(calibrations) :]
    if len(calibrations) == 2:
        rows = calibrations[0]
        top = rows.first + rows.step * (sizes[0] - 1)
        values, calibrations = values[..., ::-1, :], (Calibration(top, -rows.step, 0), calibrations[1])
    return values, [_axis(n, c, s, kind.unit) for n, c, s in zip(kind.axes, calibrations, sizes, strict=True)]


def _axis(name: str, calibration: Calibration, size: int, unit: str) -> Axis:
    factor = 1.0
    if unit == "m":
        factor, unit = length_scale([calibration.step])
    elif unit == "1/m":
        factor, unit = 1e-9, "1/nm"
    return even_axis(name, calibration.first * factor, calibration.step * factor, size, unit)


def _series_axes(
    series: Series, file_name: str, warnings: list[str]
) -> tuple[NDArray[Any], list[Axis], tuple[Signal, ...]]:
    """The values with the series' dimensions in front, these axes, and what else was recorded along them."""
    values = series.values
    dimensions = [d for d in reversed(series.dimensions) if d.size != 1]
    taken = len(values)
    if taken < series.total:
        warnings.append(
            f"The acquisition of {file_name} was stopped: {taken} of {series.total} elements were taken; "
            + ("whole rows are kept." if len(dimensions) > 1 else "they are kept.")
        )
    if not dimensions and taken == 1:
        return values[0], [], ()
    if math.prod(d.size for d in dimensions) != series.total or min(d.size for d in dimensions) < 1:
        warnings.append(
            f"The dimensions of {file_name} do not fit its {series.total} elements; they are numbered."
        )
        return values, [Axis("frame", np.arange(taken))], ()
    if taken < series.total:
        inner = math.prod(d.size for d in dimensions[1:])
        if taken >= inner:
            rows = taken // inner
            values, shape = values[: rows * inner], (rows, *(d.size for d in dimensions[1:]))
        else:
            dimensions = dimensions[-1:]
            values, shape = values[: dimensions[0].size], (min(taken, dimensions[0].size),)
    else:
        shape = tuple(d.size for d in dimensions)
    axes = _dimension_axes(dimensions, shape)
    places = series.places[: len(values)] if series.places is not None else None
    if places is not None and [a.name for a in axes] == ["y", "x"]:
        axes = _where_the_beam_was(axes, dimensions, places.reshape(*shape, 2))
    extras: list[Signal] = []
    if len(axes) == 1:
        over = (axes[0].name,)
        if places is not None:
            factor, unit = length_scale(np.abs(np.diff(places, axis=0)).max(axis=0, initial=0.0).tolist())
            extras += [Signal(n, places[:, i] * factor, unit, over) for i, n in ((0, "x"), (1, "y"))]
        if series.seconds is not None and axes[0].name != "time" and np.ptp(series.seconds):
            elapsed = series.seconds[: len(values)].astype(float)
            extras.append(Signal("time", elapsed - elapsed[0], "s", over))
    return values.reshape(*shape, *values.shape[1:]), axes, tuple(extras)


def _dimension_axes(dimensions: list[Dimension], shape: tuple[int, ...]) -> list[Axis]:
    axes, names = [], set[str]()
    for at, (dimension, size) in enumerate(zip(dimensions, shape, strict=True)):
        unit, calibration = dimension.unit.casefold(), dimension.calibration
        if unit in ("meters", "metres", "m"):
            name = (
                "distance"
                if len(dimensions) == 1
                else ("y", "x")[at - len(dimensions)]
                if at >= len(dimensions) - 2
                else "z"
            )
            made = _axis(name, calibration, size, "m")
        elif unit in ("s", "seconds"):
            made = even_axis("time", calibration.first, calibration.step, size, "s")
        else:
            name = make_name(dimension.description, "frame")
            name = "frame" if name == "number" else name
            made = even_axis(name, calibration.first, calibration.step, size, dimension.unit or None)
        if made.name in names:
            made = Axis(f"{made.name}_{at}", made.values, made.unit)
        names.add(made.name)
        axes.append(made)
    return axes


def _where_the_beam_was(
    axes: list[Axis], dimensions: list[Dimension], places: NDArray[np.float64]
) -> list[Axis]:
    """The scan's axes through the places that the tags hold: TIA's calibration is of the pixels' edges."""
    shifted = []
    for axis, dimension, seen in zip(
        axes, dimensions, (places[..., 1].mean(axis=1), places[..., 0].mean(axis=0)), strict=True
    ):
        step = dimension.calibration.step
        edges = dimension.calibration.first + step * np.arange(len(seen))
        shift = float(np.mean(seen - edges))
        if step and abs(shift) <= abs(step) and np.abs(seen - edges - shift).max() < abs(step) / 4:
            axis = _axis(
                axis.name,
                Calibration(dimension.calibration.first + shift, step, 0),
                len(seen),
                "m",
            )
        shifted.append(axis)
    return shifted


def _conditions(told: DocumentObject | None, kind: _Kind) -> dict[str, Quantity]:
    if told is None or told.info is None:
        return {}
    found: dict[str, Quantity] = {}
    for name, (condition, usual, _) in _DESCRIPTION.items():
        value, unit = told.labels.get(name, ("", ""))
        made = quantity(value, None if usual is None else usual if unit in ("", "x") else unit)
        if made is not None:
            found.setdefault(condition, made)
    for condition, made in conditions(_ACQUISITION, lambda path: text(told.info, path)).items():
        found.setdefault(condition, made)
    dwell = quantity(text(told.info, "AcquireInfo/DwellTimePath"), "s")
    if dwell is not None and isinstance(dwell.value, float):
        if "stem" in text(told.info, "Manufacturer").casefold():
            found["dwell_time"] = Quantity(dwell.value * 1e6, "us")
        else:
            found["exposure_time"] = dwell
    if kind.technique != "eds":
        found.pop("process_time", None)
    return found


def _started(told: DocumentObject | None) -> datetime | None:
    found = _DATE.match(text(told.info, "AcquireDate")) if told else None
    if not found or found[1].casefold() not in _MONTHS:
        return None
    day, hour, minute, second, year = (int(found[i]) for i in range(2, 7))
    try:
        return datetime(year, _MONTHS.index(found[1].casefold()) + 1, day, hour, minute, second)
    except ValueError:
        return None


def _about(series: Series) -> dict[str, Any]:
    return {
        "SeriesVersion": f"{series.version:#06x}",
        "TotalNumberElements": series.total,
        "ValidNumberElements": len(series.values),
        "Dimensions": [
            {
                "Size": d.size,
                "CalibrationOffset": d.calibration.offset,
                "CalibrationDelta": d.calibration.step,
                "CalibrationElement": d.calibration.element,
                "Description": d.description,
                "Units": d.unit,
            }
            for d in series.dimensions
        ],
        "Calibration": [
            {
                "CalibrationOffset": c.offset,
                "CalibrationDelta": c.step,
                "CalibrationElement": c.element,
            }
            for c in reversed(series.calibrations)
        ],
    }
