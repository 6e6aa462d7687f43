"""TriVista .tvf: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.trivista_tvf import READER

FOLDER = "trivista"


def read(path: Path) -> Measurement:
    src = RawInput(path)
    assert READER.sniff(src) == CERTAIN
    return READER.read(src)


# --- real files; spectra and wavelengths are those of rosettasciio 0.15.0 -----------------------------------------


@pytest.mark.parametrize(
    ("name", "shape", "axis", "total", "largest", "ends", "exposure"),
    [
        ("linescan", (21, 97), "x", 929696, 1858, (910.3104248, 914.129028320313), 1.0),
        ("spec_1s_1acc_1frame_average", (1024,), None, 28479097, 65210, (794.220731, 835.667585594099), 1.0),
        (
            "spec_3s_1acc_2frames_average",
            (2, 1024),
            "time",
            89561207,
            65237,
            (933.84692695, 966.019543674424),
            3.0,
        ),
        (
            "spec_3s_2acc_1frame_no_average",
            (1024,),
            None,
            89980021,
            130772,
            (933.84692695, 966.019543674424),
            3.0,
        ),
    ],
)
def test_real_spectra(
    instruments: Path,
    name: str,
    shape: tuple[int, ...],
    axis: str | None,
    total: float,
    largest: float,
    ends: tuple[float, float],
    exposure: float,
) -> None:
    m = read(instruments / FOLDER / f"{name}.tvf")
    (e,) = m.entries
    assert e.signal.axes == ((axis, "wavelength") if axis else ("wavelength",))
    assert (e.signal.values.shape, e.signal.unit, e.technique) == (shape, "counts", "photoluminescence")
    assert (e.signal.values.sum(), e.signal.values.max()) == (total, largest)
    assert e["wavelength"].values[[0, -1]] == pytest.approx(ends)
    assert e.conditions["exposure_time"] == Quantity(exposure, "s")
    assert e.conditions["grating"] == Quantity("900 g/mm" if exposure == 3 else "750 g/mm")
    assert m.warnings == ()


def test_places_and_times(instruments: Path) -> None:
    line = read(instruments / FOLDER / "linescan.tvf")
    assert line[0]["x"].values[[0, 1, -1]] == pytest.approx([-0.01, -0.009, 0.01])
    assert line[0]["x"].unit is None
    assert str(line.started) == "2016-09-29 12:51:30.867000"
    assert line[0].original_metadata["Info"]["Experiment"]["Stage Mode"] == "LineScanX"
    series = read(instruments / FOLDER / "spec_3s_1acc_2frames_average.tvf")[0]
    assert series["time"].values == pytest.approx([0, 5.9983431])
    assert series.conditions["laser_wavelength"] == Quantity(790.0, "nm")
    assert series.conditions["detector_temperature"] == Quantity(-25.0, "degC")


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / FOLDER / "linescan.tvf").read_bytes()
    assert not broken_files.cut(READER, data, tmp_path / "a.tvf")
    broken_files.damage(READER, data, tmp_path / "a.tvf")


# --- what no real file here shows ----------------------------------------------------------------------------


def document(
    frames: list[str], unit: str = "Nanometer", points: int = 2, rows: int = 1, info: str = "", **more: str
) -> str:
    values = "|".join(str(500.5 + i) for i in range(points))
    body = "".join(f'<Frame xDim="{points}" yDim="{rows}" TimeStamp="0">{f}</Frame>' for f in frames)
    attributes = "".join(f' {k}="{v}"' for k, v in more.items())
    return (
        f'<Document DataLabel="Counts" InfoSerialized="{escape(info)}"{attributes}><xDim><Calibration Unit="{unit}" '
        f'ValueArray="{points}|{values}"/></xDim><Data>{body}</Data></Document>'
    )


def write(path: Path, *documents: str) -> Path:
    path.write_text(
        f'<!--TriVista-File.--><XmlMain Version="1"><Documents>{"".join(documents)}</Documents></XmlMain>',
        "utf-8",
    )
    return path


def stage(letter: str, first: float, step: float, points: int) -> str:
    items = {"From": first, "Step": step, "Points": points}
    inner = "".join(f"<Item><Name>{k}</Name><Value>{v}</Value></Item>" for k, v in items.items())
    return f"<Group><Name>{letter}-Axis</Name><Items>{inner}</Items></Group>"


def test_a_map_row_by_row(tmp_path: Path) -> None:
    info = f"<Info><Groups>{stage('X', 0, 2, 3)}{stage('Y', 10, 5, 2)}</Groups></Info>"
    path = write(tmp_path / "m.tvf", document([f"{i};{i + 0.5}" for i in range(6)], info=info))
    (e,) = read(path).entries
    assert e.signal.axes == ("y", "x", "wavelength")
    assert e.signal.values[1, 2].tolist() == [5, 5.5]
    assert (e["x"].values.tolist(), e["y"].values.tolist()) == ([0, 2, 4], [10, 15])


def test_raman_energies_images_and_unknown_units(tmp_path: Path) -> None:
    path = write(
        tmp_path / "d.tvf",
        document(["1,5;2"], "RelativeWavenumber"),
        document(["1;2"], "ElectronVolt"),
        document(["1;2;3;4"], rows=2),
        document(["1;2"], "Gizmo"),
    )
    m = read(path)
    assert [e.signal.axes[-1] for e in m.entries] == [
        "raman_shift",
        "photon_energy",
        "wavelength",
        "spectral_position",
    ]
    assert m[0].technique == "raman"
    assert m[0].signal.values.tolist() == [1.5, 2]
    assert m[2].signal.axes == ("detector_row", "wavelength")
    assert (m[3]["spectral_position"].unit, "Gizmo" in m.warnings[0]) == ("Gizmo", True)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    for made, words in (
        (document(["1;x"]), "no number"),
        (document(["1"]), "1 values"),
        (document([]), "no frame"),
        (document(["1;2"], Encoding="Base64"), "save them as ASCII"),
    ):
        with pytest.raises(ReadError, match=words):
            read(write(tmp_path / "w.tvf", made))


def test_other_xml_is_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<XmlMain/>")
    assert READER.sniff(RawInput(tmp_path / "a.xml")) == NO
