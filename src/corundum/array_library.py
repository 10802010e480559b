"""NumPy or jax.numpy: one code for work on the host and inside JAX transformations.

Each operation of jax.numpy outside a transformation is a program of its own, which takes longer to compile than a
thousand galaxies take to sum.  NumPy compiles nothing.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["array_library", "is_traced", "on_host", "without_programs"]


def is_traced(tree: Any) -> bool:
    """Whether any leaf of `tree` is being traced by a JAX transformation, and stands for any number.

    Examples
    --------
    >>> from corundum.array_library import is_traced
    >>> is_traced(1.0), is_traced({"x": jnp.ones(3)})
    (False, False)
    >>> traced = []
    >>> slope = jax.grad(lambda x: (traced.append(is_traced(x)), x**2)[1])(3.0)
    >>> traced
    [True]
    """
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))


def array_library(*data: Any, parameters: Any = ()) -> ModuleType:
    """The library whose functions fit these arrays: NumPy where none of them is an array of JAX, else jax.numpy.

    Parameters
    ----------
    *data : pytrees
        What is computed with.
    parameters : pytree
        Parameters of laws and rules, which are arrays of JAX everywhere; they count only while they are traced.

    Examples
    --------
    >>> from corundum.array_library import array_library
    >>> array_library(np.ones(3)).__name__, array_library(np.ones(3), jnp.ones(3)).__name__
    ('numpy', 'jax.numpy')
    """
    if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(data)) or is_traced(parameters):
        return jnp
    return np


def on_host(*trees: Any) -> tuple[Any, ...]:
    """The same with NumPy arrays in place of those of JAX; as they are if JAX traces any of them.

    Examples
    --------
    >>> from corundum.array_library import on_host
    >>> on_host({"mstar": jnp.ones(2)}, None)
    ({'mstar': array([1., 1.])}, None)
    """
    if is_traced(trees):
        return trees
    return jax.tree.map(lambda leaf: np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf, trees)


def without_programs(method: Callable) -> Callable:
    """A method of a component whose known numbers are computed in NumPy, which compiles nothing for another shape.

    Examples
    --------
    >>> universe = co.cosmology.planck15()
    >>> type(universe.age(np.zeros(2))).__name__, round(float(jax.jit(lambda z: universe.age(z))(0.0)), 2)
    ('ndarray', 13.81)
    """

    @functools.wraps(method)
    def on_known_numbers(self, *values):
        component, *values = on_host(self, *map(_array, values))
        return method(component, *values)

    return on_known_numbers


def _array(values):
    if isinstance(values, jax.Array):
        return values
    return jnp.asarray(values) if is_traced(values) else np.asarray(values, np.float64)
