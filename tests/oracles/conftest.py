"""Peers live as long as the tests of one file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.oracles.comparison import Peers


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    started = Peers(tmp_path_factory.mktemp("peers"))
    yield started
    started.close()
