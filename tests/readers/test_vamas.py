"""VAMAS: what a surface analyst would lose if the reader were wrong."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.vamas import READER

FOLDER = "vamas"
MAGIC = "VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"


def read(path: Path) -> Measurement:
    return READER.read(RawInput(path))


# --- real files; intensities and abscissae agree with the PyPI package vamas 0.2.0 where it reads the file ----

GOLDEN = {
    # name: entry, points, first and last abscissa as given, sum and largest intensity
    "regular.vms": ("survey", 1351, (136.61, 1486.61), 3188302.0896, 10836.6, "counts"),
    "irregular.vms": ("counts_per_second", 1351, (136.61, 1486.61), 31883020.896, 108366.0, "counts"),
    "FeO_analyzed.vms": ("fe_2p", 1121, (736.61, 792.61), 13991176.77, 24040.7, "counts"),
    "aes_staib.vms": ("_1st_block_id", 1100, (19.989319, 2200.045946), -38405703.0, 99886.0, ""),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_real_numbers(instruments: Path, name: str) -> None:
    entry_name, points, ends, total, largest, unit = GOLDEN[name]
    path = instruments / FOLDER / name
    assert READER.sniff(RawInput(path)) == CERTAIN
    entry = read(path)[entry_name]
    kinetic: Any = entry["kinetic_energy"]
    assert kinetic.unit == "eV"
    assert kinetic.values[[0, -1]] == pytest.approx(ends, rel=1e-9)
    assert entry.default == "intensity"
    assert entry.signal.unit == unit
    assert entry.signal.values.shape == (points,)
    assert entry.signal.values.sum() == pytest.approx(total, rel=1e-9)
    assert entry.signal.values.max() == pytest.approx(largest, rel=1e-9)


def test_shipped_example(examples: Path) -> None:
    (entry,) = read(examples / "spectroscopy/aes_staib.vms")
    assert entry.technique == "aes"
    assert entry.signal.values.sum() == -38405703.0


def test_binding_energy_only_with_a_stated_excitation_energy(instruments: Path) -> None:
    xps = read(instruments / FOLDER / "regular.vms")["survey"]
    assert xps.technique == "xps"
    assert xps.signal.axes == ("binding_energy",)
    assert xps["binding_energy"].values[[0, -1]] == pytest.approx([1350.0, 0.0], abs=1e-9)
    assert "excitation energy − kinetic energy" in str(xps.conditions["energy_reference"].value)
    aes = read(instruments / FOLDER / "aes_staib.vms")[0]
    assert aes.technique == "aes"
    assert aes.signal.axes == ("kinetic_energy",)
    assert "energy_reference" not in aes.conditions
    assert "excitation_energy" not in aes.conditions


def test_conditions_and_start(instruments: Path) -> None:
    entry = read(instruments / FOLDER / "regular.vms")[0]
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["excitation_energy"] == (1486.61, "eV")
    assert told["pass_energy"] == (100.0, "eV")
    assert told["dwell_time"] == (0.1, "s")
    assert told["work_function"] == (4.1082, "eV")
    assert told["incidence_angle"] == (54.5, "deg")
    assert entry.started == datetime(2023, 8, 24, 14, 19, 47)
    assert any("Spectrum ID = 20" in line for line in entry.original_metadata["comment"])  # type: ignore[union-attr]


def test_transmission_function_is_a_signal_of_its_own(instruments: Path) -> None:
    entry = read(instruments / FOLDER / "FeO_analyzed.vms")["fe_2p"]
    transmission: Any = entry["transmission"]
    assert transmission.axes == ("binding_energy",)
    assert transmission.values.sum() == pytest.approx(3051.87101, rel=1e-9)


def test_components_fitted_by_casaxps(instruments: Path) -> None:
    fit = read(instruments / FOLDER / "FeO_analyzed.vms")["fe_2p_components"]
    assert fit.is_table
    assert list(fit["line_shape"].values) == ["LF(0.54,10,80,100,6)", "SGL(30)"] * 2
    assert fit["area"].values == pytest.approx([63507.374, 35837.064, 49042.126, 17705.155])
    assert fit["binding_energy"].values == pytest.approx([709.04687, 716.0, 722.12766, 729.88788])


_FITTED = (
    "CASA comp (*Mo 3d MoS2 2H*) (*LA(1.53,243)*) Area 230.36971 1e-020 2327991 -1 1 MFWHM 0.88528218 0.2 2 -1 1 "
    "Position 1257.22 1257.02 1257.22 -1 1 RSF 10.804667 MASS 95.9219 INDEX -1 (*Mo 3d*) CONST (**) UNCORRECTEDRSF 9.5"
)


@pytest.mark.parametrize("is_moved", [False, True])
def test_calibration_of_casaxps(tmp_path: Path, is_moved: bool) -> None:
    """The line and the component are those of a real MoS2 file: the peak lies at 229.4 eV once calibrated.

    A line that says Comps moved the positions back to the measured scale.
    """
    fitted = _FITTED.replace("1257.22 1257.02", "1260.85 1257.02") if is_moved else _FITTED
    line = f"Calib M = 281.1700 A = 284.8{' Regions Comps' if is_moved else ''} BE ADD"
    made = block(
        [[1], [2], [3]],
        name="Mo 3d",
        abscissa=("Kinetic Energy", "eV", 1260.8, 0.05),
        comment=("Casa Info Follows", "1", line, "1", fitted),
    )
    m = read(write(tmp_path, [made]))
    assert m["mo_3d"]["kinetic_energy"].values == pytest.approx([1260.8, 1260.85, 1260.9])
    assert m["mo_3d"]["binding_energy"].values == pytest.approx([229.43, 229.38, 229.33])
    assert "+3.6300 eV" in str(m["mo_3d"].conditions["energy_reference"].value)
    assert m["mo_3d_components"]["binding_energy"].values == pytest.approx([229.38])
    assert m["mo_3d_components"]["kinetic_energy"].values == pytest.approx([1260.85])
    (told,) = m.warnings
    assert "+3.6300 eV" in told


def test_calibrations_add_up_and_one_of_nothing_is_none(tmp_path: Path) -> None:
    # as in the real MoS2 file: the second was measured on the scale that the first had made
    lines = ("Calib M = 281.1700 A = 284.8 BE ADD", "Calib M = 284.7999 A = 284.8 BE ADD")
    m = read(write(tmp_path, [block([[1], [2]], comment=lines)]))
    assert m[0]["binding_energy"].values == pytest.approx([300.2301, 299.7301])
    m = read(write(tmp_path, [block([[1], [2]], comment=("Calib M = 285 A = 285 BE ADD",))]))
    assert m[0]["binding_energy"].values == pytest.approx([296.6, 296.1])
    assert not m.warnings


def test_calibration_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    strange = block([[1], [2]], comment=("Calib M = 284.1,285.3 A = 284.8 BE ADD",))
    m = read(write(tmp_path, [strange]))
    assert m[0]["binding_energy"].values == pytest.approx([296.6, 296.1])
    assert "not understood" in m.warnings[0]
    levels = [
        block([[1], [2]], variables=[t], comment=(f"Calib M = {285 + t} A = 284.8 BE ADD",))
        for t in (0.0, 1.0)
    ]
    m = read(write(tmp_path, levels, variables=[("Etch Time", "s")]))
    assert m[0]["binding_energy"].values == pytest.approx([296.6, 296.1])
    assert "not the same" in m.warnings[0]
    auger = block([[1], [2]], technique="AES dir", comment=("Calib M = 281 A = 284.8 BE ADD",))
    m = read(write(tmp_path, [auger]))
    assert "as measured" in m.warnings[0]


def test_numbers_that_the_comment_of_kratos_contradicts_are_left_out(tmp_path: Path) -> None:
    """A real angle-resolved file says 160 eV and 100 W in every block, and 20 eV and 225 W in the comments."""
    lines = ("Charge Neutraliser : On", "Resolution : 20.00", "X-ray Power : 150.00W")
    m = read(write(tmp_path, [block([[1], [2]], comment=lines)]))
    assert m[0].conditions["source_power"].value == 150
    assert m[0].conditions["pass_energy"].value == 20
    assert not m.warnings
    m = read(write(tmp_path, [block([[1], [2]], comment=(lines[0], "Resolution : 160.00", lines[2]))]))
    assert "pass_energy" not in m[0].conditions
    assert m[0].conditions["source_power"].value == 150
    (told,) = m.warnings
    assert "20 eV in the block and 160 eV in its comment" in told


def test_conditions_of_kratos_and_specs_are_in_the_comment(instruments: Path, tmp_path: Path) -> None:
    lines = ("Sample : Ni-W", "Charge Neutraliser : On", "Collimation : Slot", "Lens : Hybrid")
    told = read(write(tmp_path, [block([[1], [2]], comment=lines)]))[0].conditions
    assert told["charge_neutraliser"].value == "On"
    assert told["lens_mode"].value == "Hybrid"
    told = read(instruments / FOLDER / "regular.vms")[0].conditions
    assert told["lens_mode"].value == "LargeArea:1.5kV"
    assert told["analyser_slit"].value == "4:7x20c\\C:mesh"


# --- the standard's variants, written by hand ----------------------------------------------------------------


def block(
    values: list[list[float]],
    *,
    mode: str = "NORM",
    scan: str = "REGULAR",
    technique: str = "XPS",
    name: str = "C 1s",
    sample: str = "film",
    variables: list[float] = [],  # noqa: B006
    columns: list[tuple[str, str]] = [("Intensity", "d")],  # noqa: B006
    abscissa: tuple[str, str, float, float] = ("Kinetic Energy", "eV", 1190.0, 0.5),
    place: tuple[int, int] = (1, 1),
    corners: tuple[int, ...] = (0, 0, 0, 0, 0, 0),
    hours: int = 9,
    leave_out: frozenset[int] = frozenset(),
    upgrade: int = 0,
    signal_mode: str = "pulse counting",
    source: float = 1486.6,
    comment: tuple[str, ...] = ("a comment",),
) -> list[str]:
    """A block in the standard's order; ``leave_out`` are the prefix numbers not written."""
    lines: list[Any] = [name, sample]

    def put(prefix: int, *parts: Any) -> None:
        if prefix not in leave_out:
            lines.extend(parts)

    for prefix, value in enumerate((2024, 2, 29, 12, 30, 15, hours), 1):
        put(prefix, value)
    put(8, len(comment), *comment)
    put(9, technique)
    if mode in ("MAP", "MAPDP"):
        put(10, *place)
    put(11, *variables)
    put(12, "Al mono")
    if mode in ("MAPDP", "MAPSVDP", "SDP", "SDPSV") or technique == "SIMS":
        put(13, 18, 1, 1)
    put(14, source)
    put(15, 150)
    put(16, 400, 300)
    if mode in ("MAP", "MAPDP", "MAPSV", "MAPSVDP", "SEM"):
        put(17, 100, 100)
    if mode in ("MAPSV", "MAPSVDP", "SEM"):
        put(18, *corners)
    put(19, 45)
    put(20, 0)
    put(21, "FAT")
    put(22, 20)
    if technique == "AES diff":
        put(23, 4)
    put(24, "1E37")
    put(25, 4.5)
    put(26, 0)
    put(27, "1E37", "1E37")
    put(28, 30, 90)
    put(29, "C")
    put(30, "1s", -1)
    if scan == "REGULAR":
        put(31, *abscissa)
    put(32, len(columns), *(part for column in columns for part in column))
    put(33, signal_mode)
    put(34, 0.25)
    put(35, 3)
    put(36, 0)
    if mode in ("MAPDP", "MAPSVDP", "SDP", "SDPSV") and technique != "SIMS":
        put(37, 3000, 500, 2000, 2000, 50, 0, "cyclic")
    put(38, 0, 0)
    put(39, 10)
    put(40, 1, "Room temperature", "K", 295)
    lines += ["future"] * upgrade
    lines.append(sum(len(row) for row in values))
    lines += [0, 1] * len(columns)
    lines += [number for row in values for number in row]
    return [str(line) for line in lines]


