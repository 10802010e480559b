"""Point estimates: the highest posterior density in unbounded coordinates, from many starts at once.

All starts are solved as one list.  Every start is reported: where it began and ended, whether it converged, and how
much log density its gradient still promises.  Ends that are apart count as separate modes.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from ..batches import in_batches
from ..evaluate import linearise
from ..laplace import information_at
from ..target import Target
from .methods import AbstractOptimiser, GaussNewton

__all__ = ["Starts", "PointEstimate", "maximise", "spread_starts"]


_LITTLE = 0.05  # log density; the corners of an adaptive solution hide gains much smaller


class Starts(NamedTuple):
    """What became of every start; arrays of shape (S, ...).

    Attributes
    ----------
    begin, end : arrays, (S, P)
        theta.
    u : array, (S, P)
        Coordinates of the ends.
    log_density : array, (S,)
    remaining : array, (S,)
        Log density that a Newton step along the gradient still promises.
    converged : boolean array, (S,)
        `remaining` is below 0.05: a Newton step would move it by less than 0.3 standard deviations.
    failed : boolean array, (S,)
        The model could not be solved at the beginning.
    steps : array, (S,)
    mode : integer array, (S,)
        Which mode it reached, 0 the highest; -1 if it did not converge.
    """

    begin: np.ndarray
    end: np.ndarray
    u: np.ndarray
    log_density: np.ndarray
    remaining: np.ndarray
    converged: np.ndarray
    failed: np.ndarray
    steps: np.ndarray
    mode: np.ndarray


class PointEstimate(NamedTuple):
    """The highest density found.

    Attributes
    ----------
    names : tuple of str
    u : array, (P,)
        Coordinates.
    theta : array, (P,)
        Parameters in their natural scale.
    log_density : float
    converged : bool
    starts : Starts
    modes : list of (theta, log density, starts that reached it)
        The highest first; more than one means that the posterior has several.
    """

    names: tuple[str, ...]
    u: np.ndarray
    theta: np.ndarray
    log_density: float
    converged: bool
    starts: Starts
    modes: list[tuple[np.ndarray, float, int]]

    def in_words(self) -> str:
        """What happened, in one sentence."""
        s = self.starts
        told = f"{int(s.converged.sum())} of {len(s.steps)} starts converged"
        if s.failed.any():
            told += f", {int(s.failed.sum())} could not begin because the model failed there"
        modes = len(self.modes)
        return f"{told}; {'one mode' if modes == 1 else f'{modes} modes'}; log density {self.log_density:.2f}"


def spread_starts(target: Target, number: int, *, key: int = 0) -> np.ndarray:
    """`number` coordinates spread evenly over the prior, the first where the model stands if the prior allows it."""
    if number < 1:
        raise ValueError(f"starts: got {number}; allowed a positive whole number")
    unit = qmc.LatinHypercube(len(target.free), rng=np.random.default_rng(key)).random(number)
    u = ndtri(0.02 + 0.96 * unit)
    u[0] = np.asarray(target.start())
    return u


def maximise(
    target: Target,
    *,
    starts: int = 8,
    key: int = 0,
    optimiser: AbstractOptimiser | None = None,
    u: Any = None,
) -> PointEstimate:
    """Find the highest posterior density in unbounded coordinates.

    Parameters
    ----------
    target : Target
    starts : int
        Where to start: the model as it is, and a Latin hypercube over the prior.
    key : int
    optimiser : AbstractOptimiser, optional
        Default `GaussNewton()`.
    u : array, shape (S, P), optional
        Coordinates to start from instead.

    Raises
    ------
    ValueError
        The model fails at every start, or a prior excludes the model as it is.
    """
    begin = spread_starts(target, starts, key=key) if u is None else np.atleast_2d(np.asarray(u, float))
    y = np.broadcast_to(np.asarray(target.data.y), (len(begin), len(target.data)))
    return climb(target, begin[None], y[None], optimiser)[0]


def climb(target: Target, begin: Any, y: Any, optimiser: AbstractOptimiser | None = None) -> list[PointEstimate]:
    """`maximise` for several sets of data at once.

    Parameters
    ----------
    target : Target
    begin : array, shape (N, S, P)
        S starts of each of N fits.
    y : array, shape (N, S, M)
        The data of each, repeated over its starts.
    """
    optimiser = GaussNewton() if optimiser is None else optimiser
    fits, number, size = np.shape(begin)
    u, y = np.reshape(begin, (-1, size)), np.reshape(y, (fits * number, -1))
    failed = ~np.isfinite(in_batches(linearise, target, u, y).log_density)
    if failed.all() and fits == 1:
        raise ValueError(
            f"maximise: the model fails at all {number} starts (a tenth of its halos or more cannot be solved); check "
            "the fixed parameters, give narrower priors, or a solver with more max_steps"
        )
    safe = u[0] if failed.all() else u[np.flatnonzero(~failed)[0]]
    ends, steps = optimiser(target, jnp.asarray(np.where(failed[:, None], safe, u)), jnp.asarray(y))
    ends = np.where(np.isfinite(ends), ends, safe)
    told = in_batches(linearise, target, ends, y)
    value, slope, information = told.log_density, told.gradient, information_at(target, ends, told, y)
    rise = 0.5 * np.einsum("sp,sp->s", slope, np.linalg.solve(information, slope[..., None])[..., 0])
    remaining = np.where(np.isfinite(value), rise, np.inf)
    parts = (u, ends, value, remaining, failed, np.asarray(steps), information)
    split = [[each[i * number : (i + 1) * number] for each in parts] for i in range(fits)]
    return [_estimate(target, *part) for part in split]


def _estimate(target, begin, ends, value, remaining, failed, steps, information):
    converged = (remaining < _LITTLE) & ~failed
    order = np.argsort(np.where(failed, np.inf, -np.where(np.isfinite(value), value, -np.inf)))
    mode, modes = np.full(len(value), -1), []
    for i in order:
        if not converged[i]:
            continue
        for number, (centre, _, _) in enumerate(modes):
            apart = ends[i] - centre
            if apart @ information[i] @ apart < 1.0 or value[i] < modes[0][1] - 20.0:
                mode[i] = number
                break
        else:
            modes.append((ends[i], float(value[i]), 0))
            mode[i] = len(modes) - 1
    kept = [(np.asarray(target.theta(centre)), top, int(np.sum(mode == k))) for k, (centre, top, _) in enumerate(modes)]
    best = order[0]
    first, last = (np.asarray(target.theta(each)) for each in (begin, ends))
    found = Starts(first, last, ends, value, remaining, converged, failed, steps, mode)
    return PointEstimate(
        target.names, ends[best], found.end[best], float(value[best]), bool(converged[best]), found, kept
    )
