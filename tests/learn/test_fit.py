"""``fit``: if these fail, a scientist trusts an error, an interval or a warning that is not true."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from zairyo.learn import LearnError, LearnWarning, Predictor, Space, fit, fit_descriptors, fit_success
from zairyo.learn._forest import Boosting, ElasticNet, Forest
from zairyo.learn._models import GaussianProcess, Mean, Model, Ridge
from zairyo.learn._said import LANGUAGES
from zairyo.learn._validate import folds_of, weights_of


def data(rows: int, seed: int = 0, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.random((rows, 3))
    return X, 3 * X[:, 0] + np.sin(6 * X[:, 1]) + noise * rng.standard_normal(rows)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    X, y = data(30)
    space = Space.of(X, names=["time", "temperature", "idle"])
    return fit(X, y, space=space, target="strength", models=(Mean(), GaussianProcess(space), Ridge(space)))


def every_model(space: Space) -> list[Model]:
    return [
        Mean(),
        GaussianProcess(space),
        Ridge(space),
        Ridge(space, 2),
        Forest(trees=60),
        Forest(trees=60, extra=True),
        Boosting(),
        ElasticNet(space),
    ]


@pytest.mark.parametrize("place", range(8))
def test_every_model_learns_and_knows_its_error(place: int) -> None:
    X, y = data(60)
    new, truth = data(300, seed=1)
    model = every_model(Space.of(X))[place]
    fitted = model.fit(X, y)
    mean, sd = fitted.predict(new)
    error = np.sqrt(np.mean((mean - truth) ** 2))
    left, spread = fitted.loo()
    assert left.shape == spread.shape == y.shape
    assert (spread > 0).all()
    assert model.name == "mean" or error < 0.75 * truth.std()
    assert 0.6 < np.sqrt(np.mean((left - y) ** 2)) / error < 1.6
    assert 0.7 < np.mean(np.abs(truth - mean) < 1.645 * sd) <= 1.0


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_few_rows_do_not_crash(rows: int) -> None:
    X, y = data(rows)
    found = fit(X, y)
    told = found.predict(np.random.default_rng(0).random((7, 3)))
    assert np.isfinite(told.mean).all()
    assert (told.lower <= told.mean).all()
    assert (told.mean <= told.upper).all()
    assert found.report()


def test_ridge_left_out_is_what_a_refit_says() -> None:
    X, y = data(15)
    model = Ridge(Space.of(X))
    fitted = model.fit(X, y)
    Z = (X - X.min(axis=0)) / np.ptp(X, axis=0) - 0.5
    for i in range(15):
        rest = np.arange(15) != i
        centre = Z[rest].mean(axis=0)
        normal = (Z[rest] - centre).T @ (Z[rest] - centre) + fitted.penalty * np.eye(3)  # type: ignore[attr-defined]
        slope = np.linalg.solve(normal, (Z[rest] - centre).T @ (y[rest] - y[rest].mean()))
        assert fitted.loo()[0][i] == pytest.approx(y[rest].mean() + (Z[i] - centre) @ slope, abs=1e-8)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ridge_is_no_more_unsure_of_levels_not_seen_than_levels_differ(seed: int) -> None:
    """A dozen rows of nine salts and five solvents: 7 ± 269 mS/cm was said of a conductivity."""
    rng = np.random.default_rng(seed)

    def rows(n: int) -> tuple[np.ndarray, np.ndarray]:
        salt, solvent, T = rng.integers(0, 9, n), rng.integers(0, 5, n), rng.random(n)
        y = 3.0 * T + salt % 3 + solvent + rng.normal(0, 0.2, n)
        return np.column_stack([T, np.eye(9)[salt], np.eye(5)[solvent]]), y

    (X, y), (asked, truth) = rows(8), rows(300)
    space = Space.of(asked, kinds=["number", *["category:salt"] * 9, *["category:solvent"] * 5])
    mean, deviation = Ridge(space).fit(X, y).predict(asked)
    assert deviation.max() < 3 * np.std(y)
    assert np.mean(np.abs(truth - mean) < 2 * deviation) > 0.9


def test_rows_that_cannot_be_used_are_named_and_left_out() -> None:
    X, y = data(12)
    X[3, 1:], y[5], X[7, 0] = np.nan, np.inf, 1e300
    with pytest.warns(
        LearnWarning,
        match=r"row 3: b is missing, c is missing; row 5: strength is inf; row 7: a is 1e\+300",
    ):
        found = fit(X, y, names=["a", "b", "c"], target="strength", models=(Mean(), Ridge(Space.of(X))))
    assert len(found.y) == 9
    assert "3 rows left out" in found.report()
    with pytest.raises(
        LearnError, match="row 0, column 'b' is nan, and more than half of the row is missing"
    ):
        found.predict(np.array([[0.1, np.nan, np.nan]]))
    with pytest.raises(LearnError, match="row 1, column 'a' is inf"):
        found.predict(np.array([[0.1, 0.2, np.nan], [np.inf, 0.1, 0.2]]))
    X[:, 1] = np.nan
    with (
        pytest.warns(LearnWarning),
        pytest.raises(LearnError, match="b is missing in every row that can be learned from"),
    ):
        fit(X, y, names=["a", "b", "c"])


def holed(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two settings that go together, one that does not, a fifth of all numbers missing; the rows in full; outcomes."""
    rng = np.random.default_rng(5)
    first = rng.uniform(0, 10, n)
    X = np.column_stack([first, 3 * first + rng.normal(0, 0.5, n), rng.uniform(0, 1, n)])
    y = X[:, 1] + 4 * X[:, 2] + rng.normal(0, 0.2, n)
    lost = rng.random(X.shape) < 0.2
    lost[lost.sum(axis=1) > 1] = False
    return np.where(lost, np.nan, X), X, y


