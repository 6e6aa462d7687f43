"""What the readers of chromatography and mass spectrometry share: one layout of traces, spectra and peaks.

The layout is told in ``zairyo.measurement.techniques.separation``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Quantity, Signal, clean_text, table, units
from zairyo.measurement.model import Array
from zairyo.readers._api import ReadError
from zairyo.readers._day_or_month import day_is_first

#: Above this, the zeros between the peaks of profiles are left out: what is kept must fit a child's memory.
MOST_POINTS = 30_000_000

#: A trace's quantity, by its unit.
_BY_UNIT = {
    "mAU": "absorbance",
    "nRIU": "refractive_index",
    "bar": "pressure",
    "mbar": "pressure",
    "psi": "pressure",
    "kPa": "pressure",
    "MPa": "pressure",
    "degC": "temperature",
    "K": "temperature",
    "ml/min": "flow",
    "ul/min": "flow",
    "percent": "composition",
    "uS/cm": "conductivity",
    "mS/cm": "conductivity",
}


def unit_of(stated: str, warnings: list[str]) -> str | None:
    """A trace's unit as Pint spells it; an unknown one verbatim with a warning, None where none is stated."""
    stated = clean_text(" ".join(stated.split()))[:100]
    if not stated:
        return None
    if re.fullmatch(r"\d+ ?[uµμ]V", stated):
        said = (
            f"A trace is in units of {stated}, as gas chromatographs show it; its numbers are as in the file."
        )
        if said not in warnings:
            warnings.append(said)
        return stated
    if stated in ("LU", "LU*s"):  # luminescence units: the detector's own, arbitrary
        return "arb"
    if re.fullmatch(r"m?AU|m?Abs\.?|a\.u\.f\.s\.", stated, re.IGNORECASE):
        return "mAU" if stated.lower().startswith("m") else ""
    known = units.normalise(stated)
    if known is None:
        said = f"The unit {stated!r} is not one that is known here; it was kept as it is."
        if said not in warnings:
            warnings.append(said)
        return stated
    return known


def quantity_of(unit: str | None, stated: str, description: str = "") -> str:
    """The vocabulary's name for what a detector recorded, from its unit and description."""
    if re.match(r"\s*ADC", description):  # any detector on an analogue input
        return "detector_signal"
    if stated.strip().lower() in ("au", "abs", "abs."):
        return "absorbance"
    if stated.startswith("LU") or re.match(r"\s*FL[DR]\b|\s*FLD\d", description):
        return "fluorescence"
    return _BY_UNIT.get(unit or "", "detector_signal")


def trace(
    name: str,
    technique: str,
    times: Array,
    values: Array,
    *,
    unit: str | None,
    signal: str = "",
    time_unit: str = "min",
    **rest: Any,
) -> Entry:
    """One detector's trace over time; ``rest`` are further fields of :class:`Entry`.

    Parameters
    ----------
    times, values
        Shape (n,), in ``time_unit`` and ``unit``.
    signal
        The quantity's name; from the unit if empty.
    """
    quantity = signal or _BY_UNIT.get(unit or "", "detector_signal")
    axis = Axis("time", np.asarray(times), time_unit)
    return Entry(name, technique, (axis,), (Signal(quantity, values, unit, ("time",)),), **rest)


