"""The vocabulary: one name for one thing across vendors.

A technique's conditions and signals, their usual units, titles in English and Japanese, NeXus paths and
ontology terms. To add a technique, declare it in its family's module; a new family is a new module here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from zairyo.measurement.techniques import (
    diffraction,
    electrochemical,
    generic,
    logs,
    magnetic,
    mechanical,
    microscopy,
    molecular,
    optical,
    photoemission,
    scanning_probe,
    scattering,
    separation,
    thermal,
)
from zairyo.measurement.techniques._base import COMMON, Condition, Named, Technique

_FAMILIES = (
    diffraction,
    scattering,
    photoemission,
    optical,
    thermal,
    electrochemical,
    magnetic,
    microscopy,
    scanning_probe,
    mechanical,
    molecular,
    separation,
    logs,
    generic,
)

TECHNIQUES: dict[str, Technique] = {t.key: t for family in _FAMILIES for t in family.TECHNIQUES}


def conditions(technique: str) -> Mapping[str, Condition]:
    """The conditions a technique may have, by name: its own, and the common ones it does not define itself."""
    return _CONDITIONS.get(technique, _CONDITIONS[""])


def _with_common(own: tuple[Condition, ...]) -> Mapping[str, Condition]:
    named = {c.name: c for c in own}
    return MappingProxyType(named | {c.name: c for c in COMMON if c.name not in named})


_CONDITIONS = {key: _with_common(t.conditions) for key, t in TECHNIQUES.items()} | {"": _with_common(())}


__all__ = ["COMMON", "TECHNIQUES", "Condition", "Named", "Technique", "conditions"]
