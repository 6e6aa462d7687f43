"""mzML as a stream: spectra and chromatograms one after another, so that what is read is let go of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from defusedxml.ElementTree import iterparse

from zairyo.measurement import clean_text
from zairyo.measurement.model import Array
from zairyo.readers import _xml
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers._mzml_arrays import decode

MOST_POINTS = 60_000_000
_MINUTE, _SECOND, _MILLISECOND = "UO:0000031", "UO:0000010", "UO:0000028"
_IN_MINUTES = {_MINUTE: 1.0, _SECOND: 1 / 60, _MILLISECOND: 1 / 60000}
_MASSES, _INTENSITIES, _TIMES, _WAVELENGTHS = "MS:1000514", "MS:1000515", "MS:1000595", "MS:1000617"
_LEVEL, _PROFILE, _POSITIVE, _NEGATIVE = "MS:1000511", "MS:1000128", "MS:1000130", "MS:1000129"
_START, _TOTAL, _BASE_MASS, _BASE = "MS:1000016", "MS:1000285", "MS:1000504", "MS:1000505"
_SELECTED, _TARGET, _CHARGE, _ENERGY = "MS:1000744", "MS:1000827", "MS:1000041", "MS:1000045"
Params = dict[str, tuple[str, str, str]]


@dataclass
class Spectrum:
    level: int
    polarity: str
    is_profile: bool
    time: float
    masses: Array
    abundances: Array
    total: float
    base_mass: float
    base: float
    precursor: float
    charge: float
    energy: float
    unit: str
    number: int = 0  # the vendor's; that in the file if 0


@dataclass
class Run:
    """What the stream gave."""

    head: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Params] = field(default_factory=dict)
    run: dict[str, str] = field(default_factory=dict)
    spectra: list[Spectrum] = field(default_factory=list)
    absorption: list[tuple[float, Array, Array]] = field(default_factory=list)
    chromatograms: list[tuple[str, Params, Array, Array, float, float]] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)
    announced: dict[str, int] = field(default_factory=dict)
    points: int = 0
    left_out: set[str] = field(default_factory=set)  # names of arrays that are not of mass or abundance


def stream(src: RawInput) -> Run:
    run = Run()
    with _xml.parsing(src.name), src.open() as file:
        _events(run, iterparse(file, events=("start", "end")), src.name)
    return run


def _events(run: Run, events: Iterator[tuple[str, Element]], name: str) -> None:
    is_mzml = False
    depth_of_run = False
    for event, element in events:
        tag = _xml.local(element.tag)
        if event == "start":
            is_mzml = is_mzml or tag == "mzML"
            if tag == "run":
                run.run, depth_of_run = dict(element.attrib), True
            elif tag in ("spectrumList", "chromatogramList"):
                count = element.get("count", "")
                if count.isdecimal() and len(count) < 10:
                    run.announced["spectra" if tag == "spectrumList" else "chromatograms"] = int(count)
            continue
        if tag == "spectrum" and depth_of_run:
            _take_spectrum(run, element)
        elif tag == "chromatogram" and depth_of_run:
            _take_chromatogram(run, element)
        elif tag == "referenceableParamGroup":
            run.groups[element.get("id", "")] = _params(run, element)
            continue
        elif tag in ("spectrumList", "chromatogramList", "run", "indexList"):
            element.clear()
            continue
        elif not depth_of_run and tag.endswith(("List", "Description")) and tag not in run.head:
            if tag not in ("componentList", "sourceFileList"):
                run.head[tag] = _xml.tree(element)
            continue
        else:
            continue
        element.clear()
    if not is_mzml:
        raise ReadError(f"{name} is XML, but no mzML")


def _params(run: Run, element: Element | None) -> Params:
    """The element's own parameters, and those of the groups it refers to: accession → value, unit, name."""
    found: Params = {}
    for child in element if element is not None else ():
        tag = _xml.local(child.tag)
        if tag == "cvParam":
            unit = child.get("unitAccession", "")
            found[child.get("accession", "")] = (child.get("value", ""), unit, child.get("name", ""))
        elif tag == "referenceableParamGroupRef":
            found |= run.groups.get(child.get("ref", ""), {})
    return found


