"""Thermo Isodat ``.dxf``: continuous-flow isotope-ratio mass spectrometry, its traces and its table of peaks.

The file is a serialised document of Microsoft's foundation classes: objects with their class' name (only the first of a
class; later ones by number), texts as ``FF FE FF``, a length and UTF-16. Facts about the objects: entab's and
isoreader's descriptions of the format.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    Quantity,
    Signal,
    clean_text,
    make_name,
    table,
    tidy_metadata,
)
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._separation import text_condition, unique

_MAGIC = b"\xff\xff\x06\x00\x0b\x00CFileHeader"
_TEXT = rb"\xff\xfe\xff"
_EMPTY = _TEXT + rb"\x00"
#: CRawData's fields: its gas, and then CEvalGCData with the size of the traces in bytes.
_EVALUATION = rb"(?:\xff\xff..\x0b\x00CEvalGCData|.[\x80-\x8f])"
_TRACES = re.compile(
    rb"\x03\x00\x00\x00[\x20-\x3f]\x00" + _TEXT + rb"([\x01-\x28])((?:[\x20-\x7e]\x00){1,40})" + _EMPTY
    + rb"\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00" + _EVALUATION + rb"\x01\x00\x00\x00(.{4})",
    re.DOTALL,
)  # fmt: skip
#: A result: seven texts (name, label, form, gas, ..., unit, reference), then its size and value.
_RESULT = re.compile(
    rb"\x03\x00\x00\x00[\x20-\x3f]\x00" + _EMPTY + _EMPTY + rb"\x00\x00\x00\x00\x08\x00\x00\x00", re.DOTALL
)
_POINT = struct.Struct("<idd")
_DATE = re.compile(rb"CTimeObject.{6}" + _TEXT, re.DOTALL)
_MOST_MASSES = 10
_MOST_RESULTS = 500_000
_UNITS = {
    "mVs": "mV*s",
    "Vs": "V*s",
    "per mil": "permille",
    "‰": "permille",
    "%": "percent",
    "s": "s",
    "mV": "mV",
}
_USUAL = {"CO2": (44, 45, 46), "N2": (28, 29, 30), "CO": (28, 29, 30), "H2": (2, 3), "SO2": (64, 66)}
_AREA = re.compile(r"\A(r?)Intensity (\w+)\Z")
_NAMED = {"Nr.": "peak", "Ref. Name": "reference"}
#: ``δ 13C/12C`` is named after the heavy isotope, as everybody does.
_DELTA = re.compile(r"δ\s*(\w+)/\w+")


@dataclass(frozen=True)
class _Gas:
    """The traces of one gas: shape (points,) and (points, masses)."""

    name: str
    times: Array
    intensities: Array


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head.startswith(_MAGIC) and b"B\0l\0o\0c\0k\0D\0a\0t\0a" in src.head[:64] else NO


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    if not data.startswith(_MAGIC):
        raise ReadError(
            f"{src.name} does not begin as Isodat's documents do; it is another format or damaged"
        )
    gases = list(_gases(data))
    if not gases and b"CDualInlet" in data:
        raise ReadError(
            f"{src.name} is of a dual-inlet measurement, which is not read. Export its results from Isodat as text."
        )
    if not gases:
        raise ReadError(f"{src.name} holds no raw traces (CRawData); nothing was acquired or it is cut off")
    rows = _results(data)
    told = _sequence(data)
    conditions = _conditions(told)
    started = _started(data)
    warnings: list[str] = []
    entries: list[Entry] = []
    taken: set[str] = set()
    for gas in gases:
        masses = _masses(rows, gas, warnings)
        entries.append(_trace(gas, masses, taken, conditions, started))
    if rows:
        entries.append(_table(rows, _peaks(data, gases), taken, conditions, started))
    sample = told.get("Identifier 1", "")
    return Measurement(
        entries=tuple(entries),
        title=sample or src.name,
        sample=sample,
        original_metadata=tidy_metadata({"sequence": told, "results": [r.labels for r in rows[:1]]}),
        warnings=tuple(warnings),
    )


def _string(data: bytes, at: int) -> tuple[str, int]:
    """The text at ``at`` and where it ends."""
    if data[at : at + 3] != b"\xff\xfe\xff" or at + 4 > len(data):
        raise ReadError(f"there is no text at byte {at}, where one should be; the file is damaged")
    length, start = data[at + 3], at + 4
    if length == 255:
        length, start = int.from_bytes(data[at + 4 : at + 6], "little"), at + 6
    end = start + 2 * length
    if end > len(data):
        raise ReadError(f"the file is cut off at byte {len(data)}, within a text. Copy it again.")
    return _text(data[start:end]), end


@lru_cache(maxsize=1024)  # a table of results says the same few texts for every peak
def _text(raw: bytes) -> str:
    text = clean_text(raw.decode("utf-16-le", "replace"))
    return (text if text.isprintable() else "".join(filter(str.isprintable, text))).strip()


# --- traces -------------------------------------------------------------------------------------------------


def _gases(data: bytes) -> Iterator[_Gas]:
    for match in _TRACES.finditer(data):
        if match[1][0] != len(match[2]) // 2:
            continue
        name = match[2].decode("utf-16-le")
        size = int.from_bytes(match[3], "little")
        if not size or match.end() + size > len(data):
            raise ReadError(
                f"the traces of {name} should have {size} bytes from byte {match.end()} on, but the file has "
                f"{len(data)}; it is cut off. Copy it again."
            )
        yield _gas(name, data[match.end() : match.end() + size])


def _gas(name: str, body: bytes) -> _Gas:
    """Records of a time (float32, s) and an intensity a mass (float64, mV); as many as make the times rise evenly."""
    for masses in range(1, _MOST_MASSES + 1):
        record = np.dtype([("time", "<f4"), ("intensities", "<f8", (masses,))])
        if len(body) % record.itemsize:
            continue
        records = np.frombuffer(body, record)
        with np.errstate(invalid="ignore"):
            times = records["time"].astype(float)
        if not np.isfinite(times).all():
            continue
        steps = np.diff(times)
        even = len(steps) and steps.min() > 0 and steps.max() < 20 * np.median(steps) and times[0] >= 0
        if even and (np.abs(records["intensities"]) < 1e9).all():
            return _Gas(name, times, records["intensities"])
    raise ReadError(
        f"the {len(body)} bytes of {name}'s traces are not records of times and intensities; it is damaged"
    )


def _masses(rows: list[_Row], gas: _Gas, warnings: list[str]) -> list[float]:
    """Which masses the traces are of: as the results name them; numbered if there are none."""
    count = gas.intensities.shape[1]
    for row in rows:
        names = [row.labels.get(f"rIntensity{i}", "") for i in range(1, count + 1)]
        masses = [float(m[0]) for name in names if (m := re.search(r"\d+(?:\.\d+)?", name))]
        if row.gas == gas.name and len(masses) == count:
            return masses
    if len(_USUAL.get(gas.name, ())) == count:
        return [float(m) for m in _USUAL[gas.name]]
    warnings.append(
        f"The file does not say which masses the {count} traces of {gas.name} are of; they are numbered."
    )
    return [float(i) for i in range(1, count + 1)]


def _trace(
    gas: _Gas, masses: list[float], taken: set[str], conditions: dict[str, Quantity], started: datetime | None
) -> Entry:
    signals = tuple(
        Signal(
            f"intensity_{mass:g}".replace(".", "_"), gas.intensities[:, i], "mV", ("time",), f"m/z {mass:g}"
        )
        for i, mass in enumerate(masses)
    )
    name = unique(taken, make_name(f"traces_{gas.name}"))
    conditions = {**conditions, "gas": Quantity(gas.name)}
    axis = Axis("time", gas.times, "s")
    return Entry(
        name, "irms", (axis,), signals, title=f"{gas.name} traces", conditions=conditions, started=started
    )


# --- results ------------------------------------------------------------------------------------------------


@dataclass
class _Row:
    """One peak's results: label → value and unit; ``labels`` are the labels by the results' own names."""

    gas: str
    values: dict[str, tuple[float | str, str]]
    labels: dict[str, str]


def _results(data: bytes) -> list[_Row]:
    rows: list[_Row] = []
    start = data.find(b"CGCPeakList")
    if start < 0:
        return rows
    for count, match in enumerate(_RESULT.finditer(data, start)):
        if count > _MOST_RESULTS:
            raise ReadError(f"the table of peaks has more than {_MOST_RESULTS} results; the file is damaged")
        found = _result(data, match.end())
        if found is None:
            continue
        name, label, gas, unit, value = found
        if label == "Nr.":
            rows.append(_Row(gas, {}, {}))
        if rows and value is not None:
            rows[-1].labels[name] = label
            rows[-1].values.setdefault(label, (value, unit))
    return rows


def _result(data: bytes, at: int) -> tuple[str, str, str, str, float | str | None] | None:
    """Name, label, gas, unit, value; None where the texts are not a result's."""
    texts = []
    try:
        for _ in range(7):
            text, at = _string(data, at)
            texts.append(text)
        _, at = _string(data, at + 4)
    except ReadError:
        return None
    name, label, form, gas, _, unit, _ = texts
    at += 8
    if at + 8 > len(data):
        return None
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    value: float | str | None = None
    if form.endswith("f") and size == 8 and at + 16 <= len(data):
        value = float(struct.unpack_from("<d", data, at + 8)[0])
    elif form in ("%u", "%d") and size == 4 and at + 12 <= len(data):
        value = float(struct.unpack_from("<i", data, at + 8)[0])
    return name, label, gas, unit.strip("[] "), value


