"""Bruker OPUS files in pieces: the directory, parameter blocks, spectra, series of spectra.

The file begins with its magic number, the program's version (float64), the directory's place, its room and its
length. A directory entry is: type (32 bits), length in 32-bit words, place in bytes. The type's bits say what a
block holds: complex part (2 bits), sample, reference or ratio (2), kind of parameters (6), kind of data (7),
derivative (2), extension (7); the rest tells versions of one spectrum apart. A parameter block of a spectrum has
that spectrum's type with parameter kind 1. Facts: public descriptions of the format, among them brukeropus'.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError
from zairyo.readers._optical_bytes import Fields, legacy_text, unique_key

MAGIC = b"\x0a\x0a\xfe\xfe"
_HEADER_BYTES = 24
_ENTRY_BYTES = 12
_MOST_BLOCKS = 100_000
_STATUS = 1 << 4  # parameter kind 1: what a spectrum's axis and scale are
_ALL_TYPE_BITS = (1 << 26) - 1
_TYPE_BITS = (1 << 19) - 1  # all but the extension
SERIES, COMPACT, LOG = 2, 4, 5
DIRECTORY = 13
PARAMETERS = {
    2: "Instrument",
    3: "Acquisition",
    4: "Fourier transform",
    5: "Plot",
    6: "Optics",
    7: "GC",
    8: "Library search",
    9: "Communication",
    10: "Sample",
    11: "Laboratory and process",
}
#: What stands behind each spectrum of a series: scans, limits, scale, and when it was taken.
_INFO: np.dtype[Any] = np.dtype(
    [
        *((name, "<i4") for name in ("NSS", "NSR", "NSN", "NPT", "GFW", "GBW", "BFW", "BBW")),
        *((name, "<f8") for name in ("HFL", "LFL", "HFF", "LFF")),
        *((name, "<i4") for name in ("filter_size", "filter_type")),
        *((name, "<f8") for name in ("FXV", "LXV", "MNY", "MXY", "CSF", "PKA", "PRA")),
        *((name, "<i4") for name in ("PKL", "PRL")),
        *((name, "<f8") for name in ("SRT", "ERT")),
    ]
)


@dataclass(frozen=True)
class Block:
    """One directory entry: its type and where its content is, in bytes."""

    type: int
    start: int
    size: int

    @property
    def complex_part(self) -> int:
        return self.type & 3

    @property
    def origin(self) -> int:
        """1 sample, 2 reference, 3 ratio, 0 none of them."""
        return self.type >> 2 & 3

    @property
    def parameters(self) -> int:
        return self.type >> 4 & 0x3F

    @property
    def kind(self) -> int:
        """The kind of data; further detectors count up in steps of 32."""
        return (self.type >> 10 & 0x7F) % 32

    @property
    def channel(self) -> int:
        return (self.type >> 10 & 0x7F) // 32

    @property
    def derivative(self) -> int:
        return self.type >> 17 & 3

    @property
    def extension(self) -> int:
        return self.type >> 19 & 7

    @property
    def is_data(self) -> bool:
        return not self.parameters and self.kind not in (0, DIRECTORY) and self.extension != LOG


@dataclass
class Opus:
    """The file: its blocks, its parameters by group, its log, and the spectra with the parameters of each."""

    version: float
    blocks: list[Block]
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: str = ""
    spectra: list[tuple[Block, dict[str, Any]]] = field(default_factory=list)

    def first(self, name: str) -> Any:
        """A parameter's first value that is not empty, of the sample before the reference; None if there is none."""
        groups = sorted(self.parameters.items(), key=lambda group: "reference" in group[0])
        return next((v for _, group in groups if (v := group.get(name)) not in (None, "")), None)


def read_opus(fields: Fields, warnings: list[str]) -> Opus:
    _, version, directory, _, count = fields.unpack("<4sdiii", 0, "the header")
    if not 0 < count <= _MOST_BLOCKS:
        raise ReadError(f"{fields.name}: the header announces {count} blocks; it is damaged")
    table = fields.array("<u4", directory, 3 * count, "the directory").reshape(-1, 3)
    blocks = [Block(kind, start, 4 * words) for kind, words, start in table.tolist() if start]
    for block in blocks:
        fields.need(block.start, block.size, f"the block of type {block.type:#x}")
    opus = Opus(version, blocks)
    for block in blocks:
        if block.parameters in PARAMETERS:
            label = PARAMETERS[block.parameters] + (" (reference)" if block.origin == 2 else "")
            opus.parameters[unique_key(label, opus.parameters)] = read_parameters(fields, block, warnings)
        elif not block.type & _TYPE_BITS and block.extension == LOG:
            parts = fields.part(block.start, block.size, "the log").split(b"\0")
            opus.log = "\n".join(text for part in parts if (text := legacy_text(part)))
    opus.spectra = _with_status(fields, blocks, warnings)
    return opus


