"""What is inside an HDF5 file that somebody else may have made: looked through before anything is used.

An HDF5 file can name other files (external links, external storage, virtual datasets), grow a thousandfold
when unpacked, load filters, or loop. Here a file is held to what the standard form is made of, object by
object, and nothing that a link leads to is opened before the link's own kind is known.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from h5py import h5, h5a, h5d, h5f, h5g, h5l, h5o, h5p, h5s, h5t, h5z

from zairyo.measurement._hdf5 import decode_text, number_type
from zairyo.measurement.arrays import Array
from zairyo.measurement.text import MeasurementError


class NexusError(MeasurementError):
    """The file is not a standard-form file, or is damaged; the message says where."""


class UnsafeFileError(NexusError):
    """The file holds what a standard-form file never does; it may have been made to do harm."""


@dataclass(frozen=True)
class Limits:
    """The most that a file may hold.

    Attributes
    ----------
    objects
        Links to groups and datasets.
    array_bytes, total_bytes
        Of one dataset and of all together, unpacked.
    depth
        Groups within groups.
    attributes, attribute_bytes
        How many an object may have, and the size of one.
    """

    objects: int = 200_000
    array_bytes: int = 2 * 1024**3
    total_bytes: int = 4 * 1024**3
    depth: int = 12
    attributes: int = 64
    attribute_bytes: int = 64 * 1024


LIMITS = Limits()

#: What gzip makes of zeros: no packed data grow more than this.
_MOST_PACKED = 1040
_FLOAT = np.dtype(float)
_DTYPES = {np.dtype(code) for code in "?bhilqBHILQefdFD"}


class Attributes:
    """An object's attributes, whose sizes passed; read when asked for."""

    def __init__(self, path: str, ids: dict[str, Any]) -> None:
        self._path = path
        self._ids = ids

    def get(self, name: str) -> Any:
        """A text, a NumPy number or an array; None if there is no such attribute."""
        attribute = self._ids.get(name)
        if attribute is None:
            return None
        where = f"{self._path}@{name}"
        kind = attribute.get_type()
        dtype = _dtype(kind, where)
        values = np.zeros(_shape(attribute.get_space(), where), dtype)
        if values.size:
            attribute.read(values, mtype=kind)
        if dtype.kind != "S":
            return values[()]
        return bytes(values[()]).decode() if values.ndim == 0 else decode_text(values)


@dataclass(slots=True)
class Node:
    """A group or a dataset that passed, with its attributes read and its children in their order."""

    path: str
    id: Any
    attributes: Attributes
    children: dict[str, Node] = field(default_factory=dict)
    is_group: bool = True
    dtype: np.dtype[Any] | None = None
    shape: tuple[int, ...] = ()

    def __getitem__(self, name: str) -> Node:
        try:
            return self.children[name]
        except KeyError:
            raise NexusError(f"{self.path or 'the file'} has no {name!r}") from None

    def get(self, name: str) -> Node | None:
        return self.children.get(name)

    def largest(self) -> int:
        """Bytes of the largest dataset in or below it, unpacked."""
        own = 0 if self.dtype is None else math.prod(self.shape) * self.dtype.itemsize
        return max(own, *(child.largest() for child in self.children.values()), 0)

    def array(self) -> Array:
        """The dataset's values; text as ``U``."""
        values = self._stored()
        return decode_text(values) if values.dtype.kind == "S" else values

    def value(self) -> str | int | float | complex | bool:
        """The one value of a dataset."""
        values = self._stored()
        if values.size != 1:
            raise NexusError(f"{self.path} is not one value")
        found: Any = values.reshape(())[()].item()
        return found.decode() if isinstance(found, bytes) else found

    def text(self) -> str:
        """The one text of a dataset."""
        found = self.value()
        if not isinstance(found, str):
            raise NexusError(f"{self.path} is not a text")
        return found

    def _stored(self) -> Array:
        if self.is_group or self.dtype is None:
            raise NexusError(f"{self.path} is a group where a dataset belongs")
        values = np.empty(self.shape, self.dtype)
        if values.size:
            is_text = self.dtype.kind == "S"
            kind = self.id.get_type() if is_text else number_type(self.dtype)
            self.id.read(h5s.ALL, h5s.ALL, values, mtype=kind)
        return values


@contextmanager
def open_checked(path: str | os.PathLike[str], limits: Limits = LIMITS) -> Iterator[Node]:
    """The file's root, every object below it checked. Whatever HDF5 finds wrong becomes a :class:`NexusError`.

    Raises
    ------
    OSError
        If the file cannot be read at all.
    NexusError
        If it is not HDF5, damaged, or not made of what a standard-form file is made of.
    """
    path = Path(path)
    with path.open("rb") as f:
        if f.read(8) != b"\x89HDF\r\n\x1a\n":
            raise NexusError(f"{path.name} is not an HDF5 file")
        size = os.fstat(f.fileno()).st_size
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_file_locking(False, True)  # the file never changes, and network shares lack locks
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    file = None
    try:
        file = h5f.open(os.fsencode(path), h5f.ACC_RDONLY, access)
        yield _Walk(file, size, limits).root()
    except MeasurementError as e:
        kind = type(e) if isinstance(e, NexusError) else NexusError
        raise kind(f"{path.name}: {e}") from None
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as e:
        raise NexusError(
            f"{path.name} is damaged or cut off ({_short(e)}); translate the raw file again"
        ) from e
    finally:
        if file is not None:
            file.close()


