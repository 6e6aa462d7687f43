"""Text formats of older diffractometers: what a person would lose if the readers were wrong.

The folder of real files has none of these; the files are made by the formats' public descriptions.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import bruker_uxd, philips_udf, registry, rigaku_asc
from zairyo.readers._api import CERTAIN, RawInput, Reader, ReadError
from zairyo.readers.invariants import check


def reads(reader: Reader, text: str, folder: Path, encoding: str = "utf-8") -> Measurement:
    path = folder / f"made{reader.endings[0]}"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert reader.sniff(RawInput(path)) == CERTAIN
    return check(reader.read(RawInput(path)), reader)


UXD = """; quartz.RAW - File converted by XCH V1.0
_FILEVERSION=2
_SAMPLE='quartz'
_DATEMEASURED='21-Jul-2010 11:04:50'
_WL1=1.540600
_WLRATIO=0.500000
_ANODE='Cu'
; Data for range 1
_DRIVE='COUPLED'
_STEPTIME=2.000000
_STEPSIZE=0.020000
_STEPMODE='C'
_START=10.000000
_THETA=5.000000
_2THETA=10.000000
_KHI=0.000000
_PHI=30.000000
_KV=40
_MA=30
_COUNTS
     11     12     13     14     15     16     17     18
     19
"""


def test_uxd_counts_from_start_and_step(tmp_path: Path) -> None:
    m = reads(bruker_uxd.READER, UXD, tmp_path)
    (entry,) = m
    assert m.sample == "quartz"
    assert entry.started == datetime(2010, 7, 21, 11, 4, 50)
    assert entry.signal.axes == ("two_theta",)
    assert entry["two_theta"].values == pytest.approx(10 + 0.02 * np.arange(9))
    assert (entry.signal.unit, entry.signal.values.tolist()) == ("counts", list(range(11, 20)))
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["xray_tube_voltage"] == (40.0, "kV")
    assert told["time_per_step"] == (2.0, "s")
    assert told["wavelength"] == (1.5406, "angstrom")
    assert told["scan_axis"] == ("two_theta/theta", None)
    assert told["phi"] == (30.0, "deg")
    assert "omega" not in told  # it moved
    assert entry.original_metadata["STEPMODE"] == "C"


def test_uxd_positions_are_of_the_axis_that_was_driven(tmp_path: Path) -> None:
    rocking = UXD.replace("COUPLED", "THETA").replace("_COUNTS", "_2THETACPS")
    rocking = rocking[: rocking.index("     11")] + "17.0 5.5\n17.1 6\n17.2 5\n"
    entry = reads(bruker_uxd.READER, rocking, tmp_path)[0]
    assert entry.signal.axes == ("omega",)
    assert entry["omega"].values.tolist() == [17, 17.1, 17.2]
    assert entry.signal.unit == "count/s"
    assert entry.conditions["two_theta"].value == 10


def test_uxd_ranges_that_step_an_angle_are_a_map(tmp_path: Path) -> None:
    head, one = UXD.split("; Data for range 1\n")
    one = one.replace("COUPLED", "PHI")
    ranges = "".join(f"; Data for range {i}\n" + one.replace("_KHI=0", f"_KHI={5 * i}") for i in range(4))
    entry = reads(bruker_uxd.READER, head + ranges, tmp_path)["map"]
    assert entry.signal.axes == ("chi", "phi")
    assert entry["chi"].values.tolist() == [0, 5, 10, 15]
    assert entry.signal.values.shape == (4, 9)


def test_uxd_of_a_computer_with_decimal_commas(tmp_path: Path) -> None:
    """Read as three numbers a row, positions and counts would change places."""
    text = UXD.replace("_COUNTS", "_2THETACOUNTS")
    text = (
        text[: text.index("     11")].replace("0.020000", "0,020000") + "10,00\t187\n10,02\t183\n10,04\t178\n"
    )
    entry = reads(bruker_uxd.READER, text, tmp_path)[0]
    assert entry["two_theta"].values.tolist() == [10, 10.02, 10.04]
    assert entry.signal.values.tolist() == [187, 183, 178]


ASC = """*TYPE\t\t=  Raw
*CLASS\t\t=  Standard measurement
*SAMPLE\t\t=  試料A
*DATE\t\t=  15-Nov-05 15:32
*GROUP_COUNT\t=  1
*TARGET\t\t=  29
*KV\t\t=  40
*MA\t\t=  20
*BEGIN
*MEAS_MODE\t=  Continuous Scanning
*START\t\t=  10.000
*STOP\t\t=  10.080
*STEP\t\t=  0.020
*SPEED\t\t=  2.000
*XUNIT\t\t=  deg
*YUNIT\t\t=  cps
*COUNT\t\t=  5
   123,  124,  125,  126,
   127
