"""Quantum Design MultiVu `.dat`: PPMS, DynaCool, VersaLab, MPMS and MPMS 3 with their options.

Facts: text with a ``[Header]`` of ``KEY,value`` lines, where ``INFO`` lines are ``INFO,value,KEY`` (the classic
MPMS writes ``INFO,KEY,value``), then ``[Data]``, a line of headings and one line a record, comma-separated
without quoting, blanks where an option measured nothing. Time stamps of VSM-like options are the local clock's
seconds since 1899-12-30; other options count from elsewhere, and only ``FILEOPENTIME`` tells the date.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Measurement
from zairyo.measurement.model import Quantity, Signal, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._quantum_design_columns import (
    is_alternating,
    name_of,
    split_heading,
    unit_of,
    unwritten_unit,
)
from zairyo.readers._quantum_design_plot import TECHNIQUES, plot_of, steady, technique_of

Array = NDArray[Any]
_EPOCH = datetime(1899, 12, 30)
_MARKS = (b"FILEOPENTIME", b"BYAPP", b"STARTUPAXIS", b"Quantum Design", b"INFO,")
#: A line of headings as no other program words them: files whose header somebody has cut away have only this.
_OWN = re.compile(
    rb"(?=[^\r\n]*\bTemperature \((?:K|C)\))(?=[^\r\n]*\bField \((?:Oe|T)\))"
    rb"(?:Comment,Time ?Stamp \((?:sec|s)\),|Time,[^\r\n]*Long Moment|[^\r\n]*,(?:M\. Std\. Err\. \(|Bridge \d Resist))"
)
_CLASSIC = frozenset({"NAME", "WEIGHT", "AREA", "LENGTH", "SHAPE", "COMMENT", "SEQUENCE FILE:"})
#: What compilers of the time wrote for "not a number".
_NO_NUMBER = re.compile(r"[-+]?(?:1\.#(?:QNAN|IND|SNAN|INF)\d*|nan|n/a|--|\?)\Z", re.IGNORECASE)
_PLATFORMS = ("MPMS3", "MPMS 3", "SQUID VSM", "DynaCool", "VersaLab", "OptiCool", "MPMS", "PPMS")
#: Key of an INFO line, without what follows a colon → condition and the unit its dialog shows.
_CONDITIONS = {
    "SAMPLE_MASS": ("sample_mass", "mg"),
    "MASS": ("sample_mass", "mg"),
    "WEIGHT": ("sample_mass", None),
    "SAMPLE_VOLUME": ("sample_volume", "mm**3"),
    "SAMPLE_MOLECULAR_WEIGHT": ("sample_molar_mass", "g/mol"),
    "SAMPLE_SHAPE": ("sample_shape", None),
    "MOLWGHT": ("sample_molar_mass", "g/mol"),
    "SHAPE": ("sample_shape", None),
    "SAMPLE_HOLDER": ("sample_holder", None),
    "SAMPLE_OFFSET": ("sample_offset", "mm"),
    "SAMPLE_COMMENT": ("comment", None),
    "COMMENT": ("comment", None),
    "APPNAME": ("software", None),
}
_SAMPLES = ("SAMPLE_MATERIAL", "SAMPLE", "NAME", "SAMPLE1_MATERIAL", "SAMPLE1_NAME", "Sample1 Name")
_DATES = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y-%m-%d")
_CLOCKS = (" %I:%M %p", " %I:%M:%S %p", " %H:%M:%S", " %H:%M", "")
_NUMERIC = frozenset({"sample_mass", "sample_volume", "sample_molar_mass", "sample_offset"})


def _sniff(source: RawInput) -> float:
    head = source.head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if head[:8].lower() == b"[header]":
        _, mark, data = head.partition(b"[Data]")
        if mark and sum(mark in head for mark in _MARKS) >= 2:
            return CERTAIN
        return LIKELY if mark and _OWN.match(data.lstrip()) else NO
    return LIKELY if _OWN.match(head) else NO


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


# -- the header ----------------------------------------------------------------------------------------


def _info(rest: str) -> tuple[str, str]:
    """Key and value of an INFO line, whichever comes first."""
    first, _, after = rest.partition(",")
    if first.strip() in _CLASSIC or (first.strip().upper() in _CONDITIONS and after.strip()):
        return first.strip(), after.strip()
    value, comma, key = rest.rpartition(",")
    return (key.strip(), value.strip()) if comma and key.strip() else (rest.strip(" ,"), "")


def _add(found: dict[str, Any], key: str, value: str) -> None:
    """Put a value in; a key that comes again keeps all of its values, in a list."""
    there = found.get(key)
    found[key] = value if there is None else [*there, value] if isinstance(there, list) else [there, value]


def _header(lines: list[str]) -> dict[str, Any]:
    """The header verbatim: INFO lines by their key, other lines by their first word, comments in a list."""
    found: dict[str, Any] = {}
    info: dict[str, Any] = {}
    for line in lines:
        line = line.strip()
        if not line or line.startswith("["):
            continue
        if line.startswith(";"):
            found.setdefault("comments", []).append(line.lstrip("; "))
            continue
        word, _, rest = line.partition(",")
        if word.strip().upper() == "INFO":
            _add(info, *_info(rest))
        else:
            _add(found, word.strip(), rest.strip())
    if info:
        found["INFO"] = info
    return found


def _text(value: Any) -> str:
    return clean_text(str(value[0] if isinstance(value, list) else value or "")).strip()


def _opened(header: dict[str, Any], warnings: list[str]) -> datetime | None:
    """The date in ``FILEOPENTIME,stamp,month/day/year,time``; some options write ``stamp,,date time``.

    MultiVu's own form (``2:19 pm``) has the month first; a computer set to another country writes its own order. Two
    small numbers in another form leave the start open, with a warning, unless the stamp is a clock's seconds since
    1899-12-30 and tells the day.
    """
    stamp, *parts = (part.strip() for part in _text(header.get("FILEOPENTIME")).split(","))
    text = " ".join(part for part in parts[:2] if part)
    forms = [f"{form}{clock}" for form in _DATES for clock in _CLOCKS]
    try:
        told = _EPOCH + timedelta(seconds=float(stamp))
    except (ValueError, OverflowError):
        told = None
    for form in forms:
        if told and (moment := in_forms(text, (form,))) and abs(moment - told) < timedelta(days=2):
            return moment
    return in_forms(text, forms, None if text.endswith((" am", " pm")) else warnings)


def _conditions(header: dict[str, Any]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, value in header.get("INFO", {}).items():
        plain, _, told = key.partition(":")
        name, unit = _CONDITIONS.get(plain.strip().upper(), ("", None))
        text = _text(value)
        if not name or not text or name in found:
            continue
        if name not in _NUMERIC:
            found[name] = Quantity(text)
            continue
        number = re.match(r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*\(?([a-zA-Z]*)", text)
        named = re.search(r"\((\w+)\)", told)
        try:
            amount = float(number.group(1)) if number else math.nan
        except ValueError:
            continue
        if amount and math.isfinite(amount):
            found[name] = Quantity(amount, (number and number.group(2)) or (named and named.group(1)) or unit)
    return found


# -- the data ------------------------------------------------------------------------------------------


def _rows(body: str, headings: list[str], line: int, warnings: list[str]) -> list[str]:
    """The cells of all records, row after row, ``len(headings)`` each; ``line`` is the first record's line."""
    width = len(headings)
    rows = body.split("\n")
    whole = rows[-1] == ""
    numbered = [(at, row) for at, row in enumerate(rows, line) if row and not row.isspace()]
    # Some options leave the commas of their last, empty columns out, in every row.
    commas = min(numbered[0][1].count(","), width - 1) if numbered else 0
    if numbered and not whole and numbered[-1][1].count(",") < commas:
        warnings.append(f"Line {numbered[-1][0]} is the last and not complete; it is left out.")
        numbered.pop()
    if not numbered:
        raise ReadError(
            "The file holds no record after its headings: nothing was measured, or it is cut off."
        )
    if all(row.count(",") == commas for _, row in numbered):
        blank = "," * (width - 1 - commas)
        return ",".join([row + blank for _, row in numbered]).split(",")
    cells: list[str] = []
    odd: list[int] = []
    said = _place_of(headings, "comment")
    for at, row in numbered:
        parts = row.split(",")
        while len(parts) > width and not parts[-1].strip():
            parts.pop()
        if said is not None and said < len(parts) < width and not any(map(_is_number, parts[said + 1 :])):
            behind = [""] * (width - said - 1)  # nothing but a remark
            parts = [*parts[:said], ",".join(parts[said:]), *behind]
        if len(parts) > width and headings[0].strip().casefold() == "comment":
            more = len(parts) - width
            parts = [",".join(parts[: more + 1]), *parts[more + 1 :]]  # commas within the comment
        if len(parts) != width:
            odd.append(at)
        cells += (parts + [""] * width)[:width]
    if odd:
        warnings.append(
            f"{len(odd)} lines (first line {odd[0]}) have another number of values than the {width} headings; what is"
            " missing is left blank, what is too much is left out."
        )
    return cells


