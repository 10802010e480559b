"""Net cooling of gas in the cosmic ultraviolet background, computed from its ionisation balance.

`PhotoionisedCooling` needs no files of your own: hydrogen and helium are in ionisation equilibrium with a published
background, and metals as in collisional equilibrium.  `corundum.physics.TabulatedNetCooling` holds published tables.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import scipy
from jaxtyping import Float

from ...annotations import Array
from ...parameters import parameter
from ...printing import Component
from ...units import LN10
from ..composition import helium_per_hydrogen, hydrogen_fraction_field
from .base import AbstractCooling, AbstractNetCooling
from .primordial import Background, primordial_cooling
from .sutherland_dopita93 import SutherlandDopita93
from .tables import read_csv, uniform_cell

__all__ = ["FaucherGiguere20", "PhotoionisedCooling"]

_STEP = 0.02  # of the table of the background, in log10(1+z)


class FaucherGiguere20(Component):
    """The ultraviolet background of Faucher-Giguere 2020 (MNRAS 493, 1614): HI reionised at z = 7.2, HeII at z = 3.

    Logarithms of the rates are interpolated in log10(1+z) by monotone cubics; before z = 8 there is no background.

    Parameters
    ----------
    strength : float
        Factor on all published rates.

    Examples
    --------
    >>> background = co.physics.FaucherGiguere20()
    >>> print(f"{float(background(2.0).gamma_hi):.1e}")  # ionisations of neutral hydrogen [1/s]
    1.1e-12
    """

    coefficients: Float[Array, "intervals 4 6"]
    strength: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="all rates over the published ones",
        source="Faucher-Giguere 2020",
        bounds=(0.1, 10.0),
        scale="log10",
    )

    def __init__(self, strength=1.0):
        table = read_csv("uvb", "faucher_giguere20.csv")
        # In units of the interval, the constant first.
        cubics = scipy.interpolate.PchipInterpolator(np.arange(len(table)), np.log(table[:, 1:])).c[::-1]
        self.coefficients = jnp.asarray(np.moveaxis(cubics, 1, 0))
        self.strength = strength

    def __call__(self, redshift: Float[Array, "..."]) -> Background:
        """Ionisation and heating rates at a redshift."""
        i, s, _ = uniform_cell(jnp.log1p(redshift) / (LN10 * _STEP), self.coefficients.shape[0])
        s, c = s[..., None], self.coefficients[i]
        ln_rates = c[..., 0, :] + s * (c[..., 1, :] + s * (c[..., 2, :] + s * c[..., 3, :]))
        rates = self.strength * jnp.exp(ln_rates)
        return Background(*(rates[..., k] for k in range(6)))


class PhotoionisedCooling(AbstractNetCooling):
    """Photo-ionised hydrogen and helium, and metals in collisional equilibrium, per n_H^2.

    Hydrogen and helium are exact for their rates (see `corundum.physics.cooling.primordial`): they cool, are
    photo-heated, and settle at an equilibrium temperature near 10^4 K that depends on density and redshift.
    Metals add the difference between the tables of Sutherland & Dopita 1993 at Z and at 10^-3 Zsun.

    Not included: photo-ionisation of metals, which lowers their cooling by up to several times between 10^4 and 10^6 K
    at n_H < 10^-3 cm^-3 (Wiersma et al. 2009, figures 3 to 5), self-shielding, and molecules and fine-structure lines,
    so that there is no metal cooling below 10^4 K.

    Parameters
    ----------
    background : FaucherGiguere20
        Radiation background.
    metals : AbstractCooling
        Cooling function from which the metals are taken; what it calls solar is solar here.
    hydrogen_fraction : float
        Hydrogen mass fraction.

    References
    ----------
    Katz, Weinberg & Hernquist 1996, ApJS 105, 19; Sutherland & Dopita 1993, ApJS 88, 253; Faucher-Giguere 2020,
    MNRAS 493, 1614.

    Examples
    --------
    Gas at 10^-4 particles per cm^3 and z = 0 is heated at 10^3.8 K and cools at 10^5 K:

    >>> cooling = co.physics.PhotoionisedCooling()
    >>> [bool(cooling.net(log_temperature, -1.0, -4.0, 0.0) > 0.0) for log_temperature in (3.8, 5.0)]
    [False, True]
    """

    background: FaucherGiguere20 = eqx.field(default_factory=FaucherGiguere20)
    metals: AbstractCooling = eqx.field(default_factory=SutherlandDopita93)
    hydrogen_fraction: Float[Array, ""] = hydrogen_fraction_field()

    def net(
        self,
        log_temperature: Float[Array, "..."],
        log_metallicity: Float[Array, "..."],
        log_density: Float[Array, "..."],
        redshift: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        helium = helium_per_hydrogen(self.hydrogen_fraction)
        temperature = jnp.exp(LN10 * log_temperature)
        hydrogen = jnp.exp(LN10 * log_density) / (2.0 + 3.0 * helium)
        cooling, heating = primordial_cooling(temperature, hydrogen, helium, self.background(redshift), redshift)
        primordial = -3.0 * jnp.ones_like(log_metallicity)
        metals = self.metals(log_temperature, log_metallicity) - self.metals(log_temperature, primordial)
        return cooling - heating + (1.0 + 2.0 * helium) * (1.0 + helium) * metals

    def log_metallicity(self, metal_fraction: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.metals.log_metallicity(metal_fraction)
