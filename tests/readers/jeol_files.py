"""JEOL Analysis Station files made from nothing: tag trees and the stream of a map's X-rays."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

COLUMN, ROW, ELECTRONS, XRAY = 0x8000, 0x9000, 0xA000, 0xB000


def tag(name: str, value: Any = None, inside: dict[str, Any] | None = None) -> bytes:
    """A tag; a tuple is a value with tags inside."""
    if isinstance(value, tuple):
        value, inside = value
    if isinstance(value, dict):
        value, inside = None, value
    kind, raw = 0, b""
    if isinstance(value, str):
        kind, raw = 12, value.encode("cp932") + b"\0"
    elif isinstance(value, bytes):
        kind, raw = 6, value
    elif isinstance(value, int):
        kind, raw = 3, struct.pack("<i", value)
    elif isinstance(value, float):
        kind, raw = 5, struct.pack("<d", value)
    elif isinstance(value, list):
        kind, raw = 8, struct.pack(f"<{len(value)}i", *value)
    key = name.encode("cp932") + b"\0"
    return (
        b"\1"
        + struct.pack("<I", len(key))
        + key
        + struct.pack("<II", kind, len(raw))
        + raw
        + tags(inside or {})
        + b"\xff"
    )


def tags(tree: dict[str, Any]) -> bytes:
    return b"".join(tag(name, value) for name, value in tree.items())


def image(columns: int, rows: int, pixels: bytes, **more: Any) -> bytes:
    """An ``.img``; with ``Map=…`` a ``.map``."""
    tree = {
        "Instrument": {"ScanSize": 178.0, "Name": "JSM", "AccV": 15.0, "Mag": 1000},
        "Image": {"Title": "IMG1", "Size": [columns, rows], "Bits": pixels, "Created": 42832.5},
        **more,
    }
    return struct.pack("<I32sIII", 52, b"JED-2200:LibJxImageForm", 48, 0, 48).ljust(60, b"\0") + tags(tree)


def frame(counts: np.ndarray[Any, Any], electrons: np.ndarray[Any, Any] | None = None) -> list[int]:
    """The words of one sweep: ``counts`` has shape (rows, columns, channels), ``electrons`` (rows, columns)."""
    rows, columns, _ = counts.shape
    words: list[int] = []
    for y in range(rows):
        words.append(ROW + y * (4096 // rows))
        for x in range(columns):
            found = np.repeat(np.arange(counts.shape[2]), counts[y, x]).tolist()
            if found or electrons is not None:
                words.append(COLUMN + x * (4096 // columns))
            if electrons is not None:
                words.append(ELECTRONS + int(electrons[y, x]))
            words += [XRAY + c for c in found]
    return words


def pts(columns: int, rows: int, words: Sequence[int], sweeps: int = 1, zero: float = 96.0) -> bytes:
    """A ``.pts`` with the tags that hold its sizes and calibrations."""
    tree = {
        "PTTD Param": {
            "Params": {
                "PARAMPAGE0": (
                    "SEM",
                    {
                        "ScanSize": 120.0,
                        "DetT": "EX",
                        "ElevAng": 22.5,
                        "DirAng": 90.0,
                        "MnKaRES": 130.0,
                        "SEM": "JSM-7",
                    },
                ),
                "PARAMPAGE1": ("EDXRF", {"Tpl": {"T3": {"DigZ": zero}, "T4": {"DigZ": 1.0}}}),
            }
        },
        "PTTD Data": {
            "AnalyzableMap MeasData": {
                "Meas Cond": {"Pixels": f"{columns}x{rows}", "Tpl": "T3"},
                "MeasCond": {"Mag": 1000, "AccKV": 15.0},
                "Doc": {
                    "CoefA": 0.01,
                    "CoefB": -0.002,
                    "DwellTime(msec)": 0.2,
                    "Sweep": sweeps,
                    "RealTime": 12.5,
                    "LiveTime": 10.0,
                },
            }
        },
    }
    head = tags(tree)
    start = 304 + 12 + len(head) + 4
    out = struct.pack("<I8s6I", 304, b"PTTDFILE", 0, 0, 304, len(head), start, 2 * len(words))
    out = out.ljust(296, b"\0") + struct.pack("<d", 43000.25)
    return (out + bytes(12) + head).ljust(start, b"\0") + struct.pack(f"<{len(words)}H", *words)
