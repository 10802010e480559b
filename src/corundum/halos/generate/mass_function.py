"""Halo mass functions for any LCDM cosmology, and weights that make any set of halos a sample of the universe.

Each halo of a set carries the number density it stands for.  Sums over galaxies with these weights are then stellar
mass functions and cosmic densities.

References
----------
Despali et al. 2016, MNRAS 456, 2486 (mass function of Bryan & Norman 1998 virial masses, table 2 and eq. 7).
"""

import dataclasses

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import strategy
from ...cosmology import Cosmology, as_cosmology
from ...numerics.compiling import compiled
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component
from ...units import KPC3_PER_MPC3, LN10
from ..histories import HaloHistories
from ..satellites.links import levels_and_roots
from .mass_sampling import Despali16
from .power_spectrum import LinearPower, collapse_threshold

__all__ = ["VirialMassFunction", "abundance_weights", "volume_weights"]


class VirialMassFunction(Component):
    """Mass function of Despali et al. 2016 at any redshift and in any cosmology; differentiable in all of them.

    Parameters
    ----------
    power : LinearPower, optional
        Default ``LinearPower()``.
    cosmology : Cosmology, optional
        Default `pandya26_cosmology()`.
    amplitude, scale, index : float, optional
        A, a and p of the fit for virial masses.

    Examples
    --------
    >>> density = co.halos.VirialMassFunction()(jnp.array([11.0, 12.0]), redshift=1.0)
    >>> bool(density[0] > density[1])
    True
    """

    power: LinearPower
    cosmology: Cosmology
    amplitude: Float[Array, ""] = parameter(
        0.3292, unit="1", meaning="normalisation A", source="Despali+16", bounds=(0.1, 0.5), allowed=NOT_NEGATIVE
    )
    scale: Float[Array, ""] = parameter(
        0.7665,
        unit="1",
        meaning="scale a of peak height squared",
        source="Despali+16",
        bounds=(0.4, 1.2),
        allowed=NOT_NEGATIVE,
    )
    index: Float[Array, ""] = parameter(
        0.2488, unit="1", meaning="low-mass power p", source="Despali+16", bounds=(0.0, 0.6)
    )

    def __init__(
        self,
        power: LinearPower | None = None,
        cosmology: Cosmology | None = None,
        *,
        amplitude: float = 0.3292,
        scale: float = 0.7665,
        index: float = 0.2488,
    ):
        self.power = strategy("power", power, LinearPower())
        self.cosmology = as_cosmology(cosmology)
        self.amplitude, self.scale, self.index = (jnp.asarray(x, jnp.float64) for x in (amplitude, scale, index))

    def __call__(self, log_mvir: Float[Array, "..."], redshift: float = 0.0) -> Float[Array, "..."]:
        """dn/dlog10(M) [comoving Mpc^-3 dex^-1] at log10 of virial mass [Msun]."""
        return _density(self, jnp.asarray(log_mvir, float), jnp.asarray(redshift, float))


@compiled
def _density(fit, log_mvir, redshift):
    sigma, slope = fit.power.sigma_of_mass(fit.cosmology)(log_mvir)
    nu = fit.scale * (collapse_threshold(redshift, fit.cosmology) / sigma) ** 2
    multiplicity = 2.0 * fit.amplitude * (1.0 + nu**-fit.index) * jnp.sqrt(nu / (2.0 * jnp.pi)) * jnp.exp(-0.5 * nu)
    matter = fit.cosmology.omega_m * fit.cosmology.critical_density_today * KPC3_PER_MPC3  # Msun/Mpc^3
    return matter / 10.0**log_mvir * multiplicity * slope * LN10


def abundance_weights(
    halos: HaloHistories, mass_function: VirialMassFunction | Despali16 | None = None
) -> HaloHistories:
    """The same halos, each weighted with the number density [comoving Mpc^-3] it stands for at the last time.

    Every halo stands for the range of log10 of mass nearer to it than to its neighbours; weights add up to the mass
    function integrated from the lowest to the highest mass, however the halos were chosen.  Satellites have the weight
    of the central at the root of their tree.

    Parameters
    ----------
    halos : HaloHistories
        At least two different final masses.
    mass_function : optional
        Default ``VirialMassFunction()`` in the cosmology of the halos, at their last redshift.

    Raises
    ------
    ValueError
        All halos have the same mass.

    Examples
    --------
    >>> weighted = co.halos.abundance_weights(halos, co.halos.Despali16())
    >>> bool(np.all(weighted.weights > 0.0))
    True
    """
    _, root = levels_and_roots(np.full(len(halos), -1) if halos.satellites is None else halos.host)
    centrals = np.flatnonzero(root == np.arange(len(halos)))
    log_mvir = np.asarray(halos.log_mvir[:, -1])[centrals]
    order = np.argsort(log_mvir, kind="stable")
    masses = log_mvir[order]
    if not masses[-1] > masses[0]:
        raise ValueError(
            f"abundance_weights: all {len(masses)} halos have log10 of mass {masses[0]:.4g}; number densities need a "
            "range of masses"
        )
    redshift = max(float(halos.redshift[-1]), 0.0)
    if mass_function is None:
        mass_function = VirialMassFunction(cosmology=halos.cosmology)
    at_redshift = (redshift,) if isinstance(mass_function, VirialMassFunction) else ()
    grid = np.linspace(masses[0], masses[-1], 4001)
    density = np.asarray(mass_function(jnp.asarray(grid), *at_redshift))
    steps = 0.5 * (density[1:] + density[:-1]) * np.diff(grid)
    cumulative = np.concatenate([[0.0], np.cumsum(steps)])
    edges = np.concatenate([masses[:1], 0.5 * (masses[1:] + masses[:-1]), masses[-1:]])
    weights = np.empty(len(halos))
    weights[centrals[order]] = np.diff(np.interp(edges, grid, cumulative))
    weights = weights[root]
    return _weighted(halos, weights, type(mass_function).__name__)


def volume_weights(halos: HaloHistories, volume: float) -> HaloHistories:
    """The same halos, each weighted with one over the comoving volume [Mpc^3] that holds all of them.

    Raises
    ------
    ValueError
        The volume is not positive.

    Examples
    --------
    >>> float(co.halos.volume_weights(halos, 1000.0).weights[0])
    0.001
    """
    if not volume > 0.0:
        raise ValueError(f"volume: got {volume:g}; give the comoving volume of the simulation in Mpc^3, without h")
    return _weighted(halos, jnp.full(len(halos), 1.0 / volume), f"one in {volume:g} comoving Mpc^3")


def _weighted(halos, weights, origin):
    """The halos with these number densities, and where they come from in the provenance."""
    provenance = {**dict(halos.provenance), "weights": f"number density [comoving Mpc^-3]: {origin}"}
    return dataclasses.replace(halos, weights=jnp.asarray(weights), provenance=provenance)
