"""Sampling a posterior with any sampler."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ...arguments import instance, strategy
from ...storage.checkpoints import Checkpoint
from ..laplace import Laplace, laplace
from ..optimisers.maximise import PointEstimate, maximise
from ..posterior import Posterior, check_names, posterior_of
from ..target import Target
from .base import AbstractSampler
from .chains import ChainProgress, Chains
from .nuts import NUTS

__all__ = ["sample"]


def sample(
    target: Target,
    start: Laplace | PointEstimate | None = None,
    *,
    sampler: AbstractSampler | None = None,
    key: int = 0,
    store: Checkpoint | None = None,
    progress: Callable[[ChainProgress], None] | None = None,
) -> Posterior:
    """Draw from the posterior of a target.

    Parameters
    ----------
    target : Target
    start : Laplace or PointEstimate, optional
        Where chains start; of a point estimate the Laplace approximation is made first.  By default the mode is
        searched (`maximise`).  A sampler that begins with the prior needs neither.
    sampler : AbstractSampler, optional
        Default `NUTS()`; also `SurrogateHMC()`, `HMC()`, `NestedSampler()`, `AffineInvariant()`, `SliceEnsemble()` or
        one of your own.
    key : int
        Seed of all random numbers: the same key and settings make the same draws.
    store : Checkpoint, optional
        Where to keep an unfinished run, such as `corundum.io.Checkpoint`; a run that it holds is resumed.
    progress : callable, optional
        Called with a `ChainProgress` after every block of draws.

    Raises
    ------
    TypeError
        `sampler` is no sampler, or does not return `Chains`.
    ValueError
        The model fails wherever chains would start, a setting does not fit the target, the store holds another run, or
        a parameter or measurement has a slash in its name.

    Examples
    --------
    >>> target = co.inference.Target.of_function(lambda theta: theta, [1.0], [0.1], {"a": (-5.0, 5.0)})
    >>> best = co.inference.maximise(target, starts=2)
    >>> posterior = co.inference.sample(target, best, sampler=co.inference.HMC(chains=2, warmup=50, draws=500))
    >>> round(float(posterior.flat.mean()), 1)
    1.0
    """
    instance("target", target, Target, expected="a target, such as inference.Target(model, halos, data, free)")
    check_names(target)
    sampler = strategy("sampler", sampler, NUTS())
    about_mode: Any = None
    if isinstance(start, Laplace):
        about_mode = start
    elif sampler.needs_start:
        about_mode = laplace(target, maximise(target, key=key) if start is None else start)
    chains = sampler.sample(target, about_mode, key=key, store=store, progress=progress)
    kind = type(sampler).__name__
    chains = _checked(chains, kind, len(target.free))
    settings = {field.name: getattr(sampler, field.name) for field in dataclasses.fields(sampler)}
    name = f"{kind} ({sampler.package})" if sampler.package else kind
    about = {"sampler": name, "key": key, **settings, "chains": len(chains.u), **chains.about}
    return posterior_of(target, chains, about)


def _checked(chains, kind, size):
    if not isinstance(chains, Chains):
        raise TypeError(f"sampler {kind}: returned {type(chains).__name__}; expected corundum.inference.Chains")
    u = np.asarray(chains.u)
    if u.ndim != 3 or u.shape[-1] != size:
        raise ValueError(f"sampler {kind}: returned u of shape {u.shape}; expected (chains, draws, {size})")
    return chains._replace(u=u)
