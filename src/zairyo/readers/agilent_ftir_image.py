"""Agilent Resolutions: infrared images of a focal-plane array, one tile or a mosaic, and spectra.

A tile is ``x.bsp`` (settings) with ``x.dat`` (spectra) and ``x.seq`` (interferograms); a mosaic ``x.dmt`` with
``x_0000_0000.dmd`` and ``.drd`` a tile, and ``x.dms``, all tiles together. Arrays have a head of 1020 bytes, then
float32 planes, one a wavenumber, rows from the bottom up; mosaics count their tiles from the top left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers import _agilent_ftir_nodes as nodes
from zairyo.readers._agilent_ftir_nodes import AxisOf, Node
from zairyo.readers._api import LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._optical_bytes import Fields, unique_entries
from zairyo.readers._optical_ole import read_streams, sniff_names

_HEAD_BYTES = 1020
_TILE = re.compile(r"(.+)_(\d{4})_(\d{4})\.(dmd|drd)", re.IGNORECASE)
#: Interferograms of a mosaic are left out beyond this.
_MOST_INTERFEROGRAM_BYTES = 512 * 1024**2
_SIGNALS: dict[str, tuple[str, str | None]] = {
    "absorbance": ("absorbance", ""),
    "transmittance": ("transmittance", ""),
    "% transmittance": ("transmittance", "percent"),
    "%transmittance": ("transmittance", "percent"),
    "reflectance": ("reflectance", ""),
    "% reflectance": ("reflectance", "percent"),
    "%reflectance": ("reflectance", "percent"),
    "single beam": ("single_beam", "arb"),
    "singlebeam": ("single_beam", "arb"),
    "response": ("single_beam", "arb"),
    "kubelka-munk": ("kubelka_munk", ""),
    "volts": ("interferogram", "V"),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = re.compile(r"(\w+) (\d{1,2}), (\d{4}) (\d{1,2}):(\d{2}):(\d{2})")


def sets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """Each settings file with the files of its name beside it, whatever their case."""
    stems: dict[str, list[str]] = {}
    for name in names:
        tile = _TILE.fullmatch(name)
        stem = tile[1] if tile else PurePosixPath(name).stem
        if tile or PurePosixPath(name).suffix.lower() in (".bsp", ".dat", ".seq", ".hdr", ".dmt", ".dms"):
            stems.setdefault(stem.casefold(), []).append(name)
    for members in stems.values():
        main = _main(members)
        if main and len(members) > 1:
            yield (main, *(name for name in members if name != main))


def _main(names: Iterable[str]) -> str:
    by_ending = {PurePosixPath(name).suffix.lower(): name for name in names}
    return by_ending.get(".dmt") or by_ending.get(".bsp") or ""


def sniff(src: RawInput) -> float:
    if src.is_folder:
        endings = {PurePosixPath(name).suffix.lower() for name in src.members}
        is_set = {".bsp"} < endings or ".dmt" in endings
        return LIKELY if is_set and endings & {".dat", ".seq", ".dmd", ".dms", ".drd"} else NO
    return sniff_names(src, ("StingrayViewParms",), (".bsp", ".dmt"))


def read(src: RawInput) -> Measurement:
    if src.is_folder:
        main = _main(src.members)
        if not main:
            raise ReadError(f"{src.path.name} has no .bsp or .dmt file, which tells what the images are")
        settings = src.member(main)
    else:
        main, settings = src.path.name, src.read_bytes()
    warnings: list[str] = []
    streams = read_streams(settings, main, within="Spectra/")
    spectra = [content for path, content in streams.items() if not path.endswith("IndexTable")]
    if not spectra:
        raise ReadError(f"{main} holds no spectrum")
    node = nodes.read_nodes(spectra[0], main)
    steps = nodes.method_of(node)
    created = next(iter(steps.values()), {})
    entries = _images(src, main, node, created, warnings) if src.is_folder else []
    if not entries:
        warnings.append(
            f"The image belonging to {main} is not beside it; only the spectra that {main} holds were read."
        )
        found = [node, *(nodes.read_nodes(content, main) for content in spectra[1:])]
        entries = [e for n in found if (e := _spectrum(n, main)) is not None]
    if not entries:
        raise ReadError(f"{main} holds no data")
    return Measurement(
        entries=tuple(unique_entries(entries)),
        title=PurePosixPath(main).stem,
        instrument=f"Agilent {name}" if (name := created.get("MicroscopePresent", "")) else "Agilent",
        operator=created.get("User Stamp", ""),
        original_metadata=tidy_metadata({"method": steps, "properties": _properties(node)}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _properties(node: Node) -> dict[str, Any]:
    found = node.find("Properties")
    values = {n.name: nodes.property_of(node, n.name) for n in (found.nodes if found else [])}
    return {name: value for name, value in values.items() if value is not None}


# --- images -------------------------------------------------------------------------------------------------


def _images(
    src: RawInput, main: str, node: Node, created: dict[str, str], warnings: list[str]
) -> list[Entry]:
    spectral = nodes.axis_of(node, main)
    interferogram = node.find("Properties", "Interferogram")
    retardation = nodes.axis_of(interferogram, main) if interferogram is not None else None
    size, unit = _pixel_size(node, created)
    shared = {"conditions": _conditions(created, size, unit), "started": _started(created)}
    is_mosaic = main.lower().endswith(".dmt")
    entries = []
    for axis, whole, tile in ((spectral, ".dms", "dmd"), (retardation, None, "drd")):
        if axis is None:
            continue
        if is_mosaic:
            values = _mosaic(src, axis.points, whole, tile, warnings)
        else:
            ending = ".dat" if axis is spectral else ".seq"
            name = next((n for n in src.members if n.lower().endswith(ending)), "")
            values = _tile(src, name, axis.points) if name else None
        if values is not None:
            entries.append(_image(axis, values, size, unit, shared))
    return entries


def _tile(src: RawInput, name: str, points: int) -> NDArray[np.float32]:
    """Shape (rows, columns, points), a view of the file's bytes."""
    fields = Fields(src.member(name), name)
    columns, rows = fields.unpack("<HH", 24, "the size of the image")
    available = (len(fields) - _HEAD_BYTES) // (4 * points)
    if not columns * rows:  # a head that does not tell; arrays are square
        columns = rows = int(np.sqrt(max(available, 0)))
    if columns * rows != available or not available:
        raise ReadError(
            f"{name} should hold {columns} × {rows} spectra of {points} points, but has {len(fields)} bytes; "
            "it is cut off or damaged"
        )
    planes = fields.array("<f4", _HEAD_BYTES, points * rows * columns, "the image")
    return planes.reshape(points, rows, columns).transpose(1, 2, 0)


