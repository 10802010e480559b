"""Time of a training step against the number of weights and of halos, over that of a plain solve of the same halos.

    python benchmarks/training.py -o out/benchmarks [--weights 100 1000 10000] [--halos 30 100 300] [--repeats 7]

A step is the loss of a `HistoryObjective` (stars and gas of every halo at z = 2 and 0), its gradient in reverse mode
with respect to all weights of a law of the halo and of one of the galaxy, and Adam.  Solves and steps take turns, so
that the ratio depends little on what else the machine does; the first call of the step, with its compilation, is given
apart.  Every size has a process of its own, whose largest memory is given.  Results go to training.json and, as a
table, to the terminal.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np

import corundum as co
from corundum.inference.training.steps import first_state, step
from corundum.inference.training.weights import number_of_weights, split_weights

REDSHIFTS = (2.0, 0.0)


def model_with(weights: int) -> co.models.ThermalCGM:
    """Two laws with networks of together about so many weights."""
    depth = 1 if weights <= 400 else 2  # 4 w + 1 weights of each network with one layer, w^2 + 5 w + 1 with two
    width = weights // 8 if depth == 1 else round(np.sqrt(weights / 2 + 6.25) - 2.5)
    law = co.physics.neural_law
    return co.models.ThermalCGM(
        mass_loading=law(["log_vvir", "redshift"], base=co.physics.MassLoading(), width=width, depth=depth),
        depletion_time=law(["log_vvir", "gas_fraction"], base=co.physics.DepletionTime(), width=width, depth=depth),
    )


def measure(weights: int, number: int, repeats: int) -> dict[str, float]:
    """Times of one size."""
    halos, model = co.halos.monte_carlo_trees(number, key=1), model_with(weights)
    solver = co.numerics.LaneSolver(tolerance=co.inference.TOLERANCE)
    population = co.evolve(co.models.ThermalCGM(), halos, REDSHIFTS)
    states = {name: np.asarray(population[name]) for name in ("mstar", "mism")}
    objective = co.inference.HistoryObjective(model, halos, REDSHIFTS, states, 0.1)
    rule = co.inference.AdamRule()
    state = jax.device_get(first_state(objective, rule, split_weights(model)[0]))
    numbers = [np.asarray(value) for value in (1e-3, 1.0, objective.points(), objective.points())]

    def one_step():
        return jax.block_until_ready(step(rule, *numbers, state, objective))

    def solve():
        return co.evolve(co.models.ThermalCGM(), halos, REDSHIFTS, keep=tuple(states), solver=solver)["mstar"]

    def timed(function):
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    first, _ = timed(one_step), timed(solve)
    pairs = np.array([(timed(one_step), timed(solve)) for _ in range(repeats)])
    step_s, solve_s = np.median(pairs, axis=0)
    return {
        "weights": number_of_weights(model), "halos": number, "first_step_s": first, "step_s": step_s,
        "solve_s": solve_s, "step_over_solve": float(np.median(pairs[:, 0] / pairs[:, 1])),
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }  # fmt: skip


def main() -> None:
    """Measure all sizes, or a single one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--weights", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--halos", type=int, nargs="+", default=[30, 100, 300])
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.output is None:  # a process of its own
        co.configure()
        print(json.dumps(measure(arguments.weights[0], arguments.halos[0], arguments.repeats)))
        return
    arguments.output.mkdir(parents=True, exist_ok=True)
    rows = []
    print("| weights | halos | solve [s] | step [s] | step over solve | first step [s] | memory [GiB] |", flush=True)
    print("|" + "---|" * 7, flush=True)
    for weights in arguments.weights:
        for number in arguments.halos:
            sizes = ["--weights", str(weights), "--halos", str(number), "--repeats", str(arguments.repeats)]
            done = subprocess.run([sys.executable, __file__, *sizes], check=True, stdout=subprocess.PIPE, text=True)
            rows.append(row := json.loads(done.stdout.splitlines()[-1]))
            (arguments.output / "training.json").write_text(json.dumps(rows, indent=1))
            print("| {weights} | {halos} | {solve_s:.3f} | {step_s:.3f} | {step_over_solve:.1f} | {first_step_s:.0f} | "
                  "{peak_gib:.2f} |".format(**row), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
