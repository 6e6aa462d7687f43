"""Neaspec's channels: O2A is the optical amplitude at the second harmonic of the tapping."""

from __future__ import annotations

import re

_CHANNEL = re.compile(r"(?:[RFB]-)?([OMAB])(\d)([AP])(?: raw)?")
_WHAT = {"O": "optical", "M": "mechanical", "A": "auxiliary_a", "B": "auxiliary_b"}
_PART = {"A": "amplitude", "P": "phase"}


def near_field_name(label: str) -> str:
    """``O2P`` → ``optical_phase_2``; empty for what is no such channel. A leading ``R-`` is the way back."""
    match = _CHANNEL.fullmatch(label.strip())
    if not match:
        return ""
    name = f"{_WHAT[match[1]]}_{_PART[match[3]]}_{match[2]}"
    return name + ("_retrace" if label.strip()[:2] in ("R-", "B-") else "")
