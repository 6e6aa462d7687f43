"""Thermo Avantage: a user would see kinetic energies as binding energies, or a map's pixels in another place.

The text is written as public code shows it; the two streams of axes are as an instrument wrote them.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage
from tests.readers.ole_files import compound_file

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import registry, thermo_avg, thermo_vgd
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.invariants import check

HEAD = """;Dump of DataSpace 'F:\\x\\C1s Scan.VGD'
$FORMAT=4
$PROPERTIES=SUM
DS_EXT_SUPROPID_TITLE       : VT_BSTR = 'C1s Scan'
DS_EXT_SUPROPID_CREATED     : VT_DATE = 24/8/2026   19:10:01
$PROPERTIES=STD
DS_GEPROPID_INSTRUMENT      : Instrument : VT_BSTR = 'K-Alpha+'
DS_GEPROPID_VALUE_LABEL     : VT_BSTR = 'Counts'
DS_GEPROPID_VALUE_UNIT      : VT_BSTR = ''
DS_SOPROPID_ENERGY          : VT_R4   = 1486.680054
DS_ACPROPID_ACQ_TIME        : VT_R4   = 0.050000
DS_ACPROPID_PERIODS         : VT_I4   = 7
DS_ANPROPID_PASS            : VT_R4   = 20.000000
"""
ENERGY = "    0= 1188.000000, 0.500000, 4, ENERGY, LINEAR, 'E', 'eV', 'Energy'\n"
SCAN = (
    HEAD
    + "$DATAAXES=1,#empty#\n    0=  0, 3, 1\n$SPACEAXES=1\n"
    + ENERGY
    + "$DATA=*\nLIST@   0= 1.0, 2.0, 3.0, 4.0\n;\n"
)


def text_of(axes: str, data_axes: str, blocks: list[tuple[str, str, list[float]]]) -> str:
    made = (
        HEAD
        + f"$DATAAXES={data_axes.count('=')},#empty#\n{data_axes}$SPACEAXES={1 + axes.count('=')}\n{ENERGY}{axes}"
    )
    for place, labels, values in blocks:
        made += labels + f"$DATA=*{place}\n"
        for k in range(0, len(values), 2):
            made += f"LIST@ {k:3d}= " + ", ".join(f"{v:.6f}" for v in values[k : k + 2]) + "\n"
    return made


def reads(text: str, folder: Path) -> Measurement:
    path = folder / "a.avg"
    path.write_bytes(text.replace("\n", "\r\n").encode("latin-1"))
    src = RawInput(path)
    assert thermo_avg.READER.sniff(src) == CERTAIN
    assert registry.find(src) is thermo_avg.READER
    return check(thermo_avg.READER.read(src), thermo_avg.READER)


def test_a_scan_over_the_binding_energy(tmp_path: Path) -> None:
    m = reads(SCAN, tmp_path)
    (e,) = m
    assert (e.technique, e.name, m.instrument) == ("xps", "c1s_scan", "K-Alpha+")
    assert m.started == datetime(2026, 8, 24, 19, 10, 1)
    np.testing.assert_allclose(e["kinetic_energy"].values, [1188, 1188.5, 1189, 1189.5])
    np.testing.assert_allclose(
        e["binding_energy"].values, 1486.680054 - np.array([1188, 1188.5, 1189, 1189.5])
    )
    assert (e.signal.unit, e.signal.values.tolist()) == ("counts", [1, 2, 3, 4])
    assert e.conditions["pass_energy"] == Quantity(20.0, "eV")
    assert e.conditions["dwell_time"] == Quantity(0.05, "s")
    assert e.conditions["repetitions"] == Quantity(7, "")
    assert e.conditions["energy_step"] == Quantity(0.5, "eV")


def test_a_depth_profile_is_over_the_etch_time(tmp_path: Path) -> None:
    axes = (
        "    1= 0.0, 5.0, 3, ETCHTIME, NON-LINEAR, 'EtchTime', 's', 'Etch Time'\n"
        "    2= 0.0, 1.0, 3, ETCHLEVEL, LINEAR, 'EtchLevel', '', 'Etch Level'\n"
    )
    times = [0.0, 5.0, 12.5]
    blocks = [
        (
            f",{k}",
            f"$AXISVALUE= DATAXIS=1 SPACEAXIS=1 LABEL='Etch Time' POINT={k} VALUE={t:f};\n"
            f"$AXISVALUE= DATAXIS=1 SPACEAXIS=2 LABEL='Etch Level' POINT={k} VALUE={k:f};\n",
            [10.0 * k + c for c in range(4)],
        )
        for k, t in enumerate(times)
    ]
    e = reads(text_of(axes, "    0= 0, 3, 1\n    1= 0, 2, 2\n", blocks), tmp_path)[0]
    assert e.signal.axes == ("etch_time", "binding_energy")
    assert (e["etch_time"].values.tolist(), e["etch_time"].unit) == (times, "s")
    assert e["etch_level"].values.tolist() == [0, 1, 2]
    assert e.signal.values.tolist() == [[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]]


def test_a_map_has_each_pixel_at_its_place(tmp_path: Path) -> None:
    axes = "    1= -20, 20, 3, X, LINEAR, 'X', 'µm', 'X'\n    2= -10, 20, 2, Y, LINEAR, 'Y', 'µm', 'Y'\n"
    places = [(ix, iy) for ix in range(3) for iy in range(2)]  # in another order than the data's own
    blocks = [(f",{ix},{iy}", "", [100 * iy + 10 * ix + c for c in range(4)]) for ix, iy in places]
    e = reads(text_of(axes, "    0= 0, 3, 1\n    1= 0, 2, 1\n    2= 0, 1, 1\n", blocks), tmp_path)[0]
    assert e.signal.axes == ("y", "x", "binding_energy")
    assert e["x"].values.tolist() == [-20, 0, 20]
    assert e["x"].unit == "um"
    assert e.signal.values[1, 2].tolist() == [120, 121, 122, 123]


def test_points_have_their_labels(tmp_path: Path) -> None:
    axes = "    1= 0, 1, 2, POSITION, NON-LINEAR, 'Pos', '', 'Position'\n"
    blocks = [
        (
            f",{k}",
            f"$AXISVALUE= DATAXIS=1 SPACEAXIS=1 LABEL='P' POINT={k} VALUE='Pt #00{k + 1}';\n",
            [k, 1, 2, 3],
        )
        for k in range(2)
    ]
    e = reads(text_of(axes, "    0= 0, 3, 1\n    1= 0, 1, 1\n", blocks), tmp_path)[0]
    assert e["position"].values.tolist() == ["Pt #001", "Pt #002"]


def test_what_cannot_be_right_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="3 of 4 values"):
        reads(SCAN.replace(", 4.0", ""), tmp_path)
    with pytest.raises(ReadError, match=r"no \$DATA"):
        reads(SCAN[: SCAN.index("$DATA=*")], tmp_path)
    with pytest.raises(ReadError, match="only spectra"):
        reads(SCAN.replace("ENERGY", "X").replace("'Counts'", "'RGB'"), tmp_path)


# --- .vgd ---------------------------------------------------------------------------------------------------------

CUBE_AXES = bytes.fromhex(
    "00 00 02 00 03 00 00 00 02 00 00 00 00 00 02 00 00 00 00 00 02 00 00 00 00 00 80 00 00 00 dc a0 93 31 b1 90"
    "92 40 d4 2b 65 19 e2 70 c4 3f 01 01 00 00 00 02 00 00 00 00 00 02 00 00 00 00 00 02 00 00 00 00 00 64 00 00"
    "00 00 00 00 00 00 f0 8e c0 00 00 00 00 00 00 34 40 01 03 00 00 00 02 00 00 00 00 00 02 00 00 00 00 00 02 00"
    "00 00 00 00 64 00 00 00 00 00 00 00 00 f0 8e c0 00 00 00 00 00 00 34 40 01 04 00 00 00"
)
SCAN_AXES = bytes.fromhex(
    "00000200010000000200000000000200000000000200000000002d01000066666666668a92409a9999999999b93f0101000000"
)


def property_set(values: dict[int, tuple[int, bytes]]) -> bytes:
    body, places = b"", []
    for number, (kind, content) in values.items():
        places.append((number, 8 + 8 * len(values) + len(body)))
        body += struct.pack("<I", kind) + content.ljust(-(-len(content) // 4) * 4, b"\0")
    section = struct.pack("<II", 8 + 8 * len(values) + len(body), len(values))
    section += b"".join(struct.pack("<II", *p) for p in places) + body
    return bytes(24) + struct.pack("<I", 1) + bytes(16) + struct.pack("<I", 48) + section


def text_property(text: str) -> tuple[int, bytes]:
    return 30, struct.pack("<I", len(text) + 1) + text.encode() + b"\0"


def vgd(axes: bytes, spans: list[tuple[int, int, int]], values: np.ndarray) -> bytes:
    summary = {2: text_property("C1s Scan"), 12: (64, struct.pack("<Q", 134_000_000_000_000_000))}
    own = {
        0x06: text_property("K-Alpha"),
        0x0D: text_property("Counts"),
        0x69: (4, struct.pack("<f", 1486.68)),
        0x194: (4, struct.pack("<f", 50.0)),
    }
    data_axes = struct.pack("<2i", 0, len(spans)) + b"".join(struct.pack("<3i4x", *s) for s in spans)
    return compound_file(
        {
            "VGData": values.astype("<f8").tobytes(),
            "VGDataAxes": data_axes,
            "VGSpaceAxes": axes,
            "\x05SummaryInformation": property_set(summary),
            "\x05Q5nw4m3lIjudbfwyAayojlptCa": property_set(own),
        }
    )


def reads_vgd(data: bytes, folder: Path) -> Measurement:
    path = folder / "a.vgd"
    path.write_bytes(data)
    src = RawInput(path)
    assert thermo_vgd.READER.sniff(src) == CERTAIN
    assert registry.find(src) is thermo_vgd.READER
    return check(thermo_vgd.READER.read(src), thermo_vgd.READER)


def test_vgd_scan(tmp_path: Path) -> None:
    counts = np.arange(301.0)
    m = reads_vgd(vgd(SCAN_AXES, [(0, 300, 1)], counts), tmp_path)
    (e,) = m
    kinetic = 1186.6 + 0.1 * np.arange(301)
    np.testing.assert_allclose(e["kinetic_energy"].values, kinetic)
    np.testing.assert_allclose(e["binding_energy"].values, 1486.68 - kinetic, rtol=1e-6)
    assert (e.signal.unit, e.signal.values.tolist()) == ("counts", counts.tolist())
    assert e.conditions["pass_energy"] == Quantity(50.0, "eV")
    assert (m.title, m.instrument) == ("C1s Scan", "K-Alpha")
    assert m.started is not None
    assert m.started.tzinfo is UTC


def test_axes_of_a_map_as_the_instrument_wrote_them() -> None:
    energy, x, y = thermo_vgd._space_axes(CUBE_AXES, [128, 100, 100], "a.vgd")
    assert [energy.kind, x.kind, y.kind] == ["ENERGY", "X", "Y"]
    assert energy.values[0] == pytest.approx(1188.173041)
    assert (x.values[0], x.values[1], y.values[0]) == (-990, -970, -990)


def test_vgd_depth_profile_of_levels_that_are_not_equidistant(tmp_path: Path) -> None:
    begin = bytes.fromhex("020000000000020000000000020000000000")
    axes = bytes.fromhex("0000020002000000") + begin
    axes += struct.pack("<i2dBi", 4, 1188.0, 0.5, 1, 1) + begin
    axes += struct.pack("<i2dB3di", 3, 0.0, 0.0, 0, 0.0, 5.0, 12.5, 6)
    values = np.arange(12.0)
    e = reads_vgd(vgd(axes, [(0, 3, 1), (0, 2, 1)], values), tmp_path)[0]
    assert e.signal.axes == ("etch_level", "binding_energy")
    assert e["etch_level"].values.tolist() == [0, 5, 12.5]
    assert e.signal.values.tolist() == values.reshape(3, 4).tolist()


def test_vgd_that_is_cut_off_or_holds_no_spectrum_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="301 values are announced and 300"):
        reads_vgd(vgd(SCAN_AXES, [(0, 300, 1)], np.arange(300.0)), tmp_path)
    with pytest.raises(ReadError, match="VGSpaceAxes"):
        reads_vgd(vgd(SCAN_AXES, [(0, 299, 1)], np.arange(300.0)), tmp_path)


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    for reader, data in (
        (thermo_avg.READER, SCAN.encode("latin-1")),
        (thermo_vgd.READER, vgd(SCAN_AXES, [(0, 300, 1)], np.arange(301.0))),
    ):
        cut(reader, data, tmp_path / f"cut_{reader.name}", parts=60)
        damage(reader, data, tmp_path / f"damaged_{reader.name}", turns=200, within=len(data))
