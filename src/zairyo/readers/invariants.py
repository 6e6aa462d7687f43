"""What must be true of anything a reader returned.

The model already refuses arrays whose lengths do not fit their axes. Here is what needs the vocabulary or a
look at the numbers: a reader that "succeeds" with wrong numbers is worse than one that refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity
from zairyo.measurement.techniques import TECHNIQUES, conditions
from zairyo.readers._api import Reader, ReadError

_RUBBISH = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\ufffd]")


class InvalidResult(ReadError):
    """A reader returned something that cannot be right."""


def check(measurement: Measurement, reader: Reader | None = None) -> Measurement:
    """The measurement with warnings added and rubbish text taken out.

    Raises
    ------
    InvalidResult
        An entry has no data or an unknown technique, an axis has gaps or is not monotonic where the technique
        says it must be, or nothing in the signal to plot is a number.
    """
    who = f"read as {reader.vendor} {reader.format}".replace("  ", " ") if reader else "read"
    try:
        checked = [_check_entry(entry) for entry in measurement.entries]
    except InvalidResult as e:
        raise InvalidResult(
            f"The file was {who}, but the result cannot be right: {e}. It may be damaged, or a variant that the "
            "reader does not know."
        ) from None
    warnings = list(measurement.warnings)
    for _, more in checked:
        warnings += [w for w in more if w not in warnings]
    texts: dict[str, Any] = {}
    for name in ("title", "sample", "instrument", "operator"):
        if _RUBBISH.search(getattr(measurement, name)):
            texts[name] = ""
            warnings.append(f"The {name} in the file is not readable text and was left out.")
    warnings += _metadata_warnings(measurement)
    entries = tuple(entry for entry, _ in checked)
    if not texts and tuple(warnings) == measurement.warnings and _identical(entries, measurement.entries):
        return measurement
    return replace(measurement, entries=entries, warnings=tuple(warnings), **texts)


def _identical(a: tuple[Entry, ...], b: tuple[Entry, ...]) -> bool:
    return all(x is y for x, y in zip(a, b, strict=True))


def _check_entry(entry: Entry) -> tuple[Entry, list[str]]:
    if entry.technique not in TECHNIQUES:
        raise InvalidResult(f"{entry.name} names a technique {entry.technique!r} that the vocabulary lacks")
    for signal in entry.signals:
        if signal.values.size == 0:
            raise InvalidResult(f"{signal.name} of {entry.name} is empty")
    for axis in entry.axes:
        _check_axis(axis, entry)
    values = entry.signal.values
    if values.dtype.kind in "fc" and not np.isfinite(values).any():
        raise InvalidResult(f"{entry.default} of {entry.name} has not one number in it")
    return _tidy(entry)


def _check_axis(axis: Axis, entry: Entry) -> None:
    values = axis.values
    gaps = values.dtype.kind == "f" and not np.isfinite(values).all()
    if gaps or (values.dtype.kind == "M" and np.isnat(values).any()):
        raise InvalidResult(f"axis {axis.name} of {entry.name} has gaps")
    if axis.name in TECHNIQUES[entry.technique].monotonic and len(values) > 1:
        steps = values[1:] > values[:-1]
        if not (steps.all() or (values[1:] < values[:-1]).all()):
            rising = bool(np.count_nonzero(steps) * 2 >= len(steps))
            wrong = ~steps if rising else values[1:] >= values[:-1]
            at = int(np.argmax(wrong)) + 1
            raise InvalidResult(
                f"axis {axis.name} of {entry.name} must rise or fall all along, but point {at + 1} is "
                f"{values[at]:g} after {values[at - 1]:g}"
            )


def _tidy(entry: Entry) -> tuple[Entry, list[str]]:
    warnings: list[str] = []
    known = conditions(entry.technique)
    kept: dict[str, Quantity] = {}
    for name, quantity in entry.conditions.items():
        if isinstance(quantity.value, str) and _RUBBISH.search(quantity.value):
            warnings.append(f"The condition {name} is not readable text and was left out.")
            continue
        kept[name] = quantity
        if name not in known:
            warnings.append(f"The condition {name} is not in the vocabulary of {entry.technique}.")
        elif wrong := _wrong_unit(quantity, known[name].unit):
            warnings.append(f"The condition {name} is given in {quantity.unit!r}, {wrong}.")
    changes: dict[str, Any] = {} if len(kept) == len(entry.conditions) else {"conditions": kept}
    if _RUBBISH.search(entry.title):
        changes["title"] = ""
        warnings.append(f"The title of {entry.name} is not readable text and was left out.")
    for kind in ("signals", "axes"):
        parts = getattr(entry, kind)
        clean = tuple(_tidy_labels(part) for part in parts)
        if any(a is not b for a, b in zip(clean, parts, strict=True)):
            changes[kind] = clean
            warnings.append(f"Units or labels of {entry.name} are not readable text and were left out.")
    return (replace(entry, **changes) if changes else entry), warnings


def _tidy_labels(part: Any) -> Any:
    changes: dict[str, Any] = {}
    if part.unit and _RUBBISH.search(part.unit):
        changes["unit"] = None
    if _RUBBISH.search(part.long_name):
        changes["long_name"] = ""
    return replace(part, **changes) if changes else part


def _wrong_unit(quantity: Quantity, usual: str | None) -> str:
    """What is wrong with a condition's unit; nothing if it is of the usual one's dimension, or none is stated."""
    unit = quantity.unit
    if unit is None or unit == usual or usual is None or isinstance(quantity.value, (str, bool)):
        return ""
    from zairyo.measurement import units

    if units.normalise(unit) is None:
        return "which is not a unit that is known here"
    return "" if units.same_dimension(unit, usual) else f"which is no unit for it (usually {usual or 'none'})"


def _metadata_warnings(measurement: Measurement) -> Iterator[str]:
    trees = [measurement.original_metadata, *(e.original_metadata for e in measurement.entries)]
    bad = [key for tree in trees for key in _unreadable(tree)]
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        yield f"The vendor's metadata {bad[0]!r}{more} holds characters that are not readable text."


def _unreadable(tree: Any) -> list[str]:
    """The paths at which texts or keys are rubbish; a path is put together only where there is one.

    Plain letters are never rubbish: asking that first takes a tenth of the time, and without a call for each, as
    there are thousands, half of that.
    """
    found: list[str] = []
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if not (key.isascii() and key.isprintable()) and _RUBBISH.search(key):
                found.append(_RUBBISH.sub("?", key))
            elif type(value) is str:
                if not (value.isascii() and value.isprintable()) and _RUBBISH.search(value):
                    found.append(key)
            elif (type(value) is dict or type(value) is list) and (paths := _unreadable(value)):
                found += [f"{key}/{path}" if path else key for path in paths]
    else:
        for value in tree:
            if type(value) is str:
                if not (value.isascii() and value.isprintable()) and _RUBBISH.search(value):
                    found.append("")
            elif type(value) is dict or type(value) is list:
                found += _unreadable(value)
    return found
