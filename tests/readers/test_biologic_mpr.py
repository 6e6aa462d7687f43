"""EC-Lab's binary files: a user would lose currents and capacities, or take one column for another."""

from __future__ import annotations

import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers._biologic_columns import heading_of, kind_of
from zairyo.readers._biologic_settings import TECHNIQUES
from zairyo.readers.biologic_mpr import READER

# Technique, records, start, and of each column: first, last, sum. galvani 0.5.0 agrees on every column; yadg 7.0.1
# on all but biol.mpr, which it refuses ("element '2' for parameter 'Apply I/C'"); yadg's start is the same.
GOLDEN = {
    "00_test_01_OCV_C01.mpr": (
        "open_circuit_potential",
        2,
        datetime(2023, 12, 7, 14, 22, 24, 183000),
        {
            "time": (0.0, 5.593199858703883, 5.593199858703883),
            "voltage": (-0.373808979, -0.373282164, -0.747091144),
        },
    ),
    "00_test_02_OCV_C01.mpr": (
        "open_circuit_potential",
        2,
        datetime(2023, 12, 7, 14, 22, 24, 183000),
        {
            "time": (5.593799858688726, 15.59359960607253, 21.187399464761256),
            "voltage": (-0.37327453, -0.3723011, -0.745575637),
        },
    ),
    "biol.mpr": (
        "battery_cycling",
        23561,
        datetime(2017, 3, 15, 10, 22, 54),
        {
            "time": (0.0, 76139.10400116211, 1062335263.3872359),
            "voltage": (0.12348721921443939, 0.5515370965003967, 10815.38233923167),
            "current": (0.0, 0.0, 3991.4832014653366),
            "charge_passed": (0.0, 4.9768934284649164, 76463.38667480118),
            "z_modulus": (0.0, 0.0, 5638.458626270294),
            "z_imaginary_cell": (0.0, 0.0, -1107.5336596183479),
        },
    ),
    "ca.issue_149.mpr": (
        "chronoamperometry",
        80,
        datetime(2024, 1, 10, 11, 2, 29, 886000),
        {
            "time": (20.650599478321965, 629.9353971363016, 26041.5478653193),
            "voltage": (3.424187183380127, 3.443131685256958, 274.8010678291321),
            "current": (0.009693702445496222, 0.01332343220587126, 0.9574760740103698),
            "half_cycle": (0, 6, 237),
        },
    ),
    "cov.issue_185.mpr": (
        "chronoamperometry",
        23,
        datetime(2024, 10, 9, 13, 36, 20, 501000),
        {
            "time": (0.0, 69.99979823165631, 564.9973857269651),
            "voltage": (0.00012150537804700434, 2.000091552734375, 24.002168633860492),
            "current": (0.0, 0.3948515848493557, 4.735226947640025),
            "charge_passed": (0.0, 0.0065767045354956965, 0.042725387949841716),
        },
    ),
    "cv.mpr": (
        "cyclic_voltammetry",
        5103,
        datetime(2018, 1, 10, 17, 1, 24),
        {
            "time": (43202.043968823855, 149651.38701540977, 491752162.10272884),
            "voltage": (2.4807116985321045, 3.1632587909698486, 15803.486518859863),
            "current": (-1.2359839729469968e-06, 0.0006838552079206513, 10112.249077442448),
        },
    ),
    "gcpl.issue_226.I.mpr": (
        "battery_cycling",
        15,
        datetime(2025, 8, 4, 9, 35, 26, 748000),
        {
            "time": (0.04819999878236558, 118.86559699720237, 958.0237757982832),
            "voltage": (-0.05030638352036476, -0.2091982662677765, -0.28489350934978575),
            "charge_passed": (0.0, 3.7180864264567695e-05, 0.01406813861165444),
        },
    ),
    "gcpl.issue_228.mpr": (
        "battery_cycling",
        10914,
        datetime(2024, 7, 11, 15, 48, 13, 846000),
        {
            "time": (21830.907681806362, 346470.07518828847, 2014715523.3617544),
            "voltage": (0.42584028840065, 2.9086825847625732, 41102.82870614529),
            "charge_passed": (0.0, 0.5719042897669648, 13542.176918397387),
            "half_cycle": (0, 22, 58036),
        },
    ),
}


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def module(name: str, data: bytes, version: int = 0, wide: bool = False, date: bytes = b"05/06/21") -> bytes:
    head = name.encode().ljust(10) + name.encode().ljust(25)
    if wide:
        return b"MODULE" + head + struct.pack("<4I", 0xFFFFFFFF, len(data), 0, version) + date + data
    return b"MODULE" + head + struct.pack("<2I", len(data), version) + date + data