def _mosaic(
    src: RawInput, points: int, whole: str | None, ending: str, warnings: list[str]
) -> NDArray[Any] | None:
    """The mosaic as one array: from the file that holds all of it, else put together from its tiles."""
    name = next((n for n in src.members if whole and n.lower().endswith(whole)), "")
    if name:
        return _tile(src, name, points)
    tiles = {
        (int(match[2]), int(match[3])): name
        for name in src.members
        if (match := _TILE.fullmatch(name)) and match[4].lower() == ending
    }
    if not tiles:
        return None
    if ending == "drd":
        total = sum(src.member_path(name).stat().st_size for name in tiles.values())
        if total > _MOST_INTERFEROGRAM_BYTES:
            warnings.append(f"The interferograms of the mosaic, {total // 1024**2} MiB, were left out.")
            return None
    first = next(iter(tiles.values()))
    tile = _tile(src, first, points)
    columns, rows = (
        max(stated, 1 + max(place[i] for place in tiles))
        for i, stated in enumerate(_stated_tiles(src, first, len(tiles)))
    )
    high, wide_, _ = tile.shape
    values = np.full((rows * high, columns * wide_, points), np.nan, np.float32)
    for (column, row), name in tiles.items():
        part = _tile(src, name, points)
        if part.shape != tile.shape:
            raise ReadError(f"{name} has another size than {first}; one of them is damaged")
        bottom = (rows - 1 - row) * high
        values[bottom : bottom + high, column * wide_ : (column + 1) * wide_] = part
    missing = rows * columns - len(tiles)
    if missing:
        warnings.append(
            f"{missing} of {rows * columns} tiles (.{ending}) are missing; their pixels are empty."
        )
    return values


