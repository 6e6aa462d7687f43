"""A measurement as one NeXus/HDF5 file, and back, exactly.

::

    /                     NXroot  @default, @zairyo_form
      <entry>             NXentry @default, @technique, @technique_term (CHMO)
        data              NXdata  @signal, @axes, @<axis>_indices, @auxiliary_signals
          <axis>, <signal>, <signal>_errors        @units, @long_name
        conditions        every condition, once: @units, @uncertainty
        instrument, sample ...   NeXus' places for them: hard links to the conditions
        process           NXprocess: reader, version, raw files with hashes, warnings; one for all entries
        original_metadata, layout                  JSON

Any viewer plots it. What NeXus has no place for is in ``layout``: which arrays are axes, which signal is over
which, the ``x`` of a table.

The fields of the technique's application definitions (NXxps, NXcanSAS ...; see ``definitions``) are filled as far
as the measurement says them, by further hard links and small datasets. ``definition`` is written only where every
field that it requires is there. Many require what no vendor's file says, e.g. NXraman the scattering
configuration; :func:`missing` lists it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from zairyo.measurement import definitions
from zairyo.measurement._contents import LIMITS, Limits, NexusError, Node, UnsafeFileError, open_checked
from zairyo.measurement._filling import GroupOnly, Link, Value, fill
from zairyo.measurement._nexus_read import measurement_of
from zairyo.measurement._plan import LEAST_COMPRESSED, MOST_TEMPLATE_BYTES, Plan, is_known
from zairyo.measurement.arrays import Array
from zairyo.measurement.model import Axis, Entry, Measurement, Signal
from zairyo.measurement.techniques import TECHNIQUES
from zairyo.measurement.techniques import conditions as vocabulary

__all__ = ["LIMITS", "Limits", "NexusError", "UnsafeFileError", "check", "dumps", "missing", "read", "write"]

FORM = 1
#: An attribute may have 64 KiB, and no viewer offers more signals than this to choose from.
_MOST_AUXILIARY = 256
#: NeXus classes of the groups that conditions are linked into; by their name, or its first word.
_CLASSES = {
    "instrument": "NXinstrument",
    "sample": "NXsample",
    "source": "NXsource",
    "beam": "NXbeam",
    "detector": "NXdetector",
    "monochromator": "NXmonochromator",
    "monitor": "NXmonitor",
    "user": "NXuser",
    "analyser": "NXelectronanalyzer",
    "collectioncolumn": "NXcollectioncolumn",
    "energydispersion": "NXenergydispersion",
    "electron_detector": "NXelectron_detector",
    "ebeam_column": "NXebeam_column",
    "electron_source": "NXsource",
    "scan_environment": "NXenvironment",
    "scan_control": "NXspm_scan_control",
    "scan_region": "NXspm_scan_region",
    "mesh_scan": "NXspm_scan_pattern",
    "experiment_result": "NXdata",
}


def write(measurement: Measurement, path: str | os.PathLike[str], *, durable: bool = False) -> None:
    """Write the measurement as a NeXus/HDF5 file; nothing half-written is ever at ``path``.

    Equal measurements give equal bytes. ``durable`` waits until the file survives a power loss.

    Raises
    ------
    OSError
        If the folder is missing, full or not writable; ``path`` is then as it was before.
    """
    path = Path(path)
    data = dumps(measurement)
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as f:
            f.write(data)
            if durable:
                f.flush()
                os.fsync(f.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable and os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def dumps(measurement: Measurement) -> bytes:
    """The file's bytes, as :func:`write` writes them."""
    plan = Plan()
    plan.attribute("", "NX_class", "NXroot")
    plan.attribute("", "default", measurement.default)
    plan.attribute("", "zairyo_form", FORM)
    first: _EntryWriter | None = None
    for entry in measurement:
        writer = _EntryWriter(plan, entry, measurement)
        if first is None:
            first = writer
            writer.write_shared(measurement)
        else:
            writer.share(first)
        writer.write_data()
        writer.write_conditions()
        writer.write_definition()
    return plan.to_bytes()


def missing(measurement: Measurement) -> dict[str, dict[str, list[str]]]:
    """What each entry lacks of its technique's application definitions.

    Returns
    -------
    dict
        By entry, by definition: paths below the NXentry of the required fields that the measurement does not say;
        empty for a definition that is complete. Entries of techniques without a definition are left out, and all
        of a measurement of more than a thousand.
    """
    lacking = {entry.name: fill(entry, measurement).missing for entry in measurement}
    return {name: found for name, found in lacking.items() if found}


