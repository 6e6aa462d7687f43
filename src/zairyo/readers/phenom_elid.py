"""Thermo Fisher Phenom desktop SEMs: ``.elid`` projects of Element Identification, packed with bzip2."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers import _phenom_project as project
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._microscope_values import conditions, even_axis, free_name, length_scale
from zairyo.readers._phenom_project import Analysis, Picture, read_project
from zairyo.readers._sem_told import Told, fei_image
from zairyo.readers._tiff_image import pixels
from zairyo.readers._xml import parse_xml, tree

#: FEI's TIFF tag that holds the description as XML.
_FEI_TITAN = 34683
_DEGREES = 180 / math.pi
_XRAY = {
    "high_tension": ("accelerating_voltage", "kV", 1e-3),
    "detector_elevation": ("elevation_angle", "deg", _DEGREES),
    "detector_azimuth": ("azimuth_angle", "deg", _DEGREES),
    "live_time": ("live_time", "s", 1.0),
    "real_time": ("real_time", "s", 1.0),
    "slow_peaking_time": ("process_time", "us", 1e6),
    "detector_resolution": ("energy_resolution", "eV", 1.0),
    "working_distance": ("working_distance", "mm", 1e3),
    "sample_tilt_angle": ("tilt_alpha", "deg", _DEGREES),
    "detector_type": ("detector", None, 1.0),
    "instrument_id": ("instrument_serial", None, 1.0),
}
#: Settings that are zero where they were not recorded.
_ZERO_IS_NONE = ("high_tension", "live_time", "real_time", "slow_peaking_time", "working_distance")


def _sniff(src: RawInput) -> float:
    return CERTAIN if src.head[:4] == project.MAGIC else NO


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    version, pictures, rest = read_project(src.read_bytes(), src.name)
    taken: set[str] = set()
    read = [_of_picture(picture, taken, warnings) for picture in pictures]
    entries = [e for _, of_picture in read for e in of_picture]
    loose = _View(Told("", {}), (0, 0))
    entries += [_analysis(a, "", loose, taken) for a in rest]
    if not entries:
        raise ReadError(f"{src.name} is an empty project: it holds no image and no analysis")
    views = [view for view, _ in read if view.told.metadata]
    told = views[0].told if views else Told("", {})
    return Measurement(
        entries=tuple(entries),
        title=src.name.removesuffix(".elid"),
        instrument=f"Phenom {told.instrument}" if told.instrument else "",
        operator=told.operator,
        original_metadata={"version": version},
        warnings=tuple(warnings),
    )


class _View:
    """What is told of an image, and its size; the pixels' size is known or is not."""

    def __init__(self, told: Told, shape: tuple[int, int]) -> None:
        self.told, self.shape, self.pixel = told, shape, told.pixel

    @property
    def field(self) -> float | None:
        """The field of view, which places of analyses are parts of; m."""
        return max(n * p for n, p in zip(self.shape, self.pixel, strict=True)) if self.pixel else None

    def place(self, part: float, axis: int) -> float:
        """A place along y (0) or x (1), m from the image's first pixel."""
        assert self.pixel is not None
        assert self.field is not None
        return (self.shape[axis] - 1) / 2 * self.pixel[axis] + part * self.field


def _of_picture(picture: Picture, taken: set[str], warnings: list[str]) -> tuple[_View, list[Entry]]:
    view, values = _View(Told("", {}), (0, 0)), None
    if picture.tiff:
        try:
            values, told = _open(picture.tiff, f"the image {picture.label!r}")
            view = _View(told, (values.shape[0], values.shape[1]))
        except ReadError as e:
            warnings.append(str(e))
    entries = [] if values is None else [_image(values, picture.label, view, taken)]
    return view, entries + [_analysis(a, picture.label, view, taken) for a in picture.analyses]


def _open(tiff: bytes, what: str) -> tuple[NDArray[Any], Told]:
    from tifffile import TiffFile

    try:
        with TiffFile(io.BytesIO(tiff)) as f:
            page = f.pages[0]
            values = pixels(page, what)
            tag = page.tags.get(_FEI_TITAN)  # type: ignore[union-attr]
            told = tree(parse_xml(str(tag.value).encode(), f"the description of {what}")) if tag else {}
    except ReadError:
        raise
    except Exception as e:  # tifffile raises anything on a damaged file
        raise ReadError(f"{what} is damaged and was left out: {e}") from None
    return values, fei_image(told) if isinstance(told, dict) else Told("", {})


