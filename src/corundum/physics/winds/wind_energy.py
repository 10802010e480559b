"""The energy of galactic winds: set by the mass of the wind, or a share of the supernova energy."""

import abc

import equinox as eqx
from jaxtyping import Float

from ...annotations import Array
from ...printing import Component
from ...units import KM_CM, MSUN_G
from ..galaxy import AbstractGalaxyScaling, AbstractScaling, Galaxy
from .fire2 import Fire2WindVelocity
from .loading import Ceiling, EnergyLoading

__all__ = ["AbstractWindEnergy", "BernoulliWind", "LoadedWind"]


class AbstractWindEnergy(Component):
    """Energy that winds deliver to the CGM per stellar mass formed.

    Examples
    --------
    >>> class TenPercent(co.physics.AbstractWindEnergy):
    ...     def __call__(self, galaxy, supernova_energy):
    ...         return 0.1 * supernova_energy * jnp.ones_like(galaxy.halo.vvir)
    >>> model = co.models.TurbulentCGM(wind_energy=TenPercent())
    """

    @abc.abstractmethod
    def __call__(self, galaxy: Galaxy, supernova_energy: Float[Array, ""]) -> Float[Array, "..."]:
        """Energy per stellar mass formed [erg/Msun].

        Parameters
        ----------
        galaxy : Galaxy
            Whose ``mass_loading`` is known, as all that a metal loading knows.
        supernova_energy : float
            Energy that supernovae release per stellar mass formed [erg/Msun].
        """


class BernoulliWind(AbstractWindEnergy):
    """Energy v_B^2 per mass of the wind (Pandya et al. 2021, 2023): there is no factor of one half.

    It does not depend on the supernova energy.

    Parameters
    ----------
    velocity : AbstractScaling or AbstractGalaxyScaling
        Bernoulli velocity v_B [km/s].

    Examples
    --------
    >>> halo = co.halos.Halo(13.8, 0.0, 1e12, 260.0, 125.0, 10.0, 30.0)
    >>> galaxy = co.physics.Galaxy(None, halo, {"mass_loading": 1.0}, {})
    >>> round(float(co.physics.BernoulliWind()(galaxy, 1e49)) / 1e49, 3)  # eta_E for eta_M = 1
    0.125
    """

    velocity: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=Fire2WindVelocity)

    def __call__(self, galaxy: Galaxy, supernova_energy: Float[Array, ""]) -> Float[Array, "..."]:
        velocity = self.velocity.value(self.velocity.imposed(galaxy.halo), galaxy)
        specific = MSUN_G * (velocity * KM_CM) ** 2  # [erg/Msun]
        return galaxy.quantities["mass_loading"] * specific


class LoadedWind(AbstractWindEnergy):
    """A share eta_E of the supernova energy that does not depend on the mass loading (Pandya et al. 2026).

    Parameters
    ----------
    energy_loading : AbstractScaling or AbstractGalaxyScaling
        eta_E before the ceiling.
    ceiling : Ceiling
        Upper limit on it.

    Examples
    --------
    >>> wind = co.physics.LoadedWind()
    >>> halos = [co.halos.Halo(13.8, 0.0, 1e12, 260.0, vvir, 10.0, 30.0) for vvir in (5.0, 125.0)]
    >>> [round(float(wind(co.physics.Galaxy(None, halo, {}, {}), 1e49)) / 1e49, 2) for halo in halos]
    [0.99, 0.1]
    """

    energy_loading: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=EnergyLoading)
    ceiling: Ceiling = eqx.field(default_factory=Ceiling)

    def __call__(self, galaxy: Galaxy, supernova_energy: Float[Array, ""]) -> Float[Array, "..."]:
        loading = self.energy_loading.value(self.energy_loading.imposed(galaxy.halo), galaxy)
        return self.ceiling(loading) * supernova_energy
