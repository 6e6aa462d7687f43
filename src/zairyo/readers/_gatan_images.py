"""DigitalMicrograph's images → entries: numbers of every type, calibrated axes in their roles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Quantity, Signal, clean_text
from zairyo.measurement.units import normalise
from zairyo.readers._api import ReadError
from zairyo.readers._gatan_conditions import conditions_of, started_of
from zairyo.readers._gatan_tags import Stored, TagFile

Array = NDArray[Any]

#: Number of an image's data type → NumPy.
_TYPES = {
    1: "i2", 2: "f4", 3: "c8", 6: "u1", 7: "i4", 9: "i1", 10: "u2", 11: "u4", 12: "f8", 13: "c16", 14: "u1",
    39: "i8", 40: "u8",
}  # fmt: skip
_COLOURED = (8, 23)  # blue, green, red and a fourth byte
_PACKED = {5: "f4", 27: "f4", 28: "f8"}  # the half of a Fourier transform that is not redundant
_BINARY = 14
_MOST_DIMENSIONS = 8
_TILE = 128
_RECIPROCAL, _ANGLE, _SPECTRAL, _PLACE, _SERIES = "reciprocal", "angle", "spectral", "place", "series"
_SPECTROSCOPIES = {"EELS": "eels", "X-ray": "eds", "CL": "cathodoluminescence"}
_LIGHT_NAMES = {"nm": "wavelength", "um": "wavelength", "angstrom": "wavelength", "1/cm": "wavenumber"}
_SERIES_NAMES = {"s": "time", "ms": "time", "us": "time", "min": "time", "deg": "tilt"}


@dataclass(frozen=True)
class _Dimension:
    """One dimension of an image: its length, its calibration and what it is."""

    length: int
    origin: float
    scale: float
    unit: str | None
    role: str = _PLACE

    @property
    def values(self) -> Array:
        return (np.arange(self.length) - self.origin) * self.scale


def entries_of(file: TagFile, images: list[Any], skipped: set[int], warnings: list[str]) -> list[Entry]:
    entries: list[Entry] = []
    taken: dict[str, int] = {}
    for index, image in enumerate(images):
        data = image.get("ImageData") if isinstance(image, dict) else None
        if index in skipped or not isinstance(data, dict) or not isinstance(data.get("Data"), Stored):
            continue
        if data["Data"].count == 0:
            warnings.append(f"Image {index + 1} has no data and was left out.")
            continue
        entry_kind, parts = _image(file, index, image, warnings)
        taken[entry_kind] = taken.get(entry_kind, 0) + 1
        number = taken[entry_kind]
        entries.append(Entry(name=f"{entry_kind}_{number}" if number > 1 else entry_kind, **parts))
    if not entries:
        raise ReadError(f"{file.name} has no image with data in it; it is damaged or was saved empty")
    return entries


def _image(
    file: TagFile, index: int, image: dict[str, Any], warnings: list[str]
) -> tuple[str, dict[str, Any]]:
    """The kind of an image, as entries are called, and its entry's parts."""
    title = clean_text(str(image.get("Name") or "")).strip() or f"Image {index + 1}"
    tags = image.get("ImageTags") if isinstance(image.get("ImageTags"), dict) else {}
    assert isinstance(tags, dict)
    values = _values(file, image["ImageData"], title)
    dimensions = _dimensions(image["ImageData"], values, title, warnings)
    technique, dimensions = _roles(dimensions, tags, values)
    order, axes = _axes(dimensions, technique)
    has_colours = values.ndim > len(dimensions)
    names = tuple(axis.name for axis in axes)
    if has_colours:
        axes.append(Axis("colour", np.array(["red", "green", "blue"])))
        names, order = (*names, "colour"), [*order, len(order)]
    if order != list(range(values.ndim)):
        values = _transposed(values, order)
    signal, conditions = _signal(values, names, image["ImageData"], warnings)
    conditions |= conditions_of(tags, warnings)
    return _kind(dimensions, technique), {
        "technique": technique,
        "axes": tuple(axes),
        "signals": (signal,),
        "title": title,
        "conditions": conditions,
        "started": started_of(tags, warnings),
    }


# --- numbers ------------------------------------------------------------------------------------------------


