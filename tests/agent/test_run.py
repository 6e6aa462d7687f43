"""The agent against a real server: every version of every file arrives, whatever stands in the way."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from tests.live import LiveServer, Wire, free_port, running

from zairyo.agent import run as run_module
from zairyo.agent import spool as spool_module
from zairyo.agent.pairing import pair
from zairyo.agent.run import Agent
from zairyo.agent.state import AgentError, load, only_one, save
from zairyo.cli.agent import agent as command

AT_ONCE = {"stable_seconds": 0}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Bench:
    """An instrument, its folder, and its agent, which works when the test says so."""

    def __init__(
        self, server: LiveServer, slug: str, folder: Path, url: str | None = None, **rules: Any
    ) -> None:
        self.server, self.slug = server, server.instrument(slug, **{**AT_ONCE, **rules})
        self.folder, self.state = folder / "instrument", folder / "agent"
        server.pair(slug, self.folder, self.state, url=url)
        self.open()

    def open(self, transport: httpx.BaseTransport | None = None) -> None:
        self.agent = Agent(self.state, transport)

    def reopen(self, transport: httpx.BaseTransport | None = None) -> None:
        self.agent.close()
        self.open(transport)

    def write(self, path: str, data: bytes) -> str:
        """Write a file; its SHA-256."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return sha256(data)

    def work(self) -> None:
        """Look once and send what can be sent, however lately it was tried; where the server is away, copy."""
        self.agent._try_again_at = 0.0
        self.agent._later.clear()
        self.agent.look()
        self.agent.send_all()
        self.agent.send_until(time.monotonic())

    def received(self) -> list[tuple[str, int, list[tuple[str, str]]]]:
        return self.server.received(self.slug)

    def counts(self) -> dict[str, int]:
        return self.agent.spool.counts()

    def zairyo(self, *words: str) -> Any:
        return CliRunner().invoke(command, [*words, "--state", str(self.state)], catch_exceptions=False)


@pytest.fixture
def bench(
    shared_live: LiveServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Bench]]:
    """Makes a bench on the shared server (or another)."""
    slug = f"i{abs(hash(request.node.name)) % 10**9}"
    with ExitStack() as stack:

        def make(server: LiveServer = shared_live, **rules: Any) -> Bench:
            made = Bench(server, slug, tmp_path, **rules)
            stack.callback(lambda: made.agent.close())
            return made

        yield make


def test_files_arrive_with_receipts(bench: Callable[..., Bench]) -> None:
    b = bench()
    hashes = {
        name: b.write(name, data)
        for name, data in {
            "a.dat": b"1",
            "sub/測定 1.dat": b"22",
            "empty.dat": b"",
            "large.bin": os.urandom(20 * 1024**2 + 1),
        }.items()
    }
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ctime_ns) for p in b.folder.rglob("*")}
    b.work()
    assert {path: (version, raw) for path, version, raw in b.received()} == {
        path: (1, [(path.rpartition("/")[2], sha)]) for path, sha in hashes.items()
    }
    assert {i.path: i.receipts[0]["sha256"] for i in b.agent.spool.recent(10)} == hashes
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ctime_ns) for p in b.folder.rglob("*")} == before
    b.work()
    assert b.counts() == {"waiting": 0, "sent": 4, "failed": 0}


def test_a_changed_file_is_a_new_version(bench: Callable[..., Bench]) -> None:
    b = bench()
    hashes = []
    for content in (b"one", b"two!", b"three"):
        hashes.append(b.write("a.dat", content))
        b.work()
    assert b.received() == [("a.dat", i + 1, [("a.dat", h)]) for i, h in enumerate(hashes)]


def test_a_folder_format_is_one_measurement(bench: Callable[..., Bench]) -> None:
    b = bench()
    raw = sorted(
        [("data.ms", b.write("run.D/data.ms", b"12")), ("m/acq.xml", b.write("run.D/m/acq.xml", b"345"))]
    )
    b.work()
    assert b.received() == [("run.D", 1, raw)]
    status = b.zairyo("status").output
    assert "run.D/data.ms" in status
    assert "run.D/m/acq.xml" in status


