"""Where the real tables are."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import SHARED


@pytest.fixture(scope="session")
def tasks() -> Path:
    """Real tables of experiments; the test is skipped, saying so, where they are not there."""
    return _there("tasks")


@pytest.fixture(scope="session")
def domains() -> Path:
    """Real tables of standards, structural materials and interlaboratory studies."""
    return _there("domains")


def _there(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"real tables are not here ({folder}); set ZAIRYO_SHARED to the folder above them")
    return folder
