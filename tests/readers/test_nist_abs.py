"""NIST's reduced SANS text: what a person who measured there would lose if the reader were wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.nist_abs import READER

FOLDER = "nist-abs"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


# sasdata 0.11.0 gives the same.
GOLDEN = {
    "1umSlitSmearSphere.ABS": (150, (1e-4, 1e-2), 314712.027, 3147.12027),
    "AUSANS_run4_1_with_buffer.ABS": (114, (0.01943, 0.2272), 34.785866, 2.24804),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    points, ends, total, errors = GOLDEN[name]
    m = read(instruments / FOLDER / name)
    assert m.warnings == ()
    (entry,) = m
    assert (entry.technique, entry["q"].unit, entry.signal.unit) == ("sans", "1/angstrom", "1/cm")
    assert entry["q"].values.shape == (points,)
    assert entry["q"].values[[0, -1]].tolist() == list(ends)
    assert entry.signal.values.sum() == pytest.approx(total, rel=1e-12)
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.sum() == pytest.approx(errors, rel=1e-12)


def test_a_negative_resolution_is_a_slit(instruments: Path) -> None:
    slit = read(instruments / FOLDER / "1umSlitSmearSphere.ABS")[0]
    assert np.all(slit["slit_length"].values == 0.117)
    pinhole = read(instruments / FOLDER / "AUSANS_run4_1_with_buffer.ABS")[0]
    assert pinhole["q_resolution"].values[0] == 0.003741
    assert [s.name for s in pinhole.signals] == ["intensity", "q_resolution", "q_mean", "shadow_factor"]


def test_header(instruments: Path) -> None:
    m = read(instruments / FOLDER / "AUSANS_run4_1_with_buffer.ABS")
    assert m.sample == "60mg/ml blacD100/SPB 0.1M (009)"
    assert m.started == datetime(2005, 9, 20, 15, 13, 1)
    told = {name: (q.value, q.unit) for name, q in m[0].conditions.items()}
    assert told["wavelength"] == (3.5, "angstrom")
    assert told["sample_detector_distance"] == (4.8, "m")
    assert told["transmission"] == (0.894, "")
    assert told["sample_thickness"] == (0.1, "cm")
    assert m[0].original_metadata["DIV"] == "NormMat561,"


COUNTS = """FILE: FEB18012.SA4   CREATED: 14-FEB-2018 10:01:53
LABEL: Teflon
MON CNT   LAMBDA(A)   DET_OFF(cm)   DET_DIST(m)   TRANS   THICK(cm)    COUNT TIME
5.0808e+05  6       25     1     1     0.1     26
PIXELS(X)    PIXELS(Y)   PIXELSIZE X (mm)  PIXELSIZE Y (mm)
3    2    5.08    5.08

The detector image is a standard X-Y coordinate system
Data is written by row, starting with Y=1 and X=(1->128)
RAW SAM FILE FEB18012.SA4 TIMESTAMP: 14-FEB-2018 10:01:53

