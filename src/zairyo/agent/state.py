"""What an agent knows after pairing: the server, its token, its folder. One small file, for its owner only."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
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
        return State(**json.loads((folder / "agent.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise AgentError(
            f"No agent is paired in {folder}. On the server's page of the instrument make a pairing code, then run "
            "zairyo agent pair URL CODE --folder FOLDER here."
        ) from None
    except (OSError, ValueError, TypeError) as e:
        raise AgentError(f"{folder / 'agent.json'} cannot be read ({e}). Pair the agent again.") from None


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
