"""If these fail, the filters beside a list count wrongly, or count what the person may not see."""

from __future__ import annotations

from typing import Any

import pytest
from tests.server.catalogue import Catalogue, curve, entry

from zairyo.measurement import Quantity
from zairyo.server import models
from zairyo.server.access import Visible
from zairyo.server.search import facets as module
from zairyo.server.search import language
from zairyo.server.search.facets import Facets, Numeric, facets
from zairyo.server.search.listing import list_page
from zairyo.server.search.suggest import suggest


@pytest.fixture
def projects(world: Any) -> list[models.Project]:
    return [world.project(slug) for slug in ("a", "b", "hidden")]


def ask(world: Any, q: str, *projects: models.Project) -> Facets:
    with world.db.read() as session:
        return facets(session, language.parse(q), Visible(tuple(sorted(p.id for p in projects))))


def counts(found: Facets, key: str) -> dict[str, int]:
    return {v.value: v.count for v in found.values[key]}


def numeric(found: Facets, name: str) -> Numeric:
    [one] = [n for n in found.numeric if n.name == name]
    return one


def test_values_with_counts(world: Any, catalogue: Catalogue, projects: list[models.Project]) -> None:
    xrd = world.instrument("xrd-1", projects[0])
    for _ in range(3):
        catalogue.add(projects[0], [curve()], sample="LCO", operator="Marie", instrument=xrd)
    catalogue.add(projects[1], [entry()], sample="NMC")
    catalogue.add(projects[1], title="broken")
    catalogue.add(projects[1], [entry()], sample="NMC", superseded=True)
    catalogue.add(projects[2], [entry("e", "dsc")], sample="hidden", operator="Hidden")
    found = ask(world, "", *projects[:2])
    assert counts(found, "technique") == {"xrd": 3, "tga": 1}
    assert counts(found, "instrument") == {"xrd-1": 3}
    assert counts(found, "project") == {"a": 3, "b": 2}
    assert counts(found, "sample") == {"LCO": 3, "NMC": 1}
    assert counts(found, "state") == {"translated": 4, "not_translated": 1}
    assert counts(found, "operator") == {"Marie": 3}
    assert [(v.label, v.label_ja) for v in found.values["technique"]][1] == ("TGA", "熱重量測定")
    assert [v.label for v in found.values["instrument"]] == ["XRD-1"]
    assert found.sampled is False


