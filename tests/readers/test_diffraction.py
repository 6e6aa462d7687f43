"""All diffraction formats: damage is told with a reason, and names are the vocabulary's."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from zairyo.measurement import Measurement
from zairyo.measurement.techniques import TECHNIQUES, conditions
from zairyo.readers import bruker_brml, bruker_raw, panalytical_xrdml, rigaku_ras, rigaku_rasx
from zairyo.readers._api import RawInput, Reader, ReadError
from zairyo.readers._diffraction import numbers

FILES = [
    (panalytical_xrdml.READER, "xrdml/Scan_C2.xrdml"),
    (panalytical_xrdml.READER, "xrdml/HL1-2_5-90_60min.xrdml"),
    (rigaku_ras.READER, "rigaku-ras/inas_layer_radial_002_004.ras.bz2"),
    (rigaku_rasx.READER, "rigaku-rasx/JO_KL_16_ZF_3_60deg_0.02step_12degpermin_001.rasx"),
    (bruker_brml.READER, "bruker-brml/TiOF.brml"),
    (bruker_raw.READER, "bruker-raw/TiO2.raw"),
]


def attempt(reader: Reader, path: Path) -> Measurement | None:
    """The measurement or None for a reason given; anything else that is raised fails the test."""
    try:
        src = RawInput(path)
        reader.sniff(src)
        return reader.read(src)
    except ReadError:
        return None


@pytest.mark.parametrize(("reader", "name"), FILES)
def test_cut_files_are_refused(instruments: Path, tmp_path: Path, reader: Reader, name: str) -> None:
    data = (instruments / name).read_bytes()
    path = tmp_path / Path(name).name
    for i in range(20):
        path.write_bytes(data[: len(data) * i // 20])
        assert attempt(reader, path) is None


@pytest.mark.parametrize(("reader", "name"), FILES)
def test_flipped_bytes_and_foreign_tails(
    instruments: Path, tmp_path: Path, reader: Reader, name: str
) -> None:
    source = RawInput(instruments / name)
    data = source.read_bytes()  # unpacked, so that the damage reaches the format
    path = tmp_path / source.name
    rng = random.Random(7)
    for _ in range(50):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 8))):
            # half of the hits in the header, where lengths and counts are
            most = len(damaged) if rng.random() < 0.5 else min(len(damaged), 1500)
            damaged[rng.randrange(most)] = rng.randrange(256)
        path.write_bytes(damaged)
        attempt(reader, path)
    for head in (8, 100, 600, 5000):
        path.write_bytes(data[:head] + rng.randbytes(4000))
        attempt(reader, path)


@pytest.mark.parametrize(("reader", "name"), FILES)
def test_every_name_is_the_vocabulary_s(instruments: Path, reader: Reader, name: str) -> None:
    """A condition outside the vocabulary would be found by nobody's search across vendors."""
    known = set(conditions("xrd"))
    named = {n.name for n in TECHNIQUES["xrd"].signals}
    for entry in reader.read(RawInput(instruments / name)):
        assert set(entry.conditions) <= known
        assert {part.name for part in (*entry.axes, *entry.signals)} <= named


@pytest.mark.parametrize(
    "text",
    [
        "1 2 3",
        "0\n07\t12 ",
        "9007199254740993 1",
        "9223372036854775808 1",
        "99999999999999999999999 5",
        "1.5 2",
        "-1 2",
    ],
)
def test_counts_are_the_numbers_that_stand_there(text: str) -> None:
    assert numbers(text, "scan 1", []).tolist() == [float(token) for token in text.split()]
