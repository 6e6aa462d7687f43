"""Features of compositions: amounts of the elements, statistics of their properties, norms, and alloys' numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from zairyo.tables._base import Floats, TableError, listed
from zairyo.tables._mixtures import distinct_fractions, formulas
from zairyo.tables.elements import DEFAULT_PROPERTIES, PROPERTIES, elements
from zairyo.tables.schema import Column, Mixture

if TYPE_CHECKING:
    from zairyo.tables.features import Part
    from zairyo.tables.table import Table

DEFAULT_COMPOSITIONS = ("amounts", "properties", "norms", "alloy")
_NORMS = (0, 2, 3, 5, 7, 10)
_GAS_CONSTANT = 8.314462618  # J/(mol*K), CODATA 2018


def composition_makers(
    table: Table,
    of: Column | Mixture,
    wanted: Sequence[str],
    properties: Sequence[str] | None,
    besides: Sequence[Table] = (),
) -> list[Part]:
    """The parts for a column of formulas or for a mixture of formulas; none for a mixture of other things.

    Elements that occur only in the samples of other tables (``besides``) are among the amounts.

    Raises
    ------
    TableError
        A name in ``wanted`` or ``properties`` is not known.
    """
    from zairyo.tables.features import Part

    if unknown := sorted(set(wanted) - set(DEFAULT_COMPOSITIONS)):
        raise TableError(
            f"there are no features {listed(unknown)} of compositions; there are {listed(DEFAULT_COMPOSITIONS)}"
        )
    if isinstance(of, Mixture) and (not wanted or of.basis == "volume" or formulas(of) is None):
        return []
    name = of.name
    found = {s for t in (table, *besides) if _has(t, name) for s in distinct_fractions(t, name)[2]}
    symbols = tuple(sorted(found, key=elements().index.__getitem__))
    chosen = tuple(DEFAULT_PROPERTIES if properties is None else properties)
    for wish in chosen:
        elements().property(wish)  # says which there are
    parts = []
    if "amounts" in wanted:
        names = tuple(f"{name}: {s}" for s in symbols)
        parts.append(
            Part("mixture", name, names, ("",) * len(names), partial(_amounts, name=name, known=symbols))
        )
    if "properties" in wanted and chosen:
        names, units = _property_names(name, chosen)
        make = partial(_statistics, name=name, properties=chosen)
        parts.append(Part("elements", name, names, units, make, _unknown(chosen, symbols)))
    if "norms" in wanted:
        names = tuple(f"{name}: norm {p}" for p in _NORMS)
        parts.append(Part("elements", name, names, ("",) * len(names), partial(_norms, name=name)))
    if "alloy" in wanted:
        names = (f"{name}: mixing entropy", f"{name}: atomic-size mismatch")
        parts.append(Part("elements", name, names, ("J/(mol*K)", ""), partial(_alloy, name=name)))
    return parts


def _has(table: Table, name: str) -> bool:
    if any(m.name == name for m in table.schema.mixtures):
        return True
    return name in table.schema and table.schema[name].kind == "composition"


def _amounts(table: Table, name: str, known: tuple[str, ...]) -> Floats:
    found, rows, present = distinct_fractions(table, name)
    if strange := [s for s in present if s not in known]:
        raise TableError(f"{name!r}: {listed(strange)} was in no composition when the features were planned")
    result = np.zeros((len(found), len(known)))
    result[:, [known.index(s) for s in present]] = found
    result[np.isnan(found).any(axis=1)] = np.nan
    return np.asarray(result[rows])


def _statistics(table: Table, name: str, properties: tuple[str, ...]) -> Floats:
    found, rows, present = distinct_fractions(table, name)
    at = elements().positions(present)
    values = np.stack([elements().property(p)[at] for p in properties], axis=1)
    return np.asarray(property_statistics(found, values)[rows])


def _norms(table: Table, name: str) -> Floats:
    found, rows, _ = distinct_fractions(table, name)
    return np.asarray(norms(found)[rows])


def _alloy(table: Table, name: str) -> Floats:
    found, rows, present = distinct_fractions(table, name)
    radii = elements().property("atomic_radius")[elements().positions(present)]
    return np.asarray(np.stack([mixing_entropy(found), size_mismatch(found, radii)], axis=1)[rows])


def _property_names(name: str, chosen: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    statistics = ("mean", "deviation", "range", "minimum", "maximum")
    titles = [p.replace("_", " ") for p in chosen]
    names = tuple(f"{name}: {s} {title}" for s in statistics for title in titles)
    return names, tuple(PROPERTIES[p].unit for _ in statistics for p in chosen)


def _unknown(chosen: tuple[str, ...], symbols: tuple[str, ...]) -> tuple[str, ...]:
    """A note for each property that is not known of an element that occurs."""
    at = elements().positions(symbols)
    notes = []
    for name in chosen:
        absent = [
            s for s, value in zip(symbols, elements().property(name)[at], strict=True) if np.isnan(value)
        ]
        if absent:
            notes.append(
                f"{name} is not known of {listed(absent)}; the other elements of a composition stand for it"
            )
    return tuple(notes)


def property_statistics(fractions: Floats, values: Floats) -> Floats:
    """Mean, average deviation, range, minimum and maximum of elements' properties in compositions.

    Parameters
    ----------
    fractions
        Atomic fractions, shape (n, e), rows sum to 1.
    values
        Properties, shape (e, q), NaN where unknown: those elements are left out, the others' fractions scaled up.

    Returns
    -------
    array
        Shape (n, 5 q): all means, then all deviations, ranges, minima, maxima. NaN where no element's is known.

    Notes
    -----
    L. Ward et al., npj Computational Materials 2 (2016) 16028: the deviation is Σ fᵢ |pᵢ − p̄|.
    """
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    weight = fractions @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(weight > 0, (fractions @ filled) / weight, np.nan)
    deviation = np.zeros_like(mean)
    low, high = np.full_like(mean, np.inf), np.full_like(mean, -np.inf)
    for share, value, is_known in zip(fractions.T[:, :, None], filled, known, strict=True):
        there = (share > 0) & is_known
        deviation += np.where(there, share * np.abs(value - mean), 0.0)
        np.minimum(low, np.where(there, value, np.inf), out=low)
        np.maximum(high, np.where(there, value, -np.inf), out=high)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = np.concatenate([mean, deviation / weight, high - low, low, high], axis=1)
    result[~np.isfinite(result)] = np.nan
    return result


def norms(fractions: Floats) -> Floats:
    """Stoichiometric norms (Σ fᵢᵖ)^(1/p) for p = 2, 3, 5, 7, 10, and for p = 0 the number of elements.

    Source: L. Ward et al., npj Computational Materials 2 (2016) 16028. Shape (n, 6), p = 0 first.
    """
    missing = np.isnan(fractions).any(axis=1)
    columns = [np.count_nonzero(fractions, axis=1).astype(np.float64)]
    columns += [(fractions**p).sum(axis=1) ** (1 / p) for p in _NORMS[1:]]
    result = np.stack(columns, axis=1)
    result[missing] = np.nan
    return result


def mixing_entropy(fractions: Floats) -> Floats:
    """Ideal entropy of mixing −R Σ cᵢ ln cᵢ of atoms, in J/(mol·K), shape (n,).

    Source: J.-W. Yeh et al., Advanced Engineering Materials 6 (2004) 299.
    """
    logs = np.log(np.where(fractions > 0, fractions, 1.0))
    result: Floats = -_GAS_CONSTANT * (fractions * logs).sum(axis=1) + 0.0
    return result


def size_mismatch(fractions: Floats, radii: Floats) -> Floats:
    """Atomic-size mismatch δ = √(Σ cᵢ (1 − rᵢ/r̄)²), a plain number (0.05 is 5 %), shape (n,).

    Source: Y. Zhang et al., Advanced Engineering Materials 10 (2008) 534. ``radii`` (here Slater's) has shape (e,);
    NaN where the radius of an element that occurs is not known.
    """
    unknown = np.isnan(radii)
    filled = np.where(unknown, 1.0, radii)
    mean = fractions @ filled
    ratio = 1.0 - filled[None, :] / mean[:, None]
    result: Floats = np.sqrt((fractions * ratio**2).sum(axis=1))
    result[(fractions[:, unknown] > 0).any(axis=1)] = np.nan
    return result
