"""How halo histories are read between their grid points.

The default keeps V^2 = G M / R and dM/dt = d(M)/dt at every time; the published scheme is kept for comparison with
published solutions.
"""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..array_library import is_traced
from ..cosmology import Cosmology, circular_velocity
from ..numerics.interpolation import (
    AbstractSlopes,
    BackwardDifference,
    ContinuousCurvature,
    CubicTable,
    UniformKnots,
    cubic_table,
)
from ..numerics.rows import Rows
from ..printing import Component, in_short
from ..units import GRAVITY, GYR_YR, LN10, Quantity
from .extras import Extras

__all__ = [
    "Halo",
    "HALO_QUANTITIES",
    "HaloCurves",
    "HaloTables",
    "AbstractHaloInterpolation",
    "SplineInLogTime",
    "Pandya26Hermite",
]


class Halo(NamedTuple):
    """One halo at one time (or many, with arrays).

    Attributes
    ----------
    time : cosmic age [Gyr]
    redshift : redshift
    mvir : virial mass [Msun]
    rvir : virial radius [proper kpc]
    vvir : virial velocity sqrt(G M / R) [km/s]
    concentration : NFW concentration R / r_s
    growth : dMvir/dt [Msun/yr]; negative while a halo loses mass
    deepening : d ln Vvir^2 / dt [1/Gyr], how fast the potential deepens; None where the source does not say
    extras : the extra quantities of the histories by name, ``halo.extras["overdensity"]``; none by default

    Examples
    --------
    >>> today = halos.at(redshift=0.0)
    >>> today.mvir.shape
    (8,)
    >>> bool(np.allclose(today.vvir**2, co.units.GRAVITY * today.mvir / today.rvir))
    True
    """

    time: Float[Array, "..."]
    redshift: Float[Array, "..."]
    mvir: Float[Array, "..."]
    rvir: Float[Array, "..."]
    vvir: Float[Array, "..."]
    concentration: Float[Array, "..."]
    growth: Float[Array, "..."]
    deepening: Float[Array, "..."] | None = None
    extras: Extras = Extras()

    def __repr__(self) -> str:
        return in_short(self)

    def by_name(self) -> dict[str, Float[Array, "..."] | None]:
        """All quantities by name, the extra ones under their own names."""
        quantities = self._asdict()
        extras = quantities.pop("extras")
        return {**quantities, **extras}


HALO_QUANTITIES = {
    "time": Quantity("Gyr", "cosmic age", log=False),
    "redshift": Quantity("1", "redshift", log=False),
    "mvir": Quantity("Msun", "halo virial mass"),
    "rvir": Quantity("kpc", "halo virial radius (proper)"),
    "vvir": Quantity("km/s", "halo virial velocity"),
    "concentration": Quantity("1", "NFW concentration Rvir / r_s"),
    "growth": Quantity("Msun/yr", "halo growth rate dMvir/dt"),
    "deepening": Quantity("1/Gyr", "rate at which the potential deepens, d ln Vvir^2 / dt", log=False),
}
"""Unit and meaning of what every halo has."""


class HaloCurves(NamedTuple):
    """The curves that are interpolated, halos on axis 0 and times on axis 1.

    Attributes
    ----------
    log_mvir, log_concentration : log10 of virial mass [Msun] and of NFW concentration
    log_rvir : log10 of virial radius [proper kpc]; None for that of Bryan & Norman 1998
    log_growth : log10 of dMvir/dt [Msun/yr], or None
    extras : extra curves by name
    totals : running totals by name, values and slopes of each

    Examples
    --------
    >>> halos.curves.log_mvir.shape == (len(halos), len(halos.time))
    True
    """

    log_mvir: Float[Array, "n t"]
    log_concentration: Float[Array, "n t"]
    log_rvir: Float[Array, "n t"] | None
    log_growth: Float[Array, "n t"] | None
    extras: Extras = Extras()
    totals: Extras = Extras()

    def __repr__(self) -> str:
        return in_short(self)


class _ClassConstant:
    """An attribute of a class whose value is an instance of that class; a NamedTuple can hold it in no other way."""

    def __init__(self, value: Callable[[Any], Any]):
        self.value = value

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self.value(owner)


class HaloTables(NamedTuple):
    """Interpolants: the redshift of each time, shared by all halos, and the curves of each halo.

    As a prefix for `jax.vmap` over halos use `HaloTables.HALO_AXIS`.

    Attributes
    ----------
    clock : CubicTable
    curves : CubicTable
        The extra curves are its last ones, and running totals come after all others.
    extras, totals : dicts of str to None
        Names of these curves: the keys of a dict are part of the structure of a pytree.

    Examples
    --------
    >>> read = jax.vmap(halos.interpolation.read, in_axes=(co.halos.HaloTables.HALO_AXIS, None))
    >>> read(halos.tables(), halos.time[-1]).mvir.shape
    (8,)
    """

    clock: CubicTable
    curves: CubicTable
    extras: dict[str, None] | None = None
    totals: dict[str, None] | None = None

    def __repr__(self) -> str:
        return in_short(self)

    @_ClassConstant
    def HALO_AXIS(self):
        return HaloTables(clock=cast(CubicTable, None), curves=CubicTable(None, Rows(None, 0)))


