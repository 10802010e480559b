"""What a model predicts for a survey: galaxies of whole trees, or of main branches with mergers, beside each test."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from ...annotations import Array
from ...halos import HaloHistories, select_trees
from ...models import AbstractModel, Merging
from ...numerics.solvers.base import AbstractSolver
from ...observables import Residuals, Survey, histories_of, residuals
from ...observables.abundance import counted_at, outputs_until_end
from ...parameters import replace
from ...population import evolve, with_mergers
from ...printing import in_short
from .sampling import with_sampling_errors

__all__ = ["SurveyPrediction", "other_redshifts", "outputs_of", "predict_survey", "thinned"]

_LAST_OF_TREES = 2.5  # redshift to which whole trees of today hold all halos of the masses that matter


class SurveyPrediction(NamedTuple):
    """What a model predicts at the points of all tests of a survey, one after the other.

    Attributes
    ----------
    mean, error : arrays, shape (M,)
        Prediction, and its standard error from the finite number of halos.
    reached : boolean array, shape (M,)
    failed : int
        Galaxies that could not be solved.

    Examples
    --------
    >>> one = np.ones(2)
    >>> co.inference.SurveyPrediction(one, 0.1 * one, one > 0.0, 0).failed
    0
    """

    mean: Float[Array, " m"]
    error: Float[Array, " m"]
    reached: Bool[Array, " m"]
    failed: int

    def __repr__(self) -> str:
        return in_short(self)

    @classmethod
    def of(cls, rows: Residuals, failed: int) -> "SurveyPrediction":
        """The points of all rows of `residuals`, one after the other."""
        predictions: list[Any] = [row.prediction for row in rows.rows]
        mean, error, reached = (
            np.concatenate([np.asarray(getattr(prediction, name)) for prediction in predictions])
            for name in ("mean", "standard_error", "reached")
        )
        reached = reached & np.isfinite(mean) & np.isfinite(error)
        return cls(np.where(reached, mean, 0.0), np.where(reached, error, 0.0), reached, failed)


def outputs_of(halos: HaloHistories, survey: Survey) -> tuple[float, ...]:
    """Redshifts of a survey at which these halos are compared: whole trees to z = 2.5, main branches at their end."""
    root = counted_at(halos)
    if halos.satellites is None:
        near = [z for z in survey.redshifts if abs(np.log((1.0 + z) / (1.0 + root))) < 0.02]
        return (root,) if near else ()
    return tuple(z for z in outputs_until_end(halos, survey.redshifts) if z <= max(_LAST_OF_TREES, root))


def predict_survey(
    model: AbstractModel,
    samples: Sequence[HaloHistories],
    survey: Survey,
    values: Mapping[str, Any] | None = None,
    *,
    solver: AbstractSolver | None = None,
    sampling_errors: bool = True,
) -> tuple[Residuals, int]:
    """Evolve all samples and compare them with a survey.

    Parameters
    ----------
    model : AbstractModel
    samples : sequence of HaloHistories
        Whole trees (`corundum.halos.monte_carlo_forest`), which hold all halos at every redshift up to 2.5, or main
        branches that are counted where they end (`corundum.halos.complete_roots`), one sample for each redshift.
        What merges is worked out again for these values (`corundum.population.with_mergers`).
    survey : Survey
    values : mapping of str to float, optional
        Numbers of the model by name.
    solver : AbstractSolver, optional
    sampling_errors : bool
        Whether standard errors come from pairs of trees, which see how the halos were chosen; otherwise they are those
        of independent galaxies, which take less time.

    Returns
    -------
    Residuals
    int
        Galaxies that could not be solved.

    Examples
    --------
    >>> halos = co.halos.complete_roots(0.0, 30, log_mvir=(10.5, 13.0))
    >>> survey = co.observables.survey("reference").at([0.0])
    >>> stars = survey._replace(tests=tuple(t for t in survey.tests if "shmr" in t.measurement.name))
    >>> rows, failed = co.inference.predict_survey(model, [halos], stars, {"mass_loading.slope": -2.0})
    >>> rows.rows[0].reached > 5, failed
    (True, 0)
    """
    model = replace(model, dict(values)) if values else model
    histories = histories_of(survey.measurements)
    populations, used = [], []
    for halos in samples:
        redshifts = outputs_of(halos, survey)
        if not redshifts:
            continue
        if halos.satellites is None and _merges(model):
            halos = with_mergers(model, halos, solver=solver)
        populations.append(evolve(model, halos, redshifts, histories=histories, solver=solver))
        used.append(halos)
    if not populations:
        raise ValueError(other_redshifts(survey))
    failed = sum(int(np.sum(np.asarray(population.status) != 0)) for population in populations)
    rows = residuals(survey, populations)
    return with_sampling_errors(rows, survey, populations, used) if sampling_errors else rows, failed


def thinned(halos: HaloHistories, every: int) -> HaloHistories:
    """Every so many-th of the halos by final mass, with their satellites, which stand for all of them.

    Raises
    ------
    ValueError
        There are fewer trees than that.

    Examples
    --------
    >>> from corundum.inference.calibration.predictions import thinned
    >>> halos = co.halos.complete_roots(0.0, 8, log_mvir=(10.5, 13.0))
    >>> fewer = thinned(halos, 2)
    >>> len(fewer), float(fewer.weights[0] / halos.weights[1])
    (4, 2.0)
    """
    if every == 1:
        return halos
    host = np.full(len(halos), -1) if halos.satellites is None else np.asarray(halos.host)
    ends = np.asarray(halos.log_mvir)[host < 0, -1]
    if every > len(ends):
        raise ValueError(f"slope_thinning: got {every} for {len(ends)} trees; give at most the number of trees")
    chosen = np.sort(np.argsort(ends, kind="stable")[every // 2 :: every])
    fewer = halos[chosen] if halos.satellites is None else select_trees(halos, chosen)
    return dataclasses.replace(fewer, weights=every * np.asarray(fewer.weights))


def other_redshifts(survey: Survey) -> str:
    """The sentence for halos that can be compared with no test of a survey."""
    return (
        f"halos: they are counted at other redshifts than those of the survey, "
        f"{', '.join(f'{z:g}' for z in survey.redshifts)}; draw them with halos.complete_roots(redshift)"
    )


def _merges(model: Any) -> bool:
    return any(isinstance(process, Merging) for process in getattr(model, "processes", {}).values())