def test_a_lost_spool_sends_nothing_twice(bench: Callable[..., Bench]) -> None:
    b = bench()
    for i in range(5):
        b.write(f"{i}.dat", bytes([i]))
    b.work()
    b.agent.close()
    (b.state / "spool.sqlite").unlink()
    b.open()
    b.work()
    assert len(b.received()) == 5
    assert all(i.receipts[0]["duplicate"] for i in b.agent.spool.recent(10))
    assert "was there already" in b.zairyo("status").output


def test_all_versions_arrive_though_the_server_was_away_for_hours(
    tmp_path: Path, bench: Callable[..., Bench]
) -> None:
    """The instrument uses its file names again and again meanwhile, and the agent's computer restarts."""
    with running(LiveServer(tmp_path / "server")) as server:
        b = bench(server)
        b.write("before.dat", b"before")
        b.work()
        server.kill()
        hashes = [b.write("a.dat", b"version 0")]
        b.write("run.D/x", b"set 0")
        b.work()
        assert b.agent.away is not None
        for i in range(1, 6):
            hashes.append(b.write("a.dat", b"version %d" % i))
            b.write("run.D/x", b"set %d" % i)
            if i == 3:
                b.reopen()
            b.work()
        assert b.counts() == {"waiting": 12, "sent": 1, "failed": 0}
        assert "cannot be reached" in b.zairyo("status").output
        b.write("a.dat", b"too early to be seen")
        hashes.append(b.write("a.dat", b"the last"))
        server.start()
        b.work()
        received = b.received()
        assert [(v, raw[0][1]) for path, v, raw in received if path == "a.dat"] == [
            (i + 1, h) for i, h in enumerate(hashes)
        ]
        assert [raw for path, _, raw in received if path == "run.D"] == [
            [("x", sha256(b"set %d" % i))] for i in range(6)
        ]
        assert os.listdir(b.agent.spool.copies) == []
        assert "takes files again" in b.zairyo("status").output


