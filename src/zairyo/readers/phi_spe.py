"""ULVAC-PHI spectra and depth profiles (``.spe``, ``.pro``, ``.ang`` ...), as SmartSoft and MultiPak write them.

A header in text, then 32-bit numbers (see ``_phi_bytes``). Each region is an entry over the binding energy;
a depth profile's regions have the sputter time, stated in the file, as a second axis, and the peak areas that
the program followed become a table.
"""

from __future__ import annotations

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, table
from zairyo.readers import _phi_header as header
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._phi_bytes import Record, read_records, split
from zairyo.readers._phi_header import Lines, Region
from zairyo.readers._photoemission import known, measurement, technique_of, unit_of
from zairyo.readers._tokens import number, unique, word

_MOST_BYTES = 1024**3
#: Words of the records' dimensions that are not energies.
_DIMENSIONS = {"cyc": "cycle", "sar": "area", "reg": "region", "ang": "take_off_angle"}


def sniff(src: RawInput) -> float:
    return CERTAIN if src.head.lstrip()[:5] in (b"SOFH\r", b"SOFH\n") else NO


def read(src: RawInput) -> Measurement:
    text, data = split(src.read_bytes(_MOST_BYTES))
    lines, warnings = Lines(text), list[str]()
    records = read_records(data, warnings)
    file = _File(lines, records, warnings)
    try:
        entries = [e for e in (file.spectrum(r) for r in records if r.axes[-1] == "pnt") if e is not None]
        entries += file.profile()
    except MeasurementError as e:
        raise ReadError(f"the file's parts do not fit together: {e}") from None
    named = (lines.text("DefectPosComment"), lines.text("FileDesc"))
    return measurement(
        entries,
        warnings,
        title=lines.text("FileDesc"),
        sample=next((n for n in named if n), ""),
        instrument=lines.text("InstrumentModel"),
        operator=lines.text("Operator"),
        original_metadata=lines.all,
    )


