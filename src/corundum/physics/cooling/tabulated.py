"""Net cooling from published tables in redshift, temperature and density.

`corundum.physics.read_wiersma09` makes one from the files of Wiersma, Schaye & Smith 2009, which are not shipped.
"""

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...units import LN10
from ..composition import helium_per_hydrogen, hydrogen_fraction_field
from .base import AbstractNetCooling, solar_field
from .tables import bracket

__all__ = ["TabulatedNetCooling"]


class TabulatedNetCooling(AbstractNetCooling):
    """Net cooling from tables in redshift, temperature and hydrogen density, linear in metallicity.

    Lambda = primordial(z, T, n_H) + (Z / Zsun) metals(z, T, n_H), multilinear in (z, log10 T, log10 n_H) of the values,
    which change sign.  Outside the tables their edge is used; Pandya et al. 2023 take zero there, which switches off
    all cooling before z = 9.

    Parameters
    ----------
    redshift : array, shape (z,), increasing
    log_temperature : array, shape (t,), increasing
        log10 T [K].
    log_hydrogen : array, shape (n,), increasing
        log10 n_H [cm^-3].
    primordial, metals : arrays, shape (z, t, n)
        Net cooling of hydrogen and helium, and of metals at solar metallicity [erg cm^3/s].
    hydrogen_fraction : float
        Hydrogen mass fraction.
    solar_metallicity : float
        Metal mass fraction at which ``metals`` is given.

    Raises
    ------
    ValueError
        A table has another shape than its axes.

    Examples
    --------
    >>> axes = jnp.array([0.0, 2.0]), jnp.array([4.0, 6.0]), jnp.array([-6.0, 0.0])
    >>> tables = jnp.full((2, 2, 2), 1e-23), jnp.full((2, 2, 2), 5e-23)
    >>> cooling = co.physics.TabulatedNetCooling(*axes, *tables)
    >>> print(f"{float(cooling.net(5.0, 0.0, -3.0, 1.0)):.1e}")  # solar metallicity
    6.0e-23
    """

    redshift: Float[Array, " z"]
    log_temperature: Float[Array, " t"]
    log_hydrogen: Float[Array, " n"]
    primordial: Float[Array, "z t n"]
    metals: Float[Array, "z t n"]
    hydrogen_fraction: Float[Array, ""] = hydrogen_fraction_field(0.752, "Wiersma et al. 2009")
    solar_metallicity: Float[Array, ""] = solar_field(0.0129, "Wiersma et al. 2009: X = 0.7065, Y = 0.2806")

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
        helium = helium_per_hydrogen(self.hydrogen_fraction)
        log_hydrogen = log_density - jnp.log(2.0 + 3.0 * helium) / LN10
        axes = (self.redshift, self.log_temperature, self.log_hydrogen)
        brackets = [
            bracket(axis, jnp.clip(x, axis[0], axis[-1]))
            for axis, x in zip(axes, (redshift, log_temperature, log_hydrogen), strict=True)
        ]
        total = 0.0
        for corner in range(8):
            upper = [(corner >> k) & 1 for k in range(3)]
            weight, index = 1.0, []
            for (i, u), is_upper in zip(brackets, upper, strict=True):
                weight = weight * (u if is_upper else 1.0 - u)
                index.append(i + is_upper)
            metallicity = jnp.exp(LN10 * log_metallicity)
            total = total + weight * (self.primordial[tuple(index)] + metallicity * self.metals[tuple(index)])
        return total
