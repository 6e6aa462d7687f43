"""The agent at work: one thread looks and decides, a few send, one tells the server how things are."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from zairyo.agent import send as sending
from zairyo.agent.files import Changed, members
from zairyo.agent.pairing import about, orders_of
from zairyo.agent.rules import Rules, RulesError, rules_from
from zairyo.agent.scan import Scanner
from zairyo.agent.send import Later, NotAllowed, Raw, Refused, ServerAway, make_client, problem_of
from zairyo.agent.spool import Item, NoRoom, Spool
from zairyo.agent.state import AgentError, load, save

log = logging.getLogger("zairyo.agent")

SENDERS = 16
#: Handed to the senders at once, so that they have work while receipts are written down.
QUEUED = 64
#: Receipts that come within so many seconds are written down with one fsync.
_GATHER_SECONDS = 0.05
HEARTBEAT_SECONDS = 10.0
#: While files wait for an absent server, it is tried again after so many seconds, more each time.
RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
#: A file that cannot be sent for a reason of its own is tried again after so many seconds, more each time.
LATER_SECONDS = (5.0, 30.0, 120.0, 600.0)
#: Looking again and again takes at most this part of the time.
_SCAN_SHARE = 0.05
_QUICKEST_SCAN_SECONDS = 1.0
#: A clock that is wrong by more is told of.
_CLOCK_SECONDS = 60.0

Receipts = list[dict[str, Any]]


class Agent:
    """One instrument's agent; close it after use.

    Parameters
    ----------
    folder
        Where its state and spool are.
    transport
        How it reaches the server; None is the network.

    Raises
    ------
    AgentError
        If it is not paired, or its folder cannot be used.
    """

    def __init__(self, folder: Path, transport: httpx.BaseTransport | None = None) -> None:
        self.state_folder = folder
        self.state = load(folder)
        self.spool = Spool(folder)
        self.spool.clean()
        self.known = self.spool.known()
        self.scanner = Scanner(Path(self.state.folder))
        try:
            self.client = make_client(self.state.url, self.state.token, transport, connections=SENDERS + 1)
        except ValueError as e:
            raise AgentError(f"{e}. Pair the agent again.") from None
        self.unfinished = 0
        self.away: str | None = None
        """Why the server cannot be reached, if it cannot."""
        self.barred: str | None = None
        """Why the server does not let this agent in, if it does not."""
        self.problems: dict[str, str] = {}
        """What else is wrong here, by what it is about."""
        self.rules: Rules | None = None
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="send")
        self._flying: dict[Future[Receipts], Item] = {}
        self._tries = 0
        self._try_again_at = 0.0
        self._later: dict[int, tuple[int, float]] = {}
        """Of a file that is put off: how often already, and until when (monotonic, s)."""
        self._copied = 0
        """While the server is away: waiting files up to this id have been looked at for copying."""
        self._use_rules()

    def run(self) -> None:
        """Work until :meth:`stop`."""
        heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        heart.start()
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self.look()
                took = time.monotonic() - began
                longest = self.rules.rescan_seconds if self.rules else HEARTBEAT_SECONDS
                pause = min(max(took / _SCAN_SHARE, _QUICKEST_SCAN_SECONDS), longest)
                self.send_until(time.monotonic() + pause)
                self.problems.pop("spool", None)
            except sqlite3.Error as e:
                self._tell("spool", f"The agent's own folder {self.state_folder} cannot be written: {e}.")
                self._stop.wait(HEARTBEAT_SECONDS)
        heart.join(timeout=2)

    def stop(self) -> None:
        """Let :meth:`run` end after the requests that are on their way."""
        self._stop.set()

    def close(self) -> None:
        """Wait for the requests that are on their way, keep their receipts, and let everything go."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        with suppress(sqlite3.Error):
            self._settle()
        self.client.close()
        self.spool.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def look(self) -> None:
        """Look through the folder once; what is finished and new waits from now on."""
        if self.rules is None:
            return
        try:
            finished, self.unfinished = self.scanner.scan(self.rules, self.known)
        except OSError as e:
            self._tell("folder", f"The folder {self.state.folder} cannot be read: {e.strerror}.")
            return
        self.problems.pop("folder", None)
        if finished:
            self.spool.add(finished)
            self.known.update(finished)

    def send_until(self, end: float) -> None:
        """Send what waits until the clock (monotonic, s) is at ``end``; returns early only to stop."""
        while not self._stop.is_set():
            self._launch()
            if self.away is not None:
                self._keep_copies()
            left = end - time.monotonic()
            if left <= 0:
                break
            if self._flying:
                wait(self._flying, timeout=min(left, 0.5), return_when=FIRST_COMPLETED)
                self._stop.wait(_GATHER_SECONDS)
                self._settle()
            else:
                self._stop.wait(min(left, 0.5))
        self._settle()

    def send_all(self) -> None:
        """Send what waits now and come back when all was tried; for ``zairyo agent run --once``."""
        while not self._stop.is_set():
            self._launch()
            if not self._flying:
                break
            wait(self._flying, return_when=FIRST_COMPLETED)
            self._settle()

    # --- sending ---------------------------------------------------------------------------------------------

    def _launch(self) -> None:
        """Hand waiting files to the senders; a single one, to try, while the server is away."""
        if self.barred is not None or time.monotonic() < self._try_again_at:
            return
        most = QUEUED if self.away is None else 1
        free = most - len(self._flying)
        if free < max(most // 2, 1):
            return
        for item in self._next(free):
            self._flying[self._pool.submit(self._send, item)] = item

    def _next(self, count: int) -> list[Item]:
        """The first so many that may go now: not put off, and no earlier version of the same file before them."""
        busy = {item.path for item in self._flying.values()}
        found: list[Item] = []
        after, now = 0, time.monotonic()
        while len(found) < count and (page := self.spool.waiting(2 * QUEUED, after)):
            after = page[-1].id
            for item in page:
                if item.path not in busy and self._later.get(item.id, (0, now))[1] <= now:
                    found.append(item)
                busy.add(item.path)
        return found[:count]

    def _send(self, item: Item) -> Receipts:
        if self._stop.is_set() or (self.away is not None and time.monotonic() < self._try_again_at):
            raise ServerAway(self.away or "the agent was stopped")
        copy = self.spool.copy_of(item)
        source = copy or Path(self.state.folder) / item.path
        if copy is None and not source.exists() and not Path(self.state.folder).is_dir():
            raise Later(f"the folder {self.state.folder} is not there")
        if item.is_folder:
            return self._send_folder(item, source, is_copy=copy is not None)
        raw = Raw(source, item.path, item.size, item.mtime_ns, is_copy=copy is not None)
        return [
            sending.send(
                self.client, raw, upload=item.upload, remember=lambda url: self.spool.set_upload(item, url),
                stopping=self._stop.is_set,
            )
        ]  # fmt: skip

    def _send_folder(self, item: Item, folder: Path, *, is_copy: bool) -> Receipts:
        """Send every file of a folder format; together they are one measurement."""
        try:
            files = members(folder)
            found = (sum(s.st_size for _, s in files), max((s.st_mtime_ns for _, s in files), default=0))
            if not is_copy and found != (item.size, item.mtime_ns):
                raise Changed
            metadata = sending.set_metadata(item.path, [(name, folder / name) for name, _ in files])
        except (FileNotFoundError, NotADirectoryError):
            raise Changed from None
        except OSError as e:
            raise Later(f"it cannot be read: {e.strerror or e}") from e
        return [
            sending.send(
                self.client,
                Raw(folder / name, item.path, stat.st_size, stat.st_mtime_ns, is_copy, more),
                stopping=self._stop.is_set,
            )
            for (name, stat), more in zip(files, metadata, strict=True)
        ]

    def _settle(self) -> None:
        """Write down what became of the requests that ended."""
        done: list[tuple[Item, Receipts]] = []
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
                self._is_gone(item)
            except Refused as e:
                self.spool.fail(item, str(e))
                self._note(f"{item.path} was not taken: {e}")
            except Later as e:
                self._put_off(item, str(e))
            except Exception as e:
                log.exception("sending %s failed", item.path)
                self._put_off(item, f"{type(e).__name__}: {e}")
        if done:
            self.spool.sent(done)
            for item, _ in done:
                self._later.pop(item.id, None)
            self._is_back()

    def _put_off(self, item: Item, why: str) -> None:
        """Others go on; this one is tried again after a while."""
        tries = self._later.get(item.id, (0, 0.0))[0]
        pause = LATER_SECONDS[min(tries, len(LATER_SECONDS) - 1)]
        self._later[item.id] = (tries + 1, time.monotonic() + pause)
        self.spool.put_off(item, why)

    def _is_gone(self, item: Item) -> None:
        self.spool.gone(item)
        self.known.discard(item.found)
        self._later.pop(item.id, None)
        path = Path(self.state.folder) / item.path
        if not path.exists():
            self._note(f"{item.path} was removed before it could be sent.")

    def _is_away(self, why: str) -> None:
        if self._stop.is_set() or (self.away is not None and time.monotonic() < self._try_again_at):
            return  # several requests failed at once: that is one absence
        self._try_again_at = time.monotonic() + RETRY_SECONDS[min(self._tries, len(RETRY_SECONDS) - 1)]
        self._tries += 1
        if self.away is None:
            self._copied = 0
            self._note(f"Files wait: {why}.")
        self.away = why

    def _is_back(self) -> None:
        if self.away is not None:
            self._note("The server takes files again.")
        self.away, self._tries, self._try_again_at = None, 0, 0.0

    def _is_barred(self, why: str) -> None:
        if self.barred is None:
            self._note(f"The server does not let this agent in: {why} Pair it again.")
        self.barred = why

    def _keep_copies(self) -> None:
        """While the server is away: copies of what waits, so that file names may be used again."""
        while not self._stop.is_set() and (page := self.spool.waiting(100, self._copied)):
            for item in page:
                if self._stop.is_set():
                    return
                try:
                    self.spool.keep_copy(item, Path(self.state.folder) / item.path)
                except NoRoom:
                    self._tell("room", "The disk is nearly full: files that wait are not copied any more.")
                    return
                except Changed:
                    if item.id not in {i.id for i in self._flying.values()}:
                        self._is_gone(item)
                except OSError as e:
                    log.info("no copy of %s: %s", item.path, e)
                self._copied = item.id
        self.problems.pop("room", None)

    # --- talking with the server -----------------------------------------------------------------------------

    def _beat(self) -> None:
        while not self._stop.is_set():
            try:
                self.heartbeat()
            except Exception:
                if not self._stop.is_set():
                    log.exception("the heartbeat failed; it goes on")
            self._stop.wait(HEARTBEAT_SECONDS)

    def heartbeat(self) -> None:
        """Tell the server how things are, and take its rules."""
        if self.barred is not None:
            self._pair_again()
        counts = self.spool.counts()
        said = {
            **about(self.state.folder),
            "waiting": counts["waiting"],
            "failed": counts["failed"],
            "problems": self.troubles(),
        }
        try:
            answer = self.client.post("agent/heartbeat", json=said)
        except httpx.HTTPError as e:
            log.debug("no heartbeat: %s", e)
            return
        if answer.status_code == 401:
            self._is_barred(problem_of(answer)[0])
        elif answer.status_code != 200:
            log.warning("the heartbeat was not taken: %s", problem_of(answer)[0])
        else:
            orders = orders_of(answer)
            if orders is None:
                log.warning("what answered the heartbeat is not a Zairyo server")
                return
            self.barred = None
            self._take(orders)

    def troubles(self) -> list[str]:
        """What a person should know: problems of the folder, and files that do not get through."""
        said = [*self.problems.values(), *self.scanner.problems[:5]]
        said += [f"{item.path} waits: {item.error}" for item in self.spool.stuck(5)]
        said += [f"{item.path} was not taken: {item.error}" for item in self.spool.failed(5)]
        return [text[:1000] for text in said]

    def _take(self, orders: dict[str, Any]) -> None:
        self._compare_clocks(orders.get("server_time"))
        if orders["settings_version"] == self.state.settings_version:
            return
        self.state.settings, self.state.settings_version = orders["settings"], orders["settings_version"]
        self._use_rules()
        self._note("New rules from the server.")
        save(self.state_folder, self.state)

    def _compare_clocks(self, server_time: Any) -> None:
        with suppress(ValueError, TypeError):
            ahead = datetime.now(UTC) - datetime.fromisoformat(server_time)
            if abs(ahead.total_seconds()) < _CLOCK_SECONDS:
                self.problems.pop("clock", None)
                return
            seconds = round(ahead.total_seconds())
            self.problems["clock"] = (
                f"The clock of the agent's computer is {timedelta(seconds=abs(seconds))} "
                f"{'fast' if seconds > 0 else 'slow'}; set it right, files carry its time."
            )

    def _use_rules(self) -> None:
        """Take the rules of the state; ones that cannot be used change nothing (and at the start, send nothing)."""
        try:
            self.rules = rules_from(self.state.settings)
            self.problems.pop("rules", None)
        except RulesError as e:
            self._tell("rules", f"The server's rules cannot be used: {e}.")

    def _pair_again(self) -> None:
        """Go on with a new token, if somebody ran ``zairyo agent pair`` meanwhile."""
        try:
            state = load(self.state_folder)
        except AgentError as e:
            log.warning("%s", e)
            return
        if state.token == self.state.token:
            return
        if state.folder != self.state.folder:
            self.scanner = Scanner(Path(state.folder))
        self.state = state
        self.client.headers["Authorization"] = f"Bearer {state.token}"
        self._use_rules()
        self.barred = None
        self._note("Paired again.")

    def _tell(self, about: str, problem: str) -> None:
        if self.problems.get(about) != problem:
            self.problems[about] = problem
            with suppress(sqlite3.Error):
                self._note(problem)

    def _note(self, text: str) -> None:
        log.info("%s", text)
        self.spool.note(text)
