"""If these fail, the pages of measurements show what is not so, or more than a person may see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from tests.server.catalogue import Catalogue, curve, entry

from zairyo.measurement import Measurement as Measured
from zairyo.measurement import Quantity
from zairyo.measurement.summary import summarise
from zairyo.server import models
from zairyo.server.models import Event, Measurement
from zairyo.server.translation.leases import Work
from zairyo.server.translation.record import Finished, record

API = "/api/v1"


@pytest.fixture
def person(world: Any) -> models.Account:
    made: models.Account = world.account("marie@example.org")
    return made


@pytest.fixture
def project(world: Any, person: models.Account) -> models.Project:
    made: models.Project = world.project("cathodes", contributor=person)
    return made


@pytest.fixture
def marie(world: Any, person: models.Account) -> Any:
    return world.as_(person)


def test_a_row_says_what_a_list_shows(
    world: Any, catalogue: Catalogue, marie: Any, person: models.Account, project: models.Project
) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    catalogue.add(
        project,
        [curve(), entry("other")],
        title="Quartz",
        sample="Q-1",
        operator="Marie",
        instrument=world.instrument("xrd-1", project),
        account=person,
        measured_at=at,
        warnings=("one", "two"),
    )
    [row] = marie.get(f"{API}/measurements").json()["items"]
    assert {k: row[k] for k in row if k not in ("uid", "received_at", "thumbnail")} == {
        "title": "Quartz",
        "technique": "xrd",
        "technique_short": "XRD",
        "sample": "Q-1",
        "operator": "Marie",
        "instrument": {"slug": "xrd-1", "name": "XRD-1"},
        "project": {"slug": "cathodes", "name": "Cathodes"},
        "state": "translated",
        "measured_at": "2026-01-02T03:04:05Z",
        "by": "Marie",
        "entries": 2,
        "warnings": 2,
        "version": 1,
        "error_kind": None,
    }
    assert row["thumbnail"].startswith("M")
    assert row["received_at"].endswith("Z")


def test_pages_by_cursor(catalogue: Catalogue, marie: Any, project: models.Project) -> None:
    uids = [catalogue.add(project).uid for _ in range(5)]
    first = marie.get(f"{API}/measurements", params={"limit": 3}).json()
    assert (first["total"], first["total_is_exact"]) == (5, True)
    second = marie.get(f"{API}/measurements", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert second["next_cursor"] is None
    assert [row["uid"] for row in first["items"] + second["items"]] == uids[::-1]


def test_filters_beside_the_query(catalogue: Catalogue, marie: Any, project: models.Project) -> None:
    catalogue.add(project, [curve(temperature=Quantity(20, "degC"))], title="one", sample="A")
    catalogue.add(project, [entry()], title="two", sample="B, with comma")

    def titles(**params: Any) -> list[str]:
        answer = marie.get(f"{API}/measurements", params=params)
        assert answer.status_code == 200, answer.text
        return sorted(row["title"] for row in answer.json()["items"])

    assert titles(technique=["xrd", "tga"]) == ["one", "two"]
    assert titles(sample="B, with comma") == ["two"]
    assert titles(q="technique:xrd", technique="tga") == ["one", "two"]
    assert titles(where=["temperature=15..30 degC"]) == ["one", "two"]
    assert titles(where=["temperature=15..30 degC", "mass>1 mg"]) == ["two"]
    assert titles(before="2020") == []
    assert titles(after="1d", q="two") == ["two"]
    said = marie.get(f"{API}/measurements", params={"q": "temperature>300K", "where": "mass<5"}).json()
    assert [f["label"] for f in said["query"]["filters"]] == ["temperature > 300 K", "mass < 5 mg"]
    facets = marie.get(f"{API}/facets", params={"q": "technique:xrd"}).json()
    assert {v["value"]: v["count"] for v in facets["technique"]} == {"xrd": 1, "tga": 1}
    suggested = marie.get(f"{API}/suggest", params={"q": "sample:"}).json()["items"]
    assert [s["text"] for s in suggested] == ["sample:A", 'sample:"B, with comma"']


WRONG: list[tuple[dict[str, Any], str, str, str]] = [
    ({"q": "temperature>3 degX"}, "q", "unknown_unit", "degC"),
    ({"q": "temperatur>3"}, "q", "invalid", "Did you mean temperature"),
    ({"q": "a\x00"}, "q", "invalid", "NUL"),
    ({"q": "x" * 3000}, "q", "invalid", "2000"),
    ({"q": "state:nowhere"}, "state", "invalid", "not_translated"),
    ({"state": "nowhere"}, "state", "invalid", "not_translated"),
    ({"sample": "a\x00"}, "sample", "invalid", "NUL"),
    ({"instrument": "x" * 3000}, "instrument", "invalid", "2000"),
    ({"technique": ["x"] * 101}, "technique", "invalid", "100"),
    ({"where": "quartz"}, "where", "invalid", "temperature>300 degC"),
    ({"where": "temperature>3 foo"}, "where", "unknown_unit", "foo"),
    ({"after": "x sample:y"}, "after", "invalid", "after:2026-01"),
    ({"before": "9999-99"}, "before", "invalid", "before:2026-01"),
    ({"sort": "size"}, "sort", "invalid", "received_at"),
    ({"cursor": "nonsense"}, "cursor", "invalid", "begin again"),
    ({"limit": "1000"}, "limit", "invalid", "200"),
]


def test_what_cannot_be_understood_is_named(marie: Any, project: models.Project) -> None:
    for params, field, code, says in WRONG:
        answer = marie.get(f"{API}/measurements", params=params)
        assert answer.status_code == 422, params
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["field"].split(".")[0], problem["code"]) == (field, code), params
        assert says in problem["detail"], params


def test_everything_of_a_measurement(
    world: Any, catalogue: Catalogue, marie: Any, project: models.Project
) -> None:
    instrument = world.instrument("xrd-1", project)
    measured = curve(
        xray_tube_voltage=Quantity(40, "kV"),
        odd_thing=Quantity("as found"),
        temperature=Quantity(25.0, "degC", 0.5),
    )
    old = catalogue.add(project, sample="Q", path="a/run.txt", instrument=instrument, superseded=True)
    new = catalogue.add(
        project, [measured], title="Quartz", sample="Q", path="a/run.txt", instrument=instrument, version=2,
        raw={"run.txt": b"12345"}, model="SmartLab 9kW", warnings=("careful",),
    )  # fmt: skip
    related = catalogue.add(project, sample="Q")
    world.member(project, world.account("gone@example.org", active=False), "viewer")
    body = marie.get(f"{API}/measurements/{new.uid}").json()
    assert (body["path"], body["model"], body["default_entry"]) == ("a/run.txt", "SmartLab 9kW", "scan")
    assert (body["warning_list"], body["role"], body["members"]) == (["careful"], "contributor", 1)
    [raw] = body["raw_files"]
    assert (raw["name"], raw["size"]) == ("run.txt", 5)
    assert body["standard"]["size"] > 1000
    assert [(v["uid"], v["version"]) for v in body["versions"]] == [(new.uid, 2), (old.uid, 1)]
    assert [row["uid"] for row in body["related"]] == [related.uid]
    assert [step["step"] for step in body["provenance"]] == ["instrument", "agent", "server", "reader"]
    assert body["provenance"][2]["detail"]["sha256"] == raw["sha256"]
    [one] = body["entry_list"]
    conditions = {c["name"]: c for c in one["conditions"]}
    voltage = conditions["xray_tube_voltage"]
    assert (voltage["value"], voltage["unit"], voltage["si"]) == (40, "kV", 40000.0)
    assert (voltage["title"], voltage["title_ja"], voltage["main"]) == (
        "X-ray tube voltage",
        "X線管電圧",
        True,
    )
    assert (conditions["temperature"]["si"], conditions["temperature"]["uncertainty"]) == (298.15, 0.5)
    assert (conditions["odd_thing"]["title"], conditions["odd_thing"]["si"]) == ("odd thing", None)
    assert [c["name"] for c in one["conditions"]][-1] == "odd_thing"
    assert (one["axes"][0]["first"], one["axes"][0]["last"]) == (10.0, 80.0)
    assert marie.get(f"{API}/measurements/{old.uid}").json()["state"] == "not_translated"


def test_what_was_not_translated_says_what_to_do(
    catalogue: Catalogue, marie: Any, person: models.Account, project: models.Project
) -> None:
    measurement = catalogue.add(project, path="folder/broken.ras", account=person)
    body = marie.get(f"{API}/measurements/{measurement.uid}").json()
    assert (body["title"], body["standard"], body["entry_list"]) == ("broken.ras", None, [])
    assert (body["error_kind"], body["translation"]["error_message"]) == ("damaged", "It ends too soon.")
    assert "instrument" in body["translation"]["advice"]
    assert "装置" in body["translation"]["advice_ja"]
    assert [step["step"] for step in body["provenance"]] == ["instrument", "upload", "server", "reader"]
    for path in ("standard", "metadata", "entries/scan.csv", "entries/scan/data?names=x"):
        answer = marie.get(f"{API}/measurements/{measurement.uid}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_translated")


@pytest.mark.parametrize(
    "uid", ["x", "%00", "f" * 32, "F" * 32, "1" * 31, "' OR 1=1 --", "é" * 32, "a" * 5000]
)
def test_what_is_not_there_is_not_found(marie: Any, project: models.Project, uid: str) -> None:
    for path in (
        "",
        "/metadata",
        "/standard",
        "/raw/x",
        "/raw.zip",
        "/entries/a.csv",
        "/entries/a/data?names=x",
    ):
        answer = marie.get(f"{API}/measurements/{uid}{path}")
        assert answer.status_code == 404, path
    assert marie.patch(f"{API}/measurements/{uid}", json={"title": "x"}).status_code == 404
    assert marie.post(f"{API}/measurements/{uid}/translate", json={}).status_code == 404


def test_nothing_of_another_project_shows(
    world: Any, catalogue: Catalogue, marie: Any, project: models.Project
) -> None:
    """Same sample, same path, same instrument's name: lists, totals, relations and versions stay apart."""
    hidden = world.project("hidden", contributor=world.account("rival@example.org"))
    mine = catalogue.add(project, [curve()], title="powder", sample="Q", path="run.txt", version=2)
    paths = (
        "measurements", "measurements?q=powder", "measurements?q=temperature>0 K", "measurements?sort=title",
        "measurements?sample=Q", "measurements?project=hidden", "measurements?q=project:hidden", "facets",
        "facets?q=powder", "facets?project=hidden", "suggest?q=sample:", "suggest?q=project:h",
        "suggest?q=instrument:h", f"measurements/{mine.uid}",
    )  # fmt: skip
    before = {path: marie.get(f"{API}/{path}").json() for path in paths}
    theirs = catalogue.add(
        hidden, [entry()], title="powder secret", sample="Q", path="run.txt",
        instrument=world.instrument("h-xrd", hidden),
    )  # fmt: skip
    assert {path: marie.get(f"{API}/{path}").json() for path in paths} == before
    refused = [
        marie.get(f"{API}/measurements/{theirs.uid}"),
        marie.patch(f"{API}/measurements/{theirs.uid}", json={"title": "x"}),
        marie.post(f"{API}/measurements/{theirs.uid}/translate", json={}),
        marie.post(f"{API}/download", json={"uids": [mine.uid, theirs.uid]}),
        marie.post(f"{API}/download", json={"uids": [mine.uid, "0" * 32]}),
        marie.post(f"{API}/download", json={"uids": ["\x00", "x"]}),
    ]
    assert {(answer.status_code, answer.text) for answer in refused} == {(404, refused[0].text)}
    many = {"uids": [theirs.uid, mine.uid, "\x00"]}
    assert marie.post(f"{API}/measurements/translate", json=many).json() == {"waiting": 1}
    assert state_of(world, theirs.uid) == "translated"


