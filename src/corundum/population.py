"""The join: a model, halo histories and a solver make a population of galaxies.

`evolve` integrates every galaxy in log-log coordinates and returns a `Population`: states, flows and diagnostics at the
redshifts asked for, with a status for each halo.  It is a plain differentiable function of the model, of the histories
and of the cosmology they carry.
"""

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .halos import HALO_QUANTITIES, Halo, HaloHistories
from .models import AbstractModel, FlowRates
from .numerics.batching import map_batch
from .numerics.coordinates import coordinate, from_coordinate
from .numerics.rows import Rows, row_axes
from .numerics.solvers.base import STATUS, AbstractSolver, Equation, Stops
from .numerics.solvers.lanes import LaneSolver
from .numerics.tracing import is_traced
from .parameters import require_float64
from .units import Quantity

__all__ = ["STATUS", "Galaxies", "Population", "evolve"]

_TOKEN = 5e-2  # of the largest gas mass at the start
_TOKEN_METALLICITY = 1e-2
_BESIDE = 1e-9  # in ln(t), either side of a break
_INSIDE = 1e-12  # of the last time: far above round-off and far below every tolerance


class Galaxies(NamedTuple):
    """The galaxies of a population at one redshift; ``galaxies["mstar"]`` is an array of shape (N,).

    Attributes
    ----------
    redshift : float
    values : dict of str to array, shape (N,)
    valid : boolean array, shape (N,)
    weights : array, shape (N,)
    """

    redshift: Any
    values: dict[str, Float[Array, " n"]]
    valid: Bool[Array, " n"]
    weights: Float[Array, " n"]

    def __getitem__(self, name: str) -> Float[Array, " n"]:
        return _named(self.values, name)


class Population(eqx.Module):
    """Galaxies of N halos at K redshifts.

    Attributes
    ----------
    redshifts : array, shape (K,), in the order asked for
    halo : Halo of arrays, shape (N, K)
    state : the model's state, arrays of shape (N, K)
    flows : dict of str to FlowRates, arrays of shape (N, K) [Msun/yr, erg/s]
    diagnostics : dict of str to array, shape (N, K)
    valid : boolean array, shape (N, K)
        False where the solve failed or the halo had not started; every array holds NaN there.
    status : integer array, shape (N,), keys of `STATUS`
    steps, rejected : integer arrays, shape (N,)
        Solver steps tried, and how many of them were rejected.
    weights : array, shape (N,)
    """

    redshifts: Float[Array, " k"]
    halo: Halo
    state: Any
    flows: dict[str, FlowRates]
    diagnostics: dict[str, Float[Array, "n k"]]
    valid: Bool[Array, "n k"]
    status: Int[Array, " n"]
    steps: Int[Array, " n"]
    rejected: Int[Array, " n"]
    weights: Float[Array, " n"]
    described: tuple[tuple[str, Quantity], ...] = eqx.field(static=True)

    def __len__(self) -> int:
        return self.status.shape[0]

    def __getitem__(self, name: str) -> Float[Array, "n k"]:
        return _named(self.values, name)

    @property
    def quantities(self) -> dict[str, Quantity]:
        """Unit and meaning of every array of `values`."""
        return dict(self.described)

    @property
    def values(self) -> dict[str, Float[Array, "n k"]]:
        """All halo, state and diagnostic arrays by name."""
        return {**self.halo._asdict(), **self.state._asdict(), **self.diagnostics}

    def at(self, redshift: float) -> Galaxies:
        """The galaxies at one of the output redshifts.

        Raises
        ------
        ValueError
            The redshift is not among the outputs.
        """
        outputs = np.asarray(self.redshifts)
        match = np.flatnonzero(np.isclose(outputs, redshift, rtol=1e-9, atol=1e-9))
        if not len(match):
            raise ValueError(
                f"redshift {redshift:g} was not kept: this population has "
                f"{', '.join(f'{z:g}' for z in outputs)}; evolve with redshifts=[..., {redshift:g}]"
            )
        k = int(match[0])
        values = {name: value[:, k] for name, value in self.values.items()}
        return Galaxies(self.redshifts[k], values, self.valid[:, k], self.weights)

    def status_counts(self) -> dict[str, int]:
        """How many halos ended in each way, in words."""
        counts = Counter(np.asarray(self.status).tolist())
        return {STATUS[code]: count for code, count in sorted(counts.items())}


