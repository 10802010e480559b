"""Few halos with what many predict: a population of plain numbers, whose mean over all halos is known exactly."""

from types import SimpleNamespace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.inference.evaluate import uncorrected, with_correction
from corundum.inference.learned.departures import with_departures
from corundum.inference.samplers.chains import ingredients
from corundum.inference.surrogates.control import both_predictions, in_other_halos, with_learned
from corundum.storage.checkpoints import fingerprints

X = np.linspace(-1.0, 1.0, 6)
TIME, GROWTH = np.geomspace(1.0, 13.0, len(X)), np.linspace(10.0, 12.0, len(X))


class Toy(co.inference.AbstractSummaries):
    """A line whose galaxies deviate by more where the slope is larger; over all halos the deviations vanish."""

    halos: co.halos.HaloHistories

    def __call__(self, values):
        level, slope = values["level"], values["slope"]
        line = level + slope * X
        own = 10.0 * (self.halos.log_mvir - GROWTH) * (1.0 + 0.3 * slope + 0.2 * jnp.sin(2.0 * level) * X)
        size = len(self.halos)
        error = jnp.std(own, axis=0, ddof=1) / np.sqrt(size)
        return co.inference.Prediction(
            line + jnp.mean(own, axis=0), error, jnp.std(own, axis=0), jnp.ones(len(X), bool), jnp.zeros(())
        )


def halos_of(number, key):
    """Halos whose masses at six times hold the deviations of galaxies at the six points."""
    deviations = np.random.default_rng(key).normal(scale=0.5, size=(number, len(X)))
    return co.halos.HaloHistories(TIME, GROWTH + 0.1 * deviations, np.full(deviations.shape, 0.9))


def target_of(halos, error=0.05):
    y = 0.4 + 0.8 * X + error * np.random.default_rng(5).normal(size=len(X))
    plain = co.inference.Target.of_function(
        lambda theta: theta[0] + theta[1] * X, y, np.full(len(X), error**2),
        {"level": (-2.0, 2.0), "slope": (-2.0, 2.0)},
    )  # fmt: skip
    return eqx.tree_at(lambda target: target.summaries, plain, Toy(halos))


@pytest.fixture(scope="module")
def samples():
    few, many = target_of(halos_of(12, 1)), target_of(halos_of(3000, 2))
    corrected = co.inference.control_variate(few, many.summaries.halos, points=60)
    return SimpleNamespace(few=few, many=many, corrected=corrected, best=co.inference.maximise(many, starts=2))


def places(samples, number=40):
    gauss = co.inference.laplace(samples.many, samples.best)
    return gauss.coordinate_draws(number, key=9)


def test_predictions_are_those_of_many_halos(samples):
    u = places(samples)
    few, many, corrected = (co.inference.predict(t, u) for t in (samples.few, samples.many, samples.corrected))
    off = np.abs(np.asarray(corrected.mean - many.mean))
    assert np.all(off < 0.05 * np.asarray(many.error)) and np.max(np.abs(few.mean - many.mean)) > 0.1
    np.testing.assert_allclose(corrected.error, many.error, rtol=0.02)
    assert np.all(np.asarray(few.error) > 5.0 * np.asarray(corrected.error))


def test_the_mode_is_that_of_many_halos(samples):
    sigma = np.sqrt(np.diag(co.inference.laplace(samples.many, samples.best).covariance))
    ends = [co.inference.maximise(target, starts=2).u for target in (samples.few, samples.corrected)]
    before, after = (np.abs(end - samples.best.u) / sigma for end in ends)
    assert before.max() > 0.5 and after.max() < 0.05
    gradient = co.inference.value_and_gradient(samples.corrected, ends[1][None])[1]
    assert np.all(np.abs(np.asarray(gradient)) * sigma < 0.1)


def test_errors_cover_the_truth():
    """Pulls of corrected predictions from those of all halos, whose deviations vanish, are standard normal."""
    pulls = []
    for key in range(40):
        few, many = (target_of(halos_of(number, [key, number])) for number in (10, 150))
        u = np.random.default_rng(key).normal(scale=0.2, size=(16, 2))
        corrected = with_learned(few, both_predictions(few, many, u))
        at = np.array([[0.1, -0.1]])
        prediction, theta = co.inference.predict(corrected, at), np.asarray(few.theta(at[0]))
        pulls.append(np.asarray(prediction.mean[0] - theta[0] - theta[1] * X) / np.asarray(prediction.error[0]))
    assert 0.85 < np.std(pulls) < 1.15 and abs(np.mean(pulls)) < 0.2


def test_an_error_that_was_not_learned_is_added(samples):
    """A surrogate that says how far it is off has that in the error, in quadrature with the error of many halos."""

    class Rough(co.inference.KernelSurrogate):
        def learn(self, *args):
            return eqx.tree_at(lambda emulator: emulator.misfit, super().learn(*args), jnp.full(len(X), 0.3))

    rough = co.inference.control_variate(samples.few, samples.many.summaries.halos, points=30, surrogate=Rough())
    u = places(samples, 4)
    error = np.asarray(co.inference.predict(samples.many, u).error)
    np.testing.assert_allclose(co.inference.predict(rough, u).error, np.hypot(error, 0.3), rtol=0.05)


def test_far_from_all_points_the_error_of_few_halos_is_back(samples):
    far = samples.corrected.correction.center + 500.0 * np.linalg.inv(samples.corrected.correction.whitener)[:, 0]
    near = samples.few.predict(far)
    corrected = samples.corrected.predict(far)
    assert np.all(np.asarray(corrected.error) > 0.99 * np.asarray(near.error))
    assert np.all(np.abs(np.asarray(corrected.mean - near.mean)) < 2.0)  # a quadratic would be off by thousands


