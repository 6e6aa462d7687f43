"""Neware test files: a user would get currents off by ten, cycles off by one, or another version's bytes."""

from __future__ import annotations

import struct
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers._neware_records import FAMILIES, layout
from zairyo.readers._neware_table import current_scale
from zairyo.readers.neware_nda import READER

# Column → first, last, sum. fastnda 1.3.1 agrees with all, NewareNDA 2026.6.11 too (its cycle is charge-first).
GOLDEN = {
    "index": (1, 439, 96580),
    "cycle": (1, 1, 439),
    "cycle_charge_first": (1, 2, 776),
    "step": (1, 6, 1869),
    "step_index": (1, 6, 1869),
    "time": (0.0, 721.6, 159501.9),
    "step_time": (0.0, 41.6, 19336.9),
    "voltage": (-0.0911, -0.0951, -41.1896),
    "current": (0.0, 0.0, -2.3613),
    "charge_capacity": (0.0, 0.0, 0.017645388889),
    "discharge_capacity": (0.0, 0.0, 0.180197111111),
    "charge_energy": (0.0, 0.0, 0.001511166667),
    "discharge_energy": (0.0, 0.0, 0.017771916667),
}


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def test_records_are_what_the_tester_wrote(instruments: Path) -> None:
    source = RawInput(instruments / "neware-nda" / "test.nda")
    assert READER.sniff(source) == CERTAIN
    measurement = read(source.path)
    entry = measurement[0]
    for column, (first, last, total) in GOLDEN.items():
        values = entry[column].values.astype(np.float64)
        assert [values[0], values[-1], values.sum()] == pytest.approx([first, last, total], rel=1e-9)
    names, counts = np.unique(entry["step_type"].values, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "cc_charge": 51,
        "cc_discharge": 102,
        "rest": 286,
    }
    assert entry["timestamp"].values[0] == np.datetime64("2020-03-25T11:16:50")
    assert entry.started == datetime(2020, 3, 25, 11, 16, 21)
    assert (entry["voltage"].unit, entry["current"].unit, entry["charge_capacity"].unit) == ("V", "mA", "mAh")
    assert (entry.conditions["active_mass"].value, entry.conditions["active_mass"].unit) == (1.0, "mg")
    assert measurement.operator == "Frederik Huld"
    assert measurement.original_metadata["client_version"] == "BTS 7.6.0.1408(2018.08.27)"


@pytest.mark.parametrize(
    ("code", "milliamperes"),
    [
        *((1, 1e-4), (5, 1e-4), (10, 1e-3), (50, 1e-3), (100, 1e-2), (500, 1e-2), (1000, 0.1), (200000, 0.1)),
        (-1, 1e-5),
        (-5, 1e-5),
        (-10, 1e-4),
        (-50, 1e-4),
        (-100, 1e-3),
        (-500, 1e-3),
        (-1000, 1e-2),
        (-200000, 1e-2),
        (-100000000, 10),
    ],
)
def test_a_count_means_what_the_range_says(code: int, milliamperes: float) -> None:
    """Ranges that users of the public readers compared with the vendor's software."""
    assert current_scale(np.array([code], np.int32))[0] == pytest.approx(milliamperes)


def old_file(version: int, records: list[bytes], extra: bytes = b"") -> bytes:
    """A header with its pointers, a test description, the records, and what comes after."""
    head = bytearray(2048)
    head[:14] = b"NEWARE20200325"
    head[14] = version
    sizes = {1: 211, 11: 327, 16: 343, 17: 383, 29: 503}
    size = next((s for first, s in sorted(sizes.items(), reverse=True) if version >= first), 211)
    device = bytearray(42)
    struct.pack_into("<i", device, 26, 10)
    begin = 2048 + len(device) + size
    block = b"".join(records)
    struct.pack_into("<2I", head, 16, 2048, len(device))
    struct.pack_into("<2I", head, 24, 2048 + len(device), size)
    struct.pack_into("<2I", head, 64, begin, len(block))
    struct.pack_into("<2I", head, 72, begin + len(block), len(extra))
    struct.pack_into("<I", head, 152 if version >= 9 else 144 if version == 8 else 80, 12345)
    return bytes(head) + bytes(device) + bytes(size) + block + extra


