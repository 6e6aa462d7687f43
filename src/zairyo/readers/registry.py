"""Which readers there are, and which of them a file is for.

Readers come from three places: modules of this package, YAML descriptions of delimited text (``formats/``
here, and the user's folders), and plug-in packages' entry points in the group ``zairyo.readers``. One that
is broken is told by name and does not keep the others from working.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import pkgutil
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from importlib.metadata import entry_points
from operator import attrgetter
from pathlib import Path

from zairyo.measurement import Measurement, MeasurementError, RawFile, Source
from zairyo.readers import _hdf5_file
from zairyo.readers._api import HEAD_BYTES, NO, RawInput, Reader, ReadError

#: Modules of this package that are its machinery, not a format.
_MACHINERY = frozenset(
    {
        "registry",
        "invariants",
        "sandbox",
        "limits",
        "delimited",
        "delimited_text",
        "delimited_header",
        "delimited_description",
        "rde_program",
    }
)
#: The key that tells the description of an RDE structuring program from one of delimited text.
_PROGRAM = re.compile(rb"^rde\s*:", re.MULTILINE)
GROUP = "zairyo.readers"
_CHUNK = 1 << 20
#: A folder that was changed longer ago than this is as its time of change says.
_SETTLED_NS = 2 * 10**9


class UnknownFormat(ReadError):
    """No reader recognises the file."""


class Ambiguous(ReadError):
    """Several readers recognise the file equally well."""


@dataclass(frozen=True)
class Problem:
    """A reader that could not be loaded: ``where`` it is from and ``message`` what is wrong."""

    where: str
    message: str


@dataclass(eq=False)
class Registry:
    """The readers by name, and what could not be loaded."""

    readers: dict[str, Reader] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _sorted: tuple[tuple[Reader, ...], tuple[Reader, ...]] | None = field(
        default=None, init=False, repr=False
    )

    def add(self, found: object, where: str) -> None:
        """Add a ``Reader`` or an iterable of them; anything else, or a name already taken, is a problem."""
        many = (found,) if isinstance(found, Reader) else found
        if not isinstance(many, Iterable):
            return self._problem(where, f"gives a {type(found).__name__}, not a Reader")
        for reader in many:
            if not isinstance(reader, Reader):
                self._problem(where, f"gives a {type(reader).__name__}, not a Reader")
            elif reader.name in self.readers:
                self._problem(where, f"its reader {reader.name!r} has the name of another; rename it")
            else:
                self.readers[reader.name] = reader
        return None

    def surest_first(self) -> tuple[Reader, ...]:
        """The readers in the order in which a file is shown to them."""
        readers = tuple(self.readers.values())
        if self._sorted is None or self._sorted[0] != readers:
            self._sorted = readers, tuple(sorted(readers, key=attrgetter("surest"), reverse=True))
        return self._sorted[1]

    def _problem(self, where: str, message: str) -> None:
        self.problems.append(Problem(where, message))

    def add_module(self, name: str) -> None:
        try:
            module = importlib.import_module(name)
            found = module.READERS if hasattr(module, "READERS") else module.READER
        except Exception as e:
            return self._problem(name, f"{type(e).__name__}: {e}")
        return self.add(found, name)

    def add_file(self, path: Path) -> None:
        """Add the readers of one Python file that is not installed."""
        try:
            spec = importlib.util.spec_from_file_location(f"zairyo_reader_{path.stem}", path)
            if spec is None or spec.loader is None:
                return self._problem(str(path), "is not a Python file")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            found = module.READERS if hasattr(module, "READERS") else module.READER
        except Exception as e:
            return self._problem(str(path), f"{type(e).__name__}: {e}")
        return self.add(found, str(path))

    def add_descriptions(self, folder: Path) -> None:
        """Add the readers of a folder's YAML files: of delimited text, and of RDE structuring programs."""
        from zairyo.readers.delimited import DescriptionError, load_reader

        for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
            try:
                if _PROGRAM.search(path.read_bytes()):
                    from zairyo.readers.rde_program import load_program

                    self.add(load_program(path), str(path))
                else:
                    self.add(load_reader(path), str(path))
            except (DescriptionError, OSError) as e:
                self._problem(str(path), str(e).removeprefix(f"{path}: "))

    def prepare(self) -> None:
        """Load the libraries that readers want loaded before any file; a reader whose do not load is taken out."""
        for name, reader in list(self.readers.items()):
            try:
                if reader.prepare is not None:
                    reader.prepare()
            except Exception as e:
                del self.readers[name]
                self._problem(name, f"{type(e).__name__}: {e}")

    def add_entry_points(self) -> None:
        for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
            where = f"plug-in {point.name} ({point.value})"
            try:
                found = point.load()
                found = getattr(found, "READERS", None) or getattr(found, "READER", found)
            except Exception as e:
                self._problem(where, f"{type(e).__name__}: {e}")
            else:
                self.add(found, where)


