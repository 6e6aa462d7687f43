"""FEI TIA ``.emi``: the document: its displays, and the spectra and images in them with the vendor's description.

After ``JK\\0\\2`` and four bytes come records: a code (2 bytes), a number that says what it is (2 bytes), the content.
The code's upper byte tells what follows: 0x4n a structure of records up to a code of zero, 0x21 and 0x22 arrays of
one and two dimensions (length, size, values), 0 a plain value whose kind is the lower byte. (Found by looking at
documents of TIA 4; no description of the format is public.) Where an object's data went into a ``.ser``, its name
is there, and the document holds what was on the screen last.
"""

from __future__ import annotations

import contextlib
import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import clean_text
from zairyo.readers._api import ReadError
from zairyo.readers._tia_ser import DTYPES, Calibration
from zairyo.readers._xml import parse_xml

MAGIC = b"JK\x00\x02"
_RECORDS = 8
_STRUCTURE, _PROFILE, _IMAGE = 0x40, 0x21, 0x22
_TEXT, _DOUBLE = 0x60, 0x41
#: Kind of a plain value → its length.
_LENGTHS = {0x20: 1, 0x30: 2, 0x31: 4, 0x32: 2, 0x33: 4, 0x40: 4, _DOUBLE: 8, 0x70: 1}
_F64 = struct.Struct("<d")
_DEEPEST = 32
_NAME, _TYPE, _VALUES, _CALIBRATION = 0x0100, 0x0200, 0x0202, 0x0300
_SPACE, _SERIES, _DESCRIPTION, _VERSION = 0x0400, 0x0440, 0x0419, 0x0712
_UNIT = 0x0120
#: Where offset, step and element of the first and the second axis are in a calibration.
_AXES = ((0x0100, 0x0120, 0x0140), (0x0110, 0x0130, 0x0150))
_BEGIN, _END = b"<ObjectInfo>", b"</ObjectInfo>"
_MOST_RECORDS = 2_000_000


@dataclass
class Structure:
    """Records by their number; structures in it in their order."""

    values: dict[int, Any] = field(default_factory=dict)
    inner: list[tuple[int, Structure]] = field(default_factory=list)

    def find(self, number: int) -> Structure | None:
        return next((s for n, s in self.inner if n == number), None)

    def all(self) -> Iterator[Structure]:
        yield self
        for _, structure in self.inner:
            yield from structure.all()


@dataclass(frozen=True)
class DocumentObject:
    """A spectrum, profile or image of a document.

    ``values`` are what was on the screen last: shape (points,) or (rows, columns), None if they are not in the
    document; ``space`` is TIA's word for the kind of its axes (``Real Space``, ``Reciprocal Space``, ``EDX``);
    ``series`` the file name of its ``.ser``, empty if it has none.
    """

    name: str
    space: str
    series: str
    info: Element | None
    values: NDArray[Any] | None
    calibrations: tuple[Calibration, ...]
    unit: str

    @cached_property
    def labels(self) -> dict[str, tuple[str, str]]:
        """The description's labels with their values and units, e.g. ``High tension``: 200, kV."""
        pairs = self.info.findall("ExperimentalDescription/Root/Data") if self.info is not None else []
        return {(p.findtext("Label") or "").strip(): (_said(p, "Value"), _said(p, "Unit")) for p in pairs}


def _said(pair: Element, name: str) -> str:
    return (pair.findtext(name) or "").strip()


@dataclass(frozen=True)
class Document:
    """What a ``.emi`` holds: TIA's version, the document's name, its objects."""

    version: str
    name: str
    objects: tuple[DocumentObject, ...]


def read_document(data: bytes | mmap.mmap, name: str, warnings: list[str]) -> Document:
    """Parse an ``.emi``.

    Where records of an unknown kind stop the walk, the objects up to there are kept, the descriptions that follow
    are looked for by their XML, and a warning says so.

    Raises
    ------
    ReadError
        If it is not such a document, or is cut off.
    """
    if data[:4] != MAGIC or len(data) < _RECORDS:
        raise ReadError(f"{name} is not a TIA document: it does not begin as one")
    root = Structure()
    walk = _Walk(data, name)
    walk.fill(root)
    objects = [made for s in root.all() if (made := _object(s, name, warnings)) is not None]
    if walk.stopped:
        warnings.append(
            f"{name} has a record of an unknown kind at byte {walk.stopped}; what follows was not read."
        )
        objects += [DocumentObject("", "", "", i, None, (), "") for i in _descriptions(data, walk.stopped)]
    document = root.inner[0][1] if root.inner else root
    return Document(
        str(document.values.get(_VERSION, "")), str(document.values.get(_NAME, "")), tuple(objects)
    )