def state_of(world: Any, uid: str) -> str:
    with world.db.read() as session:
        return str(session.scalar(select(Measurement.state).where(Measurement.uid == uid)))


def test_a_correction_is_found_at_once_and_stays(
    world: Any, catalogue: Catalogue, marie: Any, project: models.Project
) -> None:
    measurement = catalogue.add(project, [entry()], title="wrong", sample="LC0", raw={"run_7.txt": b"x"})
    path = f"{API}/measurements/{measurement.uid}"
    body = marie.patch(path, json={"title": " 正極 A ", "sample": "LCO"}).json()
    assert (body["title"], body["sample"], body["operator"]) == ("正極 A", "LCO", "")
    for q, count in (("正極", 1), ("wrong", 0), ("sample:LCO", 1), ("run_7", 1), ("temperature>300", 1)):
        assert marie.get(f"{API}/measurements", params={"q": q}).json()["total"] == count, q
    with world.db.read() as session:
        assert session.scalars(select(Event.uid)).all() == [measurement.uid]
        assert session.get_one(Measurement, measurement.id).corrected == ["sample", "title"]
    assert marie.patch(path, json={"sample": ""}).json()["sample"] == ""


def test_a_better_reader_leaves_what_a_person_corrected(
    world: Any, catalogue: Catalogue, marie: Any, project: models.Project
) -> None:
    made = catalogue.add(project, [entry()], title="wrong", sample="LC0", operator="nobody")
    path = f"{API}/measurements/{made.uid}"
    marie.patch(path, json={"sample": "LCO"})
    form = Measured((entry(),), title="better", sample="LC0", operator="Marie")
    with world.db.write() as session:
        session.get_one(Measurement, made.id).lease_owner = "me"
    with world.db.write() as session:
        work = Work(made.id, made.uid, project.id, None, "", 0, ())
        finished = Finished(work, models.now(), 0.1, "reader", "2", summarise(form), ("1" * 64, 5))
        assert record(session, world.app.state.platform.events, "me", [finished]) == 1
    body = marie.get(path).json()
    assert (body["title"], body["sample"], body["operator"]) == ("better", "LCO", "Marie")
    assert marie.get(f"{API}/measurements", params={"q": "better sample:LCO"}).json()["total"] == 1


