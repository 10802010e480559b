"""What every optimiser is: a way to increase the log density from many starts at once."""

import abc
from typing import Any

from jaxtyping import Float

from ...annotations import Array
from ...printing import Component
from ..target import Target

__all__ = ["AbstractOptimiser"]


class AbstractOptimiser(Component):
    """A way to find modes of the log density; the settings are its fields.

    Examples
    --------
    Steps of fixed size along the gradient:

    >>> class Ascent(co.inference.AbstractOptimiser):
    ...     steps: int = 40
    ...     def __call__(self, target, u, y):
    ...         for _ in range(self.steps):
    ...             _, gradient = co.inference.value_and_gradient(target, u, y)
    ...             u = u + 0.0004 * gradient
    ...         return u, self.steps
    >>> result = co.inference.maximise(target, starts=2, optimiser=Ascent(steps=3))
    >>> int(result.starts.steps[0])
    3
    """

    @abc.abstractmethod
    def __call__(
        self, target: Target, u: Float[Array, "s p"], y: Float[Array, "s m"]
    ) -> tuple[Float[Array, "s p"], Any]:
        """Increase the log density from every start.

        Parameters
        ----------
        target : Target
        u : array, shape (S, P)
            Coordinates of the starts.
        y : array, shape (S, M)
            The data of each.

        Returns
        -------
        u : array, shape (S, P)
            Where each start ended.
        steps : integer array, shape (S,)
            Steps that each took.
        """
