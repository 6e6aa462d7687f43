"""GSAS powder data (``.gsa``, ``.gss``, ``.fxye``, ``.raw``, ``.gda``): a title, then banks of numbers.

``BANK n channels records CONST start step 0 0 FXYE``: for constant wavelength start and step are hundredths of a
degree of 2θ; ``SLOG``, ``RALF`` and ``FXYE`` of time-of-flight instruments give microseconds. The last word says how
the numbers stand: ``STD`` counts in ten fields of eight characters (two digits for how many detectors counted),
``ESD`` pairs of intensity and its error in such fields, ``ALT``, ``FXY`` and ``FXYE`` position, intensity, error.

``TIME_MAP`` banks count in bins whose times stand before: ``TIME_MAP n values records TIME_MAP clock``, then in threes
the first channel of a stretch, its time and the width of its bins, at last the time of the end; all times in clock
widths, which are nanoseconds.

Lines that begin with ``#`` are comments. Mantid writes its instrument there, and before each bank what its detectors
are (``Total flight path 63.18m, tth 90deg, DIFC 22585.8``).

Source: A. C. Larson, R. B. Von Dreele, GSAS, LAUR 86-748, chapter "Powder data files".
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    MeasurementError,
    Quantity,
    Signal,
    clean_text,
    tidy_metadata,
)
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import Floats, number
from zairyo.readers._diffraction_text import rows
from zairyo.readers._legacy_text import decode_legacy

_MOST_BYTES = 512 * 1024**2
_BANK = re.compile(r"^BANK\s+(\d+)\s+(\d+)\s+(\d+)\s+([A-Z_]+)([^\n]*)$", re.M)
_SNIFF = re.compile(rb"^BANK\s+\d+\s+\d+\s+\d+\s+(CONST?|SLOG|RALF|TIME_MAP|LPSD|EDS|COND)\b", re.M)
_MAP = re.compile(r"^TIME_MAP\s*(\d+)\s+(\d+)\s+(\d+)\s+TIME_MAP\s+(\d+)[^\n]*\n((?:[ \t\d]+\n)*)", re.M)
_FORMATS = ("FXYE", "FXY", "ESD", "ALT", "STD")
_MOST_CHANNELS = 50_000_000
_INSTRUMENT = re.compile(r"^#\s*Instrument:[ \t]*(\S.*)$", re.M)
_DETECTORS = re.compile(r"\btth\s+(-?[\d.]+)\s*deg\b")
#: What a title says was diffracted, where the banks do not.
_NEUTRONS = re.compile(r"\bneutrons?\b", re.IGNORECASE)
_X_RAYS = re.compile(
    r"\bx-?rays?\b|\bsynchrotron\b|\b(cu|co|mo|ag|fe|cr)[ _-]?k[ _-]?(a|alpha|α)", re.IGNORECASE
)


def sniff(src: RawInput) -> float:
    return CERTAIN if b"BANK" in src.text_head and _SNIFF.search(src.head) else NO


def read(src: RawInput) -> Measurement:
    text = decode_legacy(src.read_bytes(_MOST_BYTES)).replace("\r\n", "\n")
    warnings: list[str] = []
    banks = list(_BANK.finditer(text))
    if not banks:
        raise ReadError("there is no BANK line; the file is cut off. Copy it again.")
    maps = {found[1]: _edges(found) for found in _MAP.finditer(text)}
    text = _MAP.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)  # that no bank takes it for counts
    head = text[: banks[0].start()].splitlines()
    title = next((line.strip() for line in head if line.strip() and not line.startswith("#")), "")
    entries = []
    for index, bank in enumerate(banks):
        end = banks[index + 1].start() if index + 1 < len(banks) else len(text)
        body = "\n".join(line for line in text[bank.end() : end].split("\n") if not line.startswith("#"))
        before = text[banks[index - 1].end() if index else 0 : bank.start()]
        words = bank[5].split()
        edges = None
        if bank[4] == "TIME_MAP" and maps:
            edges = maps.get(words[0] if words else "", next(iter(maps.values())) if len(maps) == 1 else None)
        entries.append(_entry(bank, body, edges, _comments(before), title, len(banks) > 1, warnings))
    instrument = _INSTRUMENT.search("\n".join(head))
    metadata = {"header": [line.rstrip() for line in head if line.strip()]}
    return Measurement(
        tuple(entries),
        title=title,
        instrument=clean_text(instrument[1]).strip() if instrument else "",
        original_metadata=tidy_metadata(metadata),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _edges(found: re.Match[str]) -> Floats:
    """Where the bins of a time map begin, and where the last ends, in microseconds, shape (channels + 1,)."""
    what = f"time map {found[1]}"
    count, clock = int(found[2]), int(found[4]) / 1000
    told = np.array(found[5].split()[:count], dtype=np.float64)
    if len(told) < max(count, 4):
        raise _short(what, max(count, 4), len(told))
    if count % 3 != 1:
        raise ReadError(f"{what}: {count} values are no threes and an end; the file is damaged")
    first, begin, width = told[:-1].reshape(-1, 3).T
    end = told[-1]
    # The last stretch goes to the end; its last bin may be narrower.
    last = first[-1] + np.ceil((end - begin[-1]) / width[-1]) if width[-1] > 0 else 0.0
    lengths = np.diff(np.append(first, last))
    if first[0] != 1 or not ((lengths > 0).all() and (width > 0).all() and last <= _MOST_CHANNELS):
        raise ReadError(f"{what}: the channels do not follow each other; the file is damaged")
    whole = lengths.astype(np.int64)
    within = np.arange(whole.sum()) - np.repeat(np.cumsum(whole) - whole, whole)
    edges = np.append(np.repeat(begin, whole) + np.repeat(width, whole) * within, end) * clock
    if not (np.diff(edges) > 0).all():
        raise ReadError(f"{what}: the times do not rise; the file is damaged")
    return np.asarray(edges, np.float64)


def _comments(before: str) -> str:
    """The comments right before a bank, which are its own."""
    found: list[str] = []
    for line in reversed(before.splitlines()):
        if line.strip() and not line.startswith("#"):
            break
        found.append(line.lstrip("# ").rstrip())
    return "\n".join(line for line in reversed(found) if line)


def _entry(
    bank: re.Match[str],
    body: str,
    edges: Floats | None,
    comments: str,
    title: str,
    several: bool,
    warnings: list[str],
) -> Entry:
    what = f"bank {bank[1]}"
    channels, kind = int(bank[2]), bank[4]
    words = bank[5].split()
    layout = next((w for w in reversed(words) if w in _FORMATS), "STD")
    start, step = ((number(words[i]) if i < len(words) else None) for i in (0, 1))
    if not 0 < channels <= _MOST_CHANNELS:
        raise ReadError(f"{what} announces {channels} channels")
    if edges is not None and len(edges) <= channels:
        raise ReadError(
            f"{what} has {channels} channels and its time map {len(edges) - 1}; the file is damaged"
        )
    positions, intensity, errors = _columns(layout, kind, body, channels, start, step, edges, what)
    fixed_wavelength = kind in ("CONS", "CONST")
    conditions: dict[str, Quantity] = {}
    neutrons = bool(_NEUTRONS.search(title)) and not _X_RAYS.search(title)
    if fixed_wavelength:
        name, unit, positions = "two_theta", "deg", positions / 100  # hundredths of a degree
        if bool(_NEUTRONS.search(title)) == bool(_X_RAYS.search(title)):
            warnings.append(
                "The file does not say whether X-rays or neutrons were diffracted; X-rays were taken."
            )
    else:
        if (stated := _DETECTORS.search(comments)) and (angle := number(stated[1])) is not None:
            conditions["two_theta"] = Quantity(angle, "deg")
        name, unit = ("energy", "keV") if kind == "EDS" else ("time_of_flight", "us")
    signals = [Signal("intensity", intensity, None, (name,), "Intensity", errors)]
    if edges is not None:
        warnings.append(
            "Intensities are those of bins of unequal width (bin_width); they are not divided by it."
        )
        signals.append(Signal("bin_width", np.diff(edges)[:channels], "us", (name,), "Width of the bin"))
    try:
        return Entry(
            name=f"bank_{bank[1]}" if several else "scan",
            technique="xrd"
            if (fixed_wavelength and not neutrons) or kind == "EDS"
            else "neutron_diffraction",
            axes=(Axis(name, positions, unit),),
            signals=tuple(signals),
            title=f"{title} – {what}" if several else title,
            conditions={"scan_axis": Quantity(name), **conditions},
            original_metadata=tidy_metadata(
                {"BANK": bank[0].strip()} | ({"comments": comments} if comments else {})
            ),
        )
    except MeasurementError as e:
        raise ReadError(f"{what}: the parts do not fit together: {e}") from None


def _columns(
    layout: str,
    kind: str,
    body: str,
    channels: int,
    start: float | None,
    step: float | None,
    edges: Floats | None,
    what: str,
) -> tuple[Floats, Floats, Floats | None]:
    """Positions as the bank counts them, intensities, and their standard deviations."""
    if layout in ("FXYE", "FXY"):
        width = 3 if layout == "FXYE" else 2
        table = rows(_free(body, channels * width, what), width, what)
        return table[:, 0], table[:, 1], table[:, 2] if width == 3 else None
    if layout == "ALT":
        table = rows(_fixed(body, (8, 7, 5), 4, channels * 3, what), 3, what)
        return table[:, 0] / 32, table[:, 1], table[:, 2]  # times are in 32nds of a microsecond
    if edges is not None:
        positions = ((edges[:-1] + edges[1:]) / 2)[:channels]
    elif kind not in ("CONS", "CONST") or start is None or not step:
        raise ReadError(f"{what}: positions of a {kind} bank in the layout {layout} are not read")
    else:
        positions = np.asarray(start + step * np.arange(channels), np.float64)
    if layout == "ESD":
        table = rows(_fixed(body, (8,), 10, channels * 2, what), 2, what)
        return positions, table[:, 0], table[:, 1]
    table = rows(_fixed(body, (2, 6), 10, channels * 2, what), 2, what)
    detectors = np.where(table[:, 0] > 0, table[:, 0], 1.0)
    return positions, table[:, 1], np.sqrt(np.abs(table[:, 1]) / detectors)


def _free(body: str, count: int, what: str) -> Floats:
    tokens = body.split()
    if len(tokens) < count:
        raise _short(what, count, len(tokens))
    try:
        return np.array(list(map(float, tokens[:count])))
    except ValueError:
        odd = next(t for t in tokens if number(t) is None)
        raise ReadError(f"{what}: {odd[:40]!r} is no number; the file is damaged") from None


def _fixed(body: str, widths: tuple[int, ...], fields: int, count: int, what: str) -> Floats:
    """Numbers in fields of fixed width, ``fields`` groups of ``widths`` a line; an empty field is 0."""
    group = sum(widths)
    cells: list[str] = []
    for line in body.split("\n"):
        if not line.strip():
            continue
        for begin in range(0, min(len(line.rstrip()), group * fields), group):
            at = begin
            for width in widths:
                cells.append(line[at : at + width].strip() or "0")
                at += width
    if len(cells) < count:
        raise _short(what, count, len(cells))
    try:
        return np.array(list(map(float, cells[:count])))
    except ValueError:
        odd = next(c for c in cells if number(c) is None)
        raise ReadError(f"{what}: {odd!r} is no number in its field; the file is damaged") from None


def _short(what: str, count: int, found: int) -> ReadError:
    return ReadError(
        f"{what}: {count} numbers are announced and {found} are there; the file is cut off. Copy it again."
    )


READER = Reader(
    name="gsas_powder",
    version="3",
    techniques=("xrd", "neutron_diffraction"),
    vendor="GSAS",
    format="Powder data (.gsa, .fxye)",
    endings=(".gsa", ".gss", ".fxye", ".gda", ".gsas"),
    sniff=sniff,
    read=read,
    notes="All banks: constant wavelength in STD, ESD, FXY and FXYE; time of flight in FXY, FXYE, ALT and time maps.",
)