def test_holes_are_filled_by_what_the_other_settings_tell() -> None:
    """A table of people has holes; with every row left out that has one, nothing would be left to learn from."""
    X, full, y = holed(440)
    learned, asked = slice(0, 40), slice(40, 440)
    found = fit(X[learned], y[learned])
    assert len(found.y) == 40
    assert "Missing settings of" in found.report()
    assert "欠けている条件" in found.report("ja")
    told = found.predict(X[asked])
    complete = np.isfinite(X[asked]).all(axis=1)
    # The second setting is told by the first, the third by nothing: its whole range is in the interval.
    second, third = (np.isnan(X[asked, j]) for j in (1, 2))
    wide = told.upper - told.lower
    assert np.sqrt(np.mean((told.mean - y[asked])[second] ** 2)) < 1.5
    assert wide[third].mean() > 2 * wide[complete].mean()
    inside = (told.lower <= y[asked]) & (y[asked] <= told.upper)
    assert inside.mean() > 0.85
    assert inside[third].mean() > 0.7
    again = fit(X[learned], y[learned]).predict(X[asked])
    assert np.array_equal(again.mean, told.mean)
    assert np.array_equal(again.lower, told.lower)
    # What samples learned from do not lack widens what is predicted of one that does.
    whole = fit(full[learned], y[learned])
    plain, lacking = whole.predict(full[asked]), whole.predict(X[asked])
    assert np.allclose(plain.mean[complete], lacking.mean[complete])
    assert (lacking.upper - lacking.lower)[third].min() > 2 * (plain.upper - plain.lower)[third].mean()


def test_a_missing_category_is_one_of_its_levels() -> None:
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 2, 60)
    X = np.column_stack([kind == 0, kind == 1, rng.random(60), rng.random(60)]).astype(float)
    y = 10.0 * kind + rng.normal(0, 0.1, 60)
    space = Space.of(X, kinds=["category:gas", "category:gas", "number", "number"])
    found = fit(X, y, space=space)
    row = X[:1].copy()
    row[0, :2] = np.nan
    told = found.predict(row)
    assert 2 < told.mean[0] < 8
    assert told.lower[0] < 1
    assert told.upper[0] > 9


def test_nothing_usable_is_an_error() -> None:
    with pytest.warns(LearnWarning), pytest.raises(LearnError, match="nothing to learn from"):
        fit(np.full((2, 1), np.nan), np.ones(2))
    with pytest.raises(LearnError, match="3 groups are given for 4 rows"):
        fit(np.ones((4, 1)), np.ones(4), groups=[1, 2, 3])


