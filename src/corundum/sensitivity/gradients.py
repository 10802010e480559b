"""Derivatives of summaries of galaxies: gradients, Hessians and their products with vectors.

A summary is any function of galaxies that JAX can differentiate, such as the mean stellar mass of some halos or a
chi-squared against data.  Its derivatives are taken in the chosen coordinates, exactly, through the solver.
"""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import strategy
from ..halos import HaloHistories
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..numerics.compiling import compiled
from ..numerics.solvers.base import AbstractSolver
from ..numerics.solvers.lanes import LaneSolver
from ..population import evolve
from ..printing import Component
from .coordinates import AbstractCoordinates, Natural
from .derivatives import FORWARD_LIMIT, AbstractMode, Forward, Reverse, check_redshifts
from .labelled import Labelled, labeller
from .parameter_space import COSMOLOGY, choose_parameters, known_parameters, with_vector

__all__ = ["Summary", "gradient", "hessian", "hessian_vector_product"]


class Summary(Component):
    """A function of the coordinates of some parameters: a number, or an array, that galaxies give.

    A call converts the coordinates to parameter values, evolves the population and applies `function` to it.

    Parameters
    ----------
    function : callable
        Maps a `Population`, or the `Galaxies` where `redshifts` is one number, to a number or an array.
    model : AbstractModel
    halos : HaloHistories
    parameters : sequence of str, optional
        Default every number of the model.
    redshifts : number or sequence of float
    coordinates : AbstractCoordinates, optional
        Default `Natural()`.
    solver : AbstractSolver, optional
        Default `LaneSolver()`.

    Raises
    ------
    ValueError
        A name is unknown, a redshift lies outside the histories, or a value cannot be expressed in the coordinates.

    Examples
    --------
    >>> summary = co.sensitivity.Summary(
    ...     lambda p: jnp.log10(p["mstar"]).mean(), model, halos, ["energy_loading.amplitude"]
    ... )
    >>> summary.units(), summary.at.shape
    (('dex',), (1,))
    """

    function: Callable[[Any], Float[Array, "..."]] = eqx.field(static=True)
    model: AbstractModel
    halos: HaloHistories
    parameters: tuple[str, ...] = eqx.field(static=True)
    redshifts: tuple[float, ...] = eqx.field(static=True)
    one_redshift: bool = eqx.field(static=True)
    coordinates: AbstractCoordinates
    solver: AbstractSolver

    def __init__(self, function, model, halos, parameters=None, redshifts=(0.0,), *, coordinates=None, solver=None):
        check_model_and_halos(model, halos)
        self.function, self.model, self.halos = function, model, halos
        self.parameters = choose_parameters(model, halos.cosmology, parameters)
        self.redshifts = tuple(np.asarray(check_redshifts(halos, redshifts)).tolist())
        self.one_redshift = np.ndim(redshifts) == 0
        self.coordinates = strategy("coordinates", coordinates, Natural())
        self.solver = strategy("solver", solver, LaneSolver())

    @property
    def at(self) -> Float[Array, " p"]:
        """Coordinates of the model's own values."""
        known = known_parameters(self.model, self.halos.cosmology)
        for name in self.parameters:
            self.coordinates.slope(name, known[name], float(known[name].value))  # raises where there is no logarithm
        return jnp.stack(
            [jnp.asarray(self.coordinates.encode(n, known[n], float(known[n].value))) for n in self.parameters]
        )

    def units(self) -> tuple[str, ...]:
        """Unit of each coordinate."""
        known = known_parameters(self.model, self.halos.cosmology)
        return tuple(self.coordinates.unit(name, known[name]) for name in self.parameters)

    def __call__(self, u: Float[Array, " p"]) -> Float[Array, "..."]:
        known = known_parameters(self.model, self.halos.cosmology)
        values = [self.coordinates.decode(name, known[name], x) for name, x in zip(self.parameters, u, strict=True)]
        model, cosmology = with_vector(self.model, self.halos.cosmology, self.parameters, values)
        halos = self.halos
        if any(name.startswith(COSMOLOGY) for name in self.parameters):
            halos = eqx.tree_at(lambda tree: tree.cosmology, halos, cosmology)
        population = evolve(model, halos, self.redshifts, solver=self.solver)
        # Known while JAX traces, so that galaxies can be looked up by redshift.
        population = eqx.tree_at(lambda p: p.redshifts, population, np.asarray(self.redshifts))
        return jnp.asarray(self.function(population.at(self.redshifts[0]) if self.one_redshift else population))


