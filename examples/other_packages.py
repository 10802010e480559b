"""The objects of corundum in other packages, as they are: pandas, astropy, xarray, scipy, optax, numpyro and emcee.

python examples/other_packages.py OUT [HALOS]
"""

import sys
from pathlib import Path

import jax
import numpy as np
import numpyro
import optax
from scipy import optimize

import corundum as co

co.configure()
out, number = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40
out.mkdir(parents=True, exist_ok=True)
halos = co.halos.monte_carlo_trees(number, log_mvir=(10.5, 12.5), key=0)
model = co.models.MinimalRegulator()
population = co.evolve(model, halos, [0.0, 1.0])

# Tables, with units.
print(population.to_pandas().groupby("redshift")[["mstar", "sfr"]].median())
population.at(0.0).to_astropy()["mvir", "mstar", "sfr"].write(out / "galaxies.ecsv", overwrite=True)
print(population.to_xarray()["mstar"].median("halo"))

# The posterior of two numbers is a plain function of a vector, with derivatives.
free = ["mass_loading.constant", "depletion_time.amplitude"]
target, _ = co.inference.Target(model, halos, ["shmr_behroozi19_sf", "sfms_davies16"], free).within_reach()
start = np.asarray(target.start())
slope = jax.jit(jax.value_and_grad(target.potential))

best = optimize.minimize(slope, start, jac=True, method="L-BFGS-B", options={"maxiter": 15})
print("scipy  ", np.asarray(target.theta(best.x)), best.fun)

optimiser, at = optax.adam(0.1), jax.numpy.asarray(start)
state = optimiser.init(at)
for _ in range(20):
    value, gradient = slope(at)
    updates, state = optimiser.update(gradient, state)
    at = optax.apply_updates(at, updates)
print("optax  ", np.asarray(target.theta(at)), float(value))

kernel = numpyro.infer.NUTS(potential_fn=target.potential, max_tree_depth=3)
chain = numpyro.infer.MCMC(kernel, num_warmup=10, num_samples=10, progress_bar=False)
chain.run(jax.random.key(0), init_params=jax.numpy.asarray(best.x))
print("numpyro", np.asarray(target.theta(chain.get_samples())).mean(axis=0))

try:
    import emcee
except ImportError:
    print("emcee   is not installed; pip install emcee to sample with it")
else:
    density = jax.jit(lambda u: target.ln_density(u))
    sampler = emcee.EnsembleSampler(8, len(free), lambda u: float(density(u)))
    sampler.run_mcmc(best.x + 0.1 * np.random.default_rng(0).normal(size=(8, len(free))), 20)
    print("emcee  ", np.asarray(target.theta(sampler.get_chain(flat=True))).mean(axis=0))
