"""Galaxies of whole trees: satellites are followed as galaxies of their own and hand over what they hold.

First every galaxy is solved as if no other arrived in it: this says what satellites meet where they fall in.  Then
trees are solved from the deepest level up, one batch for each level: what a level hands over are curves of the halos
above it.  A galaxy never needs the answer of its host, so that none are solved together, and derivatives pass through
as through any other composition of solves.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..array_library import is_traced
from ..halos import HaloHistories, Satellites
from ..halos.per_halo import per_halo_values, take_rows
from ..halos.satellites.links import levels_and_roots
from ..models import AbstractModel
from ..models.processes.merging import Merging
from ..models.processes.satellites.handing_over import HandingOver, check_contents, sinks_of
from ..physics.merging.satellites import SATELLITE_CURVES
from .arrivals import DRIVING, between_knots, driving_powers, integrated, monotone_slopes, with_curves
from .galaxies import Histories, Population
from .infalls import brought_growth, known_infalls, survival_of

__all__ = ["evolve_trees"]

_EVERY = 2  # of the times of the histories, at which is known what galaxies hand over

_FEWEST, _RATIO = 32, 8  # of the numbers of rows that are solved together, where JAX traces

_NO_GAS = -10.0  # log10 of mass [Msun]


def evolve_trees(
    evolve: Callable[..., Population],
    model: AbstractModel,
    halos: HaloHistories,
    redshifts: Any,
    *,
    histories: tuple[str, ...],
    history_times: Any,
    progress: Callable[[int, int], None] | None,
    **settings: Any,
) -> Population:
    """The galaxies of halos with satellites.

    Parameters
    ----------
    evolve : callable
        `corundum.evolve`, for halos that do not wait for each other.
    model, halos, redshifts, histories, progress
        As for `corundum.evolve`; the model has the processes `Merging` and `HandingOver`.
    history_times : array
        Cosmic ages [Gyr] of the histories; None without any.
    **settings
        Further arguments of `evolve`.

    Raises
    ------
    ValueError
        The model lacks a process that satellites need, or who is whose satellite is not known because JAX traces it.
    """
    merging = _process(model, Merging)
    _process(model, HandingOver)
    check_contents(model.ledger)
    sinks = sinks_of(model.ledger)
    if is_traced(halos.host):
        raise ValueError(
            "satellites: which halo is whose satellite must be known before JAX traces a function; let the function "
            "use the halos from outside instead of taking them as an argument"
        )
    host = np.asarray(halos.host)
    level, _ = levels_and_roots(host)
    known = known_infalls(
        merging.friction,
        halos.time,
        halos.log_mvir,
        halos.log_rvir,
        cast(Satellites, halos.satellites),
        host,
        halos.cosmology,
    )
    constants = {name: known[name] for name in SATELLITE_CURVES}
    at = np.arange(len(halos.time))[::-_EVERY][::-1]
    reading = _Reading.of(halos.time, at, histories, history_times)
    done = _Counter(progress, 2 * len(halos))
    contents = tuple(field for (kind, _), field in model.ledger.contents.items() if kind == "mass")
    at_knots = (*contents, *(f"{verb}_{sink}" for verb in ("handed", "handing") for sink in sinks))
    settings = dict(histories=(*histories, *at_knots), history_times=reading.times, **settings)
    solve = _solver(evolve, model, redshifts, is_traced((model, halos, redshifts, settings)), settings)

    quiet = {name: (np.zeros(halos.log_mvir.shape),) * 2 for name in (*_arriving(sinks), "resolved_growth")}
    host_halo = {name: known[name] for name in ("log_host_mvir", "log_host_rvir")}
    no_gas = {"log_host_cgm": np.full(halos.log_mvir.shape, _NO_GAS)}
    first = with_curves(halos, quiet, constants | {"smooth_share": np.ones(len(halos))}, host_halo | no_gas)
    lonely = solve(first, np.arange(len(halos)), done.progress)
    done.finish(len(halos))
    of_hosts = reading.masses(lonely)
    held = sum(reading.at_knots(lonely, name) for name in contents)
    growth = brought_growth(
        halos.time, halos.log_mvir, halos.start, known["infall_age"], host, held, halos.time[at],
        halos.cosmology.baryon_fraction,
    )  # fmt: skip
    met = host_halo | {"log_host_cgm": _gas_of_hosts(reading, lonely, halos.time, at, host)}

    arrivals = _Arrivals(merging, sinks, halos, host, at, known, of_hosts)
    parts, rows_of_parts = [], []
    for depth in range(int(level.max(initial=0)), -1, -1):
        rows = np.flatnonzero(level == depth)
        received = with_curves(
            halos, arrivals.totals | {"resolved_growth": growth.resolved},
            constants | {"smooth_share": growth.smooth_share}, met,
        )  # fmt: skip
        galaxies = solve(received, rows, done.progress)
        done.finish(len(rows))
        if depth:
            arrivals.add(rows, reading, galaxies)
        parts.append(reading.without_knots(galaxies))
        rows_of_parts.append(rows)
    back = np.argsort(np.concatenate(rows_of_parts), kind="stable")
    survival = survival_of(constants, halos.cosmology.age(redshifts))
    return dataclasses.replace(_joined(parts, back), survival=survival, host=jnp.asarray(host))


def _solver(evolve, model, redshifts, traced, settings):
    """A function that evolves some of the halos as if they did not belong together."""

    def solve(halos, rows, progress):
        # Where JAX traces, levels are filled up to few sizes here; elsewhere batches are.
        short = _filled_up(len(rows)) - len(rows) if traced else 0
        chosen = take_rows(halos, np.concatenate([rows, np.repeat(rows[-1:], short)]))
        alone = dataclasses.replace(halos, **chosen | {"host": None, "satellites": None, "mergers": None})
        if short:
            idle = np.arange(len(alone)) >= len(rows)
            alone = eqx.tree_at(lambda halos: halos.end, alone, jnp.where(idle, -jnp.inf, alone.end))
        galaxies = evolve(model, alone, redshifts, progress=progress, **settings)
        return galaxies[: len(rows)] if short else galaxies

    return solve


def _filled_up(number):
    """The least of 32, 256, 2048 ... that is not below a number of rows: each size is a program of its own."""
    size = _FEWEST
    while size < number:
        size *= _RATIO
    return size


def _process(model, kind):
    for process in getattr(model, "processes", {}).values():
        if isinstance(process, kind):
            return process
    raise ValueError(
        f"evolve: these halos have satellites and {type(model).__name__} has no process {kind.__name__}; give it "
        "processes={'merging': models.Merging(), 'handing_over': models.HandingOver()}, or evolve the centrals alone "
        "with halos.select_centrals(halos)"
    )


def _arriving(sinks):
    return (*(f"satellite_{sink}" for sink in sinks), *DRIVING)


class _Counter:
    """Progress over several solves."""

    def __init__(self, progress, total):
        self._progress, self._total, self._before = progress, total, 0
        self.progress = None if progress is None else self._report

    def _report(self, done, total):
        self._progress(self._before + done, self._total)

    def finish(self, number):
        self._before += number


class _Reading(NamedTuple):
    """At which of the times of a solve the knots of arrivals lie, and at which the histories that are asked for."""

    times: Any
    knots: Any
    histories: tuple[str, ...]
    of_histories: Any

    @classmethod
    def of(cls, time, at, histories, history_times):
        xp: Any = jnp if is_traced((time, history_times)) else np
        knots = xp.asarray(time)[at]
        if history_times is None:
            return cls(knots, np.arange(len(at)), (), None)
        further = xp.asarray(history_times)
        times = xp.sort(xp.concatenate([knots, further]))
        return cls(times, xp.searchsorted(times, knots), histories, xp.searchsorted(times, further))

    def at_knots(self, galaxies, name, empty=0.0):
        """A quantity at the knots, `empty` where there is no galaxy."""
        values = galaxies.histories.values[name]
        xp: Any = jnp if is_traced(values) else np
        values = xp.asarray(values)[:, self.knots]
        return xp.where(xp.isfinite(values), values, empty)

    def masses(self, galaxies):
        """Stars and interstellar gas at the knots [Msun], never zero, so that powers of them have derivatives."""
        return self.at_knots(galaxies, "mstar", 1.0) + self.at_knots(galaxies, "mism", 1.0)

    def without_knots(self, galaxies):
        """The galaxies with the histories that are asked for alone."""
        if not self.histories:
            return dataclasses.replace(galaxies, histories=None)
        kept = galaxies.histories
        values = {name: kept.values[name][:, self.of_histories] for name in self.histories}
        return dataclasses.replace(galaxies, histories=Histories(kept.times[self.of_histories], values, kept.ages))


class _Arrivals:
    """Running totals of what has arrived in every halo so far, level by level."""

    def __init__(self, merging, sinks, halos, host, at, known, of_hosts):
        self._merging, self._sinks, self._host, self._of_hosts = merging, sinks, host, of_hosts
        ln_time = np.log(np.asarray(halos.time))
        self._time, self._fill = np.asarray(halos.time)[at], between_knots(ln_time, at)
        rate = known["rate"]  # dPhi / d ln(t)
        self._rate = rate[:, at] if is_traced(rate) else np.asarray(rate)[:, at]
        self.totals = {name: (np.zeros(halos.log_mvir.shape),) * 2 for name in _arriving(sinks)}

    def add(self, rows, reading, galaxies):
        """What the galaxies of these rows hand over, and what their mergers set off, arrives in their hosts."""
        time, host = self._time, self._host[rows]
        pairs = {}
        for sink in self._sinks:
            total = reading.at_knots(galaxies, f"handed_{sink}")
            slope = time * reading.at_knots(galaxies, f"handing_{sink}")
            pairs[f"satellite_{sink}"] = total, monotone_slopes(total, slope, np.log(time))
        mass = reading.masses(galaxies)
        for name, power in driving_powers(self._merging).items():
            # Merging with more than its own mass, a galaxy does what it does with an equal.
            xp: Any = jnp if is_traced((self._rate, mass, self._of_hosts, power)) else np
            slope = self._rate[rows] * xp.minimum(mass ** xp.asarray(power), self._of_hosts[host] ** xp.asarray(power))
            pairs[name] = integrated(slope, time), slope
        for name, pair in pairs.items():
            new = _in_hosts(self._fill, pair, host, len(self._host))
            self.totals[name] = tuple(before + added for before, added in zip(self.totals[name], new, strict=True))


def _in_hosts(fill, pair, host, number):
    """Totals and slopes at the knots of satellites, as those of their hosts at every time."""
    return tuple(jax.ops.segment_sum(pair[0] @ matrices[0] + pair[1] @ matrices[1], host, number) for matrices in fill)


def _gas_of_hosts(reading, galaxies, time, at, host):
    """log10 of the gas around the host of each satellite [Msun] at every time, around itself for a central."""
    gas = reading.at_knots(galaxies, "mcgm", 10.0**_NO_GAS)
    xp: Any = jnp if is_traced((gas, time)) else np
    ln_time, log_gas = xp.log(xp.asarray(time)), xp.log10(gas)
    read = (
        [xp.interp(ln_time, ln_time[at], row) for row in log_gas]
        if xp is np
        else jax.vmap(lambda row: jnp.interp(ln_time, ln_time[at], row))(log_gas)
    )
    return xp.asarray(read)[np.where(host >= 0, host, np.arange(len(host)))]


def _joined(parts, back):
    """Populations one after the other, with the rows `back` in the order in which they were."""
    xp: Any = jnp if is_traced(parts) else np

    def join(*arrays):
        return xp.concatenate([xp.asarray(array) for array in arrays])[back]

    fields = [per_halo_values(part) for part in parts]
    rows = jax.tree.map(join, *fields)
    kept = parts[0].histories
    if kept is not None:
        kept = kept._replace(values=jax.tree.map(join, *(part.histories.values for part in parts)))
    if xp is np:
        rows, kept = jax.device_put((rows, kept))
    return dataclasses.replace(parts[0], **rows, histories=kept)
