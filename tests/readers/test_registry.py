"""A file finds its reader, or its owner learns why not and what to do."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import time
import zipfile
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Axis, Entry, Measurement, Signal
from zairyo.readers import registry
from zairyo.readers._api import RawInput, Reader, ReadError
from zairyo.readers.invariants import InvalidResult


def measurement(values: object = (1.0, 2.0)) -> Measurement:
    array = np.array(values)
    axis = Axis("two_theta", np.arange(float(len(array))), "deg")
    return Measurement(
        (Entry("scan", "xrd", (axis,), (Signal("intensity", array, "counts", ("two_theta",)),)),)
    )


def reader(name: str, sure: float, magic: bytes = b"") -> Reader:
    return Reader(
        name=name,
        version="1",
        techniques=("xrd",),
        vendor="Acme",
        format=name.upper(),
        endings=(".acme",),
        sniff=lambda raw: sure if raw.head.startswith(magic) else 0.0,
        read=lambda raw: measurement(),
    )


def with_readers(*readers: Reader) -> registry.Registry:
    made = registry.Registry()
    for r in readers:
        made.add(r, "test")
    return made


@pytest.fixture
def raw(tmp_path: Path) -> RawInput:
    path = tmp_path / "file.acme"
    path.write_bytes(b"ACME 1 2 3")
    return RawInput(path)


def test_surest_reader_wins(raw: RawInput) -> None:
    found = registry.find(raw, registry=with_readers(reader("guess", 0.3), reader("sure", 1.0)))
    assert found.name == "sure"


def test_tie_names_the_candidates(raw: RawInput) -> None:
    with pytest.raises(registry.Ambiguous, match=r"one and two.*--reader one"):
        registry.find(
            raw, registry=with_readers(reader("one", 0.7), reader("two", 0.7), reader("three", 0.3))
        )


def test_reader_can_be_named(raw: RawInput) -> None:
    readers = with_readers(reader("one", 0.7), reader("two", 0.7))
    assert registry.find(raw, "two", readers).name == "two"
    with pytest.raises(registry.UnknownFormat, match="no reader 'three'"):
        registry.find(raw, "three", readers)


def test_sniff_that_raises_does_not_keep_others_from_the_file(raw: RawInput) -> None:
    def broken(_: RawInput) -> float:
        raise IndexError

    bad = Reader("bad", "1", (), "", "", (), broken, lambda _: measurement())
    assert registry.find(raw, registry=with_readers(bad, reader("good", 0.3))).name == "good"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.txt",
            "日付\tさまざま\r\n1\t2\r\n3\t4\r\n".encode("utf-16"),
            "text in UTF-16 with 2 columns separated by tab",
        ),
        ("a.csv", b"1,2,3\n4,5,6\n", "3 columns separated by comma"),
        (
            "a.xml",
            b'<?xml version="1.0"?>\n<spectrum><a/></spectrum>',
            "XML with the root element <spectrum>",
        ),
        ("a.json", b'{"a": 1}', "JSON"),
        ("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
        ("a.bin", bytes(range(0, 256, 3)), "binary data beginning 00 03 06"),
        ("a.pdf", b"%PDF-1.7", "a PDF document"),
        ("a.txt", b"Dear colleague,\nthe sample is lost.\n", "text in UTF-8 without a table of numbers"),
    ],
)
def test_unknown_file_is_described(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(registry.UnknownFormat) as e:
        registry.find(RawInput(path), registry=with_readers(reader("other", 1.0, b"never")))
    assert said in str(e.value)


def test_unknown_zip_tells_what_is_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("notes/readme.md", "hello")
    with pytest.raises(registry.UnknownFormat, match=r"a zip archive with notes/readme\.md"):
        registry.find(RawInput(path), registry=with_readers())


def test_empty_file_is_damaged_not_unknown(tmp_path: Path) -> None:
    path = tmp_path / "empty.xrdml"
    path.touch()
    with pytest.raises(ReadError, match="empty") as e:
        registry.read(path)
    assert not isinstance(e.value, registry.UnknownFormat)


def test_cut_off_compression_is_told(tmp_path: Path) -> None:
    path = tmp_path / "scan.xye.gz"
    path.write_bytes(gzip.compress(b"1 2 3\n" * 1000)[:30])
    with pytest.raises(ReadError, match="cannot be unpacked"):
        registry.read(path)


def test_damaged_compression_is_told_wherever_it_is(tmp_path: Path) -> None:
    whole = gzip.compress(random.Random(1).randbytes(3000) + b"1 2 3\n" * 40_000)
    path = tmp_path / "scan.xye.gz"
    for at in (200, 1500, len(whole) - 300, len(whole) - 6):
        path.write_bytes(whole[:at] + b"\xff\xff\xff" + whole[at + 3 :])
        with pytest.raises(ReadError):
            RawInput(path).read_bytes()
        with pytest.raises(ReadError):
            registry.find(RawInput(path))
        with RawInput(path).open() as file, pytest.raises((OSError, EOFError)):
            list(file)


def test_compressed_file_is_read_as_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "scan.xye.gz"
    path.write_bytes(gzip.compress(b"1 2 3\n2 3 4\n"))
    assert registry.read(path).source.reader == "xrd_xye"  # type: ignore[union-attr]


def test_source_names_reader_and_hashes_the_raw_file(tmp_path: Path) -> None:
    path = tmp_path / "scan.xye"
    path.write_bytes(b"1 2 3\n2 3 4\n")
    source = registry.read(path).source
    assert source is not None
    assert (source.reader, source.reader_version) == ("xrd_xye", "3")
    (file,) = source.raw_files
    assert (file.name, file.size) == ("scan.xye", 12)
    assert file.sha256 == hashlib.sha256(b"1 2 3\n2 3 4\n").hexdigest()


def test_inconsistent_result_is_the_readers_fault_not_a_crash(raw: RawInput) -> None:
    def lies(_: RawInput) -> Measurement:
        return Measurement((Entry("scan", "xrd", (), (Signal("a", np.zeros(3), None, ("nowhere",)),)),))

    bad = Reader("bad", "1", (), "", "BAD", (), lambda _: 1.0, lies)
    with pytest.raises(InvalidResult, match=r"inconsistent.*nowhere"):
        registry.read(raw.path, registry=with_readers(bad))


def test_two_readers_of_one_name_are_told(raw: RawInput) -> None:
    readers = with_readers(reader("one", 1.0), reader("one", 0.3))
    assert [p.message for p in readers.problems] == ["its reader 'one' has the name of another; rename it"]
    assert registry.find(raw, registry=readers).sniff(raw) == 1.0


def test_broken_plug_in_is_named_and_the_rest_works(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("good", "zairyo.readers.panalytical_xrdml:READER", registry.GROUP),
        EntryPoint("gone", "no_such_package.reader:READER", registry.GROUP),
        EntryPoint("wrong", "zairyo:__version__", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    made = registry.Registry()
    made.add_entry_points()
    assert list(made.readers) == ["panalytical_xrdml"]
    assert {p.where.split()[1] for p in made.problems} == {"gone", "wrong"}


def test_everything_shipped_loads() -> None:
    made = registry.load()
    assert made.problems == []
    assert {"panalytical_xrdml", "plain_table"} <= set(made.readers)


def test_users_descriptions_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: mine\nversion: 1\nformat: ours\ntechnique: xrd\naxis: two_theta\n"
        "recognise: {lines: '^OURS'}\ncolumns: [{column: 1, name: two_theta}, {column: 2, name: intensity}]\n"
    )
    (tmp_path / "broken.yaml").write_text("name: [")
    monkeypatch.setenv("ZAIRYO_FORMATS", str(tmp_path))
    made = registry.load(registry.format_folders())
    assert "mine" in made.readers
    assert [Path(p.where).name for p in made.problems] == ["broken.yaml"]


def test_folders_are_walked_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/2.txt", "b/1.txt", "a.txt", ".hidden", "~$office.docx", ".git/x"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = [raw.path.relative_to(tmp_path).as_posix() for raw in registry.inputs([tmp_path])]
    assert found == ["a.txt", "b/1.txt", "b/2.txt"]


def test_folder_format_is_one_input(tmp_path: Path) -> None:
    folder = tmp_path / "run.D"
    folder.mkdir()
    (folder / "DATA.MS").write_bytes(b"x")
    (tmp_path / "other.txt").write_text("x")
    takes = Reader(
        "d",
        "1",
        (),
        "",
        "",
        (".d",),
        lambda raw: 1.0 if "DATA.MS" in raw.members else 0.0,
        lambda _: measurement(),
    )
    found = [raw.path.name for raw in registry.inputs([tmp_path], with_readers(takes))]
    assert found == ["other.txt", "run.D"]
    source = registry.read(folder, registry=with_readers(takes)).source
    assert source is not None
    assert [f.name for f in source.raw_files] == ["DATA.MS"]


def pairs(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [(n, f"{n[:-5]}.side") for n in names if n.endswith(".main") and f"{n[:-5]}.side" in names]


def set_reader() -> Reader:
    def read(raw: RawInput) -> Measurement:
        assert raw.member("a.main") + raw.member("a.side") == b"onetwo"
        return measurement()

    def sniff(raw: RawInput) -> float:
        return 1.0 if any(n.endswith(".main") for n in (*raw.members, raw.name)) else 0.0

    return Reader("s", "1", (), "", "", (".main",), sniff, read, sets=pairs)


def test_files_that_belong_together_are_one_input_with_all_their_hashes(tmp_path: Path) -> None:
    for name, text in {"a.main": "one", "a.side": "two", "b.main": "alone", "c.txt": "x"}.items():
        (tmp_path / name).write_text(text)
    readers = with_readers(set_reader())
    found = {raw.path.name: raw.members for raw in registry.inputs([tmp_path], readers)}
    assert found == {"a.main": ("a.main", "a.side"), "b.main": (), "c.txt": ()}
    # As a shell's * names them; and a part named alone is an input of its own.
    every = [tmp_path / n for n in ("a.main", "a.side", "c.txt")]
    assert [raw.path.name for raw in registry.inputs(every, readers)] == ["a.main", "c.txt"]
    assert [raw.path.name for raw in registry.inputs([tmp_path / "a.side"], readers)] == ["a.side"]
    source = registry.read(tmp_path / "a.main", registry=readers).source
    assert source is not None
    assert [f.name for f in source.raw_files] == ["a.main", "a.side"]


def test_folder_that_holds_just_one_set_is_one_input(tmp_path: Path) -> None:
    (tmp_path / "a.main").write_text("one")
    (tmp_path / "a.side").write_text("two")
    readers = with_readers(set_reader())
    assert [raw.path for raw in registry.inputs([tmp_path], readers)] == [tmp_path]
    (tmp_path / "notes.txt").write_text("x")
    assert [raw.path.name for raw in registry.inputs([tmp_path], readers)] == ["a.main", "notes.txt"]


def test_what_comes_into_a_folder_later_belongs_to_its_set(tmp_path: Path) -> None:
    """A folder's sets are remembered while nothing changes in it: a file that comes must not be overlooked."""

    def read(raw: RawInput) -> Measurement:
        return measurement()

    readers = with_readers(replace(set_reader(), read=read))
    (tmp_path / "a.main").write_text("one")
    long_ago = time.time() - 3600
    os.utime(tmp_path, (long_ago, long_ago))
    for names in (["a.main"], ["a.main"], ["a.main", "a.side"], ["a.main"]):
        if "a.side" in names:
            (tmp_path / "a.side").write_text("two")
            os.utime(tmp_path, (long_ago + 1, long_ago + 1))
        else:
            (tmp_path / "a.side").unlink(missing_ok=True)
        source = registry.read(tmp_path / "a.main", registry=readers).source
        assert source is not None
        assert [f.name for f in source.raw_files] == names
