"""How far a model is from each measurement of a survey, beside what a good model reaches."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...population import Galaxies, Population
from ...units import GYR_YR
from ..redshifts import comparable
from ..regression import LocalLinear, RegressedRelation
from ..structure.passive import PassiveFraction
from .survey import Survey, SurveyTest

__all__ = ["Residual", "Residuals", "compared_galaxies", "residuals"]

_FORMING = 0.2  # of the stars in the age of the universe, below which a galaxy is passive: a choice
FEWEST_GALAXIES = 2.0  # effective number that must reach a point, as in fits


class Residual(NamedTuple):
    """How far a model is from one measurement.

    Attributes
    ----------
    test : SurveyTest
    prediction : RegressedRelation
        At the points of the measurement; NaN where galaxies do not reach.
    reached, points : int
        Points that galaxies reach and that are no upper limits, and all.
    bias, rms : float
        Mean and root mean square of prediction minus data; NaN where nothing is reached.

    Examples
    --------
    See `residuals`, which makes them.

    >>> test = co.observables.survey("reference").tests[0]
    >>> co.observables.Residual(test, None, reached=10, points=12, bias=0.05, rms=0.08).within
    True
    """

    test: SurveyTest
    prediction: RegressedRelation | None
    reached: int
    points: int
    bias: float
    rms: float

    @property
    def within(self) -> bool:
        """Whether galaxies reach at least half of the points, with an rms of at most the tolerance of the test."""
        return 2 * self.reached >= self.points and bool(self.rms <= self.test.tolerance)

    def __repr__(self) -> str:
        return (
            f"{'fit ' if self.test.calibrates else 'test'}  z = {self.test.redshift:<5g} "
            f"{self.test.measurement.name:22} {self.reached:3d} of {self.points:2d} points  "
            f"mean {self.bias:+.2f}  rms {self.rms:.2f}  tolerance {self.test.tolerance:.2f}"
            f"  {'within' if self.within else '-'}"
        )


class Residuals(NamedTuple):
    """How far a model is from all measurements of a survey; `print` shows a table.

    Attributes
    ----------
    survey : Survey
    rows : tuple of Residual

    Examples
    --------
    >>> reference = co.observables.survey("reference")
    >>> rows = [co.observables.Residual(test, None, 10, 10, 0.0, 0.12) for test in reference.tests]
    >>> print(str(co.observables.Residuals(reference, tuple(rows))).splitlines()[-1])
    within tolerance: 6 of 12 that were fitted, 5 of 8 that were not
    """

    survey: Survey
    rows: tuple[Residual, ...]

    def counts(self, calibrates: bool) -> tuple[int, int]:
        """How many of the measurements that were fitted, or were not, are within tolerance, and of how many."""
        chosen = [row.within for row in self.rows if row.test.calibrates == calibrates]
        return sum(chosen), len(chosen)

    def __repr__(self) -> str:
        return f"<Residuals of survey {self.survey.name}: {self._in_words()}>"

    def __str__(self) -> str:
        return "\n".join([*map(repr, self.rows), self._in_words()])

    def _in_words(self) -> str:
        (fitted, of_fitted), (tested, of_tested) = self.counts(True), self.counts(False)
        return f"within tolerance: {fitted} of {of_fitted} that were fitted, {tested} of {of_tested} that were not"


def residuals(survey: Survey, populations: Population | Sequence[Population]) -> Residuals:
    """Compare populations with a survey.

    Parameters
    ----------
    survey : Survey
    populations : Population or sequence of Population
        With outputs near the redshifts of the tests; each test is compared with the nearest of all outputs.  Mass
        functions need number densities as weights.  Whole trees count halos at every redshift; main branches count
        them where they end.

    Raises
    ------
    ValueError
        No output is near the redshift of a test, or as for mass functions (`corundum.observables.number_densities`).

    Examples
    --------
    >>> halos = co.halos.complete_roots(0.0, 30, log_mvir=(10.5, 13.0))
    >>> galaxies = co.evolve(model, halos, [0.0])
    >>> tests = co.observables.survey("reference").tests
    >>> tests = [test for test in tests if test.measurement.name == "shmr_behroozi19"]
    >>> one = co.observables.Survey("stars and halos", "one relation", tuple(tests))
    >>> print(str(co.observables.residuals(one, galaxies)).splitlines()[-1])
    within tolerance: 0 of 0 that were fitted, 0 of 1 that were not
    """
    populations = (populations,) if isinstance(populations, Population) else tuple(populations)
    return Residuals(survey, tuple(_residual(test, populations) for test in survey.tests))


def compared_galaxies(test: SurveyTest, populations: Sequence[Population]) -> Galaxies:
    """The galaxies that a test is about, at the output that is nearest to its redshift.

    Where several populations have it, those whose halos are counted nearest: trees of today lack some halos of then.

    Raises
    ------
    ValueError
        No output is near the redshift of the test.
    """
    outputs = [(population, float(z)) for population in populations for z in np.asarray(population.redshifts)]
    population, redshift = min(outputs, key=lambda output: _distances(test.redshift, *output))
    if not comparable(test.measurement, redshift):
        raise ValueError(
            f"survey: {test.measurement.name} is at z = {test.measurement.redshift:g} and no output is near; add "
            f"{test.redshift:g} to the redshifts"
        )
    galaxies = population.at(redshift)
    if population.survival is not None:  # whole trees hold all halos at every redshift
        galaxies = dataclasses.replace(galaxies, root_redshift=None)
    if test.galaxies == "all":
        return galaxies
    if test.galaxies == "star-forming":
        return _star_forming(galaxies)
    if population.survival is not None:
        return getattr(galaxies, test.galaxies)
    if test.galaxies == "centrals":
        return galaxies  # main branches are centrals
    raise ValueError(f"survey: {test.measurement.name} is about satellites, and the halos have none")


def _distances(redshift: float, population: Population, output: float) -> tuple[float, float]:
    """How far an output is from a redshift in ln(1 + z), and then the redshift at which its halos are counted."""
    root = output if population.root_redshift is None else max(float(population.root_redshift), 0.0)
    to_output, to_root = (round(abs(float(np.log((1.0 + z) / (1.0 + redshift)))), 9) for z in (output, root))
    return to_output, to_root


def _star_forming(galaxies: Galaxies) -> Galaxies:
    """The galaxies with weights that fall softly where they form few stars for the age of the universe."""
    age = float(np.nanmedian(np.asarray(galaxies["time"])))
    passive = PassiveFraction(log_ssfr=np.log10(_FORMING / (GYR_YR * age)))
    forming = 1.0 - np.nan_to_num(np.asarray(passive.y(galaxies)), nan=1.0)
    return dataclasses.replace(galaxies, weights=np.asarray(galaxies.weights) * forming)


def _residual(test: SurveyTest, populations: tuple[Population, ...]) -> Residual:
    measurement = test.measurement
    regression = LocalLinear(measurement.bandwidth, FEWEST_GALAXIES)
    galaxies: Any = compared_galaxies(test, populations)
    prediction = measurement.predict(galaxies, regression, redshift_tolerance=np.inf)
    mean, reached = np.asarray(prediction.mean), np.asarray(prediction.reached)
    if measurement.upper_limit is not None:
        reached = reached & ~np.asarray(measurement.upper_limit)
    off = (mean - np.asarray(measurement.y))[reached & np.isfinite(mean)]
    bias, rms = (off.mean(), np.sqrt(np.mean(off**2))) if len(off) else (np.nan, np.nan)
    return Residual(test, prediction, len(off), len(mean), float(bias), float(rms))
