"""What FEI/Thermo Fisher and Zeiss write into the tags of a TIFF; the words it is told in.

Each vendor has a parser from its text to a tree (section → key → text), and tables from the tree to conditions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from zairyo.measurement import Quantity, clean_text
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._microscope_values import Table, conditions, number, quantity, split_number
from zairyo.readers._trees import at, text_at

_DEGREES = 180 / math.pi
Tree = Mapping[str, Any]


@dataclass
class Told:
    """What is told of an image; ``pixel`` is the size of a pixel (height, width) in ``unit`` (m or 1/m)."""

    vendor: str
    metadata: dict[str, Any]
    technique: str = "sem"
    conditions: dict[str, Quantity] = field(default_factory=dict)
    pixel: tuple[float, float] | None = None
    unit: str = "m"
    instrument: str = ""
    operator: str = ""
    sample: str = ""
    title: str = ""
    started: datetime | None = None


def ini(text: str) -> dict[str, Any]:
    """Sections in brackets and ``key=value`` lines; keys before any section are at the root."""
    root: dict[str, Any] = {}
    section = root
    for line in text.splitlines():
        line = clean_text(line).strip("\0 \t")
        if line.startswith("[") and line.endswith("]"):
            section = root.setdefault(line[1:-1], {})
            if not isinstance(section, dict):
                section = root[f"{line[1:-1]} section"] = {}
        elif "=" in line:
            key, _, value = line.partition("=")
            section[key.strip()] = value.strip()
    return root


def moment(text: str, *layouts: str) -> datetime | None:
    return in_forms(text, layouts)


def pair(height: Any, width: Any, factor: float = 1.0) -> tuple[float, float] | None:
    """A pixel's height and width if both are there, times ``factor``."""
    y, x = number(height), number(width)
    return (y * factor, x * factor) if y and x and y > 0 and x > 0 else None


# --- FEI, Thermo Fisher: sections of keys, in SI units, angles in rad ----------------------------------------

_FEI: Table = {
    "{beam}/HV": ("accelerating_voltage", "kV", 1e-3),
    "Beam/HV": ("accelerating_voltage", "kV", 1e-3),
    "Beam/Spot": ("spot_size", "", 1.0),
    "{beam}/WD": ("working_distance", "mm", 1e3),
    "Stage/WorkingDistance": ("working_distance", "mm", 1e3),
    "{beam}/BeamCurrent": ("beam_current", "nA", 1e9),
    "{beam}/EmissionCurrent": ("emission_current", "uA", 1e6),
    "{beam}/HFW": ("field_of_view", "um", 1e6),
    "{beam}/LensMode": ("operating_mode", None, 1.0),
    "Scan/Dwelltime": ("dwell_time", "us", 1e6),
    "Scan/FrameTime": ("frame_time", "s", 1.0),
    "Beam/ScanRotation": ("scan_rotation", "deg", _DEGREES),
    "Image/Integrate": ("frames", "", 1.0),
    "Stage/StageX": ("stage_x", "mm", 1e3),
    "Stage/StageY": ("stage_y", "mm", 1e3),
    "Stage/StageZ": ("stage_z", "mm", 1e3),
    "Stage/StageR": ("stage_rotation", "deg", _DEGREES),
    "Stage/StageT": ("tilt_alpha", "deg", _DEGREES),
    "Stage/StageTb": ("tilt_beta", "deg", _DEGREES),
    "Vacuum/ChPressure": ("chamber_pressure", "Pa", 1.0),
    "Specimen/Temperature": ("temperature", "K", 1.0),
    "Detectors/Name": ("detector", None, 1.0),
    "Detectors/Mode": ("detector_type", None, 1.0),
    "{detector}/Brightness": ("brightness", "percent", 1.0),
    "{detector}/Contrast": ("contrast", "percent", 1.0),
    "System/Source": ("electron_source", None, 1.0),
    "System/Software": ("software_version", None, 1.0),
    "System/Dnumber": ("instrument_serial", None, 1.0),
    "User/UserText": ("comment", None, 1.0),
}


