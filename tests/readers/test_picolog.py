"""PicoLog: a user would lose readings, or see them at another time than they were taken."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, RawInput, ReadError
from zairyo.readers.picolog import READER

LONG = "20220723-porosity-study-15p-Cu-200mA-longrun-07.picolog"
SHORT = "20230917-16-S07-temperature.picolog"


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def archive(path: Path, parts: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def log(blocks: list[Any], readings: bytes, settings: dict[str, Any] | None = None) -> dict[str, bytes]:
    return {
        "metadata.json": json.dumps(
            settings or {"savedDate": "", "startDate": "1970-01-01T00:00:10.000Z"}
        ).encode(),
        "data-map.json.gz": gzip.compress(json.dumps(blocks).encode()),
        "1.0.gz": gzip.compress(readings),
    }


def test_channels_of_two_intervals(instruments: Path) -> None:
    # PicoLog's own count of captured samples, in the file's settings, agrees.
    source = RawInput(instruments / "picolog" / LONG)
    assert READER.sniff(source) == CERTAIN
    m = read(source.path)
    slow, fast = m["every_10000_ms"], m["every_5000_ms"]
    assert len(slow["outside"].values) == 2309
    assert len(fast["inside_thin_tck01"].values) == 4618
    assert slow["outside"].values[:2].tolist() == [27.36514663696289, 27.358678817749023]
    assert fast["inside_thin_tck01"].values[:2].tolist() == [27.172359466552734, 26.924007415771484]
    assert fast["inside_thin_tck01"].unit == "degC"
    # 698 slots of 10 s after the block's start, which is 09:03:00 UTC; the recording began at 09:02:54.034.
    assert slow["time"].values[0] == pytest.approx(5.966)
    assert set(np.diff(slow["time"].values).round(3)) == {10.0}
    assert m.started == datetime(2022, 7, 23, 9, 2, 54, 34000, tzinfo=UTC)
    assert m.instrument == "Pico Technology TC08"
    assert m.original_metadata["timezone"] == "Europe/Zurich"


def test_channels_of_one_interval_share_their_times(instruments: Path) -> None:
    (entry,) = read(instruments / "picolog" / SHORT).entries
    assert [s.name for s in entry.signals] == ["u1", "rt_external"]
    assert [int(np.isfinite(s.values).sum()) for s in entry.signals] == [1405, 1405]
    assert entry["u1"].values[0] == np.float32(24.111797332763672)
    assert np.isnan(entry["rt_external"].values[0]), "this channel began one reading later"
    assert entry.conditions["instrument_serial"].value == "AO111/843"


def test_an_interval_that_is_not_stated_is_told_by_the_blocks(tmp_path: Path) -> None:
    readings = np.array([1, 2, np.nan, 4, 5, 6, 7, np.nan], ">f4").tobytes()
    blocks = [["adc-20.X|1.ch2/1/12000", ["1.0.gz", 16, 16]], ["adc-20.X|1.ch2/1/8000", ["1.0.gz", 0, 16]]]
    blocks += [["adc-20.X|1.ch2/10/0", ["1.0.gz", 0, 32]]]
    entry = read(archive(tmp_path / "a.picolog", log(blocks, readings)))[0]
    assert entry.signal.values.tolist() == [1, 2, 4, 5, 6, 7]
    assert entry["time"].values.tolist() == [-2, -1, 1, 2, 3, 4]
    assert (entry.signal.name, entry.signal.unit) == ("ch2", None)


@pytest.mark.parametrize(
    "blocks",
    [
        [["a.b.c/1/0", ["1.0.gz", 0, 64]]],
        [["a.b.c/1/0", ["1.0.gz", -4, 8]]],
        [["a.b.c/1/0", ["2.0.gz", 0, 8]]],
        [["a.b.c/1/0", ["1.0.gz", 0, 6]]],
        [["a.b.c/1/99999999999999999999", ["1.0.gz", 0, 8]]],
        [["a.b.c/1", ["1.0.gz", 0, 8]]],
        [[1]],
        [],
        [["a.b.c/1/0", ["1.0.gz", 0, 16]]],  # no interval to be told
        {"a": 1},
    ],
)
def test_blocks_that_cannot_be_are_refused(tmp_path: Path, blocks: Any) -> None:
    with pytest.raises(ReadError):
        read(archive(tmp_path / "a.picolog", log(blocks, np.arange(4, dtype=">f4").tobytes())))


def test_a_part_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    parts = log([["a.b.c/1/0", ["1.0.gz", 0, 16]]], bytes(16))
    parts["1.0.gz"] = parts["1.0.gz"][:-9]
    with pytest.raises(ReadError, match=r"1\.0\.gz"):
        read(archive(tmp_path / "a.picolog", parts))


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    whole, target = (instruments / "picolog" / SHORT).read_bytes(), tmp_path / "damaged.picolog"
    random = np.random.default_rng(11)
    for end in np.linspace(0, len(whole) - 1, 20).astype(int):
        target.write_bytes(whole[:end])
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)
    for turn in range(50):
        bad = bytearray(whole)
        for at in random.integers(0, len(bad), 8):
            bad[at] = random.integers(256)
        if turn % 10 == 9:
            bad[600:] = random.bytes(len(bad) - 600)
        target.write_bytes(bytes(bad))
        with suppress(ReadError):
            assert isinstance(read(target), Measurement)
