"""Calibration: fits of mock data whose truth is known, to see whether the intervals they give can be believed.

Each mock draws its truth from the prior, makes data from a sample of halos of its own, adds noise, and is fitted on the
halos of the target, or on one of several other samples: on one sample all mocks would share its error.  If model,
likelihood and method are right, the truth falls below the p-quantile of the posterior in a share p of the mocks
(simulation-based calibration).  `noise=False` and the same halos for truth and fit give the test that has been
published, which measures whether an optimiser works and not whether intervals do.

A campaign runs in blocks of mocks that are solved together and can be kept; a mock that fails is counted, with its
reason.

References
----------
Talts et al. 2018, arXiv:1804.06788; Cook, Gelman & Rubin 2006, J. Comp. Graph. Stat. 15, 675.
"""

import abc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from scipy import stats
from scipy.special import ndtr

from ..halos import HaloHistories
from ..storage.checkpoints import Checkpoint, CheckpointFolder
from .batches import in_batches, over_points
from .evaluate import log_density
from .evaluate import predict as predict_at
from .laplace import expected_information, gaussian_at
from .optimisers.maximise import AbstractOptimiser, climb
from .samplers.base import AbstractSampler
from .samplers.nuts import NUTS
from .target import Target

__all__ = ["AbstractMockFit", "FitLaplace", "FitSampler", "Campaign", "campaign", "mock_data", "STATUS"]

STATUS = ("fitted", "did not converge", "model fails at the truth", "model fails at every start")
"""How the fit of a mock ended, by code."""


class AbstractMockFit(eqx.Module):
    """How mocks are fitted: a block of them at once."""

    @abc.abstractmethod
    def __call__(
        self, target: Target, y: np.ndarray, truth: np.ndarray, key: int, store: Checkpoint | None = None
    ) -> dict[str, np.ndarray]:
        """Arrays with a row for each mock: ``u``, ``sigma_u``, ``low``, ``middle``, ``high``, ``rank``, ``condition``,
        ``gain``, ``status``; an unfinished fit that takes long is kept in `store`."""


class FitLaplace(AbstractMockFit):
    """The highest density from several starts, and the Gaussian of its expected information.

    Parameters
    ----------
    starts : int
    optimiser : AbstractOptimiser, optional
    """

    starts: int = eqx.field(static=True, default=3)
    optimiser: AbstractOptimiser | None = None

    def __call__(
        self, target: Target, y: np.ndarray, truth: np.ndarray, key: int, store: Checkpoint | None = None
    ) -> dict[str, np.ndarray]:
        u, covariance, condition, gain, status = _modes(self, target, y, truth, key)
        sigma = np.sqrt(np.einsum("npp->np", covariance))
        levels = u[:, None] + np.array([-1.0, 0.0, 1.0])[:, None] * sigma[:, None]
        low, middle, high = np.moveaxis(np.asarray(target.theta(levels)), 1, 0)
        return {
            "u": u, "sigma_u": sigma, "low": low, "middle": middle, "high": high, "rank": ndtr((truth - u) / sigma),
            "condition": condition, "gain": gain, "status": status,
        }  # fmt: skip


class FitSampler(AbstractMockFit):
    """Chains that start from the Laplace approximation; all mocks of a block advance together where the sampler can.

    Parameters
    ----------
    sampler : AbstractSampler
    starts : int
        Of the optimiser that looks for each mode.
    optimiser : AbstractOptimiser, optional
    """

    sampler: AbstractSampler = NUTS(chains=2, warmup=100, draws=200)
    starts: int = eqx.field(static=True, default=3)
    optimiser: AbstractOptimiser | None = None

    def __call__(
        self, target: Target, y: np.ndarray, truth: np.ndarray, key: int, store: Checkpoint | None = None
    ) -> dict[str, np.ndarray]:
        u, covariance, condition, gain, status = _modes(self, target, y, truth, key)
        gaussians = [gaussian_at(target, *row) for row in zip(u, np.linalg.inv(covariance), covariance, strict=True)]
        chains = self.sampler.sample_each(target, gaussians, y, key=key, store=store)
        draws = np.stack([each.u.reshape(-1, u.shape[1]) for each in chains])
        theta = np.asarray(target.theta(draws))
        low, middle, high = np.percentile(theta, (15.865, 50.0, 84.135), axis=1)
        return {
            "u": np.median(draws, axis=1), "sigma_u": np.std(draws, axis=1), "low": low, "middle": middle, "high": high,
            "rank": np.mean(draws < truth[:, None], axis=1), "condition": condition, "gain": gain, "status": status,
        }  # fmt: skip


