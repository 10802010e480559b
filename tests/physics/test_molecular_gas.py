"""Molecular shares of gas: published numbers, the Milky Way, and what a galaxy has of each phase."""

import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum import models, physics

DENSITIES = jnp.array([10.0, 30.0, 100.0])  # [Msun/pc^2]


@pytest.mark.parametrize(
    ("dust", "radiation", "shares"),
    [(1.0, 1.0, (0.493, 0.829, 0.966)), (0.1, 1.0, (0.077, 0.303, 0.724)), (1.0, 30.0, (0.264, 0.604, 0.882))],
)
def test_gnedin_and_draine_have_the_numbers_of_their_erratum(dust, radiation, shares):
    law = physics.GnedinDraine14()
    np.testing.assert_allclose(law.share(DENSITIES, dust, radiation), shares, atol=1e-3)


@pytest.mark.parametrize(("metallicity", "shares"), [(1.0, (0.641, 0.872, 0.960)), (0.1, (0.003, 0.250, 0.746))])
def test_krumholz_mckee_and_tumlinson_have_their_numbers(metallicity, shares):
    np.testing.assert_allclose(physics.Krumholz09().share(DENSITIES, metallicity), shares, atol=1e-3)


def test_the_radiation_field_agrees_with_the_stars_that_it_lets_form():
    """Two iterations from U = 1 are near the solution of share(U(share)) = share."""
    law = physics.GnedinDraine14()
    for gas in (1e7, 3e7, 1e8):
        ring = physics.DiscRings(gas, stars=1e8, size=3.0, metallicity=0.0134, molecular_time=2.0)
        share = 0.5
        for _ in range(200):
            share = 0.5 * share + 0.5 * float(law.share(gas * 1e-6, 1.0, share * gas / 2e9 / 2.5e-3))
        assert float(law(ring)) == pytest.approx(share, abs=0.03)


def milky_way(mism=8e9):
    state = models.ThermalState(*map(jnp.asarray, (5e10, mism, 5e10, 1e58, 1e9, 0.0134 * mism, 1e8)))
    halo = co.halos.Halo(*map(jnp.asarray, (13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 10.0)))
    return physics.Galaxy(state, halo, {}, {})


@pytest.mark.parametrize("law", [physics.BlitzRosolowsky06(), physics.GnedinDraine14(), physics.Krumholz09()])
def test_the_milky_way_is_molecular_in_part_and_thin_gas_is_not(law):
    phases = models.GasPhases(law=law).own_fluxes(milky_way()).diagnostics
    hydrogen = 0.74 * 8e9
    assert 0.05 * hydrogen < float(phases["mh2"]) < 0.75 * hydrogen
    assert 0.2 * hydrogen < float(phases["mhi"]) and float(phases["mhi"] + phases["mh2"]) < hydrogen
    thin = models.GasPhases(law=law).own_fluxes(milky_way(1e7)).diagnostics
    assert float(thin["mh2"]) < 0.03 * 0.74e7
    # The outer disc, below half a solar mass per square parsec, is ionised.
    assert float(thin["mhi"]) < 0.1 * 0.74e7
    depletion = physics.MolecularDepletion(law=law)
    share = float(phases["mh2"]) / hydrogen
    assert float(depletion(milky_way())) == pytest.approx(1.9 / share, rel=1e-6)


def test_gas_phases_work_in_every_model_and_change_nothing(halos):
    phases = models.GasPhases()
    for kind in (models.ThermalCGM, models.MinimalRegulator):
        assert {"mhi", "mh2"} <= set(kind(processes={"phases": phases}).diagnostics)
    alone = co.evolve(models.ThermalCGM(), halos[:2], [0.0])
    with_phases = co.evolve(models.ThermalCGM(processes={"phases": phases}), halos[:2], [0.0])
    for name in alone.state._fields:
        np.testing.assert_array_equal(with_phases[name], alone[name])
    total = np.asarray(with_phases["mhi"] + with_phases["mh2"])
    assert np.all(total > 0.0) and np.all(total <= 0.74 * np.asarray(with_phases["mism"]) * (1.0 + 1e-12))
