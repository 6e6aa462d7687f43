"""Bruker's XML of X-ray spectra (``TRTSpectrum``), the same in ``.spx`` files and inside ``.bcf`` maps."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Quantity, Signal, clean_text
from zairyo.readers._api import ReadError
from zairyo.readers._xml import find, parse_xml, text, tree

#: Arrays that are read elsewhere, and the colours that images are drawn in.
SKIPPED = frozenset(("Data", "Channels", "Palette"))
_COLOURS = re.compile(rb"<C(\d{1,3})>[\d,;. ]*</C\1>")
_DATA = re.compile(rb"<Data>([^<]{8,})</Data>")
_BASE64 = string.ascii_letters.encode() + string.digits.encode() + b"+/=" + string.whitespace.encode()
_MOST_CHANNELS = 1_000_000
_MN_KA = 5.8988  # keV
_FWHM = 2 * math.sqrt(2 * math.log(2))

SYMBOLS = tuple(
    re.findall(
        "[A-Z][a-z]?",
        "HHeLiBeBCNOFNeNaMgAlSiPSClArKCaScTiVCrMnFeCoNiCuZnGaGeAsSeBrKrRbSrYZrNbMoTcRuRhPdAgCdInSnSbTeIXeCsBaLaCePr"
        "NdPmSmEuGdTbDyHoErTmYbLuHfTaWReOsIrPtAuHgTlPbBiPoAtRnFrRaAcThPaUNpPuAmCmBkCfEsFmMdNoLr",
    )
)

#: Type of a header, its field, the condition, its unit, and what the field's number is multiplied with.
_NUMBERS: tuple[tuple[str, str, str, str, float], ...] = (
    ("TRTESMAHeader", "PrimaryEnergy", "accelerating_voltage", "kV", 1.0),
    ("TRTESMAHeader", "Magnification", "magnification", "", 1.0),
    ("TRTESMAHeader", "WorkingDistance", "working_distance", "mm", 1.0),
    ("TRTESMAHeader", "ElevationAngle", "elevation_angle", "deg", 1.0),
    ("TRTESMAHeader", "AzimutAngle", "azimuth_angle", "deg", 1.0),
    ("TRTSpectrumHardwareHeader", "RealTime", "real_time", "s", 1e-3),
    ("TRTSpectrumHardwareHeader", "LifeTime", "live_time", "s", 1e-3),
    ("TRTSpectrumHardwareHeader", "DeadTime", "dead_time", "percent", 1.0),
    ("TRTSpectrumHardwareHeader", "PulseDensity", "input_count_rate", "count/s", 1.0),
    ("TRTDetectorHeader", "DetectorThickness", "detector_thickness", "mm", 1.0),
    ("TRTDetectorHeader", "SiDeadLayerThickness", "dead_layer_thickness", "um", 1.0),
    ("TRTXrfHeader", "Voltage", "xray_tube_voltage", "kV", 1.0),
    ("TRTXrfHeader", "Current", "xray_tube_current", "mA", 1e-3),
    ("TRTXrfHeader", "SpotSize", "beam_diameter", "um", 1.0),
)
_TEXTS: tuple[tuple[str, str, str], ...] = (
    ("TRTDetectorHeader", "Type", "detector"),
    ("TRTDetectorHeader", "Technology", "detector_type"),
    ("TRTDetectorHeader", "Serial", "detector_serial"),
    ("TRTDetectorHeader", "WindowType", "detector_window"),
    ("TRTXrfHeader", "Atmosphere", "atmosphere"),
)


def instances(parent: Element | None, kind: str) -> Iterator[Element]:
    """All descendants that are instances of one of Bruker's classes."""
    if parent is not None:
        yield from (e for e in parent.iter("ClassInstance") if e.get("Type") == kind)


def instance(parent: Element | None, kind: str) -> Element | None:
    return next(instances(parent, kind), None)


def number(parent: Element | None, path: str) -> float | None:
    """A finite number; the decimal mark is a point, or a comma where the computer's language has one."""
    told = text(parent, path).replace(",", ".")
    try:
        value = float(told)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def quantity(parent: Element | None, path: str, unit: str, factor: float = 1.0) -> Quantity | None:
    """A positive number as a quantity; None if it is missing, or zero where it was not known."""
    value = number(parent, path)
    return None if value is None or value <= 0 else Quantity(float(f"{value * factor:.12g}"), unit)


def moment(parent: Element | None) -> datetime | None:
    """The moment of fields ``Date`` (day.month.year) and ``Time``."""
    date = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text(parent, "Date"))
    time = re.fullmatch(r"(\d{1,2}):(\d{1,2}):(\d{1,2})", text(parent, "Time"))
    if date is None:
        return None
    try:
        hour, minute, second = (int(g) for g in time.groups()) if time else (0, 0, 0)
        return datetime(int(date[3]), int(date[2]), int(date[1]), hour, minute, second)
    except ValueError:
        return None


def element_names(parent: Element | None) -> str:
    """Symbols of the elements that were chosen, in their order, e.g. ``C, O, Cu``."""
    found: list[str] = []
    for kind in ("TRTSpectrumRegion", "TRTPSEElement"):
        for chosen in instances(parent, kind):
            name = symbol(text(chosen, "Element")) or clean_text(chosen.get("Name", ""))
            if name and name not in found:
                found.append(name)
    return ", ".join(found)


