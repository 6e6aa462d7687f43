"""If these fail, an outsider learns of a measurement: that it exists, how many there are, or what is in it.

Every route of the application is declared here with who may use it; a new route that is not makes a test fail.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import func, select

from zairyo.server import models
from zairyo.server.access import ROLES, SCOPES, Principal, Visible, roles, visible
from zairyo.server.db import Database

PREFIX = "/api/v1"
#: Stands in everything that is invisible; must stand in no answer to an outsider.
HIDDEN = "invisible"
SHA = "0" * 63 + "1"


@dataclass(frozen=True)
class Route:
    """A route and what it takes to use it."""

    method: str
    path: str
    needs: str
    """A scope (of several, divided by '|'), ``session``, or ``nothing``."""
    role: str = ""
    """The role in the thing's project; empty where there is no such thing."""
    body: Any = None
    query: str = ""
    """Names things too; ``{slug}`` as in the path."""
    headers: tuple[tuple[str, str], ...] = ()
    endless: bool = False


def tus(project: str) -> tuple[tuple[str, str], ...]:
    pairs = {"filename": "a.txt", "sha256": SHA, "path": "a.txt", "project": project}
    said = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())
    return (("Tus-Resumable", "1.0.0"), ("Upload-Length", "1"), ("Upload-Metadata", said))