def _stated_tiles(src: RawInput, name: str, present: int) -> tuple[int, int]:
    """How many tiles a tile's head says the mosaic has along x and y; (0, 0) where that cannot be."""
    columns, rows = Fields(src.member(name), name).unpack("<II", 162, "the size of the mosaic")
    return (columns, rows) if present <= columns * rows <= 100 * present else (0, 0)


def _image(axis: AxisOf, values: NDArray[Any], size: float, unit: str, shared: dict[str, Any]) -> Entry:
    x, name, signal = _named(axis)
    rows, columns, _ = values.shape
    return Entry(
        name=f"{name}_map",
        technique="ir",
        axes=(Axis("y", size * np.arange(rows), unit), Axis("x", size * np.arange(columns), unit), x),
        signals=(Signal(name, values, signal, ("y", "x", x.name), axis.y),),
        title=f"{axis.y} map" if axis.y else "",
        **shared,
    )


def _named(axis: AxisOf) -> tuple[Axis, str, str | None]:
    """The axis, and the signal's name and unit."""
    values = axis.step * (axis.first + np.arange(axis.points))
    if "retardation" in axis.x.casefold():
        x = Axis("optical_path_difference", values, "cm", axis.x)
    else:
        x = Axis("wavenumber", values, "1/cm", axis.x)
    name, unit = _SIGNALS.get(axis.y.casefold(), ("intensity", None))
    return x, name, unit


def _spectrum(node: Node, main: str) -> Entry | None:
    axis = nodes.axis_of(node, main)
    if axis is None or len(axis.values) < 8 * axis.points:
        return None
    x, name, unit = _named(axis)
    values = np.frombuffer(axis.values, "<f8", axis.points)
    created = next(iter(nodes.method_of(node).values()), {})
    title = nodes.property_of(node, "SpectName")
    return Entry(
        name="spectrum",
        technique="ir",
        axes=(x,),
        signals=(Signal(name, values, unit, (x.name,), axis.y),),
        title=title if isinstance(title, str) else "",
        conditions=_conditions(created, *_pixel_size(node, created)),
        started=_started(created),
    )


# --- conditions ---------------------------------------------------------------------------------------------


def _pixel_size(node: Node, created: dict[str, str]) -> tuple[float, str]:
    """A pixel of the image in micrometres: the detector's, times how many were taken together."""
    size = nodes.property_of(node, "FPA Pixel Size")
    together = created.get("PixelAggregationSize", "1")
    if isinstance(size, float) and 0 < size < 1e6 and together.isdecimal() and 0 < int(together) < 10_000:
        return size * int(together), "um"
    return 1.0, "pixel"


def _conditions(created: dict[str, str], size: float, unit: str) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, key, of in (
        ("resolution", "Resolution", "1/cm"),
        ("repetitions", "Scans", ""),
        ("background_repetitions", "Background Scans", ""),
        ("reference_laser_wavenumber", "Effective Laser Wavenumber", "1/cm"),
    ):
        text = created.get(key, "")
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) and float(text) > 0:
            found[name] = Quantity(float(text) if "." in text else int(text), of)
    for name, key in (
        ("detector", "FPA Camera Type"),
        ("instrument_serial", "FPA Camera Number"),
        ("objective", "Microscope IR Objective"),
        ("sampling_method", "OpticsMode"),
        ("light_source", "Source"),
        ("software_version", "Software Version"),
    ):
        if created.get(key):
            found[name] = Quantity(created[key])
    if unit == "um":
        found["pixel_size"] = Quantity(size, unit)
    return found


def _started(created: dict[str, str]) -> datetime | None:
    match = _TIME.search(created.get("Time Stamp", ""))
    if not match or match[1][:3].casefold() not in _MONTHS:
        return None
    try:
        month = _MONTHS.index(match[1][:3].casefold()) + 1
        return datetime(int(match[3]), month, int(match[2]), int(match[4]), int(match[5]), int(match[6]))
    except ValueError:
        return None


READER = Reader(
    name="agilent_ftir_image",
    version="1",
    techniques=("ir",),
    vendor="Agilent",
    format="Resolutions FTIR image",
    endings=(".bsp", ".dmt"),
    sniff=sniff,
    read=read,
    sets=sets,
    notes="Single tiles (.bsp with .dat and .seq) and mosaics (.dmt with .dms, .dmd and .drd): spectra and "
    "interferograms with their places; a settings file alone gives the spectra it holds. Not read: visible images.",
)
