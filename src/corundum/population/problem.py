"""The equations of a galaxy as a solver sees them: coordinates integrated against ln(t).

The logarithms of `corundum.numerics.coordinates` and the clock ln(t) are chosen here; models know neither.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from ..annotations import Array
from ..cosmology import Cosmology
from ..halos import Halo
from ..models import AbstractModel, Ledger
from ..models.currencies import CURRENCIES
from ..models.processes.satellites.handing_over import sinks_of
from ..numerics.coordinates import from_coordinate
from ..numerics.rows import Rows
from ..numerics.solvers.base import Equation, Stops

__all__ = ["Problem", "coordinate_offsets", "galaxy_equation", "has_galaxy", "stops_at", "without_galaxies"]

_TOKEN = 5e-2  # of the largest gas mass, or of what it holds of a currency, at the start
_EMPTY = 1e-10  # of the offset of a coordinate, whose round-off is far below that
_OF_GAS = ("Msun", "Msun kpc")  # units of tracked quantities that are measured against the gas, at 1 kpc
_BESIDE_BREAK = 1e-9  # in ln(t)
_BEFORE_EVERY_START = -1e3  # in ln(t)


class Problem(NamedTuple):
    """What the equations of a batch of galaxies read.

    Attributes
    ----------
    model : AbstractModel
    cosmology : Cosmology
    interpolation : AbstractInterpolation
        How halo histories are interpolated.
    tables : pytree
        What the interpolation prepared of the histories, with a row for each halo.
    offset : the model's state, or None
        Offset of the coordinate of each reservoir, with a row for each halo; None before the initial state is known.
    """

    model: AbstractModel
    cosmology: Cosmology
    interpolation: Any
    tables: Any
    offset: Any = None

    def halo(self, time: Float[Array, ""]) -> Halo:
        """The halo at a cosmic age [Gyr]."""
        return self.interpolation.read(self.tables, time)

    def initial(self, start: Float[Array, ""]) -> Any:
        """State of the galaxy at the cosmic age [Gyr] at which its halo starts."""
        return self.model.initial(self.halo(start), self.cosmology)

    def state(self, coordinates: Any) -> Any:
        """The state that has these coordinates."""
        return _state(self.model.ledger, coordinates, _entries(self.offset))

    def observe(self, coordinates: Any, time: Float[Array, ""]) -> tuple[Halo, Any, dict, dict]:
        """Halo, state, flows and diagnostics of a galaxy at a cosmic age [Gyr]."""
        halo, state = self.halo(time), self.state(coordinates)
        return (halo, state, *self.model.fluxes(state, self.model.forcing(halo, self.cosmology)))


def galaxy_equation(ledger: Ledger) -> Equation:
    """The equation of one galaxy, whose arguments are a `Problem`."""
    return Equation(_flows, _reading, _forcing, functools.partial(_slope, ledger))


def _reading(ln_time, problem):
    return problem.interpolation.sample(problem.tables, jnp.exp(ln_time))


def _forcing(ln_time, sample, problem):
    return problem.model.forcing(problem.interpolation.halo(jnp.exp(ln_time), sample), problem.cosmology)


def _flows(ln_time, coordinates, forcing, problem):
    """Rates of all flows, and the factors that turn the change of each reservoir into that of its coordinate."""
    offset = _entries(problem.offset)
    state = _state(problem.model.ledger, coordinates, offset)
    scale = jax.tree.map(lambda x, d: jnp.exp(ln_time) / (x + d), state, offset)
    return problem.model.fluxes(state, forcing).flows, scale


def _state(ledger, coordinates, offset):
    """The state; no reservoir of a galaxy that may be a satellite falls to the round-off of its coordinate.

    Stripped galaxies lose all but nothing of their gas, and laws of it would follow noise, or see less than nothing.
    Models without satellites, the published ones among them, keep every digit.
    """
    state = from_coordinate(coordinates, offset)
    if not sinks_of(ledger):
        return state
    held = {field for (kind, _), field in ledger.contents.items() if CURRENCIES[kind].conserved}
    return type(state)(
        **{
            name: jnp.maximum(value, _EMPTY * getattr(offset, name)) if name in held else value
            for name, value in state._asdict().items()
        }
    )


def _slope(ledger, rates):
    flows, scale = rates
    return jax.tree.map(jnp.multiply, scale, ledger.derivative(flows))


def _entries(rows):
    return jax.tree.map(lambda rows: rows.entry, rows, is_leaf=lambda node: isinstance(node, Rows))


def coordinate_offsets(ledger: Ledger, initial: Any) -> Any:
    """What a reservoir must hold before its growth is followed in relative terms, where it starts with less.

    Parameters
    ----------
    ledger : Ledger
    initial : the model's state, arrays of shape (N,)

    Returns
    -------
    the model's state, arrays of shape (N,)
        Zero for reservoirs that start with more than that.  Tracked masses, and their radii, are measured against the
        gas, too, and other tracked quantities against the number that they start with.
    """
    mass = functools.reduce(jnp.maximum, [getattr(initial, field) for field in ledger.fields("mass")])
    offset = {field: jnp.zeros_like(mass) for field in initial._fields}
    for name in ledger.currencies:
        fields, per_mass = ledger.fields(name), CURRENCIES[name].per_mass
        largest = functools.reduce(jnp.maximum, [getattr(initial, field) for field in fields], 0.0 * mass)
        size = _TOKEN * largest if per_mass is None else _TOKEN * per_mass * mass
        for field in fields:
            offset[field] = jnp.where(getattr(initial, field) < size, size, 0.0)
    for field in ledger.fields("tracked"):
        if ledger.quantities[field].unit in _OF_GAS:
            offset[field] = _TOKEN * mass
        elif ledger.quantities[field].unit == CURRENCIES["momentum"].unit:
            held = [getattr(initial, name) for name in ledger.fields("momentum")]
            offset[field] = _TOKEN * functools.reduce(jnp.maximum, held)
    return type(initial)(**offset)


def stops_at(times: Float[Array, " k"], requested: Bool[Array, " k"], breaks: tuple[Array, ...]) -> Stops:
    """In ln(t), the output times and both sides of every break, which is stepped over in one tiny step.

    A time that is not `requested` only fills the outputs up: no step ends there.
    """
    sides = jnp.array([-_BESIDE_BREAK, _BESIDE_BREAK])
    # What lies before every start is skipped by the solver.
    ln_times = jnp.where(requested, jnp.log(times), _BEFORE_EVERY_START)
    around = [jnp.log(age) + sides for age in breaks]
    needed = (jnp.where(pair < jnp.max(ln_times), pair, _BEFORE_EVERY_START) for pair in around)
    stops = jnp.concatenate([ln_times, *needed])
    order = jnp.argsort(stops)
    return Stops(stops[order], jnp.argsort(order)[: len(ln_times)])


def without_galaxies(rows: dict[str, Any]) -> dict[str, Any]:
    """Rows of halos, with their ``end`` before their start: they fill a batch up, and nothing is solved for them.

    Examples
    --------
    >>> without_galaxies({"start": np.array([1.0, 2.0]), "end": np.array([13.7, 13.7])})["end"]
    array([-inf, -inf])
    """
    return {**rows, "end": np.full_like(rows["end"], -np.inf)}


def has_galaxy(start: Float[Array, " n"], end: Float[Array, " n"]) -> Bool[Array, " n"]:
    """False for the rows that only fill a batch up.

    Examples
    --------
    >>> has_galaxy(jnp.array([1.0, 1.0]), jnp.array([13.7, -jnp.inf])).tolist()
    [True, False]
    """
    return end >= start
