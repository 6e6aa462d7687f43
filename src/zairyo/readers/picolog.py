"""Pico Technology PicoLog 6: a tar archive of settings as JSON and readings as gzipped 32-bit floats.

Facts (seen in files): ``data-map.json.gz`` lists blocks ``driver.serial.channel/factor/start`` with their member,
offset and length in it. Blocks of factor 1 hold the readings, one a sampling interval from ``start`` (ms since 1970,
UTC), big endian, NaN where there was none; other factors are for drawing.
"""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, make_name
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers.delimited_text import used

Floats = NDArray[np.float64]
_MOST_MEMBER = 512 * 1024**2
_MOST_BYTES = 256 * 1024**2
_DEGREES = ("thermo", "pt100", "pt1000", "cold-junction")


@dataclass(frozen=True)
class _Channel:
    key: str
    label: str
    unit: str | None
    interval: int
    settings: Mapping[str, Any]
    times: NDArray[np.int64]  # ms since 1970
    values: Floats


def _sniff(source: RawInput) -> float:
    head = source.head
    if head[257:262] != b"ustar":
        return NO
    return CERTAIN if b"data-map.json" in head or b"TC08Device" in head else NO


def _read(source: RawInput) -> Measurement:
    parts = _members(source)
    settings = _json(parts, "metadata.json")
    blocks = _json(parts, "data-map.json.gz")
    if not isinstance(settings, dict) or not isinstance(blocks, list):
        raise ReadError(
            f"{source.name} has settings of another shape than PicoLog 6 writes; it may be damaged."
        )
    warnings: list[str] = []
    started = _moment(settings.get("startDate"))
    channels = _channels(parts, blocks, settings, warnings)
    if not channels:
        raise ReadError(f"{source.name} holds no readings: nothing was recorded yet.")
    zero = int(started.timestamp() * 1000) if started else min(int(c.times[0]) for c in channels)
    together: dict[int, list[_Channel]] = {}
    for channel in channels:
        together.setdefault(channel.interval, []).append(channel)
    entries = [
        _entry(f"every_{interval}_ms" if len(together) > 1 else "data", some, zero, started, settings)
        for interval, some in sorted(together.items())
    ]
    kinds = {str(d.get("__type", "")).removesuffix("Device") for d in _devices(settings)}
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        instrument=", ".join(sorted(f"Pico Technology {k}" for k in kinds if k)),
        original_metadata=tidy_metadata(settings),
        warnings=tuple(dict.fromkeys(warnings)),
    )


# --- the archive --------------------------------------------------------------------------------------------------


def _members(source: RawInput) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(source.read_bytes(_MOST_BYTES)), mode="r:") as archive:
            for member in archive:
                if member.isreg() and not member.name.endswith(".png"):
                    file = archive.extractfile(member)
                    data = file.read() if file else b""
                    if len(data) != member.size:
                        raise ReadError(
                            f"{source.name} is cut off within {clean_text(member.name)}; copy it again."
                        )
                    found[member.name] = data
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, RecursionError) as e:
        if isinstance(e, ReadError):
            raise
        raise ReadError(
            f"{source.name} is no whole archive ({clean_text(str(e))[:80]}); copy it again."
        ) from None
    return found


def _unpacked(parts: Mapping[str, bytes], name: str) -> bytes:
    if name not in parts:
        raise ReadError(f"The part {name!r} is missing; the file is cut off. Copy it again.")
    if not name.endswith(".gz"):
        return parts[name]
    unpack = zlib.decompressobj(wbits=31)
    try:
        data = unpack.decompress(parts[name], _MOST_MEMBER)
    except zlib.error as e:
        raise ReadError(f"The part {name!r} is damaged ({e}); copy the file again.") from None
    if not unpack.eof:
        raise ReadError(f"The part {name!r} is cut off, or larger than a log is.")
    return data


def _json(parts: Mapping[str, bytes], name: str) -> Any:
    try:
        return json.loads(_unpacked(parts, name))
    except (ValueError, RecursionError) as e:
        if isinstance(e, ReadError):
            raise
        raise ReadError(
            f"The part {name!r} is damaged ({clean_text(str(e))[:80]}); copy the file again."
        ) from None


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None


# --- channels -----------------------------------------------------------------------------------------------------


