"""JCAMP-DX: what a spectroscopist would lose if the reader were wrong."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers._jcamp_asdf import decode_lines
from zairyo.readers.jcamp_dx import READER


def read(path: Path) -> Measurement:
    return READER.read(RawInput(path))


# --- real files: numbers on which the named library (jcamp 1.3.2, nmrglue 0.12) agrees to 1e-6; where none is
# named, none reads the file right: the header's own FIRST, LAST and the numbers in the file were compared. -----

# file, entries, technique, abscissa and unit, ordinate and unit, points, first and last abscissa, sum, who agrees
GOLDEN = """
jcamp-ir/1,3-butadiene.jdx | 1 | ir | wavenumber | 1/cm | absorption_coefficient | mol/umol/m | 14106 | 574.928 | 3975.077 | 0.15652027774 | jcamp
jcamp-ir/1-butene.jdx | 1 | ir | wavenumber | 1/cm | absorbance | | 880 | 450 | 3966 | 31.411084869 | jcamp
jcamp-ir/acetonitrile.jdx | 1 | ir | wavenumber | 1/cm | absorption_coefficient | mol/umol/m | 14106 | 574.928 | 3975.077 | 0.0315522728067 | jcamp
jcamp-ir/cis-butene.jdx | 1 | ir | wavenumber | 1/cm | transmittance | | 3339 | 460 | 3798 | 2476.5125 | jcamp
jcamp-ir/ethyl_benzene.jdx | 1 | ir | wavenumber | 1/cm | absorption_coefficient | mol/umol/m | 14104 | 575.17 | 3974.847 | 0.251975878175 | jcamp
jcamp-ir/example_multiline_datasets.jdx | 1 | ir | wavenumber | 1/cm | transmittance | | 1919 | 401.127686 | 7798.848633 | 1924.39799808 | jcamp
jcamp-ir/m-xylene.jdx | 1 | ir | wavenumber | 1/cm | transmittance | | 2584 | 255.25 | 4010.82 | 2141.7567 | jcamp
jcamp-ir/p-xylene.jdx | 1 | ir | wavenumber | 1/cm | transmittance | | 2618 | 202.901 | 3998.73 | 2170.6203 | jcamp
jcamp-lancashire/dupinc1.jdx | 1 | uv_vis | wavelength | nm | absorbance | | 440 | 250 | 469.5 | 164.7604 | jcamp
jcamp-lancashire/fixdec2.jdx | 1 | nmr | chemical_shift | ppm | intensity | arb | 8192 | 12.14151409 | -0.803529614 | 13963.6101811 | jcamp+nmrglue
jcamp-lancashire/fixinc1.jdx | 1 | ir | wavenumber | 1/cm | transmittance | | 3736 | 399.263973 | 4001.31938 | 220413.986813 | jcamp
jcamp-lancashire/fixinc4.jdx | 1 | unspecified | arbitrary | arb | intensity | arb | 81 | -2 | 2 | 35.3008461848 | jcamp
jcamp-lancashire/mactab2.jdx | 1 | mass_spectrometry | mass_to_charge | u | abundance | arb | 46 | 0 | 386 | 17118 |
jcamp-lancashire/o05.jdx | 1 | nmr | chemical_shift | ppm | intensity | arb | 8192 | 11.94836193 | -2.009646625 | 269810.458904 | nmrglue
jcamp-lancashire/ofid3.jdx | 1 | nmr | time | s | intensity | arb | 8192 | 0 | 2.9327 | -113230.448496-67300.708034j | nmrglue
jcamp-lancashire/sqzdec1.jdx | 1 | nmr | chemical_shift | ppm | intensity | arb | 16384 | 239.4273 | 9.163346618e-06 | 628687690 | jcamp+nmrglue
jcamp-misc/1-propanol_ms.jdx | 6 | mass_spectrometry | mass_to_charge | | abundance | arb | 44 | 10 | 61 | 6195067.086 | jcamp
jcamp-misc/CH4_CI.jdx | 145 | mass_spectrometry | mass_to_charge | None | abundance | None | 50 | 73 | 515 | 8396 |
jcamp-misc/emodine.jdx | 1 | neutron_scattering | wavenumber | 1/cm | intensity | None | 1992 | 16 | 3998 | 263.890906938 | jcamp
jcamp-misc/ethanol_ms.jdx | 1 | mass_spectrometry | mass_to_charge | | abundance | arb | 12 | 14 | 47 | 2254 | jcamp
jcamp-misc/toluene.jdx | 1 | uv_vis | wavelength | nm | log_molar_absorptivity | | 335 | 274.9571 | 233.8172 | 688.320564 | jcamp
jcamp-nmr/1h.dx | 1 | nmr | chemical_shift | ppm | intensity | arb | 32768 | 13.99587 | -2.012377253 | 31795554863 | nmrglue
jcamp-official/BRUKER1.JCM | 1 | ir | wavenumber | 1/cm | transmittance | | 3735 | 4000.655017 | 400.1619262 | 325083.276367 | jcamp
jcamp-official/BRUKNTUP.DX | 1 | nmr | chemical_shift | ppm | intensity | arb | 16384 | 239.4273 | 9.163346618e-06 | 616961840+288037962j | nmrglue
jcamp-official/BRUKPAC.DX | 1 | nmr | chemical_shift | ppm | intensity | arb | 16384 | 239.4273 | 9.163346618e-06 | 618201754 | jcamp+nmrglue
jcamp-official/IMS_TEST1.DX | 1 | ion_mobility | drift_time | ms | ion_current | pA | 2400 | 0 | 59.975 | 33219.3001542 |
jcamp-official/ISAS_CDX.DX | 1 | nmr | chemical_shift | ppm | intensity | arb | 16 | 27 | 218.4 | 16 |
jcamp-official/ISAS_MS1.DX | 1 | mass_spectrometry | mass_to_charge | | abundance | arb | 26 | 50 | 131 | 429.67 | jcamp
jcamp-official/TESTFID.DX | 1 | nmr | time | s | intensity | arb | 16384 | 0 | 0.6815317 | 2975656.69109-874330.505221j | nmrglue
jcamp-official/TESTSPEC.DX | 1 | nmr | chemical_shift | ppm | intensity | arb | 16384 | 239.4272908 | 0 | 616961099.724 | nmrglue
"""  # noqa: E501


def golden() -> list[tuple[Any, ...]]:
    rows = []
    for line in GOLDEN.strip().splitlines():
        cells = [None if cell.strip() == "None" else cell.strip() for cell in line.split("|")]
        numbers = int(cells[7] or 0), float(cells[8] or 0), float(cells[9] or 0), complex(cells[10] or 0)
        rows.append((cells[0], int(cells[1] or 0), *cells[2:7], *numbers))
    return rows


@pytest.mark.parametrize("expected", golden(), ids=lambda g: g[0])
def test_real_numbers(instruments: Path, expected: tuple[Any, ...]) -> None:
    name, entries, technique, x, x_unit, y, y_unit, points, first, last, total = expected
    path = instruments / name
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    assert len(m) == entries
    entry = m[0]
    assert entry.technique == technique
    abscissa: Any = entry[entry.x if entry.is_table else entry.signal.axes[0]]
    assert (abscissa.name, abscissa.unit) == (x, x_unit)
    assert (entry.default, entry.signal.unit) == (y, y_unit)
    assert entry.signal.values.shape == abscissa.values.shape == (points,)
    assert abscissa.values[0] == pytest.approx(first, rel=1e-9, abs=1e-12)
    assert abscissa.values[-1] == pytest.approx(last, rel=1e-9, abs=1e-6)
    assert entry.signal.values.sum() == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "technique", "total"),
    [
        ("BRUKER1.JCM", "ir", 325083.2763671875),
        ("IMS_TEST1.DX", "ion_mobility", 33219.30015417),
        ("ethanol_ms.jdx", "mass_spectrometry", 2254),
    ],
)
def test_shipped_examples(examples: Path, name: str, technique: str, total: float) -> None:
    (entry,) = read(examples / "spectroscopy" / name)
    assert entry.technique == technique
    assert entry.signal.values.sum() == pytest.approx(total, rel=1e-9)


def test_nmr_keeps_the_frequencies_as_given(instruments: Path) -> None:
    (entry,) = read(instruments / "jcamp-nmr/1h.dx")
    assert entry["frequency"].values[[0, -1]] == pytest.approx([6410.06078475563, 0.0])
    assert entry["frequency"].unit == "Hz"
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["observe_frequency"] == (400.4224, "MHz")
    assert told["nucleus"] == ("1H", None)
    assert told["solvent"] == ("CDCl3", None)
    assert told["repetitions"] == (40, "")
    assert "13.9959 ppm" in told["shift_reference"][0]
    assert entry.started == datetime(2009, 1, 25, 2, 13, 48, tzinfo=timezone(timedelta(0)))


def test_fid_is_complex_over_time(instruments: Path) -> None:
    (entry,) = read(instruments / "jcamp-official/TESTFID.DX")
    assert entry.name == "fid"
    assert entry.signal.values.dtype == np.complex128
    assert entry.signal.values[0] == pytest.approx(2980 + 6215j, rel=1e-3)  # ##FIRST
    assert entry.signal.values[-1] == pytest.approx(-60242 - 6063j, rel=1e-4)  # ##LAST


def test_ion_mobility_conditions(instruments: Path) -> None:
    m = read(instruments / "jcamp-official/IMS_TEST1.DX")
    told = {name: (q.value, q.unit) for name, q in m[0].conditions.items()}
    assert told["temperature"] == (25.0, "degC")
    assert told["pressure"] == (101.0, "kPa")
    assert told["drift_gas"] == ("NITROGEN", None)
    assert m.sample == "Tetrachloroethene"
    assert m[0].started == datetime(2000, 9, 28, 14, 24, 38, tzinfo=timezone(timedelta(hours=1)))


def test_assignments_are_a_table(instruments: Path) -> None:
    m = read(instruments / "jcamp-official/ISAS_CDX.DX")
    assert m["assignments"]["chemical_shift"].unit == "ppm"
    assert m["assignments"]["assignment"].values[0] == "7"
    assert any("Structure" in w for w in m.warnings)
    assert "BONDLIST" in m.original_metadata["blocks"][1]  # type: ignore[index,operator]


def test_multi_line_records_are_kept(instruments: Path) -> None:
    (entry,) = read(instruments / "jcamp-ir/example_multiline_datasets.jdx")
    assert "Ratio against background\nTruncated" in str(entry.original_metadata["DATA PROCESSING"])
    assert "Laser frequency: 15798,26 cm-1" in str(entry.original_metadata["COMMENTS"])


def test_percent_that_calls_itself_a_fraction_is_told(instruments: Path) -> None:
    assert any("percent" in w for w in read(instruments / "jcamp-official/BRUKER1.JCM").warnings)


# --- compressions --------------------------------------------------------------------------------------------

# The example of the JCAMP-DX 4.24 protocol: the same line in each form.
EXAMPLE = [1, 2, 3, 3, 2, 1, 0, -1, -2, -3]


@pytest.mark.parametrize(
    "line",
    [
        "99 1 2 3 3 2 1 0 -1 -2 -3",
        "99+1+2+3+3+2+1+0-1-2-3",
        "99ABCCBA@abc",
        "99AJJ%jjjjjj",
        "99ABCTBA@abc",
        "99AJT%jX",
    ],
    ids=["AFFN", "PAC", "SQZ", "DIF", "SQZDUP", "DIFDUP"],
)
def test_every_form_of_the_protocols_example(line: str) -> None:
    decoded = decode_lines(line)
    assert decoded.x.tolist() == [99]
    assert decoded.y.tolist() == EXAMPLE


_SQZ = "ihgfedcba@ABCDEFGHI"
_DIF = "rqponmlkj%JKLMNOPQR"


def packed(value: int, letters: str) -> str:
    digits = str(abs(value))
    return letters[9 + (1 if value > 0 else -1) * int(digits[0])] + digits[1:]


@given(st.lists(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30), min_size=1, max_size=8))
def test_what_is_encoded_is_decoded(rows: list[list[int]]) -> None:
    """DIF with the check ordinate, SQZ, PAC: any integers come back, at the right index."""
    flat = [value for row in rows for value in row]
    dif, previous, at, index = [], None, [], 0
    for row in rows:
        start = previous if previous is not None else row[0]
        rest = row if previous is not None else row[1:]
        at.append(index - (previous is not None))
        line, last = f"{index}{packed(start, _SQZ)}", start
        for value in rest:
            line, last = line + packed(value - last, _DIF), value
        # The check is only there after a line that ended with a difference.
        previous, index = (last if rest else None), index + len(row)
        dif.append(line)
    decoded = decode_lines("\n".join(dif))
    assert decoded.y.tolist() == flat
    assert decoded.at.tolist() == at
    assert decoded.failed_checks == []
    for join in (lambda v: packed(v, _SQZ), lambda v: f"{v:+d}", lambda v: f" {v}"):
        assert decode_lines("\n".join("5" + "".join(map(join, row)) for row in rows)).y.tolist() == flat


def test_exponents_and_missing_values() -> None:
    decoded = decode_lines("4.0E+02 1.5e-3 -2E5 ? 7")
    assert decoded.x.tolist() == [400]
    assert decoded.y[[0, 1, 3]].tolist() == [1.5e-3, -2e5, 7]
    assert np.isnan(decoded.y[2])
    assert decode_lines("400  1E5 2E5,3E-1").y.tolist() == [1e5, 2e5, 0.3]
    assert decode_lines("0E00").y.tolist() == [500]
    assert decode_lines("1.0E+02E3F4").y.tolist() == [53, 64]  # E is a digit where letters are


def test_wrong_check_names_the_line(tmp_path: Path) -> None:
    m = read(dx(tmp_path, "##NPOINTS=6\n##FIRSTX=1\n##LASTX=6\n##XYDATA=(X++(Y..Y))\n1A0JJ\n3A9JJJ"))
    assert "line 13" in m.warnings[0]
    assert m[0].signal.values.tolist() == [10, 11, 12, 20, 21, 22]


def test_writer_that_repeats_no_ordinate(tmp_path: Path) -> None:
    m = read(dx(tmp_path, "##NPOINTS=6\n##FIRSTX=1\n##LASTX=6\n##XYDATA=(X++(Y..Y))\n1A0JJ\n4A9JJ"))
    assert m[0].signal.values.tolist() == [10, 11, 12, 19, 20, 21]
    assert m.warnings == ()


# --- abscissae -----------------------------------------------------------------------------------------------

HEAD = """##TITLE= made
##JCAMP-DX= 4.24
##DATA TYPE= {kind}
##ORIGIN= test
##OWNER= nobody
##XUNITS= {x}
##YUNITS= {y}
"""


def dx(
    folder: Path,
    text: str,
    *,
    kind: str = "INFRARED SPECTRUM",
    x: str = "1/CM",
    y: str = "ABSORBANCE",
    end: str = "\n##END=\n",
) -> Path:
    path = folder / "made.dx"
    path.write_text(HEAD.format(kind=kind, x=x, y=y) + text + end, encoding="utf-8")
    return path


TABLE = "##XYDATA=(X++(Y..Y))\n400 1 2\n404 3 4\n408 5\n"


@pytest.mark.parametrize(
    "records",
    [
        "##FIRSTX=400\n##LASTX=408\n##NPOINTS=5\n",
        "##FIRSTX=400\n##DELTAX=2\n##NPOINTS=5\n",
        "##DELTAX=2\n",
        "",
        "##FIRSTX=400\n##LASTX=408\n##XFACTOR=1.0\n##DELTAX=2.0001\n##NPOINTS=5\n",
        "##FIRSTX=400\n##LASTX=408\n##NPOINTS=5\n##XFACTOR=0.5\n",  # lines unscaled against the standard
    ],
)
def test_abscissae_from_whatever_is_stated(tmp_path: Path, records: str) -> None:
    entry = read(dx(tmp_path, records + TABLE))[0]
    assert entry["wavenumber"].values == pytest.approx([400, 402, 404, 406, 408])


def test_falling_abscissae_and_factors(tmp_path: Path) -> None:
    table = "##XYDATA=(X++(Y..Y))\n8000 100 200\n7980 300 400\n"
    text = "##FIRSTX=4000\n##LASTX=3985\n##NPOINTS=4\n##XFACTOR=0.5\n##YFACTOR=0.001\n" + table
    entry = read(dx(tmp_path, text))[0]
    assert entry["wavenumber"].values == pytest.approx([4000, 3995, 3990, 3985])
    assert entry.signal.values == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_lines_that_contradict_the_header_win(tmp_path: Path) -> None:
    m = read(dx(tmp_path, "##FIRSTX=408\n##LASTX=400\n##NPOINTS=5\n" + TABLE))
    assert m[0]["wavenumber"].values == pytest.approx([400, 402, 404, 406, 408])
    assert "do not agree" in m.warnings[0]


def test_the_last_end_without_its_mark(tmp_path: Path) -> None:
    path = dx(tmp_path, "##FIRSTX=400\n##LASTX=408\n##NPOINTS=5\n" + TABLE)
    path.write_text(path.read_text().replace("##END=", "##END"))
    assert path.read_text().rstrip().endswith("##END")
    assert read(path)[0]["wavenumber"].values == pytest.approx([400, 402, 404, 406, 408])


def test_tuples_of_more_than_two_variables(tmp_path: Path) -> None:
    """The third variable was lost, and the others were named after their units."""
    path = tmp_path / "made.jdx"
    path.write_text(
        "##TITLE=abc\n##JCAMP-DX= 5.01\n##DATA TYPE= TGA\n##DATA CLASS= NTUPLES\n##NTUPLES= TGA\n"
        "##VAR_NAME= Weight, Temperature, Time\n##SYMBOL= X, Y, T\n##FACTOR= 1, 1, 0.5\n##UNITS= mg, °C, s\n"
        "##PAGE= N=1\n##DATA TABLE= (XYT..XYT), PEAKS\n100 20  2\n90  30  4\n##END=\n",
        encoding="utf-8",
    )
    (entry,) = read(path)
    assert [(s.name, s.unit, s.values.tolist()) for s in entry.signals] == [
        ("weight", "mg", [100, 90]),
        ("temperature", "degC", [20, 30]),
        ("time", "s", [1, 2]),
    ]
    assert (entry.x, entry.default) == ("weight", "temperature")


def test_lines_that_count_points(tmp_path: Path) -> None:
    """JEOL's ALICE: taken as abscissas, every chemical shift was several ppm too large."""
    table = "##XYDATA=(X++(Y..Y))\n4 100 200\n2 300 400\n0 500\n"
    text = "##FIRSTX=1.5\n##LASTX=-0.5\n##DELTAX=0.5\n##NPOINTS=5\n##XFACTOR=0.5\n" + table
    m = read(dx(tmp_path, text))
    assert m[0]["wavenumber"].values == pytest.approx([1.5, 1.0, 0.5, 0.0, -0.5])
    far = text.replace("4 100", "16004 100").replace("2 300", "16002 300").replace("\n0 500", "\n16000 500")
    m = read(dx(tmp_path, far))
    assert m[0]["wavenumber"].values == pytest.approx([1.5, 1.0, 0.5, 0.0, -0.5])
    assert "number of the point" in m.warnings[0]


