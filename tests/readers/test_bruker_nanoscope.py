"""NanoScope images: what someone with a Dimension or a MultiMode would lose if scales were misread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.bruker_nanoscope import READER
from zairyo.readers.invariants import check

HEAD = r"""\*File list
\Version: 0x09300201
\Date: 03:40:34 PM Thu Mar 09 2017
\Start context: OL
\Data length: 4096
\*Equipment list
\Description: Dimension FastScan
\*Scanner list
\@Sens. Zsens: V 4.000000 nm/V
\*Ciao scan list
\Scan Size: 500 nm
\X Offset: 833.008 nm
\Scan Rate: 2.81701
\@MicroscopeList: S [SoftHarmoniX] "PeakForce QNM"
\@Sens. ZsensSens: V 50.00000 nm/V
\@Sens. AmplSens: V 20.00000 nm/V
\@Sens. Phase: V 1.000000
\@Sens. ModulusSens: V 2.000000 MPa/Arb
"""
IMAGE = r"""\*Ciao image list
\Data offset: {at}
\Data length: {size}
\Bytes/pixel: {bpp}
\Data type: {kind}
\Frame direction: Up
\Samps/line: {columns}
\Number of lines: {rows}
\Scan Size: 300 200 {unit}
\Line Direction: {way}
\@2:Image Data: S [{inner}] "{label}"
{scale}
"""
NUMBERS = np.array([[0, 100, -200], [5, 6, 7]])
SCALES = {
    "Height Sensor": r"\@2:Z scale: V [Sens. ZsensSens] (0.00000000572205 V/LSB) 24.57600 V",
    "Height": r"\@2:Z scale: V [Sens. Zsens] (0.001952197 V/LSB) 128.0000 V",
    "Amplitude Error": r"\@2:Z scale: V [Sens. AmplSens] (0.1220703 mV/LSB) 8000.000 mV",
    "Phase": r"\@2:Z scale: V [Sens. Phase] (0.005493164 º/LSB) 360.0000 º",
    "DMTModulus": r"\@2:Z scale: V [Sens. ModulusSens] (0.0000009536743 Arb/LSB) 4096.000 Arb",
    "Odd": r"\@2:Z scale: V [Sens. ModulusSens] (0.1 V/LSB) 2.000000 V",
    "Bare": "",
}


def made(*images: dict[str, Any], head: str = HEAD) -> bytes:
    """A file of images of ``NUMBERS``: label, and bytes told of and stored."""
    parts, data = [], b""
    for given in images:
        image = {"bpp": 4, "stored": 4, "way": "Trace", "kind": "AFM", "unit": "nm", "inner": "x"} | given
        raw = NUMBERS.astype(f"<i{image['stored']}").tobytes()
        parts.append(IMAGE.format(
            at=4096 + len(data), size=len(raw), rows=2, columns=3, scale=SCALES[image["label"]], **image
        ))  # fmt: skip
        data += raw
    text = "".join([head, *parts]) + "\\*File list end\n"
    return text.replace("\n", "\r\n").encode("latin-1").ljust(4096, b"\x1a") + data


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def save(folder: Path, data: bytes) -> Path:
    path = folder / "a.spm"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("image", "name", "unit", "factor"),
    [
        ({"label": "Height Sensor", "way": "Retrace"}, "height_measured_retrace", "nm", 24.576 * 50 / 2**32),
        # from version 9.2 on two bytes are told of where four are stored; the range is that of two
        ({"label": "Height", "bpp": 2}, "height", "nm", 128 * 4 / 2**16),
        ({"label": "Height", "bpp": 2, "stored": 2}, "height", "nm", 128 * 4 / 2**16),
        ({"label": "Amplitude Error", "bpp": 2, "stored": 2}, "error", "nm", 8 * 20 / 2**16),
        ({"label": "Phase", "bpp": 2, "stored": 2}, "phase", "deg", 360 / 2**16),
        ({"label": "DMTModulus"}, "modulus", "MPa", 4096 * 2 / 2**32),
    ],
)
def test_numbers_in_the_unit_of_their_sensitivity(
    tmp_path: Path, image: dict[str, Any], name: str, unit: str, factor: float
) -> None:
    m = read(save(tmp_path, made(image)))
    (signal,) = m[0].signals
    assert (signal.name, signal.unit) == (name, unit)
    np.testing.assert_allclose(signal.values, NUMBERS * factor, rtol=1e-9)
    assert not m.warnings


def test_where_how_and_when(tmp_path: Path) -> None:
    m = registry.read(
        save(tmp_path, made({"label": "Height Sensor"}, {"label": "Phase", "bpp": 2, "stored": 2}))
    )
    (entry,) = m
    assert (entry.technique, entry.default) == ("afm", "height_measured")
    assert entry["x"].values == pytest.approx([50, 150, 250])
    assert entry["y"].values == pytest.approx([50, 150])  # the first row is the lowest
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["scan_size_x"] == (300, "nm")
    assert told["scan_size_y"] == (200, "nm")
    assert told["position_x"] == (833.008, "nm")
    assert told["scan_rate"] == (2.81701, "Hz")
    assert told["imaging_mode"] == ("PeakForce QNM", None)
    assert str(entry.started) == "2017-03-09 15:40:34"
    assert m.instrument == "Bruker Dimension FastScan"


def test_micrometres_and_currents_of_old_files(tmp_path: Path) -> None:
    m = read(save(tmp_path, made({"label": "Height", "bpp": 2, "stored": 2, "unit": "~m", "kind": "STM"})))
    assert (m[0].technique, m[0]["x"].unit) == ("stm", "um")


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    m = read(save(tmp_path, made({"label": "Odd"}, {"label": "Bare"})))
    assert (m[0]["odd"].unit, m[0]["bare"].unit) == ("V", None)
    np.testing.assert_allclose(m[0]["odd"].values, NUMBERS * 2 / 2**32)
    assert m[0]["bare"].values.tolist() == NUMBERS.tolist()
    assert len(m.warnings) == 2


def test_images_of_several_sizes_are_entries_of_their_own(tmp_path: Path) -> None:
    data = made({"label": "Height Sensor"}, {"label": "Phase"})
    first, _, second = data.partition(b"Number of lines: 2")
    data = (
        first
        + b"Number of lines: 2"
        + second.replace(b"Number of lines: 2", b"Number of lines: 1").replace(
            b"Data length: 24", b"Data length: 12"
        )
    )
    m = read(save(tmp_path, data))
    assert [e.signal.values.shape for e in m] == [(2, 3), (1, 3)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"Samps/line: 3", b"Samps/line: 9", "bytes for"),
        (b"Samps/line: 3", b"Samps/line: x", "how many pixels"),
        (b"\\*Ciao image list", b"\\*AFM image list", "before NanoScope 4.3"),
        (b"\\*Ciao image list", b"\\*Ciao else list", "no image"),
        (b"\\*File list end", b"\\*File", "end of its header"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, old: bytes, new: bytes, said: str) -> None:
    path = save(tmp_path, made({"label": "Height Sensor"}).replace(old, new))
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(path))


CURVE = r"""\*Ciao force image list
\Data offset: {at}
\Data length: {size}
\Bytes/pixel: 2
\Samps/line: 4 4
\Spring Constant: 0.5
\@4:Image Data: S [{inner}] "{label}"
\@4:Z scale: V [{sens}] (0.0003750000 V/LSB) 2.500000 V
\@4:Ramp size: V [Sens. Zsens] (0.006713765 V/LSB) 25.00000 V
"""
FORCE_HEAD = (
    HEAD.replace("*File list", "*Force file list")
    + r"""\@Sens. DeflSens: V 40.00000 nm/V
