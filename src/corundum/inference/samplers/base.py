"""What every sampler is: an object with its settings that draws from the posterior of a target."""

import abc
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ...arguments import whole_number
from ...printing import Component
from ...storage.checkpoints import Checkpoint
from ..laplace import Laplace
from ..target import Target
from .chains import ChainProgress, Chains

__all__ = ["AbstractSampler"]


class AbstractSampler(Component):
    """A way to draw from a posterior; the settings are its fields.

    A sampler of your own is one class with `sample`.  It works in the unbounded coordinates u, in which the prior of
    every parameter is the standard normal, and may use everything that a `Target` offers: `Target.ln_density` and its
    gradient, or `corundum.inference.ln_density_at` for many points as one list of solves.

    Attributes
    ----------
    package : str
        The package that does the moves; empty if the class does them itself.
    needs_start : bool
        Whether it starts about a mode; False for one that searches the whole prior, which may then be given no start.

    Examples
    --------
    A random walk with steps of the size of the Laplace approximation:

    >>> class RandomWalk(co.inference.AbstractSampler):
    ...     chains: int = 4
    ...     draws: int = 200
    ...     def sample(self, target, start, *, key, store=None, progress=None):
    ...         rng, u = np.random.default_rng(key), start.coordinate_draws(self.chains, key=key)
    ...         steps, root = [], np.linalg.cholesky(start.covariance)
    ...         density = co.inference.ln_density_at(target, u)
    ...         for _ in range(self.draws):
    ...             proposal = u + rng.normal(size=u.shape) @ root.T
    ...             proposed = co.inference.ln_density_at(target, proposal)
    ...             accepted = np.log(rng.uniform(size=self.chains)) < proposed - density
    ...             u = np.where(accepted[:, None], proposal, u)
    ...             density = np.where(accepted, proposed, density)
    ...             steps.append(u)
    ...         return co.inference.Chains(np.stack(steps, axis=1))
    >>> target = co.inference.Target.of_function(lambda theta: theta, [1.0], [0.1], {"a": (-5.0, 5.0)})
    >>> best = co.inference.maximise(target, starts=2)
    >>> posterior = co.inference.sample(target, best, sampler=RandomWalk())
    >>> posterior.theta.shape
    (4, 200, 1)
    """

    package: ClassVar[str] = ""
    needs_start: ClassVar[bool] = True

    @abc.abstractmethod
    def sample(
        self,
        target: Target,
        start: Laplace,
        *,
        key: int,
        store: Checkpoint | None = None,
        progress: Callable[[ChainProgress], None] | None = None,
    ) -> Chains:
        """Draw from the posterior of `target`.

        Parameters
        ----------
        target : Target
        start : Laplace
            The Gaussian approximation about the mode: where chains start, and the scale of each direction.
        key : int
            Seed of all random numbers.
        store : Checkpoint, optional
            Where to keep an unfinished run.  A sampler that resumes passes it to `run_chains`; others ignore it.
        progress : callable, optional
            To be called with a `ChainProgress` now and then.
        """

    def sample_each(
        self, target: Target, starts: Sequence[Laplace], y: np.ndarray, *, key: int, store: Checkpoint | None = None
    ) -> list[Chains]:
        """Draw from the posteriors of several sets of data `y`, (N, M), as fits of mock data do.

        By default one after the other, each of which starts again if it was interrupted.  Samplers whose chains can
        advance together do better and define it themselves.
        """
        return [
            self.sample(target.with_data(data), start, key=key + number)
            for number, (start, data) in enumerate(zip(starts, y, strict=True))
        ]


def check_numbers(**least: tuple[Any, int]) -> None:
    """Refuse settings that are not whole numbers from the least that makes sense; each as ``name=(value, least)``."""
    for name, (value, smallest) in least.items():
        whole_number(name, value, least=smallest, floats=False)