def test_lines_of_another_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"line 10: .* back and forth"):
        read(dx(tmp_path, "##XYDATA=(X++(Y..Y))\n400 1 2\n28 3 4\n404 3 4\n408 5\n"))


def test_cut_off_between_blocks(tmp_path: Path) -> None:
    block = HEAD.format(kind="INFRARED SPECTRUM", x="1/CM", y="ABSORBANCE") + TABLE + "##END=\n"
    path = tmp_path / "link.dx"
    path.write_text("##TITLE= all\n##JCAMP-DX= 5.01\n##DATA TYPE= LINK\n##BLOCKS= 3\n" + block * 2)
    with pytest.raises(ReadError, match="3 blocks are announced"):
        read(path)


def test_last_number_cut_off_is_refused(tmp_path: Path) -> None:
    text = "##FIRSTX=400\n##LASTX=402\n##NPOINTS=2\n##XYDATA=(X++(Y..Y))\n400 123 45"
    with pytest.raises(ReadError, match="middle of line"):
        read(dx(tmp_path, text, end=""))
    assert any("##END=" in w for w in read(dx(tmp_path, text, end="\n")).warnings)


def test_too_few_points_are_cut_off_or_told(tmp_path: Path) -> None:
    text = "##FIRSTX=400\n##LASTX=420\n##NPOINTS=11\n" + TABLE
    with pytest.raises(ReadError, match="cut off"):
        read(dx(tmp_path, text, end="\n"))
    m = read(dx(tmp_path, text))
    assert m[0]["wavenumber"].values == pytest.approx([400, 402, 404, 406, 408])
    assert any("11 points are announced" in w for w in m.warnings)


