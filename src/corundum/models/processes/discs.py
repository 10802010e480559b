"""Discs: the angular momentum of gas and stars, and the sizes of galaxies that follow from it."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology
from ...halos import Halo
from ...parameters import NOT_NEGATIVE, parameter
from ...physics import AbstractSpin, Galaxy, LogNormalSpin
from ...physics.stars.discs import disc_stars
from ...physics.stars.momentum import HALF_MASS, bulge_size, disc_of
from ...units import GYR_YR, Quantity
from ..ledger import Flow
from ..process import AbstractProcess, ProcessFluxes
from .satellites.handing_elements import MOMENTUM_SINK

__all__ = ["Discs"]

_MOMENTUM = "Msun kpc km/s"
_LEAST = 1e-6  # [Msun kpc km/(s yr)], far below what any merger brings


class Discs(AbstractProcess):
    """Angular momentum of ISM and stars, which gives the size of the disc.

    Gas that settles brings j = f_j sqrt(2) lambda' V R of its halo at that time.  Every flow of the model and of its
    processes then carries angular momentum in proportion to what the reservoir holds that it leaves: stars form with
    that of the gas, winds take theirs along.  Galaxies know ``disc_size``, ``gas_disc_size`` (scale lengths),
    ``half_mass_radius`` of the stars [kpc] and ``disc_velocity`` [km/s].

    Parameters
    ----------
    spin : AbstractSpin
        lambda'.
    kept : float
        f_j, share of the specific angular momentum of the halo that gas keeps.
    orbital : float
        That of merging satellites, whose orbits point in all directions, over sqrt(2) lambda' V R.  The spin of their
        gas adds in quadrature where they hand it over (`HandingOverMomentum`).

    References
    ----------
    Fall & Efstathiou 1980, MNRAS 193, 189; Mo, Mao & White 1998, MNRAS 295, 319.

    Examples
    --------
    >>> model = co.models.ThermalCGM(processes={"discs": co.models.Discs()})
    >>> galaxies = co.evolve(model, halos, [0.0])
    >>> ratio = np.asarray(galaxies["half_mass_radius"] / galaxies["rvir"])
    >>> bool(np.all((ratio > 0.005) & (ratio < 0.03)))
    True
    """

    reservoirs: ClassVar[dict] = {
        ("momentum", "ism"): ("jism", Quantity(_MOMENTUM, "angular momentum of the ISM")),
        ("momentum", "stars"): ("jstar", Quantity(_MOMENTUM, "angular momentum of the stars")),
    }
    flows: ClassVar[tuple[Flow, ...]] = ()
    diagnostics: ClassVar[dict[str, Quantity]] = {
        "disc_size": Quantity("kpc", "scale length of the stellar disc"),
        "gas_disc_size": Quantity("kpc", "scale length of the gas disc"),
        "half_mass_radius": Quantity("kpc", "half-mass radius of the stars"),
        "disc_velocity": Quantity("km/s", "circular velocity of the disc"),
    }
    needs: ClassVar[tuple] = (("mass", "ism"), ("mass", "stars"))
    follows: ClassVar[dict[str, str]] = {"momentum": "mass"}

    spin: AbstractSpin = eqx.field(default_factory=LogNormalSpin)
    kept: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="f_j, share of the specific angular momentum of the halo that gas keeps",
        source="choice",
        bounds=(0.2, 2.0),
        scale="log10",
    )
    orbital: Float[Array, ""] = parameter(
        0.5,
        unit="1",
        meaning="specific angular momentum of merging satellites over sqrt(2) lambda' V R",
        source="choice",
        bounds=(0.0, 2.0),
        allowed=NOT_NEGATIVE,
    )

    def initial(self, state: Any, halo: Halo, cosmology: Cosmology) -> dict[str, Float[Array, "..."]]:
        specific = self.kept * self._of_halo(halo)
        return {"jism": specific * state.mism, "jstar": specific * state.mstar}

    def own_fluxes(self, galaxy: Galaxy) -> ProcessFluxes:
        state, disc = galaxy.state, disc_of(galaxy)
        half = HALF_MASS * disc.stars
        if hasattr(state, "mbulge"):
            stars = disc_stars(state)
            half = (half * stars + bulge_size(state) * state.mbulge) / (stars + state.mbulge)
        sizes = {"disc_size": disc.stars, "gas_disc_size": disc.gas, "half_mass_radius": half}
        return ProcessFluxes({}, {**sizes, "disc_velocity": disc.velocity})

    def from_outside(self, galaxy: Galaxy, currency: str, flow: Flow, rate: Any) -> Float[Array, "..."]:
        """Angular momentum [Msun kpc km/(s yr)] that gas and stars from outside the disc bring."""
        source, sink = flow.momentum or ("", "")
        if source != "arriving":
            return self.kept * self._of_halo(galaxy.halo) * rate
        if sink == "stars" and hasattr(galaxy.state, "mbulge"):
            return 0.0 * rate  # stars of satellites join the bulge
        orbit, name = self.orbital * self._of_halo(galaxy.halo) * rate, f"satellite_{MOMENTUM_SINK}"
        if sink != "ism" or name not in galaxy.halo.extras:
            return orbit
        spin = galaxy.halo.extras[name] / GYR_YR
        return jnp.sqrt(orbit**2 + spin**2 + _LEAST**2) - _LEAST

    def _of_halo(self, halo: Halo) -> Float[Array, "..."]:
        """Specific angular momentum of the halo [kpc km/s]."""
        return jnp.sqrt(2.0) * self.spin(halo) * halo.vvir * halo.rvir
