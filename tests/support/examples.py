"""Objects that examples of the documentation use, made once: see `tests/docs/test_docstrings.py` for what they are."""

import functools

import numpy as np

import corundum as co
import learning

SHARED = ("halos", "model", "population", "jacobian", "target", "best", "posterior", "objective")
"""Names that examples may use beside co, np, jnp, jax and plt."""


@functools.cache
def shared(name):
    if name == "halos":
        return co.halos.monte_carlo_trees(8, key=0)
    if name == "model":
        return co.models.ThermalCGM()
    if name == "jacobian":
        return co.sensitivity.parameter_jacobian(shared("model"), shared("halos"), co.models.PANDYA26_FREE)
    if name == "population":
        return co.evolve(shared("model"), shared("halos"), [0.0, 2.0])
    if name == "target":
        x, y = np.linspace(0.0, 1.0, 5), [1.0, 1.4, 2.1, 2.4, 3.1]
        priors = {"intercept": (0.0, 5.0), "slope": (-5.0, 5.0)}
        return co.inference.Target.of_function(lambda theta: theta[0] + theta[1] * x, y, np.full(5, 0.01), priors)
    if name == "objective":
        return learning.objective()
    if name == "best":
        return co.inference.maximise(shared("target"), starts=2)
    sampler = co.inference.HMC(chains=2, warmup=50, draws=200)
    return co.inference.sample(shared("target"), shared("best"), sampler=sampler)
