"""`evolve`: every galaxy of a set of halos integrated over its halo's history, in batches over all devices."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..annotations import Array
from ..arguments import strategy, whole_number
from ..array_library import array_library, is_traced, on_host
from ..cosmology import Cosmology
from ..halos import HaloHistories
from ..messages import did_you_mean
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..numerics.batching import map_batch
from ..numerics.coordinates import coordinate
from ..numerics.rows import Rows, row_axes
from ..numerics.solvers.base import AbstractSolver
from ..numerics.solvers.lanes import LaneSolver
from ..plain_numbers import float64, plain_numbers
from .galaxies import Histories, Population
from .problem import Problem, coordinate_offsets, galaxy_equation, has_galaxy, stops_at, without_galaxies
from .trees import evolve_trees

__all__ = ["evolve"]

_INSIDE = 1e-12  # of the last time: far above round-off and far below every tolerance
_HISTORY_TIMES = 64
_REDSHIFTS = 4  # output redshifts that share a compiled program: up to 4, to 16, to 64 ...


class _Selection(eqx.Module):
    """Which quantities and flows are returned: static, so that a compiled program computes no others.

    Attributes
    ----------
    outputs : tuple of str, or None for all
        Halo, state and diagnostic quantities and flows at the output redshifts.
    histories : tuple of str
        Quantities at the times of the histories.
    """

    outputs: tuple[str, ...] | None = eqx.field(static=True)
    histories: tuple[str, ...] = eqx.field(static=True)

    def at_outputs(self, halo, state, flows, diagnostics):
        """The same four without the entries that are not selected."""
        if self.outputs is None:
            return halo, state, flows, diagnostics
        names = set(self.outputs)

        def fields(record):
            return record._replace(**dict.fromkeys(set(record._fields) - names))

        def entries(mapping):
            return type(mapping)({name: entry for name, entry in mapping.items() if name in names})

        return fields(halo)._replace(extras=entries(halo.extras)), fields(state), entries(flows), entries(diagnostics)

    def along_histories(self, halo, state, flows, diagnostics):
        """The quantities that have a history, by name."""
        rates = {name: rates.tracked for name, rates in flows.items()}  # of what is not conserved
        quantities = {**rates, **halo.by_name(), **state._asdict(), **diagnostics}
        return {name: quantities[name] for name in self.histories}


class _Request(NamedTuple):
    """What all halos share.

    Attributes
    ----------
    knots : array, cosmic ages [Gyr] at which halo histories are given
    times : array, cosmic ages [Gyr] of the outputs
    history_times : array, cosmic ages [Gyr] of the histories; None without any
    requested : integer array, shape (2,), how many of the outputs and of the times of histories are requested; the
        others repeat the last one, so that other numbers of them need no other program, and are not computed
    """

    model: AbstractModel
    solver: AbstractSolver
    cosmology: Cosmology
    interpolation: Any
    knots: Float[Array, " t"]
    times: Float[Array, " k"]
    history_times: Float[Array, " s"] | None
    requested: Int[Array, "2"]
    selection: _Selection


def evolve(
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: float | Sequence[float] | Float[Array, " k"] = (0.0,),
    *,
    keep: str | Sequence[str] | None = None,
    histories: str | Sequence[str] = (),
    history_times: Sequence[float] | Float[Array, " s"] | None = None,
    solver: AbstractSolver | None = None,
    chunk: int = 4096,
    progress: Callable[[int, int], None] | None = None,
) -> Population:
    """Evolve a galaxy in every halo.

    Where the halos have satellites (`HaloHistories.satellites`), these are followed in their hosts, and hand over what
    they hold with the probability to have merged; the model has the processes `Merging` and `HandingOver` then.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
    redshifts : sequence of float
        Output redshifts, in any order.
    keep : sequence of str, optional
        Names of the quantities and flows to return; default all.  Few of them take less memory.
    histories : sequence of str, optional
        Quantities to return at many times, from the same solve; see `Population.history`.
    history_times : sequence of float, optional
        Cosmic ages [Gyr] of the histories; default 64, evenly spaced in ln(t) from the first time of the halo
        histories to the last output.
    solver : AbstractSolver, optional
        Default ``LaneSolver()``.
    chunk : int, optional
        Halos solved at once on each device; bounds the memory.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    Population

    Raises
    ------
    ValueError
        A redshift or time lies outside the histories, a quantity is unknown, or there is nothing to do.

    Examples
    --------
    >>> population = co.evolve(model, halos, [0.0, 2.0])
    >>> population["mstar"].shape
    (8, 2)
    """
    check_model_and_halos(model, halos)
    if not is_traced(redshifts):
        redshifts = np.atleast_1d(np.asarray(plain_numbers("redshifts", redshifts), np.float64))
    chunk = whole_number("chunk", chunk, meaning="halos")
    _check_request(model, halos, redshifts)
    selection = _selection(model, halos, keep, histories, history_times)
    requested = np.shape(redshifts)[0]
    # Where JAX traces, the program that is being traced is compiled for these very shapes anyway.
    traced = is_traced((model, halos, redshifts, history_times, solver))
    fill_up = (lambda values, least: values) if traced else _filled_up
    redshifts = fill_up(redshifts, _REDSHIFTS)
    times, inside, root = _ages(halos.cosmology, redshifts, halos.time)
    _check_times("redshifts", halos, redshifts[:requested], times)
    history_times = _history_times(selection, history_times, halos, inside)
    if halos.satellites is not None:
        return evolve_trees(
            evolve, model, halos, redshifts[:requested], keep=keep, histories=selection.histories,
            history_times=history_times, solver=solver, chunk=chunk, progress=progress,
        )  # fmt: skip
    filled = None if history_times is None else fill_up(history_times, _HISTORY_TIMES)
    counts = np.array([requested, 0 if history_times is None else len(history_times)], np.int32)
    request = _Request(
        model, strategy("solver", solver, LaneSolver()), halos.cosmology, halos.interpolation, halos.time, inside,
        filled, counts, selection,
    )  # fmt: skip
    columns, valid, solved, curves = map_batch(
        _evolve_batch, request, {"curves": halos.curves, "start": halos.start, "end": halos.end}, chunk=chunk,
        idle=without_galaxies, progress=progress,
    )  # fmt: skip
    if not traced:
        redshifts, times, columns, valid = _leading((redshifts, times, columns, valid), requested)
        # All at once: one by one, each of two hundred arrays takes as long as it does to solve a halo.
        redshifts, times, columns, valid, curves, solved = jax.device_put(
            (redshifts, times, columns, valid, _leading(curves, counts[1]), solved)
        )
    kept = None if curves is None else Histories(history_times, curves, times)
    described = _described(model, halos, selection)
    halo, state, flows, diagnostics = columns
    status, steps, rejected = solved
    return Population(
        redshifts, halo, state, flows, diagnostics, valid, status, steps, rejected, halos.weights, described, kept,
        root,
    )  # fmt: skip


def _filled_up(values, least):
    """`values` (K,) with the last one repeated, so that there are `least` of them, or 4, 16, 64 ... times as many."""
    size = least
    while size < len(values):
        size *= 4
    values = np.asarray(values)
    return np.concatenate([values, np.full(size - len(values), values[-1])])


def _leading(tree, requested):
    """Only the first entries along the axis of the outputs, which is the last of every array."""
    return jax.tree.map(lambda leaf: np.asarray(leaf)[..., :requested], tree)


def _ages(cosmology, redshifts, knots):
    """Cosmic ages of the outputs, the same held inside the histories with the derivative of the ages, and the redshift
    at which the histories end.

    z = 0 lies on the last knot, where derivatives are one-sided; the galaxies are evaluated just inside it.
    """
    (knots,) = on_host(knots)
    times, root, last = cosmology.age(redshifts), cosmology.redshift(knots[-1:])[0], knots[-1]
    xp = array_library(times, last)
    inside = xp.minimum(times, last * (1.0 - _INSIDE))
    if xp is np:
        return times, inside, root
    return times, times + jax.lax.stop_gradient(inside - times), jax.lax.stop_gradient(root)


def _check_request(model, halos, redshifts):
    if redshifts.ndim != 1 or not len(redshifts):
        raise ValueError("redshifts: give at least one output redshift, as a number or a flat list")
    if not len(halos):
        raise ValueError("halos: there is no halo to evolve; check the selection that made them")
    repeated = sorted({*model.ledger.quantities, *model.diagnostics} & set(halos.extras))
    if repeated:
        raise ValueError(
            f"halos: their extra curve {repeated[0]!r} has the name of a quantity of {type(model).__name__}; "
            "give the curve another name"
        )


def _check_times(argument, halos, values, times):
    if is_traced((halos.time, times)):
        return
    first, last = np.asarray(halos.time)[[0, -1]]
    times = np.asarray(times)[: len(values)]  # the others repeat the last one
    inside = (times >= first * (1.0 - 1e-6)) & (times <= last * (1.0 + 1e-6))
    if not inside.all():
        outside = ", ".join(f"{value:g}" for value in np.asarray(values)[~inside])
        span = halos.span if argument == "redshifts" else f"{first:.4g} to {last:.4g} Gyr"
        raise ValueError(f"{argument}: got {outside}; these histories cover {span}; ask for {argument} inside")


def _quantities(model, halos):
    return {**halos.quantities, **model.ledger.quantities, **model.diagnostics}


def _selection(model, halos, keep, histories, history_times):
    keep = (keep,) if isinstance(keep, str) else keep
    histories = (histories,) if isinstance(histories, str) else tuple(histories)
    if history_times is not None and not histories:
        raise ValueError("history_times: got times but no quantity; name some in histories=(...)")
    known = (*halos.quantities, *model.ledger.state._fields, *model.diagnostics)
    rates = tuple(flow.name for flow in model.ledger.flows if flow.tracked is not None)
    _check_names("histories", histories, (*known, *rates), model)
    if keep is not None:
        _check_names("keep", keep, (*known, *(name for name in model.ledger.names if name not in known)), model)
        keep = tuple(sorted(set(keep)))
    return _Selection(keep, tuple(dict.fromkeys(histories)))


def _check_names(argument, names, known, model):
    for name in names:
        if name not in known:
            raise ValueError(
                f"{argument}: unknown quantity {name!r} of {type(model).__name__}: "
                f"{did_you_mean(name, known)}there are {', '.join(known)}"
            )


def _described(model, halos, selection):
    quantities = _quantities(model, halos)
    if selection.outputs is not None:
        names = {*selection.outputs, *selection.histories}
        quantities = {name: quantity for name, quantity in quantities.items() if name in names}
    return tuple(sorted(quantities.items()))


def _history_times(selection, times, halos, outputs):
    """Cosmic ages of the histories, held inside those of the halos."""
    if not selection.histories:
        return None
    if times is None:
        first, last = on_host(halos.time, outputs)
        xp = array_library(first, last)
        first, last = first[0], xp.max(last)
        # Not before the first time by round-off: a halo that starts there would have no first value.
        return xp.maximum(xp.exp(xp.linspace(xp.log(first), xp.log(last), _HISTORY_TIMES)), first)
    times, knots = float64("history_times", times, "Gyr"), halos.time
    xp: Any = jnp if is_traced((times, knots)) else np
    times, knots = xp.sort(xp.atleast_1d(xp.asarray(times))), xp.asarray(knots)
    if times.ndim != 1 or not len(times):
        raise ValueError("history_times: give at least one cosmic age [Gyr], as a number or a flat list")
    _check_times("history_times", halos, times, times)
    return xp.clip(times, knots[0], knots[-1] * (1.0 - _INSIDE))


def _evolve_batch(request, batch):
    """Many galaxies: the coordinates of `corundum.numerics.coordinates` are integrated against ln(t)."""
    model, cosmology, times = request.model, request.cosmology, request.times
    curves, start, end = batch["curves"], batch["start"], batch["end"]
    tables = request.interpolation.tables(request.knots, curves, cosmology)
    problem = Problem(model, cosmology, request.interpolation, tables)
    state = jax.vmap(lambda start, problem: problem.initial(start), in_axes=(0, row_axes(problem)))(start, problem)
    offset = coordinate_offsets(model.ledger, state)
    initial = coordinate(state, offset)
    problem = problem._replace(
        offset=jax.tree.map(lambda leaf: Rows(leaf, jnp.arange(len(leaf), dtype=jnp.int32)), offset)
    )
    every_time = times if request.history_times is None else jnp.concatenate([times, request.history_times])
    sizes = np.array([len(times), len(every_time) - len(times)])
    counts = zip(sizes, request.requested, strict=True)
    requested = jnp.concatenate([jnp.arange(size, dtype=count.dtype) < count for size, count in counts])
    stops = stops_at(every_time, requested, model.breaks(cosmology))
    ln_start = jnp.where(has_galaxy(start, end), jnp.log(start), stops.at[-1])  # from the last stop there is no step
    solved = request.solver(galaxy_equation(model.ledger), ln_start, initial, stops, problem)

    def observed(times, first, select):
        """What `select` keeps of the galaxies at some of the times, of which the first has this number."""
        # The age of one redshift differs by round-off between two ways to compute it.
        exists = (times[None] >= start[:, None]) & (times[None] <= end[:, None] * (1.0 + 1e-9))
        valid = (solved.status == 0)[:, None] & exists
        values = jax.tree.map(lambda leaf: leaf[:, first : first + len(times)], solved.values)
        # The initial state stands in where there is no solution, so that every number computed from it is finite.
        values = jax.tree.map(lambda u, u0: jnp.where(valid, u, u0[:, None]), values, initial)
        observe = jax.vmap(
            jax.vmap(lambda u, time, problem: select(*problem.observe(u, time)), in_axes=(0, 0, None)),
            in_axes=(0, None, row_axes(problem)),
        )
        return jax.tree.map(lambda x: jnp.where(valid, x, jnp.nan), observe(values, times, problem)), valid

    columns, valid = observed(times, 0, request.selection.at_outputs)
    histories = None
    if request.history_times is not None:
        histories, _ = observed(request.history_times, len(times), request.selection.along_histories)
    return columns, valid, (solved.status, solved.steps, solved.rejected), histories
