"""One of ChemStation's data files on its own: ``.ch``, ``.uv``, ``.ms``, or an ``.IT`` out of OpenLab's ``.dx``."""

from __future__ import annotations

from pathlib import PurePosixPath

from zairyo.measurement import Measurement
from zairyo.readers._agilent_channel import read_channel, version_of
from zairyo.readers._agilent_entries import channel_entries
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader


def sniff(src: RawInput) -> float:
    return CERTAIN if version_of(src.head[:4096]) else NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    channel = read_channel(src.read_bytes(), src.name)
    stem = channel.text("description").split(",")[0] or PurePosixPath(src.name).stem
    return Measurement(
        entries=tuple(channel_entries(channel, stem, set(), warnings)),
        title=channel.text("sample") or channel.text("description"),
        sample=channel.text("sample"),
        operator=channel.text("operator"),
        instrument=channel.text("instrument"),
        warnings=tuple(warnings),
    )


READER = Reader(
    name="agilent_ch",
    version="1",
    techniques=("lc", "gc", "lc_ms", "gc_ms", "chromatography", "mass_spectrometry"),
    vendor="Agilent",
    format="ChemStation channel",
    endings=(".ch", ".uv", ".ms", ".it"),
    sniff=sniff,
    read=read,
    notes="One file of a .D folder or a .dx: traces of versions 8, 30, 81, 130, 179 and 181, diode-array spectra of "
    "31 and 131, scans of version 2.",
)
