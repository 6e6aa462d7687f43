"""Arrays and values that can be stored and come back exactly as they were; and what "exactly" means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement.text import MeasurementError, check_text

Array: TypeAlias = NDArray[Any]

_KINDS = frozenset("biufcUM")
#: HDF5 allows no more.
_MOST_DIMENSIONS = 32


def freeze(values: Any, what: str) -> Array:
    """A read-only, C-ordered array in native byte order, of a dtype that the standard form can hold.

    Raises
    ------
    MeasurementError
        If ``values`` are Python objects other than text, ``bytes``, durations, extended floats, masked, or
        text that cannot be stored.
    """
    if np.ma.is_masked(values):
        raise MeasurementError(f"{what} is masked; give what was measured, NaN where nothing was")
    array: Array = np.asarray(values)
    if array.dtype.kind == "U" and not isinstance(values, np.ndarray):
        array = np.asarray(values, dtype=object)  # as text; converted it has lost NULs at the end
    if array.dtype.kind in "OT":
        if not all(isinstance(v, str) for v in array.flat):
            raise MeasurementError(f"{what} holds Python objects; give numbers, booleans, text or datetime64")
        for text in array.flat:
            check_text(text, what)
        array = array.astype(np.str_)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind not in _KINDS or (kind == "f" and size > 8) or (kind == "c" and size > 16):
        raise MeasurementError(f"{what} has dtype {array.dtype}, which the standard form cannot hold")
    if array.ndim > _MOST_DIMENSIONS:
        raise MeasurementError(f"{what} has {array.ndim} dimensions; the most is {_MOST_DIMENSIONS}")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if kind == "b" and array.size and array.view(np.uint8).max() > 1:
        array = np.asarray(array.view(np.uint8) != 0)  # bytes read as booleans: true is 1
    if array.flags.writeable or not array.flags.c_contiguous:
        array = np.array(array, order="C", copy=True)
        array.flags.writeable = False
    if kind == "U":
        _check_characters(array, what)
    return array


def characters(array: Array) -> NDArray[np.uint32]:
    """The code points of a C-ordered text array, shape ``(size, width)``; unused places are 0."""
    width = array.dtype.itemsize // 4
    if array.size == 0 or width == 0:
        return np.zeros((array.size, width), np.uint32)
    return array.reshape(-1).view(np.uint32).reshape(-1, width)


def _check_characters(array: Array, what: str) -> None:
    code = characters(array)
    if code.size == 0:
        return
    is_letter = code != 0
    bad = bool((is_letter[:, 1:] > is_letter[:, :-1]).any())  # a letter behind a NUL
    highest = code.max()
    if highest >= 0xD800 and not bad:
        bad = bool(highest > 0x10FFFF or ((code >= 0xD800) & (code <= 0xDFFF)).any())
    if bad:
        raise MeasurementError(f"{what} holds text with a NUL or a lone surrogate")


def plain_moment(value: datetime, what: str) -> datetime:
    """The same moment as an exact ``datetime``: naive, or with the fixed offset its zone had then.

    A zone's name is not kept: what the instrument's clock said and its offset are what was recorded.
    """
    try:
        offset = value.utcoffset()
        if value.tzinfo is not None and offset is None:
            raise MeasurementError(f"{what} has a time zone without an offset")
        if offset is not None and offset.microseconds:
            raise MeasurementError(f"{what} has a time zone with a fraction of a second")
        if getattr(value, "nanosecond", 0):
            raise MeasurementError(f"{what} has nanoseconds; a moment is kept to the microsecond")
        plain = datetime(*value.timetuple()[:6], value.microsecond)
    except (TypeError, ValueError) as e:
        if isinstance(e, MeasurementError):
            raise
        raise MeasurementError(f"{what} is not a moment: {value!r}") from None
    return plain if offset is None else plain.replace(tzinfo=timezone(timedelta() + offset))


def plain_value(value: Any, what: str) -> float | int | str | bool | datetime:
    """A quantity's value as one of the plain Python types, of the same value."""
    if isinstance(value, np.datetime64):
        moment = value.astype("datetime64[us]")
        if np.isnat(value) or moment != value:
            raise MeasurementError(f"{what} {value!r} is not a moment to the microsecond")
        value = moment.item()
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, datetime):
        return plain_moment(value, what)
    if isinstance(value, bool):
        return value
    # A subclass, as of an Enum, would not come back as itself: hence int(), float(), str.__str__().
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise MeasurementError(f"integer {what} does not fit 64 bits")
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        check_text(value, what)
        return str.__str__(value)
    raise MeasurementError(f"{what} cannot be a {type(value).__name__}")


def same(a: Any, b: Any) -> bool:
    """Exact equality: types, dtypes and bits, NaN equal to NaN, times with their offsets."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.dtype.kind == "U" and b.dtype.kind == "U":
            return a.shape == b.shape and bool(np.array_equal(a, b))
        return a is b or (a.dtype == b.dtype and a.shape == b.shape and np.array_equal(_bits(a), _bits(b)))
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (a == b and np.signbit(a) == np.signbit(b)) or (a != a and b != b)
    if isinstance(a, datetime):
        return bool(a == b) and a.utcoffset() == b.utcoffset()
    if isinstance(a, Mapping):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if is_dataclass(a):
        return same_fields(a, b)
    return bool(a == b)


def _bits(array: Array) -> Array:
    """The array's bits as whole numbers, which are equal where the bits are: so a NaN is, and -0.0 is not 0.0."""
    size = array.dtype.itemsize
    return np.ascontiguousarray(array).reshape(-1).view(f"u{size}" if size in (1, 2, 4, 8) else "u1")


def same_fields(a: Any, b: Any) -> bool:
    """:func:`same` for every field of two dataclasses of one type."""
    return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
