"""The evidence of a model from draws of its posterior, by bridge sampling."""

import time
from typing import NamedTuple

import numpy as np
import scipy

from ...arguments import instance, whole_number
from ...numerics.random_keys import seed
from ...storage.arviz_data import arviz
from ..batches import in_batches
from ..evaluate import ln_density_at
from ..posterior import Posterior
from ..target import Target

__all__ = ["Evidence", "bridge_evidence"]

_WIDTH = 64
_DEGREES = 6.0
_CHAINS = 4


class Evidence(NamedTuple):
    """How probable the data are under a model, averaged over its prior.

    Attributes
    ----------
    ln_z : float
        Natural logarithm of the evidence.
    error : float
        Standard error of `ln_z`.
    method : str
    solves : int
        Points at which the model was solved.
    seconds : float

    Examples
    --------
    >>> evidence = co.inference.bridge_evidence(target, posterior, draws=200)
    >>> evidence.error < 0.5
    True
    """

    ln_z: float
    error: float
    method: str
    solves: int
    seconds: float

    def __repr__(self) -> str:
        return f"Evidence: ln Z = {self.ln_z:.2f} +- {self.error:.2f} ({self.method}, {self.solves} solves)"


def bridge_evidence(target: Target, posterior: Posterior, *, draws: int = 2000, key: int = 0) -> Evidence:
    """The evidence from draws of the posterior.

    A Student t distribution of few degrees of freedom is fitted to half of the draws; the other half and draws of that
    distribution then give the ratio of the two normalisations, with the optimal bridge.  The error follows from the
    variance of the two averages and the effective number of posterior draws.

    The result is only as good as the chains: a mode that they never visited is not counted.  `NestedSampler` searches
    the whole prior.

    Parameters
    ----------
    target : Target
    posterior : Posterior
        Draws from its posterior, of any sampler.
    draws : int
        Of each kind: at most so many of the posterior, and as many of the fitted distribution.
    key : int

    Raises
    ------
    ValueError
        The posterior is not of this target, has fewer than 20 draws for each parameter, or the model fails at most of
        them.

    References
    ----------
    Meng & Wong 1996, Statistica Sinica 6, 831; Gronau et al. 2017, J. Math. Psych. 81, 80; Fruehwirth-Schnatter 2004,
    Econometrics J. 7, 143 (error).

    Examples
    --------
    >>> print(co.inference.bridge_evidence(target, posterior, draws=200))
    Evidence: ln Z = ... (bridge sampling, 400 solves)
    """
    instance("target", target, Target, expected="a target, such as inference.Target(model, halos, data, free)")
    draws = whole_number("draws", draws, least=10)
    began, rng, size = time.perf_counter(), np.random.default_rng(seed(key)), len(target.names)
    if tuple(posterior.names) != tuple(target.names):
        raise ValueError(
            f"posterior: has {', '.join(posterior.names)}, but the target has {', '.join(target.names)}; give its own"
        )
    chains, length = posterior.u.shape[:2]
    if chains * length < 20 * size:
        raise ValueError(
            f"posterior: has {chains * length} draws of {size} parameters; bridge sampling needs at least {20 * size}"
        )
    # Half of every chain for the fit, so that both halves come from all chains.
    fitted, rest = posterior.u[:, ::2].reshape(-1, size), posterior.u[:, 1::2]
    rest = rest[:, :: max(1, -(-rest.shape[0] * rest.shape[1] // draws))]
    # All chains in turn, so that the autocorrelation that counts is that along them.
    ours = np.swapaxes(rest, 0, 1).reshape(-1, size)
    distribution = scipy.stats.multivariate_t(
        fitted.mean(axis=0), np.cov(fitted.T).reshape(size, size) * (_DEGREES - 2.0) / _DEGREES, df=_DEGREES, seed=rng
    )
    theirs = distribution.rvs(draws).reshape(draws, size)
    density = [in_batches(ln_density_at, target, points, width=_WIDTH) for points in (ours, theirs)]
    if np.isfinite(density[0]).mean() < 0.5:
        raise ValueError("posterior: the model fails at most of its draws; give the draws of this target")
    at_ours, at_theirs = (
        values - distribution.logpdf(points) for values, points in zip(density, (ours, theirs), strict=True)
    )
    number = _effective(at_ours, posterior, len(ours))
    ln_z, error = _bridge(at_ours, at_theirs, number)
    return Evidence(ln_z, error, "bridge sampling", len(ours) + draws, time.perf_counter() - began)


def _effective(values, posterior, number):
    """Effective number of the draws that are used."""
    if posterior.u.shape[0] * posterior.u.shape[1] < 4 * _CHAINS:
        return float(number)
    finite = np.where(np.isfinite(values), values, np.min(values[np.isfinite(values)]))
    chains = posterior.u.shape[0]
    rows = finite[: len(finite) // chains * chains].reshape(-1, chains).T
    return float(np.clip(arviz().ess(rows), 1.0, number)) if rows.shape[1] >= 4 else float(number)


def _bridge(at_ours, at_theirs, effective):
    """ln Z and its error from ln(posterior / distribution), at draws of either; `effective` is that of the first."""
    first, second = effective / (effective + len(at_theirs)), len(at_theirs) / (effective + len(at_theirs))
    middle = float(np.median(at_ours[np.isfinite(at_ours)]))
    ours, theirs = np.exp(at_ours - middle), np.exp(at_theirs - middle)
    ratio = 1.0
    for _ in range(1000):
        before = ratio
        ratio = np.mean(theirs / (first * theirs + second * ratio)) / np.mean(1.0 / (first * ours + second * ratio))
        if abs(ratio - before) < 1e-10 * ratio:
            break
    of_theirs = theirs / (first * theirs + second * ratio)
    of_ours = ratio / (first * ours + second * ratio)
    error = np.sqrt(
        np.var(of_theirs) / np.mean(of_theirs) ** 2 / len(theirs) + np.var(of_ours) / np.mean(of_ours) ** 2 / effective
    )
    return float(np.log(ratio) + middle), float(error)
