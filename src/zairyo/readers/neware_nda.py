"""Neware BTS `.nda`: the binary test file of a battery cycler, one table of records a test.

Facts: it begins ``NEWARE`` and a date; byte 14 is the version. Places and lengths of the blocks are in the
header: records at byte 64 (BTS 7/8) or 82 (BTS 9), the description of the test at 24 or 34. Text is GB 2312.
"""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

from zairyo.measurement import Measurement
from zairyo.measurement.model import Quantity
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._neware_records import VERSIONS, fixed_range, number, read_bts8, read_bts9
from zairyo.readers._neware_table import make_entry

_MAGIC = b"NEWARE"
_BTS9 = (129, 130)
#: First version that places the active mass (µg) at this byte.
_ACTIVE_MASS = ((129, 330), (9, 152), (8, 144), (1, 80))
#: First version, size of a test description, and where its texts are: name → (byte, length).
_EARLY = {"start_time": (36, 20), "creator": (76, 15), "serial_number": (91, 20), "remarks": (111, 100)}
_LATER = {"start_time": (37, 20), "creator": (77, 60), "serial_number": (137, 90), "remarks": (227, 100)}
_BARCODE = {"barcode": (343, 40)}
_NAMES = {"test_name": (383, 60), "step_name": (443, 60)}
_TEST_INFO = (
    (29, 503, _LATER | _BARCODE | _NAMES),
    (17, 383, _LATER | _BARCODE),
    (16, 343, _LATER),
    (11, 327, _LATER),
    (1, 211, _EARLY),
)
#: Description of a BTS 9 test of record version 8 and later.
_TEST_INFO_9 = {
    "creator": (8, 32),
    "serial_number": (40, 32),
    "remarks": (264, 64),
    "server_address": (360, 64),
}
_BTS9_VERSION = re.compile(rb"\d+(?:\.[\dA-Za-z]+){4,}")


def _sniff(source: RawInput) -> float:
    head = source.head
    return CERTAIN if head[:6] == _MAGIC and len(head) > 14 and head[14] in (*range(1, 30), *_BTS9) else NO


def _text(data: bytes) -> str:
    return clean_text(data.split(b"\0", 1)[0].decode("gb18030", "replace").strip())


def _versions(data: bytes) -> dict[str, str]:
    """Names and versions of the vendor's programs that ran the test."""
    head = data[:65536]
    if (at := head.find(b"BTSServer")) >= 0:
        return {
            "server_version": _text(head[at : at + 50]),
            "client_version": _text(head[at + 100 : at + 150]),
        }
    if (at := head[:1024].find(b"BTS_XWJ")) >= 0:
        return {"server_version": _text(head[at : at + 50])}
    found = _BTS9_VERSION.search(head[:2048])
    return {"server_version": found.group().decode("ascii")} if found else {}


def _test_info(data: bytes, version: int) -> dict[str, str]:
    """What the operator and the vendor's program wrote about the test; the last description, if several."""
    if version in _BTS9:
        begin, length = number(data, 34, 8), number(data, 42, 8)
        size, fields = length, _TEST_INFO_9
        if not begin or length < 424 or number(data, begin, 2) < 8:
            return {}
    else:
        begin, length = number(data, 24), number(data, 28)
        size, fields = next((size, fields) for first, size, fields in _TEST_INFO if version >= first)
        if not begin or length < size:
            return {}
        begin += (length // size - 1) * size
    record = data[begin : begin + size]
    return {name: _text(record[at : at + most]) for name, (at, most) in fields.items()}


def _metadata(data: bytes, version: int) -> dict[str, object]:
    mass_at = next(at for first, at in _ACTIVE_MASS if version >= first)
    metadata: dict[str, object] = {"version": version, "file_date": _text(data[6:14])}
    metadata |= _versions(data)
    metadata["active_mass_ug"] = number(data, mass_at)
    if version in VERSIONS:
        metadata["current_range"] = fixed_range(data)
    return metadata | {"test": _test_info(data, version)}


def _started(text: str) -> datetime | None:
    return in_forms(text, ("%Y-%m-%d %H:%M:%S", "%Y.%m.%d %H:%M:%S"))


@np.errstate(all="ignore")  # damaged bytes are odd numbers, not news for the console
def _read(source: RawInput) -> Measurement:
    data = source.read_bytes()
    if data[:6] != _MAGIC or len(data) < 1024:
        raise ReadError(
            f"{source.name} is no Neware test file, or only its first {len(data)} bytes. Copy it again."
        )
    version = data[14]
    records = read_bts9(data) if version in _BTS9 else read_bts8(data, version)  # refuses unknown versions
    metadata = _metadata(data, version)
    test = metadata["test"]
    assert isinstance(test, dict)
    conditions = {
        name: Quantity(value)
        for name, value in (
            ("test_protocol", test.get("step_name")),
            ("barcode", test.get("barcode")),
            ("comment", test.get("remarks")),
            ("software", metadata.get("client_version") or metadata.get("server_version")),
        )
        if isinstance(value, str) and value
    }
    mass = metadata["active_mass_ug"]
    if isinstance(mass, int) and mass:
        conditions["active_mass"] = Quantity(mass / 1000, "mg")
    title = test.get("test_name") or source.path.name.split(".")[0]
    # A description's start is the tester's clock; where records carry universal time, theirs says more.
    started = None if records.utc else _started(test.get("start_time", ""))
    entry, warnings = make_entry(records, title=clean_text(title), started=started, conditions=conditions)
    return Measurement(
        (entry,),
        title=clean_text(title),
        sample=test.get("barcode", ""),
        instrument="Neware battery tester",
        operator=test.get("creator", ""),
        original_metadata=tidy_metadata(metadata),
        warnings=tuple(warnings),
    )


READER = Reader(
    name="neware_nda",
    version="2",
    techniques=("battery_cycling",),
    vendor="Neware",
    format="BTS test (nda)",
    endings=(".nda",),
    sniff=_sniff,
    read=_read,
    notes="Versions 3–29 and 129/130 (BTS 7, 8, 9); the log is not read.",
)
