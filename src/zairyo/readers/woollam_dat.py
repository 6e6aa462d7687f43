"""J.A. Woollam ``.dat`` (CompleteEASE, WVASE): Ψ and Δ, depolarisation, Mueller elements, intensities.

Lines: a title, ``VASEmethod[…]`` and others of that form, the unit of the spectral axis, the data. A row of data
is its kind (``E``, ``dPolE``, ``mm12`` …; older files have only ``E`` and leave it out), position, angle of
incidence, one or two values, and as many uncertainties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, make_name, table, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._legacy_text import decode_legacy

_MOST_BYTES = 256 * 1024**2
_MARK = re.compile(rb"^[^\S\n]*(VASEmethod|Original|CompleteEASE)\[", re.MULTILINE)
_MARKS = (b"VASEmethod[", b"Original[", b"CompleteEASE[")
_SETTINGS = re.compile(r"\s*(\w[\w ]*)\[(.*)\]?\s*\Z")
_AXES: dict[str, tuple[str, str]] = {
    "nm": ("wavelength", "nm"),
    "nanometers": ("wavelength", "nm"),
    "angstroms": ("wavelength", "angstrom"),
    "a": ("wavelength", "angstrom"),
    "um": ("wavelength", "um"),
    "microns": ("wavelength", "um"),
    "ev": ("photon_energy", "eV"),
    "1/cm": ("wavenumber", "1/cm"),
    "cm-1": ("wavenumber", "1/cm"),
}
_PSI_DELTA = (("psi", "deg", "Ψ"), ("delta", "deg", "Δ"))
#: Kind of a row → its values: name, unit, label.
_KINDS: dict[str, tuple[tuple[str, str | None, str], ...]] = {
    "E": _PSI_DELTA,
    "AnE": (("psi_pp", "deg", "Ψpp"), ("delta_pp", "deg", "Δpp")),
    "Aps": (("psi_ps", "deg", "Ψps"), ("delta_ps", "deg", "Δps")),
    "Asp": (("psi_sp", "deg", "Ψsp"), ("delta_sp", "deg", "Δsp")),
    "dPolE": (("depolarisation", "percent", "Depolarisation"),),
    "uR": (("reflectance", "", "Reflectance, unpolarised"),),
    "pR": (("reflectance_p", "", "Reflectance, p"),),
    "sR": (("reflectance_s", "", "Reflectance, s"),),
    "uT": (("transmittance", "", "Transmittance, unpolarised"),),
    "pT": (("transmittance_p", "", "Transmittance, p"),),
    "sT": (("transmittance_s", "", "Transmittance, s"),),
}
#: WVASE and CompleteEASE do not agree on the case: ``dpolE`` is ``dPolE``.
_SPELLED = {kind.casefold(): kind for kind in _KINDS}
_MUELLER = re.compile(r"mm([1-4])([1-4])", re.IGNORECASE)


@dataclass(frozen=True)
class _Rows:
    """All rows of one kind, shape (rows, columns): position, angle, values, uncertainties."""

    kind: str
    values: NDArray[np.float64]


def sniff(src: RawInput) -> float:
    head = src.head[:8192]
    return CERTAIN if any(m in head for m in _MARKS) and b"\0" not in head and _MARK.search(head) else NO


def read(src: RawInput) -> Measurement:
    lines = decode_legacy(src.read_bytes(_MOST_BYTES)).splitlines()
    warnings: list[str] = []
    title, settings, unit, first = _header(lines, src.name)
    rows = list(_rows(lines, first, src.name, warnings))
    name, axis_unit = _AXES.get(unit.casefold(), ("spectral_position", unit))
    if name == "spectral_position":
        warnings.append(f"The unit {unit!r} of the spectral axis is not known; it was kept as it is.")
    conditions = _conditions(settings)
    entries = list(_entries(rows, Axis(name, np.zeros(1), axis_unit), conditions, warnings))
    if not entries:
        raise ReadError(f"{src.name} holds no row of data that is a number")
    return Measurement(
        entries=tuple(entries),
        title=title,
        instrument="J.A. Woollam",
        original_metadata=tidy_metadata({"title": title, "unit": unit, **settings}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _header(lines: list[str], name: str) -> tuple[str, dict[str, dict[str, str]], str, int]:
    """Title, settings by name, unit, and the number of the first line of data."""
    settings: dict[str, dict[str, str]] = {}
    title = lines[0].strip() if lines and not _SETTINGS.match(lines[0]) else ""
    for number, line in enumerate(lines[:1000]):
        match = _SETTINGS.match(line)
        if match:
            pairs = (part.partition("=") for part in match[2].rstrip("]").split(","))
            settings[match[1]] = {key.strip(): value.strip() for key, mark, value in pairs if mark}
        elif settings:
            return title, settings, line.strip(), number + 1
    raise ReadError(f"{name} has no line that tells the unit of the spectral axis; it is cut off")


def _rows(lines: list[str], first: int, name: str, warnings: list[str]) -> Iterator[_Rows]:
    """The rows by kind, in the order in which the kinds appear."""
    texts: dict[str, list[str]] = {}
    kinds: list[str] = []
    for line in lines[first:]:
        parts = line.split(None, 1)
        if not parts:
            kinds.append("")
            continue
        kind, numbers = parts[0], parts[-1]
        if kind[0] in "+-.0123456789":
            kind, numbers = "E", line
        kind = _SPELLED.get(kind.casefold(), kind)
        kinds.append(kind)
        if kind in texts:
            texts[kind].append(numbers)
        else:
            texts[kind] = [numbers]
    for kind, found in texts.items():
        width = len(found[0].split())
        try:
            cells = " ".join(found).split()
            values = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            values = np.empty(0)
        if width < 3 or values.size != width * len(found):
            places = [number for number, k in enumerate(kinds, first + 1) if k == kind]
            wrong = next((n for n, t in zip(places, found, strict=True) if not _is_row(t, width)), 0)
            last = not lines[-1].strip() or wrong == len(lines)
            if kind not in _KINDS and not _MUELLER.fullmatch(kind):
                warnings.append(f"The lines {kind!r} are not rows of data; they were left out.")
                continue
            raise ReadError(
                f"{name}: line {wrong or places[0]} is no row of {width} numbers"
                + ("; the file is cut off" if last else "")
            )
        yield _Rows(kind, values.reshape(len(found), width))


def _is_row(text: str, width: int) -> bool:
    parts = text.split()
    try:
        [float(part) for part in parts]
    except ValueError:
        return False
    return len(parts) == width >= 3


# --- entries ------------------------------------------------------------------------------------------------


def _entries(
    rows: list[_Rows], axis: Axis, conditions: dict[str, Quantity], warnings: list[str]
) -> Iterator[Entry]:
    """Kinds over the same positions and angles are one entry; the first is shown first."""
    groups: dict[bytes, list[_Rows]] = {}
    for found in rows:
        groups.setdefault(found.values[:, :2].tobytes(), []).append(found)
    taken: set[str] = set()
    for group in groups.values():
        at = group[0].values[:, :2]
        signals = [s for found in group for s in _signals(found, warnings)]
        if not signals:
            continue
        name = "psi_delta" if signals[0].name == "psi" else signals[0].name
        while name in taken:
            name += "_more"
        taken.add(name)
        grid = _grid(at)
        if grid is None:
            warnings.append(f"The positions of {name} differ between angles, or repeat; they are a table.")
            columns = [
                Signal(axis.name, at[:, 0], axis.unit),
                Signal("incidence_angle", at[:, 1], "deg"),
                *signals,
            ]
            yield table(
                name, "ellipsometry", columns, x=axis.name, default=signals[0].name, conditions=conditions
            )
            continue
        positions, angles = grid
        names = ("incidence_angle", axis.name)
        axes = (Axis("incidence_angle", angles, "deg"), Axis(axis.name, positions, axis.unit))
        shape = (len(angles), len(positions))
        shaped = tuple(
            Signal(
                s.name,
                s.values.reshape(shape),
                s.unit,
                names,
                s.long_name,
                None if s.uncertainty is None else s.uncertainty.reshape(shape),
            )
            for s in signals
        )
        yield Entry(name, "ellipsometry", axes=axes, signals=shaped, conditions=conditions)


def _grid(at: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Positions and angles where every angle has the same positions, one angle after another."""
    angle = at[:, 1]
    changes = np.flatnonzero(np.diff(angle)) + 1
    count = int(changes[0]) if len(changes) else len(at)
    if len(at) % count:
        return None
    positions, angles = at[:count, 0], angle[::count]
    steps = np.diff(positions)
    fits = (at[:, 0].reshape(-1, count) == positions).all() and (
        angle.reshape(-1, count) == angles[:, None]
    ).all()
    rises = not len(steps) or (steps > 0).all() or (steps < 0).all()
    return (positions, angles) if fits and rises and np.isfinite(at).all() else None


