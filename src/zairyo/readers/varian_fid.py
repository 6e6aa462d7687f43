"""Varian and Agilent VnmrJ: a ``.fid`` folder with ``fid`` (big-endian blocks of traces) and ``procpar`` (parameters).

Facts: Varian's published description of its data files: a head of 32 bytes, then blocks, each a head of 28 bytes and
traces of np numbers, real and imaginary in turn; bits of the status say how the numbers are written.
"""

from __future__ import annotations

import re
import struct
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from zairyo.measurement import Measurement, clean_text, tidy_metadata
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._folder import Folder, roots
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._nmr import Conditions, Dimension, check_size, nmr_entry, nucleus_of
from zairyo.readers._separation import moment

_HEAD = struct.Struct(">6i2hi")
_HEAD_NAMES = ("blocks", "traces", "points", "bytes_per_point", "bytes_per_trace", "bytes_per_block", "version",
               "status", "block_heads")  # fmt: skip
_BLOCK_HEAD = 28
_DATA, _INT32, _FLOAT = 0x1, 0x4, 0x8
_LARGEST_TEXT = 16 << 20

Parameters = dict[str, Any]


def _folder(src: RawInput) -> Folder | None:
    if src.is_folder:
        return Folder(src)
    found = [root for root in roots(src, "procpar") if Folder(src, root).has("fid")]
    return Folder(src, found[0]) if len(found) == 1 and src.members else None


def sniff(src: RawInput) -> float:
    if not src.is_folder and not src.members:
        return NO
    folder = _folder(src)
    if folder is None or not (folder.has("fid") and folder.has("procpar")):
        return NO
    return LIKELY if folder.has("acqus") else CERTAIN


def read(src: RawInput) -> Measurement:
    folder = _folder(src)
    if folder is None:
        raise ReadError(f"{src.path.name} is not one VnmrJ folder with fid and procpar")
    parameters = parse_procpar(decode_legacy(folder.read("procpar", _LARGEST_TEXT)))
    warnings: list[str] = []
    head, decays = _decays(folder.read("fid"), parameters, warnings)
    text = clean_text(decode_legacy(folder.read("text", _LARGEST_TEXT))).strip() if folder.has("text") else ""
    width = _number(parameters, "sw")
    if width is None or width <= 0:
        raise ReadError("procpar gives no spectral width (sw); it is damaged. Copy the folder again.")
    dimensions = [Dimension(decays.shape[-1], "time", 0.0, 1 / width)]
    if decays.ndim > 1:
        dimensions.insert(0, Dimension(len(decays), "increment"))
    name = PurePosixPath(folder.root or src.path.name).name
    shared: dict[str, Any] = {"conditions": _conditions(parameters, decays), "started": _started(parameters)}
    entry = nmr_entry("fid", dimensions, decays, title=text.splitlines()[0] if text else name, **shared)
    return Measurement(
        entries=(entry,),
        title=entry.title,
        sample=_text(parameters, "samplename"),
        operator=_text(parameters, "operator_") or _text(parameters, "operator"),
        instrument=f"Varian {_text(parameters, 'systemname_')}".strip()
        if _text(parameters, "systemname_")
        else "",
        original_metadata=tidy_metadata({"procpar": parameters, "fid": head, "text": text}),
        warnings=tuple(warnings),
    )


def _text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name, "")
    value = value[0] if isinstance(value, list) and value else value
    return clean_text(value).strip() if isinstance(value, str) else ""


def _number(parameters: Parameters, name: str) -> float | None:
    value = parameters.get(name)
    value = value[0] if isinstance(value, list) and value else value
    return float(value) if isinstance(value, (int, float)) else None


_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def parse_procpar(text: str) -> Parameters:
    """Three or more lines a parameter: its name and eleven attributes; how many values and the values; enumerations."""
    found: Parameters = {}
    lines = text.splitlines()
    at = 0
    while at + 1 < len(lines):
        attributes = lines[at].split()
        if len(attributes) < 11 or not attributes[2].lstrip("-").isdecimal():
            at += 1
            continue
        count_text, _, rest = lines[at + 1].strip().partition(" ")
        if not count_text.isdecimal() or len(count_text) > 7:
            raise ReadError(
                f"line {at + 2} of procpar does not say how many values {attributes[0]!r} has; it is damaged"
            )
        count = int(count_text)
        at += 2
        if attributes[2] in ("2", "4") or rest.startswith(
            '"'
        ):  # texts, each on a line of its own, or many lines
            body = rest
            while len(_QUOTED.findall(body)) < count and at < len(lines):
                body += "\n" + lines[at]
                at += 1
            values: list[Any] = list(_QUOTED.findall(body)[:count])
        else:
            words = rest.split()
            while len(words) < count and at < len(lines):
                words += lines[at].split()
                at += 1
            values = [_plain(word) for word in words[:count]]
        at += 1  # the enumeration of what a value may be
        found[clean_text(attributes[0])] = values[0] if len(values) == 1 else values
    if not found:
        raise ReadError("procpar holds no parameter; it is another file or damaged")
    return found


