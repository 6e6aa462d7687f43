"""A measurement for people: as text, as HTML in a notebook, as a plot."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.measurement._fonts import fonts
from zairyo.measurement.arrays import Array
from zairyo.measurement.model import Axis, Entry, Measurement, Signal
from zairyo.measurement.summary import value_range
from zairyo.measurement.techniques import TECHNIQUES
from zairyo.measurement.techniques import conditions as vocabulary
from zairyo.measurement.text import MeasurementError
from zairyo.measurement.thumbnail import HEIGHT, WIDTH, along, is_reversed, mean_spectrum, numbers, thumbnail

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_ENTRIES = 8
_MOST_SIGNALS = 6
_MOST_CONDITIONS = 8
#: Up to so many spectra are drawn as lines over each other, more as a map.
_MOST_LINES = 12


def describe(measurement: Measurement) -> str:
    """What it is, in some lines: technique, entries with signals, shapes, units and ranges, main conditions."""
    lines = [f"Measurement: {_headline(measurement)}"]
    lines += [f"  {name}: {text}" for name, text in _facts(measurement)]
    for entry in measurement.entries[:_MOST_ENTRIES]:
        is_default = entry.name == measurement.default and len(measurement) > 1
        lines.append(f"  [{entry.name}]{' (default)' if is_default else ''} {entry.title}".rstrip())
        lines += [f"    {line}" for line in _signal_lines(entry)]
        if conditions := _main_conditions(entry):
            lines.append("    " + ", ".join(f"{name} {value}" for name, value in conditions))
    lines += _rest(measurement)
    return "\n".join(lines)


def describe_html(measurement: Measurement) -> str:
    """The same for a notebook, with a small plot; in the notebook's own colours, light or dark."""
    path = thumbnail(measurement[measurement.default])
    plot = (
        f'<img src="{path}" height="156" alt="default plot" style="image-rendering:pixelated">'
        if path[:1] == "d"
        else ""
    )
    plot = plot or (
        f'<svg viewBox="-2 -2 {WIDTH + 4} {HEIGHT + 4}" width="372" height="156" role="img" '
        f'aria-label="default plot"><path d="{path}" fill="none" stroke="currentColor" '
        'stroke-width="0.6" stroke-linejoin="round"/></svg>'
        if path
        else ""
    )
    facts = "".join(f"<div>{escape(n)}: {escape(t)}</div>" for n, t in _facts(measurement))
    rows = "".join(_html_row(entry) for entry in measurement.entries[:_MOST_ENTRIES])
    rest = "".join(f"<div>{escape(line.strip())}</div>" for line in _rest(measurement))
    return (
        f'<div style="max-width:60em"><strong>{escape(_headline(measurement))}</strong>{facts}{plot}'
        f'<table style="text-align:left"><thead><tr><th>Entry</th><th>Signals</th><th>Conditions</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{rest}</div>"
    )


def _html_row(entry: Entry) -> str:
    signals = "<br>".join(escape(line) for line in _signal_lines(entry))
    conditions = "<br>".join(f"{escape(n)} {escape(v)}" for n, v in _main_conditions(entry))
    name = escape(entry.name) + (f"<br>{escape(entry.title)}" if entry.title else "")
    style = ' style="text-align:left;vertical-align:top"'
    return f"<tr><td{style}>{name}</td><td{style}>{signals}</td><td{style}>{conditions}</td></tr>"


def _headline(measurement: Measurement) -> str:
    technique = TECHNIQUES.get(measurement.technique)
    kind = technique.title if technique else measurement.technique
    return f"{measurement.title}, {kind}" if measurement.title else kind


def _facts(measurement: Measurement) -> list[tuple[str, str]]:
    started = measurement.started
    facts = {
        "sample": measurement.sample,
        "instrument": measurement.instrument,
        "operator": measurement.operator,
        "started": started.isoformat(" ", "seconds") if started else "",
    }
    if measurement.source:
        files = [f.name for f in measurement.source.raw_files]
        shown = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
        reader = f"{measurement.source.reader} {measurement.source.reader_version}"
        facts["read from"] = f"{shown} by {reader}" if shown else reader
    return [(name, _one_line(text)) for name, text in facts.items() if text]


