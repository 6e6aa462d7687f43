"""Measurements with numbers that are known, made after the formula of each phenomenon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Quantity, Signal, table

K_ALPHA = {
    "wavelength": Quantity(1.540598, "angstrom"),
    "wavelength_k_alpha_2": Quantity(1.544426, "angstrom"),
    "k_alpha_ratio": Quantity(0.5, ""),
}


def columns(
    technique: str, x: str, default: str, given: Mapping[str, tuple[Any, str | None]], **conditions: Quantity
) -> Entry:
    """A table of columns (values, unit)."""
    signals = [Signal(name, np.asarray(values), unit) for name, (values, unit) in given.items()]
    return table("data", technique, signals, x=x, default=default, conditions=conditions)


def pattern(
    two_theta: Any, intensity: Any, conditions: Mapping[str, Quantity] = K_ALPHA, unit: str | None = "counts"
) -> Entry:
    """A powder pattern."""
    return Entry(
        "scan",
        "xrd",
        axes=(Axis("two_theta", np.asarray(two_theta), "deg"),),
        signals=(Signal("intensity", np.asarray(intensity), unit, axes=("two_theta",)),),
        conditions=conditions,
    )


def lorentzian(x: Any, centre: float, width: float) -> Any:
    """Of unit area."""
    return 2 / (np.pi * width) / (1 + 4 * ((x - centre) / width) ** 2)


def gaussian(x: Any, centre: float, width: float) -> Any:
    """Of unit area; ``width`` is the full width at half maximum."""
    return 2 / width * np.sqrt(np.log(2) / np.pi) * np.exp(-4 * np.log(2) * ((x - centre) / width) ** 2)


def second_line(centre: float) -> float:
    """2θ of Kα2 for that of Kα1, deg."""
    ratio = 1.544426 / 1.540598
    return float(2 * np.degrees(np.arcsin(ratio * np.sin(np.radians(centre / 2)))))


def doublets(x: Any, lines: list[tuple[float, float, float]], mix: float = 0.4) -> Any:
    """Pseudo-Voigt lines (position, width, area of both lines) with Kα2 at half the intensity."""
    total = np.zeros_like(x)
    for centre, width, area in lines:
        for place, share in ((centre, 2 / 3), (second_line(centre), 1 / 3)):
            shape = mix * lorentzian(x, place, width) + (1 - mix) * gaussian(x, place, width)
            total = total + area * share * shape
    return total


def scan(
    temperature: Any, heat_flow: Any, rate_k_per_min: float = 10.0, unit: str = "W/g", **conditions: Quantity
) -> Entry:
    """A DSC run at a constant rate."""
    T = np.asarray(temperature, dtype=float)
    time = np.abs(T - T[0]) / rate_k_per_min * 60
    name = "specific_heat_flow" if unit == "W/g" else "heat_flow"
    given = {"time": (time, "s"), "temperature": (T, "degC"), name: (heat_flow, unit)}
    return columns("dsc", "temperature", name, given, **conditions)
