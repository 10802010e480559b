"""A neural law of one's own: a network for the mass loading, in one class outside the package."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.parameters import parameter
from library import COSMOLOGY


class NeuralLoading(co.physics.AbstractScaling):
    """The default power law times a network of virial velocity and redshift."""

    amplitude: jax.Array = parameter(
        1.0, unit="1", meaning="eta_M at 125 km/s", source="choice", bounds=(0.1, 10.0), scale="log10"
    )
    network: eqx.nn.MLP = eqx.field(
        default_factory=lambda: eqx.nn.MLP(2, "scalar", 4, 1, jax.nn.tanh, key=jax.random.key(0))
    )

    def __call__(self, vvir, redshift):
        features = jnp.stack([jnp.log(vvir / 125.0), jnp.log1p(redshift)])
        return self.amplitude * (125.0 / vvir) * jnp.exp(self.network(features))


@pytest.fixture(scope="module")
def model():
    return co.models.MinimalRegulator(supplied_energy=0.6, mass_loading=NeuralLoading())


@pytest.fixture(scope="module")
def halos():
    time = np.geomspace(0.64, float(COSMOLOGY.age(0.0)), 30)
    growth = np.log10(time / time[-1])
    return co.halos.HaloHistories(time, [[11.0], [12.0]] + 2.0 * growth, [[0.95], [0.9]] + 0.3 * growth)


def test_weights_have_exact_gradients(model, halos):
    """Reverse mode through the solver agrees with a finite difference along a random direction."""
    network = jax.tree.map(eqx.is_inexact_array, model.mass_loading.network)
    mask = eqx.tree_at(lambda m: m.mass_loading.network, jax.tree.map(lambda _: False, model), network)
    trained, fixed = eqx.partition(model, mask)
    solver = co.numerics.LaneSolver(tolerance=1e-9)

    @jax.jit
    def mass(trained):
        return jnp.mean(jnp.log10(co.evolve(eqx.combine(trained, fixed), halos, [0.0], solver=solver)["mstar"]))

    leaves, structure = jax.tree.flatten(trained)
    keys = jax.random.split(jax.random.key(1), len(leaves))
    direction = [jax.random.normal(key, leaf.shape) for key, leaf in zip(keys, leaves, strict=True)]
    gradient = jax.tree.leaves(jax.grad(mass)(trained))
    exact = sum(float(jnp.vdot(g, d)) for g, d in zip(gradient, direction, strict=True))

    def moved(step):
        return mass(structure.unflatten([leaf + step * d for leaf, d in zip(leaves, direction, strict=True)]))

    assert exact == pytest.approx(float(moved(1e-4) - moved(-1e-4)) / 2e-4, rel=1e-4)


def test_its_parameters_are_named_and_it_comes_back_from_a_file(model, halos, tmp_path):
    assert "mass_loading.amplitude" in co.describe(model)
    changed = co.replace(model, {"mass_loading.amplitude": 2.0})
    galaxies = co.evolve(changed, halos, [0.0])
    co.save(tmp_path / "galaxies.h5", galaxies, halos=halos, model=changed)
    assert eqx.tree_equal(co.load(tmp_path / "galaxies.h5").model, changed)
    jacobian = co.sensitivity.parameter_jacobian(changed, halos, ["mass_loading.amplitude"], quantities=["mstar"])
    assert np.all(np.abs(jacobian.derivative.values) > 1e-3)
