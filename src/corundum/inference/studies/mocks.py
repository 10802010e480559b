"""Calibration: fits of mock data whose truth is known, to check whether the intervals they give can be believed.

Each mock draws its truth from the prior, makes data from a sample of halos of its own, adds noise, and is fitted on the
halos of the target or on one of several other samples: on one sample alone, all mocks would share its error.  If model,
likelihood and method are right, the truth falls below the p-quantile of the posterior in a share p of the mocks
(simulation-based calibration).  `noise=False` with the same halos for truth and fit gives the published test, which
checks whether an optimiser works but not whether intervals are right.

A campaign runs in blocks of mocks that are solved together and can be kept in files; a mock that fails is counted, with
its reason.

References
----------
Talts et al. 2018, arXiv:1804.06788; Cook, Gelman & Rubin 2006, J. Comp. Graph. Stat. 15, 675.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import scipy

from ...arguments import strategy, whole_number
from ...halos import HaloHistories
from ...storage.checkpoints import Checkpoint, CheckpointFolder
from ..batches import in_batches
from ..evaluate import predict
from ..reach import MAX_FAILED
from ..target import Target
from ..vectors import rows_of_vectors
from .mock_fits import MOCK_STATUS, AbstractMockFit, FitLaplace

__all__ = ["Campaign", "campaign", "mock_data"]

_ONE_SIGMA = 0.6827
"""Probability within one standard deviation of a Gaussian."""


class Campaign(NamedTuple):
    """Results of N mocks; `print` shows the verdict on their intervals.

    Attributes
    ----------
    names, units : tuples of str
    truth : array, (N, P)
        theta.
    low, middle, high : arrays, (N, P)
        The 68% interval of theta, and its median.
    rank : array, (N, P)
        Posterior probability of lying below the truth: uniform if calibrated.
    condition : array, (N,)
        Condition number of the posterior's correlation matrix.
    gain : array, (N,)
        Log density of the mode over that of the truth.
    status : integer array, (N,)
        Index into `MOCK_STATUS`.
    points : integer array, (N,)
        Data points that the truth's galaxies reached.

    Examples
    --------
    >>> result = co.inference.campaign(target, 16, halos=None, block=16)
    >>> result
    Campaign of 16 mocks: 16 fitted; calibrated...
    >>> share, error = result.coverage()
    >>> share.shape
    (2,)
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

    def __repr__(self) -> str:
        return f"Campaign of {self.verdict()}"

    @property
    def fitted(self) -> np.ndarray:
        """Which mocks have a result that counts."""
        return self.status == 0

    @property
    def outcomes(self) -> list[str]:
        """How the fit of each mock ended, in words."""
        return [MOCK_STATUS[int(code)] for code in self.status]

    def status_counts(self) -> dict[str, int]:
        """How many mocks ended in each way; the numbers add up to all mocks."""
        counts = {name: int(np.sum(self.status == code)) for code, name in enumerate(MOCK_STATUS)}
        return {name: number for name, number in counts.items() if number}

    def coverage(self, level: float = _ONE_SIGMA) -> tuple[np.ndarray, float]:
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
        return np.array([scipy.stats.kstest(rank[:, i], "uniform").pvalue for i in range(rank.shape[1])])

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
        """Whether intervals hold the truth as often as they should, in words."""
        counts = ", ".join(f"{count} {status}" for status, count in self.status_counts().items())
        if self.fitted.sum() < 5:
            return f"{len(self.status)} mocks: {counts}; too few to judge calibration"
        share, error = self.coverage()
        off = [f"{n} {s:.0%}" for n, s in zip(self.names, share, strict=True) if abs(s - _ONE_SIGMA) > 3 * error]
        uneven = [n for n, p in zip(self.names, self.uniformity(), strict=True) if p < 0.01 / len(self.names)]
        if not (off or uneven):
            judgement = f"calibrated: 68% intervals hold {share.min():.0%} to {share.max():.0%} of the truths"
        else:
            coverage, ranks = ", ".join(off) or "fine", ", ".join(uneven) or "none"
            judgement = f"not calibrated: coverage {coverage}; uneven ranks of {ranks}"
        return f"{len(self.status)} mocks: {counts}; {judgement} (binomial error {error:.0%})"


