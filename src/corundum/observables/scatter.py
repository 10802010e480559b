"""Rules for the scatter of galaxies about a relation, where few of them are near a node."""

import abc

from jaxtyping import Float

from ..annotations import Array
from ..array_library import array_library
from ..parameters import NOT_NEGATIVE, parameter
from ..printing import Component

__all__ = ["AbstractScatter", "PooledScatter", "LocalScatter"]


class AbstractScatter(Component):
    """Rule for the variance of y about the relation, from the residuals of the galaxies near each node.

    Examples
    --------
    >>> class FixedScatter(co.observables.AbstractScatter):
    ...     def variance(self, residual, leverage, effective_count):
    ...         return 0.2**2 * jnp.ones_like(residual)
    >>> regression = co.observables.LocalLinear(scatter=FixedScatter())
    """

    @abc.abstractmethod
    def variance(
        self, residual: Float[Array, " m"], leverage: Float[Array, " m"], effective_count: Float[Array, " m"]
    ) -> Float[Array, " m"]:
        """Variance at each node [dex^2].

        Parameters
        ----------
        residual : array, shape (m,)
            Kernel-weighted mean of the squared residuals [dex^2].  If the true variance is V its expectation
            is V (1 - leverage), because the fitted curve follows the galaxies it is fitted to.
        leverage : array, shape (m,)
            Share of the variance that the fit absorbs: 1 / effective_count for a mean, more for a line.
        effective_count : array, shape (m,)
            Effective number of galaxies at each node.
        """


class PooledScatter(AbstractScatter):
    """Local variance, corrected for the variance that the fit absorbs with the one pooled over nodes; the default.

    V = residual + leverage V_pool.  This is exactly unbiased where the scatter is the same at all nodes, and tends to
    the pooled value, not to zero, where only one galaxy reaches a node.  V_pool in turn counts `typical` as one more
    galaxy, which matters only when there is hardly any other.

    Parameters
    ----------
    typical : float
        Scatter assumed where there are no galaxies [dex].

    Examples
    --------
    >>> rule = co.observables.PooledScatter()
    >>> variance = rule.variance(jnp.array([0.04, 0.0]), jnp.array([0.1, 1.0]), jnp.array([10.0, 1.0]))
    >>> np.round(np.sqrt(variance), 2).tolist()  # ten galaxies at the first node, one at the second
    [0.21, 0.21]
    """

    typical: Float[Array, ""] = parameter(
        0.2,
        unit="dex",
        meaning="scatter assumed where there are no galaxies",
        source="choice: between the scatters of the observed relations (0.05-0.4 dex)",
        bounds=(0.05, 0.5),
        allowed=NOT_NEGATIVE,
    )

    def variance(
        self, residual: Float[Array, " m"], leverage: Float[Array, " m"], effective_count: Float[Array, " m"]
    ) -> Float[Array, " m"]:
        xp = array_library(residual, leverage, effective_count, parameters=self)
        squares = xp.sum(effective_count * residual) + xp.asarray(self.typical) ** 2
        freedom = xp.sum(effective_count * (1.0 - leverage)) + 1.0
        return residual + leverage * squares / freedom


class LocalScatter(AbstractScatter):
    """Variance of the weighted galaxies without correction (Pandya et al. 2026): zero where a node has one galaxy.

    Examples
    --------
    >>> regression = co.observables.NadarayaWatson(0.2, scatter=co.observables.LocalScatter())
    """

    def variance(
        self, residual: Float[Array, " m"], leverage: Float[Array, " m"], effective_count: Float[Array, " m"]
    ) -> Float[Array, " m"]:
        return residual
