"""Time gradients of the log posterior and the standard problem; study how many halos it needs.

    python benchmarks/inference.py -o out/benchmarks --only gradient standard convergence
    python benchmarks/inference.py -o out/benchmarks --only agreement --method nuts    # and an ensemble
    python benchmarks/inference.py -o out/benchmarks --only gradient --peer ENV/bin/python published_package.py

The standard problem: eight parameters of `pandya26()`, stellar-to-halo mass, cold gas, gas-phase metals, four chains.
``--peer`` is the command that `benchmarks/solver.py` describes; its gradient becomes a ratio.  Results go to
inference.json.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

from corundum.configuration import configure

configure()

import jax  # noqa: E402
import numpy as np  # noqa: E402

import corundum as co  # noqa: E402
from corundum import inference  # noqa: E402

DATA = ("shmr_behroozi19_sf", "coldgas_xgass", "gasmzr_curti20")


def standard(halos, tolerance=inference.TOLERANCE, *, model="pandya26", candidates=16, monte_carlo_error=0.5):
    sample = co.halos.monte_carlo_trees(halos, log_mvir=(10.0, 12.6), key=1, candidates=candidates)
    solver = co.numerics.LaneSolver(tolerance=tolerance)
    return inference.Target(
        getattr(co.models, model)(), sample, DATA, co.models.PANDYA26_FREE, redshifts=[0.0], solver=solver,
        monte_carlo_error=monte_carlo_error,
    )  # fmt: skip


def timed(function, *args, repeats=7):
    began = time.perf_counter()
    jax.block_until_ready(function(*args))
    first, walls = time.perf_counter() - began, []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(function(*args))
        walls.append(time.perf_counter() - began)
    return first, float(np.median(walls)), min(walls)


def gradient(peer):
    """Value and gradient at one point and at sixteen, and the error of gradients against a tighter solver."""
    rows = []
    for model, tolerance in (("ThermalCGM", 1e-4), ("ThermalCGM", 3e-5), ("pandya26", 1e-4)):
        for halos in (100, 1000):
            target, fine = (standard(halos, value, model=model) for value in (tolerance, 1e-10))
            u = np.asarray(target.start())[None]
            near = u + 0.05 * np.random.default_rng(0).normal(size=(16 if halos == 100 else 4, u.shape[1]))
            slopes = [
                np.concatenate([inference.value_and_gradient(problem, point[None])[1] for point in near])
                for problem in (target, fine)
            ]
            off = np.linalg.norm(slopes[0] - slopes[1], axis=1) / np.linalg.norm(slopes[1], axis=1)
            for points in (1, 16) if halos == 100 else (1,):
                _, middle, least = timed(inference.value_and_gradient, target, near[:points])
                rows.append({"what": "value and gradient", "model": model, "tolerance": tolerance, "halos": halos,
                             "points": points, "median_s": middle, "min_s": least,
                             "error_median": float(np.median(off)), "error_max": float(off.max())})  # fmt: skip
                print(rows[-1], flush=True)
    if peer:
        command = [*peer, "--halos", "100", "1000", "--what", "gradient"]
        printed = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        records = [json.loads(line) for line in printed if line.startswith("{")]
        theirs = {record["halos"]: record["median_s"] for record in records}
        for row in rows:
            if row["points"] == 1:
                row["peer_s"] = theirs[row["halos"]]
                row["ratio"] = row["peer_s"] / row["median_s"]
                print(row, flush=True)
    return rows


def standard_problem(halos, method, check):
    """Mode, Laplace approximation and chains of the standard problem, with compilation; with `check`, walkers too."""
    began = time.perf_counter()
    target, _ = standard(halos).within_reach()
    best = inference.maximise(target, starts=8)
    gauss = inference.laplace(target, best)
    mode = time.perf_counter() - began
    kind = inference.HMC if method == "hmc" else inference.NUTS
    posterior = inference.sample(target, gauss, sampler=kind(chains=4, warmup=150, draws=400))
    total = time.perf_counter() - began
    print(best.in_words(), posterior.verdict.sentence, f"{mode:.0f} s to the mode, {total:.0f} s in all", flush=True)
    steps, percentiles = float(posterior.data.sample_stats.n_steps.mean()), posterior.percentiles().tolist()
    row = {
        "what": "standard problem",
        "method": method,
        "halos": halos,
        "mode_s": mode,
        "total_s": total,
        "steps": steps,
    }
    rows = [{**row, **numbers(posterior.verdict.table), "percentiles": percentiles}]
    return [*rows, agreement(target, gauss, posterior)] if check else rows


def agreement(target, gauss, posterior):
    """Medians and 68% intervals of gradient-free walkers, and of the Laplace approximation, beside those of the chains.

    The median of n independent Gaussian draws is known to 1.25 standard deviations over the root of n.
    """
    began = time.perf_counter()
    ensemble = inference.sample(target, gauss, sampler=inference.AffineInvariant(walkers=64, warmup=400, draws=1200))
    row = {"what": "agreement", "ensemble_s": time.perf_counter() - began, **numbers(ensemble.verdict.table)}
    summaries = []
    for result in (posterior, ensemble):
        draws = result.u.reshape(-1, result.u.shape[-1])
        low, median, high = np.percentile(draws, (15.865, 50.0, 84.135), axis=0)
        width = 0.5 * (high - low)
        summaries.append((median, width, 1.25 * width / np.sqrt(result.verdict.table["ess_bulk"])))
    (median, width, error), (other, its_width, its_error) = summaries
    row |= {
        "z_of_medians": ((other - median) / np.hypot(error, its_error)).tolist(),
        "shift_of_medians": ((other - median) / width).tolist(), "ratio_of_widths": (its_width / width).tolist(),
        "shift_of_mode": ((gauss.u - median) / width).tolist(),
        "ratio_of_laplace": (np.sqrt(np.diag(gauss.covariance)) / width).tolist(),
    }  # fmt: skip
    print(row, flush=True)
    return row


def numbers(table):
    return {key: [float(v) for v in values] for key, values in table.items()}


def convergence():
    """How far the mode moves when halos are replaced, by random ones and by representative ones."""
    start = inference.maximise(standard(60, candidates=1, monte_carlo_error=1.0).within_reach()[0], starts=4)
    rows = []
    for candidates, error in ((1, 1.0), (16, 0.5)):
        target, _ = standard(1920, candidates=1, monte_carlo_error=error).within_reach()
        result = inference.halo_convergence(target, start.u, (30, 60, 120, 240), repeats=6, candidates=candidates)
        print(f"{candidates} candidates for each halo", result.table(), sep="\n", flush=True)
        arrays = {"sizes": result.sizes, "shift": result.shift, "width": result.width}
        numbers = {name: array.tolist() for name, array in arrays.items()}
        rows.append({"what": "halo convergence", "candidates": candidates, "names": result.names, **numbers})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=["gradient", "standard", "agreement", "convergence"],
        default=["gradient", "standard"],
    )
    parser.add_argument("--halos", type=int, default=60, help="of the standard problem")
    parser.add_argument("--method", choices=["hmc", "nuts"], default="hmc", help="of the standard problem's chains")
    parser.add_argument("--peer", nargs="+")
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    rows = []
    if "gradient" in chosen.only:
        rows += gradient(chosen.peer)
    if {"standard", "agreement"} & set(chosen.only):
        rows += standard_problem(chosen.halos, chosen.method, "agreement" in chosen.only)
    if "convergence" in chosen.only:
        rows += convergence()
    (chosen.output / "inference.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
