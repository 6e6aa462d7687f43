"""NIMO's files: its ``candidates.csv`` in, its ``proposals.csv`` out, so that its robot modules plug in.

NIMO (NIMS) keeps one table of numbers: settings, then in the last columns the objectives, empty where an experiment
was not made. Its selection writes ``proposals.csv``: the column ``actions`` (the row in ``candidates.csv``, from 0),
then the settings; its robot modules read that, and write outcomes back into ``candidates.csv``. One cycle is

    campaign = nimo.open("candidates.csv", [maximise("conductivity")], file="campaign.jsonl")
    nimo.propose(campaign, "proposals.csv", 2)
    # the robot works, and NIMO's analysis_output writes the outcomes into candidates.csv
"""

from __future__ import annotations

import builtins
import csv
import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zairyo.campaign._base import CampaignError, Objective
from zairyo.campaign._state import Experiment
from zairyo.campaign.campaign import Campaign

#: The column of ``proposals.csv`` with the row in ``candidates.csv``.
ACTIONS = "actions"


def read_candidates(path: str | os.PathLike[str], objectives: Sequence[str] | int) -> Any:
    """A ``candidates.csv`` as a DataFrame, a row a candidate in the file's order; NaN where an outcome is empty.

    Parameters
    ----------
    path
        The file.
    objectives
        Names of the last columns, or how many of them are objectives.

    Raises
    ------
    CampaignError
        A cell of the settings is empty or no number (the line is named), or the last columns are others. Words among
        the outcomes count as failures; NIMO itself takes them as empty and may propose such a row again.
    """
    import pandas as pd

    where = Path(path)
    lines = _lines(where)
    if len(lines) < 2:
        raise CampaignError(f"{where.name}: a line of names and a line a candidate are needed")
    names = [name.strip() for name in lines[0][1]]
    count = objectives if isinstance(objectives, int) else len(objectives)
    if not 0 < count < len(names):
        raise CampaignError(f"{where.name} has {len(names)} columns, so {count} cannot be objectives")
    if not isinstance(objectives, int) and names[-count:] != list(objectives):
        raise CampaignError(
            f"{where.name}: its last columns are {', '.join(names[-count:])}, and NIMO has the objectives there; "
            f"{', '.join(objectives)} are wanted"
        )
    rows = []
    for number, row in lines[1:]:
        if len(row) != len(names):
            raise CampaignError(f"{where.name}, line {number}: {len(row)} cells for {len(names)} columns")
        settings = [
            _setting(cell, f"{where.name}, line {number}", n)
            for cell, n in zip(row, names[:-count], strict=False)
        ]
        rows.append([*settings, *(_outcome(cell) for cell in row[-count:])])
    return pd.DataFrame(rows, columns=names)


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The cells of each line that is not blank, with its number; also of a file that a Japanese Excel saved."""
    from zairyo.tables import TableError
    from zairyo.tables._text import decode

    try:
        text, _ = decode(path.read_bytes())
    except TableError as e:
        raise CampaignError(f"{path.name}: {e}") from None
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    return [(number, row) for number, row in enumerate(rows, 1) if row]


def _setting(cell: str, where: str, name: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CampaignError(
            f"{where}, column {name!r}: {cell!r} is not a number; NIMO's settings are numbers, none empty"
        )
    return value


def _outcome(cell: str) -> float | str:
    from zairyo.tables._cells import is_failure, meaning

    said = meaning(cell) if cell.strip() else ""
    if said == "":
        return math.nan
    if isinstance(said, float):
        return said
    return (
        cell.strip()
        if is_failure(cell) and cell.strip().lower().startswith("failed")
        else f"failed: {cell.strip()}"
    )


def open(
    path: str | os.PathLike[str],
    objectives: Sequence[Objective],
    *,
    file: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Campaign:
    """A campaign on NIMO's candidates, which knows all outcomes that are in the file.

    Parameters
    ----------
    path
        ``candidates.csv``.
    objectives
        In the order of its last columns.
    file
        The campaign's own record; it is gone on with if it is there.
    options
        Of :class:`Campaign`, where one is begun.
    """
    names = [o.name for o in objectives]
    table = read_candidates(path, names)
    pool = table.drop(columns=names)
    if file is not None and Path(file).exists():
        campaign = Campaign.open(file, pool=pool)
    else:
        campaign = Campaign(pool, objectives, file=file, settings=list(pool.columns), **options)
    take_in(campaign, path)
    return campaign


def take_in(campaign: Campaign, path: str | os.PathLike[str]) -> int:
    """Tell the campaign what has been written into ``candidates.csv`` since; how many experiments those were.

    An outcome that was added to a row told before, or changed in it, is put right.
    """
    names = [o.name for o in campaign.objectives]
    table = read_candidates(path, names)
    known: dict[int, list[Experiment]] = {}
    for e in campaign.state.of_here():
        known.setdefault(e.candidate, []).append(e)
    made = table[table[names].notna().any(axis=1)]
    new = made[[at not in known for at in made.index]]
    if len(new):
        campaign.tell(new.assign(candidate=new.index))
    return len(new) + sum(
        _put_right(campaign, known[at], made.loc[at, names]) for at in made.index if at in known
    )


def _put_right(campaign: Campaign, told: Sequence[Experiment], row: Any) -> bool:
    """Whether a row has more than was told of its experiment, or something else, which is then put right.

    Of several experiments of one row the file has the mean, which says of none that it was wrong.
    """
    said = {name: value for name, value in row.items() if isinstance(value, str) or not math.isnan(value)}
    failed = [value for value in said.values() if isinstance(value, str) or not math.isfinite(value)]
    if len(told) != 1 or (failed and told[0].standing == "failed"):
        return False
    was = {name: told[0].outcomes.get(name, math.nan) for name in said}
    if not failed and all(math.isclose(value, was[name], rel_tol=1e-12) for name, value in said.items()):
        return False
    if failed:
        why = str(failed[0]).removeprefix("failed").lstrip(" :：")
        campaign.correct(told[0].number, state="failed", reason=why or "failed")
    else:
        campaign.correct(told[0].number, said, reason="changed in NIMO's table")
    return True


def propose(campaign: Campaign, path: str | os.PathLike[str], count: int = 1) -> Any:
    """Ask for the next experiments and write them as ``proposals.csv``; they are returned as by ``ask``."""
    picks = campaign.ask(count)
    write_proposals(campaign, picks, path)
    return picks


def write_proposals(campaign: Campaign, picks: Any, path: str | os.PathLike[str]) -> None:
    """Write picks as NIMO's ``proposals.csv``.

    Raises
    ------
    CampaignError
        One is not in the pool, so that NIMO could not say which row it is.
    """
    if (picks["candidate"] < 0).any():
        raise CampaignError("NIMO proposes rows of its table, and a pick of an endless space is none")
    names = list(campaign.candidates.names)
    with builtins.open(path, "w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f)
        writer.writerow([ACTIONS, *names])
        for place, *settings in picks[["candidate", *names]].itertuples(index=False, name=None):
            writer.writerow([int(place), *settings])


def read_proposals(path: str | os.PathLike[str]) -> Any:
    """A ``proposals.csv`` of any of NIMO's methods: settings with their place as ``candidate``, for ``campaign.plan``.

    Raises
    ------
    CampaignError
        Its first column is not ``actions``, or a cell is no number.
    """
    import pandas as pd

    where = Path(path)
    lines = _lines(where)
    if not lines or lines[0][1][0].strip() != ACTIONS:
        raise CampaignError(f"{where.name}: the first column of NIMO's proposals is {ACTIONS}")
    names = [name.strip() for name in lines[0][1][1:]]
    rows = []
    for number, row in lines[1:]:
        if len(row) != len(names) + 1:
            raise CampaignError(f"{where.name}, line {number}: {len(row)} cells for {len(names) + 1} columns")
        numbers = [
            _setting(c, f"{where.name}, line {number}", n)
            for c, n in zip(row, [ACTIONS, *names], strict=True)
        ]
        if numbers[0] != int(numbers[0]) or numbers[0] < 0:
            raise CampaignError(
                f"{where.name}, line {number}: {row[0]!r} is no row of NIMO's table; they are whole numbers from 0"
            )
        rows.append([int(numbers[0]), *numbers[1:]])
    return pd.DataFrame(rows, columns=["candidate", *names])


def write_candidates(campaign: Campaign, path: str | os.PathLike[str]) -> None:
    """Write the campaign's pool as NIMO's ``candidates.csv``, with the outcomes known so far (the mean of repeats)."""
    size = campaign.candidates.size
    if size is None:
        raise CampaignError("NIMO chooses among the rows of a table, and this space is endless")
    told: dict[int, list[Any]] = {}
    for e in campaign.state.of_here():
        if e.standing == "told" and e.candidate >= 0:
            told.setdefault(e.candidate, []).append(e.outcomes)
    outcomes = [o.name for o in campaign.objectives]
    with builtins.open(path, "w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f)
        writer.writerow([*campaign.candidates.names, *outcomes])
        for block in campaign.candidates.blocks():
            for place, settings in zip(block.index, campaign.candidates.decode(block), strict=True):
                for name, value in settings.items():
                    if isinstance(value, bool) or not isinstance(value, (int, float)):
                        raise CampaignError(f"NIMO's settings are numbers, and {name!r} has {value!r}")
                cells = []
                for name in outcomes:
                    values = [o[name] for o in told.get(int(place), ()) if name in o]
                    cells.append(sum(values) / len(values) if values else "")
                writer.writerow([*settings.values(), *cells])
