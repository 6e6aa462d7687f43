"""Print which names the readers use, by technique, and which of them are not as the vocabulary has them.

    .venv/bin/python tools/vocabulary.py [--all] [--json FILE] [FOLDER ...]

Reads everything in shared/data/instruments and examples/ (or the folders named) in this process. A line is a name
of a condition, signal or axis with its units and the readers that use it; marked are

    !name    not in the technique's vocabulary (of numbered names, such as auxiliary_2, the name without number)
    own      not in it, because it is what the file itself calls its column (or one word of it, after our name)
    !unit    a unit of another dimension than the usual one; counts, their rate and arbitrary units are alike, and
             a length without calibration is in pixels
    !text    a text where the vocabulary has a number
    !twin    one thing under two names in a technique, as :data:`TWINS` knows them

Only lines marked with ``!`` are printed unless ``--all`` is given. Faults of the vocabulary itself come last.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from zairyo.measurement import Entry, Measurement, Quantity, make_name
from zairyo.measurement.techniques import COMMON, TECHNIQUES, Technique, conditions
from zairyo.measurement.units import same_dimension
from zairyo.readers import registry
from zairyo.readers._api import ReadError

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ZAIRYO_SHARED", ROOT.parent / "shared" / "data")) / "instruments"

#: Names that mean one thing; in a technique there is one of each group.
TWINS = (
    {"force", "load", "axial_force"},
    {"displacement", "stroke", "crosshead_displacement"},
    {"temperature", "sample_temperature", "specimen_temperature"},
    {"accelerating_voltage", "beam_voltage", "high_voltage", "acceleration_voltage"},
    {"exposure_time", "integration_time", "acquisition_time", "counting_time", "count_time"},
    {"laser_power", "excitation_power"},
    {"laser_wavelength", "excitation_wavelength"},
    {"scan_rate", "scan_speed", "sweep_rate"},
    {"scan_speed", "scan_velocity"},
    {"step", "step_number", "step_count"},
    {"step_index", "step_id", "protocol_step"},
    {"cycle", "cycle_number", "cycle_index"},
    {"segment", "segment_number", "segment_index"},
    {"x_position", "position_x", "stage_x", "x"},
    {"y_position", "position_y", "stage_y", "y"},
    {"z_position", "position_z", "stage_z", "z"},
    {"voltage", "potential", "cell_potential"},
    {"repetitions", "scans", "accumulations", "averages", "scan_count", "number_of_scans"},
    {"detector", "detector_name"},
    {"tilt", "tilt_angle", "stage_tilt", "tilt_alpha"},
    {"rotation_angle", "stage_rotation"},
    {"magnification", "objective_magnification"},
    {"mass", "weight", "sample_weight"},
    {"atmosphere", "gas", "purge_gas"},
    {"method", "method_name", "test_method"},
    {"instrument_serial", "serial_number", "instrument_serial_number"},
    {"grating", "grating_density", "grating_groove_density"},
    {"bias", "bias_voltage", "sample_bias"},
    {"current", "tunnelling_current"},
    {"pixel_size", "pixel_width"},
    {"frames", "frame_count", "number_of_frames"},
    {"take_off_angle", "takeoff_angle"},
    {"polarisation", "polarization", "polariser"},
    {"frequency", "ac_frequency"},
    {"flow_rate", "flow"},
    {"index", "record", "point", "point_number"},
    {"pressure", "chamber_pressure"},
    {"gain", "detector_gain"},
    {"field_of_view", "image_width"},
    {"sample_diameter", "specimen_diameter"},
    {"thickness", "sample_thickness"},
    {"sampling_interval", "time_step"},
    {"relative_mass", "mass_percent"},
    {"timestamp", "datetime", "date_time"},
)  # fmt: skip
#: Beside the usual unit: what a detector counts or gives, and positions that are not calibrated.
_DETECTED = ("counts", "count/s", "arb", "", "V", "count/um**2")
_ALIKE = {
    "counts": _DETECTED,
    "arb": _DETECTED,
    "1/cm": _DETECTED,  # scattered, before it is in absolute units
    "nm": ("pixel", "V", "A"),  # a length, or the signal of a lever before its sensitivity is known
    "um": ("pixel",),
    "mm": ("pixel",),
    "1/nm": ("pixel",),
    "": ("u",),  # mass to charge
}
#: About eight are shown of those that a file has.
_MOST_MAIN = 15
_JAPANESE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


@dataclass
class Use:
    """How one name is used in a technique."""

    units: Counter[str] = field(default_factory=Counter)
    readers: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    example: str = ""
    is_own: bool = False


Uses = dict[tuple[str, str, str], Use]


def main() -> None:
    options = argparse.ArgumentParser(description="Which names the readers use.")
    options.add_argument("folders", nargs="*", type=Path, default=[SHARED, ROOT / "examples"])
    options.add_argument("--all", action="store_true", help="print every name, not only those marked")
    options.add_argument("--json", type=Path, help="write the uses there too")
    chosen = options.parse_args()
    if missing := [str(f) for f in chosen.folders if not f.is_dir()]:
        sys.exit(f"not here: {', '.join(missing)}; set ZAIRYO_SHARED to the folder of real files")
    uses: Uses = defaultdict(Use)
    for measurement in measurements(chosen.folders):
        note(measurement, uses)
    for line in report(uses, everything=chosen.all):
        print(line)
    for line in faults():
        print(line)
    if chosen.json:
        table = [
            [*key, dict(u.units), sorted(u.readers), sorted(u.kinds), u.example] for key, u in uses.items()
        ]
        chosen.json.write_text(json.dumps(table, ensure_ascii=False, indent=0), encoding="utf-8")


def measurements(folders: Iterable[Path]) -> Iterator[Measurement]:
    """What the readers make of every file; a file that is not read is named on stderr."""
    for raw in registry.inputs(folders):
        if raw.name in ("INDEX.tsv", "NOTICE"):
            continue
        try:
            yield registry.read(raw.path, parts=raw.parts, raw_files=())
        except (ReadError, OSError) as e:
            print(f"not read: {raw.path}: {e}", file=sys.stderr)


def note(measurement: Measurement, uses: Uses) -> None:
    """Add the names of one measurement."""
    reader = measurement.source.reader if measurement.source else "?"
    for entry in measurement:
        for kind, name, unit, is_number, example in _names(entry):
            use = uses[entry.technique, kind, name]
            use.units["none" if unit is None else unit or "1"] += 1
            use.readers.add(reader)
            use.kinds.add("number" if is_number else "text")
            use.example = use.example or example
            use.is_own |= kind != "condition" and _is_own(name, example, entry.technique)


def _is_own(name: str, long_name: str, technique: str) -> bool:
    """Whether an array is named as its file names it, or by a word of the vocabulary and one of the file's."""
    name = re.sub(r"_\d+\Z", "", name)
    said = make_name(long_name).replace("_", "")
    words = name.split("_")
    declared = {s.name for s in TECHNIQUES[technique].signals}
    if not long_name:
        return False
    return said.startswith("".join(words)) or any(
        "_".join(words[:n]) in declared and "".join(words[n:]) in said for n in range(1, len(words))
    )