def fei(text: str) -> Told:
    tree = ini(text)
    beam, detector = text_at(tree, "Beam/Beam") or "EBeam", text_at(tree, "Detectors/Name")
    found = conditions(_FEI, lambda path: at(tree, path.format(beam=beam, detector=detector)))
    technique = "sem"
    if beam == "IBeam":
        technique = "fib"
        if "accelerating_voltage" in found:
            found["ion_beam_voltage"] = found.pop("accelerating_voltage")
    elif detector == "Nav-Cam" or beam == "IRBeam":
        technique = "optical_microscopy"
        found = {
            n: q
            for n, q in found.items()
            if n in ("detector", "magnification", "comment", "software_version")
        }
    field_width = number(at(tree, f"{beam}/HFW"))
    canvas = number(at(tree, "Image/MagCanvasRealWidth"))
    if field_width and canvas and technique != "optical_microscopy":
        found["magnification"] = Quantity(canvas / field_width, "")
    pixel = pair(at(tree, "Scan/PixelHeight"), at(tree, "Scan/PixelWidth"))
    pixel = pixel or pair(at(tree, f"{beam}/PixelHeight"), at(tree, f"{beam}/PixelWidth"))
    if pixel is None:
        sizes = [
            number(at(tree, p))
            for p in (f"{beam}/VFW", "Image/ResolutionY", f"{beam}/HFW", "Image/ResolutionX")
        ]
        if all(sizes):
            height, rows, width, columns = (s or 1.0 for s in sizes)
            pixel = (height / rows, width / columns)
    date = f"{text_at(tree, 'User/Date')} {text_at(tree, 'User/Time')}"
    return Told(
        "FEI (Thermo Fisher)",
        tree,
        technique,
        found,
        pixel,
        instrument=text_at(tree, "System/SystemType"),
        operator=text_at(tree, "User/User"),
        # Which of User/Date's numbers is the month depends on the computer; the other one is always written alike.
        started=moment(text_at(tree, "PrivateFei/TimeOfCreation"), "%d.%m.%Y %H:%M:%S")
        or moment(date, "%m/%d/%Y %I:%M:%S %p"),
    )


#: XML ``FeiImage``, of Phenoms and later Thermo Fisher microscopes; values may have an attribute ``unit``.
FEI_IMAGE: Table = {
    "acquisition/scan/highVoltage": ("accelerating_voltage", "kV", -1.0),
    "acquisition/scan/emissionCurrent": ("emission_current", "uA", 1.0),
    "acquisition/scan/spotSize": ("spot_size", "", 1.0),
    "acquisition/scan/dwellTime": ("dwell_time", "us", 1e-3),
    "acquisition/scan/rotation": ("scan_rotation", "deg", 1.0),
    "acquisition/scan/detector": ("detector", None, 1.0),
    "workingDistance": ("working_distance", "mm", 1.0),
    "integrations": ("frames", "", 1.0),
    "samplePosition/x": ("stage_x", "mm", 1e3),
    "samplePosition/y": ("stage_y", "mm", 1e3),
    "instrument/softwareVersion": ("software_version", None, 1.0),
    "instrument/uniqueID": ("instrument_serial", None, 1.0),
}
_METRES = {"nm": 1e-9, "um": 1e-6, "µm": 1e-6, "mm": 1e-3, "m": 1.0}


