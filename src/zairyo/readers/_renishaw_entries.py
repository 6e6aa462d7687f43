"""WiRE's blocks → entries: the spectral axis, where each spectrum was taken, maps, the white-light image."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.measurement import Axis, Entry, Quantity, Signal, clean_text, make_name
from zairyo.readers._api import ReadError
from zairyo.readers._renishaw_pset import filetime, find, read_pset

if TYPE_CHECKING:
    from zairyo.readers.renishaw_wdf import Wdf

Array = np.ndarray[Any, Any]

_PRIMARY = 1 << 31
_CHECKSUM, _FLAGS = 16, 17
_TIME = 11
#: WiRE's data types that say where or when a spectrum was taken → our names.
_ORIGINS = {
    3: "x",
    4: "y",
    5: "z",
    6: "radius",
    7: "polar_angle",
    8: "azimuth",
    9: "temperature",
    10: "pressure",
    11: "time",
    13: "polarisation",
    14: "focus_track_z",
    15: "temperature_ramp_rate",
    17: "spectrum_flags",
    18: "elapsed_time",
    22: "well_x",
    23: "well_y",
    24: "location_index",
    25: "well_reference",
    27: "exposure_time",
}
_LINE = 128  # WMAP flag: a line in the plane
_COLUMN_MAJOR = 2
_ALTERNATING = 4
_SPECTRAL_NAMES = {"1/cm": "raman_shift", "nm": "wavelength", "um": "wavelength", "eV": "photon_energy"}
# What the spectra's own arrays are called; nothing else in an entry may take these names.
_RESERVED = {*_SPECTRAL_NAMES.values(), "intensity", "wavenumber", "spectral_position", "detector_row"}
_MOST_IMAGE_PIXELS = 50_000_000


@dataclass(frozen=True)
class _Places:
    """Where the spectra go: the axes before the spectral one, what else was recorded, each spectrum's place."""

    axes: tuple[Axis, ...] = ()
    extras: tuple[Signal, ...] = ()
    order: Array | None = None  # index of the spectrum at each place, row by row; None if they lie so already

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(axis.name for axis in self.axes)

    def arrange(self, values: Array) -> Array:
        """Values of shape (spectra, …) as (axis, …, …)."""
        if self.order is not None:
            values = values[self.order]
        return values.reshape(*(len(a.values) for a in self.axes), *values.shape[1:])


def entries_of(wdf: Wdf, warnings: list[str]) -> list[Entry]:
    header = wdf.header
    spectra = _spectra(wdf, warnings)
    spectral, technique = _spectral_axes(wdf, warnings)
    places = _places(wdf, len(spectra), warnings)
    spectra = spectra.reshape(len(spectra), *(len(axis.values) for axis in spectral))
    over = (*places.names, *(axis.name for axis in spectral))
    unit = _unit(header["unit"], "intensity", warnings)
    main = Entry(
        name="spectrum" if not places.axes else "map" if len(places.axes) > 1 else "series",
        technique=technique,
        axes=(*places.axes, *spectral),
        signals=(Signal("intensity", places.arrange(spectra), unit, over), *places.extras),
        title=header["title"],
        conditions=_conditions(wdf),
        started=filetime(header["time_start"]),
    )
    others = [*_computed_maps(wdf, main, places, len(spectra), warnings), *_image(wdf, warnings)]
    entries, taken = [main], {main.name}
    for entry in others:
        name, number = entry.name, 1
        while name in taken:
            number += 1
            name = f"{entry.name[:55]}_{number}"
        taken.add(name)
        entries.append(replace(entry, name=name))
    return entries


def _spectra(wdf: Wdf, warnings: list[str]) -> Array:
    """All collected spectra, shape (spectra, points), as stored."""
    header = wdf.header
    points, capacity, collected = header["points"], header["capacity"], header["collected"]
    block = wdf.block("DATA")
    if block is None:
        raise ReadError("the file has no block 'DATA', so no spectrum; it is damaged or was never filled")
    if not points or not collected:
        raise ReadError(f"the header announces {collected} spectra of {points} points; nothing was acquired")
    if collected > capacity:
        raise ReadError(f"the header says {collected} of {capacity} spectra were taken; the file is damaged")
    if collected < capacity:
        warnings.append(
            f"The acquisition was interrupted: {collected} of {capacity} spectra were taken; they are kept."
        )
    return wdf.array(block, 0, "<f4", collected * points).reshape(collected, points)


def _unit(number: int, what: str, warnings: list[str]) -> str | None:
    from zairyo.readers.renishaw_wdf import UNITS

    if number < len(UNITS):
        return UNITS[number]
    warnings.append(f"WiRE's unit number {number} of the {what} is unknown; it was kept as it is.")
    return f"WiRE unit {number}"