@dataclass(frozen=True)
class Scans:
    """A mass spectrometer's scans, one after another.

    Attributes
    ----------
    times
        Shape (scans,), in ``time_unit``.
    counts
        Points of each scan, shape (scans,); their sum is the length of ``masses`` and ``abundances``.
    masses, abundances
        All points, in the order of the scans; see ``is_common``.
    numbers
        The vendor's numbers of the scans; 1 … n if None.
    total, base_mass, base_abundance
        As the vendor gives them, shape (scans,); from the points if None.
    columns
        What else is known of each scan: signals of shape (scans,), over ``time``.
    is_profile
        Points along peaks rather than one point a peak.
    is_common
        Every scan has the same masses, and ``masses`` are those of one.
    """

    times: Array
    counts: Array
    masses: Array
    abundances: Array
    unit: str | None = "counts"
    time_unit: str = "min"
    ordinate: str = "abundance"
    numbers: Array | None = None
    total: Array | None = None
    base_mass: Array | None = None
    base_abundance: Array | None = None
    columns: Sequence[Signal] = field(default=())
    is_profile: bool = False
    is_common: bool = False

    def __post_init__(self) -> None:
        if not len(self.times):
            raise ReadError("the run has no scan in it; nothing was acquired")
        masses = len(self.masses) * (len(self.times) if self.is_common else 1)
        if int(np.sum(self.counts)) != masses or masses != len(self.abundances):
            raise ReadError(
                f"the scans announce {int(np.sum(self.counts))} points, but there are {masses} masses and "
                f"{len(self.abundances)} abundances; the file is damaged"
            )

    @property
    def all_masses(self) -> Array:
        """Those of all points, in the order of the scans."""
        return np.tile(self.masses, len(self.times)) if self.is_common else self.masses


def mass_run(
    technique: str, scans: Scans, *, prefix: str = "", title: str = "", **shared: Any
) -> list[Entry]:
    """The entries of a run: its chromatogram, and its points as a table or, over common masses, as an array.

    ``prefix`` goes before the entries' names where a file holds several runs; ``shared`` are further fields of
    :class:`Entry`.
    """
    starts = np.concatenate([[0], np.cumsum(scans.counts)]).astype(np.int64)
    entries = [_chromatogram(technique, scans, starts, prefix, title, shared)]
    if not len(scans.masses):
        return entries
    kind = "profile" if scans.is_profile else "peaks"
    named = f"{title}: {kind}" if title else ""
    common = _common_masses(scans)
    if common is not None:
        times = Axis("time", scans.times, scans.time_unit)
        axes = (times, Axis("mass_to_charge", common, ""))
        values = scans.abundances.reshape(len(times.values), len(common))
        signal = Signal(scans.ordinate, values, scans.unit, ("time", "mass_to_charge"))
        return [*entries, Entry(f"{prefix}spectra", technique, axes, (signal,), title=named, **shared)]
    numbers = np.arange(1, len(scans.times) + 1, dtype=np.int32) if scans.numbers is None else scans.numbers
    owners = np.repeat(numbers, scans.counts)
    owners.flags.writeable = False  # nobody else has it: it need not be copied
    columns = [
        Signal("scan", owners),
        Signal("mass_to_charge", scans.all_masses, ""),
        Signal(scans.ordinate, scans.abundances, scans.unit),
    ]
    shared = {**shared, "title": named}
    name = f"{prefix}{kind}"
    return [*entries, table(name, technique, columns, x="mass_to_charge", default=scans.ordinate, **shared)]


def mass_runs(technique: str, scans: Scans, groups: Mapping[str, Array], **shared: Any) -> list[Entry]:
    """As :func:`mass_run`, for scans of several kinds (MS levels, polarities): a run each.

    Parameters
    ----------
    groups
        A name for each kind → which scans are of it, bool of shape (scans,). One kind gets no prefix.
    """
    kinds = {name: chosen for name, chosen in groups.items() if chosen.any()}
    if len(kinds) < 2:
        return mass_run(technique, scans, **shared)
    title = shared.pop("title", "")
    runs = (
        mass_run(
            technique,
            _chosen(scans, chosen),
            prefix=f"{name}_",
            title=f"{title}, {name}".strip(", "),
            **shared,
        )
        for name, chosen in kinds.items()
    )
    return [entry for run in runs for entry in run]


def _chosen(scans: Scans, chosen: Array) -> Scans:
    points = np.repeat(chosen, scans.counts)

    def some(values: Array | None) -> Array | None:
        return None if values is None else values[chosen]

    return replace(
        scans,
        times=scans.times[chosen],
        counts=scans.counts[chosen],
        masses=scans.masses if scans.is_common else scans.masses[points],
        abundances=scans.abundances[points],
        numbers=some(scans.numbers),
        total=some(scans.total),
        base_mass=some(scans.base_mass),
        base_abundance=some(scans.base_abundance),
        columns=[replace(column, values=column.values[chosen]) for column in scans.columns],
    )


