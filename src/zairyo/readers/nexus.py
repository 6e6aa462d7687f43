"""NeXus files, of any application definition or of none: each NXdata's signals over its axes.

Without an NXdata, the columns of the group ``measurement`` are read, as ESRF's BLISS and others write a scan; the
entry's title is then its command, which names what was scanned.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    MeasurementError,
    Quantity,
    Signal,
    clean_text,
    make_name,
    table,
    tidy_metadata,
)
from zairyo.measurement.techniques import conditions as vocabulary
from zairyo.readers._api import NO, POSSIBLE, RawInput, Reader, ReadError
from zairyo.readers._hdf5_file import MAGIC, attribute, group_at, members, open_hdf5
from zairyo.readers._nexus_plots import entry_of, is_numbers, plot_of, unit_of, values_of
from zairyo.readers._nexus_tree import Node, read_tree
from zairyo.readers._scattering import technique_of
from zairyo.readers._tokens import number, unique

_MOST_ENTRIES = 500
_MARK = b"NXentry"
#: Application definition → technique; of scattering and diffraction the source tells what was scattered.
_TECHNIQUES = (
    ("NXxps", "xps"),
    ("NXarpes|NXmpes_arpes", "arpes"),
    ("NXxas", "xafs"),
    ("NXstxm", "nexafs"),
    ("NXtofnpd|NXtofsingle|NXtofraw", "neutron_diffraction"),
    ("NXmonopd|NXxrd", "xrd"),
    ("NXsas|NXcanSAS", "sas"),
    ("NXrefscan|NXreftof", "reflectometry"),
    ("NXfluo", "xrf"),
    ("NXellipsometry", "ellipsometry"),
    ("NXraman", "raman"),
    ("NXstm", "stm"),
    ("NXsts", "sts"),
    ("NXafm", "afm"),
    ("NXspm", "spm"),
)
#: Condition → where the definitions keep it: a number with its unit, or a text.
_CONDITIONS = (
    ("temperature", (("NXsample", "temperature"),)),
    ("wavelength", (("NXmonochromator", "wavelength"), ("NXbeam", "incident_wavelength"))),
    ("excitation_energy", (("NXbeam", "incident_energy"), ("NXmonochromator", "energy"))),
    ("facility", (("NXsource", "name"),)),
)


def sniff(src: RawInput) -> float:
    if not src.head.startswith(MAGIC):
        return NO
    if _MARK in src.head:
        return POSSIBLE
    try:
        with open_hdf5(src) as file:
            kinds = {attribute(g, "NX_class") for n in members(file) if (g := group_at(file, n)) is not None}
    except ReadError:
        return NO
    return POSSIBLE if _MARK.decode() in kinds else NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    taken: set[str] = set()
    entries: list[Entry] = []
    with open_hdf5(src) as file:
        root = read_tree(file, warnings)
        groups = list(root.find("NX_class", "NXentry"))
        chosen = str(root.attributes.get("default", ""))
        default = ""
        for group in groups:
            try:
                made = _entries(group, taken, warnings)
            except MeasurementError as e:
                raise ReadError(f"{group.path} of {src.name}: the parts do not fit together: {e}") from None
            if made and (not default or group.name == chosen):
                default = made[0].name
            entries += made
            if len(entries) > _MOST_ENTRIES:
                warnings.append(f"The file holds more than {_MOST_ENTRIES} plots; the others were left out.")
                break
    if not entries:
        raise ReadError(
            f"{src.name} is a NeXus file without numbers to plot: "
            + (
                " ".join(dict.fromkeys(warnings))
                or "no NXdata names a signal, and there is no table of a scan."
            )
        )
    samples = _said(groups, "NXsample", "name", "sample_id")
    return Measurement(
        tuple(entries),
        title=next((t for g in groups if (t := _text(g, "title"))), ""),
        sample=samples[0] if len(samples) == 1 else "",
        instrument=next(iter(_said(groups, "NXinstrument", "name", "short_name")), ""),
        operator=next(iter(_said(groups, "NXuser", "name")), ""),
        default=default,
        original_metadata=tidy_metadata(root.attributes),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _text(node: Node, name: str) -> str:
    return clean_text(node.text(name)).strip()


def _said(groups: list[Node], kind: str, *names: str) -> list[str]:
    """What groups of a class are called, each once."""
    found = (_text(node, name) for group in groups for node in _all(group, kind) for name in names)
    return list(dict.fromkeys(text for text in found if text))


def _all(node: Node, kind: str) -> Iterator[Node]:
    """The groups of a class below a node, wherever they are."""
    for child in node.groups.values():
        if child.attributes.get("NX_class") == kind:
            yield child
        yield from _all(child, kind)


# --- NXentry → entries --------------------------------------------------------------------------------------------


def _entries(group: Node, taken: set[str], warnings: list[str]) -> list[Entry]:
    technique = _technique(group, warnings)
    rest = {
        "conditions": _conditions(group, technique, warnings),
        "started": _started(_text(group, "start_time")),
        "original_metadata": tidy_metadata(group.tree()),
    }
    chosen = str(group.attributes.get("default", ""))
    plots = sorted(_all(group, "NXdata"), key=lambda node: node.name != chosen)
    entries: list[Entry] = []
    seen: set[Any] = set()
    for node in plots:
        plot = plot_of(node, warnings)
        if plot is None or (where := _address(node.arrays[plot.signal])) in seen:
            continue
        seen.add(where)
        name = f"{group.name}_{node.name}" if len(plots) > 1 else group.name
        title = " – ".join(dict.fromkeys(t for t in (_text(group, "title"), _text(node, "title")) if t))
        made = entry_of(plot, unique(name, taken), technique, title or name, rest, warnings)
        entries += [] if made is None else [made]
    scan = group.groups.get("measurement")
    if not entries and scan is not None:
        entries = _scan(scan, _text(group, "title"), taken, technique, rest, warnings)
    return entries


def _technique(group: Node, warnings: list[str]) -> str:
    definition = _text(group, "definition") or str(group.attributes.get("definition", ""))
    found = next((of for pattern, of in _TECHNIQUES if re.match(pattern, definition)), "unspecified")
    if found not in ("sas", "xrd"):
        return found
    told = " ".join(f"{_text(source, 'probe')} {_text(source, 'type')}" for source in _all(group, "NXsource"))
    scattered = technique_of(told)
    if found == "sas":
        return scattered
    if scattered == "sas":
        warnings.append(
            f"{group.path} does not say whether X-rays or neutrons were diffracted; X-rays were taken."
        )
    return "neutron_diffraction" if scattered == "sans" else "xrd"


def _started(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _conditions(group: Node, technique: str, warnings: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    known = vocabulary(technique)
    for name, places in _CONDITIONS:
        for kind, field in places if name in known else ():
            stated = [(node, node.values[field]) for node in _all(group, kind) if field in node.values]
            if name in found or len({str(value) for _, value in stated}) != 1:
                continue  # of several sources or samples, no one is the entry's
            node, value = stated[0]
            if known[name].unit is None:
                found |= {name: Quantity(text)} if (text := clean_text(node.text(field)).strip()) else {}
            elif not isinstance(value, str) and (n := number(value)) is not None:
                unit = unit_of(node.arrays[field], f"{node.path}/{field}", warnings)
                found |= {name: Quantity(n, unit)} if unit else {}
    return found


def _address(held: Any) -> Any:
    import h5py

    return h5py.h5o.get_info(held.id).addr


# --- the table of a scan ------------------------------------------------------------------------------------------


def _scan(
    node: Node, command: str, taken: set[str], technique: str, rest: dict[str, Any], warnings: list[str]
) -> list[Entry]:
    """The columns of a scan as a table, and each detector's pictures or spectra over its points."""
    held = {name: array for name, array in node.arrays.items() if is_numbers(array)}
    lengths = Counter(array.shape[0] for array in held.values() if len(array.shape) == 1)
    if not lengths:
        return []
    points = lengths.most_common(1)[0][0]
    named: set[str] = set()
    columns: dict[str, Signal] = {}
    entries: list[Entry] = []
    path = node.path.rpartition("/")[0].strip("/")
    for name, array in held.items():
        if array.shape[0] != points:
            warnings.append(
                f"{node.path}/{clean_text(name)[:60]} has {array.shape[0]} points, not {points}; left out."
            )
        elif (values := values_of(array, warnings)) is not None and values.ndim == 1:
            unit = unit_of(array, f"{node.path}/{name}", warnings)
            columns[name] = Signal(
                unique(make_name(name, "column"), named), values, unit, long_name=clean_text(name)
            )
        elif values is not None and values.ndim <= 4:
            axes = tuple(
                Axis(f"point_{d + 1}" if d else "point", np.arange(size), "")
                for d, size in enumerate(values.shape)
            )
            signal = Signal(make_name(name, "data"), values, None, tuple(axis.name for axis in axes))
            title = f"{command or path} – {clean_text(name)}"
            entries.append(
                Entry(unique(f"{path}_{name}", taken), technique, axes, (signal,), title=title, **rest)
            )
    words = command.replace(",", " ").split()
    x = next((name for word in words for name in columns if name == word), next(iter(columns)))
    y = next((name for name in reversed(columns) if name != x and not re.search("time|epoch", name)), "")
    if y:
        ordered = [columns[x], *(signal for name, signal in columns.items() if name != x)]
        made = table(unique(path, taken), technique, ordered, x=columns[x].name, default=columns[y].name,
                     title=command or path, **rest)  # fmt: skip
        entries.insert(0, made)
    return entries


READER = Reader(
    name="nexus",
    version="1",
    techniques=("unspecified",),
    vendor="NeXus",
    format="any application definition, or none",
    endings=(".nxs", ".h5", ".hdf5", ".hdf", ".nx5"),
    sniff=sniff,
    read=read,
    surest=POSSIBLE,
    notes="Every NXdata over its axes, with deviations; without one, the table of a scan (BLISS). The technique is "
    "that of the definition. Numbers kept in other files are not read.",
)
