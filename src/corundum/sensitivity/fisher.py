r"""What data can tell: expected Fisher information from exact Jacobians, its combinations, and designs of data sets.

With J = d mu / d u the Jacobian of predicted summaries with respect to parameters and C the covariance of the data, the
expected Fisher matrix is F = J^T C^-1 J.  In coordinates where the prior is the unit cube, a uniform prior is worth the
information 1 / Var = 12 of each parameter, and F is measured against it:

- eigenvectors of F are the combinations of named parameters the data see, from the best to the worst;
- the effective number of constrained combinations is tr[F (F + 12)^-1] = sum lambda / (lambda + 12);
- the information gained over the prior is 1/2 log2 det(1 + F / 12) bits.

`greedy_design` adds observables one at a time, each time the one that gains most.

References
----------
Tegmark, Taylor & Heavens 1997, ApJ 480, 22 (Fisher matrices); MacKay 2003, section 27 (well-determined parameters).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..halos import HaloHistories
from ..models import AbstractModel
from ..numerics.solvers.base import AbstractSolver
from ..population import Population, evolve
from .coordinates import AbstractCoordinates, PriorWidth
from .derivatives import AbstractMode, check_redshifts, differentiate
from .jacobians import directions_for
from .labelled import Labelled
from .prior_wide.space import choose, known_parameters

__all__ = [
    "Observable",
    "SummaryJacobian",
    "Fisher",
    "DesignTable",
    "summary_jacobian",
    "expected_fisher",
    "fisher_of",
    "greedy_design",
    "PRIOR_INFORMATION",
]

PRIOR_INFORMATION = 12.0
"""Inverse variance of a uniform prior of unit width."""


class Observable(NamedTuple):
    """A vector of data: how a population predicts it, and how well it is known.

    Attributes
    ----------
    name : str
    summary : callable
        Maps a `Population` to an array, shape (M,).
    covariance : array, shape (M, M)
        Of the data, and of whatever else sets the model apart from them.
    used : boolean array, shape (M,), optional
        Points that count; default all.
    """

    name: str
    summary: Callable[[Population], Any]
    covariance: np.ndarray
    used: np.ndarray | None = None


class SummaryJacobian(NamedTuple):
    """Predictions and how they respond to parameters.

    Attributes
    ----------
    values : dict of str to array, shape (M,)
        By observable.
    derivative : dict of str to Labelled, (point, parameter)
    failed : int
        Halos whose solve failed.
    """

    values: dict[str, np.ndarray]
    derivative: dict[str, Labelled]
    failed: int


class Fisher(NamedTuple):
    """Expected information about parameters.

    Attributes
    ----------
    matrix : Labelled, (parameter, parameter_2)
    eigenvalues : array, shape (P,)
        Largest first.
    directions : Labelled, (combination, parameter)
        Unit eigenvectors in named parameters, in the order of `eigenvalues`.
    effective : float
        Number of combinations better known than from the prior.
    bits : float
        Information gained over the prior.
    """

    matrix: Labelled
    eigenvalues: np.ndarray
    directions: Labelled
    effective: float
    bits: float

    def in_words(self, combination: int, terms: int = 3) -> str:
        """The leading terms of one combination: ``"+0.91 energy_loading.amplitude -0.35 ..."``."""
        row = self.directions.values[combination]
        names = self.directions.labels("parameter")
        leading = np.argsort(-np.abs(row))[:terms]
        return " ".join(f"{row[j]:+.2f} {names[j]}" for j in leading)


class DesignTable(NamedTuple):
    """What each observable adds.

    Attributes
    ----------
    alone : dict of str to (float, float)
        Bits and effective number of each observable by itself.
    order : list of (str, float, float, float)
        Greedy order: observable, bits it adds, bits so far, effective number so far.
    """

    alone: dict[str, tuple[float, float]]
    order: list[tuple[str, float, float, float]]


class _Everything(eqx.Module):
    """All numbers of a population that have a row for each halo and can be differentiated."""

    def __call__(self, population: Population) -> Any:
        bare = eqx.tree_at(lambda p: p.redshifts, population, None)
        return eqx.filter(bare, eqx.is_inexact_array)


def summary_jacobian(
    observables: Sequence[Observable],
    model: AbstractModel,
    halos: HaloHistories,
    parameters: Sequence[str] | None = None,
    redshifts: Sequence[float] = (0.0,),
    *,
    coordinates: AbstractCoordinates | None = None,
    mode: AbstractMode | None = None,
    solver: AbstractSolver | None = None,
    chunk: int = 512,
    progress: Callable[[int, int], None] | None = None,
) -> SummaryJacobian:
    """d summary / d theta of every observable.

    The population and its derivatives are computed a chunk of halos at a time; each summary is then pushed forward
    over all of them at once, so that it may mix halos as regressions do.

    Parameters
    ----------
    observables : sequence of Observable
    model : AbstractModel
    halos : HaloHistories
    parameters : sequence of str, optional
        Default every number of the model.
    redshifts : sequence of float
        Those that the summaries read.
    coordinates : AbstractCoordinates, optional
        Default `PriorWidth()`, in which a Fisher matrix is measured against the prior.
    mode, solver, chunk, progress
        As for `parameter_jacobian`.
    """
    names = choose(model, halos.cosmology, parameters)
    coordinates = PriorWidth() if coordinates is None else coordinates
    outputs = check_redshifts(halos, redshifts)
    _check_observables(observables)
    ahead = directions_for(model, halos.cosmology, names, coordinates)
    solved = differentiate(
        _Everything(), model, halos, outputs, *ahead[:3], mode=mode, solver=solver, chunk=chunk, progress=progress
    )
    population = eqx.filter_eval_shape(evolve, model, halos[:1], outputs, solver=solver)
    rest = eqx.tree_at(
        lambda p: (p.redshifts, p.valid, p.status, p.steps, p.rejected),
        population,
        (outputs, solved.valid, solved.status, np.zeros_like(solved.status), np.zeros_like(solved.status)),
    )
    fixed = eqx.filter(rest, lambda leaf: not isinstance(leaf, jax.ShapeDtypeStruct))
    moving = jax.tree.map(jnp.asarray, solved.values)
    # A failed galaxy is masked by every summary; its tangents must be finite for the mask to hold.
    tangents = jax.tree.map(lambda leaf: jnp.asarray(np.nan_to_num(leaf)), solved.derivatives)
    about = known_parameters(model, halos.cosmology)
    units = {"parameter": tuple(coordinates.unit(name, about[name]) for name in names)}
    values, derivative = {}, {}
    for observable in observables:
        value, pushed = _push(observable.summary, fixed, moving, tangents)
        coords = {"point": np.arange(len(value)), "parameter": names}
        values[observable.name] = np.asarray(value)
        derivative[observable.name] = Labelled(
            np.asarray(pushed), ("point", "parameter"), coords, "summary unit per parameter unit",
            f"response of {observable.name} to each parameter", units,
        )  # fmt: skip
    return SummaryJacobian(values, derivative, int(np.sum(solved.status != 0)))


def _push(summary, fixed, moving, tangents):
    # What is fixed is closed over, not traced: a population finds its redshifts by value.
    def push(moving, tangents):
        def along(tangent):
            return jax.jvp(lambda leaves: jnp.ravel(summary(eqx.combine(leaves, fixed))), (moving,), (tangent,))

        return jax.vmap(along, in_axes=-1, out_axes=(None, -1))(tangents)

    return jax.jit(push)(moving, tangents)


def _check_observables(observables):
    names = [observable.name for observable in observables]
    if not names:
        raise ValueError("observables: got an empty list; give at least one")
    if len(set(names)) < len(names):
        raise ValueError(f"observables: a name is given twice among {', '.join(names)}")


def expected_fisher(observables: Sequence[Observable], jacobian: SummaryJacobian) -> Fisher:
    """Information of all the observables together, taken as independent of each other."""
    first = jacobian.derivative[observables[0].name]
    matrix = sum(_information(observable, jacobian) for observable in observables)
    return fisher_of(matrix, first.coords["parameter"], first.label_units["parameter"])


def greedy_design(observables: Sequence[Observable], jacobian: SummaryJacobian) -> DesignTable:
    """The gain of each observable alone, and in the order in which each adds most to those before it."""
    _check_observables(observables)
    matrices = {observable.name: _information(observable, jacobian) for observable in observables}
    alone = {name: (_bits(matrix), _effective(matrix)) for name, matrix in matrices.items()}
    total, left, order = np.zeros_like(next(iter(matrices.values()))), dict(matrices), []
    while left:
        best = max(left, key=lambda name: _bits(total + left[name]))
        before, total = _bits(total), total + left.pop(best)
        order.append((best, _bits(total) - before, _bits(total), _effective(total)))
    return DesignTable(alone, order)


def _information(observable, jacobian):
    slope = jacobian.derivative[observable.name].values
    covariance = np.asarray(observable.covariance, float)
    points = len(slope)
    if covariance.shape != (points, points):
        raise ValueError(
            f"observable {observable.name}: its summary has {points} points and its covariance the shape "
            f"{covariance.shape}; they must agree"
        )
    used = np.ones(points, bool) if observable.used is None else np.asarray(observable.used, bool)
    used = used & np.isfinite(slope).all(axis=1)
    if not used.any():
        return np.zeros((slope.shape[1],) * 2)
    slope, covariance = slope[used], covariance[np.ix_(used, used)]
    try:
        whitened = np.linalg.solve(np.linalg.cholesky(covariance), slope)
    except np.linalg.LinAlgError:
        raise ValueError(f"observable {observable.name}: its covariance is not positive definite") from None
    return whitened.T @ whitened


def _bits(matrix, prior=PRIOR_INFORMATION):
    sign, logdet = np.linalg.slogdet(np.eye(len(matrix)) + matrix / prior)
    return float(0.5 * logdet / np.log(2.0))


def _effective(matrix, prior=PRIOR_INFORMATION):
    values = np.maximum(np.linalg.eigvalsh(matrix), 0.0)
    return float(np.sum(values / (values + prior)))


def fisher_of(
    matrix: np.ndarray, names: Sequence[str], units: Sequence[str], prior: float = PRIOR_INFORMATION
) -> Fisher:
    """An information matrix as a `Fisher`, measured against `prior`, what a prior tells of each parameter."""
    names, units = tuple(names), tuple(units)
    eigenvalues, vectors = np.linalg.eigh(matrix)
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1].T
    # The sign of an eigenvector is free: the largest entry is made positive.
    largest = np.take_along_axis(vectors, np.argmax(np.abs(vectors), axis=1)[:, None], axis=1)
    vectors = vectors * np.sign(largest)
    coords = {"parameter": names, "parameter_2": names, "combination": np.arange(len(names))}

    def label(values, dims, unit, meaning):
        kept = {dim: units for dim in dims if dim.startswith("parameter")}
        return Labelled(values, dims, {dim: coords[dim] for dim in dims}, unit, meaning, kept)

    return Fisher(
        label(matrix, ("parameter", "parameter_2"), "1 per parameter unit squared", "expected Fisher information"),
        eigenvalues,
        label(vectors, ("combination", "parameter"), "1", "eigenvectors of the Fisher matrix, best known first"),
        _effective(matrix, prior),
        _bits(matrix, prior),
    )
