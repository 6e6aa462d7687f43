"""Agilent OpenLab CDS ``.dx``: a zip archive with a manifest (``injection.acmd``) and a ChemStation file a trace."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from zairyo.measurement import Entry, Measurement, Quantity, tidy_metadata
from zairyo.readers import _xml
from zairyo.readers._agilent_channel import read_channel, version_of
from zairyo.readers._agilent_entries import channel_entries
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._separation import moment, text_condition

_MANIFEST = "injection.acmd"
_LARGEST_MANIFEST = 64 << 20
_MOST_TRACES = 1000


def sniff(src: RawInput) -> float:
    return CERTAIN if not src.is_folder and _MANIFEST in src.members else NO


def read(src: RawInput) -> Measurement:
    root = _xml.parse_xml(src.member(_MANIFEST, _LARGEST_MANIFEST), _MANIFEST)
    info = _xml.find(root, "InjectionInfo")
    signals = {_xml.text(s, "TraceId").lower(): s for s in _xml.find_all(info, "Signals/Signal")}
    warnings: list[str] = []
    entries = _entries(src, signals, info, warnings)
    if not entries:
        raise ReadError(f"{src.name} holds no trace that could be read; it may be cut off. Copy it again.")
    missing = [_xml.text(s, "Description") for guid, s in signals.items() if not _member(src, guid)]
    if missing:
        warnings.append(
            f"The manifest tells of {len(missing)} traces that are not in the file: {', '.join(missing[:20])}."
        )
    sample = _xml.text(info, "SampleName")
    return Measurement(
        entries=tuple(sorted(entries, key=lambda e: ("instrument" in e.name, len(e.axes)))),
        title=sample or src.name,
        sample=sample,
        operator=_xml.text(info, "RunOperator"),
        original_metadata=tidy_metadata(_xml.tree(root)),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _member(src: RawInput, guid: str) -> str:
    return next((m for m in src.members if m.rpartition("/")[2].lower().startswith(f"{guid}.")), "")


def _entries(
    src: RawInput, signals: dict[str, Element], info: Element | None, warnings: list[str]
) -> list[Entry]:
    conditions = _conditions(info)
    started = moment(_xml.text(info, "RunDateTime"))
    entries: list[Entry] = []
    taken: set[str] = set()
    named = [m for m in src.members if m.lower().endswith((".ch", ".uv", ".it", ".ms"))]
    for member in named[:_MOST_TRACES]:
        signal = signals.get(member.rpartition("/")[2].partition(".")[0].lower())
        data = src.member(member)
        if not version_of(data[:4096]):
            warnings.append(
                f"{member} is not of a kind of ChemStation file that is known here; it was left out."
            )
            continue
        is_telemetry = "InstrumentTrace" in _xml.text(signal, "Encoding") or (
            signal is None and member.lower().endswith(".it")
        )
        channel = read_channel(data, member, pairs=is_telemetry if signal is not None else None)
        _check_count(member, signal, len(channel.times))
        description = _xml.text(signal, "Description") or channel.text("description")
        name = description.partition(",")[0] or _xml.text(signal, "DeviceName") or member
        if is_telemetry:
            name = f"instrument_{name}"
        found = channel_entries(
            channel, name, taken, warnings, description=description, unit=_xml.text(signal, "Units")
        )
        entries += [
            replace(e, conditions={**e.conditions, **conditions}, started=started or e.started) for e in found
        ]
    run = next((e.technique for e in entries if e.technique in ("lc", "gc")), "chromatography")
    return [replace(e, technique=run) if e.technique == "chromatography" else e for e in entries]


def _check_count(member: str, signal: Element | None, count: int) -> None:
    """The manifest says how many points there are: a trace with fewer is cut off."""
    for name in ("NumberOfValues", "NumberOfRecords"):
        text = _xml.text(signal, name)
        if text.isdecimal() and len(text) < 10 and int(text) > count:
            raise ReadError(
                f"{member} should have {text} points, but has {count}; the file is damaged. Copy it again."
            )


def _conditions(info: Element | None) -> dict[str, Quantity]:
    found: dict[str, Any] = {}
    text_condition(found, "method", re.split(r"[\\/]", _xml.text(info, "AcquisitionMethod"))[-1])
    text_condition(found, "vial", _xml.text(info, "Location"))
    try:
        volume = float(_xml.text(info, "InjectionVolume") or 0)
    except ValueError:
        volume = 0.0
    unit = _xml.text(info, "InjectionVolumeUnits").replace("µ", "u").replace("μ", "u").replace("L", "l")
    if 0 < volume < 1e9 and unit:
        found["injection_volume"] = Quantity(volume, unit)
    return found


READER = Reader(
    name="agilent_openlab_dx",
    version="1",
    techniques=("lc", "gc", "lc_ms", "gc_ms", "chromatography", "mass_spectrometry"),
    vendor="Agilent",
    format="OpenLab CDS .dx",
    endings=(".dx",),
    sniff=sniff,
    read=read,
    notes="Detectors' traces, diode-array spectra and the instrument's own (pressure, temperature, composition). "
    "Not read: results of integration, reports.",
)
