"""SPECS text export (``.xy``) of SpecsLab2 and Prodigy: blocks of columns under a header that the user chose.

Groups hold regions, regions cycles, cycles curves (angles) and scans; the export may separate scans and detector
channels, give counts or rates, binding or kinetic energies, and external channels besides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._legacy_text import decode_legacy
from zairyo.readers._photoemission import Floats, energy_axis, known, measurement, technique_of, unit_of
from zairyo.readers._photoemission_scans import stacked, usual_length
from zairyo.readers._tokens import amount, number, unique, word

_MOST_BYTES = 1024**3
_CREATED = re.compile(rb"^(\S{1,8}) *Created by:\s*(SpecsLab|Prodigy)", re.M)
_PLACE = re.compile(r"(Cycle|Curve|Scan|Channel):\s*(\d+)")
_PARAMETER = re.compile(r'"(.*)"\s*=\s*(.*)')
_NAME_AND_UNIT = re.compile(r"(.*?)\s*\[([^\]]*)\]")
_ZONE = re.compile(r"\s*(UTC|GMT)\s*$")
#: Two digits of the year are C's own form, month first whatever the country (real files: ``08/24/23``).
_TIMES = ("%m/%d/%y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S")


@dataclass
class _Block:
    """Numbers in columns: ``place`` says cycle, curve, scan, channel; ``external`` names an external channel."""

    place: dict[str, int]
    lines: dict[str, str]
    labels: str
    values: Floats
    external: str = ""


@dataclass
class _Region:
    group: str
    lines: dict[str, Any]
    cycles: dict[int, dict[str, Any]] = field(default_factory=dict)
    blocks: list[_Block] = field(default_factory=list)


def sniff(src: RawInput) -> float:
    return CERTAIN if b"Created by:" in src.head[:2000] and _CREATED.search(src.head[:2000]) else NO


def read(src: RawInput) -> Measurement:
    data = src.read_bytes(_MOST_BYTES)
    created = _CREATED.search(data[:2000])
    if created is None:
        raise ReadError("the first line should say which SPECS program created the file")
    warnings: list[str] = []
    settings, regions = _Parser(decode_legacy(created[1]), warnings).parse(decode_legacy(data))
    taken: set[str] = set()
    entries = [e for e in (_entry(r, settings, taken, warnings) for r in regions) if e is not None]
    spectra = [e for e in entries if e.signal.axes[-1] != "point"]
    groups = [g for g in dict.fromkeys(r.group for r in regions) if g]
    analysers = {str(e.conditions["analyser"].value) for e in entries if "analyser" in e.conditions}
    return measurement(
        entries,
        warnings,
        title="; ".join(groups[:3]),
        instrument=analysers.pop() if len(analysers) == 1 else "",
        default=spectra[0].name if spectra else "",
        original_metadata=settings,
    )


class _Parser:
    """Lines that begin with the prefix tell; what stands between them are numbers."""

    def __init__(self, prefix: str, warnings: list[str]) -> None:
        self.prefix, self.warnings = prefix, warnings
        self.settings: dict[str, Any] = {}
        self.regions: list[_Region] = []
        self.group = self.external = self.labels = ""
        self.place: dict[str, int] = {}
        self.lines: dict[str, str] = {}

    def parse(self, text: str) -> tuple[dict[str, Any], list[_Region]]:
        before, *pieces = ("\n" + text).split("\n" + self.prefix)
        self._numbers(before)
        for piece in pieces:
            line, _, numbers = piece.partition("\n")
            self._line(line)
            self._numbers(numbers)
        self._check_end(text)
        if not any(region.blocks for region in self.regions):
            raise ReadError("no numbers follow the header; the file is cut off. Copy it again.")
        return self.settings, self.regions

    def _check_end(self, text: str) -> None:
        """Refuse a file that ends within a line of a scan that is shorter than its region says."""
        last = self.regions[-1] if self.regions else None
        if last is None or text.endswith(("\n", "\r")):
            return
        asked = number(last.lines.get("Values/Curve"))
        if asked is None or not last.blocks or len(last.blocks[-1].values) < asked:
            raise ReadError(f"the file is cut off within block {self._where()}. Copy it again.")

    def _line(self, line: str) -> None:
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            if key:
                self.settings.setdefault("remarks", []).append(key)
            return
        if key == "Group":
            self.group = value
        elif key == "Region":
            self.regions.append(_Region(self.group, {"Group": self.group, "Region": value}))
            self.place = {}
        elif key.endswith("Cycle") and _PLACE.match(line.strip()[len(key) - 5 :]):
            self._begin(line.strip(), external=key != "Cycle")
        elif not self.regions:
            self.settings[key] = value
        elif key == "ColumnLabels":
            self.labels = value
        elif key in ("Parameter", "RemoteInfo") and (found := _PARAMETER.match(value)):
            self._parameters()[found[1]] = found[2].strip()
        elif key == "Number of Scans" or "Cycle" not in self.place:
            (self.regions[-1].lines if "Cycle" not in self.place else self._parameters())[key] = value
        else:
            self.lines[key] = value

    def _begin(self, line: str, external: bool) -> None:
        """``Cycle: 0, Curve: 0, Scan: 1`` or ``External Channel Data Cycle: 0, Name [unit] (device)``."""
        self.place = {key: int(value) for key, value in _PLACE.findall(line)}
        self.external = re.split(r"Cycle:\s*\d+\s*,?\s*", line, maxsplit=1)[-1] if external else ""
        self.lines, self.labels = {}, ""
        if not self.regions:
            self.regions.append(_Region(self.group, {}))

    def _parameters(self) -> dict[str, Any]:
        return self.regions[-1].cycles.setdefault(self.place.get("Cycle", 0), {})

    def _numbers(self, text: str) -> None:
        if not text or text.isspace():
            return
        if not self.regions:
            self.regions.append(_Region(self.group, {}))
        try:
            values: Floats = np.loadtxt(text.splitlines(), comments=None, ndmin=2)
        except ValueError:  # an odd number, or a line that is not complete
            values = self._numbers_one_by_one(text)
        if len(values):
            block = _Block(dict(self.place), dict(self.lines), self.labels, values, self.external)
            self.regions[-1].blocks.append(block)

    def _numbers_one_by_one(self, text: str) -> Floats:
        tokens = text.split()
        width = len(text.lstrip().partition("\n")[0].split())
        if len(tokens) % width:
            del tokens[len(tokens) - len(tokens) % width :]
            self.warnings.append(
                f"The last line of block {self._where()} is not complete; it was left out. The file may be cut off."
            )
        return self._floats(tokens).reshape(-1, width)

    def _floats(self, tokens: list[str]) -> Floats:
        try:
            return np.array(list(map(float, tokens)))
        except ValueError:
            pass
        values = [number(t) for t in tokens]
        odd = [t for t, v in zip(tokens, values, strict=True) if v is None]
        if len(odd) * 10 > len(tokens):
            raise ReadError(
                f"block {self._where()}: {odd[0][:40]!r} and {len(odd) - 1} more are not numbers; the file is "
                "damaged or is no SPECS export"
            )
        if odd:
            self.warnings.append(
                f"Block {self._where()}: {odd[0][:40]!r} and {len(odd) - 1} more are not numbers; they are left empty."
            )
        return np.array([np.nan if v is None else v for v in values])

    def _where(self) -> str:
        region = self.regions[-1].lines.get("Region", "") if self.regions else ""
        return ", ".join([str(region), *(f"{key} {value}" for key, value in self.place.items())]).strip(", ")


# --- a region's blocks → an entry ---------------------------------------------------------------------------


def _entry(region: _Region, settings: dict[str, Any], taken: set[str], warnings: list[str]) -> Entry | None:
    blocks = [b for b in region.blocks if not b.external and b.values.shape[1] > 1]
    name = str(region.lines.get("Region") or "region")
    if not blocks:
        if region.lines:
            warnings.append(f"Region {name} holds no numbers; it was left out.")
        return None
    excitation = number(region.lines.get("Excitation Energy"))
    method = str(region.lines.get("Analysis Method") or region.lines.get("Anylsis Method") or "")
    technique = technique_of("NEXAFS" if _runs_photons(region.lines) else method, excitation, warnings)
    unit = unit_of(_label(blocks[0], 1) or str(settings.get("Count Rate", "")) or None, name, warnings)
    axis, beside = _axis(blocks, settings, region, excitation, technique)
    scans, curves = _scans(blocks, len(axis.values))
    if (asked := number(region.lines.get("Values/Curve"))) and len(axis.values) < asked:
        warnings.append(
            f"Region {name} was to have {asked:g} points and has {len(axis.values)}: it was stopped early."
        )
    inner = [*([curves] if curves is not None else []), axis]
    try:
        axes, signals = stacked(scans, inner, unit, name, warnings)
        if blocks[0].values.shape[1] > 2:
            signals = _further_columns(blocks, signals, axis, warnings)
        used = {s.name for s in signals} | {a.name for a in axes} | {s.name for s in beside}
        more = _external(region, axis, used, warnings) + _varying(region, axes, used, warnings)
        dates = [str(told.get("Acquisition Date", "")) for told in (*(b.lines for b in blocks), region.lines)]
        return Entry(
            name=unique(name, taken, "region"),
            technique=technique,
            axes=axes,
            signals=(*signals, *beside, *more),
            title=" – ".join(t for t in (name, region.group) if t),
            conditions=known(_conditions(region, settings, axis, len({s for _, s in scans}))),
            original_metadata=tidy_metadata(region.lines | {"cycles": list(region.cycles.values())}),
            started=min(filter(None, (_when(date, dates, warnings) for date in dates)), default=None),
        )
    except MeasurementError as e:
        raise ReadError(f"region {name}: the parts do not fit together: {e}") from None


def _label(block: _Block, column: int) -> str:
    labels = block.labels.split()
    return labels[column] if column < len(labels) else ""


def _runs_photons(lines: dict[str, Any]) -> bool:
    """Whether the photon energy was scanned at one kinetic energy."""
    return str(lines.get("Scan Mode", "")).replace(" ", "").casefold() == "constantfinalstate"


def _axis(
    blocks: list[_Block], settings: dict[str, Any], region: _Region, excitation: float | None, technique: str
) -> tuple[Axis, tuple[Signal, ...]]:
    """The first column, from a scan as long as most are; the points' numbers where no energy was scanned."""
    length = usual_length({(i, 0): b.values[:, 0] for i, b in enumerate(blocks)})
    values = next(b.values[:, 0] for b in blocks if len(b.values) == length)
    if _label(blocks[0], 0) == "index" or not np.all(np.isfinite(values)):
        return Axis("point", np.arange(length), ""), ()
    stated = str(settings.get("Energy Axis", "")).casefold()
    if _runs_photons(region.lines) or "excitation" in f"{stated} {blocks[0].labels.casefold()}":
        return Axis("photon_energy", values, "eV", "Photon energy"), ()
    remarks = " ".join(settings.get("remarks", [])).casefold()
    kinetic = (
        "kinetic" in stated
        or "kinetic energy" in remarks
        or str(settings.get("Kinetic Energy Axis", "")).casefold() == "yes"
    )
    binding = "binding" in stated or "binding energy" in remarks
    if not kinetic and not binding:
        binding = "Binding Energy" in region.lines or (len(values) > 1 and values[1] < values[0])
    if binding:
        return Axis("binding_energy", values, "eV", "Binding energy"), ()
    return energy_axis(values, excitation, technique)