class AbstractHaloInterpolation(Component):
    """Rule for reading histories between their grid points.

    Examples
    --------
    A rule that makes every concentration the same before it interpolates as the default does:

    >>> class FixedConcentration(co.halos.AbstractHaloInterpolation):
    ...     rule: co.halos.SplineInLogTime = co.halos.SplineInLogTime()
    ...     def tables(self, time, curves, cosmology):
    ...         return self.rule.tables(time, curves._replace(log_concentration=1.0 + 0.0 * curves.log_mvir), cosmology)
    ...     def sample(self, tables, time):
    ...         return self.rule.sample(tables, time)
    ...     def halo(self, time, sample):
    ...         return self.rule.halo(time, sample)
    >>> import dataclasses
    >>> fixed = dataclasses.replace(halos, interpolation=FixedConcentration())
    >>> round(float(fixed.at(redshift=1.0).concentration[0]), 6)
    10.0
    """

    @abc.abstractmethod
    def tables(self, time: Float[Array, " t"], curves: HaloCurves, cosmology: Cosmology) -> HaloTables:
        """Interpolants of a batch of halos (halos on axis 0, curves on axis 1)."""

    @abc.abstractmethod
    def sample(self, tables: HaloTables, time: Float[Array, ""]) -> tuple[Any, ...]:
        """What the tables of one halo (no halo axis) hold at one time [Gyr], in the form in which they hold it."""

    @abc.abstractmethod
    def halo(self, time: Float[Array, ""], sample: tuple[Any, ...]) -> Halo:
        """The halo at one time [Gyr], made of its `sample`."""

    def read(self, tables: HaloTables, time: Float[Array, ""]) -> Halo:
        """One halo (no halo axis in `tables`) at one time [Gyr]."""
        return self.halo(time, self.sample(tables, time))


class SplineInLogTime(AbstractHaloInterpolation):
    """C2 splines in ln(t) of log10 of mass and concentration, and of extra curves; the default.

    The growth rate is the derivative of the interpolated mass.  The virial radius follows from the mass and the virial
    density (Bryan & Norman 1998), unless the histories bring their own, which is then splined too.  Before its first
    knot a halo follows the tangent, a power law in time.

    Parameters
    ----------
    slopes : AbstractSlopes
        Rule for the slopes at the knots.
    uniform : bool
        The times are equally spaced in ln(t): their intervals are found by a division, not by a search.

    Examples
    --------
    >>> halos.interpolation.uniform
    True
    >>> halos.at(redshift=0.5).growth.shape
    (8,)
    """

    slopes: AbstractSlopes = ContinuousCurvature()
    uniform: bool = eqx.field(default=False, static=True)

    @classmethod
    def on(cls, time: Float[Array, " t"]) -> "SplineInLogTime":
        """The rule for these times [Gyr], which are compared with equal steps in ln(t) where they are known."""
        if is_traced(time) or time.ndim != 1 or len(time) < 2:
            return cls()
        with np.errstate(all="ignore"):  # times are checked later
            steps = np.diff(np.log(np.asarray(time)))
        return cls(uniform=bool(np.ptp(steps) < 1e-9 * steps.mean()))

    def tables(self, time: Float[Array, " t"], curves: HaloCurves, cosmology: Cosmology) -> HaloTables:
        ln_time = jnp.log(time)
        redshift = cosmology.redshift(time)
        log_density = jnp.log10(4.0 * jnp.pi / 3.0 * cosmology.virial_density(redshift))
        shared = jnp.stack([jnp.log1p(redshift), log_density])
        shared_slopes = jnp.stack([-cosmology.hubble_rate(redshift) * time, self.slopes(ln_time, log_density)])
        stacked = [curves.log_mvir, curves.log_concentration]
        stacked += [] if curves.log_rvir is None else [curves.log_rvir]
        values = jnp.stack([*stacked, *_in_order(curves.extras)], axis=1)
        slopes = self.slopes(ln_time, values)
        spacing = (ln_time[-1] - ln_time[0]) / (len(time) - 1)
        knots = UniformKnots(ln_time[0], spacing) if self.uniform else ln_time
        return _tables(cubic_table(knots, shared, shared_slopes), knots, values, slopes, curves, 1.0)

    def sample(self, tables: HaloTables, time: Float[Array, ""]) -> tuple[Any, ...]:
        ln_time = jnp.log(time)
        (ln_expansion, log_density), (_, thinning) = tables.clock(ln_time)
        values, slopes = tables.curves(ln_time)
        (log_mvir, log_concentration, *radius), extras = _without_extras(values, slopes, tables, time)
        log_rvir = radius[0] if radius else (log_mvir - log_density) / 3.0
        widening = slopes[2] if radius else (slopes[0] - thinning) / 3.0
        return ln_expansion, log_mvir, log_concentration, log_rvir, slopes[0], widening, extras

    def halo(self, time: Float[Array, ""], sample: tuple[Any, ...]) -> Halo:
        ln_expansion, log_mvir, log_concentration, log_rvir, slope, widening, extras = sample
        # Exponentials alone: the compiler undoes them where a law takes the logarithm of a mass, a velocity or 1 + z.
        mvir, rvir = jnp.exp(LN10 * log_mvir), jnp.exp(LN10 * log_rvir)
        return Halo(
            time=time,
            redshift=jnp.exp(ln_expansion) - 1.0,
            mvir=mvir,
            rvir=rvir,
            vvir=jnp.exp(0.5 * (np.log(GRAVITY) + LN10 * (log_mvir - log_rvir))),
            concentration=jnp.exp(LN10 * log_concentration),
            growth=mvir * LN10 * slope / (time * GYR_YR),
            deepening=LN10 * (slope - widening) / time,
            extras=extras,
        )


