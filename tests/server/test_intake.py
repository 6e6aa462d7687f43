"""Each file is catalogued exactly once, whatever happens between the sender and the disk."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update
from starlette.requests import ClientDisconnect
from tests.server.tus_client import create, creation, head, patch, receipt, send_whole, sha256

from zairyo.server.access import Principal
from zairyo.server.api.app import create_app
from zairyo.server.intake import Intake, Refused
from zairyo.server.intake.partial import Partial
from zairyo.server.intake.tus import set_sha256
from zairyo.server.models import Event, Instrument, Measurement, Object, RawFile, Upload
from zairyo.server.objects import LocalObjects
from zairyo.server.settings import Settings

DATA = b"2theta,intensity\n" + b"10.0,5\n" * 1000


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database=database_url, public_url="http://testserver", workers=0)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def instrument(world) -> Instrument:
    return world.instrument("xrd-1", world.project("steel"))


@pytest.fixture
def agent(world, client: TestClient, instrument: Instrument) -> TestClient:
    client.get(
        "/api/v1/nothing"
    )  # FastAPI makes its routes at the first request, which no two threads may be
    return world.as_(instrument)


def measurements(app: FastAPI) -> list[Measurement]:
    with app.state.platform.db.read() as session:
        return list(session.scalars(select(Measurement).order_by(Measurement.id)))


def raw_files(app: FastAPI) -> list[tuple[str, str]]:
    with app.state.platform.db.read() as session:
        rows = session.execute(select(RawFile.name, RawFile.sha256).order_by(RawFile.name))
        return [(name, sha) for name, sha in rows]


def test_the_same_file_again_is_the_same_measurement(app: FastAPI, agent: TestClient) -> None:
    first = receipt(send_whole(agent, DATA, "scan.csv", path="a/scan.csv"))
    again = receipt(send_whole(agent, DATA, "scan.csv", path="a/scan.csv"))
    announced = receipt(agent.post("/api/v1/uploads", headers=creation(DATA, "scan.csv", path="a/scan.csv")))
    assert not first["duplicate"]
    assert again["duplicate"]
    assert announced["duplicate"]  # before a byte of it was sent
    assert first["measurement"] == again["measurement"] == announced["measurement"]
    assert len(measurements(app)) == len(raw_files(app)) == 1


def test_the_same_content_at_another_path_is_another_measurement_of_one_object(
    app: FastAPI, agent: TestClient
) -> None:
    a = receipt(send_whole(agent, DATA, "scan.csv", path="a/scan.csv"))
    b = receipt(send_whole(agent, DATA, "scan.csv", path="b/scan.csv"))
    assert a["measurement"] != b["measurement"]
    assert not b["duplicate"]
    assert list(app.state.platform.objects) == [sha256(DATA)]


def test_the_same_file_sent_by_many_at_once_is_one_measurement(
    app: FastAPI, world, agent: TestClient, instrument: Instrument
) -> None:
    token = world.token(instrument)
    clients = [world.by_token(token) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda c: receipt(send_whole(c, DATA, "scan.csv")), clients))
    assert len({a["measurement"] for a in answers}) == 1
    assert sum(not a["duplicate"] for a in answers) == 1
    assert len(measurements(app)) == len(raw_files(app)) == 1


def test_two_servers_on_one_catalogue_take_the_same_file_once(
    app: FastAPI, settings: Settings, world, agent: TestClient, instrument: Instrument
) -> None:
    token = world.token(instrument)
    files = [(f"{i}.csv", DATA + b"%d" % i) for i in range(20)]
    with TestClient(create_app(settings)) as other, ThreadPoolExecutor(4) as pool:
        other.headers["Authorization"] = f"Bearer {token}"
        other.get("/api/v1/nothing")
        clients = [world.by_token(token), other] * 2
        jobs = [pool.submit(send_whole, c, data, name) for name, data in files for c in clients]
        answers = [receipt(job.result()) for job in jobs]
    assert len({a["measurement"] for a in answers}) == len(files)
    assert sum(not a["duplicate"] for a in answers) == len(files)
    assert len(raw_files(app)) == len(files)


def test_a_changed_file_is_a_new_version_and_the_old_one_is_superseded(
    app: FastAPI, agent: TestClient
) -> None:
    for content in (b"first", b"second", b"third"):
        receipt(send_whole(agent, content, "scan.csv", path="a/scan.csv"))
    first, second, third = measurements(app)
    assert [m.version for m in (first, second, third)] == [1, 2, 3]
    assert [m.superseded for m in (first, second, third)] == [True, True, False]
    assert (third.previous_id, second.previous_id) == (second.id, first.id)


def test_a_moved_instruments_new_file_leaves_the_former_projects_one_where_it_is(
    app: FastAPI, agent: TestClient, instrument: Instrument, world
) -> None:
    """Else a project's measurements vanish from its list when the instrument writes the same path for another one."""
    receipt(send_whole(agent, b"for steel", "scan.csv", path="a/scan.csv"))
    other = world.project("rival")
    with app.state.platform.db.write() as session:
        session.execute(update(Instrument).values(project_id=other.id))
        app.state.platform.events.add(session, "instrument", instrument.uid, other.id)
    for content in (b"for the rival", b"for the rival, once more"):
        receipt(send_whole(agent, content, "scan.csv", path="a/scan.csv"))
    steel, first, second = measurements(app)
    assert first.project_id == second.project_id == other.id != steel.project_id
    assert [(m.version, m.superseded) for m in (steel, first, second)] == [(1, False), (1, True), (2, False)]
    assert first.previous_id is None


