"""Galactic SPC files in pieces: the header, each spectrum's own header and numbers, the log.

Facts: the published SPC.H. Of the new format (version 0x4B, little-endian; 0x4C, big-endian) the header has 512
bytes; of the old one (0x4D) 256, the first spectrum's header among them. A spectrum's header has 32 bytes.
Numbers are float32 (exponent 0x80) or fractions of 16 or 32 bits, times 2 to the exponent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError
from zairyo.readers._optical_bytes import Fields, legacy_text, unique_key

NEW, NEW_BIG, OLD = 0x4B, 0x4C, 0x4D
WORDS_16, MULTI, ANY_Z, ORDERED_Z, LABELS, OWN_X, HAS_X = 1, 4, 8, 16, 32, 64, 128
_SUB_BYTES = 32
_FLOAT = -128
_HEADER = (
    "BBBbidd i BBBB I 9s9s h 32s 130s30s ii BBh f48s fifB 187s".replace(" ", ""),
    (
        *("flags", "version", "experiment", "exponent", "points", "first", "last", "spectra"),
        *("x_type", "y_type", "z_type", "posting", "date", "resolution", "source", "peak_point", "spare"),
        *("comment", "labels", "log_offset", "modifications", "processing", "calibration_level"),
        *("sample_injection", "concentration_factor", "method", "z_step", "w_planes", "w_step", "w_type"),
        "reserved",
    ),
)
_OLD_HEADER = (
    "<BBhfffBBHBBBB8shh28s130s30s",
    (
        *("flags", "version", "exponent", "points", "first", "last", "x_type", "y_type", "date"),
        *("month", "day", "hour", "minute", "resolution", "peak_point", "scans", "spare"),
        *("comment", "labels"),
    ),
)
_TEXTS = ("resolution", "source", "comment", "method")
_LEFT_OUT = ("labels", "spare", "reserved", "date", "month", "day", "hour", "minute")


@dataclass
class Spectrum:
    """One spectrum: its numbers, its own x values (None where all share one axis), its places along z and w."""

    y: NDArray[Any]
    x: NDArray[Any] | None
    z: float
    w: float


@dataclass
class Spc:
    """The file: header fields by name, the axis all spectra share (None if none), the spectra, labels, the log."""

    header: dict[str, Any]
    x: NDArray[Any] | None
    spectra: list[Spectrum]
    labels: list[str]
    started: datetime | None
    log: dict[str, Any]


def read_spc(fields: Fields, warnings: list[str]) -> Spc:
    flags, version = fields.unpack("<BB", 0, "the header")
    if version == OLD:
        return _read_old(fields)
    order = ">" if version == NEW_BIG else "<"
    header = dict(zip(_HEADER[1], fields.unpack(order + _HEADER[0], 0, "the header"), strict=True))
    points, count = header["points"], header["spectra"] if flags & MULTI else 1
    if not 0 < count <= len(fields) // _SUB_BYTES:
        raise ReadError(f"{fields.name} announces {count} spectra in {len(fields)} bytes; it is damaged")
    x: NDArray[Any] | None = None
    at = 512
    if not flags & OWN_X:
        _check_points(fields, points)
        if flags & HAS_X:
            x = fields.array(order + "f4", at, points, "the x values")
            at += 4 * points
        else:
            x = np.linspace(header["first"], header["last"], points)
    has_directory = bool(flags & OWN_X and flags & MULTI)
    if has_directory and not 512 <= points <= len(fields) - 12 * count:
        warnings.append("The directory of spectra is cut off or damaged; they were read one after another.")
        has_directory = False
    spectra = []
    for number in range(count):
        if has_directory:
            at = _listed(fields, order, points, number, at)
        spectrum, at = _spectrum(fields, order, at, header, number)
        spectra.append(spectrum)
    _fill_z(header, spectra)
    return Spc(
        header=_told(header),
        x=x,
        spectra=spectra,
        labels=_labels(header),
        started=_moment(header["date"]),
        log=_log(fields, order, header["log_offset"], warnings),
    )


def _check_points(fields: Fields, points: int) -> None:
    if not 0 < points <= len(fields):
        raise ReadError(f"{fields.name} announces {points} points in {len(fields)} bytes; it is damaged")


def _listed(fields: Fields, order: str, directory: int, number: int, at: int) -> int:
    """Where the directory says a spectrum is; spectra follow one another where there is no directory."""
    entry = directory + 12 * number
    if not directory >= 512 or entry + 12 > len(fields):
        return at
    place = int(fields.unpack(order + "i", entry, "the directory of spectra")[0])
    return place if place >= 512 else at


def _spectrum(
    fields: Fields, order: str, at: int, header: dict[str, Any], number: int
) -> tuple[Spectrum, int]:
    what = f"spectrum {number + 1}"
    _, exponent, _, z, _, _, own_points, _, w = fields.unpack(order + "BbhfffiIf", at, f"the head of {what}")
    at += _SUB_BYTES
    flags = header["flags"]
    points, x = header["points"], None
    if flags & OWN_X:
        points = own_points if flags & MULTI else own_points or points
        _check_points(fields, points)
        x = fields.array(order + "f4", at, points, f"the x values of {what}")
        at += 4 * points
    if not flags & MULTI:
        exponent = header["exponent"]
    y, at = _numbers(fields, order, at, points, exponent, bool(flags & WORDS_16), what)
    return Spectrum(y, x, float(z), float(w)), at


def _numbers(
    fields: Fields, order: str, at: int, points: int, exponent: int, is_short: bool, what: str
) -> tuple[NDArray[Any], int]:
    if exponent == _FLOAT:
        return fields.array(order + "f4", at, points, what), at + 4 * points
    bits = 16 if is_short else 32
    stored = fields.array(f"{order}i{bits // 8}", at, points, what)
    return stored * 2.0 ** (exponent - bits), at + points * bits // 8


def _fill_z(header: dict[str, Any], spectra: list[Spectrum]) -> None:
    """Evenly spaced spectra may state only the first z and the step."""
    if header["flags"] & (ANY_Z | ORDERED_Z) or len(spectra) < 2 or len({s.z for s in spectra}) > 1:
        return
    step, planes = header["z_step"], max(header["w_planes"], 1)
    if step and np.isfinite(step):
        for number, spectrum in enumerate(spectra):
            spectrum.z += float(step) * (number % max(len(spectra) // planes, 1))


# --- the old format -----------------------------------------------------------------------------------------


def _read_old(fields: Fields) -> Spc:
    header = dict(zip(_OLD_HEADER[1], fields.unpack(_OLD_HEADER[0], 0, "the header"), strict=True))
    points = header["points"]
    if not (np.isfinite(points) and points == int(points)):
        raise ReadError(f"{fields.name} announces {points} points; it is damaged")
    points = header["points"] = int(points)
    _check_points(fields, points)
    size = points * (2 if header["flags"] & WORDS_16 else 4)
    spectra: list[Spectrum] = []
    at = 224
    while not spectra or (header["flags"] & MULTI and at + _SUB_BYTES + size <= len(fields)):
        what = f"spectrum {len(spectra) + 1}"
        _, own_exponent, _, z = fields.unpack("<Bbhf", at, f"the head of {what}")
        exponent = own_exponent if header["flags"] & MULTI and spectra else header["exponent"]
        y, at = _old_numbers(fields, at + _SUB_BYTES, points, exponent, header["flags"], what)
        spectra.append(Spectrum(y, None, float(z), 0.0))
    year, z_type = header["date"] & 0xFFF, header["date"] >> 12
    started = _checked_moment(year, header["month"], header["day"], header["hour"], header["minute"])
    return Spc(
        header=_told(header | {"experiment": 0, "z_type": z_type}),
        x=np.linspace(header["first"], header["last"], points),
        spectra=spectra,
        labels=_labels(header),
        started=started,
        log={},
    )


def _old_numbers(
    fields: Fields, at: int, points: int, exponent: int, flags: int, what: str
) -> tuple[NDArray[Any], int]:
    """The old format's 32-bit fractions have their high word first, each word little-endian."""
    if exponent in (_FLOAT, 0x80) or flags & WORDS_16:
        return _numbers(
            fields, "<", at, points, _FLOAT if exponent == 0x80 else exponent, bool(flags & WORDS_16), what
        )
    words = fields.array("<u2", at, 2 * points, what).astype(np.uint32).reshape(points, 2)
    stored = (words[:, 0] << 16 | words[:, 1]).astype(np.uint32).view(np.int32)
    if not -1000 < exponent < 1000:
        raise ReadError(f"{fields.name}: {what} has the exponent {exponent}; the file is damaged")
    return stored * 2.0 ** (exponent - 32), at + 4 * points


