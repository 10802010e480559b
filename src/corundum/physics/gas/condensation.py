"""How fast CGM gas that cools reaches the interstellar medium, given its cooling and free-fall times."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...units import LN10
from ..galaxy import AbstractLaw, Galaxy

__all__ = [
    "AbstractCondensation",
    "CoolingRadiusCondensation",
    "HarmonicCondensation",
    "IsobaricCondensation",
    "PrecipitationThreshold",
    "SlowerTimeCondensation",
]

_ENTHALPY = 5.0 / 3.0  # enthalpy over thermal energy of a monatomic gas
_FALL_FROM_REST = 2.0**0.5  # sqrt(2 r / g) over r / V_c, for g = V_c^2 / r
_SLOWEST = 1e-100  # t_ff / t_cool where nothing cools: keeps its logarithm finite


class AbstractCondensation(AbstractLaw):
    """Condensation rate of the CGM.

    References
    ----------
    White & Frenk 1991, ApJ 379, 52 (cooling or free fall, whichever is slower).

    Examples
    --------
    >>> class CoolingTimeOnly(co.physics.AbstractCondensation):
    ...     def __call__(self, cooling_rate, t_ff):
    ...         return cooling_rate
    >>> float(CoolingTimeOnly()(2.0, 0.5))
    2.0
    """

    @abc.abstractmethod
    def __call__(self, cooling_rate: Float[Array, "..."], t_ff: Float[Array, "..."]) -> Float[Array, "..."]:
        """Fraction of the CGM that condenses per Gyr.

        Parameters
        ----------
        cooling_rate : array
            1/t_cool >= 0 [1/Gyr].
        t_ff : array
            Free-fall time [Gyr].
        """

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The fraction per Gyr for a galaxy whose ``cooling_rate`` and ``t_ff`` are known."""
        return self(galaxy.quantities["cooling_rate"], galaxy.quantities["t_ff"])


class HarmonicCondensation(AbstractCondensation):
    """1 / (t_cool + t_ff): gas first cools and then falls (Pandya et al. 2023).

    Examples
    --------
    >>> float(co.physics.HarmonicCondensation()(2.0, 0.5))  # t_cool = t_ff = 0.5 Gyr
    1.0
    """

    def __call__(self, cooling_rate: Float[Array, "..."], t_ff: Float[Array, "..."]) -> Float[Array, "..."]:
        return cooling_rate / (1.0 + cooling_rate * t_ff)


class SlowerTimeCondensation(AbstractCondensation):
    """1 / max(t_cool, t_ff), the classical sharp switch between rapid and slow cooling (White & Frenk 1991).

    Examples
    --------
    >>> float(co.physics.SlowerTimeCondensation()(2.0, 0.5))  # t_cool = t_ff = 0.5 Gyr
    2.0
    """

    def __call__(self, cooling_rate: Float[Array, "..."], t_ff: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.minimum(cooling_rate, 1.0 / t_ff)


class IsobaricCondensation(AbstractCondensation):
    """Another law for gas that cools at constant pressure: it gives up its enthalpy, 5/2 k T per particle.

    The cooling time of the models is thermal energy over radiated power, 3/2 k T per particle, so that condensation by
    it is too fast by up to 5/3 where gas cools slowly; where it falls freely, nothing changes.

    Parameters
    ----------
    law : AbstractCondensation
        Condensation with the longer cooling time.

    Examples
    --------
    >>> round(float(co.physics.IsobaricCondensation()(0.01, 0.5)), 5)  # of 100 Gyr, 167 Gyr
    0.00598
    """

    law: AbstractCondensation = eqx.field(default_factory=HarmonicCondensation)

    def __call__(self, cooling_rate: Float[Array, "..."], t_ff: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.law(cooling_rate / _ENTHALPY, t_ff)


class CoolingRadiusCondensation(AbstractCondensation):
    """1 / (t_c(Rvir) + t_ff): gas condenses inside a cooling radius that grows outwards (White & Frenk 1991).

    Gas of density r^-3/2 has cooled where t_c(r) = 5/2 n k T / (n_e n_i Lambda) is shorter than the dynamical time; a
    share t_dyn / t_c(Rvir) of the CGM lies there.  The cooling time at Rvir is 5.94 times the thermal energy of the
    whole CGM over its radiated power, because most power comes from the centre, so that a slowly cooling CGM feeds its
    galaxy six times less than by `HarmonicCondensation`.

    Parameters
    ----------
    delay : float
        Cooling time at Rvir over the thermal energy of the CGM divided by its radiated power: (5/3) ln(10) over
        (2/3) (1 - 0.1^1.5) for density r^-3/2 from 0.1 to 1 Rvir.

    References
    ----------
    White & Frenk 1991, ApJ 379, 52.

    Examples
    --------
    >>> slow, harmonic = co.physics.CoolingRadiusCondensation(), co.physics.HarmonicCondensation()
    >>> round(float(harmonic(0.001, 0.5) / slow(0.001, 0.5)), 2)
    5.94
    """

    delay: Float[Array, ""] = parameter(
        _ENTHALPY * LN10 / (2.0 / 3.0 * (1.0 - 0.1**1.5)),
        unit="1",
        meaning="cooling time at Rvir over energy / power of the CGM",
        source="White & Frenk 1991, density r^-3/2 from 0.1 Rvir",
        bounds=(1.0, 10.0),
        scale="log10",
    )

    def __call__(self, cooling_rate: Float[Array, "..."], t_ff: Float[Array, "..."]) -> Float[Array, "..."]:
        return cooling_rate / (self.delay + cooling_rate * t_ff)


class PrecipitationThreshold(AbstractCondensation):
    """Condensation only where t_cool / t_ff falls below a threshold of about ten, switched smoothly.

    1 / (t_cool + t_ff) times a logistic in ln(t_cool / t_ff).  The form of the switch is our choice; the threshold is
    that of the papers, and counts in their free-fall time sqrt(2 r / g).  With g = V_c^2 / r that is sqrt(2) times the
    t_ff = r / V_c of the models, so that gas condenses below a ratio of 14 in the latter.

    Parameters
    ----------
    threshold : float
        t_cool / sqrt(2 r / g) below which gas condenses.
    width : float
        Width of the switch in ln(t_cool / t_ff).

    References
    ----------
    Sharma et al. 2012, MNRAS 420, 3174; McCourt et al. 2012, MNRAS 419, 3319; Voit et al. 2015, Nature 519, 203.

    Examples
    --------
    >>> law = co.physics.PrecipitationThreshold()
    >>> [round(float(law(1.0 / ratio, 1.0)), 3) for ratio in (1.0, 14.14, 100.0)]  # t_cool over r / V_c
    [0.5, 0.033, 0.0]
    """

    threshold: Float[Array, ""] = parameter(
        10.0,
        unit="1",
        meaning="t_cool / sqrt(2 r / g) below which gas condenses",
        source="Sharma et al. 2012",
        bounds=(1.0, 30.0),
        scale="log10",
    )
    width: Float[Array, ""] = parameter(
        0.3,
        unit="1",
        meaning="width of the switch in ln(t_cool / t_ff)",
        source="choice",
        bounds=(0.05, 2.0),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, cooling_rate: Float[Array, "..."], t_ff: Float[Array, "..."]) -> Float[Array, "..."]:
        free_fall = _FALL_FROM_REST * t_ff
        ln_excess = jnp.log(self.threshold) + jnp.log(jnp.maximum(cooling_rate * free_fall, _SLOWEST))
        return cooling_rate / (1.0 + cooling_rate * t_ff) * jax.nn.sigmoid(ln_excess / self.width)
