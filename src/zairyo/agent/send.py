"""Send one file over tus 1.0 and come back with the server's receipt, whatever happens on the way."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from zairyo import __version__
from zairyo.agent.files import Changed, open_shared

#: A file up to this size goes in one request, together with its announcement.
SMALL_BYTES = 2 * 1024 * 1024
CHUNK_BYTES = 4 * 1024 * 1024
_HASH_BYTES = 1024 * 1024
_TUS = {"Tus-Resumable": "1.0.0"}
_BODY = {**_TUS, "Content-Type": "application/offset+octet-stream"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: A server that answers so does not take files now: time-outs, rate limits, gateways, a full disk.
_AWAY = frozenset({408, 429, 502, 503, 504, 507})
#: This one upload did not work out; begun again it may: it was forgotten, is held by an older request of ours,
#: or arrived with another hash.
_LATER = frozenset({404, 409, 410, 423, 425, 460})
#: So often in a row the server may correct our idea of how far an upload is.
_MOST_CORRECTIONS = 3


class ServerAway(Exception):
    """The server cannot be reached or cannot take files now; later it will."""


class Later(Exception):
    """This file cannot be sent now, for a reason of its own; others can."""


class Refused(Exception):
    """The server does not take this file, and would not later either; the message says why."""


class NotAllowed(Exception):
    """The token is not valid any more; nothing can be sent until the agent is paired again."""


@dataclass(frozen=True)
class Raw:
    """One raw file to send.

    Attributes
    ----------
    source
        Where its bytes are.
    path
        What it is called on the server: its path below the instrument's folder, with '/'.
    size, mtime_ns
        What it was when it was found: bytes, ns since 1970. Anything else is :class:`Changed`, unless ``is_copy``.
    is_copy
        ``source`` is the spool's own copy.
    more
        Further metadata of the upload.
    """

    source: Path
    path: str
    size: int
    mtime_ns: int
    is_copy: bool = False
    more: tuple[tuple[str, str], ...] = ()


def make_client(
    url: str, token: str | None, transport: httpx.BaseTransport | None = None, connections: int = 10
) -> httpx.Client:
    """A client of the api at ``url``; kept connections, and time-outs that a slow network meets.

    Raises
    ------
    ValueError
        If ``url`` is none; the message says so.
    """
    if "://" not in url:
        url = f"https://{url}"
    try:
        base = httpx.URL(f"{url.rstrip('/')}/api/v1/")
    except httpx.InvalidURL as e:
        raise ValueError(f"{url} is not an address: {e}") from None
    if base.scheme not in ("http", "https") or not base.host:
        raise ValueError(f"{url} is not an address such as https://zairyo.example.org")
    headers = {"User-Agent": f"zairyo/{__version__}", "Accept-Encoding": "identity"}
    try:
        if token:
            headers["Authorization"] = f"Bearer {token.encode('ascii').decode()}"
    except UnicodeEncodeError:
        raise ValueError("the token holds characters that no token has") from None
    return httpx.Client(
        base_url=base,
        headers=headers,
        timeout=httpx.Timeout(60.0, connect=10.0),
        # The server closes idle connections after 65 s; ours go first, so that none is used while it closes.
        limits=httpx.Limits(max_connections=connections, keepalive_expiry=50.0),
        transport=transport,
        follow_redirects=False,
        trust_env=base.host not in ("127.0.0.1", "localhost", "::1"),  # no proxy leads back to this machine
    )


def hash_file(file: BinaryIO) -> str:
    """SHA-256 in hex from the beginning to the end."""
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(_HASH_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def set_metadata(path: str, files: Sequence[tuple[str, Path]]) -> list[tuple[tuple[str, str], ...]]:
    """What ties the files of a folder format together on the server, for each of ``files`` (name, where it is)."""
    whole = hashlib.sha256()
    for name, source in sorted(files):
        with open_shared(source) as f:
            whole.update(f"{name}\0{hash_file(f)}\n".encode())
    # The same sending of the same content of the same folder, whenever it is repeated.
    key = hashlib.sha256(f"{path}\0{whole.hexdigest()}".encode()).hexdigest()
    common = (("set", key), ("set_size", str(len(files))), ("set_sha256", whole.hexdigest()))
    return [(*common, ("name", name)) for name, _ in files]


def send(
    client: httpx.Client,
    raw: Raw,
    *,
    upload: str | None = None,
    remember: Callable[[str], None] = lambda _: None,
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Send a file and return its receipt, after comparing its hash with what was read here.

    Parameters
    ----------
    client
        From :func:`make_client`.
    upload
        Address of an unfinished upload of just this file, to go on with.
    remember
        Called with the address of an upload that takes several requests.
    stopping
        Asked between requests; true ends with :class:`ServerAway`.

    Raises
    ------
    ServerAway, Later, Refused, NotAllowed, Changed
    """
    try:
        with open_shared(raw.source) as file:
            try:
                if raw.size <= SMALL_BYTES:
                    return _send_small(client, raw, file)
                return _send_large(client, raw, file, upload, remember, stopping)
            except (Later, Refused):
                _check_unchanged(raw, file)  # if it changed meanwhile, that is why
                raise
    except (FileNotFoundError, NotADirectoryError):
        raise Changed from None
    except httpx.HTTPError as e:
        raise ServerAway(f"the server cannot be reached: {e or type(e).__name__}") from e
    except OSError as e:
        raise Later(f"it cannot be read: {e.strerror or e}") from e


