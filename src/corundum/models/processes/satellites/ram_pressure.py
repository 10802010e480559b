"""Gas that a satellite loses because it moves through the gas of its host."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ....annotations import Array
from ....cosmology import Cosmology
from ....halos import Halo
from ....numerics.limiters import AbstractPositivePart, SmoothPositivePart
from ....parameters import parameter
from ....physics import AbstractDiscSize, DiscSize, Galaxy, dynamical_time
from ....physics.merging.environment import gas_density, host_of, kept_disc_gas, kept_hot_gas, ram_pressure
from ....physics.merging.satellites import satellite_share
from ....physics.stars.discs import disc_stars
from ....units import GYR_S, GYR_YR, Quantity
from ...ledger import Flow, FlowRates
from ...process import AbstractProcess, ProcessFluxes

__all__ = ["RamPressure"]

_HOLDING = 2.0  # alpha of McCarthy et al. 2008


class RamPressure(AbstractProcess):
    """The gas of the host strips a satellite: its hot gas, and the gas of its disc where the disc holds it least.

    Hot gas leaves in a dynamical time down to the share that an NFW-like halo of gas would keep; the disc loses the
    gas beyond the radius at which pressure equals gravity.  It leaves in the dynamical time of the host, on which a
    satellite meets the pressure of its orbit; that of the disc is a hundred times shorter.  What is lost joins the hot
    gas of the host; it goes with `HandingOver`.

    Parameters
    ----------
    resistance : float
        Pressure that satellites withstand, over twice G M rho / r.
    orbit : float
        Radius of the orbits at infall over Rvir of the host.
    disc : AbstractDiscSize
        Scale length of the gas and the stars of a galaxy.
    excess : AbstractPositivePart
        Turns stripping off where no more is to be lost.

    References
    ----------
    Gunn & Gott 1972, ApJ 176, 1; McCarthy et al. 2008, MNRAS 383, 593; Li et al. 2020, ApJ 905, 177 (orbits).

    Examples
    --------
    >>> processes = {"merging": co.models.Merging(), "handing_over": co.models.HandingOver()}
    >>> model = co.models.ThermalCGM(processes={**processes, "ram_pressure": co.models.RamPressure(resistance=3.0)})
    >>> "mstripped" in model.ledger.state._fields
    True
    """

    reservoirs: ClassVar[dict] = {
        ("tracked", "stripped"): ("mstripped", Quantity("Msun", "hot gas that ram pressure has removed", log=False)),
    }
    flows: ClassVar[tuple[Flow, ...]] = (
        Flow(
            "ram_pressure_cgm", "hot gas that ram pressure removes", *(("cgm", "handed"),) * 3,
            tracked=("outside", "stripped"),
        ),
        Flow("ram_pressure_ism", "gas of the disc that ram pressure removes", *(("ism", "handed"),) * 2),
    )  # fmt: skip
    needs: ClassVar[tuple] = (
        *((kind, place) for place in ("ism", "cgm") for kind in ("mass", "metals")), ("energy", "cgm"),
    )  # fmt: skip
    outside: ClassVar[tuple[str, ...]] = ("handed",)

    resistance: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="pressure that satellites withstand",
        source="McCarthy et al. 2008",
        bounds=(0.1, 10.0),
        scale="log10",
    )
    orbit: Float[Array, ""] = parameter(
        0.5,
        unit="Rvir",
        meaning="radius of the orbits of satellites at infall",
        source="choice",
        bounds=(0.2, 1.0),
        scale="log10",
    )
    disc: AbstractDiscSize = eqx.field(default_factory=DiscSize)
    excess: AbstractPositivePart = eqx.field(default_factory=SmoothPositivePart)

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {"mstripped": jnp.zeros_like(state.mcgm)}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, halo = galaxy.state, galaxy.halo
        host, satellite = host_of(halo), satellite_share(halo)
        if host is None or satellite is None:
            nothing = jnp.zeros_like(state.mcgm)
            return ProcessFluxes(_rates(state, nothing, nothing), {})
        pressure = ram_pressure(halo, host, self.orbit)
        whole = state.mcgm + state.mstripped
        held = _HOLDING * self.resistance * halo.vvir**2 * gas_density(whole, halo.rvir, 1.0)
        beyond = state.mcgm - kept_hot_gas(pressure / held) * whole
        hot = satellite * self.excess(beyond, whole) / dynamical_time(halo.rvir, halo.vvir)
        size = self.disc.of(galaxy)
        area = 2.0 * jnp.pi * size**2
        kept = kept_disc_gas(state.mism / area, disc_stars(state) / area, pressure)
        cold = satellite * (1.0 - kept) * state.mism / dynamical_time(host.rvir, host.vvir)
        return ProcessFluxes(_rates(state, hot, cold), {})


def _rates(state, hot, cold):
    """Flows that take hot gas and gas of the disc [Msun/Gyr] away."""
    per_gyr = hot / state.mcgm
    return {
        "ram_pressure_cgm": FlowRates(
            hot / GYR_YR, per_gyr * state.mzcgm / GYR_YR, per_gyr * state.eth / GYR_S, tracked=hot
        ),
        "ram_pressure_ism": FlowRates(cold / GYR_YR, cold / state.mism * state.mzism / GYR_YR),
    }
