"""What the columns of a table are: role, kind, unit, levels; and how they are written to YAML or JSON.

A schema is guessed when a table is read, shown, corrected, saved, and read back:

    table.schema.save("alloys.schema.yaml")
    Table.read("alloys.csv", schema="alloys.schema.yaml")
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from zairyo.measurement import units
from zairyo.tables._base import TableError, listed
from zairyo.tables.composition import Basis

#: What a column says of a sample. A measured descriptor exists only for samples already made and measured; a
#: note is kept and never learned from.
Role: TypeAlias = Literal[
    "identifier", "composition", "process", "measured_descriptor", "property", "cost", "group", "note"
]
#: What a cell holds. ``composition`` is a formula or an alloy as text; amounts in columns are numbers.
Kind: TypeAlias = Literal["number", "integer", "category", "text", "composition", "smiles"]
ROLES: tuple[str, ...] = get_args(Role)
KINDS: tuple[str, ...] = get_args(Kind)
NUMERIC = ("number", "integer")
#: By which share of the total the sum of amounts may be off through rounding.
TOLERANCE = 0.02
#: Roles whose values come from measuring: a row that has one was made.
OUTCOMES = ("measured_descriptor", "property")


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name
        Unique in its table.
    role, kind
        See :data:`Role` and :data:`Kind`.
    unit
        As Pint spells it (``degC``), ``""`` for a plain number, None if it has or states none. A unit that is not
        known is kept verbatim.
    title
        For people; the name if empty.
    levels
        Of a category: what it can be, in order.
    ordered
        Whether the order of the levels means more and less, so that they become one number (their rank).
    level_values
        What is known of each level of a category, e.g. a solvent's dielectric constant: name → a number a level.
        They become features in place of one column a level.
    basis
        Of a ``composition`` as text: whether its numbers count ``mole`` or ``mass``.
    heading
        What files call the column; the name if empty.
    uncertainty
        Heading of the column in files that holds its standard deviations, if there is one.
    """

    name: str
    role: Role = "process"
    kind: Kind = "number"
    unit: str | None = None
    title: str = ""
    levels: tuple[str, ...] = ()
    ordered: bool = False
    level_values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    basis: Basis | None = None
    heading: str = ""
    uncertainty: str = ""

    def __post_init__(self) -> None:
        for value, known, what in ((self.role, ROLES, "role"), (self.kind, KINDS, "kind")):
            if value not in known:
                raise TableError(
                    f"column {self.name!r}: there is no {what} {value!r}; there are {listed(known)}"
                )
        if not isinstance(self.name, str) or not self.name.strip():
            raise TableError(f"a column needs a name, not {self.name!r}")
        object.__setattr__(self, "levels", tuple(self.levels))
        known_of = {name: tuple(map(float, v)) for name, v in self.level_values.items()}
        object.__setattr__(self, "level_values", known_of)
        if len(set(self.levels)) < len(self.levels):
            raise TableError(f"column {self.name!r} names a level twice: {listed(self.levels)}")
        if self.kind != "category" and (self.levels or self.ordered or self.level_values):
            raise TableError(f"column {self.name!r} has levels, so its kind is category, not {self.kind}")
        for name, numbers in known_of.items():
            if len(numbers) != len(self.levels):
                raise TableError(
                    f"column {self.name!r}: {name} has {len(numbers)} values for {len(self.levels)} levels"
                )

    def as_role(self, role: Any) -> Column:
        """In another role. What is measured or paid is not whole by nature, even if all values so far are."""
        whole = self.kind == "integer" and role in (*OUTCOMES, "cost")
        return replace(self, role=role, kind="number" if whole else self.kind)

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC

    @property
    def label(self) -> str:
        """For a plot: ``Temperature (degC)``."""
        return f"{self.title or self.name} ({self.unit})" if self.unit else self.title or self.name


