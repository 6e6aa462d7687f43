"""Workbooks of cyclers: a user would lose the second sheet of a long test, or the cycle of each record."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest
from tests.readers import broken_files

from zairyo.measurement import Measurement
from zairyo.readers import invariants
from zairyo.readers._api import CERTAIN, NO, RawInput, ReadError
from zairyo.readers.cycler_xlsx import READER

NAME = "NJK_CC_156_C30_C_x30.xlsx"


def read(path: Path) -> Measurement:
    return invariants.check(READER.read(RawInput(path)), READER)


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    """The least of a workbook: texts are shared strings, as Excel writes them."""
    texts: list[str] = []

    def cell(value: object, place: str) -> str:
        if isinstance(value, str):
            texts.append(value)
            return f'<c r="{place}" t="s"><v>{len(texts) - 1}</v></c>'
        return f'<c r="{place}"><v>{value}</v></c>'

    pages = []
    for rows in sheets.values():
        lines = "".join(
            f'<row r="{r}">'
            + "".join(cell(v, f"{chr(65 + c)}{r}") for c, v in enumerate(row) if v is not None)
            + "</row>"
            for r, row in enumerate(rows, 1)
        )
        pages.append(f"<worksheet><sheetData>{lines}</sheetData></worksheet>")
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    book = "".join(f'<sheet name="{n}" sheetId="{k}" r:id="r{k}"/>' for k, n in enumerate(sheets, 1))
    links = "".join(
        f'<Relationship Id="r{k}" Type="{kind}/worksheet" Target="worksheets/sheet{k}.xml"/>'
        for k in range(1, len(pages) + 1)
    )
    strings = "".join(f"<si><t>{escape(t)}</t></si>" for t in texts)
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("[Content_Types].xml", "<Types/>")
        z.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="a" Type="{kind}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        z.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{kind}"><sheets>{book}</sheets></workbook>'
        )
        z.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}">{links}<Relationship Id="s" Type="{kind}/sharedStrings" '
            'Target="sharedStrings.xml"/></Relationships>',
        )
        z.writestr("xl/sharedStrings.xml", f'<sst xmlns="{main}">{strings}</sst>')
        for k, page in enumerate(pages, 1):
            z.writestr(
                f"xl/worksheets/sheet{k}.xml", page.replace("<worksheet>", f'<worksheet xmlns="{main}">')
            )
    return path


def test_a_real_workbook(instruments: Path) -> None:
    """python-calamine 0.9.1 by itself gives the same sums; the cycler's own sheet of cycles judges the cycles."""
    source = instruments / "cycler-xlsx" / NAME
    assert READER.sniff(RawInput(source)) == CERTAIN
    measurement = read(source)
    entry, cycles = measurement["cycling"], measurement["cycle"]
    for name, last, total in (
        ("time", 83.92, 2659351.75),
        ("voltage", 2.0033, 25903.6176),
        ("current", 0.0269, 13.7426),
        ("capacity", 0.0174, 629.5675),
    ):
        values = entry[name].values
        assert len(values) == 62305
        assert (values[-1], values.sum()) == pytest.approx((last, total), rel=1e-6)
    assert (entry["time"].unit, entry["current"].unit) == ("h", "mA")
    assert set(entry["step_type"].values) == {"rest", "cc_charge", "cc_discharge"}
    for way in ("charge", "discharge"):
        amount = entry[f"{way}_capacity"].values
        highest = [amount[entry["cycle"].values == k].max() for k in range(1, 31)]
        np.testing.assert_allclose(highest, cycles[f"{way}_capacity"].values[1:], atol=1.01e-4)
    assert (cycles.x, cycles.default) == ("cycle", "discharge_capacity")
    assert cycles["specific_charge_capacity"].unit == "mAh/g"
    assert measurement.instrument == "Landt battery tester"


