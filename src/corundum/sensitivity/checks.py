"""Are the derivatives right?  Exact columns against finite differences, one column at a time.

Central differences D(h) = [y(u + h) - y(u - h)] / 2h carry a truncation error of order h^2 and a noise of order
tolerance / h, so they are taken over a grid of steps and of solver tolerances and each column is judged at its best
step.  Two steps a factor of two apart give Richardson's extrapolation (4 D(h/2) - D(h)) / 3, of order h^4.  Columns are
judged alone, so that a parameter nothing depends on does not hide the others.

The error of a column is over its norm or, where that is less, over a thousandth of the largest norm among the columns
checked: in prior widths, the default, a parameter that moves galaxies less than that over its whole range is below what
the differences of two solutions can measure to any digits, and below what matters.

A wrong derivative is as wrong at any tolerance.  An error that falls with the tolerance belongs to the solution: where
the equations have a corner (a bilinear table, a sharp minimum, a break that moves with the parameter), the derivative
of the discrete solution converges only as a low power of the tolerance.

References
----------
Pandya et al. 2026, arXiv:2604.06318, appendix B (error matrix and its Frobenius norm).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..halos import HaloHistories
from ..models import AbstractModel
from ..numerics.solvers.lanes import LaneSolver
from .coordinates import AbstractCoordinates, PriorWidth
from .derivatives import AbstractMode, check_redshifts, differentiate, values_at
from .jacobians import LogQuantities, directions_for
from .labelled import Labelled
from .prior_wide.space import choose, known_parameters

__all__ = ["GradientCheck", "check_gradients", "error_matrix"]

_QUIET = 1e-9  # [dex per unit]: columns all below this in both ways are those that nothing depends on
_FLOOR = 1e-3  # of the largest column: no column is judged on a finer scale
_FALLS = 10.0  # by this from the next tolerance to the tightest: the error of a solution, not of a derivative


class GradientCheck(NamedTuple):
    """Exact derivatives beside finite differences.

    Attributes
    ----------
    exact : Labelled, (tolerance, halo, redshift, quantity, parameter)
    error : Labelled, (tolerance, step, parameter)
        Norm of Richardson-extrapolated difference minus exact column, over the norm of the column or, where that is
        less, a thousandth of the largest.
    plain_error : Labelled, (tolerance, step, parameter)
        The same for plain central differences.
    matrix_norm : Labelled, (tolerance, step)
        Frobenius norm of the published error matrix, the median over halos and redshifts.
    verdict : dict of str to str
        For each parameter ``"passed"`` or, where the error is above the threshold, ``"failed"``; ``"unresolved"`` where
        it is not above what differences at other steps differ by themselves; ``"converging"`` where it falls at least
        tenfold from the next tolerance to the tightest, so that it is of the solution and not of the derivative; and
        ``"no response"`` where both ways give nothing that could make an error above the threshold.
    best : dict of str to float
        The smallest error of each column, at the tightest tolerance.
    threshold : float
    failed : int
        Galaxies left out because a solve failed.
    """

    exact: Labelled
    error: Labelled
    plain_error: Labelled
    matrix_norm: Labelled
    verdict: dict[str, str]
    best: dict[str, float]
    threshold: float
    failed: int

    @property
    def passed(self) -> bool:
        """Whether no column failed."""
        return "failed" not in self.verdict.values()


def error_matrix(first: Any, second: Any) -> np.ndarray:
    """(J1 - J2) / [(|J1| + |J2|) / 2], element by element; zero where both are zero, so that no NaN spreads."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    size = 0.5 * (np.abs(first) + np.abs(second))
    return np.where(size > 0, (first - second) / np.where(size > 0, size, 1.0), 0.0)


