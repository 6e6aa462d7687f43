"""EDAX (TEAM, Genesis): ``.spc`` spectra, and ``.spd`` maps with the ``.spc`` and ``.ipr`` that calibrate them.

Facts: EDAX's own descriptions of the files (SPECTRUM-V70, SpcMap-spd, ImageIPR), little-endian.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._mapped import map_bytes
from zairyo.readers._microscope_values import conditions, even_axis
from zairyo.readers._phenom_project import symbol

_MAP = b"MAPSPECTRA_DATA"
_MAP_HEAD = struct.Struct("<16s4x2i5I")  # behind the tag and the version
_COUNTS = {1: "u1", 2: "<u2", 4: "<u4"}
_MOST_BYTES = 2 * 1024**3
_DATA_START, _MOST_CHANNELS = 3840, 4096
#: Field of a spectrum's head → where it is and how it is written.
_SPECTRUM = {
    "fVersion": (0, "f"),
    "fileSize": (24, "i"),
    "dataStart": (28, "i"),
    "numPts": (32, "h"),
    "workingDist": (36, "h"),
    "evPerChan": (384, "i"),
    "ADCTimeConstant": (388, "h"),
    "preset": (392, "f"),
    "startEnergy": (448, "f"),
    "endEnergy": (452, "f"),
    "liveTime": (456, "f"),
    "tilt": (460, "f"),
    "takeoff": (464, "f"),
    "beamCurFact": (468, "f"),
    "detReso": (472, "f"),
    "azimuth": (508, "f"),
    "elevation": (512, "f"),
    "kV": (532, "f"),
    "totalSpectralCount": (582, "I"),
    "numElem": (638, "h"),
}
_TEXTS = {"spectrumLabel": (64, 256), "userID": (1825, 80)}
_CONDITIONS = {
    "kV": ("accelerating_voltage", "kV", 1.0),
    "liveTime": ("live_time", "s", 1.0),
    "detReso": ("energy_resolution", "eV", 1.0),
    "tilt": ("tilt_alpha", "deg", 1.0),
    "takeoff": ("take_off_angle", "deg", 1.0),
    "azimuth": ("azimuth_angle", "deg", 1.0),
    "elevation": ("elevation_angle", "deg", 1.0),
}
#: Field of an image's head (versions 333 and 334) → where it is and how it is written.
_IMAGE = {
    "version": (0, "H"),
    "accV": (52, "H"),
    "mag": (58, "I"),
    "wd": (62, "H"),
    "mppX": (64, "f"),
    "mppY": (68, "f"),
}
_IMAGE_BYTES = 72


def _sets(names: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """Each map with the spectrum and the image of the same name."""
    lower = {name.casefold(): name for name in names}
    for name in names:
        if name.casefold().endswith(".spd"):
            sides = [lower[s] for e in (".spc", ".ipr") if (s := f"{name[:-4].casefold()}{e}") in lower]
            if sides:
                yield (name, *sides)


def _is_spectrum(head: bytes) -> bool:
    if len(head) < _DATA_START:
        return False
    version, start, points = (
        struct.unpack_from("<" + k, head, at)[0] for at, k in ((0, "f"), (28, "i"), (32, "h"))
    )
    return bool(0.3 < version < 2 and start == _DATA_START and 0 < points <= _MOST_CHANNELS)


def _sniff(src: RawInput) -> float:
    if src.is_folder:
        mains = [found[0] for found in _sets(src.members) if set(found) == set(src.members)]
        return CERTAIN if any(RawInput(src.member_path(m)).head.startswith(_MAP) for m in mains) else NO
    return CERTAIN if src.head.startswith(_MAP) or _is_spectrum(src.head) else NO


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    if src.is_folder:
        found = next(iter(_sets(src.members)), None)
        if found is None:
            raise ReadError(f"{src.path.name} holds no EDAX map (.spd) with its spectrum or image")
        main, *sides = (RawInput(src.member_path(name)) for name in found)
    else:
        main, sides = src, []
    data = map_bytes(main)
    spectrum: dict[str, Any] = {}
    entries: list[Entry] = []
    for side in sides:
        if side.suffix == ".spc":
            spectrum = _spectrum_head(map_bytes(side), side.name)
            entries.append(_spectrum(map_bytes(side), spectrum, side.name, "sum_spectrum"))
    if data[: len(_MAP)] == _MAP:
        image = next(
            (_fields(map_bytes(s), _IMAGE, s.name, _IMAGE_BYTES) for s in sides if s.suffix == ".ipr"), {}
        )
        missing = [n for n, there in ((".spc", spectrum), (".ipr", image)) if not there]
        if missing:
            warnings.append(
                f"{' and '.join(missing)} of the map {main.name} was not given with it: "
                f"{'channels and pixels are' if len(missing) > 1 else 'one of its axes is'} numbered. Put the files "
                "side by side."
            )
        entries.insert(0, _map(data, spectrum, image, main.name))
    else:
        spectrum = _spectrum_head(data, main.name)
        entries.append(_spectrum(data, spectrum, main.name, "spectrum"))
    return Measurement(
        tuple(entries),
        title=spectrum.get("spectrumLabel") or PurePosixPath(main.name).stem,
        operator=spectrum.get("userID", ""),
        warnings=tuple(warnings),
    )


def _fields(
    data: bytes | mmap.mmap, table: dict[str, tuple[int, str]], name: str, size: int
) -> dict[str, Any]:
    if len(data) < size:
        raise ReadError(
            f"{name} is cut off: its head has {size} bytes, and the file {len(data)}. Copy it again."
        )
    return {key: struct.unpack_from("<" + kind, data, at)[0] for key, (at, kind) in table.items()}


def _spectrum_head(data: bytes | mmap.mmap, name: str) -> dict[str, Any]:
    if not _is_spectrum(bytes(data[:_DATA_START])):
        raise ReadError(f"{name} is no EDAX spectrum, or is cut off in its head")
    found = _fields(data, _SPECTRUM, name, _DATA_START)
    for key, (at, size) in _TEXTS.items():
        found[key] = clean_text(
            bytes(data[at : at + size]).split(b"\0")[0].decode("cp1252", "replace")
        ).strip()
    numbers = np.frombuffer(data, "<u2", 48, 640)[: max(0, found["numElem"])].tolist()
    found["elements"] = [symbol(z) for z in numbers if z]
    year, day, month, minute, hour, _, second = struct.unpack_from("<h6b", data, 16)
    try:
        found["collected"] = datetime(year, month, day, hour, minute, second)
    except ValueError:
        found["collected"] = None
    return found


def _energy(head: dict[str, Any], size: int) -> Axis:
    if not head or not head["evPerChan"]:
        return Axis("channel", np.arange(size))
    return even_axis("energy", head["startEnergy"], head["evPerChan"] / 1e3, size, "keV")


def _told(head: dict[str, Any]) -> dict[str, Quantity]:
    found = conditions(_CONDITIONS, lambda key: head.get(key) or None)
    if head.get("elements"):
        found["elements"] = Quantity(", ".join(head["elements"]))
    return found


def _spectrum(data: bytes | mmap.mmap, head: dict[str, Any], name: str, key: str) -> Entry:
    points = head["numPts"]
    if len(data) < _DATA_START + 4 * points:
        raise ReadError(
            f"{name} is cut off: its {points} channels end at byte {_DATA_START + 4 * points}. Copy it again."
        )
    counts = np.frombuffer(data, "<i4", points, _DATA_START)
    axis = _energy(head, points)
    return Entry(
        name=key,
        technique="eds",
        axes=(axis,),
        signals=(Signal("intensity", counts, "counts", (axis.name,)),),
        title=head["spectrumLabel"],
        conditions=_told(head),
        original_metadata=tidy_metadata(head),
        started=head["collected"],
    )


def _map(data: bytes | mmap.mmap, head: dict[str, Any], image: dict[str, Any], name: str) -> Entry:
    if len(data) < _MAP_HEAD.size:
        raise ReadError(f"{name} is cut off in its head, after {len(data)} bytes. Copy it again.")
    _, _, points, lines, channels, width, start, frames = _MAP_HEAD.unpack_from(data)
    size = points * lines * channels * width
    if width not in _COUNTS or min(points, lines, channels) < 1:
        raise ReadError(
            f"{name} announces {lines} × {points} spectra of {channels} channels of {width} bytes; it is damaged"
        )
    if size > _MOST_BYTES:
        raise ReadError(f"{name} holds a map of {size / 1024**3:.1f} GiB; the most that is read is 2 GiB")
    if start + size > len(data):
        raise ReadError(
            f"{name} is cut off: its map ends at byte {start + size}, and it has {len(data)}. Copy it again."
        )
    counts = np.frombuffer(data, _COUNTS[width], points * lines * channels, start).reshape(
        lines, points, channels
    )
    steps = (image.get("mppY", 0.0), image.get("mppX", 0.0))
    y, x = (even_axis(n, 0.0, s, k, "um") for n, s, k in zip(("y", "x"), steps, (lines, points), strict=True))
    axes = (y, x, _energy(head, channels))
    found = _told(head)
    if image.get("mag"):
        found["magnification"] = Quantity(image["mag"], "")
    if frames:
        found["frames"] = Quantity(frames, "")
    return Entry(
        name="map",
        technique="eds",
        axes=axes,
        signals=(Signal("intensity", counts, "counts", tuple(a.name for a in axes)),),
        title=PurePosixPath(name).stem,
        conditions=found,
        original_metadata=tidy_metadata({"nFrames": frames, "Spectrum": head, "Image": image}),
        started=head.get("collected"),
    )


READER = Reader(
    name="edax",
    version="1",
    techniques=("eds",),
    vendor="EDAX",
    format="SPC, SPD",
    endings=(".spc", ".spd"),
    sniff=_sniff,
    read=_read,
    sets=_sets,
    notes="Spectra; maps with the spectrum and the image beside them, which calibrate energies and places. Written "
    "from EDAX's descriptions of the files and not yet tried on real ones.",
)
