"""SPECS Prodigy databases: what a surface analyst would lose if the reader were wrong.

The tables are those of a real file of Prodigy 4.63 (EX439_S718_Au_in_25_mbar_O2.sle, in the wheel of pynxtools-xps
0.6.3): read with this reader its sums are 961223.3007084 (survey), 102021.5137348 (Au 4f in vacuum), 14677137.278774
and 383217.331935, the same as pynxtools-xps gives.
"""

from __future__ import annotations

import gzip
import sqlite3
import zlib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.specs_sle import READER

TABLES = """
CREATE TABLE Configuration (Key TEXT COLLATE NOCASE NOT NULL UNIQUE, Value TEXT NOT NULL, PRIMARY KEY (Key));
CREATE TABLE NodeMapping (Node INTEGER PRIMARY KEY AUTOINCREMENT, InternalID INTEGER NOT NULL UNIQUE);
CREATE TABLE Spectrum (Node INTEGER PRIMARY KEY, EnergyChns INTEGER NOT NULL, NonEnergyChns INTEGER NOT NULL,
  Samples INTEGER NOT NULL, ElectronEnergy FLOAT NOT NULL, EnergyType TEXT NOT NULL, Step FLOAT NOT NULL,
  EpassOrRR FLOAT NOT NULL, Ubias FLOAT NOT NULL, Udet FLOAT NOT NULL, Wf FLOAT NOT NULL, Timestamp TEXT);
CREATE TABLE RawData (RawID INTEGER PRIMARY KEY AUTOINCREMENT, Node INTEGER NOT NULL, ScanDate TEXT NOT NULL,
  Scans INTEGER NOT NULL, Eexc FLOAT NOT NULL, Head INTEGER NOT NULL, Tail INTEGER NOT NULL, Trace TEXT NOT NULL,
  WriteIndex INTEGER NOT NULL);
CREATE TABLE CountRateData (RawID INTEGER, Offset INTEGER NOT NULL, NextOffset INTEGER NOT NULL,
  ChunkSize INTEGER NOT NULL, Data BLOB NOT NULL, PRIMARY KEY (RawID, Offset));
CREATE TABLE ExtensionChannelInfo (Node INTEGER, Channel INTEGER NOT NULL, Name TEXT NOT NULL);
CREATE TABLE ExtensionData (RawID INTEGER, Channel INTEGER NOT NULL, Data BLOB NOT NULL);
CREATE TABLE OrdinateInfo (Node INTEGER, Minimum FLOAT NOT NULL, Maximum FLOAT NOT NULL, Unit TEXT NOT NULL);
CREATE TABLE TransmissionData (Node INTEGER, Ekin FLOAT NOT NULL, NonEnergyChns INTEGER NOT NULL,
  Samples INTEGER NOT NULL, Data BLOB NOT NULL, UNIQUE (Node, Ekin));
CREATE TABLE DeviceProtocol (Node INTEGER, Protocol TEXT NOT NULL, PRIMARY KEY (Node));
CREATE TABLE NodeData (Node INTEGER PRIMARY KEY, Data TEXT, Timestamp TEXT);
"""
SCHEDULE = """<!DOCTYPE SpecsLabSchedule><Experiment Version="7.0"><Schedule ID="1" Name="run 7"><{method} ID="2">
<Loop ID="3" Name="Loop"><SpectrumGroup ID="4" Name="Au in vacuum, #Temp: RT">
<CommonSpectrumSettings><ScanMode Name="{mode}"/><SlitInfo Entrance="4:7x20c" Exit="C:mesh"/></CommonSpectrumSettings>
<Spectrum ID="5" Name="Au4f"><Comment>sharp</Comment><FixedAnalyzerTransmissionSettings DwellTime="0.2"
 LensMode="LargeArea" NumScans="2"/></Spectrum></SpectrumGroup></Loop></{method}></Schedule></Experiment>"""
CALIBRATION = (
    '<Data><DetectorCalibration><Detector Shift="0.1"/><Detector Shift="-0.1"/></DetectorCalibration></Data>'
)
PROTOCOL = (
    '<DeviceProtocol><Command UniqueDeviceName="XRC1000"><Protocol><Parameter name="anode">Al</Parameter></Protocol>'
    "</Command></DeviceProtocol>"
)


