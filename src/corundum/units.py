"""Units and physical constants.

corundum works in solar masses, proper kiloparsecs, km/s, Gyr, erg and kelvin; mass flow rates are in Msun/yr and
energy flow rates in erg/s, as they are usually plotted.  Every constant is from CODATA 2018 or IAU 2015 (the values of
astropy), and every conversion in the package is one of the products below.
"""

from typing import NamedTuple

__all__ = [
    "Quantity",
    "MPROTON_G",
    "KBOLTZMANN",
    "GRAVITY_CGS",
    "LIGHT_CM_S",
    "STEFAN_BOLTZMANN",
    "MSUN_G",
    "KPC_CM",
    "YEAR_S",
    "GYR_S",
    "GYR_YR",
    "KM_CM",
    "GRAVITY",
    "KPC_PER_KMS_GYR",
    "SOLAR_METALLICITY",
    "SUPERNOVA_ERG",
    "LN10",
    "KPC3_PER_MPC3",
    "MPC_PER_KPC",
    "GADGET_MASS_MSUN",
]


class Quantity(NamedTuple):
    """What a named array is.

    Attributes
    ----------
    unit : str
        Unit, ``"1"`` if dimensionless.
    meaning : str
        One clause saying what the array holds.
    log : bool
        Whether it spans decades, so that it is plotted and compared in its logarithm.

    Examples
    --------
    >>> co.units.Quantity("Msun", "stellar mass").log
    True
    """

    unit: str
    meaning: str
    log: bool = True


MPROTON_G = 1.67262192369e-24  # CODATA 2018
KBOLTZMANN = 1.380649e-16  # erg/K, exact (SI 2019)
GRAVITY_CGS = 6.6743e-8  # cm3 g-1 s-2, CODATA 2018
LIGHT_CM_S = 2.99792458e10  # exact
STEFAN_BOLTZMANN = 5.6703744191844314e-5  # erg cm-2 s-1 K-4, CODATA 2018
MSUN_G = 1.988409870698051e33  # IAU 2015 nominal GM_sun over CODATA 2018 G
KPC_CM = 3.0856775814913673e21  # IAU 2015
YEAR_S = 3.15576e7  # Julian year
KM_CM = 1.0e5

LN10 = 2.302585092994046  # natural logarithm of one decade
KPC3_PER_MPC3 = 1.0e9
MPC_PER_KPC = 1.0e-3
GADGET_MASS_MSUN = 1.0e10  # mass unit of simulation files in the tradition of GADGET, over h

GYR_YR = 1.0e9
GYR_S = GYR_YR * YEAR_S

GRAVITY = GRAVITY_CGS * MSUN_G / KPC_CM / KM_CM**2
"""Newton's constant [kpc (km/s)^2 / Msun]."""

KPC_PER_KMS_GYR = KPC_CM / KM_CM / GYR_S
"""One kpc/(km/s) in Gyr."""

SOLAR_METALLICITY = 0.02
"""Solar metal mass fraction of the model's equations (Pandya et al. 2023); observables carry their own."""

SUPERNOVA_ERG = 1.0e51
"""Energy that one supernova releases [erg]."""


def __dir__() -> list[str]:
    return sorted(__all__)
