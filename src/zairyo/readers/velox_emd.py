"""Thermo Fisher (FEI) Velox ``.emd``: HDF5 with images, image series, EDS and EELS spectra and spectrum images.

``Data`` has a group for each kind of data, and in it one for each array: its numbers, and its metadata as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers import _velox_metadata as velox
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._hdf5_file import (
    dataset,
    group_at,
    members,
    open_hdf5,
    root_names,
    slowest_first,
    text_of,
)
from zairyo.readers._microscope_values import even_axis, free_name, number
from zairyo.readers._velox_stream import spectrum_image

_ROOT = {"Data", "Version", "Experiment"}
#: Groups of Data that hold no numbers of the measurement.
_NOT_DATA = {"Text", "Shape", "SpectrumImage", "Annotation"}
#: Names of the real and the imaginary part that Velox' complex images have.
_REAL, _IMAGINARY = "real", "imag"
#: Detectors of a spectrometer behind the column; Velox calls them analytical, as it does X-ray detectors.
_LOSS_DETECTORS = {"zebra", "eels"}


def _sniff(src: RawInput) -> float:
    if src.members and not src.is_folder:
        return LIKELY if all(m.casefold().endswith(".emd") for m in src.members) else NO
    return CERTAIN if root_names(src) >= _ROOT else NO


def _read(src: RawInput) -> Measurement:
    found = [m for m in src.members if m.casefold().endswith(".emd")] if not src.is_folder else []
    parts = [_read_file(src, member) for member in found or [""]]
    if len(parts) == 1:
        return parts[0]
    taken: set[str] = set()
    entries = [replace(e, name=free_name(e.name, taken)) for part in parts for e in part.entries]
    warnings = tuple(w for part in parts for w in part.warnings)
    return replace(parts[0], entries=tuple(entries), default="", warnings=warnings)


def _read_file(src: RawInput, member: str) -> Measurement:
    warnings: list[str] = []
    with open_hdf5(src, member) as file:
        data = group_at(file, "Data")
        if data is None:
            raise ReadError(f"{member or src.name} has no group 'Data'; it is no Velox file")
        entries = list(_entries(file, data, warnings))
        if not entries:
            raise ReadError(f"{member or src.name} holds no image and no spectrum")
        info = velox.parse(text_of(file, "Info"), "Info", warnings)
        version = velox.parse(text_of(file, "Version"), "Version", warnings)
    software = Quantity(f"Velox {info.get('applicationVersion', '')}".strip())
    told = entries[0].original_metadata
    sample = velox.value(told, "Sample")
    names = [velox.value(told, f"Instrument/{n}") for n in ("Manufacturer", "InstrumentModel")]
    return Measurement(
        entries=tuple(replace(e, conditions={**e.conditions, "software": software}) for e in entries),
        title=entries[0].title,
        sample=_first_text(sample, ("SampleId", "SampleName", "SampleDescription")),
        instrument=" ".join(str(n) for n in names if n),
        operator=str(velox.value(told, "Core/UserId") or ""),
        original_metadata=tidy_metadata({"Info": info, "Version": version}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _first_text(sample: Any, names: tuple[str, ...]) -> str:
    if isinstance(sample, str):
        return sample
    found = (velox.value(sample, n) for n in names)
    return next((v for v in found if isinstance(v, str) and v), "")


def _entries(file: Any, data: Any, warnings: list[str]) -> Iterator[Entry]:
    """Spectrum images first, as they tell most; then images; then spectra."""
    taken: set[str] = set()
    titles = velox.titles(file, warnings)
    kinds: dict[str, Callable[[Any, dict[str, str], set[str], list[str]], Entry | None]] = {
        "EelsSpectrumImage": _loss_image,
        "Image": _image,
        "EelsSpectrum": _loss_spectrum,
        "Spectrum": _xray_spectrum,
    }
    streams = group_at(data, "SpectrumStream")
    if streams is not None:
        yield from _xray_images(streams, taken, warnings)
    for kind, make in kinds.items():
        group = group_at(data, kind)
        for name in members(group) if group is not None else ():
            entry = make(group_at(group, name), titles, taken, warnings)
            if entry is not None:
                yield entry
    others = [n for n in members(data) if n not in {*kinds, *_NOT_DATA, "SpectrumStream"}]
    if others:
        warnings.append(f"Data of the kind {', '.join(others)} are in the file; they are not read.")


def _entry(
    name: str,
    technique: str,
    values: Any,
    axes: tuple[Axis, ...],
    metadata: dict[str, Any],
    title: str,
    unit: str | None = "counts",
    **conditions: Quantity,
) -> Entry:
    return Entry(
        name=name,
        technique=technique,
        axes=axes,
        signals=(Signal("intensity", values, unit, tuple(a.name for a in axes)),),
        title=title,
        conditions={**velox.conditions_of(metadata), **conditions},
        original_metadata=tidy_metadata(metadata),
        started=velox.started(metadata),
    )


def _data(group: Any, dimensions: int) -> Any:
    """The array of a group; None if there is none, ReadError if it has other dimensions than it should."""
    found = dataset(group, "Data")
    if found is not None and (found.ndim != dimensions or 0 in found.shape):
        raise ReadError(
            f"{found.name} has the shape {found.shape}, not {dimensions} dimensions; it is damaged"
        )
    return found


def _image(group: Any, titles: dict[str, str], taken: set[str], warnings: list[str]) -> Entry | None:
    found = _data(group, 3)
    if found is None:
        return None
    metadata = velox.metadata_of(group, warnings)
    values = slowest_first(found)
    fields = values.dtype.names
    if fields:
        parts = [next((n for n in fields if n.startswith(p)), None) for p in (_REAL, _IMAGINARY)]
        if None in parts:
            warnings.append(
                f"{found.name} has the fields {', '.join(fields)}, which are not known; it is not read."
            )
            return None
        complex_values = np.empty(values.shape, np.complex64)
        complex_values.real, complex_values.imag = values[parts[0]], values[parts[1]]
        values = complex_values
    elif values.dtype.kind not in "biuf":
        warnings.append(f"{found.name} holds {values.dtype}, which is no image; it is not read.")
        return None
    axes: tuple[Axis, ...] = velox.plane(metadata, *values.shape[1:])
    if len(values) == 1:
        values = values[0]
    else:
        axes = (Axis("frame", np.arange(len(values))), *axes)
    title = titles.get(group.name, "") or str(velox.value(metadata, "BinaryResult/Detector") or "")
    technique = _image_technique(metadata, axes, bool(fields))
    unit = "counts" if values.dtype.kind in "iu" else None
    return _entry(free_name(title, taken, "image"), technique, values, axes, metadata, title, unit)


def _image_technique(metadata: dict[str, Any], axes: tuple[Axis, ...], transformed: bool) -> str:
    kind = velox.detector_of(metadata).get("DetectorType", "")
    if str(velox.value(metadata, "BinaryResult/Detector")).casefold() in _LOSS_DETECTORS:
        return "eels"
    if kind == "AnalyticalDetector":
        return "eds"
    if kind != "ScanningDetector" and axes[-1].name.startswith(("k_", "angle_")) and not transformed:
        return "electron_diffraction"
    mode = str(velox.value(metadata, "Optics/OperatingMode"))
    return "stem" if kind == "ScanningDetector" or (kind != "ImagingDetector" and mode == "2") else "tem"


def _energy(metadata: dict[str, Any], size: int, binned: int = 1) -> Axis:
    """The energy axis of X-ray spectra; channel numbers if the detector is not described."""
    detector = velox.detector_of(metadata)
    offset, step = number(detector.get("OffsetEnergy")), number(detector.get("Dispersion"))
    if not step:
        return Axis("channel", np.arange(size) * binned)
    first = (offset or 0.0) + step * (binned - 1) / 2
    return even_axis("energy", first / 1e3, step * binned / 1e3, size, "keV")


def _xray_spectrum(group: Any, titles: dict[str, str], taken: set[str], warnings: list[str]) -> Entry | None:
    found = _data(group, 2)
    if found is None:
        return None
    metadata = velox.metadata_of(group, warnings)
    title = " ".join(filter(None, ("EDS", str(velox.value(metadata, "BinaryResult/Detector") or ""))))
    values, axes = _series(found)
    return _entry(
        free_name(title, taken), "eds", values, (*axes, _energy(metadata, found.shape[0])), metadata, title
    )


def _series(found: Any) -> tuple[Any, tuple[Axis, ...]]:
    """Spectra (channel, frame) as one spectrum or a series of them."""
    values = slowest_first(found)
    return (values[0], ()) if len(values) == 1 else (values, (Axis("frame", np.arange(len(values))),))


def _xray_images(streams: Any, taken: set[str], warnings: list[str]) -> Iterator[Entry]:
    """One spectrum image of all detector segments' streams that are of one scan."""
    scans: dict[tuple[int, int, int], list[tuple[Any, dict[str, Any]]]] = {}
    for name in members(streams):
        group = group_at(streams, name)
        found = dataset(group, "Data")
        if found is None or found.ndim not in (1, 2) or found.dtype != np.uint16 or 0 in found.shape:
            warnings.append(
                f"{streams.name}/{name} is no spectrum stream as they are known; it was not read."
            )
            continue
        metadata = velox.metadata_of(group, warnings)
        settings = velox.parse(text_of(group, "AcquisitionSettings"), f"The settings of {name}", warnings)
        size = velox.scanned(metadata) or _raster(settings)
        channels = int(number(settings.get("bincount")) or 0)
        if size is None or not 0 < channels < 65535:
            warnings.append(f"The size of the scan of {streams.name}/{name} is not stated; it was not read.")
            continue
        metadata["AcquisitionSettings"] = settings
        scans.setdefault((*size, channels), []).append((found, metadata))
    for (rows, columns, channels), segments in scans.items():
        values, frames, binned, lost = spectrum_image([s for s, _ in segments], rows, columns, channels)
        metadata = segments[0][1]
        if binned > 1:
            warnings.append(
                f"The spectrum image of {rows} × {columns} places would not fit in memory at its full energy "
                f"resolution: {binned} channels were added up to one."
            )
        if lost:
            warnings.append(f"{lost} X-rays of the spectrum image lie beyond its {channels} channels.")
        axes = (*velox.plane(metadata, rows, columns), _energy(metadata, values.shape[-1], binned))
        detectors = [str(velox.value(m, "BinaryResult/Detector") or "") for _, m in segments]
        described = dict(metadata) | {"SummedDetectors": detectors}
        told = {"frames": Quantity(frames, ""), "detector": Quantity(", ".join(filter(None, detectors)))}
        yield _entry(free_name("EDS map", taken), "eds", values, axes, described, "EDS map", "counts", **told)