class Pandya26Hermite(AbstractHaloInterpolation):
    """The interpolation of Pandya et al. 2026, for comparison with its published solutions.

    Cubic Hermite in linear time with backward-difference slopes; dM/dt is a curve of its own, so it is not the
    derivative of the mass.  Redshift is a C2 spline through 100 points over 0 <= z <= 10, constant outside.

    Examples
    --------
    >>> import dataclasses
    >>> growth = jnp.log10(halos.along(halos.time).growth)
    >>> published = dataclasses.replace(halos, log_growth=growth, interpolation=co.halos.Pandya26Hermite())
    >>> published.at(redshift=1.0).growth.shape
    (8,)
    """

    slopes: AbstractSlopes = BackwardDifference()

    def tables(self, time: Float[Array, " t"], curves: HaloCurves, cosmology: Cosmology) -> HaloTables:
        if curves.log_growth is None:
            raise ValueError(
                "Pandya26Hermite interpolates dM/dt on its own but these histories have no log_growth: "
                "make them with log_growth=..., or use SplineInLogTime()"
            )
        redshift = jnp.linspace(10.0, 0.0, 100)
        age = cosmology.age(redshift)
        clock = cubic_table(age, redshift[None], ContinuousCurvature()(age, redshift[None]))
        log_rvir = curves.log_rvir
        if log_rvir is None:
            log_rvir = jnp.log10(cosmology.virial_radius(10.0**curves.log_mvir, cosmology.redshift(time)))
        stacked = [curves.log_mvir, curves.log_concentration, log_rvir, curves.log_growth, *_in_order(curves.extras)]
        values = jnp.stack(stacked, axis=1)
        return _tables(clock, time, values, self.slopes(time, values), curves, 1.0 / time)

    def sample(self, tables: HaloTables, time: Float[Array, ""]) -> tuple[Any, ...]:
        (redshift,), _ = tables.clock(jnp.clip(time, tables.clock.knots[0], tables.clock.knots[-1]))
        values, slopes = tables.curves(time)
        values, extras = _without_extras(values, slopes, tables, 1.0)
        return (redshift, *values, slopes[0] - slopes[2], extras)

    def halo(self, time: Float[Array, ""], sample: tuple[Any, ...]) -> Halo:
        redshift, *logs, deepening, extras = sample
        mvir, concentration, rvir, growth = (jnp.exp(LN10 * value) for value in logs)
        vvir = circular_velocity(mvir, rvir)
        return Halo(time, redshift, mvir, rvir, vvir, concentration, growth, LN10 * deepening, extras)


def _in_order(extras):
    """The extra curves in the order of their names, which pytrees keep."""
    return [extras[name] for name in sorted(extras)]


def _tables(clock, knots, values, slopes, curves, per_ln_time):
    """Tables of the curves, with running totals after all others; `per_ln_time` is d ln(t) / d (what knots measure)."""
    if curves.totals:
        totals = _in_order(curves.totals)
        values = jnp.concatenate([values, jnp.stack([total for total, _ in totals], axis=1)], axis=1)
        slopes = jnp.concatenate([slopes, jnp.stack([slope * per_ln_time for _, slope in totals], axis=1)], axis=1)
    names = dict.fromkeys(curves.extras), dict.fromkeys(curves.totals)
    return HaloTables(clock, cubic_table(knots, values, slopes), *names)


def _without_extras(values, slopes, tables, time):
    """Values of the curves that every halo has, and the extra ones by name: of running totals the rates per Gyr."""
    names, totals = sorted(tables.extras or ()), sorted(tables.totals or ())
    first, common = len(values) - len(totals), len(values) - len(totals) - len(names)
    extras = dict(zip(names, values[common:first], strict=True))
    rates = {name: slope / time for name, slope in zip(totals, slopes[first:], strict=True)}
    return values[:common], Extras({**extras, **rates})