def test_posteriors_of_subsets_are_those_of_the_whole_sample():
    whole = target_of(halos_of(400, 6))
    chains = co.inference.sample(whole, sampler=co.inference.SurrogateHMC(chains=4, warmup=40, draws=100))
    draws = chains.u.reshape(-1, 2)
    result = co.inference.control_convergence(whole, whole, draws, [10, 40], points=60, repeats=3)
    assert result.without.shape == (2, 3, 2) and np.sqrt(np.mean(result.without[0] ** 2)) > 0.5
    assert np.max(np.abs(result.corrected)) < 0.05 and np.all(result.off < 0.05) and np.all(result.effective > 350)
    np.testing.assert_allclose(result.width, 1.0, rtol=0.05)
    with pytest.raises(ValueError, match="sizes: got \\[400\\]"):
        co.inference.control_convergence(whole, whole, draws, [400])


def test_points_may_be_named(samples):
    few, halos = samples.few, samples.many.summaries.halos
    u = places(samples, 30)
    own = co.inference.control_variate(few, halos, u)
    np.testing.assert_allclose(own.correction.center, u.mean(axis=0))
    about = co.inference.control_variate(few, halos, samples.best.u, points=30, monte_carlo_error=0.5)
    spread = np.abs(np.asarray(about.correction.center) - samples.best.u)
    assert np.all(spread < 0.2)
    ratio = np.asarray(about.predict(samples.best.u).error) / np.asarray(samples.many.predict(samples.best.u).error)
    np.testing.assert_allclose(ratio, 0.5, rtol=0.05)


def test_the_correction_stays_and_goes(samples):
    corrected, u = samples.corrected, jnp.asarray(samples.best.u)
    assert "predictions corrected to those of many halos" in repr(corrected) and "corrected" not in repr(samples.few)
    for same in (corrected.with_data(np.zeros(len(X))), corrected.using(["data"]), corrected.scaled_errors(2.0)):
        np.testing.assert_array_equal(same.predict(u).mean, corrected.predict(u).mean)
    other = corrected.with_halos(halos_of(12, 1))
    assert other.correction is None
    for plain in (other, uncorrected(corrected)):
        np.testing.assert_allclose(plain.predict(u).mean, samples.few.predict(u).mean)


def test_runs_with_another_correction_are_other_runs(samples):
    again = co.inference.control_variate(samples.few, samples.many.summaries.halos, points=60)
    another = co.inference.control_variate(samples.few, samples.many.summaries.halos, points=61)
    marks = [
        fingerprints(ingredients(t))["model"] for t in (samples.few, samples.corrected, again, another)
    ]  # fmt: skip
    assert marks[1] == marks[2] and len(set(marks)) == 3


def test_chains_of_a_corrected_target_have_the_posterior_of_many_halos(samples):
    means = []
    for target in (samples.many, samples.corrected):
        posterior = co.inference.sample(target, sampler=co.inference.SurrogateHMC(chains=4, warmup=40, draws=200))
        means.append((posterior.u.reshape(-1, 2).mean(axis=0), posterior.u.reshape(-1, 2).std(axis=0)))
    (mean, width), (other, its_width) = means
    assert np.all(np.abs(other - mean) < 0.25 * width)
    np.testing.assert_allclose(its_width, width, rtol=0.25)


def test_data_that_many_halos_do_not_reach_are_left_out(samples):
    u = places(samples, 20)
    known = both_predictions(samples.few, in_other_halos(samples.few, samples.many.summaries.halos), u)
    reached = np.ones((20, len(X)), bool)
    reached[:12, 5], reached[:8, 2] = False, False  # at 40 per cent of the points, and at 60
    shorter = with_learned(samples.few, known._replace(many=known.many._replace(reached=reached)))
    assert np.isfinite(np.asarray(shorter.data.y)).tolist() == [True] * 5 + [False]
    nowhere = known._replace(many=known.many._replace(reached=np.zeros_like(reached)))
    with pytest.raises(ValueError, match="galaxies reach no datum at most of the points"):
        with_learned(samples.few, nowhere)


def test_refusals(samples):
    few, halos = samples.few, samples.many.summaries.halos
    with pytest.raises(ValueError, match="points: got 3"):
        co.inference.control_variate(few, halos, points=3)
    with pytest.raises(ValueError, match="monte_carlo_error: got -1"):
        co.inference.control_variate(few, halos, monte_carlo_error=-1.0)
    plain = co.inference.Target.of_function(lambda theta: theta * X, X, np.ones(len(X)), {"slope": (0.0, 1.0)})
    with pytest.raises(ValueError, match="the target has no halos"):
        co.inference.control_variate(plain, halos)
    with pytest.raises(ValueError, match="joint: the target is corrected"):
        co.inference.joint([samples.corrected])
    known = both_predictions(few, in_other_halos(few, halos), places(samples, 8))
    failing = known._replace(many=known.many._replace(failed=np.ones(8)))
    with pytest.raises(ValueError, match="could be solved at 0 of 8 points, and 4 are needed"):
        with_learned(few, failing)


def test_laws_and_networks_of_a_corrected_target_are_refused():
    halos = co.halos.diffmah_population(8, log_mvir=(11.0, 13.0))
    few = co.inference.Target(co.models.ThermalCGM(), halos, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"])
    corrected = with_correction(few, Toy(halos))
    with pytest.raises(ValueError, match="train: the target is corrected to the predictions of many halos"):
        co.inference.PopulationObjective(corrected)
    with pytest.raises(ValueError, match="target: the target is corrected"):
        with_departures(corrected, ["mass_loading"], "log_vvir", (1.5, 2.5), 0.3)
