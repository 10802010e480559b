"""What numbers of halos can be: one set of limits for everything that arrives as an array, a table or a merger tree.

Numbers that no halo has are mostly not errors of a simulation but of bookkeeping: a fill value where data are missing
(1e20, 9.97e36, -999), a mass where its logarithm is meant, Myr for Gyr, lookback time for cosmic age.  The functions
named ``check_...`` refuse arrays with such numbers and say which mistake is likely; those named ``..._problem`` return
the reason instead, so that readers can leave out and count single halos.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from .units import GYR_YR

__all__ = [
    "LARGEST_LOG_MASS",
    "OVERSHOOT",
    "LARGEST_REDSHIFT",
    "check_ages",
    "check_concentrations",
    "check_fills",
    "check_growth",
    "check_log_masses",
    "check_radii",
    "check_redshifts",
    "check_weights",
    "filled",
    "mass_problem",
    "radius_problem",
    "weight_problem",
]

LARGEST_LOG_MASS = 17.0
"""log10 of a mass [Msun] beyond any halo."""
_LEAST_LOG_MASS = 4.0  # of typical halos at the end; below it masses are in another unit
_LARGEST_NATURAL_LOG = 45.0  # ln of 10^19.5
LARGEST_REDSHIFT = 1100.0
"""Redshift beyond any halo."""
OVERSHOOT = 0.02
"""By how much simulations run beyond a = 1."""
_LARGEST_LOG_CONCENTRATION = 3.0
_TYPICAL_LOG_CONCENTRATION = 1.8  # above it numbers are natural logarithms
_RADIUS_WITHIN = 1.4  # largest ratio of a typical radius to the one that the mass implies; 1/h is more
_RADIUS_OF_A_SNAPSHOT = 0.5  # dex from the radius that the mass implies
_LARGEST_SLOPE = 1e3  # of ln M against ln t, for typical halos
_FALL = 0.5  # dex by which typical halos may lose mass from first to last time
_FILLS = (1e20, 1e30, 1e36, 9.969209968386869e36, -99.0, -999.0, -9999.0, -99999.0)


def filled(value: float) -> str:
    """A clause that says so where a number is one that libraries write in the place of missing data, else empty.

    Examples
    --------
    >>> from corundum.plausible import filled
    >>> filled(1e20), filled(12.0)
    (', a fill value of missing data', '')
    """
    close = np.isclose(float(value), _FILLS, rtol=1e-6, atol=0.0)
    return ", a fill value of missing data" if np.any(close) else ""


def mass_problem(log_mvir: Float[np.ndarray, " t"], time: Float[np.ndarray, " t"]) -> str:
    """Why the masses of one halo cannot be right, as a clause that follows its name; empty where they can.

    Parameters
    ----------
    log_mvir : array, shape (t,)
        log10 of mass [Msun].
    time : array, shape (t,)
        Cosmic age [Gyr] of each.

    Examples
    --------
    >>> from corundum.plausible import mass_problem
    >>> mass_problem(np.array([11.0, 20.0]), np.array([3.0, 5.0]))
    'has 1e+20 Msun at 5 Gyr, more than any halo, a fill value of missing data'
    """
    if not np.all(np.isfinite(log_mvir)):
        return "has a mass that is not a positive number"
    snapshot = int(np.argmax(log_mvir))
    if log_mvir[snapshot] <= LARGEST_LOG_MASS:
        return ""
    mass = 10.0 ** min(log_mvir[snapshot], 300.0)
    return f"has {mass:.4g} Msun at {time[snapshot]:.4g} Gyr, more than any halo{filled(mass)}"


def radius_problem(log_ratio: Float[np.ndarray, " t"], time: Float[np.ndarray, " t"]) -> str:
    """Why the radii of one halo cannot be right, as a clause that follows its name; empty where they can.

    Parameters
    ----------
    log_ratio : array, shape (t,)
        log10 of radius over that which the mass implies.
    time : array, shape (t,)
        Cosmic age [Gyr] of each.

    Examples
    --------
    >>> from corundum.plausible import radius_problem
    >>> radius_problem(np.array([0.0, 18.0]), np.array([3.0, 5.0]))
    'has a radius of 1e+18 times that of its mass at 5 Gyr'
    """
    if not np.all(np.isfinite(log_ratio)):
        return "has a radius that is not a positive number"
    worst = int(np.argmax(np.abs(log_ratio)))
    if abs(log_ratio[worst]) <= _RADIUS_OF_A_SNAPSHOT:
        return ""
    return f"has a radius of {10.0 ** log_ratio[worst]:.3g} times that of its mass at {time[worst]:.4g} Gyr"


def weight_problem(weight: float) -> str:
    """Why the weight of one halo cannot be right, as a clause that follows its name; empty where it can.

    Examples
    --------
    >>> from corundum.plausible import weight_problem
    >>> weight_problem(-999.0), weight_problem(0.3)
    ('has the weight -999, a fill value of missing data', '')
    """
    right = np.isfinite(weight) and weight >= 0.0 and not filled(weight)
    return "" if right else f"has the weight {weight:.6g}{filled(weight)}"


def check_log_masses(name: str, log_mvir: Float[np.ndarray, "n t"], time: Float[np.ndarray, " t"]) -> None:
    """Refuse log10 of masses [Msun] that no halos have.

    Raises
    ------
    ValueError
        They are masses, natural logarithms or in another unit, the typical halo loses mass, or one halo is too massive.

    Examples
    --------
    >>> from corundum.plausible import check_log_masses
    >>> check_log_masses("log_mvir", np.array([[24.0, 27.6]]), np.array([1.0, 13.0]))
    Traceback (most recent call last):
    ValueError: log_mvir: halos end at typically 27.6, which looks like a natural logarithm; give log10 of mass [Msun]
    """
    if not log_mvir.size:
        return
    final = float(np.median(log_mvir[:, -1]))
    if LARGEST_LOG_MASS < final <= _LARGEST_NATURAL_LOG:
        raise ValueError(
            f"{name}: halos end at typically {final:.4g}, which looks like a natural logarithm; give log10 of mass "
            "[Msun]"
        )
    if not _LEAST_LOG_MASS <= final <= _LARGEST_NATURAL_LOG:
        likely = "the masses themselves" if final > _LARGEST_NATURAL_LOG else "another unit, such as 10^10 Msun"
        raise ValueError(
            f"{name}: halos end at typically {final:.4g}{filled(final)}, which may be {likely}; give log10 of masses "
            "in Msun"
        )
    if np.max(log_mvir) > LARGEST_LOG_MASS:
        row = int(np.argmax(np.max(log_mvir, axis=1)))
        raise ValueError(f"{name}: halo {row} {mass_problem(log_mvir[row], time)}; leave that halo out or repair it")
    fall = float(np.median(log_mvir[:, 0] - log_mvir[:, -1]))
    if fall > _FALL:
        raise ValueError(
            f"{name}: halos typically lose {fall:.3g} dex from first to last time; times must be cosmic ages, not "
            "lookback times, in the same order as the masses"
        )


def check_ages(name: str, age: Float[np.ndarray, " t"], today: float) -> None:
    """Refuse cosmic ages [Gyr] that are not positive, or beyond the age of the universe today.

    Raises
    ------
    ValueError
        The message names the likely unit.

    Examples
    --------
    >>> from corundum.plausible import check_ages
    >>> check_ages("time", np.array([500.0, 13700.0]), 13.8)
    Traceback (most recent call last):
    ValueError: time: got 500 to 1.37e+04 but the universe is 13.8 Gyr old; give cosmic ages [Gyr] (these may be in Myr)
    """
    if not np.all(np.isfinite(age)) or not np.all(age > 0.0):
        wrong = age[~(np.isfinite(age) & (age > 0.0))][0]
        raise ValueError(f"{name}: got {wrong:.6g}; cosmic ages are positive and finite [Gyr]")
    if np.max(age, initial=0.0) <= (1.0 + 1.5 * OVERSHOOT) * today:
        return
    ratio = float(np.max(age)) / today
    likely = "or give the cosmology that these times belong to"
    for unit, factor in (("Myr", 1e3), ("yr", 1e9)):
        likely = f"these may be in {unit}" if 0.01 < ratio / factor < 1.1 else likely
    likely = filled(np.max(age)).lstrip(", ") or likely
    raise ValueError(
        f"{name}: got {np.min(age):.4g} to {np.max(age):.4g} but the universe is {today:.4g} Gyr old; give cosmic ages "
        f"[Gyr] ({likely})"
    )


def check_redshifts(name: str, redshift: Float[np.ndarray, " t"]) -> None:
    """Refuse numbers that are no redshifts of halos.

    Raises
    ------
    ValueError
        The message names the first.

    Examples
    --------
    >>> from corundum.plausible import check_redshifts
    >>> check_redshifts("redshift", np.array([0.0, -999.0]))
    Traceback (most recent call last):
    ValueError: redshift: got -999, a fill value of missing data; allowed 0 to 1100
    """
    right = (redshift >= -OVERSHOOT) & (redshift <= LARGEST_REDSHIFT)
    if not np.all(right):
        wrong = float(redshift[~right][0])
        raise ValueError(f"{name}: got {wrong:.6g}{filled(wrong)}; allowed 0 to {LARGEST_REDSHIFT:g}")


def check_weights(name: str, weights: Float[np.ndarray, " n"]) -> None:
    """Refuse weights that are negative or not finite.

    Raises
    ------
    ValueError
        The message names the first halo.

    Examples
    --------
    >>> from corundum.plausible import check_weights
    >>> check_weights("weights", np.array([1.0, -1.0]))
    Traceback (most recent call last):
    ValueError: weights: halo 1 has the weight -1; give numbers or number densities of halos, not negative
    """
    wrong = ~(np.isfinite(weights) & (weights >= 0.0))
    if np.any(wrong):
        row = int(np.argmax(wrong))
        raise ValueError(
            f"{name}: halo {row} {weight_problem(float(weights[row]))}; give numbers or number densities of halos, not "
            "negative"
        )


def check_concentrations(name: str, log_concentration: Float[np.ndarray, "n t"]) -> None:
    """Refuse log10 of NFW concentrations that no halos have.

    Raises
    ------
    ValueError
        A concentration is below 1 or above 1000, or they are typically above 63.

    Examples
    --------
    >>> from corundum.plausible import check_concentrations
    >>> check_concentrations("log_concentration", np.array([[8.0, 10.0]]))
    Traceback (most recent call last):
    ValueError: log_concentration: got 8 to 10; give log10 of Rvir / r_s, within 0 and 3, not the concentration ...
    """
    if not log_concentration.size:
        return
    low, high = float(np.min(log_concentration)), float(np.max(log_concentration))
    typical = float(np.median(log_concentration[:, -1]))
    if low < 0.0 or high > _LARGEST_LOG_CONCENTRATION or typical > _TYPICAL_LOG_CONCENTRATION:
        raise ValueError(
            f"{name}: got {low:.4g} to {high:.4g}; give log10 of Rvir / r_s, within 0 and "
            f"{_LARGEST_LOG_CONCENTRATION:g}, not the concentration itself or its natural logarithm"
        )


def check_radii(name: str, log_rvir: Float[np.ndarray, "n t"], expected: Float[np.ndarray, "n t"]) -> None:
    """Refuse log10 of virial radii [proper kpc] that are far from those the masses imply.

    Raises
    ------
    ValueError
        They are typically larger or smaller by more than a factor 1.4 at some time.

    Examples
    --------
    >>> from corundum.plausible import check_radii
    >>> check_radii("log_rvir", np.array([[-1.0, -0.7]]), np.array([[2.0, 2.3]]))
    Traceback (most recent call last):
    ValueError: log_rvir: radii are typically 0.001 times those that the masses imply; give proper kpc, without /h, ...
    """
    if not log_rvir.size:
        return
    ratio = np.median(log_rvir - expected, axis=0)
    worst = float(ratio[np.argmax(np.abs(ratio))])
    if abs(worst) > np.log10(_RADIUS_WITHIN):
        raise ValueError(
            f"{name}: radii are typically {10.0**worst:.3g} times those that the masses imply; give proper kpc, "
            "without /h, of the same definition as the masses"
        )


def check_growth(
    name: str, log_growth: Float[np.ndarray, "n t"], log_mvir: Float[np.ndarray, "n t"], time: Float[np.ndarray, " t"]
) -> None:
    """Refuse log10 of growth rates [Msun/yr] that are far more than mass over age.

    Raises
    ------
    ValueError
        They typically are, as rates per Gyr would be.

    Examples
    --------
    >>> from corundum.plausible import check_growth
    >>> check_growth("log_growth", np.array([[11.0]]), np.array([[12.0]]), np.array([13.0]))
    Traceback (most recent call last):
    ValueError: log_growth: rates are typically 1.3e+09 times the mass over the age; give log10 of dM/dt [Msun/yr]
    """
    if not log_growth.size:
        return
    slope = 10.0 ** float(np.median(log_growth - log_mvir + np.log10(time * GYR_YR)))
    if slope > _LARGEST_SLOPE:
        raise ValueError(
            f"{name}: rates are typically {slope:.3g} times the mass over the age; give log10 of dM/dt [Msun/yr]"
        )


def check_fills(name: str, values: Any) -> None:
    """Refuse arrays, halos along the first axis, whose largest number is written in the place of missing data.

    Raises
    ------
    ValueError
        The message names the halo.

    Examples
    --------
    >>> from corundum.plausible import check_fills
    >>> check_fills("spin", np.array([[0.03, 0.04], [0.02, 1e20]]))
    Traceback (most recent call last):
    ValueError: spin: halo 1 has 1e+20, a fill value of missing data; leave that halo out or repair it
    """
    if values is None or not np.size(values):
        return
    largest = np.max(np.asarray(values).reshape(len(values), -1), axis=1)
    row = int(np.argmax(largest))
    if filled(float(largest[row])) and largest[row] > 0.0:
        raise ValueError(
            f"{name}: halo {row} has {largest[row]:.4g}{filled(float(largest[row]))}; leave that halo out or repair it"
        )
