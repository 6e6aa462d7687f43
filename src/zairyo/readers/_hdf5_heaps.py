"""HDF5's global heaps (texts of no set length, among others) on which its library would work for ever.

HDF5 2.0 goes through a heap from object to object by the size that each states. A size of 0, or one so large that the
place wraps around, keeps it where it is: no call of h5py comes back, and nothing can interrupt it. So heaps are gone
through here before a file is opened, each byte of it once.

Facts: HDF5 File Format Specification, "Disk Format: Level 1E - Global Heap".
"""

from __future__ import annotations

import mmap
import re

from zairyo.readers._api import ReadError

_HEAP = re.compile(rb"GCOL\x01\0\0\0")
#: Bytes of a heap's head, and of an object's.
_HEAD = 16
#: Where the superblock of each version tells of how many bytes a length is.
_WIDTH_AT = {0: 14, 1: 14, 2: 10, 3: 10}


def check_heaps(data: bytes | mmap.mmap, name: str) -> None:
    """Go through all heaps of a file.

    Raises
    ------
    ReadError
        An object does not end within its heap; the message names the byte.
    """
    width = data[_WIDTH_AT.get(data[8], 8)] if len(data) > _HEAD else 0
    if width not in (2, 4, 8):  # which the library refuses
        return
    left = len(data) // _HEAD  # objects of heaps that do not lie over each other
    for found in _HEAP.finditer(data):
        at = found.end()
        end = found.start() + int.from_bytes(data[at : at + width], "little")
        if end > len(data):  # no heap, or one that the library refuses
            continue
        at = found.start() + _HEAD
        while at + _HEAD <= end:
            size = int.from_bytes(data[at + 8 : at + 8 + width], "little")
            is_free = data[at : at + 2] == b"\0\0"
            step = size if is_free else _HEAD + -(-size // 8) * 8
            left -= 1
            if not 0 < step <= end - at or left < 0:
                raise ReadError(
                    f"{name} is damaged at byte {at}: a text or list there does not end. Copy it again."
                )
            at += step
