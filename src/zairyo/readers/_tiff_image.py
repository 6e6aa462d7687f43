"""The pixels of a TIFF page: what tifffile unpacks by itself, and LZW, which it leaves to a package of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import RawInput, ReadError

_CLEAR, _END, _FIRST = 256, 257, 258
_LZW, _HORIZONTAL = 5, 2
MOST_PIXEL_BYTES = 1024**3
#: Of the codes that can follow a clear code: how many bits they have (a bit more when all but one of the values
#: are taken; the last step's entry is not yet one), and at which bit they begin.
_WIDTHS = np.array([min(12, (_FIRST + n).bit_length()) for n in range(4096 - _FIRST + 2)])
_PLACES = np.concatenate(([0], np.cumsum(_WIDTHS)[:-1]))


@contextmanager
def opened(src: RawInput, member: str = "") -> Iterator[Any]:
    """The file (or a member of an archive) as a ``tifffile.TiffFile``; whatever is wrong with it is a ReadError."""
    from tifffile import TiffFile

    name = member or src.name
    try:
        data = BytesIO(src.member(member)) if member else src.open()
        with data, TiffFile(data, name=PurePosixPath(name).name) as file:
            if not len(file.pages):
                raise ReadError(f"{name} has no image in it")
            yield file
    except ReadError:
        raise
    except Exception as e:  # tifffile raises anything on a damaged file
        raise ReadError(
            f"{name} is cut off or damaged ({' '.join(str(e).split())}). Copy it again."
        ) from None


def pixels(page: Any, what: str) -> NDArray[Any]:
    """A page's values: (rows, columns) or (rows, columns, samples).

    Raises
    ------
    ReadError
        If the page is packed in a way that is not unpacked here, is cut off, or is larger than memory allows.
    """
    try:
        shape, dtype = tuple(page.shape), page.dtype
        if dtype is None or not shape or 0 in shape or math.prod(shape) * dtype.itemsize > MOST_PIXEL_BYTES:
            raise ReadError(f"{what} announces an image of {shape} values of {dtype}, which is not read")
        if int(page.compression) == _LZW:
            return _unpack(page, what)
        values: NDArray[Any] = page.asarray()
    except ReadError:
        raise
    except Exception as e:  # tifffile and its packings raise anything on a damaged page
        words = " ".join(str(e).split()) or type(e).__name__
        hint = (
            f"its compression ({page.compression.name}) is not unpacked here; save it uncompressed"
            if "imagecodecs" in words or isinstance(e, ImportError)
            else "it is cut off or damaged. Copy it again"
        )
        raise ReadError(f"{what} cannot be read as an image ({words}): {hint}.") from None
    if values.shape != shape:
        values = values.reshape(shape)
    if values.ndim == 3 and page.planarconfig == 2:
        values = np.moveaxis(values, 0, -1)
    return values


def _unpack(page: Any, what: str) -> NDArray[Any]:
    """A page of strips that are packed with LZW, with or without differences between neighbours."""
    if page.is_tiled or page.planarconfig != 1 or page.dtype.itemsize > 2:
        raise ReadError(
            f"{what} is packed with LZW in tiles or planes, which is not unpacked here; save it otherwise"
        )
    rows, row_shape = page.shape[0], page.shape[1:]
    row_bytes = math.prod(row_shape) * page.dtype.itemsize
    strip_rows = min(int(page.rowsperstrip), rows) or rows
    handle, parts = page.parent.filehandle, []
    for number, (at, size) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
        wanted = min(strip_rows, rows - number * strip_rows) * row_bytes
        if wanted <= 0:
            break
        handle.seek(at)
        parts.append(lzw(handle.read(size), wanted, what))
    data = b"".join(parts)
    if len(data) != rows * row_bytes:
        raise ReadError(f"{what} is cut off: {len(data)} of {rows * row_bytes} bytes of its image are there")
    values = np.frombuffer(data, page.dtype.newbyteorder(page.parent.byteorder)).reshape(page.shape)
    if int(page.predictor) == _HORIZONTAL:
        values = np.cumsum(values, axis=1, dtype=page.dtype)
    return values


def lzw(data: bytes, size: int, what: str = "the image") -> bytes:
    """Unpack ``size`` bytes of TIFF's LZW (codes of 9 … 12 bits, the highest bit first).

    A code from 258 on stands for what an earlier step gave and one byte more: only where that step's output
    began and how long it was is kept.

    Raises
    ------
    ReadError
        If there is a code that cannot be, or the data end before ``size`` bytes are there.
    """
    out = bytearray()
    packed = np.frombuffer(data + bytes(4), np.uint8).astype(np.uint32)
    at = 0
    while len(out) < size:
        codes = _codes(packed, at, len(data) * 8)
        if not codes:
            break
        used = _run(codes, out, size, what)
        if used == len(codes) or codes[used] == _END:
            break
        at += int(_PLACES[used] + _WIDTHS[used])  # behind the clear code
    if len(out) < size:
        raise ReadError(f"{what} is cut off: its packed data end after {len(out)} of {size} bytes")
    return bytes(out[:size])


def _codes(packed: NDArray[np.uint32], start: int, end: int) -> list[int]:
    """The codes from a bit on, as many as can follow a clear code."""
    count = int(np.searchsorted(_PLACES + _WIDTHS, end - start, "right"))
    places = start + _PLACES[:count]
    first = places >> 3
    window = packed[first] << 24 | packed[first + 1] << 16 | packed[first + 2] << 8 | packed[first + 3]
    widths = _WIDTHS[:count]
    found: list[int] = (window >> (32 - widths - (places & 7)).astype(np.uint32) & (1 << widths) - 1).tolist()
    return found


def _run(codes: list[int], out: bytearray, size: int, what: str) -> int:
    """Unpack up to the next clear or end code, or until there are ``size`` bytes; how many codes that took."""
    starts: list[int] = []
    lengths: list[int] = []
    for i, code in enumerate(codes):
        begin = len(out)
        if code < _CLEAR:
            length = 1
            out.append(code)
        elif code >= _FIRST:
            step = code - _FIRST
            if step >= i:
                raise ReadError(
                    f"{what} is damaged: its packed data hold an impossible code after {begin} bytes"
                )
            start, length = starts[step], lengths[step] + 1
            out += out[start : start + length]
            if step == i - 1:  # the step before this one: its one byte more is this one's first
                out.append(out[begin])
        else:
            return i
        starts.append(begin)
        lengths.append(length)
        if begin + length >= size:
            return len(codes)
    return len(codes)
