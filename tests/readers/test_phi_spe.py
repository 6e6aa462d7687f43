"""PHI spectra and depth profiles: what a surface analyst would lose if the reader were wrong."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput
from zairyo.readers.invariants import check
from zairyo.readers.phi_spe import READER

FOLDER = "phi-spe"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


# --- real files; pynxtools-xps 0.6.3 agrees on every number of GOLDEN -----------------------

GOLDEN = {
    # file, entry: shape, first and last binding energy, sum and largest intensity in counts per second
    ("SnO2_10nm.spe", "su1s"): ((1751,), (1400, 0), 116666211.58277893, 417658.34375),
    ("SnO2_10nm_1.pro", "su1s"): ((21, 1751), (1400, 0), 2202633437.264633, 779491.6875),
    ("SnO2_10nm_1.pro", "si2p"): ((21, 101), (114, 94), 7354895.628417969, 8475.0009765625),
    ("SnO2_10nm_1.pro", "sn3d5"): ((21, 101), (500, 480), 57596650.0, 195875.0),
    ("XPS_PHI_QUANTERA_survey.spe", "su1s"): ((2801,), (1380, -20), 704555178.1890869, 1247125.25),
    ("XPS_PHI_QUANTERA_narrow.spe", "cu2p"): ((501,), (974, 924), 26374663.669921875, 201043.296875),
    ("XPS_PHI_QUANTERA_narrow.spe", "cu_lmm"): ((801,), (620, 540), 31586164.87890625, 92718.7734375),
    ("XPS_PHI_QUANTERA_narrow.spe", "c1s"): ((201,), (298, 278), 2265541.2626953125, 17435.796875),
    ("XPS_PHI_QUANTERA_depth_1.pro", "o1s"): ((25, 201), (543, 523), 33253287.53491211, 64983.33203125),
    ("XPS_PHI_QUANTERA_depth_1.pro", "si2p"): ((25, 201), (112, 92), 13420115.625, 27470.3125),
}


@pytest.mark.parametrize(("name", "entry_name"), GOLDEN)
def test_real_numbers(instruments: Path, name: str, entry_name: str) -> None:
    shape, ends, total, largest = GOLDEN[name, entry_name]
    assert READER.sniff(RawInput(instruments / FOLDER / name)) == CERTAIN
    measurement = read(instruments / FOLDER / name)
    assert measurement.warnings == ()
    entry = measurement[entry_name]
    assert entry.technique == "xps"
    assert entry.signal.unit == "count/s"
    assert entry.signal.values.shape == shape
    assert entry["binding_energy"].values[[0, -1]] == pytest.approx(ends, abs=1e-9)
    assert entry.signal.values.sum(dtype=float) == pytest.approx(total, rel=1e-7)
    assert entry.signal.values.max() == pytest.approx(largest, rel=1e-7)


def test_counts_per_second_times_the_counting_time_are_counts(instruments: Path) -> None:
    """Dwell time and sweeps are right: what was counted at each point comes out as whole numbers."""
    for name in ("XPS_PHI_QUANTERA_narrow.spe", "XPS_PHI_QUANTERA_depth_1.pro", "SnO2_10nm.spe"):
        for entry in read(instruments / FOLDER / name):
            if entry.is_table:
                continue
            dwell, sweeps = entry.conditions["dwell_time"], entry.conditions["repetitions"]
            counts = entry.signal.values.astype(float) * float(dwell.value) * float(sweeps.value)  # type: ignore[arg-type]
            assert np.abs(counts - np.rint(counts)).max() < 0.05


def test_a_depth_profile_has_the_sputter_time_it_states(instruments: Path) -> None:
    profile = read(instruments / FOLDER / "XPS_PHI_QUANTERA_depth_1.pro")
    time: Any = profile["o1s"]["etch_time"]
    assert time.unit == "s"
    assert time.values[[0, 1, 6, 7, 18, 19, 24]].tolist() == [0, 60, 360, 390, 720, 780, 1080]
    table = profile["depth_profile"]
    assert (table.x, table.default) == ("etch_time", "area_o1s")
    assert table["area_o1s"].unit == "count*eV/s"
    assert table["area_o1s"].values[:2] == pytest.approx([88925.734, 122217.81])
    assert table["area_si2p"].values[-1] == pytest.approx(32959.18, rel=1e-3)


def test_conditions_and_metadata(instruments: Path) -> None:
    m = read(instruments / FOLDER / "XPS_PHI_QUANTERA_narrow.spe")
    assert (m.sample, m.instrument) == ("#3 Cu foil", "PHI Quantera SXM")
    assert m.started == datetime(2017, 6, 6)
    told = {name: (q.value, q.unit) for name, q in m["cu2p"].conditions.items()}
    assert told["excitation_energy"] == (1486.6, "eV")
    assert told["excitation_source"] == ("Al mono", None)
    assert told["pass_energy"] == (55.0, "eV")
    assert told["work_function"] == (4.25, "eV")
    assert told["beam_width_x"] == (100.0, "um")
    assert m.original_metadata["SXIFilename"] == ""
    assert m.original_metadata["Detector Acq Time"] == "10.0 (min)"
    assert len(m.original_metadata["Channel Info"]) == 32  # type: ignore[arg-type]
    cluster = read(instruments / FOLDER / "SnO2_10nm_1.pro")[0].conditions
    assert (cluster["sputter_energy"].value, cluster["sputter_energy"].unit) == (10.0, "keV")
    assert cluster["sputter_gun"].value == "GCIB"


# --- variants no real file shows ------------------------------------------------------------------------------

HEADER = {
    "Platform": "PC",
    "Technique": "XPS",
    "FileType": "SPECTRUM",
    "FileDesc": "film",
    "AcqFileDate": "2020 2 29",
    "NoSpectralReg": "1",
    "SpectralRegDef": "1 1 C 1s 6 5 -0.5000 290.0 288.0 290.0 288.0 0.5 23.5 AREA",
    "SpectralRegDef2": "1 2.0 5 0 4 1",
    "XraySource": "Mg 1253.6",
}


def spe(
    records: list[tuple[int, tuple[str, ...], str, np.ndarray[Any, Any]]],
    header: dict[str, str] | None = None,
    order: str = "<",
) -> bytes:
    """A file with records (region, names of the dimensions slowest first, unit, values)."""
    text = "SOFH\r\n" + "".join(f"{k}: {v}\r\n" for k, v in (HEADER | (header or {})).items()) + "EOFH\r\n"
    directory, numbers = b"", b""
    start = 16 + 96 * len(records)
    for index, (region, axes, unit, values) in enumerate(records):
        lengths = [*reversed(values.shape), 1, 1][:3]
        names = [*reversed(axes), "", ""][:3]
        raw = values.astype(values.dtype.newbyteorder(order)).tobytes()
        directory += struct.pack(f"{order}8I", index + 1, 1, 1, region, 1, *lengths)
        directory += b"".join(n.encode().ljust(4, b"\0").ljust(8, b"\xf1") for n in names)
        directory += (unit.encode() + b"\0").ljust(16, b"\xe4")
        directory += values.dtype.str[1:].encode().ljust(4, b"\0")
        directory += struct.pack(f"{order}5I", len(raw), start + len(numbers), 0, 0, 0)
        numbers += raw
    head = struct.pack(f"{order}4I", 1, len(records), 96 * len(records), 16)
    return text.encode("cp932") + head + directory + numbers


def reads(data: bytes, folder: Path) -> Measurement:
    path = folder / "made.spe"
    path.write_bytes(data)
    assert READER.sniff(RawInput(path)) == CERTAIN
    return read(path)


def test_names_with_blanks_double_precision_and_other_byte_order(tmp_path: Path) -> None:
    values = np.array([1.5, 2, 3, 4, 5])
    for order in "<>":
        m = reads(spe([(1, ("pnt",), "c/s", values)], order=order), tmp_path)
        assert m["c_1s"].signal.values.tolist() == values.tolist()
        assert m["c_1s"]["binding_energy"].values.tolist() == [290, 289.5, 289, 288.5, 288]
        assert m["c_1s"].conditions["pass_energy"].value == 23.5


def test_an_unknown_unit_costs_the_unit_only(tmp_path: Path) -> None:
    m = reads(spe([(1, ("pnt",), "zork", np.ones(5, "f4"))]), tmp_path)
    assert m[0].signal.unit == "zork"
    assert any("zork" in w for w in m.warnings)


def test_odd_tokens_cost_themselves(tmp_path: Path) -> None:
    odd = {"AnalyserWorkFcn": "four eV", "XrayPower": "--- W", "AcqFileDate": "today", "FileDesc": "試料１"}
    m = reads(spe([(1, ("pnt",), "c/s", np.ones(5, "f4"))], odd), tmp_path)
    assert m.started is None
    assert m.title == "試料１"
    assert "work_function" not in m[0].conditions
    assert m.original_metadata["AnalyserWorkFcn"] == "four eV"
    assert any("AnalyserWorkFcn" in w for w in m.warnings)


def test_an_undefined_region_costs_that_region(tmp_path: Path) -> None:
    records = [(9, ("pnt",), "c/s", np.ones(5, "f4")), (1, ("pnt",), "c/s", np.ones(5, "f4"))]
    m = reads(spe(records), tmp_path)
    assert len(m) == 1
    assert any("region 9" in w for w in m.warnings)


def test_sputter_time_from_the_layers_where_no_record_states_it(tmp_path: Path) -> None:
    layers = {"DepthCalDef": "1 A 1 0 0 Ar+ 1.50 0.50 3 '2kV' 2.000 x Ar", "NoPreSputterCyc": "1"}
    m = reads(spe([(1, ("cyc", "pnt"), "c/s", np.ones((4, 5), "f4"))], layers), tmp_path)
    assert m[0]["etch_time"].values.tolist() == [0, 0.5, 1.0, 1.5]
    assert m[0]["etch_time"].unit == "min"
    assert m[0].conditions["sputter_energy"].value == 2.0


def test_cycles_before_sputtering_stay_apart(tmp_path: Path) -> None:
    times = np.array([[0, 0, 30, 60.0]], "f4")
    records = [(1, ("cyc", "pnt"), "c/s", np.ones((4, 5), "f4")), (0, ("cyc",), "s", times[0])]
    entry = reads(spe(records), tmp_path)[0]
    assert entry.signal.axes == ("cycle", "binding_energy")
    assert entry["etch_time"].values.tolist() == [0, 0, 30, 60]


def test_places_become_an_axis_and_auger_is_over_kinetic_energy(tmp_path: Path) -> None:
    m = reads(spe([(1, ("sar", "pnt"), "c/s", np.ones((3, 5), "f4"))], {"Technique": "AES"}), tmp_path)
    assert m[0].technique == "aes"
    assert m[0].signal.axes == ("area", "kinetic_energy")


# --- damage ---------------------------------------------------------------------------------------------------


def test_every_cut_is_refused(instruments: Path, tmp_path: Path) -> None:
    for path in sorted((instruments / FOLDER).glob("[SX]*")):
        assert cut(READER, path.read_bytes(), tmp_path / "cut.spe") == []


def test_damage_never_breaks_out(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / FOLDER / "XPS_PHI_QUANTERA_depth_1.pro").read_bytes()
    damage(READER, data, tmp_path / "damaged.pro", within=data.index(b"EOFH") + 406)


def test_other_files_are_not_taken(tmp_path: Path) -> None:
    for content in (b"", b"SOFHX", b"[Info]\nNumber of Regions=1\n", b"PK\x03\x04"):
        (tmp_path / "x.spe").write_bytes(content)
        assert READER.sniff(RawInput(tmp_path / "x.spe")) == NO
