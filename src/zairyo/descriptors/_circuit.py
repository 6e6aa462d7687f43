"""Equivalent circuits written as text: ``R0-p(R1,CPE1)-W1``.

``-`` joins in series, ``p( , )`` in parallel; an element is its kind and an index. The same notation is used by
other programs (EC-Lab's ``R0+Q1/R1`` is another).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zairyo.descriptors._api import CannotDescribe
from zairyo.descriptors._numeric import Numbers

Complex: TypeAlias = NDArray[np.complex128]


@dataclass(frozen=True)
class Kind:
    """An element: the descriptors its parameters are (name, unit), and its impedance at ω."""

    title: str
    parameters: tuple[tuple[str, str], ...]
    impedance: Callable[..., Complex]


def _warburg_open(w: Numbers, z0: float, tau: float) -> Complex:
    root = np.sqrt(1j * w * tau)
    return np.asarray(z0 / (root * np.tanh(root)))


def _warburg_short(w: Numbers, z0: float, tau: float) -> Complex:
    root = np.sqrt(1j * w * tau)
    return np.asarray(z0 * np.tanh(root) / root)


_DIFFUSION = (("diffusion_resistance", "ohm"), ("diffusion_time", "s"))
KINDS: dict[str, Kind] = {
    "R": Kind("resistor", (("resistance", "ohm"),), lambda w, r: np.full(len(w), r, complex)),
    "C": Kind("capacitor", (("capacitance", "F"),), lambda w, c: 1 / (1j * w * c)),
    "L": Kind("inductor", (("inductance", "H"),), lambda w, i: 1j * w * i),
    "CPE": Kind(
        "constant phase element 1/(Q (jω)^α)",
        (("cpe_coefficient", "S*s**alpha"), ("cpe_exponent", "")),
        lambda w, q, a: 1 / (q * (1j * w) ** a),
    ),
    "W": Kind(
        "semi-infinite diffusion σ(1 − j)/√ω",
        (("warburg_coefficient", "ohm/s**0.5"),),
        lambda w, s: s * (1 - 1j) / np.sqrt(w),
    ),
    "Wo": Kind("finite diffusion, reflecting", _DIFFUSION, _warburg_open),
    "Ws": Kind("finite diffusion, transmitting", _DIFFUSION, _warburg_short),
}
_LONGEST = 400
_ELEMENT = re.compile(r"(CPE|Wo|Ws|[RCLW])(_?\d+)")


@dataclass(frozen=True)
class Element:
    """One element; ``first`` is the place of its first parameter."""

    name: str
    kind: str
    first: int

    @property
    def places(self) -> range:
        return range(self.first, self.first + len(KINDS[self.kind].parameters))


@dataclass(frozen=True)
class Group:
    """Parts in series or in parallel."""

    parts: tuple[Element | Group, ...]
    parallel: bool


class Circuit:
    """A circuit read from text.

    Raises
    ------
    CannotDescribe
        The text is no circuit; the message shows where.
    """

    def __init__(self, text: str) -> None:
        self.text = re.sub(r"\s+", "", text)
        if len(self.text) > _LONGEST:
            raise CannotDescribe(
                f"a circuit has at most {_LONGEST} characters, this one {len(self.text)}: too long"
            )
        self._at = 0
        self.elements: list[Element] = []
        self.tree = self._series()
        if self._at < len(self.text):
            self._wrong("unexpected")
        names = [e.name for e in self.elements]
        if twice := {n for n in names if names.count(n) > 1}:
            raise CannotDescribe(
                f"circuit {text!r}: {', '.join(sorted(twice))} is there twice; number them apart"
            )

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(len(e.places) for e in self.elements)

    def _wrong(self, what: str) -> None:
        here = self.text[self._at :] or "the end"
        raise CannotDescribe(
            f"circuit {self.text!r}: {what} at {here!r}; write for example R0-p(R1,CPE1)-W1 with {', '.join(KINDS)}"
        )

    def _series(self) -> Group:
        parts = [self._part()]
        while self.text[self._at : self._at + 1] == "-":
            self._at += 1
            parts.append(self._part())
        return Group(tuple(parts), parallel=False)

    def _part(self) -> Element | Group:
        if self.text[self._at : self._at + 2] == "p(":
            self._at += 2
            parts: list[Element | Group] = [self._series()]
            while self.text[self._at : self._at + 1] == ",":
                self._at += 1
                parts.append(self._series())
            if self.text[self._at : self._at + 1] != ")" or len(parts) < 2:
                self._wrong("a ',' or ')' is missing")
            self._at += 1
            return Group(tuple(parts), parallel=True)
        match = _ELEMENT.match(self.text, self._at)
        if match is None:
            self._wrong("no element")
            raise AssertionError
        self._at = match.end()
        element = Element(match[0], match[1], self.size)
        self.elements.append(element)
        return element

    def impedance(self, omega: Numbers, values: Numbers) -> Complex:
        """Z at angular frequencies (rad/s), in ohm."""
        return _impedance(self.tree, omega, values)

    def arcs(self) -> Iterator[tuple[Element, Element]]:
        """Resistors with the capacitor or constant phase element alone in parallel, in order."""
        yield from _arcs(self.tree)


def _impedance(part: Element | Group, omega: Numbers, values: Numbers) -> Complex:
    if isinstance(part, Element):
        return KINDS[part.kind].impedance(omega, *(values[i] for i in part.places))
    many = [_impedance(p, omega, values) for p in part.parts]
    if not part.parallel:
        return np.asarray(sum(many))
    return np.asarray(1 / sum(1 / z for z in many))


def _arcs(part: Element | Group) -> Iterator[tuple[Element, Element]]:
    if isinstance(part, Element):
        return
    flat: list[Any] = [_alone(p) for p in part.parts]
    if part.parallel and len(flat) == 2 and all(isinstance(p, Element) for p in flat):
        resistors = [p for p in flat if p.kind == "R"]
        others = [p for p in flat if p.kind in ("C", "CPE")]
        if len(resistors) == len(others) == 1:
            yield resistors[0], others[0]
            return
    for p in part.parts:
        yield from _arcs(p)


def _alone(part: Element | Group) -> Element | Group:
    """A series of one part is that part."""
    while isinstance(part, Group) and not part.parallel and len(part.parts) == 1:
        part = part.parts[0]
    return part
