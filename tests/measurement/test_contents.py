"""A file that somebody made to do harm: it must be refused before it reads other files or fills the memory."""

from __future__ import annotations

import contextlib
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, nexus

SECRET = "what the server alone may read"
Spoil = Callable[[h5py.File, Path], None]


def measurement() -> Measurement:
    entry = Entry(
        "scan",
        "xrd",
        (Axis("two_theta", np.arange(5000.0), "deg"),),
        (Signal("intensity", np.arange(5000.0), "counts", ("two_theta",)),),
        conditions={"xray_tube_voltage": Quantity(45.0, "kV"), "detector": Quantity("PIXcel")},
        original_metadata={"a": [1, 2.5, "text"]},
    )
    return Measurement((entry,), title="a scan", warnings=("odd",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    nexus.write(measurement(), tmp_path / "m.nxs")
    with h5py.File(tmp_path / "other.h5", "w") as f:
        f["secret"] = np.frombuffer(SECRET.encode(), np.uint8)
    (tmp_path / "secret.bin").write_bytes(SECRET.encode())
    return tmp_path / "m.nxs"


def _replace(f: h5py.File, value: object, **how: object) -> None:
    del f["scan/data/intensity"]
    f["scan/data"].create_dataset("intensity", data=value, **how)


def _external_link(f: h5py.File, folder: Path) -> None:
    del f["scan/data/intensity"]
    f["scan/data/intensity"] = h5py.ExternalLink(str(folder / "other.h5"), "/secret")


def _soft_link(f: h5py.File, folder: Path) -> None:
    f["scan/data/more"] = h5py.SoftLink("/scan/data/intensity")


def _external_storage(f: h5py.File, folder: Path) -> None:
    del f["scan/data/intensity"]
    where = [(str(folder / "secret.bin"), 0, len(SECRET))]
    f["scan/data"].create_dataset("intensity", shape=(len(SECRET),), dtype="u1", external=where)


def _virtual(f: h5py.File, folder: Path) -> None:
    del f["scan/data/intensity"]
    layout = h5py.VirtualLayout((len(SECRET),), "u1")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "secret", (len(SECRET),))
    f["scan/data"].create_virtual_dataset("intensity", layout)


def _unlimited_virtual(f: h5py.File, folder: Path) -> None:
    # Of these even the shape is asked of the other file.
    del f["scan/data/intensity"]
    layout = h5py.VirtualLayout((len(SECRET),), "u1", maxshape=(None,))
    source = h5py.VirtualSource(str(folder / "other.h5"), "secret", (len(SECRET),), maxshape=(None,))
    layout[: h5py.h5s.UNLIMITED] = source[: h5py.h5s.UNLIMITED]
    f["scan/data"].create_virtual_dataset("intensity", layout)


def _never_stored(f: h5py.File, folder: Path) -> None:
    del f["scan/data/intensity"]
    f["scan/data"].create_dataset("intensity", shape=(2**40,), dtype="f8", chunks=(2**20,))


def _never_stored_flat(f: h5py.File, folder: Path) -> None:
    del f["scan/data/intensity"]
    f["scan/data"].create_dataset("intensity", shape=(2**40,), dtype="f8")


def _bomb(f: h5py.File, folder: Path) -> None:
    _replace(f, np.zeros(40 * 2**20, "u1"), compression="gzip", compression_opts=9)


def _large_attribute(f: h5py.File, folder: Path) -> None:
    f["scan/data/intensity"].attrs["units"] = np.zeros(100_000, "u1")


def _many_attributes(f: h5py.File, folder: Path) -> None:
    for i in range(100):
        f["scan"].attrs[f"a{i}"] = i


def _many_objects(f: h5py.File, folder: Path) -> None:
    for i in range(2500):
        f["scan"].create_group(f"g{i}", track_order=True)


def _deep(f: h5py.File, folder: Path) -> None:
    group = f["scan"]
    for _ in range(50):
        group = group.create_group("g", track_order=True)


UNSAFE: dict[str, tuple[Spoil, str]] = {
    "external link": (_external_link, "external link"),
    "soft link": (_soft_link, "soft link"),
    "external storage": (_external_storage, "another file"),
    "virtual dataset": (_virtual, "virtual dataset"),
    "unlimited virtual dataset": (_unlimited_virtual, "virtual dataset"),
    "values never stored": (_never_stored, "claims"),
    "values never stored, flat": (_never_stored_flat, "claims"),
    "gzip bomb": (_bomb, "more than 33554432"),
    "lzf": (lambda f, _: _replace(f, np.zeros(5000), compression="lzf"), "filter 32000"),
    "unknown filter": (lambda f, _: _replace(f, np.zeros(5000), scaleoffset=2), "filter 6"),
    "reference": (lambda f, _: _replace(f, np.array([f["scan"].ref], h5py.ref_dtype)), "type"),
    "opaque": (lambda f, _: _replace(f, np.zeros(3, "V7")), "type"),
    "compound": (lambda f, _: _replace(f, np.zeros(3, [("a", "f8"), ("b", "f8")])), "type"),
    "variable length text": (lambda f, _: _replace(f, ["a", "b"]), "type"),
    "named type": (lambda f, _: f.__setitem__("scan/type", np.dtype("f8")), "neither"),
    "large attribute": (_large_attribute, "attribute of scan/data/intensity"),
    "many attributes": (_many_attributes, "attributes"),
    "many objects": (_many_objects, "more than 2000 objects"),
    "deep": (_deep, "deep"),
}
LIMITS = nexus.Limits(objects=2000, array_bytes=32 * 1024**2)


@pytest.mark.parametrize("what", UNSAFE)
def test_a_file_made_to_do_harm_is_refused(what: str, path: Path) -> None:
    spoil, why = UNSAFE[what]
    with h5py.File(path, "r+") as f:
        spoil(f, path.parent)
    tracemalloc.start()
    with pytest.raises(nexus.UnsafeFileError, match=why) as caught:
        nexus.check(path, LIMITS)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8 * 1024**2
    assert "m.nxs" in str(caught.value)
    with pytest.raises(nexus.UnsafeFileError):
        nexus.read(path, LIMITS)


def test_links_that_go_round_end(path: Path) -> None:
    with h5py.File(path, "r+") as f:
        f["scan/data/again"] = f["scan"]
        f["scan/data/root"] = f["/"]
    nexus.check(path)
    assert nexus.read(path) == measurement()


def test_all_values_together_are_limited(path: Path) -> None:
    nexus.check(path, nexus.Limits(total_bytes=100_000))
    with pytest.raises(nexus.UnsafeFileError, match="50000 bytes"):
        nexus.check(path, nexus.Limits(total_bytes=50_000))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not an HDF5"),
        (b"PK\x03\x04 a zip", "not an HDF5"),
        (b"\x89HDF\r\n\x1a\n" + bytes(90), "damaged"),
    ],
)
def test_what_is_not_hdf5_is_said_so(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "m.nxs").write_bytes(content)
    with pytest.raises(nexus.NexusError, match=why):
        nexus.read(tmp_path / "m.nxs")


