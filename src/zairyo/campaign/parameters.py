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
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

from zairyo.campaign._base import CampaignError
from zairyo.campaign._constraints import Constraint, Function, Linear, Rule, as_constraint, listed

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

_MOST_LEVELS = 1_000_000


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
        _named(self)
        for what in ("low", "high"):
            object.__setattr__(self, what, _number(getattr(self, what), f"parameter {self.name!r}: {what}"))
        if self.low > self.high:
            raise CampaignError(
                f"parameter {self.name!r}: low is {self.low:g} and high is {self.high:g}; exchange them"
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
        _named(self)
        for what in ("low", "high", "step"):
            value = _number(getattr(self, what), f"parameter {self.name!r}: {what}")
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
        _named(self)
        values = [_plain_number(v, f"parameter {self.name!r}") for v in _several(self, "values")]
        object.__setattr__(self, "values", tuple(sorted(values)))
        _once(self, self.values)

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that it has in settings."""
        return (self.name,)


@dataclass(frozen=True)
class Categorical:
    """One of some kinds, with what is known of each or without.

    Attributes
    ----------
    name
        Unique in its space; the key in settings.
    values
        The kinds: text, numbers that are only names, true and false.
    descriptors
        What is known of the kinds, e.g. ``{"dielectric constant": [80.1, 36.7]}``: name → a number for each value.
        Kinds with similar numbers are then expected to behave alike.
    """

    name: str
    values: tuple[Any, ...]
    descriptors: Mapping[str, Sequence[float]] | None = None

    def __post_init__(self) -> None:
        _named(self)
        values = tuple(_plain_value(v, self.name) for v in _several(self, "values"))
        object.__setattr__(self, "values", values)
        _once(self, [str(v) for v in values])
        if not self.descriptors:
            object.__setattr__(self, "descriptors", None)
            return
        known: dict[str, tuple[float, ...]] = {}
        for name, numbers in self.descriptors.items():
            if isinstance(numbers, Mapping):
                numbers = [numbers.get(v, numbers.get(str(v), math.nan)) for v in values]
            if len(numbers) != len(values):
                raise CampaignError(
                    f"parameter {self.name!r}: descriptor {name!r} has {len(numbers)} numbers for {len(values)} values"
                )
            known[str(name)] = tuple(
                _number(n, f"parameter {self.name!r}: descriptor {name!r} of {v!r}")
                for n, v in zip(numbers, values, strict=True)
            )
        seen: dict[tuple[float, ...], Any] = {}
        for value, row in zip(values, zip(*known.values(), strict=True), strict=True):
            if row in seen:
                raise CampaignError(
                    f"parameter {self.name!r}: {seen[row]!r} and {value!r} have the same descriptors, so that nothing "
                    "can tell them apart; add a descriptor in which they differ"
                )
            seen[row] = value
        object.__setattr__(self, "descriptors", known)

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that it has in settings."""
        return (self.name,)


@dataclass(frozen=True)
class Composition:
    """One of some formulas or alloys, compared by the amounts of their elements.

    Attributes
    ----------
    name
        Unique in its space; the key in settings.
    values
        Formulas as text: ``Nd2Fe14B``, ``Zr70Al8Cu19Ni3``. Others of the same elements can be told.
    properties
        Whether means, deviations and ranges of the elements' properties are learned from too.
    """

    name: str
    values: tuple[str, ...]
    properties: bool = False

    def __post_init__(self) -> None:
        from zairyo.tables import TableError, parse

        _named(self)
        values = tuple(str(v) for v in _several(self, "values"))
        object.__setattr__(self, "values", values)
        _once(self, values)
        for value in values:
            try:
                parse(value)
            except TableError as e:
                raise CampaignError(f"parameter {self.name!r}: {value!r} is no formula: {e}") from None

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that it has in settings."""
        return (self.name,)


@dataclass(frozen=True)
class Mixture:
    """Amounts of ingredients that sum to a total.

    In settings each ingredient has its own key: ``{"Fe": 0.8, "Co": 0.1, "B": 0.1}``.

    Attributes
    ----------
    name
        Unique in its space.
    ingredients
        Two or more; unique in the whole space.
    total
        What the amounts sum to, 1 or 100.
    bounds
        Ingredient → its least and largest amount; 0 and the total where none are given.
    at_most
        How many ingredients may be more than nothing; None for all.
    step
        Between neighbouring amounts (0.05); None where any amount can be weighed.
    balance
        One of the ingredients whose amount is not written in settings, because it makes up the rest; empty for none.
    """

    name: str
    ingredients: tuple[str, ...]
    total: float = 1.0
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    at_most: int | None = None
    step: float | None = None
    balance: str = ""

    def __post_init__(self) -> None:
        _named(self)
        where = f"mixture {self.name!r}"
        object.__setattr__(self, "ingredients", tuple(str(i) for i in _several(self, "ingredients")))
        _once(self, self.ingredients)
        total = _number(self.total, f"{where}: total")
        object.__setattr__(self, "total", total)
        if total <= 0 or len(self.ingredients) < 2:
            raise CampaignError(f"{where} needs two ingredients or more and a total above 0")
        if self.balance and self.balance not in self.ingredients:
            raise CampaignError(
                f"{where}: the balance {self.balance!r} is none of its ingredients {listed(self.ingredients)}"
            )
        bounds: dict[str, tuple[float, float]] = {}
        for name, pair in self.bounds.items():
            if name not in self.ingredients:
                raise CampaignError(
                    f"{where}: there are bounds for {name!r}, and only {listed(self.ingredients)} are in it"
                )
            if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
                raise CampaignError(
                    f"{where}: bounds of {name!r} are a least and a largest amount, not {pair!r}"
                )
            low, high = (_number(v, f"{where}: bounds of {name!r}") for v in pair)
            if not 0 <= low <= high:
                raise CampaignError(
                    f"{where}: bounds of {name!r} must be 0 ≤ least ≤ largest, not {low:g}, {high:g}"
                )
            bounds[name] = (low, min(high, total))
        object.__setattr__(self, "bounds", bounds)
        self._possible(where)

    def _possible(self, where: str) -> None:
        lows, highs = self.lows, self.highs
        most = len(self.ingredients)
        if self.at_most is not None:
            most = int(_number(self.at_most, f"{where}: at_most"))
            object.__setattr__(self, "at_most", most)
        always = sum(low > 0 for low in lows)
        if most < max(1, always):
            raise CampaignError(
                f"{where}: at most {most} ingredients, and {always} are always in it by their least amounts"
            )
        slack = 1e-9 * self.total
        if sum(lows) > self.total + slack:
            raise CampaignError(
                f"{where}: the least amounts sum to {sum(lows):g}, above the total {self.total:g}"
            )
        kept = sorted((h for low, h in zip(lows, highs, strict=True) if low == 0), reverse=True)
        largest = sum(h for low, h in zip(lows, highs, strict=True) if low > 0) + sum(kept[: most - always])
        if largest < self.total - slack:
            raise CampaignError(
                f"{where}: the largest amounts of at most {most} ingredients sum to {largest:g}, below the total "
                f"{self.total:g}; raise bounds or at_most"
            )
        if self.step is not None:
            step = _number(self.step, f"{where}: step")
            object.__setattr__(self, "step", step)
            if step <= 0 or abs(self.total / step - round(self.total / step)) > 1e-6:
                raise CampaignError(
                    f"{where}: the total {self.total:g} is no whole number of steps of {step:g}; take a step that "
                    "divides it"
                )

    @property
    def lows(self) -> tuple[float, ...]:
        """The least amount of each ingredient."""
        return tuple(self.bounds.get(i, (0.0, self.total))[0] for i in self.ingredients)

    @property
    def highs(self) -> tuple[float, ...]:
        """The largest amount of each ingredient."""
        return tuple(self.bounds.get(i, (0.0, self.total))[1] for i in self.ingredients)

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys that it has in settings."""
        return tuple(i for i in self.ingredients if i != self.balance)


Parameter: TypeAlias = Continuous | Integer | Levels | Categorical | Composition | Mixture
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
                _known(word, names, what)

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
    known = {f.name for f in fields(cls)}
    told = {k: v for k, v in given.items() if k != "type"}
    if unknown := set(told) - known:
        raise CampaignError(
            f"a parameter of type {given['type']} has no {listed(sorted(map(str, unknown)))}; "
            f"it has {listed(sorted(known))}"
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


def _known(word: str, names: Sequence[str], where: str) -> None:
    from difflib import get_close_matches

    if word not in names:
        near = get_close_matches(str(word), list(names), n=2, cutoff=0.6)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {listed(names)}"
        raise CampaignError(f"{where}: there is no parameter {word!r}; {hint}")


def _named(parameter: Any) -> None:
    if not isinstance(parameter.name, str) or not parameter.name.strip():
        raise CampaignError(f"a parameter needs a name, not {parameter.name!r}")


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise CampaignError(f"{where} must be a number, not {value!r}") from None
    if not math.isfinite(number) or isinstance(value, (str, bytes)):
        raise CampaignError(f"{where} must be a finite number, not {value!r}")
    return number


def _plain_number(value: Any, where: str) -> float:
    """The number, still an int if it was one, so that settings show it as it was given."""
    number = _number(value, where)
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, int) and not isinstance(value, bool) else number


def _plain_value(value: Any, name: str) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, (str, int, float, bool)) or (
        isinstance(value, float) and not math.isfinite(value)
    ):
        raise CampaignError(
            f"parameter {name!r}: {value!r} is no name; values are text, numbers, true or false"
        )
    return value


def _several(parameter: Any, what: str) -> tuple[Any, ...]:
    given = getattr(parameter, what)
    if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__"):
        raise CampaignError(f"parameter {parameter.name!r}: {what} must be a list, not {given!r}")
    values = tuple(given)
    if not 0 < len(values) <= _MOST_LEVELS:
        raise CampaignError(
            f"parameter {parameter.name!r}: {what} must be 1 to {_MOST_LEVELS:,}, not {len(values):,}"
        )
    return values


def _once(parameter: Any, values: Sequence[Any]) -> None:
    if len(set(values)) < len(values):
        seen: set[Any] = set()
        twice = [v for v in values if v in seen or seen.add(v)]  # type: ignore[func-returns-value]
        raise CampaignError(f"parameter {parameter.name!r} names {listed(twice)} twice; name each once")