def _raster(settings: dict[str, Any]) -> tuple[int, int] | None:
    sizes = [number(velox.value(settings, f"RasterScanDefinition/{n}")) for n in ("Height", "Width")]
    return (
        (int(sizes[0]), int(sizes[1])) if sizes[0] and sizes[1] and max(s or 0 for s in sizes) < 1e6 else None
    )


def _losses(group: Any, size: int, warnings: list[str]) -> tuple[Axis, dict[str, Any]]:
    """The energy-loss axis, and the acquisition as the spectrometer tells it."""
    found = dataset(group, "AcquisitionMetadata")
    told: dict[str, Any] = {}
    if found is not None and found.ndim == 2 and found.dtype == np.uint8 and 0 not in found.shape:
        text = found[:, 0].tobytes().partition(b"\0")[0]
        told = velox.parse(text, f"The acquisition metadata of {group.name}", warnings)
    first, step = number(velox.value(told, "Data/offset")), number(velox.value(told, "Data/dispersion"))
    if first is None or not step:
        return Axis("channel", np.arange(size)), told
    scale, offset = (velox.value(told, f"Data/intensity{n}") for n in ("Scale", "Offset"))
    if number(scale) and (scale, offset) != (1, 0):
        warnings.append(
            f"EELS intensities are kept as the detector's numbers; electrons are {scale:.6g} × number {offset:+.6g}."
        )
    return even_axis("energy_loss", first, step, size, "eV"), told


