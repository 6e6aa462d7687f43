"""Arbin's databases: a user would lose records, or get another table's rows for the test's."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import LIKELY, NO, POSSIBLE, RawInput, ReadError
from zairyo.readers._jet import _JET3, _JET4, Database
from zairyo.readers.arbin_res import READER

# Records, and of each column: first, last, sum. access_parser 0.0.6 agrees on every column.
GOLDEN: dict[str, tuple[int, dict[str, tuple[float, float, float]]]] = {
    "20160805_test001_45_cc_02.res": (
        10261,
        {
            "time": (300.0104819316021, 859077.2406335169, 4818678926.797148),
            "step_time": (300.0104819316021, 2830.6200745018245, 107129658.47978427),
            "cycle": (1, 18, 81372),
            "step_index": (1, 10, 96802),
            "current": (0.0, -0.00030420697294175625, -0.11713836632183572),
            "voltage": (3.0976173877716064, 0.2940689027309418, 5506.644089777023),
            "charge_capacity": (0.0, 0.0, 4.888334881972134),
            "discharge_capacity": (0.0, 0.000239313155618, 10.324075808275563),
            "charge_energy": (0.0, 0.0, 1.8798428514192729),
            "internal_resistance": (0.0, 13.9079008102417, 291413.5905647278),
        },
    ),
    "arbin_example.res": (
        2150,
        {
            "time": (0.072595419795086, 345733.38945743744, 459914369.7476317),
            "cycle": (1, 5, 4510),
            "current": (0.0, 0.0, -0.0037530310000875033),
            "voltage": (3.8591957092285156, 3.872107982635498, 8396.22831273079),
            "discharge_energy": (0.0, 0.0, 1.081928517781984),
        },
    ),
}
GOLDEN["20160805_test001_46_cc_01.res"] = GOLDEN["20160805_test001_45_cc_02.res"]

KINDS = {"b": (1, 0), "h": (3, 2), "i": (4, 4), "f": (6, 4), "d": (7, 8), "t": (10, 0), "m": (12, 0)}


def definition(layout: Any, columns: list[tuple[str, str]], rows: int) -> bytes:
    """A page that defines a table of columns (name, type)."""
    body = bytearray(layout.definition)
    body[:2] = b"\x02\x01"
    struct.pack_into("<I", body, layout.rows, rows)
    struct.pack_into("<H", body, layout.columns, len(columns))
    place = varying = 0
    for number, (_, kind) in enumerate(columns):
        code, size = KINDS[kind]
        body += layout.column.pack(code, number, varying, 3 if size else 2, place)
        place += size
        varying += kind in "tm"
    for name, _ in columns:
        text = name.encode("latin-1" if layout is _JET3 else "utf-16-le")
        body += struct.pack(layout.names, len(text)) + text
    return bytes(body).ljust(layout.page, b"\0")


def row(layout: Any, columns: list[tuple[str, str]], values: list[Any]) -> bytes:
    """A row of a table; None for a value that is missing."""
    packed = struct.pack(layout.names, len(columns))
    bits, texts = 0, []
    for number, ((_, kind), value) in enumerate(zip(columns, values, strict=True)):
        bits |= (bool(value) if kind == "b" else value is not None) << number
        if kind in "tm":
            encoding = "utf-16-le" if layout is _JET4 else "latin-1"
            text = value if isinstance(value, bytes) else (value or "").encode(encoding)
            texts.append(text)
        elif kind != "b":
            packed += struct.pack(f"<{kind}", value or 0)
    places = []
    for text in texts:
        places.append(len(packed))
        packed += text
    places.append(len(packed))
    if layout is _JET4:
        packed += b"".join(struct.pack("<H", p) for p in reversed(places)) + struct.pack("<H", len(texts))
    else:
        # One byte each: a long row also says which of the ends begin the next 256 bytes.
        rest = len(places) + 1 + (len(columns) + 7) // 8
        count = (len(packed) + rest) // 256
        count = (len(packed) + rest + count - 1) // 256
        jumps = [next((k for k, p in enumerate(places) if p >= 256 * (j + 1)), 0xFF) for j in range(count)]
        packed += bytes(p % 256 for p in reversed(places)) + bytes(reversed(jumps)) + bytes([len(texts)])
    return packed + bits.to_bytes((len(columns) + 7) // 8, "little")


def data_page(layout: Any, owner: int, rows: list[bytes], flags: dict[int, int] | None = None) -> bytes:
    page = bytearray(layout.page)
    page[:2] = b"\x01\x01"
    struct.pack_into("<I", page, 4, owner)
    struct.pack_into("<H", page, layout.data_rows, len(rows))
    end = layout.page
    for k, content in enumerate(rows):
        end -= len(content)
        page[end : end + len(content)] = content
        struct.pack_into("<H", page, layout.data_rows + 2 + 2 * k, end | (flags or {}).get(k, 0))
    return bytes(page)


CATALOGUE = [("Id", "i"), ("Type", "h"), ("Name", "t")]
RECORDS = [
    ("Test_ID", "i"),
    ("Data_Point", "i"),
    ("Test_Time", "d"),
    ("Cycle_Index", "h"),
    ("Voltage", "f"),
    ("Current", "f"),
    ("Extra", "b"),
]
SENSORS = [
    ("Channel_Index", "h"),
    ("Auxiliary_Index", "h"),
    ("Data_Type", "h"),
    ("Nickname", "t"),
    ("Unit", "t"),
]
GLOBALS = [("Test_ID", "i"), ("Test_Name", "t"), ("MASS", "f"), ("Comments", "m"), ("Start_DateTime", "d")]
AUXILIARY = [("Test_ID", "i"), ("Data_Point", "i"), ("Auxiliary_Index", "h"), ("Data_Type", "h"), ("X", "f")]


def database(
    layout: Any,
    records: list[list[Any]],
    *,
    name: str = "cell 1",
    told: int | None = None,
    sensors: tuple[list[Any], ...] = (),
) -> bytes:
    """Pages: head, free, catalogue's definition and rows, records, globals, sensors; one deleted, one moved row."""
    head = bytearray(layout.page)
    head[4:20] = b"Standard Jet DB\x00"
    head[0x14] = layout is _JET4
    tables = [
        (4, 1, "Channel_Normal_Table"),
        (6, 1, "Global_Table"),
        (8, 1, "Auxiliary_Table"),
        (2, 1, "MSysObjects"),
        (11, 1, "Aux_Global_Data_Table"),
    ]
    compressed = b"\xff\xfe" + name.encode() if layout is _JET4 else name
    long = ("größer" if layout is _JET4 else "bigger") * 20
    inline = long.encode("utf-16-le") if layout is _JET4 else long.encode()
    memo = struct.pack("<III", 0x80000000 | len(inline), 0, 0) + inline
    rows = [row(layout, RECORDS, values) for values in records]
    moved = struct.pack("<I", 10 << 8 | 0)
    gone = row(layout, RECORDS, [1, 99, 9, 9, 9, 9, True])
    return b"".join(
        [
            bytes(head),
            bytes(layout.page),
            definition(layout, CATALOGUE, len(tables)),
            data_page(layout, 2, [row(layout, CATALOGUE, list(t)) for t in tables]),
            definition(layout, RECORDS, len(rows) if told is None else told),
            data_page(layout, 4, [gone, *rows[:-1], moved], {0: 0x8000, len(rows): 0x4000}),
            definition(layout, GLOBALS, 1),
            data_page(layout, 6, [row(layout, GLOBALS, [1, compressed, 0.5, memo, 43466.5])]),
            definition(layout, AUXILIARY, 2),
            data_page(layout, 8, [row(layout, AUXILIARY, [1, p, 0, 1, 20.0 + p]) for p in (3, 1)]),
            data_page(layout, 0, [rows[-1]], {0: 0x8000}),
            definition(layout, SENSORS, len(sensors)),
            data_page(layout, 11, [row(layout, SENSORS, list(values)) for values in sensors]),
        ]
    )


