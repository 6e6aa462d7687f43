"""Scienta's Igor waves: what a surface analyst would lose if the reader were wrong."""

from __future__ import annotations

import json
import struct
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.scienta_ibw import READER

FOLDER = "scienta-ibw"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


# igor2 0.5.15 (by way of pynxtools-xps 0.6.3) gives the same.
GOLDEN = {
    "Cu-HHTP_0001Cu-HHTP__001.ibw": ("survey", 1221, (600, -10), 57919.6633745741, 296.3425598144531),
    "Cu-HHTP_0002Cu-HHTP__002.ibw": ("o1s", 301, (540, 525), 14519.902160644531, 96.27105140686035),
    "Cu-HHTP_0004Cu-HHTP__004.ibw": ("cu_3p", 321, (84, 68), 8647.512207567692, 36.86443704366684),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    entry_name, points, ends, total, largest = GOLDEN[name]
    assert READER.sniff(RawInput(instruments / FOLDER / name)) == CERTAIN
    m = read(instruments / FOLDER / name)
    assert m.warnings == ()
    entry = m[entry_name]
    assert entry.signal.unit == "arb"
    assert entry["binding_energy"].values.shape == (points,)
    assert entry["binding_energy"].values[[0, -1]] == pytest.approx(ends)
    assert entry.signal.values.sum() == pytest.approx(total, rel=1e-12)
    assert entry.signal.values.max() == pytest.approx(largest, rel=1e-12)


def test_the_settings_are_those_of_the_text_export(instruments: Path) -> None:
    from zairyo.readers.scienta_txt import READER as TEXT

    wave = read(instruments / FOLDER / "Cu-HHTP_0004Cu-HHTP__004.ibw")[0]
    text = TEXT.read(RawInput(instruments / "scienta-txt/Cu-HHTP_0004.txt"))[0]
    assert dict(wave.conditions) == dict(text.conditions)
    assert wave.started == text.started == datetime(2023, 3, 8, 12, 7, 12)
    assert wave.signal.values == pytest.approx(text.signal.values, rel=1e-12)
    assert wave.original_metadata["SES"]["Version"] == "1.2.5"  # type: ignore[index, call-overload]


# --- waves made by hand ---------------------------------------------------------------------------------------


def wave(
    values: np.ndarray[Any, Any], scales: list[tuple[float, float, str]], note: str, unit: str = ""
) -> bytes:
    """A binary wave, version 5: scales are (start, step, unit) for each dimension."""
    units = [u.encode() for _, _, u in scales]
    raw, kind = values.tobytes(order="F"), {"f4": 2, "f8": 4, "i4": 32}[values.dtype.str[1:]]
    head = bytearray(384)
    struct.pack_into(
        "<hH14i",
        head,
        0,
        5,
        0,
        320 + len(raw),
        0,
        len(note.encode()),
        len(unit.encode()),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    )
    struct.pack_into(f"<{len(units)}i", head, 20, *map(len, units))
    struct.pack_into("<ih", head, 64 + 12, values.size, kind)
    struct.pack_into(f"<{values.ndim}i", head, 64 + 68, *values.shape)
    struct.pack_into(f"<{values.ndim}d", head, 64 + 84, *(s[1] for s in scales))
    struct.pack_into(f"<{values.ndim}d", head, 64 + 116, *(s[0] for s in scales))
    total = int(np.frombuffer(bytes(head), "<i2").sum(dtype=np.int64))
    struct.pack_into("<H", head, 2, -total & 0xFFFF)
    return bytes(head) + raw + note.encode() + unit.encode() + b"".join(units)


def reads(data: bytes, folder: Path) -> Measurement:
    path = folder / "made.ibw"
    path.write_bytes(data)
    assert READER.sniff(RawInput(path)) == CERTAIN
    return read(path)


SES = "[SES]\rVersion=1.2.5\rRegion Name=map\rExcitation Energy=21.2\r\r[Run Mode Information]\rName=Normal\r"
PEAK = {
    "Version": 1,
    "Name": "K point",
    "ElementSet": "High Pass",
    "ImageSource": "Detector",
    "LensMode": "Angular30",
    "PassEnergy": 10,
    "Date": "2024-05-06",
    "Time": "07:08:09",
    "DwellTime": 0.5,
    "AcquisitionLoopCount": 4,
    "Sample": {"Name": "WSe2"},
    "ExcitationSource": {
        "ExcitationSourceEnergyInformation": {"SourceType": "Monochromator", "Energy": 90.25}
    },
}


def test_a_map_larger_than_the_head_is_still_recognised(tmp_path: Path) -> None:
    values = np.arange(300 * 200, dtype="f4").reshape(300, 200)
    scales = [(15.0, 0.01, "Kinetic Energy [eV]"), (-7.5, 0.075, "Y-Scale [deg]")]
    entry = reads(wave(values, scales, SES, "Counts [a.u.]"), tmp_path)["map"]
    assert (entry.technique, entry.signal.axes) == ("arpes", ("angle", "kinetic_energy"))
    assert entry.signal.values.dtype == np.float32
    assert np.array_equal(entry.signal.values, values.T)
    assert entry["kinetic_energy"].values[-1] == pytest.approx(17.99)


def test_the_note_of_peak(tmp_path: Path) -> None:
    scales = [(-7.5, 5.0, "Y Angle [deg]"), (80.0, 0.5, "Kinetic Energy [eV]")]
    m = reads(wave(np.arange(12.0).reshape(4, 3), scales, json.dumps(PEAK)), tmp_path)
    entry = m["k_point"]
    assert entry.signal.axes == ("deflection_angle", "kinetic_energy")
    assert entry.signal.values[1].tolist() == [3, 4, 5]
    assert m.sample == "WSe2"
    assert entry.started == datetime(2024, 5, 6, 7, 8, 9)
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["excitation_energy"] == (90.25, "eV")
    assert told["excitation_source"] == ("Monochromator", None)
    assert told["dwell_time"] == (0.5, "s")
    assert told["repetitions"] == (4, "")
    assert entry.original_metadata["ElementSet"] == "High Pass"


def test_a_broken_note_costs_the_note(tmp_path: Path) -> None:
    broken = json.dumps(PEAK)[:-3]
    m = reads(wave(np.arange(3.0), [(80.0, 0.5, "Kinetic Energy [eV]")], broken), tmp_path)
    assert m[0].signal.values.tolist() == [0, 1, 2]
    assert any("PEAK" in w for w in m.warnings)


# --- damage and other waves -----------------------------------------------------------------------------------


def test_damage_never_breaks_out(instruments: Path, tmp_path: Path) -> None:
    for name in GOLDEN:
        data = (instruments / FOLDER / name).read_bytes()
        assert cut(READER, data, tmp_path / "cut.ibw") == []
        damage(READER, data, tmp_path / "damaged.ibw", within=400)


def test_other_waves_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "x.ibw"
    path.write_bytes(wave(np.arange(3.0), [(0.0, 1.0, "m")], "ScanSize: 1e-6"))
    assert READER.sniff(RawInput(path)) == NO
    path.write_bytes(wave(np.empty((0,)), [(0.0, 1.0, "Binding Energy [eV]")], SES))
    with pytest.raises(ReadError, match="no spectrum"):
        READER.read(RawInput(path))
