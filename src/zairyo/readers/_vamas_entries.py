"""VAMAS blocks → entries: names, units, conditions, and blocks that belong together put into one array."""

from __future__ import annotations

from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Quantity, Signal, tidy_metadata
from zairyo.readers._vamas_blocks import Block, Header
from zairyo.readers._vamas_conditions import contradicted, shared_conditions, started_at
from zairyo.readers._vamas_names import name_of, technique_of, unit_of

ENERGY_REFERENCE = (
    "binding energy = excitation energy − kinetic energy as given (taken from the Fermi level: the work "
    "function is not subtracted)"
)


# --- which blocks make one entry --------------------------------------------------------------------------


def grouped(header: Header, blocks: list[Block]) -> list[list[Block]]:
    """Blocks that measured the same region at other places of a grid or a series, together; in file order."""
    alike: dict[Any, list[Block]] = {}
    for block in blocks:
        alike.setdefault(_likeness(header, block), []).append(block)
    groups: list[list[Block]] = []
    for group in alike.values():
        together = len(group) > 1 and (_grid(header, group) is not None or _is_map(header))
        groups += [group] if together else [[block] for block in group]
    return sorted(groups, key=lambda group: group[0].number)


def _likeness(header: Header, block: Block) -> Any:
    names = (
        "technique",
        "sample_identifier",
        "species_label",
        "transition_or_charge_state_label",
        "analysis_source_characteristic_energy",
        "analyser_mode",
        "analyser_pass_energy_or_retard_ratio_or_mass_resolution",
        "abscissa_label",
        "abscissa_units",
        "abscissa_start",
        "abscissa_increment",
        "signal_mode",
        "signal_collection_time",
        "number_of_scans_to_compile_this_block",
        *(name for name in block.fields if name.startswith(("first_linescan", "last_linescan"))),
    )
    variables = tuple((v["label"], v["units"]) for v in block.fields["corresponding_variables"])
    abscissa = block.values[:, 0].tobytes() if header.scan_mode == "IRREGULAR" else b""
    return (*(str(block.fields.get(n)) for n in names), variables, abscissa, block.values.shape)


def _is_map(header: Header) -> bool:
    return header.mode in ("MAP", "MAPDP")


def _coordinates(header: Header, group: list[Block]) -> dict[str, tuple[np.ndarray[Any, Any], str]]:
    """What varies from block to block: name → one number a block, unit token."""
    found: dict[str, tuple[np.ndarray[Any, Any], str]] = {}
    for index, (label, token) in enumerate(header.variables):
        values = [b.fields["experimental_variable_values"][index] for b in group]
        if all(isinstance(v, (int, float)) for v in values):
            found.setdefault(name_of(label or f"variable_{index + 1}"), (np.array(values, float), token))
    if _is_map(header):
        for name in ("y", "x"):
            values = [b.number_of(f"{name}_coordinate") for b in group]
            if None not in values:
                found[name] = (np.array(values, float), "d")
    return {name: part for name, part in found.items() if len(np.unique(part[0])) > 1}


def _grid(header: Header, group: list[Block]) -> tuple[tuple[str, ...], np.ndarray[Any, Any]] | None:
    """Axes that the blocks fill exactly once, and the blocks' order on them; None if there are none."""
    varying = _coordinates(header, group)
    alone = [name for name, (values, _) in varying.items() if len(np.unique(values)) == len(group)]
    names = (alone[0],) if alone else tuple(varying)
    if not names:
        return None
    lengths = [len(np.unique(varying[name][0])) for name in names]
    if int(np.prod(lengths, dtype=object)) != len(group):
        return None
    positions = [np.unique(varying[name][0], return_inverse=True)[1] for name in names]
    order = np.lexsort(positions[::-1])
    distinct = len(set(zip(*(p.tolist() for p in positions), strict=True)))
    if distinct != len(group):
        return None
    return names, order.reshape(lengths)


# --- one entry --------------------------------------------------------------------------------------------


def entry(header: Header, group: list[Block], name: str, warnings: list[str]) -> Entry:
    """The entry of blocks that ``grouped`` put together.

    Signals have shape (grid …, points); a map with missing places has one axis ``position`` instead.
    """
    grid = _grid(header, group) if len(group) > 1 else None
    if grid is not None:
        names, order = grid
        group = [group[i] for i in order.ravel()]
        lengths = order.shape
    elif len(group) > 1:
        names, lengths = ("position",), (len(group),)
        warnings.append(
            f"The map {name} has {len(group)} places, which do not fill a grid; they are in a row."
        )
    else:
        names, lengths = (), ()
    block = group[0]
    technique = technique_of(block, warnings)
    own_axes, signals = _block_arrays(header, block, group, lengths, names, technique, warnings)
    axes, places = _places(header, group, names, lengths, warnings)
    taken = {axis.name for axis in own_axes} | {signal.name for signal in signals}
    conditions = contradicted(group, shared_conditions(header, group, technique), warnings)
    if any(part.name == "binding_energy" for part in own_axes) and "kinetic_energy" in taken:
        conditions["energy_reference"] = Quantity(ENERGY_REFERENCE)
    region = conditions.get("analysed_region")
    title = block.text("block_identifier") or (str(region.value) if region else name)
    return Entry(
        name=name,
        technique=technique,
        axes=(*axes, *own_axes),
        signals=(*signals, *(p for p in places if p.name not in taken)),
        title=" – ".join(dict.fromkeys(t for t in (title, block.text("sample_identifier")) if t)),
        conditions=conditions,
        original_metadata=_metadata(group),
        started=started_at(block),
    )


