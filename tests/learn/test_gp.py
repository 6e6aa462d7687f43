"""The Gaussian process: if these fail, predictions and the choice of the next experiment rest on wrong sums."""

from __future__ import annotations

import math

import numpy as np
import pytest

from zairyo.learn import LearnError, Space, fit_gp
from zairyo.learn._gp import GP, Problem, negative_log_posterior, noise_prior
from zairyo.learn._gp_fit import choose, fit_kernel
from zairyo.learn._kernels import Distances, Kernel, kernels_of
from zairyo.learn._names import placed
from zairyo.learn._output import Output


def mixed_space(rows: int = 14) -> tuple[np.ndarray, np.ndarray, Space]:
    """A number, an integer, a category of three levels and a mixture of three, with zeros among the amounts."""
    rng = np.random.default_rng(5)
    amounts = rng.dirichlet(np.ones(3), rows)
    amounts[0], amounts[1] = (1.0, 0.0, 0.0), (0.0, 0.5, 0.5)
    levels = np.eye(3)[rng.integers(0, 3, rows)]
    X = np.column_stack([rng.random(rows), rng.integers(0, 9, rows), levels, amounts])
    kinds = ["number", "integer", *["category:base"] * 3, *["number"] * 3]
    y = np.sin(4 * X[:, 0]) + X[:, 2] + np.sqrt(X[:, 5])
    names = ["T", "steps", "base=K2CO3", "base=Na2CO3", "base=KOtBu", "A", "B", "C"]
    return X, y, Space.of(X, names=names, kinds=kinds, mixture=[5, 6, 7])


def kernel_cases() -> list[Kernel]:
    return kernels_of(mixed_space()[2])


@pytest.mark.parametrize("kernel", kernel_cases(), ids=lambda one: one.name)
@pytest.mark.parametrize("known", [False, True], ids=["noise learned", "noise known"])
def test_gradient_of_the_evidence(kernel: Kernel, known: bool) -> None:
    X, y, _ = mixed_space()
    noise = np.linspace(0.01, 0.1, len(y)) if known else None
    problem = Problem(X, (y - y.mean()) / y.std(), noise)
    distances = Distances(kernel, X)
    theta = np.random.default_rng(1).normal(-0.5, 0.5, kernel.size + 1)
    gradient = negative_log_posterior(theta, distances, problem)[1]
    for j in range(len(theta)):
        step = np.zeros(len(theta))
        step[j] = 1e-5
        up = negative_log_posterior(theta + step, distances, problem)[0]
        down = negative_log_posterior(theta - step, distances, problem)[0]
        assert gradient[j] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-5)


def fitted(kernel: Kernel, rows: int = 14) -> GP:
    X, y, _ = mixed_space(rows)
    output = Output.of(y, "plain")
    assert output is not None
    theta = np.random.default_rng(2).normal(-0.3, 0.3, kernel.size + 1)
    theta[-1] = -3.0
    return GP.of(kernel, theta, Problem(X, output.forward(y)), output)


@pytest.mark.parametrize("kernel", kernel_cases(), ids=lambda one: one.name)
def test_gradient_of_the_posterior(kernel: Kernel) -> None:
    gp = fitted(kernel)
    x = np.array([0.4, 4.0, 0.2, 0.5, 0.3, 0.3, 0.3, 0.4])
    mean, variance, by_mean, by_variance = gp.gradient(x)
    assert mean == pytest.approx(gp.latent(x[None])[0][0])
    assert variance == pytest.approx(gp.latent(x[None])[1][0], rel=1e-6)
    for j in (0, 2, 5, 7):
        step = np.zeros(len(x))
        step[j] = 1e-5
        (up, down), (more, less) = gp.latent(np.array([x + step, x - step]))
        assert by_mean[j] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-6)
        assert by_variance[j] == pytest.approx((more - less) / 2e-5, rel=1e-3, abs=1e-5)
    assert by_mean[1] == 0.0  # an integer is rounded: flat


@pytest.mark.parametrize("kernel", kernel_cases(), ids=lambda one: one.name)
def test_blocks_agree_with_the_matrix_of_the_training(kernel: Kernel) -> None:
    gp = fitted(kernel)
    slow = Distances(kernel, gp.X).matrix(gp.theta[:-1]) + 1.0
    assert np.allclose(gp.covariance(gp.X, gp.X), slow, atol=1e-10)
    assert np.allclose(gp.latent(gp.X, single=True)[0], gp.latent(gp.X)[0], atol=1e-3)


