"""An observer's first day: data of one's own in a file, beside a model, and what they say about its parameters.

python examples/observer.py OUT [HALOS]
"""

import sys
from pathlib import Path

import numpy as np

import corundum as co

co.configure()
out, number = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60
out.mkdir(parents=True, exist_ok=True)

# A catalogue becomes a measurement with a covariance.  This one is drawn; yours comes from a table.
rng = np.random.default_rng(1)
log_mstar = rng.uniform(9.0, 11.0, 800)
catalogue = {"lmass": log_mstar, "sfr": 10.0 ** (0.8 * (log_mstar - 10.0) + 0.1 + rng.normal(0.0, 0.3, 800))}
survey = co.observables.regress_catalogue(
    catalogue, co.observables.StarFormingMainSequence(), x="lmass", y=lambda rows: np.log10(rows["sfr"]),
    name="survey", citation="drawn for this example", nodes=np.arange(9.25, 11.0, 0.25), systematic=0.1,
)  # fmt: skip
print(survey.summary())

# Published points go into a file: docs/how_to/measurements.md describes it.
header = dict(
    relation="StellarToHaloMass", citation="drawn for this example", redshift=0.0, statistic="median",
    error_kind="standard error", bandwidth=0.2, imf="Chabrier", h=0.7, calibration="none",
)  # fmt: skip
rows = ["x y sigma", "11.0 -2.4 0.1", "11.5 -1.9 0.1", "12.0 -1.7 0.1"]
(out / "mine.txt").write_text("\n".join([*(f"# {key}: {value}" for key, value in header.items()), *rows]))

# Beside a model: points that its galaxies do not reach are NaN.
model = co.models.MinimalRegulator()
halos = co.halos.monte_carlo_trees(number, log_mvir=(10.5, 12.5), key=0)
galaxies = co.evolve(model, halos).at(0.0)
print(survey.predict(galaxies).mean - survey.y)
figure = co.plots.scaling_relation(galaxies, survey.relation, [survey, "sfms_davies16"])
co.plots.save_figure(figure, out / "survey.png")

# What do the data say about two numbers of the model?
free = ["mass_loading.constant", "depletion_time.amplitude"]
target = co.inference.Target(model, halos, [survey, out / "mine.txt"], free)
target, left_out = target.within_reach()
print(target, f"points left out: {left_out or 'none'}", sep="\n")
best = co.inference.maximise(target, starts=2)
print(best, co.inference.laplace(target, best), sep="\n")
