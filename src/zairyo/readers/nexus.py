"""NeXus files, of any application definition or of none: each NXdata's signal over its axes.

Source: the NeXus manual (NIAC), "Associating plottable data". A group of the class NXdata names its signal in the
attribute ``signal``, the axis of each dimension in ``axes`` (``.`` where there is none), and further signals in
``auxiliary_signals``. In older files the data sets are marked instead: ``signal=1`` and ``axes="y:x"`` on one, or
``axis=1`` on others. An axis that has one value more than its dimension holds the ends of bins. Deviations are in
``<signal>_errors`` or ``errors``. Without an NXdata, the columns of the group ``measurement`` are read, as ESRF's
BLISS and others write a scan; the entry's title is then its command, which names what was scanned.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    units,
)
from zairyo.measurement.techniques import TECHNIQUES
from zairyo.measurement.techniques import conditions as vocabulary
from zairyo.readers._api import NO, POSSIBLE, RawInput, Reader, ReadError
from zairyo.readers._hdf5_file import MAGIC, attribute, group_at, members, open_hdf5
from zairyo.readers._nexus_tree import Node, read_tree
from zairyo.readers._tokens import number, unique

_MOST_ARRAY = 512 * 1024**2
_MOST_ENTRIES = 500
_MARK = b"NXentry"
#: Application definition → technique. Where a source of neutrons is named, the second.
_TECHNIQUES = (
    ("NXxps", "xps", "xps"),
    ("NXarpes|NXmpes_arpes", "arpes", "arpes"),
    ("NXxas", "xafs", "xafs"),
    ("NXstxm", "nexafs", "nexafs"),
    ("NXmonopd|NXxrd|NXtofnpd|NXtofsingle", "xrd", "neutron_diffraction"),
    ("NXsas|NXcanSAS", "saxs", "sans"),
    ("NXrefscan|NXreftof", "reflectometry", "reflectometry"),
    ("NXfluo", "xrf", "xrf"),
    ("NXellipsometry", "ellipsometry", "ellipsometry"),
    ("NXraman", "raman", "raman"),
    ("NXstm", "stm", "stm"),
    ("NXsts", "sts", "sts"),
    ("NXafm", "afm", "afm"),
    ("NXspm", "spm", "spm"),
)
#: What the definitions call a signal or an axis → the vocabulary, of the techniques that have the name.
_NAMES = {
    "polar_angle": "two_theta",
    "two_theta": "two_theta",
    "Q": "q",
    "Qx": "qx",
    "Qy": "qy",
    "energy": "photon_energy",
    "data": "intensity",
    "counts": "intensity",
    "I": "intensity",
}
#: Of photoelectrons the axis ``energy`` says in its attribute ``type`` which it is.
_ENERGIES = {"binding": "binding_energy", "kinetic": "kinetic_energy"}
_LENGTHS = re.compile(r"(?i)(wavelength|lambda|spacing|/q[xyz]?\Z|/d\Z)")
_ANGSTROM = re.compile(r"\bA\b")
#: Condition → where the definitions keep it, and its unit where the file gives none.
_CONDITIONS = (
    ("temperature", (("NXsample", "temperature"),), None),
    ("wavelength", (("NXmonochromator", "wavelength"), ("NXbeam", "incident_wavelength")), None),
    ("excitation_energy", (("NXbeam", "incident_energy"), ("NXmonochromator", "energy")), None),
    ("facility", (("NXsource", "name"),), ""),
)


@dataclass
class _Plot:
    """An NXdata: its signal, and for each dimension the axis' name or nothing."""

    node: Node
    signal: str
    axes: list[str]
    others: list[str]


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
            made = _entries(group, taken, warnings, src.name)
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


def _entries(group: Node, taken: set[str], warnings: list[str], file: str) -> list[Entry]:
    definition = _text(group, "definition") or str(group.attributes.get("definition", ""))
    probes = {_text(source, "probe") or _text(source, "type") for source in _all(group, "NXsource")}
    technique = _technique(definition, any("neutron" in probe.casefold() for probe in probes))
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
        plot = _plot(node, warnings)
        if plot is None or (where := _address(node.arrays[plot.signal])) in seen:
            continue
        seen.add(where)
        name = f"{group.name}_{node.name}" if len(plots) > 1 else group.name
        title = " – ".join(dict.fromkeys(t for t in (_text(group, "title"), _text(node, "title")) if t))
        try:
            entries.append(_entry(plot, unique(name, taken), technique, title or name, rest, warnings))
        except MeasurementError as e:
            raise ReadError(f"{node.path} of {file}: the parts do not fit together: {e}") from None
    scan = group.groups.get("measurement")
    if not entries and scan is not None:
        entries = _scan(scan, _text(group, "title"), taken, technique, rest, warnings)
    return entries