def test_many_candidates_on_all_cores_in_single_precision_are_the_same() -> None:
    gp = fitted(kernel_cases()[2])
    many = np.random.default_rng(0).random((50_500, gp.X.shape[1]))
    mean, variance = gp.latent(many)
    some = np.arange(0, len(many), 97)
    expected, spread = gp.latent(many[some], single=False)
    assert np.allclose(mean[some], expected, atol=2e-3)
    assert np.allclose(variance[some], spread, atol=1e-3)


def test_leave_one_out_is_what_a_refit_says() -> None:
    gp = fitted(kernel_cases()[0])
    mean, variance = gp.loo_latent()
    for i in range(len(gp.t)):
        rest = np.arange(len(gp.t)) != i
        without = GP.of(gp.kernel, gp.theta, Problem(gp.X[rest], gp.t[rest]), gp.output)
        expected, spread = without.latent(gp.X[i : i + 1])
        assert mean[i] == pytest.approx(expected[0], abs=1e-8)
        assert variance[i] == pytest.approx(spread[0] + math.exp(gp.theta[-1]), rel=1e-8)


def test_an_appended_observation_equals_a_fit_with_it() -> None:
    whole = fitted(kernel_cases()[1], 14)
    part = GP.of(whole.kernel, whole.theta, Problem(whole.X[:10], whole.t[:10]), whole.output)
    grown = part.append(whole.X[10:], whole.t[10:])
    assert np.allclose(grown.latent(whole.X + 0.01), whole.latent(whole.X + 0.01), atol=1e-8)


def test_a_pending_experiment_keeps_the_mean_and_lowers_the_variance() -> None:
    gp = fitted(kernel_cases()[0])
    place = gp.X[:3] + 0.05
    pending = gp.append(place)
    assert np.allclose(pending.latent(place)[0], gp.latent(place)[0], atol=1e-8)
    assert (pending.latent(place)[1] < gp.latent(place)[1]).all()


def test_variance_reduction_is_what_measuring_does() -> None:
    gp = fitted(kernel_cases()[0])
    rng = np.random.default_rng(0)
    places = gp.X[rng.permutation(len(gp.X))] + rng.normal(0, 0.05, gp.X.shape)
    told = gp.variance_reduction(places[:4], places)
    for i in range(4):
        after = gp.append(places[i : i + 1]).latent(places)[1]
        assert told[i] == pytest.approx(float((gp.latent(places)[1] - after).mean()), rel=1e-5)


def test_joint_draws_have_the_posterior_moments() -> None:
    gp = fitted(kernel_cases()[0])
    places = gp.X[:4] + 0.1
    draws = gp.samples(places, 20_000, np.random.default_rng(0))
    mean, _ = gp.latent(places)
    covariance = gp.posterior_covariance(places, places)
    assert np.allclose(draws.mean(axis=0), mean, atol=0.03)
    assert np.allclose(np.cov(draws.T), covariance, atol=0.05 * covariance.max())


def test_a_smooth_function_is_learned_from_twenty_points() -> None:
    rng = np.random.default_rng(3)
    X, new = rng.random((20, 2)), rng.random((200, 2))

    def truth(X: np.ndarray) -> np.ndarray:
        return 100 + 20 * np.sin(3 * X[:, 0]) * X[:, 1]

    gp = fit_gp(X, truth(X), Space.of(X))
    mean, _ = gp.predict(new)
    assert np.sqrt(np.mean((mean - truth(new)) ** 2)) < 0.12 * truth(new).std()


def test_the_interval_of_a_noisy_function_covers() -> None:
    inside = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X, new = rng.random((25, 1)), rng.random((200, 1))
        gp = fit_gp(X, np.sin(6 * X[:, 0]) + 0.2 * rng.standard_normal(25), Space.of(X), seed=seed)
        mean, sd = gp.predict(new)
        inside.append(np.abs(np.sin(6 * new[:, 0]) + 0.2 * rng.standard_normal(200) - mean) < 1.645 * sd)
    assert 0.83 < np.mean(inside) < 0.97


