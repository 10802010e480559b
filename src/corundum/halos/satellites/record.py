"""What histories know of their satellites: when each fell into the halo of its host, its mass then, and its orbit."""

from typing import Any

import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...array_library import is_traced
from ...plain_numbers import float64
from ...printing import Component
from ...units import Quantity
from ..per_halo import per_halo_field, per_halo_fields, take_rows

__all__ = ["Satellites"]


class Satellites(Component):
    """Infall and orbit of N halos, of which some are satellites; it goes with the `host` of `HaloHistories`.

    A halo is a central until it falls into the halo of its host, and a satellite of that host from then on.  Its mass
    and structure stay what they were at infall.

    Parameters
    ----------
    infall : array, shape (N,)
        Cosmic age [Gyr] at which each fell in; infinite for centrals.
    ratio : array, shape (N,)
        Mass at infall over that of its host, without the satellite; NaN for centrals.
    circularity : array, shape (N,), optional
        Angular momentum of the orbit over that of a circular one of the same energy; NaN, the default, where the orbit
        is not known, which makes it a typical one with a wider distribution of merging times.
    radius : array, shape (N,), optional
        Radius of that circular orbit over the virial radius of the host; NaN where not known.
    latent : array, shape (N, L), optional
        Standard normal numbers that stay with each halo, which parameters scale to spins, orbits and scatter.

    Raises
    ------
    ValueError
        Shapes disagree.

    Examples
    --------
    The second halo of two fell into the first at 4 Gyr, with a tenth of its mass:

    >>> satellites = co.halos.Satellites([np.inf, 4.0], [np.nan, 0.1])
    >>> len(satellites), satellites.known_orbit.tolist()
    (2, [False, False])
    """

    infall: Float[Array, " n"] = per_halo_field(
        Quantity("Gyr", "cosmic age at which each halo became a satellite; inf: central", log=False)
    )
    ratio: Float[Array, " n"] = per_halo_field(Quantity("1", "mass at infall over that of the host"))
    circularity: Float[Array, " n"] = per_halo_field(
        Quantity("1", "circularity of the orbit at infall; NaN: not known", log=False)
    )
    radius: Float[Array, " n"] = per_halo_field(
        Quantity("1", "radius of the circular orbit of the same energy over Rvir of the host; NaN: not known")
    )
    latent: Float[Array, "n l"] | None = per_halo_field(
        Quantity("1", "standard normal numbers of each halo", log=False)
    )

    def __init__(self, infall, ratio, circularity=None, radius=None, latent=None):
        self.infall = float64("infall", infall, "Gyr")
        self.ratio = float64("ratio", ratio)
        unknown = np.full(np.shape(self.infall), np.nan)
        self.circularity = float64("circularity", unknown if circularity is None else circularity)
        self.radius = float64("radius", unknown if radius is None else radius)
        self.latent = None if latent is None else float64("latent", latent)

    def __check_init__(self):
        for name in per_halo_fields(self):
            value = getattr(self, name)
            if value is None:
                continue
            expected = (len(self), value.shape[-1]) if name == "latent" and value.ndim else (len(self),)
            if self.infall.ndim != 1 or value.shape != expected:
                raise ValueError(
                    f"Satellites: {name} has shape {value.shape} and infall {self.infall.shape}; give one number of "
                    "each for every halo" + (", and a row of latent numbers" if name == "latent" else "")
                )

    def __len__(self) -> int:
        return self.infall.shape[0] if self.infall.ndim else 0

    def __getitem__(self, rows: Any) -> "Satellites":
        return Satellites(**take_rows(self, rows))

    @property
    def known_orbit(self) -> Any:
        """Whether the orbit of each halo is known, shape (N,)."""
        if is_traced(self.circularity):
            return ~(self.circularity != self.circularity)
        return np.isfinite(np.asarray(self.circularity)) & np.isfinite(np.asarray(self.radius))
