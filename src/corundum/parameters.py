"""Named physical parameters: one helper to declare them, three functions to read and change them.

A physical number of a law or a model is declared with `parameter`, which stores it as a float64 array (so that a new
value never recompiles anything) together with its unit, meaning, source, range and natural scale.  `describe` lists
the parameters of any object by dotted name, `get_values` reads some of them, `replace` returns a changed copy.
"""

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

__all__ = ["Parameter", "parameter", "named_parameters", "describe", "get_values", "replace", "require_float64"]


class Parameter(NamedTuple):
    """One named number of a model: its value and what is known about it."""

    value: Any
    unit: str
    meaning: str
    source: str
    bounds: tuple[float, float]
    scale: str


def require_float64() -> None:
    """Raise unless JAX computes in double precision, which every solve here needs."""
    if jax.dtypes.canonicalize_dtype(np.float64) != np.float64:
        raise RuntimeError(
            "corundum computes in float64 but JAX is set to float32: call corundum.configure() before making any "
            "array, or jax.config.update('jax_enable_x64', True)"
        )


def _strong_float64(value: Any) -> Any:
    require_float64()
    if isinstance(value, Mapping):
        return {name: _strong_float64(value[name]) for name in sorted(value)}
    return jnp.asarray(value, dtype=jnp.float64)


def parameter(
    default: float,
    *,
    unit: str,
    meaning: str,
    source: str,
    bounds: tuple[float, float],
    scale: str = "linear",
) -> Any:
    """Declare a physical number as a field of an `equinox.Module`.

    Parameters
    ----------
    default : float
        Value used when none is given.
    unit : str
        Unit, ``"1"`` if dimensionless.
    meaning : str
        One clause saying what the number is.
    source : str
        Paper, equation or "choice".
    bounds : (float, float)
        Range over which the law is meant to be used; priors default to it.
    scale : {"linear", "log10"}
        Natural scale: inference samples ``log10`` numbers in their logarithm.
    """
    if scale not in ("linear", "log10"):
        raise ValueError(f"parameter scale: got {scale!r}; allowed 'linear' or 'log10'")
    note = dict(unit=unit, meaning=meaning, source=source, bounds=bounds, scale=scale)
    return eqx.field(default=default, converter=_strong_float64, metadata={"corundum": note})


def named_parameters(*, unit: str, meaning: str, source: str, bounds: tuple[float, float]) -> Any:
    """Declare a field that holds one number for each of some names, such as a multiplier for each flow.

    The numbers are parameters of their own, ``field.name``; ``{name}`` in `meaning` stands for the name.
    """
    note = dict(unit=unit, meaning=meaning, source=source, bounds=bounds, scale="linear")
    return eqx.field(default_factory=dict, converter=_strong_float64, metadata={"corundum": note})


def describe(tree: Any, prefix: str = "") -> dict[str, Parameter]:
    """All parameters below `tree` by dotted name, in the order they are declared."""
    if isinstance(tree, Mapping):
        return {k: v for name, part in sorted(tree.items()) for k, v in describe(part, f"{prefix}{name}.").items()}
    if not dataclasses.is_dataclass(tree):
        return {}
    found: dict[str, Parameter] = {}
    for field in dataclasses.fields(tree):
        value = getattr(tree, field.name)
        note = field.metadata.get("corundum")
        if note is None:
            found.update(describe(value, f"{prefix}{field.name}."))
        elif isinstance(value, Mapping):
            for name, number in sorted(value.items()):
                words = {**note, "meaning": note["meaning"].format(name=name)}
                found[f"{prefix}{field.name}.{name}"] = Parameter(number, **words)
        else:
            found[prefix + field.name] = Parameter(value, **note)
    return found


def _check_names(tree: Any, names: Sequence[str]) -> None:
    known = describe(tree)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            raise ValueError(f"unknown parameter {name!r} of {type(tree).__name__}: {hint}it has {', '.join(known)}")


def _leaves_at(tree: Any, names: Sequence[str]) -> list[Any]:
    leaves = []
    for name in names:
        node = tree
        for part in name.split("."):
            node = node[part] if isinstance(node, Mapping) else getattr(node, part)
        leaves.append(node)
    return leaves


def get_values(tree: Any, names: Sequence[str]) -> list[Array]:
    """Values of the named parameters, in the order of `names`."""
    _check_names(tree, names)
    return _leaves_at(tree, names)


def replace(tree: Any, values: Mapping[str, Any]) -> Any:
    """A copy of `tree` with the named parameters set to new values.

    Raises
    ------
    ValueError
        A name is not a parameter of `tree`; the message lists the right ones.
    """
    names = list(values)
    if not names:
        return tree
    _check_names(tree, names)
    new = [_strong_float64(value) for value in values.values()]
    return eqx.tree_at(lambda t: _leaves_at(t, names), tree, new)
