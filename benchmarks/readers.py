"""How fast each format is read, beside the best peer on the same file, in turns in one run.

    .venv/bin/python benchmarks/readers.py [FORMAT ...] [--peers DIR] [--no-peers]

FORMAT is a folder of shared/data/instruments; all if none is given. For every file there the processor's time of a
whole read in a warm process (recognise, hash, read, check) is measured, the least of several; for the files of
benchmarks/readers_peers.tsv, reading alone and the peer's reading, which differ in what they keep: Zairyo always keeps
all of a file's metadata. Each peer gets an environment of its own in build/peers-readers. Prints what misses the aims:
20 ms for files below 1 MB, 100 MB/s for larger ones, 1.2 times the peer's time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ZAIRYO_SHARED", ROOT.parent / "shared" / "data")) / "instruments"
TIMER = ROOT / "benchmarks" / "peers" / "time_reading.py"
WHOLE = 'R.read(path) if (R := __import__("zairyo.readers.registry", fromlist=["x"])) else None'
ALONE = '__import__("read_alone").read(path)'
SMALL_BYTES, SMALL_SECONDS, BYTES_PER_SECOND, RATIO = 1_000_000, 0.020, 100e6, 1.2
TURNS = 3


@dataclass
class Timer:
    """A process that times expressions; see ``time_reading.py``."""

    python: Path

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [str(self.python), str(TIMER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def time(self, expression: str, path: Path, seconds: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"expression": expression, "path": str(path), "seconds": seconds}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the process ended"}
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("formats", nargs="*")
    parser.add_argument("--peers", type=Path, default=ROOT / "build" / "peers-readers")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    if not SHARED.is_dir():
        sys.exit(f"real files are not here ({SHARED}); set ZAIRYO_SHARED to their folder")
    mine = Timer(Path(sys.executable))
    missed = every_file(mine, options.formats)
    if not options.no_peers:
        missed += beside_peers(mine, options)
    mine.close()
    print(f"\n{len(missed)} aims missed" + "".join(f"\n  {line}" for line in missed))


def every_file(mine: Timer, formats: list[str]) -> list[str]:
    """Times a whole read of each file; what misses an aim."""
    from zairyo.readers import registry

    folders = (
        [SHARED / name for name in formats] if formats else sorted(p for p in SHARED.iterdir() if p.is_dir())
    )
    small, missed, by_format = [], [], defaultdict[str, list[float]](list)
    for raw in registry.inputs(folders):
        answer = mine.time(WHOLE, raw.path, 0.15)
        if "error" in answer:
            continue
        seconds = float(answer["cpu"])
        size = (
            sum(raw.member_path(n).stat().st_size for n in raw.members)
            if raw.is_folder
            else raw.path.stat().st_size
        )
        name = str(raw.path.relative_to(SHARED))
        by_format[name.split("/")[0]].append(seconds)
        if size < SMALL_BYTES:
            small.append(seconds)
            if seconds > SMALL_SECONDS:
                missed.append(f"{name} ({size / 1000:.0f} kB): {seconds * 1000:.1f} ms")
        elif size / seconds < BYTES_PER_SECOND:
            missed.append(f"{name} ({size / 1e6:.1f} MB): {size / seconds / 1e6:.0f} MB/s")
    print("format, files read, median ms, slowest ms (recognise, hash, read, check)")
    for name, times in sorted(by_format.items()):
        print(f"  {name:<26}{len(times):>4}{statistics.median(times) * 1000:>9.1f}{max(times) * 1000:>9.1f}")
    if small:
        print(
            f"{len(small)} files below 1 MB: median {statistics.median(small) * 1000:.1f} ms, "
            f"at most {max(small) * 1000:.0f} ms"
        )
    return missed


def beside_peers(mine: Timer, options: argparse.Namespace) -> list[str]:
    """Reading alone, beside the peer, in turns; what is slower than the aim."""
    missed = []
    print("\nfile, peer: Zairyo ms, peer ms, Zairyo's time as a share of the peer's")
    for line in (ROOT / "benchmarks" / "readers_peers.tsv").read_text().splitlines():
        name, package, expression = line.split("\t")
        if options.formats and name.split("/")[0] not in options.formats:
            continue
        peer = Timer(environment(options.peers, package))
        own, other = [], []
        for _ in range(TURNS):
            own.append(mine.time(ALONE, SHARED / name, 0.3))
            other.append(peer.time(expression, SHARED / name, 0.3))
        peer.close()
        if error := next((a["error"] for a in (*own, *other) if "error" in a), None):
            print(f"  {name:<60} {package:<24} not compared: {error}")
            continue
        ours, theirs = (min(float(a["cpu"]) for a in side) for side in (own, other))
        print(f"  {name:<60} {package:<24}{ours * 1000:>9.2f}{theirs * 1000:>9.2f}{ours / theirs:>8.2f}")
        if ours > RATIO * theirs:
            missed.append(f"{name}: {ours / theirs:.1f} times {package}'s time")
    return missed


def environment(folder: Path, package: str) -> Path:
    """The Python of an environment with just this package, made if it is not there."""
    home = folder / package.replace("==", "-")
    python = home / "bin" / "python"
    if not (home / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        extra = {
            "pandas": ["xlrd"],
            "rainbow-api": ["python-lzf"],
            "rosettasciio": ["h5py", "tifffile", "sparse", "scikit-image"],
        }.get(package.split("==")[0], [])
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", package, *extra], check=True)
        (home / "made").touch()
    return python


if __name__ == "__main__":
    main()
