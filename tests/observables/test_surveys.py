"""Surveys: what they list can be compared, and residuals are those of galaxies that are known."""

import dataclasses

import numpy as np
import pytest

from corundum import observables
from corundum.observables.redshifts import comparable
from corundum.observables.surveys.residuals import compared_galaxies


@pytest.mark.parametrize("name", observables.available_surveys())
def test_every_survey_holds_measurements_that_can_be_compared_once(name):
    survey = observables.survey(name)
    assert survey.calibrating and survey.held_out
    assert len({test.measurement.name for test in survey.tests}) == len(survey.tests)
    for test in survey.tests:
        assert comparable(test.measurement, test.redshift), test
        assert test.tolerance > 0.0 and test.why


def test_an_unknown_survey_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="survey 'referenc': did you mean reference"):
        observables.survey("referenc")


def _own(galaxies, offset):
    """A test whose data are the relation of the galaxies themselves, moved down."""
    measurement = observables.load("shmr_behroozi19_sf")
    mass = np.log10(np.asarray(galaxies["mvir"]))
    nodes = np.linspace(mass.min() + 0.2, mass.max() - 0.2, 4)
    at_nodes = dataclasses.replace(
        measurement, x=nodes, y=np.zeros(4), covariance=np.eye(4) * 0.01, scatter=None, bandwidth=1.0
    )
    mean = np.asarray(at_nodes.predict(galaxies, observables.LocalLinear(at_nodes.bandwidth, 2.0)).mean)
    assert np.all(np.isfinite(mean))
    moved = dataclasses.replace(at_nodes, y=mean - offset)
    return observables.SurveyTest(moved, 0.0, "centrals", False, 0.1, "known")


@pytest.mark.parametrize("offset,within", [(0.05, True), (-0.2, False)])
def test_residuals_are_the_known_offset(population, offset, within):
    test = _own(population.at(0.0), offset)
    (row,) = observables.residuals(observables.Survey("own", "known galaxies", (test,)), population).rows
    assert (row.reached, row.points, row.within) == (4, 4, within)
    np.testing.assert_allclose([row.bias, row.rms], [offset, abs(offset)], atol=1e-12)


def test_of_two_populations_the_one_whose_halos_are_counted_then_is_compared(population):
    test = _own(population.at(0.0), 0.0)
    elsewhere = dataclasses.replace(population, root_redshift=1.0)
    for populations in ([population, elsewhere], [elsewhere, population]):
        assert float(compared_galaxies(test, populations).root_redshift) < 0.1


def test_a_test_without_galaxies_near_its_redshift_is_refused(population):
    test = _own(population.at(0.0), 0.0)
    early = test._replace(measurement=dataclasses.replace(test.measurement, redshift=7.0), redshift=7.0)
    with pytest.raises(ValueError, match="is at z = 7 and no output is near; add 7 to the redshifts"):
        observables.residuals(observables.Survey("own", "early", (early,)), population)


def test_satellites_need_halos_with_satellites(population):
    test = _own(population.at(0.0), 0.0)._replace(galaxies="satellites")
    with pytest.raises(ValueError, match="is about satellites, and the halos have none"):
        observables.residuals(observables.Survey("own", "satellites", (test,)), population)


def test_other_sources_are_interpolated_at_the_points_of_the_survey():
    """A source that is 0.2 dex above, at other points and within part of the range; and none of the survey itself."""
    survey = observables.survey("reference").at([0.0])
    test = survey.tests[0]
    x, y = (np.asarray(values) for values in (test.measurement.x, test.measurement.y))
    inner = np.linspace(x[2], x[-3], 400)
    above = dataclasses.replace(
        test.measurement, name="above", x=inner, y=np.interp(inner, x, y) + 0.2, covariance=0.01 * np.eye(400),
        scatter=None, correlation=None, upper_limit=(False,) * 399 + (True,),
    )  # fmt: skip
    (pair,) = observables.other_sources(survey, [above, test.measurement])
    assert (pair.test.measurement.name, pair.measurement.name) == (test.measurement.name, "above")
    assert pair.points == len(x) - 5  # two at either end, and one where there is only an upper limit
    assert pair.bias == pytest.approx(0.2, abs=1e-3) and pair.rms == pytest.approx(0.2, abs=1e-3)
    assert observables.other_sources(survey.at([2.2]), [above]) == []