def data_module(ids: list[int], rows: list[bytes], version: int) -> bytes:
    """The data module of a version, as its specification says."""
    head = struct.pack("<IB", len(rows), len(ids))
    if version >= 10:
        head = (head + b"\0" + struct.pack(f"<{len(ids)}H", *ids)).ljust(1007, b"\0")
    elif version in (2, 3):
        head = (head + struct.pack(f"<{len(ids)}H", *ids)).ljust(403 + version, b"\0")
    else:
        head = (head + bytes(ids)).ljust(100, b"\0")
    return module("VMP data", head + b"".join(rows), version, wide=version >= 10)


def written(path: Path, ids: list[int], rows: list[bytes], version: int = 2, code: int = 0x0B) -> Path:
    settings = module("VMP Set", bytes([code]) + bytes(0x2000), wide=version >= 10)
    path.write_bytes(
        b"BIO-LOGIC MODULAR FILE\x1a".ljust(48) + bytes(4) + settings + data_module(ids, rows, version)
    )
    return path


@pytest.mark.parametrize("name", GOLDEN)
def test_real_files_read_as_two_other_readers_do(instruments: Path, name: str) -> None:
    source = instruments / "biologic-mpr" / name
    assert READER.sniff(RawInput(source)) == CERTAIN
    measurement = read(source)
    technique, rows, started, columns = GOLDEN[name]
    entry = measurement[0]
    assert (entry.technique, entry.started) == (technique, started)
    for column, (first, last, total) in columns.items():
        values = entry[column].values
        assert len(values) == rows
        assert (values[0], values[-1]) == pytest.approx((first, last), rel=1e-6)
        assert values.astype(float).sum() == pytest.approx(total, rel=1e-6)


def test_what_the_text_export_says_the_binary_says_too(instruments: Path) -> None:
    """EC-Lab exported these two itself: flags, capacities and cycles that we derive must be EC-Lab's own."""
    from zairyo.readers.biologic_mpt import READER as TEXT

    for name in ("cv", "cov.issue_185"):
        binary = read(instruments / "biologic-mpr" / f"{name}.mpr")[0]
        text = TEXT.read(RawInput(instruments / "biologic-mpt" / f"{name}.mpt"))[0]
        shared = {s.name for s in binary.signals} & {s.name for s in text.signals}
        assert {"control_mode", "oxidation", "control_change", "time", "voltage", "current"} <= shared
        for column in shared:
            assert binary[column].unit == text[column].unit
            np.testing.assert_allclose(
                binary[column].values.astype(float),
                text[column].values.astype(float),
                rtol=2e-7,
                atol=1e-7 if column == "charge_capacitance" else 1e-12,
            )
    assert {"charge_capacity", "discharge_capacity", "cycle", "step_time", "charge_energy"} <= shared


def test_conditions_and_settings_of_real_files(instruments: Path) -> None:
    cv = read(instruments / "biologic-mpr" / "cv.mpr")
    conditions = {k: str(v) for k, v in cv[0].conditions.items()}
    assert conditions["scan_rate"] == "0.1 mV/s"
    assert (conditions["vertex_voltage_1"], conditions["vertex_voltage_2"]) == ("1.5 V", "5.5 V")
    assert (conditions["channel"], conditions["instrument_serial"]) == ("11", "10831083")
    gcpl = read(instruments / "biologic-mpr" / "gcpl.issue_226.I.mpr")
    conditions = {k: str(v) for k, v in gcpl[0].conditions.items()}
    assert conditions["active_mass"] == "1.39 mg"
    assert conditions["electrode_material"] == "Test material"
    assert conditions["electrolyte"] == "Test electrolyte"
    settings = gcpl.original_metadata["parameters"]
    assert settings["unit Is"] == ["mA", "µA", "µA"]
    assert settings["Is"] == pytest.approx([0, 120, -120])
    assert settings["EM (V)"] == pytest.approx([0, 1.7, 0.7])
    assert settings["t1 (h:m:s)"] == [0, 60, 60]


