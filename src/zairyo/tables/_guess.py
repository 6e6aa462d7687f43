"""A first schema for a table, from its headings and cells. The person sees it, corrects it, and keeps it.

Words in headings decide first, then what the cells are: formulas are compositions, columns whose rows sum to 1 or
100 a mixture, settings have few values and outcomes many.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from zairyo.measurement import units
from zairyo.tables._base import Floats, TableError, listed
from zairyo.tables._cells import Numbers, is_failure, numbers_of, state_of
from zairyo.tables._headings import UNKNOWN_TO_PINT, basis_of, outcome_of, role_of, split_heading
from zairyo.tables._raw import RawColumn, RawTable, unique
from zairyo.tables.composition import Basis, parse
from zairyo.tables.elements import elements
from zairyo.tables.schema import TOLERANCE, Column, Mixture, Schema

_UNCERTAINTY = re.compile(
    r"(?P<of>.+?)[\s_]*(?:±|\+/-|[\s_(](?:std|sd|s\.d\.|stdev|err|error|uncertainty|sigma|σ|不確かさ)\)?)\s*\Z",
    re.I,
)
_SMILES_SIGNS = re.compile(r"[=#\[\]@/\\]|[cnos]\d|\d[cnos]|\([A-Z]")
_SMILES = re.compile(r"[A-Za-z0-9@+\-\[\]()=#%/\\.:*$]+\Z")
#: A range or a limit, and more widely a number with something after it, as a quantity may be written.
_RANGE = re.compile(
    r"[<>≤≥＜＞~～≈約]\s*\d|[+-]?\d[\d.]*\s*(?:-|–|~|～|〜|\.\.|to)\s*\d[\d.]*\s*(?:[^\W\d].*)?\Z"
)
_QUANTITY = re.compile(
    r"[<>≤≥＜＞~～≈約]?\s*[+-]?\d[\d.,]*(?:\s*(?:-|–|~|～|〜|\.\.|to)\s*\d[\d.,]*)?\s*(?:[^\W\d].*|[%°‰].*)?"
)
#: What a column without a heading is called here.
_UNNAMED = re.compile(r"column \d+|Unnamed: \d+")
#: Papers and pages that values were taken from.
_LINK = re.compile(r"https?://.*|(?:doi:\s*)?10\.\d{4,9}/.*", re.I)
#: What makes up 100 % where no column says what it is.
_REST = "rest"
#: A unit of more than one letter behind a number and a blank: ``640 MPa``, not ``316 L``.
_ENDS = re.compile(r"\d\s+([^\W\d_][^\s\d]+|[%°℃].*)\Z")
_MOST_LEVELS = 100
_MOST_INGREDIENTS = 60
_EXACT = 1e-4
#: So many rows, or different texts, are looked at where all would take long.
_SAMPLED = 2000


@dataclass
class Look:
    """What a column's cells are: numbers, and if not, the distinct texts and how many cells have any."""

    numbers: Numbers
    distinct: tuple[str, ...] = ()
    stated: int = 0

    @property
    def is_numeric(self) -> bool:
        """Most cells are numbers, or words known to stand in their place; a few odd ones are the user's to correct."""
        n = self.numbers
        return n.stated > 0 and n.odd_count <= 0.2 * (n.stated + len(n.words))


def look(column: RawColumn, decimal: str) -> Look:
    """Look at a column's cells."""
    numbers = numbers_of(column, decimal)
    if column.text is None or (column.levels and not numbers.stated):
        return Look(numbers, column.levels, numbers.stated)
    found = Look(numbers)
    if found.is_numeric:
        return found
    from pyarrow import compute as pc

    numbers.values = np.broadcast_to(np.nan, len(column))  # no memory for numbers that are none
    text = pc.utf8_trim_whitespace(column.text)
    found.distinct = tuple(sorted(v for v in pc.unique(text).to_pylist() if v))
    found.stated = pc.sum(pc.not_equal(text, "")).as_py() or 0
    return found


