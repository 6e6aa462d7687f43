"""Microscopes' TIFFs: what a microscopist would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from tests.readers import broken_files

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, LIKELY, NO, POSSIBLE, RawInput, ReadError
from zairyo.readers.sem_tiff import READER

FOLDER = "sem-tiff"
IMAGE = np.arange(12, dtype="u1").reshape(3, 4)


def read(*paths: Path) -> Measurement:
    return READER.read(RawInput(paths[0], paths if len(paths) > 1 else ()))


# --- real files; pixels and their size are those of rosettasciio 0.15.0 -----------------------------------------


def test_helios_images(instruments: Path) -> None:
    src = RawInput(instruments / FOLDER / "tiff_FEI_Helios.zip")
    assert READER.sniff(src) == POSSIBLE
    m = READER.read(src)
    sums = [(e.signal.values.shape, int(e.signal.values.sum())) for e in m.entries]
    assert sums == [((471, 512), 189324800), ((471, 512), 739550), *[((551, 768), 0)] * 3]
    e = m[0]
    assert e["x"].values[1] == pytest.approx(3.3724)
    assert e["y"].unit == "um"
    c = e.conditions
    assert c["accelerating_voltage"] == Quantity(5.0, "kV")
    assert c["working_distance"].value == pytest.approx(4.03466)
    assert c["beam_current"].value == pytest.approx(0.00625)
    assert c["dwell_time"].value == pytest.approx(10)
    assert c["magnification"].value == pytest.approx(120, rel=1e-3)
    assert c["detector"] == Quantity("ETD")
    assert c["stage_rotation"].value == pytest.approx(-135.281, rel=1e-5)
    assert str(e.started) == "2016-06-13 17:06:40"
    assert e.original_metadata["FEI (Thermo Fisher)"]["EBeam"]["HFW"] == "0.00172667"
    assert e.original_metadata["FEI (Thermo Fisher)"]["User"]["UserTextUnicode"].startswith("480065")
    assert (m.operator, m.instrument) == ("supervisor", 'FEI (Thermo Fisher) Helios NanoLab" 660')
    camera = m["fei_helios_navcam"]
    assert camera.technique == "optical_microscopy"
    assert "accelerating_voltage" not in camera.conditions
    assert camera["x"].values[1] == pytest.approx(0.202732e3 / 768)  # rosettasciio has x and y exchanged here
    assert camera["y"].values[1] == pytest.approx(0.135155e3 / 512)
    assert m["fei_helios_navcam_with_no_irbeam"]["x"].unit == "pixel"


def test_axiovision_images(instruments: Path) -> None:
    grey = read(instruments / FOLDER / "optical_Zeiss_AxioVision_BW.tif")
    assert (grey[0].technique, grey[0].signal.values.sum()) == ("optical_microscopy", 2574)
    assert (grey.instrument, str(grey.started)) == ("Zeiss AxioCamERc5s", "2016-06-13 16:08:49")
    colour = read(instruments / FOLDER / "optical_Zeiss_AxioVision_RGB.tif")[0]
    assert colour.signal.axes == ("y", "x", "colour")
    assert colour["colour"].values.tolist() == ["red", "green", "blue"]


def test_damaged_files(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / FOLDER / "optical_Zeiss_AxioVision_BW.tif").read_bytes()
    broken_files.cut(READER, data, tmp_path / "a.tif")
    broken_files.damage(READER, data, tmp_path / "a.tif")


# --- what no real file here shows ----------------------------------------------------------------------------


def write(path: Path, image: np.ndarray = IMAGE, *tags: tuple[int, bytes], **more: Any) -> Path:
    extra = [(code, 1 if code == 50431 else 2, len(text), text, True) for code, text in tags]
    tifffile.imwrite(path, image, extratags=extra, metadata=None, **more)
    return path


ZEISS = """0\r\n0\r\n0\r\n1e-08\r\n
AP_WD\r\nWD =  8.4 mm\r\nAP_ACTUALKV\r\nEHT = 15.00 kV\r\nAP_MAG\r\nMag =   1.50 K X\r\nAP_IPROBE\r\nI Probe = 100 pA\r
DP_DETECTOR_CHANNEL\r\nSignal A = InLens\r\nAP_SYSTEM_VAC\r\nSystem Vacuum = 2.20e-006 mbar\r\nSV_USER_NAME\r
User Name = ANNA\r\nSV_SAMPLE_ID\r\nSample ID = S7\r\nAP_DATE\r\nDate :12 Feb 2016\r\nAP_TIME\r\nTime :14:02:55\r
AP_FRAME_TIME\r\nCycle Time = 40.2 Secs\r\nAP_STAGE_AT_T\r\nStage at T =   5.0 °\r\n"""


def test_zeiss(tmp_path: Path) -> None:
    sized = ZEISS + "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 12.5 nm\r\n"
    path = write(tmp_path / "z.tif", IMAGE, (34118, sized.encode("cp1252")))
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    e = m[0]
    assert (e.technique, e["x"].unit) == ("sem", "nm")
    assert e["x"].values == pytest.approx([0, 12.5, 25, 37.5])
    np.testing.assert_array_equal(e.signal.values, IMAGE)
    c = e.conditions
    assert c["magnification"] == Quantity(1500.0, "")
    assert c["accelerating_voltage"] == Quantity(15.0, "kV")
    assert c["working_distance"] == Quantity(8.4, "mm")
    assert c["beam_current"] == Quantity(100.0, "pA")
    assert c["frame_time"] == Quantity(40.2, "s")
    assert c["tilt_alpha"] == Quantity(5.0, "deg")
    assert c["detector"] == Quantity("InLens")
    assert c["chamber_pressure"].value == pytest.approx(2.2e-6)
    assert (m.operator, m.sample, str(m.started)) == ("ANNA", "S7", "2016-02-12 14:02:55")
    assert e.original_metadata["Zeiss"]["AP_WD"] == "WD =  8.4 mm"


def test_zeiss_of_old_software_says_the_size_by_a_number(tmp_path: Path) -> None:
    e = read(write(tmp_path / "z.tif", np.zeros((2, 512), "u1"), (34118, ZEISS.encode("cp1252"))))[0]
    assert e["x"].values[1] == pytest.approx(20)


TESCAN = (
    b"[MAIN]\r\nDate=2015-10-01\r\nTime=12:30:00\r\nDevice=MIRA3\r\nMagnification=5000\r\nPixelSizeX=2e-08\r\n"
    b"PixelSizeY=2.5e-08\r\nUserName=bob\r\n[SEM]\r\nHV=10000\r\nWD=0.0056\r\nDetector=SE\r\nStageTilt=3\r\n"
)


def test_tescan_in_the_tag_and_beside_the_image(tmp_path: Path) -> None:
    inside = write(tmp_path / "t.tif", IMAGE, (50431, b"\1\2\3binary\0" + TESCAN))
    beside = write(tmp_path / "u.tif")
    (tmp_path / "u-tif.hdr").write_bytes(TESCAN)
    assert list(READER.sets(("t.tif", "u-tif.hdr", "u.tif"))) == [("u.tif", "u-tif.hdr")]  # type: ignore[misc]
    assert READER.sniff(RawInput(beside, (beside, tmp_path / "u-tif.hdr"))) == LIKELY
    for m in (read(inside), read(beside, tmp_path / "u-tif.hdr")):
        e = m[0]
        assert (e["x"].values[1], e["y"].values[1]) == (pytest.approx(20), pytest.approx(25))
        assert e.conditions["accelerating_voltage"] == Quantity(10.0, "kV")
        assert e.conditions["working_distance"].value == pytest.approx(5.6)
        assert e.conditions["tilt_alpha"] == Quantity(3.0, "deg")
        assert (m.instrument, m.operator, str(m.started)) == ("TESCAN MIRA3", "bob", "2015-10-01 12:30:00")


def test_hitachi_with_its_text(tmp_path: Path) -> None:
    image = write(tmp_path / "h01.tif")
    (tmp_path / "h01.txt").write_text(
        "[SemImageFile]\r\nInstructName=SU8230\r\nSampleName=試料1\r\nDate=01/31/2019\r\nTime=10:11:12\r\n"
        "PixelSize=9.921875\r\nMagnification=10000\r\nAcceleratingVoltage=5000 Volt\r\nWorkingDistance=8400 um\r\n"
        "EmissionCurrent=10100 nA\r\nSignalName=SE(U)\r\n",
        "cp932",
    )
    m = read(image, tmp_path / "h01.txt")
    e = m[0]
    assert e["y"].values[1] == pytest.approx(9.921875)
    assert e.conditions["accelerating_voltage"] == Quantity(5000.0, "V")
    assert e.conditions["working_distance"] == Quantity(8400.0, "um")
    assert e.conditions["detector"] == Quantity("SE(U)")
    assert (m.sample, m.instrument, str(m.started)) == ("試料1", "Hitachi SU8230", "2019-01-31 10:11:12")


def test_jeol_sem_with_its_text(tmp_path: Path) -> None:
    image = write(tmp_path / "j.tif")
    (tmp_path / "j.txt").write_text(
        "$CM_FORMAT TIF\n$CM_TITLE grains\n$CM_DATE 2020/02/03\n$CM_TIME 09:08:07\n$CM_INSTRUMENT JSM-7800F\n"
        "$CM_ACCEL_VOLT 15.0\n$CM_MAG 5000\n$CM_SIGNAL SEI\n$$SM_WD 10.1\n$$SM_MICRON_BAR 125\n$$SM_MICRON_MARKER 5um\n"
        "$CM_STAGE_POS 1.5 -2 10 0 30 0\n"
    )
    m = read(image, tmp_path / "j.txt")
    e = m[0]
    assert e["x"].values[1] == pytest.approx(40)
    assert e.conditions["working_distance"] == Quantity(10.1, "mm")
    assert e.conditions["tilt_alpha"] == Quantity(30.0, "deg")
    assert (m.title, m.instrument, str(m.started)) == ("grains", "JEOL JSM-7800F", "2020-02-03 09:08:07")


def test_any_text_beside_an_image_is_not_its_description(tmp_path: Path) -> None:
    image = write(tmp_path / "s.tif")
    (tmp_path / "s.txt").write_text("1000\t5\n1001\t6\n")
    assert READER.sniff(RawInput(image, (image, tmp_path / "s.txt"))) == NO


def test_jeol_tem_calibrates_by_the_screen(tmp_path: Path) -> None:
    def made(mode: str, value: str, unit: str) -> Any:
        xml = (
            "<TemReporter><Eos><EosMode>eosTEM</EosMode></Eos><ElectronGun><AccelerationVoltage>200000"
            f"</AccelerationVoltage></ElectronGun><ImageFormingSystem><ModeString>{mode}</ModeString>"
            f"<SelectorValue>{value}</SelectorValue><SelectorUnitString>{unit}</SelectorUnitString>"
            "</ImageFormingSystem></TemReporter>"
        )
        path = write(
            tmp_path / f"{mode}.tif",
            IMAGE,
            (271, b"JEOL Ltd.\0"),
            description=xml,
            resolution=(100, 100),
            resolutionunit="CENTIMETER",
        )
        assert READER.sniff(RawInput(path)) == CERTAIN
        return read(path)[0]

    image = made("MAG", "50000", "X")
    assert (image.technique, image["x"].unit) == ("tem", "nm")
    assert image["x"].values[1] == pytest.approx(2)  # 0.1 mm on the screen, magnified 50 000 times
    pattern = made("DIFF", "500", "mm")
    assert pattern.technique == "electron_diffraction"
    assert pattern["k_x"].values[1] == pytest.approx(1e-4 / 0.5 / 2.50793e-12 * 1e-9, rel=1e-5)  # λ at 200 kV
    assert pattern.conditions["camera_length"] == Quantity(500.0, "mm")


def test_fei_ion_beam(tmp_path: Path) -> None:
    text = b"[Beam]\r\nBeam=IBeam\r\nHV=30000\r\n[Scan]\r\nPixelWidth=1e-9\r\nPixelHeight=1e-9\r\n"
    e = read(write(tmp_path / "f.tif", IMAGE, (34682, text)))[0]
    assert (e.technique, e.conditions["ion_beam_voltage"]) == ("fib", Quantity(30.0, "kV"))
    assert e["x"].values[1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("unit", "factor", "axis"),
    [("micron", 0.5, ("x", "um")), (r"\u00B5m", 0.5, ("x", "um")), ("nm", 0.5, ("x", "nm")),
     ("1/nm", 0.5, ("k_x", "1/nm")), ("pixel", 1.0, ("x", "pixel"))],
)  # fmt: skip
def test_imagej_keeps_the_scale(tmp_path: Path, unit: str, factor: float, axis: tuple[str, str]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, IMAGE, description=f"ImageJ=1.51a\nunit={unit}\n", resolution=(2, 4), resolutionunit=1, metadata=None
    )  # fmt: skip
    (entry,) = read(path)
    assert (entry.axes[1].name, entry.axes[1].unit) == axis
    assert entry.axes[1].values[1] == pytest.approx(factor)
    assert entry.axes[0].values[1] == pytest.approx(factor / 2 if factor < 1 else 1)


def test_digitalmicrograph_keeps_the_scale(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tags = [
        (65003, 2, 3, "µm\0".encode("latin-1"), True),
        (65009, 12, 1, 0.25, True),
        (65010, 12, 1, 0.75, True),
    ]
    tifffile.imwrite(path, IMAGE, extratags=tags, metadata=None)
    (entry,) = read(path)
    assert (entry["x"].unit, entry["x"].values[1], entry["y"].values[1]) == (
        "um", pytest.approx(0.25), pytest.approx(0.75),
    )  # fmt: skip


def test_packed_and_stacked_images(tmp_path: Path) -> None:
    packed = write(tmp_path / "p.tif", np.tile(IMAGE, (9, 9)), compression="zlib", predictor=True)
    np.testing.assert_array_equal(read(packed)[0].signal.values, np.tile(IMAGE, (9, 9)))
    with tifffile.TiffWriter(tmp_path / "s.tif") as f:
        for i in range(3):
            f.write(IMAGE + i, metadata=None)
    e = read(tmp_path / "s.tif")[0]
    assert (e.technique, e.signal.axes) == ("unspecified", ("frame", "y", "x"))
    assert e.signal.values[:, 0, 0].tolist() == [0, 1, 2]


def test_what_cannot_be_unpacked_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "j.tif")
    data = bytearray(path.read_bytes())
    at = data.index(b"\x03\x01\x03\x00\x01\x00\x00\x00\x01\x00")  # Compression: none
    data[at + 8 : at + 10] = (34712).to_bytes(2, "little")  # JPEG 2000
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"JPEG2000.*uncompressed"):
        read(path)


def test_an_image_larger_than_memory_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "b.tif")
    data = bytearray(path.read_bytes())
    for code in (256, 257):  # width, length: from a short or long number to a long one
        tag, one = code.to_bytes(2, "little"), (1).to_bytes(4, "little")
        at = max(data.find(tag + kind + one) for kind in (b"\3\0", b"\4\0"))
        data[at + 2 : at + 12] = b"\4\0" + one + (200_000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ReadError, match="which is not read"):
        read(path)


def test_image_and_foreign_text_stay_two_inputs(tmp_path: Path) -> None:
    """Another instrument's spectrum.txt beside spectrum.tif would be lost if names alone made a set."""
    from zairyo.readers.registry import Registry, inputs

    write(tmp_path / "s.tif")
    (tmp_path / "s.txt").write_text("1000\t5\n1001\t6\n")
    write(tmp_path / "t.tif")
    (tmp_path / "t.hdr").write_bytes(TESCAN)
    found = {raw.path.name: raw.members for raw in inputs([tmp_path], Registry({READER.name: READER}))}
    assert found == {"s.tif": (), "s.txt": (), "t.tif": ("t.hdr", "t.tif")}
