"""What scanning probe readers share: one name for a channel, pixels' places, units, the last check."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    MeasurementError,
    Quantity,
    Signal,
    clean_text,
    make_name,
    units,
)
from zairyo.readers._api import RawInput, ReadError
from zairyo.readers._day_or_month import in_forms

Array = NDArray[Any]

#: Vendors' words for a channel (whole, in any case of letters) → the vocabulary.
_CHANNELS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"z|height|topograph(?:y|ie)|topo|z ?height|z-?axis", "height"),
        (
            r"z ?-?(?:sens(?:e|or)?|snsr|linear|real)(?: ?height)?|height ?\(?(?:measured|sensor)\)?|zsnsr",
            "height_measured",
        ),
        (r"defl(?:ection)?|normal force|dfl|t-b|vertical deflection|vdeflection", "deflection"),
        (r"lateral(?: deflection| force)?|friction|l-r|hdeflection", "lateral_deflection"),
        (r"amp(?:l(?:itude)?)?(?:1)?|oc m1 amplitude", "amplitude"),
        (r"phase(?:1)?|oc m1 phase", "phase"),
        (r"(?:amplitude |z |deflection )?error(?: signal)?", "error"),
        (r"(?:oc m1 )?freq(?:uency|\.)? ?shift|df", "frequency_shift"),
        (r"(?:oc m1 )?excitation", "excitation"),
        (r"dissipation", "dissipation"),
        (r"(?:tunnel(?:l?ing)? ?)?current|i", "current"),
        (r"log ?current", "log_current"),
        (r"bias(?: calc| voltage)?", "bias"),
        (r"(?:surface |contact )?potential|kpfm|cpd", "potential"),
        (r"adhesion(?: force)?", "adhesion"),
        (r"(?:dmt ?|elastic |young'?s )?modulus", "modulus"),
        (r"stiffness", "stiffness"),
        (r"force", "force"),
        (r"time|t", "time"),
        (r"z rel", "z"),
    )
)
_LOCK_IN = re.compile(r"li demod (\d+) ([xy])|lock-?in(?: (\d+))? ([xy])")
_ORDER = ("height", "current", "height_measured", "amplitude", "phase")


def channel_name(label: str) -> str:
    """A channel's name in the vocabulary; its own words where the vocabulary has none."""
    text = re.sub(r"\s+", " ", label).strip().casefold()
    if match := _LOCK_IN.fullmatch(text):
        return f"lock_in_{match[1] or match[3] or 1}_{match[2] or match[4]}"
    return next((name for pattern, name in _CHANNELS if pattern.fullmatch(text)), make_name(text, "channel"))


def known_unit(text: str, what: str, warnings: list[str]) -> str | None:
    """A unit as Pint spells it; None if none is given, verbatim with a warning if it is unknown."""
    text = clean_text(text).strip()
    if not text:
        return None
    unit = units.normalise(text)
    if unit is None:
        warnings.append(f"The unit {text[:40]!r} of {what} is unknown; it is kept as it is.")
    return text[:200] if unit is None else unit


def pixels(name: str, count: int, length: float, unit: str | None, *, downward: bool = False) -> Axis:
    """The middles of pixels from the frame's corner: falling where the first row is the uppermost.

    Without a length the pixels are numbered.
    """
    places = np.arange(count - 1.0, -1.0, -1.0) if downward else np.arange(float(count))
    is_known = math.isfinite(length) and length > 0
    if is_known:
        places += 0.5
        places *= length / count
    places.flags.writeable = False  # nobody else has it: it need not be copied
    return Axis(name, places, unit if is_known else "pixel")


