"""What a model predicts for a set of data: one vector, with the error of a finite sample of halos.

`PopulationSummaries` evolves the galaxies and regresses each relation at the points of each measurement.
`FunctionSummaries` wraps any plain function of the parameters, for toy problems and for models of other packages.
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import strategy
from ..halos import HaloHistories
from ..models import AbstractModel
from ..numerics.batching import replicate
from ..numerics.solvers.base import AbstractSolver
from ..numerics.solvers.forward_lanes import for_forward_mode
from ..numerics.solvers.lanes import LaneSolver
from ..observables import (
    AbstractCosmicDensity,
    AbstractRegression,
    LocalLinear,
    Measurement,
    ProjectedCorrelation,
    histories_of,
)
from ..observables.redshifts import comparable, redshift_distance
from ..population import Population, evolve
from ..printing import Component, in_short
from ..sensitivity.parameter_space import COSMOLOGY, with_vector
from .nuisances import adjusted, is_nuisance, observed
from .text import count

__all__ = [
    "Prediction",
    "AbstractSummaries",
    "AbstractGalaxySummaries",
    "PopulationSummaries",
    "FunctionSummaries",
    "TOLERANCE",
    "FEWEST_GALAXIES",
]

TOLERANCE = 1e-4
"""Solver tolerance of fits: log densities are accurate to 0.01 (60 halos, three relations), which changes no result.
A looser tolerance hardly saves time."""

FEWEST_GALAXIES = 2.0
"""Effective number of galaxies that must reach a point.  Figures ask for more; a fit can do with fewer because it
weights each point by the error that so few galaxies leave."""


class Prediction(NamedTuple):
    """What a model predicts for M points.

    Attributes
    ----------
    mean : array, shape (M,)
        Finite at every point, as derivatives need; it means nothing where `reached` is False, and such points are left
        out before a fit (`corundum.inference.Target.within_reach`).
    error : array, shape (M,)
        Standard error of `mean` from the finite number of halos.
    scatter : array, shape (M,)
        Spread of galaxies about the relation.
    reached : boolean array, shape (M,)
        Whether model galaxies surround the point.
    failed : float
        Share of halos whose solve failed.

    Examples
    --------
    >>> prediction = target.predict(target.start())
    >>> prediction.mean.shape, float(prediction.failed)
    ((5,), 0.0)
    """

    mean: Float[Array, " m"]
    error: Float[Array, " m"]
    scatter: Float[Array, " m"]
    reached: Any
    failed: Float[Array, ""]

    def __repr__(self) -> str:
        return in_short(self)


class AbstractSummaries(Component):
    """Maps values of free parameters to a `Prediction`.

    Examples
    --------
    >>> class Constant(co.inference.AbstractSummaries):
    ...     size: int = 3
    ...     def __call__(self, values):
    ...         mean, zero = jnp.full(self.size, values["level"]), jnp.zeros(self.size)
    ...         return co.inference.Prediction(mean, zero, zero, jnp.ones(self.size, bool), jnp.zeros(()))
    >>> Constant()({"level": 2.0}).mean.tolist()
    [2.0, 2.0, 2.0]
    """

    @abc.abstractmethod
    def __call__(self, values: Mapping[str, Any]) -> Prediction:
        """Predict all points; `values` holds the numbers themselves by name, not their logarithms."""

    def for_forward_mode(self) -> "AbstractSummaries":
        """The same predictions from a program that compiles faster where derivatives are taken in forward mode."""
        return self

    def subject(self) -> str:
        """What is compared with data, in a few words."""
        return "a function"


class FunctionSummaries(AbstractSummaries):
    """A plain function of the parameters, without an error of its own.

    Parameters
    ----------
    function : callable
        Maps a vector of values, in the order of `names`, to an array of shape (M,) or to a `Prediction`.
    names : tuple of str

    Examples
    --------
    >>> summaries = co.inference.FunctionSummaries(lambda theta: theta[0] * jnp.arange(3.0), ("slope",))
    >>> summaries({"slope": 2.0}).mean.tolist()
    [0.0, 2.0, 4.0]
    """

    function: Callable = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, values: Mapping[str, Any]) -> Prediction:
        result = self.function(jnp.stack([jnp.asarray(values[name], float) for name in self.names]))
        if isinstance(result, Prediction):
            return result
        mean = jnp.asarray(result)
        zero = jnp.zeros_like(mean)
        return Prediction(mean, zero, zero, jnp.ones(mean.shape, bool), jnp.zeros(()))


class AbstractGalaxySummaries(AbstractSummaries):
    """Predictions of a model that is solved in halos; not an extension point.

    Examples
    --------
    >>> measurement = co.observables.load("shmr_behroozi19_sf")
    >>> summaries = co.inference.PopulationSummaries(model, halos, [measurement])
    >>> isinstance(summaries, AbstractGalaxySummaries), summaries.subject()
    (True, 'ThermalCGM in 8 halos')
    """

    model: eqx.AbstractVar[AbstractModel]
    halos: eqx.AbstractVar[HaloHistories]
    solver: eqx.AbstractVar[AbstractSolver]

    def for_forward_mode(self) -> "AbstractGalaxySummaries":
        return eqx.tree_at(lambda summaries: summaries.solver, self, for_forward_mode(self.solver))

    def subject(self) -> str:
        return f"{type(self.model).__name__} in {count(len(self.halos), 'halo')}"


class PopulationSummaries(AbstractGalaxySummaries):
    """Relations of evolved galaxies at the points of measurements.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
    measurements : sequence of Measurement
    redshifts : sequence of float, optional
        Outputs; each measurement is compared with the nearest one.  Default the redshifts of the measurements.
    regression : AbstractRegression, optional
        Default local lines with the kernel of each measurement, and two galaxies enough to reach a point.
    solver : AbstractSolver, optional
        Default ``LaneSolver(tolerance=TOLERANCE)``.

    Raises
    ------
    ValueError
        No output lies near the redshift of a measurement.

    Examples
    --------
    >>> measurement = co.observables.load("shmr_behroozi19_sf")
    >>> summaries = co.inference.PopulationSummaries(model, halos, [measurement])
    >>> summaries.of(population, {}).mean.shape == measurement.x.shape
    True
    """

    model: AbstractModel
    halos: HaloHistories
    measurements: tuple[Measurement, ...]
    outputs: tuple[float, ...] = eqx.field(static=True)
    nearest: tuple[int, ...] = eqx.field(static=True)
    regression: AbstractRegression | None
    solver: AbstractSolver

    def __init__(
        self,
        model: AbstractModel,
        halos: HaloHistories,
        measurements: Sequence[Measurement],
        *,
        redshifts: Sequence[float] | None = None,
        regression: AbstractRegression | None = None,
        solver: AbstractSolver | None = None,
    ):
        self.model, self.halos, self.measurements = model, halos, tuple(measurements)
        for measurement in self.measurements:
            if isinstance(measurement.relation, AbstractCosmicDensity):
                raise ValueError(
                    f"{measurement.name}: a {measurement.relation.title} is a sum over halos counted at several "
                    "redshifts, and a target evolves halos counted at one; compare it with observables.cosmic_history"
                )
            if isinstance(measurement.relation, ProjectedCorrelation) and halos.satellites is None:
                raise ValueError(
                    f"{measurement.name}: a {measurement.relation.title} needs the satellites of halos, and these have "
                    "none; draw whole trees with halos.complete_forest"
                )
        redshifts = [m.redshift for m in self.measurements] if redshifts is None else redshifts
        self.outputs = tuple(sorted({float(z) for z in np.atleast_1d(np.asarray(redshifts, float))}))
        distances = [[redshift_distance(m, z) for z in self.outputs] for m in self.measurements]
        self.nearest = tuple(int(np.argmin(row)) for row in distances)
        for measurement, index in zip(self.measurements, self.nearest, strict=True):
            if not comparable(measurement, self.outputs[index]):
                raise ValueError(
                    f"redshifts: {measurement.name} is at z = {measurement.redshift:g} and none of "
                    f"{', '.join(f'{z:g}' for z in self.outputs)} is near; add {measurement.redshift:g}"
                )
        self.regression = regression
        self.solver = strategy("solver", solver, LaneSolver(tolerance=TOLERANCE))

    def population(self, values: Mapping[str, Any], redshifts: Sequence[float] | None = None) -> Population:
        """The galaxies with these values, and the histories that the relations need; nuisances do not change them."""
        physical = {name: value for name, value in values.items() if not is_nuisance(name)}
        names, numbers = tuple(physical), tuple(physical.values())
        model, cosmology = with_vector(self.model, self.halos.cosmology, names, numbers)
        halos = self.halos
        if any(name.startswith(COSMOLOGY) for name in physical):
            halos = eqx.tree_at(lambda tree: tree.cosmology, halos, cosmology)
        redshifts = self.outputs if redshifts is None else redshifts
        return evolve(model, halos, redshifts, histories=histories_of(self.measurements), solver=self.solver)

    def __call__(self, values: Mapping[str, Any]) -> Prediction:
        return self.of(self.population(values), values)

    def of(self, population: Population, values: Mapping[str, Any]) -> Prediction:
        """The prediction of a population with the same halos; `values` are those of the free parameters."""
        axes, sources = [], []
        for measurement, index in zip(self.measurements, self.nearest, strict=True):
            galaxies = observed(population.at(self.outputs[index]), measurement, values)
            relation = adjusted(measurement, values).relation
            axes.append([jnp.where(galaxies.valid, axis(galaxies), jnp.nan) for axis in (relation.x, relation.y)])
            sources.append((relation, galaxies))
        relations = []
        whole = replicate(jnp.asarray(axes))
        for measurement, (relation, galaxies), (x, y) in zip(self.measurements, sources, whole, strict=True):
            default = LocalLinear(measurement.bandwidth, FEWEST_GALAXIES)
            regression = default if self.regression is None else self.regression
            if relation.single_galaxies:
                relations.append(regression(x, y, measurement.x, weights=population.weights))
            else:
                relations.append(relation.regressed(galaxies, measurement.x, regression))
        mean, error, scatter, reached = (
            jnp.concatenate([getattr(relation, name) for relation in relations])
            for name in ("mean", "standard_error", "scatter", "reached")
        )
        failed = jnp.mean(jnp.where(population.status == 0, 0.0, 1.0))
        return Prediction(mean, error, scatter, reached, failed)
