"""Microscopes, probes, maps, loggers: what would be lost if our reader alone misread a file."""

from __future__ import annotations

from pathlib import Path

from tests.oracles import comparison


@comparison.of("images")
def test_two_independent_readers_agree(
    row: comparison.Row, instruments: Path, peers: comparison.Peers
) -> None:
    comparison.agree(row, instruments, peers)
