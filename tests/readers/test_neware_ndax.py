"""Neware archives: a user would lose capacities, or take one sensor's readings for another's."""

from __future__ import annotations

import struct
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.neware_ndax import READER

SMALL, LARGE = "test.ndax", "20260302_IFE_BTS85_2_9_8_1.ndax"
# Column → first, last, sum. fastnda 1.3.1 agrees to its single precision (raw and charge-first cycles alike).
GOLDEN = {
    SMALL: {
        "index": (1, 1464, 1072380),
        "cycle": (1, 1, 1464),
        "step": (1, 4, 3660),
        "time": (0.0, 43800.0, 32061600.0),
        "step_time": (0.0, 300.0, 15576900.0),
        "voltage": (3.4666, 1.8105, 5185.8956),
        "current": (0.0, 0.0, -4.0535),
        "charge_capacity": (0.0, 0.0, 245.385458472),
        "discharge_capacity": (0.0, 0.0, 253.196114778),
        "charge_energy": (0.0, 0.0, 1043.442777972),
        "discharge_energy": (0.0, 0.0, 863.242745472),
    },
    LARGE: {
        "index": (1, 252951, 31992230676),
        "cycle": (1, 1, 252951),
        "step": (1, 5, 1248608),
        "time": (0.0, 252946.0, 31990982068.0),
        "step_time": (0.0, 247650.0, 30673270736.0),
        "voltage": (0.206954598, 4.748331070, 1165165.714186),
        "current": (0.0, 1.935565262, 5107765.789749),
        "charge_capacity": (0.0, 1390.574863, 300499955.491),
        "discharge_capacity": (0.0, 0.0, 0.0),
        "charge_energy": (0.0, 6068.264560, 1300611402.4255),
        "temperature": (25.633997, 26.779999, 6758624.19411),
        "auxiliary": (24.8, 24.8, 6292743.3929),
    },
}
UNITS = {
    "time": "s",
    "voltage": "V",
    "current": "mA",
    "charge_capacity": "mAh",
    "discharge_energy": "mWh",
    "step_type": None,
}


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as target:
        for name, data in members.items():
            target.writestr(name, data)
    return path


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as source:
        return {name: source.read(name) for name in source.namelist()}


def page(rows: list[bytes], kind: int, version: int) -> bytes:
    """A table of one page after its header, as the tester writes it: a bit for each row in use."""
    bits = sum(1 << at for at in range(len(rows))).to_bytes(128, "little")
    body = b"\0\0\0\0" + bits + b"".join(rows)
    return bytes((kind, 0, version)).ljust(4096, b"\0") + body.ljust(4096, b"\0")


@pytest.mark.parametrize("name", GOLDEN)
def test_records_are_what_the_tester_wrote(instruments: Path, name: str) -> None:
    source = RawInput(instruments / "neware-ndax" / name)
    assert READER.sniff(source) == CERTAIN
    entry = read(source.path)[0]
    for column, (first, last, total) in GOLDEN[name].items():
        values = entry[column].values.astype(np.float64)
        assert [values[0], values[-1], values.sum()] == pytest.approx([first, last, total], rel=1e-6)
    assert {column: entry[column].unit for column in UNITS} == UNITS
    assert (entry.technique, entry.x, entry.default) == ("battery_cycling", "time", "voltage")
    assert np.all(np.diff(entry["index"].values.astype(int)) == 1)


def test_step_types_have_the_same_names_from_every_vendor(instruments: Path) -> None:
    names, counts = np.unique(
        read(instruments / "neware-ndax" / SMALL)[0]["step_type"].values, return_counts=True
    )
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "cccv_charge": 721,
        "cccv_discharge": 721,
        "rest": 22,
    }


def test_sensors_are_told_apart_by_channel_and_kind(instruments: Path) -> None:
    """The parts' alphabetical order is not the description's: the chamber's 25 °C would be a voltage."""
    measurement = read(instruments / "neware-ndax" / LARGE)
    entry = measurement[0]
    assert (entry["temperature"].unit, entry["auxiliary_voltage"].unit, entry["auxiliary"].unit) == (
        "degC",
        "V",
        None,
    )
    assert not entry["auxiliary_voltage"].values.any()
    assert any("1122" in warning for warning in measurement.warnings)


def test_integrated_values_are_said_to_be_so(instruments: Path) -> None:
    warnings = read(instruments / "neware-ndax" / LARGE).warnings
    assert any("4373 of 252951 records" in warning for warning in warnings)


def test_universal_and_local_time_are_not_mixed(instruments: Path) -> None:
    utc, local = (read(instruments / "neware-ndax" / name)[0] for name in (LARGE, SMALL))
    assert utc.started == datetime(2026, 2, 27, 10, 17, 33, 977000, tzinfo=UTC)
    assert "UTC" in utc["timestamp"].long_name
    assert local.started == datetime(2024, 2, 1, 20, 24, 23)
    assert local["timestamp"].values[-1] == np.datetime64("2024-02-02T08:34:23")


