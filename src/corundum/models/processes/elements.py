"""Oxygen and iron beside the sum of all metals."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import FRACTION, parameter
from ...physics import Galaxy
from ...units import LN10, Quantity
from ..ledger import Flow
from ..process import AbstractProcess, ProcessFluxes

__all__ = ["Elements"]

_SOLAR_OXYGEN, _SOLAR_IRON = 5.73e-3, 1.29e-3  # mass fractions, for 12 + log O/H = 8.69 and 12 + log Fe/H = 7.50
_OXYGEN_MASS, _HYDROGEN = 15.999 / 1.008, 0.74
_PLACES = {"oxygen": ("mostar", "moism", "mocgm"), "iron": ("mfestar", "mfeism", "mfecgm")}
_METALS = ("mzstar", "mzism", "mzcgm")
_NOTHING = 1e-12  # [Msun/Gyr]


class Elements(AbstractProcess):
    """Oxygen and iron in stars, ISM and CGM, which go where metals go.

    New metals of core-collapse supernovae hold fixed shares of both; `TypeIaSupernovae` adds iron later.  What comes
    from outside the halo has the pattern of the CGM, and stars of satellites that of the stars, unless these hand over
    their own (`HandingOverElements`).  Galaxies know
    ``alpha_to_iron``, [O/Fe] of the stars, and ``oxygen_abundance``, 12 + log10(O/H) of the ISM.

    Parameters
    ----------
    oxygen_share, iron_share : float
        Oxygen and iron in the new metals of massive stars.

    References
    ----------
    Weinberg, Andrews & Freudenburg 2017, ApJ 837, 183 (yields 0.015 and 0.0012); Asplund et al. 2009, ARA&A 47, 481.

    Examples
    --------
    >>> model = co.models.ThermalCGM(processes={"elements": co.models.Elements()})
    >>> model.ledger.currencies
    ('mass', 'metals', 'energy', 'oxygen', 'iron')
    >>> wind = model.ledger.flows[model.ledger.names.index("wind")]
    >>> wind.oxygen
    ('ism', 'cgm')
    """

    reservoirs: ClassVar[dict] = {
        (element, place): (field, Quantity("Msun", f"{element} in {where}"))
        for element, fields in _PLACES.items()
        for place, where, field in zip(("stars", "ism", "cgm"), ("stars", "the ISM", "the CGM"), fields, strict=True)
    }
    flows: ClassVar[tuple[Flow, ...]] = ()
    diagnostics: ClassVar[dict[str, Quantity]] = {
        "alpha_to_iron": Quantity("dex", "[O/Fe] of the stars", log=False),
        "oxygen_abundance": Quantity("dex", "12 + log10(O/H) of the ISM", log=False),
    }
    needs: ClassVar[tuple] = (("mass", "ism"), ("metals", "stars"), ("metals", "ism"), ("metals", "cgm"))
    follows: ClassVar[dict[str, str]] = {"oxygen": "metals", "iron": "metals"}

    oxygen_share: Float[Array, ""] = parameter(
        0.47,
        unit="1",
        meaning="oxygen in the new metals of massive stars",
        source="choice",
        bounds=(0.3, 0.7),
        allowed=FRACTION,
    )
    iron_share: Float[Array, ""] = parameter(
        0.0376,
        unit="1",
        meaning="iron in the new metals of massive stars: 0.08 of the oxygen",
        source="Weinberg, Andrews & Freudenburg 2017 [unverified]",
        bounds=(0.01, 0.1),
        allowed=FRACTION,
    )

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        return {
            field: self._share(element) * getattr(state, metals)
            for element, fields in _PLACES.items()
            for field, metals in zip(fields, _METALS, strict=True)
        }

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state = galaxy.state
        enhanced = jnp.log(state.mostar / state.mfestar * (_SOLAR_IRON / _SOLAR_OXYGEN)) / LN10
        abundance = 12.0 + jnp.log(state.moism / state.mism / (_OXYGEN_MASS * _HYDROGEN)) / LN10
        return ProcessFluxes({}, {"alpha_to_iron": enhanced, "oxygen_abundance": abundance})

    def from_outside(self, galaxy: Galaxy, currency: str, flow: Flow, rate: Any) -> Float[Array, "..."]:
        """Oxygen or iron in metals that come from nucleosynthesis or from outside the halo [Msun/yr]."""
        source, sink = flow.metals or ("", "")
        if source in ("nucleosynthesis", "progenitors"):
            return self._share(currency) * rate
        place = 0 if sink == "stars" else 2
        pattern = getattr(galaxy.state, _PLACES[currency][place]) / getattr(galaxy.state, _METALS[place])
        arriving, extras = f"satellite_{sink}_{currency}", galaxy.halo.extras
        if source != "arriving" or arriving not in extras:
            return rate * pattern
        # Of the metals that satellites hand over, as they had it.
        metals = extras[f"satellite_{sink}_metals"]
        arrive = jnp.abs(metals) > _NOTHING
        return rate * jnp.where(arrive, extras[arriving] / jnp.where(arrive, metals, 1.0), pattern)

    def _share(self, element: str) -> Float[Array, ""]:
        return self.oxygen_share if element == "oxygen" else self.iron_share
