"""A small network in every place where a law can stand: models solve, have gradients, and come back from a file.

`with_networks` replaces every law of a model, laws inside laws and processes included, by one that multiplies what the
law returns by a network of its arguments.  Each class is made from the law it replaces, with its public methods and
fields, as a user's own class of that family would have.
"""

import copy
import dataclasses
import functools
import inspect
import zlib
from typing import Any

import equinox as eqx
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics
from corundum.models import derivative
from corundum.storage.components import restore_component, write_component
from library import COSMOLOGY, draw_galaxy, gaps

pytestmark = pytest.mark.wrong_types


def thermal():
    processes = {
        "black_hole": models.BlackHole(),
        "late": models.DelayedEnrichment(),
        "recycling": models.HaloRecycling(),
    }
    return models.ThermalCGM(processes=processes)


def galaxy_laws():
    """The thermal model with a law of the galaxy in every place that takes one."""
    return models.ThermalCGM(
        mass_loading=physics.Muratov15StellarMass(),
        depletion_time=physics.MolecularDepletion(),
        prevention=physics.EnergyDrivenPrevention(),
    )


MODELS = {
    "thermal": thermal,
    "galaxy_laws": galaxy_laws,
    "turbulent": models.TurbulentCGM,
    "regulator": lambda: models.MinimalRegulator(supplied_energy=0.6),  # no atmosphere contracts without end
}


def factor(network, arguments):
    """A number within 5% of 1 that depends on the numbers among the arguments."""
    numbers = [jnp.log1p(jnp.abs(x)) for x in arguments if isinstance(x, jax.Array | float)]
    signal = 0.1 * functools.reduce(jnp.add, numbers, jnp.asarray(3.0))
    return jnp.exp(0.05 * jnp.vectorize(lambda x: network(x[None]))(signal))


def _method(name):
    def modified(self, *arguments):
        values = getattr(self.kept, name)(*arguments)
        return jax.tree.map(lambda value: value * factor(self.network, arguments), values)

    return modified


def _field(field):
    if field.metadata.get("corundum") is None:
        return property(lambda self: getattr(self.kept, field.name))
    return property(lambda self: getattr(self.kept, field.name) * factor(self.network, ()))  # a number that models read


@functools.cache
def network_class(kind):
    """A class of the same family as the law `kind`, which holds such a law and a network."""
    abstract = [base for base in kind.__mro__ if base.__name__.startswith("Abstract")]
    # Not a base that has the fields of a law: the class with a network has a law and a network instead.
    family = next((base for base in abstract if not base.__abstractvars__), eqx.Module)
    own = kind.__mro__[: kind.__mro__.index(family)]
    members: dict[str, Any] = {field.name: _field(field) for field in dataclasses.fields(kind)}
    for name in sorted({name for base in own for name in vars(base)} - members.keys()):
        value = inspect.getattr_static(kind, name)
        if name != "__call__" and name.startswith("_"):
            continue
        members[name] = _method(name) if callable(getattr(kind, name)) and name != "breaks" else value
    if "breaks" in members:
        members["breaks"] = lambda self: self.kept.breaks()
    name = f"Network{kind.__name__}"
    members |= {"__module__": __name__, "__qualname__": name, "__annotations__": {"kept": kind, "network": eqx.nn.MLP}}
    globals()[name] = type(family)(name, (family,), members)
    return globals()[name]


def network_law(law, place):
    key = jax.random.key(zlib.crc32(place.encode()))
    network = eqx.nn.MLP(1, "scalar", 1, 0, final_activation=jnp.tanh, key=key)  # small: a model takes up to sixty
    return network_class(type(law))(with_networks(law, place), network)


def with_networks(owner, place=""):
    """A copy of a model, process or law in which every law has a network."""
    changes = {}
    for field in dataclasses.fields(owner):
        value, where = getattr(owner, field.name), f"{place}.{field.name}"
        if isinstance(value, eqx.Module):
            changes[field.name] = network_law(value, where)
        elif field.name == "processes":
            changes[field.name] = {name: with_networks(process, f"{where}.{name}") for name, process in value.items()}
    if isinstance(owner, models.AbstractModel):
        return dataclasses.replace(owner, **changes)
    modified = copy.copy(owner)  # some laws compute fields of their own when they are made
    for name, law in changes.items():
        object.__setattr__(modified, name, law)
    return modified


def networks(tree):
    """All networks in a model."""
    leaves = jax.tree.leaves(tree, is_leaf=lambda node: isinstance(node, eqx.nn.MLP))
    return [node for node in leaves if isinstance(node, eqx.nn.MLP)]


@pytest.fixture(scope="module")
def halos():
    time = np.geomspace(0.64, float(COSMOLOGY.age(0.0)), 30)
    growth = np.log10(time / time[-1])
    return co.halos.HaloHistories(time, [[11.0], [12.0]] + 2.0 * growth, [[0.95], [0.9]] + 0.3 * growth)


def places(model):
    laws = [field.name for field in dataclasses.fields(model) if isinstance(getattr(model, field.name), eqx.Module)]
    return [*laws, *model.processes]


def slow(*names):
    return [pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", ["regulator", *slow("thermal", "galaxy_laws", "turbulent")])
def test_a_network_fits_every_place_alone(name):
    """At the door, and in the equations of one galaxy."""
    model = MODELS[name]()
    state, halo = draw_galaxy(model, np.random.default_rng(3))
    for place in places(model):
        if place in model.processes:
            process = with_networks(model.processes[place], place)
            modified = dataclasses.replace(model, processes={**model.processes, place: process})
        else:
            modified = dataclasses.replace(model, **{place: network_law(getattr(model, place), place)})
        assert networks(modified) or place == "late", place  # that process has numbers only
        rate = jax.eval_shape(lambda model=modified: derivative(model, state, model.forcing(halo, COSMOLOGY)))
        assert all(leaf.shape == () for leaf in rate), place


@pytest.mark.parametrize("name", ["regulator", *slow("thermal", "galaxy_laws", "turbulent")])
def test_networks_in_all_places_at_once_are_solved_differentiated_and_stored(name, halos, tmp_path):
    model = with_networks(MODELS[name]())
    assert len(networks(model)) >= len(places(model)) - 1  # the process of late metals has no law
    state, halo = draw_galaxy(model, np.random.default_rng(3))
    flows = model.fluxes(state, model.forcing(halo, COSMOLOGY)).flows
    assert max(gaps(model.ledger, flows).values()) < 1e-10
    weights, rest = eqx.partition(model, lambda leaf: eqx.is_inexact_array(leaf) and leaf.ndim > 0)

    @jax.jit
    def mass(weights):
        galaxies = co.evolve(eqx.combine(weights, rest), halos, [0.0])
        return jnp.sum(jnp.log(galaxies["mstar"])), galaxies.status

    (total, status), gradient = jax.value_and_grad(mass, has_aux=True)(weights)
    assert np.isfinite(total) and np.all(np.asarray(status) == 0)
    sizes = [np.asarray(leaf) for leaf in jax.tree.leaves(gradient)]
    assert all(np.all(np.isfinite(size)) for size in sizes)
    assert sum(bool(np.any(size)) for size in sizes) > 0.7 * len(sizes)  # some limits act nowhere in these halos

    with h5py.File(tmp_path / "model.h5", "w") as file:
        write_component(file.create_group("model"), model)
        component, missing = restore_component(file["model"])
    assert not missing and eqx.tree_equal(component, model)
