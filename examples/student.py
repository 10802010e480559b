"""A student's first day: make galaxies, look at them, change one number, and see what it does.

python examples/student.py OUT [HALOS]
"""

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np

import corundum as co

co.configure()
out, number = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300
out.mkdir(parents=True, exist_ok=True)

# Dark-matter halos that grow, a model of the galaxies inside them, and the galaxies at two redshifts.
halos = co.halos.monte_carlo_trees(number, log_mvir=(10.5, 12.5), key=0)
model = co.models.MinimalRegulator()
population = co.evolve(model, halos, redshifts=[0.0, 2.0])
print(halos, model, population, sep="\n\n")

# A population is a mapping of quantities, and halos can be chosen.
today = population.at(0.0)
print("\nquantities:", ", ".join(today))
milky_way = today[np.abs(np.log10(today["mvir"]) - 12.0) < 0.2]
stars = float(jnp.median(milky_way["mstar"]))
print(f"\nhalos like that of the Milky Way: {len(milky_way)}, median stellar mass {stars:.2g} Msun")
co.plots.save_figure(today.plot("mvir", "mstar"), out / "stars.png")

# Every number of the model has a name, a unit, a range and a source.  What does it do to vary one?
name = "mass_loading.constant"
print(f"\n{name}: {co.describe(model)[name]}")
swept = co.sweep(model, name, [0.3, 1.0, 3.0], halos)
for value, galaxies in zip(swept.values, swept.at(0.0), strict=True):
    print(f"  {value:g}: median lg Mstar {float(jnp.nanmedian(jnp.log10(galaxies['mstar']))):.2f}")

# Beside data, with their errors and provenance.
data = co.observables.load("shmr_behroozi19_sf")
print(data.summary())
co.plots.save_figure(co.plots.scaling_relation(today, data.relation, [data]), out / "beside_data.png")