*END
*EOF
"""


def test_rigaku_ascii(tmp_path: Path) -> None:
    m = reads(rigaku_asc.READER, ASC, tmp_path, "cp932")
    (entry,) = m
    assert m.sample == "試料A"
    assert m.started == datetime(2005, 11, 15, 15, 32)
    assert entry["two_theta"].values == pytest.approx([10, 10.02, 10.04, 10.06, 10.08])
    assert (entry.signal.unit, entry.signal.values.tolist()) == ("count/s", [123, 124, 125, 126, 127])
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["xray_source_element"] == ("Cu", None)
    assert told["scan_speed"] == (2.0, "deg/min")
    assert m.warnings == ()


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("*SPEED_DIM\t=  sec./step\n", {"time_per_step": (2.0, "s")}),
        ("*SPEED_DIM\t=  deg./min.\n", {"scan_speed": (2.0, "deg/min")}),
        ("*SPEED_DIM\t=  counts\n", {}),
        ("*COUNTER\t=  SC-70, 0\n", {"scan_speed": (2.0, "deg/min"), "detector": ("SC-70", None)}),
        ("*COUNTER\t=  , 0\n", {"scan_speed": (2.0, "deg/min")}),
    ],
)
def test_rigaku_speed_is_what_its_dimension_says(
    stated: str, told: dict[str, object], tmp_path: Path
) -> None:
    text = ASC.replace("*GROUP_COUNT", f"{stated}*GONIO\t=  SmartLab, 185.000\n*GROUP_COUNT")
    m = reads(rigaku_asc.READER, text, tmp_path, "cp932")
    assert m.instrument == "SmartLab"
    found = {name: (q.value, q.unit) for name, q in m[0].conditions.items()}
    assert {k: v for k, v in found.items() if k in ("time_per_step", "scan_speed", "detector")} == told
    assert bool(m.warnings) == ("counts" in stated)


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (rigaku_asc.READER, ASC.replace("15-Nov-05 15:32", "15.11.05, 15 h")),
        (bruker_uxd.READER, UXD.replace("21-Jul-2010 11:04:50", "15.11.05, 15 h")),
    ],
)
def test_a_date_in_an_unknown_form_is_told(reader: Reader, text: str, tmp_path: Path) -> None:
    m = reads(reader, text, tmp_path)
    assert m[0].started is None
    assert any("15.11.05" in warning for warning in m.warnings)


def test_rigaku_groups_and_an_odd_end(tmp_path: Path) -> None:
    group = ASC[ASC.index("*BEGIN") : ASC.index("*EOF")]
    two = ASC.replace("*EOF", group + "*EOF").replace("_COUNT\t=  1", "_COUNT\t=  2")
    m = reads(rigaku_asc.READER, two.replace("10.080", "20.0", 1), tmp_path)
    assert [e.name for e in m] == ["scan_1", "scan_2"]
    assert any("do not end at the stated 20" in w for w in m.warnings)
    with pytest.raises(ReadError, match="cut off"):
        reads(rigaku_asc.READER, two.replace("_COUNT\t=  2", "_COUNT\t=  3"), tmp_path)
    with pytest.raises(ReadError, match="5 values are announced"):
        reads(rigaku_asc.READER, ASC.replace("   127\n", ""), tmp_path)


UDF = """SampleIdent,Sample5 ,/
Title1,quartz plate,/
DiffrType,PW1800,/
Anode,Cu,/
LabdaAlpha1, 1.54056,/
LabdaAlpha2, 1.54439,/
RatioAlpha21, 0.50000,/
GeneratorVoltage, 40,/
TubeCurrent, 50,/
FileDateTime, 27-dec-1994 10:23,/
DataAngleRange,   3.0000,   3.1000,/
ScanStepSize,    0.020,/
ScanType,CONTINUOUS,/
ScanStepTime,    1.00,/
RawScan
     800,     772,     738,     748,
     700,     695/
