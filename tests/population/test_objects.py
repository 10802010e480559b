"""Populations as mappings of quantities and as sequences of halos, and sweeps over one parameter."""

import equinox as eqx
import jax
import numpy as np
import pytest

import corundum as co
from growing import Growing


def test_a_population_is_a_mapping_of_quantities(population):
    for galaxies in (population, population.at(0.0)):
        assert len(galaxies) == 10 and "mstar" in galaxies and "nothing" not in galaxies
        assert list(galaxies) == list(galaxies.keys()) == galaxies._ipython_key_completions_()
        assert dict(galaxies).keys() == dict(galaxies.items()).keys()
        np.testing.assert_array_equal(dict(galaxies)["mstar"], galaxies["mstar"])
        with pytest.raises(KeyError, match="no quantity 'mstr': did you mean mstar"):
            galaxies["mstr"]


@pytest.mark.parametrize(
    "index",
    [slice(3), slice(None, None, 2), [4, 1], np.array([2]), -1, np.arange(10) % 3 == 0, [True] * 3 + [False] * 7],
)
def test_halos_are_chosen_by_slice_mask_and_number(population, index):
    rows = np.atleast_1d(np.arange(10)[np.asarray(index) if isinstance(index, list) else index])
    for galaxies in (population, population.at(2.0)):
        some = galaxies[index]
        assert len(some) == len(rows) and type(some) is type(galaxies)
        for name in galaxies:
            np.testing.assert_array_equal(some[name], np.asarray(galaxies[name])[rows])
        np.testing.assert_array_equal(some.valid, np.asarray(galaxies.valid)[rows])
        np.testing.assert_array_equal(some.flows["wind"].mass, np.asarray(galaxies.flows["wind"].mass)[rows])
    np.testing.assert_array_equal(population[index].at(2.0)["mstar"], population.at(2.0)[index]["mstar"])


def test_rows_that_do_not_exist_are_refused(population):
    for index, message in [
        (10, "halo 10: there are 10 halos"),
        ([0, -11], "halo -11: there are 10 halos"),
        (np.ones(4, bool), r"mask: got shape \(4,\); it must have one entry for each halo, \(10,\)"),
        (1.5, "got an index of type float"),
        (("mvir", "mstar"), "got an index of type tuple"),
    ]:
        with pytest.raises(IndexError, match=message):
            population[index]


def test_histories_and_shared_numbers_follow_the_rows():
    halos = co.halos.diffmah_population(4, key=1)
    population = co.evolve(Growing(), halos, [0.0], histories=("mstar",))
    some = population[1:3]
    np.testing.assert_array_equal(some.history("mstar"), population.history("mstar")[1:3])
    np.testing.assert_array_equal(some.redshifts, population.redshifts)
    assert some.root_redshift == population.root_redshift


def test_a_sweep_is_the_population_of_each_value():
    halos = co.halos.diffmah_population(4, key=1)
    model, values = Growing(), [0.5, 2.0]
    name = "loading"
    swept = co.sweep(model, name, values, halos, [0.0, 1.0])
    assert len(swept.populations) == 2 and len(swept.at(1.0)) == 2
    for value, galaxies in zip(values, swept.at(1.0), strict=True):
        expected = co.evolve(co.replace(model, {name: value}), halos, [0.0, 1.0]).at(1.0)
        np.testing.assert_allclose(galaxies["mstar"], expected["mstar"], rtol=1e-6)
        assert eqx.tree_equal(jax.tree.structure(galaxies), jax.tree.structure(expected))
    table = swept.to_xarray()
    assert table["mstar"].dims == (name, "halo", "redshift") and table[name].values.tolist() == values
    with pytest.raises(ValueError, match="did you mean loading"):
        co.sweep(model, "loadin", values, halos)
    with pytest.raises(ValueError, match="at least one value of loading"):
        co.sweep(model, name, [], halos)


def test_galaxies_draw_themselves():
    galaxies = co.evolve(Growing(), co.halos.diffmah_population(4, key=1), [0.0]).at(0.0)
    ax = galaxies.plot("mvir", "mstar", label="mine")
    np.testing.assert_allclose(ax.collections[0].get_offsets()[:, 1], galaxies["mstar"])
    assert ax.get_xscale() == ax.get_yscale() == "log" and ax.get_legend() is not None
    assert galaxies.plot("mvir", "sfr", ax=ax) is ax
    with pytest.raises(KeyError, match="did you mean mstar"):
        galaxies.plot("mvir", "mstr")
