"""What Rigaku's ``.ras`` and ``.rasx`` share: the header keys, and a range's header and rows → a scan.

Both hold the same header; ``.rasx`` says it in XML, and its reader gives it here under the names of ``.ras``.
A row is position, intensity, attenuation factor; intensity is as counted behind the attenuator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zairyo.measurement import Quantity, Signal
from zairyo.readers._api import ReadError
from zairyo.readers._diffraction import (
    Floats,
    axis_name,
    number,
    quantity,
    scan_axis,
    slit_angle,
    text_or_none,
    unit,
    when,
)
from zairyo.readers._diffraction_scans import Scan

_GONIOMETER = frozenset("two_theta omega chi phi psi two_theta_chi x y z".split())  # noqa: SIM905
_COUPLED = frozenset({"TwoThetaTheta", "TwoThetaOmega", "OmegaTwoTheta"})

#: Header key → condition, unit, key of the unit.
_NUMBERS = (
    ("MEAS_COND_XG_VOLTAGE", "xray_tube_voltage", "kV", "HW_XG_VOLTAGE_UNIT"),
    ("MEAS_COND_XG_CURRENT", "xray_tube_current", "mA", "HW_XG_CURRENT_UNIT"),
    ("HW_XG_WAVE_LENGTH_ALPHA1", "wavelength", "angstrom", "HW_XG_WAVE_LENGTH_UNIT"),
    ("HW_XG_WAVE_LENGTH_ALPHA2", "wavelength_k_alpha_2", "angstrom", "HW_XG_WAVE_LENGTH_UNIT"),
    ("HW_XG_WAVE_LENGTH_BETA", "wavelength_k_beta", "angstrom", "HW_XG_WAVE_LENGTH_UNIT"),
    ("MEAS_SCAN_STEP", "step_size", "deg", "MEAS_SCAN_UNIT_X"),
)
_TEXTS = (
    ("HW_XG_TARGET_NAME", "xray_source_element"),
    ("HW_XG_NAME", "xray_tube"),
    ("HW_XG_FOCUS_TYPE", "xray_focus"),
    ("HW_COUNTER_SELECT_NAME", "detector"),
    ("MEAS_COND_OPT_NAME", "incident_optics"),
    ("MEAS_SCAN_MODE", "scan_mode"),
    ("FILE_COMMENT", "comment"),
    ("HW_USERINFO_SERIAL_NO", "instrument_serial"),
)
#: Axes that hold a chosen part rather than a position: names in ``.ras`` and ``.rasx`` → condition.
_PARTS = {
    "Filter": "filter",
    "Filter1": "filter",
    "Attenuator": "attenuator",
    "CounterMonochromator": "monochromator",
    "DetectorMonochromator": "monochromator",
    "IncidentMonochromator": "monochromator",
}
_SLITS = {
    "IncidentSlitBox": ("divergence_slit", "incident_slit"),
    "IS": ("divergence_slit", "incident_slit"),
    "ReceivingSlitBox2": ("", "receiving_slit"),
    "RS2": ("", "receiving_slit"),
    "IncidentSollerSlit": ("incident_soller_slit", ""),
    "ISS": ("incident_soller_slit", ""),
    "ReceivingSollerSlit": ("receiving_soller_slit", ""),
    "RSS": ("receiving_soller_slit", ""),
}


def english(value: str) -> str:
    """The English half of a name given as ``Japanese|English``."""
    return value.rpartition("|")[2].strip()


def rows_of(values: Floats, columns: int, what: str) -> Floats:
    """Flat numbers → rows of ``columns``, shape (n, columns)."""
    if columns < 2 or len(values) == 0 or len(values) % columns:
        raise ReadError(
            f"{what}: {len(values)} numbers do not make rows of {columns}; the file may be damaged"
        )
    return values.reshape(-1, columns)


def scan(
    keys: Mapping[str, str],
    axes: Mapping[str, tuple[str, str]],
    rows: Floats,
    metadata: Mapping[str, Any],
    what: str,
    warnings: list[str],
) -> Scan:
    """One range.

    Parameters
    ----------
    keys
        Header, named as in ``.ras`` without the star.
    axes
        Internal name of an axis → its position at the range's start and its unit, verbatim.
    rows
        Shape (n, 2 or 3): position, intensity, attenuation factor.
    """
    internal = keys.get("MEAS_SCAN_AXIS_X_INTERNAL") or keys.get("MEAS_SCAN_AXIS_X") or "TwoTheta"
    stated = number(keys.get("MEAS_DATA_COUNT"))
    if stated is not None and stated > 0 and stated != len(rows):
        warnings.append(f"{what} says it has {stated:.0f} points; {len(rows)} are there.")
    axis = axis_name(internal)
    fixed = _fixed(internal, axis, axes)
    intensity, extra = rows[:, 1], []
    if rows.shape[1] > 2 and np.any(rows[:, 2] != 1):
        attenuation = rows[:, 2]
        intensity = intensity * attenuation
        extra = [Signal("attenuation", attenuation, "")]
        warnings.append(
            f"{what}: intensities are multiplied by the attenuation factors the file gives "
            f"({attenuation.min():g} to {attenuation.max():g})."
        )
    return Scan(
        axis=axis,
        values=rows[:, 0],
        intensity=intensity,
        intensity_unit=unit(keys.get("MEAS_SCAN_UNIT_Y")),
        fixed=fixed,
        units={axis: unit(keys.get("MEAS_SCAN_UNIT_X")) or "deg"}
        | {axis_name(k): unit(u) for k, (_, u) in axes.items() if axis_name(k) in fixed},
        extra=extra,
        conditions=_conditions(keys, internal, axes),
        metadata=metadata,
        title=english(keys.get("MEAS_SCAN_AXIS_X") or internal),
        started=when(keys.get("MEAS_SCAN_START_TIME", ""), warnings=warnings),
    )


def _fixed(internal: str, axis: str, axes: Mapping[str, tuple[str, str]]) -> dict[str, float]:
    """Where the goniometer stood; of a coupled scan's two angles only ω − 2θ/2 stands still."""
    found = {
        axis_name(name): value
        for name, (position, _) in axes.items()
        if axis_name(name) in _GONIOMETER
        and (value := number(position)) is not None
        # the coupled axes are named like the angle they are plotted along, and repeat it
        and name not in _COUPLED
    }
    if internal in _COUPLED:
        two_theta, omega = found.pop("two_theta", None), found.pop("omega", None)
        if internal == "TwoThetaOmega" and two_theta is not None and omega is not None:
            found["omega_offset"] = round(omega - two_theta / 2, 6)
    found.pop(axis, None)
    return found