def test_versions_of_one_file_that_wait_together_keep_their_order(
    app: FastAPI, agent: TestClient, world
) -> None:
    intake = app.state.platform.intake
    sent = [b"version %d" % i for i in range(10)]
    with ThreadPoolExecutor(10) as pool, app.state.platform.db.write():  # nothing can be committed meanwhile
        jobs = [pool.submit(send_whole, agent, content, "scan.csv") for content in sent]
        assert intake is not None
    for job in jobs:
        assert not receipt(job.result())["duplicate"]
    versions = sorted(measurements(app), key=lambda m: m.version)
    assert [m.version for m in versions] == list(range(1, 11))
    assert [m.superseded for m in versions] == [True] * 9 + [False]
    assert [m.previous_id for m in versions[1:]] == [m.id for m in versions[:-1]]


def test_a_persons_files_of_one_name_are_not_versions_of_each_other(app: FastAPI, world) -> None:
    ann = world.account("ann@nims.jp")
    world.project("steel", contributor=ann)
    browser = world.browser(ann)
    for content in (b"one sample", b"another"):
        receipt(send_whole(browser, content, "data.csv", project="steel"))
    assert [m.superseded for m in measurements(app)] == [False, False]
    assert [m.account_id for m in measurements(app)] == [ann.id, ann.id]


def send_set(client: TestClient, files: dict[str, bytes], path: str, **changes: object) -> Iterator[dict]:
    """Send the files of a folder format one by one."""
    whole = set_sha256((name, sha256(data)) for name, data in files.items())
    for name, data in files.items():
        more = {"set": "s1", "set_size": len(files), "set_sha256": whole, "name": name, **changes}
        yield send_whole(client, data, name.rpartition("/")[2], path=path, **more)


def test_a_folder_is_one_measurement_that_waits_for_its_last_file(app: FastAPI, agent: TestClient) -> None:
    files = {"AcqData/MSScan.bin": b"1" * 100, "AcqData/sample.xml": b"<x/>", "data.ms": b"2" * 10}
    states = []
    for answer in send_set(agent, files, "2026/run1.D"):
        receipt(answer)
        (measurement,) = measurements(app)
        states.append(measurement.state)
    assert states == ["receiving", "receiving", "waiting"]
    assert measurement.path == "2026/run1.D"
    assert raw_files(app) == [(name, sha256(data)) for name, data in sorted(files.items())]
    assert all(receipt(a)["duplicate"] for a in send_set(agent, files, "2026/run1.D"))
    assert len(measurements(app)) == 1


def test_the_files_of_a_folder_may_come_all_at_once_and_piece_by_piece(
    app: FastAPI, agent: TestClient
) -> None:
    files = {f"part{i}": b"%d" % i * 1000 for i in range(12)}
    whole = set_sha256((name, sha256(data)) for name, data in files.items())

    def send(name: str) -> dict:
        more = {"set": "s", "set_size": len(files), "set_sha256": whole, "name": name}
        if int(name[4:]) % 2:
            return receipt(send_whole(agent, files[name], name, path="run.D", **more))
        url = create(agent, files[name], name, path="run.D", **more)
        patch(agent, url, 0, files[name][:400])
        return receipt(patch(agent, url, 400, files[name][400:]))

    with ThreadPoolExecutor(6) as pool:
        assert len({r["measurement"] for r in pool.map(send, files)}) == 1
    (measurement,) = measurements(app)
    assert measurement.state == "waiting"
    assert len(raw_files(app)) == len(files)


