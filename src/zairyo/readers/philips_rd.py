"""Philips ``.rd`` and ``.sd`` (PC-APD): ``D3RD``, ``V3RD`` and ``V5RD``, binary, little endian, one scan.

Facts: codes of diffractometer, anode and focus at byte 84, the wavelengths of Kα1 and Kα2 and their ratio at 94
(float64), whether the scan was continuous at 126, names at 138 and 146, step, start and end of 2θ as float64 at 214
(``D3RD``: as int16 at 128, in 200ths of a degree); then uint16 counts (from byte 250, of version 5 from 810), each ten
times the root of the counts, so that 16 bits reach 42 million. A continuous scan counts between its steps: its points
are in their middles and one fewer. Programs disagree about the codes of anodes from 2 on; the wavelength tells.
"""

from __future__ import annotations

import numpy as np

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._bruker_bytes import Bytes
from zairyo.readers._diffraction import text_or_none
from zairyo.readers._diffraction_scans import Scan, measurement

_MOST_BYTES = 64 * 1024**2
_BEGIN = {b"D3RD": 250, b"V3RD": 250, b"V5RD": 810, b"D3SD": 250, b"V3SD": 250, b"V5SD": 810}
_DIFFRACTOMETERS = ("PW1800", "PW1710 based system", "PW1840", "PW3710 based system", "", "X'Pert MPD")
#: Wavelengths of Kα1 in Å, and how far one may be off.
_ANODES = {"Cu": 1.5406, "Mo": 0.7093, "Co": 1.789, "Fe": 1.936, "Cr": 2.2897, "Ag": 0.5594}
_NEAR = 0.002
_FOCI = ("broad focus", "normal focus", "fine focus", "long fine focus")


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head[:4] in _BEGIN and len(src.head) > _BEGIN[src.head[:4]] else NO


def read(src: RawInput) -> Measurement:
    raw = Bytes(src.read_bytes(_MOST_BYTES), src.name)
    begin = _BEGIN.get(raw.data[:4])
    if begin is None:
        raise ReadError(f"{src.name} is not a Philips RD file: it begins with {raw.data[:8]!r}")
    codes = raw.unpack("<3B", 84, "header")
    waves = [w if np.isfinite(w) and 0 < w < 10 else None for w in raw.unpack("<3d", 94, "header")]
    continuous = raw.unpack("<B", 126, "header")[0] > 0
    step, start, end = raw.unpack("<3d", 214, "header")
    if raw.data.startswith(b"D3"):
        step, start, end = (angle / 200 for angle in raw.unpack("<3h", 128, "header"))
    if not (np.isfinite([step, start, end]).all() and step > 0 and -360 <= start < end <= 360):
        raise ReadError(
            f"{src.name} states a scan from {start} to {end} in steps of {step}: that is none; the file is damaged"
        )
    points = (end - start) / step + (not continuous)
    if points > 10**7:
        raise ReadError(f"{src.name} states steps of {step}: that is no scan; the file is damaged")
    roots = raw.array("<u2", begin, round(points), "counts").astype(np.float64)
    name, sample = raw.text(138, 8), raw.text(146, 20)
    device = _DIFFRACTOMETERS[codes[0]] if codes[0] < len(_DIFFRACTOMETERS) else ""
    focus = _FOCI[codes[2]] if codes[2] < len(_FOCI) else ""
    warnings: list[str] = []
    scan = Scan(
        "two_theta",
        start + step * (np.arange(len(roots)) + 0.5 * continuous),
        roots**2 / 100,
        "counts",
        conditions={
            "scan_axis": Quantity("two_theta/theta"),
            "scan_mode": Quantity("continuous" if continuous else "step"),
            "xray_source_element": _anode(codes[1], waves[0], warnings),
            "xray_focus": text_or_none(focus),
            "wavelength": None if waves[0] is None else Quantity(waves[0], "angstrom"),
            "wavelength_k_alpha_2": None if waves[1] is None else Quantity(waves[1], "angstrom"),
            "k_alpha_ratio": None if waves[2] is None else Quantity(waves[2], ""),
        },
        metadata={"START": start, "END": end, "STEP": step, "CODES": list(codes)},
        title=sample or name,
    )
    return measurement(
        [scan],
        warnings,
        title=sample or name,
        sample=sample,
        instrument=f"Philips {device}".strip(),
        original_metadata={"FORMAT": raw.data[:4].decode(), "FILE": name},
    )


def _anode(code: int, wavelength: float | None, warnings: list[str]) -> Quantity | None:
    """The anode by its wavelength; by its code only where all programs agree."""
    if wavelength is not None:
        near = [element for element, own in _ANODES.items() if abs(own - wavelength) < _NEAR]
        return Quantity(near[0]) if near else None
    if code < 2:
        return Quantity(("Cu", "Mo")[code])
    warnings.append(
        f"The file names no wavelength, and its code {code} of the anode is not sure; it is left open."
    )
    return None


READER = Reader(
    name="philips_rd",
    version="2",
    techniques=("xrd",),
    vendor="Philips",
    format="RD, SD",
    endings=(".rd", ".sd"),
    sniff=sniff,
    read=read,
    notes="Counts need not be whole, as their root is kept. Points of continuous scans are in the middles of steps.",
)