"""


def test_a_detectors_counts(tmp_path: Path) -> None:
    path = tmp_path / "FEB18012.ASC"
    path.write_text(COUNTS + "19\n12\n13\n8\n18\n7\n")
    m = read(path)
    assert [(a.name, a.unit, len(a.values)) for a in m[0].axes] == [("y", "pixel", 2), ("x", "pixel", 3)]
    assert (m[0].signal.unit, m[0].signal.values.tolist()) == ("counts", [[19, 12, 13], [8, 18, 7]])
    assert str(m[0].conditions["wavelength"]) == "6 angstrom"
    for rows, said in (("19\n12\n", "3 × 2 counts are announced, and 2"), ("1\n" * 7, "more than 3 × 2")):
        path.write_text(COUNTS + rows)
        with pytest.raises(ReadError, match=said):
            READER.read(RawInput(path))


# --- variants that the folder does not have -------------------------------------------------------------------

HEAD = """FILE: SILIC010.SA3_SRK_S110   CREATED: 22-JAN-2008 02:45:55
LABEL: Silica 2 pct in D2O
MON CNT   LAMBDA (A)  DET_OFF(cm)   DET_DIST(m)   TRANS   THICK(cm)
4.4712e+06  6       0     4     0.72452     0.2C
BCENT(X,Y)   A1(mm)   A2(mm)   A1A2DIST(m)   DL/L   BSTOP(mm)   DET_TYP
68.15  64.79  50    3    8.5505    0.142    50.8    ORNL
"""
PLANE = "Data columns are Qx - Qy - I(Qx,Qy) - err(I)\nASCII data created today\n\n"


def reads(text: str, folder: Path) -> Measurement:
    path = folder / "made.dat"
    path.write_text(text)
    return read(path)


def test_four_columns_and_the_collimation(tmp_path: Path) -> None:
    m = reads(HEAD + "The 4 columns are | Q (1/A) | I(Q) (1/cm) |\n.1 5 .5 .01\n.2 4 .4 .01\n\n", tmp_path)
    assert m[0].signal.values.tolist() == [5, 4]
    told = {name: (q.value, q.unit) for name, q in m[0].conditions.items()}
    assert told["beam_center_x"] == (68.15, "pixel")
    assert told["source_aperture"] == (50.0, "mm")
    assert told["wavelength_spread"] == (0.142, "")
    assert told["detector"] == ("ORNL", None)
    assert told["sample_thickness"] == (0.2, "cm")


def test_patterns_on_a_grid_on_pixels_and_scattered(tmp_path: Path) -> None:
    grid = [(x, y, x + 10 * y, 0.1) for x in (0.1, 0.2, 0.3) for y in (-0.1, 0.1)]
    m = reads(HEAD + PLANE + "\n".join(" ".join(map(str, row)) for row in grid), tmp_path)
    assert m[0].signal.axes == ("qy", "qx")
    assert m[0].signal.values[1] == pytest.approx([1.1, 1.2, 1.3])
    assert m[0].signal.uncertainty is not None
    curved = [(x + y / 100, y + x / 100, x, 0.1) for y in (-0.1, 0.1) for x in (0.1, 0.2)]
    m = reads(HEAD + PLANE + "\n".join(" ".join(map(str, row)) for row in curved), tmp_path)
    assert m[0].signal.axes == ("y", "x")
    assert m[0]["qx"].values.shape == (2, 2)
    m = reads(HEAD + PLANE + ".1 .1 5 .1\n.2 .3 6 .1\n.1 .2 7 .1\n", tmp_path)
    assert m[0].is_table
    assert m[0]["intensity"].values.tolist() == [5, 6, 7]
    assert any("table" in w for w in m.warnings)


def test_a_broken_line_is_told_or_refused(tmp_path: Path) -> None:
    rows = "".join(f"{i / 10} {i} .1 .01 .1 1\n" for i in range(1, 9))
    for broken in (rows + "0.9 9", rows + "0.9 9\n" + rows):
        with pytest.raises(ReadError, match=r"line 16 should have 6"):
            reads(HEAD + "The 6 columns are |\n" + broken, tmp_path)
    m = reads(HEAD + "The 6 columns are |\n" + rows + "remark\n", tmp_path)
    assert len(m[0].signal.values) == 8
    assert any("behind the numbers" in w for w in m.warnings)
    with pytest.raises(ReadError, match="no columns"):
        reads(HEAD.replace("68.15", "x").replace("4.4712e+06", "x"), tmp_path)


def test_damage_never_breaks_out(instruments: Path, tmp_path: Path) -> None:
    for name in GOLDEN:
        data = (instruments / FOLDER / name).read_bytes()
        cut(READER, data, tmp_path / "cut.ABS")
        damage(READER, data, tmp_path / "damaged.ABS", within=2500)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "x.dat").write_text("LABEL: x\n1 2 3\n")
    assert READER.sniff(RawInput(tmp_path / "x.dat")) == NO