def _spectral_axes(wdf: Wdf, warnings: list[str]) -> tuple[list[Axis], str]:
    header = wdf.header
    block = wdf.block("XLST")
    if block is None:
        raise ReadError("the file has no block 'XLST', so no spectral axis; it is damaged")
    columns, rows, points = header["x_list_length"], header["y_list_length"], header["points"]
    if columns != points and columns * rows != points:
        raise ReadError(f"a spectrum has {points} points, but its axis has {columns}; the file is damaged")
    number = int(wdf.array(block, 4, "<u4", 1)[0])
    unit = _unit(number, "spectral axis", warnings)
    name = "wavenumber" if number == 2 else _SPECTRAL_NAMES.get(unit or "", "spectral_position")
    if number == 2:
        warnings.append("WiRE calls the spectral axis a wavenumber; it was taken as absolute, in 1/cm.")
    technique = "raman" if number in (0, 1) or name == "spectral_position" else "photoluminescence"
    axes = [Axis(name, wdf.array(block, 8, "<f4", columns), unit)]
    if columns != points:
        lines = wdf.block("YLST")
        if lines is None:
            raise ReadError("each spectrum is an image, but block 'YLST' with its rows is missing")
        unit_y = _unit(int(wdf.array(lines, 4, "<u4", 1)[0]), "rows of the image", warnings)
        axes.insert(0, Axis("detector_row", wdf.array(lines, 8, "<f4", rows), unit_y))
    return axes, technique


# --- where each spectrum was taken --------------------------------------------------------------------------


def _origins(wdf: Wdf, spectra: int, warnings: list[str]) -> list[tuple[bool, Signal]]:
    """(is it what WiRE varied, one value a spectrum) for each list of origins, over the axis ``index``."""
    block = wdf.block("ORGN")
    found: list[tuple[bool, Signal]] = []
    if block is None:
        return []
    count = int(wdf.array(block, 0, "<u4", 1)[0])
    size = 24 + 8 * wdf.header["capacity"]
    if 4 + count * size > block.stop - block.start:
        raise ReadError(
            f"block 'ORGN' at byte {block.start} is too short for its {count} lists; it is damaged"
        )
    for i in range(count):
        offset = 4 + i * size
        kind, unit_number = (int(v) for v in wdf.array(block, offset, "<u4", 2))
        label = clean_text(
            bytes(wdf.array(block, offset + 8, "u1", 16)).split(b"\0")[0].decode("utf-8", "replace")
        )
        is_primary, kind = bool(kind & _PRIMARY), kind & ~_PRIMARY
        unit = _unit(unit_number, label, warnings)
        if kind == _CHECKSUM:
            continue
        values: Array
        if unit == "filetime":
            ticks = wdf.array(block, offset + 24, "<i8", spectra)
            values, unit = (ticks - ticks[0]) * 1e-7, "s"
        elif kind == _FLAGS:
            values, unit = wdf.array(block, offset + 24, "<i8", spectra), ""
            if not values.any():
                continue
        else:
            values = wdf.array(block, offset + 24, "<f8", spectra)
        name = _ORIGINS.get(kind) or make_name(label, "origin")
        if name in _RESERVED or name in ("index", "distance"):
            name = f"origin_{name}"
        if name not in {signal.name for _, signal in found}:
            found.append((is_primary, Signal(name, values, unit, ("index",), label)))
    return found


def _places(wdf: Wdf, spectra: int, warnings: list[str]) -> _Places:
    if wdf.header["capacity"] == 1:
        return _Places()
    origins = _origins(wdf, spectra, warnings)
    if wdf.block("WMAP") is not None:
        grid = _map_places(wdf, spectra, {s.name: s for _, s in origins}, warnings)
        if grid is not None:
            return grid
    candidates = [signal for is_primary, signal in origins if is_primary]
    candidates += [signal for _, signal in origins if signal.name == "time"]
    varied = next((s for s in candidates if len(np.unique(s.values)) == spectra), None)
    if wdf.block("WMAP") is not None or varied is None:
        axis = Axis("index", np.arange(spectra))
        if wdf.block("WMAP") is None:
            warnings.append("The file does not say what was varied between the spectra; they are numbered.")
    else:
        axis = Axis(varied.name, varied.values, varied.unit, varied.long_name)
    extras = (replace(s, axes=(axis.name,)) for _, s in origins if s is not varied or axis.name == "index")
    return _Places((axis,), tuple(extras))