def _place_of(headings: list[str], word: str) -> int | None:
    return next((at for at, h in enumerate(headings) if h.casefold().startswith(word)), None)


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _without_remarks(cells: list[str], headings: list[str]) -> tuple[list[str], list[str], list[int]]:
    """Records; what lines say that hold a comment and no value beside their time stamp; how many stand above each."""
    said, stamp, width = _place_of(headings, "comment"), _place_of(headings, "time"), len(headings)
    if said is None or not any(cells[said::width]):
        return cells, [], []
    above: list[int] = []
    kept: list[str] = []
    remarks: list[str] = []
    for start in range(0, len(cells), width):
        row = cells[start : start + width]
        if row[said].strip() and not any(c.strip() for at, c in enumerate(row) if at not in (said, stamp)):
            remarks.append(f"{row[stamp]} {row[said]}".strip() if stamp is not None else row[said])
        else:
            kept += row
            above.append(len(remarks))
    return kept, remarks, above


def _column(cells: list[str], heading: str, warnings: list[str]) -> Array | None:
    """A column's numbers, NaN for blanks; its texts if most are no numbers; None if all are blank."""
    if not any(cells):
        return None
    try:
        filled = cells if all(cells) else [c or "nan" for c in cells]
        values = np.fromiter(map(float, filled), np.float64, len(cells))
        return values if not np.isnan(values).all() else None
    except ValueError:
        pass
    cells = [c.strip() for c in cells]
    numbers, odd = np.full(len(cells), math.nan), []
    said = 0
    for at, cell in enumerate(cells):
        if not cell or _NO_NUMBER.match(cell):
            continue
        said += 1
        try:
            numbers[at] = float(cell)
        except ValueError:
            odd.append(cell)
    if not said:
        return None
    if len(odd) * 2 > said:
        return np.array([clean_text(c) for c in cells])
    if odd:
        warnings.append(
            f"{len(odd)} values of {heading!r} are no numbers (first {odd[0]!r}) and are left blank."
        )
    return numbers


