"""Time the population solver, its derivatives and a likelihood; optionally beside the published package.

    python benchmarks/solver.py -o out/benchmarks [--halos 10 100 1000 10000] [--only work sets ...]
    python benchmarks/solver.py -o out/benchmarks --peer ENV/bin/python published_package.py

Writes results.json, results.md and two figures: throughput against the number of halos, and the work-precision diagram.
A row holds the median and the minimum of several runs, the first call (compilation included), the largest error in
lg(state) against a solution at tolerance 1e-12, and the peak memory of the process so far.  --peer is a command that is
given the histories (time_gyr (T,), halo_log10 (N, 5, T) with rows log10 of dM/dt [Msun/yr], Mvir [Msun], Rvir [kpc],
Vvir [km/s] and concentration, start_gyr (N,)), ``--halos`` and numbers, and prints a JSON line per measurement with
``what``, ``halos`` and ``median_s``; its times become ratios.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from corundum.configuration import configure

configure()  # as the command line does

import equinox as eqx  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import matplotlib  # noqa: E402
import numpy as np  # noqa: E402

import corundum as co  # noqa: E402
from corundum.numerics import DiffraxSolver, LaneSolver  # noqa: E402
from corundum.numerics.solvers.runge_kutta import STAGES  # noqa: E402

matplotlib.use("Agg")
NAMES = co.models.PANDYA26_FREE
DATA = ("shmr_behroozi19_sf", "coldgas_xgass", "gasmzr_curti20")
FINE, NEARLY = LaneSolver(tolerance=1e-12), LaneSolver(tolerance=1e-10)
TOLERANCES = {"ThermalCGM": (1e-4, 3e-5, 8e-9), "pandya26": (5e-6, 1e-8)}


def with_theta(model, theta):
    return co.replace(model, dict(zip(NAMES, theta, strict=True)))


def log_states(model, halos, solver):
    return jnp.log10(jnp.stack(co.evolve(model, halos, solver=solver).state, axis=-1))[:, 0]


def first(function, *args):
    """The result of a first call, and its time in seconds, compilation included."""
    began = time.perf_counter()
    result = jax.block_until_ready(function(*args))
    return result, time.perf_counter() - began


class Bench:
    """Rows of measurements, printed as they are taken."""

    def __init__(self):
        self.rows = []

    def time(self, what, halos, function, *args, repeats=7, first_s=None, **more):
        """Add a row; `first_s` is the time of the first call where `first` has already made it."""
        result, called_s = first(function, *args)
        walls = []
        # Calls of milliseconds take either of two times, as two devices run side by side or one after the other.
        while len(walls) < (repeats if sum(walls) > 1.0 else 50) and (len(walls) < 3 or sum(walls) < 20.0):
            began = time.perf_counter()
            jax.block_until_ready(function(*args))
            walls.append(time.perf_counter() - began)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        times = dict(first_s=first_s or called_s, median_s=float(np.median(walls)), min_s=min(walls))
        self.add(what=what, halos=halos, **times, peak_mib=peak, **more)
        return result

    def add(self, **row):
        row = {key: float(f"{value:.6g}") if isinstance(value, float) else value for key, value in row.items()}
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    def extend(self, **more):
        """Add columns to the last row."""
        self.rows[-1].update(more)
        print(json.dumps(more), flush=True)


def work(bench, model_name, halos, tolerances):
    """Solve, Jacobian, and value and gradient of a likelihood of three relations, at each tolerance.

    Tolerances are numbers of the compiled programs, so that the accurate answers take no compilation of their own.
    """
    model, number = getattr(co.models, model_name)(), len(halos)
    theta = jnp.stack(co.get_values(model, NAMES))
    data = [co.observables.load(name) for name in DATA]

    @eqx.filter_jit
    def solve(theta, solver):
        return log_states(with_theta(model, theta), halos, solver)

    @eqx.filter_jit
    def jacobian(theta, solver):
        return jax.jacfwd(lambda theta: log_states(with_theta(model, theta), halos, solver))(theta)

    @eqx.filter_jit
    def gradient(theta, solver):
        def loss(theta):
            galaxies = co.evolve(with_theta(model, theta), halos, solver=solver).at(0.0)
            predictions = [measurement.predict(galaxies) for measurement in data]
            residuals = [
                jnp.where(prediction.reached, prediction.mean - measurement.y, 0.0)
                for prediction, measurement in zip(predictions, data, strict=True)
            ]
            return sum(jnp.sum((residual / 0.1) ** 2) for residual in residuals)

        return jax.jacfwd(lambda theta: (loss(theta),) * 2, has_aux=True)(theta)

    @eqx.filter_jit
    def reverse(theta, solver):
        return jax.grad(lambda theta: jnp.sum(log_states(with_theta(model, theta), halos, solver)))(theta)

    quick = LaneSolver(tolerance=tolerances[0])
    solve_s, jacobian_s, gradient_s = (first(function, theta, quick)[1] for function in (solve, jacobian, gradient))
    exact = solve(theta, FINE)
    slopes = [] if number > 1000 else [jacobian(theta, NEARLY), gradient(theta, NEARLY)[0]]
    for tolerance in tolerances:
        solver, more = LaneSolver(tolerance=tolerance), dict(model=model_name, tolerance=f"{tolerance:g}")
        states = bench.time("solve", number, solve, theta, solver, first_s=solve_s, **more)
        steps = int(np.median(co.evolve(model, halos, solver=solver).steps))
        bench.extend(error=f"{float(jnp.max(jnp.abs(states - exact))):.1e} dex", steps=steps)
        if tolerance < 1e-6 or number > 1000 and tolerance != tolerances[0]:
            continue
        columns = bench.time("jacobian", number, jacobian, theta, solver, first_s=jacobian_s, **more)
        if slopes:
            off = jnp.linalg.norm(columns - slopes[0], axis=(0, 1)) / jnp.linalg.norm(slopes[0], axis=(0, 1))
            bench.extend(error=f"{float(jnp.max(off)):.1e} relative")
        slope, _ = bench.time("gradient", number, gradient, theta, solver, first_s=gradient_s, **more)
        if slopes:
            off = jnp.linalg.norm(slope - slopes[1]) / jnp.linalg.norm(slopes[1])
            bench.extend(error=f"{float(off):.1e} relative")
        if slopes and tolerance == tolerances[0]:
            bench.time("gradient of a sum, reverse mode", number, reverse, theta, solver, **more)


def precision(bench, halos):
    """Error against time for both engines and several tolerances."""
    for model_name in ("ThermalCGM", "pandya26"):
        model = getattr(co.models, model_name)()
        exact = log_states(model, halos, FINE)
        solvers = [LaneSolver(tolerance=tolerance) for tolerance in (1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10)]
        solvers += [DiffraxSolver(rtol=0.1 * t, atol=t) for t in (1e-4, 1e-6, 1e-8)]
        for solver in solvers:
            solve = jax.jit(lambda theta, s=solver, m=model: log_states(with_theta(m, theta), halos, s))
            theta = jnp.stack(co.get_values(model, NAMES))
            states, first_s = first(solve, theta)
            error = jnp.max(jnp.abs(states - exact))
            tolerance = float(solver.tolerance if isinstance(solver, LaneSolver) else solver.atol)
            bench.time("work-precision", len(halos), solve, theta, repeats=5, first_s=first_s, model=model_name,
                       engine=type(solver).__name__, tolerance=f"{tolerance:g}", max_error=float(error))  # fmt: skip


def efficiency(bench, halos, number=300):
    """Time of a solve over that of its evaluations alone, in which the equations of all halos are taken at one time.

    The ratio of core times, and the ratio of the wall time (of all devices) to the core time.
    """
    model, cosmology = co.models.ThermalCGM(), halos.cosmology
    galaxies = co.evolve(model, halos, [1.25, 0.0])

    @eqx.filter_jit
    def bare(state, halos):
        def body(k, state):
            forcing = model.forcing(halos.at(time=5.0 + 1e-6 * k), cosmology)
            rates = model.ledger.derivative(model.fluxes(state, forcing).flows)
            return jax.tree.map(lambda x, rate: x + 1e-12 * rate, state, rates)

        return jax.lax.fori_loop(0, number, body, state)

    def spent(function, *args, repeats=15):
        jax.block_until_ready(function(*args))
        times = []
        for _ in range(repeats):
            core, wall = time.process_time(), time.perf_counter()
            jax.block_until_ready(function(*args))
            times.append((time.process_time() - core, time.perf_counter() - wall))
        return np.median(times, axis=0).tolist()

    one = spent(bare, jax.tree.map(lambda x: x[:, 0], galaxies.state), halos)[0] / (number * len(halos))
    solve, wall = spent(eqx.filter_jit(lambda halos: co.evolve(model, halos).state), halos)
    evaluations = float(np.sum(co.evolve(model, halos).steps)) * (STAGES - 1)  # the last slope is the next first
    bench.add(what="loop efficiency", halos=len(halos), model="ThermalCGM", bare_ns=1e9 * one,
              in_loop_ns=1e9 * solve / evaluations, core_s=solve, over_bare=solve / (evaluations * one),
              wall_over_bare=wall * jax.local_device_count() / (evaluations * one))  # fmt: skip


def sets(bench, halos, number=200):
    """Random draws of the published prior times halos, as one list, beside the same work at fiducial parameters.

    Errors are against a solution at tolerance 1e-10.
    """
    low = np.array([-2, -4, -2, -4, 0, -4, -2, -4.0])
    high = np.array([1, 0, 0, 0, 1.1, 0, 0, 0.0])
    draws = np.random.default_rng(0).uniform(low, high, (number, 8))
    draws[:, ::2] = 10.0 ** draws[:, ::2]
    for model_name in ("ThermalCGM", "pandya26"):
        model = getattr(co.models, model_name)()

        @eqx.filter_jit
        def solve(theta, solver, model=model):
            def one(theta):
                population = co.evolve(with_theta(model, theta), halos, solver=solver)
                return jnp.log10(jnp.stack(population.state)), population.status, population.steps

            return jax.vmap(one)(theta)

        fiducial = np.tile(np.stack(co.get_values(model, NAMES)), (number, 1))
        _, first_s = first(solve, fiducial, LaneSolver(tolerance=3e-5))
        for what, theta in (("prior-wide", draws), ("fiducial sets", fiducial)):
            exact, _, _ = solve(theta, NEARLY)
            for tolerance in (3e-5, 1e-5, 1e-6):
                solver = LaneSolver(tolerance=tolerance)
                states, status, steps = solve(theta, solver)
                off = np.max(np.abs(np.asarray(states - exact)), axis=(1, 3))
                bench.time(what, number * len(halos), solve, theta, solver, repeats=3, first_s=first_s,
                           model=model_name, tolerance=f"{tolerance:g}", failed=int(np.sum(np.asarray(status) != 0)),
                           mean_steps=float(np.mean(steps)), error=f"{np.nanmax(off):.1e} dex",
                           beyond=float(np.nanmean(off > 1e-4)))  # fmt: skip


def scaling(bench, numbers):
    """Time against the number of halos, far beyond what fits the caches."""
    model = co.models.ThermalCGM()
    for number in numbers:
        halos = co.halos.diffmah_population(number)
        bench.time("evolve", number, lambda h=halos: co.evolve(model, h).state, repeats=3, model="ThermalCGM")


def peer(bench, command, halos, numbers, out):
    """Time the other package on the same halos, and add the ratio of its medians to ours."""
    path = out / "histories.npz"
    snapshots = [halos.at(time=t) for t in halos.time]
    names = ("growth", "mvir", "rvir", "vvir", "concentration")
    columns = [np.stack([getattr(halo, name) for halo in snapshots], axis=-1) for name in names]
    rows = np.stack([np.log10(column) for column in columns], axis=1)
    np.savez(path, time_gyr=halos.time, halo_log10=rows, start_gyr=halos.start)
    call = [*command, str(path), "--halos", *map(str, numbers)]
    printed = subprocess.run(call, check=True, capture_output=True, text=True).stdout
    theirs = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    for row in theirs:
        bench.add(**{**row, "what": f"peer {row['what']}", "median_s": float(row["median_s"])})
    known = {(row["what"], row["halos"]): row["median_s"] for row in theirs}
    for row in bench.rows:
        if (row["what"], row["halos"]) in known:
            row["times faster"] = round(known[row["what"], row["halos"]] / row["median_s"], 1)


def draw(bench, out):
    from matplotlib import pyplot as plt

    precise, timed = {}, {}
    for row in bench.rows:
        if row["what"] == "work-precision":
            precise.setdefault(f"{row['model']}, {row['engine']}", []).append((row["median_s"], row["max_error"]))
        kind = row["what"].removeprefix("peer ")
        if kind in ("solve", "jacobian", "gradient"):
            label = f"{row.get('model', 'published package')}, {row['tolerance']}"
            timed.setdefault(kind, {}).setdefault(label, []).append((row["halos"], row["median_s"]))
    if precise:
        panels(plt, {"Work and precision, z = 0": precise}, "time [s]", "largest error in lg(state) [dex]").savefig(
            out / "work_precision.png", dpi=150
        )
    if timed:
        panels(plt, timed, "halos", "time [s]").savefig(out / "throughput.png", dpi=150)


def panels(plt, lines, x, y):
    """A panel for each title, its lines by label; all but the default solver of corundum are dashed."""
    size = (4.5 * len(lines) + 0.5, 4.2)
    figure, axes = plt.subplots(1, len(lines), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for ax, (title, curves) in zip(axes[0], lines.items(), strict=True):
        for label, points in curves.items():
            other = "published" in label or "Diffrax" in label
            ax.loglog(*zip(*sorted(points), strict=True), "s--" if other else "o-", label=label)
        ax.set(xlabel=x, title=title)
        ax.xaxis.set_minor_formatter("")  # minor labels would overlap
        ax.legend(fontsize=7)
    axes[0, 0].set_ylabel(y)
    return figure


def table(rows):
    columns = ("what", "model", "halos", "tolerance", "steps", "mean_steps", "failed", "error", "beyond", "median_s",
               "min_s", "first_s", "peak_mib", "times faster")  # fmt: skip
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        shown = (row.get(c, "") for c in columns)
        lines.append("| " + " | ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in shown) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--halos", type=int, nargs="+", default=[10, 100, 1000, 10000])
    parser.add_argument("--only", nargs="+", default=["work", "precision", "efficiency", "sets"])
    parser.add_argument("--large", type=int, nargs="*", default=[], help="numbers of halos for the scaling run")
    parser.add_argument("--peer", nargs="+", help="command that times another package")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    bench, halos = Bench(), co.halos.diffmah_population(max(args.halos))
    if "work" in args.only:
        for number in args.halos:
            for model_name, tolerances in TOLERANCES.items():
                work(bench, model_name, halos[:number], tolerances)
    if args.peer:
        peer(bench, args.peer, halos, [n for n in args.halos if 100 <= n <= 1000], args.output)
    if "precision" in args.only:
        precision(bench, halos[:1000])
    if "efficiency" in args.only:
        efficiency(bench, halos[:1000])
    if "sets" in args.only:
        sets(bench, halos[:50])
    scaling(bench, args.large)
    about = dict(jax=jax.__version__, python=sys.version.split()[0], cores=os.cpu_count())
    (args.output / "results.json").write_text(json.dumps(dict(about=about, rows=bench.rows), indent=1))
    (args.output / "results.md").write_text(table(bench.rows))
    draw(bench, args.output)


if __name__ == "__main__":
    main()
