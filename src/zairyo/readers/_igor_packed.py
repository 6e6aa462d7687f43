"""Igor Pro's packed experiment (``.pxp``): a chain of records, waves among them, in data folders.

Facts: WaveMetrics, Igor Technical Note PTN003. A record is its type, a version and the bytes of its content; a
type whose highest bit is set is left from before and counts no more.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from zairyo.readers._api import ReadError
from zairyo.readers._igor import Wave, decode_text, is_wave, read_wave

RECORD_BYTES = 8
_HIGHEST_TYPE = 40
_SUPERSEDED = 0x8000
VARIABLES, HISTORY, WAVE, RECREATION, PROCEDURE = 1, 2, 3, 4, 5
FOLDER_START, FOLDER_END = 9, 10
_TEXTS = {HISTORY: "history", RECREATION: "recreation", PROCEDURE: "procedure"}
#: The name that an experiment's first record mostly begins with.
MISC_START = b"Misc_Start"
_DEEPEST, _MOST_WAVES = 24, 50_000


@dataclass
class Experiment:
    """The waves with the data folders they are in, and the texts of the experiment."""

    waves: list[tuple[tuple[str, ...], Wave]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    variables: dict[str, float | str] = field(default_factory=dict)


def byte_order(head: bytes) -> str | None:
    """The byte order if bytes begin with records that follow each other; else None."""
    for order in "<>":
        at = records = 0
        while at + RECORD_BYTES <= len(head):
            kind, _, size = struct.unpack_from(order + "HhI", head, at)
            if not 0 < kind & ~_SUPERSEDED <= _HIGHEST_TYPE:
                break
            if kind == WAVE and is_wave(head[at + RECORD_BYTES :]):
                return order
            at, records = at + RECORD_BYTES + size, records + 1
        else:
            if records >= 3 or head[12 : 12 + len(MISC_START)] == MISC_START:
                return order
    return None


def read_experiment(data: bytes, warnings: list[str]) -> Experiment:
    """Every wave of the experiment.

    Raises
    ------
    ReadError
        The records do not follow each other to the end: the file is cut off or damaged.
    """
    order = byte_order(data[:4096])
    if order is None:
        raise ReadError("this is no Igor packed experiment: its records do not follow each other")
    experiment, folder, at = Experiment(), [], 0
    while at < len(data):
        if at + RECORD_BYTES > len(data):
            raise ReadError(f"the experiment is cut off at byte {len(data)}, within the head of a record")
        kind, _, size = struct.unpack_from(order + "HhI", data, at)
        start, at = at + RECORD_BYTES, at + RECORD_BYTES + size
        if at > len(data):
            raise ReadError(
                f"the record at byte {start - RECORD_BYTES} should have {size} bytes, but the file ends after "
                f"{len(data) - start}; it is cut off. Copy it again."
            )
        content = data[start:at]
        if kind == FOLDER_START:
            folder.append(
                decode_text(content[:32].split(b"\0")[0] if size <= 32 else content.split(b"\0")[0], order)
            )
            if len(folder) > _DEEPEST:
                raise ReadError(
                    f"the data folders at byte {start} are nested beyond reason; the file is damaged"
                )
        elif kind == FOLDER_END:
            folder = folder[:-1]
        elif kind == WAVE and len(experiment.waves) < _MOST_WAVES:
            _add_wave(experiment, tuple(folder), content, start, warnings)
        elif kind in _TEXTS:
            experiment.texts[_TEXTS[kind]] = decode_text(content, order)
        elif kind == VARIABLES:
            experiment.variables |= _variables(content, order, warnings)
    return experiment


def _add_wave(
    experiment: Experiment, folder: tuple[str, ...], content: bytes, at: int, warnings: list[str]
) -> None:
    """A wave that cannot be read costs itself only: the chain of records goes on behind it."""
    try:
        wave = read_wave(content)
    except ReadError as e:
        warnings.append(f"A wave at byte {at} of the experiment was left out: {e}.")
        return
    if wave.data.size:
        experiment.waves.append((folder, wave))


def _variables(content: bytes, order: str, warnings: list[str]) -> dict[str, float | str]:
    """The user's numbers and texts of a data folder."""
    try:
        version, system, numbers, texts = struct.unpack_from(order + "4h", content)
        at = (12 if version > 1 else 8) + 4 * max(system, 0)
        found: dict[str, float | str] = {}
        for _ in range(numbers):
            name = decode_text(content[at : at + 32].split(b"\0")[0], order)
            (found[name],) = struct.unpack_from(order + "d", content, at + 36)
            at += 56
        for _ in range(texts):
            name = decode_text(content[at : at + 32].split(b"\0")[0], order)
            (size,) = struct.unpack_from(order + ("i" if version > 1 else "h"), content, at + 32)
            at += 36 if version > 1 else 34
            if size < 0 or at + size > len(content):
                raise struct.error(f"a text of {size} bytes")
            found[name] = decode_text(content[at : at + size], order)
            at += size
    except struct.error as e:
        warnings.append(f"The experiment's variables could not be read: {e}.")
        return {}
    return found
