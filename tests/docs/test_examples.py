"""Whoever follows the documentation to the letter gets what it shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.docs.examples import PAGES, ExampleError, agrees, blocks, run_page

EXAMPLES = [p for p in PAGES if any(True for _ in blocks(p.read_text(encoding="utf-8")))]


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda p: p.stem)
def test_page(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for program in ("bash", *(name for name in ("curl",) if f"$ {name} " in text)):
        if shutil.which(program) is None:
            pytest.skip(f"{program}, which {page.name} uses, is not installed")
    assert run_page(page, tmp_path) > 0


def test_a_wrong_output_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- run -->\n```python\n1 + 1\n```\n<!-- output -->\n```text\n3\n```\n")
    with pytest.raises(ExampleError, match="something else"):
        run_page(page, tmp_path / "here")


def test_a_command_that_fails_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- run -->\n```console\n$ false\n```\n")
    with pytest.raises(ExampleError, match="status 1"):
        run_page(page, tmp_path / "here")


@pytest.mark.parametrize(
    ("shown", "real", "same"),
    [
        ("a … c", "a b c\n", True),
        ("a\n…\nd", "a\nb\nc\nd\n", True),
        ("a\n…\nd", "a\nd\n", True),
        ("a … c", "a\nb c\n", False),
        ("", "a\n", False),
        ("a", "", False),
        ("", "", True),
    ],
)
def test_dots_stand_for_anything_in_their_line(shown: str, real: str, same: bool) -> None:
    assert agrees(shown, real) is same


@pytest.mark.parametrize(
    ("shown", "real", "same"),
    [
        ("mean 641.03 MPa", "mean 640.98 MPa\n", True),
        ("a  1.05\nb 2", "a 1.06\nb   2\n", True),
        ("mean 641.03", "mean 541.03\n", False),
        ("experiment 7", "experiment 8\n", False),
        ("gas Ar 1.0", "gas N2 1.0\n", False),
        ("a … 3.0", "a b c 3.0\n", True),
    ],
)
def test_what_is_fitted_may_differ_a_little(shown: str, real: str, same: bool) -> None:
    assert agrees(shown, real, about=True) is same