def _common_masses(scans: Scans) -> Array | None:
    """The masses if every scan has the same, rising ones; None otherwise."""
    first = int(scans.counts[0])
    if not first or np.any(scans.counts != first) or np.any(np.diff(scans.times) <= 0):
        return None
    rows = scans.masses.reshape(-1, first)
    if not (rows[0, 1:] > rows[0, :-1]).all() or not (rows == rows[0]).all():
        return None
    common: Array = rows[0]
    return common


def _chromatogram(
    technique: str, scans: Scans, starts: Array, prefix: str, title: str, shared: Mapping[str, Any]
) -> Entry:
    count = len(scans.times)
    filled = np.flatnonzero(scans.counts)
    total = scans.total
    base_mass, base_abundance = scans.base_mass, scans.base_abundance
    if total is None:
        sums = np.zeros(count)
        if len(filled):
            sums[filled] = np.add.reduceat(scans.abundances, starts[filled], dtype=float)
        total = sums
    if base_abundance is None and len(filled):
        largest = np.zeros(count, scans.abundances.dtype)
        largest[filled] = np.maximum.reduceat(scans.abundances, starts[filled])
        base_abundance, base_mass = largest, _base_masses(scans, starts, largest)
    signals = [Signal("total_ion_current", total, scans.unit)]
    if base_abundance is not None:
        signals.append(Signal("base_peak_abundance", base_abundance, scans.unit))
    if base_mass is not None:
        signals.append(Signal("base_peak_mass_to_charge", base_mass, ""))
    if scans.numbers is not None:
        signals.append(Signal("scan", scans.numbers))
    signals += scans.columns
    over = tuple(s.over("time") for s in signals)
    axis = Axis("time", scans.times, scans.time_unit)
    named = f"{title}: total ion current" if title else ""
    return Entry(f"{prefix}chromatogram", technique, (axis,), over, title=named, **shared)


def _base_masses(scans: Scans, starts: Array, largest: Array) -> Array:
    """The mass of each scan's highest point, the first if several are as high; NaN where a scan has none."""
    owner = np.repeat(np.arange(len(scans.times)), scans.counts)
    at = np.flatnonzero(scans.abundances == largest[owner])
    first = np.full(len(scans.times), -1, np.int64)
    first[owner[at[::-1]]] = at[::-1]
    return np.where(first >= 0, scans.all_masses[first], np.nan).astype(float)


def without_zeros(masses: Array, abundances: Array) -> tuple[Array, Array]:
    """A scan's points without the zeros between peaks; those beside a peak stay, as they bound it."""
    near = abundances != 0
    kept = near.copy()
    kept[1:] |= near[:-1]
    kept[:-1] |= near[1:]
    return masses[kept], abundances[kept]


# --- detectors' settings, told in a trace's description ------------------------------------------------------

_NUMBER = r"(\d+(?:\.\d+)?)"
_TWO_NUMBERS = rf"\s*=\s*{_NUMBER}(?:\s*nm)?(?:\s*,\s*{_NUMBER})?"
_OPTICS = (
    (re.compile(rf"\bSig(?:nal)?{_TWO_NUMBERS}"), ("detection_wavelength", "bandwidth")),
    (re.compile(rf"\bRef{_TWO_NUMBERS}"), ("reference_wavelength", "reference_bandwidth")),
    (re.compile(rf"\bWavelength\s*=\s*{_NUMBER}"), ("detection_wavelength",)),
    (re.compile(rf"\bEx\.?\s*=?\s*{_NUMBER}"), ("excitation_wavelength",)),
    (re.compile(rf"\bEm\.?\s*=?\s*{_NUMBER}"), ("emission_wavelength",)),
)


