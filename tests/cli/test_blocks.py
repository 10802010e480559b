"""Blocks of halos: the same galaxies as one call of `evolve`, histories included, also after an interruption."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.cli.jobs.blocks import evolve_few, evolve_in_blocks
from corundum.cli.runfile.job import has_quantities
from corundum.storage.checkpoints import CheckpointFolder
from programs import compiled_programs

MODEL = co.models.MinimalRegulator(supplied_energy=0.6)


@pytest.fixture(scope="module")
def halos():
    time = np.geomspace(0.64, float(co.cosmology.pandya26_cosmology().age(0.0)), 24)
    growth = np.log10(time / time[-1])
    mass = np.linspace(11.0, 12.0, 5)[:, None] + 1.5 * growth
    curve = co.halos.ExtraCurve(np.ones_like(mass), co.units.Quantity("1", "overdensity"))
    return co.halos.HaloHistories(time, mass, np.full_like(mass, 0.9), extras={"overdensity": curve})


@pytest.mark.parametrize("histories", [(), ("sfr",)])
def test_blocks_are_one_population_also_when_resumed(histories, halos, tmp_path):
    whole = co.evolve(MODEL, halos, (0.0, 1.0), histories=histories)

    def blocks():
        announced = []
        population = evolve_in_blocks(
            MODEL, halos, (0.0, 1.0), histories=histories, solver=None, block=2, progress=lambda done: None,
            store=CheckpointFolder(tmp_path, "same"), announce=announced.append,
        )  # fmt: skip
        return population, announced

    first, computed = blocks()
    resumed, recomputed = blocks()
    assert computed == [0, 2, 4] and recomputed == []
    assert jax.tree.structure(first) == jax.tree.structure(resumed) == jax.tree.structure(whole)
    jax.tree.map(np.testing.assert_array_equal, resumed, first)
    # Programs for other numbers of halos round differently.
    jax.tree.map(lambda block, one: np.testing.assert_allclose(block, one, rtol=1e-11), first, whole)


def test_a_few_halos_at_many_redshifts_use_the_program_of_their_population(halos):
    co.evolve(MODEL, halos, (0.0, 1.0), chunk=len(halos))
    redshifts = np.linspace(3.0, 0.0, 11)
    with compiled_programs() as programs:
        few = evolve_few(MODEL, halos[[1, 3]], redshifts, solver=None, size=len(halos), together=2)
    assert programs == []
    once = co.evolve(MODEL, halos[[1, 3]], redshifts)
    assert few.status.tolist() == [0, 0] and few["mstar"].shape == (2, 11)
    np.testing.assert_array_equal(few.redshifts, redshifts)
    np.testing.assert_allclose(np.log(few["mstar"]), np.log(once["mstar"]), atol=1e-3)
    assert np.all(few.steps > once.steps)


class _Relation(co.observables.AbstractRelation):
    title: ClassVar[str] = "a relation"
    x_axis: ClassVar = co.units.Quantity("dex", "x", log=False)
    y_axis: ClassVar = co.units.Quantity("dex", "y", log=False)

    def x(self, galaxies):
        return jnp.log10(galaxies["mstar"])


class History(_Relation):
    histories: ClassVar[tuple[str, ...]] = ("sfr",)

    def y(self, galaxies):
        return jnp.log10(jnp.mean(galaxies.history("sfr"), axis=-1) * galaxies.history_times[-1])


class HistoryOfMissing(_Relation):
    histories: ClassVar[tuple[str, ...]] = ("temperature",)

    def y(self, galaxies):
        return jnp.log10(galaxies.history("temperature")[:, -1])


class Environment(_Relation):
    def y(self, galaxies):
        return galaxies["overdensity"]


@pytest.mark.parametrize(("relation", "known"), [(History(), True), (HistoryOfMissing(), False), (Environment(), True)])
def test_a_relation_is_compared_where_model_and_halos_have_what_it_reads(relation, known, halos):
    assert has_quantities(relation, MODEL, halos) is known
    plain = co.halos.HaloHistories(halos.time, halos.log_mvir, halos.log_concentration)
    assert has_quantities(relation, MODEL, plain) is (known and not isinstance(relation, Environment))