def test_a_full_disk_makes_no_copies_and_stops_nothing(
    tmp_path: Path, bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(LiveServer(tmp_path / "server")) as server:
        b = bench(server)
        server.kill()
        monkeypatch.setattr(spool_module, "LEAVE_FREE_BYTES", 2**60)
        sha = b.write("a.dat", b"data")
        b.work()
        assert os.listdir(b.agent.spool.copies) == []
        assert any("nearly full" in text for text in b.agent.troubles())
        server.start()
        b.work()
        assert b.received() == [("a.dat", 1, [("a.dat", sha)])]


def test_a_spool_that_cannot_grow_is_told_and_goes_on_when_there_is_room(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "HEARTBEAT_SECONDS", 0.05)
    b = bench()
    database = b.agent.spool._db
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own "disk is full"
    for i in range(300):
        b.write(f"{i:03}_{'x' * 150}.dat", i.to_bytes(2, "big"))
    worker = threading.Thread(target=b.agent.run)
    worker.start()
    try:
        until(lambda: any("cannot be written" in text for text in b.agent.troubles()))
        database.execute("PRAGMA max_page_count = 1000000")
        until(lambda: b.counts()["sent"] == 300)
    finally:
        b.agent.stop()
        worker.join()
    assert len(b.received()) == 300
    assert b.agent.troubles() == []


def until(check: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not check():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_file_that_changes_while_it_is_sent(bench: Callable[..., Bench]) -> None:
    """What is sent is what was found, whole, or nothing: never half of one version and half of the next."""
    b = bench()
    path = b.folder / "a.bin"
    second = os.urandom(20 * 1024**2)

    class Changing(httpx.HTTPTransport):
        changed = False

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PATCH" and not self.changed:
                self.changed = True
                path.write_bytes(second)
            return super().handle_request(request)

    b.reopen(Changing())
    b.write("a.bin", os.urandom(20 * 1024**2))
    b.work()
    b.work()
    assert b.received() == [("a.bin", 1, [("a.bin", sha256(second))])]
    assert b.counts() == {"waiting": 0, "sent": 1, "failed": 0}


def test_a_file_that_is_removed_before_it_is_sent_is_told(bench: Callable[..., Bench]) -> None:
    b = bench()
    b.write("a.dat", b"data")
    b.agent.look()
    (b.folder / "a.dat").unlink()
    b.work()
    assert b.counts()["waiting"] == 0
    assert "a.dat was removed before it could be sent" in b.zairyo("status").output


def test_a_network_folder_that_goes_away_forgets_nothing(bench: Callable[..., Bench]) -> None:
    b = bench()
    sha = b.write("a.dat", b"data")
    b.agent.look()
    b.folder.rename(b.folder.with_name("unplugged"))
    b.work()
    assert b.counts()["waiting"] == 1
    assert any("cannot be read" in text for text in b.agent.troubles())
    b.folder.with_name("unplugged").rename(b.folder)
    b.work()
    assert b.received() == [("a.dat", 1, [("a.dat", sha)])]
    assert b.agent.troubles() == []


def test_a_large_file_goes_on_where_the_connection_was_cut(
    shared_live: LiveServer, bench: Callable[..., Bench]
) -> None:
    wire = Wire(shared_live.port)
    b = bench(url=wire.url)
    sha = b.write("a.bin", os.urandom(30 * 1024**2))
    wire.cut_after = 20 * 1024**2
    b.work()
    b.reopen()
    assert wire.cuts == 1
    (item,) = b.agent.spool.waiting(10)
    assert item.upload is not None
    wire.cut_after = 30 * 1024**2  # not the whole file goes again
    b.work()
    assert wire.cuts == 1
    assert b.received() == [("a.bin", 1, [("a.bin", sha)])]
    wire.close()


@pytest.mark.parametrize("size", [1000, 3 * 1024**2])
def test_a_byte_that_flips_on_the_way_is_noticed(
    shared_live: LiveServer, bench: Callable[..., Bench], size: int
) -> None:
    wire = Wire(shared_live.port)
    b = bench(url=wire.url)
    sha = b.write("a.bin", b"\0" * size + b"needle")
    wire.flip = (b"needle", b"noodle")
    b.work()
    b.work()
    assert wire.flips == 1
    assert b.received() == [("a.bin", 1, [("a.bin", sha)])]
    wire.close()


def test_a_revoked_agent_says_so_and_goes_on_after_pairing_again(bench: Callable[..., Bench]) -> None:
    b = bench()
    b.write("a.dat", b"1")
    b.work()
    b.server.unpair(b.slug)
    b.write("b.dat", b"2")
    b.work()
    b.agent.heartbeat()
    assert b.agent.barred is not None
    assert b.counts()["waiting"] == 1
    assert "does not let this agent in" in b.zairyo("status").output
    done = b.zairyo("pair", b.server.url, b.server.code(b.slug), "--folder", str(b.folder))
    assert done.exit_code == 0, done.output
    b.agent.heartbeat()  # the running agent notices by itself
    b.work()
    assert b.counts() == {"waiting": 0, "sent": 2, "failed": 0}
    assert [path for path, *_ in b.received()] == ["a.dat", "b.dat"]


def test_what_the_server_does_not_take_fails_with_its_reason_and_the_rest_goes_on(
    tmp_path: Path, bench: Callable[..., Bench]
) -> None:
    with running(LiveServer(tmp_path / "server", max_file_bytes=1000)) as server:
        b = bench(server)
        b.write("large.dat", b"x" * 1001)
        b.write("bell\a.dat", b"1")
        b.write("good.dat", b"2")
        b.work()
        assert b.counts() == {"waiting": 0, "sent": 1, "failed": 2}
        status = b.zairyo("status").output
        assert "1001 bytes" in status
        assert "control characters" in status
        b.agent.heartbeat()
        with server.client("read") as lab:
            (instrument,) = lab.get("instruments")["items"]
        assert instrument["failed"] == 2
        assert any("large.dat was not taken" in p for p in instrument["agent"]["problems"])
        server.stop()
        server.max_file_bytes = 2000
        server.start()
        assert b.zairyo("retry").output == "Files that wait again: 2\n"
        b.work()
        assert b.counts() == {"waiting": 0, "sent": 2, "failed": 1}


class Answering(httpx.HTTPTransport):
    """The network, in which something answers uploads of some files in the server's place."""

    def __init__(self, answer: Callable[[], httpx.Response], only: bytes = b"") -> None:
        super().__init__()
        self.answer, self.only, self.on = answer, only, True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.on and "/uploads" in request.url.path and self.only in request.read():
            return self.answer()
        return super().handle_request(request)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(200, html="<h1>Guest Wi-Fi: accept the terms</h1>"),
        lambda: httpx.Response(302, headers={"Location": "https://login.example.org/"}),
        lambda: httpx.Response(503, text="maintenance"),
        lambda: httpx.Response(429, json={"detail": "Too many."}),
        lambda: httpx.Response(507, json={"detail": "The server's disk is full."}),
        lambda: httpx.Response(201, headers={"Zairyo-Receipt": "{}"}),
        lambda: httpx.Response(500, text="oops"),
    ],
)
def test_whatever_answers_in_the_servers_place_nothing_fails_for_good(
    bench: Callable[..., Bench], answer: Callable[[], httpx.Response]
) -> None:
    b = bench()
    transport = Answering(answer)
    b.reopen(transport)
    b.write("small.dat", b"1")
    b.write("large.dat", b"2" * (3 * 1024**2))
    b.work()
    assert b.counts() == {"waiting": 2, "sent": 0, "failed": 0}
    transport.on = False
    b.work()
    assert b.counts() == {"waiting": 0, "sent": 2, "failed": 0}


