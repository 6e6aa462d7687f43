"""``zairyo worth``: a table → whether measuring a descriptor is worth it, to predict a property."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zairyo.cli._tables import (
    json_of,
    note,
    number_column,
    read_table,
    targeting,
    telling,
    without_rare_settings,
)
from zairyo.cli.predict import space_of

if TYPE_CHECKING:
    from zairyo.campaign import Worth


@click.command(short_help="Is a measurement worth making, to predict a property?")
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@targeting
@click.option(
    "--descriptor",
    "descriptors",
    multiple=True,
    required=True,
    metavar="COLUMN",
    help="What is measured of samples that are made; give several to ask of each and of all together.",
)
@click.option(
    "--repeats", type=click.IntRange(1, 20), default=2, show_default=True, help="Of the cross-validation."
)
@click.option("--language", type=click.Choice(["en", "ja"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@telling
def command(
    table: Path,
    target: str,
    units: dict[str, str],
    descriptors: tuple[str, ...],
    group: str | None,
    level: float,
    repeats: int,
    seed: int,
    language: Any,
    as_json: bool,
) -> None:
    """Tell what measured descriptors take off the error of predicting a property, from the samples in TABLE.

    Two cases are told apart: the descriptor is measured of the sample to be predicted too (a cheap measurement in
    place of a dear one), or of made samples only, as when the next experiment is chosen.
    """
    import numpy as np

    from zairyo.campaign import worth

    if target in descriptors:
        raise click.UsageError(
            f"--descriptor {target}: that is the property itself; name what is measured beside it"
        )
    roles = {"property": [target], "measured_descriptor": descriptors, "group": [group] if group else []}
    samples = read_table(table, roles, units)
    y, *D = (number_column(samples, name) for name in (target, *descriptors))
    known = np.isfinite(y)
    if group is not None:
        known &= ~samples.missing(samples.schema[group].name)
    learned = without_rare_settings(samples.take(np.flatnonzero(known)))
    if not len(learned):
        raise click.ClickException(f"no row of {table} has {target}" + (f" and {group}" if group else ""))
    features = learned.features(descriptors=False)
    for text in features.notes:
        note(text)
    answer = worth(
        features.matrix, np.column_stack(D)[known], y[known],
        space=space_of(features), descriptor_names=[samples.schema[name].name for name in descriptors],
        groups=None if group is None else [str(one) for one in learned[samples.schema[group].name]],
        target=samples.schema[target].name, level=level, unit=units.get(target) or samples.schema[target].unit or "",
        repeats=repeats, seed=seed, progress=_progress,
    )  # fmt: skip
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
    click.echo(json_of(_told(answer)) if as_json else answer.text(language))


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{done} of {total} folds", nl=False, err=True)


def _told(answer: Worth) -> dict[str, Any]:
    return {
        "target": answer.target, "samples": answer.samples, "level": answer.level,
        "gains": [
            asdict(gain) | {"verdict": gain.verdict, "samples_needed": answer.samples_needed(gain)}
            for gain in answer.gains
        ],
    }  # fmt: skip
