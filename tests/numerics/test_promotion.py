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
from corundum.plots.relations import regress
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
        eqx.filter_eval_shape(co.evolve, model, halos[:2], [0.0, 1.0], histories=("mstar",))


def test_relations_are_regressed_in_strict_mode(population):
    galaxies = population.at(0.0)
    with strict():
        for name in observables.__all__:
            kind = getattr(observables, name)
            if isinstance(kind, type) and issubclass(kind, observables.AbstractRelation) and "Abstract" not in name:
                kind().x(galaxies), kind().y(galaxies)
        for rule in (observables.NadarayaWatson(), observables.LocalLinear()):
            regress(galaxies, observables.StellarToHaloMass(), rule, np.linspace(11.0, 12.0, 5))
        MEASURED.predict(galaxies)


SENSITIVITIES = {
    "parameters": lambda halos: co.sensitivity.parameter_jacobian(Toy(), halos, ["loading", "gas"], [0.0, 1.0]),
    "reverse": lambda halos: co.sensitivity.parameter_jacobian(Toy(), halos, ["gas"], mode=co.sensitivity.Reverse()),
    "channels": lambda halos: co.sensitivity.channel_jacobian(Toy(), halos),
    "state": lambda halos: co.sensitivity.state_jacobian(Toy(), halos, [0.0]),
    "routes": lambda halos: co.sensitivity.routes(Toy(), halos, ["loading"], [0.0]),
}


@pytest.mark.parametrize("name", SENSITIVITIES)
def test_sensitivities_in_strict_mode(name, halos):
    with strict():
        SENSITIVITIES[name](halos[:2])


def test_a_target_and_its_gradient_in_strict_mode(halos):
    with strict():
        target = inference.Target(Growing(), halos, [MEASURED, SPREAD], ("time", "loading"), redshifts=[0.0, 1.0])
        start = np.asarray(target.start())[None]
        assert np.isfinite(inference.ln_density_at(target, start)).all()
        inference.value_and_gradient(target, start)
