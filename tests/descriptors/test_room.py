"""What holds for every method: how it is found, told, repeated and refused."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from tests.descriptors.curves import columns, doublets, pattern, scan

from zairyo import descriptors
from zairyo.descriptors import CannotDescribe, Found, Method, Parameter, Term, _numeric
from zairyo.descriptors.registry import Registry, default_registry, load
from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
from zairyo.measurement.techniques import TECHNIQUES

TERM = Term("answer", "mm", "Answer", "答え")


def method(compute: Any = None, **rest: Any) -> Method:
    told: dict[str, Any] = {
        "name": "m", "version": "3", "techniques": ("xrd",), "gives": (TERM,),
        "parameters": (Parameter("size", "Size", "大きさ", 2.0, "mm"),),
        "compute": compute or (lambda entry, size: [Found("answer", size)]), "title": "M", "title_ja": "M",
    }  # fmt: skip
    return Method(**told | rest)


def registry(*methods: Method) -> Registry:
    made = Registry()
    made.add(methods, "test")
    assert not made.problems
    return made


def xrd() -> Entry:
    x = np.arange(20, 40, 0.02)
    return pattern(x, 50 + doublets(x, [(28.4, 0.1, 500.0)]))


# --- the methods there are -------------------------------------------------------------------------------------


def test_every_method_is_declared_whole() -> None:
    found = load()
    assert not found.problems
    assert {"diffraction_peaks", "dsc_transitions", "tga_steps"} <= set(found.methods)
    from zairyo.measurement import units

    for m in found.methods.values():
        assert set(m.techniques) <= set(TECHNIQUES), m.name
        assert all((m.title, m.title_ja, m.source, m.gives, m.compute.__doc__)), m.name
        for p in (*m.parameters, *m.gives):
            assert all((p.title, p.title_ja)), f"{m.name} {p.name}"
            assert not p.unit or units.normalise(p.unit) == p.unit, f"{m.name} {p.name}: {p.unit}"
        for p in m.parameters:
            assert p.settle(p.default) == p.default, f"{m.name} {p.name}"


def test_a_broken_plug_in_is_named_and_the_others_work() -> None:
    made = registry(method())
    made.add([method(), method(name="other", gives=(Term("answer", "kg", "Mass", "質量"),)), 3], "plug-in x")
    made.add(7, "plug-in y")
    assert list(made.methods) == ["m"]
    told = [message for _, message in made.problems]
    assert ["name of another" in told[0], "another thing by 'answer'" in told[1]] == [True, True]
    assert [where for where, _ in made.problems] == ["plug-in x"] * 3 + ["plug-in y"]


# --- parameters ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [5, 5.0, "5", "5 mm", "0.5 cm", Quantity(5000.0, "um"), np.float64(5)])
def test_a_parameter_is_taken_in_any_unit_and_kept_with_its_own(given: Any) -> None:
    found = descriptors.compute(xrd(), "m", registry=registry(method()), size=given)
    assert found["answer"].value.value == pytest.approx(5.0)
    size = found["answer"].parameters["size"]
    assert isinstance(size, Quantity)
    assert size.unit == "mm"
    assert size.value == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("5 kg", "cannot be converted"),
        ("wide", "begin with a number"),
        (float("nan"), "finite"),
        (True, "number"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(given: Any, says: str) -> None:
    with pytest.raises(CannotDescribe, match=f"size.*{says}"):
        descriptors.compute(xrd(), "m", registry=registry(method()), size=given)


def test_kinds_of_parameters() -> None:
    def settle(given: Any, **kind: Any) -> Any:
        return Parameter("p", "P", "P", **kind).settle(given)

    assert settle("yes", kind="truth") is True
    assert settle("C1s=1, O1s=2.93", kind="numbers") == {"C1s": 1.0, "O1s": 2.93}
    assert settle({"C1s": 1}, kind="numbers") == {"C1s": 1.0}
    assert settle(4.0, kind="whole") == 4
    assert settle("b", kind="choice", choices=("a", "b")) == "b"
    for given, kind in (("maybe", "truth"), ("C1s", "numbers"), (1.5, "whole"), ("c", "choice")):
        with pytest.raises(CannotDescribe, match="parameter p"):
            settle(given, kind=kind, choices=("a", "b"))


def test_what_is_unknown_is_named_with_what_there_is() -> None:
    with pytest.raises(CannotDescribe, match=r"no method 'x'; there are .*tga_steps"):
        descriptors.compute(xrd(), "x")
    with pytest.raises(CannotDescribe, match="for dsc, sta, dta, not for xrd"):
        descriptors.compute(xrd(), "dsc_transitions")
    with pytest.raises(CannotDescribe, match="no parameter width; it has low"):
        descriptors.compute(xrd(), "diffraction_peaks", width=3)
    with pytest.raises(CannotDescribe, match=r"none of .*diffraction_peaks.* has a parameter width"):
        descriptors.compute(xrd(), width=3)
    with pytest.raises(CannotDescribe, match="no entry 'b'; there are scan"):
        descriptors.compute(xrd(), entry="b")
    with pytest.raises(CannotDescribe, match="no method yet for unspecified"):
        descriptors.compute(columns("unspecified", "a", "a", {"a": ([1.0], None)}))
    with pytest.raises(CannotDescribe, match=r"needs low .Lower limit. and high"):
        descriptors.compute(scan([1, 2], [0, 0]), "dsc_glass_transition")


# --- results ---------------------------------------------------------------------------------------------------


def test_a_descriptor_carries_what_repeats_it() -> None:
    """Every parameter, those that the method chose included: given again they give the same numbers."""
    entry = xrd()
    found = descriptors.compute(entry, "diffraction_peaks")
    again = descriptors.compute(entry, "diffraction_peaks", entry="scan", **found[0].parameters)
    assert [d.value for d in again] == [d.value for d in found]
    assert found[0].parameters["low"] == Quantity(20.0, "deg")
    assert found[0].parameters["doublet"] == "yes"
    assert (found[0].method, found[0].method_version, found[0].entry) == ("diffraction_peaks", "1", "scan")
    assert found[0].region is not None
    assert found[0].region.axis == "two_theta"


def test_access_by_name_item_and_number() -> None:
    two = method(lambda entry, size: [Found("answer", 1.0, item="a"), Found("answer", 2.0, 0.1, item="b")])
    found = descriptors.compute(Measurement((xrd(),)), "m", registry=registry(two))
    assert found["answer", "b"] is found[1]
    assert len(found.named("answer")) == 2
    with pytest.raises(KeyError, match="is there 2 times"):
        found["answer"]
    with pytest.raises(KeyError, match="no width; there are answer"):
        found["width"]
    assert repr(found).splitlines() == [
        "2 descriptors", "  [scan] m 3", "    a answer 1 mm", "    b answer 2.00 ± 0.10 mm",
    ]  # fmt: skip
    assert "2.00 ± 0.10 mm" in found._repr_html_()
    long, wide = found.to_pandas(), found.to_pandas(wide=True)
    assert list(long["value"]) == [1.0, 2.0]
    assert list(long["item"]) == ["a", "b"]
    assert wide.loc[("scan", "b"), "answer"] == 2.0
    assert wide.attrs["units"] == {"answer": "mm"}
    assert json.loads(json.dumps([d.as_dict() for d in found]))[1]["uncertainty"] == 0.1


def test_what_could_not_be_computed_is_told_beside_what_could() -> None:
    def refuse(entry: Entry, size: float) -> list[Found]:
        raise CannotDescribe("too short; measure longer")

    both = registry(method(), method(refuse, name="n"))
    found = descriptors.compute(xrd(), registry=both)
    assert [r.method for r in found.refused] == ["n"]
    assert "not given by n: too short; measure longer" in repr(found)
    with pytest.raises(CannotDescribe, match=r"^too short; measure longer$"):
        descriptors.compute(xrd(), "n", registry=both)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_that_is_none_is_handed_out(value: float) -> None:
    with pytest.raises(CannotDescribe, match="the data do not determine it"):
        descriptors.compute(
            xrd(), "m", registry=registry(method(lambda entry, size: [Found("answer", value)]))
        )
    loose = registry(method(lambda entry, size: [Found("answer", 1.0, value)]))
    assert descriptors.compute(xrd(), "m", registry=loose)["answer"].value.uncertainty is None


def test_nothing_found_is_a_refusal() -> None:
    with pytest.raises(CannotDescribe, match="found nothing"):
        descriptors.compute(xrd(), "m", registry=registry(method(lambda entry, size: [])))


def test_methods_of_several_entries_get_them_together() -> None:
    seen: list[Any] = []
    together = method(lambda entries, size: [Found("answer", len(entries))], together=True)
    other = columns("tga", "time", "time", {"time": ([1.0], "s")})
    several = Measurement((xrd(), Entry("b", "xrd", signals=(Signal("s", 1.0),)), other))
    found = descriptors.compute(several, "m", registry=registry(together))
    assert found["answer"].value.value == 2.0
    assert found["answer"].entry == ""
    assert not seen


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.ndimage", None)
    with pytest.raises(CannotDescribe, match=r"pip install 'zairyo\[descriptors\]'"):
        _numeric.need("scipy.ndimage")
    with pytest.raises(CannotDescribe, match=r"zairyo\[descriptors\]"):
        descriptors.compute(xrd(), "diffraction_peaks")


def test_loading_the_methods_loads_no_heavy_library() -> None:
    """So that the tables of the documentation and of the server cost nothing."""
    probe = (
        "import sys, zairyo.descriptors.registry as r; r.default_registry()\n"
        "print(sorted(m for m in ('scipy', 'pybaselines', 'pandas', 'lmfit', 'pint') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "technique", sorted({t for m in default_registry().methods.values() for t in m.techniques})
)
@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [np.nan] * 40, [0.0] * 200])
def test_data_without_anything_to_describe_are_refused_in_words(technique: str, values: list[float]) -> None:
    """No crash and no number: empty, one or two points, gaps only, zeros."""
    n = len(values)
    names = {s.name: s.unit for s in TECHNIQUES[technique].signals if s.unit is not None}
    given = {name: (np.array(values, float), unit) for name, unit in names.items()}
    given |= {"time": (np.arange(n, dtype=float), "s")} if "time" in names else {}
    entry = columns(technique, next(iter(given)), next(iter(given)), given)
    with pytest.raises(CannotDescribe, match=r"\w+"):
        descriptors.compute(entry)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", sorted(default_registry().methods))
def test_noise_jumps_and_huge_numbers_give_numbers_or_a_refusal(name: str, seed: int) -> None:
    """Whatever a damaged file holds: never another error, never a number that is none."""
    random = np.random.default_rng([seed, *name.encode()])
    m = default_registry().methods[name]
    n = int(random.choice([17, 60, 300]))
    told: dict[str, Any] = {
        "dsc_glass_transition": {"low": 20, "high": 70},
        "eis_circuit": {"circuit": "R0-p(R1,C1)"},
        "xps_composition": {"sensitivity_factors": "data=1"},
        "tensile": {"gauge_length": 10, "cross_section": 2},
    }.get(name, {})

    def values() -> Any:
        kind = random.integers(5)
        y = [random.normal(size=n), np.linspace(0, 90, n), np.cumsum(random.normal(size=n)), np.ones(n)][
            kind % 4
        ]
        y = np.where(random.random(n) < 0.1 * (kind == 4), np.nan, y)
        y[random.integers(n)] *= random.choice([1, 1e9, 1e200])
        return y

    technique = m.techniques[0]
    signals = {s.name: s.unit for s in TECHNIQUES[technique].signals if s.unit is not None}
    given = {signal: (values(), unit) for signal, unit in signals.items()}
    if technique in ("xrd", "xps"):
        axis = "two_theta" if technique == "xrd" else "binding_energy"
        entry = Entry(
            "data", technique, axes=(Axis(axis, np.linspace(10, 60, n), "deg" if technique == "xrd" else "eV"),),
            signals=(Signal("intensity", values(), "count/s", axes=(axis,)),),
        )  # fmt: skip
    else:
        entry = columns(technique, next(iter(given)), next(iter(given)), given)
    try:
        found = descriptors.compute(entry, name, **told)
    except CannotDescribe:
        return
    assert all(np.isfinite(float(d.value.value)) for d in found)  # type: ignore[arg-type]
