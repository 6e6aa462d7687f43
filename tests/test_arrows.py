"""Imports point one way, along the data's flow; and what must start at once loads nothing heavy.

Without this a scientist's notebook would pull in the server, and `zairyo --help` would take seconds.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"

#: Room → the rooms of Zairyo that it may import. The server and the command line put the rooms together.
ALLOWED: dict[str, frozenset[str]] = {
    "measurement": frozenset(),
    "readers": frozenset({"measurement"}),
    "descriptors": frozenset({"measurement"}),
    "exports": frozenset({"measurement"}),
    "agent": frozenset({"measurement", "readers"}),
    "client": frozenset({"measurement", "agent"}),
    "tables": frozenset({"measurement", "descriptors", "client"}),
    "learn": frozenset({"measurement", "descriptors", "tables", "client"}),
    "campaign": frozenset({"measurement", "descriptors", "tables", "learn", "client"}),
    "robots": frozenset({"measurement", "campaign", "client", "agent"}),
}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every module of Zairyo that a file imports, wherever in it, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "zairyo":
                yield from ((node.lineno, f"zairyo.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE / "zairyo").parts[0].removesuffix(".py")


def test_imports_follow_the_flow() -> None:
    seen = set()
    wrong = []
    for path in sorted((SOURCE / "zairyo").rglob("*.py")):
        room = room_of(path)
        if room not in ALLOWED:
            continue
        seen.add(room)
        for line, module in imports(path):
            parts = module.split(".")
            if parts[0] != "zairyo" or len(parts) == 1:
                continue
            target = parts[1]
            if target.startswith("__") or target == room or target in ALLOWED[room]:
                continue
            wrong.append(f"{path.relative_to(SOURCE)}:{line} imports {module}")
    assert not wrong, "\n".join(wrong)
    assert {"measurement", "readers"} <= seen


HEAVY = ("numpy", "pandas", "xarray", "pint", "h5py", "matplotlib", "yaml", "fastapi", "sqlalchemy", "httpx")


@pytest.mark.parametrize(
    "code",
    [
        "import zairyo; zairyo.__version__; dir(zairyo)",
        "import zairyo.cli; zairyo.cli.main(['--help'])",
        "import zairyo.cli; zairyo.cli.main(['--version'])",
    ],
)
def test_starting_loads_nothing_heavy(code: str) -> None:
    probe = f"""
import sys
try:
    {code}
except SystemExit as e:
    assert not e.code, e
loaded = sorted(m for m in {HEAVY!r} if m in sys.modules)
print("HEAVY", loaded)
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_reading_loads_no_server_and_no_notebook_library(tmp_path: Path) -> None:
    (tmp_path / "scan.xye").write_text("1 10 3\n2 20 4\n3 30 5\n")
    probe = f"""
import sys, zairyo
zairyo.read({str(tmp_path / "scan.xye")!r})
heavy = ("pandas", "xarray", "matplotlib", "pint", "fastapi", "sqlalchemy")
print("HEAVY", sorted(m for m in heavy if m in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "HEAVY []"