def test_hellinger_is_chosen_where_traces_matter() -> None:
    rng = np.random.default_rng(0)
    X = rng.dirichlet(np.full(4, 0.4), 40)
    gp, tried = choose(X, np.sqrt(X[:, 0]) - np.sqrt(X[:, 1]), Space.of(X, mixture=range(4)), starts=1)
    evidence = {fit.kernel.name: fit.evidence for fit, output in tried if output.shape == "plain"}
    assert evidence["Matérn 5/2, Hellinger"] > evidence["Matérn 5/2, amounts"] + 3
    assert "Hellinger" in gp.kernel.name or "additive" in gp.kernel.name


def test_every_way_to_compare_levels_is_among_the_cases() -> None:
    names = {kernel.name for kernel in kernel_cases()}
    assert {"Hamming exponential × Matérn 5/2", "Matérn 5/2, names", "Matérn 5/2, levels"} <= names


def of_levels(names: list[str], rows: int) -> tuple[np.ndarray, np.ndarray, Space]:
    """Which level each row has, the one-hot matrix, its space."""
    level = np.random.default_rng(3).integers(0, len(names), rows)
    kinds = ["category:salt"] * len(names)
    space = Space.of(np.eye(len(names)), names=[f"salt={name}" for name in names], kinds=kinds)
    return level, np.eye(len(names))[level], space


def test_a_level_not_made_yet_is_like_those_of_similar_names() -> None:
    names = [
        f"{metal}{rest}" for rest in ("2CO3", "2SO4", "3PO4", "OH", "Cl") for metal in ("Li", "Na", "Cs")
    ]
    level, X, space = of_levels(names, 60)
    lithium = np.array([name.startswith("Li") for name in names])
    made = level != names.index("LiOH")
    gp = fit_gp(X[made], lithium[level[made]] + 0.01 * level[made], space, seed=0)
    assert gp.kernel.name == "Matérn 5/2, names"
    mean = gp.predict(np.eye(len(names)))[0]
    assert mean[names.index("LiOH")] > mean[~lithium].max() + 0.2


def test_one_level_unlike_the_others_gets_a_length_of_its_own() -> None:
    level, X, space = of_levels(list("ABCDEFGH"), 40)
    more = np.random.default_rng(4).random((40, 1))
    space = Space.of(
        np.hstack([X, more]), names=[*space.names, "T"], kinds=["category:salt"] * 8 + ["number"]
    )
    y = 3.0 * (level == 2) + 0.3 * np.sin(3 * more[:, 0])
    _, tried = choose(np.hstack([X, more]), y, space, starts=1)
    evidence = {fit.kernel.name: fit.evidence for fit, output in tried if output.shape == "plain"}
    assert evidence["Matérn 5/2, levels"] > evidence["Matérn 5/2"] + 1
    assert "Matérn 5/2, names" not in evidence  # A, B and C are all as unlike


def test_names_of_variables_mix_nothing_up() -> None:
    """A category may be called as anything else is; its levels are still the only ones that share its length."""
    X = np.column_stack([np.linspace(0, 1, 6), np.eye(3)[[0, 1, 2, 0, 1, 2]]])
    found = []
    for name in ("salt", "column 0", "T"):
        names = ["T", *(f"{name}={level}" for level in ("K2CO3", "Na2CO3", "KOtBu"))]
        kinds = ["number", *[f"category:{name}"] * 3]
        kernel = next(
            k for k in kernels_of(Space.of(X, names=names, kinds=kinds)) if k.name.endswith("names")
        )
        assert kernel.terms[0][0].features.groups == 2
        found.append(Distances(kernel, X).matrix(np.zeros(3)))
    np.testing.assert_allclose(found[1:], [found[0]] * 2, atol=1e-12)


def test_names_that_say_nothing_place_no_levels() -> None:
    assert placed(("A", "B", "C")) is None
    assert placed(("K2CO3", "Na2CO3")) is None  # two are always as unlike as they are
    assert placed(("same", "same", "same")) is None
    assert placed(tuple(map(str, range(1000)))) is None
    points = placed(("N#CC", "N#CCC", "CO", "", "材料"))
    assert points is not None
    apart = ((points[:, None] - points) ** 2).sum(axis=-1)
    assert apart[0, 1] < 0.7 * min(apart[0, 2], apart[0, 3], apart[0, 4])
    assert apart[np.triu_indices(5, 1)].mean() == pytest.approx(1.0)


