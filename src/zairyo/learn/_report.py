"""A predictor's report: text for the terminal, a fragment for the notebook, a page with plots."""

from __future__ import annotations

import html
import io
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from unicodedata import east_asian_width

import numpy as np

from zairyo.learn._explain import parts_of
from zairyo.learn._said import name_in, words_of
from zairyo.measurement._fonts import fonts

if TYPE_CHECKING:
    from zairyo.learn.fit import Predictor

Words: TypeAlias = Mapping[str, str]
#: Of a page of its own; letters and lines of the plots have its colour.
_PAGE = (
    ":root{color-scheme:light dark}body{margin:2rem auto;max-width:60rem;padding:0 1rem;"
    "font-family:system-ui,sans-serif}table{border-collapse:collapse;margin:1rem 0}svg text{fill:currentColor}"
    "th,td{padding:.2rem .8rem .2rem 0;text-align:left}td+td{font-variant-numeric:tabular-nums}"
    "tr+tr{border-top:1px solid color-mix(in srgb,currentColor 20%,transparent)}"
)
STYLE = "font-family:system-ui,sans-serif;max-width:60rem;line-height:1.4"


def headline(predictor: Predictor, words: Words) -> list[str]:
    """What was learned and how well, a sentence a line."""
    n, groups = len(predictor.y), int(predictor.group.max()) + 1
    apart = words["apart"].format(n=groups) if groups < n else ""
    columns = _counted(words, "column", predictor.space.width)
    lines = [
        words["learned"].format(
            target=predictor.target, samples=_counted(words, "sample", n), apart=apart, columns=columns
        )
    ]
    if left := len(predictor.left_out):
        lines.append(words["left out one" if left == 1 else "left out"].format(n=left))
    if filled := int(predictor.holes.any(axis=1).sum()):
        lines.append(words["filled"].format(n=filled, of=n))
    found = predictor.validation
    if found is None:
        return [*lines, words["too few"]]
    spread = float(np.std(predictor.y, ddof=1))
    lines += [
        words["error"].format(
            error=_in_unit(predictor.error, predictor),
            spread=_in_unit(spread, predictor),
            scheme=name_in(words, found.scheme),
        ),
        words["held"].format(share=f"{100 * predictor.coverage(0.9):.0f}"),
        words["blend"].format(parts=parts_of(found.names, found.weights, words)),
    ]
    if spread == 0:
        lines.append(words["all alike"])
    elif predictor.error > 0.95 * spread:
        lines.append(words["mean only"])
    curve = predictor.learning_curve
    lines.append(words["no curve"] if curve is None else curve.sentence(10, words))
    return lines


def _counted(words: Words, what: str, n: int) -> str:
    return words[what] if n == 1 else words[f"{what}s"].format(n=n)


def _in_unit(value: float, predictor: Predictor) -> str:
    return f"{value:.4g} {predictor.unit}".rstrip()


def _labelled(text: str, predictor: Predictor) -> str:
    """A heading or an axis' label with the property's unit."""
    return f"{text} ({predictor.unit})" if predictor.unit else text


def model_rows(predictor: Predictor, words: Words) -> list[tuple[str, str, str]]:
    """Model, error, weight; the best first."""
    found = predictor.validation
    if found is None:
        return []
    order = np.argsort(found.errors, kind="stable")
    return [
        (
            name_in(words, found.names[int(k)]),
            f"{found.errors[int(k)]:.4g}",
            f"{100 * found.weights[int(k)]:.0f} %",
        )
        for k in order
    ]


def importance_rows(predictor: Predictor, words: Words, most: int = 12) -> list[tuple[str, str]]:
    """Variable, growth of the error ± its standard error."""
    shown = predictor.importances[:most]
    return [(name_in(words, one.name), f"{one.value:.3g} ± {one.error:.2g}") for one in shown]


def text(predictor: Predictor, language: str = "en") -> str:
    """The report for a terminal."""
    words = words_of(language)
    rmse = _labelled(words["rmse unseen"], predictor)
    grown = _labelled(words["grown"], predictor)
    lines = headline(predictor, words)
    lines += _columns(words["models"].format(rmse=rmse), model_rows(predictor, words))
    lines += _columns(words["importance"].format(grown=grown), importance_rows(predictor, words))
    return "\n".join(lines)


