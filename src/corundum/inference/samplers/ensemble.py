"""Ensemble samplers, by numpyro: no gradients, so they check the others; walkers are solved as one list.

Walkers keep their places (numpyro can shuffle them), so that one which never comes back from a far corner is seen.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer import AIES, ESS

from ..evaluate import log_density
from ..laplace import Laplace
from ..posterior import Posterior, posterior_of
from ..target import Target
from .chains import BLOCK, ChainProgress, ChainStore, digests, parts_of, run_chains

__all__ = ["AffineInvariant", "EnsembleSlice", "ensemble"]


class AffineInvariant(eqx.Module):
    """Stretch and differential-evolution moves in equal shares (Goodman & Weare 2010; numpyro's AIES)."""

    def kernel(self, potential: Callable) -> Any:
        """numpyro's sampler of a potential."""
        moves = {AIES.DEMove(): 1.0, AIES.StretchMove(): 1.0}
        with jax.ensure_compile_time_eval():  # numpyro looks at the weights, also inside a compiled function
            return AIES(potential_fn=potential, randomize_split=False, moves=moves)


class EnsembleSlice(eqx.Module):
    """Slice sampling along differences of walkers (Karamanis & Beutler 2020; numpyro's ESS)."""

    def kernel(self, potential: Callable) -> Any:
        """numpyro's sampler of a potential."""
        return ESS(potential_fn=potential, randomize_split=False)


def ensemble(
    target: Target,
    start: Laplace,
    *,
    walkers: int = 32,
    warmup: int = 500,
    draws: int = 1000,
    key: int = 0,
    method: AffineInvariant | EnsembleSlice | None = None,
    store: ChainStore | None = None,
    progress: Callable[[ChainProgress], None] | None = None,
) -> Posterior:
    """Draw from the posterior with an ensemble of walkers; each counts as a chain.

    Parameters
    ----------
    target : Target
    start : Laplace
        Walkers begin at draws from it.
    walkers : int
        Even, and at least twice the number of parameters.
    warmup, draws : int
        Of each walker.
    key : int
    method : AffineInvariant or EnsembleSlice, optional
        Default `AffineInvariant()`.
    store, progress
        As for `nuts`.

    Raises
    ------
    ValueError
        There are too few walkers, or an odd number.
    """
    method = AffineInvariant() if method is None else method
    least = 2 * len(target.free)
    if walkers % 2 or walkers < least:
        raise ValueError(f"walkers: got {walkers}; allowed an even number from {least}, twice the number of parameters")
    begin = jnp.asarray(start.coordinate_draws(walkers, key=key + 1))
    keys = jax.random.split(jax.random.PRNGKey(key), walkers)
    state = method.kernel(lambda u: 0.0 * jnp.sum(u)).init(keys, warmup, begin)

    def advance(state, count):
        return _advance(method, warmup, walkers, target, state, count)

    identity = digests({**parts_of(target), "sampler": (method, walkers, warmup, draws, key, np.asarray(begin))})
    made = run_chains(advance, state, warmup, draws, identity=identity, store=store, progress=progress)
    about = {"sampler": f"{type(method).__name__} (numpyro)", "chains": walkers, "warmup": warmup, "key": key}
    return posterior_of(target, made, about, together=True)


@eqx.filter_jit
def _advance(method, warmup, walkers, target, state, count):
    kernel = method.kernel(lambda u: -log_density(u, target, target.data.y))
    kernel.init(jax.random.split(jax.random.PRNGKey(0), walkers), warmup, state.z)

    def body(i, carry):
        state, rows = carry
        state = kernel.sample(state, (), {})
        return state, {"u": rows["u"].at[i].set(state.z)}

    rows = {"u": jnp.zeros((BLOCK, *state.z.shape))}
    return jax.lax.fori_loop(0, count, body, (state, rows))
