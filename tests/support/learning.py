"""A growing galaxy whose mass loading is a learned law, and histories of one with another loading to learn from."""

from typing import ClassVar

import equinox as eqx
import jax
import numpy as np

import corundum as co
from corundum.models import AbstractModel, Ledger
from growing import Growing
from synthetic import histories


class LearningGrowth(AbstractModel):
    """`Growing`, with a law for its mass loading."""

    ledger: ClassVar[Ledger] = Growing.ledger
    diagnostics: ClassVar[dict] = Growing.diagnostics

    galaxy: Growing = eqx.field(default_factory=Growing)
    mass_loading: co.physics.LearnedLaw = eqx.field(
        default_factory=lambda: co.physics.neural_law("log_vvir", base=co.physics.MassLoading(), width=4)
    )

    def initial(self, halo, cosmology):
        return self.galaxy.initial(halo, cosmology)

    def forcing(self, halo, cosmology):
        return self.galaxy.forcing(halo, cosmology), self.mass_loading.imposed(halo)

    def fluxes(self, state, forcing):
        inflow, loading = forcing
        return eqx.tree_at(lambda galaxy: galaxy.loading, self.galaxy, loading).fluxes(state, inflow)


def steeper(slope=-1.8):
    """The truth: the same galaxy with a steeper power law, as a law without a departure."""
    base = co.physics.MassLoading(slope=slope)
    return LearningGrowth(mass_loading=co.physics.neural_law("log_vvir", base=base, width=1))


REDSHIFTS = (2.0, 0.0)


def objective(number=8, names=(), truth=None, **settings):
    """Histories of stars and gas, with an error of 0.05 dex."""
    halos = histories(number, low=10.5, high=12.5)
    population = co.evolve(steeper() if truth is None else truth, halos, REDSHIFTS)
    states = {name: np.asarray(population[name]) for name in ("mstar", "mism")}
    model = LearningGrowth()
    return co.inference.HistoryObjective(model, halos, REDSHIFTS, states, 0.05, names, **settings)


def learned_loading(model, vvir):
    """Mass loading of a model at virial velocities [km/s] today."""
    halo = co.halos.Halo(13.8, 0.0, 1e12, 260.0, vvir, 10.0, 30.0)
    return np.asarray(jax.vmap(lambda v: model.mass_loading.imposed(halo._replace(vvir=v)))(vvir))
