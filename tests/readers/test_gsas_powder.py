"""GSAS powder data: what a crystallographer would lose if the reader were wrong (files made by the manual)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.gsas_powder import READER
from zairyo.readers.invariants import check

TITLE = "LaB6 standard".ljust(80) + "\n# a comment\n"


def reads(text: str, folder: Path) -> Measurement:
    path = folder / "made.gsa"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


FXYE = TITLE + "BANK 1 3 3 CONST 1000.0 2.0 0 0 FXYE\n 1000.0 55.5 7.5\n 1002.0 60 7.7\n 1004.0 58.5 7.6\n"


def test_positions_in_hundredths_of_a_degree(tmp_path: Path) -> None:
    m = reads(FXYE, tmp_path)
    (entry,) = m
    assert m.title == "LaB6 standard"
    assert entry["two_theta"].values == pytest.approx([10, 10.02, 10.04])
    assert entry.signal.values.tolist() == [55.5, 60, 58.5]
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.tolist() == [7.5, 7.7, 7.6]
    assert any("X-rays or neutrons" in w for w in m.warnings)


def test_counts_in_fields_with_how_many_detectors(tmp_path: Path) -> None:
    fields = "".join(f"{n:2d}{v:6d}" for n, v in ((1, 100), (4, 400), (0, 900), *((1, 16),) * 9))
    body = fields[:80] + "\n" + fields[80:] + "\n"
    entry = reads(TITLE + "BANK 1 12 2 CONST 500 10.0 0 0 STD\n" + body, tmp_path)[0]
    assert entry["two_theta"].values[[0, 1, -1]] == pytest.approx([5, 5.1, 6.1])
    assert entry.signal.values[:4].tolist() == [100, 400, 900, 16]
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty[:4].tolist() == [10, 10, 30, 4]
    run_together = TITLE + "BANK 1 2 1 CONST 500 10.0 0 0\n" + " 1123456 1654321\n"
    assert reads(run_together, tmp_path)[0].signal.values.tolist() == [123456, 654321]


def test_intensities_with_errors_in_fields(tmp_path: Path) -> None:
    fields = "".join(f"{v:8.2f}" for i in range(6) for v in (10 * i + 1, 0.5))
    body = fields[:80] + "\n" + fields[80:] + "\n"
    entry = reads(TITLE + "BANK 1 6 2 CONS 500 10.0 0 0 ESD\n" + body, tmp_path)[0]
    assert entry.signal.values.tolist() == [1, 11, 21, 31, 41, 51]
    assert entry.signal.uncertainty is not None
    assert np.all(entry.signal.uncertainty == 0.5)


def test_time_of_flight_banks(tmp_path: Path) -> None:
    bank = "BANK {} 2 2 SLOG 1000 1010 0.0004 0 FXYE\n1000.5 5 1\n1001.5 6 1\n"
    m = reads(TITLE + bank.format(1) + bank.format(2), tmp_path)
    assert [e.name for e in m] == ["bank_1", "bank_2"]
    assert m[0].technique == "neutron_diffraction"
    assert (m[0]["time_of_flight"].unit, m[0]["time_of_flight"].values.tolist()) == ("us", [1000.5, 1001.5])
    alt = TITLE + "BANK 1 2 1 RALF 32000 32 64000 0.0004 ALT\n" + "   32000   55.5  1.5   32032   56.5  1.6\n"
    entry = reads(alt, tmp_path)[0]
    assert entry["time_of_flight"].values.tolist() == [1000, 1001]
    assert entry.signal.values.tolist() == [55.5, 56.5]


#: Three bins of 1 µs from 10 µs, two of 2 µs, of which the last is cut at 16.5 µs; clocks of 50 ns.
MAP = "TIME_MAP10     7    1 TIME_MAP  50 CONLOG\n       1     200      20       4     260      40     330\n"
MAPPED = "BANK  {}     5    1 TIME_MAP   {} STD 00000000\n     100     110 4  120     200     150\n"


def test_banks_of_a_time_map(tmp_path: Path) -> None:
    """Without the map, a bank's counts stand over nothing; bins of unequal width make steps that are no edges."""
    m = reads(TITLE + MAP + MAPPED.format(1, 1) + MAPPED.format(2, 2), tmp_path)
    assert [e.name for e in m] == ["bank_1", "bank_2"]
    for entry in m:
        assert entry.technique == "neutron_diffraction"
        assert entry["time_of_flight"].values == pytest.approx([10.5, 11.5, 12.5, 14, 15.75])
        assert entry["bin_width"].values == pytest.approx([1, 1, 1, 2, 1.5])
        assert entry.signal.values.tolist() == [100, 110, 120, 200, 150]
        assert entry.signal.uncertainty is not None
        assert entry.signal.uncertainty[2] == pytest.approx(30**0.5)
    assert any("not divided" in w for w in m.warnings)
    other = MAP.replace("TIME_MAP10", "TIME_MAP 2").replace(" 50 ", "100 ")
    both = reads(TITLE + MAP.replace("TIME_MAP10", "TIME_MAP 1") + MAPPED.format(1, 1) + other + MAPPED.format(2, 2),
                 tmp_path)  # fmt: skip
    assert [e["time_of_flight"].values[0] for e in both] == [10.5, 21]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MAPPED.format(1, 1), "are not read"),
        (MAP.replace(" 330", "    ") + MAPPED.format(1, 1), "7 numbers are announced and 6"),
        (MAP.replace("260", "220") + MAPPED.format(1, 1), "do not rise"),
        (MAP.replace("       4", "       1") + MAPPED.format(1, 1), "do not follow"),
        (MAP + MAPPED.format(1, 1).replace("     5", "     9"), "9 channels and its time map 5"),
    ],
)
def test_time_maps_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        reads(TITLE + text, tmp_path)


