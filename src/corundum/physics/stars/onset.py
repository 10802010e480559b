"""When stars form at all: a factor that suppresses star formation where the ISM is nearly empty and is 1 otherwise."""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...parameters import parameter
from ..galaxy import AbstractLaw, Galaxy

__all__ = ["AbstractOnset", "MassOnset", "Pandya23Onset"]


def _threshold():
    return parameter(
        1e3,
        unit="Msun",
        meaning="ISM mass below which hardly any stars form",
        source="Pandya et al. 2023",
        bounds=(1.0, 1e5),
        scale="log10",
    )


class AbstractOnset(AbstractLaw):
    """A factor on star formation.

    Examples
    --------
    >>> class AlwaysOn(co.physics.AbstractOnset):
    ...     def __call__(self, mism, condensing, redshift):
    ...         return jnp.ones_like(mism)
    >>> model = co.models.TurbulentCGM(onset=AlwaysOn())
    """

    @abc.abstractmethod
    def __call__(
        self, mism: Float[Array, "..."], condensing: Float[Array, "..."], redshift: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Factor between 0 and 1.

        Parameters
        ----------
        mism : array
            ISM mass [Msun].
        condensing : array
            Rate at which CGM gas reaches the ISM [Msun/yr].
        redshift : array
        """

    def value(self, imposed: Any, galaxy: Galaxy) -> Float[Array, "..."]:
        """The factor for a galaxy whose ``condensing`` is known."""
        return self(galaxy.state.mism, galaxy.quantities["condensing"], galaxy.halo.redshift)

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        """Redshifts at which the factor jumps."""
        return ()


class MassOnset(AbstractOnset):
    """m^2 / (1 + m^2) with m = M_ism / threshold: the smooth form of `Pandya23Onset`, the same at all redshifts.

    Parameters
    ----------
    threshold : float
        ISM mass below which hardly any stars form [Msun].

    Examples
    --------
    >>> onset = co.physics.MassOnset(threshold=1e3)
    >>> [round(float(onset(mism, 0.0, 2.0)), 2) for mism in (1e2, 1e3, 1e4)]
    [0.01, 0.5, 0.99]
    """

    threshold: Float[Array, ""] = _threshold()

    def __call__(
        self, mism: Float[Array, "..."], condensing: Float[Array, "..."], redshift: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        squared = (mism / self.threshold) ** 2
        return squared / (1.0 + squared)


class Pandya23Onset(AbstractOnset):
    """Sharp: no stars before z = 8.989 (the end of the published cooling tables), nor in a small ISM without supply.

    Parameters
    ----------
    threshold : float
        ISM mass below which no stars form unless gas condenses [Msun].
    first_redshift : float
        Redshift before which no stars form.

    Examples
    --------
    >>> onset = co.physics.Pandya23Onset()
    >>> [float(onset(1e6, 0.1, redshift)) for redshift in (8.0, 10.0)]
    [1.0, 0.0]
    """

    threshold: Float[Array, ""] = _threshold()
    first_redshift: Float[Array, ""] = parameter(
        8.989, unit="1", meaning="redshift before which no stars form", source="Pandya et al. 2023", bounds=(5.0, 15.0)
    )

    def __call__(
        self, mism: Float[Array, "..."], condensing: Float[Array, "..."], redshift: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        no_supply = (mism < self.threshold) & (condensing <= 0.0)
        return jnp.where(no_supply | (redshift > self.first_redshift), 0.0, 1.0)

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        return (self.first_redshift,)
