"""Settings in the user's own values ↔ columns of numbers and kinds ↔ features that a model learns from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.campaign._base import CampaignError, Floats, Settings
from zairyo.campaign._codes import SAME, Code, KindCode, NumberCode
from zairyo.campaign._codes_mixture import MixtureCode
from zairyo.campaign._columns import Column, Columns
from zairyo.campaign._mixtures import FINEST
from zairyo.campaign.parameters import (
    Categorical,
    Composition,
    Mixture,
    Parameter,
)
from zairyo.learn import Space, Variable


def code_of(parameter: Parameter) -> Code:
    """How a declared parameter becomes features."""
    if isinstance(parameter, Categorical):
        if parameter.descriptors is None:
            return KindCode(parameter.name, parameter.values)
        matrix = np.array(list(parameter.descriptors.values()), float).T
        names = [f"{parameter.name}: {d}" for d in parameter.descriptors]
        return KindCode(
            parameter.name, parameter.values, matrix, names, [(parameter.name, "descriptors", len(names))]
        )
    if isinstance(parameter, Composition):
        return formulas(parameter.name, parameter.values, parameter.properties)
    if isinstance(parameter, Mixture):
        return MixtureCode(parameter)
    return NumberCode(parameter)


def formulas(name: str, values: Sequence[str], properties: bool) -> KindCode:
    """How formulas become features: the shares of their elements, and statistics of the elements' properties."""
    wanted = ("amounts", "properties") if properties else ("amounts",)
    return _through_table(name, values, "composition", compositions=wanted)


def molecules(name: str, values: Sequence[str]) -> KindCode:
    """How SMILES become features: numbers that RDKit computes of each molecule."""
    return _through_table(name, values, "smiles", smiles=("descriptors",))


def _through_table(name: str, values: Sequence[str], kind: Any, **options: Any) -> KindCode:
    """Features of each different text, as ``zairyo.tables`` makes them."""
    from zairyo.tables import Column as TableColumn
    from zairyo.tables import Schema, Table, TableError

    schema = Schema((TableColumn(name, "process", kind),))

    def table(texts: Sequence[str]) -> Table:
        return Table.read({name: list(texts)}, schema=schema)

    try:
        features = table(values).features(**options)
        plan, matrix = features.plan, features.matrix
    except TableError as e:
        raise CampaignError(f"parameter {name!r}: {e}") from None
    unknown = np.asarray(np.isnan(matrix).any(axis=0))
    matrix = matrix[:, ~unknown]
    names = [n for n, u in zip(features.names, unknown, strict=True) if not u]
    variables = [
        (block.source, _KINDS[block.kind], kept)
        for block in features.blocks
        if (kept := int((~unknown[block.start : block.stop]).sum()))
    ]
    single = [v for v in variables if v[1] == "number"]
    if single:  # statistics of elements: each a number of its own
        flat: list[tuple[str, str, int]] = []
        at = 0
        for title, of, width in variables:
            flat += (
                [(names[at + j], "number", 1) for j in range(width)]
                if of == "number"
                else [(title, of, width)]
            )
            at += width
        variables = flat

    def more(text: Any) -> Floats:
        try:
            found = plan.apply(table([text])).matrix[:, ~unknown]
        except TableError as e:
            raise CampaignError(f"parameter {name!r}: {text!r} cannot be used: {e}") from None
        return np.nan_to_num(found)

    return KindCode(name, values, matrix, names, variables, more)


_KINDS = {"mixture": "mixture", "elements": "number", "molecule": "descriptors"}


@dataclass(frozen=True, eq=False)
class Coding:
    """How settings of all parameters become features, and back.

    Attributes
    ----------
    codes
        Of the parameters, in order.
    """

    codes: tuple[Code, ...]

    @property
    def settings(self) -> tuple[str, ...]:
        """The keys of settings, in order."""
        return tuple(name for code in self.codes for name in code.settings)

    @property
    def dimensions(self) -> int:
        """How many random numbers make one candidate."""
        return sum(code.dimensions for code in self.codes)

    def space(self) -> Space:
        """What the features are."""
        variables: list[Variable] = []
        at = 0
        for code in self.codes:
            for name, kind, width in code.variables:
                variables.append(Variable(name, kind, tuple(range(at, at + width))))  # type: ignore[arg-type]
                at += width
        lower, upper = (np.concatenate([getattr(c, w) for c in self.codes]) for w in ("lower", "upper"))
        return Space(tuple(variables), tuple(n for c in self.codes for n in c.names), lower, upper)

    def read(self, rows: Sequence[Settings]) -> dict[str, Column]:
        """Columns of settings.

        Raises
        ------
        CampaignError
            A value is missing, no number where one must be, or an unknown kind; names row and parameter.
        """
        for i, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise CampaignError(f"row {i} must hold settings, parameter → value, not {row!r}")
        columns: dict[str, Column] = {}
        for code in self.codes:
            columns |= code.read(rows)
        return columns

    def features(self, columns: Columns) -> Floats:
        """Shape (m, p)."""
        parts = [code.features(columns) for code in self.codes]
        return parts[0].copy() if len(parts) == 1 else np.concatenate(parts, axis=1)

    def columns(self, X: Floats) -> dict[str, Column]:
        """The inverse of :meth:`features`."""
        columns: dict[str, Column] = {}
        at = 0
        for code in self.codes:
            columns |= code.columns(X[:, at : at + len(code.names)])
            at += len(code.names)
        return columns

    def show(self, columns: Columns) -> list[dict[str, Any]]:
        """Settings in the user's own values."""
        shown = [values for code in self.codes for values in code.show(columns)]
        return [dict(zip(self.settings, row, strict=True)) for row in zip(*shown, strict=True)]

    def draw(self, U: Floats, rng: np.random.Generator) -> dict[str, Column]:
        """Candidates spread evenly, from random numbers (m, dimensions)."""
        return self._each(U, lambda code, part: code.draw(part, rng))

    def near(self, columns: Columns, U: Floats, width: float, rng: np.random.Generator) -> dict[str, Column]:
        """Candidates near others, from as many random numbers."""
        return self._each(U, lambda code, part: code.near(columns, part, width, rng))

    def _each(self, U: Floats, make: Callable[[Code, Floats], dict[str, Column]]) -> dict[str, Column]:
        columns: dict[str, Column] = {}
        at = 0
        for code in self.codes:
            columns |= make(code, U[:, at : at + code.dimensions])
            at += code.dimensions
        return columns


__all__ = ["FINEST", "SAME", "Code", "Coding", "KindCode", "MixtureCode", "NumberCode", "code_of"]
