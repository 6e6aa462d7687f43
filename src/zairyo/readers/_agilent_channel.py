"""Agilent ChemStation's data files, each one channel: ``.ch`` (a trace), ``.uv`` (a diode array), ``.ms`` (scans).

A file begins with its version as a counted text. Versions below 100 keep texts in one byte a character and their
data after 512 or 1024 bytes, those above in UTF-16 and after 4096 or 6144. Numbers are big-endian, but for the
diode array's records and the arrays of doubles, which are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.measurement import clean_text
from zairyo.measurement.model import Array
from zairyo.readers._agilent_packing import DamagedStream, channel_deltas, double_deltas, undo_deltas
from zairyo.readers._api import ReadError

#: Where each version keeps what; texts first, then unit, description, scaling and what changes the scaling.
_OLD_TEXTS = {
    "file_type": 4,
    "sample": 24,
    "sample_information": 86,
    "operator": 148,
    "date": 178,
    "instrument": 208,
    "inlet": 218,
    "method": 228,
}
_NEW_TEXTS = {
    "file_type": 347,
    "sample": 858,
    "sample_information": 1369,
    "operator": 1880,
    "date": 2391,
    "instrument": 2492,
    "inlet": 2533,
    "method": 2574,
}


@dataclass(frozen=True)
class _Layout:
    """One version: ``wide`` texts are UTF-16; ``packing`` is how the values are written."""

    packing: str
    wide: bool
    unit: int
    description: int
    intercept: int
    slope: int
    scaling_version: int = 0
    known_slopes: tuple[tuple[int, float], ...] = ()
    float_times: bool = False


_COUNTS_TO_PA = tuple((n, 1.33321110047553) for n in (1, 2, 3))
_COUNTS_TO_MAU = ((1, 1.0), (2, 0.00240841663372301))
_LAYOUTS = {
    "2": _Layout("scans", False, 0, 320, 0, 0),
    "8": _Layout("deltas", False, 580, 596, 636, 644, 542, _COUNTS_TO_PA),
    "30": _Layout("deltas", False, 580, 596, 636, 644, 542, _COUNTS_TO_MAU),
    "31": _Layout("spectra", False, 326, 344, 0, 318),
    "81": _Layout("double deltas", False, 580, 596, 636, 644, float_times=True),
    "130": _Layout("deltas", True, 4172, 4213, 4724, 4732, 4134, _COUNTS_TO_MAU),
    "131": _Layout("spectra", True, 3093, 3136, 0, 3085),
    "179": _Layout("doubles", True, 4172, 4213, 4724, 4732, float_times=True),
    "181": _Layout("double deltas", True, 4172, 4213, 4724, 4732, float_times=True),
}
_TEXTS_OF_TRACES = {False: {"data_source": 322, "firmware": 355, "software": 405},
                    True: {"data_source": 3089, "firmware": 3601, "software": 3802}}  # fmt: skip
_RECORD = 22  # bytes of a spectrum's head
_SCAN = 18  # bytes of a scan's head, and
_SCAN_END = 10  # of what follows its peaks
#: OpenLab CDS keeps a diode array's doubles as fixed-point numbers with this many bits more than the slope says.
_OPENLAB_BITS = 17


@dataclass(frozen=True)
class Channel:
    """One data file.

    Attributes
    ----------
    version, header
        The file's version, and its texts and numbers verbatim.
    times
        Shape (n,), min.
    values
        A trace: shape (n,). Spectra: (n, wavelengths). Scans: all abundances, one after another.
    wavelengths
        nm; None unless these are spectra.
    counts, masses
        Of scans: points of each, and all points' masses.
    totals
        Of scans: their total ion currents where the file has a directory of them.
    warnings
        One sentence each.
    """

    version: str
    header: dict[str, Any]
    times: Array
    values: Array
    wavelengths: Array | None = None
    counts: Array | None = None
    masses: Array | None = None
    totals: Array | None = None
    warnings: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        value = self.header.get(name, "")
        return value if isinstance(value, str) else ""


def version_of(head: bytes) -> str:
    """The version a ChemStation data file states; empty if this is none."""
    text = head[1 : 1 + head[0]] if head and 1 <= head[0] <= 3 else b""
    version = text.decode("ascii", "replace")
    if version not in _LAYOUTS or len(head) < 320 or len(text) != head[0]:
        return ""
    layout = _LAYOUTS[version]
    kind = _text(
        head, _NEW_TEXTS["file_type"] if layout.wide else _OLD_TEXTS["file_type"], layout.wide
    ).upper()
    return version if "FILE" in kind or (layout.wide and not head[4:12].strip(b"\0")) else ""


def read_channel(data: bytes, name: str, *, pairs: bool | None = None) -> Channel:
    """Read one data file.

    Parameters
    ----------
    pairs
        Whether the doubles of a trace are (time, value), as in OpenLab's instrument traces; found out if None.

    Raises
    ------
    ReadError
        With the byte that is missing or wrong.
    """
    version = version_of(data[:4096])
    if not version:
        raise ReadError(f"{name} is not a ChemStation data file of a version that is known here")
    layout = _LAYOUTS[version]
    header = _header(data, layout)
    try:
        if layout.packing == "scans":
            return _scans(data, name, version, header)
        if layout.packing == "spectra":
            return _spectra(data, name, version, header, layout)
        return _trace(data, name, version, header, layout, pairs)
    except struct.error:
        raise ReadError(f"{name} is cut off within its head ({len(data)} bytes). Copy it again.") from None
    except DamagedStream as e:
        raise ReadError(f"{name}: {e}; it is cut off or damaged. Copy it again.") from None


def _text(data: bytes, offset: int, wide: bool) -> str:
    if offset >= len(data):
        return ""
    raw = data[offset + 1 : offset + 1 + data[offset] * (2 if wide else 1)]
    decoded = raw.decode("utf-16-le", "replace") if wide else raw.decode("cp1252", "replace")
    text = clean_text(decoded.split("\0")[0]).strip()
    return text if text.isprintable() else ""


def _header(data: bytes, layout: _Layout) -> dict[str, Any]:
    texts = dict(_NEW_TEXTS if layout.wide else _OLD_TEXTS)
    texts["unit"], texts["description"] = layout.unit, layout.description
    if layout.packing not in ("scans", "spectra"):
        texts |= _TEXTS_OF_TRACES[layout.wide]
    header: dict[str, Any] = {
        name: text for name, at in texts.items() if at and (text := _text(data, at, layout.wide))
    }
    if len(data) >= 258:
        sequence, vial, injection = struct.unpack_from(">hhh", data, 252)
        numbers = {"sequence_line": sequence, "vial": vial, "injection": injection}
        header |= {name: number for name, number in numbers.items() if number > 0}
    return header


# --- traces -------------------------------------------------------------------------------------------------


def _trace(
    data: bytes, name: str, version: str, header: dict[str, Any], layout: _Layout, pairs: bool | None
) -> Channel:
    start = (struct.unpack_from(">i", data, 264)[0] - 1) * 512
    if not 512 <= start < len(data):
        raise ReadError(
            f"{name} says its data begin at byte {start}, but it has {len(data)} bytes; it is cut off"
        )
    first, last = struct.unpack_from(">ff" if layout.float_times else ">ii", data, 282)
    if len(data) // 512 < struct.unpack_from(">i", data, 278)[0] - 1:
        raise ReadError(f"{name} should have more than {len(data)} bytes; it is cut off. Copy it again.")
    if layout.packing == "doubles":
        return _doubles(data, name, version, header, layout, start, (first, last), pairs)
    values = channel_deltas(data, start) if layout.packing == "deltas" else double_deltas(data, start)
    times = _times(name, float(first), float(last), len(values))
    _check_range(data, name, values, layout)
    return Channel(version, header, times, _scaled(data, values, layout, header))


def _times(name: str, first: float, last: float, count: int) -> Array:
    if not count:
        raise ReadError(f"{name} has no points in it; nothing was acquired")
    if not (np.isfinite([first, last]).all() and abs(first) < 1e12 and abs(last) < 1e12) or (
        count > 1 and last <= first
    ):
        raise ReadError(
            f"{name} says it lasts from {first:g} to {last:g} ms; it is damaged or was never finished"
        )
    return np.linspace(first, last, count) / 60000


def _scaled(data: bytes, values: Array, layout: _Layout, header: dict[str, Any]) -> Array:
    """Raw numbers in the unit the file states: by its slope and intercept, or what an older version implies."""
    kind = struct.unpack_from(">i", data, layout.scaling_version)[0] if layout.scaling_version else 0
    (intercept,) = struct.unpack_from(">d", data, layout.intercept)
    (slope,) = struct.unpack_from(">d", data, layout.slope)
    slopes = dict(layout.known_slopes)
    if kind in slopes:
        slope, intercept = slopes[kind], 0.0
    if not (np.isfinite(slope) and slope != 0 and abs(slope) < 1e12):
        raise ReadError(f"its values are scaled by {slope!r} (byte {layout.slope}); the file is damaged")
    header["slope"] = slope
    if not (np.isfinite(intercept) and 1e-30 < abs(intercept) < 1e12):
        intercept = 0.0  # not a number, or what was in memory
    header["intercept"] = intercept
    return values * slope + intercept  # type: ignore[no-any-return]


def _doubles(
    data: bytes,
    name: str,
    version: str,
    header: dict[str, Any],
    layout: _Layout,
    start: int,
    ends: tuple[float, float],
    pairs: bool | None,
) -> Channel:
    if start + 2048 < len(data) and struct.unpack_from(">i", data, start)[0] == 2048:
        start += 2048  # some write their results between head and data
    if (len(data) - start) % 8:
        raise ReadError(f"{name} ends at byte {len(data)}, within a value; it is cut off. Copy it again.")
    numbers = np.frombuffer(data, "<f8", -1, start)
    if (
        pairs is None
    ):  # OpenLab numbers the points of an instrument's traces instead of telling their last time
        pairs = len(numbers) % 2 == 0 and ends == (0.0, 1000.0 * (len(numbers) // 2)) and len(numbers) > 2
    if pairs:
        if len(numbers) % 2:
            raise ReadError(f"{name} ends within a pair of time and value; it is cut off. Copy it again.")
        if not np.isfinite(numbers[::2]).all():
            raise ReadError(f"{name} has times that are no numbers; it is damaged")
        times, raw = numbers[::2] / 60000, numbers[1::2]
    else:
        times, raw = _times(name, float(ends[0]), float(ends[1]), len(numbers)), numbers
        _check_range(data, name, raw, layout)
    return Channel(version, header, times, _scaled(data, raw, layout, header))


def _check_range(data: bytes, name: str, raw: Array, layout: _Layout) -> None:
    """The head says how high and low the raw values go: less is a trace that lost its end."""
    highest, lowest = struct.unpack_from(">ff" if layout.float_times else ">ii", data, 290)
    if not np.isfinite([highest, lowest]).all() or highest <= lowest or not np.isfinite(raw).any():
        return
    slack = 1e-4 * (highest - lowest) + 1
    if np.nanmax(raw) < highest - slack or np.nanmin(raw) > lowest + slack:
        raise ReadError(
            f"{name} says it goes from {lowest:g} to {highest:g}, but its {len(raw)} points go from "
            f"{np.nanmin(raw):g} to {np.nanmax(raw):g}; it is cut off or damaged. Copy it again."
        )


# --- spectra of a diode array -------------------------------------------------------------------------------


def _spectra(data: bytes, name: str, version: str, header: dict[str, Any], layout: _Layout) -> Channel:
    start = (struct.unpack_from(">i", data, 264)[0] - 1) * 512
    if not 512 <= start <= len(data) - _RECORD:
        start = 4096 if layout.wide else 512  # a run that was not finished has no directory yet
    (announced,) = struct.unpack_from(">I", data, 278)
    first, last, step = struct.unpack_from("<HHH", data, start + 8)
    if last < first or (last > first and not step) or last == 0:
        raise ReadError(
            f"{name}: the first spectrum, at byte {start}, goes from {first / 20} to {last / 20} nm"
        )
    wavelengths = np.arange(first, last + 1, max(step, 1)) / 20
    (slope,) = struct.unpack_from(">d", data, layout.slope)
    if not (np.isfinite(slope) and 0 < abs(slope) < 1e12):
        raise ReadError(f"{name}: its values are scaled by {slope!r} (byte {layout.slope}); it is damaged")
    header["slope"] = slope
    wide = str(header.get("file_type", "")).startswith("OL")
    offsets, warnings = _records(data, name, start, announced, len(wavelengths) if wide else 0)
    heads = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), _RECORD)[offsets]
    ranges = heads[:, 8:14].copy().view("<u2")
    if (ranges != (first, last, step)).any():
        raise ReadError(f"{name}: its spectra do not all go over the same wavelengths, which is not read")
    if wide:
        bodies = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), 8 * len(wavelengths))
        values = bodies[offsets + _RECORD].view("<f8") * (slope * 2.0**-_OPENLAB_BITS)
    else:
        values = _undo_spectra(data, offsets, len(wavelengths))
        values *= slope
    values.flags.writeable = False  # nobody else has it: it need not be copied
    times = heads[:, 4:8].copy().view("<u4")[:, 0] / 60000
    return Channel(version, header, times, values, wavelengths, warnings=tuple(warnings))


def _records(data: bytes, name: str, start: int, announced: int, doubles: int) -> tuple[Array, list[str]]:
    """Where each spectrum's record begins; a run that never finished announces none, and is read to its end."""
    offsets: list[int] = []
    at, end = start, len(data)
    most = announced or (end - start) // _RECORD
    size_at, length = struct.Struct("<H").unpack_from, _RECORD + 8 * doubles
    for _ in range(most):
        if at + _RECORD > end:
            break
        if not doubles:
            (length,) = size_at(data, at + 2)
        if length < _RECORD or at + length > end:
            break
        offsets.append(at)
        at += length
    if len(offsets) < announced:
        raise ReadError(
            f"{name} announces {announced} spectra, but only {len(offsets)} are there before byte {at}; it is cut off "
            "or damaged. Copy it again."
        )
    if not offsets:
        raise ReadError(f"{name} has no spectrum in it; nothing was acquired")
    told = (
        []
        if announced
        else [f"{name} was never finished: the {len(offsets)} spectra that are there were kept."]
    )
    return np.array(offsets, np.int64), told


