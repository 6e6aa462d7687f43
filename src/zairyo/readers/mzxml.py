"""mzXML (Institute for Systems Biology, versions 2 and 3): mass spectra, read as a stream.

Facts (the schema, and files): ``msRun`` with ``parentFile``, ``msInstrument`` and ``dataProcessing``, then scans,
those of MS² inside that of their precursor or beside it. ``peaks`` holds pairs of mass and intensity in base64, big
endian, of 32 or 64 bits, perhaps zlib. ``retentionTime`` is a duration such as ``PT348.146S``; no date is stated.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np
from defusedxml.ElementTree import iterparse

from zairyo.measurement import Measurement, Quantity, clean_text, tidy_metadata
from zairyo.measurement.model import Array
from zairyo.readers import _xml
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._mzml_stream import MOST_POINTS, Run, Spectrum
from zairyo.readers.mzml import spectra_entries

_DURATION = re.compile(r"P(?:T(?:(?P<h>[\d.]+)H)?(?:(?P<m>[\d.]+)M)?(?:(?P<s>[\d.]+(?:[eE][+-]?\d+)?)S)?)\Z")
_HEAD = ("parentFile", "msInstrument", "dataProcessing")
_MOST_FILES = 100
_POLARITY = {"+": "positive", "-": "negative"}
#: How programs write the ionisation, in lower case.
_IONISATION = {
    "esi": "ESI", "electrospray ionization": "ESI", "nsi": "nano-ESI", "nanoelectrospray": "nano-ESI",
    "apci": "APCI", "atmospheric pressure chemical ionization": "APCI", "appi": "APPI", "maldi": "MALDI",
    "matrix-assisted laser desorption ionization": "MALDI", "ei": "EI", "electron ionization": "EI", "ci": "CI",
    "chemical ionization": "CI",
}  # fmt: skip
_LIQUID, _GAS = ("ESI", "nano-ESI", "APCI", "APPI"), ("EI", "CI")


def sniff(src: RawInput) -> float:
    head = src.head[:4096].lstrip(b"\xef\xbb\xbf \r\n\t")
    return CERTAIN if head.startswith(b"<") and re.search(rb"<mzXML[\s>]", head) else NO


def read(src: RawInput) -> Measurement:
    run = Run()
    with _xml.parsing(src.name), src.open() as file:
        _events(run, iterparse(file, events=("start", "end")))
    if not run.spectra:
        raise ReadError(f"{src.name} holds no spectrum; nothing was acquired or it was cut off")
    warnings: list[str] = []
    if run.left_out:
        names = ", ".join(sorted(run.left_out)[:10])
        warnings.append(f"Beside masses and intensities the file holds arrays that are not read: {names}.")
    announced = run.announced.get("spectra", 0)
    if announced > len(run.spectra):
        warnings.append(
            f"The file announces {announced} spectra, but holds {len(run.spectra)}; those there are kept."
        )
    told = {key: _said(run, key) for key in ("msManufacturer", "msModel", "msIonisation", "msMassAnalyzer")}
    ionisation = _IONISATION.get(told["msIonisation"].casefold(), told["msIonisation"])
    conditions = {
        name: Quantity(text)
        for name, text in (("ionisation", ionisation), ("mass_analyser", told["msMassAnalyzer"]))
        if text
    }
    technique = "mass_spectrometry"
    if len(run.spectra) > 1:
        technique = "lc_ms" if ionisation in _LIQUID else "gc_ms" if ionisation in _GAS else technique
    maker, model = told["msManufacturer"], told["msModel"]
    return Measurement(
        entries=tuple(spectra_entries(run, technique, {"conditions": conditions})),
        title=src.path.stem,
        instrument=model if maker.casefold() in model.casefold() else f"{maker} {model}",
        original_metadata=tidy_metadata({**run.head, "run": run.run, "first_spectrum": run.first}),
        warnings=tuple(warnings),
    )


def _said(run: Run, key: str) -> str:
    """The value of an element of the instrument, the first one's where there are several."""
    instrument = run.head.get("msInstrument", {})
    instrument = instrument[0] if isinstance(instrument, list) else instrument
    found = instrument.get(key, {}) if isinstance(instrument, dict) else {}
    return clean_text(str(found.get("@value", ""))).strip() if isinstance(found, dict) else ""


# --- the stream ---------------------------------------------------------------------------------------------------


