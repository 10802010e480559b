"""corundum works where JAX is set to refuse arrays of different ranks or types, as users who look for mistakes set it.

Such mistakes show when JAX traces a function, so that most of these tests do not compile.
"""

import contextlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import inference, observables
from corundum.cosmology import pandya26_cosmology
from corundum.numerics.promotion import with_numpy_promotion
from corundum.plots.regressed import regress
from growing import Growing
from library import MODELS
from measured import MEASURED, SPREAD
from toy import Toy


@contextlib.contextmanager
def strict():
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


def test_functions_of_other_packages_keep_the_rules_of_numpy():
    def add(x, y):
        return x + y

    with strict():
        assert with_numpy_promotion(add)(jnp.zeros((2, 1)), jnp.ones(2, int)).tolist() == [[1.0, 1.0]] * 2
        with pytest.raises(ValueError, match="rank_promotion"):
            add(jnp.zeros((2, 1)), jnp.ones(2))


def test_cosmology_in_strict_mode():
    cosmology, redshifts, ages = pandya26_cosmology(), np.array([0.0, 2.0]), np.array([1.0, 13.0])
    expected = cosmology.age(redshifts), cosmology.redshift(ages)
    with strict():
        np.testing.assert_array_equal(cosmology.age(redshifts), expected[0])
        np.testing.assert_array_equal(cosmology.redshift(ages), expected[1])


@pytest.mark.parametrize("source", ["diffmah_population", "monte_carlo_trees"])
def test_halos_are_drawn_in_strict_mode(source):
    draw = getattr(co.halos, source)
    expected = draw(3, log_mvir=(11.0, 12.0), key=1)
    with strict():
        drawn = draw(3, log_mvir=(11.0, 12.0), key=1)
    np.testing.assert_array_equal(drawn.log_mvir, expected.log_mvir)
    np.testing.assert_array_equal(drawn.log_concentration, expected.log_concentration)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_evolves_and_is_observed_in_strict_mode(name, halos):
    with strict():
        model = MODELS[name]()
        shapes = eqx.filter_eval_shape(co.evolve, model, halos[:2], [0.0, 1.0], histories=("mstar",))
    assert all(field.shape == (2, 2) and field.dtype == np.float64 for field in shapes.state)
    assert len(shapes.state) == len(model.ledger.state._fields)


def assert_as_usual(compute, **tolerances):
    """What strict rules give is what the usual ones give."""
    usual = compute()
    with strict():
        under_strict_rules = compute()
    leaves = jax.tree.leaves(under_strict_rules)
    assert leaves and jax.tree.structure(under_strict_rules) == jax.tree.structure(usual)
    for one, other in zip(leaves, jax.tree.leaves(usual), strict=True):
        if isinstance(one, str):
            assert one == other
        else:
            np.testing.assert_allclose(one, other, **{"rtol": 1e-12, **tolerances})


class WithParts:
    """Galaxies whose phases, bulges and sizes are known as well, which the default model does not say."""

    SHARES = {
        "mhi": ("mism", 0.3), "mh2": ("mism", 0.2), "mbulge": ("mstar", 0.3), "mbh": ("mstar", 1e-3),
        "half_mass_radius": ("rvir", 0.015),
    }  # fmt: skip

    def __init__(self, galaxies):
        self.galaxies = galaxies

    def __getitem__(self, name):
        whole, share = self.SHARES.get(name, (name, 1.0))
        return share * self.galaxies[whole]

    def __getattr__(self, name):
        return getattr(self.galaxies, name)


def test_relations_are_regressed_in_strict_mode(population):
    galaxies = population.at(0.0)
    whole = WithParts(galaxies)
    kinds = [getattr(observables, name) for name in observables.__all__ if "Abstract" not in name]
    kinds = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, observables.AbstractRelation)]
    relations = [kind() for kind in kinds if not issubclass(kind, observables.AbstractCosmicDensity)]
    assert len(relations) > 3
    assert_as_usual(lambda: [(relation.x(whole), relation.y(whole)) for relation in relations])
    masses = np.linspace(11.0, 12.0, 5)
    for rule in (observables.NadarayaWatson(), observables.LocalLinear()):
        assert_as_usual(lambda rule=rule: regress(galaxies, observables.StellarToHaloMass(), rule, masses))
    assert_as_usual(lambda: MEASURED.predict(galaxies))


SENSITIVITIES = {
    "parameters": lambda halos: co.sensitivity.parameter_jacobian(Toy(), halos, ["loading", "gas"], [0.0, 1.0]),
    "reverse": lambda halos: co.sensitivity.parameter_jacobian(Toy(), halos, ["gas"], mode=co.sensitivity.Reverse()),
    "channels": lambda halos: co.sensitivity.channel_jacobian(Toy(), halos),
    "state": lambda halos: co.sensitivity.state_jacobian(Toy(), halos, [0.0]),
    "routes": lambda halos: co.sensitivity.routes(Toy(), halos, ["loading"], [0.0]),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "reverse" else ()) for name in SENSITIVITIES]
)
def test_sensitivities_in_strict_mode(name, halos):
    tables = [table for table in SENSITIVITIES[name](halos[:2]) if isinstance(table, co.sensitivity.Labelled)]
    with strict():
        same = [table for table in SENSITIVITIES[name](halos[:2]) if isinstance(table, co.sensitivity.Labelled)]
    assert len(tables) == len(same) >= 2
    for one, other in zip(same, tables, strict=True):
        np.testing.assert_allclose(one.values, other.values, rtol=1e-9, atol=1e-12)


def test_reverse_mode_is_traced_in_strict_mode(halos):
    def gas(amount):
        return jnp.sum(co.evolve(co.replace(Toy(), {"gas": amount}), halos[:2], [0.0]).state.gas)

    with strict():
        shape = eqx.filter_eval_shape(jax.grad(gas), jnp.asarray(1e9))
    assert shape.shape == () and shape.dtype == np.float64


def target_of(halos):
    return inference.Target(Growing(), halos, [MEASURED, SPREAD], ("time", "loading"), redshifts=[0.0, 1.0])


def test_a_target_and_its_gradient_are_traced_in_strict_mode(halos):
    with strict():
        target = target_of(halos)
        density, slope = eqx.filter_eval_shape(jax.value_and_grad(target.ln_density), jnp.asarray(target.start()))
    assert density.shape == () and slope.shape == (2,) and slope.dtype == np.float64


@pytest.mark.slow
def test_a_target_and_its_gradient_in_strict_mode(halos):
    def density_and_gradient():
        target = target_of(halos)
        start = np.asarray(target.start())[None]
        return inference.ln_density_at(target, start), inference.value_and_gradient(target, start)

    assert_as_usual(density_and_gradient, rtol=1e-9)
