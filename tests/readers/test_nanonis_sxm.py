"""Nanonis images: what someone who scans surfaces would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.nanonis_sxm import READER

REAL = "nanonis-sxm/Au_mica_2023_Y_A_diPAMY_20230512_058.sxm"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_real_numbers(instruments: Path) -> None:
    """Equal to nanonispy 1.1.0, which leaves the way back as it was recorded, from right to left."""
    m = read(instruments / REAL)
    (entry,) = m
    assert entry.technique == "stm"
    assert [s.name for s in entry.signals] == ["height", "height_retrace", "current", "current_retrace"]
    current: Any = entry["current"].values
    back: Any = entry["current_retrace"].values
    assert current[[0, -1], [0, -1]].tolist() == [-2.6012600060076885e-11, -3.4669239701301535e-11]
    assert current.sum(dtype=float) == pytest.approx(-7.040434167483907e-06, rel=1e-9)
    assert back.sum(dtype=float) == pytest.approx(-7.017281032623175e-06, rel=1e-9)
    assert back[[0, -1], [-1, 0]].tolist() == [-2.803600407386142e-11, -2.578308400114082e-11]
    assert entry["height"].values.sum(dtype=float) == pytest.approx(-0.000398182834032923, rel=1e-9)
    assert (entry["height"].unit, entry["current"].unit) == ("m", "A")
    # The same surface there and back, so the picture must be the same.
    assert np.corrcoef(current.ravel(), back.ravel())[0, 1] > 0.98
    # The height was held: what was scanned is the current.
    assert entry.default == "current"


def test_where_and_how(instruments: Path) -> None:
    (entry,) = read(instruments / REAL)
    x, y = entry["x"], entry["y"]
    assert (x.unit, y.unit) == ("m", "m")
    assert x.values[[0, -1]] == pytest.approx([4e-9 / 512, 4e-9 - 4e-9 / 512])
    assert y.values[0] > y.values[-1]  # scanned downwards
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["bias_voltage"] == (-0.05, "V")
    assert told["tunnelling_current"] == (2.5e-11, "A")
    assert told["scan_angle"] == (120.0, "deg")
    assert told["position_x"] == (9.964751e-8, "m")
    assert told["feedback"] == ("off", None)
    assert str(entry.started) == "2023-05-12 13:50:59"


def test_cut_off_and_damaged(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / REAL).read_bytes()
    assert not cut(READER, data, tmp_path / "cut.sxm")
    damage(READER, data, tmp_path / "broken.sxm", within=8000)


HEADER = """:NANONIS_VERSION:
2
:SCANIT_TYPE:
              {type}
:SCAN_PIXELS:
       3       2
:SCAN_RANGE:
           3.0E-9           2.0E-9
:SCAN_DIR:
{dir}
:Z-CONTROLLER:
	Name	on	Setpoint	P-gain	I-gain	T-const
	{controller}	1	-5.0E+0 Hz	3.5E-12 m	3.4E-8 m/s	1.0E-4 s

:DATA_INFO:
	Channel	Name	Unit	Direction	Calibration	Offset
	14	Z	m	{direction}	9.000E-9	0.000E+0
	18	OC_M1_Freq._Shift	Hz	both	1	0

:SCANIT_END:


"""


def save(path: Path, frames: int, dtype: str = ">f4", **words: str) -> Path:
    words = {"type": "FLOAT MSBFIRST", "dir": "up", "controller": "Freq. Shift", "direction": "both"} | words
    values = np.arange(6 * frames).astype(dtype)
    path.write_bytes(HEADER.format(**words).encode() + b"\x1a\x04" + values.tobytes())
    return path


def test_upward_scan_of_a_force_microscope(tmp_path: Path) -> None:
    (entry,) = read(save(tmp_path / "a", 4))
    assert entry.technique == "afm"
    assert entry["y"].values.tolist() == pytest.approx([0.5e-9, 1.5e-9])
    assert entry["height"].values.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert entry["height_retrace"].values.tolist() == [[8, 7, 6], [11, 10, 9]]
    assert entry["frequency_shift"].values[0, 0] == 12
    assert (entry.conditions["setpoint"].value, entry.conditions["setpoint"].unit) == (-5.0, "Hz")
    assert "tunnelling_current" not in entry.conditions


def test_channels_recorded_one_way_only(tmp_path: Path) -> None:
    (entry,) = read(save(tmp_path / "a", 3, direction="backward"))
    assert [s.name for s in entry.signals] == ["height_retrace", "frequency_shift", "frequency_shift_retrace"]
    assert entry["frequency_shift"].values[0, 0] == 6


def test_passes_over_one_line_keep_their_channels_apart(tmp_path: Path) -> None:
    path = save(tmp_path / "a", 4)
    path.write_bytes(
        path.read_bytes()
        .replace(b"14\tZ\t", b"14\t[P1]_Z\t")
        .replace(b"18\tOC_M1_Freq._Shift", b"14\t[P2]_Z")
    )
    (entry,) = read(path)
    assert [s.name for s in entry.signals] == [
        "height_p1",
        "height_p1_retrace",
        "height_p2",
        "height_p2_retrace",
    ]
    assert entry.default == "height_p1"


def test_other_number_types(tmp_path: Path) -> None:
    (entry,) = read(save(tmp_path / "a", 4, "<i4", type="INT LSBFIRST"))
    assert entry["height"].values.tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ReadError, match="unknown here"):
        read(save(tmp_path / "b", 4, type="ZIP"))


def test_unknown_unit_costs_only_the_unit(tmp_path: Path) -> None:
    path = save(tmp_path / "a", 4)
    path.write_bytes(path.read_bytes().replace(b"\tHz\tboth", b"\tQx\tboth"))
    m = read(path)
    assert m[0]["frequency_shift"].unit == "Qx"
    assert "'Qx'" in m.warnings[0]
