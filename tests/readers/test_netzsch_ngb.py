"""NETZSCH files: a user would lose masses, signals and temperatures, or take a correction for a sample."""

from __future__ import annotations

import io
import struct
import zipfile
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.netzsch_ngb import READER

STREAMS = [f"Streams/stream_{n}.table" for n in (1, 2, 3)]

# Points, last time (s), and of each column: unit, first, last, sum. pyngb 0.6.1 agrees with every number.
GOLDEN = {
    "01_Messung_Probe_G_300_Grad_Ar.ngb-ds3": (
        5801,
        4380.05,
        {
            "temperature": ("degC", 34.886, 81.586, 1005729.6014),
            "dsc_signal": ("uV", -3.8108838, -1.5953069, -27420.36001),
            "mass_change": ("mg", 0.0, -2.86, -6741.332989),
            "protective_gas_flow": ("ml/min", 20.0, 20.0, 116020.0),
            "furnace_temperature": ("degC", 34.47, 71.997, 1024342.2025),
            "furnace_power": ("percent", 0.018, 0.0, 3103.073),
        },
    ),
    "DF_FILED_STA_21O2_10K_220222_R1.ngb-ss3": (
        8001,
        6150.0,
        {
            "temperature": ("degC", 25.912, 698.497, 2939431.59051),
            "dsc_signal": ("uV", -8.40454388, -3.27453709, 22033.189147),
            "mass_change": ("mg", 0.0, -3.8131, -15405.57427),
            "purge_gas_flow": ("ml/min", 0.0, 35.0, 280000.0),
            "purge_gas_2_flow": ("ml/min", 0.0, 15.0, 120000.0),
            "air_pressure": (None, 998.75, 996.61, 7982446.1102),
        },
    ),
    "RO_FILED_STA_N2_10K_250129_R29.ngb-ss3": (
        16501,
        6450.05,
        {
            "temperature": ("degC", 26.11, 799.633, 6705919.4032),
            "dsc_signal": ("uV", -12.4763527, -12.1078529, -189841.18233),
            "mass_change": ("mg", 0.0, -2.9929, -25055.06676),
            "furnace_temperature": ("degC", 25.038, 800.04401, 6793935.4595),
        },
    ),
    "RO_Para_N2_10K_260910_R1.ngb-dla": (
        9251,
        5849.75,
        {
            "temperature": ("degC", 24.873, 899.95203, 4273824.99797),
            "length_change": ("um", 0.0, -4480.653, -21379719.23),
            "force": ("N", 0.199952, 0.200037, 1848.507272),
            "furnace_temperature": ("degC", 87.773, 933.97302, 5162972.0991),
        },
    ),
}


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def rebuilt(path: Path, target: Path, changed: dict[str, bytes | None]) -> Path:
    """The archive with some members replaced, or taken out."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = changed.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


@pytest.mark.parametrize("name", GOLDEN)
def test_columns_hold_what_the_instrument_measured(instruments: Path, name: str) -> None:
    points, last_time, columns = GOLDEN[name]
    source = RawInput(instruments / "netzsch-ngb" / name)
    assert READER.sniff(source) == CERTAIN
    entry = read(source.path)[0]
    time = entry["time"].values
    assert len(time) == points
    assert (time[0], entry["time"].unit) == (0.0, "s")
    assert time[-1] == pytest.approx(last_time, rel=1e-9)
    for column, (unit, first, last, total) in columns.items():
        values = entry[column].values.astype(np.float64)
        assert entry[column].unit == unit
        assert [values[0], values[-1], values.sum()] == pytest.approx([first, last, total], rel=1e-6)
    assert entry.x == "temperature"


def test_conditions_tell_how_the_sample_was_heated(instruments: Path) -> None:
    measurement = read(instruments / "netzsch-ngb" / "DF_FILED_STA_21O2_10K_220222_R1.ngb-ss3")
    entry = measurement[0]
    assert (entry.technique, entry.default) == ("sta", "mass_change")
    stated = {name: (quantity.value, quantity.unit) for name, quantity in entry.conditions.items()}
    assert (
        stated.items()
        >= {
            "sample_mass": (4.06, "mg"),
            "crucible": ("PtRh20 85 µl, open", None),
            "crucible_mass": (153.73, "mg"),
            "heating_rate": (10.0, "K/min"),
            "temperature_start": (25.0, "degC"),
            "temperature_end": (700.0, "degC"),
            "purge_gas": ("N2", None),
            "purge_gas_flow": (35.0, "ml/min"),
            "purge_gas_2": ("O2", None),
            "purge_gas_2_flow": (15.0, "ml/min"),
            "protective_gas": ("N2", None),
            "protective_gas_flow": (20.0, "ml/min"),
            "instrument_serial": ("STA449F3A-0157-M", None),
        }.items()
    )
    assert entry.started == datetime(2023, 2, 22, 22, 43, 46, tzinfo=timezone.utc)  # noqa: UP017
    assert entry.started.utcoffset() == timedelta(hours=-5)
    assert measurement.instrument == "NETZSCH STA 449 F3 Jupiter"
    assert (measurement.sample, measurement.operator) == ("DF_FILED", "Grayson")


def test_programme_and_calibration_are_kept(instruments: Path) -> None:
    kept = read(instruments / "netzsch-ngb" / "RO_FILED_STA_N2_10K_250129_R29.ngb-ss3").original_metadata
    steps = [
        (s["type"], s["temperature_degC"], s["heating_rate_K_min"], s["time_min"]) for s in kept["programme"]
    ]
    assert steps == [(0, 25, 0, 0), (1, 25, 0, 20), (1, 800, 10, 77.5), (1, 800, 0, 10), (2, 875, 0, 0)]
    calibration = kept["calibration"]
    assert calibration["sensitivity"]["constants"]["P1"] == pytest.approx(817.16876)
    assert calibration["temperature"]["coefficients"] == pytest.approx([733.50946, 489.24109, -1165.42358])
    assert [p["name"] for p in calibration["temperature"]["points"]][:2] == ["Phenyl salicylate", "Biphenyl"]
    assert kept["measurement"]["comment"].startswith("Red Oak, Filed, Closed pan")


def test_description_may_stand_before_or_after_the_programme(instruments: Path) -> None:
    """One real file stores it the other way round: title and date must not come from a calibration."""
    measurement = read(instruments / "netzsch-ngb" / "RO_FILED_STA_N2_10K_250129_R29.ngb-ss3")
    assert measurement.title == "RO_FILED"
    assert measurement.started == datetime(2025, 1, 29, 13, 5, 5, tzinfo=timezone(timedelta(hours=-5)))


def test_dilatometer_has_its_length_and_its_standard(instruments: Path) -> None:
    measurement = read(instruments / "netzsch-ngb" / "RO_Para_N2_10K_260910_R1.ngb-dla")
    entry = measurement[0]
    assert (entry.technique, entry.default) == ("dilatometry", "length_change")
    assert entry.conditions["sample_length"].value == 15.99
    assert entry.conditions["sample_diameter"].value == 8.1
    assert entry.conditions["force"].value == pytest.approx(0.2)
    standard = measurement.original_metadata["calibration"]["expansion_standard"]
    assert standard["name"] == "FUSED SILICA"
    assert len(standard["curve_degC_relative"]) > 20


def test_embedded_correction_is_an_entry_of_its_own(instruments: Path) -> None:
    """Subtracted by hand twice, or taken for the sample, the correction would spoil every number."""
    measurement = read(instruments / "netzsch-ngb" / "RO_Para_N2_10K_260910_R1.ngb-dla")
    assert [entry.name for entry in measurement] == ["measurement", "correction"]
    correction = measurement["correction"]
    assert len(correction["time"].values) == 9250
    assert correction["length_change"].values.sum() == pytest.approx(74732.088, rel=1e-6)
    assert "sample_mass" not in correction.conditions


def test_baseline_file_says_it_is_a_correction(instruments: Path) -> None:
    measurement = read(instruments / "netzsch-ngb" / "Douglas_Fir_STA_Baseline_10K_250730_R13.ngb-bs3")
    assert [entry.name for entry in measurement] == ["correction"]
    assert "sample_mass" not in measurement[0].conditions
    assert len(measurement[0]["time"].values) == 9191


def test_an_unknown_channel_is_kept_and_told(instruments: Path, tmp_path: Path) -> None:
    source = instruments / "netzsch-ngb" / "Douglas_Fir_STA_10K_250730_R13.ngb-ss3"
    with zipfile.ZipFile(source) as archive:
        stream = archive.read(STREAMS[1])
    opened = struct.pack("<H", 0x178E) + bytes.fromhex("0000010000000c0017fcffff1a8001")
    assert stream.count(opened) == 1
    changed = stream.replace(opened, struct.pack("<H", 0x17D5) + opened[2:])
    measurement = read(rebuilt(source, tmp_path / "odd.ngb-ss3", {STREAMS[1]: changed}))
    entry = measurement[0]
    assert (entry.technique, entry["channel_d5"].unit) == ("tga", None)
    assert any("d5" in warning for warning in measurement.warnings)


def test_values_that_do_not_end_as_they_say_are_refused(instruments: Path, tmp_path: Path) -> None:
    """A length that runs into the next record would shift every later value."""
    source = instruments / "netzsch-ngb" / "Douglas_Fir_STA_10K_250730_R13.ngb-ss3"
    with zipfile.ZipFile(source) as archive:
        stream = archive.read(STREAMS[1])
    count = stream.index(struct.pack("<I", 7990))
    for wrong in (7989, 7991, 2**31, 2**32 - 1):
        changed = stream[:count] + struct.pack("<I", wrong) + stream[count + 4 :]
        with pytest.raises(ReadError, match="byte"):
            read(rebuilt(source, tmp_path / "wrong.ngb-ss3", {STREAMS[1]: changed}))


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    source = instruments / "netzsch-ngb" / "Douglas_Fir_STA_10K_250730_R13.ngb-ss3"
    random, target = np.random.default_rng(7), tmp_path / "damaged.ngb-ss3"
    whole = source.read_bytes()
    for end in np.linspace(0, len(whole) - 1, 20).astype(int):
        target.write_bytes(whole[:end])
        with pytest.raises(ReadError):
            read(target)
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in STREAMS}
    for turn in range(50):
        name = STREAMS[turn % 3]
        bad = bytearray(members[name])
        if turn % 10 == 9:
            half = len(bad) // 2
            bad[half:] = random.bytes(len(bad) - half)
        else:
            for at in random.integers(0, len(bad), 8):
                bad[at] = random.integers(256)
        with suppress(ReadError):
            assert isinstance(read(rebuilt(source, target, {name: bytes(bad)})), Measurement)
    for name in STREAMS[:2]:
        with pytest.raises(ReadError, match="stream"):
            read(rebuilt(source, target, {name: None}))
        with pytest.raises(ReadError):
            read(rebuilt(source, target, {name: members[name][: len(members[name]) // 2]}))


def test_other_archives_are_not_taken(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    (tmp_path / "other.ngb-ss3").write_bytes(buffer.getvalue())
    assert READER.sniff(RawInput(tmp_path / "other.ngb-ss3")) == NO


def test_shipped_examples_read_without_the_shared_files(examples: Path) -> None:
    totals = {}
    for path in sorted((examples / "thermal").glob("*.ngb-*")):
        entry = read(path)[0]
        totals[path.name[:16]] = (
            entry.technique,
            float(entry["mass_change"].values.astype(np.float64).sum()),
        )
    assert len(totals) >= 3
    assert totals["DF_FILED_STA_21O"] == ("sta", pytest.approx(-15405.57427))