def test_replicates_tell_the_noise() -> None:
    X = np.repeat(np.linspace(0, 1, 6), 4)[:, None]
    t = np.random.default_rng(0).normal(0, 0.3, 24)
    mean, deviation = noise_prior(X, t)
    assert math.exp(mean) == pytest.approx(0.09, rel=0.7)
    assert deviation < 0.5
    assert noise_prior(X[::4], t[::4])[1] == 1.5


def test_known_noise_is_trusted() -> None:
    X = np.linspace(0, 1, 9)[:, None]
    y = np.zeros(9)
    y[4] = 5.0
    noise = np.full(9, 1e-4)
    noise[4] = 1e4
    assert abs(fit_gp(X, y, Space.of(X), noise=noise).predict(X[4:5])[0][0]) < 0.5


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.array([[0.3, 1.0]]), np.array([7.0])),
        (np.array([[0.3, 1.0], [0.6, 1.0]]), np.array([7.0, 7.0])),
        (np.array([[0.3, 1.0], [0.3, 1.0], [0.3, 1.0]]), np.array([1.0, 2.0, 9.0])),
        (np.tile([[0.1, 2.0], [0.9, 2.0]], (10, 1)), np.tile([0.0, 1.0], 10)),
        (np.random.default_rng(0).random((30, 2)), np.full(30, 3.0)),
        (np.random.default_rng(0).random((12, 2)), 10.0 ** np.arange(-6, 6)),
    ],
    ids=[
        "one row",
        "two, same outcome",
        "replicates only",
        "duplicates",
        "constant output",
        "twelve decades",
    ],
)
def test_degenerate_data_give_finite_answers(X: np.ndarray, y: np.ndarray) -> None:
    space = Space.of(np.array([[0.0, 0.0], [1.0, 3.0]]))
    gp = fit_gp(X, y, space, starts=1)
    mean, sd = gp.predict(np.random.default_rng(1).random((50, 2)) * [1, 3])
    assert np.isfinite(mean).all()
    assert np.isfinite(sd).all()
    assert (sd > 0).all()
    assert all(np.isfinite(part).all() for part in gp.loo())


def test_nothing_that_varies_is_an_error_that_says_so() -> None:
    with pytest.raises(LearnError, match="no column varies"):
        fit_gp(np.ones((4, 2)), np.arange(4.0), Space.of(np.ones((4, 2))))


def test_the_same_seed_gives_the_same_numbers() -> None:
    X, y, space = mixed_space()
    one, two = (fit_kernel(kernels_of(space)[0], Problem(X, y - y.mean()), seed=4) for _ in range(2))
    assert np.array_equal(one.theta, two.theta)


def test_a_space_that_does_not_fit_is_refused() -> None:
    X = np.ones((2, 3))
    with pytest.raises(LearnError, match="2 names are given for 3 columns"):
        Space.of(X, names=["a", "b"])
    with pytest.raises(LearnError, match="'x1' is said to be 'colour'"):
        Space.of(X, kinds=["number", "colour", "number"])
    with pytest.raises(LearnError, match="distinct and from 0 to 2"):
        Space.of(X, mixture=[0, 3])


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("shape", ["plain", "log", "yeo-johnson"])
def test_transforms_come_back_and_know_their_slope(shape: str, sign: float) -> None:
    y = sign * np.exp(np.random.default_rng(0).normal(0, 1.2, 40))
    output = Output.of(y, shape)  # type: ignore[arg-type]
    assert output is not None
    assert np.allclose(output.backward(output.forward(y)), y, rtol=1e-6)
    assert (np.argsort(output.forward(y)) == np.argsort(y)).all()
    slope = (output.forward(y * (1 + 1e-6)) - output.forward(y * (1 - 1e-6))) / (2e-6 * y)
    assert np.allclose(np.log(slope), output.log_jacobian(y), atol=1e-4)


def test_skewed_outputs_are_transformed() -> None:
    rng = np.random.default_rng(1)
    X = rng.random((30, 1))
    gp = fit_gp(X, np.exp(6 * np.sin(5 * X[:, 0]) + 0.1 * rng.standard_normal(30)), Space.of(X), starts=1)
    assert gp.output.shape == "log"
