"""Princeton Instruments SPE: what a spectroscopist would lose if the reader were wrong.

No real file may be shipped or was at hand; the files here are made as the vendor's published format says.
"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, ReadError
from zairyo.readers.princeton_spe import READER


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def save(folder: Path, content: bytes) -> Path:
    path = folder / "made.spe"
    path.write_bytes(content)
    return path


# --- version 2 ------------------------------------------------------------------------------------------------


def spe2(
    frames: Any,
    kind: tuple[int, str] = (3, "<u2"),
    *,
    polynomial: tuple[float, ...] = (),
    unit: int = 3,
    region: tuple[int, ...] = (0,) * 6,
) -> bytes:
    frames = np.asarray(frames, kind[1])
    count, height, width = frames.shape
    head = bytearray(4100)

    def put(form: str, at: int, *values: Any) -> None:
        struct.pack_into("<" + form, head, at, *values)

    put("f", 10, 0.5)
    put("10s", 20, b"03Jun2004")
    put("f", 36, -70.0)
    put("H", 42, width)
    put("H", 108, kind[0])
    put("7s", 172, b"143059")
    put("80s", 200, "試料 A".encode("cp932"))
    put("f", 650, 1200.0)
    put("H", 656, height)
    put("i", 668, 20)
    put("i", 1446, count)
    put("6H", 1512, *region)
    put("f", 1992, 2.5)
    put("I", 2996, 0x01234567)
    if polynomial:
        put("bBBb", 3098, 1, unit, unit, len(polynomial) - 1)
        put(f"{len(polynomial)}d", 3263, *polynomial)
    put("H", 4098, 0x5555)
    return bytes(head) + frames.tobytes()


def test_calibrated_spectrum(tmp_path: Path) -> None:
    path = save(tmp_path, spe2([[[5, 6, 7]]], polynomial=(500.0, 0.5, 0.25)))
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    (entry,) = m
    assert entry.signal.axes == ("wavelength",)
    assert entry.signal.values.tolist() == [5, 6, 7]
    assert (entry.signal.unit, entry["wavelength"].unit) == ("counts", "nm")
    assert entry["wavelength"].values.tolist() == [500.75, 502.0, 503.75]  # pixels count from 1
    assert entry.started == datetime(2004, 6, 3, 14, 30, 59)
    told = {name: str(q) for name, q in entry.conditions.items()}
    assert (told["exposure_time"], told["repetitions"]) == ("0.5 s", "20")
    assert told["detector_temperature"] == "-70 degC"
    assert told["grating"] == "1200 grooves/mm"
    assert m.title == "試料 A"


def test_part_of_the_sensor_has_its_own_wavelengths(tmp_path: Path) -> None:
    """The calibration is of the sensor's pixels: a region of pixels 101 to 106, two and two together."""
    content = spe2([[[5, 6, 7]]], polynomial=(0.0, 1.0), region=(101, 106, 2, 1, 1, 1))
    (entry,) = read(save(tmp_path, content))
    assert entry["wavelength"].values.tolist() == [101.5, 103.5, 105.5]


@pytest.mark.parametrize("kind", [(0, "<f4"), (1, "<i4"), (2, "<i2"), (3, "<u2"), (8, "<u4")])
def test_frames_and_images_of_every_kind(tmp_path: Path, kind: tuple[int, str]) -> None:
    frames = np.arange(24).reshape(4, 3, 2)
    (entry,) = read(save(tmp_path, spe2(frames, kind)))
    assert entry.signal.axes == ("frame", "y", "x")
    assert entry.signal.values.tolist() == frames.tolist()
    assert entry["x"].unit == "pixel"
    (entry,) = read(save(tmp_path, spe2(frames[:, :1], kind, polynomial=(0.0, 1.0), unit=5)))
    assert entry.signal.axes == ("frame", "raman_shift")
    assert entry.technique == "raman"


def test_calibration_that_turns_back_is_not_used(tmp_path: Path) -> None:
    m = read(save(tmp_path, spe2([[[5, 6, 7]]], polynomial=(0.0, -4.0, 1.0))))
    assert m[0].axes[0].name == "x"
    assert "does not rise or fall" in m.warnings[0]


# --- version 3 ------------------------------------------------------------------------------------------------

REGION = (
    '<DataBlock type="Region" count="1" width="3" height="{h}" size="{s}" stride="{s}" calibrations="1,{c}"/>'
)


