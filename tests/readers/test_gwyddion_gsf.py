"""Gwyddion Simple Field: what someone who exchanges images so would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, RawInput
from zairyo.readers.gwyddion_gsf import READER
from zairyo.readers.invariants import check

# Points, first, last, sum, largest: equal to gsffile 0.5.5.
GOLDEN = {
    "Au168mA_nodisplacement": (
        20480,
        0.20209075510501862,
        0.19590578973293304,
        4199.047117170878,
        1.3733924627304077,
    ),
    "NeaReaderGSF_test_O2A_raw": (
        1024,
        0.734363853931427,
        0.7699146866798401,
        762.0719820149243,
        2.751211643218994,
    ),
}


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    (entry,) = read(instruments / "gwyddion-gsf" / f"{name}.gsf")
    v = entry.signal.values
    assert (v.size, v[0], v[-1], v.max()) == (GOLDEN[name][0], *GOLDEN[name][1:3], GOLDEN[name][4])
    assert v.sum(dtype=float) == pytest.approx(GOLDEN[name][3], rel=1e-12)
    assert entry["x"].unit == "pixel"  # the file says a length of zero


def test_near_field_channel_is_known_by_its_title(instruments: Path) -> None:
    (entry,) = read(instruments / "gwyddion-gsf/NeaReaderGSF_test_O2A_raw.gsf")
    assert (entry.technique, entry.default) == ("snom", "optical_amplitude_2")
    assert str(entry.conditions["position_x"]) == "6.53074e-05 m"


@pytest.mark.parametrize("name", GOLDEN)
def test_cut_off_and_damaged(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / "gwyddion-gsf" / f"{name}.gsf").read_bytes()
    assert not cut(READER, data, tmp_path / "cut.gsf")
    damage(READER, data, tmp_path / "broken.gsf", within=200)


@pytest.mark.parametrize(
    "title", ["Z", "Zz", "Zzz", "Zzzz"]
)  # the numbers begin at a multiple of four, always
def test_image_with_lengths(tmp_path: Path, title: str) -> None:
    head = "Gwyddion Simple Field 1.0\nXRes = 3\nYRes = 2\nXReal = 3e-06\nYReal = 2e-06\n"
    head += f"XYUnits = m\nZUnits = m\nTitle = {title}\n"
    padding = b"\0" * (4 - len(head) % 4)
    (tmp_path / "a").write_bytes(head.encode() + padding + np.arange(6).astype("<f4").tobytes())
    (entry,) = read(tmp_path / "a")
    assert entry.signal.values.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert entry.default == ("height" if title == "Z" else title.lower())
    assert entry["x"].values == pytest.approx([0.5e-6, 1.5e-6, 2.5e-6])
    assert entry["y"].values == pytest.approx([1.5e-6, 0.5e-6])
    assert (entry["y"].unit, entry.signal.unit) == ("m", "m")
