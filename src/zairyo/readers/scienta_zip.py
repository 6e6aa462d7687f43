"""Scienta DA30 maps as SES writes them: a zip archive with a binary cube and its description for each region.

``Spectrum_NAME.bin`` holds 32-bit floats, energies fastest; ``Spectrum_NAME.ini`` their sizes and scales,
``NAME.ini`` the settings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement
from zairyo.readers import _scienta
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._photoemission import measurement
from zairyo.readers._tokens import number

_INI_MOST = 4 * 1024**2
_CUBE_MOST = 1024**3
_LONGEST = 10_000_000
_DIMENSIONS = ("depth", "height", "width")


def sniff(src: RawInput) -> float:
    return CERTAIN if _regions(src) else NO


def _regions(src: RawInput) -> list[str]:
    names = set(src.members)
    return [
        n[len("Spectrum_") : -len(".bin")]
        for n in src.members
        if n.startswith("Spectrum_") and n.endswith(".bin") and n[:-4] + ".ini" in names
    ]


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    taken: set[str] = set()
    entries, infos = [], []
    for name in _regions(src):
        entry, info = _entry(src, name, taken, warnings)
        entries.append(entry)
        infos.append(info)
    viewer = _scienta.sections(_text(src, "viewer.ini")) if "viewer.ini" in src.members else {}
    return measurement(entries, warnings, original_metadata=viewer, **_scienta.about(infos))


def _text(src: RawInput, name: str) -> str:
    return decode_legacy(src.member(name, _INI_MOST))


def _entry(src: RawInput, region: str, taken: set[str], warnings: list[str]) -> tuple[Entry, dict[str, str]]:
    described = _scienta.sections(_text(src, f"Spectrum_{region}.ini"))
    spectrum = next((lines for s, lines in described.items() if s.casefold() == "spectrum"), {})
    settings = _scienta.sections(_text(src, f"{region}.ini")) if f"{region}.ini" in src.members else {}
    if not settings:
        warnings.append(f"The settings of region {region} ({region}.ini) are missing in the archive.")
    info: dict[str, str] = next((lines for s, lines in settings.items() if s.startswith("SES")), {})
    axes = _axes(spectrum, region, warnings)
    values = _cube(src, region, [len(axis.values) for axis in axes])
    kept = [i for i, axis in enumerate(axes) if i == 2 or len(axis.values) > 1]
    values = values.reshape([values.shape[i] for i in kept])
    metadata: dict[str, Any] = {"Spectrum": spectrum} | settings
    name = info.get("Region Name") or region
    return _scienta.entry(name, [axes[i] for i in kept], values, None, info, metadata, taken, warnings), info


def _axes(spectrum: dict[str, Any], region: str, warnings: list[str]) -> list[Axis]:
    axes, taken = [], set[str]()
    for dimension in _DIMENSIONS:
        length, offset, delta = (
            number(spectrum.get(f"{dimension}{part}")) for part in ("", "offset", "delta")
        )
        if length is None or length != int(length) or not 1 <= length <= _LONGEST:
            raise ReadError(f"Spectrum_{region}.ini gives no usable {dimension}: {spectrum.get(dimension)!r}")
        title = str(spectrum.get(f"{dimension}label") or dimension)
        positions = (offset or 0.0) + (1.0 if delta is None else delta) * np.arange(int(length))
        axes.append(_scienta.axis(title, positions, taken, warnings))
    return axes


def _cube(src: RawInput, region: str, shape: list[int]) -> NDArray[np.float32]:
    count = shape[0] * shape[1] * shape[2]
    if count * 4 > _CUBE_MOST:
        raise ReadError(f"region {region} has {count} values, more than this reader takes")
    data = src.member(f"Spectrum_{region}.bin", count * 4)
    if len(data) != count * 4:
        raise ReadError(
            f"Spectrum_{region}.bin has {len(data)} bytes, and {' × '.join(map(str, shape))} numbers need {count * 4}; "
            "the archive is damaged or cut off. Copy it again."
        )
    return np.frombuffer(data, "<f4").reshape(shape)


READER = Reader(
    name="scienta_zip",
    version="1",
    techniques=("arpes", "xps", "ups"),
    vendor="Scienta Omicron",
    format="SES DA30 map (zip)",
    endings=(".zip",),
    sniff=sniff,
    read=read,
    notes="All regions of the archive as cubes over deflection angle, emission angle and energy.",
)
