"""Units: reading vendors' spellings, comparing in SI, converting.

A unit's text is spelled as Pint spells it (``degC``, ``uV/mg``, ``1/cm``). Most units are read from a table
without Pint, which takes 1.9 s to import; Pint is asked for the rare word that is not there. What neither knows
is unknown: never guessed, never fatal. Of Pint's words none is taken that is short or abbreviated: by its rules
``dpi`` is a tenth of a pint and ``au`` an astronomical unit.

Scales of temperature are converted with their zero (``25 degC`` is 298.15 K); within a compound
(``degC/min``) and as ``delta_degC`` they are differences.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeVar

import numpy as np

from zairyo.measurement import _unit_table as known

Number = TypeVar("Number", float, np.ndarray[Any, Any])
_LONGEST = 100
_MOST_POWER = 99
_SIGNS = str.maketrans(
    {"μ": "u", "−": "-", "Ω": "ohm", "Å": "angstrom", "×": "*", "⋅": "·", "∙": "·", "•": "·", "℃": "°C"}
)
_TOKEN = re.compile(
    r"\s*(?:(?P<word>[^\W\d_]+(?:_[^\W\d_]+)*\.?(?=%)|[°%‰]?[^\W\d_]+(?:_[^\W\d_]+)*|[°%‰])"
    r"(?P<power>(?:\^|\*\*)\s*(?:\(\s*[+-]?\d+(?:\.\d+)?\s*\)|[+-]?\d+(?:\.\d+)?)|[+-]?\d+(?![\d.]))?"
    r"|(?P<open>\()|(?P<close>\)(?P<outer>(?:\^|\*\*)?[+-]?\d+)?)|(?P<one>1)(?=\s*/)"
    r"|(?P<op>\*|/|·|\.|-(?=[^\W\d_])))"
)


class UnitError(ValueError):
    """A unit is unknown, or two cannot be compared; the message names it."""


@dataclass(frozen=True)
class _Unit:
    """``text`` is the canonical spelling; a value in SI is ``value * factor + offset``, in ``dimension``."""

    text: str
    factor: float
    offset: float
    dimension: str


def normalise(text: str) -> str | None:
    """A vendor's spelling as Pint spells it: ``"mW/mg"``, ``"µV"`` → ``"uV"``, ``"°C"`` → ``"degC"``.

    None if the unit is unknown: the caller keeps the text verbatim and warns.
    """
    unit = _resolve(text)
    return None if unit is None else unit.text


def to_si(value: float, unit: str) -> tuple[float, str] | None:
    """The value in SI base units and those units as text (``"K"``, ``"A*m**2"``; ``""`` for plain numbers).

    Values whose second part is equal can be compared. Angles, counts, arbitrary units, decibels and decades
    have dimensions of their own. None if the unit is unknown.
    """
    found = _resolve(unit)
    return None if found is None else (value * found.factor + found.offset, found.dimension)


def convert(value: Number, source: str, target: str) -> Number:
    """The value (a number or an array) in another unit of the same dimension.

    Raises
    ------
    UnitError
        If a unit is unknown, or they measure different things.
    """
    old, new = _known(source), _known(target)
    if old.dimension != new.dimension:
        raise UnitError(f"{source or 'a plain number'} cannot be converted to {target or 'a plain number'}")
    if old.text == new.text:
        return value
    result: Number = (value * old.factor + (old.offset - new.offset)) / new.factor
    return result


def same_dimension(a: str, b: str) -> bool:
    """Whether values in the two units can be compared; False if one is unknown."""
    first, second = _resolve(a), _resolve(b)
    return first is not None and second is not None and first.dimension == second.dimension


def parse_quantity(text: str) -> tuple[float, str]:
    """``"300 degC"`` as 300.0 and ``"degC"``; the unit may be missing (``""``) or in a vendor's spelling.

    Raises
    ------
    UnitError
        If there is no number, or the unit is unknown; near ones are suggested.
    """
    match = re.match(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*\Z", text, re.DOTALL)
    if match is None:
        raise UnitError(f"{text[:60]!r} does not begin with a number; write for example 300 degC")
    return float(match[1]), _known(match[2]).text


def near(text: str) -> list[str]:
    """Up to three units that are spelled alike, for an error message."""
    text = text.strip()[:_LONGEST]
    names = _by_lower_case()
    found = [n for f in difflib.get_close_matches(text.casefold(), names, n=6) for n in names[f]]

    def likeness(name: str) -> tuple[float, float, int]:
        pairs = ((name.casefold(), text.casefold()), (name, text))
        alike, exactly = (difflib.SequenceMatcher(None, a, b).ratio() for a, b in pairs)
        # "mV" before "MV" for "mv", and "degC" before "mdeg" for "degX".
        return alike, exactly, int(name[:1] == text[:1])

    found.sort(key=likeness, reverse=True)
    return list(dict.fromkeys(found))[:3]


def _known(text: str) -> _Unit:
    unit = _resolve(text)
    if unit is None:
        hint = near(text)
        raise UnitError(
            f"the unit {text[:60]!r} is unknown" + (f"; did you mean {' or '.join(hint)}?" if hint else "")
        )
    return unit


@cache
def _by_lower_case() -> dict[str, list[str]]:
    """Every unit's name, and the unit of every vendor's word, in lower case → how it is spelled."""
    names: dict[str, list[str]] = {}
    prefixed = (p + name for name in known.PREFIXED for p in known.PREFIXES)
    for name in (*known.PREFIXED, *known.PLAIN, *known.SCALES, *prefixed):
        names.setdefault(name.casefold(), []).append(name)
    for word, unit in known.WORDS.items():
        names.setdefault(word, []).append(unit)
    return names


@lru_cache(maxsize=4096)
def _resolve(text: str) -> _Unit | None:
    if len(text) > _LONGEST:
        return None
    text = unicodedata.normalize("NFKC", text).translate(_SIGNS).strip()
    if inner := re.fullmatch(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]", text):
        text = inner[1]
    squeezed = re.sub(r"[\s._()]", "", text.casefold())
    text = known.EXACT.get(text, known.PHRASES.get(squeezed, text.removesuffix(".")))
    if text in known.SCALES or known.WORDS.get(squeezed) in known.SCALES:
        text = text if text in known.SCALES else known.WORDS[squeezed]
        return _Unit(text, *known.SCALES[text], "K")
    factors = _parse(text) if text else []
    if factors is None or any(abs(power) > _MOST_POWER for _, power in factors):
        return None
    factor, powers = _in_base(factors)
    if not 1e-280 < factor < 1e280 or any(abs(power) > _MOST_POWER for power in powers.values()):
        return None
    spelled = _spell(factors)
    dimension = _spell([(unit, powers[unit]) for unit in known.BASE if powers.get(unit)])
    return _Unit("counts" if spelled == "count" else spelled, factor, 0.0, dimension)


def _in_base(factors: list[tuple[str, float]]) -> tuple[float, known.Powers]:
    """Their product in base units; the factor is 0 or infinite if it is too small or large for a float."""
    factor = 1.0
    powers: dict[str, float] = {}
    for name, power in factors:
        of, base = _named(name) or (0.0, {})
        try:
            factor *= of**power
        except (OverflowError, ZeroDivisionError):
            return 0.0, {}
        for unit, exponent in base.items():
            powers[unit] = round(powers.get(unit, 0.0) + exponent * power, 9)
    return factor, powers


def _parse(text: str) -> list[tuple[str, float]] | None:
    """The units of a compound, spelled canonically, with their powers; None if it is not understood.

    ``a/b*c`` is ``(a/b)*c``. What a blank or a dot after a stroke belongs to (``J/g K``) is not known.
    """
    stack: list[tuple[list[tuple[str, float]], int]] = []
    done: list[tuple[str, float]] = []
    sign, divided, expecting, at = 1, False, True, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        at = match.end()
        if op := match["op"]:
            if expecting or (divided and op in "·."):
                return None
            sign, expecting = -1 if op == "/" else 1, True
            divided = divided or op == "/"
            continue
        if match["close"]:
            if not stack or expecting:
                return None
            outer, outer_sign = stack.pop()
            power = outer_sign * _power(match["outer"])
            done, divided = outer + [(name, p * power) for name, p in done], outer_sign < 0
            expecting = False
            continue
        if not expecting and divided:
            return None
        if match["open"]:
            stack.append((done, sign))
            done, sign, divided, expecting = [], 1, False, True
            continue
        if word := match["word"]:
            name = _canonical(word)
            if name is None:
                return None
            done.append((name, sign * _power(match["power"])))
        sign, expecting = 1, False
    return None if stack or expecting else done


def _power(text: str | None) -> float:
    return float(re.sub(r"[\s^*()]", "", text)) if text else 1.0


def _canonical(word: str) -> str | None:
    """The name that ``_named`` knows for a vendor's word."""
    if word in known.SCALES or known.WORDS.get(word.casefold()) in known.SCALES:
        scale = word if word in known.SCALES else known.WORDS[word.casefold()]
        return "K" if scale == "degC" else "delta_degF"
    word = known.EXACT.get(word, word)
    for ending, name in known.ENDINGS.items():
        if word.endswith(ending) and word[: -len(ending)] in ("", *known.PREFIXES):
            word = word[: -len(ending)] + name
    if _in_table(word):
        return word
    lower = word.casefold()
    if lower in known.WORDS:
        return known.WORDS[lower]
    if len(lower) > 2 and lower in _unprefixed():
        return lower
    return lower if _pint_word(lower) else None


