"""From the checked contents of a standard-form file to the measurement."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from typing import Any

import numpy as np

from zairyo.measurement._contents import NexusError, Node
from zairyo.measurement.arrays import Array
from zairyo.measurement.model import Axis, Entry, Measurement, Quantity, RawFile, Signal, Source

_DATETIME64 = re.compile(r"M8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?\Z")


def measurement_of(root: Node) -> Measurement:
    """The measurement whose file has this root."""
    entries = list(root.children.values())
    if not entries:
        raise NexusError("has no entry")
    first = entries[0]
    process = first.get("process")
    source = None
    if process is not None and process.get("program"):
        raw = _json(process, "raw_files", list)
        source = Source(process["program"].text(), process["version"].text(), tuple(map(_raw_file, raw)))
    return Measurement(
        entries=tuple(_entry(node) for node in entries),
        title=_text(first, "experiment_description"),
        sample=_text(first, "sample", "name"),
        instrument=_text(first, "instrument", "name"),
        operator=_text(first, "user", "name"),
        default=_attribute(root, "default"),
        original_metadata=_json(process, "original_metadata", dict),
        warnings=tuple(_texts(_json(process, "warnings", list), "warnings")),
        source=source,
    )


def _entry(node: Node) -> Entry:
    data = node["data"]
    layout = _json(node, "layout", dict)
    axes, signals, x = layout.get("axes"), layout.get("signals"), layout.get("x")
    if not isinstance(signals, dict) or not isinstance(x, str):
        raise NexusError(f"{node.path}/layout lacks its signals or x")
    names = _texts(axes, f"axes in {node.path}/layout")
    if x:
        axis = [Axis("row", np.arange(math.prod(data[x].shape)))]
    else:
        axis = [Axis(n, *_values(data[n]), _long_name(data[n])) for n in names]
    return Entry(
        name=node.path,
        technique=_attribute(node, "technique"),
        axes=tuple(axis),
        # A dataset <signal>_errors is the uncertainty, unless it is itself an axis or a signal.
        signals=tuple(
            _signal(data, name, over, has_errors=f"{name}_errors" not in (*names, *signals))
            for name, over in signals.items()
        ),
        default=_default(layout, data),
        x=x,
        title="" if layout.get("untitled") is True else _text(node, "title"),
        conditions=_conditions(node.get("conditions")),
        original_metadata=_json(node, "original_metadata", dict),
        started=_moment(node["start_time"]) if node.get("start_time") else None,
    )


def _default(layout: dict[str, Any], data: Node) -> str:
    """The default signal: as the layout names it where a definition has another name for it."""
    name = layout.get("default", _attribute(data, "signal"))
    return _texts([name], f"the default signal of {data.path}")[0]


def _signal(data: Node, name: str, axes: Any, has_errors: bool) -> Signal:
    node, errors = data[name], data.get(f"{name}_errors")
    return Signal(
        name,
        *_values(node),
        axes=tuple(_texts(axes, f"axes of {node.path}")),
        long_name=_long_name(node),
        uncertainty=_values(errors)[0] if errors is not None and has_errors else None,
    )


def _values(node: Node) -> tuple[Array, str | None]:
    """A dataset's values and unit."""
    values = node.array()
    stored = node.attributes.get("datetime64")
    if stored is not None:
        if not isinstance(stored, str) or not _DATETIME64.match(stored) or values.dtype != np.int64:
            raise NexusError(f"{node.path} claims to be times as {stored!r}")
        values = values.view(np.dtype(stored))
    values.flags.writeable = False  # nobody else has it: the model need not copy
    return values, _unit(node)


def _unit(node: Node) -> str | None:
    return _optional(node, "units")


def _long_name(node: Node) -> str:
    text = _optional(node, "long_name") or ""
    unit = _unit(node) if text else None
    return text.removesuffix(f" ({unit})") if unit else text


def _conditions(group: Node | None) -> dict[str, Quantity]:
    return {} if group is None else {name: _quantity(node) for name, node in group.children.items()}


def _quantity(node: Node) -> Quantity:
    value: Any = node.value()
    if node.attributes.get("type") == "datetime":
        value = _moment(node)
    uncertainty = node.attributes.get("uncertainty")
    return Quantity(value, _unit(node), None if uncertainty is None else float(uncertainty))


def _moment(node: Node) -> datetime:
    text = node.text()
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise NexusError(f"{node.path} holds {text[:40]!r}, which is no time") from None


def _raw_file(item: Any) -> RawFile:
    if not isinstance(item, dict) or set(item) != {"name", "sha256", "size"}:
        raise NexusError("a raw file is named without its name, hash and size")
    _texts([item["name"], item["sha256"]], "raw files")
    return RawFile(**item)


def _text(node: Node, *names: str) -> str:
    """The text of a dataset below ``node``; empty where it is not there."""
    for name in names:
        child = node.get(name)
        if child is None:
            return ""
        node = child
    return node.text()


def _optional(node: Node, name: str) -> str | None:
    value = node.attributes.get(name)
    if value is not None and not isinstance(value, str):
        raise NexusError(f"{node.path}@{name} is not a text")
    return value


def _attribute(node: Node, name: str) -> str:
    value = _optional(node, name)
    if value is None:
        raise NexusError(f"{node.path or 'the file'} has no attribute {name!r}")
    return value


def _json(parent: Node | None, name: str, kind: type) -> Any:
    """What a JSON dataset holds; an empty ``kind`` where it is not there."""
    node = None if parent is None else parent.get(name)
    if node is None:
        return kind()
    try:
        value = json.loads(node.text())
    except (ValueError, RecursionError):
        raise NexusError(f"{node.path} is not JSON") from None
    if not isinstance(value, kind):
        raise NexusError(f"{node.path} is JSON of another kind")
    return value


def _texts(value: Any, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise NexusError(f"{what} are not a list of names")
    return value
