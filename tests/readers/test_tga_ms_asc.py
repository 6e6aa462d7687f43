"""TG-MS: a user would read one mass as another, or lose the cycle that was running when the recording stopped."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.tga_ms_asc import READER

NAME = "20221128_134958_TGA_MS_Megan.asc"
FILE = """Sourcefile\trun 3.qmp
Exporttime\t02.03.2024 10:00:00

Start Time\t02.03.2024 09:00:00
End Time\t02.03.2024 09:00:11

\t\tHe\t\t\t28
Time\tTime Relative [s]\tIon Current [A]\tTime\tTime Relative [s]\tIon Current [A]
02.03.2024 09:00:00\t0,000\t1,5E-009\t02.03.2024 09:00:00\t0,400\t2,5E-009
02.03.2024 09:00:05\t5,000\t1,6E-009\t02.03.2024 09:00:05\t5,400\t2,6E-009
02.03.2024 09:00:10\t10,000\t1,7E-009
"""


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("latin-1"))
    return path


def test_real_file(instruments: Path) -> None:
    # Python's csv module agrees.
    source = RawInput(instruments / "tga-ms-asc" / NAME)
    assert READER.sniff(source) == CERTAIN
    m = read(source.path)
    entry = m[0]
    assert (entry.technique, entry.x, entry.default) == ("evolved_gas_ms", "time", "partial_pressure_14")
    golden = {
        "14": 1.461430767e-08,
        "16": 1.2156674567e-08,
        "water": 1.0180238204e-10,
        "nitrogen_carbonmonoxide": 4.344028599e-10,
        "oxygen": 1.8901023308e-10,
        "argon": 5.04701211399e-11,
        "carbondioxide": 4.16169365270e-11,
    }
    for mass, total in golden.items():
        signal = entry[f"partial_pressure_{mass}"]
        assert (len(signal.values), signal.unit) == (1366, "mbar")
        assert np.nansum(signal.values) == pytest.approx(total, rel=1e-9)
    assert entry["time_water"].values[0] == 0.445
    assert entry["time"].values[-1] == 5431.151
    assert np.isnan(entry["partial_pressure_carbondioxide"].values[-1])
    assert "last cycle" in m.warnings[0]
    assert m.started == datetime(2022, 11, 28, 13, 51, 12)
    assert entry.conditions["duration"].value == 5432


def test_ion_currents_of_another_country(tmp_path: Path) -> None:
    m = read(written(tmp_path / "a.asc", FILE))
    entry = m[0]
    assert entry["ion_current_he"].values.tolist() == [1.5e-9, 1.6e-9, 1.7e-9]
    assert entry["ion_current_28"].values.tolist() == pytest.approx([2.5e-9, 2.6e-9, np.nan], nan_ok=True)
    assert entry["ion_current_28"].unit == "A"
    assert m.started == datetime(2024, 3, 2, 9)
    assert m.title == "run 3"


def test_german_headings(tmp_path: Path) -> None:
    text = FILE.replace("Time Relative", "Zeit relativ").replace("Ion Current", "Ionenstrom")
    text = (
        text.replace("Start Time", "Startzeit")
        .replace("End Time", "Endzeit")
        .replace("Time\tZeit", "Zeit\tZeit")
    )
    path = written(tmp_path / "a.asc", text)
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    assert m.started == datetime(2024, 3, 2, 9)
    assert m[0]["ion_current_he"].values.tolist() == [1.5e-9, 1.6e-9, 1.7e-9]
    assert m[0]["time"].unit == "s"


@pytest.mark.parametrize("mark", ["09:00:05\t5,400\t2,6", "09:00:10\t10,000\t1,7", "\t\tHe", "Time Relative"])
def test_what_is_cut_off_is_refused(tmp_path: Path, mark: str) -> None:
    text = FILE.replace("09:00:11", "10:00:11")  # the recording went on for an hour
    with pytest.raises(ReadError):
        read(written(tmp_path / "a.asc", text[: text.index(mark)]))


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "tga-ms-asc" / NAME).read_bytes()
    target = tmp_path / "damaged.asc"
    random = np.random.default_rng(29)
    for end in np.linspace(0, len(whole) * 0.98, 20).astype(int):
        target.write_bytes(whole[:end])
        with pytest.raises(ReadError):
            read(target)
    small = whole[:30_000].replace(b"15:21:44", b"13:58:00")
    for turn in range(50):
        bad = bytearray(small)
        for at in random.integers(0, len(bad), 6):
            bad[at] = random.integers(256)
        if turn % 10 == 9:
            bad[700:] = random.bytes(len(bad) - 700)
        target.write_bytes(bytes(bad))
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(written(tmp_path / "a.asc", "Time\tValue [s]\n1\t2\n"))) == NO
