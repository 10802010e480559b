"""Calibration: steps against linear algebra, planted numbers found again, interruptions, and mistakes."""

import dataclasses

import numpy as np
import pytest
import scipy

import corundum as co
from corundum import inference, models, observables
from corundum.inference.calibration import calibrate as module
from corundum.inference.calibration import evaluations
from corundum.inference.calibration.least_squares import least_squares, ln_evidence_of
from corundum.inference.calibration.predictions import SurveyPrediction, thinned
from corundum.inference.calibration.slopes import designed_slopes

RNG = np.random.default_rng(5)
MATRIX = RNG.normal(size=(12, 4))
Y = RNG.normal(size=12)
COVARIANCE = np.diag(np.linspace(0.1, 0.5, 12))


def _linear(u, reached=None):
    reached = np.ones(12, bool) if reached is None else reached
    return SurveyPrediction(MATRIX @ u + 0.3, np.zeros(12), reached, 0)


def test_a_linear_prediction_ends_at_the_exact_mode_with_its_covariance():
    best = least_squares(_linear, Y, COVARIANCE, np.eye(12), np.zeros(4), rounds=3, damping=1e-3)
    weight = np.linalg.inv(COVARIANCE)
    information = MATRIX.T @ weight @ MATRIX + np.eye(4)
    exact = np.linalg.solve(information, MATRIX.T @ weight @ (Y - 0.3))
    np.testing.assert_allclose(best.u, exact, atol=1e-3)
    np.testing.assert_allclose(best.covariance, np.linalg.inv(information), rtol=1e-6)
    # The probability of the points, for u with the standard normal as prior, is known.
    exact = scipy.stats.multivariate_normal(np.full(12, 0.3), COVARIANCE + MATRIX @ MATRIX.T).logpdf(Y)
    assert ln_evidence_of(best, Y, COVARIANCE, np.eye(12)) == pytest.approx(exact, abs=1e-3)
    # And that of some of the points, at the mode of all of them: less than with the mode of their own.
    some = np.arange(12) < 7
    exact = scipy.stats.multivariate_normal(
        np.full(7, 0.3), (COVARIANCE + MATRIX @ MATRIX.T)[:7, :7]
    ).logpdf(Y[:7])  # fmt: skip
    assert exact - 3.0 < ln_evidence_of(best, Y, COVARIANCE, np.eye(12), some) < exact


def test_slopes_are_corrected_by_what_a_step_did():
    """A curved valley, which a single linearisation overshoots."""

    def curved(u):
        mean = np.array([u[0], 3.0 * (u[1] - u[0] ** 2), 0.2 * u[1]])
        return SurveyPrediction(mean, np.zeros(3), np.ones(3, bool), 0)

    y = np.array([1.0, 0.0, 0.2])
    best = least_squares(curved, y, 1e-4 * np.eye(3), np.eye(3), np.array([-0.8, 0.5]), rounds=8)
    assert best.misfit == sorted(best.misfit, reverse=True)
    np.testing.assert_allclose(best.u, [1.0, 1.0], atol=0.02)


def test_points_that_galaxies_no_longer_reach_win_nothing():
    """Where large u[0] loses the points that disagree most, their number still counts."""

    def losing(u):
        reached = np.arange(12) < (12 if u[0] < 0.5 else 6)
        return _linear(u, reached)

    best = least_squares(losing, Y, COVARIANCE, np.eye(12), np.zeros(4), rounds=2)
    assert best.counted.all() and best.misfit[-1] <= best.misfit[0]


def test_no_point_within_reach_is_refused():
    with pytest.raises(ValueError, match="galaxies reach no point of the survey at the start"):
        least_squares(lambda u: _linear(u, np.zeros(12, bool)), Y, COVARIANCE, np.eye(12), np.zeros(4))


@pytest.fixture(scope="module")
def planted():
    """Halos, and a survey that says what a regulator with another mass loading makes of them."""
    halos = co.halos.complete_roots(0.0, 24, log_mvir=(10.5, 12.5), key=1)
    truth = co.replace(models.MinimalRegulator(), {"mass_loading.constant": 2.5})
    test = observables.SurveyTest(observables.load("shmr_behroozi19_sf"), 0.0, "centrals", True, 0.02, "planted")
    survey = observables.Survey("planted", "what a known model makes", (test,))
    rows, failed = inference.predict_survey(truth, [halos], survey)
    assert failed == 0
    reached = np.asarray(rows.rows[0].prediction.reached)
    y = np.where(reached, np.asarray(rows.rows[0].prediction.mean), 0.0)
    known = dataclasses.replace(test.measurement, y=y).between(11.0, 12.4)
    return halos, survey._replace(tests=(test._replace(measurement=known),))


