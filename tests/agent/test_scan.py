"""What the agent takes for finished: too early is a truncated measurement, never is a lost one."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zairyo.agent.rules import Rules, rules_from
from zairyo.agent.scan import Found, Scanner

NOW = 1_900_000_000.0
"""The laboratory's clock on the wall, s since 1970."""


class Laboratory:
    """A folder, a scanner with a clock of the test's, and what it found so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = 0.0
        self.wall = NOW
        self.known: set[Found] = set()
        self.restart()

    def restart(self) -> None:
        self.scanner = Scanner(self.folder, lambda: self.time, lambda: self.wall)

    def write(self, path: str, data: bytes = b"data", age: float = 0.0) -> Path:
        """A file that was changed ``age`` seconds ago."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        self.touch(target, age)
        return target

    def touch(self, target: Path, age: float = 0.0) -> None:
        ns = int((self.wall - age) * 1e9)
        os.utime(target, ns=(ns, ns))

    def pass_(self, seconds: float) -> None:
        self.time += seconds
        self.wall += seconds

    def look(self, **rules: Any) -> list[str]:
        """Paths of what is finished and new; it is known from then on."""
        finished, self.unfinished = self.scanner.scan(rules_from(rules), self.known)
        self.known.update(finished)
        return [f.path for f in finished]


@pytest.fixture
def lab(tmp_path: Path) -> Laboratory:
    folder = tmp_path / "instrument"
    folder.mkdir()
    return Laboratory(folder)


def test_a_file_is_finished_when_it_did_not_change_for_a_while(lab: Laboratory) -> None:
    lab.look()
    lab.write("a.dat")
    assert lab.look() == []
    assert lab.unfinished == 1
    lab.pass_(4)
    lab.write("a.dat", b"more data")  # still written
    assert lab.look() == []
    lab.pass_(4)
    assert lab.look() == []
    lab.pass_(1)
    assert lab.look() == ["a.dat"]
    assert lab.unfinished == 0
    assert lab.look() == []


def test_a_change_of_time_alone_is_a_change(lab: Laboratory) -> None:
    lab.look()
    target = lab.write("a.dat")
    lab.look()
    lab.pass_(5)
    lab.touch(target)
    assert lab.look() == []


def test_a_clock_that_jumps_finishes_nothing_early(lab: Laboratory) -> None:
    """The wall clock is set while a file is written: summer time, NTP after a dead battery."""
    lab.look()
    lab.write("a.dat")
    lab.look()
    lab.wall += 10 * 365 * 86_400
    lab.time += 1
    assert lab.look() == []
    lab.wall -= 20 * 365 * 86_400
    lab.time += 4
    assert lab.look() == ["a.dat"]


def test_a_file_from_the_future_is_finished_all_the_same(lab: Laboratory) -> None:
    lab.write("a.dat", age=-86_400)
    assert lab.look() == []
    lab.pass_(5)
    assert lab.look() == ["a.dat"]


def test_what_lies_there_for_long_is_taken_at_the_first_look(lab: Laboratory) -> None:
    lab.write("old.dat", age=3600)
    lab.write("new.dat", age=60)
    assert lab.look() == ["old.dat"]
    assert lab.unfinished == 1


def test_an_old_time_on_a_new_file_is_not_believed(lab: Laboratory) -> None:
    """Copying programs give the copy the original's time while they still write."""
    lab.look()
    lab.write("copied.dat", age=86_400)
    assert lab.look() == []
    lab.pass_(5)
    assert lab.look() == ["copied.dat"]


def test_a_new_version_under_the_same_name_is_found(lab: Laboratory) -> None:
    lab.write("a.dat", age=3600)
    assert lab.look() == ["a.dat"]
    lab.write("a.dat", b"other")
    lab.look()
    lab.pass_(5)
    assert lab.look() == ["a.dat"]
    lab.write("a.dat", b"")  # truncated
    lab.look()
    lab.pass_(5)
    assert lab.look() == ["a.dat"]


def test_a_version_that_comes_back_is_known(lab: Laboratory) -> None:
    first = lab.write("a.dat", age=3600)
    shutil.copy2(first, lab.folder.parent / "backup")
    lab.look()
    lab.write("a.dat", b"other", age=1800)
    lab.look()
    lab.pass_(5)
    assert lab.look() == ["a.dat"]
    shutil.copy2(lab.folder.parent / "backup", first)
    lab.look()
    lab.pass_(5)
    assert lab.look() == []


def test_a_renamed_file_is_found_under_its_new_name(lab: Laboratory) -> None:
    lab.write("a.dat.tmp")
    lab.look()
    lab.pass_(10)
    assert lab.look() == []
    (lab.folder / "a.dat.tmp").rename(lab.folder / "a.dat")
    lab.look()
    lab.pass_(5)
    assert lab.look() == ["a.dat"]


