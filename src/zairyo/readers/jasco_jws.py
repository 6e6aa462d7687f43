"""JASCO Spectra Manager ``.jws``: circular dichroism, UV-visible, infrared, Raman and fluorescence spectra.

A compound file with the streams ``DataInfo`` (number of channels at byte 12 and points at 20, first and last
position and step from 24, then what x and each channel are), ``Y-Data`` (float32, channel after channel) and
``SampleInfo``. Files of Spectra Manager 1 are flat: the mark ``L~S``, a head of 1856 bytes, the channels. Facts:
jwsProcessor and jws2txt, and published lists of the kinds' numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, tidy_metadata
from zairyo.measurement.techniques import conditions as known_conditions
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._optical_bytes import Fields
from zairyo.readers._optical_ole import read_streams, sniff_names

_FLAT = b"L~S "
_FLAT_HEAD = 0x740
_MOST_CHANNELS = 64
_TOLD = ("SampleInfo", "Comments", "HostInfo", "UserInfo", "MeasInfo", "MeasParam")
_MOST_TEXTS = 1000
_X: dict[int, tuple[str, str]] = {
    0x10000100: ("wavenumber", "1/cm"),
    0x10000101: ("raman_shift", "1/cm"),
    0x10000102: ("wavelength", "angstrom"),
    0x10000103: ("wavelength", "nm"),
    0x10000104: ("wavelength", "um"),
    0x10000109: ("point", ""),
    0x10000400: ("photon_energy", "eV"),
    0x20000201: ("time", "us"),
    0x20000202: ("time", "ms"),
    0x20000203: ("time", "s"),
    0x20000204: ("time", "min"),
    0x20000205: ("time", "hour"),
    0x30000300: ("temperature", "K"),
    0x30000301: ("temperature", "degC"),
}
_Y: dict[int, tuple[str, str | None, str]] = {
    0x0000: ("transmittance", "percent", "%T"),
    0x0002: ("reflectance", "percent", "%R"),
    0x0003: ("absorbance", "", "Absorbance"),
    0x0006: ("kubelka_munk", "", "Kubelka-Munk"),
    0x000E: ("intensity", "arb", "Intensity"),
    0x0011: ("delta", "deg", "Δ"),
    0x0012: ("psi", "deg", "Ψ"),
    0x1001: ("circular_dichroism", "mdeg", "CD"),
    0x1002: ("optical_rotation", "mdeg", "ORD"),
    0x1003: ("linear_dichroism", "", "LD"),
    0x1006: ("direct_current", "V", "DC"),
    0x1007: ("molar_ellipticity", "deg*cm**2/dmol", "Molar ellipticity"),
    0x1008: ("molar_circular_dichroism", "L/mol/cm", "Molar CD"),
    0x2001: ("high_tension_voltage", "V", "HT voltage"),
    0x2004: ("external_input", "V", "External input"),
}
_DICHROISM = frozenset(range(0x1001, 0x1030))


@dataclass(frozen=True)
class _Spectra:
    """The axis, what each channel is (None if not told), the channels' values, shape (channels, points)."""

    x: NDArray[np.float64]
    x_kind: int | None
    kinds: list[int | None]
    values: NDArray[np.float32]


