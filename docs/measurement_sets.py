"""Draws all measurement sets of the package, one panel for each relation, for the reference page that lists them."""

import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import corundum as co

MARKERS = "osD^vP*X<>"


def draw_measurements(path: Path) -> None:
    """Write the figure to `path`."""
    families: dict[str, list] = {}
    for name in co.observables.available():
        data = co.observables.load(name)
        families.setdefault(data.relation.title, []).append((name, data))
    columns = 3
    rows = math.ceil(len(families) / columns)
    figure, axes = plt.subplots(rows, columns, figsize=(5.2 * columns, 4.2 * rows), layout="constrained")
    for ax in axes.flat[len(families) :]:
        ax.axis("off")
    for ax, (title, members) in zip(axes.flat, sorted(families.items()), strict=False):
        for number, (name, data) in enumerate(members):
            x, y, error = (np.asarray(numbers) for numbers in (data.x, data.y, data.error))
            label = f"{name} (z = {data.redshift:g})"
            ax.errorbar(x, y, error, fmt=MARKERS[number % len(MARKERS)], ms=4, lw=1, label=label)
        ax.set_title(title)
        ax.set_xlabel(members[0][1].relation.x_axis.meaning)
        ax.set_ylabel(members[0][1].relation.y_axis.meaning)
        ax.margins(y=0.25)  # room for the legend, which covers no point then
        ax.legend(fontsize=9, framealpha=0.6)
    figure.savefig(path, dpi=110)
    plt.close(figure)
