"""The folder layout of NIMS's Research Data Express (RDE).

Source: the RDE toolkit's documentation of ``data/`` and of ``metadata.json`` (``constant`` for the whole data set,
``variable`` a set for each measurement in it) and ``metadata-def.json``.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zairyo.exports._parcel import ExportError, Files, Parcel, facts
from zairyo.exports.table import csv_lines
from zairyo.measurement import Entry, Measurement, MeasurementError, Quantity

#: What a text in ``metadata.json`` may have, in bytes of UTF-8.
_LONGEST = 1024
#: An entry of more points is in the NeXus file only.
_MOST_POINTS = 2_000_000
_MAIN_INCHES, _MAIN_DPI = (6.4, 4.8), 150
_THUMBNAIL_DPI = 45  # 288 × 216 pixels, about what RDE's own are
_NOBODY = "0" * 56  # what identifies a person in RDE has 56 letters and digits
_EMPTY = ("nonshared_raw/", "attachment/")


@dataclass(frozen=True)
class _Item:
    """A key of ``metadata.json``: its titles, and its value."""

    key: str
    title: str
    title_ja: str
    quantity: Quantity


def files(parcel: Parcel) -> Files:
    """The RDE folder of a measurement: raw files, NeXus and CSV, metadata with definitions, plots, an invoice.

    Raises
    ------
    ExportError
        Matplotlib, which draws the plots, is not installed.
    """
    m = parcel.measurement
    constant, variable = _metadata(parcel)
    made: Files = dict.fromkeys(_EMPTY, b"")
    made |= {f"raw/{name}": content for name, content in parcel.raw.items()}
    made |= {f"structured/{parcel.name}.nxs": parcel.standard_file}
    made |= {f"structured/{entry.name}.csv": _csv(entry) for entry in m if _is_small(entry)}
    made["meta/metadata.json"] = _json(
        {
            "constant": {item.key: _value(item.quantity) for item in constant},
            "variable": [{item.key: _value(item.quantity) for item in items} for items in variable],
        }
    )
    made |= dict(_images(m))
    made["logs/zairyo.log"] = "".join(f"{line}\n" for line in _log(parcel)).encode()
    made["invoice/invoice.json"] = _json(_invoice(parcel))
    made["tasksupport/metadata-def.json"] = _json(_definitions(constant, variable))
    made["tasksupport/invoice.schema.json"] = _json(_schema(m))
    return made


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _is_small(entry: Entry) -> bool:
    return entry.signal.values.size <= _MOST_POINTS


def _csv(entry: Entry) -> bytes:
    return b"".join(csv_lines(entry, for_people=False))


# --- metadata ----------------------------------------------------------------------------------------------------


def _metadata(parcel: Parcel) -> tuple[list[_Item], list[list[_Item]]]:
    """What holds for the whole measurement, and a list for each entry if they differ."""
    own = [_of_entry(entry) for entry in parcel.measurement]
    shared = [item for item in own[0] if all(item in items for items in own[1:])]
    rest = [[item for item in items if item not in shared] for items in own]
    return [*_of_measurement(parcel), *shared], rest if any(rest) else []


def _of_measurement(parcel: Parcel) -> Iterator[_Item]:
    m = parcel.measurement
    technique, technique_ja = parcel.technique_titles
    texts = (
        ("title", "Title", "タイトル", parcel.title),
        ("technique", "Technique", "測定法", f"{technique} ({technique_ja})"),
        ("sample", "Sample", "試料名", m.sample),
        ("instrument", "Instrument", "装置名", m.instrument),
        ("operator", "Operator", "測定者", m.operator),
        ("reader", "Reader", "リーダー", f"{m.source.reader} {m.source.reader_version}" if m.source else ""),
    )
    yield from (_Item(key, en, ja, Quantity(value)) for key, en, ja, value in texts if value)
    for number, raw in enumerate(m.source.raw_files if m.source else (), 1):
        yield _Item(
            f"raw_file_{number}_sha256",
            f"SHA-256 of raw file {number}",
            f"生データファイル{number}のSHA-256",
            Quantity(f"{raw.sha256} {raw.name}"),
        )


def _of_entry(entry: Entry) -> list[_Item]:
    found = []
    if entry.started is not None:
        found.append(_Item("started", "Start", "測定開始日時", Quantity(entry.started)))
    for fact in facts(entry):
        if isinstance(fact.quantity.value, float) and not math.isfinite(fact.quantity.value):
            continue  # JSON has no such number
        found.append(_Item(fact.name, fact.title, fact.title_ja, fact.quantity))
        if fact.quantity.uncertainty is not None:
            said = Quantity(fact.quantity.uncertainty, fact.quantity.unit)
            titles = (f"{fact.title}, uncertainty", f"{fact.title_ja}の不確かさ")
            found.append(_Item(f"{fact.name}_uncertainty", *titles, said))
    return found


def _value(quantity: Quantity) -> dict[str, Any]:
    value = quantity.value
    if isinstance(value, datetime):
        value = value.isoformat()
    if isinstance(value, str):
        value = value.encode()[:_LONGEST].decode("utf-8", "ignore")
    return {"value": value, "unit": quantity.unit} if quantity.unit else {"value": value}


def _definitions(constant: list[_Item], variable: list[list[_Item]]) -> dict[str, Any]:
    """``metadata-def.json``: what each key means, in English and Japanese, its type and unit."""
    of_entries = {item.key: item for items in variable for item in items}
    found: dict[str, Any] = {}
    for item in (*constant, *of_entries.values()):
        definition: dict[str, Any] = {
            "name": {"ja": item.title_ja, "en": item.title},
            "schema": _type(item.quantity),
        }
        if item.quantity.unit:
            definition["unit"] = item.quantity.unit
        found[item.key] = {**definition, "order": len(found) + 1}
        if item.key in of_entries:
            found[item.key]["variable"] = 1
    return found


def _type(quantity: Quantity) -> dict[str, str]:
    if isinstance(quantity.value, datetime):
        return {"type": "string", "format": "date-time"}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": kinds[type(quantity.value)]}


def _log(parcel: Parcel) -> Iterator[str]:
    yield f"Exported by Zairyo at {parcel.at.isoformat()}."
    yield from parcel.measurement.warnings
    for entry in parcel.measurement:
        if not _is_small(entry):
            yield f"{entry.name} has {entry.signal.values.size:,} points and is in the NeXus file only."


# --- invoice -----------------------------------------------------------------------------------------------------


def _invoice(parcel: Parcel) -> dict[str, Any]:
    """An invoice that is valid as it stands; RDE's owner and data set are filled in when it is registered."""
    invoice: dict[str, Any] = {
        "datasetId": "",
        "basic": {
            "dateSubmitted": parcel.at.date().isoformat(),
            "dataOwnerId": _NOBODY,
            "dataName": parcel.title,
            "instrumentId": None,
            "experimentId": None,
            "description": parcel.technique_titles[0],
        },
    }
    if parcel.measurement.sample:
        invoice["sample"] = {
            "sampleId": "",
            "names": [parcel.measurement.sample],
            "composition": None,
            "referenceUrl": None,
            "description": None,
            "ownerId": _NOBODY,
        }
    return invoice