@pytest.mark.parametrize(
    "separated", ["1,10;2,20;3,30", "1 10\n2 20\n3 30", "1, 10 2, 20\n3, 30", "1,10\n2,20 $$ x\n3,30"]
)
def test_points_however_separated(tmp_path: Path, separated: str) -> None:
    entry = read(dx(tmp_path, f"##NPOINTS=3\n##YFACTOR=0.1\n##XYPOINTS=(XY..XY)\n{separated}"))[0]
    assert entry["wavenumber"].values.tolist() == [1, 2, 3]
    assert entry.signal.values == pytest.approx([1, 2, 3])


def test_peaks_with_widths(tmp_path: Path) -> None:
    entry = read(dx(tmp_path, "##PEAK TABLE=(XYW..XYW)\n1,10,0.1\n5,50,0.2", kind="RAMAN SPECTRUM"))[0]
    assert entry.is_table
    assert entry.x == "raman_shift"
    assert entry["width"].values.tolist() == [0.1, 0.2]


def test_assignments_with_brackets_and_commas(tmp_path: Path) -> None:
    text = "##.OBSERVE FREQUENCY= 400\n##PEAK ASSIGNMENTS=(XYMA)\n(1.2, 3.0, T, <CH3 (a), b>)\n(3.6, 2.0, Q, <CH2>)"
    entry = read(dx(tmp_path, text, kind="NMR PEAK ASSIGNMENTS", x="PPM", y="ARBITRARY UNITS"))[0]
    assert entry["assignment"].values.tolist() == ["CH3 (a), b", "CH2"]
    assert entry["multiplicity"].values.tolist() == ["T", "Q"]
    assert entry["intensity"].values.tolist() == [3, 2]


