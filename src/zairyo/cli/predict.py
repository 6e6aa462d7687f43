"""``zairyo predict``: a table → a property predicted, with errors that were measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zairyo.cli._tables import (
    POSSIBLE,
    check_output,
    ends_of,
    json_of,
    note,
    number_column,
    read_table,
    shown,
    targeting,
    telling,
    write_frame,
)

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.learn import Predictor, Space
    from zairyo.tables import Features, Table

#: Rows that are shown in the terminal.
MOST = 20
#: The column that says which samples are far from all that was made.
OUTSIDE = "outside the made samples"


@click.command(short_help="Predict a property from a table, and how far to trust it.")
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@targeting
@POSSIBLE
@click.option(
    "--on",
    "others",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Samples to predict, in another file.",
)
@click.option(
    "--descriptor",
    "descriptors",
    multiple=True,
    metavar="COLUMN",
    help="A measured descriptor to learn from too.",
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the report with plots.")
@click.option(
    "--language", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Of the report."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the predictions to a .csv, .tsv or .parquet file.",
)
@telling
def command(
    table: Path,
    target: str,
    units: dict[str, str],
    possible: tuple[str, ...],
    others: Path | None,
    descriptors: tuple[str, ...],
    group: str | None,
    level: float,
    seed: int,
    html: Path | None,
    language: str,
    as_json: bool,
    output: Path | None,
) -> None:
    """Learn a property from the rows of TABLE (CSV, Excel, Parquet) that have it, and predict it for the others.

    Models are chosen by errors on samples that they had not seen; the report says how large those are. What is
    predicted are the rows of --on, or those of TABLE without the property.
    """
    from zairyo.learn._said import words_of

    low, high = ends_of(possible, [target]).get(target, (None, None))
    check_output(output)
    roles = {"property": [target], "measured_descriptor": descriptors, "group": [group] if group else []}
    known = read_table(table, roles, units)
    name = known.schema[target].name
    number_column(known, target)
    missing = known.missing(name) | known.missing(known.schema[group].name) if group else known.missing(name)
    learned = _without_rare_settings(known.take(~missing))
    if not len(learned):
        raise click.ClickException(f"no row of {table} has {target}")
    samples = (
        known.take(known.missing(name))
        if others is None
        else read_table(others, {"measured_descriptor": descriptors}, {})
    )
    features = learned.features(descriptors=bool(descriptors), besides=[samples])
    for text in features.notes:
        note(text)
    _say_left_out(learned, name)
    _say_groups(learned, group)
    _check_possible(learned, name, low, high)
    predictor = _fit(learned, features, name, group, seed, units.get(target))
    if html is not None:
        predictor.to_html(html, language)
    if others is not None:
        learned_from = [b.source for b in features.blocks if b.source in samples.columns]
        samples = samples.with_roles(
            {"process": [c for c in learned_from if samples.schema[c].role == "property"]}
        )
        _say_converted(known, samples, features)
    frame = _predicted(predictor, features, samples, name, level)
    titles = [t for t in frame.columns if t not in samples.columns and t != OUTSIDE]
    for title in (titles[:1] + titles[2:]) if titles else ():
        frame[title] = frame[title].clip(low, high)
    if output is not None:
        write_frame(frame, output)
    unit = units.get(target) or known.schema[name].unit
    if as_json:
        click.echo(json_of(_told(predictor, unit, level) | {"predictions": frame.to_dict("records")}))
        return
    click.echo(predictor.report(language))
    if len(frame):
        words = words_of(language)
        there = words["in unit"].format(unit=unit) if unit else ""
        click.echo("\n" + words["table"].format(unit=there, level=f"{100 * level:g}"))
        frame = frame.rename(columns={OUTSIDE: words["outside"]})
        click.echo(shown(frame.head(MOST), settings=samples.columns, alike=titles[:1] + titles[2:]))
        if len(frame) > MOST and output is None:
            click.echo(words["rest"].format(n=len(frame) - MOST))


def _without_rare_settings(table: Table) -> Table:
    """The samples to learn from, with settings as notes that most of them lack: too little tells what to fill in."""
    from zairyo.learn import MOST_MISSING

    amounts = {c for m in table.schema.mixtures for c in m.columns}
    rare = {
        c: int(table.missing(c).sum())
        for c in table.schema.of_role("process", "composition")
        if c not in amounts and len(table) and table.missing(c).mean() > MOST_MISSING
    }
    for column, lacking in rare.items():
        if lacking < len(table):
            note(f"{column} is missing in {lacking} of {len(table)} samples and was left out")
    return table.with_roles({"note": list(rare)}) if rare else table


def _say_groups(table: Table, group: str | None) -> None:
    """A column of batches or papers that was not given as the group, though several samples have the same."""
    for column in table.schema.columns if group is None else ():
        if column.role == "group" and 1 < len({*table[column.name]}) < len(table):
            note(
                f"several samples have the same {column.name}; if they are alike for it, give --group {column.name!r}: "
                "the error on samples not seen would be too small"
            )


def _say_left_out(table: Table, name: str) -> None:
    """Columns that are not learned from, but for names and costs of samples, which nobody expects to be."""
    odd = [c.name for c in table.schema.columns if c.name != name and c.role in ("note", "property")]
    if odd:
        note(f"not learned from: {', '.join(odd)}")


def _say_converted(known: Table, samples: Table, features: Features) -> None:
    """Columns learned from that are in another unit, or in none that is told, where they are predicted."""
    for block in features.blocks:
        if block.kind not in ("number", "integer") or block.source not in samples.schema:
            continue
        ours, theirs = known.schema[block.source].unit, samples.schema[block.source].unit
        if ours and theirs and ours != theirs:
            note(f"{block.source} is in {theirs} in the samples to be predicted; it was converted to {ours}")
        elif bool(ours) != bool(theirs):
            note(f"{block.source} has a unit in one file only ({ours or theirs}); both are taken to be in it")


def _check_possible(table: Table, name: str, low: float | None, high: float | None) -> None:
    """Raises ClickException where what is said to be possible is not what was measured."""
    values = table[name].astype(float)
    for row, value in zip(table.rows.tolist(), values.tolist(), strict=True):
        if (low is not None and value < low) or (high is not None and value > high):
            raise click.ClickException(
                f"{table.where(row, name)}: {value:g} was measured, and --possible says that it cannot be; correct "
                "one of them"
            )


def _fit(
    table: Table, features: Features, name: str, group: str | None, seed: int, unit: str | None
) -> Predictor:
    from zairyo.learn import fit

    groups = None if group is None else [str(g) for g in table[table.schema[group].name]]
    spread = table.uncertainty(name)
    noise = spread**2 if (spread > 0).all() else None
    return fit(
        features.matrix, table[name].astype(float), groups=groups, space=space_of(features), noise=noise,
        target=name, unit=unit or table.schema[name].unit or "", rows=[f"line {n}" for n in table.cells[name].line],
        seed=seed,
    )  # fmt: skip


def space_of(features: Features) -> Space:
    """What the columns of a table's features are to a model."""
    from zairyo.learn import Space

    kinds, mixtures = ["number"] * len(features.names), []
    for block in features.blocks:
        columns = list(range(block.start, block.stop))
        if block.kind == "mixture" and len(columns) > 1:
            mixtures.append(columns)
        word = {
            "integer": "integer",
            "levels": f"category:{block.source}",
            "level_values": f"descriptors:{block.source}",
        }
        for j in columns:
            kinds[j] = word.get(block.kind, "number")
    return Space.of(features.matrix, names=features.names, kinds=kinds, mixture=mixtures)