def made(
    folder: Path,
    scans: dict[str, np.ndarray[Any, Any]],
    *,
    mode: str = "FixedAnalyzerTransmission",
    method: str = "XPS",
    written: int | None = None,
    pack: Any = bytes,
    pieces: int = 1,
    head: int = 0,
    more: str = "",
    **spectrum: Any,
) -> Path:
    """A database with one spectrum; ``scans``: trace → samples of shape (samples, curves, channels)."""
    path = folder / "made.sle"
    path.unlink(missing_ok=True)
    first = next(iter(scans.values()))
    samples, curves, channels = first.shape
    row = {
        "Node": 15,
        "EnergyChns": channels,
        "NonEnergyChns": curves,
        "Samples": samples,
        "ElectronEnergy": 90.0,
        "EnergyType": "Binding",
        "Step": 0.5,
        "EpassOrRR": 10.0,
        "Ubias": 400.0,
        "Udet": 1550.0,
        "Wf": 4.2,
        "Timestamp": None,
    } | spectrum
    with closing(sqlite3.connect(path)) as c:
        c.executescript(TABLES)
        told = {"AppVersion": "4.63.4", "Schedule": SCHEDULE.format(mode=mode, method=method)}
        c.executemany("INSERT INTO Configuration VALUES (?, ?)", told.items())
        c.executemany("INSERT INTO NodeMapping VALUES (?, ?)", [(12, 2), (14, 4), (15, 5)])
        c.execute(f"INSERT INTO Spectrum VALUES ({', '.join('?' * len(row))})", list(row.values()))
        c.execute("INSERT INTO NodeData VALUES (14, ?, '')", (CALIBRATION,))
        c.execute("INSERT INTO DeviceProtocol VALUES (12, ?)", (PROTOCOL,))
        for number, (trace, values) in enumerate(scans.items(), 1):
            date = f"2020-Aug-27 08:{number:02}:07.840480"
            raw = (
                number,
                15,
                date,
                1,
                1486.61,
                head,
                head,
                trace,
                len(values) if written is None else written,
            )
            c.execute("INSERT INTO RawData VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", raw)
            for i, piece in enumerate(np.array_split(values, pieces)):
                data = (number, i, i + 1, piece.size, pack(piece.tobytes()))
                c.execute("INSERT INTO CountRateData VALUES (?, ?, ?, ?, ?)", data)
        c.executescript(more)
        c.commit()
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def one(*counts: float) -> np.ndarray[Any, Any]:
    return np.array(counts, float).reshape(-1, 1, 1)


def test_scans_loops_energies_and_settings(tmp_path: Path) -> None:
    scans = {
        "Loop=1u;Scan [Idx]=1u": one(1, 2, 3),
        "Loop=1u;Scan [Idx]=2u": one(1, 2, 4),
        "Loop=2u;Scan [Idx]=1u": one(5, 6, 7),
        "Loop=2u;Scan [Idx]=2u": one(5, 6, 8),
    }
    m = read(made(tmp_path, scans))
    entry = m["au4f"]
    assert (m.title, entry.title) == ("run 7", "Au4f – Au in vacuum")
    assert entry.signal.axes == ("cycle", "binding_energy")
    assert entry.signal.unit == "counts"
    assert entry.signal.values.tolist() == [[2, 4, 7], [10, 12, 15]]
    assert entry["scan_intensity"].values.shape == (2, 2, 3)
    assert entry["binding_energy"].values.tolist() == [90, 89.5, 89]
    assert entry.started == datetime(2020, 8, 27, 8, 1, 7, 840480, tzinfo=UTC)
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["pass_energy"] == (10.0, "eV")
    assert told["excitation_energy"] == (1486.61, "eV")
    assert told["excitation_source"] == ("Al", None)
    assert told["dwell_time"] == (0.2, "s")
    assert told["lens_mode"] == ("LargeArea", None)
    assert told["comment"] == ("sharp", None)
    assert told["software_version"] == ("4.63.4", None)
    assert entry.original_metadata["devices"] == {"XRC1000": {"anode": "Al"}}


@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
@pytest.mark.parametrize("pack", [bytes, zlib.compress])
def test_every_way_numbers_are_stored(tmp_path: Path, dtype: str, pack: Any) -> None:
    path = made(tmp_path, {"Scan [Idx]=1u": one(1, 2, 3, 4, 5).astype(dtype)}, pack=pack, pieces=2)
    assert read(path)["au4f"].signal.values.tolist() == [1, 2, 3, 4, 5]


def test_channels_are_added_at_equal_energy(tmp_path: Path) -> None:
    samples = np.zeros((7, 1, 2))
    samples[1, 0, 0] = samples[5, 0, 1] = 9  # two channels shifted by ±1 eV, two samples, see one line
    entry = read(made(tmp_path, {"Scan [Idx]=1u": samples}, head=2))["au4f"]
    assert entry.signal.values.tolist() == [0, 18, 0]
    wrong = made(tmp_path, {"Scan [Idx]=1u": np.ones((3, 1, 3))})
    assert any("no calibration" in w for w in read(wrong).warnings)


