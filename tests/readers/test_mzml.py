"""mzML: what a mass spectrometrist would lose if arrays, levels or times were misread."""

from __future__ import annotations

import base64
import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest
from tests.readers.broken_files import cut, damage

from zairyo.measurement import Measurement
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers._mzml_arrays import decode
from zairyo.readers.invariants import check
from zairyo.readers.mzml import READER


def read(path: Path) -> Measurement:
    assert READER.sniff(RawInput(path)) == CERTAIN
    return check(READER.read(RawInput(path)), READER)


@pytest.mark.parametrize("name", ["example", "example_no_obo_version"])
def test_real_scans(instruments: Path, name: str) -> None:
    m = read(instruments / f"mzml/{name}.mzML")  # sums equal to pymzml 2.6.1
    peaks = m["peaks"]
    assert peaks["mass_to_charge"].values.sum() == pytest.approx(2432124.9118652344, rel=1e-12)
    assert peaks["abundance"].values.sum() == pytest.approx(1114770197.123291, rel=1e-12)
    assert peaks["scan"].values.max() == 11
    first = m["chromatogram"]
    assert first["total_ion_current"].values[0] == 92661640
    assert first["time"].values[0] == pytest.approx(0.0014658998)
    assert (first.technique, m.instrument) == ("lc_ms", "Q Exactive")
    assert {k: str(q) for k, q in first.conditions.items()} == {
        "ionisation": "ESI", "mass_analyser": "quadrupole, orbitrap", "ion_polarity": "positive", "ms_level": "1",
        "instrument_serial": "Exactive Series slot 0244",
    }  # fmt: skip
    assert m["tic"]["total_ion_current"].values.size == 2918
    assert "holds 11" in m.warnings[0]
    assert str(m.started) == "2013-09-10 10:31:08+00:00"


def test_real_chromatograms(instruments: Path) -> None:
    m = read(instruments / "mzml/mini.chrom.mzML.gz")
    assert [float(e.signal.values.sum()) for e in m.entries] == [14213.0, 13374.0, 17002.0]
    assert m[0]["time"].values[[0, -1]].tolist() == pytest.approx(
        [57.49666667, 67.39683333]
    )  # seconds in the file
    assert m[0].conditions["precursor_mass_to_charge"].value == pytest.approx(808.492, abs=1e-3)
    packed = read(instruments / "mzml/mini_numpress.chrom.mzML.gz")
    assert packed[0].signal.values.sum() == pytest.approx(3657.0)
    assert packed[0].signal.values.max() == 856
    assert packed[0]["time"].values[[0, -1]].tolist() == pytest.approx([38.3755, 48.33266667])


# --- packing: vectors made with pynumpress 0.0.9 --------------------------------------------------------------------

MASSES = [
    152.36231516182988, 373.9032641673041, 692.4797588199224, 877.4783591014065, 904.3202530478937, 1072.461086930488,
    1122.4722951166286, 1144.228006578813, 1531.6749064821324, 1672.6349282588394, 1902.4339495607633,
    1905.881023019277,
]  # fmt: skip
LINEAR = "QVXozwAAAABArCg0Xf//fwY39zEgKshULQo1i9nAXaH1Awkmb4fZBRw1YEj0A9cAKX6boGw6luEP/AOCsA=="
ABUNDANCES = [231.0, 1677.0, 209.0, 786.0, 129.0, 923.0, 462.0, 689.0, 2649.0, 1115.0, 899.0, 2840.0]


@pytest.mark.parametrize(
    ("term", "text", "expected", "relative"),
    [
        (
            "MS:1002312",
            LINEAR,
            MASSES,
            1e-9,
        ),
        ("MS:1002312", "QI9AAAAAAACCFAAA", [5.25], 1e-3),
        ("MS:1002312", "QI9AAAAAAAAgoQcAgBoGADD5QrD1iCBbRBA=", [500.0, 400, 450, 10, 900], 1e-12),
        ("MS:1002313", "Z+XYZh1SE2GFuTXsFRsllaW1RTg1gbA=", ABUNDANCES, 0),
        ("MS:1002313", "hxDv///3d2AW/0AAEA==", [0, 1, 2**31 - 2, 7, 16, 255, 4096], 0),
        ("MS:1002314", "QMAYgAAAAABXrwjvIqyp1rGc09uVxW3Svv3n4fva/P8=", ABUNDANCES, 1e-4),
    ],
)
def test_numpress(term: str, text: str, expected: list[float], relative: float) -> None:
    assert decode(text, {term}, len(expected), "x").tolist() == pytest.approx(
        expected, rel=relative, abs=1e-3
    )
    squeezed = base64.b64encode(zlib.compress(base64.b64decode(text))).decode()
    with_zlib = {"MS:1002312": "MS:1002746", "MS:1002313": "MS:1002747", "MS:1002314": "MS:1002748"}[term]
    assert (
        decode(squeezed, {with_zlib}, len(expected), "x").tolist()
        == decode(text, {term}, len(expected), "x").tolist()
    )
    for size in range(len(base64.b64decode(text))):
        with pytest.raises(ReadError):
            decode(base64.b64encode(base64.b64decode(text)[:size]).decode(), {term}, len(expected), "x")


