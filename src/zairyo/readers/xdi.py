"""XDI, the XAFS Data Interchange: an absorption spectrum with what was measured how, as beamlines and Athena write it.

Facts (B. Ravel, M. Newville, XDI specification 1.0): the first line is ``# XDI/1.0`` and what wrote it; then come
``# Family.name: value``, among them ``# Column.1: energy eV`` for each column; ``# ///`` begins a comment, ``# ---``
ends the head; then perhaps a line of labels, and the rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np

from zairyo.measurement import Measurement, Quantity, Signal, table, units
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._text_export import columns_of, head_text, quantity, read_lines, rules, signals_of

_FIRST = re.compile(r"\s*[#;%]\s*XDI/(?P<version>\d\S*)\s*(?P<programs>.*)")
_FIELD = re.compile(r"(?P<family>[A-Za-z]\w*)\.(?P<name>[\w.\-]+)\s*:\s*(?P<value>.*)")
_COLUMN = re.compile(r"column\.(\d{1,3})\Z")
_COMMENT, _END = re.compile(r"/{3,}\s*\Z"), re.compile(r"-{3,}\s*\Z")
_COLUMNS = rules(
    ("energy", "photon_energy"),
    ("angle", "monochromator_angle"),
    ("i0", "incident_intensity"),
    ("itrans|it|i1", "transmitted_intensity"),
    ("ifluor|if", "fluorescence_intensity"),
    ("irefer|ir|i2", "reference_intensity"),
    ("measurement_time|integration_time|inttime", "time_per_point"),
    ("mutrans|x?mu", "absorption"),
    ("mufluor", "absorption_fluorescence"),
    ("murefer", "absorption_reference"),
    ("norm(trans|fluor|refer)?", "normalised_absorption"),
    ("k", "photoelectron_wavenumber"),
    ("chi", "exafs"),
)
_UNITS = {"eV": "eV", "keV": "keV", "degrees": "deg", "degree": "deg", "deg": "deg", "radians": "rad", "radian": "rad",
          "arc seconds": "arcsec", "1/Angstrom": "1/angstrom", "inverse Angstroms": "1/angstrom",
          "Angstrom^-1": "1/angstrom", "seconds": "s"}  # fmt: skip
_ANGSTROMS = dict.fromkeys(("Angstrom", "Angstroms", "A", "\u00c5", "\u212b"), "angstrom")
#: Logarithms and ratios: they have no unit, whether the file says so or not.
_PURE = dict.fromkeys(
    ("absorption", "absorption_fluorescence", "absorption_reference", "normalised_absorption", "exafs"), ""
)
#: What is plotted, the first there is.
_DEFAULTS = (
    "absorption",
    "absorption_fluorescence",
    "normalised_absorption",
    "exafs",
    "transmitted_intensity",
    "fluorescence_intensity",
)
_AXES = ("photon_energy", "photoelectron_wavenumber", "monochromator_angle")
#: Field → condition and the unit of a number without one; None where the value is a text.
_CONDITIONS: dict[str, tuple[str, str | None]] = {
    "element.symbol": ("element", None),
    "element.edge": ("absorption_edge", None),
    "scan.element": ("element", None),  # drafts of the specification
    "scan.edge": ("absorption_edge", None),
    "scan.edge_energy": ("edge_energy", "eV"),
    "mono.name": ("monochromator", None),
    "mono.d_spacing": ("monochromator_d_spacing", "angstrom"),
    "beamline.name": ("beamline", None),
    "facility.name": ("facility", None),
    "facility.energy": ("ring_energy", "GeV"),
    "facility.current": ("ring_current", "mA"),
    "sample.temperature": ("temperature", "K"),
}


@dataclass
class _Head:
    version: str
    programs: str
    fields: dict[str, str] = field(default_factory=dict)
    columns: dict[int, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    rows: int = 0  # the line at which they begin


def _sniff(source: RawInput) -> float:
    return CERTAIN if _FIRST.match(head_text(source, 1)) else NO


def _read(source: RawInput) -> Measurement:
    lines = read_lines(source)
    head = _head(lines, source.name)
    warnings: list[str] = []
    signals = _signals(head, lines, source.name, warnings)
    names = [s.name for s in signals]
    x = next((n for n in _AXES if n in names), names[0])
    default = next((n for n in (*_DEFAULTS, *names) if n in names and n != x), "")
    if not default:
        raise ReadError(f"{source.name} holds one column only; there is nothing over {x}.")
    told = {key.lower(): value for key, value in head.fields.items()}
    sample = told.get("sample.name", "")
    entry = table(
        "spectrum",
        "xafs",
        signals,
        x=x,
        default=default,
        title=sample or source.path.stem,
        conditions=_conditions(told, head, warnings),
        started=in_forms(told.get("scan.start_time", ""), ()),
    )
    metadata = {
        **head.fields,
        "XDI": head.version,
        "programs": head.programs,
        "comments": "\n".join(head.comments),
    }
    return Measurement(
        (entry,),
        title=sample or source.path.stem,
        sample=sample,
        instrument=" ".join(filter(None, (told.get("facility.name", ""), told.get("beamline.name", "")))),
        original_metadata=tidy_metadata({k: v for k, v in metadata.items() if v}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _head(lines: list[str], name: str) -> _Head:
    first = _FIRST.match(lines[0]) if lines else None
    if first is None:
        raise ReadError(f"{name} does not begin with '# XDI/' and a version; it is another format.")
    head = _Head(first["version"], clean_text(first["programs"].strip()))
    in_comment = ended = False
    for at, line in enumerate(lines[1:], 1):
        text = line.strip()
        if text[:1] not in ("#", ";", "%"):
            if not text:
                continue
            head.rows = at
            return head
        text = clean_text(text.lstrip("#;%").strip())
        if ended:
            head.labels = text.split()
        elif _END.match(text):
            ended = True
        elif _COMMENT.match(text):
            in_comment = True
        elif in_comment:
            head.comments.append(text)
        elif found := _FIELD.match(text):
            key = f"{found['family']}.{found['name']}"
            head.fields[key] = found["value"].strip()
            if column := _COLUMN.match(key.lower()):
                head.columns[int(column[1])] = found["value"].strip()
    raise ReadError(f"{name} ends with its head; it holds no point, or is cut off.")


def _signals(head: _Head, lines: list[str], name: str, warnings: list[str]) -> list[Signal]:
    rows = [line for line in lines[head.rows :] if line.strip() and line.lstrip()[:1] not in "#;%"]
    width = max(head.columns, default=len(rows[0].split()))
    other = next((row for row in rows if len(row.split()) != width), None)
    if other is not None:
        raise ReadError(
            f"{name} has a row of {len(other.split())} numbers, {clean_text(other.strip())[:40]!r}, where there should "
            f"be {width}. It is cut off or damaged. Copy it again."
        )
    stated = [_stated(head, i, width) for i in range(width)]
    described = {i: words for i, (_, words) in enumerate(stated) if words and _is_description(words)}
    stated = [(name, None if i in described else unit) for i, (name, unit) in enumerate(stated)]
    columns = columns_of(rows, " ", width, warnings, line=head.rows + 1, decimal=".")
    signals = signals_of(
        [n for n, _ in stated], [u for _, u in stated], columns, _COLUMNS, warnings, _UNITS, _PURE
    )
    told = {stated[i][0]: f"{stated[i][0]}: {clean_text(words)}"[:200] for i, words in described.items()}
    signals = [replace(s, long_name=told.get(s.long_name, s.long_name)) for s in signals]
    if any(s.values.dtype.kind not in "iuf" or not np.isfinite(s.values).all() for s in signals):
        raise ReadError(f"{name} has rows that are not all numbers; it is damaged.")
    return signals


def _stated(head: _Head, at: int, width: int) -> tuple[str, str | None]:
    """A column's name and unit: of its field, else of the line of labels."""
    words = head.columns.get(at + 1, "").split("||")[0].split(None, 1)
    if words:
        return words[0], words[1].strip() if len(words) > 1 else None
    return (head.labels[at] if len(head.labels) == width else f"column {at + 1}"), None


