"""Evaluating a target: its log density with a gradient of its own, and predictions and slopes at many points at once.

Each of these functions is compiled once for all targets of one shape: data, halos and priors are arguments.
"""

import copy
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..array_library import is_traced
from ..numerics.packing import packed_jit
from ..printing import in_short
from ..sensitivity.derivatives import FORWARD_LIMIT
from .batches import over_points
from .summaries import Prediction
from .vectors import rows_of_vectors

__all__ = [
    "Linearised",
    "linearise",
    "ln_density",
    "ln_density_at",
    "predict",
    "refuse_corrected",
    "uncorrected",
    "value_and_gradient",
    "with_correction",
]


class Linearised(NamedTuple):
    """Log density and predictions at S points, and how they respond to u.

    Attributes
    ----------
    ln_density : array, (S,)
    gradient : array, (S, P)
        Of `ln_density`.
    prediction : Prediction of arrays (S, M)
    shift : array, (S, M)
        Calibration offsets.
    covariance : array, (S, M, M)
        Of data minus prediction.
    mean_slope : array, (S, M, P)
        d (mean + shift) / d u.
    covariance_slope : array, (S, M, M, P)

    Examples
    --------
    >>> linearised = co.inference.linearise(target, np.zeros((3, 2)))
    >>> linearised.gradient.shape, linearised.mean_slope.shape
    ((3, 2), (3, 5, 2))
    """

    ln_density: Any
    gradient: Any
    prediction: Prediction
    shift: Any
    covariance: Any
    mean_slope: Any
    covariance_slope: Any

    def __repr__(self) -> str:
        return in_short(self)


def _plain(target, u, y):
    values = target.values(u)
    return target.ln_prior(u) + target.ln_likelihood_of(target.predict(u), values, y)


def _value_and_gradient(u, target, y):
    if len(target.free) > FORWARD_LIMIT:
        return jax.value_and_grad(lambda at: _plain(target, at, y))(u)
    target = _for_forward_mode(target)

    def along(tangent):
        return jax.jvp(lambda at: _plain(target, at, y), (u,), (tangent,))

    value, gradient = jax.vmap(along, out_axes=(None, 0))(jnp.eye(len(target.free)))
    return value, gradient


def _for_forward_mode(target):
    """`target` with solvers that carry tangents along."""
    return eqx.tree_at(lambda t: t.summaries, target, target.summaries.for_forward_mode())


def with_correction(target: Any, correction: Any) -> Any:
    """`target` with another correction of its predictions (`corundum.inference.control_variate`), or with None."""
    other = copy.copy(target)
    object.__setattr__(other, "correction", correction)
    return other


def uncorrected(target: Any) -> Any:
    """`target` with the predictions of its own halos alone."""
    return with_correction(target, None)


def refuse_corrected(caller: str, target: Any) -> None:
    """Refuse a target whose predictions are corrected, where its halos or its model are about to be changed.

    Raises
    ------
    ValueError
        It is corrected.
    """
    if getattr(target, "correction", None) is not None:
        raise ValueError(
            f"{caller}: the target is corrected to the predictions of many halos, which is known for its own halos and "
            "model only; give the target as it was before inference.control_variate"
        )


@eqx.filter_custom_jvp
def ln_density(u: Float[Array, " p"], target: Any, y: Float[Array, " m"]) -> Float[Array, ""]:
    """ln of the posterior density of u for data y; any derivative of it computes value and gradient together."""
    return _plain(target, u, y)


@ln_density.def_jvp
def _ln_density_jvp(primals, tangents):
    value, gradient = _value_and_gradient(*primals)
    # The slope is not finite only where the density is zero, and no method moves there.
    gradient = jnp.where(jnp.isfinite(gradient), gradient, 0.0)
    return value, gradient @ tangents[0]


def predict(target: Any, u: Float[Array, "s p"]) -> Prediction:
    """Predictions at S points, solved as one list: a `Prediction` of arrays (S, M).

    Examples
    --------
    >>> co.inference.predict(target, np.zeros((3, 2))).mean.shape
    (3, 5)
    """
    return _predict(target, rows_of_vectors("u", u, target.names))


@packed_jit
def _predict(target, u):
    return over_points(lambda target, u: target.predict(u), target, u)


def ln_density_at(target: Any, u: Float[Array, "s p"]) -> Float[Array, " s"]:
    """ln of the posterior density at S points, solved as one list.

    Examples
    --------
    >>> co.inference.ln_density_at(target, np.zeros((3, 2))).shape
    (3,)
    """
    return _ln_density_at(target, rows_of_vectors("u", u, target.names))


@packed_jit
def _ln_density_at(target, u):
    return over_points(lambda target, u: _plain(target, u, target.data.y), target, u)


def value_and_gradient(
    target: Any, u: Float[Array, "s p"], y: Float[Array, "s m"] | None = None
) -> tuple[Float[Array, " s"], Float[Array, "s p"]]:
    """ln of the posterior density at S points and its gradient with respect to u.

    Parameters
    ----------
    target : Target
    u : array, shape (S, P)
    y : array, shape (S, M), optional
        Data for each point, in place of the target's.

    Examples
    --------
    >>> value, gradient = co.inference.value_and_gradient(target, np.zeros((3, 2)))
    >>> value.shape, gradient.shape
    ((3,), (3, 2))
    """
    u = rows_of_vectors("u", u, target.names)
    return _values_and_gradients(target, u, _rows(target, u, y))


@packed_jit
def _values_and_gradients(target, u, y):
    return over_points(lambda target, u, y: _value_and_gradient(u, target, y), target, u, y)


def linearise(target: Any, u: Float[Array, "s p"], y: Float[Array, "s m"] | None = None) -> Linearised:
    """Log density, predictions, covariances and their slopes at S points, solved as one list.

    All methods but the samplers use it, so that one compiled program serves them.

    Parameters
    ----------
    target : Target
    u : array, shape (S, P)
    y : array, shape (S, M), optional
        Data for each point, in place of the target's.

    Examples
    --------
    >>> co.inference.linearise(target, np.zeros((3, 2))).covariance.shape
    (3, 5, 5)
    """
    u = rows_of_vectors("u", u, target.names)
    return _linearise(target, u, _rows(target, u, y))


def _rows(target, u, y):
    # Data always go in as rows, so that one compiled program serves every caller.
    y, shape = target.data.y if y is None else y, (len(u), len(target.data))
    if jnp.shape(y) not in (shape, shape[1:]):
        raise ValueError(f"y: got shape {jnp.shape(y)}; give {shape[1:]} for all points, or {shape}, a row for each")
    return jnp.broadcast_to(y, shape) if is_traced(y) else np.broadcast_to(np.asarray(y), shape)


@packed_jit
def _linearise(target, u, y):
    def outputs(target, u, y):
        values, prediction = target.values(u), target.predict(u)
        shift = target.data.shift(values) + jnp.zeros_like(prediction.mean)
        covariance = target.data.total_covariance(prediction, values)
        density = target.ln_prior(u) + target.ln_likelihood_of(prediction, values, y)
        return (density, prediction.mean + shift, covariance), (prediction, shift)

    def at_one_point(target, u, y):
        target = _for_forward_mode(target)

        def along(tangent):
            return jax.jvp(lambda u: outputs(target, u, y), (u,), (tangent,), has_aux=True)

        (density, _, covariance), slopes, rest = jax.vmap(along, out_axes=(None, -1, None))(jnp.eye(len(target.free)))
        gradient, *slopes = slopes
        return Linearised(density, gradient, *rest, covariance, *slopes)

    return over_points(at_one_point, target, u, y)
