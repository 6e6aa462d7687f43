"""Powder CIF: what a crystallographer would lose if the reader were wrong (files made by the IUCr's dictionary)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers._cif import read_cif
from zairyo.readers.cif_powder import READER
from zairyo.readers.invariants import check

HEAD = """#\\#CIF_1.1
data_global
_publ_section_title
;
 A title in
 two lines
;
data_silicon
_chemical_formula_sum 'Si'
_diffrn_radiation_probe x-ray
_diffrn_radiation_wavelength 1.54056(2)
_diffrn_ambient_temperature 298
_pd_meas_datetime_initiated 2019-05-06T07:08
_pd_meas_2theta_range_min 10.0
_pd_meas_2theta_range_max 10.4
_pd_meas_2theta_range_inc 0.1
loop_
_atom_site_label
_atom_site_fract_x
Si1 0.125 # a comment
'Si 2' 0.5
"""
LOOP = """loop_
_pd_proc_point_id
_pd_proc_2theta_corrected
_pd_meas_counts_total
_pd_calc_intensity_total
_pd_proc_intensity_bkg_calc
1 10.00 120(11) 118.5 100
2 10.10 140(12) 141.0 100
3 10.20 ? 150.0 100
"""


def reads(text: str, folder: Path) -> Measurement:
    path = folder / "made.cif"
    path.write_text(text)
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


def test_a_pattern_with_uncertainties(tmp_path: Path) -> None:
    m = reads(HEAD + LOOP, tmp_path)
    (entry,) = m
    assert (m.title, m.sample) == ("A title in two lines", "Si")
    assert entry.technique == "xrd"
    assert entry.started == datetime(2019, 5, 6, 7, 8)
    assert entry["two_theta"].values.tolist() == [10, 10.1, 10.2]
    assert (entry.default, entry.signal.unit) == ("intensity", "counts")
    assert entry.signal.values[:2].tolist() == [120, 140]
    assert np.isnan(entry.signal.values[2])
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.tolist() == [11, 12, 0]
    assert entry["calculated_intensity"].values.tolist() == [118.5, 141, 150]
    told = {name: (q.value, q.unit) for name, q in entry.conditions.items()}
    assert told["wavelength"] == (1.54056, "angstrom")
    assert told["temperature"] == (298.0, "K")
    silicon = m.original_metadata["silicon"]
    assert silicon["loops"][0]["_atom_site_label"] == ["Si1", "Si 2"]  # type: ignore[index, call-overload]


def test_regular_steps_and_processed_intensities(tmp_path: Path) -> None:
    loop = "loop_ _pd_proc_intensity_total\n" + "\n".join(f"{v}.25(4)E1" for v in range(5))
    entry = reads(HEAD + loop, tmp_path)[0]
    assert entry["two_theta"].values == pytest.approx([10, 10.1, 10.2, 10.3, 10.4])
    assert entry.signal.values == pytest.approx([2.5, 12.5, 22.5, 32.5, 42.5])
    assert entry.signal.uncertainty == pytest.approx(0.4)
    assert entry.signal.unit is None
    bare = reads(HEAD.replace("_inc 0.1", "_inc 0.3") + loop, tmp_path)
    assert bare[0].signal.axes == ("point",)
    assert any("numbered" in w for w in bare.warnings)


def test_time_of_flight_and_several_blocks(tmp_path: Path) -> None:
    bank = "data_bank{}\nloop_\n_pd_meas_time_of_flight\n_pd_meas_intensity_total\n1000 5.5\n1010 6.5\n"
    m = reads(bank.format(1) + bank.format(2), tmp_path)
    assert [e.title for e in m] == ["bank1", "bank2"]
    assert m[0].technique == "neutron_diffraction"
    assert (m[0]["time_of_flight"].unit, m[0]["time_of_flight"].values.tolist()) == ("us", [1000, 1010])


def test_uncertainties_in_a_column_and_neutrons_by_easydiffraction(tmp_path: Path) -> None:
    text = (
        "data_hrpt\n_expt_type.radiation_probe neutron\n_instr.wavelength 1.494\nloop_\n_pd_meas.2theta_scan\n"
        "_pd_meas.intensity_total\n_pd_meas.intensity_total_su\n10.0 167 12.5\n10.5 157 ?\n11.0 187 13.5\n"
    )
    (entry,) = reads(text, tmp_path)
    assert (entry.technique, str(entry.conditions["wavelength"])) == ("neutron_diffraction", "1.494 angstrom")
    assert entry.signal.values.tolist() == [167, 157, 187]
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.tolist() == [12.5, 0, 13.5]


def test_what_was_measured_comes_before_what_was_calculated_from_it(tmp_path: Path) -> None:
    text = (
        "data_lab6\n_pd_meas_2theta_range_min 10\n_pd_meas_2theta_range_max 11\n_pd_meas_2theta_range_inc 0.5\n"
        "loop_\n_pd_proc_d_spacing\n_pd_meas_counts_total\n8.8 100\n8.5 110\n8.2 120\n"
    )
    (entry,) = reads(text, tmp_path)
    assert entry["two_theta"].values.tolist() == [10, 10.5, 11]
    (entry,) = reads(text.replace("range_inc 0.5", "range_inc 0.1"), tmp_path)
    assert entry["d_spacing"].values.tolist() == [8.8, 8.5, 8.2]


def test_energies_are_electronvolts(tmp_path: Path) -> None:
    text = "data_e\nloop_\n_pd_proc_energy_incident\n_pd_proc_intensity_net\n20000 5\n21000 6\n"
    (entry,) = reads(text, tmp_path)
    assert (entry["energy"].unit, entry["energy"].values.tolist()) == ("eV", [20000, 21000])


def test_the_grammar() -> None:
    text = "data_x\n_a 'it's here'\n_b \"5'\"\n_c\n;\n two\n lines; \n;\n_D .\nloop_\n_e\n;one\n;\n'' _f 1\n"
    (block,) = read_cif(text)
    assert block.items == {"_a": "it's here", "_b": "5'", "_c": " two\n lines; ", "_d": ".", "_f": "1"}
    assert block.loops == [{"_e": ["one", ""]}]
    assert block.text("_d", "_f") == "1"


def test_a_name_that_is_twice_in_a_loop_gives_two_columns(tmp_path: Path) -> None:
    """Found by fuzzing: one column took the cells of both, and the pattern did not fit its positions."""
    m = reads(HEAD + LOOP.replace("_pd_calc_intensity_total", "_pd_meas_counts_total"), tmp_path)
    assert m[0]["intensity"].values[:2].tolist() == [120, 140]
    assert read_cif("data_x loop_ _a _a 1 2 3 4")[0].loops == [{"_a": ["1", "3"], "_a_2": ["2", "4"]}]


def test_a_loop_without_values_ends_with_its_block() -> None:
    """Found by fuzzing: the next block's first name was taken for the loop's, which that block does not have."""
    assert read_cif("data_x loop_ _a data_y _b 1")[1].items == {"_b": "1"}


def test_what_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no whole rows"):
        reads(HEAD + LOOP + "4 10.3", tmp_path)
    with pytest.raises(ReadError, match="no value"):
        reads(HEAD + LOOP + "_last_name", tmp_path)
    with pytest.raises(ReadError, match="no measurement"):
        reads(HEAD, tmp_path)


def test_damage_never_breaks_out(tmp_path: Path) -> None:
    data = (HEAD + LOOP).encode()
    cut(READER, data, tmp_path / "cut.cif", parts=80)
    damage(READER, data, tmp_path / "damaged.cif", turns=300, within=len(data))


def test_structures_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "x.cif").write_text("data_x\n_cell_length_a 5.4\n")
    assert READER.sniff(RawInput(tmp_path / "x.cif")) == NO


def test_names_with_a_point_behind_the_category(tmp_path: Path) -> None:
    """The newer dictionary's spelling; taken for unknown names, the pattern was none."""
    text = HEAD + LOOP
    for category in ("_pd_meas", "_pd_proc", "_pd_calc", "_diffrn_radiation", "_atom_site", "_diffrn"):
        text = text.replace(f"\n{category}_", f"\n{category}.")
    path = tmp_path / "a.cif"
    path.write_text(text)
    assert READER.sniff(RawInput(path)) == CERTAIN
    e = check(READER.read(RawInput(path)), READER)[0]
    assert e["two_theta"].values.tolist() == [10.0, 10.1, 10.2]
    assert e.signal.values[:2].tolist() == [120, 140]
