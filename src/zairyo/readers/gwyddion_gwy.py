"""Gwyddion's own files, ``.gwy``: images, volumes, spectra, graphs and points of any microscope."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, make_name, table, tidy_metadata
from zairyo.readers import _spm
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._gwyddion_objects import MAGIC, GwyObject, read_objects

_BACK = re.compile(r"[\s,_]*[\[(]?\b(retrace|backward|back|bwd|right to left)\b[\])]?", re.IGNORECASE)
_FORTH = re.compile(r"[\s,_]*[\[(]?\b(trace|forward|fwd|left to right)\b[\])]?", re.IGNORECASE)
#: Where the objects of each kind stand in the file's container.
_PLACES = {
    "GwyDataField": re.compile(r"/(\d+)/data"),
    "GwyBrick": re.compile(r"/brick/(\d+)"),
    "GwySurface": re.compile(r"/surface/(\d+)"),
    "GwySpectra": re.compile(r"/sps/(\d+)"),
    "GwyGraphModel": re.compile(r"/0/graph/graph/(\d+)"),
}
_MOST_ENTRIES = 500


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head.startswith(MAGIC) and src.head[4:17] == b"GwyContainer\0" else NO


def read(src: RawInput) -> Measurement:
    tree = read_objects(src.read_bytes())
    warnings: list[str] = []
    entries = [*_images(tree, warnings)]
    for kind, make in _OTHERS.items():
        for number, item in _found(tree, kind):
            if len(entries) < _MOST_ENTRIES:
                entries += make(number, item, tree, warnings)
    if any(v.kind == "GwyLawn" for v in tree.parts.values() if isinstance(v, GwyObject)):
        warnings.append("The file holds maps of curves (lawns), which are not read.")
    if not entries:
        raise ReadError("the Gwyddion file holds no image, volume, spectrum or graph")
    return _spm.measurement(
        entries,
        warnings,
        title=src.name,
        original_metadata=tidy_metadata(_metadata(tree)),
    )


def _found(tree: GwyObject, kind: str) -> list[tuple[int, GwyObject]]:
    """The objects of a kind in the container, by their numbers."""
    found = []
    for key, value in tree.parts.items():
        match = _PLACES[kind].fullmatch(key)
        if match and isinstance(value, GwyObject) and value.kind == kind:
            found.append((int(match[1]), value))
    return sorted(found, key=lambda item: item[0])


# --- images -------------------------------------------------------------------------------------------------


def _images(tree: GwyObject, warnings: list[str]) -> Iterator[Entry]:
    """Images of one frame are signals of one entry."""
    frames: dict[tuple[Any, ...], list[tuple[int, GwyObject]]] = {}
    for number, field in _found(tree, "GwyDataField"):
        keys = ("xres", "yres", "xreal", "yreal", "xoff", "yoff")
        frames.setdefault((*(field.number(k) for k in keys), field.unit("si_unit_xy")), []).append(
            (number, field)
        )
    for i, fields in enumerate(list(frames.values())[:_MOST_ENTRIES]):
        yield _frame(f"image_{i + 1}" if len(frames) > 1 else "image", fields, tree, warnings)


def _frame(name: str, fields: list[tuple[int, GwyObject]], tree: GwyObject, warnings: list[str]) -> Entry:
    first = fields[0][1]
    columns, rows = _size(first, "xres"), _size(first, "yres")
    lateral = _spm.known_unit(first.unit("si_unit_xy"), "the image's sides", warnings)
    signals, titles = [], []
    for number, field in fields:
        title = (
            tree.text(f"/{number}/data/title") or tree.text(f"/{number}/data/untitled") or f"Channel {number}"
        )
        values = _array(field, "data", rows * columns).reshape(rows, columns)
        unit = _spm.known_unit(field.unit("si_unit_z"), title, warnings)
        signals.append(Signal(_name(title), values, unit, ("y", "x"), title))
        titles.append(title)
    x, y = first.number("xreal"), first.number("yreal")
    named = _spm.unique(signals)
    entry: Entry = _spm.made(
        "the image", Entry, name, "spm",
        (_spm.pixels("y", rows, y, lateral, downward=True), _spm.pixels("x", columns, x, lateral)),
        named, default=_spm.first_of(named), title=", ".join(titles)[:200],
        conditions=_spm.told(
            scan_size_x=Quantity(x, lateral) if lateral else None,
            scan_size_y=Quantity(y, lateral) if lateral else None,
        ),
        original_metadata=_meta(tree, [n for n, _ in fields]),
    )  # fmt: skip
    return entry


def _name(title: str) -> str:
    back = bool(_BACK.search(title))
    plain = _FORTH.sub("", _BACK.sub("", title)).strip()
    return _spm.channel_name(plain or title) + ("_retrace" if back else "")


def _meta(tree: GwyObject, numbers: list[int]) -> dict[str, Any]:
    """What the microscope's file said of each channel, as Gwyddion imported it."""
    found = {}
    for number in numbers:
        meta = tree.get(f"/{number}/meta")
        if isinstance(meta, GwyObject):
            found[tree.text(f"/{number}/data/title") or str(number)] = dict(meta.parts)
    return dict(tidy_metadata(found))