TUS = (("Tus-Resumable", "1.0.0"),)
CHUNK = (*TUS, ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream"))
M = "/measurements/{uid}"
FILTERS = "?project=invisible-project&instrument=invisible-xrd&sample=invisible-sample"

ROUTES = (
    Route("GET", "/openapi.json", "nothing"),
    Route("GET", "/health", "nothing"),
    Route("POST", "/session", "nothing", body={"email": "x@example.org", "password": "x"}),
    Route("DELETE", "/session", "session"),
    Route("GET", "/me", "|".join(SCOPES)),
    Route("PATCH", "/me", "session", body={}),
    Route("POST", "/me/password", "session", body={"old": "x", "new": "0123456789"}),
    Route("GET", "/tokens", "session"),
    Route("POST", "/tokens", "session", body={"name": "x", "scopes": ["read"]}),
    Route("DELETE", "/tokens/{uid}", "session"),
    Route("GET", "/accounts", "admin"),
    Route("POST", "/accounts", "admin", body={"email": "y@example.org", "name": "Y"}),
    Route("PATCH", "/accounts/{uid}", "admin", body={}),
    Route("GET", "/projects", "read"),
    Route("POST", "/projects", "admin", body={"name": "New"}),
    Route("PATCH", "/projects/{slug}", "admin", "steward", body={"name": "New"}),
    Route("GET", "/projects/{slug}/members", "read", "viewer"),
    Route("PUT", "/projects/{slug}/members", "admin", "steward", body={"email": "x@y.org", "role": "viewer"}),
    Route("DELETE", "/projects/{slug}/members/{account_uid}", "admin", "steward"),
    Route("GET", "/instruments", "read"),
    Route("POST", "/instruments", "admin", "steward", body={"name": "X", "project": "invisible-project"}),
    Route("GET", "/instruments/{slug}", "read", "viewer"),
    Route("PATCH", "/instruments/{slug}", "admin", "steward", body={"name": "X"}),
    Route("POST", "/instruments/{slug}/pairing", "admin", "steward"),
    Route("DELETE", "/instruments/{slug}/agent", "admin", "steward"),
    Route("POST", "/agent/pair", "nothing", body={"code": "AAAA-AAAA"}),
    Route("POST", "/agent/heartbeat", "agent", body={}),
    Route("OPTIONS", "/uploads", "nothing"),
    Route("OPTIONS", "/uploads/{uid}", "nothing"),
    Route("POST", "/uploads", "upload|agent", "contributor", headers=tus("invisible-project")),
    Route("HEAD", "/uploads/{uid}", "upload|agent", "contributor", headers=TUS),
    Route("PATCH", "/uploads/{uid}", "upload|agent", "contributor", body=b"x", headers=CHUNK),
    Route("DELETE", "/uploads/{uid}", "upload|agent", "contributor", headers=TUS),
    Route("GET", "/uploads/{uid}/receipt", "upload|agent", "contributor"),
    Route("GET", "/events", "read", endless=True),
    Route("GET", "/measurements", "read", query=FILTERS),
    Route("GET", "/facets", "read", query=FILTERS),
    Route("GET", "/suggest", "read", query="?q=sample:invis"),
    Route("GET", "/formats", "read"),
    Route("GET", M, "read", "viewer"),
    Route("PATCH", M, "write", "contributor", body={"title": "New"}),
    Route("GET", f"{M}/metadata", "read", "viewer"),
    Route("GET", f"{M}/standard", "read", "viewer"),
    Route("GET", f"{M}/entries/{{entry}}/data", "read", "viewer", query="?names=x"),
    Route("GET", f"{M}/entries/{{entry}}.csv", "read", "viewer"),
    Route("GET", f"{M}/raw/{{name:path}}", "read", "viewer"),
    Route("GET", f"{M}/raw.zip", "read", "viewer"),
    Route("GET", f"{M}/ro-crate.zip", "read", "viewer"),
    Route("POST", f"{M}/translate", "write", "contributor", body={}),
    Route("POST", "/measurements/translate", "write", "contributor", body={"uids": ["{uid}"]}),
    Route("POST", "/download", "read", "viewer", body={"uids": ["{uid}"], "what": "raw"}),
)


@dataclass
class Hidden:
    """A project with everything in it, of which outsiders may know nothing."""

    world: Any
    project: models.Project
    instrument: models.Instrument
    insider: models.Account
    ids: dict[str, str]

    def ask(self, client: Any, route: Route, *, real: bool) -> Any:
        """Use a route on the hidden thing, or (not ``real``) on one that does not exist."""
        kind = route.path.split("/")[1]
        slug = {"projects": f"{HIDDEN}-project", "instruments": f"{HIDDEN}-xrd"}.get(kind, "")
        names = {
            "uid": self.ids.get("measurements" if kind == "download" else kind, ""),
            "slug": slug,
            "account_uid": self.insider.uid,
            "entry": "entry",
            "name:path": "invisible.txt",
        }

        def fill(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: fill(v) for k, v in value.items()}
            if isinstance(value, list):
                return [fill(v) for v in value]
            if not isinstance(value, str):
                return value
            for name, it in names.items():
                value = value.replace(f"{{{name}}}", it if real or name == "entry" else not_there(it))
            return value if real else value.replace(HIDDEN, "imaginary")

        headers = dict(route.headers if real else _with_project(route.headers, "imaginary-project"))
        more = {"content": route.body} if isinstance(route.body, bytes) else {"json": fill(route.body)}
        if route.body is None:
            more = {}
        return client.request(route.method, PREFIX + fill(route.path + route.query), headers=headers, **more)


def not_there(name: str) -> str:
    """A name of the same form that nothing has."""
    return "f" * 32 if len(name) == 32 else name.replace(HIDDEN, "imaginary")


def _with_project(headers: tuple[tuple[str, str], ...], project: str) -> tuple[tuple[str, str], ...]:
    return tus(project) if any(name == "Upload-Metadata" for name, _ in headers) else headers


@pytest.fixture
def hidden(world: Any) -> Hidden:
    insider = world.account(f"{HIDDEN}@example.org")
    project = world.project(f"{HIDDEN}-project", steward=insider)
    instrument = world.instrument(f"{HIDDEN}-xrd", project)
    with world.db.write() as session:
        session.add(models.Object(sha256=SHA, size=1))
        session.flush()
        measurement = models.Measurement(
            project_id=project.id,
            instrument_id=instrument.id,
            intake_key=SHA,
            path=f"{HIDDEN}.txt",
            title=f"{HIDDEN} title",
            sample=f"{HIDDEN}-sample",
            operator=f"{HIDDEN} operator",
            technique="xrd",
            state=models.NOT_TRANSLATED,
            raw_files=[models.RawFile(name=f"{HIDDEN}.txt", sha256=SHA, size=1)],
        )
        upload = models.Upload(
            account_id=insider.id,
            project_id=project.id,
            size=1,
            sha256=SHA,
            expires_at=models.now() + timedelta(days=1),
        )
        token = models.Token(account_id=insider.id, name=HIDDEN, secret_sha256=SHA, scopes=["read"])
        session.add_all([measurement, upload, token])
        session.flush()
        ids = {
            "measurements": measurement.uid,
            "uploads": upload.uid,
            "tokens": token.uid,
            "accounts": insider.uid,
        }
    return Hidden(world, project, instrument, insider, ids)


@pytest.fixture
def outsiders(world: Any) -> dict[str, Any]:
    """Everybody who must learn nothing, each able to ask."""
    nobody = world.account("nobody@example.org")
    viewer = world.account("viewer@example.org")
    other = world.project("other", viewer=viewer, steward=world.account("steward@example.org"))
    administrator = world.account("admin@example.org", is_admin=True)
    return {
        "a person without a project": world.as_(nobody),
        "a viewer of another project": world.as_(viewer),
        "a viewer of another project, in a browser": world.browser(viewer),
        "an agent of another project": world.as_(world.instrument("other-xrd", other)),
        "an administrator without a role": world.as_(administrator),
    }


def declared() -> set[tuple[str, str]]:
    return {(route.method, PREFIX + route.path) for route in ROUTES}


def test_every_route_is_declared_here(app: Any) -> None:
    """A route that is not declared is one that nobody checked."""
    there = {
        (method, context.path)
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
        if context.path.startswith(PREFIX) and (method, context.path) != ("HEAD", f"{PREFIX}/openapi.json")
    }
    assert there - declared() == set(), "not declared in this test"
    assert declared() - there == set(), "declared in this test, not there"


def refusals(hidden: Hidden, clients: dict[str, Any], routes: Iterator[Route], status: int) -> list[str]:
    wrong = []
    for route in routes:
        for who, client in clients.items():
            answer = hidden.ask(client, route, real=True)
            if answer.status_code != status or HIDDEN in answer.text.replace(f"{HIDDEN}-project", ""):
                wrong.append(f"{who}: {route.method} {route.path}: {answer.status_code} {answer.text[:200]}")
    return wrong


def test_who_cannot_say_who_they_are_gets_401_everywhere(hidden: Hidden, client: Any, world: Any) -> None:
    insider, instrument = hidden.insider, hidden.instrument
    disabled = world.account("disabled@example.org", active=False)
    world.member(hidden.project, disabled, "steward")
    clients = {
        "nobody": client,
        "a made-up token": world.by_token("zry_" + "x" * 43),
        "a revoked token": world.by_token(world.token(insider, revoked=True)),
        "an expired token": world.by_token(world.token(insider, expired=True)),
        "a revoked agent": world.by_token(world.token(instrument, revoked=True)),
        "a disabled account": world.as_(disabled),
        "a disabled account, in a browser": world.browser(disabled),
    }
    closed = (route for route in ROUTES if route.needs != "nothing")
    wrong = refusals(hidden, clients, closed, 401)
    assert not wrong, "\n".join(wrong)


def test_a_token_opens_only_what_its_scope_is_for(hidden: Hidden, world: Any) -> None:
    """The insider's own tokens, each without the scope the route needs."""
    wrong = []
    for route in (route for route in ROUTES if route.needs != "nothing"):
        needed = set(route.needs.split("|"))
        scopes = set(SCOPES) - needed
        clients = {"token": world.as_(hidden.insider, *scopes)} if scopes else {}
        if "agent" not in needed:
            clients["agent"] = world.as_(hidden.instrument)
        wrong += refusals(hidden, clients, iter((route,)), 403)
    assert not wrong, "\n".join(wrong)


def test_the_invisible_and_the_non_existing_are_answered_alike(
    hidden: Hidden, outsiders: dict[str, Any], world: Any
) -> None:
    wrong = []
    for route in (route for route in ROUTES if route.role or route.query or "{" in route.path):
        for who, client in outsiders.items():
            if "administrator" in who and route.path.split("/")[1] in ("accounts", "projects", "instruments"):
                continue  # these administrators do see; another test is about them
            if "agent" in who and route.path == "/uploads":
                continue  # its files go to its own project, whatever it says
            if route.needs == "nothing":
                continue
            real = hidden.ask(client, route, real=True)
            imaginary = hidden.ask(client, route, real=False)
            same = (real.status_code, _normal(real)) == (imaginary.status_code, _normal(imaginary))
            allowed = (401, 403, 404) if route.role else (200, 401, 403, 404)
            if not same or HIDDEN in _normal(real) or real.status_code not in allowed:
                wrong.append(f"{who}: {route.method} {route.path}: {real.status_code} {real.text[:200]}")
    assert not wrong, "\n".join(wrong)


def _normal(answer: Any) -> str:
    """An answer without the names that the request itself said."""
    text: str = answer.text
    for name in (HIDDEN, "imaginary"):
        for end in ("-project", "-xrd", "-sample"):
            text = text.replace(name + end, "name")
    return text


def test_no_list_count_or_suggestion_tells_of_the_invisible(
    hidden: Hidden, outsiders: dict[str, Any]
) -> None:
    wrong = []
    lists = [r for r in ROUTES if r.method == "GET" and "{" not in r.path and not r.endless]
    for route in lists:
        for who, client in outsiders.items():
            if "administrator" in who and route.path.split("/")[1] in ("accounts", "projects", "instruments"):
                continue
            text = client.get(PREFIX + route.path + ("?prefix=inv" if route.path == "/suggest" else "")).text
            if HIDDEN in text or '"total":1' in text or '"count":1' in text:
                wrong.append(f"{who}: {route.method} {route.path}: {text[:300]}")
    assert not wrong, "\n".join(wrong)


def test_administrators_manage_without_seeing_measurements(hidden: Hidden, world: Any) -> None:
    """Not even how many there are."""
    administrator = world.as_(world.account("admin@example.org", is_admin=True))
    [instrument] = administrator.get(f"{PREFIX}/instruments").json()["items"]
    assert instrument["role"] is None
    assert (instrument["measurements"], instrument["not_translated"]) == (0, 0)
    assert instrument["hours"] == [0] * 24
    assert instrument["file_at"] is None
    [insiders] = world.as_(hidden.insider).get(f"{PREFIX}/instruments").json()["items"]
    assert (insiders["measurements"], insiders["not_translated"], insiders["hours"][-1]) == (1, 1, 1)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_it_is_for_and_no_more(hidden: Hidden, world: Any, role: str) -> None:
    member = world.account("member@example.org")
    world.member(hidden.project, member, role)
    client = world.as_(member)
    wrong = []
    for route in (r for r in ROUTES if r.role and ROLES.index(r.role) > ROLES.index(role)):
        if route.path.startswith("/uploads/"):
            continue  # an upload is its sender's alone, whatever the role
        answer = hidden.ask(client, route, real=True)
        if answer.status_code not in (403, 404):
            wrong.append(f"{route.method} {route.path}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


def test_a_membership_that_ends_ends_at_once(hidden: Hidden, world: Any) -> None:
    member = world.account("member@example.org")
    world.member(hidden.project, member, "viewer")
    client, steward = world.as_(member), world.as_(hidden.insider)
    path = f"{PREFIX}/instruments/{HIDDEN}-xrd"
    assert client.get(path).status_code == 200
    assert steward.delete(f"{PREFIX}/projects/{HIDDEN}-project/members/{member.uid}").status_code == 204
    assert client.get(path).status_code == 404


def test_visible_is_narrowed_by_role_and_sorted(world: Any) -> None:
    account = world.account("a@example.org")
    third, first, second = (world.project(slug) for slug in ("c", "a", "b"))
    world.project("not-mine")
    for project, role in ((third, "viewer"), (first, "steward"), (second, "contributor")):
        world.member(project, account, role)
    principal = Principal(frozenset({"read"}), account_id=account.id)
    with world.db.read() as session:
        assert visible(session, principal).projects == tuple(sorted((first.id, second.id, third.id)))
        assert visible(session, principal, "contributor").projects == tuple(sorted((first.id, second.id)))
        assert visible(session, principal, "steward").projects == (first.id,)
        assert roles(session, principal) == {
            first.id: "steward",
            second.id: "contributor",
            third.id: "viewer",
        }


def test_no_project_is_no_row_rather_than_every_row(world: Any) -> None:
    world.project("a")
    db: Database = world.db
    with db.read() as session:
        assert not Visible(())
        count = select(func.count()).select_from(models.Project)
        assert session.scalar(count.where(Visible(()).of(models.Project.id))) == 0
        assert session.scalar(count) == 1


def test_an_agent_sees_no_project(world: Any) -> None:
    instrument = world.instrument("xrd", world.project("a"))
    with world.db.read() as session:
        assert not visible(session, Principal(frozenset({"agent"}), instrument_id=instrument.id))


def test_two_sets_of_projects_in_one_statement_stay_apart(world: Any) -> None:
    ids = [world.project(slug).id for slug in ("a", "b", "c")]
    one, two = Visible(tuple(ids[:2])), Visible(tuple(ids[1:]))
    with world.db.read() as session:
        both = select(models.Project.id).where(one.of(models.Project.id), two.of(models.Project.id))
        assert session.scalars(both).all() == [ids[1]]