class _File:
    def __init__(self, lines: Lines, records: list[Record], warnings: list[str]) -> None:
        self.lines, self.records, self.warnings = lines, records, warnings
        self.regions = header.regions(lines, warnings)
        self.common = known(header.conditions(lines, warnings))
        self.started = header.started(lines)
        excitation = self.common.get("excitation_energy")
        energy = float(excitation.value) if excitation and isinstance(excitation.value, float) else None
        self.technique = technique_of(lines.text("Technique"), energy, warnings)
        self.taken: set[str] = set()

    def spectrum(self, record: Record) -> Entry | None:
        """One region: over its energies, and over sputter time, angles or places where there are several."""
        region = self.regions.get(record.region)
        if region is None:
            self.warnings.append(
                f"Record {record.number} belongs to region {record.region}, which the header does not define; "
                "its spectrum was left out."
            )
            return None
        energies = self._energies(region, record.values.shape[-1])
        outer, beside = self._outer(record)
        unit = unit_of(record.unit, f"region {region.name}", self.warnings)
        axes = (*outer, energies)
        return Entry(
            name=unique(region.name, self.taken, "region"),
            technique=self.technique,
            axes=axes,
            signals=(
                Signal("intensity", record.values, unit, tuple(a.name for a in axes), "Intensity"),
                *beside,
            ),
            title=region.name.replace("_", " "),
            conditions=self.common | known(self._own(region)),
            original_metadata=region.metadata,
            started=self.started,
        )

    def _own(self, region: Region) -> dict[str, Quantity | None]:
        cycles = number(self.lines.text("SurvNumCycles")) if "cyc" not in self._kinds else None
        sweeps = region.sweeps * int(cycles or 1) if region.sweeps else None
        return {
            "analysed_region": word(region.name),
            "pass_energy": Quantity(region.pass_energy, "eV"),
            "energy_step": Quantity(abs(region.step), "eV"),
            "repetitions": Quantity(sweeps, "") if sweeps else None,
            "dwell_time": Quantity(region.seconds / (sweeps or 1), "s") if region.seconds > 0 else None,
        }

    @property
    def _kinds(self) -> set[str]:
        return {axis for record in self.records for axis in record.axes}

    def _energies(self, region: Region, points: int) -> Axis:
        if points == region.points:
            values = np.linspace(region.start, region.end, points)
        else:
            values = np.asarray(region.start + region.step * np.arange(points), np.float64)
            self.warnings.append(
                f"Region {region.name} is defined with {region.points} points and holds {points}; its energies "
                "follow from the first one and the step."
            )
        if self.technique in ("xps", "ups"):
            return Axis("binding_energy", values, "eV", "Binding energy")
        return Axis("kinetic_energy", values, "eV", "Kinetic energy")

    def _outer(self, record: Record) -> tuple[list[Axis], list[Signal]]:
        axes, beside = [], []
        for word_, length in zip(record.axes[:-1], record.values.shape[:-1], strict=True):
            cycle = Axis(_DIMENSIONS.get(word_, "index"), np.arange(1, length + 1), "")
            times = self._sputter_times(record.region, length) if word_ == "cyc" else None
            if times is None:
                axes.append(cycle)
            elif np.all(np.diff(times.values) > 0):
                axes.append(Axis("etch_time", times.values, times.unit, times.long_name))
            else:  # several cycles before sputtering began
                axes.append(cycle)
                beside.append(Signal("etch_time", times.values, times.unit, ("cycle",), times.long_name))
        return axes, beside

    def _sputter_times(self, region: int, cycles: int) -> Signal | None:
        """When each cycle of a region was measured: as recorded, else from the layers' definitions."""
        order = list(self.regions)
        for record in self.records:
            if record.axes == ("reg", "cyc") or record.axes == ("cyc",):
                rows = np.atleast_2d(record.values)
                if record.unit == "s" and rows.shape[1] == cycles and region in order:
                    row = np.asarray(rows[min(order.index(region), len(rows) - 1)], float) + 0.0  # no −0
                    if np.all(np.isfinite(row)):
                        return Signal("etch_time", row, "s", (), "Sputter time")
        minutes = header.sputter_minutes(self.lines, cycles)
        return None if minutes is None else Signal("etch_time", minutes, "min", (), "Sputter time")

    def profile(self) -> list[Entry]:
        """Tables of what the program followed over the cycles: one column a region."""
        made = []
        for record in self.records:
            if record.axes not in (("reg", "cyc"), ("cyc",)) or record.unit == "s":
                continue
            rows = np.atleast_2d(record.values)
            names = [r.name for r in self.regions.values()]
            if len(rows) != len(names):
                names = [f"region {i + 1}" for i in range(len(rows))]
            columns = [self._time_column(rows.shape[1])]
            taken = {columns[0].name}
            unit = unit_of(record.unit, "the profile", self.warnings)
            for name, row in zip(names, rows, strict=True):
                columns.append(Signal(unique(f"area_{name}", taken), row, unit, (), f"Area of {name}"))
            made.append(
                table(
                    unique("depth_profile", self.taken),
                    self.technique,
                    columns,
                    x=columns[0].name,
                    default=columns[1].name,
                    title="Depth profile: peak areas",
                    conditions=self.common,
                    started=self.started,
                )
            )
        return made

    def _time_column(self, cycles: int) -> Signal:
        first = next(iter(self.regions), 0)
        return self._sputter_times(first, cycles) or Signal("cycle", np.arange(1, cycles + 1), "")


READER = Reader(
    name="phi_spe",
    version="1",
    techniques=("xps", "ups", "aes"),
    vendor="ULVAC-PHI",
    format="SmartSoft / MultiPak",
    endings=(".spe", ".pro", ".ang"),
    sniff=sniff,
    read=read,
    notes="Surveys, regions, depth profiles over the sputter time, the peak areas followed. Binding energies as "
    "the program states them; intensities in counts per second. The image files beside them are not read.",
)
