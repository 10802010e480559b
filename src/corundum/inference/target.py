"""The posterior as a plain function: data, model, priors and likelihood joined into one log density.

`Target.log_density` takes a vector u of unbounded coordinates and returns one number that JAX can differentiate; every
optimiser and sampler of this family calls that same function, and so can any other package.  Its derivative is computed
once per call, value and gradient together, by carrying one tangent for each parameter along with the solve; whatever
differentiates it, forwards or backwards, gets those numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..halos import HaloHistories
from ..models import AbstractModel
from ..numerics.solvers.base import AbstractSolver
from ..observables import AbstractRegression, Measurement
from ..observables import load as load_measurement
from ..parameters import require_float64
from .batches import in_batches
from .evaluate import log_density, predict
from .free import FreeParameter, free_parameters, has_quantiles, prior_of
from .likelihood import (
    AbstractLikelihood,
    Data,
    Gaussian,
    ScatterLikelihood,
    data_of,
    data_of_vector,
    only_used,
    pointwise,
    upper_limits,
)
from .summaries import AbstractSummaries, FunctionSummaries, PopulationSummaries, Prediction

__all__ = ["Target"]

_MAX_FAILED = 0.1  # share of halos whose solve may fail


class Target(eqx.Module):
    """Log posterior of free parameters given data.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
        The sample of halos that stands for the population.
    data : sequence of Measurement or str
        Measurements, or names of those that come with the package.
    free : sequence of str
        Names of free parameters; see `corundum.inference.free`.
    priors : mapping of str to (float, float) or numpyro Distribution, optional
        Default uniform over declared ranges.
    likelihood : AbstractLikelihood, optional
        Default `Gaussian()`.
    scatter : ScatterLikelihood, optional
        Also compare the spread of galaxies; default not.
    cross : mapping of (str, str) to array, optional
        Covariance between measurements.
    monte_carlo_error : float
        How much of the error that so many independent halos would make is part of the covariance: 1 or True for such
        halos, 0 or False for none, 0.5 for halos of `corundum.halos.select_representative`.
    redshifts, regression, solver
        As for `PopulationSummaries`.

    Raises
    ------
    ValueError
        Something does not fit; the message says what and what would.
    """

    summaries: AbstractSummaries
    free: tuple[FreeParameter, ...]
    data: Data
    likelihood: AbstractLikelihood
    scatter: ScatterLikelihood | None
    monte_carlo_error: float = eqx.field(static=True)

    def __init__(
        self,
        model: AbstractModel,
        halos: HaloHistories,
        data: Sequence[Measurement | str],
        free: Sequence[str],
        priors: Mapping[str, Any] | None = None,
        *,
        likelihood: AbstractLikelihood | None = None,
        scatter: ScatterLikelihood | None = None,
        cross: Mapping[tuple[str, str], Any] | None = None,
        monte_carlo_error: float = 1.0,
        redshifts: Sequence[float] | None = None,
        regression: AbstractRegression | None = None,
        solver: AbstractSolver | None = None,
    ):
        require_float64()
        data = (data,) if isinstance(data, Measurement | str) else data
        measurements = tuple(load_measurement(each) if isinstance(each, str) else each for each in data)
        self.free = free_parameters(model, halos.cosmology, free, priors, measurements)
        self.data = data_of(measurements, self.names, cross)
        _check_reach(measurements, halos)
        self.summaries = PopulationSummaries(
            model, halos, measurements, redshifts=redshifts, regression=regression, solver=solver
        )
        self.likelihood = Gaussian() if likelihood is None else likelihood
        if cross and not isinstance(self.likelihood, Gaussian):
            raise ValueError("cross: covariance between measurements needs the Gaussian likelihood")
        self.scatter, self.monte_carlo_error = scatter, float(monte_carlo_error)
        if not (np.isfinite(self.monte_carlo_error) and self.monte_carlo_error >= 0.0):
            raise ValueError(
                f"monte_carlo_error: got {monte_carlo_error}; allowed a number from 0, 1 for independent halos"
            )
        if scatter is not None and not np.isfinite(np.asarray(self.data.scatter)).any():
            raise ValueError(f"scatter: none of {', '.join(self.data.names)} states the spread of galaxies")

    @classmethod
    def of_function(
        cls,
        function: Callable,
        y: Any,
        covariance: Any,
        priors: Mapping[str, Any],
        *,
        likelihood: AbstractLikelihood | None = None,
        start: Mapping[str, float] | None = None,
    ) -> "Target":
        """The posterior of a plain function of parameters, with everything this family can do.

        Parameters
        ----------
        function : callable
            Maps the vector of parameters, in the order of `priors`, to M numbers, or to a `Prediction`.
        y : array, shape (M,)
        covariance : array, shape (M, M) or variances (M,)
        priors : mapping of str to (float, float) or numpyro Distribution
        likelihood : AbstractLikelihood, optional
        start : mapping of str to float, optional
            Where the model stands; default the middle of each prior.
        """
        require_float64()
        made = cls.__new__(cls)
        start = dict(start or {})
        free = []
        for name, given in priors.items():
            prior = prior_of(name, given)
            blank = FreeParameter(name, prior, has_quantiles=has_quantiles(prior))
            middle = start.get(name, float(blank.theta(jnp.zeros(()))))
            free.append(FreeParameter(name, prior, start=middle, has_quantiles=blank.has_quantiles))
        fields = dict(
            summaries=FunctionSummaries(function, tuple(priors)), free=tuple(free), data=data_of_vector(y, covariance),
            likelihood=Gaussian() if likelihood is None else likelihood, scatter=None, monte_carlo_error=1.0,
        )  # fmt: skip
        for name, value in fields.items():
            object.__setattr__(made, name, value)
        return made

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free parameters."""
        return tuple(parameter.name for parameter in self.free)

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each theta."""
        return tuple(parameter.unit for parameter in self.free)

    def theta(self, u: Float[Array, "... p"]) -> Float[Array, "... p"]:
        """Parameters in their natural scale (decades for amplitudes) at unbounded coordinates."""
        u = jnp.asarray(u, jnp.float64)
        return jnp.stack([each.theta(u[..., i]) for i, each in enumerate(self.free)], axis=-1)

    def coordinates(self, theta: Float[Array, "... p"]) -> Float[Array, "... p"]:
        """Unbounded coordinates of parameters.

        Raises
        ------
        ValueError
            A value lies outside its prior.
        """
        theta = np.asarray(theta, float)
        for i, each in enumerate(self.free):
            if not np.all(each.prior.support(theta[..., i])):
                raise ValueError(
                    f"free parameter {each.name}: {np.ravel(theta[..., i])[0]:g} {each.unit} lies outside its prior "
                    f"({_support(each.prior)}); widen the prior or change the value"
                )
        return jnp.stack([each.coordinate(theta[..., i]) for i, each in enumerate(self.free)], axis=-1)

    def values(self, u: Float[Array, " p"]) -> dict[str, Float[Array, ""]]:
        """The numbers themselves, by name."""
        theta = self.theta(u)
        return {each.name: each.value(theta[..., i]) for i, each in enumerate(self.free)}

    def start(self) -> Float[Array, " p"]:
        """Coordinates of the model as it is.

        Raises
        ------
        ValueError
            A prior excludes it.
        """
        return self.coordinates(np.array([each.start for each in self.free]))

    def prior_draws(self, number: int, *, key: int = 0) -> Float[Array, "n p"]:
        """Coordinates of independent draws from the prior."""
        keys = jax.random.split(jax.random.key(key), len(self.free))
        draws = [
            jax.random.normal(k, (number,)) if each.has_quantiles else each.coordinate(each.prior.sample(k, (number,)))
            for k, each in zip(keys, self.free, strict=True)
        ]
        return jnp.stack(draws, axis=-1)

    def log_prior(self, u: Float[Array, " p"]) -> Float[Array, ""]:
        """Log prior density of u."""
        return sum(each.log_density(u[i]) for i, each in enumerate(self.free))

    def predict(self, u: Float[Array, " p"]) -> Prediction:
        """What the model says at u, before calibration offsets."""
        told = self.summaries(self.values(u))
        return told._replace(error=self.monte_carlo_error * told.error)

    def log_likelihood(self, u: Float[Array, " p"], y: Float[Array, " m"] | None = None) -> Float[Array, ""]:
        """Log probability of the data (or of `y` in their place) at u; -inf where too many solves failed."""
        values = self.values(u)
        return self.log_likelihood_of(self.predict(u), values, self.data.y if y is None else y)

    def log_likelihood_of(
        self, prediction: Prediction, values: Mapping[str, Any], y: Float[Array, " m"]
    ) -> Float[Array, ""]:
        """Log probability of `y` for a prediction already made."""
        data, measured = self.data, self.data.measured
        used = jnp.isfinite(y)
        covariance = only_used(data.total_covariance(prediction, values), used)
        residual = jnp.where(used, y - prediction.mean - data.shift(values), 0.0)
        groups = [np.searchsorted(measured, np.intersect1d(data.places(name), measured)) for name in data.names]
        total = self.likelihood(residual[measured], covariance[np.ix_(measured, measured)], groups)
        if data.limits:
            at = np.array(data.limits)
            total += upper_limits(residual[at], jnp.diagonal(covariance)[at])
        if self.scatter is not None:
            total += self.scatter(prediction, data.scatter)
        return jnp.where(prediction.failed > _MAX_FAILED, -jnp.inf, total)

    def log_density(self, u: Float[Array, " p"], y: Float[Array, " m"] | None = None) -> Float[Array, ""]:
        """Log posterior density of u, without its constant; `y` takes the place of the data."""
        return log_density(u, self, self.data.y if y is None else y)

    def potential(self, u: Float[Array, " p"]) -> Float[Array, ""]:
        """Minus `log_density`, as Hamiltonian samplers want it."""
        return -self.log_density(u)

    def point_log_likelihoods(self, prediction: Prediction, values: Mapping[str, Any]) -> Float[Array, " m"]:
        """Log density of each point given all others, for a prediction."""
        used = jnp.isfinite(self.data.y)
        covariance = only_used(self.data.total_covariance(prediction, values), used)
        residual = jnp.where(used, self.data.y - prediction.mean - self.data.shift(values), 0.0)
        return jnp.where(used, pointwise(residual, covariance), jnp.nan)

    def with_data(self, y: Float[Array, " m"]) -> "Target":
        """The same with other numbers measured; NaN where a point does not count."""
        y = jnp.asarray(y, jnp.float64)
        if y.shape != self.data.y.shape:
            raise ValueError(f"with_data: got shape {y.shape}; expected {self.data.y.shape}")
        return eqx.tree_at(lambda target: target.data.y, self, y)

    def using(self, names: Sequence[str]) -> "Target":
        """The same with only these measurements; nothing needs compiling again.

        Raises
        ------
        ValueError
            A name is not among the data.
        """
        unknown = [name for name in names if name not in self.data.names]
        if unknown or not names:
            told = ", ".join(unknown) or "an empty list"
            raise ValueError(f"using: got {told}; this fit has {', '.join(self.data.names)}")
        used = np.zeros(len(self.data), bool)
        for name in names:
            used[self.data.places(name)] = True
        return self.with_data(np.where(used, self.data.y, np.nan))

    def within_reach(self, u: Float[Array, "s p"] | None = None) -> tuple["Target", dict[str, int]]:
        """The same without points that model galaxies do not surround.

        A point counts if galaxies reach it at most of the coordinates `u`; by default those of the model as it is.  The
        choice is made once, before fitting: points that came and went with the parameters would reward a model for
        having no galaxies where there are data.

        Returns
        -------
        Target
        dict of str to int
            Points left out, by measurement.

        Raises
        ------
        ValueError
            Not one point of some measurement is reached.
        """
        told = in_batches(predict, self, np.atleast_2d(np.asarray(self.start() if u is None else u)))
        reached = np.mean(told.reached & (told.failed <= _MAX_FAILED)[:, None], axis=0) > 0.5
        y = np.where(reached, np.asarray(self.data.y), np.nan)
        before = np.isfinite(np.asarray(self.data.y))
        lost = {}
        for name in self.data.names:
            at = self.data.places(name)
            if before[at].any() and not np.isfinite(y[at]).any():
                x = np.asarray(self.data.x)[at]
                raise ValueError(
                    f"data: no point of {name} ({x.min():.4g} to {x.max():.4g}) is surrounded by galaxies of the model "
                    "as it is; draw halos of other masses, start from other parameters, or leave it out"
                )
            lost[name] = int(np.sum(before[at] & ~reached[at]))
        return self.with_data(y), {name: number for name, number in lost.items() if number}

    def scaled_errors(self, factor: float | Mapping[str, float]) -> "Target":
        """The same with the errors of all data, or of some measurements, multiplied."""
        scale = np.ones(len(self.data))
        for name in self.data.names:
            scale[self.data.places(name)] = factor.get(name, 1.0) if isinstance(factor, Mapping) else factor
        if not np.all(scale > 0):
            raise ValueError(f"scaled_errors: got {factor}; factors must be positive")
        covariance = self.data.covariance * scale[:, None] * scale[None, :]
        return eqx.tree_at(lambda target: target.data.covariance, self, covariance)

    def with_halos(self, halos: HaloHistories) -> "Target":
        """The same on another sample of halos."""
        return eqx.tree_at(lambda target: target.summaries.halos, self, halos)


def _support(prior):
    ends = [getattr(prior.support, name, None) for name in ("lower_bound", "upper_bound")]
    told = [f"{float(end):g}" if end is not None else "unbounded" for end in ends]
    return f"{type(prior).__name__}, {told[0]} to {told[1]}"


def _check_reach(measurements, halos):
    """A relation against halo mass can be seen to lie beyond the halos before anything is solved."""
    final = np.asarray(halos.log_mvir)[:, -1]
    for m in measurements:
        x = np.asarray(m.x)
        if _against_halo_mass(m) and m.redshift < 0.2 and (x.max() < final.min() or x.min() > final.max()):
            raise ValueError(
                f"data: {m.name} lies at {x.min():.4g} to {x.max():.4g} in lg Mvir, outside the halos "
                f"({final.min():.4g} to {final.max():.4g}); draw halos there or leave it out"
            )


def _against_halo_mass(measurement):
    try:
        measurement.relation.x({"mvir": np.ones(1)})
    except KeyError:
        return False
    return True