KINDS = [("MS:1000521", "<f4"), ("MS:1000523", "<f8"), ("MS:1000519", "<i4"), ("MS:1000522", "<i8")]


@pytest.mark.parametrize(("term", "kind"), KINDS)
def test_plain_arrays(term: str, kind: str) -> None:
    data = np.array([1, 2, 3], kind).tobytes()
    assert decode(base64.b64encode(data).decode(), {term, "MS:1000576"}, 3, "x").tolist() == [1, 2, 3]
    packed = base64.b64encode(zlib.compress(data)).decode()
    assert decode(packed, {term, "MS:1000574"}, 3, "x").tolist() == [1, 2, 3]


def test_bombs_and_other_packings_are_refused() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(10_000_000))).decode()
    with pytest.raises(ReadError, match="more than the 3 points"):
        decode(bomb, {"MS:1000523", "MS:1000574"}, 3, "x")
    with pytest.raises(ReadError, match="zstd"):
        decode("", {"MS:1000523", "MS:1003780"}, 0, "x")
    with pytest.raises(ReadError, match="base64"):
        decode("A", {"MS:1000523"}, 1, "x")


# --- made from the standard -----------------------------------------------------------------------------------------


def term(accession: str, value: str = "", unit: str = "") -> str:
    return f'<cvParam cvRef="MS" accession="{accession}" name="n" value="{value}" unitAccession="{unit}"/>'


def array(kind: str, values: list[float], unit: str = "") -> str:
    text = base64.b64encode(np.array(values, "<f8").tobytes()).decode()
    return f"<binaryDataArray>{term('MS:1000523')}{term(kind, '', unit)}<binary>{text}</binary></binaryDataArray>"


def spectrum(
    index: int, seconds: float, masses: list[float], abundances: list[float], *, level: int = 1, precursor: float = 0,
    polarity: str = "MS:1000130", axis: str = "MS:1000514",
) -> str:  # fmt: skip
    before = (
        f"<precursorList><precursor><selectedIonList><selectedIon>{term('MS:1000744', str(precursor))}"
        f"{term('MS:1000041', '2')}</selectedIon></selectedIonList><activation>{term('MS:1000045', '35')}</activation>"
        "</precursor></precursorList>"
        if precursor
        else ""
    )
    start = term("MS:1000016", str(seconds), "UO:0000010")
    arrays = array(axis, masses) + array("MS:1000515", abundances, "MS:1000131")
    return (
        f'<spectrum index="{index}" id="s{index}" defaultArrayLength="{len(masses)}">{term("MS:1000511", str(level))}'
        f"{term(polarity)}<referenceableParamGroupRef ref='g'/><scanList><scan>{start}"
        f"</scan></scanList>{before}<binaryDataArrayList>{arrays}</binaryDataArrayList></spectrum>"
    )


def chromatogram(index: int, times: list[float], values: list[float]) -> str:
    windows = "".join(
        f"<{name}><isolationWindow>{term('MS:1000827', str(mass))}</isolationWindow></{name}>"
        for name, mass in (("precursor", 500 + index), ("product", 100 + index))
    )
    arrays = array("MS:1000595", times, "UO:0000031") + array("MS:1000515", values)
    return (
        f'<chromatogram index="{index}" id="SRM {index}" defaultArrayLength="{len(times)}">{windows}'
        f"<binaryDataArrayList>{arrays}</binaryDataArrayList></chromatogram>"
    )


def document(spectra: list[str], chromatograms: list[str] | None = None, group: str = "") -> str:
    groups = f"<referenceableParamGroup id='g'>{group}</referenceableParamGroup>"
    groups = f"<referenceableParamGroupList>{groups}</referenceableParamGroupList>"
    lists = f'<spectrumList count="{len(spectra)}">{"".join(spectra)}</spectrumList>' if spectra else ""
    if chromatograms:
        lists += f'<chromatogramList count="{len(chromatograms)}">{"".join(chromatograms)}</chromatogramList>'
    return f'<?xml version="1.0"?><mzML xmlns="http://psi.hupo.org/ms/mzml">{groups}<run id="r">{lists}</run></mzML>'


def test_a_run_whose_name_xml_does_not_allow_has_its_own_title(tmp_path: Path) -> None:
    path = tmp_path / "a.mzML"
    text = document([spectrum(0, 60, [100, 200], [1, 5]), spectrum(1, 61, [100], [1])])
    path.write_text(text.replace('run id="r"', 'run id="_x0032_014_x0020_blank_x1"'))
    assert read(path).title == "2014 blank_x1"


