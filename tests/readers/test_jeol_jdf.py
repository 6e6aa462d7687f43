"""JEOL Delta: what a spectroscopist would lose if the submatrices, units or parameters were misread."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.jeol_jdf import READER, _sample

PROTON = "jeol-jdf/SW20AP_proton.jdf.gz"


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_real_numbers(instruments: Path) -> None:
    m = read(instruments / PROTON)  # equal to nmrglue 0.12
    (entry,) = m.entries
    assert entry.signal.values.shape == (65536,)
    assert entry.signal.values.sum() == pytest.approx(10.923669587293048 - 102.12013239018513j)
    assert abs(entry.signal.values).max() == pytest.approx(82.30828627314347)
    assert entry["time"].values[-1] == pytest.approx(3.1666512)
    told = {name: q.value for name, q in entry.conditions.items()}
    assert (told["nucleus"], told["solvent"], told["repetitions"]) == ("1H", "D2O", 16)
    assert told["observe_frequency"] == pytest.approx(500.15991520961255)
    assert told["pulse_width"] == pytest.approx(4.05)
    assert told["temperature"] == 25
    assert (m.sample, m.operator) == ("SW20AP", "delta")
    assert str(entry.started) == "2021-02-22 15:25:22"
    assert m.original_metadata["parameters"]["filter_width"] == {"value": 166.0, "unit": "kHz"}  # type: ignore[index, call-overload]


# --- made from the format's facts ---------------------------------------------------------------------------------

SECOND, PPM, HERTZ = 28, 26, 13


def jdf(
    points: list[int],
    types: list[int],
    sections: list[np.ndarray[Any, Any]],
    *,
    fmt: int = 1,
    units: list[tuple[int, int]],
    starts: list[float],
    stops: list[float],
    valid: list[tuple[int, int]] | None = None,
    listed: list[float] | None = None,
    float32: bool = False,
    little: bool = True,
    counts: dict[str, int] | None = None,
) -> bytes:
    """A file whose sections are already in the order of their submatrices."""
    rank = len(points)
    order = "<" if little else ">"
    head = bytearray(1296)
    head[:8] = b"JEOL.NMR"
    head[8], head[12], head[14] = little, rank, (1 << 6 if float32 else 0) | fmt
    valid = valid or [(0, n - 1) for n in points]
    for i in range(rank):
        head[24 + i] = types[i]
        head[32 + 2 * i], head[33 + 2 * i] = (units[i][0] & 15) << 4 | 1, units[i][1]
        for at, value in ((176, points[i]), (208, valid[i][0]), (240, valid[i][1])):
            struct.pack_into(">I", head, at + 4 * i, value)
        struct.pack_into(">d", head, 272 + 8 * i, starts[i])
        struct.pack_into(">d", head, 336 + 8 * i, stops[i])
    head[48:53] = b"title"
    record = bytearray(64)
    struct.pack_into(f"{order}d", record, 16, 2.5)
    record[6], record[7] = 0x11, SECOND  # in ms
    struct.pack_into(f"{order}i", record, 32, 2)
    record[36:52] = b"relaxation_delay"
    records = [bytes(record)]
    for name, count in (counts or {}).items():
        record = bytearray(64)
        struct.pack_into(f"{order}i", record, 16, count)
        struct.pack_into(f"{order}i", record, 32, 1)
        record[36 : 36 + len(name)] = name.encode()
        records.append(bytes(record))
    parameters = struct.pack(f"{order}4I", 64, 0, len(records) - 1, 64 * len(records)) + b"".join(records)
    lists = struct.pack(f"{order}{len(listed or [])}d", *(listed or []))
    data_start = 1296 + len(parameters) + len(lists)
    struct.pack_into(">II", head, 1212, 1296, len(parameters))
    if listed:
        head[172] = 0x01  # the second dimension is listed
        struct.pack_into(">I", head, 1224, 1296 + len(parameters))
        struct.pack_into(">I", head, 1256, len(lists))
    struct.pack_into(">I", head, 1284, data_start)
    kind = f"{order}f4" if float32 else f"{order}f8"
    return (
        bytes(head) + parameters + lists + b"".join(np.ascontiguousarray(s, kind).tobytes() for s in sections)
    )


def submatrices(whole: np.ndarray[Any, Any], edge: int) -> np.ndarray[Any, Any]:
    rows, columns = whole.shape
    parts = [
        whole[i : i + edge, j : j + edge].ravel()
        for i in range(0, rows, edge)
        for j in range(0, columns, edge)
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize(("float32", "little"), [(False, True), (True, False)])
def test_spectrum_of_one_dimension(tmp_path: Path, float32: bool, little: bool) -> None:
    path = tmp_path / "a.jdf"
    sections = [np.arange(8), np.arange(8) * 2]
    path.write_bytes(
        jdf([8], [3], sections, units=[(0, PPM)], starts=[14.0], stops=[0.0], float32=float32, little=little)
    )
    (entry,) = read(path).entries
    assert (entry.name, entry.title) == ("spectrum", "title")
    assert entry.signal.values.tolist() == list(range(8))
    assert entry["imaginary"].values.tolist() == [-2 * n for n in range(8)]
    assert entry["chemical_shift"].values.tolist() == [14, 12, 10, 8, 6, 4, 2, 0]
    assert entry.conditions["relaxation_delay"].value == pytest.approx(0.0025)


@pytest.mark.parametrize(("fmt", "edge"), [(2, 32), (12, 4)])
def test_two_dimensions_in_submatrices(tmp_path: Path, fmt: int, edge: int) -> None:
    whole = np.arange(2 * edge * 4 * edge).reshape(2 * edge, 4 * edge)
    path = tmp_path / "a.jdf"
    points = [4 * edge, 2 * edge]
    path.write_bytes(
        jdf(points, [1, 1], [submatrices(whole, edge)], fmt=fmt, units=[(0, PPM), (0, PPM)], starts=[10, 200],
            stops=[0, 0], valid=[(0, 4 * edge - 1), (1, edge)], counts={"scans": 4, "total_scans": 1024})
    )  # fmt: skip
    (entry,) = read(path).entries
    assert entry.signal.axes == ("indirect_chemical_shift", "chemical_shift")
    assert entry.signal.values.tolist() == whole[1 : edge + 1].tolist()
    assert entry["indirect_chemical_shift"].values[[0, -1]].tolist() == [200, 0]
    assert entry.conditions["repetitions"].value == 4, (
        "of each increment; the file counts them all together too"
    )


def test_hypercomplex_decays_in_turn(tmp_path: Path) -> None:
    parts = [np.full((4, 4), n) for n in (1.0, 2.0, 3.0, 4.0)]
    path = tmp_path / "a.jdf"
    path.write_bytes(
        jdf([4, 4], [3, 3], [submatrices(p, 4) for p in parts], fmt=12, units=[(0, SECOND), (1, SECOND)], starts=[0, 0],
            stops=[0.3, 3.0])
    )  # fmt: skip
    (entry,) = read(path).entries
    assert entry.signal.values.shape == (8, 4)
    assert entry.signal.values[:2, 0].tolist() == [1 - 2j, -3 + 4j]
    assert entry["time"].values.tolist() == pytest.approx([0, 0.1, 0.2, 0.3])


def test_listed_delays_of_an_arrayed_experiment(tmp_path: Path) -> None:
    path = tmp_path / "a.jdf"
    listed = [1.0, 5.0, 50.0, 500.0]
    path.write_bytes(
        jdf(
            [4, 4],
            [1, 1],
            [np.arange(16)],
            fmt=12,
            units=[(0, PPM), (1, SECOND)],
            starts=[9, 0],
            stops=[0, 0],
            listed=listed,
        )
    )
    (entry,) = read(path).entries
    assert entry["indirect_time"].values.tolist() == pytest.approx([0.001, 0.005, 0.05, 0.5])


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (12, 9, "dimensions"),
        (14, 63, "kind"),
        (176, 255, "cut off"),
        (243, 9, "valid"),
        (1212, 255, "cut off"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, at: int, value: int, said: str) -> None:
    data = bytearray(jdf([8], [1], [np.arange(8)], units=[(0, PPM)], starts=[1], stops=[0]))
    data[at] = value
    (tmp_path / "a.jdf").write_bytes(data)
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(tmp_path / "a.jdf"))


def test_damage(instruments: Path, tmp_path: Path) -> None:
    data = gzip.decompress((instruments / PROTON).read_bytes())
    survived = cut(READER, data, tmp_path / "a.jdf")
    assert survived == []
    damage(READER, data, tmp_path / "a.jdf", within=15000)


def test_a_long_sample_name_goes_on_in_the_title() -> None:
    assert _sample("Rutin_RUTI01_308", "Rutin_RUTI01_3080u200u") == "Rutin_RUTI01_3080u200u"
    assert _sample("PA1", "PA1 298 K carbon") == "PA1"
    assert _sample("Rutin_RUTI01_308", "carbon") == "Rutin_RUTI01_308"


def test_others_are_not_claimed(instruments: Path) -> None:
    assert READER.sniff(RawInput(instruments / "nmrpipe/test-run01.fid")) == NO
