"""Kratos Vision's text of a data set (``.kal``, by DumpDataset): photoelectron spectra with all settings.

Facts: ``Dataset filename = …``, ``Object name = …``, then a field a line, ``  42 Pass energy = 160 eV``: its number,
its name and its value with a unit; flags are words such as ``F_XPS``; a list's numbers stand between braces, over
several lines.
A spectrum begins at ``Spectrum scan start`` and goes on by ``Spectrum scan step size``, in kinetic energy. Dates have
the year first (``98/07/07``). Of the X-ray line only the anode is named; no photon energy is stated.
"""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal
from zairyo.measurement.techniques import conditions as vocabulary
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._photoemission import Floats, measurement, technique_of, unit_of
from zairyo.readers._text_export import quantity, read_lines
from zairyo.readers._tokens import unique

_FIRST = re.compile(r"\s*Dataset filename\s*=")
_NUMBERED = re.compile(r"\s*\d{1,5}\s+")
_ANODE = re.compile(r"XRAY_([A-Z]{1,2})\b")
_DATES = ("%y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M:%S")
_VALUES, _START, _STEP = "Ordinate values", "Spectrum scan start", "Spectrum scan step size"
#: Condition → field, unit, and how the field spells it.
_NUMBERS = (
    ("pass_energy", "Pass energy", "eV", ("", "eV")),
    ("dwell_time", "Dwell time", "s", ("", "s", "seconds")),
    ("energy_step", _STEP, "eV", ("", "eV")),
    ("repetitions", "# Sweeps completed", "", ("",)),
    ("etch_time", "Cumulative etch time", "s", ("", "s", "seconds")),
    ("excitation_energy", "Excitation energy", "eV", ("", "eV")),
)
_TEXTS = (
    ("lens_mode", "HSA Lens Mode", "F_HSA_LENS_"),
    ("analyser_mode", "Analyser Scan Mode", "F_"),
    ("charge_neutraliser", "Neutraliser Switch State", "F_NEUTRALISER_"),
)
#: The X-ray gun's current (A) and voltage (V), as older and newer electronics call them.
_GUNS = (
    ("Xray Gun current", "Xray Gun voltage"),
    ("NICPU X-ray Gun Emission Current", "NICPU X-ray Gun Anode HT Voltage"),
)
Fields = dict[str, str]


def sniff(src: RawInput) -> float:
    head = src.text_head
    return CERTAIN if b"Dataset filename" in head[:2000] and b"Object name" in head[:4000] else NO


def read(src: RawInput) -> Measurement:
    objects = _objects(read_lines(src), src.name)
    warnings: list[str] = []
    taken: set[str] = set()
    entries: list[Entry] = []
    left: list[str] = []
    for found in objects:
        kind = _flag(found.get("Scan type", "F_SPECTRUM"), "F_")
        if kind != "spectrum":
            left.append(f"{found['Object name'][:60]!r} ({kind})")
        elif _VALUES in found:
            entries.append(_entry(found, taken, warnings, src.name))
    if left:
        warnings.append(f"Only spectra are read; left out: {', '.join(left[:10])}.")
    if not entries:
        raise ReadError(
            f"{src.name} holds no spectrum ({len(objects)} objects); it is cut off, or has maps only."
        )
    of_spectra = [o for o in objects if _VALUES in o]
    names = {clean_text(o["Sample name"]).strip() for o in of_spectra if o.get("Sample name")}
    return measurement(
        entries,
        warnings,
        title=src.path.stem,
        sample=names.pop() if len(names) == 1 else "",
        instrument=next((o["Instrument name"] for o in objects if o.get("Instrument name")), ""),
        original_metadata={
            f"object {k}": {key: value for key, value in o.items() if key != _VALUES}
            for k, o in enumerate(objects, 1)
            if _VALUES not in o
        },
    )


def _objects(lines: list[str], name: str) -> list[Fields]:
    """Each object's fields, the first of a name; lists as they stand between their braces."""
    if not any(_FIRST.match(line) for line in lines[:50]):
        raise ReadError(f"{name} does not begin with a data set's file name; it is another format.")
    objects: list[Fields] = []
    listed, cells = "", list[str]()
    for line in lines:
        if listed:
            cells.append(line.partition("}")[0])
            if "}" in line:
                objects[-1].setdefault(listed, " ".join(cells))
                listed = ""
            continue
        before, is_field, value = line.partition("=")
        key, value = _NUMBERED.sub("", before, count=1).strip(), value.strip()
        if not is_field or not key:
            continue
        if key == "Object name":
            objects.append({key: clean_text(value)})
        elif not objects or key == "Dataset filename" or value == "{":
            continue
        elif value.startswith("{"):
            listed, cells = ("", []) if "}" in value else (key, [value[1:]])
            if not listed:
                objects[-1].setdefault(key, value[1:].partition("}")[0])
        else:
            objects[-1].setdefault(key, value)
    if listed:
        raise ReadError(f"{name} ends within the list {listed!r}; it is cut off. Copy it again.")
    return objects


def _numbers(text: str, what: str) -> Floats:
    try:
        return np.array([float(cell) for cell in text.replace(",", " ").split()])
    except ValueError:
        raise ReadError(f"{what} is not all numbers; the file is damaged. Copy it again.") from None


