"""``zairyo recommend``: a table of experiments made and not made → the next to make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zairyo.cli._tables import (
    check_output,
    json_of,
    named_as,
    note,
    objectives_of,
    read_table,
    shown,
    telling,
    wanting,
    write_frame,
)

if TYPE_CHECKING:
    import pandas as pd

    from zairyo.campaign import Campaign, Objective
    from zairyo.tables import Table


#: Endings of files whose rows people count as rows, not as lines.
_SHEETS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".parquet", ".pq")


@click.command(short_help="Which experiments to make next.")
@click.argument("candidates", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@wanting
@click.option(
    "-n", "--number", "count", type=click.IntRange(min=1), default=1, show_default=True, help="How many."
)
@click.option(
    "--made",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Experiments made, if in another file.",
)
@click.option(
    "--aim", help="best value, accurate model, within a range, map of phases, something new, references …"
)
@click.option("--strategy", default="auto", show_default=True, help="A strategy that serves the aim.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same gives the same.")
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
    help="A column measured only of made samples.",
)
@click.option("--cost", metavar="COLUMN", help="A column, or an expression of settings.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="RULE",
    help="A condition on settings, as 'T < 900 or time > 2'.",
)
@click.option(
    "--shared",
    multiple=True,
    metavar="COLUMN",
    help="A setting that all experiments of the batch have in common.",
)
@click.option(
    "--control",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    help="Share of picks drawn at random, to compare with.",
)
@click.option("--start", default="auto", show_default=True, help="A start design, as 'latin hypercube'.")
@click.option(
    "--file",
    "log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Record the campaign in this file, or go on with it.",
)
@click.option("--pending", is_flag=True, help="Show what is under way in --file, and propose nothing.")
@click.option("--who", help="Who works with it; the account's name if not given.")
@click.option(
    "--explain",
    "language",
    type=click.Choice(["en", "ja"]),
    help="Explain each, in English or Japanese; so is the rest.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the picks to a .csv, .tsv or .parquet file.",
)
@telling
def command(
    candidates: Path,
    count: int,
    made: Path | None,
    log: Path | None,
    pending: bool,
    language: str | None,
    as_json: bool,
    output: Path | None,
    **given: Any,
) -> None:
    """Recommend the next experiments.

    CANDIDATES is a table (CSV, Excel, Parquet), a row an experiment. Rows with an outcome were made, 'failed: why' in
    its place is a failure; the other rows are the candidates. With --made, rows of that file were made.

    With --file everything is recorded: run it again when there are outcomes, and it goes on; run again before, it
    gives further experiments.
    """
    check_output(output)
    wanted = objectives_of(given)
    campaign, rows = _opened(candidates, made, log, wanted, given)
    if len(rows):
        with _lines(made or candidates, rows):
            _tell(campaign, rows, made is None)
    picks = campaign.pending if pending else campaign.ask(count)
    if made is None and 0 < len(rows) == campaign.candidates.size:
        outcomes = " and ".join(o.name for o in campaign.objectives)
        note(f"every row has {outcomes}: add rows without, one for each experiment that could be made")
    if output is not None:
        write_frame(picks, output)
    if as_json:
        click.echo(
            json_of(
                {
                    "picks": picks.reset_index().to_dict("records"),
                    "status": list(campaign.status(language or "en").lines),
                }
            )
        )
        return
    many = sum(not o.classes for o in campaign.objectives) > 1
    outlook = [
        f"{what} {o.name}" if many else what
        for o in campaign.objectives
        for what in ("mean", "lower", "upper")
    ]
    click.echo(
        shown(picks, ("reason",), campaign.candidates.names, () if many else outlook)
        if len(picks)
        else "no experiment"
    )
    if language and len(picks):
        click.echo("\n" + campaign.explain(picks, language).text())
    elif len(picks):
        click.echo("\n" + "\n".join(f"{number}: {why}" for number, why in picks["reason"].items() if why))
    click.echo("\n" + "\n".join(campaign.status(language or "en").lines))


def _opened(
    path: Path, made: Path | None, log: Path | None, wanted: list[Objective], given: dict[str, Any]
) -> tuple[Campaign, pd.DataFrame]:
    """The campaign, begun or gone on with, and the rows that were made."""
    import pandas as pd

    from zairyo.campaign import Campaign
    from zairyo.campaign._pools import _is_large

    going_on = log is not None and log.exists() and log.stat().st_size > 0
    if going_on and log is not None:
        before = Campaign.described(log)
        if wanted and [o.name for o in wanted] != [o.name for o in before.objectives]:
            raise click.UsageError(
                f"the campaign in {log} wants {', '.join(o.name for o in before.objectives)}; leave the wishes "
                "out to go on with it, or name another file to begin anew"
            )
        wanted, given["descriptors"] = list(before.objectives), before.descriptors
        given["units"] = _agreed(log, {o.name: o.unit for o in wanted}, given["units"])
    names = [o.name for o in wanted]
    if not names and given["aim"] != "references":
        raise click.UsageError(
            "say what is wanted: --maximise COLUMN, --minimise COLUMN, --near, --within or --model"
        )
    if _is_large(path):
        pool: Any = path
        rows = pd.DataFrame()
    else:
        roles = {"property": names, "measured_descriptor": given["descriptors"]}
        pool = read_table(path, *_present(path, roles, given["units"], made))
        if not going_on and len(left := _to_rules(named_as(pool, wanted), pool, given)) < len(wanted):
            roles["property"] = [o.name for o in left]
            pool, wanted = read_table(path, *_present(path, roles, given["units"], made)), left
        wanted = wanted if going_on else named_as(pool, wanted)
        given["descriptors"] = [pool.schema[n].name if n in pool.schema else n for n in given["descriptors"]]
        frame = _by_line(pool, names)
        rows = frame[_made(frame, wanted)].drop(columns=["replicate_of"], errors="ignore")
    if made is not None:
        told_of = read_table(
            made, {"property": names, "measured_descriptor": given["descriptors"]}, given["units"]
        )
        rows = _by_line(told_of if isinstance(pool, Path) else _in_units(told_of, pool), names)
        wanted = wanted if going_on else named_as(told_of, wanted)
    if going_on:
        assert log is not None
        return Campaign.open(log, pool=pool, who=given["who"]), rows
    options = {
        k: given[k]
        for k in ("aim", "strategy", "seed", "descriptors", "cost", "shared", "control", "start", "who")
    }
    campaign = Campaign(
        pool,
        wanted,
        file=log,
        constraints=given["rules"],
        settings=list(given["settings"]) or None,
        **options,
    )
    return campaign, rows


def _by_line(table: Table, names: Sequence[str]) -> pd.DataFrame:
    """A table's frame whose index says where in the file each row is."""
    from zairyo.campaign._telling import frame_of

    column = next((c for c in table.columns if c in names), table.columns[0])
    return frame_of(table).set_axis(table.cells[column].line, axis=0).rename_axis("line")


