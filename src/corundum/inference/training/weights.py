"""The weights of the networks in a model: which of its arrays they are, their prior, and other random starts."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ...annotations import Array

__all__ = ["has_network", "ln_weight_prior", "number_of_weights", "other_start", "split_last_layers", "split_weights"]


def split_weights(model: Any) -> tuple[Any, Any]:
    """The weights of all networks in a model, and everything else, as `equinox.partition` splits a tree.

    A network is the `equinox` module in the field ``network`` of a component, such as `physics.NeuralDeparture`.

    Examples
    --------
    >>> from corundum.inference.training.weights import split_weights
    >>> law = co.physics.neural_law("log_vvir", base=co.physics.MassLoading(), width=4)
    >>> weights, rest = split_weights(co.models.ThermalCGM(mass_loading=law))
    >>> [leaf.shape for leaf in jax.tree.leaves(weights)]
    [(4, 1), (4,), (1, 4), (1,)]
    """
    return eqx.partition(model, jax.tree.map(_marks, model, is_leaf=has_network))


def split_last_layers(model: Any) -> tuple[Any, Any]:
    """The weights of the last layer of every network in a model, and everything else.

    Examples
    --------
    >>> from corundum.inference.training.weights import split_last_layers
    >>> law = co.physics.neural_law("log_vvir", base=co.physics.MassLoading(), width=4)
    >>> last, rest = split_last_layers(co.models.ThermalCGM(mass_loading=law))
    >>> [leaf.shape for leaf in jax.tree.leaves(last)]
    [(1, 4), (1,)]
    """

    def marks(node):
        marked = _marks(node)
        if not (has_network(node) and getattr(node.network, "layers", None)):
            return jax.tree.map(lambda leaf: False, marked)
        hidden = jax.tree.map(lambda leaf: False, marked)
        return eqx.tree_at(lambda one: one.network.layers[-1], hidden, marked.network.layers[-1])

    return eqx.partition(model, jax.tree.map(marks, model, is_leaf=has_network))


def number_of_weights(model: Any) -> int:
    """How many weights the networks in a model have together."""
    return sum(leaf.size for leaf in jax.tree.leaves(split_weights(model)[0]))


def ln_weight_prior(weights: Any, scale: Float[Array, ""]) -> Float[Array, ""]:
    """ln of a normal prior density of every weight, of mean zero and standard deviation `scale`, up to a constant."""
    squares = [jnp.sum(leaf**2) for leaf in jax.tree.leaves(weights)]
    return -0.5 * sum(squares, jnp.zeros(())) / scale**2


def other_start(weights: Any, generator: np.random.Generator) -> Any:
    """Random weights of the same size, layer by layer: a layer of zeros stays zero, so that nothing is learned yet."""

    def drawn(leaf):
        half_width = np.sqrt(3.0 * np.mean(np.asarray(leaf) ** 2))  # of the uniform law with the same mean square
        return jnp.asarray(generator.uniform(-half_width, half_width, leaf.shape) if half_width else np.asarray(leaf))

    return jax.tree.map(drawn, weights)


def has_network(node: Any) -> bool:
    """Whether a component has a network whose weights are trained."""
    return isinstance(node, eqx.Module) and isinstance(getattr(node, "network", None), eqx.Module)


def _marks(node: Any) -> Any:
    """True for the weights of a component with a network, False for other leaves."""
    if not has_network(node):
        return False
    marked = jax.tree.map(eqx.is_inexact_array, node.network)
    return eqx.tree_at(lambda one: one.network, jax.tree.map(lambda leaf: False, node), marked)
