"""The scalings that Pandya et al. 2023 calibrated on the FIRE-2 simulations, with slopes that change with redshift.

With v = Vvir / 125 km/s and L = log10(1+z): X = A v^(a + a_z L) (1+z)^b.  Amplitudes, slopes and their change are those
of Pandya et al. 2023 (ApJ 956, 118) and Pandya et al. 2021 (MNRAS 508, 2979).  The ranges are our choice: half a dex
about each amplitude and one half about each power; wider ones give loadings of up to 10^6 in small early halos.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...numerics.limiters import AbstractMinimum, SmoothMinimum
from ...parameters import FRACTION, parameter
from ...units import LN10, SOLAR_METALLICITY
from ..galaxy import AbstractScaling
from .loading import PIVOT_VELOCITY

__all__ = [
    "Fire2DepletionTime",
    "Fire2MassLoading",
    "Fire2WindVelocity",
    "Fire2InflowMetallicity",
    "Fire2ThermalAccretion",
    "Fire2ThermalWind",
]

_SOURCE = "Pandya et al. 2023"


def _amplitude(log_value, unit, meaning):
    bounds = (10.0 ** (log_value - 0.5), 10.0 ** (log_value + 0.5))
    return parameter(10.0**log_value, unit=unit, meaning=meaning, source=_SOURCE, bounds=bounds, scale="log10")


def _number(default, unit, meaning):
    return parameter(default, unit=unit, meaning=meaning, source=_SOURCE, bounds=(default - 0.5, default + 0.5))


def _slope(default):
    return _number(default, "1", "power of Vvir/125 km/s")


def _slope_redshift(default):
    return _number(default, "1/dex", "change of that power per log10(1+z)")


def _redshift_exponent(default):
    return _number(default, "1", "power of (1+z)")


class AbstractFire2PowerLaw(AbstractScaling):
    """X = A v^(a + a_z L) (1+z)^b, with v = Vvir / 125 km/s and L = log10(1+z).

    Attributes
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : array
        A, a, a_z and b.
    """

    amplitude: eqx.AbstractVar[Float[Array, ""]]
    slope: eqx.AbstractVar[Float[Array, ""]]
    slope_redshift: eqx.AbstractVar[Float[Array, ""]]
    redshift_exponent: eqx.AbstractVar[Float[Array, ""]]

    def power_law(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """X for `vvir` [km/s] at `redshift`."""
        ln_v, ln_1pz = jnp.log(vvir / PIVOT_VELOCITY), jnp.log1p(redshift)
        slope = self.slope + self.slope_redshift * ln_1pz / LN10
        return self.amplitude * jnp.exp(slope * ln_v + self.redshift_exponent * ln_1pz)

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.power_law(vvir, redshift)


class Fire2DepletionTime(AbstractFire2PowerLaw):
    """t_dep = 10^0.46 v^(-3.0 + 2.4 L) (1+z)^-0.7 Gyr.

    Parameters
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : float
        A, a, a_z and b of the power law.

    Examples
    --------
    >>> depletion_time = co.physics.Fire2DepletionTime()
    >>> [round(float(depletion_time(vvir, 0.0)), 1) for vvir in (30.0, 125.0)]
    [208.6, 2.9]
    """

    amplitude: Float[Array, ""] = _amplitude(0.46, "Gyr", "depletion time at 125 km/s, z = 0")
    slope: Float[Array, ""] = _slope(-3.0)
    slope_redshift: Float[Array, ""] = _slope_redshift(2.4)
    redshift_exponent: Float[Array, ""] = _redshift_exponent(-0.7)


class Fire2MassLoading(AbstractFire2PowerLaw):
    """eta_M = 10^-0.2 v^(-3.7 + 4.2 L) (1+z)^2.4.

    Parameters
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : float
        A, a, a_z and b of the power law.

    Examples
    --------
    >>> mass_loading = co.physics.Fire2MassLoading()
    >>> [round(float(mass_loading(vvir, 0.0)), 2) for vvir in (30.0, 125.0)]
    [123.94, 0.63]
    """

    amplitude: Float[Array, ""] = _amplitude(-0.2, "1", "eta_M at 125 km/s, z = 0")
    slope: Float[Array, ""] = _slope(-3.7)
    slope_redshift: Float[Array, ""] = _slope_redshift(4.2)
    redshift_exponent: Float[Array, ""] = _redshift_exponent(2.4)


class Fire2WindVelocity(AbstractFire2PowerLaw):
    """Bernoulli velocity of the wind, 10^2.4 v^(1.0 - 0.3 L) (1+z)^-0.2 km/s: its energy per mass is v_B^2.

    Parameters
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : float
        A, a, a_z and b of the power law.

    Examples
    --------
    >>> velocity = co.physics.Fire2WindVelocity()
    >>> [round(float(velocity(vvir, 0.0)), 0) for vvir in (30.0, 125.0)]
    [60.0, 251.0]
    """

    amplitude: Float[Array, ""] = _amplitude(2.4, "km/s", "Bernoulli velocity at 125 km/s, z = 0")
    slope: Float[Array, ""] = _slope(1.0)
    slope_redshift: Float[Array, ""] = _slope_redshift(-0.3)
    redshift_exponent: Float[Array, ""] = _redshift_exponent(-0.2)


class Fire2InflowMetallicity(AbstractFire2PowerLaw):
    """Z_in = 10^-0.6 v^(2.2 + 0.1 L) (1+z)^-1.3 Zsun, as a mass fraction.

    Parameters
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : float
        A, a, a_z and b of the power law.

    Examples
    --------
    >>> inflow_metallicity = co.physics.Fire2InflowMetallicity()
    >>> [round(float(inflow_metallicity(vvir, 0.0)), 4) for vvir in (30.0, 125.0)]
    [0.0002, 0.005]
    """

    amplitude: Float[Array, ""] = _amplitude(-0.6, "Zsun", "inflow metallicity at 125 km/s, z = 0 (Zsun = 0.02)")
    slope: Float[Array, ""] = _slope(2.2)
    slope_redshift: Float[Array, ""] = _slope_redshift(0.1)
    redshift_exponent: Float[Array, ""] = _redshift_exponent(-1.3)

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        return SOLAR_METALLICITY * self.power_law(vvir, redshift)


class Fire2ThermalAccretion(AbstractFire2PowerLaw):
    """Share of the accretion energy that is thermal, min(1, 10^-0.17 v^(-0.28 - 0.87 L) (1+z)^-0.66).

    The rest drives turbulence.

    Parameters
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : float
        A, a, a_z and b of the power law.
    limit : AbstractMinimum
        How the share is limited to 1: smoothly by default.

    Examples
    --------
    >>> thermal_share = co.physics.Fire2ThermalAccretion()
    >>> [round(float(thermal_share(vvir, 0.0)), 2) for vvir in (30.0, 125.0)]
    [0.96, 0.68]
    """

    amplitude: Float[Array, ""] = _amplitude(-0.1666, "1", "thermal share of accretion energy at 125 km/s, z = 0")
    slope: Float[Array, ""] = _slope(-0.2757)
    slope_redshift: Float[Array, ""] = _slope_redshift(-0.8675)
    redshift_exponent: Float[Array, ""] = _redshift_exponent(-0.6559)
    limit: AbstractMinimum = eqx.field(default_factory=lambda: SmoothMinimum(16))

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.limit(self.power_law(vvir, redshift), jnp.ones(()))


class Fire2ThermalWind(AbstractScaling):
    """Share of the wind energy that is thermal: all of it in small halos, 0.35 in large ones.

    The rest drives turbulence.

    Parameters
    ----------
    floor : float
        Thermal share in large halos.
    steepness : float
        Steepness in log10 Vvir [1/dex].
    log_pivot : float
        log10 Vvir [km/s] half way.

    Examples
    --------
    >>> thermal_share = co.physics.Fire2ThermalWind()
    >>> [round(float(thermal_share(vvir, 0.0)), 2) for vvir in (15.0, 125.0)]
    [1.0, 0.35]
    """

    floor: Float[Array, ""] = parameter(
        0.3524, unit="1", meaning="thermal share in large halos", source=_SOURCE, bounds=(0.0, 1.0), allowed=FRACTION
    )
    steepness: Float[Array, ""] = parameter(
        20.8774, unit="1/dex", meaning="steepness in log10 Vvir", source=_SOURCE, bounds=(1.0, 40.0)
    )
    log_pivot: Float[Array, ""] = parameter(
        1.5012, unit="dex(km/s)", meaning="log10 Vvir half way", source=_SOURCE, bounds=(1.0, 2.5)
    )

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        fall = jax.nn.sigmoid(self.steepness * (self.log_pivot - jnp.log(vvir) / LN10))
        return self.floor + (1.0 - self.floor) * fall
