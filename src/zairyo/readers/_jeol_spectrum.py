"""JEOL Analysis Station's ``.eds``: one X-ray spectrum, fields at fixed places, then elements and the detector."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Quantity, Signal
from zairyo.readers._api import ReadError
from zairyo.readers._jeol_tags import Buffer, decode, moment, quantity

#: Name of a field and its format of ``struct``; nameless ones are unknown.
_HEAD: tuple[tuple[str, str], ...] = (
    ("", "10s"), ("Created", "d"), ("Title", "80s"), ("User", "32s"), ("", "i"), ("", "80s"), ("", "i"), ("", "d"),
    ("Esc", "d"), ("Fano", "d"), ("Noise", "d"), ("CH Res", "d"), ("Live time", "d"), ("Real time", "d"),
    ("DeadTime", "d"), ("CountRate", "d"), ("", "36s"), ("", "36s"), ("CoefA", "d"), ("CoefB", "d"),
    ("State", "32s"), ("", "12s"), ("Template", "32s"), ("NumCH", "i"),
)  # fmt: skip
_PARAMETERS: tuple[tuple[str, str], ...] = (
    ("DetT", "16s"), ("SEM", "16s"), ("Port", "16s"), ("AccKV", "d"), ("AccNA", "d"), ("", "38s"), ("MnKaRES", "d"),
    ("WorkD", "d"), ("InsD", "d"), ("XtiltAng", "d"), ("TakeAng", "d"), ("IncAng", "d"), ("", "i"), ("ScanSize", "d"),
    ("DT_64", "H"), ("DT_128", "H"), ("DT_256", "H"), ("DT_512", "H"), ("DT_1K", "H"), ("DetH", "d"), ("DirAng", "d"),
    ("XtalAng", "d"), ("ElevAng", "d"), ("ValidSize", "d"), ("WinCMat", "4s"), ("WinCZ", "H"), ("WinCThic", "d"),
    ("WinChem", "16s"), ("", "52s"), ("WinThic", "d"), ("WinDens", "d"), ("SpatMat", "4s"), ("SpatZ", "H"),
    ("SpatThic", "d"), ("SiDead", "d"), ("SiThic", "d"),
)  # fmt: skip
_ELEMENT = struct.Struct("<iHiiHH14sdddd32sii")
_QUANTIFIED = struct.Struct("<iHiiddddd16sdddddiid")
_PARAMETERS_MARK = 5
_MOST_CHANNELS, _MOST_ELEMENTS, _MOST_LINES = 65_536, 200, 200
#: Field → condition and its unit.
_CONDITIONS: dict[str, tuple[str, str]] = {
    "Live time": ("live_time", "s"),
    "Real time": ("real_time", "s"),
    "DeadTime": ("dead_time", "percent"),
    "AccKV": ("accelerating_voltage", "kV"),
    "AccNA": ("beam_current", "nA"),
    "MnKaRES": ("energy_resolution", "eV"),
    "WorkD": ("working_distance", "mm"),
    "TakeAng": ("take_off_angle", "deg"),
    "IncAng": ("incidence_angle", "deg"),
    "DirAng": ("azimuth_angle", "deg"),
    "ElevAng": ("elevation_angle", "deg"),
    "SiThic": ("detector_thickness", "mm"),
}


@dataclass
class _Cursor:
    """A place in the file; :class:`ReadError` where it would go beyond the end."""

    data: Buffer
    at: int
    name: str

    def take(self, form: struct.Struct | str) -> tuple[Any, ...]:
        form = struct.Struct("<" + form) if isinstance(form, str) else form
        if form.size > len(self.data) - self.at:
            raise ReadError(
                f"{self.name} ends at byte {len(self.data)}, but {form.size} bytes are needed from {self.at}; it is "
                "cut off or damaged. Copy it again."
            )
        values = form.unpack_from(self.data, self.at)
        self.at += form.size
        return values

    def count(self, most: int, what: str) -> int:
        (number,) = self.take("i")
        if not 0 <= number <= most:
            raise ReadError(f"{self.name} states {number} {what} at byte {self.at - 4}; it is damaged")
        return int(number)

    def fields(self, table: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        values = self.take("".join(form for _, form in table))
        found = {name: value for (name, _), value in zip(table, values, strict=True) if name}
        return {name: decode(v).strip() if isinstance(v, bytes) else v for name, v in found.items()}


def is_spectrum(head: bytes) -> bool:
    """Whether a file begins as a spectrum does: it has no name of its format, but numbers that are always the same."""
    if len(head) < 458 or head[0] != 2 or head[1:4] != b"\0\0\0":
        return False
    created, one, seven = (
        struct.unpack_from(f, head, at)[0] for f, at in (("<d", 10), ("<i", 130), ("<i", 214))
    )
    (channels,) = struct.unpack_from("<i", head, 454)
    return bool(20_000 < created < 100_000 and one == 1 and seven == 7 and 0 < channels <= _MOST_CHANNELS)


def read_spectrum(data: Buffer, name: str) -> tuple[Entry, dict[str, Any]]:
    """The spectrum, and all its fields for keeping."""
    cursor = _Cursor(data, 0, name)
    head = cursor.fields(_HEAD)
    channels = head["NumCH"]
    if not 0 < channels <= _MOST_CHANNELS:
        raise ReadError(f"{name} states {channels} channels; it is damaged")
    counts = np.frombuffer(cursor.take(f"{4 * channels}s")[0], "<i4")
    footer = _footer(cursor)
    parameters = footer.get("Parameters", {})
    step, offset = head["CoefA"], head["CoefB"]
    if 1e-9 < abs(step) < 1e6 and abs(offset) < 1e6:
        axis = Axis("energy", offset + step * np.arange(channels), "keV")
    else:
        axis = Axis("channel", np.arange(channels), "")
    entry = Entry(
        name="spectrum",
        technique="eds",
        axes=(axis,),
        signals=(Signal("intensity", counts, "counts", (axis.name,)),),
        title=head["Title"],
        conditions=_found(head | parameters, footer),
        started=moment(head["Created"]),
    )
    return entry, {"Header": head, "Footer": footer}


def _found(fields: dict[str, Any], footer: dict[str, Any]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for field, (name, unit) in _CONDITIONS.items():
        value = quantity(fields.get(field), unit)
        if value is not None:
            found[name] = value
    if fields.get("DetT"):
        found["detector_type"] = Quantity(fields["DetT"])
    if chosen := ", ".join(name.split()[0] for name in footer.get("Selected elements", {}) if name.split()):
        found["elements"] = Quantity(chosen)
    return found


def _footer(cursor: _Cursor) -> dict[str, Any]:
    """Elements left out and chosen, the quantification, and the parameters of microscope and detector."""
    footer: dict[str, Any] = {}
    cursor.take("i")
    if count := cursor.count(_MOST_ELEMENTS, "elements left out"):
        footer["Excluded elements"] = list(cursor.take(f"{count}H"))
    chosen = {}
    for _ in range(cursor.count(_MOST_ELEMENTS, "elements")):
        element, told = _element(cursor)
        chosen[element] = told
    if chosen:
        footer["Selected elements"] = chosen
    if quantified := cursor.count(_MOST_ELEMENTS, "quantified elements"):
        cursor.take("3idii")
        footer["Quantification"] = [_quantified(cursor) for _ in range(quantified)]
    if cursor.take("i") == (_PARAMETERS_MARK,):
        footer["Parameters"] = cursor.fields(_PARAMETERS)
    return footer


def _element(cursor: _Cursor) -> tuple[str, dict[str, Any]]:
    _, number, _, _, low, high, _, energy, _, _, _, name, _, lines = cursor.take(_ELEMENT)
    if not 0 <= lines <= _MOST_LINES:
        raise ReadError(
            f"{cursor.name} states {lines} lines of an element at byte {cursor.at - 4}; it is damaged"
        )
    found = {}
    for _ in range(lines):
        _, at, _ = cursor.take("idH")
        parts = [decode(cursor.take(f"{cursor.take('B')[0]}s")[0]) for _ in range(2)]
        (detection,) = cursor.take("i")
        found[" ".join(parts)] = {"Energy": at, "Detection": detection}
    return decode(name), {"Z": number, "ROI": [low, high], "Energy": energy, "Lines": found}


def _quantified(cursor: _Cursor) -> dict[str, Any]:
    _, number, _, _, energy, _, mass, error, atom, name, other, _, counts, *_ = cursor.take(_QUANTIFIED)
    return {
        "Name": decode(name),
        "Z": number,
        "Energy": energy,
        "Mass (%)": mass,
        "Error": error,
        "Atom (%)": atom,
        "Mass as named (%)": other,
        "Counts": counts,
    }
