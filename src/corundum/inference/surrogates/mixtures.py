"""A mixture of Gaussians about points of a posterior: proposals that reach all of it, from wherever a chain is."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy
from jaxtyping import Float

from ...annotations import Array

__all__ = ["Mixture", "mixture_about"]

NEIGHBOURS = 2.0
"""Neighbours, for each parameter, that say how the posterior lies about a point."""

SCALE = 0.8
"""Standard deviations of each Gaussian over those of the neighbours."""

FROM_PRIOR = 0.05
"""Share of the standard normal, the prior of u, in the mixture, so that no place where the posterior may be is out of
reach."""


class Mixture(NamedTuple):
    """Gaussians of equal weight, and the prior, which is the standard normal in u.

    Attributes
    ----------
    centers : array, (N, P)
    roots, inverse_roots : arrays, (N, P, P)
        Of the covariances: u = center + root z.
    """

    centers: Any
    roots: Any
    inverse_roots: Any

    def draw(self, key: Array, number: int) -> Float[Array, "c p"]:
        """Independent draws."""
        keys = jax.random.split(key, 3)
        which = jax.random.randint(keys[0], (number,), 0, len(self.centers))
        white = jax.random.normal(keys[1], (number, self.centers.shape[1]))
        about = self.centers[which] + jnp.einsum("cpq,cq->cp", self.roots[which], white)
        return jnp.where(jax.random.uniform(keys[2], (number, 1)) < FROM_PRIOR, white, about)

    def ln_density(self, u: Float[Array, " p"]) -> Float[Array, ""]:
        """ln of the density, without the constant that all densities of so many parameters share."""
        white = jnp.einsum("npq,nq->np", self.inverse_roots, u - self.centers)
        volume = jnp.sum(jnp.log(jnp.diagonal(self.inverse_roots, axis1=1, axis2=2)), axis=1)
        about = jax.scipy.special.logsumexp(volume - 0.5 * jnp.sum(white**2, axis=1)) - jnp.log(len(volume))
        return jnp.logaddexp(np.log(FROM_PRIOR) - 0.5 * jnp.sum(u**2), np.log1p(-FROM_PRIOR) + about)


def mixture_about(u: np.ndarray, scale: float = SCALE) -> Mixture:
    """The mixture about points u, (N, P), draws from a posterior: each Gaussian as wide as its neighbourhood."""
    number, size = u.shape
    near = min(int(round(NEIGHBOURS * size)) + 1, number - 1)
    deviations = u - u.mean(axis=0)
    whole = deviations.T @ deviations / number + 1e-12 * np.eye(size)
    white = scipy.linalg.solve_triangular(np.linalg.cholesky(whole), deviations.T, lower=True).T
    square = scipy.spatial.distance.cdist(white, white, "sqeuclidean")
    reach = np.partition(square, near, axis=1)[:, near] + 1e-12
    weight = np.exp(-0.5 * square / reach[:, None])
    np.fill_diagonal(weight, 0.0)
    roots = np.empty((number, size, size))
    for row in range(number):
        used = weight[row] > 1e-3
        apart, share = u[used] - u[row], weight[row, used]
        counted = share.sum() ** 2 / np.sum(share**2)
        local = (apart.T * share) @ apart / share.sum()
        # Few neighbours: what is missing has the shape of the whole, as wide as the neighbourhood.
        local = (counted * local + size * whole * reach[row] / size) / (counted + size)
        roots[row] = scale * np.linalg.cholesky(local)
    return Mixture(u, roots, np.linalg.inv(roots))