def _undo_spectra(data: bytes, offsets: Array, wavelengths: int) -> Array:
    """Each spectrum is differences from one wavelength to the next; shape (spectra, wavelengths)."""
    last = int(offsets[-1])
    end = last + int.from_bytes(data[last + 2 : last + 4], "little")
    starts = (offsets + _RECORD).tolist()
    ends = [*offsets[1:].tolist(), end]
    lengths = np.array(ends) - starts
    if (lengths % 2).any():
        raise DamagedStream("a spectrum has an odd number of bytes")
    body = b"".join([data[i:j] for i, j in zip(starts, ends, strict=True)])
    return undo_deltas(np.frombuffer(body, "<i2"), lengths // 2, wavelengths, big_endian=False)


# --- scans of a mass spectrometer ---------------------------------------------------------------------------


def _scans(data: bytes, name: str, version: str, header: dict[str, Any]) -> Channel:
    directory = struct.unpack_from(">i", data, 260)[0] * 2 - 2
    start = struct.unpack_from(">i", data, 264)[0] * 2 - 2
    (announced,) = struct.unpack_from(">I", data, 278)
    warnings: list[str] = []
    if start < 512:  # not finished: the head is not filled in, but the data begin where they always do
        start, directory, announced = 0x2F2, 0, 0
        warnings.append(f"{name} was never finished; the scans that are there were kept.")
    end = directory if start < directory <= len(data) else len(data)
    offsets, counts = _scan_offsets(data, start, end, announced)
    if announced and len(offsets) < announced:
        raise ReadError(
            f"{name} announces {announced} scans, but only {len(offsets)} are there before byte {end}; it is cut off "
            "or damaged. Copy it again."
        )
    if not offsets:
        raise ReadError(f"{name} has no scan in it; nothing was acquired")
    totals = None
    if directory and directory + 12 * len(offsets) <= len(data):
        entries = np.frombuffer(data, ">i4", 3 * len(offsets), directory).reshape(-1, 3)
        if (entries[:, 0].astype(np.int64) * 2 - 2 == offsets).all():
            totals = entries[:, 2].astype(np.int64)
    elif directory:
        raise ReadError(
            f"{name} ends at byte {len(data)}, within its directory of scans; it is cut off. Copy it again."
        )
    points = np.concatenate(
        [np.frombuffer(data, ">u2", 2 * n, at + _SCAN) for at, n in zip(offsets, counts, strict=True)]
    )
    coded = points[1::2].astype(np.uint32)
    abundances = (coded & 0x3FFF) << (3 * (coded >> 14))
    times = np.array([int.from_bytes(data[at + 2 : at + 6], "big") for at in offsets]) / 60000
    masses = points[::2] / 20
    return Channel(
        version, header, times, abundances, None, np.array(counts), masses, totals, warnings=tuple(warnings)
    )


def _scan_offsets(data: bytes, start: int, end: int, announced: int) -> tuple[list[int], list[int]]:
    offsets: list[int] = []
    counts: list[int] = []
    at = start
    head = struct.Struct(">H10xH")
    while at + _SCAN <= end and (not announced or len(offsets) < announced):
        words, count = head.unpack_from(data, at)
        length = _SCAN + 4 * count + _SCAN_END
        if at + length > end or words * 2 < _SCAN + 4 * count:
            break
        offsets.append(at)
        counts.append(count)
        at += max(length, words * 2)
    return offsets, counts
