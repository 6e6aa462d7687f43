"""Photothermal's PTIR Studio ``.ptir`` (HDF5): photothermal infrared and Raman spectra, arrays, maps, images."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    Quantity,
    Signal,
    clean_text,
    make_name,
    tidy_metadata,
)
from zairyo.readers._api import CERTAIN, LIKELY, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._hdf5_file import attribute, dataset, group_at, members, open_hdf5, root_names
from zairyo.readers._optical_bytes import unique_entries

_PROGRAM = b"PTIR Studio"
_WAVENUMBER_UNITS = frozenset({"cm-1", "cm⁻¹", "1/cm"})
_UNITS: dict[str, str | None] = {
    "": None,
    "mV": "mV",
    "V": "V",
    "uV": "uV",
    "um": "um",
    "µm": "um",
    "nm": "nm",
    "%": "percent",
    "C": "degC",
    "deg": "deg",
    "counts": "counts",
}


@dataclass(frozen=True)
class _Channel:
    """One channel of one measurement: what it is, its spectra (places, points), and its measurement's attributes."""

    source: str
    name: str
    label: str
    unit: str | None
    values: NDArray[Any]
    axis: Axis
    told: dict[str, Any]
    channel: dict[str, Any]
    places: tuple[Axis, ...]
    extras: tuple[Signal, ...]

    @property
    def is_raman(self) -> bool:
        return self.axis.name == "raman_shift"

    @property
    def kind(self) -> tuple[Any, ...]:
        """What spectra must share to be one array of spectra."""
        return (self.name, self.label, self.unit, self.axis.name, self.axis.values.tobytes())


def sniff(src: RawInput) -> float:
    if not any(name.startswith("Measurement_") for name in root_names(src)):
        return NO
    return CERTAIN if _PROGRAM in src.head else LIKELY if src.suffix == ".ptir" else NO


