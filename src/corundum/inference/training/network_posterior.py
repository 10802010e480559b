r"""How well data determine all weights of a model's networks, and its free parameters with them: a low-rank Gaussian.

In coordinates x in which the prior is the standard normal (weights over their prior width, and the coordinates u of
free parameters) the information of the data about a trained model is J^T J, with J the slope of the residuals.  It is
never formed: its leading eigenvalues come from products of J with vectors, in forward mode, and of J^T, in reverse.
With eigenvalues l and combinations v the posterior has the covariance

    1 - sum_k v_k v_k^T l_k / (1 + l_k),

so that what the data do not determine keeps its prior, and sum l / (1 + l) combinations are determined.  The evidence
is that of the Gaussian about the point that one more Gauss-Newton step would reach.

References
----------
MacKay 1992, Neural Computation 4, 448; Immer, Korzepa & Bauer 2021, arXiv:2008.08400; Daxberger et al. 2021,
arXiv:2106.14806.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Float

from ...annotations import Array
from ...arguments import whole_number
from ...numerics.compiling import compiled
from ...parameters import set_values
from ...sensitivity.parameter_space import COSMOLOGY
from ..free import FreeParameter
from ..nuisances import is_nuisance
from .any_objective import as_linear_objective
from .leading import leading_combinations
from .objectives import AbstractObjective
from .weights import split_weights

__all__ = ["NetworkPosterior", "network_posterior"]


class NetworkPosterior(NamedTuple):
    """A Gaussian for all weights of a model's networks, and for its free parameters.

    Attributes
    ----------
    model : AbstractModel
        As trained.
    free : tuple of P FreeParameter
    x : array, shape (N,)
        Coordinates of the trained model: u of the free parameters, then weights over `weight_scale`.
    weight_scale : float
    information : array, shape (K,)
        Of the data along each combination, in units of that of the prior; from the largest.
    combinations : array, shape (K, N)
        Orthonormal vectors in x.  What is not among them keeps its prior.
    ln_evidence : float
        ln of the probability of the data, averaged over the prior.
    unfinished : float
        What one more Gauss-Newton step would add to the log posterior; large where training has stopped early.

    Examples
    --------
    >>> posterior = co.inference.network_posterior(objective, objective.model())
    >>> posterior.combinations.shape, len(posterior.draws(3))
    ((13, 13), 3)
    """

    model: Any
    free: tuple[FreeParameter, ...]
    x: np.ndarray
    weight_scale: float
    information: np.ndarray
    combinations: np.ndarray
    ln_evidence: float
    unfinished: float

    def __repr__(self) -> str:
        counts = ((len(self.x) - len(self.free), "weight"), (len(self.free), "parameter"))
        unknowns = " and ".join(f"{number} {noun}{'s' * (number != 1)}" for number, noun in counts)
        left_out = ""
        if len(self.information) < len(self.x):
            left_out = f"; each of those left out has at most {self.information[-1]:.2g} of the prior's information"
        return (
            f"NetworkPosterior: {unknowns}, of which data determine {self.effective:.1f} combinations; ln evidence "
            f"{self.ln_evidence:.1f}{left_out}"
        )

    @property
    def effective(self) -> float:
        """How many combinations the data determine better than the prior."""
        return float(np.sum(self.information / (1.0 + self.information)))

    def model_at(self, x: Float[Array, " n"]) -> Any:
        """The model at coordinates `x`; nuisances and cosmology are no part of it."""
        number = len(self.free)
        values = {free.name: free.value(free.theta(x[i])) for i, free in enumerate(self.free)}
        physical = {name: v for name, v in values.items() if not (is_nuisance(name) or name.startswith(COSMOLOGY))}
        model = _with_weights(self.model, x[number:] * self.weight_scale)
        return set_values(model, physical) if physical else model

    def draws(self, number: int, *, key: int = 0) -> list[Any]:
        """Models drawn from the Gaussian.

        Networks are not linear in their weights, so that draws far from the trained model may be worse than their
        number says; `law_bands` takes the posterior itself and linearises the law instead.
        """
        number = whole_number("number", number, meaning="draws")
        normal = np.random.default_rng(whole_number("key", key, least=0)).normal(size=(number, len(self.x)))
        along = normal @ self.combinations.T
        narrower = 1.0 / np.sqrt(1.0 + self.information) - 1.0
        deviations = normal + (along * narrower) @ self.combinations
        return [self.model_at(jnp.asarray(self.x + deviation)) for deviation in deviations]

    def spread(self, function: Callable[[Any], Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Numbers that follow from the model, their standard deviations, and those under the prior, to first order.

        Parameters
        ----------
        function : callable
            ``function(model)``, an array of shape (n,) that JAX can differentiate.

        Returns
        -------
        values, posterior, prior : arrays, shape (n,)

        Examples
        --------
        >>> posterior = co.inference.network_posterior(objective, objective.model())
        >>> halo = co.halos.Halo(13.8, 0.0, 1e12, 260.0, jnp.array([60.0, 130.0]), 10.0, 30.0)
        >>> loading, narrow, wide = posterior.spread(lambda model: jnp.log10(model.mass_loading.imposed(halo)))
        >>> bool(np.all(narrow < wide))
        True
        """
        x = jnp.asarray(self.x)
        values = function(self.model_at(x))
        slope = np.asarray(jax.jit(jax.jacrev(lambda x: function(self.model_at(x))))(x))
        prior = np.sum(slope**2, axis=1)
        share = self.information / (1.0 + self.information)
        determined = (slope @ self.combinations.T) ** 2 @ share
        return np.asarray(values), np.sqrt(np.maximum(prior - determined, 0.0)), np.sqrt(prior)


