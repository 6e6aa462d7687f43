"""Every reader on broken files of its format: a clear answer in bounded time and memory, whatever comes.

The files are real ones (shared/data/instruments, and those in examples/), and small ones that tests made where there
is no real one (seeds/), each cut at every 1 %, with bits flipped and with rubbish after a good beginning, translated in
the locked child process as users' files are.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.conftest import ROOT, SHARED
from tests.readers.mutations import Mutable, changes

from zairyo.readers import registry
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers.limits import Limits
from zairyo.readers.sandbox import Failure, Sandbox

#: What the issue of readers promises for any file: an answer in 10 s and 1 GB.
LIMITS = Limits(seconds=10.0, memory=1 << 30, output_bytes=1 << 30)
#: Answers that a broken file may get. Not: timeout, memory, crashed.
ANSWERS = {"unknown_format", "ambiguous", "damaged", "invalid", "too_large"}
FILES = 2  # of each reader, the smallest ones
#: Cuts and flips: of the smallest file; of others, and of an archive's member whose whole had them all already.
_MANY, _FEW = (100, 20), (10, 10)


@cache
def files_by_reader() -> dict[str, list[RawInput]]:
    found = defaultdict[str, list[RawInput]](list)
    folders = (ROOT / "tests" / "readers" / "seeds", ROOT / "examples", SHARED / "instruments")
    for raw in registry.inputs([p for p in folders if p.is_dir()]):
        try:
            found[registry.find(raw).name].append(raw)
        except (ReadError, OSError):
            continue
    return {name: sorted(raws, key=_size)[:FILES] for name, raws in found.items()}


def _size(raw: RawInput) -> int:
    paths = [raw.member_path(n) for n in raw.members] if raw.is_folder else [raw.path]
    return sum(p.stat().st_size for p in paths)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(LIMITS) as s:
        yield s


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(registry.default_registry().readers))
def test_broken_files_get_an_answer(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    files = files_by_reader().get(name)
    if not files:
        pytest.skip(f"no file of {name} here (shared/data/instruments)")
    out = tmp_path / "out"
    out.mkdir()
    faults = []
    for raw in files:
        mutable = Mutable(raw)
        for part in mutable.parts:
            cuts, flips = _MANY if (raw, part) == (files[0], "whole") else _FEW
            seed = zlib.crc32(f"{name} {raw.name} {part}".encode())
            for what, change in changes(mutable.size(part), seed, cuts=cuts, flips=flips, rubbish=flips // 4):
                broken = mutable.write(part, change, tmp_path / "in")
                result = sandbox.translate(
                    broken.path, out, parts=broken.parts, reader=name, name="r.nxs", group="g"
                )
                if isinstance(result, Failure) and (
                    result.kind not in ANSWERS or result.message.startswith("the reader stopped at")
                ):
                    faults.append(f"{raw.path.name} ({part}), {what}: {result.kind}: {result.message}")
    assert [p.name for p in out.iterdir() if p.name != "r.nxs"] == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]
    assert not faults, f"{len(faults)} bad answers:\n" + "\n".join(faults[:10])
