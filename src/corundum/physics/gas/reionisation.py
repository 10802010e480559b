"""Suppression of gas accretion onto small halos by the ultraviolet background.

The filtering mass follows Kravtsov, Gnedin & Klypin 2004 (ApJ 609, 482, appendix B); the fraction of the cosmic
baryon share that a halo near it accretes follows Okamoto, Gao & Theuns 2008 (MNRAS 390, 920, eq. 1).
"""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...cosmology import Cosmology
from ...parameters import parameter

__all__ = [
    "AbstractFilteringMass",
    "Kravtsov04FilteringMass",
    "KravtsovManwadkar22FilteringMass",
    "Pandya26FilteringMass",
    "AbstractReionisation",
    "Okamoto08",
]

_MEAN_WEIGHT = 0.59


class AbstractFilteringMass(eqx.Module):
    """Halo mass below which the ultraviolet background keeps baryons out."""

    @abc.abstractmethod
    def __call__(self, redshift: Float[Array, "..."], cosmology: Cosmology) -> Float[Array, "..."]:
        """Filtering mass [Msun]."""

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        """Redshifts at which the filtering mass is not smooth."""
        return ()


def _overlap_redshift():
    return parameter(
        9.0,
        unit="1",
        meaning="redshift at which HII regions overlap",
        source="Pandya et al. 2023",
        bounds=(6.0, 15.0),
    )


def _complete_redshift():
    return parameter(
        3.5,
        unit="1",
        meaning="redshift at which reionisation ends",
        source="Pandya et al. 2023",
        bounds=(2.0, 6.0),
    )


def _temperature_index():
    return parameter(
        6.0,
        unit="1",
        meaning="growth of temperature before overlap, T ~ a^alpha",
        source="Kravtsov+04",
        bounds=(2, 10),
    )


def _filter_integrals(a, a_overlap, a_complete, alpha):
    """The terms of Kravtsov+04 eq. B2: up to overlap, from there on, and from the end of reionisation on."""
    inverse_root = jnp.sqrt(1.0 / a)

    def growth(part):
        return part**2 / 10.0 * (5.0 - 4.0 * jnp.sqrt(part) * inverse_root)

    before = a_overlap**2 * (1.0 / (2.0 + alpha) - 2.0 * jnp.sqrt(a_overlap) * inverse_root / (5.0 + 2.0 * alpha))
    during = a**2 / 10.0 - growth(a_overlap)
    after = (
        growth(a_complete)
        - growth(a_overlap)
        + a * a_complete / 3.0
        - a_complete**2 / 3.0 * (3.0 - 2.0 * jnp.sqrt(a_complete) * inverse_root)
    )
    return before, during, after


def _jeans_scale(cosmology):
    return 2.5e11 / (cosmology.h * jnp.sqrt(cosmology.omega_m) * _MEAN_WEIGHT**1.5)


def _mass(redshift, overlap_redshift, alpha, late, cosmology):
    """M_F = 0.093 M_J f^1.5, with the fraction f of eq. B2: a power law before overlap, `late` after it."""
    before, expansion = redshift > overlap_redshift, jnp.log(1.0 + redshift)
    log_early = (
        alpha * jnp.log(1.0 + overlap_redshift)
        - (1.0 + alpha) * expansion
        - jnp.log((2.0 + alpha) * (5.0 + 2.0 * alpha) / 3.0)
    )
    log_fraction = jnp.where(before, log_early, jnp.log(jnp.where(before, 1.0, late)))
    return jnp.exp(jnp.log(0.0933 * _jeans_scale(cosmology)) + 1.5 * log_fraction)


class Kravtsov04FilteringMass(AbstractFilteringMass):
    """The filtering mass of Kravtsov+04, continuous at both transitions (z ~ 9 and 3.5)."""

    overlap_redshift: Float[Array, ""] = _overlap_redshift()
    complete_redshift: Float[Array, ""] = _complete_redshift()
    temperature_index: Float[Array, ""] = _temperature_index()

    def __call__(self, redshift: Float[Array, "..."], cosmology: Cosmology) -> Float[Array, "..."]:
        a = 1.0 / (1.0 + redshift)
        a_overlap, a_complete = 1.0 / (1.0 + self.overlap_redshift), 1.0 / (1.0 + self.complete_redshift)
        before, during, after = _filter_integrals(a, a_overlap, a_complete, self.temperature_index)
        late = 3.0 / a * (before + jnp.where(a > a_complete, after, during))
        return _mass(redshift, self.overlap_redshift, self.temperature_index, late, cosmology)

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        return (self.overlap_redshift, self.complete_redshift)


