"""Cosmic times and densities of many snapshots, many of which are at the same redshift.

Each distinct number is computed once, in blocks of one size so that every call runs the same compiled program.
"""

import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import whole_number
from ..cosmology import Cosmology, as_cosmology
from ..numerics.compiling import compiled
from ..numerics.row_blocks import in_blocks
from .nfw import reference_density

__all__ = ["ages", "densities", "log_times", "redshifts"]

_BLOCK = 256  # numbers computed at once


def ages(cosmology: Cosmology, redshift: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Cosmic age [Gyr] at each redshift."""
    return _of_distinct(cosmology.age, redshift)


def redshifts(cosmology: Cosmology, age: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Redshift at each cosmic age [Gyr]."""
    return _of_distinct(cosmology.redshift, age)


def densities(cosmology: Cosmology, definition: str, redshift: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Mean density [Msun / proper kpc^3] inside the radius of a mass definition at each redshift."""
    return _of_distinct(
        lambda distinct: in_blocks(_densities, distinct, size=_BLOCK, shared=(cosmology, definition)), redshift
    )


def _of_distinct(function, values):
    values = np.asarray(values, np.float64)
    distinct, place = np.unique(values.ravel(), return_inverse=True)
    return function(distinct)[place].reshape(values.shape)


@compiled
def _densities(cosmology, definition, redshift):
    return reference_density(definition, redshift, cosmology)


def log_times(
    cosmology: Cosmology | None = None,
    *,
    first_redshift: float = 12.0,
    last_redshift: float = 0.0,
    number: int = 100,
) -> Float[Array, " t"]:
    """Cosmic ages [Gyr] uniform in ln(t) between two redshifts, ends included: the default times of halo sources.

    Parameters
    ----------
    cosmology : Cosmology, optional
        Default `pandya26_cosmology()`.
    first_redshift, last_redshift : float
        Redshift of the first time and of the last.
    number : int
        How many times, at least 4.

    Raises
    ------
    ValueError
        The first redshift is not the larger one, or there are fewer than 4 times.

    Examples
    --------
    >>> times = co.halos.log_times(first_redshift=6.0, number=50)
    >>> round(float(times[0]), 2), round(float(times[-1]), 2)
    (0.93, 13.81)
    """
    cosmology = as_cosmology(cosmology)
    number = whole_number("number", number, least=4, meaning="times")
    if not first_redshift > last_redshift > -1.0:
        raise ValueError(
            f"log_times: got redshifts {first_redshift:g} to {last_redshift:g}; the first one must be the larger"
        )
    first, last = ages(cosmology, np.array([first_redshift, last_redshift]))
    times = np.exp(np.linspace(np.log(first), np.log(last), number))
    times[0], times[-1] = first, last
    return times