def _map_places(wdf: Wdf, spectra: int, origins: dict[str, Signal], warnings: list[str]) -> _Places | None:
    block = wdf.block("WMAP")
    assert block is not None
    flag = int(wdf.array(block, 0, "<u4", 1)[0])
    start, step = wdf.array(block, 8, "<f4", 6).astype(float).reshape(2, 3)
    size = [int(n) for n in wdf.array(block, 32, "<u4", 3)]
    if flag & _LINE:
        return _line_places(spectra, origins, step)
    if math.prod(size) != wdf.header["capacity"]:
        warnings.append(
            f"The map of {' × '.join(map(str, size))} places does not fit {wdf.header['capacity']} spectra; "
            "they are in a row, with their positions."
        )
        return None
    indices = _indices(flag, spectra, origins, start, step, size)
    # x varies fastest in our order: (z, y, x); an axis of one place is none.
    shape = [int(i.max()) + 1 for i in indices]
    place = (indices[2] * shape[1] + indices[1]) * shape[0] + indices[0]
    if math.prod(shape) != spectra or len(np.unique(place)) != spectra:
        if wdf.header["collected"] == wdf.header["capacity"]:
            warnings.append(
                "The spectra do not fill the map's grid; they are in a row, with their positions."
            )
        return None
    order: Array | None = np.argsort(place, kind="stable")
    if np.array_equal(place, np.arange(spectra)):
        order = None
    unit = origins["x"].unit if "x" in origins else "um"
    axes = tuple(
        Axis(name, start[i] + step[i] * np.arange(shape[i]), unit)
        for i, name in ((2, "z"), (1, "y"), (0, "x"))
        if shape[i] > 1
    )
    if not axes:
        return None
    bare = _Places(axes, (), order)
    others = (s for s in origins.values() if s.name not in ("x", "y", "z"))
    extras = tuple(replace(s, values=bare.arrange(s.values), axes=bare.names) for s in others)
    return replace(bare, extras=extras)


