"""What a model predicts for a set of data: one vector, with the error of a finite sample of halos.

`PopulationSummaries` evolves the galaxies and regresses each relation at the points of each measurement.
`FunctionSummaries` wraps any plain function of theta, for toy problems and for models from elsewhere.
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..halos import HaloHistories
from ..models import AbstractModel
from ..numerics.batching import replicate
from ..numerics.solvers.base import AbstractSolver
from ..numerics.solvers.lanes import LaneSolver
from ..observables import AbstractRegression, LocalLinear, Measurement
from ..population import Population, evolve
from ..sensitivity.parameter_space import COSMOLOGY, with_vector
from .nuisances import adjusted, is_nuisance, observed

__all__ = ["Prediction", "AbstractSummaries", "PopulationSummaries", "FunctionSummaries", "TOLERANCE", "ENOUGH"]

TOLERANCE = 1e-4
"""Solver tolerance of fits: log densities are good to 0.01 (60 halos, three relations), far below what counts.  Looser
ones hardly cost less."""

ENOUGH = 2.0
"""Galaxies that reach a point.  Fewer than figures ask for: a fit weighs each point by the error that so few leave."""

_SAME_REDSHIFT = 0.1  # in ln(1 + z)


class Prediction(NamedTuple):
    """What a model says about M points.

    Attributes
    ----------
    mean : array, shape (M,)
    error : array, shape (M,)
        Standard error of `mean` from the finite number of halos.
    scatter : array, shape (M,)
        Spread of galaxies about the relation.
    reached : boolean array, shape (M,)
        Whether model galaxies surround the point.
    failed : float
        Share of halos whose solve failed.
    """

    mean: Float[Array, " m"]
    error: Float[Array, " m"]
    scatter: Float[Array, " m"]
    reached: Any
    failed: Float[Array, ""]


class AbstractSummaries(eqx.Module):
    """Maps values of free parameters to a `Prediction`."""

    @abc.abstractmethod
    def __call__(self, values: Mapping[str, Float[Array, ""]]) -> Prediction:
        """Predict; `values` are the numbers themselves, by name."""


class FunctionSummaries(AbstractSummaries):
    """A plain function of the numbers, without an error of its own.

    Parameters
    ----------
    function : callable
        Maps a vector of values, in the order of `names`, to an array of shape (M,) or to a `Prediction`.
    names : tuple of str
    """

    function: Callable = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, values: Mapping[str, Float[Array, ""]]) -> Prediction:
        told = self.function(jnp.stack([values[name] for name in self.names]))
        if isinstance(told, Prediction):
            return told
        mean = jnp.asarray(told)
        nothing = jnp.zeros_like(mean)
        return Prediction(mean, nothing, nothing, jnp.ones(mean.shape, bool), jnp.zeros(()))


class PopulationSummaries(AbstractSummaries):
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
    """

    model: AbstractModel
    halos: HaloHistories
    measurements: tuple[Measurement, ...]
    outputs: tuple[float, ...] = eqx.field(static=True)
    places: tuple[int, ...] = eqx.field(static=True)
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
        wanted = [m.redshift for m in self.measurements] if redshifts is None else redshifts
        self.outputs = tuple(sorted({float(z) for z in np.atleast_1d(np.asarray(wanted, float))}))
        apart = [[abs(np.log((1 + z) / (1 + m.redshift))) for z in self.outputs] for m in self.measurements]
        self.places = tuple(int(np.argmin(each)) for each in apart)
        for measurement, each in zip(self.measurements, apart, strict=True):
            if min(each) > _SAME_REDSHIFT:
                raise ValueError(
                    f"redshifts: {measurement.name} is at z = {measurement.redshift:g} and none of "
                    f"{', '.join(f'{z:g}' for z in self.outputs)} is near; add {measurement.redshift:g}"
                )
        self.regression = regression
        self.solver = LaneSolver(tolerance=TOLERANCE) if solver is None else solver

    def population(
        self, values: Mapping[str, Float[Array, ""]], redshifts: Sequence[float] | None = None
    ) -> Population:
        """The galaxies with these values; nuisances do not touch them."""
        own = {name: value for name, value in values.items() if not is_nuisance(name)}
        model, cosmology = with_vector(self.model, self.halos.cosmology, tuple(own), tuple(own.values()))
        halos = self.halos
        if any(name.startswith(COSMOLOGY) for name in own):
            halos = eqx.tree_at(lambda tree: tree.cosmology, halos, cosmology)
        return evolve(model, halos, self.outputs if redshifts is None else redshifts, solver=self.solver)

    def __call__(self, values: Mapping[str, Float[Array, ""]]) -> Prediction:
        return self.of(self.population(values), values)

    def of(self, population: Population, values: Mapping[str, Float[Array, ""]]) -> Prediction:
        """The prediction of galaxies already evolved."""
        axes = []
        for measurement, place in zip(self.measurements, self.places, strict=True):
            galaxies = observed(population.at(self.outputs[place]), measurement, values)
            relation = adjusted(measurement, values).relation
            axes.append([jnp.where(galaxies.valid, axis(galaxies), jnp.nan) for axis in (relation.x, relation.y)])
        told = []
        for measurement, (x, y) in zip(self.measurements, replicate(jnp.asarray(axes)), strict=True):
            regression = LocalLinear(measurement.bandwidth, ENOUGH) if self.regression is None else self.regression
            told.append(regression(x, y, measurement.x, weights=population.weights))
        join = [jnp.concatenate([getattr(each, name) for each in told])
                for name in ("mean", "standard_error", "scatter", "reached")]  # fmt: skip
        failed = jnp.mean(jnp.where(population.status == 0, 0.0, 1.0))
        return Prediction(*join, failed)
