"""Send one file over tus 1.0 and come back with the server's receipt, whatever happens on the way."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import httpx

#: A file up to this size goes in one request, together with its announcement.
SMALL_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 8 * 1024 * 1024
_HASH_BYTES = 1024 * 1024
_TUS = {"Tus-Resumable": "1.0.0"}


class ServerAway(Exception):
    """The server cannot be reached or cannot take files now; later it will."""


class Refused(Exception):
    """The server does not take this file, and would not later either; the message says why."""


class NotAllowed(Exception):
    """The token is not valid any more; nothing can be sent until the agent is paired again."""


class Changed(Exception):
    """The file is not what was found any more."""


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
    folder
        Metadata that ties the files of a folder format together.
    """

    source: Path
    path: str
    size: int
    mtime_ns: int
    is_copy: bool = False
    folder: tuple[tuple[str, str], ...] = ()


def hash_file(file: BinaryIO) -> str:
    """SHA-256 in hex from the beginning to the end."""
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(_HASH_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def send(
    client: httpx.Client,
    raw: Raw,
    *,
    upload: str | None = None,
    remember: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Send a file and return its receipt, after comparing its hash with what was read here.

    Parameters
    ----------
    client
        With the server's base URL (``…/api/v1/``) and the token.
    upload
        Address of an unfinished upload of just this file, to go on with.
    remember
        Called with the address of an upload that takes several requests.

    Raises
    ------
    ServerAway, Refused, NotAllowed, Changed
    """
    try:
        with raw.source.open("rb") as file:
            if raw.size <= SMALL_BYTES:
                return _send_small(client, raw, file)
            return _send_large(client, raw, file, upload, remember)
    except FileNotFoundError:
        raise Changed from None
    except httpx.HTTPError as e:
        raise ServerAway(f"the server cannot be reached: {e or type(e).__name__}") from e
    except OSError as e:
        raise ServerAway(f"{raw.source} cannot be read: {e.strerror or e}") from e


def _send_small(client: httpx.Client, raw: Raw, file: BinaryIO) -> dict[str, Any]:
    data = file.read(SMALL_BYTES + 1)
    _check_unchanged(raw, file)
    sha256 = hashlib.sha256(data).hexdigest()
    answer = client.post(
        "uploads",
        content=data,
        headers={
            **_TUS,
            "Upload-Length": str(len(data)),
            "Upload-Metadata": _metadata(raw, sha256),
            "Content-Type": "application/offset+octet-stream",
        },
    )
    _check(answer)
    return _receipt(answer, sha256)


def _send_large(
    client: httpx.Client,
    raw: Raw,
    file: BinaryIO,
    upload: str | None,
    remember: Callable[[str], None] | None,
) -> dict[str, Any]:
    sha256 = hash_file(file)
    _check_unchanged(raw, file)
    offset = _offset(client, upload, raw.size) if upload else None
    if upload is None or offset is None:
        answer = client.post(
            "uploads",
            headers={**_TUS, "Upload-Length": str(raw.size), "Upload-Metadata": _metadata(raw, sha256)},
        )
        _check(answer)
        if "zairyo-receipt" in answer.headers:  # the server has it already
            return _receipt(answer, sha256)
        upload = str(answer.headers["location"])
        offset = int(answer.headers.get("upload-offset", "0"))
        if remember:
            remember(upload)
    while True:
        file.seek(offset)
        chunk = file.read(CHUNK_BYTES)
        checksum = base64.b64encode(hashlib.sha256(chunk).digest()).decode()
        answer = client.patch(
            upload,
            content=chunk,
            headers={
                **_TUS,
                "Upload-Offset": str(offset),
                "Upload-Checksum": f"sha256 {checksum}",
                "Content-Type": "application/offset+octet-stream",
            },
        )
        if answer.status_code in (409, 423):  # somebody (an earlier request of ours) got further
            offset = _offset(client, upload, raw.size)
            if offset is None:
                raise ServerAway("the server forgot the upload; it begins again")
            if offset < raw.size:
                raise ServerAway("an earlier request of the same upload is still open")
            return _asked_receipt(client, upload, sha256)
        _check(answer)
        if "zairyo-receipt" in answer.headers:
            return _receipt(answer, sha256)
        offset = int(answer.headers["upload-offset"])
        if offset >= raw.size:
            return _asked_receipt(client, upload, sha256)


def _offset(client: httpx.Client, upload: str, size: int) -> int | None:
    """How far the upload is; None if the server does not know it any more."""
    answer = client.head(upload, headers=_TUS)
    if answer.status_code in (404, 410) or int(answer.headers.get("upload-length", size)) != size:
        return None
    _check(answer)
    return int(answer.headers["upload-offset"])


def _asked_receipt(client: httpx.Client, upload: str, sha256: str) -> dict[str, Any]:
    answer = client.get(f"{upload}/receipt")
    _check(answer)
    return _verified(answer.json(), sha256)


def _receipt(answer: httpx.Response, sha256: str) -> dict[str, Any]:
    if "zairyo-receipt" not in answer.headers:
        raise ServerAway(f"the server answered {answer.status_code} without a receipt")
    return _verified(json.loads(answer.headers["zairyo-receipt"]), sha256)


def _verified(receipt: Any, sha256: str) -> dict[str, Any]:
    if not isinstance(receipt, dict) or receipt.get("sha256") != sha256:
        raise ServerAway("the server's receipt names another hash than the file's; it is sent again")
    return receipt


def _check_unchanged(raw: Raw, file: BinaryIO) -> None:
    if raw.is_copy:
        return
    now = os.fstat(file.fileno())
    if (now.st_size, now.st_mtime_ns) != (raw.size, raw.mtime_ns):
        raise Changed


def _metadata(raw: Raw, sha256: str) -> str:
    modified = datetime.fromtimestamp(raw.mtime_ns / 1e9, UTC).isoformat()
    values = {
        "filename": raw.path.rpartition("/")[2],
        "path": raw.path,
        "sha256": sha256,
        "modified": modified,
        **dict(raw.folder),
    }
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def _check(answer: httpx.Response) -> None:
    """Sort an answer that is not a success into what can be done about it."""
    status = answer.status_code
    if status < 400:
        return
    if status in (401, 403):
        raise NotAllowed(_detail(answer))
    if status in (404, 408, 409, 410, 423, 425, 429, 460) or status >= 500:
        # 460: the hash differed on the way, or the file changed while it was read: read and send again.
        raise ServerAway(_detail(answer))
    raise Refused(_detail(answer))


def _detail(answer: httpx.Response) -> str:
    try:
        body = answer.json() if answer.content else {}
        detail = str(body.get("detail", "")) if isinstance(body, dict) else ""
    except ValueError:
        detail = ""
    return detail or f"the server answered {answer.status_code}"
