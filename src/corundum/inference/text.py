"""What `print` shows of targets, Gaussians and posteriors: a few lines of words and numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..array_library import is_traced

__all__ = ["count", "describe_target", "interval_lines"]


def count(number: int, singular: str) -> str:
    """A number of things in words: ``count(2, "halo")`` is ``"2 halos"``."""
    return f"{number} {singular}{'' if number == 1 else 's'}"


def interval_lines(names: Sequence[str], units: Sequence[str], levels: np.ndarray) -> list[str]:
    """One line for each parameter from its 16th, 50th and 84th percentile, `levels` (3, P)."""
    width = max(map(len, names))
    lines = []
    for name, unit, (low, middle, high) in zip(names, units, np.asarray(levels).T, strict=True):
        suffix = "" if unit == "1" else f" {unit}"
        lines.append(f"  {name:{width}}  {middle:7.3g} -{middle - low:.2g} +{high - middle:.2g}{suffix}")
    return lines


def describe_target(target: Any) -> str:
    """Free parameters with their priors, and measurements with their numbers of points."""
    data, summaries = target.data, target.summaries
    numbers = f"{count(len(target.free), 'free parameter')}, {count(len(data), 'data point')}"
    lines = [f"Target of {summaries.subject()}: {numbers} of {count(len(data.names), 'measurement')}"]
    width = max(map(len, target.names))
    for free in target.free:
        unit = "" if free.unit == "1" else f" [{free.unit}]"
        lines.append(f"  free  {free.name:{width}}  {free.support()}{unit}")
    for name in data.names:
        rows = data.positions(name)
        unused = 0 if is_traced(data.y) else int(np.sum(~np.isfinite(np.asarray(data.y)[rows])))
        lines.append(f"  data  {name}: {count(len(rows), 'point')}" + (f", {unused} not used" if unused else ""))
    lines.append(f"  likelihood  {type(target.likelihood).__name__}")
    if target.correction is not None:
        lines.append("  predictions corrected to those of many halos")
    return "\n".join(lines)
