"""Kernels of tinygp as the prior of a learned law: any of its kernels, sums and products of one input."""

from typing import Any

import equinox as eqx
import jax
import numpy as np

from ...arguments import in_words
from .kernels import AbstractKernel

__all__ = ["TinygpKernel", "as_kernel"]


class TinygpKernel(AbstractKernel):
    """A kernel of tinygp, in units of the length of the process.

    It is kept as its structure and its numbers, by which compiled programs are told apart; tinygp computes the matrix
    once for each set of knots.

    Parameters
    ----------
    kernel : tinygp.kernels.Kernel
        Of one input, such as ``tinygp.kernels.Matern32()``, or sums and products of several.

    Raises
    ------
    ValueError
        It is no kernel of tinygp, or has numbers for several inputs.

    References
    ----------
    Foreman-Mackey, tinygp, https://tinygp.readthedocs.io.

    Examples
    --------
    >>> import tinygp
    >>> smooth_and_rough = tinygp.kernels.ExpSquared() + 0.1 * tinygp.kernels.Matern32(0.2)
    >>> departure = co.physics.GaussianProcessDeparture((1.5, 2.5), {"k0": 1.0}, 0.3, kernel=smooth_and_rough)
    >>> departure.kernel(np.array([0.0, 1.0])).round(4).tolist()
    [1.1, 0.6067]
    """

    structure: Any = eqx.field(static=True)
    numbers: tuple[float, ...] = eqx.field(static=True)

    def __init__(self, kernel: Any):
        if not _is_of_tinygp(kernel):
            raise ValueError(
                f"kernel: got {in_words(kernel)}; give a kernel of tinygp, such as tinygp.kernels.Matern32()"
            )
        leaves, self.structure = jax.tree.flatten(kernel)
        if any(np.ndim(leaf) for leaf in leaves):
            raise ValueError(
                f"kernel: got {type(kernel).__name__} of tinygp with numbers for several inputs; give one of a single "
                "input, which is used along each, and lengths=(...) for their scales"
            )
        self.numbers = tuple(float(leaf) for leaf in leaves)

    def __call__(self, distance: np.ndarray) -> np.ndarray:
        distance = np.asarray(distance, np.float64)
        return self._between(np.zeros(1), distance.ravel()).reshape(distance.shape)

    def matrix(self, places: np.ndarray) -> np.ndarray:
        return self._between(places, places)

    def _between(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        kernel = jax.tree.unflatten(self.structure, self.numbers)
        with jax.ensure_compile_time_eval():  # laws are evaluated while JAX traces them
            return np.asarray(kernel(np.asarray(first, np.float64), np.asarray(second, np.float64)))


def as_kernel(kernel: Any) -> Any:
    """A kernel of the package as it is, one of tinygp as a `TinygpKernel`."""
    return TinygpKernel(kernel) if _is_of_tinygp(kernel) else kernel


def _is_of_tinygp(kernel: Any) -> bool:
    return any(base.__module__.split(".")[0] == "tinygp" for base in type(kernel).__mro__)
