"""Point estimates: the highest posterior density in unbounded coordinates, from many starts at once.

All starts are solved as one list.  Every start is reported: where it began and ended, whether it converged, and how
much log density its gradient still predicts to gain.  Ends that lie apart count as separate modes.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import scipy

from ...arguments import instance, strategy, whole_number
from ...numerics.random_keys import seed
from ..batches import in_batches
from ..evaluate import linearise
from ..laplace import information_at
from ..target import Target
from ..vectors import rows_of_vectors
from .base import AbstractOptimiser
from .gauss_newton import GaussNewton

__all__ = ["Starts", "PointEstimate", "maximise", "maximise_each", "spread_starts"]


_CONVERGED = 0.05  # log density; an adaptive solver makes the density rough on smaller scales
_SAME_MODE = 1.0  # squared distance in standard deviations below which two ends are one mode
_NEGLIGIBLE = 20.0  # log density below the highest mode at which another one carries no probability


class Starts(NamedTuple):
    """The result of every start; arrays of shape (S, ...).

    Attributes
    ----------
    start, end : arrays, (S, P)
        theta.
    u : array, (S, P)
        Coordinates of the ends.
    ln_density : array, (S,)
    remaining : array, (S,)
        Log density that a Newton step along the gradient would still gain.
    converged : boolean array, (S,)
        `remaining` is below 0.05: a Newton step would move it by less than 0.3 standard deviations.
    failed : boolean array, (S,)
        The model could not be solved at the start.
    steps : array, (S,)
    mode : integer array, (S,)
        Which mode it reached, 0 the highest; -1 if it did not converge.

    Examples
    --------
    >>> starts = co.inference.maximise(target, starts=4).starts
    >>> starts.start.shape, starts.mode.tolist()
    ((4, 2), [0, 0, 0, 0])
    """

    start: np.ndarray
    end: np.ndarray
    u: np.ndarray
    ln_density: np.ndarray
    remaining: np.ndarray
    converged: np.ndarray
    failed: np.ndarray
    steps: np.ndarray
    mode: np.ndarray

    def __repr__(self) -> str:
        return f"Starts({len(self.steps)} starts, {int(self.converged.sum())} converged)"


class PointEstimate(NamedTuple):
    """The parameters of highest posterior density; `print` shows them with what became of the starts.

    Attributes
    ----------
    names : tuple of str
    u : array, (P,)
        Coordinates.
    theta : array, (P,)
        Parameters in their natural scale.
    ln_density : float
    converged : bool
    starts : Starts
    modes : list of (theta, log density, number of starts that reached it)
        The highest first; more than one means that the posterior has several.

    Examples
    --------
    >>> print(best)
    PointEstimate: 2 of 2 starts converged; one mode; ln density 2.75
      intercept   0.965
      slope        2.07
    """

    names: tuple[str, ...]
    u: np.ndarray
    theta: np.ndarray
    ln_density: float
    converged: bool
    starts: Starts
    modes: list[tuple[np.ndarray, float, int]]

    def in_words(self) -> str:
        """What happened, in one sentence."""
        s = self.starts
        starts = f"{int(s.converged.sum())} of {len(s.steps)} starts converged"
        if s.failed.any():
            starts += f", {int(s.failed.sum())} could not begin because the model failed there"
        if len(self.modes) < 2:
            return f"{starts}; one mode; ln density {self.ln_density:.2f}"
        heights = "; ".join(
            f"mode {number} at ln density {height:.2f} ({reached} start{'s' * (reached > 1)})"
            for number, (_, height, reached) in enumerate(self.modes, 1)
        )
        return f"{starts}; {heights}"

    def __repr__(self) -> str:
        width = max(map(len, self.names))
        # Where there are several modes a column for each, in the order in which the sentence names them.
        columns = [theta for theta, _, _ in self.modes] if len(self.modes) > 1 else [self.theta]
        rows = [
            f"  {name:{width}}  {'  '.join(f'{value:6.3g}' for value in values)}"
            for name, values in zip(self.names, np.transpose(columns), strict=True)
        ]
        return "\n".join([f"PointEstimate: {self.in_words()}", *rows])


def spread_starts(target: Target, number: int, *, key: int = 0) -> np.ndarray:
    """Coordinates (number, P) spread evenly over the prior; the first are those of the model as it is.

    Raises
    ------
    ValueError
        `number` is not positive, or a prior excludes the model as it is.

    Examples
    --------
    >>> co.inference.spread_starts(target, 3).shape
    (3, 2)
    """
    number = whole_number("starts", number)
    unit = scipy.stats.qmc.LatinHypercube(len(target.free), rng=np.random.default_rng(seed(key))).random(number)
    u = scipy.special.ndtri(0.02 + 0.96 * unit)
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
        How many starts: the model as it is, and a Latin hypercube over the prior.
    key : int
        Seed of the Latin hypercube.
    optimiser : AbstractOptimiser, optional
        Default `GaussNewton()`; also `BFGS()`, `Adam()` or one of your own.
    u : array, shape (S, P), optional
        Coordinates to start from instead.

    Raises
    ------
    ValueError
        The model fails at every start, or a prior excludes the model as it is.

    Examples
    --------
    >>> best = co.inference.maximise(target, starts=4)
    >>> best.names, best.theta.round(2).tolist()
    (('intercept', 'slope'), [0.97, 2.07])
    """
    instance("target", target, Target, expected="a target, such as inference.Target(model, halos, data, free)")
    if u is None:
        first = spread_starts(target, starts, key=key)
    else:
        first = np.asarray(rows_of_vectors("u", u, target.names, single=True))
    y = np.broadcast_to(np.asarray(target.data.y), (len(first), len(target.data)))
    return maximise_each(target, first[None], y[None], optimiser)[0]


