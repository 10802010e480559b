"""How well data determine what a network has learned: a Gaussian for the weights of its last layer.

The last layer of a network is a linear combination of functions that the other layers have learned.  With these held
fixed, the data are linear in the last weights near the trained ones, and the Gauss-Newton information of the residuals,
together with the prior of the weights, gives their posterior.  It is the uncertainty that remains if the functions are
right; the spread of several seeds shows what depends on them.

References
----------
MacKay 1992, Neural Computation 4, 448; Kristiadi, Hein & Hennig 2020, arXiv:2002.10118.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy
from jax.flatten_util import ravel_pytree

from ...arguments import whole_number
from ...numerics.compiling import compiled
from ..evaluate import FORWARD_LIMIT
from .any_objective import as_linear_objective
from .weights import split_last_layers

__all__ = ["LastLayerPosterior", "last_layer_posterior"]


class LastLayerPosterior(NamedTuple):
    """A Gaussian for the weights of the last layers of a model's networks.

    Attributes
    ----------
    model : AbstractModel
        As trained.
    mean : array, shape (K,)
        The trained weights.
    covariance : array, shape (K, K)
    effective : float
        How many combinations of these weights the data determine better than the prior.

    Examples
    --------
    >>> posterior = co.inference.last_layer_posterior(objective, objective.model())
    >>> posterior.covariance.shape, len(posterior.draws(3))
    ((5, 5), 3)
    """

    model: Any
    mean: np.ndarray
    covariance: np.ndarray
    effective: float

    def __repr__(self) -> str:
        return (
            f"LastLayerPosterior: {len(self.mean)} weights, of which data determine {self.effective:.1f} combinations"
        )

    def draws(self, number: int, *, key: int = 0) -> list[Any]:
        """Models with weights drawn from the Gaussian; `plots.learned_departures` shows their laws as a band."""
        number = whole_number("number", number, meaning="draws")
        normal = np.random.default_rng(whole_number("key", key, least=0)).normal(size=(number, len(self.mean)))
        last, rest = split_last_layers(self.model)
        unravel = ravel_pytree(last)[1]
        root = scipy.linalg.cholesky(self.covariance, lower=True)
        return [eqx.combine(unravel(jnp.asarray(self.mean + root @ draw)), rest) for draw in normal]


def last_layer_posterior(
    target: Any, model: Any, *, theta: Any = None, weight_scale: float = 1.0
) -> LastLayerPosterior:
    """The Gaussian for the last layers of the networks of a trained model.

    Parameters
    ----------
    target : Target or AbstractObjective
        What it was trained on, or other data.
    model : AbstractModel
        As trained: ``trained.model``.
    theta : array, shape (P,), optional
        Free parameters in their natural scale, such as ``trained.theta[trained.best]``; by default those of the target
        as it is.
    weight_scale : float
        Standard deviation of the prior of every weight, as in `train`.

    Raises
    ------
    ValueError
        The model has no network, the objective has no residuals, or a number does not fit.

    Examples
    --------
    >>> trained = co.inference.train(objective, steps=5)
    >>> posterior = co.inference.last_layer_posterior(objective, trained.model)
    >>> laws = [drawn.mass_loading for drawn in posterior.draws(16)]
    >>> axes = co.plots.learned_departures(laws)
    """
    objective, theta = as_linear_objective("last_layer_posterior", target, theta, weight_scale)
    last, rest = split_last_layers(model)
    mean = ravel_pytree(last)[0]
    if not mean.size:
        raise ValueError("last_layer_posterior: the model has no network with layers; train one with inference.train")
    slope = np.asarray(_slope(mean, last, rest, jnp.asarray(theta), objective))
    information = slope.T @ slope
    prior = np.eye(len(mean)) / weight_scale**2
    determined = np.linalg.eigvalsh(information) * weight_scale**2
    return LastLayerPosterior(
        model, np.asarray(mean), np.linalg.inv(information + prior), float(np.sum(determined / (1.0 + determined)))
    )


@compiled
def _slope(mean, last, rest, theta, objective: Any):
    """d residuals / d last weights, (M, K)."""
    unravel = ravel_pytree(last)[1]

    def residuals(flat):
        return objective.residuals(theta, eqx.combine(unravel(flat), rest))

    return (jax.jacfwd if mean.size <= FORWARD_LIMIT else jax.jacrev)(residuals)(mean)
