"""Suppression of gas accretion onto small halos by the ultraviolet background.

How the filtering mass changes with redshift follows Kravtsov, Gnedin & Klypin 2004 (ApJ 609, 482, appendix B); the
fraction of the cosmic baryon share that a halo near it accretes follows Okamoto, Gao & Theuns 2008 (MNRAS 390, 920,
eq. 1).  The two papers do not mean the same mass: at the filtering mass of Kravtsov et al. halos keep half of their
baryons by the fit of Gnedin 2000, but simulations with more resolution find that they do so at about a tenth of it.
The parameter `normalisation` of the filtering masses holds that tenth.
"""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...parameters import parameter
from ...printing import Component
from ..composition import MEAN_WEIGHT

__all__ = [
    "AbstractFilteringMass",
    "Kravtsov04FilteringMass",
    "KravtsovManwadkar22FilteringMass",
    "Pandya26FilteringMass",
    "AbstractReionisation",
    "Okamoto08",
]


class AbstractFilteringMass(Component):
    """Halo mass below which the ultraviolet background keeps baryons out.

    Examples
    --------
    >>> class FixedMass(co.physics.AbstractFilteringMass):
    ...     def __call__(self, redshift, cosmology):
    ...         return 5e9 * jnp.ones_like(redshift)
    >>> model = co.models.ThermalCGM(reionisation=co.physics.Okamoto08(filtering_mass=FixedMass()))
    """

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


def _normalisation():
    return parameter(
        0.0933,
        unit="1",
        meaning="filtering mass over that of Kravtsov+04, M_J f^1.5",
        source="choice: with it the mass today, 8.6e9 Msun, is near that of Okamoto+08; Kravtsov+04 have 1",
        bounds=(0.03, 1.0),
        scale="log10",
    )


def _filter_integrals(a, a_overlap, a_complete, alpha):
    """The terms of Kravtsov+04 eq. B2: up to overlap, from there on, and from the end of reionisation on."""
    inverse_root = jnp.sqrt(1.0 / a)

    def growth(a_transition):
        return a_transition**2 / 10.0 * (5.0 - 4.0 * jnp.sqrt(a_transition) * inverse_root)

    before = a_overlap**2 * (1.0 / (2.0 + alpha) - 2.0 * jnp.sqrt(a_overlap) * inverse_root / (5.0 + 2.0 * alpha))
    during = a**2 / 10.0 - growth(a_overlap)
    after = (
        growth(a_complete)
        - growth(a_overlap)
        + a * a_complete / 3.0
        - a_complete**2 / 3.0 * (3.0 - 2.0 * jnp.sqrt(a_complete) * inverse_root)
    )
    return before, during, after


def _jeans_mass(cosmology):
    return 2.5e11 / (cosmology.h * jnp.sqrt(cosmology.omega_m) * MEAN_WEIGHT**1.5)


def _mass(redshift, law, late, cosmology):
    """M_F = normalisation M_J f^1.5, with the fraction f of eq. B2: a power law before overlap, `late` after it."""
    overlap_redshift, alpha = law.overlap_redshift, law.temperature_index
    before, ln_1pz = redshift > overlap_redshift, jnp.log(1.0 + redshift)
    ln_early = (
        alpha * jnp.log(1.0 + overlap_redshift)
        - (1.0 + alpha) * ln_1pz
        - jnp.log((2.0 + alpha) * (5.0 + 2.0 * alpha) / 3.0)
    )
    ln_fraction = jnp.where(before, ln_early, jnp.log(jnp.where(before, 1.0, late)))
    return jnp.exp(jnp.log(law.normalisation * _jeans_mass(cosmology)) + 1.5 * ln_fraction)


class Kravtsov04FilteringMass(AbstractFilteringMass):
    """The filtering mass of Kravtsov+04, continuous at both transitions (z = 9 and 3.5 by default).

    Parameters
    ----------
    overlap_redshift, complete_redshift : float
        Redshifts at which HII regions overlap and at which reionisation ends.
    temperature_index : float
        Growth of the gas temperature before overlap, T ~ a^alpha.
    normalisation : float
        M_F over M_J f^1.5; 1 is the mass of Kravtsov+04.

    Examples
    --------
    >>> filtering_mass = co.physics.Kravtsov04FilteringMass()
    >>> print(f"{float(filtering_mass(0.0, co.cosmology.planck15())):.1e}")  # [Msun]
    8.6e+09
    """

    overlap_redshift: Float[Array, ""] = _overlap_redshift()
    complete_redshift: Float[Array, ""] = _complete_redshift()
    temperature_index: Float[Array, ""] = _temperature_index()
    normalisation: Float[Array, ""] = _normalisation()

    def __call__(self, redshift: Float[Array, "..."], cosmology: Cosmology) -> Float[Array, "..."]:
        a = 1.0 / (1.0 + redshift)
        a_overlap, a_complete = 1.0 / (1.0 + self.overlap_redshift), 1.0 / (1.0 + self.complete_redshift)
        before, during, after = _filter_integrals(a, a_overlap, a_complete, self.temperature_index)
        late = 3.0 / a * (before + jnp.where(a > a_complete, after, during))
        return _mass(redshift, self, late, cosmology)

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        return (self.overlap_redshift, self.complete_redshift)