def test_levels_and_precursors(tmp_path: Path) -> None:
    path = tmp_path / "a.mzML"
    spectra = [
        spectrum(0, 60, [100, 200], [1, 5]),
        spectrum(1, 61, [50], [3], level=2, precursor=200.5),
        spectrum(2, 120, [100, 150, 200], [2, 2, 9]),
        spectrum(3, 121, [], [], level=2, precursor=150.5),
    ]
    path.write_text(document(spectra))
    m = read(path)
    assert [e.name for e in m.entries] == ["ms1_chromatogram", "ms1_peaks", "ms2_chromatogram", "ms2_peaks"]
    assert m["ms1_chromatogram"]["time"].values.tolist() == [1, 2]
    assert m["ms1_chromatogram"]["total_ion_current"].values.tolist() == [6, 13]
    assert m["ms1_chromatogram"]["base_peak_mass_to_charge"].values.tolist() == [200, 200]
    assert m["ms1_peaks"]["scan"].values.tolist() == [1, 1, 3, 3, 3]
    second = m["ms2_chromatogram"]
    assert second["precursor_mass_to_charge"].values.tolist() == [200.5, 150.5]
    assert second["collision_energy"].values.tolist() == [35, 35]
    assert second["total_ion_current"].values.tolist() == [3, 0]


def test_profiles_over_common_masses_and_polarities(tmp_path: Path) -> None:
    path = tmp_path / "a.mzML"
    spectra = [spectrum(i, i, [100, 101], [i, 2 * i], polarity=f"MS:100013{i % 2}") for i in range(4)]
    path.write_text(document(spectra, group=term("MS:1000128")))
    m = read(path)
    names = ["ms1_chromatogram", "ms1_spectra"]
    assert len(m.entries) == 4
    assert {e.signal.axes for e in m.entries if e.name.endswith("spectra")} == {("time", "mass_to_charge")}
    path.write_text(
        document([spectrum(i, i, [100, 101], [i, 2 * i]) for i in range(4)], group=term("MS:1000128"))
    )
    m = read(path)
    assert [f"ms1_{e.name}" for e in m.entries] == names
    assert m["spectra"].signal.values.tolist() == [[0, 0], [1, 2], [2, 4], [3, 6]]


def test_absorption_spectra(tmp_path: Path) -> None:
    path = tmp_path / "a.mzML"
    path.write_text(document([spectrum(i, 60 * i, [200, 202], [i, 2], axis="MS:1000617") for i in range(3)]))
    (entry,) = read(path).entries
    assert (entry.technique, entry.signal.axes) == ("lc", ("time", "wavelength"))
    assert entry["time"].values.tolist() == [0, 1, 2]


def test_many_transitions_are_one_table(tmp_path: Path) -> None:
    path = tmp_path / "a.mzML"
    path.write_text(document([], [chromatogram(i, [0, 1], [i, 2]) for i in range(30)]))
    (entry,) = read(path).entries
    assert entry.is_table
    assert entry["precursor_mass_to_charge"].values[-1] == 529
    assert entry["product_mass_to_charge"].values[-1] == 129
    assert entry.original_metadata["chromatograms"]["30"] == "SRM 29"  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<?xml version='1.0'?><mzML><run><spectrumList>", "not complete"),
        (document([]), "no spectrum"),
        (document([spectrum(0, 1, [1, 2], [1])]), "points"),
        (document([spectrum(0, 1, [1], [1]).replace('Length="1"', 'Length="999999999999"')]), "too many"),
        ("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e 'ee'>]><mzML>&e;</mzML>", "cannot be read as XML"),
        ("<?xml version='1.0'?><other>mzML</other>", "no mzML"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "a.mzML").write_text(content)
    with pytest.raises(ReadError, match=said):
        READER.read(RawInput(tmp_path / "a.mzML"))


def test_damage(instruments: Path, tmp_path: Path) -> None:
    data = (instruments / "mzml/example.mzML").read_bytes()
    assert cut(READER, data, tmp_path / "a.mzML") == []
    damage(READER, data, tmp_path / "a.mzML", turns=30)
    data = gzip.decompress((instruments / "mzml/mini_numpress.chrom.mzML.gz").read_bytes())
    damage(READER, data, tmp_path / "a.mzML", turns=60)


def test_others_are_not_claimed(instruments: Path) -> None:
    for path in (instruments / "xrdml").iterdir():
        if path.is_file():
            assert READER.sniff(RawInput(path)) == NO


def test_numbers_cut_to_fewer_bits_are_zlib_all_the_same() -> None:
    packed = base64.b64encode(zlib.compress(np.array([1, 2.5], "<f8").tobytes())).decode()
    assert decode(packed, {"MS:1000523", "MS:1003088"}, 2, "x").tolist() == [1, 2.5]


def test_arrays_of_ion_mobility_are_not_lost_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.mzML"
    mobility = array("MS:1003006", [0.7, 0.9]).replace(
        '"MS:1003006" name="n"', '"MS:1003006" name="mean inverse reduced ion mobility array"'
    )
    text = spectrum(0, 60, [100, 200], [1, 5])
    path.write_text(document([text.replace("<binaryDataArrayList>", f"<binaryDataArrayList>{mobility}")]))
    m = read(path)
    assert m["spectra"]["mass_to_charge"].values.tolist() == [100, 200]
    assert any("ion mobility" in w for w in m.warnings)
