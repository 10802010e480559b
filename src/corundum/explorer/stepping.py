"""One step of chosen numbers towards the data, weighed against their priors as a fit weighs them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .priors import EDGE

__all__ = ["stepped"]

_SMALL = 1e-3  # change of u over which differences stand for derivatives of the prior


def stepped(
    engine: Any, values: Mapping[str, Any], free: Sequence[str], *, damping: float, largest: float
) -> dict[str, float]:
    """Values after one damped Gauss-Newton step of the log posterior; `values` where none increases it.

    The step is taken in the unbounded coordinates u of fits, in which the prior of a number is the standard normal
    wherever it has quantiles.  chi^2 is that of the points that galaxies reach.

    Parameters
    ----------
    engine : Engine
    values : mapping of str to float
    free : sequence of str
    damping : float
        In units of what the data say about each number.
    largest : float
        Share of the width of its prior that a number moves by at most.
    """
    vector = engine.vector(values)
    numbers = [engine.priors.of(name) for name in free]
    ends = np.array([engine.priors.width(name) for name in free])
    start = np.array([vector[engine.view.names.index(name)] for name in free])

    def at(u: np.ndarray) -> np.ndarray:
        return np.array([float(number.theta(np.float64(value))) for number, value in zip(numbers, u, strict=True)])

    def numbers_at(u: np.ndarray) -> dict[str, float]:
        allowed = np.array([engine.known[name].allowed for name in free])
        moved = [float(number.value(theta)) for number, theta in zip(numbers, at(u), strict=True)]
        return dict(values) | dict(zip(free, np.clip(moved, *allowed.T).tolist(), strict=True))

    # At the very end of a range no change of u moves a number, so that a step starts just inside.
    edges = np.array([_edge(number) for number in numbers])
    u = np.clip([_coordinate(number, value) for number, value in zip(numbers, start, strict=True)], -edges, edges)
    inside = numbers_at(u)
    picture = engine.solve(inside)
    slope = engine.mean_slopes(inside, free) * (at(u + _SMALL) - at(u - _SMALL)) / (2.0 * _SMALL)
    below, middle, above = (_ln_prior(numbers, u + by) for by in (-_SMALL, 0.0, _SMALL))
    curvature, gradient = engine.weighed(picture, slope)
    damped = curvature + np.diag(
        damping * np.diag(curvature) + np.maximum(2.0 * middle - below - above, 0.0) / _SMALL**2
    )
    change = np.linalg.solve(damped, gradient + (above - below) / (2.0 * _SMALL))
    while np.max(np.abs(at(np.clip(u + change, -edges, edges)) - at(u)) / np.ptp(ends, axis=1)) > largest:
        change = 0.8 * change

    before = engine.chi2(picture) - 2.0 * middle.sum()
    for _ in range(5):
        moved = np.clip(u + change, -edges, edges)
        if engine.chi2(engine.solve(numbers_at(moved))) - 2.0 * _ln_prior(numbers, moved).sum() < before:
            return numbers_at(moved)
        change = change / 2.0
    return dict(values)


def _edge(number: Any) -> float:
    """Where the coordinate of a number ends on both sides."""
    if type(number.prior).__name__ == "Normal":
        return np.inf
    return EDGE if number.has_quantiles else 2.0 * EDGE


def _ln_prior(numbers: Sequence[Any], u: np.ndarray) -> np.ndarray:
    """ln of the prior density of each coordinate."""
    return np.array([float(number.ln_density(np.float64(at))) for number, at in zip(numbers, u, strict=True)])


def _coordinate(number: Any, value: float) -> float:
    """u of a value, an end where it lies outside the prior."""
    with np.errstate(divide="ignore"):
        theta = np.log10(value) if number.log10 else np.float64(value)
    return float(np.nan_to_num(number.coordinate(theta), nan=0.0, posinf=2.0 * EDGE, neginf=-2.0 * EDGE))
