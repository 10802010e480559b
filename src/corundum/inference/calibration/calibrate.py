"""Calibration: the numbers of a model that bring its galaxies nearest to a survey over cosmic time.

Each evaluation evolves all halos, satellites and mergers with them, and compares the galaxies with every test of a
survey.  Damped Gauss-Newton steps (`least_squares`) go from there to the mode of the posterior; its Gaussian
approximation says how well each number is known.  The covariance of the data has the tolerance of each test added, as a
discrepancy that neighbouring points share: without it the measurements with the smallest errors would decide alone, at
the price of all others, although no model of this kind is as good as these errors.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import strategy, whole_number
from ...halos import HaloHistories
from ...models import AbstractModel
from ...numerics.random_keys import seed
from ...numerics.solvers.base import AbstractSolver
from ...numerics.solvers.lanes import LaneSolver
from ...observables import Residuals, Survey
from ...storage.checkpoints import Checkpoint, fingerprint
from ..free import FreeParameter
from ..reach import MAX_FAILED
from ..summaries import TOLERANCE
from ..text import count
from .evaluations import Evaluations
from .least_squares import LeastSquares, best_start, least_squares, ln_evidence_of
from .predictions import predict_survey, thinned
from .problem import CalibrationProblem, check_calibration

__all__ = ["Calibration", "calibrate", "ln_evidences"]


class Calibration(NamedTuple):
    """A calibrated model; `print` shows its numbers and how far it is from each measurement.

    Attributes
    ----------
    problem : CalibrationProblem
        The survey, the halos and the free numbers.
    fit : LeastSquares
        Where the steps of the last stage have ended: coordinates `u` (P,) of the mode, in which the prior is the
        standard normal, their `covariance` (P, P), the `misfit` at the start and after each round, which points are
        `counted`.
    before, after : Residuals
        At the start and at the mode.
    failed : int
        Galaxies that could not be solved at the mode.

    Examples
    --------
    See `calibrate`, which makes one.

    >>> co.inference.Calibration._fields
    ('problem', 'fit', 'before', 'after', 'failed')
    """

    problem: CalibrationProblem
    fit: LeastSquares
    before: Residuals
    after: Residuals
    failed: int

    @property
    def survey(self) -> str:
        """Name of the survey."""
        return self.problem.survey.name

    @property
    def free(self) -> tuple[FreeParameter, ...]:
        """The numbers that were free."""
        return self.problem.parameters

    @property
    def values(self) -> dict[str, float]:
        """All numbers that the calibration sets, tied ones with them."""
        return self.problem.numbers(self.fit.u)

    @property
    def lower(self) -> dict[str, float]:
        """Lower ends of the 68% intervals of the free numbers, in the Gaussian approximation."""
        return self._ends(min)

    @property
    def upper(self) -> dict[str, float]:
        """Upper ends of these intervals."""
        return self._ends(max)

    def _ends(self, which: Callable[..., float]) -> dict[str, float]:
        spread = np.sqrt(np.diag(self.fit.covariance))
        ends = [self.problem.numbers(self.fit.u + sign * spread) for sign in (-1.0, 1.0)]
        return {parameter.name: which(end[parameter.name] for end in ends) for parameter in self.free}

    @property
    def points(self) -> int:
        """How many points count."""
        return int(np.sum(self.fit.counted))

    @property
    def ln_evidence(self) -> float:
        """ln of the probability of the points that count, in the Gaussian approximation about the mode.

        Of two models, that with the larger one is favoured, where both were calibrated in the same halos on the same
        points; `ln_evidences` takes those that both count.
        """
        return self.ln_evidence_on(True)

    def ln_evidence_on(self, points: Any) -> float:
        """The same of some of the points, a boolean array (M,)."""
        problem = self.problem
        correlation = np.asarray(problem.data.sampling_correlation)
        return ln_evidence_of(self.fit, problem.y, problem.covariance, correlation, points)

    @property
    def constrained(self) -> Float[Array, " p"]:
        """How much narrower than its prior each number is known: 0 not at all, 1 exactly."""
        return 1.0 - np.sqrt(np.diag(self.fit.covariance))

    def in_words(self) -> str:
        """What happened, in one sentence."""
        first, *rounds = self.fit.misfit
        last = rounds[-1]
        return (
            f"misfit {first:.0f} at the start, {last:.0f} after {count(len(rounds), 'round')}, "
            f"{count(self.points, 'point')}, {count(len(self.free), 'number')}"
        )

    def __repr__(self) -> str:
        return f"<Calibration on survey {self.survey}: {self.in_words()}>"

    def __str__(self) -> str:
        width = max(len(parameter.name) for parameter in self.free)
        values, lower, upper = self.values, self.lower, self.upper
        rows = [
            f"  {p.name:{width}}  {values[p.name]:9.4g}  {lower[p.name]:9.4g} to {upper[p.name]:.4g}"
            f"  {100.0 * known:3.0f}% narrower than its prior"
            for p, known in zip(self.free, self.constrained, strict=True)
        ]
        evidence = f"  ln evidence {self.ln_evidence:.1f}, in the Gaussian approximation"
        return "\n".join([f"Calibration on survey {self.survey}: {self.in_words()}", *rows, evidence, str(self.after)])


def calibrate(
    model: AbstractModel,
    halos: HaloHistories | Sequence[HaloHistories],
    tests: Survey | str,
    free: Sequence[str],
    priors: Mapping[str, Any] | None = None,
    *,
    ties: Mapping[str, str] | None = None,
    starts: int = 1,
    key: int = 0,
    rounds: int = 4,
    difference: float = 0.15,
    damping: float = 1.0,
    count_widths: Sequence[float] = (),
    slope_thinning: int = 1,
    solver: AbstractSolver | None = None,
    store: Checkpoint | None = None,
    progress: Callable[[str], None] | None = None,
) -> Calibration:
    """Find the numbers of a model that bring it nearest to a survey.

    Parameters
    ----------
    model : AbstractModel
        Where to start.
    halos : HaloHistories or sequence of HaloHistories
        As `samples` of `predict_survey`, with number densities as weights.
    tests : Survey or str
        The survey, its name, or the path of its file; those that `calibrates` are fitted.
    free : sequence of str
        Names of the numbers to find.
    priors : mapping, optional
        As for `Target`; by default each is uniform in its range.
    ties : mapping of str to str, optional
        Numbers that follow a free one: ``{"processes.phases.molecular_time": "depletion_time.law.molecular_time"}``.
    starts : int
        Points spread over the prior, the model as it is among them, of which the best is where the steps begin.
    key : int
        Seed of these points.
    rounds : int
        At most how often all slopes are taken anew in each stage; a round evaluates the model two to four times for
        each free number.
    difference, damping : float
        As for `least_squares`.
    count_widths : sequence of float
        Stages before the last, each with counts as soft as this [dex] (`Survey.softened`) and with moves at least
        as long as this; (0.4, 0.2) leads to passive galaxies from where there are none.
    slope_thinning : int
        Slopes and spread starts are evaluated in every so many-th halo, with its satellites; only steps in all of them.
    solver : AbstractSolver, optional
        Default that of fits.
    store : Checkpoint, optional
        Keeps every evaluation, so that a calibration that was interrupted goes on, bit for bit.
    progress : callable, optional
        Called with a sentence after each evaluation.

    Raises
    ------
    ValueError
        A number is unknown or tied to one that is not free, a prior has no quantiles or excludes the model as it is,
        galaxies reach no point, more than a tenth of them fail at the start, or as `predict_survey`.

    Examples
    --------
    >>> halos = co.halos.complete_roots(0.0, 30, log_mvir=(10.5, 13.0))
    >>> survey = co.observables.survey("reference").at([0.0])
    >>> one = [t._replace(calibrates=True) for t in survey.tests if "shmr" in t.measurement.name]
    >>> stars = co.observables.Survey("stars", "stars and halos", tuple(one))
    >>> best = co.inference.calibrate(model, halos, stars, ["mass_loading.amplitude"], rounds=1)
    >>> best.fit.misfit[-1] <= best.fit.misfit[0], best.after.rows[0].rms <= best.before.rows[0].rms
    (True, True)
    """
    problem = check_calibration(model, halos, tests, free, priors, ties=ties, count_widths=count_widths)
    counts = (("starts", starts), ("rounds", rounds), ("slope_thinning", slope_thinning))
    starts, rounds, slope_thinning = (whole_number(name, n, meaning=name) for name, n in counts)
    solver = strategy("solver", solver, LaneSolver(tolerance=TOLERANCE))
    data, y, covariance, u = problem.data, problem.y, problem.covariance, problem.start
    evaluations = Evaluations(problem, solver, store, {"inputs": fingerprint((problem, solver))})
    fewer = tuple(thinned(sample, slope_thinning) for sample in problem.samples)
    before, failed = predict_survey(model, problem.samples, problem.survey, problem.numbers(u), solver=solver)
    if failed > MAX_FAILED * sum(len(sample) for sample in problem.samples) and starts == 1:
        raise ValueError(
            f"calibrate: {failed} galaxies fail at the start, more than {MAX_FAILED:.0%}; begin at other numbers, "
            "spread starts over the prior, or give a solver with more max_steps"
        )
    widths = (*(float(width) for width in count_widths), 0.0)
    if starts > 1:
        u = best_start(
            evaluations.of(problem.fitted, fewer, widths[0], errors=False),
            y,
            covariance,
            u,
            starts,
            key=seed(key),
            progress=progress,
        )
    for width in widths:
        result = least_squares(
            evaluations.of(problem.fitted, problem.samples, width), y, covariance,
            np.asarray(data.sampling_correlation), u,
            rounds=rounds, difference=max(difference, width), damping=damping,
            predict_slopes=evaluations.of(problem.fitted, fewer, width, errors=False), progress=progress,
        )  # fmt: skip
        u = result.u
    after, failed = predict_survey(model, problem.samples, problem.survey, problem.numbers(u), solver=solver)
    return Calibration(problem, result, before, after, failed)


def ln_evidences(calibrations: Sequence[Calibration]) -> tuple[list[float], int]:
    """ln evidences on the points that count in all of some calibrations, and how many these are.

    Points that the galaxies of one model do not reach are no evidence against another.

    Raises
    ------
    ValueError
        They were calibrated on different points, or no point counts in all.

    Examples
    --------
    >>> halos = co.halos.complete_roots(0.0, 30, log_mvir=(10.5, 13.0))
    >>> survey = co.observables.survey("reference").at([0.0])
    >>> one = [t._replace(calibrates=True) for t in survey.tests if "shmr" in t.measurement.name]
    >>> stars = co.observables.Survey("stars", "stars and halos", tuple(one))
    >>> best = [
    ...     co.inference.calibrate(model, halos, stars, [name], rounds=1)
    ...     for name in ("mass_loading.amplitude", "depletion_time.amplitude")
    ... ]
    >>> values, points = co.inference.ln_evidences(best)
    >>> values[0] > values[1], points > 5
    (True, True)
    """
    first = calibrations[0].problem
    for one in calibrations[1:]:
        if not np.array_equal(one.problem.y, first.y, equal_nan=True):
            raise ValueError("ln_evidences: they were calibrated on different points; calibrate all on the same survey")
    points = np.all([one.fit.counted & one.fit.prediction.reached for one in calibrations], axis=0)
    if not points.any():
        raise ValueError("ln_evidences: no point counts in all of them; give halos that all models have galaxies in")
    return [one.ln_evidence_on(points) for one in calibrations], int(points.sum())