def test_current_that_is_not_stored_is_charge_over_time(instruments: Path) -> None:
    entry = read(instruments / "biologic-mpr" / "gcpl.issue_228.mpr")[0]
    current, asked = entry["current"].values, entry["control_current"].values
    steady = np.abs(asked) > 1e-4
    steady[1:] &= steady[:-1] & (asked[1:] == asked[:-1])
    assert np.median(np.abs(current[steady] / asked[steady] - 1)) < 0.001


def test_spectra_within_a_battery_test_are_an_entry_of_their_own(instruments: Path) -> None:
    measurement = read(instruments / "biologic-mpr" / "biol.mpr")
    spectra = measurement["impedance"]
    assert (spectra.technique, spectra.x, spectra.default) == ("eis", "z_real", "z_imaginary")
    assert len(spectra["frequency"].values) == 310
    z = spectra["z_real"].values + 1j * spectra["z_imaginary"].values
    np.testing.assert_allclose(np.abs(z), spectra["z_modulus"].values, rtol=1e-6)
    # The sign of what EC-Lab stores as −Im(Zce) agrees with the phase it stores beside it.
    counter = spectra["z_real_counter"].values + 1j * spectra["z_imaginary_counter"].values
    np.testing.assert_allclose(np.angle(counter, deg=True), spectra["z_phase_counter"].values, rtol=1e-4)


@pytest.mark.parametrize("version", [0, 2, 3, 10, 11])
def test_every_version_of_the_data_module(tmp_path: Path, version: int) -> None:
    rows = [struct.pack("<Bdf", 0b10010010 if k else 0b01, 0.5 * k, 3.5 + k) for k in range(4)]
    entry = read(written(tmp_path / "a.mpr", [1, 21, 65, 4, 6], rows, version))[0]
    assert entry["time"].values.tolist() == [0, 0.5, 1.0, 1.5]
    assert entry["voltage"].values.tolist() == [3.5, 4.5, 5.5, 6.5]
    assert entry["control_mode"].values.tolist() == [1, 2, 2, 2]
    assert entry["control_change"].values.tolist() == [False, True, True, True]
    assert entry["counter_increment"].values.tolist() == [False, True, True, True]
    assert entry.started == datetime(2021, 5, 6)


def test_a_later_number_in_one_byte_is_its_column() -> None:
    assert kind_of(182) == kind_of(438)
    assert kind_of(182) is not None
    assert kind_of(182).heading == "step time/s"
    assert kind_of(467).dtype == np.dtype("<f8")  # type: ignore[union-attr]
    assert kind_of(3000) is None


def test_columns_of_the_vendors_manual_have_names_and_units(tmp_path: Path) -> None:
    """Spectra with admittance, harmonics of the counter electrode, a stack's cells, rotating ring and disk."""
    ids = [4, 32, 119, 120, 498, 503, 213, 303, 448, 454, 523, 132]
    rows = [struct.pack("<d11f", k, 10.0 ** (3 - k), *range(2, 12)) for k in range(3)]
    m = read(written(tmp_path / "a.mpr", ids, rows, 11))
    found = {s.name: (s.unit, s.values.tolist()) for s in m[0].signals}
    assert not m.warnings[1:]  # the first tells that the hour of the start is not known
    assert found["y_real"] == ("1/ohm", [2.0] * 3)
    assert found["ece_h2"] == ("V", [4.0] * 3)
    assert found["e3"] == ("V", [6.0] * 3)
    assert found["z_modulus_3"] == ("ohm", [7.0] * 3)
    assert found["idisk"] == ("mA", [8.0] * 3)
    assert found["conductivity_real"] == ("mS/cm", [10.0] * 3)
    assert found["di_dt"] == ("mA/s", [11.0] * 3)


def test_what_other_programs_mean_by_a_number_is_told_by_the_size(tmp_path: Path) -> None:
    """498 and 499 are harmonics (4 bytes) here, charges (8 bytes) there; a wrong guess would shift every column."""
    rows = [struct.pack("<dddf", k, 1.5, 2.5, 3.5 + k) for k in range(3)]
    entry = read(written(tmp_path / "a.mpr", [4, 498, 499, 6], rows, 3))[0]
    assert entry["charge_capacity"].values.tolist() == [1.5] * 3
    assert entry["discharge_capacity"].values.tolist() == [2.5] * 3
    assert entry["voltage"].values.tolist() == [3.5, 4.5, 5.5]


