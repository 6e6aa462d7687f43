"""Athena project files (``.prj``) of Demeter, Horae and Larch: absorption spectra as a person imported them.

Facts (Demeter's and Larch's documentation): a text, most often packed by gzip. Either Perl, an assignment a line:
``$old_group`` begins a record, ``@args`` holds its settings as key, value, …, then come the numbers ``@x``, ``@y``
and perhaps ``@i0``, ``@signal``, ``@stddev``; ``[record]`` ends it; ``@journal`` are a person's notes. Or JSON with the
same words, ``_____order`` naming the records. x is the photon energy (eV) before the shift ``bkg_eshift`` that the
program adds, y is µ(E); of a record with ``is_chi`` they are k and χ(k). ``signal`` and ``i0`` are what y was made of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zairyo.measurement import Entry, Measurement, Quantity, Signal, table
from zairyo.measurement.text import clean_text, make_name, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._text_export import number, read_lines
from zairyo.readers._tokens import unique

_MAGIC = re.compile(rb"# Athena (project|record) file -- ")
_MADE = re.compile(r"# Athena (?:project|record) file -- (?P<program>[^\"\r\n]+)")
_ASSIGNED = re.compile(r"[$@%](?P<name>\w+)\s*=\s*(?P<value>.*?);?\s*\Z", re.DOTALL)
_END = re.compile(r"^1;\s*$", re.MULTILINE)
#: A string goes to the end where its quote is not closed, so that no byte is looked at twice.
_TOKEN = re.compile(
    r"'(?P<plain>(?:[^'\\]|\\.)*)(?:'|\\?\Z)|\"(?P<quoted>(?:[^\"\\]|\\.)*)(?:\"|\\?\Z)"
    r"|(?P<bare>[\w.+-]+)|(?P<mark>[\[\](){}])",
    re.DOTALL,
)
_WIDE = re.compile(r"\\x\{([0-9a-fA-F]{1,6})\}")
_ARRAYS = ("x", "y", "i0", "signal", "stddev")
_MOST_RECORDS = 5000
#: What x and y of a record are, by the first of the settings that is 1: names and units.
_KINDS = (
    ("is_chi", ("photoelectron_wavenumber", "1/angstrom"), ("exafs", "")),
    ("is_pixel", ("pixel", ""), ("absorption", "")),
    ("is_nor", ("photon_energy", "eV"), ("normalised_absorption", "")),
    ("is_diff", ("photon_energy", "eV"), ("absorption_difference", "")),
    ("is_rsp", ("distance", "angstrom"), ("fourier_transform", None)),
    ("is_qsp", ("photoelectron_wavenumber", "1/angstrom"), ("filtered_exafs", None)),
    ("not_data", ("photon_energy", "eV"), ("detector", None)),
)
_ABSORPTION = ("photon_energy", "eV"), ("absorption", "")
_LONG_NAMES = {
    "absorption_difference": "Difference of absorption",
    "detector": "One detector's signal",
    "pixel": "Position on the detector",
}
#: Setting → condition and unit; None where it is a text.
_CONDITIONS: tuple[tuple[str, str, str | None], ...] = (
    ("bkg_z", "element", None),
    ("fft_edge", "absorption_edge", None),
    ("bkg_e0", "edge_energy", "eV"),
    ("beamline", "beamline", None),
)


@dataclass
class _Record:
    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def _sniff(source: RawInput) -> float:
    return CERTAIN if _MAGIC.search(source.text_head[:2000]) else NO


def _read(source: RawInput) -> Measurement:
    text = "\n".join(read_lines(source))
    made = _MADE.search(text[:4000])
    if made is None:
        raise ReadError(
            f"{source.name} does not begin with '# Athena project file --'; it is another format."
        )
    warnings: list[str] = []
    records, journal = (_json if text.lstrip().startswith("{") else _perl)(text, source.path.name)
    if not records:
        raise ReadError(f"{source.path.name} holds no record with x and y; it is empty, or cut off.")
    if not text.lstrip().startswith("{") and not _END.search(text):
        warnings.append(
            "The end of the project (a line '1;') is missing: it is cut off, and records may be, too."
        )
    taken: set[str] = set()
    program = clean_text(made["program"].strip())
    entries = [_entry(record, program, taken, warnings, source.path.name) for record in records]
    return Measurement(
        tuple(entries),
        title=source.path.stem,
        original_metadata=tidy_metadata({"program": program, "journal": journal}),
        warnings=tuple(dict.fromkeys(warnings)),
    )


# --- text → records -----------------------------------------------------------------------------------------------


def _perl(text: str, name: str) -> tuple[list[_Record], str]:
    """The records and the journal of Perl's assignments."""
    records: list[_Record] = []
    journal = ""
    now = _Record("")
    for line in _assignments(text):
        if line.startswith("[record]"):
            records += [now] if _is_whole(now, name) else []
            now = _Record("")
            if len(records) > _MOST_RECORDS:
                raise ReadError(f"{name} holds over {_MOST_RECORDS} records; it is damaged.")
            continue
        assigned = _ASSIGNED.match(line)
        if assigned is None:
            continue
        key, value = assigned["name"], assigned["value"]
        if key in _ARRAYS:
            now.arrays[key] = _numbers(value, f"@{key} of record {len(records) + 1} of {name}")
        elif key == "old_group":
            now.name = " ".join(_flat(_tokens(value)))
        elif key == "args":
            now.settings = _settings(value)
        elif key == "journal":
            journal = "\n".join(_flat(_tokens(value)))
    if now.arrays:
        raise ReadError(f"{name} ends within record {len(records) + 1}; it is cut off. Copy it again.")
    return records, journal


