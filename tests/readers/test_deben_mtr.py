"""Deben stages: a user would lose the curve, or plot the end mark as a reading."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.deben_mtr import READER

# Rows without the end mark, sums of elongation and force, greatest force. pandas 3.1.1 agrees.
GOLDEN = {
    "BC_0_W_R.013.MTR": (29374, 85184.588, 24275.99, 2.32, "20 mm"),
    "NANOCEL_KW.CHAL_450PPM_15.MTR": (2701, 789.418, 43756.55, 30.47, ""),
}
FILE = """"File : C:\\data\\bar.mtr saved 2020-01-02 at 03:04:05"
"Sample : Nylon 6"
"Span : 20.5"
"Start Speed : 1.5 mm/min"
"Number of points : 3"
"Ver6.1"
"Comment : 5kN compression"
"Point","Elongation","Force","Position","Code","Samplerate","Motorspeed"
.5,.1,1.5,3,2,500,"1.5 mm/min"
1,.2,2.5,3.1,0,500,"1.5 mm/min"
1.5,.3,3.5,3.2,0,500,"2 mm/min"
0,0,0,0,1,0,"0"
"""


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("latin-1"))
    return path


@pytest.mark.parametrize("name", GOLDEN)
def test_real_curves(instruments: Path, name: str) -> None:
    count, extension, force, most, _ = GOLDEN[name]
    source = RawInput(instruments / "deben-mtr" / name)
    assert READER.sniff(source) == CERTAIN
    m = read(source.path)
    (entry,) = m.entries
    assert (entry.technique, entry.x, entry.default) == ("tensile", "extension", "force")
    assert len(entry["force"].values) == count
    assert entry["extension"].values.sum() == pytest.approx(extension, rel=1e-9)
    assert entry["force"].values.sum() == pytest.approx(force, rel=1e-9)
    assert entry["force"].values.max() == most
    assert entry["time"].values[0] == 0.1
    assert {s.name: s.unit for s in entry.signals} == {
        "time": "s", "extension": "mm", "force": "N", "position": "mm", "event": "", "sampling_interval": "ms",
        "test_speed": "mm/min"}  # fmt: skip
    conditions = {k: str(v) for k, v in entry.conditions.items()}
    assert conditions["span"] == "10 mm"
    assert conditions["sample_thickness"] == "1 mm"
    assert conditions["load_cell"] == "200 N"
    assert "saved 2005" in m.original_metadata["File"]
    assert not m.warnings


def test_another_version_and_country(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.mtr", FILE))
    (entry,) = m.entries
    assert (entry.technique, m.sample) == ("compression", "Nylon 6")
    assert entry["force"].values.tolist() == [1.5, 2.5, 3.5]
    assert entry["test_speed"].values.tolist() == [1.5, 1.5, 2]
    assert str(entry.conditions["span"]) == "20.5 mm"
    assert str(entry.conditions["software_version"]) == "6.1"


@pytest.mark.parametrize("cut", [17, 18, 25, 60, 120])
def test_fewer_rows_than_stated_are_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(ReadError, match="cut off"):
        read(written(tmp_path / "a.mtr", FILE[:-cut]))


@pytest.mark.parametrize(
    ("row", "force", "speed"),
    [
        ('1,.2,2.5,3.1,0,500,"1.5 mm/min"', 2.5, 1.5),
        ('1,.2,2.5,3.1,0,500,"3 mm/min"', 2.5, 3.0),
        ("1,.2,2.5,3.1,0,500,3 mm/min", 2.5, 3.0),  # not in quotes
        (f'1,.2,2.5,3.1,0,500,"3{" " * 200}mm/min"', 2.5, 3.0),
        ('1,.2,,3.1,0,500,"1.5 mm/min"', np.nan, 1.5),  # a gap
        ('1,.2,2.5,3.1,0,500,""', 2.5, np.nan),
    ],
)
def test_each_row_keeps_its_own_speed(tmp_path: Path, row: str, force: float, speed: float) -> None:
    """Rows are read all at once where they are alike; one that differs must not shift what the others say."""
    path = written(tmp_path / "a.mtr", FILE.replace('1,.2,2.5,3.1,0,500,"1.5 mm/min"', row))
    (entry,) = read(path).entries
    np.testing.assert_array_equal(entry["force"].values, [1.5, force, 3.5])
    np.testing.assert_array_equal(entry["test_speed"].values, [1.5, speed, 2.0])


def test_a_comma_too_many_is_told(tmp_path: Path) -> None:
    text = FILE.replace('1,.2,2.5,3.1,0,500,"1.5', '1,.2,2.5,3.1,0,500,7,"1.5').replace(
        "0,0,0,0,1", "0,0,0,1"
    )
    with pytest.raises(ReadError):
        read(written(tmp_path / "a.mtr", text))


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "deben-mtr" / "NANOCEL_KW.CHAL_450PPM_15.MTR").read_bytes()
    target = tmp_path / "damaged.mtr"
    random = np.random.default_rng(17)
    for end in np.linspace(0, len(whole) - 60, 20).astype(int):
        target.write_bytes(whole[:end])
        with pytest.raises(ReadError):
            read(target)
    small = whole[:20_000].replace(b"points : 2701", b"points : 400")
    for turn in range(50):
        bad = bytearray(small)
        for at in random.integers(0, len(bad), 6):
            bad[at] = random.integers(256)
        if turn % 10 == 9:
            bad[800:] = random.bytes(len(bad) - 800)
        target.write_bytes(bytes(bad))
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(written(tmp_path / "a.mtr", '"File : x"\n"Point","Voltage"\n1,2\n'))) == NO
