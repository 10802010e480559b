"""Which galaxies a measurement can be compared with: those near its redshift, or in the range of its own galaxies."""

from typing import Any

import numpy as np

from ..array_library import is_traced

__all__ = ["SAME_REDSHIFT", "comparable", "redshift_distance", "require_comparable"]

SAME_REDSHIFT = 0.1
"""Largest |ln[(1 + z) / (1 + z_data)]| at which galaxies are compared with data.

Star-formation rates at given stellar mass evolve fastest of the relations, about as (1 + z)^3: by 0.13 dex over it.
"""


def redshift_distance(measurement: Any, redshift: float) -> float:
    """|ln[(1 + z) / (1 + z_data)]| of galaxies at z from the redshift of a `Measurement`.

    Examples
    --------
    >>> from corundum.observables.redshifts import redshift_distance
    >>> round(redshift_distance(co.observables.load("shmr_moster18"), 0.0), 3)
    0.095
    """
    return abs(float(np.log1p(redshift) - np.log1p(measurement.redshift)))


def comparable(measurement: Any, redshift: float, tolerance: float = SAME_REDSHIFT) -> bool:
    """Whether galaxies at a redshift lie within `tolerance` of a `Measurement`, or where its own galaxies lie.

    Examples
    --------
    >>> from corundum.observables.redshifts import comparable
    >>> gallazzi = co.observables.load("starmzr_gallazzi05")  # z = 0.1, of galaxies at 0.005 to 0.22
    >>> comparable(gallazzi, 0.0), comparable(gallazzi, 0.22), comparable(gallazzi, 1.0)
    (True, True, False)
    """
    low, high = measurement.redshift_range or (np.inf, -np.inf)
    return low <= redshift <= high or redshift_distance(measurement, redshift) <= tolerance


def require_comparable(measurement: Any, galaxies: Any, tolerance: float = SAME_REDSHIFT) -> None:
    """Refuse galaxies, where they state their redshift, that are too far from that of a `Measurement`.

    Raises
    ------
    ValueError
        They are; the message says how to get galaxies at the right redshift.
    """
    redshift = getattr(galaxies, "redshift", None)
    if redshift is None or is_traced(redshift) or np.ndim(redshift):  # a history of the universe has many
        return
    redshift = float(redshift)
    if not comparable(measurement, redshift, tolerance):
        raise ValueError(
            f"measurement {measurement.name}: it is at z = {measurement.redshift:g} and these galaxies are at "
            f"z = {redshift:.4g}; evolve with redshifts=[{measurement.redshift:g}] and compare those, or pass "
            "redshift_tolerance=float('inf') to compare galaxies of any redshift"
        )
