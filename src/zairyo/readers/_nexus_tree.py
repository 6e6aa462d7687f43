"""A NeXus file as a tree in memory: attributes and small values read once, arrays left in the file.

Hard links are followed, each group once, and soft ones to arrays in the file itself (as beam lines link a detector's
numbers from where they are plotted); what lies in other files is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zairyo.readers._hdf5_file import attribute

_DEEPEST = 12
#: Groups and data sets of a file that are read: each takes HDF5 a tenth of a millisecond or more.
_MOST_NODES = 10_000
#: Soft links that lead to each other.
_MOST_LINKS = 8
_SMALL_VALUES, _SMALL_BYTES = 32, 65_536


@dataclass
class Node:
    """A group: its attributes (texts decoded), groups and data sets by name."""

    name: str
    path: str = "/"
    attributes: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, Node] = field(default_factory=dict)
    arrays: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A data set of one text (or an attribute of that name); empty if there is none."""
        value = self.values.get(name)
        return value.strip() if isinstance(value, str) else ""

    def find(self, marker: str, value: str) -> Iterator[Node]:
        """The outermost groups below this one whose attribute ``marker`` is ``value``."""
        for child in self.groups.values():
            if child.attributes.get(marker) == value:
                yield child
            else:
                yield from child.find(marker, value)

    def tree(self) -> dict[str, Any]:
        """Everything but the arrays, nested as in the file; attributes with '@'."""
        import h5py

        out: dict[str, Any] = {f"@{name}": value for name, value in self.attributes.items()}
        for name, held in self.arrays.items():
            value = self.values.get(name, {"shape": list(held.shape)})
            units = attribute(held, "units") if h5py.h5a.exists(held.id, b"units") else None
            out[name] = value if units is None else {"value": value, "units": units}
        return out | {name: child.tree() for name, child in self.groups.items()}


def read_tree(file: Any, warnings: list[str]) -> Node:
    """The whole file's tree, from an open ``h5py.File``; of a file that holds too much, its beginning."""
    count = [0]
    root = _read(file, "", "/", set(), count, 0)
    if count[0] > _MOST_NODES:
        warnings.append(
            f"The file holds more than {_MOST_NODES} groups and data sets; the others were left out."
        )
    return root


def _read(group: Any, name: str, path: str, seen: set[Any], count: list[int], depth: int) -> Node:
    import h5py

    node = Node(name, path, _attributes(group))
    seen.add(h5py.h5o.get_info(group.id).addr)
    for child_name in group:
        count[0] += 1
        if count[0] > _MOST_NODES or not isinstance(child_name, str):
            break
        link = child_name.encode("utf-8", "surrogateescape")
        if group.id.links.get_info(link).type == h5py.h5l.TYPE_HARD:
            held = h5py.h5o.open(group.id, link)  # half the time that ``group[…]`` takes
        else:
            held = _linked(group.id, link, _MOST_LINKS)
            if not isinstance(held, h5py.h5d.DatasetID):
                continue
        if isinstance(held, h5py.h5d.DatasetID):
            child = h5py.Dataset(held)
            if child.shape is not None and _is_inside(child):
                node.arrays[child_name] = child
                if child.size <= _SMALL_VALUES:
                    node.values[child_name] = _small(child)
        elif (
            isinstance(held, h5py.h5g.GroupID)
            and depth < _DEEPEST
            and h5py.h5o.get_info(held).addr not in seen
        ):
            inside = f"{path.rstrip('/')}/{child_name}"
            node.groups[child_name] = _read(h5py.Group(held), child_name, inside, seen, count, depth + 1)
    return node


def _linked(group: Any, link: bytes, links: int) -> Any | None:
    """What a link leads to in this file, by hard and soft links alone; None if it leads out, nowhere or in a circle."""
    import h5py

    if not group.links.exists(link):
        return None
    kind = group.links.get_info(link).type
    if kind == h5py.h5l.TYPE_HARD:
        return h5py.h5o.open(group, link)
    if kind != h5py.h5l.TYPE_SOFT or not links:
        return None
    path = group.links.get_val(link)
    held: Any = h5py.h5i.get_file_id(group) if path.startswith(b"/") else group
    if isinstance(held, h5py.h5f.FileID):
        held = h5py.h5o.open(held, b"/")
    for part in path.split(b"/"):
        if part not in (b"", b"."):
            held = _linked(held, part, links - 1) if isinstance(held, h5py.h5g.GroupID) else None
    return held


def _is_inside(held: Any) -> bool:
    """Whether a data set's values lie in this file."""
    import h5py

    made = held.id.get_create_plist()
    return bool(made.get_layout() != h5py.h5d.VIRTUAL and made.get_external_count() == 0)


def _attributes(owner: Any) -> dict[str, Any]:
    import h5py

    if not h5py.h5a.get_num_attrs(owner.id):
        return {}
    names = [n for n in owner.attrs if isinstance(n, str)][:1000]
    return {name: _plain(attribute(owner, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.size > 10_000:
        return f"{value.size} values"
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in value.ravel()]
    return value


def _small(held: Any) -> Any:
    """A number, a text, or a short list of them; None for anything else."""
    kind = held.dtype
    if kind.kind not in "fiubSO" or kind.itemsize > _SMALL_BYTES or held.size == 0:
        return None
    value = held[()]
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size == 1 else _plain(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.generic) else value
