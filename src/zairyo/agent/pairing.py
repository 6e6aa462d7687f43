"""An agent becomes an instrument's, by the code that the server showed."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import httpx

from zairyo import __version__
from zairyo.agent.files import is_unicode
from zairyo.agent.send import make_client, problem_of
from zairyo.agent.state import AgentError, State, load, save


def about(folder: str) -> dict[str, str]:
    """What an agent tells of itself."""
    return {
        "version": __version__,
        "host": platform.node()[:200],
        "platform": f"{platform.system()} {platform.release()}"[:200],
        "folder": folder[:1000],
    }


def pair(
    url: str, code: str, watched: Path, state_folder: Path, transport: httpx.BaseTransport | None = None
) -> State:
    """Make this machine the instrument's agent, by the code that the server showed.

    An agent that was paired in ``state_folder`` before goes on with its spool and its receipts.

    Raises
    ------
    AgentError
        If the folder is not there, the server cannot be reached, or it does not take the code.
    """
    watched = watched.expanduser().absolute()
    if not watched.is_dir():
        raise AgentError(f"There is no folder {watched}. Give the one that the instrument writes to.")
    if not is_unicode(str(watched)):
        raise AgentError(f"The name of the folder {str(watched)!a} is not Unicode; rename it.")
    if state_folder.absolute().resolve().is_relative_to(watched.resolve()):
        raise AgentError(
            f"The agent's own folder {state_folder} lies in the instrument's; choose another with --state."
        )
    earlier = load(state_folder) if (state_folder / "agent.json").exists() else None
    url = (url if "://" in url else f"https://{url}").rstrip("/")
    if earlier and earlier.url != url:
        raise _another(state_folder, earlier, f"sends to {earlier.url}")
    said = _pair(url, code, watched, transport)
    state = State(
        url=url, token=said["token"], instrument=said["instrument"]["slug"], name=said["instrument"]["name"],
        folder=str(watched), settings=said["settings"], settings_version=said["settings_version"],
    )  # fmt: skip
    if earlier and earlier.instrument != state.instrument:
        raise _another(state_folder, earlier, "is of another instrument; make a new code")
    save(state_folder, state)
    return state


def _pair(url: str, code: str, watched: Path, transport: httpx.BaseTransport | None) -> dict[str, Any]:
    try:
        with make_client(url, None, transport) as client:
            answer = client.post("agent/pair", json={"code": code.strip(), **about(str(watched))})
    except ValueError as e:
        raise AgentError(f"{e}.") from None
    except httpx.HTTPError as e:
        raise AgentError(f"The server {url} cannot be reached: {e or type(e).__name__}.") from None
    if answer.status_code != 200:
        raise AgentError(f"The server did not take the code: {problem_of(answer)[0]}")
    said = orders_of(answer)
    if said is None or not isinstance(said.get("token"), str) or not isinstance(said.get("instrument"), dict):
        raise AgentError(f"What answers at {url} is not a Zairyo server.")
    return said


def orders_of(answer: httpx.Response) -> dict[str, Any] | None:
    """What the server tells an agent to do; None if it is not that."""
    try:
        said = answer.json()
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("settings"), dict):
        return None
    return said if isinstance(said.get("settings_version"), int) else None


def _another(folder: Path, earlier: State, how: str) -> AgentError:
    return AgentError(
        f"The agent in {folder} is {earlier.name}'s and {how}. For another one choose another folder with --state; "
        "it offers everything anew, and a server recognises what it has already."
    )
