"""What a user would lose: the numbers, their units, or the plot, on the way to the file and back."""

from __future__ import annotations

import hashlib
import threading
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tests.measurement.strategies import measurements

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    MeasurementError,
    Quantity,
    RawFile,
    Signal,
    Source,
    nexus,
    table,
)
from zairyo.measurement.model import same

X = np.linspace(10, 80, 701)
Y = np.random.default_rng(0).poisson(50, 701).astype(float)


def scan(**rest: object) -> Entry:
    return Entry(
        "scan_1",
        "xrd",
        (Axis("two_theta", X, "deg", "2θ"),),
        (Signal("intensity", Y, "counts", ("two_theta",), "Intensity", np.sqrt(Y)),),
        **rest,  # type: ignore[arg-type]
    )


def a_map() -> Entry:
    return Entry(
        "map",
        "raman",
        (Axis("y", np.arange(3.0), "um"), Axis("x", np.arange(4.0), "um"), Axis("raman_shift", X, "1/cm")),
        (
            Signal(
                "intensity", np.arange(3 * 4 * 701.0).reshape(3, 4, 701), "counts", ("y", "x", "raman_shift")
            ),
        ),
    )


def image() -> Entry:
    return Entry(
        "image",
        "xrd",
        (Axis("omega", np.arange(5.0), "deg"), Axis("two_theta", X, "deg")),
        (Signal("intensity", np.arange(5 * 701).reshape(5, 701), "counts", ("omega", "two_theta")),),
    )


def cycler() -> Entry:
    columns = [
        Signal("time", np.arange(50.0), "s"),
        Signal("voltage", np.linspace(3, 4, 50), "V"),
        Signal("current", np.ones(50), "mA"),
        Signal("step_type", ["charge", "rest"] * 25),
        Signal("timestamp", np.arange(50).astype("M8[s]")),
        Signal("ok", np.ones(50, bool)),
    ]
    return table("cycling", "battery_cycling", columns, x="time", default="voltage")