class Pandya26FilteringMass(AbstractFilteringMass):
    """The form used by Pandya et al. 2026, where 3/a multiplies only part of the 3.5 < z < 9 branch.

    It is lower than `Kravtsov04FilteringMass` between the transitions and jumps by a factor of ten at z = 3.5.

    Parameters
    ----------
    overlap_redshift, complete_redshift : float
        Redshifts at which HII regions overlap and at which reionisation ends.
    temperature_index : float
        Growth of the gas temperature before overlap, T ~ a^alpha.
    normalisation : float
        M_F over M_J f^1.5; 1 is the mass of Kravtsov+04.

    Examples
    --------
    >>> published, continuous = co.physics.Pandya26FilteringMass(), co.physics.Kravtsov04FilteringMass()
    >>> cosmology = co.cosmology.planck15()
    >>> round(float(published(4.0, cosmology) / continuous(4.0, cosmology)), 2)
    0.12
    """

    overlap_redshift: Float[Array, ""] = _overlap_redshift()
    complete_redshift: Float[Array, ""] = _complete_redshift()
    temperature_index: Float[Array, ""] = _temperature_index()
    normalisation: Float[Array, ""] = _normalisation()

    def __call__(self, redshift: Float[Array, "..."], cosmology: Cosmology) -> Float[Array, "..."]:
        a = 1.0 / (1.0 + redshift)
        a_overlap, a_complete = 1.0 / (1.0 + self.overlap_redshift), 1.0 / (1.0 + self.complete_redshift)
        before, during, after = _filter_integrals(a, a_overlap, a_complete, self.temperature_index)
        middle = 3.0 / a * before + during
        late = 3.0 / a * (before + after)
        return _mass(redshift, self, jnp.where(a > a_complete, late, middle), cosmology)

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        return (self.overlap_redshift, self.complete_redshift)


class AbstractReionisation(Component):
    """Fraction of its cosmic baryon share that a halo can accrete under the ultraviolet background.

    Examples
    --------
    >>> class NoBackground(co.physics.AbstractReionisation):
    ...     def __call__(self, mvir, redshift, cosmology):
    ...         return jnp.ones_like(mvir)
    >>> model = co.models.ThermalCGM(reionisation=NoBackground())
    """

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

    Parameters
    ----------
    filtering_mass : AbstractFilteringMass
        M_F.
    steepness : float
        alpha.

    Examples
    --------
    >>> reionisation, cosmology = co.physics.Okamoto08(), co.cosmology.planck15()
    >>> [round(float(reionisation(mvir, 0.0, cosmology)), 2) for mvir in (1e9, 1e10, 1e12)]
    [0.0, 0.58, 1.0]
    """

    filtering_mass: AbstractFilteringMass = eqx.field(default_factory=Kravtsov04FilteringMass)
    steepness: Float[Array, ""] = parameter(
        2.0, unit="1", meaning="alpha of the accreted fraction", source="Okamoto+08 eq. 1", bounds=(1.0, 4.0)
    )

    def __call__(
        self, mvir: Float[Array, "..."], redshift: Float[Array, "..."], cosmology: Cosmology
    ) -> Float[Array, "..."]:
        ln_ratio = jnp.log(self.filtering_mass(redshift, cosmology)) - jnp.log(mvir)
        excess = (2.0 ** (self.steepness / 3.0) - 1.0) * jnp.exp(self.steepness * ln_ratio)
        return jnp.exp(-3.0 / self.steepness * jnp.log(1.0 + excess))

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        return self.filtering_mass.breaks()


class KravtsovManwadkar22FilteringMass(AbstractFilteringMass):
    """1.69e10 exp(-0.63 z) / (1 + exp[(z / beta)^15]) Msun: a smooth fit to simulations, for any reionisation redshift.

    beta follows from the redshift of reionisation.

    Parameters
    ----------
    reionisation_redshift : float
        Redshift of reionisation.
    mass_today : float
        Twice the filtering mass at z = 0 [Msun].
    decline : float
        Decline of ln(mass) per redshift.

    References
    ----------
    Kravtsov & Manwadkar 2022, MNRAS 514, 2667, equations 3 to 5 (after Okamoto et al. 2008).

    Examples
    --------
    >>> filtering_mass = co.physics.KravtsovManwadkar22FilteringMass(reionisation_redshift=8.0)
    >>> [f"{float(filtering_mass(redshift, co.cosmology.planck15())):.0e}" for redshift in (0.0, 4.0)]
    ['8e+09', '7e+08']
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
        ln_suppression = jnp.logaddexp(0.0, jnp.minimum((redshift / beta) ** 15, 200.0))
        return self.mass_today * jnp.exp(-self.decline * redshift - ln_suppression)
