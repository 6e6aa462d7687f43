"""Hypothesis strategies for measurements, nasty ones included: import them where any measurement must do."""

from __future__ import annotations

import string
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from hypothesis import strategies as st

from zairyo.measurement import Axis, Entry, Measurement, Quantity, RawFile, Signal, Source, table
from zairyo.measurement.techniques import TECHNIQUES, conditions

_UNITS = ("", "deg", "degC", "counts", "µV/mg", "cm⁻¹", "unknown unit ", "K/min")
#: Names that stand for something in NeXus, or in our file, or clash if one is careless.
_NAMES = (
    "data",
    "sample",
    "instrument",
    "process",
    "conditions",
    "layout",
    "title",
    "row_",
    "units",
    "signal",
    "axes",
    "errors",
    "default",
    "x",
    "x_errors",
    "x_indices",
    "entry",
    "NX_class",
    "_",
    "A" * 63,
)
_MOMENT_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "25s", "7D")
_NUMBERS = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", ">f8", ">i2")

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.sampled_from(
    ("", " ", "trailing ", "\n", "材料", "🧪x", "\u2028", "NaN", "a" * 300)
)
names = st.sampled_from(_NAMES) | st.text(string.ascii_letters + string.digits + "_", min_size=1).map(
    lambda t: f"n{t}"[:63]
)
units = st.none() | st.sampled_from(_UNITS) | texts
moments = st.datetimes(
    timezones=st.none()
    | st.integers(-86399, 86399).map(lambda seconds: timezone(timedelta(seconds=seconds))),
) | st.datetimes(timezones=st.timezones(), min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1))
floats = st.floats() | st.sampled_from((-0.0, float("nan"), float("inf"), 5e-324, 0.1))
values = floats | st.integers(-(2**63), 2**63 - 1) | texts | st.booleans() | moments
quantities = st.builds(Quantity, values, units, st.none() | floats)
metadata_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | floats | texts | st.integers() | st.integers(-(10**80), 10**80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
metadata = st.dictionaries(texts, metadata_values, max_size=4)


@st.composite
def arrays(draw: st.DrawFn, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Any array of that shape: the bits are arbitrary, so that NaN payloads and -0.0 come by themselves."""
    size = int(np.prod(shape))
    kind = draw(st.sampled_from(("number", "number", "number", "moment", "text")))
    if kind == "text":
        items = draw(st.lists(texts, min_size=size, max_size=size))
        return np.array(items, dtype=np.str_).reshape(shape)
    dtype = np.dtype(draw(st.sampled_from(_NUMBERS)))
    if kind == "moment":
        dtype = np.dtype(f"M8[{draw(st.sampled_from(_MOMENT_UNITS))}]")
    if dtype.kind == "M" and size and draw(st.booleans()):
        return np.full(shape, "NaT", dtype)
    seed = draw(st.integers(0, 2**32 - 1))
    data = np.random.default_rng(seed).bytes(size * dtype.itemsize)
    array = np.frombuffer(data, dtype).reshape(shape)
    return array if draw(st.booleans()) or dtype.kind == "?" else np.zeros(shape, dtype)


@st.composite
def signals(draw: st.DrawFn, name: str, axes: tuple[tuple[str, int], ...]) -> Signal:
    shape = tuple(n for _, n in axes)
    return Signal(
        name,
        draw(arrays(shape)),
        unit=draw(units),
        axes=tuple(a for a, _ in axes),
        long_name=draw(st.just("") | texts),
        uncertainty=draw(st.none() | arrays(shape)) if not name.endswith("_errors") else None,
    )


def _condition_names(technique: str) -> st.SearchStrategy[str]:
    known = sorted(conditions(technique))
    return st.sampled_from(known) | names


@st.composite
def entries(draw: st.DrawFn, name: str = "entry") -> Entry:
    """Signals over axes (scalars and empty axes included), or a table."""
    technique = draw(st.sampled_from((*sorted(TECHNIQUES), "not_in_the_vocabulary")))
    rest: dict[str, Any] = {
        "title": draw(texts),
        "conditions": draw(st.dictionaries(_condition_names(technique), quantities, max_size=5)),
        "original_metadata": draw(metadata),
        "started": draw(st.none() | moments),
    }
    found = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    found = [n for n in found if n.removesuffix("_errors") not in found or not n.endswith("_errors")]
    if draw(st.booleans()):
        over = (("row", draw(st.integers(0, 5))),)
        columns = [draw(signals(n, over)) for n in found]
        x, default = draw(st.sampled_from(found)), draw(st.sampled_from(found))
        return table(name, technique, columns, x=x, default=default, **rest)
    cut = draw(st.integers(0, min(3, len(found) - 1)))
    axes = tuple((n, draw(st.integers(0, 4))) for n in found[:cut])
    made = []
    for n in found[cut:]:
        over = tuple(draw(st.permutations(axes))[: draw(st.integers(0, len(axes)))])
        made.append(draw(signals(n, over)))
    return Entry(
        name,
        technique,
        tuple(Axis(n, draw(arrays((k,))), draw(units), draw(texts)) for n, k in axes),
        tuple(made),
        default=draw(st.sampled_from(found[cut:])),
        **rest,
    )


sources = st.builds(
    Source,
    texts,
    texts,
    st.lists(st.builds(RawFile, texts, texts, st.integers(0, 2**63 - 1)), max_size=3).map(tuple),
)


@st.composite
def measurements(draw: st.DrawFn) -> Measurement:
    """Any measurement that the model allows."""
    entry_names = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    return Measurement(
        tuple(draw(entries(n)) for n in entry_names),
        title=draw(texts),
        sample=draw(texts),
        instrument=draw(texts),
        operator=draw(texts),
        default=draw(st.sampled_from(entry_names)),
        original_metadata=draw(metadata),
        warnings=tuple(draw(st.lists(texts, max_size=3))),
        source=draw(st.none() | sources),
    )
