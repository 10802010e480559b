"""Components on disk: the same object comes back, and what cannot is said."""

import warnings
from typing import NamedTuple

import equinox as eqx
import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import physics
from corundum.parameters import parameter
from corundum.storage.components import read_component, read_parameters, restore_component, write_component
from corundum.storage.public_names import find_class, find_function, public_name


class Offset(eqx.Module):
    """A component of a user's own, with a part that may be anything."""

    shift: jax.Array = parameter(0.5, unit="dex", meaning="a shift", source="choice", bounds=(0.0, 1.0))
    cosmology: co.cosmology.Cosmology = eqx.field(default_factory=co.cosmology.Cosmology)
    law: object = eqx.field(static=True, default=None)
    degree: int = eqx.field(static=True, default=2)


class Network(physics.AbstractScaling):
    """A law with a network, and parts of every kind that can be stored."""

    network: eqx.nn.MLP
    parts: tuple = ()
    unit: str = eqx.field(static=True, default="Msun")

    def __call__(self, vvir, redshift):
        return jnp.exp(self.network(jnp.stack([jnp.log(vvir), redshift])))


class Edges(NamedTuple):
    low: float
    high: float


def network(**settings):
    return eqx.nn.MLP(2, "scalar", 4, 1, key=jax.random.key(0), **settings)


def write(path, component):
    with h5py.File(path, "w") as file:
        write_component(file.create_group("c"), component)


def write_and_read(path, component):
    write(path, component)
    with h5py.File(path) as file:
        return read_component(file["c"]), read_parameters(file["c"])


def reasons(path):
    with h5py.File(path) as file:
        component, missing = restore_component(file["c"])
    assert (component is None) == bool(missing)
    return missing


def test_a_component_of_the_user_comes_back_where_its_module_is_imported(tmp_path):
    component, _ = write_and_read(tmp_path / "c.h5", Offset(shift=0.25, degree=3))
    assert eqx.tree_equal(component, Offset(shift=0.25, degree=3)) and component.degree == 3


def test_parameters_come_back_even_where_the_object_cannot(tmp_path):
    with pytest.warns(UserWarning, match="law: the function .*lambda.* has no public name"):
        write(tmp_path / "c.h5", Offset(law=lambda x: x))
    with h5py.File(tmp_path / "c.h5") as file, pytest.warns(UserWarning, match=r"c is not restored: c\.law"):
        component, parameters = read_component(file["c"]), read_parameters(file["c"])
    assert component is None
    assert float(parameters["shift"].value) == 0.5 and parameters["shift"].bounds == (0.0, 1.0)
    assert "cosmology.h" in parameters


@pytest.mark.parametrize("kind", ["nowhere.Missing", "os.system", "corundum.nowhere.Missing", "os.PathLike"])
def test_no_class_is_imported_or_made_because_a_file_names_it(tmp_path, kind):
    write(tmp_path / "c.h5", Offset())
    with h5py.File(tmp_path / "c.h5", "r+") as file:
        file["c"].attrs["kind"] = kind
        with pytest.warns(UserWarning, match=f"the class {kind} is not imported"):
            assert read_component(file["c"]) is None


@pytest.mark.parametrize(
    "function", ["os.system", "builtins.eval", "nowhere.missing", "jax.nn.missing", "subprocess.run"]
)
def test_no_function_is_looked_up_outside_imported_libraries(tmp_path, function):
    write(tmp_path / "c.h5", Offset(law=jnp.sin))
    with h5py.File(tmp_path / "c.h5", "r+") as file:
        file["c"].attrs["functions"] = f'{{"law": "{function}"}}'
    assert reasons(tmp_path / "c.h5") == (
        f"c.law: the function {function} is not imported; import its module and load again",
    )


@pytest.mark.parametrize("law", [np.sin, jnp.sin, jax.nn.relu, jax.nn.softplus, eqx.filter_jit, public_name, network])
def test_functions_with_a_public_name_come_back(tmp_path, law):
    component, _ = write_and_read(tmp_path / "c.h5", Offset(law=law))
    assert component.law is law


def test_networks_tuples_lists_and_arrays_come_back(tmp_path):
    parts = (1, 2.5, None, "text", (jnp.tanh,), [jnp.arange(3), np.arange(2.0)], {"a": {}, "b": True}, Edges(0.0, 1.0))
    law = Network(network(activation=jax.nn.gelu), parts)
    with warnings.catch_warnings(action="error"):
        component, parameters = write_and_read(tmp_path / "c.h5", law)
    assert jax.tree.structure(component) == jax.tree.structure(law) and eqx.tree_equal(component, law)
    assert isinstance(component.parts[5][1], np.ndarray) and isinstance(component.parts[5][0], jax.Array)
    assert isinstance(component.parts[7], Edges) and parameters == {}
    assert component(150.0, 0.5) == law(150.0, 0.5)


def test_parameters_of_laws_in_tuples_keep_their_names(tmp_path):
    law = Network(network(), (physics.MassLoading(), {"hole": co.models.BlackHole()}))
    component, parameters = write_and_read(tmp_path / "c.h5", law)
    assert eqx.tree_equal(component, law)
    assert "parts.0.slope" in parameters and set(parameters) == set(co.describe(law))


def test_what_cannot_be_stored_is_said_with_its_place_and_the_reason(tmp_path):
    class Local(eqx.Module):
        number: float = 1.0

    law = Network(network(), (jax.random.key(0), Local(), {1: 2}))
    with pytest.warns(UserWarning) as caught:
        write(tmp_path / "c.h5", law)
    (message,) = [str(warning.message) for warning in caught]
    assert message.startswith("c will not come back from this file as an object")
    places = ("parts.0: a PRNGKeyArray", "parts.1.class: the class", "parts.2: a dict")
    assert all(place in message for place in places)
    assert [reason.partition(":")[0] for reason in reasons(tmp_path / "c.h5")] == [
        "c.parts.0", "c.parts.2", "c.parts.1.class", "c.parts.1",
    ]  # fmt: skip


def test_a_class_that_has_changed_since_is_said(tmp_path):
    write(tmp_path / "c.h5", Offset())
    with h5py.File(tmp_path / "c.h5", "r+") as file:
        del file["c/shift"]
    (reason,) = reasons(tmp_path / "c.h5")
    assert reason.startswith("c: the class") and "has changed since; it had cosmology, degree, law and has" in reason


def test_classes_are_kept_under_their_public_names(tmp_path):
    write(tmp_path / "c.h5", co.models.ThermalCGM())
    with h5py.File(tmp_path / "c.h5") as file:
        assert file["c"].attrs["kind"] == "corundum.models.ThermalCGM"
        assert file["c/mass_loading"].attrs["kind"] == "corundum.physics.MassLoading"
        assert file["c/cooling_limit"].attrs["kind"] == "corundum.numerics.SmoothMinimum"
    for member in (co.models.ThermalCGM, co.cosmology.Cosmology, co.halos.Pandya26Hermite, Offset):
        assert find_class(public_name(member)) is member
    assert find_function("corundum.physics.MassLoading") is None and find_class("jax.nn.relu") is None
