"""Neware BTS `.ndax`: a zip archive with a test's records, its sensors and its description in XML."""

from __future__ import annotations

import re
from datetime import datetime
from xml.etree.ElementTree import Element

import numpy as np

from zairyo.measurement import Measurement
from zairyo.measurement.model import Quantity
from zairyo.measurement.text import clean_text, tidy_metadata
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._neware_ndc import (
    CHECKPOINTS,
    MAIN,
    SENSOR,
    STEPS,
    Table,
    described_records,
    sensor_values,
    split_records,
    version_of,
    whole_records,
)
from zairyo.readers._neware_records import add_extra, place
from zairyo.readers._neware_table import CHARGING, DISCHARGING, Records, make_entry
from zairyo.readers._xml import parse_xml, tree

_MOST_XML = 16 * 1024**2
_MOST_TABLE = 1024**3
#: What a sensor's channel measures, by its type in TestInfo.xml: name, unit, factor to that unit, label.
_CHANNEL_TYPES = {
    102: ("auxiliary_voltage", "V", 1, "Voltage"),
    103: ("temperature", "degC", 1, "Temperature"),
    104: ("auxiliary_current", "mA", 1000, "Current"),
    105: ("auxiliary_voltage", "V", 1, "Voltage"),
    106: ("temperature", "degC", 1, "Temperature"),
    107: ("auxiliary_current", "mA", 1000, "Current"),
    108: ("clamp_temperature", "degC", 1, "Temperature of the clamp"),
    109: ("clamp_weight", "kg", 1, "Weight on the clamp"),
    110: ("clamp_air_pressure", "kPa", 1, "Air pressure of the clamp"),
    111: ("leader_temperature", "degC", 1, "Temperature of the leader"),
    113: ("humidity", None, 1, "Humidity"),
    114: ("thickness", "mm", 1, "Thickness"),
    115: ("flow", None, 1, "Flow"),
    117: ("pressure", "bar", 1, "Pressure"),
    118: ("force", "N", 1, "Force"),
    335: ("temperature_setpoint", "degC", 1, "Temperature set point"),
    345: ("humidity", "percent", 1, "Relative humidity"),
}
_READINGS = {
    "voltage": ("auxiliary_voltage", "V", "Voltage"),
    "temperature": ("temperature", "degC", "Temperature"),
    "setpoint": ("temperature_setpoint", "degC", "Temperature set point"),
}
_SENSOR_PART = re.compile(r"(?:^|/)data_AUX_(\d+)_(\d+)_(\d+)\.ndc$", re.IGNORECASE)
_OTHER_PART = re.compile(r"_(\d+)\.ndc$")


def _sniff(source: RawInput) -> float:
    names = {name.rsplit("/", 1)[-1] for name in source.members}
    return CERTAIN if "data.ndc" in names else NO


class _Description:
    """The XML parts: as metadata, and what is asked of them. A damaged one costs itself and a warning."""

    def __init__(self, source: RawInput) -> None:
        self.metadata: dict[str, object] = {}
        self.warnings: list[str] = []
        self._configs: dict[str, Element] = {}
        for name in source.members:
            if not name.lower().endswith(".xml"):
                continue
            part = name.rsplit("/", 1)[-1][:-4]
            try:
                root = _parse(source.member(name, _MOST_XML), name)
            except ReadError as e:
                self.warnings.append(f"Part {name} could not be read and is left out: {e}")
                continue
            config = root.find("config")
            self._configs[part] = root if config is None else config
            self.metadata[part] = tree(self._configs[part])

    def first(self, part: str, path: str) -> Element | None:
        config = self._configs.get(part)
        return None if config is None else config.find(path)

    def attribute(self, part: str, path: str, name: str) -> str:
        element = self.first(part, path)
        return "" if element is None else element.get(name, "").strip()

    def sensors(self) -> list[dict[str, str]]:
        info = self.first("TestInfo", "TestInfo")
        return [] if info is None else [dict(e.attrib) for e in info if re.fullmatch(r"(?i)aux\d*", e.tag)]

    def steps(self) -> list[Element]:
        info = self.first("Step", "Step_Info")
        return [] if info is None else list(info)


def _parse(data: bytes, name: str) -> Element:
    """The parser knows no GB 2312: decode first, and drop the declaration that names it."""
    declared = re.match(rb"\s*<\?xml[^>]*encoding=[\"']([\w.-]+)[\"'][^>]*\?>", data)
    if declared is None or declared.group(1).lower() not in (b"gb2312", b"gbk", b"gb18030"):
        return parse_xml(data, f"Part {name}")
    text = data[declared.end() :].decode("gb18030", "replace")
    return parse_xml(text.encode(), f"Part {name}")


def _limits(steps: list[Element]) -> dict[str, Quantity]:
    """The highest voltage a charge may reach and the lowest a discharge may, in the protocol."""
    ends: dict[str, list[float]] = {"upper": [], "lower": []}
    for step in steps:
        code = step.get("Step_Type", "")
        kind = int(code) if code.isdecimal() else 0
        side = "upper" if kind in CHARGING else "lower" if kind in DISCHARGING else ""
        for name in ("Stop_Volt", "Volt"):
            value = step.find(f"Limit/Main/{name}")
            if side and value is not None:
                try:
                    ends[side].append(float(value.get("Value", "")) / 1e4)
                except ValueError:
                    continue
    found = {}
    if ends["upper"]:
        found["voltage_upper_limit"] = Quantity(max(ends["upper"]), "V")
    if ends["lower"]:
        found["voltage_lower_limit"] = Quantity(min(ends["lower"]), "V")
    return found


