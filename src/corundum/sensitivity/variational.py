"""The variational system: the state and its sensitivities integrated together as one larger set of equations.

With y the log state and S_c its response to cause c, d S_c/dt = A S_c + b_c, where A is the state Jacobian and b_c
what the cause does to the equations directly.  A cause is a parameter acting through one flow alone, or through the
initial state.  Because the system is linear, the responses to a parameter through all flows add up to its column of
the parameter Jacobian: that is the chain rule theta -> channel -> y, and a second, independent way to the same
numbers, with the error of S under the control of the solver.

References
----------
Hairer, Norsett & Wanner 1993, Solving Ordinary Differential Equations I, section I.14.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..halos import HaloHistories
from ..models import AbstractModel
from ..numerics.batching import map_batch
from ..numerics.rows import row_axes
from ..numerics.solvers.base import AbstractSolver, Equation
from ..numerics.solvers.lanes import LaneSolver
from ..parameters import require_float64
from ..population.problem import Problem
from ..units import LN10
from .coordinates import AbstractCoordinates, Natural
from .derivatives import check_redshifts
from .equations import log_flow_rates
from .jacobians import Directions, directions_for
from .labelled import Labelled
from .prior_wide.space import COSMOLOGY, choose, known_parameters, with_vector

__all__ = ["Routes", "routes", "by_channel_group", "CHANNEL_GROUPS", "INITIAL"]


INITIAL = "initial state"
"""Label of the route through the initial state."""

CHANNEL_GROUPS = {
    "accretion": ("accretion",),
    "CGM heating": ("wind_heating",),
    "cooling": ("cooling", "radiation"),
    "ejection": ("wind",),
    "halo outflow": ("outflow",),
    "star formation": ("star_formation",),
    "enrichment": ("enrichment", "venting"),
    "initial state": (INITIAL,),
}
"""Flows of the thermal CGM models by the process they belong to; supernova heating is the preventive channel."""


class _Varied(NamedTuple):
    """What the variational equations of a batch of galaxies read."""

    problem: Problem
    directions: Directions


class Routes(NamedTuple):
    """How each parameter's effect reaches each part of the state.

    Attributes
    ----------
    derivative : Labelled, (halo, redshift, quantity, parameter, channel)
        d lg y / d theta through each channel alone; the sum over channels is the parameter Jacobian.
    log_state : Labelled, (halo, redshift, quantity)
    status : Labelled, (halo,)
    """

    derivative: Labelled
    log_state: Labelled
    status: Labelled


def routes(
    model: AbstractModel,
    halos: HaloHistories,
    parameters: Sequence[str] | None = None,
    redshifts: Sequence[float] = (0.0,),
    *,
    coordinates: AbstractCoordinates | None = None,
    solver: AbstractSolver | None = None,
    chunk: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> Routes:
    """How much of each parameter's effect passes through each flow, and through the initial state.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
    parameters : sequence of str, optional
        Numbers of the model; default all of them.
    redshifts : sequence of float
    coordinates : AbstractCoordinates, optional
        How theta is measured; default `Natural()`.
    solver : AbstractSolver, optional
        Default `LaneSolver()`; its tolerances hold for the responses as well as for the state.
    chunk : int, optional
        Halos at once on each device; there are (flows + 1) x parameters responses for each.
    progress : callable, optional
        Called as ``progress(done, total)`` in halos.

    Raises
    ------
    ValueError
        A name or redshift makes no sense, or a parameter belongs to the cosmology, which acts through the halo
        histories and the clock as well.
    """
    require_float64()
    names = choose(model, halos.cosmology, parameters)
    cosmic = [name for name in names if name.startswith(COSMOLOGY)]
    if cosmic:
        raise ValueError(
            f"routes: {', '.join(cosmic)} changes the halos and the clock, not only the flows; "
            "use parameter_jacobian for it"
        )
    coordinates = Natural() if coordinates is None else coordinates
    solver = LaneSolver() if solver is None else solver
    outputs = check_redshifts(halos, redshifts)
    ahead = directions_for(model, halos.cosmology, names, coordinates)
    times = jnp.minimum(halos.cosmology.age(outputs), halos.time[-1])
    shared = (
        model, solver, halos.cosmology, halos.interpolation, halos.time, times,
        Directions(ahead.names, jnp.asarray(ahead.vector), jnp.asarray(ahead.rows), None),
    )  # fmt: skip
    batch = (halos.curves, halos.start)
    log_state, response, valid, status = map_batch(_solve_batch, shared, batch, chunk=chunk, progress=progress)
    return _labelled(model, halos, names, coordinates, np.asarray(outputs), log_state, response, valid, status)


def _solve_batch(shared, batch):
    """State and responses of a batch of halos as one system; the responses start at those of the initial state."""
    model, solver, cosmology, interpolation, time, times, ahead = shared
    curves, start = batch
    tables = interpolation.tables(time, curves, cosmology)
    fields, flows, causes = len(model.ledger.state._fields), len(model.ledger.names), ahead.rows.shape[0]
    order = jnp.argsort(times)
    varied = _Varied(Problem(model, cosmology, interpolation, tables), ahead)

    def initial_values(start, varied):
        problem, directions = varied

        def initial(vector):
            changed, _ = with_vector(problem.model, problem.cosmology, directions.names, vector)
            return jnp.log10(jnp.stack(changed.initial(problem.halo(start), problem.cosmology)))

        lg, linear = jax.linearize(initial, directions.vector)
        through_start = jax.vmap(linear)(directions.rows)
        responses = jnp.zeros((flows + 1, causes, fields)).at[flows].set(through_start)
        return jnp.concatenate([lg, responses.ravel()])

    initial = jax.vmap(initial_values, in_axes=(0, row_axes(varied)))(start, varied)
    solved = solver(_EQUATION, jnp.log10(start), initial, jnp.log10(times)[order], varied)
    values = solved.values[:, jnp.argsort(order)]
    valid = (solved.status == 0)[:, None] & (times >= start[:, None])
    values = jnp.where(valid[..., None], values, jnp.nan)
    response = values[..., fields:].reshape(*valid.shape, flows + 1, causes, fields)
    return values[..., :fields], response, valid, solved.status


def _halo(log_time, varied):
    return varied.problem.halo(jnp.exp(LN10 * log_time))


def _augmented(log_time, values, halo, varied):
    """d/d log10(t) of the log state and of all its responses."""
    model, cosmology, directions = varied.problem.model, varied.problem.cosmology, varied.directions
    time = jnp.exp(LN10 * log_time)
    fields, flows, causes = len(model.ledger.state._fields), len(model.ledger.names), directions.rows.shape[0]
    lg, responses = values[:fields], values[fields:].reshape((flows + 1) * causes, fields)
    per_decade = LN10 * time

    def by_flow(lg, vector):
        changed, _ = with_vector(model, cosmology, directions.names, vector)
        return per_decade * log_flow_rates(changed, lg, changed.forcing(halo, cosmology))

    matrix = jax.jacfwd(lambda lg: by_flow(lg, directions.vector).sum(axis=0))(lg)
    rates, linear = jax.linearize(lambda vector: by_flow(lg, vector), directions.vector)
    direct = jnp.swapaxes(jax.vmap(linear)(directions.rows), 0, 1)  # (flow, cause, field)
    direct = jnp.concatenate([direct, jnp.zeros((1, causes, fields))])
    change = responses @ matrix.T + direct.reshape(responses.shape)
    return jnp.concatenate([rates.sum(axis=0), change.ravel()])


_EQUATION = Equation(_augmented, _halo)


def _labelled(model, halos, names, coordinates, redshifts, log_state, response, valid, status):
    about, quantities = known_parameters(model, halos.cosmology), model.ledger.quantities
    coords = {
        "halo": np.arange(len(halos)),
        "redshift": redshifts,
        "quantity": model.ledger.state._fields,
        "parameter": names,
        "channel": (*model.ledger.names, INITIAL),
    }
    units = {
        "quantity": tuple(f"dex({quantities[name].unit})" for name in coords["quantity"]),
        "parameter": tuple(coordinates.unit(name, about[name]) for name in names),
    }

    def label(values, *dims, unit, meaning):
        kept = {dim: unit for dim, unit in units.items() if dim in dims}
        return Labelled(np.asarray(values), dims, {dim: coords[dim] for dim in dims}, unit, meaning, kept)

    galaxy = ("halo", "redshift", "quantity")
    return Routes(
        label(
            np.transpose(np.asarray(response), (0, 1, 4, 3, 2)), *galaxy, "parameter", "channel",
            unit="quantity unit per parameter unit", meaning="response to each parameter through each channel alone",
        ),
        label(log_state, *galaxy, unit="quantity unit", meaning="log10 of the state"),
        label(status, "halo", unit="1", meaning="how each solve ended"),
    )  # fmt: skip


def by_channel_group(array: Labelled, processes: dict[str, tuple[str, ...]] | None = None) -> Labelled:
    """The channels of `array` gathered into processes.

    Parameters
    ----------
    array : Labelled with a dimension ``channel``
    processes : mapping of str to tuple of str, optional
        Channels of each group; default `CHANNEL_GROUPS`.  Channels of `array` that none of them names stay on their
        own.
    """
    processes = CHANNEL_GROUPS if processes is None else processes
    labels = array.labels("channel")
    groups = {name: [c for c in members if c in labels] for name, members in processes.items()}
    named = {channel for members in groups.values() for channel in members}
    groups |= {channel: [channel] for channel in labels if channel not in named}
    groups = {name: members for name, members in groups.items() if members}
    axis = array.dims.index("channel")
    parts = [array.sel(channel=members).values.sum(axis=axis) for members in groups.values()]
    values = np.stack(parts, axis=axis)
    return array._replace(values=values, coords={**array.coords, "channel": tuple(groups)})