def _in_units(table: Table, like: Table) -> Table:
    """A table of what was made, its settings in the units of the candidates."""
    from dataclasses import replace

    from zairyo.tables import TableError
    from zairyo.tables.features import in_unit

    for column in table.schema.columns:
        unit = like.schema[column.name].unit if column.name in like.schema else None
        if column.role != "process" or not column.numeric or not unit or column.unit in (None, "", unit):
            continue
        try:
            values = in_unit(table[column.name].astype(float), column, unit)
        except TableError:
            raise click.UsageError(
                f"--made: {column.name} is in {column.unit} there, and in {unit} among the candidates"
            ) from None
        table = table.with_column(replace(column, unit=unit, kind="number", heading=""), values)
        note(f"{column.name} of --made was converted from {column.unit} to {unit}")
    return table


@contextmanager
def _lines(path: Path, rows: pd.DataFrame) -> Iterator[None]:
    """A refused row is named by its place in the file, not by its number among those told."""
    from zairyo.campaign import CampaignError

    try:
        yield
    except CampaignError as e:
        found = re.match(r"row (\d+)(?: of what is told: row \d+)?", str(e))
        if found is None or rows.index.name != "line" or int(found[1]) >= len(rows):
            raise
        word = "row" if path.suffix.casefold() in _SHEETS else "line"
        raise CampaignError(
            f"{path.name}, {word} {rows.index[int(found[1])]}{str(e)[found.end() :]}"
        ) from None


