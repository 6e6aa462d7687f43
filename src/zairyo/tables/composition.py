"""Compositions: formulas and alloys as text, and fractions in atoms or in mass.

parse("LiNi0.8Mn0.1Co0.1O2").mole_fractions      # of atoms: {"Li": 0.25, ...}
parse("(Nd0.9Pr0.1)2Fe14B").mass_fractions
parse("Fe-18Cr-8Ni", basis="mass")               # the first element makes up the rest of 100
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, isfinite
from typing import Literal, TypeAlias

from zairyo.tables._base import TableError
from zairyo.tables.elements import elements

#: What an amount counts: particles (at.%, mol.%), mass (wt.%) or volume.
Basis: TypeAlias = Literal["mole", "mass", "volume"]

_LONGEST = 4000
_DEEPEST = 20
_SUBSCRIPTS = str.maketrans(
    "₀₁₂₃₄₅₆₇₈₉．０１２３４５６７８９（）［］｛｝−–—", "0123456789.0123456789()[]{}---"
)
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]*[⁺⁻]")
_DOTS = "·•∙⋅・*"
_TOKEN = re.compile(
    rf"\s*(?:(?P<element>[A-Z][a-z]?)|(?P<number>\d+(?:\.\d+|/[1-9]\d*)?|\.\d+)|(?P<open>[(\[{{])|(?P<close>[)\]}}])"
    rf"|(?P<dot>[{_DOTS}]|\.(?=\s*[A-Z(\[])|-(?=[\d./]+\s*[A-Z(\[])))"
)
_CHARGE = re.compile(
    r"(?:\^\s*\{?\s*(?P<raised>\d*\s*[+-])\s*\}?|\s+(?P<apart>\d*[+-])|(?P<close>\d*[+-]))\Z"
)
_PLAIN_HYDRATE = re.compile(r"\d\.\d+H2O\Z")
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_ALLOY = re.compile(r"(?P<base>[A-Z][a-z]?)(?P<rest>(?:-(?:\d+(?:\.\d+)?|\.\d+)[A-Z][a-z]?)+)\Z")
_ADDITION = re.compile(r"-([\d.]+)([A-Z][a-z]?)")


@dataclass(frozen=True)
class Composition:
    """How much of which element.

    Attributes
    ----------
    amounts
        Element → amount as it was written: atoms in a formula, or parts by mass if ``basis`` is ``mass``. All
        positive, in the order written.
    basis
        ``mole`` (amounts are atoms) or ``mass``.
    warnings
        What was ignored, e.g. a charge.
    """

    amounts: Mapping[str, float]
    basis: Basis = "mole"
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.basis not in ("mole", "mass"):
            raise TableError(f"a composition of elements is by mole or by mass, not by {self.basis!r}")
        known = elements().index
        kept = {}
        for symbol, amount in self.amounts.items():
            if symbol not in known:
                raise TableError(f"{symbol!r} is not an element")
            if not isfinite(amount) or amount < 0:
                raise TableError(f"the amount of {symbol} is {amount!r}; it must be a number, not below 0")
            if amount > 0:
                kept[symbol] = float(amount)
        if not kept or not isfinite(fsum(kept.values())):
            raise TableError("a composition needs at least one element of an amount above 0")
        object.__setattr__(self, "amounts", kept)

    @property
    def elements(self) -> tuple[str, ...]:
        return tuple(self.amounts)

    @property
    def mole_fractions(self) -> dict[str, float]:
        """Atomic fractions (at.% / 100), which sum to 1."""
        return self._fractions("mole")

    @property
    def mass_fractions(self) -> dict[str, float]:
        """Mass fractions (wt.% / 100), which sum to 1."""
        return self._fractions("mass")

    @property
    def molar_mass(self) -> float:
        """Of the formula as written, in g/mol; of one mole of atoms if it was given by mass."""
        table = elements()
        atoms = self.amounts if self.basis == "mole" else self.mole_fractions
        return fsum(a * table.weights[table.index[s]] for s, a in atoms.items())

    def _fractions(self, basis: Basis) -> dict[str, float]:
        table = elements()
        # Scaled first, so that no product leaves the range of a float.
        largest = max(self.amounts.values())
        parts = {s: a / largest for s, a in self.amounts.items()}
        if basis != self.basis:
            power = 1 if basis == "mass" else -1
            parts = {s: a * float(table.weights[table.index[s]]) ** power for s, a in parts.items()}
        total = fsum(parts.values())
        return {s: a / total for s, a in parts.items()}

    def to(self, basis: Basis) -> Composition:
        """The same composition by ``mole`` or by ``mass``, as fractions that sum to 1."""
        return Composition(self._fractions(basis), basis, self.warnings)

    @property
    def formula(self) -> str:
        """As a formula that :func:`parse` reads back to the same amounts: ``Fe2O3``."""
        return "".join(f"{s}{_spelled(a)}" for s, a in self.amounts.items())

    def __str__(self) -> str:
        return self.formula if self.basis == "mole" else f"{self.formula} (by mass)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Composition) and (dict(self.amounts), self.basis) == (
            dict(other.amounts),
            other.basis,
        )

    def __hash__(self) -> int:
        return hash((frozenset(self.amounts.items()), self.basis))


def _spelled(amount: float) -> str:
    """A number without an exponent, which a formula has no place for."""
    if amount == 1:
        return ""
    text = repr(amount).removesuffix(".0")
    if "e" in text:
        text = f"{amount:.340f}".rstrip("0").rstrip(".") if amount < 1 else f"{amount:.0f}"
    return text


@lru_cache(maxsize=65536)
def parse(text: str, basis: Basis | None = None) -> Composition:
    """Read a formula or an alloy.

    Parameters
    ----------
    text
        A formula with fractions, nested brackets, hydrates (``CuSO4·5H2O``) and solid solutions
        (``0.9Al2O3-0.1SiO2``), or an alloy with its base first
        and the percentages of the others before their symbols (``Fe-18Cr-8Ni``).
    basis
        What the numbers count: ``mole`` (atoms; the default for a formula) or ``mass`` (wt.%). An alloy with a
        base does not say which it means, so it must be told.

    Raises
    ------
    TableError
        It is not understood; the message shows where and says how to write it.
    """
    plain = text.translate(_SUBSCRIPTS).strip()
    if not plain or len(plain) > _LONGEST:
        raise TableError("a formula is missing" if not plain else f"{text[:40]!r}… is too long for a formula")
    if alloy := _ALLOY.fullmatch(plain.replace(" ", "")):
        return _alloy(text, alloy, basis)
    plain, warnings = _without_charge(text, plain)
    amounts = _Parser(text, plain).parse()
    return Composition(amounts, basis or "mole", warnings)


def _alloy(text: str, alloy: re.Match[str], basis: Basis | None) -> Composition:
    if basis is None:
        raise TableError(
            f"{text!r} does not say whether its percentages are by mass or by atoms; state basis: mass or basis: mole"
        )
    additions = [(symbol, float(number)) for number, symbol in _ADDITION.findall(alloy["rest"])]
    names = [alloy["base"], *(symbol for symbol, _ in additions)]
    rest = 100.0 - fsum(number for _, number in additions)
    if len(set(names)) < len(names):
        raise TableError(f"{text!r} names an element twice")
    if rest <= 0:
        raise TableError(
            f"the additions of {text!r} sum to {100 - rest:g} %, which leaves nothing for its base"
        )
    return Composition({alloy["base"]: rest, **dict(additions)}, basis)


def _without_charge(text: str, plain: str) -> tuple[str, tuple[str, ...]]:
    """The formula without a charge at its end. ``SO42-`` is SO4 with 2−, ``NO3-`` NO3 with −, ``Fe3+`` Fe with 3+."""
    bare, raised = _SUPERSCRIPT.subn("", plain)
    match = None if raised else _CHARGE.search(plain)
    if match:
        bare = plain[: match.start()]
        if close := match["close"]:
            digits = close[:-1]
            alone = re.fullmatch(r"[A-Z][a-z]?", bare)
            bare += "" if len(digits) == 1 and alone else digits if len(digits) < 2 else digits[:-1]
    if bare == plain:
        return plain, ()
    return bare.strip(), (f"the charge of {text!r} is ignored",)


class _Parser:
    """Recursive descent over a formula's tokens."""

    def __init__(self, text: str, plain: str) -> None:
        self.text, self.plain, self.at = text, plain, 0
        if _PLAIN_HYDRATE.search(plain):
            raise TableError(
                f"{text!r} can be read in two ways; write a hydrate with a raised dot or *, as CuSO4·5H2O or CuSO4*5H2O"
            )

    def parse(self) -> dict[str, float]:
        total: dict[str, float] = {}
        while True:
            factor = self._number()
            for symbol, amount in self._group("", 0).items():
                total[symbol] = total.get(symbol, 0.0) + amount * factor
            separator = self._take("dot")
            if separator is None:
                break
            if separator == "-" and not self.plain[0].isdigit():
                raise TableError(
                    f"{self.text!r} does not say how much of its first part it has; write it as 0.9Al2O3-0.1SiO2"
                )
        if self.plain[self.at :].strip():
            self._fail()
        return total

    def _group(self, closing: str, depth: int) -> dict[str, float]:
        if depth > _DEEPEST:
            raise TableError(f"{self.text[:40]!r}… has too many brackets in each other")
        total: dict[str, float] = {}
        while True:
            if symbol := self._take("element"):
                if symbol not in elements().index:
                    raise TableError(f"{symbol!r} in {self.text!r} is not an element")
                part = {symbol: 1.0}
            elif bracket := self._take("open"):
                part = self._group(_PAIRS[bracket], depth + 1)
            else:
                break
            factor = self._number()
            for symbol, amount in part.items():
                total[symbol] = total.get(symbol, 0.0) + amount * factor
        if not total:
            self._fail()
        if closing and self._take("close") != closing:
            raise TableError(f"{self.text!r} has a bracket that is not closed with {closing}")
        return total

    def _number(self) -> float:
        number = self._take("number")
        if number is not None and re.match(r"\s*\.\d", self.plain[self.at :]):
            self._fail()
        over, _, under = (number or "1").partition("/")
        return float(over) / float(under or 1)

    def _take(self, kind: str) -> str | None:
        match = _TOKEN.match(self.plain, self.at)
        if match is None or match[kind] is None:
            return None
        self.at = match.end()
        return match[kind]

    def _fail(self) -> None:
        rest = self.plain[self.at :].strip()
        hint = "write every amount as a number" if rest[:1] in tuple("xyzδd+-±") else "write it as Fe2O3"
        where = f"at {rest[:12]!r}" if rest else "at its end"
        raise TableError(f"{self.text!r} is not a formula ({where}); {hint}")
