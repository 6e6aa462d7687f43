"""tus 1.0 as any client speaks it: what is confirmed is durable, what is wrong is refused and told."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from tests.server.tus_client import (
    BODY,
    TUS,
    UPLOADS,
    checksum,
    create,
    creation,
    head,
    metadata,
    patch,
    receipt,
    send_whole,
    sha256,
)

from zairyo.server.api.app import create_app
from zairyo.server.intake import tus
from zairyo.server.intake.names import check_name, check_path, portable, portable_path
from zairyo.server.intake.refused import Refused
from zairyo.server.models import Measurement, Upload
from zairyo.server.settings import Settings

DATA = bytes(range(256)) * 40


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        data=tmp_path / "data",
        database=database_url,
        public_url="http://testserver",
        workers=0,
        max_file_bytes=20_000_000,
    )


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def agent(world) -> TestClient:
    """An instrument's agent."""
    return world.as_(world.instrument("xrd-1", world.project("steel")))


def uploads(app: FastAPI) -> int:
    with app.state.platform.db.read() as session:
        return len(session.scalars(select(Upload.uid)).all())


def measurements(app: FastAPI) -> list[Measurement]:
    with app.state.platform.db.read() as session:
        return list(session.scalars(select(Measurement)))


def test_what_the_server_can_do_is_told_before_signing_in(client: TestClient) -> None:
    answer = client.options(UPLOADS)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
    assert answer.headers["Tus-Max-Size"] == "20000000"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "checksum",
        "expiration",
        "termination",
    }
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256"


def test_a_small_file_goes_in_with_one_request(app: FastAPI, agent: TestClient) -> None:
    answer = send_whole(agent, DATA, "scan.dat", path="2026/scan.dat", modified="2026-03-04T05:06:07Z")
    assert answer.status_code == 201
    assert answer.headers["Upload-Offset"] == str(len(DATA))
    got = receipt(answer)
    assert (got["name"], got["sha256"], got["size"]) == ("scan.dat", sha256(DATA), len(DATA))
    assert not got["duplicate"]
    with app.state.platform.objects.open(got["sha256"]) as f:
        assert f.read() == DATA
    (measurement,) = measurements(app)
    assert (measurement.uid, measurement.path, measurement.state) == (
        got["measurement"],
        "2026/scan.dat",
        "waiting",
    )
    again = agent.get(f"{answer.headers['Location']}/receipt")
    assert again.status_code == 200
    assert again.json() == got
    assert head(agent, answer.headers["Location"]).headers["Upload-Offset"] == str(len(DATA))


def test_a_file_goes_in_piece_by_piece_and_its_receipt_comes_with_the_last(agent: TestClient) -> None:
    url = create(agent, DATA, "scan.dat")
    asked = head(agent, url)
    assert (asked.headers["Upload-Offset"], asked.headers["Upload-Length"]) == ("0", str(len(DATA)))
    assert asked.headers["Cache-Control"] == "no-store"
    for start in range(0, len(DATA), 4000):
        part = DATA[start : start + 4000]
        answer = patch(agent, url, start, part, **checksum(part))
        assert answer.status_code == 204, answer.text
        assert answer.headers["Upload-Offset"] == str(start + len(part))
        assert ("Zairyo-Receipt" in answer.headers) == (start + 4000 >= len(DATA))
    assert receipt(answer)["sha256"] == sha256(DATA)


def test_an_empty_file_is_a_file(app: FastAPI, agent: TestClient) -> None:
    answer = agent.post(UPLOADS, headers=creation(b"", "empty.dat"))
    assert answer.status_code == 201
    assert receipt(answer)["size"] == 0
    assert len(measurements(app)) == 1


