"""A NeXus group of the class NXdata → an entry: its signals over its axes.

Source: the NeXus manual (NIAC), "Associating plottable data". The group names its signal in the attribute ``signal``,
the axis of each dimension in ``axes`` (``.`` where there is none), and further signals in ``auxiliary_signals``. In
older files the data sets are marked instead: ``signal=1`` and ``axes="y:x"`` on one, or ``axis=1`` on others. An axis
that has one value more than its dimension holds the ends of bins. Deviations are in ``<signal>_errors`` or ``errors``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Signal, clean_text, make_name, table, units
from zairyo.measurement.techniques import TECHNIQUES
from zairyo.readers._hdf5_file import attribute
from zairyo.readers._nexus_tree import Node
from zairyo.readers._tokens import number, unique

_MOST_ARRAY = 512 * 1024**2
#: What the definitions call a signal or an axis → the vocabulary, of the techniques that have the name.
_NAMES = {
    "polar_angle": "two_theta",
    "two_theta": "two_theta",
    "Q": "q",
    "Qx": "qx",
    "Qy": "qy",
    "energy": "photon_energy",
    "data": "intensity",
    "counts": "intensity",
    "I": "intensity",
}
#: Of photoelectrons the axis ``energy`` says in its attribute ``type`` which it is.
_ENERGIES = {"binding": "binding_energy", "kinetic": "kinetic_energy"}
_LENGTHS = re.compile(r"(?i)(wavelength|lambda|spacing|/q[xyz]?\Z|/d\Z)")
_ANGSTROM = re.compile(r"\bA\b")


@dataclass
class Plot:
    """An NXdata: its signal, and for each dimension the axis' name or nothing."""

    node: Node
    signal: str
    axes: list[str]
    others: list[str]


def plot_of(node: Node, warnings: list[str]) -> Plot | None:
    """What an NXdata plots; None if it names no array of numbers."""
    marks = {name: held for name, held in node.arrays.items() if is_numbers(held)}
    stated = node.attributes.get("signal")
    signal = stated if isinstance(stated, str) else ""
    if not signal:
        signal = next((n for n, held in marks.items() if str(attribute(held, "signal")) == "1"), "")
    if not signal:
        signal = "data" if "data" in marks else next(iter(marks)) if len(marks) == 1 else ""
    if signal not in marks:
        if signal:
            warnings.append(
                f"{node.path} plots {clean_text(signal)[:60]!r}, which holds no numbers here; left out."
            )
        return None
    shape = marks[signal].shape
    axes = _named_axes(node, marks, signal)
    axes += [""] * (len(shape) - len(axes))
    auxiliary = _words(node.attributes.get("auxiliary_signals"))
    beside = [n for n in marks if n not in axes and n != signal and not _is_deviation(n, marks)]
    others = [n for n in dict.fromkeys((*auxiliary, *beside)) if n in marks and marks[n].shape == shape]
    return Plot(node, signal, axes[: len(shape)], others)


def is_numbers(held: Any) -> bool:
    return bool(held.dtype.kind in "biufc" and held.shape and 0 not in held.shape)


