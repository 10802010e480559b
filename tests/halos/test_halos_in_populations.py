"""What histories carry beside the mass, as galaxies, derivatives and files see it."""

import dataclasses

import equinox as eqx
import jax
import numpy as np
import pytest

import corundum as co
from corundum import halos as H
from corundum.parameters import parameter
from corundum.units import Quantity
from synthetic import histories

OVERDENSITY = Quantity("1", "density within 5 Mpc over the mean, minus 1", log=False)
REDSHIFTS = (0.0, 2.0)


class CrowdedLoading(co.physics.AbstractGalaxyScaling):
    """Mass loading that rises with the density around a halo."""

    base: jax.Array = parameter(1.5, unit="1", meaning="loading at mean density", source="a test", bounds=(0.0, 9.0))
    slope: jax.Array = parameter(0.5, unit="1", meaning="rise with overdensity", source="a test", bounds=(0.0, 2.0))
    name: str = eqx.field(default="overdensity", static=True)

    def __call__(self, galaxy):
        return self.base * (1.0 + self.slope * galaxy.halo.extras[self.name])


def crowded(values, number=4):
    plain = histories(number)
    curves = np.broadcast_to(np.reshape(values, (-1, 1)), plain.log_mvir.shape)
    return dataclasses.replace(plain, extras={"overdensity": H.ExtraCurve(curves, OVERDENSITY)})


MODEL = co.models.MinimalRegulator(mass_loading=CrowdedLoading())


@pytest.fixture(scope="module")
def galaxies():
    halos = crowded([0.0, 0.4, 0.8, 1.2])
    return halos, co.evolve(MODEL, halos, REDSHIFTS)


def test_laws_read_extra_curves(galaxies):
    halos, population = galaxies
    np.testing.assert_allclose(population["overdensity"], [[x, x] for x in (0.0, 0.4, 0.8, 1.2)], atol=1e-12)
    assert population.quantities["overdensity"] == OVERDENSITY
    assert population.at(2.0)["overdensity"].shape == (4,)
    loading = population.flows["wind"].mass / population["sfr"]
    np.testing.assert_allclose(loading, 1.5 * (1.0 + 0.5 * population["overdensity"]), rtol=1e-9)
    constant = co.models.MinimalRegulator(mass_loading=CrowdedLoading(base=1.5 * 1.4, slope=0.0))
    alone = co.evolve(constant, halos[[2]], REDSHIFTS)
    np.testing.assert_allclose(alone["mstar"][0], population["mstar"][2], rtol=1e-5)


def test_extra_curves_pass_through_derivatives(galaxies):
    halos, population = galaxies
    jacobian = co.sensitivity.parameter_jacobian(
        MODEL, halos, ["mass_loading.slope"], quantities=["mstar", "overdensity"]
    )
    step = 1e-3
    mstar = []
    for sign in (1.0, -1.0):
        changed = co.replace(MODEL, {"mass_loading.slope": 0.5 + sign * step})
        mstar.append(np.log10(np.asarray(co.evolve(changed, halos, REDSHIFTS[:1])["mstar"][:, 0])))
    slope = (mstar[0] - mstar[1]) / (2.0 * step)
    np.testing.assert_allclose(jacobian.derivative.values[:, 0, 0, 0], slope, rtol=2e-3, atol=2e-5)
    np.testing.assert_array_equal(jacobian.derivative.values[:, 0, 1, 0], 0.0)
    np.testing.assert_allclose(jacobian.values.values[:, 0, 1], population["overdensity"][:, 0], atol=1e-12)


def test_populations_with_extra_curves_come_back(galaxies, tmp_path):
    halos, population = galaxies
    co.io.save(tmp_path / "results.h5", population=population, halos=halos, model=MODEL)
    back = co.io.load(tmp_path / "results.h5")
    np.testing.assert_array_equal(back.population["overdensity"], population["overdensity"])
    assert back.population.quantities == population.quantities
    assert jax.tree.structure(back.halos) == jax.tree.structure(halos)


def test_a_law_that_reads_an_unknown_curve_is_told_what_there_is(galaxies):
    halos, _ = galaxies
    model = co.models.MinimalRegulator(mass_loading=CrowdedLoading(name="density"))
    with pytest.raises(ValueError, match="have no 'density': did you mean overdensity"):
        co.evolve(model, halos)


def test_extra_curves_cannot_take_the_name_of_a_quantity_of_the_model():
    halos = crowded([0.0] * 4)
    halos = dataclasses.replace(halos, extras={"mstar": halos.extras["overdensity"]})
    with pytest.raises(ValueError, match="extra curve 'mstar' has the name of a quantity of ThermalCGM"):
        co.evolve(co.models.ThermalCGM(), halos)


def test_galaxies_are_not_valid_after_the_end_of_their_halo():
    plain = histories(4)
    ages = np.asarray(plain.cosmology.age(np.array([2.0, 1.0])))
    halos = dataclasses.replace(plain, end=[ages[0], ages[1], float(plain.time[-1]), 1.01 * ages[0]])
    model, redshifts = co.models.MinimalRegulator(), (0.0, 1.0, 2.0)
    whole, ended = co.evolve(model, plain, redshifts), co.evolve(model, halos, redshifts)
    valid = np.array([[False, False, True], [False, True, True], [True, True, True], [False, False, True]])
    assert np.asarray(whole.valid).all()
    np.testing.assert_array_equal(ended.valid, valid)
    np.testing.assert_array_equal(ended["mstar"], np.where(valid, whole["mstar"], np.nan))
    assert np.all(np.isnan(np.asarray(ended["mvir"])[~valid]))


@pytest.mark.slow
def test_satellites_and_mergers_go_with_their_halos_through_derivatives():
    plain = histories(4)
    halos = dataclasses.replace(
        plain, host=[-1, 0, -1, 2], mergers=H.Mergers(np.full((4, 1), np.nan), np.full((4, 1), np.nan))
    )
    model = co.models.ThermalCGM()
    one, other = (co.sensitivity.parameter_jacobian(model, h, list(co.describe(model))[:1]) for h in (halos, plain))
    np.testing.assert_array_equal(one.derivative.values, other.derivative.values)


def test_an_extra_curve_can_be_kept_alone_and_has_a_history(galaxies):
    halos, population = galaxies
    kept = co.evolve(MODEL, halos, REDSHIFTS, keep=("overdensity", "mstar"), histories=("overdensity",))
    assert sorted(kept.values) == ["mstar", "overdensity"]
    np.testing.assert_array_equal(kept["overdensity"], population["overdensity"])
    np.testing.assert_allclose(kept.history("overdensity")[2], 0.8, atol=1e-12)
    bare = co.evolve(MODEL, halos, REDSHIFTS, keep=("mstar",))
    assert list(bare.values) == ["mstar"]
