"""Measurements on their way out: CSV, zip archives, names of files. Pure functions."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from zairyo.measurement import Entry
from zairyo.server.models import Measurement, Object
from zairyo.server.objects import Objects

_ROWS_AT_ONCE = 2000
_COPY_BYTES = 1024 * 1024


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
        if what == "standard":
            translation = measurement.translation
            if translation is None or translation.output_sha256 is None:
                continue
            size = session.scalar(select(Object.size).where(Object.sha256 == translation.output_sha256)) or 0
            name = _unique(f"{stem}.nxs", measurement.uid, taken)
            found.append(Part(name, translation.output_sha256, size, measurement.received_at))
            continue
        raw = measurement.raw_files
        folder = "" if len(raw) == 1 else f"{_unique(stem, measurement.uid, taken)}/"
        for r in raw:
            name = folder + r.name if folder else _unique(r.name, measurement.uid, taken)
            found.append(Part(name, r.sha256, r.size, r.modified_at or r.received_at))
    return found


def _unique(name: str, uid: str, taken: set[str]) -> str:
    if name in taken:
        head, dot, tail = name.rpartition(".")
        name = f"{head}-{uid[-8:]}{dot}{tail}" if dot else f"{name}-{uid[-8:]}"
    taken.add(name)
    return name


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


def zip_stream(objects: Objects, files: Sequence[Part]) -> Iterator[bytes]:
    """A zip archive of the objects as it is made; nothing is gathered in memory or on disk."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for part in files:
            info = zipfile.ZipInfo(part.name, max(part.at.timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
            with objects.open(part.sha256) as source, archive.open(info, "w", force_zip64=True) as target:
                while piece := source.read(_COPY_BYTES):
                    target.write(piece)
                    yield pipe.take()
            yield pipe.take()
    yield pipe.take()


def csv_lines(entry: Entry) -> Iterator[bytes]:
    """The entry as CSV: a column an axis or signal, labels with units in the head line.

    Signals over several axes are written a row a point. Text that a spreadsheet would take for a formula is
    kept from being one by an apostrophe.
    """
    dimensions = max((s.values.ndim for s in entry.signals), default=0)
    signals = [s for s in entry.signals if s.values.ndim == dimensions and s.axes == entry.signal.axes] or [
        entry.signal
    ]
    axes = [] if entry.is_table else [entry[name] for name in signals[0].axes]
    grids = (
        np.indices(signals[0].values.shape).reshape(dimensions, -1) if dimensions else np.zeros((0, 1), int)
    )
    columns = [axis.values[grids[i]] for i, axis in enumerate(axes)] + [s.values.ravel() for s in signals]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([part.label for part in (*axes, *signals)])
    for start in range(0, len(columns[0]), _ROWS_AT_ONCE):
        writer.writerows(
            zip(
                *([_cell(v) for v in c[start : start + _ROWS_AT_ONCE].tolist()] for c in columns), strict=True
            )
        )
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value


def plain(value: Any) -> Any:
    """Original metadata as strict JSON has it: what is not finite becomes text."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def content_disposition(filename: str) -> str:
    """``attachment`` under the file's name, in any script (RFC 6266)."""
    safe = "".join(c if c.isprintable() and c not in '/\\"' else "_" for c in filename)
    plain_name = safe.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(safe, safe='')}"
