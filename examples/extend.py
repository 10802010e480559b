"""Add your own physics: a cooling function, a flow, a reservoir and a whole model, none of them inside the package.

    python examples/extend.py OUT

docs/how_to/extend.md explains every stage.  Jacobians, inference, plots, files and run files work with each class below
as they do with the classes of the package.
"""

import sys
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

import corundum as co
from corundum import models, physics
from corundum.models import Flow, FlowRates, Fluxes, Ledger, ProcessFluxes
from corundum.parameters import parameter
from corundum.units import GYR_S, GYR_YR, Quantity

co.configure()

# ---- stage 1: a cooling function


class Bremsstrahlung(physics.AbstractCooling):
    """Free-free emission alone, 1.4e-27 g sqrt(T) per n_e n_i (Rybicki & Lightman 1979, equation 5.15)."""

    gaunt: Array = parameter(1.2, unit="1", meaning="Gaunt factor", source="Rybicki & Lightman 1979", bounds=(1.0, 1.5))

    def __call__(self, log_temperature, log_metallicity):
        return 1.4e-27 * self.gaunt * 10.0 ** (0.5 * log_temperature)


# ---- stage 2: a flow


class Stripping(models.AbstractProcess):
    """Hot gas torn off by the surroundings at a constant rate per mass: a new flow between existing reservoirs."""

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = (Flow("stripping", "CGM torn off", ("cgm", "igm"), ("cgm", "igm"), ("cgm", "igm")),)
    needs: ClassVar[tuple] = (("mass", "cgm"), ("metals", "cgm"), ("energy", "cgm"))
    time: Array = parameter(20.0, unit="Gyr", meaning="stripping time", source="choice", bounds=(1, 100), scale="log10")

    def initial(self, state, halo, cosmology):
        return {}

    def own_fluxes(self, galaxy):
        state, per_year, per_second = galaxy.state, 1.0 / (self.time * GYR_YR), 1.0 / (self.time * GYR_S)
        rates = FlowRates(per_year * state.mcgm, per_year * state.mzcgm, per_second * state.eth)
        return ProcessFluxes({"stripping": rates}, {})


# ---- stage 3: a reservoir


class Dust(models.AbstractProcess):
    """Dust: a share of new metals condenses into grains, and winds carry grains away with the gas."""

    reservoirs: ClassVar[dict] = {("metals", "dust"): ("mdust", Quantity("Msun", "dust mass"))}
    flows: ClassVar[tuple] = (
        Flow("condensation", "metals becoming grains", metals=("ism", "dust")),
        Flow("dust_wind", "grains in the wind", metals=("dust", "cgm")),
    )
    needs: ClassVar[tuple] = (("metals", "ism"), ("metals", "cgm"))
    reads: ClassVar[tuple] = ("enrichment", "wind")
    share: Array = parameter(0.3, unit="1", meaning="new metals condensing", source="choice", bounds=(0.01, 0.9))

    def initial(self, state, halo, cosmology):
        return {"mdust": 0.1 * state.mzism}

    def own_fluxes(self, galaxy):
        condensed = self.share * galaxy.flows["enrichment"].metals
        ejected = galaxy.flows["wind"].mass * galaxy.state.mdust / galaxy.state.mism
        return ProcessFluxes({"condensation": FlowRates(metals=condensed), "dust_wind": FlowRates(metals=ejected)}, {})


# ---- stage 4: a whole model


class BathtubState(NamedTuple):
    mism: Array
    mstar: Array


class Bathtub(models.AbstractGalaxyModel):
    """Gas falls in, forms stars and is blown out (Bouche et al. 2010; Lilly et al. 2013)."""

    own_ledger: ClassVar[Ledger] = Ledger(
        BathtubState,
        {("mass", "ism"): "mism", ("mass", "stars"): "mstar"},
        [
            Flow("inflow", "gas falling in", ("igm", "ism")),
            Flow("star_formation", "gas turned into stars", ("ism", "stars")),
            Flow("wind", "gas blown out", ("ism", "igm")),
        ],
        {"mism": Quantity("Msun", "gas mass"), "mstar": Quantity("Msun", "stellar mass")},
    )
    own_diagnostics: ClassVar[dict] = {"sfr": Quantity("Msun/yr", "star-formation rate")}
    loading: physics.AbstractScaling = eqx.field(default_factory=physics.MassLoading)
    time: Array = parameter(2.0, unit="Gyr", meaning="depletion time", source="choice", bounds=(0.1, 10), scale="log10")
    processes: dict[str, models.AbstractProcess] = eqx.field(default_factory=dict)
    channels: dict[str, Array] = models.channel_multipliers()

    def own_initial(self, halo, cosmology):
        gas = 0.01 * cosmology.baryon_fraction * halo.mvir
        return BathtubState(gas, 0.01 * gas)

    def forcing(self, halo, cosmology):
        return halo, 0.3 * cosmology.baryon_fraction * jnp.maximum(halo.growth, 0.0), self.loading.imposed(halo)

    def own_fluxes(self, state, forcing):
        (halo, inflow, eta), sfr = forcing, state.mism / (self.time * GYR_YR)
        flows = {"inflow": FlowRates(inflow), "star_formation": FlowRates(sfr), "wind": FlowRates(eta * sfr)}
        return Fluxes(flows, {"sfr": sfr}), physics.Galaxy(state, halo, {"sfr": sfr}, flows)


# ---- solve, differentiate, draw and save each of them

EXTENDED = {
    "my cooling": lambda: models.ThermalCGM(cooling=Bremsstrahlung()),
    "my flow": lambda: models.ThermalCGM(processes={"stripping": Stripping()}),
    "my reservoir": lambda: models.ThermalCGM(processes={"dust": Dust()}),
    "my model": Bathtub,
}


def show(name: str, model: Any, halos: co.halos.HaloHistories, out: Path) -> None:
    """Solve, differentiate, draw, save and open again."""
    galaxies = co.evolve(model, halos, [0.0])
    mstar = np.log10(np.asarray(galaxies.at(0.0)["mstar"]))
    print(f"{name}: lg M_star = {mstar.round(2).tolist()}, {galaxies.status_counts()}")
    own = [p for p in co.describe(model) if p.startswith(("cooling.", "processes.", "time"))]
    jacobian = co.sensitivity.parameter_jacobian(model, halos, own, quantities=["mstar"])
    for number, column in zip(own, np.asarray(jacobian.derivative.values)[0, 0, 0], strict=True):
        print(f"    d lg M_star / d {number} = {column:+.2e}")
    stem = out / name.replace(" ", "_")
    co.plots.save_figure(co.plots.network(model.ledger), f"{stem}.png")
    co.save(f"{stem}.h5", galaxies, halos=halos, model=model)
    restored = co.load(f"{stem}.h5").model
    assert eqx.tree_equal(restored, model), "the model comes back as it was"


def main(out: str = "out/extend", stages: list[str] | None = None) -> None:
    """The stages, all four by default, in two halos."""
    Path(out).mkdir(parents=True, exist_ok=True)
    time = np.geomspace(0.6, float(co.cosmology.pandya26_cosmology().age(0.0)), 60)
    growth = np.log10(time / time[-1])
    halos = co.halos.HaloHistories(time, [[11.3], [12.0]] + 2.0 * growth, np.array([[0.95], [0.9]]) + 0.3 * growth)
    for name in EXTENDED if stages is None else stages:
        show(name, EXTENDED[name](), halos, Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:2])
