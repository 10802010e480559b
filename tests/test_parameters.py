"""Named parameters: listing, reading, replacing, refusing."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import corundum as co
from corundum.parameters import describe, get_values, parameter, replace


def test_sixteen_scaling_parameters_and_every_other_number_are_described():
    known = describe(co.models.pandya26())
    scalings = ("mass_loading", "energy_loading", "metal_loading", "depletion_time")
    assert sum(name.startswith(scalings) for name in known) == 16
    for name, item in known.items():
        low, high = item.bounds
        assert item.unit and item.meaning and item.source, name
        assert low <= float(item.value) <= high, f"{name} = {item.value} outside {item.bounds}"
        assert item.value.dtype == jnp.float64 and not item.value.weak_type


def test_every_float_leaf_of_a_model_is_named_or_a_table():
    model = co.models.ThermalCGM()
    scalars = [leaf for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_array)) if leaf.ndim == 0]
    assert len(scalars) == len(describe(model))


def test_replace_changes_one_number_and_nothing_else():
    model = co.models.ThermalCGM()
    changed = replace(model, {"mass_loading.amplitude": 3.0, "profile.density_slope": -1.2})
    values = get_values(changed, ["mass_loading.amplitude", "profile.density_slope", "energy_loading.amplitude"])
    assert [float(v) for v in values] == [3.0, -1.2, 0.1]
    assert float(model.mass_loading.amplitude) == 1.0


def test_replace_is_differentiable():
    model = co.models.ThermalCGM()
    slope = jax.grad(lambda a: replace(model, {"mass_loading.amplitude": a}).mass_loading(60.0, 0.0))(2.0)
    assert float(slope) == pytest.approx(125.0 / 60.0)


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(
        ValueError, match=r"unknown parameter 'mass_loading.amplitud'.*did you mean mass_loading.amplitude"
    ):
        replace(co.models.ThermalCGM(), {"mass_loading.amplitud": 1.0})


def test_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="allowed 'linear' or 'log10'"):
        parameter(1.0, unit="1", meaning="x", source="x", bounds=(0, 1), scale="ln")


def test_single_precision_is_refused():
    with jax.enable_x64(False), pytest.raises(RuntimeError, match="jax_enable_x64"):
        co.models.ThermalCGM()