# --- words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "x", "y", "expected"),
    [
        ("INFRARED SPECTRUM", "1/CM", "TRANSMITTANCE", ("ir", "wavenumber", "1/cm", "transmittance", "")),
        ("INFRARED SPECTRUM", "cm-1", "% Transmittance", ("ir", "wavenumber", "1/cm", "transmittance", "percent")),
        ("INFRARED SPECTRUM", "MICROMETERS", "REFLECTANCE", ("ir", "wavelength", "um", "reflectance", "")),
        ("RAMAN SPECTRUM", "1/CM", "COUNTS", ("raman", "raman_shift", "1/cm", "intensity", "counts")),
        ("UV/VIS SPECTRUM", "NANOMETERS", "A", ("uv_vis", "wavelength", "nm", "absorbance", "")),
        ("UV-VISIBLE SPECTRUM", "Wavelength (nm)", "ABSORBANCE", ("uv_vis", "wavelength", "nm", "absorbance", "")),
        ("FLUORESCENCE SPECTRUM", "NM", "CPS", ("fluorescence", "wavelength", "nm", "intensity", "count/s")),
        ("MASS SPECTRUM", "M/Z", "RELATIVE ABUNDANCE", ("mass_spectrometry", "mass_to_charge", "", "abundance", "arb")),
        ("NMR SPECTRUM", "PPM", "ARBITRARY UNITS", ("nmr", "chemical_shift", "ppm", "intensity", "arb")),
        ("NMR FID", "SECONDS", "ARBITRARY UNITS", ("nmr", "time", "s", "intensity", "arb")),
        ("EPR SPECTRUM", "GAUSS", "ARBITRARY", ("epr", "magnetic_field", "gauss", "intensity", "arb")),
    ],
)  # fmt: skip
def test_technique_names_and_units(
    tmp_path: Path, kind: str, x: str, y: str, expected: tuple[str, ...]
) -> None:
    m = read(
        dx(tmp_path, "##FIRSTX=1\n##LASTX=3\n##NPOINTS=3\n##XYDATA=(X++(Y..Y))\n1 1 2 3", kind=kind, x=x, y=y)
    )
    (axis,) = m[0].axes
    assert (m[0].technique, axis.name, axis.unit, m[0].default, m[0].signal.unit) == expected
    assert m.warnings == ()