def _is_description(words: str) -> bool:
    """Whether several words behind a column's name are no unit: ``dead-time corrected count rate``."""
    return " " in words and words not in _UNITS and units.normalise(words) is None


def _conditions(told: dict[str, str], head: _Head, warnings: list[str]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, (name, unit) in _CONDITIONS.items():
        value = told.get(key, "")
        if not value or name in found:
            continue
        if unit is None:
            found[name] = Quantity(clean_text(value))
        elif (number := quantity(value)) is not None:
            stated = number[1].split("(")[0].strip()
            known = {unit: unit, "C": "degC"}.get(stated, "") or (_ANGSTROMS.get(stated, ""))
            if stated and not known:
                warnings.append(
                    f"{key} is {clean_text(value)[:40]!r}; its unit is not known, and it is left as text."
                )
                continue
            if number[0] or name != "ring_current":  # 0: nobody told
                found[name] = Quantity(number[0], known or unit)
    if head.programs:
        found["software_version"] = Quantity(head.programs)
    return found


READER = Reader(
    name="xdi",
    version="1",
    techniques=("xafs",),
    vendor="XAFS community",
    format="XDI",
    endings=(".xdi",),
    sniff=_sniff,
    read=_read,
    notes="Every column with its unit, and the fields of the head. Angles are not made into energies.",
)