def _technique(definition: str, is_neutrons: bool) -> str:
    for pattern, other, neutrons in _TECHNIQUES:
        if re.match(pattern, definition):
            return neutrons if is_neutrons else other
    return "unspecified"


def _started(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _conditions(group: Node, technique: str, warnings: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    known = vocabulary(technique)
    for name, places, unit in _CONDITIONS:
        if name not in known:
            continue
        for kind, field in places:
            stated = [(node, node.values[field]) for node in _all(group, kind) if field in node.values]
            if len({str(value) for _, value in stated}) != 1:
                continue  # of several sources or samples, no one is the entry's
            node, value = stated[0]
            if unit == "" and isinstance(value, str) and value.strip():
                found.setdefault(name, Quantity(clean_text(value).strip()))
            elif unit is None and (n := number(value)) is not None:
                told = _unit(node.arrays[field], f"{node.path}/{field}", warnings)
                if told:
                    found.setdefault(name, Quantity(n, told))
    return found


def _unit(held: Any, where: str, warnings: list[str]) -> str | None:
    """Pint's spelling of the attribute ``units``; an unknown one verbatim with a warning, None if there is none."""
    stated = attribute(held, "units")
    text = clean_text(stated).strip() if isinstance(stated, str) else ""
    if not text or text.casefold() in ("none", "any", "unitless"):
        return "" if text.casefold() == "unitless" else None
    if _LENGTHS.search(where):  # no current
        text = _ANGSTROM.sub("angstrom", text)
    known = units.normalise(text)
    if known is None:
        warnings.append(f"The unit {text[:40]!r} of {where} is not known; it was kept as it is.")
    return known or text


def _address(held: Any) -> Any:
    import h5py

    return h5py.h5o.get_info(held.id).addr


# --- NXdata -------------------------------------------------------------------------------------------------------


def _plot(node: Node, warnings: list[str]) -> _Plot | None:
    """What an NXdata plots; None if it names no array of numbers."""
    marks = {name: held for name, held in node.arrays.items() if _is_numbers(held)}
    stated = node.attributes.get("signal")
    signal = stated if isinstance(stated, str) else ""
    if not signal:
        signal = next((n for n, held in marks.items() if str(attribute(held, "signal")) == "1"), "")
    if not signal:
        signal = "data" if "data" in marks else next(iter(marks)) if len(marks) == 1 else ""
    if signal not in marks:
        if signal:
            warnings.append(
                f"{node.path} plots {clean_text(signal)[:60]!r}, which holds no numbers here; left out."
            )
        return None
    shape = marks[signal].shape
    axes = _named_axes(node, marks, signal)
    axes += [""] * (len(shape) - len(axes))
    auxiliary = _words(node.attributes.get("auxiliary_signals"))
    beside = [n for n in marks if n not in axes and n != signal and not _is_deviation(n, marks)]
    others = [n for n in dict.fromkeys((*auxiliary, *beside)) if n in marks and marks[n].shape == shape]
    return _Plot(node, signal, axes[: len(shape)], others)


def _is_numbers(held: Any) -> bool:
    return bool(held.dtype.kind in "biufc" and held.shape and 0 not in held.shape)


def _words(value: Any) -> list[str]:
    """Names in an attribute: a list, or a text with colons or commas, perhaps in brackets."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [str(v).strip() for v in value]
    return [w.strip() for w in re.split("[:,]", value.strip().strip("[]"))] if isinstance(value, str) else []


def _named_axes(node: Node, marks: dict[str, Any], signal: str) -> list[str]:
    """The axis of each dimension, as the group, the signal or the axes themselves say."""
    words = _words(node.attributes.get("axes")) or _words(attribute(marks[signal], "axes"))
    if words:
        return [w if w in marks else "" for w in words]
    found = [""] * len(marks[signal].shape)
    for name, held in marks.items():
        place = number(attribute(held, "axis"))
        if name != signal and place is not None and 1 <= place <= len(found) and place % 1 == 0:
            is_first = str(attribute(held, "primary")) == "1" or not found[int(place) - 1]
            found[int(place) - 1] = name if is_first else found[int(place) - 1]
    return found


def _is_deviation(name: str, marks: dict[str, Any]) -> bool:
    return name == "errors" or name.removesuffix("_errors") in marks.keys() - {name}


def _entry(
    plot: _Plot, name: str, technique: str, title: str, rest: dict[str, Any], warnings: list[str]
) -> Entry:
    node, arrays = plot.node, plot.node.arrays
    taken: set[str] = set()
    axes: list[Axis] = []
    positions: list[Signal] = []
    alone = len(plot.axes) == 1
    for dimension, (axis, size) in enumerate(zip(plot.axes, arrays[plot.signal].shape, strict=True)):
        found = _positions(node, axis, size, technique, taken, warnings)
        if found is None or (not alone and _turns(found)):
            axes.append(
                Axis(unique(f"point_{dimension + 1}" if dimension else "point", taken), np.arange(size), "")
            )
            positions += [] if found is None else [found.over(axes[-1].name)]
        else:
            axes.append(Axis(found.name, found.values, found.unit, found.long_name))
    over = tuple(axis.name for axis in axes)
    deviation = next((arrays[n] for n in (f"{plot.signal}_errors", "errors") if n in arrays), None)
    signals: list[Signal] = []
    for given in (plot.signal, *plot.others):
        if (values := _values(arrays[given], warnings)) is None:
            if given == plot.signal:
                raise ReadError(" ".join(warnings[-1:]))
            continue
        called = unique(_called(given, arrays[given], technique), taken)
        unit = _unit(arrays[given], f"{node.path}/{given}", warnings)
        spread = _spread(deviation, values) if given == plot.signal else None
        signals.append(Signal(called, values, unit, over, _label(arrays[given], called), spread))
    first = Signal(axes[0].name, axes[0].values, axes[0].unit, long_name=axes[0].long_name)
    default = signals[0].name
    if alone and _turns(first):
        return table(name, technique, [first, *signals], x=first.name, default=default, title=title, **rest)
    return Entry(name, technique, tuple(axes), (*signals, *positions), default, title=title, **rest)


def _turns(positions: Signal) -> bool:
    """Whether positions go there and back, or are not all known, and so are no axis but a column."""
    steps = np.diff(np.asarray(positions.values, float))
    return bool(len(steps)) and not ((steps > 0).all() or (steps < 0).all())


def _positions(
    node: Node, name: str, size: int, technique: str, taken: set[str], warnings: list[str]
) -> Signal | None:
    """The numbers along a dimension; None where there are none that fit, told if there are others."""
    held = node.arrays.get(name)
    if held is None:
        return None
    where = f"{node.path}/{clean_text(name)[:60]}"
    values = _values(held, warnings) if len(held.shape) == 1 else None
    if values is None or len(values) not in (size, size + 1):
        shape = " × ".join(map(str, held.shape))
        warnings.append(f"{where} has the shape {shape} and is no axis of {size} points; they are numbered.")
        return None
    if len(values) == size + 1:
        values = (values[1:] + values[:-1]) / 2
        warnings.append(f"{where} holds the ends of bins; their middles were taken.")
    called = unique(_called(name, held, technique), taken)
    return Signal(called, values, _unit(held, where, warnings), long_name=_label(held, called))


def _values(held: Any, warnings: list[str]) -> NDArray[Any] | None:
    size = int(np.prod(held.shape, dtype=np.int64)) * held.dtype.itemsize
    if size > _MOST_ARRAY:
        warnings.append(
            f"{held.name} has {size / 1024**3:.1f} GiB, more than the {_MOST_ARRAY / 1024**3:g} GiB that are read; "
            "it was left out."
        )
        return None
    values: NDArray[Any] = held[()]
    return values.astype(np.uint8) if values.dtype.kind == "b" else values


def _spread(held: Any | None, values: NDArray[Any]) -> NDArray[Any] | None:
    if held is None or held.shape != values.shape or not _is_numbers(held):
        return None
    spread: NDArray[Any] = held[()]
    return spread if np.isfinite(spread).all() and (spread >= 0).all() else None


def _called(name: str, held: Any, technique: str) -> str:
    """The vocabulary's name, where the technique has it."""
    kind = _ENERGIES.get(str(attribute(held, "type")).casefold()) if name == "energy" else None
    known = kind or _NAMES.get(name, "")
    return known if known in {s.name for s in TECHNIQUES[technique].signals} else make_name(name, "data")


def _label(held: Any, called: str) -> str:
    stated = attribute(held, "long_name")
    text = clean_text(stated).strip() if isinstance(stated, str) else ""
    own = clean_text(held.name.rpartition("/")[2])
    return text or ("" if own == called else own)


# --- the table of a scan ------------------------------------------------------------------------------------------


def _scan(
    node: Node, command: str, taken: set[str], technique: str, rest: dict[str, Any], warnings: list[str]
) -> list[Entry]:
    """The columns of a scan as a table, and each detector's pictures or spectra over its points."""
    held = {name: array for name, array in node.arrays.items() if _is_numbers(array)}
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
        elif (values := _values(array, warnings)) is not None and values.ndim == 1:
            unit = _unit(array, f"{node.path}/{name}", warnings)
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
