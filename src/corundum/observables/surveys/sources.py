"""How far other measurements of the same relation are from those of a survey: what a model cannot be asked to beat."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..files import available, load
from ..measurement import Measurement
from ..redshifts import comparable
from .survey import Survey, SurveyTest

__all__ = ["OtherSource", "other_sources"]


class OtherSource(NamedTuple):
    """Another measurement of a relation that a survey has.

    Attributes
    ----------
    test : SurveyTest
        Of the survey.
    measurement : Measurement
        The other one.
    points : int
        Points of the test within the range of the other one.
    bias, rms : float
        Mean and root mean square of the other one minus that of the survey at these points, in the unit of the data.

    Examples
    --------
    >>> pairs = co.observables.other_sources(co.observables.survey("reference").at([0.0]))
    >>> pairs[0].measurement.name, pairs[0].test.measurement.name
    ('smf_baldry12', 'smf_driver22')
    """

    test: SurveyTest
    measurement: Measurement
    points: int
    bias: float
    rms: float

    def __repr__(self) -> str:
        return (
            f"{self.test.measurement.name:22} z = {self.test.redshift:<5g} {self.measurement.name:22} "
            f"{self.points:3d} points  mean {self.bias:+.2f}  rms {self.rms:.2f}  "
            f"tolerance {self.test.tolerance:.2f}"
        )


def other_sources(survey: Survey, measurements: Sequence[Measurement] | None = None) -> list[OtherSource]:
    """Other measurements of the relations of a survey at the same redshifts, and how far they are from its own.

    Where two sources differ by more than the tolerance of a test, no model can agree with both.  Sources differ in what
    they measure as well: apertures, calibrations of metals and star formation, which galaxies they hold.

    Parameters
    ----------
    survey : Survey
    measurements : sequence of Measurement, optional
        The others; by default all that come with the package.  Those of the survey itself do not count.

    Returns
    -------
    list of OtherSource
        In the order of the tests.  The other measurement is interpolated at the points of the test that lie within its
        range; upper limits are left out.

    Examples
    --------
    >>> pairs = co.observables.other_sources(co.observables.survey("reference"))
    >>> metals = [pair for pair in pairs if pair.measurement.name == "gasmzr_andrews13"]
    >>> metals[0].points > 5, metals[0].rms > 0.0
    (True, True)
    """
    others = [load(name) for name in available()] if measurements is None else list(measurements)
    own = {test.measurement.name for test in survey.tests}
    pairs = []
    for test in survey.tests:
        for other in others:
            same = type(other.relation) is type(test.measurement.relation)
            if same and other.name not in own and comparable(other, test.redshift):
                pairs += _difference(test, other)
    return pairs


def _difference(test: SurveyTest, other: Measurement) -> list[OtherSource]:
    x, y = _measured(test.measurement)
    other_x, other_y = _measured(other)
    order = np.argsort(other_x)
    inside = (x >= other_x.min()) & (x <= other_x.max())
    if not inside.any():
        return []
    difference = np.interp(x[inside], other_x[order], other_y[order]) - y[inside]
    return [
        OtherSource(test, other, int(inside.sum()), float(difference.mean()), float(np.sqrt(np.mean(difference**2))))
    ]


def _measured(measurement: Measurement) -> tuple[np.ndarray, np.ndarray]:
    """Points that are no upper limits."""
    limits = measurement.upper_limit
    measured = ~np.asarray(np.zeros(len(measurement)) if limits is None else limits, bool)
    return np.asarray(measurement.x, float)[measured], np.asarray(measurement.y, float)[measured]
