"""What the commands on tables have in common: reading them, what is wanted, and how answers are shown."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Container, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from zairyo.campaign import Objective
    from zairyo.tables import Table

P = ParamSpec("P")
R = TypeVar("R")


def telling(command: Callable[P, R]) -> Callable[P, R]:
    """What was given wrongly is told as a line; warnings as lines too."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        import warnings

        from zairyo.campaign import CampaignError, CampaignWarning
        from zairyo.learn import LearnError, LearnWarning
        from zairyo.tables import TableError

        def show(message: Any, category: Any, *_: Any, **__: Any) -> None:
            if issubclass(category, (CampaignWarning, LearnWarning)):
                note(_as_option(str(message)))

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always", CampaignWarning)
                warnings.simplefilter("always", LearnWarning)
                warnings.showwarning = show
                return command(*args, **kwargs)
        except (CampaignError, LearnError, TableError) as e:
            raise click.ClickException(_as_option(str(e))) from None
        except BrokenPipeError:
            raise  # whoever reads on has seen enough: click ends the command without a word
        except OSError as e:
            raise click.ClickException(f"{e.filename or ''}: {e.strerror or e}".lstrip(": ")) from None

    return run


def _as_option(text: str) -> str:
    """What Python is given, as a command is given it."""
    text = text.replace("name it in descriptors=[…]", "give --descriptor COLUMN")
    return (
        text.replace("settings=[…]", "--setting COLUMN")
        .replace("unit=…", "--unit COLUMN=UNIT")
        .replace("lower start or picks", "lower --start or --picks")
    )


def note(text: str) -> None:
    """A line beside the answer."""
    click.secho(f"note: {text}", fg="yellow", err=True)


