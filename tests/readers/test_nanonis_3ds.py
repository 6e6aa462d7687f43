"""Nanonis grids: every spectrum at its place. From the format's specification; no real file is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.nanonis_3ds import READER

HEADER = """Grid dim="{dim}"
Grid settings=1.0E-9;2.0E-9;3.0E-9;4.0E-9;3.0E+1
Filetype=Linear
Sweep Signal="Bias (V)"
Fixed parameters="Sweep Start;Sweep End"
Experiment parameters="X (m);Z (m)"
# Parameters (4 byte)=4
Experiment size (bytes)=32
Points=4
Channels="Current (A);LI Demod 1 X (A)"
Experiment="Grid Spectroscopy"
Start time="21.10.2014 16:48:06"
User=Kato
:HEADER_END:
"""


def content(dim: str = "3 x 2", places: int = 6) -> bytes:
    blocks = np.zeros((places, 4 + 8))
    blocks[:, 0], blocks[:, 1] = -1.0, 2.0
    blocks[:, 3] = np.arange(places)
    blocks[:, 4:] = 100 * np.arange(places)[:, None] + np.arange(8)
    return HEADER.format(dim=dim).replace("\n", "\r\n").encode() + blocks.astype(">f4").tobytes()


def read(path: Path, data: bytes) -> Measurement:
    path.write_bytes(data)
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_every_spectrum_at_its_place(tmp_path: Path) -> None:
    m = read(tmp_path / "a", content())
    (entry,) = m
    assert (entry.technique, entry.default, entry.signal.axes) == ("sts", "current", ("y", "x", "bias"))
    assert entry["current"].values[1, 2].tolist() == [500, 501, 502, 503]
    assert entry["lock_in_1_x"].values[0, 1].tolist() == [104, 105, 106, 107]
    assert entry["bias"].values.tolist() == [-1, 0, 1, 2]
    assert entry["x"].values == pytest.approx([0.5e-9, 1.5e-9, 2.5e-9])
    assert entry["y"].values == pytest.approx([1e-9, 3e-9])
    assert entry["height"].values.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert entry.conditions["scan_angle"].value == 30.0
    assert (m.operator, str(entry.started)) == ("Kato", "2014-10-21 16:48:06")


SEGMENTS = "Segment Start (V), Segment End (V), Settling (s), Integration (s), Steps (xn), Lockin, Init. Settling (s)="


@pytest.mark.parametrize(
    ("segments", "bias"),
    [
        ("-1.0,0.0,1E-3,2E-2,2,OFF,0;0.0,0.5,1E-3,2E-2,3,OFF,0", [-1, 0, 0.25, 0.5]),  # the joint once
        ("-1.0,0.0,1E-3,2E-2,2,OFF,0;0.1,0.5,1E-3,2E-2,2,OFF,0", [-1, 0, 0.1, 0.5]),
        ("-1.0,0.0,1E-3,2E-2,9,OFF,0", None),
        ("", None),
    ],
)
def test_a_sweep_of_segments_is_not_even(tmp_path: Path, segments: str, bias: list[float] | None) -> None:
    head = f"Filetype=MLS\r\n{SEGMENTS}{segments}".encode()
    (entry,) = (m := read(tmp_path / "a", content().replace(b"Filetype=Linear", head)))
    if bias is None:
        assert entry.axes[-1].name == "point"
        assert "segments" in m.warnings[0]
    else:
        assert entry["bias"].values == pytest.approx(bias)


def test_stopped_grid_keeps_what_was_taken(tmp_path: Path) -> None:
    m = read(tmp_path / "a", content(places=4))
    assert "4 of 6" in m.warnings[0]
    assert m[0]["current"].values[1, 0].tolist() == [300, 301, 302, 303]
    assert np.isnan(m[0]["current"].values[1, 1:]).all()


def test_header_of_a_damaged_file_sets_no_memory_aside(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cut off"):
        read(tmp_path / "a", content(dim="90000 x 90000"))
    with pytest.raises(ReadError, match="Grid dim"):
        read(tmp_path / "a", content(dim="0 x 4"))


def test_cut_off_and_damaged(tmp_path: Path) -> None:
    read_at = cut(READER, content(), tmp_path / "cut.3ds")
    assert min(read_at) * len(content()) > 20 * (HEADER.find(":HEADER_END:") + 48)  # with one whole point
    damage(READER, content(), tmp_path / "broken.3ds", turns=200)