def read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    with open_hdf5(src) as f:
        channels = [
            channel
            for name in members(f)
            if name.startswith("Measurement_") and (group := group_at(f, name)) is not None
            for channel in _channels(group, name, warnings)
        ]
        entries = [_map(c) for c in channels if c.places]
        entries += _spectra([c for c in channels if not c.places])
        entries += _heightmaps(f, warnings)
        root = _attributes(f)
    if not entries:
        raise ReadError(f"{src.name} holds no spectrum and no image")
    entries = unique_entries(entries)
    best = min(range(len(entries)), key=lambda i: (entries[i].signal.name != "photothermal", i))
    labels = [c.told.get("Label") for c in channels]
    return Measurement(
        entries=tuple(entries),
        title=next((clean_text(t) for t in labels if isinstance(t, str) and "Background" not in t), ""),
        instrument="Photothermal mIRage",
        default=entries[best].name,
        original_metadata=tidy_metadata(root),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _attributes(owner: Any) -> dict[str, Any]:
    return {str(name): _plain(attribute(owner, name)) for name in owner.attrs}


def _number(told: dict[str, Any], name: str) -> float | None:
    value = told.get(name)
    return float(value) if isinstance(value, (int, float, np.number)) and np.isfinite(value) else None


# --- measurements and channels ------------------------------------------------------------------------------


def _channels(group: Any, name: str, warnings: list[str]) -> list[_Channel]:
    told = _attributes(group)
    found = []
    for channel_name in members(group):
        channel = group_at(group, channel_name)
        raw = dataset(channel, "Raw_Data") if channel_name.startswith("Channel") and channel else None
        if raw is None:
            continue
        if raw.ndim != 2 or not raw.size or raw.dtype.kind not in "fiu":
            warnings.append(f"{name}/{channel_name} has the shape {raw.shape}; it was left out.")
            continue
        about = _attributes(channel)
        is_raman = bool(told.get("IsRaman")) or about.get("DataSignal") == "ramanIntensity"
        axis = _axis(group, told, name, raw.shape[1], warnings, is_raman=is_raman)
        places, extras = _places(group, told, raw.shape[0], name, warnings)
        stated = str(attribute(raw, "units") or about.get("Units") or "")
        is_background = bool(told.get("IsBackground"))
        found.append(
            _Channel(
                source=f"{name}/{channel_name}",
                name="background" if is_background else "intensity" if is_raman else "photothermal",
                label=clean_text(str(about.get("Label") or ("Background" if is_background else ""))),
                unit=None if stated in _WAVENUMBER_UNITS else _unit(stated, warnings),
                values=raw[()],
                axis=axis,
                told=told,
                channel=about,
                places=places,
                extras=extras,
            )
        )
    return found


def _unit(stated: str, warnings: list[str]) -> str | None:
    if stated not in _UNITS:
        warnings.append(f"The unit {stated!r} is not known; it was kept as it is.")
    return _UNITS.get(stated, clean_text(stated))


def _axis(
    group: Any, told: dict[str, Any], name: str, points: int, warnings: list[str], *, is_raman: bool
) -> Axis:
    """The stated range; the stored positions where there is none.

    Raman spectra may have both, and differing: the range is the calibrated one (the positions are what was asked).
    """
    first, last = _number(told, "RangeWavenumberStart"), _number(told, "RangeWavenumberEnd")
    stored = dataset(group, "Spectroscopic_Values", 64 * 1024**2)
    positions = stored[()].reshape(-1) if stored is not None and stored.size == points else None
    axis_name = "raman_shift" if is_raman else "wavenumber"
    if first is None or last is None or told.get("RangeWavenumberPoints") != points:
        if positions is None:
            warnings.append(f"{name} does not tell its wavenumbers; its points are numbered.")
            return Axis("point", np.arange(points), "")
        return Axis(axis_name, positions, "1/cm")
    values = np.linspace(first, last, points)
    step = abs(last - first) / max(points - 1, 1)
    if positions is not None and not np.allclose(positions, values, rtol=0, atol=max(step, 1e-6)):
        warnings.append(
            f"{name} states the range {first:g} to {last:g} 1/cm, but stores positions from {positions[0]:g} to "
            f"{positions[-1]:g}; the stated range was taken."
        )
    return Axis(axis_name, values, "1/cm")


def _places(
    group: Any, told: dict[str, Any], count: int, name: str, warnings: list[str]
) -> tuple[tuple[Axis, ...], tuple[Signal, ...]]:
    """(y, x) of a map from where each spectrum was taken, with what was logged beside it; nothing of one spectrum."""
    if count == 1:
        return (), ()
    stored = dataset(group, "Position_Values", 64 * 1024**2)
    at = stored[()] if stored is not None and stored.shape == (count, 2) else None
    columns, rows = (int(_number(told, f"Range{letter}Points") or 0) for letter in "XY")
    axes: tuple[Axis, ...] = (Axis("spectrum", np.arange(count), ""),)
    if at is not None and columns > 0 and rows > 0 and columns * rows == count:
        x, y = at[:columns, 0], at[::columns, 1]
        if np.allclose(at[:, 0], np.tile(x, rows), atol=0.01) and np.allclose(
            at[:, 1], np.repeat(y, columns), atol=0.01
        ):
            axes = (Axis("y", y, "um"), Axis("x", x, "um"))
    names = tuple(axis.name for axis in axes)
    extras = []
    if len(axes) == 1:
        warnings.append(f"The {count} spectra of {name} are no grid; they are in a row.")
        if at is not None:
            extras += [Signal("x", at[:, 0], "um", names), Signal("y", at[:, 1], "um", names)]
    shape = tuple(len(axis.values) for axis in axes)
    for logged in members(group):
        found = dataset(group, logged, 64 * 1024**2) if logged.startswith("Dataset_") else None
        if found is not None and found.size == count and found.dtype.kind in "fiu":
            unit = _unit(_joined(attribute(found, "units")), warnings)
            extras.append(Signal(make_name(_words(logged[8:])), found[()].reshape(shape), unit, names))
    return axes, tuple(extras)


def _joined(units: Any) -> str:
    """Units that were stored a letter an element."""
    if isinstance(units, np.ndarray):
        return b"".join(units.tolist()).decode("utf-8", "replace") if units.dtype.kind == "S" else ""
    return str(units or "")


def _words(name: str) -> str:
    return "".join(f" {c}" if c.isupper() else c for c in name)


# --- entries ------------------------------------------------------------------------------------------------


def _map(channel: _Channel) -> Entry:
    axes = (*channel.places, channel.axis)
    names = tuple(axis.name for axis in axes)
    values = channel.values.reshape(*(len(axis.values) for axis in axes))
    signal = Signal(channel.name, values, channel.unit, names, channel.label)
    is_map = channel.places[0].name == "y"
    kind = "raman" if channel.is_raman else channel.name
    return _entry([channel], f"{kind}_{'map' if is_map else 'spectra'}", axes, (signal, *channel.extras))


def _spectra(channels: list[_Channel]) -> list[Entry]:
    """Single spectra: those of one kind and axis are one array of spectra with the place of each."""
    groups: dict[tuple[Any, ...], list[_Channel]] = {}
    for channel in channels:
        groups.setdefault(channel.kind, []).append(channel)
    entries = []
    for group in groups.values():
        first = group[0]
        kind = "raman" if first.is_raman else first.name
        if len(group) == 1:
            signal = Signal(first.name, first.values[0], first.unit, (first.axis.name,), first.label)
            entries.append(_entry(group, f"{kind}_spectrum", (first.axis,), (signal,)))
            continue
        axes = (Axis("spectrum", np.arange(1, len(group) + 1), ""), first.axis)
        values = np.concatenate([c.values for c in group])
        signals = [Signal(first.name, values, first.unit, ("spectrum", first.axis.name), first.label)]
        titles = np.array([clean_text(str(c.told.get("Label") or "")) for c in group])
        signals.append(Signal("title", titles, None, ("spectrum",)))
        for name in "XYZ":
            at = np.array([_number(c.told, f"Location{name}") for c in group], float)
            if np.isfinite(at).all():
                signals.append(Signal(name.lower(), at, "um", ("spectrum",)))
        entries.append(_entry(group, f"{kind}_spectra", axes, tuple(signals)))
    return entries


def _entry(channels: list[_Channel], name: str, axes: tuple[Axis, ...], signals: tuple[Signal, ...]) -> Entry:
    channel = channels[0]
    return Entry(
        name=name,
        technique="raman" if channel.is_raman else "photothermal_ir",
        axes=axes,
        signals=signals,
        title=clean_text(str(channel.told.get("Label") or channel.label)),
        conditions=_conditions(channel),
        original_metadata=tidy_metadata(
            {c.source: {"measurement": c.told, "channel": c.channel} for c in channels}
        ),
        started=_moment(channel.told.get("timestamp")),
    )


def _heightmaps(f: Any, warnings: list[str]) -> list[Entry]:
    """Images at one wavenumber, the lowest row first, as the maps."""
    group = group_at(f, "Heightmaps")
    entries = []
    for name in members(group) if group is not None else []:
        found = dataset(group, name)
        if found is None or found.ndim != 2 or not found.size or found.dtype.kind not in "fiu":
            continue
        told = _attributes(found)
        rows, columns = found.shape
        x, y = _centres(told, "X", "Width", columns), _centres(told, "Y", "Height", rows)
        unit = "um" if x is not None and y is not None else "pixel"
        label = clean_text(str(told.get("Label") or name))
        entries.append(
            Entry(
                name=make_name(label, "image"),
                technique="photothermal_ir",
                axes=(
                    Axis("y", y if y is not None and unit == "um" else np.arange(rows, dtype=float), unit),
                    Axis("x", x if x is not None and unit == "um" else np.arange(columns, dtype=float), unit),
                ),
                signals=(
                    Signal(
                        "photothermal",
                        found[()],
                        _unit(str(told.get("Units") or ""), warnings),
                        ("y", "x"),
                        label,
                    ),
                ),
                title=f"{label} {told.get('IRWavenumber') or ''}".strip(),
                original_metadata=tidy_metadata(told),
                started=_moment(told.get("Timestamp")),
            )
        )
    return entries


def _centres(told: dict[str, Any], letter: str, side: str, count: int) -> NDArray[Any] | None:
    """Where the pixels' middles are, from the image's middle and size."""
    middle, size = _number(told, f"Position{letter}"), _number(told, f"Size{side}")
    if middle is None or size is None or size <= 0:
        return None
    return middle + size * ((np.arange(count) + 0.5) / count - 0.5)


# --- conditions ---------------------------------------------------------------------------------------------


def _conditions(channel: _Channel) -> dict[str, Quantity]:
    told = channel.told
    found: dict[str, Quantity] = {}
    pairs = [("repetitions", "Averages", ""), ("resolution", "SpectralResolution", "1/cm")]
    if channel.is_raman:
        pairs.append(("exposure_time", "IntegrationTime", "s"))
    for name, key, unit in pairs:
        value = _number(told, key)
        if value is not None and value > 0:
            found[name] = Quantity(int(value) if name == "repetitions" else value, unit)
    laser = _number(told, "ExcitationWavelength")
    if channel.is_raman and laser is not None and 1e-7 < laser < 1e-5:
        found["laser_wavelength"] = Quantity(round(laser * 1e9, 6), "nm")
    for name, key in (("temperature", "Temperature"), ("humidity", "Humidity")):
        number, _, unit = str(told.get(key) or "").partition(" ")
        known = _UNITS.get(unit.strip())
        try:
            if known:
                found[name] = Quantity(float(number), known)
        except ValueError:
            continue
    for name, key in (
        ("detector", "Detector"),
        ("grating", "GratingSelection"),
        ("software_version", "SoftwareVersion"),
    ):
        value = told.get(key)
        if isinstance(value, str) and value:
            found[name] = Quantity(clean_text(value.removeprefix("PTIR Studio ")))
    found["software"] = Quantity("PTIR Studio")
    return found


def _moment(stamp: Any) -> datetime | None:
    return in_forms(str(stamp)[:19], ("%Y_%m_%d-%H_%M_%S", "%Y-%m-%dT%H:%M:%S"))


READER = Reader(
    name="photothermal_ptir",
    version="1",
    techniques=("photothermal_ir", "raman"),
    vendor="Photothermal",
    format="PTIR Studio",
    endings=(".ptir",),
    sniff=sniff,
    read=read,
    notes="Infrared and Raman spectra with the places of arrays, maps, images at one wavenumber, backgrounds. "
    "Not read: camera images.",
)
