"""Gradients through every smooth limiter: alive where the physics responds, and those of finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.halos.concentration import LOWEST_CONCENTRATION, limit_concentration
from corundum.numerics import HardMinimum, HardPositivePart, SmoothMinimum, SmoothPositivePart
from corundum.physics import Ceiling, FreeFall, OverpressureOutflow, SutherlandDopita93
from corundum.sensitivity.equations import flow_rates
from library import draw_galaxy

# What a limiter makes of the logarithm u of what it limits, points on both sides of its corner and far beyond it, and
# the sharp form with points at which that is dead.
LIMITERS = {
    **{
        f"minimum of power {power}": (
            lambda u, power=power: SmoothMinimum(power)(jnp.exp(u), 1.0),
            (-2.0, -0.1, 0.0, 0.1, 1.0),
            lambda u: HardMinimum()(jnp.exp(u), 1.0),
            (0.1, 1.0),
        )
        for power in (1, 2, 4, 8, 16)
    },
    "minimum, of its limit": (
        lambda u: SmoothMinimum()(1.0, jnp.exp(u)),
        (-1.0, -0.1, 0.0, 0.1, 1.0),
        lambda u: HardMinimum()(1.0, jnp.exp(u)),
        (0.1, 1.0),
    ),
    "loading below its ceiling": (
        lambda u: Ceiling()(jnp.exp(u)),
        (-2.0, 0.0, 0.5, 2.0),
        lambda u: Ceiling(minimum=HardMinimum())(jnp.exp(u)),
        (0.5, 2.0),
    ),
    "halo outflow at binding": (
        lambda u: OverpressureOutflow()(1e58 * jnp.exp(u), 1e58, 0.5, 1e6, 130.0) / 1e58,
        (-0.09, -0.02, 0.0, 0.05, 0.5),
        lambda u: OverpressureOutflow(excess=HardPositivePart())(1e58 * jnp.exp(u), 1e58, 0.5, 1e6, 130.0) / 1e58,
        (-0.09, -0.02),
    ),
    "free fall within the halo": (
        lambda u: FreeFall()(100.0, 80.0, jnp.exp(u)),
        (np.log(1.2), np.log(2.0), np.log(2.16), np.log(3.0), np.log(10.0)),
        lambda u: FreeFall(limit=HardMinimum())(100.0, 80.0, jnp.exp(u)),
        (np.log(1.2), np.log(2.0)),
    ),
    "cooling at its floor": (
        lambda u: SutherlandDopita93()(u, -1.0) * 1e23,
        (3.92, 3.95, 3.98, 4.1, 5.0),
        None,
        (),
    ),
    "lowest concentration": (
        lambda u: limit_concentration(u),
        (0.2, np.log10(LOWEST_CONCENTRATION), 0.5, 1.0),
        None,
        (),
    ),
}


@pytest.mark.parametrize("name", LIMITERS)
def test_limiters_pass_gradients_and_the_right_ones(name):
    limited, points, sharp, dead = LIMITERS[name]
    slope = jax.jit(jax.vmap(jax.grad(limited)))
    value = jax.jit(jax.vmap(limited))
    points = jnp.array(points)
    exact = np.asarray(slope(points))
    assert np.all(np.isfinite(exact)) and np.all(exact != 0.0)

    # Central differences at three steps, extrapolated to step zero twice (Richardson).
    d1, d2, d4 = (np.asarray(value(points + h) - value(points - h)) / (2.0 * h) for h in (1e-3, 5e-4, 2.5e-4))
    numeric = (16.0 * (4.0 * d4 - d2) / 3.0 - (4.0 * d2 - d1) / 3.0) / 15.0
    np.testing.assert_allclose(exact, numeric, rtol=2e-6, atol=1e-10 * np.abs(value(points)).max())
    if sharp is not None:
        stopped = np.asarray(jax.vmap(jax.grad(sharp))(jnp.array(dead)))
        np.testing.assert_allclose(stopped, 0.0, atol=1e-14 * np.abs(value(points)).max())


def test_gas_well_below_its_binding_energy_does_not_respond():
    """Beyond the corner nothing flows, and nothing should: a derivative there would be an artefact of the smoothing."""
    slope = jax.grad(lambda x: SmoothPositivePart()(x, 1.0))
    assert slope(-0.11) == 0.0 and slope(-0.09) > 0.0 and slope(0.11) == 1.0


@pytest.mark.parametrize(
    ("parameter", "sharp", "velocity", "cgm_boost"),
    [
        ("energy_loading.amplitude", dict(energy_ceiling=co.physics.Ceiling(minimum=HardMinimum())), 50.0, 1.0),
        ("metal_loading.amplitude", dict(metal_ceiling=co.physics.Ceiling(minimum=HardMinimum())), 50.0, 1.0),
        ("cooling.solar_metallicity", dict(cooling_limit=HardMinimum()), 100.0, 5.0),
    ],
)
def test_smooth_limits_pass_gradients_where_sharp_ones_stop_them(parameter, sharp, velocity, cgm_boost):
    """A galaxy beyond each limit: the flows of the default model still respond, those of the sharp one do not."""
    state, halo = draw_galaxy(co.models.ThermalCGM(), np.random.default_rng(2))
    cosmology = co.cosmology.pandya26_cosmology()
    halo = halo._replace(vvir=jnp.float64(velocity), redshift=jnp.float64(0.0))
    mcgm = 0.1 * halo.mvir * cgm_boost
    state = state._replace(mcgm=mcgm, eth=mcgm * 1.5e43 * halo.vvir**2, mzcgm=0.01 * mcgm)

    def response(model):
        model = co.replace(model, {"energy_loading.amplitude": 0.9, "metal_loading.amplitude": 0.9})

        def flows(value):
            changed = co.replace(model, {parameter: value})
            return flow_rates(changed, state, changed.forcing(halo, cosmology))

        (value,) = co.get_values(model, [parameter])
        return np.abs(jax.jvp(flows, (value,), (jnp.ones(()),))[1]).max()

    assert response(co.models.ThermalCGM()) > 0.0
    assert response(co.models.ThermalCGM(**sharp)) == 0.0
