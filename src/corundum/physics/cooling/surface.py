"""A smooth surface through a table on a uniform grid of temperature and metallicity."""

import jax.numpy as jnp
import numpy as np
import scipy
from jaxtyping import Float

from ...annotations import Array
from .tables import uniform_cell

__all__ = ["METALLICITIES", "surface_coefficients", "surface_value"]

METALLICITIES = (-3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5)
"""log10 Z/Zsun of the columns of Sutherland & Dopita 1993."""

_LOWEST_T, _STEP_T, _ROWS = 4.0, 0.05, 91
_LOWEST_Z, _STEP_Z, _COLUMNS = -3.0, 0.5, 8


def surface_coefficients(log_temperature: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Coefficients of the twice differentiable surface through a table of Sutherland & Dopita 1993.

    Splines fill what the published grid lacks: log10 Z/Zsun = -2.5, and rows that are absent.

    Parameters
    ----------
    log_temperature : array, shape (t,)
        log10 T [K] of the rows, from 4 to 8.5.
    values : array, shape (t, 7)
        At the seven `METALLICITIES`.

    Returns
    -------
    array, shape (90, 7, 4, 4)
        For each cell of temperature and metallicity, powers of the position in it.
    """
    spline = scipy.interpolate.CubicSpline
    values = spline(log_temperature, values, axis=0)(np.linspace(_LOWEST_T, 8.5, _ROWS))
    values = spline(METALLICITIES, values, axis=1)(np.linspace(_LOWEST_Z, 0.5, _COLUMNS))
    in_t = spline(np.arange(_ROWS), values, axis=0).c[::-1]  # (power T, cells T, Z)
    in_t_and_z = spline(np.arange(_COLUMNS), in_t, axis=2).c[::-1]  # (power Z, cells Z, power T, cells T)
    return np.transpose(in_t_and_z, (3, 1, 2, 0))


def surface_value(
    coefficients: Float[Array, "cells_t cells_z 4 4"],
    log_temperature: Float[Array, "..."],
    log_metallicity: Float[Array, "..."],
) -> Float[Array, "..."]:
    """The surface at log10 T [K] and log10 Z/Zsun.

    Beyond the coldest and hottest rows and above the highest metallicity it follows its tangent; below the lowest
    metallicity, where metals no longer matter, it is constant.
    """
    cells = coefficients.shape
    i, u, beyond_t = uniform_cell((log_temperature - _LOWEST_T) / _STEP_T, cells[0])
    j, v, beyond_z = uniform_cell((log_metallicity - _LOWEST_Z) / _STEP_Z, cells[1])
    c = coefficients[i, j]
    rows = c[..., 0] + v[..., None] * (c[..., 1] + v[..., None] * (c[..., 2] + v[..., None] * c[..., 3]))
    along_z = c[..., 1] + v[..., None] * (2.0 * c[..., 2] + 3.0 * v[..., None] * c[..., 3])
    value, slope_t = _cubic(rows, u)
    slope_z, _ = _cubic(along_z, u)
    return value + slope_t * beyond_t + slope_z * jnp.maximum(beyond_z, 0.0)


def _cubic(c, x):
    """Value and slope of the cubic with coefficients on the last axis."""
    value = c[..., 0] + x * (c[..., 1] + x * (c[..., 2] + x * c[..., 3]))
    return value, c[..., 1] + x * (2.0 * c[..., 2] + 3.0 * x * c[..., 3])
