"""What a person sees of a measurement: what it is, and its plot; whatever is in the file."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tests.measurement.strategies import measurements

from zairyo.measurement import (
    Axis,
    Entry,
    Measurement,
    MeasurementError,
    Quantity,
    RawFile,
    Signal,
    Source,
    table,
)
from zairyo.measurement.show import describe, describe_html, plot

X = np.linspace(10, 80, 50)


def scan(technique: str = "xrd", axis: str = "two_theta", **rest: object) -> Entry:
    y = np.abs(np.sin(X)) * 100
    return Entry(
        "scan_1",
        technique,
        (Axis(axis, X, "deg", "2θ"),),
        (Signal("intensity", y, "counts", (axis,), uncertainty=np.sqrt(y)),),
        **rest,  # type: ignore[arg-type]
    )


def stack(n: int, technique: str = "raman") -> Entry:
    axes = (Axis("time", np.arange(float(n)), "s"), Axis("raman_shift", X, "1/cm"))
    return Entry(
        "stack", technique, axes, (Signal("i", np.ones((n, 50)) + X, "counts", ("time", "raman_shift")),)
    )


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    from matplotlib import pyplot

    before = matplotlib.get_backend()
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")
    pyplot.switch_backend(before)


def test_the_repr_says_what_it_is() -> None:
    entry = scan(
        conditions={"xray_tube_voltage": Quantity(45.0, "kV"), "goniometer_radius": Quantity(240.0, "mm")}
    )
    cycling = table(
        "t",
        "dsc",
        [Signal("time", np.arange(9.0), "s"), Signal("mass", np.ones(9), "mg")],
        x="time",
        default="mass",
    )
    source = Source("panalytical_xrdml", "3", (RawFile("a.xrdml", "0" * 64, 1),))
    m = Measurement((entry, cycling), "Quartz", "S-1", "X'Pert", warnings=("odd", "odder"), source=source)
    assert repr(m).splitlines() == [
        "Measurement: Quartz, X-ray diffraction",
        "  sample: S-1",
        "  instrument: X'Pert",
        "  read from: a.xrdml by panalytical_xrdml 3",
        "  [scan_1] (default)",
        f"    intensity[50] {entry.signal.values.min():.6g} … {entry.signal.values.max():.6g} counts "
        "over two_theta[50] 10 … 80 deg",
        "    xray tube voltage 45 kV",
        "  [t]",
        "    table of 9 rows × 2 columns",
        "    time[9] 0 … 8 s",
        "    mass[9] 1 mg",
        "  2 warnings: odd …",
    ]


class Tags(HTMLParser):
    """Collects tags, and that each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in ("br", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "path":
            assert self.open.pop() == tag


def test_html_shows_the_plot_and_escapes_what_the_file_says() -> None:
    evil = "<script>alert(1)</script>"
    entry = scan(title=evil, conditions={"detector": Quantity(evil), "omega": Quantity(1.0, evil)})
    m = Measurement((entry,), evil, evil, evil, evil, warnings=(evil,), source=Source(evil, evil))
    html = describe_html(m)
    tags = Tags()
    tags.feed(html)
    assert "svg" in tags.seen
    assert "script" not in tags.seen
    assert tags.open == []
    assert "currentColor" in html, "the plot takes the notebook's colour, light or dark"


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(measurements())
def test_any_measurement_has_a_repr(m: Measurement) -> None:
    assert describe(m).startswith("Measurement: ")
    tags = Tags()
    tags.feed(describe_html(m))
    assert tags.open == []
    assert set(tags.seen) <= {
        "div",
        "strong",
        "svg",
        "path",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "br",
    }


def test_a_line_with_its_uncertainty_and_units() -> None:
    ax = plot(scan())
    (line,) = ax.lines
    assert np.array_equal(line.get_xdata(), X)
    assert len(ax.collections) == 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("2θ (deg)", "intensity (counts)")
    assert not ax.xaxis_inverted()


def test_several_entries_overlay_and_the_axis_runs_as_in_the_field() -> None:
    ax = plot(scan("xps", "binding_energy"), log=True)
    assert plot(scan("xps", "binding_energy"), ax, color="red") is ax
    assert len(ax.lines) == 2
    assert ax.xaxis_inverted()
    assert ax.get_yscale() == "log"


def test_a_table_is_drawn_along_its_x() -> None:
    columns = [Signal("time", [0.0, 2.0], "s"), Signal("v", [3.0, 4.0], "V"), Signal("word", ["a", "b"])]
    entry = table("t", "battery_cycling", columns, x="time", default="v")
    ax = Measurement((entry,)).plot()
    assert ax.lines[0].get_xdata().tolist() == [0.0, 2.0]
    assert ax.get_xlabel() == "time (s)"
    with pytest.raises(MeasurementError, match="text"):
        plot(entry, signal="word")
    with pytest.raises(MeasurementError, match="no signal 'w'"):
        plot(entry, signal="w")


def test_few_spectra_are_lines_many_are_a_map() -> None:
    few = plot(stack(3))
    assert len(few.lines) == 3
    assert [t.get_text() for t in few.get_legend().get_texts()] == ["0 s", "1 s", "2 s"]
    many = plot(stack(20), log=True)
    assert len(many.collections) == 1
    assert many.figure.axes[1].get_ylabel() == "i (counts)"
    assert (many.get_xlabel(), many.get_ylabel()) == ("raman shift (1/cm)", "time (s)")
    assert len(plot(stack(3), lines=False).collections) == 1


def test_a_map_of_spectra_shows_the_mean_at_each_place() -> None:
    values = np.arange(3 * 4 * 5.0).reshape(3, 4, 5)
    axes = (
        Axis("y", np.arange(3.0), "um"),
        Axis("x", np.arange(4.0), "um"),
        Axis("raman_shift", np.arange(5.0)),
    )
    ax = plot(Entry("m", "raman", axes, (Signal("i", values, axes=("y", "x", "raman_shift")),)))
    shown = ax.collections[0].get_array()
    assert np.allclose(shown.reshape(3, 4), values.mean(axis=2))
    assert ax.get_xlabel() == "x (um)"


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(measurements())
def test_any_measurement_is_drawn_or_says_why_not(m: Measurement) -> None:
    from matplotlib import pyplot

    for log in (False, True):
        try:
            m.plot(log=log).figure.canvas.draw()
        except MeasurementError as e:
            assert "signal" in str(e)  # noqa: PT017
        finally:
            pyplot.close("all")