THREE = [[1, k, 10.0 * k, k, 3.0 + k, None if k == 2 else -0.5, k % 2 == 1] for k in (1, 2, 3)]


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


@pytest.mark.parametrize("name", GOLDEN)
def test_real_files_read_as_another_reader_does(instruments: Path, name: str) -> None:
    source = instruments / "arbin-res" / name
    assert READER.sniff(RawInput(source)) == LIKELY
    measurement = read(source)
    assert measurement.warnings == ()
    rows, columns = GOLDEN[name]
    entry = measurement["cycling"]
    assert (entry.x, entry.default) == ("time", "voltage")
    for column, (first, last, total) in columns.items():
        values = entry[column].values.astype(float)
        assert len(values) == rows
        assert (values[0], values[-1], values.sum()) == pytest.approx((first, last, total), rel=1e-6)


def test_conditions_units_and_cycles_of_a_real_file(instruments: Path) -> None:
    measurement = read(instruments / "arbin-res" / "20160805_test001_45_cc_02.res")
    entry = measurement["cycling"]
    assert {s.name: s.unit for s in entry.signals}["discharge_capacity"] == "Ah"
    assert str(entry.conditions["active_mass"]) == "0.000852838 g"
    assert entry.conditions["test_protocol"].value == "24h_rest_3cyc_C20_100cyc_c10_MR.sdu"
    assert (measurement.operator, entry.started) == ("hfa", datetime(2016, 8, 5, 16, 16, 23))
    assert entry["timestamp"].values[0] == np.datetime64("2016-08-05T16:21:23")
    cycles = measurement["cycles"]
    assert (cycles.x, cycles.default, len(cycles["cycle"].values)) == ("cycle", "discharge_capacity", 17)
    assert cycles["cycle"].values.tolist() == list(range(1, 18))
    assert cycles["charge_time"].values[0] == pytest.approx(38099.35713092533)
    # The tester notes a cycle at its last record: what it says there is the cycle's capacity.
    last = entry["discharge_capacity"].values[entry["cycle"].values == 3][-1]
    assert cycles["discharge_capacity"].values[2] == last
    assert measurement.original_metadata["Event_Table"][1]["Event_Describe"] == "Test end"


