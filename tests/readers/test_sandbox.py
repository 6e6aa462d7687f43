"""Whatever a file makes a reader do, the platform gets a clear failure, and the next file is translated."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import RawFile, nexus
from zairyo.readers import _child_frames as frames
from zairyo.readers import _child_summary as summaries
from zairyo.readers._child_scratch import Room
from zairyo.readers.limits import Limits
from zairyo.readers.sandbox import Failure, Sandbox, SandboxError, Translated

EVIL = Path(__file__).with_name("evil_readers.py")
LIMITS = Limits(seconds=60.0, memory=1 << 30, output_bytes=1 << 20)
IMPATIENT = Limits(seconds=1.0)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(LIMITS, reader_files=[EVIL]) as s:
        yield s


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in/secret.txt").write_text("a rival's data")
    return tmp_path / "in", tmp_path / "out"


def translate(
    sandbox: Sandbox, folders: tuple[Path, Path], reader: str, rest: str = "", group: str | None = None
) -> Translated | Failure:
    path = folders[0] / f"{reader}.evil"
    path.write_text(f"EVIL {reader} {rest} ")
    return sandbox.translate(path, folders[1], group=group)


def test_file_becomes_a_checked_standard_form_file(sandbox: Sandbox, folders: tuple[Path, Path]) -> None:
    path = folders[0] / "scan.xye"
    path.write_text("1 10 3\n2 20 4\n3 30 5\n")
    result = sandbox.translate(path, folders[1])
    assert isinstance(result, Translated)
    assert result.path == folders[1] / "scan.xye.nxs"
    assert [p.name for p in folders[1].iterdir()] == ["scan.xye.nxs"]
    measurement = nexus.read(result.path)
    np.testing.assert_array_equal(measurement[0].signal.values, [10, 20, 30])
    assert measurement.source is not None
    assert (measurement.source.reader, measurement.source.raw_files[0].name) == ("xrd_xye", "scan.xye")
    assert (result.reader, result.summary["technique"]) == ("xrd_xye", "xrd")
    assert result.summary["entries"][0]["signals"][0]["shape"] == [3]
    assert result.summary["warnings"] == list(measurement.warnings)


def test_known_hashes_are_taken_over(sandbox: Sandbox, folders: tuple[Path, Path]) -> None:
    path = folders[0] / "scan.xye"
    path.write_text("1 10 3\n2 20 4\n")
    known = RawFile("original name.xye", "ab" * 32, 14)
    result = sandbox.translate(path, folders[1], raw_files=[known], name="7.nxs")
    assert isinstance(result, Translated)
    assert result.path.name == "7.nxs"
    assert nexus.read(result.path).source.raw_files == (known,)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.bin", b"\x01\x02\x03 nobody knows this", "unknown_format"),
        ("a.txt", b"", "damaged"),
        ("a.xye", b"1 2 3\n2 3 4\n3 4", "damaged"),
        ("a.xye", b"1 2 3\n2 3 4\n2 4 5\n", "invalid"),
    ],
)
def test_bad_files_fail_by_kind_and_leave_nothing(
    sandbox: Sandbox, folders: tuple[Path, Path], name: str, content: bytes, kind: str
) -> None:
    path = folders[0] / name
    path.write_bytes(content)
    result = sandbox.translate(path, folders[1])
    assert isinstance(result, Failure)
    assert result.kind == kind
    assert result.message
    assert list(folders[1].iterdir()) == []


def test_missing_and_too_large_inputs(folders: tuple[Path, Path]) -> None:
    with Sandbox(Limits(input_bytes=10)) as small:
        missing = small.translate(folders[0] / "nowhere.xye", folders[1])
        large = small.translate(folders[0] / "secret.txt", folders[1])
        assert small._child is None  # neither needed the child
    assert isinstance(missing, Failure)
    assert missing.kind == "unreadable"
    assert isinstance(large, Failure)
    assert large.kind == "too_large"


@pytest.mark.parametrize(
    ("reader", "kind"),
    [
        pytest.param("allocate", "memory", marks=on_linux),
        ("exit", "crashed"),
        ("segfault", "crashed"),
        ("raise", "damaged"),
        pytest.param("large", "too_large", marks=on_linux),
        ("external_link", "invalid"),
        ("not_hdf5", "invalid"),
        ("script", "invalid"),
        ("wrong_types", "invalid"),
        ("print", "invalid or crashed"),  # as the garbage is taken for an answer or for none
        ("flood", "crashed"),
        ("deep", "crashed"),
    ],
)
@pytest.mark.parametrize("group", [None, "one project"])
def test_evil_reader_fails_and_the_next_file_is_translated(
    folders: tuple[Path, Path], sandbox: Sandbox, group: str | None, reader: str, kind: str
) -> None:
    result = translate(sandbox, folders, reader, group=group)
    assert isinstance(result, Failure)
    assert result.kind in kind.split(" or ")
    assert result.message
    assert list(folders[1].iterdir()) == []
    assert isinstance(translate(sandbox, folders, "good", group=group), Translated)


@on_linux
def test_only_files_of_one_group_share_a_process(folders: tuple[Path, Path], sandbox: Sandbox) -> None:
    def process(group: str | None) -> str:
        result = translate(sandbox, folders, "process", group=group)
        assert isinstance(result, Translated)
        pid, *beside = result.summary["title"].split()
        assert beside == ([] if group is None else ["process.evil"])
        return str(pid)

    first, again, other = process("a"), process("a"), process("b")
    assert first == again
    assert other != first
    assert process(None) != process(None)
    kept = process("a")
    assert isinstance(translate(sandbox, folders, "raise", group="a"), Failure)
    assert process("a") != kept


@on_linux
def test_nothing_is_left_in_the_temporary_folder(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with Sandbox(LIMITS, reader_files=[EVIL]) as s:
        assert isinstance(translate(s, folders, "good", group="a"), Translated)
        assert [f for f in temporary.rglob("*") if f.is_file() and f.stat().st_size] == []
    assert list(temporary.iterdir()) == []


def test_file_reached_through_a_link_keeps_the_links_name(
    folders: tuple[Path, Path], sandbox: Sandbox
) -> None:
    (folders[0] / "objekt").write_text("1 10 3\n2 20 4\n")
    link = folders[0] / "scan.xye"
    link.symlink_to(folders[0] / "objekt")
    for group in (None, "a"):
        result = sandbox.translate(link, folders[1], group=group)
        assert isinstance(result, Translated), result
        assert (result.reader, result.summary["title"]) == ("xrd_xye", "scan")


@pytest.mark.parametrize("reader", ["loop", "sleep"])
def test_reader_that_never_ends_is_stopped_and_the_next_file_is_translated(
    folders: tuple[Path, Path], reader: str
) -> None:
    with Sandbox(IMPATIENT, reader_files=[EVIL]) as impatient:
        result = translate(impatient, folders, reader)
        assert isinstance(result, Failure)
        assert result.kind == "timeout"
        assert list(folders[1].iterdir()) == []
        impatient.limits = LIMITS
        assert isinstance(translate(impatient, folders, "good"), Translated)


@on_linux
@pytest.mark.parametrize("group", [None, "one project"])
def test_reader_cannot_get_out(folders: tuple[Path, Path], sandbox: Sandbox, group: str | None) -> None:
    if not {"file system", "system calls"} <= set(sandbox.protections):
        pytest.skip(f"this kernel offers only {', '.join(sandbox.protections)}")
    with socket.create_server(("127.0.0.1", 0)) as server:
        result = translate(sandbox, folders, "attempts", str(server.getsockname()[1]), group)
    assert isinstance(result, Translated), result
    assert result.summary["title"] == "nothing"
    assert sorted(p.name for p in folders[0].iterdir()) == ["attempts.evil", "secret.txt"]


def test_reader_may_use_threads(folders: tuple[Path, Path], sandbox: Sandbox) -> None:
    result = translate(sandbox, folders, "threads")
    assert isinstance(result, Translated), result
    assert result.summary["title"] == "0 1 2 3"


@on_linux
@pytest.mark.parametrize("group", [None, "one project"])
def test_scratch_folder_is_empty_for_the_next_file(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str | None
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with Sandbox(LIMITS, reader_files=[EVIL]) as s:
        seen = []
        for _ in range(2):
            result = translate(s, folders, "scratch", group=group)
            assert isinstance(result, Translated), result
            seen.append(result.summary["title"].split())
            assert [f for f in temporary.rglob("*") if f.is_file() and f.stat().st_size] == []
        assert [found for _, *found in seen] == [[], []]
        assert (seen[0] == seen[1]) is (group is not None)  # the second was read by the same process
    assert list(temporary.iterdir()) == []


@on_linux
def test_scratch_folder_holds_files_only(folders: tuple[Path, Path], sandbox: Sandbox) -> None:
    if "file system" not in sandbox.protections:
        pytest.skip(f"this kernel offers only {', '.join(sandbox.protections)}")
    result = translate(sandbox, folders, "links")
    assert isinstance(result, Translated), result
    assert result.summary["title"] == "nothing"


@on_linux
@pytest.mark.parametrize(
    ("reader", "limits"), [("fill", Limits(scratch_bytes=1 << 24)), ("litter", Limits(scratch_files=100))]
)
@pytest.mark.parametrize("group", [None, "one project"])
def test_reader_that_fills_its_scratch_folder_is_stopped(
    folders: tuple[Path, Path], tmp_path: Path, reader: str, limits: Limits, group: str | None
) -> None:
    with Sandbox(limits, reader_files=[EVIL]) as s:
        result = translate(s, folders, reader, group=group)
        assert isinstance(result, Failure)
        assert result.kind == "too_large"
        assert "temporary files" in result.message
        assert isinstance(translate(s, folders, "good", group=group), Translated)


@on_linux
def test_reader_of_a_set_sees_just_its_files(folders: tuple[Path, Path], sandbox: Sandbox) -> None:
    if "file system" not in sandbox.protections:
        pytest.skip(f"this kernel offers only {', '.join(sandbox.protections)}")
    main, side = folders[0] / "map.evil", folders[0] / "map_1.ser"
    main.write_text("EVIL set ")
    side.write_text("hidden treasure")
    result = sandbox.translate(main, folders[1], parts=[main, side], reader="set", group="one project")
    assert isinstance(result, Translated), result
    assert result.summary["title"] == "hidden treasure and no more"
    assert [f.name for f in nexus.read(result.path).source.raw_files] == ["map.evil", "map_1.ser"]  # type: ignore[union-attr]


def test_reader_sees_no_secret_of_the_environment(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZAIRYO_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    with Sandbox(LIMITS, reader_files=[EVIL]) as fresh:
        result = translate(fresh, folders, "environment")
    assert isinstance(result, Translated)
    seen = set(result.summary["title"].split())
    allowed = {"LC_ALL", "HDF5_USE_FILE_LOCKING", "TMPDIR", "TEMP", "TMP", "TZ", "SYSTEMROOT", "LC_CTYPE"}
    assert {name for name in seen if not name.endswith("_NUM_THREADS")} <= allowed


def test_child_is_kept_and_replaced_after_its_share(folders: tuple[Path, Path]) -> None:
    with Sandbox(Limits(files=2), reader_files=[EVIL]) as few:
        seen = []
        for _ in range(3):
            assert isinstance(translate(few, folders, "good"), Translated)
            assert few._child is not None
            seen.append(few._child._process.pid)
    assert seen[0] == seen[1] != seen[2]


def test_child_that_was_killed_is_replaced(folders: tuple[Path, Path]) -> None:
    with Sandbox(LIMITS, reader_files=[EVIL]) as killed:
        killed.start()
        assert killed._child is not None
        killed._child._process.kill()
        killed._child._process.wait()
        assert isinstance(translate(killed, folders, "good"), Translated)


def test_closing_ends_the_child(folders: tuple[Path, Path]) -> None:
    ended = Sandbox(LIMITS)
    ended.start()
    assert ended._child is not None
    process = ended._child._process
    ended.close()
    assert process.poll() is not None


def test_reader_file_that_does_not_load_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_module\n")
    with Sandbox(reader_files=[broken]) as s:
        ((where, message),) = s.problems
    assert where == str(broken)
    assert "no_such_module" in message


def test_child_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "exits.py"
    broken.write_text("import os\nos.write(2, b'no room in here')\nos._exit(3)\n")
    with Sandbox(reader_files=[broken]) as s, pytest.raises(SandboxError, match="no room in here"):
        s.start()


def test_output_folder_that_is_missing_is_an_error_of_the_caller(
    folders: tuple[Path, Path], sandbox: Sandbox
) -> None:
    with pytest.raises(OSError, match="nowhere"):
        sandbox.translate(folders[0] / "secret.txt", folders[1] / "nowhere")


def test_processes_of_a_killed_reader_are_gone(folders: tuple[Path, Path]) -> None:
    with Sandbox(IMPATIENT, reader_files=[EVIL]) as short:
        assert isinstance(translate(short, folders, "sleep"), Failure)
        assert short._child is not None
        pid = short._child._process.pid
        if sys.platform == "linux":
            assert Path(f"/proc/{pid}/task/{pid}/children").read_text().split() == []
        os.kill(pid, 0)  # the child itself lives on


@pytest.mark.parametrize("data", [b"[1]", b"nul", b"\xff", b"[" * 100_000, b'{"a":'])
def test_frames_take_nothing_but_an_object(data: bytes) -> None:
    with pytest.raises(frames.FrameError):
        frames.parse(data)


GOOD = {
    "title": "t",
    "technique": "xrd",
    "sample": "",
    "operator": "",
    "instrument": "",
    "started": "2026-01-02T03:04:05+09:00",
    "default": "scan",
    "entries": [],
    "warnings": ["w"],
    "thumbnail": "M0 0L1 -2.5e1",
}


def test_good_summary_passes_unchanged() -> None:
    assert summaries.check(GOOD) == GOOD


@pytest.mark.parametrize(
    "change",
    [
        {"title": 1},
        {"title": "x" * 5000},
        {"technique": "../x"},
        {"started": "yesterday"},
        {"entries": {}},
        {"entries": [{}]},
        {"entries": [[]] * 3000},
        {"warnings": [None]},
        {"thumbnail": "M0 0<script>"},
        {"thumbnail": "data:image/svg+xml;base64,AAAA"},
        {"thumbnail": 'data:image/png;base64,AAAA" onload="x'},
        {"thumbnail": 'M0 0" onload="x'},
        {"more": 1},
    ],
)
def test_summary_that_is_not_one_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(summaries.SummaryError):
        summaries.check({**GOOD, **change})


def test_long_texts_are_cut_not_refused() -> None:
    long = {**GOOD, "title": "x" * 9000, "warnings": ["y"] * 9000}
    checked = summaries.check(summaries.cut(long))
    assert checked["title"].endswith("…")
    assert len(checked["warnings"]) == summaries.MOST_ITEMS


@pytest.mark.skipif(sys.platform == "win32", reason="without links")
def test_what_a_worker_made_of_its_input_is_removed_and_never_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("stays")
    source = tmp_path / "scan.xy"
    source.write_text("1 2")
    room = Room.make(tmp_path)
    assert room.put(source).read_text() == "1 2"
    room.withdraw()
    other = tmp_path / "other.xy"
    other.write_text("3")
    copy = room.put(other)
    assert copy.read_text() == "3", "nothing of the longer file before"
    copy.unlink()
    copy.symlink_to(precious)
    os.mkfifo(room.files / "pipe")
    (room.files / "folder").mkdir()
    room.withdraw()
    assert list(room.files.iterdir()) == []
    assert precious.read_text() == "stays"
    assert room.put(source).read_text() == "1 2"
    room.remove()
