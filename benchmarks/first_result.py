"""Time the first result of a fresh process, with nothing kept on disk and with all compiled programs kept.

    python benchmarks/first_result.py -o out/benchmarks [--halos 1000] [--repeats 2] [--only run evolve ...]

run         `corundum run examples/quickstart.toml`, and when its report is there
evolve      import, halos, one `evolve`; then ten other slices of these halos, a mask and other redshifts
from file   the same with halos from a file
jacobian, likelihood, reverse   100 halos and the first call of each: the 8-parameter Jacobian, the log posterior with
            its gradient, and the gradient of a sum in reverse mode

Each runs twice in processes of their own, the first with an empty folder for compiled programs and the second with what
that one has kept.  A fixed load of NumPy and Python, of some seconds, is timed before and after each: ``wall_ratio`` is
the wall time over it, which depends little on what else the machine does.  A row is the least of all repeats.  Results
go to first_result.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

QUICKSTART = Path(__file__).parent.parent / "examples" / "quickstart.toml"
PROCESS = """
import json, sys, time
began = time.perf_counter()
import corundum as co
co.configure()
import jax
events, seconds = [], {}
jax.monitoring.register_event_listener(lambda event, **_: events.append(event.rpartition("/")[2]))
number, path = int(sys.argv[1]), sys.argv[2]

def timed(name, function):
    start = time.perf_counter()
    result = jax.block_until_ready(function())
    seconds[name] = time.perf_counter() - start
    return result

BODY
print(json.dumps({**seconds, "compiled": events.count("cache_misses"), "loaded": events.count("cache_hits")}))
"""
START = """
model = timed("imports", lambda: (co.evolve, co.models.ThermalCGM()))[1]
halos = timed("draw", lambda: co.halos.read(path) if path else co.halos.monte_carlo_trees(number))
names = co.models.PANDYA26_FREE
"""
EVOLVE = (
    START
    + """
timed("solve", lambda: co.evolve(model, halos)["mstar"])
before = len(events)
slices = [lambda k=k: co.evolve(model, halos[: k * number // 11]) for k in range(1, 11)]
slices.append(lambda: co.evolve(model, halos[halos.log_mvir[:, -1] > 11.0]))
slices.append(lambda: co.evolve(model, halos, [0.5, 2.0]))
for position, one in enumerate(slices):
    timed(f"slice {position}", one)
times = sorted(seconds.pop(f"slice {position}") for position in range(len(slices)))
seconds.update(slice=times[len(times) // 2], slowest_slice=times[-1], slice_programs=len(events[before:]))
"""
)
BODIES = {
    "run": """
from corundum.cli.main import main
timed("command", lambda: main(["run", path, "--set", f"halos.n={number}", "-o", sys.argv[3]]))
""",
    "evolve": EVOLVE,
    "from file": EVOLVE,
    "jacobian": START + 'timed("call", lambda: co.sensitivity.parameter_jacobian(model, halos, names).values)',
    "likelihood": START + """
target = co.inference.Target(model, halos, ("shmr_behroozi19_sf", "coldgas_xgass", "gasmzr_curti20"), names)
timed("call", lambda: co.inference.value_and_gradient(target, target.start()[None]))
""",
    "reverse": START + """
import jax.numpy as jnp
def summed(theta):
    changed = co.replace(model, dict(zip(names, theta)))
    return jnp.sum(jnp.log10(co.evolve(changed, halos)["mstar"]))
theta = jnp.array(co.get_values(model, names))
timed("call", lambda: jax.grad(summed)(theta))
""",
}  # fmt: skip
FEW = 100  # halos of derivatives


def fixed_load() -> float:
    """Seconds of the fixed load."""
    began = time.perf_counter()
    random = np.random.default_rng(0)
    for _ in range(18):
        np.sort(random.normal(size=2_000_000))
        np.exp(random.normal(size=2_000_000)).sum()
    table: dict[int, int] = {}
    for number in range(9_000_000):
        table[number % 1000] = table.get(number % 1000, 0) + number
    return time.perf_counter() - began


def once(what: str, halos: int, path: str, cache: Path, out: Path) -> dict[str, float]:
    """Times of one process, and when its report was there."""
    arguments = [str(QUICKSTART) if what == "run" else path, str(out)]
    kept = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    began, report = time.perf_counter(), {}
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS.replace("BODY", BODIES[what]), str(halos), *arguments], text=True,
        env=kept | {"CORUNDUM_CACHE_DIR": str(cache)}, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        while what == "run" and process.poll() is None:
            if not report and (out / "report.html").exists():
                report = {"report": time.perf_counter() - began}
            time.sleep(0.02)
        printed = process.communicate()[0]
    if process.returncode:
        raise SystemExit(f"{what} failed")
    return {"wall": time.perf_counter() - began, **report, **json.loads(printed.splitlines()[-1])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--halos", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=BODIES, default=list(BODIES))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        path = str(scratch / "halos.h5")
        if "from file" in options.only:
            save = f"import corundum as co; co.configure(); co.halos.save({path!r}, co.halos.monte_carlo_trees("
            subprocess.run([sys.executable, "-c", f"{save}{options.halos}))"], check=True)
        for what in options.only:
            halos = options.halos if what in ("run", "evolve", "from file") else FEW
            runs: dict[str, list[dict]] = {"empty": [], "kept": []}
            for repeat in range(options.repeats):
                for state, taken in runs.items():
                    before = fixed_load()
                    times = once(
                        what, halos, path if what == "from file" else "", scratch / f"cache {what} {repeat}",
                        scratch / f"out {repeat} {what} {state}",
                    )  # fmt: skip
                    taken.append({**times, "wall_ratio": 2 * times["wall"] / (before + fixed_load())})
            for state, taken in runs.items():
                least = {key: round(min(run[key] for run in taken), 2) for key in taken[0]}
                rows.append({"what": what, "halos": halos, "programs": state, **least})
                print(json.dumps(rows[-1]), flush=True)
                (options.output / "first_result.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
