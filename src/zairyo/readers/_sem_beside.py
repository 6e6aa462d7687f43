"""What TESCAN, Hitachi and JEOL tell of an image: in a tag, or in a text file beside the image."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from zairyo.measurement import Quantity, clean_text
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._microscope_values import Table, conditions, number, quantity
from zairyo.readers._sem_told import Told, in_metres, ini, moment, pair
from zairyo.readers._trees import at, text_at

# --- TESCAN: two sections of keys, in SI units, angles in degrees ----------------------------------------------

_TESCAN: Table = {
    "SEM/HV": ("accelerating_voltage", "kV", 1e-3),
    "SEM/AcceleratorVoltage": ("accelerating_voltage", "kV", 1e-3),
    "FIB/HV": ("ion_beam_voltage", "kV", 1e-3),
    "MAIN/Magnification": ("magnification", "", 1.0),
    "SEM/WD": ("working_distance", "mm", 1e3),
    "SEM/PredictedBeamCurrent": ("beam_current", "nA", 1e9),
    "SEM/EmissionCurrent": ("emission_current", "uA", 1e6),
    "SEM/Detector": ("detector", None, 1.0),
    "SEM/Detector0": ("detector", None, 1.0),
    "SEM/DwellTime": ("dwell_time", "us", 1e6),
    "MAIN/AccFrames": ("frames", "", 1.0),
    "SEM/ScanMode": ("operating_mode", None, 1.0),
    "SEM/ScanRotation": ("scan_rotation", "deg", 1.0),
    "SEM/ChamberPressure": ("chamber_pressure", "Pa", 1.0),
    "SEM/Gun": ("electron_source", None, 1.0),
    "SEM/StageX": ("stage_x", "mm", 1e3),
    "SEM/StageY": ("stage_y", "mm", 1e3),
    "SEM/StageZ": ("stage_z", "mm", 1e3),
    "SEM/StageRotation": ("stage_rotation", "deg", 1.0),
    "SEM/StageTilt": ("tilt_alpha", "deg", 1.0),
    "MAIN/SoftwareVersion": ("software_version", None, 1.0),
    "MAIN/SerialNumber": ("instrument_serial", None, 1.0),
    "MAIN/Note": ("comment", None, 1.0),
}


def tescan(text: str) -> Told:
    """``text`` is a ``.hdr`` file, or the tag (some binary settings come before its sections)."""
    tree = ini(text[max(0, text.find("[MAIN]")) :])
    date = f"{text_at(tree, 'MAIN/Date')} {text_at(tree, 'MAIN/Time')}"
    return Told(
        "TESCAN",
        tree,
        "fib" if "FIB" in tree and "SEM" not in tree else "sem",
        conditions(_TESCAN, lambda path: at(tree, path)),
        pair(at(tree, "MAIN/PixelSizeY"), at(tree, "MAIN/PixelSizeX")),
        instrument=text_at(tree, "MAIN/DeviceModel", "MAIN/Device"),
        operator=text_at(tree, "MAIN/FullUserName", "MAIN/UserName"),
        title=text_at(tree, "MAIN/Description"),
        started=moment(date, "%Y-%m-%d %H:%M:%S"),
    )


# --- Hitachi: a text file beside the image ----------------------------------------------------------------------

_HITACHI: Table = {
    "AcceleratingVoltage": ("accelerating_voltage", "V", 1.0),
    "Magnification": ("magnification", "", 1.0),
    "WorkingDistance": ("working_distance", "um", 1.0),
    "EmissionCurrent": ("emission_current", "nA", 1.0),
    "SignalName": ("detector", None, 1.0),
    "ScanSpeed": ("operating_mode", None, 1.0),
    "StagePositionX": ("stage_x", "nm", 1.0),
    "StagePositionY": ("stage_y", "nm", 1.0),
    "StagePositionZ": ("stage_z", "nm", 1.0),
    "StagePositionR": ("stage_rotation", "deg", 1.0),
    "StagePositionT": ("tilt_alpha", "deg", 1.0),
    "SerialNumber": ("instrument_serial", None, 1.0),
    "Condition": ("comment", None, 1.0),
}


def hitachi(text: str) -> Told:
    tree = ini(text)
    keys = tree.get("SemImageFile", tree)
    found = conditions(_HITACHI, lambda key: _volts(at(keys, key)))
    date = f"{text_at(keys, 'Date')} {text_at(keys, 'Time')}"
    return Told(
        "Hitachi",
        tree,
        "sem",
        found,
        pair(at(keys, "PixelSize"), at(keys, "PixelSize"), 1e-9),
        instrument=text_at(keys, "InstructName", "InstrumentName"),
        sample=text_at(keys, "SampleName"),
        operator=text_at(keys, "OperatorName"),
        started=moment(date, "%m/%d/%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"),
    )


def _volts(value: Any) -> Any:
    return re.sub(r"(?i)\bvolts?\b", "V", value) if isinstance(value, str) else value


# --- JEOL: "$KEY value" lines in a text file beside the image; XML in the TIFF of its TEMs ------------------------

_JEOL: Table = {
    "CM_ACCEL_VOLT": ("accelerating_voltage", "kV", 1.0),
    "CM_MAG": ("magnification", "", 1.0),
    "CM_SIGNAL": ("detector", None, 1.0),
    "CM_SIGNAL_NAME": ("detector", None, 1.0),
    "SM_WD": ("working_distance", "mm", 1.0),
    "SM_SPOT_SIZE": ("spot_size", "", 1.0),
    "CM_BRIGHTNESS": ("brightness", "percent", 1.0),
    "CM_CONTRAST": ("contrast", "percent", 1.0),
    "CM_COMMENT": ("comment", None, 1.0),
}


def jeol(text: str) -> Told:
    tree: dict[str, Any] = {}
    for line in text.splitlines():
        line = clean_text(line).strip()
        if line.startswith("$"):
            key, _, value = line.lstrip("$").partition(" ")
            tree[key] = value.strip()
    found = conditions(_JEOL, lambda key: at(tree, key))
    pixel = None
    bar, length = number(at(tree, "SM_MICRON_BAR")), quantity(at(tree, "SM_MICRON_MARKER"), "um")
    if bar and length is not None and (metres := in_metres(length)):
        pixel = (metres[0] / bar, metres[1] / bar)
    stage = [number(v) for v in (text_at(tree, "CM_STAGE_POS") or text_at(tree, "CM_STAGE_POSITION")).split()]
    names = ("stage_x", "stage_y", "stage_z", "stage_rotation", "tilt_alpha")
    for name, place in zip(names, stage, strict=False):
        if place is not None:
            found[name] = Quantity(place, "mm" if name in names[:3] else "deg")
    return Told(
        "JEOL",
        tree,
        "sem",
        found,
        pixel,
        instrument=text_at(tree, "CM_INSTRUMENT"),
        operator=text_at(tree, "CM_OPERATOR"),
        title=text_at(tree, "CM_TITLE", "CM_LABEL"),
        started=moment(
            f"{text_at(tree, 'CM_DATE')} {text_at(tree, 'CM_TIME')}",
            "%Y/%m/%d %H:%M:%S",
            "%Y/%m/%d %I:%M:%S %p",
        ),
    )


_JEOL_TEM: Table = {
    "ElectronGun/AccelerationVoltage": ("accelerating_voltage", "kV", 1e-3),
    "ImageFormingSystem/ModeString": ("imaging_mode", None, 1.0),
    "IlluminationSystem/ImageField": ("illumination_mode", None, 1.0),
}


def jeol_tem(tree: dict[str, Any], dot: tuple[float, float] | None) -> Told:
    """``tree`` is the XML ``TemReporter``; ``dot`` the size of a pixel on the screen, m (from the resolution)."""
    found = conditions(_JEOL_TEM, lambda path: at(tree, path))
    stem = text_at(tree, "Eos/EosMode") == "modeASID"
    found["operating_mode"] = Quantity("STEM" if stem else "TEM")
    told = Told(
        "JEOL", tree, "stem" if stem else "tem", found, instrument=text_at(tree, "Instrument", "Model")
    )
    selected = number(at(tree, "ImageFormingSystem/SelectorValue"))
    mode = text_at(tree, "ImageFormingSystem/ModeString")
    if selected and mode.endswith("MAG") and not stem:
        found["magnification"] = Quantity(selected, "")
        told.pixel = (dot[0] / selected, dot[1] / selected) if dot else None
    elif selected and mode == "DIFF" and not stem:
        told.technique = "electron_diffraction"
        length = selected * {"mm": 1e-3, "cm": 1e-2, "m": 1.0}.get(
            text_at(tree, "ImageFormingSystem/SelectorUnitString"), 1e-2
        )
        found["camera_length"] = Quantity(length * 1e3, "mm")
        volts = number(at(tree, "ElectronGun/AccelerationVoltage"))
        if dot and volts and volts > 0:
            step = [d / length / wavelength(volts) for d in dot]
            told.pixel, told.unit = (step[0], step[1]), "1/m"
    return told


def wavelength(volts: float) -> float:
    """Of electrons, m: h / √(2 m e U (1 + e U / 2 m c²)); constants of CODATA 2018."""
    mass, charge, light, planck = 9.1093837015e-31, 1.602176634e-19, 299792458.0, 6.62607015e-34
    energy = charge * volts
    return planck / math.sqrt(2 * mass * energy * (1 + energy / (2 * mass * light**2)))


#: How the text file beside an image begins → its parser.
BESIDE: tuple[tuple[re.Pattern[str], Callable[[str], Told]], ...] = (
    (re.compile(r"\s*\[SemImageFile\]"), hitachi),
    (re.compile(r"\s*\${1,2}(CM|SM|SEM)_"), jeol),
    (re.compile(r"\s*\[MAIN\]"), tescan),
)


def beside(data: bytes) -> Told | None:
    """What a text file beside an image tells; None if it is none of those that are known."""
    text = decode_legacy(data)
    for beginning, parse in BESIDE:
        if beginning.match(text):
            return parse(text)
    return None
