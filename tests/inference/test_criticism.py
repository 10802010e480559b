"""Which law wants to change: scores against differences, evidences against exact ones, and planted departures."""

import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import stats

import corundum as co
from corundum import inference, models, physics
from corundum.inference.learned.criticism import _gain, _marginalised
from corundum.inference.learned.departures import with_departures

KNOTS = (1.7, 2.1)
LAWS = ["mass_loading", "depletion_time"]


@pytest.fixture(scope="module")
def target():
    model = models.MinimalRegulator(supplied_energy=0.6)
    halos = co.halos.diffmah_population(24, log_mvir=(10.5, 12.5), key=2)
    data = [co.observables.load("shmr_behroozi19_sf").between(10.8, 12.1), co.observables.load("coldgas_xgass")]
    return inference.Target(model, halos, data, ["stiffness"], redshifts=[0.0])


@pytest.fixture(scope="module")
def extended(target):
    return with_departures(target, LAWS, "log_vvir", KNOTS, 0.3)[0]


def prediction_with(target, extended, departure):
    """Data without noise from the model with these departures [dex]."""
    point = np.concatenate([np.asarray(target.start()), np.asarray(departure) / 0.3])
    return np.asarray(inference.predict(extended, point[None]).mean[0])


@pytest.mark.slow  # half a minute of compiling
def test_scores_are_slopes_of_the_posterior_and_the_free_parameters_are_marginalised(target, extended):
    criticism = inference.criticise(target, laws=LAWS, features="log_vvir", knots=KNOTS)
    assert criticism.laws == tuple(LAWS) and criticism.data == ("shmr_behroozi19_sf", "coldgas_xgass")
    assert extended.names[1:3] == ("mass_loading.departure.values.k0", "mass_loading.departure.values.k1")
    start = np.concatenate([np.asarray(target.start()), np.zeros(4)])
    moves = 0.02 * np.eye(5)
    high, low = (np.asarray(inference.ln_density_at(extended, start + sign * moves)) for sign in (1, -1))
    slope = (high - low) / 0.04
    linearised = inference.linearise(extended, start[None])
    np.testing.assert_allclose(linearised.gradient[0], slope, rtol=2e-2, atol=0.02 * np.abs(slope).max())
    information = inference.expected_information(extended, start)[0]  # prior included
    weights = information[1:, 0] / information[0, 0]
    score = np.asarray(linearised.gradient[0][1:]) - weights * np.asarray(linearised.gradient[0][0])
    np.testing.assert_allclose(criticism.score.ravel() * 0.3, score, rtol=1e-9)
    posterior = np.linalg.inv(information[np.ix_([0, 1, 2], [0, 1, 2])])
    np.testing.assert_allclose(criticism.shrinkage[0], np.sqrt(np.diag(posterior))[1:], rtol=1e-9)
    assert np.all((criticism.shrinkage > 0.0) & (criticism.shrinkage <= 1.0 + 1e-12))
    assert np.all(criticism.effective <= criticism.effective_all[:, None] + 0.5) and criticism.effective.shape == (2, 2)


def test_a_planted_departure_is_seen_in_its_law_and_place(target, extended):
    planted = prediction_with(target, extended, [0.0, 0.0, 0.0, 0.25])
    criticism = inference.criticise(target.with_data(planted), laws=LAWS, features="log_vvir", knots=KNOTS)
    assert [criticism.laws[k] for k in criticism.order] == ["depletion_time", "mass_loading"]
    assert criticism.gain[1] > 0.0 and np.argmax(criticism.gain_at[1]) == 1
    asked = criticism.departure[1][1]
    assert 0.1 < asked < 0.35 and abs(criticism.departure[1][0]) < 0.1
    assert criticism.table().splitlines()[2].startswith("| depletion_time | +")
    # The same data from the model itself ask for nothing, and freeing the law costs evidence.
    still = prediction_with(target, extended, np.zeros(4))
    criticism = inference.criticise(target.with_data(still), laws=LAWS, features="log_vvir", knots=KNOTS)
    np.testing.assert_allclose(criticism.departure, 0.0, atol=0.06)  # covariances depend on the laws a little
    assert np.all(criticism.gain < 0.0)


