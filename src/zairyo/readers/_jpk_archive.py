"""A JPK force archive: its curves, their segments, and the numbers of each."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from zairyo.readers._api import ReadError
from zairyo.readers._jpk_channels import Channel, computed, describe
from zairyo.readers._jpk_properties import Properties, Shared, parse_properties

Floats = NDArray[np.float64]

_SEGMENT = re.compile(r"(?:index/(\d{1,9})/)?segments/(\d{1,6})/segment-header\.properties")
_MOST_HEADER = 16 * 1024**2
_HEADERS_KEPT = 200
_MOST_CHANNEL = 64 * 1024**2
#: JPK's style of a segment → what the field says.
_STYLES = {"extend": "approach", "retract": "retract", "pause": "pause", "modulation": "modulation"}


@dataclass
class Segment:
    """One piece of a curve: where it stands in the archive, its header, how its channels are read."""

    folder: str
    properties: Properties
    points: int
    channels: dict[str, Channel] = field(default_factory=dict)


class Archive:
    """The zip archive, opened once: a map has some hundred thousand members."""

    def __init__(self, file: BinaryIO, name: str, warnings: list[str]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
            self.names = set(self._zip.namelist())
        except Exception as e:  # zipfile raises whatever a damaged directory leads to
            raise ReadError(
                f"{name} is no complete zip archive ({e}); copy it again from the instrument"
            ) from None
        self.warnings = warnings
        self._properties: dict[str, Properties] = {}
        self.header = self.properties("header.properties")
        shared = "shared-data/header.properties"
        self.shared_properties = self.properties(shared) if shared in self.names else {}
        self.shared = Shared(self.shared_properties)
        self._channels: dict[tuple[str, ...], Channel | None] = {}

    def size(self, name: str) -> int:
        try:
            return self._zip.getinfo(name).file_size
        except KeyError:
            raise ReadError(f"the archive has no part {name!r}; it is not complete") from None

    def member(self, name: str, most: int = _MOST_CHANNEL) -> bytes:
        if self.size(name) > most:
            raise ReadError(
                f"part {name!r} of the archive has {self.size(name)} bytes, more than is plausible"
            )
        try:
            return self._zip.read(name)
        except Exception as e:  # zlib.error and others have no common base
            raise ReadError(f"part {name!r} of the archive is damaged: {e}") from None

    def properties(self, name: str) -> Properties:
        if name not in self._properties:
            found = parse_properties(self.member(name, _MOST_HEADER), name)
            if len(self._properties) >= _HEADERS_KEPT:
                return found
            self._properties[name] = found
        return self._properties[name]

    def curves(self) -> dict[int | None, list[str]]:
        """The number of each curve (None for a file of one curve) → the folders of its segments, in order."""
        found: dict[int | None, dict[int, str]] = {}
        for name in self.names:
            if match := _SEGMENT.fullmatch(name):
                curve = int(match[1]) if match[1] else None
                found.setdefault(curve, {})[int(match[2])] = name.rpartition("/")[0] + "/"
        order = sorted(found, key=lambda curve: -1 if curve is None else curve)
        return {curve: [found[curve][i] for i in sorted(found[curve])] for curve in order}

    def segment(self, folder: str) -> Segment:
        """The header of a segment, with the channels that can be read."""
        properties = self.properties(folder + "segment-header.properties")
        segment = Segment(folder, properties, 0)
        for name in properties.get("channels.list", "").split():
            channel = self._channel(properties, name)
            if channel is not None and (not channel.dtype or self._path(segment, name) in self.names):
                segment.channels[name] = channel
        stored = [(n, c) for n, c in segment.channels.items() if c.dtype]
        sizes = {self.size(self._path(segment, n)) // np.dtype(c.dtype).itemsize for n, c in stored}
        if len(sizes) > 1:
            raise ReadError(
                f"the channels of {folder} have different lengths {sorted(sizes)}; the file is damaged"
            )
        segment.points = sizes.pop() if sizes else 0
        return segment

    def values(self, segment: Segment, name: str) -> Floats:
        """A channel's values in its calibrated unit, shape (points,)."""
        channel = segment.channels[name]
        if not channel.dtype:
            return computed(segment.properties, name, segment.points)
        path = self._path(segment, name)
        return channel.decode(self.member(path), path)

    def style(self, segment: Segment) -> str:
        """What the field calls the segment: approach, pause, retract."""
        own = self.settings(segment)
        style = own.get("settings.style", own.get("settings.segment-settings.style", ""))
        return _STYLES.get(style, style or "segment")

    def settings(self, segment: Segment) -> Properties:
        """The segment's header below ``force-segment-header``, shared parts filled in."""
        return self.shared.resolve(segment.properties, "force-segment-header")

    def _path(self, segment: Segment, name: str) -> str:
        return segment.folder + segment.properties.get(
            f"channel.{name}.data.file.name", f"channels/{name}.dat"
        )

    def _channel(self, properties: Properties, name: str) -> Channel | None:
        """How a channel is read, looked up once for all segments that say the same of it."""
        reference = properties.get(f"channel.{name}.lcd-info.*")
        key = (name, reference) if reference is not None else (name, *_below(properties, f"channel.{name}."))
        if key not in self._channels:
            try:
                self._channels[key] = describe(properties, self.shared, name, self.warnings)
            except ReadError as e:
                self._channels[key] = None
                self.warnings.append(f"A channel was left out: {e}.")
        return self._channels[key]


def _below(properties: Properties, prefix: str) -> list[str]:
    return [f"{k}={v}" for k, v in properties.items() if k.startswith(prefix)]
