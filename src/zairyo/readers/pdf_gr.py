"""Pair distribution functions and what they are made of: ``.gr``, ``.sq``, ``.fq`` of PDFgetX2/X3, PDFgetN, xPDFsuite.

Facts: settings as ``name = value`` (perhaps in sections), then a line with ``start data``, SPEC-like ``#S``, ``#D`` and
the names of the columns after ``#L`` (``r(A) G(r) d_r d_Gr``, ``r(Å)  G(Å$^{-2}$)``, ``Q(A^-1) S(Q)``), then the rows.
PDFgetN, which reduces neutron data only, writes several ``name=value`` on a line; the sample's come before the
vanadium's and the container's. PDFgetX2 ("Get_XPDF") reduces X-ray data only. The line ``#S`` may tell a temperature
(``T=10.0``, kelvin) and a range of q.
"""

from __future__ import annotations

import re
from typing import Any

from zairyo.measurement import Measurement, Quantity, clean_text
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._scattering import Column, curve, measurement
from zairyo.readers._text_export import head_text, number_rows, read_lines
from zairyo.readers._tokens import amount, word

_LABELS = re.compile(r"#L\s+([rRqQ])\b(.*)", re.MULTILINE)
#: A function of r or Q beside it: nobody else labels columns so.
_NAMED = re.compile(r"\b[GSFR]\s*\((r|Q)\)|\bG\s*\(")
_SETTING = re.compile(r"#?\s*([A-Za-z]\w*)\s*=\s*(\S.*)")
#: Several on a line, as PDFgetN writes them, blanks apart: a value reaches to the next name.
_PACKED = re.compile(r"([A-Za-z]\w*)=(.*?)(?=\s{2,}[A-Za-z]\w*=|\Z)")
#: The first letter of the second column → our name, its unit.
_ORDINATES = {
    "G": ("pair_distribution", "1/angstrom**2"),
    "S": ("structure_factor", "none"),
    "F": ("reduced_structure_factor", "1/angstrom"),
    "I": ("intensity", None),
    "R": ("radial_distribution", "1/angstrom"),
}
#: Setting → condition and unit; None where it is a text.
_CONDITIONS: dict[str, tuple[str, str | None]] = {
    "composition": ("composition", None),
    "wavelength": ("wavelength", "angstrom"),
    "lambda": ("wavelength", "angstrom"),
    "temperature": ("temperature", "K"),
    "temp": ("temperature", "K"),
    "qmin": ("q_minimum", "1/angstrom"),
    "qmax": ("q_maximum", "1/angstrom"),
    "qmaxinst": ("q_maximum_measured", "1/angstrom"),
    "rpoly": ("background_radius", "angstrom"),
    "bgscale": ("background_scale", ""),
    "qdamp": ("q_damping", "1/angstrom"),
    "qbroad": ("q_broadening", "1/angstrom"),
}
_RADIATION = {"x": "X-ray", "n": "neutron"}
#: What is told in the line ``#S``.
_SCAN = re.compile(r"\b(T|temp|qmin|qmax)\s*=\s*(\d[\d.]*)", re.IGNORECASE)


def _sniff(source: RawInput) -> float:
    if b"#L" not in source.text_head:
        return NO
    text = head_text(source, 300)
    found = _LABELS.search(text)
    if found is None:
        return NO
    return CERTAIN if "start data" in text or "PDFget" in text or _NAMED.search(found[0]) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    at = next((i for i, line in enumerate(lines) if _LABELS.match(line)), None)
    if at is None:
        raise ReadError(f"{source.name} does not name its columns after #L; it is cut off.")
    head, found = lines[:at], _LABELS.match(lines[at])
    assert found is not None
    settings = _settings(head)
    axis = ("r", "angstrom") if found[1] in "rR" else ("q", "1/angstrom")
    labels = found[2]
    if axis[0] == "q" and re.match(r"\s*\(?\s*nm", labels):
        axis = ("q", "1/nm")
    kind = re.search(r"\b([GSFIR])\b", re.sub(r"^\s*\([^)]*\)", "", labels))
    name, unit = _ORDINATES[kind[1]] if kind else ("value", None)
    warnings: list[str] = []
    values = _rows(lines[at + 1 :], source.name)
    # Errors of r come before those of G where there are four columns.
    errors = values[:, -1] if values.shape[1] in (3, 4) else None
    if errors is not None and not (errors >= 0).all():
        errors = None
        warnings.append("The uncertainties are below zero on some rows, and were left out.")
    told: dict[str, Quantity | None] = {
        condition: word(settings[key]) if u is None else amount(settings[key], u)
        for key, (condition, u) in _CONDITIONS.items()
        if key in settings
    }
    told_by = {"PDFgetN": "N", "Get_XPDF": "X", "PDFgetX2": "X"}
    usual = next((kind for line in head for program, kind in told_by.items() if program in line), "")
    radiation = _RADIATION.get(settings.get("stype", settings.get("mode", usual))[:1].lower())
    told["radiation"] = Quantity(radiation) if radiation else None
    sample = settings.get("composition", "")
    entry = curve(
        "data",
        "pdf",
        Column(axis[0], values[:, 0], axis[1]),
        [Column(name, values[:, 1], unit)],
        errors,
        conditions=told,
        metadata=settings
        | {"labels": lines[at][2:].strip(), "head": "\n".join(h for h in head if h.startswith("#"))},
        warnings=warnings,
        title=source.path.stem,
    )
    return measurement([entry], warnings, title=source.path.stem, sample=sample)


def _settings(head: list[str]) -> dict[str, str]:
    """What is told as ``name = value``, the names in small letters; of packed ones told again, the first."""
    told: dict[str, str] = {}
    for line in head:
        if line.startswith("#S"):
            named = {"t": "temperature"}
            scan = {named.get(k.lower(), k.lower()): v for k, v in _SCAN.findall(line)}
            told = scan | told
            continue
        packed = _PACKED.findall(line.strip())
        if len(packed) > 1 or (packed and line[:2] == "##"):
            told = {name.lower(): clean_text(value.strip()) for name, value in packed} | told
        elif found := _SETTING.match(line.strip()):
            told[found[1].lower()] = clean_text(found[2].strip())
    return told


def _rows(lines: list[str], name: str) -> Any:
    rows = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not rows or len(rows[0].split()) < 2:
        raise ReadError(f"{name} holds no rows after its head; nothing was saved, or it is cut off.")
    return number_rows(rows, name)


READER = Reader(
    name="pdf_gr",
    version="3",
    techniques=("pdf",),
    vendor="PDFgetX, PDFgetN, xPDFsuite",
    format="Pair distribution function (.gr, .sq, .fq, .iq)",
    endings=(".gr", ".sq", ".fq", ".iq"),
    sniff=_sniff,
    read=_read,
    notes="G(r), S(Q), F(Q) or I(Q) with uncertainties where there are some, and the settings of the transformation.",
)
