"""What every surrogate is: it learns, from predictions at some points, a cheap function that predicts at any point."""

import abc
from typing import Any

from jaxtyping import Float

from ...annotations import Array
from ...printing import Component
from ..summaries import Prediction
from ..target import Target

__all__ = ["AbstractEmulator", "AbstractSurrogate"]


class AbstractEmulator(Component):
    """What a surrogate has learned: a cheap prediction at any point.

    Examples
    --------
    >>> class Line(co.inference.AbstractEmulator):
    ...     slope: float = 2.0
    ...     def __call__(self, u):
    ...         mean, zero = self.slope * u, jnp.zeros_like(u)
    ...         return co.inference.Prediction(mean, zero, zero, zero == 0.0, jnp.zeros(()))
    >>> Line()(jnp.ones(2)).mean.tolist()
    [2.0, 2.0]
    """

    @abc.abstractmethod
    def __call__(self, u: Float[Array, " p"]) -> Prediction:
        """The prediction at unbounded coordinates u, differentiable by JAX.

        Its `error` should include how far the emulator is off, so that proposals are not narrower than the posterior.
        """


class AbstractSurrogate(Component):
    """A way to learn what a target predicts.

    It is predictions that are learned, not the log density: they are smoother, many numbers instead of one are learned
    from each solve, and priors, likelihood and data enter exactly.

    Examples
    --------
    A straight line through the predictions, each with the error that remains:

    >>> class Line(co.inference.AbstractEmulator):
    ...     coefficients: jax.Array
    ...     error: jax.Array
    ...     def __call__(self, u):
    ...         mean, zero = jnp.append(u, 1.0) @ self.coefficients, jnp.zeros_like(self.error)
    ...         return co.inference.Prediction(mean, self.error, zero, zero == 0.0, jnp.zeros(()))
    >>> class Linear(co.inference.AbstractSurrogate):
    ...     def learn(self, target, u, prediction, ln_density, center, root):
    ...         columns = np.column_stack([u, np.ones(len(u))])
    ...         coefficients = np.linalg.lstsq(columns, prediction.mean, rcond=None)[0]
    ...         error = np.std(prediction.mean - columns @ coefficients, axis=0)
    ...         return Line(jnp.asarray(coefficients), jnp.asarray(error))
    >>> sampler = co.inference.SurrogateHMC(Linear(), chains=4, warmup=20, draws=50)
    >>> co.inference.sample(target, best, sampler=sampler).theta.shape
    (4, 50, 2)
    """

    @abc.abstractmethod
    def learn(
        self,
        target: Target,
        u: Float[Array, "s p"],
        prediction: Prediction,
        ln_density: Float[Array, " s"],
        center: Float[Array, " p"],
        root: Float[Array, "p p"],
    ) -> Any:
        """An `AbstractEmulator`; its arrays have the same shapes whatever the number of points.

        Parameters
        ----------
        target : Target
        u : array, shape (S, P)
            Points, at all of which the model could be solved.
        prediction : Prediction of arrays (S, M)
        ln_density : array, shape (S,)
            Of the posterior, so that points near its mode can count for more.
        center, root : arrays, shapes (P,) and (P, P)
            Where the posterior lies, and a root of its covariance, as far as is known.
        """
