"""Asylum Research (MFP-3D, Cypher): force curves and images, each an Igor binary wave with a long note.

A curve is a matrix of points and channels, an image one of x, y and channels; the labels of the last dimension
name the channels. The deflection is in metres (the software has multiplied it by InvOLS); times the spring
constant it is the force. Facts: the waves themselves, and Gwyddion's and afmformats' descriptions.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Signal, table, tidy_metadata
from zairyo.readers import _asylum_notes as notes
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._igor import Wave, is_wave, read_wave

_WORDS = (b"MicroscopeModel:", b"VerDate:", b"ARDoIVCurve:", b"ScanSize:", b"FastScanSize:", b"InvOLS:")
#: How far into a compressed file a sniff unpacks.
_MOST_AHEAD = 64 << 20
_NOTE_BYTES = 4096
#: No piezo goes farther, and no deflection is larger.
_FARTHEST_M = 1e-2


def sniff(src: RawInput) -> float:
    if not is_wave(src.head):
        return NO
    note = _beginning_of_note(src)
    return CERTAIN if sum(word in note for word in _WORDS) >= 2 else NO


def _beginning_of_note(src: RawInput) -> bytes:
    """A few kB from where the note begins: behind the numbers, mostly beyond the file's head."""
    head = src.head
    order = ">" if head[0] == 0 else "<"
    if struct.unpack_from(order + "h", head)[0] != 5:
        return head[-_NOTE_BYTES:]
    numbers, formula = struct.unpack_from(order + "2i", head, 4)
    at = 64 + max(numbers, 0) + max(formula, 0)
    if at + _NOTE_BYTES <= len(head):
        return head[at : at + _NOTE_BYTES]
    if at > _MOST_AHEAD and src.name != src.path.name:
        return b""  # to seek there would unpack all that is before
    try:
        with src.open() as file:
            file.seek(at)
            return file.read(_NOTE_BYTES)
    except (OSError, EOFError):
        return b""


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    wave = read_wave(src.read_bytes())
    if not notes.is_asylum(wave.note):
        raise ReadError(
            "the wave's note is not of Asylum Research's software; it is an Igor wave of another kind"
        )
    if not wave.data.size or wave.data.dtype.kind not in "fiu":
        raise ReadError("the wave holds no numbers: nothing was acquired")
    note = notes.parse_note(wave.note)
    image = wave.data.ndim == 3 or (wave.data.ndim == 2 and not wave.labels[1])
    entry = _image(wave, note, warnings) if image else _curve(wave, note, warnings)
    model = note.get("MicroscopeModel", "").strip()
    return _spm.measurement(
        [entry],
        warnings,
        title=src.name,
        instrument=f"Asylum Research {model}".strip(),
        original_metadata=tidy_metadata({"wave": wave.name, "note": note, "formula": wave.formula}),
    )


def _labels(wave: Wave, dimension: int, count: int) -> list[str]:
    given = wave.labels[dimension] if dimension < len(wave.labels) else ()
    return [given[i] if i < len(given) and given[i] else f"Channel{i}" for i in range(count)]


# --- curves -------------------------------------------------------------------------------------------------


def _curve(wave: Wave, note: dict[str, str], warnings: list[str]) -> Entry:
    data = wave.data if wave.data.ndim > 1 else wave.data.reshape(-1, 1)
    if data.ndim > 2:
        raise ReadError(f"the wave has {data.ndim} dimensions, no force curve and no image; report this file")
    points = data.shape[0]
    columns = [Signal("segment", _segments(note, points, warnings), None)]
    if wave.axis_units[0] == "s" and wave.step[0] > 0:
        columns.append(Signal("time", wave.axis(0), "s"))
    spring = notes.number(note, "SpringConstant")
    for i, label in enumerate(_labels(wave, 1, data.shape[1])):
        name, unit, text = notes.channel(label)
        values = np.ascontiguousarray(data[:, i])
        if name == "deflection" and spring:
            columns.append(Signal("force", values * spring, "N", long_name=f"{text} × spring constant"))
        columns.append(Signal(name, values, unit, long_name=text))
    if not spring:
        warnings.append("The note gives no spring constant, so the deflection stays in metres.")
    named = _spm.unique(columns)
    names = [s.name for s in named]
    entry: Entry = _spm.made(
        "the curve", table, "force_curve", "afm_force", named,
        x=next((n for n in ("height_measured", "height", "time") if n in names), names[-1]),
        default=_spm.first_of(named[1:], ("force", "deflection")),
        title="Force curve: " + ", ".join(dict.fromkeys(named[0].values.tolist())),
        conditions=notes.ramp(note), started=notes.moment(note),
    )  # fmt: skip
    return entry


def _segments(note: dict[str, str], points: int, warnings: list[str]) -> NDArray[Any]:
    """``Indexes: 0,5057,10096`` and ``Direction: NaN,1,-1``: what the piezo did up to each of the points."""
    ends = [_spm.number(w) for w in note.get("Indexes", "").split(",") if w.strip()]
    ways = [_spm.number(w) for w in note.get("Direction", "").split(",") if w.strip()]
    whole = [int(e) for e in ends if e is not None and 0 <= e < 2**31]
    if len(whole) < 2 or len(whole) != len(ends) or whole != sorted(whole) or len(ways) != len(ends):
        warnings.append("The note does not say where the approach ends and the retract begins.")
        return np.full(points, "curve")
    names = np.full(points, "retract", dtype="U8")
    for begin, end, way in zip(whole, whole[1:], ways[1:], strict=False):
        first = begin if begin == whole[0] else begin + 1
        names[first : end + 1] = "approach" if way == 1 else "retract" if way == -1 else "pause"
    return names


# --- images -------------------------------------------------------------------------------------------------


def _image(wave: Wave, note: dict[str, str], warnings: list[str]) -> Entry:
    """Channels over (y, x); the first line is the lowest."""
    data = wave.data if wave.data.ndim == 3 else wave.data[:, :, None]
    axes = []
    for dimension, name in ((1, "y"), (0, "x")):
        unit = _spm.known_unit(wave.axis_units[dimension], f"axis {name}", warnings)
        places = wave.axis(dimension)
        if not np.isfinite(places).all():
            raise ReadError(f"the wave's scaling along {name} is no number; the file is damaged")
        axes.append(Axis(name, places if unit else np.arange(len(places), dtype=float), unit or "pixel"))
    signals = []
    for i, label in enumerate(_labels(wave, 2, data.shape[2])):
        name, unit, text = notes.channel(label)
        values = np.ascontiguousarray(data[:, :, i].T)
        if unit == "m" and np.nanmax(np.abs(values), initial=0.0, where=np.isfinite(values)) > _FARTHEST_M:
            unit = None
            warnings.append(
                f"{text} reaches farther than any piezo in metres: it was not yet calibrated (older software keeps "
                "volts), and has no unit."
            )
        signals.append(Signal(name, values, unit, ("y", "x"), text))
    named = _spm.unique(signals)
    entry: Entry = _spm.made(
        "the image", Entry, "image", "afm", tuple(axes), named,
        default=_spm.first_of(named, ("height", "height_retrace")),
        title=", ".join(s.long_name for s in named)[:200], conditions=notes.scan(note), started=notes.moment(note),
    )  # fmt: skip
    return entry


READER = Reader(
    name="asylum_ibw",
    version="2",
    techniques=("afm_force", "afm"),
    vendor="Asylum Research",
    format="force curve and image (Igor binary wave)",
    endings=(".ibw",),
    sniff=sniff,
    read=read,
    notes="Force curves, in newtons by the note's spring constant, and images, every channel trace and retrace.",
)