"""


def test_philips_udf(tmp_path: Path) -> None:
    m = reads(philips_udf.READER, UDF, tmp_path)
    (entry,) = m
    assert (m.sample, m.title, m.instrument) == ("Sample5", "quartz plate", "PW1800")
    assert m.started == datetime(1994, 12, 27, 10, 23)
    assert entry["two_theta"].values == pytest.approx([3, 3.02, 3.04, 3.06, 3.08, 3.1])
    assert (entry.signal.unit, entry.signal.values.tolist()) == ("counts", [800, 772, 738, 748, 700, 695])
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["wavelength"] == (1.54056, "angstrom")
    assert told["k_alpha_ratio"] == (0.5, "")
    assert told["time_per_step"] == (1.0, "s")
    with pytest.raises(ReadError, match="5 are there"):
        reads(philips_udf.READER, UDF.replace("     700,", ""), tmp_path)


def test_philips_udf_of_a_step_that_is_written_rounded(tmp_path: Path) -> None:
    """X'Pert's steps are no whole hundredths: the ends and the number of counts are what was measured."""
    text = UDF.replace("3.0000,   3.1000", "5.0000,   80.0000").replace("0.020", "0.0167")
    points = round(75 / 0.0167113) + 1
    counts = ",".join(f"{i:8d}" for i in range(points)) + "/\n"
    entry = reads(philips_udf.READER, text[: text.index("     800")] + counts, tmp_path)[0]
    assert entry["two_theta"].values[[0, -1]].tolist() == [5, 80]
    assert entry.signal.values.tolist() == list(range(points))


def test_philips_udf_of_an_aeris(tmp_path: Path) -> None:
    """The step has more digits than the ends, which are rounded: by its last digit, the file would be refused."""
    text = UDF.replace("3.0000,   3.1000", "3.00043,  59.99491").replace("0.020", "0.01086644000")
    counts = (
        "\n".join("     800" + ",     801" * 7 for _ in range(655))
        + ",\n     700,     701,     702,     703,     704,     705,/\n"
    )
    text = text.replace("27-dec-1994 10:23", "12-jun-2025 14:41")
    m = reads(philips_udf.READER, text[: text.index("     800")] + counts, tmp_path)
    assert m[0]["two_theta"].values[[0, -1]].tolist() == [3.00043, 59.99491]
    assert len(m[0].signal.values) == 5246
    assert m.started == datetime(2025, 6, 12, 14, 41)


def test_philips_udf_whose_last_stroke_is_missing(tmp_path: Path) -> None:
    whole = UDF.rstrip().rstrip("/")
    m = reads(philips_udf.READER, whole.replace("27-dec-1994 10:23", " 1-nov-:0,  21:06"), tmp_path)
    assert m[0].signal.values.tolist() == [800, 772, 738, 748, 700, 695]
    assert m.started == datetime(2000, 11, 1, 21, 6)
    with pytest.raises(ReadError, match="cut off"):
        reads(philips_udf.READER, whole[: whole.index("700")], tmp_path)


def test_philips_udf_of_several_scans(tmp_path: Path) -> None:
    second = UDF[UDF.index("DataAngleRange") :].replace("3.0000,   3.1000", "5.0000,   5.1000")
    m = reads(philips_udf.READER, UDF + second, tmp_path)
    assert [e["two_theta"].values[0] for e in m] == [3, 5]


@pytest.mark.parametrize(
    ("reader", "text"),
    [(bruker_uxd.READER, UXD), (rigaku_asc.READER, ASC), (philips_udf.READER, UDF)],
    ids=["uxd", "asc", "udf"],
)
def test_damage_never_breaks_out(reader: Reader, text: str, tmp_path: Path) -> None:
    cut(reader, text.encode(), tmp_path / "cut", parts=60)
    damage(reader, text.encode(), tmp_path / "damaged", turns=200, within=len(text))


@pytest.mark.parametrize(
    "text",
    [
        "10.00 100\n10.10 110\n",
        "# wavelength 1.54\n10.00 100\n10.10 110\n",
        "'sample 7, TOPAS\n10.00 100\n10.10 110\n",
        "! GSAS\n10,00;100\n10,10;110\n",
        "10,00 100\n10,10 110\n",
        "2theta intensity\n10.00\t100\n10.10\t110\n",
    ],
)
def test_two_columns_named_xy(tmp_path: Path, text: str) -> None:
    """A comment at the top does not make the pattern a table of unknown columns."""
    path = tmp_path / "made.xy"
    path.write_text(text)
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "xrd_xy"
    assert m[0]["two_theta"].values.tolist() == [10, 10.1]
    assert m[0].signal.values.tolist() == [100, 110]


def test_two_columns_named_xye_are_a_pattern_without_errors(tmp_path: Path) -> None:
    path = tmp_path / "made.xye"
    path.write_text("   4.00   90.  \n   4.05   83.  \n   4.10   82.  \n")
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "xrd_xy"
    assert m[0]["two_theta"].values.tolist() == [4.0, 4.05, 4.1]
    assert m[0].signal.uncertainty is None


def test_dash_s_wavelength(tmp_path: Path) -> None:
    path = tmp_path / "made.xye"
    path.write_text("   0.69200\n   5.00 100 10\n   5.02 110 10.5\n")
    m = registry.read(path)
    assert m[0].conditions["wavelength"] == Quantity(0.692, "angstrom")
    assert m[0]["two_theta"].values.tolist() == [5.0, 5.02]


def test_uxd_positions_that_are_rounded_to_four_figures(tmp_path: Path) -> None:
    """XCH writes 99.99, 100.0, 100.0: a pattern beyond 100° would be refused as one that does not rise."""
    head = (
        UXD[: UXD.index("_START=")].replace("_STEPSIZE=0.020000", "_STEPSIZE=0.015592") + "_START=99.970000\n"
    )
    exact = [99.97 + 0.015592 * i for i in range(8)]
    text = head + "_2THETACOUNTS\n" + "".join(f"{x:#.4g}\t{100 + i}\n" for i, x in enumerate(exact))
    m = reads(bruker_uxd.READER, text, tmp_path)
    np.testing.assert_allclose(m[0]["two_theta"].values, exact)
    other = text.replace("99.97\t", "99.90\t")
    with pytest.raises(ReadError, match="must rise"):
        reads(bruker_uxd.READER, other, tmp_path)


@pytest.mark.parametrize("drive", ["PSDSCAN", "PSDFIXEDSCAN"])
def test_a_strip_detectors_scan_is_over_two_theta(tmp_path: Path, drive: str) -> None:
    text = UXD.replace("_DRIVE='COUPLED'", f"_DRIVE='{drive}'")
    axis = reads(bruker_uxd.READER, text, tmp_path)[0].axes[0]
    assert (axis.name, axis.unit) == ("two_theta", "deg")


def test_a_degree_with_a_full_stop_is_a_degree(tmp_path: Path) -> None:
    """Rigaku's older exports write ``deg.``, which is no unit."""
    lines = [line for line in ASC.splitlines() if not line.startswith("*XUNIT")]
    at = next(i for i, line in enumerate(lines) if line.startswith("*YUNIT"))
    text = "\n".join([*lines[:at], "*XUNIT          =  deg.", *lines[at:]]) + "\n"
    assert reads(rigaku_asc.READER, text, tmp_path)[0].axes[0].unit == "deg"


