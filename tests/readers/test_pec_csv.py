"""PEC exports: a user would mix the cells of a test, or read energies as capacities."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.pec_csv import READER

HEAD = ["TestRegime Name:,Cycling", "Product ID:,NMC-7", "Start Time:,02/22/2019 16:21:35"]
COLUMNS = (
    "Test,Cell,Rack,Shelf,Position,Cell ID,Step,Cycle,Total Time (Seconds),Real Time,Voltage (mV),Current (mA),"
    "Charge Capacity (mAh),Charge Capacity (mWh),Cell surface temperature (°C),Odd Thing (blorp),"
)


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def test_a_real_export(instruments: Path) -> None:
    """pandas.read_csv (header in line 33) gives the same sums."""
    source = instruments / "pec-csv" / "pec.csv"
    assert READER.sniff(RawInput(source)) == CERTAIN
    measurement = read(source)
    entry = measurement[0]
    assert measurement.warnings == ()
    sums = {
        "voltage": 5.350693e07,
        "current": 5.869329e06,
        "charge_capacity": 4.416234e08,
        "discharge_energy": 4.043150e08,
        "time": 2.621278e09,
        "temperature": 1.370370e05,
    }
    for name, total in sums.items():
        assert len(entry[name].values) == 16255
        assert np.nansum(entry[name].values) == pytest.approx(total, rel=1e-6)
    units = {s.name: s.unit for s in entry.signals}
    assert (units["voltage"], units["charge_capacity"], units["charge_energy"]) == ("mV", "mAh", "mWh")
    assert entry["timestamp"].values[0] == np.datetime64("2019-02-22T16:23:27")
    assert entry.started == datetime(2019, 2, 22, 16, 21, 35)
    assert (measurement.operator, measurement.title) == ("Admin", "SAFT VL43EFe dQdV C/25")
    assert entry.original_metadata["in all records"]["Rack"] == "SBT0550"


def test_cells_of_a_test_are_entries_of_their_own(tmp_path: Path) -> None:
    rows = [
        f"9,{cell},R,1,{cell},,{k},0,{k},02/22/2019 16:23:2{k},{3000 + cell},-5,1,2,{'' if k else 25.5},7,"
        for k in range(3)
        for cell in (1, 2)
    ]
    measurement = read(written(tmp_path / "a.csv", *HEAD, COLUMNS, *rows))
    assert [e.name for e in measurement] == ["cell_1", "cell_2"]
    assert measurement["cell_2"]["voltage"].values.tolist() == [3002] * 3
    np.testing.assert_array_equal(measurement["cell_1"]["temperature"].values, [25.5, np.nan, np.nan])
    assert measurement["cell_2"].conditions["channel"].value == "R"
    assert measurement.sample == "NMC-7"
    assert any("blorp" in w for w in measurement.warnings)


def test_an_export_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no record"):
        read(written(tmp_path / "a.csv", *HEAD, COLUMNS))
    with pytest.raises(ReadError, match="headings"):
        read(written(tmp_path / "b.csv", *HEAD))


def test_files_cut_off_or_damaged_are_refused_or_read(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "pec-csv" / "pec.csv").read_bytes()[:30_000]
    broken_files.cut(READER, whole, tmp_path / "cut.csv")
    broken_files.damage(READER, whole, tmp_path / "broken.csv", within=3000)


def test_other_tables_are_not_taken(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(written(tmp_path / "a.csv", "Test,Cell,Rack", "1,2,3"))) == NO


def test_semicolons_decimal_commas_and_larger_units(tmp_path: Path) -> None:
    """An energy in watt hours headed capacity must not be added to a capacity in ampere hours."""
    columns = COLUMNS.replace("(mAh)", "(Ah)").replace("(mWh)", "(Wh)").replace("(mV)", "(V)")
    rows = [f"9;1;R;1;1;;{k};0;{k},5;02/22/2019 16:23:2{k};3,{k}5;-5;1,25;2,5;25,5;7;" for k in range(3)]
    path = written(tmp_path / "a.csv", *(h.replace(",", ";") for h in (*HEAD, columns)), *rows)
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    assert (m.sample, m[0].started) == ("NMC-7", datetime(2019, 2, 22, 16, 21, 35))
    assert m[0]["voltage"].values.tolist() == [3.05, 3.15, 3.25]
    assert (m[0]["charge_capacity"].unit, m[0]["charge_capacity"].values.tolist()) == ("Ah", [1.25] * 3)
    assert (m[0]["charge_energy"].unit, m[0]["charge_energy"].values.tolist()) == ("Wh", [2.5] * 3)
