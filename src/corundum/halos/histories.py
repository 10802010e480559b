"""Halo growth histories: what every halo source makes and every model consumes.

A `HaloHistories` holds the virial mass and the concentration of N halos on one grid of cosmic times, when each halo
starts, and how many halos of the universe each stands for.  Virial radius, virial velocity and growth rate follow
from them (see `corundum.halos.interpolation`).
"""

import dataclasses
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..cosmology import Cosmology, pandya26_cosmology
from ..parameters import require_float64
from .interpolation import AbstractHaloInterpolation, Halo, HaloCurves, HaloTables, SplineInLogTime
from .mergers import Mergers

__all__ = ["HaloHistories"]


class HaloHistories(eqx.Module):
    """Growth histories of N halos on T shared times; a pytree of float64 arrays.

    Parameters
    ----------
    time : array, shape (T,)
        Cosmic age [Gyr], strictly increasing, at least two.
    log_mvir : array, shape (N, T)
        log10 of virial mass [Msun].  Times before a halo's start hold a smooth extension, never zeros.
    log_concentration : array, shape (N, T)
        log10 of NFW concentration.
    start : array, shape (N,), optional
        Cosmic age [Gyr] at which each halo starts; default the first time.
    weights : array, shape (N,), optional
        Number of halos (or number density) each one stands for; default 1.
    log_rvir : array, shape (N, T), optional
        log10 of virial radius [proper kpc]; default Bryan & Norman 1998 in `cosmology`.
    log_growth : array, shape (N, T), optional
        log10 of dMvir/dt [Msun/yr]; only `Pandya26Hermite` reads it.
    mergers : Mergers, optional
        Progenitors that merged onto each main branch, where the source knows them.
    separation : array, shape (N,), optional
        Distance from a heavier halo at the last time, in virial radii of that halo, the smallest of all; infinite where
        none is near (see `corundum.halos.neighbours`), NaN where not known.
    cosmology : Cosmology, optional
        Default `pandya26_cosmology()`.
    interpolation : AbstractHaloInterpolation, optional
        Default `SplineInLogTime()`.
    provenance : mapping of str to str, optional
        Where the histories come from and what was done to them, in words.

    Raises
    ------
    ValueError
        Shapes disagree, times do not increase, a value is not finite, a start lies outside the grid.
    """

    time: Float[Array, " t"]
    log_mvir: Float[Array, "n t"]
    log_concentration: Float[Array, "n t"]
    start: Float[Array, " n"]
    weights: Float[Array, " n"]
    log_rvir: Float[Array, "n t"] | None
    log_growth: Float[Array, "n t"] | None
    mergers: Mergers | None
    separation: Float[Array, " n"] | None
    cosmology: Cosmology
    interpolation: AbstractHaloInterpolation
    provenance: tuple[tuple[str, str], ...] = eqx.field(static=True)

    def __init__(
        self,
        time,
        log_mvir,
        log_concentration,
        *,
        start=None,
        weights=None,
        log_rvir=None,
        log_growth=None,
        mergers: Mergers | None = None,
        separation=None,
        cosmology: Cosmology | None = None,
        interpolation: AbstractHaloInterpolation | None = None,
        provenance: Mapping[str, str] | tuple = (),
    ):
        require_float64()
        self.time = jnp.asarray(time, jnp.float64)
        self.log_mvir = jnp.asarray(log_mvir, jnp.float64)
        self.log_concentration = jnp.asarray(log_concentration, jnp.float64)
        halos = self.log_mvir.shape[0] if self.log_mvir.ndim else 0
        self.start = jnp.full(halos, self.time[0]) if start is None else jnp.asarray(start, jnp.float64)
        self.weights = jnp.ones(halos) if weights is None else jnp.asarray(weights, jnp.float64)
        self.log_rvir = None if log_rvir is None else jnp.asarray(log_rvir, jnp.float64)
        self.log_growth = None if log_growth is None else jnp.asarray(log_growth, jnp.float64)
        self.mergers = mergers
        self.separation = None if separation is None else jnp.asarray(separation, jnp.float64)
        self.cosmology = pandya26_cosmology() if cosmology is None else cosmology
        self.interpolation = (
            SplineInLogTime(uniform=_log_uniform(self.time)) if interpolation is None else interpolation
        )
        self.provenance = tuple(dict(provenance).items())

    def __check_init__(self):
        grid = self.time.shape
        if len(grid) != 1 or grid[0] < 2:
            raise ValueError(f"time: got shape {grid}; a history needs a list of at least two times [Gyr]")
        shape = (self.log_mvir.shape[0] if self.log_mvir.ndim else 0, grid[0])
        for name in ("log_mvir", "log_concentration", "log_rvir", "log_growth"):
            value = getattr(self, name)
            if value is not None and value.shape != shape:
                raise ValueError(f"{name}: got shape {value.shape}; expected (halos, times) = {shape}")
        for name in ("start", "weights", "separation"):
            value = getattr(self, name)
            if value is not None and value.shape != shape[:1]:
                raise ValueError(f"{name}: got shape {value.shape}; expected one per halo, {shape[:1]}")
        if self.mergers is not None and len(self.mergers) != shape[0]:
            raise ValueError(f"mergers: got {len(self.mergers)} rows; expected one per halo, {shape[0]}")
        if not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(self)):
            self._check_values()

    def _check_values(self):
        time = np.asarray(self.time)
        if not (np.all(np.isfinite(time)) and np.all(np.diff(time) > 0) and time[0] > 0):
            raise ValueError("time: cosmic ages must be positive, finite and strictly increasing [Gyr]")
        for name in ("log_mvir", "log_concentration", "log_rvir", "log_growth", "weights"):
            value = getattr(self, name)
            if value is not None and not np.all(np.isfinite(value)):
                row = int(np.flatnonzero(~np.isfinite(np.asarray(value).reshape(len(self), -1)).all(axis=1))[0])
                raise ValueError(f"{name}: halo {row} has a value that is not finite; remove or repair that halo")
        start = np.asarray(self.start)
        inside = (start >= time[0] * (1 - 1e-12)) & (start < time[-1])
        if not np.all(inside):
            row = int(np.flatnonzero(~inside)[0])
            raise ValueError(
                f"start: halo {row} starts at {start[row]:.6g} Gyr, outside the grid {time[0]:.6g}-{time[-1]:.6g} Gyr"
            )

    def __len__(self) -> int:
        return self.log_mvir.shape[0]

    def __getitem__(self, index) -> "HaloHistories":
        """Some of the halos: an integer, a slice, an index array or a boolean mask."""
        rows = np.asarray(index) if isinstance(index, list) else index
        if isinstance(index, int | np.integer):
            if not -len(self) <= index < len(self):
                raise IndexError(f"halo {index}: there are {len(self)} halos")
            rows = slice(index, index + 1 or None)
        per_halo = ("log_mvir", "log_concentration", "start", "weights", "log_rvir", "log_growth")
        per_halo += ("mergers", "separation")
        chosen = {name: getattr(self, name) for name in per_halo}
        return dataclasses.replace(
            self, **{name: None if value is None else value[rows] for name, value in chosen.items()}
        )

    @property
    def redshift(self) -> Float[Array, " t"]:
        """Redshift of each time."""
        return self.cosmology.redshift(self.time)

    @property
    def span(self) -> str:
        """The redshifts that these histories cover, in words."""
        first, last = np.asarray(self.cosmology.redshift(self.time[np.array([0, -1])]))
        return f"{max(0.0, round(float(last), 9)):.4g} <= z <= {float(first):.4g}"

    @property
    def curves(self) -> HaloCurves:
        """The curves to interpolate."""
        return HaloCurves(self.log_mvir, self.log_concentration, self.log_rvir, self.log_growth)

    def tables(self) -> HaloTables:
        """The interpolants of all halos."""
        return _tables(self.interpolation, self.time, self.curves, self.cosmology)

    def along(self, time: Float[Array, " s"]) -> Halo:
        """All halos at many cosmic times [Gyr]: a `Halo` of arrays of shape (N, S)."""
        # Without the provenance, which is part of the structure: other words must not compile anew.
        parts = (self.interpolation, self.cosmology, self.time, self.curves)
        return _along(*parts, jnp.asarray(time, jnp.float64))

    def at(self, *, redshift=None, time=None) -> Halo:
        """All halos at one redshift or one cosmic time [Gyr]: a `Halo` of arrays of shape (N,)."""
        if (redshift is None) == (time is None):
            raise ValueError("HaloHistories.at: give either redshift=... or time=... [Gyr], not both")
        when = jnp.asarray(redshift if time is None else time, jnp.float64)
        when = _age(self.cosmology, when) if time is None else when
        return jax.tree.map(lambda values: values[:, 0], self.along(when[None]))


def _log_uniform(time):
    """Whether known times are equally spaced in their logarithm."""
    if isinstance(time, jax.core.Tracer) or time.ndim != 1 or len(time) < 2:
        return False
    with np.errstate(all="ignore"):  # times are checked later
        steps = np.diff(np.log(np.asarray(time)))
    return bool(np.ptp(steps) < 1e-9 * steps.mean())


@eqx.filter_jit
def _age(cosmology, redshift):
    return cosmology.age(redshift)


@eqx.filter_jit
def _tables(interpolation, time, curves, cosmology):
    return interpolation.tables(time, curves, cosmology)


@eqx.filter_jit
def _along(interpolation, cosmology, knots, curves, time):
    read = jax.vmap(interpolation.read, in_axes=(None, 0))
    tables = interpolation.tables(knots, curves, cosmology)
    return jax.vmap(read, in_axes=(HaloTables.HALO_AXIS, None))(tables, time)
