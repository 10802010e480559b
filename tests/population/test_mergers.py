"""Mergers without satellites: when satellites merge, what they hand over, and what their hosts receive."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics
from corundum.models import derivative
from corundum.population import with_mergers
from corundum.population.arrivals import with_curves
from corundum.population.mean_galaxies import fit_means
from corundum.population.mergers import _CURVES, _MEANS, _of_one_host, _Satellites
from corundum.units import GYR_YR
from library import COSMOLOGY, draw_galaxy

PLANCK = co.cosmology.pandya26_cosmology()
PLACES = ("stars", "ism", "cgm")


# ---- when satellites merge


def test_merging_times_have_the_published_values():
    """t over 0.1 / H for circularities 0.3, 0.5 and 0.8 at r_c = R."""
    law, eta = physics.BoylanKolchin08(), jnp.array([0.3, 0.5, 0.8])
    np.testing.assert_allclose(law(0.3, eta, 1.0), [1.246, 1.822, 3.222], rtol=1e-3)
    np.testing.assert_allclose(law(0.1, eta, 1.0), [3.178, 4.647, 8.218], rtol=1e-3)
    np.testing.assert_allclose(law(0.01, eta, 1.0), [32.9, 48.2, 85.2], rtol=2e-3)
    np.testing.assert_allclose(
        physics.Jiang08()(jnp.array([0.3, 0.1, 0.01]), 0.5, 1.0), [3.225, 5.917, 30.74], rtol=1e-3
    )


def test_medians_and_the_probability_to_have_merged_by_today():
    friction, ratios = physics.DynamicalFriction(), jnp.array([0.3, 0.1, 0.03])
    for z, medians in ((2.0, [1.21, 3.07, 9.97]), (1.0, [2.04, 5.19, 16.9]), (0.5, [2.75, 7.01, 22.7])):
        np.testing.assert_allclose(friction.median(ratios, 0.1 / PLANCK.hubble_rate(z)), medians, rtol=0.01)
    delay, unit = PLANCK.age(0.0) - PLANCK.age(1.0), 0.1 / PLANCK.hubble_rate(1.0)

    def merged(ln_factor):
        law = physics.DynamicalFriction(time=physics.BoylanKolchin08(factor=jnp.exp(ln_factor)))
        return law.merged(delay, law.median(0.1, unit))

    assert float(merged(0.0)) == pytest.approx(0.760, abs=2e-3)
    assert float(jax.grad(merged)(0.0)) == pytest.approx(-0.518, abs=2e-3)


def test_the_rate_of_merging_is_the_derivative_of_the_probability_and_finite_at_infall():
    friction = physics.DynamicalFriction()
    for delay in (0.3, 2.0, 9.0):
        numeric = (friction.merged(delay + 1e-6, 3.0) - friction.merged(delay - 1e-6, 3.0)) / 2e-6
        assert float(friction.rate(delay, 3.0)) == pytest.approx(float(numeric), rel=1e-6)
    for delay in (-1.0, 0.0, 1e-9):
        assert abs(float(friction.merged(delay, 3.0))) < 1e-15
        assert np.isfinite(jax.grad(lambda d, at=delay: friction.rate(at, d))(3.0))


# ---- what satellites hand over


TIME = jnp.asarray(np.geomspace(0.4, 13.8, 100))


def handed_over(holds, infall=(2.0, 5.0), median=(3.0, 1.0), process=None):
    """Curves of one host whose satellites hold the same, by what `_MEANS` lists."""
    number = len(infall)
    values = jnp.broadcast_to(jnp.array([holds[name] for name in _MEANS]), (number, len(_MEANS)))
    satellites = _Satellites(
        jnp.ones(number, bool), jnp.array(infall), jnp.array(median), jnp.full(number, 1e11), values
    )
    process = models.Merging() if process is None else process
    return _of_one_host(process, TIME, satellites, jnp.full(100, 1e12), jnp.linspace(1e11, 1e12, 100), TIME[0])[0]


HOLDS = dict(
    zip(_MEANS, (1e9, 2e9, 4e9, 1e7, 1e7, 2e7, 1.5, 0.3, 1e6), strict=True)  # used up in 1.5 Gyr, 0.3 of it as stars
)


def test_a_satellite_that_does_not_change_hands_over_what_it_holds_times_the_probability():
    curves = handed_over(HOLDS | {"exhaustion": 1e30})
    friction = physics.DynamicalFriction()
    merged, rate = (
        sum(law(TIME - infall, median) for infall, median in ((2.0, 3.0), (5.0, 1.0)))
        for law in (friction.merged, friction.rate)
    )
    for name, amount in zip(PLACES, (1e9, 2e9, 4e9), strict=True):
        total, slope = curves[f"satellite_{name}"]
        np.testing.assert_allclose(total, amount * merged, rtol=1e-12)
        np.testing.assert_allclose(slope, amount * rate * TIME, rtol=1e-12, atol=1e-12 * amount)


def test_satellites_use_up_their_gas_and_lose_nothing_on_the_way():
    curves = handed_over(HOLDS)
    steady = handed_over(HOLDS | {"exhaustion": 1e30})
    for kind in ("", "_metals"):
        names = [f"satellite_{place}{kind}" for place in PLACES]
        for entry in (0, 1):
            np.testing.assert_allclose(
                sum(curves[name][entry] for name in names), sum(steady[name][entry] for name in names), rtol=1e-9
            )
    names = ("satellite_stars", "satellite_ism")
    gained, lost = ((curves[name][0] - steady[name][0])[-1] for name in names)
    assert gained > 0.0 and lost < 0.0
    # All of the gas in the end: 0.3 of 6e9 Msun becomes stars.
    late = handed_over(HOLDS | {"exhaustion": 1e-3})
    assert float(late["satellite_stars"][0][-1] / steady["satellite_stars"][0][-1]) == pytest.approx(2.8, rel=1e-3)


def test_masses_that_drive_bursts_are_at_most_those_of_equals():
    heavy = handed_over(HOLDS | {"mstar": 1e15})["merging_mass"][0][-1]
    equal = handed_over(HOLDS | {"mstar": 1e12, "mism": 1.0})["merging_mass"][0][-1]
    assert float(heavy / equal) == pytest.approx(1.0)


def behroozi13(log_mass, z):
    """lg of mean stellar mass at halo mass (Behroozi, Wechsler & Conroy 2013, equation 3)."""
    a = 1.0 / (1.0 + z)
    nu = np.exp(-4.0 * a * a)
    pivot = 11.514 + (-1.793 * (a - 1.0) - 0.251 * z) * nu
    level = -1.777 - 0.006 * (a - 1.0) * nu - 0.119 * (a - 1.0)
    alpha, delta = -1.412 + 0.731 * (a - 1.0) * nu, 3.508 + (2.608 * (a - 1.0) - 0.043 * z) * nu
    gamma = 0.316 + (1.319 * (a - 1.0) + 0.279 * z) * nu

    def f(x):
        return -np.log10(10.0 ** (alpha * x) + 1.0) + delta * np.log10(1.0 + np.exp(x)) ** gamma / (
            1.0 + np.exp(10.0**-x)
        )

    return level + pivot + f(log_mass - pivot) - f(0.0)


@pytest.mark.parametrize(
    ("log_mass", "accreted", "merged"), [(12.0, 0.12, 0.08), (12.5, 0.38, 0.26), (13.0, 1.05, 0.80)]
)
def test_satellites_of_merger_trees_bring_the_stars_that_they_should(log_mass, accreted, merged):
    """Stars of all satellites, and of those that have merged, over those of a central of that mass.

    The numbers come from other trees of the same algorithm with the stellar masses of Behroozi et al. 2013 at infall.
    """
    halos = co.halos.monte_carlo_trees(60, key=3, log_mvir=(log_mass - 0.05, log_mass + 0.05))
    row, time, ratio = halos.mergers.to_list()
    z = np.asarray(halos.cosmology.redshift(time))
    host = np.array([np.interp(t, halos.time, halos.log_mvir[k]) for k, t in zip(row, time, strict=True)])
    stars = 10.0 ** behroozi13(host + np.log10(np.minimum(ratio, 1.0)), z)
    friction = physics.DynamicalFriction(scatter=0.55)
    median = friction.median(jnp.minimum(ratio, 1.0), 0.1 / halos.cosmology.hubble_rate(z))
    shares = np.asarray(friction.merged(halos.time[-1] - time, median))
    central = 10.0 ** behroozi13(log_mass, 0.0) * len(halos)
    assert stars.sum() / central == pytest.approx(accreted, rel=0.35)
    assert (stars * shares).sum() / central == pytest.approx(merged, rel=0.35)


# ---- means of galaxies


def test_means_follow_galaxies_and_go_on_as_power_laws():
    rng = np.random.default_rng(0)
    log_m, z = rng.uniform(10, 13, 3000), rng.uniform(0, 8, 3000)
    law = lambda m, z: 2.0 * m - np.log1p(z) - 0.5 * np.tanh(2.0 * (m - 11.5))  # noqa: E731
    values = np.stack([law(log_m, z), 0.0 * z], axis=-1) + rng.normal(0.0, 0.1, (3000, 2))
    values[:50] = np.nan
    means = fit_means(log_m, z, values, np.arange(3000) >= 50)
    for m in (10.3, 11.0, 11.5, 12.2, 12.8):
        np.testing.assert_allclose(means(jnp.array(m), jnp.array(2.0)), [law(m, 2.0), 0.0], atol=0.06)
    far, near, edge = (float(means(jnp.array(m), jnp.array(2.0))[0]) for m in (8.0, 9.0, 10.0))
    assert (near - far) == pytest.approx(edge - near, rel=1e-6) and 1.4 < near - far < 2.1


# ---- what hosts receive


@pytest.fixture(scope="module")
def model():
    return models.ThermalCGM(processes={"merging": models.Merging()})


@pytest.fixture(scope="module")
def drawn():
    return co.halos.monte_carlo_trees(12, key=2, log_mvir=(10.5, 13.0))


@pytest.fixture(scope="module")
def received(model, drawn):
    return with_mergers(model, drawn)


@pytest.mark.slow
def test_halos_grow_by_satellites_and_by_what_brings_gas(received):
    """Smooth growth and satellites add up to the growth of each halo that its satellites do not fill entirely."""
    time = jnp.asarray(np.geomspace(float(received.time[0]), float(received.time[-1]), 2000))
    halo = received.along(time)
    smooth = np.asarray(physics.merging.supply.smooth_growth(halo))
    begun = np.asarray(time)[None] >= np.asarray(received.start)[:, None]
    integral = np.trapezoid(np.where(begun, smooth * GYR_YR + np.asarray(halo.extras["resolved_growth"]), 0.0), time)
    grown = np.asarray(received.mvir[:, -1]) - np.array(
        [np.interp(start, received.time, mass) for start, mass in zip(received.start, received.mvir, strict=True)]
    )
    np.testing.assert_allclose(integral, grown, rtol=0.06)


@pytest.mark.slow  # a minute of compiling; whole trees are checked in test_closure.py
def test_a_host_receives_exactly_what_its_satellites_hand_over(model, received):
    """Whatever the knots: integrals of what arrives are the running totals, and all currencies close."""
    some = received[np.array([4, 10])]
    budget = co.sensitivity.budgets(model, some, [0.0], solver=co.numerics.LaneSolver(tolerance=1e-9))
    assert max(budget.closure().values()) < 1e-6
    baryons = some.cosmology.baryon_fraction * some.final_mvir
    curve = lambda name: np.array(  # noqa: E731
        [c[-1] - np.interp(s, some.time, c) for c, s in zip(some.extras[name].values, some.start, strict=True)]
    )
    for name in ("ism", "cgm"):
        total = budget.mass_flows.sel(flow=f"arriving_{name}", redshift=0.0).values * baryons
        np.testing.assert_allclose(total, curve(f"satellite_{name}"), rtol=1e-5)
    stars = sum(budget.mass_flows.sel(flow=f"arriving_{name}", redshift=0.0).values for name in ("stars", "icl"))
    np.testing.assert_allclose(stars * baryons, curve("satellite_stars"), rtol=1e-5)


def test_what_was_worked_out_before_does_not_matter(model, received):
    again = with_mergers(model, received)
    np.testing.assert_array_equal(again.extras["satellite_stars"].values, received.extras["satellite_stars"].values)


def test_a_second_pass_adds_what_satellites_of_satellites_brought(model, drawn, received):
    first = with_mergers(model, drawn, passes=1)
    one, two = (np.asarray(halos.extras["satellite_stars"].values)[:, -1] for halos in (first, received))
    assert np.all(two > 0.0) and 0.01 < np.median(np.abs(np.log10(two / one))) < 0.6


@pytest.mark.slow
def test_passes_converge(model, drawn, received):
    """Hosts of satellites that had satellites: each pass changes stars less than half as much as the one before."""
    first, third = (with_mergers(model, drawn, passes=number) for number in (1, 3))
    stars = [np.log10(np.asarray(co.evolve(model, h, [0.0])["mstar"][:, 0])) for h in (first, received, third)]
    change, last = (np.median(np.abs(np.diff(stars, axis=0)), axis=1)).tolist()
    assert 0.01 < change < 0.4 and last < 0.5 * change


def test_stars_of_satellites_are_counted_apart(model, received):
    galaxies = co.evolve(model, received, [0.0]).at(0.0)
    assert np.all(galaxies.valid)
    share = np.asarray(galaxies["maccreted"] / galaxies["mstar"])
    assert np.all((share > 0.0) & (share < 1.0)) and share.max() > 0.3
    handed = np.asarray(received.extras["satellite_stars"].values[:, -1])
    np.testing.assert_allclose(galaxies["maccreted"], 0.6 * handed, rtol=1e-2)
    np.testing.assert_allclose(galaxies["micl"], 0.4 * handed, rtol=1e-2)
    assert np.all(np.asarray(galaxies["burst_sfr"]) >= 0.0)


def test_bursts_and_their_winds_empty_the_ism_no_faster_than_stars_and_winds_may():
    """With loadings of thousands, as in small halos at high redshift, and unchanged where loadings are small."""
    none = {f"satellite_{place}{kind}": jnp.zeros(()) for place in PLACES for kind in ("", "_metals")}
    for loading in (3e4, 1.0):
        consumed = {}
        for emptying in (physics.GradualEmptying(), physics.UnlimitedEmptying()):
            merging = {"merging": models.Merging(emptying=emptying)}
            model = models.ThermalCGM(mass_loading=physics.ConstantLoading(loading), processes=merging)
            state, halo = draw_galaxy(model, np.random.default_rng(2))
            driven = {"merging_bursts": 0.5 * (state.mstar + state.mism) ** 0.7}  # 0.5/Gyr of a merger of equals
            halo = halo._replace(extras=co.halos.Extras(none | driven))
            fluxes = model.fluxes(state, model.forcing(halo, COSMOLOGY))
            rates = {name: float(GYR_YR * fluxes.flows[name].mass / state.mism) for name in ("burst", "burst_wind")}
            consumed[type(emptying)] = sum(rates.values())
            assert float(fluxes.diagnostics["burst_sfr"]) == pytest.approx(
                rates["burst_wind"] * float(state.mism) / GYR_YR / loading, rel=1e-9
            )
        limited, unlimited = consumed.values()
        if loading > 1e3:
            assert limited <= 100.0 < 1e3 < unlimited
        else:
            locked = 1.0 - float(models.ThermalCGM().stellar_return.recycled_fraction)
            assert unlimited == pytest.approx(0.5 * 0.56 * (locked + 1.0), rel=1e-9)
            assert limited == pytest.approx(unlimited, rel=1e-5)


def test_without_mergers_the_galaxy_is_that_of_the_model_alone(model, drawn):
    """Bit for bit in every rate of change; trajectories differ by the steps that the further reservoirs ask for."""
    bare = models.ThermalCGM()
    none = {name: (jnp.zeros(drawn.log_mvir.shape),) * 2 for name in _CURVES}
    quiet = with_curves(drawn, none, {"smooth_share": jnp.ones(len(drawn))})
    halo = jax.tree.map(lambda values: values[0], quiet.at(redshift=1.0))
    state, _ = draw_galaxy(bare, np.random.default_rng(1))
    further = {"micl": jnp.asarray(1e5), "mzicl": jnp.asarray(1e3), "maccreted": jnp.asarray(1e5)}
    full = model.ledger.state(**state._asdict(), **further)
    rates = derivative(model, full, model.forcing(halo, COSMOLOGY))
    alone = derivative(bare, state, bare.forcing(halo._replace(extras=co.halos.Extras()), COSMOLOGY))
    for name in alone._fields:
        assert float(getattr(rates, name)) == float(getattr(alone, name)), name
    assert all(float(getattr(rates, name)) == 0.0 for name in further)


@pytest.mark.slow
def test_derivatives_pass_through_merging_times(model, drawn):
    """d (stars handed over) / d ln (merging time), through both passes, against differences."""
    some, accurate = drawn[np.array([4, 10])], co.numerics.LaneSolver(tolerance=1e-10, max_steps=20_000)

    def stars(ln_factor):
        changed = co.replace(model, {"processes.merging.friction.time.factor": jnp.exp(ln_factor)})
        return with_mergers(changed, some, solver=accurate).extras["satellite_stars"].values[:, -1]

    exact = jax.jvp(stars, (0.0,), (1.0,))[1]
    near, far = (stars(h) - stars(-h) for h in (1e-2, 2e-2))
    numeric = (8.0 * near - far) / 12e-2
    np.testing.assert_allclose(exact, numeric, rtol=1e-5)


# ---- black holes


def test_mergers_feed_black_holes_with_the_published_masses():
    """f q M_ism / [1 + (V0/V)^2] for q = 0.3 and 10^10 Msun of gas."""
    curves = {"merging_mass": jnp.asarray(0.3 * 2e10)}  # all of a merger of 0.3 of the galaxy in 1 Gyr
    for law, grown in (
        (physics.MergerFeeding(share=0.015, velocity=280.0), (5.1e6, 1.52e7, 3.0e7)),
        (physics.MergerFeeding(share=0.041, velocity=750.0), (2.1e6, 8.2e6, 2.7e7)),
    ):
        for vvir, mass in zip((100.0, 200.0, 400.0), grown, strict=True):
            halo = co.halos.Halo(6.0, 1.0, 1e12, 200.0, vvir, 8.0, 30.0, extras=co.halos.Extras(curves))
            state = type("State", (), {"mstar": jnp.asarray(1e10), "mism": jnp.asarray(1e10)})
            assert float(law(physics.Galaxy(state, halo, {}, {}))) * GYR_YR == pytest.approx(mass, rel=0.03)


# ---- mistakes


def test_what_is_missing_is_named(model, drawn):
    with pytest.raises(ValueError, match="ThermalCGM has no process Merging"):
        with_mergers(models.ThermalCGM(), drawn)
    with pytest.raises(ValueError, match="these halos come without mergers"):
        with_mergers(model, dataclasses.replace(drawn, mergers=None))
    with pytest.raises(ValueError, match="use population.with_mergers"):
        co.evolve(model, drawn, [0.0])
    with pytest.raises(ValueError, match="needs a reservoir of black_hole mass"):
        models.ThermalCGM(processes={"holes": models.BlackHoleMergers()})
