"""Concentrations of halos: published median relations c(M, z) and the scatter of single halos around them.

All relations are for NFW profiles and Bryan & Norman 1998 virial masses.  The scatter is one number per halo,
constant along its history and correlated with its formation time: at fixed mass, halos that formed early have higher
concentrations.
"""

import abc

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..numerics.compiling import compiled
from ..numerics.interpolation import ContinuousCurvature, HermiteTable
from ..parameters import NOT_NEGATIVE, parameter
from ..printing import Component
from ..storage.shipped_tables import read_grid

__all__ = [
    "LOWEST_CONCENTRATION",
    "AbstractConcentration",
    "Diemer19",
    "DuttonMaccio14",
    "ConcentrationScatter",
    "limit_concentration",
]

LOWEST_CONCENTRATION = 2.5
"""Smallest concentration of any history: the peak velocity of an NFW halo with c < 2.163 lies outside Rvir."""

_SOFTNESS = 0.03  # dex over which concentrations level off towards the lowest one


def limit_concentration(log_concentration: Float[Array, "..."]) -> Float[Array, "..."]:
    """log10 c kept above `LOWEST_CONCENTRATION`, smoothly.

    c = 3.5 changes by 0.3 per cent; above c = 4.5 nothing changes.
    """
    lowest = np.log10(LOWEST_CONCENTRATION)
    # On the host NumPy does it: JAX would compile anew for every number of halos.
    softer = np if isinstance(log_concentration, np.ndarray) else jnp
    return lowest + _SOFTNESS * softer.logaddexp((log_concentration - lowest) / _SOFTNESS, 0.0)


class AbstractConcentration(Component):
    """Median NFW concentration of halos by mass and redshift.

    Examples
    --------
    A power law of mass that does not change with time:

    >>> class PowerLaw(co.halos.AbstractConcentration):
    ...     def __call__(self, log_mvir, redshift):
    ...         return 0.9 - 0.1 * (log_mvir - 12.0) + 0.0 * redshift
    >>> few = co.halos.monte_carlo_trees(4, concentration=PowerLaw())
    >>> few.log_concentration.shape
    (4, 100)
    """

    @abc.abstractmethod
    def __call__(self, log_mvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        """log10 of concentration at log10 of virial mass [Msun]; the last axis runs over the redshifts."""


class Diemer19(AbstractConcentration):
    """Diemer & Joyce 2019 (ApJ 871, 168) in the cosmology of `pandya26_cosmology`; the default.

    A C2 surface through a table over 10^7 <= M/Msun <= 10^15.5 and 0 <= z <= 15, continued by its tangents.

    Examples
    --------
    >>> round(float(10.0 ** co.halos.Diemer19()(12.0, 0.0)), 2)
    11.21
    """

    log_mvir: Float[Array, " m"]
    ln_expansion: Float[Array, " z"]
    log_concentration: Float[Array, "m z"]

    def __init__(self):
        names, table = read_grid("concentration", "diemer19_vir.csv")
        masses = np.array([float(name) for name in names[1:]])
        arrays = masses, np.log1p(table[:, 0]), np.ascontiguousarray(table[:, 1:].T)
        self.log_mvir, self.ln_expansion, self.log_concentration = jax.device_put(arrays)

    @compiled
    def __call__(self, log_mvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        shape = jnp.broadcast_shapes(jnp.shape(log_mvir), jnp.shape(redshift))
        times = shape[-1] if shape else 1
        masses = jnp.broadcast_to(log_mvir, shape).reshape(-1, times)
        x = jnp.broadcast_to(jnp.log1p(redshift), (times,))
        spline = ContinuousCurvature()
        slopes = spline(self.ln_expansion, self.log_concentration)
        in_time = HermiteTable(self.ln_expansion, self.log_concentration, slopes)
        rows, _ = jax.vmap(in_time.__call__)(x)
        in_mass = HermiteTable(self.log_mvir, rows, spline(self.log_mvir, rows))
        read = jax.vmap(HermiteTable.__call__, in_axes=(HermiteTable(None, 0, 0), 0))
        value, _ = jax.vmap(read, in_axes=(None, 0))(in_mass, masses)
        return value.reshape(shape)


class DuttonMaccio14(AbstractConcentration):
    """Dutton & Maccio 2014 (MNRAS 441, 3359), NFW and virial masses in Planck 2013 cosmology.

    Fitted at 10^10 < M h/Msun < 10^15 and z < 5; redshifts above 5 take the relation at 5.

    Examples
    --------
    >>> round(float(10.0 ** co.halos.DuttonMaccio14()(12.0, 0.0)), 2)
    11.01
    """

    h: Float[Array, ""] = parameter(
        0.671,
        unit="1",
        meaning="Hubble constant / (100 km/s/Mpc) of the fit",
        source="Planck 2013",
        bounds=(0.5, 0.9),
        allowed=NOT_NEGATIVE,
    )

    def __call__(self, log_mvir: Float[Array, "..."], redshift: Float[Array, "..."]) -> Float[Array, "..."]:
        z = jnp.clip(redshift, 1e-12, 5.0)  # above zero, where z^1.08 has no second derivative
        slope = -0.097 + 0.024 * z
        level = 0.537 + (1.025 - 0.537) * jnp.exp(-0.718 * z**1.08)
        return level + slope * (log_mvir - 12.0 + jnp.log10(self.h))


class ConcentrationScatter(Component):
    """Log-normal scatter of concentration at fixed mass, correlated with the time of formation.

    Giocoli, Tormen & Sheth 2012 (MNRAS 422, 185) find that log10 c scatters by 0.13 dex at fixed mass and by 0.09 dex
    at fixed mass and formation time, that is a correlation of -sqrt(1 - (0.09/0.13)^2) = -0.72.

    Examples
    --------
    >>> lateness = jnp.linspace(-2.0, 2.0, 1000)
    >>> offsets = co.halos.ConcentrationScatter().draw(jax.random.key(0), lateness)
    >>> round(float(np.corrcoef(lateness, offsets)[0, 1]), 1)
    -0.8
    """

    dex: Float[Array, ""] = parameter(
        0.13,
        unit="dex",
        meaning="scatter of log10 c at fixed mass",
        source="Giocoli+12",
        bounds=(0.0, 0.3),
        allowed=NOT_NEGATIVE,
    )
    correlation: Float[Array, ""] = parameter(
        -0.72,
        unit="1",
        meaning="correlation of log10 c with formation time",
        source="Giocoli+12",
        bounds=(-1.0, 1.0),
    )

    def draw(self, key: Array, lateness: Float[Array, " n"]) -> Float[Array, " n"]:
        """Offsets of log10 c [dex] of halos whose formation time is `lateness` standard deviations from the mean."""
        independent = jax.random.normal(key, lateness.shape)
        return self.dex * (self.correlation * lateness + jnp.sqrt(1.0 - self.correlation**2) * independent)
