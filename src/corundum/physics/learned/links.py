"""How a departure acts on the value of a law: it shifts the logarithm of the value, or that of the odds of a fraction.

A departure is counted in dex.  A departure of zero leaves every bit of the value as it is.
"""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...printing import Component
from ...units import LN10
from ..gas.prevention import AbstractPrevention, EnergyDrivenPrevention
from ..stars.enrichment import InflowMetallicity
from ..stars.onset import AbstractOnset
from ..winds.fire2 import Fire2InflowMetallicity, Fire2ThermalAccretion, Fire2ThermalWind

__all__ = ["AbstractLink", "LogLink", "LogitLink", "usual_link"]


class AbstractLink(Component):
    """How a departure acts.

    Examples
    --------
    >>> class Doubling(co.physics.AbstractLink):
    ...     def __call__(self, base, departure):
    ...         return base * 2.0**departure
    >>> law = co.physics.spline_law("log_vvir", base=co.physics.MassLoading(), knots=(1.5, 2.5), link=Doubling())
    """

    @abc.abstractmethod
    def __call__(self, base: Float[Array, "..."], departure: Float[Array, "..."]) -> Float[Array, "..."]:
        """The value, from that of the base law and a departure [dex]."""


class LogLink(AbstractLink):
    """The base times 10^departure: positive numbers stay positive.

    Examples
    --------
    >>> round(float(co.physics.LogLink()(0.5, 1.0)), 12)
    5.0
    """

    def __call__(self, base: Float[Array, "..."], departure: Float[Array, "..."]) -> Float[Array, "..."]:
        return base * jnp.exp(LN10 * departure)


class LogitLink(AbstractLink):
    """The odds f/(1-f) of the base times 10^departure: fractions stay between 0 and 1.

    Examples
    --------
    >>> round(11.0 * float(co.physics.LogitLink()(0.5, 1.0)), 12)
    10.0
    """

    def __call__(self, base: Float[Array, "..."], departure: Float[Array, "..."]) -> Float[Array, "..."]:
        gain = jnp.expm1(LN10 * departure)
        return base + base * (1.0 - base) * gain / (1.0 + base * gain)


_METALLICITIES = (InflowMetallicity, Fire2InflowMetallicity)
_FRACTIONS = (
    AbstractPrevention, EnergyDrivenPrevention, AbstractOnset, Fire2ThermalAccretion, Fire2ThermalWind, *_METALLICITIES
)  # fmt: skip


def usual_link(base: Any) -> AbstractLink:
    """The link for a base law: `LogitLink` for fractions, such as preventions and onsets, `LogLink` for others.

    Examples
    --------
    >>> usual_link(co.physics.LogisticPrevention()), usual_link(co.physics.MassLoading())
    (LogitLink(), LogLink())
    """
    return LogitLink() if isinstance(base, _FRACTIONS) else LogLink()