def test_mantids_banks_know_their_detectors(tmp_path: Path) -> None:
    comments = "# Total flight path 63.18m, tth {}deg, DIFC 22585.8\n# Data for spectrum :0\n"
    bank = "BANK {} 2 2 SLOG 1000 1010 0.0004 0 FXYE\n1000.5 5 1\n1001.5 6 1\n"
    head = TITLE + "# File generated by Mantid:\n# Instrument: POWGEN\n#\n"
    m = reads(head + comments.format(90) + bank.format(1) + comments.format(-60.5) + bank.format(2), tmp_path)
    assert m.instrument == "POWGEN"
    assert [str(e.conditions["two_theta"]) for e in m] == ["90 deg", "-60.5 deg"]
    assert "DIFC 22585.8" in m[1].original_metadata["comments"]
    assert "tth 90" not in m[1].original_metadata["comments"]


@pytest.mark.parametrize(
    ("title", "technique", "told"),
    [
        ("PbSO4 1.909A neutron data", "neutron_diffraction", False),
        ("PbSO4 Cu Ka X-ray data", "xrd", False),
        ("X-rays and neutrons", "xrd", True),
        ("LaB6", "xrd", True),
    ],
)
def test_what_was_diffracted_is_said_by_the_title(
    title: str, technique: str, told: bool, tmp_path: Path
) -> None:
    m = reads(FXYE.replace("LaB6 standard", title), tmp_path)
    assert (m[0].technique, any("X-rays or neutrons" in w for w in m.warnings)) == (technique, told)


def test_what_is_missing_is_refused(tmp_path: Path) -> None:
    for text, told in (
        (FXYE[:-20], "are announced"),
        (FXYE.replace("BANK 1 3 3", "BANK 1 999999999 3"), "announces"),
        (FXYE.replace("60 7.7", "sixty 7.7"), "'sixty'"),
        (FXYE.replace("CONST", "TIME_MAP").replace("FXYE", "STD"), "not read"),
    ):
        with pytest.raises(ReadError, match=told):
            reads(text, tmp_path)


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    cut(READER, FXYE.encode(), tmp_path / "cut.gsa", parts=60)
    damage(READER, FXYE.encode(), tmp_path / "damaged.gsa", turns=300, within=len(FXYE))


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "x.gsa").write_text("BANK of England\n")
    assert READER.sniff(RawInput(tmp_path / "x.gsa")) == NO
