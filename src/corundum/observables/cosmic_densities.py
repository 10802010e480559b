"""Densities of the universe against redshift as relations, so that they are compared with data as others are.

The sums are those of `corundum.observables.cosmic_history`, over halos that are counted at each redshift.
"""

from typing import Any, ClassVar

import equinox as eqx
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..array_library import array_library
from ..units import Quantity
from .regression import AbstractRegression, RegressedRelation
from .relations import AbstractRelation, log10

__all__ = [
    "AbstractCosmicDensity",
    "CosmicAtomicGas",
    "CosmicMolecularGas",
    "CosmicStarFormation",
    "CosmicStellarMass",
]


class AbstractCosmicDensity(AbstractRelation):
    """log10 of the density of a quantity per comoving Mpc^3, against log10(1 + z).

    What is given to it in place of galaxies is a `CosmicHistory` that holds the quantity.  Between its redshifts the
    logarithm is linear in log10(1 + z); points outside them are not reached.  The sampling error of the sums is not
    known and counts as zero, so sum enough halos.  A fit evolves halos that are counted at one redshift, so a `Target`
    refuses such data.

    Attributes
    ----------
    quantity : str
        The quantity that is summed.

    Examples
    --------
    >>> class CosmicColdGas(co.observables.AbstractCosmicDensity):
    ...     title = "cosmic density of cold gas"
    ...     quantity = "mism"
    ...     y_axis = co.units.Quantity("dex", "log10 density of cold gas [Msun/Mpc^3]", log=False)
    >>> CosmicColdGas().single_galaxies
    False
    """

    quantity: eqx.AbstractClassVar[str]
    single_galaxies: ClassVar[bool] = False
    x_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(1+z)$", log=False)

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        """log10(1 + z) of every sum of a `CosmicHistory`."""
        return log10(1.0 + np.asarray(self._checked(galaxies).redshift))

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        """log10 of the density at every redshift of a `CosmicHistory`."""
        return log10(self._checked(galaxies).density[self.quantity])

    def regressed(self, galaxies: Any, nodes: Float[Array, " m"], regression: AbstractRegression) -> RegressedRelation:
        """The density at `nodes`, interpolated between the redshifts of a `CosmicHistory`; `regression` is not used.

        Raises
        ------
        ValueError
            It is no `CosmicHistory`, or lacks the quantity.
        """
        x, y = self.x(galaxies), self.y(galaxies)
        xp = array_library(x, y, nodes, galaxies.solved)
        order, nodes = xp.argsort(x), xp.asarray(nodes, np.float64)
        x, y, zeros = x[order], y[order], xp.zeros_like(nodes)
        solved = zeros + 1.0 if galaxies.solved is None else xp.interp(nodes, x, xp.asarray(galaxies.solved)[order])
        reached = (nodes >= x[0] - 1e-9) & (nodes <= x[-1] + 1e-9)
        return RegressedRelation(nodes, xp.interp(nodes, x, y), zeros, zeros, solved, solved, reached)

    def _checked(self, history):
        if self.quantity not in getattr(history, "density", ()):
            raise ValueError(
                f"{self.title}: got {type(history).__name__}; it is a sum over halos counted at several redshifts, so "
                f"give observables.cosmic_history(model, redshifts, names={self.quantity!r})"
            )
        return history


class CosmicStarFormation(AbstractCosmicDensity):
    """log10 of the star-formation rate per comoving Mpc^3 [Msun/yr], against log10(1 + z).

    Examples
    --------
    >>> history = co.observables.CosmicHistory(np.array([0.0, 3.0]), {"sfr": np.array([0.01, 0.1])}, *[None] * 3)
    >>> data = co.observables.load("csfrd_driver18").between(0.27, 0.29)  # z = 0.91
    >>> np.round(data.predict(history).mean, 2).tolist()
    [-1.53]
    """

    title: ClassVar[str] = "cosmic star-formation density"
    quantity: ClassVar[str] = "sfr"
    y_axis: ClassVar[Quantity] = Quantity(
        "dex", r"$\log_{10}(\psi/{\rm M}_\odot\,{\rm yr}^{-1}\,{\rm Mpc}^{-3})$", log=False
    )


class CosmicStellarMass(AbstractCosmicDensity):
    """log10 of the stellar mass per comoving Mpc^3 [Msun], against log10(1 + z).

    Examples
    --------
    >>> history = co.observables.CosmicHistory(np.zeros(1), {"mstar": np.array([2e8])}, *[None] * 3)
    >>> round(float(co.observables.CosmicStellarMass().y(history)[0]), 2)
    8.3
    """

    title: ClassVar[str] = "cosmic stellar mass density"
    quantity: ClassVar[str] = "mstar"
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(\rho_\star/{\rm M}_\odot\,{\rm Mpc}^{-3})$", log=False)


class CosmicAtomicGas(AbstractCosmicDensity):
    """log10 of the mass of atomic hydrogen per comoving Mpc^3 [Msun], against log10(1 + z).

    Models with the process `corundum.models.GasPhases` know it.

    Examples
    --------
    >>> history = co.observables.CosmicHistory(np.zeros(1), {"mhi": np.array([6e7])}, *[None] * 3)
    >>> round(float(co.observables.CosmicAtomicGas().y(history)[0]), 2)
    7.78
    """

    title: ClassVar[str] = "cosmic density of atomic gas"
    quantity: ClassVar[str] = "mhi"
    y_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(\rho_{\rm HI}/{\rm M}_\odot\,{\rm Mpc}^{-3})$", log=False)


class CosmicMolecularGas(AbstractCosmicDensity):
    """log10 of the mass of molecular hydrogen per comoving Mpc^3 [Msun], against log10(1 + z).

    Models with the process `corundum.models.GasPhases` know it.

    Examples
    --------
    >>> history = co.observables.CosmicHistory(np.zeros(1), {"mh2": np.array([1e7])}, *[None] * 3)
    >>> float(co.observables.CosmicMolecularGas().y(history)[0])
    7.0
    """

    title: ClassVar[str] = "cosmic density of molecular gas"
    quantity: ClassVar[str] = "mh2"
    y_axis: ClassVar[Quantity] = Quantity(
        "dex", r"$\log_{10}(\rho_{{\rm H}_2}/{\rm M}_\odot\,{\rm Mpc}^{-3})$", log=False
    )
