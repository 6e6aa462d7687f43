"""The spool is the agent's memory: what it forgets is sent again for ever, what it loses is lost."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from zairyo.agent import spool as spool_module
from zairyo.agent.files import Changed
from zairyo.agent.scan import Found
from zairyo.agent.spool import Item, NoRoom, Spool
from zairyo.agent.state import AgentError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "instrument").mkdir()
    return tmp_path / "instrument"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "agent")


def found(path: Path, folder: Path) -> Found:
    stat = path.stat()
    return Found(path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns)


def waiting(spool: Spool, folder: Path, name: str, data: bytes = b"data") -> Item:
    (folder / name).write_bytes(data)
    spool.add([found(folder / name, folder)])
    return spool.waiting(1000)[-1]


def test_what_was_found_survives_and_is_found_once(spool: Spool, folder: Path, tmp_path: Path) -> None:
    item = waiting(spool, folder, "測定.dat")
    spool.add([item.found])
    spool.close()
    again = Spool(tmp_path / "agent")
    assert [i.path for i in again.waiting(10)] == ["測定.dat"]
    assert again.known() == {item.found}
    again.close()


def test_receipts_stay(spool: Spool, folder: Path) -> None:
    item = waiting(spool, folder, "a.dat")
    receipt = {"sha256": "ab", "measurement": "m"}
    spool.sent([(item, [receipt])])
    assert spool.waiting(10) == []
    assert spool.recent(10)[0].receipts == [receipt]
    assert spool.known() == {item.found}
    assert spool.counts() == {"waiting": 0, "sent": 1, "failed": 0}


def test_what_failed_waits_again_when_asked_for(spool: Spool, folder: Path) -> None:
    item = waiting(spool, folder, "a.dat")
    spool.fail(item, "too large")
    assert [(i.path, i.error) for i in spool.failed(10)] == [("a.dat", "too large")]
    assert spool.retry() == 1
    assert [(i.path, i.error) for i in spool.waiting(10)] == [("a.dat", None)]


def test_a_copy_is_sent_though_the_instrument_uses_the_name_again(spool: Spool, folder: Path) -> None:
    item = waiting(spool, folder, "a.dat", b"first")
    spool.keep_copy(item, folder / "a.dat")
    (folder / "a.dat").write_bytes(b"second")
    copy = spool.copy_of(item)
    assert copy is not None
    assert copy.read_bytes() == b"first"
    spool.sent([(item, [])])
    assert spool.copy_of(item) is None


def test_a_copy_of_a_folder_format(spool: Spool, folder: Path) -> None:
    (folder / "run.D" / "sub").mkdir(parents=True)
    (folder / "run.D" / "a").write_bytes(b"12")
    (folder / "run.D" / "sub" / "b").write_bytes(b"345")
    times = [p.stat().st_mtime_ns for p in (folder / "run.D").rglob("*") if p.is_file()]
    spool.add([Found("run.D", 5, max(times), is_folder=True)])
    (item,) = spool.waiting(10)
    spool.keep_copy(item, folder / "run.D")
    shutil.rmtree(folder / "run.D")
    copy = spool.copy_of(item)
    assert copy is not None
    assert (copy / "sub" / "b").read_bytes() == b"345"
    spool.gone(item)
    assert not copy.exists()


def test_a_file_that_changed_or_vanished_is_not_copied(spool: Spool, folder: Path) -> None:
    for i, change in enumerate((lambda p: p.write_bytes(b"another"), os.unlink)):
        item = waiting(spool, folder, f"{i}.dat")
        change(folder / f"{i}.dat")
        with pytest.raises(Changed):
            spool.keep_copy(item, folder / f"{i}.dat")
    assert os.listdir(spool.copies) == []


def test_no_copies_on_a_disk_that_is_nearly_full(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = waiting(spool, folder, "a.dat")
    usage = namedtuple("usage", "total used free")
    full = usage(10**12, 10**12 - spool_module.LEAVE_FREE_BYTES, spool_module.LEAVE_FREE_BYTES)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(NoRoom):
        spool.keep_copy(item, folder / "a.dat")
    assert os.listdir(spool.copies) == []


def test_what_a_crash_left_is_removed_and_copies_that_are_needed_stay(
    spool: Spool, folder: Path, tmp_path: Path
) -> None:
    kept = waiting(spool, folder, "kept.dat")
    spool.keep_copy(kept, folder / "kept.dat")
    failed = waiting(spool, folder, "failed.dat")
    spool.keep_copy(failed, folder / "failed.dat")
    spool.fail(failed, "no")
    done = waiting(spool, folder, "done.dat")
    spool.sent([(done, [])])
    (spool.copies / str(done.id)).write_text("unlinking it was cut off")
    (spool.copies / f"{kept.id}.part").mkdir()
    (spool.copies / "999").write_text("of a row that is gone")
    spool.close()
    again = Spool(tmp_path / "agent")
    again.clean()
    assert set(os.listdir(again.copies)) == {str(kept.id), str(failed.id)}
    again.close()


def test_a_copy_never_becomes_another_files(spool: Spool, folder: Path) -> None:
    """A copy that a crash left behind, and a new row: were the id given again, wrong bytes would be sent."""
    first = waiting(spool, folder, "a.dat")
    spool.gone(first)
    (spool.copies / str(first.id)).write_text("left behind")
    second = waiting(spool, folder, "b.dat")
    assert second.id != first.id
    assert spool.copy_of(second) is None


def test_the_log_does_not_grow_for_ever(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "_MOST_NOTES", 5)
    for i in range(8):
        spool.note(f"note {i}")
    assert [text for _, text in spool.notes(100)] == [f"note {i}" for i in range(3, 8)]


def test_a_damaged_spool_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "spool.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(AgentError, match="Move it elsewhere"):
        Spool(tmp_path / "agent")


def test_every_commit_is_on_the_disk(spool: Spool) -> None:
    """synchronous=NORMAL would lose acknowledged receipts in a power cut."""
    assert spool._db.execute("PRAGMA synchronous").fetchone()[0] == 2
