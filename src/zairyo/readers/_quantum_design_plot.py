"""Which technique a MultiVu file holds, what its default plot draws, and what was held steady meanwhile."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement.model import Quantity, Signal

Array = NDArray[Any]
#: Technique → columns that make it, the likeliest to be plotted first.
TECHNIQUES = {
    "heat_capacity": ("heat_capacity", "heat_capacity_total"),
    "thermal_transport": ("thermal_conductivity", "seebeck_coefficient"),
    "magnetometry": (
        "magnetic_moment",
        "magnetic_moment_free_centre",
        "magnetic_moment_fixed_centre",
        "ac_moment_real",
        "ac_susceptibility_real",
        "ac_moment",
        "ac_susceptibility",
        "torque",
        "raw_voltage",
    ),
    "transport": tuple(
        f"{name}{number}"
        for name in ("resistivity", "resistance", "hall_coefficient", "critical_current")
        for number in ("", "_1", "_2", "_3", "_4")
    ),
}


def _spread(values: Array, floor: float) -> float:
    """How far the middle 90 % reach, relative to the largest (at least ``floor``)."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return 0.0
    low, high = np.percentile(known, (5, 95))
    return float((high - low) / max(abs(low), abs(high), floor))


def plot_of(signals: dict[int, Signal], header: dict[str, Any], technique: str) -> tuple[str, str]:
    """Columns of the default plot: x is what was swept, y what the header or the field names first."""
    written = header.get("STARTUPAXIS", [])
    parts = [
        part.replace(" ", "").split(",") for part in (written if isinstance(written, list) else [written])
    ]
    axes = {part[0]: part[1] for part in parts if len(part) > 1}
    numeric = {at: s for at, s in signals.items() if s.values.dtype.kind == "f"}

    def startup(axis: str) -> str:
        number = axes.get(axis, "")
        signal = numeric.get(int(number)) if number.isdecimal() and len(number) < 5 else None
        return signal.name if signal and not signal.name.endswith("status") else ""  # codes are no result

    by_name = {s.name: s for s in numeric.values()}
    spreads = {
        name: _spread(by_name[name].values, floor)
        for name, floor in (("temperature", 1.0), ("magnetic_field", 100.0))
        if name in by_name
    }
    swept = max(spreads, key=lambda name: spreads[name], default="")
    if not swept or spreads[swept] < 0.02:
        candidates = ("ac_frequency", "frequency", "drive_field", "sample_position")
        swept = next((n for n in candidates if n in by_name and _spread(by_name[n].values, 1e-9) > 0.02), "")
    if technique == "magnetometry" and "raw_voltage" in by_name and "sample_position" in by_name:
        swept = "sample_position" if "magnetic_moment" not in by_name else swept
    x = swept or startup("X") or ("time" if "time" in by_name else next(iter(by_name)))
    wanted = (startup("Y1"), *TECHNIQUES.get(technique, ()), *reversed(by_name))
    return x, next((n for n in wanted if n and n != x and n in by_name), x)


def technique_of(names: set[str]) -> str:
    """The technique that any of the columns makes; ``unspecified`` for logs and the like."""
    return next((key for key, any_of in TECHNIQUES.items() if names & set(any_of)), "unspecified")


def steady(signals: dict[int, Signal], x: str) -> dict[str, Quantity]:
    """What was held: temperature, field and the like, where they hardly vary, as conditions."""
    found = {}
    for signal in signals.values():
        floor = {"temperature": 1.0, "magnetic_field": 100.0, "averaging_time": 1e-9, "frequency": 1e-9}.get(
            signal.name
        )
        if (
            floor
            and signal.name != x
            and signal.values.dtype.kind == "f"
            and _spread(signal.values, floor) < 0.01
        ):
            found[signal.name] = Quantity(float(np.nanmedian(signal.values)), signal.unit)
    return found
