"""mzXML: what an analyst would lose if scans were taken out of order, or numbers for the other half of a pair."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import numpy as np
import pytest

from zairyo.measurement import Measurement
from zairyo.readers import registry
from zairyo.readers._api import ReadError

HEAD = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n<mzXML xmlns="http://sashimi.sourceforge.net/schema_revision/mzXML_3.2">\n'
    '<msRun scanCount="{count}" startTime="PT1S" endTime="PT2S"><parentFile fileName="a.RAW" fileType="RAWData"/>\n'
    '<msInstrument><msManufacturer value="Thermo"/><msModel value="LTQ XL"/>\n'
    '<msIonisation value="{ionisation}"/><msMassAnalyzer value="ITMS"/>\n'
    '</msInstrument><dataProcessing centroided="{centroided}"/>\n'
)  # fmt: skip


def peaks(values: list[float], precision: int = 32, packing: str = "none", kind: str = "m/z-int") -> str:
    data = np.array(values, f">f{precision // 8}").tobytes()
    text = base64.b64encode(zlib.compress(data) if packing == "zlib" else data).decode()
    about = f'precision="{precision}" byteOrder="network" compressionType="{packing}" contentType="{kind}"'
    return f"<peaks {about}>{text}</peaks>"


def scan(number: int, inside: str, seconds: float, level: int = 1, more: str = "") -> str:
    return (
        f'<scan num="{number}" msLevel="{level}" polarity="-" retentionTime="PT{seconds}S" totIonCurrent="30" {more}>'
        f"{inside}</scan>\n"
    )


def made(scans: str, count: int = 3, ionisation: str = "ESI", centroided: str = "1") -> str:
    return (
        HEAD.format(count=count, ionisation=ionisation, centroided=centroided) + scans + "</msRun></mzXML>\n"
    )


def read(folder: Path, text: str) -> Measurement:
    path = folder / "made.mzXML"
    path.write_text(text, encoding="latin-1")
    return registry.read(path)


FRAGMENTS = scan(
    8, '<precursorMz precursorCharge="2">100.5</precursorMz>' + peaks([50, 5]), 61, 2, 'collisionEnergy="35"'
)
RUN = made(
    scan(7, peaks([100.5, 10, 200.25, 20]) + FRAGMENTS, 60)
    + scan(9, peaks([100.5, 11, 200.5, 21, 300, 31], 64, "zlib"), 120)
)


def test_scans_inside_each_other(tmp_path: Path) -> None:
    m = read(tmp_path, RUN)
    first, second = m["ms1_peaks"], m["ms2_chromatogram"]
    assert first["mass_to_charge"].values.tolist() == [100.5, 200.25, 100.5, 200.5, 300]
    assert first["abundance"].values.tolist() == [10, 20, 11, 21, 31]
    assert first["scan"].values.tolist() == [7, 7, 9, 9, 9], "the scans keep the file's numbers"
    assert m["ms1_chromatogram"]["time"].values.tolist() == [1, 2], "minutes"
    assert second["precursor_mass_to_charge"].values.tolist() == [100.5]
    assert (second["precursor_charge"].values.tolist(), second["collision_energy"].values.tolist()) == (
        [2],
        [35],
    )
    assert first.technique == "lc_ms"
    assert {k: str(v) for k, v in first.conditions.items()} == {
        "ionisation": "ESI", "mass_analyser": "ITMS", "ms_level": "1", "ion_polarity": "negative",
    }  # fmt: skip
    assert m.instrument == "Thermo LTQ XL"
    assert not m.warnings


def test_masses_and_intensities_apart(tmp_path: Path) -> None:
    apart = peaks([1, 2], kind="m/z") + peaks([3, 4], kind="intensity") + peaks([5, 6], kind="S/N")
    m = read(tmp_path, made(scan(1, apart, 0), 1, "Electron Ionization", "0"))
    assert m["spectra"].signal.values.tolist() == [[3, 4]]
    assert m["spectra"]["mass_to_charge"].values.tolist() == [1, 2]
    assert any("S/N" in w for w in m.warnings)
    assert m["spectra"].technique == "mass_spectrometry"


def test_an_empty_scan_and_fewer_than_announced(tmp_path: Path) -> None:
    m = read(tmp_path, made(scan(1, peaks([0, 0]), 0) + scan(2, peaks([1, 2]), 1), 5))
    assert m["peaks"]["abundance"].values.tolist() == [2]
    assert any("announces 5 spectra" in w for w in m.warnings)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (RUN[:-60], "not complete XML"),
        (made(scan(1, peaks([1, 2, 3]), 0), 1), "without intensity"),
        (made(scan(1, peaks([1, 2]).replace('precision="32"', 'precision="24"'), 0), 1), "bits"),
        (made("", 0), "holds no spectrum"),
    ],
)
def test_damage(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ReadError, match=why):
        read(tmp_path, text)
