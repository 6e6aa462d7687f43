"""If these fail, who runs the server cannot start it, stop it, or make its first account."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from zairyo.cli.admin import admin
from zairyo.cli.serve import serve
from zairyo.server.settings import Settings, SettingsError, from_environment

PASSWORD = "a good password"


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Any:
    """``zairyo admin …`` on a folder and a database."""

    def run(*words: str, input: str | None = None) -> Result:
        where = ["--data", str(tmp_path / "data"), "--database", database_url]
        return CliRunner().invoke(admin, [*where, *words], input=input)

    return run


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_a_laboratory_is_set_up_from_the_terminal(run: Any, tmp_path: Path, database_url: str) -> None:
    assert "administrator" in said(
        run("account", "add", "Ada@example.org", "--admin", input=f"{PASSWORD}\n{PASSWORD}\n")
    )
    said(run("account", "add", "bob@example.org", "--name", "Bob", "--password-stdin", input=f"{PASSWORD}\n"))
    assert said(run("account", "list")).splitlines() == [
        "ada@example.org\tAda\tadministrator",
        "bob@example.org\tBob",
    ]
    assert said(run("project", "add", "Solid Cells", "--steward", "ada@example.org")) == "solid-cells"
    said(run("project", "member", "solid-cells", "bob@example.org", "viewer"))
    assert said(run("instrument", "add", "SmartLab", "--project", "solid-cells")) == "smartlab"
    pairing = said(run("instrument", "pair", "smartlab"))
    assert re.fullmatch(r"zairyo agent pair http://127.0.0.1:8000 \w{4}-\w{4} --folder <FOLDER>", pairing)
    token = said(run("token", "add", "bob@example.org", "--scope", "read", "--days", "3"))
    assert token.startswith("zry_")
    assert "'zairyo admin' is revoked" in said(run("token", "revoke", token))
    said(run("account", "password", "bob@example.org", "--password", "another password"))
    said(run("account", "disable", "bob@example.org"))
    assert "disabled" in said(run("account", "list"))
    said(run("project", "member", "solid-cells", "bob@example.org", "none"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("account", "add", "nonsense", "--password", PASSWORD), "is not an e-mail address"),
        (("account", "add", "a@example.org", "--password", "short"), "choose at least"),
        (
            ("account", "password", "who@example.org", "--password", PASSWORD),
            "no account for who@example.org",
        ),
        (("project", "member", "nowhere", "a@example.org", "viewer"), "no project nowhere"),
        (("instrument", "pair", "nothing"), "no instrument nothing"),
        (("token", "revoke", "zry_x"), "no such token"),
        (("backup", "/proc/nowhere"), "proc"),
    ],
)
def test_mistakes_are_told_in_a_sentence(run: Any, words: tuple[str, ...], says: str) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert says in result.output
    assert "Traceback" not in result.output


def test_backup_restore_and_verify(run: Any, tmp_path: Path) -> None:
    said(run("account", "add", "a@example.org", "--password", PASSWORD))
    assert "all verified" in said(run("backup", str(tmp_path / "backup")))
    assert "0 missing, 0 damaged" in said(run("verify"))
    refused = run("restore", str(tmp_path / "backup"))
    assert refused.exit_code == 1
    assert "already" in refused.output
    elsewhere = ["--data", str(tmp_path / "elsewhere")]
    restored = CliRunner().invoke(admin, [*elsewhere, "restore", str(tmp_path / "backup")])
    assert "are back, all verified" in said(restored)
    assert "a@example.org" in said(CliRunner().invoke(admin, [*elsewhere, "account", "list"]))


def test_a_missing_object_fails_the_verification(run: Any, tmp_path: Path, database_url: str) -> None:
    from zairyo.server.db import Database
    from zairyo.server.models import Object

    database = Database(database_url)
    with database.write() as session:
        session.add(Object(sha256="0" * 64, size=1))
    database.close()
    result = run("verify")
    assert result.exit_code == 1
    assert "missing\t" + "0" * 64 in result.output


# --- settings --------------------------------------------------------------------------------------------------


def test_flags_win_over_the_environment() -> None:
    environ = {"ZAIRYO_PORT": "9000", "ZAIRYO_HOST": "::1", "ZAIRYO_DATA": "/tmp/x", "ZAIRYO_PUBLIC_URL": ""}
    settings = from_environment(environ, port=9001, host=None)
    assert (settings.port, settings.host, settings.data) == (9001, "::1", Path("/tmp/x"))
    assert settings.url == "http://[::1]:9001"


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "eight"), ("PORT", "70000"), ("MAX_FILE_BYTES", "0"), ("PUBLIC_URL", "zairyo.example.org")],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match="(?i)" + name.replace("_", "[_ ]")) as e:
        from_environment({f"ZAIRYO_{name}": value})
    assert value in str(e.value)


def test_postgres_urls_get_the_driver_that_is_there() -> None:
    assert Settings(database="postgres://h/x").database_url == "postgresql+psycopg://h/x"
    assert Settings(database="postgresql://h/x").database_url == "postgresql+psycopg://h/x"


# --- serve -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "lab-server"])
def test_it_does_not_take_passwords_in_the_open(host: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(serve, ["--host", host, "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "https" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = CliRunner().invoke(serve, ["--port", port, "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert f"cannot listen at 127.0.0.1:{port}" in result.output


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A real server in a process of its own, and what it printed when it was ready."""
    program = [sys.executable, "-c", "from zairyo.cli.serve import serve; serve()"]
    process = subprocess.Popen(
        [*program, "--port=0", "--workers=1", f"--data={tmp_path / 'data'}", f"--database={database_url}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if "admin" in line:
            break
    yield process, lines
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_it_says_where_to_look_and_how_to_begin_and_stops_when_told(
    server: tuple[subprocess.Popen[str], list[str]], tmp_path: Path
) -> None:
    process, lines = server
    address = re.search(r"is ready: (http://127\.0\.0\.1:\d+)$", lines[0])
    assert address, lines
    assert str(tmp_path / "data") in lines[1]
    assert "account add" in lines[-1]
    assert "--admin" in lines[-1]
    assert httpx.get(f"{address[1]}/api/v1/health").json()["status"] == "ok"
    assert "<html" in httpx.get(address[1]).text
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "Traceback" not in output


def test_the_command_it_prints_makes_the_first_account(
    server: tuple[subprocess.Popen[str], list[str]],
) -> None:
    """While the server runs, on the same data."""
    _, lines = server
    program, command, *words = shlex.split(lines[-1])
    assert (program, command) == ("zairyo", "admin")
    said(CliRunner().invoke(admin, [*words, "--password", PASSWORD]))
    address = lines[0].rsplit(" ", 1)[1]
    body = {"email": "you@example.org", "password": PASSWORD}
    assert httpx.post(f"{address}/api/v1/session", json=body).json()["account"]["is_admin"] is True
