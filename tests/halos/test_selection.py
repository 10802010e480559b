"""Selecting halos and weighting them, and population statistics from the weights."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corundum as co
from corundum import halos as H
from corundum import observables as O
from corundum.halos.selection import FARTHEST
from corundum.halos.trees.neighbours import nearest_heavier
from corundum.population import Galaxies
from synthetic import histories, population


@pytest.fixture(scope="module")
def volume():
    """Halos as a simulation has them: ten times as many a decade of mass below."""
    rng = np.random.default_rng(0)
    masses = 10.0 - np.log10(1.0 - rng.uniform(size=4000) * (1.0 - 10.0**-2.0))
    halos = histories(4000)
    shift = (masses - np.asarray(halos.log_mvir[:, -1]))[:, None]
    made = H.HaloHistories(halos.time, halos.log_mvir + shift, halos.log_concentration, cosmology=halos.cosmology)
    return H.volume_weights(made, 1000.0)


def test_even_selection_is_even_and_keeps_sums(volume):
    some = H.select_evenly(volume, 600, log_mvir=(10.0, 11.5), key=3)
    final = np.asarray(some.log_mvir[:, -1])
    counts, _ = np.histogram(final, 6, (10.0, 11.5))
    # The few most massive halos are all taken; elsewhere every bin holds the same number.
    assert counts[:4].std() < 0.25 * counts[:4].mean()
    inside = H.select_by_mass(volume, 10.0, 11.5)
    for low in (10.0, 10.6):
        every = np.asarray(inside.log_mvir[:, -1]) >= low
        np.testing.assert_allclose(np.sum(some.weights[final >= low]), np.sum(inside.weights[every]), rtol=0.06)
    assert len(np.unique(np.asarray(some.log_mvir), axis=0)) == 600
    assert "600 of " in dict(some.provenance)["selection"]


def test_selection_by_weight_follows_the_mass_function(volume):
    """Even halos with number densities as weights become a sample as the universe has them."""
    even = H.abundance_weights(histories(3000, seed=1))
    some = H.select_by_weight(even, 60, log_mvir=(10.2, 11.8), key=2)
    inside = H.select_by_mass(even, 10.2, 11.8)
    weights, final = np.asarray(some.weights), np.asarray(some.log_mvir[:, -1])
    np.testing.assert_allclose(weights, np.sum(inside.weights) / 60, rtol=1e-9)
    for low, high in ((10.2, 10.5), (10.5, 11.0)):
        every = (inside.log_mvir[:, -1] >= low) & (inside.log_mvir[:, -1] < high)
        here = (final >= low) & (final < high)
        np.testing.assert_allclose(np.sum(weights[here]), np.sum(inside.weights[every]), rtol=0.1)
    assert "in proportion to their weights" in dict(some.provenance)["selection"]
    heavy = dataclasses.replace(volume[:20], weights=jnp.ones(20).at[3].set(1e3))
    drawn = H.select_by_weight(heavy, 5)
    assert np.any(np.asarray(drawn.weights) == 1e3)
    np.testing.assert_allclose(np.sum(drawn.weights), 1019.0)


def test_selection_is_reproducible(volume):
    one, same, other = (H.select_evenly(volume, 50, key=key) for key in (1, jax.random.key(1), 2))
    np.testing.assert_array_equal(one.log_mvir, same.log_mvir)
    assert not np.array_equal(one.log_mvir, other.log_mvir)
    everything = H.select_evenly(volume, len(volume), key=1)
    np.testing.assert_allclose(everything.weights, volume.weights[0])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), periodic=st.booleans())
def test_the_nearest_heavier_halo_is_that_of_a_double_loop(seed, periodic):
    rng = np.random.default_rng(seed)
    cosmology, box = co.cosmology.planck15(), 6.0 if periodic else None
    position, log_mvir = rng.uniform(-3.0, 9.0, (40, 3)), rng.uniform(11.0, 13.5, 40)
    position[5] = np.nan
    found = nearest_heavier(position, log_mvir, 0.5, cosmology, box)
    radius = np.asarray(cosmology.virial_radius(10.0**log_mvir, 0.5)) * 1.5e-3
    for one in range(40):
        apart = position - position[one]
        if periodic:
            apart -= box * np.round(apart / box)
        ratio = np.where(log_mvir > log_mvir[one], np.linalg.norm(apart, axis=1) / radius, np.nan)
        nearest = np.nanmin(ratio, initial=np.inf)
        expected = np.nan if one == 5 else (nearest if nearest <= FARTHEST else np.inf)
        np.testing.assert_allclose(found[one], expected, rtol=1e-9)
    assert np.isnan(nearest_heavier(np.zeros((4, 3)), log_mvir[:4], 0.0, cosmology)).all()


def test_isolated_halos_are_chosen_and_saved(volume, tmp_path):
    few = volume[:6]
    known = dataclasses.replace(few, separation=jnp.array([0.5, 2.0, 4.0, np.inf, np.nan, 9.0]))
    isolated = H.select_isolated(known)
    np.testing.assert_array_equal(isolated.separation, [4.0, np.inf, 9.0])
    np.testing.assert_array_equal(isolated.weights, few.weights[:3])
    assert "3 of 6 halos, farther than 3 virial radii" in dict(isolated.provenance)["isolation"]
    assert "1 of unknown surroundings" in dict(isolated.provenance)["isolation"]
    co.halos.save(tmp_path / "halos.h5", known)
    np.testing.assert_array_equal(co.halos.read(tmp_path / "halos.h5").separation, known.separation)
    assert len(H.select_isolated(known, beyond=1.0)) == 4 and len(H.select_evenly(known, 3).separation) == 3


def test_weights_of_a_selection_reach_the_regression(volume):
    """An even sample, weighted, has the mean relation of the whole volume where that depends on the weights."""
    # Two kinds of galaxies at the same halo mass; the sample holds ten times too many of one kind.
    rng = np.random.default_rng(4)
    x = rng.uniform(10.0, 12.0, 4000)
    high = rng.uniform(size=4000) < 0.3
    kept = high | (rng.uniform(size=4000) < 0.1)
    weights = np.where(high, 1.0, 10.0)
    values = {"mvir": 10.0**x, "mstar": 10.0 ** (x - np.where(high, 1.0, 2.0))}
    nodes = jnp.linspace(10.4, 11.6, 5)
    about = dict(redshift=0.0, error_kind=next(iter(O.ERROR_KINDS)), citation="made up")
    data = O.Measurement("made up", O.StellarToHaloMass(), nodes, -1.7 * jnp.ones(5), 0.01 * jnp.eye(5), **about)

    def mean(rows, weights):
        galaxies = Galaxies(0.0, {name: v[rows] for name, v in values.items()}, np.ones(rows.sum(), bool), weights)
        return np.asarray(data.predict(galaxies).mean)

    whole = mean(np.ones(4000, bool), np.ones(4000))
    np.testing.assert_allclose(mean(kept, weights[kept]), whole, atol=0.06)
    assert np.all(mean(kept, np.ones(kept.sum())) > whole + 0.3)


def test_senseless_selections_are_refused(volume):
    empty = dataclasses.replace(volume[:2], weights=jnp.array([0.0, 1.0]))
    near = dataclasses.replace(volume[:2], separation=jnp.array([0.5, 2.0]))
    for change, words in (
        (lambda: H.select_evenly(volume, 5000), "n: got 5000; there are 4000 halos in the range"),
        (lambda: H.select_evenly(volume, 5, width=0.0), "width: got 0"),
        (lambda: H.select_by_weight(volume, 0), "n: got 0; give a whole number of at least 1"),
        (lambda: H.select_by_weight(empty, 2), "weights: 1 of 2 halos have a positive weight; 2 halos cannot"),
        (lambda: H.select_by_mass(volume, 15.0, 16.0), "no halo between log10 of mass 15 and 16; there are 4000"),
        (lambda: H.select_isolated(volume), "come without positions, .* give a table a column 'isolated'"),
        (lambda: H.select_isolated(near), "none of 2 halos is farther than 3 virial radii.*the farthest is at 2"),
        (lambda: H.select_isolated(near, 20.0), "beyond: got 20; allowed a positive number .* up to 10"),
        (lambda: H.volume_weights(volume, 0.0), "volume: got 0"),
        (lambda: H.abundance_weights(volume[[0, 0]]), "all 2 halos have log10 of mass"),
    ):
        with pytest.raises(ValueError, match=words):
            change()


def test_abundance_weights_integrate_the_mass_function_however_halos_were_drawn():
    mass_function = H.VirialMassFunction(cosmology=co.cosmology.planck15())
    even, drawn = histories(3000, seed=1), histories(3000, seed=2)
    steep = drawn[np.flatnonzero(np.random.default_rng(0).uniform(size=3000) < 10.0 ** -(drawn.log_mvir[:, -1] - 10.0))]
    for halos in (even, steep):
        weighted = H.abundance_weights(halos)
        final = np.asarray(weighted.log_mvir[:, -1])
        for low, high in ((final.min(), final.max()), (10.5, 11.0)):
            grid = np.linspace(low, high, 2001)
            expected = np.trapezoid(np.asarray(mass_function(grid)), grid)
            found = np.sum(np.asarray(weighted.weights)[(final >= low) & (final <= high)])
            np.testing.assert_allclose(found, expected, rtol=0.03)
    assert "VirialMassFunction" in dict(weighted.provenance)["weights"]
    table = H.abundance_weights(even, H.Despali16())
    np.testing.assert_allclose(np.sum(table.weights), np.sum(H.abundance_weights(even).weights), rtol=0.01)


@pytest.fixture(scope="module")
def galaxies():
    halos = H.abundance_weights(histories(2000, seed=3))
    return halos, population(halos, failed=(3, 40))


def test_the_stellar_mass_function_counts_halos(galaxies):
    halos, made = galaxies
    today = made.at(0.0)
    function = O.mass_function_of(today, "mvir", np.arange(10.25, 12.0, 0.25))
    expected = np.asarray(H.VirialMassFunction(cosmology=halos.cosmology)(np.asarray(function.x)))
    np.testing.assert_allclose(function.density, expected, rtol=0.08)
    excess = function.error / function.density * np.sqrt(function.galaxies)
    assert np.all((excess > 1.0) & (excess < 1.4))  # Poisson, and the spread of the weights
    stars = O.stellar_mass_function(today, np.arange(5.0, 12.1, 0.25))
    assert np.sum(stars.galaxies) == 1998
    np.testing.assert_allclose(np.sum(stars.density) * 0.25, np.sum(halos.weights), rtol=1e-9)


def test_cosmic_densities_are_weighted_sums_and_differentiable(galaxies):
    halos, made = galaxies
    density = O.cosmic_sfr_density(made)
    assert density.shape == (2,)
    today = made.at(0.0)
    solved = np.asarray(today.valid)
    weights = np.asarray(halos.weights)
    expected = np.sum((weights * np.asarray(today["sfr"]))[solved]) * weights.sum() / weights[solved].sum()
    np.testing.assert_allclose(density[1], expected, rtol=1e-12)

    solved_sfr = jnp.where(today.valid, today["sfr"], 0.0)

    def scaled(factor):
        values = {**today.values, "sfr": jnp.where(today.valid, factor * solved_sfr, jnp.nan)}
        return O.cosmic_density(dataclasses.replace(today, values=values), "sfr")

    np.testing.assert_allclose(jax.grad(scaled)(1.0), expected, rtol=1e-12)
    assert float(eqx.filter_jit(lambda g: jnp.sum(g.valid))(today)) == 1998


def test_statistics_without_number_densities_are_refused(galaxies):
    made = eqx.tree_at(lambda galaxies: galaxies.weights, galaxies[1], jnp.ones(2000))
    with pytest.raises(ValueError, match="every galaxy has weight 1, which is no number density"):
        O.cosmic_sfr_density(made)
    with pytest.raises(ValueError, match="edges: got .*; give at least two edges"):
        O.mass_function_of(made.at(0.0), "mstar", [11.0, 10.0])


def test_representative_halos_stand_for_all():
    """Mean of something that follows formation time: closer than from as many random halos; weights add up."""
    everyone = co.halos.diffmah_population(1200, log_mvir=(11.0, 12.0), key=4)

    def early(halos):
        lag = np.asarray(halos.log_mvir)[:, -1] - np.asarray(halos.log_mvir)[:, np.searchsorted(halos.time, 6.0)]
        return float(np.average(lag, weights=halos.weights))

    few = H.select_representative(everyone, 61)
    assert len(few) == 61 and np.isclose(np.sum(few.weights), np.sum(everyone.weights))
    assert "61 of 1200 halos, one for each share of mass and age" in dict(few.provenance)["selection"]
    random = [early(everyone[np.random.default_rng(key).choice(1200, 61, replace=False)]) for key in range(40)]
    assert abs(early(few) - early(everyone)) < 0.3 * np.std(random)
    whole = H.select_representative(everyone, 1200)
    np.testing.assert_array_equal(np.sort(whole.log_mvir[:, -1]), np.sort(everyone.log_mvir[:, -1]))
    made = co.halos.diffmah_population(10, key=2, candidates=8)
    assert len(made) == 10 and "10 of 80 halos" in dict(made.provenance)["selection"]
    with pytest.raises(ValueError, match="n: got -1; give a whole number"):  # as given, not times the candidates
        co.halos.diffmah_population(-1, candidates=8)
    with pytest.raises(ValueError, match="candidates: got 0; give a whole number"):
        co.halos.diffmah_population(10, candidates=0)
    with pytest.raises(ValueError, match="n: got 1201; there are 1200"):
        H.select_representative(everyone, 1201)
