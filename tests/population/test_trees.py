"""Galaxies of whole trees: what satellites hand over, what hosts receive, and that nothing is lost on the way."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from bathtub import with_satellites
from corundum import models, physics
from corundum.halos.satellites.links import levels_and_roots
from corundum.models import derivative
from corundum.models.processes.satellites.handing_over import SINKS
from corundum.physics.merging.dynamical_friction import merged_share
from corundum.population.arrivals import between_knots
from corundum.units import GYR_YR
from library import COSMOLOGY, draw_galaxy

SMALLEST = 1  # of the trees of the forest
EXACT = co.numerics.LaneSolver(tolerance=1e-7, max_steps=20_000)


@pytest.fixture(scope="module")
def forest():
    return co.halos.monte_carlo_forest(3, log_mvir=(12.0, 12.6), smallest=0.03, smallest_log_mvir=9.0, key=4)


@pytest.fixture(scope="module")
def model():
    return with_satellites(ram_pressure=models.RamPressure(), tides=models.TidalStripping())


@pytest.fixture(scope="module")
def population(model, forest):
    return co.evolve(model, forest, [0.0, 1.0], solver=EXACT)


def settled(model):
    """The same model, whose galaxies do nothing but hand over and receive."""
    passing = {"arriving_stars", "arriving_icl", "arriving_ism", "arriving_cgm"}
    names = [name for name in model.ledger.names if name not in passing and not name.startswith("handing_")]
    return dataclasses.replace(model, channels={**model.channels, **dict.fromkeys(names, 0.0)})


# ---- what satellites hand over


def test_a_satellite_that_does_not_change_hands_over_what_it_holds_times_the_probability(model, forest):
    """Whatever the knots: a galaxy without satellites of its own, and hosts that receive exactly that."""
    galaxies = co.evolve(settled(model), forest, [0.0, 1.0], solver=EXACT)
    host, infall = np.asarray(forest.host), np.asarray(forest.satellites.infall)
    leaf = ~np.isin(np.arange(len(host)), host)
    for place in ("stars", "ism", "cgm"):
        field = "mstar" if place == "stars" else f"m{place}"
        handed = np.asarray(galaxies[f"handed_{place}"])
        expected = np.asarray(galaxies[field]) * np.asarray(galaxies["merged"])
        np.testing.assert_allclose(handed[leaf], expected[leaf], rtol=1e-5, atol=1.0)
    assert np.any(leaf & np.isfinite(infall)) and np.any(np.asarray(galaxies["merged"])[leaf] > 0.3)
    # Gas around the galaxy: what a central holds at the end beyond what it started with is what its satellites brought.
    level, _ = levels_and_roots(host)
    for row in np.flatnonzero(level == 0):
        halo = jax.tree.map(lambda values, row=row: values[row], forest.at(time=float(forest.start[row])))
        gained = float(galaxies["mcgm"][row, 0]) - float(model.initial(halo, forest.cosmology).mcgm)
        brought = np.asarray(galaxies["handed_cgm"])[host == row, 0].sum()
        assert gained == pytest.approx(brought, rel=1e-5)


def test_stars_between_galaxies_are_exactly_what_satellites_left_there(model, forest, population):
    """The arrivals that a host integrates are what its satellites hand over, to the tolerance of the solver."""
    host, today = np.asarray(forest.host), population.at(0.0)
    level, _ = levels_and_roots(host)
    for row in np.flatnonzero(level == 0):
        own = host == row
        expected = 0.4 * np.asarray(today["handed_stars"])[own].sum() + np.asarray(today["handed_icl"])[own].sum()
        assert float(today["micl"][row]) == pytest.approx(expected, rel=2e-4)
        assert float(today["maccreted"][row]) == pytest.approx(
            0.6 * np.asarray(today["handed_stars"])[own].sum(), rel=2e-4
        )


def test_what_is_inside_and_what_is_handed_over_change_by_what_crosses_the_boundary():
    """d[(1 - Phi) X] + dH = (1 - Phi) (gain from outside) + arrivals, at any moment and for both currencies."""
    model = models.ThermalCGM(
        processes={
            "merging": models.Merging(), "handing_over": models.HandingOver(), "recycling": models.HaloRecycling(),
            "black_hole": models.BlackHole(), "arriving_black_holes": models.BlackHoleMergers(),
            "late_metals": models.DelayedEnrichment(),
            "ram_pressure": models.RamPressure(),
            "tides": models.TidalStripping(),
            "tidal_gas": models.TidalGasStripping(),
        }
    )  # fmt: skip
    rng = np.random.default_rng(3)
    for part in (0.1, 0.5, 0.9):
        state, halo = draw_galaxy(model, rng)
        state = state._replace(bound_share=jnp.asarray(1.0 - part))
        delay = part * float(halo.time)
        curves = {f"satellite_{sink}": jnp.asarray(rng.uniform(1e6, 1e8)) for sink in SINKS}
        curves |= {"merging_bursts": jnp.asarray(1e5), "merging_mass": jnp.asarray(1e7)}
        curves |= {"infall_age": jnp.asarray(halo.time - delay), "merging_time": jnp.asarray(0.5 * delay)}
        curves |= {"log_host_mvir": jnp.asarray(13.5), "log_host_rvir": jnp.asarray(2.8)}
        curves |= {"log_host_cgm": jnp.asarray(12.5), "merging_scatter": jnp.asarray(0.6)}
        halo = halo._replace(extras=co.halos.Extras(curves))
        flows = model.fluxes(state, model.forcing(halo, COSMOLOGY)).flows
        slope, outside = model.ledger.derivative(flows), model.ledger.exchange(flows)
        merged, rate = physics.merging.satellites.has_merged(halo)
        for kind in ("mass", "metals"):
            fields = [field for (currency, _), field in model.ledger.contents.items() if currency == kind]
            sinks = [sink for sink in SINKS if sink.endswith("_metals") == (kind == "metals")]
            inside = sum((1.0 - merged) * getattr(slope, f) - rate * getattr(state, f) for f in fields)
            handed = sum(getattr(slope, f"handed_{sink}") for sink in sinks)
            arrived = sum(curves[f"satellite_{sink}"] for sink in sinks)
            # What leaves the halo of a satellite is its host's, and is no loss to the outside.
            torn_off = (
                "outflow_to_host", "ram_pressure_cgm", "ram_pressure_ism", "tidal_stars", "tidal_ism", "tidal_cgm",
            )  # fmt: skip
            lost = (1.0 - merged) * sum(getattr(flows[name], kind) for name in torn_off) * GYR_YR
            assert all(float(getattr(flows[name], kind)) >= 0.0 for name in torn_off)
            gained = -sum(v for key, v in outside.items() if key[0] == kind and key[1] != "arriving")
            balance = (1.0 - merged) * gained + lost + arrived
            assert float(inside + handed) == pytest.approx(float(balance), rel=1e-9, abs=1e-6 * float(handed))


def test_without_satellites_the_galaxy_is_that_of_the_model_alone():
    """Bit for bit in every rate of change."""
    model = models.ThermalCGM(processes={"merging": models.Merging(), "handing_over": models.HandingOver()})
    bare = models.ThermalCGM(processes={"merging": models.Merging()})
    state, halo = draw_galaxy(bare, np.random.default_rng(1))
    none = {name: jnp.zeros(()) for name in (*(f"satellite_{sink}" for sink in SINKS), "merging_bursts")}
    halo = halo._replace(extras=co.halos.Extras(none))
    alone = derivative(bare, state, bare.forcing(halo, COSMOLOGY))
    full = model.ledger.state(**{name: jnp.zeros(()) for name in model.ledger.state._fields} | state._asdict())
    never = {"infall_age": jnp.asarray(1e4), "merging_time": jnp.asarray(1.0), "merging_scatter": jnp.asarray(0.6)}
    for further in ({}, never):
        central = halo._replace(extras=co.halos.Extras(none | further))
        rates = derivative(model, full, model.forcing(central, COSMOLOGY))
        for name in rates._fields:
            expected = float(getattr(alone, name, 0.0))
            assert float(getattr(rates, name)) == expected or name.startswith("handed_") and further, name
            assert abs(float(getattr(rates, name)) - expected) < 1e-30, name


def test_totals_are_read_between_their_knots_as_the_same_cubics():
    ln_time = np.linspace(-1.0, 2.6, 40)
    knots = np.arange(40)[::-2][::-1]
    to_values, to_slopes = between_knots(ln_time, knots)
    total = merged_share(np.exp(ln_time) - 0.5, 2.0, 0.6)
    slope = np.gradient(np.asarray(total), ln_time)
    at = (np.asarray(total)[knots], slope[knots])
    read = at[0] @ to_values[0] + at[1] @ to_values[1]
    np.testing.assert_allclose(read[knots], at[0], rtol=1e-14)
    np.testing.assert_allclose((at[0] @ to_slopes[0] + at[1] @ to_slopes[1])[knots], at[1], rtol=1e-12, atol=1e-15)
    assert np.max(np.abs(read - np.asarray(total))) < 0.02


# ---- populations


def test_galaxies_count_as_far_as_they_have_not_merged(forest, population):
    level, root = levels_and_roots(forest.host)
    today = population.at(0.0)
    np.testing.assert_allclose(
        today.weights, np.asarray(population.weights) * (1.0 - np.asarray(today["merged"])), rtol=1e-9
    )
    assert np.all(np.asarray(today.weights)[level == 0] == 1.0) and population.survival.shape == (len(forest), 2)
    np.testing.assert_array_equal(today.host, forest.host)
    # Hosts are counted among the chosen galaxies.
    last = np.flatnonzero(np.asarray(forest.host) >= 0)[-1]
    pair = population[[int(forest.host[last]), int(last)]]
    assert pair.host.tolist()[1] == 0 and pair.at(0.0)[1:].host.tolist() == [-1]
    satellite = np.asarray(today["satellite"])
    assert np.all(satellite[level == 0] < 1e-12) and np.median(satellite[level > 0]) > 0.99
    assert np.all(np.asarray(population.valid)[level == 0]) and population.status_counts() == {"solved": len(forest)}
    # Satellites do not grow any more: their gas becomes stars, or leaves for the halo of their host.
    early = np.asarray(forest.satellites.infall) < 5.0
    assert np.all(np.asarray(today["growth"])[early] * 1e9 < 1e-2 * np.asarray(today["mvir"])[early])


def test_histories_come_back_at_the_times_asked_for(model, forest, population):
    times = np.geomspace(0.5, 13.7, 7)
    some = co.evolve(model, forest, [0.0, 1.0], solver=EXACT, histories=("mstar",), history_times=times)
    np.testing.assert_allclose(some["mstar"], population["mstar"], rtol=1e-4)
    assert some.history("mstar").shape == (len(forest), 7) and set(some.histories.values) == {"mstar"}
    np.testing.assert_allclose(some.histories.times, times)


def test_trees_do_not_depend_on_each_other(model, forest, population):
    one = co.halos.select_trees(forest, 1)
    galaxies = co.evolve(model, one, [0.0, 1.0], solver=EXACT)
    _, root = levels_and_roots(forest.host)
    rows = root == np.flatnonzero(np.asarray(forest.host) < 0)[1]
    np.testing.assert_allclose(galaxies["mstar"], np.asarray(population["mstar"])[rows], rtol=1e-9)


@pytest.mark.slow
def test_derivatives_pass_through_merging_times_and_levels(model, forest):
    """Of merging times, stripping and mass loading at once, against differences."""
    tree, accurate = co.halos.select_trees(forest, SMALLEST), co.numerics.LaneSolver(tolerance=1e-10, max_steps=20_000)
    level, _ = levels_and_roots(tree.host)
    assert level.max() >= 2 and len(tree) <= 32

    def masses(x):
        changes = {
            "processes.merging.friction.time.factor": jnp.exp(x[0]),
            "processes.ram_pressure.resistance": jnp.exp(x[0]),
            "processes.tides.strength": 0.86 * jnp.exp(x[1]),
            "loading": 1.6 * jnp.exp(x[1]),
        }
        galaxies = co.evolve(co.replace(model, changes), tree, [0.0, 1.0], solver=accurate)
        return jnp.log(jnp.stack([galaxies["mstar"][0], galaxies["mcgm"][0], galaxies["micl"][0]]))

    point, direction = jnp.zeros(2), jnp.array([1.0, 0.4])
    exact = jax.jvp(masses, (point,), (direction,))[1]
    near, far = (masses(h * direction) - masses(-h * direction) for h in (1e-2, 2e-2))
    np.testing.assert_allclose(exact, (8.0 * near - far) / 12e-2, rtol=1e-5, atol=2e-6)


def test_centrals_and_satellites_are_counted_apart_and_add_up(population):
    today = population.at(0.0)
    parts = [np.asarray(galaxies.weights) for galaxies in (today.centrals, today.satellites)]
    np.testing.assert_allclose(parts[0] + parts[1], today.weights, rtol=1e-12)
    # Each bin holds the densities of both.
    edges = np.linspace(7.0, 12.0, 6)
    counts = [
        np.histogram(np.log10(today["mstar"]), edges, weights=part)[0] for part in (*parts, np.asarray(today.weights))
    ]
    np.testing.assert_allclose(counts[0] + counts[1], counts[2], rtol=1e-12)
    assert counts[1].sum() > 0.0
    with pytest.raises(KeyError, match="satellite"):
        len(dataclasses.replace(today, values={"mstar": today["mstar"]}).centrals)


def test_populations_with_satellites_come_back_from_files(population, tmp_path):
    import h5py

    from corundum.io.galaxies import read_population, write_population

    with h5py.File(tmp_path / "galaxies.h5", "w") as file:
        write_population(file.create_group("galaxies"), population)
        back = read_population(file["galaxies"])
    np.testing.assert_array_equal(back.at(1.0).weights, population.at(1.0).weights)
    np.testing.assert_array_equal(back.survival, population.survival)
    np.testing.assert_array_equal(back.host, population.host)


# ---- mistakes


def test_what_is_missing_is_named(model, forest):
    with pytest.raises(ValueError, match="have satellites and ThermalCGM has no process Merging"):
        co.evolve(models.ThermalCGM(), forest, [0.0])
    alone = models.ThermalCGM(processes={"merging": models.Merging()})
    with pytest.raises(ValueError, match="ThermalCGM has no process HandingOver"):
        co.evolve(alone, forest, [0.0])
    with pytest.raises(ValueError, match="satellites act on their hosts"):
        co.sensitivity.budgets(model, forest, [0.0])
    with pytest.raises(ValueError, match="must be known before JAX traces"):
        jax.jit(lambda halos: co.evolve(model, halos, [0.0])["mstar"])(forest)
