"""RDE structuring programs as readers: a laboratory's program gives what it gives in RDE, and does no harm."""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from zairyo.measurement import Measurement, Quantity, nexus
from zairyo.readers import registry
from zairyo.readers._rde_invoice import EMPTY_SCHEMA, invoice_of
from zairyo.readers._rde_run import find, prepare
from zairyo.readers.sandbox import Failure, Sandbox, Translated

pytest.importorskip("rdetoolkit", reason="the extra `rde` is not installed")

HEAD = """
import json
import pandas as pd
"""
#: Writes a table, and metadata.json by hand as a program may.
PLAIN = (
    HEAD
    + """
def dataset(srcpaths, resource_paths):
    path = resource_paths.rawfiles[0]
    rows = [line.split() for line in path.read_text().splitlines()[1:]]
    table = pd.DataFrame(rows, columns=["2theta (deg)", "Intensity (counts)"]).astype(float)
    table.to_csv(resource_paths.struct / f"{path.stem}.csv", index=False)
    said = {"constant": CONSTANT, "variable": []}
    (resource_paths.meta / "metadata.json").write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
"""
)
DEFINITIONS = {
    "kv": {"name": {"ja": "X線管電圧", "en": "High tension"}, "schema": {"type": "number"}, "unit": "kV"},
    "xrd.wavelength": {
        "name": {"ja": "波長", "en": "Lambda"},
        "schema": {"type": "number"},
        "unit": "Angstrom",
    },
}


