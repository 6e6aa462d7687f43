"""VAMAS blocks → conditions and start."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from zairyo.measurement import Quantity
from zairyo.measurement.techniques import conditions as vocabulary
from zairyo.readers._vamas_blocks import Block, Header
from zairyo.readers._vamas_names import UNITS, name_of


def shared_conditions(header: Header, group: list[Block], technique: str) -> dict[str, Quantity]:
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
#: What Kratos and SPECS write into a block's comment ("Lens : Hybrid", "Analyzer lens = LargeArea:1.5kV").
_COMMENTS = {
    "analyzer lens": "lens_mode",
    "analyzer slit": "analyser_slit",
    "charge neutraliser": "charge_neutraliser",
    "lens": "lens_mode",
}
_COMMENT = re.compile(r"([A-Za-z ]+?) ?[:=] (.+)")
#: Numbers that Kratos repeats in the comment: condition → the line's beginning, unit.
_REPEATED = {"pass_energy": ("Resolution", "eV"), "source_power": ("X-ray Power", "W")}
_ELECTRONS = ("xps", "ups", "aes", "els")


def contradicted(
    group: list[Block], conditions: dict[str, Quantity], warnings: list[str]
) -> dict[str, Quantity]:
    """The conditions without those that Kratos' comment says differently: files of ESCApe may hold defaults there."""
    lines = [line for block in group for line in block.fields["comment"]]
    if not any(line.startswith("Charge Neutraliser :") for line in lines):
        return conditions
    kept = dict(conditions)
    for name, (begin, unit) in _REPEATED.items():
        found = [re.fullmatch(rf"{begin} : (\d+\.?\d*){unit if unit == 'W' else ''}", line) for line in lines]
        numbers = {float(match[1]) for match in found if match}
        if name in kept and numbers and numbers != {kept[name].value}:
            said = " and ".join(f"{n:g}" for n in sorted(numbers))
            warnings.append(
                f"The {name.replace('_', ' ')} is {kept[name]} in the block and {said} {unit} in its comment; it is "
                "left out."
            )
            del kept[name]
    return kept


def _conditions(header: Header, block: Block, technique: str) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, source, unit, zero_is_none in _NUMBERS:
        number = block.number_of(source)
        if number is not None and not (zero_is_none and number == 0):
            found[name] = Quantity(int(number) if name == "repetitions" else number, unit)
    for name, source in _TEXTS:
        if text := block.text(source):
            found[name] = Quantity(text)
    for match in filter(None, map(_COMMENT.fullmatch, block.fields["comment"])):
        if key := _COMMENTS.get(match[1].casefold()):
            found.setdefault(key, Quantity(match[2].strip()))
    region = f"{block.text('species_label')} {block.text('transition_or_charge_state_label')}".strip()
    if region:
        found["analysed_region"] = Quantity(region)
    strength = block.number_of("analysis_source_strength")
    if strength and technique in ("xps", "xrf"):  # the standard: watts for X-rays, nanoamperes for beams
        found["source_power"] = Quantity(strength, "W")
    elif strength and technique in ("aes", "els", "eds", "iss", "sims"):
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
    if step and UNITS.get(str(block.fields.get("abscissa_units")).casefold()) == "eV":
        found["energy_step"] = Quantity(step, "eV")
    known = vocabulary(technique)  # what an electron analyser has besides stays in the metadata
    return {name: q for name, q in (found | _varied(header, block)).items() if name in known}


def _varied(header: Header, block: Block) -> dict[str, Quantity]:
    """Experimental variables that the vocabulary knows."""
    found: dict[str, Quantity] = {}
    values = block.fields["experimental_variable_values"]
    for (label, token), value in zip(header.variables, values, strict=True):
        unit = UNITS.get(token.casefold())
        if name_of(label) in ("etch_time", "temperature") and unit and isinstance(value, (int, float)):
            found[name_of(label)] = Quantity(float(value), unit)
    return found


def started_at(block: Block) -> datetime | None:
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
