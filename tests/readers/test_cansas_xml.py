"""canSAS 1D XML: what a person who measured small-angle scattering would lose if the reader were wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.cansas_xml import READER
from zairyo.readers.invariants import check

FOLDER = "cansas-xml"


def read(path: Path) -> Measurement:
    return check(READER.read(RawInput(path)), READER)


# sasdata 0.11.0 gives the same points, q, sums of intensities and of their uncertainties.
GOLDEN = {
    ("10000A_sphere_dsm.xml", 0): (75, (3.0525e-05, 0.0052725), 3749882520.0126, 45038168.552030005),
    ("33837rear_1D_1.75_16.5_CanSAS1D.xml", 0): (66, (0.00416, 0.618924), 347.260067, 4.68928185),
    ("ISIS_Polymer_Blend_RT2.xml", 0): (124, (0.008, 0.254), 818.914093, 9.4731406),
    ("ISIS_Polymer_Blend_TK49.xml", 0): (102, (0.009, 0.26875), 804.597788, 8.2229337),
    ("P123_D2O_10_percent.xml", 0): (124, (0.009, 0.2545), 1952.43047383, 14.0127747),
    ("P123_D2O_30_percent.xml", 0): (124, (0.009, 0.2545), 1932.903687, 22.5001809),
    ("hSDS_D2O_2p0_percent.xml", 0): (137, (0.009, 0.281), 32.083542685, 1.97015941),
    ("latex_smeared.xml", 0): (301, (0.003797, 0.401), 8342.49286279435, 442.2072922232087),
    ("latex_smeared.xml", 1): (82, (7.7457e-05, 0.00554976), 274555.98739, 3089.29498),
}


@pytest.mark.parametrize(("name", "index"), GOLDEN)
def test_real_numbers(instruments: Path, name: str, index: int) -> None:
    points, ends, total, errors = GOLDEN[name, index]
    assert READER.sniff(RawInput(instruments / FOLDER / name)) == CERTAIN
    m = read(instruments / FOLDER / name)
    assert m.warnings == ()
    entry = m[index]
    assert entry.technique == "sans"
    assert entry["q"].unit == "1/angstrom"
    assert entry["q"].values.shape == (points,)
    assert entry["q"].values[[0, -1]].tolist() == list(ends)
    assert (entry.default, entry.signal.unit) == ("intensity", "1/cm")
    assert entry.signal.values.sum() == pytest.approx(total, rel=1e-12)
    assert entry.signal.uncertainty is not None
    assert entry.signal.uncertainty.sum() == pytest.approx(errors, rel=1e-12)


def test_smearing_and_resolution_are_kept_apart(instruments: Path) -> None:
    pinhole, slit = read(instruments / FOLDER / "latex_smeared.xml")
    assert [s.name for s in pinhole.signals] == ["intensity", "q_resolution", "q_mean", "shadow_factor"]
    assert [s.name for s in slit.signals] == ["intensity", "slit_length"]
    assert slit["slit_length"].values[0] == 0.117
    assert (slit.conditions["wavelength"].value, slit.conditions["wavelength"].unit) == (2.38, "angstrom")


def test_conditions_transmission_spectra_and_metadata(instruments: Path) -> None:
    m = read(instruments / FOLDER / "ISIS_Polymer_Blend_RT2.xml")
    assert (m.sample, m.instrument, m.title) == ("LOQ Standard RT2_SANS", "LOQ", "LOQ Standard RT2_SANS")
    told = {name: (q.value, q.unit) for name, q in m[0].conditions.items()}
    assert told["sample_thickness"] == (1.1, "mm")
    assert told["sample_detector_distance"] == (4.14902, "m")
    assert told["run"] == ("104977", None)
    spectrum = m["transmission_can"]
    assert (spectrum.default, spectrum.signal.axes) == ("transmission", ("wavelength",))
    assert spectrum.signal.values.sum() == pytest.approx(44.102489, rel=1e-12)
    terms = m[0].original_metadata["SASprocess"]["term"]  # type: ignore[index, call-overload]
    assert terms[2] == {"@name": "can_trans_run", "#text": "104975"}  # type: ignore[index, call-overload]


# --- variants no real file shows ------------------------------------------------------------------------------


def reads(data: str, folder: Path, **source: str) -> Measurement:
    told = "".join(f"<{k}>{v}</{k}>" for k, v in source.items())
    path = folder / "made.xml"
    path.write_text(
        '<?xml version="1.0"?><SASroot version="1.1" xmlns="urn:cansas1d:1.1"><SASentry name="e"><Title>T</Title>'
        f"<Run>1</Run><Run>2</Run>{data}<SASsample><ID>s</ID><temperature unit='C'>25.5</temperature></SASsample>"
        f"<SASinstrument><name>n</name><SASsource>{told}</SASsource></SASinstrument></SASentry></SASroot>"
    )
    assert READER.sniff(RawInput(path)) == CERTAIN
    return read(path)


def point(q: object, i: object, unit: str = "1/nm", more: str = "") -> str:
    return f'<Idata><Q unit="{unit}">{q}</Q><I unit="a.u.">{i}</I>{more}</Idata>'


def test_xrays_nanometres_and_several_data_sets(tmp_path: Path) -> None:
    data = f'<SASdata name="hot">{point(0.1, 5)}</SASdata><SASdata name="cold">{point(0.1, 6)}</SASdata>'
    m = reads(data, tmp_path, radiation="Synchrotron X-ray Source")
    assert [e.name for e in m] == ["hot", "cold"]
    assert m[0].technique == "saxs"
    assert (m[0]["q"].unit, m[0].signal.unit) == ("1/nm", "arb")
    assert (m[0].conditions["temperature"].value, m[0].conditions["temperature"].unit) == (25.5, "degC")
    assert m[0].conditions["run"].value == "1; 2"
    assert reads(data, tmp_path)[0].technique == "sas"


def test_odd_cells_cost_themselves(tmp_path: Path) -> None:
    further = "<Idev>0.5</Idev><zacinto unit='furz'>3</zacinto>"
    data = point(0.1, "n/a") + point("", 7) + point(0.3, 8, more=further)
    m = reads(f"<SASdata>{data}</SASdata>", tmp_path)
    entry = m[0]
    assert entry["q"].values.tolist() == [0.1, 0.3]
    assert np.isnan(entry.signal.values[0])
    assert entry.signal.uncertainty is not None
    assert np.isnan(entry.signal.uncertainty[0])
    assert (entry["zacinto"].unit, entry["zacinto"].values[1]) == ("furz", 3)
    for told in ("n/a", "furz", "without a usable Q"):
        assert any(told in w for w in m.warnings)


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no scattering data"):
        reads("<SASdata></SASdata>", tmp_path)


# --- damage ---------------------------------------------------------------------------------------------------


def test_damage_never_breaks_out(instruments: Path, tmp_path: Path) -> None:
    for name in ("ISIS_Polymer_Blend_RT2.xml", "10000A_sphere_dsm.xml"):
        data = (instruments / FOLDER / name).read_bytes()
        assert cut(READER, data, tmp_path / "cut.xml") == []
        damage(READER, data, tmp_path / "damaged.xml", within=len(data))


def test_other_xml_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text("<root><SAS/></root>")
    assert READER.sniff(RawInput(tmp_path / "x.xml")) == NO
