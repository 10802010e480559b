"""When stars form at all: a factor on the star-formation rate that is one in any galaxy worth the name."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...parameters import parameter

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


class AbstractOnset(eqx.Module):
    """A factor on star formation."""

    @abc.abstractmethod
    def __call__(
        self, mism: Float[Array, "..."], condensing: Float[Array, "..."], redshift: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Between 0 and 1, for ISM mass [Msun], condensation rate [Msun/yr] and redshift."""

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        """Redshifts at which it jumps."""
        return ()


class MassOnset(AbstractOnset):
    """m^2 / (1 + m^2) with m = M_ism over the threshold: the smooth form of `Pandya23Onset`, with no redshift in
    it."""

    threshold: Float[Array, ""] = _threshold()

    def __call__(
        self, mism: Float[Array, "..."], condensing: Float[Array, "..."], redshift: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        squared = (mism / self.threshold) ** 2
        return squared / (1.0 + squared)


class Pandya23Onset(AbstractOnset):
    """Sharp: no stars before z = 8.989 (the end of its cooling tables), nor in a small ISM that nothing feeds."""

    threshold: Float[Array, ""] = _threshold()
    first_redshift: Float[Array, ""] = parameter(
        8.989, unit="1", meaning="redshift before which no stars form", source="Pandya et al. 2023", bounds=(5.0, 15.0)
    )

    def __call__(
        self, mism: Float[Array, "..."], condensing: Float[Array, "..."], redshift: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        starved = (mism < self.threshold) & (condensing <= 0.0)
        return jnp.where(starved | (redshift > self.first_redshift), 0.0, 1.0)

    def breaks(self) -> tuple[Float[Array, ""], ...]:
        return (self.first_redshift,)