def test_a_type_that_no_file_has_shown_is_taken_from_the_size(tmp_path: Path) -> None:
    rows = [struct.pack("<ddf", k, 7.25, 3.5 + k) for k in range(3)]
    m = read(written(tmp_path / "a.mpr", [4, 119, 6], rows, 11))
    assert m[0]["y_real"].values.tolist() == [7.25] * 3
    assert m[0]["voltage"].values.tolist() == [3.5, 4.5, 5.5]
    assert "119" in m.warnings[0]
    rows = [struct.pack("<dfHf", k, 7.25, 9, 3.5 + k) for k in range(3)]
    m = read(written(tmp_path / "b.mpr", [4, 119, 999, 6], rows, 11))
    assert (m[0]["y_real"].unit, m[0]["y_real"].values.tolist()) == ("1/ohm", [7.25] * 3)
    assert m[0]["column_999"].values.tolist() == [9] * 3


def test_one_unknown_column_costs_itself(tmp_path: Path) -> None:
    for size, kind in ((8, "d"), (4, "f"), (2, "H"), (1, "B")):
        rows = [struct.pack(f"<d{kind}f", k, 7, 3.5 + k) for k in range(3)]
        m = read(written(tmp_path / f"{size}.mpr", [4, 999, 6], rows))
        assert m[0]["voltage"].values.tolist() == [3.5, 4.5, 5.5]
        assert m[0]["column_999"].values.tolist() == [7, 7, 7]
        assert "999" in m.warnings[0]


def test_unknown_columns_of_unknown_sizes_leave_what_lies_outside_them(tmp_path: Path) -> None:
    rows = [struct.pack("<dfdff", k, 1, 2, 3, 3.5 + k) for k in range(3)]
    m = read(written(tmp_path / "a.mpr", [4, 998, 8, 999, 6], rows))
    assert m[0]["time"].values.tolist() == [0, 1, 2]
    assert m[0]["voltage"].values.tolist() == [3.5, 4.5, 5.5]
    assert "998" in m.warnings[0]
    assert "I/mA" in m.warnings[0]
    with pytest.raises(ReadError, match="998"):
        read(written(tmp_path / "b.mpr", [997, 998], [b"\0" * 12] * 3))


def test_a_record_of_another_length_than_its_columns_is_refused(tmp_path: Path) -> None:
    rows = [struct.pack("<dff", k, 1, 2) for k in range(3)]
    with pytest.raises(ReadError, match="do not fit"):
        read(written(tmp_path / "a.mpr", [4, 6], rows))
    with pytest.raises(ReadError, match="no record"):
        read(written(tmp_path / "b.mpr", [4, 6], []))


def test_impedance_has_the_sign_of_the_vocabulary(tmp_path: Path) -> None:
    """EC-Lab stores −Im(Z); a capacitor's must come out negative."""
    rows = [struct.pack("<fffdf", 10.0**k, 100, 50 + k, 0.1 * k, 3.7) for k in range(5)]
    entry = read(written(tmp_path / "a.mpr", [32, 37, 38, 4, 6], rows, 11, 0x1D))[0]
    assert (entry.technique, entry.x, entry.default) == ("eis", "z_real", "z_imaginary")
    assert entry["z_imaginary"].values.tolist() == [-50, -51, -52, -53, -54]
    assert entry.conditions["frequency_maximum"].value == 1e4
    assert entry.conditions["frequency_minimum"].value == 1


@pytest.mark.parametrize(("wide", "size"), [(False, 48), (True, 63)])
def test_settings_of_a_voltammogram_in_both_layouts(tmp_path: Path, wide: bool, size: int) -> None:
    v = "I" if wide else "B"
    row = struct.pack(
        f"<f{v}fBf{v}BIff5Bf{v}I{v}f{v}",
        *(0.5, 4, 20, 1, 1.2, 4, 50, 10, -2, 2, 14, 0, 0, 0, 5, -0.3, 4, 2, 0, 0, 0),
    )
    assert len(row) == size
    settings = bytearray(0x2000)
    settings[0] = 6
    settings[0x1845 : 0x1845 + 4 + size] = struct.pack("<HH", 1, 21) + row
    path = tmp_path / "cv.mpr"
    path.write_bytes(
        b"BIO-LOGIC MODULAR FILE\x1a".ljust(48)
        + bytes(4)
        + module("VMP Set", bytes(settings), wide=wide)
        + data_module([4, 6, 8], [struct.pack("<dff", 1, 2, 3)], 11 if wide else 3)
    )
    entry = read(path)[0]
    assert str(entry.conditions["scan_rate"]) == "20 mV/s"
    assert str(entry.conditions["vertex_voltage_2"]) == "-0.3 V"
    assert entry.x == "voltage"
    assert entry.default == "current"


