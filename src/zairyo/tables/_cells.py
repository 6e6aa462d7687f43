"""Cells of text as numbers: decimal commas, thousands, ``1.2 ± 0.1``, and the words that people write instead."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

import numpy as np

from zairyo.tables._base import Floats
from zairyo.tables._raw import RawColumn

#: States of a sample, in the order in which it goes through them; a code is the position here.
STATES = ("planned", "made", "measured", "failed", "lost")

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_IS_NUMBER = re.compile(_NUMBER)
_WITH_ERROR = re.compile(rf"\(?\s*({_NUMBER})\s*(?:±|\+/-|\+-)\s*({_NUMBER})\s*\)?")
_CONCISE = re.compile(r"([+-]?\d+(?:\.(\d+))?)\((\d+)\)")
_MISSING = frozenset(
    ("na", "n/a", "n.a.", "#n/a", "#na", "nan", "null", "none", "-", "--", "---", ".", "?", "missing", "blank", "nd",
     "n.d.", "tbd", "tba", "not measured", "not determined", "not available", "未測定", "欠測", "なし", "ー", "不明")
)  # fmt: skip
_EXCEL_ERRORS = frozenset(("#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"))
_STATE_WORDS = (
    (
        "failed",
        re.compile(
            r"(?:failed|failure|fail|error|broken|broke|cracked|fractured|失敗|破損|不良|割れ)(?![a-z])", re.I
        ),
    ),
    ("lost", re.compile(r"(?:lost|discarded|紛失)(?![a-z])", re.I)),
    ("planned", re.compile(r"(?:planned|pending|to ?do|予定)(?![a-z])", re.I)),
    ("made", re.compile(r"(?:made|synthesi[sz]ed|prepared|作製済)(?![a-z])", re.I)),
    ("measured", re.compile(r"(?:measured|done|ok|測定済)(?![a-z])", re.I)),
)
_JUST = re.compile(r"(failed|failure|fail|lost|失敗|紛失)\s*[:：,;\-–—]*\s*", re.I)


@dataclass
class Numbers:
    """A column as numbers.

    Attributes
    ----------
    values, uncertainty
        NaN where there is none; the uncertainty is None if no cell states one.
    words
        Row → state and reason, where a word stands in place of a number.
    odd
        Row → text that is neither.
    stated
        How many cells are numbers.
    excel_errors
        How many cells hold an error of a spreadsheet, such as ``#DIV/0!``.
    """

    values: Floats
    uncertainty: Floats | None = None
    words: dict[int, tuple[str, str]] = field(default_factory=dict)
    odd: dict[int, str] = field(default_factory=dict)
    stated: int = 0
    excel_errors: int = 0


def numbers_of(column: RawColumn, decimal: str = ".") -> Numbers:
    """Read a column as numbers; infinities are kept."""
    if column.numbers is not None:
        return Numbers(column.numbers, stated=int(np.count_nonzero(~np.isnan(column.numbers))))
    import pyarrow as pa
    from pyarrow import compute as pc

    text = pc.utf8_trim_whitespace(column.text)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    if decimal == ".":
        try:
            values = text.cast(pa.float64())
        except pa.ArrowInvalid:
            pass
        else:
            array = _array(values)
            return Numbers(array, stated=int(np.count_nonzero(~np.isnan(array))))
    plain = _plain_marks(text, decimal)
    is_number = pc.fill_null(pc.match_substring_regex(plain, f"^{_NUMBER}$"), False)
    bare = pc.replace_substring_regex(pc.if_else(is_number, plain, pa.scalar(None, pa.string())), r"^\+", "")
    result = Numbers(_array(bare.cast(pa.float64())), stated=pc.sum(is_number).as_py() or 0)
    rest = np.flatnonzero(_array(pc.and_(pc.is_valid(text), pc.invert(is_number))))
    known: dict[str, object] = {}
    for row, cell in zip(rest.tolist(), text.take(pa.array(rest)).to_pylist(), strict=True):
        if cell not in known:
            known[cell] = _interpret(cell, decimal)
        _put(result, row, cell, known[cell])
    return result


def _array(values: object) -> np.ndarray:  # type: ignore[type-arg]
    return np.array(values.to_numpy(zero_copy_only=False))  # type: ignore[attr-defined]


def _plain_marks(text: object, decimal: str) -> object:
    """Numbers with a decimal point and without marks between thousands; other cells as they are, or spoiled alike."""
    from pyarrow import compute as pc

    other = r"\." if decimal == "," else ","
    mark = rf"[{other} \x{{00a0}}\x{{202f}}\x{{2009}}'’]"
    grouped = rf"^([+-]?\d{{1,3}})(?:{mark}\d{{3}})+(?:[{decimal}]\d*)?(?:[eE][+-]?\d+)?$"
    mask = pc.fill_null(pc.match_substring_regex(text, grouped), False)
    if pc.any(mask).as_py():
        text = pc.if_else(mask, pc.replace_substring_regex(text, mark, ""), text)
    if decimal == ",":
        looks = pc.fill_null(pc.match_substring_regex(text, r"^[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?$"), False)
        text = pc.if_else(looks, pc.replace_substring(text, ",", "."), text)
    return text


def _interpret(cell: str, decimal: str) -> object:
    """A cell that is no plain number: a number, (number, uncertainty), (state, reason), "" for missing, None if odd."""
    text = unicodedata.normalize("NFKC", cell).translate(str.maketrans("−–", "--")).strip()
    lower = text.casefold()
    if lower in _MISSING:
        return ""
    if lower in _EXCEL_ERRORS:
        return "error"
    number = text.replace(".", "").replace(",", ".") if decimal == "," else text
    if _IS_NUMBER.fullmatch(number):
        return float(number)
    if match := _WITH_ERROR.fullmatch(number):
        return float(match[1]), abs(float(match[2]))
    if match := _CONCISE.fullmatch(number):
        return float(match[1]), int(match[3]) * 10.0 ** -len(match[2] or "")
    if lower.lstrip("+-") in ("inf", "infinity", "∞"):
        return -np.inf if lower.startswith("-") else np.inf
    return state_of(cell)


def state_of(text: str) -> tuple[str, str] | None:
    """The state of a sample that words tell, and the reason: ``"failed: cracked"``, ``"cracked"``, ``"紛失"``."""
    text = text.strip()
    for state, pattern in _STATE_WORDS:
        if pattern.match(text):
            if state not in ("failed", "lost"):
                return state, ""
            return state, _JUST.sub("", text, count=1) if _JUST.match(text) else text
    return None


def _put(result: Numbers, row: int, cell: str, meaning: object) -> None:
    if meaning is None:
        result.odd[row] = cell
    elif meaning == "error":
        result.excel_errors += 1
    elif isinstance(meaning, float):
        result.values[row] = meaning
        result.stated += 1
    elif isinstance(meaning, tuple) and isinstance(meaning[0], str):
        result.words[row] = meaning
    elif isinstance(meaning, tuple):
        if result.uncertainty is None:
            result.uncertainty = np.full(len(result.values), np.nan)
        result.values[row], result.uncertainty[row] = meaning
        result.stated += 1
