"""Evaluating a target: its log density with a gradient of its own, and predictions and slopes at many points at once.

Everything here is compiled once for a target of given shape: data, halos and priors are arguments.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..numerics.packing import packed_jit
from .batches import over_points
from .summaries import Prediction

__all__ = [
    "FORWARD_LIMIT",
    "Linearised",
    "linearise",
    "log_density",
    "log_density_at",
    "predict",
    "value_and_gradient",
]

FORWARD_LIMIT = 24
"""Parameters up to which gradients are carried forwards; with more they are retraced backwards."""


class Linearised(NamedTuple):
    """Log density and predictions at S points, and how they respond to u.

    Attributes
    ----------
    log_density : array, (S,)
    gradient : array, (S, P)
        Of the log density.
    prediction : Prediction of arrays (S, M)
    shift : array, (S, M)
        Calibration offsets.
    covariance : array, (S, M, M)
        Of data minus prediction.
    mean_slope : array, (S, M, P)
        d (mean + shift) / d u.
    covariance_slope : array, (S, M, M, P)
    """

    log_density: Any
    gradient: Any
    prediction: Prediction
    shift: Any
    covariance: Any
    mean_slope: Any
    covariance_slope: Any


def _plain(target, u, y):
    values = target.values(u)
    return target.log_prior(u) + target.log_likelihood_of(target.predict(u), values, y)


def _value_and_gradient(u, target, y):
    if len(target.free) > FORWARD_LIMIT:
        return jax.value_and_grad(lambda at: _plain(target, at, y))(u)

    def along(tangent):
        return jax.jvp(lambda at: _plain(target, at, y), (u,), (tangent,))

    value, gradient = jax.vmap(along, out_axes=(None, 0))(jnp.eye(len(target.free)))
    return value, gradient


@eqx.filter_custom_jvp
def log_density(u: Float[Array, " p"], target: Any, y: Float[Array, " m"]) -> Float[Array, ""]:
    """Log posterior density of u for data y; value and gradient are computed together whoever differentiates it."""
    return _plain(target, u, y)


@log_density.def_jvp
def _log_density_jvp(primals, tangents):
    value, gradient = _value_and_gradient(*primals)
    # Where nothing is known of the slope the density is minus infinity: no step goes there.
    gradient = jnp.where(jnp.isfinite(gradient), gradient, 0.0)
    return value, gradient @ tangents[0]


@packed_jit
def predict(target: Any, u: Float[Array, "s p"]) -> Prediction:
    """Predictions at S points, solved as one list: a `Prediction` of arrays (S, M)."""
    return over_points(lambda target, u: target.predict(u), target, u)


@packed_jit
def log_density_at(target: Any, u: Float[Array, "s p"]) -> Float[Array, " s"]:
    """Log density at S points, solved as one list."""
    return over_points(lambda target, u: _plain(target, u, target.data.y), target, u)


def value_and_gradient(
    target: Any, u: Float[Array, "s p"], y: Float[Array, "s m"] | None = None
) -> tuple[Float[Array, " s"], Float[Array, "s p"]]:
    """Log density at S points and its gradient with respect to u; `y` holds data for each point."""
    return _values_and_gradients(target, u, _rows(target, u, y))


@packed_jit
def _values_and_gradients(target, u, y):
    return over_points(lambda target, u, y: _value_and_gradient(u, target, y), target, u, y)


def linearise(target: Any, u: Float[Array, "s p"], y: Float[Array, "s m"] | None = None) -> Linearised:
    """Log density, predictions, covariances and their slopes at S points, solved as one list.

    `y` holds data for each point.  One pass finds all of it, so that everything but the samplers shares its program.
    """
    return _linearise(target, u, _rows(target, u, y))


def _rows(target, u, y):
    # Data always go in as rows, so that one compiled program serves every caller.
    return jnp.broadcast_to(target.data.y if y is None else y, (len(u), len(target.data)))


@packed_jit
def _linearise(target, u, y):
    def moving(target, u, y):
        values, prediction = target.values(u), target.predict(u)
        shift = target.data.shift(values) + jnp.zeros_like(prediction.mean)
        covariance = target.data.total_covariance(prediction, values)
        density = target.log_prior(u) + target.log_likelihood_of(prediction, values, y)
        return (density, prediction.mean + shift, covariance), (prediction, shift)

    def one(target, u, y):
        def along(tangent):
            return jax.jvp(lambda u: moving(target, u, y), (u,), (tangent,), has_aux=True)

        (density, _, covariance), slopes, rest = jax.vmap(along, out_axes=(None, -1, None))(jnp.eye(len(target.free)))
        gradient, *slopes = slopes
        return Linearised(density, gradient, *rest, covariance, *slopes)

    return over_points(one, target, u, y)
