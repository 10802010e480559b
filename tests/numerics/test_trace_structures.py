"""Structures of arguments and results as text: read back as they were, and nothing from elsewhere."""

import json
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import pytest

import corundum as co
from corundum.numerics.traces.structures import Indescribable, described, home_of, restored


class Fields(NamedTuple):
    """A class that this package does not have."""

    number: float


@pytest.mark.parametrize(
    "part",
    [
        None, True, 3, -0.0, float("inf"), "text", (1, [2.5, {"a": ()}]), {"b": 1, "a": None},
        jax.tree.structure({"a": (1.0, [None, 2.0])}), jax.tree.structure(co.models.ThermalCGM()),
        jax.tree.structure(co.cosmology.planck15()), co.units.Quantity("Msun", "stellar mass"),
    ],
)  # fmt: skip
def test_descriptions_are_read_back(part):
    back = restored(json.loads(json.dumps(described(part))))
    assert back == part and type(back) is type(part)


@pytest.mark.parametrize(
    "part",
    [lambda x: x, partial(lambda x: x), Fields(1.0), Fields, object(), jnp.ones(2), jax.tree.structure(Fields(1))],
)
def test_what_is_from_elsewhere_has_no_description(part):
    with pytest.raises(Indescribable):
        described(part)


def test_functions_inside_functions_have_no_home():
    def inner(x):
        return x

    inner.__module__, inner.__qualname__ = co.evolve.__module__, "evolve"
    with pytest.raises(Indescribable, match="does not hold"):
        home_of(inner)
    assert home_of(co.evolve) == "corundum.population.evolution:evolve"


@pytest.mark.parametrize(
    "description",
    [
        {"name": "os:system"}, {"record": ["os:stat_result", []]}, {"record": ["corundum.units:missing", []]},
        {"dataclass": ["subprocess:Popen", []]}, {"call": "os:getcwd"}, {"float": "1", "more": 2},
        {"structure": {"node": "collections:OrderedDict", "static": None, "children": []}},
    ],
)  # fmt: skip
def test_descriptions_name_nothing_from_elsewhere(description):
    with pytest.raises(Indescribable):
        restored(description)
