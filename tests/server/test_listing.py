"""If these fail, somebody who pages through a list misses a measurement, sees one twice, or learns of another's."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.server.catalogue import Catalogue, entry

from zairyo.measurement import Quantity
from zairyo.server import models
from zairyo.server.access import Visible
from zairyo.server.search import language, listing
from zairyo.server.search.language import Query, QueryError

ORDERS = [sign + key for key in listing._ORDERS for sign in ("", "-")]
TITLES = (
    "",
    "b",
    "B",
    "a",
    "Ä",
    "ä",
    "Ω",
    "薄膜",
    "ファ",
    "b",
    "b ",
    "_",
    "%",
    "z" * 150,
    "z" * 150 + "a",
    "\U0001f600",
)
SAMPLES = ("", "LCO-12", "lco-12", "試料")
MOMENTS = (None, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC))


@pytest.fixture
def projects(world: Any) -> list[models.Project]:
    return [world.project(slug) for slug in ("a", "b", "hidden")]


def fill(world: Any, catalogue: Catalogue, projects: list[models.Project]) -> set[int]:
    """Measurements that differ little, spread over the projects; ids of those in the first two."""
    instruments = [world.instrument("xrd", projects[0]), world.instrument("TGA", projects[1]), None]
    for i, title in enumerate(TITLES * 2):
        catalogue.add(
            projects[i % 3],
            [entry(technique=("tga", "dsc")[i % 2])] if i % 5 else None,
            title=title,
            sample=SAMPLES[i % 4],
            measured_at=MOMENTS[i % 3],
            instrument=instruments[i % 3],
        )
    return {m.id for m in catalogue.made if m.project_id != projects[2].id}


def pages(world: Any, visible: Visible, sort: str, q: str = "", limit: int = 3) -> Any:
    """Page after page, as a client asks for them."""
    cursor = ""
    while True:
        with world.db.read() as session:
            page = listing.list_page(
                session, language.parse(q), visible, sort=sort, cursor=cursor, limit=limit
            )
        yield page
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def test_paging_shows_every_row_once_in_every_order(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    """Ties, missing times, case and scripts that the engines sort each in its own way."""
    mine = fill(world, catalogue, projects)
    visible = Visible((projects[0].id, projects[1].id))
    for sort, q, seen in itertools.product(
        ORDERS, ("", "run", "temperature>300", "state:translated run"), (visible, Visible((projects[1].id,)))
    ):
        ids = [row.measurement.id for page in pages(world, seen, sort, q) for row in page.rows]
        with world.db.read() as session:
            whole = listing.list_page(session, language.parse(q), seen, sort=sort, limit=200)
        assert ids == [row.measurement.id for row in whole.rows], (sort, q)
        assert len(set(ids)) == len(ids) == whole.total, (sort, q)
        if q in ("", "run") and seen is visible:
            assert set(ids) == mine, (sort, q)


def test_descending_is_ascending_backwards(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    fill(world, catalogue, projects)
    visible = Visible(tuple(p.id for p in projects))
    for key in listing._ORDERS:
        up, down = (
            [row.measurement.id for page in pages(world, visible, sign + key, limit=200) for row in page.rows]
            for sign in ("", "-")
        )
        assert up == down[::-1], key


def test_what_each_order_is_by(world: Any, catalogue: Catalogue, projects: list[models.Project]) -> None:
    early, late = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    one = catalogue.add(projects[0], [entry(technique="xrd")], title="b", sample="A", measured_at=late)
    two = catalogue.add(projects[0], [entry(technique="dsc")], title="A", sample="b", measured_at=early)
    visible = Visible((projects[0].id,))
    expected = {
        "received_at": (one, two),
        "measured_at": (two, one),
        "title": (two, one),
        "sample": (one, two),
    }
    expected["technique"] = (two, one)
    for key, order in expected.items():
        [page] = pages(world, visible, key)
        assert [row.measurement.id for row in page.rows] == [m.id for m in order], key


def test_pages_stay_right_while_measurements_arrive(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    for sort in ORDERS:
        before = {catalogue.add(projects[0], title=t, sample=s).id for t in ("b", "d") for s in ("x", "y")}
        seen: list[int] = []
        for page in pages(world, Visible((projects[0].id,)), sort, limit=1):
            seen += [row.measurement.id for row in page.rows]
            if len(seen) < 12:
                catalogue.add(projects[0], title="aceg"[len(seen) % 4], sample="z")
        assert len(set(seen)) == len(seen), sort
        assert before <= set(seen), sort


@pytest.mark.parametrize(
    "said",
    [
        "x",
        "!!!!",
        "é",
        "\x00",
        "A" * 3000,
        ["-received_at", 1],
        ["-received_at", 1, "2"],
        ["-received_at", 1, 2**63],
        ["-received_at", 1, -1],
        ["-received_at", 1, True],
        ["title", "a", 1],
        {"a": 1},
        None,
        1e400,
    ],
)
def test_a_cursor_that_no_list_gave_is_refused(world: Any, projects: list[models.Project], said: Any) -> None:
    cursor = said if isinstance(said, str) else base64.urlsafe_b64encode(json.dumps(said).encode()).decode()
    visible = Visible((projects[0].id,))
    with world.db.read() as session, pytest.raises(QueryError, match="begin again") as error:
        listing.list_page(session, Query(), visible, cursor=cursor)
    assert error.value.field == "cursor"


@pytest.mark.parametrize("place", ["x", "2026-01-01", 5, None, ["a"], "0001-01-01T00:00:00+00:00", "a\x00"])
def test_a_place_that_is_none_is_refused(world: Any, projects: list[models.Project], place: Any) -> None:
    visible = Visible((projects[0].id,))
    cursor = listing.cursor_at("measured_at", place, 1)
    with world.db.read() as session, pytest.raises(QueryError):
        listing.list_page(session, Query(), visible, sort="measured_at", cursor=cursor)


def test_an_order_that_is_none_is_refused(world: Any, projects: list[models.Project]) -> None:
    for sort in ("", "-", "uid", "title; DROP", "--title"):
        with world.db.read() as session, pytest.raises(QueryError, match="There is no order") as error:
            listing.list_page(session, Query(), Visible((projects[0].id,)), sort=sort)
        assert error.value.field == "sort"


def test_counting_ends_somewhere(
    world: Any, catalogue: Catalogue, projects: list[models.Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_COUNTED", 2)
    visible = Visible((projects[0].id,))
    for expected in ((0, True), (1, True), (2, True), (2, False), (2, False)):
        [page] = pages(world, visible, "-received_at", limit=50)
        assert (page.total, page.total_is_exact) == expected
        catalogue.add(projects[0])


def test_rows_tell_how_much_there_is_without_reading_it(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    catalogue.add(projects[0], [entry("one"), entry("two", comment=Quantity("x"))], warnings=("careful",))
    catalogue.add(projects[0])
    with world.db.read() as session:
        page = listing.list_page(session, Query(), Visible((projects[0].id,)), sort="received_at")
        assert [(row.entries, row.warnings) for row in page.rows] == [(2, 1), (0, 0)]
        assert "entries" not in page.rows[0].measurement.translation.__dict__


def test_more_projects_than_are_asked_one_by_one(
    world: Any, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few projects stand by name in the full-text query, many only in the condition on the rows."""
    from zairyo.server.search import sql

    projects = [world.project(f"p{i}") for i in range(4)]
    ids = [catalogue.add(p, title="quartz").id for p in projects for _ in range(2)]
    few = Visible(tuple(p.id for p in projects[:3]))
    for most in (32, 2):
        monkeypatch.setattr(sql, "FEW_PROJECTS", most)
        for q in ("", "quartz"):
            found = [r.measurement.id for page in pages(world, few, "-received_at", q) for r in page.rows]
            assert found == ids[5::-1], (most, q)