def test_conditions_come_from_the_descriptions(instruments: Path) -> None:
    measurement = read(instruments / "neware-ndax" / SMALL)
    conditions = measurement[0].conditions
    assert (conditions["voltage_upper_limit"].value, conditions["voltage_upper_limit"].unit) == (4.4, "V")
    assert conditions["voltage_lower_limit"].value == 1.5
    assert conditions["test_protocol"].value == "fs6_cycling.xml"
    assert conditions["channel"].value == "16-1-7"
    assert measurement.original_metadata["TestInfo"]["TestInfo"]["@StepName"] == "fs6_cycling.xml"


def test_chinese_remarks_survive(instruments: Path, tmp_path: Path) -> None:
    members = members_of(instruments / "neware-ndax" / SMALL)
    members["TestInfo.xml"] = (
        '<?xml version="1.0" encoding="GB2312"?><root><config><TestInfo Remark="电池样品" StepName="化成" '
        'StartTime="2024-02-01 20:24:23"/></config></root>'
    ).encode("gb2312")
    conditions = read(archive(tmp_path / "a.ndax", members))[0].conditions
    assert (conditions["comment"].value, conditions["test_protocol"].value) == ("电池样品", "化成")


def synthetic(version: int, milli: bool, late: bool, tail: int, gap: int, ms: bool) -> dict[str, bytes]:
    """Six records of 1 s at 2 V and 3600 mA, check points at the 1st and 4th, a charge and a discharge step."""
    volts, amps = (2.0, 3.6) if milli else (20000.0, 3600.0)
    charge = 0.001 if milli else 3600.0  # 1 mAh in Ah or in mA s
    pairs = [struct.pack("<ff", volts, amps if at < 3 else -amps) for at in range(6)]
    points = []
    for index, step, capacity in ((1, 1, (0.0, 0.0)), (4, 2, (0.0, charge))):
        point = struct.pack("<ix4f", 0, *capacity, *(2 * c for c in capacity)) + b"\0" * gap
        point += struct.pack("<iIII", 1000, 1_700_000_000 + index - 1, step, index)
        points.append(point + (struct.pack("<H", 500) if ms else b"") + b"\0" * tail)
    steps = []
    for number, kind in ((1, 1), (2, 2)):
        row = struct.pack("<II16xB", 0, number, kind)
        steps.append(row + (struct.pack("<8xI63x", number) if late else b"\0" * 12))
    return {
        "data.ndc": page(pairs, 1, version),
        "data_runInfo.ndc": page(points, 18, version),
        "data_step.ndc": page(steps, 7, version),
    }


@pytest.mark.parametrize(
    ("version", "milli", "late", "tail", "gap", "ms"),
    [
        (8, True, False, 0, 5, False),
        (9, False, False, 0, 8, False),
        (11, False, False, 0, 8, True),
        (12, True, False, 0, 8, True),
        (13, False, False, 8, 8, True),
        (14, True, False, 8, 8, True),
        (16, False, True, 53, 8, True),
        (17, True, True, 53, 8, True),
    ],
)
def test_every_split_version_gives_the_same_test(
    tmp_path: Path, version: int, milli: bool, late: bool, tail: int, gap: int, ms: bool
) -> None:
    """Versions differ in scale and padding; a wrong one is off by 3600 or shifts every value."""
    path = archive(tmp_path / "s.ndax", synthetic(version, milli, late, tail, gap, ms))
    entry = read(path)[0]
    assert entry["voltage"].values == pytest.approx([2.0] * 6)
    assert entry["current"].values == pytest.approx([3600.0] * 3 + [-3600.0] * 3)
    assert entry["step_time"].values == pytest.approx([0, 1, 2, 0, 1, 2])
    assert entry["time"].values == pytest.approx([0, 1, 2, 2, 3, 4])
    assert entry["charge_capacity"].values == pytest.approx([0, 1, 2, 0, 0, 0])
    assert entry["discharge_capacity"].values == pytest.approx([0, 0, 0, 1, 2, 3])
    assert entry["discharge_energy"].values == pytest.approx([0, 0, 0, 2, 4, 6])
    assert entry["step_type"].values.tolist() == ["cc_charge"] * 3 + ["cc_discharge"] * 3
    assert entry["timestamp"].values[3] == np.datetime64(1_700_000_003_500 if ms else 1_700_000_003_000, "ms")


def whole_record(index: int, step_type: int, gap: int) -> bytes:
    head = b"\x55" + b"\0" * gap + struct.pack("<IIBB5xQ", index, 2, 1, step_type, (index - 1) * 1000)
    return head + struct.pack("<ii4x4qHBBBBBi8x", 35000, 100, 36, 0, 72, 0, 2024, 2, 29, 23, 59, index, 10)


