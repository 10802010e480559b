"""How fast gas reaches a black hole: the Eddington rate, and feeding with cold gas."""

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...units import GYR_YR, LIGHT_CM_S, LN10, MSUN_G, YEAR_S
from ..galaxy import AbstractLaw, Galaxy

__all__ = [
    "AbstractFeeding",
    "DynamicalFeeding",
    "MergerFeeding",
    "NoFeeding",
    "SecularFeeding",
    "StarFormationFeeding",
    "eddington_rate",
]

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


class AbstractFeeding(AbstractLaw):
    """Rate at which gas is supplied to the black hole.

    Examples
    --------
    >>> class SteadyFeeding(co.physics.AbstractFeeding):
    ...     def __call__(self, galaxy):
    ...         return 1e-3 * jnp.ones_like(galaxy.state.mbh)
    >>> black_hole = co.models.BlackHole(cold=SteadyFeeding())
    >>> model = co.models.ThermalCGM(processes={"black_hole": black_hole})
    """

    reads: ClassVar[tuple[str, ...]] = ()  # quantities of other processes

    @abc.abstractmethod
    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        """Rate [Msun/yr], before the Eddington limit; ``galaxy.state.mbh`` is the black hole's mass [Msun]."""

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The same rate."""
        return self(galaxy)


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


class MergerFeeding(AbstractFeeding):
    """f_BH q M_ISM / [1 + (V0 / Vvir)^2] in each merger of mass ratio q, spread over the times of merging.

    It reads the masses of merging satellites that `corundum.population.with_mergers` gives to histories.

    Parameters
    ----------
    share : float
        f_BH.
    velocity : float
        V0 [km/s].

    References
    ----------
    Kauffmann & Haehnelt 2000, MNRAS 311, 576; Croton et al. 2006, MNRAS 365, 11.

    Examples
    --------
    >>> fed = co.models.BlackHole(cold=co.physics.MergerFeeding(share=0.015))
    >>> processes = {"black_hole": fed, "merging": co.models.Merging()}
    >>> model = co.models.ThermalCGM(processes=processes)
    """

    share: Float[Array, ""] = parameter(
        0.03,
        unit="1",
        meaning="share of the ISM that feeds the black hole in a merger of equals",
        source="choice",
        bounds=(3e-3, 0.2),
        scale="log10",
    )
    velocity: Float[Array, ""] = parameter(
        280.0,
        unit="km/s",
        meaning="virial velocity below which less gas reaches the black hole",
        source="choice",
        bounds=(100.0, 1000.0),
        scale="log10",
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        state, halo = galaxy.state, galaxy.halo
        merging = halo.extras["merging_mass"] / GYR_YR / (state.mstar + state.mism)  # [1/yr]
        return self.share * merging * state.mism / (1.0 + (self.velocity / halo.vvir) ** 2)


class SecularFeeding(AbstractFeeding):
    """A share of the gas that bars of unstable discs move to the centre, beside another way of feeding.

    It goes with `corundum.models.DiscInstability`.

    Parameters
    ----------
    share : float
        f_sec.
    beside : AbstractFeeding
        What else feeds the black hole with cold gas.

    Examples
    --------
    >>> cold = co.physics.SecularFeeding(beside=co.physics.MergerFeeding())
    >>> co.models.ThermalCGM(processes={"black_hole": co.models.BlackHole(cold=cold)})
    Traceback (most recent call last):
    ValueError: process 'black_hole': BlackHole reads unstable_gas, which ThermalCGM does not compute; ...
    """

    reads: ClassVar[tuple[str, ...]] = ("unstable_gas",)

    share: Float[Array, ""] = parameter(
        3e-3,
        unit="1",
        meaning="share of the gas of unstable discs that feeds the black hole",
        source="choice",
        bounds=(1e-4, 3e-2),
        scale="log10",
    )
    beside: AbstractFeeding = eqx.field(default_factory=NoFeeding)

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self.share * galaxy.quantities["unstable_gas"] + self.beside(galaxy)