def _values(file: TagFile, data: dict[str, Any], title: str) -> Array:
    """The image as stored, slowest dimension first; with a last axis of red, green and blue if it is coloured."""
    stored: Stored = data["Data"]
    lengths = data.get("Dimensions")
    lengths = lengths if isinstance(lengths, list) else [stored.count]
    if not 0 < len(lengths) <= _MOST_DIMENSIONS or not all(isinstance(n, int) and n > 0 for n in lengths):
        raise ReadError(f"image {title!r} of {file.name} states the dimensions {lengths}; it is damaged")
    shape = tuple(reversed(lengths))
    size = math.prod(shape)
    number = data.get("DataType")
    if number in _PACKED:
        return _unpacked(_numbers(file, stored, _PACKED[number], 2 * (size // 2), title), shape, title)
    if number in _COLOURED:
        pixels = _numbers(file, stored, "u1", 4 * size, title).reshape(*shape, 4)
        # Stored as one 32-bit number a pixel, 0xAARRGGBB; the byte order says at which end blue is.
        return np.ascontiguousarray(pixels[..., 2::-1] if file.order == "<" else pixels[..., 1:])
    if number not in _TYPES:
        raise ReadError(f"image {title!r} of {file.name} has data of type {number}, which is not known here")
    values = _numbers(file, stored, _TYPES[number], size, title).reshape(shape)
    return values != 0 if number == _BINARY else values


def _numbers(file: TagFile, stored: Stored, dtype: str, count: int, title: str) -> Array:
    if count * np.dtype(dtype).itemsize > stored.size:
        raise ReadError(
            f"image {title!r} of {file.name} needs {count} numbers of type {dtype}, but {stored.size} bytes are there; "
            "it is damaged"
        )
    return np.frombuffer(file.data, np.dtype(file.order + dtype), count, stored.offset)


def _unpacked(half: Array, shape: tuple[int, ...], title: str) -> Array:
    """A whole Fourier transform (zero frequency at its centre) from DigitalMicrograph's packed half.

    Only squares with sides of an even length 2N are packed. Row v + N holds F(u, v) of u = 1 … N−1 behind a first
    column that serves both u = −N and u = 0: its upper half holds F(−N, v), its lower half F(0, v), of v = 0 … N−1,
    where the first of each is two real values, of v = 0 and of v = −N. The rest follows from F(−u, −v) = F(u, v)*.
    """
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] % 2:
        raise ReadError(
            f"image {title!r} is a packed complex image of shape {shape}; only even squares are known"
        )
    n = shape[0] // 2
    pairs = half.reshape(2 * n, n, 2)
    right = pairs[..., 0] + 1j * pairs[..., 1]
    first = right[:, 0]
    out = np.zeros(shape, right.dtype)
    out[:, n + 1 :] = right[:, 1:]
    opposite = (2 * n - np.arange(2 * n)) % (2 * n)
    out[:, 1:n] = np.conj(right[opposite][:, :0:-1])
    for column, stored in ((0, first[:n]), (n, first[n:])):
        out[n + 1 :, column] = stored[1:]
        out[1:n, column] = np.conj(stored[:0:-1])
        out[n, column], out[0, column] = stored[0].real, stored[0].imag
    return out


def _transposed(values: Array, order: list[int]) -> Array:
    """A copy with the dimensions in ``order``; in tiles that fit the cache where the slowest becomes the fastest."""
    turned = values.transpose(order)
    if order != [*range(1, values.ndim), 0]:
        out = np.array(turned, order="C")
    else:
        out = np.empty(turned.shape, values.dtype)
        flat, source = out.reshape(-1, values.shape[0]), values.reshape(values.shape[0], -1)
        for i in range(0, flat.shape[0], _TILE):
            for j in range(0, flat.shape[1], _TILE):
                flat[i : i + _TILE, j : j + _TILE] = source[j : j + _TILE, i : i + _TILE].T
    out.flags.writeable = False
    return out


# --- dimensions ---------------------------------------------------------------------------------------------


def _dimensions(data: dict[str, Any], values: Array, title: str, warnings: list[str]) -> list[_Dimension]:
    """In the order of ``values``, slowest first."""
    calibrations = data.get("Calibrations")
    listed = calibrations.get("Dimension") if isinstance(calibrations, dict) else None
    lengths = data.get("Dimensions")
    count = len(lengths) if isinstance(lengths, list) else 1
    found = []
    for i in range(count):
        given = (
            listed[i] if isinstance(listed, list) and i < len(listed) and isinstance(listed[i], dict) else {}
        )
        found.append(_dimension(given, values.shape[count - 1 - i], title, warnings))
    return found[::-1]


def _dimension(given: dict[str, Any], length: int, title: str, warnings: list[str]) -> _Dimension:
    origin, scale = _number(given.get("Origin"), 0.0), _number(given.get("Scale"), 1.0)
    told = str(given.get("Units") or "").strip()
    ends = scale * origin, scale * (length - origin)
    if scale == 0 or not math.isfinite(ends[0]) or not math.isfinite(ends[1]) or ends[0] == ends[0] + scale:
        warnings.append(
            f"A dimension of {title!r} is calibrated with the scale {scale:g}; its pixels are counted instead."
        )
        return _Dimension(length, 0.0, 1.0, None)
    if not told:
        return _Dimension(length, origin, scale, None)
    unit = normalise(told)
    if unit is None:
        warnings.append(f"The unit {told!r} of a dimension of {title!r} is not known; it was kept as it is.")
    return _Dimension(length, origin, scale, unit or clean_text(told)[:60])


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else default


def _roles(dimensions: list[_Dimension], tags: dict[str, Any], values: Array) -> tuple[str, list[_Dimension]]:
    """The technique, and the dimensions with what they are."""
    told = tags.get("Meta Data") if isinstance(tags.get("Meta Data"), dict) else {}
    assert isinstance(told, dict)
    technique = _SPECTROSCOPIES.get(str(told.get("Signal", "")).strip(), "")
    spectral = _spectral(dimensions, told, technique)
    roles = [_role(d, i, len(dimensions)) for i, d in enumerate(dimensions)]
    if spectral is not None:
        roles = [
            _PLACE if r == _SERIES and d.unit is None else r for r, d in zip(roles, dimensions, strict=True)
        ]
        roles[spectral] = _SPECTRAL
        unit = dimensions[spectral].unit
        technique = technique or ("eds" if unit == "keV" else "eels" if unit == "eV" else "unspecified")
    elif _RECIPROCAL in roles or _ANGLE in roles:
        is_scan = _PLACE in roles and len(dimensions) > 3
        technique = "stem_4d" if is_scan else "tem" if values.dtype.kind == "c" else "electron_diffraction"
    elif len(dimensions) == 4:  # a scan of patterns without calibration
        technique, is_swapped = "stem_4d", bool(told.get("Data Order Swapped"))
        roles = (
            [_PLACE, _PLACE, _RECIPROCAL, _RECIPROCAL]
            if is_swapped
            else [_RECIPROCAL, _RECIPROCAL, _PLACE, _PLACE]
        )
    else:
        technique = _imaging(tags, len(dimensions))
    placed = [
        _Dimension(d.length, d.origin, d.scale, d.unit, r) for d, r in zip(dimensions, roles, strict=True)
    ]
    return technique, placed


def _spectral(dimensions: list[_Dimension], told: dict[str, Any], technique: str) -> int | None:
    """Index of the dimension that is a spectrum; None if there is none."""
    energies = [i for i, d in enumerate(dimensions) if d.unit in ("eV", "keV")]
    if len(energies) == 1:
        return energies[0]
    if "spectrum" not in str(told.get("Format", "")).casefold() and not (technique and len(dimensions) == 1):
        return None
    # DigitalMicrograph's spectrum images have the energy as their slowest dimension, its lines as their fastest.
    return 0 if len(dimensions) > 2 and not told.get("Data Order Swapped") else len(dimensions) - 1


def _role(dimension: _Dimension, index: int, count: int) -> str:
    unit = dimension.unit or ""
    if unit.startswith("1/") and unit != "1/s":
        return _RECIPROCAL
    if unit in ("mrad", "rad", "urad") or (unit == "deg" and count < 3):
        return _ANGLE
    if unit in _SERIES_NAMES or (count == 3 and index == 0):
        return _SERIES
    return _PLACE


def _imaging(tags: dict[str, Any], count: int) -> str:
    """Which microscopy an image without a spectrum or a diffraction pattern is."""
    info = tags.get("Microscope Info") if isinstance(tags.get("Microscope Info"), dict) else {}
    assert isinstance(info, dict)
    illumination, operation = (str(info.get(k, "")).upper() for k in ("Illumination Mode", "Operation Mode"))
    if illumination.startswith("SEM"):
        return "sem"
    if "STEM" in illumination or operation == "SCANNING" or "DigiScan" in tags:
        return "stem"
    if "DIFFRACTION" in (operation, str(info.get("Imaging Mode", "")).upper()):
        return "electron_diffraction"
    return "tem" if count > 1 or info else "unspecified"


def _axes(dimensions: list[_Dimension], technique: str) -> tuple[list[int], list[Axis]]:
    """Places first, then reciprocal ones, the spectrum last: the order of the values' dimensions, and the axes."""
    ranks = {_SERIES: 0, _PLACE: 0, _RECIPROCAL: 1, _ANGLE: 1, _SPECTRAL: 2}
    order = sorted(range(len(dimensions)), key=lambda i: ranks[dimensions[i].role])
    letters: dict[int, str] = {}
    for rank in (0, 1):
        alike = [
            i for i in reversed(order) if ranks[dimensions[i].role] == rank and dimensions[i].role != _SERIES
        ]
        letters |= {i: "xyz"[n] if n < 3 else f"w_{n}" for n, i in enumerate(alike)}
    axes: list[Axis] = []
    for i in order:
        d = dimensions[i]
        name, unit, values = _axis_name(d, letters.get(i, ""), technique), d.unit, d.values
        if unit is None:
            unit = "" if name.startswith(("channel", "frame")) else "pixel"
        while name in {a.name for a in axes}:
            name += "_2"
        axes.append(Axis(name, values, unit))
    return order, axes


def _axis_name(dimension: _Dimension, letter: str, technique: str) -> str:
    unit = dimension.unit or ""
    if dimension.role == _SPECTRAL:
        if unit in ("eV", "keV"):
            return {"eels": "energy_loss", "cathodoluminescence": "photon_energy"}.get(technique, "energy")
        return _LIGHT_NAMES.get(unit, "channel") if technique == "cathodoluminescence" else "channel"
    if dimension.role == _RECIPROCAL:
        return f"k_{letter}"
    if dimension.role == _ANGLE:
        return f"angle_{letter}"
    if dimension.role == _SERIES:
        return _SERIES_NAMES.get(unit, "z" if unit else "frame")
    return letter


def _kind(dimensions: list[_Dimension], technique: str) -> str:
    """What an entry is called."""
    roles = [d.role for d in dimensions]
    if _SPECTRAL in roles:
        return ("spectrum", "line_scan", "spectrum_image")[min(len(roles), 3) - 1]
    if technique in ("electron_diffraction", "stem_4d"):
        return "diffraction" if len(roles) < 4 else "diffraction_image"
    return ("profile", "image", "stack")[min(len(roles), 3) - 1]


def _signal(
    values: Array, names: tuple[str, ...], data: dict[str, Any], warnings: list[str]
) -> tuple[Signal, dict[str, Quantity]]:
    """The values as the detector gave them; how they are calibrated, where they are, as conditions."""
    calibrations = data.get("Calibrations")
    given = calibrations.get("Brightness") if isinstance(calibrations, dict) else None
    given = given if isinstance(given, dict) else {}
    origin, scale = _number(given.get("Origin"), 0.0), _number(given.get("Scale"), 1.0)
    told = clean_text(str(given.get("Units") or "")).strip()[:60]
    unit = normalise(told) if told else None
    if scale == 1 and origin == 0:
        if told and unit is None and not told.startswith("e"):  # "e-": electrons, a word but not a unit
            warnings.append(f"The unit {told!r} of the intensity is not known; it was kept as it is.")
        return Signal("intensity", values, (unit or told) if told else None, names), {}
    conditions = {"intensity_scale": Quantity(scale, ""), "intensity_origin": Quantity(origin, "")}
    if told:
        conditions["intensity_unit"] = Quantity(unit or told)
    return Signal("intensity", values, "counts" if told.startswith("e") else None, names), conditions
