"""Nested sampling: the whole prior is searched, so that several modes get their shares and the evidence is known."""

import importlib.util
import time
from collections.abc import Callable
from typing import ClassVar

import equinox as eqx
import numpy as np
import scipy

from ...storage.checkpoints import Checkpoint, fingerprints
from ..batches import in_batches
from ..evaluate import ln_density_at
from ..laplace import Laplace
from ..target import Target
from .base import AbstractSampler, check_numbers
from .chains import ChainProgress, Chains, ingredients

__all__ = ["NestedSampler"]

CHAINS = 4
"""Draws of equal weight are independent; they are handed out as so many chains."""

EDGE = 1e-12
"""Least distance from the edge of the unit cube: beyond seven standard deviations of the prior."""

_WIDTH = 64
_SLICE = 15.0  # seconds between reports of progress
_NOTHING = -1e100  # where the density is zero


class NestedSampler(AbstractSampler):
    """Importance nested sampling with neural networks as bounds (nautilus); needs ``corundum[nested]``.

    It begins with the whole prior, not with a mode: use it where the posterior may have several modes or lie along the
    edge of a prior, and for the evidence, which is then in the attributes ``ln_evidence`` and ``ln_evidence_error`` of
    the posterior's data.

    Parameters
    ----------
    live : int
        Live points: more of them resolve more modes.
    effective : int
        Effective number of draws.
    networks : int
        Neural networks that narrow each bound down; 0 for ellipsoids alone, which is faster where solves are cheap.
    finest : float
        Share of the evidence in the live points below which exploring ends.
    most_solves : int, optional
        Points at most; a run that needs more stops with an error.

    Raises
    ------
    ImportError
        nautilus is not installed.
    ValueError
        A number is out of its range, or `most_solves` is not enough.

    References
    ----------
    Lange 2023, MNRAS 525, 3181 (nautilus).

    Examples
    --------
    >>> co.inference.NestedSampler(live=500).effective
    2000
    """

    live: int = eqx.field(static=True, default=1000)
    effective: int = eqx.field(static=True, default=2000)
    networks: int = eqx.field(static=True, default=4)
    finest: float = eqx.field(static=True, default=0.01)
    most_solves: int | None = eqx.field(static=True, default=None)
    package: ClassVar[str] = "nautilus"
    needs_start: ClassVar[bool] = False

    def __check_init__(self):
        check_numbers(live=(self.live, 20), effective=(self.effective, 100), networks=(self.networks, 0))
        if self.most_solves is not None:
            check_numbers(most_solves=(self.most_solves, 1))
        if not 0.0 < self.finest < 1.0:
            raise ValueError(f"finest: got {self.finest!r}; allowed a number between 0 and 1")

    def sample(
        self,
        target: Target,
        start: Laplace | None = None,
        *,
        key: int,
        store: Checkpoint | None = None,
        progress: Callable[[ChainProgress], None] | None = None,
    ) -> Chains:
        if importlib.util.find_spec("nautilus") is None:
            raise ImportError("NestedSampler needs nautilus, which is not installed: pip install 'corundum[nested]'")
        from nautilus import Sampler

        size, file = len(target.names), None
        if store is not None:
            settings = (type(self).__name__, self.live, self.effective, self.networks, self.finest, key)
            identity = fingerprints({**ingredients(target), "sampler": settings})
            store.load(identity)  # refuses that of another run
            store.save({}, identity)
            file = store.path.with_suffix(".nautilus.h5")
        sampler = Sampler(
            lambda cube: scipy.special.ndtri(np.clip(cube, EDGE, 1.0 - EDGE)),
            lambda u: _ln_likelihood(target, u[..., :size]),
            n_dim=max(size, 2), n_live=self.live, n_networks=self.networks, n_batch=_WIDTH,
            vectorized=True, pass_dict=False, seed=key,
            filepath=file, resume=True,
        )  # fmt: skip
        # nautilus takes two parameters at least: of one parameter alone the second changes nothing.
        limit, seconds, resumed = np.inf if self.most_solves is None else self.most_solves, 0.0, int(sampler.n_like)
        finished = False
        while not finished:
            began = time.perf_counter()
            finished = sampler.run(f_live=self.finest, n_eff=self.effective, n_like_max=limit, timeout=_SLICE)
            took = time.perf_counter() - began
            seconds += took
            if progress is not None:
                done = min(int(sampler.n_eff), self.effective) if sampler.explored else 0
                progress(ChainProgress(done, self.effective, not sampler.explored, np.nan, 0, took))
            if not finished and sampler.n_like >= limit:
                raise ValueError(
                    f"NestedSampler: {self.most_solves} solves were not enough; allow more (most_solves), or fewer "
                    "live points"
                )
        u, _, ln_likelihood = sampler.posterior(equal_weight=True)
        u = u[:, :size]
        order = np.random.default_rng([key, 4]).permutation(len(u))[: len(u) // CHAINS * CHAINS]
        u, ln_density = u[order], ln_likelihood[order] + scipy.stats.norm.logpdf(u[order]).sum(axis=1)
        about = {
            "ln_evidence": float(sampler.log_z), "ln_evidence_error": float(1.0 / np.sqrt(sampler.n_eff)),
            "solves": int(sampler.n_like),
        }  # fmt: skip
        return Chains(
            u.reshape(CHAINS, -1, size), {"lp": ln_density.reshape(CHAINS, -1)}, seconds=seconds, resumed=resumed,
            about=about,
        )  # fmt: skip


def _ln_likelihood(target, u):
    """ln of the posterior density of points (S, P) over that of the standard normal that they are drawn from."""
    if np.ndim(u) == 1:
        return _ln_likelihood(target, u[None])[0]
    ln = in_batches(ln_density_at, target, u, width=_WIDTH) - scipy.stats.norm.logpdf(u).sum(axis=1)
    return np.where(np.isfinite(ln), ln, _NOTHING)