def mock_data(
    target: Target, truth: np.ndarray, halos: HaloHistories | None, noise: bool, key: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mock data of some truths.

    Parameters
    ----------
    target : Target
    truth : array, (N, P)
        Coordinates.
    halos : HaloHistories or None
        Those of the truth; None takes those of the target.
    noise : bool
        Whether to add errors drawn from the covariance of the data.
    key : int
        Seed of the errors.

    Returns
    -------
    y : array, (N, M)
        NaN where no galaxies are.
    solved : boolean array, (N,)
        Whether the model could be solved.

    Examples
    --------
    >>> y, solved = co.inference.mock_data(target, np.zeros((3, 2)), None, True, 0)
    >>> y.shape, solved.all()
    ((3, 5), np.True_)
    """
    truth = np.asarray(rows_of_vectors("truth", truth, target.names))
    source = target if halos is None else target.with_halos(halos)
    predictions = in_batches(predict, source, truth)
    zero = 0.0 * predictions.mean[0]
    shift = np.stack([np.asarray(target.data.shift(target.values(jnp.asarray(u)))) + zero for u in truth])
    mean = predictions.mean + shift
    if noise:
        rng = np.random.default_rng([key, 2])
        for i, u in enumerate(truth):
            exact = type(predictions)(*(rows[i] for rows in predictions))._replace(error=np.zeros(mean.shape[1]))
            covariance = np.asarray(target.data.total_covariance(exact, target.values(jnp.asarray(u))))
            mean[i] += np.linalg.cholesky(covariance) @ rng.normal(size=mean.shape[1])
    used = predictions.reached & np.isfinite(np.asarray(target.data.y))
    return np.where(used, mean, np.nan), predictions.failed <= MAX_FAILED


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
        Those of the truths; None takes those of the fit, as published tests do.
    samples : sequence of HaloHistories
        Halos of the fits, which blocks take in turn, all with the same number of halos; default the target's.
    noise : bool
        Whether mock data have errors.
    fit : AbstractMockFit, optional
        Default `FitLaplace()`; also `FitSampler()`.
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

    Raises
    ------
    ValueError
        A number is not positive.

    Examples
    --------
    >>> result = co.inference.campaign(target, 4, halos=None, block=4)
    >>> result.status_counts()
    {'fitted': 4}
    """
    number, block = whole_number("number", number, meaning="mocks"), whole_number("block", block, meaning="mocks")
    fit = strategy("fit", fit, FitLaplace())
    blocks = []
    for index, first in enumerate(range(0, number, block)):
        count = min(block, number - first)
        rows = None if store is None else store.load(index)
        if rows is None:
            of_block = target.with_halos(samples[index % len(samples)]) if samples else target
            chains = None if unfinished is None else unfinished(f"block {index}")
            rows = _fit_block(of_block, halos, noise, fit, key, first, block, chains)
            if store is not None:
                store.save(index, rows)
        blocks.append({name: values[:count] for name, values in rows.items()})
        if progress is not None:
            progress(first + count, number)
    columns = {name: np.concatenate([rows[name] for rows in blocks]) for name in blocks[0]}
    return Campaign(target.names, target.units, *(columns[name] for name in Campaign._fields[2:]))


def _fit_block(target, halos, noise, fit, key, first, block, store):
    truth = np.concatenate([np.asarray(target.prior_draws(1, key=_mix(key, first + i))) for i in range(block)])
    y, solved = mock_data(target, truth, halos, noise, _mix(key, first))
    results = fit(target, np.where(solved[:, None], y, np.nan), truth, _mix(key, first), store)
    results["status"] = np.where(solved, results["status"], MOCK_STATUS.index("model fails at the truth"))
    return {"truth": np.asarray(target.theta(truth)), "points": np.sum(np.isfinite(y), axis=1), **results}


def _mix(key, number):
    return int(np.random.SeedSequence([key, number]).generate_state(1)[0])
