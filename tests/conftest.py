"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ZAIRYO_SHARED", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def instruments() -> Path:
    """The folder of real instrument files; the test is skipped, saying so, where it is not there."""
    folder = SHARED / "instruments"
    if not folder.is_dir():
        pytest.skip(f"real instrument files are not here ({folder}); set ZAIRYO_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def examples() -> Path:
    """The real files this repository ships."""
    return ROOT / "examples"
