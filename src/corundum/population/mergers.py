"""Mergers without satellites: what merging galaxies bring, worked out from the mergers that histories list.

Every galaxy is solved alone first.  The smooth means of these galaxies say what a satellite holds when it falls in, and
its gas is used up, as stars and winds, in the time that its star formation sets.  It merges with a distribution of
times (`corundum.physics.DynamicalFriction`), so that all of it hands over what it holds as smooth running totals along
the history of its host.  The same model is then solved with these arrivals.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..arguments import whole_number
from ..halos import ExtraCurve, HaloHistories
from ..models import AbstractModel
from ..models.checks.arguments import check_model_and_halos
from ..models.processes.merging import BlackHoleMergers, Merging
from ..numerics.compiling import compiled
from ..numerics.solvers.base import AbstractSolver
from ..units import GYR_YR
from .arrivals import ARRIVING, DRIVING, PULSE, driving_powers, integrated, pulses, smooth_share, with_curves
from .evolution import evolve
from .mean_galaxies import MeanGalaxies, fit_means

__all__ = ["with_mergers"]

_LEAST_HOLE = 1.0  # [Msun]
_EVERY = 4  # of the times of the histories, at which galaxies are known
_SETTLED = 1.3  # times the age at which a halo starts: before, its galaxy is what it was given
_TOGETHER = 64  # halos whose satellites are spread in time at once

_HANDED = ("stars", "ism", "cgm")
_CURVES = (*ARRIVING, *DRIVING, "resolved_growth")


class _Galaxies(NamedTuple):
    """Galaxies at some of the times of the histories: arrays (N, times); None for what a model lacks."""

    mstar: Any
    mism: Any
    mcgm: Any
    mzstar: Any
    mzism: Any
    mzcgm: Any
    sfr: Any
    mass_loading: Any
    mbh: Any = None


def with_mergers(
    model: AbstractModel,
    halos: HaloHistories,
    *,
    passes: int = 2,
    solver: AbstractSolver | None = None,
    chunk: int = 4096,
) -> HaloHistories:
    """Histories that carry what merging satellites bring, for a model with the process `Merging`.

    Parameters
    ----------
    model : AbstractModel
        With ``models.Merging`` among its processes.
    halos : HaloHistories
        With their mergers, such as those of `corundum.halos.monte_carlo_trees` or of merger trees.
    passes : int, optional
        How often satellites are worked out: first from galaxies without mergers, then from those that received what the
        pass before worked out.  Each pass changes stars about four times less than the one before.
    solver : AbstractSolver, optional
        Default ``LaneSolver()``.
    chunk : int, optional
        Halos solved at once on each device.

    Returns
    -------
    HaloHistories
        The same histories with extra curves, which `evolve` with the same model reads.  They are a differentiable
        function of the model; derivatives of `evolve` alone hold them fixed.

    Raises
    ------
    ValueError
        The model has no process `Merging`, or the halos come without mergers.

    Examples
    --------
    >>> merging = co.models.ThermalCGM(processes={"merging": co.models.Merging()})
    >>> received = co.population.with_mergers(merging, halos)
    >>> galaxies = co.evolve(merging, received, [0.0])
    >>> bool(np.all(galaxies["maccreted"] > 0.0))
    True
    """
    check_model_and_halos(model, halos)
    process = _merging(model)
    mergers = halos.mergers
    if mergers is None:
        raise ValueError(
            "with_mergers: these halos come without mergers; draw them with halos.monte_carlo_trees, read merger "
            "trees, or give the histories mergers=halos.Mergers(time, ratio)"
        )
    chunk = whole_number("chunk", chunk, meaning="halos")
    passes = whole_number("passes", passes, meaning="passes")
    own = {name: curve for name, curve in halos.extras.items() if name not in {*_CURVES, "smooth_share"}}
    quiet = ExtraCurve(jnp.zeros(halos.log_mvir.shape), DRIVING["merging_mass"])  # where black holes are fed by it
    received = dataclasses.replace(halos, extras={**own, "merging_mass": quiet})
    solved: Any = _without_mergers(model)
    known_at = np.arange(len(halos.time))[::-_EVERY][::-1]
    for _ in range(passes):
        curves, share = _arrivals(
            process, solved.stellar_return.recycled_fraction, halos.time, halos.log_mvir, halos.start, mergers,
            _galaxies(solved, received, known_at, solver, chunk), known_at, halos.cosmology,
        )  # fmt: skip
        solved, received = model, with_curves(received, curves, {"smooth_share": share})
    return received


def _galaxies(model, halos, known_at, solver, chunk) -> "_Galaxies":
    """What galaxies are at some of the times of the histories."""
    known = {*model.ledger.quantities, *model.diagnostics}
    names = [name for name in _Galaxies._fields if name in known]
    # The last time is an output too, where galaxies are evaluated just inside the histories.
    end, times = halos.cosmology.redshift(halos.time[-1:]), halos.time[known_at]
    population = evolve(model, halos, end, keep=names, histories=names, history_times=times, solver=solver, chunk=chunk)
    histories: Any = population.histories
    return _Galaxies(**{name: histories.values[name] for name in names})


def _merging(model) -> Merging:
    for process in getattr(model, "processes", {}).values():
        if isinstance(process, Merging):
            return process
    raise ValueError(
        f"with_mergers: {type(model).__name__} has no process Merging, which says when satellites merge; give it "
        "processes={'merging': models.Merging()}"
    )


def _without_mergers(model):
    """The same model of a galaxy that stays alone."""
    kept = {n: p for n, p in model.processes.items() if not isinstance(p, Merging | BlackHoleMergers)}
    flows = {flow.name for name in model.processes.keys() - kept for flow in model.processes[name].flows}
    multipliers = {name: value for name, value in model.channels.items() if name not in flows}
    return dataclasses.replace(model, processes=kept, channels=multipliers)


@compiled
def _arrivals(process, returned, time, log_mvir, start, mergers, galaxies, known_at, cosmology):
    """Running totals and their slopes in ln(t), by name, and the share of smooth growth that brings gas."""
    ln_time, ln_expansion = jnp.log(time), jnp.log1p(cosmology.redshift(time))
    means = _means(returned, ln_expansion[known_at], log_mvir[:, known_at], time[known_at] > _SETTLED * start[:, None],
                   galaxies)  # fmt: skip
    listed = jnp.isfinite(mergers.time) & (mergers.time >= start[:, None])
    infall = jnp.where(listed, mergers.time, time[-1])
    ratio = jnp.where(listed, jnp.minimum(mergers.ratio, 1.0), 1e-2)
    log_host = jax.vmap(lambda at, curve: jnp.interp(jnp.log(at), ln_time, curve))(infall, log_mvir)
    log_mass = log_host + jnp.log10(ratio)
    redshift = jnp.expm1(jnp.interp(jnp.log(infall), ln_time, ln_expansion))
    unit_time = 0.1 / cosmology.hubble_rate(redshift)  # [Gyr]
    satellites = _Satellites(
        listed, infall, process.friction.median(ratio, unit_time), 10.0**log_mass,
        10.0 ** means(log_mass, redshift),
    )  # fmt: skip
    ln_host = jnp.log(jnp.where(jnp.isfinite(galaxies.mstar), galaxies.mstar + galaxies.mism, 1.0))
    host_mass = jnp.exp(jax.vmap(lambda curve: jnp.interp(ln_time, ln_time[known_at], curve))(ln_host))
    rows = (satellites, host_mass, 10.0**log_mvir, start)
    return jax.lax.map(lambda row: _of_one_host(process, time, *row), rows, batch_size=_TOGETHER)


class _Satellites(NamedTuple):
    """Satellites of the halos, or of one of them."""

    listed: Any
    infall: Any  # [Gyr]
    median: Any  # merging time [Gyr]
    mass: Any  # of the halo [Msun]
    holds: Any  # what `_means` lists, at infall


_MEANS = ("mstar", "mism", "mcgm", "mzstar", "mzism", "mzcgm", "exhaustion", "locking", "mbh")


def _means(returned, ln_expansion, log_mvir, settled, g) -> MeanGalaxies:
    """lg of what galaxies hold, of the time in which their gas is used up [Gyr], and of the part locked in stars."""
    # Small galaxies keep the seed that a model gives to all; only what black holes have grown by is handed over.
    hole = jnp.zeros_like(g.mstar) if g.mbh is None else g.mbh - jnp.nanmin(g.mbh)
    used = (1.0 - returned + g.mass_loading) * g.sfr * GYR_YR  # [Msun/Gyr]
    locking = (1.0 - returned) / (1.0 - returned + g.mass_loading)
    held = (*g[:6], (g.mism + g.mcgm) / used, locking, jnp.maximum(hole, _LEAST_HOLE))
    values = jnp.stack([jnp.log10(array).ravel() for array in held], axis=-1)
    counted = settled.ravel() & jnp.all(jnp.isfinite(values), axis=-1)
    redshift = jnp.broadcast_to(jnp.expm1(ln_expansion), g.mstar.shape)
    return fit_means(log_mvir.ravel(), redshift.ravel(), values, counted)


def _of_one_host(process, time, satellites, host_mass, mvir, start):
    """Curves of one halo, each as running total and slope in ln(t), and the share of its smooth growth."""
    s, one = satellites, satellites.listed[:, None]
    held = dict(zip(_MEANS, jnp.moveaxis(s.holds, -1, 0), strict=True))
    delay = time - s.infall[:, None]
    merged = jnp.where(one, process.friction.merged(delay, s.median[:, None]), 0.0)
    rate = jnp.where(one, time * process.friction.rate(delay, s.median[:, None]), 0.0)  # per ln(t)
    used = 1.0 - jnp.exp(-jnp.maximum(delay, 0.0) / held["exhaustion"][:, None])
    # Exact where what is used up does not change.
    steps = 0.5 * (used[:, 1:] + used[:, :-1]) * jnp.diff(merged, axis=-1)
    used_and_merged = jnp.cumsum(jnp.pad(steps, ((0, 0), (1, 0))), axis=-1)

    at_infall, of_used = {}, {}  # content = at_infall + of_used (share of the gas that is used up)
    for kind, prefix in (("", "m"), ("_metals", "mz")):
        stars, ism, cgm = (held[f"{prefix}{place}"] for place in ("star", "ism", "cgm"))
        formed = held["locking"] * (ism + cgm)
        at_infall |= dict(zip((f"satellite_{place}{kind}" for place in _HANDED), (stars, ism, cgm), strict=True))
        of_used |= dict(
            zip((f"satellite_{place}{kind}" for place in _HANDED), (formed, -ism, ism - formed), strict=True)
        )
    at_infall["satellite_black_holes"], of_used["satellite_black_holes"] = held["mbh"], jnp.zeros_like(held["mbh"])
    first, second = (jnp.stack(list(contents.values())) for contents in (at_infall, of_used))
    totals, slopes = first @ merged + second @ used_and_merged, first @ rate + second @ (rate * used)
    curves = {name: (totals[k], slopes[k]) for k, name in enumerate(at_infall)}
    for name, power in driving_powers(process).items():
        # Merging with more than its own mass, a galaxy does what it does with an equal.
        driving = jnp.minimum((held["mstar"] + held["mism"])[:, None] ** power, host_mass**power)
        slope = jnp.sum(rate * driving, axis=0)
        curves[name] = integrated(slope, time), slope
    joined, joining = pulses(time, s.infall)
    weight = jnp.where(s.listed, s.mass, 0.0)
    resolved = weight @ joined
    curves["resolved_growth"] = resolved, weight @ joining / PULSE
    return curves, smooth_share(time, mvir, start, resolved, jnp.any(s.listed))