def _loss_image(group: Any, titles: dict[str, str], taken: set[str], warnings: list[str]) -> Entry | None:
    found = _data(group, 3)
    if found is None:
        return None
    metadata = velox.metadata_of(group, warnings)
    energy, told = _losses(group, found.shape[1], warnings)
    values = np.empty((found.shape[2], found.shape[0], found.shape[1]), found.dtype)
    for row in range(len(values)):
        values[row] = found[:, :, row]
    values.flags.writeable = False
    axes = (*velox.plane(metadata, *values.shape[:2]), energy)
    return _loss_entry("EELS map", values, axes, metadata, told, taken)


def _loss_spectrum(group: Any, titles: dict[str, str], taken: set[str], warnings: list[str]) -> Entry | None:
    found = _data(group, 2)
    if found is None:
        return None
    metadata = velox.metadata_of(group, warnings)
    energy, told = _losses(group, found.shape[0], warnings)
    values, axes = _series(found)
    return _loss_entry("EELS", values, (*axes, energy), metadata, told, taken)


def _loss_entry(
    title: str,
    values: Any,
    axes: tuple[Axis, ...],
    metadata: dict[str, Any],
    told: dict[str, Any],
    taken: set[str],
) -> Entry:
    more: dict[str, Quantity] = {}
    exposure, step = (
        number(velox.value(told, "Data/exposureTime")),
        number(velox.value(told, "Data/dispersion")),
    )
    if exposure:
        more["exposure_time"] = Quantity(exposure, "s")
    if step:
        more["energy_dispersion"] = Quantity(step, "eV")
    metadata = metadata | ({"AcquisitionMetadata": told} if told else {})
    return _entry(free_name(title, taken), "eels", values, axes, metadata, title, "counts", **more)


READER = Reader(
    name="velox_emd",
    version="1",
    techniques=("tem", "stem", "electron_diffraction", "eds", "eels"),
    vendor="Thermo Fisher (FEI)",
    format="Velox EMD",
    endings=(".emd",),
    sniff=_sniff,
    read=_read,
    notes="Images, image series and Fourier transforms, EDS and EELS spectra, EDS spectrum images (all detector "
    "segments and frames summed; energy channels are added up where the map would need more than 512 MiB), EELS "
    "spectrum images. Quantifications, overlays and line profiles drawn in Velox are not read.",
)
