r"""Gaussian approximations of a posterior, and what they say about which parameters data can tell.

All matrices are in the unbounded coordinates u, in which the prior of every parameter is the standard normal, so that
an eigenvalue of the information of the data is measured against one, that of the prior.

- *Expected* information, J^T C^-1 J + 1/2 tr(C^-1 dC C^-1 dC) + prior, with J the slope of the predictions: positive
  definite by construction, anywhere.
- *Observed* information, minus the second derivative of the log density at its mode; it can fail to be positive
  definite away from one.

References
----------
Tegmark, Taylor & Heavens 1997, ApJ 480, 22, eq. 15; MacKay 2003, sections 27 (Laplace) and 28.
"""

import abc
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import ndtri

from ..sensitivity.fisher import Fisher, fisher_of
from .batches import in_batches
from .evaluate import Linearised, linearise, log_density
from .likelihood import Gaussian
from .target import Target

__all__ = [
    "AbstractCurvature",
    "Differences",
    "Exact",
    "Laplace",
    "Identifiability",
    "expected_information",
    "data_information",
    "information_at",
    "information_of",
    "rows_of",
    "gaussian_at",
    "laplace",
    "fisher",
    "identifiability",
]


class AbstractCurvature(eqx.Module):
    """How the observed information is found."""

    @abc.abstractmethod
    def __call__(self, target: Target, u: Float[Array, " p"], scale: Float[Array, "p p"]) -> np.ndarray:
        """Minus the Hessian of the log density at `u`; `scale` is a root of an approximate covariance."""


class Differences(AbstractCurvature):
    """Central differences of exact gradients along the axes of the expected covariance; the default.

    Adaptive step sizes make gradients of nearby points differ a little beyond their slope; a step of a fraction of a
    standard deviation averages over that.

    Parameters
    ----------
    step : float
        In standard deviations.
    """

    step: float = eqx.field(static=True, default=0.2)

    def __call__(self, target: Target, u: Float[Array, " p"], scale: Float[Array, "p p"]) -> np.ndarray:
        moves = self.step * np.asarray(scale).T
        slope = in_batches(linearise, target, np.concatenate([u + moves, u - moves])).gradient
        if not np.all(np.isfinite(slope)):
            raise ValueError("laplace: the model fails within a fraction of a standard deviation of the mode")
        along = -(slope[: len(u)] - slope[len(u) :]) @ scale / (2.0 * self.step)
        inverse = np.linalg.inv(scale)
        return inverse.T @ (0.5 * (along + along.T)) @ inverse


class Exact(AbstractCurvature):
    """Second derivatives through the solver: exact for the discrete solution, and slow to compile."""

    def __call__(self, target: Target, u: Float[Array, " p"], scale: Float[Array, "p p"]) -> np.ndarray:
        return np.asarray(_hessian(target, jnp.asarray(u)))


@eqx.filter_jit
def _hessian(target, u):
    return -jax.hessian(lambda at: log_density(at, target, target.data.y))(u)


