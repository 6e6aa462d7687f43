"""A Japanese sample's name must not be a row of empty boxes."""

from __future__ import annotations

import matplotlib
import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure

from zairyo.measurement._fonts import fonts


def test_plots_fall_back_to_a_japanese_font_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(matplotlib.rcParams["font.family"])
    monkeypatch.setattr(font_manager, "get_font_names", lambda: ["DejaVu Sans", "Meiryo", "MS Gothic"])
    with fonts():
        label = Figure().subplots().set_xlabel("保磁力")
    assert label.get_fontfamily() == [*before, "Meiryo"]
    assert list(matplotlib.rcParams["font.family"]) == before
    monkeypatch.setattr(font_manager, "get_font_names", lambda: ["DejaVu Sans"])
    with fonts():
        assert list(matplotlib.rcParams["font.family"]) == before
