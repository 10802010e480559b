"""First and second derivatives of scalar summaries of a population: gradients, Hessians and their products.

A summary is any function of a `Population` that JAX can differentiate, such as the mean stellar mass of some halos or
a chi-squared against data.  Its derivatives are taken in the chosen coordinates, exactly, through the solver.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..halos import HaloHistories
from ..models import AbstractModel
from ..numerics.solvers.base import AbstractSolver
from ..numerics.solvers.lanes import LaneSolver
from ..parameters import require_float64
from ..population import Population, evolve
from ..printing import Component
from .coordinates import AbstractCoordinates, Natural
from .derivatives import AbstractMode, Forward, Reverse, check_redshifts
from .labelled import Labelled, labeller
from .parameter_space import COSMOLOGY, choose_parameters, known_parameters, with_vector

__all__ = ["Summary", "gradient", "hessian", "hessian_vector_product"]


class Summary(Component):
    """A scalar function of the coordinates of some parameters.

    A call converts the coordinates to parameter values, evolves the population and applies `function` to it.

    Parameters
    ----------
    function : callable
        Maps a `Population` to one number.
    model : AbstractModel
    halos : HaloHistories
    parameters : sequence of str, optional
        Default every number of the model.
    redshifts : sequence of float
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

    function: Callable[[Population], Float[Array, ""]] = eqx.field(static=True)
    model: AbstractModel
    halos: HaloHistories
    parameters: tuple[str, ...] = eqx.field(static=True)
    redshifts: Float[Array, " k"]
    coordinates: AbstractCoordinates
    solver: AbstractSolver

    def __init__(self, function, model, halos, parameters=None, redshifts=(0.0,), *, coordinates=None, solver=None):
        require_float64(model, halos)
        self.function, self.model, self.halos = function, model, halos
        self.parameters = choose_parameters(model, halos.cosmology, parameters)
        self.redshifts = check_redshifts(halos, redshifts)
        self.coordinates = Natural() if coordinates is None else coordinates
        self.solver = LaneSolver() if solver is None else solver

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

    def __call__(self, u: Float[Array, " p"]) -> Float[Array, ""]:
        known = known_parameters(self.model, self.halos.cosmology)
        values = [self.coordinates.decode(name, known[name], x) for name, x in zip(self.parameters, u, strict=True)]
        model, cosmology = with_vector(self.model, self.halos.cosmology, self.parameters, values)
        halos = self.halos
        if any(name.startswith(COSMOLOGY) for name in self.parameters):
            halos = eqx.tree_at(lambda tree: tree.cosmology, halos, cosmology)
        value = jnp.asarray(self.function(evolve(model, halos, self.redshifts, solver=self.solver)))
        if value.shape:
            raise ValueError(f"summary: returned an array of shape {value.shape}; it must return one number")
        return value


def gradient(summary: Summary, u: Any = None, *, mode: AbstractMode | None = None) -> Labelled:
    """Derivative of a summary with respect to each parameter.

    Parameters
    ----------
    summary : Summary
    u : array, shape (P,), optional
        Coordinates at which to take it; default those of the model.
    mode : AbstractMode, optional
        `Forward()` (default), or `Reverse()` for many parameters.

    Examples
    --------
    >>> regulator = co.models.MinimalRegulator()
    >>> summary = co.sensitivity.Summary(
    ...     lambda p: jnp.log10(p["mstar"]).mean(), regulator, halos, ["mass_loading.constant"]
    ... )
    >>> co.sensitivity.gradient(summary).dims
    ('parameter',)
    """
    u = _point(summary, u)
    return _labelled(summary, _gradient(summary, u, _reverse(mode)), 1, "gradient of the summary")


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


def _point(summary, u):
    u = summary.at if u is None else jnp.asarray(u, jnp.float64)
    if u.shape != (len(summary.parameters),):
        raise ValueError(f"coordinates: got shape {u.shape}; expected one for each of {len(summary.parameters)}")
    return u


def _reverse(mode):
    if mode is not None and not isinstance(mode, Forward | Reverse):
        raise ValueError(f"mode: got {mode!r}; allowed Forward() or Reverse()")
    return isinstance(mode, Reverse)


def _slope(reverse):
    return jax.jacrev if reverse else jax.jacfwd


@eqx.filter_jit
def _gradient(summary, u, reverse):
    return _slope(reverse)(summary)(u)


@eqx.filter_jit
def _hessian(summary, u, reverse):
    return jax.jacfwd(_slope(reverse)(summary))(u)


@eqx.filter_jit
def _product(summary, u, vector, reverse):
    if reverse:
        return jax.jvp(jax.jacrev(summary), (u,), (vector,))[1]
    # The derivative along `vector` first, then its gradient: P tangents instead of P^2.
    return jax.jacfwd(lambda at: jax.jvp(summary, (at,), (vector,))[1])(u)


def _labelled(summary, values, rank, meaning):
    dims = ("parameter", "parameter_2")[:rank]
    label = labeller(dict.fromkeys(dims, summary.parameters), dict.fromkeys(dims, summary.units()))
    return label(values, dims, "summary unit per parameter unit", meaning)