def test_a_facet_counts_as_if_it_alone_were_not_chosen(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    catalogue.add(projects[0], [curve()], sample="LCO", title="x")
    catalogue.add(projects[0], [entry()], sample="LCO", title="y")
    catalogue.add(projects[1], [entry()], sample="NMC", title="y")
    found = ask(world, "technique:xrd", *projects)
    assert counts(found, "technique") == {"xrd": 1, "tga": 2}
    assert counts(found, "sample") == {"LCO": 1}
    found = ask(world, "technique:tga sample:LCO y", *projects)
    assert counts(found, "technique") == {"tga": 1}
    assert counts(found, "sample") == {"LCO": 1, "NMC": 1}
    assert counts(ask(world, "project:a", *projects), "project") == {"a": 2, "b": 1}
    assert counts(ask(world, "sample:nothing", *projects), "sample") == {"LCO": 2, "NMC": 1}
    assert ask(world, "sample:nothing", *projects).numeric == []


def test_histograms_in_the_unit_people_use(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    for kilovolt in (30, 40, 40, 45):
        catalogue.add(projects[0], [curve(xray_tube_voltage=Quantity(kilovolt * 1000, "V"))])
    found = numeric(ask(world, "", projects[0]), "xray_tube_voltage")
    assert (found.unit, found.low, found.high, found.count) == ("kV", 30.0, 45.0, 4)
    assert found.title == "X-ray tube voltage"
    assert (len(found.histogram), found.histogram[0].low, found.histogram[-1].high) == (24, 30.0, 45.0)
    assert [b.count for b in found.histogram if b.count] == [1, 2, 1]
    [at_40] = [b for b in found.histogram if b.count == 2]
    assert at_40.low <= 40 < at_40.high
    above = numeric(ask(world, "xray_tube_voltage>35", projects[0]), "xray_tube_voltage")
    assert (above.low, above.count) == (40.0, 3)


def test_a_range_counts_in_each_bin_it_goes_through(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    """As a search for that bin finds it."""
    catalogue.add(projects[0], [entry()])  # 25 to 900 °C
    catalogue.add(projects[0], [curve(temperature=Quantity(1000.0, "degC"))])
    found = numeric(ask(world, "", projects[0]), "temperature")
    assert (found.unit, found.low, found.high, found.count) == ("degC", 25.0, 1000.0, 2)
    assert [b.count for b in found.histogram] == [int(b.low <= 900) for b in found.histogram[:-1]] + [1]


def test_one_value_needs_no_histogram(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    catalogue.add(projects[0], [curve(xray_tube_voltage=Quantity(40, "kV"))])
    found = numeric(ask(world, "", projects[0]), "xray_tube_voltage")
    assert (found.low, found.high, found.histogram) == (40.0, 40.0, [])


def test_what_is_not_comparable_makes_no_histogram(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    catalogue.add(projects[0], [curve(xray_tube_voltage=Quantity(40, "m"), nonsense=Quantity(1, "kV"))])
    catalogue.add(
        projects[0], [curve(duration=Quantity(float("inf"), "s"), repetitions=Quantity(float("nan"), ""))]
    )
    assert {n.name for n in ask(world, "", projects[0]).numeric} == {"two_theta"}


def test_of_very_many_the_latest_are_counted(
    world: Any, catalogue: Catalogue, projects: list[models.Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(6):
        catalogue.add(projects[i % 2], [curve(temperature=Quantity(i, "degC"))], sample=str(i))
    monkeypatch.setattr(module, "MOST_COUNTED", 4)
    found = ask(world, "", *projects)
    assert found.sampled
    assert set(counts(found, "sample")) == {"2", "3", "4", "5"}
    monkeypatch.setattr(module, "MOST_COUNTED", 50)
    monkeypatch.setattr(module, "MOST_SAMPLED", 2)
    found = ask(world, "", *projects)
    assert found.sampled
    assert len(counts(found, "sample")) == 6
    assert numeric(found, "temperature").low == 4.0


def test_nothing_hidden_is_counted(world: Any, catalogue: Catalogue, projects: list[models.Project]) -> None:
    """With and without everything that could tell of the hidden project, the answers are the same."""
    queries = (
        "",
        "quartz",
        "temperature>300",
        "sample:S",
        "technique:tga",
        "project:hidden",
        "instrument:i-hidden",
    )
    queries += ("operator:O", "state:translated", "technique:tga temperature>0 K quartz")
    catalogue.add(projects[0], [entry()], title="quartz", sample="S", operator="O")
    before = [ask(world, q, *projects[:2]) for q in queries]
    instrument = world.instrument("i-hidden", projects[2])
    for hot in (2000.0, 3000.0):
        for technique in ("tga", "dsc"):
            catalogue.add(
                projects[2], [entry("e", technique, furnace_power=Quantity(5, "percent"), duration=Quantity(hot, "s"))],
                title="quartz hidden", sample="S", operator="O", instrument=instrument,
            )  # fmt: skip
    assert [ask(world, q, *projects[:2]) for q in queries] == before
    assert ask(world, "", projects[2]) != before[0]


def suggestions(world: Any, q: str, *projects: models.Project) -> list[str]:
    with world.db.read() as session:
        return [s.text for s in suggest(session, q, Visible(tuple(sorted(p.id for p in projects))))]


def test_suggestions(world: Any, catalogue: Catalogue, projects: list[models.Project]) -> None:
    instrument = world.instrument("smartlab", projects[0])
    catalogue.add(projects[0], sample="LCO 12", operator="Marie", instrument=instrument)
    catalogue.add(projects[0], sample="LCO-13")
    catalogue.add(projects[0], sample='L"C')
    assert suggestions(world, "tech", *projects)[0] == "technique:"
    assert "temperature>" in suggestions(world, "quartz temp", *projects)
    assert "xray_tube_voltage>" in suggestions(world, "管電圧", *projects)
    assert suggestions(world, "sample:lco", *projects) == ['sample:"LCO 12"', "sample:LCO-13"]
    assert suggestions(world, 'x sample:"LCO 1', *projects) == ['sample:"LCO 12"']
    assert "technique:xrd" in suggestions(world, "technique:diffrac", *projects)
    assert suggestions(world, "instrument:smart", *projects) == ["instrument:smartlab"]
    assert suggestions(world, "project:A", *projects) == ["project:a"]
    assert suggestions(world, "state:not", *projects) == ["state:not_translated"]
    assert suggestions(world, "", *projects) == suggestions(world, "quartz ", *projects) == []
    assert suggestions(world, "sample:%", *projects) == suggestions(world, "sample:_", *projects) == []


def test_every_suggestion_can_be_searched(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    """What the box offers must not be answered with an error."""
    for sample in ("LCO 12", 'a"b', "x:y", "(1)", "a>3", "*", "試料 一", "ＬＣＯ＿１", "'"):
        catalogue.add(projects[0], sample=sample, operator=sample, title=sample)
    for prefix in ("sample:", "operator:", "technique:", "project:", "instrument:", "state:"):
        for offered in suggestions(world, prefix, *projects):
            language.parse(offered)
            with world.db.read() as session:
                page = list_page(session, language.parse(offered), Visible((projects[0].id,)))
            assert page.total or prefix not in ("sample:", "operator:"), offered


def test_suggestions_tell_nothing_hidden(
    world: Any, catalogue: Catalogue, projects: list[models.Project]
) -> None:
    world.instrument("secret-xrd", projects[2])
    catalogue.add(projects[2], sample="secret", operator="secret", title="secret")
    for q in ("sample:s", "operator:s", "instrument:s", "project:h", "secret", "sample:secret"):
        assert suggestions(world, q, *projects[:2]) == []
    assert suggestions(world, "sample:s", projects[2]) == ["sample:secret"]