def test_unknown_unit_costs_only_the_unit(tmp_path: Path) -> None:
    m = read(dx(tmp_path, TABLE, y="Flurlongs"))
    assert m[0].signal.unit == "Flurlongs"
    assert "Flurlongs" in m.warnings[0]


@pytest.mark.parametrize(
    ("reference", "first"),
    [
        ("", 10.0),
        ("##.SHIFT REFERENCE= INTERNAL, TMS, 3, 0.0\n", 5.0),
        ("##$OFFSET= 12.5\n", 12.5),
    ],
)
def test_chemical_shift(tmp_path: Path, reference: str, first: float) -> None:
    text = "##.OBSERVE FREQUENCY= 400\n" + reference + "##FIRSTX=4000\n##LASTX=2000\n##NPOINTS=3\n"
    entry = read(dx(tmp_path, text + "##XYDATA=(X++(Y..Y))\n4000 1 2 3", kind="NMR SPECTRUM", x="HZ"))[0]
    assert entry["chemical_shift"].values == pytest.approx([first, first - 2.5, first - 5])
    assert entry["frequency"].values.tolist() == [4000, 3000, 2000]
    assert "shift_reference" in entry.conditions


@pytest.mark.parametrize(
    ("records", "when"),
    [
        ("##LONG DATE= 2020/06/16\n##TIME= 10:11:29\n", datetime(2020, 6, 16, 10, 11, 29)),
        ("##DATE= 20/06/16\n##TIME= 2:56:01 PM\n", datetime(2020, 6, 16, 14, 56, 1)),
        ("##DATE=\tMon Feb 01 15:24:11 2021\n", datetime(2021, 2, 1, 15, 24, 11)),
        ("##DATE= Wed, Sep 22, 2010\n##TIME= 12:06:01 AM\n", datetime(2010, 9, 22, 0, 6, 1)),
        ("##DATE= 14-Nov-2019\n##TIME= 10:11:29\n", datetime(2019, 11, 14, 10, 11, 29)),
        ("##DATE= Foo 22, 2010\n", None),
        ("##DATE= 81/ 1/ 3\n##TIME= 10:40:41\n", datetime(1981, 1, 3, 10, 40, 41)),
        ("##DATE= 19/12/31\n", datetime(2019, 12, 31)),
        ("##LONGDATE= 2020/06/16 01:02:03.5 -0530\n",
         datetime(2020, 6, 16, 1, 2, 3, 500000, timezone(-timedelta(hours=5, minutes=30)))),
        ("##DATE= Tuesday\n", None),
        ("##DATE= 99/99/99\n", None),
    ],
)  # fmt: skip
def test_start(tmp_path: Path, records: str, when: datetime | None) -> None:
    assert read(dx(tmp_path, records + TABLE))[0].started == when


