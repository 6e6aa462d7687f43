"""Coverage-guided fuzzing of the readers: finds the bytes that make one raise, hang or fill the memory.

    .venv/bin/python tools/fuzz.py [READER ...] [--runs 2000] [--seed 1]

Starts from real files of each format (examples/ and shared/data/instruments) and lets atheris change them towards
code that has not run yet. A reader may answer anything but what it must not: an exception other than ReadError
or MeasurementError, more than 10 s, more than 1 GB. The bytes that did it are kept in build/fuzz/. Linux only.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ZAIRYO_SHARED", ROOT.parent / "shared" / "data"))
KEPT = ROOT / "build" / "fuzz"
#: Larger files change too slowly to learn from.
MOST_BYTES = 300_000
MEMORY = 1 << 30
SECONDS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "readers", nargs="*", help="names as `zairyo formats` gives them; all if none is given"
    )
    parser.add_argument("--runs", type=int, default=2000, help="changed files for each reader")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    import atheris

    with atheris.instrument_imports(include=["zairyo.readers"], enable_loader_override=False):
        from zairyo.readers import registry

        readers = registry.default_registry().readers
    unknown = set(options.readers) - set(readers)
    if unknown:
        sys.exit(f"there is no reader {', '.join(sorted(unknown))}")
    seeds = seeds_by_reader(registry)
    failed = []
    for name in options.readers or sorted(readers):
        if not seeds.get(name):
            print(f"{name}: no single file of at most {MOST_BYTES} bytes to begin with", flush=True)
            continue
        ended = fuzz_apart(readers[name], seeds[name], options)
        print(f"{name}: {'ok' if ended == 0 else 'FAULT, see above and build/fuzz/'}", flush=True)
        if ended:
            failed.append(name)
    if failed:
        sys.exit(f"{len(failed)} readers gave a bad answer: {', '.join(failed)}")


def seeds_by_reader(registry: object) -> dict[str, list[Path]]:
    """Files to begin with, by the reader that takes them."""
    from zairyo.readers._api import ReadError

    found: dict[str, list[Path]] = {}
    folders = [p for p in (ROOT / "examples", SHARED / "instruments") if p.is_dir()]
    for raw in registry.inputs(folders):  # type: ignore[attr-defined]
        try:
            if not raw.is_folder and raw.path.stat().st_size <= MOST_BYTES:
                found.setdefault(registry.find(raw).name, []).append(raw.path)  # type: ignore[attr-defined]
        except (ReadError, OSError):
            continue
    return found


def fuzz_apart(reader: object, seeds: list[Path], options: argparse.Namespace) -> int:
    """Fuzz in a fork, since libFuzzer ends its process; its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            fuzz(reader, seeds, options)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fuzz(reader: object, seeds: list[Path], options: argparse.Namespace) -> None:
    import atheris

    from zairyo.measurement import MeasurementError
    from zairyo.readers import invariants
    from zairyo.readers._api import RawInput, ReadError

    KEPT.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="zairyo-fuzz-"))
    corpus, target = folder / "corpus", folder / seeds[0].name
    corpus.mkdir()
    for i, path in enumerate(seeds):
        shutil.copyfile(path, corpus / str(i))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))

    def one(data: bytes) -> None:
        target.write_bytes(data)
        raw = RawInput(target)
        try:
            if not data or reader.sniff(raw) <= 0:  # type: ignore[attr-defined]
                return
            invariants.check(reader.read(raw), reader)  # type: ignore[attr-defined]
        except (ReadError, MeasurementError):
            return
        except BaseException:
            traceback.print_exc()  # libFuzzer tells it on standard output, among its progress
            raise

    sys.stdout.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)  # libFuzzer's progress
    prefix = KEPT / f"{reader.name}-"  # type: ignore[attr-defined]
    arguments = [
        f"-runs={options.runs}",
        f"-seed={options.seed}",
        f"-max_len={MOST_BYTES}",
        f"-timeout={SECONDS}",
    ]
    arguments += ["-rss_limit_mb=0", "-verbosity=0", "-print_final_stats=0", f"-artifact_prefix={prefix}"]
    try:
        atheris.Setup([sys.argv[0], *arguments, str(corpus)], one)
        atheris.Fuzz()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
