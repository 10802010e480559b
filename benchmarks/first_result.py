"""Time the first result of a fresh process: import, 1000 halos, compile, solve; with and without a compilation cache.
Then time `evolve` of ten other slices of these halos, a mask and other redshifts, and count the programs they compile.

    python benchmarks/first_result.py -o out/benchmarks [--halos 1000] [--repeats 3]

Halos are drawn from the built-in population, or read from a file that corundum wrote.  The cache is JAX's own
(``JAX_COMPILATION_CACHE_DIR``), filled by one run that is not counted.  Results go to first_result.json.
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

PROGRAM = """
import json, sys, time
began = time.perf_counter()
from corundum.configuration import configure
configure()
import corundum as co
imported = time.perf_counter()
number, path = int(sys.argv[1]), sys.argv[2]
halos = co.halos.read(path) if path else co.halos.monte_carlo_trees(number)
drawn = time.perf_counter()
model = co.models.ThermalCGM()
stars = float(co.evolve(model, halos)["mstar"].sum())
solved = time.perf_counter()
import jax
programs = []
def count(event, seconds, **_):
    if event == "/jax/core/compile/backend_compile_duration":
        programs.append(seconds)
jax.monitoring.register_event_duration_secs_listener(count)
slices = [lambda k=k: co.evolve(model, halos[: k * number // 11]) for k in range(1, 11)]
slices.append(lambda: co.evolve(model, halos[halos.log_mvir[:, -1] > 11.0]))
slices.append(lambda: co.evolve(model, halos, [0.5, 2.0]))
times = []
for one in slices:
    start = time.perf_counter()
    one()
    times.append(time.perf_counter() - start)
print(json.dumps(dict(imports=imported - began, halos=drawn - imported, solve=solved - drawn,
                      slice=sorted(times)[len(times) // 2], slowest_slice=max(times), slice_programs=len(programs))))
"""


def once(number, path, cache):
    """Wall time of one process, and of the parts that it timed itself."""
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": cache, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    if not cache:
        environment.pop("JAX_COMPILATION_CACHE_DIR")
    began = time.perf_counter()
    printed = subprocess.run([sys.executable, "-c", PROGRAM, str(number), path], env=environment, check=True,
                             capture_output=True, text=True).stdout  # fmt: skip
    return {"wall": time.perf_counter() - began, **json.loads(printed.splitlines()[-1])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--halos", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        saved = os.path.join(scratch, "halos.h5")
        save = f"import corundum as co; co.halos.save({saved!r}, co.halos.monte_carlo_trees({options.halos}))"
        subprocess.run([sys.executable, "-c", save], check=True, env={**os.environ, "JAX_ENABLE_X64": "1"})
        for what, path in (("drawn", ""), ("from a file", saved)):
            for cached in (False, True):
                cache = os.path.join(scratch, f"cache {what}") if cached else ""
                runs = [once(options.halos, path, cache) for _ in range(options.repeats + cached)][cached:]
                middle = {name: round(float(np.median([run[name] for run in runs])), 2) for name in runs[0]}
                rows.append({"halos": options.halos, "source": what, "cache": cached, **middle})
                print(json.dumps(rows[-1]), flush=True)
    (options.output / "first_result.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
