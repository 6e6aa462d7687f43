"""VAMAS blocks → entries: names, units, conditions, and blocks that belong together put into one array."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Quantity, Signal, make_name, table, tidy_metadata
from zairyo.readers._vamas_blocks import Block, Header

ENERGY_REFERENCE = (
    "binding energy = excitation energy − kinetic energy as given (taken from the Fermi level: the work "
    "function is not subtracted)"
)

_TECHNIQUES = {
    "xps": "xps",
    "ups": "ups",
    "aes": "aes",
    "aes diff": "aes",
    "aes dir": "aes",
    "els": "els",
    "eels": "els",
    "iss": "iss",
    "leis": "iss",
    "edx": "edx",
    "xrf": "xrf",
    "sims": "sims",
    "sims energy spec": "sims",
    "snms": "sims",
    "snms energy spec": "sims",
    "fabms": "sims",
    "fabms energy spec": "sims",
    "tof-sims": "sims",
}

#: The standard's tokens, then what programs write besides. ``d`` is a mere number, ``n`` "not defined here".
_UNITS: dict[str, str | None] = {
    "c/s": "count/s",
    "d": "",
    "degree": "deg",
    "ev": "eV",
    "k": "K",
    "micro c": "uC",
    "micro m": "um",
    "m/s": "m/s",
    "n": None,
    "na": "nA",
    "ps": "ps",
    "s": "s",
    "u": "u",
    "v": "V",
    "": None,
    "counts/s": "count/s",
    "count/s": "count/s",
    "counts per second": "count/s",
    "cps": "count/s",
    "counts": "counts",
    "c": "counts",
    "degrees": "deg",
    "deg": "deg",
    "degc": "degC",
    "a": "A",
    "ua": "uA",
    "w": "W",
    "mm": "mm",
    "um": "um",
    "nm": "nm",
    "min": "min",
    "ms": "ms",
    "kev": "keV",
    "amu": "u",
    "arb. u.": "arb",
    "arbitrary units": "arb",
}

_NAMES = {
    "kinetic energy": "kinetic_energy",
    "ke": "kinetic_energy",
    "binding energy": "binding_energy",
    "be": "binding_energy",
    "energy loss": "energy_loss",
    "photon energy": "photon_energy",
    "mass": "mass_to_charge",
    "m/z": "mass_to_charge",
    "transmission": "transmission",
    "transmission function": "transmission",
    "etch time": "etch_time",
    "etchtime": "etch_time",
    "etching time": "etch_time",
    "sputter time": "etch_time",
    "sputtering time": "etch_time",
    "temp": "temperature",
    "sample temperature": "temperature",
}
_INTENSITY = re.compile(
    r"(intensity|counts?|count rate|cps|counts (per|/) s(ec|econd)?|counts?/s(ec)?|n\(e\)|signal|y)\Z"
)
_PER_SECOND = re.compile(r"cps|per s|/s|rate")
_COMPONENT = re.compile(
    r"CASA comp \(\*(?P<name>.*?)\*\) \(\*(?P<shape>.*?)\*\) Area (?P<area>\S+)"
    r".*? MFWHM (?P<width>\S+).*? Position (?P<position>\S+)(?:.*? RSF (?P<factor>\S+))?"
)


def name_of(label: str) -> str:
    text = " ".join(label.casefold().split())
    return "intensity" if _INTENSITY.match(text) else _NAMES.get(text, make_name(text, "value"))


def unit_of(token: str, label: str, signal_mode: str, warnings: list[str]) -> str | None:
    """Pint's spelling of a unit token; an unknown one is kept as it is."""
    key = " ".join(token.casefold().split())
    if key not in _UNITS:
        warnings.append(f"The unit {token!r} of {label!r} is not one of ISO 14976; it was kept as it is.")
        return token
    unit = _UNITS[key]
    if unit == "" and name_of(label) == "intensity":
        # "d" is "just a number, e.g. counts per channel"; only pulse counting makes an intensity counts.
        if _PER_SECOND.search(label.casefold()):
            return "count/s"
        if "count" in label.casefold() or signal_mode.casefold() == "pulse counting":
            return "counts"
    return unit


