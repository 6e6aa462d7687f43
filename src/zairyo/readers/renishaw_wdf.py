"""Renishaw WiRE ``.wdf``: Raman and photoluminescence spectra, series, line scans and maps.

The file is a chain of blocks: name (4 bytes), number (4), length with this head (8), content; little-endian.
Facts about the blocks: Renishaw's published header names as used by Gwyddion and by the wdf readers in Python.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._renishaw_pset import MAGIC as PSET
from zairyo.readers._renishaw_pset import filetime, read_pset

_HEADER_BYTES = 512
_BLOCK_HEAD = struct.Struct("<4sIQ")
_HEADER = struct.Struct("<4sIQQ16sQIIIIQQIIII24s4HIIQQIf48s32s160s")
_HEADER_FIELDS = (
    "signature",
    "version",
    "size",
    "flags",
    "uuid",
    "unused_0",
    "unused_1",
    "tracks",
    "status",
    "points",
    "capacity",
    "collected",
    "accumulations",
    "y_list_length",
    "x_list_length",
    "origin_count",
    "application",
    *(f"application_version_{i}" for i in range(4)),
    "scan_type",
    "measurement_type",
    "time_start",
    "time_end",
    "unit",
    "laser_wavenumber",
    "spare",
    "user",
    "title",
)
_MOST_BLOCKS = 100_000
#: Blocks without which the spectra have no numbers or no places.
_NEEDED = ("DATA", "XLST", "ORGN")
#: Some writers count a few bytes too many for their last block; more missing is a file that was cut off.
_FORGIVEN_BYTES = 16
SCAN_TYPES = (
    "unspecified",
    "static",
    "continuous",
    "step and repeat",
    "filter scan",
    "filter image",
    "StreamLine",
    "StreamLine HR",
    "point detector",
)
MEASUREMENT_TYPES = ("unspecified", "single", "series", "mapping")
_MAPPING = MEASUREMENT_TYPES.index("mapping")
#: WiRE's units, in the order of its numbers, as Pint spells them; None is "none stated".
UNITS = (
    "arb",
    "1/cm",
    "1/cm",
    "nm",
    "eV",
    "um",
    "counts",
    "electron",
    "mm",
    "m",
    "K",
    "Pa",
    "s",
    "ms",
    "hour",
    "day",
    "pixel",
    "arb",
    "arb",
    "deg",
    "rad",
    "degC",
    "degF",
    "K/min",
    "filetime",
    "us",
)


@dataclass(frozen=True)
class WdfBlock:
    """Where a block's content is in the file."""

    name: str
    number: int
    start: int
    stop: int


@dataclass(frozen=True)
class Wdf:
    """The file in pieces: its bytes, its header's numbers, its blocks and its property sets."""

    data: bytes
    header: dict[str, Any]
    blocks: tuple[WdfBlock, ...]
    properties: dict[str, Any]

    def block(self, name: str) -> WdfBlock | None:
        return next((b for b in self.blocks if b.name == name), None)

    def array(self, block: WdfBlock, offset: int, dtype: str, count: int) -> np.ndarray[Any, Any]:
        """``count`` numbers at ``offset`` of a block's content; ReadError if they are not there."""
        size = count * np.dtype(dtype).itemsize
        if count < 0 or block.start + offset + size > block.stop:
            raise ReadError(
                f"block {block.name!r} at byte {block.start} has {block.stop - block.start} bytes, but {offset + size} "
                "are needed for what the header announces; the file is damaged"
            )
        return np.frombuffer(self.data, dtype, count, block.start + offset)


def sniff(src: RawInput) -> float:
    head = src.head
    if head[:4] != b"WDF1":
        return NO
    return CERTAIN if struct.pack("<Q", _HEADER_BYTES) == head[8:16] else LIKELY