def test_groups_stay_together() -> None:
    group = np.repeat(np.arange(40), 3)
    fold, scheme = folds_of(group, 0)
    assert all(len(set(fold[group == one])) == 1 for one in range(40))
    assert np.ptp(np.bincount(fold)) <= 3
    assert "kept together" in scheme


def test_validation_by_group_sees_through_a_batch_effect() -> None:
    """Samples of a batch share an accident; only leaving whole batches out tells the true error."""
    rng = np.random.default_rng(0)
    batch = np.repeat(np.arange(6), 5)
    accident = rng.normal(0, 3, 6)[batch]
    X = np.column_stack([batch + 0.05 * rng.random(30), rng.random(30)])
    y = accident + X[:, 1]
    models = (Mean(), GaussianProcess(Space.of(X)))
    honest, blind = (fit(X, y, groups=g, models=models).error for g in (batch, list(range(30))))
    assert honest > 3 * blind


def test_weights_go_to_the_models_that_predict() -> None:
    y = np.linspace(0, 1, 40)
    noise = np.random.default_rng(0).normal(0, 0.05, 40)
    weights = weights_of(np.array([np.full(40, 0.5), y + noise, y - noise]), y)
    assert weights[0] == 0.0
    assert weights[1] == pytest.approx(0.5, abs=0.1)
    assert weights.sum() == pytest.approx(1.0)


def test_the_error_is_that_of_new_samples(predictor: Predictor) -> None:
    new, truth = data(500, seed=9)
    told = predictor.predict(new)
    assert predictor.error == pytest.approx(np.sqrt(np.mean((told.mean - truth) ** 2)), rel=0.5)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_intervals_hold_what_they_promise(level: float) -> None:
    held = []
    for seed in range(6):
        X, y = data(25, seed, noise=0.3)
        found = fit(X, y, models=(Mean(), Ridge(Space.of(X), 2), Ridge(Space.of(X))), seed=seed)
        new, truth = data(200, 100 + seed, noise=0.3)
        told = found.predict(new, level=level)
        held.append(np.mean((told.lower <= truth) & (truth <= told.upper)))
    assert level - 0.07 < np.mean(held) < level + 0.12


class _SureOfItself:
    """A model that says 0, and below 1 knows that to a hundredth."""

    name = "sure"

    def fit(self, X: np.ndarray, y: np.ndarray, noise: np.ndarray | None = None) -> _SureOfItself:
        return self

    def predict(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(X)), np.where(X[:, 0] < 1, 0.01, 1.0)

    def loo(self) -> tuple[np.ndarray, np.ndarray]:
        raise AssertionError("nothing here asks for it")


def test_the_one_row_that_a_model_was_too_sure_of_widens_no_other_without_end() -> None:
    X = np.concatenate([[0.5], np.linspace(1, 2, 15)])[:, None]
    y = np.where(np.arange(16) % 2, 1.0, -1.0)
    found = fit(X, y, models=(_SureOfItself(),))
    told = found.predict(np.array([[0.4], [1.5]]))
    assert found.error == pytest.approx(1.0)
    assert (told.upper - told.lower)[1] < 8  # not 200: a miss of 100 deviations
    assert told.sd[0] > 0.25


def test_the_domain_is_named(predictor: Predictor) -> None:
    inside, beyond = predictor.X.mean(axis=0), np.array([0.5, 2.0, 0.5])
    assert list(predictor.predict(np.array([inside, beyond])).outside) == [False, True]
    assert "temperature = 2 is outside the made range" in predictor.domain.why(beyond)
    assert predictor.domain.why(inside) == ""


def test_importances_rank_what_matters(predictor: Predictor) -> None:
    found = {one.name: one for one in predictor.importances}
    assert set(found) == {"time", "temperature", "idle"}
    assert predictor.importances[-1].name == "idle"
    assert found["time"].value > 5 * found["time"].error
    assert abs(found["idle"].value) < 0.1 * found["time"].value