def evolve(
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Sequence[float] | Float[Array, " k"] = (0.0,),
    *,
    solver: AbstractSolver | None = None,
    chunk: int = 4096,
    progress: Callable[[int, int], None] | None = None,
) -> Population:
    """Evolve a galaxy in every halo.

    Parameters
    ----------
    model : AbstractModel
    halos : HaloHistories
    redshifts : sequence of float
        Output redshifts, in any order.
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
        A redshift lies outside the histories, or there is nothing to do.
    """
    require_float64()
    if not is_traced(redshifts):
        redshifts = np.atleast_1d(np.asarray(redshifts, np.float64))
    _check_request(halos, redshifts, chunk)
    solver = LaneSolver() if solver is None else solver
    times, latest = _ages(halos.cosmology, jnp.asarray(redshifts, jnp.float64), halos.time)
    _check_times(halos, redshifts, times)
    shared = (model, solver, halos.cosmology, halos.interpolation, halos.time, latest)
    batch = (halos.curves, halos.start)
    halo, state, flows, diagnostics, valid, status, steps, rejected = map_batch(
        _evolve_batch, shared, batch, chunk=chunk, progress=progress
    )
    return Population(
        redshifts, halo, state, flows, diagnostics, valid, status, steps, rejected, halos.weights,
        tuple(sorted({**HALO_QUANTITIES, **model.ledger.quantities, **model.diagnostics}.items())),
    )  # fmt: skip


@jax.jit
def _ages(cosmology, redshifts, time):
    """Ages of the outputs, and the same just inside the histories, with all of their derivative.

    Today moves with the cosmology, but a limit has half of a derivative where it just holds, and on the last knot a
    halo has half of its curvature: both are the derivative on neither side.
    """
    times = cosmology.age(redshifts)
    inside = jnp.minimum(times, time[-1] * (1.0 - _INSIDE))
    return times, times + jax.lax.stop_gradient(inside - times)


def _check_request(halos, redshifts, chunk):
    if redshifts.ndim != 1 or not len(redshifts):
        raise ValueError("redshifts: give at least one output redshift, as a number or a flat list")
    if not len(halos):
        raise ValueError("halos: there is no halo to evolve; check the selection that made them")
    if chunk < 1:
        raise ValueError(f"chunk: got {chunk}; allowed a positive number of halos")


def _check_times(halos, redshifts, times):
    if is_traced((halos.time, times)):
        return
    first, last = np.asarray(halos.time)[[0, -1]]
    inside = (np.asarray(times) >= first * (1.0 - 1e-6)) & (np.asarray(times) <= last * (1.0 + 1e-6))
    if not inside.all():
        outside = ", ".join(f"{z:g}" for z in np.asarray(redshifts)[~inside])
        raise ValueError(f"redshifts: got {outside}; these histories cover {halos.span}; ask for redshifts inside")