def _conditions(description: _Description) -> dict[str, Quantity]:
    def info(name: str) -> str:
        return description.attribute("TestInfo", "TestInfo", name)

    found = {
        "test_protocol": info("StepName"),
        "barcode": info("Barcode") or info("BarCode"),
        "channel": "-".join(filter(None, (info("DevID"), info("UnitID"), info("ChlID")))),
        "comment": info("Remark") or info("Remarks"),
        "software": description.attribute("VersionInfo", "ZwjVersion", "CurrClientVer"),
    }
    conditions = {name: Quantity(clean_text(value)) for name, value in found.items() if value}
    return conditions | _limits(description.steps())


def _records(source: RawInput, folder: str) -> Records:
    def part(name: str, kind: int) -> Table:
        return Table.of(name, source.member(folder + name, _MOST_TABLE), kind)

    main = part("data.ndc", MAIN)
    if main.version == 15:
        return described_records(main)
    if main.version in (2, 5):
        return whole_records(main)
    version_of(main)  # of an unknown version the other parts tell nothing
    steps = part("data_step.ndc", STEPS) if f"{folder}data_step.ndc" in source.members else None
    return split_records(main, part("data_runInfo.ndc", CHECKPOINTS), steps)


def _sensor_parts(source: RawInput, sensors: list[dict[str, str]]) -> list[tuple[str, dict[str, str]]]:
    """Each sensor's part with what TestInfo.xml says of it.

    Newer names are ``data_AUX_<channel>_<type − 100>_<TypeID>.ndc``, which finds the sensor; older ones only
    count, and follow the order of TestInfo.xml if there are as many.
    """
    found, counted = [], []
    for name in source.members:
        if named := _SENSOR_PART.search(name):
            channel, kind, _ = (int(n) for n in named.groups())
            fits = [s for s in sensors if s.get("RealChlID") == str(channel)]
            fits = [s for s in fits if s.get("ChlType") == str(kind + 100)]
            found.append((name, fits[0] if fits else {}))
        elif plain := _OTHER_PART.search(name):
            counted.append((int(plain.group(1)), name))
    if counted:
        described = sensors if len(sensors) == len(counted) and not found else [{}] * len(counted)
        found += [(name, sensor) for (_, name), sensor in zip(sorted(counted), described, strict=True)]
    return found


def _add_sensors(source: RawInput, description: _Description, records: Records) -> None:
    index = records.columns["index"]
    for name, sensor in _sensor_parts(source, description.sensors()):
        try:
            other, readings = sensor_values(Table.of(name, source.member(name, _MOST_TABLE), SENSOR))
        except ReadError as e:
            records.warnings.append(f"A sensor is left out: {e}")
            continue
        who = f"sensor {sensor['AuxID']}" if "AuxID" in sensor else f"sensor of {name}"
        code = sensor.get("ChlType", "")
        if "value" in readings:
            known = _CHANNEL_TYPES.get(int(code)) if code.isdecimal() else None
            column, unit, factor, label = known or ("auxiliary", None, 1, f"Channel type {code or 'unknown'}")
            if known is None:
                records.warnings.append(
                    f"What {name} measures (channel type {code or 'not stated'}) is not known; its numbers are kept"
                    " without a unit."
                )
            add_extra(
                records, column, place(index, other, readings["value"] * factor), unit, f"{label}, {who}"
            )
            continue
        for reading, values in readings.items():
            if np.any(values):  # a sensor has one wire: what it does not measure is zero throughout
                column, unit, label = _READINGS[reading]
                add_extra(records, column, place(index, other, values), unit, f"{label}, {who}")


def _started(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None


@np.errstate(all="ignore")  # damaged bytes are odd numbers, not news for the console
def _read(source: RawInput) -> Measurement:
    main = next((name for name in source.members if name.rsplit("/", 1)[-1] == "data.ndc"), None)
    if main is None:
        raise ReadError(f"{source.name} is an archive without data.ndc; it is no Neware test or is cut off.")
    description = _Description(source)
    records = _records(source, main.removesuffix("data.ndc"))
    _add_sensors(source, description, records)
    records.warnings[:0] = description.warnings
    title = clean_text(source.path.name.split(".")[0])
    # The description's start is the tester's clock; where records carry universal time, theirs says more.
    started = None if records.utc else _started(description.attribute("TestInfo", "TestInfo", "StartTime"))
    entry, warnings = make_entry(records, title=title, started=started, conditions=_conditions(description))
    return Measurement(
        (entry,),
        title=title,
        sample=clean_text(description.attribute("TestInfo", "TestInfo", "Barcode")),
        instrument="Neware battery tester",
        operator=clean_text(description.attribute("TestInfo", "TestInfo", "Creator")),
        original_metadata=tidy_metadata(description.metadata),
        warnings=tuple(warnings),
    )


READER = Reader(
    name="neware_ndax",
    version="2",
    techniques=("battery_cycling",),
    vendor="Neware",
    format="BTS test archive (ndax)",
    endings=(".ndax",),
    sniff=_sniff,
    read=_read,
    notes="Tables of versions 2, 5, 8, 9, 11–17 with their sensors and XML descriptions; the log is not read.",
)
