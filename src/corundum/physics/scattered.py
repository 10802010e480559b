"""Scatter between galaxies of one kind of halo, and in time: a law times a log-normal number of its halo."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Float

from ..annotations import Array
from ..halos import Halo
from ..parameters import NOT_NEGATIVE, parameter
from ..units import LN10
from .galaxy import AbstractGalaxyScaling, AbstractScaling, Galaxy

__all__ = ["ScatteredLaw", "ScatteredRate"]


def _scatter(default):
    return parameter(
        default, unit="dex", meaning="standard deviation", source="choice", bounds=(0.0, 0.5), allowed=NOT_NEGATIVE
    )


class ScatteredLaw(AbstractGalaxyScaling):
    """A law times exp(x - var(x) / 2), whose mean is 1, where x is `scatter` times a standard normal of the halo.

    Parameters
    ----------
    law : AbstractScaling or AbstractGalaxyScaling
    scatter : float
        Standard deviation [dex].
    latent : str
        Extra curve of the halos that holds the standard normal (see `corundum.halos.with_latents`); without it the law
        stays as it is.

    Examples
    --------
    >>> loading = co.physics.ScatteredLaw(co.physics.MassLoading(), scatter=0.2)
    >>> model = co.models.ThermalCGM(mass_loading=loading)
    """

    law: AbstractScaling | AbstractGalaxyScaling
    scatter: Float[Array, ""] = _scatter(0.15)
    latent: str = eqx.field(static=True, default="loading_latent")

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self.value(self.law.imposed(galaxy.halo), galaxy)

    def imposed(self, halo: Halo) -> Any:
        """What the halo imposes on the law itself."""
        return self.law.imposed(halo)

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The value for a galaxy."""
        return self.law.value(imposed, galaxy) * _factor(galaxy.halo, self.latent, self.scatter)


class ScatteredRate(AbstractGalaxyScaling):
    """A time over such a factor, so that the *rate* scatters around its mean: star formation, for a depletion time.

    Its number wanders along the history of a halo with a correlation of 0.15 in ln(t), that of a dynamical time.

    Parameters
    ----------
    law : AbstractScaling or AbstractGalaxyScaling
        Of a time [Gyr].
    scatter : float
        Standard deviation of the rate [dex].
    latent : str
        As in `ScatteredLaw`.

    Examples
    --------
    >>> bursty = co.physics.ScatteredRate(co.physics.DepletionTime())
    >>> model = co.models.ThermalCGM(depletion_time=bursty)
    >>> various = co.halos.with_latents(halos, key=0)
    """

    law: AbstractScaling | AbstractGalaxyScaling
    scatter: Float[Array, ""] = _scatter(0.25)
    latent: str = eqx.field(static=True, default="star_formation_latent")

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self.value(self.law.imposed(galaxy.halo), galaxy)

    def imposed(self, halo: Halo) -> Any:
        """What the halo imposes on the law itself."""
        return self.law.imposed(halo)

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The value for a galaxy [Gyr]."""
        return self.law.value(imposed, galaxy) / _factor(galaxy.halo, self.latent, self.scatter)


def _factor(halo: Halo, latent: str, scatter: Float[Array, ""]) -> Float[Array, "..."]:
    if latent not in halo.extras:
        return jnp.ones_like(halo.mvir)
    sigma = LN10 * scatter
    return jnp.exp(sigma * halo.extras[latent] - 0.5 * sigma**2)
