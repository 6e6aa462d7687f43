"""Thermo OMNIC ``.spa`` and ``.spg``: an infrared or Raman spectrum with its interferograms, or a group of spectra."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.readers import _omnic_sections as omnic
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._omnic_sections import Section, SpectrumHeader
from zairyo.readers._optical_bytes import Fields


@dataclass(frozen=True)
class _Spectrum:
    header: SpectrumHeader
    values: NDArray[Any]
    title: str
    started: datetime | None


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head.startswith(omnic.DATA) else NO


def read(src: RawInput) -> Measurement:
    fields = Fields(src.read_bytes(), src.name)
    sections = omnic.sections_of(fields)
    warnings: list[str] = []
    spectra = _spectra(fields, sections)
    told: dict[str, Any] = dict(spectra[0].header.told)
    for section in sections:
        if section.key == omnic.ACQUISITION:
            told |= omnic.acquisition_of(fields, section)
            break
    comments = [t for s in sections if s.key == omnic.COMMENT and (t := omnic.text_of(fields, s))]
    history = [t for s in sections if s.key == omnic.HISTORY and (t := omnic.text_of(fields, s))]
    conditions = omnic.conditions_of(told)
    if comments:
        conditions["comment"] = Quantity("\n".join(comments))
    entries = _entries(spectra, conditions, warnings)
    if len(spectra) == 1:
        entries += _interferograms(fields, sections, entries[0])
    metadata = {"title": fields.text(30, 256), "header": told, "comments": comments, "history": history}
    return Measurement(
        entries=tuple(entries),
        title=fields.text(30, 256),
        original_metadata=tidy_metadata(metadata),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _spectra(fields: Fields, sections: list[Section]) -> list[_Spectrum]:
    """The i-th header, values and title of a group belong together."""
    headers, values, titles = (
        [s for s in sections if s.key == key] for key in (omnic.HEADER, omnic.VALUES, omnic.TITLE)
    )
    if not headers or len(headers) != len(values):
        raise ReadError(
            f"{fields.name} has {len(headers)} headers and {len(values)} spectra; it is damaged, or holds no spectrum"
        )
    found = []
    for number, (section, data) in enumerate(zip(headers, values, strict=True)):
        header = omnic.header_of(fields, section.start)
        if 4 * header.points > data.size:
            raise ReadError(
                f"{fields.name}: spectrum {number + 1} should have {header.points} points, but {data.size // 4} "
                "are stored; the file is damaged"
            )
        title = fields.text(30, 256)
        seconds = fields.unpack("<I", 296, "the time")[0]
        if len(titles) == len(headers):
            title = fields.text(titles[number].start, 256)
            if titles[number].size >= 260:
                seconds = fields.unpack("<I", titles[number].start + 256, "the time of a spectrum")[0]
        array = fields.array("<f4", data.start, header.points, "a spectrum")
        found.append(_Spectrum(header, array, title, omnic.moment(seconds)))
    return found


def _entries(spectra: list[_Spectrum], conditions: dict[str, Quantity], warnings: list[str]) -> list[Entry]:
    """One entry for all that share axis and quantity, else one each."""
    first = spectra[0].header
    name, unit, label = first.signal(warnings)
    alike = all(
        (s.header.points, s.header.first, s.header.last, s.header.x_unit, s.header.y_unit)
        == (first.points, first.first, first.last, first.x_unit, first.y_unit)
        for s in spectra
    )
    if len(spectra) > 1 and alike:
        axis = first.axis(warnings)
        stacked = np.stack([s.values for s in spectra])
        extras = [Signal("title", np.array([s.title for s in spectra]), None, ("spectrum",))]
        moments = [s.started for s in spectra]
        if all(moments):
            times = np.array([m.replace(tzinfo=None) for m in moments if m], dtype="datetime64[s]")
            extras.append(Signal("timestamp", times, None, ("spectrum",), "Collected (UTC)"))
        return [
            Entry(
                name="spectra",
                technique=first.technique,
                axes=(Axis("spectrum", np.arange(1, len(spectra) + 1), ""), axis),
                signals=(Signal(name, stacked, unit, ("spectrum", axis.name), label), *extras),
                conditions=conditions,
                started=min((m for m in moments if m), default=None),
            )
        ]
    entries = []
    for number, spectrum in enumerate(spectra, 1):
        axis = spectrum.header.axis(warnings)
        name, unit, label = spectrum.header.signal(warnings)
        entries.append(
            Entry(
                name="spectrum" if len(spectra) == 1 else f"spectrum_{number}",
                technique=spectrum.header.technique,
                axes=(axis,),
                signals=(Signal(name, spectrum.values, unit, (axis.name,), label),),
                title=spectrum.title,
                conditions=conditions,
                original_metadata=tidy_metadata(spectrum.header.told),
                started=spectrum.started,
            )
        )
    return entries


def _interferograms(fields: Fields, sections: list[Section], spectrum: Entry) -> list[Entry]:
    """The interferograms the spectrum was made of, where they were kept."""
    entries = []
    for key, name, title in (
        (omnic.SAMPLE_INTERFEROGRAM, "interferogram", "Sample interferogram"),
        (omnic.BACKGROUND_INTERFEROGRAM, "reference_interferogram", "Background interferogram"),
    ):
        section = next((s for s in sections if s.key == key and s.size >= 4), None)
        if section is not None:
            values = fields.array("<f4", section.start, section.size // 4, title)
            entries.append(
                Entry(
                    name=name,
                    technique=spectrum.technique,
                    axes=(Axis("point", np.arange(len(values)), ""),),
                    signals=(Signal(name, values, "arb", ("point",), title),),
                    title=title,
                    conditions=spectrum.conditions,
                    started=spectrum.started,
                )
            )
    return entries


READER = Reader(
    name="omnic_spa",
    version="1",
    techniques=("ir", "raman"),
    vendor="Thermo Fisher",
    format="OMNIC spectrum or group",
    endings=(".spa", ".spg"),
    sniff=sniff,
    read=read,
    notes="The spectrum, the interferograms kept beside it, comments and history; groups as one stack where all "
    "spectra share their axis. Not read: the experiment's settings as OMNIC shows them.",
)
