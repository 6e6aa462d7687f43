"""TOYO's tables: headings in Japanese or English, states, signs and what is computed from them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Signal, make_name
from zairyo.readers._api import ReadError
from zairyo.readers._cycler_text import lines_of, moments_of, numbers_of, seconds_of, table_of
from zairyo.readers._electrochemistry import Columns
from zairyo.readers._text_export import texts

Array = NDArray[Any]

#: Heading without its unit, in full-width kana or lower case without blanks → name.
_NAMES = {
    "サイクル": "cycle", "cycle": "cycle", "総サイクル": "total_cycle", "totlcycle": "total_cycle",
    "totalcycle": "total_cycle", "モード": "step_index", "mode": "step_index", "ステップ": "step",
    "経過時間": "step_time", "passtime": "step_time", "passedtime": "step_time", "ステップ時間": "step_time",
    "総経過時間": "time", "totlpasstime": "time", "totalpasstime": "time", "総時間": "time",
    "電圧": "voltage", "voltage": "voltage", "電流": "current", "current": "current", "電力": "power",
    "電気量": "capacity", "容量": "capacity", "cap": "capacity", "capacity": "capacity",
    "電力量": "energy", "pow": "energy", "energy": "energy", "温度": "temperature", "内部抵抗": "internal_resistance",
    "avevolt": "mean_voltage", "peakvolt": "peak_voltage", "peaktemp": "peak_temperature",
    "ocv": "open_circuit_voltage", "dchcycle": "discharge_cycle", "passeddate": "passed_days",
}  # fmt: skip
_STATE = frozenset({"状態", "condition"})
_DATE, _TIME = frozenset({"日付", "date"}), frozenset({"時刻", "time"})
_BOTH = frozenset({"日時", "測定日時", "datetime"})
_CODES = {0: "rest", 1: "charge", 2: "discharge", 3: "rest", 9: "abort"}
_STATES = {
    "休止": "rest",
    "充電": "charge",
    "放電": "discharge",
    "充電休止": "rest_after_charge",
    "放電休止": "rest_after_discharge",
    "中断": "abort",
}
_UNITS = {
    "Sec": "s",
    "sec": "s",
    "秒": "s",
    "Deg": "degC",
    "deg": "degC",
    "℃": "degC",
    "Hour": "h",
    "Min": "min",
}
_COUNTS = frozenset({"cycle", "total_cycle", "step_index", "step", "discharge_cycle"})
_ENCODINGS = ("utf-8-sig", "cp932", "cp949")


@dataclass(frozen=True)
class Heading:
    """A column's heading: as written, its quantity in one spelling, its unit as written."""

    text: str
    quantity: str
    unit: str


@dataclass
class Rows:
    """A table: headings, and for each a column of numbers or texts. ``running``: amounts grow within a step."""

    headings: list[Heading]
    cells: list[Any]
    running: bool = True


def decode(data: bytes, name: str) -> list[str]:
    """The lines of a file of a Japanese or Korean computer."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return lines_of(data)
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding).split("\n")
        except UnicodeDecodeError:
            continue
    raise ReadError(f"{name} is text neither in Shift-JIS, UTF-8 nor Korean; it is damaged or no TOYO file.")


def headings_of(names: list[str], units: list[str]) -> list[Heading]:
    """Headings, whose unit stands in brackets behind the name or in a line of its own."""
    found = []
    for at, name in enumerate(names):
        plain = unicodedata.normalize("NFKC", name).strip().strip('"')
        match = re.fullmatch(r"(.*?)\s*\[([^\]]*)\]", plain)
        quantity, unit = (match[1], match[2]) if match else (plain, "")
        if not unit and at < len(units):
            unit = unicodedata.normalize("NFKC", units[at]).strip("[] ")
        found.append(Heading(name.strip(), re.sub(r"\s+", "", quantity).casefold(), unit))
    return found


def rows_of(
    lines: list[str], start: int, headings: list[Heading], name: str = "", delimiter: str = ","
) -> Rows:
    """The rows from line ``start`` on, under their headings (blank ones at the end of the line may lack cells)."""
    first = next((line for line in lines[start:] if line.strip()), "")
    count = len(headings)
    while count > first.count(delimiter) + 1 and not headings[count - 1].text:
        count -= 1
    decimal = "," if delimiter != "," and "." not in first and re.search(r"\d,\d", first) else "."
    try:
        cells = table_of(lines, start, delimiter, count, decimal)
    except ReadError as e:
        raise ReadError(f"{name}: {e}" if name else str(e)) from None
    blank: list[str] = [""] * len(cells[0])
    return Rows(headings, [*cells, *[blank] * (len(headings) - count)])


def fill(rows: Rows, warnings: list[str]) -> Columns:
    """The columns under the vocabulary's names, signed by the state, with time and capacity where they can be told."""
    columns = Columns()
    dates: list[str] | None = None
    clocks: list[str] | None = None
    states: Array | None = None
    for heading, cells in zip(rows.headings, rows.cells, strict=True):
        if not heading.text:
            continue
        if heading.quantity in _STATE:
            states = _states(cells, warnings)
        elif heading.quantity in _DATE | _BOTH and not isinstance(cells, np.ndarray):
            dates = cells
        elif heading.quantity in _TIME and not isinstance(cells, np.ndarray):
            clocks = cells
        else:
            _add(columns, heading, cells, warnings)
    if dates is not None:
        whole = dates if clocks is None else [f"{d} {c.strip()}" for d, c in zip(dates, clocks, strict=True)]
        told = moments_of(whole)
        if told is not None:
            columns.add("timestamp", told[0], None, "日時")
    if states is not None:
        columns.add("step_type", states, None, "状態")
    if rows.running:
        _finish(columns, states)
    warnings += columns.warnings
    return columns