def test_the_layouts_have_the_sizes_that_files_have() -> None:
    """Bytes a sequence, before and from EC-Lab 11.50; from files of each technique."""
    from zairyo.readers._biologic_settings import _dtype

    known = {
        0x04: ((98, None), (102, 108)),
        0x06: ((48, 63),),
        0x0B: ((24, 24), (25, 25)),
        0x16: ((None, 113),),
        0x18: ((64, 67),),
        0x19: ((46, 49),),
        0x1C: ((29, 29),),
        0x1D: ((115, 118),),
        0x1E: ((121, 124),),
        0x32: ((35, 35),),
        0x33: ((84, 99),),
        0x6C: ((59, 65),),
        0x75: ((None, 83),),
        0x76: ((None, 65),),
        0x7F: ((121, None), (132, None), (133, None), (None, 166), (None, 172)),
        0x88: ((92, None),),
    }
    for code, sizes in known.items():
        for layout, pair in zip(TECHNIQUES[code].layouts, sizes, strict=True):
            for wide, size in zip((False, True), pair, strict=True):
                assert size is None or _dtype(layout, wide)[1].itemsize == size, (code, layout)


def test_headings_are_understood() -> None:
    assert heading_of("-Im(Zwe-ce)/Ohm").name == "z_imaginary_cell"
    assert heading_of("-Im(Zwe-ce)/Ohm").negative
    assert heading_of("<Ewe/V>").name == "voltage_average"
    assert heading_of("Q charge/discharge/mA.h").unit == "mA.h"
    assert heading_of("Re(Y)/Ohm-1").name == "y_real"
    assert heading_of("Phase(Z2)/deg").name == "z_phase_2"
    assert heading_of("ox/red").unit is None


@pytest.mark.parametrize(
    ("text", "name", "unit"),
    [
        ("Re(Conductivity)/mS/cm", "conductivity_real", "mS/cm"),
        ("d(Q-Qo)/dE/mA.h/V", "d_q_qo_de", "mAh/V"),
        ("Q discharge/mA.h/g", "specific_discharge_capacity", "mAh/g"),
        ("<I>/mA/cm²", "current_density_average", "mA/cm²"),
        ("I/A/cm2", "current_density", "A/cm2"),
        ("dI/dt/mA/s", "di_dt", "mA/s"),
        ("Ewe/V vs. SCE", "voltage", "V"),
        ("Analog IN 2/V max", "analog_in_2_max", "V"),
        ("log(|<I>/A|)", "log_i", ""),
        ("control/V", "control_voltage", "V"),
    ],
)
def test_units_with_a_stroke_are_not_cut_at_it(text: str, name: str, unit: str) -> None:
    """Cut there, a capacity per gram would be a mass, and a conductivity a length."""
    assert (heading_of(text).name, heading_of(text).unit) == (name, unit)


def test_files_cut_off_or_damaged_are_refused_or_read(instruments: Path, tmp_path: Path) -> None:
    for name in ("cv.mpr", "gcpl.issue_226.I.mpr", "ca.issue_149.mpr"):
        whole = (instruments / "biologic-mpr" / name).read_bytes()
        broken_files.cut(READER, whole, tmp_path / "cut.mpr")
        broken_files.damage(READER, whole, tmp_path / "broken.mpr", within=10000)
    whole = (instruments / "biologic-mpr" / "biol.mpr").read_bytes()
    assert broken_files.cut(READER, whole, tmp_path / "cut.mpr", 6) == []


def test_other_files_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "a.mpr").write_bytes(b"EC-Lab ASCII FILE\n")
    assert READER.sniff(RawInput(tmp_path / "a.mpr")) == NO
