"""The variational system: the state and its sensitivities integrated together as one larger set of equations.

With y the log state and S_c its response to cause c, d S_c/dt = A S_c + b_c, where A is the state Jacobian and b_c the
direct effect of the cause on the equations.  A cause is a parameter that acts through one flow alone, or through the
initial state.  Because the system is linear, the responses to a parameter through all flows add up to its column of
the parameter Jacobian.  That is the chain rule theta -> channel -> y, and an independent computation of the same
numbers, with the error of S under the control of the solver.

References
----------
Hairer, Norsett & Wanner 1993, Solving Ordinary Differential Equations I, section I.14.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import strategy
from ..halos import HaloHistories
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..numerics.batching import map_batch
from ..numerics.rows import row_axes
from ..numerics.solvers.base import AbstractSolver, Equation
from ..numerics.solvers.lanes import LaneSolver
from ..population.problem import Problem, has_galaxy, without_galaxies
from ..units import LN10
from .coordinates import AbstractCoordinates, Natural
from .derivatives import check_redshifts
from .equations import log_flow_rates
from .labelled import Labelled, labeller, overview
from .parameter_space import COSMOLOGY, choose_parameters, directions_for, known_parameters, with_vector

__all__ = ["Routes", "routes", "by_channel_group", "CHANNEL_GROUPS", "INITIAL_STATE"]


INITIAL_STATE = "initial state"
"""Label of the route through the initial state."""

CHANNEL_GROUPS = {
    "accretion": ("accretion",),
    "wind heating": ("wind_heating",),
    "cooling": ("cooling", "radiation"),
    "wind": ("wind",),
    "outflow": ("outflow",),
    "star formation": ("star_formation",),
    "enrichment": ("enrichment", "venting"),
    "initial state": (INITIAL_STATE,),
}
"""Flows of the thermal CGM models by the channel group they belong to; a group of one flow has the name of that flow.

Wind heating is the preventive one, wind and outflow are the ejective ones.
"""


class Routes(NamedTuple):
    """How the effect of each parameter reaches each part of the state.

    Attributes
    ----------
    derivative : Labelled, (halo, redshift, quantity, parameter, channel)
        d lg y / d theta through each channel alone; the sum over channels is the parameter Jacobian.
    log_state : Labelled, (halo, redshift, quantity)
    status : Labelled, (halo,)

    Examples
    --------
    >>> label = co.sensitivity.Labelled(np.zeros(1), ("halo",), {"halo": np.arange(1)}, "1", "how the solve ended")
    >>> co.sensitivity.Routes(label, label, label).status.dims
    ('halo',)
    """

    derivative: Labelled
    log_state: Labelled
    status: Labelled

    def __repr__(self) -> str:
        return overview(self)


def routes(
    model: AbstractModel,
    halos: HaloHistories,
    parameters: Sequence[str] | None = None,
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,),
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
        Halos at once on each device; each has (flows + 1) x parameters responses.
    progress : callable, optional
        Called as ``progress(done, total)`` in halos.

    Raises
    ------
    ValueError
        A name is unknown, a redshift lies outside the histories, or a parameter belongs to the cosmology, which acts
        through the halo histories and the clock as well.

    Examples
    --------
    >>> routes = co.sensitivity.routes(co.models.MinimalRegulator(), halos, ["mass_loading.constant"])
    >>> one = routes.derivative.sel(halo=0, redshift=0.0, quantity="mstar", parameter="mass_loading.constant")
    >>> one.labels("channel")
    ['accretion', 'cooling', 'radiation', 'star_formation', 'wind', 'wind_heating', 'initial state']
    """
    check_model_and_halos(model, halos)
    names = choose_parameters(model, halos.cosmology, parameters)
    cosmic = [name for name in names if name.startswith(COSMOLOGY)]
    if cosmic:
        raise ValueError(
            f"routes: {', '.join(cosmic)} changes the halos and the clock, not only the flows; "
            "use parameter_jacobian for it"
        )
    coordinates = strategy("coordinates", coordinates, Natural())
    solver = strategy("solver", solver, LaneSolver())
    outputs = check_redshifts(halos, redshifts)
    directions = directions_for(model, halos.cosmology, names, coordinates)
    times = jnp.minimum(halos.cosmology.age(outputs), halos.time[-1])
    shared = (
        model, solver, halos.cosmology, halos.interpolation, halos.time, times,
        _Causes(directions.names, jnp.asarray(directions.vector), jnp.asarray(directions.rows)),
    )  # fmt: skip
    batch = {"curves": halos.curves, "start": halos.start, "end": halos.end}
    log_state, response, valid, status = map_batch(
        _solve_batch, shared, batch, chunk=chunk, idle=without_galaxies, sizes=(64, 512), progress=progress
    )
    return _labelled(model, halos, names, coordinates, np.asarray(outputs), log_state, response, status)


class _Causes(NamedTuple):
    """The numbers that vary, their values, and one direction for each requested parameter."""

    names: tuple[str, ...]
    vector: Float[Array, " p"]
    rows: Float[Array, "c p"]


class _Varied(NamedTuple):
    """What the variational equations of a batch of galaxies read."""

    problem: Problem
    directions: _Causes


