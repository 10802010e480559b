"""Parts of a population: quantities that are kept, histories, words and tables."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from astropy import units

import corundum as co
from corundum.numerics import LaneSolver
from growing import Growing

MODEL = Growing()
SOLVER = LaneSolver(tolerance=1e-8)


@pytest.fixture(scope="module")
def whole(halos):
    return co.evolve(MODEL, halos, [0.0, 2.0], solver=SOLVER)


@pytest.fixture(scope="module")
def recorded(halos):
    return co.evolve(MODEL, halos, [0.0, 2.0], histories=("sfr", "mstar"), solver=SOLVER)


# What is kept


def test_only_what_is_asked_for_is_kept(halos, whole):
    part = co.evolve(MODEL, halos, [0.0, 2.0], keep=("sfr", "mstar", "wind"), solver=SOLVER)
    assert set(part.values) == set(part.quantities) == {"sfr", "mstar"} and set(part.flows) == {"wind"}
    # Another program, with round-off of its own that may change a step.
    np.testing.assert_allclose(part["mstar"], whole["mstar"], rtol=1e-8)
    np.testing.assert_allclose(part.flows["wind"].mass, whole.flows["wind"].mass, rtol=1e-8)
    assert set(part.at(2.0).values) == {"sfr", "mstar"}
    with pytest.raises(KeyError, match="no quantity 'mism': .*there are mstar, sfr"):
        part["mism"]
    assert part.halo.mvir is None and part.state.mism is None

    def kept(keep):  # traced, and not compiled
        return set(jax.eval_shape(lambda halos: dict(co.evolve(MODEL, halos, keep=keep).values), halos))

    assert kept(()) == set() and kept("sfr") == {"sfr"}


def test_a_compiled_program_returns_only_what_is_kept(halos):
    def outputs(keep):
        shapes = jax.eval_shape(lambda halos: co.evolve(MODEL, halos, [0.0, 2.0], keep=keep), halos)
        return sum(leaf.size for leaf in jax.tree.leaves(shapes))

    assert outputs(("mstar",)) < 0.4 * outputs(None)


def test_unknown_quantities_are_refused(halos):
    with pytest.raises(ValueError, match="keep: unknown quantity 'mstr' of Growing: did you mean mstar"):
        co.evolve(MODEL, halos, keep=("mstr",))
    with pytest.raises(ValueError, match="histories: unknown quantity 'wind' of Growing: .*there are time, redshift"):
        co.evolve(MODEL, halos, histories=("wind",))
    with pytest.raises(ValueError, match="history_times: got times but no quantity; name some in histories"):
        co.evolve(MODEL, halos, history_times=[1.0])
    with pytest.raises(ValueError, match="history_times: got 20; these histories cover .* Gyr; ask for history_times"):
        co.evolve(MODEL, halos, histories=("sfr",), history_times=[1.0, 20.0])


# Histories


def test_a_history_is_the_population_at_other_redshifts(halos, recorded):
    times = recorded.histories.times
    assert times.shape == (64,) and np.all(np.diff(times) > 0) and recorded.history("sfr").shape == (10, 64)
    some = np.array([20, 40, 60])
    apart = co.evolve(MODEL, halos, halos.cosmology.redshift(times[some]), solver=SOLVER)
    np.testing.assert_allclose(recorded.history("sfr")[:, some], apart["sfr"], rtol=1e-6)
    np.testing.assert_allclose(recorded.history("mstar")[:, -1], recorded["mstar"][:, 0], rtol=1e-9)


def test_a_history_is_read_at_any_time(halos, recorded):
    ages = halos.cosmology.age(jnp.array([2.0, 0.5]))
    apart = co.evolve(MODEL, halos, [2.0, 0.5], solver=SOLVER)
    np.testing.assert_allclose(recorded.history("mstar", ages), apart["mstar"], rtol=2e-3)
    own = co.evolve(MODEL, halos, histories=("mstar",), history_times=[float(ages[1]), float(ages[0])], solver=SOLVER)
    np.testing.assert_allclose(own.histories.times, ages, rtol=1e-12)
    np.testing.assert_allclose(own.history("mstar"), apart["mstar"], rtol=1e-6)
    with pytest.raises(ValueError, match=r"times: got 0.1 Gyr; these histories cover .* to 13.81 Gyr"):
        recorded.history("sfr", [0.1])
    with pytest.raises(KeyError, match="no history of 'mism': .*there are mstar, sfr"):
        recorded.history("mism")


def test_galaxies_have_a_past_and_no_future(halos, recorded):
    galaxies = recorded.at(2.0)
    age = float(halos.cosmology.age(2.0))
    times, sfr = galaxies.history_times, galaxies.history("sfr")
    assert sfr.shape == (10, 64) and float(times[-1]) == pytest.approx(age) and np.all(np.isfinite(sfr))
    # All stars formed: no stars leave this model's galaxies, and the seed is small.
    formed = 1e9 * np.trapezoid(sfr, times, axis=1) + recorded.history("mstar")[:, 0]
    np.testing.assert_allclose(formed, galaxies["mstar"], rtol=3e-3)
    with pytest.raises(ValueError, match="times: got 13 Gyr; these histories cover"):
        galaxies.history("sfr", [13.0])


@pytest.mark.parametrize(
    "derivative",
    [pytest.param(jax.jacfwd, id="forward"), pytest.param(jax.jacrev, id="reverse", marks=pytest.mark.slow)],
)
def test_histories_begin_when_the_halo_does_and_have_derivatives(halos, derivative):
    late = co.halos.HaloHistories(halos.time, halos.log_mvir, halos.log_concentration, start=np.full(10, 4.0))
    population = co.evolve(MODEL, late, histories=("sfr",), solver=SOLVER)
    np.testing.assert_array_equal(np.isnan(population.history("sfr")[0]), np.asarray(population.histories.times) < 4.0)

    def formed(loading):
        galaxies = co.evolve(co.replace(MODEL, {"loading": loading}), late, histories=("sfr",), solver=SOLVER).at(0.0)
        sfr = galaxies.history("sfr")
        return jnp.sum(jnp.where(jnp.isfinite(sfr), sfr, 0.0))

    numeric = (formed(2.01) - formed(1.99)) / 0.02
    np.testing.assert_allclose(jax.jit(derivative(formed))(2.0), numeric, rtol=1e-3)


def test_a_history_that_was_not_kept_is_asked_for_in_one_sentence(whole):
    for source in (whole, whole.at(0.0)):
        with pytest.raises(KeyError, match=r"no history was kept; name the quantities in evolve\(..., histories="):
            source.history("sfr")


def test_chunks_do_not_change_histories(halos, recorded):
    chunked = co.evolve(MODEL, halos, [0.0, 2.0], histories=("sfr", "mstar"), chunk=2, solver=SOLVER)
    np.testing.assert_allclose(chunked.history("sfr"), recorded.history("sfr"), rtol=1e-10)


def test_parts_of_a_population_are_saved(halos, recorded, tmp_path):
    part = co.evolve(MODEL, halos, [0.0, 2.0], keep=("mstar",), histories=("sfr",), solver=SOLVER)
    for population in (recorded, part):
        co.save(tmp_path / "galaxies.h5", population)
        loaded = co.load(tmp_path / "galaxies.h5").population
        assert set(loaded.values) == set(population.values) and loaded.quantities == population.quantities
        np.testing.assert_array_equal(loaded.history("sfr", [3.0, 9.0]), population.history("sfr", [3.0, 9.0]))
        np.testing.assert_array_equal(loaded.at(2.0)["mstar"], population.at(2.0)["mstar"])


# Words


def test_a_population_prints_as_a_few_lines(recorded):
    text = str(recorded)
    assert text.splitlines() == [
        "Population of 10 halos",
        "  redshifts  0, 2",
        "  solves     10 solved",
        "  quantities time, redshift, mvir, rvir, vvir, concentration, growth, deepening ... (11 in all)",
        "  flows      inflow, star_formation, wind",
        "  histories  mstar, sfr at 64 times",
    ]
    assert repr(recorded) == "Population(10 halos at z = 0, 2)"
    assert repr(recorded.at(2.0)) == "Galaxies(10 galaxies at z = 2)"
    assert len(str(recorded.at(2.0)).splitlines()) < 10 and "mstar" in str(recorded.at(2.0))
    page = recorded._repr_html_()
    assert page.startswith("<table>") and "z = 2" in page and "array" not in page
    jax.eval_shape(lambda population: print(population, repr(population.at), population._repr_html_()), recorded)


# Tables


def test_tables_carry_every_quantity_and_its_unit(recorded):
    frame = recorded.to_pandas()
    assert frame.index.names == ["halo", "redshift"] and len(frame) == 20
    np.testing.assert_array_equal(frame["mstar"].xs(2.0, level="redshift"), recorded.at(2.0)["mstar"])
    assert frame.attrs["units"]["sfr"] == "Msun/yr" and frame["valid"].all() and frame["weight"].eq(1.0).all()
    data = recorded.to_xarray()
    np.testing.assert_array_equal(data["mism"].sel(redshift=2.0), recorded.at(2.0)["mism"])
    np.testing.assert_array_equal(data["sfr_history"], recorded.history("sfr"))
    assert data["flow_wind_mass"].attrs["units"] == "Msun/yr" and data["mstar"].attrs["long_name"] == "stellar mass"
    table = recorded.to_astropy()
    mass = recorded["mstar"].ravel()
    np.testing.assert_allclose(table["mstar"].to_value("kg"), mass * 1.988409870698051e30, rtol=1e-6)
    assert list(table["redshift"][:2]) == [0.0, 2.0] and table["halo"][3] == 1


def test_tables_of_one_redshift(recorded):
    galaxies = recorded.at(2.0)
    assert list(galaxies.to_pandas().index) == list(range(10)) and galaxies.to_pandas().attrs["redshift"] == 2.0
    assert galaxies.to_xarray()["mstar"].dims == ("halo",) and float(galaxies.to_xarray()["redshift"]) == 2.0
    assert str(galaxies.to_astropy()["vvir"].unit) == "km / s"


def test_every_unit_of_a_model_is_one_of_astropy(population):
    assert set(population.values) - {"redshift"} < set(population.to_astropy().colnames)


def test_a_missing_package_is_named(recorded, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"to_pandas needs pandas, which is not installed; pip install 'corundum\["):
        recorded.to_pandas()


@pytest.mark.wrong_types
def test_redshifts_in_single_precision_or_with_units_are_matched(halos):
    halos = halos[:1]
    population = co.evolve(MODEL, halos, np.float32([0.1, 1.0]), solver=SOLVER)
    assert population.at(0.1)["mstar"][0] == population["mstar"][0, 0]
    assert population.at(np.float32(0.1)).redshift == population.redshifts[0]
    with pytest.raises(ValueError, match=r"redshift 0.1001 was not kept: this population has 0.10000000\d+, 1; "):
        population.at(0.1001)
    with pytest.raises(ValueError, match="redshifts: 1 of 2 values are hidden"):
        co.evolve(MODEL, halos, np.ma.array([0.0, 2.0], mask=[0, 1]))
    with pytest.raises(ValueError, match="redshifts: got a quantity in Gyr"):
        co.evolve(MODEL, halos, [5.0] * units.Gyr)


def test_galaxies_at_one_redshift_carry_their_flows(population):
    galaxies = population.at(2.0)
    assert set(galaxies.flows) == set(population.flows)
    column = population.redshifts.tolist().index(2.0)
    np.testing.assert_array_equal(galaxies.flows["wind"].mass, population.flows["wind"].mass[:, column])
    assert galaxies.flows["star_formation"].energy is None
    frame = galaxies.to_pandas()
    np.testing.assert_array_equal(frame["flow_cooling_mass"], population.flows["cooling"].mass[:, column])
    assert frame.attrs["units"]["flow_cooling_mass"] == "Msun/yr"
