"""What a generation of stars gives back, from its initial mass function (IMF).

The recycled fraction is the mass of stars heavier than 1 Msun less what remains of them; remnants are those of Renzini
& Ciotti 1993 (ApJ 416, L49).  New metals come from stars above 8 Msun, a tenth of whose mass leaves as new metals; that
number is a choice, made so that a Chabrier IMF has the yield of 0.02 of Pandya et al. 2023, and the yields of published
stellar models differ from each other by as much as this choice is uncertain (a factor of two).
"""

import numpy as np

from .enrichment import StellarReturn

__all__ = ["chabrier_return", "kroupa_return", "salpeter_return"]

_LOWEST, _HIGHEST = 0.1, 100.0  # [Msun]
_TURN_OFF, _MASSIVE = 1.0, 8.0
_METALS_MADE = 0.1


def salpeter_return() -> StellarReturn:
    """Recycled fraction and yield of the IMF of Salpeter 1955, m^-2.35 between 0.1 and 100 Msun."""
    return _returned(lambda m: m**-2.35)


def kroupa_return() -> StellarReturn:
    """Recycled fraction and yield of the IMF of Kroupa 2001 (MNRAS 322, 231): m^-1.3 below 0.5 Msun, m^-2.3 above."""
    return _returned(lambda m: np.where(m < 0.5, (m / 0.5) ** -1.3, (m / 0.5) ** -2.3))


def chabrier_return() -> StellarReturn:
    """Recycled fraction and yield of the IMF of Chabrier 2003 (PASP 115, 763): log-normal below 1 Msun, m^-2.3
    above."""

    def numbers(m):
        below = np.exp(-((np.log10(m) - np.log10(0.079)) ** 2) / (2.0 * 0.69**2)) / m
        at_one = np.exp(-(np.log10(0.079) ** 2) / (2.0 * 0.69**2))
        return np.where(m < 1.0, below, at_one * m**-2.3)

    return _returned(numbers)


def _returned(numbers):
    m = np.geomspace(_LOWEST, _HIGHEST, 20001)
    mass = m * numbers(m)
    total = np.trapezoid(mass, m)
    left = np.where(m < 8.0, 0.077 * m + 0.48, np.where(m < 40.0, 1.4, 0.5 * m))
    given_back = np.where(m > _TURN_OFF, (m - left) / m, 0.0)
    massive = np.trapezoid(np.where(m > _MASSIVE, mass, 0.0), m) / total
    return StellarReturn(
        recycled_fraction=float(np.trapezoid(mass * given_back, m) / total), metal_yield=float(_METALS_MADE * massive)
    )