def test_the_first_part_can_come_with_the_creation(agent: TestClient) -> None:
    headers = {**creation(DATA, "scan.dat"), **BODY}
    answer = agent.post(UPLOADS, content=DATA[:5000], headers=headers)
    assert answer.status_code == 201
    assert answer.headers["Upload-Offset"] == "5000"
    assert parsedate_to_datetime(answer.headers["Upload-Expires"]) > datetime.now(UTC) + timedelta(days=1)
    assert receipt(patch(agent, answer.headers["Location"], 5000, DATA[5000:]))["size"] == len(DATA)


def test_a_large_file_goes_in_with_one_request(app: FastAPI, agent: TestClient) -> None:
    data = os.urandom(5_000_000)
    got = receipt(send_whole(agent, data, "map.dat"))
    assert app.state.platform.objects.verify(got["sha256"])
    assert not list(app.state.platform.settings.uploads_folder.iterdir())


@pytest.mark.parametrize(
    ("headers", "status", "field"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "Tus-Resumable"),
        ({"Tus-Resumable": ""}, 412, "Tus-Resumable"),
        ({"Upload-Defer-Length": "1"}, 400, "Upload-Defer-Length"),
        ({"Upload-Length": "-1"}, 400, "Upload-Length"),
        ({"Upload-Length": "1e3"}, 400, "Upload-Length"),
        ({"Upload-Length": "20000001"}, 413, "Upload-Length"),
        ({"Upload-Metadata": ""}, 422, "filename"),
        ({"Upload-Metadata": "filename !!!"}, 422, "Upload-Metadata"),
        ({"Upload-Metadata": "filename YQ==,filename YQ=="}, 422, "Upload-Metadata"),
        ({"Upload-Metadata": "filename /w=="}, 422, "Upload-Metadata"),
        ({"Upload-Metadata": metadata(filename="a")}, 422, "sha256"),
        ({"Upload-Metadata": metadata(filename="a", sha256="12")}, 422, "sha256"),
        ({"Upload-Metadata": metadata(filename="../a", sha256="0" * 64)}, 422, "filename"),
        ({"Upload-Metadata": metadata(filename="a", path="../a", sha256="0" * 64)}, 422, "path"),
        ({"Upload-Metadata": metadata(filename="a", path="b/c", sha256="0" * 64)}, 422, "path"),
        ({"Upload-Metadata": metadata(filename="a", sha256="0" * 64, modified="soon")}, 422, "modified"),
        ({"Upload-Metadata": metadata(filename="a", sha256="0" * 64, set="s", name="a")}, 422, "set_size"),
        ({"Upload-Metadata": metadata(filename="a", sha256="0" * 64, set="s", name="../a")}, 422, "name"),
        (
            {"Upload-Metadata": metadata(filename="a", sha256="0" * 64, set="s", set_size=0, name="a")},
            422,
            "set_size",
        ),
    ],
)
def test_a_creation_that_cannot_be_is_refused_by_name(
    app: FastAPI, agent: TestClient, headers: dict[str, str], status: int, field: str
) -> None:
    answer = agent.post(UPLOADS, headers={**creation(DATA, "scan.dat"), **headers})
    assert answer.status_code == status, answer.text
    assert answer.json()["field"] == field
    assert answer.headers["content-type"] == "application/problem+json"
    assert uploads(app) == 0
    if status == 412:
        assert answer.headers["Tus-Version"] == "1.0.0"


def test_a_body_of_another_type_is_refused(agent: TestClient) -> None:
    url = create(agent, DATA, "scan.dat")
    answer = agent.patch(
        url, content=b"x", headers={**TUS, "Upload-Offset": "0", "Content-Type": "text/plain"}
    )
    assert answer.status_code == 415
    assert head(agent, url).headers["Upload-Offset"] == "0"
    answer = agent.post(
        UPLOADS, content=DATA, headers={**creation(DATA, "scan.dat"), "Content-Type": "text/plain"}
    )
    assert answer.status_code == 415


