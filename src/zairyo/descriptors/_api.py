"""What a method is: a declaration with one function, as a reader is.

A method says which techniques it is for, which parameters it takes (with defaults, units, titles) and which
descriptors it gives; its function turns an entry into :class:`Found` numbers. A module of this package holds
the methods of one field and names them ``METHODS``. Everything a person must know to repeat a number is
put beside it by the room, not by each method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from zairyo.measurement import Quantity, units

#: What a parameter may be: a number with a unit is a Quantity once it is settled.
ParameterValue: TypeAlias = "Quantity | float | int | bool | str | Mapping[str, float] | None"


class CannotDescribe(ValueError):
    """The number cannot be had from these data; the message says why and what to do."""


@dataclass(frozen=True)
class Term:
    """A descriptor's name in the vocabulary: one name for one thing from every vendor.

    Attributes
    ----------
    name
        E.g. ``peak_position``.
    unit
        As Pint spells it; ``""`` for a plain number. None where it follows the measurement's own unit (an area
        under counts or under counts per second).
    title, title_ja
        For people.
    """

    name: str
    unit: str | None
    title: str
    title_ja: str


@dataclass(frozen=True)
class Parameter:
    """What a method can be told.

    Attributes
    ----------
    name, title, title_ja
        Its keyword, and for people.
    default
        None where the method finds the value itself, or does without; ``title`` says which.
    unit
        Of a plain number that is given; a number with another unit of the same dimension is converted. None
        for text, choices and truth values.
    kind
        ``number``, ``whole``, ``truth``, ``text``, ``choice`` (one of ``choices``) or ``numbers`` (names with a
        number each, as ``C1s=1,O1s=2.93``).
    required
        Without it the method cannot work.
    """

    name: str
    title: str
    title_ja: str
    default: ParameterValue = None
    unit: str | None = None
    kind: Literal["number", "whole", "truth", "text", "choice", "numbers"] = "number"
    choices: tuple[str, ...] = ()
    required: bool = False

    def settle(self, given: Any) -> Any:
        """The value as the method's function takes it: a number in ``unit``, a truth value, a text …

        Raises
        ------
        CannotDescribe
            It is not of this kind, or its unit measures something else.
        """
        if given is None:
            return None
        try:
            return _SETTLE[self.kind](self, given)
        except (ValueError, TypeError) as e:
            raise CannotDescribe(f"parameter {self.name}: {e}") from None

    def told(self, value: Any) -> ParameterValue:
        """A settled value as it is put beside a descriptor: with its unit."""
        if self.kind == "number" and self.unit and value is not None:
            return Quantity(float(value), self.unit)
        return value  # type: ignore[no-any-return]


def _number(parameter: Parameter, given: Any) -> float:
    unit = parameter.unit or ""
    if isinstance(given, Quantity):
        value, of = given.value, given.unit
    elif isinstance(given, str):
        value, of = units.parse_quantity(given)
    else:
        value, of = given, None
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__float__"):
        raise ValueError(f"a number{f' in {unit}' if unit else ''} is needed, not {given!r}")
    number = float(value) if not of or of == unit else float(units.convert(float(value), of, unit))
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(f"{given!r} is not a finite number")
    return number


def _whole(parameter: Parameter, given: Any) -> int:
    number = _number(parameter, given)
    if number != int(number):
        raise ValueError(f"a whole number is needed, not {given!r}")
    return int(number)


def _truth(_: Parameter, given: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if isinstance(given, bool):
        return given
    if str(given).strip().lower() not in words:
        raise ValueError(f"true or false is needed, not {given!r}")
    return words[str(given).strip().lower()]


def _choice(parameter: Parameter, given: Any) -> str:
    if given not in parameter.choices:
        raise ValueError(f"one of {', '.join(parameter.choices)} is needed, not {given!r}")
    return str(given)


def _numbers(_: Parameter, given: Any) -> dict[str, float]:
    if isinstance(given, str):
        pairs = [part.partition("=") for part in given.split(",") if part.strip()]
        if not all(equals for _, equals, _ in pairs):
            raise ValueError(f"names with numbers are needed, as C1s=1,O1s=2.93, not {given!r}")
        given = {name.strip(): value for name, _, value in pairs}
    if not isinstance(given, Mapping):
        raise ValueError(f"names with numbers are needed, not {given!r}")
    return {str(name): float(value) for name, value in given.items()}


_SETTLE: dict[str, Callable[[Parameter, Any], Any]] = {
    "number": _number,
    "whole": _whole,
    "truth": _truth,
    "text": lambda _, given: str(given),
    "choice": _choice,
    "numbers": _numbers,
}


@dataclass(frozen=True)
class Region:
    """The part of the default plot a descriptor is about: ``low`` … ``high`` along ``axis``, in ``unit``."""

    axis: str
    low: float
    high: float
    unit: str | None = None


@dataclass(frozen=True)
class Found:
    """A number as a method's function gives it; the room adds titles, method and parameters.

    Attributes
    ----------
    name
        In the method's vocabulary.
    value, uncertainty
        In ``unit``; the uncertainty is one standard deviation, None where it is not known.
    unit
        Only where the vocabulary leaves it to the measurement.
    item
        Which of several: ``peak_3``, ``cycle_12``, ``R1``; empty where there is one.
    settled
        Parameters that the method chose itself for this number, so that it can be repeated.
    """

    name: str
    value: float
    uncertainty: float | None = None
    unit: str | None = None
    item: str = ""
    region: Region | None = None
    settled: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Method:
    """One way of getting numbers from a measurement.

    Attributes
    ----------
    name
        E.g. ``dsc_peaks``; unique.
    version
        Raised whenever the same data would give another number.
    techniques
        Keys of the technique vocabulary that it is for.
    gives
        The descriptors' vocabulary.
    parameters
        What it can be told.
    compute
        Called with an entry (with the tuple of all entries of its techniques if ``together``) and every parameter
        as a keyword, settled. Raises :class:`CannotDescribe`.
    title, title_ja
        For people.
    source
        The standards and papers that define it.
    together
        Whether it needs the measurement's entries together, as a composition does.
    """

    name: str
    version: str
    techniques: tuple[str, ...]
    gives: tuple[Term, ...]
    parameters: tuple[Parameter, ...]
    compute: Callable[..., Iterable[Found]]
    title: str
    title_ja: str
    source: str = ""
    together: bool = False

    def settle(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter's value, those given in place of the defaults.

        Raises
        ------
        CannotDescribe
            A parameter is not known, is not of its kind, or is required and missing.
        """
        known = {p.name: p for p in self.parameters}
        if unknown := sorted(set(given) - set(known)):
            raise CannotDescribe(
                f"{self.name} has no parameter {' or '.join(unknown)}; it has {', '.join(known) or 'none'}"
            )
        settled = {name: p.settle(given.get(name, p.default)) for name, p in known.items()}
        if missing := [n for n, p in known.items() if p.required and settled[n] is None]:
            titles = " and ".join(f"{n} ({known[n].title})" for n in missing)
            raise CannotDescribe(f"{self.name} needs {titles}")
        return settled
