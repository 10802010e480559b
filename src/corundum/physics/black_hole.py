"""Black holes: how fast gas reaches them, the Eddington limit, and how much energy they return in which mode."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..numerics.limiters import AbstractMinimum, SmoothMinimum
from ..parameters import NOT_NEGATIVE, parameter
from ..printing import Component
from ..units import GRAVITY_CGS, GYR_YR, KBOLTZMANN, LIGHT_CM_S, LN10, MPROTON_G, MSUN_G, YEAR_S
from .composition import MEAN_WEIGHT
from .galaxy import Galaxy

__all__ = [
    "AbstractFeeding",
    "StarFormationFeeding",
    "DynamicalFeeding",
    "MaximalCoolingFeeding",
    "BondiFeeding",
    "NoFeeding",
    "TwoModeFeedback",
    "eddington_rate",
]

_FAINT = 1e-26  # [erg cm^3/s], below every cooling function
_EDDINGTON = 1.26e38  # [erg/s/Msun], electron scattering in hydrogen


def eddington_rate(mass: Float[Array, "..."], radiative_efficiency: Float[Array, ""]) -> Float[Array, "..."]:
    """Accretion rate [Msun/yr] at which a black hole of `mass` [Msun] shines at its Eddington luminosity.

    Parameters
    ----------
    mass : array
        [Msun].
    radiative_efficiency : float
        Radiated energy over accreted rest mass.

    Examples
    --------
    >>> round(float(co.physics.eddington_rate(1e8, 0.1)), 2)
    2.22
    """
    return mass * _EDDINGTON / (radiative_efficiency * LIGHT_CM_S**2) * YEAR_S / MSUN_G


class AbstractFeeding(Component):
    """Rate at which gas is supplied to the black hole.

    Examples
    --------
    >>> class SteadyFeeding(co.physics.AbstractFeeding):
    ...     def __call__(self, galaxy):
    ...         return 1e-3 * jnp.ones_like(galaxy.state.mbh)
    >>> black_hole = co.models.BlackHole(cold=SteadyFeeding())
    >>> model = co.models.ThermalCGM(processes={"black_hole": black_hole})
    """

    @abc.abstractmethod
    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        """Rate [Msun/yr], before the Eddington limit; ``galaxy.state.mbh`` is the black hole's mass [Msun]."""


class NoFeeding(AbstractFeeding):
    """No gas reaches the black hole.

    Examples
    --------
    >>> black_hole = co.models.BlackHole(hot=co.physics.NoFeeding())  # fed by cold gas alone
    """

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return jnp.zeros_like(galaxy.state.mbh)