def test_sheets_that_continue_each_other_are_one_table(tmp_path: Path) -> None:
    head: list[object] = [
        "Data_Point", "Date_Time", "Test_Time(s)", "Cycle_Index", "Step_Index", "Current(A)", "Voltage(V)",
        "Charge_Capacity(Ah)", "Discharge_Capacity(Ah)", "Internal_Resistance(Ohm)", "Aux_Temperature_1 (C)",
    ]  # fmt: skip
    rows: list[list[object]] = [
        [k, 43466.5 + k / 86400, k, 1, 2, 0.5, 3.5, 0.1 * k, 0, 0.01, 25.5] for k in range(4)
    ]
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "Info": [["Test_Name", "Creator", "Schedule_File_Name"], ["cell 7", "sato", "cc.sdu"]],
            "Channel_1-008_1": [head, *rows[:2]],
            "Channel_1-008_2": [head, *rows[2:]],
            "Statistics_1-008": [
                ["Cycle_Index", "Charge_Capacity(Ah)", "Discharge_Capacity(Ah)"],
                [1, 0.3, 0],
            ],
        },
    )
    assert READER.sniff(RawInput(path)) == CERTAIN
    measurement = read(path)
    entry = measurement["cycling"]
    assert entry["time"].values.tolist() == [0, 1, 2, 3]
    assert entry["timestamp"].values[2] == np.datetime64("2019-01-01T12:00:02")
    assert entry.started == datetime(2019, 1, 1, 12)
    assert entry["temperature"].unit == "degC"  # the heading's C is no coulomb
    assert entry["internal_resistance"].unit == "ohm"
    assert (measurement.title, measurement.operator) == ("cell 7", "sato")
    assert entry.conditions["test_protocol"].value == "cc.sdu"
    assert measurement["statistics_1_008"]["charge_capacity"].values.tolist() == [0.3]


def test_two_channels_are_two_entries(tmp_path: Path) -> None:
    head: list[object] = ["Data Point", "Test Time (s)", "Cycle Index", "Current (A)", "Voltage (V)"]
    path = workbook(
        tmp_path / "a.xlsx",
        {"Channel_1_1": [head, [1, 0, 1, 1, 3.5]], "Channel_2_1": [head, [1, 0, 1, 1, 2.5]]},
    )
    assert [e["voltage"].values.tolist() for e in read(path)] == [[3.5], [2.5]]


def test_neware_workbooks_name_steps_as_the_binary_files_do(tmp_path: Path) -> None:
    head: list[object] = [
        "DataPoint",
        "Cycle Index",
        "Step Type",
        "Time",
        "Total Time",
        "Current(A)",
        "Voltage(V)",
        "Capacity(Ah)",
    ]
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "record": [
                head,
                [1, 1, "CC Chg", "00:00:10", "00:00:10", 1.5, 3.5, 0.1],
                [2, 1, "CC DChg", "00:00:05", "1d 00:00:15", -1.5, 3.4, 0.2],
            ]
        },
    )
    entry = read(path)["cycling"]
    assert entry["step_type"].values.tolist() == ["cc_charge", "cc_discharge"]
    assert entry["time"].values.tolist() == [10, 86415]
    assert entry["discharge_capacity"].values.tolist() == [0, 0.2]


def test_other_workbooks_are_not_taken(instruments: Path, tmp_path: Path) -> None:
    for other in ("mts-nanoindent-xls/Example.xls", "tamair-csv/excel_example3.xls"):
        assert READER.sniff(RawInput(instruments / other)) == NO
    path = workbook(tmp_path / "a.xlsx", {"a": [["Test_Time(s)", "Cycle_Index", "Voltage(V)"], [0, 1, 2]]})
    with pytest.raises(ReadError, match="no sheet with records"):
        read(path)


def test_files_cut_off_or_damaged_are_refused_or_read(instruments: Path, tmp_path: Path) -> None:
    whole = (instruments / "cycler-xlsx" / NAME).read_bytes()
    assert broken_files.cut(READER, whole, tmp_path / "cut.xlsx", 8) == []
    head: list[object] = ["Data_Point", "Test_Time(s)", "Cycle_Index", "Current(A)", "Voltage(V)"]
    small = workbook(tmp_path / "a.xlsx", {"Channel_1": [head, *([k, k, 1, 0.5, 3.5] for k in range(9))]})
    broken_files.damage(READER, small.read_bytes(), tmp_path / "broken.xlsx", turns=100)
    parts: dict[str, bytes] = {}
    with zipfile.ZipFile(small) as z:
        parts = {name: z.read(name) for name in z.namelist()}
    random = np.random.default_rng(3)
    for turn in range(60):
        name = list(parts)[turn % len(parts)]
        bad = bytearray(parts[name])
        for at in random.integers(0, len(bad), 5):
            bad[at] = random.integers(256)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as z:
            for member, content in (parts | {name: bytes(bad)}).items():
                z.writestr(member, content)
        broken_files.replaced(READER, packed.getvalue(), tmp_path / "b.xlsx", [(b"PK", b"PK")])


