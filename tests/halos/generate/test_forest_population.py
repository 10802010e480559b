"""Whole Monte-Carlo trees as histories with satellites: how many there are, of which level, and what they add up to."""

import numpy as np
import pytest

from corundum import halos as H
from corundum.halos.generate.forest_population import _halos_of, _heavy_enough
from corundum.halos.satellites.frozen import frozen_structure
from corundum.halos.satellites.links import levels_and_roots

TREES = 16


@pytest.fixture(scope="module")
def forest():
    return H.monte_carlo_forest(TREES, key=1, log_mvir=(12.0, 12.5), smallest=1e-3, smallest_log_mvir=8.0, latent=2)


def test_there_are_as_many_satellites_of_each_mass_and_level_as_there_should_be(forest):
    """N(>mu) = 0.11 / mu at infall, of any level; in trees of 60 times 46, 42 and 11% are of the levels 1, 2 and 3.

    With more times, fewer of those that joined each other within a step count as satellites of the main branch.
    """
    level, root = levels_and_roots(forest.host)
    share = 10.0 ** np.asarray(forest.log_mvir[:, -1] - forest.log_mvir[root, -1])[level > 0]
    for mu, number in ((0.1, 1.1), (0.03, 4.6), (0.01, 13.5), (3e-3, 42.0), (1e-3, 112.0)):
        assert np.sum(share > mu) / TREES == pytest.approx(number, rel=0.35 if mu > 0.02 else 0.25)
    of_level = np.bincount(level[level > 0], minlength=5)[1:] / np.sum(level > 0)
    np.testing.assert_allclose(of_level[:3], [0.41, 0.43, 0.15], atol=0.06)
    assert np.all(np.asarray(forest.satellites.ratio)[level > 0] <= 1.0) and forest.satellites.latent.shape[1] == 2
    coarse = np.expm1(np.linspace(0.0, np.log(11.0), 60))
    times = np.asarray(forest.cosmology.age(coarse))[::-1]
    trees = H.grow_trees(np.full(10, 12.0), coarse, key=3)
    branches = _halos_of(trees, times, np.random.default_rng(0))
    level, _ = levels_and_roots(branches.host)
    heavy = (level > 0) & (branches.log_mass[:, -1] > 9.0)
    of_level = np.bincount(level[heavy], minlength=4)[1:4] / np.sum(heavy)
    np.testing.assert_allclose(of_level, [0.46, 0.42, 0.11], atol=0.06)


def test_what_fell_in_is_about_half_of_a_halo_and_never_more_than_it(forest):
    level, root = levels_and_roots(forest.host)
    mass = np.asarray(forest.final_mvir)
    share = np.bincount(root[level == 1], mass[level == 1], minlength=len(mass))[level == 0] / mass[level == 0]
    assert np.all(share < 1.0) and np.mean(share) == pytest.approx(0.55, abs=0.07)


def test_satellites_stay_what_they_were_at_infall(forest):
    level, _ = levels_and_roots(forest.host)
    time, infall = np.asarray(forest.time), np.asarray(forest.satellites.infall)
    rows = np.flatnonzero((level > 0) & (infall < 5.0))[:40]
    late = time > 8.0
    for curves in (forest.log_mvir, forest.log_rvir, forest.log_concentration):
        np.testing.assert_allclose(np.ptp(np.asarray(curves)[rows][:, late], axis=1), 0.0, atol=2e-4)
    at_infall = [np.interp(infall[row], time, np.asarray(forest.log_mvir)[row]) for row in rows]
    assert np.all(np.asarray(forest.log_mvir)[rows, -1] - at_infall >= -1e-9)
    # Centrals have the radius of their mass at every time.
    central = forest[np.flatnonzero(level == 0)] if np.all(level == 0) else H.select_trees(forest, 0)
    implied = central.cosmology.virial_radius(central.mvir[0], central.redshift)
    np.testing.assert_allclose(10.0 ** np.asarray(central.log_rvir[0]), implied, rtol=1e-4)


def test_a_tree_whose_branches_are_known_gives_their_hosts():
    """Rows, the latest first: a main branch, a satellite that merges last, and one that came with it."""
    snapshot = np.array([0, 1, 1, 2, 2, 2])
    descendant = np.array([-1, 0, 0, 1, 2, 2])
    mass = np.array([10.0, 8.0, 2.0, 7.0, 1.5, 0.2]) * 1e11
    trees = H.MergerTrees(np.array([0.0, 1.0, 2.0]), np.zeros(6, int), snapshot, descendant, mass)
    times = np.array([3.0, 6.0, 13.8])
    halos = _halos_of(trees, times, np.random.default_rng(0))
    kept = _heavy_enough(halos, np.array([1e10]), np.array([1.0, 13.8]))
    assert kept.host.tolist() == [-1, 0, 1]
    assert 6.0 < kept.infall[1] < 13.8 and 3.0 < kept.infall[2] < 6.0
    np.testing.assert_allclose(kept.ratio[1:], [0.25, 0.2 / 1.5])
    np.testing.assert_allclose(10.0 ** kept.log_mass[:, -1], [1e12, 2e11, 2e10])
    lighter = _heavy_enough(halos, np.array([1e11]), np.array([1.0, 13.8]))
    assert lighter.host.tolist() == [-1, 0]
    radius, _ = frozen_structure(
        np.full((2, 3), 12.0), np.ones((2, 3)), np.array([np.inf, 4.0]), times, H.monte_carlo_trees(1).cosmology
    )
    assert radius[0, 2] > radius[1, 2] + 0.1


def test_the_same_key_gives_the_same_forest_and_mistakes_are_named(forest):
    again = H.monte_carlo_forest(TREES, key=1, log_mvir=(12.0, 12.5), smallest=1e-3, smallest_log_mvir=8.0, latent=2)
    np.testing.assert_array_equal(again.log_mvir, forest.log_mvir)
    np.testing.assert_array_equal(again.satellites.infall, forest.satellites.infall)
    with pytest.raises(ValueError, match="smallest: got 0.5; allowed 1e-6 to 0.3"):
        H.monte_carlo_forest(1, smallest=0.5)