def _signals(rows: _Rows, warnings: list[str]) -> Iterator[Signal]:
    names = _KINDS.get(rows.kind)
    if mueller := _MUELLER.fullmatch(rows.kind):
        element = mueller[1] + mueller[2]
        names = ((f"mueller_{element}", "", f"Mueller element {element}"),)
    values = rows.values[:, 2:]
    if names is None:
        warnings.append(f"Rows of the kind {rows.kind!r} are not known; their numbers have no unit.")
        names = tuple((make_name(f"{rows.kind} {i + 1}"), None, rows.kind) for i in range(values.shape[1]))
    for i, (name, unit, label) in enumerate(names[: values.shape[1]]):
        if not np.isfinite(values[:, i]).any():
            warnings.append(f"The rows {rows.kind!r} hold not one number; they were left out.")
            continue
        spread = values[:, len(names) + i] if values.shape[1] >= 2 * len(names) else None
        yield Signal(name, values[:, i], unit, (), label, spread)


def _conditions(settings: dict[str, dict[str, str]]) -> dict[str, Quantity]:
    told = {key.casefold(): value for group in settings.values() for key, value in group.items()}
    found: dict[str, Quantity] = {}
    try:
        time = float(told.get("acqtime", "0"))
    except ValueError:
        time = 0.0
    if np.isfinite(time) and time > 0:
        found["exposure_time"] = Quantity(time, "s")
    if version := told.get("completeease"):
        found["software"] = Quantity("CompleteEASE")
        found["software_version"] = Quantity(version)
    if mode := told.get("acq. parameters"):
        found["scan_mode"] = Quantity(mode)
    return found


READER = Reader(
    name="woollam_dat",
    version="2",
    techniques=("ellipsometry",),
    vendor="J.A. Woollam",
    format="CompleteEASE / WVASE data",
    endings=(".dat",),
    sniff=sniff,
    read=read,
    notes="Standard, generalised and Mueller-matrix ellipsometry, depolarisation, reflected and transmitted intensity, "
    "over the angle of incidence and the wavelength or energy, with uncertainties. Not read: models and fits.",
)
