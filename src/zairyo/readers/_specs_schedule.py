"""What SPECS Prodigy stores as XML inside its database: the schedule's spectra, calibrations, device protocols."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from zairyo.readers._api import ReadError
from zairyo.readers._sqlite import Database
from zairyo.readers._tokens import number
from zairyo.readers._xml import attribute, find, local, parse_xml, text, tree

_DEEPEST = 100


@dataclass(frozen=True)
class Planned:
    """A spectrum as the schedule has it: ``path`` are the elements around it, outermost first."""

    element: Element
    path: tuple[Element, ...] = ()

    @property
    def name(self) -> str:
        return attribute(self.element, "Name")

    @property
    def group(self) -> Element | None:
        return next((e for e in reversed(self.path) if local(e.tag) == "SpectrumGroup"), None)

    @property
    def group_name(self) -> str:
        """The group's name without the form that some laboratories keep in it (``, #Temp: …``)."""
        return attribute(self.group, "Name").split("#", 1)[0].strip().rstrip(",").strip()

    @property
    def method(self) -> str:
        """The element below the schedule: ``XPS``, ``UPS`` …"""
        tags = [local(e.tag) for e in self.path]
        after = tags.index("Schedule") + 1 if "Schedule" in tags else len(tags)
        inside = [t for t in tags[after:] if t not in ("Loop", "SpectrumGroup")]
        return next((t for t in inside if t.isupper()), "")

    @property
    def mode(self) -> str:
        return attribute(find(self.group, "CommonSpectrumSettings/ScanMode"), "Name")

    @property
    def settings(self) -> dict[str, str]:
        """Attributes of ``FixedAnalyzerTransmissionSettings`` and its like."""
        for child in self.element:
            if local(child.tag).endswith("Settings") and attribute(child, "DwellTime"):
                return dict(child.attrib)
        return {}

    @property
    def comment(self) -> str:
        return text(self.element, "Comment")

    @property
    def ids(self) -> list[int]:
        """Identifiers of the spectrum and of what is around it, innermost first."""
        found = (number(attribute(e, "ID")) for e in (self.element, *reversed(self.path)))
        return [int(i) for i in found if i is not None]

    def metadata(self) -> dict[str, Any]:
        common = find(self.group, "CommonSpectrumSettings")
        return {
            "Spectrum": tree(self.element, skip=("ViewSettings",)),
            "SpectrumGroup": attribute(self.group, "Name"),
            "CommonSpectrumSettings": tree(common) if common is not None else {},
        }


@dataclass
class Schedule:
    name: str = ""
    spectra: dict[int, Planned] = field(default_factory=dict)


def read_schedule(configuration: dict[str, str], warnings: list[str]) -> Schedule:
    """The schedule's spectra by their identifiers; empty, with a warning, if it cannot be read."""
    source = configuration.get("schedule", "")
    try:
        root = parse_xml(source.encode(), "the schedule") if source else None
    except ReadError as e:
        root = None
        warnings.append(f"{e}; names and settings of the spectra are not known.")
    if root is None:
        return Schedule()
    found = Schedule(attribute(find(root, "Schedule"), "Name"))
    _collect(root, (), found.spectra)
    return found


def _collect(element: Element, path: tuple[Element, ...], found: dict[int, Planned]) -> None:
    if local(element.tag) == "Spectrum":
        identifier = number(attribute(element, "ID"))
        if identifier is not None:
            found[int(identifier)] = Planned(element, path)
    elif len(path) < _DEEPEST:
        for child in element:
            _collect(child, (*path, element), found)


def detector_shifts(database: Database, nodes: list[int]) -> list[float]:
    """Energy shift of each detector channel, in pass energies: of the innermost node that has a calibration."""
    for node in nodes:
        for row in database.rows("NodeData", "WHERE Node = ?", node):
            root = _xml(row.get("data"))
            detectors = [e for e in root.iter() if local(e.tag) == "Detector"] if root is not None else []
            if detectors:
                return [number(attribute(d, "Shift")) or 0.0 for d in detectors]
    return []


def protocol(database: Database, nodes: list[int]) -> dict[str, dict[str, str]]:
    """What the devices reported when the spectrum was taken: device → parameter → text."""
    devices: dict[str, dict[str, str]] = {}
    for node in nodes:
        for row in database.rows("DeviceProtocol", "WHERE Node = ?", node):
            root = _xml(row.get("protocol"))
            for command in [] if root is None else root.iter():
                if local(command.tag) == "Command":
                    own = devices.setdefault(attribute(command, "UniqueDeviceName") or "device", {})
                    for parameter in command.iter():
                        if local(parameter.tag) == "Parameter":
                            own.setdefault(attribute(parameter, "name"), (parameter.text or "").strip())
    return devices


def _xml(stored: Any) -> Element | None:
    data = stored if isinstance(stored, bytes) else str(stored or "").encode()
    try:
        return parse_xml(data, "a part") if data.strip() else None
    except ReadError:
        return None
