"""Sizes of galaxies and the share of their stars that is in bulges."""

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...array_library import array_library
from ...units import Quantity
from ..relations import STELLAR_MASS, AbstractRelation, log10

__all__ = ["BulgeShare", "SizeMass"]


class SizeMass(AbstractRelation):
    """log10 of the half-mass radius of the stars [kpc] against log10 Mstar [Msun].

    Galaxies know it in models with the process `corundum.models.Discs`.  Data give the radius that holds half of the
    light; in the near infrared it is close to that of the mass.

    Examples
    --------
    >>> relation = co.observables.SizeMass()
    >>> float(relation.x({"mstar": 1e10})), float(relation.y({"half_mass_radius": 10.0}))
    (10.0, 1.0)
    """

    title: ClassVar[str] = "size-mass relation"
    x_axis: ClassVar[Quantity] = STELLAR_MASS
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(R_{50}/{\rm kpc})$", log=False)

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mstar"])

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["half_mass_radius"])


class BulgeShare(AbstractRelation):
    """Share of the stars that is in the bulge, between 0 and 1, against log10 Mstar [Msun].

    Galaxies know it in models with the process `corundum.models.Bulge`.  The share is no logarithm, so that its mean
    over galaxies is the share of all their stars.

    Examples
    --------
    >>> relation = co.observables.BulgeShare()
    >>> float(relation.y({"mbulge": 3e9, "mstar": 1e10}))
    0.3
    """

    title: ClassVar[str] = "bulge share"
    x_axis: ClassVar[Quantity] = STELLAR_MASS
    y_axis: ClassVar[Quantity] = Quantity("1", r"$M_{\rm bulge}/M_\star$", log=False)

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mstar"])

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        stars, bulge = galaxies["mstar"], galaxies["mbulge"]
        xp = array_library(stars, bulge)
        stars = xp.asarray(stars, np.float64)
        return xp.where(stars > 0.0, bulge / xp.where(stars > 0.0, stars, 1.0), xp.nan)
