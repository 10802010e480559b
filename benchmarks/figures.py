"""Time the figures of a run: to make, lay out, draw and write each, and the report around them.

    python benchmarks/figures.py -o out/benchmarks [--run DIR] [--halos 1000] [--repeats 5]

The figures are those of `examples/quickstart.toml`, which is run first unless ``--run`` names the directory of a
finished run.  Times are the least of all repeats, of this thread's processor alone, so that they depend little on what
else the machine does; the first round, which loads fonts and may compile, is shown apart.  Layouts are counted.
Results go to figures.json.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path

from matplotlib.layout_engine import ConstrainedLayoutEngine

from corundum.cli.jobs.plot import drawn_from
from corundum.cli.main import main as corundum
from corundum.configuration import configure
from corundum.plots import standard_drawings, standard_report
from corundum.plots.saving import figure_files

QUICKSTART = Path(__file__).parent.parent / "examples" / "quickstart.toml"

layouts = Counter()


def count_layouts():
    """Add up the number of layouts that are computed, and their time."""
    execute = ConstrainedLayoutEngine.execute

    def counted(engine, figure):
        began = time.thread_time()
        execute(engine, figure)
        layouts["number"] += 1
        layouts["seconds"] += time.thread_time() - began

    ConstrainedLayoutEngine.execute = counted


def round_of(population, shared, page):
    """Seconds and layouts of every figure by its name, and of the report."""
    rows, drawings, images = {}, [], {}
    figures = standard_drawings(population, **shared)
    while True:
        began = time.thread_time()
        drawing = next(figures, None)
        if drawing is None:
            break
        after = time.thread_time()
        layouts.clear()
        images[drawing.figure] = figure_files(drawing.figure, ("png",))["png"]
        saved = time.thread_time() - after
        rows[drawing.name] = {
            "make": after - began, "lay out": layouts["seconds"], "draw and write": saved - layouts["seconds"],
            "layouts": layouts["number"],
        }  # fmt: skip
        drawings.append(drawing)
    began = time.thread_time()
    shared = {name: value for name, value in shared.items() if name != "trajectories"}
    standard_report(page, population, drawings=drawings, images=images, **shared)
    rows["report"] = {"make": time.thread_time() - began, "lay out": 0.0, "draw and write": 0.0, "layouts": 0}
    return rows


def least(rounds):
    """The least time of each part over all rounds."""
    return {
        name: {part: min(one[name][part] for one in rounds) for part in rounds[0][name]} for name in rounds[0]
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--run", type=Path, help="directory of a finished run")
    parser.add_argument("--halos", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    run = arguments.run or arguments.output / f"quickstart-{arguments.halos}"
    if arguments.run is None:
        corundum(["run", str(QUICKSTART), "-o", str(run), "--set", f"halos.n={arguments.halos}"])
    configure()
    count_layouts()
    population, shared = drawn_from(run)
    rounds = [round_of(population, shared, arguments.output / "report.html") for _ in range(1 + arguments.repeats)]
    table = least(rounds[1:])
    parts = ("make", "lay out", "draw and write")
    print(f"| figure | {' | '.join(parts)} | layouts |\n|---|---|---|---|---|")
    for name, row in table.items():
        print(f"| {name} | {' | '.join(f'{row[part]:.3f}' for part in parts)} | {row['layouts']} |")
    totals = [sum(row[part] for row in table.values()) for part in parts]
    print(f"| together [s] | {' | '.join(f'{total:.2f}' for total in totals)} | |")
    first = sum(row[part] for row in rounds[0].values() for part in parts)
    print(f"all figures and the report: {sum(totals):.2f} s, the first time {first:.2f} s")
    results = {"halos": len(population), "least": table, "together": sum(totals), "first": first}
    (arguments.output / "figures.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
