"""SPECS Prodigy ``.sle``: an SQLite database of spectra, each with its scans and, if kept, detector channels.

Facts: the tables name themselves. ``Spectrum`` has the energies, ``RawData`` a row a scan, ``CountRateData`` its
numbers in pieces (counts, in spite of the name: 32- or 64-bit floats, later versions deflated), ``NodeMapping``
ties them to the schedule, an XML text, which has names and settings.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._photoemission import energy_axis, known, measurement, technique_of, unit_of
from zairyo.readers._photoemission_scans import stacked, usual_length
from zairyo.readers._specs_counts import floats, of_scan, trace
from zairyo.readers._specs_schedule import Planned, detector_shifts, protocol, read_schedule
from zairyo.readers._sqlite import MAGIC, Database, database
from zairyo.readers._tokens import amount, number, unique, word

#: What the schedule calls the ways of scanning, letters only, lower case.
_SHIFTED, _FIXED = "fixedanalyzertransmission", "fixedenerg"
_NO_ENERGIES = ("constantfinalstate", "constantinitialstate")


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head.startswith(MAGIC) and b"CountRateData" in src.head else NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    with database(src) as tables:
        stored = tables.rows("Configuration")
        configuration = {str(r.get("key", "")).casefold(): str(r.get("value", "")) for r in stored}
        schedule = read_schedule(configuration, warnings)
        identifiers = {r.get("node"): r.get("internalid") for r in tables.rows("NodeMapping")}
        nodes = {identifier: node for node, identifier in identifiers.items()}
        taken: set[str] = set()
        entries = []
        for row in tables.rows("Spectrum", "ORDER BY Node"):
            planned = schedule.spectra.get(identifiers.get(row.get("node")) or -1)
            around = [nodes[i] for i in planned.ids if i in nodes] if planned else [row.get("node")]
            spectrum = _Spectrum(tables, row, planned, around, configuration.get("appversion", ""), warnings)
            entry = spectrum.entry(taken)
            entries += [entry] if entry else []
    spectra = [e for e in entries if e.signal.axes[-1] != "point"]
    return measurement(
        entries,
        warnings,
        title=schedule.name,
        default=spectra[0].name if spectra else "",
        original_metadata={k: v for k, v in configuration.items() if k not in ("schedule", "context")},
    )


class _Spectrum:
    """A row of ``Spectrum`` with all that belongs to it."""

    def __init__(
        self,
        tables: Database,
        row: dict[str, Any],
        planned: Planned | None,
        nodes: list[Any],
        version: str,
        warnings: list[str],
    ) -> None:
        self.tables, self.row, self.planned, self.nodes = tables, row, planned, nodes
        self.version, self.warnings = version, warnings
        self.node = row.get("node")
        self.name = (planned.name if planned else "") or f"spectrum {self.node}"
        self.mode = (planned.mode if planned else "").casefold()
        self.energy_channels = max(int(number(row.get("energychns")) or 1), 1)
        self.curves = max(int(number(row.get("nonenergychns")) or 1), 1)

    def entry(self, taken: set[str]) -> Entry | None:
        raws = self.tables.rows("RawData", "WHERE Node = ? ORDER BY RawID", self.node)
        if not raws:
            return None  # planned and not measured
        excitation = number(raws[0].get("eexc"))
        technique = technique_of(self.planned.method if self.planned else "", excitation, self.warnings)
        scans, traces = self._scans(raws)
        if not scans:
            self.warnings.append(f"The spectrum {self.name} holds no counts; it was left out.")
            return None
        axis, beside = self._axis(usual_length(scans), excitation, technique)
        inner = [*self._curve_axis(), axis]
        axes, signals = stacked(scans, inner, "counts", self.name, self.warnings)
        used = {a.name for a in axes} | {s.name for s in (*signals, *beside)}
        more = self._transmission(axis) + self._external(raws, axis, used) + self._varying(traces, axes, used)
        group = self.planned.group_name if self.planned else ""
        try:
            return Entry(
                name=unique(self.name, taken, "region"),
                technique=technique,
                axes=axes,
                signals=(*signals, *beside, *more),
                title=" – ".join(t for t in (self.name, group) if t),
                conditions=known(self._conditions(raws, excitation, axis)),
                original_metadata=tidy_metadata(self._metadata()),
                started=min(filter(None, (_when(r.get("scandate")) for r in raws)), default=None),
            )
        except MeasurementError as e:
            raise ReadError(f"spectrum {self.name}: the parts do not fit together: {e}") from None

    # --- numbers --------------------------------------------------------------------------------------------

    def _scans(
        self, raws: list[dict[str, Any]]
    ) -> tuple[dict[tuple[int, int], NDArray[Any]], list[dict[str, str]]]:
        """Counts over (curve, energy) by cycle and scan, and what the trace says of each cycle."""
        places = [trace(str(r.get("trace") or "")) for r in raws]
        cycles = sorted({place for place, _, _ in places})
        by_cycle: dict[int, dict[str, str]] = {place: {} for place in range(1, len(cycles) + 1)}
        scans: dict[tuple[int, int], NDArray[Any]] = {}
        for raw, (place, scan, told) in zip(raws, places, strict=True):
            cycle = cycles.index(place) + 1
            by_cycle[cycle] = told
            counts = of_scan(self.tables, raw, self.energy_channels, self.curves, self.name)
            if counts.size == 0:
                continue
            while (cycle, scan) in scans:
                scan += 1
            scans[cycle, scan] = self._added(counts, raw)
        return scans, [by_cycle[c] for c in sorted(by_cycle)]

    def _added(self, counts: NDArray[np.float64], raw: dict[str, Any]) -> NDArray[np.float64]:
        """Channels of (samples, curves, channels) added at equal energy: (energies,) or (curves, energies)."""
        head, tail = (max(int(number(raw.get(k)) or 0), 0) for k in ("head", "tail"))
        step, pass_energy = number(self.row.get("step")), number(self.row.get("epassorrr"))
        points = max(len(counts) - head - tail, 0)
        firsts = [head] * self.energy_channels
        if self.energy_channels > 1 and self.mode == _SHIFTED and step and pass_energy:
            shifts = detector_shifts(self.tables, self.nodes)
            if len(shifts) == self.energy_channels:
                firsts = [min(max(head - round(s * pass_energy / step), 0), head + tail) for s in shifts]
            else:
                self.warnings.append(
                    f"Spectrum {self.name}: no calibration fits its {self.energy_channels} detector channels; they are "
                    "added without their energy shifts."
                )
        if points == 0:
            raise ReadError(f"spectrum {self.name}: a scan ends before its first energy was reached")
        total = np.zeros((points, self.curves))
        for channel, first in enumerate(firsts):
            total += counts[first : first + points, :, channel]
        return total.T if self.curves > 1 else total[:, 0]

    def _axis(self, points: int, excitation: float | None, technique: str) -> tuple[Axis, tuple[Signal, ...]]:
        start, step = number(self.row.get("electronenergy")), number(self.row.get("step"))
        if self.mode.startswith(_FIXED) or not step or start is None:
            return Axis("point", np.arange(points), ""), ()
        if self.mode in _NO_ENERGIES or "snapshot" in self.mode:
            self.warnings.append(
                f"Spectrum {self.name} was measured as {self.planned.mode if self.planned else self.mode}; its points "
                "are numbered, as their energies are not stored with them."
            )
            return Axis("point", np.arange(points), ""), ()
        steps = abs(step) * np.arange(points)
        if str(self.row.get("energytype") or "").casefold().startswith("bind"):
            return Axis("binding_energy", start - steps, "eV", "Binding energy"), ()
        return energy_axis(start + steps, excitation, technique)

    def _curve_axis(self) -> list[Axis]:
        if self.curves == 1:
            return []
        for row in self.tables.rows("OrdinateInfo", "WHERE Node = ?", self.node):
            least, most = number(row.get("minimum")), number(row.get("maximum"))
            if least is not None and most is not None and least < most:
                half = (
                    (most - least) / self.curves / 2
                )  # the ends are those of the detector, not of its pixels
                values = np.linspace(least + half, most - half, self.curves)
                unit = unit_of(str(row.get("unit") or ""), "the ordinate", self.warnings)
                return [Axis("position" if unit in ("mm", "um") else "angle", values, unit)]
        return [Axis("curve", np.arange(self.curves), "")]

    def _transmission(self, axis: Axis) -> list[Signal]:
        blobs = [
            (row.get("data"), row.get("samples"))
            for row in self.tables.rows("TransmissionData", "WHERE Node = ?", self.node)
            if number(row.get("nonenergychns")) in (1, None)
        ]
        blobs += [(self.row.get("transmissiondata"), self.row.get("transmissionlen"))]
        for blob, length in blobs:
            if isinstance(blob, bytes) and number(length) and len(axis.values) <= (number(length) or 0) < 1e8:
                values = floats(blob, int(number(length) or 0))[: len(axis.values)]
                if len(values) == len(axis.values):
                    return [Signal("transmission", values, "", (axis.name,), "Transmission function")]
        return []

    def _external(self, raws: list[dict[str, Any]], axis: Axis, used: set[str]) -> list[Signal]:
        """What devices told at each energy of the first scan."""
        out = []
        for row in self.tables.rows("ExtensionChannelInfo", "WHERE Node = ? ORDER BY Channel", self.node):
            title, _, rest = str(row.get("name") or "external").partition("[")
            for data in self.tables.rows(
                "ExtensionData", "WHERE RawID = ? AND Channel = ?", raws[0].get("rawid"), row.get("channel")
            ):
                blob = data.get("data")
                values = floats(blob, len(axis.values)) if isinstance(blob, bytes) else np.empty(0)
                if len(values) == len(axis.values):
                    unit = unit_of(rest.partition("]")[0], title.strip(), self.warnings)
                    name = unique(title, used, "external")
                    out.append(Signal(name, values, unit, (axis.name,), title.strip()))
        return out

    def _varying(self, traces: list[dict[str, str]], axes: tuple[Axis, ...], used: set[str]) -> list[Signal]:
        """What a schedule's loops changed from cycle to cycle: temperatures, positions, photon energies."""
        if not any(axis.name == "cycle" for axis in axes):
            return []
        cycles = next(axis.values for axis in axes if axis.name == "cycle")
        out = []
        for key in dict.fromkeys(k for told in traces for k in told):
            values = [number(traces[int(c) - 1].get(key)) for c in cycles]
            if key != "Loop" and None not in values and len(set(values)) > 1:
                title, _, rest = key.partition("[")
                unit = unit_of(rest.partition("]")[0].replace("Idx", ""), title.strip(), self.warnings)
                name = unique(title, used, "region")
                out.append(Signal(name, np.array(values, float), unit, ("cycle",), title.strip()))
        return out

    # --- words ----------------------------------------------------------------------------------------------

    def _conditions(
        self, raws: list[dict[str, Any]], excitation: float | None, axis: Axis
    ) -> dict[str, Quantity | None]:
        row, settings = self.row, self.planned.settings if self.planned else {}
        step = number(row.get("step"))
        common = self.planned.metadata()["CommonSpectrumSettings"] if self.planned else {}
        slit = common.get("SlitInfo", {}) if isinstance(common, dict) else {}
        slits = [str(slit[k]) for k in ("@Entrance", "@Exit") if k in slit] if isinstance(slit, dict) else []
        ratio = "retard" in self.mode
        devices = protocol(self.tables, self.nodes)
        source = next((d for d in devices.values() if "anode" in d), {})
        scans = sum(int(number(r.get("scans")) or 1) for r in raws)
        return {
            "excitation_energy": amount(excitation, "eV") if excitation else None,
            "excitation_source": word(source.get("anode")),
            "pass_energy": None if ratio else amount(row.get("epassorrr"), "eV"),
            "retard_ratio": amount(row.get("epassorrr"), "") if ratio else None,
            "energy_step": Quantity(abs(step), "eV") if step and axis.name != "point" else None,
            "dwell_time": amount(settings.get("DwellTime"), "s"),
            "repetitions": Quantity(scans, ""),
            "analysed_region": word(self.name),
            "work_function": amount(row.get("wf"), "eV"),
            "lens_mode": word(settings.get("LensMode")),
            "analyser_slit": word(" / ".join(slits)),
            "scan_mode": word(self.planned.mode if self.planned else ""),
            "detector_voltage": amount(row.get("udet"), "V"),
            "comment": word(self.planned.comment if self.planned else ""),
            "software": Quantity("SpecsLab Prodigy"),
            "software_version": word(self.version),
        }

    def _metadata(self) -> dict[str, Any]:
        row = {k: v for k, v in self.row.items() if not isinstance(v, bytes)}
        planned = self.planned.metadata() if self.planned else {}
        return {"table Spectrum": row} | planned | {"devices": protocol(self.tables, self.nodes)}


def _when(text: Any) -> datetime | None:
    """``2020-Aug-27 08:54:07.840480``, universal time."""
    for form in ("%Y-%b-%d %H:%M:%S.%f", "%Y-%b-%d %H:%M:%S"):
        try:
            return datetime.strptime(str(text or ""), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


READER = Reader(
    name="specs_sle",
    version="1",
    techniques=("xps", "ups", "aes", "arpes"),
    vendor="SPECS",
    format="SpecsLab Prodigy database (.sle)",
    endings=(".sle",),
    sniff=sniff,
    read=read,
    notes="All spectra with counts, scans and loops; detector channels that were kept apart are added at equal energy. "
    "Snapshots and constant-final-state scans have numbered points. Results of operations are not read.",
)
