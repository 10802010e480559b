"""How fast stars and their winds can empty the interstellar medium."""

import abc

import equinox as eqx
from jaxtyping import Float

from ...annotations import Array
from ...numerics.limiters import AbstractMinimum, SmoothMinimum
from ...parameters import parameter
from ...printing import Component

__all__ = ["AbstractEmptying", "GradualEmptying", "UnlimitedEmptying"]


class AbstractEmptying(Component):
    """A factor on star formation, and therefore on winds and new metals.

    Examples
    --------
    >>> class HalfEverywhere(co.physics.AbstractEmptying):
    ...     def __call__(self, rate):
    ...         return 0.5
    >>> model = co.models.ThermalCGM(emptying=HalfEverywhere())
    """

    @abc.abstractmethod
    def __call__(self, rate: Float[Array, "..."]) -> Float[Array, "..."] | float:
        """Factor between 0 and 1.

        Parameters
        ----------
        rate : array
            (1 - f_rec + eta_M) / t_dep > 0 [1/Gyr], the rate at which stars and winds would empty the ISM.
        """


class GradualEmptying(AbstractEmptying):
    """Star formation slows where it would lock up and blow away the whole ISM within the lives of massive stars.

    Laws of mass loading are power laws without an upper limit.  At high redshift, in the corners of their priors, they
    exceed 10^4 and would empty the ISM in thousands of years, before the first of its stars explodes.  The factor holds
    (1 - f_rec + eta_M) / t_dep below one over `shortest_time`.  Where gas falls in, stars still form at the rate that
    balances it; the ISM then only holds more gas.

    Parameters
    ----------
    shortest_time : float
        Shortest time in which stars and winds empty the ISM [Gyr].
    minimum : AbstractMinimum
        How the rate is limited: smoothly by default.

    Examples
    --------
    >>> emptying = co.physics.GradualEmptying()
    >>> [round(float(emptying(rate)), 3) for rate in (1.0, 100.0, 10000.0)]  # [1/Gyr]
    [1.0, 0.841, 0.01]
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
    """No limit: the factor is 1, as published.

    Examples
    --------
    >>> co.physics.UnlimitedEmptying()(1e4)
    1.0
    """

    def __call__(self, rate: Float[Array, "..."]) -> float:
        return 1.0