def _scans(blocks: list[_Block], length: int) -> tuple[dict[tuple[int, int], NDArray[Any]], Axis | None]:
    """Intensities of each scan, detector channels added, over (curve, energy) or energy."""
    parts: dict[tuple[int, int], dict[int, Floats]] = {}
    angles: dict[int, float | None] = {}
    for block in blocks:
        cycle, scan, curve = (block.place.get(key, 0) for key in ("Cycle", "Scan", "Curve"))
        angles.setdefault(curve, number(block.lines.get("NonEnergyOrdinate")))
        row = block.values[:, 1]
        own = parts.setdefault((cycle, scan), {})
        if curve in own:  # a further detector channel
            shorter = min(len(row), len(own[curve]))
            row = own[curve][:shorter] + row[:shorter]
        own[curve] = row
    numbers = sorted(angles)
    if len(numbers) == 1:
        return {key: own[numbers[0]] for key, own in parts.items() if numbers[0] in own}, None
    scans = {}
    for key, own in parts.items():
        if all(c in own and len(own[c]) == length for c in numbers):
            scans[key] = np.stack([own[c] for c in numbers])
    if not scans:
        raise ReadError("no scan has all of its curves; the file is cut off. Copy it again.")
    if all(a is not None for a in angles.values()) and len(set(angles.values())) == len(numbers):
        values = np.array([angles[c] for c in numbers], float)
        return scans, Axis("angle", values, "deg", "Non-energy ordinate")
    return scans, Axis("curve", np.array(numbers), "")


