"""How the halos of a built-in population are spread over mass, and how many halos of the universe each stands for."""

import abc
import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import mass_range
from ...numerics.compiling import compiled
from ...numerics.interpolation import ContinuousCurvature, HermiteTable
from ...numerics.random_keys import as_key, key_or_seed, split_key
from ...printing import Component
from ...storage.shipped_tables import read_grid

__all__ = [
    "LOG_HALF",
    "AbstractMassSampling",
    "Despali16",
    "GivenMasses",
    "MassFunctionWeighted",
    "UniformLogMass",
    "check_request",
]

LOG_HALF = math.log10(2.0)
"""dex between a mass and half of it."""


def check_request(
    log_mvir: tuple[float, float], first_log_mvir: float, limits: tuple[float, float]
) -> tuple[float, float]:
    """The range of log10 of final mass [Msun], if halos of it can be drawn.

    Parameters
    ----------
    log_mvir, first_log_mvir
        As a source was given them (`corundum.halos.monte_carlo_trees`).
    limits : (float, float)
        Masses that the source can draw, log10 [Msun].

    Raises
    ------
    ValueError
        One of them is impossible; the sentence says what is allowed.
    """
    low, high = mass_range("log_mvir", log_mvir, least=limits[0], most=limits[1])
    if not first_log_mvir <= low - LOG_HALF:
        raise ValueError(
            f"first_log_mvir: got {first_log_mvir:g}; halos must start at less than half of the lowest final mass, so "
            f"at most {low - LOG_HALF:.4g}"
        )
    return low, high


class Despali16(Component):
    """Halo mass function at z = 0 of Despali et al. 2016 (MNRAS 456, 2486).

    A C2 spline through a table over 10^8 <= M/Msun <= 10^15.5, in the cosmology of `pandya26_cosmology`; the fit
    was made above 4 x 10^9 Msun.

    Examples
    --------
    >>> round(float(jnp.log10(co.halos.Despali16()(12.0))), 2)
    -2.4
    """

    log_mvir: Float[Array, " m"]
    log_density: Float[Array, " m"]

    def __init__(self):
        _, table = read_grid("mass_function", "despali16_vir_z0.csv")
        self.log_mvir, self.log_density = jax.device_put(tuple(np.ascontiguousarray(table.T)))

    @compiled
    def __call__(self, log_mvir: Float[Array, "..."]) -> Float[Array, "..."]:
        """dn/dlog10(M) [comoving Mpc^-3 dex^-1] at log10 of virial mass [Msun]."""
        table = HermiteTable(self.log_mvir, self.log_density, ContinuousCurvature()(self.log_mvir, self.log_density))
        value, _ = jax.vmap(table.__call__)(jnp.ravel(log_mvir))
        return 10.0 ** value.reshape(jnp.shape(log_mvir))


class AbstractMassSampling(Component):
    """Rule for drawing the masses of halos today, and their weights.

    Examples
    --------
    Masses at equal steps, without any randomness:

    >>> class EvenlySpaced(co.halos.AbstractMassSampling):
    ...     def draw(self, key, n, low, high):
    ...         return jnp.linspace(low, high, n), jnp.ones(n)
    >>> drawn = co.halos.monte_carlo_trees(3, log_mvir=(10.0, 12.0), sampling=EvenlySpaced())
    >>> np.round(drawn.log_mvir[:, -1], 6).tolist()
    [10.0, 11.0, 12.0]
    """

    @abc.abstractmethod
    def draw(self, key: Array, n: int, low: float, high: float) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        """log10 of virial mass [Msun] of `n` halos between `low` and `high`, and the weight of each."""

    def draw_with_keys(
        self, key: int | Array, n: int, low: float, high: float, *, keys: int
    ) -> tuple[Float[Array, " n"], Float[Array, " n"], list[Array]]:
        """What `draw` gives for the first of ``1 + keys`` keys split from `key`, and the other keys."""
        first, *others = split_key(key, 1 + keys)
        return (*self.draw(first, n, low, high), others)


def _require_width(low: float, high: float) -> None:
    if not low < high:
        raise ValueError(
            f"log_mvir: got ({low:g}, {high:g}); number densities need a range of masses, so make the second larger"
        )


