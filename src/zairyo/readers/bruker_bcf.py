"""Bruker Esprit ``.bcf``: X-ray maps with a whole spectrum a pixel, their sum spectrum, and the electron images.

The file is a container (``_bruker_sfs``) of an XML head (``_bruker_eds``, ``_bruker_images``) and a packed map
(``_bruker_hypermap``) a detector. Facts about the format: AidAim's and Bruker's field names in the files themselves,
the descriptions of it in HyperSpy's documentation, and files.
"""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity, Signal, clean_text
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._bruker_eds import (
    conditions_of,
    element_names,
    energy_axis,
    instance,
    instances,
    metadata,
    moment,
    number,
    parse,
    quantity,
    spectrum_entry,
    technique_of,
)
from zairyo.readers._bruker_hypermap import Hypermap, unpack
from zairyo.readers._bruker_images import image_entries, place_axis, plane_pixels
from zairyo.readers._bruker_sfs import MAGIC, Container
from zairyo.readers._mapped import map_bytes
from zairyo.readers._xml import find, text

_HEADER, _MAP = "EDSDatabase/HeaderData", "EDSDatabase/SpectrumData"
_MOST_XML, _MOST_MAP = 256 * 1024**2, 2**30
_MOST_CHANNELS = 65_536
_MOST_DETECTORS = 64
_HIGHEST_SEM_VOLTAGE = 30.0  # kV; above it the microscope is a STEM


def sniff(src: RawInput) -> float:
    if src.head[:8] != MAGIC:
        return NO
    return CERTAIN if b"EDSDatabase" in src.head else LIKELY