def old_record(family_record: str, index: int, step_type: int, ticks: int) -> bytes:
    """A record of a layout, 1 s after the one before: 3.5 V, 0.1 mA, 36 counts of charge, 72 of energy."""
    record = np.zeros(1, layout(family_record))
    values = {
        "id": 0x55,
        "index": index,
        "cycle": 1,
        "step_index": 1 if index <= 2 else 2,
        "step_type": step_type,
        "jump": 1 if index <= 2 else 2,
        "step_time": ((index - 1) % 2) * ticks,
        "voltage": 35000,
        "current": 100 if step_type == 1 else -100,
        "capacity": 36,
        "energy": 72,
        "unix": 1_700_000_000 + index,
        "year": 2023,
        "month": 11,
        "day": 14,
        "hour": 22,
        "minute": 13,
        "second": 20 + index,
    }
    side = "charge" if step_type == 1 else "discharge"
    values |= {f"{side}_capacity": 36, f"{side}_energy": 72}
    for name in record.dtype.names or ():
        record[name] = values.get(name, 0)
    return record.tobytes()


CASES = [(version, family) for family in FAMILIES for version in family.versions]


@pytest.mark.parametrize(("version", "family"), CASES, ids=[str(version) for version, _ in CASES])
def test_every_version_gives_the_same_test(tmp_path: Path, version: int, family: object) -> None:
    """The same four records, written in each version's layout."""
    record, ticks, first = family.record, family.ticks, family.first_cycle  # type: ignore[attr-defined]
    records = [old_record(record, index, 1 if index <= 2 else 2, ticks) for index in range(1, 5)]
    path = tmp_path / "v.nda"
    path.write_bytes(old_file(version, records))
    assert READER.sniff(RawInput(path)) == CERTAIN
    measurement = read(path)
    entry = measurement[0]
    assert entry["index"].values.tolist() == [1, 2, 3, 4]
    assert entry["cycle"].values.tolist() == [1 + first] * 4
    assert entry["step"].values.tolist() == [1, 1, 2, 2]
    assert entry["step_type"].values.tolist() == ["cc_charge"] * 2 + ["cc_discharge"] * 2
    assert entry["time"].values == pytest.approx([0, 1, 1, 2])
    assert entry["voltage"].values == pytest.approx([3.5] * 4)
    assert entry["current"].values == pytest.approx([0.1, 0.1, -0.1, -0.1])
    assert entry["charge_capacity"].values == pytest.approx([1e-5, 1e-5, 0, 0])
    assert entry["discharge_capacity"].values == pytest.approx([0, 0, 1e-5, 1e-5])
    if version > 4:
        assert entry["discharge_energy"].values == pytest.approx([0, 0, 2e-5, 2e-5])
        assert entry["timestamp"].values[0] == np.datetime64("2023-11-14T22:13:21")
    assert entry.conditions["active_mass"].value == 12.345
    known = any("known only from descriptions" in warning for warning in measurement.warnings)
    assert known is not family.verified  # type: ignore[attr-defined]


def test_sizes_of_records_are_those_of_the_format() -> None:
    sizes = {3: 43, 5: 59, 6: 59, 9: 60, 11: 69, 14: 86, 19: 68, 25: 70, 26: 86}
    assert {family.versions[0]: layout(family.record).itemsize for family in FAMILIES} == sizes


def test_records_out_of_order_and_twice_are_put_right(tmp_path: Path) -> None:
    family = FAMILIES[-1]
    records = [old_record(family.record, index, 1, family.ticks) for index in (3, 1, 2, 2, 6)]
    path = tmp_path / "v.nda"
    path.write_bytes(old_file(29, records))
    measurement = read(path)
    assert measurement[0]["index"].values.tolist() == [1, 2, 3, 6]
    assert any("missing" in w for w in measurement.warnings)
    assert any("a number that another has" in w for w in measurement.warnings)


@pytest.mark.parametrize("stale", [(0, 0), (2048, 17)])
def test_a_stale_pointer_does_not_hide_the_records(tmp_path: Path, stale: tuple[int, int]) -> None:
    family = FAMILIES[-1]
    records = [old_record(family.record, index, 1, family.ticks) for index in range(1, 4)]
    data = bytearray(old_file(29, records))
    struct.pack_into("<2I", data, 64, *stale)
    path = tmp_path / "v.nda"
    path.write_bytes(bytes(data))
    assert read(path)[0]["index"].values.tolist() == [1, 2, 3]


def test_sensors_stand_beside_the_records_they_belong_to(tmp_path: Path) -> None:
    family = FAMILIES[-1]
    records = [old_record(family.record, index, 1, family.ticks) for index in range(1, 4)]
    sensors = np.zeros(2, layout(family.auxiliary))
    sensors["id"], sensors["aux"], sensors["index"] = 0x65, 1, (1, 3)
    sensors["temperature"], sensors["voltage"] = (251, 253), (0, 0)
    path = tmp_path / "v.nda"
    path.write_bytes(old_file(29, [*records, sensors[:1].tobytes()], sensors[1:].tobytes()))
    entry = read(path)[0]
    temperatures = [entry[name].values for name in ("temperature", "temperature_2")]
    assert np.nansum(temperatures) == pytest.approx(50.4)
    assert entry["temperature"].unit == "degC"
    assert np.isnan(temperatures[0][1])
    assert "auxiliary_voltage" not in {signal.name for signal in entry.signals}


