"""LabVIEW measurement files: where the samples lie, what their units are, which of the values belong together."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import ReadError

END = "***End_of_Header***\t\n"


def header(columns: str, decimal: str = ".", more: str = "") -> str:
    return (
        "LabVIEW Measurement\t\nWriter_Version\t2\nReader_Version\t2\nSeparator\tTab\n"
        f"Decimal_Separator\t{decimal}\nMulti_Headings\tYes\nX_Columns\t{columns}\nTime_Pref\tAbsolute\n"
        f"Operator\tsato\n{more}Date\t2023/10/23\nTime\t15:16:28.319162835\n{END}\t\n"
    )


def segment(second: int, rows: str, units: str = "N\tDeg C", names: str = "Load\tT1") -> str:
    return (
        f"Channels\t2\t\t\nSamples\t2\t2\t\nDate\t2023/10/23\t2023/10/23\t\n"
        f"Time\t15:16:{second}.5000000000000000001\t15:16:{second}.5\t\nY_Unit_Label\t{units}\t\n"
        f"X_Dimension\tTime\tTime\t\nX0\t0.0000000000000000E+0\t0.0000000000000000E+0\t\n"
        f"Delta_X\t0.250000\t0.250000\t\n{END}X_Value\t{names}\tComment\n{rows}\n"
    )


def read(folder: Path, text: str, encoding: str = "utf-8") -> Measurement:
    path = folder / "made.lvm"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return registry.read(path)


def test_one_column_of_times_with_comments(tmp_path: Path) -> None:
    rows = "0.000000\t1.5\t20.25\tOK\n0.250000\t2.5\t20.5\n"
    m = read(tmp_path, header("One") + segment(40, rows, "MPa\t°C", "Pressão (MPa)\tTemp (°C)"), "cp1252")
    (entry,) = m
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("time", "s"), ("press_o", "MPa"), ("temp", "degC"), ("comment", None),
    ]  # fmt: skip
    assert entry["time"].values.tolist() == [0, 0.25]
    assert entry["temp"].values.tolist() == [20.25, 20.5]
    assert entry["comment"].values.tolist() == ["OK", ""]
    assert (entry.started, m.operator) == (datetime(2023, 10, 23, 15, 16, 40, 500000), "sato")
    assert str(entry.conditions["sampling_interval"]) == "0.25 s"


def test_segments_without_times_in_decimal_commas(tmp_path: Path) -> None:
    """The samples of the second segment are five seconds later, not on top of the first's."""
    both = segment(40, "\t1.5\t20.25\n\t2.5\t20.5\n") + segment(45, "\t3.5\t20.75\n\t4.5\t21.0\n")
    (entry,) = read(tmp_path, header("No", ",") + both.replace(".", ","))
    assert entry["time"].values.tolist() == [0, 0.25, 5, 5.25]
    assert entry["load"].values.tolist() == [1.5, 2.5, 3.5, 4.5]
    assert (entry["load"].unit, entry["t1"].unit) == ("N", "degC")
    assert entry["segment"].values.tolist() == [1, 1, 2, 2]
    assert entry.started == datetime(2023, 10, 23, 15, 16, 40, 500000)


def multi(rows: str, units: str = "g\t\tV", names: str = "X_Value\tax\tX_Value\tU") -> str:
    return (
        header("Multi")
        + "Channels\t2\t\t\t\nSamples\t2\t\t2\t\nDate\t1903/12/31\t\t1903/12/31\t\nTime\t19:00:00\t\t19:00:00\n"
        f"Y_Unit_Label\t{units}\t\nX_Dimension\tTime\t\tTime\t\nDelta_X\t0.5\t\t0.5\t\n{END}{names}\tComment\n{rows}\n"
    )  # fmt: skip


def test_times_of_each_channel(tmp_path: Path) -> None:
    (alike,) = read(tmp_path, multi("0.0\t1.0\t0.0\t5.0\n0.5\t2.0\t0.5\t6.0\n"))
    assert [s.name for s in alike.signals] == ["time", "ax", "u"]
    assert alike["u"].values.tolist() == [5, 6]
    assert alike.started == datetime(2023, 10, 23, 15, 16, 28, 319162)  # 1903 is a clock that was not set
    apart = read(tmp_path, multi("0.0\t1.0\t0.1\t5.0\n0.5\t2.0\t0.6\t6.0\n"))
    assert [e["time"].values.tolist() for e in apart] == [[0, 0.5], [0.1, 0.6]]
    assert [e.signal.name for e in apart] == ["ax", "u"]


def test_an_accelerometers_g_is_no_gram(tmp_path: Path) -> None:
    rows = "0.0\t1.0\t0.0\t5.0\n0.5\t2.0\t0.5\t6.0\n"
    m = read(tmp_path, multi(rows))
    assert m.entries[0]["ax"].unit is None
    assert any("free fall" in w for w in m.warnings)
    m = read(tmp_path, multi(rows, names="X_Value\tAcceleration\tX_Value\tU"))
    assert m.entries[0]["acceleration"].unit == "standard_gravity"


def test_a_channel_that_was_sampled_more_slowly(tmp_path: Path) -> None:
    text = header("One") + segment(40, "0.0\t1.5\t20.25\n0.25\t2.5\n0.5\t3.5\t20.5\n")
    m = read(tmp_path, text.replace("0.250000\t0.250000", "0.250000\t0.500000"))
    np.testing.assert_array_equal(m.entries[0]["t1"].values, [20.25, np.nan, 20.5])
    assert any("Delta_X" in w for w in m.warnings)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (header("One"), "holds no samples"),
        (header("One")[:120], "within its header"),
        (header("One") + segment(40, "")[:60], "header of a segment"),
    ],
)
def test_nothing_recorded_or_cut_off(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ReadError, match=why):
        read(tmp_path, text)
