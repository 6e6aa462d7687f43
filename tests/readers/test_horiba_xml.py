"""LabSpec XML: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.horiba_xml import READER

FOLDER = "horiba-jy-xml"


def read(path: Path) -> Measurement:
    src = RawInput(path)
    assert READER.sniff(src) == CERTAIN
    return READER.read(src)


# --- real files; rosettasciio 0.15.0 gives the same numbers, turned so that the spectral axis rises ----------------


@pytest.mark.parametrize(
    ("name", "technique", "axes", "total", "ends", "unit"),
    [
        ("linescan", "photoluminescence", ("y", "wavelength"), 87729, (537.361, 522.574), "count/s"),
        (
            "map_x2-y2_rotated",
            "photoluminescence",
            ("y", "x", "wavelength"),
            2923,
            (771.797, 720.924),
            "count/s",
        ),
        ("spec_3s_abs-cm-1", "photoluminescence", ("wavenumber",), 3292.666, (12957.4, 13871.8), "count/s"),
        ("spec_3s_cm-1", "raman", ("raman_shift",), 3292.666, (2844.97, 1930.57), "count/s"),
        ("spec_3s_counts", "photoluminescence", ("wavelength",), 9878, (771.76, 720.888), "counts"),
        ("spec_3s_eV", "photoluminescence", ("photon_energy",), 3292.666, (1.60672, 1.7201), "count/s"),
    ],
)
def test_real_spectra(
    instruments: Path,
    name: str,
    technique: str,
    axes: tuple[str, ...],
    total: float,
    ends: tuple[float, float],
    unit: str,
) -> None:
    m = read(instruments / FOLDER / f"jobinyvon_test_{name}.xml")
    (e,) = m.entries
    assert (e.technique, e.signal.axes, e.signal.unit) == (technique, axes, unit)
    assert e.signal.values.sum() == pytest.approx(total)
    assert e[axes[-1]].values[[0, -1]].tolist() == list(ends)
    assert (m.sample, m.instrument, m.warnings) == ("test", "HORIBA LabRAM HR Evol", ())
    assert e.conditions["repetitions"].value in (1, 2, 3)


def test_map_and_settings(instruments: Path) -> None:
    m = read(instruments / FOLDER / "jobinyvon_test_map_x2-y2_rotated.xml")
    e = m[0]
    assert e.signal.values.shape == (2, 3, 34)
    assert e.signal.values[0, :, 0].tolist() == [28, 21.5, 43.5]
    assert (e["x"].values.tolist(), e["y"].values.tolist(), e["x"].unit) == ([-2, 0, 2], [-1, 1], "um")
    c = e.conditions
    assert c["laser_wavelength"] == Quantity(632.817, "nm")
    assert c["exposure_time"] == Quantity(2.0, "s")
    assert c["grating"] == Quantity("600 gr/mm")
    assert c["laser_transmission"] == Quantity(1.0, "percent")
    assert c["detector_temperature"] == Quantity(-129.42, "degC")
    assert e.original_metadata["File information"]["Project"] == "A"
    assert (m.title, str(m.started)) == ("map_x5-y3", "2022-08-19 09:53:40")


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / FOLDER / "jobinyvon_test_linescan.xml").read_bytes()
    assert not broken_files.cut(READER, data, tmp_path / "a.xml")
    broken_files.damage(READER, data, tmp_path / "a.xml")


# --- what no real file here shows ----------------------------------------------------------------------------


def tree(rows: list[str], unit: str = "1/cm", place: str = "", counts: str = "Cnt") -> str:
    lines = "".join(f"<LSX_Row>{r}</LSX_Row>" for r in rows)
    return (
        '<?xml version="1.0"?><LSX_Data><LSX_Tree><LSX ID="0x7A74D9D6"><LSX ID="0x7B697861">'
        f'<LSX ID="0x0"><LSX ID="0x7C696E75">{counts}</LSX></LSX>'
        f'<LSX ID="0x1"><LSX ID="0x7D6CD4DB">100 200 </LSX><LSX ID="0x7C696E75">{unit}</LSX></LSX>{place}'
        f"</LSX></LSX></LSX_Tree><LSX_Matrix>{lines}</LSX_Matrix></LSX_Data>"
    )


def test_depth_series(tmp_path: Path) -> None:
    place = (
        '<LSX ID="0x2"><LSX ID="0x7D6CD4DB">-5 0 5 </LSX><LSX ID="0x6D707974">Z</LSX>'
        '<LSX ID="0x7C696E75">µm</LSX></LSX>'
    )
    (tmp_path / "z.xml").write_text(tree(["1 2", "3,5 4", "5 6"], place=place), "utf-8")
    e = read(tmp_path / "z.xml")[0]
    assert e.signal.axes == ("z", "raman_shift")
    assert e.signal.values.tolist() == [[1, 2], [3.5, 4], [5, 6]]
    assert (e["z"].values.tolist(), e["z"].unit) == ([-5, 0, 5], "um")


def test_axes_that_do_not_fit_and_unknown_units_cost_only_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(tree(["1 2", "3 4"], unit="gizmo", counts="gizmo"), "utf-8")
    m = read(tmp_path / "a.xml")
    assert m[0].signal.axes == ("frame", "spectral_position")
    assert (m[0].signal.unit, m[0]["spectral_position"].unit) == ("gizmo", "gizmo")
    assert len(m.warnings) == 3


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    for made, words in (
        (tree(["1 x"]), "no number"),
        (tree(["1 2", "3"]), "spectrum 2"),
        (tree(["1 2 3"]), "2 positions for 3 points"),
        (tree([]), "no spectrum"),
        ("<LSX_Data></LSX_Data>", "lacks its tree"),
    ):
        (tmp_path / "w.xml").write_text(made, "utf-8")
        with pytest.raises(ReadError, match=words):
            read(tmp_path / "w.xml")


def test_other_xml_is_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<Data/>")
    assert READER.sniff(RawInput(tmp_path / "a.xml")) == NO