def _add(columns: Columns, heading: Heading, cells: Any, warnings: list[str]) -> None:
    name = _NAMES.get(heading.quantity)
    if name is None:
        name = (
            "temperature"
            if heading.quantity.startswith(("temp", "温度"))
            else make_name(heading.text, "column")
        )
    clock = not isinstance(cells, np.ndarray) and name in ("step_time", "time") and ":" in cells[0]
    values = seconds_of(cells) if clock else numbers_of(cells, ".", heading.text, warnings)
    if values is None or not np.isfinite(values).any():
        words = [] if isinstance(cells, np.ndarray) else cells
        if any(words):
            columns.add(name, texts(words), None, heading.text)
        return
    unit = columns.unit(_UNITS.get(heading.unit, heading.unit), heading.text)
    if clock:
        unit = "s"
    if unit is not None and unit.endswith("/g") and name in ("capacity", "energy"):
        name = f"specific_{name}"
    if name in _COUNTS and np.isfinite(values).all() and (values == np.rint(values)).all():
        values, unit = values.astype(np.int64), ""
    columns.add(name, values, unit, heading.text)


def _states(cells: Any, warnings: list[str]) -> Array:
    """States in words of the vocabulary; an unknown code keeps its number, an unknown word itself."""
    if isinstance(cells, np.ndarray):
        codes = {c: _CODES.get(int(c)) if np.isfinite(c) else "unknown" for c in np.unique(cells).tolist()}
        unknown = [f"{c:g}" for c, word in codes.items() if word is None]
        words = [codes.get(c) or f"state_{c:g}" for c in cells.tolist()]
    else:
        plain = {c: unicodedata.normalize("NFKC", c).strip() for c in set(cells)}
        unknown = sorted(t for t in plain.values() if t and t not in _STATES)
        words = [_STATES.get(plain[c], plain[c]) for c in cells]
    if unknown:
        warnings.append(f"The states {', '.join(unknown[:5])} are not known; they are kept as they stand.")
    return texts(words)


def _finish(columns: Columns, states: Array | None) -> None:
    """Signs by the state; time since the start; amounts in charge and in discharge."""
    from dataclasses import replace

    if states is not None:
        discharging, charging = states == "discharge", states == "charge"
        for at, signal in enumerate(columns.signals):
            if signal.name == "current" and _is_numeric(signal) and not np.any(signal.values < 0):
                columns.signals[at] = replace(
                    signal, values=np.where(discharging, -signal.values, signal.values)
                )
    if "time" not in columns and columns.started() is not None:
        times = columns["timestamp"]
        known = times[~np.isnat(times)]
        if len(known):
            columns.add("time", (times - known[0]) / np.timedelta64(1, "s"), "s", "Time, from 日時")
    if states is None:
        return
    if not any(name in columns for name in ("capacity", "specific_capacity")):
        _integrate(columns, states)
    for amount in ("capacity", "specific_capacity", "energy", "specific_energy"):
        found = next((s for s in columns.signals if s.name == amount), None)
        if found is not None and _is_numeric(found):
            for way, rows in (("charge", charging), ("discharge", discharging)):
                name = (
                    f"{way}_{amount}"
                    if not amount.startswith("specific")
                    else amount.replace("_", f"_{way}_", 1)
                )
                columns.add(
                    name,
                    np.where(rows, np.abs(found.values), 0.0),
                    found.unit,
                    f"{found.long_name}, {way}",
                )


def _is_numeric(signal: Signal) -> bool:
    """Whether it is no column of words, as one is whose cells are damaged."""
    return signal.values.dtype.kind in "fi"


def _integrate(columns: Columns, states: Array) -> None:
    """Capacity of each step: current over the time in the step, by the trapezoidal rule."""
    units = {s.name: s.unit for s in columns.signals}
    if units.get("step_time") != "s" or units.get("current") not in ("mA", "A"):
        return
    time, current = columns["step_time"].astype(float), np.abs(columns["current"]).astype(float)
    begins = np.ones(len(time), bool)
    begins[1:] = (states[1:] != states[:-1]) | (np.diff(time) < 0)
    for name in ("step_index", "cycle", "total_cycle"):
        if name in columns:
            begins[1:] |= columns[name][1:] != columns[name][:-1]
    step, mean = np.diff(time, prepend=0.0), current.copy()
    mean[1:] = (current[1:] + current[:-1]) / 2
    mean[begins], step[begins] = current[begins], time[begins]
    moved = np.nan_to_num(mean * step) / 3600
    total = np.cumsum(moved)
    starts = np.flatnonzero(begins)
    before = total[starts] - moved[starts]
    amount = total - np.repeat(before, np.diff(starts, append=len(time)))
    unit = "mAh" if units["current"] == "mA" else "Ah"
    columns.add("capacity", amount, unit, "Capacity of the step, from current and time")