def write(
    folder: Path,
    blocks: list[list[str]],
    *,
    mode: str = "NORM",
    scan: str = "REGULAR",
    variables: list[tuple[str, str]] = [],  # noqa: B006
    listed: list[int] = [],  # noqa: B006
    is_exclusion: bool = False,
    upgrade: int = 0,
    encoding: str = "utf-8",
    end: str = "end of experiment\r\n",
    full_map: tuple[int, int] = (2, 2),
) -> Path:
    lines: list[Any] = [MAGIC, "NIMS", "PHI Quantera", "山田", "Not Specified", 1, "comment", mode, scan]
    if mode in ("MAP", "MAPDP", "NORM", "SDP"):
        lines.append(1)
    if mode in ("MAP", "MAPDP"):
        lines += [full_map[0] * full_map[1], *full_map]
    lines += [len(variables), *(part for variable in variables for part in variable)]
    lines += [-len(listed) if is_exclusion else len(listed), *listed]
    lines += [2, 38, 39]  # entered by hand
    lines += [upgrade, upgrade, *["future"] * upgrade, len(blocks)]
    path = folder / "made.vms"
    text = "".join(f"{line}\r\n" for line in [*lines, *(line for b in blocks for line in b)]) + end
    path.write_bytes(text.encode(encoding))
    return path