def _conditions(
    keys: Mapping[str, str], internal: str, axes: Mapping[str, tuple[str, str]]
) -> dict[str, Quantity | None]:
    found: dict[str, Quantity | None] = {"scan_axis": scan_axis(internal)}
    for key, name, usual, unit_key in _NUMBERS:
        found[name] = quantity(keys.get(key, ""), keys.get(unit_key) or usual)
    for key, name in _TEXTS:
        found[name] = text_or_none(english(keys.get(key, "")))
    speed_unit = unit(keys.get("MEAS_SCAN_SPEED_UNIT")) or ""
    speed = "time_per_step" if speed_unit == "s" else "scan_speed"
    found[speed] = quantity(keys.get("MEAS_SCAN_SPEED", ""), speed_unit or None)
    begun, ended = when(keys.get("MEAS_SCAN_START_TIME", "")), when(keys.get("MEAS_SCAN_END_TIME", ""))
    if begun and ended and (begun.tzinfo is None) == (ended.tzinfo is None) and ended >= begun:
        found["duration"] = Quantity((ended - begun).total_seconds(), "s")
    for name, (position, _) in axes.items():
        if position in ("", "-", "None", "No_unit", "Open"):
            continue
        if name in _PARTS:
            found[_PARTS[name]] = text_or_none(english(position))
        elif name in _SLITS:
            angular, wide = _SLITS[name]
            if angular and (angle := slit_angle(position)):
                found[angular] = angle
            elif wide and position.endswith("mm"):
                found[wide] = quantity(position.removesuffix("mm"), "mm")
    return found
