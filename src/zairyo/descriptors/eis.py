"""Electrochemical impedance: is it consistent, and what does a circuit fitted to it have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.descriptors._api import CannotDescribe, Found, Method, Parameter, Term
from zairyo.descriptors._circuit import KINDS, Circuit, Complex
from zairyo.descriptors._kramers_kronig import linear_test
from zairyo.descriptors._numeric import Fit, Numbers, column, fit, has
from zairyo.measurement import Entry

_FEWEST = 8
#: A new spectrum begins where the frequency jumps back by more than this factor.
_BACK = 5.0


@dataclass(frozen=True)
class _Spectrum:
    item: str
    frequency: Numbers
    z: Complex


def _spectra(entry: Entry, low: float | None, high: float | None) -> list[_Spectrum]:
    """The spectra of an entry, each in the order it was measured, without points that are no numbers."""
    if not has(entry, "frequency"):
        raise CannotDescribe(f"entry {entry.name} has no frequency")
    f = column(entry, "frequency", "Hz")
    if has(entry, "z_real") and has(entry, "z_imaginary"):
        z = column(entry, "z_real", "ohm") + 1j * column(entry, "z_imaginary", "ohm")
    elif has(entry, "z_modulus") and has(entry, "z_phase"):
        z = column(entry, "z_modulus", "ohm") * np.exp(1j * column(entry, "z_phase", "rad"))
    else:
        raise CannotDescribe(
            f"entry {entry.name} has no impedance (z_real and z_imaginary, or z_modulus and z_phase)"
        )
    if f.shape != z.shape:
        raise CannotDescribe(f"entry {entry.name}: the impedance is not over the frequency")
    good = np.isfinite(f) & np.isfinite(z) & (f > 0) & (np.abs(z) > 0)
    good &= (f >= (low or 0.0)) & (f <= (np.inf if high is None else high))
    number = _numbering(entry, f, good)
    found = []
    for n in np.unique(number[good]):
        rows = good & (number == n)
        item = f"spectrum_{int(n)}" if len(np.unique(number[good])) > 1 else ""
        found.append(_Spectrum(item, f[rows], z[rows]))
    whole = [s for s in found if len(np.unique(s.frequency)) >= _FEWEST]
    if not whole:
        most = max((len(s.frequency) for s in found), default=0)
        raise CannotDescribe(
            f"a spectrum has {most} usable points; at least {_FEWEST} frequencies are needed"
        )
    return whole


def _numbering(entry: Entry, f: Numbers, good: Any) -> Numbers:
    """Which spectrum each row is of: as the instrument numbers them, else by where the sweep starts again."""
    if has(entry, "z_cycle"):
        given = column(entry, "z_cycle", "")
        if given.shape == f.shape and np.isfinite(given[good]).all():
            return given
    number = np.zeros(len(f))
    rows = np.flatnonzero(good)
    if len(rows) > 2:
        step = np.diff(np.log(f[rows]))
        way = np.sign(np.median(step))
        again = way * step < -np.log(_BACK)
        number[rows[1:]] = np.cumsum(again)
    return number


def _consistency(entry: Entry, **told: Any) -> Iterator[Found]:
    """Residuals of the linear Kramers–Kronig test: what no linear, causal, stable system can show.

    Small and scattered residuals are noise; large or systematic ones mean drift, too large an amplitude, or a
    frequency range that ends within an arc.
    """
    for s in _spectra(entry, told["low"], told["high"]):
        test = linear_test(s.frequency, s.z, told["capacitor"], told["mu"])
        parts = np.concatenate([test.residuals.real, test.residuals.imag])
        rms, most = 100 * float(np.sqrt(np.mean(parts**2))), 100 * float(np.abs(parts).max())
        warnings: tuple[str, ...] = ()
        if rms > 1 or most > 5:
            warnings = (
                "The spectrum does not obey the Kramers–Kronig relations well: it drifted or was disturbed.",
            )
        rest: dict[str, Any] = {"item": s.item, "settled": _limits(s), "warnings": warnings}
        yield Found("kramers_kronig_residual", rms, **rest)
        yield Found("kramers_kronig_residual_maximum", most, **rest)
        yield Found("kramers_kronig_elements", test.elements, **rest)


def _limits(s: _Spectrum) -> dict[str, float]:
    return {"low": float(s.frequency.min()), "high": float(s.frequency.max())}


# --- circuits --------------------------------------------------------------------------------------------------


def _circuit(entry: Entry, **told: Any) -> Iterator[Found]:
    """Complex non-linear least squares of an equivalent circuit (Boukamp, Solid State Ionics 20 (1986) 31).

    In ``circuit``, ``-`` joins in series and ``p( , )`` in parallel. Elements, with a number each: ``R``, ``C``, ``L``;
    ``CPE`` 1/(Q (jω)^α); ``W`` semi-infinite diffusion σ (1 − j)/√ω; ``Wo`` Z₀ coth(√(jωτ))/√(jωτ), reflecting; ``Ws``
    Z₀ tanh(√(jωτ))/√(jωτ), transmitting.

    Weighted by 1/|Z| (``modulus``) or not (``unit``). The fit is begun from twenty places that are the same every
    time, so no starting values are needed; the best is taken. Standard errors are from the covariance. A
    resistor with a constant phase element has the capacitance (Q R^(1−α))^(1/α) (Hsu & Mansfeld, Corrosion 57
    (2001) 747). Alike arcs are numbered by their time constants, the fastest first.
    """
    circuit = Circuit(told["circuit"])
    for s in _spectra(entry, told["low"], told["high"]):
        if 2 * len(s.z) <= circuit.size:
            raise CannotDescribe(
                f"{len(s.z)} points do not determine the {circuit.size} parameters of {circuit.text}"
            )
        values, best = _fitted(circuit, s, told["weights"] == "modulus")
        before = f"{s.item}/" if s.item else ""
        settled = {**_limits(s), "circuit": circuit.text}
        for element in circuit.elements:
            for place, (name, unit) in zip(element.places, KINDS[element.kind].parameters, strict=True):
                error = best.error(place)
                error = error if error is None or name == "cpe_exponent" else error * float(values[place])
                warnings = _undetermined(element.name, name, float(values[place]), error)
                yield Found(
                    f"circuit_{name}",
                    float(values[place]),
                    error,
                    item=before + element.name,
                    unit=unit,
                    settled=settled,
                    warnings=warnings,
                )
        for resistor, cpe in circuit.arcs():
            if cpe.kind == "CPE":
                value, error = _effective(values, best, resistor.first, cpe.first)
                item = f"{before}{resistor.name}·{cpe.name}"
                if error is None:
                    continue
                yield Found("circuit_capacitance", value, error, item=item, unit="F", settled=settled)
        far = np.abs(circuit.impedance(2 * np.pi * s.frequency, values) / s.z - 1)
        rms = 100 * float(np.sqrt(np.mean(far**2)))
        warnings = ()
        if rms > 5:
            warnings = (f"{circuit.text} does not describe the spectrum: it is {rms:.2g} % away on average.",)
        yield Found("circuit_misfit", rms, item=s.item, settled=settled, warnings=warnings)


def _undetermined(element: str, name: str, value: float, error: float | None) -> tuple[str, ...]:
    if error is not None and error < 0.5 * abs(value):
        return ()
    return (f"The data do not determine the {name.replace('_', ' ')} of {element}.",)


def _fitted(circuit: Circuit, s: _Spectrum, modulus: bool) -> tuple[Numbers, Fit]:
    """The best of the fits from many places: values, and the fit in logarithms (exponents as they are)."""
    omega = 2 * np.pi * s.frequency
    scale = float(np.median(np.abs(s.z)))
    weight = 1 / (np.abs(s.z) if modulus else np.full(len(s.z), scale))
    powers = _exponents(circuit)

    def told(p: Numbers) -> Numbers:
        return np.where(powers, p, np.exp(np.where(powers, 0.0, p)))

    def residual(p: Numbers) -> Numbers:
        with np.errstate(over="ignore", invalid="ignore"):
            far = (circuit.impedance(omega, told(p)) - s.z) * weight
        far = np.nan_to_num(far, nan=1e6, posinf=1e6, neginf=-1e6)
        return np.concatenate([far.real, far.imag])

    rough = [_Start(circuit, s, seed).values for seed in range(20)]
    low, high = _bounds(circuit, s)
    starts = [np.clip(np.where(powers, v, np.log(np.where(powers, 1.0, v))), low, high) for v in rough]
    starts.sort(key=lambda p: float(np.sum(residual(p) ** 2)))
    fits = [fit(residual, p, low, high, most=100) for p in starts[:8]]
    best = fit(residual, min(fits, key=lambda f: f.chi_square).values, low, high)
    order = _ordered(circuit, told(best.values))
    values = told(best.values)[order]
    covariance = best.covariance[np.ix_(order, order)]
    return values, Fit(best.values[order], covariance, best.chi_square, best.free, best.at_bound[order])


def _bounds(circuit: Circuit, s: _Spectrum) -> tuple[Numbers, Numbers]:
    """In logarithms: resistances within 10⁻⁵ … 10⁴ of the largest |Z|, exponents 0.3 … 1, the rest wide."""
    largest = float(np.log(np.abs(s.z).max()))
    low, high = np.full(circuit.size, np.log(1e-15)), np.full(circuit.size, np.log(1e15))
    names = [name for e in circuit.elements for name, _ in KINDS[e.kind].parameters]
    for place, name in enumerate(names):
        if name in ("resistance", "diffusion_resistance"):
            low[place], high[place] = largest + np.log(1e-5), largest + np.log(1e4)
        elif name == "cpe_exponent":
            low[place], high[place] = 0.3, 1.0
    return low, high


def _exponents(circuit: Circuit) -> Any:
    names = [name for e in circuit.elements for name, _ in KINDS[e.kind].parameters]
    return np.array([name == "cpe_exponent" for name in names])


class _Start:
    """Values to begin from: resistances that share the real part, time constants spread over the range."""

    def __init__(self, circuit: Circuit, s: _Spectrum, seed: int) -> None:
        omega = 2 * np.pi * s.frequency
        random = np.random.default_rng(seed)
        first = int(np.argmax(omega))
        last = int(np.argmin(omega))
        base = max(float(s.z.real[first]), 0.01 * float(np.abs(s.z).max()))
        rise = max(float(np.ptp(s.z.real)), 0.01 * float(np.abs(s.z).max()))
        arcs = list(circuit.arcs())
        in_arc = {e.name for pair in arcs for e in pair}
        taus = np.sort(
            np.exp(random.uniform(np.log(1 / omega.max()), np.log(1 / omega.min()), max(1, len(arcs))))
        )
        shares = random.dirichlet(np.ones(max(1, len(arcs))))
        self.values = np.ones(circuit.size)
        for element in circuit.elements:
            w = float(np.exp(random.uniform(np.log(omega.min()), np.log(omega.max()))))
            value = {
                "R": base if element.name not in in_arc else rise,
                "C": 1 / (w * rise),
                "L": max(float(s.z.imag[first]), 1e-3 * base) / float(omega[first]),
                "CPE": 1 / (w**0.85 * rise),
                "W": float(np.abs(s.z.imag[last])) * float(omega[last]) ** 0.5,
                "Wo": rise * random.uniform(0.2, 1),
                "Ws": rise * random.uniform(0.2, 1),
            }[element.kind]
            self.values[element.first] = value
            if element.kind == "CPE":
                self.values[element.first + 1] = 0.85
            elif element.kind in ("Wo", "Ws"):
                self.values[element.first + 1] = 1 / w
        for (resistor, other), tau, share in zip(arcs, taus, shares, strict=False):
            r = rise * max(share, 0.02)
            power = 0.85 if other.kind == "CPE" else 1.0
            self.values[resistor.first] = r
            self.values[other.first] = tau**power / r


def _ordered(circuit: Circuit, values: Numbers) -> Any:
    """Places of the values so that alike arcs come with rising time constants."""
    order = np.arange(circuit.size)
    for kind in ("C", "CPE"):
        arcs = [(r, other) for r, other in circuit.arcs() if other.kind == kind]

        def tau(pair: Any) -> float:
            r, other = pair
            product = values[r.first] * values[other.first]
            return float(product ** (1 / values[other.first + 1]) if other.kind == "CPE" else product)

        for (r, other), (r2, other2) in zip(arcs, sorted(arcs, key=tau), strict=True):
            order[list(r.places)] = list(r2.places)
            order[list(other.places)] = list(other2.places)
    return order


def _effective(values: Numbers, best: Fit, r: int, q: int) -> tuple[float, float | None]:
    """Capacitance of a resistor with a constant phase element, its error propagated in logarithms."""
    a = float(values[q + 1])
    log_r, log_q = float(np.log(values[r])), float(np.log(values[q]))
    value = float(np.exp((log_q + (1 - a) * log_r) / a))
    slope = np.array([(1 - a) / a, 1 / a, -(log_q + log_r) / a**2])
    part = best.covariance[np.ix_([r, q, q + 1], [r, q, q + 1])]
    variance = float(slope @ part @ slope)
    return value, (value * variance**0.5 if np.isfinite(variance) and variance >= 0 else None)


_LOW = Parameter("low", "Lowest frequency used; the lowest if none", "使用する最低周波数", unit="Hz")
_HIGH = Parameter("high", "Highest frequency used; the highest if none", "使用する最高周波数", unit="Hz")

METHODS = (
    Method(
        "eis_kramers_kronig",
        "1",
        ("eis",),
        (
            Term(
                "kramers_kronig_residual",
                "percent",
                "Kramers–Kronig residual, root mean square",
                "KK残差（二乗平均）",
            ),
            Term(
                "kramers_kronig_residual_maximum",
                "percent",
                "Kramers–Kronig residual, largest",
                "KK残差（最大）",
            ),
            Term("kramers_kronig_elements", "", "RC elements of the test", "KK検定のRC素子数"),
        ),
        (
            _LOW,
            _HIGH,
            Parameter("mu", "μ at which no more elements are added", "μの閾値", 0.85, ""),
            Parameter(
                "capacitor",
                "Whether the chain has a series capacitor, for cells that block direct current",
                "直列コンデンサを含める",
                True,
                kind="truth",
            ),
        ),
        _consistency,
        "Kramers–Kronig test",
        "クラマース・クローニッヒ検定",
        "Boukamp 1995; Schönleber et al. 2014",
    ),
    Method(
        "eis_circuit",
        "1",
        ("eis",),
        (
            Term("circuit_resistance", "ohm", "Resistance", "抵抗"),
            Term("circuit_capacitance", "F", "Capacitance", "静電容量"),
            Term("circuit_inductance", "H", "Inductance", "インダクタンス"),
            Term("circuit_cpe_coefficient", None, "Constant phase element Q", "CPEのQ"),
            Term("circuit_cpe_exponent", "", "Constant phase element α", "CPEのα"),
            Term("circuit_warburg_coefficient", "ohm/s**0.5", "Warburg coefficient σ", "ワールブルグ係数 σ"),
            Term("circuit_diffusion_resistance", "ohm", "Diffusion resistance", "拡散抵抗"),
            Term("circuit_diffusion_time", "s", "Diffusion time", "拡散時間"),
            Term(
                "circuit_misfit",
                "percent",
                "Misfit, root mean square, of |Z|",
                "当てはめ残差",
            ),
        ),
        (
            Parameter("circuit", "Circuit, as R0-p(R1,CPE1)-W1", "等価回路", kind="text", required=True),
            _LOW,
            _HIGH,
            Parameter("weights", "Weights", "重み", "modulus", kind="choice", choices=("modulus", "unit")),
        ),
        _circuit,
        "Equivalent circuit",
        "等価回路",
        "Boukamp 1986; Hsu & Mansfeld 2001",
    ),
)