def unique(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """The same signals, numbered where a name comes again."""
    from dataclasses import replace

    taken: set[str] = {"x", "y", "row", "point"}
    found = []
    for signal in signals:
        name, number = signal.name, 1
        while name in taken:
            number += 1
            name = f"{signal.name[:55]}_{number}"
        taken.add(name)
        found.append(signal if name == signal.name else replace(signal, name=name))
    return tuple(found)


def first_of(signals: Sequence[Signal], wanted: Sequence[str] = _ORDER) -> str:
    """The first wanted signal that shows something, else the first signal that does.

    A height that was held constant shows nothing: then it is the current that was scanned.
    """
    shown = [s.name for s in signals if _varies(s.values)]
    shown = shown or [s.name for s in signals if s.values.dtype.kind != "f" or np.isfinite(s.values).any()]
    return next((name for name in wanted if name in shown), shown[0] if shown else signals[0].name)


def _varies(values: Array) -> bool:
    if values.dtype.kind not in "fiuc":
        return False
    flat = values.ravel()
    finite = flat[np.isfinite(flat)]
    return bool(finite.size) and bool((finite != finite[0]).any())


def number(text: str | None) -> float | None:
    """A finite number, a decimal comma allowed; None where there is none."""
    try:
        value = float((text or "").strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def floats(words: Iterable[str | bytes]) -> NDArray[np.float64]:
    """Words as numbers, shape (words,); ValueError if one is none. (Ten times faster than NumPy's own reading.)"""
    return np.fromiter(map(float, words), np.float64)


def rows_of_floats(body: bytes) -> NDArray[np.float64] | None:
    """Lines of numbers between white space, shape (rows, columns), blank lines passed over.

    None where a word is no number, or a line has another count of them. (Twice as fast as :func:`floats`.)
    """
    try:
        return np.loadtxt(body.decode("ascii").splitlines(), comments=None, ndmin=2) if body.strip() else None
    except ValueError:
        return None


def quantity(text: str | None, default_unit: str | None = None) -> Quantity | None:
    """``"500 nm"`` as a quantity; None if there is no number, or its unit is unknown."""
    words = (text or "").strip().split(None, 1)
    value = number(words[0]) if words else None
    if value is None:
        return None
    unit = units.normalise(words[1]) if len(words) > 1 else default_unit
    return Quantity(value, unit) if unit is not None else None


def moment(text: str, *forms: str) -> datetime | None:
    return in_forms(text, forms)


def told(**values: Quantity | str | float | None) -> dict[str, Quantity]:
    """The conditions that the file gives; texts and plain numbers have no unit."""
    found = {}
    for name, value in values.items():
        if isinstance(value, Quantity):
            found[name] = value
        elif isinstance(value, str):
            if value.strip():
                found[name] = Quantity(clean_text(value.strip()))
        elif value is not None:
            found[name] = Quantity(value)
    return found


def with_unit(value: float | None, unit: str) -> Quantity | None:
    return None if value is None else Quantity(value, unit)


def measurement(entries: Sequence[Entry], warnings: Iterable[str], **rest: Any) -> Measurement:
    """The measurement, each warning once."""
    return Measurement(tuple(entries), warnings=tuple(dict.fromkeys(warnings)), **rest)


def made(what: str, make: Any, *arguments: Any, **options: Any) -> Any:
    """``make(…)``; what the standard form refuses is an error of the file."""
    try:
        return make(*arguments, **options)
    except MeasurementError as e:
        raise ReadError(f"{what} makes no measurement: {e}; the file is damaged") from None


def decode(data: bytes) -> str:
    """Header text: UTF-8, or the letters of a Western (or Japanese) Windows."""
    from zairyo.readers._legacy_text import decode_legacy

    return decode_legacy(data)


def fill(values: Mapping[str, str], *keys: str) -> str:
    """The first of the keys that has a value; empty if none has."""
    return next((values[k].strip() for k in keys if values.get(k, "").strip()), "")


def first_lines(src: RawInput) -> bytes:
    """The beginning of a text file, or of the first member of a zip archive, as far as the file's head shows it."""
    import struct
    import zlib

    head = src.head
    if head[:4] != b"PK\x03\x04" or len(head) < 30:
        return head
    method, name, extra = struct.unpack_from("<H", head, 8)[0], *struct.unpack_from("<HH", head, 26)
    packed = head[30 + name + extra :]
    if method == 0:
        return packed
    try:
        return zlib.decompressobj(-15).decompress(packed, 8192) if method == 8 else b""
    except zlib.error:
        return b""


def contents(src: RawInput, ending: tuple[str, ...], most: int = 64 * 1024**2) -> list[tuple[str, bytes]]:
    """The file's content, or that of each member of a zip archive with one of the endings: (name, bytes)."""
    if src.head[:4] != b"PK\x03\x04":
        return [(src.name, src.read_bytes(most))]
    names = [m for m in src.members if m.lower().endswith(ending) and not m.startswith("__MACOSX")]
    if not names:
        raise ReadError(f"{src.path.name} holds no {' or '.join(ending)} file, or is cut off. Copy it again.")
    if len(names) > 10_000:
        raise ReadError(f"{src.path.name} holds {len(names)} files, more than are read at once")
    found, room = [], most
    for name in names:
        data = src.member(name, room)
        room -= len(data)
        found.append((name, data))
    return found