@pytest.mark.parametrize("layout", [_JET3, _JET4], ids=["Jet 3", "Jet 4"])
def test_both_kinds_of_database(tmp_path: Path, layout: Any) -> None:
    path = tmp_path / "a.res"
    path.write_bytes(database(layout, THREE))
    measurement = read(path)
    entry = measurement[0]
    assert entry["index"].values.tolist() == [1, 2, 3]  # the deleted row is gone, the moved one is there
    assert entry["time"].values.tolist() == [10, 20, 30]
    assert entry["voltage"].values.tolist() == [4, 5, 6]
    np.testing.assert_array_equal(entry["current"].values, np.float32([-0.5, np.nan, -0.5]))
    assert entry["extra"].values.tolist() == [True, False, True]
    np.testing.assert_array_equal(entry["temperature"].values, [21, np.nan, 23])
    assert measurement.title == "cell 1"
    assert entry.conditions["comment"].value == ("größer" if layout is _JET4 else "bigger") * 20
    assert str(entry.conditions["active_mass"]) == "0.5 g"
    assert entry.started == datetime(2019, 1, 1, 12)


def test_several_tests_in_a_file_are_several_entries(tmp_path: Path) -> None:
    path = tmp_path / "a.res"
    path.write_bytes(database(_JET4, [*THREE, [2, 1, 5.0, 1, 1.0, 2.0, True]]))
    measurement = read(path)
    assert [e.name for e in measurement] == ["cycling_1", "cycling_2"]
    assert measurement["cycling_2"]["voltage"].values.tolist() == [1]


@pytest.mark.parametrize(
    ("stated", "unit"), [("C", "degC"), ("F", "degF"), ("K", "K"), ("Celsius", "degC"), ("", "degC")]
)
def test_a_sensor_of_temperature_is_not_of_charge(tmp_path: Path, stated: str, unit: str) -> None:
    path = tmp_path / "a.res"
    path.write_bytes(database(_JET4, THREE, sensors=([7, 0, 1, "tab", stated], [7, 0, 0, "cell", "V"])))
    temperature = read(path)[0]["temperature"]
    assert (temperature.unit, temperature.long_name) == (unit, "tab")


def test_fewer_records_than_told_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.res"
    path.write_bytes(database(_JET4, THREE, told=5))
    with pytest.raises(ReadError, match="3 records of the 5"):
        read(path)


def test_other_databases_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.mdb"
    path.write_bytes(
        database(_JET4, THREE).replace(
            "Channel_Normal".encode("utf-16-le"), "Channel_Absurd".encode("utf-16-le")
        )
    )
    assert READER.sniff(RawInput(path)) == POSSIBLE
    with pytest.raises(ReadError, match="Channel_Absurd_Table"):
        read(path)
    (tmp_path / "b.res").write_bytes(b"no database at all")
    assert READER.sniff(RawInput(tmp_path / "b.res")) == NO


def test_no_record_and_a_column_lost_is_refused_by_name(tmp_path: Path) -> None:
    """Found by fuzzing."""
    path = tmp_path / "a.res"
    renamed = database(_JET4, THREE, told=0).replace(
        "Data_Point".encode("utf-16-le"), "Data_Paint".encode("utf-16-le")
    )
    path.write_bytes(renamed[: 5 * 4096] + bytes(4096) + renamed[6 * 4096 :])
    with pytest.raises(ReadError, match="lacks Data_Point"):
        read(path)


def test_an_encrypted_database_says_so(tmp_path: Path) -> None:
    data = bytearray(database(_JET4, THREE))
    data[2 * 4096 : 3 * 4096] = bytes(range(256)) * 16
    with pytest.raises(ReadError, match="encrypted"):
        Database(bytes(data))


def test_files_cut_off_or_damaged_are_refused_or_read(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "arbin-res" / "arbin_example.res").read_bytes()
    assert broken_files.cut(READER, whole, tmp_path / "cut.res") == []
    broken_files.damage(READER, whole, tmp_path / "broken.res")
    for layout in (_JET3, _JET4):
        small = database(layout, THREE)
        broken_files.cut(READER, small, tmp_path / "cut.res")
        broken_files.damage(READER, small, tmp_path / "broken.res", turns=150, seed=2)