def test_oldest_first(lab: Laboratory) -> None:
    for name, age in (("b", 200), ("c", 300), ("a", 250)):
        lab.write(name, age=age)
    assert lab.look() == ["c", "a", "b"]


def test_end_marker(lab: Laboratory) -> None:
    rules = {"end_marker": r"\[END\]\s*$"}
    lab.write("a.ras", b"x" * 10_000 + b"\n[END]\r\n")
    lab.write("b.ras", b"[END]" + b"x" * 10_000, age=9999)
    lab.write("c.ras", b"")
    assert lab.look(**rules) == ["a.ras"]
    lab.write("b.ras", b"[END]")
    assert lab.look(**rules) == ["b.ras"]


def test_sentinel(lab: Laboratory) -> None:
    rules = {"sentinel": "{stem}.done"}
    lab.write("sub/a.raw", age=9999)
    assert lab.look(**rules) == []
    lab.write("a.done")  # in another folder
    assert lab.look(**rules) == []
    lab.write("sub/a.done")
    assert lab.look(**rules) == ["sub/a.raw"]


def test_sentinel_and_end_marker_are_both_asked_for(lab: Laboratory) -> None:
    rules = {"sentinel": "{name}.ok", "end_marker": "END"}
    lab.write("a.raw", b"not yet")
    lab.write("a.raw.ok")
    assert lab.look(**rules) == []
    lab.write("a.raw", b"END")
    assert lab.look(**rules) == ["a.raw"]


def test_since(lab: Laboratory) -> None:
    lab.write("old.dat", age=86_400 * 400)
    lab.write("new.dat", age=86_400)
    assert lab.look(since="2029-12-01T00:00:00+00:00") == ["new.dat"]
    assert lab.unfinished == 0


def test_folder_formats(lab: Laboratory) -> None:
    lab.look()
    lab.write("run.D/data.ms", b"12")
    lab.write("run.D/method/acq.xml", b"345")
    lab.write("run.D/Thumbs.db")
    (lab.folder / "empty.d").mkdir()
    lab.write("plain/data.ms", b"1")
    lab.look()
    lab.pass_(4)
    lab.write("run.D/data.ms", b"1234")  # one of its files is still written
    lab.look()
    lab.pass_(4)
    assert lab.look() == ["plain/data.ms"]
    lab.pass_(1)
    finished, unfinished = lab.scanner.scan(Rules(), lab.known)
    assert finished == [Found("run.D", 7, int((lab.wall - 5) * 1e9), is_folder=True)]
    assert unfinished == 0  # the empty folder is nothing


def test_a_folder_is_one_measurement_by_a_file_in_it(lab: Laboratory) -> None:
    """An NMR experiment's folder is called 1, 2 …: only what lies in it tells."""
    lab.look()
    lab.write("sample/1/acqus", b"12")
    lab.write("sample/1/pdata/1/1r", b"345")
    lab.write("sample/notes.txt")
    lab.write("acqus")  # in the instrument's own folder, which is never one measurement
    lab.look()
    lab.pass_(5)
    assert set(lab.look()) == {"acqus", "sample/1", "sample/notes.txt"}
    lab.write("sample/1/fid", b"6789")  # the experiment goes on
    lab.look()
    lab.pass_(5)
    finished, _ = lab.scanner.scan(Rules(), lab.known)
    assert finished == [Found("sample/1", 9, int((lab.wall - 5) * 1e9), is_folder=True)]
    lab.look(folder_formats=[".D"])
    lab.pass_(5)
    assert len(lab.look(folder_formats=[".D"])) == 3  # who does not want it gets files


def test_a_file_that_vanishes_is_forgotten(lab: Laboratory) -> None:
    lab.look()
    target = lab.write("a.dat")
    lab.look()
    target.unlink()
    lab.pass_(5)
    assert lab.look() == []
    lab.write("a.dat")
    assert lab.look() == []  # the wait begins anew


