"""neaSNOM (neaspec, attocube) spectra and interferograms: text tables of ``Row Column [Run] …``.

The old ``.nea`` has a line a channel and run; newer ``.txt`` begin with ``# name: unit values`` lines and have a
line a point, a column a channel. Facts: the files' own words, and orange-spectroscopy's description of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._neaspec_channels import near_field_name

_MOST_BYTES = 512 * 1024**2
_OLD = b"Row\tColumn\tRun\tChannel"
_PLACE = ("Row", "Column", "Run")
_INDEX = ("Omega", "Depth", "Index")
#: A spectrum's own axis → name and unit.
_SPECTRAL = {"Wavenumber": ("wavenumber", "1/cm"), "Wavelength": ("wavelength", "um")}
_ORDER = ("optical_amplitude_2", "optical_amplitude_3", "optical_amplitude_1")
Cube = dict[str, NDArray[np.float64]]


def sniff(src: RawInput) -> float:
    head = src.head
    if head.startswith(_OLD):
        return CERTAIN
    if head.startswith(b"#") and b"\nRow\tColumn\t" in head:
        return CERTAIN if b"neaspec" in head[:2000].lower() or b"# Scan:" in head else LIKELY
    return NO


def read(src: RawInput) -> Measurement:
    lines = _spm.decode(src.read_bytes(_MOST_BYTES)).splitlines()
    first = next((i for i, line in enumerate(lines) if line and not line.startswith("#")), len(lines))
    header = _header(lines[:first])
    if first + 1 >= len(lines):
        raise ReadError("there is no table below the header; the file is cut off or nothing was measured")
    titles = [w.strip() for w in lines[first].split("\t") if w.strip()]
    rows = [
        (first + 2 + i, line.rstrip("\t").split("\t"))
        for i, line in enumerate(lines[first + 1 :])
        if line.strip()
    ]
    body = [line for line in lines[first + 1 :] if line.strip()]
    if len(body) > 1 and body[0].endswith("\t") and not body[-1].endswith("\t"):
        raise ReadError(f"line {len(lines)} ends before its last tab; the file is cut off. Copy it again.")
    warnings: list[str] = []
    if titles[3:4] == ["Channel"]:
        shape, cube = _old(rows)
    else:
        shape, cube = _new(titles, rows, warnings)
    entry = _entry(shape, cube, header)
    operator = header.get("Operator", "").strip()
    return _spm.measurement(
        [entry],
        warnings,
        title=header.get("Description", "").strip() or src.name,
        instrument="neaspec neaSNOM",
        operator=operator,
        original_metadata=tidy_metadata(header),
    )


def _header(lines: list[str]) -> dict[str, str]:
    """``# Scan Area (X, Y, Z):	[µm]	5	5	0`` → key and the rest of the line."""
    header = {}
    for line in lines:
        key, colon, value = line.lstrip("# ").partition(":")
        if colon:
            header[key.strip()] = value.strip()
    return header


# --- the two tables -----------------------------------------------------------------------------------------


def _old(rows: list[tuple[int, list[str]]]) -> tuple[tuple[int, ...], Cube]:
    """A line a (row, column, run, channel): its points follow."""
    width = len(rows[0][1]) - 4 if rows else 0
    places: dict[str, list[tuple[int, int, int]]] = {}
    values: dict[str, list[list[float]]] = {}
    for at, cells in rows:
        if len(cells) - 4 != width or width < 1:
            raise ReadError(
                f"line {at} has {len(cells) - 4} points instead of {width}; the file is cut off or damaged"
            )
        try:
            place, numbers = tuple(int(c) for c in cells[:3]), [float(c) for c in cells[4:]]
        except ValueError:
            raise ReadError(f"line {at} holds what is no number; the file is damaged") from None
        places.setdefault(cells[3], []).append(place)  # type: ignore[arg-type]
        values.setdefault(cells[3], []).append(numbers)
    cube = {}
    shape: tuple[int, ...] = ()
    for channel, where in places.items():
        shape, order = _regular(np.array(where), f"channel {channel}")
        cube[channel] = np.array(values[channel])[order].reshape(*shape, width)
        if cube[channel].shape != next(iter(cube.values())).shape:
            raise ReadError(
                f"channel {channel} has other places than the first one; the file is cut off or damaged"
            )
    return (*shape, width), cube