def test_one_bad_file_does_not_hold_the_others_up(bench: Callable[..., Bench]) -> None:
    """A virus scanner in the proxy damages one upload each time; a thousand others behind it must not wait."""
    b = bench()
    b.reopen(Answering(lambda: httpx.Response(460, json={"detail": "Another hash."}), only=b"EICAR"))
    b.write("0.dat", b"EICAR")
    for i in range(1, 5):
        b.write(f"{i}.dat", bytes([i]))
    b.work()
    assert b.counts() == {"waiting": 1, "sent": 4, "failed": 0}
    assert "0.dat waits: Another hash." in b.agent.troubles()
    assert "0.dat: Another hash." in b.zairyo("status").output


def test_rules_come_with_the_heartbeat_and_stay(bench: Callable[..., Bench]) -> None:
    b = bench()
    with b.server.catalogue(write=True) as session:
        from zairyo.server import admin

        instrument = admin.instrument_by_slug(session, b.slug)
        instrument.settings = {**AT_ONCE, "include": ["*.raw"]}
        instrument.settings_version += 1
    b.agent.heartbeat()
    b.write("a.raw", b"1")
    b.write("a.log", b"2")
    b.work()
    assert [path for path, *_ in b.received()] == ["a.raw"]
    assert load(b.state).settings == {**AT_ONCE, "include": ["*.raw"]}
    b.reopen()
    b.work()
    assert len(b.received()) == 1


def test_rules_that_cannot_be_used_send_nothing_that_may_be_private(bench: Callable[..., Bench]) -> None:
    b = bench(exclude=["private/*"])
    state = load(b.state)
    state.settings["sentinel"] = "of a newer server"
    save(b.state, state)
    b.reopen()
    b.write("private/a.dat", b"1")
    b.work()
    assert b.received() == []
    assert any("rules cannot be used" in text for text in b.agent.troubles())


def test_a_wrong_clock_is_told(bench: Callable[..., Bench]) -> None:
    b = bench()
    b.agent._compare_clocks("2001-01-01T00:00:00Z")
    assert any("fast" in text for text in b.agent.troubles())
    b.agent.heartbeat()
    assert b.agent.troubles() == []