def read_parameters(fields: Fields, block: Block, warnings: list[str]) -> dict[str, Any]:
    """Name (3 letters and NUL), type (2 bytes), length in 16-bit words (2 bytes), value; the last is named END."""
    found: dict[str, Any] = {}
    at, end = block.start, block.start + block.size
    while at + 8 <= end:
        name = fields.text(at, 3)
        kind, words = fields.unpack("<hH", at + 4, "a parameter")
        at += 8
        if name == "END":
            break
        if at + 2 * words > end or not name.isascii() or not name.isprintable():
            warnings.append(f"The parameters at byte {block.start} are damaged after {len(found)} of them.")
            break
        if kind == 0 and words >= 2:
            found[name] = fields.unpack("<i", at, name)[0]
        elif kind == 1 and words >= 4:
            found[name] = fields.unpack("<d", at, name)[0]
        else:
            found[name] = fields.text(at, 2 * words)
        at += 2 * words
    return found


# --- spectra ------------------------------------------------------------------------------------------------


def _with_status(
    fields: Fields, blocks: list[Block], warnings: list[str]
) -> list[tuple[Block, dict[str, Any]]]:
    """Each data block with its own parameters: of its type, and of its extremes where several are of its type."""
    statuses = [(b, read_parameters(fields, b, warnings)) for b in blocks if b.parameters == 1]
    found = []
    for block in blocks:
        if not block.is_data:
            continue
        fitting = [s for s in statuses if s[0].type == block.type | _STATUS]
        if not fitting:
            wanted = (block.type | _STATUS) & _ALL_TYPE_BITS
            fitting = [s for s in statuses if s[0].type & _ALL_TYPE_BITS == wanted]
        if not fitting:
            warnings.append(f"The data block at byte {block.start} has no parameters; it was left out.")
            continue
        chosen = next((s for s in fitting if _has_extremes(fields, block, s[1])), fitting[0])
        statuses.remove(chosen)
        found.append((block, chosen[1]))
    return found


def _has_extremes(fields: Fields, block: Block, status: dict[str, Any]) -> bool:
    if block.extension == SERIES or not 0 < points_of(status) <= block.size // 4:
        return False
    least, most = status.get("MNY"), status.get("MXY")
    if not (isinstance(least, float) and isinstance(most, float)):
        return False
    with np.errstate(all="ignore"):
        values = spectrum(fields, block, status)
        return bool(np.isclose([values.min(), values.max()], [least, most]).all())


def points_of(status: dict[str, Any]) -> int:
    points = status.get("NPT")
    return points if isinstance(points, int) else 0


def _number_type(status: dict[str, Any]) -> str:
    return "<i4" if status.get("DPF") == 2 else "<f4"


def spectrum(fields: Fields, block: Block, status: dict[str, Any]) -> NDArray[Any]:
    """The block's NPT numbers, scaled; a compact block has them at its end."""
    points = points_of(status)
    start = block.start + block.size - 4 * points if block.extension == COMPACT else block.start
    if not 0 < 4 * points <= block.size:
        raise ReadError(
            f"{fields.name}: the spectrum at byte {block.start} should have {points} points, but its block has "
            f"room for {block.size // 4}; the file is damaged"
        )
    values = fields.array(_number_type(status), start, points, "a spectrum")
    scale = status.get("CSF")
    return values * scale if isinstance(scale, float) and scale not in (0.0, 1.0) else values


def series(
    fields: Fields, block: Block, status: dict[str, Any], warnings: list[str]
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The spectra of a series or map, shape (spectra, points), and what stands behind each of them.

    The block begins with its version, the number of spectra, the first one's place, the size of a spectrum and of
    what stands behind it, and a table of the first and last spectrum of each run that was stored.
    """
    points = points_of(status)
    _, count, offset, data_size, info_size, runs = fields.unpack("<6i", block.start, "the head of a series")
    stride = data_size + info_size
    if min(count, offset, info_size, runs + 1) < 0 or not 0 < 4 * points <= data_size or not count:
        raise ReadError(
            f"{fields.name}: the series at byte {block.start} has no valid head; the file is damaged"
        )
    stored = max(0, block.size - offset) // stride
    if 24 + 8 * runs <= offset and runs:
        table = fields.array("<i4", block.start + 24, 2 * runs, "the table of stored spectra").reshape(-1, 2)
        expected = int((table[:, 1].astype(np.int64) - table[:, 0] + 1).clip(0).sum())
        stored = min(stored, expected) if expected else stored
    stored = min(stored, count)
    if not stored:
        raise ReadError(
            f"{fields.name}: the series at byte {block.start} holds none of its {count} spectra; it is damaged"
        )
    if stored < count:
        warnings.append(f"Of {count} spectra of a series {stored} were stored.")
    whole = fields.array("u1", block.start + offset, stored * stride, "the spectra of a series")
    rows = whole.reshape(stored, stride)
    spectra = rows[:, : 4 * points].view(_number_type(status))
    info = None
    if info_size >= _INFO.itemsize:
        info = np.ascontiguousarray(rows[:, data_size : data_size + _INFO.itemsize]).view(_INFO)[:, 0]
        scale = info["CSF"]
        if np.isfinite(scale).all() and scale.all() and (scale != 1).any():
            spectra = spectra * scale[:, np.newaxis]
    return spectra, info
