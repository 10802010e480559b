"""The posterior as a plain function: data, model, priors and likelihood joined into one log density.

`Target.ln_density` takes a vector u of unbounded coordinates and returns one number that JAX can differentiate; every
optimiser and sampler of this family calls that same function, and so can any other package.  Value and gradient are
computed together, with one tangent for each parameter in the same solve, and any way of differentiating it (forward or
reverse mode) gets those numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import strategy, whole_number
from ..halos import HaloHistories
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..numerics.random_keys import random_key
from ..numerics.solvers.base import AbstractSolver
from ..observables import AbstractRegression, Measurement
from ..observables.files import measurements_of
from ..parameters import require_float64
from .data import Data, data_of, data_of_vector
from .evaluate import ln_density, uncorrected
from .free import FreeParameter, free_parameters, parameters_of_function
from .likelihoods.base import AbstractLikelihood, only_used, pointwise, upper_limits
from .likelihoods.gaussian import Gaussian
from .likelihoods.scatter import ScatterLikelihood
from .reach import MAX_FAILED, check_reach, points_within_reach
from .summaries import AbstractSummaries, FunctionSummaries, PopulationSummaries, Prediction
from .text import describe_target
from .training.history_data import history_fields
from .training.states import States
from .vectors import any_vectors, one_vector, rows_of_vectors

__all__ = ["Target"]


class Target(eqx.Module):
    """Log posterior of free parameters given data; `print` shows parameters, priors and data.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
        The sample of halos that represents the population.
    data : sequence of Measurement or str
        Measurements, names of those that come with the package, or paths of files (docs/how_to/measurements.md).
    free : sequence of str
        Names of free parameters; see `corundum.inference.free`.
    priors : mapping of str to (float, float), dict or numpyro Distribution, optional
        As for `free_parameters`; default uniform over declared ranges.
    likelihood : AbstractLikelihood, optional
        Default `Gaussian()`.
    scatter : ScatterLikelihood, optional
        Compares the spread of galaxies as well; by default it is not compared.
    cross : mapping of (str, str) to array, optional
        Covariance between measurements.
    monte_carlo_error : float
        The Monte-Carlo error of the mean relations over that of as many independent halos: 1 for independent halos, 0
        for no such error, 0.5 for halos of `corundum.halos.select_representative`.
    redshifts, regression, solver
        As for `PopulationSummaries`.

    Raises
    ------
    ValueError
        An argument does not fit; the message says what would.

    Examples
    --------
    >>> target = co.inference.Target(model, halos, ["shmr_behroozi19_sf"], ["mass_loading.amplitude"])
    >>> print(target)
    Target of ThermalCGM in 8 halos: 1 free parameter, 11 data points of 1 measurement
      free  mass_loading.amplitude  Uniform, -2 to 1 [dex]
      data  shmr_behroozi19_sf: 11 points
      likelihood  Gaussian
    >>> round(10.0 ** float(target.theta(target.start())[0]), 6) == float(model.mass_loading.amplitude)
    True
    """

    summaries: AbstractSummaries
    free: tuple[FreeParameter, ...]
    data: Data
    likelihood: AbstractLikelihood
    scatter: ScatterLikelihood | None
    monte_carlo_error: float = eqx.field(static=True)
    correction: Any

    def __init__(
        self,
        model: AbstractModel,
        halos: HaloHistories,
        data: Sequence[Measurement | str] | Measurement | str,
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
        check_model_and_halos(model, halos)
        measurements = measurements_of(data)
        self.free = free_parameters(model, halos.cosmology, free, priors, measurements)
        self.data = data_of(measurements, self.names, cross)
        check_reach(measurements, halos)
        self.summaries = PopulationSummaries(
            model, halos, measurements, redshifts=redshifts, regression=regression, solver=solver
        )
        self.likelihood = strategy("likelihood", likelihood, Gaussian())
        if cross and not isinstance(self.likelihood, Gaussian):
            raise ValueError("cross: covariance between measurements needs the Gaussian likelihood; leave out either")
        self.scatter, self.monte_carlo_error, self.correction = scatter, float(monte_carlo_error), None
        if not (np.isfinite(self.monte_carlo_error) and self.monte_carlo_error >= 0.0):
            raise ValueError(f"monte_carlo_error: got {monte_carlo_error}; allowed 0 or more, 1 for independent halos")
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
        name: str = "data",
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
            Parameters of the model as it is, the first start of optimisers; default the median of each prior.
        name : str
            What the data are called.

        Examples
        --------
        >>> x = np.linspace(0.0, 1.0, 5)
        >>> target = co.inference.Target.of_function(
        ...     lambda theta: theta[0] + theta[1] * x, y=1.0 + 2.0 * x, covariance=np.full(5, 0.01),
        ...     priors={"intercept": (0.0, 5.0), "slope": (-5.0, 5.0)},
        ... )
        >>> target.names
        ('intercept', 'slope')
        """
        require_float64()
        return cls._of(
            summaries=FunctionSummaries(function, tuple(priors)), free=parameters_of_function(priors, start or {}),
            data=data_of_vector(y, covariance, name), scatter=None, monte_carlo_error=1.0,
            likelihood=strategy("likelihood", likelihood, Gaussian()),
        )  # fmt: skip

    @classmethod
    def of_histories(
        cls,
        model: AbstractModel,
        halos: HaloHistories,
        states: States,
        free: Sequence[str] = (),
        priors: Mapping[str, Any] | None = None,
        *,
        errors: float | Mapping[str, float] | None = None,
        solver: AbstractSolver | None = None,
    ) -> "Target":
        """Each galaxy beside a history of its own, from another model or a simulation; `train` takes it as well.

        Parameters
        ----------
        model, halos, free, priors, solver
            As for the class; `free` may be empty where only networks are trained.
        states : States
            Quantities at several redshifts, as `read_states` reads them.
        errors : float or mapping of str to float, optional
            Standard deviations [dex]; by default those of the states.

        Raises
        ------
        ValueError
            A quantity is none of the model, shapes do not fit, or there are more points than a covariance can hold.

        Examples
        --------
        >>> states = co.inference.States(np.array([2.0, 0.0]), {"mstar": np.full((8, 2), 1e9)}, {"mstar": 0.1})
        >>> co.inference.Target.of_histories(model, halos, states, ["mass_loading.slope"]).data.names
        ('mstar',)
        """
        return cls._of(**history_fields(model, halos, states, free, priors, errors, solver))

    @classmethod
    def _of(cls, **fields: Any) -> "Target":
        target = cls.__new__(cls)
        for name, value in {"correction": None, **fields}.items():
            object.__setattr__(target, name, value)
        return target

    def __repr__(self) -> str:
        return describe_target(self)

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
        u = any_vectors("u", u, self.names)
        return jnp.stack([free.theta(u[..., i]) for i, free in enumerate(self.free)], axis=-1)

    def coordinates(self, theta: Float[Array, "... p"]) -> Float[Array, "... p"]:
        """Unbounded coordinates of parameters; a ValueError where a value lies outside its prior."""
        theta = np.asarray(any_vectors("theta", theta, self.names))
        return jnp.stack([free.coordinate_inside(theta[..., i]) for i, free in enumerate(self.free)], axis=-1)

    def values(self, u: Float[Array, " p"]) -> dict[str, Float[Array, ""]]:
        """The numbers themselves by name, not their logarithms."""
        theta = self.theta(u)
        return {free.name: free.value(theta[..., i]) for i, free in enumerate(self.free)}

    def start(self) -> Float[Array, " p"]:
        """Coordinates of the model as it is.

        Raises
        ------
        ValueError
            A prior excludes it.
        """
        return self.coordinates(np.array([free.start for free in self.free]))

    def prior_draws(self, number: int, *, key: int = 0) -> Float[Array, "n p"]:
        """Coordinates of independent draws from the prior."""
        number = whole_number("number", number, least=0, meaning="draws")
        keys = jax.random.split(random_key(key), len(self.free))
        return jnp.stack([free.draws(k, number) for k, free in zip(keys, self.free, strict=True)], axis=-1)

    def ln_prior(self, u: Float[Array, " p"]) -> Float[Array, ""]:
        """ln of the prior density of u."""
        u = one_vector("u", u, self.names, many="jax.vmap(target.ln_prior)")
        return sum(free.ln_density(u[i]) for i, free in enumerate(self.free))

    def predict(self, u: Float[Array, " p"]) -> Prediction:
        """The prediction of the model at u, before calibration offsets."""
        u = one_vector("u", u, self.names, many="inference.predict(target, u)")
        prediction = self.summaries(self.values(u))
        prediction = prediction._replace(error=self.monte_carlo_error * prediction.error)
        return prediction if self.correction is None else self.correction(u, prediction)

    def ln_likelihood(self, u: Float[Array, " p"], y: Float[Array, " m"] | None = None) -> Float[Array, ""]:
        """ln of the probability density of the data (or of `y`) at u; -inf where more than `MAX_FAILED` solves fail."""
        u = one_vector("u", u, self.names, many="jax.vmap(target.ln_likelihood)")
        return self.ln_likelihood_of(self.predict(u), self.values(u), self.data.numbers(y))

    def ln_likelihood_of(
        self, prediction: Prediction, values: Mapping[str, Any], y: Float[Array, " m"]
    ) -> Float[Array, ""]:
        """ln of the probability density of `y`, given a prediction and the values of the free parameters."""
        data, measured = self.data, self.data.measured
        used = jnp.isfinite(y)
        covariance = only_used(data.total_covariance(prediction, values), used)
        residual = jnp.where(used, y - prediction.mean - data.shift(values), 0.0)
        groups = [np.searchsorted(measured, np.intersect1d(data.positions(name), measured)) for name in data.names]
        total = self.likelihood(residual[measured], covariance[np.ix_(measured, measured)], groups)
        if data.limits:
            limits = np.array(data.limits)
            total += upper_limits(residual[limits], jnp.diagonal(covariance)[limits])
        if self.scatter is not None:
            total += self.scatter(prediction, data.scatter)
        return jnp.where(prediction.failed > MAX_FAILED, -jnp.inf, total)

    def ln_density(self, u: Float[Array, " p"], y: Float[Array, " m"] | None = None) -> Float[Array, ""]:
        """ln of the posterior density of u, without the evidence; `y` takes the place of the data."""
        u = one_vector("u", u, self.names, many="inference.ln_density_at(target, u)")
        return ln_density(u, self, self.data.numbers(y))

    def potential(self, u: Float[Array, " p"]) -> Float[Array, ""]:
        """Minus `ln_density`, which Hamiltonian samplers of other packages take."""
        return -self.ln_density(u)

    def point_ln_likelihoods(self, prediction: Prediction, values: Mapping[str, Any]) -> Float[Array, " m"]:
        """ln of the probability density of each point given all others, for a prediction."""
        used = jnp.isfinite(self.data.y)
        covariance = only_used(self.data.total_covariance(prediction, values), used)
        residual = jnp.where(used, self.data.y - prediction.mean - self.data.shift(values), 0.0)
        return jnp.where(used, pointwise(residual, covariance), jnp.nan)

    def with_data(self, y: Float[Array, " m"]) -> "Target":
        """The same target with other measured numbers, NaN where a point does not count."""
        return eqx.tree_at(lambda target: target.data.y, self, self.data.numbers(y))

    def using(self, names: Sequence[str]) -> "Target":
        """The same target with only these measurements; a ValueError where one is not among the data."""
        used = self.data.among(names)
        kept = tuple(np.where(used, numbers, np.nan) for numbers in (self.data.y, self.data.scatter))
        return eqx.tree_at(lambda target: (target.data.y, target.data.scatter), self, kept)

    def within_reach(self, u: Float[Array, "*s p"] | None = None) -> tuple["Target", dict[str, int]]:
        """The same target without points that model galaxies do not surround.

        A point counts if galaxies reach it at more than half of the coordinates `u`, by default those of the model as
        it is.  The choice is made once, before fitting: if it depended on the parameters, a model would be rewarded for
        having no galaxies where there are data.

        Returns
        -------
        Target
        dict of str to int
            How many points were left out, by measurement.

        Raises
        ------
        ValueError
            Not one point of some measurement is reached.
        """
        u = np.asarray(rows_of_vectors("u", self.start() if u is None else u, self.names, single=True))
        y, lost = points_within_reach(self, u)
        return self.with_data(y), lost

    def scaled_errors(self, factor: float | Mapping[str, float]) -> "Target":
        """The same target with the errors of all data, or of some measurements, multiplied."""
        return eqx.tree_at(lambda target: target.data.covariance, self, self.data.scaled_covariance(factor))

    def with_halos(self, halos: HaloHistories) -> "Target":
        """The same target with another sample of halos, without the correction of those before."""
        return eqx.tree_at(lambda target: target.summaries.halos, uncorrected(self), halos)
