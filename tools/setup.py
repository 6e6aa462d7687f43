"""Set everything up: ``.venv/`` with Zairyo and its tools, and the web's pages.

Runs on the system's Python (3.11 or newer, with pip and venv) and nothing else. Each step leaves a stamp
of what it was made from, so that a second run only compares stamps.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STATIC = ROOT / "src" / "zairyo" / "server" / "static"
NODE_NEEDED = (20, 19)


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (this very file may be run by an older one)
        sys.exit(f"Zairyo needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable}).")
    step("packages", [ROOT / "requirements" / "all.txt", Path(sys.executable)], install_packages)
    step("zairyo", [ROOT / "pyproject.toml"], install_zairyo)
    web = ROOT / "web"
    if not (web / "package.json").exists():
        return
    step("web-packages", [web / "package-lock.json", web / "package.json"], install_web_packages)
    sources = [p for name in ("src", "public") for p in sorted((web / name).rglob("*")) if p.is_file()]
    sources += sorted(p for p in web.iterdir() if p.is_file())
    step("web", sources, build_web, made=STATIC / "index.html")


def step(name: str, inputs: Iterable[Path], do: object, made: Path = PYTHON) -> None:
    """Do one step unless its stamp says that it was done with just these inputs."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in inputs:
        digest.update(str(path).encode() + b"\0")
        digest.update(path.read_bytes() if path.is_relative_to(ROOT) else sys.version.encode())
    stamp = VENV / f".stamp-{name}"
    if made.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    stamp.unlink(missing_ok=True)
    print(f"setup: {name} …", flush=True)
    do()  # type: ignore[operator]
    stamp.write_text(digest.hexdigest())


def run(*command: object, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(  # noqa: S603
        words, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if done.returncode:
        print(done.stdout[-6000:])
        sys.exit(f"setup: this failed ({done.returncode}): {' '.join(words)}")


def install_packages() -> None:
    if not PYTHON.exists():
        run(sys.executable, "-m", "venv", VENV)
    # Hashes in the file make pip refuse anything that is not what was locked.
    run(PYTHON, "-m", "pip", "install", "--quiet", "-r", ROOT / "requirements" / "all.txt")


def install_zairyo() -> None:
    run(PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT)


def node() -> dict[str, str]:
    """An environment whose PATH begins with a Node that is new enough: the machine's, else PyPI's."""
    found = shutil.which("node")
    if found and shutil.which("npm"):
        said = subprocess.run([found, "--version"], capture_output=True, text=True).stdout  # noqa: S603
        version = tuple(int(n) for n in re.findall(r"\d+", said)[:2])
        if version >= NODE_NEEDED:
            return dict(os.environ)
    step("node", [ROOT / "requirements" / "node.txt"], install_node, made=BIN)
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}


def install_node() -> None:
    run(PYTHON, "-m", "pip", "install", "--quiet", "-r", ROOT / "requirements" / "node.txt")


def npm(*words: str) -> None:
    env = node()
    command = shutil.which("npm", path=env["PATH"]) or "npm"
    run(command, *words, cwd=ROOT / "web", env=env)


def install_web_packages() -> None:
    npm("ci", "--no-audit", "--no-fund")


def build_web() -> None:
    npm("run", "build")


if __name__ == "__main__":
    if sys.argv[1:2] == ["npm"]:
        environment = node()
        program = shutil.which("npm", path=environment["PATH"]) or "npm"
        sys.exit(subprocess.run([program, *sys.argv[2:]], cwd=ROOT / "web", env=environment).returncode)  # noqa: S603
    main()