def test_a_stopped_scan_is_as_long_as_what_was_written(tmp_path: Path) -> None:
    m = read(made(tmp_path, {"Scan [Idx]=1u": one(1, 2, 0, 0)}, written=2))
    assert m["au4f"].signal.values.tolist() == [1, 2]


def test_angles_kinetic_energies_and_fixed_energies(tmp_path: Path) -> None:
    samples = np.arange(12.0).reshape(3, 4, 1)
    ordinate = "INSERT INTO OrdinateInfo VALUES (15, -8, 8, 'deg');"
    entry = read(made(tmp_path, {"Scan [Idx]=1u": samples}, more=ordinate))["au4f"]
    assert entry.signal.axes == ("angle", "binding_energy")
    assert entry["angle"].values.tolist() == [-6, -2, 2, 6]
    assert entry.signal.values[1].tolist() == [1, 5, 9]
    kinetic = read(made(tmp_path, {"Scan [Idx]=1u": one(1, 2)}, EnergyType="Kinetic", ElectronEnergy=1400.0))
    assert kinetic[0]["kinetic_energy"].values.tolist() == [1400, 1400.5]
    assert kinetic[0]["binding_energy"].values == pytest.approx([86.61, 86.11])
    for mode in ("FixedEnergies", "SnapshotFAT", "ConstantFinalState"):
        assert read(made(tmp_path, {"Scan [Idx]=1u": one(1, 2)}, mode=mode))[0].signal.axes == ("point",)


def test_transmission_external_channels_and_what_loops_vary(tmp_path: Path) -> None:
    more = "INSERT INTO ExtensionChannelInfo VALUES (15, 1, 'Ring Current [mA] (Machine)');"
    scans = {f"Loop={i}u;Temperature [K]={300 + i};Scan [Idx]=1u": one(1, 2) for i in (1, 2)}
    path = made(tmp_path, scans, more=more)
    with closing(sqlite3.connect(path)) as c:
        c.execute("INSERT INTO ExtensionData VALUES (1, 1, ?)", (np.array([300.5, 301]).tobytes(),))
        c.execute("INSERT INTO TransmissionData VALUES (15, 1396, 1, 2, ?)", (np.array([9.5, 9]).tobytes(),))
        c.commit()
    entry = read(path)["au4f"]
    assert entry["transmission"].values.tolist() == [9.5, 9]
    assert (entry["ring_current"].unit, entry["ring_current"].values.tolist()) == ("mA", [300.5, 301])
    assert (entry["temperature"].unit, entry["temperature"].values.tolist()) == ("K", [301, 302])


def test_without_its_schedule_the_numbers_are_still_there(tmp_path: Path) -> None:
    path = made(
        tmp_path, {"": one(1, 2)}, more="UPDATE Configuration SET Value = '<Exp' WHERE Key = 'Schedule';"
    )
    m = read(path)
    assert m[0].signal.values.tolist() == [1, 2]
    assert any("schedule" in w for w in m.warnings)


def test_ultraviolet_and_packed_files(tmp_path: Path) -> None:
    path = made(tmp_path, {"Scan [Idx]=1u": one(1, 2)}, method="UPS")
    packed = tmp_path / "made.sle.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read(packed)[0].technique == "ups"


# --- damage ---------------------------------------------------------------------------------------------------


def test_counts_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    scans = {"Scan [Idx]=1u": one(1, 2, 3)}
    for change, told in (
        ("UPDATE CountRateData SET ChunkSize = 999999999999;", "too many"),
        ("UPDATE CountRateData SET ChunkSize = 5;", "5 counts"),
        ("UPDATE CountRateData SET Data = 'text';", "no binary data"),
        ("UPDATE Spectrum SET EnergyChns = 2;", "whole samples"),
        ("UPDATE RawData SET Head = 9;", "first energy"),
        ("DELETE FROM CountRateData;", "no spectrum"),
        ("DROP TABLE Spectrum;", "no spectrum"),
    ):
        with pytest.raises(ReadError, match=told):
            read(made(tmp_path, scans, more=change))


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    data = made(tmp_path, {f"Loop={i}u;Scan [Idx]=1u": np.ones((50, 1, 2)) for i in range(4)}).read_bytes()
    cut(READER, data, tmp_path / "cut.sle", parts=30)
    damage(READER, data, tmp_path / "damaged.sle", turns=150, within=len(data))


def test_other_databases_are_not_taken(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.sle")) as c:
        c.execute("CREATE TABLE Spectrum (Node INTEGER)")
        c.commit()
    assert READER.sniff(RawInput(tmp_path / "x.sle")) == NO
