"""What the columns of a table of candidates are: settings, cost or neither; and how settings become features."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.campaign._base import CampaignError
from zairyo.campaign._cells import with_unit
from zairyo.campaign._coding import Code, KindCode, MixtureCode, NumberCode, formulas, molecules
from zairyo.campaign._columns import listed
from zairyo.campaign.parameters import Continuous, Integer, Mixture
from zairyo.tables._headings import outcome_of, role_of
from zairyo.tables.schema import OUTCOMES

#: SMILES of more molecules than these are described by numbers, not one by one.
_MOST_MOLECULES = 100
#: Columns of more different texts are notes.
_MOST_TEXTS = 1000


def understood(frame: Any, leave: Sequence[str]) -> Any:
    """A frame's table; what stands in outcomes is no reason to refuse it."""
    from zairyo.tables import Table, TableError

    outcomes = [n for n in leave if n in frame.columns]
    try:
        return Table.read(frame)
    except TableError:
        if not outcomes or len(outcomes) == len(frame.columns):
            raise
        return Table.read(frame.drop(columns=outcomes))


@dataclass(frozen=True)
class Plan:
    """What the columns of a table are for a campaign.

    Attributes
    ----------
    schema
        As ``zairyo.tables`` understood the table.
    keys
        The schema's column → its key in settings.
    settings
        The schema's columns that are set, in order.
    cost
        The column that the table itself says is the cost; None if none is.
    notes
        What was decided, for people.
    """

    schema: Any
    keys: Mapping[str, str]
    settings: tuple[str, ...]
    cost: str | None
    notes: tuple[str, ...]

    @property
    def mixtures(self) -> list[Any]:
        """Mixtures all of whose columns are set."""
        return [m for m in self.schema.mixtures if set(m.columns) <= set(self.settings)]


def plan_of(table: Any, settings: Sequence[str] | None, leave: Sequence[str], own_names: bool) -> Plan:
    """Which columns are set.

    Parameters
    ----------
    table
        A :class:`zairyo.tables.Table`.
    settings, leave
        See :func:`zairyo.campaign._pools.candidates_from`.
    own_names
        Whether keys are the table's names of columns, rather than the headings that its file or frame has.
    """
    schema = table.schema
    keys = {c.name: c.name if own_names else c.heading or c.name for c in schema.columns}
    names = {key: name for name, key in keys.items()} | {name: name for name in keys}
    left = {names[n] for n in leave if n in names}
    notes: list[str] = []
    if settings is not None:
        if unknown := [s for s in settings if s not in names]:
            raise CampaignError(
                f"there is no column {listed(unknown)} to set; there are {listed(list(keys.values()))}"
            )
        chosen = [names[s] for s in settings]
    else:
        not_set = ("identifier", "note", "group", "cost")
        columns = [c for c in schema.columns if c.name not in left]
        known = {c.name for c in columns if c.role in OUTCOMES} if own_names else _others_like(schema, left)
        empty = {c.name for c in columns if len(table) and table.missing(c.name).all()}
        chosen = [
            c.name
            for c in columns
            if c.role not in not_set and c.kind != "text" and c.name not in known | empty
        ]
        outcomes = [keys[c.name] for c in columns if c.name in known]
        if outcomes:
            are, they = (
                ("was taken as an outcome", "it is")
                if len(outcomes) == 1
                else ("were taken as outcomes", "they are")
            )
            notes.append(f"{listed(outcomes)} {are}; give settings=[…] if {they} set")
        texts = [keys[c.name] for c in columns if c.name not in chosen and keys[c.name] not in outcomes]
        if texts:
            were, they = ("was not taken as a setting", "it is") if len(texts) == 1 else (
                "were not taken as settings", "they are"
            )  # fmt: skip
            notes.append(f"{listed(texts)} {were}; give settings=[…] if {they} set")
    if not chosen:
        raise CampaignError(
            f"no column can be set among {listed(list(keys.values()))}; give settings=[…] with those that are"
        )
    if text := [keys[n] for n in chosen if schema[n].kind == "text"]:
        raise CampaignError(
            f"column {listed(text)} is text that differs from row to row; it cannot be a setting"
        )
    cost = next((keys[n] for n in schema.of_role("cost") if n not in chosen and n not in left), None)
    if cost is not None:
        notes.append(f"{cost} was taken as what each candidate costs")
    for name in chosen:
        if unit := _unit_in_cells(schema[name]):
            notes.append(
                f"{keys[name]} is taken as kinds without an order, because its cells hold a unit beside the number; "
                f"write the unit into the heading, '{keys[name]} ({unit})', and numbers alone below it"
            )
    return Plan(schema, keys, tuple(chosen), cost, tuple(notes))


