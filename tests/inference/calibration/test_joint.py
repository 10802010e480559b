"""Targets side by side: their likelihoods add up, their prior counts once, and halos counted at several redshifts."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest

import corundum as co
from corundum.inference import GaussNewton, Target, joint, maximise

X = np.linspace(0.0, 1.0, 6)
PRIORS = {"intercept": (-5.0, 5.0), "slope": (-5.0, 5.0)}


def line(error, name, slope=2.0, priors=PRIORS):
    function = lambda theta: theta[0] + theta[1] * X  # noqa: E731
    return Target.of_function(function, 1.0 + slope * X, np.full(6, error**2), priors, name=name)


def test_log_likelihoods_add_up_and_the_prior_counts_once():
    old, new = line(0.2, "old"), line(0.1, "new", slope=1.5)
    both = joint([old, new])
    u = jnp.array([0.3, -0.2])
    parts = old.ln_likelihood(u) + new.ln_likelihood(u)
    np.testing.assert_allclose(both.ln_likelihood(u), parts, rtol=1e-13)
    np.testing.assert_allclose(both.ln_density(u), parts + old.ln_prior(u), rtol=1e-13)
    slopes = jax.grad(old.ln_density)(u) + jax.grad(new.ln_likelihood)(u)
    np.testing.assert_allclose(jax.grad(both.ln_density)(u), slopes, rtol=1e-10)


def test_the_mode_is_that_of_weighted_least_squares():
    both = joint([line(0.2, "old"), line(0.1, "new", slope=1.5)])
    best = maximise(both, starts=2, optimiser=GaussNewton(gain=1e-9))
    slope = (2.0 / 0.2**2 + 1.5 / 0.1**2) / (1.0 / 0.2**2 + 1.0 / 0.1**2)
    np.testing.assert_allclose(best.theta, [1.0, slope], atol=2e-3)  # the mode is that of unbounded coordinates


def test_points_left_out_of_one_target_are_left_out_of_all():
    old = line(0.2, "old").with_data(np.array([1.0, np.nan, 1.0, 1.0, np.nan, 1.0]))
    both = joint([old, line(0.1, "new")])
    assert int(np.isfinite(np.asarray(both.data.y)).sum()) == 10
    points = jnp.zeros(2), jnp.array([0.3, -0.2])
    using, alone = both.using(["new"]), line(0.1, "new")
    expected = alone.ln_likelihood(points[0]) - alone.ln_likelihood(
        points[1]
    )  # points that do not count add a constant
    np.testing.assert_allclose(using.ln_likelihood(points[0]) - using.ln_likelihood(points[1]), expected, rtol=1e-12)


@pytest.mark.slow
def test_a_population_at_two_epochs_is_that_of_each(halos, model_of_epochs):
    model, free = model_of_epochs, ["mass_loading.constant"]
    today = Target(model, halos, ["shmr_moster18"], free)
    early = Target(model, halos, ["shmr_behroozi19_z2"], free, monte_carlo_error=0.5)
    both, u = joint([today, early]), today.start()
    parts = [target.ln_likelihood(u) for target in (today, early)]
    np.testing.assert_allclose(both.ln_likelihood(u), sum(map(float, parts)), rtol=1e-9)
    value, gradient = jax.value_and_grad(both.ln_density)(u)
    step = 1e-4
    slope = (both.ln_density(u + step) - both.ln_density(u - step)) / (2 * step)
    np.testing.assert_allclose(gradient[0], slope, rtol=1e-3)
    assert "MinimalRegulator in 10 halos and MinimalRegulator in 10 halos" in repr(both)


@pytest.fixture
def model_of_epochs():
    return co.models.MinimalRegulator()


def test_targets_that_do_not_fit_are_refused():
    old = line(0.2, "old")
    with pytest.raises(ValueError, match="got no target"):
        joint([])
    with pytest.raises(ValueError, match="old given twice"):
        joint([old, line(0.1, "old")])
    with pytest.raises(ValueError, match=r"targets 1 and 2 differ in free parameters: \['amplitude', 'slope'\]"):
        joint([old, line(0.1, "new", priors={"intercept": (-5.0, 5.0), "amplitude": (-5.0, 5.0)})])
    with pytest.raises(
        ValueError, match="targets 1 and 3 have different priors of slope: Uniform, -5 to 5 and Uniform"
    ):
        joint([old, line(0.1, "new"), line(0.1, "other", priors={**PRIORS, "slope": (-3.0, 5.0)})])
    lognormal = {**PRIORS, "slope": dist.LogNormal(0.0, 1.0)}  # both are "LogNormal, 0 to unbounded" in words
    with pytest.raises(ValueError, match="targets 1 and 2 have different priors of slope"):
        joint(
            [
                line(0.2, "old", priors=lognormal),
                line(0.1, "new", priors={**lognormal, "slope": dist.LogNormal(1.0, 1.0)}),
            ]
        )
    assert len(joint([line(0.2, "old", priors=lognormal), line(0.1, "new", priors=lognormal)]).data) == 12
    other = Target.of_function(
        lambda theta: theta[0] + theta[1] * X, X, np.ones(6), PRIORS, likelihood=co.inference.StudentT(), name="new"
    )
    with pytest.raises(ValueError, match="targets 1 and 2 have a different likelihood"):
        joint([old, other])