def test_every_region_is_an_entry(tmp_path: Path) -> None:
    first = block([[1], [2], [3]], name="C 1s")
    second = block([[4], [5]], name="O 1s", abscissa=("Kinetic Energy", "eV", 950.0, 0.1))
    m = read(write(tmp_path, [first, second, second]))
    assert [e.name for e in m] == ["c_1s", "o_1s", "o_1s_2"]
    assert m["o_1s"]["binding_energy"].values == pytest.approx([536.6, 536.5])
    assert m.sample == "film"
    assert m.instrument == "PHI Quantera"
    assert m["c_1s"].conditions["repetitions"].value == 3


def test_blocks_that_were_deleted_are_told(tmp_path: Path) -> None:
    """As in a file of Omicron's EIS that announces seven blocks, holds two and has its proper end."""
    path = write(tmp_path, [block([[1], [2]]), block([[3], [4]])])
    data = path.read_bytes().replace(b"\r\n2\r\nC 1s\r\n", b"\r\n7\r\nC 1s\r\n", 1)
    path.write_bytes(data)
    m = read(path)
    assert len(m.entries) == 2
    assert "announces 7 blocks and ends after 2" in m.warnings[0]
    path.write_bytes(data.replace(b"end of experiment", b""))
    with pytest.raises(ReadError):
        read(path)


