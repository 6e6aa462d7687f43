"""What the readers of NMR share: decays over time, spectra over chemical shift, in one or more dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Quantity, Signal
from zairyo.measurement.model import Array
from zairyo.readers._api import ReadError

#: What one signal of several dimensions may hold, in numbers.
MOST_NUMBERS = 200_000_000
_NUCLEI = {"PROTON": "1H", "CARBON13": "13C", "NITROGEN15": "15N", "FLUORINE19": "19F", "PHOSPHORUS31": "31P",
           "SILICON29": "29Si", "BORON11": "11B", "LITHIUM7": "7Li", "LITHIUM6": "6Li", "SODIUM23": "23Na",
           "ALUMINIUM27": "27Al", "ALUMINUM27": "27Al", "DEUTERIUM": "2H", "OXYGEN17": "17O", "TIN119": "119Sn",
           "PLATINUM195": "195Pt", "CHLORINE35": "35Cl"}  # fmt: skip

_LISTED = {"delay": "s", "pulse_duration": "s", "loop_count": "", "gradient": "T/m"}


@dataclass(frozen=True)
class Dimension:
    """One dimension of NMR data.

    Attributes
    ----------
    points
        How many, from the file.
    kind
        ``time`` (not transformed), ``shift`` (ppm), ``frequency`` (Hz), ``increment`` (only counted), or what a list
        sets one after another: ``delay`` and ``pulse_duration`` (s), ``loop_count``, ``gradient`` (T/m).
    first, step
        Of the axis: s, ppm or Hz.
    listed
        The axis' values where they are given one by one; shape (points,).
    """

    points: int
    kind: str
    first: float = 0.0
    step: float = 1.0
    listed: Array | None = None

    def axis(self, prefix: str = "") -> Axis:
        if self.kind in _LISTED and self.listed is not None:
            return Axis(self.kind, self.listed, _LISTED[self.kind])
        names = {"time": ("time", "s"), "shift": ("chemical_shift", "ppm"), "frequency": ("frequency", "Hz")}
        if self.kind not in names:
            return Axis(
                f"{'' if prefix in ('', 'indirect_') else prefix}increment", np.arange(self.points), ""
            )
        name, unit = names[self.kind]
        if self.listed is not None:
            return Axis(f"{prefix}{name}", self.listed, unit)
        if not (math.isfinite(self.first) and math.isfinite(self.step)) or self.step == 0:
            raise ReadError(
                f"an axis begins at {self.first!r} with steps of {self.step!r}; the file's parameters are damaged"
            )
        values = self.first + self.step * np.arange(self.points)
        values.flags.writeable = False  # nobody else has it: it need not be copied
        return Axis(f"{prefix}{name}", values, unit)


def axes_of(dimensions: Sequence[Dimension]) -> tuple[Axis, ...]:
    """The axes, slowest first; ``dimensions`` in the same order. All but the last are indirect."""
    indirect = len(dimensions) - 1
    prefixes = [f"indirect_{n}_" if n > 1 else "indirect_" for n in range(indirect, 0, -1)] + [""]
    return tuple(d.axis(p) for d, p in zip(dimensions, prefixes, strict=True))


def nmr_entry(
    name: str, dimensions: Sequence[Dimension], values: Array, imaginary: Array | None = None, **rest: Any
) -> Entry:
    """The entry of a decay (complex values) or a spectrum (real values, the imaginary part beside them).

    Parameters
    ----------
    values, imaginary
        Shape: the points of each of ``dimensions``.
    rest
        Further fields of :class:`Entry`.
    """
    axes = axes_of(dimensions)
    over = tuple(axis.name for axis in axes)
    signals = [Signal("intensity", values, "arb", over)]
    if imaginary is not None:
        signals.append(Signal("imaginary", imaginary, "arb", over))
    return Entry(name, "nmr", axes, tuple(signals), **rest)


def check_size(shape: Sequence[int], available: int, what: str) -> None:
    """Refuse a shape that the file's bytes cannot hold (``available`` numbers) or memory should not."""
    if any(n < 1 for n in shape):
        raise ReadError(
            f"{what} should have {' × '.join(map(str, shape))} points; the file's parameters are damaged"
        )
    wanted = 1
    for n in shape:
        wanted *= n
    if wanted > available:
        raise ReadError(
            f"{what} should have {' × '.join(map(str, shape))} numbers, but {available} are there; it is cut "
            "off. Copy it again."
        )
    if wanted > MOST_NUMBERS:
        raise ReadError(f"{what} has {wanted} numbers, more than are read at once ({MOST_NUMBERS})")


def from_blocks(flat: Array, shape: Sequence[int], block: Sequence[int]) -> Array:
    """Submatrices one after another → one array of ``shape``; each size is a whole number of its block's."""
    blocks = [n // b for n, b in zip(shape, block, strict=True)]
    rank = len(shape)
    order = [k for pair in zip(range(rank), range(rank, 2 * rank), strict=True) for k in pair]
    return flat.reshape(*blocks, *block).transpose(order).reshape(shape)


def nucleus_of(text: str) -> str:
    """A nucleus as the field writes it: ``1H``, from ``Proton``, ``H1``, ``^1H``."""
    text = text.strip("<> ^")
    if text.upper() in _NUCLEI:
        return _NUCLEI[text.upper()]
    letters, digits = text.rstrip("0123456789"), text[len(text.rstrip("0123456789")) :]
    if letters.isalpha() and digits and len(letters) <= 2:
        return f"{digits}{letters.capitalize()}"
    return text


class Conditions(dict[str, Quantity]):
    """Conditions noted as they are found; what a file does not have is left out."""

    def number(self, name: str, value: Any, unit: str, *, positive: bool = True) -> None:
        if (
            isinstance(value, (int, float))
            and abs(value) < 1e15  # which what is not finite is not
            and (value > 0 or not positive)
        ):
            self[name] = Quantity(value if unit == "" else float(value), unit)

    def text(self, name: str, value: Any) -> None:
        text = " ".join(str(value).strip("<> ").split()) if value is not None else ""
        if text and text.lower() not in ("off", "none", "undefined"):
            self[name] = Quantity(text)