def test_a_changed_folder_supersedes_the_old_one_only_when_it_is_complete(
    app: FastAPI, agent: TestClient
) -> None:
    list(send_set(agent, {"a": b"1", "b": b"2"}, "run.D"))
    second = send_set(agent, {"a": b"1", "b": b"3"}, "run.D")
    receipt(next(second))
    assert [m.superseded for m in measurements(app)] == [False, False]
    receipt(next(second))
    assert [(m.version, m.superseded) for m in measurements(app)] == [(1, True), (2, False)]


def test_a_file_that_does_not_belong_to_its_set_is_refused(app: FastAPI, agent: TestClient) -> None:
    wrong = list(send_set(agent, {"a": b"1", "b": b"2"}, "run.D", set_sha256="0" * 64))
    assert [a.status_code for a in wrong] == [201, 460]
    other_size = send_whole(
        agent, b"2", "b", path="run.D", set="s", set_size=3, set_sha256="0" * 64, name="b"
    )
    assert other_size.status_code == 409
    assert [m.state for m in measurements(app)] == ["receiving"]
    assert [name for name, _ in raw_files(app)] == ["a"]


def test_rights_come_from_the_project(world, app: FastAPI) -> None:
    ann, bob, eve = (world.account(f"{name}@nims.jp") for name in ("ann", "bob", "eve"))
    steel = world.project("steel", contributor=ann, viewer=bob)
    world.project("glass", steward=eve)
    world.instrument("xrd-1", steel)
    assert send_whole(world.as_(ann), DATA, "a", project="steel", instrument="xrd-1").status_code == 201
    assert send_whole(world.as_(ann), DATA, "a").json()["field"] == "project"
    assert send_whole(world.as_(bob), DATA, "a", project="steel").status_code == 403
    hidden, missing = (send_whole(world.as_(eve), DATA, "a", project=p) for p in ("steel", "steal"))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json()["detail"].replace("steel", "") == missing.json()["detail"].replace("steal", "")
    assert send_whole(world.as_(eve), DATA, "a", project="glass", instrument="xrd-1").status_code == 422
    assert len(measurements(app)) == 1


def test_a_restart_in_the_middle_goes_on_where_the_disk_is(settings: Settings, make_world) -> None:
    data = os.urandom(3_000_000)
    with TestClient(create_app(settings)) as client:
        world = make_world(client.app)
        token = world.token(world.instrument("xrd-1", world.project("steel")))
        client.headers["Authorization"] = f"Bearer {token}"
        url = create(client, data, "map.dat")
        patch(client, url, 0, data[:1_000_000])
    # Bytes that were written but never confirmed are there, too; less than confirmed can never be.
    (part,) = settings.uploads_folder.iterdir()
    with part.open("ab") as f:
        f.write(data[1_000_000:1_500_000])
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        assert head(client, url).headers["Upload-Offset"] == "1500000"
        assert receipt(patch(client, url, 1_500_000, data[1_500_000:]))["sha256"] == sha256(data)


def test_an_upload_that_was_complete_when_the_server_ended_is_completed(
    settings: Settings, make_world
) -> None:
    with TestClient(create_app(settings)) as client:
        world = make_world(client.app)
        token = world.token(world.instrument("xrd-1", world.project("steel")))
        client.headers["Authorization"] = f"Bearer {token}"
        url = create(client, DATA, "scan.csv")
        patch(client, url, 0, DATA[:10])
    (part,) = settings.uploads_folder.iterdir()
    part.write_bytes(DATA)
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        got = receipt(head(client, url))
        assert (got["sha256"], got["duplicate"]) == (sha256(DATA), False)
        assert len(measurements(client.app)) == 1
    assert not list(settings.uploads_folder.iterdir())


