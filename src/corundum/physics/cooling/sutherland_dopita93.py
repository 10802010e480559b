"""Cooling of gas in collisional ionisation equilibrium after Sutherland & Dopita 1993 (ApJS 88, 253).

`SutherlandDopita93` is their cooling function, and `EquilibriumDensities` the electrons and nuclei that belong to it.
"""

from functools import cache
from typing import ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...units import LN10
from .base import solar_field
from .cooling_surface import AbstractCoolingSurface, floor_field, floor_width_field
from .densities import AbstractDensityConvention
from .surface import surface_coefficients, surface_value
from .tables import read_csv

__all__ = ["EquilibriumDensities", "SutherlandDopita93"]

_MIXTURES = 8  # the primordial one and seven metallicities


class EquilibriumTable(NamedTuple):
    """The published table without its primordial mixture: rows of temperature, columns of metallicity."""

    log_temperature: np.ndarray
    log_lambda: np.ndarray
    electrons: np.ndarray  # per hydrogen nucleus
    nuclei: np.ndarray  # of all elements, per hydrogen nucleus


@cache
def equilibrium_table() -> EquilibriumTable:
    """The table of Sutherland & Dopita 1993, with its two empty rows at log10 Z/Zsun = 0.5 filled.

    The authors give that mixture from 10^4.1 K on.  Below, metals cool in proportion to their abundance: the part of
    Lambda beyond that of primordial gas is 10^0.5 times that at solar metallicity.  Where both are published (10^4.1 to
    10^4.2 K) this is right to 0.02 dex.  Electrons per hydrogen nucleus keep their ratio to the solar mixture.
    """
    table = read_csv("cooling", "sutherland_dopita93_cie.csv")
    log_lambda, electrons, nuclei = np.split(table[:, 1:].copy(), 3, axis=1)
    empty = np.isnan(log_lambda[:, -1])
    first = int(np.argmin(empty))
    primordial, solar = (10.0 ** log_lambda[empty, column] for column in (0, -2))
    log_lambda[empty, -1] = np.log10(primordial + 10.0**0.5 * (solar - primordial))
    for quantity in (electrons, nuclei):
        quantity[empty, -1] = quantity[empty, -2] * quantity[first, -1] / quantity[first, -2]
    return EquilibriumTable(table[:, 0], log_lambda[:, 1:], electrons[:, 1:], nuclei[:, 1:])


class SutherlandDopita93(AbstractCoolingSurface):
    """Sutherland & Dopita 1993 in collisional ionisation equilibrium, as a surface with continuous second derivatives.

    Bicubic in (log10 T, log10 Z/Zsun) through the published values of log10 Lambda.  Above log10 T = 8.5 and above
    log10 Z/Zsun = 0.5 the surface follows its tangent; below log10 Z/Zsun = -3 it is constant, because metals no longer
    matter there.  Below 10^4 K gas is neutral and does not cool: Lambda falls smoothly to exactly zero over 0.1 dex in
    temperature.  At log10 Z/Zsun = 0.5 the authors give no values below 10^4.1 K; there metals cool in proportion to
    their abundance.

    The solar mixture is that of Anders & Grevesse 1989.  The labels of the columns below solar are [Fe/H]: those
    mixtures are richer in oxygen, so that a given mass of metals cools somewhat differently from what is computed here.

    Parameters
    ----------
    floor : float
        log10 T [K] below which cooling shuts off.
    floor_width : float
        Width [dex] in temperature over which it shuts off.
    solar_metallicity : float
        Metal mass fraction that the table calls solar.

    Examples
    --------
    >>> cooling = co.physics.SutherlandDopita93()
    >>> round(float(jnp.log10(cooling(4.2, 0.0))), 2)
    -21.79
    >>> float(cooling(3.8, -1.0))  # below 10^4 K nothing cools
    0.0
    >>> round(float(cooling.log_metallicity(0.0194)), 2)  # gas of this metal mass fraction is solar in the table
    0.0
    """

    coefficients: Float[Array, "cells_t cells_z 4 4"]
    floor: Float[Array, ""] = floor_field()
    floor_width: Float[Array, ""] = floor_width_field()
    solar_metallicity: Float[Array, ""] = solar_field(
        0.0194, "Anders & Grevesse 1989, photosphere (0.0189 with meteoritic iron)"
    )

    def __init__(self, floor=4.0, floor_width=0.1, solar_metallicity=0.0194):
        table = equilibrium_table()
        self.coefficients = jnp.asarray(surface_coefficients(table.log_temperature, table.log_lambda))
        self.floor = floor
        self.floor_width = floor_width
        self.solar_metallicity = solar_metallicity


class EquilibriumDensities(AbstractDensityConvention):
    """n_e n_i as Sutherland & Dopita 1993 tabulate both, in collisional ionisation equilibrium.

    Above 10^5 K nearly all gas is ionised and the product is 0.25 of n_tot^2, as for `ElectronIonDensities`; at
    10^4.2 K half of the electrons are bound, at 10^4 K almost all.  The total particle density of a model counts the
    particles of ionised gas of the same mass, so that n_tot does not depend on temperature; where gas recombines only
    n_e falls.

    Examples
    --------
    >>> densities = co.physics.EquilibriumDensities()
    >>> [round(float(densities.fraction(log_t, -1.0)), 3) for log_t in (4.1, 4.2, 6.0)]
    [0.016, 0.125, 0.25]
    """

    product: ClassVar[str | None] = "n_e n_i"

    coefficients: Float[Array, "cells_t cells_z 4 4"]

    def __init__(self):
        table = equilibrium_table()
        particles = table.electrons[-1] + table.nuclei[-1]  # all ionised in the hottest row
        share = table.electrons * table.nuclei / particles**2
        self.coefficients = jnp.asarray(surface_coefficients(table.log_temperature, np.log10(share)))

    def fraction(
        self, log_temperature: Float[Array, "..."], log_metallicity: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        return jnp.exp(LN10 * surface_value(self.coefficients, log_temperature, log_metallicity))