def test_somebody_elses_hdf5_is_said_so(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w", track_order=True) as f:
        f["a"] = 1.0
    with pytest.raises(nexus.NexusError, match="not a standard-form file"):
        nexus.read(tmp_path / "m.h5")


def test_a_newer_form_asks_for_an_update(path: Path) -> None:
    with h5py.File(path, "r+") as f:
        f.attrs.modify("zairyo_form", nexus.FORM + 1)
    with pytest.raises(nexus.NexusError, match="Update Zairyo"):
        nexus.read(path)


SPOILT: dict[str, Spoil] = {
    "no data": lambda f, _: f["scan"].__delitem__("data"),
    "no signal": lambda f, _: f["scan/data"].__delitem__("intensity"),
    "no layout": lambda f, _: f["scan"].__delitem__("layout"),
    "layout no JSON": lambda f, _: _put(f, "scan/layout", b"{"),
    "layout a list": lambda f, _: _put(f, "scan/layout", b"[]"),
    "layout deep": lambda f, _: _put(f, "scan/layout", b"[" * 50_000),
    "axes no names": lambda f, _: _put(f, "scan/layout", b'{"axes":[1],"signals":{"intensity":[1]},"x":""}'),
    "axes elsewhere": lambda f, _: _put(
        f, "scan/layout", b'{"axes":["../a"],"signals":{"intensity":[]},"x":""}'
    ),
    "a long number": lambda f, _: _put(f, "scan/original_metadata", b'{"a":' + b"9" * 5000 + b"}"),
    "metadata too deep": lambda f, _: _put(f, "scan/original_metadata", b'{"a":' * 40 + b"1" + b"}" * 40),
    "no time": lambda f, _: _put(f, "scan/start_time", b"yesterday"),
    "no UTF-8": lambda f, _: _put(f, "scan/title", b"\xff\xfe"),
    "a NUL inside": lambda f, _: _put(f, "scan/title", b"a\0b"),
    "a number as title": lambda f, _: _put(f, "scan/title", 3.0),
    "a group as title": lambda f, _: f["scan"].create_group("title", track_order=True),
    "unit a number": lambda f, _: f["scan/data/intensity"].attrs.create("units", 3),
    "times as text": lambda f, _: f["scan/data/intensity"].attrs.__setitem__(
        "datetime64", np.bytes_("M8[fortnight]")
    ),
    "times in floats": lambda f, _: f["scan/data/intensity"].attrs.__setitem__(
        "datetime64", np.bytes_("M8[s]")
    ),
    "warnings no list": lambda f, _: _put(f, "scan/process/warnings", b'{"a":1}'),
    "signal of another length": lambda f, _: _replace(f, np.zeros(7)),
    "no such default": lambda f, _: f.attrs.modify("default", np.bytes_("nothing")),
}


def _put(f: h5py.File, name: str, value: object) -> None:
    if name in f:
        del f[name]
    f[name] = np.bytes_(value) if isinstance(value, bytes) else value


@pytest.mark.parametrize("what", SPOILT)
def test_a_spoilt_file_gives_a_plain_error(what: str, path: Path) -> None:
    with h5py.File(path, "r+") as f:
        SPOILT[what](f, path.parent)
    with pytest.raises(nexus.NexusError, match=r"m\.nxs"):
        nexus.read(path)


def test_a_file_cut_off_anywhere_gives_a_plain_error(path: Path) -> None:
    data = path.read_bytes()
    for k in range(30):
        path.write_bytes(data[: len(data) * k // 30])
        with pytest.raises(nexus.NexusError):
            nexus.read(path)


def test_flipped_bytes_give_a_measurement_or_a_plain_error(path: Path) -> None:
    data = path.read_bytes()
    source = random.Random(5)
    for _ in range(150):
        spoilt = bytearray(data)
        for _ in range(source.randint(1, 4)):
            spoilt[source.randrange(len(data))] = source.randrange(256)
        path.write_bytes(spoilt)
        with contextlib.suppress(nexus.NexusError):
            assert isinstance(nexus.read(path), Measurement)
