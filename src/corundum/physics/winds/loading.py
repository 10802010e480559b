"""Feedback loadings and star-formation time: power laws in halo virial velocity and redshift.

All four scalings have the form X = A (Vvir / 125 km/s)^(a + a_z (1+z)) (1+z)^b (Pandya et al. 2026, section 2;
calibrated on FIRE-2 by Pandya et al. 2021, 2023).  The defaults are the fiducial numbers of Pandya et al. 2026, and the
ranges are those of its uniform priors.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...numerics.limiters import AbstractMinimum, SmoothMinimum
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component
from ..galaxy import AbstractScaling

__all__ = [
    "PIVOT_VELOCITY",
    "AbstractVirialPowerLaw",
    "MassLoading",
    "EnergyLoading",
    "MetalLoading",
    "DepletionTime",
    "Ceiling",
]

PIVOT_VELOCITY = 125.0
"""Virial velocity at which the amplitudes are quoted [km/s]."""

_SOURCE = "Pandya et al. 2026"


def virial_power_law(vvir, redshift, amplitude, slope, slope_redshift, redshift_exponent):
    """A (V/125)^(a + a_z (1+z)) (1+z)^b, as one exponential of logarithms."""
    expansion = 1.0 + redshift
    index = slope + slope_redshift * expansion
    ln_velocity = jnp.log(vvir) - np.log(PIVOT_VELOCITY)
    return amplitude * jnp.exp(index * ln_velocity + redshift_exponent * jnp.log(expansion))


class AbstractVirialPowerLaw(AbstractScaling):
    """X = A (Vvir / 125 km/s)^(a + a_z (1+z)) (1+z)^b.

    Attributes
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : array
        A, a, a_z and b.
    """

    amplitude: eqx.AbstractVar[Float[Array, ""]]
    slope: eqx.AbstractVar[Float[Array, ""]]
    slope_redshift: eqx.AbstractVar[Float[Array, ""]]
    redshift_exponent: eqx.AbstractVar[Float[Array, ""]]

    def __call__(self, vvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        return virial_power_law(vvir, redshift, self.amplitude, self.slope, self.slope_redshift, self.redshift_exponent)


def _amplitude(default, *, unit, meaning, bounds):
    return parameter(default, unit=unit, meaning=meaning, source=_SOURCE, bounds=bounds, scale="log10")


def _slope(default):
    return parameter(default, unit="1", meaning="power of Vvir/125 km/s", source=_SOURCE, bounds=(-4.0, 0.0))


def _slope_redshift():
    return parameter(0.0, unit="1", meaning="change of that power per (1+z)", source=_SOURCE, bounds=(-1.0, 1.0))


def _redshift_exponent(default):
    return parameter(default, unit="1", meaning="power of (1+z)", source=_SOURCE, bounds=(-3.0, 3.0))


class MassLoading(AbstractVirialPowerLaw):
    """eta_M: mass ejected from the ISM per mass of stars formed.

    Parameters
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : float
        A, a, a_z and b of the power law.

    Examples
    --------
    >>> mass_loading = co.physics.MassLoading(amplitude=2.0, slope=-1.5)
    >>> [round(float(mass_loading(vvir, 0.0)), 2) for vvir in (30.0, 125.0)]
    [17.01, 2.0]
    """

    amplitude: Float[Array, ""] = _amplitude(1.0, unit="1", meaning="eta_M at 125 km/s", bounds=(0.01, 10.0))
    slope: Float[Array, ""] = _slope(-1.0)
    slope_redshift: Float[Array, ""] = _slope_redshift()
    redshift_exponent: Float[Array, ""] = _redshift_exponent(0.0)


class EnergyLoading(AbstractVirialPowerLaw):
    """eta_E: wind energy delivered to the CGM over the supernova energy released.

    Parameters
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : float
        A, a, a_z and b of the power law.

    Examples
    --------
    >>> energy_loading = co.physics.EnergyLoading()
    >>> [round(float(energy_loading(vvir, 0.0)), 3) for vvir in (30.0, 125.0)]
    [0.417, 0.1]
    """

    amplitude: Float[Array, ""] = _amplitude(0.1, unit="1", meaning="eta_E at 125 km/s", bounds=(0.01, 1.0))
    slope: Float[Array, ""] = _slope(-1.0)
    slope_redshift: Float[Array, ""] = _slope_redshift()
    redshift_exponent: Float[Array, ""] = _redshift_exponent(0.0)


class MetalLoading(AbstractVirialPowerLaw):
    """eta_Z: fraction of newly produced metals that is vented straight to the CGM.

    Parameters
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : float
        A, a, a_z and b of the power law.

    Examples
    --------
    >>> metal_loading = co.physics.MetalLoading()
    >>> [round(float(metal_loading(vvir, 0.0)), 2) for vvir in (30.0, 125.0)]
    [0.03, 0.02]
    """

    amplitude: Float[Array, ""] = _amplitude(10.0**-1.7, unit="1", meaning="eta_Z at 125 km/s", bounds=(0.01, 1.0))
    slope: Float[Array, ""] = _slope(-0.3)
    slope_redshift: Float[Array, ""] = _slope_redshift()
    redshift_exponent: Float[Array, ""] = _redshift_exponent(0.0)


class DepletionTime(AbstractVirialPowerLaw):
    """t_dep: ISM mass over star-formation rate [Gyr].

    Parameters
    ----------
    amplitude, slope, slope_redshift, redshift_exponent : float
        A, a, a_z and b of the power law.

    Examples
    --------
    >>> depletion_time = co.physics.DepletionTime()
    >>> [round(float(depletion_time(vvir, 0.0)), 2) for vvir in (30.0, 125.0)]
    [82.34, 6.31]
    """

    amplitude: Float[Array, ""] = _amplitude(
        10.0**0.8, unit="Gyr", meaning="depletion time at 125 km/s, z = 0", bounds=(1.0, 10.0**1.1)
    )
    slope: Float[Array, ""] = _slope(-1.8)
    slope_redshift: Float[Array, ""] = _slope_redshift()
    redshift_exponent: Float[Array, ""] = _redshift_exponent(-0.7)


class Ceiling(Component):
    """An upper limit on a loading factor, sharp or smooth.

    Parameters
    ----------
    value : float
        Largest loading allowed.
    minimum : AbstractMinimum
        How the limit is taken: smoothly by default, sharply with `corundum.numerics.HardMinimum`.

    Examples
    --------
    >>> ceiling = co.physics.Ceiling(minimum=co.numerics.HardMinimum())
    >>> [float(ceiling(loading)) for loading in (0.5, 2.0)]
    [0.5, 1.0]
    """

    value: Float[Array, ""] = parameter(
        1.0, unit="1", meaning="largest loading allowed", source=_SOURCE, bounds=(0.1, 1.0), allowed=NOT_NEGATIVE
    )
    minimum: AbstractMinimum = eqx.field(default_factory=SmoothMinimum)

    def __call__(self, loading: Float[Array, "..."]) -> Float[Array, "..."]:
        """`loading` limited to the ceiling."""
        return self.minimum(loading, self.value)
