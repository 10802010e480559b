"""Which parameter moves stellar mass most, over the whole prior and all halo masses?

    python examples/prior_sensitivity.py [parameter sets] [halos] [folder]

Reproduces the finding of Pandya et al. 2026 (arXiv:2604.06318) that the amplitude of the energy loading carries the
largest fractional sensitivity, with exact Jacobians of the published model over a Latin hypercube of its prior, and
shows how it depends on the unit of the parameters.  It writes the maps as a figure and prints the largest columns.
"""

import sys
from pathlib import Path

import numpy as np

import corundum as co

co.configure()

sets, number = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (200, 32)
folder = Path(sys.argv[3] if len(sys.argv) > 3 else ".")

model = co.models.pandya26()
halos = co.halos.monte_carlo_trees(number, log_mvir=(10.0, 12.1), key=3)
names = co.models.PANDYA26_FREE
box = co.sensitivity.prior_box(model, names)
design = co.sensitivity.latin_hypercube(box, sets, key=0)

# One Jacobian for each parameter set: d lg(state) / d theta with theta as given, the published convention.
jacobians = co.sensitivity.JacobiansOf(model, halos, coordinates=co.sensitivity.AsGiven())
study = co.sensitivity.run_study(jacobians, design)
jacobian, log_mvir = study.outputs["jacobian"][:, :, 0], study.outputs["log_mvir"][:, :, 0]
print(f"{sets} parameter sets x {number} halos, {study.failed()} solves failed")

# The maps: phi_j of the whole state, and of stellar mass alone (one row of each Jacobian).
whole = co.sensitivity.fractional_norms(jacobian)
stars = co.sensitivity.fractional_norms(jacobian[:, :, :1])
bins = max(3, min(15, int(sets**0.5)))
maps = co.plots.prior_maps(co.sensitivity.prior_map(design, log_mvir, whole, bins=bins))
co.plots.save_figure(maps[0, 0], folder / "prior_sensitivity.png")

# The same row per prior width: how much each parameter changes stellar mass over its whole range.
slope = np.where(box.log10, np.log(10.0) * design.values, 1.0) * (box.high - box.low)
per_width = co.sensitivity.fractional_norms(jacobian[:, :, :1] * slope[:, None, None, :])


def print_largest(title, phi):
    print(f"\n{title}: mean phi_j in bins of halo mass, and the largest")
    for low in np.arange(10.0, 12.0, 0.5):
        in_bin = (log_mvir >= low) & (log_mvir < low + 0.5) & np.isfinite(phi).all(axis=-1)
        mean = phi[in_bin].mean(axis=0)
        largest = ", ".join(f"{names[j]} {mean[j]:.2f}" for j in np.argsort(-mean)[:3])
        print(f"  {low:.1f}-{low + 0.5:.1f}  ({int(in_bin.sum())} galaxies)  {largest}")
    solved = np.isfinite(phi).all(axis=-1)
    share = np.mean(np.argmax(phi[solved], axis=-1) == names.index("energy_loading.amplitude"))
    print(f"  energy_loading.amplitude is the largest in {100 * share:.0f}% of all galaxies")


print_largest("whole state, linear amplitudes (published)", whole)
print_largest("stellar mass, linear amplitudes", stars)
print_largest("stellar mass, per prior width", per_width)
