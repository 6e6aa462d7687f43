"""Fonts of plots: no letter of a Japanese name is an empty box where the machine has a font with it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

#: Fonts with Japanese letters: of Linux, Windows, macOS.
_JAPANESE = (
    "Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "IPAexGothic", "IPAGothic", "TakaoGothic", "BIZ UDGothic",
    "Yu Gothic", "Meiryo", "MS Gothic", "Hiragino Sans", "Hiragino Kaku Gothic ProN",
)  # fmt: skip


def fonts(**more: Any) -> AbstractContextManager[None]:
    """A context in which what Matplotlib writes falls back to a Japanese font; ``more`` are further settings."""
    import matplotlib
    from matplotlib.font_manager import get_font_names

    there = set(get_font_names())
    japanese = next(([name] for name in _JAPANESE if name in there), [])
    usual = [name for name in matplotlib.rcParams["font.family"] if name not in japanese]
    settings: Any = {"font.family": [*usual, *japanese], **more}
    return matplotlib.rc_context(settings)
