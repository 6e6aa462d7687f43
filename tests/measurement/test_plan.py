"""Files made from templates: the same bytes as HDF5 writes, and no way past the check."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from tests.measurement.strategies import measurements

from zairyo.measurement import Axis, Entry, Measurement, Quantity, Signal, _plan, nexus


@pytest.fixture(autouse=True)
def templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_plan, "_templates", _plan._Templates())


def scan(first: float = 5.0, voltage: float = 45.0, title: str = "a scan", points: int = 50) -> Measurement:
    angle = first + np.arange(points) * 0.01
    intensity = Signal("intensity", np.round(angle * 7), "counts", ("two_theta",))
    conditions = {"xray_tube_voltage": Quantity(voltage, "kV"), "software": Quantity("Data Collector")}
    entry = Entry("scan", "xrd", (Axis("two_theta", angle, "deg"),), (intensity,), conditions=conditions)
    return Measurement((replace(entry, title=title),), sample="LCO-12")


def freshly(measurement: Measurement, monkeypatch: pytest.MonkeyPatch) -> bytes:
    with monkeypatch.context() as patch:
        patch.setattr(_plan, "_templates", _plan._Templates())
        return nexus.dumps(measurement)


@given(measurement=measurements())
def test_a_file_from_a_template_is_the_file_that_hdf5_writes(measurement: Measurement) -> None:
    _plan._templates = _plan._Templates()
    assert nexus.dumps(measurement) == nexus.dumps(measurement)


def test_other_numbers_in_a_template_are_the_bytes_hdf5_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    nexus.dumps(scan())
    for other in (
        scan(10.0),
        scan(voltage=-0.0),
        scan(title="another"),
        scan(points=51),
        scan(title="x" * 99),
    ):
        assert nexus.dumps(other) == freshly(other, monkeypatch)


def test_units_and_types_are_not_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """1, 1.0 and True are equal in Python, and must not share a template; nor V and kV."""
    for value, unit in ((1, "V"), (1.0, "V"), (True, "V"), (1.0, "kV"), (1.0, None)):
        entry = replace(scan()[0], conditions={"xray_tube_voltage": Quantity(value, unit)})
        nexus.write(Measurement((entry,)), tmp_path / "a.nxs")
        back = nexus.read(tmp_path / "a.nxs")[0].conditions["xray_tube_voltage"]
        assert (back.value, type(back.value), back.unit) == (value, type(value), unit)


def test_a_known_file_passes_and_one_whose_structure_differs_by_a_byte_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.nxs"
    nexus.write(scan(), path)
    _plan._templates = _plan._Templates()
    assert not _plan.is_known(path.read_bytes())
    nexus.check(path, learn=True)
    image = nexus.dumps(scan(20.0, voltage=30.0, title="other"))
    assert _plan.is_known(image)
    (template,) = _plan._templates.of_size(len(image))
    values = {i for offset, size in template.places for i in range(offset, offset + size)}
    assert len(values) == sum(
        size for _, size in template.places
    )  # none lies over another, or over structure
    structure = [i for i in range(len(image)) if i not in values]
    for i in random.Random(1).sample(structure, 300):
        changed = bytearray(image)
        changed[i] ^= 0x40
        assert not _plan.is_known(bytes(changed)), f"byte {i}"


def test_templates_are_few_and_packed_files_are_none() -> None:
    for i in range(_plan._MOST_TEMPLATES + 9):
        nexus.dumps(scan(points=20 + i))
    assert len(_plan._templates._kept) == _plan._MOST_TEMPLATES
    before = set(_plan._templates._kept)
    nexus.dumps(scan(points=_plan.LEAST_COMPRESSED // 8))
    assert set(_plan._templates._kept) == before
