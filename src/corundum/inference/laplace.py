r"""Gaussian approximations of a posterior about its mode.

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
import scipy
from jaxtyping import Float

from ..annotations import Array
from ..arguments import instance, strategy, whole_number
from ..numerics.compiling import compiled
from ..numerics.random_keys import seed
from ..printing import Component
from .batches import in_batches
from .evaluate import Linearised, linearise, ln_density
from .likelihoods.gaussian import Gaussian
from .target import Target
from .text import interval_lines
from .vectors import one_vector, rows_of_vectors

__all__ = [
    "AbstractCurvature",
    "Differences",
    "Exact",
    "Laplace",
    "expected_information",
    "information_at",
    "information_of",
    "data_information",
    "prior_information",
    "points_of",
    "gaussian_at",
    "laplace",
]


class AbstractCurvature(Component):
    """How the observed information is computed.

    Examples
    --------
    The expected information in its place:

    >>> class Expected(co.inference.AbstractCurvature):
    ...     def __call__(self, target, u, scale):
    ...         return co.inference.expected_information(target, u)[0]
    >>> gaussian = co.inference.laplace(target, best, curvature=Expected())
    >>> bool(np.allclose(gaussian.observed, gaussian.expected))
    True
    """

    @abc.abstractmethod
    def __call__(self, target: Target, u: Float[Array, " p"], scale: Float[Array, "p p"]) -> np.ndarray:
        """Minus the Hessian of the log density at `u`; `scale` is a root of an approximate covariance."""


class Differences(AbstractCurvature):
    """Central differences of exact gradients along the axes of the expected covariance; the default.

    Adaptive step sizes of the solver make gradients of nearby points slightly noisy; a step of a fraction of a standard
    deviation averages over that noise.

    Parameters
    ----------
    step : float
        In standard deviations.

    Raises
    ------
    ValueError
        The model fails near the mode.

    Examples
    --------
    >>> gaussian = co.inference.laplace(target, best, curvature=co.inference.Differences(step=0.1))
    >>> gaussian.kind
    'observed'
    """

    step: float = eqx.field(static=True, default=0.2)

    def __call__(self, target: Target, u: Float[Array, " p"], scale: Float[Array, "p p"]) -> np.ndarray:
        moves = self.step * np.asarray(scale).T
        slope = in_batches(linearise, target, np.concatenate([u + moves, u - moves])).gradient
        if not np.all(np.isfinite(slope)):
            raise ValueError(
                "laplace: the model fails within a fraction of a standard deviation of the mode; give the solver more "
                "max_steps, or a curvature with a smaller step"
            )
        in_scaled_axes = -(slope[: len(u)] - slope[len(u) :]) @ scale / (2.0 * self.step)
        inverse = np.linalg.inv(scale)
        return inverse.T @ (0.5 * (in_scaled_axes + in_scaled_axes.T)) @ inverse


class Exact(AbstractCurvature):
    """Second derivatives through the solver: exact for the discrete solution, and slow to compile.

    Examples
    --------
    >>> co.inference.laplace(target, best, curvature=co.inference.Exact()).kind
    'observed'
    """

    def __call__(self, target: Target, u: Float[Array, " p"], scale: Float[Array, "p p"]) -> np.ndarray:
        return np.asarray(_hessian(target, jnp.asarray(u)))


@compiled
def _hessian(target, u):
    return -jax.hessian(lambda point: ln_density(point, target, target.data.y))(u)


class Laplace(NamedTuple):
    """A Gaussian in unbounded coordinates that approximates the posterior; `print` shows its intervals.

    Attributes
    ----------
    names, units : tuples of str
    u : array, (P,)
        Its centre.
    theta : array, (P,)
        The same in natural scales.
    covariance : array, (P, P)
        Of u.
    observed, expected : arrays, (P, P)
        Information at the centre, prior included.
    kind : str
        Which of the two `covariance` inverts.
    decode : callable
        Maps coordinates to theta.

    Examples
    --------
    >>> gaussian = co.inference.laplace(target, best)
    >>> print(gaussian)
    Laplace: Gaussian of the observed information, 2 parameters
      intercept    0.965 -0.075 +0.079
      slope         2.07 -0.13 +0.12
    >>> gaussian.draws(100).shape
    (100, 2)
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

    def __repr__(self) -> str:
        first = f"Laplace: Gaussian of the {self.kind} information, {len(self.names)} parameters"
        return "\n".join([first, *interval_lines(self.names, self.units, self.percentiles())])

    def draws(self, number: int, *, key: int = 0) -> np.ndarray:
        """theta of draws from the Gaussian, (number, P)."""
        return np.asarray(self.decode(self.coordinate_draws(number, key=key)))

    def coordinate_draws(self, number: int, *, key: int = 0) -> np.ndarray:
        """u of draws, (number, P)."""
        number = whole_number("number", number, least=0, meaning="draws")
        white = np.random.default_rng(seed(key)).normal(size=(number, len(self.u)))
        return self.u + white @ np.linalg.cholesky(self.covariance).T

    def percentiles(self, levels: Any = (15.865, 50.0, 84.135)) -> np.ndarray:
        """theta at percentiles of each parameter alone, (levels, P): exact, because theta is monotonic in u."""
        spread = np.sqrt(np.diag(self.covariance))
        return np.asarray(self.decode(self.u + scipy.special.ndtri(np.asarray(levels)[:, None] / 100.0) * spread))

    @property
    def sigma(self) -> np.ndarray:
        """Half the 68% interval of each theta, (P,)."""
        low, _, high = self.percentiles()
        return 0.5 * (high - low)


