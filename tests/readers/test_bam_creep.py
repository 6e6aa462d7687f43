"""BAM's creep records: the head that is published, with a table after it as laboratories write one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zairyo.readers import registry
from zairyo.readers._api import ReadError

HEAD = """\
BAM 5.2 Vh5205_C-95.LIS\t\t\t\t\t\t
------------------------------------\t\t\t\t\t\t
ENTRY\tSYMBOL\tUNIT\t\t* Information common to all tests\t\t
Date of test start\t\t\t30.8.23 9:06 AM\t\t\t
Test ID\t\t\tVh5205_C-95\t\t\t
Test standard\t\t\tDIN EN ISO 204:2019-4\t*\t\t
Specified temperature\tT\t?\t980 °C\t*\t\t
Initial stress\tRo\tMPa\t140\t\t\t
(Digital) Material Identifier\t\t\tCMSX-6\t*\t\t
Min. test piece diameter at room temperature\tD\tmm\t5,99\t\t\t
Reference length for calculation of percentage extensions\tLr = Le\tmm\t22,9\t\t\t
Test duration\tt\th\t1010\t\t\t
Creep rupture time\ttu\th\tNot applicable\t\t\t
"""
TABLE = """\
Time\tTotal extension\tTemperature
h\t%\t°C
0\t0,153\t980,1
0,5\t0,171\t980,0
1010\t0,964\t979,8
"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_head_and_table_with_decimal_commas(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "Vh5205_C-95.LIS"
    path.write_bytes((HEAD + TABLE).encode(encoding))
    m = registry.read(path)
    entry = m[0]
    assert (entry.technique, m.title, m.sample) == ("creep", "Vh5205_C-95", "CMSX-6")
    np.testing.assert_array_equal(entry["time"].values, [0, 0.5, 1010])
    np.testing.assert_array_equal(entry["strain"].values, [0.153, 0.171, 0.964])
    assert {s.name: s.unit for s in entry.signals} == {
        "time": "h",
        "strain": "percent",
        "temperature": "degC",
    }
    said = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert said["temperature"] == (980.0, "degC")
    assert said["initial_stress"] == (140.0, "MPa")
    assert said["sample_diameter"] == (5.99, "mm")
    assert said["gauge_length"] == (22.9, "mm")
    assert entry.started is not None
    assert entry.started.isoformat() == "2023-08-30T09:06:00"


def test_an_extension_in_millimetres_is_no_strain(tmp_path: Path) -> None:
    path = tmp_path / "a.LIS"
    path.write_text(HEAD + "Time [h]\tExtension [mm]\n0\t0,1\n1\t0,2\n")
    assert {s.name: s.unit for s in registry.read(path)[0].signals} == {"time": "h", "extension": "mm"}


def test_german_headings(tmp_path: Path) -> None:
    path = tmp_path / "a.LIS"
    path.write_text(HEAD + "Zeit\tGesamtdehnung\tTemperatur\nh\t%\t°C\n0\t0,1\t980\n1\t0,2\t981\n")
    names = {s.name: s.unit for s in registry.read(path)[0].signals}
    assert names == {"time": "h", "strain": "percent", "temperature": "degC"}


def test_head_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.LIS"
    path.write_text(HEAD)
    with pytest.raises(ReadError):
        registry.read(path)