def test_a_planted_number_is_found_again_and_an_interruption_changes_nothing(planted, tmp_path, monkeypatch):
    halos, survey = planted
    store = co.io.Checkpoint(tmp_path / "calibration.npz")
    settings = dict(starts=3, rounds=3, damping=0.01, store=store)
    model = models.MinimalRegulator()
    best = inference.calibrate(model, halos, survey, ["mass_loading.constant"], **settings)
    assert best.lower["mass_loading.constant"] < 2.5 < best.upper["mass_loading.constant"]
    np.testing.assert_allclose(best.values["mass_loading.constant"], 2.5, rtol=0.05)
    assert best.after.rows[0].within and not best.before.rows[0].within and best.failed == 0
    # All evaluations were kept: the same steps are taken again without a single solve but those of the tables.
    solved = []
    plain = module.predict_survey
    for place in (module, evaluations):
        monkeypatch.setattr(place, "predict_survey", lambda *a, **k: solved.append(1) or plain(*a, **k))
    again = inference.calibrate(model, halos, survey, ["mass_loading.constant"], **settings)
    assert len(solved) == 2
    assert np.array_equal(again.fit.u, best.fit.u) and again.fit.misfit == best.fit.misfit
    with pytest.raises(ValueError, match="belongs to a different run"):
        inference.calibrate(model, halos, survey, ["mass_loading.constant", "depletion_time.amplitude"], **settings)


def test_evaluations_belong_to_the_galaxies_of_the_survey(planted, tmp_path):
    """The same data compared with other galaxies are another calibration."""
    halos, survey = planted
    settings = dict(rounds=1, store=co.io.Checkpoint(tmp_path / "calibration.npz"))
    inference.calibrate(models.MinimalRegulator(), halos, survey, ["mass_loading.constant"], **settings)
    others = survey._replace(tests=tuple(test._replace(galaxies="star-forming") for test in survey.tests))
    with pytest.raises(ValueError, match="belongs to a different run"):
        inference.calibrate(models.MinimalRegulator(), halos, others, ["mass_loading.constant"], **settings)


def test_galaxies_that_fail_win_nothing(planted, monkeypatch):
    """Where half of the galaxies fail, the relation of the others is on the data; the steps stay away from there."""
    halos, survey = planted
    measurement, plain = survey.tests[0].measurement, module.predict_survey

    def failing(model, samples, tests, values, **settings):
        rows, failed = plain(model, samples, tests, values, **settings)
        if values["mass_loading.constant"] < 1.0:
            return rows, failed
        exact = rows.rows[0].prediction._replace(mean=np.asarray(measurement.y))
        return rows._replace(rows=(rows.rows[0]._replace(prediction=exact),)), len(halos) // 2

    for place in (module, evaluations):
        monkeypatch.setattr(place, "predict_survey", failing)
    start = co.replace(models.MinimalRegulator(), {"mass_loading.constant": 0.9})
    best = inference.calibrate(start, halos, survey, ["mass_loading.constant"], rounds=1, damping=0.01)
    assert best.values["mass_loading.constant"] < 1.0 and best.failed == 0
    with pytest.raises(ValueError, match="12 galaxies fail at the start, more than 10%"):
        inference.calibrate(models.MinimalRegulator(), halos, survey, ["mass_loading.constant"])


def test_counts_are_soft_at_first_and_then_those_of_the_survey(planted, monkeypatch):
    """A passive fraction joins the survey: every stage evaluates it with its own width, the last with the usual one."""
    halos, survey = planted
    data = observables.load("passive_behroozi19")
    passive = observables.SurveyTest(data, 0.0, "centrals", True, 0.1, "counts")
    both = survey._replace(tests=(*survey.tests, passive))
    widths, plain = [], module.predict_survey

    def watched(model, samples, tests, *arguments, **settings):
        widths.append(float(tests.tests[-1].measurement.relation.width))
        return plain(model, samples, tests, *arguments, **settings)

    monkeypatch.setattr(evaluations, "predict_survey", watched)
    settings = dict(rounds=1, damping=0.01, count_widths=(0.4, 0.2))
    best = inference.calibrate(models.MinimalRegulator(), halos, both, ["mass_loading.constant"], **settings)
    sharp = float(data.relation.width)
    assert list(dict.fromkeys(widths)) == [0.4, 0.2, sharp]
    np.testing.assert_allclose(best.values["mass_loading.constant"], 2.5, rtol=0.1)


def test_slopes_in_fewer_halos_lead_to_the_same_place(planted, monkeypatch):
    halos, survey = planted
    sizes, plain = [], evaluations.predict_survey

    def watched(model, samples, *arguments, **settings):
        sizes.append(len(samples[0]))
        return plain(model, samples, *arguments, **settings)

    monkeypatch.setattr(evaluations, "predict_survey", watched)
    settings = dict(rounds=3, damping=0.01, slope_thinning=3)
    best = inference.calibrate(models.MinimalRegulator(), halos, survey, ["mass_loading.constant"], **settings)
    assert set(sizes) == {8, 24}
    np.testing.assert_allclose(best.values["mass_loading.constant"], 2.5, rtol=0.05)


