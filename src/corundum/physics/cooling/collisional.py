"""Radiative cooling functions of gas in collisional ionisation equilibrium.

A cooling function Lambda(T, Z) [erg cm^3/s] gives the power that a plasma radiates per volume and per product of two
densities; `corundum.physics.cooling.densities` says which product.
"""

import abc
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from ...annotations import Array
from ...parameters import parameter
from ...units import LN10
from .tables import bracket, read_csv, uniform_cell

__all__ = ["AbstractCooling", "AbstractNetCooling", "SutherlandDopita93", "SutherlandDopita93Bilinear"]

_TEMPERATURE_STEP, _METALLICITY_STEP = 0.05, 0.5
_LOG_METALLICITY = (-3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5)  # columns of the table after the primordial one


def _read_sutherland_dopita():
    """log10 T, log10 Z/Zsun and log10 Lambda of the table, without its primordial column."""
    table = read_csv("cooling", "sutherland_dopita93_cie.csv")
    return table[:, 0], np.array(_LOG_METALLICITY), table[:, 2:]


class AbstractCooling(eqx.Module):
    """A cooling function of temperature and metallicity, the same at any density and redshift.

    Attributes
    ----------
    per : str
        The density product that Lambda is given per.
    can_heat : bool
        Whether `net` may be negative.
    depends_on_density : bool
        Whether `net` depends on density.

    Examples
    --------
    >>> class Bremsstrahlung(co.physics.AbstractCooling):
    ...     def __call__(self, log_temperature, log_metallicity):
    ...         return 2e-27 * jnp.sqrt(10.0**log_temperature) * jnp.ones_like(log_metallicity)
    >>> model = co.models.ThermalCGM(cooling=Bremsstrahlung())
    >>> print(f"{float(model.cooling(7.0, -1.0)):.1e}")
    6.3e-24
    """

    per: ClassVar[str] = "n_e n_i"
    can_heat: ClassVar[bool] = False
    depends_on_density: ClassVar[bool] = False

    @abc.abstractmethod
    def __call__(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Lambda [erg cm^3/s] at log10 T [K] and log10 Z/Zsun."""

    def net(
        self,
        log_temperature: Float[Array, "..."],
        log_metallicity: Float[Array, "..."],
        log_density: Float[Array, "..."],
        redshift: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        """Cooling minus heating [erg cm^3/s]; the arguments are those of `AbstractNetCooling.net`."""
        return self(log_temperature, log_metallicity)


class AbstractNetCooling(eqx.Module):
    """Cooling minus heating of gas in a radiation background, per n_H^2; negative where the gas is heated.

    Attributes
    ----------
    per : str
        The density product that the rate is given per.
    can_heat : bool
        Whether `net` may be negative.
    depends_on_density : bool
        Whether `net` depends on density.

    Examples
    --------
    >>> class HeatedBelow(co.physics.AbstractNetCooling):
    ...     def net(self, log_temperature, log_metallicity, log_density, redshift):
    ...         return 1e-23 * (log_temperature - 4.0)
    >>> bool(HeatedBelow().net(3.5, -1.0, -3.0, 0.0) < 0.0)
    True
    """

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
        """Cooling minus heating [erg cm^3/s].

        Parameters
        ----------
        log_temperature : array
            log10 T [K].
        log_metallicity : array
            log10 Z/Zsun.
        log_density : array
            log10 of the total particle density [cm^-3].
        redshift : array
        """


class SutherlandDopita93(AbstractCooling):
    """Sutherland & Dopita 1993 in collisional ionisation equilibrium, as a surface with continuous second derivatives.

    Bicubic in (log10 T, log10 Z/Zsun) through the published values of log10 Lambda.  Above log10 T = 8.5 and above
    log10 Z/Zsun = 0.5 the surface follows its tangent; below log10 Z/Zsun = -3 it is constant, because metals no longer
    matter there.  Below 10^4 K gas is neutral and does not cool: Lambda falls smoothly to exactly zero over 0.1 dex in
    temperature.

    Parameters
    ----------
    floor : float
        log10 T [K] below which cooling shuts off.
    floor_width : float
        Width [dex] in temperature over which it shuts off.

    Examples
    --------
    >>> cooling = co.physics.SutherlandDopita93()
    >>> round(float(jnp.log10(cooling(6.0, -1.0))), 2)
    -22.59
    >>> float(cooling(3.8, -1.0))  # below 10^4 K nothing cools
    0.0
    """

    coefficients: Float[Array, "cells_t cells_z 4 4"]
    floor: Float[Array, ""] = parameter(
        4.0,
        unit="dex(K)",
        meaning="log10 T below which cooling shuts off",
        source="edge of the table",
        bounds=(4.0, 4.5),
    )
    floor_width: Float[Array, ""] = parameter(
        0.1, unit="dex", meaning="width in log10 T over which it shuts off", source="choice", bounds=(0.01, 0.5)
    )

    def __init__(self, floor=4.0, floor_width=0.1):
        self.coefficients = jnp.asarray(_bicubic_coefficients(_uniform_table()))
        self.floor = floor
        self.floor_width = floor_width

    def __call__(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        cells = self.coefficients.shape
        i, u, beyond_t = uniform_cell((log_temperature - 4.0) / _TEMPERATURE_STEP, cells[0])
        j, v, beyond_z = uniform_cell((log_metallicity + 3.0) / _METALLICITY_STEP, cells[1])
        c = self.coefficients[i, j]
        rows = c[..., 0] + v[..., None] * (c[..., 1] + v[..., None] * (c[..., 2] + v[..., None] * c[..., 3]))
        along_z = c[..., 1] + v[..., None] * (2.0 * c[..., 2] + 3.0 * v[..., None] * c[..., 3])
        value, slope_t = _cubic(rows, u)
        slope_z, _ = _cubic(along_z, u)
        log_lambda = value + slope_t * beyond_t + slope_z * jnp.maximum(beyond_z, 0.0)
        s = jnp.clip((log_temperature - self.floor) / self.floor_width + 1.0, 0.0, 1.0)
        return jnp.exp(LN10 * log_lambda) * s**3 * (10.0 + s * (6.0 * s - 15.0))


def _cubic(c, x):
    """Value and slope of the cubic with coefficients on the last axis."""
    value = c[..., 0] + x * (c[..., 1] + x * (c[..., 2] + x * c[..., 3]))
    return value, c[..., 1] + x * (2.0 * c[..., 2] + 3.0 * x * c[..., 3])


def _uniform_table():
    """log10 Lambda on uniform steps: splines fill the gaps of the published grid (log10 T = 4.05, log10 Z = -2.5)."""
    log_t, log_z, log_lambda = _read_sutherland_dopita()
    log_lambda = CubicSpline(log_t, log_lambda, axis=0)(np.linspace(4.0, 8.5, 91))
    return CubicSpline(log_z, log_lambda, axis=1)(np.linspace(-3.0, 0.5, 8))


def _bicubic_coefficients(values):
    """Coefficients of the twice differentiable surface through `values`, axes (T, Z, power T, power Z), per cell."""
    x, y = np.arange(values.shape[0]), np.arange(values.shape[1])
    in_t = CubicSpline(x, values, axis=0).c[::-1]  # (power T, cells T, Z)
    in_t_and_z = CubicSpline(y, in_t, axis=2).c[::-1]  # (power Z, cells Z, power T, cells T)
    return np.transpose(in_t_and_z, (3, 1, 2, 0))


class SutherlandDopita93Bilinear(AbstractCooling):
    """The same table as Pandya et al. 2026 reads it: bilinear in log10 Lambda, extrapolated beyond every edge.

    Below 10^4 K the extrapolation falls by 5 to 13 dex per dex in temperature.

    Examples
    --------
    >>> cooling = co.physics.SutherlandDopita93Bilinear()
    >>> round(float(jnp.log10(cooling(6.0, -1.0))), 2)
    -22.59
    >>> round(float(jnp.log10(cooling(3.8, -1.0))), 1)
    -24.4
    """

    log_temperature: Float[Array, " t"]
    log_metallicity: Float[Array, " z"]
    log_lambda: Float[Array, "t z"]

    def __init__(self):
        self.log_temperature, self.log_metallicity, self.log_lambda = map(jnp.asarray, _read_sutherland_dopita())

    def __call__(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        i, u = bracket(self.log_temperature, log_temperature)
        j, v = bracket(self.log_metallicity, log_metallicity)
        low = (1.0 - v) * self.log_lambda[i, j] + v * self.log_lambda[i, j + 1]
        high = (1.0 - v) * self.log_lambda[i + 1, j] + v * self.log_lambda[i + 1, j + 1]
        return jnp.exp(LN10 * ((1.0 - u) * low + u * high))
