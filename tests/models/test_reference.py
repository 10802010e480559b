"""The calibrated model that comes with the package: its numbers, and how near its galaxies are to the survey."""

from importlib import resources

import numpy as np
import pytest

import corundum as co
from corundum import io, models, observables


@pytest.fixture(scope="module")
def saved():
    return io.load_calibration(resources.files("corundum") / "data" / "calibrations" / "reference.json")


def test_the_numbers_of_the_file_are_those_of_the_model(saved):
    numbers = co.get_values(models.reference(), list(saved.values))
    np.testing.assert_array_equal([float(number) for number in numbers], list(saved.values.values()))
    assert "tides" in models.reference().processes and "tides" not in models.reference(satellites=False).processes


def test_the_file_is_complete(saved):
    assert saved.covariance.shape == (len(saved.lower),) * 2
    assert np.all(np.linalg.eigvalsh(saved.covariance) > 0.0) and np.all(np.diag(saved.covariance) <= 1.0)
    for name, low in saved.lower.items():
        assert low <= saved.values[name] <= saved.upper[name]
    survey = observables.survey(saved.survey)
    assert [row["measurement"] for row in saved.residuals] == [test.measurement.name for test in survey.tests]
    assert [row["calibrates"] for row in saved.residuals] == [test.calibrates for test in survey.tests]


@pytest.mark.slow
def test_galaxies_of_other_trees_are_as_near_to_the_survey_as_the_file_says(saved):
    """Trees that the calibration has not seen: no residual grows by more than what few halos leave in counts."""
    forest = co.halos.complete_forest(0.0, 90, key=11)
    galaxies = co.evolve(models.reference(), forest, [0.0, 0.95, 2.2])
    rows = observables.residuals(observables.survey("reference"), galaxies).rows
    assert np.mean(np.asarray(galaxies.status) == 0) > 0.98
    for row, known in zip(rows, saved.residuals, strict=True):
        assert row.rms < known["rms"] + 0.15, row
