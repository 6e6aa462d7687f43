"""Bruker Esprit spectra: what an analyst would lose if the reader were wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.readers.broken_files import cut, damage, replaced

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.bruker_spx import READER
from zairyo.readers.invariants import check

FOLDER = "bruker-spx"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


# --- real files; counts and energies are those that rosettasciio 0.15.0 gives ------------------------------------

GOLDEN: dict[str, tuple[Any, ...]] = {
    # file: technique, channels, first energy, step, sum, largest, live time, real time, started
    "bruker_m6_jetstream_file_example.spx": (
        "xrf", 4096, -0.95550444, 0.009999, 1090697, 34826, 28.046, 30.0, "2021-03-23T10:57:41",
    ),
    "bruker_nano.spx": ("eds", 4096, -0.238925, 0.0025, 76293, 665, 7.385, 7.575, "2018-03-02T13:53:04"),
    "extracted_from_bcf.spx": ("eds", 1548, -0.47225, 0.01, 4413, 178, 0.025, 0.04, "2018-03-04T10:06:04"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    technique, channels, first, step, total, largest, live, real, started = GOLDEN[name]
    path = instruments / FOLDER / name
    assert READER.sniff(RawInput(path)) == CERTAIN
    (entry,) = read(path).entries
    assert (entry.technique, entry.signal.axes, entry.signal.unit) == (technique, ("energy",), "counts")
    assert entry["energy"].values[[0, -1]] == pytest.approx([first, first + (channels - 1) * step], rel=1e-12)
    assert entry["energy"].unit == "keV"
    assert (int(entry.signal.values.sum()), int(entry.signal.values.max())) == (total, largest)
    assert (entry.conditions["live_time"].value, entry.conditions["real_time"].value) == (live, real)
    assert entry.started == datetime.fromisoformat(started)


def test_electron_beam(instruments: Path) -> None:
    m = read(instruments / FOLDER / "bruker_nano.spx")
    c = m[0].conditions
    told = {
        n: (c[n].value, c[n].unit) for n in ("accelerating_voltage", "working_distance", "elevation_angle")
    }
    assert told == {
        "accelerating_voltage": (15.0, "kV"),
        "working_distance": (9.0, "mm"),
        "elevation_angle": (35.0, "deg"),
    }
    assert (c["elements"].value, c["energy_resolution"].value) == ("Fe, S, Cu", 124.9)
    assert m.sample == "Chalcopyrite"
    assert c["comment"].value.startswith("this is spectrum decription")


def test_x_ray_tube(instruments: Path) -> None:
    c = read(instruments / FOLDER / "bruker_m6_jetstream_file_example.spx")[0].conditions
    told = {n: (c[n].value, c[n].unit) for n in ("xray_tube_voltage", "xray_tube_current", "beam_diameter")}
    assert told == {
        "xray_tube_voltage": (50.0, "kV"),
        "xray_tube_current": (0.199, "mA"),
        "beam_diameter": (50.0, "um"),
    }
    assert (c["xray_source_element"].value, c["atmosphere"].value) == ("Rh", "Helium")
    assert "accelerating_voltage" not in c


def test_results_are_kept(instruments: Path) -> None:
    tree: Any = read(instruments / FOLDER / "bruker_nano.spx").original_metadata
    results = next(c for c in tree["ClassInstance"]["ClassInstance"] if c["@Type"] == "TRTResult")
    assert results["Result"][0]["MassPercent"] == "2.637948976E-1"


SHORT = """<?xml version="1.0" encoding="UTF-8"?><TRTSpectrum><RTHeader/>
<ClassInstance Type="TRTSpectrum" Name="試料"><TRTHeaderedClass/><ClassInstance Type="TRTSpectrumHeader">
<ChannelCount>{count}</ChannelCount>{calibration}</ClassInstance><Channels>{channels}</Channels></ClassInstance></TRTSpectrum>"""
CALIBRATION = "<CalibAbs>-0,1</CalibAbs><CalibLin>0,02</CalibLin>"


def made(tmp_path: Path, count: int, channels: str, calibration: str = CALIBRATION) -> Measurement:
    path = tmp_path / "made.spx"
    path.write_text(SHORT.format(count=count, channels=channels, calibration=calibration), "utf-8")
    return read(path)


def test_comma_and_fractions(tmp_path: Path) -> None:
    m = made(tmp_path, 3, "1,2.5,3")
    assert m.title == "試料"
    assert m[0].signal.values.tolist() == [1, 2.5, 3]
    assert m[0]["energy"].values == pytest.approx([-0.1, -0.08, -0.06])


def test_without_calibration(tmp_path: Path) -> None:
    assert made(tmp_path, 3, "1,2,3,", "")[0].signal.axes == ("channel",)


@pytest.mark.parametrize("channels", ["", "1,2", "1,x,3"])
def test_channels_that_are_not_there(tmp_path: Path, channels: str) -> None:
    with pytest.raises(ReadError):
        made(tmp_path, 3, channels)


@pytest.mark.parametrize("name", GOLDEN)
def test_broken(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / FOLDER / name).read_bytes()
    assert cut(READER, data, tmp_path / "cut.spx") == []
    damage(READER, data, tmp_path / "bad.spx", turns=30)
    tokens = [(b"<CalibLin>", b"<CalibLin>1e308"), (b"<Date>", b"<Date>9"), (b"<SigmaLin>", b"<SigmaLin>-")]
    replaced(READER, data, tmp_path / "bad.spx", tokens)


def test_others_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "a.spx").write_text('<?xml version="1.0"?><TRTSpectrumDatabase/>')
    assert READER.sniff(RawInput(tmp_path / "a.spx")) == NO