def _peaks(data: bytes, gases: list[_Gas]) -> dict[int, list[tuple[float, ...]]]:
    """Mass → of each peak in order: its start, top and end in s, and its height in mV.

    The file tells each of the three by the point's index, its time and its intensity, one after another: they are
    found as places where an index and that point's time, exactly, stand side by side.
    """
    found: dict[int, list[tuple[float, ...]]] = {}
    start = data.find(b"CGCPeakList")
    if start < 0 or len(data) - start < 100:
        return found
    places = len(data) - start - 11
    indices = np.ndarray(places, "<i4", data, start, (1,))  # at every byte
    times = np.ndarray(places, "<f8", data, start + 4, (1,))
    for gas in gases:
        inside = np.flatnonzero((indices >= 0) & (indices < len(gas.times)))
        hits = inside[times[inside] == gas.times[indices[inside]]].tolist()
        known = set(hits)
        for at in hits:
            if at + 20 in known and at + 40 in known and at + start >= 12 and at + start + 60 <= len(data):
                points = [_POINT.unpack_from(data, start + at + i * _POINT.size) for i in range(3)]
                (mass,) = struct.unpack_from("<I", data, start + at - 12)
                if mass < 1000 and np.isfinite(points[1][2]):
                    found.setdefault(mass, []).append((*(p[1] for p in points), points[1][2]))
    return found


