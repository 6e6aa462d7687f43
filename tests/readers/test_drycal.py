"""Flow logs: a user would see the time run backwards at midnight, or lose the readings of an RTF export."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.drycal import READER

# Readings, seconds from the first to the last, sums of flow and temperature: Python's csv and datetime agree.
GOLDEN = {
    "20211011_DryCal_out.csv": (29, 2027, 426.277, 737.0),
    "20220721-porosity-study-20p-Cu-200mA-EDLC-01-flow.csv": (77, 49749, 1698.785, 2337.0),
    "20220912_Defender.csv": (187, 52715, 3380.748, 4796.6),
}
RTF = (
    r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\*\generator Report;}\pard DryCal Report\par"
    r"\trowd Product\cell Serial Number\cell\row \trowd Defender 530+\cell 180849\cell\row"
    r"\trowd\intbl Sample\cell DryCal\cell DryCal Avg.\cell Temp.\cell Pressure\cell Time\cell\row"
    r"\trowd \cell smL/min\cell smL/min\cell Deg C\cell mBar\cell \cell\row"
    "\r\n"
    r"\trowd 1\cell 9.5\cell 9.4\cell 24.1\cell 971\cell 11:59:50 PM\cell\row"
    r"\trowd 2\cell 9.7\cell 9.5\cell 24.2\cell 971\cell 12:00:20 AM\cell\row }"
)


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("latin-1"))
    return path


@pytest.mark.parametrize("name", GOLDEN)
def test_real_logs(instruments: Path, name: str) -> None:
    count, last, flow, temperature = GOLDEN[name]
    source = RawInput(instruments / "drycal" / name)
    assert READER.sniff(source) == CERTAIN
    m = read(source.path)
    entry = m[0]
    assert (entry.technique, entry.x, entry.default) == ("flow", "time", "flow")
    assert len(entry["flow"].values) == count
    assert entry["time"].values[[0, -1]].tolist() == [0, last]
    assert np.all(np.diff(entry["time"].values) > 0), "the log passes midnight"
    assert entry["flow"].values.sum() == pytest.approx(flow, rel=1e-9)
    assert entry["temperature"].values.sum() == pytest.approx(temperature, rel=1e-9)
    assert {s.name: s.unit for s in entry.signals} == {
        "time": "s", "index": "", "flow": "ml/min", "flow_average": "ml/min", "temperature": "degC",
        "pressure": "mbar"}  # fmt: skip
    assert "standard" in entry["flow"].long_name
    assert m.instrument == "DryCal Defender 530+"
    assert entry.conditions["instrument_serial"].value == "180849"
    assert not m.warnings


def test_rtf(tmp_path: Path) -> None:
    path = written(tmp_path / "a.rtf", RTF)
    assert READER.sniff(RawInput(path)) == CERTAIN
    m = read(path)
    entry = m[0]
    assert entry["flow"].values.tolist() == [9.5, 9.7]
    assert entry["flow_average"].values.tolist() == [9.4, 9.5]
    assert entry["time"].values.tolist() == [0, 30]
    assert (entry["flow"].unit, entry["temperature"].unit) == ("ml/min", "degC")
    assert m.instrument == "DryCal Defender 530+"


def test_tabs_and_decimal_commas(tmp_path: Path) -> None:
    text = "Product\tDefender 510\n\nSample\tFlow mL/min\tTime\n1\t9,5\t13:00:00\n2\t--\t13:00:05\n3\t9,7\t13:00:09\n"
    m = read(written(tmp_path / "a.txt", text))
    assert m[0]["flow"].values.tolist() == pytest.approx([9.5, np.nan, 9.7], nan_ok=True)
    assert m[0]["flow"].unit == "ml/min"
    assert "left blank" in m.warnings[0]


@pytest.mark.parametrize(
    ("stated", "unit", "is_standard"),
    [("scc/min", "ml/min", True), ("cc/min", "ml/min", False), ("ccm", "ml/min", False),
     ("L/min", "l/min", False), ("sL/min", "l/min", True), ("sCF/min", "foot**3/min", True)],
)  # fmt: skip
def test_units_the_defender_offers(tmp_path: Path, stated: str, unit: str, is_standard: bool) -> None:
    m = read(
        written(tmp_path / "a.csv", f"Sample,DryCal {stated} ,Time,\n1,9.5,13:00:00,\n2,9.7,13:00:05,\n")
    )
    assert m[0]["flow"].unit == unit
    assert ("standard conditions" in m[0]["flow"].long_name) == is_standard
    assert not m.warnings


@pytest.mark.parametrize("times", [("10/11/2021 12:59:00", "10/11/2021 13:01:00"), ("12:59 PM", "1:01 PM")])
def test_times_a_spreadsheet_wrote_again(tmp_path: Path, times: tuple[str, str]) -> None:
    first, second = times
    m = read(written(tmp_path / "a.csv", f"Sample,DryCal smL/min,Time\n1,9.5,{first}\n2,9.7,{second}\n"))
    assert m[0]["time"].values.tolist() == [0, 120]


@pytest.mark.parametrize("text", ["Sample,DryCal smL/min,Time\n", "Sample,DryCal smL/min,Time\n1,2.0,noon\n",
                                  "Sample,DryCal smL/min,Time\n1,2.0,12:00:00\n2,2.0\n"])  # fmt: skip
def test_what_is_no_log_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReadError):
        read(written(tmp_path / "a.csv", text))


def test_damage_is_an_error_or_a_measurement(instruments: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(23)
    target = tmp_path / "damaged.csv"
    for whole in ((instruments / "drycal" / "20220912_Defender.csv").read_bytes(), RTF.encode()):
        for end in np.linspace(0, len(whole) - 1, 20).astype(int):
            target.write_bytes(whole[:end])
            with suppress(ReadError):
                assert isinstance(read(target), Measurement)
        for turn in range(50):
            bad = bytearray(whole)
            for at in random.integers(0, len(bad), 6):
                bad[at] = random.integers(256)
            if turn % 10 == 9:
                bad[200:] = random.bytes(len(bad) - 200)
            target.write_bytes(bytes(bad))
            with suppress(ReadError):
                assert isinstance(read(target), Measurement)


def test_other_text_is_not_taken(tmp_path: Path) -> None:
    for text in ("Sample,Voltage\n1,2\n", "{\\rtf1 A letter about a Sample}"):
        assert READER.sniff(RawInput(written(tmp_path / "a.csv", text))) == NO
