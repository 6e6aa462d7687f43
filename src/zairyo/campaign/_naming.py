"""How a campaign's log names the candidates, so that they are found again, and found to be the same.

A file is named by its path and SHA-256; parameters and small tables are written into the log; of larger ones in memory
only the SHA-256 is, and whoever opens the log gives them again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zairyo.campaign._base import CampaignError, Candidates
from zairyo.campaign._log import plain

#: Cells up to which a table in memory is written into the log.
MOST_CELLS = 200_000


def name_pool(pool: Any, log_folder: Path | None, leave_out: Sequence[str] = ()) -> dict[str, Any]:
    """What the log keeps of the candidates.

    Parameters
    ----------
    pool
        As the user gave it: a path, a DataFrame, a table, a list of dicts, a space, parameters, or candidates.
    log_folder
        Of the log's file: files below it are named from there, so that the folder can be moved.
    leave_out
        Columns of a table that are no settings: they change while experiments are made.
    """
    from zairyo.campaign.parameters import SearchSpace

    if isinstance(pool, (str, os.PathLike)):
        path = Path(pool).resolve()
        named = str(path)
        if log_folder is not None and path.is_relative_to(log_folder.resolve()):
            named = path.relative_to(log_folder.resolve()).as_posix()
        return {"kind": "file", "path": named, "sha256": sha256_of_file(path), "bytes": path.stat().st_size}
    if _is_parameters(pool):
        pool = SearchSpace(tuple(pool))
    if isinstance(pool, SearchSpace):
        try:
            return {"kind": "space", "space": pool.to_dict()}
        except CampaignError:
            return {"kind": "given", "what": "a search space with a constraint that is a Python function"}
    frame = _frame(pool)
    if frame is None:
        return {"kind": "given", "what": type(pool).__name__}
    frame = frame[[name for name in frame.columns if str(name) not in leave_out]]
    if frame.columns.duplicated().any():
        twice = frame.columns[frame.columns.duplicated()][0]
        raise CampaignError(f"the candidates' table has column {twice} twice; rename one")
    if frame.size > MOST_CELLS:
        from pandas.util import hash_pandas_object

        names = json.dumps([str(name) for name in frame.columns], ensure_ascii=False)
        rows = hash_pandas_object(frame, index=False).to_numpy().tobytes()
        return {"kind": "table", "sha256": hashlib.sha256(names.encode() + rows).hexdigest()}
    columns = plain({str(name): frame[name].astype(object).tolist() for name in frame.columns})
    text = json.dumps(columns, ensure_ascii=False)
    return {"kind": "table", "sha256": hashlib.sha256(text.encode()).hexdigest(), "columns": columns}


def _is_parameters(pool: Any) -> bool:
    return (
        isinstance(pool, Sequence)
        and not isinstance(pool, (str, bytes))
        and bool(pool)
        and all(hasattr(one, "settings") and hasattr(one, "name") for one in pool)
    )


def _frame(pool: Any) -> Any:
    """A table in memory as a DataFrame; None if it is none."""
    if hasattr(pool, "to_pandas") and hasattr(pool, "schema"):
        return pool.to_pandas()
    if hasattr(pool, "columns") and hasattr(pool, "iloc"):
        return pool
    rows = isinstance(pool, Sequence) and bool(pool) and all(isinstance(row, Mapping) for row in pool)
    if rows or isinstance(pool, Mapping):
        import pandas as pd

        return pd.DataFrame(pool)
    return None


def find_pool(
    named: Mapping[str, Any], given: Any, log_folder: Path | None, leave_out: Sequence[str] = ()
) -> Any:
    """What to make the candidates from: as the log names it, or as it is given now if that is the same.

    Raises
    ------
    CampaignError
        It is not there, or is not the same any more.
    """
    from zairyo.campaign.parameters import SearchSpace

    kind = named.get("kind")
    if kind == "file":
        path = Path(given) if isinstance(given, (str, os.PathLike)) else Path(named["path"])
        if not path.is_absolute() and log_folder is not None and given is None:
            path = log_folder / path
        if given is not None and not isinstance(given, (str, os.PathLike)):
            raise CampaignError(
                f"the campaign's candidates are the file {named['path']}; give its path as pool"
            )
        if not path.exists():
            raise CampaignError(
                f"the candidates' file {path} is not there any more; put it back, or say where it is: "
                "Campaign.open(…, pool='…')"
            )
        if path.stat().st_size != named["bytes"] or sha256_of_file(path) != named["sha256"]:
            raise CampaignError(
                f"the candidates' file {path} was changed since the campaign began, so the places that were recorded "
                "may be other experiments now; put the old file back, or begin a new campaign with the new one and "
                "let it learn_from the experiments of this one"
            )
        return path
    if kind == "space" and given is None:
        return SearchSpace.from_dict(named["space"])
    if kind == "table" and given is None and "columns" in named:
        import pandas as pd

        return pd.DataFrame(named["columns"])
    if given is None:
        what = named.get("what", "a large table that was in memory")
        raise CampaignError(
            f"the candidates were given as {what}, which the log does not hold; give them as pool=…"
        )
    again = name_pool(given, log_folder, leave_out)
    if again["kind"] != kind or any(again.get(k) != named.get(k) for k in ("sha256", "space")):
        raise CampaignError(
            "the candidates given are not those of the campaign: its recorded places would be other experiments; "
            "give the same as when it began, or begin a new campaign and let it learn_from the experiments of this one"
        )
    return given


def sha256_of_file(path: Path) -> str:
    """Raises CampaignError where there is no such file."""
    try:
        with path.open("rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()
    except OSError as e:
        raise CampaignError(f"the candidates' file {path} cannot be read: {e.strerror or e}") from None


def make(pool: Any, leave_out: Sequence[str], **options: Any) -> Candidates:
    """Candidates from what was given, without the columns of outcomes."""
    from zairyo.campaign._pools import candidates_from

    return candidates_from(pool, leave=tuple(leave_out), **options)
