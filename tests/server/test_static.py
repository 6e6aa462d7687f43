"""If these fail, the pages do not load, stay old after an update, or let another site in."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from zairyo.server.api import static
from zairyo.server.settings import Settings

PAGE = "<!doctype html><title>Zairyo</title>" + " " * 2000
SCRIPT = "console.log('hello');" * 200


@pytest.fixture
def engine_name() -> str:
    return "sqlite"  # nothing here asks the database


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Path:
    """A built web."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "assets" / "index-abc123.js").write_text(SCRIPT)
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(static, "FOLDER", folder)
    return folder


@pytest.fixture
def app(web: Path, settings: Settings) -> FastAPI:
    from zairyo.server.api.app import create_app

    return create_app(settings, services=False)


@pytest.mark.parametrize("path", ["/", "/measurements", "/measurements/0193?tab=2", "/instruments/xrd-1.5"])
def test_every_address_of_the_pages_is_the_one_page(client: Any, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["cache-control"] == "no-cache"
    assert client.head(path).status_code == 200
    assert client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_built_files_are_kept_by_the_browser_and_sent_small(client: Any) -> None:
    answer = client.get("/assets/index-abc123.js")
    assert answer.text == SCRIPT
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-encoding"] == "gzip"
    with client.stream("GET", "/assets/index-abc123.js") as stream:
        assert gzip.decompress(b"".join(stream.iter_raw())).decode() == SCRIPT
    plain = client.get("/assets/index-abc123.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == SCRIPT


def test_a_script_of_an_older_build_is_not_answered_with_the_page(client: Any) -> None:
    """The browser would report a syntax error instead of loading the new page."""
    assert client.get("/assets/index-old.js").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%00",
        "//etc/passwd",
        "/a%0ab",
    ],
)
def test_nothing_outside_of_the_folder_is_served(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (200, 404)
    assert "secret" not in answer.text
    assert "root:" not in answer.text


def test_an_unknown_address_of_the_api_is_a_problem_not_the_page(client: Any) -> None:
    for path in ("/api", "/api/v1/nothing", "/api/v2/me"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    wrong_method = client.post("/api/v1/health")
    assert (wrong_method.status_code, wrong_method.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "path", ["/", "/assets/index-abc123.js", "/api/v1/health", "/api/v1/me", "/assets/nothing"]
)
def test_every_answer_protects_who_gets_it(client: Any, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert "unsafe-inline" not in policy["script-src"]
    assert "unsafe-eval" not in policy["script-src"].replace("wasm-unsafe-eval", "")
    assert policy["worker-src"] == "'self' blob:"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    if path.startswith("/api"):
        assert headers["cache-control"] == "no-store"


def test_without_the_built_pages_it_says_how_to_build_them(client: Any, web: Path) -> None:
    (web / "index.html").unlink()
    answer = client.get("/")
    assert answer.status_code == 200
    assert "make setup" in answer.text
