"""PerkinElmer ``.sp`` spectra and Spotlight ``.fsm`` images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, clean_text, tidy_metadata
from zairyo.measurement.techniques import conditions as known_conditions
from zairyo.readers import _perkinelmer_blocks as pe
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._optical_bytes import Fields

_IMAGE_SETTINGS, _IMAGE_DATA_SET, _IMAGE_VALUES = 5100, 5104, 5105
_X: dict[str, tuple[str, str]] = {
    "cm-1": ("wavenumber", "1/cm"),
    "nm": ("wavelength", "nm"),
    "um": ("wavelength", "um"),
    "mic": ("wavelength", "um"),
    "ev": ("photon_energy", "eV"),
    "sec": ("time", "s"),
    "min": ("time", "min"),
    "pts": ("point", ""),
}
_Y: dict[str, tuple[str, str | None, str]] = {
    "a": ("absorbance", "", "Absorbance"),
    "%t": ("transmittance", "percent", "%T"),
    "t": ("transmittance", "", "Transmittance"),
    "%r": ("reflectance", "percent", "%R"),
    "r": ("reflectance", "", "Reflectance"),
    "egy": ("single_beam", "arb", "Energy"),
    "e": ("single_beam", "arb", "Energy"),
    "km": ("kubelka_munk", "", "Kubelka-Munk"),
    "k-m": ("kubelka_munk", "", "Kubelka-Munk"),
    "log r": ("log_inverse_reflectance", "", "log(1/R)"),
    "logr": ("log_inverse_reflectance", "", "log(1/R)"),
    "int": ("intensity", "arb", "Intensity"),
    "igram": ("interferogram", "arb", "Interferogram"),
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@dataclass(frozen=True)
class _Image:
    """The head of an image: steps, origin and size along x and y, the axis of the spectra, the labels."""

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    z: NDArray[Any]
    labels: list[str]


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head[:4] == pe.MAGIC and len(src.head) > pe.FIRST_BLOCK else NO


def read(src: RawInput) -> Measurement:
    fields = Fields(src.read_bytes(), src.name)
    warnings: list[str] = []
    outer = pe.blocks_of(fields)
    numbers = [number for number, _, _ in outer]
    if _IMAGE_SETTINGS in numbers:
        data_set, entry = _read_image(fields, outer, warnings)
    elif pe.DATA_SET in numbers:
        number, start, size = outer[numbers.index(pe.DATA_SET)]
        data_set = pe.read_block(fields, number, start, size)
        entry = _spectrum(fields, data_set, warnings)
    else:
        kind = fields.text(4, 40)
        raise ReadError(f"{fields.name} is a PerkinElmer file of the kind {kind!r}, which is not read")
    instrument = _first(data_set, pe.INSTRUMENT)
    # The innermost record is the instrument's, and names its accessory there.
    names = [h.values.get("user", "") for h in data_set.all(pe.HISTORY)][:-1]
    return Measurement(
        entries=(entry,),
        title=entry.title,
        instrument=f"PerkinElmer {model}" if (model := instrument.get("model", "")) else "",
        operator=next((name for name in names if name), ""),
        original_metadata=tidy_metadata({"description": fields.text(4, 40), **data_set.told()}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _first(block: pe.Block, number: int) -> dict[str, Any]:
    return next((b.values for b in block.all(number)), {})


def _spectrum(fields: Fields, data_set: pe.Block, warnings: list[str]) -> Entry:
    values = data_set.values
    ends, points = values.get("x_range"), values.get("points")
    if data_set.array is None or not isinstance(ends, list):
        raise ReadError(f"{fields.name} has no spectrum or no axis; it is cut off or damaged")
    start, size = data_set.array
    if points is None or not 0 < points <= size // 8:
        raise ReadError(f"{fields.name} announces {points} points, but {size // 8} are stored; it is damaged")
    return _entry(
        data_set,
        (),
        (str(values.get("x_label", "")), np.linspace(ends[0], ends[1], points)),
        fields.array("<f8", start, points, "the spectrum"),
        str(values.get("y_label", "")),
        warnings,
    )


def _entry(
    data_set: pe.Block,
    places: tuple[Axis, ...],
    x: tuple[str, NDArray[Any]],
    values: NDArray[Any],
    y_label: str,
    warnings: list[str],
) -> Entry:
    label, positions = x
    is_raman = any("raman" in str(v).casefold() for v in _first(data_set, pe.INSTRUMENT).values())
    if label.casefold() not in _X:
        warnings.append(f"The unit {label!r} of the x axis is not known; it was kept as it is.")
    name, unit = _X.get(label.casefold(), ("spectral_position", clean_text(label) or ""))
    if is_raman and name == "wavenumber":
        name = "raman_shift"
    if y_label.casefold() not in _Y:
        warnings.append(f"The quantity {y_label!r} is not known; it has no unit.")
    y_name, y_unit, title = _Y.get(y_label.casefold(), ("intensity", None, clean_text(y_label)))
    technique = _technique(data_set, name, is_raman=is_raman)
    axis = Axis(name, positions, unit or None if name == "spectral_position" else unit)
    shown = data_set.values.get("name") or str(data_set.values.get("path", "")).rsplit("\\", 1)[-1]
    return Entry(
        name="map" if places else "spectrum",
        technique=technique,
        axes=(*places, axis),
        signals=(Signal(y_name, values, y_unit, (*(p.name for p in places), name), title),),
        title=shown,
        conditions=_conditions(data_set, technique),
        started=_started(data_set),
    )


def _technique(data_set: pe.Block, axis: str, *, is_raman: bool) -> str:
    if is_raman:
        return "raman"
    for number, technique in (
        (pe.UV_VISIBLE, "uv_vis"),
        (pe.FLUORESCENCE, "fluorescence"),
        (pe.INFRARED, "ir"),
    ):
        if next(data_set.all(number), None) is not None:
            return technique
    return {"wavenumber": "ir", "wavelength": "uv_vis"}.get(axis, "optical_spectroscopy")


# --- images -------------------------------------------------------------------------------------------------


def _read_image(
    fields: Fields, outer: list[tuple[int, int, int]], warnings: list[str]
) -> tuple[pe.Block, Entry]:
    """The settings, the data set of one spectrum with all that is told, and the spectra row by row."""
    _, start, size = next(block for block in outer if block[0] == _IMAGE_SETTINGS)
    image = _image_settings(fields, start, size)
    data_set = pe.Block(pe.DATA_SET)
    for number, start, size in outer:
        if number == _IMAGE_DATA_SET:
            inside = pe.read_block(fields, number, start, size)
            data_set = next(inside.all(pe.DATA_SET), data_set)
    points = len(image.z)
    places = [(start, size) for number, start, size in outer if number == _IMAGE_VALUES]
    if not places or any(size < 4 * points for _, size in places):
        raise ReadError(f"{fields.name} holds no spectra of {points} points; it is cut off or damaged")
    spectra = np.stack([fields.array("<f4", start, points, "a spectrum") for start, _ in places])
    nx, ny = len(image.x), len(image.y)
    label = data_set.values.get("y_label") or (image.labels[3] if len(image.labels) > 3 else "")
    axes: tuple[Axis, ...]
    if nx * ny == len(spectra):
        axes = (Axis("y", image.y, "um"), Axis("x", image.x, "um"))
        spectra = spectra.reshape(ny, nx, points)
    else:
        warnings.append(
            f"The image should have {nx} × {ny} spectra, but {len(spectra)} were stored; they are in a row."
        )
        axes = (Axis("spectrum", np.arange(len(spectra)), ""),)
    z_label = image.labels[2] if len(image.labels) > 2 else "cm-1"
    entry = _entry(data_set, axes, (z_label, image.z), spectra, str(label), warnings)
    return data_set, replace(entry, title=image.name)


def _image_settings(fields: Fields, start: int, size: int) -> _Image:
    (length,) = fields.unpack("<H", start, "the name of the image")
    name, at = fields.text(start + 2, length), start + 2 + length
    numbers = fields.unpack("<10d3i", at, "the settings of the image")
    dx, dy, dz, first, last, _, _, x0, y0, _, nx, ny, points = numbers
    if not (
        np.isfinite(numbers).all() and dz and nx * ny > 0 and min(nx, ny) > 0 and 0 < points <= len(fields)
    ):
        raise ReadError(f"{fields.name}: the settings of the image are damaged")
    if max(nx, ny) > len(fields):
        raise ReadError(f"{fields.name} announces an image of {nx} × {ny} spectra in {len(fields)} bytes")
    at += 92
    labels: list[str] = []
    while at + 2 <= start + size and len(labels) < 8:
        (length,) = fields.unpack("<H", at, "a label")
        labels.append(fields.text(at + 2, min(length, start + size - at - 2)))
        at += 2 + length
    axis = np.linspace(first, last, points)
    return _Image(name, x0 + dx * np.arange(nx), y0 + dy * np.arange(ny), axis, labels)


# --- conditions ---------------------------------------------------------------------------------------------


def _conditions(data_set: pe.Block, technique: str) -> dict[str, Quantity]:
    told = _first(data_set, pe.INFRARED)
    instrument = _first(data_set, pe.INSTRUMENT)
    found: dict[str, Quantity] = {}
    for name, key, unit in (
        ("resolution", "resolution", "1/cm"),
        ("repetitions", "accumulations", ""),
        ("reference_laser_wavenumber", "laser_wavenumber", "1/cm"),
    ):
        value = told.get(key)
        if isinstance(value, (int, float)) and np.isfinite(value) and value > 0:
            found[name] = Quantity(value, unit)
    for name, text in (
        ("detector", told.get("detector")),
        ("light_source", told.get("source")),
        ("beamsplitter", told.get("beamsplitter")),
        ("apodisation", told.get("apodisation")),
        ("phase_correction", told.get("phase_correction")),
        ("sampling_method", told.get("accessory")),
        ("instrument_serial", instrument.get("serial_number", "").lstrip("/")),
        ("software_version", instrument.get("software_version", "").lstrip("/")),
    ):
        if isinstance(text, str) and text:
            found[name] = Quantity(text)
    comments = [c for h in data_set.all(pe.HISTORY) if (c := h.values.get("comment"))]
    if comments:
        found["comment"] = Quantity(comments[-1])
    known = known_conditions(technique)
    return {name: quantity for name, quantity in found.items() if name in known}


def _started(data_set: pe.Block) -> datetime | None:
    """The date of the first record of the history, which is its innermost."""
    dates = [d for h in data_set.all(pe.HISTORY) if isinstance(d := h.values.get("date"), str)]
    words = dates[-1].casefold().split() if dates else []
    if len(words) != 5 or words[1] not in _MONTHS:
        return None
    try:
        hour, minute, second = (int(part) for part in words[3].split(":"))
        return datetime(int(words[4]), _MONTHS.index(words[1]) + 1, int(words[2]), hour, minute, second)
    except ValueError:
        return None


READER = Reader(
    name="perkinelmer_sp",
    version="1",
    techniques=("ir", "raman", "uv_vis", "fluorescence", "optical_spectroscopy"),
    vendor="PerkinElmer",
    format="Spectrum or Spotlight image",
    endings=(".sp", ".fsm"),
    sniff=sniff,
    read=read,
    notes="Spectra over a constant interval and Spotlight images with their places. Not read: data sets with x values "
    "of their own, line scans (.lsc), visible images (.vis).",
)
