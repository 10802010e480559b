"""How fast stars and their winds can empty an interstellar medium."""

import abc

import equinox as eqx
from jaxtyping import Array, Float

from ...numerics.limiters import AbstractMinimum, SmoothMinimum
from ...parameters import parameter

__all__ = ["AbstractEmptying", "GradualEmptying", "UnlimitedEmptying"]


class AbstractEmptying(eqx.Module):
    """A factor on star formation, and so on winds and new metals."""

    @abc.abstractmethod
    def __call__(self, rate: Float[Array, "..."]) -> Float[Array, "..."] | float:
        """Between 0 and 1, for the rate > 0 at which stars and winds would empty the ISM [1/Gyr]."""


class GradualEmptying(AbstractEmptying):
    """Star formation slows where it would lock up and blow away the whole ISM within the lives of massive stars.

    Laws of mass loading are powers without an end.  At high redshift, in the corners of their priors, they pass 10^4
    and would empty the ISM in thousands of years, before the first of its stars explodes.  The limit holds
    (1 - f_rec + eta_M) / t_dep below one over `shortest_time`.  Where gas falls in, stars still form at the rate that
    balances it: only the gas that waits meanwhile is more.
    """

    shortest_time: Float[Array, ""] = parameter(
        0.01,
        unit="Gyr",
        meaning="shortest time in which stars and winds empty the ISM",
        source="choice: between the lives of the most and the least massive stars that explode, 3 to 40 Myr",
        bounds=(0.004, 0.04),
        scale="log10",
    )
    minimum: AbstractMinimum = eqx.field(default_factory=SmoothMinimum)

    def __call__(self, rate: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.minimum(rate, 1.0 / self.shortest_time) / rate


class UnlimitedEmptying(AbstractEmptying):
    """No limit, as published."""

    def __call__(self, rate: Float[Array, "..."]) -> float:
        return 1.0
