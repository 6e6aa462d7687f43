"""Digital Surf (MountainsMap, Attolight …): ``.sur`` surfaces, images, spectral maps; ``.pro`` profiles, spectra."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, make_name, tidy_metadata
from zairyo.measurement.units import convert, normalise, same_dimension
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader
from zairyo.readers._digitalsurf_objects import PACKED, PLAIN, Line, SurfObject, read_objects, told
from zairyo.readers._mapped import map_bytes
from zairyo.readers._microscope_values import conditions, even_axis, free_name, length_scale, split_number

#: What a comment of Attolight's cathodoluminescence microscopes tells → condition.
_LIGHT = {
    "SEM/Beam Energy": ("accelerating_voltage", "kV", 1e-3),
    "SEM/Real Magnification": ("magnification", "", 1.0),
    "SEM/Emission Current": ("emission_current", "uA", 1.0),
    "SEM/Aperture": ("aperture", None, 1.0),
    "SITE IMAGE/Dwell Time": ("dwell_time", "us", 1.0),
    "CCD/Camera Model": ("detector", None, 1.0),
    "CCD/Exposure Time": ("exposure_time", "s", 1.0),
    "CCD/Horizontal Binning": ("binning", None, 1.0),
    "SPECTROMETER/Grating": ("grating", None, 1.0),
    "SPECTROMETER/Central wavelength": ("central_wavelength", "nm", 1.0),
    "SPECTROMETER/Entrance slit width": ("slit_width", "um", 1.0),
    "SPECTROMETER/Filter": ("filter", None, 1.0),
}
#: Words in the names of the axes → what a spectrum, or an image of its intensity, is.
_SPECTRA = (("cl ", "cathodoluminescence"), ("cathodo", "cathodoluminescence"), ("raman", "raman"))
_LAYERED = {
    "RGB image": 3,
    "RGB images": 3,
    "RGB surface": 4,
    "intensity surface": 2,
    "RGB intensity surface": 5,
}
_STACKED = {"profiles", "surfaces", "force curves"}
_COLOURS = ("red", "green", "blue")


def _sniff(src: RawInput) -> float:
    return CERTAIN if src.head[:12] in (PLAIN, PACKED) else NO


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    objects = read_objects(map_bytes(src), src.name)
    taken: set[str] = set()
    entries = [e for group in _groups(objects) for e in _entries(group, taken, warnings)]
    head = objects[0].head
    return Measurement(
        entries=tuple(entries),
        title=head["Object_Name"] or src.name.rpartition(".")[0],
        operator=head["Operator_Name"],
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _groups(objects: list[SurfObject]) -> Iterator[list[SurfObject]]:
    """Objects that are one thing: the layers of an image or surface, the members of a series."""
    at = 0
    while at < len(objects):
        first = objects[at]
        count = _LAYERED.get(first.kind, 1)
        if first.kind in _STACKED or first.kind == "RGB images":
            count = max(count, first.head["Number_of_Objects"] * max(first.head["P_Size"], 1))
        group = objects[at : at + count]
        shape = first.points.shape
        yield group if all(o.points.shape == shape for o in group) else group[:1]
        at += len(group) if all(o.points.shape == shape for o in group) else 1


def _entries(group: list[SurfObject], taken: set[str], warnings: list[str]) -> Iterator[Entry]:
    first = group[0]
    if first.kind in ("spectrum", "hyperspectral map"):
        yield _spectra(first, taken, warnings)
    elif first.kind in _STACKED and len(group) > 1:
        yield _plane(group, taken, warnings)
    elif first.kind in ("RGB image", "RGB images") and len(group) % 3 == 0:
        for i in range(0, len(group), 3):
            yield _coloured(group[i : i + 3], taken, warnings)
    elif len(group) > 1:  # a surface with its colours, its intensity, or both
        yield _plane(group[:1], taken, warnings)
        if len(group) >= 4:
            yield _coloured(group[1:4], taken, warnings)
        for layer in group[4:] if len(group) >= 4 else group[1:]:
            yield _plane([layer], taken, warnings)
    else:
        yield _plane(group, taken, warnings)


def _entry(
    made: SurfObject, name: str, technique: str, axes: list[Axis], signal: Signal, taken: set[str]
) -> Entry:
    comment = told(made.comment)
    found: dict[str, Quantity] = {}
    if technique == "cathodoluminescence":
        found = conditions(_LIGHT, lambda path: _at(comment, path))
        for axis in "xyz":  # mm, as their sizes say; the comment has no unit
            place = split_number(_at(comment, f"SITE IMAGE/stage_position_{axis}"))
            if place:
                found[f"stage_{axis}"] = Quantity(place[0], "mm")
    if made.head["Measurement_duration"] > 0 and np.isfinite(made.head["Measurement_duration"]):
        found["duration"] = Quantity(made.head["Measurement_duration"], "s")
    metadata = {k: v for k, v in made.head.items() if v != ""} | {"Type": made.kind}
    return Entry(
        name=free_name(name, taken, "surface"),
        technique=technique,
        axes=tuple(axes),
        signals=(signal,),
        title=made.head["Object_Name"],
        conditions=found,
        original_metadata=tidy_metadata(metadata | ({"Comment": comment} if comment else {})),
        started=made.started,
    )


def _at(tree: Any, path: str) -> Any:
    for name in path.split("/"):
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def _unit(text: str, warnings: list[str]) -> str | None:
    if not text:
        return None
    if text.casefold() in ("a.u.", "a.u", "arb."):
        return "arb"
    known = normalise(text)
    if known is None:
        warnings.append(f"The unit {text!r} is not known; it is kept as it is.")
    return known or text


def _axis(line: Line, size: int, name: str, warnings: list[str]) -> Axis:
    """Places, in a length unit that suits their step."""
    unit = _unit(line.unit, warnings)
    long_name = line.name if line.name.casefold() not in ("", name, "width", "height") else ""
    if unit and same_dimension(unit, "m"):
        factor, better = length_scale([convert(abs(line.step), unit, "m")])
        ratio = float(convert(1.0, unit, "m")) * factor
        return even_axis(name, line.first * ratio, line.step * ratio, size, better, long_name)
    return even_axis(name, line.first, line.step or 1.0, size, unit, long_name)


def _spectral_axis(line: Line, size: int, warnings: list[str]) -> Axis:
    """Wavelengths in nm, energies in eV, shifts in 1/cm; others by their own name."""
    unit, words = _unit(line.unit, warnings), line.name.casefold()
    for name, usual in (("wavelength", "nm"), ("photon_energy", "eV"), ("wavenumber", "1/cm")):
        if unit and same_dimension(unit, usual):
            key = "raman_shift" if name == "wavenumber" and ("raman" in words or "shift" in words) else name
            ratio = float(convert(1.0, unit, usual))
            return even_axis(key, line.first * ratio, line.step * ratio, size, usual)
    return even_axis(make_name(line.name, "channel"), line.first, line.step, size, unit, line.name)


def _spectra(made: SurfObject, taken: set[str], warnings: list[str]) -> Entry:
    """A spectrum, several, or a map of them."""
    values: NDArray[Any] = made.levels
    if made.kind == "spectrum":
        values = values[:, :, 0]
        axes = [_spectral_axis(made.lines["x"], values.shape[1], warnings)]
        if len(values) > 1:
            axes.insert(0, even_axis("frame", 0.0, 1.0, len(values), None))
        else:
            values = values[0]
    else:
        axes = [_axis(made.lines[n], s, n, warnings) for n, s in zip("yx", values.shape, strict=False)]
        axes.append(_spectral_axis(made.lines["t"], values.shape[2], warnings))
    technique = _technique(made, axes[-1].name)
    z = made.head["Name_of_Z_Axis"]
    unit = _unit(made.head["Z_Step_Unit"], warnings)
    signal = Signal("intensity", values, unit, tuple(a.name for a in axes), z)
    return _entry(made, "spectrum" if values.ndim == 1 else "spectra", technique, axes, signal, taken)


def _technique(made: SurfObject, spectral: str = "") -> str:
    names = f"{made.head['Name_of_Z_Axis']} {made.head['Object_Name']} ".casefold()
    for word, technique in _SPECTRA:
        if word in names:
            return technique
    if spectral == "raman_shift":
        return "raman"
    return "photoluminescence" if spectral == "wavelength" else "unspecified"


def _plane(group: list[SurfObject], taken: set[str], warnings: list[str]) -> Entry:
    """A profile, a surface or an image, or a series of them."""
    first = group[0]
    values = first.levels[:, :, 0] if len(group) == 1 else np.stack([o.levels[:, :, 0] for o in group])
    axes = [_axis(first.lines["x"], values.shape[-1], "x", warnings)]
    if values.shape[-2] > 1 or "profile" not in first.kind:
        axes.insert(0, _axis(first.lines["y"], values.shape[-2], "y", warnings))
    else:
        values = values[..., 0, :]
        axes = [Axis("distance", axes[0].values, axes[0].unit, axes[0].long_name)]
    if len(group) > 1:
        axes.insert(0, Axis("frame", np.arange(len(group))))
    unit, z = _unit(first.head["Z_Step_Unit"], warnings), first.head["Name_of_Z_Axis"]
    is_height = unit is not None and same_dimension(unit, "m") and "force" not in first.kind
    if is_height and unit is not None:
        finite = np.abs(values[np.isfinite(values)])
        span = float(np.ptp(finite)) if finite.size else 0.0
        factor, better = length_scale([float(convert(span, unit, "m")) / 1000])
        values = values * (float(convert(1.0, unit, "m")) * factor)
        unit = better
    name = "height" if is_height else "intensity"
    technique = "topography" if is_height else _technique(first)
    long_name = z if z.casefold() not in ("", "z", "height") else ""
    signal = Signal(name, values, unit, tuple(a.name for a in axes), long_name)
    return _entry(first, "profile" if values.ndim == 1 else "surface", technique, axes, signal, taken)


def _coloured(layers: list[SurfObject], taken: set[str], warnings: list[str]) -> Entry:
    values = np.stack([np.rint(o.levels[:, :, 0]) for o in layers], axis=-1)
    values = np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8)
    axes = [_axis(layers[0].lines[n], s, n, warnings) for n, s in zip("yx", values.shape, strict=False)]
    axes.append(Axis("colour", np.array(_COLOURS)))
    signal = Signal("brightness", values, "", tuple(a.name for a in axes))
    return _entry(layers[0], "image", "optical_microscopy", axes, signal, taken)


READER = Reader(
    name="digital_surf",
    version="1",
    techniques=(
        "topography",
        "cathodoluminescence",
        "photoluminescence",
        "raman",
        "optical_microscopy",
        "unspecified",
    ),
    vendor="Digital Surf",
    format="SURF (.sur, .pro)",
    endings=(".sur", ".pro"),
    sniff=_sniff,
    read=_read,
    notes="Surfaces, profiles, series of them, images, coloured surfaces, spectra and spectral maps, packed or not. "
    "Points that were not measured are NaN.",
)