def _devices(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    devices = settings.get("devices")
    items = devices.get("items", []) if isinstance(devices, dict) else []
    return [d for d in items if isinstance(d, dict)] if isinstance(items, list) else []


def _settings_of(settings: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Each channel's settings by the device's serial number and the channel's identifier."""
    found = {}
    for device in _devices(settings):
        for part in device.values():
            if isinstance(part, dict) and "channelIdentifier" in part:
                serial = str(part.get("deviceSerial", device.get("serialInternal", "")))
                found[serial, str(part["channelIdentifier"])] = part
    return found


def _channels(
    parts: Mapping[str, bytes], blocks: list[Any], settings: Mapping[str, Any], warnings: list[str]
) -> list[_Channel]:
    known = _settings_of(settings)
    unpacked: dict[str, bytes] = {}
    pieces: dict[str, list[tuple[int, Floats]]] = {}
    for key, start, name, at, length in _readings(blocks):
        if name not in unpacked:
            unpacked[name] = _unpacked(parts, name)
        data = unpacked[name]
        if not 0 <= at <= at + length <= len(data) or length % 4:
            raise ReadError(f"A block of {key!r} lies outside its part {name!r}; the file is damaged.")
        pieces.setdefault(key, []).append(
            (start, np.frombuffer(data[at : at + length], ">f4").astype(np.float64))
        )
    found = []
    for key, runs in pieces.items():
        _, serial, channel = (["", *key.rsplit(".", 1)[0].split(".", 1), key.rsplit(".", 1)[-1]])[-3:]
        own = known.get((serial.replace("|", "/"), channel), {})
        interval = _interval(own, runs)
        times = np.concatenate([start + interval * np.arange(len(v)) for start, v in runs])
        values = np.concatenate([v for _, v in runs])
        there = np.isfinite(values)
        if not there.any():
            continue
        times, values = times[there], values[there]
        if np.any(np.diff(times) <= 0):
            warnings.append(
                f"The blocks of {key!r} overlap: its sampling interval was changed; times may be off."
            )
            order = np.unique(times, return_index=True)[1]
            times, values = times[order], values[order]
        label = str(own.get("description") or channel)
        kind = str(own.get("input") or own.get("channelType") or "")
        unit = "degC" if kind.startswith(_DEGREES) else None
        found.append(_Channel(key, clean_text(label), unit, interval, own, times, values))
    return found


def _readings(blocks: list[Any]) -> Iterator[tuple[str, int, str, int, int]]:
    """Channel, start, member, offset and length of the blocks with readings, in the order of time."""
    found = []
    for block in blocks:
        try:
            name, (member, at, length) = block
            key, factor, start = str(name).rsplit("/", 2)
            if factor == "1":
                found.append((key, int(start), str(member), int(at), int(length)))
        except (ValueError, TypeError):
            raise ReadError(
                f"The list of blocks holds {str(block)[:60]!r}, which is none; the file is damaged."
            ) from None
    if any(not 0 <= start < 2**53 for _, start, *_ in found):
        raise ReadError("A block begins at an impossible time; the file is damaged.")
    return iter(sorted(found))


def _interval(own: Mapping[str, Any], runs: list[tuple[int, Floats]]) -> int:
    """Milliseconds between readings: as set; without a setting, from where blocks begin."""
    capture = own.get("captureConfig")
    stated = capture.get("interval") if isinstance(capture, dict) else None
    if isinstance(stated, int) and 0 < stated < 2**40:
        return stated
    gaps = [b[0] - a[0] for a, b in pairwise(runs)]
    if gaps and min(gaps) > 0 and len(runs[0][1]):
        return max(1, min(gaps) // len(runs[0][1]))
    raise ReadError("A channel names no sampling interval; the times of its readings are not known.")


def _entry(
    name: str, channels: list[_Channel], zero: int, started: datetime | None, settings: Mapping[str, Any]
) -> Entry:
    """Channels of one interval over the times at which any of them was read; blanks where one was not."""
    times = np.unique(np.concatenate([c.times for c in channels]))
    names = used(["time", *(make_name(c.label, "channel") for c in channels)])
    next(names)
    signals = []
    for channel, own in zip(channels, names, strict=False):
        values = np.full(len(times), np.nan)
        values[np.searchsorted(times, channel.times)] = channel.values
        signals.append(Signal(own, values, channel.unit, ("time",), channel.label[:200]))
    serial = {str(c.settings.get("deviceSerial", "")) for c in channels} - {""}
    conditions = {
        "sampling_interval": Quantity(channels[0].interval / 1000, "s"),
        "channels": Quantity(len(channels), ""),
    }
    if version := settings.get("appVersion"):
        conditions["software"] = Quantity("PicoLog")
        conditions["software_version"] = Quantity(clean_text(str(version)))
    if serial:
        conditions["instrument_serial"] = Quantity(clean_text(", ".join(sorted(serial))))
    return Entry(
        name,
        "data_log",
        (Axis("time", (times - zero) / 1000.0, "s"),),
        tuple(signals),
        title=", ".join(c.label for c in channels)[:200],
        conditions=conditions,
        original_metadata=tidy_metadata({c.key: c.settings for c in channels}),
        started=started,
    )


READER = Reader(
    name="picolog",
    version="1",
    techniques=("data_log",),
    vendor="Pico Technology",
    format="PicoLog 6",
    endings=(".picolog",),
    sniff=_sniff,
    read=_read,
    notes="All readings of all channels, those of one sampling interval together. Only temperatures have their unit.",
)
