"""Bruker (Veeco, Digital Instruments) NanoScope images, ``.spm``, ``.000``, ``.001`` …: every channel of a scan.

A text header of sections (``\\*Ciao image list``), closed by ``\\*File list end``, then each image as whole numbers.
``\\@2:Z scale: V [Sens. Zsens] (0.0019 V/LSB) 127.9 V`` says that the range of the numbers is 127.9 V and that
``\\@Sens. Zsens: V 4.27 nm/V`` turns volts into nanometres. Facts: NanoScope 8.10 user's guide, "File format".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, Quantity, Signal, clean_text, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError

_START, _FORCE = b"\\*File list", b"\\*Force file list"
_END = re.compile(rb"\\\*(?:Force )?[Ff]ile list end[^\n]*\n?")
_MOST_HEADER, _MOST_PIXELS = 16 * 1024**2, 100_000
_IMAGE = "ciao image list"
#: ``[soft scale] (hard scale) hard value`` of a value; ``[internal name] "external name"`` of a choice.
_VALUE = re.compile(r"V\s*(?:\[([^\]]*)\])?\s*(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\))?\s*([-+.\deE]+)\s*(.*)")
_CHOICE = re.compile(r'S\s*(?:\[([^\]]*)\])?\s*(?:"([^"]*)")?')
_PER = re.compile(r"(.+?)/(log\([^()]*\)|[^/()*]+)")
_PREFIXES = {"m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "k": 1e3}
_SPELLINGS = {"~m": "um", "º": "deg", "°": "deg", "": ""}
Section = dict[str, str]


@dataclass(frozen=True)
class _Value:
    """A number with its unit, and the name of what turns it into another unit."""

    number: float
    unit: str
    sensitivity: str


def sniff(src: RawInput) -> float:
    head = src.head
    return CERTAIN if head.startswith((_START, _FORCE)) and b"\\Version: 0x" in head[:400] else NO


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    end = _END.search(data, 0, _MOST_HEADER)
    if end is None:
        raise ReadError(
            f"{src.name} has no end of its header ('\\*File list end'); it is cut off. Copy it again."
        )
    sections = _sections(_spm.decode(data[: end.start()]))
    images = [section for name, section in sections if name == _IMAGE]
    if not images:
        if any("force" in name or ("ciao" not in name and "image list" in name) for name, _ in sections):
            raise ReadError(
                f"{src.name} holds force curves, or images of before NanoScope 4.3, which are not read; export them "
                "from NanoScope Analysis as text"
            )
        raise ReadError(
            f"{src.name} holds no image; it was saved before anything was measured, or is damaged"
        )
    settings: Section = {}
    for name, section in sections:
        if name != _IMAGE:
            settings = section | settings
    warnings: list[str] = []
    named = _spm.unique([_signal(data, section, settings, src.name, warnings) for section in images])
    scanned = settings | images[0]
    entries: list[Entry] = []
    for shape in dict.fromkeys(signal.values.shape for signal in named):
        alike = tuple(signal for signal in named if signal.values.shape == shape)
        image = next(i for i, signal in zip(images, named, strict=True) if signal.values.shape == shape)
        entries.append(_entry("image" if not entries else f"image_{len(entries) + 1}", alike, image, scanned))
    return _spm.measurement(
        entries,
        warnings,
        title=src.name,
        instrument=f"Bruker {clean_text(settings.get('description', ''))}".strip(),
        original_metadata=tidy_metadata(_metadata(sections)),
    )


def _sections(text: str) -> list[tuple[str, Section]]:
    """The sections in order, names and keys in lower case, without ``@`` and the number of a group."""
    found: list[tuple[str, Section]] = []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("\\*"):
            found.append((line[2:].strip().casefold(), {}))
        elif line.startswith("\\") and found:
            key, _, value = line[1:].partition(": ")
            group, colon, rest = line[2:].partition(":") if line.startswith("\\@") else ("", "", "")
            if colon and group.isdecimal():
                key, _, value = rest.partition(": ")
            found[-1][1].setdefault(key.lstrip("@").rstrip(":").strip().casefold(), value.strip())
    return found


def _metadata(sections: list[tuple[str, Section]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, section in sections:
        key, number = name, 1
        while key in told:
            number += 1
            key = f"{name} {number}"
        told[key] = section
    return told


# --- numbers ------------------------------------------------------------------------------------------------


def _signal(data: bytes, image: Section, settings: Section, name: str, warnings: list[str]) -> Signal:
    choice = _CHOICE.match(image.get("image data", ""))
    label = clean_text((choice[2] or choice[1] or "") if choice else "").strip() or "channel"
    raw = _numbers(data, image, f"image {label!r} of {name}")
    scale = _value(image.get("z scale", ""))
    if scale is None:
        warnings.append(
            f"The file does not say what the numbers of {label!r} are; they are kept as they are."
        )
        return Signal(_name(label, image), raw, None, ("y", "x"), label)
    steps = 256.0 ** _count(image, "bytes/pixel", 2, 4)
    factor, unit = _calibrated(scale, settings, label, warnings)
    return Signal(_name(label, image), raw * (factor / steps), unit, ("y", "x"), label)


def _name(label: str, image: Section) -> str:
    """The vocabulary's name; ``DMTModulus`` has no blank between its words."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", label)
    back = "_retrace" if image.get("line direction", "").casefold() == "retrace" else ""
    return _spm.channel_name(words)[:50] + back


def _count(image: Section, key: str, default: int, most: int) -> int:
    text = image.get(key, "")
    return int(text) if text.isdecimal() and 0 < int(text) <= most else default