def _columns(title: str, rows: list[Any]) -> list[str]:
    if not rows:
        return []
    widths = [max(_wide(row[k]) for row in rows) for k in range(len(rows[0]))]
    said = [
        "  " + "  ".join(cell + " " * (width - _wide(cell)) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return ["", title, *(line.rstrip() for line in said)]


def _wide(text: str) -> int:
    """Places in a terminal: two for a Japanese letter."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def fragment(predictor: Predictor, *, plots: bool, language: str = "en") -> str:
    """The report as a piece of HTML."""
    words = words_of(language)
    lines = headline(predictor, words)
    parts = [f'<div style="{STYLE}">', *(f"<p>{html.escape(line)}</p>" for line in lines)]
    head = (words["model"], _labelled("RMSE", predictor), words["weight"])
    parts.append(_table(head, model_rows(predictor, words)))
    grown = (words["variable"], _labelled(words["importance head"], predictor))
    parts.append(_table(grown, importance_rows(predictor, words)))
    if plots and predictor.validation is not None:
        parts.append(figure(predictor, words))
    return "\n".join([*parts, "</div>"])


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    if not rows:
        return ""

    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(head, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def page(predictor: Predictor, language: str = "en") -> str:
    """The report as a whole document."""
    title = html.escape(words_of(language)["title"].format(target=predictor.target))
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_PAGE}</style></head>\n'
        f"<body><h1>{title}</h1>\n{fragment(predictor, plots=True, language=language)}\n</body></html>\n"
    )


def figure(predictor: Predictor, words: Words) -> str:
    """Parity, residuals, importances and learning curve as one SVG."""
    from matplotlib.figure import Figure

    # Letters stay letters, which the page's reader draws in the page's colour and, if Japanese, in a font of its own.
    settings = {"svg.hashsalt": "zairyo", "svg.fonttype": "none", "font.size": 8}
    with fonts(**settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        drawn = Figure(figsize=(9, 7), layout="constrained")
        axes = drawn.subplots(2, 2)
        _parity(predictor, axes[0, 0], words)
        _residuals(predictor, axes[0, 1], words)
        _bars(predictor, axes[1, 0], words)
        _curve(predictor, axes[1, 1], words)
        out = io.StringIO()
        drawn.savefig(out, format="svg", metadata={"Date": None}, transparent=True)
    svg = out.getvalue()[out.getvalue().index("<svg") :]
    svg = svg.replace("#000000", "currentColor").replace(
        "<svg ", '<svg style="max-width:100%;height:auto" ', 1
    )
    return f'<div role="img" aria-label="{words["plots"]}">{svg}</div>'


def _parity(predictor: Predictor, axes: Any, words: Words) -> None:
    found = predictor.validation
    assert found is not None
    ends = [float(predictor.y.min()), float(predictor.y.max())]
    axes.plot(ends, ends, color="0.6", lw=1)
    axes.errorbar(predictor.y, found.mean, found.deviation, fmt="o", ms=3, lw=0.6)
    axes.set(
        xlabel=_labelled(words["measured"].format(target=predictor.target), predictor),
        ylabel=words["predicted sd"],
        title=words["parity"],
    )


def _residuals(predictor: Predictor, axes: Any, words: Words) -> None:
    found = predictor.validation
    assert found is not None
    axes.axhline(0, color="0.6", lw=1)
    axes.plot(found.mean, predictor.y - found.mean, "o", ms=3)
    axes.set(
        xlabel=_labelled(words["predicted"], predictor),
        ylabel=words["residual"],
        title=words["residuals"],
    )


def _bars(predictor: Predictor, axes: Any, words: Words) -> None:
    shown = predictor.importances[:12][::-1]
    axes.barh(
        [name_in(words, one.name) for one in shown],
        [one.value for one in shown],
        xerr=[one.error for one in shown],
    )
    axes.set(xlabel=_labelled(words["grown rmse"], predictor), title=words["importances"])


def _curve(predictor: Predictor, axes: Any, words: Words) -> None:
    curve = predictor.learning_curve
    axes.set(
        xlabel=words["samples axis"],
        ylabel=_labelled(words["rmse unseen"], predictor),
        title=words["curve"],
    )
    if curve is None:
        axes.text(0.5, 0.5, words["too few short"], transform=axes.transAxes, ha="center")
        return
    axes.errorbar(curve.sizes, curve.errors, curve.spreads, fmt="o", ms=4, lw=0.8)
    ahead = np.unique(np.geomspace(curve.sizes[0], curve.now * 1.5, 30).round().astype(int))
    bands = np.array([curve.at(int(n)) for n in ahead])
    axes.plot(ahead, bands[:, 0])
    axes.fill_between(ahead, bands[:, 1], bands[:, 2], alpha=0.2)
    axes.axvline(curve.now, color="0.6", lw=1, ls=":")
