"""Zairyo's reading alone: reader and files that belong together are found once, as a peer is told its format."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import RawInput, Reader


def read(path: str) -> Measurement:
    reader, found = _known(path)
    return reader.read(RawInput(found.path, found.parts))


@cache
def _known(path: str) -> tuple[Reader, RawInput]:
    raw = next(registry.inputs([Path(path)]))
    return registry.find(raw), raw
