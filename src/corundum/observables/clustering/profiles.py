"""NFW halos as distributions of satellites: their density, the density of pairs of them, and its Fourier transform.

All are of one galaxy or pair, in halos cut off at the virial radius.  What depends on the shape alone is a function of
radii in units of the scale radius r_s = R / c, with m(c) = ln(1 + c) - c / (1 + c).

References
----------
Navarro, Frenk & White 1997, ApJ 490, 493 (profile); Scoccimarro et al. 2001, ApJ 546, 20, eq. 11 (Fourier transform);
Sheth et al. 2001, MNRAS 325, 1288 (profile convolved with itself).
"""

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import sici
from jaxtyping import Float

from ...annotations import Array
from ...halos.nfw import enclosed_mass

__all__ = ["nfw_density", "nfw_pair_density", "nfw_transform"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def nfw_density(
    r: Float[Array, "..."], radius: Float[Array, "..."], concentration: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Probability density [1/Mpc^3] to find a satellite at distance `r` from the centre of its halo.

    Parameters
    ----------
    r : array
        Distance [Mpc].
    radius : array
        Virial radius [Mpc], beyond which there is none.
    concentration : array

    Examples
    --------
    >>> from corundum.observables.clustering.profiles import nfw_density
    >>> r = np.linspace(1e-4, 1.0, 20001)
    >>> round(float(np.trapezoid(4.0 * np.pi * r**2 * nfw_density(r, 1.0, 8.0), r)), 3)
    1.0
    """
    scale = radius / concentration
    x = r / scale
    density = 1.0 / (4.0 * jnp.pi * scale**3 * enclosed_mass(concentration) * x * (1.0 + x) ** 2)
    return jnp.where(r <= radius, density, 0.0)


def nfw_pair_density(
    r: Float[Array, "..."], radius: Float[Array, "..."], concentration: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Probability density [1/Mpc^3] of the distance vector of two satellites of one halo, at length `r`.

    The profile convolved with itself; arguments as for `nfw_density`.

    Examples
    --------
    >>> from corundum.observables.clustering.profiles import nfw_pair_density
    >>> r = np.linspace(1e-4, 2.0, 20001)  # up to the diameter of the halo
    >>> round(float(np.trapezoid(4.0 * np.pi * r**2 * nfw_pair_density(r, 1.0, 8.0), r)), 3)
    1.0
    """
    scale, c = radius / concentration, concentration
    q = jnp.minimum(r / scale, 2.0 * c)

    def fraction(x):  # the integral of 1 / (1 + x)^2 from 0
        return x / (1.0 + x)

    # One point at distance x from the centre, the other in the shell |q - x| to q + x, with a kink at x = q and
    # x = |q - c|: Gauss-Legendre quadrature between them, in the variable of equal weight.
    middle = jnp.sort(jnp.stack([jnp.minimum(q, c), jnp.minimum(jnp.abs(q - c), c)]), axis=0)
    edges = fraction(jnp.concatenate([jnp.zeros_like(middle[:1]), middle, jnp.full_like(middle[:1], 1.0) * c]))
    half = 0.5 * jnp.diff(edges, axis=0)[..., None]
    v = edges[:-1][..., None] + half * (1.0 + _NODES)
    x, q, c = v / (1.0 - v), q[..., None], jnp.asarray(c)[..., None]
    shell = fraction(jnp.minimum(q + x, c)) - fraction(jnp.minimum(jnp.abs(q - x), c))
    integral = jnp.sum(half * _WEIGHTS * shell, axis=(0, -1))
    level = 1.0 / (4.0 * jnp.pi * enclosed_mass(concentration))
    return 2.0 * jnp.pi * level**2 * integral / (r * scale**2)


def nfw_transform(
    k: Float[Array, "..."], radius: Float[Array, "..."], concentration: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Fourier transform u(k) of `nfw_density`, 1 at small wavenumber `k` [1/Mpc].

    Examples
    --------
    >>> from corundum.observables.clustering.profiles import nfw_transform
    >>> [round(float(nfw_transform(k, 1.0, 8.0)), 3) for k in (0.01, 1.0, 10.0)]
    [1.0, 0.958, 0.209]
    """
    q = jnp.asarray(k * radius / concentration)
    outer = (1.0 + concentration) * q
    (si_outer, ci_outer), (si, ci) = sici(outer), sici(q)
    cut = jnp.sin(concentration * q) / outer
    return (jnp.sin(q) * (si_outer - si) + jnp.cos(q) * (ci_outer - ci) - cut) / enclosed_mass(concentration)