def read(src: RawInput) -> Measurement:
    from zairyo.readers._renishaw_entries import entries_of

    warnings: list[str] = []
    wdf = _parse(src.read_bytes(), warnings)
    with np.errstate(all="ignore"):  # positions of a damaged file may overflow; they stay as they are
        entries = entries_of(wdf, warnings)
    header, instrument = wdf.header, _text(wdf.properties.get("WXIS"), "Instrument type")
    return Measurement(
        entries=tuple(entries),
        title=header["title"],
        instrument=f"Renishaw {instrument}" if instrument else "",
        operator=header["user"],
        original_metadata=_metadata(wdf),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _text(values: Any, name: str) -> str:
    value = values.get(name) if isinstance(values, dict) else None
    return value if isinstance(value, str) else ""


def _parse(data: bytes, warnings: list[str]) -> Wdf:
    if data[:4] != b"WDF1":
        raise ReadError("this is not a WiRE file: it does not begin with 'WDF1'")
    if len(data) < _HEADER_BYTES:
        raise ReadError(f"the file is cut off: {len(data)} bytes, and its header alone has {_HEADER_BYTES}")
    header: dict[str, Any] = dict(zip(_HEADER_FIELDS, _HEADER.unpack_from(data), strict=True))
    for name in ("application", "user", "title"):
        header[name] = clean_text(header[name].split(b"\0")[0].decode("utf-8", "replace")).strip()
    blocks = _find_blocks(data, header["measurement_type"], warnings)
    properties: dict[str, Any] = {}
    for block in blocks:
        if data[block.start : block.start + 4] == PSET:
            values, _, problem = read_pset(data[block.start : block.stop])
            name = block.name.strip() + (f"_{block.number}" if block.number else "")
            properties[name] = values
            if problem:
                warnings.append(f"The properties {block.name!r} could not be read to their end: {problem}.")
    return Wdf(data, header, tuple(blocks), properties)


def _find_blocks(data: bytes, measurement_type: int, warnings: list[str]) -> list[WdfBlock]:
    """The chain of blocks; a last one that is a few bytes short is left out if the spectra need it not.

    Raises
    ------
    ReadError
        The file is cut off within what the spectra need, or no chain of blocks.
    """
    blocks: list[WdfBlock] = []
    at = 0
    while at < len(data) and len(blocks) < _MOST_BLOCKS:
        if at + _BLOCK_HEAD.size > len(data):
            raise ReadError(f"the file is cut off at byte {len(data)}, within the head of a block")
        name, number, length = _BLOCK_HEAD.unpack_from(data, at)
        if length < _BLOCK_HEAD.size or not name.isascii():
            raise ReadError(f"there is no valid block at byte {at}; the file is damaged")
        if at + length > len(data):
            problem = (
                f"block {name.decode()!r} at byte {at} should have {length} bytes, but the file ends after "
                f"{len(data) - at}; it is cut off"
            )
            needed = (*_NEEDED, "WMAP") if measurement_type == _MAPPING else _NEEDED
            missing = at + length - len(data)
            if missing <= _FORGIVEN_BYTES and {b.name for b in blocks}.issuperset(needed):
                warnings.append(
                    f"The spectra are complete, but {problem}: that block and what follows is missing."
                )
                break
            raise ReadError(f"{problem}. Copy it again from the instrument.")
        blocks.append(WdfBlock(clean_text(name.decode()), number, at + _BLOCK_HEAD.size, at + length))
        at += length
    return blocks


def _metadata(wdf: Wdf) -> dict[str, Any]:
    """The header in words, every property set, and the annotation."""
    header = wdf.header
    told = {name: header[name] for name in _HEADER_FIELDS[6:17] if not name.startswith("unused")}
    told["version"], told["flags"] = header["version"], header["flags"]
    told["uuid"] = header["uuid"].hex()
    told["application_version"] = ".".join(str(header[f"application_version_{i}"]) for i in range(4))
    told["scan_type"] = _of(SCAN_TYPES, header["scan_type"] & 0xFF)
    told["scan_flags"] = header["scan_type"] >> 8
    told["measurement_type"] = _of(MEASUREMENT_TYPES, header["measurement_type"])
    told["time_start"], told["time_end"] = filetime(header["time_start"]), filetime(header["time_end"])
    told["unit"] = _of(UNITS, header["unit"])
    told["laser_wavenumber"] = header["laser_wavenumber"]
    told["user"], told["title"] = header["user"], header["title"]
    metadata: dict[str, Any] = {"WDF1": told, **wdf.properties}
    if (block := wdf.block("TEXT")) is not None:
        metadata["TEXT"] = wdf.data[block.start : block.stop].rstrip(b"\0")
    metadata["blocks"] = [f"{b.name} {b.number}: {b.stop - b.start} bytes" for b in wdf.blocks]
    return dict(tidy_metadata(metadata))


def _of(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else f"unknown ({number})"


READER = Reader(
    name="renishaw_wdf",
    version="3",
    techniques=("raman", "photoluminescence", "optical_microscopy"),
    vendor="Renishaw",
    format="WiRE WDF",
    endings=(".wdf",),
    sniff=sniff,
    read=read,
    notes="Single spectra, time, depth and temperature series, line scans, maps (interrupted ones too), maps that "
    "WiRE computed, and the white-light image where Pillow is installed.",
)
