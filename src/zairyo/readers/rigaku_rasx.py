"""Rigaku SmartLab Studio II ``.rasx``: a zip archive with a folder ``Data<n>`` a range.

``Profile<n>.txt`` has the rows (position, intensity, attenuation factor), ``MesurementConditions<n>.xml`` (so
spelt) the header. Detector images (``Image<n>.bin``) are not read.
"""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree.ElementTree import Element

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, Reader, ReadError
from zairyo.readers._diffraction import numbers, quantity, text_or_none
from zairyo.readers._diffraction_scans import Scan, measurement
from zairyo.readers._rigaku import rows_of, scan
from zairyo.readers._xml import find, find_all, parse_xml, text, tree

_MOST = 256 * 1024**2
_PROFILE = re.compile(r"(.*?)(\d+)/Profile(\d*)\.txt\Z", re.IGNORECASE)
_IMAGE = re.compile(r"\d+/Image[^/]*\Z", re.IGNORECASE)

#: Path in the XML → the key of ``.ras`` that says the same.
_KEYS = {
    "GeneralInformation/Comment": "FILE_COMMENT",
    "HWConfigurations/XrayGenerator/TargetName": "HW_XG_TARGET_NAME",
    "HWConfigurations/XrayGenerator/FocusType": "HW_XG_FOCUS_TYPE",
    "HWConfigurations/XrayGenerator/Current": "MEAS_COND_XG_CURRENT",
    "HWConfigurations/XrayGenerator/CurrentUnit": "HW_XG_CURRENT_UNIT",
    "HWConfigurations/XrayGenerator/Voltage": "MEAS_COND_XG_VOLTAGE",
    "HWConfigurations/XrayGenerator/VoltageUnit": "HW_XG_VOLTAGE_UNIT",
    "HWConfigurations/XrayGenerator/WavelengthKalpha1": "HW_XG_WAVE_LENGTH_ALPHA1",
    "HWConfigurations/XrayGenerator/WavelengthKalpha2": "HW_XG_WAVE_LENGTH_ALPHA2",
    "HWConfigurations/XrayGenerator/WavelengthKbeta": "HW_XG_WAVE_LENGTH_BETA",
    "HWConfigurations/Optics/Attribute": "MEAS_COND_OPT_NAME",
    "ScanInformation/AxisName": "MEAS_SCAN_AXIS_X_INTERNAL",
    "ScanInformation/Mode": "MEAS_SCAN_MODE",
    "ScanInformation/Step": "MEAS_SCAN_STEP",
    "ScanInformation/Speed": "MEAS_SCAN_SPEED",
    "ScanInformation/SpeedUnit": "MEAS_SCAN_SPEED_UNIT",
    "ScanInformation/PositionUnit": "MEAS_SCAN_UNIT_X",
    "ScanInformation/IntensityUnit": "MEAS_SCAN_UNIT_Y",
    "ScanInformation/StartTime": "MEAS_SCAN_START_TIME",
    "ScanInformation/EndTime": "MEAS_SCAN_END_TIME",
    "ScanInformation/DataCount": "MEAS_DATA_COUNT",
}


def _profiles(src: RawInput) -> list[str]:
    """Members with rows, in the order of their numbers (Data2 before Data10)."""
    found = [(m, n) for n in src.members if (m := _PROFILE.match(n))]
    return [n for m, n in sorted(found, key=lambda p: (p[0][1], int(p[0][2]), int(p[0][3] or 0)))]


def _sniff(src: RawInput) -> float:
    conditions = any("MesurementConditions" in n or "MeasurementConditions" in n for n in src.members)
    return CERTAIN if conditions and any(re.match(r"Data\d+/", n) for n in src.members) else NO


def _conditions_of(profile: str, src: RawInput) -> str:
    for spelling in ("MesurementConditions", "MeasurementConditions"):
        name = re.sub(r"Profile(\d*)\.txt\Z", rf"{spelling}\1.xml", profile, flags=re.IGNORECASE)
        if name in src.members:
            return name
    raise ReadError(
        f"{src.name} has {profile} but not its conditions; the archive is incomplete. Copy it again."
    )


def _header(root: Element) -> dict[str, str]:
    pairs = [[text(s) for s in find_all(pair, "string")] for pair in find_all(root, "RASHeader/Pair")]
    keys = {pair[0].removeprefix("*"): pair[1] for pair in pairs if len(pair) == 2}
    return keys | {key: value for path, key in _KEYS.items() if (value := text(root, path))}


def _axes(root: Element) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for axis in find_all(root, "Axes/Axis"):
        name = axis.get("Name", "").strip()
        if name and axis.get("Position") is not None:
            found.setdefault(name, (axis.get("Position", "").strip(), axis.get("Unit", "").strip()))
    return found


def _scan(member: str, root: Element, src: RawInput, warnings: list[str]) -> Scan:
    block = src.member(member, _MOST).decode("utf-8-sig", "replace")
    columns = len(block.split("\n", 1)[0].split())
    rows = rows_of(numbers(block, member, warnings), columns, member)
    made = scan(_header(root), _axes(root), rows, tree(root), member, warnings)
    distances = {
        (d.get("From"), d.get("To")): quantity(d.get("Value", ""), d.get("Unit") or "mm")
        for d in find_all(root, "HWConfigurations/Distances/Distance")
    }
    parts = {
        c.get("Name"): c.get("SelectedUnit", "")
        for c in find_all(root, "HWConfigurations/Categories/Category")
    }
    found = dict(made.conditions)
    found["goniometer_radius"] = distances.get(("XrayGenerator", "AttachmentStage"))
    found["detector"] = text_or_none(parts.get("Detector", ""))
    return replace(made, conditions=found)


def _read(src: RawInput) -> Measurement:
    warnings: list[str] = []
    scans: list[Scan] = []
    general: Element | None = None
    for member in _profiles(src):
        conditions = _conditions_of(member, src)
        root = parse_xml(src.member(conditions, _MOST), conditions)
        general = find(root, "GeneralInformation") if general is None else general
        scans.append(_scan(member, root, src, warnings))
    images = sum(1 for n in src.members if _IMAGE.search(n))
    if images:
        warnings.append(
            f"{images} detector images are in the archive; they are not read and stay in the raw file."
        )
    if not scans:
        raise ReadError(f"{src.name} holds no Profile*.txt, only {images} images: there is no scan to read.")
    return measurement(
        scans,
        warnings,
        sample=text(general, "SampleName"),
        title=text(general, "SampleName"),
        operator=text(general, "Operator"),
        instrument=text(general, "SystemName"),
        original_metadata={
            "root": tree(parse_xml(src.member("root.xml", _MOST), "root.xml"), skip={"Signature"})
        }
        if "root.xml" in src.members
        else {},
    )


def _contents(src: RawInput) -> dict[str, object]:
    if "root.xml" not in src.members:
        return {}
    return {"root": tree(parse_xml(src.member("root.xml", _MOST), "root.xml"), skip={"Signature"})}


READER = Reader(
    name="rigaku_rasx",
    version="1",
    techniques=("xrd",),
    vendor="Rigaku",
    format="RASX",
    endings=(".rasx",),
    sniff=_sniff,
    read=_read,
    notes=(
        "One or several ranges; ranges that step a further axis become one map. Intensities are multiplied by the "
        "attenuation factors. Two-dimensional detector images are not read."
    ),
)
