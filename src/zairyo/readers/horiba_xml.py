"""HORIBA LabSpec 6 ``.xml``: Raman and photoluminescence spectra, line scans and maps (also of Jobin Yvon's systems).

A tree of numbered nodes whose numbers stand for names, and a matrix with a row of intensities for each spectrum.
"""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, make_name, tidy_metadata
from zairyo.measurement.units import normalise
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._microscope_values import number, quantity
from zairyo.readers._xml import find, find_all, parse_xml, text, tree

_MOST_BYTES = 1024**3
#: Numbers of nodes.
_TITLE, _ARRAY, _DIMENSIONS = "0x6C7469D9", "0x7A74D9D6", "0x7B697861"
_TYPE, _UNIT, _VALUES = "0x6D707974", "0x7C696E75", "0x7D6CD4DB"
_DESCRIPTION, _NAME, _VALUE, _EXACT = "0x6C62D4D9", "0x6D6D616E", "0x7D6C61DB", "0x8736F70"
_SECTIONS = {"0x8716361": "Acquisition", "0x7C73E2D2": "File information", "0x7CECDBD7": "Date"}
#: LabSpec's name of a setting → condition, unit, whether its exact number (not the word shown) counts.
_CONDITIONS: dict[str, tuple[str, str | None, bool]] = {
    "Acq. time (s)": ("exposure_time", "s", False),
    "Accumulations": ("repetitions", "", False),
    "Laser (nm)": ("laser_wavelength", "nm", True),
    "Grating": ("grating", None, False),
    "Objective": ("objective", None, False),
    "Detector": ("detector", None, False),
    "Detector temperature (°C)": ("detector_temperature", "degC", False),
    "ND Filter": ("laser_transmission", "percent", True),
    "Spectro (nm)": ("central_wavelength", "nm", False),
    "Readout mode": ("scan_mode", None, False),
    "Full time(s)": ("duration", "s", False),
}
#: LabSpec's spectral units → axis, unit, technique.
_SPECTRAL = {
    "1/cm": ("raman_shift", "1/cm", "raman"),
    "cm-1": ("raman_shift", "1/cm", "raman"),
    "1/cm abs": ("wavenumber", "1/cm", "photoluminescence"),
    "nm": ("wavelength", "nm", "photoluminescence"),
    "ev": ("photon_energy", "eV", "photoluminescence"),
}
_INTENSITIES = {"cnt": "counts", "counts": "counts", "cnt/sec": "count/s", "cnt/s": "count/s"}
_PLACES = {"x": "x", "xa": "x", "y": "y", "ya": "y", "z": "z", "time": "time", "t": "temperature"}


def _sniff(src: RawInput) -> float:
    return CERTAIN if b"<LSX_Data" in src.head[:2000] else NO


