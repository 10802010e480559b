"""Scaling relations: which two numbers of a galaxy an observable compares.

A relation reads named quantities of galaxies (``galaxies["mstar"]``) and returns the two axes of a published figure,
always in log10.  Anything indexed by name serves: the `Galaxies` of a population at one redshift, or a dictionary.  A
galaxy with no logarithm on an axis (mass zero, failed solve) gets NaN there, and derivatives stay finite; the
regressions of `corundum.observables.regression` leave such galaxies out.

A relation that depends on the past of a galaxy names the curves that it reads in its class attribute `histories`, and
reads them as ``galaxies.history("sfr")``; `corundum.observables.histories_of` collects these names for
``evolve(histories=...)``.
"""

import abc
from typing import Any, ClassVar

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..array_library import array_library
from ..parameters import FRACTION, parameter
from ..printing import Component
from ..units import SOLAR_METALLICITY, Quantity

__all__ = [
    "AbstractRelation",
    "StellarToHaloMass",
    "ColdGasFraction",
    "GasMetallicity",
    "StellarMetallicity",
    "StarFormingMainSequence",
    "HaloBaryonFraction",
]

HALO_MASS = Quantity("dex", r"$\log_{10}(M_{\rm vir}/{\rm M}_\odot)$", log=False)
STELLAR_MASS = Quantity("dex", r"$\log_{10}(M_\star/{\rm M}_\odot)$", log=False)


class AbstractRelation(Component):
    """Two axes of a scaling relation, both in log10.

    Attributes
    ----------
    title : str
        What the relation is called in a sentence.
    x_axis, y_axis : Quantity
        Unit and axis label of each axis.
    histories : tuple of str
        Quantities whose history the relation reads, as ``galaxies.history(name)``; none by default.
    single_galaxies : bool
        Whether single galaxies have a value on both axes, which is the default; sums over them do not.
    drawn_over : (float, float), optional
        Range of x [dex] over which figures draw a relation whose `x` single galaxies do not have either.

    Examples
    --------
    A relation of your own is one class:

    >>> class GasToStars(co.observables.AbstractRelation):
    ...     title = "gas to stellar mass ratio"
    ...     x_axis = co.units.Quantity("dex", "log10 stellar mass", log=False)
    ...     y_axis = co.units.Quantity("dex", "log10 gas over stars", log=False)
    ...
    ...     def x(self, galaxies):
    ...         return jnp.log10(galaxies["mstar"])
    ...
    ...     def y(self, galaxies):
    ...         return jnp.log10(galaxies["mism"] / galaxies["mstar"])
    >>> round(float(GasToStars().y({"mism": jnp.array(1e9), "mstar": jnp.array(1e10)})), 3)
    -1.0
    """

    title: eqx.AbstractClassVar[str]
    x_axis: eqx.AbstractClassVar[Quantity]
    y_axis: eqx.AbstractClassVar[Quantity]
    histories: ClassVar[tuple[str, ...]] = ()
    single_galaxies: ClassVar[bool] = True
    drawn_over: ClassVar[tuple[float, float] | None] = None

    @abc.abstractmethod
    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        """Horizontal axis of each galaxy [dex].

        Parameters
        ----------
        galaxies : Galaxies or mapping of str to array, shape (n,)
        """

    @abc.abstractmethod
    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        """Vertical axis of each galaxy [dex]; the argument is that of `x`."""

    def regressed(self, galaxies: Any, nodes: Float[Array, " m"], regression: Any) -> Any:
        """The relation at `nodes`: a `RegressedRelation`; its numbers where galaxies do not reach mean nothing.

        Parameters
        ----------
        galaxies : Galaxies or mapping of str to array, shape (n,)
            Its `valid` and `weights`, where it has them, are used.
        nodes : array, shape (m,)
            Where to estimate it [dex].
        regression : AbstractRegression
        """
        valid, weights = getattr(galaxies, "valid", None), getattr(galaxies, "weights", None)
        return regression(self.x(galaxies), self.y(galaxies), nodes, valid=valid, weights=weights)


def log10(value: Any) -> Array:
    """log10 of positive numbers, NaN for others, whose derivatives are zero.

    Examples
    --------
    >>> from corundum.observables.relations import log10
    >>> log10([100.0, 0.0])
    array([ 2., nan])
    """
    xp = array_library(value)
    # Two `where`s: the derivative of the branch that is not used must be finite too.
    value = xp.asarray(value, np.float64)
    positive = (value > 0) & xp.isfinite(value)
    return xp.where(positive, xp.log10(xp.where(positive, value, 1.0)), xp.nan)


class StellarToHaloMass(AbstractRelation):
    """log10(Mstar / Mvir) against log10 Mvir [Msun].

    Examples
    --------
    >>> relation = co.observables.StellarToHaloMass()
    >>> galaxies = {"mvir": 1e12, "mstar": 1e10}
    >>> float(relation.x(galaxies)), float(relation.y(galaxies))
    (12.0, -2.0)
    """

    title: ClassVar[str] = "stellar-to-halo mass ratio"
    x_axis: ClassVar[Quantity] = HALO_MASS
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(M_\star/M_{\rm vir})$", log=False)

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mvir"])

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mstar"]) - log10(galaxies["mvir"])


class ColdGasFraction(AbstractRelation):
    """log10(Mism / Mstar) against log10 Mstar [Msun]; Mism is all cold gas, HI + H2 + helium.

    Examples
    --------
    >>> relation = co.observables.ColdGasFraction()
    >>> float(relation.y({"mism": 1e9, "mstar": 1e10}))
    -1.0
    """

    title: ClassVar[str] = "cold gas to stellar mass ratio"
    x_axis: ClassVar[Quantity] = STELLAR_MASS
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(M_{\rm ISM}/M_\star)$", log=False)

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mstar"])

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mism"]) - log10(galaxies["mstar"])