def _names(entry: Entry) -> Iterator[tuple[str, str, str | None, bool, str]]:
    for name, quantity in entry.conditions.items():
        yield "condition", name, quantity.unit, _is_number(quantity), str(quantity)
    for signal in entry.signals:
        kind = "column" if entry.is_table else "signal"
        yield kind, signal.name, signal.unit, signal.values.dtype.kind in "biufc", signal.long_name
    for axis in () if entry.is_table else entry.axes:
        yield "axis", axis.name, axis.unit, axis.values.dtype.kind in "biufc", axis.long_name


def _is_number(quantity: Quantity) -> bool:
    return isinstance(quantity.value, (int, float)) and not isinstance(quantity.value, bool)


def report(uses: Uses, *, everything: bool) -> Iterator[str]:
    """The lines of every technique."""
    marked = 0
    for key, technique in TECHNIQUES.items():
        lines = []
        for (_, kind, name), use in sorted(i for i in uses.items() if i[0][0] == key):
            marks = list(_marks(technique, kind, name, use, uses))
            bad = any(mark.startswith("!") for mark in marks)
            marked += bad
            if bad or everything:
                units = ", ".join(f"{unit} ×{n}" for unit, n in use.units.most_common())
                who = " ".join(sorted(use.readers))
                lines.append(
                    f"  {' '.join(marks):<14} {kind:<9} {name:<34} [{units}] {who}  e.g. {use.example[:40]!r}"
                )
        if lines:
            yield f"\n{technique.family} · {key}"
            yield from lines
    yield f"\n{len(uses)} names used in {len({k[0] for k in uses})} techniques; {marked} marked"


