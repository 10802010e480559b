"""The array type of annotations: what a function of numbers accepts.

Laws and other functions of numbers accept JAX arrays, numpy arrays and plain numbers alike, because all of them are
written with `jax.numpy`.  `Array` stands for these three when annotations are checked at run time, as the tests do.
Static type checkers read it as `Any`: the three share no common type, and ``MassLoading(amplitude=2.0)`` is right
although the field then holds an array.  Shapes and kinds are added in the way of jaxtyping, ``Float[Array, "n k"]``.
"""

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

__all__ = ["Array"]

if TYPE_CHECKING:
    Array = Any
else:
    Array = jax.Array | np.ndarray | float
