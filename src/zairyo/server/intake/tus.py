"""The headers of tus 1.0, read strictly: https://tus.io/protocols/resumable-upload."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from zairyo.server.intake.names import check_name, check_path
from zairyo.server.intake.refused import Refused

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
ALGORITHM = "sha256"
BODY_TYPE = "application/offset+octet-stream"
MOST_FILES_IN_SET = 10_000
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_IDENTIFIER = re.compile(r"[\x21-\x7e]{1,64}\Z")
_NUMBER = re.compile(r"[0-9]{1,18}\Z")


@dataclass(frozen=True)
class FileSet:
    """The files of one folder format, sent one by one.

    Attributes
    ----------
    id
        What the sender calls this sending of it.
    size
        How many files there are.
    sha256
        Of them all, see :func:`set_sha256`.
    name
        This file's path inside the folder.
    """

    id: str
    size: int
    sha256: str
    name: str


@dataclass(frozen=True)
class Announced:
    """What a sender says of a file before its bytes come.

    Attributes
    ----------
    path
        Relative to the instrument's folder; for a file of a set, the folder's path.
    name
        The file's name, or its path inside the folder of a set.
    sha256
        Of the whole file, as hex.
    size
        Bytes.
    modified
        When it was last changed, as the sender's disk says.
    project, instrument
        Slugs, where given.
    batch
        What a person sends at once has one: files of a set find each other by it.
    """

    path: str
    name: str
    sha256: str
    size: int
    modified: datetime | None
    project: str | None
    instrument: str | None
    set: FileSet | None
    batch: str | None = None


def set_sha256(files: Iterable[tuple[str, str]]) -> str:
    """The hash of a set: SHA-256 over ``name, NUL, sha256, newline`` for each file, sorted by name."""
    lines = "".join(f"{name}\0{sha256}\n" for name, sha256 in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def check_version(headers: Mapping[str, str]) -> None:
    """Raise unless the client speaks this version of tus."""
    version = headers.get("tus-resumable")
    if version != VERSION:
        said = f"{version!r}" if version else "none"
        raise Refused(
            412, "invalid", f"The header Tus-Resumable has to be {VERSION}; it was {said}.", "Tus-Resumable"
        )


def number(headers: Mapping[str, str], name: str) -> int:
    """A header that is a count of bytes."""
    text = headers.get(name.lower())
    if text is None:
        raise Refused(400, "invalid", f"The header {name} is missing.", name)
    if not _NUMBER.match(text):
        raise Refused(
            400, "invalid", f"The header {name} has to be a number of bytes, not {text[:40]!r}.", name
        )
    return int(text)


def upload_length(headers: Mapping[str, str], most: int) -> int:
    """How long the file will be; refused before any byte if more than ``most``."""
    if "upload-defer-length" in headers:
        raise Refused(
            400,
            "invalid",
            "Upload-Defer-Length is not supported: give the file's size in Upload-Length.",
            "Upload-Defer-Length",
        )
    length = number(headers, "Upload-Length")
    if length > most:
        raise Refused(
            413,
            "too_large",
            f"The file has {length} bytes; this server takes {most} at most. Ask its administrator to raise "
            "ZAIRYO_MAX_FILE_BYTES.",
            "Upload-Length",
        )
    return length


def content_length(headers: Mapping[str, str]) -> int | None:
    """How long the body is, None if it comes in chunks of unknown number."""
    return number(headers, "Content-Length") if "content-length" in headers else None


def check_body_type(headers: Mapping[str, str]) -> None:
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != BODY_TYPE:
        raise Refused(
            415,
            "invalid",
            f"The body's Content-Type has to be {BODY_TYPE}, not {kind or 'none'!r}.",
            "Content-Type",
        )


def checksum(headers: Mapping[str, str]) -> bytes | None:
    """The SHA-256 that the body must have, None where none was sent."""
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    if algorithm.lower() != ALGORITHM:
        raise Refused(
            400,
            "invalid",
            f"The checksum algorithm {algorithm[:40]!r} is not supported; use sha256.",
            "Upload-Checksum",
        )
    try:
        digest = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 32:
        raise Refused(
            400, "invalid", "Upload-Checksum has to be 'sha256 ' and 32 bytes in base64.", "Upload-Checksum"
        )
    return digest


def parse_metadata(text: str) -> dict[str, str]:
    """``Upload-Metadata``: ``key base64,key base64``; values are UTF-8."""
    found: dict[str, str] = {}
    for pair in text.split(","):
        key, _, encoded = pair.strip().partition(" ")
        if not key:
            if text.strip():
                raise _bad("has an empty key")
            continue
        if key in found:
            raise _bad(f"names {key[:40]!r} twice")
        try:
            found[key] = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise _bad(f"has a value for {key[:40]!r} that is not UTF-8 in base64") from None
    return found


def announced(metadata: Mapping[str, str], size: int) -> Announced:
    """What the metadata of an upload say of its file; :class:`Refused` names the key that is at fault."""
    filename = check_name(_required(metadata, "filename"), "filename")
    sha256 = _hash(_required(metadata, "sha256"), "sha256")
    path = check_path(metadata.get("path") or filename, "path")
    files = _file_set(metadata)
    if files and files.size == 1 and set_sha256([(files.name, sha256)]) != files.sha256:
        raise _bad("has a set_sha256 that is not the hash of the set's one file", "set_sha256")
    if files:
        # The path is the folder's; a sender that gave the file's own is understood, too.
        path = path.removesuffix(f"/{files.name}")
    elif path.rpartition("/")[2] != filename:
        raise _bad("has a path that does not end with the filename", "path")
    return Announced(
        path=path,
        name=files.name if files else filename,
        sha256=sha256,
        size=size,
        modified=_time(metadata.get("modified"), "modified"),
        project=metadata.get("project") or None,
        instrument=metadata.get("instrument") or None,
        set=files,
        batch=_identifier(metadata, "batch"),
    )


def http_date(moment: datetime) -> str:
    """As ``Upload-Expires`` is written."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _file_set(metadata: Mapping[str, str]) -> FileSet | None:
    number = _identifier(metadata, "set")
    if number is None:
        return None
    name = _required(metadata, "name")
    if check_path(name, "name") != name:
        raise _bad("has a name that is not a plain path with '/'", "name")
    count = _required(metadata, "set_size")
    if not _NUMBER.match(count) or not 1 <= int(count) <= MOST_FILES_IN_SET:
        raise _bad(f"has a set_size that is not a number of 1 to {MOST_FILES_IN_SET} files", "set_size")
    return FileSet(
        id=number,
        size=int(count),
        sha256=_hash(_required(metadata, "set_sha256"), "set_sha256"),
        name=name,
    )


def _identifier(metadata: Mapping[str, str], key: str) -> str | None:
    if not metadata.get(key):
        return None
    if not _IDENTIFIER.match(metadata[key]):
        raise _bad(f"has a {key} that is not 1 to 64 printable characters without spaces", key)
    return metadata[key]


def _required(metadata: Mapping[str, str], key: str) -> str:
    if not metadata.get(key):
        raise _bad(f"has no {key}", key)
    return metadata[key]


def _hash(text: str, field: str) -> str:
    if not _SHA256.match(text.lower()):
        raise _bad(f"has a {field} that is not a SHA-256 in hex", field)
    return text.lower()


def _time(text: str | None, field: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _bad(f"has a {field} that is not a time in ISO 8601", field) from None


def _bad(what: str, field: str = "Upload-Metadata") -> Refused:
    return Refused(422, "invalid", f"Upload-Metadata {what}.", field)