def network_posterior(
    target: Any, model: Any, *, theta: Any = None, weight_scale: float = 1.0, rank: int = 40
) -> NetworkPosterior:
    """The Gaussian for all weights of a trained model, and for the free parameters.

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
    rank : int
        Combinations to look for, which Lanczos iterations give, each a product in both modes; all are computed where
        there are not many more.

    Raises
    ------
    ValueError
        The model has no network, the objective has no residuals, a number is out of range, a prior has no quantile
        function, or the model fails here.

    Examples
    --------
    >>> trained = co.inference.train(objective, steps=5)
    >>> posterior = co.inference.network_posterior(objective, trained.model)
    >>> 0.0 < posterior.effective < trained.weights
    True
    """
    objective, theta = as_linear_objective("network_posterior", target, theta, weight_scale)
    rank = whole_number("rank", rank, meaning="combinations")
    weights = ravel_pytree(split_weights(model)[0])[0]
    if not weights.size:
        raise ValueError("network_posterior: the model has no network; train one with inference.train")
    for free in objective.free:
        if not free.has_quantiles:
            raise ValueError(
                f"network_posterior: the prior of {free.name}, {free.support()}, has no quantile function; give a "
                "Normal or Uniform one"
            )
    u = [free.coordinate(value) for free, value in zip(objective.free, theta, strict=True)]
    x = np.concatenate([np.asarray(u, np.float64).reshape(len(u)), np.asarray(weights) / weight_scale])
    at = _At(jnp.asarray(x), jnp.asarray(weight_scale), model, objective)
    residuals, ln_likelihood = jax.device_get(_residuals_and_likelihood(at))
    if not np.isfinite(ln_likelihood):
        raise ValueError("network_posterior: the model fails at this point; give one whose galaxies are solved")
    information, combinations, downhill = leading_combinations(
        lambda v: _pushed(at, v), lambda r: _pulled(at, r), residuals, len(x), rank
    )
    uphill = -downhill - x  # the gradient of the log posterior
    step = uphill - (information / (1.0 + information) * (combinations @ uphill)) @ combinations
    unfinished = 0.5 * float(uphill @ step)
    ln_evidence = float(ln_likelihood) - 0.5 * float(x @ x) + unfinished - 0.5 * float(np.sum(np.log1p(information)))
    return NetworkPosterior(
        model, objective.free, x, float(weight_scale), information, combinations, ln_evidence, unfinished
    )


class _At(NamedTuple):
    """Where the residuals are linearised."""

    x: Any
    weight_scale: Any
    model: Any
    objective: AbstractObjective

    def parts(self, x):
        """Free parameters and model at x."""
        free = self.objective.free
        theta = jnp.stack([one.theta(x[i]) for i, one in enumerate(free)]) if free else jnp.zeros(0)
        return theta, _with_weights(self.model, x[len(free) :] * self.weight_scale)

    def residuals(self, x):
        objective: Any = self.objective
        return objective.residuals(*self.parts(x))


def _with_weights(model, flat):
    weights, rest = split_weights(model)
    return eqx.combine(ravel_pytree(weights)[1](flat), rest)


@compiled
def _residuals_and_likelihood(at):
    return at.residuals(at.x), at.objective.ln_likelihood(*at.parts(at.x))


@compiled
def _pushed(at, directions):
    """J v for B directions, (B, N) -> (B, M)."""
    return jax.vmap(lambda v: jax.jvp(at.residuals, (at.x,), (v,))[1])(directions)


@compiled
def _pulled(at, cotangents):
    """J^T r for B vectors, (B, M) -> (B, N)."""
    back = jax.vjp(at.residuals, at.x)[1]
    return jax.vmap(lambda r: back(r)[0])(cotangents)
