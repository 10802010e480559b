"""Chains on a surrogate have the true posterior, however good or bad the surrogate is."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats

from corundum import inference
from corundum.inference.batches import in_batches
from corundum.inference.surrogates import annealing, kernel, known_points, mixtures, stages

X = np.linspace(0.0, 1.0, 6)
FEW = inference.KernelSurrogate(points=120)


def normal_target(function, y, variance, **widths):
    priors = {name: dist.Normal(0.0, width) for name, width in widths.items()}
    return inference.Target.of_function(function, y, variance, priors)


PROBLEMS = {
    # a, and b given a, have Gaussian posteriors in closed form: b follows a parabola
    "banana": lambda: normal_target(
        lambda theta: jnp.stack([theta[0], theta[1] + theta[0] ** 2]), [0.0, 1.0], [1.0, 0.05], a=1.5, b=10.0
    ),
    # the spread of x depends on v by a factor of thirty
    "funnel": lambda: normal_target(
        lambda theta: inference.Prediction(
            theta[1:], jnp.exp(theta[:1]), jnp.zeros(1), jnp.ones(1, bool), jnp.zeros(())
        ),
        [0.5], [1e-4], v=1.2, x=1.0,
    ),
    # a third of the posterior would lie beyond the prior's edge
    "hard edge": lambda: inference.Target.of_function(
        lambda theta: theta, [0.1, 1.0], [0.09, 0.04], {"a": (0.0, 5.0), "b": (-5.0, 5.0)}
    ),
    "wave": lambda: normal_target(
        lambda theta: jnp.sin(2.0 * theta[0] + jnp.asarray(X)) * jnp.exp(0.3 * theta[1]),
        np.sin(0.4 + X), np.full(6, 0.04), a=0.5, b=1.0,
    ),
    # a is known but for its sign, and both signs are far apart; b follows a
    "two modes": lambda: normal_target(
        lambda theta: jnp.stack([theta[0] ** 2, theta[1] - theta[0]]), [4.0, 0.0], [0.25, 0.09], a=1.5, b=2.0
    ),
}  # fmt: skip


def moments(target, size=401):
    """Mean and covariance of theta by quadrature over a square of u."""
    axis = np.linspace(-7.0, 7.0, size)
    u = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    ln_density = in_batches(inference.ln_density_at, target, u, width=len(u))
    weights = np.exp(ln_density - ln_density.max())
    theta = np.asarray(target.theta(u))
    mean = np.average(theta, axis=0, weights=weights)
    return mean, np.cov(theta.T, aweights=weights, ddof=0)


def check(posterior, target, sigmas=5.0, least=200):
    """Moments of the draws are those of the density, to what their effective number, at least `least`, can tell."""
    mean, covariance = moments(target)
    size = np.minimum(posterior.verdict.table["ess_bulk"], posterior.verdict.table["ess_tail"])
    width = np.sqrt(np.diag(covariance))
    assert size.min() > least, size
    np.testing.assert_allclose(posterior.flat.mean(axis=0), mean, atol=sigmas * (width / np.sqrt(size)).max())
    spread = np.std(posterior.flat, axis=0)
    # A variance is known to the root of (kurtosis - 1) / n.
    error = spread * np.sqrt((stats.kurtosis(posterior.flat, fisher=False) - 1.0) / size) / 2.0
    assert np.all(np.abs(spread - width) < sigmas * error), (spread, width, error)


def start_of(target):
    return inference.laplace(target, inference.maximise(target, starts=4))


def acceptance(posterior):
    """Of moves on the surrogate; jumps and walks know nothing of it."""
    stats = posterior.data.sample_stats
    return float(np.mean(stats.acceptance_rate.values[~stats.local.values]))


def by_surrogate(target, draws):
    sampler = inference.SurrogateHMC(FEW, chains=4, warmup=60, draws=draws, population=80)
    return inference.sample(target, start_of(target), sampler=sampler, key=1)


def test_the_posterior_is_the_true_one_beside_an_edge_and_within_few_draws():
    target = PROBLEMS["hard edge"]()
    posterior = by_surrogate(target, 100)
    check(posterior, target, least=100)
    assert np.all(posterior.flat[:, 0] > 0.0)
    assert acceptance(posterior) > 0.8 and not posterior.data.sample_stats.true_gradients.any()


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_posterior_is_the_true_one(name):
    target = PROBLEMS[name]()
    posterior = by_surrogate(target, 500)
    check(posterior, target)
    assert acceptance(posterior) > 0.8 and not posterior.data.sample_stats.true_gradients.any()


class Flat(inference.AbstractEmulator):
    """The same prediction everywhere."""

    mean: jnp.ndarray
    error: jnp.ndarray

    def __call__(self, u):
        zero = jnp.zeros_like(self.mean)
        return inference.Prediction(self.mean, self.error, zero, zero == 0.0, jnp.zeros(()))


class Constant(inference.AbstractSurrogate):
    """Knows no slope at all."""

    def learn(self, target, u, prediction, ln_density, center, root):
        near = ln_density > np.max(ln_density) - 3.0
        return Flat(*(jnp.asarray(part(prediction.mean[near], axis=0)) for part in (np.mean, np.std)))


@pytest.mark.parametrize(
    ("gradients", "draws", "least"),
    [
        pytest.param(False, 400, 20, id="surrogate"),
        pytest.param(True, 60, 40, id="gradients"),
        pytest.param(False, 3000, 200, id="surrogate, many draws", marks=pytest.mark.slow),
        pytest.param(True, 300, 200, id="gradients, many draws", marks=pytest.mark.slow),
    ],
)
def test_a_surrogate_that_knows_nothing_changes_only_the_acceptance(gradients, draws, least):
    target = PROBLEMS["wave"]()
    sampler = inference.SurrogateHMC(
        Constant(), chains=4, warmup=60, draws=draws, trajectories=1, least_acceptance=1.0 if gradients else 0.0
    )
    posterior = inference.sample(target, start_of(target), sampler=sampler, key=2)
    check(posterior, target, least=least)
    assert bool(posterior.data.sample_stats.true_gradients.all()) == gradients
    assert (acceptance(posterior) > 0.6) == gradients


def test_each_draw_costs_one_solve_and_posteriors_of_mock_data_share_what_is_known(monkeypatch):
    target = PROBLEMS["wave"]()
    solved, in_lists = [], known_points.in_batches

    def counted(function, target, *rows, width):
        if function is inference.predict:
            solved.append(len(rows[0]))
        return in_lists(function, target, *rows, width=width)

    monkeypatch.setattr(known_points, "in_batches", counted)
    sampler = inference.SurrogateHMC(FEW, chains=4, warmup=20, draws=50, first_points=60, population=50)
    y = np.sin(0.4 + X) + 0.1 * np.random.default_rng(0).normal(size=(2, 6))
    starts = [start_of(target.with_data(row)) for row in y]
    each = sampler.sample_each(target, starts, y, key=3)
    first = 60 + 8 + 6  # wide, from the Laplace approximation, from the prior
    later = 15 + 8 + 2
    draws = sum(count == 4 for count in solved)
    assert draws == 140 and solved[0] == first and later in solved
    # each posterior anneals its population, from draws of the prior that are solved once
    assert set(solved) == {4, later, 50, first}
    for chains, row in zip(each, y, strict=True):
        mean, covariance = moments(target.with_data(row))
        theta = np.asarray(target.theta(chains.u)).reshape(-1, 2)
        np.testing.assert_allclose(theta.mean(axis=0), mean, atol=0.35 * np.sqrt(np.diag(covariance)).max())


def test_an_emulator_knows_how_far_it_is_off():
    target = PROBLEMS["wave"]()
    rng = np.random.default_rng(4)
    u = rng.normal(size=(300, 2))
    prediction, density = inference.predict(target, u), inference.ln_density_at(target, u)
    known = slice(0, 40)
    emulator = inference.KernelSurrogate().learn(
        target, u[known], inference.Prediction(*(np.asarray(part)[known] for part in prediction)),
        np.asarray(density)[known], np.zeros(2), np.eye(2),
    )  # fmt: skip
    near = np.asarray(density)[40:] > np.max(density) - 5.0
    emulated = [np.asarray(emulator(jnp.asarray(point)).mean) for point in u[40:][near]]
    off = emulated - np.asarray(prediction.mean)[40:][near]
    stated = np.asarray(emulator.misfit)
    rms = np.sqrt(np.mean(np.square(off), axis=0))
    assert np.all(rms < 4.0 * stated) and np.all(rms > 0.1 * stated), (rms, stated)


def test_kernels_cover_what_is_known_and_most_of_the_posterior():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(300, 2)), [[5.0, 0.0], [0.0, 9.0]]])
    below = np.sum(x**2, axis=1) / 2.0
    rows = kernel._spread(x, below, 40)
    assert len(np.unique(rows)) == 40 and 300 in rows and 301 not in rows  # the last is too improbable
    assert np.mean(below[rows] < kernel.NEAR) > 0.9
    np.testing.assert_array_equal(kernel._spread(x[:30], below[:30], 30), np.arange(30))


def test_a_population_has_both_modes_in_their_shares_wherever_the_optimiser_ended():
    """The prior prefers one mode to the other by a factor of three."""
    target = inference.Target.of_function(
        lambda theta: jnp.abs(theta), [2.0], [0.04], {"a": dist.Normal(1.0, np.sqrt(4.0 / np.log(3.0)))}
    )
    first = annealing.from_prior(target, 200, 8, 0)
    known = first.among(np.arange(20))
    result = annealing.annealed(
        FEW,
        target,
        first,
        known,
        key=1,
        width=8,
        trajectories=2,
        ln_step=np.log(0.4),
        stages=stages.KeptStages(None, {}),
    )
    theta = np.asarray(target.theta(result.points.u))[:, 0]
    assert np.all(np.abs(np.abs(theta) - 2.0) < 1.0) and abs(np.mean(theta > 0.0) - 0.75) < 0.12
    np.testing.assert_allclose(result.points.ln_density, inference.ln_density_at(target, result.points.u), rtol=1e-9)
    assert len(result.mixture.centers) == annealing.LAST_MOVES * 200


def test_no_point_is_learned_from_twice():
    target = inference.Target.of_function(lambda theta: theta, [2.0], [0.04], {"a": (0.0, 5.0)})
    first = annealing.from_prior(target, 20, 4, 0)
    again = first.with_room(5).without(first.among(np.arange(15)))
    np.testing.assert_array_equal(again.rows[0], first.rows[0][15:])
    np.testing.assert_array_equal(again.rows[-1], first.rows[-1][15:])


def test_draws_of_a_mixture_have_its_density():
    rng = np.random.default_rng(0)
    u = np.concatenate([rng.normal(size=(60, 2)) * [0.1, 1.0], [3.0, 0.0] + 0.2 * rng.normal(size=(20, 2))])
    mixture = jax.tree.map(jnp.asarray, mixtures.mixture_about(u))
    axis = np.linspace(-7.0, 7.0, 281)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    density = np.exp(jax.vmap(mixture.ln_density)(jnp.asarray(grid))) / (2.0 * np.pi)
    cell = (axis[1] - axis[0]) ** 2
    np.testing.assert_allclose(density.sum() * cell, 1.0, atol=1e-3)
    draws = np.asarray(mixture.draw(jax.random.PRNGKey(0), 20000))
    for function in (lambda at: at[:, 0] > 2.0, lambda at: np.abs(at[:, 0]) < 0.1, lambda at: at[:, 1] > 1.0):
        assert abs(np.mean(function(draws)) - np.sum(function(grid) * density) * cell) < 0.02
    assert 0.1 < np.mean(draws[:, 0] > 2.0) < 0.4


def test_settings_are_checked():
    for settings in (dict(chains=0), dict(warmup=0), dict(trajectories=0), dict(first_points=0), dict(population=7)):
        with pytest.raises(ValueError, match="give a whole number of at least"):
            inference.SurrogateHMC(**settings)
    with pytest.raises(ValueError, match="least_acceptance: got 2.0; allowed a number from 0 to 1"):
        inference.SurrogateHMC(least_acceptance=2.0)


def test_a_model_that_fails_near_the_mode_is_refused():
    def half_fails(theta):
        failed = jnp.where(theta[0] > 0.0, 1.0, 0.0)
        return inference.Prediction(theta, jnp.zeros(1), jnp.zeros(1), jnp.ones(1, bool), failed)

    target = normal_target(half_fails, [0.0], [1.0], a=1.0)
    zero, one = np.zeros(1), np.eye(1)
    start = inference.Laplace(target.names, target.units, zero + 3.0, zero, one, one, one, "expected", target.theta)
    with pytest.raises(ValueError, match="the model fails at .* points near the mode, so chains cannot begin"):
        inference.sample(target, start, sampler=inference.SurrogateHMC(chains=4, warmup=5, draws=5))


def test_a_model_that_fails_all_over_the_prior_is_refused():
    target = normal_target(
        lambda theta: inference.Prediction(theta, jnp.zeros(1), jnp.zeros(1), jnp.ones(1, bool), jnp.ones(())),
        [0.0], [1.0], a=1.0,
    )  # fmt: skip
    with pytest.raises(ValueError, match="the model fails at all of 200 draws of the prior"):
        inference.sample(target, sampler=inference.SurrogateHMC(chains=4, warmup=5, draws=5))
