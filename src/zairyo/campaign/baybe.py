"""A BayBE campaign's JSON as a campaign here, without BayBE and without torch.

    campaign = baybe.read("campaign.json", file="campaign.jsonl")

Parameters, constraints, objectives, measurements and excluded candidates come along; the recommender does not: what
chooses here is the aim's own strategy. Tables inside the JSON are Python pickles in BayBE, which could run anything
when they are read; here only the few names of pandas, NumPy and Arrow that a table is made of are let through.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
import pickle
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zairyo.campaign._base import CampaignError, Objective
from zairyo.campaign._constraints import Linear
from zairyo.campaign._log import CampaignWarning
from zairyo.campaign._objectives import maximise, minimise, target
from zairyo.campaign.campaign import Campaign
from zairyo.campaign.parameters import Categorical, Continuous, Levels, Parameter, SearchSpace

#: All that a pickled table may be made of.
_ALLOWED = {
    ("pandas.core.frame", "DataFrame"),
    ("pandas.core.series", "Series"),
    ("pandas", "DataFrame"),
    ("pandas", "Series"),
    ("pandas", "Index"),
    ("pandas", "RangeIndex"),
    ("pandas", "StringDtype"),
    ("pandas.core.internals.managers", "BlockManager"),
    ("pandas.core.internals.blocks", "new_block"),
    ("pandas._libs.internals", "_unpickle_block"),
    ("pandas.core.indexes.base", "_new_Index"),
    ("pandas.core.indexes.base", "Index"),
    ("pandas.core.indexes.range", "RangeIndex"),
    ("pandas.arrays", "ArrowStringArray"),
    ("pandas.core.arrays.string_arrow", "ArrowStringArray"),
    ("pandas.core.arrays.string_", "StringDtype"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("pyarrow.lib", "_restore_array"),
    ("pyarrow.lib", "type_for_alias"),
    ("pyarrow.lib", "py_buffer"),
    ("builtins", "slice"),
    ("builtins", "bytearray"),
}


class _Tables(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} does not belong into a table")
        return super().find_class(module, name)


@dataclass(frozen=True)
class Imported:
    """What a BayBE campaign consists of.

    Attributes
    ----------
    pool
        Of :class:`Campaign`: a space, or a DataFrame of the experiments that are allowed.
    objectives
        What is wanted.
    measurements
        A DataFrame of settings and outcomes.
    notes
        What has no counterpart here and was left out, for people.
    """

    pool: Any
    objectives: tuple[Objective, ...]
    measurements: Any
    notes: tuple[str, ...] = ()


def read(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    file: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Campaign:
    """A campaign that goes on where a BayBE campaign is.

    Parameters
    ----------
    source
        The path of what ``campaign.to_json()`` gave, its text, or the dict of it.
    file, options
        Of :class:`Campaign`.

    Raises
    ------
    CampaignError
        It is no BayBE campaign, or something in it has no counterpart here; the message says what and what to do.
    """
    found = take_apart(source)
    for note in found.notes:
        warnings.warn(note, CampaignWarning, stacklevel=2)
    campaign = Campaign(found.pool, found.objectives, file=file, **options)
    if len(found.measurements):
        campaign.tell(found.measurements)
    return campaign


def take_apart(source: str | os.PathLike[str] | Mapping[str, Any]) -> Imported:
    """The parts of a BayBE campaign; see :func:`read`."""
    told = _loaded(source)
    if "searchspace" not in told or "objective" not in told:
        raise CampaignError("this is no BayBE campaign: it has no searchspace and objective")
    if told["objective"] is None:
        raise CampaignError("the BayBE campaign has no objective, so nothing is wanted of it")
    notes: list[str] = []
    objectives = _objectives(told["objective"], notes)
    pool = _pool(told, notes)
    made = _measurements(told)
    names = {o.name for o in objectives}
    space = told["searchspace"]
    settings = [
        p["name"]
        for part in ("discrete", "continuous")
        for p in (space.get(part) or {}).get("parameters", ())
    ]
    kept = [c for c in getattr(made, "columns", ()) if c in names or c in settings]
    return Imported(pool, objectives, made[kept] if len(made) else made, tuple(notes))


def _loaded(source: Any) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        return source
    text = str(source)
    if not text.strip() or Path(text[:200]) == Path():
        raise CampaignError("this is no BayBE campaign: it is empty")
    if not text.lstrip().startswith(("{", "[")):
        text = Path(source).read_text(encoding="utf-8")
    try:
        told = json.loads(text)
    except ValueError as e:
        raise CampaignError(f"this is no JSON: {e}") from None
    if not isinstance(told, dict):
        raise CampaignError("this is no BayBE campaign but a list or a value")
    return told


# Tables -------------------------------------------------------------------------------------------------------------


def _table(text: Any, what: str) -> Any:
    """A table as BayBE writes it: base64 of a pickle, or of Parquet."""
    if not isinstance(text, str):
        raise CampaignError(
            f"{what} is not written as BayBE 0.11 to 0.15 does; export it as CSV and tell that"
        )
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CampaignError(f"{what} is no base64 text") from None
    try:
        if data[:4] == b"PAR1":
            import pandas as pd

            return pd.read_parquet(io.BytesIO(data))
        found = _Tables(io.BytesIO(data)).load()
        if not hasattr(found, "columns") and not hasattr(found, "index"):
            raise pickle.UnpicklingError(f"it holds a {type(found).__name__}, not a table")
    except Exception as e:  # whatever a damaged or hostile pickle raises
        raise CampaignError(
            f"{what} cannot be read ({type(e).__name__}: {e}); in BayBE, campaign.measurements.to_csv(…) writes what "
            "was measured, for campaign.tell"
        ) from None
    return found


def _measurements(told: Mapping[str, Any]) -> Any:
    import pandas as pd

    given = told.get("measurements_exp", told.get("measurements", told.get("_measurements_exp")))
    parts = given if isinstance(given, list) else [] if given is None else [given]
    tables = [_table(part, "the table of measurements") for part in parts]
    tables = [t for t in tables if len(t)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


# Candidates ---------------------------------------------------------------------------------------------------------


def _pool(told: Mapping[str, Any], notes: list[str]) -> Any:
    space = told["searchspace"]
    discrete, continuous = (space.get(part) or {} for part in ("discrete", "continuous"))
    parameters = [_parameter(p, notes) for p in discrete.get("parameters", ())]
    one = {"type": "NumericalContinuousParameter"}  # the only kind there is, so that BayBE does not say it
    free = [_parameter(one | p, notes) for p in continuous.get("parameters", ())]
    limits = [
        _linear(c) for key in ("constraints_lin_eq", "constraints_lin_ineq") for c in continuous.get(key, ())
    ]
    if continuous.get("constraints_nonlin"):
        kind = continuous["constraints_nonlin"][0].get("type", "constraint")
        raise CampaignError(
            f"a {kind} of continuous parameters has no counterpart; a Mixture(…, at_most=k) here limits how many "
            "ingredients there are: declare the space with it and tell the measurements"
        )
    if not parameters and not free:
        raise CampaignError("the BayBE campaign has no parameters")
    if not parameters:
        return SearchSpace(tuple(free), tuple(limits))
    rows = _rows(discrete, parameters, told, notes)
    if rows is None:
        return SearchSpace((*parameters, *free), tuple(limits))
    if free:
        raise CampaignError(
            "only some combinations of the discrete parameters are allowed, beside continuous ones: declare the space "
            "here with rules such as Rule(\"T < 3 or solvent != 'a'\") and tell the measurements"
        )
    if any(isinstance(p, Categorical) and p.descriptors for p in parameters):
        notes.append(
            "what BayBE knows of the kinds of a parameter is not used, because only some combinations are allowed; "
            "declare the space here with rules to use it"
        )
    return rows


def _rows(
    discrete: Mapping[str, Any], parameters: Sequence[Parameter], told: Mapping[str, Any], notes: list[str]
) -> Any:
    """The experiments allowed, where they are not all combinations; else None."""
    excluded = _excluded(told)
    if "exp_rep" not in discrete:
        if discrete.get("constraints"):
            raise CampaignError("the BayBE campaign has constraints, and not the table of what they allow")
        return None
    rows = _table(discrete["exp_rep"], "the table of allowed experiments")[[p.name for p in parameters]]
    whole = 1
    for p in parameters:
        whole *= len(p.values)  # type: ignore[union-attr]
    if excluded is not None and len(excluded) == len(rows) and excluded.any():
        notes.append(f"{int(excluded.sum())} experiments that were excluded in BayBE are left out")
        rows = rows[~excluded]
    return None if len(rows) == whole else rows.reset_index(drop=True)


def _excluded(told: Mapping[str, Any]) -> Any:
    if not isinstance(told.get("searchspace_metadata"), str):
        return None
    table = _table(told["searchspace_metadata"], "the table of what was recommended")
    for name in ("excluded", "dont_recommend"):
        if name in getattr(table, "columns", ()):
            return table[name].to_numpy(bool)
    return None


def _parameter(given: Mapping[str, Any], notes: list[str]) -> Parameter:
    kind, name = str(given.get("type", "")), str(given.get("name", ""))
    unit = str((given.get("metadata") or {}).get("unit") or "")
    active = given.get("active_values")
    if kind == "NumericalDiscreteParameter":
        return Levels(name, tuple(given["values"]), unit)
    if kind == "NumericalContinuousParameter":
        bounds = given["bounds"]
        if bounds.get("lower") is None or bounds.get("upper") is None:
            raise CampaignError(f"parameter {name!r} has no bounds; give it some")
        return Continuous(name, bounds["lower"], bounds["upper"], unit)
    if kind in ("CategoricalParameter", "TaskParameter"):
        if kind == "TaskParameter":
            notes.append(
                f"the task {name!r} became a setting like others; data of other tasks are told better by learn_from"
            )
        values = given["values"]
        return Categorical(name, tuple(values if active is None else [v for v in values if v in active]))
    if kind == "SubstanceParameter":
        notes.append(
            f"the substances of {name!r} are told apart by their names only; their SMILES are not used"
        )
        return Categorical(name, tuple(label for label in given["data"] if active is None or label in active))
    if kind == "CustomDiscreteParameter":
        table = _table(given["data"], f"the table of parameter {name!r}")
        table = table if active is None else table.loc[[label for label in table.index if label in active]]
        known = {str(c): [float(v) for v in table[c]] for c in table.columns}
        return Categorical(name, tuple(table.index.tolist()), known)
    raise CampaignError(
        f"parameter {name!r} is a {kind or 'parameter without a type'}, which has no counterpart here"
    )


def _linear(given: Mapping[str, Any]) -> Linear:
    if given.get("interpoint"):
        raise CampaignError("a constraint between the experiments of a batch has no counterpart here")
    operator = given.get("operator", "=")
    weights = dict(zip(given["parameters"], given["coefficients"], strict=True))
    return Linear(weights, "==" if operator == "=" else operator, given.get("rhs", 0.0))


# Objectives ---------------------------------------------------------------------------------------------------------


def _objectives(given: Mapping[str, Any], notes: list[str]) -> tuple[Objective, ...]:
    kind = str(given.get("type", ""))
    if kind == "SingleTargetObjective":
        return (_target(given.get("target", given.get("_target")), 1.0, notes),)
    targets = given.get("targets", given.get("_targets", ()))
    if kind == "ParetoObjective":
        return tuple(_target(t, 1.0, notes) for t in targets)
    if kind == "DesirabilityObjective":
        notes.append(
            "the desirability became one front of all its targets; its weights choose the best balance on it"
        )
        weights = given.get("weights") or [1.0] * len(targets)
        return tuple(_target(t, float(w), notes) for t, w in zip(targets, weights, strict=True))
    raise CampaignError(
        f"a {kind or 'objective without a type'} has no counterpart here; use maximise, minimise, target"
    )


def _target(given: Mapping[str, Any] | None, weight: float, notes: list[str]) -> Objective:
    if not isinstance(given, Mapping) or given.get("type", "NumericalTarget") != "NumericalTarget":
        kind = (given or {}).get("type", "target")
        raise CampaignError(
            f"a {kind} has no counterpart here; tell its outcomes to a campaign with model(…)"
        )
    name = str(given["name"])
    unit = str((given.get("metadata") or {}).get("unit") or "")
    more: dict[str, Any] = {"unit": unit, "weight": weight}
    if "mode" in given:  # until 0.13
        bounds = given.get("bounds") or {}
        if given["mode"] == "MATCH":
            return target(name, (bounds["lower"] + bounds["upper"]) / 2, **more)
        return (minimise if given["mode"] == "MIN" else maximise)(name, **more)
    info, change = given.get("constructor_info") or {}, given.get("transformation") or {}
    if info.get("mismatch_instead"):
        raise CampaignError(f"target {name!r} is to be far from a value, which has no counterpart here")
    if str(info.get("constructor", "")).startswith("match"):
        if info.get("match_mode", "=") != "=":
            notes.append(
                f"target {name!r} was to be on one side of {info['match_value']}; here it is to be near it"
            )
        return target(name, float(info["match_value"]), **more)
    word = str(change.get("type", "IdentityTransformation"))
    if word == "BellTransformation":
        return target(name, float(change["center"]), **more)
    if word == "TriangularTransformation":
        return target(name, float(change["peak"]), **more)
    rising = _rising(change)
    if rising is None:
        raise CampaignError(
            f"target {name!r} is transformed by {word}, which has no counterpart here; begin a campaign with maximise, "
            "minimise or target, and tell the measurements"
        )
    if word != "IdentityTransformation":
        notes.append(f"target {name!r} is taken as it is measured, not transformed")
    down = bool(given.get("minimize")) == rising
    return (minimise if down else maximise)(name, **more)


def _rising(change: Mapping[str, Any]) -> bool | None:
    """Whether a transformation keeps the order of values; None where it is not monotone, or not known."""
    kind = change.get("type", "IdentityTransformation")
    if kind in (
        "IdentityTransformation",
        "ClampingTransformation",
        "ExponentialTransformation",
        "LogarithmicTransformation",
    ):
        return True
    if kind == "AffineTransformation":
        return float(change.get("factor", 1.0)) > 0
    if kind == "SigmoidTransformation":
        return float(change.get("steepness", 1.0)) > 0
    if kind == "ChainedTransformation":
        parts = [_rising(part) for part in change.get("transformations", ())]
        return None if None in parts else sum(not part for part in parts) % 2 == 0
    return None
