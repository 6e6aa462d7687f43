"""If these fail, a raw file is lost, half-kept or not what its name says."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zairyo.server import objects as module
from zairyo.server.objects import DiskFull, LocalObjects, NoSuchObject


def name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files(store: LocalObjects) -> set[str]:
    return {p.name for p in store.folder.rglob("*") if p.is_file()}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalObjects]:
    made = LocalObjects(tmp_path / "objects")
    yield made
    made.close()


@pytest.mark.parametrize(
    "data", [b"", b"x", os.urandom(3 * module.CHUNK_BYTES + 7)], ids=["empty", "small", "large"]
)
@pytest.mark.parametrize("kind", ["bytes", "file", "stream"])
def test_what_is_put_comes_back(store: LocalObjects, tmp_path: Path, data: bytes, kind: str) -> None:
    source: Any = data
    if kind == "file":
        source = tmp_path / "upload"
        source.write_bytes(data)
    elif kind == "stream":
        source = io.BytesIO(data)
    [stored] = store.put([source])
    assert (stored.sha256, stored.size, stored.new) == (name(data), len(data), True)
    assert store.exists(stored.sha256)
    assert store.size(stored.sha256) == len(data)
    assert store.verify(stored.sha256)
    assert list(store) == [stored.sha256]
    with store.open(stored.sha256) as f:
        assert f.read() == data
    with store.path(stored.sha256) as path:
        assert path.read_bytes() == data
    if kind == "file":
        assert not source.exists()


@settings(max_examples=25, deadline=None)
@given(group=st.lists(st.binary(max_size=40), max_size=12))
def test_a_group_may_hold_anything_twice(
    group: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = LocalObjects(tmp_path_factory.mktemp("group") / "objects")
    stored = store.put(group)
    assert [s.sha256 for s in stored] == [name(data) for data in group]
    assert sum(s.new for s in stored) == len(set(group))
    assert list(store) == sorted({name(data) for data in group}) == sorted(files(store))
    store.close()


def test_what_is_there_is_not_written_again(store: LocalObjects) -> None:
    [first] = store.put([b"once"])
    with store.path(first.sha256) as path:
        before = path.stat()
        [second] = store.put([b"once"])
        after = path.stat()
    assert not second.new
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert files(store) == {first.sha256}


class FailingStream(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError(errno.EIO, "the cable was pulled")


def test_of_a_group_that_fails_nothing_is_kept(store: LocalObjects, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(b"still to come")
    with pytest.raises(OSError, match="cable"):
        store.put([b"first", upload, FailingStream()])
    assert files(store) == set()
    assert upload.read_bytes() == b"still to come"


@pytest.mark.parametrize("step", ["write", "fsync"])
def test_a_full_disk_is_said_and_leaves_nothing(
    store: LocalObjects, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "write":
        monkeypatch.setattr(module, "_write", full)
    else:
        monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="make room"):
        store.put([b"a", b"b", b"c"])
    assert files(store) == set()
    monkeypatch.undo()
    assert store.put([b"a"])[0].new


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux' /dev/full")
def test_writing_to_a_really_full_device_is_an_error() -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space") as e:
        module._write(full, b"x" * 100)
    assert e.value.errno == errno.ENOSPC


def test_everything_is_synced_before_it_is_said_to_be_kept(
    store: LocalObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file before it gets its name, the folder after, also the folder's own entry when it is new."""
    order: list[str] = []
    real_sync, real_replace = module._sync, Path.replace

    def sync(path: Path) -> None:
        order.append(f"sync {path.name if path.is_dir() else 'file'}")
        real_sync(path)

    def replace(self: Path, target: Path) -> Path:
        order.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(module, "_sync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    [stored] = store.put([b"data"])
    assert order[:2] == ["sync file", "rename"]
    assert sorted(order[2:]) == sorted([f"sync {stored.sha256[:2]}", "sync objects"])


def test_many_threads_putting_the_same_agree(store: LocalObjects) -> None:
    data = os.urandom(200_000)
    errors: list[Exception] = []

    def put() -> None:
        try:
            for n in range(10):
                assert store.put([data, b"%d" % n])[0].sha256 == name(data)
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=put) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(list(store)) == 11
    assert all(store.verify(sha256) for sha256 in store)


@pytest.mark.parametrize("wrong", ["", "abc", "../../etc/passwd", "A" * 64, "a" * 64 + "\n", "0" * 64])
def test_what_is_no_object_is_not_found(store: LocalObjects, wrong: str) -> None:
    """A name from outside must never become a path."""
    assert not store.exists(wrong)
    for ask in (store.open, store.size, store.verify):
        with pytest.raises(NoSuchObject):
            ask(wrong)


def test_damage_is_noticed(store: LocalObjects) -> None:
    [stored] = store.put([b"0123456789"])
    with store.path(stored.sha256) as path:
        path.write_bytes(b"0123456788")
    assert not store.verify(stored.sha256)


def test_leftovers_of_a_killed_process_are_swept(store: LocalObjects) -> None:
    """But not what another process is writing at this moment."""
    [kept] = store.put([b"kept"])
    old, fresh = (store.folder / "incoming" / name for name in ("old", "fresh"))
    old.write_bytes(b"ha")
    os.utime(old, (0, 0))
    fresh.write_bytes(b"on its way")
    store.sweep()
    assert files(store) == {kept.sha256, "fresh"}
    assert list(store) == [kept.sha256]
