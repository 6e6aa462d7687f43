"""Scienta SES / PEAK text: what a surface analyst would lose if the reader were wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.scienta_txt import READER

FOLDER = "scienta-txt"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


# pynxtools-xps 0.6.3 gives the same.
GOLDEN = {
    "Cu-HHTP_0001.txt": (1221, (600, -10), 57919.6633745741, 296.342559814453),
    "Cu-HHTP_0003.txt": (321, (296, 280), 34148.981083869934, 342.802139282227),
    "Cu-HHTP_0004.txt": (321, (84, 68), 8647.512207567692, 36.8644370436668),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    points, ends, total, largest = GOLDEN[name]
    assert READER.sniff(RawInput(instruments / FOLDER / name)) == CERTAIN
    m = read(instruments / FOLDER / name)
    assert m.warnings == ()
    (entry,) = m
    assert entry.signal.axes == ("binding_energy",)
    assert entry.axes[0].values.shape == (points,)
    assert entry.axes[0].values[[0, -1]] == pytest.approx(ends)
    assert entry.signal.values.sum() == pytest.approx(total, rel=1e-12)
    assert entry.signal.values.max() == pytest.approx(largest, rel=1e-12)


def test_conditions_and_metadata(instruments: Path) -> None:
    m = read(instruments / FOLDER / "Cu-HHTP_0003.txt")
    assert (m.sample, m.instrument, m.operator, m.title) == ("Cu-HHTP", "R3000-6MS014", "AN", "Cu-HHTP__003")
    assert m[0].started == datetime(2023, 3, 8, 11, 48, 6)
    told = {name: (q.value, q.unit) for name, q in m[0].conditions.items()}
    assert told["excitation_energy"] == (400.0, "eV")
    assert told["pass_energy"] == (50.0, "eV")
    assert told["dwell_time"] == (0.203, "s")
    assert told["repetitions"] == (10, "")
    assert told["lens_mode"] == ("Transmission", None)
    assert m[0].original_metadata["Info 1"]["Detector Last X-Channel"] == "659"  # type: ignore[index, call-overload]


# --- variants no real file shows ------------------------------------------------------------------------------


def region(number: int, dimensions: list[tuple[str, list[float]]], data: list[str], **info: str) -> str:
    lines = [f"[Region {number}]", f"Region Name=R{number}"]
    for i, (name, scale) in enumerate(dimensions, 1):
        lines += [f"Dimension {i} name={name}", f"Dimension {i} size={len(scale)}"]
        lines += [f"Dimension {i} scale=" + " ".join(f"{v:g}" for v in scale)]
    lines += ["", f"[Info {number}]", *(f"{k.replace('_', ' ')}={v}" for k, v in info.items())]
    lines += ["", f"[Run Mode Information {number}]", "Name=Normal", ""]
    return "\n".join([*lines, *data, ""])


def reads(regions: list[str], folder: Path, encoding: str = "utf-8") -> Measurement:
    text = f"[Info]\nNumber of Regions={len(regions)}\nVersion=1.3.1\n\n" + "\n".join(regions)
    path = folder / "made.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert READER.sniff(RawInput(path)) == CERTAIN
    return read(path)


KINETIC = ("Kinetic Energy [eV]", [10.0, 10.5, 11.0])


def test_an_angle_resolved_map_keeps_its_kinetic_energies(tmp_path: Path) -> None:
    rows = ["[Data 1]", "10 1 2", "10.5 3 4", "11 5 6"]
    made = region(1, [KINETIC, ("Y-Scale [deg]", [-7.5, 7.5])], rows, Excitation_Energy="21.22")
    entry = reads([made], tmp_path)["r1"]
    assert entry.technique == "arpes"
    assert entry.signal.axes == ("angle", "kinetic_energy")
    assert entry.signal.values.tolist() == [[1, 3, 5], [2, 4, 6]]
    assert (entry["angle"].unit, entry["angle"].values.tolist()) == ("deg", [-7.5, 7.5])
    assert entry.original_metadata["Run Mode Information 1"] == {"Name": "Normal"}


def test_an_imaged_slit_is_no_angle(tmp_path: Path) -> None:
    rows = ["[Data 1]", "10 1 2", "10.5 3 4", "11 5 6"]
    made = region(1, [KINETIC, ("Y-Scale [mm]", [-1, 1])], rows, Excitation_Energy="1486.6")
    entry = reads([made], tmp_path)["r1"]
    assert (entry.technique, entry.signal.axes) == ("xps", ("position", "binding_energy"))


def test_three_dimensions(tmp_path: Path) -> None:
    rows = [
        line
        for layer in (1, 2)
        for line in (f"[Data 1:{layer}]", *(f"{e} {layer}1 {layer}2" for e in KINETIC[1]))
    ]
    axes = [KINETIC, ("Y-Scale [deg]", [-1, 1]), ("Photon Energy [eV]", [80, 90])]
    entry = reads([region(1, axes, rows)], tmp_path)["r1"]
    assert entry.signal.axes == ("photon_energy", "angle", "kinetic_energy")
    assert entry.signal.values.shape == (2, 2, 3)
    assert entry.signal.values[:, :, 0].tolist() == [[11, 12], [21, 22]]


def test_several_regions_of_one_name_and_american_dates(tmp_path: Path) -> None:
    rows = ["[Data {}]", "10 1", "10.5 3", "11 5"]
    made = [
        region(
            i,
            [KINETIC],
            [rows[0].format(i), *rows[1:]],
            Region_Name="O1s",
            Excitation_Energy="40,8",
            Date="3/8/2023",
            Time="1:05:09 PM",
            Comments="試料",
        )
        for i in (1, 2)
    ]
    m = reads(made, tmp_path, "cp932")
    assert [e.name for e in m] == ["r1", "r2"]
    assert m[0].technique == "ups"
    assert m[0]["binding_energy"].values == pytest.approx([30.8, 30.3, 29.8])
    assert m[0]["kinetic_energy"].values.tolist() == [10, 10.5, 11]
    assert m[0].started == datetime(2023, 3, 8, 13, 5, 9)
    assert m[0].conditions["comment"].value == "試料"


def test_numbers_without_a_heading_as_cassiopee_writes_them(tmp_path: Path) -> None:
    rows = ["inputA=\t0", "", "10\t1\t2", "10.5\t3\t4", "11\t5\t6"]
    axes = [KINETIC, ("Y-Scale [deg]", [-7.5, 7.5])]
    made = region(1, axes, rows, Excitation_Energy="0", Date="Thu, Sep 30, 2021", Time="12:01:17 PM")
    entry = reads([made], tmp_path)["r1"]
    assert entry.signal.values.tolist() == [[1, 3, 5], [2, 4, 6]]
    assert entry.started == datetime(2021, 9, 30, 12, 1, 17)
    assert "excitation_energy" not in entry.conditions  # 0: nobody told


def test_a_day_that_may_be_a_month_is_told(tmp_path: Path) -> None:
    rows = ["[Data 1]", "10 1", "10.5 3", "11 5"]
    made = region(1, [KINETIC], rows, Date="02/04/2023", Time="15:43:58")
    m = reads([made], tmp_path)
    assert m["r1"].started is None
    assert any("02/04/2023" in w for w in m.warnings)
    other = region(2, [KINETIC], [r.replace("1]", "2]") for r in rows], Date="30/03/2023", Time="15:43:58")
    assert reads([made, other], tmp_path)["r1"].started == datetime(2023, 4, 2, 15, 43, 58)


def test_odd_tokens_cost_themselves_and_rows_tell_finer_energies(tmp_path: Path) -> None:
    scale = ("Kinetic Energy [eV]", [float(i) for i in range(12)])
    rows = ["[Data 1]", *(f"{i}.0004 {i}" for i in range(11)), "11.0004 oops"]
    m = reads([region(1, [scale], rows, Pass_Energy="ten")], tmp_path)
    assert m[0].axes[0].values[:2].tolist() == [0.0004, 1.0004]
    assert np.isnan(m[0].signal.values[-1])
    assert "pass_energy" not in m[0].conditions
    assert any("'oops'" in w for w in m.warnings)


def test_what_is_missing_is_refused_by_name(tmp_path: Path) -> None:
    short = region(1, [KINETIC], ["[Data 1]", "10 1", "10.5 3"])
    with pytest.raises(ReadError, match="6 numbers should follow"):
        reads([short], tmp_path)
    with pytest.raises(ReadError, match="dimension 1 should have 3"):
        reads([short.replace(" 11\n", "\n")], tmp_path)
    with pytest.raises(ReadError, match="has no numbers"):
        reads([region(1, [KINETIC], [])], tmp_path)
    with pytest.raises(ReadError, match="2 regions are announced"):
        reads([region(1, [KINETIC], ["[Data 1]", "10 1", "10.5 3", "11 1"]), ""], tmp_path)


# --- damage ---------------------------------------------------------------------------------------------------


def test_damage_never_breaks_out(instruments: Path, tmp_path: Path) -> None:
    for name in GOLDEN:
        data = (instruments / FOLDER / name).read_bytes()
        assert cut(READER, data, tmp_path / "cut.txt") == []
        damage(READER, data, tmp_path / "damaged.txt", within=len(data) // 4)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("[Info]\nName=me\n")
    assert READER.sniff(RawInput(tmp_path / "x.txt")) == NO