def format_folders() -> tuple[Path, ...]:
    """The user's folders of YAML descriptions that exist: ``ZAIRYO_FORMATS``, then the configuration folder."""
    from platformdirs import user_config_path

    named = [Path(p).expanduser() for p in os.environ.get("ZAIRYO_FORMATS", "").split(os.pathsep) if p]
    return tuple(f for f in (*named, user_config_path("zairyo") / "formats") if f.is_dir())


def load(folders: Sequence[Path] = (), files: Sequence[Path] = ()) -> Registry:
    """Load every reader.

    Parameters
    ----------
    folders
        Further folders of YAML descriptions.
    files
        Python files of readers that are not installed.
    """
    import zairyo.readers

    registry = Registry()
    for module in sorted(pkgutil.iter_modules(zairyo.readers.__path__), key=lambda m: m.name):
        if not module.name.startswith("_") and module.name not in _MACHINERY:
            registry.add_module(f"zairyo.readers.{module.name}")
    for folder in (Path(__file__).parent / "formats", *folders):
        registry.add_descriptions(folder)
    registry.add_entry_points()
    for path in files:
        registry.add_file(path)
    return registry


@cache
def default_registry() -> Registry:
    """The readers of this installation and this user; loaded once a process."""
    return load(format_folders())


def find(raw: RawInput, name: str | None = None, registry: Registry | None = None) -> Reader:
    """The reader for a raw file: the one named, else the surest.

    Raises
    ------
    UnknownFormat
        No reader recognises it; the message tells what the file looks like.
    Ambiguous
        The surest are several; the message names them.
    ReadError
        There is no reader of that name, the file is empty, or its packing is damaged.
    """
    registry = registry or default_registry()
    if name is not None:
        if name in registry.readers:
            return registry.readers[name]
        raise UnknownFormat(f"there is no reader {name!r}; `zairyo formats` lists those there are")
    if not raw.is_folder and not raw.head:
        raise ReadError(f"{raw.name} is empty. Copy it again from the instrument.")
    best, winners = NO, list[Reader]()
    for reader in registry.surest_first():
        surest = reader.surest
        if surest < best:
            break
        said = _sniff(reader, raw)
        if said > surest:
            said = surest
        if said > best:
            best, winners = said, [reader]
        elif said == best:
            winners.append(reader)
    if best <= NO:
        what = looks_like(raw)
        hint = (
            " `zairyo formats new` drafts a description of a table in text."
            if what.startswith("text")
            else ""
        )
        raise UnknownFormat(f"no reader recognises {raw.name}: it looks like {what}.{hint}")
    if len(winners) > 1:
        names = " and ".join(r.name for r in winners)
        raise Ambiguous(
            f"{raw.name} may be for {names} alike. Name the right one (--reader {winners[0].name})."
        )
    return winners[0]


def _sniff(reader: Reader, raw: RawInput) -> float:
    # A sniff must not raise; a plug-in's that does must not keep the others from the file.
    try:
        if reader.sets and raw.is_folder and not raw.parts and not _is_one_set(reader, raw.members):
            return NO
        return float(reader.sniff(raw))
    except Exception:
        return NO


def _is_one_set(reader: Reader, names: tuple[str, ...]) -> bool:
    sets = [set(found) for found in reader.sets(names)] if reader.sets else []
    return sets == [set(names)]


def read(
    path: str | os.PathLike[str],
    reader: str | None = None,
    *,
    registry: Registry | None = None,
    raw_files: tuple[RawFile, ...] | None = None,
    parts: tuple[Path, ...] | None = None,
) -> Measurement:
    """Read a raw file (or a folder that is one) into the standard form, check it and note where it came from.

    Parameters
    ----------
    path
        The file, or the folder of a folder format.
    reader
        Name of the reader to use; found by content if None.
    raw_files
        What is already known of the raw files (names, hashes, sizes); computed if None.
    parts
        The files of the set whose main file is ``path``; if None, those beside it that belong to it.

    Raises
    ------
    ReadError
        With a message for the person who measured; its class says the kind.
    OSError
        The file cannot be opened.
    """
    from zairyo.readers import invariants

    path = Path(path)
    if parts is None:
        parts = () if path.is_dir() else _beside(path, registry or default_registry())
    raw = RawInput(path, parts)
    chosen = find(raw, reader, registry)
    try:
        measurement = chosen.read(raw)
    except MeasurementError as e:
        raise invariants.InvalidResult(f"{raw.name} read as {chosen.format} is inconsistent: {e}") from e
    measurement = invariants.check(measurement, chosen)
    files = hash_files(raw) if raw_files is None else raw_files
    return replace(measurement, source=Source(chosen.name, chosen.version, files))


