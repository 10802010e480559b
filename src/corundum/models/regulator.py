"""The minimalist regulator: a galaxy and its atmosphere in four equations, with an algebraic equilibrium.

The atmosphere (CGM) is described by its mass and by all of its energy, gravitational energy included.  Where it holds
more energy per mass it is more extended and supplies the galaxy more slowly.  Star formation adds supernova energy,
supply takes energy away, and the galaxy settles where the two keep the atmosphere as extended as it is:

    dM_cgm/dt = A - S + eta_M F,   S = M_cgm / t_supply(e),   e = E / M_cgm,
    dE/dt     = e_acc A + eta_E e_SN F - min(e_loss, e) S,
    dM_ism/dt = S - (1 - R + eta_M) F,   F = M_ism / t_dep,   dM_star/dt = (1 - R) F.

Gas that sinks into the galaxy gives up its energy, and it cannot give up more than the atmosphere holds: hence the
minimum, which is smooth.  The model is for teaching and for checking other models; its laws are those of `ThermalCGM`.
"""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..cosmology import Cosmology
from ..halos import Halo
from ..numerics.limiters import AbstractMinimum, SmoothMinimum
from ..parameters import NOT_NEGATIVE, parameter
from ..physics import (
    AbstractGalaxyScaling,
    AbstractScaling,
    ConstantLoading,
    DepletionTime,
    EnergyLoading,
    Galaxy,
    GasSeed,
    StellarReturn,
    VirialTemperature,
    dynamical_time,
)
from ..printing import in_short
from ..units import GYR_YR, YEAR_S, Quantity
from .base import Fluxes
from .galaxy import AbstractGalaxyModel
from .ledger import Flow, FlowRates, Ledger
from .process import AbstractProcess, channel_multipliers

__all__ = ["MinimalRegulator", "RegulatorState", "RegulatorForcing", "Equilibrium"]


class RegulatorState(NamedTuple):
    """Masses [Msun] and the energy of the atmosphere [erg].

    Examples
    --------
    >>> co.models.RegulatorState(mstar=1e10, mism=5e9, mcgm=4e10, ecgm=1e58).mcgm
    40000000000.0
    """

    mstar: Float[Array, "..."]
    mism: Float[Array, "..."]
    mcgm: Float[Array, "..."]
    ecgm: Float[Array, "..."]

    def __repr__(self) -> str:
        return in_short(self)


class RegulatorForcing(NamedTuple):
    """What the halo imposes at one time.

    Examples
    --------
    >>> halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)))
    >>> forcing = co.models.MinimalRegulator().forcing(halo, co.cosmology.Cosmology())
    >>> round(float(forcing.accretion), 1)  # Msun/yr
    4.7
    """

    halo: Halo
    accretion: Float[Array, "..."]  # A [Msun/yr]
    virial_energy: Float[Array, "..."]  # e_vir [erg/Msun]
    t_dyn: Float[Array, "..."]  # [Gyr]
    mass_loading: Float[Array, "..."] | None  # None where a law needs the galaxy itself
    energy_loading: Float[Array, "..."] | None
    depletion_time: Float[Array, "..."] | None  # [Gyr]

    def __repr__(self) -> str:
        return in_short(self)


class Equilibrium(NamedTuple):
    """Where a galaxy settles while its halo stays as it is.

    Attributes
    ----------
    sfr : [Msun/yr]
    supply : gas supply from the atmosphere [Msun/yr]
    mism, mcgm : [Msun]
    specific_energy : of the atmosphere [erg/Msun]

    Examples
    --------
    >>> regulator = co.models.MinimalRegulator()
    >>> halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)))
    >>> forcing = regulator.forcing(halo, co.cosmology.Cosmology())
    >>> settled = regulator.equilibrium(forcing, mcgm=jnp.asarray(5e10))
    >>> round(float(settled.specific_energy / forcing.virial_energy), 2)
    2.07
    """

    sfr: Float[Array, "..."]
    supply: Float[Array, "..."]
    mism: Float[Array, "..."]
    mcgm: Float[Array, "..."]
    specific_energy: Float[Array, "..."]

    def __repr__(self) -> str:
        return in_short(self)