def _read(src: RawInput) -> Measurement:
    root = parse_xml(src.read_bytes(_MOST_BYTES), src.name)
    top, matrix = find(root, "LSX_Tree"), find(root, "LSX_Matrix")
    if top is None or matrix is None:
        raise ReadError(
            f"{src.name} lacks its {'tree' if top is None else 'matrix'}; it is damaged or of another kind"
        )
    warnings: list[str] = []
    dimensions = _child(_child(top, _ARRAY), _DIMENSIONS)
    parts = list(dimensions) if dimensions is not None else []
    spectra = _rows(matrix, src.name)
    if len(parts) < 2:
        raise ReadError(f"{src.name} does not say what its axes are; it is damaged or of another kind")
    spectral, technique = _spectral_axis(parts[1], spectra.shape[1], src.name, warnings)
    places = _places(parts[2:], len(spectra), warnings)
    axes = (*places, spectral)
    values = spectra.reshape(tuple(len(a.values) for a in axes))
    told, exact = _description(top)
    info, acquisition = told.get("File information", {}), told.get("Acquisition", {})
    entry = Entry(
        name="spectrum" if not places else "map" if len(places) > 1 else "series",
        technique=technique,
        axes=axes,
        signals=(
            Signal("intensity", values, _intensity_unit(parts[0], warnings), tuple(a.name for a in axes)),
        ),
        conditions=_conditions(acquisition, exact) | _remark(info),
        original_metadata=tidy_metadata({**told, "Unnamed": _unnamed(top)}),
        started=_moment(told.get("Date", {}).get("Acquired") or info.get("Date", "")),
    )
    return Measurement(
        (entry,),
        title=info.get("Title") or _text(top, _TITLE) or PurePosixPath(src.name).stem,
        sample=info.get("Sample", ""),
        instrument=f"HORIBA {acquisition['Instrument']}" if acquisition.get("Instrument") else "",
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _child(parent: Element | None, number_: str) -> Element | None:
    if parent is not None:
        for element in parent:
            if element.get("ID") == number_:
                return element
    return None


def _text(parent: Element | None, number_: str) -> str:
    return text(_child(parent, number_))


def _numbers(element: Element | None, what: str) -> NDArray[np.float64]:
    words = (element.text or "").replace(",", ".").split() if element is not None else []
    try:
        return np.array(words, dtype=float)
    except ValueError:
        raise ReadError(f"{what} holds something that is no number; the file is damaged") from None


def _rows(matrix: Element, name: str) -> NDArray[np.float64]:
    rows = [_numbers(row, f"spectrum {i} of {name}") for i, row in enumerate(find_all(matrix, "LSX_Row"), 1)]
    if not rows or not len(rows[0]):
        raise ReadError(f"{name} holds no spectrum")
    for i, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise ReadError(
                f"spectrum {i} of {name} has {len(row)} points, the first {len(rows[0])}; it is damaged"
            )
    return np.stack(rows)


def _spectral_axis(part: Element, size: int, name: str, warnings: list[str]) -> tuple[Axis, str]:
    values = _numbers(_child(part, _VALUES), f"the spectral axis of {name}")
    if len(values) != size or not np.isfinite(values).all():
        raise ReadError(
            f"the spectral axis of {name} has {len(values)} positions for {size} points; it is damaged"
        )
    unit = _text(part, _UNIT)
    if known := _SPECTRAL.get(unit.casefold()):
        return Axis(known[0], values, known[1]), known[2]
    warnings.append(f"The spectral unit {unit!r} is not known; it is kept as it is.")
    return Axis("spectral_position", values, normalise(unit) or unit or None), "raman"


def _places(parts: list[Element], count: int, warnings: list[str]) -> list[Axis]:
    """The axes of the spectra's places, the one that changes fastest last."""
    axes: list[Axis] = []
    for part in parts:
        kind, unit = _text(part, _TYPE), _text(part, _UNIT)
        values = _numbers(_child(part, _VALUES), f"the axis {kind}")
        name = _PLACES.get(kind.casefold(), make_name(kind, "place"))
        if len(values) > 1 and name not in {a.name for a in axes}:
            long_name = kind if kind.casefold() in ("xa", "ya") else ""  # turned with the map's frame
            axes.insert(0, Axis(name, values, normalise(unit) or unit or None, long_name))
    if math.prod(len(a.values) for a in axes) == count:
        return axes
    warnings.append(f"The axes of the map do not fit its {count} spectra; they are numbered.")
    return [Axis("frame", np.arange(count))]


def _intensity_unit(part: Element, warnings: list[str]) -> str | None:
    unit = _text(part, _UNIT)
    known = _INTENSITIES.get(unit.casefold()) or (normalise(unit) if unit else None)
    if unit and known is None:
        warnings.append(f"The unit {unit!r} of the intensities is not known; it is kept as it is.")
    return known or unit or None


def _description(top: Element) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """The named settings by their section, as shown, and the exact numbers behind those that are shown as words."""
    told: dict[str, dict[str, str]] = {}
    exact: dict[str, str] = {}
    for section in _child(top, _DESCRIPTION) or ():
        number_ = section.get("ID", "")
        here = told.setdefault(_SECTIONS.get(number_, number_), {})
        for node in section:
            name = _text(node, _NAME)
            if name:
                here[name] = _text(node, _VALUE)
                exact[name] = _text(node, _EXACT)
    return told, exact


def _unnamed(top: Element) -> dict[str, Any]:
    """The rest of the tree, by its nodes' numbers: what is neither the arrays nor the named settings."""
    rest = [e for e in top if e.get("ID") not in (_ARRAY, _DESCRIPTION)]
    return {e.get("ID", ""): [tree(inner) for inner in e] if len(e) else text(e) for e in rest}


def _conditions(acquisition: dict[str, str], exact: dict[str, str]) -> dict[str, Quantity]:
    found = {}
    for name, (condition, unit, behind) in _CONDITIONS.items():
        shown = acquisition.get(name)
        value = (exact.get(name) or shown) if behind else shown
        made = quantity(number(value) if unit is not None else value, unit)
        if made is not None:
            found[condition] = made
    return found


def _remark(info: dict[str, str]) -> dict[str, Quantity]:
    return {"comment": Quantity(info["Remark"])} if info.get("Remark") else {}


def _moment(words: str) -> datetime | None:
    return in_forms(words, ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M:%S"))


READER = Reader(
    name="horiba_xml",
    version="1",
    techniques=("raman", "photoluminescence"),
    vendor="HORIBA",
    format="LabSpec XML",
    endings=(".xml",),
    sniff=_sniff,
    read=_read,
    notes="Spectra, line scans, time and depth series, and maps.",
)