class GasMetallicity(AbstractRelation):
    """Gas-phase 12 + log10(O/H) against log10 Mstar [Msun].

    A model follows metals, not oxygen: 12 + log10(O/H) = solar_oxygen + log10(Z_ism / solar_metallicity), the solar
    abundance pattern at a hydrogen fraction close to solar.  The two solar numbers must come from one source.
    Pandya et al. 2026 fit log10(Z_ism / 0.02), `GasMetallicity(solar_metallicity=0.02)`, which is 0.17 dex lower.

    Parameters
    ----------
    solar_metallicity : float
        Solar metal mass fraction that goes with `solar_oxygen`.
    solar_oxygen : float
        Solar 12 + log10(O/H).

    Examples
    --------
    >>> relation = co.observables.GasMetallicity()
    >>> round(float(relation.y({"mzism": 1.34e7, "mism": 1e9, "mstar": 1e10})), 2)
    8.69
    """

    title: ClassVar[str] = "gas-phase mass-metallicity relation"
    x_axis: ClassVar[Quantity] = STELLAR_MASS
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$12+\log_{10}({\rm O/H})$", log=False)

    solar_metallicity: Float[Array, ""] = parameter(
        0.0134,
        unit="1",
        meaning="solar metal mass fraction that goes with solar_oxygen",
        source="Asplund et al. 2009, ARA&A 47, 481, table 4 (present-day photosphere)",
        bounds=(0.01, 0.025),
        allowed=FRACTION,
    )
    solar_oxygen: Float[Array, ""] = parameter(
        8.69,
        unit="dex",
        meaning="solar 12 + log10(O/H)",
        source="Asplund et al. 2009, ARA&A 47, 481, table 1",
        bounds=(8.5, 9.0),
    )

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mstar"])

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        metallicity = log10(galaxies["mzism"]) - log10(galaxies["mism"])
        return self.solar_oxygen + metallicity - log10(self.solar_metallicity)


class StellarMetallicity(AbstractRelation):
    """log10(Z_star / Z_sun), mass-weighted, against log10 Mstar [Msun]; each measurement states its own Z_sun.

    Parameters
    ----------
    solar_metallicity : float
        Solar metal mass fraction of the axis.

    Examples
    --------
    >>> relation = co.observables.StellarMetallicity(solar_metallicity=0.0142)
    >>> round(float(relation.y({"mzstar": 1.42e7, "mstar": 1e10})), 2)
    -1.0
    """

    title: ClassVar[str] = "stellar mass-metallicity relation"
    x_axis: ClassVar[Quantity] = STELLAR_MASS
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(Z_\star/{\rm Z}_\odot)$", log=False)

    solar_metallicity: Float[Array, ""] = parameter(
        SOLAR_METALLICITY,
        unit="1",
        meaning="solar metal mass fraction of the axis",
        source="Pandya et al. 2023; the stellar population models of Gallazzi et al. 2005",
        bounds=(0.01, 0.025),
        allowed=FRACTION,
    )

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mstar"])

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        metallicity = log10(galaxies["mzstar"]) - log10(galaxies["mstar"])
        return metallicity - log10(self.solar_metallicity)


class StarFormingMainSequence(AbstractRelation):
    """log10 SFR [Msun/yr] against log10 Mstar [Msun].

    Examples
    --------
    >>> relation = co.observables.StarFormingMainSequence()
    >>> float(relation.x({"mstar": 1e10})), float(relation.y({"sfr": 10.0}))
    (10.0, 1.0)
    """

    title: ClassVar[str] = "star-forming main sequence"
    x_axis: ClassVar[Quantity] = STELLAR_MASS
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}({\rm SFR}/{\rm M}_\odot\,{\rm yr}^{-1})$", log=False)

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mstar"])

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["sfr"])


class HaloBaryonFraction(AbstractRelation):
    """log10[(Mcgm + Mism + Mstar) / (f_b Mvir)] against log10 Mvir [Msun].

    Mvir is all matter, baryons included, as in the halo histories and in the accretion rate f_b dMvir/dt: a halo that
    keeps its cosmic share of baryons has 0.  (Pandya et al. 2026 add the baryons on top of Mvir instead.)

    Parameters
    ----------
    baryon_fraction : float
        Cosmic baryon fraction omega_b / omega_m.

    Examples
    --------
    >>> relation = co.observables.HaloBaryonFraction(baryon_fraction=0.16)
    >>> galaxies = {"mvir": 1e12, "mcgm": 6e10, "mism": 1e10, "mstar": 1e10}
    >>> round(float(relation.y(galaxies)), 3)
    -0.301
    """

    title: ClassVar[str] = "halo baryon fraction over the cosmic one"
    x_axis: ClassVar[Quantity] = HALO_MASS
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(M_{\rm b}/f_{\rm b}M_{\rm vir})$", log=False)

    baryon_fraction: Float[Array, ""] = parameter(
        0.0486 / 0.3075,
        unit="1",
        meaning="cosmic baryon fraction omega_b / omega_m",
        source="Planck 2015 XIII, as in cosmology.pandya26_cosmology",
        bounds=(0.1, 0.25),
        allowed=FRACTION,
    )

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mvir"])

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        baryons = galaxies["mcgm"] + galaxies["mism"] + galaxies["mstar"]
        return log10(baryons) - log10(galaxies["mvir"]) - log10(self.baryon_fraction)
