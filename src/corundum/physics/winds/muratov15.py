"""Mass loadings other than the default power law: a constant, and those measured in the FIRE simulations."""

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ..galaxy import AbstractGalaxyScaling, AbstractScaling, Galaxy

__all__ = ["ConstantLoading", "Muratov15Velocity", "Muratov15StellarMass"]

_MURATOV = "Muratov et al. 2015"
_UNSEEN = f"{_MURATOV} [unverified]"


class ConstantLoading(AbstractScaling):
    """The same value in every halo at all times; also serves as a constant depletion time [Gyr].

    Parameters
    ----------
    constant : float
        The value.

    Examples
    --------
    >>> model = co.models.ThermalCGM(mass_loading=co.physics.ConstantLoading(2.0))
    >>> float(model.mass_loading(100.0, 0.0))
    2.0
    """

    constant: Float[Array, ""] = parameter(
        1.0, unit="1", meaning="value in every halo", source="choice", bounds=(0.0, 10.0), allowed=NOT_NEGATIVE
    )

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.constant * jnp.ones_like(vvir)


class Muratov15Velocity(AbstractScaling):
    """eta_M = 2.9 (1+z)^1.3 (V / 60 km/s)^a, with a = -3.2 below 60 km/s and -1.0 above.

    Parameters
    ----------
    amplitude : float
        eta_M at the break, at z = 0.
    break_velocity : float
        Virial velocity of the break [km/s].
    slope_below, slope_above : float
        Powers of velocity below and above the break.
    redshift_exponent : float
        Power of (1+z).

    References
    ----------
    Muratov et al. 2015, MNRAS 454, 2691, equations 4 and 5.

    Examples
    --------
    >>> mass_loading = co.physics.Muratov15Velocity()
    >>> [round(float(mass_loading(vvir, 0.0)), 1) for vvir in (30.0, 60.0, 120.0)]
    [26.6, 2.9, 1.4]
    """

    amplitude: Float[Array, ""] = parameter(
        2.9, unit="1", meaning="eta_M at the break, z = 0", source=_MURATOV, bounds=(0.3, 30.0), scale="log10"
    )
    break_velocity: Float[Array, ""] = parameter(
        60.0, unit="km/s", meaning="velocity of the break", source=_MURATOV, bounds=(30.0, 120.0), allowed=NOT_NEGATIVE
    )
    slope_below: Float[Array, ""] = parameter(
        -3.2, unit="1", meaning="power of V below the break", source=_MURATOV, bounds=(-4.0, 0.0)
    )
    slope_above: Float[Array, ""] = parameter(
        -1.0, unit="1", meaning="power of V above the break", source=_MURATOV, bounds=(-4.0, 0.0)
    )
    redshift_exponent: Float[Array, ""] = parameter(
        1.3, unit="1", meaning="power of (1+z)", source=_MURATOV, bounds=(-3.0, 3.0)
    )

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        ln_v = jnp.log(vvir / self.break_velocity)
        slope = jnp.where(ln_v < 0.0, self.slope_below, self.slope_above)
        return self.amplitude * jnp.exp(slope * ln_v + self.redshift_exponent * jnp.log1p(redshift))


class Muratov15StellarMass(AbstractGalaxyScaling):
    """eta_M = 3.6 (M_star / 10^10 Msun)^-0.35, at all redshifts.

    The smallest galaxies of the fit hold about 10^4 Msun of stars.  This mass is added to M_star, so that the loading
    of a galaxy with hardly any stars stays in the range that was measured.

    Parameters
    ----------
    amplitude : float
        eta_M at 10^10 Msun of stars.
    slope : float
        Power of stellar mass.
    smallest : float
        Smallest stellar mass of the fit [Msun].

    References
    ----------
    Muratov et al. 2015, MNRAS 454, 2691, equation 8.

    Examples
    --------
    >>> model = co.models.ThermalCGM(mass_loading=co.physics.Muratov15StellarMass())
    """

    amplitude: Float[Array, ""] = parameter(
        3.6, unit="1", meaning="eta_M at 10^10 Msun of stars", source=_MURATOV, bounds=(0.3, 30.0), scale="log10"
    )
    slope: Float[Array, ""] = parameter(
        -0.35, unit="1", meaning="power of stellar mass", source=_MURATOV, bounds=(-1.0, 0.0)
    )
    smallest: Float[Array, ""] = parameter(
        1e4,
        unit="Msun",
        meaning="smallest stellar mass of the fit",
        source=_UNSEEN,
        bounds=(1e2, 1e7),
        scale="log10",
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self.amplitude * jnp.exp(self.slope * jnp.log((galaxy.state.mstar + self.smallest) / 1e10))
