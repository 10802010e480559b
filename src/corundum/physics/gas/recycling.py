"""How long gas that has left the halo takes to fall in again."""

from jaxtyping import Float

from ...annotations import Array
from ...parameters import parameter
from ..galaxy import AbstractGalaxyScaling, Galaxy

__all__ = ["DynamicalReturn", "Henriques13Return"]


class DynamicalReturn(AbstractGalaxyScaling):
    """A multiple of the dynamical time of the halo (De Lucia, Kauffmann & White 2004, MNRAS 349, 1101) [Gyr].

    Parameters
    ----------
    times : float
        Return time over the dynamical time.

    Examples
    --------
    >>> recycling = co.models.HaloRecycling(time=co.physics.DynamicalReturn(times=5.0))
    >>> model = co.models.ThermalCGM(processes={"recycling": recycling})
    """

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
    """18 Gyr (10^10 Msun / Mvir): gas returns quickly to massive halos and hardly ever to dwarfs [Gyr].

    Parameters
    ----------
    time : float
        Return time in a halo of 10^10 Msun [Gyr].

    References
    ----------
    Henriques et al. 2013, MNRAS 431, 3373, equation 8.

    Examples
    --------
    >>> recycling = co.models.HaloRecycling(time=co.physics.Henriques13Return())
    >>> model = co.models.ThermalCGM(processes={"recycling": recycling})
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