def _entry(found: Fields, taken: set[str], warnings: list[str], name: str) -> Entry:
    title = found["Object name"]
    values = _numbers(found[_VALUES], f"The list of values of {title[:40]!r} of {name}")
    start, step = (quantity(found.get(key, "")) for key in (_START, _STEP))
    told = quantity(found.get("# ordinate values", ""))
    if told is not None and told[0] != len(values):
        raise ReadError(
            f"{title[:40]!r} of {name} should have {told[0]:g} values and has {len(values)}; it is cut off."
        )
    label = found.get("Abscissa label", "Kinetic Energy").strip().casefold()
    is_told = start is not None and step is not None and {start[1].strip(), step[1].strip()} <= {"", "eV"}
    if (
        start is None
        or step is None
        or not is_told
        or not len(values)
        or label not in ("kinetic energy", "binding energy")
    ):
        raise ReadError(
            f"{title[:40]!r} of {name} does not say from which energy on, and by which step, it was measured."
        )
    axis_name = label.replace(" ", "_")
    energies = start[0] + step[0] * np.arange(len(values))
    signals = [
        Signal(
            "intensity",
            values,
            unit_of(found.get("Ordinate units"), "the intensity", warnings),
            (axis_name,),
            "Intensity",
        )
    ]
    transmission = _transmission(found, energies) if axis_name == "kinetic_energy" else None
    if transmission is not None:
        signals.append(Signal("transmission", transmission, "", (axis_name,), "Transmission function"))
    technique = technique_of(_flag(found.get("Technique", "F_XPS"), "F_"), None, warnings)
    if technique in ("xps", "ups") and axis_name == "kinetic_energy":
        warnings.append("The photon energy is not stated, and so the energies are kinetic ones, as measured.")
    region = (
        f"{found.get('Chemical symbol or formula', '')} {found.get('Transition or charge state', '')}".strip()
    )
    try:
        return Entry(
            name=unique(region or title.partition("/")[0], taken, "spectrum"),
            technique=technique,
            axes=(Axis(axis_name, energies, "eV", label.capitalize()),),
            signals=tuple(signals),
            title=f"{title} {region}".strip(),
            started=_started(found, warnings),
            conditions=_conditions(found, region, technique),
            original_metadata=tidy_metadata({k: v for k, v in found.items() if k != _VALUES}),
        )
    except MeasurementError as e:
        raise ReadError(f"the parts of {title[:40]!r} do not fit together: {e}") from None


def _transmission(found: Fields, energies: Floats) -> Floats | None:
    """The analyser's transmission at the energies, between those that the file states; None beyond them."""
    at, values = (
        _numbers(found.get(f"Transmission Function {key}", ""), "The transmission function")
        for key in ("Kinetic Energy", "Value")
    )
    if len(at) < 2 or len(at) != len(values) or not (np.isfinite(at).all() and np.isfinite(values).all()):
        return None
    order = np.argsort(at)
    if energies.min() < at.min() or energies.max() > at.max():
        return None
    return np.asarray(np.interp(energies, at[order], values[order]))


def _started(found: Fields, warnings: list[str]) -> datetime | None:
    text = found.get("Date Acquired", "")
    moment = in_forms(text, _DATES)
    if text and moment is None:
        warnings.append(
            f"How the date {clean_text(text)[:40]!r} is written is not known; the start is left open."
        )
    return moment


def _flag(word: str, beginning: str) -> str:
    """``F_HSA_LENS_HYBRID`` → ``hybrid``."""
    return clean_text(word).strip().removeprefix(beginning).replace("_", " ").casefold()


def _conditions(found: Fields, region: str, technique: str) -> dict[str, Quantity]:
    stated: dict[str, Quantity] = {}
    for name, field, unit, spellings in _NUMBERS:
        value = quantity(found.get(field, ""))
        if value is None or value[1].strip() not in spellings or not np.isfinite(value[0]):
            continue
        if value[0] or name == "etch_time":
            stated[name] = Quantity(int(value[0]) if name == "repetitions" else value[0], unit)
    for name, field, beginning in _TEXTS:
        if text := _flag(found.get(field, ""), beginning):
            stated[name] = Quantity(text)
    if region:
        stated["analysed_region"] = Quantity(clean_text(region))
    anode = _ANODE.search(found.get("Xray Reference Energy", "").upper())
    if anode is not None:
        is_mono = "MONO" in found.get("Xray Gun Anode", "").upper()
        stated["excitation_source"] = Quantity(anode[1].title() + (", monochromated" if is_mono else ""))
    for of_current, of_voltage in _GUNS:
        current, voltage = (quantity(found.get(field, "")) for field in (of_current, of_voltage))
        if (
            current
            and voltage
            and current[1].strip() in ("A", "amps")
            and voltage[1].strip() in ("V", "volts")
        ):
            stated["source_power"] = Quantity(float(f"{current[0] * voltage[0]:.6g}"), "W")
            stated["source_voltage"] = Quantity(voltage[0] / 1000, "kV")
            break
    known = vocabulary(technique)
    return {name: value for name, value in stated.items() if name in known}


READER = Reader(
    name="kratos_kal",
    version="1",
    techniques=("xps", "ups", "aes", "iss"),
    vendor="Kratos Analytical",
    format="Vision text (kal)",
    endings=(".kal", ".cal", ".txt"),
    sniff=sniff,
    read=read,
    notes="Every spectrum, over the kinetic energy as measured. Maps are not read. Made after published descriptions;"
    " no whole file was at hand.",
)