def hash_files(raw: RawInput) -> tuple[RawFile, ...]:
    """Name, SHA-256 and size of the raw file, or of every file in the folder."""
    if not raw.is_folder:
        return (_hash(raw.path, raw.path.name),)
    return tuple(_hash(raw.member_path(name), name) for name in raw.members)


def _hash(path: Path, name: str) -> RawFile:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as f:
        while chunk := f.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return RawFile(name, digest.hexdigest(), size)


def inputs(paths: Iterable[str | os.PathLike[str]], registry: Registry | None = None) -> Iterator[RawInput]:
    """The raw inputs under ``paths``, in order.

    A file named is one input, together with the files beside it that make a set with it (``Reader.sets``). A
    folder is one input if a reader recognises it as such (``.D``, ``.raw``); another is walked, sorted by name,
    without hidden files and without following links to folders.
    """
    registry = registry or default_registry()
    named = [Path(path) for path in paths]
    folders = {path.parent for path in named if not path.is_dir()}
    sets = {main: parts for folder in sorted(folders) for main, parts in _sets(folder, registry).items()}
    taken = {part for path in named for part in sets.get(path, ()) if part != path}
    for path in named:
        if path.is_dir():
            yield from _walk(path, registry)
        elif path not in taken:
            yield RawInput(path, sets.get(path, ()))


def _walk(folder: Path, registry: Registry) -> Iterator[RawInput]:
    raw = RawInput(folder)
    if any(_sniff(reader, raw) > NO for reader in registry.readers.values()):
        yield raw
        return
    sets = _sets(folder, registry)
    taken = {part for main, parts in sets.items() for part in parts if part != main}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~$")) or path in taken:
            continue
        if path.is_dir():
            if not path.is_symlink():
                yield from _walk(path, registry)
        elif path.is_file():
            yield RawInput(path, sets.get(path, ()))


def _beside(path: Path, registry: Registry) -> tuple[Path, ...]:
    """The files of the set whose main file is ``path``.

    Who reads a folder's files one by one has its sets looked for once, as long as no file comes or goes.
    """
    try:
        changed = path.parent.stat().st_mtime_ns
    except OSError:
        return ()
    if changed > time.time_ns() - _SETTLED_NS:  # more may happen before the clock of the file system ticks
        return _sets(path.parent, registry).get(path, ())
    return _settled_sets(path.parent, changed, registry, len(registry.readers)).get(path, ())


@lru_cache(maxsize=8)
def _settled_sets(
    folder: Path, _changed: int, registry: Registry, _readers: int
) -> dict[Path, tuple[Path, ...]]:
    return _sets(folder, registry)


def _sets(folder: Path, registry: Registry) -> dict[Path, tuple[Path, ...]]:
    """The sets of files in a folder, by main file. A file belongs to one set at most."""
    readers = [reader for reader in registry.readers.values() if reader.sets]
    try:
        with os.scandir(folder) as inside:  # tells files from folders without asking for each
            names = tuple(sorted(entry.name for entry in inside if readers and not entry.is_dir()))
    except OSError:
        return {}
    found = dict[Path, tuple[Path, ...]]()
    taken = set[str]()
    for reader in readers:
        for members in reader.sets(names) if reader.sets else ():
            parts = tuple(folder / name for name in members)
            # Names alone may deceive (image.tif beside another's image.txt): what is in the files decides.
            if (
                len(members) > 1
                and taken.isdisjoint(members)
                and _sniff(reader, RawInput(parts[0], parts)) > NO
            ):
                taken.update(members)
                found[parts[0]] = parts
    return found


def is_standard_form(path: str | os.PathLike[str]) -> bool:
    """Whether a file is (by its beginning) one that Zairyo wrote."""
    try:
        with open(path, "rb") as f:
            return _hdf5_file.is_standard_form(f.read(HEAD_BYTES))
    except OSError:
        return False


_MAGIC: Mapping[bytes, str] = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file of a layout that is not known",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "a Microsoft compound document (older Office, or an instrument's project)",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"CDF": "a NetCDF file",
    b"SQLite format 3": "an SQLite database",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"MZ": "a Windows program",
}


def looks_like(raw: RawInput) -> str:
    """What a file nobody recognises looks like, for people: ``"text in UTF-16, separated by tabs"``."""
    if raw.is_folder:
        return f"a folder with {', '.join(raw.members[:3]) or 'nothing'} in it"
    head = raw.head
    if head.startswith(b"PK\x03\x04"):
        names = raw.members
        return f"a zip archive with {', '.join(names[:3])}" if names else "a zip archive that is damaged"
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            return what
    from zairyo.readers.delimited import describe_text

    return describe_text(head) or f"binary data beginning {head[:8].hex(' ')}"