def _further_columns(
    blocks: list[_Block], signals: tuple[Signal, ...], axis: Axis, warnings: list[str]
) -> tuple[Signal, ...]:
    """Transmission functions and error bars that were exported as further columns."""
    first = next((b for b in blocks if len(b.values) == len(axis.values)), blocks[0])
    out = list(signals)
    for column in range(2, first.values.shape[1]):
        label = _label(first, column) or f"column {column + 1}"
        values = first.values[:, column]
        if "err" in label.casefold() and len(blocks) == 1:
            main = out[0]
            out[0] = Signal(main.name, main.values, main.unit, main.axes, main.long_name, values)
        elif len(values) == len(axis.values) and "err" not in label.casefold():
            name = (
                "transmission"
                if "trans" in label.casefold()
                else unique(label, {s.name for s in out}, "region")
            )
            out.append(Signal(name, values, "" if name == "transmission" else None, (axis.name,), label))
        else:
            warnings.append(f"The column {label!r} of several scans cannot be put together; it was left out.")
    return tuple(out)


def _external(region: _Region, axis: Axis, used: set[str], warnings: list[str]) -> list[Signal]:
    """External channels: what a device told at each energy, of the first scan that has it."""
    found: dict[str, Signal] = {}
    for block in region.blocks:
        if not block.external or block.values.shape[1] < 2:
            continue
        label = re.sub(r"\s*\([^()]*\)\s*$", "", block.external).strip()
        match = _NAME_AND_UNIT.match(label)
        title, unit = (match[1], match[2]) if match else (label, "")
        if title in found:
            continue
        if len(block.values) != len(axis.values):
            warnings.append(
                f"The external channel {title!r} has other points than the spectrum; it was left out."
            )
            continue
        name = unique(title, used, "external")
        found[title] = Signal(name, block.values[:, 1], unit_of(unit, title, warnings), (axis.name,), title)
    return list(found.values())


