"""HORIBA Aqualog text: an excitation-emission map as the program exports its plots.

Facts (seen in a file): a line of the plot's name (``Sample - Blank``) and the excitations in nm, falling; ``nm`` and
blank cells; perhaps ``Normalized by 75.335``; then a row for each pixel of the detector: its emission in nm, a value an
excitation. No time, sample or setting is stated.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Signal
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._text_export import cells_of, columns_of, decimal_of, head_lines, number, read_lines

_NAMES = re.compile(r"(Processed|Sample|Blank|Dark|S\d?c?( ?/ ?R\d?c?)?)\b[^\t]*\t\s*\d{3,4}([.,]\d+)?\t")
_UNIT = re.compile(r"nm\t[\s\t]*\Z")
_NORMALISED = re.compile(r"Normali[sz]ed by\s*(?P<by>[\d.,]+)", re.IGNORECASE)


def _sniff(source: RawInput) -> float:
    lines = head_lines(source, 2)
    return CERTAIN if len(lines) == 2 and _NAMES.match(lines[0]) and _UNIT.match(lines[1]) else NO


def _read(source: RawInput) -> Measurement:
    lines = [line for line in read_lines(source) if line.strip()]
    name, *cells = cells_of(lines[0].rstrip() if lines else "", "\t")
    excitations = [number(c) for c in cells]
    begin = next((k for k, line in enumerate(lines[1:6], 1) if number(line.split("\t")[0]) is not None), None)
    if begin is None or None in excitations:
        raise ReadError(f"{source.name} holds no emission; it is cut off, or nothing was measured.")
    rows = [line.rstrip() for line in lines[begin:]]
    if rows[-1].count("\t") < len(excitations):
        raise ReadError(f"{source.name} ends within its last row; it is cut off. Copy it again.")
    warnings: list[str] = []
    columns = columns_of(
        rows, "\t", len(excitations) + 1, warnings, line=begin + 1, decimal=decimal_of(rows, "\t")
    )
    if any(c.dtype.kind != "f" for c in columns):
        raise ReadError(f"{source.name} has words among its values; it is damaged.")
    at = np.array(excitations, dtype=np.float64)
    order = np.argsort(at)
    entry = Entry(
        "map",
        "fluorescence",
        axes=(
            Axis("excitation_wavelength", at[order], "nm"),
            Axis("emission_wavelength", columns[0], "nm"),
        ),
        signals=(
            Signal(
                "intensity",
                np.stack(columns[1:])[order],
                None,
                ("excitation_wavelength", "emission_wavelength"),
                long_name=clean_text(name),
            ),
        ),
        title=clean_text(name),
    )
    told = {"name": name, "lines": [line.strip() for line in lines[1:begin]]}
    if m := next((m for line in told["lines"] if (m := _NORMALISED.match(line))), None):
        warnings.append(f"The values are normalised by {m['by']}; they are no counts.")
    return Measurement(
        (entry,),
        title=source.path.stem,
        instrument="HORIBA Aqualog",
        original_metadata=tidy_metadata(told),
        warnings=tuple(dict.fromkeys(warnings)),
    )


READER = Reader(
    name="horiba_aqualog",
    version="1",
    techniques=("fluorescence",),
    vendor="HORIBA",
    format="Aqualog map as text",
    endings=(".dat", ".txt"),
    sniff=_sniff,
    read=_read,
    notes="Fluorescence over excitation and emission. The file states no unit, time or setting.",
)
