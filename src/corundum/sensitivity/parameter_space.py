"""The numbers of a model and of its cosmology as one vector with named entries, and directions in the space of them.

Names are those of `corundum.describe`, with ``cosmology.`` before those of the cosmology; the initial conditions are
among the model's own (``seed.*``).  `choose_parameters` checks a request for some of them and says what is wrong in
one sentence.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..annotations import Array
from ..cosmology import Cosmology
from ..messages import did_you_mean
from ..models import AbstractModel
from ..models.checks.arguments import check_model
from ..parameters import Parameter, describe, set_values
from .coordinates import AbstractCoordinates

__all__ = [
    "COSMOLOGY",
    "known_parameters",
    "channel_names",
    "choose_parameters",
    "varied_names",
    "read_vector",
    "with_vector",
    "Directions",
    "directions_for",
]

COSMOLOGY = "cosmology."


def known_parameters(model: AbstractModel, cosmology: Cosmology) -> dict[str, Parameter]:
    """Every single number of the model and of the cosmology, by name.

    Parameters
    ----------
    model : AbstractModel
    cosmology : Cosmology

    Examples
    --------
    >>> known = co.sensitivity.known_parameters(model, halos.cosmology)
    >>> known["energy_loading.amplitude"].unit, "cosmology.h" in known
    ('1', True)
    """
    check_model(model)
    described = {**describe(model), **describe(cosmology, COSMOLOGY)}
    return {name: parameter for name, parameter in described.items() if jnp.ndim(parameter.value) == 0}


def channel_names(model: AbstractModel) -> tuple[str, ...]:
    """Names of the multipliers of the model's flows, in the order of its ledger.

    Parameters
    ----------
    model : AbstractModel

    Raises
    ------
    ValueError
        The model has no multipliers.

    Examples
    --------
    >>> co.sensitivity.channel_names(model)[:3]
    ('channels.accretion', 'channels.cooling', 'channels.radiation')
    """
    check_model(model)
    names = tuple(f"channels.{flow}" for flow in model.ledger.names)
    described = describe(model)
    missing = [name for name in names if name not in described]
    if missing:
        raise ValueError(
            f"{type(model).__name__} has no multiplier {', '.join(missing)}; give the model a `channels` "
            "field with one parameter for each flow, as corundum.models.channel_multipliers() makes"
        )
    return names


def choose_parameters(model: AbstractModel, cosmology: Cosmology, names: Sequence[str] | str | None) -> tuple[str, ...]:
    """The requested parameters, checked; by default every number of the model except the channel multipliers.

    Parameters
    ----------
    model : AbstractModel
    cosmology : Cosmology
    names : sequence of str, str or None

    Raises
    ------
    ValueError
        The request is empty, repeats a name, or names something unknown or fixed by construction.

    Examples
    --------
    >>> co.sensitivity.choose_parameters(model, halos.cosmology, "depletion_time.amplitude")
    ('depletion_time.amplitude',)
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
    for field in str(name).removeprefix(COSMOLOGY).split("."):
        node = getattr(node, field, None)
        if node is None:
            break
    else:
        if not hasattr(node, "__dataclass_fields__"):
            value = f"an array of shape {node.shape}" if hasattr(node, "shape") else repr(node)
            return (
                f"parameter {name!r} is fixed by construction (it is {value}, a choice rather than a number of the "
                "model), so nothing is differentiated with respect to it; make a model with another choice and compare"
            )
        inside = [parameter for parameter in known if parameter.startswith(f"{name}.")]
        return f"parameter {name!r} is a component, not a number: it has {', '.join(inside) or 'no numbers'}"
    hint = did_you_mean(name, known)
    return f"unknown parameter {name!r} of {type(model).__name__}: {hint}there are {', '.join(known)}"


def varied_names(model: AbstractModel, cosmology: Cosmology, names: Sequence[str]) -> tuple[str, ...]:
    """The entries of the vector with respect to which derivatives are taken.

    These are all numbers of the model.  Those of the cosmology are among them only if `names` holds some, because
    derivatives through the halo histories are expensive.
    """
    needed = any(name.startswith(COSMOLOGY) for name in names)
    return tuple(name for name in known_parameters(model, cosmology) if needed or not name.startswith(COSMOLOGY))


def read_vector(model: AbstractModel, cosmology: Cosmology, names: Sequence[str]) -> Float[Array, " parameters"]:
    """Values of the named numbers, in NumPy."""
    known = known_parameters(model, cosmology)
    return np.stack([np.asarray(known[name].value, np.float64) for name in names])


def with_vector(
    model: AbstractModel,
    cosmology: Cosmology,
    names: Sequence[str],
    vector: Sequence[Float[Array, ""]] | Float[Array, " parameters"],
) -> tuple[AbstractModel, Cosmology]:
    """Model and cosmology with the named numbers set to `vector`."""
    values = dict(zip(names, vector, strict=True))
    of_model = {name: value for name, value in values.items() if not name.startswith(COSMOLOGY)}
    of_cosmology = {name.removeprefix(COSMOLOGY): v for name, v in values.items() if name.startswith(COSMOLOGY)}
    return set_values(model, of_model), set_values(cosmology, of_cosmology)


class Directions(NamedTuple):
    """Where derivatives with respect to some parameters are taken, and along which directions.

    Attributes
    ----------
    names : tuple of str
        The entries of `vector`.
    vector : array, shape (P,)
        The point at which to differentiate.
    rows : array, shape (C, P)
        One direction for each requested parameter.
    values : array, shape (C,)
        Values of the requested parameters, as given.
    """

    names: tuple[str, ...]
    vector: Float[Array, " p"]
    rows: Float[Array, "c p"]
    values: Float[Array, " c"]


def directions_for(
    model: AbstractModel,
    cosmology: Cosmology,
    names: Sequence[str],
    coordinates: AbstractCoordinates,
    values: np.ndarray | None = None,
) -> Directions:
    """Directions of unit length in `coordinates` along the parameters `names`, at `values` or the model's own."""
    known = known_parameters(model, cosmology)
    entries = varied_names(model, cosmology, names)
    vector = read_vector(model, cosmology, entries)
    columns = [entries.index(name) for name in names]
    if values is not None:
        vector[columns] = values
    rows = np.zeros((len(names), len(entries)))
    for row, (name, column) in enumerate(zip(names, columns, strict=True)):
        rows[row, column] = coordinates.slope(name, known[name], float(vector[column]))
    return Directions(entries, vector, rows, vector[columns])
