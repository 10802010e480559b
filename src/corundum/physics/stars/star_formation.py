"""Depletion times other than the default power law: dynamical, and regulated by molecular gas.

Both need the size of the disc, and take the place ``depletion_time`` of a model.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...parameters import parameter
from ..galaxy import AbstractGalaxyScaling, Galaxy
from ..gas.virial import dynamical_time
from .discs import AbstractDiscSize, DiscSize
from .molecular_gas import RING_MASSES, AbstractMolecularFraction, BlitzRosolowsky06, rings_of

__all__ = ["DynamicalDepletion", "MolecularDepletion"]


class DynamicalDepletion(AbstractGalaxyScaling):
    """t_dep = 3 R_d / (epsilon Vvir): a fixed share of the gas forms stars in each dynamical time of the disc [Gyr].

    Parameters
    ----------
    efficiency : float
        epsilon, share of the gas that forms stars per dynamical time.
    disc : AbstractDiscSize
        Scale length R_d of the disc.

    References
    ----------
    Kauffmann et al. 1999, MNRAS 303, 188; Croton et al. 2006, MNRAS 365, 11 (disc radius of three scale lengths).

    Examples
    --------
    >>> model = co.models.ThermalCGM(depletion_time=co.physics.DynamicalDepletion(efficiency=0.05))
    """

    efficiency: Float[Array, ""] = parameter(
        0.07,
        unit="1",
        meaning="share of the gas formed into stars per dynamical time",
        source="Croton et al. 2006",
        bounds=(0.005, 0.5),
        scale="log10",
    )
    disc: AbstractDiscSize = eqx.field(default_factory=DiscSize)

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return dynamical_time(3.0 * self.disc.of(galaxy), galaxy.halo.vvir) / self.efficiency


class MolecularDepletion(AbstractGalaxyScaling):
    """t_dep = t_H2 / f_H2 [Gyr]: stars form from molecular gas, whose share another law gives ring by ring.

    Gas and stars lie in exponential discs of one scale length; f_H2 is the mean over the gas.

    Parameters
    ----------
    molecular_time : float
        t_H2, depletion time of molecular gas [Gyr].
    law : AbstractMolecularFraction
        Molecular share of each ring.
    disc : AbstractDiscSize
        Scale length R_d of the disc.

    References
    ----------
    Leroy et al. 2008, AJ 136, 2782 (depletion time of molecular gas 1.9 Gyr).

    Examples
    --------
    >>> model = co.models.ThermalCGM(depletion_time=co.physics.MolecularDepletion(molecular_time=2.3))
    """

    molecular_time: Float[Array, ""] = parameter(
        1.9,
        unit="Gyr",
        meaning="depletion time of molecular gas",
        source="Leroy et al. 2008",
        bounds=(0.5, 5.0),
        scale="log10",
    )
    law: AbstractMolecularFraction = eqx.field(default_factory=BlitzRosolowsky06)
    disc: AbstractDiscSize = eqx.field(default_factory=DiscSize)

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self.molecular_time / self.molecular_fraction(galaxy)

    def molecular_fraction(self, galaxy: Galaxy) -> Float[Array, "..."]:
        """Mass-weighted share of the gas that is molecular."""
        share = self.law(rings_of(galaxy, self.disc.of(galaxy), self.molecular_time))
        return jnp.sum(RING_MASSES * share, axis=-1) / jnp.sum(RING_MASSES)