def _send_small(client: httpx.Client, raw: Raw, file: BinaryIO) -> dict[str, Any]:
    data = file.read(SMALL_BYTES + 1)
    _check_unchanged(raw, file)
    sha256 = hashlib.sha256(data).hexdigest()
    headers = {**_BODY, "Upload-Length": str(len(data)), "Upload-Metadata": _metadata(raw, sha256)}
    answer = client.post("uploads", content=data, headers=headers)
    _check(answer)
    return _receipt(answer, sha256)


def _send_large(
    client: httpx.Client,
    raw: Raw,
    file: BinaryIO,
    upload: str | None,
    remember: Callable[[str], None],
    stopping: Callable[[], bool],
) -> dict[str, Any]:
    sha256 = hash_file(file)
    _check_unchanged(raw, file)
    offset = _offset(client, upload, raw.size) if upload else None
    if upload is None or offset is None:
        headers = {**_TUS, "Upload-Length": str(raw.size), "Upload-Metadata": _metadata(raw, sha256)}
        answer = client.post("uploads", headers=headers)
        _check(answer)
        if "zairyo-receipt" in answer.headers:  # the server has it already
            return _receipt(answer, sha256)
        upload, offset = answer.headers.get("location", ""), _number(answer, "upload-offset")
        if not upload:
            raise ServerAway("the server answered without the upload's address")
        remember(upload)
    corrections = 0
    while offset < raw.size:
        if stopping():
            raise ServerAway("the agent was stopped")
        answer = _patch(client, upload, file, offset)
        _check_unchanged(raw, file)
        if answer.status_code == 409 and corrections < _MOST_CORRECTIONS:
            corrections += 1
            known = _offset(client, upload, raw.size)
            if known is None:
                break
            offset = known
            continue
        _check(answer)
        if "zairyo-receipt" in answer.headers:
            return _receipt(answer, sha256)
        offset, corrections = _number(answer, "upload-offset"), 0
    answer = client.get(_address(client, f"{upload}/receipt"))
    _check(answer)
    return _verified(answer.text, sha256)


def _patch(client: httpx.Client, upload: str, file: BinaryIO, offset: int) -> httpx.Response:
    file.seek(offset)
    chunk = file.read(CHUNK_BYTES)
    checksum = base64.b64encode(hashlib.sha256(chunk).digest()).decode()
    headers = {**_BODY, "Upload-Offset": str(offset), "Upload-Checksum": f"sha256 {checksum}"}
    return client.patch(_address(client, upload), content=chunk, headers=headers)


def _address(client: httpx.Client, upload: str) -> httpx.URL:
    """The server tells a path from its root, which httpx would take as one below the client's base."""
    return client.base_url.join(upload)


def _offset(client: httpx.Client, upload: str, size: int) -> int | None:
    """How far the upload is; None if the server does not know it, or not as one of this file."""
    answer = client.head(_address(client, upload), headers=_TUS)
    if answer.status_code in (404, 410):
        return None
    _check(answer)
    return _number(answer, "upload-offset") if _number(answer, "upload-length") == size else None


def _number(answer: httpx.Response, header: str) -> int:
    try:
        return int(answer.headers[header])
    except (KeyError, ValueError):
        raise ServerAway(
            f"what answered ({answer.status_code}) is not a Zairyo server: no {header}"
        ) from None


def _receipt(answer: httpx.Response, sha256: str) -> dict[str, Any]:
    if "zairyo-receipt" not in answer.headers:
        raise ServerAway(f"what answered ({answer.status_code}) is not a Zairyo server: no receipt")
    return _verified(answer.headers["zairyo-receipt"], sha256)


def _verified(text: str, sha256: str) -> dict[str, Any]:
    try:
        receipt = json.loads(text)
    except ValueError:
        receipt = None
    if not isinstance(receipt, dict) or receipt.get("sha256") != sha256:
        raise Later("the server's receipt names another hash than the file's; it is sent again")
    return receipt


def _check_unchanged(raw: Raw, file: BinaryIO) -> None:
    if raw.is_copy:
        return
    now = os.fstat(file.fileno())
    if (now.st_size, now.st_mtime_ns) != (raw.size, raw.mtime_ns):
        raise Changed


def _metadata(raw: Raw, sha256: str) -> str:
    values = {"filename": raw.path.rpartition("/")[2], "path": raw.path, "sha256": sha256, **dict(raw.more)}
    with suppress(OverflowError):  # beyond the year 9999: a file system's fancy
        values["modified"] = (_EPOCH + timedelta(microseconds=raw.mtime_ns // 1000)).isoformat()
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def _check(answer: httpx.Response) -> None:
    """Sort an answer that is not a success into what can be done about it."""
    status = answer.status_code
    if status < 300:
        return
    detail = problem_of(answer)[0]
    if status < 400:
        raise ServerAway(detail)
    if status in (401, 403):
        raise NotAllowed(detail)
    if status in _AWAY:
        raise ServerAway(detail)
    if status in _LATER or status >= 500:
        raise Later(detail)
    raise Refused(detail)


def problem_of(answer: httpx.Response) -> tuple[str, str]:
    """What the server says is wrong: a sentence, and its stable code ('' if what answered is no Zairyo server)."""
    if answer.is_redirect:
        return f"the address leads on to {answer.headers['location']}; use that one", ""
    try:
        body = answer.json() if answer.content else {}
        return str(body["detail"]), str(body.get("code", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"the server answered {answer.status_code} {answer.reason_phrase}", ""
