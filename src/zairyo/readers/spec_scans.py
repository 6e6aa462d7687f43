"""SPEC data files: scans of a diffractometer or beamline, as certif's SPEC writes them and others do after it.

Facts: SPEC's manual, "Standard data file format". ``#F`` begins a file's head, with ``#E`` its epoch and ``#O`` the
names of the motors; ``#S number command`` begins a scan, with ``#D`` its date, ``#T`` (seconds) or ``#M`` (monitor
counts) for a point, ``#P`` where the motors stood, ``#N`` how many columns and ``#L`` their labels, two blanks apart.
Lines without ``#`` are points; ``@A`` are channels of a multichannel analyser, with ``\\`` at the end where they go on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, clean_text, table
from zairyo.measurement.text import tidy_metadata
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import head_text, read_lines, rules, signals_of
from zairyo.readers._tokens import unique
from zairyo.readers.delimited_text import is_float

_FILE = re.compile(r"#F\s.*\n(?:#C.*\n)*#E\s+\d+", re.MULTILINE)
_SCAN = re.compile(r"#S\s+(\d+)\s*(.*)")
_KEY = re.compile(r"#(@?[A-Za-z]+)(\d*)\s*(.*)")
_CHANNELS = re.compile(r"@([A-Z]*\d*)\s(.*)")
_APART = re.compile(r"\s{2,}|\t")
_FORMS = ("%a %b %d %H:%M:%S %Y",)
_COLUMNS = rules(
    (r"two[ _]?theta|2[ _-]?theta|tth|twotheta", "two_theta"),
    (r"theta|th|omega|om", "omega"),
    (r"chi", "chi"),
    (r"phi", "phi"),
)
#: Of a diffractometer's circles SPEC knows degrees only; of other motors the file does not say.
_CIRCLES = dict.fromkeys(("two_theta", "omega", "chi", "phi"), "deg")
#: Columns that count, but nobody scans; and Miller indices, which follow where circles are scanned.
_COUNTING = ("pt_no", "index", "epoch_float", "epoch")
_INDICES = ("h", "k", "l")
#: Letters of an analyser's channels that one scan may have.
_MOST_CHANNELS = 1 << 29


@dataclass
class _Scan:
    """One scan as its lines say it."""

    number: str
    command: str
    head: dict[str, list[str]]
    lines: dict[str, list[str]] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)
    channels: dict[str, list[str]] = field(default_factory=dict)

    def first(self, key: str) -> str:
        return (self.lines.get(key) or [""])[0].strip()


def _sniff(source: RawInput) -> float:
    if b"#S " not in source.text_head and not source.text_head.lstrip().startswith(b"#F "):
        return NO
    text = head_text(source, 400)
    if _FILE.search(text[:4000]):
        return CERTAIN
    scan = re.search(r"^#S\s+\d+\s", text, re.MULTILINE)
    return (
        LIKELY
        if scan and re.search(r"^#N\s+\d+.*\n(?:#.*\n)*#L\s", text[scan.start() :], re.MULTILINE)
        else NO
    )


def _read(source: RawInput) -> Measurement:
    warnings: list[str] = []
    taken: set[str] = set()
    entries: list[Entry] = []
    blank: list[str] = []
    head: dict[str, list[str]] = {}
    for scan in _scans(read_lines(source), head):
        made = list(_entries(scan, taken, warnings))
        entries += made
        if not made:
            blank.append(scan.number)
    if not entries:
        raise ReadError(f"{source.name} holds no scan with points; nothing was acquired, or it is cut off.")
    if blank:
        warnings.append(
            f"Scans without points were left out: {', '.join(blank[:20])}{' …' if blank[20:] else ''}."
        )
    comments = " ".join(head.get("C", [])[:1])
    user = re.search(r"[Uu]ser\s*=\s*(\S+)", comments)
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        operator=clean_text(user[1]) if user else "",
        original_metadata=tidy_metadata({key: "\n".join(lines) for key, lines in head.items()}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _scans(lines: list[str], first: dict[str, list[str]]) -> Iterator[_Scan]:
    """The scans, each with the head that stood last before it; ``first`` is filled with the first head."""
    head = first
    scan: _Scan | None = None
    channel: list[str] | None = None
    for line in lines:
        text = line.strip()
        if text[:1] == "#":
            channel = None  # whatever a line before it promised: an acquisition that was stopped
        if channel is None and text[:1] not in ("#", "@"):
            if text and scan is not None:
                scan.rows.append(text)
            continue
        if scan is not None and channel is None and (found := _CHANNELS.match(text)):
            channel, text = scan.channels.setdefault(found[1], []), found[2]
            channel.append("")
        if channel is not None:
            channel[-1] += " " + text.rstrip("\\")
            if not text.endswith("\\"):
                channel = None
        elif started := _SCAN.match(text):
            scan, before = _Scan(started[1], clean_text(started[2]).strip(), head), scan
            if before is not None:
                yield before
        elif scan is not None and text.startswith("#F "):
            yield scan  # a further head: SPEC was started again on the same file
            scan, head = None, {"F": [clean_text(text[3:])]}
        elif keyed := _KEY.match(text):
            into = head if scan is None else scan.lines
            into.setdefault(keyed[1], []).append(clean_text(keyed[3]))
    if scan is not None:
        yield scan


def _entries(scan: _Scan, taken: set[str], warnings: list[str]) -> Iterator[Entry]:
    """The table of a scan, and what its multichannel analyser saw."""
    labels = _labels(scan)
    values = _values(scan, len(labels), warnings)
    about: dict[str, Any] = {
        "title": f"{scan.number} {scan.command}".strip(),
        "started": _moment(scan.first("D")),
        "original_metadata": tidy_metadata(
            {"command": scan.command, **{key: "\n".join(lines) for key, lines in scan.lines.items()}}
        ),
    }
    motors = dict(_motors(scan))
    about["original_metadata"] |= tidy_metadata({"motors": {k: str(v) for k, v in motors.items()}})
    if labels and len(values):
        whole = _whole(values)
        columns = [
            c.astype(np.int64) if w else np.ascontiguousarray(c) for c, w in zip(values.T, whole, strict=True)
        ]
        signals = signals_of(labels, [None] * len(labels), columns, _COLUMNS, warnings, usual=_CIRCLES)
        names = [signal.name for signal in signals]
        x = next((name for name in names if name not in _COUNTING), names[0])
        technique = "xrd" if x in _CIRCLES or x in _INDICES else "unspecified"
        yield table(
            unique(f"scan_{scan.number}", taken), technique, signals, x=x, default=_counted(signals, x),
            conditions=_conditions(scan, motors, x, names) if technique == "xrd" else {}, **about,
        )  # fmt: skip
    for tag, texts in scan.channels.items():
        counts = _counts(scan, tag, texts, warnings)
        if counts is not None:
            channel = Axis("channel", np.arange(counts.shape[1]), "", "Channel")
            point = Axis("point", np.arange(len(counts)), "", "Point")
            signal = Signal("counts", counts, "counts", ("point", "channel"), f"Analyser {tag}")
            name = unique(f"scan_{scan.number}_analyser_{tag.lower()}", taken)
            yield Entry(name, "unspecified", (point, channel), (signal,), **about)


def _counted(signals: list[Signal], x: str) -> str:
    """The last column, as SPEC itself plots it; of those that vary, if any do."""
    others = [s for s in signals if s.name not in (x, *_COUNTING, *_INDICES, *_CIRCLES)] or signals
    varying = [s for s in others if len(s.values) > 1 and (s.values != s.values[0]).any()]
    return (varying or others)[-1].name


def _labels(scan: _Scan) -> list[str]:
    text = scan.first("L")
    stated = re.match(r"\d+", scan.first("N"))
    count = int(stated[0]) if stated else None
    labels = [label for label in _APART.split(text) if label]
    if count is not None and len(labels) != count and len(text.split()) == count:
        labels = text.split()
    return labels


def _values(scan: _Scan, width: int, warnings: list[str]) -> Any:
    """The points, shape (n, width); those that are not whole are left out."""
    if not width:
        return np.empty((0, 0))
    try:
        values = np.loadtxt(scan.rows, comments=None, ndmin=2) if scan.rows else np.empty((0, width))
        if values.shape[1] == width:
            return values
    except ValueError:
        pass  # some are not whole
    rows = [row.split() for row in scan.rows]
    whole = [row for row in rows if len(row) == width and all(map(is_float, row))]
    warnings.append(
        f"Scan {scan.number}: {len(rows) - len(whole)} of {len(rows)} points do not have {width} numbers; "
        "they were left out."
    )
    return np.array(whole, dtype=float).reshape(-1, width)


def _whole(values: Any) -> Any:
    """Which columns are whole numbers, as counts are."""
    with np.errstate(invalid="ignore"):
        return ((values == np.floor(values)) & (np.abs(values) < 2.0**53)).all(axis=0)


def _counts(scan: _Scan, tag: str, texts: list[str], warnings: list[str]) -> Any:
    """What an analyser saw, shape (points, channels)."""
    try:
        if sum(map(len, texts)) > _MOST_CHANNELS or not texts[0].strip():
            raise ValueError
        counts = np.loadtxt(texts, comments=None, ndmin=2)
    except ValueError:
        warnings.append(
            f"Scan {scan.number}: the channels of analyser {tag} do not fit together; they were left out."
        )
        return None
    if len(counts) != len(texts):  # loadtxt leaves blank lines out
        warnings.append(
            f"Scan {scan.number}: analyser {tag} has points without channels; they were left out."
        )
    return counts.astype(np.int64) if _whole(counts).all() else counts


def _motors(scan: _Scan) -> Iterator[tuple[str, float]]:
    """Where each motor stood when the scan began."""
    for names, places in zip(scan.head.get("O", ()), scan.lines.get("P", ()), strict=False):
        values = places.split()
        stated = [name for name in _APART.split(names.strip()) if name]
        if len(stated) != len(values) and len(names.split()) == len(values):
            stated = names.split()
        if len(stated) != len(values):
            continue  # nobody can say which is which
        for name, text in zip(stated, values, strict=True):
            if is_float(text):
                yield clean_text(name), float(text)


def _conditions(scan: _Scan, motors: dict[str, float], x: str, columns: Iterable[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {"scan_axis": Quantity(x)}
    seconds = scan.first("T").split()
    if seconds and is_float(seconds[0]) and 0 < float(seconds[0]) < np.inf:
        found["time_per_step"] = Quantity(float(seconds[0]), "s")
    for name, value in motors.items():
        known = next((key for pattern, key in _COLUMNS if pattern.fullmatch(name)), "")
        if known and known not in columns and np.isfinite(value):
            found[known] = Quantity(value, "deg")
    return found


def _moment(text: str) -> datetime | None:
    if is_float(text) and 0 < float(text) < 4e9:
        return datetime.fromtimestamp(float(text), UTC)
    return in_forms(text, _FORMS)


READER = Reader(
    name="spec_scans",
    version="1",
    techniques=("xrd", "unspecified"),
    vendor="certif SPEC",
    format="SPEC data file",
    endings=(".spec", ".spc", ".dat", ".mca"),
    sniff=_sniff,
    read=_read,
    notes="Each scan is a table with its command and where the motors stood; analyser's channels (@A) are their own. "
    "The unit of a motor is not in the file: circles of a diffractometer are in degrees.",
)
