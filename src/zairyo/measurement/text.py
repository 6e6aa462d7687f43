"""Names, text and original metadata that HDF5, SQL and JSON can all carry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any, TypeAlias, overload

import numpy as np

#: What original metadata may hold, as JSON does: verbatim from the vendor's file, nested as there.
MetadataValue: TypeAlias = "str | int | float | bool | list[MetadataValue] | dict[str, MetadataValue] | None"

#: NeXus' validItemName without its '.', so that a name is also an attribute in Python.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_DEEPEST = 32
_DEEPEST_TIDIED = 28  # so that what is tidied may be put some levels deeper
#: Units and labels are attributes in HDF5, whose size is limited; nothing longer is one.
_LONGEST_LABEL = 1000
#: Python reads no integer of more than 4300 digits from text.
_MOST_BITS = 14_000


class MeasurementError(ValueError):
    """The parts given do not make a consistent measurement; the message names the part."""


def check_name(name: str, what: str) -> None:
    if not NAME.match(name):
        raise MeasurementError(
            f"{what} name {name!r} is not a NeXus name (letters, digits and _, at most 63, no leading digit)"
        )


def make_name(text: str, fallback: str = "unnamed") -> str:
    """A NeXus name out of any text: ``"Heat Flow/(mW/mg)"`` becomes ``"heat_flow_mw_mg"``."""
    name = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")[:60] or fallback
    return f"_{name}" if name[0].isdigit() else name


def check_text(text: str | None, what: str) -> None:
    """Text that HDF5, SQL and JSON can all carry: no NUL, no lone surrogate."""
    # What is printable holds neither; asking that first takes a tenth of the time.
    if text is not None and not text.isprintable() and _UNSTORABLE.search(text):
        raise MeasurementError(f"{what} holds a NUL or a lone surrogate: {text[:40]!r}")


def check_label(text: str | None, what: str) -> None:
    """A unit or a label: storable text of a length that an attribute can hold."""
    check_text(text, what)
    if text is not None and len(text) > _LONGEST_LABEL:
        raise MeasurementError(f"{what} has {len(text)} characters; at most {_LONGEST_LABEL}: {text[:40]!r}…")


def clean_text(text: str) -> str:
    """Make any string one that ``check_text`` accepts: NUL and lone surrogates become U+FFFD."""
    return text if text.isprintable() else _UNSTORABLE.sub("\ufffd", text)


def check_metadata(value: Any, what: str, depth: int = 0) -> None:
    """Raise unless ``value`` is plain JSON-like Python, at most 32 deep, with storable text."""
    kind = type(value)
    if depth > _DEEPEST:
        raise MeasurementError(f"{what} is nested deeper than {_DEEPEST}")
    if kind is dict or (depth == 0 and isinstance(value, Mapping)):
        for key in value:
            if type(key) is not str:
                raise MeasurementError(f"{what} has the key {key!r}, which is not text")
            if not key.isprintable():
                check_text(key, what)
        items = value.values()
    elif kind is list:
        items = value
    else:
        items = (value,)
    for item in items:  # hundreds of thousands in some files: what most are is asked here, without a call
        kind = type(item)
        if kind is str:
            if not item.isprintable():
                check_text(item, what)
        elif kind is int:
            if item.bit_length() > _MOST_BITS:
                raise MeasurementError(f"{what} holds an integer of more than 4000 digits; keep it as text")
        elif kind is dict or kind is list:
            check_metadata(item, what, depth + 1)
        elif item is not None and kind is not float and kind is not bool:
            raise MeasurementError(f"{what} holds a {kind.__name__}; tidy_metadata() makes it storable")


class Metadata(Mapping[str, MetadataValue]):
    """Original metadata that passed :func:`check_metadata`, so that a copy of its owner need not ask again.

    Raises
    ------
    MeasurementError
        They hold what cannot be stored.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, MetadataValue], what: str = "original metadata") -> None:
        self._items: dict[str, MetadataValue] = items._items if isinstance(items, Metadata) else dict(items)
        if not isinstance(items, Metadata):
            check_metadata(self._items, what)

    def __getitem__(self, key: str) -> MetadataValue:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(dict(self._items))


@overload
def tidy_metadata(value: Mapping[Any, Any], depth: int = 0) -> dict[str, MetadataValue]: ...
@overload
def tidy_metadata(value: Any, depth: int = 0) -> MetadataValue: ...
def tidy_metadata(value: Any, depth: int = 0) -> MetadataValue:
    """Make anything a reader meets into original metadata: bytes, NumPy values, tuples, dates included.

    What is nested deeper than 28 is cut off (``"…"``): no vendor's metadata are, damaged files may be.
    """
    kind = type(value)
    if kind is str:  # most are; files hold hundreds of thousands
        return value if value.isprintable() else clean_text(value)
    if kind is float or kind is bool or (kind is int and value.bit_length() <= _MOST_BITS):
        return value  # type: ignore[no-any-return]
    if depth > _DEEPEST_TIDIED and not isinstance(value, (str, bytes, int, float)):
        return "…"
    if kind is dict:
        found: dict[str, MetadataValue] = {}
        for key, item in value.items():
            if not (type(key) is str and key.isprintable()):
                key = clean_text(str(key))
            kind = type(item)
            is_plain = kind is float or (kind is str and item.isprintable())
            found[key] = item if is_plain else tidy_metadata(item, depth + 1)
        return found
    if kind is list:
        return [v if type(v) is float else tidy_metadata(v, depth + 1) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (float, bool):
        return value  # type: ignore[no-any-return]
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _MOST_BITS else hex(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return clean_text(str.__str__(value))
    if isinstance(value, (bytes, bytearray)):
        return clean_text(bytes(value).decode("utf-8", "replace"))
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {clean_text(str(k)): tidy_metadata(v, depth + 1) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return tidy_metadata(value.tolist(), depth + 1)  # type: ignore[no-any-return]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [tidy_metadata(v, depth + 1) for v in value]
    return clean_text(str(value))
