"""How many galaxies form hardly any stars, counted softly so that the number has a derivative."""

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...array_library import array_library
from ...parameters import NOT_NEGATIVE, parameter
from ...units import Quantity
from ..relations import STELLAR_MASS, AbstractRelation, log10

__all__ = ["PassiveFraction"]


class PassiveFraction(AbstractRelation):
    """Share of passive galaxies, between 0 and 1, against log10 Mstar [Msun].

    A galaxy counts by 1 / (1 + exp(x)), where x is how far its specific star-formation rate lies above a threshold,
    over a width: a step would have no derivative with respect to the parameters of a model.

    Parameters
    ----------
    log_ssfr : float
        log10 of the threshold of the specific star-formation rate [1/yr].
    width : float
        Width of the count [dex].

    Examples
    --------
    >>> relation = co.observables.PassiveFraction()
    >>> galaxies = {"mstar": np.full(3, 1e10), "sfr": np.array([1.0, 0.1, 0.0])}
    >>> np.round(relation.y(galaxies), 3).tolist()
    [0.0, 0.5, 1.0]
    """

    title: ClassVar[str] = "passive fraction"
    x_axis: ClassVar[Quantity] = STELLAR_MASS
    y_axis: ClassVar[Quantity] = Quantity("1", r"$f_{\rm passive}$", log=False)

    log_ssfr: Float[Array, ""] = parameter(
        -11.0,
        unit="dex(1/yr)",
        meaning="log10 of the specific star-formation rate below which galaxies are passive",
        source="choice",
        bounds=(-12.0, -9.0),
    )
    width: Float[Array, ""] = parameter(
        0.1, unit="dex", meaning="width of the soft count", source="choice", bounds=(0.02, 0.5), allowed=NOT_NEGATIVE
    )

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mstar"])

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        rate, stars = galaxies["sfr"], galaxies["mstar"]
        xp = array_library(rate, stars, parameters=self)
        rate, stars = xp.asarray(rate, np.float64), xp.asarray(stars, np.float64)
        forming, known = rate > 0.0, xp.isfinite(rate) & (stars > 0.0)
        ratio = xp.where(forming & known, rate, 1.0) / xp.where(known, stars, 1.0)
        above = (xp.log10(ratio) - self.log_ssfr) / self.width
        share = 0.5 * (1.0 - xp.tanh(0.5 * above))
        return xp.where(known, xp.where(forming, share, 1.0), xp.nan)