def _marks(technique: Technique, kind: str, name: str, use: Use, uses: Uses) -> Iterator[str]:
    named = {s.name: s.unit for s in technique.signals}
    usual = {n: c.unit for n, c in conditions(technique.key).items()} if kind == "condition" else named
    plain = name if name in usual else re.sub(r"_\d+(?=_filtered\Z|_retrace\Z|\Z)", "", name)
    if plain not in usual:
        yield "own" if technique.key == "unspecified" or use.is_own else "!name"
    else:
        unit = usual[plain]
        given = ["" if u == "1" else u for u in use.units if u != "none"]
        if unit is not None and not all(same_dimension(u, unit) or _may_be(u, unit) for u in given):
            yield "!unit"
        if kind == "condition" and unit is not None and "text" in use.kinds:
            yield "!text"
    kinds = {"condition"} if kind == "condition" else {"signal", "axis", "column"}
    for group in TWINS:
        others = {n for t, k, n in uses if t == technique.key and k in kinds and n in group - {name}}
        if name in group and others:
            yield f"!twin({','.join(sorted(others))})"


def _may_be(given: str, usual: str) -> bool:
    return any(same_dimension(given, other) for other in _ALIKE.get(usual, ()))


def faults() -> Iterator[str]:
    """What is wrong in the vocabulary whatever is read."""
    titles: dict[str, set[str]] = defaultdict(set)
    for key, technique in TECHNIQUES.items():
        for what, declared in (("condition", technique.conditions), ("signal", technique.signals)):
            for name, n in Counter(d.name for d in declared).items():
                if n > 1:
                    yield f"fault: {key} declares its {what} {name} {n} times"
        units = {s.name: s.unit for s in technique.signals}
        for condition in technique.conditions:
            unit = units.get(condition.name, condition.unit)
            if None not in (unit, condition.unit) and not same_dimension(str(unit), str(condition.unit)):
                yield f"fault: {key} has {condition.name} in {condition.unit} and in {unit}"
        places = Counter(c.nexus for c in conditions(key).values() if c.nexus)
        yield from (f"fault: {key} links {n} conditions to {place}" for place, n in places.items() if n > 1)
        mains = [c.name for c in technique.conditions if c.main]
        if len(mains) > _MOST_MAIN:
            yield f"fault: {key} has {len(mains)} main conditions"
        for thing in (*technique.conditions, *technique.signals):
            titles[thing.title].add(thing.title_ja)
            if not thing.title_ja:
                yield f"fault: {key}.{thing.name} has no Japanese title"
            elif not _JAPANESE.search(thing.title_ja) and re.search("[A-Za-z]{4}", thing.title_ja):
                yield f"fault: {key}.{thing.name} has {thing.title_ja!r} as its Japanese title"
        declared = {s.name for s in technique.signals}
        for name in {*technique.monotonic, *technique.reversed_axes} - declared:
            yield f"fault: {key} has a rule for {name}, which it does not declare"
    for title, japanese in sorted(titles.items()):
        if len(japanese) > 1:
            yield f"note: {title!r} is {' and '.join(sorted(japanese))} in Japanese"
    for thing in COMMON:
        if not _JAPANESE.search(thing.title_ja):
            yield f"fault: {thing.name} has {thing.title_ja!r} as its Japanese title"


if __name__ == "__main__":
    main()
