"""The open ``.emd`` of Berkeley's NCEM (also Prismatic's and py4DSTEM's): HDF5 with calibrated arrays.

A group whose attribute ``emd_group_type`` marks an array holds ``data`` (or one array of another name) and, for each
of its dimensions, ``dim1`` …
with the attributes ``name`` and ``units``. Facts: the format's public description (emdatasets.com).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Signal, make_name, tidy_metadata
from zairyo.measurement.units import normalise
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._hdf5_file import MAGIC, attribute, dataset, members, open_hdf5
from zairyo.readers._microscope_values import free_name

_MARK = "emd_group_type"
#: What ``emd_group_type`` says of an array: NCEM's number, py4DSTEM's words.
_ARRAYS = {"1", "array"}
_AXIS = re.compile(r"dim\d+")
_DEEPEST, _MOST_GROUPS = 12, 20_000
#: Common names of dimensions → the vocabulary's; by the axis' unit where one name is used for several.
_NAMES = {
    "energy loss": "energy_loss",
    "eloss": "energy_loss",
    "e": "energy",
    "qx": "k_x",
    "qy": "k_y",
    "kx": "k_x",
}
_NAMES |= {
    "ky": "k_y",
    "rx": "x",
    "ry": "y",
    "r_x": "x",
    "r_y": "y",
    "q_x": "k_x",
    "q_y": "k_y",
    "angle": "tilt",
}
_KNOWN = {"x", "y", "z", "k_x", "k_y", "energy", "energy_loss", "time", "frame", "tilt", "distance"}


def _sniff(src: RawInput) -> float:
    if src.head[:8] != MAGIC:
        return NO
    try:
        with open_hdf5(src) as file:
            if attribute(file, "version_major") is None and attribute(file, "emd_version") is None:
                marked = any(attribute(file[n], _MARK) is not None for n in members(file)[:100])
                return LIKELY if marked else NO
            return CERTAIN if next(_arrays(file), None) is not None else NO
    except ReadError:
        return NO


def _arrays(file: Any) -> Iterator[Any]:
    """Groups that are marked as an array, in the order of the file; each once, whatever links there are."""
    import h5py

    waiting, seen = [(file, 0)], set[Any]()
    while waiting and len(seen) < _MOST_GROUPS:
        group, depth = waiting.pop()
        if group.id in seen:
            continue
        seen.add(group.id)
        if str(attribute(group, _MARK)) in _ARRAYS and _name_of_data(group) is not None:
            yield group
            continue
        if depth < _DEEPEST:
            inner = [group[n] for n in members(group)]
            waiting += [(g, depth + 1) for g in reversed(inner) if isinstance(g, h5py.Group)]


def _name_of_data(group: Any) -> str | None:
    """``data``, or the one array that is no axis (Prismatic's ``realslice``, ``datacube`` …)."""
    if dataset(group, "data", most=2**63) is not None:
        return "data"
    others = [
        n for n in members(group) if not _AXIS.fullmatch(n) and dataset(group, n, most=2**63) is not None
    ]
    return others[0] if len(others) == 1 else None


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    taken: set[str] = set()
    with open_hdf5(src) as file:
        groups = list(_arrays(file))
        entries = [e for g in groups if (e := _entry(g, taken, warnings)) is not None]
        if not entries:
            raise ReadError(
                f"{src.name} holds no array that can be read: " + (" ".join(warnings) or "none is marked")
            )
        about: dict[str, dict[str, Any]] = {
            n: {k: attribute(file[n], k) for k in file[n].attrs}
            for n in ("comments", "microscope", "sample", "user")
            if n in members(file)
        }
        root = {k: attribute(file, k) for k in file.attrs}
    return Measurement(
        entries=tuple(entries),
        title=entries[0].title,
        sample=_told(about, "sample", ("name", "sample", "material")),
        instrument=_told(about, "microscope", ("name", "microscope name", "microscope")),
        operator=_told(about, "user", ("name", "user", "user name")),
        original_metadata=tidy_metadata({**root, **about}),
        warnings=tuple(warnings),
    )


def _told(about: dict[str, dict[str, Any]], group: str, names: tuple[str, ...]) -> str:
    found = (about.get(group, {}).get(n) for n in names)
    return next((str(v).strip() for v in found if isinstance(v, str) and v.strip()), "")


def _entry(group: Any, taken: set[str], warnings: list[str]) -> Entry | None:
    data = dataset(group, _name_of_data(group) or "data")
    if data is None or data.dtype.kind not in "biufc" or not data.ndim or 0 in data.shape:
        warnings.append(f"{group.name} holds no numbers; it was not read.")
        return None
    axes: list[Axis] = []
    for i, size in enumerate(data.shape):
        made = _axis(group, i, size, data.ndim, warnings)
        if made.name in {a.name for a in axes}:
            made = Axis(f"{made.name[:50]}_{i + 1}", made.values, made.unit, made.long_name)
        axes.append(made)
    title = group.name.rpartition("/")[2]
    unit = attribute(data, "units")
    return Entry(
        name=free_name(title, taken, "data"),
        technique=_technique(axes),
        axes=tuple(axes),
        signals=(Signal("intensity", data[()], _unit(unit), tuple(a.name for a in axes)),),
        title=title,
        original_metadata=tidy_metadata({k: attribute(group, k) for k in group.attrs}),
    )


def _axis(group: Any, number: int, size: int, count: int, warnings: list[str]) -> Axis:
    """The axis of a dimension; two values are the first and the second position (py4DSTEM)."""
    counted_from = 0 if dataset(group, "dim0") is not None else 1
    found = dataset(group, f"dim{number + counted_from}")
    fallback = ("frame", "z", "y", "x")[-count:][number] if count <= 4 else f"dimension_{number + 1}"
    if found is None or found.dtype.kind not in "iuf" or found.ndim != 1:
        return Axis(fallback, np.arange(size), "pixel")
    values = found[()]
    if len(values) == 2 and size > 2:
        values = values[0] + (values[1] - values[0]) * np.arange(size)
    if len(values) != size or not np.isfinite(values).all():
        warnings.append(f"The positions in {found.name} do not fit the data; they are numbered.")
        return Axis(fallback, np.arange(size), "pixel")
    label = str(attribute(found, "name") or "")
    unit = _unit(attribute(found, "units"))
    key = _NAMES.get(label.casefold().strip(), make_name(label, fallback))
    if key in ("x", "y") and unit is not None and re.fullmatch(r"1/\w+|mrad|rad", unit):
        key = f"k_{key}" if unit.startswith("1/") else f"angle_{key}"
    return Axis(key, values, unit, "" if key in _KNOWN else label)


def _unit(stated: Any) -> str | None:
    """NCEM writes ``[n_m]``, ``[1/n_m]``; others ``nm``, ``A^-1``. Unknown ones are kept as they are."""
    text = str(stated).strip().strip("[]").replace("_", "") if stated is not None else ""
    if not text or text.casefold() in ("none", "px"):
        return "pixel" if text else None
    if text in ("A", "A^-1"):  # a length here, no current
        text = text.replace("A", "angstrom")
    return normalise(text) or text


def _technique(axes: list[Axis]) -> str:
    names = [a.name for a in axes]
    if "energy_loss" in names:
        return "eels"
    if "energy" in names:
        return "eels" if any(a.unit == "eV" for a in axes if a.name == "energy") else "eds"
    if len(axes) == 4:
        return "stem_4d"
    return "electron_diffraction" if names[-1].startswith(("k_", "angle_")) else "tem"


READER = Reader(
    name="berkeley_emd",
    version="2",
    techniques=("tem", "stem_4d", "electron_diffraction", "eels", "eds"),
    vendor="NCEM (open format)",
    format="EMD",
    endings=(".emd", ".h5"),
    sniff=_sniff,
    read=_read,
    notes="Every array with its calibrated axes, of NCEM's, Prismatic's and py4DSTEM's files; no lists of points.",
)
