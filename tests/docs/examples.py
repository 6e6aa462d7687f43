"""The documentation's examples: found in its pages, run, and compared with the output that the pages show.

A comment before a fenced block says what it is:

- ``<!-- run -->``: ``python`` is run, its last expression shown as a notebook would; of ``console`` the lines that
  begin with ``$`` are given to a shell, and what follows each is its output. The last one of ``<!-- run, fails -->``
  must fail.
- ``<!-- output -->``: what the Python before it shows.
- ``<!-- run, about -->`` and ``<!-- output, about -->``: numbers may differ a little from those shown, as what is
  fitted does between processors.
- ``<!-- file NAME -->``: is written to that file.
- ``<!-- wait -->`` (no block): until the server has translated all that waits.
- ``<!-- shell COMMAND -->`` (no block): what a reader does by hand, such as copying a code.

A page has a folder with the repository's ``examples``, one shell and one namespace. ``<!-- needs server -->`` in it
starts a server of its own. ``…`` in an output stands for anything in a line, alone on a line for any lines.

``python -m tests.docs.examples PAGE.md …`` writes the outputs that have changed into the pages.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from zairyo.client import Client
from zairyo.readers.registry import default_registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
SECONDS = 120.0
_MARK = re.compile(
    r"<!-- (?P<what>run(?:, fails)?|output|wait|file (?P<name>\S+)|shell (?P<command>.+))(?P<about>, about)? -->\Z"
)
_COMMAND = re.compile(r"\$ (.*(?:\\\n.*)*)")


class ExampleError(AssertionError):
    """An example does not do what its page says."""


@dataclass
class Block:
    """A marked block: its kind, language, text, and the lines (from 0) of the text in its page."""

    what: str
    name: str = ""
    language: str = ""
    text: str = ""
    first: int = 0
    last: int = 0
    about: bool = False


def blocks(page: str) -> Iterator[Block]:
    """The marked blocks of a page, in order."""
    lines = page.splitlines()
    for number, line in enumerate(lines):
        match = _MARK.match(line)
        if match is None:
            continue
        argument = match["name"] or match["command"] or ""
        what = match["what"].removesuffix(argument).strip()
        if what in ("wait", "shell"):
            yield Block(what, argument, first=number)
            continue
        fence = re.match(r"(`{3,})(\w*)", lines[number + 1])
        if fence is None:
            raise ExampleError(f"line {number + 2}: a fenced block has to follow {line}")
        end = lines.index(fence[1], number + 2)
        text = "\n".join(lines[number + 2 : end])
        yield Block(what, argument, fence[2], text, number + 2, end, bool(match["about"]))


def agrees(shown: str, real: str, about: bool = False) -> bool:
    """Whether a real output is as shown; ``…`` stands for anything.

    With ``about``, numbers may differ by 5 % or two in the last digit shown, and blanks in number.
    """
    parts = []
    for line in shown.strip().splitlines():
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(_pattern(p, about) for p in line.rstrip().split("…")) + "\n")
    lines = [
        line.rstrip() for line in real.strip().splitlines()
    ]  # headers of HTTP end with a carriage return
    found = re.fullmatch("".join(parts), "".join(f"{line}\n" for line in lines))
    if found is None or not about:
        return found is not None
    return all(map(_near, _NUMBER.findall(shown.replace("…", " … ")), found.groups()))


_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def _pattern(text: str, about: bool) -> str:
    """A regular expression for a piece of a line; with ``about``, a group for each number."""
    if not about:
        return re.escape(text)
    pieces = re.split(f"({_NUMBER.pattern})", text)
    plain = [re.sub(r"(?:\\ )+", " +", re.escape(piece)) for piece in pieces[::2]]
    return f"({_NUMBER.pattern})".join(plain)


def _near(shown: str, real: str) -> bool:
    last = 10.0 ** -len(shown.partition("e")[0].partition(".")[2])
    return abs(float(shown) - float(real)) <= max(
        0.05 * abs(float(shown)), (2.0 if "." in shown else 0.0) * last
    )


class Shell:
    """A bash that lives as long as its page; commands see what those before them have set."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=folder, env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def run(self, command: str) -> tuple[str, int]:
        """What a command writes, and its exit status."""
        mark = secrets.token_hex(8)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{command}\nprintf '\\n{mark} %d\\n' $?\n".encode())
        self._process.stdin.flush()
        said, end = b"", time.monotonic() + SECONDS
        while not (found := re.search(rf"\n{mark} (\d+)\n".encode(), said)):
            if not select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
                raise ExampleError(f"this took longer than {SECONDS:.0f} s: {command}")
            part = os.read(self._process.stdout.fileno(), 1 << 16)
            if not part:
                raise ExampleError(f"the shell ended at: {command}")
            said += part
        return said[: found.start()].decode(), int(found[1])

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)


