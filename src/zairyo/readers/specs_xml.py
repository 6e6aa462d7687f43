"""SPECS SpecsLab2 XML: groups of regions, each with cycles of scans, the counts of every detector channel.

The detector's channels see the spectrum at energies that differ by their ``shift`` × pass energy. ``mcd_head``
and ``mcd_tail`` samples more than asked for are taken, so that every channel covers the region; the channels
are added at equal energy, to the nearest sample.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._photoemission import energy_axis, known, measurement, technique_of
from zairyo.readers._photoemission_scans import stacked
from zairyo.readers._tokens import amount, number, unique, word
from zairyo.readers._xml import is_markup, parse_xml

_MOST_BYTES = 512 * 1024**2
_DEEPEST = 24
_ARRAYS = frozenset({"CountsSeq"})
#: Modes in which the photon energy runs: at one kinetic energy, and along with it.
_PHOTON_SCANS = ("constantfinalstate", "constantinitialstate")
_DETECTOR_SCAN = "detectorvoltagescan"
_SHIFTED = "fixedanalyzertransmission"


def sniff(src: RawInput) -> float:
    head = src.head if is_markup(src) else b""
    return CERTAIN if b"<any" in head and b"IDL:specs.de/Serializer/" in head else NO


def read(src: RawInput) -> Measurement:
    root = parse_xml(src.read_bytes(_MOST_BYTES), src.name)
    groups = [e for e in root.iter("struct") if e.get("type_name") == "RegionGroup"]
    warnings: list[str] = []
    taken: set[str] = set()
    entries = []
    for group in groups:
        for region in group.iter("struct"):
            if region.get("type_name") == "RegionData":
                entry = _Region(group, region, warnings).entry(taken)
                entries += [entry] if entry else []
    analysers = {str(e.conditions["analyser"].value) for e in entries if "analyser" in e.conditions}
    titles = [t for t in (_child_text(g, "name") for g in groups) if t]
    return measurement(
        entries,
        warnings,
        title="; ".join(titles[:5]),
        sample=titles[0] if len(titles) == 1 else "",
        instrument=analysers.pop() if len(analysers) == 1 else "",
        original_metadata={t or f"group {i + 1}": _parameters(g) for i, (t, g) in enumerate(_titled(groups))},
    )


def _titled(groups: list[Element]) -> list[tuple[str, Element]]:
    return [(_child_text(group, "name"), group) for group in groups]


class _Region:
    """One ``RegionData``."""

    def __init__(self, group: Element, element: Element, warnings: list[str]) -> None:
        self.element, self.warnings = element, warnings
        self.group = _child_text(group, "name")
        self.name = _child_text(element, "name") or "region"
        self.definition = _child(element, "region")
        self.excitation = self._number("excitation_energy")
        absorbs = self._mode.casefold() == _PHOTON_SCANS[0]
        stated = "NEXAFS" if absorbs else self._text("analysis_method")
        self.technique = technique_of(stated, self.excitation, warnings)

    def entry(self, taken: set[str]) -> Entry | None:
        curves, points = int(self._number("curves_per_scan") or 1), int(self._number("values_per_curve") or 0)
        scans, starts = self._scans(curves, points)
        if not scans:
            self.warnings.append(f"Region {self.name} holds no counts; it was left out.")
            return None
        asked = int(self._number("num_scans") or 0)
        if len(scans) < asked:
            self.warnings.append(
                f"Region {self.name} was to have {asked} scans and has {len(scans)}: it was stopped early."
            )
        axis, beside = self._axis(points)
        inner = ([Axis("curve", np.arange(curves), "")] if curves > 1 else []) + [axis]
        axes, signals = stacked(scans, inner, "counts", self.name, self.warnings)
        try:
            return Entry(
                name=unique(self.name, taken, "region"),
                technique=self.technique,
                axes=axes,
                signals=(*signals, *self._transmission(axis), *beside),
                title=" – ".join(t for t in (self.name, self.group) if t),
                conditions=known(self._conditions(len({scan for _, scan in scans}))),
                original_metadata=tidy_metadata(_tree(self.element)),
                started=starts[0] if starts else None,
            )
        except MeasurementError as e:
            raise ReadError(f"region {self.name}: the parts do not fit together: {e}") from None

    def _number(self, name: str) -> float | None:
        return number(_child_text(self.definition, name))

    def _text(self, name: str) -> str:
        return _child_text(self.definition, name)

    @property
    def _mode(self) -> str:
        return _child_text(_child(self.definition, "scan_mode"), "name")

    def _axis(self, points: int) -> tuple[Axis, tuple[Signal, ...]]:
        start, step = self._number("kinetic_energy"), self._number("scan_delta")
        if "fixedenerg" in self._mode.casefold() or start is None or step is None or not step:
            if "fixedenerg" not in self._mode.casefold():
                self.warnings.append(
                    f"Region {self.name} states no energies that can be used; its points are numbered."
                )
            return Axis("point", np.arange(points), ""), ()
        if self._number("kinetic_energy_base"):
            self.warnings.append(f"Region {self.name}: the kinetic_energy_base it states is not applied.")
        steps, mode = step * np.arange(points), self._mode.casefold()
        if mode == _DETECTOR_SCAN:
            self.warnings.append(f"Region {self.name} scans the detector's voltage; its points are numbered.")
            return Axis("point", np.arange(points), ""), ()
        if mode not in _PHOTON_SCANS:
            return energy_axis(start + steps, self.excitation, self.technique)
        photons = (self.excitation or 0.0) + steps
        if mode == _PHOTON_SCANS[0]:
            return Axis("photon_energy", photons, "eV", "Photon energy"), ()
        beside = Signal("photon_energy", photons, "eV", ("kinetic_energy",), "Photon energy")
        return Axis("kinetic_energy", start + steps, "eV", "Kinetic energy"), (beside,)

    def _scans(self, curves: int, points: int) -> tuple[dict[tuple[int, int], NDArray[Any]], list[datetime]]:
        """The counts of each scan, channels added; when each cycle began."""
        channels = self._channels(points)
        scans: dict[tuple[int, int], NDArray[Any]] = {}
        starts = []
        cycles = [
            c
            for name in ("cycles", "compact_cycles")
            for c in _children(_child(self.element, name), "struct")
        ]
        for index, cycle in enumerate(cycles):
            seconds = number(_child_text(cycle, "time"))
            if seconds and 0 < seconds < 2**33:
                starts.append(datetime.fromtimestamp(seconds, UTC))
            each = [e for e in cycle.iter("sequence") if e.get("type_name") == "CountsSeq"]
            for scan, sequence in enumerate(each):
                counts = self._counts(sequence, f"cycle {index}, scan {scan}")
                if counts.size:
                    scans[index, scan] = self._added(counts, curves, points, channels)
        return scans, starts

    def _counts(self, sequence: Element, where: str) -> NDArray[Any]:
        tokens = "".join(e.text or "" for e in sequence).split()
        stated = sequence.get("length", "")
        if stated.isdigit() and int(stated) != len(tokens):
            raise ReadError(
                f"region {self.name}, {where}: {stated} counts are announced and {len(tokens)} are there; the file "
                "is damaged or cut off. Copy it again."
            )
        try:
            values = np.array(list(map(float, tokens)))
        except ValueError:
            odd = next(t for t in tokens if number(t) is None)
            raise ReadError(f"region {self.name}, {where}: {odd[:40]!r} is not a count") from None
        whole = (
            np.all(np.isfinite(values))
            and np.all(values == np.rint(values))
            and np.abs(values).max(initial=0) < 2**53
        )
        return values.astype(np.int64) if whole else values

    def _channels(self, points: int) -> list[int]:
        """The first sample that each channel gives to the region; one list element a channel."""
        head = int(number(_child_text(self.element, "mcd_head")) or 0)
        tail = int(number(_child_text(self.element, "mcd_tail")) or 0)
        detectors = _children(_child(_child(self.element, "analyzer_info"), "detectors"), "struct")
        shifts = [number(_child_text(d, "shift")) or 0.0 for d in detectors] or [0.0]
        self.samples = points + head + tail
        step, pass_energy = self._number("scan_delta"), self._number("pass_energy")
        if self._mode.casefold() != _SHIFTED or not step or pass_energy is None:
            return [head] * len(shifts)
        firsts = [head - round(shift * pass_energy / step) for shift in shifts]
        if min(firsts) < 0 or max(firsts) + points > self.samples:
            self.warnings.append(
                f"Region {self.name}: some detector channels do not cover all of it; the nearest samples stand in."
            )
        return [min(max(first, 0), head + tail) for first in firsts]

    def _added(self, counts: NDArray[Any], curves: int, points: int, channels: list[int]) -> NDArray[Any]:
        if "snapshot" in self._mode.casefold() and points > 0 and counts.size == curves * points:
            return (
                counts.reshape(curves, points) if curves > 1 else counts
            )  # the program has added the channels
        if points < 1 or counts.size != curves * self.samples * len(channels):
            raise ReadError(
                f"region {self.name}: a scan holds {counts.size} counts, which are not {curves} curves of "
                f"{self.samples} samples of {len(channels)} detector channels"
            )
        each = counts.reshape(curves, self.samples, len(channels))
        total = sum(each[:, first : first + points, c] for c, first in enumerate(channels))
        return np.asarray(total if curves > 1 else np.asarray(total)[0])

    def _transmission(self, axis: Axis) -> list[Signal]:
        sequence = _child(self.element, "transmission")
        tokens = "".join(e.text or "" for e in sequence).split() if sequence is not None else []
        values = [number(t) for t in tokens]
        if not tokens:
            return []
        if len(values) != len(axis.values) or None in values:
            self.warnings.append(
                f"Region {self.name}: its transmission function does not fit; it was left out."
            )
            return []
        return [Signal("transmission", np.array(values, float), "", (axis.name,), "Transmission function")]

    def _conditions(self, scans: int) -> dict[str, Quantity | None]:
        source = _child(self.element, "source_info")
        parameters = _parameters(source)
        analyser = _child(self.element, "analyzer_info")
        step = self._number("scan_delta")
        return {
            "excitation_energy": amount(self.excitation, "eV")
            if self.excitation and self._mode.casefold() not in _PHOTON_SCANS
            else None,
            "excitation_source": word(parameters.get("Anode") or _child_text(source, "name")),
            "kinetic_energy": amount(self._text("kinetic_energy"), "eV")
            if self._mode.casefold() == _PHOTON_SCANS[0]
            else None,
            "source_power": _positive(parameters.get("Power [W]"), "W"),
            "source_voltage": _positive(parameters.get("Voltage [kV]"), "kV"),
            "pass_energy": amount(self._text("pass_energy"), "eV"),
            "energy_step": None if step is None else Quantity(abs(step), "eV"),
            "dwell_time": amount(self._text("dwell_time"), "s"),
            "repetitions": Quantity(scans, ""),
            "analysed_region": word(self.name),
            "work_function": amount(self._text("effective_workfunction"), "eV"),
            "lens_mode": word(self._text("analyzer_lens")),
            "analyser_slit": word(self._text("analyzer_slit")),
            "scan_mode": word(self._mode),
            "detector_voltage": amount(self._text("detector_voltage"), "V"),
            "analyser": word(_child_text(analyser, "name")),
            "software": Quantity("SpecsLab2"),
        }


def _positive(token: Any, unit: str) -> Quantity | None:
    """A source that the program does not control has 0 for what it would be set to."""
    return amount(token, unit) if (number(token) or 0) > 0 else None


# --- the serializer's elements: everything is an ``any``, ``struct`` or ``sequence`` with a name -------------


def _child(parent: Element | None, name: str) -> Element | None:
    return next((e for e in parent if e.get("name") == name), None) if parent is not None else None


def _children(parent: Element | None, tag: str) -> list[Element]:
    return [e for e in parent if e.tag == tag] if parent is not None else []


def _child_text(parent: Element | None, name: str) -> str:
    element = _child(parent, name)
    return (element.text or "").strip() if element is not None else ""


def _parameters(parent: Element | None) -> dict[str, Any]:
    """The ``parameters`` of an element, by their names."""
    sequence = _child(parent, "parameters")
    return _named(sequence, 0) if sequence is not None else {}


def _named(sequence: Element, depth: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for parameter in _children(sequence, "struct"):
        value = _child(parameter, "value")
        inside = (
            None
            if value is None
            else (_tree(value[0], depth + 2) if len(value) else (value.text or "").strip())
        )
        out[_child_text(parameter, "name") or f"parameter {len(out) + 1}"] = inside
    return out


def _tree(element: Element, depth: int = 0) -> Any:
    """The element by its names, to be kept as original metadata; without the arrays."""
    if depth > _DEEPEST:
        return "…"
    if element.get("type_name") in _ARRAYS:
        return {"length": element.get("length", "")}
    if element.get("type_name") == "ParameterSeq":
        return _named(element, depth)
    if element.tag == "sequence" and element.get("name") == "transmission":
        return {"length": element.get("length", "")}
    if len(element) == 0:
        return (element.text or "").strip()
    if element.tag == "struct":
        return {e.get("name") or f"{e.tag} {i}": _tree(e, depth + 1) for i, e in enumerate(element)}
    return [_tree(e, depth + 1) for e in element]


READER = Reader(
    name="specs_xml",
    version="2",
    techniques=("xps", "ups", "nexafs", "aes", "iss", "els"),
    vendor="SPECS",
    format="SpecsLab2 XML",
    endings=(".xml",),
    sniff=sniff,
    read=read,
    notes="All groups and regions, cycles and scans; detector channels are added at equal energy (fixed analyser "
    "transmission). Binding energy = excitation energy − kinetic energy. Fits and overlays are kept as metadata.",
)
