"""Tables that are made from the code when the documentation is built say everything, and mention nothing gone."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from zairyo.measurement.techniques import TECHNIQUES, conditions
from zairyo.readers.registry import load

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generated", DOCS / "hooks" / "generated.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_mark_in_a_page_is_filled(hook: ModuleType) -> None:
    for page in DOCS.glob("*.md"):
        assert "<!-- generated" not in hook.on_page_markdown(page.read_text(encoding="utf-8")), page.name


def test_no_key_setting_or_rule_is_without_a_meaning(hook: ModuleType) -> None:
    for name in ("description_keys", "settings", "rules", "limits", "endpoints"):
        for line in hook.PARTS[name]():
            assert not re.search(r"\|\s*\|$", line), f"{name}: {line}"


def test_the_vocabulary_page_has_every_technique_and_condition(hook: ModuleType) -> None:
    text = "\n".join(hook.PARTS["techniques"]())
    for key in TECHNIQUES:
        assert f"{{ #{key} }}" in text
        for name in conditions(key):
            assert f"`{name}`" in text


def test_the_formats_page_has_every_reader(hook: ModuleType) -> None:
    text = "\n".join(hook.PARTS["formats"]())
    for name in load().readers:
        assert f"`{name}`" in text


def test_the_api_page_has_every_code_of_a_problem() -> None:
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    for code in sorted(set(_codes())):
        assert f"`{code}`" in page, f"docs/api.md says nothing of the code {code}"


def _codes() -> Iterator[str]:
    """The second argument of every ``Problem(status, code, …)`` and ``Refused(status, code, …)`` in the server."""
    for path in (ROOT / "src" / "zairyo" / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 2:
                is_status = isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, int)
                if node.func.id in ("Problem", "Refused") and is_status:
                    code = node.args[1]
                    # One that is handed on is that of a query: see QueryError.
                    yield from (
                        [str(code.value)] if isinstance(code, ast.Constant) else ["invalid", "unknown_unit"]
                    )
