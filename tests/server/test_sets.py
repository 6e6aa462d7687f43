"""Files that come one by one and make one run are one measurement, whatever comes first and whoever dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update
from tests.server.tus_client import create, head, receipt, send_whole, sha256

from zairyo.measurement import nexus
from zairyo.readers.registry import default_registry
from zairyo.readers.sandbox import Failure
from zairyo.server.api.app import create_app
from zairyo.server.intake.service import SMALL_BYTES
from zairyo.server.intake.tus import set_sha256
from zairyo.server.models import NOT_TRANSLATED, WAITING, Instrument, Measurement, now
from zairyo.server.settings import Settings
from zairyo.server.translation import Dispatcher, leases, sets
from zairyo.server.translation.dispatcher import _Result
from zairyo.server.translation.record import Finished, record

PATIENCE = 60.0  # s; only reached where something is broken
STEM = "StubExperiment"
MAIN, HEAT, ABOUT = f"{STEM}_Synchronized_data.csv", f"{STEM}_Heat_raw.csv", f"{STEM}_Metadata.log"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database=database_url, public_url="http://testserver", workers=0)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def run(instruments: Path) -> dict[str, bytes]:
    """The three files of a real run of an in-situ heating holder."""
    return {p.name: p.read_bytes() for p in (instruments / "dens-impulse-csv").iterdir()}


@pytest.fixture
def instrument(world) -> Instrument:
    return world.instrument("tem-1", world.project("steel", viewer=world.account("vera@nims.jp")))


@pytest.fixture
def agent(world, instrument: Instrument) -> TestClient:
    return world.as_(instrument)


@pytest.fixture
def vera(world, instrument: Instrument, app: FastAPI) -> TestClient:
    """Somebody who may look."""
    from zairyo.server.models import Account

    with app.state.platform.db.read() as session:
        return world.browser(session.scalars(select(Account).where(Account.email == "vera@nims.jp")).one())


@pytest.fixture
def make_dispatcher(
    app: FastAPI, client: TestClient, settings: Settings
) -> Iterator[Callable[[], Dispatcher]]:
    made: list[Dispatcher] = []
    platform = app.state.platform

    def make() -> Dispatcher:
        one = Settings(data=settings.data, database=settings.database, workers=1)
        made.append(Dispatcher(platform.db, platform.objects, one, platform.events))
        return made[-1]

    yield make
    for dispatcher in made:
        dispatcher.stop()


@pytest.fixture
def settle(app: FastAPI, make_dispatcher: Callable[[], Dispatcher]) -> Callable[[], None]:
    """Has all that waits translated, and comes back then."""
    changed = threading.Condition()

    def hear(_: object) -> None:
        with changed:
            changed.notify_all()

    def is_done() -> bool:
        with app.state.platform.db.read() as session:
            count = select(func.count()).select_from(Measurement).where(Measurement.state == WAITING)
            return session.scalar(count) == 0

    app.state.platform.events.listen(hear)
    running: list[Dispatcher] = []

    def wait() -> None:
        if not running:
            running.append(make_dispatcher())
            running[0].start()
        with changed:
            assert changed.wait_for(is_done, PATIENCE)

    return wait


def send(
    client: TestClient, run: dict[str, bytes], *names: str, folder: str = "", **more: object
) -> list[str]:
    """Send files; the uids of their measurements."""
    return [receipt(send_whole(client, run[n], n, path=f"{folder}{n}", **more))["measurement"] for n in names]


def shown(viewer: TestClient) -> dict[str, dict[str, Any]]:
    """Everything that the list shows, by path."""
    rows = viewer.get("/api/v1/measurements").json()["items"]
    bodies = [viewer.get(f"/api/v1/measurements/{row['uid']}").json() for row in rows]
    found = {body["path"]: body for body in bodies}
    assert len(found) == len(bodies)
    return found


def names(body: dict[str, Any]) -> list[str]:
    return [f["name"] for f in body["raw_files"]]


def claim(app: FastAPI, owner: str = "elsewhere-1") -> list[leases.Work]:
    """What the dispatcher does when it takes work."""
    platform = app.state.platform
    finders = [r.sets for r in default_registry().readers.values() if r.sets]
    with platform.db.write() as session:
        return sets.attach(session, platform.events, leases.claim(session, owner, 50), finders)


@pytest.mark.parametrize(
    "order", [(MAIN, HEAT, ABOUT), (ABOUT, MAIN, HEAT)], ids=["main first", "main later"]
)
def test_a_run_is_one_measurement_in_whatever_order_its_files_come(
    app: FastAPI, agent: TestClient, vera: TestClient, settle: Callable[[], None], run: dict[str, bytes],
    order: tuple[str, ...], tmp_path: Path,
) -> None:  # fmt: skip
    """Without it, a user sees the run in pieces, and its description as something unreadable."""
    uids = {}
    for name in order:
        uids |= {name: send(agent, run, name, folder="2026/run 1/")[0]}
        settle()
    (body,) = shown(vera).values()
    assert (body["uid"], body["state"], body["path"]) == (uids[MAIN], "translated", f"2026/run 1/{MAIN}")
    assert {f["name"]: f["sha256"] for f in body["raw_files"]} == {n: sha256(d) for n, d in run.items()}
    for name in (HEAT, ABOUT):  # the agent's receipts name them
        assert vera.get(f"/api/v1/measurements/{uids[name]}").json()["part_of"] == uids[MAIN]
    assert body["part_of"] is None
    (tmp_path / "run.nxs").write_bytes(vera.get(f"/api/v1/measurements/{body['uid']}/standard").content)
    form = nexus.read(tmp_path / "run.nxs")
    assert form.source is not None
    assert {f.name: f.sha256 for f in form.source.raw_files} == {n: sha256(d) for n, d in run.items()}
    assert vera.get(f"/api/v1/measurements/{body['uid']}/raw/{ABOUT}").content == run[ABOUT]
    assert all(receipt(send_whole(agent, run[n], n, path=f"2026/run 1/{n}"))["duplicate"] for n in run)


def test_new_versions_of_either_file_are_read_together(
    agent: TestClient, vera: TestClient, settle: Callable[[], None], run: dict[str, bytes]
) -> None:
    """Without it, a corrected description never reaches the data it describes."""
    (first,) = send(agent, run, MAIN)
    send(agent, run, ABOUT)
    settle()
    send(agent, {ABOUT: run[ABOUT] + b"\n"}, ABOUT)
    settle()
    (body,) = shown(vera).values()
    assert {f["name"]: f["sha256"] for f in body["raw_files"]}[ABOUT] == sha256(run[ABOUT] + b"\n")
    longer = run[MAIN] + run[MAIN].splitlines(keepends=True)[-1]
    send(agent, {MAIN: longer}, MAIN)
    settle()
    (body,) = shown(vera).values()
    assert (body["version"], names(body)) == (2, sorted((MAIN, ABOUT)))
    assert names(vera.get(f"/api/v1/measurements/{first}").json()) == sorted((MAIN, ABOUT))


def test_files_whose_names_deceive_stay_apart(
    agent: TestClient, vera: TestClient, settle: Callable[[], None], run: dict[str, bytes], examples: Path
) -> None:
    """Without it, a text that happens to be called like an image vanishes from the list."""
    table = b"field\tmoment\n1\t2\n2\t3\n"
    send(agent, {"x.tif": b"II*\0 is not much of an image", "x.txt": table}, "x.tif", "x.txt")
    settle()
    assert {path: names(body) for path, body in shown(vera).items()} == {
        "x.tif": ["x.tif"],
        "x.txt": ["x.txt"],
    }


def test_what_was_read_before_a_file_came_does_not_count(
    app: FastAPI, agent: TestClient, run: dict[str, bytes]
) -> None:
    """Without it, a file that comes while its main file is being read is forgotten for ever."""
    send(agent, run, MAIN)
    (before,) = claim(app, "me")
    assert before.sets == ()
    send(agent, run, ABOUT)
    assert [w.files[0].name for w in claim(app, "other")] == [ABOUT]
    platform = app.state.platform
    failed = Finished(before, now(), 0.1, error_kind="damaged", error_message="cut off")
    with platform.db.write() as session:
        assert record(session, platform.events, "me", [failed]) == 0
    (after,) = claim(app, "me")
    assert [[c.file.name for c in companions] for companions in after.sets] == [[ABOUT]]


def test_nor_if_the_same_process_took_it_again(
    app: FastAPI, agent: TestClient, run: dict[str, bytes], make_dispatcher: Callable[[], Dispatcher]
) -> None:
    dispatcher = make_dispatcher()
    (uid,) = send(agent, run, MAIN)
    dispatcher._claim()
    (before,) = dispatcher._held.values()
    send(agent, run, ABOUT)
    dispatcher.wake()
    dispatcher._claim()
    dispatcher.wake()
    dispatcher._claim()
    after = dispatcher._held[before.id]
    assert after.sets
    for work, state in ((before, WAITING), (after, NOT_TRANSLATED)):
        dispatcher._store([_Result(work, now(), Failure("damaged", "cut off"))])
        with app.state.platform.db.read() as session:
            assert session.scalar(select(Measurement.state).where(Measurement.uid == uid)) == state


def test_a_worker_that_dies_with_a_late_file_loses_nothing(
    app: FastAPI, agent: TestClient, vera: TestClient, settle: Callable[[], None], run: dict[str, bytes]
) -> None:
    send(agent, run, MAIN)
    assert len(claim(app)) == 1
    send(agent, run, ABOUT)
    assert len(claim(app)) == 1  # and that was the last it did
    with app.state.platform.db.write() as session:
        session.execute(update(Measurement).values(lease_until=now() - timedelta(seconds=1)))
    settle()
    assert [names(body) for body in shown(vera).values()] == [sorted((MAIN, ABOUT))]


def test_only_files_of_one_folder_of_one_sender_belong_together(
    app: FastAPI, agent: TestClient, instrument: Instrument, world, run: dict[str, bytes]
) -> None:
    """Without it, a rival's description could be read into one's own data."""
    other = world.as_(world.instrument("tem-2", world.project("rival")))
    send(agent, run, MAIN, folder="a/")
    send(agent, run, ABOUT, folder="b/")
    send(other, run, ABOUT, folder="a/")
    ann = world.account("ann@nims.jp")
    with app.state.platform.db.read() as session:
        project = (
            session.scalars(select(Measurement).where(Measurement.instrument_id == instrument.id))
            .first()
            .project
        )
    world.member(project, ann, "contributor")
    send(world.browser(ann), run, ABOUT, folder="a/", project="steel", instrument="tem-1")
    assert [w.sets for w in claim(app)] == [()] * 4


def test_what_a_person_sends_at_once_belongs_together(
    app: FastAPI, world, run: dict[str, bytes], settle: Callable[[], None]
) -> None:
    """Without it, a run that is dropped on the page comes apart; or two runs of the same names are mixed."""
    ann = world.account("ann@nims.jp")
    world.project("steel", contributor=ann)
    browser = world.browser(ann)
    second = {name: data + b"\n" for name, data in run.items()}
    wholes = send(browser, run, MAIN, project="steel")  # at first alone, and by a program
    send(browser, run, ABOUT, MAIN, project="steel", batch="one")
    wholes += send(browser, second, MAIN, project="steel", batch="two")
    send(browser, second, ABOUT, project="steel", batch="two")
    settle()
    rows = browser.get("/api/v1/measurements").json()["items"]
    assert {row["uid"] for row in rows} == set(wholes)
    for uid, files in zip(wholes, (run, second), strict=True):
        raw = browser.get(f"/api/v1/measurements/{uid}").json()["raw_files"]
        assert {f["name"]: f["sha256"] for f in raw} == {n: sha256(files[n]) for n in (MAIN, ABOUT)}


def test_a_large_file_that_is_here_already_finds_those_it_now_comes_with(app: FastAPI, world) -> None:
    ann = world.account("ann@nims.jp")
    world.project("steel", contributor=ann)
    browser = world.browser(ann)
    large = b"TDSm" + bytes(SMALL_BYTES)
    url = create(browser, large, "log.tdms", project="steel", batch="one")
    browser.patch(
        url, content=large, headers={"Tus-Resumable": "1.0.0", "Upload-Offset": "0",
                                     "Content-Type": "application/offset+octet-stream"},
    )  # fmt: skip
    claim(app)
    again = create(browser, large, "log.tdms", project="steel", batch="two")
    assert receipt(head(browser, again))["duplicate"]
    send(browser, {"log.tdms_index": b"TDSh"}, "log.tdms_index", project="steel", batch="two")
    assert sorted(len(w.sets) for w in claim(app)) == [0, 1]


def test_a_folder_takes_the_place_of_the_files_that_came_before_it_was_known_as_one(
    app: FastAPI, agent: TestClient, vera: TestClient
) -> None:
    """Without it, a laboratory that had an older agent keeps its unreadable pieces in the list for ever."""
    files = {"acqus": b"##TITLE= x", "fid": b"1234", "pdata/1/procs": b"##"}
    for name, data in files.items():
        receipt(send_whole(agent, data, name.rpartition("/")[2], path=f"sample/1/{name}"))
    receipt(send_whole(agent, b"notes", "notes.txt", path="sample/notes.txt"))
    whole = set_sha256((name, sha256(data)) for name, data in files.items())
    for name, data in files.items():
        more = {"set": "s", "set_size": 3, "set_sha256": whole, "name": name}
        uid = receipt(
            send_whole(agent, data, name.rpartition("/")[2], path="sample/1", **more)
        )["measurement"]  # fmt: skip
    found = shown(vera)
    assert set(found) == {"sample/1", "sample/notes.txt"}
    assert found["sample/1"]["uid"] == uid


def test_a_folder_leaves_the_files_of_another_project_where_they_are(
    app: FastAPI, agent: TestClient, instrument: Instrument, vera: TestClient, world
) -> None:
    """Without it, measurements vanish for a project because its former instrument serves another one now."""
    files = {"acqus": b"##TITLE= x", "fid": b"1234"}
    for name, data in files.items():
        receipt(send_whole(agent, data, name, path=f"sample/1/{name}"))
    other = world.project("rival")
    with app.state.platform.db.write() as session:
        session.execute(update(Instrument).values(project_id=other.id))
        app.state.platform.events.add(session, "instrument", instrument.uid, other.id)
    whole = set_sha256((name, sha256(data)) for name, data in files.items())
    for name, data in files.items():
        more = {"set": "s", "set_size": 2, "set_sha256": whole, "name": name}
        receipt(send_whole(agent, data, name, path="sample/1", **more))
    assert set(shown(vera)) == {f"sample/1/{name}" for name in files}


def test_in_a_large_folder_pairs_are_found_and_no_set_is_cut_in_half(
    app: FastAPI, agent: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, a folder of years is walked through for each of its files; or half a run is taken for a run."""
    monkeypatch.setattr(sets, "NEAR", 6)
    monkeypatch.setattr(sets, "FEW", 3)
    pairs = {f"{i:02d}.tdms{ending}": b"%d" % i for i in range(12) for ending in ("", "_index")}
    send(agent, pairs, *pairs, folder="logs/")
    found = {w.files[0].name: w.sets for w in claim(app)}
    assert {n: [[c.file.name for c in s] for s in ways] for n, ways in found.items() if ways} == {
        f"{i:02d}.tdms": [[f"{i:02d}.tdms_index"]] for i in range(12)
    }
    numbered = {f"{i:06d}": b"%d" % i for i in range(20)} | {"cell.ptn": b"x"}
    send(agent, numbered, *numbered, folder="cell/")
    assert not any(w.sets for w in claim(app))
    monkeypatch.setattr(sets, "NEAR", 60)
    send(agent, {"000000": b"new"}, "000000", folder="cell/")
    (work,) = claim(app)
    assert len(work.sets[0]) == 20


def test_names_cannot_make_one_file_be_read_again_and_again(app: FastAPI, agent: TestClient) -> None:
    """Without it, somebody who chooses names well keeps a worker busy for hours with one small file."""
    cases = [
        f"{'x' if i & 1 else 'X'}{'y' if i & 2 else 'Y'}{'z' if i & 4 else 'Z'}_METADATA.log"
        for i in range(8)
    ]
    cases += [name.replace("METADATA", "Metadata") for name in cases]
    names = {name: name.encode() for name in (*cases, "xyz_Heat_raw.csv")}
    send(agent, names, *names)
    assert max(len(w.sets) for w in claim(app)) == sets.MOST_WAYS
