"""The linear Kramers–Kronig test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zairyo.descriptors._circuit import Complex
from zairyo.descriptors._numeric import Numbers


@dataclass(frozen=True)
class KramersKronig:
    """Relative residuals (complex, of |Z|), the number of RC elements and μ."""

    residuals: Complex
    elements: int
    mu: float


def linear_test(
    frequency: Numbers, z: Complex, capacitor: bool, stop: float = 0.85, most: int = 100
) -> KramersKronig:
    """Fit a chain of RC elements with given time constants, which obeys Kramers and Kronig by construction.

    Boukamp, J. Electrochem. Soc. 142 (1995) 1885; the number of elements after Schönleber, Klotz & Ivers-Tiffée,
    Electrochim. Acta 131 (2014) 20: raised until μ = 1 − Σ|R<0| / Σ R≥0 falls to ``stop``. With a series resistor
    and inductor, and a series capacitor where asked for. Weighted by 1/|Z|, real and imaginary part together.
    """
    omega = 2 * np.pi * frequency
    slow, fast = 1 / omega.min(), 1 / omega.max()
    size = np.abs(z)
    fixed = [np.ones_like(omega) + 0j, 1j * omega / omega.max()]
    if capacitor:
        fixed.append(-1j * omega.min() / omega)
    target = np.concatenate([z.real / size, z.imag / size])
    best = KramersKronig(z * 0, 0, 1.0)
    for number in range(1, min(most, max(1, len(z) - 3)) + 1):
        tau = np.array([fast]) if number == 1 else np.geomspace(fast, slow, number)
        columns = np.column_stack([*fixed, 1 / (1 + 1j * omega[:, None] * tau)])
        a = columns / size[:, None]
        solved = np.linalg.lstsq(np.concatenate([a.real, a.imag]), target, rcond=None)[0]
        r = solved[len(fixed) :]
        positive = float(r[r >= 0].sum())
        mu = 1 - float(-r[r < 0].sum()) / positive if positive > 0 else 0.0
        best = KramersKronig((z - columns @ solved) / size, number, mu)
        if mu <= stop:
            break
    return best
