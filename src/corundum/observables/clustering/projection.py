"""From power spectra to correlation functions to projected ones: linear maps between fixed grids.

The correlation function is known at radii evenly spaced in ln r; r^2 xi is linear in ln r between them.  A power
spectrum is known at wavenumbers evenly spaced in ln k, and k P is linear in k between them, so that its Fourier
integral is exact however fast the sine turns.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array

__all__ = ["RADII", "WAVENUMBERS", "from_power", "line_of_sight"]

RADII = np.geomspace(3e-3, 200.0, 320)
"""Distances [comoving Mpc] of correlation functions."""
WAVENUMBERS = np.geomspace(1e-4, 60.0, 1600)
"""Wavenumbers [1 / comoving Mpc] of power spectra."""

_SMOOTHING = 0.03  # Mpc: a Gaussian that ends the integral smoothly, far below the radii where the term matters
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_FEW_NODES, _FEW_WEIGHTS = np.polynomial.legendre.leggauss(4)


@functools.cache
def from_power() -> Float[np.ndarray, "r k"]:
    """The matrix that takes P at `WAVENUMBERS` [Mpc^3] to xi at `RADII`.

    Examples
    --------
    >>> from corundum.observables.clustering.projection import RADII, WAVENUMBERS, from_power
    >>> spectrum = 8.0 * np.pi / (1.0 + WAVENUMBERS**2) ** 2  # of xi = exp(-r)
    >>> round(float(np.interp(1.0, RADII, from_power() @ spectrum)), 3)
    0.368
    """
    low, high, r = WAVENUMBERS[:-1], WAVENUMBERS[1:], RADII[:, None]
    step = high - low
    turns = step * r
    total = 2.0 * np.sin(0.5 * (low + high) * r) * np.sin(0.5 * turns) / r
    inside = low[:, None] + 0.5 * step[:, None] * (1.0 + _FEW_NODES)
    rising = np.empty_like(turns)
    for row, radius in enumerate(RADII):  # one row at a time: little memory
        slow = 0.5 * step * np.sum(_FEW_WEIGHTS * 0.5 * (1.0 + _FEW_NODES) * np.sin(inside * radius), axis=1)
        fast = -np.cos(high * radius) / radius + (np.sin(high * radius) - np.sin(low * radius)) / (radius**2 * step)
        rising[row] = np.where(turns[row] < 1.0, slow, fast)
    matrix = np.zeros((len(RADII), len(WAVENUMBERS)))
    matrix[:, :-1] += total - rising
    matrix[:, 1:] += rising
    return matrix * WAVENUMBERS * np.exp(-((WAVENUMBERS * _SMOOTHING) ** 2)) / (2.0 * np.pi**2 * r)


def line_of_sight(r_p: Float[Array, " m"], pi_max: Float[Array, ""]) -> Float[Array, "m r"]:
    """The matrix that takes xi at `RADII` to w_p [Mpc], twice the integral of xi over 0 to `pi_max` along the sight.

    Parameters
    ----------
    r_p : array, shape (m,)
        Projected distances [comoving Mpc], within `RADII`.
    pi_max : float
        Largest distance along the line of sight [comoving Mpc].

    Examples
    --------
    >>> from corundum.observables.clustering.projection import RADII, line_of_sight
    >>> w_p = line_of_sight(jnp.array([1.0]), 100.0) @ RADII**-2.0  # of xi = r^-2: 2 arctan(100)
    >>> round(float(w_p[0]), 3)
    3.122
    """
    r_p = jnp.asarray(r_p)[:, None]
    end = jnp.arcsinh(pi_max / r_p)
    angle = 0.5 * end * (1.0 + _NODES)  # pi = r_p sinh(angle), r = r_p cosh(angle)
    r = r_p * jnp.cosh(angle)
    weight = end * _WEIGHTS * r  # 2 d(pi)
    spacing = np.log(RADII[1] / RADII[0])
    place = (jnp.log(r) - np.log(RADII[0])) / spacing
    hats = jnp.maximum(0.0, 1.0 - jnp.abs(place[..., None] - np.arange(len(RADII))))
    return jnp.einsum("mq,mqr->mr", weight / r**2, hats) * RADII**2
