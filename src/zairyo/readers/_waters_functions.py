"""Waters MassLynx' functions: ``_FUNCnnn.IDX`` says when and where each scan is in ``_FUNCnnn.DAT``.

Little-endian. A record of the index has 22 bytes: where the scan begins, how many points it has (the lowest 22 bits),
and its time. Newer time-of-flight instruments (Xevo G2, Synapt G2) write 30: the same, but where the scan begins
stands in what is added at the end. Points have 2, 4, 6 or 8 bytes, which the data file's size tells. Facts: the
published descriptions of the format (rainbow, chromConverter, unRAWNGC, OpenWRaw, wraw).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.measurement.model import Array
from zairyo.readers._api import ReadError

_RECORDS = tuple(
    np.dtype(
        {
            "names": ["points", "time", "offset"],
            "formats": ["<u4", "<f4", "<u4"],
            "offsets": [4, 12, offset],
            "itemsize": size,
        }
    )
    for size, offset in ((22, 0), (30, 22))
)
_POINTS = 0x3FFFFF
DESCRIPTION = 416  # bytes of a function's record in _FUNCTNS.INF
_TYPES = {0: "MS", 1: "SIR", 2: "delay", 3: "concatenated", 4: "off", 5: "parents", 6: "daughters", 7: "neutral loss",
          8: "neutral gain", 9: "MRM", 10: "Q1F", 11: "MS2", 12: "DAD", 13: "TOF", 14: "PSD", 15: "TOF survey",
          16: "TOF daughter", 17: "MALDI TOF", 18: "TOF MS", 19: "TOF parent"}  # fmt: skip
DIODE_ARRAY = 12
_IONISATIONS = ("EI", "CI", "FAB", "thermospray", "ESI", "APCI", "MALDI")


@dataclass(frozen=True)
class Calibration:
    """A polynomial, lowest coefficient first: in the mass (``T0``), or (``T1``) of roots of masses.

    A time of flight is as the root of the mass, which is why such instruments calibrate that.
    """

    coefficients: tuple[float, ...]
    of_roots: bool

    def apply(self, masses: Array) -> Array:
        """Masses, calibrated."""
        x = np.sqrt(masses) if self.of_roots else masses
        y: Array = np.polynomial.polynomial.polyval(x, self.coefficients)
        return y * y if self.of_roots else y


@dataclass(frozen=True)
class Function:
    """One function's scans.

    Attributes
    ----------
    times
        Shape (scans,), min.
    counts
        Points of each scan.
    positions, values
        All points, one scan after another: m/z (uncalibrated) or nm, and intensities.
    """

    times: Array
    counts: Array
    positions: Array
    values: Array


def function_types(inf: bytes) -> list[tuple[int, str]]:
    """Number and name of each function's type, from ``_FUNCTNS.INF``."""
    codes = [inf[i * DESCRIPTION] & 0x1F for i in range(len(inf) // DESCRIPTION)]
    return [(code, _TYPES.get(code, f"type {code}")) for code in codes]


def stated_ions(inf: bytes, number: int) -> tuple[str, str] | None:
    """Ionisation and polarity by a function's record; None where it states none (0 may also be EI+)."""
    mode = (
        inf[number * DESCRIPTION] | inf[number * DESCRIPTION + 1] << 8
        if inf[number * DESCRIPTION + 1 :]
        else 0
    )
    mode = mode >> 5 & 0x1F
    if not mode or mode // 2 >= len(_IONISATIONS):
        return None
    return _IONISATIONS[mode // 2], "negative" if mode % 2 else "positive"


def fixed_masses(inf: bytes, number: int) -> tuple[Array, Array]:
    """The masses (and those of the products) a function stays on: it records no masses itself."""
    if (number + 1) * DESCRIPTION > len(inf):
        return np.zeros(0), np.zeros(0)
    start = number * DESCRIPTION
    with np.errstate(invalid="ignore"):
        masses = np.frombuffer(inf, "<f4", 32, start + 160).astype(float)
        products = np.frombuffer(inf, "<f4", 32, start + 288).astype(float)
    chosen = np.isfinite(masses) & (masses > 0)
    return masses[chosen], np.where(np.isfinite(products), products, 0.0)[chosen]


def read_function(
    index: bytes, data: bytes, masses: Array, calibration: Calibration | None, name: str
) -> Function | None:
    """A function's scans; None if nothing was acquired.

    Parameters
    ----------
    masses
        Of a function whose data file has only intensities.
    calibration
        None for wavelengths or where there is none.
    """
    records, starts, width = _scans(index, data, name)
    counts = (records["points"] & _POINTS).astype(np.int64)
    filled = np.flatnonzero(counts)
    if not len(filled):
        return None
    if not np.isfinite(records["time"]).all():
        raise ReadError(f"{name}.IDX has times that are no numbers; it is damaged. Copy the folder again.")
    total = int(counts.sum())
    body = data[int(starts[filled[0]]) :]
    with np.errstate(all="ignore"):  # numbers of a damaged file may overflow; they are checked below
        positions, values = _UNPACK[width](body, total)
    if positions is None:
        if len(masses) == 0 or (counts[filled] != len(masses)).any():
            raise ReadError(
                f"{name} has intensities only, but _FUNCTNS.INF names {len(masses)} masses for its scans"
            )
        positions = np.tile(masses, len(filled))
    elif calibration:
        with np.errstate(all="ignore"):
            positions = calibration.apply(positions)
    if not (np.isfinite(positions).all() and np.isfinite(values).all()):
        raise ReadError(f"{name}.DAT unpacks to what are no numbers; it is damaged. Copy the folder again.")
    return Function(records["time"].astype(float), counts, positions, values)


def _scans(index: bytes, data: bytes, name: str) -> tuple[Array, Array, int]:
    """The index's records, where each scan begins, and bytes a point.

    The size of a record is the one by which the scans follow one another and fill the data file.
    """
    sizes = [record for record in _RECORDS if len(index) % record.itemsize == 0]
    if not sizes:
        raise ReadError(
            f"{name}.IDX ends within a record ({len(index)} bytes); it is cut off. Copy the folder again."
        )
    error = ReadError(f"{name}.IDX is empty")
    for size in sizes:
        records = np.frombuffer(index, size)
        starts = records["offset"].astype(np.int64)
        try:
            return records, starts, _width(records["points"] & _POINTS, starts, len(data), name)
        except ReadError as e:
            error = e
    raise error


def _width(points: Array, starts: Array, length: int, name: str) -> int:
    """Bytes a point; 0 where there is none."""
    counts = points.astype(np.int64)
    filled = np.flatnonzero(counts)
    if not len(filled):
        return 0
    last = int(filled[-1])
    left = length - int(starts[last])
    width, rest = divmod(left, int(counts[last]))
    if width not in _UNPACK or rest or int(counts.sum()) * width > length:
        raise ReadError(
            f"{name}.DAT has {left} bytes for the {int(counts[last])} points of its last scan; it is cut off or a "
            "variant (compressed) that is not read"
        )
    expected = np.concatenate([[0], np.cumsum(counts * width)[:-1]])
    if (starts[filled] != expected[filled] + starts[filled[0]] - expected[filled[0]]).any():
        raise ReadError(
            f"{name}.IDX does not tell of scans one after another; it is damaged. Copy the folder again."
        )
    return width


def _two(body: bytes, total: int) -> tuple[Array | None, Array]:
    raw = np.frombuffer(body, "<u2", total).astype(np.int64)
    return None, (raw >> 3) << (2 * (raw & 7))


def _four(body: bytes, total: int) -> tuple[Array | None, Array]:
    raw = np.frombuffer(body, "<u4", total).astype(np.int64)
    values: Array = np.ldexp((raw & 0x1FFFFF) / 1024.0, ((raw >> 22) - 10).astype(np.int32))
    return None, values


def _six(body: bytes, total: int) -> tuple[Array | None, Array]:
    point = np.dtype([("value", "<i2"), ("coded", "<u4")])
    points = np.frombuffer(body, point, total)
    coded = points["coded"].astype(np.int64)
    positions = np.ldexp((coded >> 9).astype(float), (((coded >> 4) & 0x1F) - 23).astype(np.int32))
    return positions, points["value"] * 4.0 ** (coded & 15)


def _eight(body: bytes, total: int) -> tuple[Array | None, Array]:
    """A position in the upper 36 bits and a value in the lower 28, each with the number of its whole bits first."""
    raw = np.frombuffer(body, "<u8", total)
    key, low = (raw >> np.uint64(28)).astype(np.int64), (raw & np.uint64(0xFFFFFFF)).astype(np.int64)
    positions = np.ldexp((key & 0x7FFFFFFF).astype(float), ((key >> 31) - 31).astype(np.int32))
    values: Array = np.ldexp((low & 0x1FFFFF).astype(float), ((low >> 22) - 21).astype(np.int32))
    return positions, values


_UNPACK: dict[int, Any] = {2: _two, 4: _four, 6: _six, 8: _eight}
