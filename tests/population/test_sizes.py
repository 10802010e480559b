"""Any number of halos, redshifts and times: the same numbers bit for bit, and few programs to compile."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from corundum.numerics.batching import padded_rows
from growing import Growing
from programs import compiled_programs

MODEL = Growing()


@pytest.fixture(scope="module")
def many():
    """130 halos, of which every third starts later."""
    time = np.geomspace(0.5, 13.9, 30)
    growth = np.linspace(0.8, 2.5, 130)
    log_mvir = np.linspace(10.0, 12.0, 130)[:, None] + growth[:, None] * np.log10(time / 13.9)
    start = np.where(np.arange(130) % 3 == 0, 2.0, 0.6)
    return co.halos.HaloHistories(time, log_mvir, np.full((130, 30), 0.9), start=start)


def same(own, other):
    for name, values in own.values.items():
        np.testing.assert_array_equal(np.asarray(values), np.asarray(other.values[name]), err_msg=name)
    for of_own, of_other in zip(jax.tree.leaves(own.flows), jax.tree.leaves(other.flows), strict=True):
        np.testing.assert_array_equal(np.asarray(of_own), np.asarray(of_other))


def test_ten_numbers_of_halos_are_one_program(many):
    with compiled_programs() as programs:
        populations = {k: co.evolve(MODEL, many[:k], [0.0, 2.0]) for k in (1, 7, 33, 64, 90, 100, 101, 127, 128, 130)}
    assert len(programs) <= 5 and sum("_over_devices" in name for name in programs) == 1
    with compiled_programs() as again:
        for k in (2, 50, 99, 129):
            populations[k] = co.evolve(MODEL, many[:k], [0.0, 2.0])
        masked = co.evolve(MODEL, many[np.arange(130) % 2 == 1], [0.0, 2.0])
        one = co.evolve(MODEL, many[5], [0.0, 2.0])
    assert not again
    whole = populations[130]
    for k, population in populations.items():
        assert len(population) == k and population.status_counts() == {"solved": k}
        same(population, jax.tree.map(lambda leaf, k=k: leaf[:k], _per_halo(whole)))
        assert population["mstar"].shape == (k, 2) and len(population.at(2.0)) == k
    same(masked, jax.tree.map(lambda leaf: leaf[np.arange(130) % 2 == 1], _per_halo(whole)))
    same(one, jax.tree.map(lambda leaf: leaf[5:6], _per_halo(whole)))


class _Rows:
    def __init__(self, values, flows):
        self.values, self.flows = values, flows


jax.tree_util.register_pytree_node(_Rows, lambda rows: ((rows.values, rows.flows), None), lambda _, rows: _Rows(*rows))


def _per_halo(population):
    return _Rows(population.values, population.flows)


def test_rows_steps_and_status_are_those_of_each_halo(many):
    whole, part = (co.evolve(MODEL, halos, [1.0]) for halos in (many, many[40:53]))
    np.testing.assert_array_equal(whole.steps[40:53], part.steps)
    np.testing.assert_array_equal(whole.rejected[40:53], part.rejected)
    assert part.status.shape == part.weights.shape == (13,)


def test_any_few_redshifts_are_one_program(many):
    co.evolve(MODEL, many[:20], [0.0])
    with compiled_programs() as programs:
        one = co.evolve(MODEL, many[:20], [1.0])
        four = co.evolve(MODEL, many[:20], [3.0, 0.0, 1.0, 0.5])
        two = co.evolve(MODEL, many[:20], [0.5, 3.0])
    assert not programs
    assert four.redshifts.tolist() == [3.0, 0.0, 1.0, 0.5] and two["mstar"].shape == (20, 2)
    np.testing.assert_array_equal(two["mstar"][:, 1], four["mstar"][:, 0])  # the first stop on the way
    np.testing.assert_allclose(one["mstar"][:, 0], four["mstar"][:, 2], rtol=1e-4)
    five = co.evolve(MODEL, many[:20], [3.0, 0.0, 1.0, 0.5, 2.0])
    assert five["mstar"].shape == (20, 5) and np.all(five.valid.sum(axis=0) > 0)


def test_filling_up_takes_no_step_and_changes_no_number(many):
    alone = co.evolve(MODEL, many[:4], [2.0], histories="mstar", history_times=[3.0, 5.0, 3.25])
    # Inside a transformation nothing is filled up.
    traced = jax.jit(lambda halos: co.evolve(MODEL, halos, [2.0], histories="mstar", history_times=[3.0, 5.0, 3.25]))
    plain = traced(many[:4])
    np.testing.assert_array_equal(alone.steps, plain.steps)
    np.testing.assert_allclose(alone["mstar"], plain["mstar"], rtol=1e-12)
    assert alone.histories.times.tolist() == [3.0, 3.25, 5.0]
    np.testing.assert_allclose(alone.history("mstar"), plain.history("mstar"), rtol=1e-12)


def test_derivatives_of_any_number_of_halos_are_one_program(many):
    names = ("time", "loading")
    whole = co.sensitivity.parameter_jacobian(MODEL, many[:30], names, [0.0])
    with compiled_programs() as programs:
        part = co.sensitivity.parameter_jacobian(MODEL, many[10:21], names, [0.0])
    assert not programs
    np.testing.assert_array_equal(part.derivative.values, whole.derivative.values[10:21])


def test_an_empty_choice_of_halos_is_refused(many):
    with pytest.raises(ValueError, match="there is no halo to evolve"):
        co.evolve(MODEL, many[:0])


def test_batches_are_filled_up_to_few_sizes():
    sizes = {padded_rows(rows, 4096, 2) for rows in range(1, 20_000)}
    assert sizes == {1024, 2048, 4096, 8192}
    assert all(padded_rows(rows, 100, 3) == 300 for rows in range(1, 1000))
    assert {padded_rows(rows, 1024, 2, (64, 512)) for rows in range(1, 5000)} == {128, 1024, 2048}


def test_choosing_halos_needs_no_program(many):
    rows = jnp.array([3, 1, 2])
    with compiled_programs() as programs:
        chosen = [many[:17], many[3:9], many[np.arange(130) > 60], many[[5, 2]], many[rows], many[-1], many[::2]]
    assert not programs and [len(halos) for halos in chosen] == [17, 6, 69, 2, 3, 1, 65]
    np.testing.assert_array_equal(many[rows].log_mvir, np.asarray(many.log_mvir)[[3, 1, 2]])


def test_halos_are_chosen_inside_transformations_too(many):
    hosts = np.where(np.arange(130) % 2 == 1, np.arange(130) - 1, -1)
    satellites = dataclasses.replace(many, host=hosts)
    plain = satellites[3:6]
    traced = jax.jit(lambda halos: (halos[3:6].log_mvir, halos[3:6].host, halos[np.array([1, 0])].host))(satellites)
    np.testing.assert_array_equal(traced[0], plain.log_mvir)
    assert traced[1].tolist() == plain.host.tolist() == [-1, -1, 1] and traced[2].tolist() == [1, -1]


def test_a_solver_may_be_traced(many):
    few = many[:3]

    def stars(tolerance):
        return co.evolve(MODEL, few, [0.0], solver=co.numerics.LaneSolver(tolerance=tolerance))["mstar"]

    np.testing.assert_allclose(jax.jit(stars)(1e-6), stars(1e-6), rtol=1e-9)


def test_choosing_galaxies_and_a_redshift_needs_no_program(many):
    population = co.evolve(MODEL, many[:9], [0.0, 2.0], histories="mstar")
    with compiled_programs() as programs:
        chosen = [population[:5].at(2.0), population.at(0.0)[[4, 1]], population[np.arange(9) % 2 == 0].at(0.0)]
    assert not programs and [len(galaxies) for galaxies in chosen] == [5, 2, 5]
    np.testing.assert_array_equal(chosen[1]["mstar"], np.asarray(population["mstar"])[[4, 1], 0])
    assert chosen[1].histories.values["mstar"].shape == (2, 64)
