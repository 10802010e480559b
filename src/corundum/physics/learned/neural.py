"""Departures that are neural networks: zero at the start, bounded, and zero again beyond the range of the features.

The weights are float64 arrays of an `equinox` network.  They are no named parameters: they have gradients, are saved
with the model, and are trained as a whole.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array
from ...arguments import instance, whole_number
from .beyond import FadingBeyond
from .departures import AbstractDeparture
from .features import Feature, as_features

__all__ = ["NeuralDeparture", "neural_departure", "untrained", "untrained_network"]


class NeuralDeparture(AbstractDeparture):
    """A network of features, each scaled from its range to -1 ... 1; beyond the ranges the departure fades to zero.

    Parameters
    ----------
    network : equinox.Module
        Maps one number for each feature, shape (n,), to one number of shape (), such as
        ``eqx.nn.MLP(2, "scalar", 8, 1, jax.nn.tanh, key=jax.random.key(0))``; its weights are taken as they are, in
        double precision.
    ranges : sequence of (float, float)
        Range of each feature.
    largest : float
        Bound on the departure [dex]: it is largest * tanh(network / largest).
    beyond : FadingBeyond
        The margin over which the departure fades.

    Raises
    ------
    ValueError
        The ranges are empty, or the network does not take that many numbers or does not return a single one.

    Examples
    --------
    >>> network = co.physics.untrained_network(2, width=4)
    >>> departure = co.physics.NeuralDeparture(network, ranges=[(1.2, 2.6), (0.0, 8.0)])
    >>> float(departure(2.0, 1.0))
    0.0
    """

    network: Any = eqx.field(converter=lambda network: _in_double_precision(network))
    ranges: tuple[tuple[float, float], ...] = eqx.field(static=True, converter=lambda ranges: _as_ranges(ranges))
    largest: float = eqx.field(static=True, converter=float, default=2.0)
    beyond: FadingBeyond = eqx.field(default_factory=FadingBeyond)

    def __check_init__(self):
        instance("network", self.network, eqx.Module, expected="an equinox network, such as equinox.nn.MLP")
        if not 0.0 < self.largest < np.inf:
            raise ValueError(f"largest: got {self.largest:g}; give a positive departure [dex]")
        instance("beyond", self.beyond, FadingBeyond, expected="physics.FadingBeyond(margin)")
        shape = jax.ShapeDtypeStruct((self.inputs,), np.float64)
        try:
            result = eqx.filter_eval_shape(self.network, shape)
        except (TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:120]
            raise ValueError(
                f"network: it does not take {self.inputs} numbers, one for each feature ({reason})"
            ) from None
        if getattr(result, "shape", None) != ():
            returned = f"an array of shape {result.shape}" if hasattr(result, "shape") else type(result).__name__
            raise ValueError(f"network: it returns {returned}; make it with out_size='scalar'")

    @property
    def inputs(self) -> int:
        """Of how many features it is a function."""
        return len(self.ranges)

    def __call__(self, *inputs: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.vectorize(self._at)(*inputs)

    def _at(self, *inputs):
        margin, window, scaled = 1.0 + 2.0 * self.beyond.margin, 1.0, []
        for x, (low, high) in zip(inputs, self.ranges, strict=True):
            window = window * self.beyond.window(x, low, high)
            # Where the window is zero, the network need not see how far away the feature is.
            scaled.append(jnp.clip((2.0 * x - low - high) / (high - low), -margin, margin))
        return self.largest * jnp.tanh(self.network(jnp.stack(scaled)) / self.largest) * window


def neural_departure(
    features: Sequence[Feature | str] | Feature | str,
    *,
    network: Any = None,
    width: int = 8,
    depth: int = 1,
    seed: int = 0,
    largest: float = 2.0,
    margin: float = 0.25,
) -> NeuralDeparture:
    """A network of features over their typical ranges.

    Parameters
    ----------
    features : sequence of Feature or str
    network : equinox.Module, optional
        Used as it is; by default `untrained_network` with ``width``, ``depth`` and ``seed``, which is zero.
    width, depth, seed : int
        As for `untrained_network`.
    largest : float
        Bound on the departure [dex].
    margin : float
        As for `FadingBeyond`: where it returns to the base beyond the typical ranges.

    Raises
    ------
    ValueError
        As `NeuralDeparture`.

    Examples
    --------
    >>> co.physics.neural_departure(["log_vvir", "redshift"]).ranges
    ((1.2, 2.6), (0.0, 8.0))
    """
    inputs = as_features(features)
    network = untrained_network(len(inputs), width=width, depth=depth, seed=seed) if network is None else network
    ranges = tuple((feature.low, feature.high) for feature in inputs)
    return NeuralDeparture(network, ranges, largest, FadingBeyond(margin))


def untrained_network(inputs: int, *, width: int = 8, depth: int = 1, seed: int = 0) -> eqx.nn.MLP:
    """A multilayer perceptron with random weights whose last layer is zero, so that it returns zero everywhere.

    Parameters
    ----------
    inputs : int
        Numbers that it takes.
    width, depth : int
        Units of each hidden layer, and the number of those layers; their activation is tanh.
    seed : int
        Of the random weights, uniform within +-1/sqrt(inputs of the layer).

    Returns
    -------
    equinox.nn.MLP

    Examples
    --------
    >>> network = co.physics.untrained_network(2, width=4)
    >>> network.layers[0].weight.shape, float(network(jnp.ones(2)))
    ((4, 2), 0.0)
    """
    inputs, width = whole_number("inputs", inputs), whole_number("width", width)
    depth = whole_number("depth", depth, least=0)
    generator = np.random.default_rng(whole_number("seed", seed, least=0))
    shape = eqx.filter_eval_shape(
        lambda: eqx.nn.MLP(inputs, "scalar", width, depth, jax.nn.tanh, key=jax.random.key(0))
    )
    layers = []
    for layer in shape.layers:
        bound = 1.0 / np.sqrt(layer.weight.shape[1])
        draws = [generator.uniform(-bound, bound, part.shape) for part in (layer.weight, layer.bias)]
        layers.append(eqx.tree_at(lambda one: (one.weight, one.bias), layer, tuple(map(jnp.asarray, draws))))
    return untrained(eqx.tree_at(lambda network: network.layers, shape, tuple(layers)))


def untrained(network: Any) -> Any:
    """A copy of a network with ``layers`` whose last layer is zero, so that it returns zero until it is trained.

    Examples
    --------
    >>> import equinox as eqx
    >>> network = eqx.nn.MLP(2, "scalar", 4, 1, jax.nn.tanh, key=jax.random.key(3))
    >>> float(co.physics.untrained(network)(jnp.ones(2)))
    0.0
    """
    return eqx.tree_at(lambda one: one.layers[-1], network, replace_fn=_zeros)


def _zeros(layer: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.zeros_like(leaf) if eqx.is_inexact_array(leaf) else leaf, layer)


def _in_double_precision(network: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.astype(np.float64) if eqx.is_inexact_array(leaf) else leaf, network)


def _as_ranges(ranges: Sequence[Any]) -> tuple[tuple[float, float], ...]:
    pairs = tuple((float(low), float(high)) for low, high in ranges)
    for low, high in pairs:
        if not low < high:
            raise ValueError(f"ranges: got {low:g} to {high:g}; give low below high for each feature")
    return pairs
