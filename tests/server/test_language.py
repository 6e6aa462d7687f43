"""If these fail, a search finds something else than was written, or answers a slip of the pen with a riddle."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zairyo.server.search.language import Query, QueryError, Range, moment, parse, parse_where
from zairyo.server.search.tokens import query_tokens, tokenise
from zairyo.server.search.vocabulary import CONDITION_NAMES, known_names, usual_unit


def one(text: str) -> Range:
    query = parse(text)
    [found] = query.ranges
    assert query == Query(ranges=(found,)), "nothing else is left over"
    return found


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("temperature>300 degC", 573.15, math.inf),
        ("temperature > 300 degC", 573.15, math.inf),
        ("temperature>300degC", 573.15, math.inf),
        ("temperature > 300 °C", 573.15, math.inf),
        ("temperature>300℃", 573.15, math.inf),
        ("Temperature>=300", 573.15, math.inf),
        ("temperature ≥ 300K", 300.0, math.inf),
        ("temperature＞３００　Ｋ", 300.0, math.inf),
        ("temperature<-50.5 degC", -math.inf, 222.65),
        ("temperature<−50.5 degC", -math.inf, 222.65),
        ("temperature<=3e2 K", -math.inf, 300.0),
        ("temperature=10..20 degC", 283.15, 293.15),
        ("temperature = 20 .. 10 degC", 283.15, 293.15),
        ("xray_tube_voltage=40 kV", 39.5e3, 40.5e3),
        ("xray_tube_voltage=40", 39.5e3, 40.5e3),
        ("xray_tube_voltage=40.0kV", 39.95e3, 40.05e3),
        ("xray_tube_voltage=4e1 kV", 35e3, 45e3),
        ("heating_rate=10 K/min", 9.5 / 60, 10.5 / 60),
    ],
)
def test_comparisons(text: str, low: float, high: float) -> None:
    found = one(text)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.name == text.split(">")[0].split("<")[0].lower().split("=")[0].split(" ")[0].split("＞")[0]


def test_a_limit_is_in_or_out_whatever_its_unit() -> None:
    """0.15 nm and 1.5 Å are one length though their floats differ."""
    above, from_ = one("wavelength>0.15 nm"), one("wavelength>=0.15 nm")
    below, to = one("wavelength<0.15 nm"), one("wavelength<=0.15 nm")
    for length in (0.15e-9, 1.5e-10, 1.5 * 1e-10):
        assert not length >= above.low
        assert length >= from_.low
        assert not length <= below.high
        assert length <= to.high
    assert above.low < 1.5001e-10


def test_all_kinds_of_parts_at_once() -> None:
    query = parse(
        'quartz xray_tube_voltage=40 technique:xrd "as cast" Technique:RAMAN sample:"LCO 12" temperature > 300 degC '
        "after:2026-01 before:2026-02-15"
    )
    assert query.words == ("quartz",)
    assert query.phrases == ("as cast",)
    assert query.filters == {"technique": ("xrd", "RAMAN"), "sample": ("LCO 12",)}
    assert [r.label for r in query.ranges] == ["xray_tube_voltage = 40 kV", "temperature > 300 degC"]
    assert (query.after, query.before) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 2, 15, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "text",
    [
        "LCO-12_v2.xrdml",
        "12:30",
        "https://example.org/a:b",
        "C:\\data\\run.txt",
        "a/b",
        "300",
        "(Li,Co)O2",
        "<x>",
    ],
)
def test_what_is_plain_text_stays_a_word(text: str) -> None:
    assert parse(text) == Query(words=(text,))


@pytest.mark.parametrize(
    ("text", "says", "token", "code"),
    [
        (
            "x temperature>300 degX",
            "'degX' is not known. Did you mean",
            "temperature>300 degX",
            "unknown_unit",
        ),
        (
            "temperature>300 quartz",
            "A word to search for after a number goes in quotes",
            "quartz",
            "unknown_unit",
        ),
        (
            "xray_tube_voltage>40 mA",
            "xray_tube_voltage is measured in kV",
            "xray_tube_voltage>40 mA",
            "invalid",
        ),
        ("temperatur>300", "Did you mean temperature", "temperatur>300", "invalid"),
        ("tube_voltage>3", "xray_tube_voltage", "tube_voltage>3", "invalid"),
        ("qqqq>300", "There is no condition 'qqqq'", "qqqq>300", "invalid"),
        ("atmosphere>3", "atmosphere is text", "atmosphere>3", "invalid"),
        (
            "temperature>",
            "a number is missing; write for example temperature>300 degC",
            "temperature>",
            "invalid",
        ),
        ("temperature>hot", "'hot' is not a number", "temperature>hot", "invalid"),
        ("temperature>1..3", "written with =", "temperature>1..3", "invalid"),
        ("temperature>1e999", "too large", "temperature>1e999", "invalid"),
        ("tecnique:xrd", "Did you mean technique", "tecnique:xrd", "invalid"),
        ("sample: x", "for example sample:LCO-12", "sample:", "invalid"),
        ("after:yesterday", "after:2026-01", "after:yesterday", "invalid"),
        ("before:2026-13", "before:2026-01", "before:2026-13", "invalid"),
        ("after:0001-01-01T00:00:00+23:59", "is not a date", "after:0001", "invalid"),
        ("a\x00b", "NUL", "x00", "invalid"),
        ("x" * 2001, "2000 characters", "xxx", "invalid"),
        ("a " * 60, "50 parts", "a", "invalid"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_write(text: str, says: str, token: str, code: str) -> None:
    with pytest.raises(QueryError) as error:
        parse(text)
    assert says in str(error.value)
    assert token in error.value.token
    assert error.value.code == code


def test_sliders_send_comparisons_alone() -> None:
    assert parse_where(["temperature=10..20 degC"]) == (one("temperature=10..20 degC"),)
    for wrong in ("quartz", "temperature>3 and more", "technique:xrd", ""):
        with pytest.raises(QueryError, match="comparison"):
            parse_where([wrong])


def test_dates() -> None:
    assert moment("after", "2026") == datetime(2026, 1, 1, tzinfo=UTC)
    assert moment("after", "2026-01-31T09:00+09:00") == datetime(2026, 1, 31, tzinfo=UTC)
    week_ago = moment("after", "7d")
    assert timedelta(days=7) <= datetime.now(UTC) - week_ago < timedelta(days=7, minutes=5)


def test_a_facet_does_not_count_its_own_filter() -> None:
    query = parse("quartz technique:xrd sample:a").without("technique")
    assert query.filters == {"sample": ("a",)}
    assert query.words == ("quartz",)


def test_every_condition_with_a_unit_can_be_compared() -> None:
    for name in known_names():
        assert one(f"{name}>1 {usual_unit(name)}").name == name
    assert {"temperature", "xray_tube_voltage"} <= CONDITION_NAMES


PIECES = (
    *("temperature", "technique", "after", "degC", "K", "µ", "%", "1/", "300", "..", "1e", "2026", "d", "３"),
    *(">", "=", "<", "≥", "＞", ":", '"', "*", "-", "(", "\\", "'", " ", "\u3000", "NEAR", "AND"),
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(PIECES),
            max_size=12,
        ).map("".join),
    )
)
def test_any_text_is_a_query_or_a_clear_error(text: str) -> None:
    try:
        query = parse(text)
    except QueryError as e:
        query, said = Query(), str(e)
    else:
        said = "nothing wrong"
    assert said
    assert all(r.low <= r.high and not math.isnan(r.low) for r in query.ranges)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("LCO-12_v2.xrdml", "lco-12"),
        ("Néel temperature", "NEEL"),
        ("ＬＣＯ", "lco"),
        ("ｶﾞｽ", "ガス"),
        ("X線回折装置", "回折"),
        ("酸化コバルト", "化"),
        ("測定XRD", "測定XRD"),
        ("粉末測定-XRD", "測定XRD"),
        ("試料・基板", "基板"),
        ("Straße", "strasse"),
        ("μm µm", "µm μm"),
    ],
)
def test_words_are_found_in_text(text: str, asked: str) -> None:
    """The tokens asked for stand in the text in a row."""
    there, wanted = tokenise(text), query_tokens(asked)
    assert wanted
    starts = [there[i : i + len(wanted)] for i in range(len(there))]
    assert any(s[:-1] == wanted[:-1] and s[-1:] and s[-1].startswith(wanted[-1]) for s in starts)


@given(st.text(max_size=80))
def test_any_text_is_found_by_itself(text: str) -> None:
    there, wanted = tokenise(text), query_tokens(text)
    assert there[: len(wanted)] == wanted
    assert all(token.isalnum() for token in there), "nothing that ends a quote in a full-text query"