def guess(
    raw: RawTable, looks: Mapping[int, Look], properties: Container[str] = ()
) -> tuple[Schema, list[str]]:
    """A schema for a raw table, with what was decided on weak grounds.

    ``looks`` has each column by its place; ``properties`` are names or headings that the person says are properties.
    """
    headings = unique(c.heading.strip() for c in raw.columns)
    for part, heading in zip(raw.columns, headings, strict=True):
        part.heading = heading
    files, left = _file_headings(raw, looks, headings)
    notes: list[str] = []
    columns: list[Column] = []
    names = unique(split_heading(headings[i])[0] for i in left)
    told = set()
    for name, i in zip(names, left, strict=True):
        is_told = name in properties or headings[i] in properties
        column, note = _one(raw.columns[i], looks[i], name, is_told)
        columns.append(column)
        notes += note
        told |= {name} if is_told else set()
    of = {c.name: looks[i].numbers.values for c, i in zip(columns, left, strict=True) if c.numeric}
    mixtures, unsure = _mixtures(columns, of)
    notes += unsure
    members = {name for m in mixtures for name in m.columns}
    columns = [replace(c, role="composition") if c.name in members else c for c in columns]
    columns, said = _outcomes(columns, of, members, told)
    uncertain = files.pop("uncertainty")
    columns = [replace(c, uncertainty=uncertain.get(c.heading or c.name, "")) for c in columns]
    return Schema(tuple(columns), tuple(mixtures), **files), [*notes, *said]


def _file_headings(
    raw: RawTable, looks: Mapping[int, Look], headings: list[str]
) -> tuple[dict[str, Any], list[int]]:
    """The columns of states, reasons, ids and uncertainties, and the places of all others."""
    files: dict[str, Any] = {"uncertainty": {}}
    taken: set[int] = set()
    for i, heading in enumerate(headings):
        lower = heading.casefold().replace(" ", "_")
        if lower in ("state", "status", "状態") and looks[i].distinct:
            if all(state_of(v) is not None for v in looks[i].distinct):
                files["state"] = heading
                taken.add(i)
        elif lower in ("理由", "原因"):
            files["reason"] = heading
            taken.add(i)
        elif lower in ("replicate_of", "reason") or (lower == "row" and _are_ids(looks[i].numbers.values)):
            files[lower] = heading
            taken.add(i)
        elif (match := _UNCERTAINTY.fullmatch(heading)) and looks[i].is_numeric:
            base = match["of"].strip()
            own = [h for h in headings if h != heading and base in (h, split_heading(h)[0])]
            if own:
                files["uncertainty"][own[0]] = heading
                taken.add(i)
    if "state" not in files:
        taken -= {i for i in taken if headings[i] == files.get("reason")}
        files.pop("reason", None)
    return files, [i for i in range(len(headings)) if i not in taken]


def _are_ids(values: Floats) -> bool:
    return bool(
        len(values)
        and np.all(values >= 0)
        and np.all(values % 1 == 0)
        and len(np.unique(values)) == len(values)
    )