def _rest(measurement: Measurement) -> list[str]:
    lines = []
    if (more := len(measurement) - _MOST_ENTRIES) > 0:
        lines.append(f"  … and {more} more entries")
    if number := len(measurement.warnings):
        first = _one_line(measurement.warnings[0], 100)
        lines.append(f"  {number} warning{'s' if number > 1 else ''}: {first}{' …' if number > 1 else ''}")
    return lines


def _signal_lines(entry: Entry) -> list[str]:
    lines = []
    if entry.is_table:
        lines.append(f"table of {entry.signal.values.size} rows × {len(entry.signals)} columns")
    for signal in entry.signals[:_MOST_SIGNALS]:
        line = _with_range(signal)
        if not entry.is_table and signal.axes:
            line += " over " + " × ".join(_with_range(a) for a in entry.axes if a.name in signal.axes)
        lines.append(line)
    if (more := len(entry.signals) - _MOST_SIGNALS) > 0:
        lines.append(f"… and {more} more")
    return lines


def _with_range(part: Signal | Axis) -> str:
    shape = " × ".join(str(n) for n in part.values.shape)
    text = part.name + (f"[{shape}]" if shape else "")
    low, high = value_range(part.values)
    if low is not None and high is not None:
        text += f" {low:.6g} … {high:.6g}" if low != high else f" {low:.6g}"
    return f"{text} {_one_line(part.unit)}" if part.unit else text


def _main_conditions(entry: Entry) -> list[tuple[str, str]]:
    known = vocabulary(entry.technique)
    main = [n for n in entry.conditions if n in known and known[n].main]
    chosen = (main or list(entry.conditions))[:_MOST_CONDITIONS]
    return [(n.replace("_", " "), _one_line(str(entry.conditions[n]))) for n in chosen]


def _one_line(text: str, most: int = 80) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def plot(
    entry: Entry,
    ax: Axes | None = None,
    *,
    signal: str = "",
    log: bool = False,
    lines: bool | None = None,
    **options: Any,
) -> Axes:
    """Draw an entry with Matplotlib.

    One-dimensional signals and tables are drawn as a line with a band of ± one standard deviation where it
    is known; a signal over two axes as lines over each other if they are few, else as a map with a colour
    bar; over more axes as the map of its mean along the fastest one. Complex values by their magnitude.

    Parameters
    ----------
    ax
        Where to draw; a new figure if None.
    signal
        Another signal than the default one.
    log
        Logarithmic intensity, where any is greater than zero.
    lines
        Force lines (True) or a map (False) for a signal over two axes.
    options
        For Matplotlib's ``plot`` or ``pcolormesh``.

    Raises
    ------
    MeasurementError
        If there is nothing to draw: no such signal, text, or no values.
    """
    shown = next((s for s in entry.signals if s.name == (signal or entry.default)), None)
    if shown is None:
        raise MeasurementError(
            f"entry {entry.name} has no signal {signal!r}: {[s.name for s in entry.signals]}"
        )
    values = numbers(shown.values)
    if values is None or values.size == 0:
        what = "is text" if values is None else "has no values"
        raise MeasurementError(
            f"signal {shown.name} of entry {entry.name} {what}; choose another with signal=…"
        )
    with fonts():
        if ax is None:
            from matplotlib import pyplot

            ax = pyplot.subplots(layout="constrained")[1]
        if values.ndim <= 1:
            _draw_line(ax, entry, shown, values, options)
        elif values.ndim == 2 and (len(values) <= _MOST_LINES if lines is None else lines):
            _draw_lines(ax, entry, shown, values, options)
        else:
            _draw_map(ax, entry, shown, values, log, options)
            log = False
        if log and (values > 0).any():  # else there is nothing to see on such an axis
            ax.set_yscale("log", nonpositive="mask")
        ax.set_title(_one_line(entry.title or entry.name.replace("_", " ")), parse_math=False)
    return ax


