"""ORSO reflectivity, ``.ort``: reduced reflectometry of neutrons and X-rays, one or several data sets a file.

Facts: "ORSO specs for reflectometry data in text form", 0.1 to 1.2. The first line names the format; the comments
after it are YAML, in which ``columns`` has name and unit of each column; ``# data_set:`` begins a further set, whose
YAML says what differs from the first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import yaml

from zairyo.measurement import Entry, Measurement, Quantity, clean_text
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._day_or_month import in_forms
from zairyo.readers._scattering import Column, curve, measurement, unit_of
from zairyo.readers._text_export import head_text, number_rows, read_lines
from zairyo.readers._tokens import amount, unique, word
from zairyo.readers._trees import at, text_at

_FIRST = re.compile(r"#\s*#\s*ORSO reflectivity data file\s*\|\s*([\d.]+)?.*")
_MOST_HEAD, _DEEPEST = 1_000_000, 50
_QUANTITIES = {
    "qz": "qz",
    "r": "reflectivity",
    "sqz": "q_resolution",
    "rqz": "reflectivity",
    "sq": "q_resolution",
    "incident_angle": "incident_angle",
    "lambda": "wavelength",
    "slambda": "wavelength_resolution",
    "sincident_angle": "angle_resolution",
}
#: Condition → where it is below the source of the data.
_CONDITIONS = {
    "wavelength": "measurement/instrument_settings/wavelength",
    "incident_angle": "measurement/instrument_settings/incident_angle",
    "polarisation": "measurement/instrument_settings/polarization",
    "configuration": "measurement/instrument_settings/configuration",
    "measurement_scheme": "measurement/scheme",
    "radiation": "experiment/probe",
    "facility": "experiment/facility",
    "temperature": "sample/sample_parameters/temperature",
}
_USUAL = {"wavelength": "angstrom", "incident_angle": "deg", "temperature": "K"}


def _sniff(source: RawInput) -> float:
    return CERTAIN if b"ORSO" in source.text_head[:100] and _FIRST.match(head_text(source, 1)) else NO


def _read(source: RawInput) -> Measurement:
    warnings: list[str] = []
    taken: set[str] = set()
    entries: list[Entry] = []
    sources: list[Any] = []
    whole: dict[str, Any] = {}
    for head, rows in zip(*_sets(read_lines(source), source.name), strict=True):
        whole = _merged(whole, _yaml(head, source.name))
        if not rows:
            warnings.append(
                f"Data set {whole.get('data_set', len(entries))!r} holds no point; it was left out."
            )
            continue
        entries.append(_entry(whole, number_rows(rows, source.name), taken, warnings))
        sources.append(whole.get("data_source"))
    if not entries:
        raise ReadError(f"{source.name} holds no point; it is cut off, or nothing was reduced.")
    return measurement(
        entries,
        warnings,
        title=_same(sources, "experiment/title") or source.path.stem,
        sample=_same(sources, "sample/name"),
        instrument=" ".join(filter(None, (_same(sources, f"experiment/{key}") for key in ("facility", "instrument")))),
        operator=_same(sources, "owner/name"),
    )  # fmt: skip


def _same(sources: list[Any], path: str) -> str:
    """What all data sets say; empty where they differ, as contrasts of several samples do."""
    found = {text_at(source, path) for source in sources}
    return clean_text(found.pop()) if len(found) == 1 else ""


def _sets(lines: list[str], name: str) -> tuple[list[list[str]], list[list[str]]]:
    """The comments and the rows of each data set."""
    heads: list[list[str]] = [[]]
    tables: list[list[str]] = [[]]
    size = 0
    for line in lines[1:]:
        text = line.strip()
        if not text.startswith("#"):
            if text:
                tables[-1].append(text)
            continue
        comment = line.lstrip()[1:].removeprefix(" ").rstrip()
        if tables[-1] or (
            comment.startswith("data_set:") and any(h.startswith("data_set:") for h in heads[-1])
        ):
            heads.append([])
            tables.append([])
        size += len(comment)
        if size > _MOST_HEAD:
            raise ReadError(f"{name}: the comments are longer than {_MOST_HEAD} characters; it is damaged.")
        if not comment.startswith("#"):  # the labels above the columns
            heads[-1].append(comment)
    return heads, tables


def _yaml(head: list[str], name: str) -> dict[str, Any]:
    text, loader = "\n".join(head), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            # An alias may stand for itself many times over; nothing in the format needs one, nor such depths.
            if isinstance(event, yaml.AliasEvent) or depth > _DEEPEST:
                raise yaml.YAMLError("an alias, or too deep")
        found = yaml.load(text, Loader=loader)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        line = getattr(getattr(e, "problem_mark", None), "line", None)
        where = f" (line {line + 1} of the comments)" if line is not None else ""
        raise ReadError(
            f"{name}: the comments are not YAML{where}; the file is damaged or was changed."
        ) from None
    if found is not None and not isinstance(found, dict):
        raise ReadError(
            f"{name}: the comments should be YAML with names; the file is damaged or was changed."
        )
    return found or {}


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """What a data set says over what was said before."""
    found = dict(old)
    for key, value in new.items():
        before = found.get(key)
        found[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return found


def _entry(whole: dict[str, Any], values: Any, taken: set[str], warnings: list[str]) -> Entry:
    stated = whole.get("columns")
    stated = stated if isinstance(stated, list) else []
    columns: list[Column] = []
    errors = None
    for i, told in enumerate(values.T):
        column = stated[i] if i < len(stated) and isinstance(stated[i], dict) else {}
        what, of = str(column.get("name") or ""), str(column.get("error_of") or "").casefold()
        if str(column.get("value_is") or "").casefold() == "fwhm":
            told = told / np.sqrt(8.0 * np.log(2.0))
        if not stated:  # the format's order
            what = ("Qz", "R", "sR", "sQz")[i] if i < 4 else ""
        if of in ("r", "rqz") or what.casefold() == "sr":
            errors = told
            continue
        name = "q_resolution" if of == "qz" else _QUANTITIES.get(what.casefold(), "")
        unit: Any = column.get("unit")
        if name == "reflectivity":
            unit = "none"
        elif name == "q_resolution" and not unit and columns:
            unit = columns[0].unit
        if np.isfinite(told).any():
            columns.append(
                Column(name or unique(what, set(), f"column_{i + 1}"), told, str(unit) if unit else None)
            )
    names = [column.name for column in columns]
    if len(columns) < 2 or len(set(names)) < len(names):
        raise ReadError(
            "a data set does not name its columns each by its own name (Qz, R, sR, sQz); it is damaged."
        )
    order = sorted(columns[1:], key=lambda column: column.name != "reflectivity")
    if errors is not None and not (np.nan_to_num(errors) >= 0).all():
        errors = None
        warnings.append("The uncertainties are below zero on some rows, and were left out.")
    label = clean_text(str(whole.get("data_set", "") if whole.get("data_set") is not None else ""))
    made = curve(
        unique(f"data_set_{label}" if label.isdecimal() else label, taken, "reflectivity"),
        "reflectometry",
        columns[0],
        order,
        errors,
        conditions=_conditions(whole.get("data_source"), warnings),
        metadata={k: v for k, v in whole.items() if k != "columns"},
        warnings=warnings,
        title=label,
    )
    return replace(made, started=_started(whole))


def _started(whole: dict[str, Any]) -> datetime | None:
    """When the experiment began; YAML makes a date or a moment of it."""
    return in_forms(str(at(whole, "data_source/experiment/start_date")), ())


def _conditions(source: Any, warnings: list[str]) -> dict[str, Quantity | None]:
    told: dict[str, Quantity | None] = {}
    for name, path in _CONDITIONS.items():
        value = at(source, path)
        if isinstance(value, str):
            told[name] = word(value)
        elif isinstance(value, dict):
            unit = unit_of(str(value.get("unit") or _USUAL.get(name, "")), name, warnings)
            for key, suffix in (("magnitude", ""), ("min", "_minimum"), ("max", "_maximum")):
                told[f"{name}{suffix}"] = amount(value.get(key), unit)
    return told


READER = Reader(
    name="orso",
    version="1",
    techniques=("reflectometry",),
    vendor="ORSO",
    format="Reflectivity (.ort)",
    endings=(".ort",),
    sniff=_sniff,
    read=_read,
    notes="Every data set with uncertainties (as standard deviations), instrument, sample. Not: ORSO NeXus (.orb).",
)
