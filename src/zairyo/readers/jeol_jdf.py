"""JEOL Delta ``.jdf``: NMR data of one or more dimensions with all parameters of the experiment.

The head is big-endian; parameters and data are as it says. Data are sections (the real part, the imaginary ...), each
in submatrices. Facts about the head: JEOL's published description of the format, as used by the readers there are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from zairyo.measurement import Entry, Measurement, clean_text, tidy_metadata
from zairyo.measurement.model import Array
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._nmr import Conditions, Dimension, check_size, from_blocks, nmr_entry, nucleus_of

_MAGIC = b"JEOL.NMR"
_HEAD = 1296
_PARAMETER = 64
_MOST_PARAMETERS = 20_000
_EPOCH = datetime(1990, 1, 1)
#: Data format → points along an edge of a submatrix.
_EDGES = {1: 8, 2: 32, 3: 8, 4: 8, 5: 4, 6: 4, 7: 2, 8: 2, 12: 4, 13: 4, 14: 4}
_COMPLEX, _REAL_COMPLEX = 3, 4
_AXIS_TYPES = {0: "none", 1: "real", 2: "TPPI", 3: "complex", 4: "real complex", 5: "envelope"}
_UNITS = ("", "abundance", "A", "cd", "degC", "C", "deg", "eV", "F", "Sv", "g", "Gy", "H", "Hz", "K", "J", "l", "lm",
          "lx", "m", "mol", "N", "ohm", "Pa", "percent", "point", "ppm", "rad", "s", "S", "sr", "T", "V", "W", "Wb",
          "dB", "Da", "thompson", "generic", "percent of level", "ppt", "ppb", "index")  # fmt: skip
#: A unit's prefix is a power of 1000: milli is 1, kilo -1.
_PREFIXES = {-8: "Y", -7: "Z", -6: "E", -5: "P", -4: "T", -3: "G", -2: "M", -1: "k", 0: "", 1: "m", 2: "u", 3: "n",
             4: "p", 5: "f", 6: "a", 7: "z"}  # fmt: skip
_INSTRUMENTS = {1: "GSX", 2: "Alpha", 3: "Eclipse", 13: "Lambda", 25: "ECA/ECX", 6: "", 7: ""}


@dataclass(frozen=True)
class _Head:
    """What the head says, an element a dimension in its lists; only the dimensions that are there."""

    order: str
    kind: np.dtype[Any]
    format: int
    instrument: int
    types: tuple[int, ...]
    units: tuple[tuple[int, str], ...]
    listed: tuple[bool, ...]
    points: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    axis_start: tuple[float, ...]
    axis_stop: tuple[float, ...]
    texts: dict[str, str]
    titles: tuple[str, ...]
    frequencies: tuple[float, ...]
    parameters: int
    lists: tuple[tuple[int, int], ...]
    data: int
    length: int

    @property
    def sections(self) -> int:
        """Real and imaginary parts: two for each complex dimension, or two in all."""
        return 2 if _REAL_COMPLEX in self.types else int(2 ** self.types.count(_COMPLEX))


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head[:8] == _MAGIC else NO


def read(src: RawInput) -> Measurement:
    data = src.read_bytes()
    try:
        head = _read_head(data)
        parameters = _read_parameters(data, head)
    except struct.error as e:
        raise ReadError(
            f"{src.name} is cut off within its head or parameters ({e}). Copy it again."
        ) from None
    warnings: list[str] = []
    entry = _entry(data, head, parameters, warnings)
    values = {name: value for name, (value, _) in parameters.items()}
    return Measurement(
        entries=(entry,),
        title=head.texts["title"] or src.name,
        sample=_sample(str(values.get("sample_id", "")), head.texts["title"]),
        operator=head.texts["author"],
        instrument=f"JEOL {values.get('inst_model_number') or _INSTRUMENTS.get(head.instrument, '')}".strip(),
        original_metadata=tidy_metadata({"header": _told(head), "parameters": _told_parameters(parameters)}),
        warnings=tuple(warnings),
    )


def _sample(told: str, title: str) -> str:
    """A parameter holds 16 bytes: a longer name goes on in the title, where that begins with it."""
    return title if len(told.encode()) >= 15 and title.startswith(told) else told


# --- head and parameters ------------------------------------------------------------------------------------


def _text(raw: bytes) -> str:
    raw = raw.split(b"\0")[0]
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        decoded = raw.decode("cp932", "replace")
    text = clean_text(decoded).strip()
    return text if text.isprintable() else ""


def _unit(first: int, second: int) -> tuple[int, str]:
    """A prefix (a power of 1/1000) and power in one byte, a unit in the next → (prefix, unit)."""
    prefix = first >> 4
    power = first & 15
    power = power - 16 if power > 7 else power
    name = _UNITS[second] if second < len(_UNITS) else f"unit {second}"
    return prefix - 16 if prefix > 7 else prefix, f"{name}**{power}" if name and power not in (0, 1) else name


def _read_head(data: bytes) -> _Head:
    if data[:8] != _MAGIC:
        raise ReadError("this is no file of JEOL's Delta: it does not begin with 'JEOL.NMR'")
    if len(data) < _HEAD:
        raise ReadError(
            f"the file is cut off: {len(data)} bytes, and its head alone has {_HEAD}. Copy it again."
        )
    rank = data[12]
    if not 1 <= rank <= 8 or data[8] > 1:
        raise ReadError(f"the head tells of {rank} dimensions and byte order {data[8]}; it is damaged")
    fmt, width = data[14] & 63, data[14] >> 6
    if fmt not in _EDGES or width > 1:
        raise ReadError(
            f"the head tells of data of kind {fmt} and width {width}, which no NMR data have; it is damaged"
        )
    order = "<" if data[8] else ">"
    ranged = [n for byte in data[172:176] for n in (byte >> 4, byte & 15)]

    def eight(form: str, at: int) -> tuple[Any, ...]:
        return struct.unpack_from(f">8{form}", data, at)[:rank]

    (parameters,) = struct.unpack_from(">I", data, 1212)
    starts, lengths = struct.unpack_from(">8I", data, 1220), struct.unpack_from(">8I", data, 1252)
    data_start, length = struct.unpack_from(">IQ", data, 1284)
    return _Head(
        order=order,
        kind=np.dtype(f"{order}f8" if width == 0 else f"{order}f4"),
        format=fmt,
        instrument=data[15],
        types=tuple(data[24 : 24 + rank]),
        units=tuple(_unit(data[32 + 2 * i], data[33 + 2 * i]) for i in range(rank)),
        listed=tuple(n in (1, 3) for n in ranged[:rank]),
        points=eight("I", 176),
        first=eight("I", 208),
        last=eight("I", 240),
        axis_start=eight("d", 272),
        axis_stop=eight("d", 336),
        texts={
            "title": _text(data[48:172]),
            "node": _text(data[408:424]),
            "site": _text(data[424:552]),
            "author": _text(data[552:680]),
            "comment": _text(data[680:808]),
        },
        titles=tuple(_text(data[808 + 32 * i : 840 + 32 * i]) for i in range(rank)),
        frequencies=eight("d", 1064),
        parameters=parameters,
        lists=tuple(zip(starts, lengths, strict=True))[:rank],
        data=data_start,
        length=length,
    )


def _read_parameters(data: bytes, head: _Head) -> dict[str, tuple[Any, str]]:
    """Every parameter: its value and its unit; names in lower case."""
    at = head.parameters
    if at < _HEAD or at + 16 > len(data):
        raise ReadError(
            f"the parameters should begin at byte {at}, but the file has {len(data)}; it is cut off. Copy it again."
        )
    size, _, highest, _ = struct.unpack_from(f"{head.order}4I", data, at)
    count = highest + 1
    if size < _PARAMETER or size > 4096 or count > _MOST_PARAMETERS:
        raise ReadError(f"the parameters have {size} bytes each and are {count}; the file is damaged")
    found: dict[str, tuple[Any, str]] = {}
    for i in range(min(count, (len(data) - at - 16) // size)):
        record = data[at + 16 + i * size : at + 16 + i * size + _PARAMETER]
        name = _text(record[36:64]).lower().replace(" ", "")
        (kind,) = struct.unpack_from(f"{head.order}i", record, 32)
        if name:
            found.setdefault(name, (_value(record[16:32], kind, head.order), _units(record)))
    return found


def _value(raw: bytes, kind: int, order: str) -> Any:
    if kind == 0:
        return _text(raw)
    if kind == 1:
        return struct.unpack_from(f"{order}i", raw)[0]
    if kind == 2:
        return struct.unpack_from(f"{order}d", raw)[0]
    if kind == 3:
        return list(struct.unpack_from(f"{order}2d", raw))
    return "infinity" if kind == 4 else ""


def _units(record: bytes) -> str:
    parts = [_unit(record[6 + 2 * i], record[7 + 2 * i]) for i in range(5)]
    return "*".join(f"{_PREFIXES[prefix]}{unit}" for prefix, unit in parts if unit)


def _told(head: _Head) -> dict[str, Any]:
    return {
        **head.texts,
        "axis_titles": head.titles,
        "axis_types": [_AXIS_TYPES.get(t, str(t)) for t in head.types],
        "axis_units": [f"{_PREFIXES[prefix]}{unit}" for prefix, unit in head.units],
        "data_points": head.points,
        "data_offset_start": head.first,
        "data_offset_stop": head.last,
        "axis_start": head.axis_start,
        "axis_stop": head.axis_stop,
        "base_frequency": head.frequencies,
    }


def _told_parameters(parameters: dict[str, tuple[Any, str]]) -> dict[str, Any]:
    return {
        name: {"value": value, "unit": unit} if unit else value for name, (value, unit) in parameters.items()
    }


# --- data ---------------------------------------------------------------------------------------------------


def _entry(data: bytes, head: _Head, parameters: dict[str, tuple[Any, str]], warnings: list[str]) -> Entry:
    sections = _sections(data, head)
    dimensions = [_dimension(data, head, i) for i in reversed(range(len(head.points)))]
    is_time = dimensions[-1].kind == "time"
    shared: dict[str, Any] = {
        "title": head.texts["title"],
        "conditions": _conditions(head, parameters),
        "started": _started(parameters),
    }
    if len(sections) == 1:
        return nmr_entry("fid" if is_time else "spectrum", dimensions, sections[0], **shared)
    if len(sections) > 4:
        warnings.append("Of the data's real and imaginary parts in every dimension, the first two are kept.")
    direct = sections[0] - 1j * sections[1]
    if not is_time:
        return nmr_entry("spectrum", dimensions, sections[0], -sections[1], **shared)
    if len(sections) == 4 and len(dimensions) == 2:  # cosine and sine of the indirect dimension, in turn
        rows = np.empty((2 * direct.shape[0], direct.shape[1]), complex)
        rows[::2] = direct
        rows[1::2] = -(sections[2] - 1j * sections[3])
        dimensions = [Dimension(len(rows), "increment"), dimensions[1]]
        direct = rows
    return nmr_entry("fid", dimensions, direct, **shared)


def _sections(data: bytes, head: _Head) -> list[Array]:
    """Each part of the data, in the shape of the dimensions (slowest first), only the points that are valid."""
    shape = tuple(reversed(head.points))
    there = max(len(data) - head.data, 0) // head.kind.itemsize
    check_size([head.sections, *shape], there if head.data >= _HEAD else 0, "the data")
    edge = _EDGES[head.format]
    block = shape if len(shape) == 1 else (edge,) * len(shape)
    if any(n % b for n, b in zip(shape, block, strict=True)):
        raise ReadError(
            f"{' × '.join(map(str, shape))} points are no whole number of submatrices of {edge}; the file is damaged"
        )
    valid = tuple(
        slice(first, last + 1) for first, last in zip(reversed(head.first), reversed(head.last), strict=True)
    )
    if any(v.start >= v.stop or v.stop > n for v, n in zip(valid, shape, strict=True)):
        raise ReadError("the head tells of valid points that are not there; the file is damaged")
    size = int(np.prod(shape))
    flat = np.frombuffer(data, head.kind, head.sections * size, head.data)
    return [from_blocks(flat[i * size : (i + 1) * size], shape, block)[valid] for i in range(head.sections)]


def _dimension(data: bytes, head: _Head, i: int) -> Dimension:
    points = head.last[i] - head.first[i] + 1
    prefix, unit = head.units[i]
    scale = 1000.0**-prefix
    kind = {"s": "time", "ppm": "shift", "Hz": "frequency"}.get(unit, "increment")
    start, length = head.lists[i]
    if head.listed[i] and length >= 8 * points and start + 8 * points <= len(data):
        listed = np.frombuffer(data, f"{head.order}f8", points, start) * scale
        if kind != "increment" and np.isfinite(listed).all():
            return Dimension(points, kind, listed=listed)
    first, last = head.axis_start[i] * scale, head.axis_stop[i] * scale
    if kind == "increment" or points < 2 or first == last:
        return Dimension(points, "increment" if points > 1 or kind == "increment" else kind, first)
    return Dimension(points, kind, first, (last - first) / (points - 1))


def _conditions(head: _Head, parameters: dict[str, tuple[Any, str]]) -> Conditions:
    found = Conditions()

    def number(name: str) -> float | None:
        value, unit = parameters.get(name, (None, ""))
        prefix = next(
            (p for p, letter in _PREFIXES.items() if letter and unit[:1] == letter and len(unit) > 1), 0
        )
        known = unit[1:] in _UNITS and unit not in _UNITS
        return value * 1000.0 ** -(prefix if known else 0) if isinstance(value, (int, float)) else None

    def text(name: str) -> Any:
        return parameters.get(name, ("",))[0]

    found.text("nucleus", nucleus_of(str(text("x_domain") or head.titles[0])))
    frequency = number("x_freq")
    found.number("observe_frequency", frequency / 1e6 if frequency else head.frequencies[0], "MHz")
    found.text("solvent", text("solvent"))
    found.text("pulse_sequence", text("experiment"))
    found.number("temperature", number("temp_get"), "degC", positive=False)
    # Of several dimensions the total is that of all increments; of one it is what was there when it was stopped.
    scans = text("scans") if len(head.points) > 1 else text("total_scans") or text("scans")
    found.number("repetitions", scans, "")
    found.number("spectral_width", number("x_sweep"), "Hz")
    found.number("acquisition_time", number("x_acq_time") or number("x_acq_duration"), "s")
    found.number("relaxation_delay", number("relaxation_delay"), "s")
    pulse = number("x_pulse")
    found.number("pulse_width", pulse * 1e6 if pulse else None, "us")
    found.number("receiver_gain", number("recvr_gain"), "")
    found.number("spinning_rate", number("mas_spin_get") or number("spin_get"), "Hz")
    found.number("magnetic_field", number("field_strength"), "T")
    probe = text("probe_id")
    found.text("probe", f"{probe:g}" if isinstance(probe, float) else probe)
    found.text("software_version", text("version"))
    if len(head.points) > 1:
        found.text("indirect_nucleus", nucleus_of(str(text("y_domain") or head.titles[1])))
        other = number("y_freq")
        found.number("indirect_frequency", other / 1e6 if other else head.frequencies[1], "MHz")
        found.number("indirect_spectral_width", number("y_sweep"), "Hz")
    found.text("comment", head.texts["comment"])
    return found


def _started(parameters: dict[str, tuple[Any, str]]) -> datetime | None:
    seconds = parameters.get("actual_start_time", (None,))[0]
    if isinstance(seconds, (int, float)) and 0 < seconds < 1e10:
        return _EPOCH + timedelta(seconds=seconds)
    return None


READER = Reader(
    name="jeol_jdf",
    version="2",
    techniques=("nmr",),
    vendor="JEOL",
    format="Delta JDF",
    endings=(".jdf",),
    sniff=sniff,
    read=read,
    notes="Decays and spectra of one or more dimensions, with submatrices, listed axes and all parameters. Not read: "
    "the history of processing, annotations.",
)
