"""What is handed on is whole: others' own validators take it, and numbers, units and hashes are those measured."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zairyo
from zairyo.exports import FORMS, ExportError, Parcel, export, sha256_of, write_folder, write_zip
from zairyo.measurement import Axis, Entry, Measurement, Quantity, RawFile, Signal, Source, nexus, table

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
RAW = b"what the instrument wrote"
HASH = hashlib.sha256(RAW).hexdigest()
LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def made() -> Measurement:
    """Two entries, with all kinds of values that a measurement may have."""
    scan = Entry(
        "scan",
        "xrd",
        axes=(Axis("two_theta", np.array([10.0, 11.0, 12.5]), "deg", "2θ"),),
        signals=(
            Signal(
                "intensity",
                np.array([1, 2, 3]),
                "counts",
                ("two_theta",),
                uncertainty=np.array([1.0, 1.4, 1.7]),
            ),
        ),
        conditions={
            "xray_tube_voltage": Quantity(40.0, "kV", 0.1),
            "xray_source_element": Quantity("Cu"),
            "omega": Quantity(5.0, "deg"),
            "repetitions": Quantity(3, ""),
            "own_name": Quantity(True),
            "temperature": Quantity(float("nan"), "degC"),
            "scan_axis": Quantity("a\x0bb <&> ω"),
        },
        started=datetime(2026, 1, 2, 3, 4, 5),
    )
    log = table(
        "log",
        "xrd",
        [Signal("time", np.arange(2.0), "s"), Signal("comment", np.array(["=1+1", "ok"]))],
        x="time",
        default="time",
        conditions={"xray_tube_voltage": Quantity(40.0, "kV", 0.1), "omega": Quantity("varied")},
    )
    return Measurement(
        (scan, log),
        title="LaB6 標準試料",
        sample="LaB6",
        instrument="KX-1",
        operator="佐藤",
        warnings=("one thing to know",),
        source=Source("kaede_kx", "3", (RawFile("run/scan.kx", HASH, len(RAW)),)),
    )


def bare() -> Measurement:
    """One that says nothing of itself, and was read from no file."""
    return Measurement((table("a", "generic", [Signal("x", np.arange(3.0))], x="x", default="x"),))


def parcel(m: Measurement, **rest: Any) -> Parcel:
    return Parcel(m, "scan.kx", AT, {"run/scan.kx": RAW} if m.source else {}, **rest)


def text(content: Any) -> str:
    assert isinstance(content, bytes)
    return content.decode()


def needs(form: str) -> None:
    for library in {"rde": ["matplotlib"], "maiml": ["pymaiml"]}.get(form, []):
        pytest.importorskip(library)


@pytest.fixture(params=list(FORMS))
def form(request: pytest.FixtureRequest) -> str:
    needs(request.param)
    return str(request.param)


# --- every form --------------------------------------------------------------------------------------------------


def test_same_measurement_gives_the_same_files(form: str) -> None:
    assert export(parcel(made()), form) == export(parcel(made()), form)


def test_raw_files_and_standard_form_go_unchanged(form: str, tmp_path: Path) -> None:
    m = made()
    files = export(parcel(m), form)
    assert files["raw/run/scan.kx"] == RAW
    (standard,) = [name for name in files if name.endswith(".nxs")]
    write_folder(files, tmp_path / "out")
    assert nexus.read(tmp_path / "out" / standard).entries[0] == m.entries[0]
    own = tmp_path / "own.nxs"
    nexus.write(m, own)
    assert export(parcel(m, standard=own), form)[standard] == own


def test_measurement_that_says_nothing_of_itself_is_exported(form: str, tmp_path: Path) -> None:
    write_zip(export(parcel(bare()), form), tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as z:
        assert z.testzip() is None


def test_zip_and_folder_hold_the_same(form: str, tmp_path: Path) -> None:
    files = export(parcel(made()), form)
    write_folder(files, tmp_path / "out")
    write_zip(files, tmp_path / "out.zip")
    write_zip(files, tmp_path / "again.zip")
    assert (tmp_path / "out.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "out.zip") as z:
        for name in files:
            path = tmp_path / "out" / name
            assert path.is_dir() if name.endswith("/") else z.read(name) == path.read_bytes()
    with pytest.raises(FileExistsError):
        write_folder(files, tmp_path / "out")
    with pytest.raises(FileExistsError):
        write_zip(files, tmp_path / "out.zip")


@pytest.mark.parametrize(
    ("raw", "said"),
    [({"run/scan.kx": b"another"}, "SHA-256 differs"), ({"scan.kx": RAW}, "run/scan.kx")],
)
def test_file_that_was_not_read_is_no_raw_file(raw: dict[str, bytes], said: str) -> None:
    with pytest.raises(ExportError, match=said):
        Parcel(made(), "scan.kx", AT, raw)


@pytest.mark.parametrize("name", ["../scan.kx", "/etc/scan.kx", "a//b", "..\\scan.kx", ""])
def test_name_that_leads_out_of_the_export_is_refused(name: str) -> None:
    m = Measurement(made().entries, source=Source("r", "1", (RawFile(name, HASH, len(RAW)),)))
    with pytest.raises(ExportError, match="no name for a file"):
        Parcel(m, "scan.kx", AT, {name: RAW})


def test_parcel_itself_has_a_name_for_a_file() -> None:
    with pytest.raises(ExportError, match="no name for a file"):
        Parcel(made(), "run/scan.kx", AT)


@pytest.mark.parametrize(
    ("form", "library", "extra"), [("rde", "matplotlib.figure", "notebook"), ("maiml", "pymaiml", "maiml")]
)
def test_missing_library_is_told(
    monkeypatch: pytest.MonkeyPatch, form: str, library: str, extra: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(ExportError, match=extra):
        export(parcel(made()), form)


# --- RDE ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def rde(tmp_path: Path) -> Callable[[Measurement], Path]:
    needs("rde")

    def write(m: Measurement) -> Path:
        folder = tmp_path / "rde"
        write_folder(export(parcel(m), "rde"), folder)
        return folder

    return write


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jsonschema")
@pytest.mark.parametrize("make", [made, bare])
def test_rdes_validators_take_the_folder(
    rde: Callable[[Measurement], Path], make: Callable[[], Measurement]
) -> None:
    validation = pytest.importorskip("rdetoolkit.validation")
    folder = rde(make())
    validation.metadata_validate(folder / "meta/metadata.json")
    validation.MetadataDefinitionValidator().validate(path=folder / "tasksupport/metadata-def.json")
    validation.invoice_validate(folder / "invoice/invoice.json", folder / "tasksupport/invoice.schema.json")


def test_rde_folder_has_rdes_folders(rde: Callable[[Measurement], Path]) -> None:
    folder = rde(made())
    expected = ["attachment", "invoice", "logs", "main_image", "meta", "nonshared_raw", "other_image", "raw"]
    assert sorted(p.name for p in folder.iterdir()) == [*expected, "structured", "tasksupport", "thumbnail"]
    for image in ("main_image/scan.png", "thumbnail/scan.png", "other_image/log.png"):
        assert (folder / image).read_bytes().startswith(b"\x89PNG")
    assert "one thing to know" in (folder / "logs/zairyo.log").read_text()


def test_rde_metadata_are_those_of_the_measurement(rde: Callable[[Measurement], Path]) -> None:
    folder = rde(made())
    metadata = json.loads((folder / "meta/metadata.json").read_text())
    definitions = json.loads((folder / "tasksupport/metadata-def.json").read_text())
    constant, (scan, log) = metadata["constant"], metadata["variable"]
    assert constant["xray_tube_voltage"] == {"value": 40.0, "unit": "kV"}  # the same in both entries
    assert constant["xray_tube_voltage_uncertainty"] == {"value": 0.1, "unit": "kV"}
    assert constant["sample"] == {"value": "LaB6"}
    assert constant["raw_file_1_sha256"]["value"].startswith(HASH)
    assert (scan["omega"], log["omega"]) == ({"value": 5.0, "unit": "deg"}, {"value": "varied"})
    assert scan["started"] == {"value": "2026-01-02T03:04:05"}
    assert "temperature" not in scan  # JSON has no NaN
    voltage = definitions["xray_tube_voltage"]
    assert voltage["name"] == {"ja": "X線管電圧", "en": "X-ray tube voltage"}
    assert (voltage["schema"], voltage["unit"]) == ({"type": "number"}, "kV")
    assert definitions["started"]["schema"] == {"type": "string", "format": "date-time"}
    assert definitions["own_name"]["schema"] == {"type": "boolean"}
    assert {*constant, *scan, *log} == set(definitions)


def test_rde_tables_have_units_and_every_digit(rde: Callable[[Measurement], Path]) -> None:
    folder = rde(made())
    lines = (folder / "structured/scan.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == '2θ (deg),intensity (counts),"intensity (counts), uncertainty"'
    assert lines[3] == "12.5,3,1.7"
    assert (folder / "structured/log.csv").read_text().splitlines()[1] == "0.0,=1+1"  # for programs, as it is


def test_long_text_is_cut_to_what_rde_takes() -> None:
    needs("rde")
    long = Measurement(bare().entries, title="あ" * 1000)
    said = json.loads(text(export(parcel(long), "rde")["meta/metadata.json"]))["constant"]["title"]["value"]
    assert 1000 < len(said.encode()) <= 1024
    assert set(said) == {"あ"}


def test_rde_folder_is_read_again_by_the_toolkit(rde: Callable[[Measurement], Path]) -> None:
    meta = pytest.importorskip("rdetoolkit.rde2util").Meta
    folder = rde(made())
    read = meta(folder / "tasksupport/metadata-def.json")
    assert read.assign_vals({"xray_tube_voltage": "35"})["assigned"] == {"xray_tube_voltage"}
    assert read.metaConst["xray_tube_voltage"] == {"value": 35.0, "unit": "kV"}


# --- MaiML -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [made, bare])
@pytest.mark.parametrize("as_zip", [False, True])
def test_maiml_validator_takes_the_document(
    tmp_path: Path, make: Callable[[], Measurement], as_zip: bool
) -> None:
    needs("maiml")
    from pymaiml import validation

    files = export(parcel(make()), "maiml")
    write_zip(files, tmp_path / "scan.maiml.zip")
    write_folder(files, tmp_path / "out")
    result = validation.validate(tmp_path / ("scan.maiml.zip" if as_zip else "out/scan.kx.maiml"))
    assert result.ok, str(result)
    assert result.warnings == []


def test_maiml_document_says_what_was_measured() -> None:
    needs("maiml")
    from pymaiml import query, serialization

    m = made()
    files = export(parcel(m), "maiml")
    document = text(files["scan.kx.maiml"])
    root = serialization.loads(document).root
    (results,) = root.data.results_list
    (raw,) = results.content.insertions
    assert (raw.uri, raw.hash.method, raw.hash.value.hex()) == ("raw/run/scan.kx", "SHA-256", HASH)
    first, second = results.conditions
    voltage = next(p for p in first.content.properties if p.key == "zairyo:xray_tube_voltage")
    assert (voltage.value, voltage.units) == (40.0, "kV")
    assert voltage.description == "X-ray tube voltage (X線管電圧)"
    assert [(u.value, u.units) for u in voltage.uncertainties] == [(0.1, "kV")]
    # A key has one type in the document; where entries differ it is text, so that nothing is lost.
    omega = [next(p.value for p in c.content.properties if p.key == "zairyo:omega") for c in (first, second)]
    assert omega == ["5 deg", "varied"]
    scan, _ = results.results
    (file,) = scan.content.insertions
    assert file.hash.value.hex() == sha256_of(files["scan.kx.nxs"])
    arrays = {p.value: {q.key: q.value for q in p.properties} for p in scan.content.properties}
    assert arrays["two_theta"] == {
        "zairyo:path": "/scan/data/two_theta",
        "zairyo:shape": "3",
        "zairyo:unit": "deg",
    }
    (event,) = root.event_log.logs[0].traces[0].events
    times = [p.value for p in event.content.properties if p.key == "time:timestamp"]
    assert times == [datetime(2026, 1, 2, 3, 4, 5)]
    assert root.document.date == AT
    assert root.document.instruments[0].content.description == "KX-1"
    assert len(set(query.get_uuids(document))) == len(query.get_uuids(document)) - 1  # the NeXus file, twice


def test_maiml_paths_lead_to_the_arrays(tmp_path: Path) -> None:
    needs("maiml")
    import h5py
    from pymaiml import serialization

    files = export(parcel(made()), "maiml")
    write_folder(files, tmp_path / "out")
    (results,) = serialization.load(tmp_path / "out/scan.kx.maiml").root.data.results_list
    with h5py.File(tmp_path / "out/scan.kx.nxs") as f:
        for result in results.results:
            for array in result.content.properties:
                said = {p.key: p.value for p in array.properties}
                assert f[said["zairyo:path"]].shape == tuple(map(int, said["zairyo:shape"].split()))


def test_one_instrument_has_one_identifier_in_every_document() -> None:
    needs("maiml")
    from pymaiml import serialization

    documents = [
        serialization.loads(text(export(Parcel(m, "a", AT), "maiml")["a.maiml"])).root.document
        for m in (made(), Measurement(bare().entries, instrument="KX-1"))
    ]
    one, other = (str(d.instruments[0].content.uuid) for d in documents)
    assert one == other
    assert documents[0].content.uuid != documents[1].content.uuid


# --- RO-Crate ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [made, bare])
@pytest.mark.parametrize("as_zip", [False, True])
def test_ro_crate_library_opens_the_crate(
    tmp_path: Path, make: Callable[[], Measurement], as_zip: bool
) -> None:
    crates = pytest.importorskip("rocrate.rocrate")
    files = export(parcel(make(), licence=LICENCE), "ro-crate")
    (write_zip if as_zip else write_folder)(files, tmp_path / "crate.zip")
    crate = crates.ROCrate(tmp_path / "crate.zip")
    assert crate.root_dataset["datePublished"] == AT.isoformat()
    assert crate.root_dataset["license"].id == LICENCE
    assert crate.mainEntity.id == "scan.kx.nxs"
    parts = {part.id for part in crate.root_dataset["hasPart"]}
    assert parts == {name for name in files if name != "ro-crate-metadata.json"}


def graph(m: Measurement, **rest: Any) -> dict[str, dict[str, Any]]:
    said = json.loads(text(export(Parcel(m, "scan.kx", AT, **rest), "ro-crate")["ro-crate-metadata.json"]))
    assert len({e["@id"] for e in said["@graph"]}) == len(said["@graph"])
    return {e["@id"]: e for e in said["@graph"]}


def test_ro_crate_says_how_it_came_to_be() -> None:
    m = made()
    found = graph(m, raw={"run/scan.kx": RAW})
    raw, standard = found["raw/run/scan.kx"], found["scan.kx.nxs"]
    assert (raw["sha256"], raw["contentSize"]) == (HASH, str(len(RAW)))
    assert standard["sha256"] == hashlib.sha256(nexus.dumps(m)).hexdigest()
    measured, translated = found["#measurement"], found["#translation"]
    assert measured["startTime"] == "2026-01-02T03:04:05"
    assert (found["#operator"]["name"], found["#sample"]["name"], found["#instrument"]["name"]) == (
        "佐藤",
        "LaB6",
        "KX-1",
    )
    assert measured["result"] == translated["object"] == [{"@id": "raw/run/scan.kx"}]
    assert translated["result"] == {"@id": "scan.kx.nxs"}
    assert found["#reader"]["softwareVersion"] == "3"
    voltage = found["#entry/scan/condition/xray_tube_voltage"]
    assert {k: voltage[k] for k in ("@type", "propertyID", "value", "unitText", "unitCode")} == {
        "@type": "PropertyValue",
        "propertyID": "xray_tube_voltage",
        "value": 40.0,
        "unitText": "kV",
        "unitCode": "KVT",
    }
    assert voltage["alternateName"] == "X線管電圧"
    assert found["#entry/scan/condition/temperature"]["value"] == "nan"
    assert found["#entry/scan/intensity"]["unitText"] == "counts"

    def links(value: Any) -> list[str]:
        many = value if isinstance(value, list) else [value]
        return [v["@id"] for v in many if isinstance(v, dict)]

    told = {e for entity in found.values() for value in entity.values() for e in links(value)}
    assert told - set(found) == {"https://w3id.org/ro/crate/1.1"}  # nothing is named that is not described


def test_ro_crate_without_the_raw_file_still_names_it_by_hash() -> None:
    found = graph(made())
    assert found[f"urn:sha256:{HASH}"]["@type"] == "CreativeWork"
    assert {part["@id"] for part in found["./"]["hasPart"]} == {"scan.kx.nxs"}


# --- real files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["diffraction/Scan_C3.xrdml", "spectroscopy/raman_example.wdf", "battery/test.ndax"]
)
def test_real_files_pass_every_validator(examples: Path, tmp_path: Path, form: str, name: str) -> None:
    path = examples / name
    m = zairyo.read(path)
    files = export(Parcel(m, path.name, AT, {path.name: path}), form)
    write_folder(files, tmp_path / "out")
    assert (tmp_path / "out/raw" / path.name).read_bytes() == path.read_bytes()
    if form == "maiml":
        from pymaiml import validation

        result = validation.validate(tmp_path / "out" / f"{path.name}.maiml")
        assert result.ok, str(result)
    elif form == "rde":
        validation = pytest.importorskip("rdetoolkit.validation")
        validation.metadata_validate(tmp_path / "out/meta/metadata.json")
    else:
        crates = pytest.importorskip("rocrate.rocrate")
        assert crates.ROCrate(tmp_path / "out").mainEntity.id == f"{path.name}.nxs"