# --- blocks --------------------------------------------------------------------------------------------------


def test_compound_file(tmp_path: Path) -> None:
    inner = HEAD.format(kind="INFRARED SPECTRUM", x="1/CM", y="ABSORBANCE") + TABLE + "##END=\n"
    path = tmp_path / "link.dx"
    path.write_text(
        "##TITLE= all of it\n##JCAMP-DX= 5.01\n##DATA TYPE= LINK\n##BLOCKS= 2\n##SAMPLE DESCRIPTION= resin\n"
        + inner
        + inner.replace("made", "second")
        + "##END=\n"
    )
    m = read(path)
    assert [e.name for e in m] == ["spectrum", "spectrum_2"]
    assert [e.title for e in m] == ["made", "second"]
    assert (m.title, m.sample) == ("all of it", "resin")
    assert m.original_metadata["blocks"][0]["BLOCKS"] == "2"  # type: ignore[index,call-overload]


def test_blocks_one_after_another(tmp_path: Path) -> None:
    one = HEAD.format(kind="INFRARED SPECTRUM", x="1/CM", y="ABSORBANCE") + TABLE
    path = tmp_path / "many.dx"
    path.write_text(f"{one}##END=\n{one}{one}##END=\n")  # the second lacks its end
    assert len(read(path)) == 3


NTUPLES = """##NTUPLES= {kind}
##VAR_NAME= {names}
##SYMBOL= {symbols}
##VAR_TYPE= INDEPENDENT, DEPENDENT, DEPENDENT, PAGE
##VAR_DIM= {dims}
##UNITS= {units}
##FIRST= {first}
##LAST= {last}
##FACTOR= {factor}
"""