def test_a_part_for_another_place_is_told_where_to_go_on(agent: TestClient) -> None:
    url = create(agent, DATA, "scan.dat")
    patch(agent, url, 0, DATA[:100])
    for offset in (0, 50, 101, len(DATA)):
        answer = patch(agent, url, offset, DATA[offset : offset + 10])
        assert answer.status_code == 409
        assert answer.json()["code"] == "offset_conflict"
        assert answer.headers["Upload-Offset"] == "100"
    assert receipt(patch(agent, url, 100, DATA[100:]))


def test_a_part_damaged_on_the_way_is_forgotten_and_can_be_sent_again(agent: TestClient) -> None:
    url = create(agent, DATA, "scan.dat")
    patch(agent, url, 0, DATA[:1000])
    answer = patch(agent, url, 1000, b"?" * 1000, **checksum(DATA[1000:2000]))
    assert (answer.status_code, answer.json()["code"]) == (460, "wrong_hash")
    assert head(agent, url).headers["Upload-Offset"] == "1000"
    assert receipt(patch(agent, url, 1000, DATA[1000:]))["sha256"] == sha256(DATA)


@pytest.mark.parametrize("value", ["md5 AAAA", "sha256 AAAA", "sha256 !", "sha256"])
def test_a_checksum_that_is_none_is_refused(agent: TestClient, value: str) -> None:
    url = create(agent, DATA, "scan.dat")
    answer = patch(agent, url, 0, DATA, **{"Upload-Checksum": value})
    assert answer.status_code == 400
    assert head(agent, url).headers["Upload-Offset"] == "0"


@pytest.mark.parametrize("whole", [True, False])
def test_a_file_that_is_not_what_was_announced_is_not_kept(
    app: FastAPI, agent: TestClient, whole: bool
) -> None:
    headers = creation(DATA, "scan.dat")
    wrong = DATA[:-1] + b"?"
    if whole:
        answer = agent.post(UPLOADS, content=wrong, headers={**headers, **BODY})
    else:
        url = create(agent, DATA, "scan.dat")
        answer = patch(agent, url, 0, wrong)
        assert head(agent, url).status_code == 404
    assert (answer.status_code, answer.json()["code"]) == (460, "wrong_hash")
    assert measurements(app) == []
    assert list(app.state.platform.objects) == []
    assert not list(app.state.platform.settings.uploads_folder.iterdir())


def test_more_bytes_than_announced_are_not_taken(agent: TestClient) -> None:
    url = create(agent, DATA, "scan.dat")
    patch(agent, url, 0, DATA[:10_000])
    assert patch(agent, url, 10_000, DATA).status_code == 413
    answer = patch(agent, url, 10_000, (DATA for _ in range(3)))  # of unknown length
    assert answer.status_code == 413
    assert head(agent, url).headers["Upload-Offset"] == "10000"


def test_one_sender_writes_at_a_time(app: FastAPI, agent: TestClient) -> None:
    url = create(agent, DATA, "scan.dat")
    with app.state.platform.intake._shelf.taken(url.rpartition("/")[2]):
        answer = patch(agent, url, 0, DATA)
        assert (answer.status_code, answer.json()["code"]) == (423, "conflict")
        assert head(agent, url).headers["Upload-Offset"] == "0"
    assert receipt(patch(agent, url, 0, DATA))


def test_an_upload_can_be_ended(app: FastAPI, agent: TestClient) -> None:
    url = create(agent, DATA, "scan.dat")
    patch(agent, url, 0, DATA[:100])
    assert agent.delete(url, headers=TUS).status_code == 204
    assert head(agent, url).status_code == 404
    assert patch(agent, url, 100, b"x").status_code == 404
    assert not list(app.state.platform.settings.uploads_folder.iterdir())