def _pairs(context: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    return dict(_split(text, "--unit COLUMN=UNIT") for text in given)


_UNIT = click.option(
    "--unit",
    "units",
    multiple=True,
    metavar="COLUMN=UNIT",
    callback=_pairs,
    help="Of an outcome whose heading has none, as strength=MPa; its cells may have it too.",
)
POSSIBLE = click.option(
    "--possible",
    multiple=True,
    metavar="COLUMN=LOW..HIGH",
    help="What an outcome can be at all, as yield=0..100: ranges that are shown end there.",
)
_WANTED = (
    click.option(
        "--maximise", "--maximize", "maximise", multiple=True, metavar="COLUMN", help="As high as possible."
    ),
    click.option(
        "--minimise", "--minimize", "minimise", multiple=True, metavar="COLUMN", help="As low as possible."
    ),
    click.option("--near", multiple=True, metavar="COLUMN=VALUE", help="As near to a value as possible."),
    click.option(
        "--within", multiple=True, metavar="COLUMN=LOW..HIGH", help="In a range; an end may be left open."
    ),
    click.option(
        "--limit", multiple=True, metavar="COLUMN=LOW..HIGH", help="Must hold; nothing more is wanted of it."
    ),
    click.option("--model", multiple=True, metavar="COLUMN", help="Only to be known: a number, or a phase."),
    POSSIBLE,
    _UNIT,
)
_TARGET = (
    click.option("--target", required=True, metavar="COLUMN", help="The property."),
    _UNIT,
    click.option("--group", metavar="COLUMN", help="Samples with the same word here are left out together."),
    click.option(
        "--level", type=click.FloatRange(0.5, 0.99), default=0.9, show_default=True, help="Of the intervals."
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="The same gives the same."),
)


def wanting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is wanted."""
    return _with(_WANTED, command)


def targeting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which property is predicted."""
    return _with(_TARGET, command)


def _with(options: Sequence[Callable[..., Any]], command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command


def objectives_of(given: dict[str, Any]) -> list[Objective]:
    """The objectives of the options, which but for units are taken out of ``given``, in the order of the help."""
    from dataclasses import replace

    from zairyo.campaign import maximise, minimise, model, target, within

    found = [
        make(name)
        for make, key in ((maximise, "maximise"), (minimise, "minimise"))
        for name in given.pop(key)
    ]
    for text in given.pop("near"):
        name, value = _split(text, "--near COLUMN=VALUE")
        found.append(target(name, _number(value, f"--near {text}")))
    for key in ("within", "limit"):
        for text in given.pop(key):
            name, low, high = _range(text, key)
            found.append(within(name, low, high, constraint=key == "limit"))
    found += [model(name) for name in given.pop("model")]
    ends = ends_of(given.pop("possible"), {o.name for o in found})
    return [
        replace(o, unit=given["units"].get(o.name, ""), possible=ends.get(o.name, o.possible)) for o in found
    ]


def ends_of(possible: Sequence[str], names: Container[str]) -> dict[str, tuple[float | None, float | None]]:
    """Between what each of some outcomes can be at all, as ``--possible`` says it."""
    ends = {name: (low, high) for name, low, high in (_range(text, "possible") for text in possible)}
    if odd := [name for name in ends if name not in names]:
        raise click.UsageError(
            f"--possible {odd[0]}: only of an outcome that is wanted; nothing is of {odd[0]!r}"
        )
    return ends


def _split(text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.UsageError(f"{text!r}: write {form}")
    return name.strip(), value.strip()


def _range(text: str, key: str) -> tuple[str, float | None, float | None]:
    name, ends = _split(text, f"--{key} COLUMN=LOW..HIGH")
    low, dots, high = ends.partition("..")
    if not dots:
        raise click.UsageError(f"--{key} {text}: write a range as {name}=5..10, {name}=5.. or {name}=..10")
    first, last = (None if not end.strip() else _number(end, f"--{key} {text}") for end in (low, high))
    if first is not None and last is not None and first >= last:
        raise click.UsageError(f"--{key} {text}: the first number must be below the second")
    return name, first, last


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"{where}: {text!r} is not a number") from None


def read_table(path: Path, roles: dict[str, Sequence[str]], units: dict[str, str]) -> Table:
    """A file as a table, with columns in the roles and units given, which are named as the file or the schema does."""
    from zairyo.tables import Table

    table = Table.read(path, roles={role: list(names) for role, names in roles.items() if names}, units=units)
    told = click.get_current_context().meta.setdefault("zairyo.tables.notes", set())
    for text in table.notes:
        if text not in told and "give roles if" not in text:  # no command needs that guess
            note(text if text.startswith(path.name) else f"{path.name}: {text}")
        told.add(text)
    return table


def without_rare_settings(table: Table) -> Table:
    """The samples to learn from, with settings as notes that none of them has, or so few that the others would be lost.

    A sample that lacks a setting cannot be learned from: one that brings back half as many again is left out instead.
    """
    if not len(table):
        return table
    amounts = {c for m in table.schema.mixtures for c in m.columns}
    lacking = {
        c: table.missing(c) for c in table.schema.of_role("process", "composition") if c not in amounts
    }
    left_out = [c for c, missing in lacking.items() if missing.all()]
    while True:
        kept = {c: m for c, m in lacking.items() if c not in left_out and m.any()}
        whole = {c: _whole([m for other, m in kept.items() if other != c], len(table)) for c in kept}
        best = max(whole, key=whole.__getitem__, default=None)
        if best is None or whole[best] < 1.5 * _whole(list(kept.values()), len(table)):
            return table.with_roles({"note": left_out}) if left_out else table
        note(
            f"{best} is missing in {kept[best].sum()} of {len(table)} samples and was left out, so that they are "
            "learned from"
        )
        left_out.append(best)


def _whole(missing: Sequence[NDArray[np.bool_]], rows: int) -> int:
    """How many rows have everything."""
    import numpy as np

    return rows - int(np.any(missing, axis=0).sum()) if missing else rows


def number_column(table: Table, name: str) -> NDArray[np.float64]:
    """A column of numbers, shape (rows,), NaN where there is none; text is refused."""
    column = table.schema[name]
    if not column.numeric:
        text = next((str(v) for v in table[column.name] if v is not None and str(v).strip()), "")
        raise click.ClickException(
            f"{name} holds text such as {text!r}, and only a number can be predicted; correct such cells, and if "
            f"they end with a unit, give it: --unit {name}=UNIT"
        )
    return table[column.name].astype(float)


def named_as(table: Table, wanted: Sequence[Objective]) -> list[Objective]:
    """What is wanted, with outcomes named as the table names them, in its units: 強度 for the heading 強度 (MPa)."""
    from dataclasses import replace

    found = []
    for o in wanted:
        if o.name in table.schema:
            column = table.schema[o.name]
            o = replace(o, name=column.name, unit=o.unit or column.unit or "")
        found.append(o)
    return found


def check_output(path: Path | None) -> None:
    """Raises UsageError where a table could not be written to a path, before there is one that would be lost."""
    if path is None:
        return
    if path.suffix.lower() not in (".parquet", ".pq", ".csv", ".txt", ".tsv"):
        raise click.UsageError(f"-o {path}: name it .csv, .tsv or .parquet")
    if not path.resolve().parent.is_dir():
        raise click.UsageError(f"-o {path}: there is no folder {path.resolve().parent}")


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """A table to CSV or Parquet, by the file's name."""
    if path.suffix.lower() in (".parquet", ".pq"):
        frame.to_parquet(path)
    elif path.suffix.lower() in (".csv", ".txt"):
        frame.to_csv(path)
    elif path.suffix.lower() == ".tsv":
        frame.to_csv(path, sep="\t")
    else:
        raise click.UsageError(f"-o {path}: name it .csv, .tsv or .parquet")


def json_of(value: Any) -> str:
    """JSON, with null for what is no number."""
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def shown(
    frame: pd.DataFrame,
    leave_out: Sequence[str] = (),
    settings: Container[str] = (),
    alike: Sequence[str] = (),
) -> str:
    """A table for the terminal; columns without any value are left out.

    ``settings`` are shown as they are set, and columns that are ``alike`` with the digits that tell them apart.
    """
    from zairyo.campaign._words import digits_of

    kept = [c for c in frame.columns if c not in leave_out and frame[c].notna().any()]
    digits = dict.fromkeys((c for c in kept if c in settings), 9)
    if alike := [c for c in alike if c in kept]:
        digits |= dict.fromkeys(
            alike, max(digits_of(row, 4) for row in frame[alike].to_numpy(float).tolist())
        )
    # pandas sets a column with a formatter of its own one space nearer to the one before
    each = {f" {c}": f"{{:.{n}g}}".format for c, n in digits.items() if frame[c].dtype.kind == "f"}
    frame = frame[kept].rename(columns=lambda c: f" {c}" if f" {c}" in each else c)
    return str(frame.to_string(float_format=lambda v: f"{v:.4g}", formatters=each))
