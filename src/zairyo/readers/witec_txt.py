"""WITec Project and Suite text: spectra, series, maps and images that were exported as a table.

Facts: ``//Exported ASCII-File``, ``[Header]`` with lines ``key = value``, ``[Data]``, perhaps a line of headings, then
rows: the place on the spectral axis and a value of each spectrum, which are ``SizeX`` × ``SizeY``, x fastest, the
uppermost line first. An image has ``PointsPerLine`` and ``LinesPerImage`` instead and holds its values alone. Tables
without header begin with a line of headings (``X-Axis``, names that end in ``Spec.Data 1``), perhaps followed by one of
units (``rel. 1/cm``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._spm import pixels
from zairyo.readers._text_export import (
    cells_of,
    columns_of,
    decimal_of,
    head_lines,
    number,
    read_lines,
    unit_of,
)

_MAGIC = "//exported ascii-file"
_DATA = "[data]"
_MOST_HEADER = 1000
_KEY = re.compile(r"\s*(?P<key>[^=\[]+?)\s*=\s*(?P<value>.*?)\s*\Z")
_NAMES = re.compile(r'"?X-Axis"?\t.*Spec\.Data \d', re.I)
_SPECTRAL = (
    (re.compile(r"rel\.? ?(1/cm|cm-1|cm\^-1)", re.I), "raman_shift", "1/cm"),
    (re.compile(r"1/cm|cm-1|cm\^-1", re.I), "wavenumber", "1/cm"),
    (re.compile(r"nm", re.I), "wavelength", "nm"),
    (re.compile(r"ev", re.I), "photon_energy", "eV"),
    (re.compile(r"µm|um", re.I), "wavelength", "um"),
)
_SPELLINGS = {"CCD cts": "counts", "cts": "counts", "counts": "counts", "CCD cts.": "counts", "a.u.": "arb"}
_SPELLINGS |= {"µm": "um", "μm": "um"}
_LENGTHS = {"µm": "um", "μm": "um", "um": "um", "nm": "nm", "mm": "mm", "m": "m"}


def _sniff(source: RawInput) -> float:
    lines = head_lines(source, 3)
    if not lines:
        return NO
    if lines[0].strip().casefold() == _MAGIC:
        return CERTAIN
    return LIKELY if _NAMES.match(lines[0]) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    header: dict[str, str] = {}
    at = 0
    if lines[0].strip().casefold() == _MAGIC:
        found = next((k for k, x in enumerate(lines[:_MOST_HEADER]) if x.strip().casefold() == _DATA), None)
        if found is None:
            raise ReadError(
                f"{source.name} has no [Data]: it is cut off, or only the header of an export to several files; "
                "export it as one table."
            )
        at = found + 1
        pairs = (m for m in map(_KEY.match, lines[1:found]) if m)
        header = {clean_text(m["key"]): clean_text(m["value"]).strip('"') for m in pairs}
    warnings: list[str] = []
    image = {"PointsPerLine", "LinesPerImage"} <= header.keys()
    entry = (_image if image else _spectra)(source, lines, at, header, warnings)
    return Measurement(
        (entry,),
        title=re.split(r"[\\/]", header.get("FileName", ""))[-1] or source.path.stem,
        instrument="WITec microscope",
        original_metadata=tidy_metadata(header),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _count(header: Mapping[str, str], key: str, default: int = 0) -> int:
    text = header.get(key, "")
    return int(text) if re.fullmatch(r"[1-9]\d{0,8}", text) else default


def _table(
    source: RawInput, lines: list[str], at: int, warnings: list[str]
) -> tuple[list[list[str]], list[NDArray[np.float64]], int]:
    """The lines of headings, the columns of numbers, and the line that the numbers end at."""
    begin = at
    while begin < min(len(lines), at + 4) and not _is_row(lines[begin]):
        begin += 1
    end = begin
    while end < len(lines) and lines[end].strip():
        end += 1
    rows = lines[begin:end]
    if not rows or not _is_row(rows[0]):
        raise ReadError(f"{source.name} holds no number; it is cut off. Copy it again.")
    delimiter = next((d for d in "\t;" if d in rows[0]), " ")
    width = len([c for c in cells_of(rows[0], delimiter) if c])
    if end == len(lines) and len([c for c in cells_of(rows[-1], delimiter) if c]) < width:
        raise ReadError(f"{source.name} ends within line {end}; it is cut off. Copy it again.")
    decimal = decimal_of(rows, delimiter)
    columns = columns_of(rows, delimiter, width, warnings, line=begin + 1, decimal=decimal)
    if any(column.dtype.kind != "f" for column in columns):
        raise ReadError(f"{source.name} has words among its numbers; it is damaged.")
    above = [cells_of(x, "\t" if "\t" in x else delimiter) for x in lines[at:begin] if x.strip()]
    return above, columns, end


def _is_row(line: str) -> bool:
    cells = [c for c in re.split(r"[\t; ]+", line.strip()) if c]
    return bool(cells) and all(number(c) is not None for c in cells[:20])


# --- spectra ------------------------------------------------------------------------------------------------------


def _spectra(
    source: RawInput, lines: list[str], at: int, header: Mapping[str, str], warnings: list[str]
) -> Entry:
    above, columns, _ = _table(source, lines, at, warnings)
    if len(columns) < 2:
        raise ReadError(f"{source.name} has no spectral axis beside its values; export both as one table.")
    told = _count(header, "SizeGraph")
    if told > len(columns[0]):
        raise ReadError(
            f"{source.name} has {len(columns[0])} points where its header tells of {told}; it is cut off. Copy it "
            "again."
        )
    units = above[1] if len(above) > 1 else []
    axis = _axis(columns[0], header.get("XAxisUnit", "") or (units[0] if units else ""))
    unit = unit_of(header.get("DataUnit") or (units[1] if len(units) > 1 else None), warnings, _SPELLINGS)
    values = np.array(columns[1:])
    places, axes = _places(values, header, warnings)
    names = above[0][1 : len(columns)] if above else []
    signals = [Signal("intensity", places, unit, (*(a.name for a in axes), axis.name), "Intensity")]
    if len(axes) == 1 and axes[0].name == "spectrum" and len(names) == len(values):
        signals.append(Signal("title", np.array([clean_text(n)[:100] for n in names]), None, ("spectrum",)))
    title = header.get("GraphName", "") or (names[0] if len(names) == 1 else "")
    laser = number(header.get("ExcitationWavelength", "").removesuffix("nm").strip())
    conditions = {"laser_wavelength": Quantity(laser, "nm")} if laser else {}
    technique = "raman" if axis.name == "raman_shift" else "optical_spectroscopy"
    return Entry(
        "spectrum" if values.shape[0] == 1 else "spectra",
        technique,
        (*axes, axis),
        tuple(signals),
        "intensity",
        title=clean_text(title)[:200],
        conditions=conditions,
    )


def _axis(values: NDArray[np.float64], stated: str) -> Axis:
    text = stated.strip(" []()")
    for pattern, name, unit in _SPECTRAL:
        if pattern.fullmatch(text):
            return Axis(name, values, unit)
    return Axis("spectral_position", values, text or None)


def _places(
    values: NDArray[np.float64], header: Mapping[str, str], warnings: list[str]
) -> tuple[NDArray[np.float64], Sequence[Axis]]:
    """The spectra over where they were taken: a map over (y, x), others by their number; one alone over nothing."""
    count = len(values)
    if count == 1:
        return values[0], ()
    columns, rows = _count(header, "SizeX", 1), _count(header, "SizeY", 1)
    if columns > 1 and rows > 1 and columns * rows == count:
        sizes = [number(header.get(key, "")) or 0.0 for key in ("ScanWidth", "ScanHeight")]
        unit = _LENGTHS.get(header.get("ScanUnit", "").strip())
        y = pixels("y", rows, abs(sizes[1]) if unit else 0.0, unit, downward=True)
        x = pixels("x", columns, abs(sizes[0]) if unit else 0.0, unit)
        return values.reshape(rows, columns, -1), (y, x)
    if columns * rows not in (1, count):
        warnings.append(
            f"The header tells of {columns} × {rows} spectra, but {count} are in the file; they are kept by number."
        )
    return values, (Axis("spectrum", np.arange(1, count + 1), ""),)


# --- images -------------------------------------------------------------------------------------------------------


def _image(
    source: RawInput, lines: list[str], at: int, header: Mapping[str, str], warnings: list[str]
) -> Entry:
    columns, rows = _count(header, "PointsPerLine"), _count(header, "LinesPerImage")
    _, table, _ = _table(source, lines, at, warnings)
    values = np.stack(table, axis=1).ravel()
    if not columns or not rows or len(values) != columns * rows:
        raise ReadError(
            f"{source.name} has {len(values)} values where its header tells of {columns} × {rows}; it is cut off or "
            "damaged."
        )
    unit = _LENGTHS.get(header.get("ScanUnit", "").strip())
    sizes = [number(header.get(key, "")) or 0.0 for key in ("ScanWidth", "ScanHeight")]
    x = pixels("x", columns, abs(sizes[0]) if unit else 0.0, unit)
    y = pixels("y", rows, abs(sizes[1]) if unit else 0.0, unit, downward=True)
    signal = Signal(
        "map_value",
        values.reshape(rows, columns),
        unit_of(header.get("DataUnit") or None, warnings, _SPELLINGS),
        ("y", "x"),
        clean_text(header.get("ImageName", "")) or "Image",
    )
    return Entry("image", "raman", (y, x), (signal,), "map_value", title=signal.long_name)


READER = Reader(
    name="witec_txt",
    version="1",
    techniques=("raman", "optical_spectroscopy"),
    vendor="WITec (Oxford Instruments)",
    format="Project and Suite text",
    endings=(".txt", ".dat"),
    sniff=_sniff,
    read=_read,
    notes="From public descriptions of the format. Spectra, series, maps and images that were exported as one table; "
    "not exports to three files (header, x axis, y axis), and not projects (.wip).",
)
