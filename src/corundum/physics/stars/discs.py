"""The size of the disc that gas settles into, from the spin and the concentration of its halo."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...halos import Halo
from ...parameters import parameter

__all__ = ["DiscSize"]


class DiscSize(eqx.Module):
    """Scale length R_d = (lambda / sqrt 2) f_c(c)^(-1/2) Rvir of an exponential disc in an NFW halo.

    f_c = 2/3 + (c / 21.5)^0.7 is the binding energy of the halo over that of an isothermal sphere.  The disc keeps the
    specific angular momentum of the halo, and its own gravity is left out (f_R = 1).

    Parameters
    ----------
    spin : float
        Spin lambda, the same for all halos.

    References
    ----------
    Mo, Mao & White 1998, MNRAS 295, 319, equations 22 to 29.

    Examples
    --------
    >>> halo = halos.at(redshift=0.0)
    >>> size = co.physics.DiscSize()(halo)
    >>> bool(jnp.all((size > 0.01 * halo.rvir) & (size < 0.03 * halo.rvir)))
    True
    """

    spin: Float[Array, ""] = parameter(
        0.035, unit="1", meaning="halo spin lambda", source="Mo, Mao & White 1998", bounds=(0.01, 0.1), scale="log10"
    )

    def __call__(self, halo: Halo) -> Float[Array, "..."]:
        """Scale length [kpc]."""
        binding = 2.0 / 3.0 + (halo.concentration / 21.5) ** 0.7
        return self.spin * halo.rvir / jnp.sqrt(2.0 * binding)
