"""HDF5 files of unknown origin, read without following them out of the file or into more memory than there is."""

from __future__ import annotations

import io
import math
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import MeasurementError
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers._hdf5_heaps import check_heaps

MAGIC = b"\x89HDF\r\n\x1a\n"
#: The most bytes that one array may unpack to.
MOST_ARRAY = 2 * 1024**3
_MOST_MEMBERS = 50_000


@contextmanager
def open_hdf5(src: RawInput, member: str = "") -> Iterator[Any]:
    """The file (or a member of an archive) as an ``h5py.File``; whatever h5py says of damage becomes a ReadError."""
    import h5py

    name = member or src.name
    try:
        plain = not member and not src.is_folder and src.path.name == src.name
        where: Any = src.path
        if plain:
            with src.path.open("rb") as raw, mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as data:
                check_heaps(data, name)
        else:
            content = src.member(member) if member else src.read_bytes()
            check_heaps(content, name)
            where = io.BytesIO(content)
        with h5py.File(where, "r") as f:
            yield f
    except (ReadError, MeasurementError):
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, OverflowError) as e:
        raise ReadError(f"{name} is cut off or damaged: {' '.join(str(e).split())}. Copy it again.") from None


def is_standard_form(head: bytes) -> bool:
    """Whether a file that begins so is one that Zairyo wrote."""
    return head.startswith(MAGIC) and b"zairyo_form" in head[:16384]


def root_names(src: RawInput) -> frozenset[str]:
    """Names in the root group; empty if it is no HDF5 file. For ``sniff``: never raises."""
    if src.head[:8] != MAGIC:
        return frozenset()
    if root_names not in src.known:
        try:
            with open_hdf5(src) as f:
                src.known[root_names] = frozenset(members(f))
        except ReadError:
            src.known[root_names] = frozenset[str]()
    return cast("frozenset[str]", src.known[root_names])


def members(group: Any) -> list[str]:
    """Names of what is in this file itself: no soft, external or user-defined links."""
    import h5py

    found: list[str] = []
    hard = h5py.h5l.TYPE_HARD
    links = group.id.links  # a fifth of the time that ``group.get`` takes
    for name in islice(group, _MOST_MEMBERS):
        if isinstance(name, str) and links.get_info(name.encode("utf-8", "surrogateescape")).type == hard:
            found.append(name)
    return found


def group_at(parent: Any, path: str) -> Any | None:
    """The group at a path of hard links; None if there is none."""
    import h5py

    for name in path.split("/"):
        if not isinstance(parent, h5py.Group) or not isinstance(
            parent.get(name, getlink=True), h5py.HardLink
        ):
            return None
        parent = parent[name]
    return parent if isinstance(parent, h5py.Group) else None


def dataset(group: Any, name: str, most: int = MOST_ARRAY) -> Any | None:
    """The dataset of a name; None if there is none.

    Raises
    ------
    ReadError
        If its values lie in another file, or are more than ``most`` bytes.
    """
    import h5py

    if not isinstance(group, h5py.Group) or not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return None
    found = group[name]
    if not isinstance(found, h5py.Dataset):
        return None
    if found.is_virtual or found.external:
        raise ReadError(f"{found.name} keeps its values in another file; such files are not read")
    size = math.prod(found.shape or (0,)) * found.dtype.itemsize
    if size > most:
        raise ReadError(
            f"{found.name} has the shape {found.shape}, {size / 1024**3:.1f} GiB; the most that is read is "
            f"{most / 1024**3:.1f} GiB"
        )
    return found


def text_of(group: Any, name: str, most: int = 16 * 1024**2) -> str:
    """A dataset of one text, as text; empty if there is none."""
    found = dataset(group, name, most)
    if found is None or found.size != 1:
        return ""
    value = found[()]
    value = value.reshape(-1)[0] if isinstance(value, np.ndarray) else value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _common_attribute(owner: Any, name: str) -> Any | None:
    """A number, or a text of a set length: read in half of ``attrs.get``'s time, which a file with hundreds needs."""
    from h5py import h5a, h5t

    found = h5a.open(owner, name.encode("utf-8", "surrogateescape"))
    kind, shape = found.get_type(), found.shape  # HDF5 is asked for each anew, which takes its time
    if shape not in ((), (1,)):
        return None
    is_text = kind.get_class() == h5t.STRING
    if is_text:
        form = None if kind.is_variable_str() else f"S{kind.get_size()}"
    else:
        form = next((form for native, form in _natives() if kind == native), None)
    if form is None:
        return None
    value = np.zeros(1, form)
    found.read(value.reshape(shape), mtype=kind)
    if is_text and kind.get_strpad() == h5t.STR_NULLTERM:
        return value[0].partition(b"\0")[0]  # what is behind the end may be anything
    return value[0]


@cache
def _natives() -> tuple[tuple[Any, str], ...]:
    from h5py import h5t

    return ((h5t.NATIVE_DOUBLE, "f8"), (h5t.NATIVE_INT32, "i4"), (h5t.NATIVE_UINT8, "u1"))


def attribute(owner: Any, name: str) -> Any:
    """An attribute's value, text decoded; None if it is missing or cannot be read."""
    try:
        value = _common_attribute(owner.id, name)
        if value is None:
            value = owner.attrs.get(name)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError):
        return None
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def slowest_first(found: Any) -> NDArray[Any]:
    """An array of (y, x, …, frame) as (frame, y, x, …), frame by frame: never twice in memory."""
    *shape, frames = found.shape
    values = np.empty((frames, *shape), found.dtype)
    for i in range(frames):
        values[i] = found[..., i]
    values.flags.writeable = False
    return values
