"""Sizes, bulges, black holes and passive galaxies: populations whose answer is known, and the published numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from corundum import Galaxies, observables, parameters

N = 600


@pytest.fixture(scope="module")
def galaxies():
    """Bulges are a share of 0.2 (lg M - 9), sizes 3 kpc, black holes 1/500 of the bulge; a third forms no stars."""
    mstar = 10.0 ** np.linspace(9.0, 11.5, N)
    bulge = 0.2 * (np.log10(mstar) - 9.0) * mstar
    sfr = np.where(np.arange(N) % 3 == 0, 1e-12, 1e-10) * mstar
    radius = np.full(N, 3.0)
    values = {"mstar": mstar, "mbulge": bulge, "half_mass_radius": radius, "mbh": bulge / 500.0, "sfr": sfr}
    return Galaxies(0.0, values, np.ones(N, bool), np.ones(N))


def test_relations_of_galaxies_that_are_known(galaxies):
    predicted = {
        name: observables.load(name).between(*limits).predict(galaxies)
        for name, limits in {
            "size_lange15": (9.5, 11.0), "bulge_moffett16": (9.5, 11.0), "bhbulge_kormendy13": (9.0, 10.7),
            "passive_behroozi19": (9.5, 11.0),
        }.items()
    }  # fmt: skip
    np.testing.assert_allclose(predicted["size_lange15"].mean, np.log10(3.0), atol=1e-9)
    bulge = predicted["bulge_moffett16"]
    np.testing.assert_allclose(bulge.mean, 0.2 * (bulge.nodes - 9.0), atol=5e-3)
    hole = predicted["bhbulge_kormendy13"]
    np.testing.assert_allclose(hole.mean, hole.nodes - np.log10(500.0), atol=1e-3)
    np.testing.assert_allclose(predicted["passive_behroozi19"].mean, 1.0 / 3.0, atol=0.01)


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [("size_lange15", 10.125, 0.443), ("size_lange15", 11.125, 0.734), ("bulge_moffett16", 10.695, 0.41),
     ("passive_behroozi19", 10.5, 0.404), ("passive_behroozi19", 11.3, 0.838), ("passive_weaver23_z2", 10.875, 0.217),
     ("passive_weaver23_z2", 10.375, 0.124), ("shmr_behroozi19", 12.1, -1.66), ("shmr_behroozi19", 13.1, -2.01),
     ("rhoh2_walter20", 0.0, 6.994),
     ("rhoh2_walter20", np.log10(2.0), 7.73)],
)  # fmt: skip
def test_measurements_hold_the_published_numbers(name, x, y):
    data = observables.load(name)
    at = int(np.argmin(np.abs(np.asarray(data.x) - x)))
    assert float(data.x[at]) == pytest.approx(x, abs=0.01) and float(data.y[at]) == pytest.approx(y, abs=5e-3)


def test_kormendy_and_ho_lie_near_their_own_fit():
    """log M_BH = 8.69 + 1.17 (log M_bulge - 11) for classical bulges; pseudobulges lie below."""
    data = observables.load("bhbulge_kormendy13")
    apart = np.asarray(data.y) - (8.69 + 1.17 * (np.asarray(data.x) - 11.0))
    assert np.all(np.abs(apart[np.asarray(data.x) > 10.6]) < 0.2) and np.all(apart < 0.2)


def test_passive_galaxies_are_counted_with_a_derivative(galaxies):
    nodes, regression = jnp.array([10.0, 10.5]), observables.LocalLinear(0.2)
    relation = observables.PassiveFraction(log_ssfr=-10.2, width=0.2)

    def fraction(shift):
        faster = {**galaxies.values, "sfr": galaxies["sfr"] * 10.0**shift}
        return relation.regressed(faster, nodes, regression).mean[0]

    exact = jax.grad(fraction)(0.0)
    difference = (fraction(1e-4) - fraction(-1e-4)) / 2e-4
    assert float(exact) == pytest.approx(float(difference), rel=1e-6) and float(exact) < -0.1
    # Nothing but a galaxy without numbers has no share, and a threshold of zero width is not asked for.
    edge = {"mstar": np.array([1e10, 1e10, np.nan]), "sfr": np.array([0.0, np.nan, 1.0])}
    assert np.isnan(relation.y(edge)).tolist() == [False, True, True]
    assert {"log_ssfr", "width"} == set(parameters.describe(relation))


def test_cosmic_gas_is_that_of_a_history():
    density = {"mhi": np.array([6e7, 1e8]), "mh2": np.array([1e7, 5.4e7])}
    history = observables.CosmicHistory(np.array([0.0, 1.0]), density, *[None] * 3)
    for name, quantity in (("rhohi_walter20", "mhi"), ("rhoh2_walter20", "mh2")):
        data = observables.load(name).between(-0.01, 0.31)
        assert float(data.predict(history).mean[0]) == pytest.approx(np.log10(density[quantity][0]))
