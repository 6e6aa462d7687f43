"""XAFS as Japan's beamlines write it: an edge at another energy, or I0 taken for I1, would be believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.invariants import check
from zairyo.readers.xafs_9809 import READER

HEAD = """\
  9809     KEK-PF   BL9A
 Fe011           21.06.15 10:23 - 21.06.15 10:40 Serial#KEKPF-BL9A_039215
 Cu foil
 Ring :   2.5 GeV  340.1 mA -  330.1 mA
 Mono :   SI(111)       D=  3.13551 A    Initial angle= 12.72980 deg
 BL9A     Transmission( 2)   Repetition=  1     Points=  3
 Param file : cu.prm  energy axis(2)   Block =  1

 Block      Init-Eng  final-Eng     Step/eV     Time/s       Num
   1        8970.00   8990.00       10.00       1.00         3
 Ortec( 0)      NDCH = 2
  Angle(c)  Angle(o)     time/s         2         3
      Mode         0          0         1         2
    Offset         0          0     0.000     0.000
"""
ROWS = """\
  12.73327  12.73325      1.00    200100    100200
  12.71880  12.71883      1.00    200300     90400
  12.70445  12.70445      1.00    200500     50600
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_a_foil_in_transmission(tmp_path: Path) -> None:
    path = written(tmp_path / "cu.dat", HEAD + ROWS)
    assert registry.find(RawInput(path)).name == "xafs_9809"
    m = read(path)
    entry = m["spectrum"]
    assert (entry.technique, entry.x, entry.default) == ("xafs", "photon_energy", "transmitted_intensity")
    assert entry["photon_energy"].values == pytest.approx(
        [8970, 8980, 8990], abs=0.005
    )  # a digit of the angle
    assert entry["incident_intensity"].values.tolist() == [200100, 200300, 200500]
    assert entry["transmitted_intensity"].values.tolist() == [100200, 90400, 50600]
    assert entry["monochromator_angle"].values[0] == 12.73325
    conditions = {name: str(value) for name, value in entry.conditions.items()}
    assert conditions == {
        "facility": "KEK-PF", "beamline": "BL9A", "monochromator": "SI(111)", "ring_energy": "2.5 GeV",
        "ring_current": "340.1 mA", "monochromator_d_spacing": "3.13551 angstrom", "comment": "Cu foil",
    }  # fmt: skip
    assert (m.title, str(entry.started), m.warnings) == ("Fe011: Cu foil", "2021-06-15 10:23:00", ())


def test_numbers_of_ten_places_touch(tmp_path: Path) -> None:
    head = HEAD.replace("      Mode         0          0", "      Mode         0         0")
    head = head.replace(
        "    Offset         0          0     0.000     0.000",
        "    Offset         0         0     0.500315794.600",
    )
    rows = "  12.73327  12.73325      1.0015548411007362313900\n" * 3
    m = read(written(tmp_path / "a.dat", head + rows))
    assert m["spectrum"]["incident_intensity"].values.tolist() == [1554841100.0] * 3
    assert m["spectrum"]["transmitted_intensity"].values.tolist() == [7362313900.0] * 3
    assert m.warnings == ("The offsets 0.5, 315795 are told, not subtracted.",)


def test_a_current_of_nought_was_not_told_and_a_blank_comment_is_none(tmp_path: Path) -> None:
    head = HEAD.replace("340.1 mA -  330.1 mA", "0.0 mA -    0.0 mA").replace(" Cu foil\n", " " * 80 + "\n")
    m = read(written(tmp_path / "a.dat", head + ROWS))
    assert not {"ring_current", "comment"} & set(m["spectrum"].conditions)
    assert m.title == "Fe011"


def test_fluorescence_of_several_elements(tmp_path: Path) -> None:
    head = HEAD.replace("      2         3\n", "      2         3         4\n")
    head = head.replace("        1         2\n", "        1         3         3\n").replace(
        "0.000\n", "0.000  2.5\n"
    )
    rows = "".join(f"{line}  77\n" for line in ROWS.splitlines())
    m = read(written(tmp_path / "a.dat", head + rows))
    names = [s.name for s in m["spectrum"].signals][4:]
    assert names == ["incident_intensity", "fluorescence_intensity", "fluorescence_intensity_2"]
    assert "not subtracted" in m.warnings[0]


def test_an_angle_that_is_not_read_is_the_one_set(tmp_path: Path) -> None:
    rows = "  12.73510  0.00000  1.00  2  1\n  12.72070  0.00000  1.00  2  1\n"
    m = read(written(tmp_path / "a.dat", HEAD + rows))
    assert m["spectrum"]["monochromator_angle"].values.tolist() == [12.7351, 12.7207]
    assert "3 points were planned, 2" in m.warnings[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "no point"),
        (HEAD.partition("  Angle(c)")[0], "row of names"),
        (HEAD + ROWS[:-12], "should hold 5 numbers"),
        (HEAD.replace("D=  3.13551 A", "") + ROWS, "no lattice spacing"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(written(tmp_path / "a.dat", text)))


def test_damage_is_an_error_or_a_measurement(tmp_path: Path) -> None:
    cut(READER, (HEAD + ROWS).encode(), tmp_path / "a.dat")
    damage(READER, (HEAD + ROWS * 3).encode(), tmp_path / "a.dat", turns=100)


def test_others_are_not_claimed(tmp_path: Path) -> None:
    assert READER.sniff(RawInput(written(tmp_path / "a.dat", "9809 1 2\n1 2 3\n"))) == NO
