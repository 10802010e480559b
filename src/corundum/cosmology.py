"""Flat LCDM with radiation: ages, redshifts, densities and the virial overdensity.

Every method is a differentiable function of redshift or age and of the cosmological parameters, and agrees with
``astropy.cosmology.FlatLambdaCDM`` (massless neutrinos) to better than 1e-8 for 0 <= z <= 20.

References
----------
Bryan & Norman 1998, ApJ 495, 80, eq. 6 (virial overdensity).
"""

from typing import Any, cast

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .annotations import Array
from .arguments import in_words
from .array_library import array_library, is_traced, without_programs
from .astropy_numbers import EXPECTED_COSMOLOGY, flat_lcdm_numbers, is_of_astropy
from .cosmic_age import age_at_scale, in_pieces, redshift_at_age
from .messages import warn_user
from .parameters import parameter
from .printing import Component
from .units import GRAVITY, GRAVITY_CGS, GYR_S, KM_CM, KPC_CM, LIGHT_CM_S, MSUN_G, STEFAN_BOLTZMANN

__all__ = [
    "Cosmology",
    "pandya26_cosmology",
    "planck15",
    "planck18",
    "tng",
    "from_astropy",
    "as_cosmology",
    "circular_velocity",
]

_MASSLESS_NEUTRINO = 7.0 / 8.0 * (4.0 / 11.0) ** (4.0 / 3.0)

_LIMITS = {
    "h": (0.3, 1.2, ", the Hubble constant over 100 km/s/Mpc"),
    "omega_m": (1e-3, 1.0, ", a fraction of the critical density"),
    "omega_b": (0.0, 1.0, ", a fraction of the critical density"),
    "t_cmb": (0.0, 10.0, " K"),
    "n_eff": (0.0, 20.0, ""),
}
"""Numbers beyond these belong to another unit or another quantity, not to another universe."""


