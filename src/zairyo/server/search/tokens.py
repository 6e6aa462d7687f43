"""Text into the tokens of the full-text index, the same on SQLite and PostgreSQL.

Neither engine splits Japanese into words, and each splits ``LCO-12_v2.xrdml`` its own way. So the splitting
is done here: Unicode-normalised, case-folded, runs of letters and digits as words; runs of Chinese and
Japanese characters as overlapping pairs, so that any two characters in a row are found.
"""

from __future__ import annotations

import re
import unicodedata

_CJK = r"\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
_LONGEST = 60


def tokenise(text: str) -> list[str]:
    """The tokens of a text to be indexed, in order."""
    tokens: list[str] = []
    for run in _runs(text):
        if not run.isascii() and is_cjk(run):
            # The last character stands alone too, so that it is found by itself, and before what follows it.
            tokens += [run[i : i + 2] for i in range(len(run))]
        else:
            tokens.append(run[:_LONGEST])
    return tokens


def query_tokens(text: str) -> list[str]:
    """The tokens that must follow each other in a text for this to be found in it.

    As :func:`tokenise`, but a Japanese word at the end may go on in the text.
    """
    tokens = tokenise(text)
    return tokens[:-1] if len(tokens) > 1 and is_pair(tokens[-2]) else tokens


def is_cjk(token: str) -> bool:
    """Whether it is of Chinese and Japanese characters."""
    return bool(_IS_CJK.match(token))


def is_pair(token: str) -> bool:
    """Whether the token is a whole pair of Chinese or Japanese characters (never a prefix of a longer word)."""
    return len(token) == 2 and is_cjk(token)


def _runs(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    # After NFKC the micro sign is a Greek mu already; accents go, so that "Néel" is found by "neel".
    plain = "".join(c for c in unicodedata.normalize("NFD", folded) if c < "\x80" or not _is_accent(c))
    return _RUN.findall(unicodedata.normalize("NFC", plain))


def _is_accent(character: str) -> bool:
    # The Japanese voicing marks U+3099, U+309A belong to their letter.
    return unicodedata.combining(character) > 0 and character not in "\u3099\u309a"
