"""How much of the rest-mass energy of what a black hole accretes heats the gas around its galaxy."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...numerics.limiters import AbstractMinimum, SmoothMinimum
from ...parameters import FRACTION, NOT_NEGATIVE, parameter
from ...printing import Component

__all__ = ["AbstractFeedback", "MaintenanceFeedback", "TwoModeFeedback"]


class AbstractFeedback(Component):
    """Energy that reaches the CGM over the rest-mass energy of what a black hole accretes.

    Examples
    --------
    A hundredth of everything:

    >>> class Uniform(co.physics.AbstractFeedback):
    ...     def kinetic_share(self, mass, ratio, hot_share):
    ...         return 0.0 * ratio
    ...     def __call__(self, mass, ratio, hot_share):
    ...         return 0.01 + 0.0 * ratio
    >>> black_hole = co.models.BlackHole(feedback=Uniform())
    """

    @abc.abstractmethod
    def kinetic_share(self, mass: Any, ratio: Any, hot_share: Any) -> Float[Array, "..."]:
        """Weight of the kinetic mode, 0 to 1; the arguments are those of the energy."""

    @abc.abstractmethod
    def __call__(self, mass: Any, ratio: Any, hot_share: Any) -> Float[Array, "..."]:
        """Energy over accreted rest mass.

        Parameters
        ----------
        mass : array
            Of the black hole [Msun].
        ratio : array
            Accretion rate over the Eddington rate.
        hot_share : array
            Share of what is accreted that comes from the hot mode.
        """


class MaintenanceFeedback(AbstractFeedback):
    """Only hot gas that feeds the black hole heats the CGM, at any accretion rate (maintenance or radio mode).

    Parameters
    ----------
    efficiency : float
        Energy over accreted rest mass.

    References
    ----------
    Croton et al. 2006, MNRAS 365, 11 (0.1).

    Examples
    --------
    >>> feedback = co.physics.MaintenanceFeedback()
    >>> [round(float(feedback(1e8, 0.01, hot_share)), 3) for hot_share in (0.0, 0.5, 1.0)]
    [0.0, 0.05, 0.1]
    """

    efficiency: Float[Array, ""] = parameter(
        0.1,
        unit="1",
        meaning="energy to the CGM over the rest mass of hot gas that is accreted",
        source="Croton et al. 2006",
        bounds=(1e-3, 1.0),
        scale="log10",
        allowed=FRACTION,
    )

    def kinetic_share(self, mass: Any, ratio: Any, hot_share: Any) -> Float[Array, "..."]:
        return hot_share

    def __call__(self, mass: Any, ratio: Any, hot_share: Any) -> Float[Array, "..."]:
        return self.efficiency * hot_share


class TwoModeFeedback(AbstractFeedback):
    """Energy over accreted rest mass: low in the radiative mode, high in the kinetic mode of slowly fed black holes.

    The mode changes at the Eddington ratio min[0.002 (M_BH / 10^8 Msun)^2, 0.1], smoothly in its logarithm.

    Parameters
    ----------
    radiative, kinetic : float
        Energy that reaches the CGM over accreted rest mass in each mode.
    transition : float
        Eddington ratio of the transition at the pivot mass.
    pivot : float
        Pivot mass [Msun].
    largest : float
        Largest Eddington ratio of the kinetic mode.
    width : float
        Width of the transition in ln(Eddington ratio).
    limit : AbstractMinimum
        How the transition is limited to `largest`.

    References
    ----------
    Weinberger et al. 2017, MNRAS 465, 3291 (0.2 in the kinetic mode, and the transition).  In the radiative mode they
    give 0.02 to the gas around the black hole.  Here a hundredth of that reaches the CGM, because with all of it
    galaxies of all masses form fewer stars.

    Examples
    --------
    >>> feedback = co.physics.TwoModeFeedback()
    >>> [round(float(feedback(1e8, ratio)), 4) for ratio in (1e-5, 1e-1)]  # kinetic, radiative
    [0.2, 0.0002]
    """

    radiative: Float[Array, ""] = parameter(
        2e-4,
        unit="1",
        meaning="energy to the CGM over accreted rest mass, radiative mode",
        source="choice",
        bounds=(1e-5, 0.1),
        scale="log10",
    )
    kinetic: Float[Array, ""] = parameter(
        0.2,
        unit="1",
        meaning="energy to the CGM over accreted rest mass, kinetic mode",
        source="Weinberger et al. 2017 [unverified]",
        bounds=(1e-3, 1.0),
        scale="log10",
    )
    transition: Float[Array, ""] = parameter(
        0.002,
        unit="1",
        meaning="Eddington ratio of the transition at the pivot mass",
        source="Weinberger et al. 2017",
        bounds=(1e-4, 0.1),
        scale="log10",
    )
    pivot: Float[Array, ""] = parameter(
        1e8, unit="Msun", meaning="pivot mass", source="Weinberger et al. 2017", bounds=(1e6, 1e9), scale="log10"
    )
    largest: Float[Array, ""] = parameter(
        0.1,
        unit="1",
        meaning="largest Eddington ratio of the kinetic mode",
        source="Weinberger et al. 2017",
        bounds=(0.01, 1.0),
        allowed=NOT_NEGATIVE,
    )
    width: Float[Array, ""] = parameter(
        0.3,
        unit="1",
        meaning="width of the transition in ln(Eddington ratio)",
        source="choice",
        bounds=(0.05, 2.0),
        allowed=NOT_NEGATIVE,
    )
    limit: AbstractMinimum = eqx.field(default_factory=SmoothMinimum)

    def kinetic_share(
        self, mass: Float[Array, "..."], ratio: Float[Array, "..."], hot_share: Any = None
    ) -> Float[Array, "..."]:
        critical = self.limit(self.transition * (mass / self.pivot) ** 2, self.largest)
        return jax.nn.sigmoid((jnp.log(critical) - jnp.log(ratio + 1e-30)) / self.width)

    def __call__(
        self, mass: Float[Array, "..."], ratio: Float[Array, "..."], hot_share: Any = None
    ) -> Float[Array, "..."]:
        share = self.kinetic_share(mass, ratio)
        return share * self.kinetic + (1.0 - share) * self.radiative