def _predicted(
    predictor: Predictor, features: Features, samples: Table, name: str, level: float
) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    from zairyo.tables._raw import unique

    if not len(samples):
        return pd.DataFrame()
    X = features.plan.apply(samples).matrix
    whole = predictor.can_predict(X)
    if not whole.all():
        note(
            f"{(~whole).sum()} rows cannot be predicted, because more than half of their settings are missing"
        )
    if filled := int(np.isnan(X[whole]).any(axis=1).sum()):
        note(f"settings are missing in {filled} of the rows predicted; their intervals are wider for that")
    found = predictor.predict(X[whole], level=level) if whole.any() else None
    identity = [
        c for c in samples.columns if samples.schema[c].role in ("identifier", "composition", "process")
    ]
    frame = samples.to_pandas()[identity]
    for title, values in zip(("predicted", "sd", "lower", "upper"), found or (), strict=False):
        column = np.full(len(samples), np.nan)
        column[whole] = values
        own = title == "predicted" or title in samples.columns
        frame[unique([*samples.columns, f"{name} {title}"])[-1] if own else title] = column
    if found is not None and found.outside.any():
        outside = np.zeros(len(samples), bool)
        outside[whole] = found.outside
        frame[OUTSIDE] = outside
        note(f"{outside.sum()} of {len(samples)} lie outside the samples learned from: trust them less")
    return frame


def _told(predictor: Predictor, unit: str | None, level: float) -> dict[str, Any]:
    validation = predictor.validation
    return {
        "target": predictor.target, "unit": unit, "samples": len(predictor.y), "rmse": predictor.error, "level": level,
        "coverage": predictor.coverage(level),
        "models": {} if validation is None else dict(zip(validation.names, map(float, validation.errors), strict=True)),
        "importances": [{"name": i.name, "value": i.value, "error": i.error} for i in predictor.importances],
    }  # fmt: skip
