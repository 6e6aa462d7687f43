"""Velox' metadata (JSON, every value a text) → conditions, calibrations, titles."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import numpy as np

from zairyo.measurement import Axis, Quantity
from zairyo.readers._hdf5_file import dataset, group_at, members, text_of
from zairyo.readers._microscope_values import conditions, even_axis, length_scale, number

_DEGREES = 180 / math.pi
_MILLI = 1e3
_CONDITIONS = {
    "Optics/AccelerationVoltage": ("accelerating_voltage", "kV", 1e-3),
    "Optics/NominalMagnification": ("magnification", "", 1.0),
    "Optics/StemMagnification": ("magnification", "", 1.0),
    "Optics/CameraLength": ("camera_length", "mm", _MILLI),
    "Optics/Defocus": ("defocus", "nm", 1e9),
    "Optics/SpotIndex": ("spot_size", "", 1.0),
    "Optics/BeamConvergence": ("convergence_angle", "mrad", _MILLI),
    "Optics/LastMeasuredScreenCurrent": ("beam_current", "nA", 1e9),
    "Optics/IlluminationMode": ("illumination_mode", None, 1.0),
    "Acquisition/SourceType": ("electron_source", None, 1.0),
    "Stage/Position/x": ("stage_x", "um", 1e6),
    "Stage/Position/y": ("stage_y", "um", 1e6),
    "Stage/Position/z": ("stage_z", "um", 1e6),
    "Stage/AlphaTilt": ("tilt_alpha", "deg", _DEGREES),
    "Stage/BetaTilt": ("tilt_beta", "deg", _DEGREES),
    "BinaryResult/Detector": ("detector", None, 1.0),
    "Instrument/ControlSoftwareVersion": ("software_version", None, 1.0),
    "Instrument/InstrumentId": ("instrument_serial", None, 1.0),
}
_SCANNED = {
    "Scan/DwellTime": ("dwell_time", "us", 1e6),
    "Scan/FrameTime": ("frame_time", "s", 1.0),
    "Scan/ScanRotation": ("scan_rotation", "deg", _DEGREES),
}
_CAMERA = {"ExposureTime": ("exposure_time", "s", 1.0)}
_XRAY = {
    "ElevationAngle": ("elevation_angle", "deg", _DEGREES),
    "AzimuthAngle": ("azimuth_angle", "deg", _DEGREES),
    "CollectionAngle": ("solid_angle", "steradian", 1.0),
    "PulseProcessTime": ("process_time", "us", 1e6),
    "RealTime": ("real_time", "s", 1.0),
    "LiveTime": ("live_time", "s", 1.0),
    "InputCountRate": ("input_count_rate", "count/s", 1.0),
    "OutputCountRate": ("output_count_rate", "count/s", 1.0),
}
_MODES = {"1": "TEM", "2": "STEM"}
_TITLES = ("Displays/ImageDisplay", "Presentation/Displays/ImageDisplay")
_MOST_JSON = 16 * 1024**2


def metadata_of(group: Any, warnings: list[str]) -> dict[str, Any]:
    """The metadata of an array's first frame; empty with a warning if they cannot be read."""
    found = dataset(group, "Metadata")
    if found is None or found.ndim not in (1, 2) or found.dtype != np.uint8 or 0 in found.shape:
        return {}
    raw = found[:_MOST_JSON] if found.ndim == 1 else found[:_MOST_JSON, 0]
    return parse(raw.tobytes().partition(b"\0")[0], f"The metadata of {group.name}", warnings)


def parse(text: bytes | str, what: str, warnings: list[str]) -> dict[str, Any]:
    """A JSON object; empty with a warning if it is none."""
    if not text.strip():
        return {}
    try:
        made = json.loads(text)
    except (ValueError, RecursionError) as e:
        warnings.append(f"{what} are not readable JSON ({e}); they were left out.")
        return {}
    return made if isinstance(made, dict) else {}


def value(metadata: Any, path: str) -> Any:
    """What is at a path with '/'; None if nothing is."""
    for name in path.split("/"):
        metadata = metadata.get(name) if isinstance(metadata, Mapping) else None
    return metadata


def detector_of(metadata: dict[str, Any]) -> dict[str, Any]:
    """What is said of the detector that took the data; by its index, else its name."""
    detectors = metadata.get("Detectors")
    if not isinstance(detectors, dict):
        return {}
    found = detectors.get(f"Detector-{value(metadata, 'BinaryResult/DetectorIndex')}")
    name = str(value(metadata, "BinaryResult/Detector") or "")
    named = [d for d in (found, *detectors.values()) if isinstance(d, dict) and d.get("DetectorName")]
    for fits in (str.__eq__, str.startswith):  # "UltraX" is all of UltraX1 …
        for detector in named if name else ():
            if fits(str(detector["DetectorName"]), name):
                return detector
    return {}


