"""Declared parameters: what is stored comes back, and what cannot be meant is refused in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zairyo.campaign._base import CampaignError
from zairyo.campaign.parameters import (
    Categorical,
    Composition,
    Continuous,
    Integer,
    Levels,
    Linear,
    Mixture,
    Rule,
    SearchSpace,
    parameter_from_dict,
)

WORDS = st.text("abcdefgh", min_size=1, max_size=6)
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def parameters(draw: st.DrawFn, name: str) -> Any:
    """Any parameter."""
    kind = draw(
        st.sampled_from(["continuous", "log", "integer", "levels", "categorical", "described", "mixture"])
    )
    if kind == "continuous":
        low = draw(NUMBERS)
        return Continuous(
            name, low, low + draw(st.just(0.0) | st.floats(1e-3, 1e6)), draw(st.sampled_from(["", "degC"]))
        )
    if kind == "log":
        low = draw(st.floats(1e-6, 1.0))
        return Continuous(name, low, low * draw(st.floats(1, 1e6)), log=True)
    if kind == "integer":
        low = draw(st.integers(-1000, 1000))
        return Integer(name, low, low + draw(st.integers(0, 30)), draw(st.integers(1, 5)))
    if kind == "levels":
        values = draw(
            st.lists(
                st.integers(-50, 50) | st.sampled_from([0.5, 1.25, 99.9]), min_size=1, max_size=6, unique=True
            )
        )
        return Levels(name, tuple(values), "W")
    if kind == "categorical":
        return Categorical(name, tuple(draw(st.lists(WORDS, min_size=1, max_size=6, unique=True))))
    if kind == "described":
        values = draw(st.lists(WORDS, min_size=1, max_size=6, unique=True))
        known = {"size": [float(i) for i in range(len(values))], "x": [draw(NUMBERS) for _ in values]}
        return Categorical(name, tuple(values), known)
    k = draw(st.integers(2, 5))
    ingredients = tuple(f"{name}{j}" for j in range(k))
    return Mixture(
        name,
        ingredients,
        total=draw(st.sampled_from([1.0, 100.0])),
        at_most=draw(st.none() | st.integers(2, k)),
        balance=draw(st.sampled_from(["", ingredients[0]])),
    )


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """Any search space."""
    count = draw(st.integers(1, 4))
    return SearchSpace(tuple(draw(parameters(f"P{i}")) for i in range(count)))


@given(spaces())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_space_comes_back_from_json_as_it_was(space: SearchSpace) -> None:
    assert SearchSpace.from_dict(json.loads(json.dumps(space.to_dict()))) == space


def test_constraints_shared_settings_and_cost_are_stored() -> None:
    space = SearchSpace(
        (
            Continuous("T (degC)", 600, 1100),
            Levels("time", (1, 2.5)),
            Categorical("gas", ("Ar", "air", True, 3)),
        ),
        constraints=["`T (degC)` < 900 or gas != 'air'", Linear({"T (degC)": 1, "time": -2}, "<=", 1000)],  # type: ignore[arg-type]
        shared=("T (degC)",),
        cost="2 * time + 5",
    )
    back = SearchSpace.from_dict(json.loads(json.dumps(space.to_dict())))
    assert back == space
    assert back.constraints[0].to_dict() == {"rule": "`T (degC)` < 900 or gas != 'air'"}
    assert not SearchSpace((Integer("n", 1, 3),)).endless
    assert back.endless


def test_a_python_function_cannot_be_stored_and_says_so() -> None:
    def hot_enough(settings: Any) -> bool:
        return bool(settings["a"] > 1)

    space = SearchSpace((Continuous("a", 0, 2),), constraints=hot_enough)  # type: ignore[arg-type]
    with pytest.raises(CampaignError, match="hot_enough is a Python function, which cannot be stored"):
        space.to_dict()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Continuous("a", 2, 1), "low is 2 and high is 1"),
        (lambda: Continuous("a", 0, 1, log=True), "logarithmic, so low must be above 0"),
        (lambda: Continuous("a", 0, 1e-300), "too narrow"),
        (lambda: Continuous("a", -1e308, 1e308), "too wide"),
        (lambda: Continuous("a", float("nan"), 1), "low must be a finite number"),
        (lambda: Continuous("", 0, 1), "needs a name"),
        (lambda: Integer("a", 0.5, 2), "low must be a whole number"),  # type: ignore[arg-type]
        (lambda: Integer("a", 0, 2, 0), "step must be 1 or more"),
        (lambda: Levels("a", ()), "must be 1 to"),
        (lambda: Levels("a", (1, 1.0)), "twice"),
        (lambda: Levels("a", (1, "x")), "must be a number, not 'x'"),  # type: ignore[arg-type]
        (lambda: Categorical("a", "xyz"), "values must be a list"),  # type: ignore[arg-type]
        (lambda: Categorical("a", ("x", "x")), "names x twice"),
        (lambda: Categorical("a", ("x", None)), "None is no name"),
        (lambda: Categorical("a", ("x", "y"), {"d": [1]}), "1 numbers for 2 values"),
        (
            lambda: Categorical("a", ("x", "y"), {"d": {"x": 1}}),
            "descriptor 'd' of 'y' must be a finite number",
        ),
        (lambda: Categorical("a", ("x", "y"), {"d": [1, 1]}), "'x' and 'y' have the same descriptors"),
        (lambda: Composition("a", ("Fe2O3", "Xx9!")), "'Xx9!' is no formula"),
        (lambda: Mixture("m", ("a",)), "two ingredients or more"),
        (lambda: Mixture("m", ("a", "b"), bounds={"c": (0, 1)}), "bounds for 'c'"),
        (lambda: Mixture("m", ("a", "b"), bounds={"a": (0.6, 0.2)}), "least ≤ largest"),
        (lambda: Mixture("m", ("a", "b"), bounds={"a": (0.6, 1), "b": (0.6, 1)}), "least amounts sum to 1.2"),
        (
            lambda: Mixture("m", ("a", "b"), bounds={"a": (0, 0.3), "b": (0, 0.3)}),
            "sum to 0.6, below the total",
        ),
        (
            lambda: Mixture("m", ("a", "b", "c"), bounds={"a": (0.1, 1), "b": (0.1, 1)}, at_most=1),
            "always in it",
        ),
        (lambda: Mixture("m", ("a", "b"), step=0.3), "no whole number of steps"),
        (lambda: Mixture("m", ("a", "b"), balance="c"), "balance 'c' is none"),
        (lambda: SearchSpace(()), "needs a parameter"),
        (
            lambda: SearchSpace((Integer("a", 0, 1), Mixture("m", ("a", "b")))),
            "a is the name of more than one",
        ),
        (lambda: SearchSpace((Integer("time", 0, 1),), constraints=["tme < 1"]), "did you mean time"),  # type: ignore[arg-type]
        (lambda: SearchSpace((Integer("time", 0, 1),), shared=("T",)), "shared: there is no parameter 'T'"),
        (
            lambda: SearchSpace((Integer("time", 0, 1),), cost="2 * hours"),
            "cost: there is no parameter 'hours'",
        ),
        (lambda: SearchSpace(("time",)), "'time' is no parameter"),  # type: ignore[arg-type]
        (lambda: parameter_from_dict({"type": "quantum"}), "no parameter of type 'quantum'"),
        (lambda: parameter_from_dict({"type": "levels", "name": "a", "value": [1]}), "has no value; it has"),
        (lambda: parameter_from_dict({"type": "levels", "name": "a"}), "'values'"),
        (lambda: SearchSpace.from_dict({"parameters": [], "rules": 1}), "has no rules"),
        (lambda: SearchSpace.from_dict([]), "needs parameters"),  # type: ignore[arg-type]
        (lambda: Rule(3), "a rule is a text"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(make: Any, words: str) -> None:
    with pytest.raises(CampaignError, match=words.replace("(", r"\(").replace("*", r"\*")):
        make()