def _image(values: NDArray[Any], label: str, view: _View, taken: set[str]) -> Entry:
    axes = [
        _axis(n, *_edges(view, i), s) for i, (n, s) in enumerate(zip(("y", "x"), view.shape, strict=True))
    ]
    if values.ndim == 3:
        names = ("red", "green", "blue", "alpha")[: values.shape[2]]
        axes.append(Axis("colour", np.array(names)))
    return Entry(
        name=free_name(label, taken),
        technique="sem",
        axes=tuple(axes),
        signals=(Signal("intensity", values, None, tuple(a.name for a in axes)),),
        title=label,
        conditions=view.told.conditions,
        original_metadata=tidy_metadata(view.told.metadata),
        started=view.told.started,
    )


def _edges(view: _View, axis: int) -> tuple[float, float]:
    return (0.0, view.pixel[axis]) if view.pixel else (0.0, 0.0)


def _axis(name: str, first: float, step: float, size: int) -> Axis:
    factor, unit = length_scale([step])
    return even_axis(name, first * factor, step * factor, size, unit)


def _analysis(made: Analysis, label: str, view: _View, taken: set[str]) -> Entry:
    counts, settings = made.counts, made.settings
    axes, extras = _places(made, view)
    step = made.dispersion / 1e3
    energy = even_axis("energy", made.offset / 1e3, step, counts.shape[-1], "keV")
    over = tuple(a.name for a in axes)
    if made.live_times is not None:
        extras += (Signal("live_time", made.live_times, "s", over),)
    title = f"{label}, {project.KINDS[made.kind]} {settings['order_nr']}".strip(", ")
    if made.kind == project.DIFFERENCE:
        title = f"{label}, Difference {' - '.join(map(str, settings['difference_of']))}".strip(", ")
    found = conditions(_XRAY, lambda n: settings.get(n) or (None if n in _ZERO_IS_NONE else settings.get(n)))
    if settings["included_elements"]:
        found["elements"] = Quantity(", ".join(settings["included_elements"]))
    about: dict[str, Any] = {**settings, "place": list(made.place), "offset": made.offset}
    return Entry(
        name=free_name(title, taken),
        technique="eds",
        axes=(*axes, energy),
        signals=(Signal("intensity", counts, "counts", (*over, "energy")), *extras),
        title=title,
        conditions=found,
        original_metadata=tidy_metadata({**about, "dispersion": made.dispersion}),
    )


def _places(made: Analysis, view: _View) -> tuple[list[Axis], tuple[Signal, ...]]:
    """The axes before the energy, and the places of a line's points."""
    shape, place = made.counts.shape[:-1], made.place
    if made.kind == project.MAP:
        if view.field is None:
            return [Axis(n, np.arange(s), "pixel") for n, s in zip(("y", "x"), shape, strict=True)], ()
        left, top, right, bottom = place
        axes = []
        for i, (name, begin, end) in enumerate((("y", top, bottom), ("x", left, right))):
            step = (end - begin) * view.field / shape[i]
            axes.append(_axis(name, view.place(begin, i) + step / 2, step, shape[i]))
        return axes, ()
    if made.kind == project.LINE:
        if view.field is None or shape[0] < 2:
            return [Axis("frame", np.arange(shape[0]))], ()
        x1, y1, x2, y2 = place
        step = math.hypot(x2 - x1, y2 - y1) * view.field / (shape[0] - 1)
        axis = _axis("distance", 0.0, step, shape[0])
        factor, unit = length_scale([step])
        lines = [
            np.linspace(view.place(a, i) * factor, view.place(b, i) * factor, shape[0])
            for i, a, b in ((1, x1, x2), (0, y1, y2))
        ]
        return [axis], tuple(Signal(n, v, unit, ("distance",)) for n, v in zip("xy", lines, strict=True))
    return [], ()


READER = Reader(
    name="phenom_elid",
    version="1",
    techniques=("sem", "eds"),
    vendor="Thermo Fisher Phenom",
    format="ELID",
    endings=(".elid",),
    sniff=_sniff,
    read=_read,
    notes="Images, spot and region spectra, line scans, maps, imported spectra and differences, of projects of Element "
    "Identification 3.8 and later. Quantifications are not read.",
)
