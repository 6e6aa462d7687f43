"""If these fail, a person does not find a measurement that is there, or finds one that is not theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from tests.server.catalogue import Catalogue, curve, entry

from zairyo.measurement import Quantity
from zairyo.server import models
from zairyo.server.access import Visible
from zairyo.server.search import index, language, listing
from zairyo.server.search.facets import facets
from zairyo.server.search.language import QueryError
from zairyo.server.search.suggest import suggest


class Asked:
    """Searches as somebody who sees some projects."""

    def __init__(self, world: Any, *projects: models.Project) -> None:
        self.db = world.db
        self.visible = Visible(tuple(sorted(p.id for p in projects)))

    def titles(self, q: str) -> set[str]:
        with self.db.read() as session:
            page = listing.list_page(session, language.parse(q), self.visible)
            assert page.total == len(page.rows)
            return {row.measurement.title for row in page.rows}

    def wrong(self, table: Iterable[tuple[str, set[str]]]) -> list[tuple[str, set[str], set[str]]]:
        """Queries, what they should find and what they find, where that differs."""
        return [(q, found, got) for q, found in table if (got := self.titles(q)) != found]


@pytest.fixture
def project(world: Any) -> models.Project:
    made: models.Project = world.project("cathodes")
    return made


@pytest.fixture
def asked(world: Any, project: models.Project) -> Asked:
    return Asked(world, project)


WORDS_AND_FILTERS = (
    ("quartz", {"Quartz powder", "quartz 2"}),
    ("QUARTZ", {"Quartz powder", "quartz 2"}),
    ("quar", {"Quartz powder", "quartz 2"}),
    ('"quar"', set()),
    ("artz", set()),
    ("quartz powder", {"Quartz powder"}),
    ('"quartz powder"', {"Quartz powder"}),
    ('"powder quartz"', set()),
    ("powder quartz", {"Quartz powder"}),
    ("LCO-12", {"LCO-12 pristine"}),
    ("lco-1", {"LCO-12 pristine"}),
    ("lco12", set()),
    ("12-lco", set()),
    ("Neel", {"Néel temperature"}),
    ("薄膜", {"薄膜断面SEM"}),
    ("断面", {"薄膜断面SEM"}),
    ("面SEM", {"薄膜断面SEM"}),
    ("膜", {"薄膜断面SEM"}),
    ('"薄"', {"薄膜断面SEM"}),
    ("断膜", set()),
    ("run_secret.xrdml", {"quartz 2"}),
    ("2026/march", {"quartz 2"}),
    ("curie", {"LCO-12 pristine"}),
    ("thermogravimetry", {"Quartz powder"}),
    ("熱重量", {"Quartz powder"}),
    ("argon", {"Quartz powder"}),
    ("smart", {"Néel temperature"}),
    ("in", set()),
    ("i", set()),
    ("inproject", set()),
    ("... --- ...", {"Quartz powder", "quartz 2", "LCO-12 pristine", "Néel temperature", "薄膜断面SEM"}),
    ("state:not_translated quartz", {"quartz 2"}),
    ("technique:TGA", {"Quartz powder"}),
    ("technique:tga technique:xrd", {"Quartz powder", "LCO-12 pristine"}),
    ("sample:lco-12", {"LCO-12 pristine"}),
    ("sample:lco", set()),
    ("sample:lc*", {"LCO-12 pristine"}),
    ("sample:*_2", set()),
    ('operator:"marie curie"', {"LCO-12 pristine"}),
    ("instrument:smartlab-1", {"Néel temperature"}),
    ("instrument:SmartLab-1", {"Néel temperature"}),
    ("project:cathodes quartz", {"Quartz powder", "quartz 2"}),
    ("project:other", set()),
)


def test_words_and_filters(world: Any, catalogue: Catalogue, project: models.Project, asked: Asked) -> None:
    catalogue.add(project, [entry(atmosphere=Quantity("argon"))], title="Quartz powder")
    catalogue.add(project, title="quartz 2", path="2026/March/run_secret.xrdml")
    catalogue.add(project, [curve()], title="LCO-12 pristine", sample="LCO-12", operator="Marie Curie")
    catalogue.add(project, title="Néel temperature", instrument=world.instrument("smartlab-1", project))
    catalogue.add(project, title="薄膜断面SEM")
    assert asked.wrong(WORDS_AND_FILTERS) == []


NUMBERS_WITH_UNITS = (
    ("temperature>300 degC", {"a run to 900 °C", "at 600 K"}),
    ("temperature>300 K", {"a run to 900 °C", "at 600 K"}),
    ("temperature>298", {"a run to 900 °C", "at 600 K"}),  # °C, the usual unit
    ("temperature>298 K", {"a run to 900 °C", "at 600 K", "at 25.5 °C"}),
    ("temperature>900 degC", set()),
    ("temperature>=900 degC", {"a run to 900 °C"}),
    ("temperature<25 degC", set()),
    ("temperature<=25 degC", {"a run to 900 °C"}),
    ("temperature=25..26", {"a run to 900 °C", "at 25.5 °C"}),
    ("temperature=600 K", {"a run to 900 °C", "at 600 K"}),
    ("temperature=25.5", {"a run to 900 °C", "at 25.5 °C"}),
    ("mass<12 mg", {"a run to 900 °C"}),
    ("mass>0.021 g", set()),
    ("two_theta>79 deg", {"at 600 K", "at 25.5 °C", "unknown unit"}),
    ("xray_tube_voltage=40 kV", {"at 600 K"}),
    ("xray_tube_voltage>=40000 V temperature<601 K", {"at 600 K"}),
    ("thermogravimetry temperature>300 degC", {"a run to 900 °C"}),
)


def test_numbers_with_units(catalogue: Catalogue, project: models.Project, asked: Asked) -> None:
    """A range that a signal went through is found like a value that was set."""
    catalogue.add(project, [entry()], title="a run to 900 °C")
    hot = curve(temperature=Quantity(600, "K"), xray_tube_voltage=Quantity(40, "kV"))
    catalogue.add(project, [hot], title="at 600 K")
    catalogue.add(project, [curve(temperature=Quantity(25.5, "degC"))], title="at 25.5 °C")
    catalogue.add(project, [curve(temperature=Quantity(400, "no unit"))], title="unknown unit")
    catalogue.add(project, title="not translated")
    assert asked.wrong(NUMBERS_WITH_UNITS) == []


def test_many_that_meet_a_condition_are_found_as_well_as_few(
    catalogue: Catalogue, project: models.Project, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few are asked for first, many are tested one by one: both ways give the same."""
    from zairyo.server.search import sql

    for i in range(6):
        catalogue.add(project, [curve(temperature=Quantity(100.0 * i, "degC"))], title=f"{i}")
    expected = {"3", "4", "5"}
    assert asked.titles("temperature>250") == expected
    monkeypatch.setattr(sql, "_FEW_ROWS", 1)
    assert asked.titles("temperature>250") == expected
    assert asked.titles("temperature=90..110") == {"1"}
    assert asked.titles("temperature>250 temperature<350") == {"3"}