def fei_image(tree: dict[str, Any]) -> Told:
    def value(path: str) -> Any:
        found = at(tree, path)
        return found.get("#text") if isinstance(found, Mapping) else found

    sizes = []
    for name in ("pixelHeight", "pixelWidth"):
        factor = _METRES.get(text_at(tree, f"{name}/@unit") or "m", 0.0)
        sizes.append((number(value(name)) or 0.0) * factor)
    started = None
    if time := text_at(tree, "time"):
        started = moment(time, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f")
    return Told(
        "FEI (Thermo Fisher)",
        tree,
        "sem",
        conditions(FEI_IMAGE, value),
        pair(*sizes),
        instrument=text_at(tree, "instrument/edition", "instrument/type"),
        operator=text_at(tree, "currentUser"),
        started=started,
    )


# --- Zeiss: a number of each setting, then pairs of lines: its name, and "label = value unit" ------------------

_ZEISS: Table = {
    "AP_ACTUALKV": ("accelerating_voltage", "kV", 1.0),
    "AP_MANUALKV": ("accelerating_voltage", "kV", 1.0),
    "AP_WD": ("working_distance", "mm", 1.0),
    "AP_MAG": ("magnification", "", 1.0),
    "AP_IPROBE": ("beam_current", "pA", 1.0),
    "AP_BEAM_CURRENT": ("emission_current", "uA", 1.0),
    "AP_SPOT": ("beam_diameter", "nm", 1.0),
    "AP_WIDTH": ("field_of_view", "um", 1.0),
    "DP_DETECTOR_CHANNEL": ("detector", None, 1.0),
    "DP_DETECTOR_TYPE": ("detector", None, 1.0),
    "AP_FRAME_TIME": ("frame_time", "s", 1.0),
    "AP_BRIGHTNESS": ("brightness", "percent", 1.0),
    "AP_CONTRAST": ("contrast", "percent", 1.0),
    "AP_STAGE_AT_X": ("stage_x", "mm", 1.0),
    "AP_STAGE_AT_Y": ("stage_y", "mm", 1.0),
    "AP_STAGE_AT_Z": ("stage_z", "mm", 1.0),
    "AP_STAGE_AT_R": ("stage_rotation", "deg", 1.0),
    "AP_STAGE_AT_T": ("tilt_alpha", "deg", 1.0),
    "AP_SCANROTATION": ("scan_rotation", "deg", 1.0),
    "AP_SYSTEM_VAC": ("chamber_pressure", "mbar", 1.0),
    "AP_COLUMN_MODE": ("operating_mode", None, 1.0),
    "DP_COLUMN_MODE": ("operating_mode", None, 1.0),
    "SV_VERSION": ("software_version", None, 1.0),
    "SV_SERIAL_NUMBER": ("instrument_serial", None, 1.0),
    "SV_USER_TEXT": ("comment", None, 1.0),
}
_ZEISS_NAME = re.compile(r"[A-Z]{2}_[A-Z0-9_]+\Z")


def zeiss(text: str, columns: int) -> Told:
    lines = [clean_text(line).strip("\0 \t") for line in text.splitlines()]
    tree: dict[str, Any] = {}
    values: dict[str, str] = {}
    for name, line in pairwise(lines):
        if _ZEISS_NAME.match(name) and not _ZEISS_NAME.match(line):
            label, mark, value = re.match(r"(.*?)\s*([=:]|\Z)\s*(.*)\Z", line, re.DOTALL).groups()  # type: ignore[union-attr]
            values[name] = value if mark else label
            tree[name] = line
    numbers = lines[: next((i for i, line in enumerate(lines) if _ZEISS_NAME.match(line)), 0)]
    found = conditions(_ZEISS, lambda name: _zeiss_unit(values.get(name)))
    pixel = None
    for name in ("AP_IMAGE_PIXEL_SIZE", "AP_PIXEL_SIZE"):
        size = quantity(_zeiss_unit(values.get(name)), "nm")
        if size is not None and pixel is None:
            pixel = in_metres(size)
    if pixel is None and len(numbers) > 3 and columns:  # of a display of 1024 columns
        size_in_m = number(numbers[3])
        pixel = (size_in_m * 1024 / columns,) * 2 if size_in_m and size_in_m > 0 else None
    if numbers:
        tree["numbers"] = numbers
    return Told(
        "Zeiss",
        tree,
        "sem",
        found,
        pixel,
        operator=values.get("SV_USER_NAME", ""),
        sample=values.get("SV_SAMPLE_ID", ""),
        instrument=values.get("SV_INSTRUMENT_NAME", "") or values.get("DP_SEM", ""),
        started=moment(f"{values.get('AP_DATE', '')} {values.get('AP_TIME', '')}", "%d %b %Y %H:%M:%S"),
    )


def _zeiss_unit(value: str | None) -> str | None:
    """``1.00 K X`` as 1000, ``40.2 Secs`` as 40.2 s."""
    if value is None:
        return None
    parts = split_number(value)
    if parts and parts[1].upper() in ("K X", "KX"):
        return str(parts[0] * 1000)
    return re.sub(r"\b[Ss]ecs\b", "s", value)


def in_metres(size: Quantity) -> tuple[float, float] | None:
    """A pixel's height and width that are alike, m."""
    from zairyo.measurement import units

    made = units.to_si(float(size.value), size.unit or "") if isinstance(size.value, (int, float)) else None
    return (made[0], made[0]) if made and made[1] == "m" and made[0] > 0 else None