class Pandya26FilteringMass(AbstractFilteringMass):
    """The form used by Pandya et al. 2026, where 3/a multiplies only part of the 3.5 < z < 9 branch.

    It is lower than `Kravtsov04FilteringMass` between the transitions and jumps by a factor of ten at z = 3.5.
    """

    overlap_redshift: Float[Array, ""] = _overlap_redshift()
    complete_redshift: Float[Array, ""] = _complete_redshift()
    temperature_index: Float[Array, ""] = _temperature_index()

    def __call__(self, redshift: Float[Array, "..."], cosmology: Cosmology) -> Float[Array, "..."]:
        a = 1.0 / (1.0 + redshift)
        a_overlap, a_complete = 1.0 / (1.0 + self.overlap_redshift), 1.0 / (1.0 + self.complete_redshift)
        before, during, after = _filter_integrals(a, a_overlap, a_complete, self.temperature_index)
        middle = 3.0 / a * before + during
        late = 3.0 / a * (before + after)
        return _mass(
            redshift, self.overlap_redshift, self.temperature_index, jnp.where(a > a_complete, late, middle), cosmology
        )

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        return (self.overlap_redshift, self.complete_redshift)


class AbstractReionisation(eqx.Module):
    """Fraction of its cosmic baryon share that a halo can accrete under the ultraviolet background."""

    @abc.abstractmethod
    def __call__(
        self, mvir: Float[Array, "..."], redshift: Float[Array, "..."], cosmology: Cosmology
    ) -> Float[Array, "..."]:
        """Accreted fraction in [0, 1] for `mvir` [Msun]."""

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        """Redshifts at which the fraction is not smooth."""
        return ()


class Okamoto08(AbstractReionisation):
    """[1 + (2^(alpha/3) - 1) (M_F / M)^alpha]^(-3/alpha): one half at the filtering mass.

    Okamoto et al. give the fraction of baryons a halo retains; as in Pandya et al. 2023 it multiplies the inflow rate.
    """

    filtering_mass: AbstractFilteringMass = eqx.field(default_factory=Kravtsov04FilteringMass)
    steepness: Float[Array, ""] = parameter(
        2.0, unit="1", meaning="alpha of the accreted fraction", source="Okamoto+08 eq. 1", bounds=(1.0, 4.0)
    )

    def __call__(
        self, mvir: Float[Array, "..."], redshift: Float[Array, "..."], cosmology: Cosmology
    ) -> Float[Array, "..."]:
        log_ratio = jnp.log(self.filtering_mass(redshift, cosmology)) - jnp.log(mvir)
        excess = (2.0 ** (self.steepness / 3.0) - 1.0) * jnp.exp(self.steepness * log_ratio)
        return jnp.exp(-3.0 / self.steepness * jnp.log(1.0 + excess))

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        return self.filtering_mass.breaks()


class KravtsovManwadkar22FilteringMass(AbstractFilteringMass):
    """1.69e10 exp(-0.63 z) / (1 + exp[(z / beta)^15]) Msun: a smooth fit to simulations, for any reionisation redshift.

    beta follows from the redshift of reionisation.

    References
    ----------
    Kravtsov & Manwadkar 2022, MNRAS 514, 2667, equations 3 to 5 (after Okamoto et al. 2008).
    """

    reionisation_redshift: Float[Array, ""] = parameter(
        6.0, unit="1", meaning="redshift of reionisation", source="Kravtsov & Manwadkar 2022",
        bounds=(5.0, 10.0),  # the fit for beta has no value beyond 10.8
    )  # fmt: skip
    mass_today: Float[Array, ""] = parameter(
        1.69e10,
        unit="Msun",
        meaning="twice the filtering mass at z = 0",
        source="Kravtsov & Manwadkar 2022",
        bounds=(3e9, 1e11),
        scale="log10",
    )
    decline: Float[Array, ""] = parameter(
        0.63,
        unit="1",
        meaning="decline of ln(mass) per redshift",
        source="Kravtsov & Manwadkar 2022",
        bounds=(0.3, 1.0),
    )

    def __call__(self, redshift: Float[Array, "..."], cosmology: Cosmology) -> Float[Array, "..."]:
        z_rei = self.reionisation_redshift
        beta = z_rei * jnp.log(1.82e3 * jnp.exp(-0.63 * z_rei) - 1.0) ** (-1.0 / 15.0)
        shut = jnp.logaddexp(0.0, jnp.minimum((redshift / beta) ** 15, 200.0))
        return self.mass_today * jnp.exp(-self.decline * redshift - shut)
