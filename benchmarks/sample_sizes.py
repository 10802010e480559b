"""How well mean relations of a few halos stand for those of thousands, and how much formation time explains.

    python benchmarks/sample_sizes.py -o out/benchmarks [--repeats 12]

Root mean square difference [dex] of the mean relations of samples of 60, 120 and 240 halos, random ones at even masses
and representative ones, from those of 4000 halos, at the points of three measurements under `pandya26`; and the share
of the variance of log Mstar at fixed halo mass that the half-mass time of the halo explains.  Results go to
sample_sizes.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import corundum as co

DATA = ("shmr_behroozi19_sf", "coldgas_xgass", "gasmzr_curti20")
MASSES = (10.0, 12.6)


def relations(model, halos):
    """Mean of each relation at the points of its data; NaN where the galaxies do not reach."""
    galaxies = co.evolve(model, halos, [0.0]).at(0.0)
    return [co.observables.load(name).predict(galaxies).mean for name in DATA]


def formation(model, halos):
    """Scatter of log Mstar about a cubic in log Mvir [dex], and about one in log Mvir and half-mass time."""
    log_mstar = np.log10(co.evolve(model, halos, [0.0]).at(0.0)["mstar"])
    log_mvir, time = np.asarray(halos.log_mvir), np.asarray(halos.time)
    final = log_mvir[:, -1]
    after = np.argmax(log_mvir >= final[:, None] - np.log10(2.0), axis=1)
    m, t = final - final.mean(), time[after] - time[after].mean()
    by_mass = np.stack([m**power for power in range(4)], axis=1)
    by_both = np.stack([m**i * t**j for i in range(4) for j in range(4)], axis=1)
    good = np.isfinite(log_mstar)
    scatter = []
    for terms in (by_mass, by_both):
        fitted = terms[good] @ np.linalg.lstsq(terms[good], log_mstar[good], rcond=None)[0]
        scatter.append(float(np.std(log_mstar[good] - fitted)))
    return {
        "about_mass": scatter[0],
        "about_mass_and_time": scatter[1],
        "explained": 1.0 - (scatter[1] / scatter[0]) ** 2,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=12)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    co.configure()
    model = co.models.pandya26()
    many = co.halos.monte_carlo_trees(4000, log_mvir=MASSES, key=1000)
    truth, rows = relations(model, many), [formation(model, many)]
    print(json.dumps(rows[0]), flush=True)
    for number in (60, 120, 240):
        for how, candidates in (("random at even masses", 1), ("representative", 16)):
            squares = [[] for _ in DATA]
            for key in range(options.repeats):
                halos = co.halos.monte_carlo_trees(number, log_mvir=MASSES, key=key, candidates=candidates)
                for square, own, all_ in zip(squares, relations(model, halos), truth, strict=True):
                    square.append((np.asarray(own) - np.asarray(all_)) ** 2)
            errors = [float(np.sqrt(np.nanmean(square))) for square in squares]
            rows.append(
                {"halos": number, "how": how, **{name: round(e, 4) for name, e in zip(DATA, errors, strict=True)}}
            )
            print(json.dumps(rows[-1]), flush=True)
    (options.output / "sample_sizes.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