def _evolve_batch(shared, batch):
    """Many galaxies: the coordinates of `corundum.numerics.coordinates` are integrated against ln(t)."""
    model, solver, cosmology, interpolation, time, times = shared
    curves, start = batch
    args = (model, cosmology, interpolation, interpolation.tables(time, curves, cosmology), None)

    def begin(start, args):
        model, cosmology, interpolation, tables, _ = args
        return model.initial(interpolation.read(tables, start), cosmology)

    state = jax.vmap(begin, in_axes=(0, row_axes(args)))(start, args)
    offset = _offsets(model.ledger, state)
    initial = coordinate(state, offset)
    args = (*args[:-1], jax.tree.map(lambda leaf: Rows(leaf, jnp.arange(len(leaf), dtype=jnp.int32)), offset))
    stops = _stops(times, model.breaks(cosmology))
    equation = Equation(_flows, _reading, _forcing, functools.partial(_slope, model.ledger))
    solved = solver(equation, jnp.log(start), initial, stops, args)
    valid = (solved.status == 0)[:, None] & (times >= start[:, None])
    # The initial state stands in where there is no solution, so that nothing below meets a number that is not finite.
    values = jax.tree.map(lambda u, u0: jnp.where(valid, u, u0[:, None]), solved.values, initial)
    outputs = jax.vmap(jax.vmap(_observe, in_axes=(0, 0, None)), in_axes=(0, None, row_axes(args)))(values, times, args)
    masked = jax.tree.map(lambda x: jnp.where(valid, x, jnp.nan), outputs)
    return (*masked, valid, solved.status, solved.steps, solved.rejected)


def _offsets(ledger, initial):
    """What a reservoir must hold before its growth is followed in relative terms, where it starts with less."""
    mass = functools.reduce(jnp.maximum, [getattr(initial, field) for field in ledger.fields("mass")])
    energy = functools.reduce(jnp.maximum, [getattr(initial, field) for field in ledger.fields("energy")], 0.0 * mass)
    scale = {"mass": _TOKEN * mass, "metals": _TOKEN * _TOKEN_METALLICITY * mass, "energy": _TOKEN * energy}
    offset = {field: jnp.zeros_like(mass) for field in initial._fields}
    for currency, size in scale.items():
        for field in ledger.fields(currency):
            offset[field] = jnp.where(getattr(initial, field) < size, size, 0.0)
    return type(initial)(**offset)


def _stops(times, breaks):
    """In ln(t), the times and both sides of every break, which is stepped over in one tiny step."""
    log_times, sides = jnp.log(times), jnp.array([-_BESIDE, _BESIDE])
    around = [jnp.log(age) + sides for age in breaks]
    # Beyond the last output a break does not matter: put before every start, where the solver skips it.
    stops = jnp.concatenate([log_times, *(jnp.where(both < jnp.max(log_times), both, -1e3) for both in around)])
    order = jnp.argsort(stops)
    return Stops(stops[order], jnp.argsort(order)[: len(log_times)])


def _reading(log_time, args):
    _, _, interpolation, tables, _ = args
    return interpolation.sample(tables, jnp.exp(log_time))


def _forcing(log_time, sample, args):
    model, cosmology, interpolation, *_ = args
    return model.forcing(interpolation.halo(jnp.exp(log_time), sample), cosmology)


def _flows(log_time, coordinates, forcing, args):
    """Rates of all flows, and what turns the change of each reservoir into that of its coordinate."""
    model, *_, offset = args
    offset = _entries(offset)
    state = from_coordinate(coordinates, offset)
    scale = jax.tree.map(lambda x, d: jnp.exp(log_time) / (x + d), state, offset)
    return model.fluxes(state, forcing).flows, scale


def _slope(ledger, rates):
    flows, scale = rates
    return jax.tree.map(jnp.multiply, scale, ledger.derivative(flows))


def _entries(rows):
    return jax.tree.map(lambda rows: rows.entry, rows, is_leaf=lambda node: isinstance(node, Rows))


def _observe(coordinates, time, args):
    model, cosmology, interpolation, tables, offset = args
    halo = interpolation.read(tables, time)
    state = from_coordinate(coordinates, _entries(offset))
    return (halo, state, *model.fluxes(state, model.forcing(halo, cosmology)))


def _named(values, name):
    if name not in values:
        raise KeyError(f"no quantity {name!r}: there are {', '.join(values)}")
    return values[name]
