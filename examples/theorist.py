"""A theorist's first day: a law of one's own in a model, what it changes, and which flow carries the change.

python examples/theorist.py OUT [HALOS]
"""

import sys
from pathlib import Path

import jax.numpy as jnp
from jaxtyping import Array

import corundum as co
from corundum.parameters import parameter
from corundum.physics import AbstractScaling

co.configure()
out, number = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60
out.mkdir(parents=True, exist_ok=True)


class MomentumLoading(AbstractScaling):
    """Mass loading of momentum-driven winds, sigma_0 / V (Murray, Quataert & Thompson 2005)."""

    velocity: Array = parameter(
        150.0, unit="km/s", meaning="velocity of unit loading", source="choice", bounds=(50.0, 500.0), scale="log10"
    )

    def __call__(self, vvir, redshift):
        return self.velocity / vvir


halos = co.halos.monte_carlo_trees(number, log_mvir=(10.5, 12.5), key=0)
models = {"constant": co.models.MinimalRegulator()}
models["momentum"] = co.models.MinimalRegulator(mass_loading=MomentumLoading())
galaxies = {name: co.evolve(model, halos).at(0.0) for name, model in models.items()}
relation = co.observables.StellarToHaloMass()
axes = co.plots.compare_relation(list(galaxies.values()), relation, list(galaxies))
co.plots.save_figure(axes, out / "two_laws.png")


# Exact derivatives of any summary; the mode of differentiation is chosen.
def median_log_mstar(galaxies):
    return jnp.nanmedian(jnp.log10(galaxies["mstar"]))


names = ["mass_loading.velocity", "energy_loading.amplitude", "depletion_time.amplitude"]
slopes = co.gradient(median_log_mstar, models["momentum"], names, halos)
print(slopes)
for name, value in zip(slopes.labels("parameter"), slopes.values, strict=True):
    print(f"  {name:28} {value:+.3f}")

# Which flow carries the change?
routes = co.sensitivity.routes(models["momentum"], halos[:4], names[:1])
one = routes.derivative.sel(halo=0, redshift=0.0, quantity="mstar", parameter=names[0])
channels = co.sensitivity.by_channel_group(one)
print(channels)
for name, value in zip(channels.labels("channel"), channels.values, strict=True):
    print(f"  {name:28} {value:+.3f}")