@dataclass(frozen=True)
class Mixture:
    """Columns of amounts that make up one whole: a mixture of ingredients, or an alloy of elements.

    Attributes
    ----------
    name
        Unique among the table's mixtures.
    columns
        The columns of the amounts.
    basis
        What the amounts count: ``mole`` (at.%, mol.%), ``mass`` (wt.%), ``volume``; None if it is not known, so that
        they cannot be converted.
    total
        What every row must sum to, 1 or 100; None if only proportions matter (grams weighed in, moles).
    ingredients
        The elements or formulas of the columns, for conversions and element properties; the columns' names where
        there is no other.
    balance
        An element or ingredient without a column that makes up the rest of ``total`` (``Fe`` in a table of steels).
    densities, molar_masses
        Of ingredients, in g/cm³ and g/mol, where a conversion needs them and the formula does not give them.
    tolerance
        By which share of ``total`` a sum may be off through rounding.
    """

    name: str
    columns: tuple[str, ...]
    basis: Basis | None = None
    total: float | None = 1.0
    ingredients: tuple[str, ...] = ()
    balance: str = ""
    densities: Mapping[str, float] = field(default_factory=dict)
    molar_masses: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "ingredients", tuple(self.ingredients or self.columns))
        for name in ("densities", "molar_masses"):
            object.__setattr__(self, name, dict(getattr(self, name)))
        if self.basis not in (None, *get_args(Basis)):
            raise TableError(
                f"mixture {self.name!r}: there is no basis {self.basis!r}; there are mole, mass, volume"
            )
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise TableError(f"mixture {self.name!r} needs columns, each once: {listed(self.columns)}")
        if len(self.ingredients) != len(self.columns):
            raise TableError(
                f"mixture {self.name!r} has {len(self.columns)} columns and {len(self.ingredients)} ingredients"
            )
        if self.balance and self.total is None:
            raise TableError(f"mixture {self.name!r}: a balance needs the total that it fills up to")

    @property
    def parts(self) -> tuple[str, ...]:
        """The ingredients, the balance last."""
        return (*self.ingredients, self.balance) if self.balance else self.ingredients