def _short(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__


class _Walk:
    """One walk through a file, adding up what it holds."""

    def __init__(self, file: Any, size: int, limits: Limits) -> None:
        self._root = h5g.open(file, b"/")
        self._size = size
        self._limits = limits
        self._bytes = 0
        self._links: list[tuple[str, int]] = []
        self._refused: NexusError | None = None

    def root(self) -> Node:
        self._root.links.visit(self._visit, info=True, idx_type=h5.INDEX_CRT_ORDER)
        if self._refused is not None:
            raise self._refused
        root = Node("", self._root, self._attributes(self._root, "the file"))
        groups = {"": root}
        nodes: dict[int, Node] = {}
        for path, address in self._links:
            node = nodes.get(address)
            if node is None:
                node = nodes[address] = self._object(path)
            parent, _, name = path.rpartition("/")
            groups[parent].children[name] = node
            if node.is_group:
                groups[path] = node
        return root

    def _visit(self, name: bytes, info: Any) -> bool:
        # Called by HDF5, which no exception may pass; True stops it.
        try:
            self._link(name.decode(), info)
        except UnicodeDecodeError:
            self._refused = NexusError(f"a name is not UTF-8: {name[:60]!r}")
        except NexusError as e:
            self._refused = e
        return self._refused is not None

    def _link(self, path: str, info: Any) -> None:
        """Take a link into account, before anything behind it is opened."""
        if info.type != h5l.TYPE_HARD:
            kind = "an external link" if info.type == h5l.TYPE_EXTERNAL else "a soft link"
            raise UnsafeFileError(f"{path} is {kind}; a measurement's file is complete in itself")
        if len(self._links) >= self._limits.objects:
            raise UnsafeFileError(f"more than {self._limits.objects} objects")
        if path.count("/") >= self._limits.depth:
            raise UnsafeFileError(f"groups more than {self._limits.depth} deep")
        self._links.append((path, info.u))

    def _object(self, path: str) -> Node:
        thing = h5o.open(self._root, path.encode())
        if isinstance(thing, h5g.GroupID):
            return Node(path, thing, self._attributes(thing, path))
        if not isinstance(thing, h5d.DatasetID):
            raise UnsafeFileError(f"{path} is neither a group nor a dataset")
        dtype, shape = self._dataset(thing, path)
        return Node(path, thing, self._attributes(thing, path), is_group=False, dtype=dtype, shape=shape)

    def _dataset(self, dataset: Any, path: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
        # A place in this file is what only values that are kept here, as they are, have.
        packed = dataset.get_offset() is None and self._is_packed(dataset.get_create_plist(), path)
        dtype = _dtype(dataset.get_type(), path)
        shape = _shape(dataset.get_space(), path)
        stored = min(dataset.get_storage_size(), self._size)
        declared = math.prod(shape) * dtype.itemsize
        if declared > stored * (_MOST_PACKED if packed else 1):
            raise UnsafeFileError(f"{path} claims {declared} bytes but only {stored} are stored")
        if declared > self._limits.array_bytes:
            raise UnsafeFileError(f"{path} holds {declared} bytes, more than {self._limits.array_bytes}")
        self._count(declared)
        return dtype, shape

    def _is_packed(self, plist: Any, path: str) -> bool:
        layout = plist.get_layout()
        if layout == h5d.VIRTUAL:
            raise UnsafeFileError(f"{path} is a virtual dataset, whose values are in other files")
        if layout not in (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED):
            raise UnsafeFileError(f"{path} has an unknown layout")
        if plist.get_external_count():
            raise UnsafeFileError(f"{path} is stored in another file")
        for i in range(plist.get_nfilters()):
            if (code := plist.get_filter(i)[0]) not in (h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE):
                raise UnsafeFileError(f"{path} is packed with filter {code}; only gzip and shuffle are used")
        return bool(layout == h5d.CHUNKED)

    def _attributes(self, owner: Any, path: str) -> Attributes:
        number = h5a.get_num_attrs(owner)
        if number > self._limits.attributes:
            raise UnsafeFileError(f"{path} has {number} attributes")
        ids = {}
        for i in range(number):
            attribute = h5a.open(owner, index=i)
            size = attribute.get_storage_size()
            if size > self._limits.attribute_bytes:
                raise UnsafeFileError(f"an attribute of {path} holds {size} bytes")
            self._count(size)
            ids[attribute.name.decode()] = attribute
        return Attributes(path, ids)

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._limits.total_bytes:
            raise UnsafeFileError(f"holds more than {self._limits.total_bytes} bytes, unpacked")


def _dtype(kind: Any, path: str) -> np.dtype[Any]:
    of = kind.get_class()
    if of == h5t.FLOAT and kind.equal(h5t.NATIVE_DOUBLE):
        return _FLOAT  # as below, but quickly
    if of == h5t.STRING and not kind.is_variable_str():
        return np.dtype(("S", kind.get_size()))
    if of in (h5t.INTEGER, h5t.FLOAT) or (of in (h5t.ENUM, h5t.COMPOUND) and kind.get_nmembers() == 2):
        dtype: np.dtype[Any] = kind.dtype
        if dtype in _DTYPES or dtype.newbyteorder("=") in _DTYPES:
            return np.dtype(dtype.str).newbyteorder("=")
    raise UnsafeFileError(f"{path} has a type that standard-form files do not use")


def _shape(space: Any, path: str) -> tuple[int, ...]:
    if space.get_simple_extent_type() == h5s.NULL:
        raise UnsafeFileError(f"{path} has no dataspace")
    shape: tuple[int, ...] = space.get_simple_extent_dims()
    return shape
