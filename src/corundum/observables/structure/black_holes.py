"""Black holes and the bulges they live in."""

from typing import Any, ClassVar

from jaxtyping import Float

from ...annotations import Array
from ...units import Quantity
from ..relations import AbstractRelation, log10

__all__ = ["BlackHoleBulge"]


class BlackHoleBulge(AbstractRelation):
    """log10 of the black-hole mass against log10 of the stellar mass of the bulge, both [Msun].

    Galaxies know them in models with the processes `corundum.models.BlackHole` and `corundum.models.Bulge`.

    Examples
    --------
    >>> relation = co.observables.BlackHoleBulge()
    >>> float(relation.x({"mbulge": 1e11})), float(relation.y({"mbh": 1e8}))
    (11.0, 8.0)
    """

    title: ClassVar[str] = "black hole-bulge relation"
    x_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(M_{\rm bulge}/{\rm M}_\odot)$", log=False)
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(M_{\rm BH}/{\rm M}_\odot)$", log=False)

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mbulge"])

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mbh"])