def _size(item: GwyObject, name: str) -> int:
    value = item.get(name)
    if not isinstance(value, int) or not 0 < value < 2**31:
        raise ReadError(f"a {item.kind} has {name} {value!r}, which is no count; the file is damaged")
    return value


def _array(item: GwyObject, name: str, count: int | None = None) -> Any:
    values = item.get(name)
    if not isinstance(values, np.ndarray) or (count is not None and values.size != count) or not values.size:
        size = values.size if isinstance(values, np.ndarray) else 0
        wanted = "some" if count is None else count
        raise ReadError(
            f"a {item.kind} has {size} numbers in {name!r} instead of {wanted}; the file is damaged"
        )
    return values


# --- volumes, points, spectra, graphs -----------------------------------------------------------------------


def _brick(number: int, item: GwyObject, tree: GwyObject, warnings: list[str]) -> list[Entry]:
    """A volume, slowest axis z; over its calibration if it has one."""
    sizes = [_size(item, f"{axis}res") for axis in "zyx"]
    values = _array(item, "data", sizes[0] * sizes[1] * sizes[2]).reshape(sizes)
    title = tree.text(f"/brick/{number}/title") or f"Volume {number}"
    unit = {
        axis: _spm.known_unit(item.unit(f"si_unit_{axis}"), f"{axis} of {title}", warnings) for axis in "xyzw"
    }
    steps = {axis: item.number(f"{axis}real") / size for axis, size in zip("zyx", sizes, strict=True)}
    places: Any = item.number("zoff") + np.arange(sizes[0]) * steps["z"]
    line = item.get("calibration")
    if (
        isinstance(line, GwyObject)
        and isinstance(line.get("data"), np.ndarray)
        and line.get("data").size == sizes[0]
    ):
        places, unit["z"] = (
            line.get("data"),
            _spm.known_unit(line.unit("si_unit_y"), "the calibration", warnings),
        )
    axes = (
        Axis("z", places if steps["z"] else np.arange(sizes[0]), unit["z"]),
        _spm.pixels("y", sizes[1], item.number("yreal"), unit["y"], downward=True),
        _spm.pixels("x", sizes[2], item.number("xreal"), unit["x"]),
    )
    signal = Signal(_name(title), values, unit["w"], ("z", "y", "x"), title)
    (signal,) = _spm.unique(
        [signal if signal.name != "z" else Signal("volume", values, unit["w"], ("z", "y", "x"), title)]
    )
    return [_spm.made("the volume", Entry, f"volume_{number}", "spm", axes, (signal,), title=title)]


def _surface(number: int, item: GwyObject, tree: GwyObject, warnings: list[str]) -> list[Entry]:
    """Points (x, y, z) as a table."""
    values = _array(item, "data")
    if values.size % 3:
        raise ReadError(
            f"the points of surface {number} have {values.size} numbers, no multiple of 3; it is damaged"
        )
    lateral = _spm.known_unit(item.unit("si_unit_xy"), "the points' places", warnings)
    unit = _spm.known_unit(item.unit("si_unit_z"), "the points' heights", warnings)
    x, y, z = values.reshape(-1, 3).T.copy()
    columns = [Signal("x", x, lateral), Signal("y", y, lateral), Signal("height", z, unit)]
    title = tree.text(f"/surface/{number}/title") or f"Points {number}"
    return [
        _spm.made(
            "the points", table, f"points_{number}", "spm", columns, x="x", default="height", title=title
        )
    ]


