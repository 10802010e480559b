"""Leave-one-out cross-validation by Pareto-smoothed importance sampling, beside ArviZ where its versions agree."""

import warnings

import numpy as np
import pytest
from scipy import stats

from corundum.inference.evidence.leaving_out import leave_one_out, smoothed_weights
from corundum.storage.arviz_data import arviz, arviz_data

POINTS = np.array([-0.5, 0.3, 1.5, 4.0])


def ln_density(number, width=0.5):
    draws = np.random.default_rng(11).normal(0.0, width, size=(number, 1))
    return -0.5 * (POINTS - draws) ** 2


def test_numbers_are_those_of_arviz_0_23():
    elpd, k = leave_one_out(ln_density(400))
    np.testing.assert_allclose(
        elpd, [-0.3148305618529337, -0.18720451280643058, -1.5660654504169358, -10.212161805932919], rtol=1e-9
    )
    np.testing.assert_allclose(
        k, [0.4564674954826468, 0.17821513857114413, 0.32866440400907043, 0.7523454572995203], rtol=1e-9
    )


def test_numbers_are_those_of_any_arviz_where_tails_are_a_fifth_of_few_draws():
    values = ln_density(200)
    groups = {"posterior": {"number": np.zeros((1, 200))}, "log_likelihood": {"points": values[None]}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of points that are far out on purpose
        told = arviz().loo(arviz_data(groups), pointwise=True, reff=1.0)
    elpd, k = leave_one_out(values)
    np.testing.assert_allclose(elpd, getattr(told, "elpd_i" if hasattr(told, "elpd_i") else "loo_i"), rtol=1e-9)
    np.testing.assert_allclose(k, told.pareto_k, rtol=1e-9)


def test_a_point_left_out_is_predicted_by_the_others():
    """Draws from the posterior of n points of a Gaussian: what the other n - 1 predict for each is known."""
    points = np.random.default_rng(2).normal(size=20)
    mean, width = points.sum() / 21, 21**-0.5  # prior of mean 0 and width 1
    draws = mean + width * np.random.default_rng(3).normal(size=(20000, 1))
    elpd, k = leave_one_out(stats.norm.logpdf(points, draws, 1.0))
    exact = stats.norm.logpdf(points, (points.sum() - points) / 20, np.sqrt(1.0 + 1.0 / 20))
    np.testing.assert_allclose(elpd, exact, atol=0.01)
    assert (k < 0.5).all()


def test_few_draws_and_points_that_no_parameter_moves_are_counted_and_not_refused():
    elpd, k = leave_one_out(ln_density(10))
    assert np.isfinite(elpd).all() and np.isinf(k).all()
    values = ln_density(100)
    values[:, 1] = -2.0
    elpd, k = leave_one_out(values)
    assert elpd[1] == pytest.approx(-2.0) and np.isinf(k[1]) and np.isfinite(k[[0, 2, 3]]).all()


def test_weights_sum_to_one_and_none_is_raised_above_the_largest():
    raw = np.random.default_rng(1).standard_cauchy(500)
    weights, k = smoothed_weights(raw)
    assert np.exp(weights).sum() == pytest.approx(1.0) and k > 0.7
    assert (np.argsort(weights, kind="stable")[:-66] == np.argsort(raw, kind="stable")[:-66]).all()
    assert np.ptp(weights) <= np.ptp(raw) + 1e-9