def _numbers(data: bytes, image: Section, what: str) -> NDArray[Any]:
    """The stored numbers, shape (rows, columns); from version 9.2 on in four bytes even where two are told of."""
    columns, rows = (_count(image, key, 0, _MOST_PIXELS) for key in ("samps/line", "number of lines"))
    start, size = (_count(image, key, 0, 2**62) for key in ("data offset", "data length"))
    if not (columns and rows and start and size):
        raise ReadError(f"{what} does not say how many pixels it has and where they are; the file is damaged")
    width = size // (columns * rows)
    if width not in (2, 4):
        raise ReadError(f"{what} has {size} bytes for {columns} × {rows} pixels; the file is damaged")
    if start + width * columns * rows > len(data):
        raise ReadError(
            f"{what} should end at byte {start + size}, but the file has {len(data)}; it is cut off. Copy it again."
        )
    return np.frombuffer(data, f"<i{width}", rows * columns, start).reshape(rows, columns)


def _value(text: str) -> _Value | None:
    match = _VALUE.match(text)
    number = _spm.number(match[3]) if match else None
    return (
        None
        if match is None or number is None
        else _Value(number, match[4].strip(), (match[1] or "").strip())
    )


def _calibrated(
    scale: _Value, settings: Section, label: str, warnings: list[str]
) -> tuple[float, str | None]:
    """The range in the unit that the sensitivity gives; in volts where there is none."""
    sensitivity = _value(settings.get(scale.sensitivity.casefold(), "")) if scale.sensitivity else None
    if sensitivity is None or not sensitivity.unit:
        factor = sensitivity.number if sensitivity is not None else 1.0
        return scale.number * factor, _unit(scale.unit, label, warnings)
    per = _PER.fullmatch(sensitivity.unit) or re.fullmatch(r"(.+)\*(Arb)", sensitivity.unit)
    if per is not None:
        prefix = scale.unit.removesuffix(per[2])
        if scale.unit.endswith(per[2]) and (not prefix or prefix in _PREFIXES):
            factor = scale.number * sensitivity.number * _PREFIXES.get(prefix, 1.0)
            return factor, _unit(per[1], label, warnings)
    warnings.append(
        f"{label!r} is scaled from {scale.unit!r} by {sensitivity.unit!r}, which do not fit; it is kept in "
        f"{scale.unit!r}."
    )
    return scale.number, _unit(scale.unit, label, warnings)


def _unit(text: str, label: str, warnings: list[str]) -> str | None:
    text = _SPELLINGS.get(text.strip(), text.strip())
    if text.casefold() == "arb":
        return "arb"
    return _spm.known_unit(text, f"channel {label!r}", warnings)


# --- entries ------------------------------------------------------------------------------------------------


def _entry(name: str, signals: tuple[Signal, ...], image: Section, settings: Section) -> Entry:
    """The first row is the lowest, whichever way the frame was scanned."""
    rows, columns = signals[0].values.shape
    sizes, unit = _lengths(image.get("scan size") or settings.get("scan size", ""))
    width, height = (sizes * 2)[:2] if sizes else (0.0, 0.0)
    entry: Entry = _spm.made(
        "the image", Entry, name, "stm" if image.get("data type") == "STM" else "afm",
        (_spm.pixels("y", rows, height, unit), _spm.pixels("x", columns, width, unit)), signals,
        default=_spm.first_of(
            signals, [n + way for n in ("height_measured", "height", "current") for way in ("", "_retrace")]
        ),
        title=", ".join(dict.fromkeys(signal.long_name for signal in signals))[:200],
        conditions=_conditions(settings, width, height, unit),
        started=_spm.moment(settings.get("date", ""), "%I:%M:%S %p %a %b %d %Y"),
    )  # fmt: skip
    return entry


def _lengths(text: str) -> tuple[list[float], str]:
    """``505.859 505.859 nm``: the numbers, and their unit."""
    words = text.split()
    numbers = [n for n in map(_spm.number, words) if n is not None]
    unit = words[-1] if words and _spm.number(words[-1]) is None else "nm"
    return numbers, _SPELLINGS.get(unit, unit)


def _conditions(settings: Mapping[str, str], width: float, height: float, unit: str) -> dict[str, Quantity]:
    def length(key: str) -> Quantity | None:
        numbers, of = _lengths(settings.get(key, ""))
        return Quantity(numbers[0], of) if numbers else None

    mode = _CHOICE.match(settings.get("microscopelist", ""))
    return _spm.told(
        scan_size_x=Quantity(width, unit) if width else None,
        scan_size_y=Quantity(height, unit) if height else None,
        position_x=length("x offset"),
        position_y=length("y offset"),
        scan_rate=_spm.with_unit(_spm.number(settings.get("scan rate")), "Hz"),
        imaging_mode=(mode[2] or mode[1]) if mode else None,
        scan_direction={"up": "up", "down": "down"}.get(settings.get("frame direction", "").casefold()),
        software_version=settings.get("version"),
        comment=settings.get("note"),
    )


READER = Reader(
    name="bruker_nanoscope",
    version="1",
    techniques=("afm", "stm"),
    vendor="Bruker (Veeco, Digital Instruments)",
    format="NanoScope image",
    endings=(".spm", ".000", ".001", ".002"),
    sniff=sniff,
    read=read,
    notes="Every channel of an image of NanoScope 4.3 and newer, in the unit of its sensitivity; offsets of the height "
    "are left out. Force curves and force volumes are not read.",
)
