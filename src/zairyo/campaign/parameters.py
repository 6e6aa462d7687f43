"""What can be set in an experiment, declared as data: parameters, and the space that they span with its constraints.

    space = SearchSpace(
        [
            Continuous("temperature", 600, 1100, "degC"),
            Categorical("atmosphere", ["Ar", "N2", "air"]),
            Mixture("powder", ["Fe", "Co", "B"], bounds={"B": (0.05, 0.2)}),
        ],
        constraints=[Rule("temperature < 900 or atmosphere != 'air'")],
    )

Every part can be written to JSON (``to_dict``) and read back (``from_dict``), except constraints that are
Python functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from zairyo.campaign._base import CampaignError
from zairyo.campaign._checks import finite, known, named, once, plain_number, several
from zairyo.campaign._columns import listed
from zairyo.campaign._constraints import Constraint, Function, Linear, Rule, as_constraint
from zairyo.campaign._kinds import Categorical, Composition
from zairyo.campaign._mixture import Mixture

__all__ = [
    "Categorical",
    "Composition",
    "Constraint",
    "Continuous",
    "Function",
    "Integer",
    "Levels",
    "Linear",
    "Mixture",
    "Parameter",
    "Rule",
    "SearchSpace",
    "parameter_from_dict",
]


@dataclass(frozen=True)
class Continuous:
    """A number anywhere in a range.

    Attributes
    ----------
    name
        Unique in its space; the key in settings.
    low, high
        Both allowed.
    unit
        For people.
    log
        Whether factors matter rather than differences (concentrations, rates), so that the logarithm is learned from.
    """

    name: str
    low: float
    high: float
    unit: str = ""
    log: bool = False

    def __post_init__(self) -> None:
        named(self)
        for what in ("low", "high"):
            object.__setattr__(self, what, finite(getattr(self, what), f"parameter {self.name!r}: {what}"))
        if self.low > self.high:
            raise CampaignError(
                f"parameter {self.name!r}: low is {self.low:g} and high is {self.high:g}; exchange them"
            )
        if not math.isfinite(self.high - self.low) or 0 < self.high - self.low < _NARROWEST:
            raise CampaignError(
                f"parameter {self.name!r}: the range from {self.low:g} to {self.high:g} is too "
                f"{'narrow' if self.high - self.low < 1 else 'wide'} to compute with; take another unit"
            )
        if self.log and self.low <= 0:
            raise CampaignError(
                f"parameter {self.name!r} is logarithmic, so low must be above 0, not {self.low:g}; "
                "give the smallest amount that makes sense, or log=False"
            )

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that it has in settings."""
        return (self.name,)


@dataclass(frozen=True)
class Integer:
    """A whole number: low, low + step, … up to high.

    Attributes
    ----------
    name
        Unique in its space; the key in settings.
    low, high
        Both allowed, ``high`` if the steps meet it.
    step
        Between neighbours.
    unit
        For people.
    """

    name: str
    low: int
    high: int
    step: int = 1
    unit: str = ""

    def __post_init__(self) -> None:
        named(self)
        for what in ("low", "high", "step"):
            value = finite(getattr(self, what), f"parameter {self.name!r}: {what}")
            if value != int(value):
                raise CampaignError(f"parameter {self.name!r}: {what} must be a whole number, not {value:g}")
            object.__setattr__(self, what, int(value))
        if self.step < 1 or self.low > self.high:
            raise CampaignError(
                f"parameter {self.name!r} runs from {self.low} to {self.high} in steps of {self.step}; "
                "low may not be above high, and the step must be 1 or more"
            )

    @property
    def count(self) -> int:
        """How many values there are."""
        return (self.high - self.low) // self.step + 1

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that it has in settings."""
        return (self.name,)


@dataclass(frozen=True)
class Levels:
    """One of some numbers, e.g. the powers that a lamp has.

    Attributes
    ----------
    name
        Unique in its space; the key in settings.
    values
        All that it can be; kept in ascending order.
    unit
        For people.
    """

    name: str
    values: tuple[float, ...]
    unit: str = ""

    def __post_init__(self) -> None:
        named(self)
        values = [plain_number(v, f"parameter {self.name!r}") for v in several(self, "values")]
        object.__setattr__(self, "values", tuple(sorted(values)))
        once(self, self.values)

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that it has in settings."""
        return (self.name,)


Parameter: TypeAlias = Continuous | Integer | Levels | Categorical | Composition | Mixture
_NARROWEST = 1e-200
_CLASSES: dict[str, Any] = {
    "continuous": Continuous,
    "integer": Integer,
    "levels": Levels,
    "categorical": Categorical,
    "composition": Composition,
    "mixture": Mixture,
}


