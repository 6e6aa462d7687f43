"""NeXus of other programs, and our own form: if these fail, a beam line's data are plotted over the wrong axis."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from zairyo.measurement import Axis, Entry, Measurement, Quantity, RawFile, Signal, Source, nexus
from zairyo.readers import registry
from zairyo.readers._api import ReadError
from zairyo.readers.invariants import check
from zairyo.readers.nexus import READER

Make = Callable[[h5py.File], None]


def made(path: Path, make: Make) -> Path:
    with h5py.File(path, "w") as file:
        make(file)
    return path


def group(parent: Any, name: str, kind: str, **attributes: Any) -> Any:
    found = parent.create_group(name)
    found.attrs["NX_class"] = kind
    for key, value in attributes.items():
        found.attrs[key] = value
    return found


def put(parent: Any, name: str, values: Any, **attributes: Any) -> Any:
    held = parent.create_dataset(name, data=values)
    for key, value in attributes.items():
        held.attrs[key] = value
    return held


def read(path: Path) -> Measurement:
    m = registry.read(path)
    assert m.source is not None
    assert m.source.reader == "nexus"
    return check(m, READER)


def xas(file: h5py.File) -> None:
    entry = group(file, "entry", "NXentry", default="data")
    put(entry, "definition", "NXxas")
    put(entry, "title", "Cu foil")
    put(entry, "start_time", "2024-05-01T12:00:00+09:00")
    put(group(entry, "sample", "NXsample"), "name", "Cu")
    put(entry["sample"], "temperature", 77.0, units="K")
    instrument = group(entry, "instrument", "NXinstrument")
    put(instrument, "name", "BL-9C")
    put(group(instrument, "source", "NXsource"), "name", "Photon Factory")
    put(group(entry, "user", "NXuser"), "name", "Sato")
    data = group(entry, "data", "NXdata", signal="mu", axes=["energy"], auxiliary_signals=["i0"])
    put(data, "energy", [8900.0, 8979.0, 9000.0], units="eV", long_name="Energy")
    put(data, "mu", [0.1, 0.9, 1.0])
    put(data, "mu_errors", [0.01, 0.02, 0.03])
    put(data, "i0", [10, 11, 12], units="counts")
    put(data, "note", np.array([1.0, 2.0]))


def test_what_the_manual_says(tmp_path: Path) -> None:
    m = read(made(tmp_path / "a.nxs", xas))
    (entry,) = m.entries
    assert (m.title, m.sample, m.instrument, m.operator) == ("Cu foil", "Cu", "BL-9C", "Sato")
    assert (entry.technique, entry.default) == ("xafs", "mu")
    assert [a.name for a in entry.axes] == ["photon_energy"]
    assert (entry["photon_energy"].unit, entry["photon_energy"].long_name) == ("eV", "Energy")
    assert [s.name for s in entry.signals] == ["mu", "i0"]
    np.testing.assert_allclose(entry.signals[0].uncertainty, [0.01, 0.02, 0.03])
    assert str(entry.conditions["temperature"]) == "77 K"
    assert entry.conditions["facility"].value == "Photon Factory"
    assert entry.started is not None
    assert entry.started.isoformat() == "2024-05-01T12:00:00+09:00"


def test_a_scan_there_and_back_is_a_table(tmp_path: Path) -> None:
    path = made(tmp_path / "a.nxs", xas)
    with h5py.File(path, "a") as file:
        file["entry/data/energy"][...] = [8900.0, 8979.0, 8950.0]
    (entry,) = read(path)
    assert entry.x == "photon_energy"
    np.testing.assert_array_equal(entry["photon_energy"].values, [8900, 8979, 8950])


def by_signal(data: Any) -> None:
    data["counts"].attrs["axes"] = "y:x"


def by_commas(data: Any) -> None:
    data["counts"].attrs["axes"] = "[y,x]"


def by_number(data: Any) -> None:
    data["y"].attrs["axis"] = 1
    data["x"].attrs["axis"] = "2"


@pytest.mark.parametrize("mark", [by_signal, by_commas, by_number])
def test_older_files_mark_the_data_sets(tmp_path: Path, mark: Callable[[Any], None]) -> None:
    def make(file: h5py.File) -> None:
        data = group(group(file, "entry1", "NXentry"), "image", "NXdata")
        put(data, "counts", np.arange(6).reshape(2, 3), signal=1)
        put(data, "y", [0.0, 1.0], units="mm")
        put(data, "x", [5.0, 6.0, 7.0], units="mm")
        mark(data)

    (entry,) = read(made(tmp_path / "a.nxs", make))
    assert [(a.name, a.unit) for a in entry.axes] == [("y", "mm"), ("x", "mm")]
    np.testing.assert_array_equal(entry["counts"].values, [[0, 1, 2], [3, 4, 5]])


def test_ends_of_bins_positions_that_do_not_fit_and_columns_that_turn(tmp_path: Path) -> None:
    def make(file: h5py.File) -> None:
        data = group(
            group(file, "entry", "NXentry"), "d", "NXdata", signal="data", axes=["tof", "omega", "wrong", "."]
        )
        put(data, "data", np.zeros((2, 3, 4, 5)))
        put(data, "tof", [0.0, 10.0, 30.0], units="us")
        put(data, "omega", [1.0, 2.0, 1.0], units="deg")
        put(data, "wrong", [1.0, 2.0])

    m = read(made(tmp_path / "a.nxs", make))
    assert [a.name for a in m[0].axes] == ["tof", "point_2", "point_3", "point_4"]
    np.testing.assert_array_equal(m[0]["tof"].values, [5, 20])
    np.testing.assert_array_equal(m[0]["omega"].values, [1, 2, 1])
    assert m[0].signals[-1].axes == ("point_2",)
    assert any("middles" in w for w in m.warnings)
    assert any("no axis of 4 points" in w for w in m.warnings)


@pytest.mark.parametrize(
    ("definition", "probe", "technique"),
    [
        ("NXmonopd", "neutron", "neutron_diffraction"),
        ("NXmonopd", "x-ray", "xrd"),
        ("NXmonopd", "", "xrd"),
        ("NXtofnpd", "", "neutron_diffraction"),
        ("NXsas", "Neutron", "sans"),
        ("NXsas", "Synchrotron X-ray Source", "saxs"),
        ("NXsas", "", "sas"),
        ("NXmine", "x-ray", "unspecified"),
    ],
)
def test_the_definition_tells_the_technique(
    tmp_path: Path, definition: str, probe: str, technique: str
) -> None:
    def make(file: h5py.File) -> None:
        entry = group(file, "entry", "NXentry")
        put(entry, "definition", definition)
        put(group(entry, "source", "NXsource"), "type", probe)
        data = group(entry, "data", "NXdata", signal="data", axes="polar_angle")
        put(data, "data", [1, 2, 3])
        put(data, "polar_angle", [10.0, 11.0, 12.0], units="degree")

    m = read(made(tmp_path / "a.nxs", make))
    (entry,) = m.entries
    assert entry.technique == technique
    assert any("does not say whether" in w for w in m.warnings) == ((definition, probe) == ("NXmonopd", ""))
    is_known = technique in ("xrd", "neutron_diffraction")
    assert entry.axes[0].name == ("two_theta" if is_known else "polar_angle")
    assert entry.axes[0].unit == "deg"


def bliss(file: h5py.File) -> None:
    scan = group(file, "1.1", "NXentry")
    put(scan, "title", "ascan th 0 1 2 0.1")
    diode = group(group(scan, "instrument", "NXinstrument"), "diode", "NXdetector")
    put(diode, "data", [3.0, 4.0, 5.0], units="A")
    columns = group(scan, "measurement", "NXcollection")
    columns["diode"] = h5py.SoftLink("/1.1/instrument/diode/data")
    put(columns, "elapsed_time", [0.0, 1.0, 2.0], units="s")
    put(columns, "th", [0.0, 0.5, 1.0], units="deg")
    put(columns, "pilatus", np.ones((3, 2, 2), np.int32))
    put(columns, "short", [1.0])


def test_a_scan_of_bliss(tmp_path: Path) -> None:
    m = read(made(tmp_path / "a.h5", bliss))
    table, picture = m.entries
    assert (table.x, table.default) == ("th", "diode")
    assert (table["diode"].unit, table["th"].unit) == ("A", "deg")
    assert table.title == "ascan th 0 1 2 0.1"
    assert picture["pilatus"].values.shape == (3, 2, 2)
    assert any("short has 1 points, not 3" in w for w in m.warnings)


def test_each_signal_has_its_own_deviations(tmp_path: Path) -> None:
    def make(file: h5py.File) -> None:
        data = group(
            group(file, "entry", "NXentry"), "d", "NXdata", signal="a", axes="x", auxiliary_signals=["b"]
        )
        put(data, "x", [0.0, 1.0])
        for name, error in (("a", 0.1), ("b", 0.2)):
            put(data, name, [1.0, 2.0])
            put(data, f"{name}_errors", [error, error])

    (entry,) = read(made(tmp_path / "a.nxs", make))
    assert [s.name for s in entry.signals] == ["a", "b"]
    np.testing.assert_array_equal(entry["b"].uncertainty, [0.2, 0.2])
    np.testing.assert_array_equal(entry["a"].uncertainty, [0.1, 0.1])


def test_what_is_larger_than_is_read_is_left_out(tmp_path: Path) -> None:
    """Pictures of many GiB: what else the file plots is read."""

    def make(file: h5py.File) -> None:
        xas(file)
        large = group(file["entry"], "pictures", "NXdata", signal="data")
        large.create_dataset("data", (2000, 1000, 1000), np.uint8, chunks=(1, 1000, 1000))

    m = read(made(tmp_path / "a.nxs", make))
    assert [e.default for e in m] == ["mu"]
    assert any("GiB" in w for w in m.warnings)


def test_a_temperature_without_a_number_is_none(tmp_path: Path) -> None:
    def make(file: h5py.File) -> None:
        xas(file)
        del file["entry/sample/temperature"]
        put(file["entry/sample"], "temperature", "cold")

    (entry,) = read(made(tmp_path / "a.nxs", make))
    assert set(entry.conditions) == {"facility"}


def test_links_that_lead_out_nowhere_or_in_circles_are_not_followed(tmp_path: Path) -> None:
    made(tmp_path / "other.h5", lambda file: file.create_dataset("secret", data=[1.0, 2.0, 3.0]))
    path = made(tmp_path / "a.h5", bliss)
    with h5py.File(path, "a") as file:
        columns = file["1.1/measurement"]
        columns["out"] = h5py.ExternalLink("other.h5", "/secret")
        file["1.1/door"] = h5py.ExternalLink("other.h5", "/")
        columns["through"] = h5py.SoftLink("/1.1/door/secret")
        columns["nowhere"] = h5py.SoftLink("/1.1/none/at/all")
        columns["a"], columns["b"] = h5py.SoftLink("b"), h5py.SoftLink("a")
        columns["beside"] = h5py.SoftLink("./th")
    table = read(path)[0]
    assert {s.name for s in table.signals} == {"th", "diode", "elapsed_time", "beside"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: group(file, "entry", "NXentry"), "no NXdata names a signal"),
        (
            lambda file: group(group(file, "entry", "NXentry"), "data", "NXdata", signal="none"),
            "holds no numbers",
        ),
    ],
)
def test_nothing_to_plot_is_said(tmp_path: Path, make: Make, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        registry.read(made(tmp_path / "a.nxs", make))


def own(path: Path) -> Measurement:
    entry = Entry(
        "scan",
        "xrd",
        (Axis("two_theta", np.array([10.0, 11.0]), "deg"),),
        (Signal("intensity", np.array([5.0, 6.0]), "counts", ("two_theta",)),),
        conditions={"temperature": Quantity(300.0, "K")},
    )
    source = Source("rigaku_ras", "3", (RawFile("a.ras", "0" * 64, 12),))
    measurement = Measurement((entry,), title="Si", original_metadata={"a": 1}, source=source)
    nexus.write(measurement, path)
    return measurement


def test_what_another_zairyo_wrote_is_read_as_it_was(tmp_path: Path) -> None:
    before = own(tmp_path / "a.ras.nxs")
    m = registry.read(tmp_path / "a.ras.nxs")
    assert m.source is not None
    assert m.source.reader == "zairyo_nexus"
    assert (m.title, m[0].technique, m[0].conditions) == ("Si", "xrd", before[0].conditions)
    np.testing.assert_array_equal(m[0]["intensity"].values, [5, 6])
    assert m.original_metadata["a"] == 1
    told = m.original_metadata["source_before"]
    assert isinstance(told, Mapping)
    assert told["reader"] == "rigaku_ras"


def test_the_standard_form_packed_or_damaged_is_refused(tmp_path: Path) -> None:
    own(tmp_path / "a.nxs")
    data = (tmp_path / "a.nxs").read_bytes()
    (tmp_path / "b.nxs.gz").write_bytes(gzip.compress(data))
    with pytest.raises(ReadError, match="unpack it first"):
        registry.read(tmp_path / "b.nxs.gz")
    (tmp_path / "c.nxs").write_bytes(data[: len(data) // 2])
    with pytest.raises(ReadError):
        registry.read(tmp_path / "c.nxs")
