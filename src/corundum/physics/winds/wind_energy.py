"""The energy of galactic winds: set by the mass of the wind, or a share of the supernova energy."""

import abc

import equinox as eqx
from jaxtyping import Float

from ...annotations import Array
from ...printing import Component
from ...units import KM_CM, MSUN_G
from ..galaxy import AbstractScaling
from .fire2 import Fire2WindVelocity
from .loading import Ceiling, EnergyLoading

__all__ = ["AbstractWindEnergy", "BernoulliWind", "LoadedWind"]


class AbstractWindEnergy(Component):
    """Energy that winds deliver to the CGM per stellar mass formed.

    Examples
    --------
    >>> class TenPercent(co.physics.AbstractWindEnergy):
    ...     def __call__(self, mass_loading, vvir, redshift, supernova_energy):
    ...         return 0.1 * supernova_energy * jnp.ones_like(vvir)
    >>> model = co.models.TurbulentCGM(wind_energy=TenPercent())
    """

    @abc.abstractmethod
    def __call__(
        self,
        mass_loading: Float[Array, "..."],
        vvir: Float[Array, "..."],
        redshift: Float[Array, "..."],
        supernova_energy: Float[Array, ""],
    ) -> Float[Array, "..."]:
        """Energy per stellar mass formed [erg/Msun], for eta_M, `vvir` [km/s] and `redshift`.

        Parameters
        ----------
        mass_loading, vvir, redshift : array
            eta_M, virial velocity [km/s] and redshift.
        supernova_energy : float
            Energy that supernovae release per stellar mass formed [erg/Msun].
        """


class BernoulliWind(AbstractWindEnergy):
    """Energy v_B^2 per mass of the wind (Pandya et al. 2021, 2023): there is no factor of one half.

    It does not depend on the supernova energy.

    Parameters
    ----------
    velocity : AbstractScaling
        Bernoulli velocity v_B [km/s].

    Examples
    --------
    >>> round(float(co.physics.BernoulliWind()(1.0, 125.0, 0.0, 1e49)) / 1e49, 3)  # eta_E for eta_M = 1
    0.125
    """

    velocity: AbstractScaling = eqx.field(default_factory=Fire2WindVelocity)

    def __call__(
        self,
        mass_loading: Float[Array, "..."],
        vvir: Float[Array, "..."],
        redshift: Float[Array, "..."],
        supernova_energy: Float[Array, ""],
    ) -> Float[Array, "..."]:
        specific = MSUN_G * (self.velocity(vvir, redshift) * KM_CM) ** 2  # [erg/Msun]
        return mass_loading * specific


class LoadedWind(AbstractWindEnergy):
    """A share eta_E of the supernova energy that does not depend on the mass loading (Pandya et al. 2026).

    Parameters
    ----------
    energy_loading : AbstractScaling
        eta_E before the ceiling.
    ceiling : Ceiling
        Upper limit on it.

    Examples
    --------
    >>> wind = co.physics.LoadedWind()
    >>> [round(float(wind(1.0, vvir, 0.0, 1e49)) / 1e49, 2) for vvir in (5.0, 125.0)]
    [0.99, 0.1]
    """

    energy_loading: AbstractScaling = eqx.field(default_factory=EnergyLoading)
    ceiling: Ceiling = eqx.field(default_factory=Ceiling)

    def __call__(
        self,
        mass_loading: Float[Array, "..."],
        vvir: Float[Array, "..."],
        redshift: Float[Array, "..."],
        supernova_energy: Float[Array, ""],
    ) -> Float[Array, "..."]:
        return self.ceiling(self.energy_loading(vvir, redshift)) * supernova_energy