def maximise_each(
    target: Target, starts: Any, y: Any, optimiser: AbstractOptimiser | None = None
) -> list[PointEstimate]:
    """`maximise` for several sets of data at once.

    Parameters
    ----------
    target : Target
    starts : array, shape (N, S, P)
        Coordinates of S starts of each of N fits.
    y : array, shape (N, S, M)
        The data of each, repeated over its starts.
    optimiser : AbstractOptimiser, optional
        Default `GaussNewton()`.
    """
    optimiser = strategy("optimiser", optimiser, GaussNewton())
    fits, number, size = np.shape(starts)
    u, y = np.reshape(starts, (-1, size)), np.reshape(y, (fits * number, -1))
    failed = ~np.isfinite(in_batches(linearise, target, u, y).ln_density)
    if failed.all() and fits == 1:
        raise ValueError(
            f"maximise: the model fails at all {number} starts (a tenth of its halos or more cannot be solved); check "
            "the fixed parameters, give narrower priors, or a solver with more max_steps"
        )
    solvable = u[0] if failed.all() else u[np.flatnonzero(~failed)[0]]
    ends, steps = optimiser(target, jnp.asarray(np.where(failed[:, None], solvable, u)), jnp.asarray(y))
    ends = np.where(np.isfinite(ends), ends, solvable)
    linearised = in_batches(linearise, target, ends, y)
    value, slope, information = linearised.ln_density, linearised.gradient, information_at(target, ends, linearised, y)
    gain = 0.5 * np.einsum("sp,sp->s", slope, np.linalg.solve(information, slope[..., None])[..., 0])
    remaining = np.where(np.isfinite(value), gain, np.inf)
    steps = np.broadcast_to(np.asarray(steps), (len(u),))
    columns = (u, ends, value, remaining, failed, steps, information)
    fits_of = [[column[i * number : (i + 1) * number] for column in columns] for i in range(fits)]
    return [_estimate(target, *fit) for fit in fits_of]


def _estimate(target, starts, ends, value, remaining, failed, steps, information):
    converged = (remaining < _CONVERGED) & ~failed
    order = np.argsort(np.where(failed, np.inf, -np.where(np.isfinite(value), value, -np.inf)))
    mode, centres = np.full(len(value), -1), []
    for i in order:
        if not converged[i]:
            continue
        for number, (centre, _) in enumerate(centres):
            offset = ends[i] - centre
            if offset @ information[i] @ offset < _SAME_MODE or value[i] < centres[0][1] - _NEGLIGIBLE:
                mode[i] = number
                break
        else:
            centres.append((ends[i], float(value[i])))
            mode[i] = len(centres) - 1
    modes = [(np.asarray(target.theta(u)), top, int(np.sum(mode == k))) for k, (u, top) in enumerate(centres)]
    best = order[0]
    first, last = (np.asarray(target.theta(u)) for u in (starts, ends))
    table = Starts(first, last, ends, value, remaining, converged, failed, steps, mode)
    return PointEstimate(target.names, ends[best], last[best], float(value[best]), bool(converged[best]), table, modes)
