"""A relation of one's own that needs the star-formation history: the mean age of stars against stellar mass."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.observables import AbstractRelation, NadarayaWatson, histories_of
from corundum.units import Quantity
from library import COSMOLOGY


class StellarAge(AbstractRelation):
    """Age of the stars that a galaxy formed, weighted by their mass at birth."""

    title: ClassVar[str] = "stellar age"
    x_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(M_\star/{\rm M}_\odot)$", log=False)
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}({\rm age}/{\rm Gyr})$", log=False)
    histories: ClassVar[tuple[str, ...]] = ("sfr",)

    def x(self, galaxies):
        return jnp.log10(galaxies["mstar"])

    def y(self, galaxies):
        times, sfr = galaxies.history_times, galaxies.history("sfr")
        formed = jnp.where(jnp.isfinite(sfr), sfr, 0.0)  # nothing formed before the halo started
        age = jnp.trapezoid(formed * (times[-1] - times), times) / jnp.trapezoid(formed, times)
        return jnp.log10(age)


MODEL = co.models.MinimalRegulator(supplied_energy=0.6)


@pytest.fixture(scope="module")
def halos():
    time = np.geomspace(0.64, float(COSMOLOGY.age(0.0)), 40)
    growth = np.log10(time / time[-1])
    mass = np.array([[11.0], [11.5], [12.0]])
    return co.halos.HaloHistories(time, mass + 2.0 * growth, 0.9 + 0.3 * growth + 0.0 * mass)


@pytest.fixture(scope="module")
def galaxies(halos):
    return co.evolve(MODEL, halos, [0.0, 1.0], histories=histories_of(StellarAge()))


def test_ages_are_those_of_outputs_at_many_redshifts(halos, galaxies):
    relation = StellarAge()
    times = np.geomspace(0.65, float(COSMOLOGY.age(0.0)), 200)
    many = co.evolve(MODEL, halos, np.asarray(COSMOLOGY.redshift(times)))
    sfr = np.asarray(many["sfr"])
    for redshift in (0.0, 1.0):
        end = float(COSMOLOGY.age(redshift))
        grid = np.linspace(0.65, end, 4000)
        history = np.stack([np.interp(grid, times, curve) for curve in sfr])
        age = np.trapezoid(history * (end - grid), grid) / np.trapezoid(history, grid)
        np.testing.assert_allclose(relation.y(galaxies.at(redshift)), np.log10(age), atol=0.01)


def test_it_is_regressed_and_differentiated_like_any_relation(halos, galaxies):
    relation, now = StellarAge(), galaxies.at(0.0)
    estimate = NadarayaWatson()(relation.x(now), relation.y(now), jnp.linspace(8.0, 12.0, 3), valid=now.valid)
    assert estimate is not None

    def age(supply_time):
        model = co.replace(MODEL, {"supply_time": supply_time})
        return jnp.mean(relation.y(co.evolve(model, halos, [0.0], histories=relation.histories).at(0.0)))

    exact = float(jax.jit(jax.grad(age))(1.0))
    assert exact == pytest.approx(float(age(1.001) - age(0.999)) / 2e-3, rel=1e-2)


def test_without_the_history_it_says_what_to_ask_for(halos):
    population = co.evolve(MODEL, halos, [0.0])
    with pytest.raises(KeyError, match="histories"):
        StellarAge().y(population.at(0.0))
