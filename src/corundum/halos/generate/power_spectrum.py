"""Linear matter fluctuations: transfer function, rms of the smoothed field, growth, collapse barrier.

Everything is a differentiable function of mass, redshift and the cosmological parameters.  Growth and barrier are
those of flat LCDM without radiation, with which merger trees and mass functions are calibrated.

References
----------
Eisenstein & Hu 1998, ApJ 496, 605 (transfer function, eqs. 2-24); Heath 1977, MNRAS 179, 351 (growth);
Navarro, Frenk & White 1997, ApJ 490, 493, eq. A14 (collapse threshold).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology, as_cosmology
from ...numerics.compiling import compiled
from ...numerics.interpolation import ContinuousCurvature, HermiteTable
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component
from ...units import KPC3_PER_MPC3

__all__ = ["LinearPower", "SigmaOfMass", "transfer_function", "growth_factor", "collapse_threshold"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_LN_K = np.linspace(np.log(1e-5), np.log(3e4), 3000)  # 1/Mpc
_LOG_MASSES = np.linspace(3.0, 16.5, 109)  # Msun


def transfer_function(k: Float[Array, "..."], cosmology: Cosmology) -> Float[Array, "..."]:
    """Matter transfer function at wavenumber `k` [1/Mpc], baryon oscillations included (Eisenstein & Hu 1998)."""
    matter, baryons = cosmology.omega_m * cosmology.h**2, cosmology.omega_b * cosmology.h**2
    fraction = baryons / matter
    theta = jnp.where(cosmology.t_cmb > 0.0, cosmology.t_cmb, 2.7255) / 2.7
    z_eq, k_eq = 2.5e4 * matter * theta**-4, 0.0746 * matter * theta**-2
    b1 = 0.313 * matter**-0.419 * (1.0 + 0.607 * matter**0.674)
    b2 = 0.238 * matter**0.223
    z_drag = 1291.0 * matter**0.251 / (1.0 + 0.659 * matter**0.828) * (1.0 + b1 * baryons**b2)
    r_drag, r_eq = (31.5e3 * baryons * theta**-4 / z for z in (z_drag, z_eq))
    ratio = (jnp.sqrt(1.0 + r_drag) + jnp.sqrt(r_drag + r_eq)) / (1.0 + jnp.sqrt(r_eq))
    sound = 2.0 / (3.0 * k_eq) * jnp.sqrt(6.0 / r_eq) * jnp.log(ratio)
    silk = 1.6 * baryons**0.52 * matter**0.73 * (1.0 + (10.4 * matter) ** -0.95)

    a1 = (46.9 * matter) ** 0.670 * (1.0 + (32.1 * matter) ** -0.532)
    a2 = (12.0 * matter) ** 0.424 * (1.0 + (45.0 * matter) ** -0.582)
    alpha_c = a1**-fraction * a2 ** -(fraction**3)
    b1 = 0.944 / (1.0 + (458.0 * matter) ** -0.708)
    beta_c = 1.0 / (1.0 + b1 * ((1.0 - fraction) ** ((0.395 * matter) ** -0.0266) - 1.0))
    q, ks = k / (13.41 * k_eq), k * sound

    def tilde(alpha, beta):
        ln_term = jnp.log(jnp.e + 1.8 * beta * q)
        return ln_term / (ln_term + (14.2 / alpha + 386.0 / (1.0 + 69.9 * q**1.08)) * q**2)

    mix = 1.0 / (1.0 + (ks / 5.4) ** 4)
    cold = mix * tilde(1.0, beta_c) + (1.0 - mix) * tilde(alpha_c, beta_c)

    y = (1.0 + z_eq) / (1.0 + z_drag)
    root = jnp.sqrt(1.0 + y)
    g = y * (-6.0 * root + (2.0 + 3.0 * y) * jnp.log((root + 1.0) / (root - 1.0)))
    alpha_b = 2.07 * k_eq * sound * (1.0 + r_drag) ** -0.75 * g
    beta_b = 0.5 + fraction + (3.0 - 2.0 * fraction) * jnp.sqrt((17.2 * matter) ** 2 + 1.0)
    shifted = ks / (1.0 + (8.41 * matter**0.435 / ks) ** 3) ** (1.0 / 3.0)
    baryonic = tilde(1.0, 1.0) / (1.0 + (ks / 5.2) ** 2)
    baryonic += alpha_b / (1.0 + (beta_b / ks) ** 3) * jnp.exp(-((k / silk) ** 1.4))
    return fraction * baryonic * jnp.sinc(shifted / jnp.pi) + (1.0 - fraction) * cold


def growth_factor(redshift: Float[Array, "..."], cosmology: Cosmology) -> Float[Array, "..."]:
    """Linear growth since `redshift`, 1 today (flat LCDM without radiation)."""

    def unscaled(redshift):
        # With a = u^2 the integrand of Heath's integral is smooth.
        matter = cosmology.omega_m
        a = 1.0 / (1.0 + jnp.asarray(redshift, float))
        half = 0.5 * jnp.sqrt(a)[..., None]
        nodes, weights = (table.reshape((1,) * jnp.ndim(a) + (-1,)) for table in (_NODES, _WEIGHTS))
        u = half * (1.0 + nodes)
        integral = jnp.sum(weights * half * 2.0 * u**4 / (matter + (1.0 - matter) * u**6) ** 1.5, axis=-1)
        return integral * jnp.sqrt(matter * a**-3 + 1.0 - matter)

    return unscaled(redshift) / unscaled(0.0)


def collapse_threshold(redshift: Float[Array, "..."], cosmology: Cosmology) -> Float[Array, "..."]:
    """Linear overdensity at collapse over the linear growth since then: the barrier of extended Press-Schechter."""
    a3 = (1.0 + jnp.asarray(redshift, float)) ** 3
    matter = cosmology.omega_m * a3 / (cosmology.omega_m * a3 + 1.0 - cosmology.omega_m)
    critical = 0.15 * (12.0 * jnp.pi) ** (2.0 / 3.0) * matter**0.0055
    return critical / growth_factor(redshift, cosmology)


class LinearPower(Component):
    """The linear power spectrum of LCDM today: k^n_s times the squared transfer function, normalised by sigma8.

    Examples
    --------
    >>> sigma, slope = co.halos.LinearPower().sigma_of_mass()(12.0)
    >>> round(float(sigma), 2), round(float(slope), 2)
    (2.23, 0.14)
    >>> round(float(co.halos.LinearPower()(0.1)))  # at 0.1 per comoving Mpc [Mpc^3]
    10610
    """

    sigma8: Float[Array, ""] = parameter(
        0.8159,
        unit="1",
        meaning="rms in spheres of 8 Mpc/h today",
        source="Planck 2015 XIII",
        bounds=(0.5, 1.2),
        allowed=NOT_NEGATIVE,
    )
    n_s: Float[Array, ""] = parameter(
        0.9667, unit="1", meaning="index of the primordial power spectrum", source="Planck 2015 XIII", bounds=(0.8, 1.1)
    )

    def sigma_of_mass(self, cosmology: Cosmology | None = None) -> "SigmaOfMass":
        """Rms of the density field in top-hat spheres, as a function of the mass inside."""
        cosmology = as_cosmology(cosmology)
        return _sigma_of_mass(self, cosmology)

    def __call__(
        self, k: Float[Array, "..."], redshift: Float[Array, ""] = 0.0, cosmology: Cosmology | None = None
    ) -> Float[Array, "..."]:
        """Linear power spectrum P [comoving Mpc^3] at wavenumber `k` [1 / comoving Mpc]."""
        return _spectrum(self, jnp.asarray(k, float), jnp.asarray(redshift, float), as_cosmology(cosmology))


class SigmaOfMass(Component):
    """Rms of the linear density field today, a C2 spline over 10^3 <= M/Msun <= 10^16.5."""

    log_mass: Float[Array, " m"]
    log_sigma: Float[Array, " m"]

    def __call__(self, log_mass: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """sigma at log10 of mass [Msun], and its slope -dln(sigma)/dln(M)."""
        table = HermiteTable(self.log_mass, self.log_sigma, ContinuousCurvature()(self.log_mass, self.log_sigma))
        value, slope = jax.vmap(table.__call__)(jnp.ravel(log_mass))
        shape = jnp.shape(log_mass)
        return 10.0 ** value.reshape(shape), -slope.reshape(shape)


def _rms(power, cosmology):
    """A function of radius [comoving Mpc]: the rms in spheres today, and the factor by which sigma8 multiplies it."""
    k = jnp.exp(_LN_K)
    spectrum = k ** (3.0 + power.n_s) * transfer_function(k, cosmology) ** 2

    def rms(radius):
        x = k * radius
        window = jnp.where(x < 0.05, 1.0 - 0.1 * x**2, 3.0 * (jnp.sin(x) - x * jnp.cos(x)) / jnp.maximum(x, 1e-3) ** 3)
        return jnp.sqrt(jnp.trapezoid(spectrum * window**2, _LN_K))

    return rms, power.sigma8 / rms(8.0 / cosmology.h)


@compiled
def _sigma_of_mass(power, cosmology):
    rms, scale = _rms(power, cosmology)
    density = cosmology.omega_m * cosmology.critical_density_today * KPC3_PER_MPC3  # Msun/Mpc^3
    radii = (3.0 * 10.0**_LOG_MASSES / (4.0 * jnp.pi * density)) ** (1.0 / 3.0)
    return SigmaOfMass(jnp.asarray(_LOG_MASSES), jnp.log10(scale * jax.lax.map(rms, radii)))


@compiled
def _spectrum(power, k, redshift, cosmology):
    # sigma^2 is the integral of k^3 P / (2 pi^2) W^2 over ln k.
    _, scale = _rms(power, cosmology)
    today = 2.0 * jnp.pi**2 * scale**2 * k**power.n_s * transfer_function(k, cosmology) ** 2
    return today * growth_factor(redshift, cosmology) ** 2
