"""How halo histories are read between their grid points.

The default keeps V^2 = G M / R and dM/dt = d(M)/dt at every time; the published scheme is kept for comparison with
published solutions.
"""

import abc
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

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
from ..units import GRAVITY, GYR_YR, LN10, Quantity

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
    """

    time: Float[Array, "..."]
    redshift: Float[Array, "..."]
    mvir: Float[Array, "..."]
    rvir: Float[Array, "..."]
    vvir: Float[Array, "..."]
    concentration: Float[Array, "..."]
    growth: Float[Array, "..."]


HALO_QUANTITIES = {
    "time": Quantity("Gyr", "cosmic age", log=False),
    "redshift": Quantity("1", "redshift", log=False),
    "mvir": Quantity("Msun", "halo virial mass"),
    "rvir": Quantity("kpc", "halo virial radius (proper)"),
    "vvir": Quantity("km/s", "halo virial velocity"),
    "concentration": Quantity("1", "NFW concentration Rvir / r_s"),
    "growth": Quantity("Msun/yr", "halo growth rate dMvir/dt"),
}


class HaloCurves(NamedTuple):
    """What is interpolated: log10 of mass [Msun] and concentration and, unless None, radius [kpc], growth [Msun/yr].

    Without a radius it is that of Bryan & Norman 1998.
    """

    log_mvir: Float[Array, "n t"]
    log_concentration: Float[Array, "n t"]
    log_rvir: Float[Array, "n t"] | None
    log_growth: Float[Array, "n t"] | None


class HaloTables(NamedTuple):
    """Interpolants: the redshift of each time, shared by all halos, and the curves of each halo.

    As a prefix for `jax.vmap` over halos use `HaloTables.HALO_AXIS`.
    """

    clock: CubicTable
    curves: CubicTable


HaloTables.HALO_AXIS = HaloTables(clock=None, curves=CubicTable(None, Rows(None, 0)))


class AbstractHaloInterpolation(eqx.Module):
    """Rule for reading histories between their grid points."""

    @abc.abstractmethod
    def tables(self, time: Float[Array, " t"], curves: HaloCurves, cosmology: Cosmology) -> HaloTables:
        """Interpolants of a batch of halos (halos on axis 0, curves on axis 1)."""

    @abc.abstractmethod
    def sample(self, tables: HaloTables, time: Float[Array, ""]) -> tuple[Float[Array, ""], ...]:
        """What the tables of one halo (no halo axis) hold at one time [Gyr], in the form in which they hold it."""

    @abc.abstractmethod
    def halo(self, time: Float[Array, ""], sample: tuple[Float[Array, ""], ...]) -> Halo:
        """The halo at one time [Gyr], made of its `sample`."""

    def read(self, tables: HaloTables, time: Float[Array, ""]) -> Halo:
        """One halo (no halo axis in `tables`) at one time [Gyr]."""
        return self.halo(time, self.sample(tables, time))


class SplineInLogTime(AbstractHaloInterpolation):
    """C2 splines of log Mvir and log concentration in ln(t); the default.

    The growth rate is the derivative of the interpolated mass.  The virial radius follows from the mass and the virial
    density (Bryan & Norman 1998), unless the histories bring their own, which is then splined too.  Before its first
    knot a halo follows the tangent, a power law in time.

    Parameters
    ----------
    slopes : AbstractSlopes
        Rule for the slopes at the knots.
    uniform : bool
        The times are equally spaced in ln(t): their intervals are found by a division, not by a search.
    """

    slopes: AbstractSlopes = ContinuousCurvature()
    uniform: bool = eqx.field(default=False, static=True)

    def tables(self, time: Float[Array, " t"], curves: HaloCurves, cosmology: Cosmology) -> HaloTables:
        log_time = jnp.log(time)
        redshift = cosmology.redshift(time)
        log_density = jnp.log10(4.0 * jnp.pi / 3.0 * cosmology.virial_density(redshift))
        shared = jnp.stack([jnp.log1p(redshift), log_density])
        slopes = jnp.stack([-cosmology.hubble_rate(redshift) * time, self.slopes(log_time, log_density)])
        own = [curves.log_mvir, curves.log_concentration] + ([] if curves.log_rvir is None else [curves.log_rvir])
        values = jnp.stack(own, axis=1)
        own_slopes = self.slopes(log_time, values)
        spacing = (log_time[-1] - log_time[0]) / (len(time) - 1)
        knots = UniformKnots(log_time[0], spacing) if self.uniform else log_time
        return HaloTables(cubic_table(knots, shared, slopes), cubic_table(knots, values, own_slopes))

    def sample(self, tables: HaloTables, time: Float[Array, ""]) -> tuple[Float[Array, ""], ...]:
        log_time = jnp.log(time)
        (log_expansion, log_density), _ = tables.clock(log_time)
        (log_mvir, log_concentration, *given), slopes = tables.curves(log_time)
        log_rvir = given[0] if given else (log_mvir - log_density) / 3.0
        return log_expansion, log_mvir, log_concentration, log_rvir, slopes[0]

    def halo(self, time: Float[Array, ""], sample: tuple[Float[Array, ""], ...]) -> Halo:
        log_expansion, log_mvir, log_concentration, log_rvir, slope = sample
        # Exponentials alone: the compiler undoes them where a law takes the logarithm of a mass, a velocity or 1 + z.
        mvir, rvir = jnp.exp(LN10 * log_mvir), jnp.exp(LN10 * log_rvir)
        return Halo(
            time=time,
            redshift=jnp.exp(log_expansion) - 1.0,
            mvir=mvir,
            rvir=rvir,
            vvir=jnp.exp(0.5 * (np.log(GRAVITY) + LN10 * (log_mvir - log_rvir))),
            concentration=jnp.exp(LN10 * log_concentration),
            growth=mvir * LN10 * slope / (time * GYR_YR),
        )


class Pandya26Hermite(AbstractHaloInterpolation):
    """The interpolation of Pandya et al. 2026, for comparison with its published solutions.

    Cubic Hermite in linear time with backward-difference slopes; dM/dt is a curve of its own, so it is not the
    derivative of the mass.  Redshift is a C2 spline through 100 points over 0 <= z <= 10, constant outside.
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
        values = jnp.stack([curves.log_mvir, curves.log_concentration, log_rvir, curves.log_growth], axis=1)
        return HaloTables(clock, cubic_table(time, values, self.slopes(time, values)))

    def sample(self, tables: HaloTables, time: Float[Array, ""]) -> tuple[Float[Array, ""], ...]:
        (redshift,), _ = tables.clock(jnp.clip(time, tables.clock.knots[0], tables.clock.knots[-1]))
        values, _ = tables.curves(time)
        return (redshift, *values)

    def halo(self, time: Float[Array, ""], sample: tuple[Float[Array, ""], ...]) -> Halo:
        redshift, *logs = sample
        mvir, concentration, rvir, growth = (jnp.exp(LN10 * value) for value in logs)
        return Halo(time, redshift, mvir, rvir, circular_velocity(mvir, rvir), concentration, growth)
