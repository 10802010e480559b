"""How long satellites take to merge: a distribution in time, not an event, so that everything is differentiable.

A satellite falls in at t_i and has merged by t with the probability Phi(t), log-normal in t - t_i: orbits that are not
known alone spread the time by half an e-fold.  The median follows from dynamical friction.
"""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component

__all__ = ["AbstractMergingTime", "BoylanKolchin08", "DynamicalFriction", "Jiang08", "merged_share", "merging_rate"]

_SOONEST = 1e-3  # of the median: no satellite merges before, and logarithms stay finite
_ROOT_2 = 2.0**0.5
_NORMAL = 0.3989422804014327  # 1 / sqrt(2 pi)


def _factor(source: str):
    return parameter(
        1.0,
        unit="1",
        meaning="merging time over the published one",
        source=source,
        bounds=(0.3, 3.0),
        scale="log10",
    )


class AbstractMergingTime(Component):
    """Merging time of a satellite over 0.1 / H at infall, the time R_200c / V_200c.

    Examples
    --------
    >>> class AtOnce(co.physics.AbstractMergingTime):
    ...     def __call__(self, ratio, circularity, radius):
    ...         return 1.0 + 0.0 * ratio
    >>> friction = co.physics.DynamicalFriction(time=AtOnce())
    >>> print(f"{float(friction.median(0.1, 1.4)):.2f}")  # [Gyr], where 0.1 / H is 1.4 Gyr
    1.40
    """

    @abc.abstractmethod
    def __call__(
        self, ratio: Float[Array, "..."], circularity: Float[Array, "..."], radius: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Time in units of 0.1 / H at infall.

        Parameters
        ----------
        ratio : array
            Mass of the satellite's halo over that of its host, below 1.
        circularity : array
            Angular momentum over that of a circular orbit of the same energy.
        radius : array
            Radius of that circular orbit [Rvir].
        """


class BoylanKolchin08(AbstractMergingTime):
    """0.216 q^-1.3 exp(1.9 eta) (r_c / R) / ln(1 + 1/q), from simulations of isolated pairs.

    Its unit of time is R_200c / V_200c, and not the R / V of the models, which is 1.4 times longer at z = 0.

    Parameters
    ----------
    factor : float
        Time over the published one.

    References
    ----------
    Boylan-Kolchin, Ma & Quataert 2008, MNRAS 383, 93.

    Examples
    --------
    >>> round(float(co.physics.BoylanKolchin08()(0.1, 0.5, 1.0)), 3)
    4.647
    """

    factor: Float[Array, ""] = _factor("Boylan-Kolchin, Ma & Quataert 2008")

    def __call__(
        self, ratio: Float[Array, "..."], circularity: Float[Array, "..."], radius: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        return self.factor * 0.216 * ratio**-1.3 * jnp.exp(1.9 * circularity) * radius / jnp.log1p(1.0 / ratio)


class Jiang08(AbstractMergingTime):
    """(0.94 eta^0.60 + 0.60) / 0.86 q^-1 sqrt(r_c / R) / ln(1 + 1/q), from cosmological simulations with gas.

    Parameters
    ----------
    factor : float
        Time over the published one.

    References
    ----------
    Jiang et al. 2008, ApJ 675, 1095.

    Examples
    --------
    >>> round(float(co.physics.Jiang08()(0.1, 0.5, 1.0)), 2)
    5.92
    """

    factor: Float[Array, ""] = _factor("Jiang et al. 2008")

    def __call__(
        self, ratio: Float[Array, "..."], circularity: Float[Array, "..."], radius: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        orbit = (0.94 * circularity**0.6 + 0.6) / 0.86
        return self.factor * orbit * jnp.sqrt(radius) / (ratio * jnp.log1p(1.0 / ratio))


class DynamicalFriction(Component):
    """The distribution of merging times: log-normal around the median of dynamical friction.

    Parameters
    ----------
    time : AbstractMergingTime
        The median.
    scatter : float
        Standard deviation of ln(t - t_i), of orbits (0.48) and of simulations around the fit (0.4).
    circularity, radius : float
        Of a typical orbit at infall; the medians follow from the orbits of Li et al. 2020 in an isothermal host.

    References
    ----------
    Boylan-Kolchin, Ma & Quataert 2008, MNRAS 383, 93; Li et al. 2020, ApJ 905, 177.

    Examples
    --------
    >>> friction = co.physics.DynamicalFriction()
    >>> round(float(friction.merged(2.0, 2.0)), 3)  # half of the satellites have merged after the median time
    0.5
    """

    time: AbstractMergingTime = eqx.field(default_factory=BoylanKolchin08)
    scatter: Float[Array, ""] = parameter(
        0.6,
        unit="1",
        meaning="scatter of ln(merging time)",
        source="choice",
        bounds=(0.1, 1.0),
        allowed=NOT_NEGATIVE,
    )
    circularity: Float[Array, ""] = parameter(
        0.55,
        unit="1",
        meaning="circularity of a typical orbit at infall",
        source="Li et al. 2020",
        bounds=(0.1, 1.0),
        allowed=NOT_NEGATIVE,
    )
    radius: Float[Array, ""] = parameter(
        1.25,
        unit="Rvir",
        meaning="radius of the circular orbit of the same energy",
        source="Li et al. 2020",
        bounds=(0.5, 3.0),
        allowed=NOT_NEGATIVE,
    )

    def median(
        self,
        ratio: Float[Array, "..."],
        unit_time: Float[Array, "..."],
        circularity: Float[Array, "..."] | None = None,
        radius: Float[Array, "..."] | None = None,
    ) -> Float[Array, "..."]:
        """Median merging time [Gyr] for the mass `ratio` of halos, where 0.1 / H at infall is `unit_time` [Gyr].

        Without `circularity` and `radius` the orbit is the typical one.
        """
        circularity = self.circularity if circularity is None else circularity
        return unit_time * self.time(ratio, circularity, self.radius if radius is None else radius)

    def merged(self, delay: Float[Array, "..."], median: Float[Array, "..."]) -> Float[Array, "..."]:
        """Phi, the probability to have merged within `delay` [Gyr] after infall, for the `median` time [Gyr]."""
        return merged_share(delay, median, self.scatter)

    def rate(self, delay: Float[Array, "..."], median: Float[Array, "..."]) -> Float[Array, "..."]:
        """dPhi / dt [1/Gyr]."""
        return merging_rate(delay, median, self.scatter)


def merged_share(
    delay: Float[Array, "..."], median: Float[Array, "..."], scatter: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Phi, the probability to have merged within `delay` [Gyr], log-normal around `median` [Gyr]."""
    return 0.5 * (1.0 + jax.lax.erf(_deviate(delay, median, scatter) / _ROOT_2))


def merging_rate(
    delay: Float[Array, "..."], median: Float[Array, "..."], scatter: Float[Array, "..."]
) -> Float[Array, "..."]:
    """dPhi / dt [1/Gyr]."""
    after = jnp.maximum(delay, _SOONEST * median)
    return _NORMAL * jnp.exp(-0.5 * _deviate(delay, median, scatter) ** 2) / (scatter * after)


def _deviate(delay, median, scatter):
    return jnp.log(jnp.maximum(delay / median, _SOONEST)) / scatter