def _plain(word: str) -> Any:
    try:
        return float(word) if not re.fullmatch(r"-?\d{1,15}", word) else int(word)
    except ValueError:
        return clean_text(word)


def _decays(data: bytes, parameters: Parameters, warnings: list[str]) -> tuple[dict[str, int], Array]:
    """Complex decays: shape (points,), or (decays, points)."""
    if len(data) < _HEAD.size:
        raise ReadError(
            f"fid has {len(data)} bytes, less than its head; it is cut off. Copy the folder again."
        )
    head = dict(zip(_HEAD_NAMES, _HEAD.unpack_from(data), strict=True))
    status = head["status"]
    kind = np.dtype(">f4" if status & _FLOAT else ">i4" if status & _INT32 else ">i2")
    points, traces, blocks = head["points"], head["traces"], head["blocks"]
    if points < 2 or traces < 1 or blocks < 1 or not status & _DATA:
        raise ReadError(
            f"fid's head tells of {blocks} blocks of {traces} traces of {points} numbers; it is damaged or empty"
        )
    length = traces * points * kind.itemsize
    heads = max(head["block_heads"], 1) * _BLOCK_HEAD if head["block_heads"] < 1000 else _BLOCK_HEAD
    stride = head["bytes_per_block"]
    if stride < length + _BLOCK_HEAD:
        raise ReadError(f"fid's head gives blocks of {stride} bytes to {length} bytes of data; it is damaged")
    if heads + length > stride:
        heads = _BLOCK_HEAD
    complete = (len(data) - _HEAD.size) // stride
    if complete < blocks and (complete < 1 or (len(data) - _HEAD.size) % stride):
        raise ReadError(
            f"fid should have {blocks} blocks of {stride} bytes, but ends after {len(data)} bytes; it is "
            "cut off. Copy it again."
        )
    if complete < blocks:
        warnings.append(
            f"The experiment was stopped: {complete} of {blocks} decays were acquired; they are kept."
        )
        blocks = complete
    check_size([blocks, traces * points], (len(data) - _HEAD.size) // kind.itemsize, "fid")
    rows = np.ndarray(
        (blocks, traces * points), kind, data, _HEAD.size + heads, (stride, kind.itemsize)
    ).reshape(blocks * traces, points)
    numbers = rows[:, : points // 2 * 2].astype(float)
    decays = numbers[:, ::2] + 1j * numbers[:, 1::2]
    return head, decays[0] if len(decays) == 1 else decays


def _conditions(parameters: Parameters, decays: Array) -> Conditions:
    found = Conditions()
    found.text("nucleus", nucleus_of(_text(parameters, "tn")))
    found.number("observe_frequency", _number(parameters, "sfrq"), "MHz")
    found.text("solvent", _text(parameters, "solvent"))
    found.text("pulse_sequence", _text(parameters, "seqfil") or _text(parameters, "pslabel"))
    found.number("temperature", _number(parameters, "temp"), "degC", positive=False)
    scans = _number(parameters, "ct") or _number(parameters, "nt")
    found.number("repetitions", int(scans) if scans else None, "")
    dummies = _number(parameters, "ss")
    found.number("dummy_scans", int(dummies) if dummies and dummies > 0 else None, "")
    found.number("spectral_width", _number(parameters, "sw"), "Hz")
    found.number("acquisition_time", _number(parameters, "at"), "s")
    found.number("relaxation_delay", _number(parameters, "d1"), "s")
    found.number("pulse_width", _number(parameters, "pw"), "us")
    found.number("receiver_gain", _number(parameters, "gain"), "")
    found.number("spinning_rate", _number(parameters, "spin") or _number(parameters, "srate"), "Hz")
    found.text("probe", _text(parameters, "probe_"))
    found.text("software_version", _text(parameters, "parver"))
    if decays.ndim > 1:
        found.number("indirect_spectral_width", _number(parameters, "sw1"), "Hz")
        found.text(
            "indirect_nucleus", nucleus_of(_text(parameters, "dn")) if _number(parameters, "sw1") else None
        )
    return found


def _started(parameters: Parameters) -> datetime | None:
    for name in ("time_run", "time_submitted"):  # 20130115T101820
        if match := re.match(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)", _text(parameters, name)):
            try:
                return datetime(*(int(part) for part in match.groups()))  # type: ignore[arg-type]
            except ValueError:
                continue
    return moment(_text(parameters, "date"))


READER = Reader(
    name="varian_fid",
    version="1",
    techniques=("nmr",),
    vendor="Varian",
    format="VnmrJ fid",
    endings=(".fid", ".zip"),
    sniff=sniff,
    read=read,
    folders=(".fid",),
    notes="The decays of a .fid folder (or a zip of one) in one or more dimensions, int16, int32 and float32, with all "
    "parameters of procpar. Not read: processed data (datdir/phasefile), FDF images.",
)
