"""If these fail, a table opens with other numbers than were measured, or runs something in a spreadsheet."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from zairyo.exports.table import csv_lines
from zairyo.measurement import Axis, Entry, Signal, table
from zairyo.server.api.export import Part, content_disposition, plain, zip_stream
from zairyo.server.objects import LocalObjects


def rows(entry: Entry) -> list[list[str]]:
    """As a spreadsheet reads them."""
    text = b"".join(csv_lines(entry)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def column(*values: Any, dtype: Any = None) -> Entry:
    return table("t", "unspecified", [Signal("a", np.array(values, dtype))], x="a", default="a")


@settings(max_examples=100, deadline=None)
@given(arrays.arrays(st.sampled_from(["<f8", "<f4", "<i8", "<u8"]), st.integers(1, 50)))
def test_numbers_read_back_exactly(values: Any) -> None:
    read = np.array([cell[0] or "nan" for cell in rows(column(*values, dtype=values.dtype))[1:]])
    np.testing.assert_array_equal(read.astype(values.dtype), values)


def test_what_is_not_a_number_is_empty() -> None:
    assert rows(column(np.nan, 0.1, np.inf)) == [["a"], [""], ["0.1"], ["inf"]]
    assert rows(column(np.float32(0.1))) == [["a"], ["0.1"]]
    assert rows(column("2026-01-01T00:00:00.25", "NaT", dtype="datetime64[ms]"))[1:] == [
        ["2026-01-01T00:00:00.250"],
        [""],
    ]
    nanoseconds = np.array(["2026-01-01T00:00:00.000000001"], "datetime64[ns]")
    assert rows(column(*nanoseconds, dtype="datetime64[ns]"))[1] == ["2026-01-01T00:00:00.000000001"]
    assert rows(column(True, False)) == [["a"], ["True"], ["False"]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_no_text_becomes_a_formula(start: str) -> None:
    """Neither a value nor a column's name, both of which are from a file from outside."""
    entry = table(
        "t",
        "unspecified",
        [Signal("a", np.array([start + "cmd"]), long_name=start + "HYPERLINK()")],
        x="a",
        default="a",
    )
    assert rows(entry) == [["'" + start + "HYPERLINK()"], ["'" + start + "cmd"]]
    assert rows(column(-1.5))[1] == ["-1.5"], "a number may be negative"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), min_size=1, max_size=5
    )
)
def test_text_reads_back(values: list[str]) -> None:
    read = [cells[0] if cells else "" for cells in rows(column(*values, dtype=str))[1:]]
    kept = np.array(values, dtype=str).tolist()
    assert [r.removeprefix("'") if r != k else r for r, k in zip(read, kept, strict=True)] == kept


def test_a_map_is_a_row_a_point_with_what_is_over_the_same_axes() -> None:
    axes = (Axis("y", np.array([1.0, 2.0]), "mm"), Axis("x", np.array([5.0, 6.0, 7.0]), "mm"))
    entry = Entry(
        "m", "raman", axes,
        (
            Signal("z", np.arange(6.0).reshape(2, 3), "V", ("y", "x"), uncertainty=np.full((2, 3), 0.5)),
            Signal("profile", np.arange(2.0), axes=("y",)),
            Signal("c", np.arange(6).reshape(2, 3) * 1j, "ohm", ("y", "x"), "Z"),
        ),
    )  # fmt: skip
    read = rows(entry)
    assert read[0] == [
        "y (mm)",
        "x (mm)",
        "z (V)",
        "z (V), uncertainty",
        "Z (ohm), real",
        "Z (ohm), imaginary",
    ]
    assert read[1:3] == [
        ["1.0", "5.0", "0.0", "0.5", "0.0", "0.0"],
        ["1.0", "6.0", "1.0", "0.5", "0.0", "1.0"],
    ]
    assert read[-1] == ["2.0", "7.0", "5.0", "0.5", "0.0", "5.0"]


def test_one_value_and_none() -> None:
    single = Entry("s", "unspecified", (), (Signal("a", np.array(5.0), "V"),))
    assert rows(single) == [["a (V)"], ["5.0"]]
    empty = Entry("s", "unspecified", (Axis("x", np.zeros(0)),), (Signal("a", np.zeros(0), axes=("x",)),))
    assert rows(empty) == [["x", "a"]]


def test_a_long_table_comes_in_pieces() -> None:
    long = column(*range(10_001))
    pieces = list(csv_lines(long))
    assert len(pieces) > 5
    assert [r[0] for r in rows(long)[1:]] == [str(i) for i in range(10_001)]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_is_one_header_of_latin_letters(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.startswith('attachment; filename="')
    assert header.count('"') == 2
    assert len(header) < 4000


def test_names_of_files() -> None:
    assert content_disposition("a b.txt") == "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"
    assert content_disposition("試料.nxs").endswith("filename*=UTF-8''%E8%A9%A6%E6%96%99.nxs")
    assert content_disposition("x" * 500 + ".nxs").count("x") == 2 * 120 + 2


def test_metadata_is_strict_json() -> None:
    assert plain({"a": [float("inf"), {"b": float("nan")}, 1, None, True, 1.5]}) == {
        "a": ["inf", {"b": "nan"}, 1, None, True, 1.5]
    }


def test_an_archive_is_made_as_it_is_read(tmp_path: Path) -> None:
    """Memory stays small however large the files are."""
    objects = LocalObjects(tmp_path / "objects")
    stored = objects.put([b"x" * 5_000_000, b""])
    parts = [
        Part("big.bin", stored[0].sha256, stored[0].size, datetime(1903, 1, 1, tzinfo=UTC)),
        Part("later/empty.bin", stored[1].sha256, 0, datetime(9999, 1, 1, tzinfo=UTC)),
    ]
    stream: Iterator[bytes] = zip_stream(objects, parts)
    pieces = list(stream)
    assert max(map(len, pieces)) < 2_000_000
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert [(i.filename, i.file_size, i.date_time[0]) for i in archive.infolist()] == [
            ("big.bin", 5_000_000, 1980),
            ("later/empty.bin", 0, 2107),
        ]
    objects.close()