def test_measured_when(catalogue: Catalogue, project: models.Project, asked: Asked) -> None:
    catalogue.add(project, title="old", measured_at=language.moment("after", "2020-05-05"))
    catalogue.add(project, title="unknown")
    assert asked.titles("after:2020-05-05 before:2020-05-06") == {"old"}
    assert asked.titles("before:2020-05-05") == set()
    assert asked.titles("after:1d") == {"unknown"}, "when it came in stands for when it was measured"


def test_a_later_version_hides_the_earlier(
    catalogue: Catalogue, project: models.Project, asked: Asked
) -> None:
    catalogue.add(project, title="powder one", superseded=True)
    catalogue.add(project, title="powder two", version=2)
    assert asked.titles("powder") == asked.titles("") == {"powder two"}


def test_indexing_again_forgets_what_was(
    world: Any, catalogue: Catalogue, project: models.Project, asked: Asked
) -> None:
    measurement = catalogue.add(project, [entry()], title="quartz", sample="A")
    with world.db.write() as session:
        measurement = session.get_one(models.Measurement, measurement.id)
        measurement.title = "corundum"
        index.index_measurement(session, measurement, None, [])
    assert asked.titles("quartz") == asked.titles("temperature>300") == set()
    assert asked.titles("corundum") == {"corundum"}
    with world.db.read() as session:
        assert session.scalar(select(func.count()).select_from(models.ConditionValue)) == 0


