"""CasaXPS text and CSV exports: one block a spectrum, with its background, envelope and fitted components.

Facts: a line that names the block, ``Characteristic Energy eV`` with the photon energy, ``Name``, ``Position``,
``FWHM``, ``Area`` and ``Lineshape`` of the components, a line of names from ``K.E.`` (counts) to ``B.E.`` (counts per
second), rows. The binding energies are those that the program shows, calibrated; the kinetic energies as measured.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from zairyo.measurement import Axis, Entry, Measurement, MeasurementError, Quantity, Signal, table
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._photoemission import known, measurement
from zairyo.readers._text_export import Array, cells_of, columns_of, head_text, read_lines
from zairyo.readers._tokens import number, unique

_ENERGY = re.compile(r'[\t,; ]*"?Characteristic Energy eV"?\s*[\t,;]\s*"?(?P<energy>[-+.,\deE]+)')
_NAMES = re.compile(r'"?[KB]\.E\."?\s*[\t,;]')
_COMPONENTS = ("Name", "Position", "FWHM", "Area", "Lineshape")
#: What columns are called: left of the binding energy in counts, right of it in counts per second.
_COLUMNS = {
    "counts": "total_counts",
    "background": "background_counts",
    "envelope": "envelope_counts",
    "cps": "intensity",
    "background cps": "background",
    "envelope cps": "envelope",
}
_ULTRAVIOLET_EV = 100.0


def sniff(src: RawInput) -> float:
    if b"Characteristic Energy eV" not in src.text_head:
        return NO
    lines = head_text(src, 60).split("\n")
    at = next((i for i, line in enumerate(lines) if _ENERGY.match(line)), None)
    return CERTAIN if at is not None and any(_NAMES.match(line) for line in lines[at:]) else NO


def read(src: RawInput) -> Measurement:
    lines = read_lines(src)
    starts = [i for i, line in enumerate(lines) if _ENERGY.match(line)]
    if not starts:
        raise ReadError(
            f"{src.name} has no line with the characteristic energy of a spectrum; it is cut off."
        )
    warnings: list[str] = []
    taken: set[str] = set()
    entries: list[Entry] = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        entries += _block(lines, start, end, taken, warnings, src)
    return measurement(entries, warnings, title=src.path.stem, original_metadata={"program": "CasaXPS"})


def _block(
    lines: list[str], start: int, end: int, taken: set[str], warnings: list[str], src: RawInput
) -> list[Entry]:
    title = clean_text(next((x for x in reversed(lines[:start]) if x.strip()), "").strip().strip('",;\t'))
    region = title.rpartition(":")[2] or title
    names_at = next((i for i in range(start, end) if _NAMES.match(lines[i])), None)
    if names_at is None:
        raise ReadError(
            f"{src.name} ends before the columns of {title!r} are named; it is cut off. Copy it again."
        )
    delimiter = next(d for d in "\t;," if d in lines[names_at])
    names = cells_of(lines[names_at], delimiter)
    while names and not names[-1]:
        names.pop()
    last = names_at + 1
    while (
        last < end and number(cells_of(lines[last], delimiter)[0] if lines[last].strip() else "") is not None
    ):
        last += 1
    rows = lines[names_at + 1 : last]
    if not rows:
        warnings.append(f"The spectrum {title!r} has no points; it was left out.")
        return []
    if last == len(lines) and len(cells_of(rows[-1], delimiter)) < len(names):
        raise ReadError(f"line {last} of {src.name} is half a row; the file is cut off there. Copy it again.")
    filled = [k for k, n in enumerate(names) if n]
    columns = columns_of(
        [r.rstrip(delimiter) for r in rows], delimiter, len(names), warnings, line=names_at + 2
    )
    match = _ENERGY.match(lines[start])
    excitation = number(match["energy"]) if match else None
    header = [cells_of(line, delimiter) for line in lines[start + 1 : names_at]]
    components = {c[0]: c[1:] for c in header if c and c[0] in _COMPONENTS}
    about: dict[str, Any] = {"block": title, "settings": clean_text(lines[start].strip()), **components}
    entry = _spectrum(
        unique(region, taken, "region"),
        title,
        [names[k] for k in filled],
        [columns[k] for k in filled],
        excitation,
        about,
    )
    return [entry, *_fitted(components, entry, taken)]


def _spectrum(
    name: str,
    title: str,
    names: list[str],
    columns: list[Array],
    excitation: float | None,
    about: dict[str, Any],
) -> Entry:
    at = {n.casefold(): k for k, n in reversed(list(enumerate(names)))}
    binding, kinetic = at.get("b.e."), at.get("k.e.")
    along = binding if binding is not None else kinetic
    if along is None or any(c.dtype.kind != "f" for c in columns):
        raise ReadError(f"the columns of {title!r} do not hold numbers over an energy; the file is damaged")
    axis_name = "binding_energy" if binding is not None else "kinetic_energy"
    signals: list[Signal] = []
    taken = {axis_name}
    for k, (heading, values) in enumerate(zip(names, columns, strict=True)):
        if k == along:
            continue
        after = binding is not None and k > binding
        known_name = "kinetic_energy" if k == kinetic else _COLUMNS.get(heading.casefold())
        if known_name is None:
            known_name = f"component_{heading}" + ("" if after else "_counts")
        unit = "eV" if k == kinetic else "count/s" if after else "counts"
        signals.append(Signal(unique(known_name, taken), values, unit, (axis_name,), clean_text(heading)))
    signals.sort(key=lambda s: s.name not in ("intensity", "total_counts"))
    signals.sort(key=lambda s: s.name != "intensity")
    steps = np.abs(np.diff(columns[along]))
    energy = excitation if excitation and excitation > 0 else None
    try:
        return Entry(
            name=name,
            technique="ups" if energy is not None and energy < _ULTRAVIOLET_EV else "xps",
            axes=(Axis(axis_name, columns[along], "eV", axis_name.replace("_", " ").capitalize()),),
            signals=tuple(signals),
            title=title,
            conditions=known(
                {
                    "excitation_energy": None if energy is None else Quantity(energy, "eV"),
                    "energy_step": Quantity(float(f"{np.median(steps):.6g}"), "eV") if len(steps) else None,
                }
            ),
            original_metadata=tidy_metadata(about),
        )
    except MeasurementError as e:
        raise ReadError(f"the parts of {title!r} do not fit together: {e}") from None


def _fitted(components: dict[str, list[str]], entry: Entry, taken: set[str]) -> list[Entry]:
    """The components' table; none if nothing was fitted."""
    rows = [components.get(key, []) for key in _COMPONENTS]
    count = min(map(len, rows))
    kept = [k for k in range(count) if rows[0][k].strip() and number(rows[1][k]) is not None]
    if not kept:
        return []
    texts = [np.array([clean_text(rows[r][k]) for k in kept]) for r in (0, 4)]
    numbers = [
        np.array([np.nan if (v := number(rows[r][k])) is None else v for k in kept]) for r in (1, 2, 3)
    ]
    columns = [
        Signal("component", texts[0]),
        Signal("line_shape", texts[1]),
        Signal("binding_energy", numbers[0], "eV"),
        Signal("full_width_at_half_maximum", numbers[1], "eV"),
        Signal("area", numbers[2]),
    ]
    return [
        table(
            unique(f"{entry.name[:45]}_components", taken),
            entry.technique,
            columns,
            x="binding_energy",
            default="area",
            title=f"{entry.title}: components fitted by CasaXPS",
        )
    ]


READER = Reader(
    name="casaxps_txt",
    version="1",
    techniques=("xps", "ups"),
    vendor="Casa Software",
    format="CasaXPS text",
    endings=(".txt", ".csv"),
    sniff=sniff,
    read=read,
    notes="Exports in columns, a block a spectrum; binding energies as calibrated there. Exports in rows are not read.",
)
