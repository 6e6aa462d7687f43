"""S&I TriVista ``.tvf``: XML with spectra, series, line scans and maps of Raman and photoluminescence."""

from __future__ import annotations

import math
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._microscope_values import conditions, free_name, number
from zairyo.readers._xml import find, find_all, parse_xml, text, tree

_MARKS = (b"<XmlMain", b"TriVista")
_MOST_BYTES = 1024**3
_TICKS = 1e7  # .NET's, a second
_CONDITIONS = {
    "Detector/Exposure_Time_(ms)": ("exposure_time", "s", 1e-3),
    "Detector/No_of_Accumulations": ("repetitions", "", 1.0),
    "Detector/Name": ("detector", None, 1.0),
    "Detector/Detector_Temperature": ("detector_temperature", "degC", 1.0),
    "Spectrometer/Groove_Density": ("grating", None, 1.0),
    "Calibration/Laser_Wavelength": ("laser_wavelength", "nm", 1.0),
    "Calibration/Center_Wavelength": ("central_wavelength", "nm", 1.0),
    "Experiment/Mode": ("scan_mode", None, 1.0),
}
#: Words in TriVista's name of a unit → axis, unit, technique; the first that fits.
_UNITS = (
    ("nanometer", "wavelength", "nm", "photoluminescence"),
    ("electronvolt", "photon_energy", "eV", "photoluminescence"),
    ("raman", "raman_shift", "1/cm", "raman"),
    ("relativ", "raman_shift", "1/cm", "raman"),
    ("wavenumber", "wavenumber", "1/cm", "photoluminescence"),
)
_DATES = ("%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S")


def _sniff(src: RawInput) -> float:
    return CERTAIN if all(mark in src.head[:2000] for mark in _MARKS) else NO