def _metadata(group: list[Block]) -> dict[str, Any]:
    if len(group) == 1:
        return dict(tidy_metadata(group[0].fields))
    return {"blocks": [tidy_metadata(block.fields) for block in group]}


def _places(
    header: Header, group: list[Block], names: tuple[str, ...], lengths: tuple[int, ...], warnings: list[str]
) -> tuple[list[Axis], list[Signal]]:
    """Axes of the grid; what else varies with it, as signals."""
    if not names:
        return [], []
    varying = _coordinates(header, group)
    axes, signals = [], []
    for index, name in enumerate(names):
        if name == "position":
            axes.append(Axis(name, np.arange(len(group))))
            continue
        values, token = varying.pop(name)
        axes.append(Axis(name, np.unique(values), unit_of(token, name, "", warnings)))
        assert len(axes[-1].values) == lengths[index]
    for name, (values, token) in varying.items():
        unit = unit_of(token, name, "", warnings)
        signals.append(Signal(name, values.reshape(lengths), unit, tuple(names)))
    return axes, signals


def _block_arrays(
    header: Header,
    block: Block,
    group: list[Block],
    lengths: tuple[int, ...],
    names: tuple[str, ...],
    technique: str,
    warnings: list[str],
) -> tuple[list[Axis], list[Signal]]:
    variables = list(block.fields["corresponding_variables"])
    values = np.stack([b.values for b in group]) if names else block.values
    if names:
        values = values.reshape(*lengths, *block.values.shape)
    if header.scan_mode == "MAPPING":
        axes, values = _image_axes(block, values, warnings)
    else:
        abscissa, values, variables = _abscissa(header, block, values, variables, warnings)
        axes = [abscissa]
    extra: list[Signal] = []
    excitation = block.number_of("analysis_source_characteristic_energy")
    is_photoelectron = technique in ("xps", "ups") and excitation is not None and excitation > 0
    if is_photoelectron and axes[0].name == "kinetic_energy" and axes[0].unit == "eV":
        kinetic = axes[0]
        axes = [Axis("binding_energy", excitation - kinetic.values, "eV", "Binding energy")]
        extra = [Signal(kinetic.name, kinetic.values, kinetic.unit, ("binding_energy",), kinetic.long_name)]
    over = (*names, *(axis.name for axis in axes))
    signals: list[Signal] = []
    taken = {*over, "kinetic_energy"}
    for column, variable in enumerate(variables):
        name = base = name_of(variable["label"] or f"variable_{column + 1}")
        while name in taken:
            name = f"{base[:55]}_{len(taken)}"
        taken.add(name)
        unit = unit_of(variable["units"], variable["label"], block.text("signal_mode"), warnings)
        signals.append(Signal(name, values[..., column], unit, over, _capital(variable["label"])))
    signals.sort(key=lambda s: s.name == "transmission")  # the first is what is plotted
    return axes, [*signals, *extra]


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]


def _abscissa(
    header: Header,
    block: Block,
    values: np.ndarray[Any, Any],
    variables: list[dict[str, Any]],
    warnings: list[str],
) -> tuple[Axis, np.ndarray[Any, Any], list[dict[str, Any]]]:
    points = len(block.values)
    start, step = block.number_of("abscissa_start"), block.number_of("abscissa_increment")
    if header.scan_mode == "IRREGULAR" and len(variables) > 1:
        label, token = variables[0]["label"], variables[0]["units"]
        values, variables = values[..., 1:], variables[1:]
        positions = block.values[:, 0]
    elif header.scan_mode == "REGULAR" and start is not None and step is not None:
        label, token = block.fields["abscissa_label"], block.fields["abscissa_units"]
        positions = np.asarray(start + step * np.arange(points), dtype=np.float64)
    else:
        warnings.append(f"Block {block.number} states no usable abscissa; its points are numbered instead.")
        label, token, positions = "point", "d", np.arange(points, dtype=float)
    unit = unit_of(token, label, "", warnings)
    return Axis(name_of(label or "abscissa"), positions, unit, _capital(label)), values, variables


def _image_axes(
    block: Block, values: np.ndarray[Any, Any], warnings: list[str]
) -> tuple[list[Axis], np.ndarray[Any, Any]]:
    """Rows and columns of an image, from the corners of its first and last line."""
    prefix = ("first_linescan_start", "first_linescan_finish", "last_linescan_finish")
    corners = [[block.number_of(f"{p}_{axis}_coordinate") for p in prefix] for axis in "xy"]
    pixels = len(block.values)
    if all(value is not None for corner in corners for value in corner):
        left, right, _ = (int(v or 0) for v in corners[0])
        top, _, bottom = (int(v or 0) for v in corners[1])
        columns, rows = abs(right - left) + 1, abs(bottom - top) + 1
        if columns * rows == pixels:
            x = Axis("x", np.linspace(left, right, columns), "", "x (pixel)")
            y = Axis("y", np.linspace(top, bottom, rows), "", "y (pixel)")
            return [y, x], values.reshape(*values.shape[:-2], rows, columns, values.shape[-1])
    warnings.append(
        f"The line-scan corners of block {block.number} do not fit its {pixels} pixels; they are in a row."
    )
    return [Axis("pixel", np.arange(pixels))], values
