"""Shimadzu UVProbe ``.spc`` and LabSolutions UV-Vis ``.vspd``: compound files of UV-visible spectra.

``DataStorage1/DataSetGroup/<data set>/DataSpectrumStorage/Data`` holds ``X Data.1`` and ``Y Data.1``, float64.
The files do not say in words what y is; it is kept without a unit.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Signal, clean_text, tidy_metadata
from zairyo.readers._api import RawInput, Reader, ReadError
from zairyo.readers._optical_ole import read_streams, sniff_names

_SPECTRUM = re.compile(r"(.*DataSetGroup/([^/]+)/.*?)X Data\.(\d+)")


def sniff(src: RawInput) -> float:
    return sniff_names(src, ("DataSetGroup", "X Data.1", "Y Data.1"), (".spc", ".vspd"))


def read(src: RawInput) -> Measurement:
    streams = read_streams(src.read_bytes(), src.name)
    warnings = [
        "The file does not say whether y is an absorbance, a transmittance or a reflectance; it has no unit."
    ]
    entries: list[Entry] = []
    for path, content in sorted(streams.items(), key=lambda item: _order(item[0])):
        match = _SPECTRUM.fullmatch(path)
        y = streams.get(f"{match[1]}Y Data.{match[3]}") if match else None
        if match is None or y is None:
            continue
        x_values, y_values = (_numbers(data, f"{path} of {src.name}") for data in (content, y))
        if len(x_values) != len(y_values) or not len(x_values):
            raise ReadError(
                f"{src.name}: {match[2]} has {len(x_values)} wavelengths and {len(y_values)} values; it is damaged"
            )
        entries.append(
            Entry(
                name=f"spectrum_{len(entries) + 1}",
                technique="uv_vis",
                axes=(Axis("wavelength", x_values, "nm"),),
                signals=(Signal("intensity", y_values, None, ("wavelength",)),),
                title=clean_text(match[2]),
            )
        )
    if not entries:
        raise ReadError(f"{src.name} holds no spectrum of UVProbe (X Data, Y Data)")
    return Measurement(
        entries=tuple(entries),
        title=entries[0].title,
        instrument="Shimadzu",
        original_metadata=tidy_metadata({"streams": {name: len(data) for name, data in streams.items()}}),
        warnings=tuple(warnings),
    )


def _order(path: str) -> list[tuple[int, str]]:
    """``DataSet10`` behind ``DataSet9``."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", path)]


def _numbers(data: bytes, name: str) -> NDArray[np.float64]:
    if len(data) % 8:
        raise ReadError(f"{name} has {len(data)} bytes, which are no whole numbers; the file is damaged")
    return np.frombuffer(data, "<f8")


READER = Reader(
    name="shimadzu_uv",
    version="1",
    techniques=("uv_vis",),
    vendor="Shimadzu",
    format="UVProbe / LabSolutions UV-Vis",
    endings=(".spc", ".vspd"),
    sniff=sniff,
    read=read,
    notes="All spectra of a file. What y is and the settings are not read: where they are stored is not known.",
)