@dataclass(frozen=True)
class SearchSpace:
    """Parameters, and which of their combinations are allowed.

    Attributes
    ----------
    parameters
        Of an experiment.
    constraints
        All must hold: :class:`Linear`, :class:`Rule`, the text of a rule, or a function of one experiment's settings.
    shared
        Settings that all experiments of one batch have in common, e.g. the temperature of a furnace run.
    cost
        Of an experiment: a number, or an expression such as ``"2 * time + 5"``; None where all cost the same.
    """

    parameters: tuple[Parameter, ...]
    constraints: tuple[Constraint, ...] = ()
    shared: tuple[str, ...] = ()
    cost: str | float | None = None

    def __post_init__(self) -> None:
        parameters = tuple(self.parameters)
        if not parameters:
            raise CampaignError("a search space needs a parameter or more")
        for one in parameters:
            if not isinstance(one, tuple(_CLASSES.values())):
                raise CampaignError(
                    f"{one!r} is no parameter; there are {listed([c.__name__ for c in _CLASSES.values()])}"
                )
        object.__setattr__(self, "parameters", parameters)
        names = self.settings
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise CampaignError(
                f"{listed(twice)} is the name of more than one parameter or ingredient; rename all but one"
            )
        given: Any = self.constraints
        if isinstance(given, (str, Linear, Rule)) or callable(given):
            given = (given,)
        object.__setattr__(self, "constraints", tuple(as_constraint(c) for c in given))
        object.__setattr__(
            self, "shared", (self.shared,) if isinstance(self.shared, str) else tuple(self.shared)
        )
        for what, words in (
            *((f"constraint {c}", c.names) for c in self.constraints),
            ("shared", self.shared),
            ("cost", Rule(self.cost).names if isinstance(self.cost, str) else ()),
        ):
            for word in words:
                known(word, names, what)

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys of settings, in order."""
        return tuple(name for one in self.parameters for name in one.settings)

    @property
    def endless(self) -> bool:
        """Whether some parameter is continuous, so that experiments cannot be counted."""
        return any(
            isinstance(p, Continuous) or (isinstance(p, Mixture) and p.step is None) for p in self.parameters
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it.

        Raises
        ------
        CampaignError
            A constraint is a Python function, which cannot be stored.
        """
        told: dict[str, Any] = {"parameters": [parameter_to_dict(p) for p in self.parameters]}
        if self.constraints:
            told["constraints"] = [c.to_dict() for c in self.constraints]
        if self.shared:
            told["shared"] = list(self.shared)
        if self.cost is not None:
            told["cost"] = self.cost
        return told

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> SearchSpace:
        """The inverse of :meth:`to_dict`.

        Raises
        ------
        CampaignError
            A part is not known or not as it must be; the message names it.
        """
        if not isinstance(given, Mapping) or not isinstance(given.get("parameters"), Sequence):
            raise CampaignError("a search space needs parameters: a list of objects, each with type and name")
        if unknown := set(given) - {f.name for f in fields(cls)}:
            raise CampaignError(f"a search space has no {listed(sorted(map(str, unknown)))}")
        return cls(
            tuple(parameter_from_dict(p) for p in given["parameters"]),
            tuple(as_constraint(c) for c in given.get("constraints", ())),
            tuple(given.get("shared", ())),
            given.get("cost"),
        )


def parameter_to_dict(parameter: Parameter) -> dict[str, Any]:
    """A parameter as JSON holds it: its type, and what differs from the defaults."""
    kind = next(k for k, c in _CLASSES.items() if type(parameter) is c)
    told: dict[str, Any] = {"type": kind}
    for one in fields(parameter):
        value = getattr(parameter, one.name)
        if value != one.default and value != {}:
            told[one.name] = _jsonable(value)
    return told


def parameter_from_dict(given: Mapping[str, Any]) -> Parameter:
    """The inverse of :func:`parameter_to_dict`.

    Raises
    ------
    CampaignError
        The type or a field is not known, or a field is not as it must be.
    """
    if not isinstance(given, Mapping) or given.get("type") not in _CLASSES:
        kind = given.get("type") if isinstance(given, Mapping) else given
        raise CampaignError(f"there is no parameter of type {kind!r}; there are {listed(list(_CLASSES))}")
    cls = _CLASSES[given["type"]]
    names = {f.name for f in fields(cls)}
    told = {k: v for k, v in given.items() if k != "type"}
    if unknown := set(told) - names:
        raise CampaignError(
            f"a parameter of type {given['type']} has no {listed(sorted(map(str, unknown)))}; "
            f"it has {listed(sorted(names))}"
        )
    try:
        parameter: Parameter = cls(**told)
    except TypeError as e:
        raise CampaignError(f"parameter {given.get('name')!r}: {e}") from None
    return parameter


def _jsonable(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_jsonable(v) for v in value]
    return {str(k): _jsonable(v) for k, v in value.items()} if isinstance(value, Mapping) else value
