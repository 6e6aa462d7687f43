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
        (b"\\*Ciao image list", b"\\*Ciao force image list", "force curves"),
        (b"\\*Ciao image list", b"\\*Ciao else list", "no image"),
        (b"\\*File list end", b"\\*File", "end of its header"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, old: bytes, new: bytes, said: str) -> None:
    path = save(tmp_path, made({"label": "Height Sensor"}).replace(old, new))
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(path))


def test_sure_only_of_its_own(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(save(tmp_path, b"\\*File list\nsomething"))) == NO


def test_cut_off_and_damaged(tmp_path: Path) -> None:
    data = made({"label": "Height Sensor"}, {"label": "Height", "bpp": 2, "stored": 2})
    assert not cut(READER, data, tmp_path / "cut.spm")
    damage(READER, data, tmp_path / "broken.spm", within=3000)