def symbol(atomic_number: str) -> str:
    """``"26"`` → ``"Fe"``; empty if there is no such element."""
    place = int(atomic_number) if atomic_number.isascii() and atomic_number.isdigit() else 0
    return SYMBOLS[place - 1] if 0 < place <= len(SYMBOLS) else ""


def technique_of(spectrum: Element | None) -> str:
    """X-rays are excited by electrons, or by an X-ray tube in Bruker's micro-XRF instruments."""
    return "xrf" if number(instance(spectrum, "TRTXrfHeader"), "Voltage") else "eds"


def conditions_of(spectrum: Element) -> dict[str, Quantity]:
    """Everything the headers of a spectrum say about how it was taken."""
    found: dict[str, Quantity] = {}
    headers = {e.get("Type", ""): e for e in reversed(list(spectrum.iter("ClassInstance")))}
    for header, field, name, unit, factor in _NUMBERS:
        if (value := quantity(headers.get(header), field, unit, factor)) is not None:
            found[name] = value
    for header, field, name in _TEXTS:
        if told := text(headers.get(header), field):
            found[name] = Quantity(clean_text(told))
    if anode := symbol(text(headers.get("TRTXrfHeader"), "Anode")):
        found["xray_source_element"] = Quantity(anode)
    calibrated = headers.get("TRTSpectrumHeader")
    offset, slope = number(calibrated, "SigmaAbs"), number(calibrated, "SigmaLin")
    if offset is not None and slope is not None and offset + slope * _MN_KA > 0:
        width = 1000 * _FWHM * math.sqrt(offset + slope * _MN_KA)
        found["energy_resolution"] = Quantity(float(f"{width:.4g}"), "eV")
    if chosen := element_names(spectrum):
        found["elements"] = Quantity(chosen)
    return found


def energy_axis(spectrum: Element, count: int) -> Axis:
    """The energies of the first ``count`` channels, by the spectrum's calibration, keV."""
    header = instance(spectrum, "TRTSpectrumHeader")
    offset, step = number(header, "CalibAbs"), number(header, "CalibLin")
    if offset is None or not step or abs(offset) > 1e6 or not 1e-9 < abs(step) < 1e6:
        return Axis("channel", np.arange(count), "")
    return Axis("energy", offset + step * np.arange(count), "keV")


def channels_of(spectrum: Element, what: str) -> NDArray[Any] | None:
    """The counts of a spectrum, shape (channels,): integers unless one is not; None if it has none.

    Raises
    ------
    ReadError
        If they are no numbers, or fewer than the header says.
    """
    told = text(spectrum, "Channels")
    if not told:
        return None
    words = told.rstrip(",").split(",")
    if len(words) > _MOST_CHANNELS:
        raise ReadError(f"{what} has {len(words)} channels, more than any detector's; it is damaged")
    try:
        counts: NDArray[Any] = np.array(words, float)
    except ValueError:
        raise ReadError(f"the counts of {what} are not all numbers; it is damaged") from None
    announced = number(instance(spectrum, "TRTSpectrumHeader"), "ChannelCount")
    if announced is not None and len(words) < announced:
        raise ReadError(
            f"{what} has {len(words)} of the {announced:g} channels that it announces; it is cut off"
        )
    if np.isfinite(counts).all() and np.abs(counts).max() < 2**53 and (counts == np.rint(counts)).all():
        counts = counts.astype(np.int64)
    return counts


def spectrum_entry(spectrum: Element, name: str, title: str, what: str, **more: Any) -> Entry | None:
    """A ``TRTSpectrum`` as an entry; None if it has no counts."""
    counts = channels_of(spectrum, what)
    if counts is None:
        return None
    axis = energy_axis(spectrum, len(counts))
    return Entry(
        name=name,
        technique=technique_of(spectrum),
        axes=(axis,),
        signals=(Signal("intensity", counts, "counts", (axis.name,)),),
        title=title,
        conditions=conditions_of(spectrum) | more.pop("conditions", {}),
        started=moment(instance(spectrum, "TRTSpectrumHeader")),
        **more,
    )


def parse(data: bytes, what: str) -> tuple[Element, list[bytes]]:
    """Bruker's XML, and the images' numbers (base64), whose ``Data`` in the XML is ``#`` and their place in the list.

    They, and the hundreds of colours that images are drawn in, would take longest to parse; the colours are left out.
    """
    arrays: list[bytes] = []

    def put_aside(found: re.Match[bytes]) -> bytes:
        if found[1].translate(None, _BASE64):
            return found[0]
        arrays.append(found[1])
        return b"<Data>#%d</Data>" % (len(arrays) - 1)

    return parse_xml(_COLOURS.sub(b"", _DATA.sub(put_aside, data)), what), arrays


def metadata(root: Element) -> dict[str, Any]:
    """The XML as it is, without its arrays. What was XML needs no further tidying."""
    told = tree(root, SKIPPED)
    return {root.tag: told} if not isinstance(told, dict) else told


def sample_of(root: Element) -> str:
    """The name of the sample, where the user gave one."""
    told = instance(root, "TSampleInformation")
    return clean_text(told.get("Name", "")).strip() if told is not None else ""


def description_of(spectrum: Element) -> str:
    """What the user wrote about a spectrum."""
    header = find(spectrum, "TRTHeaderedClass/TRTBase")
    return clean_text(text(header, "Description"))
