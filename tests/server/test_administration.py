"""If these fail, stewards and administrators cannot run their laboratory, or can do what they should not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from tests.server.tus_client import send_whole

from zairyo.server import models, secrets
from zairyo.server.models import Instrument, Measurement, Token, now

API = "/api/v1"


@pytest.fixture
def chief(world: Any) -> Any:
    """An administrator, asking."""
    return world.as_(world.account("chief@example.org", is_admin=True))


@pytest.fixture
def steward(world: Any) -> Any:
    """The steward of the project ``cells``, asking."""
    account = world.account("steward@example.org")
    world.project("cells", steward=account)
    return world.as_(account)


# --- accounts --------------------------------------------------------------------------------------------------


def test_an_account_from_its_making_to_its_end(world: Any, chief: Any, client: Any) -> None:
    wish = {"email": "New@Example.org", "name": " New   Person ", "password": "0123456789", "locale": "ja"}
    made = chief.post(f"{API}/accounts", json=wish)
    assert made.status_code == 201
    assert (made.json()["email"], made.json()["name"]) == ("new@example.org", "New Person")
    path = f"{API}/accounts/{made.json()['uid']}"

    def sign_in(password: str) -> int:
        body = {"email": "new@example.org", "password": password}
        return int(client.post(f"{API}/session", json=body).status_code)

    assert sign_in("0123456789") == 200
    assert client.get(f"{API}/me").json()["account"]["locale"] == "ja"
    assert chief.patch(path, json={"password": "another password"}).status_code == 200
    assert client.get(f"{API}/me").status_code == 401
    assert sign_in("0123456789") == 401
    assert sign_in("another password") == 200
    assert chief.patch(path, json={"active": False}).json()["active"] is False
    assert client.get(f"{API}/me").status_code == 401
    assert sign_in("another password") == 401
    assert {a["email"] for a in chief.get(f"{API}/accounts").json()["items"]} == {
        "chief@example.org",
        "new@example.org",
    }


@pytest.mark.parametrize(
    ("wish", "field", "code"),
    [
        ({"email": "no address"}, "email", "invalid"),
        ({"email": "nul\x00@example.org"}, "email", "invalid"),
        ({"email": "CHIEF@example.org"}, "email", "conflict"),
        ({"name": "  "}, "name", "invalid"),
        ({"name": "nul\x00"}, "name", "invalid"),
        ({"password": "short"}, "password", "invalid"),
        ({"locale": "xx"}, "locale", "invalid"),
        ({"name": None}, "name", "invalid"),
    ],
)
def test_what_is_wrong_with_an_account_is_said_of_its_field(
    chief: Any, wish: dict[str, Any], field: str, code: str
) -> None:
    answer = chief.post(f"{API}/accounts", json={"email": "x@example.org", "name": "X", **wish})
    assert answer.json()["code"] == code
    assert answer.json()["field"] == field
    assert len(chief.get(f"{API}/accounts").json()["items"]) == 1


def test_the_last_administrator_stays(world: Any, chief: Any) -> None:
    [me] = chief.get(f"{API}/accounts").json()["items"]
    for change in ({"active": False}, {"is_admin": False}):
        assert chief.patch(f"{API}/accounts/{me['uid']}", json=change).status_code == 409
    world.account("second@example.org", is_admin=True)
    assert chief.patch(f"{API}/accounts/{me['uid']}", json={"is_admin": False}).status_code == 200
    assert chief.get(f"{API}/accounts").status_code == 403


def test_only_administrators_manage_accounts_and_make_projects(steward: Any) -> None:
    assert steward.get(f"{API}/accounts").status_code == 403
    assert steward.post(f"{API}/accounts", json={"email": "x@y.org", "name": "X"}).status_code == 403
    assert steward.post(f"{API}/projects", json={"name": "X"}).status_code == 403


# --- projects --------------------------------------------------------------------------------------------------


def test_a_project_and_its_members(world: Any, chief: Any) -> None:
    world.account("ada@example.org")
    made = chief.post(f"{API}/projects", json={"name": "Solid Electrolytes", "steward": "ada@example.org"})
    assert made.status_code == 201
    assert (made.json()["slug"], made.json()["role"]) == ("solid-electrolytes", None)
    path = f"{API}/projects/solid-electrolytes"
    bob = world.account("bob@example.org")
    assert (
        chief.put(f"{path}/members", json={"email": "bob@example.org", "role": "viewer"}).status_code == 200
    )
    assert (
        chief.put(f"{path}/members", json={"email": "BOB@example.org", "role": "contributor"}).status_code
        == 200
    )
    members = world.as_(bob).get(f"{path}/members").json()["items"]
    assert [(m["email"], m["role"]) for m in members] == [
        ("ada@example.org", "steward"),
        ("bob@example.org", "contributor"),
    ]
    assert chief.patch(path, json={"name": "Solids"}).json()["members"] == 2
    [mine] = world.as_(bob).get(f"{API}/projects").json()["items"]
    assert (mine["name"], mine["role"], mine["members"]) == ("Solids", "contributor", 2)


def test_a_project_keeps_a_steward(world: Any, steward: Any) -> None:
    path = f"{API}/projects/cells/members"
    [me] = steward.get(path).json()["items"]
    assert steward.delete(f"{path}/{me['account_uid']}").status_code == 409
    assert steward.put(path, json={"email": me["email"], "role": "viewer"}).status_code == 409
    world.account("ada@example.org")
    assert steward.put(path, json={"email": "ada@example.org", "role": "steward"}).status_code == 200
    assert steward.delete(f"{path}/{me['account_uid']}").status_code == 204
    assert steward.get(path).status_code == 404


def test_an_unknown_person_cannot_be_a_member(steward: Any) -> None:
    answer = steward.put(f"{API}/projects/cells/members", json={"email": "who@example.org", "role": "viewer"})
    assert (answer.status_code, answer.json()["field"]) == (422, "email")


@pytest.mark.parametrize(
    ("name", "slug"), [("XRD Lab 2", "xrd-lab-2"), ("X線回折", "x"), ("電池", "project"), ("--", "project")]
)
def test_every_name_gives_a_slug_and_twice_two(chief: Any, name: str, slug: str) -> None:
    assert chief.post(f"{API}/projects", json={"name": name}).json()["slug"] == slug
    assert chief.post(f"{API}/projects", json={"name": name}).json()["slug"] == f"{slug}-2"
    taken = chief.post(f"{API}/projects", json={"name": "other", "slug": slug})
    assert (taken.status_code, taken.json()["field"]) == (409, "slug")
    assert chief.post(f"{API}/projects", json={"name": "other", "slug": "Not A Slug"}).status_code == 422


# --- instruments -----------------------------------------------------------------------------------------------


def test_an_instrument_from_its_making_to_its_agents_end(world: Any, steward: Any, client: Any) -> None:
    wish = {"name": "SmartLab", "project": "cells", "place": "Room 3", "timezone": "Asia/Tokyo"}
    made = steward.post(f"{API}/instruments", json=wish)
    assert made.status_code == 201
    path = f"{API}/instruments/smartlab"
    assert steward.get(path).json() == made.json()
    assert (made.json()["status"], made.json()["paired"], made.json()["hours"]) == (
        "unpaired",
        False,
        [0] * 24,
    )

    pairing = steward.post(f"{path}/pairing").json()
    assert pairing["command"] == f"zairyo agent pair http://testserver {pairing['code']} --folder <FOLDER>"
    typed = pairing["code"].lower().replace("-", " ")
    about = {
        "code": typed,
        "host": "pc-7",
        "platform": "Windows 10",
        "version": "0.1.0",
        "folder": "D:\\data",
    }
    paired = client.post(f"{API}/agent/pair", json=about).json()
    assert paired["instrument"] == {"slug": "smartlab", "name": "SmartLab"}
    assert client.post(f"{API}/agent/pair", json=about).status_code == 404, "a code is good once"

    agent = world.by_token(paired["token"])
    beat = {"version": "0.1.0", "host": "pc-7", "waiting": 3, "failed": 1, "problems": ["disk nearly full"]}
    orders = agent.post(f"{API}/agent/heartbeat", json=beat).json()
    assert (orders["settings"], orders["settings_version"]) == ({}, 1)
    seen = steward.get(path).json()
    assert (seen["status"], seen["waiting"], seen["failed"]) == ("online", 3, 1)
    assert seen["agent"]["problems"] == ["disk nearly full"]

    rules = {"include": ["*.rasx"], "stable_seconds": 10}
    assert steward.patch(path, json={"settings": rules}).json()["settings_version"] == 2
    assert steward.patch(path, json={"settings": rules}).json()["settings_version"] == 2
    assert agent.post(f"{API}/agent/heartbeat", json=beat).json()["settings"] == rules

    assert send_whole(agent, b"1", "a.csv").status_code != 401
    assert steward.delete(f"{path}/agent").status_code == 204
    assert agent.post(f"{API}/agent/heartbeat", json=beat).status_code == 401
    assert send_whole(agent, b"2", "b.csv").status_code == 401, "at once, though it was at work just now"
    assert steward.get(path).json()["status"] == "unpaired"


def test_a_new_pairing_ends_the_old_agent(world: Any, steward: Any, client: Any) -> None:
    """Else a stolen laptop goes on sending beside its successor."""
    steward.post(f"{API}/instruments", json={"name": "xrd", "project": "cells"})

    def pair() -> Any:
        code = steward.post(f"{API}/instruments/xrd/pairing").json()["code"]
        return world.by_token(client.post(f"{API}/agent/pair", json={"code": code}).json()["token"])

    first, second = pair(), pair()
    assert first.post(f"{API}/agent/heartbeat", json={}).status_code == 401
    assert second.post(f"{API}/agent/heartbeat", json={}).status_code == 200


def test_a_pairing_code_runs_out(world: Any, steward: Any, client: Any) -> None:
    steward.post(f"{API}/instruments", json={"name": "xrd", "project": "cells"})
    code = steward.post(f"{API}/instruments/xrd/pairing").json()["code"]
    with world.db.write() as session:
        session.scalars(select(Instrument)).one().pairing_expires_at = now() - timedelta(seconds=1)
    assert client.post(f"{API}/agent/pair", json={"code": code}).status_code == 404
    with world.db.read() as session:
        assert session.scalars(select(Token).where(Token.instrument_id.is_not(None))).all() == []


def test_pairing_codes_cannot_be_guessed_in_bulk(client: Any, world: Any, app: Any) -> None:
    app.state.platform.callers.most = 3
    answers = [client.post(f"{API}/agent/pair", json={"code": "2222-2222"}).status_code for _ in range(5)]
    assert answers == [404, 404, 404, 429, 429]


def test_pairing_codes_have_only_letters_that_are_not_mistaken() -> None:
    codes = {secrets.new_pairing_code() for _ in range(200)}
    assert len(codes) == 200
    assert not set("".join(codes)) & set("01ILOUV")
    assert {secrets.normal_pairing_code(f" {c.lower().replace('-', '')} ") for c in codes} == codes


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"settings": {"stable_seconds": -1}}, "settings"),
        ({"settings": {"end_marker": "("}}, "settings"),
        ({"settings": {"stable_secs": 5}}, "settings"),
        ({"project": "nowhere"}, None),
    ],
)
def test_rules_that_no_agent_could_follow_are_refused(
    steward: Any, change: dict[str, Any], field: str | None
) -> None:
    steward.post(f"{API}/instruments", json={"name": "xrd", "project": "cells"})
    answer = steward.patch(f"{API}/instruments/xrd", json=change)
    assert answer.status_code == (422 if field else 404)
    assert answer.json().get("field") == field
    assert steward.get(f"{API}/instruments/xrd").json()["settings_version"] == 1


def test_an_instrument_moves_only_between_ones_own_projects(world: Any, steward: Any) -> None:
    steward.post(f"{API}/instruments", json={"name": "xrd", "project": "cells"})
    world.project("foreign")
    assert steward.patch(f"{API}/instruments/xrd", json={"project": "foreign"}).status_code == 404
    assert steward.get(f"{API}/instruments/xrd").json()["project"]["slug"] == "cells"


def measurements(world: Any, instrument: Any, *ages: float, state: str = models.TRANSLATED) -> None:
    """Measurements received so many hours ago."""
    with world.db.write() as session:
        for age in ages:
            key = models.new_uid()
            session.add(
                Measurement(
                    project_id=instrument.project_id,
                    instrument_id=instrument.id,
                    intake_key=key,
                    path=key,
                    state=state,
                    received_at=now() - timedelta(hours=age),
                )
            )


def test_the_last_day_of_an_instrument_is_counted_by_the_hour(world: Any, steward: Any) -> None:
    with world.db.read() as session:
        project = session.scalars(select(models.Project)).one()
    instrument = world.instrument("xrd", project)
    measurements(world, instrument, 0.1, 0.2, 1.5, 23.5, 24.5, 1000)
    measurements(world, instrument, 0.3, 30, state=models.NOT_TRANSLATED)
    info = steward.get(f"{API}/instruments/xrd").json()
    assert (info["measurements"], info["not_translated"]) == (8, 2)
    assert info["hours"] == [1] + [0] * 21 + [1, 3]
    assert info["file_at"] is not None


def test_a_hundred_instruments_take_as_many_queries_as_one(world: Any, steward: Any) -> None:
    """Else the page that is always open slows the whole server."""
    with world.db.read() as session:
        project = session.scalars(select(models.Project)).one()
    counted: list[str] = []
    event.listen(world.db.engine, "before_cursor_execute", lambda *a: counted.append(a[2]))

    def queries() -> int:
        counted.clear()
        assert steward.get(f"{API}/instruments").status_code == 200
        return len(counted)

    measurements(world, world.instrument("first", project), 1)
    steward.get(f"{API}/instruments")  # notes when the token was used
    one = queries()
    for n in range(20):
        measurements(world, world.instrument(f"xrd-{n}", project), 1)
    assert queries() == one


def test_a_heartbeat_that_says_nothing_new_is_no_event(world: Any, steward: Any) -> None:
    """Else every open page reloads every ten seconds for every instrument."""
    with world.db.read() as session:
        project = session.scalars(select(models.Project)).one()
    agent = world.as_(world.instrument("xrd", project))

    def events() -> int:
        with world.db.read() as session:
            return len(session.scalars(select(models.Event)).all())

    agent.post(f"{API}/agent/heartbeat", json={"waiting": 1})
    before = events()
    agent.post(f"{API}/agent/heartbeat", json={"waiting": 1})
    assert events() == before
    agent.post(f"{API}/agent/heartbeat", json={"waiting": 2})
    assert events() == before + 1


@pytest.mark.parametrize("body", [{"waiting": -1}, {"problems": ["x"] * 51}, {"host": "x" * 1001}])
def test_a_heartbeat_cannot_fill_the_catalogue(world: Any, steward: Any, body: dict[str, Any]) -> None:
    with world.db.read() as session:
        project = session.scalars(select(models.Project)).one()
    agent = world.as_(world.instrument("xrd", project))
    assert agent.post(f"{API}/agent/heartbeat", json=body).status_code == 422


# --- form ------------------------------------------------------------------------------------------------------


def test_every_endpoint_is_described_for_the_generated_client(app: Any) -> None:
    """The web's client gets its functions' names, groups and help from here."""
    operations = [o for methods in app.openapi()["paths"].values() for o in methods.values()]
    ids = [o["operationId"] for o in operations]
    assert len(set(ids)) == len(ids)
    assert all(i.isidentifier() for i in ids)
    assert [o["operationId"] for o in operations if not o.get("description") or not o.get("tags")] == []


@pytest.mark.parametrize(
    "path", ["/projects/%00/members", "/instruments/a%00b", "/measurements/%00", "/measurements?project=%00"]
)
def test_a_nul_in_an_address_is_no_servers_mistake(steward: Any, path: str) -> None:
    assert steward.get(API + path).status_code < 500