def test_the_server_shows_how_the_agent_is(bench: Callable[..., Bench]) -> None:
    b = bench()
    b.write("a.dat", b"1")
    b.agent.look()
    b.agent.heartbeat()
    with b.server.client("read") as lab:
        shown = lab.get(f"instruments/{b.slug}")
    assert shown["status"] == "online"
    assert shown["waiting"] == 1
    assert shown["agent"]["folder"] == str(b.folder)


def test_two_agents_on_one_spool_are_refused(bench: Callable[..., Bench]) -> None:
    b = bench()
    with only_one(b.state):
        done = b.zairyo("run", "--once")
    assert done.exit_code == 1
    assert "Another agent runs" in done.output


def test_run_once_tells_what_is_left(bench: Callable[..., Bench]) -> None:
    b = bench(stable_seconds=60)
    b.agent.close()
    b.write("old.dat", b"1")
    os.utime(b.folder / "old.dat", (1_500_000_000, 1_500_000_000))
    done = b.zairyo("run", "--once")
    assert (done.exit_code, done.output) == (0, "1 sent, 0 waiting, 0 not taken\n")
    b.write("new.dat", b"2")
    done = b.zairyo("run", "--once")
    assert (done.exit_code, done.output) == (1, "1 sent, 0 waiting, 0 not taken, 1 not finished yet\n")
    b.server.unpair(b.slug)
    done = b.zairyo("run", "--once")
    assert done.exit_code == 1
    assert "Files wait: " in done.output
    b.open()


def test_status_for_programs(bench: Callable[..., Bench]) -> None:
    b = bench()
    sha = b.write("a.dat", b"1")
    b.work()
    said = json.loads(b.zairyo("status", "--json").output)
    assert {said[key] for key in ("server", "instrument", "folder")} == {
        b.server.url,
        b.slug,
        str(b.folder),
    }
    assert (said["sent"], said["waiting"], said["failed"]) == (1, 0, 0)
    assert said["recent"][0]["path"] == "a.dat"
    assert said["recent"][0]["receipts"][0]["sha256"] == sha


def test_pairing_that_cannot_be_is_said_in_words(shared_live: LiveServer, tmp_path: Path) -> None:
    watched, state = tmp_path / "instrument", tmp_path / "agent"

    def refused(url: str, code: str, watched: Path, state: Path) -> str:
        with pytest.raises(AgentError) as e:
            pair(url, code, watched, state)
        return str(e.value)

    assert "There is no folder" in refused(shared_live.url, "X", watched, state)
    watched.mkdir()
    assert "was used or has run out" in refused(shared_live.url, "ABCD-EFGH", watched, state)
    assert "cannot be reached" in refused(f"http://127.0.0.1:{free_port()}", "X", watched, state)
    assert "not an address" in refused("ftp://example.org", "X", watched, state)
    assert "lies in the instrument's" in refused(shared_live.url, "X", watched, watched / "agent")
    assert not state.exists()
    shared_live.instrument("one")
    shared_live.instrument("two")
    shared_live.pair("one", watched, state)
    assert "is of another instrument" in refused(shared_live.url, shared_live.code("two"), watched, state)
    assert "sends to" in refused("http://elsewhere.example.org", "X", watched, state)
    assert load(state).instrument == "one"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps secrets by the folder's rights")
def test_the_token_is_its_owners_only(shared_live: LiveServer, tmp_path: Path) -> None:
    shared_live.instrument("secret")
    shared_live.pair("secret", tmp_path / "instrument", tmp_path / "agent")
    assert (tmp_path / "agent" / "agent.json").stat().st_mode & 0o077 == 0


def test_commands_without_an_agent_say_what_to_do(tmp_path: Path) -> None:
    for words in (["status"], ["retry"], ["run", "--once"]):
        done = CliRunner().invoke(command, [*words, "--state", str(tmp_path / "none")])
        assert done.exit_code == 1
        assert "make a pairing code" in done.output
    (tmp_path / "agent.json").write_text("{")
    done = CliRunner().invoke(command, ["status", "--state", str(tmp_path)])
    assert "cannot be read" in done.output
    shutil.rmtree(tmp_path)
