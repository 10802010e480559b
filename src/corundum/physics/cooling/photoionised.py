"""Net cooling of gas in the cosmic ultraviolet background.

`PhotoionisedCooling` is self-contained: hydrogen and helium in ionisation equilibrium with a published background, and
metals as in collisional equilibrium.  `TabulatedNetCooling` holds tables such as those of Wiersma, Schaye & Smith 2009,
which `corundum.physics.read_wiersma09` reads from files of your own.
"""

from importlib import resources

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import PchipInterpolator

from ...parameters import parameter
from ...units import LN10
from .collisional import AbstractNetCooling, SutherlandDopita93
from .primordial import Background, primordial_cooling

__all__ = ["FaucherGiguere20", "PhotoionisedCooling", "TabulatedNetCooling"]

_STEP = 0.02  # of the table of the background, in lg(1+z)


class FaucherGiguere20(eqx.Module):
    """The ultraviolet background of Faucher-Giguere 2020 (MNRAS 493, 1614): HI reionised at z = 7.2, HeII at z = 3.

    Logarithms of the rates are interpolated in lg(1+z) by monotone cubics; before z = 8 there is no background.
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
        path = resources.files("corundum.data") / "uvb" / "faucher_giguere20.csv"
        with path.open() as lines:
            table = np.array([[float(x) for x in line.split(",")] for line in lines if line[0] not in "#l"])
        # In units of the interval, the constant first.
        cubics = PchipInterpolator(np.arange(len(table)), np.log(table[:, 1:])).c[::-1]
        self.coefficients = jnp.asarray(np.moveaxis(cubics, 1, 0))
        self.strength = strength

    def __call__(self, redshift: Float[Array, "..."]) -> Background:
        """FlowRates at a redshift."""
        intervals = self.coefficients.shape[0]
        x = jnp.clip(jnp.log1p(redshift) / (LN10 * _STEP), 0.0, float(intervals))
        i = jnp.clip(jnp.floor(x).astype(int), 0, intervals - 1)
        s, c = (x - i)[..., None], self.coefficients[i]
        logs = c[..., 0, :] + s * (c[..., 1, :] + s * (c[..., 2, :] + s * c[..., 3, :]))
        rates = self.strength * jnp.exp(logs)
        return Background(*(rates[..., k] for k in range(6)))


class PhotoionisedCooling(AbstractNetCooling):
    """Photo-ionised hydrogen and helium, and metals in collisional equilibrium, per n_H^2.

    Hydrogen and helium are exact for their rates (see `corundum.physics.cooling.primordial`): they cool, are
    photo-heated, and settle at an equilibrium temperature near 10^4 K that depends on density and redshift.
    Metals add the difference between the tables of Sutherland & Dopita 1993 at Z and at 10^-3 Zsun.

    Not included: photo-ionisation of metals, which lowers their cooling by up to several times between 10^4 and 10^6 K
    at n_H < 10^-3 cm^-3 (Wiersma et al. 2009, figures 3 to 5), self-shielding, and molecules and fine-structure lines,
    so that there is no metal cooling below 10^4 K.

    References
    ----------
    Katz, Weinberg & Hernquist 1996, ApJS 105, 19; Sutherland & Dopita 1993, ApJS 88, 253; Faucher-Giguere 2020,
    MNRAS 493, 1614.
    """

    background: FaucherGiguere20 = eqx.field(default_factory=FaucherGiguere20)
    metals: SutherlandDopita93 = eqx.field(default_factory=SutherlandDopita93)
    hydrogen_fraction: Float[Array, ""] = parameter(
        0.76, unit="1", meaning="hydrogen mass fraction", source="primordial nucleosynthesis", bounds=(0.7, 0.8)
    )

    def net(
        self,
        log_temperature: Float[Array, "..."],
        log_metallicity: Float[Array, "..."],
        log_density: Float[Array, "..."],
        redshift: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        helium = (1.0 - self.hydrogen_fraction) / (4.0 * self.hydrogen_fraction)
        temperature = jnp.exp(LN10 * log_temperature)
        hydrogen = jnp.exp(LN10 * log_density) / (2.0 + 3.0 * helium)
        cooling, heating = primordial_cooling(temperature, hydrogen, helium, self.background(redshift), redshift)
        primordial = -3.0 * jnp.ones_like(log_metallicity)
        metals = self.metals(log_temperature, log_metallicity) - self.metals(log_temperature, primordial)
        return cooling - heating + (1.0 + 2.0 * helium) * (1.0 + helium) * metals


class TabulatedNetCooling(AbstractNetCooling):
    """Net cooling from tables in redshift, temperature and hydrogen density, linear in metallicity.

    Lambda = primordial(z, T, n_H) + (Z / Zsun) metals(z, T, n_H), multilinear in (z, lg T, lg n_H) of the values, which
    change sign.  Outside the tables their edge is used; Pandya et al. 2023 take zero there, which switches off all
    cooling before z = 9.

    Parameters
    ----------
    redshift, log_temperature, log_hydrogen : arrays, increasing
    primordial, metals : arrays, shape (z, T, n_H)
        Net cooling of hydrogen and helium, and of metals at solar metallicity [erg cm^3/s].
    """

    redshift: Float[Array, " z"]
    log_temperature: Float[Array, " t"]
    log_hydrogen: Float[Array, " n"]
    primordial: Float[Array, "z t n"]
    metals: Float[Array, "z t n"]
    hydrogen_fraction: Float[Array, ""] = parameter(
        0.752, unit="1", meaning="hydrogen mass fraction", source="Wiersma et al. 2009", bounds=(0.7, 0.8)
    )

    def __check_init__(self):
        shape = tuple(len(axis) for axis in (self.redshift, self.log_temperature, self.log_hydrogen))
        for name in ("primordial", "metals"):
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"TabulatedNetCooling {name}: got shape {getattr(self, name).shape}; expected (redshifts, "
                    f"temperatures, densities) = {shape}"
                )

    def net(
        self,
        log_temperature: Float[Array, "..."],
        log_metallicity: Float[Array, "..."],
        log_density: Float[Array, "..."],
        redshift: Float[Array, "..."],
    ) -> Float[Array, "..."]:
        helium = (1.0 - self.hydrogen_fraction) / (4.0 * self.hydrogen_fraction)
        log_hydrogen = log_density - jnp.log(2.0 + 3.0 * helium) / LN10
        axes = (self.redshift, self.log_temperature, self.log_hydrogen)
        places = [_bracket(axis, x) for axis, x in zip(axes, (redshift, log_temperature, log_hydrogen), strict=True)]
        total = 0.0
        for corner in range(8):
            upper = [(corner >> k) & 1 for k in range(3)]
            weight, at = 1.0, []
            for (i, u), one in zip(places, upper, strict=True):
                weight = weight * (u if one else 1.0 - u)
                at.append(i + one)
            metallicity = jnp.exp(LN10 * log_metallicity)
            total = total + weight * (self.primordial[tuple(at)] + metallicity * self.metals[tuple(at)])
        return total


def _bracket(grid, x):
    """Index of the interval holding `x`, and the position in it, both held inside the grid."""
    x = jnp.clip(x, grid[0], grid[-1])
    i = jnp.clip(jnp.searchsorted(grid, x, side="right", method="compare_all") - 1, 0, len(grid) - 2)
    return i, (x - grid[i]) / (grid[i + 1] - grid[i])
