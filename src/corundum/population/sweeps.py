"""Populations for several values of one parameter, solved together."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..array_library import is_traced
from ..halos import HaloHistories
from ..models import AbstractModel
from ..numerics.compiling import compiled
from ..numerics.solvers.base import AbstractSolver
from ..parameters import describe, get_values, replace
from ..plain_numbers import plain_numbers
from .evolution import evolve
from .galaxies import Galaxies, Population
from .text import counted, numbers

__all__ = ["Sweep", "sweep"]


class Sweep(NamedTuple):
    """Populations of the same halos for V values of one parameter.

    Attributes
    ----------
    name : str
        The parameter.
    unit : str
    values : array, shape (V,)
    populations : tuple of Population, one for each value

    Examples
    --------
    >>> swept = co.sweep(co.models.MinimalRegulator(), "mass_loading.constant", [0.5, 2.0], halos)
    >>> swept
    Sweep(mass_loading.constant at 0.5, 2; 8 halos at z = 0)
    >>> medians = [float(jnp.nanmedian(galaxies["mstar"])) for galaxies in swept.at(0.0)]
    >>> medians[0] > medians[1]  # stronger winds, fewer stars
    True
    """

    name: str
    unit: str
    values: Float[Array, " v"]
    populations: tuple[Population, ...]

    def __repr__(self) -> str:
        first = self.populations[0]
        unit = "" if self.unit in ("1", "none") else f" {self.unit}"
        halos = counted(len(first), "halo", "halos")
        return f"Sweep({self.name} at {numbers(self.values)}{unit}; {halos} at z = {numbers(first.redshifts)})"

    def at(self, redshift: float) -> tuple[Galaxies, ...]:
        """The galaxies at one of the output redshifts, for each value of the parameter."""
        return tuple(population.at(redshift) for population in self.populations)

    def to_xarray(self) -> Any:
        """An `xarray.Dataset` over the parameter, under its own name, and over ``halo`` and ``redshift``."""
        datasets = [population.to_xarray() for population in self.populations]
        import xarray  # to_xarray of the populations has said so where it is missing

        values = xarray.DataArray(np.asarray(self.values), dims=self.name, attrs={"units": self.unit}, name=self.name)
        return xarray.concat(datasets, values)


def sweep(
    model: AbstractModel,
    name: str,
    values: Sequence[float] | Float[Array, " v"],
    halos: HaloHistories,
    redshifts: float | Sequence[float] = (0.0,),
    *,
    keep: str | Sequence[str] | None = None,
    histories: str | Sequence[str] = (),
    solver: AbstractSolver | None = None,
) -> Sweep:
    """Evolve galaxies in the same halos for several values of one parameter, as one list of work.

    One program is compiled for all values, and `jax.vmap` makes one list of all halos and values, in which no galaxy
    waits for a slower one.

    Parameters
    ----------
    model : AbstractModel
    name : str
        A parameter of the model, such as ``"energy_loading.amplitude"``; `corundum.describe` lists them.
    values : sequence of float
        Values of the parameter, in its unit.
    halos : HaloHistories
    redshifts : sequence of float
        Output redshifts.
    keep, histories, solver
        As for `corundum.evolve`.

    Raises
    ------
    ValueError
        There is no such parameter, no value is given, or a redshift lies outside the histories.

    Examples
    --------
    >>> loadings = [0.5, 1.0, 2.0]
    >>> swept = co.sweep(co.models.MinimalRegulator(), "mass_loading.constant", loadings, halos)
    >>> swept.to_xarray()["mstar"].sizes["mass_loading.constant"]
    3
    """
    get_values(model, [name])  # the error for an unknown name lists those that exist
    unit = describe(model)[name].unit
    values = np.atleast_1d(np.asarray(plain_numbers(name, values, unit), np.float64))
    if values.ndim != 1 or not len(values):
        raise ValueError(f"values: got shape {values.shape}; give a list with at least one value of {name}")
    outputs = np.atleast_1d(np.asarray(plain_numbers("redshifts", redshifts), np.float64))
    shared = (tuple(outputs.tolist()), _names(keep), _names(histories) or ())
    stacked = _swept(model, halos, jnp.asarray(values), name, solver, *shared)
    stacked = stacked if is_traced(stacked) else jax.device_get(stacked)
    populations = [jax.tree.map(lambda leaf, i=i: leaf[i], stacked) for i in range(len(values))]
    return Sweep(name, unit, values, tuple(eqx.tree_at(lambda p: p.redshifts, p, outputs) for p in populations))


def _names(names):
    return names if names is None else (names,) if isinstance(names, str) else tuple(names)


@compiled
def _swept(model, halos, values, name, solver, redshifts, keep, histories):
    def population(value):
        changed = replace(model, {name: value})
        return evolve(changed, halos, redshifts, keep=keep, histories=histories, solver=solver)

    return jax.vmap(population)(values)
