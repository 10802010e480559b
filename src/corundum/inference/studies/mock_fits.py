"""How mock data are fitted: many sets of data at once, by the Laplace approximation or by chains."""

import abc
from typing import NamedTuple

import equinox as eqx
import numpy as np
import scipy

from ...numerics.compiling import compiled
from ...printing import Component
from ...storage.checkpoints import Checkpoint
from ..batches import in_batches, over_points
from ..evaluate import ln_density
from ..laplace import expected_information, gaussian_at
from ..optimisers.base import AbstractOptimiser
from ..optimisers.maximise import maximise_each
from ..samplers.base import AbstractSampler
from ..samplers.nuts import NUTS
from ..target import Target

__all__ = ["AbstractMockFit", "FitLaplace", "FitSampler", "MOCK_STATUS"]

MOCK_STATUS = ("fitted", "did not converge", "model fails at the truth", "model fails at every start")
"""How the fit of a mock ended, by code."""


class AbstractMockFit(Component):
    """A way to fit a block of mocks at once.

    Examples
    --------
    A fit that looks at no data and returns the prior:

    >>> class Prior(co.inference.AbstractMockFit):
    ...     def __call__(self, target, y, truth, key, store=None):
    ...         zero, one = np.zeros_like(truth), np.ones(len(truth))
    ...         low, middle, high = (np.asarray(target.theta(zero + level)) for level in (-1.0, 0.0, 1.0))
    ...         return {"u": zero, "sigma_u": zero + 1.0, "low": low, "middle": middle, "high": high,
    ...                 "rank": np.full_like(truth, 0.5), "condition": one, "gain": 0 * one, "status": 0 * one}
    >>> result = co.inference.campaign(target, 2, halos=None, fit=Prior(), block=2)
    >>> result.status_counts()
    {'fitted': 2}
    """

    @abc.abstractmethod
    def __call__(
        self, target: Target, y: np.ndarray, truth: np.ndarray, key: int, store: Checkpoint | None = None
    ) -> dict[str, np.ndarray]:
        """Fit N mocks.

        Parameters
        ----------
        target : Target
        y : array, (N, M)
            The data of each.
        truth : array, (N, P)
            Coordinates of the truths.
        key : int
        store : Checkpoint, optional
            Where an unfinished fit that takes long is kept.

        Returns
        -------
        dict of str to array with a row for each mock
            ``u`` and ``sigma_u``, ``low``, ``middle`` and ``high`` of theta, ``rank`` of the truth, ``condition`` of
            the correlation matrix, ``gain`` in log density over the truth, ``status`` (see `MOCK_STATUS`).
        """


class FitLaplace(AbstractMockFit):
    """The highest density from several starts, and the Gaussian of its expected information.

    Parameters
    ----------
    starts : int
        Of the optimiser, for each mock.
    optimiser : AbstractOptimiser, optional
        Default `GaussNewton()`.

    Examples
    --------
    >>> result = co.inference.campaign(target, 2, halos=None, block=2, fit=co.inference.FitLaplace(starts=2))
    >>> result.middle.shape
    (2, 2)
    """

    starts: int = eqx.field(static=True, default=3)
    optimiser: AbstractOptimiser | None = None

    def __call__(
        self, target: Target, y: np.ndarray, truth: np.ndarray, key: int, store: Checkpoint | None = None
    ) -> dict[str, np.ndarray]:
        modes = _modes(self, target, y, truth, key)
        sigma = np.sqrt(np.einsum("npp->np", modes.covariance))
        levels = modes.u[:, None] + np.array([-1.0, 0.0, 1.0])[:, None] * sigma[:, None]
        low, middle, high = np.moveaxis(np.asarray(target.theta(levels)), 1, 0)
        return {
            "u": modes.u, "sigma_u": sigma, "low": low, "middle": middle, "high": high,
            "rank": scipy.special.ndtr((truth - modes.u) / sigma), "condition": modes.condition, "gain": modes.gain,
            "status": modes.status,
        }  # fmt: skip


class FitSampler(AbstractMockFit):
    """Chains that start from the Laplace approximation; all mocks of a block advance together if the sampler can.

    Parameters
    ----------
    sampler : AbstractSampler
    starts : int
        Of the optimiser that looks for each mode.
    optimiser : AbstractOptimiser, optional
        Default `GaussNewton()`.

    Examples
    --------
    >>> fit = co.inference.FitSampler(co.inference.HMC(chains=2, warmup=20, draws=50), starts=2)
    >>> result = co.inference.campaign(target, 2, halos=None, block=2, fit=fit)
    >>> result.middle.shape
    (2, 2)
    """

    sampler: AbstractSampler = NUTS(chains=2, warmup=100, draws=200)
    starts: int = eqx.field(static=True, default=3)
    optimiser: AbstractOptimiser | None = None

    def __call__(
        self, target: Target, y: np.ndarray, truth: np.ndarray, key: int, store: Checkpoint | None = None
    ) -> dict[str, np.ndarray]:
        modes = _modes(self, target, y, truth, key)
        rows = zip(modes.u, np.linalg.inv(modes.covariance), modes.covariance, strict=True)
        gaussians = [gaussian_at(target, *row) for row in rows]
        chains = self.sampler.sample_each(target, gaussians, y, key=key, store=store)
        draws = np.stack([fit.u.reshape(-1, truth.shape[1]) for fit in chains])
        theta = np.asarray(target.theta(draws))
        low, middle, high = np.percentile(theta, (15.865, 50.0, 84.135), axis=1)
        return {
            "u": np.median(draws, axis=1), "sigma_u": np.std(draws, axis=1), "low": low, "middle": middle, "high": high,
            "rank": np.mean(draws < truth[:, None], axis=1), "condition": modes.condition, "gain": modes.gain,
            "status": modes.status,
        }  # fmt: skip


class _Modes(NamedTuple):
    u: np.ndarray
    covariance: np.ndarray
    condition: np.ndarray
    gain: np.ndarray
    status: np.ndarray


def _modes(fit, target, y, truth, key):
    """The modes of all mocks, and how each fit ended."""
    mocks, size = truth.shape
    starts = np.random.default_rng([key, 0]).normal(size=(mocks, fit.starts, size))
    estimates = maximise_each(target, starts, np.repeat(y[:, None], fit.starts, 1), fit.optimiser)
    u = np.stack([estimate.u for estimate in estimates])
    covariance = np.linalg.inv(expected_information(target, u, y))
    width = np.sqrt(np.einsum("npp->np", covariance))
    condition = _conditions(covariance / width[:, :, None] / width[:, None, :])
    gain = np.array([estimate.ln_density for estimate in estimates]) - in_batches(_density_with, target, truth, y)
    return _Modes(u, covariance, condition, gain, np.array([_status(estimate) for estimate in estimates]))


def _conditions(correlation):
    """Condition numbers of correlation matrices; NaN where one is not finite, of which there is no decomposition."""
    finite = np.all(np.isfinite(correlation), axis=(-2, -1))
    condition = np.full(len(correlation), np.nan)
    condition[finite] = np.linalg.cond(correlation[finite])
    return condition


def _status(estimate):
    if estimate.starts.failed.all():
        return MOCK_STATUS.index("model fails at every start")
    return MOCK_STATUS.index("fitted" if estimate.converged else "did not converge")


@compiled
def _density_with(target, u, y):
    return over_points(lambda target, u, y: ln_density(u, target, y), target, u, y)