class UniformLogMass(AbstractMassSampling):
    """Every decade of mass equally often; the default.

    Weights are 1, or with `mass_function` the number density [comoving Mpc^-3] that each halo stands for, so
    that weighted sums are sums over the universe.

    Examples
    --------
    >>> log_mvir, weights = co.halos.UniformLogMass().draw(jax.random.key(0), 5, 10.0, 12.0)
    >>> log_mvir.shape, float(weights.sum())
    ((5,), 5.0)
    """

    mass_function: Despali16 | None = None

    def draw(self, key: Array, n: int, low: float, high: float) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        log_mvir = jax.random.uniform(key, (n,), minval=low, maxval=high)
        return log_mvir, self._weights(log_mvir, low, high)

    def draw_with_keys(
        self, key: int | Array, n: int, low: float, high: float, *, keys: int
    ) -> tuple[Float[Array, " n"], Float[Array, " n"], list[Array]]:
        log_mvir, others = _uniform_with_keys(key_or_seed(key), n, low, high, 1 + keys)
        return log_mvir, self._weights(log_mvir, low, high), others

    def _weights(self, log_mvir, low, high):
        if self.mass_function is None:
            return jax.device_put(np.ones(log_mvir.shape))
        _require_width(low, high)
        return self.mass_function(log_mvir) * (high - low) / log_mvir.size


@functools.partial(jax.jit, static_argnames=("n", "keys"))
def _uniform_with_keys(key, n, low, high, keys):
    """Uniform numbers by the first of several keys, and the others, in one program instead of four."""
    first, *others = jax.random.split(as_key(key), keys)
    return jax.random.uniform(first, (n,), minval=low, maxval=high), others


class MassFunctionWeighted(AbstractMassSampling):
    """As often as halos occur; weights are the number density [comoving Mpc^-3] of the range over `n`, all equal.

    Parameters
    ----------
    mass_function : Despali16, optional
        Default ``Despali16()``.

    Examples
    --------
    Most halos are near the lower end:

    >>> log_mvir, weights = co.halos.MassFunctionWeighted().draw(jax.random.key(0), 1000, 10.0, 12.0)
    >>> bool(np.median(log_mvir) < 10.5)
    True
    """

    mass_function: Despali16

    def __init__(self, mass_function: Despali16 | None = None):
        self.mass_function = Despali16() if mass_function is None else mass_function

    def draw(self, key: Array, n: int, low: float, high: float) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        _require_width(low, high)
        grid = jnp.linspace(low, high, 2001)
        density = self.mass_function(grid)
        steps = 0.5 * (density[1:] + density[:-1]) * jnp.diff(grid)
        cumulative = jnp.concatenate([jnp.zeros(1), jnp.cumsum(steps)])
        drawn = jax.random.uniform(key, (n,)) * cumulative[-1]
        return jnp.interp(drawn, cumulative, grid), jnp.full(n, cumulative[-1] / n)


class GivenMasses(AbstractMassSampling):
    """Masses from a list, such as those of measured halos to compare with; weights are 1.

    Parameters
    ----------
    log_mvir : array, shape (n,)
        log10 of virial mass today [Msun]; `monte_carlo_trees` must be called for as many halos, in a range that holds
        all of them.

    Examples
    --------
    >>> sampling = co.halos.GivenMasses([10.5, 11.7])
    >>> np.round(co.halos.monte_carlo_trees(2, sampling=sampling).log_mvir[:, -1], 6).tolist()
    [10.5, 11.7]
    """

    log_mvir: Float[Array, " n"] = eqx.field(converter=jnp.asarray)

    def draw(self, key: Array, n: int, low: float, high: float) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        inside = jnp.all((self.log_mvir >= low) & (self.log_mvir <= high))
        if self.log_mvir.shape != (n,) or not inside:
            raise ValueError(
                f"GivenMasses: has {self.log_mvir.size} masses from {jnp.min(self.log_mvir):.4g} to "
                f"{jnp.max(self.log_mvir):.4g}, but {n} halos within ({low:g}, {high:g}) are to be drawn; "
                "make them agree"
            )
        return self.log_mvir, jnp.ones(n)