OLD = ["Record Index", "Status", "JumpTo", "Cycle", "Step", "Cur(mA)", "Voltage(V)", "CapaCity(mAh)",
       "Relative Time(h:min:s.ms)", "Absolute Time"]  # fmt: skip
NEW = [
    "数据序号",
    "工步类型",
    "跳转",
    "循环号",
    "工步号",
    "电流(mA)",
    "电压(V)",
    "容量(mAh)",
    "时间",
    "绝对时间",
]
DETAIL = ["记录序号", "状态", "跳转", "循环", "步次", "电流(mA)", "电压(V)", "容量(mAh)", "相对时间(h:min:s.ms)",
          "绝对时间"]  # fmt: skip


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("headings", [OLD, NEW, DETAIL])
def test_neware_workbooks_of_other_versions(tmp_path: Path, headings: list[object], inline: bool) -> None:
    """Also where a program writes the texts into the cells: the vendor's words are in no shared part then."""
    chinese = headings is not OLD
    rest, charge = ("搁置", "恒流恒压充电") if chinese else ("Rest", "CCCV_Chg")
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "Info": [["x", "y"]],
            "Detail_1": [
                headings,
                [1, rest, 1, 1, 1, 0, 3.5, 0, "0:00:00.000", "2018-01-02 10:00:00"],
                [2, charge, 1, 1, 2, 5, 3.75, 0.25, "0:00:10.000", "2018-01-02 10:01:10"],
            ],
        },
    )
    if inline:
        put_texts_into_cells(path)
    source = RawInput(path)
    assert READER.sniff(source) == CERTAIN
    entry = invariants.check(READER.read(source), READER)[0]
    assert entry["step_type"].values.tolist() == ["rest", "cccv_charge"]
    assert entry["step_time"].values.tolist() == [0, 10]
    assert (entry.x, entry["time"].values.tolist()) == ("time", [0, 70])
    assert (entry["current"].unit, entry["current"].values.tolist()) == ("mA", [0, 5])
    assert entry["charge_capacity"].values.tolist() == [0, 0.25]


def put_texts_into_cells(path: Path) -> None:
    """Shared strings → inline strings, as report generators write them."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name).decode() for name in book.namelist()}
    shared = re.findall(r"<t[^>]*>(.*?)</t>", parts.pop("xl/sharedStrings.xml"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            inline = re.sub(
                r't="s"><v>(\d+)</v>', lambda m: f't="inlineStr"><is><t>{shared[int(m[1])]}</t></is>', text
            )
            book.writestr(name, inline)


def test_many_texts_do_not_hide_the_vendor(tmp_path: Path) -> None:
    """A date as text in each of a hundred thousand rows makes the shared texts larger than is looked through."""
    rows: list[list[object]] = [["DataPoint", "Step Type", "Time", "Current(mA)", "Voltage(V)"]]
    rows += [[k, "x" * 50_000 + str(k), "00:00:01", 1, 3.5] for k in range(90)]
    assert READER.sniff(RawInput(workbook(tmp_path / "a.xlsx", {"record": rows}))) == CERTAIN


def test_a_label_beside_another_is_not_its_value(tmp_path: Path) -> None:
    """Of an Arbin workbook without comments "Software Version" was the comment; and whose row is whose channel."""
    head: list[object] = ["Data_Point", "Test_Time(s)", "Cycle_Index", "Current(A)", "Voltage(V)"]
    labels: list[object] = [
        "Channel",
        "Start DateTime",
        "Creator",
        "Comments",
        "Software Version",
        "Item ID",
        "Has Aux",
    ]
    path = workbook(
        tmp_path / "a.xlsx",
        {
            "Global_Info": [
                ["", "TEST REPORT"],
                ["", "cells", "Serial Number"],
                ["", "", 206951.0],
                labels,
                [11.0, None, "ben", None, "PV7.0", None, 0],
                [12.0, None, "ann", "second", "PV7.0", "B-12", 0],
            ],
            "Channel_12_1": [head, [1, 0, 1, 1, 2.5]],
            "Channel_11_1": [head, [1, 0, 1, 1, 3.5]],
        },
    )
    measurement = read(path)
    second, first = measurement
    assert (first.conditions["channel"].value, second.conditions["channel"].value) == ("11", "12")
    assert first.conditions["instrument_serial"].value == "206951"
    assert {"comment", "barcode"}.isdisjoint(first.conditions)
    assert (second.conditions["comment"].value, second.conditions["barcode"].value) == ("second", "B-12")
    assert measurement.operator == "ann"
