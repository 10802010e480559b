"""The ledger, and the contract that every model keeps."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corundum as co
from corundum.models import Flow, FlowRates, Ledger, derivative
from corundum.models.ledger import CURRENCIES
from library import COSMOLOGY, MODELS, draw_galaxy, draw_parameters

THERMAL = ("ThermalCGM", "pandya26")


REPEATED = {"turbulent_with_black_hole", "thermal_with_everything"}  # as TurbulentCGM and galaxy_in_full, mostly


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.slow if name in REPEATED else ())
        for name in sorted(MODELS.keys() - {"pandya23"})  # the same program as TurbulentCGM
    ]
)
def model(request):
    return MODELS[request.param]()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), name=st.sampled_from(sorted(MODELS)))
def test_ledger_closes_for_random_parameters(seed, name):
    """Inside plus outside change by nothing, to 1e-10 of the largest flow, for mass, metals and energy."""
    rng = np.random.default_rng(seed)
    model = draw_parameters(MODELS[name](), rng)
    state, halo = draw_galaxy(model, rng)
    flows = model.fluxes(state, model.forcing(halo, COSMOLOGY)).flows
    change = model.ledger.derivative(flows)
    outside = model.ledger.exchange(flows)
    for currency in CURRENCIES:
        inside = [getattr(change, f) for (kind, _), f in model.ledger.contents.items() if kind == currency]
        beyond = [value for (kind, _), value in outside.items() if kind == currency]
        if not inside or not CURRENCIES[currency].conserved:
            continue  # not followed, or tracked only
        parts = np.array([*inside, *beyond])
        assert np.all(np.isfinite(parts))
        assert abs(parts.sum()) <= 1e-10 * np.abs(parts).max()


@pytest.mark.parametrize("name", THERMAL)
def test_thermal_flows_match_the_equations_of_the_paper(name):
    """The seven equations written out by hand against the ledger (physics of Pandya+26)."""
    model = MODELS[name]()
    state, halo = draw_galaxy(model, np.random.default_rng(4))
    forcing = model.forcing(halo, COSMOLOGY)
    flows, extra = model.fluxes(state, forcing)
    change = derivative(model, state, forcing)
    sfr, f_rec, y_z = extra["sfr"], 0.4, 0.02
    inflow, cool, out = flows["accretion"].mass, flows["cooling"].mass, flows["outflow"].mass
    eta_m, eta_z = extra["mass_loading"], extra["metal_loading"]
    z_ism, z_cgm = state.mzism / state.mism, state.mzcgm / state.mcgm
    wind_metals = z_ism * eta_m * sfr + eta_z * y_z * sfr
    per_gyr = 1e9
    by_hand = dict(
        mstar=(1 - f_rec) * sfr,
        mism=cool - (1 - f_rec) * sfr - eta_m * sfr,
        mcgm=inflow - cool + eta_m * sfr - out,
        mzstar=z_ism * (1 - f_rec) * sfr,
        mzism=z_cgm * cool + y_z * sfr - z_ism * (1 - f_rec) * sfr - wind_metals,
        mzcgm=forcing.inflow_metallicity * inflow - z_cgm * cool + wind_metals - z_cgm * out,
    )
    for name, value in by_hand.items():
        np.testing.assert_allclose(getattr(change, name), value * per_gyr, rtol=1e-10, err_msg=name)
    emptied = (1 - f_rec + eta_m) / forcing.depletion_time  # [1/Gyr]; 100 at most, but for the published model
    slowed = (
        1.0 if isinstance(model.emptying, co.physics.UnlimitedEmptying) else (1.0 + (emptied / 100.0) ** 4) ** -0.25
    )
    np.testing.assert_allclose(sfr, slowed * state.mism / forcing.depletion_time / 1e9, rtol=1e-12)
    supernovae = flows["wind_heating"].energy * 3.15576e7
    np.testing.assert_allclose(supernovae, extra["energy_loading"] * 1e49 * sfr, rtol=1e-12)
    np.testing.assert_allclose(extra["t_cool"], state.eth / flows["radiation"].energy / 3.15576e16, rtol=1e-10)
    np.testing.assert_allclose(cool, state.mcgm / (extra["t_cool"] + forcing.t_ff) / 1e9, rtol=1e-10)
    np.testing.assert_allclose(out, flows["outflow"].energy * 3.15576e7 * state.mcgm / state.eth, rtol=1e-10)


def test_state_gradients_are_finite_and_match_finite_differences(model):
    state, halo = draw_galaxy(model, np.random.default_rng(1))
    forcing = model.forcing(halo, COSMOLOGY)
    rate = jax.jit(lambda logs: jnp.stack(derivative(model, type(state)(*(10.0**logs)), forcing)) / 10.0**logs)
    logs = jnp.log10(jnp.stack(state))
    forward, reverse = jax.jit(jax.jacfwd(rate))(logs), jax.jit(jax.jacrev(rate))(logs)
    # Small entries are what is left of large terms that cancel: they hold round-off of the largest.
    np.testing.assert_allclose(forward, reverse, rtol=1e-8, atol=1e-14 * np.abs(forward).max())
    numeric = np.stack([(rate(logs + e) - rate(logs - e)) / 2e-5 for e in 1e-5 * np.eye(len(logs))], axis=1)
    np.testing.assert_allclose(forward, numeric, rtol=1e-5, atol=1e-6 * np.abs(forward).max())


@pytest.mark.parametrize("channel", co.models.ThermalCGM.own_ledger.names)
def test_a_channel_switched_off_carries_nothing_and_leaves_the_others(channel):
    model = co.models.ThermalCGM()
    off = co.replace(model, {f"channels.{channel}": 0.0})
    state, halo = draw_galaxy(model, np.random.default_rng(2))
    forcing = model.forcing(halo, COSMOLOGY)
    before, after = model.fluxes(state, forcing).flows, off.fluxes(state, forcing).flows
    for name in before:
        for rate, changed in zip(before[name], after[name], strict=True):
            if rate is not None:
                assert changed == (0.0 if name == channel else rate)


def test_smooth_limits_keep_every_derivative_alive_where_sharp_ones_kill_it():
    """A halo so small that the energy loading sits at its ceiling: A_E still matters by default."""

    def energy(model):
        def heating(a):
            changed = co.replace(model, {"energy_loading.amplitude": a})
            return changed.energy_ceiling(changed.energy_loading(10.0, 0.0))

        return float(jax.grad(heating)(0.1))

    assert energy(co.models.pandya26()) == 0.0
    assert energy(co.models.ThermalCGM()) > 1e-3


def test_every_difference_from_the_published_model_can_be_swapped_singly():
    default, published = co.models.ThermalCGM(), co.models.pandya26()
    fields = [f for f in default.__dataclass_fields__ if not eqx.tree_equal(getattr(default, f), getattr(published, f))]
    assert sorted(fields) == sorted(
        ["emptying", "energy_ceiling", "metal_ceiling", "reionisation", "virial", "free_fall", "cooling", "densities",
         "cooling_limit", "halo_outflow", "seed"]
    )  # fmt: skip
    state, halo = draw_galaxy(default, np.random.default_rng(3))
    for field in fields:
        mixed = eqx.tree_at(lambda m, f=field: getattr(m, f), default, getattr(published, field))
        rate = derivative(mixed, state, mixed.forcing(halo, COSMOLOGY))
        assert np.all(np.isfinite(np.stack(rate)))


class Two(NamedTuple):
    left: float
    right: float


def test_a_wrong_ledger_is_refused():
    with pytest.raises(ValueError, match="allowed currencies"):
        Ledger(Two, {("charge", "a"): "left", ("mass", "b"): "right"}, [], {})
    with pytest.raises(ValueError, match="exactly one reservoir"):
        Ledger(Two, {("mass", "a"): "left"}, [], {})
    ledger = Ledger(Two, {("mass", "a"): "left", ("mass", "b"): "right"}, [Flow("move", "", ("a", "b"))], {})
    with pytest.raises(ValueError, match="disagree on whether it carries metals"):
        ledger.derivative({"move": FlowRates(mass=1.0, metals=1.0)})
    assert ledger.derivative({"move": FlowRates(mass=2.0)}) == Two(-2e9, 2e9)