def new_file(version: int, record_version: int, block: bytes) -> bytes:
    head = bytearray(1024)
    head[:14] = b"NEWARE20240101"
    head[14] = version
    struct.pack_into("<H", head, 16, record_version)
    struct.pack_into("<2Q", head, 82, 1024, len(block))
    return bytes(head) + block


def test_bts_9_0_records(tmp_path: Path) -> None:
    rows = b""
    for index in range(1, 4):
        row = b"\x01\x02\x03\x04\x55" + struct.pack(
            "<4xBB5xI8xQff8x", 1, 2, index, (index - 1) * 10**6, 3.25, -7.5
        )
        rows += row + struct.pack("<4fQ12x", 0.0, 0.0, -3.6, -7.2, (1_700_000_000 + index) * 10**6)
    path = tmp_path / "new.nda"
    path.write_bytes(new_file(130, 3, rows))
    entry = read(path)[0]
    assert entry["time"].values == pytest.approx([0, 1, 2])
    assert entry["current"].values == pytest.approx([-7.5] * 3)
    assert entry["discharge_capacity"].values == pytest.approx([1e-3] * 3)
    assert entry["discharge_energy"].values == pytest.approx([2e-3] * 3)
    assert entry.started == datetime.fromtimestamp(1_700_000_001, UTC)


@pytest.mark.parametrize("size", [52, 56, 60])
def test_bts_9_1_records_of_each_size(tmp_path: Path, size: int) -> None:
    rows = b""
    for index in range(1, 6):
        step = 1 if index < 4 else 2
        row = struct.pack(
            "<HBB4xIII4f", 0x0155, step, step, index, index, 0, 5.0, 3.0, 3.6 if step == 1 else -3.6, 7.2
        )
        stamp = struct.pack("<II", 1_700_000_000 + index, 0)
        tail = {
            52: struct.pack("<If", 4, 0.0) + stamp,
            56: struct.pack("<If", 4, 0.0) + stamp + struct.pack("<f", 25.5),
            60: stamp + struct.pack("<ffIf", 0.0, 25.5, 4, 0.0),
        }[size]
        rows += row + tail
    path = tmp_path / "new.nda"
    path.write_bytes(new_file(130, 19, rows))
    entry = read(path)[0]
    assert entry["cycle"].values.tolist() == [5] * 5
    assert entry["time"].values == pytest.approx([1, 2, 3, 4, 5])
    assert entry["step_time"].values == pytest.approx([1, 2, 3, 1, 2])
    assert entry["charge_capacity"].values == pytest.approx([1e-3] * 3 + [0, 0])
    assert entry["discharge_capacity"].values == pytest.approx([0] * 3 + [1e-3] * 2)
    if size > 52:
        assert entry["temperature"].values == pytest.approx([25.5] * 5)


@pytest.mark.parametrize("version", [0, 1, 2, 10, 21])
def test_versions_not_known_well_enough_are_refused(tmp_path: Path, version: int) -> None:
    path = tmp_path / "v.nda"
    path.write_bytes(old_file(version, [bytes(86)]))
    with pytest.raises(ReadError, match=f"version {version} "):
        read(path)


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    whole, target = (instruments / "neware-nda" / "test.nda").read_bytes(), tmp_path / "damaged.nda"
    random = np.random.default_rng(11)
    for end in np.linspace(0, len(whole) - 1, 20).astype(int):
        target.write_bytes(whole[:end])
        with pytest.raises(ReadError):
            read(target)
    row = b"\x01\x02\x03\x04\x55" + struct.pack(
        "<4xBB5xI8xQff8x4fQ12x", 1, 2, 1, 0, 3.0, 1.0, 0, 0, 1, 1, 10**15
    )
    for turn in range(120):
        bad = bytearray(whole if turn % 3 else new_file(130, 3, row * 20))
        start, end = (0, 200) if turn % 2 else (0, len(bad))
        for at in random.integers(start, end, 12):
            bad[at] = random.integers(256)
        if turn % 10 == 9:
            bad[1024:] = random.bytes(len(bad) - 1024)
        bad[:6] = b"NEWARE"
        target.write_bytes(bytes(bad))
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)


def test_other_files_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "a.nda").write_bytes(b"NEWARE is written here too, but nothing else")
    assert READER.sniff(RawInput(tmp_path / "a.nda")) == NO


def test_the_shipped_example_reads_without_the_shared_files(examples: Path) -> None:
    entry = read(examples / "battery" / "test.nda")[0]
    assert entry["discharge_capacity"].values.sum() == pytest.approx(0.180197111111)