def _words(value: Any) -> list[str]:
    """Names in an attribute: a list, or a text with colons or commas, perhaps in brackets."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [str(v).strip() for v in value]
    return [w.strip() for w in re.split("[:,]", value.strip().strip("[]"))] if isinstance(value, str) else []


def _named_axes(node: Node, marks: dict[str, Any], signal: str) -> list[str]:
    """The axis of each dimension, as the group, the signal or the axes themselves say."""
    words = _words(node.attributes.get("axes")) or _words(attribute(marks[signal], "axes"))
    if words:
        return [w if w in marks else "" for w in words]
    found = [""] * len(marks[signal].shape)
    for name, held in marks.items():
        place = number(attribute(held, "axis"))
        if name != signal and place is not None and 1 <= place <= len(found) and place % 1 == 0:
            is_first = str(attribute(held, "primary")) == "1" or not found[int(place) - 1]
            found[int(place) - 1] = name if is_first else found[int(place) - 1]
    return found


def _is_deviation(name: str, marks: dict[str, Any]) -> bool:
    return name == "errors" or name.removesuffix("_errors") in marks.keys() - {name}


def entry_of(
    plot: Plot, name: str, technique: str, title: str, rest: dict[str, Any], warnings: list[str]
) -> Entry | None:
    """The entry of a plot, with ``rest`` of its fields; None, which is told, if its signal is more than is read."""
    node, arrays = plot.node, plot.node.arrays
    if (main := values_of(arrays[plot.signal], warnings)) is None:
        return None
    taken: set[str] = set()
    along = [
        _positions(node, axis, size, technique, taken, warnings)
        for axis, size in zip(plot.axes, main.shape, strict=True)
    ]
    alone = along[0] if len(along) == 1 and along[0] is not None and _turns(along[0]) else None
    axes: list[Axis] = []
    turning: list[Signal] = []
    for dimension, (found, size) in enumerate(zip(along, main.shape, strict=True)):
        if found is not None and not _turns(found):
            axes.append(Axis(found.name, found.values, found.unit, found.long_name))
            continue
        axes.append(
            Axis(unique(f"point_{dimension + 1}" if dimension else "point", taken), np.arange(size), "")
        )
        turning += [] if found is None else [found.over(axes[-1].name)]
    over = tuple(axis.name for axis in axes)
    signals: list[Signal] = []
    for given in (plot.signal, *plot.others):
        held = arrays[given]
        if (values := main if given == plot.signal else values_of(held, warnings)) is None:
            continue
        called = unique(_called(given, held, technique), taken)
        unit = unit_of(held, f"{node.path}/{given}", warnings)
        own = arrays.get(f"{given}_errors", arrays.get("errors") if given == plot.signal else None)
        signals.append(Signal(called, values, unit, over, _label(held, called), _spread(own, values)))
    default = signals[0].name
    if alone is not None:
        return table(name, technique, [alone, *signals], x=alone.name, default=default, title=title, **rest)
    return Entry(name, technique, tuple(axes), (*signals, *turning), default, title=title, **rest)


def _turns(positions: Signal) -> bool:
    """Whether positions go there and back, or are not all known, and so are no axis but a column."""
    steps = np.diff(np.asarray(positions.values, float))
    return bool(len(steps)) and not ((steps > 0).all() or (steps < 0).all())


def _positions(
    node: Node, name: str, size: int, technique: str, taken: set[str], warnings: list[str]
) -> Signal | None:
    """The numbers along a dimension; None where there are none that fit, told if there are others."""
    held = node.arrays.get(name)
    if held is None:
        return None
    where = f"{node.path}/{clean_text(name)[:60]}"
    values = values_of(held, warnings) if len(held.shape) == 1 else None
    if values is None or len(values) not in (size, size + 1):
        shape = " × ".join(map(str, held.shape))
        warnings.append(f"{where} has the shape {shape} and is no axis of {size} points; they are numbered.")
        return None
    if len(values) == size + 1:
        values = (values[1:] + values[:-1]) / 2
        warnings.append(f"{where} holds the ends of bins; their middles were taken.")
    called = unique(_called(name, held, technique), taken)
    return Signal(called, values, unit_of(held, where, warnings), long_name=_label(held, called))


def values_of(held: Any, warnings: list[str]) -> NDArray[Any] | None:
    size = int(np.prod(held.shape, dtype=np.int64)) * held.dtype.itemsize
    if size > _MOST_ARRAY:
        warnings.append(
            f"{held.name} has {size / 1024**3:.1f} GiB, more than the {_MOST_ARRAY / 1024**3:g} GiB that are read; "
            "it was left out."
        )
        return None
    values: NDArray[Any] = held[()]
    return values.astype(np.uint8) if values.dtype.kind == "b" else values


def _spread(held: Any | None, values: NDArray[Any]) -> NDArray[Any] | None:
    if held is None or held.shape != values.shape or not is_numbers(held):
        return None
    spread: NDArray[Any] = held[()]
    return spread if np.isfinite(spread).all() and (spread >= 0).all() else None


def _called(name: str, held: Any, technique: str) -> str:
    """The vocabulary's name, where the technique has it."""
    kind = _ENERGIES.get(str(attribute(held, "type")).casefold()) if name == "energy" else None
    known = kind or _NAMES.get(name, "")
    return known if known in {s.name for s in TECHNIQUES[technique].signals} else make_name(name, "data")


def _label(held: Any, called: str) -> str:
    stated = attribute(held, "long_name")
    text = clean_text(stated).strip() if isinstance(stated, str) else ""
    own = clean_text(held.name.rpartition("/")[2])
    return text or ("" if own == called else own)


def unit_of(held: Any, where: str, warnings: list[str]) -> str | None:
    """Pint's spelling of the attribute ``units``; an unknown one verbatim with a warning, None if there is none."""
    stated = attribute(held, "units")
    text = clean_text(stated).strip() if isinstance(stated, str) else ""
    if not text or text.casefold() in ("none", "any", "unitless"):
        return "" if text.casefold() == "unitless" else None
    if _LENGTHS.search(where):  # no current
        text = _ANGSTROM.sub("angstrom", text)
    known = units.normalise(text)
    if known is None:
        warnings.append(f"The unit {text[:40]!r} of {where} is not known; it was kept as it is.")
    return known or text
