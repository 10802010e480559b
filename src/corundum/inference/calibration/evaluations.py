"""Evaluations of a calibration, each made once: a repeated one costs nothing, also after an interruption."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...arguments import instance
from ...halos import HaloHistories
from ...observables import Survey
from ...storage.checkpoints import Checkpoint
from ..reach import MAX_FAILED
from .predictions import SurveyPrediction, predict_survey
from .problem import CalibrationProblem

__all__ = ["Evaluations"]


class Evaluations:
    """What a model predicts for surveys as a function of coordinates u, kept in a checkpoint.

    Parameters
    ----------
    problem : CalibrationProblem
    solver : AbstractSolver
    store : Checkpoint, optional
    identity : mapping of str to str
        Of the run that the checkpoint belongs to.

    Examples
    --------
    >>> from corundum.inference.calibration.evaluations import Evaluations
    >>> halos = co.halos.complete_roots(0.0, 30, log_mvir=(10.5, 13.0))
    >>> stars = co.observables.survey("reference").at([0.0])
    >>> one = [t._replace(calibrates=True) for t in stars.tests if "shmr" in t.measurement.name]
    >>> problem = co.inference.check_calibration(model, halos, stars._replace(tests=one), ["mass_loading.slope"])
    >>> Evaluations(problem, None, None, {}).of(problem.fitted, [halos])(problem.start).failed
    0
    """

    def __init__(
        self,
        problem: CalibrationProblem,
        solver: Any,
        store: Checkpoint | None,
        identity: Mapping[str, str],
    ):
        if store is not None:
            instance("store", store, Checkpoint, expected='a checkpoint, such as io.Checkpoint("calibration.npz")')
        self._problem, self._solver = problem, solver
        self._store, self._identity = store, dict(identity)
        self._rows: dict[bytes, SurveyPrediction] = {}
        arrays = store.load(self._identity) if store is not None else None
        if arrays is not None:
            columns = (arrays[name] for name in ("at", *SurveyPrediction._fields))
            for at, mean, error, reached, failed in zip(*columns, strict=True):
                self._rows[at.tobytes()] = SurveyPrediction(mean, error, reached, int(failed))

    def of(
        self, survey: Survey, samples: Sequence[HaloHistories], width: float = 0.0, *, errors: bool = True
    ) -> Callable[[np.ndarray], SurveyPrediction]:
        """The prediction for a survey, with counts at least as soft as `width`, in these halos.

        Its sampling errors are those of pairs of trees, or where `errors` is false of independent galaxies.

        Where more than a tenth of the galaxies fail, no point is reached: a model wins nothing by them.
        """
        softened, number = survey.softened(width), sum(len(sample) for sample in samples)

        def predict(u: np.ndarray) -> SurveyPrediction:
            at = np.array([*u, width, number, errors], np.float64).tobytes()
            if at not in self._rows:
                problem = self._problem
                rows, failed = predict_survey(
                    problem.model, samples, softened, problem.numbers(u), solver=self._solver, sampling_errors=errors
                )
                self._rows[at] = SurveyPrediction.of(rows, failed)
                self._save()
            prediction = self._rows[at]
            if prediction.failed > MAX_FAILED * number:
                return prediction._replace(reached=np.zeros_like(prediction.reached))
            return prediction

        return predict

    def _save(self) -> None:
        if self._store is None:
            return
        rows = list(self._rows.values())
        columns = {name: np.array([getattr(row, name) for row in rows]) for name in SurveyPrediction._fields}
        self._store.save({"at": np.array([np.frombuffer(at) for at in self._rows]), **columns}, self._identity)
