"""The columns of words in a table of text whose other columns are numbers."""

from __future__ import annotations

from operator import itemgetter

import numpy as np

from zairyo.measurement.model import Array

#: Letters of a cell that is cut out of the text together with the others of its column.
_WIDEST = 40


def words_of(
    text: str, rows: list[str], delimiter: str, count: int, words: list[int]
) -> dict[int, list[str]]:
    """Some columns' cells, without blanks around them.

    Parameters
    ----------
    text, rows
        The table of ``count`` columns as one text, and its rows, each of at least as many cells as are asked for.
    delimiter
        Between cells; a blank is any white space.
    words
        Which columns; ascending, at least one.
    """
    cut = _cut_words(text, len(rows), delimiter, count, words)
    return _split_words(rows, None if delimiter == " " else delimiter, words) if cut is None else cut


def _cut_words(
    text: str, rows: int, delimiter: str, count: int, words: list[int]
) -> dict[int, list[str]] | None:
    """Some columns' cells, cut out of a text of so many rows and columns; None where that cannot be told by bytes.

    Many columns hold the same in every row, a unit or nothing; and few cells have blanks around them.
    """
    if delimiter == " " or not text.isascii() or "\0" in text:
        return None
    letters = np.frombuffer(text.encode(), np.uint8)
    gaps = np.flatnonzero(letters == ord(delimiter))
    lines = np.flatnonzero(letters == ord("\n"))
    if len(gaps) != rows * (count - 1) or len(lines) != rows - 1:
        return None
    marks = gaps.reshape(rows, count - 1)
    if (marks[1:, 0] < lines).any() or (marks[:-1, -1] > lines).any():
        return None
    found = {}
    for k in words:
        begin = marks[:, k - 1] + 1 if k else np.append(0, lines + 1)
        end = marks[:, k].copy() if k < count - 1 else np.append(lines, len(letters))
        found[k] = _cut(text, letters, begin, end)
    return found


def _cut(text: str, letters: Array, begin: Array, end: Array) -> list[str]:
    """The texts from ``begin`` to ``end``, shape (rows,) each, without blanks around them."""
    lengths = end - begin
    widest = int(lengths.max())
    blocks = int(np.searchsorted(begin, len(letters) - widest)) if widest <= _WIDEST else 0
    cells = [text[i:j] for i, j in zip(begin[blocks:].tolist(), end[blocks:].tolist(), strict=True)]
    if blocks:
        block = np.lib.stride_tricks.sliding_window_view(letters, widest + 1)[begin[:blocks]]
        if lengths[:blocks].min() < widest:
            block[np.arange(widest + 1) >= lengths[:blocks, None]] = 0  # which stands nowhere in the text
        elif (block[:, :-1] == block[0, :-1]).all():
            return [text[begin[0] : end[0]].strip()] * blocks + list(map(str.strip, cells))
        block[:, -1] = ord("\n")
        cells = block.tobytes().translate(None, b"\0").decode().split("\n")[:-1] + cells
    filled = lengths > 0
    outermost = letters[np.append(begin[filled], end[filled] - 1)]
    return list(map(str.strip, cells)) if (outermost <= ord(" ")).any() else cells


def _split_words(rows: list[str], mark: str | None, words: list[int]) -> dict[int, list[str]]:
    """As :func:`_cut_words`, for any text."""
    pick = itemgetter(*words, words[0])  # twice, so that it gives a tuple of one, too
    chosen = zip(*(pick(row.split(mark, words[-1] + 1)) for row in rows), strict=True)
    return {k: list(map(str.strip, cells)) for k, cells in zip(words, chosen, strict=False)}