def check_gradients(
    model: AbstractModel,
    halos: HaloHistories,
    parameters: Sequence[str] | None = None,
    redshifts: Sequence[float] = (0.0,),
    *,
    steps: Sequence[float] = (1e-2, 1e-3, 1e-4),
    tolerances: Sequence[float] = (1e-8, 1e-11),
    threshold: float = 1e-5,
    coordinates: AbstractCoordinates | None = None,
    mode: AbstractMode | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> GradientCheck:
    """Compare exact derivatives of any model with finite differences of its own solutions.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
        A few are enough.
    parameters : sequence of str, optional
        Default every number of the model.
    redshifts : sequence of float
    steps : sequence of float
        In the coordinates, and at most half the distance of a parameter from the nearer end of its range; each is
        also halved for the extrapolation.
    tolerances : sequence of float
        rtol = atol of the solver; the verdict is at the tightest.
    threshold : float
        Largest error of a column that passes.
    coordinates : AbstractCoordinates, optional
        Default `PriorWidth()`, so that a step is a part of each parameter's range.
    mode : AbstractMode, optional
        Of the exact derivatives.
    progress : callable, optional
        Called as ``progress(done, total)`` in populations solved.

    Raises
    ------
    ValueError
        A step, tolerance, name or redshift makes no sense, or no galaxy could be solved.
    """
    names = choose(model, halos.cosmology, parameters)
    coordinates = PriorWidth() if coordinates is None else coordinates
    outputs = check_redshifts(halos, redshifts)
    steps, tolerances = _positive("steps", steps), _positive("tolerances", tolerances)
    if not threshold > 0:
        raise ValueError(f"threshold: got {threshold}; it must be positive")
    total = len(tolerances) * (1 + 4 * len(steps) * len(names))
    quantities = LogQuantities(model.ledger.state._fields)
    ahead = directions_for(model, halos.cosmology, names, coordinates)
    exact, richardson, plain, done = [], [], [], 0
    for tolerance in tolerances:
        solver = LaneSolver(tolerance=float(tolerance), max_steps=20_000)  # `pandya23()` takes 13,000 at 1e-11
        solved = differentiate(quantities, model, halos, outputs, *ahead[:3], mode=mode, solver=solver)
        exact.append(solved.derivatives)
        done += 1

        for step in steps:
            pair = []
            widest = np.array([_within_range(model, halos, coordinates, ahead, name, step) for name in names])
            for h in (widest, 0.5 * widest):
                shifted = [_shifted(model, halos, coordinates, ahead, *each) for each in zip(names, h, strict=True)]
                vectors = np.concatenate(shifted)
                solved = np.asarray(values_at(quantities, model, halos, outputs, ahead.names, vectors, solver=solver))
                pair.append(np.moveaxis(solved[1::2] - solved[::2], 0, -1) / (2.0 * h))
                done += len(vectors)
                if progress is not None:
                    progress(done, total)
            plain.append(pair[0])
            richardson.append((4.0 * pair[1] - pair[0]) / 3.0)
    shape = (len(tolerances), len(steps), *exact[0].shape)
    return _judged(
        np.stack(exact), np.reshape(richardson, shape), np.reshape(plain, shape), names, coordinates, steps,
        tolerances, threshold, np.asarray(outputs), quantities.names, known_parameters(model, halos.cosmology),
    )  # fmt: skip


def _positive(what, numbers):
    numbers = np.atleast_1d(np.asarray(numbers, float))
    if not (numbers.ndim == 1 and len(numbers) and np.all((numbers > 0) & (numbers < 1))):
        raise ValueError(f"{what}: got {numbers.tolist()}; give numbers between 0 and 1")
    return np.sort(numbers)[::-1]


def _within_range(model, halos, coordinates, ahead, name, step):
    """A step, or half the distance of a parameter from the nearer end of its range where that is less."""
    known = known_parameters(model, halos.cosmology)[name]
    value = ahead.vector[ahead.names.index(name)]
    with np.errstate(divide="ignore"):
        u, *ends = (float(coordinates.encode(name, known, np.float64(x))) for x in (value, *(known.bounds or ())))
    room = [abs(u - end) for end in ends if np.isfinite(end) and end != u]
    return min([step, *(0.5 * each for each in room)])


def _shifted(model, halos, coordinates, ahead, name, h):
    """The vectors of all numbers with one parameter a step lower and higher, in its coordinates."""
    known = known_parameters(model, halos.cosmology)[name]
    place = ahead.names.index(name)
    u = float(coordinates.encode(name, known, ahead.vector[place]))
    both = []
    for sign in (-1.0, 1.0):
        vector = np.array(ahead.vector)
        vector[place] = float(coordinates.decode(name, known, np.float64(u + sign * h)))
        both.append(vector)
    return both


def _judged(exact, richardson, plain, names, coordinates, steps, tolerances, threshold, redshifts, quantities, known):
    there = np.isfinite(exact).all(axis=(0, -2, -1)) & np.isfinite(richardson).all(axis=(0, 1, -2, -1))
    if not there.any():
        raise ValueError("check: no galaxy could be solved at every step; take smaller steps or other parameters")
    exact_there, numeric, central = (array[..., there, :, :] for array in (exact, richardson, plain))
    size = np.linalg.norm(exact_there, axis=(-3, -2))  # (tolerance, parameter)
    away = np.linalg.norm(numeric - exact_there[:, None], axis=(-3, -2))
    other = np.linalg.norm(central - exact_there[:, None], axis=(-3, -2))
    own_size = np.maximum(size, np.linalg.norm(numeric, axis=(-3, -2)).min(axis=1))
    scale = np.maximum(own_size, _FLOOR * own_size.max(axis=-1, keepdims=True))[:, None]
    safe = np.where(scale > _QUIET, scale, 1.0)
    error, plain_error = away / safe, other / safe
    quiet = own_size[-1] <= np.maximum(_QUIET, threshold * scale[-1, 0])
    best = error[-1].min(axis=0)
    falls = best * _FALLS <= error[-2].min(axis=0) if len(tolerances) > 1 else np.zeros(len(names), bool)
    # What differences at two steps differ by is noise or truncation of their own: no error below it can be told.
    chosen = error[-1].argmin(axis=0)
    own = np.full(len(names), 0.0)
    for j, i in enumerate(chosen):
        others = np.delete(numeric[-1][..., j], i, axis=0) - numeric[-1, i][..., j]
        own[j] = np.linalg.norm(others, axis=(-2, -1)).min(initial=np.inf) / safe[-1, 0, j] if len(others) else 0.0
    verdict = {}
    for j, name in enumerate(names):
        above = "unresolved" if best[j] <= own[j] else "converging" if falls[j] else "failed"
        verdict[name] = "no response" if quiet[j] else "passed" if best[j] <= threshold else above
    norms = np.linalg.norm(error_matrix(exact_there[:, None], central), axis=(-2, -1))
    coords = {
        "tolerance": tolerances,
        "step": steps,
        "halo": np.arange(exact.shape[1]),
        "redshift": redshifts,
        "quantity": quantities,
        "parameter": names,
    }
    units = {"parameter": tuple(coordinates.unit(name, known[name]) for name in names)}

    def label(values, dims, meaning, unit="1"):
        kept = units if "parameter" in dims else {}
        return Labelled(values, dims, {dim: coords[dim] for dim in dims}, unit, meaning, kept)

    column = ("tolerance", "step", "parameter")
    return GradientCheck(
        label(exact, ("tolerance", "halo", "redshift", "quantity", "parameter"), "exact derivatives", "quantity unit"),
        label(error, column, "error of extrapolated differences over the scale of the column"),
        label(plain_error, column, "error of central differences over the scale of the column"),
        label(np.median(norms, axis=-1), ("tolerance", "step"), "Frobenius norm of the published error matrix"),
        verdict,
        dict(zip(names, best.tolist(), strict=True)),
        float(threshold),
        int((~there).sum()),
    )