def _new(
    titles: list[str], rows: list[tuple[int, list[str]]], warnings: list[str]
) -> tuple[tuple[int, ...], Cube]:
    """A line a point, a column a channel."""
    width = len(titles)
    for at, cells in rows:
        if len(cells) != width:
            raise ReadError(
                f"line {at} has {len(cells)} values for {width} columns; the file is cut off or damaged"
            )
    try:
        values = _spm.floats(c for _, cells in rows for c in cells).reshape(len(rows), width)
    except ValueError:
        warnings.append("Some cells of the table are no numbers; they are gaps.")
        values = np.array([[_spm.number(c) for c in cells] for _, cells in rows], float)
    index = [titles.index(n) for n in (*_PLACE, *_INDEX) if n in titles]
    if "Row" not in titles or "Column" not in titles or not any(n in titles for n in _INDEX):
        raise ReadError(
            f"the table has the columns {titles[:8]}, without a row, column and index of the point"
        )
    where = values[:, index]
    if not np.isfinite(where).all():
        raise ReadError("a row, column or index of the table is no number; the file is damaged")
    shape, order = _regular(where, "the table")
    if "Run" not in titles:
        shape = (*shape[:2], 1, shape[-1])
    data = values[order]
    return shape, {t: data[:, i].reshape(shape) for i, t in enumerate(titles) if i not in index}


def _regular(where: NDArray[Any], what: str) -> tuple[tuple[int, ...], NDArray[np.int64]]:
    """The lengths of a full grid of places, and the order that fills it."""
    shape = tuple(len(np.unique(column)) for column in where.T)
    order = np.lexsort(where.T[::-1])
    if int(np.prod(shape, dtype=object)) != len(where) or len(np.unique(where, axis=0)) != len(where):
        raise ReadError(f"{what} has {len(where)} places, no full grid of {shape}; the file is cut off")
    return shape, order


# --- the entry ----------------------------------------------------------------------------------------------


def _entry(shape: tuple[int, ...], cube: Cube, header: dict[str, str]) -> Entry:
    sizes = [_spm.number(w) for w in header.get("Scan Area (X, Y, Z)", "").split()[1:]] + [None, None]
    unit = "um" if sizes[0] is not None else None
    axes: list[Axis] = []
    for name, count, size in (("y", shape[0], sizes[1]), ("x", shape[1], sizes[0])):
        if count > 1:
            axes.append(_spm.pixels(name, count, size or 0.0, unit))
    if shape[2] > 1:
        axes.append(Axis("run", np.arange(shape[2])))
    spectral, along = _along(cube, shape[3])
    axes.append(along)
    over = tuple(axis.name for axis in axes)
    signals = []
    for title, values in cube.items():
        if title != spectral:
            name, unit_of = _channel(title)
            signals.append(Signal(name, values.reshape([len(a.values) for a in axes]), unit_of, over, title))
    named = _spm.unique(signals)
    if not named:
        raise ReadError("the table has no channel; the file is damaged")
    entry: Entry = _spm.made(
        "the table", Entry, "spectra" if spectral else "interferograms", "snom", tuple(axes), named,
        default=_spm.first_of(named, _ORDER), title=header.get("Scan", "") or "Near-field interferograms",
        conditions=_conditions(header, shape),
        started=_spm.moment(header.get("Date", ""), "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S"),
    )  # fmt: skip
    return entry


def _along(cube: Cube, points: int) -> tuple[str, Axis]:
    """The spectral axis if every spectrum has the same; else the points are numbered."""
    for title, (name, unit) in _SPECTRAL.items():
        values = cube.get(title)
        if values is not None and np.isfinite(values).all():
            lines = values.reshape(-1, points)
            if (lines == lines[0]).all():
                return title, Axis(name, lines[0].copy(), unit)
    return "", Axis("point", np.arange(points))


def _channel(title: str) -> tuple[str, str | None]:
    if title == "M":
        return "mirror_position", "m"
    if title in _SPECTRAL:
        return _SPECTRAL[title]
    return near_field_name(title) or _spm.channel_name(title), None


def _conditions(header: dict[str, str], shape: tuple[int, ...]) -> dict[str, Quantity]:
    def value(key: str) -> Quantity | None:
        words = header.get(key, "").split()
        if len(words) < 2 or not words[0].startswith("["):
            return None
        return _spm.quantity(f"{words[1]} {words[0].strip('[]')}")

    return _spm.told(
        tapping_amplitude=value("Tapping Amplitude"),
        drive_frequency=value("Tip Frequency"),
        scan_angle=value("Rotation"),
        demodulation_mode=header.get("Demodulation Mode"),
        laser_wavelength=value("Target Wavelength"),
        integration_time=value("Integration time"),
        repetitions=float(shape[2])
        if shape[2] > 1
        else _spm.number(header.get("Averaging", "").split("\t")[-1]),
        software_version=header.get("Version"),
    )


READER = Reader(
    name="neaspec",
    version="1",
    techniques=("snom",),
    vendor="neaspec",
    format="neaSNOM spectra (text)",
    endings=(".nea", ".txt"),
    sniff=sniff,
    read=read,
    notes="Interferograms and spectra of every channel over (y, x, run, point); images are Gwyddion files.",
)
