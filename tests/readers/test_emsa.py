"""EMSA/MAS spectra: what a microscopist would lose if the reader were wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage, replaced

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.emsa import READER
from zairyo.readers.invariants import check

FOLDER = "emsa-msa"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


# --- real files; intensities, and the axis of Y files, are those that rosettasciio 0.15.0 gives. Of XY files it takes
# the axis from the header's offset and step; here the positions are those that the file lists.

GOLDEN: dict[str, tuple[Any, ...]] = {
    # file: technique, axis, (first, last), points, sum, largest, unit, started
    "example1.msa": ("eels", "energy_loss", (520.13, 580.5), 21, 104070, 7809, "counts", "1991-10-01T12:00"),
    "example1_with_seconds.msa": (
        "eels", "energy_loss", (520.13, 580.5), 21, 104070, 7809, "counts", "1991-10-01T12:00",
    ),
    "example1_wrong_date_empty_field.msa": ("eels", "energy_loss", (520.13, 580.5), 21, 104070, 7809, "counts", ""),
    "example2.msa": ("eds", "energy", (200.0, 990.0), 80, 21060.105, 872.97, None, "1991-10-01T12:00"),
    "example2_NCOLUMNS5.msa": ("eds", "energy", (200.0, 990.0), 80, 21060.105, 872.97, None, "1991-10-01T12:00"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    technique, axis, ends, points, total, largest, unit, started = GOLDEN[name]
    path = instruments / FOLDER / name
    assert READER.sniff(RawInput(path)) == CERTAIN
    (entry,) = read(path).entries
    assert (entry.technique, entry.signal.axes, entry.signal.unit) == (technique, (axis,), unit)
    assert entry.signal.values.shape == (points,)
    assert entry[axis].values[[0, -1]] == pytest.approx(ends, rel=1e-12)
    assert entry[axis].unit == "eV"
    assert float(entry.signal.values.sum()) == pytest.approx(total)
    assert float(entry.signal.values.max()) == largest
    assert entry.started == (datetime.fromisoformat(started) if started else None)


def test_real_conditions(instruments: Path) -> None:
    c = read(instruments / FOLDER / "example2.msa")[0].conditions
    told = {
        n: (c[n].value, c[n].unit) for n in ("accelerating_voltage", "beam_current", "solid_angle", "stage_x")
    }
    assert told == {
        "accelerating_voltage": (120.0, "kV"),
        "beam_current": (12.345, "nA"),
        "solid_angle": (0.13, "steradian"),
        "stage_x": (123.0, None),
    }
    assert (c["dead_layer_thickness"].value, c["dead_layer_thickness"].unit) == (1e-6, "cm")  # "1.0 E-06"
    m = read(instruments / FOLDER / "example1_wrong_date_empty_field.msa")
    assert "magnification" not in m[0].conditions
    assert any("'01-09-1991'" in w for w in m.warnings)


def test_own_keywords_are_kept(instruments: Path) -> None:
    tree = read(instruments / FOLDER / "example2.msa").original_metadata
    assert (tree["##ALPHA-1"], tree["#TAUWIND  -cm"]) == ("3.1415926535", "2.0 E-06")


HEAD = """#FORMAT      : EMSA/MAS Spectral Data File
#VERSION     : 2.0
#TITLE       : {title}
#NPOINTS     : 4
#NCOLUMNS    : 1
#XUNITS      : {xunits}
#YUNITS      : counts
#DATATYPE    : {kind}
#XPERCHAN    : 0.5
#OFFSET      : -1
#SIGNALTYPE  : {signal}
{more}#SPECTRUM    : Spectral Data Starts Here
"""


def made(
    tmp_path: Path, body: str, encoding: str = "utf-8", end: str = "#ENDOFDATA   :\n", **parts: str
) -> Measurement:
    words = {"title": "t", "xunits": "keV", "kind": "Y", "signal": "EDS", "more": ""} | parts
    path = tmp_path / "made.msa"
    path.write_bytes((HEAD.format(**words) + body + end).encode(encoding))
    assert READER.sniff(RawInput(path)) == CERTAIN
    return read(path)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Y", "1.5\n2\n3\n4.\n"),
        ("Y", "1.5, 2., 3.,\n 4.0,\n"),
        ("Y", "1.5 2\t3 4\n"),
        ("Y", "1,5\n2,0\n3,0\n4,0\n"),
        ("Y", "1,5; 2,0;\n3,0; 4,0\n"),
        ("XY", "-1.0, 1.5\n-0.5, 2\n0, 3\n0.5, 4\n"),
        ("XY", "-1.0, 1.5, -0.5, 2\n0, 3, 0.5, 4\n"),
        ("XY", "-1,0 1,5\n-0,5 2,0\n0,0 3,0\n0,5 4,0\n"),
    ],
)
def test_numbers_in_every_arrangement(tmp_path: Path, kind: str, body: str) -> None:
    entry = made(tmp_path, body, kind=kind)[0]
    assert entry.signal.values.tolist() == [1.5, 2, 3, 4]
    assert entry["energy"].values.tolist() == [-1.0, -0.5, 0.0, 0.5]


@pytest.mark.parametrize("unit", ["KeV", "KEV", "kev"])
def test_kiloelectronvolts_however_written(tmp_path: Path, unit: str) -> None:
    entry = made(tmp_path, "1\n2\n3\n4\n", xunits=unit)[0]
    assert (entry.axes[0].name, entry.axes[0].unit) == ("energy", "keV")


def test_odd_tokens_cost_themselves(tmp_path: Path) -> None:
    body = "".join(f"{i}\n" for i in range(11)) + "****\n"
    more = "#BEAMKV   -kV: high\n#XTILTSTGE-dg: 5,5\nnonsense\n"
    m = made(tmp_path, body, xunits="zorks", more=more)
    assert np.isnan(m[0].signal.values).tolist() == [False] * 11 + [True]
    assert m[0]["x"].unit == "zorks"
    assert (m[0].conditions["tilt_alpha"].value, "accelerating_voltage" in m[0].conditions) == (5.5, False)
    for word in ("'****'", "'zorks'", "'high'", "nonsense", "announces 4"):
        assert any(word in w for w in m.warnings), word


def test_kinds_of_signals(tmp_path: Path) -> None:
    found = {}
    for signal, unit in (
        ("ELS", "eV"),
        ("WDS", "keV"),
        ("CLS", "nm"),
        ("AES", "eV"),
        ("XRF", "keV"),
        ("GAM", "keV"),
    ):
        entry = made(tmp_path, "1 2 3 4\n", signal=signal, xunits=unit)[0]
        found[signal] = (entry.technique, entry.signal.axes[0])
    assert found == {
        "ELS": ("eels", "energy_loss"),
        "WDS": ("wds", "energy"),
        "CLS": ("cathodoluminescence", "wavelength"),
        "AES": ("aes", "kinetic_energy"),
        "XRF": ("xrf", "energy"),
        "GAM": ("unspecified", "energy"),
    }


def test_camera_length_in_diffraction(tmp_path: Path) -> None:
    c = made(tmp_path, "1 2 3 4\n", signal="ELS", more="#OPERMODE    : DIFFR\n#MAGCAM      : 120.\n")[
        0
    ].conditions
    assert (c["camera_length"].value, c["camera_length"].unit, "magnification" in c) == (120.0, "mm", False)


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig", "utf-16"])
def test_titles_in_every_coding(tmp_path: Path, encoding: str) -> None:
    assert made(tmp_path, "1 2 3 4\n", encoding, title="酸化ニッケル").title == "酸化ニッケル"


def test_no_end_mark(tmp_path: Path) -> None:
    """Some programs leave it out: then the announced number decides whether the file is whole."""
    assert made(tmp_path, "1 2 3 4\n", end="").warnings == ()
    with pytest.raises(ReadError, match="announces 4 points, but has 3"):
        made(tmp_path, "1 2 3\n", end="")
    with pytest.raises(ReadError, match="no numbers"):
        made(tmp_path, "")
    with pytest.raises(ReadError, match="no pairs"):
        made(tmp_path, "1 2 3\n", kind="XY")


@pytest.mark.parametrize("name", GOLDEN)
def test_broken(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / FOLDER / name).read_bytes()
    read_all_the_same = cut(READER, data, tmp_path / "cut.msa")
    assert all(part == 19 for part in read_all_the_same)  # only the marks at the end are missing there
    damage(READER, data, tmp_path / "bad.msa")
    tokens = [
        (b"NPOINTS     : ", b"NPOINTS     : 9e99"),
        (b"XPERCHAN    : ", b"XPERCHAN    : 1e308"),
        (b"DATE        : 0", b"DATE        : 9"),
    ]
    replaced(READER, data, tmp_path / "bad.msa", tokens)


def test_others_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "a.msa").write_text("# FORMAT: something\n1 2\n")
    assert READER.sniff(RawInput(tmp_path / "a.msa")) == NO
