"""Optical spectrometers' text as other software versions and locales write it: what would be read as something else."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import registry

XS = (400.0, 410.0, 420.0, 430.0)
YS = (0.125, 0.25, 0.5, 0.75)
ROWS = "".join(f"{x:.2f}\t{y:.4f}\n" for x, y in zip(XS, YS, strict=True))


def read(folder: Path, text: str, name: str = "made.txt", encoding: str = "latin-1") -> Measurement:
    path = folder / name
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    return registry.read(path)


def check(m: Measurement, axis: tuple[str, str], signal: tuple[str, str | None]) -> None:
    entry = m.entries[0]
    assert [(a.name, a.unit) for a in entry.axes] == [axis]
    assert (entry.signal.name, entry.signal.unit) == signal
    np.testing.assert_allclose(entry.axes[0].values, XS)
    np.testing.assert_allclose(entry.signal.values, YS)


# --- JASCO --------------------------------------------------------------------------------------------------

CD, CD_SIGNAL = "circular_dichroism", ("circular_dichroism", "mdeg")
NM, SHIFT = ("wavelength", "nm"), ("raman_shift", "1/cm")
JASCO = (
    "TITLE\tsample\nDATA TYPE\t{kind}\nORIGIN\tJASCO\nDATE\t18/05/23\nTIME\t14:05:33\n"
    "SPECTROMETER/DATA SYSTEM\t{system}\nXUNITS\t{x}\nYUNITS\t{y}\nNPOINTS\t4\nXYDATA\n" + ROWS + "\n"
)


@pytest.mark.parametrize(
    ("kind", "system", "x", "y", "technique", "axis", "signal"),
    [
        ("", "J-1500", "Temperature [C]", "CD [mdeg]", CD, ("temperature", "degC"), CD_SIGNAL),
        ("", "J-815", "Time [sec]", "CD [mdeg]", CD, ("time", "s"), CD_SIGNAL),
        ("", "J-810", "Wavelength [nm]", "CD[mdeg]", CD, ("wavelength", "nm"), CD_SIGNAL),
        ("", "V-770", "sec", "ABSORBANCE", "uv_vis", ("time", "s"), ("absorbance", "")),
        ("RAMAN SPECTRUM", "NRS-5100", "1/CM", "ARBITRARY UNITS", "raman", SHIFT, ("intensity", None)),
        ("FLUORESCENCE SPECTRUM", "x", "NANOMETERS", "INTENSITY", "fluorescence", NM, ("intensity", None)),
        ("", "JASCO Corp., FP-8300", "NANOMETERS", "INTENSITY", "fluorescence", NM, ("intensity", None)),
        ("INFRARED SPECTRUM", "FT/IR-6600", "1/CM", "SINGLE BEAM", "ir", ("wavenumber", "1/cm"), ("single_beam", None)),
    ],
)  # fmt: skip
def test_jasco_over_what_the_header_says(
    tmp_path: Path, kind: str, system: str, x: str, y: str, technique: str,
    axis: tuple[str, str], signal: tuple[str, str | None],
) -> None:  # fmt: skip
    """A melting curve is over temperature: it was once read as a spectrum over nm."""
    m = read(tmp_path, JASCO.format(kind=kind, system=system, x=x, y=y))
    assert m.entries[0].technique == technique
    check(m, axis, signal)


def test_jasco_with_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    text = JASCO.format(kind="ULTRAVIOLET SPECTRUM", system="V-670", x="NANOMETERS", y="%T")
    m = read(tmp_path, text.replace(".", ",").replace("\t", ";"), "made.csv")
    check(m, ("wavelength", "nm"), ("transmittance", "percent"))
    assert m.started == datetime(2018, 5, 23, 14, 5, 33)


def test_jasco_raman_settings_below_the_data(tmp_path: Path) -> None:
    """NRS-5100 in Japanese: the model is not in the header, the laser and the exposure are below the data."""
    text = JASCO.format(kind="RAMAN SPECTRUM", system="", x="1/CM", y="INTENSITY").replace("\t", ",")
    below = (
        "\n##### Extended Information\n[測定情報]\n機種名,NRS-5100\n露光時間,50 sec\n積算回数,2\n励起波長,532.05 nm\n"
        "グレーティング,2400 l/mm\n対物レンズ,MPLFLN 100 x\nレーザー強度,0.7 mW\nCCD温度,-69.0 C\n"
    )
    m = read(tmp_path, text + below, "made.csv", "cp932")
    check(m, SHIFT, ("intensity", None))
    assert (m.instrument, m.started) == ("NRS-5100", datetime(2018, 5, 23, 14, 5, 33))
    assert {name: str(q) for name, q in m.entries[0].conditions.items()} == {
        "laser_wavelength": "532.05 nm",
        "laser_power": "0.7 mW",
        "exposure_time": "50 s",
        "repetitions": "2",
        "grating": "2400 l/mm",
        "objective": "MPLFLN 100 x",
        "detector_temperature": "-69 degC",
    }


# --- Ocean Optics -------------------------------------------------------------------------------------------


def test_spectrasuite_in_japanese(tmp_path: Path) -> None:
    text = (
        "SpectraSuiteﾃﾞｰﾀﾌｧｲﾙ\n++++++++++++++++++++++++++++++++++++\n日時: Mon Jun 11 14:59:44 JST 2018\n"
        "ﾕｰｻﾞ: Yamada\nﾀﾞｰｸｽﾍﾟｸﾄﾙ: はい\nﾘﾌｧﾚﾝｽｽﾍﾟｸﾄﾙ: はい\n分光器: USB4F06998\n"
        "Integration Time (usec): 60000 (USB4F06998)\nｽﾍﾟｸﾄﾙ平均: 5 (USB4F06998)\n"
        f"処理済みｽﾍﾟｸﾄﾙﾋﾟｸｾﾙ数: 4\n>>>>>Begin Processed Spectral Data<<<<<\n{ROWS}"
        ">>>>>End Processed Spectral Data<<<<<\n"
    )
    m = read(tmp_path, text, encoding="cp932")
    check(m, ("wavelength", "nm"), ("intensity", None))  # a reference was taken: no counts any more
    assert (m.operator, m.instrument, m.started) == (
        "Yamada",
        "USB4F06998",
        datetime(2018, 6, 11, 14, 59, 44),
    )
    conditions = m.entries[0].conditions
    assert (str(conditions["exposure_time"]), str(conditions["repetitions"])) == ("60000 us", "5")


@pytest.mark.parametrize(
    ("view", "signal"),
    [
        ("AbsoluteIrradiance", ("irradiance", "uW/(cm**2*nm)")),
        ("Absorbance", ("absorbance", "")),
        ("Transmission", ("transmittance", "percent")),
        ("Reflection", ("reflectance", "percent")),
        ("RelativeIrradiance", ("intensity", None)),
        ("HR600768", ("intensity", "counts")),
    ],
)
def test_oceanview_names_its_files_after_what_they_hold(
    tmp_path: Path, view: str, signal: tuple[str, str | None]
) -> None:
    """An irradiance was once said to be counts."""
    text = (
        f"Data from a_{view}__0__19-20-35-388.txt Node\n\nDate: Thu Jun 19 19:20:35 CEST 2025\nUser: DM\n"
        "Spectrometer: HR600768\nIntegration Time (sec): 1.000000E-1\nXAxis mode: Wavelengths\n"
        f"Number of Pixels in Spectrum: 4\n>>>>>Begin Spectral Data<<<<<\n{ROWS}"
    )
    m = read(tmp_path, text)
    check(m, ("wavelength", "nm"), signal)
    assert m.entries[0].started == datetime(2025, 6, 19, 19, 20, 35)


def test_oibase32(tmp_path: Path) -> None:
    text = (
        "OOIBase32 Version 2.0.6.5 Data File\n++++++++++++++++++++++++++++++++++++\nDate: 11-28-2010, 15:25:41\n"
        "User: Someone\nSpectrometer Serial Number: HR2A123\nIntegration Time (msec): 100\nSpectra Averaged: 3\n"
        f"Number of Pixels in File: 4\n>>>>>Begin Spectral Data<<<<<\n{ROWS}>>>>>End Spectral Data<<<<<\n"
    )
    m = read(tmp_path, text)
    check(m, ("wavelength", "nm"), ("intensity", "counts"))
    assert (m.started, m.instrument) == (datetime(2010, 11, 28, 15, 25, 41), "HR2A123")
    assert str(m.entries[0].conditions["exposure_time"]) == "100 ms"


def test_jaz_gives_the_sample_not_the_dark(tmp_path: Path) -> None:
    rows = "".join(f"{x}\t90\t5000\t{2500 + x}\t{y}\n" for x, y in zip(XS, YS, strict=True))
    text = (
        "Jaz Data File\n++++++++++++\nDate: Fri Sep 04 14:12:33 2009\nUser: jaz\nSpectrometers: JAZA1234\n"
        "Integration Time (usec): 20000 (JAZA1234)\nSpectra Averaged: 10 (JAZA1234)\n"
        f">>>>>Begin Processed Spectral Data<<<<<\nW\tD\tR\tS\tP\n{rows}>>>>>End Processed Spectral Data<<<<<\n"
    )
    m = read(tmp_path, text, "made.jaz")
    (entry,) = m
    assert entry["intensity"].values.tolist() == [2500 + x for x in XS]
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("dark", "counts"), ("reference", "counts"), ("intensity", "counts"), ("processed", None),
    ]  # fmt: skip
    assert not m.warnings


# --- Shimadzu, Agilent, Hitachi -----------------------------------------------------------------------------


def test_uvprobe_with_semicolons(tmp_path: Path) -> None:
    text = '"sample1 - RawData"\n"Wavelength nm.";"R%"\n' + ROWS.replace(".", ",").replace("\t", ";")
    m = read(tmp_path, text)
    check(m, ("wavelength", "nm"), ("reflectance", "percent"))
    assert m.sample == "sample1"


@pytest.mark.parametrize(
    ("mode", "signal"),
    [
        ("Transmittance", ("transmittance", "percent")),
        ("Absorbance", ("absorbance", "")),
        ("Energy", ("intensity", None)),
    ],
)
def test_uvprobe_with_summary_and_method(tmp_path: Path, mode: str, signal: tuple[str, str | None]) -> None:
    """In German: the settings have decimal commas, the data points."""
    text = (
        "[SUMMARY]\nSoftware Information\nSoftware Name:\tUVProbe\nVersion:\t2.43\n\nData Information\n"
        "Data is:\tOriginal\nAnalyst:\tsato\nDate/Time:\t12.02.2018 16:38:29\n\nInstrument Information\n"
        f"Instrument Name:\tUV-3101PC\n\n[METHOD]\nWavelength Range (nm.):\t300,0000 to 2500,0000\nScan Mode:\tAuto\n"
        f"Measuring Mode:\t{mode}\nSlit Width:\t5,0 nm\n\n[DATA]\nWavelength\tData\n{ROWS}"
    )
    m = read(tmp_path, text)
    check(m, ("wavelength", "nm"), signal)
    assert (m.instrument, m.operator, m.started) == ("UV-3101PC", "sato", datetime(2018, 2, 12, 16, 38, 29))
    assert str(m.entries[0].conditions["spectral_bandwidth"]) == "5 nm"


def test_uvprobe_kinetics(tmp_path: Path) -> None:
    m = read(tmp_path, '"s - RawData"\n"Time sec.","Abs."\n' + ROWS.replace("\t", ","))
    check(m, ("time", "s"), ("absorbance", ""))


def test_uvprobe_two_data_sets_both_with_units(tmp_path: Path) -> None:
    rows = "".join(f"{x},{y},{x + 1},{2 * y}\n" for x, y in zip(XS, YS, strict=True))
    text = f'"A - RawData","","B - RawData",""\n"Wavelength nm.","Abs.","Wavelength nm.","Abs."\n{rows}'
    (entry,) = read(tmp_path, text)
    assert [(s.name, s.unit) for s in entry.signals] == [
        ("absorbance", ""), ("wavelength_2", "nm"), ("absorbance_2", ""),
    ]  # fmt: skip
    assert entry["absorbance_2"].values.tolist() == [2 * y for y in YS]


@pytest.mark.parametrize(
    ("names", "axis", "signal"),
    [
        ("nm\tData", ("wavelength", "nm"), ("intensity", None)),
        ("nm\tAbs", ("wavelength", "nm"), ("absorbance", "")),
        ("s\tData", ("time", "s"), ("intensity", None)),
    ],
)
def test_hitachi(tmp_path: Path, names: str, axis: tuple[str, str], signal: tuple[str, str | None]) -> None:
    text = (
        "Sample:\tA\nFile name:\tA.FDS\nRun Date:\t10:20:30, 05/06/2019\n\nInstrument\n"
        "Model:\tF-7000 FL Spectrophotometer\n\nPeaks\nPeak #\tStart (nm)\tApex (nm)\n\n"
        f"Data points\n{names}\n{ROWS}"
    )
    m = read(tmp_path, text)
    check(m, axis, signal)
    assert (m.sample, m.instrument) == ("A", "F-7000 FL Spectrophotometer")


# --- PerkinElmer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "units", "technique", "axis", "signal"),
    [
        ("UV", ("nm", "A"), "uv_vis", NM, ("absorbance", "")),
        ("UV", ("NM", "%T"), "uv_vis", NM, ("transmittance", "percent")),
        ("IR", ("CM-1", "%T"), "ir", ("wavenumber", "1/cm"), ("transmittance", "percent")),
        ("IR", ("cm-1", "A"), "ir", ("wavenumber", "1/cm"), ("absorbance", "")),
        ("FL", ("NM", ""), "fluorescence", NM, ("intensity", None)),
    ],
)
def test_perkinelmer_peds(
    tmp_path: Path, kind: str, units: tuple[str, str], technique: str,
    axis: tuple[str, str], signal: tuple[str, str | None],
) -> None:  # fmt: skip
    """The units stand on lines of their own, with no name before them."""
    text = (
        f"PE {kind}       SUBTECH     SPECTRUM    ASCII       PEDS        4.00\n   -1\nsample.sp\n14/03/18\n"
        f"16:13:28.000\n14/03/18\n16:13:28.000\nAnalyst\nfoo\n#HDR\n-1\n-1\n#GR\n{units[0]}\n{units[1]}\n1.0\n0.0\n"
        f"430.0\n-10.0\n4\n8\n0.75\n0.125\n#DATA\n{ROWS}"
    )
    m = read(tmp_path, text, "made.asc")
    assert m.entries[0].technique == technique
    check(m, axis, signal)
    assert m.started == datetime(2014, 3, 18)


# --- Avantes ------------------------------------------------------------------------------------------------


def test_avasoft_in_french(tmp_path: Path) -> None:
    rows = ROWS.replace("\t", ";").replace(".", ",")
    text = f"M-\nIntegration time: 175 ms\nWave   ;Transmittance\n[nm]   ;[% transmittance] \n{rows}"
    m = read(tmp_path, text, "made.ttt")
    check(m, ("wavelength", "nm"), ("transmittance", "percent"))
    assert not m.warnings


def test_avasoft_7(tmp_path: Path) -> None:
    rows = ROWS.replace("\t", ";")
    text = (
        "sample\nIntegration time: 100.00 ms\nAverage: 10 scans\nNr of pixels used for smoothing: 2\n"
        f"Data measured with spectrometer name: 0511041U1\nWave   ;Transmittance\n[nm]   ;[%]\n\n{rows}"
    )
    m = read(tmp_path, text, "made.trt")
    check(m, ("wavelength", "nm"), ("transmittance", "percent"))
    assert str(m.entries[0].conditions["exposure_time"]) == "100 ms"
    assert m.instrument == "0511041U1"


# --- Raman --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "axis", "unit"),
    [("Z", "z", "um"), ("Temperature", "temperature", "degC"), ("Time", "time", "s")],
)
def test_wire_series(tmp_path: Path, names: str, axis: str, unit: str) -> None:
    rows = "".join(f"{a}\t{x}\t{a + y}\n" for a in (20.0, 30.0) for x, y in zip(XS[::-1], YS, strict=True))
    (entry,) = read(tmp_path, f"#{names}\t\t#Wave\t\t#Intensity\n{rows}")
    assert [(a.name, a.unit) for a in entry.axes] == [(axis, unit), ("raman_shift", "1/cm")]
    assert entry.signal.values.tolist() == [[20.0 + y for y in YS], [30.0 + y for y in YS]]


def test_wire_map_with_z(tmp_path: Path) -> None:
    rows = "".join(
        f"{x}\t{y}\t5\t{w}\t{x + 10 * y}\n" for y in (1.0, 2.0) for x in (3.0, 4.0, 5.0) for w in XS
    )
    (entry,) = read(tmp_path, f"#X\t\t#Y\t\t#Z\t\t#Wave\t\t#Intensity\n{rows}")
    sizes = {a.name: len(a.values) for a in entry.axes}
    assert sizes == {"z": 1, "y": 2, "x": 3, "raman_shift": 4}


LABSPEC_5 = (
    "#Exposition=\t10\n#Accumulation=\t2\n#Laser (nm)=\t532.1\n#Objectiv=\tx50\n#Grating=\t600\n"
    "#Date=\t12.03.2010 14:02\n"
)


def test_labspec_5(tmp_path: Path) -> None:
    m = read(tmp_path, LABSPEC_5 + ROWS)
    check(m, ("raman_shift", "1/cm"), ("intensity", "counts"))
    conditions = {name: str(q) for name, q in m.entries[0].conditions.items()}
    assert conditions == {
        "exposure_time": "10 s", "repetitions": "2", "laser_wavelength": "532.1 nm", "objective": "x50",
        "grating": "600",
    }  # fmt: skip
    assert m.started == datetime(2010, 3, 12, 14, 2)


def test_labspec_map_with_decimal_commas(tmp_path: Path) -> None:
    def row(*numbers: float) -> str:
        return "\t".join(str(n) for n in numbers).replace(".", ",") + "\n"

    text = "#Acq. time (s)=\t1\n#Accumulations=\t1\n#AxisUnit[1]=\t1/cm\n\t\t" + row(*(x + 0.5 for x in XS))
    text += "".join(row(x, y, *(x + y + v for v in YS)) for y in (1.5, 2.5) for x in (3.5, 4.5))
    (entry,) = read(tmp_path, text)
    assert entry["raman_shift"].values.tolist() == [x + 0.5 for x in XS]
    assert entry["x"].values.tolist() == [3.5, 4.5]
    assert entry.signal.values[1, 0].tolist() == [6.0 + v for v in YS]
