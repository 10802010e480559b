"""Time the population solver and its Jacobian: one JSON line per measurement.

    python benchmarks/population.py --halos 100 1000 [--histories FILE.npz] [--save FILE.npz]

Reports compile time, median and minimum wall time, steps, peak memory, and the largest error in lg(state) against a
solution at tolerance 1e-11.  --histories reads time_gyr (T,), halo_log10 (N, 5, T) with rows log10 of dM/dt [Msun/yr],
Mvir [Msun], Rvir [kpc], Vvir [km/s] and concentration, and start_gyr (N,); --save writes the histories used in that
layout, so that another code can be timed on the same halos in the same minutes.
"""

import argparse
import json
import os
import resource
import time

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", os.cpu_count())

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import corundum as co  # noqa: E402
from corundum.numerics import LaneSolver  # noqa: E402


def load(path, number):
    if path is None:
        return co.halos.monte_carlo(number)
    with np.load(path, allow_pickle=False) as data:
        rows = data["halo_log10"][:number]
        return co.halos.HaloHistories(data["time_gyr"], rows[:, 1], rows[:, 4], start=data["start_gyr"][:number])


def save(path, halos):
    now = [halos.at(time=t) for t in halos.time]
    names = ("growth", "mvir", "rvir", "vvir", "concentration")
    rows = np.stack([np.log10(np.stack([getattr(h, name) for h in now], axis=-1)) for name in names], axis=1)
    np.savez(path, time_gyr=halos.time, halo_log10=rows, start_gyr=halos.start)


def log_states(model, halos, solver):
    return jnp.log10(jnp.stack(co.evolve(model, halos, solver=solver).state, axis=-1))[:, 0]


def timed(what, halos, function, first=None, repeats=7, **more):
    """`first` is the wall time of the first call, compilation included, where it was already made."""
    began = time.perf_counter()
    jax.block_until_ready(function())
    compiled = time.perf_counter() - began if first is None else first
    walls = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(function())
        walls.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = dict(what=what, halos=halos, first_s=compiled, median_s=np.median(walls), min_s=min(walls), peak_mib=peak)
    print(json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in {**row, **more}.items()}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--halos", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--histories")
    parser.add_argument("--save")
    parser.add_argument("--model", default="pandya26", choices=["pandya26", "ThermalCGM"])
    args = parser.parse_args()
    model, names = getattr(co.models, args.model)(), co.models.PANDYA26_FREE
    theta = jnp.stack(co.get_values(model, names))
    if args.save:
        save(args.save, load(args.histories, max(args.halos)))
    for number in args.halos:
        halos = load(args.histories, number)
        exact = log_states(model, halos, LaneSolver(tolerance=1e-11))
        for tolerance in (1e-5, 1e-6, 1e-8):
            solver = LaneSolver(tolerance=tolerance)
            began = time.perf_counter()
            states = jax.block_until_ready(log_states(model, halos, solver))
            first = time.perf_counter() - began
            error = float(jnp.max(jnp.abs(states - exact)))
            steps = int(np.median(co.evolve(model, halos, solver=solver).steps))
            run = lambda halos=halos, solver=solver: co.evolve(model, halos, solver=solver).state  # noqa: E731
            timed(
                "solve",
                number,
                run,
                first,
                tolerance=f"{tolerance:g}",
                max_error_dex=f"{error:.2g}",
                median_steps=steps,
            )

        def outcome(theta, halos=halos):
            return log_states(co.replace(model, dict(zip(names, theta, strict=True))), halos, LaneSolver())

        jacobian = jax.jit(jax.jacfwd(outcome))
        timed("jacobian", number, lambda jacobian=jacobian: jacobian(theta), tolerance="1e-06")


if __name__ == "__main__":
    main()
