"""What Asylum Research's software writes beside a wave: ``name: value`` lines, and names of channels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime

from zairyo.measurement import Quantity, make_name
from zairyo.readers import _spm

#: A channel's word → our name and its unit. (Igor has one unit for the whole wave, the first channel's.)
_CHANNELS: tuple[tuple[re.Pattern[str], str, str | None], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), name, unit)
    for pattern, name, unit in (
        (r"Raw|Height", "height", "m"),
        (r"ZSnsr|ZSensor|Z Sensor|LVDT", "height_measured", "m"),
        (r"Defl|Deflection", "deflection", "m"),
        (r"DeflV|DeflVolts", "deflection_voltage", "V"),
        (r"Amp|Amplitude", "amplitude", "m"),
        (r"AmpV|AmpVolts", "amplitude_voltage", "V"),
        (r"Phase", "phase", "deg"),
        (r"Freq|Frequency", "frequency_shift", "Hz"),
        (r"Cur|Current", "current", "A"),
        (r"Lat|Lateral", "lateral_deflection", "V"),
        (r"Pot|Potential|NapPotential", "potential", "V"),
        (r"Drive", "excitation", "V"),
        (r"Dissipation|Diss", "dissipation", None),
        (r"Force", "force", "N"),
        (r"(?:Map)?Adhesion", "adhesion", "N"),
        (r"(?:Map)?(?:Youngs?|Elastic)?Modulus", "modulus", "Pa"),
        (r"(?:Map)?Stiffness", "stiffness", "N/m"),
        (r"Tip ?Bias|Bias", "bias", "V"),
        (r"UserIn(\d)", "user_input", "V"),
        (r"Time", "time", "s"),
    )
)
_BACK = re.compile(r"(?P<name>.+?)(?P<way>Trace|Retrace)(?P<rest>(?:Mod)?\d*)", re.IGNORECASE)
_CLOCK = ("%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%A, %B %d, %Y %I:%M:%S %p")
_SETPOINTS = {
    "Force": "N", "Deflection": "m", "DeflVolts": "V", "Amplitude": "m", "AmpVolts": "V",
    "ZSensor": "m", "RawZSensor": "m",
}  # fmt: skip


def parse_note(note: str) -> dict[str, str]:
    """``name: value`` lines, in their order; of a name that comes twice the first value, the rest numbered."""
    found: dict[str, str] = {}
    for line in note.split("\n"):
        key, colon, value = line.partition(":")
        key, number = key.strip(), 2
        if not colon or not key:
            continue
        plain = key
        while key in found and found[key] != value.strip():
            key, number = f"{plain} ({number})", number + 1
            if number > 100:
                break
        found[key] = value.strip()
    return found


def is_asylum(note: str) -> bool:
    """Its software's words; before 2011 it named neither the microscope nor its own date."""
    return "MicroscopeModel:" in note or (
        "SpringConstant:" in note and ("VerDate:" in note or ("InvOLS:" in note and "FastScanSize:" in note))
    )


def channel(label: str) -> tuple[str, str | None, str]:
    """Name, unit and label of a channel; ``HeightRetrace`` is ``height_retrace``."""
    match = _BACK.fullmatch(label)
    plain = match["name"] if match else label
    end = "_retrace" if match and match["way"].casefold() == "retrace" else ""
    for pattern, name, unit in _CHANNELS:
        if found := pattern.fullmatch(plain):
            return name + (f"_{found[1]}" if found.groups() and found[1] else "") + end, unit, label
    return make_name(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)) + end, None, label


def number(note: Mapping[str, str], key: str) -> float | None:
    value = _spm.number(note.get(key))
    return value if value is not None and math.isfinite(value) else None


def _with(note: Mapping[str, str], key: str, unit: str) -> Quantity | None:
    return _spm.with_unit(number(note, key), unit)


def cantilever(note: Mapping[str, str]) -> dict[str, Quantity]:
    """What both images and curves say of the probe and the microscope."""
    return _spm.told(
        spring_constant=_with(note, "SpringConstant", "N/m"),
        deflection_sensitivity=_with(note, "InvOLS", "m/V"),
        imaging_mode=note.get("ImagingMode"),
        probe=note.get("TipSerialNumber"),
        position_x=_with(note, "XOffset", "m"),
        position_y=_with(note, "YOffset", "m"),
        comment=note.get("ForceNote") or note.get("ImageNote"),
        software_version=note.get("Version"),
    )


def ramp(note: Mapping[str, str]) -> dict[str, Quantity]:
    """How a force curve was driven."""
    trigger = note.get("TriggerChannel", "").strip()
    dwell = number(note, "DwellSetting")
    return cantilever(note) | _spm.told(
        approach_speed=_with(note, "ApproachVelocity", "m/s"),
        retract_speed=_with(note, "RetractVelocity", "m/s"),
        curve_length=_with(note, "ForceDist", "m"),
        sampling_rate=_with(note, "NumPtsPerSec", "Hz"),
        pause_duration=_with(note, "DwellTime", "s") if dwell else None,
        setpoint=_with(note, "TriggerPoint", _SETPOINTS[trigger]) if trigger in _SETPOINTS else None,
    )


def scan(note: Mapping[str, str]) -> dict[str, Quantity]:
    """How an image was scanned."""
    mode = note.get("ImagingMode", "").casefold()
    oscillating = mode.startswith(("ac", "fm", "dual", "pfm", "sspfm", "dart"))
    setpoint = "AmplitudeSetpointVolts" if mode.startswith(("ac", "dual")) else "DeflectionSetpointVolts"
    return cantilever(note) | _spm.told(
        scan_size_x=_with(note, "FastScanSize", "m") or _with(note, "ScanSize", "m"),
        scan_size_y=_with(note, "SlowScanSize", "m") or _with(note, "ScanSize", "m"),
        scan_rate=_with(note, "ScanRate", "Hz"),
        scan_angle=_with(note, "ScanAngle", "deg"),
        scan_direction={"1": "down", "0": "up"}.get(note.get("ScanDown", "").strip()),
        setpoint=_with(note, setpoint, "V"),
        integral_gain=number(note, "IntegralGain"),
        proportional_gain=number(note, "ProportionalGain"),
        drive_frequency=_with(note, "DriveFrequency", "Hz") if oscillating else None,
        drive_amplitude=_with(note, "DriveAmplitude", "V") if oscillating else None,
    )


def moment(note: Mapping[str, str]) -> datetime | None:
    return _spm.moment(f"{note.get('Date', '')} {note.get('Time', '')}", *_CLOCK)
