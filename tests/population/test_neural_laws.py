"""A law may hold a neural network, whose activation is a function: every derivative passes through it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.models import AbstractModel, Fluxes
from corundum.numerics import DiffraxSolver, LaneSolver
from growing import Growing


class Network(eqx.Module):
    """Depletion time from the halo's mass and redshift, around 3 Gyr."""

    mlp: eqx.nn.MLP

    def __init__(self, key):
        self.mlp = eqx.nn.MLP(2, "scalar", 4, 1, activation=jax.nn.tanh, key=key)

    def __call__(self, halo):
        return 3.0 * jnp.exp(self.mlp(jnp.stack([jnp.log10(halo.mvir) - 11.0, jnp.log1p(halo.redshift)])))


class NeuralGrowing(AbstractModel):
    """`Growing` whose depletion time is a network."""

    ledger = Growing.ledger
    diagnostics = Growing.diagnostics

    growing: Growing
    network: Network

    def initial(self, halo, cosmology):
        return self.growing.initial(halo, cosmology)

    def forcing(self, halo, cosmology):
        return self.growing.forcing(halo, cosmology), self.network(halo)

    def fluxes(self, state, forcing):
        imposed, time = forcing
        fluxes = eqx.tree_at(lambda model: model.time, self.growing, time).fluxes(state, imposed)
        return Fluxes(fluxes.flows, fluxes.diagnostics)


MODEL = NeuralGrowing(Growing(), Network(jax.random.key(0)))
SOLVER = LaneSolver(tolerance=1e-10)


def weight(model):
    return model.network.mlp.layers[-1].weight


def with_weight(shift):
    return eqx.tree_at(weight, MODEL, weight(MODEL) + shift)


def log_stars(model, halos):
    return jnp.log10(co.evolve(model, halos, solver=SOLVER).at(0.0)["mstar"])


def test_a_network_evolves_on_several_devices_and_in_chunks(halos, monkeypatch):
    assert len(jax.local_devices()) == 2
    stars = log_stars(MODEL, halos)
    assert np.all(np.isfinite(stars))
    chunked = jnp.log10(co.evolve(MODEL, halos, solver=SOLVER, chunk=2).at(0.0)["mstar"])
    np.testing.assert_allclose(chunked, stars, atol=1e-12)
    monkeypatch.setattr(jax, "local_devices", lambda: jax.devices()[:1])
    np.testing.assert_allclose(log_stars(MODEL, halos), stars, atol=1e-12)


@pytest.mark.parametrize(
    "derivative",
    [pytest.param(jax.jacfwd, id="forward"), pytest.param(jax.jacrev, id="reverse", marks=pytest.mark.slow)],
)
def test_derivatives_with_respect_to_a_weight_match_finite_differences(halos, derivative):
    def response(shift):
        return log_stars(with_weight(shift), halos[:3])

    exact = jax.jit(derivative(response))(0.0)
    numeric = (response(1e-2) - response(-1e-2)) / 2e-2
    np.testing.assert_allclose(exact, numeric, rtol=1e-3)


def test_all_weights_have_a_gradient(halos):
    @eqx.filter_jit
    @eqx.filter_grad
    def gradient(model):
        return jnp.sum(log_stars(model, halos[:3]))

    slopes = gradient(MODEL)
    for layer in slopes.network.mlp.layers:
        assert np.all(np.isfinite(layer.weight)) and np.any(layer.weight != 0.0)
    high, low = (float(jnp.sum(log_stars(with_weight(shift), halos[:3]))) for shift in (1e-2, -1e-2))
    assert float(weight(slopes).sum()) == pytest.approx((high - low) / 2e-2, rel=1e-3)


@pytest.mark.slow
def test_networks_that_differ_in_weights_are_solved_as_one_batch(halos):
    shifts = jnp.array([-0.2, 0.0, 0.3])
    together = jax.jit(jax.vmap(lambda shift: log_stars(with_weight(shift), halos)))(shifts)
    for stars, shift in zip(together, shifts, strict=True):
        np.testing.assert_allclose(stars, log_stars(with_weight(shift), halos), rtol=1e-9)
    slopes = jax.jit(jax.vmap(jax.jacfwd(lambda shift: log_stars(with_weight(shift), halos[:3]))))(shifts)
    np.testing.assert_allclose(slopes[1], jax.jit(jax.jacfwd(lambda s: log_stars(with_weight(s), halos[:3])))(0.0))


@pytest.mark.parametrize(
    "mode",
    [pytest.param(None, id="forward"), pytest.param(co.sensitivity.Reverse(), id="reverse", marks=pytest.mark.slow)],
)
def test_the_named_numbers_beside_a_network_have_a_jacobian(halos, mode):
    jacobian = co.sensitivity.parameter_jacobian(MODEL, halos[:3], ["growing.loading"], solver=SOLVER, mode=mode)
    high, low = (log_stars(co.replace(MODEL, {"growing.loading": 2.0 * 10**step}), halos[:3]) for step in (1e-3, -1e-3))
    per_dex = jacobian.derivative.sel(quantity="mstar").values.ravel()
    np.testing.assert_allclose(per_dex, (high - low) / 2e-3, rtol=1e-4)


def test_parameters_beside_a_network_are_named_and_replaced():
    assert "growing.loading" in co.describe(MODEL)
    assert not any(name.startswith("network") for name in co.describe(MODEL))
    changed = co.replace(MODEL, {"growing.loading": 3.0})
    assert float(co.get_values(changed, ["growing.loading"])[0]) == 3.0
    assert changed.network.mlp.activation is not None


def test_the_reference_engine_takes_a_network(halos):
    reference = jnp.log10(co.evolve(MODEL, halos[:3], solver=DiffraxSolver()).at(0.0)["mstar"])
    np.testing.assert_allclose(log_stars(MODEL, halos[:3]), reference, atol=1e-6)


@pytest.mark.slow
def test_a_likelihood_passes_its_gradient_through_a_network():
    halos = co.halos.diffmah_population(24, log_mvir=(10.5, 12.5), key=2)
    measured = co.observables.load("coldgas_xgass")
    target = co.inference.Target(MODEL, halos, measured, ("growing.loading",), redshifts=[0.0])
    point = np.asarray(target.start())
    linearised = co.inference.linearise(target, point[None])
    density, gradient = co.inference.value_and_gradient(target, point[None])
    np.testing.assert_allclose(linearised.gradient, gradient, rtol=1e-8, atol=1e-12)
    assert np.isfinite(density[0]) and gradient[0, 0] != 0.0
