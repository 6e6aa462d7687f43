"""Environments of the libraries that read the same files as our readers.

    .venv/bin/python tools/oracles.py [NAME ...]

Makes ``build/oracles/NAME`` from ``tests/oracles/requirements/NAME.txt``. A list names every package with its version,
what those import included: nothing is resolved, and nothing is installed that is not used. An environment is made
once; a stamp of its list and of the Python makes the second run quick.

Where the registry cannot be reached, an environment's comparisons are skipped, and that is said; one that cannot be
made for another reason is an error.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "tests" / "oracles" / "requirements"
HOME = ROOT / "build" / "oracles"
#: What pip says when the registry did not answer until its last attempt.
_AWAY = re.compile(
    r"Retry\(total=0\b|Max retries exceeded|Read timed out|ConnectTimeout|IncompleteRead|"
    r"Connection(?: \w+)? (?:reset|aborted|refused)"
)


class Failed(Exception):
    """An environment could not be made; the message is what the installer said."""


class Unreachable(Failed):
    """It could not because the registry is away."""


def names() -> list[str]:
    """Every environment there is a list for."""
    return sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


def python(name: str) -> Path:
    """The interpreter of an environment, made or not."""
    return HOME / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp(name: str) -> str:
    """What an environment is made from."""
    digest = hashlib.sha256((REQUIREMENTS / f"{name}.txt").read_bytes())
    digest.update(f"{sys.version} {HOME}".encode())
    return digest.hexdigest()


def is_made(name: str) -> bool:
    """Whether the environment is there, whole and of today's list."""
    made = HOME / name / "made"
    return made.is_file() and made.read_text() == stamp(name)


def make(name: str) -> None:
    """Make the environment unless it is there; what was half made or of another list is made anew."""
    if is_made(name):
        return
    print(f"oracles: {name} …", flush=True)
    shutil.rmtree(HOME / name, ignore_errors=True)
    run(sys.executable, "-m", "venv", "--without-pip", HOME / name)
    options = ["--quiet", "--no-deps", "--no-compile", "--disable-pip-version-check", "--retries", "3"]
    pip = [sys.executable, "-m", "pip", "--python", python(name)]
    run(*pip, "install", *options, "-r", REQUIREMENTS / f"{name}.txt")
    (HOME / name / "made").write_text(stamp(name))


def run(*command: object) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(  # noqa: S603
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if done.returncode:
        what = Unreachable if _AWAY.search(done.stdout) else Failed
        raise what(f"{done.stdout[-6000:]}\noracles: this failed ({done.returncode}): {' '.join(words)}")


def make_or_say(name: str) -> bool:
    """Make an environment; False if it cannot be. A registry that is away is no reader's fault, and no failure."""
    try:
        make(name)
    except Unreachable as e:
        print(f"{e}\noracles: {name}: the registry is away; its comparisons are skipped", flush=True)
    except (Failed, OSError) as e:
        print(f"{e}\noracles: {name} cannot be made", flush=True)
        return False
    return True


if __name__ == "__main__":
    asked = sys.argv[1:] or names()
    if unknown := sorted(set(asked) - set(names())):
        sys.exit(f"oracles: no list for {', '.join(unknown)}; there are {', '.join(names())}")
    with ThreadPoolExecutor() as pool:  # an installation mostly waits for what it downloads
        made = list(pool.map(make_or_say, asked))
    if not all(made):
        sys.exit(1)
