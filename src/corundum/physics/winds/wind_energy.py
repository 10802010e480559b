"""The energy of galactic winds: carried by the wind's own mass, or a share of the supernova energy."""

import abc

import equinox as eqx
from jaxtyping import Array, Float

from ...units import KM_CM, MSUN_G, SUPERNOVA_ERG_PER_MSUN
from ..galaxy import AbstractScaling
from .fire2 import Fire2WindVelocity
from .loading import Ceiling, EnergyLoading

__all__ = ["AbstractWindEnergy", "BernoulliWind", "LoadedWind"]


class AbstractWindEnergy(eqx.Module):
    """Energy that winds deliver to the CGM, over the supernova energy released (eta_E)."""

    @abc.abstractmethod
    def __call__(
        self, mass_loading: Float[Array, "..."], vvir: Float[Array, "..."], redshift: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """eta_E for eta_M, `vvir` [km/s] and `redshift`."""


class BernoulliWind(AbstractWindEnergy):
    """Energy v_B^2 per mass of the wind (Pandya et al. 2021, 2023): there is no factor of one half."""

    velocity: AbstractScaling = eqx.field(default_factory=Fire2WindVelocity)

    def __call__(
        self, mass_loading: Float[Array, "..."], vvir: Float[Array, "..."], redshift: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        specific = MSUN_G * (self.velocity(vvir, redshift) * KM_CM) ** 2  # [erg/Msun]
        return mass_loading * specific / SUPERNOVA_ERG_PER_MSUN


class LoadedWind(AbstractWindEnergy):
    """An energy loading of its own, held below a ceiling (Pandya et al. 2026)."""

    energy_loading: AbstractScaling = eqx.field(default_factory=EnergyLoading)
    ceiling: Ceiling = eqx.field(default_factory=Ceiling)

    def __call__(
        self, mass_loading: Float[Array, "..."], vvir: Float[Array, "..."], redshift: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        return self.ceiling(self.energy_loading(vvir, redshift))
