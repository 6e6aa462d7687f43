"""Coverage-guided fuzzing of the readers: finds the bytes that make one raise, hang or fill the memory.

    .venv/bin/python tools/fuzz.py [READER ...] [--runs 300] [--seed 1]           the same runs each time; CI's
    .venv/bin/python tools/fuzz.py [READER ...] --runs 1000000 --seconds 60       as far as a minute goes

Starts from real files of each format (examples/, shared/data/instruments and ``--files``) and small ones that tests
made (tests/readers/seeds/), and lets atheris change them towards code that has not run yet; the files of a folder, or
of a set, together. A reader may answer anything but what it must not: an exception other than ReadError or
MeasurementError, more than 10 s, more than 1 GB. The bytes that did it are kept in build/fuzz/. At the end stands a
hash of all that was tried, the same in each run of the same readers, files and seed. Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import resource
import sys
import tempfile
import traceback
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zairyo.readers._api import RawInput, Reader

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ZAIRYO_SHARED", ROOT.parent / "shared" / "data"))
SEEDS = ROOT / "tests" / "readers" / "seeds"
KEPT = ROOT / "build" / "fuzz"
#: Larger files change too slowly to learn from; of a reader that has no smaller one, the beginning is taken.
MOST_BYTES = 300_000
BEGINNING = 30_000
#: Bytes that a reader reads in all its runs: one whose files are large has fewer.
WORK = 4_000_000
FEWEST_RUNS = 20
MOST_SAID = 6000
MEMORY = 1 << 30
SECONDS = 10
#: Between the files of a folder or a set, which are changed as one: what is not there any more is missing.
BETWEEN = b"\n\xff\xfe next file \xfe\xff\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "readers", nargs="*", help="names as `zairyo formats` gives them; all if none is given"
    )
    parser.add_argument("--runs", type=int, default=300, help="changed files for each reader, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, help="for each reader; large files have then no fewer runs")
    parser.add_argument(
        "--files", type=Path, action="append", default=[], help="a folder of more to begin with"
    )
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the same runs each time
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606

    import atheris

    from zairyo.measurement import units

    with redirect_stderr(io.StringIO()):  # a line for each module
        instrumented = atheris.instrument_imports(include=["zairyo.readers"], enable_loader_override=False)
        with instrumented:
            from zairyo.readers import registry

            readers = registry.default_registry().readers
    units.normalise("furlong")  # loads Pint, which takes seconds: not in a reader's time
    unknown = set(options.readers) - set(readers)
    if unknown:
        sys.exit(f"there is no reader {', '.join(sorted(unknown))}")
    asked = options.readers or sorted(readers)
    inputs = inputs_by_reader(registry, options.files, [readers[name] for name in asked])
    if without := [name for name in asked if name not in inputs]:
        print(f"no file to begin with: {', '.join(without)}", flush=True)
    failed, tried = [], hashlib.sha256()
    for name in asked:
        for alike in alike_inputs(inputs.get(name, [])):
            ended, digest = fuzz_apart(readers[name], alike, options)
            tried.update(digest)
            if ended:
                print(f"{name}: FAULT, see above and build/fuzz/", flush=True)
                failed.append(name)
    print(
        f"{len(asked) - len(without)} readers on changed files: {len(set(failed))} gave a bad answer; "
        f"tried {tried.hexdigest()[:16]}"
    )
    sys.exit(1 if failed else 0)


def inputs_by_reader(registry: Any, more: list[Path], asked: list[Reader]) -> dict[str, list[RawInput]]:
    """What to begin with, the smallest first, by the reader that takes it."""
    from zairyo.readers._api import ReadError

    found: dict[str, list[RawInput]] = {}
    folders = [p for p in (SEEDS, ROOT / "examples", SHARED / "instruments", *more) if p.is_dir()]
    for raw in registry.inputs(folders):
        try:
            if any(reader.sniff(raw) > 0 for reader in asked):
                found.setdefault(registry.find(raw).name, []).append(raw)
        except (ReadError, OSError):
            continue
    return {
        name: sorted(inputs, key=lambda raw: (sum(p.stat().st_size for p in files_of(raw)), raw.path))
        for name, inputs in found.items()
    }


def files_of(raw: RawInput) -> list[Path]:
    """The files of an input; of a set, the main one first."""
    if not raw.is_folder:
        return [raw.path]
    return sorted((raw.member_path(name) for name in raw.members), key=lambda p: p != raw.path)


def alike_inputs(inputs: list[RawInput]) -> list[list[RawInput]]:
    """The inputs that are one file, and the smallest folder or set."""
    files = [raw for raw in inputs if not raw.is_folder]
    folders = [raw for raw in inputs if raw.is_folder][:1]
    return [group for group in (files, folders) if group]


def fuzz_apart(reader: Reader, inputs: list[RawInput], options: argparse.Namespace) -> tuple[int, bytes]:
    """Fuzz in a fork, since libFuzzer ends its process: its exit status, and a hash of what was tried.

    What it says is shown if the status is not 0.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="zairyo-fuzz-") as folder:
        said, tried = Path(folder) / "said", Path(folder) / "tried"
        tried.touch()
        pid = os.fork()
        if pid == 0:
            try:
                log = os.open(said, os.O_WRONLY | os.O_CREAT)
                os.dup2(log, 1)
                os.dup2(log, 2)
                fuzz(reader, inputs, Path(folder), options)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(2)
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if ended:
            print(said.read_text(errors="replace")[-MOST_SAID:], flush=True)
        return ended, tried.read_bytes()