def test_a_part_of_whole_trees_stands_for_all_of_them():
    forest = co.halos.complete_forest(0.0, 6, log_mvir=(11.0, 13.0), smallest=0.03)
    fewer = thinned(forest, 3)
    centrals = np.asarray(fewer.host) < 0
    assert np.sum(centrals) == 2 and len(fewer) < len(forest)
    ends, all_ends = (np.asarray(h.log_mvir)[np.asarray(h.host) < 0, -1] for h in (fewer, forest))
    assert set(ends) == set(np.sort(all_ends)[1::3])
    rows = [int(np.flatnonzero(np.asarray(forest.log_mvir)[:, -1] == end)[0]) for end in ends]
    np.testing.assert_allclose(np.asarray(fewer.weights)[centrals], 3.0 * np.asarray(forest.weights)[rows])


def test_upper_limits_do_not_count(planted):
    halos, survey = planted
    (test,) = survey.tests
    limits = tuple(i == 2 for i in range(len(test.measurement)))
    limited = test._replace(measurement=dataclasses.replace(test.measurement, upper_limit=limits))
    limited = survey._replace(tests=(limited,))
    best = inference.calibrate(models.MinimalRegulator(), halos, limited, ["mass_loading.constant"], rounds=1)
    assert best.points == len(test.measurement) - 1 == best.after.rows[0].reached


@pytest.mark.parametrize("arguments,message", [
    (dict(free=["mass_loading.constant"], ties={"mass_loading.constant": "mass_loading.constant"}), "is free itself"),
    (dict(free=["mass_loading.constant"], ties={"mas_loading": "mass_loading.constant"}), "is no number of the model"),
    (dict(free=["mass_loading.constant"], ties={"depletion_time.amplitude": "x"}), "follows x, which is not free"),
    (dict(free=[]), "free: got an empty list; name at least one number of the model"),
    (dict(free=["cosmology.omega_m"]), "would change the halos; calibrate numbers of the model"),
    (dict(free=["mass_loading.constant"], rounds=0), "rounds"),
    (dict(free=["mass_loading.constant"], slope_thinning=99), "slope_thinning: got 99 for 24 trees; give at most the"),
    (dict(free=["mass_loading.constant"], count_widths=(2.0,)), "count_widths: got 2; allowed above 0 and up to 1 dex"),
])  # fmt: skip
def test_mistakes_are_one_sentence(planted, arguments, message):
    halos, survey = planted
    with pytest.raises(ValueError, match=message):
        inference.calibrate(models.MinimalRegulator(), halos, survey, **arguments)


def test_a_survey_without_calibrating_tests_and_halos_of_other_redshifts_are_refused(planted):
    halos, survey = planted
    idle = survey._replace(tests=tuple(test._replace(calibrates=False) for test in survey.tests))
    with pytest.raises(ValueError, match="none of its tests calibrates"):
        inference.calibrate(models.MinimalRegulator(), halos, idle, ["mass_loading.constant"])
    late = survey._replace(tests=tuple(test._replace(redshift=3.0) for test in survey.tests))
    with pytest.raises(ValueError, match="counted at other redshifts than those of the survey, 3"):
        inference.predict_survey(models.MinimalRegulator(), [halos], late)


def test_evidences_are_those_of_the_points_that_all_models_reach(planted):
    """Halos of half the masses reach half of the points: evidences of both are taken on these."""
    halos, survey = planted
    model, few = models.MinimalRegulator(), co.halos.complete_roots(0.0, 24, log_mvir=(10.5, 11.6), key=1)
    whole, part = (
        inference.calibrate(model, sample, survey, ["mass_loading.constant"], rounds=1) for sample in (halos, few)
    )
    values, points = inference.ln_evidences([whole, part])
    assert points == part.points < whole.points
    assert values[1] == part.ln_evidence and values[0] != whole.ln_evidence
    with pytest.raises(ValueError, match="different points"):
        inference.ln_evidences([whole, part._replace(problem=part.problem._replace(y=part.problem.y + 1.0))])


def test_slopes_average_over_roughness_and_leave_out_evaluations_that_miss_a_point():
    """Of 27 numbers and 64 evaluations: an eighth of the roughness over the move, where a difference has 1.4 of it."""
    rng, matrix = np.random.default_rng(1), np.random.default_rng(2).normal(size=(30, 27))
    roughness, move = 0.05, 0.1

    def rough(u):
        reached = np.ones(30, bool)
        reached[0], reached[1] = rng.uniform() < 0.9, rng.uniform() < 0.3
        return SurveyPrediction(matrix @ u + roughness * rng.normal(size=30) * (np.arange(30) > 1), 0.0, reached, 0)

    slopes = designed_slopes(rough, np.zeros(27), np.full(27, move), lambda sentence: None)
    error = np.std((slopes - matrix)[2:])
    assert error == pytest.approx(roughness / (8.0 * move), rel=0.1)
    np.testing.assert_allclose(slopes[0], matrix[0], atol=1e-9)  # a plane through the evaluations that reach it
    np.testing.assert_array_equal(slopes[1], 0.0)
