"""VAMAS (ISO 14976): surface analysis spectra, depth profiles and maps from any vendor.

Each block becomes an entry; blocks that repeat one region over a depth profile, a temperature, a map …
become one entry with an axis for it. Photoelectron spectra get the binding energy as their axis where the
excitation energy is stated; the kinetic energy as given stays beside it.
"""

from __future__ import annotations

from zairyo.measurement import Entry, Measurement, make_name, tidy_metadata
from zairyo.readers import _vamas_entries as entries_of
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._vamas_blocks import MAGIC, Block, Header, read_vamas
from zairyo.readers._vamas_casa import calibrated, fitted_components

_MOST_BYTES = 512 * 1024**2


def sniff(src: RawInput) -> float:
    head = src.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return CERTAIN if head[: len(MAGIC)].lower() == MAGIC.lower().encode() else NO


def read(src: RawInput) -> Measurement:
    header, blocks, warnings = read_vamas(decode_legacy(src.read_bytes(_MOST_BYTES)).lstrip())
    filled = [block for block in blocks if block.values.size]
    warnings += [f"Block {b.number} holds no values; it was left out." for b in blocks if not b.values.size]
    if not filled:
        raise ReadError(f"the file announces {len(blocks)} blocks, and none of them holds a value")
    entries: list[Entry] = []
    taken: set[str] = set()
    for group in entries_of.grouped(header, filled):
        name = _unique(make_name(group[0].text("block_identifier"), "block"), taken)
        entry, shift = calibrated(group, entries_of.entry(header, group, name, warnings), warnings)
        entries.append(entry)
        for number, table in enumerate(fitted_components(group, entry, shift, warnings), 1):
            suffix = "components" if len(group) == 1 else f"components_{number}"
            entries.append(table(_unique(f"{name[:45]}_{suffix}", taken)))
    samples = {block.text("sample_identifier") for block in filled}
    return Measurement(
        entries=tuple(entries),
        title=_stated(header, "experiment_identifier"),
        sample=samples.pop() if len(samples) == 1 else "",
        instrument=_stated(header, "instrument_model_identifier"),
        operator=_stated(header, "operator_identifier"),
        original_metadata=tidy_metadata(header.fields),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name[:55]}_{number}"
    taken.add(candidate)
    return candidate


def _stated(header: Header, name: str) -> str:
    return Block(0, header.fields, None).text(name)  # type: ignore[arg-type]


READER = Reader(
    name="vamas",
    version="3",
    techniques=("xps", "ups", "aes", "els", "iss", "sims", "eds", "xrf"),
    vendor="ISO 14976",
    format="VAMAS",
    endings=(".vms", ".vamas", ".npl"),
    sniff=sniff,
    read=read,
    notes="All experiment and scan modes; CasaXPS' fitted components become tables. Binding energy = "
    "excitation energy − kinetic energy, where the file states the excitation energy, plus CasaXPS' calibration.",
)
