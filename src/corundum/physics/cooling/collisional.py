"""Radiative cooling functions and the density convention they are multiplied by.

A cooling function Lambda(T, Z) [erg cm^3 / s] is tabulated per some product of densities.  Sutherland & Dopita 1993
(ApJS 88, 253) normalise by n_e n_i, electrons times ions, and a model that knows the total particle density n_tot must
convert: that is the density convention, a component of its own so that it can never be implicit.
"""

import abc
from importlib import resources
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import CubicSpline

from ...parameters import parameter
from ...units import LN10

__all__ = [
    "AbstractCooling",
    "AbstractNetCooling",
    "SutherlandDopita93",
    "SutherlandDopita93Bilinear",
    "AbstractDensityConvention",
    "ElectronIonDensities",
    "HydrogenDensitySquared",
    "TotalDensitySquared",
]

_TEMPERATURE_STEP, _METALLICITY_STEP = 0.05, 0.5


def _read_table():
    """(lg T, lg Z/Zsun, lg Lambda) in collisional ionisation equilibrium, without the primordial column."""
    path = resources.files("corundum.data") / "cooling" / "sutherland_dopita93_cie.csv"
    with path.open() as lines:
        table = np.array([[float(x) for x in line.split(",")] for line in lines if line[0] not in "#l"])
    return table[:, 0], np.array([-3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5]), table[:, 2:]