def test_mass_spectra_over_time_are_a_table(tmp_path: Path) -> None:
    head = NTUPLES.format(
        kind="MASS SPECTRUM",
        names="MASS, INTENSITY, RETENTION TIME",
        symbols="X, Y, T",
        dims=", , 2",
        units="M/Z, RELATIVE ABUNDANCE, SECONDS",
        first=", , 5",
        last=", , 10",
        factor="1, 2, 1",
    )
    pages = (
        "##PAGE= T= 5\n##NPOINTS= 2\n##DATA TABLE= (XY..XY), PEAKS\n100,50;110,60\n"
        "##PAGE= T= 10\n##NPOINTS= 3\n##DATA TABLE= (XY..XY), PEAKS\n90,1;95,2;99,3\n##END NTUPLES= MASS SPECTRUM\n"
    )
    (entry,) = read(dx(tmp_path, head + pages, kind="MASS SPECTRUM"))
    assert entry["time"].values.tolist() == [5, 5, 10, 10, 10]
    assert entry["mass_to_charge"].values.tolist() == [100, 110, 90, 95, 99]
    assert entry["abundance"].values.tolist() == [100, 120, 2, 4, 6]


@pytest.mark.parametrize("points", [3, 6])  # an ordinate's length is a page's, or that of all pages together
def test_two_dimensional_nmr(tmp_path: Path, points: int) -> None:
    head = NTUPLES.format(
        kind="nD NMR SPECTRUM",
        names="FREQUENCY1, FREQUENCY2, SPECTRUM",
        symbols="F1, F2, Y",
        dims="2, 3, 6",
        units="HZ, HZ, ARBITRARY UNITS",
        first="100, 30, 1",
        last="200, 10, 6",
        factor="1, 1, 1",
    ).replace("##VAR_DIM= 2, 3, 6", f"##.NUCLEUS= 13C, 1H\n##VAR_DIM= 2, 3, {points}")
    pages = "".join(
        f"##PAGE= F1={f}\n##DATA TABLE= (F2++(Y..Y)), PROFILE\n30 {v} {v + 1}\n10 {v + 2}\n"
        for f, v in ((100, 1), (200, 4))
    )
    m = read(dx(tmp_path, head + pages, kind="nD NMR SPECTRUM"))
    (entry,) = m
    assert not any("announced" in warning for warning in m.warnings)
    assert entry.axes[0].name == "indirect_frequency"
    assert entry.conditions["indirect_nucleus"].value == "13C"
    assert entry.signal.values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert entry.axes[0].values.tolist() == [100, 200]
    assert entry.axes[1].values.tolist() == [30, 20, 10]


# --- errors and damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("##XYDATA=(X++(Y..Y))\n400 1 2\n404 3 !\n", "line 10: '!'"),
        ("##XYDATA=(X++(Y..Y))\n400S1\n", "line 9 repeats"),
        ("##XYDATA=(X++(Y..Y))\n400J1\n", "begins with a difference"),
        ("##XYDATA=(X++(Y..Y))\n", "empty"),
        ("##NPOINTS=5\n##XYDATA=(X++(Y..Y))\n400A99999999S99999999999\n", "more than"),
        ("##XYPOINTS=(XY..XY)\n1,2,3\n", "groups of 2"),
        ("##XYDATA=(Z--Z)\n1,2\n", "form"),
        ("##NOTHING= here\n", "no data table"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, said: str) -> None:
    path = dx(tmp_path, text)
    with pytest.raises(ReadError, match=said):
        read(path)


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    for content in ("", "## heading = 3\n", "TITLE=a\n"):
        (tmp_path / "other.dx").write_text(content)
        assert READER.sniff(RawInput(tmp_path / "other.dx")) == NO


def outcome(path: Path, data: bytes) -> None:
    """Either a ReadError or a Measurement; nothing else may come out of a damaged file."""
    path.write_bytes(data)
    try:
        assert isinstance(read(path), Measurement)
    except ReadError:
        return


