"""A simulator's first day: main branches of one's own simulation, galaxies in them, and the same in other halos.

    python examples/simulator.py OUT [HALOS]

Merger trees of known formats need no table: `co.halos.read_trees` and `corundum halos convert`
(docs/reference/halos.md).
"""

import csv
import sys
from pathlib import Path

import numpy as np

import corundum as co

co.configure()
out, number = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60
out.mkdir(parents=True, exist_ok=True)

# A table with one row per halo and snapshot, as a simulation would give it.
drawn = co.halos.monte_carlo_trees(number, log_mvir=(11.0, 12.5), key=1)
scale_factor = 1.0 / (1.0 + np.asarray(drawn.redshift))
with open(out / "branches.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["halo_id", "scale_factor", "mvir"])
    for halo, curve in enumerate(np.asarray(drawn.log_mvir)):
        table.writerows((halo, a, 10.0**mass) for a, mass in zip(scale_factor, curve, strict=True) if mass > 9.0)

# Read, with everything that was done to them told; keep them in one file.
halos = co.halos.read_table(out / "branches.csv", units={"mvir": "Msun"})
print(halos)
print(*(f"{key}: {text}" for key, text in halos.provenance), sep="\n")
co.halos.save(out / "halos.h5", halos)
halos = co.halos.read(out / "halos.h5")

# How do they grow beside smooth halos of the same masses?
smooth = co.halos.diffmah_population(number, log_mvir=(11.0, 12.5), key=2)
axes = co.plots.compare_histories(halos, smooth, ("simulation", "smooth"), bins=2)
co.plots.save_figure(axes, out / "growth.png")

# Galaxies in both, the same model; what failed is counted and never silent.
model = co.models.MinimalRegulator()
populations = [co.evolve(model, sample, [0.0, 1.0]) for sample in (halos, smooth)]
for population in populations:
    print(population.status_counts(), f"lg Mstar {np.nanmedian(np.log10(population.at(0.0)['mstar'])):.2f}")
co.save(out / "galaxies.h5", populations[0], halos, model=model)
print(co.load(out / "galaxies.h5"))
axes = co.plots.compare_relation(
    [population.at(0.0) for population in populations], co.observables.StellarToHaloMass(), ("simulation", "smooth")
)
co.plots.save_figure(axes, out / "galaxies.png")
