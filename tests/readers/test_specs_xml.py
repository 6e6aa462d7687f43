"""SPECS SpecsLab2 XML: what a surface analyst would lose if the reader were wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.specs_xml import READER

FOLDER = "specs-xml"
ONE = "FAIRmat-NFDI-pynxtools-xps-b79fb8ed32__In-situ_PBTTT_XPS_SPECS.xml"
TWO = "In-situ_PBTTT_XPS_SPECS.xml"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


# pynxtools-xps 0.6.3 reads the same counts; it adds the detector's channels without their shifts (sums 367235,
# 106147, 295049, 485981, 167121, which this reader gives too when told to), so that its peaks are half as high.
GOLDEN = {
    # file, entry: points, first and last kinetic energy, sum and largest of the counts
    (ONE, "survey"): (1403, (553.6, 1254.6), 367972, 1502),
    (ONE, "c1s"): (201, (963.6, 973.6), 106299, 1793),
    (TWO, "_1_survey"): (1403, (553.6, 1254.6), 295509, 1714),
    (TWO, "_2_c1s"): (201, (963.6, 973.6), 487762, 11240),
    (TWO, "_3_s_2p"): (281, (1080.6, 1094.6), 167551, 2336),
}


@pytest.mark.parametrize(("name", "entry_name"), GOLDEN)
def test_real_numbers(instruments: Path, name: str, entry_name: str) -> None:
    points, ends, total, largest = GOLDEN[name, entry_name]
    assert READER.sniff(RawInput(instruments / FOLDER / name)) == CERTAIN
    entry = read(instruments / FOLDER / name)[entry_name]
    assert entry["kinetic_energy"].values[[0, -1]] == pytest.approx(ends, abs=1e-9)
    assert entry["binding_energy"].values + entry["kinetic_energy"].values == pytest.approx(1253.6, abs=1e-9)
    assert (entry.signal.unit, entry.signal.values.shape) == ("counts", (points,))
    assert (entry.signal.values.sum(), entry.signal.values.max()) == (total, largest)


def test_the_channels_are_added_at_equal_energy(instruments: Path) -> None:
    """Added sample by sample, five channels 1.5 eV apart give a low, broad C 1s line at the wrong energy."""
    entry = read(instruments / FOLDER / TWO)["_2_c1s"]
    energies, counts = entry["binding_energy"].values, entry.signal.values
    assert energies[np.argmax(counts)] == pytest.approx(285.0)
    above = energies[counts > (counts.max() + counts.min()) / 2]
    assert above.max() - above.min() < 1.6


def test_each_scan_is_kept_and_they_add_up(instruments: Path) -> None:
    entry = read(instruments / FOLDER / TWO)["_3_s_2p"]
    scans = entry["scan_intensity"]
    assert scans.values.shape == (15, 281)
    assert np.array_equal(scans.values.sum(axis=0), entry.signal.values)


def test_a_region_stopped_early_says_so(instruments: Path) -> None:
    m = read(instruments / FOLDER / ONE)
    assert any("was to have 15 scans and has 2" in w for w in m.warnings)
    assert m["c1s"].conditions["repetitions"].value == 2


def test_conditions_transmission_and_metadata(instruments: Path) -> None:
    m = read(instruments / FOLDER / TWO)
    assert m.instrument.startswith("PHOIBOS")
    entry = m["_2_c1s"]
    assert entry.started == datetime(2022, 1, 29, 0, 29, 45, tzinfo=UTC)
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["pass_energy"] == (20.0, "eV")
    assert told["excitation_source"] == ("Mg", None)
    assert told["work_function"] == (4.37, "eV")
    assert "source_power" not in told  # a lamp the program does not control
    assert entry["transmission"].values[0] == 2.88790975041845
    detectors = entry.original_metadata["analyzer_info"]["detectors"]  # type: ignore[index, call-overload]
    assert detectors[4]["parameters"] == {"Threshold [mV]": "2.87109375", "Deadtime [ns]": "-0"}  # type: ignore[index, call-overload]


# --- variants no real file shows ------------------------------------------------------------------------------


def made(counts: list[list[str]], **definition: object) -> bytes:
    """One region; ``counts`` are the scans of each cycle."""
    told = {
        "analysis_method": "XPS",
        "curves_per_scan": 1,
        "values_per_curve": 3,
        "scan_delta": 1,
        "excitation_energy": 100.5,
        "kinetic_energy": 50,
        "pass_energy": 10,
        "mode": "FixedAnalyzerTransmission",
    } | definition
    mode = told.pop("mode")
    detectors = "".join(
        f'<struct><double name="position">0</double><double name="shift">{s}</double></struct>'
        for s in (0.1, -0.1)
    )
    cycles = "".join(
        '<struct type_name="Cycle"><ulong name="time">1600000000</ulong><sequence name="scans">'
        + "".join(
            f'<struct type_name="ScanData"><sequence name="counts" length="{len(c.split())}" '
            f'type_name="CountsSeq"><ulong>{c}</ulong></sequence></struct>'
            for c in scans
        )
        + "</sequence></struct>"
        for scans in counts
    )
    region = "".join(f'<double name="{k}">{v}</double>' for k, v in told.items())
    return (
        '<?xml version="1.0"?><any version="1.6"><sequence type_id="IDL:specs.de/Serializer/RegionGroupSeq:1.0">'
        '<struct type_name="RegionGroup"><string name="name">group</string><sequence name="regions">'
        '<struct type_name="RegionData"><string name="name">line</string><struct name="region">'
        f'<struct name="scan_mode"><string name="name">{mode}</string></struct>{region}</struct>'
        '<ulong name="mcd_head">1</ulong><ulong name="mcd_tail">1</ulong>'
        f'<struct name="analyzer_info"><sequence name="detectors">{detectors}</sequence></struct>'
        f'<sequence name="cycles">{cycles}</sequence></struct></sequence></struct></sequence></any>'
    ).encode()


def reads(data: bytes, folder: Path) -> Measurement:
    path = folder / "made.xml"
    path.write_bytes(data)
    assert READER.sniff(RawInput(path)) == CERTAIN
    return read(path)


#: Two channels, five samples; the first channel is shifted by +1 eV, the second by -1 eV: a line at the third.
SCAN = "0 0  9 0  0 0  0 9  0 0"


def test_cycles_become_an_axis(tmp_path: Path) -> None:
    m = reads(made([[SCAN, SCAN], [SCAN, SCAN]]), tmp_path)
    entry = m["line"]
    assert entry.signal.axes == ("cycle", "binding_energy")
    assert entry.signal.values.tolist() == [[0, 36, 0], [0, 36, 0]]
    assert entry["scan_intensity"].values.shape == (2, 2, 3)
    assert entry["binding_energy"].values.tolist() == [50.5, 49.5, 48.5]


def test_missing_scans_are_told_and_left_empty(tmp_path: Path) -> None:
    m = reads(made([[SCAN, SCAN], [SCAN]]), tmp_path)
    assert m["line"].signal.values[:, 1].tolist() == [36, 18]
    assert np.isnan(m["line"]["scan_intensity"].values[1, 1]).all()
    assert any("1 of 4 scans" in w for w in m.warnings)


def test_several_curves_and_fixed_energies(tmp_path: Path) -> None:
    m = reads(made([[SCAN + " " + SCAN]], curves_per_scan=2), tmp_path)
    assert m["line"].signal.axes == ("curve", "binding_energy")
    fixed = reads(made([[SCAN]], mode="FixedEnergies"), tmp_path)
    assert fixed["line"].signal.axes == ("point",)
    assert fixed["line"].signal.values.tolist() == [9, 0, 9]


def test_ultraviolet_by_name_and_auger_over_kinetic_energy(tmp_path: Path) -> None:
    assert reads(made([[SCAN]], analysis_method="UPS"), tmp_path)[0].technique == "ups"
    auger = reads(made([[SCAN]], analysis_method="AES"), tmp_path)[0]
    assert auger.signal.axes == ("kinetic_energy",)


def test_counts_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    for scan in ("1 2 3", "1 2 x 4 5 6 7 8 9 10"):
        with pytest.raises(ReadError, match="line"):
            reads(made([[scan]]), tmp_path)
    with pytest.raises(ReadError, match="no spectrum"):
        reads(made([]), tmp_path)
    with pytest.raises(ReadError, match="announced"):
        reads(made([[SCAN]]).replace(b'length="10"', b'length="11"'), tmp_path)


# --- damage ---------------------------------------------------------------------------------------------------


def test_damage_never_breaks_out(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / FOLDER / ONE).read_bytes()
    assert cut(READER, data, tmp_path / "cut.xml") == []
    damage(READER, data, tmp_path / "damaged.xml", within=8000)


def test_other_xml_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text("<any><sequence/></any>")
    assert READER.sniff(RawInput(tmp_path / "x.xml")) == NO


def test_scans_of_the_photon_energy_are_over_the_photon_energy(tmp_path: Path) -> None:
    """At a synchrotron an absorption edge was drawn as a binding energy that nothing had."""
    entry = reads(made([["0 0 9 0 0 0 0 9 0 0"]], mode="ConstantFinalState"), tmp_path)["line"]
    assert (entry.technique, entry.signal.axes) == ("nexafs", ("photon_energy",))
    assert entry["photon_energy"].values.tolist() == [100.5, 101.5, 102.5]
    assert "excitation_energy" not in entry.conditions
    assert str(entry.conditions["kinetic_energy"]) == "50 eV"
    entry = reads(made([[SCAN]], mode="ConstantInitialState"), tmp_path)["line"]
    assert entry["kinetic_energy"].values.tolist() == [50, 51, 52]
    assert entry["photon_energy"].values.tolist() == [100.5, 101.5, 102.5]
    scan = reads(made([[SCAN]], mode="DetectorVoltageScan"), tmp_path)
    assert scan["line"].signal.axes == ("point",)
    assert "detector's voltage" in scan.warnings[0]


def test_a_snapshot_holds_the_sum_of_its_channels(tmp_path: Path) -> None:
    entry = reads(made([["1 2 3"]], mode="Snapshot (FAT)"), tmp_path)["line"]
    assert entry.signal.values.tolist() == [1, 2, 3]
    assert entry["binding_energy"].values.tolist() == [50.5, 49.5, 48.5]
