"""A minimal valid invoice for an RDE structuring program, made from its ``invoice.schema.json``.

In RDE a person fills the invoice in when a file is registered; a file that comes by itself has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

#: For a program without one: an invoice with nothing but what every invoice has.
EMPTY_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://rde.nims.go.jp/rde/dataset-templates/zairyo/invoice.schema.json",
    "type": "object",
    "required": [],
    "properties": {},
}
_NOBODY = "0" * 56  # what identifies a person in RDE has 56 letters and digits
_NOTHING = "00000000-0000-0000-0000-000000000000"
_FORMATS = {"time": "00:00:00", "uri": "urn:none", "uuid": _NOTHING}


def invoice_of(schema: Any, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The invoice of one input.

    Parameters
    ----------
    schema
        What ``invoice.schema.json`` holds.
    name
        What the data and the sample are called.
    given
        Values that win over those made here, nested as the invoice is.
    """
    schema = schema if isinstance(schema, dict) else {}
    properties, required = schema.get("properties") or {}, schema.get("required") or []
    invoice: dict[str, Any] = {
        "datasetId": _NOTHING,
        "basic": {
            "dateSubmitted": date.today().isoformat(),
            "dataOwnerId": _NOBODY,
            "dataName": name,
            "instrumentId": None,
            "experimentId": None,
            "description": None,
        },
    }
    if "custom" in required and isinstance(properties.get("custom"), dict):
        invoice["custom"] = _custom(properties["custom"])
    if "sample" in required and isinstance(properties.get("sample"), dict):
        invoice["sample"] = _sample(properties["sample"], name)
    return _merged(invoice, given)


def _custom(schema: Mapping[str, Any]) -> dict[str, Any]:
    needed = schema.get("required") or []
    fields = schema.get("properties") or {}
    return {key: _value(field, key in needed) for key, field in fields.items() if isinstance(field, dict)}


def _value(field: Mapping[str, Any], needed: bool) -> Any:
    """What a field says that nobody filled in: its default, else nothing, unless it must say something."""
    for key in ("default", "const"):
        if field.get(key) is not None:
            return field[key]
    if not needed:
        return None
    for key in ("enum", "examples"):
        if field.get(key):
            return field[key][0]
    kind = field.get("type")
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        low = field.get("minimum", field.get("exclusiveMinimum", -1) + 1)
        return min(low, field.get("maximum", low), field.get("exclusiveMaximum", low + 1) - 1)
    if field.get("format") == "date":
        return date.today().isoformat()
    return _FORMATS.get(str(field.get("format")), "-" * int(field.get("minLength") or 0))


def _sample(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    sample: dict[str, Any] = {
        "sampleId": "",
        "names": [name],
        "composition": None,
        "referenceUrl": None,
        "description": None,
        "ownerId": _NOBODY,
    }
    fields = schema.get("properties") or {}
    for key in ("generalAttributes", "specificAttributes"):
        items = (fields.get(key) or {}).get("items") or []
        sample[key] = [
            {
                **{k: v.get("const") for k, v in item.get("properties", {}).items() if "const" in v},
                "value": None,
            }
            for item in items
        ]
    return sample


def _merged(made: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(made)
    for key, value in given.items():
        before = result.get(key)
        both = isinstance(before, dict) and isinstance(value, Mapping)
        result[key] = _merged(before, value) if both and before is not None else value
    return result
