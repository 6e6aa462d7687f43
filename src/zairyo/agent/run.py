"""The agent at work: one thread looks and decides, a few send, one tells the server how things are."""

from __future__ import annotations

import hashlib
import logging
import platform
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from zairyo import __version__
from zairyo.agent import send as sending
from zairyo.agent.rules import Rules, RulesError, rules_from
from zairyo.agent.scan import Found, Scanner, members
from zairyo.agent.send import Changed, NotAllowed, Raw, Refused, ServerAway
from zairyo.agent.spool import Item, Spool
from zairyo.agent.state import AgentError, State, load, save

log = logging.getLogger("zairyo.agent")

SENDERS = 4
#: Handed to the senders at once, so that they have work while receipts are written down.
QUEUED = 64
#: Receipts that come within so many seconds are written down with one fsync.
_GATHER_SECONDS = 0.05
HEARTBEAT_SECONDS = 10.0
#: While files wait for an absent server, it is tried again after so many seconds, more each time.
RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
#: Looking again and again takes at most this part of the time.
_SCAN_SHARE = 0.05
_QUICKEST_SCAN_SECONDS = 1.0


class Agent:
    """One instrument's agent.

    Parameters
    ----------
    folder
        Where its state and spool are.
    transport
        How it reaches the server; None is the network.
    """

    def __init__(self, folder: Path, transport: httpx.BaseTransport | None = None) -> None:
        self.state_folder = folder
        self.state = load(folder)
        self.spool = Spool(folder)
        self.spool.clean()
        self.rules = self._usable_rules(self.state.settings)
        self.scanner = Scanner(Path(self.state.folder))
        self.client = make_client(self.state.url, self.state.token, transport)
        self.known = self.spool.known()
        self.unfinished = 0
        self.away: str | None = None
        """Why the server cannot be reached, if it cannot."""
        self.barred: str | None = None
        """Why the server does not let this agent in, if it does not."""
        self.folder_problem: str | None = None
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="send")
        self._flying: dict[Future[list[dict[str, Any]]], Item] = {}
        self._tries = 0
        self._try_again_at = 0.0

    def run(self) -> None:
        """Work until :meth:`stop`."""
        heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        heart.start()
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                self.look()
                took = time.monotonic() - began
                pause = min(max(took / _SCAN_SHARE, _QUICKEST_SCAN_SECONDS), self.rules.rescan_seconds)
                self.send_until(time.monotonic() + pause)
        finally:
            self._stop.set()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._settle(block=False)
            heart.join(timeout=2)
            self.client.close()
            self.spool.close()

    def stop(self) -> None:
        """Let :meth:`run` end after the requests that are on their way."""
        self._stop.set()

    def look(self) -> None:
        """Look through the folder once; what is finished and new waits from now on."""
        try:
            finished, self.unfinished = self.scanner.scan(self.rules, self._is_known)
        except OSError as e:
            problem = f"The folder {self.state.folder} cannot be read: {e.strerror}."
            if self.folder_problem != problem:
                self._note(problem)
            self.folder_problem = problem
            return
        self.folder_problem = None
        if finished:
            self.spool.add(finished)
            self.known |= {(f.path, f.size, f.mtime_ns) for f in finished}

    def send_until(self, end: float) -> None:
        """Send what waits until the clock (monotonic, s) is at ``end``; returns early only to stop."""
        while not self._stop.is_set():
            if self._may_send():
                self._launch()
            left = end - time.monotonic()
            if left <= 0:
                break
            if self._flying:
                wait(self._flying, timeout=min(left, 0.5), return_when=FIRST_COMPLETED)
                self._stop.wait(_GATHER_SECONDS)
                self._settle(block=False)
            else:
                if not self._may_send():
                    self._keep_copies()
                self._stop.wait(min(left, 0.5))
        self._settle(block=False)

    def send_all(self) -> None:
        """Send what waits now and come back; for tests and for ``zairyo agent run --once``."""
        while self._may_send() and not self._stop.is_set():
            self._launch()
            if not self._flying:
                break
            self._settle(block=True)

    def _launch(self) -> None:
        free = QUEUED - len(self._flying)
        if free <= QUEUED // 2:
            return
        flying = {item.id for item in self._flying.values()}
        for item in self.spool.waiting(free + len(flying)):
            if item.id not in flying:
                self._flying[self._pool.submit(self._send, item)] = item

    def _send(self, item: Item) -> list[dict[str, Any]]:
        if item.is_folder:
            return self._send_folder(item)
        source = self.spool.copies / item.copy if item.copy else Path(self.state.folder) / item.path
        raw = Raw(source, item.path, item.size, item.mtime_ns, is_copy=item.copy is not None)
        return [
            sending.send(
                self.client, raw, upload=item.upload, remember=lambda url: self.spool.set_upload(item, url)
            )
        ]

    def _send_folder(self, item: Item) -> list[dict[str, Any]]:
        """Send every file of a folder format; together they are one measurement."""
        folder = Path(self.state.folder) / item.path
        files = members(folder)
        stats = [f.stat() for f in files]
        if (sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=0)) != (
            item.size,
            item.mtime_ns,
        ):
            raise Changed
        names = [f.relative_to(folder).as_posix() for f in files]
        whole = hashlib.sha256()
        for name, path in zip(names, files, strict=True):
            with path.open("rb") as f:
                whole.update(f"{name}\0{sending.hash_file(f)}\n".encode())
        key = hashlib.sha256(f"{item.path}\0{whole.hexdigest()}".encode()).hexdigest()
        common = (("set", key), ("set_size", str(len(files))), ("set_sha256", whole.hexdigest()))
        return [
            sending.send(
                self.client,
                Raw(path, item.path, stat.st_size, stat.st_mtime_ns, folder=(*common, ("name", name))),
            )
            for name, path, stat in zip(names, files, stats, strict=True)
        ]

    def _settle(self, *, block: bool) -> None:
        """Write down what became of the requests that ended."""
        if block and self._flying:
            wait(self._flying, return_when=FIRST_COMPLETED)
        done: list[tuple[Item, list[dict[str, Any]]]] = []
        for future in [f for f in self._flying if f.done()]:
            item = self._flying.pop(future)
            if future.cancelled():
                continue
            try:
                done.append((item, future.result()))
            except ServerAway as e:
                self._is_away(str(e))
            except NotAllowed as e:
                self._is_barred(str(e))
            except Changed:
                self.spool.gone(item)
                self.known.discard((item.path, item.size, item.mtime_ns))
            except Refused as e:
                self.spool.fail(item, str(e))
                self._note(f"{item.path} was not taken: {e}")
            except Exception as e:
                log.exception("sending %s failed", item.path)
                self.spool.fail(item, f"{type(e).__name__}: {e}")
        if done:
            self.spool.sent(done)
            self._is_back()

    def _may_send(self) -> bool:
        return self.barred is None and time.monotonic() >= self._try_again_at

    def _is_away(self, why: str) -> None:
        if time.monotonic() < self._try_again_at:
            return  # several requests failed at once: that is one absence
        if self.away is None:
            self._note(f"Files wait: {why}")
        self.away = why
        self._try_again_at = time.monotonic() + RETRY_SECONDS[min(self._tries, len(RETRY_SECONDS) - 1)]
        self._tries += 1

    def _is_back(self) -> None:
        if self.away is not None:
            self._note("The server can be reached again.")
        self.away, self._tries, self._try_again_at = None, 0, 0.0

    def _is_barred(self, why: str) -> None:
        if self.barred is None:
            self._note(f"The server does not let this agent in: {why} Pair it again.")
        self.barred = why

    def _keep_copies(self) -> None:
        """While the server is away: copies of the next few that wait and have none."""
        for item in self.spool.waiting(200):
            if self._stop.is_set():
                return
            if item.copy is None:
                self.spool.keep_copy(item, Path(self.state.folder) / item.path)

    def _is_known(self, found: Found) -> bool:
        return (found.path, found.size, found.mtime_ns) in self.known

    def _beat(self) -> None:
        while not self._stop.is_set():
            self.heartbeat()
            self._stop.wait(HEARTBEAT_SECONDS)

    def heartbeat(self) -> None:
        """Tell the server how things are, and take its rules."""
        counts = self.spool.counts()
        problems = [p for p in (self.folder_problem, *self.scanner.problems[:5]) if p]
        problems += [f"{item.path}: {item.error}" for item in self.spool.failed(5)]
        problems = [problem[:1000] for problem in problems]
        try:
            answer = self.client.post(
                "agent/heartbeat",
                json={
                    **about(self.state.folder),
                    "waiting": counts["waiting"],
                    "failed": counts["failed"],
                    "problems": problems,
                },
            )
        except httpx.HTTPError as e:
            log.debug("no heartbeat: %s", e)
            return
        if answer.status_code in (401, 403):
            self._is_barred("its token was revoked.")
        elif answer.status_code == 200:
            self.barred = None
            self._take(answer.json())

    def _take(self, said: dict[str, Any]) -> None:
        if said.get("settings_version") == self.state.settings_version:
            return
        self.state.settings, self.state.settings_version = said["settings"], said["settings_version"]
        self.rules = self._usable_rules(self.state.settings)
        save(self.state_folder, self.state)
        self._note("New rules from the server.")

    def _usable_rules(self, settings: dict[str, Any]) -> Rules:
        try:
            return rules_from(settings)
        except RulesError as e:
            self._note(f"The server's rules cannot be used, the usual ones are: {e}")
            return Rules()

    def _note(self, text: str) -> None:
        log.info("%s", text)
        self.spool.note(text)