def _events(run: Run, events: Iterator[tuple[str, Element]]) -> None:
    centroided = ""
    within: list[Spectrum] = []
    for event, element in events:
        tag = _xml.local(element.tag)
        if event == "start":
            if tag == "msRun":
                run.run = dict(element.attrib)
                count = element.get("scanCount", "")
                if count.isdecimal() and len(count) < 10:
                    run.announced["spectra"] = int(count)
            elif tag == "scan":
                if not run.first:
                    run.first = dict(element.attrib)
                within.append(_begun(element, centroided))
                run.spectra.append(within[-1])
            continue
        if tag in _HEAD and not within:
            known = run.head.setdefault(tag, [])
            if len(known) < _MOST_FILES:
                known.append(_xml.tree(element))
            if tag == "dataProcessing":
                centroided = element.get("centroided", "")
        elif tag == "precursorMz" and within:
            within[-1].precursor = _number((element.text or "").strip())
            within[-1].charge = _number(element.get("precursorCharge", ""))
        elif tag == "peaks" and within:
            _take_peaks(run, within[-1], element)
        elif tag == "scan" and within:
            scan = within.pop()
            if len(scan.masses) != len(scan.abundances):
                raise ReadError(
                    f"scan {scan.number} has other numbers of masses and of intensities; it is damaged"
                )
        else:
            continue
        element.clear()
    run.head = {key: many[0] if len(many) == 1 else many for key, many in run.head.items()}


def _begun(element: Element, centroided: str) -> Spectrum:
    """A scan's attributes; its points come later. ``centroided`` is what the head says of all."""
    level, number = element.get("msLevel", ""), element.get("num", "")
    return Spectrum(
        level=int(level) if level.isdecimal() and 0 < int(level[:3]) < 100 else 1,
        polarity=_POLARITY.get(element.get("polarity", ""), ""),
        is_profile=element.get("centroided", centroided) == "0",
        time=_minutes(element.get("retentionTime", "")),
        masses=np.zeros(0),
        abundances=np.zeros(0),
        total=_number(element.get("totIonCurrent", "")),
        base_mass=_number(element.get("basePeakMz", "")),
        base=_number(element.get("basePeakIntensity", "")),
        precursor=np.nan,
        charge=np.nan,
        energy=_number(element.get("collisionEnergy", "")),
        unit="",
        number=int(number) if number.isdecimal() and len(number) < 10 else 0,
    )


def _take_peaks(run: Run, scan: Spectrum, element: Element) -> None:
    """``peaks`` in the scan: pairs, or in version 3 masses and intensities apart."""
    kind = element.get("contentType") or element.get("pairOrder") or "m/z-int"
    if kind not in ("m/z-int", "m/z", "intensity"):
        run.left_out.add(clean_text(kind)[:40])
        return
    values = _decoded(element, f"scan {scan.number}", 3 * MOST_POINTS - run.points)
    run.points += len(values)
    if kind == "m/z-int":
        if len(values) % 2:
            raise ReadError(f"scan {scan.number} has a mass without intensity; the file is damaged")
        if len(values) == 2 and not values.any():  # how an empty scan is written
            values = values[:0]
        scan.masses, scan.abundances = values[::2], values[1::2]
    elif kind == "m/z":
        scan.masses = values
    else:
        scan.abundances = values


def _decoded(element: Element, what: str, most: int) -> Array:
    width = {"32": 4, "64": 8}.get(element.get("precision", "32"))
    packing = element.get("compressionType", "none") or "none"
    if width is None or packing not in ("none", "zlib"):
        raise ReadError(
            f"{what} has numbers of {element.get('precision')} bits packed by {packing[:20]!r}; not read"
        )
    try:
        data = base64.b64decode("".join((element.text or "").split()))
        if packing == "zlib" and data:
            unpack = zlib.decompressobj()
            data = unpack.decompress(data, max(1, most) * width)
            if unpack.unconsumed_tail or not unpack.eof:
                raise ReadError(f"{what} has too many points, or is cut off")
    except (binascii.Error, zlib.error, ValueError) as e:
        if isinstance(e, ReadError):
            raise
        raise ReadError(f"{what} has an array that cannot be unpacked ({e}); the file is damaged") from None
    if len(data) % width or len(data) > most * width:
        raise ReadError(f"{what} has no whole number of points, or too many; the file is damaged")
    return np.frombuffer(data, f">f{width}").astype(np.float64)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _minutes(text: str) -> float:
    m = _DURATION.match(text)
    if m is None or not any(m.groups()):
        return _number(text) / 60  # seconds, as some write
    return _number(m["h"] or "0") * 60 + _number(m["m"] or "0") + _number(m["s"] or "0") / 60


READER = Reader(
    name="mzxml",
    version="1",
    techniques=("lc_ms", "gc_ms", "mass_spectrometry"),
    vendor="ISB",
    format="mzXML",
    endings=(".mzxml",),
    sniff=sniff,
    read=read,
    notes="Spectra of every MS level, also zlib. The file states no date; a run's chromatogram is of its scans.",
)
