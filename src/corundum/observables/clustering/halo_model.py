"""Projected correlation functions of galaxies by the analytic halo model, summed over halos one by one.

Pairs of galaxies lie in one halo or in two.  Satellites follow the NFW profile of their halo, the central is at its
middle, and halos cluster as matter does to first order, times their bias.  Every halo of the sample is a term of the
sums, so that no kernel in halo mass is needed.

References
----------
Cooray & Sheth 2002, Physics Reports 372, 1 (halo model); Davis & Peebles 1983, ApJ 267, 465 (w_p).
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float

from ...annotations import Array
from ...cosmology import Cosmology, pandya26_cosmology
from ...halos import AbstractHaloBias, LinearPower, Tinker10
from ...numerics.compiling import compiled
from ...numerics.interpolation import ContinuousCurvature, HermiteTable
from ...printing import Component, in_short
from .occupation import Occupation
from .profiles import nfw_density, nfw_pair_density, nfw_transform
from .projection import RADII, WAVENUMBERS, from_power, line_of_sight

__all__ = ["HaloModel", "ProjectedPairs"]

_SPARSE = WAVENUMBERS[::25]  # at which the transforms of all halos are summed


class ProjectedPairs(NamedTuple):
    """Projected correlation of galaxies at m distances.

    Attributes
    ----------
    one_halo, two_halo : arrays, shape (m,)
        w_p [comoving Mpc] of pairs in one halo and in two.
    error : array, shape (m,)
        Sampling error of the sum [Mpc], from the spread between the halos of the sample.
    effective_count : array
        Number of halos with equally many galaxies that would have the same sampling error of the density.
    bias : array
        Mean bias of the galaxies.

    Examples
    --------
    `HaloModel` makes it:

    >>> pairs = co.observables.ProjectedPairs(np.array([200.0]), np.array([100.0]), np.array([20.0]), 30.0, 1.1)
    >>> pairs.w_p.tolist()
    [300.0]
    """

    one_halo: Float[Array, " m"]
    two_halo: Float[Array, " m"]
    error: Float[Array, " m"]
    effective_count: Float[Array, ""]
    bias: Float[Array, ""]

    @property
    def w_p(self) -> Float[Array, " m"]:
        """All pairs [comoving Mpc]."""
        return self.one_halo + self.two_halo

    def __repr__(self) -> str:
        return in_short(self)


class HaloModel(Component):
    """How galaxies cluster that live in halos of known mass.

    What is left out: matter beyond linear order, halos that cannot overlap, and motions along the line of sight.
    Between about 1 and 3 Mpc, where pairs in one halo and in two are equally many, each of the first two matters by
    some 10 to 20 per cent [unverified].

    Parameters
    ----------
    power : LinearPower, optional
    cosmology : Cosmology, optional
        That of the halos; default `pandya26_cosmology()`.
    bias : AbstractHaloBias, optional
        Default `Tinker10()`.

    Examples
    --------
    >>> import equinox as eqx
    >>> weighted = eqx.tree_at(lambda p: p.weights, population, jnp.full(8, 1e-3))
    >>> occupation = co.observables.halo_occupation(weighted.at(0.0), 7.0)
    >>> pairs = co.observables.HaloModel()(occupation, jnp.array([1.0, 10.0]), redshift=0.0, pi_max=57.0)
    >>> pairs.one_halo.tolist(), bool(pairs.two_halo[0] > pairs.two_halo[1] > 0.0)  # centrals alone
    ([0.0, 0.0], True)
    """

    power: LinearPower = eqx.field(default_factory=LinearPower)
    cosmology: Cosmology = eqx.field(default_factory=pandya26_cosmology)
    bias: AbstractHaloBias = eqx.field(default_factory=Tinker10)

    def __call__(
        self,
        occupation: Occupation,
        r_p: Float[Array, " m"],
        *,
        redshift: Float[Array, ""] | float,
        pi_max: Float[Array, ""] | float,
    ) -> ProjectedPairs:
        """w_p at projected distances.

        Parameters
        ----------
        occupation : Occupation
        r_p : array, shape (m,)
            Projected distances [comoving Mpc], 0.01 to 60.
        redshift : float
            Of the galaxies.
        pi_max : float
            Largest distance along the line of sight [comoving Mpc], up to 150.
        """
        occupation, distances, *numbers = jax.tree.map(jnp.asarray, (occupation, r_p, redshift, pi_max))
        return _projected(self, occupation, distances, *numbers, to_correlation=from_power())

    def two_halo_power(self, occupation: Occupation, redshift: Float[Array, ""] | float) -> Float[Array, " k"]:
        """Power spectrum [comoving Mpc^3] of pairs in two halos, at `projection.WAVENUMBERS`."""
        return _two_halo(self, jax.tree.map(jnp.asarray, occupation), jnp.asarray(redshift, float))[0]


@compiled
def _two_halo(model, occupation, redshift):
    """Power spectrum of pairs in two halos, the bias of each halo, and their mean."""
    density = occupation.density
    bias = model.bias(occupation.log_mvir, redshift, model.power, model.cosmology)
    share = occupation.weight * bias / density

    def summed(k):
        transform = nfw_transform(k, occupation.radius, occupation.concentration)
        return jnp.sum(share * (occupation.centrals + occupation.satellites * transform))

    sparse, ln_k = jax.lax.map(summed, jnp.asarray(_SPARSE)), jnp.log(_SPARSE)
    table = HermiteTable(ln_k, sparse, ContinuousCurvature()(ln_k, sparse))
    amplitude, _ = jax.vmap(table.__call__)(jnp.minimum(jnp.log(WAVENUMBERS), ln_k[-1]))
    spectrum = model.power(WAVENUMBERS, redshift, model.cosmology)
    return amplitude**2 * spectrum, bias, jnp.sum(share * (occupation.centrals + occupation.satellites))


@compiled
def _projected(model, occupation, r_p, redshift, pi_max, to_correlation):
    density = occupation.density
    galaxies = occupation.weight * (occupation.centrals + occupation.satellites) / density
    with_central = 2.0 * occupation.weight * occupation.centrals * occupation.satellites / density**2
    of_satellites = occupation.weight * occupation.satellite_pairs / density**2

    def in_one_halo(r):
        shape = r, occupation.radius, occupation.concentration
        return with_central * nfw_density(*shape) + of_satellites * nfw_pair_density(*shape)

    sight = line_of_sight(r_p, pi_max)
    of_halos = sight @ jax.lax.map(in_one_halo, jnp.asarray(RADII))
    one_halo = of_halos.sum(axis=1)
    spectrum, bias, mean_bias = _two_halo(model, occupation, redshift)
    two_halo = sight @ (to_correlation @ spectrum)
    # What one halo more of its kind would change: numerators and the density of all galaxies.
    change = of_halos - 2.0 * galaxies * one_halo[:, None]
    change += 2.0 * two_halo[:, None] * galaxies * (bias / mean_bias - 1.0)
    squares = jnp.sum(galaxies**2)
    return ProjectedPairs(
        one_halo=one_halo,
        two_halo=two_halo,
        error=jnp.sqrt(jnp.sum(change**2, axis=1)),
        effective_count=jnp.where(squares > 0.0, 1.0 / jnp.where(squares > 0.0, squares, 1.0), 0.0),
        bias=mean_bias,
    )
