"""SENTECH SpectraRay's text of an ellipsometer's Ψ and Δ over the wavelength.

Facts: the first line is ``; WAVELENGTH`` and each angle of incidence twice; a row is the wavelength in nm, then Ψ and Δ
in degrees of each angle. The file says nothing else.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Signal
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._text_export import head_text, number_rows, read_lines

_FIRST = re.compile(r"\s*;\s*WAVELENGTH((?:\s+\d{1,2}\.\d+){2,})\s*(?:\n|\Z)")


def _angles(text: str) -> list[float]:
    """The angles of incidence that the first line states; none if it does not state each twice."""
    match = _FIRST.match(text)
    stated = [float(word) for word in match[1].split()] if match else []
    return stated[::2] if stated[::2] == stated[1::2] else []


def _sniff(source: RawInput) -> float:
    return CERTAIN if _angles(head_text(source, 1)) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    angles = np.array(_angles(lines[0])) if lines else np.empty(0)
    rows = [line for line in lines[1:] if line.strip()]
    if not len(angles) or not rows:
        raise ReadError(f"{source.name} holds no points below its first line; it is cut off. Copy it again.")
    warnings: list[str] = []
    width = 1 + 2 * len(angles)
    if len(rows) > 1 and len(rows[-1].split()) < width:
        rows.pop()
        warnings.append("The last row is not whole and was left out: the file is cut off.")
    values = number_rows(rows, source.name)
    if values.shape[1] != width:
        raise ReadError(
            f"{source.name} states {len(angles)} angles and has {values.shape[1]} columns, not {width}."
        )
    order = np.argsort(angles, kind="stable")
    psi, delta = (np.ascontiguousarray(values[:, first::2].T[order]) for first in (1, 2))
    if not np.isfinite(values).all() or psi.min() < 0 or psi.max() > 90:
        raise ReadError(
            f"{source.name} does not hold Ψ and Δ by turns: some of what should be Ψ is not within 0 to 90°."
        )
    axes = (Axis("incidence_angle", angles[order], "deg"), Axis("wavelength", values[:, 0].copy(), "nm"))
    over = ("incidence_angle", "wavelength")
    signals = (Signal("psi", psi, "deg", over, "Ψ"), Signal("delta", delta, "deg", over, "Δ"))
    stem = source.path.stem
    entry = Entry("psi_delta", "ellipsometry", axes=axes, signals=signals, title=stem)
    return Measurement((entry,), title=stem, instrument="SENTECH", warnings=tuple(warnings))


READER = Reader(
    name="sentech_spectraray",
    version="1",
    techniques=("ellipsometry",),
    vendor="SENTECH",
    format="SpectraRay text",
    endings=(".txt", ".dat", ".asc"),
    sniff=_sniff,
    read=_read,
    notes="Ψ and Δ of every angle of incidence, Δ in the range that the program wrote. Mueller matrices are not read.",
)
