"""The table of Sutherland & Dopita 1993 with an error that published models contain.

A widely copied version of the table has every column but the last one row, 0.05 dex in temperature, too hot, and at
10^4 K a value of another column in the last.  Pandya et al. 2023 and 2026 are reproduced with it; use
`corundum.physics.SutherlandDopita93` for everything else.  At solar metallicity the error in Lambda is -0.47 dex at
10^4.1 K, -0.15 dex at 10^4.2 K and 0.22 dex at 10^5.5 K.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...units import LN10, SOLAR_METALLICITY
from .base import AbstractCooling, solar_field
from .cooling_surface import AbstractCoolingSurface, floor_field, floor_width_field
from .surface import METALLICITIES, surface_coefficients
from .tables import bracket, read_csv

__all__ = ["ShiftedSutherlandDopita93", "ShiftedSutherlandDopita93Bilinear"]

_SOLAR_SOURCE = "as used by Pandya et al. 2023 and 2026"


def _read_shifted() -> tuple[np.ndarray, np.ndarray]:
    """log10 T and log10 Lambda of the shifted table, without its primordial column."""
    table = read_csv("cooling", "sutherland_dopita93_shifted.csv")
    return table[:, 0], table[:, 2:]


class ShiftedSutherlandDopita93(AbstractCoolingSurface):
    """The shifted table as a surface with continuous second derivatives, otherwise like `SutherlandDopita93`.

    Parameters
    ----------
    floor : float
        log10 T [K] below which cooling shuts off.
    floor_width : float
        Width [dex] in temperature over which it shuts off.
    solar_metallicity : float
        Metal mass fraction that the table calls solar.

    Examples
    --------
    Too faint at 10^4.2 K and too bright at 10^5.5 K [dex]:

    >>> shifted, right = co.physics.ShiftedSutherlandDopita93(), co.physics.SutherlandDopita93()
    >>> [round(float(jnp.log10(shifted(log_t, 0.0) / right(log_t, 0.0))), 2) for log_t in (4.2, 5.5)]
    [-0.13, 0.22]
    """

    coefficients: Float[Array, "cells_t cells_z 4 4"]
    floor: Float[Array, ""] = floor_field()
    floor_width: Float[Array, ""] = floor_width_field()
    solar_metallicity: Float[Array, ""] = solar_field(SOLAR_METALLICITY, _SOLAR_SOURCE)

    def __init__(self, floor=4.0, floor_width=0.1, solar_metallicity=SOLAR_METALLICITY):
        self.coefficients = jnp.asarray(surface_coefficients(*_read_shifted()))
        self.floor = floor
        self.floor_width = floor_width
        self.solar_metallicity = solar_metallicity


class ShiftedSutherlandDopita93Bilinear(AbstractCooling):
    """The shifted table as Pandya et al. 2026 read it: bilinear in log10 Lambda, extrapolated beyond every edge.

    Below 10^4 K the extrapolation falls by 5 to 13 dex per dex in temperature.

    Parameters
    ----------
    solar_metallicity : float
        Metal mass fraction that the table calls solar.

    Examples
    --------
    >>> cooling = co.physics.ShiftedSutherlandDopita93Bilinear()
    >>> round(float(jnp.log10(cooling(6.0, -1.0))), 2)
    -22.59
    >>> round(float(jnp.log10(cooling(3.8, -1.0))), 1)
    -24.4
    """

    log_temperature: Float[Array, " t"]
    log_metallicities: Float[Array, " z"]
    log_lambda: Float[Array, "t z"]
    solar_metallicity: Float[Array, ""] = solar_field(SOLAR_METALLICITY, _SOLAR_SOURCE)

    def __init__(self, solar_metallicity=SOLAR_METALLICITY):
        self.log_temperature, self.log_lambda = jax.device_put(_read_shifted())
        self.log_metallicities = jax.device_put(np.array(METALLICITIES))
        self.solar_metallicity = solar_metallicity

    def __call__(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        i, u = bracket(self.log_temperature, log_temperature)
        j, v = bracket(self.log_metallicities, log_metallicity)
        low = (1.0 - v) * self.log_lambda[i, j] + v * self.log_lambda[i, j + 1]
        high = (1.0 - v) * self.log_lambda[i + 1, j] + v * self.log_lambda[i + 1, j + 1]
        return jnp.exp(LN10 * ((1.0 - u) * low + u * high))
