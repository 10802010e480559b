"""Every method on a problem whose answer is known: a linear model, Gaussian errors, Gaussian priors."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats

from corundum import inference, io
from corundum.inference.samplers.hamiltonian import advance_chains
from corundum.inference.studies import mock_fits
from corundum.storage.arviz_data import arviz_data

SLOPES = np.array([[1.0, 0.5], [0.2, 2.0], [1.0, 1.0]])
COVARIANCE = np.diag([0.013, 0.043, 0.013]) + 0.003
Y = np.array([1.0, 2.0, 1.5])


def model(theta):
    return jnp.asarray(SLOPES) @ theta


@pytest.fixture(scope="module")
def target():
    priors = {"a": dist.Normal(0.0, 1.0), "b": dist.Normal(1.0, 2.0)}
    return inference.Target.of_function(model, Y, COVARIANCE, priors)


@pytest.fixture(scope="module")
def truth():
    """Mean and covariance of the posterior."""
    weight = np.linalg.inv(COVARIANCE)
    covariance = np.linalg.inv(SLOPES.T @ weight @ SLOPES + np.diag([1.0, 0.25]))
    return covariance @ (SLOPES.T @ weight @ Y + np.array([0.0, 0.25])), covariance


@pytest.fixture(scope="module")
def best(target):
    return inference.maximise(target, starts=4)


@pytest.fixture(scope="module")
def gauss(target, best):
    return inference.laplace(target, best)


def test_log_density_is_that_of_scipy(target):
    theta = np.array([0.3, 0.7])
    expected = stats.multivariate_normal(SLOPES @ theta, COVARIANCE).logpdf(Y)
    u = target.coordinates(theta)
    assert float(target.ln_likelihood(u)) == pytest.approx(expected, rel=1e-12)
    assert float(target.ln_density(u)) == pytest.approx(expected + stats.norm.logpdf(u).sum(), rel=1e-12)


def test_gradient_is_the_same_in_every_mode(target):
    u = jnp.array([0.3, 0.2])
    exact = SLOPES.T @ np.linalg.solve(COVARIANCE, Y - SLOPES @ np.asarray(target.theta(u))) * [1.0, 2.0] - u
    for mode in (jax.grad, jax.jacfwd, jax.jacrev):
        np.testing.assert_allclose(mode(target.ln_density)(u), exact, rtol=1e-10)
    value, slope = inference.value_and_gradient(target, u[None])
    np.testing.assert_allclose(slope[0], exact, rtol=1e-10)
    assert float(value[0]) == pytest.approx(float(target.ln_density(u)), rel=1e-13)
    np.testing.assert_allclose(
        jax.hessian(target.ln_density)(u), -inference.expected_information(target, u)[0], rtol=1e-9
    )


@pytest.mark.parametrize(
    "optimiser",
    [inference.GaussNewton(), inference.BFGS(), inference.Adam()],
    ids=["gauss-newton", "bfgs", "adam"],
)
def test_optimisers_find_the_mode(target, truth, optimiser):
    found = inference.maximise(target, starts=4, optimiser=optimiser)
    np.testing.assert_allclose(found.theta, truth[0], atol=1e-4)
    assert found.converged and len(found.modes) == 1 and "one mode" in found.in_words()


def test_laplace_is_exact_for_a_gaussian(gauss, truth):
    scale = np.array([1.0, 2.0])
    np.testing.assert_allclose(gauss.covariance * np.outer(scale, scale), truth[1], rtol=1e-6)
    np.testing.assert_allclose(gauss.observed, gauss.expected, rtol=1e-6)
    np.testing.assert_allclose(gauss.sigma, np.sqrt(np.diag(truth[1])), rtol=1e-3)
    assert gauss.kind == "observed"


def test_exact_and_differenced_curvature_agree(target, best, gauss):
    exact = inference.laplace(target, best, curvature=inference.Exact())
    np.testing.assert_allclose(exact.observed, gauss.observed, rtol=1e-7)


def test_identifiability_names_the_directions(target, best):
    told = inference.identifiability(target, best)
    covariance = np.linalg.inv(inference.expected_information(target, best.u)[0])
    width = np.sqrt(np.diag(covariance))
    assert told.condition_fisher == pytest.approx(np.linalg.cond(np.linalg.inv(covariance)))
    assert told.condition_correlation == pytest.approx(np.linalg.cond(covariance / np.outer(width, width)))
    assert told.fisher.effective == pytest.approx(2.0, abs=0.05)
    assert "of the correlation matrix" in told.in_words() and " b" in told.fisher.leading_terms(0)


def check(posterior, truth, sigmas=5.0):
    draws, (mean, covariance) = posterior.flat, truth
    size = posterior.verdict.table["ess_bulk"]
    width = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(draws.mean(0) - mean) < sigmas * width / np.sqrt(size))
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=sigmas * np.sqrt(2.0 / size.min()) * width.max() ** 2)


def test_a_fit_without_chains_is_an_arviz_file_too(target, gauss, truth, tmp_path):
    draws = inference.gaussian_posterior(target, gauss, draws=8000, key=4)
    assert draws.theta.shape == (4, 2000, 2)
    np.testing.assert_allclose(draws.flat.mean(axis=0), truth[0], atol=0.05)
    np.testing.assert_allclose(np.cov(draws.flat.T), truth[1], atol=0.1)
    inference.keep_mode(draws.data, gauss)
    io.save_posterior(tmp_path / "posterior.nc", draws.data)
    data = io.load_posterior(tmp_path / "posterior.nc")
    assert "Gaussian about the mode" in data.attrs["sampler"]
    constant = data.constant_data
    assert constant["parameter"].values.tolist() == ["a", "b"]
    np.testing.assert_array_equal(constant["mode"], gauss.theta)
    np.testing.assert_array_equal(constant["covariance_u"], gauss.covariance)
    np.testing.assert_allclose(target.theta(constant["mode_u"].values), gauss.theta)


@pytest.fixture(scope="module")
def chains(target, gauss):
    return inference.sample(target, gauss, sampler=inference.NUTS(chains=4, warmup=100, draws=400), key=3)


def test_nuts(chains, truth):
    check(chains, truth)
    assert chains.verdict.good, chains.verdict.sentence
    assert {"posterior", "prior", "sample_stats", "observed_data", "constant_data"} <= set(chains.data)
    assert chains.data.posterior["a"].attrs["units"] == "1" and chains.data.posterior["a"].dims == ("chain", "draw")


def test_results_print_as_a_few_lines(target, best, gauss, chains):
    shown = {name: repr(value).splitlines() for name, value in (("b", best), ("g", gauss), ("c", chains))}
    assert shown["b"][0].startswith("PointEstimate: 4 of 4 starts converged; one mode; ln density")
    assert shown["g"][0] == "Laplace: Gaussian of the observed information, 2 parameters"
    assert shown["c"][0].startswith("Posterior: 4 chains of 400 draws of 2 parameters; trustworthy: largest R-hat")
    for lines in shown.values():
        assert len(lines) == 3 and lines[1].startswith("  a ") and lines[2].startswith("  b ")
    low, middle, high = gauss.percentiles()[:, 0]
    assert shown["g"][1].split() == ["a", f"{middle:.3g}", f"-{middle - low:.2g}", f"+{high - middle:.2g}"]


def test_trajectories_of_one_length(target, gauss, truth):
    sampler = inference.HMC(trajectory=1.5, chains=4, warmup=100, draws=400)
    found = inference.sample(target, gauss, sampler=sampler, key=4)
    check(found, truth)
    assert found.data.attrs["sampler"] == "HMC (numpyro)"
    stats = found.data.sample_stats
    assert np.all(stats.n_steps <= np.ceil(1.5 * 1.5 / stats.step_size)) and float(stats.n_steps.mean()) < 3


def test_chains_learn_from_each_other_in_warm_up(target, gauss, truth):
    """A start whose widths are wrong is forgotten; chains of one posterior get one step size."""
    wrong = gauss._replace(covariance=np.diag([36.0, 1.0 / 36.0]) * np.diag(gauss.covariance))
    steps = {}
    for adapt in (False, True):
        sampler = inference.HMC(trajectory=1.5, adapt_mass=adapt, chains=4, warmup=100, draws=400)
        found = inference.sample(target, wrong, sampler=sampler, key=5)
        assert len(np.unique(found.data.sample_stats.step_size)) == 1
        steps[adapt] = float(found.data.sample_stats.n_steps.mean())
    check(found, truth)
    assert steps[True] < 3 and steps[False] > 3 * steps[True], steps


@pytest.mark.parametrize("kind", [inference.AffineInvariant, inference.SliceEnsemble], ids=["aies", "ess"])
def test_ensembles(target, gauss, truth, kind):
    check(inference.sample(target, gauss, sampler=kind(walkers=8, warmup=100, draws=400)), truth)


class Independent(inference.AbstractSampler):
    """Draws of the Laplace approximation itself: what the smallest sampler of a user looks like."""

    chains: int = 2
    draws: int = 300

    def sample(self, target, start, *, key, store=None, progress=None):
        u = start.coordinate_draws(self.chains * self.draws, key=key)
        return inference.Chains(u.reshape(self.chains, self.draws, -1))


def test_a_sampler_of_a_user_samples_fits_mocks_and_forecasts(target, best, truth):
    posterior = inference.sample(target, best, sampler=Independent(), key=5)
    check(posterior, truth)
    assert posterior.data.attrs["sampler"] == "Independent" and posterior.data.attrs["draws"] == 300
    mocks = inference.campaign(target, 4, halos=None, block=2, key=9, fit=inference.FitSampler(Independent()))
    assert mocks.status_counts() == {"fitted": 4} and np.all(np.isfinite(mocks.middle))
    assert len(np.unique(mocks.middle)) == mocks.middle.size
    scenarios = inference.scaled_scenarios((1.0,))
    forecast = inference.forecast(target, best.u, scenarios, sample=[scenarios[0].name], sampler=Independent())
    np.testing.assert_allclose(forecast.sigma_sampled, forecast.sigma_fisher, rtol=0.2)


class Wrong(Independent):
    returned: object = None

    def sample(self, target, start, *, key, store=None, progress=None):
        return self.returned


def test_what_a_sampler_of_a_user_returns_is_checked(target, gauss):
    with pytest.raises(TypeError, match="sampler Wrong: returned list; expected corundum.inference.Chains"):
        inference.sample(target, gauss, sampler=Wrong(returned=[1.0]))
    flat = inference.Chains(np.zeros((10, 2)))
    with pytest.raises(ValueError, match=r"Wrong: returned u of shape \(10, 2\); expected \(chains, draws, 2\)"):
        inference.sample(target, gauss, sampler=Wrong(returned=flat))


@pytest.mark.wrong_types
def test_what_is_no_sampler_is_refused(target, gauss):
    for wrong in ("nuts", inference.NUTS):
        with pytest.raises(TypeError, match="sampler: got .*; (write NUTS|give an object derived from Abstract)"):
            inference.sample(target, gauss, sampler=wrong)
    for settings in (dict(chains=0), dict(warmup=0.5), dict(draws=3)):
        with pytest.raises(ValueError, match="give a whole number of at least"):
            inference.HMC(**settings)
    with pytest.raises(ValueError, match="HMC trajectory: got -1.0; allowed a positive number"):
        inference.HMC(trajectory=-1.0)
    with pytest.raises(ValueError, match="walkers: got 5; allowed an even number from 4, twice the number"):
        inference.sample(target, gauss, sampler=inference.AffineInvariant(walkers=5))


def test_names_that_no_posterior_can_hold_are_refused_before_the_draws(gauss):
    target = inference.Target.of_function(lambda theta: theta, [1.0], [0.1], {"M/L": (0.0, 1.0)}, name="stars")
    for draw in (inference.sample, lambda target: inference.gaussian_posterior(target, gauss)):
        with pytest.raises(ValueError, match="target: a posterior cannot hold M/L; give names without '/'"):
            draw(target)


def test_predictive_groups(target, chains):
    full = inference.add_predictive(target, chains, 100)
    assert {"posterior_predictive", "prior_predictive", "log_likelihood"} <= set(full.data)
    assert set(full.data) - set(chains.data) == {"posterior_predictive", "prior_predictive", "log_likelihood"}
    again = inference.add_predictive(target, full, 50).data
    assert again["log_likelihood"].sizes["draw"] == 50 and full.data["log_likelihood"].sizes["draw"] == 100
    told = inference.predictive(target, chains.thinned(200))
    assert 0.0 < told.p_value["data"] < 1.0 and told.failed == 0
    # The density of a point given the others is the joint density over that of the others.
    theta = np.array([0.3, 0.7])
    u = target.coordinates(theta)
    each = target.point_ln_likelihoods(target.predict(u), target.values(u))
    mean = SLOPES @ theta
    joint = stats.multivariate_normal(mean, COVARIANCE).logpdf(Y)
    for i in range(3):
        rest = np.delete(np.arange(3), i)
        others = stats.multivariate_normal(mean[rest], COVARIANCE[np.ix_(rest, rest)]).logpdf(Y[rest])
        assert float(each[i]) == pytest.approx(joint - others, rel=1e-10)


def test_a_point_that_does_not_count_is_as_if_it_were_not_there(target):
    fewer = target.with_data(np.array([1.0, np.nan, 1.5]))
    theta = np.array([0.3, 0.7])
    keep = [0, 2]
    expected = stats.multivariate_normal((SLOPES @ theta)[keep], COVARIANCE[np.ix_(keep, keep)]).logpdf(Y[keep])
    got = float(fewer.ln_likelihood(target.coordinates(theta)))
    assert got == pytest.approx(expected - 0.5 * np.log(2 * np.pi), rel=1e-12)
    information = inference.expected_information(fewer, np.zeros(2))[0]
    slopes = SLOPES[keep] * [1.0, 2.0]
    np.testing.assert_allclose(
        information, slopes.T @ np.linalg.solve(COVARIANCE[np.ix_(keep, keep)], slopes) + np.eye(2)
    )


def test_two_modes_are_told_apart():
    target = inference.Target.of_function(lambda t: t**2, [1.0], [0.01], {"a": (-3.0, 3.0)})
    found = inference.maximise(target, starts=8)
    (first, height, reached), (second, other, others) = found.modes
    words = f"; mode 1 at ln density {height:.2f} ({reached} starts); mode 2 at ln density {other:.2f} ({others} start"
    assert words in found.in_words() and reached + others == 8
    assert f"{first[0]:6.3g}  {second[0]:6.3g}" in repr(found)  # a column for each
    np.testing.assert_allclose(sorted(m[0][0] for m in found.modes), [-1.0, 1.0], atol=0.02)


@pytest.fixture(scope="module")
def mocks(target):
    return inference.campaign(target, 256, halos=None, block=64, key=8)


@pytest.mark.slow
def test_mocks_of_a_right_model_are_calibrated(mocks):
    assert mocks.status_counts() == {"fitted": 256}
    share, error = mocks.coverage()
    assert np.all(np.abs(share - 0.6827) < 3.5 * error)
    assert np.all(mocks.uniformity() > 1e-3)
    assert "68% intervals hold" in mocks.verdict()
    levels, curve = mocks.curve()
    assert np.abs(curve - levels[:, None]).max() < 0.12


@pytest.mark.slow
def test_errors_halved_on_purpose_are_detected(target):
    wrong = target.scaled_errors(0.5)

    class Overconfident(inference.FitLaplace):
        def __call__(self, _, y, truth, key, store=None):
            return super().__call__(wrong, y, truth, key, store)

    told = inference.campaign(target, 128, halos=None, block=64, key=6, fit=Overconfident())
    assert np.all(told.uniformity() < 0.05) and "not calibrated" in told.verdict()


@pytest.mark.slow
def test_mocks_by_sampling_are_calibrated(target):
    fit = inference.FitSampler(inference.NUTS(chains=1, warmup=50, draws=100))
    told = inference.campaign(target, 64, halos=None, block=64, key=7, fit=fit)
    share, error = told.coverage()
    assert np.all(np.abs(share - 0.6827) < 3.5 * error)


def test_a_stray_walker_is_told(target, gauss):
    made = inference.sample(target, gauss, sampler=inference.AffineInvariant(walkers=16, warmup=100, draws=800))
    assert "chains disagree" not in made.verdict.sentence
    values = {name: np.array(made.data.posterior[name]) for name in made.names}
    for each in values.values():
        each[5] = each.mean() - 8.0 * each.std()
    stray = inference.posterior.verdict(arviz_data({"posterior": values}), together=True)
    assert "chains disagree" in stray.sentence and not stray.good


def test_walkers_need_not_be_a_multiple_of_four(target, gauss):
    made = inference.sample(target, gauss, sampler=inference.AffineInvariant(walkers=6, warmup=20, draws=40))
    assert made.theta.shape == (6, 40, 2) and np.isfinite(made.verdict.table["rhat"]).all()


def test_the_verdict_names_a_mode_on_which_chains_disagree():
    """The square of a parameter is known: chains that begin near -1 never see 1."""
    squared = inference.Target.of_function(lambda theta: theta**2, [1.0], [1e-3], {"a": dist.Normal(0.3, 1.0)})
    rng = np.random.default_rng(0)
    sign = np.array([1.0, -1.0, 1.0, 1.0])[:, None, None]
    u = (sign * (1.0 + 0.016 * rng.normal(size=(4, 200, 1)))) - 0.3
    verdict = inference.posterior.posterior_of(squared, inference.Chains(u), {}).verdict
    assert not verdict.good
    assert "chain 2 of 4 stays at a = -1 and the others at 1: modes between which chains do not" in verdict.sentence
    assert "NestedSampler gives each its share; R-hat of a is" in verdict.sentence
    slow = u[[0, 2, 3, 0]] + np.array([0.0, 0.01, 0.02, 0.03])[:, None, None]
    one_mode = inference.posterior.posterior_of(squared, inference.Chains(slow), {}).verdict
    assert "chains disagree" in one_mode.sentence and "modes" not in one_mode.sentence


def test_posteriors_of_other_data_warm_up_apart(target):
    weight = np.linalg.inv(COVARIANCE)
    covariance = np.linalg.inv(SLOPES.T @ weight @ SLOPES + np.diag([1.0, 0.25]))
    y = np.repeat([Y, Y + [3.0, -1.0, 0.5]], 2, axis=0)
    sampler = inference.NUTS(chains=2, warmup=150, draws=400)
    covariances = np.repeat(np.eye(2)[None], 4, 0)
    made = advance_chains(sampler, sampler.moves(), target, np.zeros((4, 2)), covariances, y, key=3)
    steps = made.stats["step_size"][:, -1]
    assert steps[0] == steps[1] and steps[2] == steps[3] and steps[0] != steps[2]
    theta = np.asarray(target.theta(made.u)).reshape(2, -1, 2)
    for own, draws in zip(y[::2], theta, strict=True):
        mean = covariance @ (SLOPES.T @ weight @ own + np.array([0.0, 0.25]))
        np.testing.assert_allclose(draws.mean(axis=0), mean, atol=4.0 * np.sqrt(covariance.max() / 200))
        np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.3 * covariance.max())


def test_a_campaign_goes_on_inside_a_block(target, tmp_path):
    class Dying(io.Checkpoint):
        left = 4

        def save(self, arrays, identity=None):
            super().save(arrays, identity)
            Dying.left -= 1
            if not Dying.left:
                raise KeyboardInterrupt

    def campaign(unfinished=None):
        fit = inference.FitSampler(inference.NUTS(chains=2, warmup=30, draws=40))
        return inference.campaign(target, 4, halos=None, block=2, key=9, fit=fit, unfinished=unfinished)

    with pytest.raises(KeyboardInterrupt):
        campaign(lambda name: Dying(tmp_path / name))
    (kept,) = tmp_path.iterdir()
    made = int(io.Checkpoint(kept).load()["done"])
    assert 0 < made < 70
    resumed, whole = campaign(lambda name: io.Checkpoint(tmp_path / name)), campaign()
    for one, other in zip(resumed[2:], whole[2:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_forecasts_follow_the_errors(target, best):
    scenarios = [*inference.scaled_scenarios((1.0, 0.1)), *inference.shift_scenarios(target, 0.1)]
    sampler = inference.NUTS(chains=2, warmup=50, draws=300)
    told = inference.forecast(target, best.u, scenarios, sample=["errors x 0.1"], sampler=sampler)
    assert np.all(told.sigma_fisher[1] < 0.15 * told.sigma_fisher[0])
    np.testing.assert_allclose(told.sigma_sampled[1], told.sigma_fisher[1], rtol=0.2)
    assert np.isnan(told.sigma_sampled[0]).all() and told.bits[1] > told.bits[0]
    weight = np.linalg.inv(COVARIANCE)
    moved = np.linalg.inv(SLOPES.T @ weight @ SLOPES + np.diag([1.0, 0.25])) @ (SLOPES.T @ weight @ np.full(3, 0.1))
    np.testing.assert_allclose(told.bias[2], moved, rtol=1e-8)


def test_the_condition_of_a_fit_without_a_covariance_is_not_a_number():
    """A mock whose model fails everywhere has a covariance of NaN, which has no singular values."""
    matrices = np.array([np.eye(2), [[1.0, 0.6], [0.6, 1.0]], np.full((2, 2), np.nan)])
    condition = mock_fits._conditions(matrices)
    np.testing.assert_allclose(condition[:2], [1.0, 4.0])
    assert np.isnan(condition[2])
