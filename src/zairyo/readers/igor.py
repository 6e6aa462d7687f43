"""Igor Pro: binary waves (``.ibw``), packed experiments (``.pxp``), text waves (``.itx``) of whatever content.

An instrument that writes Igor waves of its own kind (Asylum Research, Scienta) has a reader of its own; the spectra
that Scienta SES packs (``.pxt``) are known by their note among whatever other waves.
"""

from __future__ import annotations

from dataclasses import replace

from zairyo.measurement import Measurement, tidy_metadata
from zairyo.readers import _scienta, _spm
from zairyo.readers._api import CERTAIN, LIKELY, NO, POSSIBLE, RawInput, Reader, ReadError
from zairyo.readers._igor import is_wave, read_wave
from zairyo.readers._igor_entries import wave_entries
from zairyo.readers._igor_packed import MISC_START, byte_order, read_experiment
from zairyo.readers._igor_text import read_text
from zairyo.readers._scienta_waves import entry_of, is_measured
from zairyo.readers._tokens import unique


def sniff_wave(src: RawInput) -> float:
    return POSSIBLE if is_wave(src.head) else NO


def read_binary(src: RawInput) -> Measurement:
    warnings: list[str] = []
    wave = read_wave(src.read_bytes())
    if not wave.data.size:
        raise ReadError(f"wave {wave.name!r} is empty: nothing was acquired")
    return _spm.measurement(wave_entries([((), wave)], warnings), warnings, title=src.name)


def sniff_packed(src: RawInput) -> float:
    head = src.head
    if is_wave(head) or byte_order(head[:4096]) is None:
        return NO
    return CERTAIN if head[12:22] == MISC_START else LIKELY if src.suffix in (".pxp", ".pxt") else POSSIBLE


def read_packed(src: RawInput) -> Measurement:
    warnings: list[str] = []
    experiment = read_experiment(src.read_bytes(), warnings)
    if not experiment.waves:
        raise ReadError("the experiment holds no wave with numbers in it")
    measured = [wave for _, wave in experiment.waves if is_measured(wave)]
    taken: set[str] = set()
    regions = [entry_of(wave, taken, warnings) for wave in measured]
    entries = wave_entries([held for held in experiment.waves if not is_measured(held[1])], warnings)
    metadata = {**experiment.texts, **({"variables": experiment.variables} if experiment.variables else {})}
    # The time a wave was made in Igor is no time of a measurement where it was computed or loaded.
    entries = [replace(entry, started=None, name=unique(entry.name, taken)) for entry in entries]
    about = _scienta.about([info for _, info in regions])
    return _spm.measurement(
        [*(entry for entry, _ in regions), *entries],
        warnings,
        **(about | {"title": about["title"] or src.name}),
        original_metadata=tidy_metadata(metadata),
    )


def sniff_text(src: RawInput) -> float:
    if src.head[:200].lstrip()[:4] != b"IGOR":
        return NO
    lines = src.head.splitlines()
    if lines[0].strip() != b"IGOR":
        return NO
    return CERTAIN if any(line.lstrip()[:5].upper() == b"WAVES" for line in lines[1:]) else POSSIBLE


def read_lines(src: RawInput) -> Measurement:
    warnings: list[str] = []
    waves = read_text(_spm.decode(src.read_bytes(512 * 1024**2)), warnings)
    held = [((), wave) for wave in waves if wave.data.size]
    if not held:
        raise ReadError("the file holds no wave with numbers in it; it is cut off or was never filled")
    return _spm.measurement(wave_entries(held, warnings), warnings, title=src.name)


READERS = (
    Reader(
        name="igor_ibw",
        version="1",
        techniques=("unspecified",),
        vendor="WaveMetrics",
        format="Igor binary wave",
        endings=(".ibw", ".bwav"),
        sniff=sniff_wave,
        read=read_binary,
        notes="Waves of versions 1, 2, 3 and 5, of any number type and up to four dimensions, with scaling, units and "
        "note. What was measured is not known; version 7 (long names) is not documented.",
        surest=POSSIBLE,
    ),
    Reader(
        name="igor_pxp",
        version="3",
        techniques=("unspecified", "xps", "ups", "arpes"),
        vendor="WaveMetrics",
        format="Igor packed experiment",
        endings=(".pxp", ".pxt"),
        sniff=sniff_packed,
        read=read_packed,
        notes="All waves in their data folders, the history, procedures and variables. Graphs and layouts are not "
        "drawn.",
    ),
    Reader(
        name="igor_itx",
        version="1",
        techniques=("unspecified",),
        vendor="WaveMetrics",
        format="Igor text waves",
        endings=(".itx", ".awav", ".txt"),
        sniff=sniff_text,
        read=read_lines,
        notes="Waves of numbers and texts, with their scaling, units and notes.",
    ),
)
