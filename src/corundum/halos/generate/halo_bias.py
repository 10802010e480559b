"""Linear bias of halos: how much stronger than matter they cluster on large scales.

References
----------
Tinker et al. 2010, ApJ 724, 878 (eq. 6 and table 2); Sheth & Tormen 1999, MNRAS 308, 119 (peak-background split).
"""

import abc

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...printing import Component
from .mass_function import VirialMassFunction
from .power_spectrum import LinearPower, collapse_threshold, growth_factor

__all__ = ["AbstractHaloBias", "PeakBackgroundSplit", "Tinker10"]

_COLLAPSE = 1.686  # linear overdensity at collapse of Tinker et al. 2010


class AbstractHaloBias(Component):
    """Linear bias of halos by virial mass, redshift, power spectrum and cosmology.

    Examples
    --------
    >>> class Unbiased(co.halos.AbstractHaloBias):
    ...     def __call__(self, log_mvir, redshift, power, cosmology):
    ...         return 1.0 + 0.0 * log_mvir
    >>> Unbiased()(12.0, 0.0, None, None)
    1.0
    """

    @abc.abstractmethod
    def __call__(
        self, log_mvir: Float[Array, "..."], redshift: Float[Array, ""], power: LinearPower, cosmology: Cosmology
    ) -> Float[Array, "..."]:
        """Linear bias of halos of log10 of virial mass [Msun]."""


class Tinker10(AbstractHaloBias):
    """The fit of Tinker et al. 2010 to simulations, at the overdensity of Bryan & Norman 1998 halos.

    Its integral over their mass function is one; it was fitted for overdensities of 200 to 3200 times mean matter.

    Examples
    --------
    >>> bias = co.halos.Tinker10()(jnp.array([12.0, 14.0]), 0.0, co.halos.LinearPower(), co.cosmology.planck15())
    >>> np.round(np.asarray(bias), 2).tolist()
    [0.81, 1.88]
    """

    def __call__(
        self, log_mvir: Float[Array, "..."], redshift: Float[Array, ""], power: LinearPower, cosmology: Cosmology
    ) -> Float[Array, "..."]:
        sigma, _ = power.sigma_of_mass(cosmology)(jnp.asarray(log_mvir, float))
        nu = _COLLAPSE / (sigma * growth_factor(redshift, cosmology))
        y = jnp.log10(cosmology.virial_overdensity(redshift) / cosmology.matter_fraction(redshift))
        steep = jnp.exp(-((4.0 / y) ** 4))
        a, low, high = 0.44 * y - 0.88, 1.0 + 0.24 * y * steep, 0.019 + 0.107 * y + 0.19 * steep
        return 1.0 - low * nu**a / (nu**a + _COLLAPSE**a) + 0.183 * nu**1.5 + high * nu**2.4


class PeakBackgroundSplit(AbstractHaloBias):
    """The bias that the mass function of Despali et al. 2016 implies (`VirialMassFunction`).

    A long wave lowers the threshold of collapse by its own overdensity, so that bias is one minus the logarithmic slope
    of the mass function with respect to the threshold.

    Examples
    --------
    >>> split = co.halos.PeakBackgroundSplit()
    >>> bias = split(jnp.array([12.0, 14.0]), 0.0, co.halos.LinearPower(), co.cosmology.planck15())
    >>> np.round(np.asarray(bias), 2).tolist()
    [0.82, 1.79]
    """

    def __call__(
        self, log_mvir: Float[Array, "..."], redshift: Float[Array, ""], power: LinearPower, cosmology: Cosmology
    ) -> Float[Array, "..."]:
        fit = VirialMassFunction(power, cosmology)
        sigma, _ = power.sigma_of_mass(cosmology)(jnp.asarray(log_mvir, float))
        threshold = collapse_threshold(redshift, cosmology)
        nu = fit.scale * (threshold / sigma) ** 2
        collapse = threshold * growth_factor(redshift, cosmology)
        return 1.0 + (nu - 1.0 + 2.0 * fit.index / (1.0 + nu**fit.index)) / collapse
