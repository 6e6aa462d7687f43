"""Version 4 of Bruker's ``.raw`` (``RAW4.00``): a chain of segments.

61 bytes of preamble (date at 12, time at 24), then segments of type, length and content. Type 0 or 160 is no
segment but a range: 160 bytes of header, a chain of segments of its own (drives at their start positions, the
optics), and its points, each a float32 intensity followed by whatever its stated size leaves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import ReadError
from zairyo.readers._bruker_bytes import Bytes, check_ranges, positive
from zairyo.readers._diffraction import axis_name, default_unit, scan_axis, text_or_none, when
from zairyo.readers._diffraction_scans import Scan, measurement

_RANGE = (0, 160)
_TEXT, _SOURCE, _DRIVE = 10, 30, 50
_WAVES = ("ALPHA_AVERAGE", "ALPHA1", "ALPHA2", "BETA", "ALPHA_RATIO")
_GONIOMETER = frozenset("two_theta omega chi phi psi x y z".split())  # noqa: SIM905
_BYTES_KEPT = 2000  # of one text; longer ones are packed settings


def read(raw: Bytes) -> Measurement:
    texts: dict[str, str] = {}
    source: dict[str, Any] = {}
    scans: list[Scan] = []
    warnings: list[str] = []
    offset = 61
    raw.need(0, offset, "preamble")
    while offset < len(raw.data):
        if raw.unpack("<I", offset, "segment")[0] in _RANGE:
            check_ranges(len(scans) + 1, raw.name)
            made, offset = _range(raw, offset, len(scans) + 1, warnings)
            if made is not None:
                scans.append(made)
            continue
        kind, length = _segment(raw, offset, len(raw.data))
        if kind == _TEXT:
            texts.update([_text(raw, offset, length)])
        elif kind == _SOURCE and length >= 120:
            source = _source(raw, offset)
        offset += length
    if not scans:
        raise ReadError(
            f"{raw.name} ends after its header: there is no range of data; it is cut off. Copy it again."
        )
    date, time = raw.text(12, 12), raw.text(24, 10)
    shared = _shared(texts, source)
    scans = [replace(s, conditions={**shared, **s.conditions}) for s in scans]
    scans[0] = replace(scans[0], started=when(date, time))
    return measurement(
        scans,
        warnings,
        sample=texts.get("SAMPLEID"),
        title=texts.get("SAMPLEID"),
        operator=texts.get("USER"),
        original_metadata={"FORMAT": "RAW4", "MEASURE_DATE": date, "MEASURE_TIME": time, **texts, **source},
    )


def _segment(raw: Bytes, offset: int, end: int) -> tuple[int, int]:
    kind, length = raw.unpack("<II", offset, "segment")
    if length < 8 or offset + length > end:
        raise ReadError(
            f"{raw.name}: the segment of type {kind} at byte {offset} states a length of {length} bytes, where "
            f"{end - offset} are left; the file is cut off or damaged."
        )
    return kind, length


def _text(raw: Bytes, offset: int, length: int) -> tuple[str, str]:
    key, value = raw.text(offset + 12, 24), raw.text(offset + 36, max(length - 36, 0))
    if len(value) > _BYTES_KEPT:
        value = f"({len(value)} characters of packed settings, in the raw file)"
    return key or "UNNAMED", value


def _source(raw: Bytes, offset: int) -> dict[str, Any]:
    (circle,) = raw.unpack("<f", offset + 24, "source")  # a diameter on some goniometers: not mapped
    waves = raw.unpack("<5d", offset + 72, "source")
    return {
        "MEASURING_CIRCLE": circle,
        **dict(zip(_WAVES, waves, strict=True)),
        "ANODE_MATERIAL": raw.text(offset + 116, 4),
        "WAVELENGTH_UNIT": raw.text(offset + 120, 4),
    }


def _shared(texts: dict[str, str], source: dict[str, Any]) -> dict[str, Quantity | None]:
    return {
        "xray_source_element": text_or_none(source.get("ANODE_MATERIAL", "")),
        "wavelength_k_alpha": positive(source.get("ALPHA_AVERAGE", 0), "angstrom"),
        "wavelength": positive(source.get("ALPHA1", 0), "angstrom"),
        "wavelength_k_alpha_2": positive(source.get("ALPHA2", 0), "angstrom"),
        "wavelength_k_beta": positive(source.get("BETA", 0), "angstrom"),
        "k_alpha_ratio": positive(source.get("ALPHA_RATIO", 0), ""),
        "comment": text_or_none(texts.get("COMMENT", "")),
        "software": text_or_none(texts.get("CREATOR", "")),
        "software_version": text_or_none(texts.get("CREATOR_VERSION", "")),
    }


def _range(raw: Bytes, offset: int, number: int, warnings: list[str]) -> tuple[Scan | None, int]:
    """One range and the offset behind it; None for a range without points."""
    what = f"range {number}, at byte {offset}"
    raw.need(offset, 160, what)
    kind = raw.text(offset + 32, 24)
    start, step, count, time = raw.unpack("<ddIf", offset + 72, what)
    voltage, current = raw.unpack("<ff", offset + 100, what)
    (wave,) = raw.unpack("<d", offset + 112, what)
    size, extra = raw.unpack("<II", offset + 136, what)
    body = offset + 160
    raw.need(body, extra, what)
    points = raw.points(body + extra, count, size, (), what)
    end = body + extra + count * size
    drives, stepped, texts = _drives(raw, body, body + extra, start)
    if count == 0:
        warnings.append(f"{what}, has no points.")
        return None, end
    still = step == 0 and any(word in kind.casefold() for word in ("still", "time", "fixed"))
    if (
        not (np.isfinite(start) and np.isfinite(step))
        or (step == 0 < count - 1 and not still)
        or abs(step) > 1e4
    ):
        raise ReadError(f"{raw.name}: {what}, starts at {start} with steps of {step}: that is no scan")
    if still and count > 1:
        warnings.append(f"{what}: nothing moves in this {kind!r}; the point number is given.")
        axis = "point"
    else:
        axis = _axis(kind, stepped, what, warnings)
    values = start + step * np.arange(count, dtype=np.float64)
    return Scan(
        axis=axis,
        values=np.arange(count, dtype=np.float64) if axis == "point" else values,
        intensity=points["intensity"].astype(np.float64),
        intensity_unit="counts",
        fixed=_fixed(kind, axis, drives),
        conditions={
            "scan_axis": scan_axis(kind if "coupled" in kind.casefold() else axis),
            "scan_mode": text_or_none(kind),
            "step_size": None if axis == "point" else positive(abs(step), default_unit(axis)),
            "time_per_step": positive(time, "s"),
            "xray_tube_voltage": positive(voltage, "kV"),
            "xray_tube_current": positive(current, "mA"),
        },
        metadata={
            "SCAN_TYPE": kind,
            "START": start,
            "STEP_SIZE": step,
            "STEPS": count,
            "TIME_PER_STEP": time,
            "GENERATOR_VOLTAGE": voltage,
            "GENERATOR_CURRENT": current,
            "USED_LAMBDA": wave,
            "DATUM_SIZE": size,
            "DRIVES": drives,
            **texts,
        },
        title=kind,
    ), end


def _drives(
    raw: Bytes, offset: int, end: int, start: float
) -> tuple[dict[str, float], list[str], dict[str, str]]:
    """Drives at their positions, the ones that run from ``start``, and texts of a range's own chain."""
    drives: dict[str, float] = {}
    stepped: list[str] = []
    texts: dict[str, str] = {}
    while offset < end:
        kind, length = _segment(raw, offset, end)
        if kind == _TEXT:
            texts.update([_text(raw, offset, length)])
        elif kind == _DRIVE and length >= 64:
            (flag,) = raw.unpack("<I", offset + 8, "drive")
            (position,) = raw.unpack("<d", offset + 56, "drive")
            name = raw.text(offset + 12, 24)
            drives[name] = position
            if flag and abs(position - start) <= 1e-5 * max(1.0, abs(start)):
                stepped.append(name)
        offset += length
    return drives, stepped, texts


