"""What priors and posteriors predict for the data of a target: relations, replicated data, p-values."""

from typing import Any, NamedTuple

import numpy as np

from ..numerics.compiling import compiled
from ..numerics.linear_algebra import cholesky
from ..numerics.random_keys import seed
from ..storage.arviz_data import arviz_data, with_groups
from .batches import in_batches, over_points
from .posterior import Posterior, coordinates, dimensions
from .reach import MAX_FAILED
from .target import Target
from .vectors import rows_of_vectors

__all__ = ["Predictive", "add_predictive", "predictive"]


class Predictive(NamedTuple):
    """Predictions of S parameter draws for every measurement of a target.

    Attributes
    ----------
    x : dict of str to array, (n,)
    mean : dict of str to array, (S, n)
        The model's relation, calibration offsets included.
    replicated : dict of str to array, (S, n)
        Data that would be measured if the model were right, errors included.
    ln_likelihood : dict of str to array, (S, n)
        Of each point given all others.
    p_value : dict of str to float
        Share of draws whose replicated data are further from the model than the data are; NaN for a measurement that
        the target does not use.
    failed : int
        Number of draws at which the model could not be solved.

    Examples
    --------
    >>> checks = co.inference.predictive(target, posterior.thinned(50))
    >>> checks
    Predictive: 50 draws; p-values: data ...
    """

    x: dict[str, np.ndarray]
    mean: dict[str, np.ndarray]
    replicated: dict[str, np.ndarray]
    ln_likelihood: dict[str, np.ndarray]
    p_value: dict[str, float]
    failed: int

    def __repr__(self) -> str:
        draws = len(next(iter(self.mean.values())))
        failed = f", {self.failed} of which failed" if self.failed else ""
        p_values = ", ".join(f"{name} {value:.3f}" for name, value in self.p_value.items())
        return f"Predictive: {draws} draws{failed}; p-values: {p_values}"


@compiled
def _predicted(target, u, white):
    def at_one_point(target, u, white):
        values = target.values(u)
        prediction = target.predict(u)
        centre = prediction.mean + target.data.shift(values)
        lower = cholesky(target.data.total_covariance(prediction, values))
        return (
            centre,
            centre + lower @ white,
            lower,
            target.point_ln_likelihoods(prediction, values),
            prediction.failed,
        )

    return over_points(at_one_point, target, u, white)


def predictive(target: Target, u: Any, *, key: int = 0) -> Predictive:
    """Predictions for every measurement of a target.

    Parameters
    ----------
    target : Target
    u : array, shape (S, P)
        Coordinates: draws from the posterior (`Posterior.thinned`) or from the prior (`Target.prior_draws`).
    key : int
        Seed of the errors of the replicated data.

    Examples
    --------
    >>> checks = co.inference.predictive(target, target.prior_draws(20))
    >>> checks.mean["data"].shape
    (20, 5)
    """
    u = np.asarray(rows_of_vectors("u", u, target.names, single=True))
    white = np.random.default_rng(seed(key)).normal(size=(len(u), len(target.data)))
    mean, replicated, lower, ln_likelihood, failed = in_batches(_predicted, target, u, white)
    solved = failed <= MAX_FAILED
    x, y = np.asarray(target.data.x), np.asarray(target.data.y)
    rows_of = {name: target.data.positions(name) for name in target.data.names}

    def split(array):
        return {name: np.where(solved[:, None], array[:, rows], np.nan) for name, rows in rows_of.items()}

    def distances(data):
        squares = {}
        for name, rows in rows_of.items():
            rows = rows[np.isfinite(y[rows])]
            root = np.linalg.cholesky((lower @ np.swapaxes(lower, 1, 2))[:, rows][:, :, rows])
            squares[name] = np.sum(np.linalg.solve(root, (data - mean)[:, rows, None])[..., 0] ** 2, axis=1)
        return squares

    measured, drawn = distances(np.broadcast_to(y, mean.shape)), distances(replicated)
    p_value = {}
    for name, rows in rows_of.items():
        used = solved.any() and np.isfinite(y[rows]).any()
        p_value[name] = float(np.mean(drawn[name][solved] > measured[name][solved])) if used else np.nan
    return Predictive(
        {name: x[rows] for name, rows in rows_of.items()}, split(mean), split(replicated), split(ln_likelihood),
        p_value, int(np.sum(~solved)),
    )  # fmt: skip


def add_predictive(target: Target, posterior: Posterior, number: int = 200, *, key: int = 0) -> Posterior:
    """The posterior with the groups posterior_predictive, log_likelihood and prior_predictive added to its data.

    Those of an earlier call are replaced.

    Parameters
    ----------
    target : Target
    posterior : Posterior
    number : int
        Draws to predict, from the posterior and from the prior.
    key : int

    Examples
    --------
    >>> full = co.inference.add_predictive(target, posterior, 50)
    >>> "posterior_predictive" in full.data
    True
    """
    after = predictive(target, posterior.thinned(number, key=key), key=key)
    before = predictive(target, target.prior_draws(number, key=key), key=key)
    draws = {
        "posterior_predictive": after.replicated,
        "log_likelihood": after.ln_likelihood,
        "prior_predictive": before.replicated,
    }
    groups = {group: {name: values[None] for name, values in arrays.items()} for group, arrays in draws.items()}
    predicted = arviz_data(groups, coords=coordinates(target), dims=dimensions(target))
    return posterior._replace(data=with_groups(posterior.data, predicted))
