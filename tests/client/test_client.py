"""The Python client against a real server: what a scientist's notebook relies on."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.live import LiveServer, Wire, clean_environment, free_port

import zairyo
from zairyo import client as client_module
from zairyo.client import Client, ZairyoError, connect


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut connection is tried again at once; the environment names no server of somebody's."""
    monkeypatch.setattr(client_module, "RETRY_SECONDS", (0.0, 0.0, 0.0))
    for name in ("ZAIRYO_URL", "ZAIRYO_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def lab(shared_live: LiveServer, request: pytest.FixtureRequest) -> Iterator[Client]:
    """Somebody in a project of this test's own."""
    with shared_live.client(project=project_of(request)) as client:
        yield client


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    return project_of(request)


def project_of(request: pytest.FixtureRequest) -> str:
    return f"p{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_connecting_fails_in_words(shared_live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZairyoError, match="A token is needed"):
        connect(shared_live.url)
    with pytest.raises(ZairyoError, match="cannot be reached"):
        connect(f"http://127.0.0.1:{free_port()}", "zry_x")
    with pytest.raises(ZairyoError, match="not an address"):
        connect("ftp://example.org", "zry_x")
    with pytest.raises(ZairyoError, match="no token has"):
        connect(shared_live.url, "zry_…")
    with pytest.raises(ZairyoError, match="unknown, revoked or expired") as e:
        connect(shared_live.url, "zry_nonsense")
    assert (e.value.code, e.value.status) == ("unauthenticated", 401)
    monkeypatch.setenv("ZAIRYO_URL", f"{shared_live.url}/")
    monkeypatch.setenv("ZAIRYO_TOKEN", shared_live.token())
    with zairyo.connect() as lab:
        assert repr(lab) == f"<Zairyo at {shared_live.url}>"
        assert lab.me()["projects"][0]["slug"] == "cells"


def test_a_token_may_do_only_what_its_scopes_say(shared_live: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_text("1")
    with shared_live.client("read") as reader, pytest.raises(ZairyoError, match="scope upload"):
        reader.upload(tmp_path / "a.dat", project="cells")
    with shared_live.client("upload") as sender, pytest.raises(ZairyoError, match="scope read"):
        sender.search().first()
    with shared_live.client(role="viewer") as viewer, pytest.raises(ZairyoError, match="contributor"):
        viewer.upload(tmp_path / "a.dat", project="cells")


def test_what_is_uploaded_is_found_and_read_as_it_is(lab: Client, project: str, examples: Path) -> None:
    source = examples / "diffraction" / "Scan_C2.xrdml"
    (receipt,) = lab.upload(source, project=project)
    assert receipt.sha256 == sha256(source.read_bytes())
    assert (receipt.name, receipt.size, receipt.duplicate) == (source.name, source.stat().st_size, False)
    remote = lab.measurement(receipt.measurement).wait()
    found, expected = remote.read(), zairyo.read(source)
    assert found == expected
    for a, b in zip(found.entries, expected.entries, strict=True):
        for got, wanted in zip((*a.axes, *a.signals), (*b.axes, *b.signals), strict=True):
            np.testing.assert_array_equal(got.values, wanted.values)
    (again,) = lab.upload(source, project=project)
    assert again.duplicate
    assert again.measurement == receipt.measurement
    first = lab.search("technique:xrd").first()
    assert first is not None
    assert first.uid == receipt.measurement
    assert "translated" in repr(first)


def test_a_folder_is_one_measurement(lab: Client, project: str, tmp_path: Path) -> None:
    (tmp_path / "run.D" / "sub").mkdir(parents=True)
    (tmp_path / "run.D" / "a.dat").write_bytes(b"1")
    (tmp_path / "run.D" / "sub" / "b 測定#.dat").write_bytes(b"22")
    receipts = lab.upload(tmp_path / "run.D", project=project)
    assert len({r.measurement for r in receipts}) == 1
    saved = lab.measurement(receipts[0].measurement).download(tmp_path / "back")
    assert [p.relative_to(tmp_path / "back").as_posix() for p in saved] == ["a.dat", "sub/b 測定#.dat"]
    assert [p.read_bytes() for p in saved] == [b"1", b"22"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZairyoError, match="empty folder"):
        lab.upload(tmp_path / "empty", project=project)


def test_a_file_of_no_known_format_says_why_it_cannot_be_read(
    lab: Client, project: str, tmp_path: Path
) -> None:
    (tmp_path / "odd.bin").write_bytes(os.urandom(1000))
    (receipt,) = lab.upload(tmp_path / "odd.bin", project=project)
    remote = lab.measurement(receipt.measurement).wait()
    with pytest.raises(ZairyoError, match="not_translated") as e:
        remote.read()
    assert e.value.code == "not_translated"
    (saved,) = remote.download(tmp_path / "back")
    assert sha256(saved.read_bytes()) == receipt.sha256


def test_search_reads_every_page_once(
    lab: Client, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_PAGE", 3)
    sent = set()
    for i in range(8):
        (tmp_path / f"{i}.bin").write_bytes(bytes([0, i]))
        sent.add(lab.upload(tmp_path / f"{i}.bin", project=project)[0].measurement)
    search = lab.search(project=project)
    search.page = 3
    found = [m.uid for m in search]
    assert len(found) == 8
    assert set(found) == sent
    assert search.count() == 8
    times = [m.received_at for m in search]
    assert times == sorted(times, reverse=True)
    assert [m.uid for m in lab.search(sort="received_at", project=[project, project])] == found[::-1]
    assert list(lab.search("nothing-like-this")) == []
    assert lab.search("nothing-like-this").first() is None


def test_search_as_a_table(lab: Client, project: str, examples: Path) -> None:
    (receipt,) = lab.upload(examples / "diffraction" / "Scan_C3.xrdml", project=project)
    lab.measurement(receipt.measurement).wait()
    frame = lab.search().to_pandas()
    assert list(frame.index) == [receipt.measurement]
    row = frame.iloc[0]
    assert (row["technique"], row["state"], row["project"]) == ("xrd", "translated", project)
    assert str(frame["received_at"].dtype).startswith("datetime64[")
    assert str(frame["received_at"].dt.tz) == "UTC"
    empty = lab.search("nothing-like-this").to_pandas()
    assert len(empty) == 0
    assert {"title", "technique", "sample", "measured_at"} <= set(empty.columns)
    assert str(empty["received_at"].dt.tz) == "UTC"


def test_mistakes_in_a_search_are_told(lab: Client) -> None:
    with pytest.raises(ZairyoError) as e:
        lab.search("temperature>3 bananas").first()
    assert "bananas" in str(e.value)
    with pytest.raises(TypeError):
        lab.search(technik="xrd")  # type: ignore[call-arg]
    with pytest.raises(ZairyoError) as e:
        lab.measurement("../me")
    assert e.value.status == 404


@pytest.fixture
def wire(shared_live: LiveServer) -> Iterator[Wire]:
    made = Wire(shared_live.port)
    yield made
    made.close()


@pytest.fixture
def by_wire(shared_live: LiveServer, wire: Wire) -> Iterator[Client]:
    with connect(wire.url, shared_live.token()) as client:
        yield client


def test_a_large_upload_goes_on_where_the_connection_was_cut(
    by_wire: Client, wire: Wire, tmp_path: Path
) -> None:
    data = os.urandom(30 * 1024**2)
    (tmp_path / "large.bin").write_bytes(data)
    wire.cut_after = 20 * 1024**2
    (receipt,) = by_wire.upload(tmp_path / "large.bin", project="cells")
    assert wire.cuts == 1
    assert receipt.sha256 == sha256(data)
    assert not receipt.duplicate


def test_an_upload_damaged_on_the_way_is_sent_again(by_wire: Client, wire: Wire, tmp_path: Path) -> None:
    data = b"x" * 1000 + b"needle 1"
    (tmp_path / "a.bin").write_bytes(data)
    wire.flip = (b"needle", b"noodle")
    (receipt,) = by_wire.upload(tmp_path / "a.bin", project="cells")
    assert wire.flips == 1
    assert receipt.sha256 == sha256(data)


def test_a_server_that_stays_away_is_told(by_wire: Client, wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"1")
    wire.close()
    by_wire._http._transport.close()  # the connection of before
    with pytest.raises(ZairyoError, match=r"a\.bin could not be sent"):
        by_wire.upload(tmp_path / "a.bin", project="cells")


def test_a_download_damaged_or_cut_leaves_nothing(by_wire: Client, wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"x" * 5000 + b"needle 2")
    (receipt,) = by_wire.upload(tmp_path / "a.bin", project="cells")
    remote = by_wire.measurement(receipt.measurement)
    wire.flip = (b"needle", b"noodle")
    with pytest.raises(ZairyoError, match="arrived damaged") as e:
        remote.download(tmp_path / "back")
    assert e.value.code == "wrong_hash"
    assert os.listdir(tmp_path / "back") == []
    (saved,) = remote.download(tmp_path / "back")
    assert sha256(saved.read_bytes()) == receipt.sha256


def test_files_that_are_there_are_not_overwritten(lab: Client, project: str, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"the measurement")
    (receipt,) = lab.upload(tmp_path / "a.bin", project=project)
    remote = lab.measurement(receipt.measurement)
    assert remote.download(tmp_path) == [tmp_path / "a.bin"]  # the same content
    (tmp_path / "a.bin").write_bytes(b"my notes")
    with pytest.raises(ZairyoError, match="choose another folder"):
        remote.download(tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == b"my notes"


def test_the_client_needs_no_server_library(shared_live: LiveServer) -> None:
    probe = f"""
import sys, zairyo
with zairyo.connect({shared_live.url!r}, {shared_live.token()!r}) as lab:
    lab.search().first()
heavy = ("pandas", "h5py", "numpy", "fastapi", "sqlalchemy", "pint")
print("HEAVY", sorted(m for m in heavy if m in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, env=clean_environment()
    )
    assert done.stdout.splitlines()[-1:] == ["HEAVY []"], done.stderr