def read(src: RawInput) -> Measurement:
    container = Container(map_bytes(src), src.name)
    if _HEADER not in container.names:
        there = ", ".join(container.names[:5]) or "nothing"
        raise ReadError(
            f"{src.name} is a container of Bruker's without an X-ray map (it has {there}); it may be cut off, or a "
            "project of another kind"
        )
    root, arrays = parse(container.read(_HEADER, _MOST_XML), f"the head of {src.name}")
    database = instance(root, "TRTSpectrumDatabase")
    if database is None:
        raise ReadError(f"the head of {src.name} has no database of spectra; it is damaged")
    warnings: list[str] = []
    title = clean_text(database.get("Name") or "").strip()
    entries = _map_entries(container, database, arrays, title, warnings)
    shared = {
        n: q
        for n, q in _microscope(database, arrays).items()
        if n not in ("dwell_time", "real_time", "frames")
    }
    voltage = shared.get("accelerating_voltage")
    is_stem = voltage is not None and float(voltage.value) > _HIGHEST_SEM_VOLTAGE  # type: ignore[arg-type]
    entries += image_entries(database, "stem" if is_stem else "sem", shared, arrays, warnings)
    if not entries:
        raise ReadError(
            f"{src.name} has neither a map nor a spectrum nor an image; it was saved empty or is damaged"
        )
    is_summed = any(e.name == "sum_spectrum" for e in entries)
    return Measurement(
        entries=tuple(entries),
        title=title,
        default="sum_spectrum" if is_summed else entries[0].name,
        original_metadata=metadata(root),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _map_entries(
    container: Container, database: Element, arrays: list[bytes], title: str, warnings: list[str]
) -> list[Entry]:
    """For each detector the map, and the sum spectrum that the head has."""
    entries: list[Entry] = []
    for detector in range(_MOST_DETECTORS):
        name, ending = f"{_MAP}{detector}", f"_{detector + 1}" if detector else ""
        holder = find(database, f"SpectrumData{detector}")
        spectrum = instance(holder, "TRTSpectrum")
        if spectrum is None:
            if name in container.names:
                warnings.append(
                    f"The map of detector {detector + 1} has no calibration in the head and was left out."
                )
            continue
        conditions = _microscope(database, arrays) | conditions_of(spectrum)
        if chosen := element_names(instance(database, "TRTElementInformationList")):
            conditions["elements"] = Quantity(chosen)
        if name in container.names:
            entries.append(_map(container, name, database, spectrum, warnings))
            entries[-1] = replace(
                entries[-1],
                name=f"spectrum_image{ending}",
                title=title,
                conditions=conditions,
                started=moment(find(database, "Header")),
            )
        what = f"the sum spectrum of {container.name}"
        named = f"{title}: sum spectrum" if title else "Sum spectrum"
        summed = spectrum_entry(spectrum, f"sum_spectrum{ending}", named, what)
        if summed is not None:
            started = summed.started or moment(find(database, "Header"))
            entries.append(replace(summed, conditions=conditions, started=started))
    return entries


def _map(container: Container, name: str, database: Element, spectrum: Element, warnings: list[str]) -> Entry:
    channels = int(number(instance(spectrum, "TRTSpectrumHeader"), "ChannelCount") or 0)
    channels = channels or int(number(database, "ChCount") or 0)
    if not 0 < channels <= _MOST_CHANNELS:
        raise ReadError(f"the head of {container.name} states {channels} channels; it is damaged")
    unpacked = unpack(container.read(name, _MOST_MAP), channels, f"{name} of {container.name}")
    _warn(unpacked, warnings)
    sem = instance(database, "TRTSEMData")
    rows, columns, _ = unpacked.counts.shape
    steps = [number(sem, "DX") or 0.0, number(sem, "DY") or 0.0]
    y, x = (
        place_axis(axis, size, step, unpacked.binning)
        for axis, size, step in (("y", rows, steps[1]), ("x", columns, steps[0]))
    )
    energy = energy_axis(spectrum, channels)
    return Entry(
        name="spectrum_image",
        technique=technique_of(spectrum),
        axes=(y, x, energy),
        signals=(Signal("intensity", unpacked.counts, "counts", ("y", "x", energy.name)),),
    )


def _warn(unpacked: Hypermap, warnings: list[str]) -> None:
    if unpacked.is_clipped:
        channels = unpacked.counts.shape[-1]
        warnings.append(f"Counts in channels beyond the {channels} calibrated ones were left out.")
    if unpacked.binning > 1:
        n = unpacked.binning
        warnings.append(
            f"The whole map needs more memory than a translation has; each of its pixels here is the sum over {n} × "
            f"{n} pixels of the file."
        )


def _microscope(database: Element, arrays: list[bytes]) -> dict[str, Quantity]:
    """The microscope's settings and how the beam was scanned."""
    sem, stage = instance(database, "TRTSEMData"), instance(database, "TRTSEMStageData")
    tube = instance(database, "TRTXRFData")
    found: dict[str, Quantity | None] = {
        "accelerating_voltage": quantity(sem, "HV", "kV"),
        "magnification": quantity(sem, "Mag", ""),
        "working_distance": quantity(sem, "WD", "mm"),
        "xray_tube_voltage": quantity(tube, "Voltage", "kV"),
        "xray_tube_current": quantity(tube, "Current", "mA", 1e-3),
    }
    for field, name, unit, factor in (
        ("X", "stage_x", "mm", 1e-3),
        ("Y", "stage_y", "mm", 1e-3),
        ("Z", "stage_z", "mm", 1e-3),
        ("Rotation", "stage_rotation", "deg", 1.0),
        ("Tilt", "tilt_alpha", "deg", 1.0),
    ):
        value = number(stage, field)
        found[name] = None if value is None else Quantity(float(f"{value * factor:.12g}"), unit)
    return {n: q for n, q in found.items() if q is not None} | _scan(database, arrays)


def _scan(database: Element, arrays: list[bytes]) -> dict[str, Quantity]:
    """Time a pixel and frame, how many frames, and the time of the whole map."""
    found: dict[str, Quantity] = {}
    settings = instance(database, "TRTDSPConfiguration")
    averages = [number(settings, n) for n in ("PixelTime", "PixelAverage", "LineAverage")]
    counted = [
        n for n in text(database, "LineCounter").split(",") if n.isascii() and n.isdigit() and len(n) < 10
    ]
    times = next((i for i in instances(database, "TRTImageData") if i.get("Name") == "PixelTimes"), None)
    if counted:
        found["frames"] = Quantity(max(int(n) for n in counted), "")
    if all(a is not None and a > 0 for a in averages):
        dwell = float(np.prod([a for a in averages if a is not None]))  # µs
        found["dwell_time"] = Quantity(dwell, "us")
        image = instance(database, "TRTImageData")
        columns = number(image, "Width")
        if counted and columns and columns > 0:
            total = sum(int(n) for n in counted) * columns * dwell * 1e-6
            found["real_time"] = Quantity(float(f"{total:.9g}"), "s")
    plane = find(times, "Plane0")
    if times is not None and plane is not None:
        measured = plane_pixels(times, plane, arrays, [])
        if measured is not None and measured.any():
            found["real_time"] = Quantity(float(f"{float(measured.sum(dtype=float)) * 1e-6:.9g}"), "s")
    return found


READER = Reader(
    name="bruker_bcf",
    version="2",
    techniques=("eds", "xrf", "sem", "stem"),
    vendor="Bruker",
    format="Esprit BCF",
    endings=(".bcf",),
    sniff=sniff,
    read=read,
    notes="The map with a spectrum a pixel (every packing, compressed containers, several detectors), the sum "
    "spectrum, and all images. Maps of more than 2^30 numbers are read as sums over squares of pixels, with a warning.",
)
