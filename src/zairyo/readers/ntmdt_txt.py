"""NT-MDT Nova's text export of a force curve: three columns without a word of header.

Height, deflection on the way to the sample, deflection on the way back. The lines stand by height, from the one
nearest to the sample; the approach is therefore read from the last line to the first. Only the usual file name
(``… Curve_DFL_Height …``) tells what the columns are, so that a renamed file is not taken.
"""

from __future__ import annotations

import re

import numpy as np

from zairyo.measurement import Measurement, Signal, table
from zairyo.readers import _spm
from zairyo.readers._api import LIKELY, NO, RawInput, Reader, ReadError

_NAME = re.compile(r"curve.*dfl.*height", re.IGNORECASE)
_NUMBER = rb"-?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?"
_LINE = re.compile(_NUMBER + rb"\t" + _NUMBER + rb"\t" + _NUMBER + rb"\t?")
_DIGITS = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
_MOST_BYTES = 64 * 1024**2


def sniff(src: RawInput) -> float:
    if not _NAME.search(src.name):
        return NO
    lines = src.head.splitlines()[:20]
    fits = len(lines) > 2 and all(_LINE.fullmatch(line) for line in lines[:-1])
    return LIKELY if fits else NO


def read(src: RawInput) -> Measurement:
    data = src.read_bytes(_MOST_BYTES)
    lines = data.splitlines()
    forms = data.translate(_DIGITS).splitlines()  # few: lines are alike but for their digits
    odd = {form for form in set(forms) if not _LINE.fullmatch(form)}
    if odd or len(lines) < 2:
        bad = next((i for i, form in enumerate(forms) if form in odd), -1)
        raise ReadError(f"line {bad + 1} is not three numbers between tabs; the file is cut off or damaged")
    if data[-1:] not in b"\r\n":
        raise ReadError(f"line {len(lines)} does not end; the file is cut off. Copy it again.")
    values = _spm.floats(data.replace(b",", b".").split()).reshape(len(lines), 3)
    if not np.isfinite(values).all():
        raise ReadError("a number of the table is out of range; the file is damaged")
    height, approach, retract = values.T
    order = slice(None, None, -1) if height[0] < height[-1] else slice(None)
    columns = (
        Signal("segment", np.repeat(["approach", "retract"], len(lines)), None),
        Signal("height", np.concatenate([height[order], height[order][::-1]]), "nm"),
        Signal("deflection", np.concatenate([approach[order], retract[order][::-1]]), "nA", long_name="DFL"),
    )
    entry = _spm.made(
        "the curve", table, "force_curve", "afm_force", columns, x="height", default="deflection",
        title="Force curve: approach, retract",
    )  # fmt: skip
    warnings = [
        "The file names no units; heights are taken as nm and the deflection as nA, as Nova exports them."
    ]
    return _spm.measurement([entry], warnings, title=src.name, instrument="NT-MDT")


READER = Reader(
    name="ntmdt_txt",
    version="1",
    techniques=("afm_force",),
    vendor="NT-MDT",
    format="force curve (text)",
    endings=(".txt",),
    sniff=sniff,
    read=read,
    notes="Force curves that Nova exported under their usual name (Curve_DFL_Height).",
    surest=LIKELY,
)