class StarFormationFeeding(AbstractFeeding):
    """A fixed share of the star-formation rate, in halos above a mass, switched smoothly in log10 Mvir.

    The default share, 3 in 10^4, is the ratio of black-hole growth and star formation over cosmic time; below about
    10^11 Msun stellar feedback keeps the nucleus empty.

    Parameters
    ----------
    share : float
        Feeding over star-formation rate.
    log_mass : float
        log10 of the halo mass above which the black hole is fed [Msun].
    width : float
        Width of the switch [dex].

    References
    ----------
    Mullaney et al. 2012, ApJ 753, L30 (the ratio is about 10^-3 there); share and mass are free.

    Examples
    --------
    >>> black_hole = co.models.BlackHole(cold=co.physics.StarFormationFeeding(share=1e-3))
    """

    share: Float[Array, ""] = parameter(
        1e-4 * 10.0**0.5,
        unit="1",
        meaning="black-hole feeding over star-formation rate",
        source="Mullaney et al. 2012",
        bounds=(1e-5, 1e-2),
        scale="log10",
    )
    log_mass: Float[Array, ""] = parameter(
        10.868,
        unit="dex(Msun)",
        meaning="log10 of the halo mass above which the black hole is fed",
        source="choice",
        bounds=(9.0, 13.0),
    )
    width: Float[Array, ""] = parameter(
        0.15,
        unit="dex",
        meaning="width of the switch in log10 halo mass",
        source="choice",
        bounds=(0.02, 1.0),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        on = jax.nn.sigmoid((jnp.log(galaxy.halo.mvir) / LN10 - self.log_mass) / self.width)
        return self.share * on * galaxy.quantities["sfr"]


class DynamicalFeeding(AbstractFeeding):
    """A fixed share of the ISM in each free-fall time of the inner halo.

    Parameters
    ----------
    share : float
        Share of the ISM per free-fall time.

    Examples
    --------
    >>> black_hole = co.models.BlackHole(cold=co.physics.DynamicalFeeding(share=1e-4))
    """

    share: Float[Array, ""] = parameter(
        1e-5,
        unit="1",
        meaning="share of the ISM that feeds the black hole per free-fall time",
        source="choice",
        bounds=(1e-7, 1e-2),
        scale="log10",
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self.share * galaxy.state.mism / (galaxy.quantities["t_ff"] * GYR_YR)


class MaximalCoolingFeeding(AbstractFeeding):
    """kappa b pi G mu m_p (k T / Lambda) M_BH: Bondi accretion from gas that cools as fast as it falls.

    Lambda is per total particle density squared; gas that is heated does not feed the black hole.  The factor b follows
    from the profile that the gas is taken to have, and published models differ by a factor of two: Croton et al. 2016
    and SAGE, their public code, use 15/16; L-Galaxies uses 15/8 and attributes it to Croton et al. 2006.  Only the
    product of kappa and b matters, so that one of them is kept fixed in a fit.

    Parameters
    ----------
    efficiency : float
        kappa.
    coefficient : float
        b.

    References
    ----------
    Nulsen & Fabian 2000, MNRAS 311, 346; Croton et al. 2006, MNRAS 365, 11, equation 29; Croton et al. 2016, ApJS 222,
    22.

    Examples
    --------
    >>> black_hole = co.models.BlackHole(hot=co.physics.MaximalCoolingFeeding(efficiency=0.02))
    """

    efficiency: Float[Array, ""] = parameter(
        0.01, unit="1", meaning="kappa", source="choice", bounds=(1e-4, 10.0), scale="log10"
    )
    coefficient: Float[Array, ""] = parameter(
        15.0 / 16.0,
        unit="1",
        meaning="b, numerical factor of the maximal cooling flow; kappa b is what matters",
        source="Croton et al. 2016",
        bounds=(0.5, 2.0),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        temperature, emitted = (galaxy.quantities[name] for name in ("temperature", "cooling_function"))
        inverse = jnp.maximum(emitted, 0.0) / (emitted**2 + _FAINT**2)
        per_second = (
            self.coefficient * jnp.pi * GRAVITY_CGS * MEAN_WEIGHT * MPROTON_G * KBOLTZMANN * temperature * inverse
        )
        return self.efficiency * per_second * YEAR_S * galaxy.state.mbh


class BondiFeeding(AbstractFeeding):
    """alpha 4 pi G^2 M_BH^2 rho / c_s^3 of hot gas with the density it has at the inner edge of the CGM.

    The density is taken at a fraction of the virial radius on the power law r^-3/2.  That is also the profile of a
    Bondi flow, so that the boost alpha stands for the unresolved profile further in.

    Parameters
    ----------
    boost : float
        alpha.
    radius : float
        Where the density is taken [Rvir].

    References
    ----------
    Bondi 1952, MNRAS 112, 195; Springel, Di Matteo & Hernquist 2005, MNRAS 361, 776 (alpha = 100).

    Examples
    --------
    >>> black_hole = co.models.BlackHole(hot=co.physics.BondiFeeding(boost=10.0))
    """

    boost: Float[Array, ""] = parameter(
        100.0, unit="1", meaning="alpha", source="Springel et al. 2005", bounds=(1.0, 1e4), scale="log10"
    )
    radius: Float[Array, ""] = parameter(
        0.1,
        unit="Rvir",
        meaning="where the density is taken",
        source="choice",
        bounds=(0.01, 0.5),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        mass, density = galaxy.state.mbh, galaxy.quantities["density"] * self.radius**-1.5
        sound = jnp.sqrt(5.0 / 3.0 * KBOLTZMANN * galaxy.quantities["temperature"] / (MEAN_WEIGHT * MPROTON_G))
        per_second = 4.0 * jnp.pi * GRAVITY_CGS**2 * mass * MSUN_G * density * MEAN_WEIGHT * MPROTON_G / sound**3
        return self.boost * per_second * YEAR_S * mass


class TwoModeFeedback(Component):
    """Energy over accreted rest mass: low in the radiative mode, high in the kinetic mode of slowly fed black holes.

    The mode changes at the Eddington ratio min[0.002 (M_BH / 10^8 Msun)^2, 0.1], smoothly in its logarithm.

    Parameters
    ----------
    radiative, kinetic : float
        Energy that reaches the CGM over accreted rest mass in each mode.
    transition : float
        Eddington ratio of the transition at the pivot mass.
    pivot : float
        Pivot mass [Msun].
    largest : float
        Largest Eddington ratio of the kinetic mode.
    width : float
        Width of the transition in ln(Eddington ratio).
    limit : AbstractMinimum
        How the transition is limited to `largest`.

    References
    ----------
    Weinberger et al. 2017, MNRAS 465, 3291 (0.2 in the kinetic mode, and the transition).  In the radiative mode they
    give 0.02 to the gas around the black hole.  Here a hundredth of that reaches the CGM, because with all of it
    galaxies of all masses form fewer stars.

    Examples
    --------
    >>> feedback = co.physics.TwoModeFeedback()
    >>> [round(float(feedback(1e8, ratio)), 4) for ratio in (1e-5, 1e-1)]  # kinetic, radiative
    [0.2, 0.0002]
    """

    radiative: Float[Array, ""] = parameter(
        2e-4,
        unit="1",
        meaning="energy to the CGM over accreted rest mass, radiative mode",
        source="choice",
        bounds=(1e-5, 0.1),
        scale="log10",
    )
    kinetic: Float[Array, ""] = parameter(
        0.2,
        unit="1",
        meaning="energy to the CGM over accreted rest mass, kinetic mode",
        source="Weinberger et al. 2017 [unverified]",
        bounds=(1e-3, 1.0),
        scale="log10",
    )
    transition: Float[Array, ""] = parameter(
        0.002,
        unit="1",
        meaning="Eddington ratio of the transition at the pivot mass",
        source="Weinberger et al. 2017",
        bounds=(1e-4, 0.1),
        scale="log10",
    )
    pivot: Float[Array, ""] = parameter(
        1e8, unit="Msun", meaning="pivot mass", source="Weinberger et al. 2017", bounds=(1e6, 1e9), scale="log10"
    )
    largest: Float[Array, ""] = parameter(
        0.1,
        unit="1",
        meaning="largest Eddington ratio of the kinetic mode",
        source="Weinberger et al. 2017",
        bounds=(0.01, 1.0),
        allowed=NOT_NEGATIVE,
    )
    width: Float[Array, ""] = parameter(
        0.3,
        unit="1",
        meaning="width of the transition in ln(Eddington ratio)",
        source="choice",
        bounds=(0.05, 2.0),
        allowed=NOT_NEGATIVE,
    )
    limit: AbstractMinimum = eqx.field(default_factory=SmoothMinimum)

    def kinetic_share(self, mass: Float[Array, "..."], ratio: Float[Array, "..."]) -> Float[Array, "..."]:
        """Weight of the kinetic mode, 0 to 1, for a black hole of `mass` [Msun] at an Eddington `ratio`."""
        critical = self.limit(self.transition * (mass / self.pivot) ** 2, self.largest)
        return jax.nn.sigmoid((jnp.log(critical) - jnp.log(ratio + 1e-30)) / self.width)

    def __call__(self, mass: Float[Array, "..."], ratio: Float[Array, "..."]) -> Float[Array, "..."]:
        """Energy over accreted rest mass for `mass` [Msun] and Eddington `ratio`."""
        share = self.kinetic_share(mass, ratio)
        return share * self.kinetic + (1.0 - share) * self.radiative