def make(
    folder: Path,
    code: str,
    *,
    layout: str = "container",
    tasksupport: dict[str, Any] | None = None,
    settings: str = "",
    **keys: Any,
) -> registry.Registry:
    """A program and the YAML that plugs it in; the registry that has it."""
    where = folder / "program" / layout
    (where / "modules").mkdir(parents=True)
    (where / "modules" / "datasets_process.py").write_text(dedent(code), encoding="utf-8")
    support = where / "data" / "tasksupport"
    support.mkdir(parents=True)
    files = {"metadata-def.json": {}, "invoice.schema.json": EMPTY_SCHEMA} | (tasksupport or {})
    for name, content in files.items():
        (support / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    if settings:
        (support / "rdeconfig.yaml").write_text(dedent(settings), encoding="utf-8")
    return described(folder, **keys)


def described(folder: Path, **keys: Any) -> registry.Registry:
    whole = {
        "name": "lab_rde",
        "version": 1,
        "format": "laboratory text",
        "technique": "xrd",
        "endings": [".lab"],
        "rde": "program",
        "recognise": {"lines": "^LAB 1", "sure": "certain"},
    } | keys
    found = registry.Registry()
    (folder / "lab.yaml").write_text(
        "\n".join(f"{k}: {json.dumps(v)}" for k, v in whole.items())
    )  # JSON is YAML
    found.add_descriptions(folder)
    return found


def raw(folder: Path, text: str = "LAB 1\n10 100\n11 200\n12 150\n", name: str = "scan.lab") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def read(found: registry.Registry, path: Path) -> Measurement:
    assert found.problems == []
    return registry.read(path, registry=found)


# --- the example -------------------------------------------------------------------------------------------------


def check_example(m: Measurement, path: Path) -> None:
    rows = path.read_bytes().decode("cp932").partition("[data]\n")[2].splitlines()
    expected = np.array([[float(cell) for cell in row.split()] for row in rows])
    (entry,) = m.entries
    assert [(a.name, a.unit) for a in entry.axes] == [("two_theta", "deg")]
    assert [(s.name, s.unit, s.axes) for s in entry.signals] == [("intensity", "counts", ("two_theta",))]
    np.testing.assert_array_equal(entry["two_theta"].values, expected[:, 0])
    np.testing.assert_array_equal(entry["intensity"].values, expected[:, 1])
    assert entry.conditions == {
        "xray_tube_voltage": Quantity(40, "kV"),
        "xray_tube_current": Quantity(30, "mA"),
        "xray_source_element": Quantity("Cu"),
    }
    assert entry.started == datetime(2026, 3, 4, 14, 5, 9)
    assert (m.title, m.sample, m.operator) == ("LaB6", "LaB6 標準試料", "M. Sato")
    assert m.warnings == ()
    constant: Any = m.original_metadata["constant"]
    assert constant["chamber"] == {"value": "air", "name": {"ja": "試料室", "en": "Sample chamber"}}
    assert constant["tube_voltage"]["unit"] == "kV"
    assert m.original_metadata["files"] == {"structured": ["LaB6.csv"], "main_image": ["LaB6.png"]}
    assert m.source is not None
    assert (m.source.reader, m.source.raw_files[0].name) == ("kaede_rde", "LaB6.kx")


def test_example_program_is_a_reader(examples: Path) -> None:
    found = registry.Registry()
    found.add_descriptions(examples / "rde-program")
    path = examples / "rde-program" / "LaB6.kx"
    check_example(read(found, path), path)


def test_program_runs_locked_in_and_leaves_nothing(
    examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZAIRYO_FORMATS", str(examples / "rde-program"))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    path = examples / "rde-program" / "LaB6.kx"
    cut = tmp_path / "cut.kx"
    cut.write_bytes(path.read_bytes()[:100])
    with Sandbox() as sandbox:
        for group in (None, "one project"):
            done = sandbox.translate(path, tmp_path, group=group)
            assert isinstance(done, Translated), done
            check_example(nexus.read(done.path), path)
            failed = sandbox.translate(cut, tmp_path, group=group)
            assert isinstance(failed, Failure)
            assert failed.kind == "damaged"
            assert "cut.kx has no [data]" in failed.message
        assert not list(temporary.rglob("*.csv"))
    assert list(temporary.iterdir()) == []


def test_program_that_wants_to_write_elsewhere_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"""
    def dataset(srcpaths, resource_paths):
        open({str(tmp_path / "stolen")!r}, "w").write(open({str(tmp_path / "secret")!r}).read())
    """
    (tmp_path / "secret").write_text("a rival's data")
    found = make(tmp_path, code)
    assert found.problems == []
    monkeypatch.setenv("ZAIRYO_FORMATS", str(tmp_path))
    (tmp_path / "out").mkdir()
    with Sandbox() as sandbox:
        if "file system" not in sandbox.protections:
            pytest.skip(f"this kernel offers only {', '.join(sandbox.protections)}")
        failed = sandbox.translate(raw(tmp_path), tmp_path / "out")
    assert isinstance(failed, Failure)
    assert "ermission denied" in failed.message
    assert not (tmp_path / "stolen").exists()


# --- what programs write -----------------------------------------------------------------------------------------


def test_metadata_become_conditions_by_key_and_by_either_title(tmp_path: Path) -> None:
    constant = {
        "kv": {"value": 40},
        "xrd.wavelength": {"value": 1.5406, "unit": "Angstrom"},
        "scan_axis": {"value": "2θ/θ"},
        "temperature": {"value": 3.0, "unit": "V"},
        "sample_name": {"value": "LaB6"},
    }
    code = f"CONSTANT = {constant!r}" + PLAIN
    m = read(make(tmp_path, code, tasksupport={"metadata-def.json": DEFINITIONS}), raw(tmp_path))
    assert m[0].conditions == {
        "xray_tube_voltage": Quantity(40, "kV"),  # by its Japanese title; the unit is the definition's
        "wavelength": Quantity(1.5406, "angstrom"),  # by the end of its key
        "scan_axis": Quantity("2θ/θ"),
    }
    assert m.sample == "LaB6"
    told: Any = m.original_metadata["constant"]
    assert told["temperature"] == {"value": 3.0, "unit": "V"}  # no temperature, but not lost
    assert told["kv"]["name"] == DEFINITIONS["kv"]["name"]


def test_description_says_what_names_do_not(tmp_path: Path) -> None:
    constant = {"hv": {"value": "35 kV"}, "who": {"value": "Sato"}, "at": {"value": "4.3.26"}}
    found = make(
        tmp_path,
        f"CONSTANT = {constant!r}" + PLAIN,
        axis="two_theta",
        operator={"key": "who"},
        started={"key": "at", "formats": ["%d.%m.%y"]},
        conditions=[{"name": "xray_tube_voltage", "key": "hv"}],
        columns=[{"column": 1, "name": "two_theta"}, {"column": 2, "name": "background"}],
    )
    m = read(found, raw(tmp_path))
    assert [(s.name, s.unit) for s in m[0].signals] == [("background", "counts")]
    assert m[0].conditions == {"xray_tube_voltage": Quantity(35.0, "kV")}
    assert (m.operator, m[0].started) == ("Sato", datetime(2026, 3, 4))


def test_tables_of_several_regions_get_the_metadata_of_their_own(tmp_path: Path) -> None:
    code = (
        HEAD
        + """
def dataset(srcpaths, resource_paths):
    for n in range(12):
        table = pd.DataFrame({"X (mm)": [1.0, 2.0], "Y": ["a", "b"], "Z": [n, n + 1]})
        table.to_csv(resource_paths.struct / f"region_{n}.csv", index=False)
    (resource_paths.struct / "notes.txt").write_text("no table of numbers here")
    (resource_paths.struct / "more.json").write_text('{"fit": 1}')
    said = {"constant": {"kv": {"value": 40}}, "variable": [{"phi": {"value": n, "unit": "deg"}} for n in range(12)]}
    (resource_paths.meta / "metadata.json").write_text(json.dumps(said))
"""
    )
    m = read(make(tmp_path, code, tasksupport={"metadata-def.json": {"Z": {"unit": "K"}}}), raw(tmp_path))
    assert [e.name for e in m] == [f"region_{n}" for n in range(12)]  # in the order of their numbers
    assert [e.conditions["phi"].value for e in m] == list(range(12))
    entry = m["region_3"]
    assert [(s.name, s.unit) for s in entry.signals] == [("x", "mm"), ("y", None), ("z", "K")]
    assert entry["y"].values.tolist() == ["a", "b"]
    assert entry["z"].values.tolist() == [3, 4]
    assert (entry.x, entry.default) == ("x", "z")
    assert any("notes.txt" in w for w in m.warnings)
    assert m.original_metadata["structured"] == {"more.json": {"fit": 1}}


def test_workbook_is_read_sheet_by_sheet(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    code = (
        HEAD
        + """
def dataset(srcpaths, resource_paths):
    with pd.ExcelWriter(resource_paths.struct / "book.xlsx") as book:
        for n in (1, 2):
            table = pd.DataFrame({"角度 (deg)": [10.0, 11.0], "強度 (counts)": [n, 2 * n]})
            table.to_excel(book, sheet_name=f"Run {n}", index=False)
"""
    )
    m = read(make(tmp_path, code, axis="two_theta"), raw(tmp_path))
    assert [e.name for e in m] == ["book_run_1", "book_run_2"]
    assert m[1]["intensity"].values.tolist() == [2, 4]
    assert m[1]["two_theta"].unit == "deg"


# --- modes -------------------------------------------------------------------------------------------------------

TILES = "system: {extended_mode: MultiDataTile}\nmultidata_tile: {ignore_errors: true}\n"
ONE_ARGUMENT = (
    HEAD
    + """
def dataset(paths):
    path = paths.rawfiles[0]
    if "bad" in path.name:
        raise ValueError("this one is bad")
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_csv(paths.struct / f"{path.stem}.csv", index=False)
"""
)


def test_each_file_of_a_folder_is_a_tile(tmp_path: Path) -> None:
    found = make(tmp_path, ONE_ARGUMENT, settings=TILES, recognise={"members": "\\.lab$"})
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("one.lab", "two.lab", "bad.lab"):
        (folder / name).write_text("x")
    m = read(found, folder)
    assert sorted(e.title for e in m) == ["one", "two"]
    assert all(e.name.startswith("tile_") for e in m)
    (warning,) = m.warnings
    assert "this one is bad" in warning


def test_all_files_of_a_folder_are_one_input(tmp_path: Path) -> None:
    code = (
        HEAD
        + """
def dataset(srcpaths, resource_paths):
    sizes = [p.stat().st_size for p in sorted(resource_paths.rawfiles)]
    names = [p.name for p in sorted(resource_paths.rawfiles)]
    assert names == ["data", "para"], names
    pd.DataFrame({"n": [0, 1], "size": sizes}).to_csv(resource_paths.struct / "sizes.csv", index=False)
"""
    )
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "para").write_text("xyz")
    (folder / "data").write_text("x")
    found = make(tmp_path, code, recognise={"members": ["^para$", "^data$"]})
    assert read(found, folder)[0]["size"].values.tolist() == [1, 3]
    (folder / "para").unlink()
    with pytest.raises(registry.UnknownFormat):
        read(found, folder)


def test_binary_file_by_its_first_bytes(tmp_path: Path) -> None:
    found = make(tmp_path, ONE_ARGUMENT, recognise={"magic": "\x89LAB\x00", "sure": "certain"})
    path = tmp_path / "scan.bin"
    path.write_bytes(b"\x89LAB\x00\x01\x02")
    assert read(found, path)[0]["b"].values.tolist() == [3, 4]
    path.write_bytes(b"\x88LAB\x00\x01\x02")
    with pytest.raises(registry.UnknownFormat):
        read(found, path)


def test_programs_own_main_sets_its_own_mode(tmp_path: Path) -> None:
    main = """
from rdetoolkit import workflows
from rdetoolkit.models.config import Config, SystemSettings

def main():
    settings = Config(system=SystemSettings(save_raw=True))
    workflows.run(custom_dataset_function=dataset, config=settings)
"""
    found = make(tmp_path, PLAIN + "CONSTANT = {}" + main, function="modules.datasets_process:main")
    assert read(found, raw(tmp_path))[0]["intensity"].values.tolist() == [100, 200, 150]


# --- invoices ----------------------------------------------------------------------------------------------------

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://rde.nims.go.jp/rde/dataset-templates/t/invoice.schema.json",
    "type": "object",
    "required": ["custom", "sample"],
    "properties": {
        "custom": {
            "type": "object",
            "label": {"ja": "固有情報", "en": "Custom"},
            "required": ["word", "date", "number", "low", "choice", "truth"],
            "properties": {
                key: {"label": {"ja": key, "en": key}, **rest}
                for key, rest in {
                    "word": {"type": "string", "minLength": 3},
                    "date": {"type": "string", "format": "date"},
                    "number": {"type": "number", "exclusiveMinimum": 5},
                    "low": {"type": "integer", "maximum": -2},
                    "choice": {"type": "string", "enum": ["first", "second"]},
                    "truth": {"type": "boolean"},
                    "usual": {"type": "string", "default": "air"},
                    "free": {"type": "number"},
                }.items()
            },
        },
        "sample": {
            "type": "object",
            "label": {"ja": "試料情報", "en": "Sample"},
            "properties": {
                "generalAttributes": {
                    "type": "array",
                    "items": [
                        {
                            "type": "object",
                            "required": ["termId"],
                            "properties": {"termId": {"const": "3adf9874-7bcb-e5f8-99cb-3d6fd9d7b55e"}},
                        }
                    ],
                }
            },
        },
    },
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:jsonschema")
@pytest.mark.parametrize("schema", [SCHEMA, EMPTY_SCHEMA])
def test_invoice_made_from_a_schema_is_valid_to_rde(tmp_path: Path, schema: dict[str, Any]) -> None:
    from rdetoolkit.validation import InvoiceValidator

    path = tmp_path / "invoice.schema.json"
    path.write_text(json.dumps(schema))
    InvoiceValidator(path).validate(obj=invoice_of(schema, "scan", {}))


def test_program_sees_the_invoice_as_described(tmp_path: Path) -> None:
    code = (
        HEAD
        + """
def dataset(srcpaths, resource_paths):
    invoice = json.loads(resource_paths.invoice_org.read_text())
    said = invoice["custom"]
    assert (said["usual"], said["free"], said["choice"]) == ("air", 7.5, "second"), said
    assert invoice["basic"]["dataName"] == "scan"
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_csv(resource_paths.struct / "t.csv", index=False)
"""
    )
    given = {"custom": {"free": 7.5, "choice": "second"}}
    found = make(tmp_path, code, tasksupport={"invoice.schema.json": SCHEMA}, invoice=given)
    assert len(read(found, raw(tmp_path))) == 1
    wrong = described(tmp_path, invoice={"custom": {"free": "text"}})
    with pytest.raises(registry.ReadError, match="free"):
        read(wrong, raw(tmp_path))


# --- failures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "raise ValueError('line 7 is odd')",
            "line 7 is odd [container/modules/datasets_process.py, line 5]",
        ),
        ("raise StructuredError('no peaks', 12)", "no peaks"),
        (
            "try:\n        int('x')\n"
            "    except ValueError as e:\n        raise StructuredError('not this model') from e",
            "not this model (ValueError: invalid literal",
        ),
        ("raise SystemExit(3)", "ended itself"),
        ("import no_such_package", "needs the Python package no_such_package"),
        ("pass", "no table of numbers"),
        ("(r.meta / 'metadata.json').write_text('[1, 2]')", "metadata"),
        ("(r.meta / 'metadata.json').write_text('{\"constant\": 3, \"variable\": []}')", "constant"),
        ("(r.struct / 'b.xlsx').write_bytes(b'PK')", "b.xlsx"),
    ],
)
def test_what_a_program_refuses_is_told_in_its_own_words(tmp_path: Path, body: str, said: str) -> None:
    code = f"from rdetoolkit.exceptions import StructuredError\n\n\ndef dataset(s, r):\n    {body}\n"
    found = make(tmp_path, code)
    with pytest.raises(registry.ReadError) as e:
        read(found, raw(tmp_path))
    assert said in str(e.value)
    assert "scan.lab" in str(e.value) or "RDE program's" in str(e.value)


