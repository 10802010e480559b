"""Draw docs/images/quickstart.png from the results of examples/quickstart.toml.

python docs/images/quickstart.py out/results.h5
"""

import sys
from pathlib import Path

import corundum as co
from corundum.plots.style import new_panels, styled

PANELS = [
    (0.0, ["shmr_behroozi19_sf"]),
    (0.0, ["coldgas_xgass"]),
    (0.1, ["gasmzr_curti20", "gasmzr_andrews13"]),
]


@styled
def picture(results):
    """Three relations over their data, and where the baryons are."""
    axes = new_panels(2, 2, size=(11.0, 8.4))
    # First, because its legend beside the axes makes all of them narrower.
    fraction = float(results.halos.cosmology.baryon_fraction)
    co.plots.baryon_budget(results.population, ax=axes[1, 1], baryon_fraction=fraction)
    for ax, (redshift, names) in zip(axes.flat, PANELS, strict=False):
        data = [co.observables.load(name) for name in names]
        co.plots.scaling_relation(results.population.at(redshift), data[0].relation, data, ax=ax)
    return axes


co.configure()
co.plots.save_figure(picture(co.load(sys.argv[1])), Path(__file__).with_suffix(".png"))