def _one(raw: RawColumn, seen: Look, name: str, is_property: bool) -> tuple[Column, list[str]]:
    """Kind, unit and, where the heading or the cells tell it, role of one column.

    Of what the person says is a property, half of the cells may be no numbers: they are to be corrected.
    """
    heading = raw.heading
    unit = split_heading(heading)[1]
    if unit is None and raw.unit:
        unit = units.normalise(raw.unit) or raw.unit
    role = None if outcome_of(name) == "property" else role_of(name)
    told: dict[str, Any] = {"heading": "" if heading == name else heading, "unit": unit}
    numbers = seen.numbers
    is_measured = is_property and (
        numbers.stated >= max(numbers.odd_count, 1) or (not numbers.odd_count and _all_failed(seen))
    )
    if seen.is_numeric or is_measured or not (seen.distinct or seen.stated):
        stated = seen.numbers.values[np.isfinite(seen.numbers.values)]
        whole = bool(len(stated) and np.all(stated % 1 == 0) and np.abs(stated).max() < 2**53)
        once = len(np.unique(stated)) == len(stated)
        if role is None and not is_property and _UNNAMED.fullmatch(heading) and _are_ids(stated):
            role = "identifier"  # rows that a program numbered as it wrote them
        if role == "identifier" and not (whole and once):
            role = "group" if whole else None  # several rows of one sample
        # A count has no unit; 1000 °C may become 1012.5 °C, as may any outcome.
        kind = "integer" if whole and unit in (None, "", "counts") and role != "cost" else "number"
        if role == "identifier":
            return Column(name, "identifier", "text", **told), []
        if role in ("group", "note"):
            return Column(name, role, "text", **told), []  # type: ignore[arg-type]
        return Column(name, role or "process", kind, **told), []  # type: ignore[arg-type]
    distinct = seen.distinct
    if not raw.levels and _are_formulas(distinct, name):
        return _formulas(name, heading, distinct, told)
    if not raw.levels and _are_smiles(distinct, name):
        return Column(name, "process", "smiles", **told), []
    if role is not None and (role != "identifier" or len(distinct) == seen.stated):
        return Column(name, role, "text", **told), []  # type: ignore[arg-type]
    if role is None and sum(bool(_LINK.match(text)) for text in distinct[:_SAMPLED]) * 2 > len(
        distinct[:_SAMPLED]
    ):
        again = len(distinct) < seen.stated
        return Column(name, "group" if again else "note", "text", **told), []
    said = _no_number(name, distinct, unit)
    if raw.levels or len(distinct) <= min(_MOST_LEVELS, max(12, seen.stated // 3)):
        return Column(name, "process", "category", levels=distinct, ordered=raw.ordered, **told), said
    if len(distinct) == seen.stated and not said:
        return Column(name, "identifier", "text", **told), []
    if said:
        return Column(name, "note", "text", **told), said
    why = f"column {name!r} has {len(distinct)} different texts; it was taken as a note, which is not learned from"
    return Column(name, "note", "text", **told), [why]


def _no_number(name: str, distinct: tuple[str, ...], unit: str | None) -> list[str]:
    """What is said of a column that looks like a quantity, but whose cells are ranges, limits or of several units."""
    odd = [text for text in distinct if _QUANTITY.fullmatch(text)]
    ends = {text: end[1] for text in odd if (end := _ENDS.search(text))}
    in_units = {t: unit for t, unit in ends.items() if unit in UNKNOWN_TO_PINT or units.normalise(unit)}
    several = len({*in_units.values()}) > 1
    if len(odd) * 2 <= len(distinct) or not (unit or several or any(_RANGE.match(text) for text in odd)):
        return []
    like = next((text for text in odd if _RANGE.match(text)), [*in_units][-1] if several else odd[-1])
    return [
        f"column {name!r} has cells such as {like!r}, which are no numbers, and is not learned from as one; write one "
        "number in each cell, in one unit"
    ]


def _all_failed(seen: Look) -> bool:
    """Whether cells say of every sample that it failed or was lost, and nothing else."""
    words = {state for state, _ in seen.numbers.words.values()}
    return bool(words) and words <= {"failed", "lost"} and any(is_failure(text) for text in seen.distinct)


def _are_formulas(distinct: tuple[str, ...], name: str) -> bool:
    """Whether they are formulas, and more than words that happen to be made of symbols (``PVC``, ``NO``).

    A typing error among many is the user's to correct.
    """
    named = re.search(r"composition|formula|alloy|compound|組成|化学式|合金", name, re.I) is not None
    sample = distinct[:_SAMPLED]
    wrong = several = 0
    for text in sample:
        try:
            several += len(parse(text, "mass").amounts) > 1 and any(c.isdigit() for c in text)
        except TableError:
            wrong += 1
            if wrong > (0.34 if named else 0.05) * len(sample):
                return False
    return len(sample) > wrong and (named or several * 2 >= len(sample))


def _formulas(
    name: str, heading: str, distinct: tuple[str, ...], told: dict[str, Any]
) -> tuple[Column, list[str]]:
    basis = basis_of(heading)
    notes = []
    if basis not in ("mole", "mass"):
        basis = None
        if any(re.match(r"[A-Z][a-z]?-[\d.]+[A-Z]", text) for text in distinct):
            basis = "mass"
            notes.append(
                f"column {name!r}: percentages of alloys such as {distinct[0]} were taken as by mass (wt.%)"
            )
    return Column(name, "composition", "composition", basis=basis, **{**told, "unit": None}), notes


def _are_smiles(distinct: tuple[str, ...], name: str) -> bool:
    distinct = distinct[:_SAMPLED]
    if not all(_SMILES.match(text) and _rings_close(text) for text in distinct):
        return False
    signs = sum(bool(_SMILES_SIGNS.search(text)) for text in distinct)
    return "smiles" in name.casefold() or signs * 2 >= len(distinct)


def _rings_close(text: str) -> bool:
    """Whether each ring's number comes twice, as in molecules and seldom in names (``s1``, ``c12``)."""
    rings = re.findall(r"%\d\d|\d", re.sub(r"\[[^\]]*\]", "", text))
    return all(rings.count(number) % 2 == 0 for number in set(rings))


def _mixtures(columns: list[Column], of: Mapping[str, Floats]) -> tuple[list[Mixture], list[str]]:
    """Neighbouring columns of amounts: those named for elements, else those whose rows sum to 1 or 100.

    Elements that sum to neither are a mixture if they were weighed in; else one of them may have no column (the iron
    of a steel), and their proportions alone would say too little.
    """
    symbols = elements().index
    runs: list[list[Column]] = [[]]
    for column in columns:
        fits = column.name in of and column.role == "process" and not (of[column.name] < 0).any()
        if runs[-1] and not (fits and _basis_of(runs[-1][0]) == _basis_of(column)):
            runs.append([])
        if fits:
            runs[-1].append(column)
    found: list[Mixture] = []
    notes = []
    for run in runs:
        best: tuple[list[Column], float | None] | None = _summing(run, of)
        named = [c for c in run if c.name in symbols]
        if len(named) >= 2:
            total = _usual_total(named, of)
            if total is not None and (best is None or _stray(named, total, of) < _stray(*best, of)):
                best = (named, total)
            elif best is None and _proportions_tell(named, of):
                best = (named, None)
            elif best is None and all(c.unit == "percent" for c in named) and _leave_a_rest(named, of):
                found.append(replace(_mixture(named, 100.0, number=len(found)), balance=_REST))
                notes.append(
                    f"{listed([c.name for c in named])} sum to less than 100 %, and what is missing was taken as "
                    f"{_REST!r}; name it in a schema (balance: Fe of a steel) for its properties to count"
                )
            elif best is None and len(named) > 2:
                notes.append(_no_whole([c.name for c in named]))
        if best is not None and (said := _odd_sums(*best, of)):
            notes.append(said)
        elif best is not None:
            found.append(_mixture(*best, number=len(found)))
    return found, notes


def _proportions_tell(columns: list[Column], of: Mapping[str, Floats]) -> bool:
    """Whether only the proportions of amounts matter: they were weighed in, or one of them is the unit of all."""
    if all(c.unit and units.same_dimension(c.unit, "g") for c in columns):
        return True
    return any((of[c.name] == of[c.name][0]).all() and of[c.name][0] in range(1, 100) for c in columns)


def _leave_a_rest(columns: list[Column], of: Mapping[str, Floats]) -> bool:
    return bool(np.all(np.nansum([of[c.name] for c in columns], axis=0) <= 100 * (1 + TOLERANCE)))


def _stray(columns: list[Column], total: float | None, of: Mapping[str, Floats]) -> float:
    """How far the rows' sums are from the total, on average as a share of it."""
    sums = np.nansum([of[c.name] for c in columns], axis=0)
    return float(np.mean(np.abs(sums / (total or 1.0) - 1.0)))


def _no_whole(names: list[str]) -> str:
    return (
        f"{listed(names)} sum neither to 1 nor to 100 and were taken as they are; if an element makes up the rest, or "
        "only proportions matter, say so in a schema: a mixture with balance: Fe, or with total: null"
    )


def _odd_sums(columns: list[Column], total: float | None, of: Mapping[str, Floats]) -> str:
    """What is said of columns that only their sums tell to be a mixture, where some rows sum to something else."""
    symbols = elements().index
    if total is None or any(c.unit == "percent" or _basis_of(c) or c.name in symbols for c in columns):
        return ""
    values = np.stack([of[c.name] for c in columns], axis=1)
    sums = np.nansum(values, axis=1)[np.isfinite(values).any(axis=1)]
    odd = int(np.count_nonzero(np.abs(sums - total) > (TOLERANCE + 1e-9) * total))
    if not odd:
        return ""
    names = listed([c.name for c in columns])
    return (
        f"{names} sum to {total:g} in all rows but {odd} and were taken as settings of their own; if they are a "
        "mixture, correct those rows"
    )


def _summing(run: list[Column], of: Mapping[str, Floats]) -> tuple[list[Column], float | None] | None:
    """The longest neighbours in a run whose rows all sum to 1 or 100 and are not the same throughout."""
    if len(run) < 2 or not len(of[run[0].name]):
        return None
    rows = np.linspace(0, len(of[run[0].name]) - 1, min(len(of[run[0].name]), _SAMPLED)).astype(int)
    values = np.stack([of[c.name][rows] for c in run], axis=1)
    cells = np.isfinite(values)
    values[~cells] = 0.0
    counts = np.concatenate([np.zeros((len(cells), 1)), np.cumsum(cells, axis=1)], axis=1)
    varies = np.ptp(values, axis=0) > 0
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    lengths = range(min(len(run), _MOST_INGREDIENTS), 1, -1)
    # Exact sums first, so that a small number beside a mixture is not taken for rounding.
    for tolerance, length in product((_EXACT, TOLERANCE), lengths):
        total = sums[:, length:] - sums[:, :-length]
        filled = counts[:, length:] - counts[:, :-length]
        given = np.count_nonzero(filled == length, axis=0) + np.count_nonzero(
            (filled < length) & (total > 0), axis=0
        )
        several = np.convolve(varies, np.ones(length, int), "valid") >= 2
        for whole in (1.0, 100.0):
            fits = np.count_nonzero(np.abs(total - whole) <= tolerance * whole, axis=0)
            found = np.flatnonzero(several & (given >= 3) & (fits >= 0.95 * given))
            if len(found):
                return run[found[0] : found[0] + length], whole
    return None


def _usual_total(columns: list[Column], of: Mapping[str, Floats]) -> float | None:
    sums = np.nansum([of[c.name] for c in columns], axis=0)
    if not len(sums):
        return None
    for whole in (1.0, 100.0):
        if np.mean(np.abs(sums - whole) <= TOLERANCE * whole) >= 0.5:
            return whole
    return None


def _basis_of(column: Column) -> Basis | None:
    return basis_of(column.heading or column.name)


def _mixture(columns: list[Column], total: float | None, number: int) -> Mixture:
    bases = {_basis_of(c) for c in columns}
    basis = bases.pop() if len(bases) == 1 else None
    name = "composition" if number == 0 else f"composition {number + 1}"
    return Mixture(name, tuple(c.name for c in columns), basis, total)


def _outcomes(
    columns: list[Column], of: Mapping[str, Floats], members: set[str], told: set[str]
) -> tuple[list[Column], list[str]]:
    """Tell measured descriptors and properties, some of which are ``told``, from the settings of the process."""
    open_ = [c for c in columns if c.role == "process" and c.numeric and c.name not in members]
    roles: dict[str, str] = {}
    for column in open_:
        if role := outcome_of(column.name):
            roles[column.name] = role
    notes = []
    roles = dict.fromkeys(_trailing(columns, of, members), "property") | roles
    roles |= {c.name: "property" for c in open_ if c.name in told}
    if not told and "property" not in roles.values() and (rest := [c for c in open_ if c.name not in roles]):
        roles[rest[-1].name] = "property"
        names = [c.name for c in columns if roles.get(c.name) == "property"]
        notes.append(f"{' and '.join(names)} was taken as the property; give roles if it is another")
    return [c.as_role(roles.get(c.name, c.role)) for c in columns], notes


def _trailing(columns: list[Column], of: Mapping[str, Floats], members: set[str]) -> list[str]:
    """The last columns whose values are mostly different, where all settings before them have few values."""
    numeric = [c for c in columns if c.name in of and c.name not in members and c.role == "process"]
    shares = {}
    for column in numeric:
        values = of[column.name][~np.isnan(of[column.name])]
        shares[column.name] = len(np.unique(values)) / max(len(values), 1)
    many: list[str] = []
    for column in reversed(columns):
        if shares.get(column.name, 0.0) < 0.5:
            break
        many.append(column.name)
    settings = [share for name, share in shares.items() if name not in many]
    return many if len(settings) > 1 and max(settings) <= 0.2 else []
