"""Agilent MicroLab .asp: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import LIKELY, NO, POSSIBLE, RawInput, ReadError
from zairyo.readers.agilent_asp import READER

FILE = "agilent-asp/2024-10-10_FeSO4_ref.asp"


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def test_real_numbers(instruments: Path) -> None:
    """Numbers as NumPy reads the lines."""
    path = instruments / FILE
    assert READER.sniff(RawInput(path)) == LIKELY
    (entry,) = read(path)
    assert (entry.technique, entry.signal.name, entry.signal.unit) == ("ir", "absorbance", "")
    assert entry.signal.values.shape == (1932,)
    assert entry.signal.values[[0, -1]].tolist() == [0.00861804045400133, 0.113463051924005]
    assert entry.signal.values.sum() == pytest.approx(26.242852131241225, rel=1e-12)
    assert entry["wavenumber"].values[[0, -1]].tolist() == [3999.43349933624, 400.688817501068]
    assert str(entry.conditions["resolution"]) == "4 1/cm"


def save(folder: Path, text: str, name: str = "made.asp") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("kind", "signal"),
    [(128, ("transmittance", "percent")), (129, ("reflectance", "percent")), (130, ("single_beam", "arb"))],
)
def test_what_y_is(tmp_path: Path, kind: int, signal: tuple[str, str]) -> None:
    text = f"3\n4000,5\n1000,5\n1\n{kind}\n2\n83,5\n84,5\n85,5\n"  # a decimal comma, as some countries have
    path = save(tmp_path, text)
    assert READER.sniff(RawInput(path)) == LIKELY
    (entry,) = read(path)
    assert (entry.signal.name, entry.signal.unit) == signal
    assert entry.signal.values.tolist() == [83.5, 84.5, 85.5]
    assert entry.axes[0].values.tolist() == [4000.5, 2500.5, 1000.5]


def test_recognised_by_its_count(tmp_path: Path) -> None:
    text = "2\n4000\n1000\n1\n2\n4\n0.5\n0.25\n"
    assert READER.sniff(RawInput(save(tmp_path, text, "made.txt"))) == POSSIBLE
    assert READER.sniff(RawInput(save(tmp_path, text + "7\n"))) == NO
    assert READER.sniff(RawInput(save(tmp_path, "1\n2\n3\n"))) == NO
    assert READER.sniff(RawInput(save(tmp_path, text.replace("\n1\n2\n", "\n99\n2\n")))) == NO


def test_errors_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="announces 3 points"):
        read(save(tmp_path, "3\n4000\n1000\n1\n2\n4\n0.5\n0.25\n"))
    with pytest.raises(ReadError, match="no number"):
        read(save(tmp_path, "2\n4000\n1000\n1\n2\n4\n0.5\nx\n"))
    with pytest.raises(ReadError, match="six lines"):
        read(save(tmp_path, "hello\n"))


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    content = (instruments / FILE).read_bytes()
    assert not broken_files.cut(READER, content, tmp_path / "cut.asp")
    broken_files.damage(READER, content, tmp_path / "broken.asp", within=200)
