"""The two halves of a PHI file: a header in text, and records of numbers.

After the header's last line (``EOFH``) comes a little binary header - four 32-bit integers: a group, the count
of records, the bytes of their directory, where it begins - and a directory of 96 bytes a record::

    0 number, 12 region, 16 kind, 20 24 28 three dimensions, fastest first        (32-bit integers)
    32 40 48 what the dimensions are: ``pnt`` energies, ``cyc`` cycles, ``sar`` areas, ``reg`` regions ...
    56 unit (16 characters), 72 type of number (``f4``), 76 bytes, 80 offset from the end of the header

Texts end at their first NUL; what follows it is whatever lay in memory.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import clean_text
from zairyo.readers._api import ReadError
from zairyo.readers._legacy_text import decode_legacy

_END = re.compile(rb"^EOFH[ \t]*\r?\n", re.M)
_HEADER_MOST = 4 * 1024**2
_RECORD_BYTES = 96
_TYPES = frozenset(("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"))


@dataclass(frozen=True)
class Record:
    """One array of numbers; ``values`` has the shape of ``axes``, slowest first."""

    number: int
    region: int
    kind: int
    axes: tuple[str, ...]
    unit: str
    values: NDArray[Any]


def split(data: bytes) -> tuple[str, bytes]:
    """The header as text, and the bytes of the records."""
    end = _END.search(data, 0, _HEADER_MOST)
    if end is None:
        raise ReadError("the header's last line, EOFH, is missing: the file is cut off. Copy it again.")
    return decode_legacy(data[: end.start()]), data[end.end() :]


def read_records(data: bytes, warnings: list[str]) -> list[Record]:
    """All records; those of an unknown type of number are left out with a warning.

    Raises
    ------
    ReadError
        If the directory or a record's numbers are not all there.
    """
    if len(data) < 16:
        raise ReadError(f"only {len(data)} bytes follow the header; the spectra are cut off. Copy it again.")
    order = "<"
    _, count, size, start = struct.unpack("<4I", data[:16])
    if count > 0xFFFF:  # workstations other than PCs
        order = ">"
        _, count, size, start = struct.unpack(">4I", data[:16])
    if size != count * _RECORD_BYTES or start + size > len(data):
        raise ReadError(
            f"the directory announces {count} records in {size} bytes from byte {start}, which does not fit the "
            f"{len(data)} bytes after the header; the file is cut off or damaged. Copy it again."
        )
    records = []
    for index in range(count):
        at = start + index * _RECORD_BYTES
        record = _record(data, data[at : at + _RECORD_BYTES], order, index + 1, warnings)
        if record is not None:
            records.append(record)
    return records


def _record(data: bytes, entry: bytes, order: str, index: int, warnings: list[str]) -> Record | None:
    number, _, _, region, kind, *lengths = struct.unpack(f"{order}8I", entry[:32])
    size, offset = struct.unpack(f"{order}2I", entry[76:84])
    words = [_text(entry[at : at + 8]) for at in (32, 40, 48)]
    kind_of_number = _text(entry[72:76])
    if kind_of_number not in _TYPES:
        warnings.append(
            f"Record {index} holds numbers of an unknown type {kind_of_number!r}; it was left out."
        )
        return None
    dtype = np.dtype(order + kind_of_number)
    lengths = [length or 1 for length in lengths]
    total = lengths[0] * lengths[1] * lengths[2]
    if total * dtype.itemsize > size or offset + total * dtype.itemsize > len(data):
        raise ReadError(
            f"record {index} announces {total} numbers in {size} bytes from byte {offset} after the header, "
            f"where {max(len(data) - offset, 0)} are left; the file is cut off or damaged. Copy it again."
        )
    values = np.frombuffer(data, dtype, total, offset)
    kept = [i for i in (2, 1, 0) if i == 0 or lengths[i] > 1 or (i == 1 and words[1] == "cyc")]
    axes = tuple(words[i] or f"dimension_{i + 1}" for i in kept)
    return Record(number, region, kind, axes, _text(entry[56:72]), values.reshape([lengths[i] for i in kept]))


def _text(field: bytes) -> str:
    return clean_text(field.split(b"\0", 1)[0].decode("latin-1")).strip()