def _signals(
    cells: list[str], headings: list[str], warnings: list[str]
) -> tuple[dict[int, Signal], list[str]]:
    """Signals by the number of their column (from 1, as the header counts), and the headings without data."""
    signals: dict[int, Signal] = {}
    empty: list[str] = []
    taken: set[str] = set()
    alternating = is_alternating(headings)
    for at, heading in enumerate(headings):
        values = _column(cells[at :: len(headings)], heading, warnings)
        if values is None:
            if heading:
                empty.append(heading)
            continue
        quantity, written = split_heading(heading or f"column {at + 1}")
        name = name_of(quantity, taken, alternating)
        taken.add(name)
        unit = unwritten_unit(name) if written is None else None
        if values.dtype.kind == "f" and written is not None:
            unit, known = unit_of(written)
            if not known:
                warnings.append(
                    f"The unit {written!r} of {quantity!r} is not known and is kept as it stands."
                )
        signals[at + 1] = Signal(name, values, unit, long_name=clean_text(quantity))
    return signals, empty


def _with_uncertainties(signals: dict[int, Signal]) -> dict[int, Signal]:
    """A column of errors becomes the uncertainty of the column it belongs to."""
    by_name = {signal.name: at for at, signal in signals.items()}
    found = dict(signals)
    for at, signal in signals.items():
        of = by_name.get(signal.name.removesuffix("_error")) if signal.name.endswith("_error") else None
        if of is None:  # numbered: resistivity_error_1 belongs to resistivity_1
            of = by_name.get(signal.name.replace("_error_", "_")) if "_error_" in signal.name else None
        if of is not None and signal.unit in (None, found[of].unit) and found[of].values.dtype.kind == "f":
            found[of] = replace(found[of], uncertainty=signal.values)
            del found[at]
    return found


