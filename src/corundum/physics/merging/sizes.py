"""Sizes of spheroids that merge: what binds them, and what gas dissipates."""

from typing import Any

from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component

__all__ = ["MergedSizes"]


class MergedSizes(Component):
    """Half-mass radius after a merger, from the energy of the two galaxies and of their orbit.

    (M + m)^2 / r_new = [M^2/R + m^2/r + (f_orb / c) M m / (R + r)] (1 + C f), where f is the share of gas and C says
    how much it dissipates.

    Parameters
    ----------
    orbital : float
        f_orb, energy of the orbit; 1 for one that is just bound where the galaxies touch.
    form : float
        c, binding energy of a galaxy over G M^2 / r.
    dissipation : float
        C.

    References
    ----------
    Cole et al. 2000, MNRAS 319, 168 (orbit, form); Covington et al. 2011, MNRAS 415, 3135 (dissipation).

    Examples
    --------
    >>> sizes = co.physics.MergedSizes()
    >>> pairs = ((1.0, 1.0, 0.0), (1.0, 1.0, 0.3), (0.1, 0.25, 0.0))  # mass, size, share of gas
    >>> [round(float(sizes(1.0, 1.0, *other)), 3) for other in pairs]
    [1.333, 0.731, 1.008]
    """

    orbital: Float[Array, ""] = parameter(
        1.0,
        unit="1",
        meaning="energy of the orbit of merging galaxies over that of one which is just bound",
        source="Cole et al. 2000",
        bounds=(0.0, 2.0),
        allowed=NOT_NEGATIVE,
    )
    form: Float[Array, ""] = parameter(
        0.5,
        unit="1",
        meaning="binding energy of a spheroid over G M^2 / r",
        source="Cole et al. 2000",
        bounds=(0.45, 0.5),
        scale="log10",
    )
    dissipation: Float[Array, ""] = parameter(
        2.75,
        unit="1",
        meaning="C, binding that gas adds over its share of the mass",
        source="Covington et al. 2011 [unverified]",
        bounds=(0.0, 5.0),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, mass: Any, size: Any, other_mass: Any, other_size: Any, gas: Any = 0.0) -> Float[Array, "..."]:
        """Half-mass radius after a merger, in the unit of `size`; `gas` is the share of gas."""
        orbit = self.orbital / self.form * mass * other_mass / (size + other_size)
        binding = mass**2 / size + other_mass**2 / other_size + orbit
        return (mass + other_mass) ** 2 / (binding * (1.0 + self.dissipation * gas))

    def settling(self, mass: Any, size: Any, other_mass: Any, other_size: Any, gas: Any) -> Float[Array, "..."]:
        """Radius at which the second galaxy settles: r_new is the mean of it and `size`, weighted by mass."""
        merged = self(mass, size, other_mass, other_size, gas)
        return merged + mass * (merged - size) / other_mass
