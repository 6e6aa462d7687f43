"""A raw file's bytes without a copy of them in memory, for formats whose arrays lie in the file as they are."""

from __future__ import annotations

import io
import mmap

from zairyo.readers._api import RawInput, ReadError


def map_bytes(src: RawInput) -> bytes | mmap.mmap:
    """Everything in the file: mapped where it is plain, unpacked into memory where it is compressed.

    Both can be sliced, unpacked with ``struct`` and viewed by ``numpy.frombuffer`` (read-only).

    Raises
    ------
    ReadError
        If the file is empty, or its packing is cut off.
    """
    with src.open() as f:
        if isinstance(f, io.BufferedReader):
            try:
                return mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
            except (ValueError, OSError):
                pass  # empty, or on a file system that cannot be mapped
    data = src.read_bytes()
    if not data:
        raise ReadError(f"{src.path.name} is empty")
    return data
