"""``zairyo simulate``: how many experiments strategies would have needed on a table whose outcomes are all known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from zairyo.cli._tables import json_of, named_as, objectives_of, read_table, telling, wanting


@click.command(short_help="Replay a complete table with any strategies.")
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@wanting
@click.option(
    "--strategies", default="auto,random", show_default=True, help="Names, with commas between them."
)
@click.option("--aim", help="See zairyo recommend.")
@click.option("--seeds", type=click.IntRange(min=1), default=20, show_default=True, help="How often.")
@click.option(
    "--start", type=click.IntRange(min=1), default=5, show_default=True, help="Experiments at random first."
)
@click.option("--picks", type=click.IntRange(min=1), default=45, show_default=True, help="Picks after them.")
@click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Picks at a time.")
@click.option(
    "--setting",
    "settings",
    multiple=True,
    metavar="COLUMN",
    help="A column that is set; all but outcomes if not given.",
)
@click.option(
    "--descriptor",
    "descriptors",
    multiple=True,
    metavar="COLUMN",
    help="A column measured only of made samples, which is no setting.",
)
@click.option(
    "--plot",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the curves into a .png, .svg or .pdf file.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output, every curve included.")
@telling
def command(
    table: Path,
    strategies: str,
    aim: str | None,
    seeds: int,
    start: int,
    picks: int,
    batch: int,
    settings: tuple[str, ...],
    descriptors: tuple[str, ...],
    picture: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Replay TABLE (CSV, Excel, Parquet), all of whose outcomes are known, as if its experiments were made one by one.

    Every strategy begins with the same rows at random, and is told a row's outcome only once it picks it. Printed are
    medians, and ratios to random picks with 95 % intervals.
    """
    from zairyo.campaign.simulate import simulate

    if picture is not None and picture.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise click.UsageError(f"--plot {picture}: name it .png, .svg or .pdf")
    wanted = objectives_of(given)
    if not wanted:
        raise click.UsageError(
            "say what is wanted: --maximise COLUMN, --minimise COLUMN, --near, --within or --model"
        )
    names = [name.strip() for name in strategies.split(",") if name.strip()]

    def progress(name: str, seed: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{name}: {seed + 1} of {seeds}   ", nl=False, err=True)

    roles = {"property": [o.name for o in wanted], "measured_descriptor": descriptors}
    rows = read_table(table, roles, given["units"])
    found = simulate(
        rows, named_as(rows, wanted), strategies=names, aim=aim, seeds=seeds, start=start, picks=picks, batch=batch,
        settings=list(settings) or None, progress=progress,
    )  # fmt: skip
    if sys.stderr.isatty():
        click.echo("\r" + " " * 40 + "\r", nl=False, err=True)
    if picture is not None:
        found.plot(picture)
    click.echo(json_of(found.to_dict()) if as_json else found.text())
