"""Isodat: what an isotope geochemist would lose if traces, masses or the table of peaks were misread."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.isodat_dxf import READER

ALKANES = "isodat-dxf/b3_alkanes.dxf"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_real_traces(instruments: Path) -> None:
    m = read(instruments / ALKANES)
    traces = m["traces_co2"]
    assert traces["time"].values[[0, -1]].tolist() == pytest.approx([1.881, 2988.7], abs=0.01)
    assert traces["intensity_44"].values[0] == pytest.approx(2.015212, abs=1e-6)  # as entab reads it
    assert [s.values.size for s in traces.signals] == [14292] * 3
    assert traces["intensity_46"].unit == "mV"
    assert str(traces.started) == "2013-01-08 18:18:18+00:00"
    assert (m.sample, traces.conditions["method"].value) == ("B3_alk2_11", "HGC_B3alkanes")


def test_real_peaks_agree_with_the_traces(instruments: Path) -> None:
    m = read(instruments / ALKANES)
    traces, peaks = m["traces_co2"], m["peaks"]
    assert peaks["peak"].values.tolist() == list(range(1, 33))
    at = np.searchsorted(traces["time"].values, peaks["retention_time"].values)
    background = np.array([traces["intensity_44"].values[max(i - 300, 0) : i].min() for i in at])
    heights = traces["intensity_44"].values[at]
    assert peaks["peak_height_44"].values == pytest.approx(heights, rel=0.02, abs=float(background.max()))
    assert peaks["delta_13c"].values[0] == pytest.approx(-43.372, abs=1e-3)
    assert peaks["raw_peak_area_44"].values[0] == pytest.approx(13973.3127, abs=1e-3)
    assert peaks["delta_18o"].long_name == "δ 18O/16O"
    assert (peaks["delta_13c"].unit, peaks["raw_peak_area_44"].unit) == ("permille", "mV*s")
    ratio = peaks["r_45co2_44co2"].values
    assert ratio == pytest.approx(peaks["peak_area_45"].values / peaks["peak_area_44"].values, rel=0.02)


# --- made from the format's facts ---------------------------------------------------------------------------------


def text(value: str) -> bytes:
    return b"\xff\xfe\xff" + bytes([len(value)]) + value.encode("utf-16-le")


def traces(gas: str, masses: int, points: int, *, first: bool) -> bytes:
    body = b"".join(
        struct.pack(f"<f{masses}d", 0.5 * i + 1, *(i + m for m in range(masses))) for i in range(points)
    )
    tag = b"\xff\xff\x01\x00\x0b\x00CEvalGCData" if first else b"\x84\x82"
    head = (
        b"\x03\0\0\0\x2f\0" + text(gas) + text("") + struct.pack("<III", 0, 1, 1) + tag + struct.pack("<I", 1)
    )
    return head + struct.pack("<I", len(body)) + body


START = b"\xff\xff\x06\x00\x0b\x00CFileHeader\xfe\xf71\x01\x06\0\0\0" + text("CBlockData")


def test_several_gases_and_no_results(tmp_path: Path) -> None:
    path = tmp_path / "a.dxf"
    path.write_bytes(START + traces("N2", 3, 50, first=True) + b"rest" + traces("XY", 2, 40, first=False))
    m = read(path)
    assert [e.name for e in m.entries] == ["traces_n2", "traces_xy"]
    assert [s.name for s in m["traces_n2"].signals] == ["intensity_28", "intensity_29", "intensity_30"]
    assert m["traces_n2"]["intensity_30"].values.tolist() == [i + 2 for i in range(50)]
    assert [s.name for s in m["traces_xy"].signals] == ["intensity_1", "intensity_2"]
    assert "masses" in m.warnings[0]


def test_errors_say_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.dxf"
    for content, said in (
        (START, "no raw traces"),
        (START + b"\xff\xff\x01\x00\x0b\x00CDualInletRawData", "dual-inlet"),
        (START + traces("N2", 3, 50, first=True)[:-9], "cut off"),
        (
            START + traces("N2", 3, 50, first=True)[:60] + struct.pack("<I", 20) + bytes(20),
            "not records|cut off|no raw",
        ),
    ):
        path.write_bytes(content)
        with pytest.raises(ReadError, match=said):
            READER.read(RawInput(path))


def test_damage(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / ALKANES).read_bytes()
    survived = cut(READER, data, tmp_path / "a.dxf")
    assert all(part > 7 for part in survived)  # no part of a trace is taken for the whole
    damage(READER, data, tmp_path / "a.dxf", turns=40, within=36400)


def test_others_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "drawing.dxf").write_text("  0\nSECTION\n  2\nHEADER\n")
    assert READER.sniff(RawInput(tmp_path / "drawing.dxf")) == NO
