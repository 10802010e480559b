"""Affine-invariant ensemble sampling: stretch and differential-evolution moves."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from numpyro.infer import AIES

from .ensemble import AbstractEnsemble

__all__ = ["AffineInvariant"]


class AffineInvariant(AbstractEnsemble):
    """Stretch and differential-evolution moves in equal shares (numpyro's AIES).

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
    Goodman & Weare 2010, Comm. App. Math. Comp. Sci. 5, 65.

    Examples
    --------
    >>> target = co.inference.Target.of_function(lambda theta: theta, [1.0], [0.1], {"a": (-5.0, 5.0)})
    >>> best = co.inference.maximise(target, starts=2)
    >>> sampler = co.inference.AffineInvariant(walkers=8, warmup=20, draws=50)
    >>> co.inference.sample(target, best, sampler=sampler).theta.shape
    (8, 50, 1)
    """

    walkers: int | None = eqx.field(static=True, default=None)
    warmup: int = eqx.field(static=True, default=500)
    draws: int = eqx.field(static=True, default=1000)

    def kernel(self, potential: Callable) -> Any:
        moves = {AIES.DEMove(): 1.0, AIES.StretchMove(): 1.0}
        with jax.ensure_compile_time_eval():  # numpyro looks at the weights, also inside a compiled function
            return AIES(potential_fn=potential, randomize_split=False, moves=moves)