@cache
def _unprefixed() -> dict[str, tuple[float, str]]:
    return known.PREFIXED | known.PLAIN


def _named(name: str) -> tuple[float, known.Powers] | None:
    """Factor and base units of one unit by its canonical name."""
    return _in_table(name) or _pint_word(name)


@lru_cache(maxsize=1024)
def _in_table(name: str) -> tuple[float, known.Powers] | None:
    if found := _unprefixed().get(name):
        return found[0], _powers(found[1])
    if name in known.BASE:
        return 1.0, {name: 1.0}
    prefix, rest = known.PREFIXES.get(name[:1]), known.PREFIXED.get(name[1:])
    if prefix is not None and rest is not None:
        return prefix * rest[0], _powers(rest[1])
    return None


def _powers(text: str) -> known.Powers:
    found = re.findall(r"([A-Za-z]+)(-?\d*)", text)
    return {name: float(power or 1) for name, power in found}


def _spell(factors: list[tuple[str, float]]) -> str:
    """As Pint reads it: ``cm**2/(V*s)``."""
    over = "*".join(_raised(name, power) for name, power in factors if power > 0)
    under = [_raised(name, -power) for name, power in factors if power < 0]
    if not under:
        return over
    below = "*".join(under)
    return f"{over or 1}/{below if len(under) == 1 else f'({below})'}"


def _raised(name: str, power: float) -> str:
    return name if power == 1 else f"{name}**{power:g}"


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry()


#: Pint's names of base units, and ours.
_PINT_BASE = {
    "kilogram": "kg", "meter": "m", "second": "s", "ampere": "A", "kelvin": "K", "mole": "mol", "candela": "cd",
    "radian": "rad", "count": "count",
}  # fmt: skip


@lru_cache(maxsize=1024)
def _pint_word(word: str) -> tuple[float, known.Powers] | None:
    """A whole word of four letters or more that Pint knows without an abbreviation."""
    if not re.fullmatch(r"[a-z]{4,30}", word):
        return None
    registry = _registry()
    if not any(len(prefix) != 1 and not suffix for prefix, _, suffix in registry.parse_unit_name(word)):
        return None
    try:
        base = registry.Quantity(1.0, word).to_base_units()
        powers = {_PINT_BASE[name]: float(power) for name, power in base.unit_items()}
    except Exception:  # offset and logarithmic units, dimensions that are not ours
        return None
    return float(base.magnitude), powers