def test_an_expired_upload_is_gone_and_leaves_nothing(app: FastAPI, agent: TestClient) -> None:
    url = create(agent, DATA, "scan.dat")
    patch(agent, url, 0, DATA[:100])
    with app.state.platform.db.write() as session:
        session.execute(update(Upload).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert head(agent, url).status_code == 410
    assert patch(agent, url, 100, b"x").json()["code"] == "gone"
    app.state.platform.intake.clean()
    assert uploads(app) == 0
    assert not list(app.state.platform.settings.uploads_folder.iterdir())


def test_an_upload_of_long_ago_is_gone_not_unknown(agent: TestClient) -> None:
    assert head(agent, f"{UPLOADS}/0190000000007abc8000000000000000").status_code == 410
    assert head(agent, f"{UPLOADS}/no-such-upload").status_code == 404


def test_somebody_elses_upload_is_not_there(world, agent: TestClient) -> None:
    url = create(agent, DATA, "scan.dat")
    other = world.as_(world.instrument("xrd-2", world.project("glass")))
    person = world.as_(world.account("eve@nims.jp", is_admin=True))
    for client in (other, person):
        assert head(client, url).status_code == 404
        assert patch(client, url, 0, DATA).status_code == 404
        assert client.get(f"{url}/receipt").status_code == 404
        assert client.delete(url, headers=TUS).status_code == 404
    assert head(agent, url).headers["Upload-Offset"] == "0"


def test_nobody_uploads_without_a_token_for_it(world) -> None:
    ann = world.account("ann@nims.jp")
    world.project("steel", contributor=ann)
    assert send_whole(TestClient(world.app), DATA, "a.dat", project="steel").status_code == 401
    assert send_whole(world.as_(ann, "read"), DATA, "a.dat", project="steel").status_code == 403
    assert send_whole(world.as_(ann, "upload"), DATA, "a.dat", project="steel").status_code == 201


def test_a_receipt_is_not_given_before_its_time(agent: TestClient) -> None:
    url = create(agent, DATA, "scan.dat")
    patch(agent, url, 0, DATA[:10])
    answer = agent.get(f"{url}/receipt")
    assert answer.status_code == 409
    assert "10 of" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "..",
        "a/../b",
        "..\\b",
        "C:\\a",
        "\\\\server\\a",
        "a\0b",
        "a\nb",
        "x" * 256,
        "a/" * 600,
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(Refused):
        check_path(path, "path")


def test_a_path_keeps_what_the_instrument_wrote() -> None:
    assert check_path("run\\測定 12:30?.dat", "path") == "run/測定 12:30?.dat"
    assert check_path("./a//b.dat", "path") == "a/b.dat"
    with pytest.raises(Refused):
        check_name("a/b", "filename")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a:b?.dat", "a_b_.dat"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("end.", "end_"),
        ("ok.dat", "ok.dat"),
    ],
)
def test_a_name_can_be_made_one_for_every_system(name: str, safe: str) -> None:
    assert portable(name) == safe
    assert portable_path(f"{name}/x") == f"{safe}/x"


def test_the_hash_of_a_set_does_not_depend_on_the_order() -> None:
    files = [("b", "2" * 64), ("a", "1" * 64)]
    assert tus.set_sha256(files) == tus.set_sha256(reversed(files))
    assert tus.set_sha256(files) != tus.set_sha256([("a", "2" * 64), ("b", "1" * 64)])


def test_an_agent_at_work_is_not_looked_up_anew_for_each_of_its_files(
    app: FastAPI, agent: TestClient
) -> None:
    platform = app.state.platform
    told = []
    platform.events.listen(told.extend)
    assert send_whole(agent, b"1", "a.csv").status_code == 201
    instruments = [change for change in told if change.kind == "instrument"]
    assert instruments, "pages hear that files of it came"
    platform.agents.keep("its token", "who it is", time.monotonic() + 60)
    platform.changed(instruments)
    assert platform.agents.get("its token") == "who it is"
    platform.changed([replace(instruments[0], state="")])
    assert platform.agents.get("its token") is None, "a change of the instrument itself counts at once"