def test_a_mixture_counts_as_one_variable() -> None:
    X = np.random.default_rng(0).dirichlet(np.ones(3), 15)
    space = Space.of(X, mixture=[0, 1, 2])
    found = fit(X, X[:, 0], space=space, models=(Mean(), Ridge(space)))
    assert [one.name for one in found.importances] == ["mixture"]


def test_the_learning_curve_falls_and_says_what_more_would_bring(predictor: Predictor) -> None:
    curve = predictor.learning_curve
    assert curve is not None
    assert curve.errors[-1] < curve.errors[0]
    middle, low, high = curve.gain(10)
    assert 0 <= low <= middle <= high < 1
    assert curve.at(60)[0] <= curve.at(30)[0]
    assert "10 more samples" in curve.sentence()


def test_the_report_is_whole_in_every_form(predictor: Predictor, tmp_path: Path) -> None:
    told = predictor.report()
    for word in (
        "strength: 30 samples",
        "90 % intervals held",
        "Gaussian process",
        "temperature",
        "more samples",
    ):
        assert word in told
    assert "<table>" in predictor._repr_html_()
    pytest.importorskip("matplotlib")
    page = predictor.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    assert "Learning curve" in predictor.to_html(tmp_path / "again.html").read_text(encoding="utf-8")
    assert page == (tmp_path / "again.html").read_text(encoding="utf-8")


def test_the_report_speaks_japanese(predictor: Predictor, tmp_path: Path) -> None:
    told = predictor.report("ja")
    for word in (
        "strength：試料 30 件",
        "90 % 区間は",
        "ガウス過程",
        "重要度",
        "学習に使っていない試料での RMSE",
    ):
        assert word in told
    assert not re.search(r"[a-z]{3,} [a-z]{3,}", told), "no sentence stays in English"
    assert {key: sorted(re.findall(r"{\w+}", text)) for key, text in LANGUAGES["en"].items()} == {
        key: sorted(re.findall(r"{\w+}", text)) for key, text in LANGUAGES["ja"].items()
    }, "the same is filled in"
    with pytest.raises(ValueError, match="no language 'de'"):
        predictor.report("de")
    pytest.importorskip("matplotlib")
    page = predictor.to_html(tmp_path / "r.html", "ja").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page
    assert "strength の予測" in page
    assert "学習曲線" in page


def test_pure_noise_is_said_to_be_noise() -> None:
    rng = np.random.default_rng(0)
    X = rng.random((25, 4))
    found = fit(X, rng.standard_normal(25), models=(Mean(), Ridge(Space.of(X)), GaussianProcess(Space.of(X))))
    assert "no better than by the mean" in found.report()


def test_far_from_all_samples_no_tail_decides_the_mean() -> None:
    """Of an output over decades, the mean of what is not known is not six times all that was ever seen."""
    rng = np.random.default_rng(2)
    X = rng.random((14, 2))
    y = np.exp(4 * np.sin(3 * X[:, 0]) * np.cos(2 * X[:, 1]) - 3 * (X[:, 0] > 0.8) + rng.normal(0, 0.1, 14))
    found = GaussianProcess(Space.of(X)).fit(X, y)
    for mean, sd in (found.predict(np.linspace(0, 3, 31)[:, None] * np.ones(2)), found.loo()):
        assert mean.max() <= y.max()
        assert np.isfinite(sd).all()


def test_samples_that_are_all_alike_teach_nothing() -> None:
    found = fit(np.arange(6.0)[:, None], np.full(6, 5.0), models=(Mean(),))
    assert "nothing can be learned of what changes it" in found.report()
    assert found.predict(np.array([[9.0]])).mean[0] == 5


def test_the_same_seed_gives_the_same_predictor() -> None:
    X, y = data(8)
    space = Space.of(X)
    models = (GaussianProcess(space, 3), Forest(3, trees=20), Ridge(space))
    one, two = (fit(X, y, seed=3, models=models).predict(X) for _ in range(2))
    assert np.array_equal(one.mean, two.mean)
    assert np.array_equal(one.upper, two.upper)


