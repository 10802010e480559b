"""Vectors of data that a population predicts, and how they respond to parameters.

An `Observable` is a summary of a population with the covariance of its data; `observable_of` makes one of a
measurement.  `summary_jacobian` differentiates summaries with respect to parameters, exactly and through the solver.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import strategy
from ..halos import HaloHistories, select_trees
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..numerics.solvers.base import AbstractSolver
from ..observables.measurement import Measurement
from ..observables.redshifts import SAME_REDSHIFT, redshift_distance
from ..population import Population, evolve
from ..printing import in_short
from .coordinates import AbstractCoordinates, PriorWidth
from .derivatives import AbstractMode, check_redshifts
from .labelled import Labelled, labeller, overview
from .parameter_space import choose_parameters, directions_for, known_parameters
from .trees.derivatives import differentiate_galaxies

__all__ = ["Observable", "SummaryJacobian", "observable_of", "summary_jacobian", "check_observables"]


class Observable(NamedTuple):
    """A vector of data: how a population predicts it, and how well it is known.

    Attributes
    ----------
    name : str
    summary : callable
        Maps a `Population` to an array, shape (M,).
    covariance : array, shape (M, M)
        Of the data, and of every other difference between model and data.
    used : boolean array, shape (M,), optional
        Points that count; default all.

    Examples
    --------
    >>> mean_mass = co.sensitivity.Observable(
    ...     "mean log stellar mass", lambda p: jnp.log10(p.at(0.0)["mstar"]).mean()[None], np.array([[0.1**2]])
    ... )
    >>> mean_mass.summary(population).shape
    (1,)
    """

    name: str
    summary: Callable[[Population], Any]
    covariance: np.ndarray
    used: np.ndarray | None = None

    def __repr__(self) -> str:
        return in_short(self)


class SummaryJacobian(NamedTuple):
    """Predictions and how they respond to parameters.

    Attributes
    ----------
    values : dict of str to array, shape (M,)
        By observable.
    derivative : dict of str to Labelled, (point, parameter)
    failed : int
        Halos whose solve failed.

    Examples
    --------
    >>> slope = co.sensitivity.Labelled(
    ...     np.array([[2.0]]), ("point", "parameter"), {"point": np.arange(1), "parameter": ("loading",)}, "1",
    ...     "response of the summary to each parameter",
    ... )
    >>> jacobian = co.sensitivity.SummaryJacobian({"stars": np.array([9.5])}, {"stars": slope}, failed=0)
    >>> float(jacobian.derivative["stars"].sel(point=0, parameter="loading").values)
    2.0
    """

    values: dict[str, np.ndarray]
    derivative: dict[str, Labelled]
    failed: int

    def __repr__(self) -> str:
        return overview(self)


def observable_of(measurement: Measurement, population: Any, redshift: float | None = None) -> Observable:
    """A measurement as an observable of populations like `population`.

    Its covariance is that of the data, systematic included, plus the variance of the regressed mean of the model
    galaxies.  Points that too few galaxies of `population` reach do not count.

    Parameters
    ----------
    measurement : Measurement
    population : Population
        A fiducial one, of the same halos and redshifts.
    redshift : float, optional
        The output redshift to compare at; default the one nearest to that of the measurement.

    Raises
    ------
    ValueError
        The redshift is not among the outputs of the population, or none is given and no output is near the data's.

    Examples
    --------
    >>> measurement = co.observables.load("shmr_moster18")
    >>> observable = co.sensitivity.observable_of(measurement, population)
    >>> observable.name, observable.covariance.shape == 2 * observable.summary(population).shape
    ('shmr_moster18', True)
    """
    tolerance = SAME_REDSHIFT if redshift is None else np.inf
    if redshift is None:
        outputs = np.asarray(population.redshifts)
        redshift = min(map(float, outputs), key=partial(redshift_distance, measurement))
    prediction = measurement.predict(population.at(redshift), redshift_tolerance=tolerance)
    reached = np.asarray(prediction.reached)
    variance = np.where(reached, np.asarray(prediction.standard_error) ** 2, 0.0)
    covariance = np.asarray(measurement.total_covariance) + np.diag(variance)

    def summary(population):
        return measurement.predict(population.at(redshift), redshift_tolerance=tolerance).mean

    return Observable(measurement.name, summary, covariance, reached)


class _DifferentiableArrays(eqx.Module):
    """All numbers of a population that have a row for each halo and can be differentiated."""

    def __call__(self, population: Population) -> Any:
        rows = eqx.tree_at(lambda p: (p.redshifts, p.root_redshift), population, (None, None))
        return eqx.filter(rows, eqx.is_inexact_array)


def summary_jacobian(
    observables: Sequence[Observable],
    model: AbstractModel,
    halos: HaloHistories,
    parameters: Sequence[str] | None = None,
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,),
    *,
    coordinates: AbstractCoordinates | None = None,
    mode: AbstractMode | None = None,
    solver: AbstractSolver | None = None,
    chunk: int = 512,
    progress: Callable[[int, int], None] | None = None,
) -> SummaryJacobian:
    """d summary / d theta of every observable.

    The population and its derivatives are computed a chunk of halos at a time.  Each summary is then differentiated
    over all of them at once, so that it may combine halos as regressions do.

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

    Raises
    ------
    ValueError
        There is no observable, two share a name, or a parameter or redshift is not allowed.

    Examples
    --------
    >>> mean_mass = co.sensitivity.Observable(
    ...     "mean mass", lambda p: jnp.log10(p.at(0.0)["mstar"]).mean()[None], np.array([[0.01]])
    ... )
    >>> regulator = co.models.MinimalRegulator()
    >>> jacobian = co.sensitivity.summary_jacobian([mean_mass], regulator, halos, ["mass_loading.constant"])
    >>> jacobian.derivative["mean mass"].shape
    (1, 1)
    """
    check_model_and_halos(model, halos)
    names = choose_parameters(model, halos.cosmology, parameters)
    coordinates = strategy("coordinates", coordinates, PriorWidth())
    outputs = check_redshifts(halos, redshifts, apart=False)
    check_observables(observables)
    directions = directions_for(model, halos.cosmology, names, coordinates)
    solved = differentiate_galaxies(
        _DifferentiableArrays(), model, halos, outputs, *directions[:3],
        mode=mode, solver=solver, chunk=chunk, progress=progress,
    )  # fmt: skip
    one = halos[:1] if halos.satellites is None else select_trees(halos, 0)
    population = eqx.filter_eval_shape(lambda model: evolve(model, one, outputs, solver=solver), model)
    counts = np.zeros_like(solved.status)
    population = eqx.tree_at(
        lambda p: (p.redshifts, p.root_redshift, p.valid, p.status, p.steps, p.rejected),
        population,
        (outputs, np.asarray(halos.cosmology.redshift(halos.time[-1])), solved.valid, solved.status, counts, counts),
    )
    constants = eqx.filter(population, lambda leaf: not isinstance(leaf, jax.ShapeDtypeStruct))
    arrays = jax.tree.map(jnp.asarray, solved.values)
    # Summaries mask galaxies that failed; a mask removes zero tangents but not NaN.
    tangents = jax.tree.map(lambda leaf: jnp.asarray(np.nan_to_num(leaf)), solved.derivatives)
    known = known_parameters(model, halos.cosmology)
    units = {"parameter": tuple(coordinates.unit(name, known[name]) for name in names)}
    values, derivative = {}, {}
    for observable in observables:
        value, pushed = _push_forward(observable.summary, constants, arrays, tangents)
        label = labeller({"point": np.arange(len(value)), "parameter": names}, units)
        values[observable.name] = np.asarray(value)
        derivative[observable.name] = label(
            pushed, ("point", "parameter"), "summary unit per parameter unit",
            f"response of {observable.name} to each parameter",
        )  # fmt: skip
    return SummaryJacobian(values, derivative, int(np.sum(solved.status != 0)))


def _push_forward(summary, constants, arrays, tangents):
    # The constants are closed over and not traced, because `Population.at` looks redshifts up by their values.
    def push(arrays, tangents):
        def along(tangent):
            return jax.jvp(lambda leaves: jnp.ravel(summary(eqx.combine(leaves, constants))), (arrays,), (tangent,))

        return jax.vmap(along, in_axes=-1, out_axes=(None, -1))(tangents)

    return jax.jit(push)(arrays, tangents)


def check_observables(observables: Sequence[Observable]) -> None:
    """Refuse an empty list of observables, and one in which two share a name.

    Raises
    ------
    ValueError
        The list is empty or has a name twice.
    """
    names = [observable.name for observable in observables]
    if not names:
        raise ValueError("observables: got an empty list; give at least one")
    if len(set(names)) < len(names):
        raise ValueError(f"observables: a name is given twice among {', '.join(names)}")