@pytest.mark.parametrize(
    "text",
    [
        "7004.5 53.1 1.5\n7010.25 55.5 1.2\n",  # a time of flight
        "# a bank\n170.0 1 1\n180.0 2 1\n190.0 3 1\n",
        "1.9000E+02 53.1 1.5\n2.0000E+02 55.5 1.2\n",
        "1e4 53.1 1.5\n1.1e4 55.5 1.2\n",
        "q (1/A), I, error\n0.5,10,1\n0.6,11,1\n",
        "# TOF  Intensity  Error\n90.5 10 1\n90.6 11 1\n",
        "d  I  E\n1.5 10 1\n1.6 11 1\n",
    ],
)
def test_three_columns_that_are_no_two_theta(tmp_path: Path, text: str) -> None:
    """Microseconds or 1/Å as degrees would be a pattern that nobody measured."""
    path = tmp_path / "made.xye"
    path.write_text(text)
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "plain_table"
    assert m[0].technique == "unspecified"


@pytest.mark.parametrize(
    "text",
    [
        "-5.0 100 10\n180.0 110 10\n",
        "1.0000E+01 1000 10\n1.8000E+02 1100 10\n",
        "0010.5 2000 44\n0010.6 2100 45\n",
        "# energy 15 keV, d = 200 mm\n5 2000 44\n6 2100 45\n",
    ],
)
def test_three_columns_that_may_be_two_theta(tmp_path: Path, text: str) -> None:
    path = tmp_path / "made.xye"
    path.write_text(text)
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "xrd_xye"


@pytest.mark.parametrize(
    ("scanned", "axis"),
    [
        ("Coupled TwoTheta/Theta", "two_theta"),
        ("TwoTheta", "two_theta"),
        ("Rocking Curve", "omega"),
        ("Theta", "omega"),
    ],
)
def test_evas_text_is_over_the_angle_that_was_scanned(tmp_path: Path, scanned: str, axis: str) -> None:
    """A rocking curve over 2θ would be a peak at half its angle."""
    path = tmp_path / "made.xy"
    path.write_text(
        f'\'Id: "S" Comment: "c" Operator: "o" Anode: "Cu" Scantype: "{scanned}"\n17.0 5\n17.1 6\n'
    )
    entry = registry.read(path)[0]
    assert entry.signal.axes == (axis,)
    assert entry[axis].values.tolist() == [17, 17.1]