def test_lack_of_memory_is_not_the_files_fault(tmp_path: Path) -> None:
    found = make(tmp_path, "def dataset(s, r):\n    raise MemoryError\n")
    with pytest.raises(MemoryError):
        read(found, raw(tmp_path))


def test_process_is_as_it_was_before(tmp_path: Path) -> None:
    code = """
    from rdetoolkit.rdelogger import CustomLog

    logger = CustomLog().get_logger()

    def dataset(s, r):
        logger.info("to a file that goes")
        print("to nowhere")
        (r.struct / "t.csv").write_text("a,b\\n1,2\\n2,3\\n")
    """
    found = make(tmp_path, code)
    before = (Path.cwd(), list(sys.path), "modules" in sys.modules, sys.dont_write_bytecode, dict(os.environ))
    assert len(read(found, raw(tmp_path))) == 1
    assert before == (
        Path.cwd(),
        list(sys.path),
        "modules" in sys.modules,
        sys.dont_write_bytecode,
        dict(os.environ),
    )
    assert logging.getLogger("rdeuser").handlers == []
    assert not list((tmp_path / "program").rglob("__pycache__"))
    assert not (Path.cwd() / "data").exists()


def test_programs_that_call_their_modules_alike_do_not_meet(tmp_path: Path) -> None:
    for n in (1, 2):
        code = """
        from modules.helper import N

        def dataset(s, r):
            (r.struct / "t.csv").write_text(f"a,b\\n1,{N}\\n2,{N}\\n")
        """
        (tmp_path / str(n)).mkdir()
        make(tmp_path / str(n), code)
        (tmp_path / str(n) / "program/container/modules/helper.py").write_text(f"N = {n}\n")
    for n in (1, 2, 1):
        found = described(tmp_path / str(n))
        assert read(found, raw(tmp_path))[0]["b"].values.tolist() == [n, n]