\*Ciao force list
\Scan rate: 1.5
\Samps/line: 4 4
\@4:Ramp channel: S [Zsweep] "Z"
"""
)
#: As stored: the approach from its contact on, of which a trigger spared the last point; then the retraction.
DEFLECTION = [90, 30, 0, -32768, 80, 20, -40, 0]
SENSOR = [400, 300, 200, -32768, 400, 300, 200, 100]


def force_curve(width: int = 2, head: str = FORCE_HEAD, held: int = 0) -> bytes:
    text, data = head, b""
    channels = (("DeflectionError", "Deflection Error", "Sens. DeflSens", DEFLECTION),
                ("ZSensor", "Height Sensor", "Sens. ZsensSens", SENSOR))  # fmt: skip
    for inner, label, sens, numbers in channels:
        raw = np.array([*numbers, *[95] * held], f"<i{width}").tobytes()
        text += CURVE.format(at=4096 + len(data), size=len(raw), inner=inner, label=label, sens=sens)
        data += raw
    text += "\\*File list end\n"
    return text.replace("\n", "\r\n").encode("latin-1").ljust(4096, b"\x1a") + data


@pytest.mark.parametrize("width", [2, 4])
def test_a_force_curve(tmp_path: Path, width: int) -> None:
    """Taken the wrong way round, an approach would adhere and a retraction would not."""
    m = read(save(tmp_path, force_curve(width)))
    (entry,) = m
    assert (entry.technique, entry.x, entry.default) == ("afm_force", "height_measured", "force")
    assert entry["segment"].values.tolist() == ["approach"] * 3 + ["retract"] * 4
    deflection = np.array([0, 30, 90, 80, 20, -40, 0]) * 0.000375 * 40
    np.testing.assert_allclose(entry["deflection"].values, deflection, rtol=1e-12)
    np.testing.assert_allclose(entry["force"].values, deflection * 0.5, rtol=1e-12)
    assert (entry["force"].unit, entry["deflection"].unit) == ("nN", "nm")
    height = np.array([200, 300, 400, 400, 300, 200, 100]) * 0.000375 * 50
    np.testing.assert_allclose(entry["height_measured"].values, height, rtol=1e-12)
    np.testing.assert_allclose(entry["piezo"].values, np.array([1, 2, 3, 4, 3, 2, 1]) * 25)
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["spring_constant"] == (0.5, "N/m")
    assert told["deflection_sensitivity"] == (pytest.approx(40), "nm/V")
    assert told["curve_length"] == (100, "nm")
    assert told["scan_rate"] == (1.5, "Hz")
    assert m.warnings == ("1 points before the approach were not measured and are left out.",)


def test_a_force_curve_that_was_held(tmp_path: Path) -> None:
    (entry,) = read(
        save(
            tmp_path,
            force_curve(2, FORCE_HEAD.replace("\\Scan rate", "\\Hold Samples: 2\n\\Scan rate"), held=2),
        )
    )
    assert entry["segment"].values.tolist() == ["approach"] * 3 + ["pause"] * 2 + ["retract"] * 4
    np.testing.assert_allclose(entry["deflection"].values[2:6], np.array([90, 95, 95, 80]) * 0.015)


def test_a_force_curve_without_calibration(tmp_path: Path) -> None:
    (entry,) = read(save(tmp_path, force_curve().replace(b"@Sens. DeflSens: V 40", b"@Sens. OtherSens: V 4")))
    assert entry.default == "deflection_voltage"
    assert entry["deflection_voltage"].unit == "V"
    assert "force" not in {s.name for s in entry.signals}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"Samps/line: 4 4", b"Samps/line: 4 9", "4 and 9 points"),
        (b"Samps/line: 4 4", b"Samps/line: x", "how many points"),
        (b"Data length: 16", b"Data length: 99", "force volume"),
        (b'"Z"', b'"DC Sample Bias"', "no.* a force curve"),
    ],
)
def test_ramps_that_are_not_understood_are_refused(tmp_path: Path, old: bytes, new: bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(save(tmp_path, force_curve().replace(old, new))))


def test_of_a_force_volume_it_is_said_that_its_curves_are_missing(tmp_path: Path) -> None:
    data = made({"label": "Height Sensor"}).replace(
        b"\\*File list end", b"\\*Ciao force image list\r\n\\*File list end"
    )
    m = read(save(tmp_path, data[:4096] + NUMBERS.astype("<i4").tobytes()))
    assert (m[0].technique, "force volume" in m.warnings[0]) == ("afm", True)


def test_a_damaged_force_curve(tmp_path: Path) -> None:
    data = force_curve(4)
    assert not cut(READER, data, tmp_path / "cut.spm")
    damage(READER, data, tmp_path / "broken.spm", within=3000)


def test_sure_only_of_its_own(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(save(tmp_path, b"\\*File list\nsomething"))) == NO


def test_cut_off_and_damaged(tmp_path: Path) -> None:
    data = made({"label": "Height Sensor"}, {"label": "Height", "bpp": 2, "stored": 2})
    assert not cut(READER, data, tmp_path / "cut.spm")
    damage(READER, data, tmp_path / "broken.spm", within=3000)