@dataclass(frozen=True)
class Schema:
    """The columns of a table, its mixtures, and what files call the columns that tell of a sample's state.

    Attributes
    ----------
    columns, mixtures
        In order; names are unique.
    row, state, reason, replicate_of
        Headings in files of the rows' ids, of the samples' states (see ``STATES``), of the reasons of failures and of
        the ids of the rows that a row repeats.
    """

    columns: tuple[Column, ...]
    mixtures: tuple[Mixture, ...] = ()
    row: str = "row"
    state: str = "state"
    reason: str = "reason"
    replicate_of: str = "replicate_of"

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "mixtures", tuple(self.mixtures))
        names = [c.name for c in self.columns]
        for what, all_names in (("columns", names), ("mixtures", [m.name for m in self.mixtures])):
            if twice := sorted({n for n in all_names if all_names.count(n) > 1}):
                raise TableError(f"two {what} are named {listed(twice)}; give each its own name")
        taken = {n for c in self.columns for n in (c.name, c.heading)}
        for what in ("row", "state", "reason", "replicate_of"):
            while (heading := getattr(self, what)) in taken:
                object.__setattr__(self, what, f"sample {heading}")
        used: set[str] = set()
        for mixture in self.mixtures:
            for name in mixture.columns:
                column = self[name]
                if not column.numeric or name in used:
                    why = "is in two mixtures" if name in used else f"is a {column.kind}, not a number"
                    raise TableError(f"column {name!r} of mixture {mixture.name!r} {why}")
                used.add(name)

    def __getitem__(self, name: str) -> Column:
        """A column by its name, or by its heading in files."""
        for column in self.columns:
            if column.name == name:
                return column
        for column in self.columns:
            if column.heading == name:
                return column
        near = difflib.get_close_matches(str(name), self.names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {listed(self.names)}"
        raise TableError(f"there is no column {name!r}; {hint}")

    def __contains__(self, name: object) -> bool:
        return any(name in (c.name, c.heading) for c in self.columns)

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]

    def of_role(self, *roles: str) -> list[str]:
        """Names of the columns of some roles, in order."""
        if unknown := [r for r in roles if r not in ROLES]:
            raise TableError(f"there is no role {listed(unknown)}; there are {listed(ROLES)}")
        return [c.name for c in self.columns if c.role in roles]

    def with_column(self, name: str, **changes: Any) -> Schema:
        """The schema with some fields of one column changed: ``with_column("T", role="process", unit="degC")``.

        A column that is no longer an amount of the composition leaves its mixture.
        """
        old = self[name]
        if unknown := set(changes) - {f.name for f in fields(Column)}:
            names = [f.name for f in fields(Column)]
            raise TableError(f"a column has no {listed(sorted(unknown))}; it has {listed(names)}")
        if changes.get("kind", "category") != "category":
            changes = {"levels": (), "ordered": False, "level_values": {}} | changes
        new = replace(old, **changes)
        if new.name != old.name and not new.heading:
            new = replace(new, heading=old.name)
        renamed = {old.name: new.name}
        columns = tuple(new if c is old else c for c in self.columns)
        amounts = {c.name for c in columns if c.role == "composition" and c.numeric}
        mixtures = (
            _narrowed(replace(m, columns=tuple(renamed.get(c, c) for c in m.columns)), amounts)
            for m in self.mixtures
        )
        return replace(self, columns=columns, mixtures=tuple(m for m in mixtures if m is not None))

    def with_roles(self, roles: Mapping[str, Any]) -> Schema:
        """The schema with other roles: column → role, or role → columns."""
        schema = self
        for name, role in by_column(roles).items():
            schema = schema.with_column(name, role=role, kind=schema[name].as_role(role).kind)
        return schema

    def to_dict(self) -> dict[str, Any]:
        """As JSON and YAML hold it: only what differs from the defaults, except role and kind."""
        result: dict[str, Any] = {"columns": {c.name: _told(c, ("role", "kind")) for c in self.columns}}
        if self.mixtures:
            result["mixtures"] = {m.name: _told(m, ("columns",)) for m in self.mixtures}
        return result | {
            f.name: getattr(self, f.name) for f in fields(self)[2:] if getattr(self, f.name) != f.default
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Schema:
        """The inverse of :meth:`to_dict`.

        Raises
        ------
        TableError
            A field is not known or not as it must be; the message names it.
        """
        if not isinstance(given, Mapping) or not isinstance(given.get("columns"), Mapping):
            raise TableError("a schema needs columns: a name for each, with its role and kind")
        rest = {k: v for k, v in given.items() if k not in ("columns", "mixtures")}
        if unknown := set(rest) - {f.name for f in fields(cls)}:
            raise TableError(f"a schema has no {listed(sorted(map(str, unknown)))}")
        columns = tuple(_made(Column, "column", n, told) for n, told in given["columns"].items())
        mixtures = tuple(
            _made(Mixture, "mixture", n, told) for n, told in (given.get("mixtures") or {}).items()
        )
        return cls(columns, mixtures, **rest)

    def to_yaml(self) -> str:
        import yaml

        style: dict[str, Any] = {"allow_unicode": True, "sort_keys": False, "width": 110}
        return str(yaml.safe_dump(self.to_dict(), default_flow_style=None, **style))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file: JSON if its name ends in ``.json``, else YAML."""
        path = Path(path)
        text = (
            json.dumps(self.to_dict(), ensure_ascii=False, indent=1)
            if path.suffix == ".json"
            else self.to_yaml()
        )
        path.write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Schema:
        """Read it from a YAML or JSON file.

        Raises
        ------
        TableError
            It is not a schema; the message names the file and the field.
        """
        import yaml

        try:
            return cls.from_dict(yaml.safe_load(Path(path).read_text(encoding="utf-8-sig")))
        except (yaml.YAMLError, UnicodeDecodeError) as e:
            raise TableError(f"{path} is neither YAML nor JSON: {e}") from None
        except TableError as e:
            raise TableError(*(f"{path}: {p}" for p in e.problems)) from None

    def __repr__(self) -> str:
        return self.to_yaml()


def by_column(roles: Mapping[str, Any]) -> dict[str, Any]:
    """Column → role, whichever way round it was written."""
    result: dict[str, Any] = {}
    for key, value in roles.items():
        if isinstance(value, str) and (value in ROLES or key not in ROLES):
            result[key] = value
        else:
            result |= dict.fromkeys([value] if isinstance(value, str) else value, key)
    return result


def _narrowed(mixture: Mixture, amounts: set[str]) -> Mixture | None:
    """The mixture of those of its columns that are (still) amounts; None if there is no mixture left."""
    kept = [(c, i) for c, i in zip(mixture.columns, mixture.ingredients, strict=True) if c in amounts]
    if len(kept) == len(mixture.columns):
        return mixture
    if len(kept) < 2:
        return None
    columns, ingredients = zip(*kept, strict=True)
    return replace(mixture, columns=columns, ingredients=ingredients, total=None, balance="")


def _told(part: Column | Mixture, always: Iterable[str]) -> dict[str, Any]:
    """The fields of a column or a mixture that differ from the defaults."""
    defaults = Column("x") if isinstance(part, Column) else Mixture("x", ("x",))
    told: dict[str, Any] = {}
    for f in fields(part)[1:]:
        value = getattr(part, f.name)
        if f.name in always or value != getattr(defaults, f.name):
            told[f.name] = value
    if isinstance(part, Mixture) and part.ingredients == part.columns:
        told.pop("ingredients", None)
    return {k: _plain(v) for k, v in told.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def _made(cls: type[Any], what: str, name: Any, told: Any) -> Any:
    known = {f.name for f in fields(cls)} - {"name"}
    if not isinstance(told, Mapping):
        raise TableError(f"{what} {name!r} needs fields such as role and kind, not {told!r}")
    if unknown := [str(k) for k in told if k not in known]:
        raise TableError(f"{what} {name!r} has no {listed(unknown)}; it may have {listed(sorted(known), 20)}")
    given = dict(told)
    if unit := given.get("unit"):
        given["unit"] = units.normalise(str(unit)) or str(unit)
    for key in ("levels", "columns", "ingredients"):
        if isinstance(given.get(key), (list, tuple)):
            given[key] = tuple(str(v) for v in given[key])
    try:
        return cls(name=str(name), **given)
    except (TypeError, ValueError) as e:
        if isinstance(e, TableError):
            raise
        raise TableError(f"{what} {name!r}: {e}") from None
