"""Optics11 indenters: what someone who indents cells and gels would lose if the reader were wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.optics11 import READER

REAL = "optics11-chiaro/fmt-chiaro-txt_AEBP1_Indentation_002.zip"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_real_numbers(instruments: Path) -> None:
    """Equal to afmformats 0.18.7 (in N and m there, with heights turned in sign)."""
    m = read(instruments / REAL)
    (entry,) = m
    assert (entry.technique, entry.x, entry.default) == ("nanoindentation", "depth", "force")
    force, piezo, time = (entry[n].values for n in ("force", "piezo_displacement", "time"))
    assert (force[0], force[-1], force.sum(), force.max()) == pytest.approx(
        (-0.000308, -0.000315, 42.331102, 0.04924)
    )
    assert (piezo[0], piezo[-1], piezo.sum()) == pytest.approx((64.971622, 54.932839, 601118817.279523))
    assert entry["depth"].values.sum() == pytest.approx(15274317.383039002)
    assert (time[0], time[-1], time.sum()) == pytest.approx((0, 13.826, 95586.051))
    assert [s.unit for s in entry.signals] == ["s", "uN", "nm", "nm", "nm", None]
    assert (m.sample, m.instrument) == ("AEBP1_01", "Optics11 Chiaro")
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["spring_constant"] == (0.019, "N/m")
    assert told["tip_radius"] == (27.5, "um")
    assert told["maximum_force"] == (0.05, "uN")
    assert told["youngs_modulus"] == (117.007, "Pa")
    assert told["poisson_ratio"] == (0.5, "")
    # 12/05/2025 is the 12th of May or the 5th of December.
    assert entry.started is None
    assert "12/05/2025" in m.warnings[0]


def test_cut_off_and_damaged(instruments: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(instruments / REAL) as z:
        data = z.read(z.namelist()[0])[:40_000]
    data = data[: data.rindex(b"\r\n") + 2]
    assert all(data[: len(data) * p // 20].endswith(b"\n") for p in cut(READER, data, tmp_path / "cut"))
    damage(READER, data, tmp_path / "broken", within=1200)
    damage(READER, (instruments / REAL).read_bytes(), tmp_path / "broken.zip", turns=10)


HEADER = "Date\t{date}\tTime\t11:20:38\tStatus\tOK\r\nGel 4\r\n"
HEADER += "k (N/m)\t0.5\r\nTip radius (um)\t3\r\nDevice:\tPiuma\r\n\r\n"
TABLE = "Time (s)\tLoad (uN)\tIndentation (nm)\tCantilever (nm)\tPiezo (nm)\tAuxiliary\r\n"


def text(rows: str, date: str = "25/05/2025") -> str:
    return HEADER.format(date=date) + TABLE + rows


def test_series_in_a_zip_is_an_entry_each(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as z:
        for i in range(3):
            z.writestr(f"{i}.txt", text(f"0\t{i}\t0\t1\t2\t3\r\n1\t{i + 1}\t1\t1\t2\t3\r\n"))
        z.writestr("readme.txt", "hello")
    m = read(tmp_path / "a.zip")
    assert [e["force"].values.tolist() for e in m] == [[0, 1], [1, 2], [2, 3]]
    assert m.instrument == "Optics11 Piuma"
    assert "readme.txt" in m.warnings[0]
    assert str(m[0].started) == "2025-05-25 11:20:38"


def test_never_in_contact_is_drawn_over_the_piezo(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text("0\t1\t0\t1\t2\t3\r\n1\t2\t0\t1\t5\t3\r\n"), newline="")
    assert read(tmp_path / "a")[0].x == "piezo_displacement"


def test_word_in_the_table_costs_one_cell(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text("0\t1\t0\t1\t2\tn/a\r\n1\t2\t1\t1\t5\t3,5\r\n"), newline="")
    m = read(tmp_path / "a")
    assert str(m[0]["auxiliary"].values.tolist()) == "[nan, 3.5]"
    assert "gaps" in m.warnings[0]


def test_cut_off_row_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text("0\t1\t0\t1\t2\t3\r\n1\t2\t0"), newline="")
    with pytest.raises(ReadError, match="row 2"):
        read(tmp_path / "a")
    (tmp_path / "b").write_text("Date\t1\tTime\t2\tStatus\tOK\n")
    assert READER.sniff(RawInput(tmp_path / "b")) == NO


def test_a_computer_with_decimal_commas_and_a_file_without_status(tmp_path: Path) -> None:
    whole = text("0.5\t1.5\t0.25\t2\t3\t4\r\n1.5\t2.5\t0.5\t2\t3\t4\r\n")
    whole = whole.replace("Tip radius (um)", "E[v=0.500] (Pa)\t117.5\r\nTip radius (um)").replace(
        "\tStatus\tOK", ""
    )
    path = tmp_path / "a.txt"
    path.write_bytes(whole.replace(".", ",").encode("latin-1"))
    assert READER.sniff(RawInput(path)) == CERTAIN
    entry = read(path)[0]
    assert entry["force"].values.tolist() == [1.5, 2.5]
    assert str(entry.conditions["youngs_modulus"]) == "117.5 Pa"
    assert entry.conditions["poisson_ratio"].value == 0.5
