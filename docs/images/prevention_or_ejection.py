"""Which winds do the data want: python docs/images/prevention_or_ejection.py -o out/hypotheses

Calibrates nested models on the survey "reference": winds that eject and heat, that do one of both, without a law that
keeps gas out, and galaxies without black holes; on the measurements of today alone, and on all of them.  Each begins
at the calibrated model, with what it leaves out removed, or at the best of points spread over its prior.  Some three
to eight minutes each on two quiet cores; evaluations are kept, so that the command can be repeated.
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


def calibrated(name, data, folder, trees, starts, rounds):
    """Calibrate one hypothesis and write its file; evaluations of an earlier call are not made again."""
    settings = tomllib.loads((ROOT / "examples" / "reference.toml").read_text(encoding="utf-8"))["calibrate"]
    survey = co.observables.survey("reference")
    if data == "today":
        tests = tuple(test._replace(calibrates=test.calibrates and test.redshift == 0.0) for test in survey.tests)
        survey = survey._replace(tests=tests)
    change, gone = HYPOTHESES[name]
    free = [number for number in settings["free"] if not number.startswith(tuple(gone) or ("-",))]
    stem = _stem(folder, name, data)
    began = time.perf_counter()
    result = inference.calibrate(
        co.replace(models.reference(), change), co.halos.complete_forest(0.0, trees, key=1), survey, free,
        ties=settings["ties"], rounds=rounds, starts=1 if name == "everything" else starts, difference=0.2, damping=0.3,
        slope_thinning=4, store=co.io.Checkpoint(stem.with_suffix(".npz")),
    )  # fmt: skip
    co.io.save_calibration(stem.with_suffix(".json"), result, {"hypothesis": name, "data": data})
    print(f"{data}, {name}: {time.perf_counter() - began:.0f} s\n{result}\n", flush=True)


def _stem(folder, name, data):
    return folder / f"{name} {data}".replace(" ", "_")


def stored(folder, data):
    """What was calibrated on these data, by hypothesis, as the files say."""
    files = {name: _stem(folder, name, data).with_suffix(".json") for name in HYPOTHESES}
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}


def row(name, data, content):
    fitted = [r["rms"] <= r["tolerance"] for r in content["residuals"] if r["calibrates"]]
    first, *_, last = content["misfit"]
    return [name, data, len(content["lower"]), f"{first:.0f}", f"{last:.0f}", len(content["misfit"]) - 1,
            content["points"], f"{content['ln_evidence']:.1f}", f"{sum(fitted)} of {len(fitted)}"]  # fmt: skip


def draw(contents, path):
    """Residuals of each fitted measurement, in tolerances, for all hypotheses."""
    figure, axes = plt.subplots(figsize=(8.0, 4.4), constrained_layout=True)
    for k, (name, content) in enumerate(contents.items()):
        rows = [r for r in content["residuals"] if r["calibrates"]]
        axes.plot([r["rms"] / r["tolerance"] for r in rows], np.arange(len(rows)) + 0.14 * (k - 2), "os^Dv"[k],
                  label=f"{name}, ln Z = {content['ln_evidence']:.0f}", ms=5)  # fmt: skip
    axes.axvline(1.0, color="0.5", lw=1)
    names = [f"{r['measurement']}, z = {r['redshift']:g}" for r in rows]
    axes.set(yticks=np.arange(len(names)), yticklabels=names, xlabel="rms of model minus data, over the tolerance",
             xscale="log")  # fmt: skip
    axes.set_xticks([0.5, 1.0, 2.0, 4.0], ["0.5", "1", "2", "4"])
    axes.minorticks_off()
    axes.grid(axis="y", color="0.9", lw=0.6)
    axes.invert_yaxis()
    figure.legend(frameon=False, fontsize=8.5, loc="outside upper center", ncols=3)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--trees", type=int, default=180)
    parser.add_argument("--starts", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", nargs="+", default=["all", "today"], choices=["all", "today"])
    parser.add_argument("--hypotheses", nargs="+", default=list(HYPOTHESES), choices=list(HYPOTHESES))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    co.configure()
    for data in options.data:
        for name in options.hypotheses:
            calibrated(name, data, options.output, options.trees, options.starts, options.rounds)
    columns = [
        "hypothesis",
        "data",
        "numbers",
        "misfit at the start",
        "after",
        "rounds",
        "points",
        "ln evidence",
        "within",
    ]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    for data in ("all", "today"):
        for name, content in stored(options.output, data).items():
            print("| " + " | ".join(map(str, row(name, data, content))) + " |")
    if contents := stored(options.output, "all"):
        draw(contents, Path(__file__).with_suffix(".png"))
