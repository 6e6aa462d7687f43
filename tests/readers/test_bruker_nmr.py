"""Bruker TopSpin: what a spectroscopist would lose if decays, shifts or submatrices were misread."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.bruker_nmr import READER, parse_parameters
from zairyo.readers.invariants import check


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_real_numbers(instruments: Path) -> None:
    """Equal to nmrglue 0.12: read_pdata (scaled by NC_proc), and read times 2**NC, which nmrglue leaves out."""
    m = read(instruments / "bruker-nmr-zip/72.zip")
    spectrum = m["spectrum"]
    assert spectrum.signal.values.shape == (8, 4096)
    assert spectrum.signal.values.sum() == pytest.approx(-1334209890.5625)
    assert spectrum.signal.values.max() == 99376843.3125
    assert spectrum["chemical_shift"].values[[0, -1]].tolist() == pytest.approx(
        [6411.116661331384, -6441.796854023359]
    )
    assert m["spectrum_999"].signal.values.sum() == pytest.approx(6951110633.5)
    decay = m["fid"]
    assert decay.signal.values.shape == (8, 4096)
    assert decay.signal.values.sum() == pytest.approx((-204942916 - 233391984j) / 8)
    assert abs(decay.signal.values).max() == pytest.approx(4152784.116963582 / 8)
    assert decay["time"].values[:2].tolist() == [0, 1e-6]
    told = {name: q.value for name, q in m["fid"].conditions.items()}
    assert (told["nucleus"], told["pulse_sequence"], told["repetitions"]) == ("7Li", "pjmatpass.ids", 1024)
    assert told["observe_frequency"] == pytest.approx(77.783, abs=1e-3)
    assert told["digital_filter_delay"] == 67.96875
    assert m.title == "7Li 40kHz 40 C MATPASS"
    assert str(m.started) == "2022-03-01 11:09:52+00:00"


def test_folder_is_as_its_archive(instruments: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(instruments / "bruker-nmr-zip/72.zip") as z:
        z.extractall(tmp_path)
    assert (
        read(tmp_path / "72")["spectrum"].signal
        == read(instruments / "bruker-nmr-zip/72.zip")["spectrum"].signal
    )
    assert READER.sniff(RawInput(tmp_path)) == NO  # the folder of experiments is walked, not one input


# --- made from the format's facts ---------------------------------------------------------------------------------


def parameters(**values: Any) -> str:
    lines = ["##TITLE= Parameter file, TOPSPIN\t\tVersion 2.1", "##OWNER= ユーザー", "$$ a comment = 5"]
    for name, value in values.items():
        if isinstance(value, list):
            lines += [f"##${name}= (0..{len(value) - 1})", " ".join(map(str, value))]
        else:
            lines.append(f"##${name}= {value}")
    return "\n".join([*lines, "##END="])


ACQUS: dict[str, Any] = {
    "NUC1": "<1H>", "SFO1": 400.13, "SW_h": 1000, "TD": 8, "AQ_mod": 3, "BYTORDA": 0, "DTYPA": 0, "NC": 0, "DECIM": 16,
    "DSPFVS": 12, "GRPDLY": -1, "D": [0, 2.5], "P": [0, 9.5], "NS": 16, "TE": 298.1, "SOLVENT": "<CDCl3>", "DATE": 1,
}  # fmt: skip
PROCS: dict[str, Any] = {
    "SI": 4,
    "XDIM": 4,
    "SF": 400,
    "SW_p": 1600,
    "OFFSET": 10,
    "NC_proc": 1,
    "BYTORDP": 0,
    "FT_mod": 6,
}


def experiment(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_one_dimension(tmp_path: Path) -> None:
    decay = np.arange(8, dtype=">i4").tobytes()
    folder = experiment(
        tmp_path / "10",
        {
            "acqus": parameters(**ACQUS | {"BYTORDA": 1, "NC": -1}),
            "fid": decay,
            "pdata/1/procs": parameters(**PROCS),
            "pdata/1/1r": np.array([1, 2, 3, 4], "<i4").tobytes(),
            "pdata/1/1i": np.array([5, 6, 7, 8], "<i4").tobytes(),
            "pdata/1/title": "sample µ\n".encode("cp1252"),
        },
    )
    m = read(folder)
    assert m.default == "spectrum"
    assert m["fid"].signal.values.tolist() == [0 + 0.5j, 1 + 1.5j, 2 + 2.5j, 3 + 3.5j]
    assert m["fid"]["time"].values.tolist() == [0, 0.001, 0.002, 0.003]
    assert m["spectrum"].signal.values.tolist() == [2, 4, 6, 8]
    assert m["spectrum"]["imaginary"].values.tolist() == [10, 12, 14, 16]
    assert m["spectrum"]["chemical_shift"].values.tolist() == [10, 9, 8, 7]
    assert (
        m["fid"].conditions["digital_filter_delay"].value == 71.625
    )  # from the table, as the file does not say
    assert m["fid"].conditions["relaxation_delay"].value == 2.5
    assert m["fid"].conditions["solvent"].value == "CDCl3"
    assert m.title == "sample µ"
    assert m.operator == "ユーザー"


def test_submatrices_of_two_dimensions(tmp_path: Path) -> None:
    whole = np.arange(4 * 6).reshape(4, 6)
    blocks = [whole[i : i + 2, j : j + 3] for i in (0, 2) for j in (0, 3)]
    folder = experiment(
        tmp_path / "11",
        {
            "acqus": parameters(**ACQUS),
            "acqu2s": parameters(**ACQUS | {"TD": 4, "NUC1": "<13C>", "SFO1": 100.6}),
            "pdata/1/procs": parameters(**PROCS | {"SI": 6, "XDIM": 3, "DTYPP": 2, "NC_proc": 0}),
            "pdata/1/proc2s": parameters(**PROCS | {"SI": 4, "XDIM": 2, "SF": 100, "OFFSET": 200}),
            "pdata/1/2rr": b"".join(np.ascontiguousarray(b, "<f8").tobytes() for b in blocks),
        },
    )
    (entry,) = read(folder).entries
    assert entry.signal.values.tolist() == whole.tolist()
    assert entry.signal.axes == ("indirect_chemical_shift", "chemical_shift")
    assert entry["indirect_chemical_shift"].values.tolist() == [200, 196, 192, 188]
    assert entry.conditions["indirect_nucleus"].value == "13C"


def test_rows_are_filled_up_and_may_be_missing(tmp_path: Path) -> None:
    rows = np.zeros((3, 256), "<i4")
    rows[:, :8] = np.arange(24).reshape(3, 8)
    files: dict[str, bytes | str] = {
        "acqus": parameters(**ACQUS),
        "acqu2s": parameters(**ACQUS | {"TD": 3}),
        "ser": rows.tobytes(),
    }
    m = read(experiment(tmp_path / "12", files))
    assert m["fid"].signal.values[2].tolist() == [16 + 17j, 18 + 19j, 20 + 21j, 22 + 23j]
    assert m["fid"].signal.axes == ("increment", "time")
    m = read(experiment(tmp_path / "13", files | {"ser": rows[:2].tobytes()}))
    assert m["fid"].signal.values.shape == (2, 4)
    assert "2 of 3 increments" in m.warnings[0]
    with pytest.raises(ReadError, match="cut off"):
        READER.read(RawInput(experiment(tmp_path / "14", files | {"ser": rows.tobytes()[:-1000]})))


def test_increments_are_of_the_list_that_the_pulse_program_goes_through(tmp_path: Path) -> None:
    rows = np.zeros((3, 256), "<i4")
    rows[:, :8] = np.arange(24).reshape(3, 8)
    files: dict[str, bytes | str] = {
        "acqus": parameters(**ACQUS),
        "acqu2s": parameters(**ACQUS | {"TD": 3}),
        "ser": rows.tobytes(),
        "pdata/1/procs": parameters(**PROCS),
        "pdata/1/proc2s": parameters(**PROCS | {"FT_mod": 0}),
        "pdata/1/2rr": np.r_[np.arange(1, 13), np.zeros(4, int)].astype("<i4").tobytes(),
        "vdlist": "10s \n500m\n20u\n4\n",
        "vplist": "100\n200\n300\n",
        "difflist": "2\n20\n40\n",
        "pulseprogram": "1 ze\n2 d1\n  vd\n  go=2 ph31\n  wr #0 if #0 ivd  ; ivp is not used\n  igrad EA\nexit\n",
    }
    m = read(experiment(tmp_path / "20", files))
    for entry in (m["fid"], m["spectrum"]):
        assert entry["delay"].values.tolist() == pytest.approx([10, 0.5, 20e-6])
        assert entry["delay"].unit == "s"
    assert m["spectrum"].signal.values[-1].tolist() == [18, 20, 22, 24]  # what was filled up is left out
    m = read(
        experiment(tmp_path / "21", files | {"pulseprogram": "2 vp\n go=2 \n wr #0 if #0 ivp\n igrad diff"})
    )
    assert m["fid"].signal.axes == (
        "increment",
        "time",
    )  # two lists: which goes with which increment is not said
    m = read(
        experiment(tmp_path / "22", files | {"pulseprogram": "wr #0 if #0 ivp", "vplist": "100\n20m\n1s\n"})
    )
    assert m["fid"]["pulse_duration"].values.tolist() == pytest.approx([1e-4, 0.02, 1])
    m = read(experiment(tmp_path / "23", files | {"pulseprogram": "igrad diff"}))
    assert m["fid"]["gradient"].values.tolist() == pytest.approx([0.02, 0.2, 0.4])  # T/m, listed in G/cm
    m = read(experiment(tmp_path / "24", files | {"vdlist": "10s\nhello\n1s"}))
    assert m["fid"].signal.axes == ("increment", "time")


def test_real_points_and_floats(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "acqus": parameters(**ACQUS | {"AQ_mod": 2, "DTYPA": 2}),
        "fid": np.arange(8, dtype="<f8").tobytes(),
    }
    entry = read(experiment(tmp_path / "15", files))["fid"]
    assert entry.signal.values.tolist() == list(range(8))
    assert entry["time"].values[1] == 0.0005


def test_several_experiments_in_one_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as z:
        for number in (10, 11):
            z.writestr(f"sample/{number}/acqus", parameters(**ACQUS))
            z.writestr(f"sample/{number}/fid", np.arange(8, dtype="<i4").tobytes())
    m = read(tmp_path / "all.zip")
    assert [e.name for e in m.entries] == ["_10_fid", "_11_fid"]


def test_parameters() -> None:
    told = parse_parameters(
        "##TITLE= x\n##$A= (0..2)\n1 2.5\n<a b>\n$$ note\n##$B= <t>\n##$C= 99999999999999999999\n##END=\n"
    )
    assert told == {"TITLE": "x", "A": [1, 2.5, "a b"], "B": "t", "C": "99999999999999999999"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"acqus": parameters(**ACQUS | {"TD": 0})}, "TD"),
        ({"acqus": parameters(**ACQUS | {"TD": 2**30})}, "cut off"),
        ({"pdata/1/procs": parameters(**PROCS | {"SI": 8})}, "cut off"),
        ({"pdata/1/procs": parameters(**PROCS | {"SF": 0})}, "chemical shift"),
        ({"pdata/1/procs": parameters(**PROCS | {"SI": -4})}, "damaged"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, changed: dict[str, bytes | str], said: str) -> None:
    files: dict[str, bytes | str] = {
        "acqus": parameters(**ACQUS),
        "fid": np.arange(8, dtype="<i4").tobytes(),
        "pdata/1/procs": parameters(**PROCS),
        "pdata/1/1r": np.arange(4, dtype="<i4").tobytes(),
    }
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(experiment(tmp_path / "16", files | changed)))


def test_damage(instruments: Path, tmp_path: Path) -> None:
    archive = (instruments / "bruker-nmr-zip/72.zip").read_bytes()
    assert cut(READER, archive, tmp_path / "a.zip") == []
    damage(READER, archive, tmp_path / "a.zip", turns=20)
    with zipfile.ZipFile(instruments / "bruker-nmr-zip/72.zip") as z:
        z.extractall(tmp_path)
    folder = replace(READER, read=lambda src: READER.read(RawInput(tmp_path / "72")))
    for part in ("acqus", "acqu2s", "ser", "pdata/1/procs", "pdata/1/2rr"):
        path = tmp_path / "72" / part
        data = path.read_bytes()
        cut(folder, data, path, parts=10)
        damage(folder, data, path, turns=15)
        path.write_bytes(data)


def test_others_are_not_claimed(instruments: Path, tmp_path: Path) -> None:
    (tmp_path / "acqus").write_text("##TITLE= x")
    for path in (
        tmp_path,
        instruments / "agilent-dx/teal.dx",
        instruments / "bruker-nmr-zip/multi_nuclei.zip",
    ):
        assert READER.sniff(RawInput(path)) == NO


def test_an_experiment_that_was_two_dimensional_before_is_not(tmp_path: Path) -> None:
    """TopSpin leaves acqu2s lying in a folder that is used again; its nucleus was told of a plain proton spectrum."""
    files: dict[str, bytes | str] = {
        "acqus": parameters(**ACQUS | {"PARMODE": 0}),
        "acqu2s": parameters(**ACQUS | {"TD": 4, "NUC1": "<13C>"}),
        "fid": np.arange(8, dtype="<i4").tobytes(),
    }
    assert "indirect_nucleus" not in read(experiment(tmp_path / "20", files))["fid"].conditions
    rows = np.zeros((3, 256), "<i4")
    files |= {
        "acqus": parameters(**ACQUS | {"PARMODE": 1}),
        "acqu2s": parameters(**ACQUS | {"TD": 3}),
        "acqu3s": parameters(**ACQUS | {"TD": 5}),
        "ser": rows.tobytes(),
    }
    del files["fid"]
    m = read(experiment(tmp_path / "21", files))
    assert m["fid"].signal.values.shape == (3, 4)
    assert not m.warnings


def test_sparse_sampling_is_told_as_such(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "acqus": parameters(**ACQUS | {"PARMODE": 1, "FnTYPE": 2}),
        "acqu2s": parameters(**ACQUS | {"TD": 8}),
        "nuslist": "0\n3\n",
        "ser": np.zeros((4, 256), "<i4").tobytes(),
    }
    m = read(experiment(tmp_path / "22", files))
    assert m["fid"].signal.values.shape == (4, 4)
    assert "nuslist" in m.warnings[0]
    assert m.original_metadata["22"]["nuslist"] == "0\n3\n"