def _number(params: Params, term: str) -> float:
    try:
        return float(params[term][0]) if term in params else np.nan
    except ValueError:
        return np.nan


def _minutes(params: Params) -> float:
    return (
        _number(params, _START) * _IN_MINUTES.get(params[_START][1] or _MINUTE, 1.0)
        if _START in params
        else np.nan
    )


def _arrays(run: Run, element: Element, what: str) -> dict[str, tuple[Array, Params]]:
    """The element's arrays by what they hold."""
    found: dict[str, tuple[Array, Params]] = {}
    default = element.get("defaultArrayLength", "0")
    for child in _xml.find_all(element, "binaryDataArrayList/binaryDataArray"):
        params = _params(run, child)
        kind = next((k for k in (_MASSES, _INTENSITIES, _TIMES, _WAVELENGTHS) if k in params), "")
        if not kind:
            run.left_out.update(name for _, _, name in params.values() if name.endswith(" array"))
            continue
        length = child.get("arrayLength", default)
        if not length.isdecimal() or len(length) > 10 or run.points + int(length) > 3 * MOST_POINTS:
            raise ReadError(f"{what} announces {length} points, which is none or too many to be read")
        values = decode(_xml.text(child, "binary"), params, int(length), what)
        run.points += len(values)
        found[kind] = (values, params)
    return found


def _take_spectrum(run: Run, element: Element) -> None:
    what = f"spectrum {clean_text(element.get('id', '') or element.get('index', ''))[:60]!r}"
    params = _params(run, element)
    if not run.first:
        run.first = _xml.tree(element, skip=("binary",))
    scan = _params(run, _xml.find(element, "scanList/scan"))
    arrays = _arrays(run, element, what)
    empty = np.zeros(0)
    abundances, about = arrays.get(_INTENSITIES, (empty, {}))
    axis = arrays.get(_MASSES) or arrays.get(_WAVELENGTHS)
    if len(abundances) != (len(axis[0]) if axis else 0):
        raise ReadError(
            f"{what} has {len(abundances)} intensities for {len(axis[0]) if axis else 0} masses; it is damaged"
        )
    if _WAVELENGTHS in arrays:
        run.absorption.append((_minutes(scan), arrays[_WAVELENGTHS][0], abundances))
        return
    precursor = _xml.find(element, "precursorList/precursor")
    selected = _params(run, _xml.find(precursor, "selectedIonList/selectedIon"))
    isolated = _params(run, _xml.find(precursor, "isolationWindow"))
    mass = _number(selected, _SELECTED)
    level = _number(params, _LEVEL)
    run.spectra.append(
        Spectrum(
            level=int(level) if np.isfinite(level) and 0 < level < 100 else 1,
            polarity="positive" if _POSITIVE in params else "negative" if _NEGATIVE in params else "",
            is_profile=_PROFILE in params,
            time=_minutes(scan),
            masses=axis[0] if axis else empty,
            abundances=abundances,
            total=_number(params, _TOTAL),
            base_mass=_number(params, _BASE_MASS),
            base=_number(params, _BASE),
            precursor=mass if np.isfinite(mass) else _number(isolated, _TARGET),
            charge=_number(selected, _CHARGE),
            energy=_number(_params(run, _xml.find(precursor, "activation")), _ENERGY),
            unit=about.get(_INTENSITIES, ("", "", ""))[1],
        )
    )


def _take_chromatogram(run: Run, element: Element) -> None:
    name = clean_text(element.get("id", "") or element.get("index", ""))[:200]
    arrays = _arrays(run, element, f"chromatogram {name[:60]!r}")
    if _TIMES not in arrays or _INTENSITIES not in arrays:
        return
    times, about = arrays[_TIMES]
    times = times * _IN_MINUTES.get(about[_TIMES][1] or _MINUTE, 1.0)
    if not len(times):
        return
    params = _params(run, element)
    params["unit"] = (arrays[_INTENSITIES][1][_INTENSITIES][1], "", "")
    before = _number(_params(run, _xml.find(element, "precursor/isolationWindow")), _TARGET)
    after = _number(_params(run, _xml.find(element, "product/isolationWindow")), _TARGET)
    run.chromatograms.append((name, params, times, arrays[_INTENSITIES][0], before, after))