def about(folder: str) -> dict[str, str]:
    """What an agent tells of itself."""
    return {
        "version": __version__,
        "host": platform.node()[:200],
        "platform": f"{platform.system()} {platform.release()}"[:200],
        "folder": folder,
    }


def make_client(url: str, token: str | None, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """A client of the api at ``url``; kept connections, and time-outs that a slow network meets."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(
        base_url=f"{url.rstrip('/')}/api/v1/",
        headers=headers,
        timeout=httpx.Timeout(60.0, connect=10.0),
        transport=transport,
        follow_redirects=False,
    )


def pair(
    url: str, code: str, watched: Path, state_folder: Path, transport: httpx.BaseTransport | None = None
) -> State:
    """Make this machine the instrument's agent, by the code that the server showed.

    Raises
    ------
    AgentError
        If the folder is not there, the server cannot be reached, or it does not take the code.
    """
    watched = watched.expanduser().absolute()
    if not watched.is_dir():
        raise AgentError(f"There is no folder {watched}. Give the one that the instrument writes to.")
    if state_folder.absolute().is_relative_to(watched):
        raise AgentError(
            f"The agent's own folder {state_folder} lies in the instrument's; choose another with --state."
        )
    if not url.startswith(("http://", "https://")):
        url = f"https://{url}"
    with make_client(url, None, transport) as client:
        try:
            answer = client.post("agent/pair", json={"code": code, **about(str(watched))})
        except httpx.HTTPError as e:
            raise AgentError(f"The server {url} cannot be reached: {e}") from None
    if answer.status_code != 200:
        try:
            detail = str(answer.json()["detail"])
        except (ValueError, KeyError, TypeError):
            detail = f"it answered {answer.status_code}"
        raise AgentError(f"The server did not take the code: {detail}")
    said = answer.json()
    instrument = said["instrument"]
    state = State(
        url=url.rstrip("/"), token=said["token"], instrument=instrument["slug"], name=instrument["name"],
        folder=str(watched), settings=said["settings"], settings_version=said["settings_version"],
    )  # fmt: skip
    save(state_folder, state)
    return state


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of an agent's folder, so that two agents never send the same files.

    Raises
    ------
    AgentError
        If another agent holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+b") as f:
        try:
            _lock(f.fileno())
        except OSError:
            raise AgentError(f"Another agent runs on {folder} already.") from None
        yield


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
