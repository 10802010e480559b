"""Errors of predictions from the finite number of halos: beside the scatter between many samples."""

import numpy as np
import pytest

import corundum as co
from corundum import inference, models, observables
from corundum.inference.calibration.sampling import with_sampling_errors

MODEL = models.MinimalRegulator()


@pytest.fixture(scope="module")
def survey():
    tests = {test.measurement.name: test for test in observables.survey("reference").at([0.0]).tests}
    chosen = ("smf_driver22", "shmr_behroozi19", "sfms_davies16")
    return observables.Survey("three", "counts and means", tuple(tests[name] for name in chosen))


def test_errors_are_the_scatter_between_samples_of_halos(survey):
    """Masses at equal steps: counts are known better than those of independent halos, means as well."""
    rows, galaxies_alone = [], []
    for key in range(16):
        halos = [co.halos.complete_roots(0.0, 60, log_mvir=(10.5, 13.0), key=key)]
        rows.append(inference.predict_survey(MODEL, halos, survey)[0].rows)
        galaxies_alone.append(inference.predict_survey(MODEL, halos, survey, sampling_errors=False)[0].rows)
    for i, test in enumerate(survey.tests):
        points = np.all([row[i].prediction.reached for row in rows], axis=0)
        assert points.sum() > 3, test
        scatter = np.std([np.asarray(row[i].prediction.mean)[points] for row in rows], axis=0, ddof=1)
        grouped, alone = (
            np.sqrt(np.mean([np.asarray(row[i].prediction.standard_error)[points] ** 2 for row in kind]))
            for kind in (rows, galaxies_alone)
        )
        true = np.sqrt(np.mean(scatter**2))
        assert grouped == pytest.approx(true, rel=0.35), test
        if test.measurement.name == "smf_driver22":
            assert alone > 1.7 * true


def test_few_trees_keep_the_errors_of_galaxies(survey):
    halos = co.halos.complete_roots(0.0, 15, log_mvir=(10.5, 13.0))
    population = co.evolve(MODEL, halos, [0.0])
    rows = observables.residuals(survey, population)
    assert with_sampling_errors(rows, survey, [population], [halos]) is rows