@pytest.mark.parametrize("name", [expected[0] for expected in golden()])
def test_damaged_files(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / name).read_bytes()
    chance = random.Random(name)
    path = tmp_path / "damaged.dx"
    for i in range(20):
        path.write_bytes(data[: len(data) * i // 20])
        if name == "jcamp-misc/CH4_CI.jdx":  # one spectrum after another, and nothing says how many
            continue
        with pytest.raises(ReadError):
            read(path)
    rounds = 50 if len(data) < 100_000 else 10
    for _ in range(rounds):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] = chance.randrange(256)
        outcome(path, bytes(changed))
    outcome(path, data[:400] + chance.randbytes(3000))


# --- what programs write against the standard ---------------------------------------------------------------

COMMON = "##TITLE=t\n##JCAMP-DX=4.24\n##DATA TYPE={kind}\n##XUNITS={x}\n##YUNITS={y}\n"


def save(folder: Path, text: str) -> Path:
    path = folder / "made.jdx"
    path.write_text(text)
    return path


SPECTRUM = COMMON.format(kind="INFRARED SPECTRUM", x="1/CM", y="ABSORBANCE")
LIMITS = "##FIRSTX=400\n##LASTX=420\n##NPOINTS=3\n##XFACTOR=1\n##YFACTOR=1\n"


@pytest.mark.parametrize("limits", [LIMITS, LIMITS.replace("400", "400,0").replace("420", "420,0")])
@pytest.mark.parametrize(
    "table",
    [
        "##XYDATA=(X++(Y..Y))\n400 0,125\n410 0,25\n420 0,5\n",
        "##XYPOINTS=(XY..XY)\n400,0; 0,125\n410,0; 0,25\n420,0; 0,5\n",
    ],
)
def test_decimal_commas(tmp_path: Path, limits: str, table: str) -> None:
    """They were once read as separators: twice as many points, half of them decimals."""
    m = read(save(tmp_path, f"{SPECTRUM}{limits}{table}##END=\n"))
    assert m[0].axes[0].values.tolist() == [400, 410, 420]
    assert m[0].signal.values.tolist() == [0.125, 0.25, 0.5]
    assert not m.warnings


@pytest.mark.parametrize("more", ["", "##RESOLUTION=4,0\n"])
def test_commas_between_whole_numbers_stay_separators(tmp_path: Path, more: str) -> None:
    text = f"{SPECTRUM}{more}##NPOINTS=2\n##PEAK TABLE=(XY..XY)\n400,5\n410,6\n##END=\n"
    (entry,) = read(save(tmp_path, text))
    assert entry["wavenumber"].values.tolist() == [400, 410]
    assert entry["absorbance"].values.tolist() == [5, 6]


def test_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "wide.jdx"
    path.write_bytes(
        f"{SPECTRUM}{LIMITS}##XYDATA=(X++(Y..Y))\n400 1\n410 2\n420 3\n##END=\n".encode("utf-16")
    )
    assert READER.sniff(RawInput(path)) == CERTAIN
    assert read(path)[0].signal.values.tolist() == [1, 2, 3]


def test_each_table_has_the_points_announced_before_it(tmp_path: Path) -> None:
    head = COMMON.format(kind="MASS SPECTRUM", x="M/Z", y="COUNTS")
    scans = "##NPOINTS=1\n##XYDATA=(XY..XY)\n14,5\n##NPOINTS=2\n##XYDATA=(XY..XY)\n14,6\n15,7\n"
    m = read(save(tmp_path, f"{head}{scans}##END=\n"))
    assert [e["abundance"].values.tolist() for e in m] == [[5], [6, 7]]
    assert not m.warnings


@pytest.mark.parametrize(
    ("kind", "x", "y", "axis", "unit"),
    [
        ("X-RAY DIFFRACTION", "2-THETA DEGREES", "COUNTS", ("two_theta", "deg"), "counts"),
        ("CHROMATOGRAM", "MINUTES", "mAU", ("time", "min"), "mAU"),
        ("TGA", "Temperature [degC]", "Weight [mg]", ("temperature", "degC"), "mg"),
    ],
)
def test_units_of_other_techniques(
    tmp_path: Path, kind: str, x: str, y: str, axis: tuple[str, str], unit: str
) -> None:
    text = COMMON.format(kind=kind, x=x, y=y) + f"{LIMITS}##XYDATA=(X++(Y..Y))\n400 1\n410 2\n420 3\n##END=\n"
    m = read(save(tmp_path, text))
    assert (m[0].axes[0].name, m[0].axes[0].unit) == axis
    assert m[0].signal.unit == unit
    assert not m.warnings


def test_a_label_begins_its_line(tmp_path: Path) -> None:
    """A comment that quotes a label does not end there, and blanks may stand before a real one."""
    path = dx(tmp_path, f"##COMMENT= as ##NPOINTS=9 says\n \t##LOCATION= here\n{TABLE}")
    kept = read(path).entries[0].original_metadata
    assert kept["COMMENT"] == "as ##NPOINTS=9 says"
    assert kept["LOCATION"] == "here"


def test_a_label_said_again_counts_where_it_first_says_something(tmp_path: Path) -> None:
    path = dx(tmp_path, f"##OPERATOR= $$ nobody\n##OPERATOR= Ann\n##OPERATOR= Bob\n{TABLE}")
    assert read(path).operator == "Ann"


def test_every_block_has_a_name_of_its_own(tmp_path: Path) -> None:
    one = HEAD.format(kind="INFRARED SPECTRUM", x="1/CM", y="ABSORBANCE") + TABLE + "##END=\n"
    path = tmp_path / "many.dx"
    path.write_text(one * 4)
    assert [e.name for e in read(path).entries] == ["spectrum", "spectrum_2", "spectrum_3", "spectrum_4"]


def test_digits_of_every_length_are_exact() -> None:
    """Up to 15 digits they are summed, beyond that ``float`` reads them: both give the number as written."""
    written = ["7" * n for n in range(1, 19)] + ["123456789012345", "100000000000001", "0"]
    assert decode_lines("0 " + " ".join(written)).y.tolist() == [float(w) for w in written]