def sniff(src: RawInput) -> float:
    head = src.head
    if head.startswith(_FLAT):
        return CERTAIN if len(head) > _FLAT_HEAD else NO
    return sniff_names(src, ("DataInfo", "Y-Data"), (".jws",))


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    warnings: list[str] = []
    streams: dict[str, bytes] = {}
    if data.startswith(_FLAT):
        spectra = _flat(Fields(data, src.name))
        warnings.append("Files of Spectra Manager 1 do not tell what was measured; the values have no unit.")
    else:
        streams = read_streams(data, src.name)
        if "DataInfo" not in streams or "Y-Data" not in streams:
            raise ReadError(f"{src.name} has no DataInfo or no Y-Data; it is no spectrum of Spectra Manager")
        spectra = _spectra(streams, src.name)
    texts = {name: found for name in _TOLD if (found := _texts(streams.get(name, b"")))}
    sample = texts.get("SampleInfo", [""])[0]
    entry = _entry(spectra, texts, warnings)
    return Measurement(
        entries=(entry,),
        title=sample,
        sample=sample,
        instrument="JASCO",
        original_metadata=tidy_metadata(
            {"x_kind": _hex(spectra.x_kind), "y_kinds": [_hex(k) for k in spectra.kinds], **texts}
        ),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _hex(kind: int | None) -> str:
    return "" if kind is None else f"{kind:#x}"


# --- where the numbers are ----------------------------------------------------------------------------------


def _spectra(streams: dict[str, bytes], name: str) -> _Spectra:
    info = Fields(streams["DataInfo"], f"DataInfo of {name}")
    (channels,) = info.unpack("<I", 12, "the number of channels")
    (points,) = info.unpack("<I", 20, "the number of points")
    first, last, _ = info.unpack("<3d", 24, "the axis")
    (x_kind,) = info.unpack("<I", 48, "what x is")
    values = Fields(streams["Y-Data"], f"Y-Data of {name}")
    _check(name, channels, points, len(values) // 4, first, last)
    kinds = info.unpack(f"<{channels}I", 52, "what the channels are")
    array = values.array("<f4", 0, channels * points, "the spectrum").reshape(channels, points)
    return _Spectra(np.linspace(first, last, points), x_kind, list(kinds), array)


def _flat(fields: Fields) -> _Spectra:
    channels, points = fields.unpack("<HI", 130, "the size of the spectrum")
    first, last, _ = fields.unpack("<3d", 136, "the axis")
    _check(fields.name, channels, points, (len(fields) - _FLAT_HEAD) // 4, first, last)
    array = fields.array("<f4", _FLAT_HEAD, channels * points, "the spectrum").reshape(channels, points)
    return _Spectra(np.linspace(first, last, points), None, [None] * channels, array)


def _check(name: str, channels: int, points: int, stored: int, first: float, last: float) -> None:
    if not 0 < channels <= _MOST_CHANNELS or not points > 0 or not np.isfinite([first, last]).all():
        raise ReadError(
            f"{name} announces {channels} channels of {points} points from {first:g} to {last:g}; it is damaged"
        )
    if channels * points > stored:
        raise ReadError(
            f"{name} announces {channels} × {points} values, but {max(stored, 0)} are stored; it is cut off or damaged"
        )


# --- what they are ------------------------------------------------------------------------------------------


def _entry(spectra: _Spectra, texts: dict[str, list[str]], warnings: list[str]) -> Entry:
    name, unit = _X.get(spectra.x_kind or 0, ("spectral_position", None))
    if name == "spectral_position" and spectra.x_kind is not None:
        warnings.append(f"JASCO's kind {spectra.x_kind:#x} of x is not known; the axis has no unit.")
    signals: list[Signal] = []
    for kind, values in zip(spectra.kinds, spectra.values, strict=True):
        if kind is not None and kind not in _Y:
            warnings.append(f"JASCO's kind {kind:#x} of a channel is not known; it has no unit.")
        y_name, y_unit, label = _Y.get(-1 if kind is None else kind, ("intensity", None, "Intensity"))
        taken = sum(s.name.startswith(y_name) for s in signals)
        signals.append(Signal(f"{y_name}_{taken + 1}" if taken else y_name, values, y_unit, (name,), label))
    technique = _technique(name, [k for k in spectra.kinds if k is not None])
    comments = [t for t in texts.get("Comments", []) + texts.get("SampleInfo", [])[1:] if t]
    conditions = {"comment": Quantity(comments[0])} if comments else {}
    known = known_conditions(technique)
    return Entry(
        name="spectrum" if name != "time" else "time_course",
        technique=technique,
        axes=(Axis(name, spectra.x, unit),),
        signals=tuple(signals),
        title=texts.get("SampleInfo", [""])[0],
        conditions={k: v for k, v in conditions.items() if k in known},
    )


def _technique(x: str, kinds: list[int]) -> str:
    if any(kind in _DICHROISM for kind in kinds):
        return "circular_dichroism"
    if x in ("raman_shift", "wavenumber"):
        return "raman" if x == "raman_shift" else "ir"
    if kinds and kinds[0] == 0x000E:
        return "fluorescence"
    return "uv_vis" if kinds and kinds[0] in (0, 2, 3, 6) else "optical_spectroscopy"


def _texts(stream: bytes) -> list[str]:
    """The texts of a stream of values: UTF-16 with its length before it, in bytes or letters.

    What stands between them differs between versions. Where no length fits, the first text begins at byte 8.
    """
    found: list[str] = []
    at = 0
    while at + 6 <= len(stream) and len(found) < _MOST_TEXTS:
        length = int.from_bytes(stream[at : at + 4], "little")
        text = next(
            (t for size in (length, 2 * length) if (t := _text(stream[at + 4 : at + 4 + size], size))), ""
        )
        if text:
            found.append(text.rstrip("\0").strip())
            at += 4 + 2 * len(text)
        else:
            at += 2
    if not found and len(stream) > 10:
        end = next((k for k in range(8, len(stream) - 1, 2) if stream[k : k + 2] == b"\0\0"), len(stream))
        found = [text] if (text := _text(stream[8:end], end - 8)) else []
    return [text for text in found if text]


def _text(raw: bytes, size: int) -> str:
    """The letters, if that is what the bytes are: all printable, ended by a NUL at most."""
    if len(raw) != size or size < 2 or size % 2:
        return ""
    try:
        text = raw.decode("utf-16-le")
    except UnicodeDecodeError:
        return ""
    return text if text.rstrip("\0").replace("\r", "").replace("\n", "").isprintable() else ""


READER = Reader(
    name="jasco_jws",
    version="1",
    techniques=("circular_dichroism", "uv_vis", "ir", "raman", "fluorescence", "optical_spectroscopy"),
    vendor="JASCO",
    format="Spectra Manager",
    endings=(".jws",),
    sniff=sniff,
    read=read,
    notes="All channels of one spectrum or time course. Not read: measurement settings, files of several spectra "
    "(.jwb).",
)