class Cosmology(Component):
    """A flat LCDM universe with photons and massless neutrinos; the default is that of Pandya et al. 2026.

    Parameters
    ----------
    h : float
        Hubble constant over 100 km/s/Mpc.
    omega_m, omega_b : float
        Present matter and baryon density over critical; dark energy closes the universe.
    t_cmb : float
        Present radiation temperature [K].
    n_eff : float
        Effective number of massless neutrinos.

    Raises
    ------
    ValueError
        A number is impossible, such as H0 in km/s/Mpc for `h`; the message says what is allowed.

    Examples
    --------
    >>> cosmology = co.cosmology.Cosmology(h=0.7, omega_m=0.3)
    >>> round(float(cosmology.age(0.0)), 2)  # [Gyr]
    13.46
    >>> round(float(cosmology.redshift(5.0)), 2)
    1.21
    """

    h: Float[Array, ""] = parameter(
        0.6774, unit="1", meaning="Hubble constant / (100 km/s/Mpc)", source="Planck 2015 XIII", bounds=(0.5, 0.9)
    )
    omega_m: Float[Array, ""] = parameter(
        0.3075, unit="1", meaning="matter density / critical", source="Planck 2015 XIII", bounds=(0.1, 0.6)
    )
    omega_b: Float[Array, ""] = parameter(
        0.0486, unit="1", meaning="baryon density / critical", source="Planck 2015 XIII", bounds=(0.02, 0.1)
    )
    t_cmb: Float[Array, ""] = parameter(
        2.7255, unit="K", meaning="radiation temperature today", source="Fixsen 2009", bounds=(0.0, 4.0)
    )
    n_eff: Float[Array, ""] = parameter(
        3.046, unit="1", meaning="effective number of massless neutrinos", source="Mangano+05", bounds=(0.0, 6.0)
    )

    def __check_init__(self):
        numbers = {name: getattr(self, name) for name in _LIMITS}
        if is_traced(numbers):
            return
        for name, (low, high, meaning) in _LIMITS.items():
            value = np.asarray(numbers[name])
            if value.shape or not low <= value <= high:
                text = f"an array of shape {value.shape}" if value.shape else f"{value:g}"
                raise ValueError(f"cosmology: got {text} for {name}; allowed {low:g} to {high:g}{meaning}")
        omega_m, omega_b = float(self.omega_m), float(self.omega_b)
        if omega_b >= omega_m:
            raise ValueError(
                f"cosmology: got omega_b = {omega_b:g} beside omega_m = {omega_m:g}; baryons are part of the matter, "
                "so omega_b must be smaller"
            )

    @property
    @without_programs
    def baryon_fraction(self) -> Float[Array, ""]:
        """Cosmic baryon fraction omega_b / omega_m."""
        return self.omega_b / self.omega_m

    @property
    @without_programs
    def hubble_rate_today(self) -> Float[Array, ""]:
        """H0 [1/Gyr]."""
        return self.h * 100.0 * KM_CM / (1e3 * KPC_CM) * GYR_S

    @property
    @without_programs
    def omega_radiation(self) -> Float[Array, ""]:
        """Photons and massless neutrinos over critical, today."""
        photons = 4.0 * STEFAN_BOLTZMANN * self.t_cmb**4 / LIGHT_CM_S**3  # g/cm3
        critical = self.critical_density_today * MSUN_G / KPC_CM**3
        return photons / critical * (1.0 + _MASSLESS_NEUTRINO * self.n_eff)

    @property
    @without_programs
    def omega_lambda(self) -> Float[Array, ""]:
        """Dark energy over critical, today."""
        return 1.0 - self.omega_m - self.omega_radiation

    @property
    @without_programs
    def critical_density_today(self) -> Float[Array, ""]:
        """Critical density at z = 0 [Msun/kpc^3]."""
        rate = self.hubble_rate_today / GYR_S
        return 3.0 * rate**2 / (8.0 * np.pi * GRAVITY_CGS) * KPC_CM**3 / MSUN_G

    @without_programs
    def expansion(self, redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """E(z)^2 = (H/H0)^2 at `redshift`."""
        x = 1.0 + redshift
        return self.omega_lambda + x**3 * (self.omega_m + self.omega_radiation * x)

    @without_programs
    def hubble_rate(self, redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """H(z) [1/Gyr]."""
        return self.hubble_rate_today * array_library(redshift, parameters=self).sqrt(self.expansion(redshift))

    @without_programs
    def critical_density(self, redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """Critical density [Msun / proper kpc^3]."""
        return self.critical_density_today * self.expansion(redshift)

    @without_programs
    def matter_fraction(self, redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """Omega_m(z), matter density over critical at `redshift`."""
        return self.omega_m * (1.0 + redshift) ** 3 / self.expansion(redshift)

    @without_programs
    def virial_overdensity(self, redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """Mean density of a virialised halo over the critical density (Bryan & Norman 1998, eq. 6)."""
        x = self.matter_fraction(redshift) - 1.0
        return 18.0 * np.pi**2 + 82.0 * x - 39.0 * x**2

    @without_programs
    def virial_density(self, redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """Mean density inside the virial radius [Msun / proper kpc^3]."""
        return self.virial_overdensity(redshift) * self.critical_density(redshift)

    @without_programs
    def virial_radius(self, mvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """Bryan & Norman virial radius [proper kpc] of a halo of `mvir` [Msun]."""
        return (3.0 * mvir / (4.0 * np.pi * self.virial_density(redshift))) ** (1.0 / 3.0)

    @without_programs
    def age(self, redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """Cosmic age [Gyr] at `redshift` > -1."""
        return in_pieces(age_at_scale, self, 1.0 / (1.0 + redshift))

    @without_programs
    def redshift(self, age: Float[Array, "..."]) -> Float[Array, "..."]:
        """Redshift at cosmic `age` [Gyr] > 0; the inverse of `age`, differentiable to any order."""
        return in_pieces(redshift_at_age, self, age)


def pandya26_cosmology() -> Cosmology:
    """The cosmology of Pandya et al. 2026: Planck 2015 with Om = 0.3075, Ob = 0.0486, h = 0.6774.

    Examples
    --------
    >>> round(float(co.cosmology.pandya26_cosmology().baryon_fraction), 3)
    0.158
    """
    return Cosmology()


def planck15() -> Cosmology:
    """Planck 2015 XIII, table 4, last column (as ``astropy.cosmology.Planck15``, with massless neutrinos).

    Examples
    --------
    >>> round(float(co.cosmology.planck15().age(0.0)), 2)  # [Gyr]
    13.81
    """
    return Cosmology(h=0.6774, omega_m=0.3075, omega_b=0.0486)


def planck18() -> Cosmology:
    """Planck 2018 VI, table 2, last column (as ``astropy.cosmology.Planck18``, with massless neutrinos).

    Examples
    --------
    >>> round(float(co.cosmology.planck18().omega_m), 3)
    0.31
    """
    return Cosmology(h=0.6766, omega_m=0.30966, omega_b=0.04897)


def tng() -> Cosmology:
    """IllustrisTNG (Pillepich+18): Planck 2015 with Om = 0.3089, Ob = 0.0486, h = 0.6774, no radiation.

    Examples
    --------
    >>> float(co.cosmology.tng().omega_radiation)
    0.0
    """
    return Cosmology(h=0.6774, omega_m=0.3089, omega_b=0.0486, t_cmb=0.0, n_eff=0.0)


def from_astropy(cosmology: Any) -> Cosmology:
    """A `Cosmology` with the numbers of an astropy cosmology that is flat and has a cosmological constant.

    Functions that take a cosmology convert one of astropy in the same way.  Neutrinos are treated as massless.  Where
    they have mass, a warning says by how much ages differ: 0.2 per cent for 0.06 eV, 2 per cent for 0.6 eV.

    Parameters
    ----------
    cosmology : astropy.cosmology.FLRW
        `FlatLambdaCDM`, or another class with numbers that make it one: curvature below 0.002, w = -1.

    Raises
    ------
    ValueError
        The universe is curved, its dark energy changes, or its baryon density is not stated; the message says which.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> round(float(co.cosmology.from_astropy(Planck18).h), 4)
    0.6766
    """
    ours = Cosmology(**flat_lcdm_numbers(cosmology))
    _warn_of_massive_neutrinos(cosmology, ours)
    return ours


def as_cosmology(cosmology: Any = None) -> Cosmology:
    """The cosmology that an argument stands for: itself, that of Pandya et al. 2026 for None, or one of astropy's.

    Raises
    ------
    TypeError, ValueError
        It is no cosmology, such as the function that makes one; or one of astropy's that is not flat LCDM.

    Examples
    --------
    >>> from astropy.cosmology import Planck18
    >>> round(float(co.cosmology.as_cosmology(Planck18).omega_m), 3), float(co.cosmology.as_cosmology().omega_m)
    (0.31, 0.3075)
    """
    if cosmology is None:
        return pandya26_cosmology()
    if is_of_astropy(cosmology):
        return from_astropy(cosmology)
    if isinstance(cosmology, eqx.Module) and all(hasattr(cosmology, name) for name in ("age", "redshift", "h")):
        return cast(Cosmology, cosmology)  # also one of a user's own with the same methods
    if callable(cosmology) and getattr(cosmology, "__module__", None) == __name__:
        name = cosmology.__name__
        raise TypeError(f"cosmology: got {in_words(cosmology)}; write {name}() to make a cosmology with it")
    raise TypeError(f"cosmology: got {in_words(cosmology)}; give {EXPECTED_COSMOLOGY}")


def _warn_of_massive_neutrinos(theirs, ours):
    """Say by how much ages differ where the neutrinos of an astropy cosmology have mass, which is left out here."""
    masses = np.atleast_1d(getattr(theirs.m_nu, "value", 0.0))
    if not np.any(masses > 0.0):
        return
    redshift = np.array([0.0, 1.0, 2.0, 4.0, 8.0])
    difference = np.max(np.abs(np.asarray(ours.age(redshift)) / theirs.age(redshift).value - 1.0))
    warn_user(
        f"cosmology: the neutrino masses of {getattr(theirs, 'name', None) or 'the astropy object'} "
        f"({np.sum(masses):.3g} eV in total) are left out, so that ages are up to {100.0 * difference:.2g} per cent "
        "too large"
    )


def circular_velocity(mass: Float[Array, "..."], radius: Float[Array, "..."]) -> Float[Array, "..."]:
    """sqrt(G M / R) [km/s] for `mass` [Msun] inside `radius` [proper kpc].

    Examples
    --------
    >>> round(float(co.cosmology.circular_velocity(1e12, 200.0)))
    147
    """
    return jnp.sqrt(GRAVITY * mass / radius)


def __dir__() -> list[str]:
    return sorted(__all__)
