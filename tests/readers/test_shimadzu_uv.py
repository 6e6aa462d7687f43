"""Shimadzu UVProbe: what a spectroscopist would lose if the reader were wrong (files made as public readers do)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files
from tests.readers.ole_files import compound_file

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.galactic_spc import READER as GALACTIC
from zairyo.readers.shimadzu_uv import READER


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def uv(**spectra: tuple[list[float], list[float]]) -> bytes:
    streams: dict[str, bytes] = {"DataStorage1/DataSetGroup/DataSetGroupHeaderInfo": b"header"}
    for name, (x, y) in spectra.items():
        folder = f"DataStorage1/DataSetGroup/{name}/DataSpectrumStorage/Data/"
        streams[folder + "X Data.1"] = np.asarray(x, "<f8").tobytes()
        streams[folder + "Y Data.1"] = np.asarray(y, "<f8").tobytes()
    return compound_file(streams)


def save(folder: Path, content: bytes) -> Path:
    path = folder / "made.spc"
    path.write_bytes(content)
    return path


def test_every_spectrum_of_a_file(tmp_path: Path) -> None:
    spectra = {f"DataSet{i}": ([300.0, 301.0], [i / 10, i / 5]) for i in (1, 2, 10)}
    path = save(tmp_path, uv(**spectra))
    assert (READER.sniff(RawInput(path)), GALACTIC.sniff(RawInput(path))) == (CERTAIN, NO)
    m = read(path)
    assert [e.title for e in m.entries] == ["DataSet1", "DataSet2", "DataSet10"]
    assert m.entries[2].signal.values.tolist() == [1.0, 2.0]
    assert m.entries[2].axes[0].values.tolist() == [300, 301]
    assert m.entries[0].signal.unit is None
    assert "no unit" in m.warnings[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (uv(DataSet1=([1, 2, 3], [1, 2])), "3 wavelengths and 2 values"),
        (compound_file({"DataStorage1/DataSetGroup/A/Data/X Data.1": b"abc"}), "holds no spectrum"),
        (
            compound_file({"DataSetGroup/A/X Data.1": b"abc", "DataSetGroup/A/Y Data.1": b"abc"}),
            "holds no|no whole",
        ),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(save(tmp_path, content))


def test_damaged_files(tmp_path: Path) -> None:
    content = uv(DataSet1=(list(range(200)), list(range(200))), DataSet2=([1, 2], [3, 4]))
    broken_files.cut(READER, content, tmp_path / "cut.spc")
    broken_files.damage(READER, content, tmp_path / "broken.spc", turns=100)
