"""STOE WinXPOW ``.raw``: ``RAW_1.06Powdat``, binary, little endian, in blocks of 512 bytes, one range.

Facts: the day at byte 16, texts from 32, wavelengths (float32) at 0x142, at 0x1DA and 0x1DC how many blocks the
intensities have and the file. The block before the intensities (uint32) has when the range began and ended, at 0x22 how
many points there are, at 0x2C start, end and step of 2θ and θ (float32, in turns), at 0x78 the least and greatest
intensity: by them a range is known to be read rightly.
"""

from __future__ import annotations

import numpy as np

from zairyo.measurement import Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._bruker_bytes import Bytes, positive
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._diffraction_text import counted, moment

_MOST_BYTES = 64 * 1024**2
_MAGIC = b"RAW_1.0"
_BLOCK = 512


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head.startswith(_MAGIC) and b"Powdat" in src.head[:16] else NO


def read(src: RawInput) -> Measurement:
    raw = Bytes(src.read_bytes(_MOST_BYTES), src.name)
    if not raw.data.startswith(_MAGIC):
        raise ReadError(f"{src.name} is not a STOE RAW file: it begins with {raw.data[:8]!r}")
    raw.need(0, 3 * _BLOCK, "header")
    ours, all_blocks = raw.unpack("<2H", 0x1DA, "header")
    places = [(all_blocks - ours) * _BLOCK] if 0 < ours < all_blocks else []
    places += range(_BLOCK, len(raw.data), _BLOCK)  # where the header counts otherwise
    scan = next((s for at in places if (s := _range(raw, at)) is not None), None)
    if scan is None:
        raise ReadError(
            f"{src.name} holds no range whose points agree with its header; it is cut off, or of a version that is not "
            "known here."
        )
    texts = [t for t in raw.data[0x20:0x130].split(b"\0") if t.strip()]
    lines = [
        line.strip() for t in texts for line in t.decode("cp1252", "replace").splitlines() if line.strip()
    ]
    return measurement(
        [scan],
        [],
        title=lines[1] if len(lines) > 1 else lines[0] if lines else "",
        sample=lines[0] if lines else "",
        operator=raw.text(0x600, 32),
        instrument="STOE",
        original_metadata={"FORMAT": raw.text(0, 14), "DATE": raw.text(16, 16), "TEXTS": lines},
    )


def _range(raw: Bytes, at: int) -> Scan | None:
    """The range whose intensities begin at a byte; None if its own header says otherwise."""
    head = at - _BLOCK
    if head < 0 or at > len(raw.data):
        return None
    (points,) = raw.unpack("<H", head + 0x22, "range")
    start, start_theta, end, end_theta, step, _ = (float(v) for v in raw.unpack("<6f", head + 0x2C, "range"))
    least, most = raw.unpack("<2I", head + 0x78, "range")
    if not points or at + 4 * points > len(raw.data) or not np.isfinite([start, end, step]).all():
        return None
    if not (step > 0 and -360 <= start < end <= 360) or abs(round((end - start) / step) + 1 - points) > 1:
        return None
    intensity = raw.array("<u4", at, points, "intensities")
    if most and (int(intensity.min()), int(intensity.max())) != (least, most):
        return None
    alpha1, alpha2 = raw.unpack("<2f", 0x142, "header")
    begun, ended = raw.text(head, 16), raw.text(head + 16, 16)
    moved = end_theta != start_theta
    return Scan(
        "two_theta",
        np.linspace(_short(start), _short(end), points),
        counted(intensity.astype(np.float64)),
        "counts",
        fixed={} if moved or not np.isfinite(start_theta) else {"omega": _short(start_theta)},
        conditions={
            "wavelength": positive(alpha1, "angstrom"),
            "wavelength_k_alpha_2": positive(alpha2, "angstrom") if alpha2 != alpha1 else None,
            "scan_axis": Quantity("two_theta/theta" if moved else "two_theta"),
        },
        metadata={"START": start, "END": end, "STEP": step, "BEGUN": begun, "ENDED": ended},
        started=moment(begun) or moment(raw.text(16, 16)),
    )


def _short(value: float) -> float:
    """The few digits that were stored as float32: 10.015, not 10.0150003."""
    return float(str(np.float32(value)))


READER = Reader(
    name="stoe_raw",
    version="1",
    techniques=("xrd",),
    vendor="STOE",
    format="WinXPOW RAW",
    endings=(".raw",),
    sniff=sniff,
    read=read,
    notes="Single ranges. A file whose points do not agree with its own header is refused.",
)
