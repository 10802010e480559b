"""Atomic and molecular gas: how much of the interstellar medium is HI and H2."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import FRACTION, parameter
from ...physics import AbstractDiscSize, AbstractMolecularFraction, BlitzRosolowsky06, DiscSize, Galaxy
from ...physics.stars.molecular_gas import RING_MASSES, rings_of
from ...units import LN10, Quantity
from ..ledger import Flow
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["GasPhases"]

_EDGE = 0.1  # width of the edge of the atomic disc, in log10 of surface density


class GasPhases(AbstractProcess):
    """Masses of atomic and molecular hydrogen, as diagnostics ``mhi`` and ``mh2``; the galaxy is not changed.

    Gas of low surface density is ionised.  To form stars from the same molecular gas, give the same law and disc to
    `corundum.physics.MolecularDepletion`.

    Parameters
    ----------
    hydrogen_fraction : float
        Hydrogen in the gas, by mass.
    ionised_below : float
        Surface density below which gas is ionised [Msun/pc^2].
    molecular_time : float
        Depletion time of molecular gas, which sets the radiation field where a law needs it [Gyr].
    law : AbstractMolecularFraction
    disc : AbstractDiscSize

    Examples
    --------
    >>> phases = co.models.GasPhases(law=co.physics.GnedinDraine14())
    >>> model = co.models.ThermalCGM(processes={"phases": phases})
    >>> galaxies = co.evolve(model, halos, [0.0])
    >>> bool(np.all(galaxies["mhi"] + galaxies["mh2"] < 0.75 * galaxies["mism"]))
    True
    """

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple[Flow, ...]] = ()
    diagnostics: ClassVar[dict[str, Quantity]] = {
        "mhi": Quantity("Msun", "mass of atomic hydrogen"),
        "mh2": Quantity("Msun", "mass of molecular hydrogen"),
    }
    needs: ClassVar[tuple] = (("mass", "ism"), ("mass", "stars"))

    hydrogen_fraction: Float[Array, ""] = parameter(
        0.74, unit="1", meaning="hydrogen in the gas by mass", source="choice", bounds=(0.7, 0.76), allowed=FRACTION
    )
    ionised_below: Float[Array, ""] = parameter(
        0.5,
        unit="Msun/pc^2",
        meaning="surface density below which gas is ionised",
        source="choice",
        bounds=(0.05, 5.0),
        scale="log10",
    )
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

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        rings = rings_of(galaxy, self.disc.of(galaxy), self.molecular_time)
        share = self.law(rings)
        dense = jax.nn.sigmoid(jnp.log(rings.gas / (1e6 * self.ionised_below)) / (LN10 * _EDGE))
        mass = self.hydrogen_fraction * galaxy.state.mism[..., None] * RING_MASSES / RING_MASSES.sum()
        atomic, molecular = (jnp.sum(mass * part, axis=-1) for part in ((1.0 - share) * dense, share))
        return ProcessFluxes({}, {"mhi": atomic, "mh2": molecular})