class _EntryWriter:
    """Plans one NXentry, and knows what is where in it."""

    def __init__(self, plan: Plan, entry: Entry, measurement: Measurement) -> None:
        self._plan = plan
        self._entry = entry
        self._filling = fill(entry, measurement)
        self._marks = _marks_of_classes(entry.technique)
        self._groups: set[str] = set()
        self._taken: set[str] = set()
        self._shared: list[str] = []
        plan.group(entry.name, "NXentry")
        plan.attribute(entry.name, "default", "data")
        plan.attribute(entry.name, "technique", entry.technique)
        if entry.technique in TECHNIQUES and (term := TECHNIQUES[entry.technique].term):
            plan.attribute(entry.name, "technique_term", term)
        self._untitled = not entry.title and self._filling.claimed is not None
        if title := entry.title or (self._untitled and (measurement.title or entry.name)):
            self._put("title", title)
        if entry.started is not None:
            self._put("start_time", entry.started.isoformat())
        if entry.original_metadata:
            self._put("original_metadata", _json(entry.original_metadata))

    def write_shared(self, measurement: Measurement) -> None:
        """What is said once for all entries, in the first of them."""
        source = measurement.source
        texts = {
            "experiment_description": measurement.title,
            "sample/name": measurement.sample,
            "instrument/name": measurement.instrument,
            "user/name": measurement.operator,
            "process/warnings": _json(measurement.warnings),
            "process/original_metadata": _json(measurement.original_metadata),
        }
        texts = {path: text for path, text in texts.items() if text not in ("", "[]", "{}")}
        if source is not None:
            raw = [{"name": f.name, "sha256": f.sha256, "size": f.size} for f in source.raw_files]
            texts |= {"process/program": source.reader, "process/version": source.reader_version}
            texts["process/raw_files"] = _json(raw)
        self._group("process", "NXprocess")
        for path, text in texts.items():
            self._put(path, text)
        self._shared = ["process", *(path for path in texts if not path.startswith("process/"))]

    def share(self, first: _EntryWriter) -> None:
        for path in first._shared:
            self._link(path, f"{first._entry.name}/{path}")

    def write_data(self) -> None:
        entry = self._entry
        group = self._group("data", "NXdata")
        for name, value in (_plot_attributes(entry) | self._filling.data).items():
            self._plan.attribute(group, name, value)
        parts: list[Axis | Signal] = [*(() if entry.is_table else entry.axes), *entry.signals]
        for part in parts:
            self._put_array(f"data/{part.name}", part.values, part.unit, part)
            if isinstance(part, Signal) and part.uncertainty is not None:
                self._put_array(f"data/{part.name}_errors", part.uncertainty, part.unit)
        layout: dict[str, Any] = {
            "axes": [a.name for a in entry.axes],
            "signals": {s.name: list(s.axes) for s in entry.signals},
            "x": entry.x,
        }
        if "signal" in self._filling.data:
            layout["default"] = entry.default
        if self._untitled:
            layout["untitled"] = True
        self._put("layout", _json(layout))

    def write_conditions(self) -> None:
        if not self._entry.conditions:
            return
        group = self._group("conditions", "NXcollection")
        places = vocabulary(self._entry.technique)
        for name, quantity in self._entry.conditions.items():
            value = quantity.value
            moment = isinstance(value, datetime)
            path = self._put(
                f"conditions/{name}", value.isoformat() if isinstance(value, datetime) else value
            )
            if quantity.unit is not None:
                self._plan.attribute(path, "units", quantity.unit)
            if quantity.uncertainty is not None:
                self._plan.attribute(path, "uncertainty", quantity.uncertainty)
            if moment:
                self._plan.attribute(path, "type", "datetime")
            place = places[name].nexus if name in places else ""
            if place and not self._is_taken(place):
                self._link(place, f"{group}/{name}")

    def write_definition(self) -> None:
        """What fills NeXus' application definitions, and the claim if one is complete."""
        for path, step in self._filling.steps.items():
            if isinstance(step, GroupOnly):
                self._group(path)
            elif self._is_taken(path):  # by the vocabulary, which has the same in this place
                continue
            elif isinstance(step, Value):
                self._put(path, step.value)
            elif isinstance(step, Link):
                target = f"{self._entry.name}/{step.target}"
                self._link(path, target)
                if step.type:
                    self._plan.attribute(target, "type", step.type)
        if (claimed := self._filling.claimed) is not None:
            path = self._put("definition", claimed.name)
            self._plan.attribute(path, "version", definitions.VERSION)
            if claimed.url:
                self._plan.attribute(path, "URL", claimed.url)
            for path in claimed.custom:
                self._plan.attribute(f"{self._entry.name}/{path}", "custom", True)
            for name, value in claimed.entry.items():
                self._plan.attribute(self._entry.name, name, value)

    def _put_array(
        self, path: str, values: Array, unit: str | None, part: Axis | Signal | None = None
    ) -> None:
        path = self._put(path, values)
        if unit is not None:
            self._plan.attribute(path, "units", unit)
        if part is not None and part.long_name:
            # Viewers show a long name as it is: the unit has to be in it.
            self._plan.attribute(path, "long_name", part.label)
        if values.dtype.kind == "M":
            self._plan.attribute(path, "datetime64", values.dtype.str[1:])

    def _put(self, path: str, value: Any) -> str:
        """Plan a dataset; its path from the root."""
        full = self._full(path)
        self._plan.dataset(full, value)
        return full

    def _link(self, path: str, target: str) -> None:
        self._plan.link(self._full(path), target)

    def _full(self, path: str) -> str:
        """The path from the root of what is about to be made, its groups being there."""
        folder, _, name = path.rpartition("/")
        self._taken.add(path)
        return f"{self._group(folder)}/{name}"

    def _group(self, path: str, nx_class: str = "") -> str:
        """The path from the root of a group, made if it is not there."""
        if not path:
            return self._entry.name
        full = f"{self._entry.name}/{path}"
        if path not in self._groups:
            folder, _, name = path.rpartition("/")
            self._group(folder)
            self._groups.add(path)
            nx_class = nx_class or _CLASSES.get(name) or _CLASSES.get(name.partition("_")[0], "NXcollection")
            self._plan.group(full, nx_class)
            if nx_class in self._marks:
                self._plan.attribute(full, *self._marks[nx_class])
        return full

    def _is_taken(self, path: str) -> bool:
        """Whether something is at ``path``, or a dataset where a group on the way to it would be."""
        parents = path.split("/")
        return path in self._groups or any(
            "/".join(parents[: i + 1]) in self._taken for i in range(len(parents))
        )


