"""If these fail, a search for a condition finds the files of one vendor and not of another."""

from __future__ import annotations

import importlib.util
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from zairyo.measurement import Measurement, Quantity, Signal, table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vocabulary_audit", ROOT / "tools" / "vocabulary.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their types
    spec.loader.exec_module(module)
    return module


def report(audit: ModuleType, *measurements: Measurement) -> str:
    uses = defaultdict(audit.Use)
    for measurement in measurements:
        audit.note(measurement, uses)
    return "\n".join(audit.report(uses, everything=False))


def test_the_vocabulary_is_without_fault(audit: ModuleType) -> None:
    assert [line for line in audit.faults() if line.startswith("fault")] == []


def test_the_examples_use_its_names(audit: ModuleType, examples: Path) -> None:
    found = report(audit, *audit.measurements([examples]))
    assert found.endswith("; 0 marked"), found


def test_odd_names_and_units_are_marked(audit: ModuleType) -> None:
    columns = [
        Signal("time", np.arange(2.0), "s"),
        Signal("load", np.arange(2.0), "N"),
        Signal("force", np.arange(2.0), "mm"),
        Signal("hall_probe", np.arange(2.0), "T", long_name="Hall probe"),
    ]
    conditions = {"test_speed": Quantity("fast"), "speed": Quantity(1.0, "mm/min")}
    entry = table("test", "tensile", columns, x="time", default="force", conditions=conditions)
    marked = {}
    for line in report(audit, Measurement((entry,))).splitlines():
        words = line.partition("[")[0].split()
        marked |= {words[-1]: [w for w in words if w.startswith("!")]} if line.startswith("  ") else {}
    assert marked == {
        "load": ["!name", "!twin(force)"],
        "force": ["!unit", "!twin(load)"],
        "speed": ["!name"],
        "test_speed": ["!text"],
    }  # the file's own name for its Hall probe is nobody else's
