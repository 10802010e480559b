"""Models print as a person would write them, in a few lines, and as a table in notebooks."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics
from library import MODELS


class NeuralLoading(physics.AbstractScaling):
    network: eqx.nn.MLP

    def __call__(self, vvir, redshift):
        return self.network(jnp.stack([vvir, redshift]))


@pytest.mark.parametrize("name", MODELS)
def test_every_model_prints_few_lines_without_arrays(name):
    model = MODELS[name]()
    assert repr(model).startswith(f"{type(model).__name__}(") and "\n" not in repr(model)
    lines = str(model).splitlines()
    assert len(lines) < 42 and max(map(len, lines)) < 120
    assert not any(word in str(model) + repr(model) for word in ("f64[", "Array(", "object at"))
    table = model._repr_html_()
    assert table.startswith("<table>") and table.count("<tr>") == table.count("</tr>") > 10


def test_the_line_is_what_differs_from_the_default():
    assert repr(models.ThermalCGM()) == "ThermalCGM()"
    changed = models.ThermalCGM(mass_loading=physics.MassLoading(slope=-2.0), channels={"wind": 0.0})
    assert repr(changed) == "ThermalCGM(mass_loading=MassLoading(slope=-2), channels={'wind': 0})"
    holes = models.ThermalCGM(processes={"hole": models.BlackHole(seed_mass=1e4)})
    assert repr(holes) == "ThermalCGM(processes={'hole': BlackHole(seed_mass=1e+04)})"
    rebuilt = models.ThermalCGM(mass_loading=physics.MassLoading(slope=-2), channels={"wind": 0})  # as the line says
    assert eqx.tree_equal(rebuilt, changed)


def test_the_lines_name_laws_processes_and_switched_flows():
    model = models.ThermalCGM(processes={"hole": models.BlackHole()}, channels={"wind": 0.5})
    text = str(model)
    assert text.startswith("ThermalCGM: 8 reservoirs of mass, metals or energy, 13 flows, ")
    assert "mass_loading        MassLoading(amplitude=1, slope=-1" in text
    assert "processes           hole: BlackHole(14 parameters)" in text
    assert "channels            times {'wind': 0.5}" in text
    assert "radiative_efficiency" in model._repr_html_()


def test_networks_traced_numbers_and_sets_of_parameters_print_too():
    network = eqx.nn.MLP(2, "scalar", 4, 1, key=jax.random.key(0))
    model = models.ThermalCGM(mass_loading=NeuralLoading(network))
    assert "mass_loading        NeuralLoading()" in str(model) and "mass_loading=NeuralLoading(" in repr(model)
    texts = []

    @jax.jit
    def traced(slope):
        changed = co.replace(model, {"energy_loading.slope": slope})
        texts.append(repr(changed) + str(changed) + changed._repr_html_())
        return slope

    traced(1.0)
    assert "slope=..." in texts[0]
    sets = jax.vmap(lambda slope: co.replace(models.ThermalCGM(), {"mass_loading.slope": slope}))(np.zeros(5))
    assert "slope=array(5,)" in repr(sets) and "slope=array(5,)" in str(sets)
    assert repr(jax.tree.map(lambda leaf: None, model)) and str(jax.tree.map(lambda leaf: object(), model))
