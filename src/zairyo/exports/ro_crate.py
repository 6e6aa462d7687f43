"""RO-Crate 1.1: a folder (or zip archive) that says in schema.org's words what is in it and how it came to be.

Source: the RO-Crate Metadata Specification 1.1 of the RO-Crate community.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from zairyo.exports._parcel import Files, Parcel, facts, sha256_of, size_of
from zairyo.measurement import Entry, Quantity

METADATA = "ro-crate-metadata.json"
_PROFILE = "https://w3id.org/ro/crate/1.1"
#: UN/CEFACT's common codes of units, which schema.org's ``unitCode`` is.
_CODES: Mapping[str, str] = {
    "kV": "KVT", "V": "VLT", "mV": "2Z", "A": "AMP", "mA": "4K", "uA": "B84", "nA": "C39", "W": "WTT",
    "degC": "CEL", "K": "KEL", "deg": "DD", "rad": "C81", "s": "SEC", "min": "MIN", "h": "HUR", "ms": "C26",
    "g": "GRM", "mg": "MGM", "kg": "KGM", "m": "MTR", "cm": "CMT", "mm": "MMT", "um": "4H", "nm": "C45",
    "angstrom": "A11", "eV": "A53", "keV": "B29", "J": "JOU", "Pa": "PAL", "kPa": "KPA", "MPa": "MPA",
    "hPa": "A97", "bar": "BAR", "mbar": "MBR", "N": "NEW", "kN": "B47", "percent": "P1", "Hz": "HTZ",
    "kHz": "KHZ", "MHz": "MHZ", "GHz": "A86", "T": "D33", "rpm": "RPM", "1/cm": "E90", "ohm": "OHM",
    "mL": "MLT", "L": "LTR", "": "C62",
}  # fmt: skip


def files(parcel: Parcel) -> Files:
    """The crate: ``ro-crate-metadata.json``, the raw files given, and the NeXus file."""
    standard = f"{parcel.name}.nxs"
    made: Files = {METADATA: b"", **{f"raw/{name}": c for name, c in parcel.raw.items()}}
    made[standard] = parcel.standard_file
    graph = {"@context": f"{_PROFILE}/context", "@graph": list(_graph(parcel, standard))}
    made[METADATA] = (json.dumps(graph, ensure_ascii=False, indent=2) + "\n").encode()
    return made


def _graph(parcel: Parcel, standard: str) -> Iterator[dict[str, Any]]:
    m = parcel.measurement
    raw = list(_raw_files(parcel))
    signals = [_signal(entry, name) for entry in m for name in _named(entry)]
    conditions = [_condition(entry, fact) for entry in m for fact in facts(entry)]
    context = list(_context(parcel))
    actions = list(_actions(parcel, raw, standard, conditions, context))
    yield {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _PROFILE},
        "about": {"@id": "./"},
    }
    yield _without_nothing(
        {
            "@id": "./",
            "@type": "Dataset",
            "name": parcel.title,
            "description": f"{parcel.technique_titles[0]}: the instrument's files and the same measurement in NeXus.",
            "datePublished": parcel.at.isoformat(),
            "measurementTechnique": parcel.technique_titles[0],
            "license": {"@id": parcel.licence} if parcel.licence else None,
            "author": _link(context, "Person"),
            "about": _link(context, "Thing"),
            "hasPart": [{"@id": item["@id"]} for item in raw if item["@type"] == "File"]
            + [{"@id": quote(standard)}],
            "mainEntity": {"@id": quote(standard)},
            "mentions": [{"@id": action["@id"]} for action in actions],
            "variableMeasured": [{"@id": item["@id"]} for item in signals],
        }
    )
    yield from raw
    yield {
        "@id": quote(standard),
        "@type": "File",
        "name": standard,
        "description": "The measurement in Zairyo's standard form, a NeXus file",
        "encodingFormat": "application/x-hdf5",
        "contentSize": str(size_of(parcel.standard_file)),
        "sha256": sha256_of(parcel.standard_file),
        "isBasedOn": [{"@id": item["@id"]} for item in raw],
    }
    yield from (*context, *actions, *conditions, *signals)
    if parcel.licence:
        yield {"@id": parcel.licence, "@type": "CreativeWork", "name": parcel.licence}


def _raw_files(parcel: Parcel) -> Iterator[dict[str, Any]]:
    """The raw files; one that is not in the crate is told of, but is no part of it."""
    source = parcel.measurement.source
    for raw in source.raw_files if source else ():
        is_here = raw.name in parcel.raw
        yield {
            "@id": quote(f"raw/{raw.name}") if is_here else f"urn:sha256:{raw.sha256}",
            "@type": "File" if is_here else "CreativeWork",
            "name": raw.name,
            "description": "As the instrument wrote it",
            "contentSize": str(raw.size),
            "sha256": raw.sha256,
        }


def _context(parcel: Parcel) -> Iterator[dict[str, Any]]:
    """Who, on what, with what: those that the file names."""
    m = parcel.measurement
    for identifier, kind, name in (
        ("#operator", "Person", m.operator),
        ("#sample", "Thing", m.sample),
        ("#instrument", "IndividualProduct", m.instrument),
    ):
        if name:
            yield {"@id": identifier, "@type": kind, "name": name}
    if m.source:
        yield {
            "@id": "#reader",
            "@type": "SoftwareApplication",
            "name": f"Zairyo reader {m.source.reader}",
            "softwareVersion": m.source.reader_version,
        }


def _link(context: list[dict[str, Any]], kind: str) -> dict[str, str] | None:
    return next(({"@id": item["@id"]} for item in context if item["@type"] == kind), None)


def _actions(
    parcel: Parcel,
    raw: list[dict[str, Any]],
    standard: str,
    conditions: list[dict[str, Any]],
    context: list[dict[str, Any]],
) -> Iterator[dict[str, Any]]:
    started = parcel.measurement.started
    links = [{"@id": item["@id"]} for item in raw]
    yield _without_nothing(
        {
            "@id": "#measurement",
            "@type": "CreateAction",
            "name": parcel.technique_titles[0],
            "startTime": started.isoformat() if started else None,
            "agent": _link(context, "Person"),
            "object": _link(context, "Thing"),
            "instrument": _link(context, "IndividualProduct"),
            "result": links or {"@id": quote(standard)},
            "additionalProperty": [{"@id": item["@id"]} for item in conditions],
        }
    )
    if parcel.measurement.source:
        yield {
            "@id": "#translation",
            "@type": "CreateAction",
            "name": "Translation into the standard form",
            "instrument": {"@id": "#reader"},
            "object": links,
            "result": {"@id": quote(standard)},
        }


def _condition(entry: Entry, fact: Any) -> dict[str, Any]:
    quantity: Quantity = fact.quantity
    value = quantity.value.isoformat() if isinstance(quantity.value, datetime) else quantity.value
    return {
        "@id": f"#entry/{entry.name}/condition/{fact.name}",
        "@type": "PropertyValue",
        "name": fact.title,
        "alternateName": fact.title_ja,
        "propertyID": fact.name,
        "value": value if isinstance(value, (str, bool)) or abs(value) < float("inf") else str(value),
        **_unit(quantity.unit),
    }


def _named(entry: Entry) -> list[str]:
    return [*(a.name for a in entry.axes if not entry.is_table), *(s.name for s in entry.signals)]


def _signal(entry: Entry, name: str) -> dict[str, Any]:
    part = entry[name]
    return {
        "@id": f"#entry/{entry.name}/{name}",
        "@type": "PropertyValue",
        "name": part.long_name or name.replace("_", " "),
        "propertyID": name,
        **_unit(part.unit),
    }


def _unit(unit: str | None) -> dict[str, str]:
    if unit is None:
        return {}
    said = {"unitText": unit} if unit else {}
    return {**said, "unitCode": _CODES[unit]} if unit in _CODES else said


def _without_nothing(entity: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entity.items() if value is not None and value != []}