def _table(
    rows: list[_Row],
    peaks: dict[int, list[tuple[float, ...]]],
    taken: set[str],
    conditions: dict[str, Quantity],
    started: datetime | None,
) -> Entry:
    labels = dict.fromkeys(label for row in rows for label in row.values)
    columns: list[Signal] = []
    names: set[str] = {"gas"}
    whole = {mass: found for mass, found in peaks.items() if len(found) == len(rows)}
    if whole:
        first = np.array(next(iter(whole.values())))
        for name, i in (("peak_start", 0), ("retention_time", 1), ("peak_end", 2)):
            columns.append(Signal(unique(names, name), first[:, i], "s"))
        for mass, found in whole.items():
            columns.append(Signal(unique(names, f"peak_height_{mass}"), np.array(found)[:, 3], "mV"))
    for label in labels:
        cells = [row.values.get(label, (np.nan, "")) for row in rows]
        unit = next((unit for _, unit in cells if unit), "")
        name = _NAMED.get(label) or _AREA.sub(_area_name, _DELTA.sub(r"delta \1", label))
        name = make_name(name.replace("δ", "delta "), "result")
        numbers = np.array([value for value, _ in cells], float)
        columns.append(Signal(unique(names, name), numbers, _UNITS.get(unit, unit or ""), long_name=label))
    columns.append(Signal("gas", np.array([row.gas for row in rows])))
    known = {c.name for c in columns}
    x = "retention_time" if whole else "peak" if "peak" in known else columns[0].name
    default = next((n for n in ("delta_13c", "rintensity_all") if n in known), columns[0].name)
    name = unique(taken, "peaks")
    return table(
        name, "irms", columns, x=x, default=default, title="Peaks", conditions=conditions, started=started
    )


def _area_name(match: re.Match[str]) -> str:
    """``rIntensity 44`` and ``Intensity 44`` are areas, in mV·s as measured and in V·s of the amplifier's current."""
    return f"{'raw ' if match[1] else ''}peak area {match[2]}"


# --- what the file tells of the run ---------------------------------------------------------------------------


def _sequence(data: bytes) -> dict[str, str]:
    """The sequence line: texts in pairs, value and label, between two heads."""
    start = data.find("Sequence Info".encode("utf-16-le"))
    end = data.find("Continious Flow Data".encode("utf-16-le"), max(start, 0))
    if start < 0 or end < 0 or end - start > 1 << 20:
        return {}
    texts: list[str] = []
    for match in re.finditer(_TEXT, data[start:end]):
        try:
            texts.append(_string(data, start + match.start())[0])
        except ReadError:
            break
    pairs = zip(texts[::2], texts[1::2], strict=False)
    return {label: value for value, label in pairs if label and not re.fullmatch(r"[\d.]+", label)}


def _conditions(told: dict[str, str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {"mass_analyser": Quantity("magnetic sector")}
    text_condition(found, "method", told.get("Method", "").replace("/", "\\").rpartition("\\")[2])
    text_condition(found, "vial", told.get("AS Sample", ""))
    text_condition(found, "comment", told.get("Comment", ""))
    return found


def _started(data: bytes) -> datetime | None:
    match = _DATE.search(data[:4096])
    if match is None:
        return None
    try:
        _, at = _string(data, match.end() - 3)
        _, at = _string(data, at)
    except ReadError:
        return None
    seconds = int.from_bytes(data[at + 8 : at + 12], "little")
    return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None


READER = Reader(
    name="isodat_dxf",
    version="2",
    techniques=("irms",),
    vendor="Thermo",
    format="Isodat DXF",
    endings=(".dxf",),
    sniff=sniff,
    read=read,
    notes="The traces of every gas and the table of peaks (times, heights, areas, ratios, deltas) as evaluated. "
    "Not read: dual-inlet documents (.did, .caf), older .cf, methods.",
)
