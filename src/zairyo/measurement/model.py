"""The standard form in memory: small frozen dataclasses with NumPy arrays.

``Measurement`` holds ``entries``; an ``Entry`` is what one plot shows: signals over named axes, or a
table of columns. Everything a person or a program needs to trust the numbers is beside them: units,
conditions under one name across vendors, the vendor's own metadata verbatim, warnings, provenance.

The classes check themselves when they are made, so that a ``Measurement`` that exists is consistent:
names are unique and valid NeXus names, array lengths match axis lengths, text can be stored anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from zairyo.measurement.arrays import Array, freeze, plain_moment, plain_value, same, same_fields
from zairyo.measurement.text import (
    MeasurementError,
    Metadata,
    MetadataValue,
    check_label,
    check_name,
    check_text,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = [
    "Array",
    "Axis",
    "Entry",
    "Measurement",
    "Quantity",
    "RawFile",
    "Signal",
    "Source",
    "same",
    "table",
]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value with its unit: a condition, as the vendor gave it.

    Attributes
    ----------
    value
        A number, a truth value, a text (a vocabulary term, a name), or a moment.
    unit
        The unit as Pint spells it (``degC``, ``keV``, ``mA``), ``""`` for a dimensionless number, or
        ``None`` where the value has no unit (text) or none was stated. An unknown unit is kept verbatim.
    uncertainty
        One standard deviation, in the same unit.
    """

    value: float | int | str | bool | datetime
    unit: str | None = None
    uncertainty: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", plain_value(self.value, "quantity"))
        check_label(self.unit, "unit")
        if self.uncertainty is not None:
            uncertainty = plain_value(self.uncertainty, "uncertainty")
            if not isinstance(uncertainty, (int, float)):
                raise MeasurementError(f"an uncertainty is a number, not {uncertainty!r}")
            object.__setattr__(self, "uncertainty", float(uncertainty))

    def __str__(self) -> str:
        value = f"{self.value:g}" if isinstance(self.value, float) else str(self.value)
        if self.uncertainty is not None:
            value += f" ± {self.uncertainty:g}"
        return f"{value} {self.unit}" if self.unit else value


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """Numbers over axes.

    Attributes
    ----------
    name
        A NeXus name from the technique's vocabulary (``intensity``, ``heat_flow`` ...).
    values
        Shape: one length for each of ``axes``, in their order. Integers, floats, complex, bool, text or
        ``datetime64``; kept read-only, in native byte order.
    unit
        As in :class:`Quantity`.
    axes
        Names of the entry's axes, slowest first.
    long_name
        What a plot's label says; the name with spaces if empty.
    uncertainty
        One standard deviation for each value, same shape and unit, or None.
    """

    name: str
    values: Array
    unit: str | None = None
    axes: tuple[str, ...] = ()
    long_name: str = ""
    uncertainty: Array | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "signal")
        check_label(self.unit, f"unit of {self.name}")
        check_label(self.long_name, f"long name of {self.name}")
        object.__setattr__(self, "values", freeze(self.values, f"signal {self.name}"))
        object.__setattr__(self, "axes", tuple(self.axes))
        if len(set(self.axes)) != len(self.axes):
            raise MeasurementError(f"signal {self.name} is over one axis twice: {self.axes}")
        if self.uncertainty is not None:
            object.__setattr__(self, "uncertainty", freeze(self.uncertainty, f"uncertainty of {self.name}"))
            if self.uncertainty.shape != self.values.shape:
                raise MeasurementError(f"uncertainty of {self.name} has another shape than its values")

    @property
    def label(self) -> str:
        text = self.long_name or self.name.replace("_", " ")
        return f"{text} ({self.unit})" if self.unit else text

    def over(self, axis: str) -> Signal:
        """The same signal over one axis; what was checked is not checked again."""
        if self.axes == (axis,):
            return self
        other = object.__new__(type(self))
        for name in ("name", "values", "unit", "long_name", "uncertainty"):
            object.__setattr__(other, name, getattr(self, name))
        object.__setattr__(other, "axes", (axis,))
        return other

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and same_fields(self, other)


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Positions along one dimension: ``values`` has shape (n,), strictly what was measured, no filling in."""

    name: str
    values: Array
    unit: str | None = None
    long_name: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "axis")
        check_label(self.unit, f"unit of {self.name}")
        check_label(self.long_name, f"long name of {self.name}")
        object.__setattr__(self, "values", freeze(self.values, f"axis {self.name}"))
        if self.values.ndim != 1:
            raise MeasurementError(f"axis {self.name} has {self.values.ndim} dimensions; an axis has one")

    @property
    def label(self) -> str:
        text = self.long_name or self.name.replace("_", " ")
        return f"{text} ({self.unit})" if self.unit else text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and same_fields(self, other)


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What one plot shows.

    Either *signals over axes* (a scan, a map), or a *table*: every signal is a column of one length over
    the single axis named ``row`` whose values are 0 … n−1; then ``x`` and ``default`` name the columns that
    the default plot draws (e.g. time and voltage of a battery cycler).

    Attributes
    ----------
    name
        Unique in the measurement.
    technique
        A key of ``zairyo.measurement.techniques.TECHNIQUES``, e.g. ``xrd``.
    axes, signals
        The data; every axis a signal names is here.
    default
        Name of the signal to plot; the first one if empty.
    x
        For a table: name of the column to plot along. Empty otherwise.
    title
        For people; the name if empty.
    conditions
        Mapped names from the technique's vocabulary to quantities.
    original_metadata
        Verbatim from the vendor's file.
    started
        When the entry's acquisition began, as the instrument's clock said (naive if it names no zone).
    """

    name: str
    technique: str
    axes: tuple[Axis, ...] = ()
    signals: tuple[Signal, ...] = ()
    default: str = ""
    x: str = ""
    title: str = ""
    conditions: Mapping[str, Quantity] = field(default_factory=dict)
    original_metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    started: datetime | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "entry")
        check_name(self.technique, "technique")
        check_text(self.title, f"title of entry {self.name}")
        object.__setattr__(self, "axes", tuple(self.axes))
        object.__setattr__(self, "signals", tuple(self.signals))
        object.__setattr__(self, "conditions", MappingProxyType(dict(self.conditions)))
        what = f"original metadata of entry {self.name}"
        object.__setattr__(self, "original_metadata", Metadata(self.original_metadata, what))
        for name in self.conditions:
            check_name(name, "condition")
        if not self.signals:
            raise MeasurementError(f"entry {self.name} has no signal")
        if not self.default:
            object.__setattr__(self, "default", self.signals[0].name)
        if self.started is not None:
            object.__setattr__(self, "started", plain_moment(self.started, f"start of entry {self.name}"))
        names = [part.name for part in self._parts]
        if len(set(names)) != len(names):
            raise MeasurementError(f"entry {self.name} names two of its arrays alike: {names}")
        for signal in self.signals:
            if signal.uncertainty is not None and f"{signal.name}_errors" in names:
                raise MeasurementError(
                    f"{signal.name}_errors is NeXus' name for the uncertainty of {signal.name}"
                )
        lengths = {axis.name: len(axis.values) for axis in self.axes}
        for signal in self.signals:
            missing = [a for a in signal.axes if a not in lengths]
            if missing:
                raise MeasurementError(
                    f"signal {signal.name} is over axes {missing} that entry {self.name} lacks"
                )
            expected = tuple(lengths[a] for a in signal.axes)
            if signal.values.shape != expected:
                raise MeasurementError(
                    f"signal {signal.name} has shape {signal.values.shape}; its axes {signal.axes} have {expected}"
                )
        if self.default not in {s.name for s in self.signals}:
            raise MeasurementError(f"entry {self.name} has no signal {self.default!r} to plot")
        if self.x:
            if self.x not in {s.name for s in self.signals}:
                raise MeasurementError(f"table {self.name} has no column {self.x!r} to plot along")
            row = _rows(self[self.x].values.size)
            if self.axes != (row,) or any(s.axes != ("row",) for s in self.signals):
                raise MeasurementError(
                    f"every column of table {self.name} must be over the single axis 'row' of 0 … n−1; "
                    "table() makes it so"
                )

    @property
    def _parts(self) -> tuple[Signal | Axis, ...]:
        return (*self.signals, *self.axes)

    @property
    def is_table(self) -> bool:
        return bool(self.x)

    @property
    def signal(self) -> Signal:
        """The signal of the default plot."""
        return next(s for s in self.signals if s.name == self.default)

    def __getitem__(self, name: str) -> Signal | Axis:
        for part in self._parts:
            if part.name == name:
                return part
        raise KeyError(f"{name!r}; entry {self.name} has {[p.name for p in self._parts]}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and same_fields(self, other)

    def to_xarray(self) -> xr.Dataset:
        from zairyo.measurement.convert import entry_to_xarray

        return entry_to_xarray(self)

    def to_pandas(self) -> pd.DataFrame:
        from zairyo.measurement.convert import entry_to_pandas

        return entry_to_pandas(self)


def _rows(count: int) -> Axis:
    """The axis of a table; small ones are kept, as each is asked for twice and more."""
    return _few_rows(count) if count <= _FEW_ROWS else _new_rows(count)


def _new_rows(count: int) -> Axis:
    numbers = np.arange(count)
    numbers.flags.writeable = False  # nobody else has it: it need not be copied
    return Axis("row", numbers)


_few_rows = lru_cache(maxsize=4)(_new_rows)
_FEW_ROWS = 1_000_000


def table(
    name: str,
    technique: str,
    columns: list[Signal] | tuple[Signal, ...],
    *,
    x: str,
    default: str,
    **rest: Any,
) -> Entry:
    """Make the entry of a table from its columns (their ``axes`` are set here).

    ``x`` and ``default`` name the columns that the default plot draws; ``rest`` are further fields of
    :class:`Entry`.
    """
    if not columns:
        raise MeasurementError(f"table {name} has no column")
    rows = len(np.asarray(columns[0].values))
    return Entry(
        name=name,
        technique=technique,
        axes=(_rows(rows),),
        signals=tuple(c.over("row") for c in columns),
        x=x,
        default=default,
        **rest,
    )


@dataclass(frozen=True, slots=True)
class RawFile:
    """A raw file a translation read: name relative to the measurement, SHA-256 in hex, size in bytes."""

    name: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        check_text(self.name, "raw file name")
        check_text(self.sha256, f"hash of {self.name}")
        if type(self.size) is not int or not 0 <= self.size < 2**63:
            raise MeasurementError(f"the size of raw file {self.name} is a count of bytes, not {self.size!r}")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a measurement came from: the reader, its version, and the raw files it read."""

    reader: str
    reader_version: str
    raw_files: tuple[RawFile, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "raw_files", tuple(self.raw_files))
        check_text(self.reader, "reader")
        check_text(self.reader_version, "reader version")


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One run of one instrument on one sample, in the standard form.

    Attributes
    ----------
    entries
        At least one; the first is the default plot unless ``default`` names another.
    title
        For people.
    sample, instrument, operator
        As the file names them; empty where it does not. ``instrument`` is the vendor's model name.
    warnings
        What the reader could not understand or had to decide, one sentence each, for people.
    source
        Set by whoever ran the reader.
    """

    entries: tuple[Entry, ...]
    title: str = ""
    sample: str = ""
    instrument: str = ""
    operator: str = ""
    default: str = ""
    original_metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    source: Source | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", tuple(self.entries))
        object.__setattr__(self, "warnings", tuple(self.warnings))
        object.__setattr__(self, "original_metadata", Metadata(self.original_metadata))
        if not self.entries:
            raise MeasurementError("a measurement has at least one entry")
        names = [entry.name for entry in self.entries]
        if len(set(names)) != len(names):
            raise MeasurementError(f"two entries have the same name: {names}")
        if not self.default:
            object.__setattr__(self, "default", names[0])
        if self.default not in names:
            raise MeasurementError(f"no entry {self.default!r} to plot")
        for text, what in (
            (self.title, "title"),
            (self.sample, "sample"),
            (self.instrument, "instrument"),
            (self.operator, "operator"),
            *((w, "warning") for w in self.warnings),
        ):
            check_text(text, what)

    @property
    def technique(self) -> str:
        """The default entry's technique."""
        return self[self.default].technique

    @property
    def started(self) -> datetime | None:
        """The earliest start among the entries that have one (naive and aware times are not mixed)."""
        times = [e.started for e in self.entries if e.started is not None]
        if not times or len({t.tzinfo is None for t in times}) > 1:
            return times[0] if times else None
        return min(times)

    def __getitem__(self, name: str | int) -> Entry:
        if isinstance(name, int):
            return self.entries[name]
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(f"{name!r}; the entries are {[e.name for e in self.entries]}")

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Measurement) and same_fields(self, other)

    def to_xarray(self, entry: str | int | None = None) -> xr.Dataset:
        """The entry (the default one if None) as an ``xarray.Dataset`` with units in ``attrs``."""
        return self[self.default if entry is None else entry].to_xarray()

    def to_pandas(self, entry: str | int | None = None) -> pd.DataFrame:
        """The entry (the default one if None) as a DataFrame: a table's columns, or one row a point."""
        return self[self.default if entry is None else entry].to_pandas()

    def plot(self, entry: str | int | None = None, **options: Any) -> Any:
        """Draw the entry (the default one if None) with Matplotlib; returns the ``Axes``."""
        from zairyo.measurement.show import plot

        return plot(self[self.default if entry is None else entry], **options)

    def __repr__(self) -> str:
        from zairyo.measurement.show import describe

        return describe(self)

    def _repr_html_(self) -> str:
        from zairyo.measurement.show import describe_html

        return describe_html(self)
