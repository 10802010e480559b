"""Checks of exact derivatives against finite differences, one column of the Jacobian at a time.

Central differences D(h) = [y(u + h) - y(u - h)] / 2h carry a truncation error of order h^2 and a noise of order
tolerance / h, so they are computed for several steps and solver tolerances, and each column is judged at its best
step.  Two steps a factor of two apart give Richardson's extrapolation (4 D(h/2) - D(h)) / 3, of order h^4.  Columns are
judged one by one, so that a large column does not hide the error of a small one.

The error of a column is relative to its norm or, where that is less, to a thousandth of the largest norm among the
checked columns.  In prior widths, the default, a parameter that changes galaxies by less than that over its whole range
is below what the difference of two solutions can measure, and too weak to matter.

A wrong derivative has the same error at every tolerance.  An error that falls with the tolerance belongs to the
solution: where the equations have a corner (a bilinear table, a sharp minimum, a break that moves with the parameter),
the derivative of the discrete solution converges only as a low power of the tolerance.

References
----------
Pandya et al. 2026, arXiv:2604.06318, appendix B (error matrix and its Frobenius norm).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import strategy
from ..halos import HaloHistories
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..numerics.solvers.lanes import LaneSolver
from .coordinates import AbstractCoordinates, PriorWidth
from .derivatives import AbstractMode, check_redshifts, differentiate, values_at
from .jacobians import LogQuantities
from .labelled import Labelled, labeller, overview
from .parameter_space import choose_parameters, directions_for, known_parameters

__all__ = ["GradientCheck", "check_gradients", "error_matrix"]

_NO_RESPONSE = 1e-9  # [dex per unit]: below this, exactly and by differences, nothing depends on the parameter
_FLOOR = 1e-3  # of the largest column: no column is judged on a finer scale
_CONVERGING = 10.0  # an error that falls by this from the next to the tightest tolerance belongs to the solution


class GradientCheck(NamedTuple):
    """Exact derivatives compared with finite differences.

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
        For each parameter one of

        - ``"passed"``: the error is at most the threshold;
        - ``"failed"``: the error is above the threshold;
        - ``"unresolved"``: it is above, but the differences at two steps disagree by at least as much;
        - ``"converging"``: it is above, but falls at least tenfold from the next tolerance to the tightest, so that it
          belongs to the solution and not to the derivative;
        - ``"no response"``: the exact column and the differences are too small for an error above the threshold.
    best : dict of str to float
        The smallest error of each column, at the tightest tolerance.
    threshold : float
    failed : int
        Galaxies left out because a solve failed.

    Examples
    --------
    See `check_gradients`, which makes one.  A check has passed when no column failed:

    >>> verdict = {"loading": "converging"}
    >>> check = co.sensitivity.GradientCheck(*[None] * 4, verdict=verdict, best={}, threshold=1e-5, failed=0)
    >>> check.passed
    True
    """

    exact: Labelled
    error: Labelled
    plain_error: Labelled
    matrix_norm: Labelled
    verdict: dict[str, str]
    best: dict[str, float]
    threshold: float
    failed: int

    def __repr__(self) -> str:
        return overview(self)

    @property
    def passed(self) -> bool:
        """Whether no column failed."""
        return "failed" not in self.verdict.values()


def error_matrix(first: Any, second: Any) -> np.ndarray:
    """Relative difference (J1 - J2) / [(|J1| + |J2|) / 2] of two Jacobians, element by element.

    It is zero where both are zero.

    Parameters
    ----------
    first, second : arrays of the same shape

    References
    ----------
    Pandya et al. 2026, arXiv:2604.06318, appendix B.

    Examples
    --------
    >>> co.sensitivity.error_matrix([3.0, 0.0], [1.0, 0.0]).tolist()
    [1.0, 0.0]
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    size = 0.5 * (np.abs(first) + np.abs(second))
    return np.where(size > 0, (first - second) / np.where(size > 0, size, 1.0), 0.0)