# --- descriptions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"rde": "elsewhere"}, "rde: there is no folder"),
        ({"function": "modules.other:dataset"}, "function: there is no modules/other.py"),
        ({"function": "modules.datasets_process"}, "function: "),
        ({"tasksupport": "support"}, "tasksupport: there is no folder support"),
        ({"recognise": {"sure": "likely"}}, "recognise: say by what"),
        ({"recognise": {"magic": "電"}}, "recognise.magic"),
        ({"recognise": {"size": 3}}, "recognise.size: not a key"),
        ({"axis": "two_theta", "x": "two_theta"}, "axis, x"),
        ({"technique": "xray"}, "technique"),
        ({"run": 1}, "run: not a key"),
    ],
)
def test_wrong_description_is_told_by_its_key(tmp_path: Path, keys: dict[str, Any], said: str) -> None:
    make(tmp_path, ONE_ARGUMENT)
    ((where, message),) = [(p.where, p.message) for p in described(tmp_path, **keys).problems]
    assert where == str(tmp_path / "lab.yaml")
    assert message.startswith(said)


@pytest.mark.parametrize("layout", ["container", "."])
def test_program_is_found_in_every_layout(tmp_path: Path, layout: str) -> None:
    found = make(tmp_path, ONE_ARGUMENT, layout=layout)
    assert len(read(found, raw(tmp_path))) == 1


