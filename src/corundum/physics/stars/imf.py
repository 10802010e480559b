"""What a generation of stars gives back, from its initial mass function (IMF).

The recycled fraction is the mass of stars heavier than 1 Msun minus the mass of their remnants, which are those of
Renzini & Ciotti 1993 (ApJ 416, L49).  Stars above 8 Msun explode as supernovae of 1e51 erg and eject a tenth of their
mass as new metals.  That tenth is a choice that gives a Chabrier IMF the yield of 0.02 of Pandya et al. 2023; it is
uncertain by a factor of two, as much as the yields of published stellar models differ from each other (0.02 to 0.05 of
the mass formed).
"""

import numpy as np

from ...units import SUPERNOVA_ERG
from .enrichment import StellarReturn

__all__ = ["chabrier_return", "kroupa_return", "salpeter_return"]

_LOWEST, _HIGHEST = 0.1, 100.0  # [Msun]
_TURN_OFF, _MASSIVE = 1.0, 8.0  # [Msun]
_NEW_METALS = 0.1  # share of the mass of a massive star


def salpeter_return() -> StellarReturn:
    """What stars return with the IMF of Salpeter 1955, m^-2.35 between 0.1 and 100 Msun.

    Examples
    --------
    >>> stellar_return = co.physics.salpeter_return()
    >>> round(float(stellar_return.recycled_fraction), 2), round(float(stellar_return.metal_yield), 3)
    (0.29, 0.014)
    """
    return _stellar_return(lambda m: m**-2.35)


def kroupa_return() -> StellarReturn:
    """What stars return with the IMF of Kroupa 2001 (MNRAS 322, 231): m^-1.3 below 0.5 Msun, m^-2.3 above.

    Examples
    --------
    >>> stellar_return = co.physics.kroupa_return()
    >>> round(float(stellar_return.recycled_fraction), 2), round(float(stellar_return.metal_yield), 3)
    (0.41, 0.021)
    """
    return _stellar_return(lambda m: np.where(m < 0.5, (m / 0.5) ** -1.3, (m / 0.5) ** -2.3))


def chabrier_return() -> StellarReturn:
    """What stars return with the IMF of Chabrier 2003 (PASP 115, 763): log-normal below 1 Msun, then m^-2.3.

    Examples
    --------
    >>> model = co.models.ThermalCGM(stellar_return=co.physics.chabrier_return())
    >>> stellar_return = model.stellar_return
    >>> round(float(stellar_return.metal_yield), 3), round(float(stellar_return.supernova_energy) / 1e51, 4)
    (0.023, 0.0118)
    """

    def numbers(m):
        below = np.exp(-((np.log10(m) - np.log10(0.079)) ** 2) / (2.0 * 0.69**2)) / m
        at_one = np.exp(-(np.log10(0.079) ** 2) / (2.0 * 0.69**2))
        return np.where(m < 1.0, below, at_one * m**-2.3)

    return _stellar_return(numbers)


def _stellar_return(numbers):
    """What stars return, for the relative number of stars per mass, a function of mass [Msun]."""
    m = np.geomspace(_LOWEST, _HIGHEST, 20001)
    mass = m * numbers(m)
    total = np.trapezoid(mass, m)
    remnant = np.where(m < _MASSIVE, 0.077 * m + 0.48, np.where(m < 40.0, 1.4, 0.5 * m))
    returned = np.where(m > _TURN_OFF, (m - remnant) / m, 0.0)
    massive = np.trapezoid(np.where(m > _MASSIVE, mass, 0.0), m) / total
    supernovae = np.trapezoid(np.where(m > _MASSIVE, numbers(m), 0.0), m) / total  # [1/Msun]
    return StellarReturn(
        recycled_fraction=float(np.trapezoid(mass * returned, m) / total),
        metal_yield=float(_NEW_METALS * massive),
        supernova_energy=float(SUPERNOVA_ERG * supernovae),
    )
