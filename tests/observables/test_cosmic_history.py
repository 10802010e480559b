"""Densities at several redshifts: halos counted where they are, and what main branches of later halos miss."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import corundum as co
from corundum import halos as H
from corundum import observables as O


def growth(mass, z):
    """Mean growth rate [Msun/yr], Fakhouri, Ma & Boylan-Kolchin 2010, eq. 2."""
    return 46.1 * (mass / 1e12) ** 1.1 * (1.0 + 1.11 * z) * np.sqrt(0.3075 * (1.0 + z) ** 3 + 0.6925)


def star_formation(mass, z):
    """Growth times an efficiency with a peak near 10^11.5 Msun, of the form and near the numbers of Moster+18."""
    x = z / (1.0 + z)
    low, high = (mass / 10.0 ** (11.34 + 0.69 * x)) ** -(3.34 - 2.08 * x), (mass / 10.0 ** (11.34 + 0.69 * x)) ** 0.966
    return 2.0 * (0.005 + 0.689 * x) / (low + high) * growth(mass, z)


def universe(z):
    """The same summed over the mass function by itself."""
    masses = np.linspace(9.5, 15.0, 3000)
    return np.trapezoid(np.asarray(H.VirialMassFunction()(masses, z)) * star_formation(10.0**masses, z), masses)


@pytest.fixture(scope="module")
def branches():
    return H.complete_roots(0.0, 1500, key=1)


@pytest.mark.parametrize(("z", "missing"), [(0.0, 0.0), (1.0, -0.26), (2.0, -0.37), (3.0, -0.42)])
def test_main_branches_miss_star_formation_and_roots_do_not(branches, z, missing):
    mass = np.asarray(branches.at(redshift=z).mvir)
    of_branches = np.sum(np.asarray(branches.weights) * star_formation(mass, z))
    np.testing.assert_allclose(np.log10(of_branches / universe(z)), missing, atol=0.06)
    roots = H.complete_roots(z)
    mass = 10.0 ** np.asarray(roots.log_mvir[:, -1])
    of_roots = np.sum(np.asarray(roots.weights) * star_formation(mass, z))
    np.testing.assert_allclose(np.log10(of_roots / universe(z)), 0.0, atol=2e-3)


def test_roots_at_two_are_as_many_as_colossus_counts():
    # colossus 1.4.0, despali16, vir, z = 2: log10 of dn/dlog10(M) at 8.5, 9.5 ... 14.5
    table = [0.87258026, -0.0504863, -0.99596895, -2.00328597, -3.18357913, -4.87310453, -8.28346466]
    density = CubicSpline(np.linspace(8.5, 14.5, 7), table)
    roots = H.complete_roots(2.0)
    masses = np.asarray(roots.log_mvir[:, -1])
    for low, high in ((9.5, 10.5), (11.0, 12.0), (12.5, 13.5)):
        grid = np.linspace(low, high, 500)
        expected = np.trapezoid(10.0 ** density(grid), grid)
        inside = (masses > low) & (masses < high)
        np.testing.assert_allclose(np.sum(np.asarray(roots.weights)[inside]), expected, rtol=0.04)


def test_ranges_of_roots_follow_the_redshift():
    for z, low, high in ((0.0, 9.5, 15.0), (4.0, 9.5, 13.6), (8.0, 8.5, 12.2)):
        masses = np.asarray(H.complete_roots(z, 20).log_mvir[:, -1])
        np.testing.assert_allclose([masses.min(), masses.max()], [low, high], rtol=1e-9)


def test_densities_of_main_branches_are_refused_with_the_way_out():
    model = co.models.ThermalCGM()
    halos = H.complete_roots(0.0, 8, log_mvir=(10.0, 12.0))
    population = co.evolve(model, halos, [0.0, 2.0])
    words = r"at z = 2, but their halos are counted at z = 0.*observables.cosmic_history.*complete=True"
    for refused in (
        lambda: O.cosmic_sfr_density(population),
        lambda: O.cosmic_density(population.at(2.0), "mstar"),
        lambda: O.stellar_mass_function(population.at(2.0)),
    ):
        with pytest.raises(ValueError, match=words):
            refused()
    assert O.cosmic_density(population.at(0.0), "mstar") > 0.0
    assert O.cosmic_sfr_density(population, complete=True).shape == (2,)


def test_a_history_of_densities_sums_halos_of_each_redshift():
    def roots(z):
        return H.complete_roots(z, 16, log_mvir=(10.0, 12.5))

    model = co.models.ThermalCGM()
    history = O.cosmic_history(model, [0.0, 2.0], names=("sfr", "mstar"), halos=roots)
    galaxies = co.evolve(model, roots(2.0), [2.0]).at(2.0)
    expected = np.sum(np.asarray(galaxies["sfr"]) * np.asarray(galaxies.weights))
    np.testing.assert_allclose(history.density["sfr"][1], expected, rtol=1e-9)
    np.testing.assert_allclose(history.log_mvir, [[10.0, 12.5]] * 2)
    assert (history.solved + history.failed).tolist() == [16, 16]
    with pytest.raises(ValueError, match="redshifts: give at least one redshift"):
        O.cosmic_history(model, [], halos=roots)
    with pytest.raises(ValueError, match="these histories cover 2 <= z"):
        O.cosmic_history(model, [0.0], halos=lambda z: roots(2.0))


def test_progenitors_of_today_are_the_halos_of_their_time():
    """Counted in whole trees of today's halos, and as halos that have their mass at z = 2: within 0.1 dex."""
    masses = np.linspace(11.5, 14.5, 240)
    today = np.asarray(H.VirialMassFunction()(masses, 0.0)) * (masses[1] - masses[0])
    trees = H.grow_trees(masses, [0.0, 2.0], key=4, resolution=3e-3)
    early = np.asarray(trees.snapshot) == 1
    log_mass, weight = np.log10(np.asarray(trees.mass)[early]), today[np.asarray(trees.tree)[early]]
    for low, high in ((11.5, 12.0), (12.0, 12.5)):
        grid = np.linspace(low, high, 200)
        expected = np.trapezoid(np.asarray(H.VirialMassFunction()(grid, 2.0)), grid)
        counted = np.sum(weight[(log_mass >= low) & (log_mass < high)])
        assert abs(np.log10(counted / expected)) < 0.1