def test_zone_is_the_stated_one(tmp_path: Path) -> None:
    (entry,) = read(write(tmp_path, [block([[1], [2]])]))
    assert entry.started == datetime(2024, 2, 29, 12, 30, 15, tzinfo=timezone(timedelta(hours=9)))


@pytest.mark.parametrize("is_exclusion", [False, True])
def test_parameters_left_out_come_from_the_first_block(tmp_path: Path, is_exclusion: bool) -> None:
    written = {11, 31, 32}
    listed = sorted(set(range(1, 41)) - written) if is_exclusion else sorted(written)
    first = block([[1], [2]], variables=[0.0])
    second = block(
        [[3], [4]],
        variables=[60.0],
        abscissa=("Kinetic Energy", "eV", 500.0, 1.0),
        leave_out=frozenset(range(1, 41)) - written,
    )
    m = read(
        write(
            tmp_path,
            [first, second],
            variables=[("Etch Time", "s")],
            listed=listed,
            is_exclusion=is_exclusion,
        )
    )
    late = m[1]
    assert late["kinetic_energy"].values == pytest.approx([500.0, 501.0])
    assert late.conditions["etch_time"].value == 60.0
    assert late.conditions["dwell_time"].value == 0.25
    assert late.started == m[0].started
    assert late.original_metadata["comment"] == ["a comment"]


@pytest.mark.parametrize("mode", ["NORM", "SDP"])
def test_depth_profile_is_one_entry_over_the_etch_time(tmp_path: Path, mode: str) -> None:
    blocks = [block([[10 * t + 1], [10 * t + 2]], mode=mode, variables=[30.0 * t]) for t in range(3)]
    (entry,) = read(write(tmp_path, blocks, mode=mode, variables=[("Etch Time", "s")]))
    assert entry.signal.axes == ("etch_time", "binding_energy")
    assert entry["etch_time"].values.tolist() == [0.0, 30.0, 60.0]
    assert entry["etch_time"].unit == "s"
    assert entry.signal.values.tolist() == [[1, 2], [11, 12], [21, 22]]
    assert len(entry.original_metadata["blocks"]) == 3  # type: ignore[arg-type]
    assert ("sputter_energy" in entry.conditions) == (mode == "SDP")
    assert "etch_time" not in entry.conditions  # it differs from block to block


def test_different_samples_are_never_put_together(tmp_path: Path) -> None:
    blocks = [block([[t], [t]], sample=f"film {t}", variables=[float(t)]) for t in range(3)]
    m = read(write(tmp_path, blocks, variables=[("Etch Time", "s")]))
    assert len(m) == 3
    assert m.sample == ""


