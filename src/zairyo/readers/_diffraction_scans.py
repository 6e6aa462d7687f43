"""Scans → entries: one entry a scan, or one two-dimensional entry where the scans step a further axis.

A reader gives one :class:`Scan` a range of its file; :func:`measurement` does the rest, alike for every vendor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import ReadError
from zairyo.readers._diffraction import Floats, default_unit

#: Which of several stepped axes a map is drawn over; the others become signals.
_OUTER = (
    "omega_offset omega chi psi phi two_theta two_theta_chi x y z temperature time".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Scan:
    """One range of a file.

    Attributes
    ----------
    axis
        Vocabulary name of the axis it runs along.
    values
        Positions along it, shape (n,).
    intensity
        Shape (n,), or (n, m) with ``channels`` of shape (m,).
    intensity_unit
        ``counts``, ``count/s`` or None.
    moving
        Further axes that move with it, each of shape (n,).
    fixed
        Axes that stand still during it.
    units
        Units of the axes; missing ones have :func:`default_unit`.
    extra
        Further signals along the axis: attenuation factors, counting times.
    channels
        An axis within each point: the channels of a strip detector.
    """

    axis: str
    values: Floats
    intensity: NDArray[Any]
    intensity_unit: str | None
    moving: Mapping[str, Floats] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[str, str | None] = field(default_factory=dict)
    extra: Sequence[Signal] = ()
    channels: Axis | None = None
    conditions: Mapping[str, Quantity | None] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    started: datetime | None = None

    def unit_of(self, axis: str) -> str | None:
        return self.units.get(axis) or default_unit(axis)


def measurement(scans: Sequence[Scan], warnings: list[str], **about: Any) -> Measurement:
    """Scans and what the file says about itself → the measurement.

    Raises
    ------
    ReadError
        If there is no scan, or a scan's parts do not fit together.
    """
    if not scans:
        raise ReadError("the file holds no scan with data points; there is nothing to read")
    for i, scan in enumerate(scans, 1):
        if not np.all(np.isfinite(scan.values)) or len(scan.values) == 0:
            raise ReadError(f"scan {i} has positions along {scan.axis} that are no numbers")
    for key in ("title", "sample", "instrument", "operator"):
        about[key] = clean_text(str(about.get(key) or "")).strip()
    about["original_metadata"] = tidy_metadata(about.get("original_metadata") or {})
    try:
        made = entries([_decoupled(s) for s in scans], warnings)
        return Measurement(made, warnings=tuple(clean_text(w) for w in warnings), **about)
    except MeasurementError as e:
        raise ReadError(f"the file's parts do not fit together: {e}") from None


def entries(scans: Sequence[Scan], warnings: list[str]) -> tuple[Entry, ...]:
    """One entry a scan, or one two-dimensional entry if the scans step a further axis."""
    if len(scans) == 1:
        return (_entry(scans[0], "scan"),)
    whole = list(scans)
    if len(scans) > 3 and len(scans[-1].values) < len(scans[0].values):
        whole.pop()  # the measurement was stopped during its last scan
    outer = _outer_axes(whole)
    if not outer and (outer := _outer_axes(turned := [_along_two_theta(s) for s in whole])):
        whole = turned
    if not outer:
        return tuple(_entry(s, f"scan_{i}") for i, s in enumerate(scans, 1))
    made = [_map(whole, outer)]
    if len(whole) < len(scans):
        warnings.append(
            f"Scan {len(scans)} was not finished; it stands beside the map as an entry of its own."
        )
        made.append(_entry(scans[-1], f"scan_{len(scans)}"))
    return tuple(made)


def _decoupled(scan: Scan) -> Scan:
    """Say a coupled scan's ω as the constant ω − 2θ/2; nothing where that is 0 within the vendors' rounding."""
    omega = scan.moving.get("omega")
    if scan.axis != "two_theta" or omega is None:
        return scan
    offset = omega - scan.values / 2
    if not np.all(np.abs(offset - offset[0]) <= 2e-4):
        return scan
    fixed = dict(scan.fixed)
    fixed["omega_offset"] = float(np.round(offset.mean(), 6))
    if abs(fixed["omega_offset"]) < 2e-4:
        fixed["omega_offset"] = 0.0
    return replace(scan, fixed=fixed, moving={k: v for k, v in scan.moving.items() if k != "omega"})


def _along_two_theta(scan: Scan) -> Scan:
    """An ω/2θ scan along the 2θ that all scans of its map share, at its constant ω − 2θ/2; any other as it is."""
    two_theta = scan.moving.get("two_theta")
    if scan.axis != "omega" or two_theta is None:
        return scan
    moving = {k: v for k, v in scan.moving.items() if k != "two_theta"} | {"omega": scan.values}
    conditions = {k: v for k, v in scan.conditions.items() if k != "step_size"}  # of ω
    turned = _decoupled(
        replace(scan, axis="two_theta", values=two_theta, moving=moving, conditions=conditions)
    )
    return scan if "omega" in turned.moving else turned


def _signals(scan: Scan) -> list[Signal]:
    over = (scan.axis, scan.channels.name) if scan.channels is not None else (scan.axis,)
    made = [Signal("intensity", scan.intensity, scan.intensity_unit, over)]
    for name, values in scan.moving.items():
        made.append(Signal(name, values, scan.unit_of(name), (scan.axis,)))
    made += [replace(s, axes=(scan.axis,)) for s in scan.extra]
    return made


def _conditions(scan: Scan) -> dict[str, Quantity]:
    found = {k: q for k, q in scan.conditions.items() if q is not None}
    for name, value in scan.fixed.items():
        if name == "omega_offset" and value == 0:
            continue  # the usual case says nothing
        found.setdefault(name, Quantity(float(value), scan.unit_of(name)))
    found.setdefault("scan_axis", Quantity(scan.axis))
    if not found.get("step_size") and len(scan.values) > 1:
        step = (scan.values[-1] - scan.values[0]) / (len(scan.values) - 1)
        if np.all(np.abs(np.diff(scan.values) - step) <= 1e-2 * abs(step)):
            found["step_size"] = Quantity(float(f"{abs(step):.8g}"), scan.unit_of(scan.axis))
    return found


def _entry(scan: Scan, name: str) -> Entry:
    axes = (Axis(scan.axis, scan.values, scan.unit_of(scan.axis)),)
    return Entry(
        name=name,
        technique="xrd",
        axes=axes if scan.channels is None else (*axes, scan.channels),
        signals=tuple(_signals(scan)),
        default="intensity",
        title=clean_text(scan.title),
        conditions=_conditions(scan),
        original_metadata=tidy_metadata(dict(scan.metadata)),
        started=scan.started,
    )


def _steps(values: Floats) -> bool:
    """Whether the values go one way in equal steps (to a twentieth of a step)."""
    steps = np.diff(values)
    middle = float(np.median(steps))
    return middle != 0 and bool(np.all(np.abs(steps - middle) <= 0.05 * abs(middle)))


def _outer_axes(scans: Sequence[Scan]) -> dict[str, Floats]:
    """Axes that step from scan to scan, the one to draw over first; empty if the scans make no map."""
    first = scans[0]
    for s in scans[1:]:
        if (
            (s.axis, s.intensity.shape, s.intensity_unit)
            != (first.axis, first.intensity.shape, first.intensity_unit)
            or s.fixed.keys() != first.fixed.keys()
            or s.moving.keys() != first.moving.keys()
            or [e.name for e in s.extra] != [e.name for e in first.extra]
            or {a: s.unit_of(a) for a in (s.axis, *s.fixed)}
            != {a: first.unit_of(a) for a in (first.axis, *first.fixed)}
        ):
            return {}
    if first.channels is not None or len(scans) < 2:
        return {}
    places = {a: np.array([s.fixed[a] for s in scans]) for a in first.fixed}
    if "temperature" in first.conditions and all(s.conditions.get("temperature") for s in scans):
        places["temperature"] = np.array([s.conditions["temperature"].value for s in scans])  # type: ignore[union-attr]
    stepped = {a: v for a, v in places.items() if len(set(v.tolist())) == len(v) and _steps(v)}
    order = [a for a in _OUTER if a in stepped] + [a for a in stepped if a not in _OUTER]
    return {a: stepped[a] for a in order}


def _map(scans: Sequence[Scan], outer: Mapping[str, Floats]) -> Entry:
    first = scans[0]
    slow, *beside = outer
    rows = np.array([s.values for s in scans])
    common = bool(np.allclose(rows, rows[0], rtol=0, atol=1e-6))
    fast = (
        Axis(first.axis, first.values, first.unit_of(first.axis))
        if common
        else Axis("point", np.arange(rows.shape[1]))
    )
    over = (slow, fast.name)
    signals = [Signal("intensity", np.array([s.intensity for s in scans]), first.intensity_unit, over)]
    if not common:  # each scan has its own positions, e.g. frames of a moving strip detector
        signals.append(Signal(first.axis, rows, first.unit_of(first.axis), over))
    for name in first.moving:
        values = np.array([s.moving[name] for s in scans])
        if name != slow:
            signals.append(Signal(name, values, first.unit_of(name), over))
    for i, signal in enumerate(first.extra):
        signals.append(replace(signal, values=np.array([s.extra[i].values for s in scans]), axes=over))
    taken = {s.name for s in signals} | set(over)
    signals += [Signal(a, outer[a], _outer_unit(first, a), (slow,)) for a in beside if a not in taken]
    each = [_conditions(s) for s in scans]
    same = {k: q for k, q in each[0].items() if k not in outer and all(c.get(k) == q for c in each)}
    return Entry(
        name="map",
        technique="xrd",
        axes=(Axis(slow, outer[slow], _outer_unit(first, slow)), fast),
        signals=tuple(signals),
        default="intensity",
        title=clean_text(first.title),
        conditions=same,
        original_metadata=tidy_metadata(_shared_metadata(scans)),
        started=min(
            (s.started for s in scans if s.started), default=None, key=lambda t: t.replace(tzinfo=None)
        ),
    )


def _outer_unit(scan: Scan, axis: str) -> str | None:
    if axis == "temperature" and (condition := scan.conditions.get("temperature")):
        return condition.unit
    return scan.unit_of(axis)


def _shared_metadata(scans: Sequence[Scan]) -> dict[str, Any]:
    """What all scans of a map say alike, once, and under ``scans`` what each says of its own."""
    first = scans[0].metadata
    same = {k: v for k, v in first.items() if all(k in s.metadata and s.metadata[k] == v for s in scans)}
    return {**same, "scans": [{k: v for k, v in s.metadata.items() if k not in same} for s in scans]}
