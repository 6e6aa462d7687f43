"""Reads a file with our reader and with a peer, and compares.

``oracles.tsv`` has a row a comparison: a file of shared/data/instruments, the environment and the module of ``peers/``
that reads it, and what is compared. The peer reads in a process of its own environment (``make oracles`` makes them);
every array it gives is compared to ours: shape, order, values to 1e-6 relative, after conversion where it has a unit.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pytest
from tools import oracles

from zairyo.measurement import Entry, Measurement
from zairyo.measurement.units import convert
from zairyo.readers import registry

HERE = Path(__file__).parent
SERVER = HERE / "peers" / "serve.py"
RELATIVE = 1e-6
#: Of the largest value: differences that are only the rounding of a sum near zero.
ROUNDING = 1e-12
#: Seconds after which a peer is taken for hanging, and ended.
PATIENCE = 120


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes
    ----------
    file
        Relative to shared/data/instruments.
    environment, peer
        A list of ``requirements/`` and a module of ``peers/``.
    arrays
        Patterns of the peer's arrays where its module gives them our names (``*`` for all; ``0/intensity`` is
        the signal of the first entry, ``0/intensity.uncertainty`` its uncertainty); ``ours=theirs`` where it
        gives names of its own; ``-theirs`` for what is left out.
    note
        Why something is left out.
    """

    file: str
    environment: str
    peer: str
    arrays: tuple[str, ...]
    note: str


def rows() -> list[Row]:
    lines = (HERE / "oracles.tsv").read_text(encoding="utf-8").splitlines()[1:]
    split = [line.split("\t") for line in lines if line]
    return [
        Row(file, where, peer, tuple(arrays.split(" ")), note) for file, where, peer, arrays, note in split
    ]


ROWS = rows()


def of(environment: str) -> pytest.MarkDecorator:
    """The rows of one environment, as parameters of a test."""
    some = [row for row in ROWS if row.environment == environment]
    return pytest.mark.parametrize("row", some, ids=[f"{row.peer}-{row.file}" for row in some])


@dataclass
class Array:
    values: np.ndarray[Any, Any]
    unit: str | None


class Peer:
    """A process of a peer's environment that reads one file after another."""

    def __init__(self, row: Row, folder: Path) -> None:
        self.name = row.peer
        self._process = subprocess.Popen(
            [str(oracles.python(row.environment)), str(SERVER), row.peer, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        answer = self._answer()
        self.failure: str | None = answer.get("import_error") or answer.get("error")

    def read(self, path: Path) -> dict[str, Array]:
        if self.failure:
            pytest.fail(f"{self.name} is installed and cannot be imported:\n{self.failure}")
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"path": str(path)}) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            pytest.fail(f"{self.name} does not read {path.name}:\n{answer['error']}")
        with np.load(answer["npz"]) as saved:
            arrays = [saved[f"a{i}"] for i in range(len(answer["names"]))]
        Path(answer["npz"]).unlink()
        return {n: Array(a, answer["units"].get(n)) for n, a in zip(answer["names"], arrays, strict=True)}

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        limit = Timer(PATIENCE, self._process.kill)
        limit.start()
        try:
            line = self._process.stdout.readline()
        finally:
            limit.cancel()
        answer: dict[str, Any] = (
            json.loads(line) if line else {"error": "its process ended, or took too long"}
        )
        return answer

    def close(self) -> None:
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.wait()


class Peers:
    """The peers that were asked so far, each in its process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: dict[str, Peer] = {}

    def read(self, row: Row, path: Path) -> dict[str, Array]:
        if row.peer not in self._started:
            self._started[row.peer] = Peer(row, self._folder)
        return self._started[row.peer].read(path)

    def close(self) -> None:
        for peer in self._started.values():
            peer.close()


def agree(row: Row, instruments: Path, peers: Peers) -> None:
    """Read the row's file on both sides and compare; skip, saying so, what is not here."""
    if not oracles.is_made(row.environment):
        pytest.skip(f"{row.peer} is not here; `make oracles` installs it")
    path = instruments / row.file
    if not path.exists():
        pytest.skip(f"{row.file} is not among the real files here")
    theirs = peers.read(row, path)
    ours = arrays_of(registry.read(path))
    for our_name, their_name in pairs(row, ours, theirs):
        compare(f"{row.file}: {our_name}", ours[our_name], theirs[their_name])


def arrays_of(measurement: Measurement) -> dict[str, Array]:
    """Every array of ours by the number of its entry and its name; by ``*`` and its name if no other has it."""
    named = [
        (n, name, array) for n, entry in enumerate(measurement) for name, array in arrays_of_entry(entry)
    ]
    times = Counter(name for _, name, _ in named)
    alone = {f"*/{name}": array for _, name, array in named if times[name] == 1}
    return {f"{number}/{name}": array for number, name, array in named} | alone


def arrays_of_entry(entry: Entry) -> Iterator[tuple[str, Array]]:
    for axis in entry.axes:
        if axis.name != "row":
            yield axis.name, Array(axis.values, axis.unit)
    for signal in entry.signals:
        yield signal.name, Array(signal.values, signal.unit)
        if signal.uncertainty is not None:
            yield f"{signal.name}.uncertainty", Array(signal.uncertainty, signal.unit)


def pairs(row: Row, ours: dict[str, Array], theirs: dict[str, Array]) -> list[tuple[str, str]]:
    """Our names beside theirs; fails if the peer has what ours lacks and the row does not say so."""
    out = [item[1:] for item in row.arrays if item.startswith("-")]
    left_out = {name for name in theirs if any(fnmatchcase(name, pattern) for pattern in out)}
    found: list[tuple[str, str]] = []
    for item in (i for i in row.arrays if not i.startswith("-")):
        if "=" in item:
            our_name, their_name = item.split("=")
            assert our_name in ours, f"{row.file}: ours lacks {our_name}; it has {sorted(ours)}"
            assert their_name in theirs, f"{row.peer} lacks {their_name}; it has {sorted(theirs)}"
            found.append((our_name, their_name))
        else:
            for name in (n for n in theirs if fnmatchcase(n, item) and n not in left_out):
                assert name in ours, f"{row.file}: ours lacks {name} of {row.peer}; it has {sorted(ours)}"
                found.append((name, name))
    assert found, f"{row.file}: nothing compared"
    forgotten = set(theirs) - {name for _, name in found} - left_out
    assert not forgotten, f"{row.file}: not compared: {sorted(forgotten)} of {row.peer}"
    return found


def compare(what: str, ours: Array, theirs: Array) -> None:
    assert ours.values.shape == theirs.values.shape, f"{what} has another shape than the peer's"
    expected = theirs.values
    if expected.dtype.kind in "USM":
        np.testing.assert_array_equal(ours.values.astype(expected.dtype), expected, err_msg=what)
        return
    if theirs.unit is not None:
        assert ours.unit is not None, f"{what} has no unit; the peer says {theirs.unit}"
        expected = convert(expected, theirs.unit, ours.unit)
    if np.array_equal(ours.values, expected):  # quicker than differences, for maps of many millions of counts
        return
    finite = np.abs(expected[np.isfinite(expected)])
    rounding = ROUNDING * float(finite.max()) if finite.size else 0.0
    np.testing.assert_allclose(ours.values, expected, rtol=RELATIVE, atol=rounding, err_msg=what)
