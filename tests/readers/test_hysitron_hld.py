"""Hysitron indents: a user would lose depth or load, or take a file that was cut off for a whole one."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants, registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.hysitron_hld import READER

# Points, then first and last of depth (nm), sum of depth, sum of force (uN). nanodent 0.2.0 agrees.
GOLDEN = {
    "experiment_b.hld": (
        2803,
        -0.211475,
        95.148756,
        179182.216388,
        4875777.996891,
        datetime(2026, 3, 4, 14, 2, 2),
    ),
    "experiment_d.hld": (
        2798,
        -0.449004,
        119.116915,
        227733.213445,
        4875517.989508,
        datetime(2026, 3, 11, 12, 10),
    ),
    "experiment_e.hld": (
        2774,
        1.694941,
        9.799407,
        65978.313537,
        4901659.324837,
        datetime(2026, 3, 4, 12, 2, 15),
    ),
}
OLDER = """File Version: Hysitron 1.0
Time Stamp: Mon Jan 07 09:10:11 2019
Machine Comp: 0.75 nm/uN
Drift Rate: 0.12 nm/s
Tip ID: TI-0039
Test Temp: 24.5 C
Segment Time: 5 s
Segment Type: Linear
Segment Time: 2 s
Segment Type: Linear
Sample Approach Data Points: 2
Time_s\tMotorDisp_mm\tPiezo Extension_nm
0\t1.5\t10
1\t1.6\t20
Drift Measurement Data Points: 0
Time_s\tDisp_nm
Test Data Points: 3
Time_s\tDisp_nm\tForce_uN
0.0\t0\t0
0.5\t10\t100
1.0\t20\t400
"""


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("latin-1"))
    return path


@pytest.mark.parametrize("name", GOLDEN)
def test_real_indents(instruments: Path, name: str) -> None:
    count, first, last, depth, force, started = GOLDEN[name]
    source = RawInput(instruments / "hysitron-hld" / name)
    assert READER.sniff(source) == CERTAIN
    m = read(source.path)
    (entry,) = m.entries
    assert (entry.name, entry.x, entry.default) == ("test", "depth", "force")
    values = entry["depth"].values
    assert (len(values), values[0], values[-1]) == (count, first, last)
    assert values.sum() == pytest.approx(depth, rel=1e-10)
    assert entry["force"].values.sum() == pytest.approx(force, rel=1e-10)
    assert (entry["depth"].unit, entry["force"].unit, entry["time"].unit) == ("nm", "uN", "s")
    assert entry["displacement_voltage"].unit == "V"
    assert m.started == started
    assert m.original_metadata["Tip C1"] == "7749.44 nm^2/nm"
    assert not m.warnings


def test_approach_and_drift_are_entries_of_their_own(tmp_path: Path) -> None:
    path = written(tmp_path / "a.hld", OLDER)
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    assert [e.name for e in m.entries] == ["approach", "test"]
    assert m.default == "test"
    assert m["approach"]["motor_displacement"].values.tolist() == [1.5, 1.6]
    assert m["approach"]["piezo_displacement"].unit == "nm"
    conditions = {k: str(v) for k, v in m["test"].conditions.items()}
    assert conditions["temperature"] == "24.5 degC"
    assert conditions["drift_rate"] == "0.12 nm/s"
    assert conditions["tip"] == "TI-0039"
    assert m.original_metadata["Segment Time"] == ["5 s", "2 s"]


@pytest.mark.parametrize("cut", [1, 5, 12, 40, 80])
def test_fewer_points_than_stated_are_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(ReadError, match="cut off"):
        read(written(tmp_path / "a.hld", OLDER[: -cut - 3]))


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "hysitron-hld" / "experiment_b.hld").read_bytes()
    target = tmp_path / "damaged.hld"
    random = np.random.default_rng(13)
    for end in np.linspace(0, len(whole) - 3, 20).astype(int):
        target.write_bytes(whole[:end])
        with pytest.raises(ReadError):
            read(target)
    small = whole[:30_000].replace(b"Points: 2803", b"Points: 330")
    for turn in range(50):
        bad = bytearray(small)
        for at in random.integers(0, len(bad), 6):
            bad[at] = random.integers(256)
        if turn % 10 == 9:
            bad[400:] = random.bytes(len(bad) - 400)
        target.write_bytes(bytes(bad))
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    assert (
        READER.sniff(RawInput(written(tmp_path / "a.hld", "Test Type: Indentation\nName: a\n1\t2\n"))) == NO
    )


TEXT = (
    "Mon Jan 07 09:10:11 2019\n\nNumber of Points  =  {points}\n\n"
    "Depth (nm)\tLoad (µN)\tTime (s)\tDepth (V)\tLoad (V)\n"
    "0.5\t1.5\t0.0\t-2.3\t-2.1\n10.5\t100.5\t0.01\t-2.2\t-2.0\n"
)


def test_the_text_beside_an_indent(tmp_path: Path) -> None:
    m = registry.read(written(tmp_path / "a.txt", TEXT.format(points=2)))
    assert m.source is not None
    assert m.source.reader == "hysitron_txt"
    entry = m[0]
    assert entry["depth"].values.tolist() == [0.5, 10.5]
    assert (entry["force"].unit, entry["displacement_voltage"].unit) == ("uN", "V")
    assert (entry.x, entry.default) == ("depth", "force")
    assert m.started == datetime(2019, 1, 7, 9, 10, 11)
    with pytest.raises(ReadError, match="cut off"):
        registry.read(written(tmp_path / "b.txt", TEXT.format(points=3)))


def test_blank_lines_part_the_segments_of_one_indent(tmp_path: Path) -> None:
    """Newer TriboScan leaves one where a segment ends; only the first row would be left of the indent."""
    text = (
        TEXT.format(points=4).replace("-2.1\n", "-2.1\n\n")
        + "\n5.5\t50.5\t0.02\t-2.2\t-2.0\n\n1.5\t0.5\t0.03\t0\t0\n"
    )
    m = registry.read(written(tmp_path / "a.txt", text))
    assert m[0]["depth"].values.tolist() == [0.5, 10.5, 5.5, 1.5]
    with pytest.raises(ReadError, match="cut off"):
        registry.read(written(tmp_path / "b.txt", text.replace("= ", "= 1")))


def test_decimal_commas(tmp_path: Path) -> None:
    """A computer set to German writes them; the header's numbers as well."""
    m = read(written(tmp_path / "a.hld", OLDER.replace(".", ",")))
    assert m["approach"]["motor_displacement"].values.tolist() == [1.5, 1.6]
    assert str(m["test"].conditions["drift_rate"]) == "0.12 nm/s"