def _draw_line(ax: Axes, entry: Entry, signal: Signal, values: Array, options: dict[str, Any]) -> None:
    values = np.atleast_1d(values)
    x, label = _positions(entry, signal, len(values))
    style: dict[str, Any] = {"linewidth": 1, "marker": "o" if len(values) == 1 else ""} | options
    (line,) = ax.plot(x, values, **style)
    error = None if signal.uncertainty is None else numbers(signal.uncertainty)
    if error is not None:
        error = np.atleast_1d(error)
        ax.fill_between(x, values - error, values + error, alpha=0.25, color=line.get_color(), linewidth=0)
    _label(ax, entry, (along(entry, signal), signal.name), label, _label_of(signal))


def _draw_lines(ax: Axes, entry: Entry, signal: Signal, values: Array, options: dict[str, Any]) -> None:
    x, label = _positions(entry, signal, values.shape[1])
    slow = entry[signal.axes[0]]
    for position, row in zip(slow.values, values, strict=True):
        shown = f"{position:.6g}" if slow.values.dtype.kind in "iuf" else str(position)
        style: dict[str, Any] = {"linewidth": 1} | options
        ax.plot(x, row, label=f"{shown} {slow.unit}" if slow.unit else shown, **style)
    legend = ax.legend(title=slow.long_name or slow.name.replace("_", " "), fontsize="small")
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)
    _label(ax, entry, (signal.axes[-1], signal.name), label, _label_of(signal))


def _draw_map(
    ax: Axes, entry: Entry, signal: Signal, values: Array, log: bool, options: dict[str, Any]
) -> None:
    from matplotlib.colors import LogNorm

    axes, name = list(signal.axes), _label_of(signal)
    if values.ndim > 2:
        # The mean along the fastest axis, and along the slowest ones until two are left.
        values = mean_spectrum(values.reshape(-1, values.shape[-1]).T).reshape(values.shape[:-1])
        name = f"mean of {name}"
        axes.pop()
    while values.ndim > 2:
        values = mean_spectrum(values.reshape(len(values), -1)).reshape(values.shape[1:])
        axes.pop(0)
    (y, y_label), (x, x_label) = (_grid(entry, a) for a in axes)
    positive = values[np.isfinite(values) & (values > 0)]
    norm = LogNorm(positive.min(), positive.max()) if log and positive.size else None
    style: dict[str, Any] = {"shading": "nearest", "norm": norm, "rasterized": True} | options
    mesh = ax.pcolormesh(x, y, values, **style)
    bar = ax.figure.colorbar(mesh, ax=ax)
    bar.ax.set_ylabel(name, parse_math=False)
    _label(ax, entry, (axes[-1], axes[-2]), x_label, y_label)


def _positions(entry: Entry, signal: Signal, size: int) -> tuple[Array, str]:
    """The positions a line is drawn along, and their label; row numbers where there are none to draw."""
    name = along(entry, signal)
    positions = numbers(entry[name].values) if name else None
    if positions is None:
        return np.arange(size), f"{name.replace('_', ' ')}, point".removeprefix(", ")
    if entry[name].values.dtype.kind == "M":
        return entry[name].values.astype("M8[us]"), _label_of(entry[name])
    return positions, _label_of(entry[name])


def _grid(entry: Entry, name: str) -> tuple[Array, str]:
    """Positions of a map's rows or columns; their numbers where positions make no grid."""
    values = numbers(entry[name].values)
    if values is not None and len(values) > 1 and np.isfinite(values).all():
        steps = np.diff(values)
        if (steps > 0).all() or (steps < 0).all():
            return values, _label_of(entry[name])
    return np.arange(len(entry[name].values)), f"{name.replace('_', ' ')}, point"


def _label_of(part: Signal | Axis) -> str:
    return f"|{part.label}|" if part.values.dtype.kind == "c" else part.label


def _label(ax: Axes, entry: Entry, names: tuple[str, str], x: str, y: str) -> None:
    """Label the axes, and turn them round where the field does; ``names`` are what is along x and y."""
    ax.set_xlabel(x, parse_math=False)  # a "$" of a vendor's begins no formula
    ax.set_ylabel(y, parse_math=False)
    if is_reversed(entry, names[0]) and not ax.xaxis_inverted():
        ax.invert_xaxis()
    if is_reversed(entry, names[1]) and not ax.yaxis_inverted():
        ax.invert_yaxis()
