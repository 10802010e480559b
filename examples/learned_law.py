"""Which law do data demand when nobody assumes a power law?  A break in the energy loading, planted and learned.

    python examples/learned_law.py OUT [HALOS]

Mock data come from a model whose energy loading is flat below 70 km/s; their errors are those of the published
relations.  The law is then learned as a power law times a Gaussian process, and fitted as a power law alone for
comparison.  Mock data and fits share their halos, so that what is tested is the law and not the number of halos.
"""

import sys
from pathlib import Path

import numpy as np

import corundum as co
from corundum import inference, models, physics

co.configure()
out, number = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60
out.mkdir(parents=True, exist_ok=True)

halos = co.halos.monte_carlo_trees(number, log_mvir=(10.3, 13.0), key=0)
data = ["shmr_behroozi19_sf", "shmr_behroozi19_z2", "coldgas_xgass"]
truth = physics.ExpressionLaw("0.1 * (125 / vvir) * (1 + (70 / vvir) ** 4) ** (-0.25)")


def target_of(law, free, priors=None):
    """The posterior of `free` parameters of a model with this energy loading."""
    model = models.ThermalCGM(energy_loading=law)
    return inference.Target(model, halos, data, free, priors, redshifts=[0.0, 2.0])


# ---- mock data with noise

source = target_of(truth, ["mass_loading.amplitude"])
source, unreached = source.within_reach()
mock, _ = inference.mock_data(source, np.asarray(source.start())[None], None, True, 3)
mock = np.where(np.isfinite(source.data.y), mock[0], np.nan)
print(f"{np.isfinite(mock).sum()} mock data points of {', '.join(data)}; not reached: {unreached}")

# ---- the law learned: a power law times a smooth function of virial velocity

law = physics.gaussian_process_law(
    "log_vvir", base=physics.EnergyLoading(), knots=(1.4, 1.6, 1.8, 2.0, 2.2, 2.4), amplitude=0.3, lengths=0.3
)
priors = inference.departure_priors(models.ThermalCGM(energy_loading=law))
learned = target_of(law, list(priors), priors).with_data(mock)
mode = inference.maximise(learned, starts=1)
gaussian = inference.laplace(learned, mode)
bands = inference.law_bands(learned, gaussian.draws(400, key=0), "energy_loading")

# ---- the same data with a power law

power_law = target_of(physics.EnergyLoading(), ["energy_loading.amplitude", "energy_loading.slope"]).with_data(mock)
power_mode = inference.maximise(power_law, starts=1)
power = inference.law_bands(power_law, power_mode.theta[None], "energy_loading")

# ---- what was learned, where the data look

prior = inference.law_bands(learned, learned.theta(learned.prior_draws(400, key=1)), "energy_loading")
width, prior_width = (np.ptp(np.log10(one.percentiles[[1, 3]]), axis=0) / 2 for one in (bands, prior))
seen = width < 0.6 * prior_width
planted = truth.formula({"vvir": bands.vvir})
errors = {
    name: np.log10(one.percentiles[2] / planted)[seen] for name, one in (("learned", bands), ("power law", power))
}
print(f"the data determine the law from {bands.vvir[seen].min():.0f} to {bands.vvir[seen].max():.0f} km/s")
for name, error in errors.items():
    print(f"{name}: rms error {np.sqrt(np.mean(error**2)):.3f} dex there, largest {np.abs(error).max():.3f} dex")
inside = (bands.percentiles[0] < planted) & (planted < bands.percentiles[4])
print(f"the truth lies within the 95% band at {inside.mean():.0%} of all velocities")
print(inference.identifiability(learned, mode).in_words().splitlines()[0])

# ---- a formula for it, from the galaxies of the model that was learned

best = co.replace(learned.summaries.model, {name: float(value) for name, value in learned.values(mode.u).items()})
galaxies = co.evolve(best, halos, [0.0, 1.0, 2.0])
print(inference.distil(galaxies, "energy_loading", "log_vvir"))

others = {"power law fitted": power.percentiles[2], "planted": planted}
ax = co.plots.law_band(bands, also=others)
ax.axvspan(bands.vvir[seen].min(), bands.vvir[seen].max(), color="0.95", zorder=0)  # where the data determine it
co.plots.save_figure(ax, out / "learned_law.png")