def expected_information(target: Target, u: Any, y: Any = None) -> np.ndarray:
    """Expected information, prior included: positive definite matrices (S, P, P).

    Parameters
    ----------
    target : Target
    u : array, shape (S, P)
        Coordinates.
    y : array, shape (M,) or (S, M), optional
        Data whose points that are NaN do not count; default those of the target.

    Examples
    --------
    >>> co.inference.expected_information(target, best.u).shape
    (1, 2, 2)
    """
    u = np.asarray(rows_of_vectors("u", u, target.names, single=True))
    return information_at(target, u, in_batches(linearise, target, u), y)


def information_at(target: Target, u: np.ndarray, linearised: Linearised, y: Any = None) -> np.ndarray:
    """`expected_information` for slopes already known."""
    prior = jax.vmap(lambda point: prior_information(target, point))(jnp.asarray(u))
    return data_information(target, linearised, y) + np.asarray(prior)


def data_information(target: Target, linearised: Linearised, y: Any = None) -> np.ndarray:
    """Expected information of the data alone, (S, P, P), at points where the slopes are known."""
    points = points_of(linearised)
    used = np.isfinite(np.broadcast_to(np.asarray(target.data.y if y is None else y), (len(points), len(target.data))))
    return np.stack([information_of(target, point, mask) for point, mask in zip(points, used, strict=True)])


def points_of(linearised: Linearised) -> list[Linearised]:
    """The linearisations of S points as a list of S."""
    predictions = [type(linearised.prediction)(*row) for row in zip(*linearised.prediction, strict=True)]
    fields = linearised._asdict() | {"prediction": predictions}
    return [Linearised(*row) for row in zip(*fields.values(), strict=True)]


def information_of(target: Target, linearised: Linearised, used: np.ndarray) -> np.ndarray:
    """Expected information of the data that are `used`, (M,), at one point."""
    data, size = target.data, linearised.mean_slope.shape[-1]
    measured = np.intersect1d(data.measured, np.flatnonzero(used))
    groups = [measured] if isinstance(target.likelihood, Gaussian) else [
        np.intersect1d(data.positions(name), measured) for name in data.names
    ]  # fmt: skip
    total = np.zeros((size, size))
    for rows in groups:
        if not len(rows):
            continue
        lower = np.linalg.cholesky(linearised.covariance[np.ix_(rows, rows)])
        white = np.linalg.solve(lower, linearised.mean_slope[rows])
        whitened = np.linalg.solve(lower, linearised.covariance_slope[np.ix_(rows, rows)].reshape(len(rows), -1))
        whitened = whitened.reshape(len(rows), len(rows), size)
        whitened = np.einsum("ij,kjp->ikp", np.linalg.inv(lower), np.swapaxes(whitened, 0, 1))
        gaussian = white.T @ white + 0.5 * np.einsum("ijp,jiq->pq", whitened, whitened)
        total += gaussian * target.likelihood.information(len(rows))
    return np.nan_to_num(0.5 * (total + total.T))


def prior_information(target: Target, u: Float[Array, " p"]) -> Float[Array, "p p"]:
    """Information of the prior at u."""
    return -jax.hessian(target.ln_prior)(u)


def laplace(target: Target, best: Any, *, curvature: AbstractCurvature | None = None) -> Laplace:
    """The Gaussian approximation about a mode.

    Parameters
    ----------
    target : Target
    best : PointEstimate or array (P,)
        The mode, or its coordinates.
    curvature : AbstractCurvature, optional
        How the observed information is computed; default `Differences()`, also `Exact()`.

    Returns
    -------
    Laplace
        With the observed information where it is positive definite, and the expected one otherwise; `kind` says which.

    Raises
    ------
    ValueError
        The model fails near the mode.

    Examples
    --------
    >>> gaussian = co.inference.laplace(target, best)
    >>> gaussian.sigma.round(2).tolist()
    [0.08, 0.13]
    """
    instance("target", target, Target, expected="a target, such as inference.Target(model, halos, data, free)")
    u = np.asarray(one_vector("best", best, target.names))
    curvature = strategy("curvature", curvature, Differences())
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