def _times(signals: dict[int, Signal], opened: datetime | None) -> tuple[datetime | None, float | None]:
    """Count ``time`` from the first record and add ``timestamp`` where the epoch is sure; start and first stamp."""
    at = next((at for at, s in signals.items() if s.name == "time" and s.values.dtype.kind == "f"), None)
    if at is None:
        return opened, None
    stamps = signals[at].values
    first = float(stamps[np.isfinite(stamps)][0])
    signals[at] = replace(signals[at], values=stamps - first, unit=signals[at].unit or "s", long_name="Time")
    if opened is None or not abs(first) < 1e11:
        return opened, first
    begun = _EPOCH + timedelta(seconds=first)
    if not timedelta(days=-2) <= begun - opened <= timedelta(days=366):
        return opened, first
    shift = (begun - datetime(1970, 1, 1)).total_seconds() - first
    valid = np.abs(stamps) < 1e11
    times = np.rint((np.where(valid, stamps, 0) + shift) * 1000).astype(np.int64).astype("datetime64[ms]")
    times[~valid] = np.datetime64("NaT")
    signals[0] = Signal("timestamp", times, None, long_name="Date and time")
    return begun, first


def _instrument(header: dict[str, Any]) -> str:
    words = " ".join(
        [
            *header.get("comments", ()),
            _text(header.get("BYAPP")),
            *map(_text, header.get("INFO", {}).values()),
        ]
    )
    platform = next((p for p in _PLATFORMS if p.casefold() in words.casefold()), "")
    return f"Quantum Design {platform}".strip()


def _read(source: RawInput) -> Measurement:
    text = _decode(source.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    warnings: list[str] = []
    head, mark, rest = text.partition("[Data]\n")
    if not mark:
        head, mark, rest = text.partition("[Data]")
    if not mark and not head.lstrip().casefold().startswith("[header]"):
        head, mark, rest = "", "no header", head
        warnings.append("The file has no header: mass, date and instrument are not known.")
    if not mark:
        raise ReadError(
            f"{source.name} has no [Data] section; it is cut off after its header. Copy it again."
        )
    skipped = len(rest) - len(rest.lstrip("\n"))
    line, newline, body = rest[skipped:].partition("\n")
    headings = [h.strip() for h in clean_text(line).split(",")]
    while headings and not headings[-1]:
        headings.pop()
    if not newline or not headings:
        raise ReadError(
            f"{source.name} ends at its headings (line {head.count(chr(10)) + 2}): it holds no record."
        )
    header = _header(head.split("\n"))
    cells = _rows(body, headings, head.count("\n") + skipped + 3, warnings)
    cells, remarks, above = _without_remarks(cells, headings)
    signals, empty = _signals(cells, headings, warnings)
    if not any(s.values.dtype.kind == "f" for s in signals.values()):
        raise ReadError(f"{source.name} holds no number after its headings; it is cut off or no measurement.")
    started, first_stamp = _times(signals, _opened(header, warnings))
    signals = _with_uncertainties(signals)
    technique = technique_of({s.name for s in signals.values()})
    x, default = plot_of(signals, header, technique)
    info = header.get("INFO", {})
    sample = next((t for k in _SAMPLES if (t := _text(info.get(k)))), "")
    title = _text(header.get("TITLE")) or sample or source.path.name.split(".")[0]
    metadata: dict[str, Any] = {"Header": header, "Headings": headings, "Headings without data": empty}
    if remarks:
        metadata["Remarks among the records"] = remarks
    if remarks and any(h.startswith("Raw Position") for h in headings):  # raw data: one above each scan
        signals[len(headings) + 1] = Signal("scan", np.array(above), "", long_name="Scan")
    if first_stamp is not None:
        metadata["First time stamp"] = first_stamp
    columns = sorted(signals.items(), key=lambda item: item[0])
    entry = table(
        technique,
        technique,
        [signal for _, signal in columns],
        x=x,
        default=default,
        title=title,
        started=started,
        conditions=_conditions(header) | steady(signals, x),
    )
    return Measurement(
        (entry,),
        title=title,
        sample=sample,
        instrument=_instrument(header),
        operator=_text(info.get("OPERATOR") or info.get("USER")),
        original_metadata=tidy_metadata(metadata),
        warnings=tuple(warnings),
    )


READER = Reader(
    name="quantum_design_dat",
    version="5",
    techniques=(*TECHNIQUES, "unspecified"),
    vendor="Quantum Design",
    format="MultiVu data",
    endings=(".dat",),
    sniff=_sniff,
    read=_read,
    notes="PPMS, DynaCool, VersaLab, MPMS and MPMS 3: VSM, ACMS, heat capacity, transport and other options; also where"
    " the header was cut away.",
)
