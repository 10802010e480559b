"""The scalings that Pandya et al. 2023 calibrated on the FIRE-2 simulations, with slopes that change with redshift.

With v = Vvir / 125 km/s and L = lg(1+z): X = A v^(a + a_z L) (1+z)^b.  Amplitudes, slopes and their change are those of
Pandya et al. 2023 (ApJ 956, 118) and Pandya et al. 2021 (MNRAS 508, 2979); the ranges are ours, half a dex
about each amplitude and one half about each power: wider ones multiply up to loadings of 10^6 in small early halos.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...numerics.limiters import AbstractMinimum, SmoothMinimum
from ...parameters import parameter
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


def _power_law(vvir, redshift, law):
    log_v, log_1pz = jnp.log(vvir / PIVOT_VELOCITY), jnp.log1p(redshift)
    slope = law.slope + law.slope_redshift * log_1pz / LN10
    return law.amplitude * jnp.exp(slope * log_v + law.redshift_exponent * log_1pz)


def _amplitude(log_value, unit, meaning):
    bounds = (10.0 ** (log_value - 0.5), 10.0 ** (log_value + 0.5))
    return parameter(10.0**log_value, unit=unit, meaning=meaning, source=_SOURCE, bounds=bounds, scale="log10")


def _number(default, unit, meaning):
    return parameter(default, unit=unit, meaning=meaning, source=_SOURCE, bounds=(default - 0.5, default + 0.5))


def _slope(default):
    return _number(default, "1", "power of Vvir/125 km/s")


def _slope_redshift(default):
    return _number(default, "1/dex", "change of that power per lg(1+z)")


def _redshift_exponent(default):
    return _number(default, "1", "power of (1+z)")


class Fire2DepletionTime(AbstractScaling):
    """t_dep = 10^0.46 v^(-3.0 + 2.4 L) (1+z)^-0.7 Gyr."""

    amplitude: Float[Array, ""] = _amplitude(0.46, "Gyr", "depletion time at 125 km/s, z = 0")
    slope: Float[Array, ""] = _slope(-3.0)
    slope_redshift: Float[Array, ""] = _slope_redshift(2.4)
    redshift_exponent: Float[Array, ""] = _redshift_exponent(-0.7)

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        return _power_law(vvir, redshift, self)


class Fire2MassLoading(AbstractScaling):
    """eta_M = 10^-0.2 v^(-3.7 + 4.2 L) (1+z)^2.4."""

    amplitude: Float[Array, ""] = _amplitude(-0.2, "1", "eta_M at 125 km/s, z = 0")
    slope: Float[Array, ""] = _slope(-3.7)
    slope_redshift: Float[Array, ""] = _slope_redshift(4.2)
    redshift_exponent: Float[Array, ""] = _redshift_exponent(2.4)

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        return _power_law(vvir, redshift, self)


class Fire2WindVelocity(AbstractScaling):
    """Bernoulli velocity of the wind, 10^2.4 v^(1.0 - 0.3 L) (1+z)^-0.2 km/s: its energy per mass is v_B^2."""

    amplitude: Float[Array, ""] = _amplitude(2.4, "km/s", "Bernoulli velocity at 125 km/s, z = 0")
    slope: Float[Array, ""] = _slope(1.0)
    slope_redshift: Float[Array, ""] = _slope_redshift(-0.3)
    redshift_exponent: Float[Array, ""] = _redshift_exponent(-0.2)

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        return _power_law(vvir, redshift, self)


class Fire2InflowMetallicity(AbstractScaling):
    """Z_in = 10^-0.6 v^(2.2 + 0.1 L) (1+z)^-1.3 Zsun, as a mass fraction."""

    amplitude: Float[Array, ""] = _amplitude(-0.6, "Zsun", "inflow metallicity at 125 km/s, z = 0 (Zsun = 0.02)")
    slope: Float[Array, ""] = _slope(2.2)
    slope_redshift: Float[Array, ""] = _slope_redshift(0.1)
    redshift_exponent: Float[Array, ""] = _redshift_exponent(-1.3)

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        return SOLAR_METALLICITY * _power_law(vvir, redshift, self)


class Fire2ThermalAccretion(AbstractScaling):
    """Share of the accretion energy that is thermal, min(1, 10^-0.17 v^(-0.28 - 0.87 L) (1+z)^-0.66); the rest
    stirs."""

    amplitude: Float[Array, ""] = _amplitude(-0.1666, "1", "thermal share of accretion energy at 125 km/s, z = 0")
    slope: Float[Array, ""] = _slope(-0.2757)
    slope_redshift: Float[Array, ""] = _slope_redshift(-0.8675)
    redshift_exponent: Float[Array, ""] = _redshift_exponent(-0.6559)
    limit: AbstractMinimum = eqx.field(default_factory=lambda: SmoothMinimum(16))

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.limit(_power_law(vvir, redshift, self), jnp.ones(()))


class Fire2ThermalWind(AbstractScaling):
    """Share of the wind energy that is thermal: all of it in small halos, 0.35 in large ones; the rest stirs."""

    floor: Float[Array, ""] = parameter(
        0.3524, unit="1", meaning="thermal share in large halos", source=_SOURCE, bounds=(0.0, 1.0)
    )
    steepness: Float[Array, ""] = parameter(
        20.8774, unit="1/dex", meaning="steepness in lg Vvir", source=_SOURCE, bounds=(1.0, 40.0)
    )
    log_pivot: Float[Array, ""] = parameter(
        1.5012, unit="dex(km/s)", meaning="lg Vvir half way", source=_SOURCE, bounds=(1.0, 2.5)
    )

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        fall = jax.nn.sigmoid(self.steepness * (self.log_pivot - jnp.log(vvir) / LN10))
        return self.floor + (1.0 - self.floor) * fall
