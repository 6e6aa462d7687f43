"""Measurements on their way out: zip archives, names of files. Pure functions."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from zairyo.exports import Parcel, ro_crate
from zairyo.measurement import Measurement as Form
from zairyo.server.models import Measurement, Object, RawFile, Translation
from zairyo.server.objects import Objects

_COPY_BYTES = 1024 * 1024
#: The first and the last time that a zip archive can say.
_ZIP_TIMES = ((1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58))
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Part:
    """A file of an archive: its name there, its object, its size in bytes, its time."""

    name: str
    sha256: str
    size: int
    at: datetime


def parts(session: Session, measurements: Sequence[Measurement], what: str) -> list[Part]:
    """Files of several measurements, each under a name of its own, in a folder where there are several files."""
    found: list[Part] = []
    taken: set[str] = set()
    for measurement in measurements:
        stem = measurement.path.rpartition("/")[2] or measurement.uid
        if what == "raw":
            name = _unique(stem, measurement.uid, taken)
            raw = measurement.raw_files
            found += [raw_part(r, name if len(raw) == 1 else f"{name}/{r.name}") for r in raw]
            continue
        row = session.execute(
            select(Object.sha256, Object.size)
            .join(Translation, Translation.output_sha256 == Object.sha256)
            .where(Translation.id == measurement.translation_id)
        ).one_or_none()
        if row is not None:
            name = _unique(f"{stem}.nxs", measurement.uid, taken)
            found.append(Part(name, row.sha256, row.size, measurement.received_at))
    return found


def raw_part(raw: RawFile, name: str) -> Part:
    """A raw file under a name in an archive."""
    return Part(name, raw.sha256, raw.size, raw.modified_at or raw.received_at)


def _unique(name: str, uid: str, taken: set[str]) -> str:
    """The name, or one like it if an archive has it already (Windows knows no case)."""
    if name.casefold() in taken:
        head, dot, tail = name.rpartition(".")
        name = f"{head}-{uid[-8:]}{dot}{tail}" if head else f"{name}-{uid[-8:]}"
    taken.add(name.casefold())
    return name


def crate(
    objects: Objects, form: Form, raw: Sequence[Part], standard: Part
) -> tuple[dict[str, bytes], list[Part]]:
    """An RO-Crate: the file that says what is in it, and the files, which are ``raw`` and the ``standard`` form.

    Raw files that the form was not read from (a set may have been completed since) are not among them.
    """
    by_hash = {part.sha256: part for part in raw}
    known = form.source.raw_files if form.source else ()
    parts = {f.name: by_hash[f.sha256] for f in known if f.sha256 in by_hash}
    with ExitStack() as held:
        paths = {name: held.enter_context(objects.path(part.sha256)) for name, part in parts.items()}
        parcel = Parcel(
            form,
            standard.name,
            datetime.now(UTC).replace(microsecond=0),
            paths,
            held.enter_context(objects.path(standard.sha256)),
        )
        files = ro_crate.files(parcel)
    said = {name: content for name, content in files.items() if isinstance(content, bytes)}
    where = {path: part for part, path in zip(parts.values(), paths.values(), strict=True)}
    return said, [
        replace(where.get(path, standard), name=name)
        for name, path in files.items()
        if not isinstance(path, bytes)
    ]


class _Pipe(io.RawIOBase):
    """What ``zipfile`` writes to, emptied piece by piece; it cannot seek, so sizes follow each file's data."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def zip_stream(
    objects: Objects, files: Sequence[Part], made: Mapping[str, bytes] = MappingProxyType({})
) -> Iterator[bytes]:
    """A zip archive of the objects, behind files just made; nothing is gathered in memory or on disk."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for name, content in made.items():
            archive.writestr(zipfile.ZipInfo(name, datetime.now().timetuple()[:6]), content)
        for part in files:
            moment = min(max(part.at.timetuple()[:6], _ZIP_TIMES[0]), _ZIP_TIMES[1])
            info = zipfile.ZipInfo(part.name, moment)
            with objects.open(part.sha256) as source, archive.open(info, "w", force_zip64=True) as target:
                while piece := source.read(_COPY_BYTES):
                    target.write(piece)
                    yield pipe.take()
            yield pipe.take()
    yield pipe.take()


def plain(value: Any) -> Any:
    """Original metadata as strict JSON has it: what is not finite becomes text."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def content_disposition(filename: str) -> str:
    """``attachment`` under the file's name, in any script (RFC 6266)."""
    stem, dot, ending = filename.rpartition(".")
    short = f"{stem[:_LONGEST_NAME]}{dot}{ending[-_LONGEST_NAME:]}"
    safe = "".join(c if c.isprintable() and c not in '/\\"' else "_" for c in short)
    plain_name = safe.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(safe, safe='')}"
