"""The ``9809`` text of Japan's XAFS beamlines (Photon Factory, SPring-8, Aichi SR and others): one scan of the energy.

Facts (M. Tabuchi on the format of M. Nomura; files of KEK-PF, SPring-8, Aichi SR, SAGA-LS): the first line is ``9809``
with the facility and beamline, the next the file's name and when it was measured (year first), the third a comment;
``Ring :`` and ``Mono :`` state the ring and the crystal's lattice spacing D; a table of blocks says how was scanned.
Under ``Angle(c) Angle(o) time/s`` and the channels' numbers stand ``Mode`` (1: incident, 2: transmitted, a second one
behind a reference; 3: fluorescence) and ``Offset`` of each, then a row a point: the angle asked for and the one reached
(deg), time (s), counts. Every number has ten places: large ones touch.
"""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Measurement, Quantity, Signal, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import head_text, number, read_lines

_FIRST = re.compile(r"\s*9809\s+(?P<place>\S.*)")
_NAMES = re.compile(r"\s*Angle\(c\)\s+Angle\(o\)\s+time(/s)?(?P<channels>(\s+\S+)+)\s*\Z", re.IGNORECASE)
_SPACING = re.compile(r"D\s*=\s*(\d+\.\d+)\s*A\b")
_RING = re.compile(r"(?P<energy>\d+(?:\.\d+)?)\s*GeV(?:\s+(?P<current>\d+(?:\.\d+)?)\s*mA)?")
_POINTS = re.compile(r"Points\s*=\s*(\d{1,7})\b")
#: Planck's constant times the speed of light, eV Å.
_HC = 12398.419843320026
_MODES = {1: "incident_intensity", 2: "transmitted_intensity", 3: "fluorescence_intensity"}
_MOST_CHANNELS = 200
_PLACES = 10
_WHEN = re.compile(r"(?P<start>\d\d\.\d\d\.\d\d \d\d:\d\d)(?: - (?P<end>\d\d\.\d\d\.\d\d \d\d:\d\d))?")


def _sniff(source: RawInput) -> float:
    head = head_text(source, 200)
    return CERTAIN if _FIRST.match(head) and "Mono" in head and "Angle(c)" in head else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    first = _FIRST.match(lines[0]) if lines else None
    at = next((i for i, line in enumerate(lines) if _NAMES.match(line)), None)
    if first is None or at is None:
        raise ReadError(
            f"{source.name} ends before its row of names (Angle(c) …); it is cut off. Copy it again."
        )
    head = lines[:at]
    channels = lines[at].split()[3:]
    if len(channels) > _MOST_CHANNELS:
        raise ReadError(f"{source.name} names {len(channels)} channels; it is damaged.")
    modes, offsets, begin = _under(lines, at + 1, len(channels))
    rows = _rows(lines, begin, 3 + len(channels), source.name)
    warnings: list[str] = []
    told = next((int(m[1]) for line in head if (m := _POINTS.search(line))), len(rows))
    if told > len(rows):
        warnings.append(
            f"{told} points were planned, {len(rows)} are there: the scan was stopped, or is cut off."
        )
    if any(offsets):
        warnings.append(f"The offsets {', '.join(f'{o:g}' for o in offsets)} are told, not subtracted.")
    spacing = next((float(m[1]) for line in head if (m := _SPACING.search(line))), 0.0)
    signals = _signals(rows, channels, modes, spacing, source.name)
    names = [s.name for s in signals]
    counted = [n for n in names if n.startswith(("transmitted", "fluorescence", "channel", "incident"))]
    default = next((n for n in counted if not n.startswith("incident")), counted[0])
    place = first["place"].split()
    name, comment, started = _about(head)
    title = ": ".join(filter(None, (name, comment))) or source.path.stem
    entry = table(
        "spectrum",
        "xafs",
        signals,
        x="photon_energy",
        default=default,
        title=title,
        conditions=_conditions(head, place, spacing) | ({"comment": Quantity(comment)} if comment else {}),
        started=started,
    )
    return Measurement(
        (entry,),
        title=title,
        instrument=clean_text(" ".join(place)),
        original_metadata=tidy_metadata({"head": "\n".join(head), "modes": modes, "offsets": offsets}),
        warnings=tuple(warnings),
    )


def _about(head: list[str]) -> tuple[str, str, datetime | None]:
    """The file's name, the comment, and when the scan began: what stands between the first line and ``Ring``."""
    ring = next((i for i, line in enumerate(head) if line.split(":")[0].strip() == "Ring"), min(3, len(head)))
    name, started = "", None
    comments = []
    for line in head[1:ring]:
        when = _WHEN.search(line) if started is None else None
        if when is None:
            comments.append(clean_text(line.strip()))
        else:
            name, started = (
                clean_text(line[: when.start()].strip()),
                in_forms(when["start"], ("%y.%m.%d %H:%M",)),
            )
    return name, " ".join(filter(None, comments)), started


