"""Smooth means of the central galaxies of a population, as functions of halo mass and redshift.

They stand for galaxies that are not followed themselves, such as satellites when they fall in.  Each quantity is a
plane in lg M and ln(1+z), a power law, and a spline surface that says how galaxies depart from it, held smooth by a
penalty on its curvature.  Outside the range of the galaxies the departure stays what it is at the edge.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Bool, Float

from ..annotations import Array

__all__ = ["MeanGalaxies", "fit_means"]

_CELLS = (8, 5)  # cells of the surface in lg M and ln(1+z)
_STIFFNESS = 1e-3  # weight of curvature, per galaxy
_LEVEL = 1e-4  # weight of departures from the plane, per galaxy


class MeanGalaxies(NamedTuple):
    """Planes and spline surfaces of several quantities.

    Attributes
    ----------
    low, width : arrays, shape (2,)
        First edge and width of the cells in lg M and ln(1+z).
    plane : array, shape (3, quantities)
    departure : array, shape (basis functions, quantities)
    """

    low: Float[Array, "2"]
    width: Float[Array, "2"]
    plane: Float[Array, "3 q"]
    departure: Float[Array, "b q"]

    def __call__(self, log_mvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "... q"]:
        """Each quantity at log10 of halo mass [Msun] and redshift; differentiable in both and in what was fitted."""
        place = (jnp.stack([log_mvir, jnp.log1p(redshift)], axis=-1) - self.low) / self.width
        inside = jnp.clip(place, 0.0, jnp.array(_CELLS, float))
        return _linear(place) @ self.plane + _basis(inside) @ self.departure


def fit_means(
    log_mvir: Float[Array, " n"],
    redshift: Float[Array, " n"],
    values: Float[Array, "n q"],
    counted: Bool[Array, " n"],
) -> MeanGalaxies:
    """Surfaces through `values` of galaxies; rows that are not `counted` may hold anything.

    Examples
    --------
    A power law comes back, inside and outside the range of the galaxies:

    >>> log_m, z = (grid.ravel() for grid in np.meshgrid(np.linspace(10, 12, 20), np.linspace(0, 5, 20)))
    >>> means = fit_means(log_m, z, (2.0 * log_m - np.log1p(z))[:, None], np.ones(400, bool))
    >>> departures = [means(jnp.array(m), jnp.array(1.0))[0] - 2.0 * m + np.log(2.0) for m in (9.0, 11.3, 13.0)]
    >>> bool(np.allclose(departures, 0.0, atol=1e-3))
    True
    """
    places = jnp.stack([jnp.asarray(log_mvir), jnp.log1p(redshift)], axis=-1)
    counted = jnp.asarray(counted)
    known = counted[:, None]
    low = jnp.min(jnp.where(known, places, jnp.inf), axis=0)
    high = jnp.max(jnp.where(known, places, -jnp.inf), axis=0)
    width = jnp.maximum(high - low, 1e-3) / jnp.array(_CELLS, float)
    places, values = (jnp.where(known, array, 0.0) for array in ((places - low) / width, values))
    linear, basis = (jnp.where(known, functions(places), 0.0) for functions in (_linear, _basis))
    number = jnp.sum(counted)
    # The least weight keeps the equations regular where all galaxies have one mass.
    plane = jnp.linalg.solve(linear.T @ linear + 1e-9 * number * jnp.eye(3), linear.T @ values)
    held = number * (_STIFFNESS * _curvature() + _LEVEL * jnp.eye(basis.shape[1]))
    departure = jnp.linalg.solve(basis.T @ basis + held, basis.T @ (values - linear @ plane))
    return MeanGalaxies(low, width, plane, departure)


def _linear(place):
    return jnp.concatenate([jnp.ones_like(place[..., :1]), place], axis=-1)


def _basis(place):
    """Products of cubic B-splines in both directions (..., functions), for places in units of cells."""
    in_mass, in_time = (
        _bump(place[..., axis, None] - jnp.arange(-1.0, cells + 2.0)) for axis, cells in enumerate(_CELLS)
    )
    product = in_mass[..., :, None] * in_time[..., None, :]
    return product.reshape(*product.shape[:-2], -1)


def _bump(u):
    """The cubic B-spline around zero."""
    a = jnp.abs(u)
    return jnp.maximum(2.0 - a, 0.0) ** 3 / 6.0 - 4.0 / 6.0 * jnp.maximum(1.0 - a, 0.0) ** 3


def _curvature():
    """Sum of squares of second differences of the coefficients in both directions, as a matrix."""
    sizes = [cells + 3 for cells in _CELLS]
    bends = [jnp.diff(jnp.eye(size), n=2, axis=0) for size in sizes]
    in_mass, in_time = (bend.T @ bend for bend in bends)
    return jnp.kron(in_mass, jnp.eye(sizes[1])) + jnp.kron(jnp.eye(sizes[0]), in_time)