def _descriptions(data: bytes | mmap.mmap, at: int) -> Iterator[Element]:
    """The descriptions from a byte on, found by their XML."""
    while (start := data.find(_BEGIN, at)) >= 0 and (end := data.find(_END, start)) >= 0:
        at = end + len(_END)
        with contextlib.suppress(ReadError):
            yield parse_xml(bytes(data[start:at]), "a description")


class _Walk:
    """Through the records, once, to the end or to one of an unknown kind (``stopped``, its byte)."""

    def __init__(self, data: bytes | mmap.mmap, name: str) -> None:
        self.data, self.name, self.at, self.stopped, self.records = data, name, _RECORDS, 0, 0

    def _cut(self, count: int) -> ReadError:
        return ReadError(
            f"{self.name} is cut off or damaged: {count} bytes are needed at byte {self.at}, and the file has "
            f"{len(self.data)}. Copy it again."
        )

    def _bytes(self, count: int) -> bytes:
        found = bytes(self.data[self.at : self.at + count])
        if len(found) < count:
            raise self._cut(count)
        self.at += count
        return found

    def fill(self, structure: Structure, depth: int = 0) -> None:
        data, size, values = self.data, len(self.data), structure.values
        while not self.stopped and (depth or self.at < size):
            head = data[self.at : self.at + 4]
            code = int.from_bytes(head[:2], "little")
            if code == 0 and len(head) >= 2:
                self.at += 2
                return
            if len(head) < 4:
                raise self._cut(4)
            number, kind, value = int.from_bytes(head[2:], "little"), code >> 8, code & 0xFF
            self.records += 1
            if self.records > _MOST_RECORDS:
                raise ReadError(f"{self.name} is damaged: it has more than {_MOST_RECORDS} records")
            start, self.at = self.at, self.at + 4
            length = _LENGTHS.get(value) if kind == 0 else None
            if length:
                plain = self._bytes(length)
                values[number] = (
                    _F64.unpack(plain)[0]
                    if value == _DOUBLE
                    else int.from_bytes(plain, "little", signed=True)
                )
            elif kind & 0xF0 == _STRUCTURE and depth < _DEEPEST:
                inner = Structure()
                structure.inner.append((number, inner))
                self.fill(inner, depth + 1)
            elif kind in (_PROFILE, _IMAGE):
                values[number] = (kind, self._bytes(self._length()))
            elif kind == 0 and value == _TEXT:
                values[number] = clean_text(self._bytes(self._length()).decode("cp1252", "replace"))
            else:
                self.stopped = start
                return

    def _length(self) -> int:
        return int.from_bytes(self._bytes(4), "little")


def _object(structure: Structure, name: str, warnings: list[str]) -> DocumentObject | None:
    values = structure.values
    if _TYPE not in values or not isinstance(values.get(_VALUES), tuple):
        return None
    info = None
    if isinstance(text := values.get(_DESCRIPTION), str):
        try:
            info = parse_xml(
                text.encode(), f"the description of {values.get(_NAME, 'an object')!r} in {name}"
            )
        except ReadError as e:
            warnings.append(f"{e}")
    kind, content = values[_VALUES]
    calibration = structure.find(_CALIBRATION)
    found = calibration.values if calibration else {}
    axes = [
        Calibration(_number(found.get(o), 0.0), _number(found.get(s), 0.0), int(_number(found.get(e), 0)))
        for o, s, e in _AXES[: kind - _PROFILE + 1]
    ]
    unit = next((s.values[_UNIT] for _, s in structure.inner if isinstance(s.values.get(_UNIT), str)), "")
    return DocumentObject(
        name=_text(values, _NAME),
        space=_text(values, _SPACE),
        series=re.split(r"[\\/]", _text(values, _SERIES))[-1],
        info=info,
        values=_array(kind, values[_TYPE], content),
        calibrations=tuple(reversed(axes)),
        unit=unit,
    )


def _number(value: Any, missing: float) -> float:
    return value if isinstance(value, (int, float)) else missing


def _text(values: dict[int, Any], number: int) -> str:
    value = values.get(number, "")
    return value.strip() if isinstance(value, str) else ""


def _array(kind: int, code: Any, content: bytes) -> NDArray[Any] | None:
    """The values in an array's record; None if its size is not what it says."""
    axes = kind - _PROFILE + 1
    if code not in DTYPES or len(content) < 4 * axes:
        return None
    shape = tuple(reversed(struct.unpack_from("<" + "I" * axes, content)))
    values = np.frombuffer(content, "u1", offset=4 * axes)
    dtype = np.dtype(DTYPES[code])
    if 0 in shape or len(values) != dtype.itemsize * int(np.prod(shape, dtype=object)):
        return None
    return values.view(dtype).reshape(shape)