def _solve_batch(shared, batch):
    """State and responses of a batch of halos as one system; the responses start at those of the initial state."""
    model, solver, cosmology, interpolation, time, times, directions = shared
    curves, start, end = batch["curves"], batch["start"], batch["end"]
    tables = interpolation.tables(time, curves, cosmology)
    fields, flows, causes = len(model.ledger.state._fields), len(model.ledger.names), directions.rows.shape[0]
    order = jnp.argsort(times)
    varied = _Varied(Problem(model, cosmology, interpolation, tables), directions)
    initial = jax.vmap(_initial_values, in_axes=(0, row_axes(varied)))(start, varied)
    stops = jnp.log10(times)[order]
    log_start = jnp.where(has_galaxy(start, end), jnp.log10(start), stops[-1])  # from the last stop there is no step
    solved = solver(_EQUATION, log_start, initial, stops, varied)
    values = solved.values[:, jnp.argsort(order)]
    exists = (times[None] >= start[:, None]) & (times[None] <= end[:, None] * (1.0 + 1e-9))
    valid = (solved.status == 0)[:, None] & exists
    values = jnp.where(valid[..., None], values, jnp.nan)
    response = values[..., fields:].reshape(*valid.shape, flows + 1, causes, fields)
    return values[..., :fields], response, valid, solved.status


def _initial_values(start, varied):
    """The log state of one halo at its start, followed by its response to each cause."""
    problem, directions = varied
    model, cosmology = problem.model, problem.cosmology
    fields, flows, causes = len(model.ledger.state._fields), len(model.ledger.names), directions.rows.shape[0]

    def initial(vector):
        changed, _ = with_vector(model, cosmology, directions.names, vector)
        return jnp.log10(jnp.stack(changed.initial(problem.halo(start), cosmology)))

    log_state, linear = jax.linearize(initial, directions.vector)
    through_start = jax.vmap(linear)(directions.rows)
    responses = jnp.zeros((flows + 1, causes, fields)).at[flows].set(through_start)
    return jnp.concatenate([log_state, responses.ravel()])


def _halo(log_time, varied):
    return varied.problem.halo(jnp.exp(LN10 * log_time))


def _augmented(log_time, values, halo, varied):
    """d/d log10(t) of the log state and of all its responses."""
    model, cosmology, directions = varied.problem.model, varied.problem.cosmology, varied.directions
    time = jnp.exp(LN10 * log_time)
    fields, flows, causes = len(model.ledger.state._fields), len(model.ledger.names), directions.rows.shape[0]
    log_state, responses = values[:fields], values[fields:].reshape((flows + 1) * causes, fields)
    per_decade = LN10 * time

    def by_flow(log_state, vector):
        changed, _ = with_vector(model, cosmology, directions.names, vector)
        return per_decade * log_flow_rates(changed, log_state, changed.forcing(halo, cosmology))

    matrix = jax.jacfwd(lambda log_state: by_flow(log_state, directions.vector).sum(axis=0))(log_state)
    rates, linear = jax.linearize(lambda vector: by_flow(log_state, vector), directions.vector)
    direct = jnp.swapaxes(jax.vmap(linear)(directions.rows), 0, 1)  # (flow, cause, field)
    direct = jnp.concatenate([direct, jnp.zeros((1, causes, fields))])
    change = responses @ matrix.T + direct.reshape(responses.shape)
    return jnp.concatenate([rates.sum(axis=0), change.ravel()])


_EQUATION = Equation(_augmented, _halo)


def _labelled(model, halos, names, coordinates, redshifts, log_state, response, status):
    known, quantities = known_parameters(model, halos.cosmology), model.ledger.quantities
    coords = {
        "halo": np.arange(len(halos)),
        "redshift": redshifts,
        "quantity": model.ledger.state._fields,
        "parameter": names,
        "channel": (*model.ledger.names, INITIAL_STATE),
    }
    units = {
        "quantity": tuple(f"dex({quantities[name].unit})" for name in coords["quantity"]),
        "parameter": tuple(coordinates.unit(name, known[name]) for name in names),
    }
    label = labeller(coords, units)
    galaxy = ("halo", "redshift", "quantity")
    return Routes(
        label(
            np.transpose(np.asarray(response), (0, 1, 4, 3, 2)), (*galaxy, "parameter", "channel"),
            "quantity unit per parameter unit", "response to each parameter through each channel alone",
        ),
        label(log_state, galaxy, "quantity unit", "log10 of the state"),
        label(status, ("halo",), "1", "how each solve ended"),
    )  # fmt: skip


def by_channel_group(array: Labelled, groups: Mapping[str, tuple[str, ...]] | None = None) -> Labelled:
    """The channels of `array` summed into channel groups.

    Parameters
    ----------
    array : Labelled with a dimension ``channel``
    groups : mapping of str to tuple of str, optional
        Channels of each group; default `CHANNEL_GROUPS`.  A channel of `array` that is in no group keeps its own name.

    Examples
    --------
    >>> labels = {"channel": ("cooling", "radiation", "dust_wind")}
    >>> array = co.sensitivity.Labelled(np.array([1.0, 2.0, 4.0]), ("channel",), labels, "dex", "response")
    >>> gathered = co.sensitivity.by_channel_group(array)
    >>> dict(zip(gathered.labels("channel"), gathered.values.tolist()))
    {'cooling': 3.0, 'dust_wind': 4.0}
    """
    groups = CHANNEL_GROUPS if groups is None else groups
    labels = array.labels("channel")
    members = {name: [c for c in channels if c in labels] for name, channels in groups.items()}
    grouped = {channel for channels in members.values() for channel in channels}
    members |= {channel: [channel] for channel in labels if channel not in grouped}
    members = {name: channels for name, channels in members.items() if channels}
    axis = array.dims.index("channel")
    sums = [array.sel(channel=channels).values.sum(axis=axis) for channels in members.values()]
    return array._replace(values=np.stack(sums, axis=axis), coords={**array.coords, "channel": tuple(members)})
