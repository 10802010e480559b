"""Cosmic times and densities of many snapshots, few of which differ."""

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ..cosmology import Cosmology
from .blocks import in_blocks
from .nfw import reference_density

__all__ = ["ages", "densities", "redshifts"]

_SIZE = 256


def ages(cosmology: Cosmology, redshift: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Cosmic age [Gyr] at each redshift."""
    return _of_distinct(_ages, redshift, cosmology)


def redshifts(cosmology: Cosmology, age: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Redshift at each cosmic age [Gyr]."""
    return _of_distinct(_redshifts, age, cosmology)


def densities(cosmology: Cosmology, definition: str, redshift: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Mean density [Msun / proper kpc^3] inside the radius of a mass definition at each redshift."""
    return _of_distinct(_densities, redshift, cosmology, definition)


def _of_distinct(function, values, *shared):
    values = np.asarray(values, np.float64)
    distinct, where = np.unique(values.ravel(), return_inverse=True)
    return in_blocks(function, distinct, size=_SIZE, shared=shared)[where].reshape(values.shape)


@eqx.filter_jit
def _ages(cosmology, redshift):
    return cosmology.age(redshift)


@eqx.filter_jit
def _redshifts(cosmology, age):
    return cosmology.redshift(age)


@eqx.filter_jit
def _densities(cosmology, definition, redshift):
    return reference_density(definition, redshift, cosmology)
