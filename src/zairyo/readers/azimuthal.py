"""Patterns integrated from pictures of an area detector: pyFAI's text, and Fit2D's ``.chi``.

Facts: pyFAI writes comments in ``#``, among them the geometry in metres and radians and, at last, the names of the
columns (``2th_deg I sigma``, ``q_nm^-1 I``). Fit2D writes four lines: a title, what the first column is, what the
second is, and how many points there are, perhaps with how many data sets (one) behind.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity, clean_text
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._scattering import Column, curve, measurement
from zairyo.readers._text_export import head_lines, number, number_rows, read_lines

_PYFAI = re.compile(r"#\s*==\s*pyFAI calibration\s*==", re.IGNORECASE)
#: What pyFAI calls the first column → our name and unit.
_AXES = {
    "2th_deg": ("two_theta", "deg"),
    "2th_rad": ("two_theta", "rad"),
    "q_nm^-1": ("q", "1/nm"),
    "q_a^-1": ("q", "1/angstrom"),
    "r_mm": ("radius", "mm"),
    "r_m": ("radius", "m"),
    "chi_deg": ("azimuth", "deg"),
    "chi_rad": ("azimuth", "rad"),
    "d*2_nm^-2": ("inverse_d_squared", "1/nm**2"),
    "d*2_a^-2": ("inverse_d_squared", "1/angstrom**2"),
}
#: What Fit2D calls it.
_FIT2D = (
    (re.compile(r"2-?\s*theta( angle)?\s*\(degrees\)", re.IGNORECASE), "two_theta", "deg"),
    (re.compile(r"2-?\s*theta( angle)?\s*\(radians\)", re.IGNORECASE), "two_theta", "rad"),
    (re.compile(r"q\s*\((inverse nanomet(er|re)s?|nm\^?-1)\)", re.IGNORECASE), "q", "1/nm"),
    (re.compile(r"q\s*\((inverse [aå]ngstroms?|a\^?-1)\)", re.IGNORECASE), "q", "1/angstrom"),
    (re.compile(r"d-?spacings?\s*\([aå](ngstroms?)?\)", re.IGNORECASE), "d_spacing", "angstrom"),
    (re.compile(r"radial distance\s*\(mm\)", re.IGNORECASE), "radius", "mm"),
    (re.compile(r"azimuth( angle)?\s*\(degrees\)", re.IGNORECASE), "azimuth", "deg"),
)
_POINTS = re.compile(r"\s*(\d{1,9})(?:\s+1)?\s*\Z", re.ASCII)
_WAVELENGTH = re.compile(r"Wavelength:\s*([\d.eE+-]+)\s*(m|A|Å)?\s*\Z")
_DETECTOR = re.compile(r"Detector\s+([^\t:]*[^\t:\s])")
_DISTANCE = re.compile(r"Distance Sample[ \w]*?:\s*([\d.eE+-]+)\s*(mm|m)\b")


def _sniff(source: RawInput) -> float:
    head = source.text_head
    fourth = head.split(b"\n", 4)[3:4]
    if b"pyFAI" not in head and not (fourth and fourth[0].strip()[:1].isdigit()):
        return NO
    lines = head_lines(source, 40)
    if any(_PYFAI.match(line) for line in lines):
        return CERTAIN
    return LIKELY if _fit2d(lines) else NO


def _fit2d(lines: Any) -> tuple[str, str] | None:
    """Name and unit of the first column, if the lines are a head of Fit2D."""
    if len(lines) < 5 or not _POINTS.match(lines[3]) or len(lines[4].split()) not in (2, 3):
        return None
    return next(((name, unit) for pattern, name, unit in _FIT2D if pattern.match(lines[1].strip())), None)


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    warnings: list[str] = []
    known = _fit2d(lines)
    told: dict[str, Quantity | None] = {}
    if known:
        title, announced, rows = lines[0].strip(), int(lines[3].split()[0]), lines[4:]
        metadata: dict[str, Any] = {
            "title": title,
            "abscissa": lines[1].strip(),
            "ordinate": lines[2].strip(),
        }
    else:
        comments = [line.strip().lstrip("#").strip() for line in lines if line.lstrip().startswith("#")]
        rows = [line for line in lines if not line.lstrip().startswith("#")]
        names = next(
            (c.split() for c in reversed(comments) if c.split()[:1] and c.split()[0].lower() in _AXES), []
        )
        if not names:
            raise ReadError(
                f"{source.name} does not name its columns (as '2th_deg I'); it is cut off or was changed."
            )
        known, title, announced = _AXES[names[0].lower()], source.path.stem, None
        metadata = {"header": "\n".join(comments)}
        told = _geometry(comments)
    values = _rows([row for row in rows if row.strip()], known[0], source.name)
    if announced is not None and announced != len(values):
        warnings.append(f"{announced} points are announced, and {len(values)} are there.")
    entry = curve(
        "pattern",
        "xrd",
        Column(known[0], values[:, 0], known[1]),
        [Column("intensity", values[:, 1])],
        values[:, 2] if values.shape[1] > 2 else None,
        conditions=told,
        metadata=metadata,
        warnings=warnings,
        title=clean_text(title),
    )
    return measurement([entry], warnings, title=source.path.stem)


def _rows(rows: list[str], axis: str, name: str) -> Any:
    """Shape (n, 2), or (n, 3) with uncertainties."""
    if not rows or not 2 <= len(rows[0].split()) <= 3:
        raise ReadError(
            f"{name} holds no rows of two or three numbers; nothing was integrated, or it is cut off."
        )
    values = number_rows(rows, name)
    if not np.isfinite(values[:, 0]).all() or (axis == "two_theta" and (np.diff(values[:, 0]) <= 0).any()):
        raise ReadError(f"{name}: {axis} does not rise from point to point; the file is damaged.")
    return values


def _geometry(comments: list[str]) -> dict[str, Quantity | None]:
    told: dict[str, Quantity | None] = {}
    for text in comments:
        if (found := _WAVELENGTH.match(text)) and (value := number(found[1])):
            told["wavelength"] = Quantity(value if found[2] in ("A", "Å") else value * 1e10, "angstrom")
        elif (found := _DISTANCE.match(text)) and (value := number(found[1])):
            told.setdefault("sample_detector_distance", Quantity(value, found[2]))
        elif found := _DETECTOR.match(text):
            told.setdefault("detector", Quantity(clean_text(found[1].strip())))
    return told


READER = Reader(
    name="azimuthal",
    version="1",
    techniques=("xrd",),
    vendor="pyFAI, Fit2D",
    format="Integrated pattern (.xy, .chi, .dat)",
    endings=(".xy", ".chi", ".dat", ".xye"),
    sniff=_sniff,
    read=_read,
    notes="The pattern over 2θ, q, radius or azimuth, uncertainties where there are some; wavelength and distance.",
)
