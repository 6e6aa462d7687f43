"""Agilent's ``.D`` folder: everything one injection gave, from ChemStation or MassHunter.

Facts about the files: ``_agilent_channel``, ``_agilent_masshunter``, ``_agilent_detectors``.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from zairyo.measurement import Entry, Measurement, Quantity, clean_text, tidy_metadata
from zairyo.readers import _xml
from zairyo.readers._agilent_channel import Channel, read_channel, version_of
from zairyo.readers._agilent_detectors import detector_entries
from zairyo.readers._agilent_entries import channel_entries
from zairyo.readers._agilent_masshunter import has_scans, scan_entries
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._folder import Folder
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._separation import moment, text_condition

_CHANNELS = (".uv", ".ch", ".ms")
_LARGEST_TEXT = 4 << 20
#: Texts beside the data that tell how the run was made.
_TEXTS = ("run.log", "acq.txt", "msparms.txt", "acqmeth.txt", "runstart.txt", "acq.m/acq.txt")
_XMLS = ("sample.xml", "acqdata/sample_info.xml", "acqdata/devices.xml", "acqdata/contents.xml", "acqdata/msts.xml",
         "sequence.acam_")  # fmt: skip


def _folder(src: RawInput) -> Folder | None:
    """The run's folder; None if this is none, or several."""
    if src.is_folder:
        return Folder(src) if src.path.suffix.lower() == ".d" or _has_scans(src.members) else None
    tops = {PurePosixPath(member).parts[0] for member in src.members if "__MACOSX" not in member}
    if len(tops) == 1 and (top := tops.pop()).lower().endswith(".d"):
        return Folder(src, f"{top}/")
    return None


def _has_scans(members: tuple[str, ...]) -> bool:
    return any(member.lower() == "acqdata/msscan.bin" for member in members)


def sniff(src: RawInput) -> float:
    folder = _folder(src)
    if folder is None:
        return NO
    found = folder.files(*_CHANNELS) or folder.files(".cd", ".sd", folder="AcqData") or has_scans(folder)
    return CERTAIN if found else NO


def read(src: RawInput) -> Measurement:
    folder = _folder(src)
    if folder is None:
        raise ReadError(f"{src.path.name} is not one run's .D folder")
    warnings: list[str] = []
    channels = _channels(folder, warnings)
    texts = _texts(folder)
    told = _told(texts, channels)
    entries: list[Entry] = []
    taken: set[str] = set()
    for name, channel in channels.items():
        entries += channel_entries(channel, name, taken, warnings)
    shared: dict[str, Any] = {"conditions": told.conditions, "started": told.started}
    kind = "gc" if told.is_gas else "lc" if folder.files(".cd", ".sd", folder="AcqData") else ""
    entries += detector_entries(folder, kind or "chromatography", taken, warnings, **shared)
    if has_scans(folder):
        entries += scan_entries(folder, f"{kind}_ms" if kind else "mass_spectrometry", warnings, **shared)
    if not entries:
        raise ReadError(
            f"{src.path.name} holds no data file that could be read (.ch, .uv, .ms, AcqData). Copy it again."
        )
    title = PurePosixPath(folder.root or src.path.name).name
    return Measurement(
        entries=tuple(sorted(entries, key=_order)),
        title=told.sample or title,
        sample=told.sample,
        operator=told.operator,
        instrument=told.instrument,
        original_metadata=tidy_metadata({"folder": title, "files": list(folder.names), **texts}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _order(entry: Entry) -> int:
    """What a person looks at first: the total ion current, then traces, then the rest."""
    if entry.name.endswith("chromatogram"):
        return 0
    return 1 if len(entry.axes) == 1 and not entry.is_table else 2


def _channels(folder: Folder, warnings: list[str]) -> dict[str, Channel]:
    found: dict[str, Channel] = {}
    problems: list[str] = []
    for name in folder.files(*_CHANNELS):
        data = folder.read(name)
        if not version_of(data[:4096]):
            warnings.append(
                f"{name} is not of a kind of ChemStation file that is known here; it was left out."
            )
            continue
        stem = name[:-3]
        try:
            found[stem if stem not in found else name.replace(".", "_")] = read_channel(data, name)
        except ReadError as e:
            problems.append(str(e))
    if problems:  # a run of which one file is damaged is to be copied again, not half read
        raise ReadError("; ".join(problems[:3]))
    return found


def _texts(folder: Folder) -> dict[str, Any]:
    """What is written beside the data, verbatim: texts as text, XML as a tree."""
    found: dict[str, Any] = {}
    for name in _TEXTS:
        if folder.has(name):
            text = decode_legacy(folder.read(name, _LARGEST_TEXT))
            found[name] = clean_text(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text)).strip()
    for name in _XMLS:
        if folder.has(name):
            try:
                found[name] = _xml.tree(_xml.parse_xml(folder.read(name, _LARGEST_TEXT), name))
            except ReadError as e:
                found[name] = str(e)
    return found


class _Told:
    """Who measured what, when and how, from the channels' heads and the files beside them."""

    def __init__(self) -> None:
        self.sample = self.operator = self.instrument = ""
        self.started: Any = None
        self.conditions: dict[str, Quantity] = {}
        self.is_gas = False


def _told(texts: dict[str, Any], channels: dict[str, Channel]) -> _Told:
    told = _Told()
    fields = _fields(texts.get("acqdata/sample_info.xml"))
    sample_xml = texts.get("sample.xml")
    named = sample_xml.get("Name", "") if isinstance(sample_xml, dict) else ""
    told.sample = named if isinstance(named, str) else ""
    for channel in channels.values():
        told.sample = told.sample or channel.text("sample")
        told.operator = told.operator or channel.text("operator")
        told.instrument = told.instrument or channel.text("instrument")
    told.sample = told.sample or fields.get("Sample Name", "")
    told.operator = told.operator or fields.get("OperatorName", "")
    told.instrument = told.instrument or fields.get("InstrumentName", "")
    text_condition(told.conditions, "method", re.split(r"[\\/]", fields.get("Method", ""))[-1])
    text_condition(told.conditions, "vial", fields.get("Sample Position", ""))
    told.started = moment(fields.get("AcqTime", ""))
    told.is_gas = bool(
        re.search(r"\bGC\b|7890|8890|6890|7000|Alsbottle", str(texts.get("acqdata/devices.xml", "")))
    )
    return told


def _fields(tree: Any) -> dict[str, str]:
    fields = tree.get("Field", []) if isinstance(tree, dict) else []
    fields = fields if isinstance(fields, list) else [fields]
    pairs = ((f.get("Name"), f.get("Value")) for f in fields if isinstance(f, dict))
    return {
        name: clean_text(value) for name, value in pairs if isinstance(name, str) and isinstance(value, str)
    }


READER = Reader(
    name="agilent_d",
    version="1",
    techniques=("lc", "gc", "lc_ms", "gc_ms", "chromatography", "mass_spectrometry", "icp_ms"),
    vendor="Agilent",
    format="ChemStation and MassHunter .D",
    endings=(".d", ".zip"),
    sniff=sniff,
    read=read,
    folders=(".D",),
    notes="ChemStation's traces (.ch of versions 8, 30, 81, 130, 179, 181), diode-array spectra (.uv of 31, 131) and "
    "scans (.ms); MassHunter's scans (peaks and profiles with their calibration, run-length and LZF packing), isotopes "
    "of an ICP-MS and detectors' traces and spectra. Not read: registers (.REG), results of integration, methods.",
)