def test_one_of_several_tasksupports_has_to_be_named(tmp_path: Path) -> None:
    make(tmp_path, ONE_ARGUMENT)
    program = tmp_path / "program"
    for name in ("rigaku", "bruker"):
        (program / "template" / name).mkdir(parents=True)
        (program / "template" / name / "tasksupport").mkdir()
    (program / "container/data/tasksupport").rename(program / "template/old")
    (problem,) = described(tmp_path).problems
    assert "template/bruker/tasksupport, template/rigaku/tasksupport" in problem.message
    found = described(tmp_path, tasksupport="template/bruker/tasksupport")
    assert len(read(found, raw(tmp_path))) == 1


def test_libraries_are_loaded_ahead_but_not_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "import tabnanny, no_such_package, modules\nraise SystemExit('loaded')\n")
    for name in ("MPLBACKEND", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, "")
    sys.modules.pop("tabnanny", None)
    prepare(find(tmp_path / "program", "modules.datasets_process:dataset", ""))
    assert "tabnanny" in sys.modules
    assert "modules" not in sys.modules


def test_without_rdetoolkit_the_description_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, ONE_ARGUMENT)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (problem,) = described(tmp_path).problems
    assert "zairyo[rde]" in problem.message


def test_rows_of_a_smart_table_are_tiles(tmp_path: Path) -> None:
    code = (
        HEAD
        + """
def dataset(paths):
    row = pd.read_csv(paths.smarttable_rawfile)
    table = pd.DataFrame({"a": [1, 2], "b": [3, int(row["meta/n"][0])]})
    table.to_csv(paths.struct / "t.csv", index=False)
"""
    )
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "smarttable_runs.csv").write_text("名前,数\nbasic/dataName,meta/n\none,11\ntwo,12\n")
    definitions = {"n": {"name": {"ja": "数", "en": "Number"}, "schema": {"type": "integer"}}}
    found = make(
        tmp_path,
        code,
        tasksupport={"metadata-def.json": definitions, "invoice.schema.json": SCHEMA},
        recognise={"members": "^smarttable_"},
    )
    m = read(found, folder)
    numbers = [e["b"].values[1] for e in m]
    assert sorted(numbers) == [11, 12]  # in the order that rdetoolkit gives tiles
    tiles: Any = m.original_metadata["tiles"]
    assert [tile["constant"]["n"]["value"] for tile in tiles] == numbers


def test_reader_whose_libraries_do_not_load_is_taken_out_and_told(tmp_path: Path) -> None:
    def fail() -> None:
        raise ImportError("libpolars is broken")

    found = make(tmp_path, ONE_ARGUMENT)
    found.readers["lab_rde"] = replace(found.readers["lab_rde"], prepare=fail)
    found.prepare()
    assert found.readers == {}
    assert found.problems == [registry.Problem("lab_rde", "ImportError: libpolars is broken")]
