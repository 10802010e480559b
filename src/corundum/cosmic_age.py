"""Cosmic age and redshift in a flat universe with radiation, by quadrature and Newton's method.

Known numbers are computed in NumPy, others inside the program that JAX traces.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .annotations import Array
from .array_library import array_library

__all__ = ["age_at_scale", "in_pieces", "redshift_at_age"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_NEWTON_STEPS = 5
_PIECE = 4096  # numbers computed at once on the host


def in_pieces(function: Callable, cosmology: Any, values: Array) -> Array:
    """``function(cosmology, values)``, of known numbers in pieces, which bounds the memory of the quadrature.

    Examples
    --------
    >>> from corundum.cosmic_age import age_at_scale, in_pieces
    >>> in_pieces(age_at_scale, co.cosmology.planck15(), np.array([0.5, 1.0])).round(2)
    array([ 5.87, 13.81])
    """
    if array_library(values, parameters=cosmology) is not np or np.size(values) <= _PIECE:
        return function(cosmology, values)
    flat = np.ravel(values)
    pieces = [function(cosmology, flat[first : first + _PIECE]) for first in range(0, len(flat), _PIECE)]
    return np.concatenate(pieces).reshape(np.shape(values))


def redshift_at_age(cosmology: Any, age: Float[Array, "..."]) -> Float[Array, "..."]:
    """Redshift at a cosmic age [Gyr] > 0.

    Examples
    --------
    >>> from corundum.cosmic_age import redshift_at_age
    >>> round(float(redshift_at_age(co.cosmology.planck15(), np.array(5.87))), 2)
    1.0
    """
    xp = array_library(age, parameters=cosmology)
    # Newton's method in ln(a) against ln(t), where the relation is nearly linear, starts without radiation.
    density = 1.0 - cosmology.omega_m
    phase = 1.5 * xp.sqrt(density) * cosmology.hubble_rate_today * age
    ln_a = (xp.log(cosmology.omega_m / density) + 2.0 * xp.log(xp.sinh(phase))) / 3.0

    def newton_step(_, ln_a):
        a = xp.exp(ln_a)
        t = age_at_scale(cosmology, a)
        return ln_a + (xp.log(age) - xp.log(t)) * t * cosmology.hubble_rate(1.0 / a - 1.0)

    if xp is np:
        return np.expm1(-functools.reduce(lambda ln_a, k: newton_step(k, ln_a), range(_NEWTON_STEPS), ln_a))
    return jnp.expm1(-jax.lax.fori_loop(0, _NEWTON_STEPS, newton_step, ln_a))


def age_at_scale(cosmology: Any, a: Float[Array, "..."]) -> Float[Array, "..."]:
    """Cosmic age [Gyr] at a scale factor > 0.

    Examples
    --------
    >>> from corundum.cosmic_age import age_at_scale
    >>> round(float(age_at_scale(co.cosmology.planck15(), np.array(1.0))), 2)
    13.81
    """
    xp = array_library(a, parameters=cosmology)
    # With u^2 = a + a_eq the integrand of dt = da / (a H) is smooth from the radiation era to today, so that
    # Gauss-Legendre quadrature converges to machine precision.
    equality = cosmology.omega_radiation / cosmology.omega_m
    low, high = xp.sqrt(equality), xp.sqrt(a + equality)
    half = 0.5 * (high - low)
    nodes, weights = (table.reshape((1,) * np.ndim(half) + (-1,)) for table in (_NODES, _WEIGHTS))
    u = low + half[..., None] * (1.0 + nodes)
    scale = xp.maximum(u**2 - equality, 0.0)
    integrand = 2.0 * scale / xp.sqrt(cosmology.omega_m + cosmology.omega_lambda * scale**4 / u**2)
    return half * xp.sum(weights * integrand, axis=-1) / cosmology.hubble_rate_today
