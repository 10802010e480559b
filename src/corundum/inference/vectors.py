"""Vectors of free parameters as they enter: one number for each parameter, for one point or for many.

An index beyond the end of an array is no error under JAX, and numbers too many are never read, so a vector of the
wrong length would give a density all the same.  Shapes are known while JAX traces a function, and are checked then too.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..arguments import in_words
from ..plain_numbers import plain_numbers

__all__ = ["one_vector", "rows_of_vectors", "any_vectors"]


def one_vector(name: str, vector: Any, names: Sequence[str], *, many: str = "") -> Float[Array, " p"]:
    """One point: an array of shape (P,).

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    vector : array, shape (P,), or an estimate
        Of a point estimate or a Gaussian approximation, its coordinates `u`.
    names : sequence of str
        Of the P parameters.
    many : str
        What to call for many points, for the message.

    Raises
    ------
    ValueError
        It has another shape.

    Examples
    --------
    >>> from corundum.inference.vectors import one_vector
    >>> one_vector("u", np.zeros(7), ("intercept", "slope"))
    Traceback (most recent call last):
    ValueError: u: got 7 numbers for 2 free parameters; give one for each of intercept, slope
    """
    values = _numbers(name, vector)
    if values.shape == (len(names),):
        return jnp.asarray(values)
    if values.ndim > 1 and values.shape[-1] == len(names):
        several = f", or use {many}" if many else ""
        raise ValueError(f"{name}: got points of shape {values.shape}; give one point, {(len(names),)}{several}")
    raise ValueError(_refusal(name, values, names))


def rows_of_vectors(name: str, vectors: Any, names: Sequence[str], *, single: bool = False) -> Float[Array, "s p"]:
    """Many points: an array of shape (S, P).

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    vectors : array, shape (S, P)
    names : sequence of str
        Of the P parameters.
    single : bool
        Whether one point, (P,), stands for a list of one.

    Raises
    ------
    ValueError
        It has another shape.

    Examples
    --------
    >>> from corundum.inference.vectors import rows_of_vectors
    >>> rows_of_vectors("u", np.zeros(2), ("intercept", "slope"))
    Traceback (most recent call last):
    ValueError: u: got one point; give a list of points, of shape (points, 2), for instance u[None]
    """
    values = _numbers(name, vectors)
    if values.ndim == 1 and values.shape[-1] == len(names):
        if single:
            return values[None]
        raise ValueError(
            f"{name}: got one point; give a list of points, of shape (points, {len(names)}), for instance {name}[None]"
        )
    if values.ndim == 2 and values.shape[-1] == len(names) and len(values):
        return values
    raise ValueError(_refusal(name, values, names))


def any_vectors(name: str, vectors: Any, names: Sequence[str]) -> Float[Array, "*s p"]:
    """Points in any arrangement: an array of shape (..., P).

    Raises
    ------
    ValueError
        Its last axis has another length.

    Examples
    --------
    >>> from corundum.inference.vectors import any_vectors
    >>> any_vectors("u", np.zeros((4, 3, 2)), ("intercept", "slope")).shape
    (4, 3, 2)
    """
    values = _numbers(name, vectors)
    if values.ndim and values.shape[-1] == len(names):
        return values
    raise ValueError(_refusal(name, values, names))


def _numbers(name, vector):
    if isinstance(vector, str | dict) or vector is None:
        raise ValueError(f"{name}: got {in_words(vector)}; give coordinates, one number for each free parameter")
    numbers = plain_numbers(name, getattr(vector, "u", vector))
    return numbers if isinstance(numbers, np.ndarray) else jnp.asarray(numbers, jnp.float64)


def _refusal(name, values, names):
    count = "1 number" if values.size == 1 else f"{values.size} numbers"
    size = count if values.ndim < 2 else f"an array of shape {values.shape}"
    many = "1 free parameter" if len(names) == 1 else f"{len(names)} free parameters"
    targets = "it" if len(names) == 1 else f"each of {', '.join(names)}"
    return f"{name}: got {size} for {many}; give one for {targets}"