def _numbers(line: str, count: int) -> list[float | None]:
    """The numbers of a line, ten places each where they touch."""
    words = line.split()
    if len(words) != count and len(line.rstrip()) in range(_PLACES * (count - 1) + 1, _PLACES * count + 1):
        words = [line[_PLACES * k : _PLACES * (k + 1)] for k in range(count)]
    return [number(word) for word in words]


def _under(lines: list[str], at: int, count: int) -> tuple[list[int], list[float], int]:
    """What ``Mode`` and ``Offset`` say of each channel (0 where they do not), and the first row's line."""
    found: dict[str, list[float]] = {}
    while at < len(lines):
        words = lines[at].split()
        if not words or words[0] not in ("Mode", "Offset"):
            break
        numbers = _numbers(lines[at], 3 + count)[1:]
        found[words[0]] = [0.0 if n is None else n for n in numbers][-count:]
        at += 1
    modes, offsets = (found.get(name, []) for name in ("Mode", "Offset"))
    whole = [int(mode) if abs(mode) < 1000 else 0 for mode in modes] if len(modes) == count else [0] * count
    return whole, offsets if len(offsets) == count else [0.0] * count, at


def _rows(lines: list[str], begin: int, width: int, name: str) -> NDArray[np.float64]:
    """The points, shape (points, columns)."""
    rows = []
    for at, line in enumerate(lines[begin:], begin):
        words = line.split()
        if not words:
            continue
        numbers = _numbers(line, width)
        if len(numbers) != width or None in numbers:
            raise ReadError(
                f"Line {at + 1} of {name} should hold {width} numbers: {clean_text(line.strip())[:40]!r}. "
                "It is cut off or damaged. Copy it again."
            )
        rows.append(numbers)
    if not rows:
        raise ReadError(
            f"{name} holds no point; the scan was stopped before the first, or the file is cut off."
        )
    return np.array(rows, np.float64)


def _signals(
    rows: NDArray[np.float64], channels: list[str], modes: list[int], spacing: float, name: str
) -> list[Signal]:
    """Energies by Bragg's law (of the angle reached), angles, time and counts."""
    is_read = bool(rows[:, 1].all())  # some beamlines do not read the angle
    reached, label = (rows[:, 1], "Angle(o)") if is_read else (rows[:, 0], "Angle(c)")
    if spacing <= 0 or not ((reached > 0) & (reached < 90)).all():
        raise ReadError(
            f"{name} states no lattice spacing (D= … A after Mono), or angles that are none: no energy can be told."
        )
    energies = _HC / (2 * spacing * np.sin(np.radians(reached)))
    signals = [
        Signal("photon_energy", energies, "eV", long_name=f"Energy, of {label}"),
        Signal("monochromator_angle", reached, "deg", long_name=label),
        Signal("monochromator_angle_set", rows[:, 0], "deg", long_name="Angle(c)"),
        Signal("time_per_point", rows[:, 2], "s", long_name="time"),
    ]
    taken: dict[str, int] = {}
    for k, (channel, mode) in enumerate(zip(channels, modes, strict=True)):
        own = _MODES.get(mode, "channel")
        taken[own] = taken.get(own, 0) + 1
        own = f"{own}_{taken[own]}" if taken[own] > 1 or own == "channel" else own
        signals.append(
            Signal(own, rows[:, 3 + k], None, long_name=f"Channel {clean_text(channel)[:20]}, mode {mode}")
        )
    return signals


def _conditions(head: list[str], place: list[str], spacing: float) -> dict[str, Quantity]:
    found = {
        "facility": Quantity(clean_text(place[0])),
        "monochromator_d_spacing": Quantity(spacing, "angstrom"),
    }
    if len(place) > 1:
        found["beamline"] = Quantity(clean_text(place[1]))
    for line in head:
        label, _, value = line.strip().partition(":")
        if label.strip() == "Ring" and (m := _RING.search(value)):
            found["ring_energy"] = Quantity(float(m["energy"]), "GeV")
            if m["current"] and float(m["current"]) > 0:  # 0: the program was not told
                found["ring_current"] = Quantity(float(m["current"]), "mA")
        elif label.strip() == "Mono" and value.split():
            found["monochromator"] = Quantity(clean_text(value.split("D=")[0].strip()))
    return found


READER = Reader(
    name="xafs_9809",
    version="1",
    techniques=("xafs",),
    vendor="Photon Factory, SPring-8",
    format="XAFS text (9809)",
    endings=(".dat", ".txt", ".ex3", ".prn"),
    sniff=_sniff,
    read=_read,
    notes="Energies by Bragg's law of the angle reached; offsets are told, not subtracted.",
)
