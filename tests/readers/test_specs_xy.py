"""SPECS text export: what a surface analyst would lose if the reader were wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.specs_xy import READER

REAL = "specs-xy/MgFe2O4.xy"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


@pytest.fixture(scope="module")
def real(instruments: Path) -> Measurement:
    assert READER.sniff(RawInput(instruments / REAL)) == CERTAIN
    return read(instruments / REAL)


# pynxtools-xps 0.6.3 gives the same sums (it keeps one of two regions that have the same name).
GOLDEN = {
    "align_2": ((3000,), (0, 2999), 29571830.0),
    "survey": ((1351,), (1350, 0), 31883023.161080003),
    "fe2p_2": ((1501,), (770, 695), 8956584.1708),
    "fe2p_3": ((5, 1501), (770, 695), 43730038.80296667),
    "n1s": ((5, 361), (410, 392), 7219565.70595),
    "fermi_level": ((5, 61), (1.5, -1.5), 10064.057159),
    "vb_2": ((4, 211), (12, 1.5), 251737.89769),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(real: Measurement, name: str) -> None:
    shape, ends, total = GOLDEN[name]
    entry = real[name]
    assert entry.signal.unit == "count/s"
    assert entry.signal.values.shape == shape
    assert entry.axes[-1].values[[0, -1]].tolist() == list(ends)
    assert entry.signal.values.sum() == pytest.approx(total, rel=1e-12)


def test_every_region_is_there_and_a_spectrum_is_shown_first(real: Measurement) -> None:
    assert len(real) == 30
    assert real.default == "survey"
    assert real["survey"]["binding_energy"].values[[0, -1]].tolist() == [1350, 0]
    assert real["align"].signal.axes == ("point",)
    assert real["fe2p"].signal.values.shape == (56,)
    assert real["fe2p_3"].title == "Fe2p – 2 S1110, UHV, RT, Epass = 20 eV"
    assert real.warnings == ()


def test_scans_are_kept_and_their_rates_averaged(real: Measurement) -> None:
    entry = real["n1s"]
    scans = entry["scan_intensity"].values
    assert scans.shape == (5, 6, 361)
    assert scans.mean(axis=1) == pytest.approx(entry.signal.values, rel=1e-12)
    assert entry.conditions["repetitions"].value == 6


def test_conditions_and_start(real: Measurement) -> None:
    told = {name: (q.value, q.unit) for name, q in real["fe2p_3"].conditions.items()}
    assert told["excitation_energy"] == (1486.61, "eV")
    assert told["pass_energy"] == (20.0, "eV")
    assert told["energy_step"] == (0.05, "eV")
    assert told["dwell_time"] == (0.3, "s")
    assert told["lens_mode"] == ("AngleResolvedMode22:1.5kV", None)
    assert told["software_version"] == ("4.100.1-r111001", None)
    assert real["fe2p_3"].started == datetime(2023, 8, 24, 15, 14, 14, tzinfo=UTC)
    assert real.original_metadata["Energy Axis"] == "Binding Energy"


# --- variants no real file shows ------------------------------------------------------------------------------

HEAD = """# Created by:        SpecsLab2, Version 2.85-r46543
#
# XY-Serializer Export Settings:
#   Comment Prefix:           #
#   Counts Per Second:        no
#   Kinetic Energy Axis:      yes
#
# Group:                        group
#
# Region:                       line
# Anylsis Method:               UPS
# Values/Curve:                 3
# Excitation Energy:            21.2
# Comment:                      at 10:30
"""


def block(place: str, rows: str, labels: str = "energy counts", more: str = "") -> str:
    return f"\n# {place}\n#\n{more}# ColumnLabels: {labels}\n#\n{rows}\n"


def reads(text: str, folder: Path, encoding: str = "utf-8") -> Measurement:
    path = folder / "made.xy"
    path.write_bytes(text.encode(encoding))
    assert READER.sniff(RawInput(path)) == CERTAIN
    return read(path)


def test_kinetic_energies_of_the_older_program(tmp_path: Path) -> None:
    m = reads(HEAD + block("Cycle: 0, Curve: 0", "15 1\n16 2\n17 3"), tmp_path)
    entry = m["line"]
    assert entry.technique == "ups"
    assert entry["binding_energy"].values == pytest.approx([6.2, 5.2, 4.2])
    assert entry["kinetic_energy"].values.tolist() == [15, 16, 17]
    assert entry.signal.unit == "counts"
    assert entry.conditions["comment"].value == "at 10:30"


def test_another_prefix_line_ends_and_encoding(tmp_path: Path) -> None:
    text = (
        (HEAD + block("Cycle: 0, Curve: 0", "15 1\n16 2\n17 3")).replace("#", "//").replace("group", "試料")
    )
    m = reads(text.replace("\n", "\r\n"), tmp_path, "cp932")
    assert m.title == "試料"
    assert m["line"].signal.values.tolist() == [1, 2, 3]


def test_counts_of_scans_are_added_and_a_stopped_scan_is_left_out(tmp_path: Path) -> None:
    scans = block("Cycle: 0, Curve: 0, Scan: 0", "15 1\n16 2\n17 3") + block(
        "Cycle: 0, Curve: 0, Scan: 1", "15 1\n16 2\n17 3"
    )
    assert reads(HEAD + scans, tmp_path)["line"].signal.values.tolist() == [2, 4, 6]
    m = reads(HEAD + scans + block("Cycle: 0, Curve: 0, Scan: 2", "15 9\n16 9"), tmp_path)
    assert m["line"].signal.values.tolist() == [2, 4, 6]
    assert m["line"]["scan_intensity"].values[2, :2].tolist() == [9, 9]
    assert np.isnan(m["line"]["scan_intensity"].values[2, 2])
    assert any("1 of 3 scans" in w for w in m.warnings)


def test_curves_with_ordinates_are_angles(tmp_path: Path) -> None:
    curves = "".join(
        block(f"Cycle: 0, Curve: {i}", f"15 {i}\n16 2\n17 3", more=f"# NonEnergyOrdinate: {angle}\n")
        for i, angle in enumerate((-5.5, 0, 5.5))
    )
    entry = reads(HEAD + curves, tmp_path)["line"]
    assert entry.signal.axes == ("angle", "binding_energy")
    assert entry["angle"].values.tolist() == [-5.5, 0, 5.5]
    assert entry.signal.values[:, 0].tolist() == [0, 1, 2]
    plain = reads(HEAD + curves.replace("NonEnergyOrdinate", "Other"), tmp_path)["line"]
    assert plain.signal.axes == ("curve", "binding_energy")


def test_separate_channels_are_added(tmp_path: Path) -> None:
    channels = "".join(
        block(f"Cycle: 0, Curve: 0, Scan: 0, Channel: {i}", "15 1\n16 2\n17 3") for i in range(4)
    )
    assert reads(HEAD + channels, tmp_path)["line"].signal.values.tolist() == [4, 8, 12]


def test_transmission_error_and_external_channel(tmp_path: Path) -> None:
    text = (
        HEAD
        + block(
            "Cycle: 0, Curve: 0", "15 1 .5 1\n16 2 .6 1.4\n17 3 .7 1.7", "energy counts transmission error"
        )
        + "# External Channel Data Cycle: 0, Ring Current [mA] (Remote Out Device)\n"
        "# ColumnLabels: energy Ring Current [mA] (Remote Out Device)\n15 300\n16 299\n17 298\n"
    )
    entry = reads(text, tmp_path)["line"]
    assert entry["transmission"].values.tolist() == [0.5, 0.6, 0.7]
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.tolist() == [1, 1.4, 1.7]
    assert (entry["ring_current"].unit, entry["ring_current"].values.tolist()) == ("mA", [300, 299, 298])


def test_what_varies_from_cycle_to_cycle_is_a_signal(tmp_path: Path) -> None:
    text = HEAD
    for cycle, kelvin in enumerate((300.5, 310)):
        text += f'\n# Cycle: {cycle}\n#\n# Parameter: "Loop" = {cycle}\n# Parameter: "Temperature [K]" = {kelvin}\n'
        text += block(f"Cycle: {cycle}, Curve: 0", "15 1\n16 2\n17 3")
    entry = reads(text, tmp_path)["line"]
    assert (entry["temperature"].unit, entry["temperature"].values.tolist()) == ("K", [300.5, 310])


def test_odd_tokens_cost_themselves(tmp_path: Path) -> None:
    rows = "\n".join(f"{i} 1" for i in range(20)) + "\n20 ---"
    text = HEAD.replace("21.2", "unknown").replace("UPS", "Zap") + block("Cycle: 0, Curve: 0", rows)
    m = reads(text, tmp_path)
    assert np.isnan(m["line"].signal.values[-1])
    assert m["line"].signal.axes == ("kinetic_energy",)
    assert any("'---'" in w for w in m.warnings)
    assert any("'Zap'" in w for w in m.warnings)


# --- damage ---------------------------------------------------------------------------------------------------


def test_a_cut_within_a_scan_is_refused(tmp_path: Path) -> None:
    text = HEAD + block("Cycle: 0, Curve: 0", "15 1\n16 22\n17 33")
    for length in (len(text) - 3, len(text) - 6, len(text) - 12):
        with pytest.raises(ReadError, match="cut off"):
            reads(text[:length].rstrip("\n"), tmp_path)
    assert any("has 2" in w for w in reads(text.replace("17 33\n", ""), tmp_path).warnings)


def test_damage_never_breaks_out(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / REAL).read_bytes()[:400_000]
    cut(READER, data, tmp_path / "cut.xy")
    damage(READER, data[:200_000], tmp_path / "damaged.xy", within=3000)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "x.xy").write_text("# Created by: me\n1 2\n")
    assert READER.sniff(RawInput(tmp_path / "x.xy")) == NO


@pytest.mark.parametrize(
    ("mode", "labels"),
    [("ConstantFinalState", "energy counts"), ("FixedAnalyzerTransmission", "excitation_energy counts")],
)
def test_absorption_is_over_the_photon_energy(tmp_path: Path, mode: str, labels: str) -> None:
    """An edge measured at one kinetic energy was drawn over binding energies."""
    head = HEAD.replace("# Comment:", f"# Scan Mode:                    {mode}\n# Comment:")
    m = reads(head + block("Cycle: 0, Curve: 0", "280 1\n281 2\n282 3", labels), tmp_path)
    assert m["line"]["photon_energy"].values.tolist() == [280, 281, 282]
    assert m["line"].technique == ("nexafs" if mode == "ConstantFinalState" else "ups")