def _made(frame: pd.DataFrame, wanted: list[Objective]) -> pd.Series[bool]:
    """Which rows were made: they failed, or have an outcome; one that every row has is known without making it."""
    known = [o.name for o in wanted if o.name in frame]
    gaps = [name for name in known if frame[name].isna().any()]
    ended = frame["state"].isin(["failed", "lost"] if wanted else ["made", "measured", "failed", "lost"])
    return ended | frame[gaps or known].notna().any(axis=1)


def _to_rules(wanted: list[Objective], table: Table, given: dict[str, Any]) -> list[Objective]:
    """What is wanted of outcomes; a limit of what every candidate has is a condition on candidates."""
    sought = [o.name for o in wanted if not o.constraint and o.name in table.schema]
    if not any(table.missing(name).any() for name in sought):
        return wanted
    left = []
    for o in wanted:
        if o.constraint and o.name in table.schema and not table.missing(o.name).any():
            ends = [
                f"`{o.name}` {sign} {end!r}"
                for sign, end in ((">=", o.low), ("<=", o.high))
                if end is not None
            ]
            given["rules"] = (*given["rules"], " and ".join(ends))
            note(f"every row has {o.name}, so its limit is a condition on the candidates, as of --rule")
        else:
            left.append(o)
    return left


def _agreed(log: Path, recorded: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """The units of a recorded campaign's outcomes, and of others; what was recorded stays in its unit."""
    for name, unit in given.items():
        if (was := recorded.get(name, unit)) != unit:
            has = f"is in {was}" if was else "has no unit"
            raise click.UsageError(
                f"--unit {name}={unit}: {name} {has} in the campaign {log}; leave --unit out"
            )
    return given | {name: unit for name, unit in recorded.items() if unit}


def _present(
    path: Path, roles: dict[str, Any], units: dict[str, str], made: Path | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Roles and units of columns that the table of candidates has; outcomes it needs only if it says what was made."""
    from zairyo.tables import Table

    if made is None:
        return roles, units
    schema = Table.read(path).schema
    there = {role: [name for name in names if name in schema] for role, names in roles.items()}
    return there, {name: unit for name, unit in units.items() if name in schema}


def _tell(campaign: Campaign, rows: pd.DataFrame, corrected: bool) -> None:
    """Tell what is new among the rows made.

    In the table of candidates a row is one experiment, so that another value in it corrects the one told before.
    """
    import warnings

    from zairyo.campaign import CampaignWarning

    known = {
        *campaign.candidates.names,
        *(o.name for o in campaign.objectives),
        *campaign.descriptors,
        "state",
        "reason",
    }
    known |= {f"{o.name} uncertainty" for o in campaign.objectives}
    rows = rows[[c for c in rows.columns if c in known]]
    if corrected and len(campaign.state.experiments):
        rows = _corrected(campaign, rows)
    if len(rows):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*told before.*", category=CampaignWarning)
            campaign.tell(rows)


def _corrected(campaign: Campaign, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that are not of experiments told before; of those, what changed is put right."""
    from zairyo.campaign._telling import Reader

    told = {e.candidate: e for e in campaign.state.of_here() if e.candidate >= 0}
    reader = Reader(campaign.candidates, campaign.objectives, campaign.descriptors)
    new, seen = [], set()
    for at, row in enumerate(reader.rows(rows, campaign.state)):
        seen.add(row["candidate"])
        was = told.get(row["candidate"])
        if was is None:
            new.append(at)
        elif dict(was.outcomes) != row["outcomes"] or was.standing != row["standing"]:
            state = "failed" if row["standing"] == "failed" else None
            campaign.correct(
                was.number, row["outcomes"], state=state, reason=row["reason"] or "changed in the table"
            )
    if gone := [e.number for place, e in told.items() if place not in seen]:
        many = "s" if len(gone) > 1 else ""
        note(
            f"the table has no outcome of experiment{many} {', '.join(map(str, gone[:8]))}{' …' if gone[8:] else ''} "
            "told before; what was told is kept (in Python, campaign.withdraw takes it back)"
        )
    return rows.iloc[new]