def test_a_file_that_vanishes_while_one_looks_is_no_problem(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write("a.dat", age=3600)
    lab.write("run.D/data", age=3600)
    lab.write("sub/b.dat", age=3600)

    class Vanishing:
        """``wants`` is asked between reading a folder's names and looking at each."""

        def __init__(self, rules: Rules) -> None:
            self._rules = rules

        def __getattr__(self, name: str) -> Any:
            return getattr(self._rules, name)

        def wants(self, path: str) -> bool:
            for name in ("run.D", "sub"):
                shutil.rmtree(lab.folder / name, ignore_errors=True)
            (lab.folder / "a.dat").unlink(missing_ok=True)
            return self._rules.wants(path)

    assert lab.scanner.scan(Vanishing(Rules()), set()) == ([], 0)  # type: ignore[arg-type]
    assert lab.scanner.problems == []


def test_a_missing_folder_is_an_error(lab: Laboratory) -> None:
    lab.folder.rmdir()
    with pytest.raises(OSError, match="No such file"):
        lab.look()


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a right on Windows")
def test_links_are_not_followed(lab: Laboratory, tmp_path: Path) -> None:
    """A link to a folder above would be looked through for ever, one to elsewhere sends what is not meant."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    lab.write("sub/a.dat", age=3600)
    (lab.folder / "sub" / "up").symlink_to(lab.folder)
    (lab.folder / "elsewhere").symlink_to(outside)
    (lab.folder / "latest.dat").symlink_to(lab.folder / "sub" / "a.dat")
    lab.write("run.D/data", age=3600)
    (lab.folder / "run.D" / "out").symlink_to(outside)
    (lab.folder / "dangling").symlink_to(tmp_path / "nothing")
    assert sorted(lab.look()) == ["run.D", "sub/a.dat"]
    assert [f.size for f in lab.known if f.path == "run.D"] == [4]
    assert sorted(lab.scanner.problems) == [
        "elsewhere is a link to a folder; links are not followed",
        "sub/up is a link to a folder; links are not followed",
    ]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
def test_a_name_that_is_not_unicode_is_told_and_the_rest_goes_on(lab: Laboratory) -> None:
    lab.write("b.dat", age=3600)
    for name in (b"caf\xe9.dat", b"bad\xff/a.dat", b"run.D/\xfe"):
        target = os.fsencode(lab.folder) + b"/" + name
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w") as f:
            f.write("x")
    assert lab.look() == ["b.dat"]
    said = " ".join(lab.scanner.problems)
    assert r"caf\xe9.dat has a name that is not Unicode" in said
    assert r"bad\xff has a name" in said
    assert "run.D cannot be looked at: its name is not Unicode" in said
    said.encode()  # it goes to the server


def test_names_in_japanese_are_kept_as_they_are(lab: Laboratory) -> None:
    composed, apart = "測定データ.ras", unicodedata.normalize("NFD", "別のデータ.ras")
    lab.write(composed, age=3600)
    lab.write(apart, age=3600)
    assert sorted(lab.look()) == sorted([composed, apart])


@pytest.fixture
def as_somebody() -> Iterator[Callable[[], None]]:
    """Lets the rest of the test run without root's rights, which no mode of a file holds back."""
    if os.name == "nt":
        pytest.skip("modes of files are another thing on Windows")
    was = os.geteuid()

    def become() -> None:
        if was == 0:
            os.seteuid(65534)

    yield become
    os.seteuid(was)


def test_what_may_not_be_read_is_told_and_the_rest_goes_on(
    lab: Laboratory, as_somebody: Callable[[], None]
) -> None:
    for folder in (lab.folder, *lab.folder.parents):
        if folder.stat().st_uid == os.geteuid() and folder.name:
            folder.chmod(folder.stat().st_mode | 0o755)
    lab.write("a.dat", age=3600)
    lab.write("closed.dat", age=3600).chmod(0)
    lab.write("shut/b.dat", age=3600)
    (lab.folder / "shut").chmod(0)
    as_somebody()
    assert lab.look() == ["a.dat"]
    assert lab.scanner.problems == ["the folder shut cannot be looked into: Permission denied"]
    lab.pass_(600)
    assert lab.look() == []  # its owner may hold it for a while; then a person is told
    assert "closed.dat cannot be opened: Permission denied" in lab.scanner.problems


def test_looking_leaves_no_trace(lab: Laboratory) -> None:
    """The instrument's folder belongs to the instrument: no byte, name or time in it may change."""
    for i in range(20):
        lab.write(f"sub{i % 3}/f{i}.dat", b"END", age=3600)
    lab.write("run.D/data", age=3600)
    before = traces(lab.folder)
    lab.look(end_marker="END")
    lab.look()
    assert traces(lab.folder) == before


def traces(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Everything about every file but when it was last read."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in (folder, *folder.rglob("*")):
        s = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (content, s.st_mode, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_nlink)
    return found


def test_a_huge_folder_is_looked_through_without_remembering_it(lab: Laboratory) -> None:
    """The scanner's own memory is of unfinished files only; the rest is the spool's."""
    for i in range(3000):
        (lab.folder / f"{i}.dat").touch()
    lab.scanner.scan(Rules(stable_seconds=0), lab.known)
    finished, _ = lab.scanner.scan(Rules(stable_seconds=0), lab.known)
    assert len(finished) == 3000
    lab.known.update(finished)
    assert lab.scanner.scan(Rules(), lab.known) == ([], 0)
    assert lab.scanner._still == {}