def _spectra(number: int, item: GwyObject, tree: GwyObject, warnings: list[str]) -> list[Entry]:
    """Spectra at places: one entry each, the place among the conditions."""
    lines = (
        [v for v in item.get("data", []) if isinstance(v, GwyObject)]
        if isinstance(item.get("data"), list)
        else []
    )
    coordinates = item.get("coords")
    lateral = _spm.known_unit(item.unit("si_unit_xy"), "the spectra's places", warnings)
    title = item.text("title") or f"Spectra {number}"
    entries = []
    for i, line in enumerate(lines[:_MOST_ENTRIES]):
        values = _array(line, "data")
        step = line.number("real") / max(_size(line, "res"), 1)
        x_unit = _spm.known_unit(line.unit("si_unit_x"), "the spectra's axis", warnings)
        y_unit = _spm.known_unit(line.unit("si_unit_y"), title, warnings)
        along = _spm.channel_name(item.text("spec_xlabel") or "abscissa")
        name = _spm.channel_name(item.text("spec_ylabel") or title)
        axis = Axis(along, line.number("off") + np.arange(values.size) * (step or 1.0), x_unit)
        signal = Signal(name if name != along else "ordinate", values, y_unit, (along,), title)
        place = {}
        if isinstance(coordinates, np.ndarray) and coordinates.size >= 2 * i + 2 and lateral:
            place = {
                f"position_{a}": Quantity(float(coordinates[2 * i + j]), lateral) for j, a in enumerate("xy")
            }
        entries.append(
            _spm.made(
                "a spectrum",
                Entry,
                f"spectra_{number}_{i + 1}",
                "spm",
                (axis,),
                (signal,),
                title=f"{title} {i + 1}",
                conditions=place,
            )
        )
    return entries


def _graph(number: int, item: GwyObject, tree: GwyObject, warnings: list[str]) -> list[Entry]:
    """A graph's curves, each with its own x: one entry each."""
    curves = item.get("curves")
    title = item.text("title") or f"Graph {number}"
    x_unit = _spm.known_unit(item.unit("x_unit"), f"x of {title}", warnings)
    y_unit = _spm.known_unit(item.unit("y_unit"), f"y of {title}", warnings)
    x_name = make_name(item.text("bottom_label") or "abscissa")
    y_name = make_name(item.text("left_label") or "ordinate")
    entries = []
    for i, curve in enumerate(curves[:_MOST_ENTRIES] if isinstance(curves, list) else []):
        if not isinstance(curve, GwyObject):
            continue
        x, y = _array(curve, "xdata"), _array(curve, "ydata")
        if x.size != y.size:
            raise ReadError(f"curve {i + 1} of {title} has {x.size} x and {y.size} y; the file is damaged")
        columns = [Signal(x_name, x, x_unit), Signal(y_name if y_name != x_name else "ordinate", y, y_unit)]
        entries.append(
            _spm.made(
                "a graph",
                table,
                f"graph_{number}_{i + 1}",
                "spm",
                columns,
                x=columns[0].name,
                default=columns[1].name,
                title=f"{title}: {curve.text('description')}".rstrip(": "),
            )
        )
    return entries


_OTHERS = {"GwyBrick": _brick, "GwySurface": _surface, "GwySpectra": _spectra, "GwyGraphModel": _graph}


# --- metadata -----------------------------------------------------------------------------------------------


def _metadata(item: GwyObject) -> dict[str, Any]:
    """Everything but the numbers themselves."""
    found: dict[str, Any] = {}
    for name, value in item.parts.items():
        if isinstance(value, GwyObject):
            found[name] = _metadata(value)
        elif isinstance(value, list):
            found[name] = [_metadata(v) if isinstance(v, GwyObject) else v for v in value[:_MOST_ENTRIES]]
        elif isinstance(value, np.ndarray):
            found[name] = value.tolist() if value.size <= 16 else f"{value.size} numbers"
        else:
            found[name] = value
    return found


READER = Reader(
    name="gwyddion_gwy",
    version="1",
    techniques=("spm",),
    vendor="Gwyddion",
    format="native file (GWY)",
    endings=(".gwy",),
    sniff=sniff,
    read=read,
    notes="Images (those of one frame together), volumes, points, spectra and graphs. Masks and maps of curves are not "
    "read; files of Gwyddion 1.x neither.",
)
