"""Bruker / Siemens DIFFRAC ``.raw``: versions 1 (``RAW ``), 2 (``RAW2``), 3 (``RAW1.01``) and 4 (``RAW4.00``).

Binary, little endian: a file header, then ranges, each a header and its points. Versions 1 to 3 have fixed
headers and are here; version 4 is a chain of segments and is in ``_bruker_raw4``. Counts are float32 (after
averaging they need not be whole).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, Quantity
from zairyo.readers import _bruker_raw4
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._bruker_bytes import Bytes, check_ranges, known, positive
from zairyo.readers._diffraction import Floats, default_unit, scan_axis, text_or_none, when
from zairyo.readers._diffraction_scans import Scan, measurement

_MOST = 512 * 1024**2

#: Version 3: code of the scan → the axis along which it runs, and what is scanned.
_SCANS = {
    0: ("two_theta", "Locked Coupled"),
    1: ("two_theta", "Unlocked Coupled"),
    2: ("two_theta", "2Theta"),
    3: ("omega", "Omega"),
    4: ("chi", "Chi"),
    5: ("phi", "Phi"),
    6: ("x", "X"),
    7: ("y", "Y"),
    8: ("z", "Z"),
    20: ("two_theta", "Unlocked Coupled HRXRD"),
    129: ("two_theta", "2Theta"),
    130: ("two_theta", "Locked Coupled"),
}
#: Version 3: positions at a range's start, and what may be recorded with each point (bit → axis).
_STARTS = {"omega": 8, "two_theta": 16, "chi": 24, "phi": 32, "x": 40, "y": 48, "z": 56}
_STATUS = {1: "completed", 2: "active", 3: "aborted", 4: "interrupted"}


def _sniff(src: RawInput) -> float:
    if src.head.startswith((b"RAW1.01", b"RAW4.00")):
        return CERTAIN
    if src.head.startswith(b"RAW2"):  # the date stands where text must be
        return LIKELY if len(src.head) >= 256 and _printable(src.head[168:188]) else NO
    if src.head.startswith(b"RAW "):  # some other format may begin so; one that has these numbers does not
        return LIKELY if len(src.head) >= 156 and _plausible_1(src.head) else NO
    return NO


def _printable(field: bytes) -> bool:
    return all(32 <= c < 127 or c == 0 for c in field)


def _plausible_1(head: bytes) -> bool:
    points, time, step = struct.unpack_from("<Iff", head, 4)
    return 0 < int(points) < 10**7 and bool(0 <= time < 1e7 and 0 < abs(step) < 360)


def _read(src: RawInput) -> Measurement:
    raw = Bytes(src.read_bytes(_MOST), src.name)
    for magic, version in (
        (b"RAW4.00", _bruker_raw4.read),
        (b"RAW1.01", _read_3),
        (b"RAW2", _read_2),
        (b"RAW ", _read_1),
    ):
        if raw.data.startswith(magic):
            return version(raw)
    raise ReadError(f"{src.name} is not a Bruker RAW file: it begins with {raw.data[:8]!r}")


def _read_1(raw: Bytes) -> Measurement:
    """Version 1: every range has a 156-byte header, in which a number says whether another range follows."""
    scans: list[Scan] = []
    warnings: list[str] = []
    offset, follows = 0, True
    while follows:
        if raw.data[offset : offset + 4] != b"RAW ":
            offset -= 4  # early files do not repeat the magic
        count, time, step, mode = raw.unpack("<IffI", offset + 4, "range header")
        start, *angles = raw.unpack("<4f", offset + 24, "range header")
        alpha1, alpha2 = raw.unpack("<2f", offset + 72, "range header")
        (more,) = raw.unpack("<I", offset + 152, "range header")
        what = f"range {len(scans) + 1}"
        check_ranges(len(scans) + 1, raw.name)
        intensity = raw.array("<f4", offset + 156, count, what)
        fixed = {n: float(v) for n, v in zip(("omega", "chi", "phi"), angles, strict=True) if v > -1e5}
        fixed = {n: v for n, v in fixed.items() if np.isfinite(v)}
        coupled = "omega" in fixed and abs(fixed["omega"] - start / 2) < 0.01
        sample = raw.text(offset + 40, 32)
        scans.append(
            Scan(
                axis="two_theta",
                values=_positions(start, step, count, what),
                intensity=intensity.astype(np.float64),
                intensity_unit="counts",
                fixed={n: v for n, v in fixed.items() if n != "omega" or not coupled},
                conditions={
                    "time_per_step": positive(time, "s"),
                    "wavelength": positive(alpha1, "angstrom"),
                    "wavelength_k_alpha_2": positive(alpha2, "angstrom"),
                },
                metadata={
                    "STEPS": count,
                    "TIME_PER_STEP": time,
                    "STEP_SIZE": step,
                    "SCAN_MODE": mode,
                    "START_2THETA": start,
                    "START_THETA": angles[0],
                    "START_KHI": angles[1],
                    "START_PHI": angles[2],
                    "SAMPLE": sample,
                    "LAMBDA_1": alpha1,
                    "LAMBDA_2": alpha2,
                },
                title=sample,
            )
        )
        offset += 156 + 4 * count
        follows = more > 0
    sample = scans[0].title
    return measurement(scans, warnings, sample=sample, title=sample, original_metadata={"FORMAT": "RAW1"})


def _read_2(raw: Bytes) -> Measurement:
    """Version 2: a 256-byte file header, ranges of a header whose length it states and float32 counts."""
    (ranges,) = raw.unpack("<H", 4, "file header")
    (alpha1, alpha2, ratio) = raw.unpack("<3f", 190, "file header")
    (runtime,) = raw.unpack("<f", 210, "file header")
    date, anode = raw.text(168, 20), raw.text(188, 2)
    header = {
        "FORMAT": "RAW2",
        "RANGES": ranges,
        "TEXT": raw.text(6, 162),
        "DATE": date,
        "ANODE": anode,
        "LAMBDA_1": alpha1,
        "LAMBDA_2": alpha2,
        "INTENSITY_RATIO": ratio,
        "RUNTIME": runtime,
    }
    shared = {
        "xray_source_element": text_or_none(anode),
        "wavelength": positive(alpha1, "angstrom"),
        "wavelength_k_alpha_2": positive(alpha2, "angstrom"),
        "k_alpha_ratio": positive(ratio, ""),
        "duration": positive(runtime, "s") if ranges == 1 else None,
    }
    scans: list[Scan] = []
    offset = 256
    for i in range(1, ranges + 1):
        what = f"range {i} of {ranges}"
        length, count, _, time, step, start = raw.unpack("<HHIfff", offset, what)
        (kelvin,) = raw.unpack("<H", offset + 46, what)
        if length < 48:
            raise ReadError(f"{raw.name}: {what} states a header of {length} bytes; at least 48 are needed")
        intensity = raw.array("<f4", offset + length, count, what)
        scans.append(
            Scan(
                axis="two_theta",
                values=_positions(start, step, count, what),
                intensity=intensity.astype(np.float64),
                intensity_unit="counts",
                conditions=shared
                | {"time_per_step": positive(time, "s"), "temperature": positive(float(kelvin), "K")},
                metadata={
                    "STEPS": count,
                    "TIME_PER_STEP": time,
                    "STEP_SIZE": step,
                    "START": start,
                    "TEMP_IN_K": kelvin,
                },
                started=when(date),
            )
        )
        offset += length + 4 * count
    return measurement(scans, [], original_metadata=header)


def _read_3(raw: Bytes) -> Measurement:
    """Version 3: a 712-byte file header, ranges of a header, supplementary records and points."""
    status, ranges = raw.unpack("<II", 8, "file header")
    texts = {
        "MEASURE_DATE": raw.text(16, 10),
        "MEASURE_TIME": raw.text(26, 10),
        "USER": raw.text(36, 72),
        "SITE": raw.text(108, 218),
        "SAMPLE_ID": raw.text(326, 60),
        "COMMENT": raw.text(386, 160),
        "ANODE_MATERIAL": raw.text(608, 4),
        "WAVELENGTH_UNIT": raw.text(656, 4),
    }
    codes = raw.unpack("<15I", 548, "file header")
    (radius, divergence) = raw.unpack("<2f", 564, "file header")
    waves = raw.unpack("<5d", 616, "file header")
    (total,) = raw.unpack("<f", 664, "file header")
    header: dict[str, Any] = {
        "FORMAT": "RAW3 (RAW1.01)",
        "FILE_STATUS": status,
        "RANGES": ranges,
        **texts,
        "GONIOMETER_CODE": codes[0],
        "STAGE_CODE": codes[1],
        "GONIOMETER_RADIUS": radius,
        "FIXED_DIVERGENCE_SLIT": divergence,
        **dict(zip(("ALPHA_AVERAGE", "ALPHA1", "ALPHA2", "BETA", "ALPHA_RATIO"), waves, strict=True)),
        "MEASUREMENT_TIME": total,
    }
    shared = {
        "goniometer_radius": known(radius, "mm"),
        "divergence_slit": known(divergence, "deg"),
        "xray_source_element": text_or_none(texts["ANODE_MATERIAL"]),
        "wavelength_k_alpha": positive(waves[0], "angstrom"),
        "wavelength": positive(waves[1], "angstrom"),
        "wavelength_k_alpha_2": positive(waves[2], "angstrom"),
        "wavelength_k_beta": positive(waves[3], "angstrom"),
        "k_alpha_ratio": positive(waves[4], ""),
        "measurement_status": text_or_none(_STATUS.get(status, "")),
        "comment": text_or_none(texts["COMMENT"]),
        "duration": positive(total, "s") if ranges == 1 else None,
    }
    warnings: list[str] = []
    if status in (3, 4):
        warnings.append(f"The measurement was {_STATUS[status]}; the points that were measured are there.")
    check_ranges(ranges, raw.name)
    scans: list[Scan] = []
    offset = 712
    started = when(texts["MEASURE_DATE"], texts["MEASURE_TIME"])
    for i in range(1, ranges + 1):
        made, offset = _range_3(raw, offset, f"range {i} of {ranges}", shared, warnings)
        if made is not None:
            scans.append(made)
    if scans and started:
        scans[0] = replace(scans[0], started=started)
    return measurement(
        scans,
        warnings,
        sample=texts["SAMPLE_ID"],
        title=texts["SAMPLE_ID"],
        operator=texts["USER"],
        original_metadata=header,
    )


def _range_3(
    raw: Bytes, offset: int, what: str, shared: Mapping[str, Quantity | None], warnings: list[str]
) -> tuple[Scan | None, int]:
    """One range of version 3 and the offset behind it; None for a range without points."""
    length, count = raw.unpack("<II", offset, what)
    if not 260 <= length <= 2**20:
        raise ReadError(
            f"{raw.name}: {what}, at byte {offset}, states a header of {length} bytes; 304 are usual"
        )
    raw.need(offset, length, what)
    (step,) = raw.unpack("<d", offset + 176, what)
    time, code = raw.unpack("<fI", offset + 192, what)
    (rotation,) = raw.unpack("<f", offset + 208, what)
    voltage, current = raw.unpack("<II", offset + 224, what)
    wave, varying, size, supplement = raw.unpack("<dIII", offset + 240, what)
    detector = raw.unpack("<I4f", offset + 96, what)
    starts = {n: raw.unpack("<d", offset + o, what)[0] for n, o in _STARTS.items()}
    recorded = [
        n for bit, n in enumerate(("two_theta", "omega", "chi", "phi", "x", "y", "z")) if varying >> bit & 1
    ]
    if size == 0:  # old writers leave it empty
        size = 4
    if size != 4 + 8 * varying.bit_count() or varying >> 7:
        recorded = []
        warnings.append(f"{what}: {size - 4} bytes recorded with each point are not understood and left out.")
    points = raw.points(offset + length + supplement, count, size, recorded, what)
    end = offset + length + supplement + count * size
    if count == 0:
        warnings.append(f"{what} has no points.")
        return None, end
    axis, scanned = _SCANS.get(code, ("point", ""))
    if axis == "point":
        warnings.append(
            f"{what}: scan type {code} is not known; intensities are given over the point number."
        )
    positions = {n: points[n].astype(np.float64) for n in recorded}
    values = positions.pop(axis, None)
    if values is None:
        values = (
            np.arange(count, dtype=np.float64)
            if axis == "point"
            else _positions(starts[axis], step, count, what)
        )
    fixed = {n: v for n, v in starts.items() if n != axis and n not in positions and np.isfinite(v)}
    if scanned.startswith(("Locked", "Unlocked")):  # ω moves too; what stays is its offset
        offset_angle = starts["omega"] - starts["two_theta"] / 2
        fixed.pop("omega", None)
        if not scanned.startswith("Locked") and abs(offset_angle) > 2e-4:
            fixed["omega_offset"] = round(offset_angle, 6)
    return Scan(
        axis=axis,
        values=values,
        intensity=points["intensity"].astype(np.float64),
        intensity_unit="counts",
        moving=positions,
        fixed=fixed,
        conditions={
            **shared,
            "scan_axis": scan_axis(scanned),
            "step_size": None if axis == "point" else positive(abs(step), default_unit(axis)),
            "time_per_step": positive(time, "s"),
            "xray_tube_voltage": positive(float(voltage), "kV"),
            "xray_tube_current": positive(float(current), "mA"),
            "sample_rotation_speed": positive(rotation, "rpm"),
        },
        metadata={
            "STEPS": count,
            "SCAN_CODE": code,
            **{f"START_{n.upper()}": v for n, v in starts.items()},
            "STEP_SIZE": step,
            "TIME_PER_STEP": time,
            "ROTATION_SPEED": rotation,
            "GENERATOR_VOLTAGE": voltage,
            "GENERATOR_CURRENT": current,
            "USED_LAMBDA": wave,
            "DETECTOR_CODE": detector[0],
            "DETECTOR_HIGH_VOLTAGE": detector[1],
            "DETECTOR_GAIN": detector[2],
            "DETECTOR_LOWER_LEVEL": detector[3],
            "DETECTOR_UPPER_LEVEL": detector[4],
            "VARYING_PARAMETERS": varying,
            "SUPPLEMENTARY_BYTES": supplement,
        },
        title=scanned,
    ), end


def _positions(start: float, step: float, count: int, what: str) -> Floats:
    if not (np.isfinite(start) and np.isfinite(step)) or (step == 0 and count > 1) or abs(step) > 1e4:
        raise ReadError(
            f"{what} starts at {start} with steps of {step}: that is no scan; the file is damaged"
        )
    return start + step * np.arange(count, dtype=np.float64)


READER = Reader(
    name="bruker_raw",
    version="2",
    techniques=("xrd",),
    vendor="Bruker / Siemens",
    format="DIFFRAC RAW 1–4",
    endings=(".raw",),
    sniff=_sniff,
    read=_read,
    notes="All ranges; ranges that step a further axis become one map.",
)