def test_a_question_while_an_upload_is_completed_waits_for_its_receipt(
    settings: Settings, make_world, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestClient(create_app(settings)) as client:
        world = make_world(client.app)
        token = world.token(world.instrument("xrd-1", world.project("steel")))
        client.headers["Authorization"] = f"Bearer {token}"
        url = create(client, DATA, "scan.csv")
    (settings.uploads_folder / f"{url.rpartition('/')[2]}.part").write_bytes(DATA)
    opening, asked = threading.Event(), threading.Event()

    def slowly(path: Path) -> Partial:
        opening.set()
        assert asked.wait(30)  # whoever opens it first hashes it while the other asks
        return Partial(path)

    def load(self: Intake, uid: str, principal: Principal):
        if opening.is_set() and next(loads) == 1:
            asked.set()  # the question was refused once, and asks again
        return real(self, uid, principal)

    loads, real = itertools.count(), Intake._load
    monkeypatch.setattr("zairyo.server.intake.shelf.Partial", slowly)
    monkeypatch.setattr(Intake, "_load", load)
    with TestClient(create_app(settings)) as client:
        assert opening.wait(30)
        client.headers["Authorization"] = f"Bearer {token}"
        assert receipt(head(client, url))["sha256"] == sha256(DATA)
        assert len(measurements(client.app)) == 1


async def _cut_off(data: bytes) -> AsyncIterator[bytes]:
    yield data
    raise ClientDisconnect


def test_a_lost_connection_keeps_the_bytes_that_came(
    app: FastAPI, agent: TestClient, instrument: Instrument
) -> None:
    url = create(agent, DATA, "scan.csv")
    principal = Principal(frozenset({"agent"}), instrument_id=instrument.id)
    coming = app.state.platform.intake.append(url.rpartition("/")[2], principal, 0, _cut_off(DATA[:1234]))
    with pytest.raises(ClientDisconnect):
        asyncio.run(coming)
    assert head(agent, url).headers["Upload-Offset"] == "1234"
    assert receipt(patch(agent, url, 1234, DATA[1234:]))["sha256"] == sha256(DATA)


def test_a_full_disk_is_told_and_what_was_confirmed_stays(app: FastAPI, agent: TestClient) -> None:
    url = create(agent, DATA, "scan.csv")
    patch(agent, url, 0, DATA[:100])
    with app.state.platform.intake._shelf.taken(url.rpartition("/")[2]) as partial:
        kept = os.dup(partial._file)
        full = os.open("/dev/full", os.O_RDWR)  # a disk on which nothing is left
        os.dup2(full, partial._file)
    answer = patch(agent, url, 100, DATA[100:])
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert answer.headers["Upload-Offset"] == head(agent, url).headers["Upload-Offset"] == "100"
    assert measurements(app) == []
    os.dup2(kept, partial._file)  # there is room again
    os.close(kept)
    os.close(full)
    assert receipt(patch(agent, url, 100, DATA[100:]))["sha256"] == sha256(DATA)


def test_a_failed_group_is_refused_and_can_be_sent_again(app: FastAPI, agent: TestClient) -> None:
    objects: LocalObjects = app.state.platform.objects
    incoming = objects.folder / "incoming"
    incoming.rmdir()
    incoming.symlink_to("/dev/full/nowhere")
    assert send_whole(agent, DATA, "scan.csv").status_code >= 500
    incoming.unlink()
    incoming.mkdir()
    assert not receipt(send_whole(agent, DATA, "scan.csv"))["duplicate"]
    assert len(measurements(app)) == 1


def test_an_object_without_a_row_is_found_again_when_the_file_is_sent_again(
    app: FastAPI, agent: TestClient
) -> None:
    app.state.platform.objects.put([DATA])  # as a crash between the object and the catalogue leaves it
    assert not receipt(send_whole(agent, DATA, "scan.csv"))["duplicate"]
    with app.state.platform.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Object)) == 1


def test_what_is_received_is_told_to_open_pages(
    app: FastAPI, agent: TestClient, instrument: Instrument
) -> None:
    got = receipt(send_whole(agent, DATA, "scan.csv"))
    with app.state.platform.db.read() as session:
        events = [(e.kind, e.uid, e.state) for e in session.scalars(select(Event).order_by(Event.id))]
        assert session.get(Instrument, instrument.id).file_at is not None
    assert events == [
        ("measurement", got["measurement"], "waiting"),
        ("instrument", instrument.uid, "receiving"),
    ]


def test_the_hash_of_a_file_survives_going_back_and_opening_again(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "a.part")
    partial.append(b"hello")
    assert partial.length == 0  # not durable yet: nobody may be told
    partial.sync()
    mark = partial.mark()
    partial.append(b"rubbish")
    partial.back_to(mark)
    partial.append(b" world")
    assert partial.sync() == partial.length == 11
    assert partial.sha256 == sha256(b"hello world")
    partial.close()
    again = Partial(tmp_path / "a.part")
    assert (again.length, again.sha256) == (11, sha256(b"hello world"))
    again.discard()
    assert not list(tmp_path.iterdir())


def test_a_stopping_server_refuses_instead_of_losing(app: FastAPI, agent: TestClient) -> None:
    app.state.platform.intake.stop()
    answer = send_whole(agent, DATA, "scan.csv")
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    app.state.platform.intake.start()
    assert receipt(send_whole(agent, DATA, "scan.csv"))
    with app.state.platform.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Upload)) == 1


def test_refusals_say_what_to_do() -> None:
    refused = Refused(409, "conflict", "Send it again.", "set", 3)
    assert str(refused) == "Send it again."
