"""Density conventions: which product of densities a cooling function is multiplied by.

A cooling function Lambda is tabulated per some product of densities.  Sutherland & Dopita 1993 (ApJS 88, 253) normalise
by n_e n_i, electrons times ions, Wiersma et al. 2009 by n_H^2.  A model knows the total particle density n_tot and must
convert.  The convention is a component of its own, so that it is always stated.  Here gas is fully ionised;
`corundum.physics.EquilibriumDensities` knows the electrons at every temperature.
"""

import abc
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...printing import Component
from ..composition import helium_per_hydrogen, hydrogen_fraction_field

__all__ = ["AbstractDensityConvention", "ElectronIonDensities", "HydrogenDensitySquared", "TotalDensitySquared"]


class AbstractDensityConvention(Component):
    """The density product that multiplies Lambda, over the square of the total particle density.

    Attributes
    ----------
    product : str or None
        The product, to be compared with `per` of a cooling function; None accepts a cooling function of any.

    Examples
    --------
    >>> class NeutralHydrogenSquared(co.physics.AbstractDensityConvention):
    ...     product = "n_H^2"
    ...
    ...     def fraction(self, log_temperature, log_metallicity):
    ...         return jnp.asarray(0.85)
    >>> round(float(NeutralHydrogenSquared().fraction(6.0, -1.0)), 2)
    0.85
    """

    product: eqx.AbstractClassVar[str | None]

    @abc.abstractmethod
    def fraction(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Density product / n_tot^2 at log10 T [K] and log10 Z/Zsun, the latter in units of the cooling function."""


class ElectronIonDensities(AbstractDensityConvention):
    """n_e n_i of fully ionised hydrogen and helium at any temperature; about 0.25.

    Parameters
    ----------
    hydrogen_fraction : float
        Hydrogen mass fraction.

    Examples
    --------
    >>> round(float(co.physics.ElectronIonDensities().fraction(6.0, -1.0)), 3)
    0.25
    """

    product: ClassVar[str | None] = "n_e n_i"

    hydrogen_fraction: Float[Array, ""] = hydrogen_fraction_field()

    def fraction(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        helium = helium_per_hydrogen(self.hydrogen_fraction)
        electrons, ions = 1.0 + 2.0 * helium, 1.0 + helium
        return electrons * ions / (electrons + ions) ** 2


class HydrogenDensitySquared(AbstractDensityConvention):
    """n_H^2 of fully ionised hydrogen and helium, the normalisation of Wiersma et al. 2009; about 0.20.

    Parameters
    ----------
    hydrogen_fraction : float
        Hydrogen mass fraction.

    Examples
    --------
    >>> round(float(co.physics.HydrogenDensitySquared().fraction(6.0, -1.0)), 3)
    0.2
    """

    product: ClassVar[str | None] = "n_H^2"

    hydrogen_fraction: Float[Array, ""] = hydrogen_fraction_field()

    def fraction(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        helium = helium_per_hydrogen(self.hydrogen_fraction)
        return 1.0 / (2.0 + 3.0 * helium) ** 2


class TotalDensitySquared(AbstractDensityConvention):
    """n_tot^2, as in Pandya et al. 2023 and 2026: overestimates cooling about four- to fivefold.

    Examples
    --------
    >>> float(co.physics.TotalDensitySquared().fraction(6.0, -1.0))
    1.0
    """

    product: ClassVar[str | None] = None

    def fraction(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        return jnp.ones(())
