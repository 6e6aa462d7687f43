"""Coverage-guided fuzzing of the readers: finds the bytes that make one raise, hang or fill the memory.

    .venv/bin/python tools/fuzz.py [READER ...] [--runs 300] [--seed 1]           the same runs each time; CI's
    .venv/bin/python tools/fuzz.py [READER ...] --runs 1000000 --seconds 60       as far as a minute goes

Starts from real files of each format (examples/, shared/data/instruments and ``--files``) and lets atheris change them
towards code that has not run yet. A reader may answer anything but what it must not: an exception other than ReadError
or MeasurementError, more than 10 s, more than 1 GB. The bytes that did it are kept in build/fuzz/. Linux only.
"""

from __future__ import annotations

import argparse
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
    from zairyo.readers._api import Reader

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ZAIRYO_SHARED", ROOT.parent / "shared" / "data"))
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
    files = files_by_reader(registry, options.files)
    asked = options.readers or sorted(readers)
    if without := [name for name in asked if name not in files]:
        print(f"no file to begin with: {', '.join(without)}", flush=True)
    failed = []
    for name in asked:
        if name in files and fuzz_apart(readers[name], files[name], options):
            print(f"{name}: FAULT, see above and build/fuzz/", flush=True)
            failed.append(name)
    print(f"{len(asked) - len(without)} readers on changed files: {len(failed)} gave a bad answer")
    sys.exit(1 if failed else 0)


def files_by_reader(registry: Any, more: list[Path]) -> dict[str, list[Path]]:
    """Files to begin with, the smallest first, by the reader that takes them."""
    from zairyo.readers._api import ReadError

    found: dict[str, list[Path]] = {}
    folders = [p for p in (ROOT / "examples", SHARED / "instruments", *more) if p.is_dir()]
    for raw in registry.inputs(folders):
        try:
            if not raw.is_folder:
                found.setdefault(registry.find(raw).name, []).append(raw.path)
        except (ReadError, OSError):
            continue
    return {name: sorted(paths, key=lambda p: (p.stat().st_size, p)) for name, paths in found.items()}


def fuzz_apart(reader: Reader, files: list[Path], options: argparse.Namespace) -> int:
    """Fuzz in a fork, since libFuzzer ends its process; its exit status. What it says is shown if that is not 0."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="zairyo-fuzz-") as folder:
        said = Path(folder) / "said"
        pid = os.fork()
        if pid == 0:
            try:
                log = os.open(said, os.O_WRONLY | os.O_CREAT)
                os.dup2(log, 1)
                os.dup2(log, 2)
                fuzz(reader, files, Path(folder), options)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(2)
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if ended:
            print(said.read_text(errors="replace")[-MOST_SAID:], flush=True)
    return ended


def beginnings(files: list[Path], most: int) -> list[bytes]:
    """The smallest files, ``most`` bytes of them together; the beginning of one if all are larger."""
    chosen, left = [], most
    for path in files:
        left -= path.stat().st_size
        if left < 0:
            break
        chosen.append(path.read_bytes())
    if not chosen:
        with files[0].open("rb") as f:
            chosen.append(f.read(BEGINNING))
    return chosen


def fuzz(reader: Reader, files: list[Path], folder: Path, options: argparse.Namespace) -> None:
    import atheris

    from zairyo.measurement import MeasurementError
    from zairyo.readers import invariants
    from zairyo.readers._api import RawInput, ReadError

    corpus, target = folder / "corpus", folder / "file" / files[0].name
    target.parent.mkdir()
    corpus.mkdir()
    seeds = beginnings(files, MOST_BYTES if options.seconds else MOST_BYTES // 2)
    for i, content in enumerate(seeds):
        (corpus / f"{i:04}").write_bytes(content)
    runs = options.runs if options.seconds else min(options.runs, max(FEWEST_RUNS, WORK // len(seeds[0])))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))

    def one(data: bytes) -> None:
        target.write_bytes(data)
        raw = RawInput(target)
        try:
            if not data or reader.sniff(raw) <= 0:
                return
            invariants.check(reader.read(raw), reader)
        except (ReadError, MeasurementError):
            return

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
