"""Cosmic times of many snapshots at once, compiled once whatever their number.

Readers ask for the ages of as many snapshots as a file happens to have; every new number of them would compile anew.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..cosmology import Cosmology

__all__ = ["ages", "redshifts"]

_SIZE = 256


def ages(cosmology: Cosmology, redshift: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Cosmic age [Gyr] at each redshift; quick where many are the same."""
    return _of_distinct(_ages, cosmology, redshift)


def redshifts(cosmology: Cosmology, age: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Redshift at each cosmic age [Gyr]; quick where many are the same."""
    return _of_distinct(_redshifts, cosmology, age)


def _of_distinct(function, cosmology, values):
    values = np.asarray(values, np.float64)
    distinct, where = np.unique(values.ravel(), return_inverse=True)
    rows = np.resize(distinct, -(-max(len(distinct), 1) // _SIZE) * _SIZE).reshape(-1, _SIZE)
    made = np.concatenate([np.asarray(function(cosmology, jnp.asarray(row))) for row in rows])
    return made[: len(distinct)][where].reshape(values.shape)


@eqx.filter_jit
def _ages(cosmology, redshift):
    return cosmology.age(redshift)


@eqx.filter_jit
def _redshifts(cosmology, age):
    return cosmology.redshift(age)
