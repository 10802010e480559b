"""Derivatives of galaxies of whole trees, with respect to parameters, against differences of solutions."""

import jax.numpy as jnp
import numpy as np
import pytest

import corundum as co
from bathtub import with_satellites

NAMES = ("processes.merging.friction.time.factor", "loading")
ACCURATE = co.numerics.LaneSolver(tolerance=1e-9, max_steps=20_000)


def many_stars(population):
    today = population.at(0.0)
    return jnp.sum(jnp.where(today.valid, today.weights * today["mstar"], 0.0))[None] / 1e10


@pytest.mark.slow
def test_jacobians_of_trees_pass_from_satellites_to_hosts():
    """Of every galaxy and of a sum over all of them, in which satellites count as far as they have not merged."""
    model = with_satellites()
    trees = co.halos.monte_carlo_forest(2, log_mvir=(12.0, 12.2), smallest=0.1, smallest_log_mvir=9.0, key=4)
    keywords = {"solver": ACCURATE, "coordinates": co.sensitivity.Ln()}
    mode = co.sensitivity.Forward(columns=2)
    jacobian = co.sensitivity.parameter_jacobian(
        model, trees, NAMES, quantities=("mstar", "mcgm"), mode=mode, **keywords
    )
    total = co.sensitivity.Observable("stars", many_stars, np.eye(1))
    summed = co.sensitivity.summary_jacobian([total], model, trees, NAMES, mode=mode, **keywords)
    start = dict(zip(NAMES, co.get_values(model, NAMES), strict=True))
    for column, name in enumerate(NAMES):
        step = 1e-2
        pair = [
            co.evolve(co.replace(model, {name: start[name] * np.exp(sign * step)}), trees, [0.0], solver=ACCURATE)
            for sign in (1.0, -1.0)
        ]
        for place, quantity in enumerate(("mstar", "mcgm")):
            upper, lower = (np.log10(np.asarray(galaxies[quantity])) for galaxies in pair)
            exact = np.asarray(jacobian.derivative.values)[:, :, place, column]
            np.testing.assert_allclose(exact, (upper - lower) / (2.0 * step), rtol=2e-3, atol=2e-5)
        difference = (many_stars(pair[0]) - many_stars(pair[1])) / (2.0 * step)
        np.testing.assert_allclose(summed.derivative["stars"].values[0, column], difference[0], rtol=2e-3, atol=1e-4)
    roots = np.asarray(trees.host) < 0
    friction = np.asarray(jacobian.derivative.values)[:, 0, 0, 0]
    assert np.all(friction[roots] < -1e-4)  # the later satellites merge, the fewer stars has their host
    assert np.all(np.abs(friction[~np.isin(np.arange(len(trees)), trees.host)]) < 1e-8)


def test_trees_are_differentiated_forwards_only():
    trees = co.halos.monte_carlo_forest(1, log_mvir=(12.0, 12.0), smallest=0.3, smallest_log_mvir=9.0)
    with pytest.raises(ValueError, match="mode: got Reverse; galaxies of trees act on each other"):
        co.sensitivity.parameter_jacobian(
            with_satellites(), trees, NAMES, mode=co.sensitivity.Reverse(), coordinates=co.sensitivity.Ln()
        )