def test_a_map_with_a_thousand_stage_positions_is_one_interval(
    world: Any, catalogue: Catalogue, project: models.Project
) -> None:
    entries = [
        entry(name=f"e{i}", heating_rate=Quantity(float(i), "K/min"), comment=Quantity(True))
        for i in range(40)
    ]
    catalogue.add(project, entries)
    with world.db.read() as session:
        rows = session.execute(
            select(models.ConditionValue.si * 60, models.ConditionValue.si_max * 60).where(
                models.ConditionValue.name == "heating_rate"
            )
        ).all()
    assert rows == [(0, pytest.approx(39))]


HOSTILE = (
    "' OR 1=1 --", '"; DROP TABLE measurement; --', 'a" OR "b', "NEAR(a b)", "a NOT b", "AND", "OR OR", "*", "^a",
    "tokens : a", "{tokens} : a", "-a", "a*b", "!a", "a & b | !c", "a:*", "<->", "(", "((((", "\\", "\\'", "%", "_",
    "sample:%", "sample:_", "sample:\\", "sample:'", "operator:*%_\\*", "technique:'", "instrument:;", "project:--",
    "\ue0001", "\ue000", "\u202e", "\U0001f600", "a\u0301", "ß", "İ", "ﬀ", "ǰ", "𠮷野家", "กำ", "हिन्दी", "x" * 1999,
)  # fmt: skip


def test_nothing_in_a_query_is_taken_for_a_command(
    world: Any, catalogue: Catalogue, project: models.Project, asked: Asked
) -> None:
    catalogue.add(project, [entry()], title="quartz")
    foreign = world.project("foreign")
    catalogue.add(foreign, title="a b c tokens not or and near quartz")
    for q in HOSTILE:
        try:
            assert asked.titles(q) <= {"quartz"}, q
        except QueryError:
            continue
    assert asked.titles("quartz") == {"quartz"}


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(
    st.one_of(
        st.text(max_size=30),
        st.lists(
            st.sampled_from(
                ['"', "*", " ", "AND", "NOT", "(", ")", ":", "'", "&", "|", "!", "\\", "^", "-", "+"]
            )
            | st.characters(),
            max_size=10,
        ).map("".join),
        st.builds(
            "{}{}{}".format,
            st.sampled_from(["sample:", "operator:", "instrument:", "project:", "technique:"]),
            st.sampled_from(["", '"']),
            st.text(max_size=20),
        ),
    )
)
def test_any_text_finds_something_or_says_why_not(world: Any, asked: Asked, q: str) -> None:
    """Never an error of the database."""
    try:
        query = language.parse(q)
    except QueryError:
        return
    with world.db.read() as session:
        listing.list_page(session, query, asked.visible)
        facets(session, query, asked.visible)
        suggest(session, language.checked(q), asked.visible)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60))
def test_whatever_the_title_is_it_is_found_by_it(
    world: Any, catalogue: Catalogue, project: models.Project, asked: Asked, title: str
) -> None:
    """Both engines keep the tokens as they are; one that splits or folds them on its own finds nothing."""
    measurement = catalogue.add(project, title=title)
    query = language.Query(words=(title,))
    with world.db.read() as session:
        found = listing.list_page(session, query, asked.visible, limit=200)
    assert measurement.id in {row.measurement.id for row in found.rows}


def test_the_full_text_index_holds_tokens_only_of_letters_and_digits(
    world: Any, catalogue: Catalogue, project: models.Project
) -> None:
    """What ends a quote in PostgreSQL's text form of its vectors would be an injection at indexing."""
    catalogue.add(project, title="it's 'quoted':1,2 \\ and \"so\" -- ; $$ {x}")
    with world.db.read() as session:
        stored = session.scalar(text("SELECT CAST(tokens AS text) FROM search_text"))
    assert stored.count("quoted") == 1


def test_somebody_without_a_project_asks_the_tables_nothing(world: Any, catalogue: Catalogue) -> None:
    """A list over no project once took 45 s of a large catalogue."""
    catalogue.add(world.project("a"), title="quartz")
    asked = Asked(world)
    statements: list[str] = []
    from sqlalchemy import event

    event.listen(world.db.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    for q in ("", "quartz", "temperature>3", "project:a", "sample:x"):
        assert asked.titles(q) == set()
        with world.db.read() as session:
            assert facets(session, language.parse(q), asked.visible).numeric == []
            assert suggest(session, "sample:", asked.visible) == []
    assert not [s for s in statements if "measurement" in s or "search_text" in s]