def _read(src: RawInput) -> Measurement:
    root = parse_xml(src.read_bytes(_MOST_BYTES), src.name)
    documents = find_all(root, "Documents/Document")
    if not documents:
        raise ReadError(f"{src.name} has no document, so no spectrum; it is damaged or was saved empty")
    warnings: list[str] = []
    taken: set[str] = set()
    hardware = find(root, "Hardware")
    entries = [_entry(d, i, src.name, taken, warnings) for i, d in enumerate(documents, 1)]
    metadata: dict[str, Any] = {"Version": root.get("Version", ""), "Filename": root.get("Filename", "")}
    if hardware is not None:
        metadata["Hardware"] = tree(hardware)
    models = [s.get("Model", "") for s in find_all(hardware, "Spectrometers/Spectrometer")]
    return Measurement(
        entries=tuple(entries),
        title=PurePosixPath(src.name).stem,
        instrument=" ".join(("TriVista", *dict.fromkeys(m for m in models if m))),
        original_metadata=tidy_metadata(metadata),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _entry(document: Element, order: int, name: str, taken: set[str], warnings: list[str]) -> Entry:
    info = _info(document.get("InfoSerialized", ""), warnings)
    frames, stamps = _frames(document, name)
    if find_all(document, "Childs/Document"):
        warnings.append(
            "The windows that a glued spectrum was made of are in the file too; only the whole was read."
        )
    spectral, technique = _spectral_axis(document, frames.shape[-1], warnings)
    rows = [Axis("detector_row", np.arange(frames.shape[1]), "pixel")] if frames.shape[1] > 1 else []
    if not rows:
        frames = frames[:, 0]
    places = _places(info, len(frames), stamps)
    axes = (*places, *rows, spectral)
    values = frames.reshape(tuple(len(a.values) for a in axes))
    unit = "counts" if document.get("DataLabel", "").casefold().startswith("count") else None
    found = conditions(_CONDITIONS, lambda path: _at(info, path))
    if found.get("laser_wavelength", Quantity(1.0)).value == 0.0:
        del found["laser_wavelength"]
    attributes = {k: v for k, v in document.attrib.items() if k != "InfoSerialized"}
    return Entry(
        name=free_name("map" if len(places) > 1 else "series" if places else "spectrum", taken),
        technique=technique,
        axes=axes,
        signals=(Signal("intensity", values, unit, tuple(a.name for a in axes)),),
        title="" if order == 1 else f"Document {order}",
        conditions=found,
        original_metadata=tidy_metadata({**attributes, "Info": info}),
        # Month first and yet 24 hours: .NET's form for all countries, which depends on no setting.
        started=in_forms(document.get("RecordTime", ""), _DATES, warnings),
    )


def _info(text_of_info: str, warnings: list[str]) -> dict[str, Any]:
    """The groups of names and values that a document carries as XML in an attribute."""
    if not text_of_info:
        return {}
    try:
        # As text it is what this file is in, whatever it says of itself.
        root = parse_xml(
            text_of_info.replace('encoding="utf-16"', "", 1).encode(), "the document's description"
        )
    except ReadError as e:
        warnings.append(f"{e} The spectra were read without it.")
        return {}
    return _groups(root)


def _groups(parent: Element, depth: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for group in find_all(parent, "Groups/Group"):
        inner: dict[str, Any] = {text(i, "Name"): text(i, "Value") for i in find_all(group, "Items/Item")}
        key = name = text(group, "Name")
        if depth < 10:
            inner |= _groups(group, depth + 1)
        count = 1
        while key in found:
            count += 1
            key = f"{name} {count}"
        found[key] = inner
    return found


def _at(info: dict[str, Any], path: str) -> Any:
    """A value by its group's name, wherever the group is."""
    group, _, key = path.partition("/")
    waiting = [info]
    while waiting:
        here = waiting.pop(0)
        found = here.get(group)
        if isinstance(found, dict) and isinstance(value := found.get(key), str) and value:
            return value
        waiting += [v for v in here.values() if isinstance(v, dict)]
    return None


def _frames(document: Element, name: str) -> tuple[NDArray[np.float64], list[int]]:
    """All frames, shape (frames, rows, points), and their time stamps."""
    if document.get("Encoding", "Ascii").casefold() != "ascii":
        raise ReadError(f"{name} holds its spectra as {document.get('Encoding')!r}; save them as ASCII")
    frames, stamps = [], []
    for i, frame in enumerate(find_all(document, "Data/Frame"), 1):
        words = (frame.text or "").strip().rstrip(";").replace(",", ".").split(";")
        points, rows = (int(number(frame.get(n)) or 0) for n in ("xDim", "yDim"))
        try:
            values = np.array(words, dtype=float)
        except ValueError:
            raise ReadError(
                f"frame {i} of {name} holds something that is no number; the file is damaged"
            ) from None
        if points < 1 or rows < 1 or len(values) != points * rows:
            raise ReadError(
                f"frame {i} of {name} has {len(values)} values, not {rows} × {points}; it is cut off"
            )
        frames.append(values.reshape(rows, points))
        stamp = frame.get("TimeStamp", "")
        stamps.append(int(stamp) if stamp.isascii() and stamp.isdigit() and len(stamp) < 20 else 0)
    if not frames:
        raise ReadError(f"{name} holds no frame, so no spectrum")
    if len({f.shape for f in frames}) > 1:
        raise ReadError(f"the frames of {name} differ in size; the file is damaged")
    return np.stack(frames), stamps


def _spectral_axis(document: Element, size: int, warnings: list[str]) -> tuple[Axis, str]:
    calibration = find(document, "xDim/Calibration")
    unit = calibration.get("Unit", "") if calibration is not None else ""
    words = (
        (calibration.get("ValueArray", "") if calibration is not None else "")
        .replace(",", ".")
        .split("|")[1:]
    )
    try:
        values = np.array(words, dtype=float)
    except ValueError:
        values = np.empty(0)
    if len(values) != size or not np.isfinite(values).all():
        warnings.append("The spectral positions do not fit the spectra; the detector's pixels are numbered.")
        return Axis("detector_column", np.arange(size), "pixel"), "photoluminescence"
    for word, name, known, technique in _UNITS:
        if word in unit.casefold():
            return Axis(name, values, known), technique
    warnings.append(f"The spectral unit {unit!r} is not known; it is kept as it is.")
    return Axis("spectral_position", values, unit or None), "photoluminescence"


def _places(info: dict[str, Any], count: int, stamps: list[int]) -> list[Axis]:
    """The axes of a scan of the stage, or the times of a series; none for one spectrum."""
    if count == 1:
        return []
    axes = []
    for letter in ("Y", "X"):
        first, step = (number(_at(info, f"{letter}-Axis/{n}")) for n in ("From", "Step"))
        points = number(_at(info, f"{letter}-Axis/Points"))
        if first is not None and step and points and 1 < points <= count:
            # The file does not say in which unit the stage counts.
            axes.append(Axis(letter.lower(), first + step * np.arange(int(points))))
    if axes and math.prod(len(a.values) for a in axes) == count:
        return axes
    times = (np.array(stamps) - stamps[0]) / _TICKS
    if all(stamps) and (np.diff(times) > 0).all():
        return [Axis("time", times, "s")]
    return [Axis("frame", np.arange(count))]


READER = Reader(
    name="trivista_tvf",
    version="1",
    techniques=("photoluminescence", "raman"),
    vendor="S&I",
    format="TriVista",
    endings=(".tvf",),
    sniff=_sniff,
    read=_read,
    notes="Spectra, time series, line scans and maps. The file does not state the stage's unit.",
)
