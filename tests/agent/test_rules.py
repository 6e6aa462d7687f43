"""A rule that is taken wrongly sends what is none of anybody's business, or never sends what a person waits for."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from zairyo.agent.rules import FOLDER_FORMATS, Rules, RulesError, rules_from


@pytest.mark.parametrize(
    ("rules", "path", "wanted"),
    [
        ({}, "scan.xrdml", True),
        ({}, "sub/scan.xrdml", True),
        ({"subfolders": False}, "sub/scan.xrdml", False),
        ({"include": ["*.xrdml"]}, "SCAN.XRDML", True),
        ({"include": ["*.xrdml"]}, "scan.xrdml.bak", False),
        ({"include": ["raw/*.dat"]}, "raw/a.dat", True),
        ({"include": ["raw/*.dat"]}, "a.dat", False),
        ({"include": ["*"], "exclude": ["*.log"]}, "run.LOG", False),
        ({"exclude": ["private/*"]}, "Private/a.dat", False),
        ({"exclude": ["private/*"]}, "public/a.dat", True),
        ({"include": ["データ*.ras"]}, unicodedata.normalize("NFD", "データ1.ras"), True),
        ({"exclude": [unicodedata.normalize("NFD", "が*")]}, "がん.dat", False),
        ({}, ".hidden", False),
        ({}, "~$report.xlsx", False),
        ({}, "scan.raw.part", False),
        ({}, "Thumbs.db", False),
        ({"include": ["a\nb*"]}, "a\nb.dat", True),
        ({"sentinel": "{stem}.done"}, "scan.done", False),
        ({"sentinel": "{stem}.done"}, "scan.raw", True),
        ({"sentinel": "{name}.OK"}, "scan.raw.ok", False),
    ],
)
def test_which_files_are_measurements(rules: dict[str, Any], path: str, wanted: bool) -> None:
    assert rules_from(rules).wants(path) is wanted


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({"include": "*.dat"}, "include"),
        ({"include": []}, "include"),
        ({"include": None}, "include"),
        ({"include": [""]}, "include"),
        ({"include": ["\ud800"]}, "include"),
        ({"exclude": {"a": 1}}, "exclude"),
        ({"exclude": [3]}, "exclude"),
        ({"folder_formats": ["x" * 201]}, "folder_formats"),
        ({"folder_formats": ["/"]}, "folder_formats"),
        ({"folder_formats": ["/pdata/1/procs"]}, "folder_formats"),
        ({"folder_formats": ["/../acqus"]}, "folder_formats"),
        ({"subfolders": "yes"}, "subfolders"),
        ({"stable_seconds": -1}, "stable_seconds"),
        ({"stable_seconds": float("nan")}, "stable_seconds"),
        ({"stable_seconds": True}, "stable_seconds"),
        ({"rescan_seconds": 0}, "rescan_seconds"),
        ({"rescan_seconds": "30"}, "rescan_seconds"),
        ({"end_marker": "("}, "end_marker"),
        ({"end_marker": "\udcff"}, "end_marker"),
        ({"end_marker": r"(\w+\s*)+END"}, "end_marker"),
        ({"end_marker": r"(a|b*)*$"}, "end_marker"),
        ({"end_marker": ""}, "end_marker"),
        ({"sentinel": "done.txt"}, "sentinel"),
        ({"sentinel": "../{name}"}, "sentinel"),
        ({"sentinel": "{stem.__class__}"}, "sentinel"),
        ({"since": "yesterday"}, "since"),
        ({"since": "0001-01-01"}, "since"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named(rules: dict[str, Any], named: str) -> None:
    with pytest.raises(RulesError, match=named):
        rules_from(rules)


def test_an_end_marker_that_repeats_plainly_is_taken() -> None:
    marker = rules_from({"end_marker": r"</xrdMeasurements>\s*$"}).marker
    assert marker is not None
    assert marker.search(b"... </xrdMeasurements>\r\n")


def test_rules_of_a_newer_server_are_left_alone() -> None:
    assert rules_from({"colour": "blue", "stable_seconds": 1}) == Rules(stable_seconds=1)


def test_sentinel_of_a_file() -> None:
    assert rules_from({"sentinel": "{stem}.done"}).sentinel_of("scan.1.raw") == "scan.1.done"
    assert rules_from({"sentinel": "{name}.done"}).sentinel_of("scan") == "scan.done"
    assert rules_from({"sentinel": "{stem}_{x}.done"}).sentinel_of("{name}.raw") == "{name}_{x}.done"


def test_folder_formats_in_any_case() -> None:
    rules = Rules(folder_formats=(".D", ".フォルダ"))
    assert rules.is_folder_format("run.d")
    assert rules.is_folder_format(unicodedata.normalize("NFD", "測定.フォルダ"))
    assert not rules.is_folder_format("run.dd")


def test_every_reader_of_folders_gets_its_folders_whole() -> None:
    """A reader whose folders the agent takes apart into files never reads anything on the server."""
    from zairyo.readers.registry import load

    declared = {form for reader in load().readers.values() for form in reader.folders}
    assert declared == set(FOLDER_FORMATS) == set(Rules().folder_formats)
