"""The comparisons themselves: a mistyped row would be skipped for ever, and a lenient one would find nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from tests.oracles.comparison import HERE, ROWS, Array, Row, compare, pairs
from tools import oracles


def test_every_row_names_what_is_there(instruments: Path) -> None:
    for row in ROWS:
        assert row.environment in oracles.names(), row
        assert (HERE / "peers" / f"{row.peer}.py").is_file(), row
        assert (instruments / row.file).exists(), row
        if any(item.startswith("-") for item in row.arrays):
            assert row.note, f"something is left out without a reason: {row}"
    compared = [(row.file, row.peer) for row in ROWS]
    assert len(set(compared)) == len(compared)


def test_comparisons_do_not_get_fewer() -> None:
    """A table written anew with rows lost would make its tests pass the quicker."""
    assert len(ROWS) >= 271
    assert len({row.peer for row in ROWS}) >= 33


ASKED_IN_VAIN = (
    "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError()'"
)


@pytest.mark.parametrize(
    ("said", "is_well"),
    [
        (f"{ASKED_IN_VAIN}\nERROR: No matching distribution found for peer==1.0", True),
        ("ERROR: No matching distribution found for peer==1.0", False),
        ("WARNING: Retrying (Retry(total=2))\nerror: subprocess-exited-with-error", False),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", False),
    ],
)
def test_only_a_registry_that_is_away_skips_comparisons(
    monkeypatch: pytest.MonkeyPatch, said: str, is_well: bool
) -> None:
    def fail(_name: str) -> None:
        oracles.run(sys.executable, "-c", f"print({said!r}); raise SystemExit(1)")

    monkeypatch.setattr(oracles, "make", fail)
    assert oracles.make_or_say("cells") is is_well


def test_every_environment_has_its_tests() -> None:
    for name in oracles.names():
        assert (HERE / f"test_{name}.py").is_file()


VOLTS = Array(np.array([1.0, -2.0, np.nan, 3.0]), "V")


@pytest.mark.parametrize(
    "theirs",
    [
        Array(np.array([1.0, -2.00001, np.nan, 3.0]), "V"),  # a value
        Array(np.array([1.0, -2.0, 0.0, 3.0]), "V"),  # a reading where there is none
        Array(np.array([-2.0, 1.0, np.nan, 3.0]), "V"),  # the order
        Array(np.array([[1.0, -2.0], [np.nan, 3.0]]), "V"),  # the shape
        Array(VOLTS.values, "mV"),  # the unit
    ],
)
def test_a_difference_is_found(theirs: Array) -> None:
    compare("voltage", VOLTS, Array(VOLTS.values * 1000, "mV"))
    with pytest.raises(AssertionError):
        compare("voltage", VOLTS, theirs)


@pytest.mark.parametrize("arrays", ["0/time=t", "*", "0/voltage=u -t"])
def test_what_only_one_side_has_is_found(arrays: str) -> None:
    row = Row("file", "cells", "peer", tuple(arrays.split(" ")), "")
    with pytest.raises(AssertionError):
        pairs(row, {"0/voltage": VOLTS}, {"u": VOLTS, "t": VOLTS, "x": VOLTS})
