"""Preventive feedback: the fraction of infalling gas that a halo lets in, before reionisation is counted."""

import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...parameters import FRACTION, parameter
from ...units import LN10, YEAR_S
from ..galaxy import AbstractGalaxyScaling, AbstractScaling, Galaxy

__all__ = ["AbstractPrevention", "EnergyDrivenPrevention", "LogisticPrevention"]

_TINY = 1e-30  # [Msun/yr], so that the fraction is defined where nothing is supplied


class AbstractPrevention(AbstractScaling):
    """Accreted over available gas, before reionisation: a fraction between 0 and 1.

    Examples
    --------
    >>> class NoPrevention(co.physics.AbstractPrevention):
    ...     def __call__(self, vvir, redshift):
    ...         return jnp.ones_like(vvir)
    >>> model = co.models.ThermalCGM(prevention=NoPrevention())
    """


class LogisticPrevention(AbstractPrevention):
    """A logistic in log10 Vvir between two plateaus, fitted to FIRE-2 halos (Pandya et al. 2023).

    Parameters
    ----------
    floor, ceiling : float
        Fraction in the smallest and in the largest halos.
    steepness : float
        Steepness in log10 Vvir [1/dex].
    log_pivot : float
        log10 Vvir [km/s] half way.

    Examples
    --------
    >>> prevention = co.physics.LogisticPrevention()
    >>> [round(float(prevention(vvir, 0.0)), 2) for vvir in (20.0, 75.0, 200.0)]
    [0.26, 0.6, 0.93]
    """

    floor: Float[Array, ""] = parameter(
        0.25,
        unit="1",
        meaning="fraction in the smallest halos",
        source="Pandya et al. 2023",
        bounds=(0.0, 1.0),
        allowed=FRACTION,
    )
    ceiling: Float[Array, ""] = parameter(
        0.9641,
        unit="1",
        meaning="fraction in the largest halos",
        source="Pandya et al. 2023",
        bounds=(0.0, 1.0),
        allowed=FRACTION,
    )
    steepness: Float[Array, ""] = parameter(
        7.1348, unit="1/dex", meaning="steepness in log10 Vvir", source="Pandya et al. 2023", bounds=(1.0, 20.0)
    )
    log_pivot: Float[Array, ""] = parameter(
        1.8775, unit="dex(km/s)", meaning="log10 Vvir half way", source="Pandya et al. 2023", bounds=(1.0, 2.5)
    )

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        rise = jax.nn.sigmoid(self.steepness * (jnp.log(vvir) / LN10 - self.log_pivot))
        return self.floor + (self.ceiling - self.floor) * rise


class EnergyDrivenPrevention(AbstractGalaxyScaling):
    """Gas that the galaxy's own halo outflow keeps from falling in: f = supply / (supply + halted).

    The energy Edot_out that leaves the halo can halt gas at the rate epsilon Edot_out / e_vir, where e_vir is the
    energy per mass that would lift that gas out again.  Prevention then follows from feedback instead of being a
    function of halo mass.  The closure is our choice; that halo outflows halt accretion is the argument of the papers.

    Parameters
    ----------
    efficiency : float
        epsilon.

    References
    ----------
    Pandya et al. 2020, ApJ 905, 4; Carr et al. 2023, ApJ 949, 21; Voit et al. 2024, arXiv:2406.07631.

    Examples
    --------
    >>> model = co.models.ThermalCGM(prevention=co.physics.EnergyDrivenPrevention(efficiency=0.5))
    >>> float(model.prevention.efficiency)
    0.5
    """

    efficiency: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="gas halted per energy leaving the halo, in units of 1 / e_vir",
        source="choice",
        bounds=(0.01, 10.0),
        scale="log10",
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        leaving = sum(rates.energy for rates in galaxy.flows.values() if rates.energy is not None)  # [erg/s]
        halted = self.efficiency * leaving * YEAR_S / galaxy.quantities["specific_energy"]  # [Msun/yr]
        supply = galaxy.quantities["supply"] + _TINY
        return supply / (supply + halted)