@cache
def _marks_of_classes(technique: str) -> dict[str, tuple[str, str]]:
    """The attribute that groups of a NeXus class have in a technique's definitions."""
    return {
        nx_class: ("canSAS_class", mark)
        for definition in definitions.definitions(technique)
        for nx_class, mark in definition.classes.items()
    }


def _plot_attributes(entry: Entry) -> dict[str, Any]:
    """NXdata's attributes for the default plot."""
    signal = entry.signal
    if entry.is_table:
        x = entry[entry.x]
        axes: tuple[str, ...] = (entry.x,) if x.values.dtype.kind in "iufM" else (".",)
    else:
        axes = signal.axes
    attributes: dict[str, Any] = {"signal": signal.name}
    if axes:
        attributes["axes"] = np.array(axes)
        attributes |= {f"{name}_indices": i for i, name in enumerate(axes) if name != "."}
    others = [
        s.name
        for s in entry.signals
        if s.axes == signal.axes and s.values.dtype.kind in "iuf" and s.name not in (signal.name, entry.x)
    ]
    if others and axes:
        attributes["auxiliary_signals"] = np.array(others[:_MOST_AUXILIARY])
    if len(signal.axes) > 2:
        attributes["interpretation"] = "spectrum"
    return attributes


def _json(value: Any) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, separators=(",", ":"))


def read(path: str | os.PathLike[str], limits: Limits = LIMITS) -> Measurement:
    """Read a file that :func:`write` wrote. It is checked as by :func:`check` before anything in it is used.

    Raises
    ------
    OSError
        If the file is not there or not readable.
    NexusError
        If it is damaged, or not a standard-form file; :class:`UnsafeFileError` if it looks made to do harm.
    """
    with open_checked(path, limits) as root:
        _check_form(root)
        return measurement_of(root)


def check(path: str | os.PathLike[str], limits: Limits = LIMITS, *, learn: bool = False) -> None:
    """Raise unless everything in the file is of the kind that a standard-form file is made of.

    Takes bounded time and memory and opens no other file, whatever is inside: links out of the file,
    storage elsewhere, virtual datasets, unknown filters and types, and values that would unpack to more
    than ``limits`` are refused. Errors as of :func:`read`.

    Parameters
    ----------
    learn
        Write the file's measurement anew, in memory, to know the next file that differs in its numbers only:
        that takes a tenth of the time. For who checks many.
    """
    path = Path(path)
    if learn and path.stat().st_size <= MOST_TEMPLATE_BYTES and is_known(path.read_bytes()):
        return
    with open_checked(path, limits) as root:
        _check_form(root)
        if learn and path.stat().st_size <= MOST_TEMPLATE_BYTES and root.largest() < LEAST_COMPRESSED:
            dumps(measurement_of(root))


def _check_form(root: Node) -> None:
    form = root.attributes.get("zairyo_form")
    if not isinstance(form, np.integer):
        raise NexusError("is HDF5, but not a standard-form file of Zairyo")
    if form != FORM:
        raise NexusError(f"is of form {form}; this version of Zairyo reads form {FORM}. Update Zairyo.")
