"""Ensemble slice sampling along differences of walkers."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
from numpyro.infer import ESS

from .ensemble import AbstractEnsemble

__all__ = ["SliceEnsemble"]


class SliceEnsemble(AbstractEnsemble):
    """Slice sampling along differences of walkers (numpyro's ESS).

    Parameters
    ----------
    walkers : int, optional
        An even number, at least twice the number of parameters; by default four times that number.
    warmup, draws : int
        Of each walker.

    Raises
    ------
    ValueError
        A number is out of its range; the number of walkers is checked when a target is sampled.

    References
    ----------
    Karamanis & Beutler 2020, arXiv:2002.06212.

    Examples
    --------
    >>> target = co.inference.Target.of_function(lambda theta: theta, [1.0], [0.1], {"a": (-5.0, 5.0)})
    >>> best = co.inference.maximise(target, starts=2)
    >>> sampler = co.inference.SliceEnsemble(walkers=8, warmup=20, draws=50)
    >>> co.inference.sample(target, best, sampler=sampler).theta.shape
    (8, 50, 1)
    """

    walkers: int | None = eqx.field(static=True, default=None)
    warmup: int = eqx.field(static=True, default=500)
    draws: int = eqx.field(static=True, default=1000)

    def kernel(self, potential: Callable) -> Any:
        return ESS(potential_fn=potential, randomize_split=False)
