"""If these fail, a person meets an error that does not say what to do, or a program one it cannot tell apart."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg.errors
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from zairyo.server.db import DatabaseError, disk_is_full
from zairyo.server.models import Institution
from zairyo.server.objects import DiskFull


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


def sqlite_error(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("…")
    error.sqlite_errorname = name
    return error


def wrapped(original: Exception) -> OperationalError:
    return OperationalError("UPDATE secret_table", {"password": "hidden"}, original)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (DiskFull(28, "full"), 507, "disk_full"),
        (wrapped(sqlite_error("SQLITE_FULL")), 507, "disk_full"),
        (wrapped(psycopg.errors.DiskFull("…")), 507, "disk_full"),
        (wrapped(sqlite_error("SQLITE_BUSY")), 503, "busy"),
        (DatabaseError("the database was busy"), 503, "busy"),
        (ZeroDivisionError("hidden"), 500, "internal"),
    ],
)
def test_what_the_server_cannot_help_is_told_apart(
    app: Any, client: Any, error: Exception, status: int, code: str
) -> None:
    def fail() -> None:
        raise error

    app.router.routes.insert(0, _route("/api/v1/fail", fail))
    answer = client.get("/api/v1/fail")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert {"type", "title", "detail"} <= set(body)
    assert "hidden" not in answer.text
    assert "secret_table" not in answer.text


def _route(path: str, endpoint: Any) -> Any:
    from fastapi.routing import APIRoute

    return APIRoute(path, endpoint)


def test_a_database_file_that_cannot_grow_is_a_full_disk(db: Any) -> None:
    def grow() -> None:
        with db.write() as session:
            session.execute(text(f"PRAGMA max_page_count = {session.scalar(text('PRAGMA page_count'))}"))
            for n in range(10_000):
                session.add(Institution(slug=str(n), name="x" * 200))
                session.flush()

    with pytest.raises(OperationalError) as e:
        grow()
    assert disk_is_full(e.value)
    with db.read() as session:
        assert session.scalars(select(Institution)).all() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": 1, "password": "x"}, "email"),
        ({"email": "x"}, "password"),
        ({"email": "x" * 300, "password": "x"}, "email"),
    ],
)
def test_a_wrong_field_is_named(client: Any, body: Any, field: str) -> None:
    answer = client.post("/api/v1/session", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid", field)
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"null", b"[" * 100_000])
def test_a_body_that_is_no_json_is_no_servers_mistake(client: Any, content: bytes) -> None:
    answer = client.post("/api/v1/session", content=content, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_without_end_is_refused(client: Any) -> None:
    """One that does not say how long it is, too."""

    def endless() -> Any:
        for _ in range(10_000):
            yield b'"' + b"x" * 10_000

    answer = client.post("/api/v1/session", content=endless(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
