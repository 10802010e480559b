"""The size of the disc that gas settles into, from the spin of its halo.

There are two definitions of the spin parameter, and each has a formula of its own for the size.  Bullock et al. 2001
define lambda' = J / (sqrt 2 M V R).  With it a disc that keeps the specific angular momentum of its halo has the scale
length R_d = lambda' R / sqrt 2, whatever the profile of the halo.  Peebles defines lambda = J |E|^(1/2) / (G M^(5/2)),
which is lambda' f_c^(1/2); Mo, Mao & White 1998 use it, and their formula contains f_c, which depends on concentration.
A number of one definition in the formula of the other is wrong by f_c^(1/2), up to 30%.
"""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...halos import Halo
from ...parameters import parameter
from ...printing import Component
from ..galaxy import Galaxy

__all__ = ["AbstractDiscSize", "DiscSize", "MoMaoWhite98DiscSize", "disc_stars"]


_LEAST_DISC = 1e-6  # of the stars: what is left of a disc that has become a bulge


def disc_stars(state: Any) -> Float[Array, "..."]:
    """Stars of the disc [Msun]: all but those of the bulge, where the state of a galaxy has one.

    Examples
    --------
    >>> disc_stars(model.ledger.state(*[1e10] * 7))
    10000000000.0
    """
    if not hasattr(state, "mbulge"):
        return state.mstar
    return jnp.maximum(state.mstar - state.mbulge, _LEAST_DISC * state.mstar)


def _spin(default, meaning, source):
    return parameter(default, unit="1", meaning=meaning, source=source, bounds=(0.01, 0.1), scale="log10")


class AbstractDiscSize(Component):
    """Scale length of the disc of a galaxy.

    Examples
    --------
    >>> class ObservedSize(co.physics.AbstractDiscSize):
    ...     def __call__(self, halo):
    ...         return 0.009 * halo.rvir
    >>> model = co.models.ThermalCGM(depletion_time=co.physics.DynamicalDepletion(disc=ObservedSize()))
    """

    @abc.abstractmethod
    def __call__(self, halo: Halo) -> Float[Array, "..."]:
        """Scale length [kpc] of the exponential disc in `halo`."""

    def of(self, galaxy: Galaxy) -> Float[Array, "..."]:
        """Scale length [kpc] of the disc of a galaxy: that of its halo, unless a rule looks at the galaxy."""
        return self(galaxy.halo)


class DiscSize(AbstractDiscSize):
    """Scale length R_d = lambda' Rvir / sqrt 2 of an exponential disc, with the spin lambda' of Bullock et al. 2001.

    The disc keeps the specific angular momentum of the halo and has the rotation curve of its virial velocity; its own
    gravity is left out.

    Parameters
    ----------
    spin : float
        Spin lambda', the same for all halos.

    References
    ----------
    Bullock et al. 2001, ApJ 555, 240 (definition of lambda' and its median).

    Examples
    --------
    >>> halo = halos.at(redshift=0.0)
    >>> bool(jnp.allclose(co.physics.DiscSize(spin=0.04)(halo), 0.04 * halo.rvir / jnp.sqrt(2.0)))
    True
    """

    spin: Float[Array, ""] = _spin(0.035, "halo spin lambda'", "Bullock et al. 2001 [unverified]")

    def __call__(self, halo: Halo) -> Float[Array, "..."]:
        """Scale length [kpc]."""
        return self.spin * halo.rvir / jnp.sqrt(2.0)


class MoMaoWhite98DiscSize(AbstractDiscSize):
    """Scale length R_d = (lambda / sqrt 2) f_c(c)^(-1/2) Rvir of an exponential disc in an NFW halo.

    f_c = 2/3 + (c / 21.5)^0.7 is the binding energy of the halo over that of an isothermal sphere.  The disc keeps the
    specific angular momentum of the halo, and its own gravity is left out (f_R = 1).

    Parameters
    ----------
    spin : float
        Spin lambda of Peebles, the same for all halos.

    References
    ----------
    Mo, Mao & White 1998, MNRAS 295, 319, equations 22 to 29.

    Examples
    --------
    >>> halo = halos.at(redshift=0.0)
    >>> size = co.physics.MoMaoWhite98DiscSize()(halo)
    >>> bool(jnp.all((size > 0.015 * halo.rvir) & (size < 0.045 * halo.rvir)))
    True
    """

    spin: Float[Array, ""] = _spin(0.05, "halo spin lambda of Peebles", "Mo, Mao & White 1998 [unverified]")

    def __call__(self, halo: Halo) -> Float[Array, "..."]:
        """Scale length [kpc]."""
        binding = 2.0 / 3.0 + (halo.concentration / 21.5) ** 0.7
        return self.spin * halo.rvir / jnp.sqrt(2.0 * binding)