def technique_of(block: Block, warnings: list[str]) -> str:
    stated = block.text("technique")
    known = _TECHNIQUES.get(stated.casefold())
    if known is None:
        warnings.append(
            f"The technique {stated!r} is not one of ISO 14976; its entries are left unspecified."
        )
    return known or "unspecified"


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
    taken = {part.name for part in (*own_axes, *signals)}
    conditions = _shared_conditions(header, group, technique)
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
        started=_started(block),
    )


def _metadata(group: list[Block]) -> dict[str, Any]:
    if len(group) == 1:
        return tidy_metadata(group[0].fields)  # type: ignore[return-value]
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
        positions, values, variables = block.values[:, 0], values[..., 1:], variables[1:]
    elif header.scan_mode == "REGULAR" and start is not None and step is not None:
        label, token = block.fields["abscissa_label"], block.fields["abscissa_units"]
        positions = start + step * np.arange(points)
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


# --- conditions -------------------------------------------------------------------------------------------


def _shared_conditions(header: Header, group: list[Block], technique: str) -> dict[str, Quantity]:
    shared = _conditions(header, group[0], technique)
    for block in group[1:]:
        other = _conditions(header, block, technique)
        shared = {name: q for name, q in shared.items() if other.get(name) == q}
    return shared


#: Condition → the standard's field, unit, and whether zero means that nobody entered it.
_NUMBERS = (
    ("excitation_energy", "analysis_source_characteristic_energy", "eV", True),
    ("beam_width_x", "analysis_source_beam_width_x", "um", True),
    ("beam_width_y", "analysis_source_beam_width_y", "um", True),
    ("incidence_angle", "analysis_source_polar_angle_of_incidence", "deg", False),
    ("modulation_amplitude", "differential_width", "eV", True),
    ("sample_bias", "target_bias", "V", True),
    ("analysis_width_x", "analysis_width_x", "um", True),
    ("analysis_width_y", "analysis_width_y", "um", True),
    ("take_off_angle", "analyser_axis_take_off_polar_angle", "deg", False),
    ("dwell_time", "signal_collection_time", "s", True),
    ("repetitions", "number_of_scans_to_compile_this_block", "", True),
    ("tilt_angle", "sample_normal_polar_angle_of_tilt", "deg", False),
    ("rotation_angle", "sample_rotation_angle", "deg", False),
    ("sputter_energy", "sputtering_source_energy", "eV", True),
    ("sputter_current", "sputtering_source_beam_current", "nA", True),
)
_TEXTS = (
    ("excitation_source", "analysis_source_label"),
    ("analyser_mode", "analyser_mode"),
    ("signal_mode", "signal_mode"),
)
_ELECTRONS = ("xps", "ups", "aes", "els", "edx", "xrf")


def _conditions(header: Header, block: Block, technique: str) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, source, unit, zero_is_none in _NUMBERS:
        number = block.number_of(source)
        if number is not None and not (zero_is_none and number == 0):
            found[name] = Quantity(int(number) if name == "repetitions" else number, unit)
    for name, source in _TEXTS:
        if text := block.text(source):
            found[name] = Quantity(text)
    region = f"{block.text('species_label')} {block.text('transition_or_charge_state_label')}".strip()
    if region:
        found["analysed_region"] = Quantity(region)
    strength = block.number_of("analysis_source_strength")
    if strength and technique in ("xps", "xrf"):  # the standard: watts for X-rays, nanoamperes for beams
        found["source_power"] = Quantity(strength, "W")
    elif strength and technique in ("aes", "els", "edx", "iss", "sims"):
        found["beam_current"] = Quantity(strength, "nA")
    setting = block.number_of("analyser_pass_energy_or_retard_ratio_or_mass_resolution")
    mode = block.text("analyser_mode").upper()
    if setting and mode in ("FAT", "FRR"):
        is_fat = mode == "FAT"
        found["pass_energy" if is_fat else "retard_ratio"] = Quantity(setting, "eV" if is_fat else "")
    work_function = block.number_of("analyser_work_function_or_acceptance_energy_of_atom_or_ion")
    if work_function and technique in _ELECTRONS:
        found["work_function"] = Quantity(work_function, "eV")
    step = block.number_of("abscissa_increment")
    if step and _UNITS.get(str(block.fields.get("abscissa_units")).casefold()) == "eV":
        found["energy_step"] = Quantity(step, "eV")
    return found | _varied(header, block)