def test_a_fit_recovers_planted_departures_where_data_look_and_bands_hold_them(target, extended):
    """Mode and Laplace approximation with the values at knots free, from data of a model that departs."""
    truth = np.array([0.0, 0.0, -0.1, 0.25])
    fitted = extended.with_data(prediction_with(target, extended, truth))
    best = inference.maximise(fitted, starts=1)
    gaussian = inference.laplace(fitted, best)
    seen = gaussian.sigma[1:] < 0.5 * 0.3
    assert seen.any()
    np.testing.assert_allclose(gaussian.theta[1:][seen], truth[seen], atol=0.05)
    assert np.all(np.abs(gaussian.theta[1:] - truth) < 2.5 * gaussian.sigma[1:])
    draws = gaussian.draws(200, key=1)
    velocity = 10.0 ** np.array(KNOTS)
    bands = inference.law_bands(fitted, draws, "depletion_time", vvir=velocity)
    planted = np.asarray(physics.DepletionTime()(velocity, 0.0)) * 10.0 ** truth[2:]
    np.testing.assert_allclose(bands.base, physics.DepletionTime()(velocity, 0.0), rtol=1e-12)
    inside = (bands.percentiles[0] < planted) & (planted < bands.percentiles[4])
    assert np.all(inside)
    spread = np.percentile(draws[:, 3], [15.865, 84.135])  # at a knot the law moves by the value there
    np.testing.assert_allclose(np.log10(bands.percentiles[[1, 3], 0] / bands.base[0]), spread, atol=1e-3)
    with pytest.raises(ValueError, match="has no law loading; did you mean mass_loading"):
        inference.law_bands(fitted, draws, "loading")


def test_the_evidence_of_a_linear_model_is_exact():
    """With predictions J w and Gaussian errors, the ratio of evidences is that of two Gaussians of the data."""
    rng = np.random.default_rng(0)
    slopes, free = rng.normal(size=(7, 3)), rng.normal(size=(7, 1))
    errors, y = np.diag(rng.uniform(0.3, 1.0, 7)), rng.normal(size=7)
    inverse = np.linalg.inv(errors)
    whole = np.concatenate([free, slopes], axis=1)
    score, information = whole.T @ inverse @ y, whole.T @ inverse @ whole
    gain, mean, width = _gain(*_marginalised(score, information, np.eye(4), 1))
    base = errors + free @ free.T
    exact = stats.multivariate_normal(cov=base + slopes @ slopes.T).logpdf(y) - stats.multivariate_normal(
        cov=base
    ).logpdf(y)
    assert gain == pytest.approx(exact, rel=1e-9)
    total = np.linalg.inv(np.eye(4) + information)
    np.testing.assert_allclose(mean, (total @ score)[1:], rtol=1e-9)
    np.testing.assert_allclose(width, np.sqrt(np.diag(total))[1:], rtol=1e-9)


def test_departures_have_normal_priors():
    spline = physics.spline_law("log_vvir", base=physics.MassLoading(), knots=KNOTS)
    process = physics.gaussian_process_law("redshift", base=physics.DepletionTime(), knots=(0.0, 3.0))
    rising = physics.LearnedLaw(physics.EnergyLoading(), physics.RisingDeparture(KNOTS), ["log_vvir"])
    leak = models.LearnedFlow("cgm", "igm", "log_vvir", physics.SplineDeparture(KNOTS))
    model = models.ThermalCGM(
        mass_loading=spline, depletion_time=process, energy_loading=rising, processes={"leak": leak}
    )
    priors = inference.departure_priors(model, amplitude=0.2)
    scales = {name: float(prior.scale) for name, prior in priors.items()}
    assert scales == {
        "mass_loading.departure.values.k0": 0.2, "mass_loading.departure.values.k1": 0.2,
        "energy_loading.departure.first": 0.2, "energy_loading.departure.steps.k1": 0.2,
        "depletion_time.departure.white.k0": 1.0, "depletion_time.departure.white.k1": 1.0,
        "processes.leak.departure.values.k0": 0.2, "processes.leak.departure.values.k1": 0.2,
    }  # fmt: skip
    free = inference.free_parameters(model, co.cosmology.Cosmology(), list(priors), priors)
    steps = [name.split(".")[-2] == "steps" for name in priors]
    kinds = [dist.HalfNormal if step else dist.Normal for step in steps]
    assert all(isinstance(one.prior, kind) for one, kind in zip(free, kinds, strict=True)) and sum(steps) == 1


@pytest.mark.wrong_types
def test_what_does_not_fit_is_refused(target):
    with pytest.raises(ValueError, match="MinimalRegulator has no law loading that can depart; did you mean mass_load"):
        inference.criticise(target, laws=["loading"])
    with pytest.raises(ValueError, match="did you mean log_vvir"):
        inference.criticise(target, features="log_vir", knots=KNOTS)
    with pytest.raises(ValueError, match="give a positive standard deviation"):
        inference.criticise(target, amplitude=0.0)
    toy = inference.Target.of_function(lambda theta: theta, [1.0], [1.0], {"a": (0.0, 1.0)})
    with pytest.raises(ValueError, match="it is that of a function"):
        inference.criticise(toy)