ENTRIES = {"scan": scan, "map": a_map, "image": image, "table": cycler}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "measurement.nxs"


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(measurement=measurements())
def test_any_measurement_comes_back_exactly(
    measurement: Measurement, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("exact") / "m.nxs"
    nexus.write(measurement, path)
    nexus.check(path)
    back = nexus.read(path)
    assert same(back, measurement)
    assert nexus.dumps(back) == path.read_bytes(), "equal measurements must be equal files"


def test_large_arrays_come_back_exactly_and_are_packed(path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 50, (60, 70, 90))
    axes = tuple(Axis(n, np.arange(float(k))) for n, k in zip("zyx", values.shape, strict=True))
    words = np.array(["charge 充電", "rest"] * 9000)
    m = Measurement(
        (
            Entry("a", "raman", axes, (Signal("intensity", values, axes=("z", "y", "x")),)),
            table("b", "dsc", [Signal("w", words), Signal("t", np.arange(18000))], x="t", default="t"),
        ),
        original_metadata={"long": "0123456789" * 20_000},
    )
    nexus.write(m, path)
    assert nexus.read(path) == m
    assert path.stat().st_size < values.nbytes / 4
    with h5py.File(path) as f:
        assert (f["a/data/intensity"].compression, f["a/data/intensity"].shuffle) == ("gzip", True)


def test_two_spellings_of_not_a_number_are_kept_apart(path: Path) -> None:
    bits = np.array([0x7FF8000000000000, 0x7FF8000000000123, 0xFFF8000000000000, 1 << 63], np.uint64)
    m = Measurement((Entry("e", "xrd", signals=(Signal("s", bits[0:1].view(float)[0]),)),))
    m = Measurement((Entry("e", "xrd", (Axis("a", bits.view(float)),), m[0].signals),))
    nexus.write(m, path)
    assert nexus.read(path)[0]["a"].values.tobytes() == bits.tobytes()


def test_everything_of_a_measurement_is_where_nexus_looks_for_it(path: Path) -> None:
    entry = scan(
        conditions={
            "xray_tube_voltage": Quantity(45.0, "kV", 0.5),
            "temperature": Quantity(25, "degC"),
            "started_by": Quantity(datetime(2024, 5, 6)),
        },
        started=datetime(2024, 5, 6, 7, 8, 9),
    )
    source = Source("panalytical_xrdml", "3", (RawFile("a.xrdml", "ab" * 32, 17),))
    m = Measurement((entry, cycler()), "T", "S", "X'Pert", "O", "cycling", {"k": 1}, ("odd",), source)
    nexus.write(m, path)
    with h5py.File(path) as f:
        assert f.attrs["default"] in (b"cycling", "cycling")
        assert f["scan_1/conditions/xray_tube_voltage"] == f["scan_1/instrument/source/voltage"]
        assert f["scan_1/instrument/source/voltage"][()] == 45.0
        assert f["scan_1/sample/temperature"].attrs["units"] in (b"degC", "degC")
        assert f["scan_1/sample/name"][()] == b"S"
        assert f["cycling/sample/name"] == f["scan_1/sample/name"]
        assert f["cycling/process"] == f["scan_1/process"]
        assert f["scan_1/process/program"][()] == b"panalytical_xrdml"
        assert ("ab" * 32).encode() in f["scan_1/process/raw_files"][()]
        assert f["scan_1/start_time"][()] == b"2024-05-06T07:08:09"
        assert "definition" not in f["scan_1"], "no definition's required fields are all there"
        classes = {n: f["scan_1"][n].attrs["NX_class"] for n in ("data", "instrument", "sample", "process")}
        assert {k: bytes(v, "ascii") if isinstance(v, str) else bytes(v) for k, v in classes.items()} == {
            "data": b"NXdata",
            "instrument": b"NXinstrument",
            "sample": b"NXsample",
            "process": b"NXprocess",
        }
    assert nexus.read(path) == m


@pytest.mark.parametrize("kind", ENTRIES)
def test_silx_draws_the_default_plot(kind: str, path: Path) -> None:
    from silx.io import nxdata

    entry = ENTRIES[kind]()
    nexus.write(Measurement((entry,)), path)
    with h5py.File(path) as f:
        plot = nxdata.get_default(f)
        assert plot is not None
        assert plot.is_valid
        assert plot.signal_dataset_name == entry.default
        assert np.array_equal(plot.signal[()], entry.signal.values)
        axes = ["time"] if entry.is_table else [a.name for a in entry.axes]
        assert plot.axes_dataset_names == axes
        assert np.array_equal(plot.axes[-1][()], entry[axes[-1]].values)
        if kind == "scan":
            assert np.array_equal(plot.errors[()], entry.signal.uncertainty)
            assert plot.axes_names == ["2θ (deg)"]
        if kind == "table":
            assert plot.auxiliary_signals_dataset_names == ["current"]


@pytest.mark.parametrize("kind", ENTRIES)
def test_nexusformat_draws_the_default_plot(kind: str, path: Path) -> None:
    from nexusformat.nexus import nxload

    entry = ENTRIES[kind]()
    nexus.write(Measurement((entry,)), path)
    plot = nxload(str(path)).get_default().plottable_data
    assert plot.nxsignal.nxname == entry.default
    assert np.array_equal(plot.nxsignal.nxdata, entry.signal.values)
    axes = ["time"] if entry.is_table else [a.name for a in entry.axes]
    assert [a.nxname for a in plot.nxaxes] == axes
    assert plot.nxaxes[-1].attrs["units"] == entry[axes[-1]].unit
    if kind == "scan":
        assert np.array_equal(plot.nxerrors.nxdata, entry.signal.uncertainty)


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(path: Path, tmp_path: Path) -> None:
    nexus.write(Measurement((scan(),)), path)
    before = path.read_bytes()
    folder = tmp_path / "folder.nxs"
    folder.mkdir()
    (folder / "something").touch()
    with pytest.raises(OSError, match=r"folder\.nxs"):
        nexus.write(Measurement((cycler(),)), folder)  # a folder is in the way
    with pytest.raises(FileNotFoundError):
        nexus.write(Measurement((cycler(),)), tmp_path / "missing" / "m.nxs")
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.nxs", "measurement.nxs"]
    nexus.write(Measurement((cycler(),)), path, durable=True)
    assert nexus.read(path) == Measurement((cycler(),))


def test_many_threads_write_and_read_at_once(tmp_path: Path) -> None:
    wrong: list[str] = []

    def work(number: int) -> None:
        m = Measurement((scan(title=str(number)),))
        for i in range(5):
            path = tmp_path / f"{number}_{i}.nxs"
            nexus.write(m, path)
            if nexus.read(path) != m:
                wrong.append(path.name)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []
    assert len(list(tmp_path.iterdir())) == 30


def test_hundreds_of_entries_keep_their_order(path: Path) -> None:
    m = Measurement(tuple(Entry(f"s{i * 7919 % 500}", "xps", signals=(Signal("i", i),)) for i in range(500)))
    nexus.write(m, path)
    assert nexus.read(path) == m


def test_equal_measurements_have_one_hash() -> None:
    hashes = {hashlib.sha256(nexus.dumps(Measurement((scan(), a_map())))).hexdigest() for _ in range(3)}
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Signal("s", np.ma.masked_array([1.0, 2.0], [False, True])), "masked"),
        (lambda: Signal("s", np.array([1], np.longdouble)), "float128"),
        (lambda: Signal("s", np.array(["a\0b"])), "NUL"),
        (lambda: Signal("s", ["a\0"]), "NUL"),
        (lambda: Signal("s", [b"bytes"]), "S5"),
        (lambda: Signal("s", np.zeros(1), unit="u" * 2000), "2000 characters"),
        (lambda: Signal("s", np.zeros((2, 2)), axes=("a", "a")), "twice"),
        (lambda: Quantity(1.0, uncertainty="big"), "uncertainty"),  # type: ignore[arg-type]
        (lambda: Quantity(2**63), "64 bits"),
        (lambda: Quantity(np.datetime64("2020-01-01T00:00:00.000000001")), "microsecond"),  # type: ignore[arg-type]
        (lambda: Entry("e", "xrd", signals=(Signal("s", 1),), original_metadata={"a": (1,)}), "tuple"),  # type: ignore[dict-item]
        (lambda: Entry("e", "xrd", signals=(Signal("s", 1),), original_metadata={"a": 10**5000}), "digits"),
        (
            lambda: Entry("e", "xrd", (Axis("row", [1, 2]),), (Signal("s", [1, 2], axes=("row",)),), x="s"),
            "0 … n−1",
        ),
    ],
)
def test_what_no_file_could_give_back_is_refused_before(make: object, why: str) -> None:
    with pytest.raises(MeasurementError, match=why):
        make()  # type: ignore[operator]