class Laplace(NamedTuple):
    """A Gaussian in unbounded coordinates that stands for the posterior.

    Attributes
    ----------
    names, units : tuples of str
    u : array, (P,)
        Its centre.
    theta : array, (P,)
    covariance : array, (P, P)
        Of u.
    observed, expected : arrays, (P, P)
        Information at the centre, prior included.
    kind : str
        Which of the two `covariance` inverts.
    decode : callable
        Maps coordinates to theta.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    u: np.ndarray
    theta: np.ndarray
    covariance: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    kind: str
    decode: Any

    def draws(self, number: int, *, key: int = 0) -> np.ndarray:
        """theta of draws from the Gaussian, (number, P)."""
        return np.asarray(self.decode(self.coordinate_draws(number, key=key)))

    def coordinate_draws(self, number: int, *, key: int = 0) -> np.ndarray:
        """u of draws, (number, P)."""
        white = np.random.default_rng(key).normal(size=(number, len(self.u)))
        return self.u + white @ np.linalg.cholesky(self.covariance).T

    def percentiles(self, levels: Any = (15.865, 50.0, 84.135)) -> np.ndarray:
        """theta at percentiles of each parameter alone, (levels, P): exact, because theta is monotonic in u."""
        spread = np.sqrt(np.diag(self.covariance))
        return np.asarray(self.decode(self.u + ndtri(np.asarray(levels)[:, None] / 100.0) * spread))

    @property
    def sigma(self) -> np.ndarray:
        """Half the 68% interval of each theta, (P,)."""
        low, _, high = self.percentiles()
        return 0.5 * (high - low)


def expected_information(target: Target, u: Any, y: Any = None) -> np.ndarray:
    """Expected information, prior included, at points (S, P): positive definite matrices (S, P, P).

    Points of `y` (default the data), one row for all or for each, that are NaN do not count.
    """
    u = np.atleast_2d(np.asarray(u, float))
    return information_at(target, u, in_batches(linearise, target, u), y)


def information_at(target: Target, u: np.ndarray, told: Linearised, y: Any = None) -> np.ndarray:
    """`expected_information` where the slopes are known."""
    return _of_data(target, told, y) + np.asarray(jax.vmap(lambda at: _prior_information(target, at))(jnp.asarray(u)))


def data_information(target: Target, u: Any, y: Any = None) -> np.ndarray:
    """Expected information of the data alone at points (S, P)."""
    return _of_data(target, in_batches(linearise, target, np.atleast_2d(np.asarray(u, float))), y)


def _of_data(target, told, y):
    points = [Linearised(*each) for each in zip(*rows_of(told), strict=True)]
    used = np.isfinite(np.broadcast_to(np.asarray(target.data.y if y is None else y), (len(points), len(target.data))))
    return np.stack([information_of(target, point, each) for point, each in zip(points, used, strict=True)])


def rows_of(told: Linearised) -> Any:
    """The parts of many linearisations, to be zipped into one for each point."""
    prediction = [type(told.prediction)(*row) for row in zip(*told.prediction, strict=True)]
    return told._replace(prediction=prediction)


def information_of(target: Target, told: Linearised, used: np.ndarray) -> np.ndarray:
    """Expected information of the data that are `used`, for slopes already known."""
    data, size = target.data, told.mean_slope.shape[-1]
    measured = np.intersect1d(data.measured, np.flatnonzero(used))
    groups = [measured] if isinstance(target.likelihood, Gaussian) else [
        np.intersect1d(data.places(name), measured) for name in data.names
    ]  # fmt: skip
    total = np.zeros((size, size))
    for places in groups:
        if not len(places):
            continue
        lower = np.linalg.cholesky(told.covariance[np.ix_(places, places)])
        white = np.linalg.solve(lower, told.mean_slope[places])
        turned = np.linalg.solve(lower, told.covariance_slope[np.ix_(places, places)].reshape(len(places), -1))
        turned = turned.reshape(len(places), len(places), size)
        turned = np.einsum("ij,kjp->ikp", np.linalg.inv(lower), np.swapaxes(turned, 0, 1))
        own = white.T @ white + 0.5 * np.einsum("ijp,jiq->pq", turned, turned)
        total += own * target.likelihood.information(len(places))
    return np.nan_to_num(0.5 * (total + total.T))


def _prior_information(target, u):
    return -jax.hessian(target.log_prior)(u)


def laplace(target: Target, best: Any, *, curvature: AbstractCurvature | None = None) -> Laplace:
    """The Gaussian approximation about a mode.

    Parameters
    ----------
    target : Target
    best : PointEstimate or array (P,)
        The mode, or its coordinates.
    curvature : AbstractCurvature, optional
        How the observed information is found; default `Differences()`.

    Returns
    -------
    Laplace
        With the observed information where it is positive definite, and the expected one otherwise; `kind` says which.
    """
    u = np.asarray(getattr(best, "u", best), float)
    curvature = Differences() if curvature is None else curvature
    expected = expected_information(target, u)[0]
    observed = curvature(target, u, np.linalg.cholesky(np.linalg.inv(expected)))
    observed = 0.5 * (observed + observed.T)
    good = bool(np.linalg.eigvalsh(observed).min() > 0)
    covariance = np.linalg.inv(observed if good else expected)
    theta = np.asarray(target.theta(u))
    kind = "observed" if good else "expected"
    return Laplace(target.names, target.units, u, theta, covariance, observed, expected, kind, target.theta)


def gaussian_at(
    target: Target, u: np.ndarray, information: np.ndarray, covariance: np.ndarray | None = None
) -> Laplace:
    """The Gaussian about u, (P,), whose expected information, prior included, is known, (P, P)."""
    covariance = np.linalg.inv(information) if covariance is None else covariance
    theta = np.asarray(target.theta(u))
    return Laplace(target.names, target.units, u, theta, covariance, information, information, "expected", target.theta)


def fisher(target: Target, u: Any) -> Fisher:
    """Expected information of the data at coordinates u, measured against the prior (information one)."""
    matrix = data_information(target, u)[0]
    return fisher_of(matrix, target.names, ("prior standard deviation",) * len(target.names), prior=1.0)


class Identifiability(NamedTuple):
    """Which combinations of parameters data determine.

    Attributes
    ----------
    fisher : Fisher
        Of the data; eigenvalues are measured against the prior's, one.
    condition_fisher : float
        Condition number of the information matrix, prior included.
    condition_correlation : float
        Condition number of the correlation matrix of the posterior (what Pandya et al. 2026 call degeneracy).
    correlation : array, (P, P)
    """

    fisher: Fisher
    condition_fisher: float
    condition_correlation: float
    correlation: np.ndarray

    def in_words(self) -> str:
        """A table of combinations, from the best known to the worst."""
        lines = [
            f"combinations better known than from the prior: {self.fisher.effective:.1f} of {len(self.correlation)}; "
            f"information gained {self.fisher.bits:.1f} bits",
            f"condition number of the information matrix {self.condition_fisher:.3g}, of the correlation matrix "
            f"{self.condition_correlation:.3g}",
        ]
        for k, value in enumerate(self.fisher.eigenvalues):
            shrink = 1.0 / np.sqrt(1.0 + max(value, 0.0))
            lines.append(f"  {shrink:8.4f} of the prior width: {self.fisher.leading_terms(k)}")
        return "\n".join(lines)


def identifiability(target: Target, best: Any) -> Identifiability:
    """Report which combinations of parameters the data determine at a point."""
    u = np.asarray(getattr(best, "u", best), float)
    told = fisher(target, u)
    information = told.matrix.values + np.asarray(_prior_information(target, jnp.asarray(u)))
    covariance = np.linalg.inv(information)
    width = np.sqrt(np.diag(covariance))
    correlation = covariance / width[:, None] / width[None, :]
    return Identifiability(told, float(np.linalg.cond(information)), float(np.linalg.cond(correlation)), correlation)