def test_map_of_spectra(tmp_path: Path) -> None:
    places = [(2, 1), (1, 1), (1, 2), (2, 2)]  # not in order
    blocks = [block([[10 * y + x], [0]], mode="MAP", place=(x, y)) for x, y in places]
    (entry,) = read(write(tmp_path, blocks, mode="MAP"))
    assert entry.signal.axes == ("y", "x", "binding_energy")
    assert entry.signal.values[..., 0].tolist() == [[11, 12], [21, 22]]


def test_map_with_a_missing_place_keeps_every_spectrum(tmp_path: Path) -> None:
    blocks = [block([[10 * y + x], [0]], mode="MAP", place=(x, y)) for x, y in [(1, 1), (2, 1), (1, 2)]]
    m = read(write(tmp_path, blocks, mode="MAP"))
    assert m[0].signal.values[:, 0].tolist() == [11, 12, 21]
    assert m[0]["x"].values.tolist() == [1, 2, 1]
    assert any("do not fill a grid" in w for w in m.warnings)


def test_map_depth_profile(tmp_path: Path) -> None:
    blocks = [
        block([[100 * t + 10 * y + x], [0]], mode="MAPDP", place=(x, y), variables=[float(t)])
        for t in (0, 1)
        for y in (1, 2)
        for x in (1, 2, 3)
    ]
    (entry,) = read(write(tmp_path, blocks, mode="MAPDP", variables=[("Sputter Time", "s")], full_map=(3, 2)))
    assert entry.signal.values.shape == (2, 2, 3, 2)
    assert entry.signal.axes == ("etch_time", "y", "x", "binding_energy")
    assert entry.signal.values[1, 1, 2, 0] == 123


@pytest.mark.parametrize("mode", ["MAPSV", "MAPSVDP", "SEM"])
def test_images(tmp_path: Path, mode: str) -> None:
    pixels = [[float(i), 100.0 + i] for i in range(6)]
    made = block(
        pixels,
        mode=mode,
        scan="MAPPING",
        columns=[("C 1s", "d"), ("O 1s", "d")],
        corners=(0, 0, 2, 0, 2, 1),
    )
    (entry,) = read(write(tmp_path, [made], mode=mode, scan="MAPPING"))
    assert entry.signal.axes == ("y", "x")
    assert entry["c_1s"].values.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert entry["o_1s"].values.tolist() == [[100, 101, 102], [103, 104, 105]]


def test_single_values_against_depth(tmp_path: Path) -> None:
    made = block(
        [[50.0, 25.0], [60.0, 20.0]],
        mode="SDPSV",
        columns=[("C 1s", "d"), ("Si 2p", "d")],
        abscissa=("Sputter Time", "s", 0.0, 30.0),
    )
    (entry,) = read(write(tmp_path, [made], mode="SDPSV"))
    assert entry["etch_time"].values.tolist() == [0.0, 30.0]
    assert entry["si_2p"].values.tolist() == [25.0, 20.0]


def test_mode_without_experiment(tmp_path: Path) -> None:
    assert len(read(write(tmp_path, [block([[1], [2]], mode="NOEXP")], mode="NOEXP"))) == 1


def test_binding_energy_as_given_is_kept(tmp_path: Path) -> None:
    made = block([[1], [2]], abscissa=("Binding Energy", "eV", 290.0, -0.1))
    (entry,) = read(write(tmp_path, [made]))
    assert entry["binding_energy"].values == pytest.approx([290.0, 289.9])
    with pytest.raises(KeyError):
        entry["kinetic_energy"]


def test_x_ray_spectra_are_named_as_those_of_microscopes(tmp_path: Path) -> None:
    """A search for EDS finds them, and they bring no condition that only an electron analyser has."""
    (entry,) = read(
        write(tmp_path, [block([[1], [2]], technique="EDX", abscissa=("Energy", "eV", 1000.0, 10.0))])
    )
    assert entry.technique == "eds"
    assert "pass_energy" not in entry.conditions
    assert "dwell_time" in entry.conditions


def test_future_parameters_are_skipped(tmp_path: Path) -> None:
    (entry,) = read(write(tmp_path, [block([[7], [8]], upgrade=2)], upgrade=2))
    assert entry.signal.values.tolist() == [7, 8]
    assert entry.original_metadata["future_upgrade_block_entries"] == ["future", "future"]


