"""What is exported, and the files that an export is."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from zairyo.measurement import Entry, Measurement, Quantity, nexus
from zairyo.measurement.techniques import TECHNIQUES, conditions

#: What a file holds, or where it is.
Content: TypeAlias = "bytes | Path"
#: Name in the export, with ``/`` between folders → content. A name that ends in ``/`` is an empty folder.
Files: TypeAlias = "dict[str, Content]"

_CHUNK = 1 << 20
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class ExportError(ValueError):
    """A measurement cannot be exported so; the message says what to do."""


@dataclass(frozen=True)
class Parcel:
    """A measurement and what goes with it.

    Attributes
    ----------
    measurement
        In the standard form.
    name
        What the export's files are called: the raw file's name.
    at
        When the export is made.
    raw
        The raw files by their names in ``measurement.source``; those that are not given are told by hash only.
    standard
        The standard-form file; made anew if None.
    licence
        URL of a licence, or empty.
    """

    measurement: Measurement
    name: str
    at: datetime
    raw: Mapping[str, Content] = field(default_factory=dict)
    standard: Content | None = None
    licence: str = ""

    def __post_init__(self) -> None:
        _check_name(self.name.replace("/", "//"))
        source = self.measurement.source
        known = {f.name: f for f in source.raw_files} if source else {}
        for name, content in self.raw.items():
            if name not in known:
                said = ", ".join(known) or "no file that is known"
                raise ExportError(f"{name} is not a raw file of this measurement, which was read from {said}")
            _check_name(name)
            if sha256_of(content) != known[name].sha256:
                raise ExportError(f"{name} is not the file that was read: its SHA-256 differs")

    @cached_property
    def standard_file(self) -> Content:
        return nexus.dumps(self.measurement) if self.standard is None else self.standard

    @property
    def technique_titles(self) -> tuple[str, str]:
        """The technique in English and Japanese."""
        key = self.measurement.technique
        return (TECHNIQUES[key].title, TECHNIQUES[key].title_ja) if key in TECHNIQUES else (key, key)

    @property
    def title(self) -> str:
        return self.measurement.title or self.name


def _check_name(name: str) -> None:
    """Refuse a name that would put a file elsewhere than into the export."""
    if {"", ".", ".."} & set(name.replace("\\", "/").split("/")):
        raise ExportError(f"{name!r} is no name for a file in an export")


@dataclass(frozen=True)
class Fact:
    """A condition with its titles from the vocabulary."""

    name: str
    title: str
    title_ja: str
    quantity: Quantity


def facts(entry: Entry) -> Iterator[Fact]:
    """The conditions of an entry, in the vocabulary's order, then those it lacks."""
    known = conditions(entry.technique)
    for name in (
        *(n for n in known if n in entry.conditions),
        *(n for n in entry.conditions if n not in known),
    ):
        said = name.replace("_", " ")
        titles = (known[name].title, known[name].title_ja) if name in known else (said, said)
        yield Fact(name, *titles, entry.conditions[name])


def sha256_of(content: Content) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def size_of(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def write_folder(files: Mapping[str, Content], folder: Path) -> None:
    """Write an export into a folder that is not there yet.

    Raises
    ------
    FileExistsError
        It is there.
    """
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            shutil.copyfile(content, path)


def write_zip(files: Mapping[str, Content], path: Path) -> None:
    """Write an export as a zip archive, byte for byte the same for the same files.

    Raises
    ------
    FileExistsError
        It is there.
    """
    with path.open("xb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as target:
                if isinstance(content, bytes):
                    target.write(content)
                else:
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, target, _CHUNK)