def _assignments(text: str) -> Iterator[str]:
    """The lines; one that is a list goes on to its end, for a text in it may have line breaks."""
    held: list[str] = []
    for line in text.split("\n"):
        if not held and line[:1] not in ("@", "%", "$"):
            yield line
            continue
        held.append(line)
        if line.rstrip().endswith(";"):
            yield "\n".join(held)
            held = []
    if held:
        yield "\n".join(held)


def _json(text: str, name: str) -> tuple[list[_Record], str]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise ReadError(f"{name} is not JSON to its end ({str(e)[:80]}); it is cut off or damaged.") from None
    listed = whole.get("_____order") if isinstance(whole, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_RECORDS:
        raise ReadError(f"{name} does not list its records (_____order); it is cut off or damaged.")
    records = []
    for key in map(str, listed):
        held = whole.get(key)
        if not isinstance(held, dict):
            raise ReadError(f"{name} lists the record {clean_text(key)[:40]!r} and does not hold it.")
        record = _Record(key, held["args"] if isinstance(held.get("args"), dict) else {})
        for array in _ARRAYS:
            if isinstance(held.get(array), list) and held[array]:
                what = f"{array} of record {clean_text(key)[:40]!r} of {name}"
                record.arrays[array] = _floats(held[array], what)
        records += [record] if _is_whole(record, name) else []
    notes = whole.get("_____journal")
    return records, "\n".join(map(str, notes)) if isinstance(notes, list) else str(notes or "")


def _is_whole(record: _Record, name: str) -> bool:
    """Whether there are numbers; raises if they are not as many of y as of x."""
    x, y = record.arrays.get("x"), record.arrays.get("y")
    if x is None or y is None or not len(x):
        return False
    if len(x) != len(y):
        raise ReadError(
            f"The record {clean_text(str(record.settings.get('label') or record.name))[:40]!r} of {name} has {len(x)}"
            f" values of x and {len(y)} of y; it is damaged."
        )
    return True


def _numbers(value: str, what: str) -> NDArray[np.float64]:
    cells = value.strip("() \t").replace("'", "").replace('"', "").split(",")
    return _floats([c for c in (cell.strip() for cell in cells) if c], what)


def _floats(cells: list[Any], what: str) -> NDArray[np.float64]:
    try:
        return np.array([float(c) for c in cells])
    except (TypeError, ValueError, OverflowError):
        raise ReadError(f"{what} is not all numbers; it is cut off or damaged. Copy it again.") from None


def _tokens(value: str) -> list[tuple[str, bool]]:
    """The texts of a Perl list and its brackets; with whether it is a bracket."""
    found = []
    for m in _TOKEN.finditer(value):
        if m["plain"] is not None:
            found.append((re.sub(r"\\([\\'])", r"\1", m["plain"]), False))
        elif m["quoted"] is not None:
            wide = _WIDE.sub(lambda w: chr(min(int(w[1], 16), 0x10FFFF)), m["quoted"])
            found.append((re.sub(r"\\(.)", lambda c: {"n": "\n", "t": "\t"}.get(c[1], c[1]), wide), False))
        elif m["bare"] is not None:
            found.append(("" if m["bare"] == "undef" else m["bare"], False))
        else:
            found.append((m["mark"], True))
    return found


def _flat(tokens: list[tuple[str, bool]]) -> list[str]:
    return [text for text, is_mark in tokens if not is_mark]


def _settings(value: str) -> dict[str, Any]:
    """``('key','value','titles',['a','b'],…)``: a list in brackets is one value."""
    words: list[Any] = []
    inner: list[str] | None = None
    for text, is_mark in _tokens(value):
        if is_mark and text in "[{":
            inner = []
        elif is_mark and text in "]}" and inner is not None:
            words.append(inner)
            inner = None
        elif not is_mark:
            (words if inner is None else inner).append(text)
    return {str(key): held for key, held in zip(words[::2], words[1::2], strict=False)}


# --- record → entry -----------------------------------------------------------------------------------------------


def _entry(record: _Record, program: str, taken: set[str], warnings: list[str], name: str) -> Entry:
    told = {key: value for key, value in record.settings.items() if isinstance(value, (str, int, float))}
    label = clean_text(str(told.get("label") or record.name or "record")).strip()
    x_of, y_of = next((k[1:] for k in _KINDS if _is_set(told.get(k[0]))), _ABSORPTION)
    x, y = record.arrays["x"], record.arrays["y"]
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ReadError(f"The record {label[:40]!r} of {name} has values that are no numbers; it is damaged.")
    signals = []
    shift = number(str(told.get("bkg_eshift", ""))) or 0.0
    if x_of[0] == "photon_energy" and shift and np.isfinite(shift):
        signals = [Signal("photon_energy", x + shift, "eV", long_name="Energy, shifted"),
                   Signal("photon_energy_measured", x, "eV", long_name="Energy as measured")]  # fmt: skip
        warnings.append(f"The energies of {label[:60]!r} are shifted by {shift:g} eV, as the project tells.")
    else:
        signals = [Signal(x_of[0], x, x_of[1], long_name=_LONG_NAMES.get(x_of[0], ""))]
    signals.append(Signal(y_of[0], y, y_of[1], long_name=_LONG_NAMES.get(y_of[0], "")))
    for key, beside in (
        ("i0", "incident_intensity"),
        ("signal", "signal"),
        ("stddev", f"{y_of[0]}_deviation"),
    ):
        values = record.arrays.get(key)
        if values is None or not len(values):
            continue
        if len(values) != len(x):
            warnings.append(
                f"{key} of {label[:60]!r} has {len(values)} values for {len(x)} points; it was left out."
            )
            continue
        signals.append(Signal(beside, values, y_of[1] if key == "stddev" else None, long_name=key))
    if _is_set(told.get("is_xmudat")):
        warnings.append(f"{label[:60]!r} was calculated by Feff, not measured.")
    return table(
        unique(make_name(label, "record"), taken),
        "xafs",
        signals,
        x=x_of[0],
        default=y_of[0],
        title=label,
        conditions=_conditions(told, x_of[0] == "pixel") | {"software_version": Quantity(program)},
        original_metadata=tidy_metadata(
            {
                key: value if not isinstance(value, list) else "\n".join(map(str, value))
                for key, value in record.settings.items()
            }
        ),
    )


def _is_set(value: Any) -> bool:
    return str(value).strip() in ("1", "1.0", "True", "true")


def _conditions(told: dict[str, Any], is_pixel: bool) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, name, unit in _CONDITIONS:
        text = clean_text(str(told.get(key, ""))).strip()
        if (
            not text or text.casefold() == "none" or (name == "element" and text == "H")
        ):  # H: nobody chose one
            continue
        value = number(text) if unit else text
        if unit is None:
            found[name] = Quantity(text.upper() if name == "absorption_edge" else text)
        elif isinstance(value, float) and np.isfinite(value) and value > 0 and not is_pixel:
            found[name] = Quantity(value, unit)
    return found


READER = Reader(
    name="athena_prj",
    version="1",
    techniques=("xafs",),
    vendor="Demeter, Larch",
    format="Athena project",
    endings=(".prj",),
    sniff=_sniff,
    read=_read,
    notes="Each record's µ(E) or χ(k) with its settings; energies with the shift of the project. Fits are not read.",
)
