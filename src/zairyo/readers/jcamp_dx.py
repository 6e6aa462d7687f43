"""JCAMP-DX 4.24, 5 and 6: infrared, Raman, UV, NMR, mass and ion-mobility spectra from any vendor."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from zairyo.measurement import Entry, Measurement, clean_text, tidy_metadata
from zairyo.measurement.text import MetadataValue
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._jcamp_entries import entries_of
from zairyo.readers._jcamp_records import JcampBlock, metadata, read_blocks
from zairyo.readers._legacy_text import decode_legacy

_MOST_BYTES = 512 * 1024**2
_TITLE = re.compile(rb"\s*(?:\$\$[^\r\n]*\s*)*##\s*TITLE\s*=", re.IGNORECASE)
_VERSION = re.compile(rb"##\s*JCAMP[-_ ]?(?:DX|CS)\s*=", re.IGNORECASE)


def sniff(src: RawInput) -> float:
    head = src.text_head.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    if not _TITLE.match(head):
        return NO
    return CERTAIN if _VERSION.search(head) else LIKELY


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes(_MOST_BYTES)).replace("\r\n", "\n").replace("\r", "\n")
    outermost = read_blocks(text)
    _check_end(outermost[-1], text)
    warnings: list[str] = []
    entries: list[Entry] = []
    dataless: list[JcampBlock] = []
    taken: dict[str, int] = {}
    leaves = [leaf for block in outermost for leaf in block.leaves()]
    with np.errstate(all="ignore"):  # a damaged number may overflow to inf, which is then what the file says
        for block in leaves:
            found = entries_of(block, warnings)
            entries += [_renamed(entry, taken) for entry in found]
            if not found:
                dataless.append(block)
    if not entries:
        kinds = ", ".join(sorted({block.text("DATATYPE") or "no DATA TYPE" for block in leaves}))
        raise ReadError(
            f"the file holds no data table that is read (its blocks are: {clean_text(kinds)[:100]})"
        )
    if not outermost[-1].is_closed:
        warnings.append("The file does not end with '##END='; all announced points were there.")
    head = outermost[0]
    for block in dataless:
        if not block.is_link:
            title = clean_text(block.text("TITLE"))[:60]
            warnings.append(f"The block {title!r} holds no spectrum; only its records were kept.")
    return Measurement(
        entries=tuple(entries),
        title=clean_text(head.text("TITLE")),
        sample=_first(leaves, "SAMPLEDESCRIPTION", "NAMES", "CASNAME", "SAMPLE"),
        instrument=_first(leaves, "SPECTROMETER/DATASYSTEM", "SPECTROMETERDATASYSTEM", "INSTRUMENT"),
        operator=_first(leaves, "OPERATOR", ".OPERATOR", "$OPERATOR"),
        original_metadata=_metadata(dataless),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _check_end(last: JcampBlock, text: str) -> None:
    """Refuse a file that is cut off where no table can tell: in its last number, or between two blocks."""
    if last.is_closed:
        return
    announced = last.number("BLOCKS")
    if announced is not None and len(last.inner) < announced:
        raise ReadError(
            f"{announced:.0f} blocks are announced, but the file ends after {len(last.inner)}; it is cut off. "
            "Copy it again from the instrument."
        )
    if not text.endswith("\n"):
        raise ReadError(
            f"the file ends in the middle of line {text.count(chr(10)) + 1}, without '##END='; its last number may be "
            "cut off. Copy it again from the instrument."
        )


def _renamed(entry: Entry, taken: dict[str, int]) -> Entry:
    """The entry under a name of its own; ``taken`` is the last number of each."""
    name, number = entry.name, taken.get(entry.name, 0) + 1
    while number > 1 and (name := f"{entry.name}_{number}") in taken:
        number += 1
    taken[entry.name] = number
    taken.setdefault(name, 1)
    return entry if name == entry.name else replace(entry, name=name)


def _first(blocks: list[JcampBlock], *labels: str) -> str:
    """The first line of the first block that says so."""
    text = next((text for block in blocks if (text := block.text(*labels))), "")
    return clean_text(text.splitlines()[0].strip()) if text else ""


def _metadata(dataless: list[JcampBlock]) -> dict[str, MetadataValue]:
    """What blocks without data say: a compound file's LINK block, chemical structures."""
    if not dataless:
        return {}
    return tidy_metadata({"blocks": [metadata(block) for block in dataless]})


READER = Reader(
    name="jcamp_dx",
    version="3",
    techniques=(
        "ir",
        "raman",
        "uv_vis",
        "fluorescence",
        "nmr",
        "mass_spectrometry",
        "ion_mobility",
        "epr",
        "chromatography",
        "neutron_scattering",
    ),
    vendor="IUPAC",
    format="JCAMP-DX",
    endings=(".jdx", ".dx", ".jcm", ".jcamp"),
    sniff=sniff,
    read=read,
    notes="Spectra, peak tables, peak assignments and NTUPLES in all compressed forms; compound files. "
    "NMR spectra in Hz get chemical shifts; chemical structures (JCAMP-CS) are kept as metadata only.",
)
