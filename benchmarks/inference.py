"""Time gradients of the log posterior and the standard problem; study how many halos it needs.

    python benchmarks/inference.py -o out/benchmarks --only gradient standard convergence
    python benchmarks/inference.py -o out/benchmarks --only standard --method surrogate --keys 0 1 2
    python benchmarks/inference.py -o out/benchmarks --only standard --method surrogate --halos 240
    python benchmarks/inference.py -o out/benchmarks --only shmr             # the stellar-to-halo relation alone
    python benchmarks/inference.py -o out/benchmarks --only fit_published    # the command, three fits and report
    python benchmarks/inference.py -o out/benchmarks --only mocks --mocks 20
    python benchmarks/inference.py -o out/benchmarks --only evidence         # by a bridge and by nested sampling
    python benchmarks/inference.py -o out/benchmarks --only agreement --method nuts    # and an ensemble
    python benchmarks/inference.py -o out/benchmarks --only gradient --peer ENV/bin/python published_package.py

The standard problem: eight parameters of `pandya26()`, stellar-to-halo mass, cold gas, gas-phase metals.  Its posterior
has two modes, of which chains that start about one of them by themselves do not find the other.
``--peer`` is the command that `benchmarks/solver.py` describes; its gradient becomes a ratio.  Results go to
inference.json.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from corundum.configuration import configure

configure()

import jax  # noqa: E402
import numpy as np  # noqa: E402

import corundum as co  # noqa: E402
from corundum import inference  # noqa: E402


def second_mode(theta):
    """Which draws, (..., P), are in the mode of high mass loading and low energy loading."""
    return (theta[..., 0] > 0.6) & (theta[..., 2] < -0.7)


DATA = ("shmr_behroozi19_sf", "coldgas_xgass", "gasmzr_curti20")


EXAMPLE = Path(__file__).parents[1] / "examples" / "fit_published.toml"
MOCK_SAMPLER = '{kind="inference.SurrogateHMC", chains=4, population=80, warmup=40, draws=150}'
MOCK_FIT = f'{{kind="inference.FitSampler", sampler={MOCK_SAMPLER}}}'


def standard(
    halos, tolerance=inference.TOLERANCE, *, model="pandya26", candidates=16, monte_carlo_error=0.5, data=DATA
):
    sample = co.halos.monte_carlo_trees(halos, log_mvir=(10.0, 12.6), key=1, candidates=candidates)
    solver = co.numerics.LaneSolver(tolerance=tolerance)
    return inference.Target(
        getattr(co.models, model)(), sample, data, co.models.PANDYA26_FREE, redshifts=[0.0], solver=solver,
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


def standard_problem(halos, method, check, key=0, data=DATA):
    """Chains of the standard problem, with compilation, and the mode where they need one; with `check`, walkers too."""
    began, cpu = time.perf_counter(), time.process_time()
    target, _ = standard(halos, data=data).within_reach()
    gauss, mode = None, 0.0
    if method != "surrogate" or check:
        best = inference.maximise(target, starts=8)
        gauss = inference.laplace(target, best)
        mode = time.perf_counter() - began
        print(best.in_words(), flush=True)
    sampler = {
        "surrogate": inference.SurrogateHMC(), "hmc": inference.HMC(chains=4, warmup=150, draws=400),
        "nuts": inference.NUTS(chains=4, warmup=150, draws=400),
    }[method]  # fmt: skip
    posterior = inference.sample(target, gauss, sampler=sampler, key=key)
    total = time.perf_counter() - began
    print(posterior.verdict.sentence, f"{mode:.0f} s to the mode, {total:.0f} s in all", flush=True)
    stats = posterior.data.sample_stats
    row = {
        "what": "standard problem", "data": list(data), "method": method, "halos": halos, "key": key, "mode_s": mode,
        "total_s": total, "cpu_s": time.process_time() - cpu, "acceptance": float(stats.acceptance_rate.mean()),
        "steps": float(stats.n_steps.mean()) if "n_steps" in stats else None, "draws": len(posterior.flat),
        "verdict": posterior.verdict.sentence, "second_mode": float(second_mode(posterior.theta).mean()),
    }  # fmt: skip
    rows = [{**row, **numbers(posterior.verdict.table), "percentiles": posterior.percentiles().tolist()}]
    return [*rows, agreement(target, gauss, posterior)] if check else rows


def evidence(networks, live, key=0):
    """Evidence and share of the second mode of the standard problem: a bridge from chains, and nested sampling."""
    target, _ = standard(60).within_reach()
    rows = []
    for method in ("bridge", "nested"):
        began, cpu = time.perf_counter(), time.process_time()
        if method == "bridge":
            posterior = inference.sample(target, sampler=inference.SurrogateHMC(), key=key)
            result = inference.bridge_evidence(target, posterior)
            ln_z, error, solves = result.ln_z, result.error, result.solves
        else:
            sampler = inference.NestedSampler(live=live, networks=networks)
            posterior = inference.sample(target, sampler=sampler, key=key, progress=lambda now: print(now, flush=True))
            attributes = posterior.data.attrs
            ln_z, error, solves = (attributes[name] for name in ("ln_evidence", "ln_evidence_error", "solves"))
        rows.append({
            "what": "evidence", "method": method, "networks": networks, "live": live, "key": key, "ln_z": float(ln_z),
            "error": float(error), "solves": int(solves), "total_s": time.perf_counter() - began,
            "cpu_s": time.process_time() - cpu, "second_mode": float(second_mode(posterior.theta).mean()),
            "percentiles": posterior.percentiles().tolist(),
        })  # fmt: skip
        print(rows[-1], flush=True)
    return rows


def command(what, output, *arguments):
    """Time of a command with all that it writes, in a process of its own, and the verdicts that it prints."""
    began = time.perf_counter()
    program = [sys.executable, "-m", "corundum", *arguments, "-o", str(output / what)]
    done = subprocess.run(program, capture_output=True, text=True)
    row = {
        "what": what, "total_s": time.perf_counter() - began, "arguments": arguments, "status": done.returncode,
        "printed": done.stdout.splitlines()[-60:], "errors": done.stderr.splitlines()[-10:],
    }  # fmt: skip
    print(done.stdout, done.stderr, f"{row['total_s']:.0f} s in all", sep="\n", flush=True)
    return [row]


def fit_published(output):
    """The three fits of the example with their report."""
    return command("fit_published", output, "fit", str(EXAMPLE))


def mocks(output, number):
    """Mocks of the three relations, each with chains of its own, and the coverage of their intervals."""
    return command(
        "mocks", output, "mocks", str(EXAMPLE), "--set", f"mocks.number={number}", "--set", f"mocks.fit={MOCK_FIT}",
        "--set", f"fit.combinations=[{json.dumps(DATA)}]",
    )  # fmt: skip


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


def control():
    """How far posterior means of few halos are from those of 1920, alone and with a control variate."""
    few, target = (standard(n, candidates=1, monte_carlo_error=1.0).within_reach()[0] for n in (60, 1920))
    reference = inference.control_variate(few, target.summaries.halos)
    chains = inference.sample(reference, sampler=inference.SurrogateHMC(chains=8, warmup=60, draws=150))
    draws = np.random.default_rng(0).permutation(chains.u.reshape(-1, len(target.names)))[:600]
    result = inference.control_convergence(target, reference, draws, (30, 60, 120))
    print(result.table(), flush=True)
    arrays = {name: np.asarray(array).tolist() for name, array in result._asdict().items()}
    return [{"what": "control variates", **arrays}]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=[
            "gradient",
            "standard",
            "shmr",
            "agreement",
            "convergence",
            "control",
            "evidence",
            "fit_published",
            "mocks",
        ],  # fmt: skip
        default=["gradient", "standard"],
    )
    parser.add_argument("--halos", type=int, default=60, help="of the standard problem")
    parser.add_argument(
        "--method", choices=["surrogate", "hmc", "nuts"], default="surrogate", help="of the chains"
    )  # fmt: skip
    parser.add_argument("--keys", type=int, nargs="+", default=[0], help="seeds of the chains, a row for each")
    parser.add_argument("--mocks", type=int, default=100, help="number of mocks")
    parser.add_argument("--networks", type=int, default=4, help="of nested sampling; 0 for ellipsoids alone")
    parser.add_argument("--live", type=int, default=1000, help="points of nested sampling")
    parser.add_argument("--peer", nargs="+")
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    rows = []
    if "gradient" in chosen.only:
        rows += gradient(chosen.peer)
    if {"standard", "agreement"} & set(chosen.only):
        for key in chosen.keys:
            rows += standard_problem(chosen.halos, chosen.method, "agreement" in chosen.only, key)
    if "shmr" in chosen.only:
        for key in chosen.keys:
            rows += standard_problem(chosen.halos, chosen.method, False, key, DATA[:1])
    if "evidence" in chosen.only:
        rows += evidence(chosen.networks, chosen.live)
    if "fit_published" in chosen.only:
        rows += fit_published(chosen.output)
    if "mocks" in chosen.only:
        rows += mocks(chosen.output, chosen.mocks)
    if "convergence" in chosen.only:
        rows += convergence()
    if "control" in chosen.only:
        rows += control()
    (chosen.output / "inference.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
