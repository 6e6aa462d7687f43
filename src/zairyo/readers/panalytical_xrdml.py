"""Malvern PANalytical ``.xrdml``, schema versions 1.0 to 2.x.

An XML document: ``xrdMeasurements`` → ``xrdMeasurement`` → ``scan`` → ``dataPoints``. Positions of an axis are
a common position, a start and an end (equidistant points), or a list. Up to 1.x ``intensities`` are already
multiplied by the beam attenuation factors; ``counts`` of 2.x are as the detector gave them and are multiplied
here. Namespaces carry the schema's version and are not looked at.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import (
    Floats,
    axis_name,
    number,
    numbers,
    quantity,
    scan_axis,
    slit_angle,
    text_or_none,
    unit,
    when,
)
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._xml import attribute, find, find_all, is_markup, parse_xml, text, tree

_MOST = 512 * 1024**2
_ARRAYS = frozenset(
    {
        "counts",
        "intensities",
        "listPositions",
        "beamAttenuationFactors",
        "divergenceCorrections",
        "countingTimes",
    }
)


def _sniff(src: RawInput) -> float:
    return CERTAIN if is_markup(src) and b"<xrdMeasurements" in src.text_head else NO


def _read(src: RawInput) -> Measurement:
    root = parse_xml(src.read_bytes(_MOST), src.name)
    if not root.tag.endswith("xrdMeasurements"):
        raise ReadError(f"{src.name} is XML, but not of PANalytical: its first element is {root.tag[:80]!r}")
    warnings: list[str] = []
    scans: list[Scan] = []
    for parent in find_all(root, "xrdMeasurement"):
        for element in find_all(parent, "scan"):
            what = f"scan {len(scans) + 1}"
            points = find(element, "dataPoints")
            if points is None or (_was_stopped(element) and not _has_counts(points)):
                warnings.append(f"{what} has no data points ({attribute(element, 'status') or 'no status'}).")
                continue
            scans.append(_scan(parent, element, points, what, warnings))
    header = find(root, "xrdMeasurement/scan/header")
    comments = [text(e) for e in find_all(root, "comment/entry")]
    system = next((c.partition("=")[2] for c in comments if c.startswith("Diffractometer system=")), "")
    return measurement(
        scans,
        warnings,
        sample=text(root, "sample/name") or text(root, "sample/id"),
        operator=text(header, "author/name"),
        instrument=system or text(header, "source/instrumentControlSoftware"),
        title=text(root, "sample/name") or text(root, "sample/id"),
        original_metadata=tree(root, skip={"scan"}),
    )


def _was_stopped(element: Element) -> bool:
    return attribute(element, "status") not in ("", "Completed")


def _has_counts(points: Element) -> bool:
    return any((e.text or "").strip() for name in ("intensities", "counts") for e in find_all(points, name))


def _scan(parent: Element, element: Element, points: Element, what: str, warnings: list[str]) -> Scan:
    intensity, intensity_unit, extra = _intensity(points, what, warnings)
    n = len(intensity)
    moving, fixed, units = _positions(points, n, what, warnings)
    named = axis_name(attribute(element, "scanAxis") or "point")
    axis = named if named in moving else next(iter(moving), "point")
    values = moving.pop(axis, np.arange(n, dtype=np.float64))
    if axis != named and axis != "point":
        warnings.append(
            f"{what} says it runs along {attribute(element, 'scanAxis')!r}, which has no positions; "
            f"{axis} is taken, which moves."
        )
    if _was_stopped(element):
        status = attribute(element, "status")
        warnings.append(f"{what} was not completed (status {status!r}); {n} points are there.")
    header = find(element, "header")
    return Scan(
        axis=axis,
        values=values,
        intensity=intensity,
        intensity_unit=intensity_unit,
        moving=moving,
        fixed=fixed,
        units=units,
        extra=extra,
        conditions=_instrument(parent) | _run(element, points, warnings, what),
        metadata=tree(element, skip=_ARRAYS),
        title=" ".join(filter(None, (attribute(element, "scanAxis"), attribute(parent, "measurementType")))),
        started=when(text(header, "startTimeStamp")),
    )


def _intensity(points: Element, what: str, warnings: list[str]) -> tuple[Floats, str | None, list[Signal]]:
    """Counts corrected for the attenuator, their unit, and the factors and times where points differ in them."""
    corrected = find(points, "intensities")
    element = corrected if corrected is not None else find(points, "counts")
    if element is None:
        raise ReadError(f"{what} has neither <intensities> nor <counts>")
    values = numbers(element.text or "", f"{what}, <{element.tag.rpartition('}')[2]}>", warnings)
    n = len(values)
    if n == 0:
        raise ReadError(f"{what} has an empty list of counts")
    extra: list[Signal] = []

    def factors(common: str, each: str, name: str, unit_name: str) -> Floats | float:
        listed = find(points, each)
        if listed is None:
            return number(text(points, common)) or 1.0
        found = numbers(listed.text or "", f"{what}, <{each}>", warnings)
        if len(found) != n:
            raise ReadError(f"{what} has {n} counts and {len(found)} values in <{each}>")
        extra.append(Signal(name, found, unit_name))
        return found

    attenuation = factors("commonBeamAttenuationFactor", "beamAttenuationFactors", "attenuation", "")
    divergence = factors("commonDivergenceCorrection", "divergenceCorrections", "divergence_correction", "")
    factors("commonCountingTime", "countingTimes", "time_per_step", "s")
    if corrected is None:
        values = values * attenuation
        if np.any(divergence != 1.0):
            warnings.append(
                f"{what}: the divergence corrections the file states are not applied to the counts."
            )
    return values, unit(attribute(element, "unit")) or "counts", extra


def _positions(
    points: Element, n: int, what: str, warnings: list[str]
) -> tuple[dict[str, Floats], dict[str, float], dict[str, str | None]]:
    moving: dict[str, Floats] = {}
    fixed: dict[str, float] = {}
    units: dict[str, str | None] = {}
    for element in find_all(points, "positions"):
        name = axis_name(attribute(element, "axis"))
        units[name] = unit(attribute(element, "unit"))
        listed = find(element, "listPositions")
        start, end = number(text(element, "startPosition")), number(text(element, "endPosition"))
        common = number(text(element, "commonPosition"))
        if listed is not None:
            found = numbers(listed.text or "", f"{what}, positions of {attribute(element, 'axis')}", warnings)
            if len(found) != n:
                raise ReadError(
                    f"{what} has {n} counts and {len(found)} positions of {attribute(element, 'axis')}"
                )
            moving[name] = found
        elif common is not None:
            fixed[name] = common
        elif start is not None and end is not None:
            if start == end:
                fixed[name] = start
            else:
                moving[name] = np.linspace(start, end, n)
        else:
            warnings.append(f"{what}: the positions of {attribute(element, 'axis')!r} cannot be understood.")
    return moving, fixed, units


def _value(parent: Element | None, path: str) -> Quantity | None:
    element = find(parent, path)
    return None if element is None else quantity(text(element), attribute(element, "unit") or None)


def _name(parent: Element | None, path: str) -> Quantity | None:
    return text_or_none(attribute(find(parent, path), "name"))


def _instrument(parent: Element) -> dict[str, Quantity | None]:
    """Conditions from the beam paths, which all scans of an ``xrdMeasurement`` share."""
    wave, tube = find(parent, "usedWavelength"), find(parent, "incidentBeamPath/xRayTube")
    incident, diffracted = find(parent, "incidentBeamPath"), find(parent, "diffractedBeamPath")
    slit = find(incident, "divergenceSlit")
    ratio = number(text(wave, "ratioKAlpha2KAlpha1"))
    return {
        "xray_tube_voltage": _value(tube, "tension"),
        "xray_tube_current": _value(tube, "current"),
        "xray_source_element": text_or_none(text(tube, "anodeMaterial")),
        "xray_tube": text_or_none(attribute(tube, "name")),
        "xray_focus": text_or_none(attribute(find(tube, "focus"), "type")),
        "wavelength": _value(wave, "kAlpha1"),
        "wavelength_k_alpha_2": _value(wave, "kAlpha2"),
        "wavelength_k_beta": _value(wave, "kBeta"),
        "k_alpha_ratio": None if ratio is None else Quantity(ratio, ""),
        "goniometer_radius": _value(incident, "radius"),
        "incident_optics": _name(incident, "xRayMirror") or _name(incident, "xRayLens"),
        "monochromator": _name(incident, "monochromator") or _name(diffracted, "monochromator"),
        "filter": _name(incident, "filter") or _name(diffracted, "filter"),
        "divergence_slit": _value(slit, "angle") or slit_angle(attribute(slit, "name")),
        "incident_soller_slit": _value(incident, "sollerSlit/opening"),
        "receiving_soller_slit": _value(diffracted, "sollerSlit/opening"),
        "receiving_slit": _value(diffracted, "receivingSlit/height"),
        "detector": _name(diffracted, "detector"),
        "detector_mode": text_or_none(text(diffracted, "detector/mode")),
        "sample_mode": text_or_none(attribute(parent, "sampleMode")),
        "measurement_type": text_or_none(attribute(parent, "measurementType")),
    }


def _run(element: Element, points: Element, warnings: list[str], what: str) -> dict[str, Quantity | None]:
    """Conditions of one scan."""
    header = find(element, "header")
    begun, ended = when(text(header, "startTimeStamp")), when(text(header, "endTimeStamp"))
    both = begun is not None and ended is not None and (begun.tzinfo is None) == (ended.tzinfo is None)
    lasted = (ended - begun).total_seconds() if both and begun and ended else None
    software = find(header, "source/applicationSoftware")
    hkl = [text(element, f"reflection/hkl/{i}") for i in "hkl"]
    time = find(points, "commonCountingTime")
    return {
        "scan_axis": scan_axis(attribute(element, "scanAxis")),
        "scan_mode": text_or_none(attribute(element, "mode")),
        "measurement_status": text_or_none(attribute(element, "status")),
        "time_per_step": None if time is None else quantity(text(time), attribute(time, "unit") or "s"),
        "duration": Quantity(lasted, "s") if lasted is not None and lasted >= 0 else None,
        "temperature": _temperature(element, warnings, what),
        "software": text_or_none(text(software)),
        "software_version": text_or_none(attribute(software, "version")),
        "instrument_serial": text_or_none(text(header, "source/instrumentID")),
        "reflection": text_or_none(" ".join(hkl)),
        "material": text_or_none(text(element, "reflection/material")),
    }


def _temperature(element: Element, warnings: list[str], what: str) -> Quantity | None:
    """Mean of the non-ambient temperatures logged during the scan (kelvin unless the file says otherwise)."""
    for points in find_all(element, "nonAmbientPoints"):
        if (
            attribute(points, "type") == "Temperature"
            and (listed := find(points, "nonAmbientValues")) is not None
        ):
            found = numbers(listed.text or "", f"{what}, <nonAmbientValues>", warnings)
            found = found[np.isfinite(found)]
            if len(found):
                stated = attribute(listed, "unit") or attribute(points, "unit")
                spread = float(found.std()) if len(found) > 1 else None
                return Quantity(float(found.mean()), unit(stated) or "K", spread)
    return None


READER = Reader(
    name="panalytical_xrdml",
    version="3",
    techniques=("xrd",),
    vendor="Malvern PANalytical",
    format="XRDML",
    endings=(".xrdml",),
    sniff=_sniff,
    read=_read,
    notes=(
        "All schema versions; scans that step a further axis become one map. Counts are multiplied by the beam "
        "attenuation factors, divergence corrections are kept beside them."
    ),
)