def _axis(kind: str, stepped: list[str], what: str, warnings: list[str]) -> str:
    """The axis a range runs along: what its type says, else the one drive that moves from the range's start."""
    word = kind.casefold()
    if "coupled" in word or "detector" in word or "psd" in word:
        return "two_theta"
    if "rocking" in word:
        return "omega"
    named = axis_name(word.removesuffix("scan").strip()) if word.endswith("scan") else axis_name(word)
    if named in _GONIOMETER:
        return named
    if len(stepped) == 1:
        return axis_name(stepped[0])
    warnings.append(f"{what}: it cannot be told which drive a {kind!r} moves; the point number is given.")
    return "point"


def _fixed(kind: str, axis: str, drives: dict[str, float]) -> dict[str, float]:
    """Where the goniometer stood; of a coupled scan's two angles only ω − 2θ/2 stands still."""
    fixed = {axis_name(n): v for n, v in drives.items() if axis_name(n) in _GONIOMETER and np.isfinite(v)}
    if "coupled" in kind.casefold():
        omega, two_theta = fixed.pop("omega", None), fixed.get("two_theta")
        if omega is not None and two_theta is not None and abs(omega - two_theta / 2) > 2e-4:
            fixed["omega_offset"] = round(omega - two_theta / 2, 6)
    fixed.pop(axis, None)
    return fixed
