"""Calibrations of mocks: intervals hold the truth as often as they say, and an interrupted run goes on."""

import numpy as np
import pytest

import corundum as co
from corundum import inference, models, observables
from corundum.inference.calibration import evaluations

FREE = ["mass_loading.constant"]


@pytest.fixture(scope="module")
def stars():
    data = observables.load("shmr_behroozi19_sf").between(11.0, 12.4).scaled_errors(0.3)
    test = observables.SurveyTest(data, 0.0, "centrals", True, 0.03, "stars of halos")
    return observables.Survey("stars", "stars of halos", (test,))


@pytest.fixture(scope="module")
def halos():
    return _roots(60, 1)


def _roots(number, key, **cosmology):
    return co.halos.complete_roots(0.0, number, log_mvir=(10.5, 12.5), key=key, **cosmology)


def test_intervals_hold_the_truth_as_often_as_they_say(halos, stars):
    """Truths of the prior and errors of the data, in the same halos: ranks of the truth are uniform."""
    mocks = inference.calibrate_mocks(models.MinimalRegulator(), halos, stars, FREE, 16, damping=0.01)
    assert mocks.status_counts() == {"fitted": 16}
    share, error = mocks.coverage()
    assert abs(share[0] - 0.68) < 2.5 * error and mocks.uniformity()[0] > 0.01
    assert np.all(mocks.low < mocks.middle) and np.all(mocks.middle < mocks.high)
    # Truths differ by much more than the intervals are wide: it is not the prior that the intervals repeat.
    assert np.std(mocks.truth) > 3.0 * np.median(mocks.sigma)


def test_errors_that_are_understated_are_noticed(halos, stars):
    """The truth, of halos of its own, has a third more baryons, which errors of next to nothing do not allow for."""
    (test,) = stars.tests
    sure = stars._replace(tests=(test._replace(measurement=test.measurement.scaled_errors(1e-3), tolerance=1e-4),))
    rich = _roots(60, 1, cosmology=co.cosmology.Cosmology(omega_b=0.06))
    mocks = inference.calibrate_mocks(
        models.MinimalRegulator(), halos, sure, FREE, 5, truth_halos=lambda mock: rich, damping=0.01
    )
    assert mocks.coverage()[0][0] < 0.3


def test_an_interrupted_campaign_goes_on_without_solving_again(halos, stars, tmp_path, monkeypatch):
    store = co.io.Checkpoint(tmp_path / "mocks.npz")
    settings = dict(rounds=1, store=store)
    first = inference.calibrate_mocks(models.MinimalRegulator(), halos, stars, FREE, 2, **settings)
    solved, plain = [], evaluations.predict_survey
    monkeypatch.setattr(evaluations, "predict_survey", lambda *a, **k: solved.append(1) or plain(*a, **k))
    again = inference.calibrate_mocks(models.MinimalRegulator(), halos, stars, FREE, 2, **settings)
    assert not solved
    for name in ("truth", "low", "middle", "high", "rank", "gain"):
        assert np.array_equal(getattr(first, name), getattr(again, name))


def test_mocks_that_the_model_cannot_solve_are_counted(halos, stars, monkeypatch):
    from corundum.inference.calibration import mocks as module

    plain = module.predict_survey
    monkeypatch.setattr(module, "predict_survey", lambda *a, **k: (plain(*a, **k)[0], 12))
    result = inference.calibrate_mocks(models.MinimalRegulator(), halos, stars, FREE, 2, rounds=1)
    assert result.status_counts() == {"model fails at the truth": 2}


@pytest.mark.parametrize("number", [0, -3, 1.5])
def test_the_number_of_mocks_is_checked(halos, stars, number):
    with pytest.raises((ValueError, TypeError), match="number"):
        inference.calibrate_mocks(models.MinimalRegulator(), halos, stars, FREE, number)