def test_failures_teach_where_not_to_go() -> None:
    rng = np.random.default_rng(0)
    X = rng.random((40, 2))
    found = fit_success(X, X[:, 0] < 0.6, Space.of(X))
    chance = found.probability(np.array([[0.1, 0.5], [0.95, 0.5], [0.6, 0.5]]))
    assert chance[0] > 0.85
    assert chance[1] < 0.15
    assert 0.2 < chance[2] < 0.8


@pytest.mark.parametrize("outcomes", [[], [True], [True, True], [False, False, False]])
def test_one_kind_of_outcome_gives_a_cautious_share(outcomes: list[bool]) -> None:
    X = np.linspace(0, 1, len(outcomes))[:, None]
    found = fit_success(X, np.array(outcomes, dtype=bool), Space.of(np.array([[0.0], [1.0]])))
    expected = (sum(outcomes) + 1) / (len(outcomes) + 2)
    assert found.probability(np.array([[0.5]]))[0] == pytest.approx(expected)


def test_contradictory_outcomes_do_not_crash() -> None:
    X = np.array([[0.5], [0.5], [0.5], [0.5]])
    found = fit_success(X, np.array([True, False, True, False]), Space.of(np.array([[0.0], [1.0]])))
    assert found.probability(X)[0] == pytest.approx(0.5, abs=0.05)


def test_missing_descriptors_are_predicted_and_widen_the_prediction() -> None:
    rng = np.random.default_rng(0)
    X = rng.random((40, 2))
    D = (X[:, :1] ** 2) + 0.2 * rng.standard_normal((40, 1))
    y = 5 * D[:, 0] + X[:, 1]
    space = Space.of(np.hstack([X, D]))
    found = fit_descriptors(X, D, y, descriptor_names=["peak"], models=(Ridge(space), GaussianProcess(space)))
    places = rng.random((30, 2))
    true = places[:, :1] ** 2 + 0.2 * rng.standard_normal((30, 1))
    truth = 5 * true[:, 0] + places[:, 1]
    mean, sd = found.predict(places)
    informed, narrow = found.predict(places, true)
    assert np.mean((informed - truth) ** 2) < 0.1 * np.mean((mean - truth) ** 2)
    assert (sd > 3 * narrow).all()
    assert np.median(sd) == pytest.approx(1.0, rel=0.4)  # 5 × 0.2
    half = np.where(np.arange(30)[:, None] < 15, true, np.nan)
    assert np.allclose(found.predict(places, half)[1][15:], sd[15:])


def test_a_descriptor_never_measured_is_refused() -> None:
    X = np.random.default_rng(0).random((5, 1))
    with pytest.raises(LearnError, match="'peak' is measured of no sample"):
        fit_descriptors(X, np.full((5, 1), np.nan), X[:, 0], descriptor_names=["peak"])


def test_the_report_tells_the_unit_and_rows_as_they_are_called() -> None:
    X = np.arange(12.0)[:, None]
    X[4] = np.nan
    with pytest.warns(LearnWarning, match=r"1 row is left out \(line 6: x0 is missing\)"):
        found = fit(
            X, np.arange(12.0), target="strength", unit="MPa", rows=[f"line {i + 2}" for i in range(12)]
        )
    assert " MPa; the samples' own spread is" in found.report()
    assert "RMSE on samples not seen (MPa)" in found.report()
    assert "measured strength (MPa)" in found._repr_html_() or "RMSE (MPa)" in found._repr_html_()
    with pytest.raises(LearnError, match="11 rows are given for 12"):
        fit(np.ones((12, 1)), np.ones(12), rows=range(11))


def test_the_page_is_read_in_the_dark_on_a_telephone_and_in_japanese(tmp_path: Path) -> None:
    X = np.linspace(0, 1, 12)[:, None]
    page = (
        fit(X, 3 * X[:, 0], target="保磁力", unit="kA/m")
        .to_html(tmp_path / "r.html")
        .read_text(encoding="utf-8")
    )
    assert "color-scheme:light dark" in page
    assert 'name="viewport"' in page
    assert "max-width:100%" in page
    assert "#000000" not in page  # letters and frames have the page's colour
    assert ">measured 保磁力 (kA/m)</text>" in page  # letters, not outlines of a font that may lack them