@pytest.mark.parametrize(
    ("label", "token", "signal_mode", "unit"),
    [
        ("Intensity", "c/s", "pulse counting", "count/s"),
        ("Intensity", "d", "pulse counting", "counts"),
        ("Intensity", "d", "analogue", ""),
        ("Counts per second", "d", "pulse counting", "count/s"),
        ("Counts", "d", "analogue", "counts"),
        ("Current", "nA", "analogue", "nA"),
    ],
)
def test_counts_are_not_counts_per_second(
    tmp_path: Path, label: str, token: str, signal_mode: str, unit: str
) -> None:
    m = read(write(tmp_path, [block([[1], [2]], columns=[(label, token)], signal_mode=signal_mode)]))
    assert m[0].signal.unit == unit
    assert m.warnings == ()


def test_unknown_unit_costs_only_the_unit(tmp_path: Path) -> None:
    m = read(write(tmp_path, [block([[1], [2]], columns=[("Intensity", "furlong")])]))
    assert m[0].signal.unit == "furlong"
    assert "furlong" in m.warnings[0]


def test_odd_token_costs_only_itself(tmp_path: Path) -> None:
    path = write(tmp_path, [block([[1], [2]], source="about 1487 eV")])  # type: ignore[arg-type]
    m = read(path)
    assert m[0].signal.axes == ("kinetic_energy",)
    assert m[0].original_metadata["analysis_source_characteristic_energy"] == "about 1487 eV"
    assert any("about 1487 eV" in w for w in m.warnings)


def test_decimal_commas(tmp_path: Path) -> None:
    path = write(tmp_path, [block([[1.5], [2.25]])])
    path.write_bytes(path.read_bytes().replace(b"1.5\r\n2.25\r\n", b"1,5\r\n2,25\r\n"))
    assert read(path)[0].signal.values.tolist() == [1.5, 2.25]


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_japanese_names(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, [block([[1], [2]], sample="酸化鉄の薄膜")], encoding=encoding)
    assert read(path).sample == "酸化鉄の薄膜"
    assert read(path).operator == "山田"


def test_missing_terminator_is_told(tmp_path: Path) -> None:
    assert any("end of experiment" in w for w in read(write(tmp_path, [block([[1], [2]])], end="")).warnings)


def test_last_number_cut_off_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, [block([[1], [12345]])], end="")
    path.write_bytes(path.read_bytes().rstrip(b"\r\n")[:-2])
    with pytest.raises(ReadError, match="cut off"):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"NORM", b"NARM", "experiment mode"),
        (b"REGULAR", b"IRREGULARLY", "scan mode"),
        (b"\r\n1.5\r\n", b"\r\nx.5\r\n", "line"),
        (MAGIC.encode(), b"something else", "not a VAMAS file"),
        (b"\r\n2\r\n0\r\n1\r\n1.5", b"\r\n2000000000\r\n0\r\n1\r\n1.5", "cannot hold"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, old: bytes, new: bytes, said: str) -> None:
    path = write(tmp_path, [block([[1.5], [2.5]])])
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(ReadError, match=said):
        read(path)


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "other.vms"
    path.write_text("##TITLE= not this\n")
    assert READER.sniff(RawInput(path)) == NO
    path.write_bytes(b"")
    assert READER.sniff(RawInput(path)) == NO


# --- damage --------------------------------------------------------------------------------------------------


def outcome(path: Path, data: bytes) -> None:
    """Either a ReadError or a Measurement; nothing else may come out of a damaged file."""
    path.write_bytes(data)
    try:
        assert isinstance(read(path), Measurement)
    except ReadError:
        return


@pytest.mark.parametrize("name", GOLDEN)
def test_damaged_files(instruments: Path, tmp_path: Path, name: str) -> None:
    data = (instruments / FOLDER / name).read_bytes()
    chance = random.Random(name)
    path = tmp_path / "damaged.vms"
    for i in range(20):
        path.write_bytes(data[: (len(data) - 25) * i // 20])
        with pytest.raises(ReadError):
            read(path)
    for _ in range(50):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] = chance.randrange(256)
        outcome(path, bytes(changed))
    outcome(path, data[:300] + chance.randbytes(5000))


def test_numbers_are_the_same_array_whatever_the_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path, [block([[1], [2]])])
    expected = read(path)[0].signal.values
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\r"))
    np.testing.assert_array_equal(read(path)[0].signal.values, expected)