def test_version_2_pages_of_512_bytes(tmp_path: Path) -> None:
    rows = [whole_record(index, 1, 7) for index in range(1, 8)]
    pages = [b"\0" * 5 + b"".join(rows[at : at + 5]) for at in range(0, 7, 5)]
    data = bytes((1, 0, 2)).ljust(512, b"\0") + b"".join(p.ljust(512, b"\0") for p in pages)
    entry = read(archive(tmp_path / "v2.ndax", {"data.ndc": data}))[0]
    assert entry["index"].values.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert entry["cycle"].values.tolist() == [3] * 7
    assert entry["voltage"].values[0] == 3.5
    assert entry["current"].values[0] == pytest.approx(0.1)  # 100 counts of 1 µA in the 10 mA range
    assert entry["charge_capacity"].values[0] == pytest.approx(36e-3 / 3600)
    assert entry["timestamp"].values[-1] == np.datetime64("2024-02-29T23:59:07")


def test_version_15_reads_the_columns_its_header_names(tmp_path: Path) -> None:
    header = bytearray(4096)
    header[0], header[2] = 1, 15
    struct.pack_into("<I", header, 516, 52)
    for at, (code, place) in enumerate(((15, 36), (65, 44))):
        struct.pack_into("<iBi", header, 520 + 9 * at, code, 1, place)
    rows = []
    for index in range(1, 4):
        row = struct.pack("<2xBB4xIII4f", 1, 22, index, index - 1, 500_000_000, -100.0, 3.0, -36.0, -72.0)
        rows.append(row + struct.pack("<4I", 1_700_000_000 + index, 0, index - 1, 500_000_000))
    data = bytes(header) + page(rows, 1, 15)[4096:]
    measurement = read(archive(tmp_path / "v15.ndax", {"data.ndc": data}))
    entry = measurement[0]
    assert entry["time"].values == pytest.approx([0.5, 1.5, 2.5])
    assert entry["step_type"].values.tolist() == ["cpcv_discharge"] * 3
    assert entry["discharge_capacity"].values == pytest.approx([0.01] * 3)
    assert any("Version 15" in warning for warning in measurement.warnings)


def test_unknown_versions_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="version 99"):
        read(archive(tmp_path / "new.ndax", {"data.ndc": page([b"\0" * 8], 1, 99)}))


def test_a_damaged_description_costs_only_itself(instruments: Path, tmp_path: Path) -> None:
    members = members_of(instruments / "neware-ndax" / SMALL)
    members["Step.xml"] = members["Step.xml"][:200]
    measurement = read(archive(tmp_path / "a.ndax", members))
    assert len(measurement[0]["index"].values) == 1464
    assert any("Step.xml" in warning for warning in measurement.warnings)


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    source, target = instruments / "neware-ndax" / SMALL, tmp_path / "damaged.ndax"
    random, whole = np.random.default_rng(3), source.read_bytes()
    for end in np.linspace(0, len(whole) - 1, 20).astype(int):
        target.write_bytes(whole[:end])
        with pytest.raises(ReadError):
            read(target)
    split = synthetic(17, True, True, 53, 8, True)
    for members in (members_of(source), split, split):
        for turn in range(50):
            name = list(members)[turn % len(members)]
            bad = bytearray(members[name])
            start = min(4096, len(bad) // 2) if turn % 2 else 0
            for at in random.integers(start, len(bad), 40):
                bad[at] = random.integers(256)
            if turn % 10 == 9:
                bad[start:] = random.bytes(len(bad) - start)
            with suppress(ReadError):
                assert isinstance(read(archive(target, members | {name: bytes(bad)})), Measurement)
    for name in split:
        with pytest.raises(ReadError, match="cut off"):
            read(archive(target, split | {name: split[name][:-100]}))


def test_the_large_file_cut_off_is_refused(instruments: Path, tmp_path: Path) -> None:
    source = instruments / "neware-ndax" / LARGE
    whole, target = source.read_bytes(), tmp_path / "cut.ndax"
    for end in np.linspace(0, len(whole) - 1, 20).astype(int):
        target.write_bytes(whole[:end])
        with pytest.raises(ReadError):
            read(target)
    members = members_of(source)
    members["data_runInfo.ndc"] = members["data_runInfo.ndc"][: 4096 * 40]
    entry = read(archive(target, members))[0]
    assert len(entry["time"].values) == 252951


def test_other_archives_are_not_taken(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(archive(tmp_path / "a.ndax", {"word/document.xml": b"<w/>"}))) == NO


def test_the_shipped_example_reads_without_the_shared_files(examples: Path) -> None:
    entry = read(examples / "battery" / "test.ndax")[0]
    assert entry["discharge_capacity"].values.sum() == pytest.approx(253.196114778)
