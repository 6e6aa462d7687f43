"""If these fail, somebody gets in who should not, or somebody who should cannot."""

from __future__ import annotations

from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from zairyo.server import admin, passwords
from zairyo.server.models import Account, Session

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def password_hash() -> str:
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def ada(world: Any, password_hash: str) -> Any:
    """A person with a password."""
    with world.db.write() as session:
        return admin.add_account(session, "Ada@Example.org", "Ada", password_hash=password_hash)


def test_signing_in_and_out(world: Any, client: Any, ada: Any) -> None:
    project = world.project("cells", contributor=ada)
    answer = client.post("/api/v1/session", json={"email": " ADA@example.org", "password": PASSWORD})
    assert answer.status_code == 200
    me = answer.json()
    assert me["account"]["email"] == "ada@example.org"
    assert me["projects"] == [{"uid": project.uid, "slug": "cells", "name": "Cells", "role": "contributor"}]
    assert me["scopes"] == ["read", "upload", "write", "admin"]
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert client.get("/api/v1/me").json() == me
    assert client.delete("/api/v1/session", headers={"X-Zairyo": "web"}).status_code == 204
    assert client.get("/api/v1/me").status_code == 401


def test_the_cookie_insists_on_https_where_that_is_how_browsers_come(
    world: Any, client: Any, ada: Any, app: Any
) -> None:
    object.__setattr__(app.state.platform.settings, "public_url", "https://testserver")
    answer = client.post("/api/v1/session", json={"email": "ada@example.org", "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"]


def test_wrong_password_unknown_person_and_disabled_account_are_answered_alike(
    world: Any, client: Any, ada: Any
) -> None:
    def answer(email: str, password: str) -> Any:
        return client.post("/api/v1/session", json={"email": email, "password": password})

    wrong = answer("ada@example.org", "another password")
    unknown = answer("nobody@example.org", PASSWORD)
    with world.db.write() as session:
        session.scalars(select(Account)).one().active = False
    disabled = answer("ada@example.org", PASSWORD)
    assert wrong.status_code == 401
    assert wrong.json()["code"] == "bad_credentials"
    assert wrong.content == unknown.content == disabled.content


def test_an_unknown_e_mail_is_checked_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the time of the answer tells who has an account."""
    checked: list[str] = []
    real = passwords._hasher()

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def verify(self, kept: str, password: str) -> bool:
            checked.append(kept)
            return bool(real.verify(kept, password))

    monkeypatch.setattr(passwords, "_hasher", Counting)
    assert passwords.check_password(None, PASSWORD) == (False, None)
    assert len(checked) == 1
    assert checked[0].startswith("$argon2id$")


def test_guessing_is_slowed_for_one_e_mail_but_not_for_others(
    world: Any, client: Any, ada: Any, app: Any
) -> None:
    app.state.platform.sign_ins.most = 3
    body = {"email": "nobody@example.org", "password": "x"}
    assert [client.post("/api/v1/session", json=body).status_code for _ in range(3)] == [401] * 3
    refused = client.post("/api/v1/session", json=body)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    right = {"email": "ada@example.org", "password": PASSWORD}
    assert [client.post("/api/v1/session", json=right).status_code for _ in range(5)] == [200] * 5


def test_guessing_at_many_e_mails_is_slowed_too(client: Any, world: Any, app: Any) -> None:
    app.state.platform.callers.most = 3
    answers = [
        client.post("/api/v1/session", json={"email": f"{n}@example.org", "password": "x"}).status_code
        for n in range(5)
    ]
    assert answers == [401, 401, 401, 429, 429]


def test_the_limit_ends_and_keys_do_not_pile_up() -> None:
    now = 0.0
    limit = passwords.RateLimit(most=2, seconds=10, clock=lambda: now)
    assert [limit.wait("a"), limit.wait("a"), limit.wait("a")] == [0, 0, 10]
    assert limit.wait("b") == 0
    now = 10.5
    assert limit.wait("a") == 0
    for n in range(limit.KEYS + 50):
        limit.wait(n)
    assert len(limit._tries) == limit.KEYS


def test_weaker_hashes_are_replaced_when_their_owner_signs_in(world: Any, client: Any, ada: Any) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with world.db.write() as session:
        session.scalars(select(Account)).one().password_hash = old
    body = {"email": "ada@example.org", "password": PASSWORD}
    assert client.post("/api/v1/session", json=body).status_code == 200
    with world.db.read() as session:
        kept = session.scalars(select(Account)).one().password_hash
    assert kept != old
    assert passwords.check_password(kept, PASSWORD) == (True, None)


def test_changing_the_password_signs_other_browsers_out(world: Any, ada: Any) -> None:
    here, elsewhere = world.browser(ada), world.browser(ada)
    change = {"old": PASSWORD, "new": "a new, better password"}
    assert here.post("/api/v1/me/password", json={**change, "old": "wrong"}).json()["field"] == "old"
    assert here.post("/api/v1/me/password", json={**change, "new": "short"}).status_code == 422
    assert here.post("/api/v1/me/password", json=change).status_code == 204
    assert here.get("/api/v1/me").status_code == 200
    assert elsewhere.get("/api/v1/me").status_code == 401


def test_an_expired_session_is_refused_and_forgotten(world: Any, client: Any, ada: Any) -> None:
    client.cookies.set("zairyo_session", world.session(ada, days=-1))
    assert client.get("/api/v1/me").status_code == 401
    client.post("/api/v1/session", json={"email": "ada@example.org", "password": PASSWORD})
    with world.db.read() as session:
        assert len(session.scalars(select(Session)).all()) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"X-Zairyo": "other"}, 403),
        ({"X-Zairyo": "web"}, 200),
        ({"X-Zairyo": "web", "Origin": "http://testserver"}, 200),
        ({"X-Zairyo": "web", "Origin": "https://evil.example"}, 403),
        ({"X-Zairyo": "web", "Origin": "null"}, 403),
    ],
)
def test_another_site_cannot_act_for_who_is_signed_in(
    world: Any, ada: Any, headers: dict[str, str], status: int
) -> None:
    browser = world.browser(ada)
    del browser.headers["X-Zairyo"]
    answer = browser.patch("/api/v1/me", json={"name": "Eve"}, headers=headers)
    assert answer.status_code == status
    assert (browser.get("/api/v1/me").json()["account"]["name"] == "Eve") == (status == 200)


def test_tokens_are_shown_once_listed_and_revoked(world: Any, ada: Any) -> None:
    browser = world.browser(ada)
    made = browser.post(
        "/api/v1/tokens", json={"name": "notebook", "scopes": ["read"], "expires_in_days": 30}
    )
    assert made.status_code == 201
    secret, uid = made.json()["token"], made.json()["uid"]
    assert secret.startswith("zry_")
    assert secret not in browser.get("/api/v1/tokens").text
    program = world.by_token(secret)
    assert program.get("/api/v1/me").json()["scopes"] == ["read"]
    assert browser.delete(f"/api/v1/tokens/{uid}").status_code == 204
    assert program.get("/api/v1/me").status_code == 401
    assert browser.get("/api/v1/tokens").json() == {"items": []}


def test_nobody_revokes_anothers_token(world: Any, ada: Any) -> None:
    eve = world.account("eve@example.org")
    uid = world.browser(ada).post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]}).json()["uid"]
    assert world.browser(eve).delete(f"/api/v1/tokens/{uid}").status_code == 404
    assert len(world.browser(ada).get("/api/v1/tokens").json()["items"]) == 1


def test_a_token_can_neither_make_tokens_nor_change_the_password(world: Any, ada: Any) -> None:
    """Else a leaked token with one scope is as good as the person."""
    program = world.as_(ada)
    assert program.post("/api/v1/tokens", json={"name": "x", "scopes": ["admin"]}).status_code == 403
    assert program.post("/api/v1/me/password", json={"old": PASSWORD, "new": "0123456789"}).status_code == 403


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer zry_", "Bearer zry_wrong", "Basic YTpi", "zry_x", "Bearer \u00e9"]
)
def test_what_is_no_token_is_refused_even_with_a_good_cookie(world: Any, ada: Any, header: str) -> None:
    browser = world.browser(ada)
    answer = browser.get("/api/v1/me", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_too_large_a_body_is_refused(client: Any) -> None:
    answer = client.post(
        "/api/v1/session", content=b"x" * 10_000_000, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