def _varying(region: _Region, axes: tuple[Axis, ...], used: set[str], warnings: list[str]) -> list[Signal]:
    """Parameters that differ from cycle to cycle: temperatures, positions, times."""
    cycle = next((axis for axis in axes if axis.name == "cycle"), None)
    if cycle is None:
        return []
    own = [region.cycles.get(int(c), {}) for c in cycle.values]
    out = []
    for key in dict.fromkeys(k for parameters in own for k in parameters):
        values = [number(parameters.get(key)) for parameters in own]
        if key not in ("Loop", "Number of Scans") and None not in values and len(set(values)) > 1:
            match = _NAME_AND_UNIT.match(key)
            title, unit = (match[1], match[2]) if match else (key, "")
            token = unit_of(unit, title, warnings)
            out.append(
                Signal(unique(title, used, "region"), np.array(values, float), token, ("cycle",), title)
            )
    return out


def _conditions(
    region: _Region, settings: dict[str, Any], axis: Axis, scans: int
) -> dict[str, Quantity | None]:
    lines = region.lines
    program, _, version = str(settings.get("Created by", "")).partition(", Version")
    steps = np.abs(np.diff(axis.values)) if axis.name != "point" and len(axis.values) > 1 else np.empty(0)
    regular = len(steps) > 0 and np.ptp(steps) < 1e-3 * steps.mean()
    counted = [number(c.get("Number of Scans")) for c in region.cycles.values()]
    fixed = lines.get("Kinetic Energy") if axis.name in ("point", "photon_energy") else None
    return {
        "excitation_energy": None if _runs_photons(lines) else amount(lines.get("Excitation Energy"), "eV"),
        "excitation_source": word(lines.get("Source")),
        "pass_energy": amount(lines.get("Pass Energy"), "eV"),
        "retard_ratio": amount(lines.get("Retarding Ratio"), ""),
        "kinetic_energy": amount(fixed, "eV"),
        "energy_step": Quantity(float(f"{np.median(steps):.9g}"), "eV") if regular else None,
        "dwell_time": amount(lines.get("Dwell Time"), "s"),
        "repetitions": Quantity(int(max([scans, *(c for c in counted if c)])), ""),
        "analysed_region": word(lines.get("Region")),
        "work_function": amount(lines.get("Eff. Workfunction"), "eV"),
        "lens_mode": word(lines.get("Analyzer Lens")),
        "analyser_slit": word(lines.get("Analyzer Slit")),
        "scan_mode": word(lines.get("Scan Mode")),
        "detector_voltage": amount(lines.get("Detector Voltage"), "V"),
        "analyser": word(lines.get("Analyzer")),
        "comment": word(lines.get("Comment")),
        "software": word(program),
        "software_version": word(version),
    }


def _when(text: Any, others: list[str], warnings: list[str]) -> datetime | None:
    """``08/24/23 13:59:11 UTC``; without UTC it is the computer's own time."""
    stated = str(text or "").strip()
    plain = _ZONE.sub("", stated)
    moment = in_forms(plain, _TIMES, warnings, others)
    return moment.replace(tzinfo=UTC) if moment is not None and plain != stated else moment


READER = Reader(
    name="specs_xy",
    version="2",
    techniques=("xps", "ups", "arpes", "nexafs", "aes", "iss"),
    vendor="SPECS",
    format="SpecsLab / Prodigy text (.xy)",
    endings=(".xy",),
    sniff=sniff,
    read=read,
    notes="All export settings that write a header: binding or kinetic energy, counts or rates, scans and channels "
    "together or apart, curves (angles), external channels. Rates of several scans are averaged, counts added.",
)