def gradient(
    summary: Callable[[Any], Any],
    model: AbstractModel,
    parameters: Sequence[str] | str | None,
    halos: HaloHistories,
    redshifts: float | Sequence[float] | Float[Array, " k"] = 0.0,
    *,
    coordinates: AbstractCoordinates | None = None,
    mode: AbstractMode | None = None,
    solver: AbstractSolver | None = None,
) -> Labelled:
    """Derivative of a summary of galaxies, a number or an array, with respect to each parameter.

    Forward mode carries one tangent for each parameter along with the solution, and its program compiles in a third of
    the time of that of reverse mode, which retraces the solution backwards.  Reverse mode is chosen for more than 24
    parameters where the summary has fewer numbers than there are parameters.

    Parameters
    ----------
    summary : callable
        Maps the `Galaxies` at one redshift, or a `Population` where `redshifts` is a list, to a number or an array, in
        operations of `jax.numpy`.  Pass the same function in every call: a new one is compiled again.
    model : AbstractModel
    parameters : sequence of str, str or None
        Numbers of the model, or ``cosmology.*``; None for every number of the model.
    halos : HaloHistories
    redshifts : number or sequence of float
    coordinates : AbstractCoordinates, optional
        Default `Natural()`: per decade of an amplitude, per unit of any other number.
    mode : AbstractMode, optional
        `Forward()` or `Reverse()`; default the one that takes less time.
    solver : AbstractSolver, optional
        Default `LaneSolver()`.

    Returns
    -------
    Labelled
        Dimension ``parameter``; before it ``point`` where the summary is an array, whose entries are counted in order.

    Raises
    ------
    ValueError
        A name is unknown, a redshift lies outside the histories, or a value cannot be expressed in the coordinates.

    Examples
    --------
    >>> def typical_log_mstar(galaxies):
    ...     return jnp.nanmedian(jnp.log10(galaxies["mstar"]))
    >>> regulator = co.models.MinimalRegulator()
    >>> slopes = co.gradient(typical_log_mstar, regulator, ["mass_loading.constant", "supply_time"], halos)
    >>> slopes
    parameter 2 [summary unit per parameter unit]: response of the summary to each parameter
    >>> bool(slopes.sel(parameter="mass_loading.constant").values < 0.0)  # stronger winds, fewer stars
    True
    """
    function = Summary(summary, model, halos, parameters, redshifts, coordinates=coordinates, solver=solver)
    values = _slopes(function, function.at, _reverse(_quicker(function) if mode is None else mode))
    dims = ("point", "parameter") if values.ndim > 1 else ("parameter",)
    values = np.asarray(values).reshape(*(-1,) * (values.ndim > 1), len(function.parameters))
    coords, units = {"point": np.arange(len(values)), "parameter": function.parameters}, {"parameter": function.units()}
    label = labeller(coords, units)
    return label(values, dims, "summary unit per parameter unit", "response of the summary to each parameter")


def hessian(summary: Summary, u: Any = None, *, mode: AbstractMode | None = None) -> Labelled:
    """All second derivatives of a summary, (parameter, parameter_2).

    Parameters
    ----------
    summary : Summary
    u : array, shape (P,), optional
        Coordinates at which to take them; default those of the model.
    mode : AbstractMode, optional
        Of the inner derivative.

    Examples
    --------
    >>> regulator = co.models.MinimalRegulator()
    >>> summary = co.sensitivity.Summary(
    ...     lambda p: jnp.log10(p["mstar"]).mean(), regulator, halos, ["mass_loading.constant"]
    ... )
    >>> co.sensitivity.hessian(summary).shape
    (1, 1)
    """
    u = _point(summary, u)
    return _labelled(summary, _hessian(summary, u, _reverse(mode)), 2, "second derivatives of the summary")


def hessian_vector_product(
    summary: Summary, vector: Any, u: Any = None, *, mode: AbstractMode | None = None
) -> Labelled:
    """The Hessian of a summary times a vector, without forming the Hessian.

    Parameters
    ----------
    summary : Summary
    vector : array, shape (P,)
    u : array, shape (P,), optional
        Coordinates at which to take it; default those of the model.
    mode : AbstractMode, optional
        Of the inner derivative.

    Examples
    --------
    >>> regulator = co.models.MinimalRegulator()
    >>> summary = co.sensitivity.Summary(
    ...     lambda p: jnp.log10(p["mstar"]).mean(), regulator, halos, ["mass_loading.constant"]
    ... )
    >>> co.sensitivity.hessian_vector_product(summary, [1.0]).shape
    (1,)
    """
    u, vector = _point(summary, u), _point(summary, vector)
    return _labelled(summary, _product(summary, u, vector, _reverse(mode)), 1, "Hessian of the summary times a vector")


def _quicker(summary: Summary) -> AbstractMode:
    few = len(summary.parameters) <= FORWARD_LIMIT
    return Forward() if few or _size(summary) >= len(summary.parameters) else Reverse()


def _size(summary: Summary) -> int:
    return int(np.prod(eqx.filter_eval_shape(summary, summary.at).shape))


def _point(summary, u):
    u = summary.at if u is None else jnp.asarray(u, jnp.float64)
    if u.shape != (len(summary.parameters),):
        raise ValueError(
            f"coordinates: got shape {u.shape}; give {(len(summary.parameters),)}, one number for each of "
            f"{', '.join(summary.parameters)}"
        )
    return u


def _reverse(mode):
    if mode is not None and not isinstance(mode, Forward | Reverse):
        raise ValueError(f"mode: got {mode!r}; allowed Forward() or Reverse()")
    return isinstance(mode, Reverse)


def _scalar(summary):
    def one_number(u):
        value = summary(u)
        if value.shape:
            raise ValueError(f"summary: returned an array of shape {value.shape}; it must return one number")
        return value

    return one_number


def _slope(reverse):
    return jax.jacrev if reverse else jax.jacfwd


@compiled
def _slopes(summary, u, reverse):
    return _slope(reverse)(summary)(u)


@compiled
def _hessian(summary, u, reverse):
    return jax.jacfwd(_slope(reverse)(_scalar(summary)))(u)


@compiled
def _product(summary, u, vector, reverse):
    summary = _scalar(summary)
    if reverse:
        return jax.jvp(jax.jacrev(summary), (u,), (vector,))[1]
    # The derivative along `vector` first, then its gradient: P tangents instead of P^2.
    return jax.jacfwd(lambda at: jax.jvp(summary, (at,), (vector,))[1])(u)


def _labelled(summary, values, rank, meaning):
    dims = ("parameter", "parameter_2")[:rank]
    label = labeller(dict.fromkeys(dims, summary.parameters), dict.fromkeys(dims, summary.units()))
    return label(values, dims, "summary unit per parameter unit", meaning)
