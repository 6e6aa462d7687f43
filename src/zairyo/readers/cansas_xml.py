"""canSAS 1D XML (versions 1.0 and 1.1): reduced small-angle scattering, several entries and data sets a file.

Source: the canSAS1d/1.1 standard of the canSAS working group (schema ``cansas1d.xsd``).
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np

from zairyo.measurement import Entry, Measurement, Quantity
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader
from zairyo.readers._scattering import Column, Floats, curve, measurement, technique_of, unit_of
from zairyo.readers._tokens import amount, number, unique, word
from zairyo.readers._xml import attribute, find, find_all, is_markup, local, parse_xml, text, tree

_MOST_BYTES = 256 * 1024**2
#: The standard's names → the vocabulary's. ``I`` comes first, its ``Idev`` is its uncertainty.
_COLUMNS = {
    "I": "intensity",
    "Qdev": "q_resolution",
    "dQ": "q_resolution",
    "dQl": "slit_length",
    "dQw": "slit_width",
    "Qmean": "q_mean",
    "Shadowfactor": "shadow_factor",
}


def sniff(src: RawInput) -> float:
    return CERTAIN if is_markup(src) and (b"<SASroot" in src.head or b":SASroot" in src.head) else NO


def read(src: RawInput) -> Measurement:
    root = parse_xml(src.read_bytes(_MOST_BYTES), src.name)
    warnings: list[str] = []
    taken: set[str] = set()
    elements = [e for e in root.iter() if local(e.tag) == "SASentry"]
    entries = [made for element in elements for made in _entries(element, taken, warnings)]
    titles = list(dict.fromkeys(t for t in (text(e, "Title") for e in elements) if t))
    samples = {text(e, "SASsample/ID") for e in elements}
    instruments = {text(e, "SASinstrument/name") for e in elements}
    return measurement(
        entries,
        warnings,
        title="; ".join(titles[:3]),
        sample=samples.pop() if len(samples) == 1 else "",
        instrument=instruments.pop() if len(instruments) == 1 else "",
        original_metadata={f"@{local(k)}": v for k, v in root.attrib.items()},
    )


def _entries(element: Element, taken: set[str], warnings: list[str]) -> list[Entry]:
    """The data sets of one ``SASentry``, then its transmission spectra."""
    title, radiation = text(element, "Title"), text(element, "SASinstrument/SASsource/radiation")
    technique = technique_of(radiation)
    conditions = _conditions(element, radiation, warnings)
    metadata = tree(element, skip=("Idata", "Tdata"))
    made = []
    for data in find_all(element, "SASdata"):
        name = attribute(data, "name") or title or attribute(element, "name")
        columns, axis, errors = _columns(data, "Idata", "Q", "q", _COLUMNS, "Idev", name, warnings)
        if axis is None or not columns:
            warnings.append(f"The data set {name!r} holds no points; it was left out.")
            continue
        made.append(
            curve(
                unique(name, taken),
                technique,
                axis,
                columns,
                errors,
                conditions=conditions,
                metadata=metadata,
                warnings=warnings,
                title=title or name,
            )
        )
    for data in find_all(element, "SAStransmission_spectrum"):
        name = f"transmission {attribute(data, 'name')}".strip()
        columns, axis, errors = _columns(
            data, "Tdata", "Lambda", "wavelength", {"T": "transmission"}, "Tdev", name, warnings
        )
        if axis is not None and columns:
            made.append(
                curve(
                    unique(name, taken),
                    technique,
                    axis,
                    columns,
                    errors,
                    conditions=conditions,
                    metadata={f"@{k}": v for k, v in data.attrib.items()},
                    warnings=warnings,
                    title=f"{title}: {name}",
                )
            )
    return made


def _columns(
    data: Element,
    row: str,
    along: str,
    axis_name: str,
    names: dict[str, str],
    deviation: str,
    what: str,
    warnings: list[str],
) -> tuple[list[Column], Column | None, Floats | None]:
    """Columns of the rows, the axis, and the uncertainty of the first column; points without a position are told."""
    cells: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    rows = find_all(data, row)
    for index, point in enumerate(rows):
        for cell in point:
            key = local(cell.tag)
            column = cells.setdefault(key, [])
            column += [""] * (index - len(column))
            if len(column) == index:
                column.append(cell.text or "")
            unit = cell.attrib.get("unit", "")
            if unit and found.setdefault(key, unit) != unit:
                warnings.append(
                    f"{what}: {key} is given in {found[key]!r} and in {unit!r}; the first is kept."
                )
    values = {key: _numbers(column, len(rows), f"{what}, {key}", warnings) for key, column in cells.items()}
    if along not in values:
        return [], None, None
    kept = np.isfinite(values[along])
    if not kept.all():
        warnings.append(f"{what}: {int((~kept).sum())} points without a usable {along} were left out.")
        values = {key: column[kept] for key, column in values.items()}
    main = next(iter(names))
    if main not in values or not len(values[along]):
        return [], None, None
    axis = Column(axis_name, values.pop(along), found.get(along))
    errors = values.pop(deviation, None)
    columns, taken = [], {axis_name}
    for key in sorted(values, key=lambda k: k != main):
        name = unique(names.get(key, key), taken)
        columns.append(Column(name, values[key], found.get(key)))
    return columns, axis, errors


def _numbers(cells: list[str], rows: int, what: str, warnings: list[str]) -> Floats:
    cells = cells + [""] * (rows - len(cells))
    try:
        return np.array(list(map(float, cells)))
    except ValueError:
        values = [number(c) for c in cells]
    odd = [c.strip() for c, v in zip(cells, values, strict=True) if v is None and c.strip()]
    if odd:
        warnings.append(f"{what}: {odd[0][:40]!r} ({len(odd)} in all) is no number; it is left empty.")
    return np.array([np.nan if v is None else v for v in values])


def _conditions(element: Element, radiation: str, warnings: list[str]) -> dict[str, Quantity | None]:
    sample, instrument = find(element, "SASsample"), find(element, "SASinstrument")
    source = find(instrument, "SASsource")
    detectors = find_all(instrument, "SASdetector")
    distances = [d for d in detectors if text(d, "SDD")]

    def value(parent: Element | None, path: str, default: str | None = None) -> Quantity | None:
        cell = find(parent, path)
        unit = unit_of(attribute(cell, "unit"), path, warnings)
        return amount(text(cell), default if unit is None else unit) if cell is not None else None

    runs = [text(r) for r in find_all(element, "Run") if text(r)]
    return {
        "radiation": word(radiation),
        "wavelength": value(source, "wavelength"),
        "wavelength_minimum": value(source, "wavelength_min"),
        "wavelength_maximum": value(source, "wavelength_max"),
        "wavelength_spread": value(source, "wavelength_spread", ""),
        "sample_detector_distance": value(distances[-1], "SDD") if distances else None,
        "detector": word("; ".join(t for t in (text(d, "name") for d in detectors) if t)),
        "slit_length": value(detectors[0], "slit_length") if detectors else None,
        "collimation_length": value(instrument, "SAScollimation/length"),
        "transmission": value(sample, "transmission", ""),
        "sample_thickness": value(sample, "thickness"),
        "temperature": value(sample, "temperature"),
        "sample_details": word(text(sample, "details")),
        "run": word("; ".join(runs)),
        "instrument": word(text(instrument, "name")),
        "software": word(text(element, "SASprocess/name")),
    }


READER = Reader(
    name="cansas_xml",
    version="1",
    techniques=("saxs", "sans", "sas"),
    vendor="canSAS",
    format="canSAS 1D XML",
    endings=(".xml",),
    sniff=sniff,
    read=read,
    notes="Versions 1.0 and 1.1: all entries, data sets and transmission spectra; resolution, slit smearing, shadow "
    "factor. Where several detectors are described, the last one's distance is shown.",
)
