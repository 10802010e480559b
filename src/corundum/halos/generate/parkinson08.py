"""Rates of the merger-tree algorithm of Parkinson, Cole & Helly 2008 (MNRAS 383, 557).

Going back in time a halo of mass M2 splits in two, at a rate per unit of the collapse barrier w = delta_c(z) / D(z)
that is the extended Press-Schechter one times an empirical factor

    G = G0 (sigma1 / sigma2)^gamma1 (w / sigma2)^gamma2,

and it loses what it accretes in pieces below the resolution smoothly.  A halo has at most one split in a step.  Here
steps end at the split itself, whose waiting time is drawn from the rate, instead of after a fixed small probability of
a split: this is the limit of the published algorithm for small steps, and takes a tenth of its steps.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...parameters import NOT_NEGATIVE, parameter
from ...printing import Component
from ...units import LN10
from .power_spectrum import SigmaOfMass

__all__ = ["ParkinsonColeHelly08", "SplitTables", "Step"]

_SIZE = 4096
_LOW, _HIGH = 3.0, 16.5
_LN_U = np.linspace(-12.0, 12.0, _SIZE)
_STEP = 0.1  # epsilon_1 of the paper
_MOST_SMOOTH = 0.05  # of the mass, lost to unresolved accretion in one step


class SplitTables(NamedTuple):
    """Tables for the rates, on even grids so that finding an interval is one multiplication.

    Attributes
    ----------
    ln_sigma, slope : ln(sigma) and -dln(sigma)/dln(M) over log10 of mass [Msun]
    ln_j : ln of the integral J over ln(u) (eq. A7 of the paper)
    """

    ln_sigma: Float[Array, " m"]
    slope: Float[Array, " m"]
    ln_j: Float[Array, " u"]

    def sigma(self, ln_mass: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """sigma and its slope at ln of mass [Msun]."""
        place = (ln_mass * (1.0 / LN10) - _LOW) * ((_SIZE - 1) / (_HIGH - _LOW))
        i = jnp.clip(place.astype(jnp.int32), 0, _SIZE - 2)
        part = place - i.astype(place.dtype)
        between = (table[i] + part * (table[i + 1] - table[i]) for table in (self.ln_sigma, self.slope))
        ln_sigma, slope = between
        return jnp.exp(ln_sigma), slope

    def j(self, u: Float[Array, "..."]) -> Float[Array, "..."]:
        """Integral of (1 + 1/u^2)^(gamma1/2) from 0 to u."""
        place = (jnp.log(u) - _LN_U[0]) * ((_SIZE - 1) / (_LN_U[-1] - _LN_U[0]))
        i = jnp.clip(place.astype(jnp.int32), 0, _SIZE - 2)
        return jnp.exp(self.ln_j[i] + (place - i.astype(place.dtype)) * (self.ln_j[i + 1] - self.ln_j[i]))


class Step(NamedTuple):
    """One step back of many halos.

    Attributes
    ----------
    barrier : how far the barrier was raised
    mass : mass of the more massive progenitor
    other : mass of the less massive one; 0 where the halo did not split
    """

    barrier: Float[Array, " n"]
    mass: Float[Array, " n"]
    other: Float[Array, " n"]


class ParkinsonColeHelly08(Component):
    """The algorithm and its three numbers, fitted to the conditional mass functions of the Millennium simulation.

    Examples
    --------
    >>> algorithm = co.halos.ParkinsonColeHelly08(g0=0.6)
    >>> branches = co.halos.grow_main_branches([12.0], np.linspace(0.0, 2.0, 9), algorithm=algorithm)
    >>> branches.log_mass.shape
    (1, 9)
    """

    g0: Float[Array, ""] = parameter(
        0.57,
        unit="1",
        meaning="factor on all split rates",
        source="Parkinson+08",
        bounds=(0.1, 2.0),
        allowed=NOT_NEGATIVE,
    )
    gamma1: Float[Array, ""] = parameter(
        0.38, unit="1", meaning="power of sigma1/sigma2", source="Parkinson+08", bounds=(0.0, 0.9)
    )
    gamma2: Float[Array, ""] = parameter(
        -0.01, unit="1", meaning="power of barrier/sigma2", source="Parkinson+08", bounds=(-1.0, 1.0)
    )

    def tables(self, sigma_of_mass: SigmaOfMass) -> SplitTables:
        """Look-up tables for a power spectrum."""
        sigma, slope = sigma_of_mass(jnp.linspace(_LOW, _HIGH, _SIZE))
        u = jnp.exp(_LN_U)
        integrand = u * (1.0 + u**-2) ** (0.5 * self.gamma1)
        pieces = 0.5 * (integrand[1:] + integrand[:-1]) * np.diff(_LN_U)
        first = u[0] ** (1.0 - self.gamma1) / (1.0 - self.gamma1)  # below the grid the integrand is u^-gamma1
        j = first + jnp.concatenate([jnp.zeros(1), jnp.cumsum(pieces)])
        return SplitTables(jnp.log(sigma), slope, jnp.log(j))

    def step(
        self,
        tables: SplitTables,
        mass: Float[Array, " n"],
        barrier: Float[Array, " n"],
        resolution: Float[Array, " n"],
        most: Float[Array, " n"],
        draws: Float[Array, "3 n"],
    ) -> Step:
        """One step back in time.

        Parameters
        ----------
        tables : SplitTables
        mass, resolution : arrays
            Mass of each halo and the smallest one followed [Msun], the first larger than the second.
        barrier : array
            w = delta_c(z) / D(z) of each halo.
        most : array
            The most by which to raise the barrier.
        draws : array
            Uniform random numbers.
        """
        ln_mass, ln_res = jnp.log(mass), jnp.log(resolution)
        sigma2, _ = tables.sigma(ln_mass)
        sigma_h, slope_h = tables.sigma(ln_mass - np.log(2.0))
        sigma_res, _ = tables.sigma(ln_res)
        ln_q = ln_res - ln_mass
        splits = ln_q < -np.log(2.0) * (1.0 + 1e-9)
        ln_2q = jnp.where(splits, ln_q + np.log(2.0), -1.0)

        def excess(sigma):
            return jnp.maximum(sigma**2 - sigma2**2, 1e-12)

        v_res, v_h = sigma_res**2 / excess(sigma_res) ** 1.5, sigma_h**2 / excess(sigma_h) ** 1.5
        beta = jnp.log(v_res / v_h) / ln_2q
        eta = beta - 1.0 - self.gamma1 * slope_h
        reach = (barrier / sigma2) ** self.gamma2
        # V(q) <= v_h (2q)^beta and sigma1 <= sigma_h (2q)^-slope_h, so that S(q) below bounds the rate.
        scale = np.sqrt(2.0 / np.pi) * self.g0 * reach
        peak = scale * v_h * slope_h * (sigma_h / sigma2) ** self.gamma1 * 4.0  # S at q = 1/2
        low = jnp.exp(eta * ln_2q)  # (2 q_res)^eta
        rate = jnp.where(splits, 0.5 * peak * (1.0 - low) / eta, 0.0)
        smooth = scale * tables.j(sigma2 / jnp.sqrt(excess(sigma_res))) / sigma2

        waiting = -jnp.log1p(-draws[0]) / jnp.maximum(rate, 1e-30)
        limit = jnp.minimum(_STEP * jnp.sqrt(2.0 * excess(sigma_h)), _MOST_SMOOTH / smooth)
        longest = jnp.minimum(limit, most)
        happens = waiting < longest
        taken = jnp.where(happens, waiting, longest)

        q = 0.5 * (low + draws[1] * (1.0 - low)) ** (1.0 / eta)
        sigma1, slope1 = tables.sigma(ln_mass + jnp.log(q))
        v = sigma1**2 / excess(sigma1) ** 1.5
        ln_bound = beta * jnp.log(2.0 * q) + jnp.log(v_h)
        likely = slope1 / slope_h * v * jnp.exp(-ln_bound)
        likely = likely * (sigma1 / sigma_h * (2.0 * q) ** slope_h) ** self.gamma1
        happens = happens & (draws[2] < likely)

        left = mass * jnp.exp(-smooth * taken)
        other = jnp.where(happens, jnp.minimum(q * mass, 0.5 * left), 0.0)
        return Step(taken, left - other, other)