def check_gradients(
    model: AbstractModel,
    halos: HaloHistories,
    parameters: Sequence[str] | None = None,
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,),
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
        A few are enough; smooth ones, as of `corundum.halos.diffmah_population`, need no tight tolerance.
    parameters : sequence of str, optional
        Default every number of the model.
    redshifts : sequence of float
    steps : sequence of float
        In the coordinates, and at most half the distance of a parameter from the nearer end of its range.  Half of
        each step is used too, for the extrapolation.
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
        A step or tolerance is not between 0 and 1, a name is unknown, a redshift lies outside the histories, or no
        galaxy could be solved.

    Examples
    --------
    >>> regulator = co.models.MinimalRegulator()
    >>> smooth = co.halos.diffmah_population(2)
    >>> check = co.sensitivity.check_gradients(
    ...     regulator, smooth, ["mass_loading.constant"], steps=[1e-2], tolerances=[1e-10]
    ... )
    >>> check.passed, check.verdict
    (True, {'mass_loading.constant': 'passed'})
    """
    check_model_and_halos(model, halos)
    names = choose_parameters(model, halos.cosmology, parameters)
    coordinates = strategy("coordinates", coordinates, PriorWidth())
    outputs = check_redshifts(halos, redshifts)
    steps, tolerances = _positive("steps", steps), _positive("tolerances", tolerances)
    if not threshold > 0:
        raise ValueError(f"threshold: got {threshold}; it must be positive")
    total = len(tolerances) * (1 + 4 * len(steps) * len(names))
    quantities = LogQuantities(model.ledger.state._fields)
    directions = directions_for(model, halos.cosmology, names, coordinates)
    exact, richardson, plain, done = [], [], [], 0
    for tolerance in tolerances:
        solver = LaneSolver(tolerance=float(tolerance), max_steps=20_000)  # `pandya23()` takes 13,000 at 1e-11
        solved = differentiate(quantities, model, halos, outputs, *directions[:3], mode=mode, solver=solver)
        exact.append(solved.derivatives)
        done += 1

        for step in steps:
            differences = []
            widest = np.array([_within_range(model, halos, coordinates, directions, name, step) for name in names])
            for h in (widest, 0.5 * widest):
                vectors = np.concatenate(
                    [_shifted(model, halos, coordinates, directions, name, x) for name, x in zip(names, h, strict=True)]
                )
                values = values_at(quantities, model, halos, outputs, directions.names, vectors, solver=solver)
                shifted = np.asarray(values)
                differences.append(np.moveaxis(shifted[1::2] - shifted[::2], 0, -1) / (2.0 * h))
                done += len(vectors)
                if progress is not None:
                    progress(done, total)
            plain.append(differences[0])
            richardson.append((4.0 * differences[1] - differences[0]) / 3.0)
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


def _within_range(model, halos, coordinates, directions, name, step):
    """A step, or half the distance of a parameter from the nearer end of its range where that is less."""
    parameter = known_parameters(model, halos.cosmology)[name]
    value = directions.vector[directions.names.index(name)]
    with np.errstate(divide="ignore"):
        u, *ends = (
            float(coordinates.encode(name, parameter, np.float64(x))) for x in (value, *(parameter.bounds or ()))
        )
    distances = [abs(u - end) for end in ends if np.isfinite(end) and end != u]
    return min([step, *(0.5 * distance for distance in distances)])


def _shifted(model, halos, coordinates, directions, name, h):
    """The vectors of all numbers with one parameter a step lower and higher, in its coordinates."""
    parameter = known_parameters(model, halos.cosmology)[name]
    entry = directions.names.index(name)
    u = float(coordinates.encode(name, parameter, directions.vector[entry]))
    vectors = []
    for sign in (-1.0, 1.0):
        vector = np.array(directions.vector)
        vector[entry] = float(coordinates.decode(name, parameter, np.float64(u + sign * h)))
        vectors.append(vector)
    return vectors


def _judged(exact, richardson, plain, names, coordinates, steps, tolerances, threshold, redshifts, quantities, known):
    solved = np.isfinite(exact).all(axis=(0, -2, -1)) & np.isfinite(richardson).all(axis=(0, 1, -2, -1))
    if not solved.any():
        raise ValueError("check: no galaxy could be solved at every step; take smaller steps or other parameters")
    solved_exact, solved_richardson, solved_plain = (array[..., solved, :, :] for array in (exact, richardson, plain))
    scale, no_response = _column_scales(solved_exact, solved_richardson, threshold)
    error = np.linalg.norm(solved_richardson - solved_exact[:, None], axis=(-3, -2)) / scale
    plain_error = np.linalg.norm(solved_plain - solved_exact[:, None], axis=(-3, -2)) / scale
    best = error[-1].min(axis=0)
    disagreement = _disagreements(solved_richardson[-1], error[-1], scale[-1, 0])
    verdict = _verdicts(names, error, disagreement, no_response, threshold)
    norms = np.linalg.norm(error_matrix(solved_exact[:, None], solved_plain), axis=(-2, -1))
    coords = {
        "tolerance": tolerances,
        "step": steps,
        "halo": np.arange(exact.shape[1]),
        "redshift": redshifts,
        "quantity": quantities,
        "parameter": names,
    }
    label = labeller(coords, {"parameter": tuple(coordinates.unit(name, known[name]) for name in names)})
    column = ("tolerance", "step", "parameter")
    galaxy = ("tolerance", "halo", "redshift", "quantity", "parameter")
    return GradientCheck(
        label(exact, galaxy, "quantity unit", "exact derivatives"),
        label(error, column, "1", "error of extrapolated differences over the scale of the column"),
        label(plain_error, column, "1", "error of central differences over the scale of the column"),
        label(np.median(norms, axis=-1), ("tolerance", "step"), "1", "Frobenius norm of the published error matrix"),
        verdict,
        dict(zip(names, best.tolist(), strict=True)),
        float(threshold),
        int((~solved).sum()),
    )


def _column_scales(exact, richardson, threshold):
    """The scale that errors are divided by, (tolerance, 1, parameter), and which columns show no response."""
    exact_norm = np.linalg.norm(exact, axis=(-3, -2))  # (tolerance, parameter)
    norm = np.maximum(exact_norm, np.linalg.norm(richardson, axis=(-3, -2)).min(axis=1))
    scale = np.maximum(norm, _FLOOR * norm.max(axis=-1, keepdims=True))[:, None]
    no_response = norm[-1] <= np.maximum(_NO_RESPONSE, threshold * scale[-1, 0])
    return np.where(scale > _NO_RESPONSE, scale, 1.0), no_response


def _disagreements(richardson, error, scale):
    """By how much the differences at the best step of each column disagree with those at the nearest other step.

    This is their own noise and truncation: an error of the exact column below it cannot be measured.
    """
    disagreement = np.zeros(len(scale))
    for j, i in enumerate(error.argmin(axis=0)):
        others = np.delete(richardson[..., j], i, axis=0) - richardson[i][..., j]
        if len(others):
            disagreement[j] = np.linalg.norm(others, axis=(-2, -1)).min(initial=np.inf) / scale[j]
    return disagreement


def _verdicts(names, error, disagreement, no_response, threshold):
    best = error[-1].min(axis=0)
    falls = best * _CONVERGING <= error[-2].min(axis=0) if len(error) > 1 else np.zeros(len(names), bool)
    verdict = {}
    for j, name in enumerate(names):
        above = "unresolved" if best[j] <= disagreement[j] else "converging" if falls[j] else "failed"
        verdict[name] = "no response" if no_response[j] else "passed" if best[j] <= threshold else above
    return verdict
