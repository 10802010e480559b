"""What the ensemble samplers share: walkers that need no gradients, so that they check the others.

numpyro makes the moves; all walkers are solved as one list.  Walkers keep their places (numpyro can shuffle them), so
that one which never comes back from a far corner shows in the diagnostics.
"""

import abc
from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ...numerics.compiling import compiled
from ...storage.checkpoints import Checkpoint, fingerprints
from ..evaluate import ln_density
from ..laplace import Laplace
from ..target import Target
from .base import AbstractSampler, check_numbers
from .chains import BLOCK, ChainProgress, Chains, ingredients, run_chains

__all__ = ["AbstractEnsemble"]


class AbstractEnsemble(AbstractSampler):
    """A sampler of walkers that move along each other's positions; a concrete one says which moves they make."""

    walkers: eqx.AbstractVar[int | None]
    warmup: eqx.AbstractVar[int]
    draws: eqx.AbstractVar[int]
    package: ClassVar[str] = "numpyro"

    def __check_init__(self):
        check_numbers(warmup=(self.warmup, 1), draws=(self.draws, 4))

    @abc.abstractmethod
    def kernel(self, potential: Callable) -> Any:
        """numpyro's sampler of a potential, minus the log density of u."""

    def sample(
        self,
        target: Target,
        start: Laplace,
        *,
        key: int,
        store: Checkpoint | None = None,
        progress: Callable[[ChainProgress], None] | None = None,
    ) -> Chains:
        least = 2 * len(target.free)
        walkers = 2 * least if self.walkers is None else self.walkers
        if walkers % 2 or walkers < least:
            raise ValueError(
                f"walkers: got {walkers}; allowed an even number from {least}, twice the number of parameters"
            )
        positions = jnp.asarray(start.coordinate_draws(walkers, key=key + 1))
        keys = jax.random.split(jax.random.PRNGKey(key), walkers)
        state = self.kernel(lambda u: 0.0 * jnp.sum(u)).init(keys, self.warmup, positions)

        def advance(state, count):
            return _advance(self, target, state, count)

        settings = (self, type(self).__name__, walkers, self.warmup, self.draws, key, np.asarray(positions))
        identity = fingerprints({**ingredients(target), "sampler": settings})
        chains = run_chains(advance, state, self.warmup, self.draws, identity=identity, store=store, progress=progress)
        return chains._replace(interacting=True)


@compiled
def _advance(sampler, target, state, count):
    kernel = sampler.kernel(lambda u: -ln_density(u, target, target.data.y))
    kernel.init(jax.random.split(jax.random.PRNGKey(0), len(state.z)), sampler.warmup, state.z)

    def body(i, carry):
        state, rows = carry
        state = kernel.sample(state, (), {})
        return state, {"u": rows["u"].at[i].set(state.z)}

    rows = {"u": jnp.zeros((BLOCK, *state.z.shape))}
    return jax.lax.fori_loop(0, count, body, (state, rows))
