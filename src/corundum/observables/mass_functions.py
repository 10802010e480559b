"""Number densities of galaxies as relations, so that they are compared with data and fitted as scaling relations are.

A scaling relation is a mean over galaxies; a mass function is a sum over them, each weighted by the number density of
halos that it stands for (`corundum.halos.abundance_weights`, `corundum.halos.complete_roots`).
"""

import abc
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..array_library import array_library
from ..units import LN10, Quantity
from .abundance import number_densities
from .kernel import neighbours
from .regression import AbstractRegression, RegressedRelation
from .relations import STELLAR_MASS, AbstractRelation, log10

__all__ = ["AbstractMassFunction", "AtomicMassFunction", "MolecularMassFunction", "StellarMassFunction"]

_DENSITY = Quantity("dex", r"$\log_{10}(\phi/{\rm Mpc}^{-3}\,{\rm dex}^{-1})$", log=False)


class AbstractMassFunction(AbstractRelation):
    """log10 of the number of galaxies per comoving Mpc^3 and dex of a quantity, whose log10 is `x`.

    One galaxy has no number density, so `y` is NaN; `regressed` sums over all galaxies with a Gaussian kernel whose
    width is the bandwidth of the regression.  The sum runs over the halos that there are: below the smallest and above
    the largest of their masses galaxies are missing, and the density there is too low.

    Examples
    --------
    Another mass function is one class:

    >>> class GasMassFunction(co.observables.AbstractMassFunction):
    ...     title = "gas mass function"
    ...     x_axis = co.units.Quantity("dex", "log10 gas mass", log=False)
    ...     y_axis = co.units.Quantity("dex", "log10 number density [Mpc^-3 dex^-1]", log=False)
    ...
    ...     def x(self, galaxies):
    ...         return jnp.log10(galaxies["mism"])
    >>> GasMassFunction().title
    'gas mass function'
    """

    single_galaxies: ClassVar[bool] = False

    @abc.abstractmethod
    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        """log10 of the quantity of each galaxy [dex]; the argument is that of `AbstractRelation.x`."""

    def y(self, galaxies: Any) -> Float[Array, "*n"]:
        return 0.0 * self.x(galaxies) + np.nan

    def regressed(self, galaxies: Any, nodes: Float[Array, " m"], regression: AbstractRegression) -> RegressedRelation:
        """The mass function at `nodes`, as `AbstractRelation.regressed`; `scatter` is zero.

        Raises
        ------
        ValueError
            The weights are no number densities, or they count the halos at another redshift.
        """
        weights, x = number_densities(galaxies), self.x(galaxies)
        xp = array_library(weights, x, nodes, parameters=regression)
        bandwidth = xp.asarray(regression.bandwidth)
        enough = getattr(regression, "minimum_count", 5.0)
        near = neighbours(x, np.zeros(x.shape), nodes, galaxies.valid, weights, bandwidth, enough)
        usable = xp.asarray(galaxies.valid) & xp.isfinite(x) & xp.isfinite(weights) & (weights > 0.0)
        ln_weight = xp.where(usable, xp.log(xp.where(usable, weights, 1.0)), 0.0)
        ln_kernel = xp.where(usable, ln_weight - 0.5 * (near.offset / bandwidth) ** 2, -xp.inf)
        # The largest term is taken out, so that a node far from every galaxy has a finite logarithm and slope.
        top = xp.max(xp.where(usable, ln_kernel, -xp.inf), axis=1, keepdims=True, initial=-1e300)
        total = xp.sum(xp.where(usable, xp.exp(xp.where(usable, ln_kernel - top, 0.0)), 0.0), axis=1)
        ln_sum = top[:, 0] + xp.log(xp.where(total > 0.0, total, 1.0))
        error = 1.0 / xp.sqrt(xp.where(near.effective_count > 0.0, near.effective_count, 1.0)) / LN10
        return RegressedRelation(
            nodes=xp.asarray(nodes, xp.float64),
            mean=(ln_sum - xp.log(bandwidth * np.sqrt(2.0 * np.pi))) / LN10,
            scatter=xp.zeros_like(error),
            standard_error=error,
            effective_count=near.effective_count,
            count=near.count,
            reached=near.reached,
        )


class StellarMassFunction(AbstractMassFunction):
    """log10 number of galaxies per comoving Mpc^3 and dex of stellar mass, against log10 Mstar [Msun].

    Examples
    --------
    >>> mstar = 10.0 ** jnp.linspace(9.0, 11.0, 201)
    >>> galaxies = co.Galaxies(0.0, {"mstar": mstar}, np.ones(201, bool), np.full(201, 1e-4))
    >>> data = co.observables.load("smf_baldry12").between(9.5, 10.5)
    >>> np.round(data.predict(galaxies).mean, 2).tolist()  # 100 galaxies per dex, 10^-4 per Mpc^3 each
    [-2.0, -2.0, -2.0, -2.0, -2.0, -2.0]
    """

    title: ClassVar[str] = "stellar mass function"
    x_axis: ClassVar[Quantity] = STELLAR_MASS
    y_axis: ClassVar[Quantity] = _DENSITY

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mstar"])


class AtomicMassFunction(AbstractMassFunction):
    """log10 number of galaxies per comoving Mpc^3 and dex of atomic hydrogen, against log10 M_HI [Msun].

    Galaxies know it in models with the process `corundum.models.GasPhases`.

    Examples
    --------
    >>> mhi = 10.0 ** jnp.linspace(8.0, 11.0, 301)
    >>> galaxies = co.Galaxies(0.0, {"mhi": mhi}, np.ones(301, bool), np.full(301, 1e-4))
    >>> data = co.observables.load("himf_jones18").between(9.0, 9.6)
    >>> np.round(data.predict(galaxies).mean, 2).tolist()  # 100 galaxies per dex, 10^-4 per Mpc^3 each
    [-2.0, -2.0, -2.0]
    """

    title: ClassVar[str] = "atomic gas mass function"
    x_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(M_{\rm HI}/{\rm M}_\odot)$", log=False)
    y_axis: ClassVar[Quantity] = _DENSITY

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mhi"])


class MolecularMassFunction(AbstractMassFunction):
    """log10 number of galaxies per comoving Mpc^3 and dex of molecular hydrogen, against log10 M_H2 [Msun].

    Galaxies know it in models with the process `corundum.models.GasPhases`.

    Examples
    --------
    >>> mh2 = 10.0 ** jnp.linspace(8.0, 11.0, 301)
    >>> galaxies = co.Galaxies(0.0, {"mh2": mh2}, np.ones(301, bool), np.full(301, 1e-4))
    >>> data = co.observables.load("h2mf_fletcher21").between(9.3, 9.6)
    >>> np.round(data.predict(galaxies).mean, 2).tolist()
    [-2.0, -2.0]
    """

    title: ClassVar[str] = "molecular gas mass function"
    x_axis: ClassVar[Quantity] = Quantity("dex", r"$\log_{10}(M_{{\rm H}_2}/{\rm M}_\odot)$", log=False)
    y_axis: ClassVar[Quantity] = _DENSITY

    def x(self, galaxies: Any) -> Float[Array, "*n"]:
        return log10(galaxies["mh2"])
