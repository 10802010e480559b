"""The join: a model, halo histories and a solver make a population of galaxies.

`evolve` integrates every galaxy in log-log coordinates and returns a `Population`: states, flows and diagnostics at the
redshifts asked for, with a status for each halo.  It is a plain differentiable function of the model, of the histories
and of the cosmology they carry.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .halos import HALO_QUANTITIES, Halo, HaloHistories, HaloTables
from .models import AbstractModel, Rates, derivative
from .numerics.batching import is_traced, map_batch
from .numerics.lanes import LaneSolver
from .numerics.solver import STATUS, AbstractSolver
from .parameters import require_float64
from .units import Quantity

__all__ = ["STATUS", "Galaxies", "Population", "evolve"]

_LN10 = float(np.log(10.0))


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
    flows : dict of str to Rates, arrays of shape (N, K) [Msun/yr, erg/s]
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
    flows: dict[str, Rates]
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
    _check(halos, redshifts, chunk)
    solver = LaneSolver() if solver is None else solver
    times = jnp.minimum(halos.cosmology.age(jnp.asarray(redshifts)), halos.time[-1])
    shared = (model, solver, halos.cosmology, halos.interpolation, halos.time, times)
    batch = (halos.curves, halos.start)
    halo, state, flows, diagnostics, valid, status, steps, rejected = map_batch(
        _evolve_batch, shared, batch, chunk=chunk, progress=progress
    )
    return Population(
        redshifts, halo, state, flows, diagnostics, valid, status, steps, rejected, halos.weights,
        tuple(sorted({**HALO_QUANTITIES, **model.ledger.quantities, **model.diagnostics}.items())),
    )  # fmt: skip


def _check(halos, redshifts, chunk):
    if redshifts.ndim != 1 or not len(redshifts):
        raise ValueError("redshifts: give at least one output redshift, as a number or a flat list")
    if not len(halos):
        raise ValueError("halos: there is no halo to evolve; check the selection that made them")
    if chunk < 1:
        raise ValueError(f"chunk: got {chunk}; allowed a positive number of halos")
    if is_traced((halos.time, halos.cosmology, redshifts)):
        return
    with jax.ensure_compile_time_eval():  # these are numbers even while something else is traced
        span = np.asarray(halos.cosmology.redshift(halos.time[np.array([0, -1])]))
    outside = [z for z in np.asarray(redshifts) if not span[1] - 1e-6 <= z <= span[0] + 1e-6]
    if outside:
        raise ValueError(
            f"redshifts: got {', '.join(f'{z:g}' for z in outside)}; these histories cover "
            f"{max(round(span[1], 9), 0):.4g} <= z <= {span[0]:.4g}; ask for redshifts inside"
        )


def _evolve_batch(shared, batch):
    """Many galaxies.  The integrated coordinates are lg(state) against lg(t)."""
    model, solver, cosmology, interpolation, time, times = shared
    curves, start = batch
    tables = interpolation.tables(time, curves, cosmology)
    order = jnp.argsort(times)
    args, axes = (model, cosmology, interpolation, tables), (None, None, None, HaloTables.HALO_AXIS)

    def begin(start, args):
        model, cosmology, interpolation, tables = args
        return jnp.log10(jnp.stack(model.initial(interpolation.read(tables, start), cosmology)))

    initial = jax.vmap(begin, in_axes=(0, axes))(start, args)
    log_times = jnp.log10(times)[order]
    solved = solver(_log_derivative, jnp.log10(start), initial, log_times, args, axes)
    valid = (solved.status == 0)[:, None] & (times >= start[:, None])
    # The initial state stands in where there is no solution, so that nothing below meets a number that is not finite.
    values = jnp.where(valid[..., None], solved.values[:, jnp.argsort(order)], initial[:, None])
    outputs = jax.vmap(jax.vmap(_observe, in_axes=(0, 0, None)), in_axes=(0, None, axes))(values, times, args)
    masked = jax.tree.map(lambda x: jnp.where(valid, x, jnp.nan), outputs)
    return (*masked, valid, solved.status, solved.steps, solved.rejected)


def _log_derivative(log_time, log_state, args):
    model, cosmology, interpolation, tables = args
    time = jnp.exp(_LN10 * log_time)
    state = model.ledger.state(*jnp.exp(_LN10 * log_state))
    rate = derivative(model, state, model.forcing(interpolation.read(tables, time), cosmology))
    return time * jnp.stack(rate) / jnp.stack(state)


def _observe(log_state, time, args):
    model, cosmology, interpolation, tables = args
    halo = interpolation.read(tables, time)
    state = model.ledger.state(*jnp.exp(_LN10 * log_state))
    return (halo, state, *model.fluxes(state, model.forcing(halo, cosmology)))


def _named(values, name):
    if name not in values:
        raise KeyError(f"no quantity {name!r}: there are {', '.join(values)}")
    return values[name]
