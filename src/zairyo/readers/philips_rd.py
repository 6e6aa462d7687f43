"""Philips ``.rd`` and ``.sd`` (PC-APD): ``V3RD`` and ``V5RD``, binary, little endian, one scan.

Facts: codes of diffractometer, anode and focus at byte 84, names at 138 and 146, step, start and end of 2θ as float64
at 214; then uint16 counts (from byte 250, of version 5 from 810), each ten times the root of the counts, so that
16 bits reach 42 million.
"""

from __future__ import annotations

import numpy as np

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._bruker_bytes import Bytes
from zairyo.readers._diffraction import text_or_none
from zairyo.readers._diffraction_scans import Scan, measurement

_MOST_BYTES = 64 * 1024**2
_BEGIN = {b"V3RD": 250, b"V5RD": 810}
_DIFFRACTOMETERS = ("PW1800", "PW1710 based system", "PW1840", "PW3710 based system", "", "X'Pert MPD")
_ANODES = ("Cu", "Mo", "Fe", "Cr", "")
_FOCI = ("broad focus", "normal focus", "fine focus", "long fine focus")


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head[:4] in _BEGIN and len(src.head) > _BEGIN[src.head[:4]] else NO


def read(src: RawInput) -> Measurement:
    raw = Bytes(src.read_bytes(_MOST_BYTES), src.name)
    begin = _BEGIN.get(raw.data[:4])
    if begin is None:
        raise ReadError(f"{src.name} is not a Philips RD file: it begins with {raw.data[:8]!r}")
    codes = raw.unpack("<3B", 84, "header")
    step, start, end = raw.unpack("<3d", 214, "header")
    if not (np.isfinite([step, start, end]).all() and step > 0 and -360 <= start < end <= 360):
        raise ReadError(
            f"{src.name} states a scan from {start} to {end} in steps of {step}: that is none; the file is damaged"
        )
    points = (end - start) / step + 1
    if points > 10**7:
        raise ReadError(f"{src.name} states steps of {step}: that is no scan; the file is damaged")
    roots = raw.array("<u2", begin, round(points), "counts").astype(np.float64)
    name, sample = raw.text(138, 8), raw.text(146, 20)
    device, anode, focus = (
        names[code] if code < len(names) else ""
        for names, code in zip((_DIFFRACTOMETERS, _ANODES, _FOCI), codes, strict=True)
    )
    scan = Scan(
        "two_theta",
        start + step * np.arange(len(roots)),
        roots**2 / 100,
        "counts",
        conditions={
            "scan_axis": Quantity("two_theta/theta"),
            "xray_source_element": text_or_none(anode),
            "xray_focus": text_or_none(focus),
        },
        metadata={"START": start, "END": end, "STEP": step, "CODES": list(codes)},
        title=sample or name,
    )
    return measurement(
        [scan],
        [],
        title=sample or name,
        sample=sample,
        instrument=f"Philips {device}".strip(),
        original_metadata={"FORMAT": raw.data[:4].decode(), "FILE": name},
    )


READER = Reader(
    name="philips_rd",
    version="1",
    techniques=("xrd",),
    vendor="Philips",
    format="RD, SD",
    endings=(".rd", ".sd"),
    sniff=sniff,
    read=read,
    notes="The file keeps the root of the counts, so that these need not be whole.",
)