def _modes(fit, target, y, truth, key):
    mocks, size = truth.shape
    begin = np.random.default_rng([key, 0]).normal(size=(mocks, fit.starts, size))
    found = climb(target, begin, np.repeat(y[:, None], fit.starts, 1), fit.optimiser)
    u = np.stack([each.u for each in found])
    covariance = np.linalg.inv(expected_information(target, u, y))
    width = np.sqrt(np.einsum("npp->np", covariance))
    condition = np.linalg.cond(covariance / width[:, :, None] / width[:, None, :])
    there = in_batches(_density_with, target, truth, y)
    gain = np.array([each.log_density for each in found]) - there
    status = np.array([3 if each.starts.failed.all() else 0 if each.converged else 1 for each in found])
    return u, covariance, condition, gain, status


@eqx.filter_jit
def _density_with(target, u, y):
    return over_points(lambda target, u, y: log_density(u, target, y), target, u, y)


class Campaign(NamedTuple):
    """Results of N mocks.

    Attributes
    ----------
    names, units : tuples of str
    truth : array, (N, P)
        theta.
    low, middle, high : arrays, (N, P)
        Median and 68% interval of theta.
    rank : array, (N, P)
        Posterior probability of lying below the truth: uniform if calibrated.
    condition : array, (N,)
        Condition number of the posterior's correlation matrix.
    gain : array, (N,)
        Log density of the mode over that of the truth.
    status : integer array, (N,), indices of `STATUS`
    points : integer array, (N,)
        Data points that the truth's galaxies reached.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    truth: np.ndarray
    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray
    rank: np.ndarray
    condition: np.ndarray
    gain: np.ndarray
    status: np.ndarray
    points: np.ndarray

    @property
    def fitted(self) -> np.ndarray:
        """Which mocks have a result that counts."""
        return self.status == 0

    def status_counts(self) -> dict[str, int]:
        """How many mocks ended in each way; all of them are there."""
        return {
            told: int(np.sum(self.status == code)) for code, told in enumerate(STATUS) if np.any(self.status == code)
        }

    def coverage(self, level: float = 0.6827) -> tuple[np.ndarray, float]:
        """Share of truths inside central intervals of probability `level`, (P,), and the binomial error of one."""
        inside = np.abs(2.0 * self.rank[self.fitted] - 1.0) < level
        share = inside.mean(axis=0) if len(inside) else np.full(len(self.names), np.nan)
        return share, float(np.sqrt(level * (1.0 - level) / max(len(inside), 1)))

    def curve(self, levels: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Share of truths inside central intervals at each level: levels (L,) and shares (L, P)."""
        levels = np.linspace(0.05, 0.95, 19) if levels is None else np.asarray(levels)
        return levels, np.stack([self.coverage(level)[0] for level in levels])

    def uniformity(self) -> np.ndarray:
        """p-values of a Kolmogorov-Smirnov test of uniform ranks, (P,)."""
        rank = self.rank[self.fitted]
        return np.array([stats.kstest(rank[:, i], "uniform").pvalue for i in range(rank.shape[1])])

    @property
    def accuracy(self) -> np.ndarray:
        """(median - truth) / sigma of each mock, (N, P)."""
        return (self.middle - self.truth) / self.sigma

    @property
    def sigma(self) -> np.ndarray:
        """Half of the 68% intervals, (N, P)."""
        return 0.5 * (self.high - self.low)

    @property
    def precision(self) -> np.ndarray:
        """sigma / (1 + |median|), the measure of Pandya et al. 2026, (N, P)."""
        return self.sigma / (1.0 + np.abs(self.middle))

    def verdict(self) -> str:
        """What the campaign says, in words."""
        number = int(self.fitted.sum())
        told = ", ".join(f"{count} {how}" for how, count in self.status_counts().items())
        if number < 5:
            return f"{len(self.status)} mocks: {told}; too few to judge calibration"
        share, error = self.coverage()
        off = [f"{n} {s:.0%}" for n, s in zip(self.names, share, strict=True) if abs(s - 0.6827) > 3 * error]
        uneven = [n for n, p in zip(self.names, self.uniformity(), strict=True) if p < 0.01 / len(self.names)]
        if not (off or uneven):
            said = f"calibrated: 68% intervals hold {share.min():.0%} to {share.max():.0%} of the truths"
        else:
            said = f"not calibrated: coverage {', '.join(off) or 'fine'}; uneven ranks of {', '.join(uneven) or 'none'}"
        return f"{len(self.status)} mocks: {told}; {said} (binomial error {error:.0%})"


