"""HDF5 written directly: the few things a standard-form file is made of, each in one call.

The low-level API is used because a file holds a hundred small objects and the convenient one takes several
times as long for each. All texts are of fixed length in UTF-8: they cost no global heap, and a reader knows
their size before it reads them. Times of creation are not stored, so equal content gives equal bytes.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Any

import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5p, h5s, h5t

from zairyo.measurement.arrays import Array, characters

_SCALAR = h5s.create(h5s.SCALAR)
_CHUNK_BYTES = 1024 * 1024
_GZIP_LEVEL = 1  # measured: higher levels take up to 5 times as long for some percent


def _tracked(kind: Any) -> Any:
    plist = h5p.create(kind)
    plist.set_link_creation_order(h5p.CRT_ORDER_TRACKED | h5p.CRT_ORDER_INDEXED)
    plist.set_obj_track_times(False)
    return plist


def _layout(layout: int) -> Any:
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_layout(layout)
    plist.set_obj_track_times(False)
    plist.set_fill_time(h5d.FILL_TIME_NEVER)
    return plist


_GROUP = _tracked(h5p.GROUP_CREATE)
_FILE = _tracked(h5p.FILE_CREATE)
_CONTIGUOUS = _layout(h5d.CONTIGUOUS)


def new_file(most_bytes: int) -> Any:
    """A file in memory, to be taken out with :func:`take_bytes`; grows in steps fit for ``most_bytes``."""
    # HDF5 takes two open files of one name for the same file, in memory too.
    name = secrets.token_bytes(16).hex().encode()
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fapl_core(max(64 * 1024, most_bytes // 8), False)
    # 1.10's layout: read by every viewer of the last years, and faster to write than the oldest one.
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    return h5f.create(name, h5f.ACC_TRUNC, _FILE, access)


def take_bytes(file: Any) -> bytes:
    h5f.flush(file)
    image: bytes = file.get_file_image()
    return image


def open_root(file: Any) -> Any:
    return h5g.open(file, b"/")


def new_group(parent: Any, name: str) -> Any:
    return h5g.create(parent, name.encode(), gcpl=_GROUP)


@lru_cache(maxsize=1024)
def _text_type(size: int) -> Any:
    kind = h5t.C_S1.copy()
    kind.set_size(size)
    kind.set_cset(h5t.CSET_UTF8)
    kind.set_strpad(h5t.STR_NULLPAD)
    kind.lock()
    return kind


@lru_cache(maxsize=64)
def number_type(dtype: Any) -> Any:
    """The HDF5 type of a number, truth value or complex number in memory."""
    return h5t.py_create(dtype, logical=True)


def encoded(value: Any, step: int = 1) -> Array:
    """What is stored of a text, a number or an array: bytes for text (of one text a multiple of ``step``)."""
    if isinstance(value, str):
        data = value.encode()
        return np.array(data, dtype=f"S{max(1, -(-len(data) // step)) * step}")
    array = np.asarray(value)
    if array.dtype.kind == "U":
        return encode_text(array)
    return array.view(np.int64) if array.dtype.kind == "M" else array


def _type(array: Array) -> Any:
    return _text_type(array.dtype.itemsize) if array.dtype.kind == "S" else number_type(array.dtype)


def put_attribute(owner: Any, name: str, data: Array) -> None:
    """A text, a number, or a one-dimensional array of either, ``encoded``."""
    kind = _type(data)
    space = h5s.create_simple(data.shape) if data.ndim else _SCALAR
    h5a.create(owner, name.encode(), kind, space).write(data, mtype=kind)


def put_dataset(parent: Any, name: str, data: Array, *, packed: bool) -> Any:
    """A dataset of any dtype the standard form holds, ``encoded``; ``packed`` with gzip and shuffle."""
    kind = _type(data)
    space = h5s.create_simple(data.shape) if data.ndim else _SCALAR
    dataset = h5d.create(parent, name.encode(), kind, space, _compressed(data) if packed else _CONTIGUOUS)
    if data.size:
        dataset.write(h5s.ALL, h5s.ALL, data, mtype=kind)
    return dataset


def _compressed(data: Array) -> Any:
    plist = _layout(h5d.CHUNKED)
    plist.set_chunk(chunk_shape(data.shape, data.dtype.itemsize))
    if data.dtype.kind != "S":
        plist.set_shuffle()
    plist.set_deflate(_GZIP_LEVEL)
    return plist


def chunk_shape(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Whole fast axes, cut along the slow ones, so that a chunk is about 1 MiB: a spectrum is in one piece."""
    room = max(1, _CHUNK_BYTES // itemsize)
    chunk = []
    for length in reversed(shape):
        chunk.append(max(1, min(length, room)))
        room //= chunk[-1]
    return tuple(reversed(chunk))


def link(parent: Any, path: str, target_parent: Any, target: str) -> None:
    """A hard link: one more name for the same object."""
    parent.links.create_hard(path.encode(), target_parent, target.encode())


def encode_text(array: Array) -> Array:
    """Text of any shape as fixed-length UTF-8 bytes, padded with NUL."""
    code = characters(array)
    if code.size == 0 or code.max() == 0:
        return np.zeros(array.shape, "S1")
    if code.max() < 128:
        return np.ascontiguousarray(code, np.uint8).view(f"S{code.shape[1]}").reshape(array.shape)
    return np.char.encode(array, "utf-8")


def decode_text(array: Array) -> Array:
    """The inverse of :func:`encode_text`; ``UnicodeDecodeError`` if it is not UTF-8."""
    width = array.dtype.itemsize
    if array.size == 0:
        return np.zeros(array.shape, "U1")
    code = array.reshape(-1).view(np.uint8).reshape(-1, width)
    if code.max() < 128:
        return code.astype(np.uint32).view(f"U{width}").reshape(array.shape)
    return np.char.decode(array, "utf-8")
