"""Angular momentum of gas and stars, and the discs that follow from it.

Gas that settles brings a share of the specific angular momentum of its halo, sqrt(2) lambda' V R.  An exponential disc
in a flat rotation curve V_c has the scale length R_d = J / (2 M V_c), and its own gravity adds to V_c.
"""

import abc
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...halos import Halo
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component, in_short
from ...units import GRAVITY
from ..galaxy import Galaxy
from .discs import AbstractDiscSize, disc_stars

__all__ = [
    "AbstractSpin",
    "Disc",
    "HALF_MASS",
    "LogNormalSpin",
    "MomentumDiscSize",
    "bulge_size",
    "disc_of",
    "peak_velocity",
]

HALF_MASS = 1.6783469900166605
"""Half-mass radius of an exponential disc over its scale length."""

_SELF_GRAVITY = 0.4  # of G M / R_d, in V_c^2
_NFW_PEAK = 0.21621  # V_max^2 of an NFW halo is this times V^2 c / x_c(c)


class AbstractSpin(Component):
    """Spin parameter lambda' = J / (sqrt 2 M V R) of a halo.

    Examples
    --------
    >>> class SteadySpin(co.physics.AbstractSpin):
    ...     def __call__(self, halo):
    ...         return 0.035 * jnp.ones_like(halo.mvir)
    >>> model = co.models.ThermalCGM(processes={"discs": co.models.Discs(spin=SteadySpin())})
    """

    @abc.abstractmethod
    def __call__(self, halo: Halo) -> Float[Array, "..."]:
        """lambda' of `halo`."""


class LogNormalSpin(AbstractSpin):
    """A log-normal spin, drawn once for each halo: median exp(scatter z), with the standard normal z of the halo.

    z is the extra curve ``spin_latent`` of the histories (see `corundum.halos.with_latents`); halos without it have the
    median.  One number for the whole life of a halo keeps its disc from jumping.

    Parameters
    ----------
    median : float
        Median of lambda'.
    scatter : float
        Standard deviation of ln(lambda').

    References
    ----------
    Bullock et al. 2001, ApJ 555, 240.

    Examples
    --------
    >>> spin = co.physics.LogNormalSpin(median=0.04)
    >>> np.round(spin(halos.at(redshift=0.0)), 3).tolist()  # these halos have no latent numbers
    [0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04]
    """

    median: Float[Array, ""] = parameter(
        0.035,
        unit="1",
        meaning="median halo spin lambda'",
        source="Bullock et al. 2001 [unverified]",
        bounds=(0.01, 0.1),
        scale="log10",
    )
    scatter: Float[Array, ""] = parameter(
        0.5,
        unit="1",
        meaning="standard deviation of ln(lambda')",
        source="Bullock et al. 2001 [unverified]",
        bounds=(0.0, 1.0),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, halo: Halo) -> Float[Array, "..."]:
        latent = halo.extras["spin_latent"] if "spin_latent" in halo.extras else 0.0 * halo.mvir
        return self.median * jnp.exp(self.scatter * latent)


def peak_velocity(halo: Halo) -> Float[Array, "..."]:
    """Largest circular velocity of an NFW halo [km/s].

    Examples
    --------
    >>> halo = co.halos.Halo(13.8, 0.0, 1e12, 260.0, 130.0, 10.0, 30.0)
    >>> round(float(peak_velocity(halo) / halo.vvir), 3)
    1.205
    """
    c = halo.concentration
    return halo.vvir * jnp.sqrt(_NFW_PEAK * c / (jnp.log1p(c) - c / (1.0 + c)))


class Disc(NamedTuple):
    """The disc of a galaxy.

    Attributes
    ----------
    size, stars, gas : scale lengths of the disc and of its stars and gas [kpc]
    velocity : circular velocity V_c [km/s]
    mass : of stars and gas in the disc [Msun]
    """

    size: Float[Array, "..."]
    stars: Float[Array, "..."]
    gas: Float[Array, "..."]
    velocity: Float[Array, "..."]
    mass: Float[Array, "..."]

    def __repr__(self) -> str:
        return in_short(self)


def disc_of(galaxy: Galaxy) -> Disc:
    """The disc that follows from masses and angular momenta of ISM and stars.

    With V_c^2 = V_max^2 + 0.4 G M / R_d, the condition R_d V_c = J / (2 M) is quadratic in R_d.

    Parameters
    ----------
    galaxy : Galaxy
        Its state has ``jism`` and ``jstar`` [Msun kpc km/s], as in models with the process `corundum.models.Discs`.

    References
    ----------
    Mo, Mao & White 1998, MNRAS 295, 319.
    """
    state, peak = galaxy.state, peak_velocity(galaxy.halo)
    stars = disc_stars(state)
    mass = state.mism + stars
    half_j = 0.5 * (state.jism + state.jstar) / mass
    pull = _SELF_GRAVITY * GRAVITY * mass
    # The root in the form that keeps all digits where self-gravity dominates.
    size = 2.0 * half_j**2 / (pull + jnp.sqrt(pull**2 + (2.0 * peak * half_j) ** 2))
    velocity = half_j / size
    return Disc(size, 0.5 * state.jstar / stars / velocity, 0.5 * state.jism / state.mism / velocity, velocity, mass)


def bulge_size(state: Any) -> Float[Array, "..."]:
    """Half-mass radius [kpc] of the bulge of a galaxy with the process `corundum.models.Bulge`."""
    return state.rmbulge / state.mbulge


class MomentumDiscSize(AbstractDiscSize):
    """Scale length of the disc of a galaxy whose angular momentum is followed, for models with the process `Discs`.

    Examples
    --------
    >>> depletion = co.physics.MolecularDepletion(disc=co.physics.MomentumDiscSize())
    >>> model = co.models.ThermalCGM(depletion_time=depletion, processes={"discs": co.models.Discs()})
    """

    def __call__(self, halo: Halo) -> Float[Array, "..."]:
        raise ValueError(
            "MomentumDiscSize: a halo alone has no disc; ask for the size of a galaxy, of(galaxy), or use DiscSize()"
        )

    def of(self, galaxy: Galaxy) -> Float[Array, "..."]:
        """Scale length [kpc] of the disc of `galaxy`."""
        return disc_of(galaxy).size
