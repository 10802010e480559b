"""Cooling functions that are smooth surfaces through a table and end at its coldest row.

The table begins at 10^4 K, where gas becomes neutral; below, the function falls smoothly to exactly zero.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...units import LN10
from .base import AbstractCooling
from .surface import surface_value

__all__ = ["AbstractCoolingSurface", "floor_field", "floor_width_field"]


def floor_field() -> Any:
    """Declare the temperature below which gas does not cool as a field of a cooling function."""
    return parameter(
        4.0,
        unit="dex(K)",
        meaning="log10 T below which cooling shuts off",
        source="edge of the table",
        bounds=(4.0, 4.5),
    )


def floor_width_field() -> Any:
    """Declare the width of that edge as a field of a cooling function."""
    return parameter(
        0.1,
        unit="dex",
        meaning="width in log10 T over which it shuts off",
        source="choice",
        bounds=(0.01, 0.5),
        allowed=NOT_NEGATIVE,
    )


class AbstractCoolingSurface(AbstractCooling):
    """A cooling function with the coefficients of a surface of log10 Lambda, and the edge below which it shuts off."""

    coefficients: eqx.AbstractVar[Float[Array, "cells_t cells_z 4 4"]]
    floor: eqx.AbstractVar[Float[Array, ""]]
    floor_width: eqx.AbstractVar[Float[Array, ""]]

    def __call__(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        log_lambda = surface_value(self.coefficients, log_temperature, log_metallicity)
        return _shut_off(jnp.exp(LN10 * log_lambda), log_temperature, self.floor, self.floor_width)


def _shut_off(
    rate: Float[Array, "..."], log_temperature: Float[Array, "..."], floor: Float[Array, ""], width: Float[Array, ""]
) -> Float[Array, "..."]:
    """`rate` above `floor`, zero below `floor` - `width` [dex], with continuous second derivatives between."""
    s = jnp.clip((log_temperature - floor) / width + 1.0, 0.0, 1.0)
    return rate * s**3 * (10.0 + s * (6.0 * s - 15.0))
