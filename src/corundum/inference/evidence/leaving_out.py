"""Leave-one-out cross-validation from the draws of one fit, by Pareto-smoothed importance sampling.

Written out because versions of ArviZ differ: they cut tails at other lengths, count errors with other degrees of
freedom, and since 1.0 refuse fewer than 25 draws and points whose density is the same at all of them.
"""

import numpy as np
from scipy.special import logsumexp

__all__ = ["leave_one_out", "smoothed_weights"]

_FEWEST = 5  # draws in a tail to which a distribution is fitted
_PRIOR_WEIGHT, _PRIOR_SHAPE = 10.0, 0.5  # of the shape k, as that many draws; Vehtari et al. 2024
_PRIOR_SCALE = 3.0  # of Zhang & Stephens 2009


def leave_one_out(ln_density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln density of each point in a fit without it, (M,), and the shape k of the tail of its weights, (M,).

    Parameters
    ----------
    ln_density : array, (S, M)
        Of each point at each draw from the posterior of all points.

    References
    ----------
    Vehtari, Simpson, Gelman, Yao & Gabry 2024, J. Mach. Learn. Res. 25, 72.

    Examples
    --------
    >>> from corundum.inference.evidence.leaving_out import leave_one_out
    >>> draws, point = np.random.default_rng(0).normal(0.0, 0.5, 1000), 0.3
    >>> elpd, k = leave_one_out(-0.5 * (point - draws[:, None]) ** 2)
    >>> bool(elpd[0] < np.log(np.mean(np.exp(-0.5 * (point - draws) ** 2)))), bool(k[0] < 0.7)
    (True, True)
    """
    smoothed = [smoothed_weights(-values) for values in np.asarray(ln_density).T]
    elpd = [logsumexp(weights + values) for (weights, _), values in zip(smoothed, ln_density.T, strict=True)]
    return np.array(elpd), np.array([k for _, k in smoothed])


def smoothed_weights(ln_weights: np.ndarray) -> tuple[np.ndarray, float]:
    """ln of importance weights that sum to one, the largest replaced by quantiles of a generalised Pareto distribution.

    Parameters
    ----------
    ln_weights : array, (S,)

    Returns
    -------
    ln_weights : array, (S,)
    k : float
        Shape of the distribution: weights are reliable up to about 0.7.  Infinite where too few draws differ for a fit.

    Examples
    --------
    >>> from corundum.inference.evidence.leaving_out import smoothed_weights
    >>> weights, k = smoothed_weights(np.zeros(4))
    >>> np.exp(weights).tolist(), k
    ([0.25, 0.25, 0.25, 0.25], inf)
    """
    values = ln_weights - np.max(ln_weights)
    length = int(np.ceil(min(len(values) / 5.0, 3.0 * np.sqrt(len(values)))))
    cut = max(np.sort(values)[-length - 1], np.log(np.finfo(float).tiny))
    (tail,) = np.nonzero(values > cut)
    k = np.inf
    if len(tail) >= _FEWEST:
        tail = tail[np.argsort(values[tail])]
        k, scale = _pareto_fit(np.exp(values[tail]) - np.exp(cut))
        levels = np.arange(0.5, len(tail)) / len(tail)
        # expm1(-k ln(1 - p)) / k is -ln(1 - p) at k = 0, which a fit to numbers does not hit.
        quantiles = scale * np.expm1(-k * np.log1p(-levels)) / k
        values[tail] = np.minimum(np.log(quantiles + np.exp(cut)), 0.0)
    return values - logsumexp(values), float(k)


def _pareto_fit(excess):
    """Shape and scale of a generalised Pareto distribution from sorted positive numbers (Zhang & Stephens 2009).

    References
    ----------
    Zhang & Stephens 2009, Technometrics 51, 316.
    """
    size = len(excess)
    number = 30 + int(np.sqrt(size))
    quartile = excess[int(size / 4 + 0.5) - 1]
    grid = (1.0 - np.sqrt(number / (np.arange(1, number + 1) - 0.5))) / (_PRIOR_SCALE * quartile) + 1.0 / excess[-1]
    shapes = np.log1p(-grid[:, None] * excess).mean(axis=1)
    ln_profile = size * (np.log(-grid / shapes) - shapes - 1.0)
    weights = np.exp(ln_profile - logsumexp(ln_profile))
    mean = np.sum(grid * weights)
    shape = np.log1p(-mean * excess).mean()
    return (size * shape + _PRIOR_WEIGHT * _PRIOR_SHAPE) / (size + _PRIOR_WEIGHT), -shape / mean
