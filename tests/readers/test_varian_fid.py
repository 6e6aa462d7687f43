"""VnmrJ: what a spectroscopist would lose if blocks or procpar were misread. From Varian's description."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.varian_fid import READER, parse_procpar

PROCPAR = """sw 1 1 100000 1 1e-07 2 1 0 1 64
1 2000 
0 
tn 2 2 4 0 0 2 1 8 1 64
1 "H1"
0 
sfrq 1 1 1e+09 0 0 2 1 11 1 64
1 399.95 
0 
solvent 2 2 8 0 0 2 1 8 1 64
1 "cdcl3"
0 
nt 7 1 1e+09 1 1 2 1 8 1 64
1 16 
0 
d1 1 1 8192 0 0 2 1 8 1 64
3 1.5 2 2.5 
0 
comment 2 2 0 0 0 2 1 8 1 64
2 "first
line"
"second"
2 "a" "b" 
time_run 2 2 0 0 0 2 1 8 1 64
1 "20130115T101820"
0 
"""


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def folder(path: Path, rows: np.ndarray, status: int, traces: int = 1) -> Path:  # type: ignore[type-arg]
    path.mkdir()
    blocks, points = len(rows) // traces, rows.shape[1]
    size = traces * points * rows.itemsize
    head = struct.pack(
        ">6i2hi", blocks, traces, points, rows.itemsize, points * rows.itemsize, size + 28, 0, status | 1, 1
    )
    body = b"".join(bytes(28) + rows[i * traces : (i + 1) * traces].tobytes() for i in range(blocks))
    (path / "fid").write_bytes(head + body)
    (path / "procpar").write_text(PROCPAR)
    (path / "text").write_text("Ethanol in chloroform\nrun 2")
    return path


@pytest.mark.parametrize(("kind", "status"), [(">i2", 0), (">i4", 4), (">f4", 8)])
def test_every_kind_of_number(tmp_path: Path, kind: str, status: int) -> None:
    m = read(folder(tmp_path / "a.fid", np.arange(8).astype(kind).reshape(1, 8), status))
    (entry,) = m.entries
    assert entry.signal.values.tolist() == [0 + 1j, 2 + 3j, 4 + 5j, 6 + 7j]
    assert entry["time"].values.tolist() == [0, 0.0005, 0.001, 0.0015]
    assert {name: str(q) for name, q in entry.conditions.items()} == {
        "nucleus": "1H", "observe_frequency": "399.95 MHz", "solvent": "cdcl3", "repetitions": "16",
        "spectral_width": "2000 Hz", "relaxation_delay": "1.5 s",
    }  # fmt: skip
    assert m.title == "Ethanol in chloroform"
    assert str(m.started) == "2013-01-15 10:18:20"


def test_decays_of_two_dimensions(tmp_path: Path) -> None:
    rows = np.arange(24, dtype=">i4").reshape(6, 4)
    (entry,) = read(folder(tmp_path / "a.fid", rows, 4, traces=2)).entries
    assert entry.signal.values[3].tolist() == [12 + 13j, 14 + 15j]
    assert entry.signal.axes == ("increment", "time")


def test_stopped_experiment_and_one_cut_off(tmp_path: Path) -> None:
    path = folder(tmp_path / "a.fid", np.arange(24, dtype=">i4").reshape(6, 4), 4)
    data = (path / "fid").read_bytes()
    (path / "fid").write_bytes(data[: 32 + 4 * (28 + 16)])
    m = read(path)
    assert m[0].signal.values.shape == (4, 2)
    assert "4 of 6" in m.warnings[0]
    (path / "fid").write_bytes(data[:-5])
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(path))


def test_archive(tmp_path: Path) -> None:
    path = folder(tmp_path / "a.fid", np.arange(8, dtype=">i4").reshape(1, 8), 4)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as z:
        for file in path.iterdir():
            z.write(file, f"a.fid/{file.name}")
    assert read(tmp_path / "a.zip").entries == read(path).entries


def test_procpar() -> None:
    told = parse_procpar(PROCPAR)
    assert told["d1"] == [1.5, 2, 2.5]
    assert told["comment"] == ["first\nline", "second"]
    with pytest.raises(ReadError):
        parse_procpar("nothing")


def test_damage(tmp_path: Path) -> None:
    path = folder(tmp_path / "a.fid", np.arange(64, dtype=">i4").reshape(4, 16), 4)
    reader = replace(READER, read=lambda src: READER.read(RawInput(path)))
    for part in ("fid", "procpar"):
        data = (path / part).read_bytes()
        cut(reader, data, path / part)
        damage(reader, data, path / part)
        (path / part).write_bytes(data)


def test_others_are_not_claimed(instruments: Path, tmp_path: Path) -> None:
    for other in (tmp_path, instruments / "nmrpipe", instruments / "bruker-nmr-zip/72.zip"):
        assert READER.sniff(RawInput(other)) == NO
