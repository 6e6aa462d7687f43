"""Bruker DIFFRAC ``.brml``: a zip archive with an XML document a range.

``Experiment<n>/DataContainer.xml`` names the ``RawData<m>.xml`` parts. In each, a ``Datum`` is a point: numbers
whose columns ``DataViews`` explains (measured time, absorber's factor, positions of the moving axes, what was
recorded). Counts are already multiplied by the absorber's factor. A strip detector that stands still gives one
``Datum`` of many channels; a large detector's counts may lie in a separate binary part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Measurement, Quantity, Signal, make_name
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import (
    Floats,
    axis_name,
    number,
    numbers,
    quantity,
    scan_axis,
    text_or_none,
    unit,
    when,
)
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._xml import attribute, find, find_all, local, parse_xml, text, tree

_MOST = 512 * 1024**2
_RAW = re.compile(r"(?:Experiment(\d+)/)?RawData(\d+)\.xml\Z")
_GONIOMETER = frozenset("two_theta omega chi phi psi x y z".split())  # noqa: SIM905

#: Elements below FixedInformation, by their name → condition and its unit where none is written.
_FIXED = {
    "Voltage": ("xray_tube_voltage", "kV"),
    "Current": ("xray_tube_current", "mA"),
    "WaveLengthAlpha1": ("wavelength", "angstrom"),
    "WaveLengthAlpha2": ("wavelength_k_alpha_2", "angstrom"),
    "WaveLengthAverage": ("wavelength_k_alpha", "angstrom"),
    "WaveLengthBeta": ("wavelength_k_beta", "angstrom"),
    "WaveLengthRatio": ("k_alpha_ratio", ""),
    "Radius": ("goniometer_radius", "mm"),
    "RotationSpeed": ("sample_rotation_speed", "rpm"),
}


def _parts(src: RawInput) -> list[str]:
    found = [(m, n) for n in src.members if (m := _RAW.match(n))]
    return [n for _, n in sorted(found, key=lambda p: (int(p[0][1] or 0), int(p[0][2])))]


def _sniff(src: RawInput) -> float:
    containers = any(n.endswith("DataContainer.xml") for n in src.members)
    return CERTAIN if containers and _parts(src) else NO


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    scans: list[Scan] = []
    about = _about(src)
    for part in _listed(src, about):
        root = parse_xml(src.member(part, _MOST), part)
        for route in _routes(root, part):
            made = _Route(src, part, root, route, warnings).scan()
            if made is not None:
                scans.append(made)
    info = find(about, "MeasurementInfo")
    device = find(about, "ExperimentInfo/InstrumentDescription")
    return measurement(
        scans,
        warnings,
        sample=attribute(info, "SampleName"),
        title=attribute(info, "SampleName"),
        operator=attribute(info, "UserName"),
        instrument=text(device, "DeviceTypeDesc") or text(device, "InstrumentName"),
        original_metadata={} if about is None else {"DataContainer": tree(about)},
    )


def _about(src: RawInput) -> Element | None:
    name = next((n for n in src.members if n.endswith("DataContainer.xml")), None)
    return None if name is None else parse_xml(src.member(name, _MOST), name)


def _listed(src: RawInput, about: Element | None) -> list[str]:
    """The parts with data. One that the contents name and the archive lacks is an error, not a shorter file."""
    parts = _parts(src)
    for reference in find_all(about, "RawDataReferenceList/string"):
        named = text(reference).replace("\\", "/")
        if named and named not in src.members:
            raise ReadError(
                f"{src.name} names the part {named!r}, which it lacks; it may be cut off. Copy it again."
            )
    if not parts:
        raise ReadError(f"{src.name} holds no RawData*.xml; no measurement is in it.")
    return parts


def _routes(root: Element, part: str) -> list[Element]:
    """What was measured; where that is not said, whatever is there. First versions have the one route at the root."""
    routes = find_all(root, "DataRoutes/DataRoute") or ([root] if find(root, "Datum") is not None else [])
    if not routes:
        raise ReadError(f"{part} has no <DataRoute>, so no data")
    return [r for r in routes if attribute(r, "RouteFlag") == "Measured"] or routes


@dataclass
class _Views:
    """Columns of a ``Datum``, as ``DataViews`` explains them."""

    axes: dict[str, Floats] = field(default_factory=dict)
    time: Floats | None = None
    absorber: Floats | None = None
    counts: NDArray[np.float64] | None = None
    counts_unit: str | None = None
    others: list[Signal] = field(default_factory=list)


class _Route:
    """One ``DataRoute``: the columns of its points and the scan they make."""

    def __init__(self, src: RawInput, part: str, root: Element, route: Element, warnings: list[str]) -> None:
        self.src, self.part, self.root, self.route, self.warnings = src, part, root, route, warnings
        self.info = find(route, "ScanInformation")

    def scan(self) -> Scan | None:
        """The scan; None (and a warning) if nothing in it can be understood as intensity."""
        columns = self._columns()
        if columns is None:
            return None
        views = self._views(columns)
        if views.counts is None:
            self.warnings.append(f"{self.part} records no counts along its points; it is left out.")
            return None
        return self._assemble(len(columns), views)

    def _columns(self) -> Floats | None:
        texts = [(d.text or "").strip().strip(",") for d in find_all(self.route, "Datum")]
        if not texts:
            self.warnings.append(
                f"{self.part} has no points ({text(self.root, 'MeasurementStatus') or 'no status'})."
            )
            return None
        width = texts[0].count(",") + 1
        for i, row in enumerate(texts, 1):
            if row.count(",") + 1 != width:
                raise ReadError(
                    f"{self.part}: point {i} has {row.count(',') + 1} numbers, the first has {width}"
                )
        values = numbers(" ".join(texts).replace(",", " "), self.part, self.warnings)
        if len(values) != len(texts) * width:
            raise ReadError(f"{self.part}: some of the {len(texts)} points have empty fields")
        stated = number(text(self.info, "MeasurementPoints"))
        if stated is not None and stated != len(texts):
            self.warnings.append(f"{self.part} planned {stated:.0f} points; {len(texts)} were measured.")
        return values.reshape(len(texts), width)

    def _views(self, columns: Floats) -> _Views:
        views = _Views()
        for view in find_all(self.route, "DataViews/RawDataView"):
            kind = attribute(view, "type")
            start, length = (int(number(attribute(view, a)) or 0) for a in ("Start", "Length"))
            if kind.startswith("ExtMemory"):
                self._count(views, self._external(view, len(columns), length), view)
                continue
            if start < 0 or length < 1 or start + length > columns.shape[1]:
                varying = find(view, "Varying")
                named = attribute(varying, "VisibleName") or attribute(varying, "LogicName") or kind
                told = f"The data view {named!r} is outside the columns of the points; it is left out."
                if told not in self.warnings:
                    self.warnings.append(told)
                continue
            block = columns[:, start : start + length]
            logic = attribute(view, "LogicName")
            if logic == "MeasuredTime":
                views.time = block[:, 0]
            elif logic == "AbsorptionFactor":
                views.absorber = block[:, 0]
            elif find(view, "Varying") is not None:
                for i, definition in enumerate(find_all(view, "Varying/FieldDefinitions")[:length]):
                    name = attribute(definition, "AxisId") or attribute(definition, "FieldName")
                    views.axes.setdefault(axis_name(name), block[:, i])
            elif find(view, "Recording") is not None:
                self._count(views, block, view)
        return views

    def _external(self, view: Element, points: int, length: int) -> NDArray[np.float64] | None:
        """Counts in a binary part: float64, points × channels, as its size must confirm."""
        link = attribute(find(self.route, "ScanDataExternalLink"), "Name")
        name = next((n for n in self.src.members if link and n.rpartition("/")[2] == link), None)
        if name is None:
            self.warnings.append(
                f"{self.part}: its detector data lie outside the archive ({link or 'unnamed'})."
            )
            return None
        data = self.src.member(name)
        if length < 1 or len(data) != points * length * 8:
            self.warnings.append(
                f"{name} is not {points} × {length} numbers; its layout is unknown, it is left out."
            )
            return None
        return np.frombuffer(data, "<f8").reshape(points, length)

    def _count(self, views: _Views, block: NDArray[np.float64] | None, view: Element) -> None:
        recording = find(view, "Recording")
        if block is None or recording is None:
            return
        logic = attribute(recording, "LogicName")
        base = attribute(find(recording, "Unit"), "Base")
        counted = (
            attribute(recording, "Category") == "Count" or base == "Counts" or "counter" in logic.casefold()
        )
        rows = number(text(recording, "Size/Y")) or 1
        blank = number(text(recording, "BlankingValue"))
        if blank is not None and blank < 0 and np.any(block == blank):
            self.warnings.append(
                f"{self.part}: {np.sum(block == blank)} values of {logic} were not recorded (NaN)."
            )
            block = np.where(block == blank, np.nan, block)
        if counted and rows > 1:
            self.warnings.append(
                f"{self.part}: two-dimensional detector frames of {logic} stay in the raw file."
            )
        elif counted and views.counts is None:
            views.counts, views.counts_unit = block, unit(base)
        elif block.shape[1] == 1:
            name = make_name(logic or attribute(recording, "VisibleName"), "recorded")
            if name not in {s.name for s in views.others}:
                views.others.append(
                    Signal(name, block[:, 0], unit(base), (), attribute(recording, "VisibleName"))
                )

    def _assemble(self, points: int, views: _Views) -> Scan:
        assert views.counts is not None
        axis, moving, fixed, units = self._axes(points, views.axes)
        values = moving.pop(axis, np.arange(points, dtype=np.float64))
        intensity: NDArray[np.float64] = views.counts
        channels: Axis | None = None
        if intensity.shape[1] == 1:
            intensity = intensity[:, 0]
        else:
            channels = self._channels(points, intensity.shape[1])
            if points == 1 and channels.name != "channel":
                fixed |= {k: float(v[0]) for k, v in moving.items()}
                if axis != "two_theta":
                    fixed[axis] = float(values[0])
                arm = values[0] if axis == "two_theta" else fixed.pop("two_theta", 0.0)
                if channels.name == "two_theta":
                    arm = 0.0
                axis, values, moving = "two_theta", arm + channels.values, {}
                intensity, channels = intensity[0], None
                views = _Views(time=views.time, counts_unit=views.counts_unit)
        conditions = self._conditions()
        extra = [s for s in views.others if s.name not in {axis, *moving}]
        if views.time is not None and np.all(views.time == views.time[0]):
            conditions["time_per_step"] = quantity(views.time[0], "s")
        elif views.time is not None:
            extra.append(Signal("time_per_step", views.time, "s"))
        if views.absorber is not None and np.any(views.absorber != 1):
            extra.append(Signal("attenuation", views.absorber, ""))
        return Scan(
            axis=axis,
            values=values,
            intensity=intensity,
            intensity_unit=views.counts_unit,
            moving=moving,
            fixed={k: v for k, v in fixed.items() if k != axis and k not in moving},
            units=units,
            extra=extra,
            channels=channels,
            conditions=conditions,
            metadata=tree(self.root, skip={"Datum"}),
            title=attribute(self.info, "VisibleName") or attribute(self.info, "ScanName"),
            started=when(text(self.root, "TimeStampStarted")),
        )

    def _axes(
        self, points: int, columns: dict[str, Floats]
    ) -> tuple[str, dict[str, Floats], dict[str, float], dict[str, str | None]]:
        """The axis run along, moving axes (with it), axes that stand still, units."""
        moving, fixed = dict(columns), {}
        units: dict[str, str | None] = {}
        stated = find_all(self.info, "ScanAxes/ScanAxisInfo")
        stated.sort(key=lambda a: attribute(a, "UIVisibility") != "Primary")  # stable: else the first
        names = []
        for element in stated:
            name = axis_name(attribute(element, "AxisId") or attribute(element, "AxisName"))
            names.append(name)
            units[name] = unit(attribute(element, "Unit"))
            start, step = number(text(element, "Start")), number(text(element, "Increment"))
            if name not in moving and start is not None and step:
                reference = number(text(element, "Reference")) or 0.0
                moving[name] = np.linspace(start, start + step * (points - 1), points) + reference
        for drive in find_all(self.root, "FixedInformation/Drives/InfoData"):
            name = axis_name(attribute(drive, "LogicName") or attribute(drive, "AxisId"))
            position = find(drive, "Position")
            value = number(attribute(position, "Value"))
            if name in _GONIOMETER and value is not None:
                fixed[name] = value
                units.setdefault(name, unit(attribute(position, "Unit")))
        axis = next((n for n in (*names, *moving) if n in moving), "point")
        return axis, moving, fixed, units

    def _channels(self, points: int, length: int) -> Axis:
        """The detector's channels: their angle, or that from the detector's arm, where the file says it."""
        for scale in find_all(self.info, "ScaleAxes/ScaleAxisInfo"):
            start, step = number(text(scale, "Start")), number(text(scale, "Increment"))
            if attribute(scale, "AxisId") == "TwoTheta_Relative" and start is not None and step:
                return Axis("two_theta_relative", start + step * np.arange(length), "deg")
        for stated in find_all(self.info, "ScanAxes/ScanAxisInfo") if points == 1 else ():
            # "PSD fixed": the scan axis is what the channels span, in the drives' own angles; the point itself
            # has the position after alignment.
            start, stop, step = (number(text(stated, k)) for k in ("Start", "Stop", "Increment"))
            if axis_name(attribute(stated, "AxisId")) == "two_theta" and None not in (start, stop) and step:
                spans = abs((stop or 0.0) - (start or 0.0)) / abs(step)
                if abs(spans - length) < 1.5:
                    first = (start or 0.0) + (number(text(stated, "Reference")) or 0.0)
                    return Axis("two_theta", first + step * np.arange(length), "deg")
        return Axis("channel", np.arange(length))

    def _conditions(self) -> dict[str, Quantity | None]:
        fixed = find(self.root, "FixedInformation")
        found: dict[str, Quantity | None] = {}
        for element in _below(fixed):
            if (known := _FIXED.get(local(element.tag))) and known[0] not in found:
                found[known[0]] = quantity(
                    attribute(element, "Value"), attribute(element, "Unit") or known[1]
                )
            elif local(element.tag) == "TubeMaterial":
                found.setdefault("xray_source_element", text_or_none(text(element)))
        begun, ended = when(text(self.root, "TimeStampStarted")), when(text(self.root, "TimeStampFinished"))
        if begun and ended and (begun.tzinfo is None) == (ended.tzinfo is None) and ended >= begun:
            found["duration"] = Quantity((ended - begun).total_seconds(), "s")
        coupled = scan_axis(attribute(self.info, "ScanName"))
        return found | {
            "scan_axis": coupled if coupled is not None and "/" in str(coupled.value) else None,
            "scan_mode": text_or_none(text(self.info, "ScanModeVisibleName") or text(self.info, "ScanMode")),
            "dwell_time": quantity(text(self.info, "TimePerStep"), "s"),
            "measurement_status": text_or_none(text(self.root, "MeasurementStatus")),
            "detector": text_or_none(attribute(find(fixed, "Detectors/InfoData"), "VisibleName")),
        }


def _below(element: Element | None) -> Iterator[Element]:
    return iter(()) if element is None else element.iter()


READER = Reader(
    name="bruker_brml",
    version="2",
    techniques=("xrd",),
    vendor="Bruker",
    format="BRML",
    endings=(".brml",),
    sniff=_sniff,
    read=_read,
    notes=(
        "Measured data of all ranges, point and strip detectors; ranges that step a further axis become one map. "
        "Two-dimensional detector frames and the measurement's instructions stay in the raw file."
    ),
)