_LEDGER = Ledger(
    RegulatorState,
    {("mass", "stars"): "mstar", ("mass", "ism"): "mism", ("mass", "cgm"): "mcgm", ("energy", "cgm"): "ecgm"},
    [
        Flow("accretion", "cosmological inflow and its energy", ("igm", "cgm"), energy=("igm", "cgm")),
        Flow("cooling", "gas supplied to the galaxy", ("cgm", "ism")),
        Flow("radiation", "energy that supply takes from the atmosphere", energy=("cgm", "radiated")),
        Flow("star_formation", "gas locked in long-lived stars", ("ism", "stars")),
        Flow("wind", "ISM gas driven into the atmosphere", ("ism", "cgm")),
        Flow("wind_heating", "supernova energy delivered to the atmosphere", energy=("supernovae", "cgm")),
    ],
    {
        "mstar": Quantity("Msun", "stellar mass"),
        "mism": Quantity("Msun", "interstellar gas mass"),
        "mcgm": Quantity("Msun", "mass of the atmosphere"),
        "ecgm": Quantity("erg", "energy of the atmosphere, from the bottom of the halo's potential"),
    },
)


class MinimalRegulator(AbstractGalaxyModel):
    """The minimalist regulator of Voit et al. 2024, in our own closure.

    Energies per mass are in units of e_vir: accreted gas brings `accreted_energy`, gas that is supplied takes
    `supplied_energy` out of the atmosphere, and the supply time is ``supply_time * t_dyn * (e / e_vir)**stiffness``.
    The accounting is that of the papers; the power law for the supply time, the limit on the energy that supply takes,
    and the constants are our choice.

    Where an atmosphere holds less than `supplied_energy` per mass, supply takes what it holds: `loss_limit` is the
    minimum of the two.  Without that limit, ``loss_limit=numerics.Unlimited()``, an atmosphere that gains less energy
    than supply takes reaches e = 0 after a finite time (the contraction crisis of the papers), where the equations end
    and the solve stops with a status.

    References
    ----------
    Voit et al. 2024, arXiv:2406.07631 and arXiv:2406.07632.

    Examples
    --------
    >>> co.models.MinimalRegulator(stiffness=4.0)
    MinimalRegulator(stiffness=4)
    """

    own_ledger: ClassVar[Ledger] = _LEDGER
    own_diagnostics: ClassVar[dict[str, Quantity]] = {
        "sfr": Quantity("Msun/yr", "star-formation rate"),
        "specific_energy": Quantity("1", "energy per mass of the atmosphere over e_vir"),
        "supply_time": Quantity("Gyr", "time in which the atmosphere would be supplied to the galaxy"),
        "mass_loading": Quantity("1", "eta_M"),
        "energy_loading": Quantity("1", "eta_E"),
        "depletion_time": Quantity("Gyr", "ISM mass over star-formation rate"),
    }

    accreted_energy: Float[Array, ""] = parameter(
        1.0,
        unit="e_vir",
        meaning="energy per mass of accreted gas",
        source="choice",
        bounds=(1.0, 3.0),
        allowed=NOT_NEGATIVE,
    )
    supplied_energy: Float[Array, ""] = parameter(
        1.5,
        unit="e_vir",
        meaning="energy per mass that supply takes away",
        source="choice",
        bounds=(0.2, 1.5),
        allowed=NOT_NEGATIVE,
    )
    supply_time: Float[Array, ""] = parameter(
        1.0,
        unit="t_dyn",
        meaning="supply time of an atmosphere of specific energy e_vir",
        source="choice",
        bounds=(0.1, 10.0),
        scale="log10",
    )
    stiffness: Float[Array, ""] = parameter(
        3.0, unit="1", meaning="power of specific energy in the supply time", source="choice", bounds=(0.5, 6.0)
    )
    mass_loading: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=ConstantLoading)
    energy_loading: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=EnergyLoading)
    depletion_time: AbstractScaling | AbstractGalaxyScaling = eqx.field(default_factory=DepletionTime)
    loss_limit: AbstractMinimum = eqx.field(default_factory=SmoothMinimum)
    stellar_return: StellarReturn = eqx.field(default_factory=StellarReturn)
    virial: VirialTemperature = eqx.field(default_factory=VirialTemperature)
    seed: GasSeed = eqx.field(default_factory=GasSeed)
    processes: dict[str, AbstractProcess] = eqx.field(default_factory=dict)
    channels: dict[str, Float[Array, ""]] = channel_multipliers()

    def own_initial(self, halo: Halo, cosmology: Cosmology) -> RegulatorState:
        """State at the start of `halo`."""
        gas = self.seed.gas(halo.mvir, cosmology.baryon_fraction)
        mass = self.seed.mass * jnp.ones_like(gas)
        return RegulatorState(mass, mass, gas, self.seed.energy(gas, halo.vvir))

    def forcing(self, halo: Halo, cosmology: Cosmology) -> RegulatorForcing:
        """What the halo imposes."""
        v = halo.vvir
        return RegulatorForcing(
            halo=halo,
            accretion=cosmology.baryon_fraction * jnp.maximum(halo.growth, 0.0),
            virial_energy=self.virial.specific_energy(v),
            t_dyn=dynamical_time(halo.rvir, v),
            mass_loading=self.mass_loading.imposed(halo),
            energy_loading=self.energy_loading.imposed(halo),
            depletion_time=self.depletion_time.imposed(halo),
        )

    def own_fluxes(self, state: Any, forcing: RegulatorForcing) -> tuple[Fluxes, Galaxy]:
        """Rates of the six flows."""
        f = forcing
        relative = state.ecgm / (state.mcgm * f.virial_energy)
        supply_time = self.supply_time * f.t_dyn * relative**self.stiffness
        supply = state.mcgm / supply_time / GYR_YR
        galaxy = Galaxy(state, f.halo, {"specific_energy": relative, "supply_time": supply_time, "t_dyn": f.t_dyn}, {})
        depletion_time = self.depletion_time.value(f.depletion_time, galaxy)
        sfr = state.mism / depletion_time / GYR_YR
        galaxy = galaxy.knowing(depletion_time=depletion_time, sfr=sfr)
        mass_loading = self.mass_loading.value(f.mass_loading, galaxy)
        energy_loading = self.energy_loading.value(f.energy_loading, galaxy.knowing(mass_loading=mass_loading))
        flows = {
            "accretion": FlowRates(f.accretion, energy=f.accretion * self.accreted_energy * f.virial_energy / YEAR_S),
            "cooling": FlowRates(supply),
            "radiation": FlowRates(energy=supply * self._taken(relative) * f.virial_energy / YEAR_S),
            "star_formation": FlowRates((1.0 - self.stellar_return.recycled_fraction) * sfr),
            "wind": FlowRates(mass_loading * sfr),
            "wind_heating": FlowRates(energy=energy_loading * self.stellar_return.supernova_energy * sfr / YEAR_S),
        }
        diagnostics = dict(
            sfr=sfr,
            specific_energy=relative,
            supply_time=supply_time,
            mass_loading=mass_loading,
            energy_loading=energy_loading,
            depletion_time=depletion_time,
        )
        return Fluxes(flows, diagnostics), Galaxy(state, f.halo, diagnostics, {})

    def _taken(self, relative: Float[Array, "..."]) -> Float[Array, "..."]:
        """Energy per mass that supply takes out of an atmosphere, both in units of e_vir."""
        return self.loss_limit(self.supplied_energy, relative)

    def equilibrium(self, forcing: RegulatorForcing, mcgm: Float[Array, "..."]) -> Equilibrium:
        """The state in which specific energy and ISM stay as they are while gas is accreted.

        With the ISM in balance, S = (1 - R + eta_M) F.  The specific energy e = E/M of the atmosphere stays if

            (e_acc - e) A + (eta_E e_SN - eta_M e) F - (min(e_loss, e) - e) S = 0,

        which gives the star-formation rate, linear in A; the supply law gives the specific energy that goes with it,
        here for the atmosphere's mass `mcgm` [Msun].  Mass loading returns supplied gas without its energy, so that
        more of it means *more* star formation for the same expansion.

        Parameters
        ----------
        forcing : RegulatorForcing
        mcgm : array
            Mass of the atmosphere [Msun].

        Raises
        ------
        ValueError
            A law needs the galaxy itself, whose equilibrium is not algebraic then.
        """
        f = forcing
        if f.mass_loading is None or f.energy_loading is None or f.depletion_time is None:
            raise ValueError("equilibrium: a law depends on the galaxy; give laws that follow from the halo")
        locked = 1.0 - self.stellar_return.recycled_fraction
        supernova = f.energy_loading * self.stellar_return.supernova_energy / f.virial_energy  # in units of e_vir
        reference_time = self.supply_time * f.t_dyn

        def sfr_of(e):
            return mcgm / (reference_time * e**self.stiffness) / GYR_YR / (locked + f.mass_loading)

        def imbalance(e):
            supply = sfr_of(e) * (locked + f.mass_loading)
            return (
                (self.accreted_energy - e) * f.accretion
                + (supernova - f.mass_loading * e) * sfr_of(e)
                - (self._taken(e) - e) * supply
            )

        low, high = jnp.full_like(mcgm, -4.0), jnp.full_like(mcgm, 4.0)  # ln(e)
        for _ in range(80):
            middle = 0.5 * (low + high)
            above = imbalance(jnp.exp(middle)) > 0.0
            low, high = jnp.where(above, middle, low), jnp.where(above, high, middle)
        e = jnp.exp(0.5 * (low + high))
        sfr = sfr_of(e)
        supply = sfr * (locked + f.mass_loading)
        return Equilibrium(sfr, supply, sfr * f.depletion_time * GYR_YR, mcgm, e * f.virial_energy)