def beginnings(inputs: list[RawInput], most: int) -> list[bytes]:
    """The smallest inputs, ``most`` bytes of them together; the beginning of one if all are larger."""
    chosen, left = [], most
    for raw in inputs:
        left -= sum(p.stat().st_size for p in files_of(raw))
        if left < 0:
            break
        chosen.append(BETWEEN.join(p.read_bytes() for p in files_of(raw)))
    if not chosen:
        files = files_of(inputs[0])
        chosen.append(BETWEEN.join(beginning(p, BEGINNING // len(files)) for p in files))
    return chosen


def beginning(path: Path, size: int) -> bytes:
    with path.open("rb") as f:
        return f.read(size)


class Target:
    """Where the changed input is written, of the same names as ``like``."""

    def __init__(self, like: RawInput, folder: Path) -> None:
        self._is_set = bool(like.parts)
        self._root = folder / like.path.name
        is_plain = not like.is_folder or self._is_set
        self._files = [
            folder / p.name if is_plain else self._root / p.relative_to(like.path) for p in files_of(like)
        ]
        for path in self._files:
            path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, data: bytes) -> RawInput:
        from zairyo.readers._api import RawInput

        parts = data.split(BETWEEN, len(self._files) - 1) if len(self._files) > 1 else [data]
        for path, part in zip(self._files, parts, strict=False):
            path.write_bytes(part)
        for path in self._files[len(parts) :]:
            path.unlink(missing_ok=True)
        there = tuple(self._files[: len(parts)])
        return RawInput(self._root, there if self._is_set and len(there) > 1 else ())


def fuzz(reader: Reader, inputs: list[RawInput], folder: Path, options: argparse.Namespace) -> None:
    import atheris

    from zairyo.measurement import MeasurementError
    from zairyo.readers import invariants
    from zairyo.readers._api import ReadError

    corpus = folder / "corpus"
    corpus.mkdir()
    target = Target(inputs[0], folder / "file")
    seeds = beginnings(inputs, MOST_BYTES if options.seconds else MOST_BYTES // 2)
    for i, content in enumerate(seeds):
        (corpus / f"{i:04}").write_bytes(content)
    runs = options.runs if options.seconds else min(options.runs, max(FEWEST_RUNS, WORK // len(seeds[0])))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    tried, so_far = hashlib.sha256(), os.open(folder / "tried", os.O_WRONLY)

    def one(data: bytes) -> None:
        tried.update(b"%d " % len(data) + data)
        os.pwrite(so_far, tried.digest(), 0)  # libFuzzer ends without a word
        if not data:
            return
        raw = target.write(data)
        try:
            if reader.sniff(raw) > 0:
                invariants.check(reader.read(raw), reader)
        except (ReadError, MeasurementError):
            return
        except BaseException:  # atheris keeps what hangs, not what raises
            (KEPT / f"{reader.name}-raised-{hashlib.sha1(data).hexdigest()}").write_bytes(data)  # noqa: S324
            raise

    arguments = [
        f"-runs={len(seeds) + runs}",
        f"-seed={options.seed}",
        f"-max_len={min(MOST_BYTES, 2 * max(map(len, seeds)))}",
        f"-timeout={SECONDS}",
        f"-artifact_prefix={KEPT / reader.name}-",
        *("-rss_limit_mb=0", "-verbosity=0", "-print_final_stats=0"),
        *([f"-max_total_time={options.seconds}"] if options.seconds else []),
    ]
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
