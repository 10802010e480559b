"""What public objects show when they are printed: a few lines with numbers, whatever they hold."""

import importlib
import inspect
from types import ModuleType

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.printing import in_short

MOST = 1500
MODULES = [name for name in co.__all__ if isinstance(getattr(co, name), ModuleType)]
FAMILIES = [f"corundum.{name}" for name in (*MODULES, "population", "parameters")]
TEXTS = {"Quantity"}  # named tuples of a few short words


def public_classes():
    for family in FAMILIES:
        module = importlib.import_module(family)
        for name in module.__all__:
            kind = getattr(module, name)
            if inspect.isclass(kind) and kind.__module__.startswith("corundum"):
                yield kind


CLASSES = {f"{kind.__module__}.{kind.__name__}": kind for kind in public_classes()}


def default_objects():
    for kind in CLASSES.values():
        try:
            yield kind()
        except Exception:  # abstract, or it needs arguments
            continue


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_every_public_class_of_arrays_has_a_text_of_its_own(kind):
    if issubclass(kind, eqx.Module):
        assert kind.__repr__ is not eqx.Module.__repr__
    elif issubclass(kind, tuple) and kind.__name__ not in TEXTS:
        assert kind.__repr__.__module__.startswith("corundum"), "the text of a plain named tuple prints whole arrays"


def test_objects_made_without_arguments_print_in_a_few_lines():
    objects = list(default_objects())
    assert len(objects) > 60
    for one in objects:
        most = MOST + 1000 * isinstance(one, co.models.AbstractModel)  # str(model) is a line for each of its laws
        assert len(repr(one)) <= MOST and len(str(one)) <= most
        assert not any(types in text for text in (repr(one), str(one)) for types in ("f64[", "Array("))


def test_results_print_in_a_few_lines(population, halos):
    galaxies = population.at(0.0)
    measurement = co.observables.load("shmr_moster18")
    relation = measurement.predict(galaxies)
    for shown in (population, galaxies, population.state, population.flows["wind"], halos, halos.at(redshift=0.0)):
        for text in (repr(shown), str(shown)):
            assert len(text) <= MOST and "f64[" not in text and "Array(" not in text, text
    assert len(repr(relation)) <= MOST and "nodes=array 11: 10.5 to 12.5" in repr(relation)


def test_numbers_show_their_units_and_arrays_their_shape_and_range():
    law = co.physics.DepletionTime()
    assert repr(law).startswith("DepletionTime(amplitude=6.31 Gyr, slope=-1.8")
    flow = co.models.FlowRates(mass=jnp.array([[1.0, np.nan], [3.0, 2.0], [0.5, 1.0]]))
    assert repr(flow) == "FlowRates(mass=array 3x2: 0.5 to 3, metals=None, energy=None)"
    assert "nowhere finite" in in_short(co.models.FlowRates(mass=np.full(5, np.nan)))


def test_printing_works_while_a_function_is_traced():
    texts = []

    def traced(law, rates):
        texts.extend([repr(law), repr(rates)])
        return law.amplitude

    jax.jit(traced)(co.physics.DepletionTime(), co.models.FlowRates(mass=jnp.ones(3)))
    assert "amplitude=traced Gyr" in texts[0] and "mass=traced 3" in texts[1]


@pytest.mark.parametrize("name", MODULES)
def test_completion_lists_public_names_only(name):
    family = getattr(co, name)
    assert dir(family) == sorted(family.__all__)
