"""Bruker Esprit ``.spx``: one X-ray spectrum (EDS, or micro-XRF) with its detector, calibration and results, as XML."""

from __future__ import annotations

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._bruker_eds import (
    description_of,
    instance,
    metadata,
    parse,
    sample_of,
    spectrum_entry,
)


def sniff(src: RawInput) -> float:
    head = src.head[:2000]
    return CERTAIN if b"<TRTSpectrum>" in head and b"<?xml" in head[:100] else NO


def read(src: RawInput) -> Measurement:
    root, _ = parse(src.read_bytes(most=64 * 1024**2), src.name)
    spectrum = instance(root, "TRTSpectrum")
    if root.tag != "TRTSpectrum" or spectrum is None:
        raise ReadError(f"{src.name} has no spectrum of Bruker's (ClassInstance of TRTSpectrum) in it")
    title = (spectrum.get("Name") or "").strip()
    comment = description_of(spectrum)
    entry = spectrum_entry(
        spectrum,
        "spectrum",
        title,
        src.name,
        conditions={"comment": Quantity(comment)} if comment else {},
    )
    if entry is None:
        raise ReadError(f"the spectrum in {src.name} has no channels; it is cut off or was saved empty")
    return Measurement(
        entries=(entry,),
        title=title,
        sample=sample_of(root),
        original_metadata=metadata(root),
    )


READER = Reader(
    name="bruker_spx",
    version="2",
    techniques=("eds", "xrf"),
    vendor="Bruker",
    format="Esprit SPX",
    endings=(".spx",),
    sniff=sniff,
    read=read,
    notes="The spectrum with its calibration, detector, times, chosen elements and sample; results of a quantification "
    "are kept in the metadata.",
)