# --- what is said beside the numbers ------------------------------------------------------------------------


def _told(header: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in header.items() if name not in _LEFT_OUT}
    for name in _TEXTS:
        if name in told:
            told[name] = legacy_text(told[name])
    return told


def _labels(header: dict[str, Any]) -> list[str]:
    """The file's own words for x, y and z, where it has some."""
    if not header["flags"] & LABELS:
        return []
    return [legacy_text(part) for part in (header["labels"].split(b"\0") + [b""] * 3)[:3]]


def _moment(packed: int) -> datetime | None:
    """Minute (6 bits), hour (5), day (5), month (4), year (12)."""
    return _checked_moment(
        packed >> 20, packed >> 16 & 0xF, packed >> 11 & 0x1F, packed >> 6 & 0x1F, packed & 0x3F
    )


def _checked_moment(year: int, month: int, day: int, hour: int, minute: int) -> datetime | None:
    if 0 < year < 200:  # some programs write what C counts: years since 1900, months from 0
        year, month = year + 1900, month + 1
    try:
        return datetime(year, month, day, hour, minute) if year else None
    except ValueError:
        return None


def _log(fields: Fields, order: str, offset: int, warnings: list[str]) -> dict[str, Any]:
    """The log's text: ``name = value`` lines by name, the others as they are."""
    if offset < 512 or offset + 64 > len(fields):
        if offset >= len(fields):
            warnings.append("The log that the header announces is not in the file.")
        return {}
    size, _, text_at = fields.unpack(order + "iii", offset, "the log")
    stop = min(offset + max(size, 0), len(fields))
    text = legacy_text(fields.data[offset + max(text_at, 0) : stop])
    found: dict[str, Any] = {}
    others = []
    for line in text.splitlines():
        name, mark, value = line.partition("=")
        if mark and name.strip():
            found[unique_key(name.strip(), found)] = value.strip()
        elif line.strip():
            others.append(line.strip())
    if others:
        found[unique_key("text", found)] = others
    return found
