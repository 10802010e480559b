"""Which winds do the data want: python docs/images/prevention_or_ejection.py -o out/hypotheses

Calibrates nested models on growing parts of the survey "reference": winds that eject and heat, that do one of both,
without a law that keeps gas out, and galaxies without black holes.  Each begins at the calibrated model, with what it
leaves out removed, or at the best of points spread over its prior.  Evidences of one part of the data are taken on the
points that all hypotheses reach.  Some three to eight minutes each on two quiet cores; evaluations are kept, so that
the command can be repeated, and calibrations too.
"""

import argparse
import json
import time
import tomllib
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import corundum as co
from corundum import inference, models

ROOT = Path(__file__).parents[2]
NO_EJECTION = {
    "mass_loading.amplitude": 0.01, "mass_loading.slope": 0.0, "mass_loading.redshift_exponent": 0.0,
    "mass_loading.slope_redshift": 0.0, "energy_loading.amplitude": 0.2, "energy_loading.slope": -1.0,
}  # fmt: skip
NO_HEATING = {"energy_loading.amplitude": 0.01, "energy_loading.slope": 0.0, "energy_loading.redshift_exponent": 0.0}
NO_LAW = {"prevention.floor": 0.96, "prevention.ceiling": 0.9641}
NO_BLACK_HOLES = {"processes.black_hole.hot.rate": 1e-5, "processes.black_hole.feedback.kinetic": 1e-3}
HYPOTHESES = {
    "everything": ({}, ()),
    "ejection alone": (NO_HEATING | NO_LAW, ("energy_loading", "prevention")),
    "prevention alone": (NO_EJECTION, ("mass_loading",)),
    "heating alone": (NO_EJECTION | NO_LAW, ("mass_loading", "prevention")),
    "no black holes": (NO_BLACK_HOLES, ("processes.black_hole.hot", "processes.black_hole.feedback")),
}
TRIO = ("shmr_behroozi19", "coldgas_xgass", "gasmzr_curti20")
RATES = (*TRIO, "sfms_davies16", "sfms_koprowski24_z2")
STARS = (*RATES, "shmr_behroozi19_z2", "smf_driver22", "smf_weaver23_z1", "smf_weaver23_z2")
GAS = (*STARS, "himf_jones18", "h2mf_fletcher21", "gasmzr_sanders21_z2")
DATA = {"trio": TRIO, "rates": RATES, "stars": STARS, "gas": GAS, "all": None}
"""The three relations of today of the published inference, and what is added to them; None stands for every test."""


def calibrated(name, data, folder, halos, starts, rounds):
    """Calibrate one hypothesis and write its file; evaluations of an earlier call are not made again."""
    settings = tomllib.loads((ROOT / "examples" / "reference.toml").read_text(encoding="utf-8"))["calibrate"]
    survey, chosen = co.observables.survey("reference"), DATA[data]
    tests = tuple(t._replace(calibrates=chosen is None or t.measurement.name in chosen) for t in survey.tests)
    change, gone = HYPOTHESES[name]
    free = [number for number in settings["free"] if not number.startswith(tuple(gone) or ("-",))]
    stem, began = _stem(folder, name, data), time.perf_counter()
    result = inference.calibrate(
        co.replace(models.reference(), change), halos, survey._replace(tests=tests), free,
        ties=settings["ties"], rounds=rounds, starts=1 if name in ("everything", "no black holes") else starts,
        difference=0.2, damping=0.3, slope_thinning=4, store=co.io.Checkpoint(stem.with_suffix(".npz")),
    )  # fmt: skip
    co.io.save_calibration(stem.with_suffix(".json"), result, {"hypothesis": name, "data": data})
    print(f"{data}, {name}: {time.perf_counter() - began:.0f} s\n{result}\n", flush=True)
    return result


def _stem(folder, name, data):
    return folder / f"{name} {data}".replace(" ", "_")


def table(results, data):
    """One row for each hypothesis, with evidences on the points that all reach."""
    evidences, points = inference.ln_evidences(list(results.values()))
    for (name, result), ln_evidence in zip(results.items(), evidences, strict=True):
        first, *rounds = result.fit.misfit
        within, fitted = result.after.counts(True)
        columns = (
            name, data, len(result.free), f"{first:.0f}", f"{rounds[-1]:.0f}", len(rounds), result.points, points,
            f"{ln_evidence:.1f}", f"{within} of {fitted}",
        )  # fmt: skip
        yield "| " + " | ".join(map(str, columns)) + " |"


def draw(evidences, path):
    """ln evidence of each hypothesis over that of everything, against the data."""
    figure, axes = plt.subplots(figsize=(7.2, 3.6), constrained_layout=True)
    names = {name: None for by_name in evidences.values() for name in by_name}
    for number, name in enumerate(names):
        known = [(i, by_name[name] - by_name["everything"]) for i, by_name in enumerate(evidences.values())
                 if name in by_name]  # fmt: skip
        axes.plot(*np.array(known).T, marker="os^Dv"[number], ls=("-", "--", "-.", ":", "-")[number], label=name)
    axes.axhspan(-3.0, 3.0, color="0.92", lw=0)
    axes.set(
        xticks=np.arange(len(evidences)), xticklabels=list(evidences), ylabel="ln evidence over that of everything"
    )
    figure.legend(frameon=False, fontsize=8.5, loc="outside upper center", ncols=3)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--trees", type=int, default=180)
    parser.add_argument("--earlier-trees", type=int, default=60)
    parser.add_argument("--starts", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=list(DATA))
    parser.add_argument("--hypotheses", nargs="+", default=list(HYPOTHESES), choices=list(HYPOTHESES))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    co.configure()
    halos = [
        co.halos.complete_forest(0.0, options.trees, key=1),
        co.halos.complete_forest(2.2, options.earlier_trees, log_mvir=(9.8, 13.4), key=11),
    ]
    rows, evidences = [], {}
    for data in options.data:
        results = {
            name: calibrated(name, data, options.output, halos, options.starts, options.rounds)
            for name in options.hypotheses
        }
        rows += table(results, data)
        evidences[data] = dict(zip(results, inference.ln_evidences(list(results.values()))[0], strict=True))
        (options.output / "evidences.json").write_text(json.dumps(evidences, indent=1))
    columns = [
        "hypothesis", "data", "numbers", "misfit at the start", "after", "rounds", "points", "points in common",
        "ln evidence", "within",
    ]  # fmt: skip
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|\n" + "\n".join(rows))
    if "everything" in options.hypotheses:
        draw(evidences, Path(__file__).with_suffix(".png"))