def _schema(m: Measurement) -> dict[str, Any]:
    sample = {"type": "object", "label": {"ja": "試料情報", "en": "Sample"}, "properties": {}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://rde.nims.go.jp/rde/dataset-templates/zairyo/invoice.schema.json",
        "type": "object",
        "required": ["sample"] if m.sample else [],
        "properties": {"sample": sample} if m.sample else {},
    }


# --- images ------------------------------------------------------------------------------------------------------


def _images(m: Measurement) -> Iterator[tuple[str, bytes]]:
    """The default entry large and small, then every other that has something to draw."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ExportError("RDE's images need Matplotlib; `pip install 'zairyo[notebook]'` adds it") from None

    from zairyo.measurement.show import plot

    for entry in (m[m.default], *(e for e in m if e.name != m.default)):
        figure = Figure(figsize=_MAIN_INCHES, layout="constrained")
        try:
            plot(entry, ax=figure.add_subplot())
        except MeasurementError:  # text, say
            continue
        is_default = entry.name == m.default
        yield f"{'main_image' if is_default else 'other_image'}/{entry.name}.png", _png(figure, _MAIN_DPI)
        if is_default:
            yield f"thumbnail/{entry.name}.png", _png(figure, _THUMBNAIL_DPI)


def _png(figure: Any, dpi: int) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
