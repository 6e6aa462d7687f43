"""Igor waves of unknown content → entries: signals over the axes that the waves' scaling gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Signal, make_name, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import ReadError
from zairyo.readers._igor import Wave

_AXES = ("x", "y", "z", "t")
#: ``Binding Energy [eV]``, ``Intensity (cps)``: a label with its unit, where Igor has a field for the unit only.
_LABEL = re.compile(r"(?P<label>.*\S)\s*[\[(](?P<unit>[^\[\]()]*)[\])]")
_MOST_ENTRIES = 2000


def labelled(text: str) -> tuple[str, str]:
    """Label and unit of a wave's unit field."""
    match = _LABEL.fullmatch(text.strip())
    return (match["label"], match["unit"]) if match else ("", text.strip())


def wave_entries(waves: Sequence[tuple[tuple[str, ...], Wave]], warnings: list[str]) -> list[Entry]:
    """Waves of one folder over the same positions are signals of one entry."""
    groups: dict[tuple[Any, ...], list[Wave]] = {}
    for folder, wave in waves:
        kind = wave.data.dtype.kind in "OU"
        key = (folder, wave.data.shape, wave.step, wave.start, wave.axis_units, kind)
        groups.setdefault(key, []).append(wave)
    if len(groups) > _MOST_ENTRIES:
        warnings.append(f"Of {len(groups)} groups of waves the first {_MOST_ENTRIES} are read.")
    entries: list[Entry] = []
    taken: set[str] = set()
    for key, group in list(groups.items())[:_MOST_ENTRIES]:
        name = title = "/".join((*key[0], group[0].name if len(group) == 1 else _common(group)))
        name, number = make_name(title, "wave"), 1
        while name in taken:
            number += 1
            name = f"{make_name(title, 'wave')[:55]}_{number}"
        taken.add(name)
        entries.append(wave_entry(name, title, group, warnings))
    return entries


def _common(group: list[Wave]) -> str:
    names = [w.name for w in group]
    return f"{names[0]} … {names[-1]}" if len(names) > 2 else ", ".join(names)


def wave_entry(name: str, title: str, group: list[Wave], warnings: list[str]) -> Entry:
    """Waves over one set of positions."""
    first = group[0]
    axes = tuple(_axis(first, i, warnings) for i in range(first.data.ndim))
    taken = {a.name for a in axes}
    signals = []
    for wave in group:
        own = make_name(wave.name, "wave")
        label, unit = labelled(wave.unit)
        text = wave.data.dtype.kind in "OU"
        known = None if text else _spm.known_unit(unit, f"wave {wave.name}", warnings)
        values = wave.data.astype(np.str_) if text else wave.data
        signals.append(
            Signal(
                f"{own}_values" if own in taken else own,
                values,
                known,
                tuple(a.name for a in axes),
                f"{wave.name}: {label}" if label else wave.name,
            )
        )
    starts = [w.created for w in group if w.created]
    entry: Entry = _spm.made(
        "the wave", Entry, name, "unspecified", axes, _spm.unique(signals), title=title,
        original_metadata=tidy_metadata({w.name: wave_metadata(w) for w in group}),
        started=min(starts) if starts else None,
    )  # fmt: skip
    return entry


def _axis(wave: Wave, dimension: int, warnings: list[str]) -> Axis:
    """Positions by the scaling; numbers where it is none. A label that names the dimension names the axis."""
    label, unit = labelled(wave.axis_units[dimension])
    label = wave.axis_labels[dimension] or label
    if not np.isfinite([wave.step[dimension], wave.start[dimension]]).all():
        raise ReadError(f"wave {wave.name!r} is scaled by {wave.step[dimension]}; the file is damaged")
    with np.errstate(all="ignore"):
        places = wave.axis(dimension)
    if not np.isfinite(places).all():
        raise ReadError(f"the positions of wave {wave.name!r} are beyond all numbers; the file is damaged")
    name = _AXES[dimension]
    return Axis(name, places, _spm.known_unit(unit, f"axis {name} of {wave.name}", warnings), label)


def wave_metadata(wave: Wave) -> dict[str, Any]:
    """What stands beside the numbers."""
    told: dict[str, Any] = {
        "note": wave.note,
        "unit": wave.unit,
        "axis_units": list(wave.axis_units),
        "formula": wave.formula,
        "created": wave.created,
        "modified": wave.modified,
        "labels": [list(names) for names in wave.labels if names],
        "file_version": wave.version or None,
    }
    return {
        k: v for k, v in told.items() if v not in ("", None, []) and any(v if isinstance(v, list) else [v])
    }
