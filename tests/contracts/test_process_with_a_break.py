"""A process of one's own that acts for a short time: steps end where it starts and stops, and cost no accuracy."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.models import AbstractProcess, Flow, FlowRates, MinimalRegulator, ProcessFluxes
from corundum.parameters import parameter
from corundum.units import YEAR_S
from library import COSMOLOGY


class Encounter(AbstractProcess):
    """Gas torn off the atmosphere, with the energy it holds, in a short encounter."""

    reservoirs: ClassVar[dict] = {}
    flows: ClassVar[tuple] = (Flow("stripping", "gas torn off", ("cgm", "igm"), energy=("cgm", "igm")),)
    needs: ClassVar[tuple] = (("mass", "cgm"), ("energy", "cgm"))

    start: jax.Array = parameter(9.0, unit="Gyr", meaning="start of the encounter", source="choice", bounds=(1.0, 13.0))
    duration: jax.Array = parameter(0.02, unit="Gyr", meaning="its duration", source="choice", bounds=(0.01, 1.0))
    time: jax.Array = parameter(0.02, unit="Gyr", meaning="stripping time", source="choice", bounds=(0.01, 1.0))
    declared: bool = eqx.field(default=True, static=True)  # for the test: whether the jumps are declared

    def initial(self, state, halo, cosmology):
        return {}

    def breaks(self, cosmology):
        return (self.start, self.start + self.duration) if self.declared else ()

    def own_fluxes(self, galaxy):
        elapsed = galaxy.halo.time - self.start
        per_year = jnp.where((elapsed > 0.0) & (elapsed < self.duration), 1.0, 0.0) / (self.time * 1e9)
        rates = FlowRates(per_year * galaxy.state.mcgm, energy=per_year * galaxy.state.ecgm / YEAR_S)
        return ProcessFluxes({"stripping": rates}, {})


@pytest.fixture(scope="module")
def solved():
    time = np.geomspace(0.64, float(COSMOLOGY.age(0.0)), 40)
    growth = np.log10(time / time[-1])
    halos = co.halos.HaloHistories(time, [[11.0], [12.0]] + 2.0 * growth, [[0.95], [0.9]] + 0.3 * growth)

    def masses(declared, tolerance):
        process = Encounter(declared=declared)
        model = MinimalRegulator(supplied_energy=0.6, processes={"encounter": process})
        galaxies = co.evolve(model, halos, [0.3], solver=co.numerics.LaneSolver(tolerance=tolerance))
        assert galaxies.status_counts() == {"solved": 2}
        return np.log(np.stack([galaxies["mstar"], galaxies["mcgm"]]))

    return {case: masses(*case) for case in ((True, 1e-10), (True, 1e-4), (False, 1e-4))}


def test_a_declared_jump_costs_no_accuracy(solved):
    """Steps of a loose tolerance are longer than the encounter: undeclared, it is partly stepped over."""
    exact, with_breaks, without = (solved[case] for case in ((True, 1e-10), (True, 1e-4), (False, 1e-4)))
    assert np.abs(with_breaks - exact).max() < 2e-3 < 0.1 * np.abs(without - exact).max()


def test_the_breaks_of_model_and_processes_are_merged():
    model = co.models.ThermalCGM()
    own = model.breaks(COSMOLOGY)
    assert len(own) == len(model.reionisation.breaks())
    breaks = co.models.MinimalRegulator(processes={"encounter": Encounter(start=5.0)}).breaks(COSMOLOGY)
    np.testing.assert_allclose(breaks, [5.0, 5.02])
    turbulent = co.models.TurbulentCGM(onset=co.physics.Pandya23Onset())
    assert len(turbulent.breaks(COSMOLOGY)) == len(own) + len(turbulent.onset.breaks())
