"""Named parameters: listing, reading, replacing, refusing."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from astropy import units

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


def test_components_in_a_tuple_are_named_by_position():
    class Sum(eqx.Module):
        terms: tuple

    law = Sum((co.physics.MassLoading(), co.physics.MassLoading(amplitude=2.0)))
    assert "terms.1.amplitude" in describe(law) and len(describe(law)) == 2 * len(describe(co.physics.MassLoading()))
    changed = replace(law, {"terms.1.amplitude": 5.0})
    assert [float(value) for value in get_values(changed, ["terms.0.amplitude", "terms.1.amplitude"])] == [1.0, 5.0]


def test_networks_and_functions_are_no_parameters():
    class Law(eqx.Module):
        network: eqx.nn.MLP
        law: eqx.Module
        kind: type = eqx.field(static=True, default=co.physics.MassLoading)

    law = Law(eqx.nn.MLP(1, 1, 4, 1, key=jax.random.key(0)), co.physics.MassLoading())
    assert set(describe(law)) == {f"law.{name}" for name in describe(co.physics.MassLoading())}
    with pytest.raises(ValueError, match="unknown parameter 'a' of MLP: it has no parameters"):
        replace(law.network, {"a": 1.0})


class Timed(eqx.Module):
    """A law with a time."""

    time: jax.Array = parameter(1.0, unit="Gyr", meaning="a time", source="choice", bounds=(0.1, 10.0))

    def __check_init__(self):
        if not isinstance(self.time, jax.core.Tracer) and self.time < 0.0:
            raise ValueError("Timed: the time is negative")


def test_numbers_with_units_are_converted_or_refused():
    assert float(Timed(time=500.0 * units.Myr).time) == 0.5
    assert float(replace({"law": Timed()}, {"law.time": 2e9 * units.yr})["law"].time) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="a time: got a quantity in km; it must be a quantity or plain numbers in Gyr"):
        Timed(time=1.0 * units.km)
    with pytest.raises(ValueError, match="law.time: got a quantity in km"):
        replace({"law": Timed()}, {"law.time": 1.0 * units.km})


def test_a_replaced_number_is_checked_by_the_object_that_holds_it():
    with pytest.raises(ValueError, match="the time is negative"):
        replace({"law": Timed()}, {"law.time": -1.0})
    assert float(jax.jit(lambda t: replace(Timed(), {"time": t}).time)(-1.0)) == -1.0


@pytest.mark.wrong_types
def test_numbers_without_meaning_are_refused_and_unusual_ones_warn():
    for wrong in (-1.0, np.nan, None, [1.0, 2.0]):
        with pytest.raises(ValueError, match="eta_M at 125 km/s: got "):
            co.physics.MassLoading(amplitude=wrong)
        with pytest.raises(ValueError, match="mass_loading.amplitude: got "):
            co.replace(co.models.ThermalCGM(), {"mass_loading.amplitude": wrong})
    with pytest.raises(ValueError, match="gas returned per stellar mass formed: got 1.4; give a number from 0 to 1"):
        co.physics.StellarReturn(recycled_fraction=1.4)
    with pytest.raises(ValueError, match="multiplier of the outflow flow: got -2"):
        co.models.ThermalCGM(channels={"outflow": -2.0})
    with pytest.warns(UserWarning, match="mass_loading.amplitude = 300 lies outside 0.01 to 10") as caught:
        co.models.ThermalCGM(mass_loading=co.physics.MassLoading(amplitude=300.0))
    assert len(caught) == 1 and caught[0].filename == __file__
    with pytest.warns(UserWarning, match="amplitude = 300 .*, energy_loading.slope = 1 lies outside -4 to 0") as caught:
        co.replace(co.models.ThermalCGM(), {"mass_loading.amplitude": 300.0, "energy_loading.slope": 1.0})
    assert len(caught) == 1


def test_numbers_that_are_not_known_pass_and_their_shapes_are_checked():
    model = co.models.ThermalCGM()

    def amplitude(value):
        return co.replace(model, {"mass_loading.amplitude": value}).mass_loading.amplitude

    assert float(jax.jit(amplitude)(-1.0)) == -1.0
    with pytest.raises(ValueError, match=r"got an array of shape \(2,\)"):
        jax.jit(amplitude)(np.ones(2))
    np.testing.assert_array_equal(jax.vmap(amplitude)(np.array([1.0, 2.0])), [1.0, 2.0])


@pytest.mark.parametrize("make", [co.models.pandya26, co.models.pandya23, co.models.TurbulentCGM])
def test_models_of_the_package_lie_inside_the_ranges_of_their_laws(make, recwarn):
    make()
    assert not recwarn.list


@pytest.mark.wrong_types
def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match=r"got the class ThermalCGM; write ThermalCGM\(\)"):
        co.describe(co.models.ThermalCGM)
    with pytest.raises(TypeError, match="got the class ThermalCGM"):
        co.replace(co.models.ThermalCGM, {"mass_loading.amplitude": 2.0})
    with pytest.raises(ValueError, match="values: got a list; give numbers by name"):
        co.replace(co.models.ThermalCGM(), ["mass_loading.amplitude"])