def optics(description: str) -> dict[str, Quantity]:
    """Wavelengths from a description such as ``DAD1 A, Sig=254,4 Ref=360,100`` or ``FLD1A, Ex=230, Em=310``."""
    found: dict[str, Quantity] = {}
    for pattern, names in _OPTICS:
        if match := pattern.search(description[:500]):
            for name, number in zip(names, match.groups(), strict=True):
                if number is not None and 0 < float(number) < 1e5:
                    found[name] = Quantity(float(number), "nm")
    return found


# --- moments --------------------------------------------------------------------------------------------------

_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
           "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12}  # fmt: skip
_DAY_MONTH = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3})[a-z]*[ -](\d{4}|\d{2})\b")
_NUMBERS = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})(?!\d)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp][Mm])?")
_ZONE = re.compile(r"([+-])(\d{2}):?(\d{2})\s*\Z")


def moment(text: str, *, day_first: bool = False) -> datetime | None:
    """A vendor's date and time, naive where it names no zone; None where it is not understood.

    ``17-Jun-06, 15:40:38``, ``14 Nov 19  3:08 pm -0500``, ISO 8601 and numbers with slashes, dots or dashes.
    Where day and month cannot be told apart, ``day_first`` decides.
    """
    text = text.strip()[:100]
    try:
        if found := _DAY_MONTH.search(text):
            day, month, year = int(found[1]), _MONTHS[found[2].lower()], int(found[3])
        elif found := _NUMBERS.search(text):
            day, month, year = _day_month_year(
                int(found[1]), int(found[3]), int(found[4]), found[2], day_first
            )
        else:
            return None
        if year < 100:
            year += 1900 if year >= 70 else 2000
        clock = _CLOCK.search(text, found.end()) or _CLOCK.search(text)
        hour, minute, second, micro = 0, 0, 0, 0
        if clock:
            hour, minute, second = (int(part or 0) for part in clock.groups()[:3])
            micro = int((clock[4] or "")[:6].ljust(6, "0") or 0)
            if clock[5]:
                hour = hour % 12 + (12 if clock[5].lower() == "pm" else 0)
        zone: tzinfo | None = None
        if found_zone := _ZONE.search(text, clock.end() if clock else found.end()):
            offset = timedelta(hours=int(found_zone[2]), minutes=int(found_zone[3]))
            zone = timezone(-offset if found_zone[1] == "-" else offset)
        elif clock and text.endswith("Z"):
            zone = UTC
        return datetime(year, month, day, hour, minute, second, micro, zone)
    except (ValueError, KeyError):
        return None


def local_moment(text: str, others: Iterable[str], warnings: list[str]) -> datetime | None:
    """The same of a date as the computer's country writes it: None, with a warning, where its order is open.

    ``others`` are further dates that the same program wrote, which may tell.
    """
    first = day_is_first(text, others, warnings)
    return None if first is None else moment(text, day_first=first)


def _day_month_year(a: int, b: int, c: int, mark: str, day_first: bool) -> tuple[int, int, int]:
    if a > 31:
        return c, b, a
    if mark == "." or a > 12 or (day_first and b <= 12):  # dots are the continent's: the day comes first
        return a, b, c
    return b, a, c


def unique(names: set[str], wanted: str) -> str:
    """``wanted``, or with a number behind it if it is taken; noted as taken."""
    name, number = wanted, 1
    while name in names:
        number += 1
        name = f"{wanted[:58]}_{number}"
    names.add(name)
    return name


def text_condition(conditions: dict[str, Quantity], name: str, text: str) -> None:
    """Note a text as a condition if there is any."""
    text = clean_text(" ".join(text.split()))
    if text:
        conditions[name] = Quantity(text)


def number_condition(conditions: dict[str, Quantity], name: str, value: float | None, unit: str) -> None:
    """Note a number as a condition if it is one."""
    if value is not None and np.isfinite(value):
        conditions[name] = Quantity(float(value), unit)