CHANGES: list[Any] = [
    {"title": "a\x00b"}, {"title": "a\nb"}, {"operator": "a\u2028b"}, {"title": "x" * 501}, {"sample": "x" * 201},
    {"sample": 5}, {"state": "translated"}, {"uid": "x"}, [],
]  # fmt: skip


def test_a_change_that_cannot_be_kept_is_refused(
    catalogue: Catalogue, marie: Any, project: models.Project
) -> None:
    measurement = catalogue.add(project, title="as it was")
    path = f"{API}/measurements/{measurement.uid}"
    for change in CHANGES:
        assert marie.patch(path, json=change).status_code == 422, change
        assert marie.get(path).json()["title"] == "as it was"


def test_a_lone_surrogate_is_refused(catalogue: Catalogue, marie: Any, project: models.Project) -> None:
    measurement = catalogue.add(project)
    answer = marie.patch(
        f"{API}/measurements/{measurement.uid}",
        content=b'{"title": "\\ud800"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422


def test_translate_again(world: Any, catalogue: Catalogue, marie: Any, project: models.Project) -> None:
    one, two = (catalogue.add(project) for _ in range(2))
    receiving = catalogue.add(project)
    with world.db.write() as session:
        session.get_one(Measurement, receiving.id).state = "receiving"
        session.get_one(Measurement, one.id).attempts = 3
    formats = marie.get(f"{API}/formats").json()["items"]
    reader = formats[0]["reader"]
    path = f"{API}/measurements/{one.uid}/translate"
    assert marie.post(path, json={"reader": "nobody"}).json()["field"] == "reader"
    assert marie.post(path, json={"reader": reader}).status_code == 202
    with world.db.read() as session:
        measurement = session.get_one(Measurement, one.id)
        assert (measurement.state, measurement.reader, measurement.attempts) == ("waiting", reader, 0)
    assert marie.post(f"{API}/measurements/{receiving.uid}/translate", json={}).status_code == 409
    many = f"{API}/measurements/translate"
    assert marie.post(many, json={}).status_code == 422
    assert marie.post(many, json={"error_kind": "timeout"}).json() == {"waiting": 0}
    assert marie.post(many, json={"error_kind": "a\x00"}).status_code in (202, 422)
    assert marie.post(many, json={"error_kind": "damaged"}).json() == {"waiting": 1}
    assert state_of(world, two.uid) == "waiting"
    assert marie.post(many, json={"uids": [one.uid, two.uid, receiving.uid]}).json() == {"waiting": 2}


def test_a_viewer_may_look_and_not_touch(world: Any, catalogue: Catalogue, project: models.Project) -> None:
    viewer = world.account("viewer@example.org")
    world.member(project, viewer, "viewer")
    visitor = world.as_(viewer)
    measurement = catalogue.add(project, title="as it was")
    path = f"{API}/measurements/{measurement.uid}"
    assert visitor.get(path).json()["role"] == "viewer"
    assert visitor.patch(path, json={"title": "x"}).status_code == 403
    assert visitor.post(f"{path}/translate", json={}).status_code == 403
    assert visitor.post(f"{API}/measurements/translate", json={"uids": [measurement.uid]}).status_code == 403
    assert state_of(world, measurement.uid) == "not_translated"


def test_the_openapi_is_clean(app: FastAPI, client: Any) -> None:
    """A client is generated from it: names are unique, answers have a shape."""
    spec = app.openapi()
    operations = [o for path in spec["paths"].values() for o in path.values()]
    names = [o["operationId"] for o in operations]
    assert len(set(names)) == len(names)
    mine = [o for o in operations if set(o["tags"]) & {"measurements", "data"}]
    assert len(mine) == 16
    for operation in mine:
        answer = next(v for k, v in operation["responses"].items() if k.startswith("2"))
        shape = answer.get("content", {}).get("application/json", {}).get("schema", {"$ref": "a file"})
        assert "$ref" in shape, operation["operationId"]
        assert operation["description"], operation["operationId"]
