"""MaiML (JIS K 0200:2024): a document of what was measured, how, and where the numbers are.

The numbers themselves are in the files that the document names, each by its SHA-256. The method is one step: from a
material and its conditions to a result.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from types import ModuleType
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

from zairyo.exports._parcel import ExportError, Files, Parcel, facts, sha256_of
from zairyo.measurement import Entry, Quantity, make_name

NAMESPACES = {
    "zairyo": "urn:zairyo:vocabulary",
    "lifecycle": "http://www.xes-standard.org/lifecycle.xesext#",
    "time": "http://www.xes-standard.org/time.xesext#",
    "concept": "http://www.xes-standard.org/concept.xesext#",
}
#: Of all that MaiML documents from here name: the same thing has the same identifier in each.
_OURS = UUID("5d1f6a52-6c0e-5b52-9c1b-3b1f2c7f2f0a")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def files(parcel: Parcel) -> Files:
    """The document, the NeXus file and the raw files given.

    Raises
    ------
    ExportError
        ``pymaiml`` is not installed.
    """
    standard = f"{parcel.name}.nxs"
    made: Files = {f"{parcel.name}.maiml": b"", standard: parcel.standard_file}
    made |= {f"raw/{name}": content for name, content in parcel.raw.items()}
    made[f"{parcel.name}.maiml"] = _Document(parcel, standard).xml().encode()
    return made


class _Document:
    """Makes the parts of one document; ``m`` are the classes of the schema."""

    def __init__(self, parcel: Parcel, standard: str) -> None:
        try:
            import maiml_domain
            from pymaiml import serialization
        except ModuleNotFoundError as e:
            raise ExportError(f"MaiML needs {e.name}; `pip install 'zairyo[maiml]'` adds it") from None
        self._m: ModuleType = maiml_domain
        self._dumps = serialization.dumps
        self._parcel = parcel
        self._standard = standard
        source = parcel.measurement.source
        hashes = [f.sha256 for f in source.raw_files] if source else []
        self._this = "/".join(hashes) or sha256_of(parcel.standard_file)
        self._kinds = _kinds(parcel)

    def xml(self) -> str:
        m = self._m
        root = m.MaimlRootType(self._document(), self._protocol(), self._data(), self._event_log())
        return str(self._dumps(root, extra_namespaces=NAMESPACES))

    def _uuid(self, *names: str) -> Any:
        return self._m.Uuid(str(uuid5(_OURS, "/".join(names))))

    def _own(self, identifier: str, text: str = "", **rest: Any) -> Any:
        """The content of something in this document alone."""
        said = _clean(text) or None
        return self._m.GlobalObjectContent(uuid=self._uuid(self._this, identifier), description=said, **rest)

    def _shared(self, kind: str, name: str) -> Any:
        """The content of something that other documents name too: by its name it has the same identifier."""
        return self._m.GlobalObjectContent(
            uuid=self._uuid(kind, name), name=make_name(name), description=_clean(name)
        )

    # --- document ---

    def _document(self) -> Any:
        m, parcel = self._m, self._parcel
        measurement = parcel.measurement
        source = measurement.source
        reader = f"Zairyo reader {source.reader} {source.reader_version}" if source else "Zairyo"
        instruments = []
        if measurement.instrument:
            instruments = [
                m.InstrumentType("instrument1", self._shared("instrument", measurement.instrument))
            ]
        creator = m.CreatorType(
            "creator1",
            [m.VendorRefType("vendorRef1", "vendor1")],
            self._shared("creator", reader),
            [m.InstrumentRefType("instrumentRef1", "instrument1")] if instruments else [],
        )
        return m.DocumentType(
            "document1",
            parcel.at,
            creators=[creator],
            vendors=[m.VendorType("vendor1", self._shared("vendor", "Zairyo"))],
            owners=[m.OwnerType("owner1", self._shared("owner", measurement.operator or "not stated"))],
            content=self._own("document", parcel.title, name=make_name(parcel.title)),
            instruments=instruments,
        )

    # --- protocol ---

    def _protocol(self) -> Any:
        m = self._m
        technique, technique_ja = self._parcel.technique_titles
        pnml = m.PnmlType(
            "pnml1",
            places=[m.PlaceType(f"place_{name}") for name in ("material", "condition", "result")],
            transitions=[m.TransitionType("transition1", description=technique)],
            arcs=[
                m.ArcType("arc1", "place_material", "transition1"),
                m.ArcType("arc2", "place_condition", "transition1"),
                m.ArcType("arc3", "transition1", "place_result"),
            ],
            content=self._own("pnml"),
        )
        step = m.InstructionType(
            "instruction1",
            [m.TransitionRefType("transitionRef1", "transition1")],
            self._own("instruction", technique),
        )
        placeholders = [self._typed(name, None, None) for name in self._kinds]
        program = m.ProgramType(
            "program1",
            [step],
            self._own("program", technique),
            material_templates=[self._template(m.MaterialTemplateType, "material", [])],
            condition_templates=[self._template(m.ConditionTemplateType, "condition", placeholders)],
            result_templates=[self._template(m.ResultTemplateType, "result", [])],
        )
        title = f"{technique} ({technique_ja})"
        method = m.MethodType("method1", [pnml], [program], self._own("method", title))
        return m.ProtocolType("protocol1", [method], self._own("protocol", title))

    def _template(self, kind: Any, name: str, properties: list[Any]) -> Any:
        place = self._m.PlaceRefType(f"placeRef_{name}", f"place_{name}")
        return kind(f"template_{name}", [place], self._own(f"template {name}", properties=properties))

    # --- data ---

    def _data(self) -> Any:
        m, parcel = self._m, self._parcel
        source = parcel.measurement.source
        raw = [
            self._insertion(f"raw/{f.name}" if f.name in parcel.raw else f.name, f.sha256)
            for f in (source.raw_files if source else ())
        ]
        results = m.ResultsType(
            "results1",
            self._own("results", parcel.title, insertions=raw),
            materials=[
                m.MaterialType("material1", "template_material", self._own("material", self._sample()))
            ],
            conditions=[self._condition(n, entry) for n, entry in enumerate(parcel.measurement, 1)],
            results=[self._result(n, entry) for n, entry in enumerate(parcel.measurement, 1)],
        )
        return m.DataType("data1", [results], self._own("data"))

    def _sample(self) -> str:
        return self._parcel.measurement.sample or "not stated"

    def _condition(self, number: int, entry: Entry) -> Any:
        said = [self._typed(f.name, f.quantity, f"{f.title} ({f.title_ja})") for f in facts(entry)]
        content = self._own(f"condition {number}", entry.title or entry.name, properties=said)
        return self._m.ConditionType(f"condition{number}", "template_condition", content)

    def _result(self, number: int, entry: Entry) -> Any:
        """Where the numbers of an entry are, and what each of its arrays is."""
        m = self._m
        names = [*(a.name for a in entry.axes if not entry.is_table), *(s.name for s in entry.signals)]
        arrays = []
        for name in names:
            part = entry[name]
            inside = [m.StringType("zairyo:path", f"/{entry.name}/data/{name}")]
            shape = " ".join(map(str, part.values.shape))
            inside.append(m.StringType("zairyo:shape", shape))
            if part.unit:
                inside.append(m.StringType("zairyo:unit", _clean(part.unit)))
            text = _clean(part.long_name or name.replace("_", " "))
            arrays.append(m.StringType("zairyo:array", name, description=text, properties=inside))
        file = self._insertion(self._standard, sha256_of(self._parcel.standard_file), "application/x-hdf5")
        content = self._own(
            f"result {number}", entry.title or entry.name, insertions=[file], properties=arrays
        )
        return m.ResultType(f"result{number}", "template_result", content)

    def _insertion(self, name: str, sha256: str, kind: str | None = None) -> Any:
        m = self._m
        value = m.HashType(bytes.fromhex(sha256), "SHA-256")
        return m.InsertionType(quote(name), value, self._uuid("file", sha256), kind)

    def _typed(self, name: str, quantity: Quantity | None, text: str | None) -> Any:
        """A property of the kind that its key has everywhere in the document; without a value in the protocol."""
        m, key, kind = self._m, f"zairyo:{name}", self._kinds[name]
        value = quantity.value if quantity else None
        if kind is float:
            unit = _clean(quantity.unit) if quantity and quantity.unit else None
            spread = quantity.uncertainty if quantity and math.isfinite(quantity.uncertainty or 0) else None
            spreads = (
                [] if spread is None else [m.DoubleType("zairyo:standard_uncertainty", spread, units=unit)]
            )
            return m.DoubleType(key, value, text, uncertainties=spreads, units=unit)
        if kind is bool:
            return m.BooleanType(key, value, text)
        if kind is datetime:
            return m.DateTimeType(key, value, text)
        return m.StringType(key, None if quantity is None else _clean(str(quantity)), text)

    # --- event log ---

    def _event_log(self) -> Any:
        m = self._m
        started = self._parcel.measurement.started
        said = [m.StringType("lifecycle:transition", "complete")]
        if started is not None:
            said.append(m.DateTimeType("time:timestamp", started))
        event = m.EventType(
            "event1",
            "instruction1",
            self._own("event", properties=said),
            [m.ResultsRefType("resultsRef1", "results1")],
            [m.CreatorRefType("creatorRef1", "creator1")],
            [m.OwnerRefType("ownerRef1", "owner1")],
        )
        trace = m.TraceType("trace1", "program1", [event], self._own("trace"))
        log = m.LogType("log1", "method1", [trace], self._own("log"))
        return m.EventLogType("eventLog1", [log], self._own("event log"))


def _kinds(parcel: Parcel) -> dict[str, type]:
    """Condition → the one kind of value it has throughout; text where entries differ, or there is no number."""
    found: dict[str, type] = {}
    for entry in parcel.measurement:
        for name, quantity in entry.conditions.items():
            kind = _kind(quantity.value)
            found[name] = kind if found.get(name, kind) is kind else str
    return found


def _kind(value: object) -> type:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float if math.isfinite(value) else str
    return type(value)


def _clean(text: str) -> str:
    """Text that XML can hold."""
    return _NOT_XML.sub("\ufffd", text)
