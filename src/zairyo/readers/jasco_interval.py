"""JASCO Spectra Manager text of spectra one after the other: interval scans, spectra at several temperatures.

Facts: the header of JASCO's other text (``ORIGIN`` JASCO, ``XUNITS``, ``YUNITS``, ``NPOINTS``); behind ``XYDATA`` a
line that begins with a blank cell and has the times or temperatures, then a row a wavelength: the place, and the value
at each. Files with ``NPOINTST`` have them on the line ``XYDATA1`` itself, and a further block for each further channel.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Signal
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import (
    cells_of,
    columns_of,
    decimal_of,
    head_lines,
    head_text,
    number,
    read_lines,
    split_name,
    unit_of,
)

_FIRST_LINES = 80
_MARK = re.compile(r'"?XYDATA(?P<number>\d?)"?(?P<rest>[\t,;].*)?\Z')
_ORIGIN = re.compile(r'"?ORIGIN"?(?P<delimiter>[\t,;])\s*"?JASCO')
_X = (
    (re.compile(r"nanometers|wavelength.*|nm", re.I), "wavelength", "nm"),
    (re.compile(r"1/cm|cm-1|wavenumber.*", re.I), "wavenumber", "1/cm"),
)
_Y = (
    (re.compile(r"CD\b.*", re.I), "circular_dichroism", "mdeg"),
    (re.compile(r"HT\b.*", re.I), "high_tension_voltage", "V"),
    (re.compile(r"abs.*", re.I), "absorbance", ""),
    (re.compile(r"%T|transmittance", re.I), "transmittance", "percent"),
    (re.compile(r"%R|reflectance", re.I), "reflectance", "percent"),
)
_SPELLINGS = {"C": "degC", "°C": "degC", "sec": "s", "min": "min"}
_DATES = ("%Y/%m/%d %H:%M:%S", "%y/%m/%d %H:%M:%S", "%Y/%m/%d", "%y/%m/%d")


class _Block(NamedTuple):
    """A channel: the line its rows begin at, which channel it is, the steps of the series."""

    begin: int
    channel: int
    steps: list[float]


def _sniff(source: RawInput) -> float:
    if "JASCO" not in head_text(source, _FIRST_LINES):
        return NO
    lines = head_lines(source, _FIRST_LINES)
    origin = next((m for line in lines if (m := _ORIGIN.match(line))), None)
    return CERTAIN if origin is not None and _blocks(list(lines), origin["delimiter"]) else NO


def _blocks(lines: list[str], delimiter: str) -> list[_Block]:
    """Where blocks of several spectra begin; none in the text of one spectrum."""
    found = []
    for at, line in enumerate(lines):
        match = _MARK.match(line.rstrip()) if line.startswith(("XYDATA", '"XYDATA')) else None
        if match is None:
            continue
        channel = int(match["number"] or 1)
        if (steps := _steps(match["rest"] or "", delimiter)) is not None:
            found.append(_Block(at + 1, channel, steps))
        elif at + 1 < len(lines) and (steps := _steps(lines[at + 1], delimiter)) is not None:
            found.append(_Block(at + 2, channel, steps))
    return found


def _steps(line: str, delimiter: str) -> list[float] | None:
    """The numbers of a line whose first cell is blank; None if it is another line."""
    cells = cells_of(line, delimiter)
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) < 2 or cells[0]:
        return None
    numbers = [n for c in cells[1:] if (n := number(c)) is not None]
    return numbers if len(numbers) == len(cells) - 1 else None


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    origin = next((m for line in lines[:_FIRST_LINES] if (m := _ORIGIN.match(line))), None)
    delimiter = origin["delimiter"] if origin else "\t"
    blocks = _blocks(lines, delimiter)
    if not blocks:
        raise ReadError(f"{source.name} has no spectra of a series behind XYDATA; it is cut off.")
    pairs = [cells_of(line, delimiter) for line in lines[: blocks[0].begin - 1]]
    header = {clean_text(c[0]): clean_text(" ".join(c[1:]).strip()) for c in pairs if c and c[0]}
    warnings: list[str] = []
    signals: list[Signal] = []
    axes: tuple[Axis, ...] = ()
    last = 0
    for block in blocks:
        x, values, last = _values(source, lines, block, delimiter, header, warnings)
        if not axes:
            axes = (_series(np.array(block.steps), header, warnings), _axis(x, header))
        elif values.shape != tuple(len(a.values) for a in axes):
            raise ReadError(
                f"{source.name}: channel {block.channel} has another number of points than the first"
            )
        signals.append(_signal(block.channel, values, header, axes, warnings, signals))
    header |= {"below": " | ".join(clean_text(x.strip()) for x in lines[last : last + 500] if x.strip())}
    sample = next(
        (m[1] for x in lines[last:] if (m := re.match(r"(?:試料名|Sample name)[\t,;]\s*(.+)", x))), ""
    )
    technique = _technique(signals[0].name, header)
    date = f"{header.get('DATE', '')} {header.get('TIME', '')}".strip()
    entry = Entry(
        "spectra",
        technique,
        axes,
        tuple(signals),
        signals[0].name,
        title=header.get("TITLE", ""),
        started=in_forms(date, _DATES) or in_forms(header.get("DATE", ""), _DATES),
    )
    return Measurement(
        (entry,),
        title=header.get("TITLE", "") or source.path.stem,
        sample=clean_text(sample.strip(' ",')),
        instrument=header.get("SPECTROMETER/DATA SYSTEM", "") or "JASCO spectrometer",
        original_metadata=tidy_metadata({k: v for k, v in header.items() if v}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _values(
    source: RawInput,
    lines: list[str],
    block: _Block,
    delimiter: str,
    header: dict[str, str],
    warnings: list[str],
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """The places, the values of shape (steps, places), and the line behind them."""
    end = block.begin
    while end < len(lines) and lines[end][:1] in "+-.0123456789 " and lines[end].strip():
        end += 1
    rows = lines[block.begin : end]
    told = number(header.get("NPOINTS", ""))
    if not rows or (told and len(rows) < told):
        raise ReadError(
            f"{source.name} has {len(rows)} rows where its header says {told or 'more'}; it is cut off. Copy it again."
        )
    width = len(block.steps) + 1
    if end == len(lines) and len(cells_of(rows[-1], delimiter)) < width:
        raise ReadError(f"{source.name} ends within line {end}; it is cut off. Copy it again.")
    if len(cells_of(rows[0], delimiter)) < width:
        raise ReadError(
            f"{source.name} has {len(cells_of(rows[0], delimiter)) - 1} values in line {block.begin + 1} for "
            f"{len(block.steps)} spectra; it is damaged."
        )
    decimal = decimal_of(rows, delimiter)
    columns = columns_of(rows, delimiter, width, warnings, line=block.begin + 1, decimal=decimal)
    if any(column.dtype.kind != "f" for column in columns):
        raise ReadError(f"{source.name} has words among its numbers; it is damaged.")
    return columns[0], np.array(columns[1:]), end


def _axis(x: NDArray[np.float64], header: dict[str, str]) -> Axis:
    stated = header.get("XUNITS", "")
    for pattern, name, unit in _X:
        if pattern.fullmatch(stated.split("[")[0].strip()):
            return Axis(name, x, unit)
    return Axis("spectral_position", x, stated or None)


def _series(steps: NDArray[np.float64], header: dict[str, str], warnings: list[str]) -> Axis:
    """What changes from one spectrum to the next: a time in interval scans, else what the header says."""
    stated = next((header[k] for k in ("TUNITS", "ZUNITS") if header.get(k)), "")
    title, unit = split_name(stated)
    if title.casefold().startswith(("temp", "温度")):
        return Axis("temperature", steps, unit_of(unit, warnings, _SPELLINGS), title)
    if title.casefold().startswith(("time", "時間")):
        return Axis("time", steps, unit_of(unit, warnings, _SPELLINGS), title)
    if "interval" in header.get("TITLE", "").casefold() or "インターバル" in header.get("TITLE", ""):
        warnings.append(
            "The file does not say in which unit the times of its spectra are; JASCO's programs count minutes."
        )
        return Axis("time", steps, None, "Time")
    warnings.append("The file does not say what changes from one spectrum to the next; its numbers are kept.")
    return Axis("series", steps, None, "Series")


def _signal(
    channel: int,
    values: NDArray[np.float64],
    header: dict[str, str],
    axes: tuple[Axis, ...],
    warnings: list[str],
    before: list[Signal],
) -> Signal:
    keys = ("YUNITS",) if channel == 1 else (f"Y{channel}UNITS", f"YUNITS{channel}")
    stated = next((header[k] for k in keys if header.get(k)), "")
    title, unit = split_name(stated)
    over = tuple(a.name for a in axes)
    for pattern, name, usual in _Y:
        if pattern.fullmatch(title) and name not in {s.name for s in before}:
            known = unit_of(unit, warnings, _SPELLINGS) if unit else usual
            return Signal(name, values, known, over, title)
    taken = {s.name for s in before}
    name = "intensity" if "intensity" not in taken else f"intensity_{channel}"
    return Signal(name, values, unit_of(unit, warnings, _SPELLINGS), over, title or "Intensity")


def _technique(signal: str, header: dict[str, str]) -> str:
    said = f"{header.get('DATA TYPE', '')} {header.get('SPECTROMETER/DATA SYSTEM', '')}".upper()
    if signal == "circular_dichroism":
        return "circular_dichroism"
    if "FLUORESCENCE" in said or re.search(r"\bFP-?\d", said):
        return "fluorescence"
    return "ir" if "INFRARED" in said else "raman" if "RAMAN" in said else "uv_vis"


READER = Reader(
    name="jasco_interval",
    version="1",
    techniques=("uv_vis", "circular_dichroism", "fluorescence", "ir", "raman"),
    vendor="JASCO",
    format="Spectra Manager text, series of spectra",
    endings=(".csv", ".txt"),
    sniff=_sniff,
    read=_read,
    notes="Interval scans and spectra at several temperatures, as one table of spectra.",
)