def conditions_of(metadata: dict[str, Any]) -> dict[str, Quantity]:
    """The microscope's and the detector's settings."""
    found = conditions(_CONDITIONS, lambda path: value(metadata, path))
    if found.get("beam_current", Quantity(1.0)).value == 0.0:
        del found["beam_current"]  # the screen was not in
    mode = str(value(metadata, "Optics/OperatingMode") or "")
    if mode in _MODES:
        found["operating_mode"] = Quantity(_MODES[mode])
    detector = detector_of(metadata)
    kind = str(detector.get("DetectorType", ""))
    if kind:
        found["detector_type"] = Quantity(kind)
    if kind == "ImagingDetector":
        found |= conditions(_CAMERA, detector.get)
        width, height = (number(value(detector, f"Binning/{n}")) for n in ("width", "height"))
        if width and height:
            found["binning"] = Quantity(f"{width:g}x{height:g}")
    elif (number(value(metadata, "Scan/ScanSize/width")) or 0) > 0:
        found |= conditions(_SCANNED, lambda path: value(metadata, path))
    if kind == "AnalyticalDetector":
        found |= conditions(_XRAY, detector.get)
    return found


def started(metadata: dict[str, Any]) -> datetime | None:
    for path in ("Acquisition/AcquisitionStartDatetime/DateTime", "Acquisition/AcquisitionDatetime/DateTime"):
        seconds = number(value(metadata, path))
        if seconds and 0 < seconds < 2**33:
            return datetime.fromtimestamp(seconds, UTC)
    return None


def plane(metadata: dict[str, Any], height: int, width: int) -> tuple[Axis, Axis]:
    """The axes y and x of an image or map, or k_y and k_x of one in reciprocal space; pixels without calibration."""
    result = metadata.get("BinaryResult")
    steps = [number(value(result, f"PixelSize/{n}")) for n in ("height", "width")]
    firsts = [number(value(result, f"Offset/{n}")) or 0.0 for n in ("y", "x")]
    units = [str(value(result, f"PixelUnit{n}") or "") for n in ("Y", "X")]
    if not all(steps):
        firsts, steps = _from_the_scan(metadata, height, width)
        units = ["m", "m"]
    first, step = np.asarray(firsts, float), np.asarray([s or 0.0 for s in steps], float)
    names, unit, factor = ("y", "x"), units[1] or None, 1.0
    if units[1] == "m":
        factor, unit = length_scale(step.tolist())
    elif units[1] == "1/m":
        names, factor, unit = ("k_y", "k_x"), 1e-9, "1/nm"
    elif units[1] == "rad":
        names, factor, unit = ("angle_y", "angle_x"), 1e3, "mrad"
    y, x = (
        even_axis(n, float(f) * factor, float(s) * factor, size, unit)
        for n, f, s, size in zip(names, first, step, (height, width), strict=True)
    )
    return y, x


def _from_the_scan(
    metadata: dict[str, Any], height: int, width: int
) -> tuple[list[float], list[float | None]]:
    """Where the scanned area lies in the full field of view, m; nothing if its size is not the data's."""
    if scanned(metadata) != (height, width):
        return [0.0, 0.0], [None, None]
    firsts: list[float] = []
    steps: list[float | None] = []
    for size, field, edge in (("height", "y", "top"), ("width", "x", "left")):
        full = number(value(metadata, f"Optics/FullScanFieldOfView/{field}"))
        points = number(value(metadata, f"Scan/ScanSize/{size}"))
        begin = number(value(metadata, f"Scan/ScanArea/{edge}"))
        if not full or not points or begin is None:
            return [0.0, 0.0], [None, None]
        firsts.append((begin - 0.5) * full)
        steps.append(full / points)
    return firsts, steps


def scanned(metadata: dict[str, Any]) -> tuple[int, int] | None:
    """Rows and columns of the scanned area; None if it is not said."""
    sizes = []
    for size, begin, end in (("height", "top", "bottom"), ("width", "left", "right")):
        points = number(value(metadata, f"Scan/ScanSize/{size}"))
        edges = [number(value(metadata, f"Scan/ScanArea/{e}")) for e in (begin, end)]
        if not points or edges[0] is None or edges[1] is None or not 0 < points < 1e6:
            return None
        sizes.append(round(points * abs(edges[1] - edges[0])) if abs(edges[1] - edges[0]) <= 1 else 0)
    return (sizes[0], sizes[1]) if min(sizes) > 0 else None


def titles(file: Any, warnings: list[str]) -> dict[str, str]:
    """Path of an image in the file → what Velox' window of it is called."""
    found: dict[str, str] = {}
    for path in _TITLES:
        group = group_at(file, path)
        for name in members(group) if group is not None else ():
            display = parse(text_of(group, name), f"The display {name}", warnings)
            label = str(value(display, "display/label") or display.get("id") or "")
            if len(label) < 2:  # "a", "b": the window's letter
                label = str(display.get("title") or "")
            target = display.get("dataPath") or _referred(file, display.get("data"), warnings)
            if isinstance(target, str) and label:
                found[target] = unquote(label)
    return found


def _referred(file: Any, path: Any, warnings: list[str]) -> Any:
    if not isinstance(path, str):
        return None
    parent, _, name = path.strip("/").rpartition("/")
    group = group_at(file, parent) if parent else None
    return (
        parse(text_of(group, name), f"The reference {path}", warnings).get("dataPath")
        if group is not None
        else None
    )
