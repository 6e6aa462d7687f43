"""A predictor's report: text for the terminal, a fragment for the notebook, a page with plots."""

from __future__ import annotations

import html
import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.learn._explain import sentence_for
from zairyo.measurement._fonts import fonts

if TYPE_CHECKING:
    from zairyo.learn.fit import Predictor

#: Of a page of its own; letters and lines of the plots have its colour.
_PAGE = (
    ":root{color-scheme:light dark}body{margin:2rem auto;max-width:60rem;padding:0 1rem;"
    "font-family:system-ui,sans-serif}table{border-collapse:collapse;margin:1rem 0}svg text{fill:currentColor}"
    "th,td{padding:.2rem .8rem .2rem 0;text-align:left}td+td{font-variant-numeric:tabular-nums}"
    "tr+tr{border-top:1px solid color-mix(in srgb,currentColor 20%,transparent)}"
)
STYLE = "font-family:system-ui,sans-serif;max-width:60rem;line-height:1.4"


def headline(predictor: Predictor) -> list[str]:
    """What was learned and how well, a sentence a line."""
    n, groups = len(predictor.y), int(predictor.group.max()) + 1
    apart = f" in {groups} groups" if groups < n else ""
    width = predictor.space.width
    lines = [f"{predictor.target}: {n} sample{'s' * (n != 1)}{apart}, {width} column{'s' * (width != 1)}."]
    if left := len(predictor.left_out):
        lines.append(f"{left} row{'s' * (left != 1)} left out, because a number is missing or too large.")
    found = predictor.validation
    if found is None:
        return [
            *lines,
            "Fewer than three different samples: errors cannot be measured, intervals are assumed.",
        ]
    spread = float(np.std(predictor.y, ddof=1))
    lines += [
        f"Error on samples not seen (RMSE): {_in_unit(predictor.error, predictor)}; the samples' own spread is "
        f"{_in_unit(spread, predictor)} ({found.scheme}).",
        f"90 % intervals held {100 * predictor.coverage(0.9):.0f} % of samples not seen.",
        f"Blend: {sentence_for(found.names, found.weights)}.",
    ]
    if predictor.error > 0.95 * spread:
        lines.append("These columns hardly tell the output: it is predicted no better than by the mean.")
    curve = predictor.learning_curve
    lines.append("Too few samples for a learning curve." if curve is None else curve.sentence(10))
    return lines


def _in_unit(value: float, predictor: Predictor) -> str:
    return f"{value:.4g} {predictor.unit}".rstrip()


def _labelled(text: str, predictor: Predictor) -> str:
    """A heading or an axis' label with the property's unit."""
    return f"{text} ({predictor.unit})" if predictor.unit else text


def model_rows(predictor: Predictor) -> list[tuple[str, str, str]]:
    """Model, error, weight; the best first."""
    found = predictor.validation
    if found is None:
        return []
    order = np.argsort(found.errors, kind="stable")
    return [
        (found.names[int(k)], f"{found.errors[int(k)]:.4g}", f"{100 * found.weights[int(k)]:.0f} %")
        for k in order
    ]


def importance_rows(predictor: Predictor, most: int = 12) -> list[tuple[str, str]]:
    """Variable, growth of the error ± its standard error."""
    return [(one.name, f"{one.value:.3g} ± {one.error:.2g}") for one in predictor.importances[:most]]


def text(predictor: Predictor) -> str:
    """The report for a terminal."""
    lines = headline(predictor)
    lines += _columns(
        f"Models, {_labelled('RMSE on samples not seen', predictor)}, weight", model_rows(predictor)
    )
    lines += _columns(
        f"Importance: {_labelled('growth of the error when shuffled', predictor)}", importance_rows(predictor)
    )
    return "\n".join(lines)


def _columns(title: str, rows: list[Any]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    said = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    ]
    return ["", title, *(line.rstrip() for line in said)]