def mock_data(
    target: Target, truth: np.ndarray, halos: HaloHistories | None, noise: bool, key: int
) -> tuple[np.ndarray, np.ndarray]:
    """Data of truths at coordinates (N, P), NaN where no galaxies are, and which truths could be solved."""
    source = target if halos is None else target.with_halos(halos)
    told = in_batches(predict_at, source, truth)
    shift = np.stack([np.asarray(target.data.shift(target.values(jnp.asarray(u)))) + 0.0 * told.mean[0] for u in truth])
    mean = told.mean + shift
    if noise:
        rng = np.random.default_rng([key, 2])
        for i, u in enumerate(truth):
            bare = type(told)(*(each[i] for each in told))._replace(error=np.zeros(mean.shape[1]))
            covariance = np.asarray(target.data.total_covariance(bare, target.values(jnp.asarray(u))))
            mean[i] += np.linalg.cholesky(covariance) @ rng.normal(size=mean.shape[1])
    used = told.reached & np.isfinite(np.asarray(target.data.y))
    return np.where(used, mean, np.nan), told.failed <= 0.1


def campaign(
    target: Target,
    number: int,
    *,
    halos: HaloHistories | None,
    samples: Sequence[HaloHistories] = (),
    noise: bool = True,
    fit: AbstractMockFit | None = None,
    key: int = 0,
    block: int = 8,
    store: CheckpointFolder | None = None,
    unfinished: Callable[[str], Checkpoint] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Campaign:
    """Fit `number` mocks.

    Parameters
    ----------
    target : Target
        Its errors are those of the mock data; its halos are those of the fit.
    number : int
    halos : HaloHistories or None
        Those of the truth; None takes those of the fit, as published tests do.
    samples : sequence of HaloHistories
        Halos of the fits, which blocks take in turn, all of one number; default the target's.
    noise : bool
    fit : AbstractMockFit, optional
        Default `FitLaplace()`.
    key : int
        The same key and block give the same mocks.
    block : int
        Mocks that are fitted together.
    store : CheckpointFolder, optional
        Where finished blocks are kept.
    unfinished : callable, optional
        Where chains of an unfinished block are kept, by name: see `corundum.io.CheckpointFolder.part`.
    progress : callable, optional
        Called as ``progress(done, total)``.
    """
    if number < 1 or block < 1:
        raise ValueError(f"campaign: got {number} mocks in blocks of {block}; allowed positive whole numbers")
    fit = FitLaplace() if fit is None else fit
    parts = []
    for index, first in enumerate(range(0, number, block)):
        count = min(block, number - first)
        part = None if store is None else store.load(index)
        if part is None:
            own = target.with_halos(samples[index % len(samples)]) if samples else target
            chains = None if unfinished is None else unfinished(f"block {index}")
            part = _block(own, halos, noise, fit, key, first, block, chains)
            if store is not None:
                store.save(index, part)
        parts.append({name: rows[:count] for name, rows in part.items()})
        if progress is not None:
            progress(first + count, number)
    all_ = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Campaign(target.names, target.units, *(all_[name] for name in Campaign._fields[2:]))


def _block(target, halos, noise, fit, key, first, block, store):
    truth = np.concatenate([np.asarray(target.prior_draws(1, key=_mix(key, first + i))) for i in range(block)])
    y, solved = mock_data(target, truth, halos, noise, _mix(key, first))
    told = fit(target, np.where(solved[:, None], y, np.nan), truth, _mix(key, first), store)
    told["status"] = np.where(solved, told["status"], 2)
    return {"truth": np.asarray(target.theta(truth)), "points": np.sum(np.isfinite(y), axis=1), **told}


def _mix(key, number):
    return int(np.random.SeedSequence([key, number]).generate_state(1)[0])