def _unit_in_cells(column: Any) -> str:
    """The unit that all kinds of a column have after a number; empty where they are not of that sort."""
    if column.kind != "category" or len(column.levels or ()) < 3:
        return ""
    found = [with_unit(str(level)) for level in column.levels]
    units = {one[1] for one in found if one is not None}
    return units.pop() if len(units) == 1 and None not in found else ""


def _others_like(schema: Any, left: set[str]) -> set[str]:
    """Columns that are outcomes as those to leave are: by the words of their headings, or next to those in the table.

    A column of which only the numbers look like an outcome's may well be a setting.
    """
    if not left:
        return set()
    names = schema.names
    found = {n for n in names if n not in left and schema[n].role in OUTCOMES}
    beside = {i for i, n in enumerate(names) if n in left}
    while more := {i for i, n in enumerate(names) if n in found and {i - 1, i + 1} & beside} - beside:
        beside |= more
    return {n for i, n in enumerate(names) if n in found and (i in beside or outcome_of(n))}


def with_categories(table: Any, settings: Sequence[str] | None, leave: Sequence[str]) -> Any:
    """The table with columns of text as categories, where their texts come again, or where they are said to be set.

    Text that is different in nearly every row, or that a heading calls a name or a note, says nothing of other rows.
    """
    schema = table.schema
    for column in schema.columns:
        key = column.heading or column.name
        if column.kind != "text" or key in leave or column.name in leave:
            continue
        texts = table.codes(column.name)[1]
        asked = settings is not None and (key in settings or column.name in settings)
        again = len(texts) <= min(_MOST_TEXTS, len(table) // 2) and role_of(column.name) is None
        if asked or (settings is None and again):
            levels = tuple(sorted(texts))
            schema = schema.with_column(column.name, role="process", kind="category", levels=levels)
    return table if schema is table.schema else table.with_schema(schema)


def codes_of(
    plan: Plan,
    ranges: Mapping[str, tuple[float, float]],
    levels: Mapping[str, Sequence[Any]],
    whole: Container[str] = (),
) -> tuple[Code, ...]:
    """How each column that is set becomes features.

    Parameters
    ----------
    ranges
        Of the numbers, by the schema's names.
    levels
        What the kinds are, in the user's own values.
    whole
        Numbers that the user wrote without a decimal point.
    """
    result: list[Code] = []
    mixtures = {name: m for m in plan.mixtures for name in m.columns}
    for name in plan.settings:
        column, key = plan.schema[name], plan.keys[name]
        if name in mixtures:
            mixture = mixtures[name]
            if name == mixture.columns[0]:
                result.append(_mixture_code(plan, mixture))
        elif column.numeric:
            low, high = ranges[name]
            shown = name in whole
            if column.kind == "integer" or (shown and not column.unit):
                result.append(NumberCode(Integer(key, int(low), int(high)), whole=shown))
            else:
                result.append(NumberCode(Continuous(key, low, high), whole=shown))
        elif column.kind == "composition":
            result.append(formulas(key, levels[name], properties=False))
        elif column.kind == "smiles" and len(levels[name]) > _MOST_MOLECULES:
            result.append(molecules(key, levels[name]))
        elif column.kind == "category" and column.ordered:
            ranks = np.arange(len(levels[name]), dtype=float)[:, None]
            result.append(KindCode(key, levels[name], ranks, [key], [(key, "number", 1)]))
        elif column.kind == "category" and column.level_values:
            known = np.array(list(column.level_values.values()), float).T
            if not np.isfinite(known).all():
                raise CampaignError(f"column {key!r}: what is known of its levels must be finite numbers")
            titles = [f"{key}: {k}" for k in column.level_values]
            result.append(KindCode(key, levels[name], known, titles, [(key, "descriptors", len(titles))]))
        else:
            result.append(KindCode(key, levels[name]))
    return tuple(result)


def _mixture_code(plan: Plan, mixture: Any) -> MixtureCode:
    columns = tuple(plan.keys[c] for c in mixture.columns)
    balance = mixture.balance
    while balance and balance in columns:
        balance += " (balance)"
    declared = (
        Mixture(
            mixture.name, (*columns, *([balance] if balance else ())), mixture.total or 1.0, balance=balance
        )
        if len(columns) + bool(balance) > 1
        else None
    )
    if declared is None:
        raise CampaignError(f"mixture {mixture.name!r} has one column only; make it a number")
    return MixtureCode(declared, any_total=mixture.total is None)
