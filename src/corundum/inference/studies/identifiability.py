"""Which combinations of parameters the data determine, measured against the prior.

In the coordinates u the prior of every parameter is the standard normal, so an eigenvalue of the information of the
data compares directly with one, that of the prior.

References
----------
Tegmark, Taylor & Heavens 1997, ApJ 480, 22, eq. 15.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from ...sensitivity.fisher import Fisher, fisher_of
from ..batches import in_batches
from ..evaluate import linearise
from ..laplace import data_information, prior_information
from ..target import Target
from ..vectors import one_vector

__all__ = ["Identifiability", "fisher", "identifiability"]


def fisher(target: Target, u: Any) -> Fisher:
    """Expected information of the data at coordinates u, (P,), measured against the prior, whose information is one.

    Examples
    --------
    >>> round(co.inference.fisher(target, best.u).effective, 1)
    2.0
    """
    u = np.asarray(one_vector("u", u, target.names))[None]
    matrix = data_information(target, in_batches(linearise, target, u))[0]
    return fisher_of(matrix, target.names, ("prior standard deviation",) * len(target.names), prior=1.0)


class Identifiability(NamedTuple):
    """Which combinations of parameters data determine.

    Attributes
    ----------
    fisher : Fisher
        Of the data; eigenvalues are measured against the prior's, one.
    condition_fisher : float
        Condition number of the information matrix, prior included.
    condition_correlation : float
        Condition number of the correlation matrix of the posterior (what Pandya et al. 2026 call degeneracy).
    correlation : array, (P, P)
        Of the posterior.

    Examples
    --------
    >>> report = co.inference.identifiability(target, best)
    >>> print(report.in_words().splitlines()[0])
    combinations better known than from the prior: 2.0 of 2; information gained ... bits
    """

    fisher: Fisher
    condition_fisher: float
    condition_correlation: float
    correlation: np.ndarray

    def __repr__(self) -> str:
        return self.in_words()

    def in_words(self) -> str:
        """A table of combinations, from the best known to the worst."""
        lines = [
            f"combinations better known than from the prior: {self.fisher.effective:.1f} of {len(self.correlation)}; "
            f"information gained {self.fisher.bits:.1f} bits",
            f"condition number of the information matrix {self.condition_fisher:.3g}, of the correlation matrix "
            f"{self.condition_correlation:.3g}",
        ]
        for k, value in enumerate(self.fisher.eigenvalues):
            shrink = 1.0 / np.sqrt(1.0 + max(value, 0.0))
            lines.append(f"  {shrink:8.4f} of the prior width: {self.fisher.leading_terms(k)}")
        return "\n".join(lines)


def identifiability(target: Target, best: Any) -> Identifiability:
    """Report which combinations of parameters the data determine at a point.

    Parameters
    ----------
    target : Target
    best : PointEstimate or array (P,)
        The mode, or its coordinates.

    Examples
    --------
    >>> co.inference.identifiability(target, best).correlation.shape
    (2, 2)
    """
    u = np.asarray(one_vector("best", best, target.names))
    of_data = fisher(target, u)
    information = of_data.matrix.values + np.asarray(prior_information(target, jnp.asarray(u)))
    covariance = np.linalg.inv(information)
    width = np.sqrt(np.diag(covariance))
    correlation = covariance / width[:, None] / width[None, :]
    condition_fisher, condition_correlation = (float(np.linalg.cond(matrix)) for matrix in (information, correlation))
    return Identifiability(of_data, condition_fisher, condition_correlation, correlation)