class AbstractCooling(eqx.Module):
    """A cooling function of temperature and metallicity, the same at any density and redshift.

    Attributes
    ----------
    per : str
        The density product that Lambda is given per.
    """

    per: ClassVar[str] = "n_e n_i"
    can_heat: ClassVar[bool] = False
    depends_on_density: ClassVar[bool] = False

    @abc.abstractmethod
    def __call__(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Lambda [erg cm^3 / s] at lg T [K] and lg Z/Zsun."""

    def net(
        self,
        log_temperature: Float[Array, "..."],
        log_metallicity: Float[Array, "..."],
        log_density: Float[Array, "..."],
        redshift: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Cooling minus heating [erg cm^3 / s], at lg of the total particle density [cm^-3] and at a redshift."""
        return self(log_temperature, log_metallicity)


class AbstractNetCooling(eqx.Module):
    """Cooling minus heating of gas in a radiation background, per n_H^2; negative where the gas is heated."""

    per: ClassVar[str] = "n_H^2"
    can_heat: ClassVar[bool] = True
    depends_on_density: ClassVar[bool] = True

    @abc.abstractmethod
    def net(
        self,
        log_temperature: Float[Array, "..."],
        log_metallicity: Float[Array, "..."],
        log_density: Float[Array, "..."],
        redshift: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Cooling minus heating [erg cm^3 / s] at lg T [K], lg Z/Zsun, lg of the total particle density [cm^-3]."""


class SutherlandDopita93(AbstractCooling):
    """Sutherland & Dopita 1993 in collisional ionisation equilibrium, as a C2 surface with stated edges.

    Bicubic in (lg T, lg Z) through the published values of lg Lambda.  Above lg T = 8.5 and above lg Z = 0.5 the
    surface follows its tangent; below lg Z = -3 it is constant (metals no longer matter).  Below 10^4 K gas is neutral
    and does not cool: Lambda falls smoothly to exactly zero over 0.1 dex in temperature.
    """

    coefficients: Float[Array, "cells_t cells_z 4 4"]
    floor: Float[Array, ""] = parameter(
        4.0,
        unit="dex(K)",
        meaning="lg T below which cooling shuts off",
        source="edge of the table",
        bounds=(4.0, 4.5),
    )
    floor_width: Float[Array, ""] = parameter(
        0.1, unit="dex", meaning="width in lg T over which it shuts off", source="choice", bounds=(0.01, 0.5)
    )

    def __init__(self, floor=4.0, floor_width=0.1):
        self.coefficients = jnp.asarray(_bicubic_coefficients(_uniform_table()))
        self.floor = floor
        self.floor_width = floor_width

    def __call__(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        cells = self.coefficients.shape
        i, u, beyond_t = _cell((log_temperature - 4.0) / _TEMPERATURE_STEP, cells[0])
        j, v, beyond_z = _cell((log_metallicity + 3.0) / _METALLICITY_STEP, cells[1])
        c = self.coefficients[i, j]
        rows = c[..., 0] + v[..., None] * (c[..., 1] + v[..., None] * (c[..., 2] + v[..., None] * c[..., 3]))
        along_z = c[..., 1] + v[..., None] * (2.0 * c[..., 2] + 3.0 * v[..., None] * c[..., 3])
        value, slope_t = _cubic(rows, u)
        slope_z, _ = _cubic(along_z, u)
        log_lambda = value + slope_t * beyond_t + slope_z * jnp.maximum(beyond_z, 0.0)
        s = jnp.clip((log_temperature - self.floor) / self.floor_width + 1.0, 0.0, 1.0)
        return jnp.exp(LN10 * log_lambda) * s**3 * (10.0 + s * (6.0 * s - 15.0))


def _cell(x, cells):
    """Index of the cell holding `x` in grid units, position in it, and the distance beyond the grid in grid units."""
    inside = jnp.clip(x, 0.0, float(cells))
    i = jnp.clip(jnp.floor(inside).astype(int), 0, cells - 1)
    return i, inside - i, x - inside


def _cubic(c, x):
    """Value and slope of the cubic with coefficients on the last axis."""
    value = c[..., 0] + x * (c[..., 1] + x * (c[..., 2] + x * c[..., 3]))
    return value, c[..., 1] + x * (2.0 * c[..., 2] + 3.0 * x * c[..., 3])


def _uniform_table():
    """lg Lambda on uniform steps: the two gaps of the published grid (lg T = 4.05, lg Z = -2.5) are splined over."""
    log_t, log_z, log_lambda = _read_table()
    log_lambda = CubicSpline(log_t, log_lambda, axis=0)(np.linspace(4.0, 8.5, 91))
    return CubicSpline(log_z, log_lambda, axis=1)(np.linspace(-3.0, 0.5, 8))


def _bicubic_coefficients(values):
    """Coefficients of the C2 surface through `values`, in units of the cell: axes (T, Z, power T, power Z)."""
    x, y = np.arange(values.shape[0]), np.arange(values.shape[1])
    in_t = CubicSpline(x, values, axis=0).c[::-1]  # (power T, cells T, Z)
    in_both = CubicSpline(y, in_t, axis=2).c[::-1]  # (power Z, cells Z, power T, cells T)
    return np.transpose(in_both, (3, 1, 2, 0))


class SutherlandDopita93Bilinear(AbstractCooling):
    """The same table as Pandya et al. 2026 reads it: bilinear in lg Lambda, extrapolated beyond every edge.

    Below 10^4 K the extrapolation falls by 5 to 13 dex per dex in temperature.
    """

    log_temperature: Float[Array, " t"]
    log_metallicity: Float[Array, " z"]
    log_lambda: Float[Array, "t z"]

    def __init__(self):
        self.log_temperature, self.log_metallicity, self.log_lambda = map(jnp.asarray, _read_table())

    def __call__(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        i, u = _bracket(self.log_temperature, log_temperature)
        j, v = _bracket(self.log_metallicity, log_metallicity)
        low = (1.0 - v) * self.log_lambda[i, j] + v * self.log_lambda[i, j + 1]
        high = (1.0 - v) * self.log_lambda[i + 1, j] + v * self.log_lambda[i + 1, j + 1]
        return jnp.exp(LN10 * ((1.0 - u) * low + u * high))


def _bracket(grid, x):
    i = jnp.clip(jnp.searchsorted(grid, x, side="right", method="compare_all") - 1, 0, len(grid) - 2)
    return i, (x - grid[i]) / (grid[i + 1] - grid[i])


class AbstractDensityConvention(eqx.Module):
    """The density product that multiplies Lambda, over the square of the total particle density.

    Attributes
    ----------
    product : str or None
        The product; None takes tables of any.
    """

    product: eqx.AbstractClassVar[str | None]

    @abc.abstractmethod
    def fraction(self) -> Float[Array, ""]:
        """Density product / n_tot^2."""


def _hydrogen_fraction():
    return parameter(
        0.76,
        unit="1",
        meaning="hydrogen mass fraction",
        source="primordial nucleosynthesis",
        bounds=(0.7, 0.8),
    )


class ElectronIonDensities(AbstractDensityConvention):
    """n_e n_i of fully ionised hydrogen and helium, the normalisation of Sutherland & Dopita 1993; about 0.25."""

    product: ClassVar[str | None] = "n_e n_i"

    hydrogen_fraction: Float[Array, ""] = _hydrogen_fraction()

    def fraction(self) -> Float[Array, ""]:
        helium = (1.0 - self.hydrogen_fraction) / (4.0 * self.hydrogen_fraction)
        electrons, ions = 1.0 + 2.0 * helium, 1.0 + helium
        return electrons * ions / (electrons + ions) ** 2


class HydrogenDensitySquared(AbstractDensityConvention):
    """n_H^2 of fully ionised hydrogen and helium, the normalisation of Wiersma et al. 2009; about 0.20."""

    product: ClassVar[str | None] = "n_H^2"

    hydrogen_fraction: Float[Array, ""] = _hydrogen_fraction()

    def fraction(self) -> Float[Array, ""]:
        helium = (1.0 - self.hydrogen_fraction) / (4.0 * self.hydrogen_fraction)
        return 1.0 / (2.0 + 3.0 * helium) ** 2


class TotalDensitySquared(AbstractDensityConvention):
    """n_tot^2, as in Pandya et al. 2023 and 2026: overestimates cooling about four- to fivefold."""

    product: ClassVar[str | None] = None

    def fraction(self) -> Float[Array, ""]:
        return jnp.ones(())