def _indices(
    flag: int, spectra: int, origins: dict[str, Signal], start: Array, step: Array, size: list[int]
) -> list[Array]:
    """Each spectrum's place along x, y, z: from its own position where stored, else from the map's flag."""
    number = np.arange(spectra)
    if flag & _COLUMN_MAJOR:
        fast, slow = number % size[1], number // size[1]
        if flag & _ALTERNATING:
            fast = np.where(slow % 2, size[1] - 1 - fast, fast)
        assumed = [slow % max(size[0], 1), fast, slow // max(size[0], 1)]
    else:
        fast, slow = number % size[0], number // size[0]
        if flag & _ALTERNATING:
            fast = np.where(slow % 2, size[0] - 1 - fast, fast)
        assumed = [fast, slow % max(size[1], 1), slow // max(size[1], 1)]
    found = []
    for i, name in enumerate("xyz"):
        if size[i] == 1:
            found.append(np.zeros(spectra, dtype=np.int64))
            continue
        index = assumed[i]
        if name in origins and step[i]:
            stored = (origins[name].values - start[i]) / step[i]
            rounded = np.rint(stored)
            if np.all(np.abs(stored - rounded) < 0.25) and rounded.min() >= 0 and rounded.max() < size[i]:
                index = rounded.astype(np.int64)
        found.append(index)
    return found


def _line_places(spectra: int, origins: dict[str, Signal], step: Array) -> _Places:
    """A line in the plane: the distance from its beginning, and the positions along it."""
    parts = [origins[name].values for name in "xyz" if name in origins]
    if parts:
        distance = np.sqrt(sum(((p - p[0]) ** 2 for p in parts), np.zeros(spectra)))
    else:
        distance = np.arange(spectra) * float(np.hypot(step[0], step[1]))
    unit = next((origins[n].unit for n in "xyz" if n in origins), "um")
    extras = tuple(replace(s, axes=("distance",)) for s in origins.values())
    return _Places((Axis("distance", distance, unit),), extras)


# --- conditions ---------------------------------------------------------------------------------------------


def _conditions(wdf: Wdf) -> dict[str, Quantity]:
    from zairyo.readers.renishaw_wdf import SCAN_TYPES

    header, properties = wdf.header, wdf.properties
    acquisition, instrument = properties.get("WXDM"), properties.get("WXIS")
    scan = find(acquisition, "Scan") if isinstance(find(acquisition, "Scan"), dict) else acquisition
    configuration = find(instrument, "System Configuration")
    found: dict[str, Quantity] = {}
    laser = header["laser_wavenumber"]
    if 1e3 < laser < 1e6:
        found["laser_wavelength"] = Quantity(1e7 / laser, "nm")
    exposure = find(scan, "Exposure Time")
    if isinstance(exposure, (int, float)) and exposure > 0:
        found["exposure_time"] = Quantity(exposure / 1000, "s")
    # The header counts the extra scans of the cosmic-ray removal too.
    accumulations = find(scan, "Accumulations") or header["accumulations"]
    if isinstance(accumulations, int) and accumulations > 0:
        found["repetitions"] = Quantity(accumulations, "")
    for name, value, unit in (
        ("objective", find(instrument, "Objective"), None),
        ("magnification", find(instrument, "Magnification"), ""),
        ("grating", find(configuration, "Grating"), None),
        ("slit_width", _leading_number(find(find(instrument, "Slits"), "Opening")), "um"),
        ("laser_transmission", _leading_number(find(instrument, "ND Transmission %")), "percent"),
        ("detector", find(properties.get("WXCS"), "CCD"), None),
    ):
        if isinstance(value, str) and value.strip() and unit is None:
            found[name] = Quantity(clean_text(value.strip()))
        elif isinstance(value, float) and math.isfinite(value) and unit is not None:
            found[name] = Quantity(value, unit)
    if 0 < header["scan_type"] & 0xFF < len(SCAN_TYPES):
        found["scan_mode"] = Quantity(SCAN_TYPES[header["scan_type"] & 0xFF])
    start, end = filetime(header["time_start"]), filetime(header["time_end"])
    if start and end and end > start:
        found["duration"] = Quantity((end - start).total_seconds(), "s")
    found["software"] = Quantity(header["application"] or "WiRE")
    version = ".".join(str(header[f"application_version_{i}"]) for i in range(4))
    found["software_version"] = Quantity(version)
    return found


def _leading_number(value: Any) -> float | None:
    """The number that a text such as ``"65µm"`` begins with."""
    if not isinstance(value, str):
        return None
    digits = value.strip().replace(",", ".")
    end = next((i for i, c in enumerate(digits) if c not in "0123456789.-+"), len(digits))
    try:
        return float(digits[:end])
    except ValueError:
        return None


# --- maps that WiRE computed, and the image ------------------------------------------------------------------


def _computed_maps(wdf: Wdf, main: Entry, places: _Places, spectra: int, warnings: list[str]) -> list[Entry]:
    """``MAP`` blocks: one number a spectrum (a peak's height …), with a property set that says what."""
    maps: list[Entry] = []
    for block in wdf.blocks:
        if block.name != "MAP " or not places.axes:
            continue
        settings, length, problem = read_pset(wdf.data[block.start : block.stop])
        label = settings.get("Label")
        label = label if isinstance(label, str) and label else f"Map {block.number}"
        count = 0
        if not problem and block.start + length + 8 <= block.stop:
            (count,) = struct.unpack_from("<Q", wdf.data, block.start + length)
        if problem or count < spectra or count > wdf.header["capacity"]:
            warnings.append(f"The computed map {label!r} does not fit the spectra; it was left out.")
            continue
        values = wdf.array(block, length + 8, "<f4", spectra)
        signal = Signal("map_value", places.arrange(values), None, places.names, label)
        maps.append(
            Entry(
                name=make_name(f"map {label}"),
                technique=main.technique,
                axes=places.axes,
                signals=(signal,),
                title=label,
                started=main.started,
            )
        )
    return maps


def _image(wdf: Wdf, warnings: list[str]) -> list[Entry]:
    """The white-light image (``WHTL``, a JPEG with its field of view in EXIF), where Pillow is installed."""
    block = wdf.block("WHTL")
    if block is None:
        return []
    try:
        from PIL import Image
    except ImportError:
        warnings.append("The white-light image was left out: Pillow, which decodes JPEG, is not installed.")
        return []
    try:
        with Image.open(BytesIO(wdf.data[block.start : block.stop]), formats=["JPEG"]) as image:
            if image.width * image.height > _MOST_IMAGE_PIXELS:
                raise ValueError(f"{image.width} × {image.height} pixels are too many")
            exif = image.getexif()
            pixels = np.asarray(image.convert("RGB"))
    except Exception as e:  # Pillow raises whatever its decoders do
        warnings.append(f"The white-light image could not be decoded ({clean_text(str(e))[:100]}).")
        return []
    rows, columns, _ = pixels.shape
    try:
        left, top = (float(v) for v in exif[0xFEA0])
        # The field of view is the sensor's, as large as the objective makes it.
        width, height = (float(v) / float(exif.get(0xFEA2, 1)) for v in exif[0xFEA1])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        left, top, width, height = 0.0, 0.0, math.nan, math.nan
    is_scaled = width > 0 and height > 0 and math.isfinite(left + top + width + height)
    x, y = np.arange(columns, dtype=float), np.arange(rows, dtype=float)
    if is_scaled:
        x, y = left + (x + 0.5) * width / columns, top + (y + 0.5) * height / rows
    unit = "um" if is_scaled else "pixel"
    return [
        Entry(
            name="white_light_image",
            technique="optical_microscopy",
            axes=(Axis("y", y, unit), Axis("x", x, unit), Axis("colour", np.array(["red", "green", "blue"]))),
            signals=(Signal("brightness", pixels, "", ("y", "x", "colour")),),
            title="White-light image",
        )
    ]
