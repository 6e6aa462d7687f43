"""Anton Paar SAXS: what a person who measured with a SAXSess would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.antonpaar_pdh import READER
from zairyo.readers.invariants import check

FOLDER = "antonpaar-pdh"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


# sasdata 0.11.0 gives the same numbers; it calls q's unit 1/Å, though the file says 1/nm.
GOLDEN = {
    "10wtAOT_Reline_120_reduced.pdh": (748, (0.072644, 5.0027), 14278773.647, 26256338.628),
    "Anton-Paar.pdh": (673, (0.06604, 4.5017), 290.247135721, 11.554713358),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    points, ends, total, errors = GOLDEN[name]
    assert READER.sniff(RawInput(instruments / FOLDER / name)) == CERTAIN
    m = read(instruments / FOLDER / name)
    assert m.warnings == ()
    (entry,) = m
    assert (entry.technique, entry["q"].unit, entry.signal.unit) == ("saxs", "1/nm", "count/um**2")
    assert entry["q"].values.shape == (points,)
    assert entry["q"].values[[0, -1]].tolist() == list(ends)
    assert entry.signal.values.sum() == pytest.approx(total, rel=1e-11)
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.sum() == pytest.approx(errors, rel=1e-10)


def test_conditions_and_metadata(instruments: Path) -> None:
    m = read(instruments / FOLDER / "10wtAOT_Reline_120_reduced.pdh")
    assert m.sample == "Reline 120 30C 2h background"
    told = {name: (q.value, q.unit) for name, q in m[0].conditions.items()}
    assert told["temperature"] == (30.0, "degC")
    assert told["sample_detector_distance"] == (261.2, "mm")
    assert told["wavelength"] == (0.1542, "nm")
    assert told["slit_length"] == (5.63905460856387, "1/nm")
    assert "concentration" not in told
    parameters = m[0].original_metadata["fileinfo"]["parameter"]  # type: ignore[index, call-overload]
    assert len(parameters) > 5  # type: ignore[arg-type]


HEAD = "sample A\nSAXS BOX\n 3 0 0 0 0 0 0 0\n 0.0 261.2 0.0 1.0 0.1542\n 0.0 0.0 0.0 0.0 0.0\n"
ROWS = "0.1 5 0.5\n0.2 4 0.4\n0.3 3 0.3\n"


def reads(text: str, folder: Path) -> Measurement:
    (folder / "made.pdh").write_text(text)
    return read(folder / "made.pdh")


def test_an_older_file_states_no_units(tmp_path: Path) -> None:
    m = reads(HEAD + ROWS, tmp_path)
    assert m[0].signal.values.tolist() == [5, 4, 3]
    assert m[0]["q"].unit is None
    assert any("unit of q" in w for w in m.warnings)
    (tmp_path / "made.pdh").write_text((HEAD + ROWS).replace("SAXS BOX", ""))
    assert READER.sniff(RawInput(tmp_path / "made.pdh")) == LIKELY


def test_a_broken_description_costs_the_description(tmp_path: Path) -> None:
    m = reads(HEAD + ROWS + '<?xml version="1.0"?><fileinfo><column key="X">', tmp_path)
    assert m[0].signal.values.tolist() == [5, 4, 3]
    assert any("description" in w for w in m.warnings)


def test_what_is_missing_is_refused(tmp_path: Path) -> None:
    for text, told in (
        (HEAD + ROWS[:-10], "announces 3 points"),
        (HEAD + ROWS.replace("0.2 4 0.4", "0.2 4 x"), "line 7"),
        (HEAD.replace(" 3 0", " 999999999999 0") + ROWS, "announces"),
        ("a\nSAXS BOX\n", "line 2"),
    ):
        with pytest.raises(ReadError, match=told):
            reads(text, tmp_path)


def test_damage_never_breaks_out(instruments: Path, tmp_path: Path) -> None:
    for name in GOLDEN:
        data = (instruments / FOLDER / name).read_bytes()
        cut(READER, data, tmp_path / "cut.pdh")
        damage(READER, data, tmp_path / "damaged.pdh", within=600)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "x.pdh").write_text("a\nb\n1 2 3\n4\n5\n6\n")
    assert READER.sniff(RawInput(tmp_path / "x.pdh")) == NO
