"""Which settings are allowed: linear inequalities, rules in a small language, Python functions.

A rule is parsed once by Python's own grammar, every node is checked against a short list of what may stand there, and
what is left is computed on whole columns by NumPy. Nothing is ever passed to ``eval``.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from zairyo.campaign._base import CampaignError, Floats, Mask
from zairyo.campaign._columns import Coded, Column, Columns, rows_of
from zairyo.campaign._language import (
    check,
    compute,
    parsed,
)

#: By which share of its terms' size a linear constraint may be missed through rounding.
SLACK = 1e-6


@runtime_checkable
class Constraint(Protocol):
    """What must hold of settings."""

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that it needs; empty if that cannot be known."""
        ...

    def allows(self, columns: Columns) -> Mask:
        """Which rows it allows, shape (m,)."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        ...


_SENSES = {"<=": "<=", "≤": "<=", "<": "<=", ">=": ">=", "≥": ">=", ">": ">=", "==": "==", "=": "=="}


@dataclass(frozen=True)
class Linear:
    """A weighted sum of numbers that stays below, above or at a bound: ``Linear({"a": 1, "b": 2}, "<=", 5)``.

    Attributes
    ----------
    coefficients
        Setting (a number, or an ingredient) → its weight.
    sense
        ``<=``, ``>=`` or ``==``.
    bound
        Of the sum. It may be missed by a millionth, through rounding.
    """

    coefficients: Mapping[str, float]
    sense: str
    bound: float

    def __post_init__(self) -> None:
        if not isinstance(self.coefficients, Mapping) or not self.coefficients:
            raise CampaignError(
                f"a linear constraint needs weights such as {{'a': 1}}, not {self.coefficients!r}"
            )
        weights = {str(k): _finite(v, f"the weight of {k!r}") for k, v in self.coefficients.items()}
        if self.sense not in _SENSES:
            raise CampaignError(f"a linear constraint is <=, >= or ==, not {self.sense!r}")
        object.__setattr__(self, "coefficients", weights)
        object.__setattr__(self, "sense", _SENSES[self.sense])
        object.__setattr__(self, "bound", _finite(self.bound, f"the bound of {list(weights)}"))

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that it sums."""
        return tuple(self.coefficients)

    def allows(self, columns: Columns) -> Mask:
        """Which rows it allows, shape (m,)."""
        total = np.zeros(rows_of(columns))
        size = np.full(len(total), abs(self.bound))
        for name, weight in self.coefficients.items():
            term = weight * _numbers(columns[name], name, str(self))
            total += term
            size = np.maximum(size, np.abs(term))
        slack = SLACK * size
        above = total <= self.bound + slack if self.sense != ">=" else np.ones(len(total), bool)
        below = total >= self.bound - slack if self.sense != "<=" else np.ones(len(total), bool)
        return np.asarray(above & below)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"linear": dict(self.coefficients), "sense": self.sense, "bound": self.bound}

    def __str__(self) -> str:
        return (
            " + ".join(f"{w:g}·{n}" for n, w in self.coefficients.items()) + f" {self.sense} {self.bound:g}"
        )


@dataclass(frozen=True)
class Rule:
    """An expression over settings: ``Rule("temperature < 900 or time > 2")``.

    Numbers, text in quotes, ``+ - * / ** %``, comparisons (also ``1 < a < 2``), ``in (…)``, ``and``, ``or``, ``not``,
    and ``min max abs sqrt exp log log10``. A name with spaces or signs stands in backquotes: ```T (degC)` < 900``.

    Attributes
    ----------
    text
        The expression.
    """

    text: str
    _tree: ast.expr = field(init=False, repr=False, compare=False)
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tree, quoted = parsed(self.text)
        names: dict[str, None] = {}
        check(tree, self.text, quoted, names)
        object.__setattr__(self, "_tree", tree)
        object.__setattr__(self, "names", tuple(names))

    def value(self, columns: Columns) -> NDArray[Any]:
        """What the expression gives for each row, shape (m,).

        Raises
        ------
        CampaignError
            A name is no setting, or kinds stand where numbers must.
        """
        with np.errstate(all="ignore"):
            found = compute(self._tree, columns, self.text)
        if isinstance(found, (Coded, str)):
            raise CampaignError(f"rule {self.text!r} gives a kind, where a number or a comparison is needed")
        result: NDArray[Any] = np.broadcast_to(np.asarray(found), (rows_of(columns),))
        return result

    def allows(self, columns: Columns) -> Mask:
        """Which rows it allows, shape (m,); what cannot be computed (0/0) is not allowed."""
        found = self.value(columns)
        if found.dtype != bool:
            raise CampaignError(
                f"rule {self.text!r} gives a number, not yes or no; compare it with something, e.g. {self.text} <= 1"
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"rule": self.text}

    def __str__(self) -> str:
        return repr(self.text)


@dataclass(frozen=True)
class Function:
    """A Python function of one experiment's settings that says whether it is allowed; it cannot be stored.

    Attributes
    ----------
    allowed
        Called once for every candidate with its settings, a dict: slow for large pools, where a rule is not.
    """

    allowed: Callable[[Mapping[str, Any]], Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Empty: a function does not tell."""
        return ()

    def allows(self, columns: Columns) -> Mask:
        """Which rows it allows, shape (m,)."""
        plain = {
            name: [c.values[i] for i in c.codes.tolist()] if isinstance(c, Coded) else c.tolist()
            for name, c in columns.items()
        }
        found = np.empty(rows_of(columns), bool)
        for i in range(len(found)):
            settings = {name: column[i] for name, column in plain.items()}
            try:
                found[i] = bool(self.allowed(settings))
            except Exception as e:
                raise CampaignError(
                    f"constraint {self} failed for {settings}: {type(e).__name__}: {e}"
                ) from e
        return found

    def to_dict(self) -> dict[str, Any]:
        """Never: a function cannot be stored."""
        raise CampaignError(
            f"constraint {self} is a Python function, which cannot be stored in a file; write it as "
            "Rule('…') or Linear(…), or keep the campaign in memory"
        )

    def __str__(self) -> str:
        return str(getattr(self.allowed, "__name__", self.allowed))


def as_constraint(given: Any) -> Constraint:
    """A constraint from what people write: itself, the text of a rule, a function, or what JSON holds.

    Raises
    ------
    CampaignError
        It is none of these.
    """
    if isinstance(given, (Linear, Rule, Function)):
        return given
    if isinstance(given, str):
        return Rule(given)
    if isinstance(given, Mapping) and set(given) == {"rule"}:
        return Rule(given["rule"])
    if isinstance(given, Mapping) and set(given) == {"linear", "sense", "bound"}:
        return Linear(given["linear"], given["sense"], given["bound"])
    if isinstance(given, Constraint):
        return given
    if callable(given):
        return Function(given)
    raise CampaignError(
        f"{given!r} is no constraint; write Linear({{'a': 1}}, '<=', 5), Rule('a < 5') or a function"
    )


def _numbers(column: Column, name: str, where: str) -> Floats:
    if isinstance(column, Coded):
        raise CampaignError(f"constraint {where}: {name!r} is a kind, not a number; use a Rule with == or in")
    return column


def _finite(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or isinstance(value, str):
        raise CampaignError(f"{what} must be a finite number, not {value!r}")
    return number
