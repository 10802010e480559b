"""What a calibration knows of its survey: the points that are fitted, their covariance, and which numbers are free."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import instance
from ...halos import HaloHistories
from ...messages import did_you_mean
from ...models import AbstractModel
from ...models.checks.arguments import check_model_and_halos
from ...observables import Survey, survey
from ...parameters import describe
from ..data import Data, data_of
from ..free import FreeParameter, free_parameters
from .predictions import other_redshifts, outputs_of

__all__ = ["CalibrationProblem", "check_calibration"]


class CalibrationProblem(NamedTuple):
    """A survey, halos and free numbers that fit together.

    Attributes
    ----------
    model : AbstractModel
    samples : tuple of HaloHistories
    survey : Survey
        All tests.
    parameters : tuple of FreeParameter
    ties : dict of str to str
        Numbers that follow a free one.
    data : Data
        Of the tests that calibrate.
    y : array, shape (M,)
        Measured; NaN for upper limits, which do not count.
    covariance : array, shape (M, M)
        Of the data, with the tolerance of each test as a discrepancy that neighbouring points share.

    Examples
    --------
    >>> halos = co.halos.complete_roots(0.0, 4, log_mvir=(10.5, 13.0))
    >>> problem = co.inference.check_calibration(model, halos, "reference", ["mass_loading.slope"])
    >>> problem.numbers(problem.start)
    {'mass_loading.slope': -1.0}
    """

    model: AbstractModel
    samples: tuple[HaloHistories, ...]
    survey: Survey
    parameters: tuple[FreeParameter, ...]
    ties: dict[str, str]
    data: Data
    y: Float[Array, " m"]
    covariance: Float[Array, "m m"]

    def __repr__(self) -> str:
        return f"<CalibrationProblem of {len(self.parameters)} numbers and {len(self.y)} points>"

    @property
    def fitted(self) -> Survey:
        """The tests that calibrate."""
        return self.survey._replace(tests=self.survey.calibrating)

    @property
    def start(self) -> Float[Array, " p"]:
        """Coordinates of the model as it is."""
        return np.array([float(p.coordinate_inside(np.array(p.start))) for p in self.parameters])

    def numbers(self, u: Float[Array, " p"]) -> dict[str, float]:
        """The numbers of the model at coordinates u, tied ones with them."""
        values = {p.name: float(p.value(p.theta(np.array(x)))) for p, x in zip(self.parameters, u, strict=True)}
        return values | {name: values[source] for name, source in self.ties.items()}


def check_calibration(
    model: AbstractModel,
    halos: HaloHistories | Sequence[HaloHistories],
    tests: Survey | str,
    free: Sequence[str],
    priors: Mapping[str, Any] | None = None,
    *,
    ties: Mapping[str, str] | None = None,
    count_widths: Sequence[float] = (),
) -> CalibrationProblem:
    """What a calibration is given, checked as far as no galaxy has to be evolved; arguments as for `calibrate`.

    Raises
    ------
    ValueError
        As `calibrate`.

    Examples
    --------
    >>> halos = co.halos.complete_roots(0.0, 4, log_mvir=(10.5, 13.0))
    >>> co.inference.check_calibration(model, halos, "reference", ["mass_loading.slope"]).parameters[0].support()
    'Uniform, -4 to 0'
    """
    for width in count_widths:
        if not 0.0 < float(width) <= 1.0:
            raise ValueError(f"count_widths: got {float(width):g}; allowed above 0 and up to 1 dex")
    chosen = survey(tests) if isinstance(tests, str) else instance("tests", tests, Survey, expected="a survey")
    if not chosen.calibrating:
        raise ValueError(f"survey {chosen.name}: none of its tests calibrates; set calibrates = true for one at least")
    samples = (halos,) if isinstance(halos, HaloHistories) else tuple(halos)
    for sample in samples:
        check_model_and_halos(model, sample)
    if not any(outputs_of(sample, chosen) for sample in samples):
        raise ValueError(other_redshifts(chosen))
    parameters = _free(model, samples, free, priors)
    checked = _ties(ties or {}, model, [parameter.name for parameter in parameters])
    data = data_of([test.measurement for test in chosen.calibrating])
    y = np.array(data.y)
    y[list(data.limits)] = np.nan
    tolerance = np.concatenate([np.full(len(test.measurement), test.tolerance) for test in chosen.calibrating])
    discrepancy = np.asarray(data.discrepancy_correlation) * tolerance[:, None] * tolerance[None, :]
    return CalibrationProblem(
        model, samples, chosen, parameters, checked, data, y, np.asarray(data.covariance) + discrepancy
    )


def _free(model, samples, free, priors) -> tuple[FreeParameter, ...]:
    if not len(free):
        raise ValueError("free: got an empty list; name at least one number of the model")
    parameters = free_parameters(model, samples[0].cosmology, free, priors, ())
    for parameter in parameters:
        if not parameter.has_quantiles:
            raise ValueError(
                f"prior of {parameter.name}: {parameter.support()} has no quantile function that JAX can compute; "
                "give a uniform, normal or other prior that has one"
            )
        if parameter.name.startswith("cosmology."):
            raise ValueError(f"free: {parameter.name} would change the halos; calibrate numbers of the model")
    return tuple(parameters)


def _ties(ties: Mapping[str, str], model, names) -> dict[str, str]:
    known = list(describe(model))
    for name, source in ties.items():
        if name not in known or name in names:
            why = "is free itself" if name in names else "is no number of the model"
            raise ValueError(f"ties: {name} {why}; {did_you_mean(name, known)}give numbers that follow a free one")
        if source not in names:
            raise ValueError(f"ties: {name} follows {source}, which is not free; {did_you_mean(source, names)}free it")
    return dict(ties)