def _varied(header: Header, block: Block) -> dict[str, Quantity]:
    """Experimental variables that the vocabulary knows."""
    found: dict[str, Quantity] = {}
    values = block.fields["experimental_variable_values"]
    for (label, token), value in zip(header.variables, values, strict=True):
        unit = _UNITS.get(token.casefold())
        if name_of(label) in ("etch_time", "temperature") and unit and isinstance(value, (int, float)):
            found[name_of(label)] = Quantity(float(value), unit)
    return found


def _started(block: Block) -> datetime | None:
    parts = [block.number_of(n) for n in ("year", "month", "day", "hours", "minutes", "seconds")]
    if any(part is None for part in parts):
        return None
    year, month, day, hours, minutes, seconds = (float(part or 0) for part in parts)
    if year < 1950:
        return None
    # Most programs write 0 for the zone whatever the clock shows, so 0 names no zone.
    ahead = block.number_of("hours_in_advance_of_gmt") or 0.0
    zone = timezone(timedelta(hours=ahead)) if ahead and abs(ahead) < 24 else None
    try:
        midnight = datetime(int(year), int(month), int(day), tzinfo=zone)
        return midnight + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        return None


# --- CasaXPS ----------------------------------------------------------------------------------------------


def fitted_components(
    group: Iterable[Block], measured: Entry, warnings: list[str]
) -> list[Callable[[str], Entry]]:
    """The peaks that CasaXPS fitted, as tables to be named; it keeps them in the blocks' comments."""
    tables: list[Callable[[str], Entry]] = []
    for block in group:
        lines = [line for line in block.fields["comment"] if line.startswith("CASA comp ")]
        matches = [match for line in lines if (match := _COMPONENT.match(line))]
        try:
            rows = [
                [float(m[key] or "nan") for key in ("position", "width", "area", "factor")] for m in matches
            ]
        except ValueError:
            rows = []
        if len(rows) < len(lines):
            warnings.append(f"CasaXPS' components of block {block.number} could not all be understood.")
        if rows:
            tables.append(_component_table(matches, np.array(rows), block, measured))
    return tables


def _component_table(
    matches: list[re.Match[str]], rows: np.ndarray[Any, Any], block: Block, measured: Entry
) -> Callable[[str], Entry]:
    columns = [
        Signal("component", np.array([m["name"] for m in matches])),
        Signal("line_shape", np.array([m["shape"] for m in matches])),
        Signal("kinetic_energy", rows[:, 0], "eV"),
        Signal("full_width_at_half_maximum", rows[:, 1], "eV"),
        Signal("area", rows[:, 2]),
        Signal("sensitivity_factor", rows[:, 3], ""),
    ]
    excitation = block.number_of("analysis_source_characteristic_energy")
    if excitation and measured.technique in ("xps", "ups"):
        columns.insert(2, Signal("binding_energy", excitation - rows[:, 0], "eV"))
    x = "binding_energy" if len(columns) == 7 else "kinetic_energy"

    def named(name: str) -> Entry:
        return table(
            name,
            measured.technique,
            columns,
            x=x,
            default="area",
            title=f"{measured.title}: components fitted by CasaXPS",
            started=measured.started,
        )

    return named
