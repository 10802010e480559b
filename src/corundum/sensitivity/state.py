"""The state Jacobian: how the equations of a galaxy respond to its own state, and the modes that follow.

At any time along a trajectory the equations dy/dt = f(y, t) have a matrix A = df/dy.  Its eigenvalues are the rates at
which small departures grow or decay, its right eigenvectors are the patterns of these departures, its left eigenvectors
what excites them.  Because f is a sum over flows, so is A, and with it every eigenvalue: ``lambda = sum_k w A_k v /
(w v)`` is the contribution of each flow to the time scale of a mode.

In log coordinates A is d(dlg y/dt)/d lg y.  The two choices differ by more than units: the growth rate of each
reservoir is subtracted from the diagonal of the log form, because there a departure is relative to what has grown.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy
from jaxtyping import Float

from ..annotations import Array
from ..halos import HaloHistories, HaloTables
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..numerics.compiling import compiled
from ..numerics.solvers.base import AbstractSolver
from ..population import Population, evolve
from .derivatives import check_redshifts
from .equations import flow_rates, log_flow_rates
from .labelled import Labelled, labeller, overview

__all__ = [
    "StateJacobian",
    "Modes",
    "state_jacobian",
    "modes",
    "followed_modes",
    "state_jacobian_along",
    "state_jacobian_at",
]


class StateJacobian(NamedTuple):
    """df/dy along trajectories.

    Attributes
    ----------
    matrix : Labelled, (halo, redshift, rate, state)
        [1/Gyr] in log coordinates, [unit of the rate per unit of the state] in linear ones; NaN without a galaxy.
    by_flow : Labelled, (halo, redshift, flow, rate, state)
        The part of each flow; they add up to `matrix`.
    log_state : Labelled, (halo, redshift, state)
        log10 of the states at which it was taken.
    time : Labelled, (halo, redshift) [Gyr]

    Examples
    --------
    >>> states = co.sensitivity.state_jacobian(model, halos, [0.0, 2.0], population=population)
    >>> bool(np.allclose(states.by_flow.sum("flow").values, states.matrix.values))
    True
    """

    matrix: Labelled
    by_flow: Labelled
    log_state: Labelled
    time: Labelled

    def __repr__(self) -> str:
        return overview(self)


class Modes(NamedTuple):
    """Eigenmodes of a state Jacobian, fastest first.

    Attributes
    ----------
    eigenvalue : Labelled, (halo, redshift, mode), complex [1/Gyr]
    timescale : Labelled, (halo, redshift, mode)
        1/|Re lambda| [Gyr]; infinite for a mode that neither grows nor decays.
    right : Labelled, (halo, redshift, mode, state), complex
        Pattern of each mode, of unit length.
    left : Labelled, (halo, redshift, mode, state), complex
        What excites it: scaled so that left . right = 1 for the same mode, 0 for others.
    by_flow : Labelled, (halo, redshift, mode, flow), complex [1/Gyr]
        Contribution of each flow to the eigenvalue; they add up to it.

    Examples
    --------
    >>> modes = co.sensitivity.modes(co.sensitivity.state_jacobian(model, halos, [0.0, 2.0], population=population))
    >>> modes.timescale.shape, len(modes.dominant(halo=0, redshift=0.0)[0])
    ((8, 2, 7), 2)
    """

    eigenvalue: Labelled
    timescale: Labelled
    right: Labelled
    left: Labelled
    by_flow: Labelled

    def __repr__(self) -> str:
        return overview(self)

    def dominant(self, halo: int, redshift: float, number: int = 2) -> list[tuple[str, ...]]:
        """Names of the flows with the largest contributions to each mode, largest first."""
        galaxy = self.by_flow.sel(halo=halo, redshift=redshift)
        names = galaxy.labels("flow")
        return [tuple(names[k] for k in np.argsort(-np.abs(row))[:number]) for row in galaxy.values]


def state_jacobian(
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,),
    *,
    log: bool = True,
    population: Population | None = None,
    solver: AbstractSolver | None = None,
) -> StateJacobian:
    """The state Jacobian of every galaxy at every redshift.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
    redshifts : sequence of float
    log : bool
        In log coordinates, d(dlg y/dt)/d lg y [1/Gyr]; otherwise df/dy.
    population : Population, optional
        The galaxies of the same model, halos and redshifts; they are evolved if not given.
    solver : AbstractSolver, optional
        Default `LaneSolver()`.

    Raises
    ------
    ValueError
        A redshift lies outside the histories, or the population is not that of these halos and redshifts.

    Examples
    --------
    >>> states = co.sensitivity.state_jacobian(model, halos, [0.0, 2.0], population=population)
    >>> states.matrix.shape, states.matrix.unit
    ((8, 2, 7, 7), '1/Gyr')
    """
    check_model_and_halos(model, halos)
    outputs = check_redshifts(halos, redshifts)
    if population is None:
        population = evolve(model, halos, redshifts, solver=solver)
    if population.valid.shape != (len(halos), len(outputs)) or not np.allclose(population.redshifts, outputs):
        raise ValueError(
            f"population: holds {population.valid.shape[0]} halos at redshifts {np.asarray(population.redshifts)}; "
            f"expected {len(halos)} halos at {np.asarray(outputs)}"
        )
    states = np.where(np.asarray(population.valid)[..., None], np.stack(population.state, axis=-1), np.nan)
    with np.errstate(divide="ignore"):
        log_states = np.log10(states)
    return state_jacobian_along(model, halos, outputs, log_states, log=log)


def state_jacobian_along(
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Float[Array, " k"],
    log_states: Float[Array, "n k s"],
    *,
    log: bool = True,
) -> StateJacobian:
    """The state Jacobian at log10 states that are known, such as those of a few of many galaxies; NaN where one is not.

    Examples
    --------
    >>> log_states = np.log10(np.stack(population.state, axis=-1))[:1, :1]
    >>> states = state_jacobian_along(model, halos[[0]], population.redshifts[:1], log_states)
    >>> states.matrix.shape
    (1, 1, 7, 7)
    """
    redshifts, log_states = np.asarray(redshifts), np.asarray(log_states)
    valid = ~np.isnan(log_states).any(axis=-1)
    last = np.asarray(halos.time)[-1]
    time = np.where(valid, np.minimum(halos.cosmology.age(redshifts), last), last)
    safe = np.where(valid[..., None], log_states, 0.0)
    by_flow = _along(model, halos.cosmology, halos.interpolation, halos.tables(), time, safe, log)
    by_flow = np.where(valid[..., None, None, None], by_flow, np.nan)
    return _labelled(model, by_flow, log_states, np.where(valid, time, np.nan), redshifts, log)


def state_jacobian_at(
    model: AbstractModel, state: Float[Array, " fields"], forcing: object, *, log: bool = True
) -> jnp.ndarray:
    """The state Jacobian by flow, (flow, rate, state), at one log10 state under one forcing."""
    if log:
        return jax.jacfwd(lambda lg: log_flow_rates(model, lg, forcing))(state)
    linear = 10.0**state
    return jax.jacfwd(lambda y: flow_rates(model, model.ledger.state(*y), forcing))(linear)


@compiled
def _along(model, cosmology, interpolation, tables, time, log_states, log):
    def one(tables, time, log_state):
        forcing = model.forcing(interpolation.read(tables, time), cosmology)
        return state_jacobian_at(model, log_state, forcing, log=log)

    over_times = jax.vmap(one, in_axes=(None, 0, 0))
    return jax.vmap(over_times, in_axes=(HaloTables.HALO_AXIS, 0, 0))(tables, time, log_states)


def _labelled(model, by_flow, log_states, time, redshifts, log):
    fields = model.ledger.state._fields
    units = tuple(model.ledger.quantities[name].unit for name in fields)
    coords = {
        "halo": np.arange(len(by_flow)),
        "redshift": redshifts,
        "flow": model.ledger.names,
        "rate": fields,
        "state": fields,
    }
    unit = "1/Gyr" if log else "rate unit per state unit"
    meaning = "response of each rate of change to each part of the state" + (", log coordinates" if log else "")
    label = labeller(coords, {} if log else {"rate": tuple(f"{u}/Gyr" for u in units), "state": units})
    label_decades = labeller(coords, {"state": tuple(f"dex({u})" for u in units)})
    galaxy = ("halo", "redshift")
    return StateJacobian(
        label(by_flow.sum(axis=2), (*galaxy, "rate", "state"), unit, meaning),
        label(by_flow, (*galaxy, "flow", "rate", "state"), unit, meaning),
        label_decades(log_states, (*galaxy, "state"), "state unit", "log10 of the state"),
        label(time, galaxy, "Gyr", "cosmic age"),
    )


def modes(jacobian: StateJacobian) -> Modes:
    """Eigenvalues, eigenvectors and contributions of the flows, of every state Jacobian.

    Where two eigenvalues coincide the matrix may lack a full set of eigenvectors.  Left eigenvectors and contributions
    are then not finite, but the eigenvalues are.

    Parameters
    ----------
    jacobian : StateJacobian

    Examples
    --------
    >>> modes = co.sensitivity.modes(co.sensitivity.state_jacobian(model, halos, [0.0, 2.0], population=population))
    >>> bool((np.diff(modes.timescale.values, axis=-1) >= 0.0).all())  # fastest first
    True
    """
    matrix = jacobian.matrix.values
    valid = np.isfinite(matrix).all(axis=(-2, -1))
    safe = np.where(valid[..., None, None], matrix, np.eye(matrix.shape[-1]))
    eigenvalue, right = np.linalg.eig(safe)
    order = np.argsort(-np.abs(eigenvalue.real), axis=-1)
    eigenvalue = np.take_along_axis(eigenvalue, order, axis=-1).astype(complex)
    right = np.take_along_axis(right, order[..., None, :], axis=-1).astype(complex)
    left = _inverse(right)
    flow_matrices = np.where(valid[..., None, None, None], jacobian.by_flow.values, 0.0)
    by_flow = np.einsum("...mi,...kij,...jm->...mk", left, flow_matrices, right)
    eigenvalue = np.where(valid[..., None], eigenvalue, np.nan)
    with np.errstate(divide="ignore"):
        timescale = 1.0 / np.abs(eigenvalue.real)
    label = labeller({**jacobian.by_flow.coords, "mode": np.arange(matrix.shape[-1])})
    mode = ("halo", "redshift", "mode")

    def masked(array):
        return np.where(valid[..., None, None], array, np.nan)

    return Modes(
        label(eigenvalue, mode, "1/Gyr", "eigenvalue of the state Jacobian"),
        label(timescale, mode, "Gyr", "1/|Re eigenvalue|"),
        label(masked(np.swapaxes(right, -1, -2)), (*mode, "state"), "1", "right eigenvector"),
        label(masked(left), (*mode, "state"), "1", "left eigenvector"),
        label(masked(by_flow), (*mode, "flow"), "1/Gyr", "contribution of each flow to the eigenvalue"),
    )


def followed_modes(modes: Modes) -> Modes:
    """The same modes in an order that follows each through time, by the overlap of its pattern with that before.

    `modes` sorts by speed at every redshift, so that two modes exchange places where one becomes faster than the other.
    Here the order at the lowest redshift of each galaxy is kept, and at every earlier time each mode is the one whose
    pattern overlaps most with it; together the modes of two neighbouring times overlap as much as they can.

    Parameters
    ----------
    modes : Modes

    Examples
    --------
    >>> states = co.sensitivity.state_jacobian(model, halos, [0.0, 2.0], population=population)
    >>> followed = co.sensitivity.followed_modes(co.sensitivity.modes(states))
    >>> followed.timescale.shape
    (8, 2, 7)
    """
    right = np.nan_to_num(modes.right.values)
    order = np.tile(np.arange(right.shape[2]), (*right.shape[:2], 1))
    for halo, patterns in enumerate(right):
        solved = [k for k in np.argsort(modes.timescale.labels("redshift")) if patterns[k].any()]
        for later, now in itertools.pairwise(solved):
            before = patterns[later][order[halo, later]]
            # Patterns are of unit length and arbitrary phase.
            overlap = np.abs(before.conj() @ patterns[now].T)
            order[halo, now] = scipy.optimize.linear_sum_assignment(-(overlap**2))[1]

    def ordered(array):
        index = order.reshape(*order.shape, *(1,) * (array.values.ndim - 3))
        return array._replace(values=np.take_along_axis(array.values, index, axis=2))

    return Modes(*map(ordered, modes))


def _inverse(vectors):
    """Inverse of each matrix of eigenvectors; not finite where it is singular."""
    matrices = vectors.reshape(-1, *vectors.shape[-2:])
    inverses = np.full_like(matrices, np.nan)
    for index, matrix in enumerate(matrices):
        if np.linalg.cond(matrix) < 1.0 / np.finfo(float).eps:
            inverses[index] = np.linalg.inv(matrix)
    return inverses.reshape(vectors.shape)
