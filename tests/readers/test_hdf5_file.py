"""HDF5 as a raw file: damage on which the library works for ever must be refused before it is asked."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from zairyo.readers import registry
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers._hdf5_file import attribute, members, open_hdf5
from zairyo.readers.limits import Limits
from zairyo.readers.sandbox import Failure, Sandbox

TEXTS = ["first text", "", "a second text that is longer"]


def made(**options: Any) -> bytes:
    """A file with texts of no set length, which lie in a global heap."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        file["texts"] = TEXTS
        file["numbers"] = np.arange(5.0)
        file.attrs["name"] = "a name"
    return buffer.getvalue()


def objects(data: bytes) -> list[int]:
    """Where the objects of the heap begin, the free space at its end as the last."""
    at, found = data.index(b"GCOL") + 16, list[int]()
    while data[at : at + 2] != b"\0\0":
        found.append(at)
        at += 16 + -(-int.from_bytes(data[at + 8 : at + 16], "little") // 8) * 8
    return [*found, at]


def sized(data: bytes, at: int, size: int) -> bytes:
    return data[: at + 8] + size.to_bytes(8, "little") + data[at + 16 :]


@pytest.mark.parametrize("libver", ["earliest", "v110", "latest"])
def test_whole_heaps_are_read(libver: str, tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(made(libver=libver))
    with open_hdf5(RawInput(tmp_path / "a.h5")) as file:
        assert members(file) == ["numbers", "texts"]
        assert [t.decode() for t in file["texts"][()]] == TEXTS
        assert attribute(file, "name") == "a name"


@pytest.mark.parametrize(
    ("which", "size"),
    [(-1, 0), (0, 2**64 - 16), (0, 2**64 - 32), (1, 1 << 20)],
    ids=["free space of none", "back to itself", "back", "beyond"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_heaps_without_end_are_refused(which: int, size: int, packed: bool, tmp_path: Path) -> None:
    """HDF5 2.0 does not come back from the first two, whatever is done to stop it."""
    data = made()
    at = objects(data)[which]
    data = sized(data, at, size)
    path, member = tmp_path / "a.h5", "a.h5" if packed else ""
    path.write_bytes(data)
    if packed:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(member, data)
    with pytest.raises(ReadError, match=f"a.h5 is damaged at byte {at}"), open_hdf5(RawInput(path), member):
        pass


def test_heaps_that_lie_over_each_other_cost_no_more_than_the_file_is_long(tmp_path: Path) -> None:
    """A thousand heads, each of a heap to the end of the file, would be a thousand ways through it."""
    data = made()
    head = b"GCOL\1\0\0\0" + (1 << 15).to_bytes(8, "little")
    small = (b"\1\0" + bytes(14)) * 4096
    path = tmp_path / "a.h5"
    path.write_bytes(data + head * 1000 + small)
    with pytest.raises(ReadError, match="damaged at byte"), open_hdf5(RawInput(path)):
        pass


def test_what_only_looks_like_a_heap_is_left_to_the_library(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["data"] = np.frombuffer(b"GCOL\1\0\0\0" + b"\xff" * 8 + b"GCOL\2\0\0\0" + bytes(40), np.uint8)
    (tmp_path / "a.h5").write_bytes(buffer.getvalue())
    with open_hdf5(RawInput(tmp_path / "a.h5")) as file:
        assert file["data"].shape == (64,)


def test_such_a_file_gets_an_answer_from_zairyo_read_and_from_the_sandbox(tmp_path: Path) -> None:
    data = made()
    path = tmp_path / "a.emd"
    path.write_bytes(sized(data, objects(data)[-1], 0))
    with pytest.raises(ReadError, match="no reader recognises"):
        registry.read(path)
    with Sandbox(Limits(seconds=10.0)) as sandbox:
        answer = sandbox.translate(path, tmp_path, reader="berkeley_emd", name="r.nxs", group="g")
    assert isinstance(answer, Failure)
    assert (answer.kind, "a.emd is damaged at byte" in answer.message) == ("damaged", True)


@pytest.mark.parametrize(
    "value",
    [
        2.5,
        np.float32(2.5),
        np.int32(-3),
        np.uint8(200),
        np.int64(2**40),
        True,
        np.bytes_(b"caf\xc3\xa9"),
        "café",
        b"",
        1j,
    ],
)
def test_attributes_are_as_h5py_reads_them(value: Any, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        kind = h5py.string_dtype() if isinstance(value, str) else None
        file.attrs["one"] = value
        file.attrs["row"] = np.array([value], kind)
        file.attrs["more"] = np.array([value, value], kind)
        file.attrs.create("big_endian", 1.5, dtype=">f8")
        expected = value.decode() if isinstance(value, bytes) else value
        assert attribute(file, "one") == expected
        assert attribute(file, "row") == expected
        assert attribute(file, "more").shape == (2,)
        assert attribute(file, "big_endian") == 1.5
        assert attribute(file, "missing") is None