@contextlib.contextmanager
def server(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """A server with an account, a project and a token; what a page's shell has to know of it."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{s.getsockname()[1]}"
    password = secrets.token_urlsafe(9)
    known = {
        "ZAIRYO_DATA": str(folder / "server"),
        "ZAIRYO_URL": url,
        "ZAIRYO_PUBLIC_URL": url,
        "PASSWORD": password,
    }
    environment = {**environment, **known}

    def admin(*words: str) -> str:
        command = [sys.executable, "-m", "zairyo", "admin", *words]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    admin("account", "add", "mio@example.org", "--name", "Mio", "--admin", "--password", password)
    admin("project", "add", "Cathodes", "--steward", "mio@example.org")
    scopes = [word for scope in ("read", "upload", "write", "admin") for word in ("--scope", scope)]
    known["ZAIRYO_TOKEN"] = admin("token", "add", "mio@example.org", *scopes)
    command = [sys.executable, "-m", "zairyo", "serve", "--port", url.rsplit(":", 1)[1], "--workers", "1"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            _until(lambda: httpx.get(f"{url}/api/v1/health").is_success, "the server is up")
            yield known
        finally:
            process.terminate()
            process.wait(timeout=30)


def _until(done: Any, what: str) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError):
            if done():
                return
        time.sleep(0.05)
    raise ExampleError(f"waited {SECONDS:.0f} s in vain until {what}")


def wait_for_translation(known: dict[str, str]) -> None:
    """Until nothing is on its way into the standard form."""
    url, headers = known["ZAIRYO_URL"], {"Authorization": f"Bearer {known['ZAIRYO_TOKEN']}"}
    query = {"state": ["receiving", "waiting"], "limit": 1}

    def done() -> bool:
        answer = httpx.get(f"{url}/api/v1/measurements", params=query, headers=headers)
        answer.raise_for_status()
        return answer.json()["total"] == 0

    _until(done, "all is translated")


def run_python(text: str, names: dict[str, Any]) -> str:
    """What a cell shows: what it prints, and the value of its last line."""
    tree = ast.parse(text)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(compile(tree, "<example>", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<example>", "eval"), names)
            if value is not None:
                print(repr(value))
    return shown.getvalue()


def run_page(path: Path, folder: Path, *, update: bool = False) -> int:
    """Run a page's examples in an empty folder; how many there were. With ``update`` the page is corrected."""
    page = path.read_text(encoding="utf-8")
    shutil.copytree(ROOT / "examples", folder / "examples", dirs_exist_ok=True)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("ZAIRYO_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder), "XDG_DATA_HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "config"),
        "MPLBACKEND": "agg", "COLUMNS": "100", "TZ": "UTC", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        known: dict[str, str] = {}
        if "<!-- needs server -->" in page:
            known = stack.enter_context(server(folder, environment))
        before, place = dict(os.environ), Path.cwd()
        os.environ.update(environment | known)
        os.chdir(folder)
        stack.callback(os.chdir, place)
        stack.callback(lambda: (os.environ.clear(), os.environ.update(before)))
        default_registry.cache_clear()  # a page may add formats
        stack.callback(default_registry.cache_clear)
        shell = Shell(folder, environment | known)
        stack.callback(shell.close)
        return _run_blocks(path, page, folder, shell, known, update)


def _run_blocks(
    path: Path, page: str, folder: Path, shell: Shell, known: dict[str, str], update: bool
) -> int:
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        return _run_each(path, page, folder, shell, known, update, names)
    finally:
        for value in names.values():
            if isinstance(value, Client):  # a notebook ends without closing it
                value.close()


def _run_each(
    path: Path,
    page: str,
    folder: Path,
    shell: Shell,
    known: dict[str, str],
    update: bool,
    names: dict[str, Any],
) -> int:
    lines, said, count = page.splitlines(), "", 0
    changes: list[tuple[Block, str]] = []
    for block in blocks(page):
        where = f"{path.name}:{block.first}"
        count += 1
        if block.what == "wait":
            wait_for_translation(known)
        elif block.what == "shell":
            said_aside, status = shell.run(block.name)
            if status:
                raise ExampleError(f"{where}: `{block.name}` ended with status {status}:\n{said_aside}")
        elif block.what == "file":
            target = folder / block.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text + "\n", encoding="utf-8")
        elif block.what == "output":
            if not agrees(block.text, said, block.about):
                _differs(where, said, update)
                changes.append((block, said.rstrip()))
        elif block.language == "python":
            try:
                said = run_python(block.text, names)
            except Exception as e:
                raise ExampleError(f"{where}: {type(e).__name__}: {e}") from e
        else:
            real = _run_console(block, shell, where, update)
            if real is not None:
                changes.append((block, real))
    for block, text in reversed(changes):
        lines[block.first : block.last] = [line.rstrip() for line in text.splitlines()]
    if changes:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return count


def _run_console(block: Block, shell: Shell, where: str, update: bool) -> str | None:
    """Run a console block; its text with the real outputs where one differs, else None."""
    parts = list(_COMMAND.finditer(block.text))
    real, differs = [], False
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        shown = block.text[part.end() : after.start() if after else len(block.text)].strip("\n")
        said, status = shell.run(part[1])
        if (status != 0) != (block.what == "run, fails" and after is None):
            raise ExampleError(f"{where}: `{part[1]}` ended with status {status}:\n{said}")
        agreed = agrees(shown, said, block.about)
        if not agreed:
            _differs(f"{where}: `{part[1]}`", said, update)
        differs |= not agreed
        real += [part[0], *((shown if agreed else said.strip("\n")).splitlines())]
    return "\n".join(real) if differs else None


def _differs(where: str, said: str, update: bool) -> None:
    if not update:
        raise ExampleError(f"{where}: the page shows something else than\n{said}")


def main() -> None:
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory(prefix="zairyo-docs-") as folder:
            print(name, run_page(Path(name).resolve(), Path(folder).resolve(), update=True))


if __name__ == "__main__":
    main()