def fragment(predictor: Predictor, *, plots: bool) -> str:
    """The report as a piece of HTML."""
    parts = [f'<div style="{STYLE}">', *(f"<p>{html.escape(line)}</p>" for line in headline(predictor))]
    parts.append(_table(("model", _labelled("RMSE", predictor), "weight"), model_rows(predictor)))
    parts.append(
        _table(("variable", _labelled("importance: growth of RMSE", predictor)), importance_rows(predictor))
    )
    if plots and predictor.validation is not None:
        parts.append(figure(predictor))
    return "\n".join([*parts, "</div>"])


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    if not rows:
        return ""

    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(head, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def page(predictor: Predictor) -> str:
    """The report as a whole document."""
    title = html.escape(f"Prediction of {predictor.target}")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_PAGE}</style></head>\n'
        f"<body><h1>{title}</h1>\n{fragment(predictor, plots=True)}\n</body></html>\n"
    )


def figure(predictor: Predictor) -> str:
    """Parity, residuals, importances and learning curve as one SVG."""
    from matplotlib.figure import Figure

    # Letters stay letters, which the page's reader draws in the page's colour and, if Japanese, in a font of its own.
    settings = {"svg.hashsalt": "zairyo", "svg.fonttype": "none", "font.size": 8}
    with fonts(**settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        drawn = Figure(figsize=(9, 7), layout="constrained")
        axes = drawn.subplots(2, 2)
        _parity(predictor, axes[0, 0])
        _residuals(predictor, axes[0, 1])
        _bars(predictor, axes[1, 0])
        _curve(predictor, axes[1, 1])
        out = io.StringIO()
        drawn.savefig(out, format="svg", metadata={"Date": None}, transparent=True)
    svg = out.getvalue()[out.getvalue().index("<svg") :]
    svg = svg.replace("#000000", "currentColor").replace(
        "<svg ", '<svg style="max-width:100%;height:auto" ', 1
    )
    return f'<div role="img" aria-label="Parity, residuals, importances and learning curve">{svg}</div>'


def _parity(predictor: Predictor, axes: Any) -> None:
    found = predictor.validation
    assert found is not None
    ends = [float(predictor.y.min()), float(predictor.y.max())]
    axes.plot(ends, ends, color="0.6", lw=1)
    axes.errorbar(predictor.y, found.mean, found.deviation, fmt="o", ms=3, lw=0.6)
    axes.set(
        xlabel=_labelled(f"measured {predictor.target}", predictor),
        ylabel="predicted, not seen (± 1 SD)",
        title="Parity",
    )


def _residuals(predictor: Predictor, axes: Any) -> None:
    found = predictor.validation
    assert found is not None
    axes.axhline(0, color="0.6", lw=1)
    axes.plot(found.mean, predictor.y - found.mean, "o", ms=3)
    axes.set(
        xlabel=_labelled("predicted, not seen", predictor), ylabel="measured - predicted", title="Residuals"
    )


def _bars(predictor: Predictor, axes: Any) -> None:
    shown = predictor.importances[:12][::-1]
    axes.barh([one.name for one in shown], [one.value for one in shown], xerr=[one.error for one in shown])
    axes.set(xlabel=_labelled("growth of RMSE when shuffled", predictor), title="Importances")


def _curve(predictor: Predictor, axes: Any) -> None:
    curve = predictor.learning_curve
    axes.set(
        xlabel="samples", ylabel=_labelled("RMSE on samples not seen", predictor), title="Learning curve"
    )
    if curve is None:
        axes.text(0.5, 0.5, "too few samples", transform=axes.transAxes, ha="center")
        return
    axes.errorbar(curve.sizes, curve.errors, curve.spreads, fmt="o", ms=4, lw=0.8)
    ahead = np.unique(np.geomspace(curve.sizes[0], curve.now * 1.5, 30).round().astype(int))
    bands = np.array([curve.at(int(n)) for n in ahead])
    axes.plot(ahead, bands[:, 0])
    axes.fill_between(ahead, bands[:, 1], bands[:, 2], alpha=0.2)
    axes.axvline(curve.now, color="0.6", lw=1, ls=":")
