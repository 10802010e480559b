"""How long gas that has left the halo takes to come back."""

from jaxtyping import Array, Float

from ...parameters import parameter
from ..galaxy import AbstractGalaxyScaling, Galaxy

__all__ = ["DynamicalReturn", "Henriques13Return"]


class DynamicalReturn(AbstractGalaxyScaling):
    """A multiple of the dynamical time of the halo (De Lucia, Kauffmann & White 2004, MNRAS 349, 1101) [Gyr]."""

    times: Float[Array, ""] = parameter(
        3.0,
        unit="t_dyn",
        meaning="return time of gas that left the halo",
        source="De Lucia et al. 2004",
        bounds=(0.5, 30.0),
        scale="log10",
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self.times * galaxy.quantities["t_dyn"]


class Henriques13Return(AbstractGalaxyScaling):
    """18 Gyr (10^10 Msun / Mvir): gas comes back to massive halos soon and to dwarfs never.

    References
    ----------
    Henriques et al. 2013, MNRAS 431, 3373, equation 8.
    """

    time: Float[Array, ""] = parameter(
        18.0,
        unit="Gyr",
        meaning="return time in a halo of 10^10 Msun",
        source="Henriques et al. 2013",
        bounds=(1.0, 100.0),
        scale="log10",
    )

    def __call__(self, galaxy: Galaxy) -> Float[Array, "..."]:
        return self.time * 1e10 / galaxy.halo.mvir