def spe3(
    frames: list[bytes], regions: str, size: int, *, meta: str = "", maps: str = "", stride: int = 0
) -> bytes:
    xml = f"""<SpeFormat version="3.0" xmlns="http://www.princetoninstruments.com/spe/2009">
    <DataFormat><DataBlock type="Frame" count="{len(frames)}" pixelFormat="MonochromeUnsigned16" size="{size}"
     stride="{stride or size}">{regions}</DataBlock></DataFormat>
    <MetaFormat><MetaBlock>{meta}</MetaBlock></MetaFormat><Calibrations>{maps}</Calibrations>
    <DataHistories><DataHistory><Origin software="LightField" softwareVersion="4.3"
     created="2014-06-16T12:32:28.7390001+02:00"><Experiment><Devices><Cameras><Camera model="PIXIS: 400B"
     serialNumber="SN7"><ShutterTiming><ExposureTime>250</ExposureTime></ShutterTiming><Sensor><Temperature>
     <Reading>-75</Reading></Temperature></Sensor></Camera></Cameras></Devices></Experiment></Origin></DataHistory>
    </DataHistories></SpeFormat>"""
    body = b"".join(frames)
    head = bytearray(4100)
    struct.pack_into("<H", head, 108, 3)
    struct.pack_into("<Q", head, 678, 4100 + len(body))
    struct.pack_into("<f", head, 1992, 3.0)
    return bytes(head) + body + xml.encode()


def words(*values: int) -> bytes:
    return np.asarray(values, "<u2").tobytes()


def test_lightfield_frames_with_times_and_wavelengths(tmp_path: Path) -> None:
    meta = '<TimeStamp event="ExposureStarted" type="Int64" bitDepth="64" resolution="1000000"/>'
    maps = "<WavelengthMapping><Wavelength>500,501,502.5</Wavelength></WavelengthMapping>"
    frames = [words(1, 2, 3) + struct.pack("<q", 0), words(4, 5, 6) + struct.pack("<q", 250000)]
    content = spe3(frames, REGION.format(h=1, s=6, c=2), 6, meta=meta, maps=maps, stride=14)
    path = save(tmp_path, content)
    assert READER.sniff(RawInput(path)) == LIKELY
    m = read(path)
    (entry,) = m
    assert entry.signal.axes == ("time", "wavelength")
    assert entry.signal.values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert entry["time"].values.tolist() == [0, 0.25]
    assert entry["wavelength"].values.tolist() == [500, 501, 502.5]
    assert entry.conditions["exposure_time"].value == 0.25
    assert entry.conditions["detector_temperature"].value == -75
    assert m.instrument == "Princeton Instruments PIXIS: 400B"
    zone = timezone(timedelta(hours=2))
    assert entry.started == datetime(2014, 6, 16, 12, 32, 28, 739000, zone)


def test_several_regions_of_the_sensor(tmp_path: Path) -> None:
    maps = '<SensorMapping id="2" x="0" y="10" xBinning="1" yBinning="1"/>'
    maps += '<SensorMapping id="3" x="2" y="50" xBinning="2" yBinning="5"/>'
    maps += "<WavelengthMapping><WavelengthError>1,0 2,0 3,0 4,0 5,0 6,0 7,0 8,0</WavelengthError></WavelengthMapping>"
    regions = REGION.format(h=2, s=12, c=2) + REGION.format(h=2, s=12, c=3)
    m = read(save(tmp_path, spe3([words(*range(12))], regions, 24, maps=maps)))
    first, second = m.entries
    assert first.signal.values.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert first["wavelength"].values.tolist() == [1, 2, 3]
    assert second.signal.values.tolist() == [[6, 7, 8], [9, 10, 11]]
    assert second["wavelength"].values.tolist() == [3.5, 5.5, 7.5]  # the middles of two pixels each
    assert second["y"].values.tolist() == [50, 55]


# --- damage ---------------------------------------------------------------------------------------------------

GOOD = spe3([words(1, 2, 3)], REGION.format(h=1, s=6, c=2), 6)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (spe2([[[5, 6, 7]]])[:-1], "cut off"),
        (spe2([[[5, 6, 7]]], (77, "<u2")), "of the kind 77"),
        (GOOD[:-60], "not complete XML"),
        (GOOD[:4104], "should be at byte 4106"),
        (GOOD.replace(b'width="3"', b'width="9"'), "does not fit into its frame"),
        (GOOD.replace(b'count="1" pixel', b'count="9" pixel'), "do not fit before"),
        (GOOD.replace(b"Unsigned16", b"Unsigned99"), "are not read"),
        (GOOD.replace(b'height="1"', b'height="x"'), "no whole number"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        read(save(tmp_path, content))


def test_other_spe_files_are_not_claimed(tmp_path: Path, instruments: Path) -> None:
    assert READER.sniff(RawInput(save(tmp_path, b"SOFH\r\n" + b"x" * 5000))) == NO
    for path in (instruments / "phi-spe").glob("*.spe"):
        assert READER.sniff(RawInput(path)) == NO


def test_damaged_files(tmp_path: Path) -> None:
    for content in (spe2(np.arange(600).reshape(2, 3, 100), polynomial=(500.0, 0.5)), GOOD):
        assert not broken_files.cut(READER, content, tmp_path / "cut.spe")
        broken_files.damage(READER, content, tmp_path / "broken.spe", turns=100)
