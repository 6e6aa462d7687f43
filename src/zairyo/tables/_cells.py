"""Cells of text as numbers: decimal commas, thousands, ``1.2 ± 0.1``, and the words that people write instead."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zairyo.tables._base import Floats
from zairyo.tables._raw import RawColumn

#: States of a sample, in the order in which it goes through them; a code is the position here.
STATES = ("planned", "made", "measured", "failed", "lost")

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_IS_NUMBER = re.compile(_NUMBER)
_WITH_ERROR = re.compile(rf"\(?\s*({_NUMBER})\s*(?:±|\+/-|\+-)\s*({_NUMBER})\s*\)?")
_CONCISE = re.compile(r"([+-]?\d+(?:\.(\d+))?)\((\d+)\)")
#: ``1.2×10^-3``, ``1.2 x 10-3``; superscripts are written so before.
_POWER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*[×xX*·⋅]\s*10(?:\^\s*([+-]?\d+)|([+-]\d+))")
_SUPERSCRIPT = re.compile(r"(?<=10)[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_MISSING = frozenset(
    ("na", "n/a", "n.a.", "#n/a", "#na", "nan", "null", "none", "-", "--", "---", ".", "?", "missing", "blank", "nd",
     "n.d.", "tbd", "tba", "n.m.", "not measured", "not determined", "not available", "not measurable", "not detected",
     "未測定", "欠測", "なし", "ー", "不明", "測定不可", "測定不能", "検出せず", "不検出")
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
    ("planned", re.compile(r"(?:planned|pending|to ?do|予定|未実施|未着手)(?![a-z])", re.I)),
    ("made", re.compile(r"(?:made|synthesi[sz]ed|prepared|作製済|作成済)(?![a-z])", re.I)),
    ("measured", re.compile(r"(?:measured|done|ok|測定済|完了)(?![a-z])", re.I)),
)
_JUST = re.compile(r"(failed|failure|fail|lost|失敗|紛失)\s*[:：,;\-–—]*\s*", re.I)


#: Of a cell that is no plain number: a number, number and uncertainty, state and reason, "" or "error" for none.
Meaning: TypeAlias = "float | tuple[float, float] | tuple[str, str] | str | None"
#: If so many different cells are no numbers, and most of them no known words, it is a column of text.
_MOST_WORDS = 5000
_MOST_ODD = 1000


@dataclass
class Numbers:
    """A column as numbers.

    Attributes
    ----------
    values, uncertainty
        NaN where there is none; the uncertainty is None if no cell states one.
    words
        Row → state and reason, where a word stands in place of a number.
    odd, odd_count
        Row → text that is neither, of the first such rows; and how many there are.
    stated
        How many cells are numbers.
    excel_errors
        How many cells hold an error of a spreadsheet, such as ``#DIV/0!``.
    """

    values: Floats
    uncertainty: Floats | None = None
    words: dict[int, tuple[str, str]] = field(default_factory=dict)
    odd: dict[int, str] = field(default_factory=dict)
    odd_count: int = 0
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
    found = text.take(pa.array(rest)).dictionary_encode()
    distinct = found.dictionary.to_pylist()
    meanings: list[Meaning] = [meaning(cell, decimal) for cell in distinct[:_MOST_WORDS]]
    if len(distinct) > _MOST_WORDS and meanings.count(None) * 2 > _MOST_WORDS:
        # Texts, not words in place of numbers.
        result.odd = dict(
            zip(rest[:_MOST_ODD].tolist(), text.take(pa.array(rest[:_MOST_ODD])).to_pylist(), strict=True)
        )
        result.odd_count = len(rest)
        return result
    meanings += [meaning(cell, decimal) for cell in distinct[_MOST_WORDS:]]
    _put_all(result, rest, _array(found.indices), distinct, meanings)
    return result


def _array(values: Any) -> NDArray[Any]:
    return np.array(values.to_numpy(zero_copy_only=False))


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


def meaning(cell: str, decimal: str = ".") -> Meaning:
    """What one cell says: a number, (number, uncertainty), (state, reason), "" for missing, None if odd."""
    raised = _SUPERSCRIPT.sub(lambda found: f"^{found[0]}", cell)
    text = unicodedata.normalize("NFKC", raised).translate(str.maketrans("−–", "--")).strip()
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
    if match := _POWER.fullmatch(number):
        return float(f"{match[1]}e{match[2] or match[3]}")
    if match := _CONCISE.fullmatch(number):
        return float(match[1]), int(match[3]) * 10.0 ** -len(match[2] or "")
    if lower.lstrip("+-") in ("inf", "infinity", "∞"):
        return -np.inf if lower.startswith("-") else np.inf
    return state_of(cell)


def is_failure(text: str) -> bool:
    """Whether words begin by saying that a sample failed or was lost: ``"failed: cracked"``, ``"紛失"``."""
    return _JUST.match(text.strip()) is not None


def state_of(text: str) -> tuple[str, str] | None:
    """The state of a sample that words tell, and the reason: ``"failed: cracked"``, ``"cracked"``, ``"紛失"``."""
    text = text.strip()
    for state, pattern in _STATE_WORDS:
        if pattern.match(text):
            if state not in ("failed", "lost"):
                return state, ""
            return state, _JUST.sub("", text, count=1) if _JUST.match(text) else text
    return None


def _put_all(
    result: Numbers, rows: NDArray[Any], codes: NDArray[Any], distinct: list[str], meanings: list[Meaning]
) -> None:
    """Put what cells mean into their rows; ``codes`` says which of the distinct cells each row has."""
    order = np.argsort(codes, kind="stable")
    groups = np.split(rows[order], np.cumsum(np.bincount(codes, minlength=len(distinct)))[:-1])
    for cell, meaning, where in zip(distinct, meanings, groups, strict=False):
        if meaning is None:
            result.odd_count += len(where)
            if len(result.odd) < _MOST_ODD:
                result.odd |= dict.fromkeys(where[:_MOST_ODD].tolist(), cell)
        elif meaning == "error":
            result.excel_errors += len(where)
        elif isinstance(meaning, float):
            result.values[where] = meaning
            result.stated += len(where)
        elif isinstance(meaning, tuple) and isinstance(meaning[0], str):
            result.words |= dict.fromkeys(where.tolist(), (meaning[0], str(meaning[1])))
        elif isinstance(meaning, tuple):
            if result.uncertainty is None:
                result.uncertainty = np.full(len(result.values), np.nan)
            result.values[where], result.uncertainty[where] = meaning[0], float(meaning[1])
            result.stated += len(where)
    result.odd = dict(sorted(result.odd.items()))
