"""ANDI/AIA exchange files: what a chromatographer would lose if they were misread. Made from ASTM E1947 and E2077."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers._netcdf3 import NetCdf
from zairyo.readers.andi_cdf import READER
from zairyo.readers.invariants import check

_TAGS = {"i": (4, ">i4"), "f": (5, ">f4"), "d": (6, ">f8"), "h": (3, ">i2"), "c": (2, "S1")}


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack(">I", len(raw)) + raw.ljust(-(-len(raw) // 4) * 4, b"\0")


def _attributes(values: dict[str, Any]) -> bytes:
    if not values:
        return bytes(8)
    out = struct.pack(">II", 12, len(values))
    for name, value in values.items():
        out += _text(name)
        if isinstance(value, str):
            out += struct.pack(">I", 2) + _text(value)
        else:
            out += struct.pack(">IId", 6, 1, value)
    return out


def netcdf(
    dimensions: dict[str, int | None],
    attributes: dict[str, Any],
    variables: dict[str, tuple[tuple[str, ...], str, Any, dict[str, Any]]],
    records: int = 0,
    version: int = 1,
) -> bytes:
    """A classic NetCDF file; a dimension of None has ``records``."""
    names = list(dimensions)
    arrays = {n: np.asarray(v[2], _TAGS[v[1]][1] if v[1] != "c" else "S1") for n, v in variables.items()}
    is_record = {n: bool(v[0]) and dimensions[v[0][0]] is None for n, v in variables.items()}

    def head(begins: dict[str, int]) -> bytes:
        out = b"CDF" + bytes([version]) + struct.pack(">I", records) + struct.pack(">II", 10, len(names))
        for name, length in dimensions.items():
            out += _text(name) + struct.pack(">I", length or 0)
        out += _attributes(attributes) + struct.pack(">II", 11, len(variables))
        for name, (over, kind, _, more) in variables.items():
            out += _text(name) + struct.pack(f">I{len(over)}I", len(over), *(names.index(d) for d in over))
            out += _attributes(more) + struct.pack(">II", _TAGS[kind][0], arrays[name].nbytes)
            out += struct.pack(">I" if version == 1 else ">Q", begins[name])
        return out

    at = len(head(dict.fromkeys(variables, 0)))
    begins, body = {}, b""
    for name, array in arrays.items():
        if not is_record[name]:
            begins[name] = at + len(body)
            body += array.tobytes().ljust(-(-array.nbytes // 4) * 4, b"\0")
    start = at + len(body)
    rows = [n for n in arrays if is_record[n]]
    for name in rows:
        begins[name] = start
        start += -(-arrays[name][0].nbytes // 4) * 4
    for i in range(records):
        for name in rows:
            raw = arrays[name][i : i + 1].tobytes()
            body += raw if len(rows) == 1 else raw.ljust(-(-len(raw) // 4) * 4, b"\0")
    return head(begins) + body


def chromatogram(**changed: Any) -> bytes:
    told = {
        "sample_name": "standard 3", "operator_name": "分析者", "detector_unit": "mAU", "retention_unit": "Seconds",
        "detector_name": "DAD1 A, Sig=254,4 Ref=360,100", "injection_date_time_stamp": "20130108181818-0500",
        "detection_method_name": "C:\\methods\\a.m", "sample_injection_volume": 5.0,
    }  # fmt: skip
    names = np.array([list(n.ljust(8, "\0")) for n in ("caffeine", "x")], "S1")
    return netcdf(
        {"point_number": 4, "peak_number": 2, "_8_byte_string": 8},
        told | changed,
        {
            "ordinate_values": (("point_number",), "f", [1, 2, 30, 4], {}),
            "actual_sampling_interval": ((), "f", 0.5, {}),
            "actual_delay_time": ((), "f", 6.0, {}),
            "peak_retention_time": (("peak_number",), "f", [60, 120], {}),
            "peak_area": (("peak_number",), "f", [10, 20], {}),
            "peak_name": (("peak_number", "_8_byte_string"), "c", names, {}),
        },
    )


def run(*, version: int = 1) -> bytes:
    return netcdf(
        {"scan_number": 3, "point_number": None},
        {
            "test_ionization_mode": "Electron Impact",
            "test_ionization_polarity": "Positive Polarity",
            "experiment_title": "mix",
        },
        {
            "scan_acquisition_time": (("scan_number",), "d", [60, 90, 120], {}),
            "total_intensity": (("scan_number",), "d", [30, 0, 12], {}),
            "scan_index": (("scan_number",), "i", [0, 2, 2], {}),
            "point_count": (("scan_number",), "i", [2, 0, 1], {}),
            "mass_values": (("point_number",), "h", [560, 880, 1000], {"scale_factor": 0.05}),
            "intensity_values": (("point_number",), "i", [10, 20, 12], {}),
        },
        records=3,
        version=version,
    )


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_chromatogram_and_peaks(tmp_path: Path) -> None:
    path = tmp_path / "a.cdf"
    path.write_bytes(chromatogram())
    m = read(path)
    entry = m["chromatogram"]
    assert entry.signal.values.tolist() == [1, 2, 30, 4]
    assert entry["time"].values.tolist() == pytest.approx([6 / 60, 6.5 / 60, 7 / 60, 7.5 / 60])
    assert (entry.technique, entry.default, entry.signal.unit) == ("lc", "absorbance", "mAU")
    assert entry.conditions["detection_wavelength"].value == 254
    assert entry.conditions["injection_volume"].value == 5
    assert str(entry.started) == "2013-01-08 18:18:18-05:00"
    assert m["peaks"]["retention_time"].values.tolist() == [1, 2]
    assert m["peaks"]["compound"].values.tolist() == ["caffeine", "x"]
    assert (m.sample, m.operator) == ("standard 3", "分析者")


def test_times_in_minutes_and_an_unknown_unit(tmp_path: Path) -> None:
    path = tmp_path / "a.cdf"
    path.write_bytes(chromatogram(retention_unit="minutes"))
    assert read(path)["chromatogram"]["time"].values[1] == 6.5
    path.write_bytes(chromatogram(retention_unit="scans"))
    m = read(path)
    assert "scans" in m.warnings[0]


@pytest.mark.parametrize("version", [1, 2])
def test_run_of_a_mass_spectrometer(tmp_path: Path, version: int) -> None:
    path = tmp_path / "a.cdf"
    path.write_bytes(run(version=version))
    m = read(path)
    assert m.technique == "gc_ms"
    assert m["chromatogram"]["time"].values.tolist() == [1, 1.5, 2]
    assert m["chromatogram"]["total_ion_current"].values.tolist() == [30, 0, 12]
    assert m["peaks"]["mass_to_charge"].values.tolist() == [28, 44, 50]
    assert m["peaks"]["scan"].values.tolist() == [1, 1, 3]
    assert m["peaks"].conditions["ion_polarity"].value == "positive"


def test_records_of_several_variables_lie_side_by_side() -> None:
    data = netcdf(
        {"t": None, "x": 3},
        {},
        {
            "a": (("t",), "h", [1, 2], {}),
            "b": (("t", "x"), "h", [[1, 2, 3], [4, 5, 6]], {}),
            "c": (("t",), "d", [7, 8], {}),
        },
        records=2,
    )
    file = NetCdf(data, "x")
    assert file.read("a").tolist() == [1, 2]
    assert file.read("b").tolist() == [[1, 2, 3], [4, 5, 6]]
    assert file.read("c").tolist() == [7, 8]
    with pytest.raises(ReadError, match="no variable"):
        file.read("d")


@pytest.mark.parametrize("make", [chromatogram, run])
def test_damage(tmp_path: Path, make: Any) -> None:
    data = make()
    assert cut(READER, data, tmp_path / "a.cdf") == []
    damage(READER, data, tmp_path / "a.cdf", turns=200)


def test_other_netcdf_files_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "a.nc").write_bytes(netcdf({"x": 2}, {"title": "weather"}, {"v": (("x",), "f", [1, 2], {})}))
    assert READER.sniff(RawInput(tmp_path / "a.nc")) == NO
