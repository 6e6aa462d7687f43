"""What an agent knows after pairing: the server, its token, its folder. One small file, for its owner only."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs


class AgentError(RuntimeError):
    """The agent cannot do what was asked; the message says what to do."""


@dataclass
class State:
    """Kept in ``agent.json``.

    Attributes
    ----------
    url
        The server's, e.g. ``https://zairyo.example.org``.
    token
        The agent's secret.
    instrument, name
        Slug and name of the instrument on the server.
    folder
        The instrument's folder on this machine.
    settings, settings_version
        The rules that the server last sent.
    """

    url: str
    token: str
    instrument: str
    name: str
    folder: str
    settings: dict[str, Any] = field(default_factory=dict)
    settings_version: int = 0


def default_folder() -> Path:
    """Where an agent keeps its state and spool unless told otherwise."""
    return Path(platformdirs.user_data_dir("zairyo-agent", appauthor=False))


def load(folder: Path) -> State:
    """The state in ``folder``.

    Raises
    ------
    AgentError
        If there is none, or it cannot be read.
    """
    try:
        said = json.loads((folder / "agent.json").read_text(encoding="utf-8"))
        return State(**{f.name: said[f.name] for f in fields(State)})
    except FileNotFoundError:
        raise AgentError(
            f"No agent is paired in {folder}. On the server's page of the instrument make a pairing code, then run "
            "zairyo agent pair URL CODE --folder FOLDER here."
        ) from None
    except (OSError, ValueError, TypeError, KeyError) as e:
        raise AgentError(
            f"{folder / 'agent.json'} cannot be read ({e}). Remove it and pair the agent again; its receipts stay."
        ) from None


def save(folder: Path, state: State) -> None:
    """Write the state durably; the old one stays if that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "agent.json"
    partial = folder / "agent.json.part"
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as f:
        json.dump(asdict(state), f, indent=1, ensure_ascii=False)
        f.flush()
        os.fsync(f.fileno())
    partial.replace(target)


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
            f.seek(0)
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
