"""LabSpec's text of maps and series: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants, registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.horiba_labspec_map import READER

SETTINGS = (
    "#Acq. time (s)=\t2\n#Accumulations=\t3\n#Laser=\t532 nm\n#Grating=\t600\n#Acquired=\t27.03.2015 13:25:10\n"
    "#Sample=\t試料\n#AxisUnit[0]=\tCnt\n#AxisUnit[1]=\t1/cm\n"
)
MAP = "#AxisType[2]=\tX\n#AxisUnit[2]=\tµm\n#AxisType[3]=\tY\n#AxisUnit[3]=\tµm\n"
POSITIONS = "\t\t100\t101\t102\t103\n"


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def save(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "made.txt"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("order", [[(0, 5), (1, 5), (0, 7), (1, 7)], [(0, 5), (0, 7), (1, 5), (1, 7)]])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_map_in_any_order(tmp_path: Path, order: list[tuple[int, int]], encoding: str) -> None:
    rows = "".join(f"{x}\t{y}\t{10 * y + x}\t1\t2\t3\n" for x, y in order)
    path = save(tmp_path, SETTINGS + MAP + POSITIONS + rows, encoding)
    if encoding == "utf-8":
        assert READER.sniff(RawInput(path)) == CERTAIN
        assert registry.read(path).source.reader == "horiba_labspec_map"  # type: ignore[union-attr]
    m = read(path)
    (entry,) = m
    assert entry.signal.axes == ("y", "x", "raman_shift")
    assert entry.signal.values[..., 0].tolist() == [[50, 51], [70, 71]]
    assert entry["raman_shift"].values.tolist() == [100, 101, 102, 103]
    assert (entry["x"].unit, entry.signal.unit) == ("um", "counts")
    told = {name: str(q) for name, q in entry.conditions.items()}
    assert (told["exposure_time"], told["repetitions"], told["laser_wavelength"]) == ("2 s", "3", "532 nm")
    assert entry.started == datetime(2015, 3, 27, 13, 25, 10)
    assert m.sample == "試料"


def test_a_bare_matrix_of_another_name_is_not_taken_for_raman(tmp_path: Path) -> None:
    """As programs for transient absorption write it, at wavelengths over delays."""
    path = tmp_path / "ta.SIA"
    path.write_text("\t350\t352\t354\t356\n-20\t1e-6\t2e-6\t3e-6\t4e-6\n-10\t1e-6\t2e-6\t3e-6\t4e-6\n")
    assert READER.sniff(RawInput(path)) == NO
    assert READER.sniff(RawInput(path.rename(path.with_suffix(".txt")))) > NO


def test_series_in_time(tmp_path: Path) -> None:
    text = SETTINGS.replace("Cnt", "Cnt/sec") + POSITIONS[1:] + "0\t1\t2\t3\t4\n5\t6\t7\t8\t9\n"
    (entry,) = read(save(tmp_path, text))
    assert entry.signal.axes == ("time", "raman_shift")
    assert entry["time"].values.tolist() == [0, 5]
    assert entry.signal.values[1].tolist() == [6, 7, 8, 9]
    assert (entry["time"].unit, entry.signal.unit) == ("s", "count/s")


def test_places_that_fill_no_grid_stay_beside_their_spectra(tmp_path: Path) -> None:
    rows = "".join(f"{x}\t{y}\t0\t1\t2\t3\n" for x, y in ((0, 0), (1, 0), (0, 1)))
    (entry,) = read(save(tmp_path, SETTINGS + MAP + POSITIONS + rows))
    assert entry.signal.axes == ("spectrum", "raman_shift")
    assert entry["x"].values.tolist() == [0, 1, 0]


def test_export_without_settings(tmp_path: Path) -> None:
    path = save(tmp_path, POSITIONS + "0\t0\t1\t2\t3\t4\n1\t0\t5\t6\t7\t8\n")
    assert registry.read(path).source.reader == "horiba_labspec_map"  # type: ignore[union-attr]
    m = read(path)
    assert m[0].signal.axes == ("x", "raman_shift")
    assert (m[0]["x"].unit, m[0].signal.unit) == (None, None)
    assert "names no units" in m.warnings[0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0\t0\t1\t2\t3\t4\n1\t0\t5\t6", "line 15 should have 2 places and 4 values"),
        ("0\t0\t1\tx\t3\t4\n", "no number"),
        ("", "cut off"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(save(tmp_path, SETTINGS + MAP + POSITIONS + rows))


def test_single_spectra_are_left_to_the_description(tmp_path: Path, instruments: Path) -> None:
    assert READER.sniff(RawInput(save(tmp_path, SETTINGS + "100\t5\n101\t6\n102\t7\n"))) == NO
    for path in (*(instruments / "raman-txt").iterdir(), *(instruments / "labspec-txt").iterdir()):
        assert READER.sniff(RawInput(path)) == NO


def test_damaged_files(tmp_path: Path) -> None:
    rows = "".join(f"{i % 10}\t{i // 10}\t{i}\t1\t2\t3\n" for i in range(100))
    content = (SETTINGS + MAP + POSITIONS + rows).encode()
    broken_files.cut(READER, content, tmp_path / "cut.txt")
    broken_files.damage(READER, content, tmp_path / "broken.txt", turns=100, within=400)
