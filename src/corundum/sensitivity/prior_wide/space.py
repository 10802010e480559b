"""The numbers of a model and of its cosmology as one vector with named entries.

Names are those of `corundum.describe`, with ``cosmology.`` before those of the cosmology; the initial conditions are
among the model's own (``seed.*``).  `choose` checks a request for some of them and says what is wrong in one sentence.
"""

import difflib
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...cosmology import Cosmology
from ...models import AbstractModel
from ...parameters import Parameter, describe, replace

__all__ = ["COSMOLOGY", "known_parameters", "choose", "channel_names", "varied_names", "read_vector", "with_vector"]

COSMOLOGY = "cosmology."


def known_parameters(model: AbstractModel, cosmology: Cosmology) -> dict[str, Parameter]:
    """Every single number of the model and of the cosmology, by name."""
    found = {**describe(model), **describe(cosmology, COSMOLOGY)}
    return {name: parameter for name, parameter in found.items() if jnp.ndim(parameter.value) == 0}


def channel_names(model: AbstractModel) -> tuple[str, ...]:
    """Names of the multipliers of the model's flows, in the order of its ledger.

    Raises
    ------
    ValueError
        The model has no multipliers.
    """
    names = tuple(f"channels.{flow}" for flow in model.ledger.names)
    missing = [name for name in names if name not in describe(model)]
    if missing:
        raise ValueError(
            f"{type(model).__name__} has no multiplier {', '.join(missing)}; give the model a `channels` "
            "field with one parameter for each flow, as corundum.models.channel_multipliers() makes"
        )
    return names


def choose(model: AbstractModel, cosmology: Cosmology, names: Sequence[str] | str | None) -> tuple[str, ...]:
    """The parameters asked for; by default every number of the model but the channel multipliers.

    Raises
    ------
    ValueError
        The request is empty, repeats a name, or names something unknown or fixed by construction.
    """
    known = known_parameters(model, cosmology)
    if names is None:
        return tuple(name for name in known if not name.startswith((COSMOLOGY, "channels.")))
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names:
        raise ValueError("parameters: got an empty list; name at least one, or leave it out for all of the model")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"parameters: {', '.join(repeated)} named twice; name each once")
    for name in names:
        if name not in known:
            raise ValueError(_refusal(model, cosmology, name, known))
    return names


def _refusal(model, cosmology, name, known):
    node: Any = cosmology if name.startswith(COSMOLOGY) else model
    for part in str(name).removeprefix(COSMOLOGY).split("."):
        node = getattr(node, part, None)
        if node is None:
            break
    else:
        if not hasattr(node, "__dataclass_fields__"):
            held = f"an array of shape {node.shape}" if hasattr(node, "shape") else repr(node)
            return (
                f"parameter {name!r} is fixed by construction (it is {held}, a choice rather than a number of the "
                "model), so nothing is differentiated with respect to it; make a model with another choice and compare"
            )
        inside = [each for each in known if each.startswith(f"{name}.")]
        return f"parameter {name!r} is a component, not a number: it has {', '.join(inside) or 'no numbers'}"
    near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return f"unknown parameter {name!r} of {type(model).__name__}: {hint}there are {', '.join(known)}"


def varied_names(model: AbstractModel, cosmology: Cosmology, names: Sequence[str]) -> tuple[str, ...]:
    """The entries of the vector that derivatives are taken with respect to: all numbers of the model, and those of
    the cosmology only when some are among `names`, because passing derivatives through the halo histories is dear."""
    needed = any(name.startswith(COSMOLOGY) for name in names)
    return tuple(name for name in known_parameters(model, cosmology) if needed or not name.startswith(COSMOLOGY))


def read_vector(model: AbstractModel, cosmology: Cosmology, names: Sequence[str]) -> Float[Array, " parameters"]:
    """Values of the named numbers."""
    known = known_parameters(model, cosmology)
    return jnp.stack([jnp.asarray(known[name].value) for name in names])


def with_vector(
    model: AbstractModel, cosmology: Cosmology, names: Sequence[str], vector: Float[Array, " parameters"]
) -> tuple[AbstractModel, Cosmology]:
    """Model and cosmology with the named numbers set to `vector`."""
    values = dict(zip(names, vector, strict=True))
    of_model = {name: value for name, value in values.items() if not name.startswith(COSMOLOGY)}
    of_cosmology = {name.removeprefix(COSMOLOGY): v for name, v in values.items() if name.startswith(COSMOLOGY)}
    return replace(model, of_model), replace(cosmology, of_cosmology)
